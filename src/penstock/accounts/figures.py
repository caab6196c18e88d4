"""Published figures beside what the model gives for them, each by its own selectors: data, not keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from penstock.country import Country
from penstock.country.calendar import IntArray
from penstock.country.country import Row
from penstock.market import Clearing, hour_series
from penstock.market.system import BoolArray, FloatArray

from .trade import home_mask, home_plants, trade_of
from .validation import pool_generation

__all__ = ["LOSS_SHARE", "SYSTEM_CHARGE", "compare_figures"]

#: Optional parameters: share of what is sent out that the grid loses before it is counted as demand [1], and
#: what the wholesale settlement adds to the marginal price [USD/MWh].
LOSS_SHARE = "transmission_loss_share"
SYSTEM_CHARGE = "system_charge_usd_per_mwh"
_MWH_PER_GWH = 1000.0
_KWH_PER_MWH = 1000.0
_PER_MILLION = 1e6
_PER_BN = 1e9


def compare_figures(
    country: Country, clearing: Clearing, month: IntArray, local_hour: IntArray
) -> list[dict[str, Any]]:
    """Every row of the table `published` with what the model gives for it; None where it has none.

    within: whether the model comes within `limit`, a share of the published value; None where there is no
    limit, or nothing to hold against it.
    """
    year = _Year(country, clearing, month, local_hour)
    return [_beside(row, year) for row in country.table("published")]


def _beside(row: Row, year: _Year) -> dict[str, Any]:
    model = None if row["metric"] is None else METRICS[row["metric"]](_Selected(row, year))
    published, limit = row["value"], row["limit"]
    within = None
    if model is not None and limit is not None:
        within = bool(abs(model - published) <= limit * abs(published))
    return {
        "figure": row["figure"],
        "name": row["name"] or row["figure"].replace("_", " "),
        "metric": row["metric"],
        "model": model,
        "published": published,
        "low": row["low"],
        "high": row["high"],
        "unit": row["unit"],
        "limit": limit,
        "within": within,
        "input": bool(row["input"]),
        "note": row["note"] or "",
    }


class _Year:
    """A cleared year with what several figures need."""

    def __init__(self, country: Country, clearing: Clearing, month: IntArray, hour: IntArray) -> None:
        self.country, self.clearing, self.month, self.hour = country, clearing, month, hour
        self.pools: set[str] = set(country.table("monthly_generation").column("pool"))

    @cached_property
    def energy(self) -> dict[tuple[str, str], FloatArray]:
        """By pool and fuel, each local month, shape (12,). [GWh]"""
        return pool_generation(self.country, self.clearing, self.month)


@dataclass(frozen=True)
class _Selected:
    """One published figure: what it picks out of the year."""

    row: Row
    year: _Year

    @property
    def country(self) -> Country:
        return self.year.country

    @property
    def clearing(self) -> Clearing:
        return self.year.clearing

    @cached_property
    def months(self) -> tuple[int, ...]:
        return tuple(int(text) for text in (self.row["months"] or "").split()) or tuple(range(1, 13))

    @cached_property
    def hours(self) -> BoolArray:
        """Whether an hour counts, shape (hours,)."""
        chosen = np.isin(self.year.month, self.months)
        if self.row["hour_from"] is not None:
            chosen &= (self.year.hour >= self.row["hour_from"]) & (self.year.hour < self.row["hour_to"])
        return np.asarray(chosen)

    @cached_property
    def pools(self) -> set[str]:
        """The pool that is named, or those with published generation."""
        return self.year.pools if self.row["pool"] is None else {self.row["pool"]}

    @cached_property
    def zones(self) -> BoolArray:
        """The zone that is named, or the country's own of the pool that is named, shape (zones,)."""
        rows = self.country.table("zones")
        chosen = home_mask(self.country)
        for index, row in enumerate(rows):
            if self.row["zone"] not in (None, row["zone"]) or self.row["pool"] not in (None, row["pool"]):
                chosen[index] = False
        return chosen

    @cached_property
    def demand(self) -> FloatArray:
        """Firm demand of the zones that is served, as it is counted behind the grid, shape (hours,). [MW]"""
        served = np.asarray(self.clearing.system.demand) - self.clearing.unserved
        kept = 1.0 - self.country.parameter_or(LOSS_SHARE, 0.0)
        return np.asarray(served[:, self.zones].sum(axis=1) * kept)

    def sent_to(self, zones: BoolArray) -> FloatArray:
        """What is sent to some zones from all others, shape (hours,). [MW]"""
        inside = {zone for zone, chosen in zip(self.country.zones, zones, strict=True) if chosen}
        forward, backward = self.clearing.sent()
        total = np.zeros(len(self.hours))
        for index, corridor in enumerate(self.clearing.system.corridors):
            ends = corridor.from_zone in inside, corridor.to_zone in inside
            if ends[0] != ends[1]:
                total += (forward if ends[1] else backward)[:, index]
        return total

    @cached_property
    def load(self) -> FloatArray:
        """What the published pools carry: their demand and what the country's others draw. [MW]"""
        home, pools = home_mask(self.country), self.country.table("zones").column("pool")
        inside = home & np.array([pool in self.year.pools for pool in pools])
        demand = np.asarray(self.clearing.system.demand)[:, inside].sum(axis=1)
        return np.asarray(demand + self.sent_to(home & ~inside))


