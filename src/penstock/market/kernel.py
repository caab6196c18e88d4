"""The compiled hourly engine: every hour a small linear programme, solved exactly from the last one's basis.

A bounded dual simplex with one row per zone (Lemke 1954; the long-step ratio test with bound flipping is
Fourer's, 1994, and Maros's, 2003). A zone's supply is a staircase of steps in the order of their price,
so one number per zone, the place reached on its staircase, says which steps are full; columns that cannot
be sorted once for the year (corridors, steps whose price changes by the hour) are *loose* and carry a
status each. Prices stay dual feasible from hour to hour; only quantities must be mended.

Every staircase has a step that takes whatever is left over and ends with one that gives whatever is
missing, so every hour has an optimum; where the system allows neither, using one marks the hour.

Where a loop is hot its indices are unsigned, so that none is looked at for counting from the end.

The functions below share these arrays, for Z zones, P steps and K loose columns:

    step     (2, P)     price and width of each step                          [USD/MWh, MW]
    ends     (3, Z + 1) first step of each zone, its dump, its unserved demand (-1: not allowed)
    link     (2, K)     zone each loose column takes 1 MW from (-1: none), zone it brings `keep` to
    loose    (4, K)     keep, cost, least and most of each loose column       [1, USD/MWh, MW, MW]
    mark     (3, Z)     code of each row's basic column (zone z's step: z; loose column k: Z + k),
                        place reached on each staircase, row of the zone's basic step (-1: none)
    at       (K,)       status of each loose column
    inverse  (Z, Z)     inverse of the basis
    vector   (5, Z)     prices, shortage, basic values, price direction, entering column
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .compiled import compiled, entry, summing
from .system import FloatArray, IntArray

__all__ = ["Hours", "Staircase", "clear_hours"]

LOW, HIGH, BASIC = 0, 1, 2  # of a loose column
PRICE, WIDTH = 0, 1
FIRST, DUMP, LOST = 0, 1, 2
TAIL, HEAD = 0, 1
KEEP, COST, LEAST, MOST = 0, 1, 2, 3
CODE, PLACE, OWN = 0, 1, 2
ZONE_PRICE, SHORT, VALUE, RATE, COLUMN = 0, 1, 2, 3, 4

SOLVED, CLASH, UNSOLVED = 0, 1, 2  # of an hour

_SMALL = 1e-11
_REFRESH = 64
_SWEEPS = 1000


class Staircase(NamedTuple):
    """What is cleared, over H hours: the first form of the shared arrays, and what changes by the hour.

    step, ends, link, loose: see above.
    width_of, width_row: steps whose width changes, and their rows of `width_series`.
    loose_of, loose_what, loose_row: loose columns that change, which of the four rows of `loose`, and their
        rows of `loose_series`.
    need, demand: shape (H, Z). [MW]
    target: column of `Hours.used` that each step is written to, shape (P,); what a step leaves of its width
        is written to column -1 - target where that is negative (bids: what is served).
    beyond: price that no optimum reaches unless something is missing or left over. [USD/MWh]
    tolerance: largest violation of a limit. [MW]
    """

    step: FloatArray
    ends: IntArray
    link: IntArray
    loose: FloatArray
    width_of: IntArray
    width_row: IntArray
    width_series: FloatArray
    loose_of: IntArray
    loose_what: IntArray
    loose_row: IntArray
    loose_series: FloatArray
    need: FloatArray
    demand: FloatArray
    target: IntArray
    beyond: float
    tolerance: float


class Hours(NamedTuple):
    """What clearing writes, by hour.

    used: amount of each step, the dumped one negative, shape (H, columns), in the order of
        `Staircase.target`; loose: amount of each loose column, shape (H, K).
    price, price_low, price_high: shape (H, Z).
    state: SOLVED, CLASH (something is missing or left over that may not be) or UNSOLVED, shape (H,).
    pivots: shape (H,).
    """

    used: FloatArray
    loose: FloatArray
    price: FloatArray
    price_low: FloatArray
    price_high: FloatArray
    state: IntArray
    pivots: IntArray


@compiled
def _cold(need, h, step, ends, mark, at, inverse, vector):
    """Start from a basis of one step per zone, each where the zone's own supply meets its need."""
    zones = mark.shape[1]
    for z in range(zones):
        dump, i, left = ends[DUMP, z], ends[DUMP, z] + 1, need[h, z]
        for j in range(ends[FIRST, z], dump):
            left -= step[WIDTH, j]
        while i < ends[FIRST, z + 1] - 1 and left > step[WIDTH, i]:
            left -= step[WIDTH, i]
            i += 1
        if left <= 0.0:
            i = dump
        mark[CODE, z], mark[OWN, z], mark[PLACE, z], vector[ZONE_PRICE, z] = z, z, i, step[PRICE, i]
        for y in range(zones):
            inverse[z, y] = 1.0 if y == z else 0.0
    for k in range(at.size):
        at[k] = LOW


