"""Options read by hand, so that all their faults are named at once.

Each adds what is wrong to a list; the command raises `refused` when all of them have looked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TypeVar

from penstock.errors import Fault, InputError, ProgrammeError

__all__ = [
    "check_number",
    "exactly_one",
    "gather",
    "option_places",
    "read_bits",
    "read_choice",
    "read_named",
    "read_time",
    "refused",
]

Found = TypeVar("Found")
FEW_CHOICES = 8  # more are not all listed
#: Option of a field of the programme, or of the grid of its mixes.
PROGRAMME_OPTIONS = {
    "mining_share": "--mining-share",
    "mw": "--mw",
    "step_mw": "--step",
    "tariff_per_kwh": "--tariff",
}
NEAR, CUTOFF = 4, 0.4  # how many are offered, and how like the value their spelling is


def refused(faults: Sequence[Fault]) -> InputError:
    """The faults as one error, to be raised where there are any."""
    return InputError(faults)


def gather(faults: list[Fault], places: Mapping[str, str], call: Callable[[], Found]) -> Found | None:
    """What `call` gives; None where it refuses its input, whose faults are added to the list.

    places: option that holds what a fault calls by another name, e.g. {"bits": "--bits"}.
    """
    try:
        return call()
    except InputError as error:
        faults.extend(replace(fault, place=places.get(fault.place, fault.place)) for fault in error.faults)
        return None


@contextmanager
def option_places(**given: object) -> Iterator[None]:
    """Names the option as the place of a programme's fault where its value came from one.

    given: value of the option by the column of such a fault, see PROGRAMME_OPTIONS; None where it was not
        given: then the fault stays as it is. So does the type of the error.
    """
    try:
        yield
    except ProgrammeError as error:
        raise ProgrammeError([_by_option(fault, given) for fault in error.faults]) from error


def _by_option(fault: Fault, given: Mapping[str, object]) -> Fault:
    column = fault.column or ""
    if given.get(column) is None:
        return fault
    problem = fault.problem.replace("[1]", "(a share)")
    return replace(fault, place=PROGRAMME_OPTIONS[column], column=None, problem=problem)


def exactly_one(faults: list[Fault], given: Mapping[str, object]) -> None:
    """Adds a fault unless one of the options, and one only, is given (is not None)."""
    named = [option for option, value in given.items() if value is not None]
    if not named:
        faults.append(Fault(" or ".join(given), "is missing", "give one of them"))
    elif len(named) > 1:
        faults.append(Fault(" and ".join(named), "are given together", "give one of them"))


def check_number(
    faults: list[Fault], option: str, value: float | None, unit: str, least: float, most: float
) -> None:
    """Adds a fault where a number is not from `least` to `most`; None is no number and passes.

    unit: in plain letters; "1" for a share.
    """
    if value is None or least <= value <= most:
        return
    limits = f"{least:g} to {most:g} {'(a share)' if unit == '1' else f'[{unit}]'}"
    mend = "give a number within the limits"
    faults.append(Fault(option, f"must be from {limits}", mend, value=f"{value:.12g}"))


def read_choice(faults: list[Fault], option: str, value: str, choices: Sequence[str]) -> str:
    """One of the choices: the value, or the first of them as a stand-in.

    The fault names all choices if they are few, else those that are spelled like the value.
    """
    if value in choices:
        return value
    offered = choices if len(choices) <= FEW_CHOICES else get_close_matches(value, choices, n=5, cutoff=0.4)
    mend = (
        f"give one of {', '.join(offered)}" if offered else f"give one of {len(choices)}, like {choices[0]}"
    )
    faults.append(Fault(option, "is not known", mend, value=value))
    return choices[0]


def read_named(faults: list[Fault], option: str, value: str, names: Mapping[str, str]) -> str:
    """The id of what the value names, whatever its case; the first id as a stand-in.

    names: name by id. The value may be an id, a name, or both as "name (id)", which is how tables print it.
    The fault names those whose id or name is spelled like the value.
    """
    ids: dict[str, str] = {}
    for key, name in names.items():
        ids |= {_plain(spelled): key for spelled in (f"{name} ({key})", name, key)}
    asked = _plain(value)
    if asked in ids:
        return ids[asked]
    by_id = get_close_matches(asked, [_plain(key) for key in names], NEAR, CUTOFF)
    by_name = get_close_matches(asked, [_plain(name) for name in names.values()], NEAR, CUTOFF)
    likest = get_close_matches(asked, [*by_id, *by_name], 2 * NEAR, CUTOFF)
    near = list(dict.fromkeys(ids[found] for found in likest))
    listed = ", ".join(f"{key} ({names[key]})" for key in near)
    first = next(iter(names))
    mend = f"give one of {listed}" if near else f"give one of {len(names)}, like {first} ({names[first]})"
    faults.append(Fault(option, "is not known", mend, value=value))
    return first


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def read_time(faults: list[Fault], option: str, text: str) -> int | None:
    """A time in whole seconds since 1970, written so or as ISO 8601; in UTC where it names no zone. [s]"""
    if re.fullmatch(r"[+-]?\d{1,20}", text, re.ASCII):
        return int(text)
    try:
        time = datetime.fromisoformat(text)
        seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        mend = "write seconds since 1970, or as 2021-07-03T05:42:10Z"
        faults.append(Fault(option, "is no time", mend, value=text))
        return None
    if not seconds.is_integer():
        faults.append(Fault(option, "must be whole seconds [s]", "leave out the fraction", value=text))
        return None
    return int(seconds)


def read_bits(faults: list[Fault], option: str, text: str) -> int | None:
    """Compact bits, written as 0x1d00ffff or as the same number in tens."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,64}", text, re.ASCII):
        return int(text, 16)
    if re.fullmatch(r"\d{1,64}", text, re.ASCII):
        return int(text)
    faults.append(Fault(option, "is no whole number", "write it as 0x1d00ffff", value=text))
    return None