def _generation(chosen: _Selected) -> float:
    fuel = chosen.row["fuel"]
    months = [number - 1 for number in chosen.months]
    return sum(
        float(energy[months].sum())
        for (pool, burnt), energy in chosen.year.energy.items()
        if pool in chosen.pools and fuel in (None, burnt)
    )


def _mean_price(chosen: _Selected) -> float:
    """Weighted by the zones' demand. [USD/MWh]"""
    hours, zones = chosen.hours, chosen.zones
    weight = np.asarray(chosen.clearing.system.demand)[hours][:, zones]
    return float(np.average(chosen.clearing.price[hours][:, zones], weights=weight))


def _settlement_price(chosen: _Selected) -> float:
    return _mean_price(chosen) + chosen.country.parameter_or(SYSTEM_CHARGE, 0.0)


def _corridor_mean_flow(chosen: _Selected) -> float:
    corridors = chosen.country.table("corridors").column("corridor")
    picked = [index for index, key in enumerate(corridors) if chosen.row["corridor"] in (None, key)]
    return float(chosen.clearing.flow[chosen.hours][:, picked].sum(axis=1).mean())


def _traded(part: str, divisor: float) -> Callable[[_Selected], float]:
    def of(chosen: _Selected) -> float:
        trade = trade_of(chosen.country, chosen.clearing)
        return float(getattr(trade, part)[chosen.hours].sum()) / divisor

    return of


def _payments(country: Country) -> float:
    """Capacity payments of the year. [currency]"""
    return float(sum(row["amount_bn"] for row in country.table("capacity_payments"))) * _PER_BN


def _capacity_payment_per_kwh(chosen: _Selected) -> float:
    return _payments(chosen.country) / (_generation(chosen) * _MWH_PER_GWH * _KWH_PER_MWH)


def _thermal_utilisation(chosen: _Selected) -> float:
    """Energy of dispatched plants over installed capacity times hours. [percent]"""
    dispatched = {row["fuel"] for row in chosen.country.table("fuels") if row["profile"] == "dispatched"}
    own = home_plants(chosen.country)
    energy = capacity = 0.0
    for index, row in enumerate(chosen.country.table("plants")):
        if own[index] and row["fuel"] in dispatched and row["pool"] in chosen.pools:
            energy += float(chosen.clearing.dispatch[chosen.hours, index].sum())
            capacity += row["installed_mw"] * int(chosen.hours.sum())
    return 100.0 * energy / capacity if capacity else 0.0


def _basket_fuel_cost(chosen: _Selected) -> float:
    """Average fuel cost of the pools in these months, as billed. [currency/kWh]"""
    bills = [_basket_bill(chosen, number) for number in chosen.months]
    energy = sum(mwh for _, mwh in bills)
    return sum(cost for cost, _ in bills) / energy if energy else 0.0


def _purchase_price(chosen: _Selected) -> float:
    """The same of the year, with its capacity payments. [currency/kWh]"""
    fuel = sum(_basket_bill(chosen, number)[0] for number in chosen.months)
    return (fuel + _payments(chosen.country) / _KWH_PER_MWH) / (_generation(chosen) * _MWH_PER_GWH)


def _basket_bill(chosen: _Selected, number: int) -> tuple[float, float]:
    """Fuel bill and energy of the pools in one month. [thousand currency, MWh]

    The modelled mix at each fuel's billed average of that month, so that it is the mix which is tested; at
    marginal cost where no billed average was printed.
    """
    country, clearing = chosen.country, chosen.clearing
    billed = {
        (row["pool"], row["fuel"]): row["billed_fuel_cost_per_kwh"]
        for row in country.table("monthly_generation").where(month=number)
    }
    hours = chosen.year.month == number
    to_currency = country.usd_rate / _KWH_PER_MWH
    cost = energy = 0.0
    for index, row in enumerate(country.table("plants")):
        if row["pool"] not in chosen.pools:
            continue
        output = clearing.dispatch[hours, index]
        average = billed.get((row["pool"], row["fuel"]))
        if average is not None:
            cost += float(output.sum()) * average
        else:
            marginal = hour_series(clearing.system.plants[index].cost, clearing.system.hour_count)[hours]
            cost += float(output @ marginal) * to_currency
        energy += float(output.sum())
    return cost, energy


#: What the model gives for each metric of the table, in the unit of its rows.
METRICS: Mapping[str, Callable[[_Selected], float]] = MappingProxyType(
    {
        "generation": _generation,
        "demand": lambda chosen: float(chosen.demand[chosen.hours].sum()) / _MWH_PER_GWH,
        "peak_demand": lambda chosen: float(chosen.demand[chosen.hours].max()),
        "mean_load": lambda chosen: float(chosen.load[chosen.hours].mean()),
        "minimum_load": lambda chosen: float(chosen.load[chosen.hours].min()),
        "mean_price": _mean_price,
        "settlement_price": _settlement_price,
        "corridor_mean_flow": _corridor_mean_flow,
        "mean_import": lambda chosen: float(chosen.sent_to(chosen.zones)[chosen.hours].mean()),
        "imports": _traded("imports", _MWH_PER_GWH),
        "exports": _traded("exports", _MWH_PER_GWH),
        "import_cost": _traded("import_cost", _PER_MILLION),
        "export_income": _traded("export_income", _PER_MILLION),
        "thermal_utilisation": _thermal_utilisation,
        "capacity_payment_per_kwh": _capacity_payment_per_kwh,
        "purchase_price": _purchase_price,
        "basket_fuel_cost": _basket_fuel_cost,
    }
)
