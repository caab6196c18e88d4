"""The root of the interior-point solver: levels between the pieces of the year and multipliers of budgets.

With M the chain of one piece's store rows and X = [level before, multipliers of the budgets' slots, level
after] its coupling to the border, the root is the sum over pieces of X' M^-1 X, plus 1 / theta for each level
and minus the budgets' own block. It is quasi-definite, so L D L' exists in any order (Vanderbei, Symmetric
Quasi-Definite Matrices, SIAM J. Optim. 5, 1995); the order follows the year, and a row's entries start at
`first` (a skyline).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from .interior_linear import LANES, FloatArray, IntArray, symmetric_times

__all__ = ["Root", "solve_root"]

_SMALLEST_PIVOT = 1e-30


class Root(NamedTuple):
    """Places and factors of the root.

    level_at: place of the level before each lane, shape (S, LANES); budget_at: of each budget period.
    first: column of the first entry of each row; matrix, pivot: factors; answer: solution.
    """

    level_at: IntArray
    budget_at: IntArray
    first: IntArray
    matrix: FloatArray
    pivot: FloatArray
    answer: FloatArray


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _factor(a: FloatArray, first: IntArray, pivot: FloatArray) -> None:
    """L D L' of the symmetric matrix in the lower triangle of `a`, in place; pivot: 1 / D."""
    for i in range(len(first)):
        for j in range(first[i], i):
            total = 0.0
            for k in range(max(first[i], first[j]), j):
                total += a[i, k] * a[j, k]
            a[i, j] -= total
        total = a[i, i]
        for j in range(first[i], i):
            scaled = a[i, j] * pivot[j]
            total -= scaled * a[i, j]
            a[i, j] = scaled
        pivot[i] = 1.0 / total if abs(total) > _SMALLEST_PIVOT else 0.0


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _solve(a: FloatArray, first: IntArray, pivot: FloatArray, x: FloatArray) -> None:
    """Solve with the factors of `_factor`, in place."""
    for i in range(len(first)):
        total = x[i]
        for k in range(first[i], i):
            total -= a[i, k] * x[k]
        x[i] = total
    for i in range(len(first)):
        x[i] *= pivot[i]
    for back in range(len(first)):
        i = len(first) - 1 - back
        for k in range(first[i], i):
            x[k] -= a[i, k] * x[i]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_lane(
    root: Root,
    lane: int,
    after: IntArray,
    places: IntArray,
    border: FloatArray,
    slack: FloatArray,
    p: FloatArray,
    f: FloatArray,
) -> None:
    """Add one lane's part of the matrix; places: of its border, after: of the levels that follow it."""
    a, stores = root.matrix, len(after)
    for i in range(len(places)):
        for j in range(i + 1):
            if places[i] >= 0 and places[j] >= 0:
                a[max(places[i], places[j]), min(places[i], places[j])] += border[i * (i + 1) // 2 + j, lane]
    for s in range(stores):
        a[places[s], places[s]] += slack[s, lane]
        place = after[s]
        for k in range(s + 1):
            a[max(place, after[k]), min(place, after[k])] += p[s * (s + 1) // 2 + k, lane]
        for column in range(len(places)):
            other = places[column]
            if other < 0:
                continue
            total = 0.0
            for k in range(stores):
                at = s * (s + 1) // 2 + k if k <= s else k * (k + 1) // 2 + s
                total += p[at, lane] * f[k, column, lane]
            a[max(place, other), min(place, other)] += 2.0 * total if place == other else total


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _hand_back(
    root: Root,
    steps: int,
    lane_first: IntArray,
    previous: IntArray,
    slot_period: IntArray,
    budgets: FloatArray,
    left: FloatArray,
    right: FloatArray,
) -> None:
    """The solution by lane: of its levels and budget slots, and of the levels after it."""
    stores, size = len(right), len(left)
    left[:] = 0.0
    right[:] = 0.0
    for lane in range(LANES):
        if lane_first[lane] >= steps:
            continue
        for s in range(stores):
            left[s, lane] = root.answer[root.level_at[s, lane]]
            right[s, previous[lane]] = left[s, lane]
        for i in range(size - stores):
            if slot_period[i, lane] >= 0:
                left[stores + i, lane] = budgets[slot_period[i, lane]]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def solve_root(
    root: Root,
    factor: bool,
    steps: int,
    lane_first: IntArray,
    previous: IntArray,
    slot_period: IntArray,
    border: FloatArray,
    border_rhs: FloatArray,
    slack: FloatArray,
    slack_k: FloatArray,
    p: FloatArray,
    f: FloatArray,
    last_rhs: FloatArray,
    budget_rhs: FloatArray,
    budget_theta: FloatArray,
    budgets: FloatArray,
    left: FloatArray,
    right: FloatArray,
) -> None:
    """Solve the root and hand the solution to the lanes: `budgets`, `left` over [level, slots], `right`.

    p, f, last_rhs: inverse, coupling and right side of the lanes' last store rows.
    """
    stores, size = len(slack), len(left)
    x = root.answer
    x[:] = 0.0
    if factor:
        root.matrix[:] = 0.0
    work = np.zeros((stores, LANES))
    symmetric_times(p, stores, last_rhs, work)
    places, after = np.zeros(size, dtype=np.int64), np.zeros(stores, dtype=np.int64)
    for following in range(LANES):
        if lane_first[following] >= steps:
            continue
        lane = previous[following]
        for s in range(stores):
            places[s], after[s] = root.level_at[s, lane], root.level_at[s, following]
            x[places[s]] += border_rhs[s, lane] - slack_k[s, lane]
            x[after[s]] += work[s, lane]
        for i in range(size - stores):
            period = slot_period[i, lane]
            places[stores + i] = root.budget_at[period] if period >= 0 else -1
            if period >= 0:
                x[root.budget_at[period]] += border_rhs[stores + i, lane]
        if factor:
            _add_lane(root, lane, after, places, border, slack, p, f)
    for k in range(len(budgets)):
        place = root.budget_at[k]
        x[place] -= budget_rhs[k]
        if factor:
            root.matrix[place, place] -= budget_theta[k]
    if factor:
        _factor(root.matrix, root.first, root.pivot)
    _solve(root.matrix, root.first, root.pivot, x)
    for k in range(len(budgets)):
        budgets[k] = x[root.budget_at[k]]
    _hand_back(root, steps, lane_first, previous, slot_period, budgets, left, right)
