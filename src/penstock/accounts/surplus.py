"""How much power is left over, where, in which hours, and at which marginal cost.

Left over in an hour is what plants could still give: available less dispatched. Plants whose energy a
contract or a reservoir limits are left out (another MWh now is a MWh less later), but for take-or-pay minima,
which only bind from below. The reserve margin (a share of the hour's demand) is then held back from the
dearest plants of each pool first, since a system keeps its reserve on what it would call last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.country import Country
from penstock.market import Clearing, hour_series
from penstock.market.system import FloatArray

from .trade import home_plants

__all__ = ["SHARES", "Surplus", "find_surplus"]

#: Shares of the hours for which the supply curve of surplus is given. [1]
SHARES = (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
_QUANTILES = np.round(np.linspace(0.0, 1.0, 101), 2)


@dataclass(frozen=True, slots=True, eq=False)
class Surplus:
    """Surplus after the reserve margin.

    by_zone: shape (hours, zones); 0 in external zones. [MW]
    price: grid of marginal costs, rising, shape (prices,). [USD/MWh]
    below: surplus at or below each price, shape (hours, prices). [MW]
    """

    by_zone: FloatArray
    price: FloatArray
    below: FloatArray

    @property
    def total(self) -> FloatArray:
        """Surplus of all zones, shape (hours,). [MW]"""
        return np.asarray(self.by_zone.sum(axis=1))

    def duration(self) -> list[tuple[float, float]]:
        """Pairs of a share of the hours and the MW that are there in at least that share of them."""
        return [(float(share), float(np.quantile(self.total, 1.0 - share))) for share in _QUANTILES]

    def supply(self, share: float) -> FloatArray:
        """MW at or below each price in at least this share of the hours, shape (prices,)."""
        return np.asarray(np.quantile(self.below, 1.0 - share, axis=0))

    def price_for(self, megawatts: float, share: float) -> float | None:
        """Lowest price on the grid at which so many MW are there in that share of the hours, or None."""
        enough = np.flatnonzero(self.supply(share) >= megawatts)
        return float(self.price[enough[0]]) if enough.size else None


def find_surplus(country: Country, clearing: Clearing, reserve_margin: float) -> Surplus:
    """The surplus of a cleared year; see the module's docstring. reserve_margin: share of demand. [1]"""
    system = clearing.system
    limited = {
        member
        for budget in system.budgets
        if np.isfinite(np.asarray(budget.maximum)).any()
        for member in budget.members
    }
    profiled = {row["fuel"] for row in country.table("fuels") if row["profile"] != "dispatched"}
    own = home_plants(country)
    rows = [
        index
        for index, row in enumerate(country.table("plants"))
        if own[index]
        and row["plant"] not in limited
        and (row["fuel"] not in profiled or system.plants[index].curtailable)
    ]
    rows.sort(key=lambda index: -float(np.mean(system.plants[index].cost)))
    pools = country.table("zones").column("pool")
    reserve = {
        pool: reserve_margin * np.asarray(system.demand)[:, [name == pool for name in pools]].sum(axis=1)
        for pool in dict.fromkeys(pools)
    }
    by_zone = np.zeros_like(np.asarray(system.demand))
    zone = system.zone_index(plant.zone for plant in system.plants)
    costs = sorted({float(np.mean(system.plants[index].cost)) for index in rows})
    grid = np.array(costs)
    below = np.zeros((system.hour_count, len(grid)))
    for index in rows:
        plant = system.plants[index]
        left = hour_series(plant.available, system.hour_count) - clearing.dispatch[:, index]
        left = np.maximum(left, 0.0)
        pool = pools[zone[index]]
        held = np.minimum(left, reserve[pool])
        reserve[pool] = reserve[pool] - held
        left = left - held
        by_zone[:, zone[index]] += left
        below[:, grid >= float(np.mean(plant.cost)) - 1e-12] += left[:, None]
    return Surplus(by_zone=by_zone, price=grid, below=below)
