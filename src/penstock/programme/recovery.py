"""What the programme causes and what it pays: three ways to ask whether a tariff recovers the cost.

With C the system's cost and a the energy that the programme takes, in a month m or the year,

    marginal        ΔC(m) / Σ a(m)                               what serving it adds to the fuel bill
    full, per kWh   ΔC / Σ a + K / Σ g                           and its share of the capacity payments K, by
                                                                 energy: g is what the pools' plants send out
    full, per kW    ΔC / Σ a + K · (mean a at peak / mean peak) / Σ a    the same, by its part in the monthly
                                                                 peaks (twelve coincident peaks)
    hour by hour    Σ_z π·a / Σ_z a                              what the last plant costs while it runs

A month's ΔC is that of the clearing: reservoirs move water within a month only, but a contract that binds the
year may move fuel from one month to another. In a single hour ΔC says little, since water moves between hours
as well; the price does not.

The twelve coincident peaks are a usual rule for sharing capacity (NARUC, Electric Utility Cost Allocation
Manual, 1992, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.errors import Fault, ProgrammeError
from penstock.market.clearing import Clearing
from penstock.market.system import FloatArray, IntArray, hour_series

__all__ = ["BASES", "Recovery", "added_cost_by_hour", "peak_hours", "recovery"]

#: The three questions of a year: attributes of `Recovery`.
BASES = ("marginal", "full_per_kwh", "full_per_kw")
_MONTHS = 12
#: Hours in which the programme takes less than this are no hours that it is served in. [MW]
_LEAST_MW = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """What a programme causes, per energy that it takes.

    energy_mwh: taken in each local month, shape (12,). [MWh]
    added_cost_usd: change of the system's cost in each month, shape (12,). [USD]
    taken_mw: what it takes in each hour, shape (hours,). [MW]
    price_usd_per_mwh: price at which it is served in each hour, weighted over its zones, shape (hours,);
        0 where it takes less than 1 MW. [USD/MWh]
    capacity_per_mwh: capacity payments over all energy of the pools. [USD/MWh]
    capacity_by_peak_per_mwh: its share of them by the monthly peaks, over its energy. [USD/MWh]
    peak_share: its part of the mean monthly peak. [1]
    """

    energy_mwh: FloatArray
    added_cost_usd: FloatArray
    taken_mw: FloatArray
    price_usd_per_mwh: FloatArray
    capacity_per_mwh: float
    capacity_by_peak_per_mwh: float
    peak_share: float

    @property
    def total_mwh(self) -> float:
        """Energy of the year. [MWh]"""
        return float(self.energy_mwh.sum())

    @property
    def marginal(self) -> float:
        """Lowest tariff at which the year's added cost is paid. [USD/MWh]"""
        return float(self.added_cost_usd.sum()) / self.total_mwh

    @property
    def full_per_kwh(self) -> float:
        """And capacity payments, spread over energy. [USD/MWh]"""
        return self.marginal + self.capacity_per_mwh

    @property
    def full_per_kw(self) -> float:
        """And capacity payments, spread over the monthly peaks. [USD/MWh]"""
        return self.marginal + self.capacity_by_peak_per_mwh

    @property
    def by_month(self) -> FloatArray:
        """Added cost of each month per energy, shape (12,); NaN where nothing is taken. [USD/MWh]"""
        nothing = np.full(_MONTHS, np.nan)
        cost, energy = self.added_cost_usd, self.energy_mwh
        return np.asarray(np.divide(cost, energy, out=nothing, where=energy > 0.0), dtype=np.float64)


def recovery(
    base: Clearing,
    with_programme: Clearing,
    month: IntArray,
    *,
    capacity_usd: float,
    pool_energy_mwh: float,
    peak_zones: FloatArray | None = None,
) -> Recovery:
    """What a programme causes; the module's docstring has the equations.

    base, with_programme: the same system cleared without and with the programme; it makes all the bids.
    month: local month of each hour, 1 to 12, shape (hours,).
    capacity_usd: capacity payments of the year. [USD]
    pool_energy_mwh: what the plants that they are for send out with the programme. [MWh]
    peak_zones: 1 for zones whose demand makes the peak, 0 for others, shape (zones,); None for all.

    Raises ProgrammeError where the programme takes nothing: then there is nothing to divide by.
    """
    taken = with_programme.accepted.sum(axis=1)
    if not float(taken.sum()) > 0.0:
        raise ProgrammeError(
            Fault(
                "programme",
                "takes no energy in the year: no tariff can be judged",
                "offer more MW, or a tariff at which its loads come",
                column="mw",
                value=f"{float(np.sum([np.max(bid.quantity) for bid in with_programme.bids])):g}",
            )
        )
    system = with_programme.system
    by_zone = with_programme.by_zone(with_programme.accepted, [bid.zone for bid in with_programme.bids])
    spent = (by_zone * with_programme.price).sum(axis=1)
    there = taken >= _LEAST_MW
    price = np.divide(spent, taken, out=np.zeros_like(taken), where=there)
    added = added_cost_by_hour(base, with_programme)
    weight = np.ones(len(system.zones)) if peak_zones is None else peak_zones
    load = np.asarray(system.demand) @ weight + taken
    peaks = peak_hours(load, month)
    share = float(taken[peaks].mean() / load[peaks].mean())
    return Recovery(
        energy_mwh=_by_month(month, taken),
        added_cost_usd=_by_month(month, added),
        taken_mw=taken,
        price_usd_per_mwh=price,
        capacity_per_mwh=capacity_usd / pool_energy_mwh,
        capacity_by_peak_per_mwh=capacity_usd * share / float(taken.sum()),
        peak_share=share,
    )


def _by_month(month: IntArray, values: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(month - 1, values, _MONTHS), dtype=np.float64)


def peak_hours(load: FloatArray, month: IntArray) -> IntArray:
    """Hour of the highest load of every month there is, the first of equals, shape (months,)."""
    rows = []
    for number in np.unique(month):
        hours = np.flatnonzero(month == number)
        rows.append(int(hours[np.argmax(load[hours])]))
    return np.array(rows, dtype=np.int64)


def added_cost_by_hour(base: Clearing, with_programme: Clearing) -> FloatArray:
    """Cost of every hour with the programme less that without it, shape (hours,). [USD]

    They sum to the change in `Clearing.cost`.
    """
    system = with_programme.system
    hours = system.hour_count
    added = np.zeros(hours)
    for price, before, after in (
        (system.value_of_lost_load, base.unserved, with_programme.unserved),
        (system.disposal_cost, base.dumped, with_programme.dumped),
    ):
        if price != 0.0 and (before.any() or after.any()):  # a price may be infinite where there is none
            added += price * (after.sum(axis=1) - before.sum(axis=1))
    for index, plant in enumerate(system.plants):
        added += hour_series(plant.cost, hours) * (
            with_programme.dispatch[:, index] - base.dispatch[:, index]
        )
    for index, store in enumerate(system.stores):
        if store.discharge_cost != 0.0:
            added += store.discharge_cost * (with_programme.discharge[:, index] - base.discharge[:, index])
    for index, corridor in enumerate(system.corridors):
        if corridor.cost != 0.0:
            added += corridor.cost * (np.abs(with_programme.flow[:, index]) - np.abs(base.flow[:, index]))
    return added
