"""The toy country with changes, and its hours: shared by the tests of demand, sun and plants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penstock.country import Country, load_country
from penstock.country.calendar import FIRST_DAY, HOURS_IN_MONTH, MONTHS
from penstock.country.country import FloatArray
from penstock.country.hours import build_hours
from penstock.errors import Fault, InputError
from tests.country.changes import append
from tests.country.toy import (
    Tables,
    toy_tables,
    write_tables,
)

COAL, GAS, HYDRO, WIND, SOLAR = range(5)
Change = Callable[[Tables], object]


def toy_country(tmp_path: Path, *changes: Change) -> Country:
    tables = toy_tables()
    for change in changes:
        change(tables)
    write_tables(tmp_path / "toyland", tables)
    return load_country(tmp_path / "toyland")


def refused(country: Country) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        build_hours(country)
    return caught.value.faults


def set_generation(fuel: str, month: int, gigawatt_hours: str) -> Change:
    def change(tables: Tables) -> None:
        rows = [
            row for row in tables["monthly_generation"] if row["fuel"] == fuel and row["month"] == str(month)
        ]
        assert len(rows) == 1
        rows[0]["generation_gwh"] = gigawatt_hours

    return change


def even_demand(tables: Tables) -> None:
    """700 MW sent out in every hour, nothing lost, no rooftop solar, no day shape."""
    del tables["rooftop_solar"][:]
    for row, hours in zip(tables["monthly_demand"], HOURS_IN_MONTH, strict=True):
        row |= {"generation_gwh": f"{0.7 * hours:.4f}", "losses_gwh": "0"}
    for row in tables["demand_shapes"]:
        row["gross_demand_pu"] = "1"


def add_parameter(name: str, value: str) -> Change:
    return append("parameters", 0, parameter=name, value=value, unit="1")


def add_nuclear(generation: str, must_run: str = "yes") -> Change:
    """Two plants of 92 and 46 MW net, of a fuel that is spread evenly over the month."""

    def change(tables: Tables) -> None:
        append("fuels", 0, fuel="nuclear", name="Nuclear", profile="flat", must_run=must_run)(tables)
        append("plants", COAL, plant="NUC1", fuel="nuclear", installed_mw="100")(tables)
        append("plants", COAL, plant="NUC2", fuel="nuclear", installed_mw="50")(tables)
        for month in MONTHS:
            append("monthly_generation", 0, month=str(month), fuel="nuclear", generation_gwh=generation)(
                tables
            )

    return change


def monthly(series: FloatArray) -> FloatArray:
    """Sum of each local month along the first axis."""
    starts = [24 * day for day in FIRST_DAY]
    return np.add.reduceat(series, starts, axis=0)


def published(country: Country, fuel: str) -> FloatArray:
    """[MWh]"""
    rows = country.table("monthly_generation").where(fuel=fuel)
    return 1000.0 * np.array([row["generation_gwh"] for row in rows])
