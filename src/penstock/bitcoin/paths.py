"""Draws paths of the bitcoin price and the fees: days of the past in new order, or diffusion with jumps.

One stream of chance per (seed, sample): a sample has the same numbers in whatever order and on however many
workers the samples are drawn, and no sample depends on another. Both generators start a stream at its
beginning, so their paths of the same seed and sample are not independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from penstock.bitcoin.merton import DAYS_PER_YEAR, PARAMETERS, fit
from penstock.bitcoin.price import (
    ONE_DAY,
    DailyHistory,
    Day,
    Floats,
    Integers,
    Kind,
    PricePath,
    day_of,
    is_count,
    issuance_satoshi_per_day,
)
from penstock.errors import BitcoinError, Fault

__all__ = ["DailyReturns", "JumpDiffusion", "bootstrapped", "calibrate", "jump_diffusion", "returns_of"]

FEWEST_DAYS = 60  # fewer days of history say nothing of blocks or jumps
SHARE_REPLICATES = 400  # bootstrap draws behind the standard error of the mean fee share


@dataclass(frozen=True, slots=True, eq=False)
class DailyReturns:
    """Days of the past that the bootstrap draws from. The arrays are copied and read-only.

    log_return: log of the next day's price over the day's, shape (n,). [1]
    fee_share: the day's fees over its new coins, shape (n,). [1]
    block_days: mean length of the blocks, 1 or more. [days]

    Raises BitcoinError for other shapes, fewer than 60 days, or values that are not finite.
    """

    log_return: Floats
    fee_share: Floats
    block_days: int

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        for name, low in (("log_return", -math.inf), ("fee_share", 0.0)):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or values.size != np.size(self.log_return) or values.size < FEWEST_DAYS:
                problem = f"has the shape {values.shape}; limit: (n,), with n of {FEWEST_DAYS} days or more"
                mend = "choose a longer window of the past"
                faults.append(Fault("daily returns", problem, mend, column=name))
            elif not (np.isfinite(values) & (values >= low)).all():
                problem = f"has values that are not finite or below {low:g}"
                faults.append(Fault("daily returns", problem, "leave out these days", column=name))
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if not is_count(self.block_days, 1):
            problem = "is not a whole number of 1 day or more"
            faults.append(
                Fault("argument", problem, "give 1, 2, ...", column="block_days", value=str(self.block_days))
            )
        if faults:
            raise BitcoinError(faults)


def returns_of(
    history: DailyHistory,
    *,
    since: Day | None = None,
    until: Day | None = None,
    block_days: int | None = None,
) -> DailyReturns:
    """The days from `since` to `until` (both included) with known fees and known prices at both ends.

    Other days are left out, and the days around them taken as neighbours.

    block_days: mean length of a block. [days] Without it, the longest of the optimal lengths (Politis and
        White, 2004, with the correction of Patton, Politis and White, 2009) for the returns, their absolute
        values and the fee shares, rounded up: neither rough spells nor spells of high fees are cut short.

    Raises BitcoinError for fewer than 60 such days, or a block length below 1.
    """
    window = _window(history, since, until)
    price = np.asarray(history.price_usd, np.float64)
    issued = np.asarray(history.issuance_satoshi, np.int64)
    fees = np.asarray(history.fees_satoshi, np.int64)
    known = np.isfinite(price) & (price > 0)
    usable = window[:-1] & known[:-1] & known[1:] & (fees[:-1] >= 0) & (issued[:-1] > 0)
    days = np.flatnonzero(usable)
    returns = np.log(price[days + 1] / price[days])
    share = fees[days] / issued[days]
    if block_days is None and len(days) >= FEWEST_DAYS:
        block_days = _optimal_block(returns, share)
    return DailyReturns(returns, share, 1 if block_days is None else block_days)


def _window(history: DailyHistory, since: Day | None, until: Day | None) -> npt.NDArray[np.bool_]:
    window = np.ones(len(history.date), np.bool_)
    if since is not None:
        window &= history.date >= day_of(since, "since")
    if until is not None:
        window &= history.date <= day_of(until, "until")
    return window


def _optimal_block(returns: Floats, share: Floats) -> int:
    from arch.bootstrap import optimal_block_length  # a second to import: only for those who draw

    series = np.column_stack([returns, np.abs(returns), share])
    varied = series.std(axis=0) > 1e-9 * np.abs(series).max(axis=0)  # a constant series has no optimum
    if not varied.any():
        return 1
    longest = float(optimal_block_length(series[:, varied])["stationary"].max())
    return max(1, math.ceil(longest))


def _stream(seed: int, sample: int) -> np.random.Generator:
    problem, mend = "is not a whole number of 0 or more", "give 0, 1, 2, ..."
    faults = [
        Fault("argument", problem, mend, column=name, value=str(number))
        for name, number in (("seed", seed), ("sample", sample))
        if not is_count(number, 0)
    ]
    if faults:
        raise BitcoinError(faults)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(sample,)))


def _check_request(days: int, start_price_usd: float, first_height: int) -> None:
    faults = []
    if days < 1:
        problem = "is below the limit of 1 day"
        faults.append(Fault("argument", problem, "give 1 or more", column="days", value=str(days)))
    if not 0 < start_price_usd < math.inf:
        problem = "is not a finite price above 0 USD/BTC"
        value = str(start_price_usd)
        faults.append(
            Fault("argument", problem, "give a price in USD/BTC", column="start_price_usd", value=value)
        )
    if first_height < 0:
        problem = "is below the limit of 0 blocks"
        mend = "give the height of the first day's first block"
        faults.append(Fault("argument", problem, mend, column="first_height", value=str(first_height)))
    if faults:
        raise BitcoinError(faults)


def _path(
    log_return: Floats, fee_share: Floats | float, start_price_usd: float, first: Day, first_height: int,
    kind: Kind, seed: int, sample: int,
) -> PricePath:  # fmt: skip
    """A path whose day t + 1 is day t times exp(log_return[t]); the last day's return is not used."""
    days = len(log_return)
    growth = np.zeros(days)
    np.cumsum(log_return[:-1], out=growth[1:])
    issued = issuance_satoshi_per_day(first_height, days)
    return PricePath(
        day_of(first, "first") + ONE_DAY * np.arange(days),
        start_price_usd * np.exp(growth),
        np.rint(fee_share * issued).astype(np.int64),
        kind,
        seed,
        sample,
    )


