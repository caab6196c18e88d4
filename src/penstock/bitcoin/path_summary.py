"""Where many price paths come from, and what they say together: means, quantiles, shares.

Each path gives one outcome; the outcomes are put in the order of their samples before anything is summed, so
the figures do not depend on the order in which the paths were drawn.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from penstock.bitcoin.history import Snapshot, load_history, snapshots
from penstock.bitcoin.network import BLOCKS_PER_DAY, SATOSHI_PER_BTC
from penstock.bitcoin.paths import JumpDiffusion, bootstrapped, calibrate, jump_diffusion, returns_of
from penstock.bitcoin.price import (
    Day,
    Integers,
    PricePath,
    day_of,
    issuance_satoshi_per_day,
    replayed,
)
from penstock.errors import BitcoinError, Fault

__all__ = [
    "DRAWN",
    "QUANTILES_PERCENT",
    "Figure",
    "Outcome",
    "Past",
    "PathSource",
    "PathSummary",
    "drawn_paths",
    "given_path",
    "height_on",
    "latest_snapshot",
    "outcome_of",
    "past_days",
    "replayed_path",
    "summarise",
]

DRAWN = ("bootstrap", "jumps")
QUANTILES_PERCENT = (5, 25, 50, 75, 95)
FEWEST_PAST_DAYS = 365  # less than a year of the past says nothing of the years ahead


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one path came to.

    sample: its number. start_price_usd, end_price_usd: price on its first and its last day. [USD/BTC]
    reward_usd_per_day: new coins and fees of all miners, mean of the days. [USD/day]
    fees_satoshi_per_day: mean of the days. [satoshi/day]
    """

    sample: int
    start_price_usd: float
    end_price_usd: float
    reward_usd_per_day: float
    fees_satoshi_per_day: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure over the samples, in the unit of its name.

    standard_error: of the mean, for the number of samples alone: s / sqrt(n), with s the samples' standard
        deviation (n − 1); None for one sample.
    quantiles: those of `QUANTILES_PERCENT`, linear between the samples; empty for a share.
    """

    mean: float
    standard_error: float | None
    samples: int
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PathSummary:
    """Figures over the samples: price on the last day [USD/BTC], mean reward [USD/day], mean fees
    [satoshi/day], and the share of samples that end below their start [1]."""

    price_at_end_usd: Figure
    reward_usd_per_day: Figure
    fees_satoshi_per_day: Figure
    below_start_share: Figure


@dataclass(frozen=True, slots=True)
class Past:
    """The part of the record that paths are drawn from: first and last day, both included.

    returns_days: days with known fees and a price on the next day; left_out_days: the others but the last.
    """

    since: dt.date
    until: dt.date
    returns_days: int
    left_out_days: int


@dataclass(frozen=True, slots=True, eq=False)
class PathSource:
    """Gives path 0, 1, ... `samples` − 1, each the same whenever it is asked for.

    first, days: the paths' first day and length. issuance_satoshi: new coins of each day, shape (days,).
    first_height: height of the first day's first block, 144 a day follow; None where the coins are those on
        record. start_price_date: day whose price the paths start from.
    past, block_days, model: of drawn paths, what they were drawn from; else None.
    """

    samples: int
    first: dt.date
    days: int
    issuance_satoshi: Integers
    draw: Callable[[int], PricePath]
    start_price_date: dt.date
    first_height: int | None = None
    past: Past | None = None
    block_days: int | None = None
    model: JumpDiffusion | None = None


def latest_snapshot() -> Snapshot:
    """The last of the snapshots that ship with Penstock."""
    return snapshots()[max(snapshots())]


def height_on(day: Day) -> int:
    """Height of the first block of a day, counted from the latest snapshot at 144 blocks a day.

    Exact on the day of the snapshot only; three weeks off six years before it, as blocks came quicker.

    Raises BitcoinError where the count falls below 0.
    """
    known = latest_snapshot()
    away = int((day_of(day, "first") - np.datetime64(known.date, "D")).astype(np.int64))
    height = known.height + BLOCKS_PER_DAY * away
    if height < 0:
        problem = f"144 blocks a day before {known.date} (height {known.height}) lead below block 0"
        raise BitcoinError(Fault("height", problem, "give the height of that day", value=str(day)))
    return height


def past_days(since: Day) -> Past:
    """The record from `since` to its end.

    Raises BitcoinError where `since` is not on record or leaves fewer than 365 days.
    """
    history = load_history()
    first, last = day_of(since, "since"), history.date[-1]
    latest = last - np.timedelta64(FEWEST_PAST_DAYS, "D")
    if not history.date[0] <= first <= latest:
        problem = f"the record, {history.date[0]} to {last}, has not {FEWEST_PAST_DAYS} days from there on"
        mend = f"choose a day from {history.date[0]} to {latest}"
        raise BitcoinError(Fault("since", problem, mend, value=str(first)))
    used = len(returns_of(history, since=first, block_days=1).log_return)
    steps = int((last - first).astype(np.int64))
    return Past(_date(first), _date(last), used, steps - used)


def drawn_paths(
    kind: str,
    past: Past,
    days: int,
    samples: int,
    *,
    seed: int,
    first: Day,
    price_usd: float,
    height: int,
    price_date: Day | None = None,
) -> PathSource:
    """Paths of the stationary bootstrap ("bootstrap") or of the diffusion with jumps ("jumps").

    price_usd: price on the first day. [USD/BTC] price_date: day that it is taken from; None for the first.

    One stream of chance for each (seed, sample); see `penstock.bitcoin.paths`.

    Raises BitcoinError as the generators do, for an unknown kind, and for fewer than 1 sample.
    """
    if kind not in DRAWN:
        mend = f"choose one of {', '.join(DRAWN)}"
        raise BitcoinError(Fault("kind", "is not drawn", mend, value=kind))
    if samples < 1:
        fault = Fault("samples", "is below the limit of 1 sample", "give 1 or more", value=str(samples))
        raise BitcoinError(fault)
    history = load_history()
    start = {"first": first, "first_height": height, "start_price_usd": price_usd}
    draw: Callable[..., PricePath]
    block, model = None, None
    if kind == "bootstrap":
        returns = returns_of(history, since=past.since, until=past.until)
        block = returns.block_days
        draw = partial(bootstrapped, returns)
    else:
        model = calibrate(history, past.since, past.until)
        draw = partial(jump_diffusion, model)

    def path(sample: int) -> PricePath:
        return draw(days, seed=seed, sample=sample, **start)

    path(0)  # refused now, rather than amid the drawing
    return PathSource(
        samples=samples,
        first=_date(day_of(first, "first")),
        days=days,
        issuance_satoshi=issuance_satoshi_per_day(height, days),
        draw=path,
        start_price_date=_date(day_of(first if price_date is None else price_date, "price_date")),
        first_height=height,
        past=past,
        block_days=block,
        model=model,
    )


def replayed_path(first: Day, days: int) -> PathSource:
    """The past itself, with the coins on record.

    Raises BitcoinError as `replayed` does.
    """
    return given_path(replayed(load_history(), first, days))


def given_path(path: PricePath, height: int | None = None) -> PathSource:
    """One path that is not drawn.

    height: of the first block of its first day; without it the new coins are those on record where all its
        days are, and else counted from `height_on`.

    Raises BitcoinError where the height would be below 0.
    """
    history = load_history()
    offset = int((path.dates[0] - history.date[0]).astype(np.int64))
    if height is None and offset >= 0 and offset + path.days <= len(history.date):
        issued = history.issuance_satoshi[offset : offset + path.days]
    else:
        height = height_on(path.dates[0]) if height is None else height
        issued = issuance_satoshi_per_day(height, path.days)
    first = _date(path.dates[0])
    return PathSource(1, first, path.days, issued, lambda _: path, first, height)


def outcome_of(path: PricePath, issuance_satoshi: Integers, sample: int) -> Outcome:
    """What a path came to.

    issuance_satoshi: new coins of each of its days, shape (days,). [satoshi/day]

    Raises BitcoinError where its rewards are beyond a floating-point number.
    """
    coins = (issuance_satoshi + path.fees_satoshi_per_day) / SATOSHI_PER_BTC
    with np.errstate(over="ignore"):
        reward = float(np.mean(coins * path.price_usd))
    if not math.isfinite(reward):
        problem = "the rewards are beyond a floating-point number, 1.8e308 USD"
        mend = "give prices in USD/BTC"
        raise BitcoinError(Fault("price path", problem, mend, column="price_usd"))
    start, end = float(path.price_usd[0]), float(path.price_usd[-1])
    return Outcome(sample, start, end, reward, float(path.fees_satoshi_per_day.mean()))


def summarise(outcomes: Iterable[Outcome]) -> PathSummary:
    """The figures over all samples, whatever their order.

    Raises BitcoinError where there are none, or a sample comes twice.
    """
    listed = sorted(outcomes, key=lambda outcome: outcome.sample)
    if not listed or len({outcome.sample for outcome in listed}) < len(listed):
        problem = f"{len(listed)} outcomes do not have a number of their own each; limit: 1 or more"
        raise BitcoinError(Fault("samples", problem, "give each sample once"))
    below = [float(outcome.end_price_usd < outcome.start_price_usd) for outcome in listed]
    return PathSummary(
        _figure([outcome.end_price_usd for outcome in listed], QUANTILES_PERCENT),
        _figure([outcome.reward_usd_per_day for outcome in listed], QUANTILES_PERCENT),
        _figure([outcome.fees_satoshi_per_day for outcome in listed], QUANTILES_PERCENT),
        _figure(below),
    )


def _date(day: np.datetime64) -> dt.date:
    return dt.date.fromisoformat(str(day))


def _figure(values: list[float], percent: tuple[int, ...] = ()) -> Figure:
    array = np.array(values)
    away = array - array[0]  # of equal samples the error is then 0, not of the last digit
    error = None if len(values) < 2 else float(away.std(ddof=1)) / math.sqrt(len(values))
    quantiles = tuple(float(value) for value in np.percentile(array, percent)) if percent else ()
    return Figure(float(array[0] + away.mean()), error, len(values), quantiles)
