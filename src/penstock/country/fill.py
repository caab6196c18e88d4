"""Shares a total out in proportion to weights, and never above a limit."""

from __future__ import annotations

import numpy as np

from penstock.country.country import FloatArray

__all__ = ["FILL_TOLERANCE", "reachable", "water_fill"]

FILL_TOLERANCE = 1e-9  # by which a total may exceed what is reachable, relative: rounding of the tables


def reachable(weight: FloatArray, limit: FloatArray) -> float:
    """The largest total that `water_fill` can share out: the limits of all that has a weight."""
    return float(np.sum(limit[weight > 0.0]))


def water_fill(weight: FloatArray, limit: FloatArray, total: float) -> FloatArray:
    """x = min(f * weight, limit) with the one factor f >= 0 for which x sums to the total.

    weight: relative, at least 0; what has weight 0 gets nothing. Any shape.
    limit: largest x, at least 0, of the same shape and in the unit of the total.
    total: from 0 to `reachable(weight, limit)`.

    The sum is piecewise linear in f with a kink at each limit / weight, as in water-filling (Boyd and
    Vandenberghe 2004, Convex Optimization, example 5.2): the kinks are sorted and the piece that holds the
    total is solved, so that there is no iteration and the sum is exact to rounding.

    Raises ValueError for a total below 0, or above what is reachable by more than 1e-9 of it.
    """
    most = reachable(weight, limit)
    if not 0.0 <= total <= most * (1.0 + FILL_TOLERANCE):
        raise ValueError(f"cannot share out {total}: the limits allow from 0 to {most}")
    if total == 0.0:
        return np.zeros_like(limit)
    used = weight > 0.0
    if total >= most:
        return np.where(used, limit, 0.0)
    some_weight, some_limit = weight[used], limit[used]
    kinks = some_limit / some_weight
    order = np.argsort(kinks, kind="stable")
    kinks, some_weight, some_limit = kinks[order], some_weight[order], some_limit[order]
    held = np.concatenate(([0.0], np.cumsum(some_limit)[:-1]))  # by those whose limit binds before
    free = np.cumsum(some_weight[::-1])[::-1]  # weight of those whose limit does not
    # Rounding can leave the last sum just below the total, which is then in the last piece.
    piece = min(int(np.searchsorted(held + kinks * free, total)), len(kinks) - 1)
    factor = (total - held[piece]) / free[piece]
    filled: FloatArray = np.minimum(factor * weight, limit)
    return filled
