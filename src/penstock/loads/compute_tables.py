"""The sourced tables of AI compute: `tables/compute/*.csv`, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from penstock.country import Parameter, Table
from penstock.country.packaged import parameters_of, read_packaged
from penstock.errors import CentreError, Fault

__all__ = ["compute_parameters", "compute_tables", "compute_values"]

_FOLDER = Path(__file__).parent / "tables" / "compute"


@cache
def compute_tables() -> Mapping[str, Table]:
    """The tables by name: `work_classes`, `node_power`, `gpu_rents`, `serving_shape`, `trials`, `parameters`,
    `sources`. Every row has a source; an assumption has a low and a high end.
    """
    return read_packaged(_FOLDER)


@cache
def compute_parameters() -> Mapping[str, Parameter]:
    """The parameters of AI compute, by name."""
    return parameters_of(compute_tables()["parameters"])


def compute_values(values: Mapping[str, float] | None = None) -> Mapping[str, float]:
    """The values of the parameters, by name, in their units.

    values: values in place of those of the table. Raises CentreError for a name that the table does not have.
    """
    known = compute_parameters()
    faults = [
        Fault("values", "is no parameter of AI compute", f"use one of {', '.join(known)}", value=name)
        for name in values or {}
        if name not in known
    ]
    if faults:
        raise CentreError(faults)
    return MappingProxyType({name: row.value for name, row in known.items()} | dict(values or {}))
