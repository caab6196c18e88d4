"""Means, quantiles, value at risk and what lies beyond it, each with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Figure", "TailRisk", "mean_of", "quantiles_of", "share_of", "tail_risk"]

FloatArray = npt.NDArray[np.float64]
#: Quantiles of every distribution that is shown. [1]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate. standard_error: in the unit of the value; None of a single sample."""

    value: float
    standard_error: float | None
    samples: int


@dataclass(frozen=True, slots=True)
class TailRisk:
    """The loss that is exceeded with a small chance, and the mean loss where it is (expected shortfall)."""

    level: float
    value_at_risk: Figure
    beyond: Figure


def mean_of(values: FloatArray) -> Figure:
    """Mean over independent samples."""
    count = len(values)
    error = None if count < 2 else float(values.std(ddof=1)) / math.sqrt(count)
    return Figure(float(values.mean()), error, count)


def share_of(happened: npt.NDArray[np.bool_]) -> Figure:
    """Share of independent samples in which something happened; error of the binomial distribution."""
    count, share = len(happened), float(happened.mean())
    error = None if count < 2 else math.sqrt(share * (1.0 - share) / (count - 1))
    return Figure(share, error, count)


def quantiles_of(values: FloatArray) -> tuple[float, ...]:
    """The quantiles of QUANTILES, between order statistics by straight lines."""
    return tuple(float(value) for value in np.quantile(values, QUANTILES))


def tail_risk(losses: FloatArray, level: float) -> TailRisk:
    """Value at risk and expected shortfall of losses; a gain is a negative loss.

    level: share of the worst cases, above 0 and below 1. [1]

    The value at risk is the order statistic of rank ceil(n (1 - level)); its standard error is half the
    distance of the order statistics one binomial standard error around that rank, which needs no density
    (David and Nagaraja, 2003, section 7.1). The shortfall is VaR + mean(max(L - VaR, 0)) / level (Rockafellar
    and Uryasev, 2000), and its error that of this mean with the value at risk held: the derivative with
    respect to it vanishes.

    Raises ValueError for no losses or a level out of range.
    """
    count = len(losses)
    if not count or not 0.0 < level < 1.0:
        raise ValueError(f"{count} losses at the level {level}")
    ordered = np.sort(losses)
    rank = min(max(math.ceil(count * (1.0 - level)), 1), count)
    spread = math.sqrt(count * level * (1.0 - level))
    low, high = (min(max(math.ceil(rank + way * spread), 1), count) for way in (-1.0, 1.0))
    at_risk = float(ordered[rank - 1])
    error = None if count < 2 else float(ordered[high - 1] - ordered[low - 1]) / 2.0
    excess = np.maximum(losses - at_risk, 0.0) / level
    beyond = mean_of(at_risk + excess)
    return TailRisk(level, Figure(at_risk, error, count), beyond)
