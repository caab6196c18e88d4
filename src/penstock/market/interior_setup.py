"""From `Arrays` to the layout and the columns of the interior-point solver."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from .arrays import Arrays, Table
from .interior_linear import LANES
from .interior_passes import Blocks, Columns, Layout
from .interior_root import Root
from .system import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

__all__ = ["Problem", "set_up"]

# A column that is shut keeps this width, over the typical power, so that every column is alike.
_SHUT = 1e-9
# A segment whose cost is this near the band's edge stays a column. [USD/MWh]
_BAND_SLACK = 1e-9


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


def set_up(
    a: Arrays, band_low: FloatArray | None, band_high: FloatArray | None, price: FloatArray | None
) -> Problem:
    """Scale, select the columns and lay them out."""
    hours, zones = a.hours, a.zones
    lanes = min(LANES, hours)
    steps = -(-hours // lanes)
    length = np.full(LANES, 0, dtype=np.int64)
    length[:lanes] = hours // lanes
    length[: hours % lanes] += 1
    first = steps - length
    begin = np.concatenate([[0], np.cumsum(length)[:-1]])
    hour = begin[None, :] + np.arange(steps)[:, None] - first[None, :]
    hour[np.arange(steps)[:, None] < first[None, :]] = -1
    lane = np.repeat(np.arange(LANES), length)
    step = np.arange(hours) - begin[lane] + first[lane]
    previous = (np.arange(LANES) - 1) % lanes
    low = (
        np.full((hours, zones), -np.inf) if band_low is None else np.ascontiguousarray(band_low, dtype=float)
    )
    high = (
        np.full((hours, zones), np.inf) if band_high is None else np.ascontiguousarray(band_high, dtype=float)
    )

    power = max(float(np.mean(np.abs(a.need))), 1e-3)
    stores, arcs = len(a.store_zone), len(a.tail)
    bound = np.zeros(len(a.zone), dtype=bool)
    bound[a.member] = True
    member_segments = np.flatnonzero(bound)
    chargers = np.flatnonzero(a.charge_limit > 0)
    dischargers = np.flatnonzero(a.discharge_limit > 0)
    spillers = np.flatnonzero(a.inflow.max(axis=1, initial=0.0) > 0)
    dense = len(member_segments) + arcs + len(chargers) + len(dischargers) + stores + len(spillers)

    need = np.array(a.need)
    most = _dump_limit(a)
    counts = np.zeros((steps, zones, LANES), dtype=np.int64)
    nothing = np.zeros(0)
    empty = np.zeros(0, dtype=np.int64)
    shared = (
        a.zone,
        bound,
        a.cost.constant,
        a.cost.row,
        a.cost.series,
        a.width.constant,
        a.width.row,
        a.width.series,
        a.unserved_cost,
        a.unserved_limit,
        a.disposal_cost,
        most,
        low,
        high,
        step,
        lane,
    )
    fixed = _select(*shared, need, counts, False, nothing, nothing, empty, empty, empty, empty, 1.0)
    start = np.zeros(steps * zones * LANES + 1, dtype=np.int64)
    np.cumsum(counts.reshape(-1), out=start[1:])
    segment_at = start[:: zones * LANES].copy()
    segments = np.diff(segment_at)
    at = np.zeros(steps + 1, dtype=np.int64)
    np.cumsum(segments + dense * LANES, out=at[1:])
    periods = len(a.minimum)
    total = int(at[-1]) + periods
    width, cost = np.full(total, _SHUT), np.zeros(total)
    row = np.zeros(int(start[-1]), dtype=np.int64)
    _select(*shared, need, counts, True, width, cost, row, start, segment_at, at, 1.0 / power)
    dense_at = at[:-1] + segments
    kinds = (chargers, dischargers, spillers, np.arange(stores))
    fixed += _dense_columns(a, member_segments, need, width, cost, dense_at, step, lane, power, kinds)
    money = _typical_cost(cost, a)
    cost /= money
    np.maximum(width, _SHUT, out=width)

    slot, slot_period = _slots(a, hour)
    level_at, budget_at, root_first = _root_places(a, stores, lanes, previous, slot_period)
    link = np.ones((stores, LANES))
    link[~np.isnan(a.initial_level), 0] = 0.0
    pattern_start, pattern_row, pattern_value = _patterns(a, member_segments, chargers, dischargers, spillers)
    layout = Layout(
        first=first,
        previous=previous,
        at=at,
        segments=segments,
        row=row.astype(np.uint32),
        start=start,
        pattern_start=pattern_start,
        pattern_row=pattern_row,
        pattern_value=pattern_value,
        link=link,
        slot=slot,
        slot_period=slot_period,
    )
    count = len(root_first)
    root = Root(level_at, budget_at, root_first, np.zeros((count, count)), np.zeros(count), np.zeros(count))
    inflow = a.inflow.T.copy()
    inflow[0] += np.nan_to_num(a.initial_level)

    def to_lanes(values: FloatArray) -> FloatArray:
        out = np.zeros((steps, values.shape[1], LANES))
        out[step, :, lane] = values
        return out

    energy = _budget_columns(a, width, int(at[-1]), power)
    budgets = len(a.period)
    blocks = _blocks(steps, zones, stores, budgets, len(slot_period), energy)
    blocks.need[:, :zones] = to_lanes(need / power)
    blocks.need[:, zones : zones + stores] = to_lanes(inflow / power)
    guess = _first_prices(a, low, high, price) / money
    blocks.y[:, :zones] = to_lanes(guess)
    for s in range(stores):
        water = -a.discharge_efficiency[s] * float(guess[:, a.store_zone[s]].mean())
        blocks.y[step, zones + s, lane] = water
    columns = Columns(np.zeros(total), width, np.zeros(total), np.zeros(total), cost)
    return Problem(
        layout,
        columns,
        blocks,
        root,
        power,
        money,
        fixed,
        hour,
        step,
        lane,
        dense_at,
        len(member_segments) + arcs,
        kinds,
    )


def _patterns(
    a: Arrays, members: IntArray, chargers: IntArray, dischargers: IntArray, spillers: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Matrix entries of the columns that every hour has; rows are zones, stores, budgets."""
    zones, stores = a.zones, len(a.store_zone)
    columns: list[list[tuple[int, float]]] = []
    for segment in members:
        entries = [(int(a.zone[segment]), 1.0)]
        for b in range(len(a.period)):
            for e in range(a.member_start[b], a.member_start[b + 1]):
                if a.member[e] == segment:
                    entries.append((zones + stores + b, float(a.member_sign[e])))
        columns.append(entries)
    for tail, head, keep in zip(a.tail, a.head, a.keep, strict=True):
        columns.append([(int(tail), -1.0), (int(head), float(keep))])
    for s in chargers:
        columns.append([(int(a.store_zone[s]), -1.0), (zones + int(s), -float(a.charge_efficiency[s]))])
    for s in dischargers:
        columns.append(
            [(int(a.store_zone[s]), 1.0), (zones + int(s), 1.0 / float(a.discharge_efficiency[s]))]
        )
    for s in spillers:
        columns.append([(zones + int(s), 1.0)])
    start = np.cumsum([0, *(len(entries) for entries in columns)])
    flat = [entry for entries in columns for entry in entries]
    return (
        start.astype(np.int64),
        np.array([row for row, _ in flat], dtype=np.int64),
        np.array([value for _, value in flat], dtype=np.float64),
    )


