"""What a clause may limit: `tables/metrics.csv`, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from penstock.country import Table
from penstock.country.packaged import parameters_of, read_packaged

__all__ = ["METRICS", "Better", "Metric", "significant_standard_errors"]

_FOLDER = Path(__file__).parent / "tables"
_CURRENCY = "currency/"

Better = Literal["lower", "higher", "range"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What a clause may limit.

    unit: of its readings; "currency/kWh" stands for the country's currency.
    places: what one reading is for: "hour", "month", "year", "zone", "class" or "contract".
    better: the safe side; a metric of which lower is better takes no `at_least`, and the other way round.
    """

    key: str
    unit: str
    places: str
    better: Better
    description: str

    def unit_in(self, currency: str) -> str:
        """The unit with the country's currency, e.g. "PKR/kWh"."""
        if self.unit.startswith(_CURRENCY):
            return f"{currency}/{self.unit.removeprefix(_CURRENCY)}"
        return self.unit


@cache
def _tables() -> Mapping[str, Table]:
    return read_packaged(_FOLDER)


@cache
def significant_standard_errors() -> float:
    """A margin below so many standard errors is not significant. [1]"""
    return parameters_of(_tables()["parameters"])["significant_standard_errors"].value


#: Every metric by its key, in the order of the table.
METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        row["metric"]: Metric(row["metric"], row["unit"], row["place"], row["better"], row["description"])
        for row in _tables()["metrics"]
    }
)
