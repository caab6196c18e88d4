"""Least and greatest price of every hour and zone over all optimal prices, the hours bound together.

Every optimal dual is complementary to every optimal primal (strong duality; Dantzig, Linear Programming
and Extensions, 1963, ch. 6): what stands between its limits has a reduced cost of zero, what stands at one
of them a reduced cost of one sign. So one optimal dispatch gives all conditions that prices of energy p,
water values w and budget prices m must meet, and nearly all bind one or two of them:

    a plant below its availability      p <= cost + m          above its minimum   p >= cost + m
    a bid taken in part or in full      p <= value - m         not in full         p >= value - m
    sending a -> b below its limit      keep p[b] <= p[a] + cost             above 0   >=
    charging below its limit            efficiency w <= p                    above 0   >=
    discharging below its limit         efficiency (p - cost) <= w           above 0   >=
    a level below its limit             w[h + 1] <= w[h]                     above 0   >=

The last three are arcs from p to w, from w to p and from w to the next hour's w, so one rule serves all
four. Conditions on two unknowns with opposite signs form a lattice: tightening bounds until nothing moves
reaches its least and its greatest element, both of which are optimal duals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .bid import Bid
from .compiled import compiled, entry
from .solution import Solution
from .system import FloatArray, Hourly, IntArray, System, hour_series

__all__ = ["price_range"]

Codes = npt.NDArray[np.int8]

#: What an amount between limits may do: rise, fall, both (1 + 2) or neither.
_RISE, _FALL = 1, 2
_SWEEPS = 200
_ROUNDS = 1000  # within an hour; a lossy cycle halves the rest in a few dozen
_STEP = 1e-9  # a bound that moves by less stays, relative


class _Segments(NamedTuple):
    """Limits and costs of plants or bids: numbers, or rows (>= 0) of `series`, shape (rows, H).

    zone, number, row: shape (n,), (3, n), (3, n); the three are cost, least and most. A zone of -1 is left
        out.
    """

    zone: IntArray
    number: FloatArray
    row: IntArray
    series: FloatArray


class _Links(NamedTuple):
    """Conditions on two unknowns, over H hours and N nodes: zones, then stores.

    tail, head, keep, cost: of each of A arcs within an hour; open: what it may do, shape (H, A).
    kept: what the level of each store may do, shape (H, S); the last hour's meets the first.
    node, sign: of each of J members of budgets; start, budget: those of member j are
        budget[start[j]:start[j + 1]]; moves: what its price may do to the zone's, shape (H, J).
    own: cost or value of each member, shape (H, J). [USD/MWh]
    period: place of each budget's price in hour h, shape (B, H).
    """

    tail: IntArray
    head: IntArray
    keep: FloatArray
    cost: FloatArray
    open: Codes
    kept: Codes
    node: IntArray
    sign: FloatArray
    start: IntArray
    budget: IntArray
    moves: Codes
    own: FloatArray
    period: IntArray


class _Bounds(NamedTuple):
    """Least and most of each unknown, and a value that they always enclose. [USD/MWh]

    low, high, value: of nodes, shape (H, N); of budget prices, shape (1, periods of all budgets).
    """

    low: FloatArray
    high: FloatArray
    value: FloatArray


def _lift(bounds: Any, h: int, n: int, bound: float) -> bool:
    bound = min(bound, bounds.value[h, n])
    if bound > bounds.low[h, n] + _STEP * (1.0 + abs(bound)):
        bounds.low[h, n] = bound
        return True
    return False


def _press(bounds: Any, h: int, n: int, bound: float) -> bool:
    bound = max(bound, bounds.value[h, n])
    if bound < bounds.high[h, n] - _STEP * (1.0 + abs(bound)):
        bounds.high[h, n] = bound
        return True
    return False


_raise_low = compiled(_lift)
_lower_high = compiled(_press)


def _arc(code: int, keep: float, cost: float, at: Any, h: int, a: int, g: int, b: int) -> bool:
    """Bounds over an arc from node a in hour h to node b in hour g; True where one moved."""
    moved = False
    if code & 1:  # keep * v[b] <= v[a] + cost
        moved |= _lower_high(at, g, b, (at.high[h, a] + cost) / keep)
        moved |= _raise_low(at, h, a, keep * at.low[g, b] - cost)
    if code & 2:  # keep * v[b] >= v[a] + cost
        moved |= _raise_low(at, g, b, (at.low[h, a] + cost) / keep)
        moved |= _lower_high(at, h, a, keep * at.high[g, b] - cost)
    return moved


def _alone(h: int, j: int, links: Any, at: Any, prices: Any) -> bool:
    """Bounds between a zone and the price of the only budget of member j; True where one moved."""
    moved, z, code, own = False, links.node[j], links.moves[h, j], links.own[h, j]
    t = links.period[links.budget[links.start[j]], h]
    if links.sign[j] > 0.0:
        if code & 1:  # p <= own + m
            moved |= _lower_high(at, h, z, own + prices.high[0, t])
            moved |= _raise_low(prices, 0, t, at.low[h, z] - own)
        if code & 2:
            moved |= _raise_low(at, h, z, own + prices.low[0, t])
            moved |= _lower_high(prices, 0, t, at.high[h, z] - own)
    else:
        if code & 1:  # p <= own - m
            moved |= _lower_high(at, h, z, own - prices.low[0, t])
            moved |= _lower_high(prices, 0, t, own - at.low[h, z])
        if code & 2:
            moved |= _raise_low(at, h, z, own - prices.high[0, t])
            moved |= _raise_low(prices, 0, t, own - at.high[h, z])
    return moved


def _member(h: int, j: int, links: Any, at: Any, prices: Any) -> bool:
    """Bounds between a zone and the budget prices of member j; True where one moved."""
    moved, z, code, sign = False, links.node[j], links.moves[h, j], links.sign[j]
    own, first, last = links.own[h, j], links.start[j], links.start[j + 1]
    for skipped in range(first - 1, last):  # first - 1: none, the bound goes to the zone
        low, high = 0.0, 0.0  # of sign * sum of the other budget prices
        for i in range(first, last):
            if i != skipped:
                t = links.period[links.budget[i], h]
                low += prices.low[0, t] if sign > 0.0 else -prices.high[0, t]
                high += prices.high[0, t] if sign > 0.0 else -prices.low[0, t]
        if skipped < first:
            if code & 1:
                moved |= _lower_high(at, h, z, own + high)
            if code & 2:
                moved |= _raise_low(at, h, z, own + low)
            continue
        t = links.period[links.budget[skipped], h]
        if code & 1:
            least = at.low[h, z] - own - high
            moved |= _raise_low(prices, 0, t, least) if sign > 0.0 else _lower_high(prices, 0, t, -least)
        if code & 2:
            most = at.high[h, z] - own - low
            moved |= _lower_high(prices, 0, t, most) if sign > 0.0 else _raise_low(prices, 0, t, -most)
    return moved


_over_arc = compiled(_arc)
_over_alone = compiled(_alone)
_over_member = compiled(_member)


def _is_closed(h: int, at: Any) -> bool:
    """True where nothing is left to tighten in an hour."""
    for n in range(at.value.shape[1]):
        if at.high[h, n] - at.low[h, n] > 1e-9 * (1.0 + abs(at.value[h, n])):
            return False
    return True


_closed = compiled(_is_closed)


def _hour(h: int, links: Any, at: Any, prices: Any) -> bool:
    """Tighten one hour until nothing moves; True where something did."""
    ever = False
    for _ in range(_ROUNDS):
        moved = False
        for k in range(links.tail.size):
            if links.open[h, k]:
                tail, head = links.tail[k], links.head[k]
                moved |= _over_arc(links.open[h, k], links.keep[k], links.cost[k], at, h, tail, h, head)
        for j in range(links.node.size):
            if links.moves[h, j]:
                if links.start[j + 1] == links.start[j] + 1:
                    moved |= _over_alone(h, j, links, at, prices)
                else:
                    moved |= _over_member(h, j, links, at, prices)
        ever |= moved
        if not moved:
            break
    return ever


_within = compiled(_hour)


def _sweep(limit: int, links: Any, at: Any, prices: Any) -> int:
    """Sweep forward and backward over the hours until nothing moves; the number of sweeps."""
    hours, stores = links.kept.shape
    zones = at.low.shape[1] - stores
    if stores == 0 and prices.low.size == 0:
        for h in range(hours):
            _within(h, links, at, prices)
        return 1
    alone = links.budget.size == links.node.size  # then an hour without a choice says all at once
    for count in range(1, limit + 1):
        moved = False
        for i in range(hours):
            h = i if count & 1 else hours - 1 - i
            if count == 1 or not alone or not _closed(h, at):
                moved |= _within(h, links, at, prices)
            # What moves here is seen from the hour that the sweep goes to, and from the one it left.
            for s in range(stores):
                n, g = zones + s, h + 1 if h + 1 < hours else 0
                moved |= _over_arc(links.kept[h, s], 1.0, 0.0, at, h, n, g, n)
                g = h - 1 if h > 0 else hours - 1
                moved |= _over_arc(links.kept[g, s], 1.0, 0.0, at, g, n, h, n)
        if not moved:
            return count
    return limit


def _enclose(x: Any, flip: bool, tolerance: float, segments: Any, at: Any) -> None:
    """Bounds of zone prices by plants (or, flipped, bids) of the amounts x, shape (H, n), in place."""
    zone, number, row, series = segments
    for h in range(x.shape[0]):
        for i in range(zone.size):
            z = zone[i]
            if z < 0:
                continue
            most = series[row[2, i], h] if row[2, i] >= 0 else number[2, i]
            least = min(most, series[row[1, i], h] if row[1, i] >= 0 else number[1, i])
            above, below = x[h, i] - least, most - x[h, i]
            if flip:
                above, below = below, above
            if not (below > tolerance or above > tolerance):
                continue
            cost, price = series[row[0, i], h] if row[0, i] >= 0 else number[0, i], at.value[h, z]
            width, worth = most - least, 1.0 + abs(price)
            if below > tolerance and below * worth >= (price - cost) * width:
                at.high[h, z] = min(at.high[h, z], cost)
            if above > tolerance and above * worth >= (cost - price) * width:
                at.low[h, z] = max(at.low[h, z], cost)


_tighten = entry(_sweep)
_from_segments = entry(_enclose)


def price_range(
    system: System, bids: Sequence[Bid], solution: Solution, *, tolerance: float = 1e-6
) -> tuple[FloatArray, FloatArray]:
    """Least and greatest optimal price of each hour and zone, each of shape (hours, zones). [USD/MWh]

    solution: an optimum; its prices need not be the middle of anything, but lie in the result. It may be an
        optimum to some digits only: a condition that its own prices miss by more, as a share of their size,
        than its amount stands away from its limit, as a share of its width, is left out.
    tolerance: what stands nearer to a limit is taken to be at it. [MW, MWh; more for large systems]

    -inf and inf where nothing limits a price. The range is exact where every member of a budget has only
    that one, no budget has both plants and bids, and the bounds come to rest within 200 sweeps over the
    hours; otherwise it encloses all optimal prices and may be wider. It may also be wider where nothing but
    the losses of a round trip limit a price, which takes an infinite `disposal_cost` or a store that is
    paid for discharging: bounds around such a cycle never start.
    Where a corridor has a reactance, conditions bind more than two prices: the solution's own price is
    returned for both.
    """
    price = np.asarray(solution.price)
    if any(corridor.reactance is not None for corridor in system.corridors):
        return price, price
    scale = max(np.max(system.demand, initial=0.0), np.max(solution.dispatch, initial=0.0))
    tolerance = tolerance * max(1.0, 1e-5 * float(scale))
    value = np.ascontiguousarray(np.concatenate([price, solution.water_value], axis=1))
    low, high = np.full_like(value, -np.inf), np.full_like(value, np.inf)
    at = _Bounds(low, high, value)
    _zone_bounds(system, solution, tolerance, at)
    bound = {member for budget in system.budgets for member in budget.members}
    plants = _segments(
        system,
        [-1 if plant.name in bound else system.zones.index(plant.zone) for plant in system.plants],
        [(plant.cost, plant.minimum, plant.available) for plant in system.plants],
    )
    taken = _segments(
        system,
        [-1 if bid.name in bound else system.zones.index(bid.zone) for bid in bids],
        [(bid.value, 0.0, bid.quantity) for bid in bids],
    )
    _from_segments(solution.dispatch, False, tolerance, plants, at)
    _from_segments(solution.accepted, True, tolerance, taken, at)
    kept = _store_bounds(system, solution, tolerance, at)
    np.minimum(low, value, out=low)
    np.maximum(high, value, out=high)
    zones = len(system.zones)
    if system.corridors or system.stores or system.budgets:
        links = _links(system, bids, solution, tolerance, value, kept)
        _tighten(_SWEEPS, links, at, _budget_bounds(system, bids, solution, tolerance))
    return low[:, :zones].copy(), high[:, :zones].copy()


def _codes(
    amount: FloatArray, least: Hourly, most: Hourly, tolerance: float, reduced: Hourly, worth: Hourly
) -> Codes:
    """What an amount may do in each hour, shape (hours,).

    reduced: its reduced cost at the solution's own prices, positive where it should be at its least.
    worth: size of prices. [USD/MWh]
    """
    low, high = np.asarray(least), np.asarray(most)
    below, above, width = high - amount, amount - low, high - low
    rises = (below > tolerance) & (below * worth >= -reduced * width)
    falls = (above > tolerance) & (above * worth >= reduced * width)
    return np.asarray(rises * np.int8(_RISE) + falls * np.int8(_FALL), dtype=np.int8)


def _segments(system: System, zone: Sequence[int], values: Sequence[tuple[Hourly, ...]]) -> _Segments:
    number, row = np.zeros((3, len(zone))), np.full((3, len(zone)), -1, dtype=np.int64)
    series: list[FloatArray] = []
    for index, each in enumerate(values):
        for what, given in enumerate(each):
            if isinstance(given, np.ndarray) and given.ndim:
                row[what, index] = len(series)
                series.append(given)
            else:
                number[what, index] = float(given)
    table = np.array(series) if series else np.zeros((0, system.hour_count))
    return _Segments(np.array(zone, dtype=np.int64), number, row, table)


def _zone_bounds(system: System, solution: Solution, tolerance: float, at: _Bounds) -> None:
    """Bounds by what is dumped and by demand that is not served, in place."""
    zones = len(system.zones)
    low, high, price = (part[:, :zones] for part in at)
    demand, worth = np.asarray(system.demand), 1.0 + np.abs(price)
    if np.isfinite(system.disposal_cost):
        low[:] = -system.disposal_cost
        real = solution.dumped * worth >= (price + system.disposal_cost) * np.maximum(demand, 1.0)
        high[(solution.dumped > tolerance) & real] = -system.disposal_cost
    if np.isfinite(system.value_of_lost_load):
        lost = system.value_of_lost_load
        codes = _codes(solution.unserved, 0.0, demand, tolerance, lost - price, worth)
        np.minimum(high, lost, out=high, where=codes & _RISE > 0)
        np.maximum(low, lost, out=low, where=codes & _FALL > 0)


def _store_bounds(system: System, solution: Solution, tolerance: float, at: _Bounds) -> Codes:
    """Bounds of water values by spill and by the end of the year, in place; what each level may do.

    Shape (hours, stores).
    """
    kept = np.zeros((system.hour_count, len(system.stores)), dtype=np.int8)
    for index, store in enumerate(system.stores):
        node = len(system.zones) + index
        water = at.value[:, node]
        worth, after = 1.0 + np.abs(water), np.roll(water, -1)
        if store.initial_level is not None:
            after[-1] = 0.0
        most = tolerance * max(1.0, 1e-5 * store.energy_limit)
        spill = _codes(solution.spill[:, index], 0.0, store.inflow, tolerance, water, worth)
        at.low[spill & _RISE > 0, node] = 0.0
        at.high[spill & _FALL > 0, node] = 0.0
        level = solution.level[:, index]
        kept[:, index] = _codes(level, 0.0, store.energy_limit, most, water - after, worth)
        if store.initial_level is not None:  # nothing is worth anything after the last hour
            if kept[-1, index] & _RISE:
                at.low[-1, node] = max(at.low[-1, node], 0.0)
            if kept[-1, index] & _FALL:
                at.high[-1, node] = min(at.high[-1, node], 0.0)
            kept[-1, index] = 0
    return kept


def _links(
    system: System, bids: Sequence[Bid], solution: Solution, tolerance: float, value: FloatArray, kept: Codes
) -> _Links:
    zones = system.zones
    arcs: list[tuple[int, int, float, float]] = []
    codes: list[Codes] = []

    def add(tail: int, head: int, keep: float, cost: float, amount: FloatArray, limit: Hourly) -> None:
        arcs.append((tail, head, keep, cost))
        reduced, worth = value[:, tail] + cost - keep * value[:, head], 1.0 + np.abs(value[:, tail])
        codes.append(_codes(amount, 0.0, limit, tolerance, reduced, worth))

    for index, line in enumerate(system.corridors):
        start, end, keep = zones.index(line.from_zone), zones.index(line.to_zone), 1.0 - line.loss
        add(start, end, keep, line.cost, solution.forward[:, index], line.forward_limit)
        add(end, start, keep, line.cost, solution.backward[:, index], line.backward_limit)
    for index, store in enumerate(system.stores):
        zone, node = zones.index(store.zone), len(zones) + index
        add(zone, node, store.charge_efficiency, 0.0, solution.charge[:, index], store.charge_limit)
        kept_back, cost = store.discharge_efficiency, store.discharge_efficiency * store.discharge_cost
        add(node, zone, kept_back, cost, solution.discharge[:, index], store.discharge_limit)
    hours = system.hour_count
    return _Links(
        tail=np.array([arc[0] for arc in arcs], dtype=np.int64),
        head=np.array([arc[1] for arc in arcs], dtype=np.int64),
        keep=np.array([arc[2] for arc in arcs], dtype=np.float64),
        cost=np.array([arc[3] for arc in arcs], dtype=np.float64),
        open=np.stack(codes, axis=1) if codes else np.zeros((hours, 0), dtype=np.int8),
        kept=kept,
        **_members(system, bids, solution, tolerance),
    )


def _members(
    system: System, bids: Sequence[Bid], solution: Solution, tolerance: float
) -> dict[str, npt.NDArray[Any]]:
    """The members of budgets as `_Links` has them."""
    hours, count, price = system.hour_count, 0, np.asarray(solution.price)
    budgets_of: dict[str, list[int]] = {}
    added: dict[str, Hourly] = {}
    period = np.zeros((len(system.budgets), hours), dtype=np.int64)
    for index, budget in enumerate(system.budgets):
        period[index] = count + np.asarray(budget.period)
        count += len(np.asarray(budget.minimum))
        for name in budget.members:
            budgets_of.setdefault(name, []).append(index)
            added[name] = added.get(name, 0.0) + solution.budget_price[index][budget.period]
    found: list[tuple[str, str, float, FloatArray, Codes]] = []
    for index, plant in enumerate(system.plants):
        if plant.name in budgets_of:
            least = np.minimum(plant.minimum, plant.available)
            own = price[:, system.zones.index(plant.zone)]
            reduced = plant.cost + added[plant.name] - own
            amount, worth = solution.dispatch[:, index], 1.0 + np.abs(own)
            codes = _codes(amount, least, plant.available, tolerance, reduced, worth)
            found.append((plant.name, plant.zone, 1.0, hour_series(plant.cost, hours), codes))
    for index, bid in enumerate(bids):
        if bid.name in budgets_of:  # what is not taken is what a plant gives
            missing = np.asarray(bid.quantity - solution.accepted[:, index])
            own = price[:, system.zones.index(bid.zone)]
            reduced = bid.value - added[bid.name] - own
            codes = _codes(missing, 0.0, bid.quantity, tolerance, reduced, 1.0 + np.abs(own))
            found.append((bid.name, bid.zone, -1.0, hour_series(bid.value, hours), codes))
    lists = [budgets_of[name] for name, *_ in found]
    return {
        "node": np.array([system.zones.index(zone) for _, zone, *_ in found], dtype=np.int64),
        "sign": np.array([each[2] for each in found], dtype=np.float64),
        "start": np.cumsum([0, *(len(each) for each in lists)], dtype=np.int64),
        "budget": np.array([index for each in lists for index in each], dtype=np.int64),
        "moves": np.stack([each[4] for each in found], 1) if found else np.zeros((hours, 0), dtype=np.int8),
        "own": np.stack([each[3] for each in found], 1) if found else np.zeros((hours, 0)),
        "period": period,
    }


def _budget_bounds(system: System, bids: Sequence[Bid], solution: Solution, tolerance: float) -> _Bounds:
    """Bounds of budget prices by what each budget may still do, shape (1, periods of all)."""
    energy = {plant.name: solution.dispatch[:, index] for index, plant in enumerate(system.plants)}
    energy |= {bid.name: solution.accepted[:, index] for index, bid in enumerate(bids)}
    values = [np.zeros(0), *(np.asarray(price, dtype=np.float64) for price in solution.budget_price)]
    value = np.concatenate(values)[None, :]
    low, high, first = np.full_like(value, -np.inf), np.full_like(value, np.inf), 0
    for budget in system.budgets:
        minimum, maximum = np.asarray(budget.minimum), np.asarray(budget.maximum)
        count = len(minimum)
        used = np.zeros(count)
        for name in budget.members:
            used += np.bincount(budget.period, energy[name], count)
        slack = tolerance + 1e-9 * np.abs(used)
        own = value[0, first : first + count]
        worth, size = 1.0 + np.abs(own), 1.0 + np.abs(used)
        below, above = maximum - used, used - minimum
        high[0, first : first + count][(below > slack) & (below * worth >= own * size)] = 0.0
        low[0, first : first + count][(above > slack) & (above * worth >= -own * size)] = 0.0
        first += count
    return _Bounds(np.minimum(low, value), np.maximum(high, value), value)