def _typical_cost(cost: FloatArray, a: Arrays) -> float:
    used = np.abs(cost[cost != 0.0])
    return float(np.median(used)) if len(used) else 1.0


def _first_prices(a: Arrays, low: FloatArray, high: FloatArray, price: FloatArray | None) -> FloatArray:
    if price is not None:
        return np.asarray(price, dtype=float)
    plants = a.cost.constant[a.cost.row < 0]
    typical = float(np.median(plants)) if len(plants) else 50.0
    lower, upper = np.where(np.isfinite(low), low, typical), np.where(np.isfinite(high), high, typical)
    return np.where(upper - lower < 10 * abs(typical), 0.5 * (lower + upper), np.maximum(lower, typical))


def _dump_limit(a: Arrays) -> FloatArray:
    """More than anybody could ever dump, shape (H, Z)."""
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


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _select(
    zone: IntArray,
    bound: BoolArray,
    cost: FloatArray,
    cost_row: IntArray,
    cost_series: FloatArray,
    width: FloatArray,
    width_row: IntArray,
    width_series: FloatArray,
    unserved_cost: float,
    unserved_limit: FloatArray,
    disposal_cost: float,
    most: FloatArray,
    low: FloatArray,
    high: FloatArray,
    step: IntArray,
    lane: IntArray,
    need: FloatArray,
    counts: IntArray,
    fill: bool,
    out_width: FloatArray,
    out_cost: FloatArray,
    row: IntArray,
    start: IntArray,
    segment_at: IntArray,
    at: IntArray,
    unit: float,
) -> float:
    """Count the segments inside the band by (step, zone, lane) and fix the others, or write them down."""
    hours, zones = need.shape
    lanes = counts.shape[2]
    fixed = 0.0
    if fill:
        counts[:] = 0
    for i in range(len(zone) + 2 * zones):
        kind = 0 if i < len(zone) else (1 if i < len(zone) + zones else 2)
        if kind == 0 and bound[i]:
            continue
        if (kind == 1 and not np.isfinite(unserved_cost)) or (kind == 2 and not np.isfinite(disposal_cost)):
            continue
        z = zone[i] if kind == 0 else (i - len(zone)) % zones
        for h in range(hours):
            if kind == 0:
                c = cost_series[cost_row[i], h] if cost_row[i] >= 0 else cost[i]
                w = width_series[width_row[i], h] if width_row[i] >= 0 else width[i]
            elif kind == 1:
                c, w = unserved_cost, unserved_limit[h, z]
            else:
                c, w = -disposal_cost, most[h, z]
            if w <= 0.0 or c > high[h, z] + _BAND_SLACK:
                continue
            if c < low[h, z] - _BAND_SLACK:
                if not fill and kind < 2:
                    need[h, z] -= w
                    fixed += c * w
                continue
            t, column = step[h], lane[h]
            if fill:
                j = start[(t * zones + z) * lanes + column] + counts[t, z, column]
                k = at[t] + j - segment_at[t]
                out_width[k] = w * unit
                out_cost[k] = c
                row[j] = z * lanes + column
            elif kind == 2:
                need[h, z] += w
                fixed += disposal_cost * w
            counts[t, z, column] += 1
    return fixed


