"""Finds a country's folder, reads and checks its tables, and freezes them into a `Country`."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from penstock.country.checks import CountryFacts, check_tables
from penstock.country.country import Country, FloatArray, Table
from penstock.country.faults import FaultList, choices_hint, shown
from penstock.country.hourly import HOURLY_FILE, read_hourly
from penstock.country.read import ReadTable, read_table
from penstock.country.schema import table_schemas
from penstock.errors import Fault, TableError, UnknownCountryError

__all__ = ["country_folder", "load_country", "shipped_countries"]

FAULT_CAP = 1000  # faults of one kind in one column of one table that are listed; the rest is counted
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_CONTENT_FORMAT = "penstock.country/1"


def shipped_countries() -> tuple[str, ...]:
    """Names of the countries that ship with Penstock, sorted."""
    folder = _shipped_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.parent.name for path in folder.glob("*/country.csv")))


def _shipped_folder() -> Path:
    return Path(str(files("penstock") / "countries"))


def load_country(name_or_folder: str | os.PathLike[str]) -> Country:
    """The country in a folder of tables, checked and frozen.

    name_or_folder: a country that ships ("el-salvador" and "el_salvador" are the same), else the path of a
        folder. A country that ships comes before a folder of the same name; write "./name" for the folder.

    The tables, their units and limits, and the rules across them: docs/tables.md. The content hash is the
    SHA-256 of the typed values in row order; it does not depend on line endings, a byte order mark, the
    order of columns or the folder's name and place.

    Raises UnknownCountryError where there is neither such a country nor such a folder, and TableError,
    with every fault found in all tables, where the folder cannot be used.
    """
    folder = country_folder(name_or_folder)
    faults = FaultList(FAULT_CAP)
    _check_files(folder, faults)
    tables = {name: read_table(folder, schema, faults) for name, schema in table_schemas().items()}
    facts = check_tables(tables, faults)
    hourly = _hourly(folder, tables, facts, faults)
    if faults:
        raise TableError(_by_file(faults))
    return _country(folder, tables, facts, hourly)


def country_folder(name_or_folder: str | os.PathLike[str]) -> Path:
    """The folder of a country, as `load_country` finds it. Raises UnknownCountryError where there is none."""
    given = os.fspath(name_or_folder)
    shipped = shipped_countries()
    if isinstance(name_or_folder, str) and _NAME.fullmatch(given) and given.replace("-", "_") in shipped:
        return (_shipped_folder() / given.replace("-", "_")).resolve()
    if _is_folder(given):
        return Path(given).resolve()
    raise UnknownCountryError(
        Fault(
            place="country",
            value=shown(given),
            problem="no country of this name ships with Penstock, and there is no folder of this name",
            mend="give the path of a folder of tables, or a country that ships: "
            + choices_hint(given.lower(), shipped, "country"),
        )
    )


def _is_folder(given: str) -> bool:
    # Path("") would mean the current folder, which nobody asked for.
    try:
        return given != "" and Path(given).is_dir()
    except OSError:  # a name that no file system can hold
        return False


def _check_files(folder: Path, faults: FaultList) -> None:
    """Refuses CSV files that no table reads: most likely a slip in the name."""
    known = [*(schema.file for schema in table_schemas().values()), HOURLY_FILE]
    try:
        present = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        faults.add(
            "unreadable folder",
            Fault(place=str(folder), problem=f"cannot be listed: {error}", mend="make the folder readable"),
        )
        return
    for name in present:
        if name.lower().endswith(".csv") and name not in known:
            faults.add(
                "unknown file",
                Fault(
                    place=name,
                    problem="there is no table of this name",
                    mend=f"rename or remove the file; {choices_hint(name, known, 'file')}",
                ),
            )


def _hourly(
    folder: Path, tables: Mapping[str, ReadTable], facts: CountryFacts, faults: FaultList
) -> Mapping[str, FloatArray]:
    def known(table: str, key: str) -> list[str] | None:
        return [str(value) for value in tables[table].column(key)] if tables[table].sound(key) else None

    clock = None
    if facts.year is not None and facts.utc_offset_hours is not None:
        clock = (facts.year, facts.utc_offset_hours)
    keys = {"demand_mw": known("zones", "zone"), "available_mw": known("plants", "plant")}
    return read_hourly(folder, clock, keys, faults)


def _by_file(faults: FaultList) -> list[Fault]:
    """File by file in the order of the tables, so that a file is mended in one go."""
    order = {schema.file: place for place, schema in enumerate(table_schemas().values())}
    return sorted(faults.all(), key=lambda fault: order.get(fault.place, len(order)))


def _country(
    folder: Path, tables: Mapping[str, ReadTable], facts: CountryFacts, hourly: Mapping[str, FloatArray]
) -> Country:
    if facts.name is None or facts.iso3 is None or facts.currency is None:
        raise RuntimeError("country.csv was accepted without name, iso3 or currency")
    if facts.year is None or facts.utc_offset_hours is None:
        raise RuntimeError("country.csv was accepted without year or utc_offset_hours")
    frozen = {
        name: Table(name, table.schema.names, tuple(MappingProxyType(dict(row.values)) for row in table.rows))
        for name, table in tables.items()
    }
    return Country(
        id=folder.name,
        name=facts.name,
        iso3=facts.iso3,
        currency=facts.currency,
        year=facts.year,
        utc_offset_hours=facts.utc_offset_hours,
        tables=MappingProxyType(frozen),
        content_hash=_content_hash(frozen, hourly),
        hourly=hourly,
    )


def _content_hash(tables: Mapping[str, Table], hourly: Mapping[str, FloatArray]) -> str:
    """SHA-256 of what the tables say, in hexadecimal.

    Blank cells and empty tables are left out: a column or table that is added to the schema later does not
    change the hash of a country that does not use it.
    """
    content = {
        name: [{column: value for column, value in row.items() if value is not None} for row in table]
        for name, table in tables.items()
        if len(table)
    }
    text = json.dumps(
        {"format": _CONTENT_FORMAT, "tables": content},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    digest = hashlib.sha256(text.encode())
    for name in sorted(hourly):
        digest.update(f"\n{json.dumps(name)}\n".encode())
        digest.update(hourly[name].astype("<f8").tobytes())
    return digest.hexdigest()
