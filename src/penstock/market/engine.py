"""The compiled engine: a system and its bids -> a solution, hour by hour where nothing binds the hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from .arrays import Arrays, least_output, to_arrays
from .bid import Bid
from .decomposition import budgets_of, fixed, mix, priced
from .hourly import Layout, clear_year, new_hours, staircases
from .kernel import CLASH, UNSOLVED, Hours
from .limits import check_budgets, diagnose
from .solution import Solution
from .system import FloatArray, System, hour_series

__all__ = ["refusal", "solve_compiled"]


def refusal(system: System) -> str | None:
    """Why the compiled engine cannot clear this system, in words; None where it can."""
    if any(corridor.reactance is not None for corridor in system.corridors):
        return "corridors with a reactance (DC power flow) need the linear programme"
    if system.stores:
        return "stores need the linear programme"
    return None


def solve_compiled(system: System, bids: Sequence[Bid], gap: float) -> tuple[Solution | None, str | None]:
    """A solution, or None and why there is none. Raises InfeasibleError where limits clash."""
    arrays = to_arrays(system, bids)
    columns = _columns(system, arrays)
    check_budgets(system, bids)
    staircase, layout = staircases(arrays, columns=columns, loose=np.unique(arrays.member))
    if len(arrays.member) == 0:
        out = new_hours(staircase)
        clear_year(staircase, out)
        failed = _failure(system, bids, out)
        return (None, failed) if failed else (_unpack(system, bids, arrays, layout, out, out), None)
    budgets = budgets_of(arrays, staircase, layout.loose)
    mixture = mix(budgets, gap, _offset(system, bids))
    if mixture is None:
        return None, "the bounds of the decomposition did not meet"
    out, prices = new_hours(staircase), new_hours(staircase)
    clear_year(priced(budgets, mixture.price), prices)
    clear_year(fixed(budgets, mixture.taken), out)
    failed = _failure(system, bids, out) or _failure(system, bids, prices)
    if failed:
        return None, failed
    out.loose[:, budgets.coupling.member] = mixture.taken
    solution = _unpack(system, bids, arrays, layout, out, prices)
    starts = arrays.period_start
    parts = tuple(mixture.price[first:last] for first, last in pairwise(starts))
    return replace(solution, budget_price=parts), None


def _failure(system: System, bids: Sequence[Bid], out: Hours) -> str | None:
    if (out.state == UNSOLVED).any():
        hour = system.hours[int(np.argmax(out.state == UNSOLVED))]
        return f"the simplex did not end in hour {hour}Z"
    if (out.state == CLASH).any():
        raise diagnose(system, bids)
    return None


def _offset(system: System, bids: Sequence[Bid]) -> float:
    """Net cost where every plant gives its minimum and every bid is served. [USD]

    The kernel's objective is what comes on top of it.
    """
    hours = system.hour_count
    total = 0.0
    for plant in system.plants:
        if isinstance(plant.minimum, np.ndarray) or plant.minimum != 0.0:
            total += float(np.sum(plant.cost * least_output(plant, hours)))
    for bid in bids:
        total -= float(np.sum(np.broadcast_to(bid.quantity * bid.value, (hours,))))
    return total


def _columns(system: System, arrays: Arrays) -> list[int]:
    """Where the kernel writes each segment: a plant at its own place, then bids, then groups of plants."""
    plants = len(system.plants)
    bids = len(arrays.zone) - len(arrays.groups)
    place, columns = plants + bids, []
    for group in arrays.groups:
        if len(group) == 1:
            columns.append(group[0])
        else:
            columns.append(place)
            place += 1
    return columns + list(range(plants, plants + bids))


def _unpack(
    system: System, bids: Sequence[Bid], arrays: Arrays, layout: Layout, out: Hours, prices: Hours
) -> Solution:
    hours, plants, zones = arrays.hours, len(system.plants), arrays.zones
    nothing = np.zeros((hours, 0))
    used, columns = out.used, _columns(system, arrays)
    for place, segment in enumerate(layout.loose):
        used[:, columns[segment]] = out.loose[:, place]
    dispatch = used[:, :plants]
    _share(system, arrays, columns, used)
    for index, plant in enumerate(system.plants):
        if isinstance(plant.minimum, np.ndarray) or plant.minimum != 0.0:
            dispatch[:, index] += least_output(plant, hours)
    accepted = used[:, plants : plants + len(bids)]
    for index, bid in enumerate(bids):
        np.subtract(bid.quantity, accepted[:, index], out=accepted[:, index])
    forward, backward = _flows(system, arrays, out)
    unserved = used[:, layout.lost : layout.dumped] if np.isfinite(arrays.unserved_cost) else None
    return Solution(
        dispatch=dispatch,
        accepted=accepted,
        forward=forward,
        backward=backward,
        unserved=np.zeros((hours, zones)) if unserved is None else unserved,
        dumped=-used[:, layout.dumped : layout.dumped + zones],
        charge=nothing,
        discharge=nothing,
        level=nothing,
        spill=nothing,
        price=_headline(prices),
        price_low=prices.price_low,
        price_high=prices.price_high,
        water_value=nothing,
        budget_price=(),
        line_price=None,
    )


def _share(system: System, arrays: Arrays, columns: Sequence[int], used: FloatArray) -> None:
    """Share what a group of equally cheap plants gives in proportion to the room of each, in place."""
    for segment, group in enumerate(arrays.groups):
        if len(group) == 1:
            continue
        plants = [system.plants[index] for index in group]
        room = [
            hour_series(plant.available, arrays.hours) - least_output(plant, arrays.hours) for plant in plants
        ]
        whole = sum(room)
        share = np.divide(
            used[:, columns[segment]], whole, out=np.zeros(arrays.hours), where=np.asarray(whole) > 0.0
        )
        for index, own in zip(group, room, strict=True):
            np.multiply(share, own, out=used[:, index])


def _flows(system: System, arrays: Arrays, out: Hours) -> tuple[FloatArray, FloatArray]:
    shape = arrays.hours, len(system.corridors)
    forward, backward = np.zeros(shape), np.zeros(shape)
    first = out.loose.shape[1] - len(arrays.tail)
    for arc, corridor in enumerate(arrays.corridor):
        sent = out.loose[:, first + arc]
        if arrays.direction[arc] < 0.0:
            backward[:, corridor] += sent
        else:
            forward[:, corridor] += np.maximum(sent, 0.0)
            backward[:, corridor] -= np.minimum(sent, 0.0)
    return forward, backward


def _headline(out: Hours) -> FloatArray:
    """One optimal price of every hour and zone: the middle of the range.

    The least and the greatest optimal price of every zone are optimal together, so their middle is too. In
    an hour where one of them has no limit in some zone, all zones take the other; where each has none
    somewhere, the price of the last basis stands.
    """
    tied = (out.price_high > out.price_low).any(axis=1)
    if not tied.any():
        return out.price
    price = out.price.copy()
    low, high = out.price_low[tied], out.price_high[tied]
    no_low, no_high = np.isinf(low).any(axis=1), np.isinf(high).any(axis=1)
    chosen = price[tied]
    for hours, bottom, top in ((~no_low, low, low), (~no_high, high, high), (~no_low & ~no_high, low, high)):
        chosen[hours] = (bottom[hours] + top[hours]) / 2.0
    price[tied] = chosen
    return price
