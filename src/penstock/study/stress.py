"""Named stress years: the same year, harder, by the factors of the country's table `stress_years`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from penstock.errors import Fault, InputError
from penstock.market.from_country import build_system

from .prepared import Prepared

__all__ = ["stress_name", "stressed"]


def stressed(prepared: Prepared, stress: str) -> Prepared:
    """The year under a stress: its rows multiply demand of the home zones, or energy of a fuel, by month.

    Of a fuel with published energy its hours change, of reservoirs the month's energy and the least release.

    Raises InputError for a stress that the country does not name, and for a fuel that the market dispatches.
    """
    country, hours = prepared.country, prepared.hours
    rows = country.table("stress_years").where(stress=stress)
    if not rows.rows:
        known = ", ".join(dict.fromkeys(country.table("stress_years").column("stress"))) or "none"
        raise InputError(
            Fault(
                "stress_years.csv",
                f"is no stress year of {country.name}; there are: {known}",
                "use one of them, or add its rows",
                column="stress",
                value=stress,
            )
        )
    profiles = {row["fuel"]: row["profile"] for row in country.table("fuels")}
    faults = [
        Fault(
            "stress_years.csv",
            "the market dispatches this fuel: it has no published energy to change",
            "name a fuel with published energy",
            column="fuel",
            value=str(row["fuel"]),
        )
        for row in rows
        if row["what"] == "generation" and profiles.get(row["fuel"]) in (None, "dispatched")
    ]
    if faults:
        raise InputError(faults)
    demand, available = np.array(hours.demand), np.array(hours.available)
    minimum, energy = np.array(hours.minimum), np.array(hours.hydro_energy)
    home = [country.zones.index(zone) for zone in country.home_zones]
    for row in rows:
        within = (hours.month >= row["first_month"]) & (hours.month <= row["last_month"])
        months = slice(row["first_month"] - 1, row["last_month"])
        if row["what"] == "demand":
            demand[np.ix_(within, home)] *= row["factor"]
            continue
        for index, plant in enumerate(country.table("plants")):
            if plant["fuel"] != row["fuel"]:
                continue
            minimum[within, index] *= row["factor"]
            energy[months, index] *= row["factor"]
            if not plant["storage"]:
                available[within, index] *= row["factor"]
    minimum = np.minimum(minimum, available)
    harder = replace(hours, demand=demand, available=available, minimum=minimum, hydro_energy=energy)
    return replace(prepared, hours=harder, system=build_system(country, harder))


def stress_name(prepared: Prepared, stress: str) -> str:
    """The name of a stress year, as shown."""
    return str(prepared.country.table("stress_years").where(stress=stress).rows[0]["name"])
