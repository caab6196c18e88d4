"""Sourced defaults for what a MWh is worth to mining and to AI compute in 2025.

The tables `tables/parameters.csv` and `tables/sources.csv` have the columns of the tables of the same name in
a country's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from penstock.country import Country, Parameter, Table
from penstock.country.faults import FaultList
from penstock.country.load import FAULT_CAP
from penstock.country.read import read_table
from penstock.country.schema import table_schemas
from penstock.errors import Fault, TableError

__all__ = ["load_defaults", "parameters_for", "read_defaults", "sources"]

_FOLDER = Path(__file__).parent / "tables"


@cache
def load_defaults() -> Mapping[str, Parameter]:
    """The defaults that ship with Penstock, by name, in the order of the table."""
    return read_defaults(_FOLDER)[0]


@cache
def sources() -> Table:
    """The sources of the defaults, with the columns of a country's `sources`."""
    return read_defaults(_FOLDER)[1]


def parameters_for(country: Country) -> Mapping[str, Parameter]:
    """The defaults, each replaced by the country's own parameter of the same name where it has one.

    Raises TableError for a replacement in another unit than the default's.
    """
    own = {name: country.parameter(name) for name in country.table("parameters").column("parameter")}
    faults = [
        Fault(
            "parameters.csv",
            f"{name} replaces a default in {default.unit}",
            f"give it in {default.unit}",
            column="unit",
            value=own[name].unit,
        )
        for name, default in load_defaults().items()
        if name in own and own[name].unit != default.unit
    ]
    if faults:
        raise TableError(faults)
    return MappingProxyType({name: own.get(name, default) for name, default in load_defaults().items()})


def read_defaults(folder: Path) -> tuple[Mapping[str, Parameter], Table]:
    """Parameters by name, and their sources, from a folder with parameters.csv and sources.csv.

    Raises TableError with every fault of the two tables: those of the schema, and unknown sources.
    """
    faults = FaultList(FAULT_CAP)
    read = {name: read_table(folder, table_schemas()[name], faults) for name in ("sources", "parameters")}
    known = read["sources"].column("source")
    for row in read["parameters"].rows_with("source"):
        if read["sources"].sound("source") and row.values["source"] not in known:
            faults.add(
                "unknown reference",
                Fault(
                    "parameters.csv",
                    "there is no such row in sources.csv",
                    "name a source of sources.csv",
                    row=row.line,
                    column="source",
                    value=row.cells["source"],
                ),
            )
    if faults:
        raise TableError(faults.all())
    tables = {
        name: Table(name, table.schema.names, tuple(MappingProxyType(dict(row.values)) for row in table.rows))
        for name, table in read.items()
    }
    return MappingProxyType(dict(_parameters(tables["parameters"]))), tables["sources"]


def _parameters(table: Table) -> Iterator[tuple[str, Parameter]]:
    for row in table:
        yield (
            row["parameter"],
            Parameter(
                name=row["parameter"],
                value=row["value"],
                low=row["low"],
                high=row["high"],
                unit=row["unit"],
                basis=row["basis"],
                source=row["source"],
                note=row["note"] or "",
            ),
        )
