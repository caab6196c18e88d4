"""Uptake of a rail that people may leave again: diffusion with abandonment, and how little the data say.

Bass (1969) with a way out. Of all who send, a share m could ever be won. Of these U have not tried, A use it,
L have left for good: U + A + L = m, and

    dA/dt = (p + q A / m) U − d A,    dL/dt = d A,

with innovation p, imitation q and abandonment d, per year. A push at the start (a bonus, a law) puts a share
s of m among the users on the first day. What is observed is A, as a share of all remittances.

Three points, five unknowns: the data cannot tell the parameters apart, so priors are stated, and
what comes out is mostly theirs. The posterior is found by weighting draws of the prior with the likelihood
(importance sampling); the effective number of draws is given, and an interval is called too wide to be of
use where its ends differ by more than a factor of three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from penstock.errors import Fault, InputError

from .corridors import inclusion_tables

__all__ = [
    "PRIORS",
    "Forecast",
    "Observation",
    "Parameters",
    "Posterior",
    "observations",
    "path",
    "posterior",
]

FloatArray = npt.NDArray[np.float64]
#: First day of the rail in El Salvador, as a year: the law of 7 September 2021.
START = 2021.0 + 249.0 / 365.0
#: Width of an interval, upper end over lower end, above which it is of no use. [1]
TOO_WIDE = 3.0
LEVEL = 0.9
_STEPS_PER_YEAR = 24


@dataclass(frozen=True, slots=True)
class Parameters:
    """market: share that could ever be won [1]. start: share of it that a push wins at once [1].

    innovation, imitation, abandonment: p, q, d. [1/year]
    """

    market: float
    start: float
    innovation: float
    imitation: float
    abandonment: float


@dataclass(frozen=True, slots=True)
class Prior:
    """A log-normal prior: 90 % of it between low and high. note: where it is from."""

    low: float
    high: float
    note: str


#: Priors, all of them assumptions of ours: no study of a comparable rail was found to take them from.
PRIORS: dict[str, Prior] = {
    "market": Prior(0.005, 0.2, "from a niche to a fifth of what is sent"),
    "start": Prior(0.02, 0.9, "a bonus may win few or nearly all at once"),
    "innovation": Prior(0.003, 0.1, "p of consumer goods: 0.01 to 0.03 is common"),
    "imitation": Prior(0.05, 1.0, "q of consumer goods: 0.3 to 0.5 is common"),
    "abandonment": Prior(0.05, 2.0, "half-lives from four months to fourteen years"),
}


@dataclass(frozen=True, slots=True)
class Observation:
    """An observed share at a time. log_sd: of its logarithm, what the figure may be off. [1]"""

    year: float
    share: float
    log_sd: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """A share at a time: median, ends of the interval that holds LEVEL, and whether it is of any use. [1]"""

    year: float
    low: float
    median: float
    high: float
    useful: bool


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Weighted draws of the prior. effective: number of draws that they are worth. [1]

    draws: shape (draws, len(fields of Parameters)). weights: sum to 1. seed: of the errors of a forecast.
    """

    draws: FloatArray
    weights: FloatArray
    effective: float
    seed: int = 1

    def forecast(self, years: Sequence[float], log_sd: Sequence[float] | None = None) -> tuple[Forecast, ...]:
        """The share at each time; with log_sd, as a figure with that error would state it. [year], [1]

        Raises InputError for a time before START, or not as many errors as times.
        """
        shares = path(self.draws, years)
        if log_sd is not None:
            if len(log_sd) != len(years):
                mend = f"give {len(years)}, one for each time"
                raise InputError(
                    Fault("log_sd", "has not one error for each time", mend, value=str(len(log_sd)))
                )
            noise = np.random.default_rng([self.seed, 1]).standard_normal(shares.shape)
            shares = shares * np.exp(noise * np.asarray(log_sd))
        found = []
        for place, year in enumerate(years):
            low, median, high = _quantiles(
                shares[:, place], self.weights, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
            )
            useful = high <= TOO_WIDE * low
            found.append(Forecast(year, low, median, high, useful))
        return tuple(found)

    def interval(self, name: str) -> tuple[float, float, float]:
        """Low, median and high of a parameter."""
        place = [field.name for field in fields(Parameters)].index(name)
        found = _quantiles(self.draws[:, place], self.weights, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
        return found[0], found[1], found[2]


def observations(until: float) -> tuple[Observation, ...]:
    """What was observed of El Salvador's wallets up to a time. [year]

    Their errors stand in the table: assumptions.
    """
    rows = inclusion_tables()["wallet_shares"]
    return tuple(
        Observation(_time(row["period"]), row["share_pct"] / 100.0, row["log_sd"])
        for row in rows
        if _time(row["period"]) <= until
    )


def _time(period: str) -> float:
    """Middle of a period as a year."""
    months = [part.split("-") for part in period.split("..")]
    if all(len(part) == 2 for part in months):
        starts = [float(part[0]) + (float(part[1]) - 1.0) / 12.0 for part in months]
        return (starts[0] + starts[-1] + 1.0 / 12.0) / 2.0
    return float(period) + 0.5


def path(draws: FloatArray, years: Sequence[float]) -> FloatArray:
    """Users at each time for each draw, shape (draws, years). [1]

    draws: columns in the order of the fields of Parameters. Steps of half a month, each by the midpoint rule.

    Raises InputError for a time before START.
    """
    wanted = np.asarray(years, dtype=np.float64)
    if not np.isfinite(wanted).all() or (wanted < START).any():
        problem = f"must be finite and not before {START:.2f}, the rail's first day"
        raise InputError(Fault("years", problem, "give later years", value=str(list(years))))
    market, start, p, q, d = draws.T
    users, left = market * start, np.zeros(len(draws))
    step = 1.0 / _STEPS_PER_YEAR
    count = math.ceil((wanted.max() - START) * _STEPS_PER_YEAR) + 1
    kept = np.empty((len(draws), count + 1))
    kept[:, 0] = users

    def slope(users: FloatArray, left: FloatArray) -> tuple[FloatArray, FloatArray]:
        fresh = np.maximum(market - users - left, 0.0)
        return (p + q * users / market) * fresh - d * users, d * users

    for place in range(count):
        first = slope(users, left)
        half = slope(users + 0.5 * step * first[0], left + 0.5 * step * first[1])
        users, left = users + step * half[0], left + step * half[1]
        kept[:, place + 1] = users
    at = (wanted - START) * _STEPS_PER_YEAR
    below = np.floor(at).astype(int)
    share = at - below
    found: FloatArray = kept[:, below] * (1.0 - share) + kept[:, below + 1] * share
    return found


def posterior(seen: Sequence[Observation], *, draws: int = 100_000, seed: int = 1) -> Posterior:
    """What the observations leave of the priors.

    Raises InputError for no observations, fewer than 1,000 draws, or a seed below 0.
    """
    faults = []
    if not seen:
        faults.append(Fault("observations", "there is none", "give at least one"))
    if draws < 1_000 or seed < 0:
        value = f"{draws}, {seed}"
        faults.append(Fault("draws, seed", "must be at least 1000 and 0", "give more", value=value))
    if faults:
        raise InputError(faults)
    chance = np.random.default_rng(seed)
    columns = []
    for name in (field.name for field in fields(Parameters)):
        prior = PRIORS[name]
        middle = (math.log(prior.low) + math.log(prior.high)) / 2.0
        spread = (math.log(prior.high) - math.log(prior.low)) / (2.0 * 1.6448536269514722)
        values = np.exp(chance.normal(middle, spread, draws))
        columns.append(np.minimum(values, 1.0) if name in ("market", "start") else values)
    drawn = np.column_stack(columns)
    shares = path(drawn, [one.year for one in seen])
    truth, sd = np.log([one.share for one in seen]), np.array([one.log_sd for one in seen])
    score = -0.5 * (((np.log(np.maximum(shares, 1e-12)) - truth) / sd) ** 2).sum(axis=1)
    weights = np.exp(score - score.max())
    weights /= weights.sum()
    return Posterior(drawn, weights, float(1.0 / (weights**2).sum()), seed)


def _quantiles(values: FloatArray, weights: FloatArray, levels: Sequence[float]) -> list[float]:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    places = np.minimum(np.searchsorted(total, levels), len(values) - 1)
    return [float(value) for value in values[order][places]]
