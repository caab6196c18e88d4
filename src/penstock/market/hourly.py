"""Arrays -> staircases for the compiled kernel, and what it wrote -> a solution."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Arrays, Table
from .kernel import COST, KEEP, LEAST, MOST, Hours, Staircase, clear_hours
from .system import FloatArray, IntArray

__all__ = ["Layout", "LooseSegments", "clear_year", "new_hours", "staircases"]

_DUMP, _LOST, _BEYOND = -1, -2, -3
#: How far above every cost lies the price that stands for "not to be had".
_BEYOND_FACTOR = 1e4
_FAR = 1e2
_MOST_RISE = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class LooseSegments:
    """Segments beside those of the arrays that are not sorted in: what stores bid. K columns."""

    zone: IntArray
    cost: Table
    width: Table


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where what the kernel writes belongs.

    loose: segment of each loose column, before further loose segments and the arcs.
    arcs: number of arcs, the last loose columns.
    lost, dumped: first column of `Hours.used` for unserved demand and for what is dumped, by zone.
    """

    loose: IntArray
    arcs: int
    lost: int
    dumped: int


def staircases(
    arrays: Arrays,
    *,
    loose: Collection[int] = (),
    further: LooseSegments | None = None,
    columns: Sequence[int] | None = None,
) -> tuple[Staircase, Layout]:
    """Sort every zone's segments by cost.

    loose: segments that must not be sorted in (members of budgets), besides those with hourly costs.
    further: loose segments that the arrays do not have.
    columns: column of `Hours.used` for each segment; None keeps the segments' own order.
    """
    target = np.arange(len(arrays.zone)) if columns is None else np.asarray(columns, dtype=np.int64)
    apart = np.zeros(len(arrays.zone), dtype=bool)
    apart[list(loose)] = True
    apart |= arrays.cost.row >= 0
    free = int(np.max(target, initial=-1)) + 1
    layout = Layout(np.flatnonzero(apart), len(arrays.tail), free, free + arrays.zones)
    beyond = _BEYOND_FACTOR * _largest_cost(arrays, further) * _largest_rise(arrays)
    kinds, zone_of, cost = _sorted_steps(arrays, np.flatnonzero(~apart), beyond)
    is_segment = kinds >= 0
    width, row, written = np.zeros(len(kinds)), np.full(len(kinds), -1), np.empty(len(kinds), dtype=np.int64)
    width[is_segment] = arrays.width.constant[kinds[is_segment]]
    width[kinds == _BEYOND] = np.inf
    row[is_segment] = arrays.width.row[kinds[is_segment]]
    found = target[kinds[is_segment]]
    written[is_segment] = np.where(kinds[is_segment] < len(arrays.groups), found, -1 - found)
    ends = np.full((3, arrays.zones + 1), -1, dtype=np.int64)
    ends[0] = np.searchsorted(zone_of, np.arange(arrays.zones + 1))
    ends[1, :-1] = np.flatnonzero(kinds == _DUMP)
    ends[2, zone_of[kinds == _LOST]] = np.flatnonzero(kinds == _LOST)
    for kind, first in ((_LOST, layout.lost), (_DUMP, layout.dumped), (_BEYOND, free + 2 * arrays.zones)):
        written[kinds == kind] = first + zone_of[kinds == kind]
    changing = np.flatnonzero(row >= 0)
    scale = max(float(np.max(arrays.need, initial=0.0)), -float(np.min(arrays.need, initial=0.0)))
    staircase = Staircase(
        step=np.stack([cost, width]),
        ends=ends,
        width_of=changing,
        width_row=row[changing],
        width_series=arrays.width.series,
        need=arrays.need,
        demand=np.asarray(arrays.unserved_limit),
        target=written,
        **_loose_columns(arrays, layout.loose, further),
        beyond=beyond,
        tolerance=1e-9 + 1e-13 * scale,
    )
    return staircase, layout


def _largest_cost(arrays: Arrays, further: LooseSegments | None) -> float:
    costs = [arrays.cost, further.cost] if further else [arrays.cost]
    return max(
        1.0,
        float(np.max(arrays.arc_cost, initial=0.0)),
        *(float(np.max(np.abs(table.constant), initial=0.0)) for table in costs),
        *(float(np.max(np.abs(table.series), initial=0.0)) for table in costs),
        *(value for value in (arrays.unserved_cost, arrays.disposal_cost) if np.isfinite(value)),
    )


def _largest_rise(arrays: Arrays) -> float:
    """How much losses may raise a price on its way through all zones, within reason."""
    worst = float(np.min(arrays.keep, initial=1.0))
    return min(float(worst ** (1 - arrays.zones)), _MOST_RISE)


