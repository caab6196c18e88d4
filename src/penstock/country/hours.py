"""A country's study year hour by hour: demand of zones and limits of plants, from its monthly facts."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from penstock.country.calendar import HOURS_IN_MONTH, MONTHS, Calendar, IntArray, TimeArray, build_calendar
from penstock.country.capacity import net_capacity
from penstock.country.country import Country, FloatArray
from penstock.country.demand import demand_by_zone
from penstock.country.fill import FILL_TOLERANCE
from penstock.country.generation import Generation, build_generation
from penstock.country.neighbours import check_external
from penstock.errors import Fault, InputError

__all__ = ["Hours", "build_hours", "net_capacity"]


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """The hours of a study year; every array is read-only.

    hours: start of the hour in UTC, datetime64[h], shape (8760,).
    month: local month, 1 to 12, shape (8760,).
    local_hour: local hour of the day, 0 to 23, shape (8760,).
    demand: at the busbars net of rooftop solar, shape (8760, zones), zones as in the table. [MW]
    available: most that a plant sends out, shape (8760, plants), plants as in the table. [MW]
    minimum: least that it sends out, same shape, never above `available`. [MW]
    hydro_energy: energy of each hydro plant in each local month, 0 for others, shape (12, plants). [MWh]
    """

    hours: TimeArray
    month: IntArray
    local_hour: IntArray
    demand: FloatArray
    available: FloatArray
    minimum: FloatArray
    hydro_energy: FloatArray

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).setflags(write=False)


def build_hours(country: Country) -> Hours:
    """The hours of a country's study year: its local calendar year without 29 February.

    How demand is made: `demand.demand_by_zone`. How plants are: `generation.build_generation`. A series of
    hourly.csv replaces what would be built. The energy of a hydro plant whose availability is given so is the
    series' own by month where it has no storage; where it has, the built energy stays and must fit below.

    Raises InputError, with every fault found, where a rate or a parameter is missing, where published energy
    of a month exceeds what the plants can give, where demand net of rooftop solar falls below 0, and where
    the plant of an external zone is too small for its price to hold.
    """
    faults: list[Fault] = []
    calendar = build_calendar(country.year, country.utc_offset_hours)
    demand = demand_by_zone(country, calendar, faults)
    generation = build_generation(country, calendar, faults)
    _take_given(country, calendar, generation, faults)
    check_external(country, demand, generation.available, faults)
    if faults:
        raise InputError(faults)
    return Hours(
        hours=calendar.hours,
        month=calendar.month,
        local_hour=calendar.local_hour,
        demand=demand,
        available=generation.available,
        minimum=generation.minimum,
        hydro_energy=generation.hydro_energy,
    )


def _take_given(country: Country, calendar: Calendar, generation: Generation, faults: list[Fault]) -> None:
    """Puts the series of hourly.csv in the place of what was built."""
    profiles = {row["fuel"]: row["profile"] for row in country.table("fuels")}
    for place, plant in enumerate(country.table("plants")):
        column = f"available_mw.{plant['plant']}"
        if column not in country.hourly:
            continue
        given = country.hourly[column]
        generation.available[:, place] = given
        generation.minimum[:, place] = np.minimum(generation.minimum[:, place], given)
        if profiles[plant["fuel"]] != "hydro":
            continue
        for month in MONTHS:
            most = float(np.sum(given[calendar.month_slice(month)]))
            if not plant["storage"]:
                generation.hydro_energy[month - 1, place] = most
            elif generation.hydro_energy[month - 1, place] > most * (1.0 + FILL_TOLERANCE):
                energy = generation.hydro_energy[month - 1, place]
                mean = energy / HOURS_IN_MONTH[month - 1]
                problem = (
                    f"month {month}: the series allows {most / 1000.0:.3f} GWh, and the plant's share of the"
                    f" published hydro energy is {energy / 1000.0:.3f} GWh (mean {mean:.3f} MW)"
                )
                mend = "raise the series, or correct monthly_generation.csv and hydro_shapes.csv"
                faults.append(Fault("hourly.csv", problem, mend, column=column))
