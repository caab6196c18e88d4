"""Every treasury policy on the same price paths, joined with the income of a programme."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from penstock.bitcoin.merton import DAYS_PER_YEAR
from penstock.bitcoin.paths import DailyReturns, JumpDiffusion
from penstock.errors import Fault, ReserveError

from .treasury import RULES, TreasuryPolicy
from .treasury_paths import COLUMNS, FIGURES, STATE, run_paths

__all__ = ["MOST_PATHS", "Simulation", "Treasury", "replay", "simulate", "without_trend"]

FloatArray = npt.NDArray[np.float64]
#: Most paths and years of a simulation. [1], [years]
MOST_PATHS, MOST_YEARS = 1_000_000, 50
_CHUNK = 1_000  # paths that a thread computes at once
MONTHS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Treasury:
    """What the policies are joined with.

    income_usd, cost_usd: of the twelve months, the same every year, shape (12,). [USD/month]
    fx_reserves_usd: foreign exchange reserves, taken as constant. [USD]
    watched_cap: share of the reserves that the coins should not exceed; None where nobody watches. [1]
    price_usd: on the first day. [USD/BTC]

    Raises ReserveError with every value outside its limits.
    """

    income_usd: FloatArray
    cost_usd: FloatArray
    fx_reserves_usd: float
    price_usd: float
    watched_cap: float | None = None

    def __post_init__(self) -> None:
        faults = []
        for name in ("income_usd", "cost_usd"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (MONTHS,) or not (np.isfinite(values) & (values >= 0.0)).all():
                problem = f"must be {MONTHS} finite numbers of at least 0 [USD/month]"
                faults.append(Fault("treasury", problem, "give one for each month", column=name))
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        for name in ("fx_reserves_usd", "price_usd"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                problem = "must be a finite number above 0"
                faults.append(Fault("treasury", problem, "correct it", column=name, value=f"{value:g}"))
        cap = self.watched_cap
        if cap is not None and not 0.0 <= cap <= 1.0:
            faults.append(
                Fault("treasury", "must be 0 to 1", "correct it", column="watched_cap", value=f"{cap:g}")
            )
        if faults:
            raise ReserveError(faults)


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What came of it.

    figures: of every path under every policy, shape (paths, policies, len(FIGURES)); coins in satoshi, days
        as a number, all else in USD. `gain` is against having no bitcoin: worth of the coins, what the budget
        has more, and what was paid out, less debt.
    yearly: worth of the coins and gain at the end of each year, shape (paths, policies, years, 2). [USD]
    """

    policies: tuple[TreasuryPolicy, ...]
    treasury: Treasury
    years: int
    seed: int
    figures: FloatArray
    yearly: FloatArray

    def figure(self, policy: str, name: str) -> FloatArray:
        """One figure of a policy over all paths, shape (paths,)."""
        keys = [found.key for found in self.policies]
        column: FloatArray = self.figures[:, keys.index(policy), FIGURES.index(name)]
        return column


def simulate(
    policies: Sequence[TreasuryPolicy],
    treasury: Treasury,
    prices: JumpDiffusion | DailyReturns,
    *,
    years: int,
    paths: int,
    seed: int,
    workers: int = 2,
    progress: Callable[[int, int], None] = lambda done, paths: None,
) -> Simulation:
    """Every policy on the same paths of the price, day by day for so many years of 365 days.

    prices: the process, as `bitcoin.paths` fits it. workers: threads; the result does not depend on it.
    progress: called with the paths done and all of them.

    Raises ReserveError for no policies, two of one key, or years, paths or seed out of range.
    """
    _check(policies, years, paths, seed, workers)
    return _run(policies, treasury, _process(prices), years, paths, seed, workers, progress)


def replay(policies: Sequence[TreasuryPolicy], treasury: Treasury, prices_usd: FloatArray) -> Simulation:
    """Every policy on prices as they were, one for each day; whole years of 365 days, the rest is left out.

    prices_usd: shape (days,), the first that of the first day. [USD/BTC]

    Raises ReserveError for less than a year, prices that are none, or no policies.
    """
    prices = np.asarray(prices_usd, dtype=np.float64)
    years = len(prices) // int(DAYS_PER_YEAR)
    if not (np.isfinite(prices) & (prices > 0.0)).all() or years < 1:
        problem = f"{len(prices)} prices; a year of finite prices above 0 is needed [USD/BTC]"
        raise ReserveError(Fault("prices", problem, "choose an earlier first day"))
    _check(policies, years, 1, 0, 1)
    given = replace(treasury, price_usd=float(prices[0]))
    process = np.zeros(5), np.diff(np.log(prices)), 0.0
    return _run(policies, given, process, years, 1, 0, 1, lambda done, paths: None)


