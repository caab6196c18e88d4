"""What the programme's contracts allow: who is interrupted in which order, and how much in a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from penstock.country import Parameter, Table
from penstock.country.packaged import parameters_of, read_packaged

__all__ = ["Contract", "Load", "Step", "Terms", "load_terms", "terms_sources"]

_FOLDER = Path(__file__).parent / "tables"

Load = Literal["mining", "ai"]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract. annual_share: most energy interrupted in a year, as a share of what comes. [1]"""

    key: str
    load: Load
    title: str
    annual_share: float
    low: float | None
    high: float | None
    basis: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step in the order of interruption; order 1 is interrupted first."""

    key: str
    order: int
    contract: str
    title: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Contracts and steps by key, steps in their order; bid_ceiling_share and bid_spacing as parameters."""

    contracts: Mapping[str, Contract]
    steps: Mapping[str, Step]
    parameters: Mapping[str, Parameter]


@cache
def load_terms() -> Terms:
    """The terms that ship with Penstock."""
    tables = read_packaged(_FOLDER)
    contracts = {
        row["contract"]: Contract(
            key=row["contract"],
            load=row["load"],
            title=row["title"],
            annual_share=row["annual_share"],
            low=row["low"],
            high=row["high"],
            basis=row["basis"],
            source=row["source"],
            note=row["note"] or "",
        )
        for row in tables["contracts"]
    }
    steps = [Step(row["step"], row["order"], row["contract"], row["title"]) for row in tables["steps"]]
    return Terms(
        contracts=MappingProxyType(contracts),
        steps=MappingProxyType({step.key: step for step in sorted(steps, key=lambda step: step.order)}),
        parameters=parameters_of(tables["parameters"]),
    )


@cache
def terms_sources() -> Table:
    """The sources of the terms, with the columns of a country's `sources`."""
    return read_packaged(_FOLDER)["sources"]
