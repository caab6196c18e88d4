"""The kernel under prices on the energy of many hours: every hour cleared hot from its own last basis.

A budget's price comes on top of the cost of its members. When prices change little, most hours keep their
basis, and only those where a column wants to be on its other side are pivoted again.
"""

from __future__ import annotations

from typing import NamedTuple

from .compiled import compiled, entry
from .kernel import (
    BASIC,
    CODE,
    COST,
    FIRST,
    HIGH,
    LEAST,
    LOW,
    MOST,
    OWN,
    PLACE,
    PRICE,
    VALUE,
    WIDTH,
    ZONE_PRICE,
    _gain,
    _load,
    _prices,
    _settle,
    _solve,
)
from .system import FloatArray, IntArray

__all__ = ["Coupling", "Priced", "price_hours"]


class Coupling(NamedTuple):
    """Limits on the energy of loose columns ("members") over many hours, and how to price them.

    member: loose column of each of J members; varies: 1 where its own cost changes by the hour.
    start, limit, sign: limits of member j are limit[start[j]:start[j + 1]], each with +1 or -1: the limit
        holds sign * amount.
    cost_of, cost_row: loose columns whose cost changes by the hour, and their rows of `loose_series`.
    period: number of the limit's price in hour h, shape (limits, H).
    """

    member: IntArray
    varies: IntArray
    start: IntArray
    limit: IntArray
    sign: FloatArray
    cost_of: IntArray
    cost_row: IntArray
    period: IntArray


class Priced(NamedTuple):
    """What pricing a year keeps between calls: the last basis of each hour and what follows from it.

    mark, at, inverse: of each hour, shapes (H, 3, Z), (H, K), (H, Z, Z).
    taken: amount of each member, shape (H, J). [MW]
    cost: what the hour costs without the prices of the limits, shape (H,). [USD]
    solved: hours that hold a basis, shape (H,).
    """

    mark: IntArray
    at: IntArray
    inverse: FloatArray
    taken: FloatArray
    cost: FloatArray
    solved: IntArray


@compiled
def _holds(step, ends, link, loose, mark, at, vector):
    """True where no nonbasic column wants to be on its other side at these prices."""
    for z in range(mark.shape[1]):
        if mark[OWN, z] < 0:
            i = mark[PLACE, z]
            if step[PRICE, i] < vector[ZONE_PRICE, z] or step[PRICE, i - 1] > vector[ZONE_PRICE, z]:
                return False
    for k in range(at.size):
        if at[k] != BASIC:
            reduced = loose[COST, k] - _gain(k, link, loose, vector[ZONE_PRICE])
            if (reduced < 0.0 and at[k] == LOW) or (reduced > 0.0 and at[k] == HIGH):
                return False
    return True


@compiled
def _total(member, added, step, ends, loose, mark, at, vector, taken):
    """Cost of the hour without what the limits' prices add; writes what each member gives."""
    zones, cost = mark.shape[1], 0.0
    for z in range(zones):
        for i in range(ends[FIRST, z], mark[PLACE, z]):
            if step[WIDTH, i] > 0.0:
                cost += step[PRICE, i] * step[WIDTH, i]
    for r in range(zones):
        c = mark[CODE, r]
        if c < zones:
            cost += step[PRICE, mark[PLACE, c]] * vector[VALUE, r]
        else:
            cost += loose[COST, c - zones] * vector[VALUE, r]
    for k in range(at.size):
        if at[k] != BASIC:
            cost += loose[COST, k] * (loose[MOST, k] if at[k] == HIGH else loose[LEAST, k])
    for j in range(member.size):
        k = member[j]
        x = loose[MOST, k] if at[k] == HIGH else loose[LEAST, k]
        if at[k] == BASIC:
            for r in range(zones):
                if mark[CODE, r] == zones + k:
                    x = min(max(vector[VALUE, r], loose[LEAST, k]), loose[MOST, k])
        taken[j] = x
        cost -= added[j] * x
    return cost


@compiled
def _copy(h, kept, mark, at, inverse):
    """The basis of hour h."""
    zones = mark.shape[1]
    for z in range(zones):
        for i in range(3):
            mark[i, z] = kept.mark[h, i, z]
        for i in range(zones):
            inverse[i, z] = kept.inverse[h, i, z]
    for k in range(at.size):
        at[k] = kept.at[h, k]


@compiled
def _price_members(m, c, h, prices, added, loose):
    """Put the prices of the limits on the cost of each member in hour h."""
    for i in range(c.cost_of.size):
        loose[COST, c.cost_of[i]] = m.loose_series[c.cost_row[i], h]
    for j in range(c.member.size):
        extra = 0.0
        for i in range(c.start[j], c.start[j + 1]):
            extra += c.sign[i] * prices[c.period[c.limit[i], h]]
        k = c.member[j]
        added[j] = extra
        loose[COST, k] = (loose[COST, k] if c.varies[j] else m.loose[COST, k]) + extra


@entry
def price_hours(m, c, prices, hours, kept, step, loose, vector, added):
    """Clear the given hours with prices on the limits of a Coupling, hot from each hour's last basis.

    prices: of every period of every limit. [USD/MWh]
    Writes into `kept` (Priced); returns -1, or the first hour that was not solved.
    """
    ends, link = m.ends, m.link
    before = -1
    for h in hours:
        mark, at, inverse = kept.mark[h], kept.at[h], kept.inverse[h]
        _price_members(m, c, h, prices, added, loose)
        cold = kept.solved[h] == 0 and before < 0
        if kept.solved[h] == 0 and not cold:
            _copy(before, kept, mark, at, inverse)
        before = h
        if not cold:
            _prices(step, loose, mark, inverse, vector)
            if kept.solved[h] == 1 and _holds(step, ends, link, loose, mark, at, vector):
                continue
            cold = not _settle(step, ends, link, loose, mark, at, vector)
        _load(m, h, step, loose)
        _price_members(m, c, h, prices, added, loose)
        if _solve(m, h, cold, step, loose, mark, at, inverse, vector) < 0:
            return h
        kept.cost[h] = _total(c.member, added, step, ends, loose, mark, at, vector, kept.taken[h])
        kept.solved[h] = 1
    return -1
