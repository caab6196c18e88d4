"""Hourly limits of every plant from published monthly energy, shapes, the sun and capacity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.country.calendar import HOURS_IN_MONTH, MONTHS, Calendar
from penstock.country.capacity import availability, in_service, minimum_share, net_capacity_or_faults
from penstock.country.country import Country, FloatArray
from penstock.country.fill import FILL_TOLERANCE, reachable, water_fill
from penstock.country.solar import clear_sky_pu
from penstock.errors import Fault

__all__ = ["Generation", "build_generation"]


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """Limits of each plant, plants as in the table.

    available, minimum: shape (8760, plants). [MW]
    hydro_energy: energy of each hydro plant in each month, 0 for others, shape (12, plants). [MWh]
    """

    available: FloatArray
    minimum: FloatArray
    hydro_energy: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Fleet:
    """What the builders share. Arrays over plants; running: (12, plants)."""

    country: Country
    calendar: Calendar
    profile: dict[str, str]
    installed: FloatArray
    net: FloatArray
    up: FloatArray
    running: npt.NDArray[np.bool_]


def build_generation(country: Country, calendar: Calendar, faults: list[Fault]) -> Generation:
    """Hourly limits of every plant.

    By the profile of the fuel; pools, months and plants are those in service from first_month to last_month:

    - dispatched: available = net capacity x (1 - forced - planned outage rate); minimum 0.
    - solar, wind: the published energy of pool, fuel and month by `water_fill`: output of a plant in an hour
      = min(f x installed_mw x shape, net capacity) with one factor f a month. Shape: `clear_sky_pu` at the
      plant, or wind_shapes by local hour.
    - flat: the published energy over the hours of the month, in proportion to net capacity.
    - hydro: the published energy over the plants by `water_fill` with the weight net capacity x utilisation
      of the plant's shape in the month, and the limit net capacity x (1 - outage rates) x hours. Without
      storage the plant is flat in the month at its energy. With storage available = net capacity x
      (1 - outage rates), minimum = minimum_output_pu x the month's mean, and the energy binds over the month.

    Solar, wind, flat and hydro without storage of a must-run fuel have minimum = available, else 0.

    faults: energy that the plants cannot give, and rates that are missing, are added here.
    """
    fleet = _fleet(country, calendar, faults)
    least = minimum_share(country, faults)
    shape = (len(calendar.hours), len(fleet.net))
    available = np.zeros(shape)
    hydro_energy = np.zeros((12, len(fleet.net)))
    plants = country.table("plants")
    profile_of = [fleet.profile[fuel] for fuel in plants.column("fuel")]
    for month in MONTHS:
        dispatched = np.array([profile == "dispatched" for profile in profile_of]) & fleet.running[month - 1]
        available[calendar.month_slice(month), dispatched] = (fleet.net * fleet.up)[dispatched]
    for pool, fuel in _published_pairs(fleet):
        places = [
            place for place, plant in enumerate(plants) if plant["pool"] == pool and plant["fuel"] == fuel
        ]
        _spread(fleet, pool, fuel, np.array(places, dtype=np.intp), available, hydro_energy, faults)
    minimum = np.zeros(shape)
    must_run = {row["fuel"]: row["must_run"] for row in country.table("fuels")}
    for place, plant in enumerate(plants):
        if profile_of[place] == "hydro" and plant["storage"]:
            for month, hours in enumerate(HOURS_IN_MONTH):
                mean = hydro_energy[month, place] / hours
                within = calendar.month_slice(month + 1)
                minimum[within, place] = least[place] * mean
                available[within, place] = fleet.net[place] * fleet.up[place] * fleet.running[month, place]
        elif profile_of[place] != "dispatched" and must_run[plant["fuel"]]:
            minimum[:, place] = available[:, place]
    # The mean of a month may exceed the limit that it was filled up to by a rounding error.
    return Generation(available, np.minimum(minimum, available), hydro_energy)


def _fleet(country: Country, calendar: Calendar, faults: list[Fault]) -> _Fleet:
    plants = country.table("plants")
    return _Fleet(
        country=country,
        calendar=calendar,
        profile={row["fuel"]: row["profile"] for row in country.table("fuels")},
        installed=np.array(plants.column("installed_mw"), dtype=np.float64),
        net=net_capacity_or_faults(country, faults),
        up=availability(country, faults),
        running=in_service(country),
    )


def _published_pairs(fleet: _Fleet) -> list[tuple[str, str]]:
    """Pool and fuel of all published energy that is spread over hours, each once."""
    tables = (fleet.country.table("plants"), fleet.country.table("monthly_generation"))
    pairs = dict.fromkeys((row["pool"], row["fuel"]) for table in tables for row in table)
    return [pair for pair in pairs if fleet.profile[pair[1]] != "dispatched"]


def _spread(
    fleet: _Fleet,
    pool: str,
    fuel: str,
    places: npt.NDArray[np.intp],
    available: FloatArray,
    hydro_energy: FloatArray,
    faults: list[Fault],
) -> None:
    """Fills the columns of a pool's plants of one fuel, month by month."""
    rows = {
        row["month"]: row for row in fleet.country.table("monthly_generation").where(pool=pool, fuel=fuel)
    }
    hourly = fleet.profile[fuel] in ("solar", "wind")
    shapes = _hour_shapes(fleet, fuel, places) if hourly else _utilisation(fleet, fuel, places)
    for month in MONTHS:
        energy = 1000.0 * rows[month]["generation_gwh"] if month in rows else 0.0
        hours = fleet.calendar.month_slice(month)
        count = HOURS_IN_MONTH[month - 1]
        running = fleet.running[month - 1, places]
        if hourly:
            weight = shapes[hours] * fleet.installed[places] * running
            limit = np.broadcast_to(fleet.net[places], weight.shape)
        else:
            weight = shapes[month - 1] * fleet.net[places] * running
            limit = fleet.net[places] * fleet.up[places] * count
        most = reachable(weight, limit)
        if energy > most * (1.0 + FILL_TOLERANCE):
            faults.append(_too_much(pool, fuel, month, energy, most))
            continue
        filled = water_fill(weight, limit, energy)
        available[hours, places] = filled if hourly else filled / count
        if fleet.profile[fuel] == "hydro":
            hydro_energy[month - 1, places] = filled


