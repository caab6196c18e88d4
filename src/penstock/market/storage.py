"""Stores on top of the kernel: water values from the interior point, bounds from exact hourly clearing.

Three exact clearings of every hour frame the interior point. Before it, all stores give all they can, then
all take all they can: prices fall as more is injected, so the optimum lies between those prices, and every
segment outside them is settled. After it, stores bid their water values, which proves a lower bound; and
their dispatch, made feasible to the last digit, is given, which leaves a dispatch of everything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Arrays, Table
from .compiled import entry
from .hourly import LooseSegments
from .kernel import Staircase
from .system import FloatArray

#: Difference of the first and last level of a cyclic year that counts as none. [MWh]
_CLOSED = 1e-7

__all__ = ["Stored", "feasible", "stores_as_bids", "with_injection"]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What stores do, each of shape (hours, stores). [MW, MW, MWh, MW]"""

    charge: FloatArray
    discharge: FloatArray
    level: FloatArray
    spill: FloatArray


def with_injection(staircase: Staircase, arrays: Arrays, net: FloatArray) -> Staircase:
    """The year with `net` MW given by each store (taken where negative), shape (hours, stores)."""
    need = staircase.need.copy()
    for store, zone in enumerate(arrays.store_zone):
        need[:, zone] -= net[:, store]
    return staircase._replace(need=need)


def stores_as_bids(arrays: Arrays, water_value: FloatArray) -> tuple[LooseSegments, FloatArray]:
    """Stores that buy and sell at their water values: their segments, and what they take if they get it.

    Giving is a segment at water value / efficiency + cost; taking is need of the charge limit, and going
    without it a segment at water value x efficiency. Returns the segments, giving first, and the charge
    limits as injections of shape (hours, stores), negative.
    """
    hours, stores = water_value.shape
    cost = np.concatenate(
        [
            (water_value / arrays.discharge_efficiency + arrays.discharge_cost).T,
            (water_value * arrays.charge_efficiency).T,
        ]
    )
    nothing = np.zeros((0, hours))
    segments = LooseSegments(
        zone=np.concatenate([arrays.store_zone, arrays.store_zone]),
        cost=Table(np.zeros(2 * stores), np.arange(2 * stores), cost),
        width=Table(
            np.concatenate([arrays.discharge_limit, arrays.charge_limit]),
            np.full(2 * stores, -1),
            nothing,
        ),
    )
    return segments, np.broadcast_to(-arrays.charge_limit, (hours, stores))


@entry
def _walk(start, limit, kept, drawn, inflow, taken, given, spill, level):
    """Walk one store's year from level `start`, mending what it takes, gives and spills; the last level.

    kept: stored per MWh taken; drawn: drawn per MWh given.
    """
    now = start
    for h in range(taken.size):
        both = min(taken[h], given[h])
        taken[h] -= both
        given[h] -= both
        now += inflow[h] - spill[h] + kept * taken[h] - drawn * given[h]
        if now > limit:
            more = min(now - limit, inflow[h] - spill[h])
            spill[h] += more
            now -= more
            less = min(max(now - limit, 0.0) / kept, taken[h])
            taken[h] -= less
            now -= kept * less
        if now < 0.0:
            less = min(-now, spill[h])
            spill[h] -= less
            now += less
            less = min(max(-now, 0.0) / drawn, given[h])
            given[h] -= less
            now += drawn * less
        now = min(max(now, 0.0), limit)
        level[h] = now
    return now


@entry
def _shift_end(wanted, limit, kept, drawn, most_taken, most_given, inflow, taken, given, spill, level):
    """End the year `wanted` MWh higher (lower where negative), as late as it can; what could not be found."""
    room = np.inf
    for i in range(taken.size):
        h = taken.size - 1 - i
        room = min(room, limit - level[h] if wanted > 0.0 else level[h])
        todo = min(abs(wanted), room)
        if todo <= 0.0:
            return wanted
        if wanted > 0.0:
            one = min(todo, spill[h])
            two = min(todo - one, drawn * given[h])
            three = min(todo - one - two, kept * (most_taken - taken[h])) if given[h] <= two / drawn else 0.0
            spill[h] -= one
            given[h] -= two / drawn
            taken[h] += three / kept
        else:
            one = min(todo, kept * taken[h])
            two = min(todo - one, drawn * (most_given - given[h])) if taken[h] <= one / kept else 0.0
            three = min(todo - one - two, inflow[h] - spill[h])
            taken[h] -= one / kept
            given[h] += two / drawn
            spill[h] += three
        done = one + two + three
        if done > 0.0:
            change = done if wanted > 0.0 else -done
            for j in range(h, taken.size):
                level[j] += change
            wanted -= change
            room -= done
    return wanted


def feasible(arrays: Arrays, near: Stored) -> Stored | None:
    """The feasible operation next to one that misses a little; None where a cyclic year cannot be closed."""
    charge = np.clip(near.charge, 0.0, arrays.charge_limit).T.copy()
    discharge = np.clip(near.discharge, 0.0, arrays.discharge_limit).T.copy()
    spill = np.clip(near.spill.T, 0.0, arrays.inflow)
    level = np.zeros_like(spill)
    for store, limit in enumerate(arrays.energy_limit):
        kept, drawn = arrays.charge_efficiency[store], 1.0 / arrays.discharge_efficiency[store]
        parts = arrays.inflow[store], charge[store], discharge[store], spill[store], level[store]
        start = arrays.initial_level[store]
        if not np.isnan(start):
            _walk(start, limit, kept, drawn, *parts)
            continue
        start = float(np.clip(near.level[-1, store], 0.0, limit))
        end = _walk(start, limit, kept, drawn, *parts)
        most = arrays.charge_limit[store], arrays.discharge_limit[store]
        missing = _shift_end(start - end, limit, kept, drawn, *most, *parts)
        if abs(missing) > _CLOSED:
            return None
    return Stored(*(part.T.copy() for part in (charge, discharge, level, spill)))
