"""The model beside published figures: differences with their limits, never bent to fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.country import Country
from penstock.country.calendar import IntArray
from penstock.market import Clearing
from penstock.market.system import FloatArray

__all__ = ["compare_energy", "compare_figures", "compare_fuels", "compare_months", "pool_generation"]

#: A fuel above this is held to a share of it, a smaller one to an amount. [GWh]
LARGE_FUEL_GWH = 5000.0
LARGE_FUEL_SHARE = 0.10
SMALL_FUEL_GWH = 500.0
#: Served energy of a month against the published total. [1]
MONTH_SHARE = 0.01
_MWH_PER_GWH = 1000.0
_KWH_PER_MWH = 1000.0


def pool_generation(
    country: Country, clearing: Clearing, month: IntArray
) -> dict[tuple[str, str], FloatArray]:
    """Energy by pool and fuel in each local month, shape (12,). [GWh]"""
    result: dict[tuple[str, str], FloatArray] = {}
    for index, row in enumerate(country.table("plants")):
        key = (row["pool"], row["fuel"])
        energy = np.bincount(month - 1, clearing.dispatch[:, index], minlength=12) / _MWH_PER_GWH
        result[key] = result[key] + energy if key in result else energy
    return result


def _published(country: Country) -> dict[tuple[str, str], FloatArray]:
    result: dict[tuple[str, str], FloatArray] = {}
    for row in country.table("monthly_generation"):
        months = result.setdefault((row["pool"], row["fuel"]), np.zeros(12))
        months[row["month"] - 1] = row["generation_gwh"]
    return result


def compare_fuels(country: Country, modelled: Mapping[tuple[str, str], FloatArray]) -> list[dict[str, Any]]:
    """Each published fuel's year: within 10 % where it is above 5 TWh, within 0.5 TWh where it is not.

    `input` marks fuels whose energy the model is given, by the month or by a contract: they are no test.
    """
    names = {row["fuel"]: row for row in country.table("fuels")}
    rows = []
    for (pool, fuel), months in _published(country).items():
        published = float(months.sum())
        model = float(modelled[pool, fuel].sum()) if (pool, fuel) in modelled else 0.0
        limit = LARGE_FUEL_SHARE * published if published > LARGE_FUEL_GWH else SMALL_FUEL_GWH
        rows.append(
            {
                "fuel": fuel,
                "name": names[fuel]["name"],
                "pool": pool,
                "model_gwh": model,
                "published_gwh": published,
                "difference_gwh": model - published,
                "difference_pct": (model / published - 1.0) * 100.0 if published else None,
                "limit": "10 %" if published > LARGE_FUEL_GWH else "500 GWh",
                "within": abs(model - published) <= limit,
                "input": names[fuel]["profile"] != "dispatched" or _ordered(country, pool, fuel),
            }
        )
    return rows


def _ordered(country: Country, pool: str, fuel: str) -> bool:
    """True where one contract for local reliability holds all plants of a fuel: it sets their energy."""
    plants = {row["plant"] for row in country.table("plants").where(pool=pool, fuel=fuel)}
    contracts = country.table("contracts").where(kind="local_reliability")
    return bool(plants) and any(plants <= set(row["plants"].split()) for row in contracts)


def compare_months(country: Country, modelled: Mapping[tuple[str, str], FloatArray]) -> list[dict[str, Any]]:
    """Each published fuel and month. [GWh]"""
    return [
        {
            "month": month + 1,
            "fuel": fuel,
            "model_gwh": float(modelled[pool, fuel][month]) if (pool, fuel) in modelled else 0.0,
            "published_gwh": float(months[month]),
        }
        for (pool, fuel), months in _published(country).items()
        for month in range(12)
    ]


def compare_energy(country: Country, modelled: Mapping[tuple[str, str], FloatArray]) -> list[dict[str, Any]]:
    """Energy that the published pools sent out, by month, held to 1 % of the published total."""
    published = _published(country)
    pools = {pool for pool, _ in published}
    want = sum(published.values(), np.zeros(12))
    have = sum((months for (pool, _), months in modelled.items() if pool in pools), np.zeros(12))
    return [
        {
            "month": month + 1,
            "model_gwh": float(have[month]),
            "published_gwh": float(want[month]),
            "difference_pct": float(have[month] / want[month] - 1.0) * 100.0,
            "within": bool(abs(have[month] / want[month] - 1.0) <= MONTH_SHARE),
        }
        for month in range(12)
        if want[month] > 0
    ]


def compare_figures(
    country: Country, clearing: Clearing, month: IntArray, local_hour: IntArray
) -> list[dict[str, Any]]:
    """Every row of the table `published` with what the model gives for it; None where it has none."""
    model = _figures(country, clearing, month, local_hour)
    return [
        {
            "figure": row["figure"],
            "model": model.get(row["figure"]),
            "published": row["value"],
            "low": row["low"],
            "high": row["high"],
            "unit": row["unit"],
            "note": row["note"] or "",
        }
        for row in country.table("published")
    ]


def _figures(country: Country, clearing: Clearing, month: IntArray, hour: IntArray) -> dict[str, float]:
    """What the model gives for the figures it can be held against, by the figure's key."""
    system = clearing.system
    pools = country.table("zones").column("pool")
    published = {row["pool"] for row in country.table("monthly_generation")}
    inside = [index for index, pool in enumerate(pools) if pool in published]
    imports = [
        index
        for index, corridor in enumerate(system.corridors)
        if pools[country.zones.index(corridor.to_zone)] not in published
    ]
    load = np.asarray(system.demand)[:, inside].sum(axis=1)
    drawn = np.maximum(clearing.flow[:, imports], 0.0).sum(axis=1)
    load = load + drawn
    result = {
        "generation_total": sum(
            float(months.sum())
            for (pool, _), months in pool_generation(country, clearing, month).items()
            if pool in published
        ),
        "winter_low": float(load[np.isin(month, (12, 1, 2))].min()),
    }
    september = month == 9
    result["day_level_september"] = float(load[september & (hour >= 11) & (hour < 15)].mean())
    result["evening_level_september"] = float(load[september & (hour >= 19) & (hour < 22)].mean())
    links = [index for index, row in enumerate(country.table("corridors")) if row["kind"] == "HVDC"]
    result["hvdc_mean_use"] = float(clearing.flow[:, links].sum(axis=1).mean())
    if imports:
        result["ke_mean_import"] = float(drawn[month == 12].mean())
    payments = sum(row["amount_bn"] for row in country.table("capacity_payments")) * 1e9
    result["capacity_payment_per_kwh"] = payments / (result["generation_total"] * _MWH_PER_GWH * _KWH_PER_MWH)
    result["thermal_utilisation"] = _thermal_use(country, clearing, published)
    everything = sum(_basket_bill(country, clearing, number, month, published)[0] for number in range(1, 13))
    result["purchase_price"] = (everything + payments / _KWH_PER_MWH) / (
        result["generation_total"] * _MWH_PER_GWH
    )
    names = ("january", "june", "july", "september", "december")
    for name, number in zip(names, (1, 6, 7, 9, 12), strict=True):
        result[f"basket_fuel_cost_{name}"] = _basket(country, clearing, number, month, published)
    return result