def _hour_shapes(fleet: _Fleet, fuel: str, places: npt.NDArray[np.intp]) -> FloatArray:
    """Relative output of each plant in each hour, shape (8760, places). [1]"""
    calendar = fleet.calendar
    shapes = np.zeros((len(calendar.hours), len(places)))
    if fleet.profile[fuel] == "wind":
        relative = np.zeros((12, 24))
        for row in fleet.country.table("wind_shapes"):
            relative[row["month"] - 1, row["hour"]] = row["output_pu"]
        shapes[:] = relative[calendar.month - 1, calendar.local_hour][:, np.newaxis]
        return shapes
    plants = fleet.country.table("plants").rows
    for column, place in enumerate(places):
        shapes[:, column] = clear_sky_pu(calendar, plants[place]["latitude"], plants[place]["longitude"])
    return shapes


def _utilisation(fleet: _Fleet, fuel: str, places: npt.NDArray[np.intp]) -> FloatArray:
    """Energy over capacity times hours by month, shape (12, places); 1 for a flat fuel. [1]"""
    shapes = np.ones((12, len(places)))
    if fleet.profile[fuel] == "hydro":
        plants = fleet.country.table("plants").rows
        for column, place in enumerate(places):
            for row in fleet.country.table("hydro_shapes").where(shape=plants[place]["hydro_shape"]):
                shapes[row["month"] - 1, column] = row["utilisation_pu"]
    return shapes


def _too_much(pool: str, fuel: str, month: int, energy: float, most: float) -> Fault:
    return Fault(
        place="monthly_generation.csv",
        column="generation_gwh",
        value=f"{energy / 1000.0:g}",
        problem=f"pool {pool}, fuel {fuel}, month {month}: {energy / 1000.0:.3f} GWh are published, and its"
        f" plants in service can give at most {most / 1000.0:.3f} GWh",
        mend="correct the energy, or the capacity, outages and months of these plants; for hydro also the"
        " shapes, where a utilisation of 0 means no water",
    )