def _hourly(table: Table, index: int) -> FloatArray | float:
    row = table.row[index]
    return table.series[row] if row >= 0 else float(table.constant[index])


def _dense_columns(
    a: Arrays,
    members: IntArray,
    need: FloatArray,
    width: FloatArray,
    cost: FloatArray,
    dense_at: IntArray,
    step: IntArray,
    lane: IntArray,
    power: float,
    kinds: tuple[IntArray, ...],
) -> float:
    place = dense_at[step] + lane
    fixed = 0.0
    k = 0
    for i in members:
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
    chargers, dischargers, spillers, stores = kinds
    for s in chargers:
        width[place + k * LANES] = a.charge_limit[s] / power
        k += 1
    for s in dischargers:
        width[place + k * LANES] = a.discharge_limit[s] / power
        cost[place + k * LANES] = a.discharge_cost[s]
        k += 1
    for s in spillers:
        width[place + k * LANES] = a.inflow[s] / power
        k += 1
    for s in stores:
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


def _root_places(
    a: Arrays, stores: int, lanes: int, previous: IntArray, slot_period: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Order of the root's unknowns along the year, and the first entry of each row of its factor."""
    periods = len(a.minimum)
    last = np.zeros(periods, dtype=np.int64)
    for lane in range(lanes):
        used = slot_period[:, lane]
        last[used[used >= 0]] = lane
    level_at = np.zeros((stores, LANES), dtype=np.int64)
    budget_at = np.zeros(periods, dtype=np.int64)
    count = 0
    for lane in range(lanes):
        level_at[:, lane] = count + np.arange(stores)
        count += stores
        ending = np.flatnonzero(last == lane)
        budget_at[ending] = count + np.arange(len(ending))
        count += len(ending)
    first = np.arange(count)
    for lane in range(lanes):
        following = int(np.flatnonzero(previous[:lanes] == lane)[0])
        used = slot_period[:, lane]
        places = np.concatenate([level_at[:, lane], level_at[:, following], budget_at[used[used >= 0]]])
        if len(places):
            first[places] = np.minimum(first[places], places.min())
    return level_at, budget_at, first


def _budget_columns(a: Arrays, width: FloatArray, at: int, power: float) -> FloatArray:
    """Widths of the budget periods' energies; returns their lower limits."""
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
