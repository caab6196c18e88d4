"""The ceiling: the most that each load can pay for a kWh, over the range of hashprice.

To run, a machine needs its break-even; the central ceiling of mining is the tariff that the machines of half
its power can pay at the year's mean hashprice. To invest, the site must earn its capital back. AI work can
pay its gross rent of the machines by MWh, and no more: that is no price that a centre would sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.bitcoin.history import hashprice_on, snapshots
from penstock.loads.fleet import Fleet
from penstock.loads.investment import Case, investment_case, investment_return
from penstock.market.system import FloatArray
from penstock.programme.network import Network
from penstock.programme.parts import Plan

__all__ = ["Ceiling", "HashpriceRange", "ai_ceiling", "hashprice_range", "investor_ceiling", "mining_ceiling"]

_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class HashpriceRange:
    """Hashprice of the year: least and greatest month, and mean. [USD/(PH/s·day)]

    low is that of a snapshot of the network where one is lower still; low_place says when.
    """

    low: float
    central: float
    high: float
    low_place: str


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Most that a load can pay. [USD/MWh]

    low, central, high: over the range. first_leaves, last_leaves: where the first and the last of its power
        leaves at the central value.
    """

    load: str
    low: float
    central: float
    high: float
    first_leaves: float
    last_leaves: float


def hashprice_range(network: Network) -> HashpriceRange:
    """Over the months of the year, and the latest snapshot of the network."""
    months = network.hashprice
    low, place = float(months.min()), f"{network.year}-{int(months.argmin()) + 1:02d}"
    for day in sorted(snapshots()):
        today = hashprice_on(day).usd_per_ph_day
        if today < low:
            low, place = today, day.isoformat()
    return HashpriceRange(low, float(months.mean()), float(months.max()), place)


def mining_ceiling(plan: Plan, hashprice: HashpriceRange) -> Ceiling | None:
    """Of the miners' power, half can pay the ceiling; None for a programme without mining."""
    rows = [part for part in plan.parts if part.load == "mining"]
    power = np.array([float(part.offered.mean()) for part in rows])
    if not power.sum() > 0.0:
        return None
    worth = np.array([part.worth_usd_per_mwh for part in rows])
    half = _median(worth, power)
    return Ceiling(
        "mining",
        half * hashprice.low,
        half * hashprice.central,
        half * hashprice.high,
        float(worth[power > 0.0].min()) * hashprice.central,
        float(worth[power > 0.0].max()) * hashprice.central,
    )


def ai_ceiling(plan: Plan) -> Ceiling | None:
    """Gross rent per MWh: the least class, the mean over power, the greatest; None without AI."""
    rows = [part for part in plan.parts if part.load == "ai" and not part.late]
    power = np.array([float(part.offered.mean()) for part in rows])
    if not power.sum() > 0.0:
        return None
    worth = np.array([part.worth_usd_per_mwh for part in rows])
    least, most = float(worth[power > 0.0].min()), float(worth[power > 0.0].max())
    return Ceiling("ai", least, float(np.average(worth, weights=power)), most, least, most)


def investor_ceiling(fleet: Fleet, hashprice_usd_per_ph_day: float, case: Case) -> float | None:
    """Tariff at which a mining site bought today is worth its capital; None where none is. [USD/MWh]

    hashprice_usd_per_ph_day: of the first year. case: as in `loads.investment`.
    """

    def worth(tariff: float) -> float:
        return investment_return(
            fleet,
            hashprice_usd_per_ph_day=hashprice_usd_per_ph_day,
            tariff_usd_per_mwh=tariff,
            case=investment_case(case),
        ).net_present_usd

    if worth(0.0) < 0.0:
        return None
    low, high = 0.0, max(block.break_even_usd_per_mwh(hashprice_usd_per_ph_day) for block in fleet.blocks())
    if worth(float(high)) >= 0.0:
        return float(high)
    high = float(high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if worth(middle) >= 0.0 else (low, middle)
    return low


def _median(values: FloatArray, weights: FloatArray) -> float:
    """The greatest value that at least half of the weight reaches or exceeds."""
    order = np.argsort(-values, kind="stable")
    reached = np.cumsum(weights[order]) >= 0.5 * weights.sum()
    return float(values[order][int(np.argmax(reached))])
