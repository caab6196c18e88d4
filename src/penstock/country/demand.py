"""Hourly demand of each zone from a pool's monthly energy, day shapes and rooftop solar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from penstock.country.calendar import (
    DAYS_IN_MONTH,
    FIRST_DAY,
    HOURS_IN_MONTH,
    MONTHS,
    Calendar,
    TimeArray,
    middle,
)
from penstock.country.country import Country, FloatArray, Row, Table
from penstock.country.solar import clear_sky_pu
from penstock.errors import Fault

__all__ = ["busbar_demand", "daily_level", "demand_by_zone", "rooftop_level"]

_SATURDAY, _SUNDAY = 5, 6


def demand_by_zone(country: Country, calendar: Calendar, faults: list[Fault]) -> FloatArray:
    """Demand at the busbars net of rooftop solar, shape (8760, zones), zones as in the table. [MW]

    Gross demand = day level (`daily_level` of the monthly gross means) x day shape of the hour, which is
    (1 - winter_share) x summer + winter_share x winter, x the factor of Saturdays and Sundays (parameters
    saturday_demand_factor and sunday_demand_factor, 1 where absent), all scaled by one factor a month so that
    the net energy of the month is the busbar energy of monthly_demand. A pool's net demand is spread over its
    zones by demand_share. Zones with a series in hourly.csv take that instead.

    faults: what cannot be used is added here; the columns that it concerns are 0.
    """
    zones = country.table("zones")
    demand = np.zeros((len(calendar.hours), len(zones)))
    weekly = _weekly_factor(country, calendar, faults)
    for pool in dict.fromkeys(zones.column("pool")):
        places = [place for place, zone in enumerate(zones) if zone["pool"] == pool]
        rows = [zones.rows[place] for place in places]
        if all(f"demand_mw.{row['zone']}" in country.hourly for row in rows):
            continue  # what would be built is not used
        net = _net_demand(country, calendar, pool, rows, weekly, faults)
        # Shares sum to 1 within a tolerance; the month's energy is exact.
        total = math.fsum(row["demand_share"] for row in rows)
        for place, row in zip(places, rows, strict=True):
            demand[:, place] = net * (row["demand_share"] / total)
            if f"demand_mw.{row['zone']}" not in country.hourly:
                _refuse_negative(calendar, row["zone"], demand[:, place], faults)
    for place, zone in enumerate(country.zones):
        if f"demand_mw.{zone}" in country.hourly:
            demand[:, place] = country.hourly[f"demand_mw.{zone}"]
    return demand


def busbar_demand(country: Country, pool: str) -> FloatArray:
    """Energy that reaches the busbars of a pool's zones: generation - exports - losses, shape (12,). [MWh]"""
    rows = {row["month"]: row for row in country.table("monthly_demand").where(pool=pool)}
    found = [rows[month] for month in MONTHS]
    return 1000.0 * np.array(
        [row["generation_gwh"] - row["exports_gwh"] - row["losses_gwh"] for row in found]
    )


def daily_level(monthly_mean: FloatArray) -> FloatArray:
    """A level for each day that joins the months without a step and keeps their means. Shape (365,).

    monthly_mean: mean of the days of each month, shape (12,), in any unit.

    Straight lines through a knot at the middle of each month, December's joined to January's, evaluated at
    the middle of each day; the 12 knots solve the linear system that makes every month's mean exact (Taylor,
    Williamson and Zwiers 2000, PCMDI Report 60). Where the knot or any day of a month would not be positive,
    that month is flat at its mean instead, and the others stay as they are.
    """
    interpolation, averages = _interpolation()
    knots = np.linalg.solve(averages, monthly_mean)
    level: FloatArray = interpolation @ knots
    for month, (first, days) in enumerate(zip(FIRST_DAY, DAYS_IN_MONTH, strict=True)):
        within = slice(first, first + days)
        if knots[month] <= 0.0 or np.any(level[within] <= 0.0):
            level[within] = monthly_mean[month]
    return level


@cache
def _interpolation() -> tuple[FloatArray, FloatArray]:
    """Weights of the knots in each day, shape (365, 12), and in each month's mean, shape (12, 12). [1]"""
    year = sum(DAYS_IN_MONTH)
    middles = np.array(FIRST_DAY) + np.array(DAYS_IN_MONTH) / 2.0
    cyclic = np.concatenate(([middles[-1] - year], middles, [middles[0] + year]))
    unit = np.eye(12)
    ends = np.vstack((unit[-1:], unit, unit[:1]))
    days = np.arange(year) + 0.5
    weights = np.column_stack([np.interp(days, cyclic, ends[:, knot]) for knot in range(12)])
    means = [
        weights[first : first + n].mean(axis=0) for first, n in zip(FIRST_DAY, DAYS_IN_MONTH, strict=True)
    ]
    return weights, np.vstack(means)


def rooftop_level(rows: Table, local: TimeArray) -> FloatArray:
    """Installed rooftop solar at local instants, of the shape of `local`. [MW]

    rows: of the table rooftop_solar for one pool; each level holds at the end of its month. Between month
        ends it is interpolated linearly in time; before the first and after the last it stays.
    local: datetime64 of any unit.
    """
    levels = sorted((np.datetime64(row["as_of"], "M") + 1, row["installed_mw"]) for row in rows)
    ends = np.array([end for end, _ in levels], dtype="datetime64[s]").astype(np.float64)
    installed = np.array([level for _, level in levels], dtype=np.float64)
    return np.interp(local.astype("datetime64[s]").astype(np.float64), ends, installed)


