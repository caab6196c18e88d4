"""Finds and reads the policy of a country: the file beside its tables, or one that the user names."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.country import Country, load_country
from penstock.country.faults import shown
from penstock.country.load import country_folder
from penstock.errors import Fault, PolicyError, UnknownCountryError
from penstock.policy import Policy, read_policy

__all__ = ["POLICY_FILE", "load_policy", "own_policy"]

POLICY_FILE = "policy.yaml"
LARGEST = 1_048_576  # bytes that are read at most; what is longer is no policy


def load_policy(
    country: Country | str | os.PathLike[str], file: str | os.PathLike[str] | None = None
) -> Policy:
    """The policy of a country.

    country: a country that ships, the path of a folder of tables, or a loaded country. Of a loaded one the
        policy is that of the country that ships under its id.
    file: policy to read in place of the country's own.

    Raises PolicyError with every fault where there is no such file, it is too long or no UTF-8, it is not for
    this country, or `read_policy` refuses it. Whatever `load_country` raises.
    """
    facts = country if isinstance(country, Country) else load_country(country)
    path = Path(file) if file is not None else _own_file(country)
    place = POLICY_FILE if file is None else shown(str(path))
    policy = read_policy(_text(path, place), place, currency=facts.currency)
    if policy.country != facts.id:
        problem = f"is a policy of another country than {facts.id}"
        mend = f"write country: {facts.id}, or give the policy of that country"
        raise PolicyError(Fault(place, problem, mend, column="country", value=shown(policy.country)))
    return policy


def own_policy(country: Country | str | os.PathLike[str]) -> Policy | None:
    """The policy beside a country's tables; None where there is none, or the country is nowhere to be found.

    Raises PolicyError as `load_policy` does where there is one and it cannot be used.
    """
    try:
        there = _own_file(country).is_file()
    except UnknownCountryError:
        there = False
    return load_policy(country) if there else None


def _own_file(country: Country | str | os.PathLike[str]) -> Path:
    return country_folder(country.id if isinstance(country, Country) else country) / POLICY_FILE


def _text(path: Path, place: str) -> str:
    if not path.is_file():
        problem = "is no file" if path.exists() else "there is no such file; without a policy nothing passes"
        raise PolicyError(
            Fault(place, problem, "write a policy there, or name another file", value=str(path))
        )
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise PolicyError(Fault(place, f"cannot be read: {error}", "make the file readable")) from error
    if len(data) > LARGEST:
        problem = f"is longer than {LARGEST} bytes"
        raise PolicyError(Fault(place, problem, "a policy is a few pages; give the right file"))
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        bytes_there = repr(data[error.start : error.start + 8])
        raise PolicyError(
            Fault(
                f"{place}, line {line}",
                "holds bytes that are not UTF-8",
                "save it as UTF-8",
                value=bytes_there,
            )
        ) from error
