"""Which segments the band of prices leaves open as columns of the interior-point solver.

In each hour, a segment that costs less than the band runs at full width and one that costs more not at all;
only those in between are columns. What a zone goes without and what it dumps are segments too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from .arrays import Arrays
from .interior_linear import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

__all__ = ["Segments", "count_segments", "to_segments", "write_segments"]

# A segment whose cost is this near the band's edge stays a column. [USD/MWh]
_BAND_SLACK = 1e-9

# Kinds of segments. Those of budgets, and what is not allowed, are none of the band's.
_SUPPLY, _UNSERVED, _DUMPED, _NONE = 0, 1, 2, -1
# Where a segment's cost lies in an hour. Without a width it is as good as above.
_BELOW, _INSIDE, _ABOVE = -1, 0, 1

_njit: Any = numba.njit  # its types do not know the options below
_part: Any = _njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


class Segments(NamedTuple):
    """n segments of `Arrays`, then what each zone goes without, then what each zone dumps; H hours, Z zones.

    zone, bound: zone of each of the n, and whether it belongs to a budget: then every hour has its column.
    cost, cost_row, cost_series, width, width_row, width_series: their tables. [USD/MWh, MW]
    unserved_cost, unserved_limit, disposal_cost: as in `Arrays`. [USD/MWh, MW, USD/MWh]
    most: more than a zone could ever dump, shape (H, Z). [MW]
    low, high: band of prices, shape (H, Z). [USD/MWh]
    """

    zone: IntArray
    bound: BoolArray
    cost: FloatArray
    cost_row: IntArray
    cost_series: FloatArray
    width: FloatArray
    width_row: IntArray
    width_series: FloatArray
    unserved_cost: float
    unserved_limit: FloatArray
    disposal_cost: float
    most: FloatArray
    low: FloatArray
    high: FloatArray


def to_segments(a: Arrays, low: FloatArray, high: FloatArray) -> Segments:
    """The segments and the band, shape (H, Z), in the form of the compiled functions."""
    bound = np.zeros(len(a.zone), dtype=bool)
    bound[a.member] = True
    return Segments(
        zone=a.zone,
        bound=bound,
        cost=a.cost.constant,
        cost_row=a.cost.row,
        cost_series=a.cost.series,
        width=a.width.constant,
        width_row=a.width.row,
        width_series=a.width.series,
        unserved_cost=a.unserved_cost,
        unserved_limit=a.unserved_limit,
        disposal_cost=a.disposal_cost,
        most=_dump_limit(a),
        low=low,
        high=high,
    )


def _dump_limit(a: Arrays) -> FloatArray:
    """More than anybody could ever dump, shape (H, Z). [MW]"""
    most = np.maximum(-a.need, 0.0)
    if not np.isfinite(a.disposal_cost):
        return most
    for index, zone in enumerate(a.zone):
        r = a.width.row[index]
        most[:, zone] += a.width.series[r] if r >= 0 else a.width.constant[index]
    for index in range(len(a.tail)):
        most[:, a.head[index]] += a.keep[index] * a.high.full(index)
        most[:, a.tail[index]] += np.maximum(-a.low.full(index), 0.0)
    for store, zone in enumerate(a.store_zone):
        most[:, zone] += a.discharge_limit[store]
    return most


@_part
def _hourly(constant: FloatArray, row: IntArray, series: FloatArray, i: int, out: FloatArray) -> None:
    """Write the hourly values of one thing in a table, shape (H,)."""
    for h in range(len(out)):
        out[h] = series[row[i], h] if row[i] >= 0 else constant[i]


@_part
def _of_zone(price: float, most: FloatArray, z: int, cost: FloatArray, width: FloatArray) -> None:
    """Write one price and what one zone goes without or dumps, most: shape (H, Z)."""
    for h in range(len(cost)):
        cost[h] = price
        width[h] = most[h, z]


@_part
def _read(m: Segments, i: int, cost: FloatArray, width: FloatArray) -> tuple[int, int]:
    """Kind and zone of one of the n + 2 Z segments; writes its cost and width of each hour, shape (H,)."""
    count, zones = len(m.zone), m.low.shape[1]
    z = (i - count) % zones
    if i < count:
        if m.bound[i]:
            return _NONE, 0
        _hourly(m.cost, m.cost_row, m.cost_series, i, cost)
        _hourly(m.width, m.width_row, m.width_series, i, width)
        return _SUPPLY, m.zone[i]
    if i < count + zones:
        if not np.isfinite(m.unserved_cost):
            return _NONE, 0
        _of_zone(m.unserved_cost, m.unserved_limit, z, cost, width)
        return _UNSERVED, z
    if not np.isfinite(m.disposal_cost):
        return _NONE, 0
    _of_zone(-m.disposal_cost, m.most, z, cost, width)
    return _DUMPED, z


@_part
def _side(cost: float, width: float, low: float, high: float) -> int:
    """Where a segment lies in an hour."""
    if width <= 0.0 or cost > high + _BAND_SLACK:
        return _ABOVE
    return _BELOW if cost < low - _BAND_SLACK else _INSIDE


@numba.njit(nogil=True, cache=True, error_model="numpy")
def count_segments(m: Segments, step: IntArray, lane: IntArray, need: FloatArray, counts: IntArray) -> float:
    """Count the segments inside the band by (step, zone, lane) and fix the others; returns their cost. [USD]

    step, lane: of each hour, shape (H,).
    need: what is left to serve, shape (H, Z): changed. A column for dumping is what is not dumped of the
        most that could be, which is worth its disposal cost: so `need` gets that most. [MW]
    """
    hours, zones = need.shape
    c, w = np.zeros(hours), np.zeros(hours)
    low, high = m.low, m.high
    fixed = 0.0
    for i in range(len(m.zone) + 2 * zones):
        kind, z = _read(m, i, c, w)
        if kind == _NONE:
            continue
        for h in range(hours):
            side = _side(c[h], w[h], low[h, z], high[h, z])
            if side == _INSIDE:
                counts[step[h], z, lane[h]] += 1
                if kind == _DUMPED:
                    need[h, z] += w[h]
                    fixed -= c[h] * w[h]
            elif side == _BELOW and kind != _DUMPED:
                need[h, z] -= w[h]
                fixed += c[h] * w[h]
    return fixed


@numba.njit(nogil=True, cache=True, error_model="numpy")
def write_segments(
    m: Segments,
    step: IntArray,
    lane: IntArray,
    start: IntArray,
    at: IntArray,
    unit: float,
    counts: IntArray,
    width: FloatArray,
    cost: FloatArray,
    row: IntArray,
) -> None:
    """Write the columns of the segments that `count_segments` counted: `width`, `cost` and `row`.

    start, at, row: as in `Layout`; counts: work, as in `count_segments`.
    unit: of `width`, 1 / power. [1/MW]
    """
    hours = len(step)
    _, zones, lanes = counts.shape
    c, w = np.zeros(hours), np.zeros(hours)
    low, high = m.low, m.high
    counts[:] = 0
    for i in range(len(m.zone) + 2 * zones):
        kind, z = _read(m, i, c, w)
        if kind == _NONE:
            continue
        for h in range(hours):
            if _side(c[h], w[h], low[h, z], high[h, z]) != _INSIDE:
                continue
            t, column = step[h], lane[h]
            j = start[(t * zones + z) * lanes + column] + counts[t, z, column]
            k = at[t] + j - start[t * zones * lanes]
            width[k] = w[h] * unit
            cost[k] = c[h]
            row[j] = z * lanes + column
            counts[t, z, column] += 1