@compiled
def _gain(k, link, loose, values):
    """What 1 MW of loose column k brings at these zone values."""
    gain = loose[KEEP, k] * values[link[HEAD, k]]
    return gain - values[link[TAIL, k]] if link[TAIL, k] >= 0 else gain


@compiled
def _prices(step, loose, mark, inverse, vector):
    """Prices of the basis: cost of the basic columns times the inverse."""
    zones = mark.shape[1]
    for z in range(zones):
        vector[ZONE_PRICE, z] = 0.0
    for r in range(zones):
        c = mark[CODE, r]
        cost = step[PRICE, mark[PLACE, c]] if c < zones else loose[COST, c - zones]
        for z in range(zones):
            vector[ZONE_PRICE, z] += cost * inverse[r, z]


@compiled
def _settle(step, ends, link, loose, mark, at, vector):
    """Put every nonbasic column on the side its reduced cost asks for; False where a staircase ends."""
    for z in range(mark.shape[1]):
        if mark[OWN, z] >= 0:
            continue
        i = mark[PLACE, z]
        while i < ends[FIRST, z + 1] and step[PRICE, i] < vector[ZONE_PRICE, z]:
            i += 1
        while i > ends[FIRST, z] and step[PRICE, i - 1] > vector[ZONE_PRICE, z]:
            i -= 1
        if i <= ends[DUMP, z] or i >= ends[FIRST, z + 1]:
            return False
        mark[PLACE, z] = i
    for k in range(at.size):
        if at[k] != BASIC:
            reduced = loose[COST, k] - _gain(k, link, loose, vector[ZONE_PRICE])
            if reduced > 0.0:
                at[k] = LOW
            elif reduced < 0.0:
                at[k] = HIGH
    return True


@compiled
def _shift(k, amount, link, loose, vector):
    """Add `amount` of loose column k to the shortage."""
    vector[SHORT, link[HEAD, k]] += loose[KEEP, k] * amount
    if link[TAIL, k] >= 0:
        vector[SHORT, link[TAIL, k]] -= amount


@summing
def _shortage(need, h, step, ends, link, loose, mark, at, vector):
    """What the basic columns must make up in each zone."""
    for z in range(mark.shape[1]):
        full = 0.0
        for i in range(np.uint64(ends[FIRST, z]), np.uint64(mark[PLACE, z])):
            full += step[WIDTH, i]
        vector[SHORT, z] = need[h, z] - full
    for k in range(at.size):
        if at[k] != BASIC:
            amount = loose[MOST, k] if at[k] == HIGH else loose[LEAST, k]
            if amount != 0.0:
                _shift(k, -amount, link, loose, vector)


@compiled
def _limits(c, step, ends, loose, mark):
    """Least and most of the basic column with code c."""
    zones = mark.shape[1]
    if c >= zones:
        return loose[LEAST, c - zones], loose[MOST, c - zones]
    if mark[PLACE, c] == ends[DUMP, c]:
        return -np.inf, 0.0
    return 0.0, step[WIDTH, mark[PLACE, c]]


