"""Sourced defaults for what a MWh is worth to mining and to AI compute in 2025.

The tables `tables/parameters.csv` and `tables/sources.csv` have the columns of the tables of the same name in
a country's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from penstock.country import Country, Parameter, Table
from penstock.country.packaged import parameters_of, read_packaged
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
    tables = read_packaged(folder)
    return parameters_of(tables["parameters"]), tables["sources"]
