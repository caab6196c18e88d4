"""The programme's miners in the Bitcoin network: who comes in a month, at which hashprice.

A block of machines comes where its break-even is at least the tariff. More of them lower the hashprice of
everybody, so some may come only in part: those for whom the last machine that comes earns just the tariff.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.bitcoin.equilibrium import Equilibrium, settle_months
from penstock.bitcoin.history import YearOfNetwork
from penstock.bitcoin.history import monthly as network_by_month
from penstock.bitcoin.world import HashSupply, world_supply
from penstock.market.system import FloatArray

from .parts import Plan

__all__ = ["Answer", "Network", "answer", "coming_at", "network_of"]

#: Hashprice at which machines come that get their power for nothing: 0 is none. [USD/(PH/s·day)]
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The network without the programme, month by month.

    year: year that it is of.
    revenue_usd_per_day: what it earns in a day, shape (12,). [USD/day]
    hashrate_ehs: shape (12,). [EH/s]
    supplies: the rest of the world, calibrated on each month.
    """

    year: int
    revenue_usd_per_day: FloatArray
    hashrate_ehs: FloatArray
    supplies: tuple[HashSupply, ...]

    @property
    def hashprice(self) -> FloatArray:
        """Revenue over hashrate, shape (12,). [USD/(PH/s·day)]"""
        return np.asarray(self.revenue_usd_per_day / (1000.0 * self.hashrate_ehs), dtype=np.float64)


def network_of(year: int | YearOfNetwork) -> Network:
    """The network of a year, as recorded, or of months that the caller gives.

    Raises InputError for a year that the history does not hold with its fees.
    """
    months = network_by_month(year) if isinstance(year, int) else year
    hashprice = months.revenue_usd_per_day / (1000.0 * months.hashrate_ehs)
    supplies = tuple(
        world_supply(months.year, hashrate_ehs=float(hashrate), hashprice_usd_per_ph_day=float(price))
        for hashrate, price in zip(months.hashrate_ehs, hashprice, strict=True)
    )
    return Network(months.year, months.revenue_usd_per_day, months.hashrate_ehs, supplies)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The network with the programme in it.

    position: how many blocks of machines come in each month, in the order in which they come, the last one in
        part, shape (12,). [1]
    coming: share of each part that comes in each month at that position, shape (parts, 12). [1]
    months: what settled in each month.
    """

    position: FloatArray
    coming: FloatArray
    months: tuple[Equilibrium, ...]

    @property
    def hashprice(self) -> FloatArray:
        """Shape (12,). [USD/(PH/s·day)]"""
        return np.array([month.hashprice_usd_per_ph_day for month in self.months])

    @property
    def own_ehs(self) -> FloatArray:
        """Hashrate of the programme, shape (12,). [EH/s]"""
        return np.array([month.own_ehs for month in self.months])

    @property
    def network_ehs(self) -> FloatArray:
        """Hashrate of all, shape (12,). [EH/s]"""
        return np.array([month.network_ehs for month in self.months])


def coming_at(plan: Plan, position: FloatArray) -> FloatArray:
    """Share of each part that comes in each month, shape (parts, 12); AI by its own worth. [1]

    position: as in `Answer`.
    """
    coming = np.zeros((len(plan.parts), 12))
    for index, part in enumerate(plan.parts):
        if part.load == "ai":
            coming[index] = float(part.worth_usd_per_mwh >= plan.tariff)
    for place, (rows, _) in enumerate(_blocks(plan)):
        coming[rows] = np.clip(position - place, 0.0, 1.0)
    return coming


def answer(plan: Plan, network: Network, served: FloatArray) -> Answer:
    """Who comes, and the hashprice, where the market serves the given share of those who come.

    served: shape (parts, 12). [1]
    """
    blocks = _blocks(plan)
    steps = [
        [
            (needed, sum(plan.parts[index].hashrate_ehs * float(served[index, month]) for index in rows))
            for rows, needed in blocks
        ]
        for month in range(12)
    ]
    months, position = settle_months(network.revenue_usd_per_day, network.supplies, steps), np.zeros(12)
    for month, settled in enumerate(months):
        if settled.marginal_step is None or settled.marginal_share is None:
            position[month] = sum(needed <= settled.hashprice_usd_per_ph_day for _, needed in blocks)
        else:
            position[month] = settled.marginal_step + settled.marginal_share
    return Answer(position, coming_at(plan, position), months)


def _blocks(plan: Plan) -> list[tuple[list[int], float]]:
    """Places of the parts of each block of machines, and the hashprice that it needs, the least first.

    The parts of a block lie in several zones. Equal blocks come in the order of the fleet.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, part in enumerate(plan.parts):
        if part.load == "mining" and part.hashrate_ehs > 0.0 and part.worth_usd_per_mwh > 0.0:
            groups.setdefault((part.kind, part.mode), []).append(index)
    needs = (
        (rows, max(plan.tariff / plan.parts[rows[0]].worth_usd_per_mwh, _LEAST)) for rows in groups.values()
    )
    return sorted(needs, key=lambda row: row[1])