@compiled
def _leaving(first, tolerance, step, ends, loose, mark, inverse, vector):
    """Row whose basic column is furthest beyond its limits (or the first that is), and by how much."""
    zones = mark.shape[1]
    row, worst = -1, 0.0
    for r in range(zones):
        x = 0.0
        for z in range(zones):
            x += inverse[r, z] * vector[SHORT, z]
        vector[VALUE, r] = x
        low, high = _limits(mark[CODE, r], step, ends, loose, mark)
        over = x - high if x > high else (x - low if x < low else 0.0)
        if abs(over) > tolerance and abs(over) > abs(worst) and not (first and row >= 0):
            row, worst = r, over
    return row, worst


@compiled
def _leave(r, upper, step, link, loose, mark, at, vector):
    """Make the basic column of row r nonbasic at a limit."""
    zones = mark.shape[1]
    c = mark[CODE, r]
    if c < zones:
        mark[OWN, c] = -1
        if upper:
            vector[SHORT, c] -= step[WIDTH, mark[PLACE, c]]
            mark[PLACE, c] += 1
    else:
        k = c - zones
        at[k] = HIGH if upper else LOW
        _shift(k, -(loose[MOST, k] if upper else loose[LEAST, k]), link, loose, vector)


@compiled
def _next(moved, step, link, loose, mark, at, vector):
    """Next column whose reduced cost reaches zero as prices move: its code, the distance, its size."""
    zones = mark.shape[1]
    code, best, size = -1, np.inf, 0.0
    for z in range(zones):
        g = vector[RATE, z]
        if mark[OWN, z] < 0 and abs(g) > _SMALL:
            i = mark[PLACE, z] if g > 0.0 else mark[PLACE, z] - 1
            t = max((step[PRICE, i] - vector[ZONE_PRICE, z]) / g, moved)
            if t < best or (t == best and abs(g) > size):
                code, best, size = z, t, abs(g)
    for k in range(at.size):
        if at[k] == BASIC:
            continue
        g = _gain(k, link, loose, vector[RATE])
        if (at[k] == LOW and g > _SMALL) or (at[k] == HIGH and g < -_SMALL):
            reduced = loose[COST, k] - _gain(k, link, loose, vector[ZONE_PRICE])
            t = max(reduced / g, moved)
            if t < best or (t == best and abs(g) > size):
                code, best, size = zones + k, t, abs(g)
    return code, best, size


@compiled
def _walk(over, tolerance, step, ends, link, loose, mark, at, vector):
    """Move prices until the shortage is made up, flipping what is passed on the way.

    Returns the entering column's code and the distance, after the shortage has been updated.
    """
    zones = mark.shape[1]
    slope, t = abs(over), 0.0
    while True:
        code, t, size = _next(t, step, link, loose, mark, at, vector)
        if code < 0:
            return -1, 0.0
        if code < zones:
            up = vector[RATE, code] > 0.0
            i = mark[PLACE, code] if up else mark[PLACE, code] - 1
            width = np.inf if i == ends[DUMP, code] else step[WIDTH, i]
            slope -= size * width
            if slope <= tolerance:
                if not up:
                    mark[PLACE, code] = i
                    vector[SHORT, code] += step[WIDTH, i]
                return code, t
            mark[PLACE, code] += 1 if up else -1
            vector[SHORT, code] -= width if up else -width
        else:
            k = code - zones
            width = loose[MOST, k] - loose[LEAST, k]
            slope -= size * width
            if slope <= tolerance:
                _shift(k, loose[MOST, k] if at[k] == HIGH else loose[LEAST, k], link, loose, vector)
                return code, t
            _shift(k, width if at[k] == HIGH else -width, link, loose, vector)
            at[k] = LOW if at[k] == HIGH else HIGH


