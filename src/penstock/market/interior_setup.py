"""From `Arrays` to the layout and the columns of the interior-point solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .arrays import Arrays, Table
from .interior_linear import LANES
from .interior_passes import Blocks, Columns, Layout
from .interior_root import Root
from .interior_select import count_segments, to_segments, write_segments
from .system import FloatArray, IntArray

__all__ = ["Problem", "set_up"]

# A column that is shut keeps this width, over the typical power, so that every column is alike.
_SHUT = 1e-9


@dataclass(slots=True, eq=False)
class Problem:
    """A scaled problem in lanes.

    power, money: units of energy and of prices. [MW, USD/MWh]
    hour: hour of each step and lane, -1 for none; step, lane: of each hour.
    dense_at: place of the columns of each step after its segments; store_first: first of the store kinds.
    """

    layout: Layout
    columns: Columns
    blocks: Blocks
    root: Root
    power: float
    money: float
    fixed_cost: float
    hour: IntArray
    step: IntArray
    lane: IntArray
    dense_at: IntArray
    store_first: int
    kinds: tuple[IntArray, IntArray, IntArray, IntArray]

    def by_hour(self, values: FloatArray) -> FloatArray:
        """(T, n, LANES) -> (H, n)."""
        return np.ascontiguousarray(values[self.step, :, self.lane])

    def of_stores(self, kind: int) -> FloatArray:
        """Charge, discharge, spill or level after the hour, shape (H, S)."""
        out = np.zeros((len(self.step), len(self.kinds[3])))
        first = self.store_first + sum(len(each) for each in self.kinds[:kind])
        for index, store in enumerate(self.kinds[kind]):
            out[:, store] = self.columns.x[self.dense_at[self.step] + (first + index) * LANES + self.lane]
        if kind == 3:
            out = np.roll(out, -1, axis=0)
        return out * self.power


class _Pieces(NamedTuple):
    """How the H hours lie in T steps of LANES lanes; each lane is one piece of the year.

    lanes: how many hold hours; first, previous: as in `Layout`, shape (LANES,).
    hour: hour of each step and lane, -1 for none, shape (T, LANES); step, lane: of each hour, shape (H,).
    """

    lanes: int
    first: IntArray
    previous: IntArray
    hour: IntArray
    step: IntArray
    lane: IntArray

    def spread(self, values: FloatArray) -> FloatArray:
        """(H, n) -> (T, n, LANES), 0 where there is no hour."""
        out = np.zeros((len(self.hour), values.shape[1], LANES))
        out[self.step, :, self.lane] = values
        return out


class _Dense(NamedTuple):
    """The columns that every hour has, in their order; arcs follow the members of budgets.

    members: segments in budgets; arcs: how many.
    chargers, dischargers, spillers: stores that can charge, discharge, spill; stores: all, for their levels.
    """

    members: IntArray
    arcs: int
    chargers: IntArray
    dischargers: IntArray
    spillers: IntArray
    stores: IntArray

    @property
    def kinds(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Stores of each kind of store columns."""
        return self.chargers, self.dischargers, self.spillers, self.stores

    @property
    def before_stores(self) -> int:
        """Columns before those of the stores."""
        return len(self.members) + self.arcs

    @property
    def columns(self) -> int:
        """Columns of an hour."""
        return self.before_stores + sum(len(each) for each in self.kinds)


class _Chosen(NamedTuple):
    """The columns inside the band and those that every hour has, then the energies of the budget periods.

    at, segments, row, start: as in `Layout`; dense_at: as in `Problem`.
    width, cost: of each column; fixed: cost of what runs in any case. [power, USD/MWh, USD]
    """

    at: IntArray
    segments: IntArray
    row: IntArray
    start: IntArray
    dense_at: IntArray
    width: FloatArray
    cost: FloatArray
    fixed: float


def set_up(
    a: Arrays, band_low: FloatArray | None, band_high: FloatArray | None, price: FloatArray | None
) -> Problem:
    """Scale, select the columns and lay them out.

    band_low, band_high: prices that enclose the optimal ones; price: first guess; shape (H, Z). [USD/MWh]
    """
    pieces, dense = _pieces(a.hours), _dense(a)
    power = max(float(np.mean(np.abs(a.need))), 1e-3)
    low, high = _band(a, band_low, -np.inf), _band(a, band_high, np.inf)
    need = np.array(a.need)
    chosen = _choose(a, pieces, dense, low, high, need, power)
    width, cost = chosen.width, chosen.cost
    money = _typical_cost(cost)
    cost /= money
    np.maximum(width, _SHUT, out=width)
    energy = _budget_columns(a, width, int(chosen.at[-1]), power)

    slot, slot_period = _slots(a, pieces.hour)
    blocks = _blocks(len(pieces.hour), a.zones, len(a.store_zone), len(a.period), len(slot_period), energy)
    _start_blocks(a, pieces, blocks, need / power, _first_prices(a, low, high, price) / money, power)
    return Problem(
        layout=_layout(a, pieces, dense, chosen, slot, slot_period),
        columns=Columns(np.zeros(len(width)), width, np.zeros(len(width)), np.zeros(len(width)), cost),
        blocks=blocks,
        root=_root(a, pieces, slot_period),
        power=power,
        money=money,
        fixed_cost=chosen.fixed,
        hour=pieces.hour,
        step=pieces.step,
        lane=pieces.lane,
        dense_at=chosen.dense_at,
        store_first=dense.before_stores,
        kinds=dense.kinds,
    )


