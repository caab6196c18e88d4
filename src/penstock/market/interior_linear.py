"""Linear algebra of the interior-point solver: small dense blocks, many pieces of the year side by side.

The year is cut into `LANES` pieces. Every array ends in a lane axis, so each operation on a small matrix is
a loop over lanes that the compiler turns into vector instructions. Symmetric matrices are packed by rows of
their lower triangle.

Within a piece the store rows form a chain: row t meets row t + 1 only through the level column between them,
whose weight is the diagonal matrix W. With R the matrix of row t after all earlier rows are eliminated,

    P = (R + W)^-1,     next R = own block + W P R,     next right side = own part + W P r.

W P R is the parallel sum of W and R; written as a product it cancels nothing, however large W is. What
joins pieces (the levels between them and the multipliers of energy budgets) is the border. Its Schur
complement, the root, is small and quasi-definite: see `interior_root`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["LANES", "invert", "leaf", "parallel_sum", "symmetric_times"]

LANES = 24
_SMALLEST_PIVOT = 1e-30

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

F = TypeVar("F", bound=Callable[..., None])


def leaf(function: F) -> F:
    """Compile an inner function: no checks, sums in any order."""
    return cast(F, numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")(function))


@leaf
def invert(a: FloatArray, n: int, work: FloatArray) -> None:
    """Replace the packed positive definite matrices `a` (n (n + 1) / 2, LANES) by their inverses.

    Cholesky factor, inverse of the factor, product with its transpose. work: shape (LANES,).
    """
    for j in range(n):
        jj = j * (j + 1) // 2
        for i in range(j, n):
            ii = i * (i + 1) // 2
            for lane in range(LANES):
                work[lane] = a[ii + j, lane]
            for k in range(j):
                for lane in range(LANES):
                    work[lane] -= a[ii + k, lane] * a[jj + k, lane]
            if i == j:
                for lane in range(LANES):
                    work[lane] = 1.0 / np.sqrt(max(work[lane], _SMALLEST_PIVOT))
            else:
                for lane in range(LANES):
                    work[lane] *= a[jj + j, lane]
            for lane in range(LANES):
                a[ii + j, lane] = work[lane]
    for j in range(n):
        for i in range(j + 1, n):
            ii = i * (i + 1) // 2
            for lane in range(LANES):
                work[lane] = 0.0
            for k in range(j, i):
                kk = k * (k + 1) // 2
                for lane in range(LANES):
                    work[lane] -= a[ii + k, lane] * a[kk + j, lane]
            for lane in range(LANES):
                work[lane] *= a[ii + i, lane]
            for lane in range(LANES):
                a[ii + j, lane] = work[lane]
    for i in range(n):
        ii = i * (i + 1) // 2
        for j in range(i + 1):
            for lane in range(LANES):
                work[lane] = 0.0
            for k in range(i, n):
                kk = k * (k + 1) // 2
                for lane in range(LANES):
                    work[lane] += a[kk + i, lane] * a[kk + j, lane]
            for lane in range(LANES):
                a[ii + j, lane] = work[lane]


@leaf
def symmetric_times(a: FloatArray, n: int, x: FloatArray, out: FloatArray) -> None:
    """out = a x for packed symmetric `a`."""
    for i in range(n):
        for lane in range(LANES):
            out[i, lane] = 0.0
        for k in range(n):
            at = i * (i + 1) // 2 + k if k <= i else k * (k + 1) // 2 + i
            for lane in range(LANES):
                out[i, lane] += a[at, lane] * x[k, lane]


@leaf
def parallel_sum(
    weight: FloatArray, p: FloatArray, r: FloatArray, n: int, out: FloatArray, work: FloatArray
) -> None:
    """out += weight p r, the parallel sum of diag(weight) and r, packed; p = (diag(weight) + r)^-1."""
    for i in range(n):
        for j in range(i + 1):
            for lane in range(LANES):
                work[lane] = 0.0
            for k in range(n):
                left = i * (i + 1) // 2 + k if k <= i else k * (k + 1) // 2 + i
                right = j * (j + 1) // 2 + k if k <= j else k * (k + 1) // 2 + j
                for lane in range(LANES):
                    work[lane] += p[left, lane] * r[right, lane]
            at = i * (i + 1) // 2 + j
            for lane in range(LANES):
                out[at, lane] += weight[i, lane] * work[lane]
