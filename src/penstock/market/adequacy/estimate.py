"""A mean over sampled years, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from penstock.market.system import FloatArray

__all__ = ["Estimate", "estimate_of"]

#: Where nothing was seen in n years, the mean number of events a year is below this over n, at 95 %.
_RULE_OF_THREE = 3.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of samples.

    standard_error: of the mean; 0 where all samples are equal, which proves nothing about rare events.
    samples: how many there are.
    """

    value: float
    standard_error: float
    samples: int

    @property
    def years_with_events_at_most(self) -> float | None:
        """Where nothing was seen, the share of years with an event is below this at 95 %; else None.

        The rule of three: with a share p, no event in n years has the probability (1 − p)^n ≥ 0.05 up to
        p ≈ 3/n (Hanley and Lippman-Hand, JAMA 249, 1983).
        """
        if self.value != 0.0 or self.standard_error != 0.0:
            return None
        return min(_RULE_OF_THREE / self.samples, 1.0)


def estimate_of(samples: FloatArray) -> Estimate:
    """Mean and its standard error, of at least one sample, shape (samples,). One sample has the error NaN."""
    count = len(samples)
    # In the order of the samples, so that it is the same however they were computed.
    mean = math.fsum(samples) / count
    if count == 1:
        return Estimate(mean, math.nan, 1)
    spread = math.fsum((np.asarray(samples) - mean) ** 2) / (count - 1)
    return Estimate(mean, math.sqrt(spread / count), count)