def _pieces(hours: int) -> _Pieces:
    """Cut the year into LANES pieces of equal length; those that are one hour shorter start a step later."""
    count = min(LANES, hours)
    steps = -(-hours // count)
    length = np.zeros(LANES, dtype=np.int64)
    length[:count] = hours // count
    length[: hours % count] += 1
    first = steps - length
    begin = np.concatenate([[0], np.cumsum(length)[:-1]])
    hour = begin[None, :] + np.arange(steps)[:, None] - first[None, :]
    hour[np.arange(steps)[:, None] < first[None, :]] = -1
    lane = np.repeat(np.arange(LANES), length)
    step = np.arange(hours) - begin[lane] + first[lane]
    return _Pieces(count, first, (np.arange(LANES) - 1) % count, hour, step, lane)


def _dense(a: Arrays) -> _Dense:
    """The columns that every hour has."""
    return _Dense(
        members=np.unique(a.member),
        arcs=len(a.tail),
        chargers=np.flatnonzero(a.charge_limit > 0),
        dischargers=np.flatnonzero(a.discharge_limit > 0),
        spillers=np.flatnonzero(a.inflow.max(axis=1, initial=0.0) > 0),
        stores=np.arange(len(a.store_zone)),
    )


def _band(a: Arrays, edge: FloatArray | None, without: float) -> FloatArray:
    """One edge of the band, shape (H, Z); `without` everywhere where there is no band. [USD/MWh]"""
    if edge is None:
        return np.full((a.hours, a.zones), without)
    return np.ascontiguousarray(edge, dtype=float)


def _choose(
    a: Arrays,
    pieces: _Pieces,
    dense: _Dense,
    low: FloatArray,
    high: FloatArray,
    need: FloatArray,
    power: float,
) -> _Chosen:
    """Choose the columns and write them down; widths of the budget periods are still to come.

    need: what is left to serve, shape (H, Z): changed by what runs in any case. [MW]
    """
    zones, steps = a.zones, len(pieces.hour)
    counts = np.zeros((steps, zones, LANES), dtype=np.int64)
    offered = to_segments(a, low, high)
    fixed = count_segments(offered, pieces.step, pieces.lane, need, counts)
    start = np.zeros(steps * zones * LANES + 1, dtype=np.int64)
    np.cumsum(counts.reshape(-1), out=start[1:])
    segments = np.diff(start[:: zones * LANES])
    at = np.zeros(steps + 1, dtype=np.int64)
    np.cumsum(segments + dense.columns * LANES, out=at[1:])
    total = int(at[-1]) + len(a.minimum)
    width, cost = np.full(total, _SHUT), np.zeros(total)
    row = np.zeros(int(start[-1]), dtype=np.int64)
    write_segments(offered, pieces.step, pieces.lane, start, at, 1.0 / power, counts, width, cost, row)
    dense_at = at[:-1] + segments
    place = dense_at[pieces.step] + pieces.lane
    fixed += _dense_columns(a, dense, place, power, need, width, cost)
    return _Chosen(at, segments, row, start, dense_at, width, cost, fixed)


def _layout(
    a: Arrays, pieces: _Pieces, dense: _Dense, chosen: _Chosen, slot: IntArray, slot_period: IntArray
) -> Layout:
    """Where the chosen columns are and what they enter."""
    link = np.ones((len(a.store_zone), LANES))
    link[~np.isnan(a.initial_level), 0] = 0.0
    pattern_start, pattern_row, pattern_value = _patterns(a, dense)
    return Layout(
        first=pieces.first,
        previous=pieces.previous,
        at=chosen.at,
        segments=chosen.segments,
        row=chosen.row.astype(np.uint32),
        start=chosen.start,
        pattern_start=pattern_start,
        pattern_row=pattern_row,
        pattern_value=pattern_value,
        link=link,
        slot=slot,
        slot_period=slot_period,
    )


def _patterns(a: Arrays, dense: _Dense) -> tuple[IntArray, IntArray, FloatArray]:
    """Matrix entries of the columns that every hour has; rows are zones, stores, budgets."""
    zones, stores = a.zones, len(a.store_zone)
    columns: list[list[tuple[int, float]]] = []
    for segment in dense.members:
        entries = [(int(a.zone[segment]), 1.0)]
        for b in range(len(a.period)):
            for e in range(a.member_start[b], a.member_start[b + 1]):
                if a.member[e] == segment:
                    entries.append((zones + stores + b, float(a.member_sign[e])))
        columns.append(entries)
    for tail, head, keep in zip(a.tail, a.head, a.keep, strict=True):
        columns.append([(int(tail), -1.0), (int(head), float(keep))])
    for s in dense.chargers:
        columns.append([(int(a.store_zone[s]), -1.0), (zones + int(s), -float(a.charge_efficiency[s]))])
    for s in dense.dischargers:
        columns.append(
            [(int(a.store_zone[s]), 1.0), (zones + int(s), 1.0 / float(a.discharge_efficiency[s]))]
        )
    for s in dense.spillers:
        columns.append([(zones + int(s), 1.0)])
    start = np.cumsum([0, *(len(entries) for entries in columns)])
    flat = [entry for entries in columns for entry in entries]
    return (
        start.astype(np.int64),
        np.array([row for row, _ in flat], dtype=np.int64),
        np.array([value for _, value in flat], dtype=np.float64),
    )


def _typical_cost(cost: FloatArray) -> float:
    """Median of the costs that are not 0, without their signs: the unit of prices. [USD/MWh]"""
    used = np.abs(cost[cost != 0.0])
    return float(np.median(used)) if len(used) else 1.0


def _first_prices(a: Arrays, low: FloatArray, high: FloatArray, price: FloatArray | None) -> FloatArray:
    """Prices to start from, shape (H, Z): those given, or the middle of a narrow band. [USD/MWh]"""
    if price is not None:
        return np.asarray(price, dtype=float)
    plants = a.cost.constant[a.cost.row < 0]
    typical = float(np.median(plants)) if len(plants) else 50.0
    lower, upper = np.where(np.isfinite(low), low, typical), np.where(np.isfinite(high), high, typical)
    return np.where(upper - lower < 10 * abs(typical), 0.5 * (lower + upper), np.maximum(lower, typical))


def _hourly(table: Table, index: int) -> FloatArray | float:
    """Hourly values of one thing, shape (H,), or the one value that it has in every hour."""
    row = table.row[index]
    return table.series[row] if row >= 0 else float(table.constant[index])


def _dense_columns(
    a: Arrays,
    dense: _Dense,
    place: IntArray,
    power: float,
    need: FloatArray,
    width: FloatArray,
    cost: FloatArray,
) -> float:
    """Write the columns that every hour has; returns the cost of the least that arcs send. [USD]

    place: of the first of them in each hour, shape (H,); need: changed by what arcs send at least, (H, Z).
    """
    fixed = 0.0
    k = 0
    for i in dense.members:
        width[place + k * LANES] = _hourly(a.width, i) / power
        cost[place + k * LANES] = _hourly(a.cost, i)
        k += 1
    for i in range(len(a.tail)):
        low, high = _hourly(a.low, i), _hourly(a.high, i)
        width[place + k * LANES] = (high - low) / power
        cost[place + k * LANES] = a.arc_cost[i]
        need[:, a.tail[i]] += low
        need[:, a.head[i]] -= a.keep[i] * low
        fixed += float(np.sum(np.broadcast_to(a.arc_cost[i] * low, (a.hours,))))
        k += 1
    for s in dense.chargers:
        width[place + k * LANES] = a.charge_limit[s] / power
        k += 1
    for s in dense.dischargers:
        width[place + k * LANES] = a.discharge_limit[s] / power
        cost[place + k * LANES] = a.discharge_cost[s]
        k += 1
    for s in dense.spillers:
        width[place + k * LANES] = a.inflow[s] / power
        k += 1
    for s in dense.stores:
        width[place + k * LANES] = a.energy_limit[s] / power
        k += 1
    return fixed


def _slots(a: Arrays, hour: IntArray) -> tuple[IntArray, IntArray]:
    """Border slot of each budget, step and lane; and the period (over all budgets) of each slot and lane."""
    budgets = len(a.period)
    slot = np.zeros((budgets, *hour.shape), dtype=np.int64)
    parts = []
    base = 0
    for b in range(budgets):
        period = np.where(hour >= 0, a.period[b][hour], -1)
        least = np.where(hour >= 0, period, np.iinfo(np.int64).max).min(axis=0)
        most = period.max(axis=0)
        present = most >= 0
        span = int((most - least + 1)[present].max())
        of_slot = np.full((span, LANES), -1, dtype=np.int64)
        for lane in np.flatnonzero(present):
            count = most[lane] - least[lane] + 1
            of_slot[:count, lane] = a.period_start[b] + least[lane] + np.arange(count)
        slot[b] = np.where(hour >= 0, base + period - least, base)
        parts.append(of_slot)
        base += span
    return slot, np.concatenate([np.zeros((0, LANES), dtype=np.int64), *parts])


def _root(a: Arrays, pieces: _Pieces, slot_period: IntArray) -> Root:
    """Order of the root's unknowns along the year, the first entry of each row of its factor, and room."""
    stores, periods = len(a.store_zone), len(a.minimum)
    last = np.zeros(periods, dtype=np.int64)
    for lane in range(pieces.lanes):
        used = slot_period[:, lane]
        last[used[used >= 0]] = lane
    level_at = np.zeros((stores, LANES), dtype=np.int64)
    budget_at = np.zeros(periods, dtype=np.int64)
    count = 0
    for lane in range(pieces.lanes):
        level_at[:, lane] = count + np.arange(stores)
        count += stores
        ending = np.flatnonzero(last == lane)
        budget_at[ending] = count + np.arange(len(ending))
        count += len(ending)
    first = np.arange(count)
    for lane in range(pieces.lanes):
        following = int(np.flatnonzero(pieces.previous[: pieces.lanes] == lane)[0])
        used = slot_period[:, lane]
        places = np.concatenate([level_at[:, lane], level_at[:, following], budget_at[used[used >= 0]]])
        if len(places):
            first[places] = np.minimum(first[places], places.min())
    return Root(level_at, budget_at, first, np.zeros((count, count)), np.zeros(count), np.zeros(count))


def _budget_columns(a: Arrays, width: FloatArray, at: int, power: float) -> FloatArray:
    """Write the widths of the budget periods' energies from column `at` on; returns their lower limits."""
    low, high = np.array(a.minimum), np.array(a.maximum)
    for b in range(len(a.period)):
        most, least = np.zeros(a.hours), np.zeros(a.hours)
        for e in range(a.member_start[b], a.member_start[b + 1]):
            room = np.broadcast_to(_hourly(a.width, a.member[e]), (a.hours,))
            if a.member_sign[e] > 0:
                most = most + room
            else:
                least = least - room
        span = slice(a.period_start[b], a.period_start[b + 1])
        count = a.period_start[b + 1] - a.period_start[b]
        low[span] = np.maximum(low[span], np.bincount(a.period[b], least, count) - power)
        high[span] = np.minimum(high[span], np.bincount(a.period[b], most, count) + power)
    width[at:] = np.maximum((high - low) / power, _SHUT)
    return low / power


def _blocks(steps: int, zones: int, stores: int, budgets: int, slots: int, energy: FloatArray) -> Blocks:
    """Room for the blocks; energy: right sides of the budget periods' rows, shape (K,)."""
    rows, size, packed = zones + stores + budgets, stores + slots, stores * (stores + 1) // 2
    by_row = [np.zeros((steps, rows, LANES)) for _ in range(6)]
    by_period = [np.zeros_like(energy) for _ in range(6)]
    y, predicted, final, need, gap, rhs = by_row
    return Blocks(
        y=y,
        predicted=predicted,
        final=final,
        y_budget=by_period[0],
        predicted_budget=by_period[1],
        final_budget=by_period[2],
        need=need,
        energy=energy,
        gap=gap,
        gap_budget=by_period[3],
        rhs=rhs,
        inverse=np.zeros((steps, zones * (zones + 1) // 2, LANES)),
        gain=np.zeros((steps, stores + budgets, zones, LANES)),
        weight=np.zeros((steps + 1, stores, LANES)),
        p=np.zeros((steps, packed, LANES)),
        f=np.zeros((steps + 1, stores, size, LANES)),
        border=np.zeros((size * (size + 1) // 2, LANES)),
        border_rhs=np.zeros((size, LANES)),
        slack=np.zeros((stores, LANES)),
        slack_k=np.zeros((stores, LANES)),
        budget_theta=by_period[4],
        budget_moved=by_period[5],
    )


def _start_blocks(
    a: Arrays, pieces: _Pieces, blocks: Blocks, need: FloatArray, guess: FloatArray, power: float
) -> None:
    """Right sides, and duals to start from.

    need, guess: of the zones, shape (H, Z). [power, money]
    """
    zones = a.zones
    inflow = a.inflow.T.copy()
    inflow[0] += np.nan_to_num(a.initial_level)
    blocks.need[:, :zones] = pieces.spread(need)
    blocks.need[:, zones : zones + len(a.store_zone)] = pieces.spread(inflow / power)
    blocks.y[:, :zones] = pieces.spread(guess)
    for s, zone in enumerate(a.store_zone):
        water = -a.discharge_efficiency[s] * float(guess[:, zone].mean())
        blocks.y[pieces.step, zones + s, pieces.lane] = water