def block_indices(returns: DailyReturns, days: int, *, seed: int, sample: int) -> Integers:
    """Which day of the past each day of the path repeats: indices into `returns`, shape (days,).

    Stationary bootstrap (Politis and Romano, 1994): each block starts on a day drawn evenly from the past,
    and after each day it ends with the chance 1/block_days; its length is geometric with the mean block_days.
    The past is a ring: the first day follows the last. A path longer than the past starts a new block where
    it has drawn as many days as the past has.
    """
    from arch.bootstrap import StationaryBootstrap

    stream = _stream(seed, sample)
    bootstrap = StationaryBootstrap(returns.block_days, returns.log_return, seed=stream)
    rounds = -(-days // len(returns.log_return))
    indices = np.concatenate([bootstrap.update_indices() for _ in range(rounds)])
    return np.asarray(indices[:days], dtype=np.int64)


def bootstrapped(
    history: DailyHistory | DailyReturns,
    days: int,
    *,
    seed: int,
    sample: int,
    start_price_usd: float,
    first: Day,
    first_height: int,
    block_days: int | None = None,
) -> PricePath:
    """A path made of blocks of real days, in new order: each with its return and its fees together.

    history: the past, or the days of it to draw from (`returns_of`, which is quicker for many samples).
    days: length of the path. [days]
    start_price_usd: price at the start of the first day. [USD/BTC]
    first: the path's first day.
    first_height: height of that day's first block; 144 blocks a day follow.
    block_days: mean length of a block, see `returns_of`. [days]

    A day of the path that repeats a day of the past takes the growth of the price over that day, and its fees
    as a share of the new coins: fees halve with the subsidy. A shorter path is the beginning of a longer one.

    Raises BitcoinError for arguments outside their limits, and as `returns_of` does.
    """
    _check_request(days, start_price_usd, first_height)
    returns = history
    if not isinstance(returns, DailyReturns):
        returns = returns_of(returns, block_days=block_days)
    elif block_days is not None:
        returns = DailyReturns(returns.log_return, returns.fee_share, block_days)
    at = block_indices(returns, days, seed=seed, sample=sample)
    return _path(
        returns.log_return[at], returns.fee_share[at], start_price_usd, first, first_height,
        "bootstrapped", seed, sample,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JumpDiffusion:
    """Geometric Brownian motion with jumps (Merton, 1976); a year has 365 days.

    drift_per_year: mu, growth of the expected price: E[S(T)] = S(0) exp(mu T). [1/year]
    volatility_per_root_year: sigma, of the motion between jumps, above 0. [1/sqrt(year)]
    jumps_per_year: lambda, mean number of jumps, 0 or more. [1/year]
    jump_mean: m, mean of a jump of the log price. [1]
    jump_sd: d, standard deviation of a jump of the log price, 0 or more. [1]
    fee_share: fees as a share of the new coins, the same on all days, 0 or more. [1]
    standard_error: of each of these where they were estimated, by name; otherwise empty.

    Over T years with N ~ Poisson(lambda T) jumps the log of the price grows by

        (mu − sigma²/2 − lambda k) T + sigma sqrt(T) Z + J(1) + ... + J(N),    k = exp(m + d²/2) − 1,

    with Z standard normal and the J normal with mean m and standard deviation d. The mean of
    exp(J(1) + ... + J(N)) is exp(lambda T k), so the term with k makes mu the growth of the mean. The
    variance of the log of the price is sigma² T, plus that of a compound Poisson sum, lambda T E[J²]:

        Var[log S(T)/S(0)] = (sigma² + lambda (m² + d²)) T.

    Raises BitcoinError for a parameter outside its limits.
    """

    drift_per_year: float
    volatility_per_root_year: float
    jumps_per_year: float
    jump_mean: float
    jump_sd: float
    fee_share: float
    standard_error: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        low = dict.fromkeys(("jumps_per_year", "jump_sd", "fee_share"), 0.0)
        faults = []
        for name in (*PARAMETERS, "fee_share"):
            value = getattr(self, name)
            least = low.get(name, -math.inf)
            if not math.isfinite(value) or value < least or (name == PARAMETERS[1] and value <= 0):
                limit = "above 0" if name == PARAMETERS[1] else f"of {least:g} or more"
                problem = f"is not a finite number {limit}"
                faults.append(Fault("jump diffusion", problem, "correct it", column=name, value=str(value)))
        if faults:
            raise BitcoinError(faults)

    @property
    def log_drift_per_year(self) -> float:
        """Growth of the log price between jumps: mu − sigma²/2 − lambda k. [1/year]"""
        jump = math.expm1(self.jump_mean + self.jump_sd**2 / 2)
        return self.drift_per_year - self.volatility_per_root_year**2 / 2 - self.jumps_per_year * jump

    @property
    def log_variance_per_year(self) -> float:
        """Variance of the log price: sigma² + lambda (m² + d²). [1/year]"""
        jump = self.jump_mean**2 + self.jump_sd**2
        return self.volatility_per_root_year**2 + self.jumps_per_year * jump


def calibrate(history: DailyHistory, first: Day, last: Day) -> JumpDiffusion:
    """Estimates the parameters from the daily returns within `first` to `last`, with standard errors.

    The parameters of the price: maximum likelihood of the daily log returns, taken as independent, each a
    mixture of normals over the Poisson number of the day's jumps; standard errors from the observed
    information (see `penstock.bitcoin.merton`). Real returns come in rough and calm spells, which the model
    does not have, so the errors are somewhat too small; and the variance of the model is some 3 to 11 % below
    that of the returns, whose few wildest days it does not reach. The drift of a few years is hardly known:
    look at its error.

    The fee share: mean over the days whose fees are known; standard error by the stationary bootstrap.

    Raises BitcoinError for fewer than 60 returns or days with fees, or where the returns show no jumps.
    """
    start, end = day_of(first, "first"), day_of(last, "last")
    price = np.asarray(history.price_usd, np.float64)[_window(history, start, end)]
    returns = np.diff(np.log(np.where(price > 0, price, np.nan)))
    returns = returns[np.isfinite(returns)]
    if len(returns) < FEWEST_DAYS:
        problem = f"has {len(returns)} daily returns from {start} to {end}; limit: {FEWEST_DAYS} or more"
        raise BitcoinError(Fault("history", problem, "choose a longer window", column="price_usd"))
    value, error = fit(returns)
    past = returns_of(history, since=start, until=end)
    return JumpDiffusion(
        drift_per_year=value["drift_per_year"],
        volatility_per_root_year=value["volatility_per_root_year"],
        jumps_per_year=value["jumps_per_year"],
        jump_mean=value["jump_mean"],
        jump_sd=value["jump_sd"],
        fee_share=float(past.fee_share.mean()),
        standard_error=MappingProxyType({**error, "fee_share": _share_error(past.fee_share)}),
    )


def _share_error(share: Floats) -> float:
    """Standard error of the mean of a series that depends on its own past."""
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(_optimal_block(share, share), share, seed=_stream(0, 0))
    means = [share[bootstrap.update_indices()].mean() for _ in range(SHARE_REPLICATES)]
    return float(np.std(means, ddof=1))


def jump_diffusion(
    model: JumpDiffusion,
    days: int,
    *,
    seed: int,
    sample: int,
    start_price_usd: float,
    first: Day,
    first_height: int,
) -> PricePath:
    """A path drawn from the model, exact at each day; other arguments as in `bootstrapped`.

    The fees are the same share of the new coins on every day: only `bootstrapped` has spells of high fees.
    """
    _check_request(days, start_price_usd, first_height)
    stream = _stream(seed, sample)
    step = 1.0 / DAYS_PER_YEAR
    jumps = stream.poisson(model.jumps_per_year * step, days)
    sd = np.sqrt(model.volatility_per_root_year**2 * step + jumps * model.jump_sd**2)
    log_return = model.log_drift_per_year * step + jumps * model.jump_mean + sd * stream.standard_normal(days)
    return _path(
        log_return, model.fee_share, start_price_usd, first, first_height, "jump_diffusion", seed, sample
    )
