"""Serving: how the power of machines that answer users moves over the day."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from penstock.errors import CentreError, Fault

from .compute_tables import compute_tables, compute_values

__all__ = ["serving_demand", "serving_power"]

_COLUMNS = {"value": "demand_pu", "low": "low", "high": "high"}


@cache
def serving_demand(case: Literal["value", "low", "high"] = "value") -> tuple[float, ...]:
    """Demand of users by local hour, 24 numbers, relative to the highest hour. [1]

    Requests for help with code at a large service in May 2024, moved so that the highest hour of its users,
    most of them in America, falls at 14:00. That assumes that all users of the centre
    live in its own time zone.

    case: "value"; "low", the same service on working days; "high", 1 in every hour: users all over the world.

    Raises CentreError for another case.
    """
    if case not in _COLUMNS:
        raise CentreError(Fault("case", "must be value, low or high", "give one of them", value=str(case)))
    rows = sorted(compute_tables()["serving_shape"], key=lambda row: int(row["hour"]))
    return tuple(float(row[_COLUMNS[case]]) for row in rows)


def serving_power(
    case: Literal["value", "low", "high"] = "value", *, values: Mapping[str, float] | None = None
) -> tuple[float, ...]:
    """IT power of serving by local hour, 24 numbers, relative to the highest hour. [1]

    The machines stay on at night, ready for a request. With i the power of a waiting node per power of one at
    work (`idle_power_share`) and d the demand, power = i + (1 − i)·d.

    values: values in place of those of the parameters, by name.
    """
    idle = compute_values(values)["idle_power_share"]
    return tuple(idle + (1.0 - idle) * demand for demand in serving_demand(case))
