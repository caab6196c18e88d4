"""The model beside published figures: differences with their limits, never bent to fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.country import Country
from penstock.country.calendar import IntArray
from penstock.market import Clearing
from penstock.market.system import FloatArray

__all__ = ["compare_energy", "compare_fuels", "compare_months", "pool_generation"]

#: Most by which a fuel's year may differ, as a share of it. [1]
FUEL_SHARE = 0.10
#: Optional parameter: fuels that give less are held to the same amount as one that gives so much. [GWh]
SMALL_FUEL = "small_fuel_gwh"
#: Served energy of a month against the published total. [1]
MONTH_SHARE = 0.01
_MWH_PER_GWH = 1000.0


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
    """Each published fuel's year: within 10 %, or 10 % of `small_fuel_gwh` where it gives less than that.

    `input` marks fuels whose energy the model is given, by the month or by a contract: they are no test.
    """
    names = {row["fuel"]: row for row in country.table("fuels")}
    floor = country.parameter_or(SMALL_FUEL, 0.0)
    rows = []
    for (pool, fuel), months in _published(country).items():
        published = float(months.sum())
        model = float(modelled[pool, fuel].sum()) if (pool, fuel) in modelled else 0.0
        limit = FUEL_SHARE * max(published, floor)
        rows.append(
            {
                "fuel": fuel,
                "name": names[fuel]["name"],
                "pool": pool,
                "model_gwh": model,
                "published_gwh": published,
                "difference_gwh": model - published,
                "difference_pct": (model / published - 1.0) * 100.0 if published else None,
                "limit": f"{FUEL_SHARE:.0%}".replace("%", " %") if published > floor else f"{limit:g} GWh",
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