def _weekly_factor(country: Country, calendar: Calendar, faults: list[Fault]) -> FloatArray:
    factor = np.ones(len(calendar.hours))
    for weekday, name in ((_SATURDAY, "saturday_demand_factor"), (_SUNDAY, "sunday_demand_factor")):
        value = _optional(country, name)
        if value is None:
            continue
        if value <= 0.0:
            problem = f"{name} must be greater than 0 [1]"
            mend = "give demand on that day over demand on a working day, like 0.92"
            faults.append(Fault("parameters.csv", problem, mend, column="value", value=f"{value:g}"))
            continue
        factor[calendar.weekday == weekday] = value
    return factor


def _optional(country: Country, name: str) -> float | None:
    if name not in country.table("parameters").column("parameter"):
        return None
    return country.parameter(name).value


def _net_demand(
    country: Country,
    calendar: Calendar,
    pool: str,
    zones: Sequence[Row],
    weekly: FloatArray,
    faults: list[Fault],
) -> FloatArray:
    energy = busbar_demand(country, pool)
    rooftop = _rooftop_output(country, calendar, pool, zones, faults)
    shape = _day_shape(country, calendar, pool)
    slices = [calendar.month_slice(month) for month in MONTHS]
    gross = energy + np.array([np.sum(rooftop[hours]) for hours in slices])
    raw = daily_level(gross / np.array(HOURS_IN_MONTH))[calendar.day] * shape * weekly
    net = np.zeros(len(calendar.hours))
    for month, hours in zip(MONTHS, slices, strict=True):
        total = float(np.sum(raw[hours]))
        if energy[month - 1] < 0.0:
            problem = f"pool {pool}, month {month}: generation less exports and losses is below 0 [GWh]"
            value = f"{energy[month - 1] / 1000.0:g}"
            mend = "correct generation_gwh, exports_gwh or losses_gwh"
            faults.append(Fault("monthly_demand.csv", problem, mend, column="generation_gwh", value=value))
        elif gross[month - 1] > 0.0 and total <= 0.0:
            problem = f"pool {pool}: the day shape of month {month} is 0 in every hour, its demand is not"
            mend = "give a shape with positive hours for each season that has a weight"
            faults.append(Fault("demand_shapes.csv", problem, mend, column="gross_demand_pu"))
        elif gross[month - 1] > 0.0:
            net[hours] = raw[hours] * (gross[month - 1] / total) - rooftop[hours]
    return net


def _day_shape(country: Country, calendar: Calendar, pool: str) -> FloatArray:
    days = {"summer": np.zeros(24), "winter": np.zeros(24)}  # a season without weight may have no rows
    for row in country.table("demand_shapes").where(pool=pool):
        days[row["season"]][row["hour"]] = row["gross_demand_pu"]
    winter = np.zeros(12)
    for row in country.table("monthly_demand").where(pool=pool):
        winter[row["month"] - 1] = row["winter_share"]
    share = winter[calendar.month - 1]
    shape: FloatArray = (1.0 - share) * days["summer"][calendar.local_hour]
    shape += share * days["winter"][calendar.local_hour]
    return shape


def _rooftop_output(
    country: Country, calendar: Calendar, pool: str, zones: Sequence[Row], faults: list[Fault]
) -> FloatArray:
    """Installed level x clear-sky output at the zones, weighted by demand_share, x performance ratio. [MW]"""
    rows = country.table("rooftop_solar").where(pool=pool)
    output = np.zeros(len(calendar.hours))
    if not rows.rows:
        return output
    ratio = _performance_ratio(country, faults)
    total = math.fsum(zone["demand_share"] for zone in zones)
    for zone in zones:
        if zone["demand_share"] > 0.0:
            clear = clear_sky_pu(calendar, zone["latitude"], zone["longitude"])
            output += clear * (zone["demand_share"] / total)
    output *= ratio * rooftop_level(rows, middle(calendar.local))
    return output


def _performance_ratio(country: Country, faults: list[Fault]) -> float:
    name = "rooftop_performance_ratio"
    value = _optional(country, name)
    fault: Fault | None = None
    if value is None:
        problem = f"the parameter {name} [1] is missing: output of rooftop solar over its clear-sky output"
        mend = f"add a row for {name} with its value, unit and source, or remove rooftop_solar.csv"
        fault = Fault("parameters.csv", problem, mend, column="parameter")
    elif not 0.0 <= value <= 1.0:
        problem = f"{name} must be from 0 to 1 [1]"
        fault = Fault("parameters.csv", problem, "write a share: 0.6 for 60 %", None, "value", f"{value:g}")
    if fault is None and value is not None:
        return value
    if fault is not None and fault not in faults:  # once, however many pools need it
        faults.append(fault)
    return 0.0


def _refuse_negative(calendar: Calendar, zone: str, demand: FloatArray, faults: list[Fault]) -> None:
    below = int(np.count_nonzero(demand < 0.0))
    if below == 0:
        return
    worst = int(np.argmin(demand))
    problem = (
        f"zone {zone}: demand net of rooftop solar is below 0 MW in {below:,} hours, lowest in"
        f" {calendar.hours[worst]}:00Z (local {calendar.local[worst]}:00)"
    )
    mend = (
        "correct installed_mw, lower rooftop_performance_ratio in parameters.csv, or raise the daytime hours"
        " of demand_shapes.csv, which are before rooftop solar"
    )
    faults.append(Fault("rooftop_solar.csv", problem, mend, None, "installed_mw", f"{demand[worst]:.3f}"))
