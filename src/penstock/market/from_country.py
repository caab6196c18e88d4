"""A country's facts and hours -> the system that is cleared."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from penstock.country import Country
from penstock.country.hours import Hours, net_capacity

from .system import Corridor, EnergyBudget, FloatArray, Plant, System

__all__ = ["build_system", "marginal_costs"]

_KWH_PER_MWH = 1000.0
_MWH_PER_GWH = 1000.0


def marginal_costs(country: Country) -> FloatArray:
    """Marginal fuel cost of every plant, shape (plants,). [USD/MWh]

    The published cost in the country's currency per kWh at the country's one exchange rate. It holds where
    `plant_months` has no other for the month.
    """
    costs = np.array(country.table("plants").column("fuel_cost_per_kwh"), dtype=np.float64)
    return costs * _KWH_PER_MWH / country.usd_rate


def _hourly_cost(country: Country, hours: Hours, plant: str, cost: float) -> float | FloatArray:
    """A plant's cost, as one number, or by the hour where a month has another. [USD/MWh]"""
    rows = country.table("plant_months").where(plant=plant)
    if not len(rows):
        return cost
    hourly = np.full(len(hours.hours), cost)
    for row in rows:
        hourly[hours.month == row["month"]] = row["fuel_cost_per_kwh"] * _KWH_PER_MWH / country.usd_rate
    return hourly


def build_system(
    country: Country,
    hours: Hours,
    *,
    without_contracts: Collection[str] = (),
    minimum_shares: dict[str, float] | None = None,
) -> System:
    """The country's market year.

    hours: as built by `build_hours(country)`.
    without_contracts: keys of contracts to leave out (variants).
    minimum_shares: another minimum share for a contract, by its key (variants). [1]
    """
    fuels = {row["fuel"]: row for row in country.table("fuels")}
    plants = []
    for index, (row, cost) in enumerate(zip(country.table("plants"), marginal_costs(country), strict=True)):
        fuel = fuels[row["fuel"]]
        plants.append(
            Plant(
                name=row["plant"],
                zone=row["zone"],
                cost=_hourly_cost(country, hours, row["plant"], float(cost)),
                available=hours.available[:, index],
                minimum=hours.minimum[:, index],
                curtailable=fuel["profile"] != "dispatched" and not fuel["must_run"] and not row["storage"],
            )
        )
    contracts = [row for row in country.table("contracts") if row["contract"] not in without_contracts]
    budgets = [*_release_budgets(country, hours)]
    for row in contracts:
        budgets.append(_contract_budget(country, hours, dict(row), minimum_shares or {}))
    return System(
        hours=hours.hours,
        zones=country.zones,
        demand=hours.demand,
        value_of_lost_load=country.parameter("value_of_lost_load_usd_per_mwh").value,
        plants=tuple(plants),
        corridors=_corridors(country, hours),
        budgets=tuple(budgets),
    )


def _corridors(country: Country, hours: Hours) -> tuple[Corridor, ...]:
    corridors = []
    for row in country.table("corridors"):
        limit = np.full(len(hours.hours), row["forward_mw"])
        for month in country.table("corridor_months").where(corridor=row["corridor"]):
            limit[hours.month == month["month"]] = month["forward_mw"]
        corridors.append(
            Corridor(
                name=row["corridor"],
                from_zone=row["from_zone"],
                to_zone=row["to_zone"],
                forward_limit=limit,
                backward_limit=row["backward_mw"],
                loss=row["loss_share"],
                cost=(row["cost_per_kwh"] or 0.0) * _KWH_PER_MWH / country.usd_rate,
            )
        )
    return tuple(corridors)


def _release_budgets(country: Country, hours: Hours) -> list[EnergyBudget]:
    """Reservoirs: the month's energy may move between its hours and may be spilled, never exceeded."""
    months = hours.month - 1
    return [
        EnergyBudget(
            name=f"release of {row['plant']}",
            members=(row["plant"],),
            period=months,
            minimum=np.full(12, -np.inf),
            maximum=np.asarray(hours.hydro_energy)[:, index],
        )
        for index, row in enumerate(country.table("plants"))
        if row["storage"]
    ]


def _contract_budget(
    country: Country, hours: Hours, contract: dict[str, object], shares: dict[str, float]
) -> EnergyBudget:
    """A contract's least and most energy; a yearly amount over months is shared by their hours."""
    members = tuple(str(contract["plants"]).split())
    period = hours.month - 1 if contract["period"] == "month" else np.zeros(len(hours.hours), dtype=np.int64)
    length = np.bincount(period).astype(np.float64)
    capacity = dict(zip(country.table("plants").column("plant"), net_capacity(country), strict=True))
    minimum = np.full(len(length), -np.inf)
    maximum = np.full(len(length), np.inf)
    share = shares.get(str(contract["contract"]), contract["minimum_share"])
    if isinstance(share, float):
        in_service = np.zeros(len(hours.hours))
        for name in members:
            plant = country.table("plants").one(plant=name)
            runs = (hours.month >= plant["first_month"]) & (hours.month <= plant["last_month"])
            in_service += capacity[name] * runs
        minimum = share * np.bincount(period, in_service)
    if isinstance(contract["minimum_gwh"], float):
        minimum = contract["minimum_gwh"] * _MWH_PER_GWH * length / length.sum()
    if isinstance(contract["maximum_gwh"], float):
        maximum = contract["maximum_gwh"] * _MWH_PER_GWH * length / length.sum()
    return EnergyBudget(str(contract["contract"]), members, period, minimum, maximum)