@compiled
def _enter(r, code, t, link, loose, mark, at, inverse, vector):
    """Bring `code` into the basis in row r. False where the pivot is too small to trust."""
    zones = mark.shape[1]
    for i in range(zones):
        if code < zones:
            vector[COLUMN, i] = inverse[i, code]
        else:
            vector[COLUMN, i] = _gain(code - zones, link, loose, inverse[i])
    if abs(vector[COLUMN, r]) < _SMALL:
        return False
    scale = 1.0 / vector[COLUMN, r]
    for z in range(zones):
        vector[ZONE_PRICE, z] += t * vector[RATE, z]
        inverse[r, z] *= scale
    for i in range(zones):
        factor = vector[COLUMN, i]
        if i != r and factor != 0.0:
            for z in range(zones):
                inverse[i, z] -= factor * inverse[r, z]
    mark[CODE, r] = code
    if code < zones:
        mark[OWN, code] = r
    else:
        at[code - zones] = BASIC
    return True


@compiled
def _pivot(limit, first, tolerance, step, ends, link, loose, mark, at, inverse, vector):
    """Pivot until nothing is beyond its limits; number of pivots, or -1 where it does not end."""
    zones = mark.shape[1]
    for count in range(limit):
        r, over = _leaving(first, tolerance, step, ends, loose, mark, inverse, vector)
        if r < 0:
            if count > 0:
                _prices(step, loose, mark, inverse, vector)
            return count
        for z in range(zones):
            vector[RATE, z] = inverse[r, z] if over > 0.0 else -inverse[r, z]
        _leave(r, over > 0.0, step, link, loose, mark, at, vector)
        code, t = _walk(over, tolerance, step, ends, link, loose, mark, at, vector)
        if code < 0 or not _enter(r, code, t, link, loose, mark, at, inverse, vector):
            return -1
    return -1


@compiled
def _record(h, beyond, tolerance, target, step, ends, loose, mark, at, vector, out):
    """Write the hour's quantities, where they are not 0, and its prices.

    True where an optimum may have other prices too.
    """
    used, sent, price, state = out.used, out.loose, out.price, out.state
    zones, tie = mark.shape[1], False
    for z in range(zones):
        price[h, z] = vector[ZONE_PRICE, z]
        for i in range(np.uint64(ends[FIRST, z]), np.uint64(mark[PLACE, z])):
            if target[i] >= 0:
                used[h, np.uint64(target[i])] = step[WIDTH, i]
        for i in range(np.uint64(mark[PLACE, z]), np.uint64(ends[FIRST, z + 1])):
            if target[i] < 0:
                used[h, np.uint64(-1 - target[i])] = step[WIDTH, i]
    for k in range(at.size):
        sent[h, k] = loose[MOST, k] if at[k] == HIGH else loose[LEAST, k]
    for r in range(zones):
        c = mark[CODE, r]
        low, high = _limits(c, step, ends, loose, mark)
        x = min(max(vector[VALUE, r], low), high)
        tie |= x - low <= tolerance or high - x <= tolerance
        if c >= zones:
            sent[h, c - zones] = x
            continue
        i = mark[PLACE, c]
        if target[i] >= 0:
            used[h, target[i]] = x
        else:
            used[h, -1 - target[i]] = step[WIDTH, i] - x
        if abs(step[PRICE, i]) >= beyond and abs(x) > tolerance:
            state[h] = CLASH
    return tie


@compiled
def _range(h, tolerance, step, ends, link, loose, mark, vector, out):
    """Least and greatest price of each zone over all optimal prices of the hour.

    By complementary slackness an optimal price lies between the prices of the steps beside the place
    reached, and each loose column binds two zones. Such prices form a lattice: tightening bounds until
    nothing moves reaches its least and its greatest element.
    """
    bottom, top = out.price_low[h], out.price_high[h]
    for z in range(mark.shape[1]):
        dump, last, place, own = ends[DUMP, z], ends[FIRST, z + 1] - 1, mark[PLACE, z], mark[OWN, z]
        here = vector[VALUE, own] if own >= 0 else 0.0  # amount of the step at the place reached
        i = place
        if i != dump and here <= tolerance:
            i -= 1
            while i != dump and step[WIDTH, i] <= tolerance:
                i -= 1
        bottom[z] = step[PRICE, i]
        i = place
        if i == dump and here >= -tolerance:
            i, here = i + 1, 0.0
        while i != dump and i < last and here >= step[WIDTH, i] - tolerance:
            i, here = i + 1, 0.0
        top[z] = step[PRICE, i]
    for _ in range(_SWEEPS):
        moved = False
        for k in range(loose.shape[1]):
            moved |= _tighten(k, out.loose[h, k], tolerance, link, loose, bottom, top)
        if not moved:
            return