def _thermal_use(country: Country, clearing: Clearing, pools: set[str]) -> float:
    """Energy of dispatched plants over installed capacity times hours. [percent]"""
    dispatched = {row["fuel"] for row in country.table("fuels") if row["profile"] == "dispatched"}
    energy = capacity = 0.0
    for index, row in enumerate(country.table("plants")):
        if row["fuel"] in dispatched and row["pool"] in pools:
            energy += float(clearing.dispatch[:, index].sum())
            capacity += row["installed_mw"] * clearing.system.hour_count
    return 100.0 * energy / capacity if capacity else 0.0


def _basket(country: Country, clearing: Clearing, number: int, month: IntArray, pools: set[str]) -> float:
    """Average fuel cost of the published pools in one month, as billed. [currency/kWh]"""
    cost, energy = _basket_bill(country, clearing, number, month, pools)
    return cost / energy if energy else 0.0


def _basket_bill(
    country: Country, clearing: Clearing, number: int, month: IntArray, pools: set[str]
) -> tuple[float, float]:
    """Fuel bill and energy of the published pools in one month. [thousand currency, MWh]

    The modelled mix at each fuel's billed average of that month, so that it is the mix which is tested; at
    marginal cost where no billed average was printed.
    """
    billed = {
        (row["pool"], row["fuel"]): row["billed_fuel_cost_per_kwh"]
        for row in country.table("monthly_generation").where(month=number)
    }
    hours = month == number
    cost = energy = 0.0
    for index, row in enumerate(country.table("plants")):
        if row["pool"] in pools:
            output = float(clearing.dispatch[hours, index].sum())
            average = billed.get((row["pool"], row["fuel"]))
            cost += output * (row["fuel_cost_per_kwh"] if average is None else average)
            energy += output
    return cost, energy