def _run(
    policies: Sequence[TreasuryPolicy],
    treasury: Treasury,
    process: tuple[FloatArray, FloatArray, float],
    years: int,
    paths: int,
    seed: int,
    workers: int,
    progress: Callable[[int, int], None],
) -> Simulation:
    table = np.array([_row(policy) for policy in policies])
    model, past, block_days = process
    cap = treasury.watched_cap
    facts = np.array(
        [
            treasury.price_usd,
            treasury.fx_reserves_usd,
            -1.0 if cap is None else cap * treasury.fx_reserves_usd,
        ]
    )
    months = np.round((np.arange(years * MONTHS) + 1) * DAYS_PER_YEAR / MONTHS).astype(np.int64) - 1
    figures = np.zeros((paths, len(policies), len(FIGURES)))
    yearly = np.zeros((paths, len(policies), years, 2))

    def run(start: int) -> int:
        part = slice(start, min(start + _CHUNK, paths))
        states, spare = np.zeros((len(policies), len(STATE))), np.zeros(1)
        run_paths(
            np.uint64(seed), start, model, past, block_days, table, treasury.income_usd, treasury.cost_usd,
            facts, months, states, spare, figures[part], yearly[part],
        )  # fmt: skip
        return part.stop

    with ThreadPoolExecutor(workers) as executor:
        for done in executor.map(run, range(0, paths, _CHUNK)):
            progress(done, paths)
    for array in (figures, yearly):
        array.setflags(write=False)
    return Simulation(tuple(policies), treasury, years, seed, figures, yearly)


def without_trend(prices: JumpDiffusion | DailyReturns) -> JumpDiffusion | DailyReturns:
    """The same process whose expected price stays where it is.

    The trend of a few years is hardly known, and whoever assumes one has assumed the result.
    """
    if isinstance(prices, JumpDiffusion):
        return replace(prices, drift_per_year=0.0)
    growth = math.log(float(np.exp(prices.log_return).mean()))
    return DailyReturns(prices.log_return - growth, prices.fee_share, prices.block_days)


def _row(policy: TreasuryPolicy) -> list[float]:
    values = {
        "rule": RULES.index(policy.rule),
        "amount": policy.amount,
        "cap_share": -1.0 if policy.cap_share is None else policy.cap_share,
        "payout_share": policy.payout_share,
        "coupon": policy.coupon,
        "maturity_days": policy.maturity_years * DAYS_PER_YEAR,
        "ltv_limit": -1.0 if policy.ltv_limit is None else policy.ltv_limit,
        "own_share": policy.own_share,
    }
    return [float(values[column]) for column in COLUMNS]


def _process(prices: JumpDiffusion | DailyReturns) -> tuple[FloatArray, FloatArray, float]:
    """Model of a day, returns of the past, mean length of a block; what does not apply is empty."""
    if isinstance(prices, DailyReturns):
        return np.zeros(5), np.ascontiguousarray(prices.log_return), float(prices.block_days)
    step = 1.0 / DAYS_PER_YEAR
    model = np.array(
        [
            prices.log_drift_per_year * step,
            prices.volatility_per_root_year * math.sqrt(step),
            prices.jumps_per_year * step,
            prices.jump_mean,
            prices.jump_sd,
        ]
    )
    return model, np.zeros(0), 1.0


def _check(policies: Sequence[TreasuryPolicy], years: int, paths: int, seed: int, workers: int) -> None:
    faults = []
    keys = [policy.key for policy in policies]
    if not keys or len(set(keys)) < len(keys):
        faults.append(Fault("policies", "must be one or more, each with its own key", "name each once"))
    for name, value, low, high in (
        ("--years", years, 1, MOST_YEARS),
        ("--paths", paths, 1, MOST_PATHS),
        ("--seed", seed, 0, 2**63 - 1),
        ("--workers", workers, 1, 64),
    ):
        if not low <= value <= high:
            faults.append(Fault(name, f"must be {low} to {high}", "give another number", value=str(value)))
    if faults:
        raise ReserveError(faults)
