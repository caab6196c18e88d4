"""The hashprice of a year: the mean of its days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.bitcoin.history import History, load_history
from penstock.errors import BitcoinError, Fault

__all__ = ["YearMean", "mean_hashprice"]


@dataclass(frozen=True, slots=True)
class YearMean:
    """Means over the days of a year whose fees are known, each day as observed.

    days: days in the means. usd_per_ph_day: hashprice, [USD/(PH/s·day)].
    price_usd: [USD]. hashrate_ehs: [EH/s]. difficulty: [1].
    reward_satoshi_per_day: subsidies and fees of the whole network. [satoshi/day]
    """

    year: int
    days: int
    usd_per_ph_day: float
    price_usd: float
    hashrate_ehs: float
    difficulty: float
    reward_satoshi_per_day: int


def mean_hashprice(year: int, history: History | None = None) -> YearMean:
    """Means of a year; of a part of it where the record has no more, see `days`.

    history: None for the one that ships with Penstock.

    Raises BitcoinError for a year without a day on record whose fees are known.
    """
    record = load_history() if history is None else history
    years = record.date.astype("datetime64[Y]").astype(np.int64) + 1970
    chosen = np.flatnonzero((years == year) & record.fees_known)
    if not chosen.size:
        covered = np.unique(years[record.fees_known])
        on_record = f"from {covered[0]} to {covered[-1]}" if covered.size else "none"
        problem = f"has no day with price, network and fees; years on record: {on_record}"
        raise BitcoinError(Fault("year", problem, "choose a year on record", value=str(year)))
    reward = record.issuance_satoshi[chosen] + record.fees_satoshi[chosen]
    return YearMean(
        year=year,
        days=int(chosen.size),
        usd_per_ph_day=float(record.hashprice_usd_per_ph_day[chosen].mean()),
        price_usd=float(record.price_usd[chosen].mean()),
        hashrate_ehs=float(record.hashrate_ehs[chosen].mean()),
        difficulty=float(record.difficulty[chosen].mean()),
        reward_satoshi_per_day=round(float(reward.mean())),
    )
