"""What a fleet of one's own would do to the hashprice of a date on record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from penstock.bitcoin.equilibrium import OwnEffect, own_effect
from penstock.bitcoin.history import Hashprice, hashprice_on
from penstock.bitcoin.world import supply_range
from penstock.errors import BitcoinError, Fault

__all__ = ["EffectOnDate", "Ranged", "own_effect_on"]


@dataclass(frozen=True, slots=True)
class Ranged:
    """A figure at the assumptions used, and its least and greatest over their ranges, one at a time."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EffectOnDate:
    """The effect of a fleet that always runs, on the network of a date.

    hashprice: the date's, without the fleet. own_ehs: the fleet. [EH/s]
    central: with the assumptions used for the rest of the world.
    least, most: with those by which the rest of the world answers the hashprice least and most.
    """

    hashprice: Hashprice
    own_ehs: float
    central: OwnEffect
    least: OwnEffect
    most: OwnEffect

    def ranged(self, figure: Callable[[OwnEffect], float]) -> Ranged:
        """One figure of the effect with its range, e.g. `ranged(lambda effect: effect.fall)`."""
        ends = (figure(self.least), figure(self.central), figure(self.most))
        return Ranged(ends[1], min(ends), max(ends))


def own_effect_on(
    date: str, mw: float, efficiency_j_per_th: float, *, overhead_share: float = 0.0, basis: str = "blocks"
) -> EffectOnDate:
    """What a fleet does to the hashprice of a date once the difficulty and the other miners have answered.

    date: text like "2025-01-31". basis: of its hashprice, see `penstock.bitcoin.history`.
    mw: power of the fleet at the meter, its overhead included. [MW]
    efficiency_j_per_th: of its machines. [J/TH]; overhead_share: cooling over the machines' power. [1]

    1 EH/s at e J/TH draws e MW, so the fleet has mw / (e·(1 + overhead)) EH/s. The network earns in a day
    1000 · hashprice · hashrate.

    Raises BitcoinError with every number outside its limits; for a date that is not on record; and for a
    year for which the mean efficiency of the world's machines is not in the table of assumptions.
    """
    numbers = {"mw": (mw, "MW"), "efficiency_j_per_th": (efficiency_j_per_th, "J/TH")}
    faults = [
        Fault(
            name,
            f"must be above 0 and finite [{unit}]",
            "give a number within the limits",
            value=f"{value:g}",
        )
        for name, (value, unit) in numbers.items()
        if not 0.0 < value < math.inf
    ]
    if not 0.0 <= overhead_share < math.inf:
        mend = "give a share, like 0.05 for 5 %"
        faults.append(
            Fault("overhead_share", "must be at least 0 and finite [1]", mend, value=f"{overhead_share:g}")
        )
    if faults:
        raise BitcoinError(faults)
    hashprice = hashprice_on(date, basis)
    supplies = supply_range(
        hashprice.date.year,
        hashrate_ehs=hashprice.hashrate_ehs,
        hashprice_usd_per_ph_day=hashprice.usd_per_ph_day,
    )
    revenue = 1000.0 * hashprice.usd_per_ph_day * hashprice.hashrate_ehs
    own_ehs = mw / (efficiency_j_per_th * (1.0 + overhead_share))
    return EffectOnDate(
        hashprice=hashprice,
        own_ehs=own_ehs,
        central=own_effect(revenue, supplies.central, own_ehs),
        least=own_effect(revenue, supplies.least, own_ehs),
        most=own_effect(revenue, supplies.most, own_ehs),
    )