@compiled
def _tighten(k, x, tolerance, link, loose, bottom, top):
    """Let loose column k pass price bounds between its zones; True where one moved."""
    if loose[MOST, k] - loose[LEAST, k] <= tolerance:
        return False
    keep, cost, tail, head = loose[KEEP, k], loose[COST, k], link[TAIL, k], link[HEAD, k]
    tail_bottom, tail_top = (bottom[tail], top[tail]) if tail >= 0 else (0.0, 0.0)
    slack, moved = 1e-9 * (1.0 + abs(cost)), False
    if x < loose[MOST, k] - tolerance:  # more could be sent: keep * p[head] <= p[tail] + cost
        if top[head] > (tail_top + cost) / keep + slack:
            top[head], moved = (tail_top + cost) / keep, True
        if tail >= 0 and bottom[tail] < keep * bottom[head] - cost - slack:
            bottom[tail], moved = keep * bottom[head] - cost, True
    if x > loose[LEAST, k] + tolerance:  # less could be sent
        if bottom[head] < (tail_bottom + cost) / keep - slack:
            bottom[head], moved = (tail_bottom + cost) / keep, True
        if tail >= 0 and top[tail] > keep * top[head] - cost + slack:
            top[tail], moved = keep * top[head] - cost, True
    return moved


@compiled
def _load(m, h, step, loose):
    """Widths, costs and limits of hour h; True where a cost changed."""
    for i in range(m.width_of.size):
        step[WIDTH, np.uint64(m.width_of[i])] = m.width_series[np.uint64(m.width_row[i]), h]
    for z in range(m.need.shape[1]):
        if m.ends[LOST, z] >= 0:
            step[WIDTH, m.ends[LOST, z]] = m.demand[h, z]
    changed = False
    for i in range(m.loose_of.size):
        what, k, value = m.loose_what[i], m.loose_of[i], m.loose_series[m.loose_row[i], h]
        changed |= what == COST and value != loose[COST, k]
        loose[what, k] = value
    return changed


@compiled
def _solve(m, h, cold, step, loose, mark, at, inverse, vector):
    """Pivot hour h to its optimum, from cold where asked or needed: number of pivots, or -1."""
    ends, link = m.ends, m.link
    limit = 40 + 20 * (mark.shape[1] + at.size)
    for attempt in range(3):
        if cold or attempt > 0:
            _cold(m.need, h, step, ends, mark, at, inverse, vector)
            _settle(step, ends, link, loose, mark, at, vector)
        _shortage(m.need, h, step, ends, link, loose, mark, at, vector)
        count = _pivot(limit, attempt == 2, m.tolerance, step, ends, link, loose, mark, at, inverse, vector)
        if count >= 0:
            return count
    return -1


@entry
def clear_hours(m, out, start, stop, step, loose, mark, at, inverse, vector):
    """Clear hours start to stop - 1 of a Staircase, each from the basis of the one before, into Hours."""
    zones, cold = m.need.shape[1], True
    for h in range(start, stop):
        if _load(m, h, step, loose) and not cold:
            _prices(step, loose, mark, inverse, vector)
            cold = not _settle(step, m.ends, m.link, loose, mark, at, vector)
        cold |= h % _REFRESH == 0  # a fresh inverse
        pivots = _solve(m, h, cold, step, loose, mark, at, inverse, vector)
        cold = pivots < 0
        out.pivots[h] = pivots
        if cold:
            out.state[h] = UNSOLVED
        elif _record(h, m.beyond, m.tolerance, m.target, step, m.ends, loose, mark, at, vector, out):
            _range(h, m.tolerance, step, m.ends, m.link, loose, mark, vector, out)
        else:
            for z in range(zones):
                out.price_low[h, z] = out.price_high[h, z] = vector[ZONE_PRICE, z]
