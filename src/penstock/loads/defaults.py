"""The loads' parameters as one list, with a country's own values in the place of those that ship.

A parameter of `tables/mining/` is called `mining_<name>` in it, one of `tables/compute/` `ai_<name>`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from penstock.country import Country, Parameter, Table
from penstock.errors import Fault, TableError

from .compute_tables import compute_parameters, compute_tables
from .mining import mining_parameters, mining_tables

__all__ = ["load_defaults", "parameters_for", "sources", "values_for"]

_PREFIXES = ("mining", "ai")


@cache
def load_defaults() -> Mapping[str, Parameter]:
    """The defaults that ship with Penstock, by name, in the order of the tables."""
    return MappingProxyType(
        {
            f"{prefix}_{name}": replace(row, name=f"{prefix}_{name}")
            for prefix, rows in zip(_PREFIXES, (mining_parameters(), compute_parameters()), strict=True)
            for name, row in rows.items()
        }
    )


@cache
def sources() -> Table:
    """The sources of the defaults, with the columns of a country's `sources`, each once."""
    first, second = mining_tables()["sources"], compute_tables()["sources"]
    known = set(first.column("source"))
    return Table("sources", first.columns, (*first, *(row for row in second if row["source"] not in known)))


def parameters_for(country: Country) -> Mapping[str, Parameter]:
    """The defaults, each replaced by the country's own parameter of the same name where it has one.

    Raises TableError for a replacement in another unit than the default's, and for a name that starts like a
    default's and is none.
    """
    own = {name: country.parameter(name) for name in country.table("parameters").column("parameter")}
    faults = list(_faults(own))
    if faults:
        raise TableError(faults)
    return MappingProxyType({name: own.get(name, default) for name, default in load_defaults().items()})


def values_for(country: Country) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """The same as values by their names in the tables: of mining, and of AI compute.

    Raises TableError as `parameters_for` does.
    """
    rows = parameters_for(country)
    mining, compute = (
        {
            name.removeprefix(f"{prefix}_"): row.value
            for name, row in rows.items()
            if name.startswith(f"{prefix}_")
        }
        for prefix in _PREFIXES
    )
    return MappingProxyType(mining), MappingProxyType(compute)


def _faults(own: Mapping[str, Parameter]) -> Iterator[Fault]:
    defaults = load_defaults()
    for name, row in own.items():
        if name in defaults and row.unit != defaults[name].unit:
            yield Fault(
                "parameters.csv",
                f"{name} replaces a default in {defaults[name].unit}",
                f"give it in {defaults[name].unit}",
                column="unit",
                value=row.unit,
            )
        elif name not in defaults and name.startswith(tuple(f"{prefix}_" for prefix in _PREFIXES)):
            yield Fault(
                "parameters.csv",
                "is no parameter of the loads",
                "use a name of docs/tables.md, or another beginning",
                column="parameter",
                value=name,
            )
        elif name in defaults:
            low, high = _limits(name, row.unit)
            if not low <= row.value <= high:
                limit = f"at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
                yield Fault(
                    "parameters.csv",
                    f"{name} must be {limit} [{row.unit}]",
                    "correct the value; check its unit",
                    column="value",
                    value=f"{row.value:g}",
                )


def _limits(name: str, unit: str) -> tuple[float, float]:
    """Least and greatest value that can be one, in the parameter's unit."""
    if name.startswith("ai_pue") and unit == "1":
        return 1.0, math.inf
    if unit == "1" and not name.endswith("log_spread") and name != "ai_gpus_per_node":
        return 0.0, 1.0
    if unit == "1/year":
        return -1.0, 1.0
    return (-90.0 if unit == "degree C" else 0.0), math.inf