def _sorted_steps(arrays: Arrays, segments: IntArray, beyond: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Kind (a segment, or one of the three negative marks), zone and cost of every step, in order."""
    zones = np.arange(arrays.zones)
    # What is dumped comes before segments of its price, so that they are curtailed first.
    parts = [
        (_DUMP, -min(arrays.disposal_cost, beyond)),
        (_LOST, arrays.unserved_cost),
        (_BEYOND, beyond),
    ]
    kinds, zone, cost = [], [], []
    for kind, price in parts:
        if kind == _LOST:
            kinds.append(segments)
            zone.append(arrays.zone[segments])
            cost.append(arrays.cost.constant[segments])
        if np.isfinite(price):
            kinds.append(np.full(arrays.zones, kind))
            zone.append(zones)
            cost.append(np.full(arrays.zones, price))
    every = np.concatenate(kinds), np.concatenate(zone), np.concatenate(cost)
    order = np.lexsort((np.arange(len(every[0])), every[2], every[1]))
    return every[0][order], every[1][order], every[2][order]


def _pick(table: Table, chosen: IntArray) -> Table:
    """The chosen rows of a table."""
    row = table.row[chosen]
    varies = row >= 0
    place = np.full(len(chosen), -1, dtype=np.int64)
    place[varies] = np.arange(int(varies.sum()))
    return Table(table.constant[chosen], place, table.series[row[varies]])


def _loose_columns(arrays: Arrays, segments: IntArray, further: LooseSegments | None) -> dict[str, Any]:
    """Loose segments, further ones, then arcs."""
    arcs, nothing = len(arrays.tail), np.zeros((0, arrays.hours))
    zone, cost, high = (
        [arrays.zone[segments]],
        [_pick(arrays.cost, segments)],
        [_pick(arrays.width, segments)],
    )
    if further is not None:
        zone.append(further.zone)
        cost.append(further.cost)
        high.append(further.width)
    count = sum(len(part) for part in zone)
    cost.append(Table(arrays.arc_cost, np.full(arcs, -1), nothing))
    low = [Table(np.zeros(count), np.full(count, -1), nothing), arrays.low]
    high.append(arrays.high)
    loose = np.ones((4, count + arcs))
    loose[KEEP, count:] = arrays.keep
    of, what, row, series, rows = [], [], [], [nothing], 0
    for which, tables in ((COST, cost), (LEAST, low), (MOST, high)):
        loose[which] = np.concatenate([table.constant for table in tables])
        place = 0
        for table in tables:
            varies = np.flatnonzero(table.row >= 0)
            of.append(place + varies)
            what.append(np.full(len(varies), which))
            row.append(rows + table.row[varies])
            if len(table.series):
                series.append(table.series)
            rows += len(table.series)
            place += len(table.row)
    return {
        "link": np.stack(
            [
                np.concatenate([np.full(count, -1, dtype=np.int64), arrays.tail]),
                np.concatenate([*zone, arrays.head]),
            ]
        ),
        "loose": loose,
        "loose_of": np.concatenate(of),
        "loose_what": np.concatenate(what),
        "loose_row": np.concatenate(row),
        "loose_series": series[-1] if len(series) < 3 else np.concatenate(series),
    }


def _zeros(hours: int, columns: int) -> FloatArray:
    """Zeros, shape (hours, columns), from memory that is handed out page by page.

    NumPy asks for huge pages for arrays of this size; where memory is in pieces, making them takes longer
    than clearing the year.
    """
    return np.frombuffer(bytearray(8 * hours * columns), dtype=np.float64).reshape(hours, columns)


def new_hours(staircase: Staircase) -> Hours:
    """Room for the results of a year."""
    hours, zones = staircase.need.shape
    return Hours(
        used=_zeros(hours, int(np.maximum(staircase.target, -1 - staircase.target).max()) + 1),
        loose=np.empty((hours, staircase.link.shape[1])),
        price=np.empty((hours, zones)),
        price_low=np.empty((hours, zones)),
        price_high=np.empty((hours, zones)),
        state=np.zeros(hours, dtype=np.int64),
        pivots=np.zeros(hours, dtype=np.int64),
    )


def clear_year(staircase: Staircase, out: Hours) -> None:
    """Clear all hours into `out`."""
    zones, count = staircase.need.shape[1], staircase.link.shape[1]
    clear_hours(
        staircase,
        out,
        0,
        len(staircase.need),
        staircase.step.copy(),
        staircase.loose.copy(),
        np.zeros((3, zones), dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros((zones, zones)),
        np.zeros((5, zones)),
    )
    # What no price of the system can reach stands for "no limit".
    far = staircase.beyond / _FAR
    out.price_high[out.price_high >= far] = np.inf
    out.price_low[out.price_low <= -far] = -np.inf
