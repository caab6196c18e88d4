"""What a country trades with the neighbouring markets that its tables hold as external zones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.country import Country
from penstock.market import Clearing, hour_series
from penstock.market.system import BoolArray, FloatArray, System

__all__ = ["Trade", "external_cost_usd", "home_mask", "home_plants", "trade_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Trade:
    """Energy and money that cross the border, hour by hour, each of shape (hours,).

    imports, exports: what arrives in, and leaves, the country's zones. [MW]
    import_cost: what is sent from abroad at the price there, with the charge for sending it. [USD]
    export_income: what arrives abroad at the price there, less the charge for sending it. [USD]
    """

    imports: FloatArray
    exports: FloatArray
    import_cost: FloatArray
    export_income: FloatArray


def home_mask(country: Country) -> BoolArray:
    """Whether each zone is the country's own, shape (zones,)."""
    home = set(country.home_zones)
    return np.array([zone in home for zone in country.zones])


def home_plants(country: Country) -> BoolArray:
    """Whether each plant stands in a zone of the country's own, shape (plants,)."""
    home = set(country.home_zones)
    return np.array([zone in home for zone in country.table("plants").column("zone")])


def external_price(country: Country, system: System) -> FloatArray:
    """Price of every external zone, shape (hours, zones), 0 in the country's own. [USD/MWh]

    It is the cost of the one plant that the tables put there, which is never short (`build_hours` says so).
    """
    price = np.zeros((system.hour_count, len(system.zones)))
    abroad = ~home_mask(country)
    for plant in system.plants:
        place = system.zones.index(plant.zone)
        if abroad[place]:
            price[:, place] = hour_series(plant.cost, system.hour_count)
    return price


def trade_of(country: Country, clearing: Clearing) -> Trade:
    """What crosses the border over all corridors between a zone of the country and an external one."""
    system = clearing.system
    home = set(country.home_zones)
    forward, backward = clearing.sent()
    price = external_price(country, system)
    imports, exports, cost, income = np.zeros((4, system.hour_count))
    for index, corridor in enumerate(system.corridors):
        for sent, start, end in (
            (forward[:, index], corridor.from_zone, corridor.to_zone),
            (backward[:, index], corridor.to_zone, corridor.from_zone),
        ):
            received = sent * (1.0 - corridor.loss)
            if end in home and start not in home:
                imports += received
                cost += sent * (price[:, system.zones.index(start)] + corridor.cost)
            elif start in home and end not in home:
                exports += sent
                income += received * price[:, system.zones.index(end)] - sent * corridor.cost
    return Trade(imports, exports, cost, income)


def external_cost_usd(country: Country, clearing: Clearing) -> float:
    """What the external zones' own demand costs at their own prices. [USD]

    The clearing pays for it as for any demand, and it is the same whatever the country does. Taken off the
    system's cost, it leaves what the country spends: its own plants and what it imports, less what its
    exports earn.
    """
    system = clearing.system
    if home_mask(country).all():
        return 0.0
    return float((external_price(country, system) * np.asarray(system.demand)).sum())
