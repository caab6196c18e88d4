"""Who pays, in the terms of a country's tables: its consumer classes, its fuels, its money."""

from __future__ import annotations

import math

import numpy as np

from penstock.country import Country
from penstock.market import Clearing
from penstock.market.system import FloatArray
from penstock.programme import ConsumerClass, Incidence, who_pays
from penstock.programme.incidence import Rule

__all__ = ["change_per_kwh", "class_changes", "consumer_classes", "home_weight", "incidence", "served_mwh"]

_KWH_PER_MWH = 1000.0


def consumer_classes(country: Country) -> tuple[ConsumerClass, ...]:
    """Who buys, in the order of the table."""
    return tuple(
        ConsumerClass(row["consumer_class"], row["name"], row["sales_share"])
        for row in country.table("consumer_classes")
    )


def incidence(
    country: Country, rule: Rule, base: Clearing, changed: Clearing, tariff_usd_per_mwh: float
) -> Incidence:
    """Every party's change: consumers by class, plants by fuel. tariff: of the programme. [USD/MWh]"""
    return who_pays(
        rule,
        base,
        changed,
        tariff_usd_per_mwh=tariff_usd_per_mwh,
        consumer_classes=consumer_classes(country),
        plant_groups=country.table("plants").column("fuel"),
        group_names={row["fuel"]: row["name"] for row in country.table("fuels")},
    )


def home_weight(country: Country) -> FloatArray:
    """1 for the country's own zones, 0 for those of its neighbours, shape (zones,). [1]"""
    home = set(country.home_zones)
    return np.array([float(zone in home) for zone in country.zones])


def served_mwh(country: Country, clearing: Clearing) -> float:
    """Firm demand of the country's own zones that is served. [MWh]"""
    return float(((np.asarray(clearing.system.demand) - clearing.unserved) @ home_weight(country)).sum())


def change_per_kwh(country: Country, usd: float, energy_mwh: float) -> float:
    """A change in the country's currency per kWh of that energy. [currency/kWh]"""
    return usd * country.usd_rate / (energy_mwh * _KWH_PER_MWH)


def class_changes(country: Country, shares: Incidence, energy_mwh: float) -> list[tuple[str, float]]:
    """Name of every consumer class and its change per kWh that it buys. [currency/kWh]

    energy_mwh: that all classes buy together; a class without sales is left out. [MWh]
    """
    classes = {row.key: row for row in consumer_classes(country)}
    return [
        (row.name, change_per_kwh(country, row.change_usd, energy_mwh * classes[row.party].sales_share))
        for row in shares.parties
        if row.group == "consumers" and not math.isclose(classes[row.party].sales_share, 0.0)
    ]
