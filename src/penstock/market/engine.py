"""The compiled engine: a system and its bids -> a solution, hour by hour where nothing binds the hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from .arrays import Arrays, to_arrays
from .bid import Bid
from .decomposition import budgets_of, fixed, mix, priced
from .hourly import Layout, LooseSegments, clear_year, new_hours, staircases
from .interior import solve_interior
from .kernel import CLASH, UNSOLVED, Hours, Staircase
from .limits import check_budgets, clashes, diagnose
from .solution import Solution
from .storage import Stored, feasible, stores_as_bids, with_injection
from .system import FloatArray, System, hour_series

__all__ = ["refusal", "solve_compiled"]

#: Over few hours the interior point goes as far as it can: it costs nothing, and the water values gain.
_MANY_HOURS, _TIGHT = 2000, 1e-9
#: Elsewhere exact clearing at its water values certifies several times less than its own gap.
_LOOSER = 4.0


def refusal(system: System) -> str | None:
    """Why the compiled engine cannot clear this system, in words; None where it can."""
    if any(corridor.reactance is not None for corridor in system.corridors):
        return "corridors with a reactance (DC power flow) need the linear programme"
    return None


class _NoResultError(Exception):
    """The compiled engine gives up; why, in words."""


def solve_compiled(system: System, bids: Sequence[Bid], gap: float) -> tuple[Solution | None, str | None]:
    """A solution, or None and why there is none. Raises InfeasibleError where limits clash."""
    check_budgets(system, bids)
    year = _Year(system, bids, gap)
    try:
        if system.stores:
            return year.with_stores(), None
        return year.without_stores(), None
    except _NoResultError as error:
        return None, str(error)


class _Year:
    """A system and its bids in the kernel's form."""

    def __init__(self, system: System, bids: Sequence[Bid], gap: float) -> None:
        self.system, self.bids, self.gap = system, bids, gap
        self.arrays = to_arrays(system, bids)
        self.columns = _columns(system, self.arrays)
        self.members = np.unique(self.arrays.member)
        self.staircase, self.layout = self._stairs()

    def _stairs(self, further: LooseSegments | None = None) -> tuple[Staircase, Layout]:
        return staircases(self.arrays, columns=self.columns, loose=self.members, further=further)

    def _clear(self, staircase: Staircase, *, may_clash: bool = False) -> Hours:
        out = new_hours(staircase)
        clear_year(staircase, out)
        if (out.state == UNSOLVED).any():
            hour = self.system.hours[int(np.argmax(out.state == UNSOLVED))]
            raise _NoResultError(f"the simplex did not end in hour {hour}Z")
        if not may_clash and (out.state == CLASH).any():
            # It may be this operation of stores or budgets that leaves no way, or rounding, not the system.
            if not (self.system.stores or self.system.budgets) and clashes(self.system, self.bids):
                raise diagnose(self.system, self.bids)
            hour = self.system.hours[int(np.argmax(out.state == CLASH))]
            raise _NoResultError(f"energy is missing or left over in hour {hour}Z")
        return out

    def _budget_parts(self, price: FloatArray) -> tuple[FloatArray, ...]:
        return tuple(price[first:last] for first, last in pairwise(self.arrays.period_start))

    def _least_cost(
        self, staircase: Staircase, price: FloatArray | None = None
    ) -> tuple[Hours, Hours | None, FloatArray]:
        """Dispatch with the budgets met; prices that go with it, where there are budgets; budget prices."""
        if len(self.members) == 0:
            return self._clear(staircase), None, np.zeros(0)
        budgets = budgets_of(self.arrays, staircase, self.layout.loose)
        mixture = mix(budgets, self.gap, _offset(self.system, self.bids, self.arrays), price)
        if mixture is None:
            raise _NoResultError("the bounds of the decomposition did not meet")
        prices = self._clear(priced(budgets, mixture.price))
        out = self._clear(fixed(budgets, mixture.taken))
        out.loose[:, budgets.coupling.member] = mixture.taken
        return out, prices, mixture.price

    def without_stores(self) -> Solution:
        """Every hour on its own, but for the budgets."""
        out, prices, budget_price = self._least_cost(self.staircase)
        solution = _unpack(self, out, out if prices is None else prices)
        return replace(solution, budget_price=self._budget_parts(budget_price))

    def with_stores(self) -> Solution:
        """Water values from the interior point, framed by exact clearings."""
        arrays = self.arrays
        low, high = self._band()
        gap = _LOOSER * self.gap if arrays.hours > _MANY_HOURS else _TIGHT
        offset = _offset(self.system, self.bids, arrays)
        with np.errstate(all="ignore"):  # what does not converge says so
            for careful in (False, True):
                interior = solve_interior(
                    arrays, band_low=low, band_high=high, gap=gap, offset=offset, careful=careful
                )
                if interior.converged:
                    break
        if not interior.converged:
            raise _NoResultError(f"the interior point stopped at a gap of {interior.gap:.1e}")
        near = Stored(interior.charge, interior.discharge, interior.level, interior.spill)
        stored = feasible(arrays, near)
        if stored is None:
            raise _NoResultError("a cyclic store could not be closed")
        budget_price = -interior.budget_multiplier
        segments, injected = stores_as_bids(arrays, interior.water_value)
        bidding, layout = self._stairs(segments)
        bidding = with_injection(bidding, arrays, injected)
        if len(self.members):
            bidding = priced(budgets_of(arrays, bidding, layout.loose), budget_price)
        prices = self._clear(bidding)
        given = with_injection(self.staircase, arrays, stored.discharge - stored.charge)
        out, _, _ = self._least_cost(given, budget_price)
        solution = _unpack(self, out, prices)
        return replace(
            solution,
            charge=stored.charge,
            discharge=stored.discharge,
            level=stored.level,
            spill=stored.spill,
            water_value=interior.water_value,
            budget_price=self._budget_parts(budget_price),
        )

    def _band(self) -> tuple[FloatArray, FloatArray]:
        """Prices between which the optimum lies: with all that may be injected, and with all withdrawn."""
        arrays, hours = self.arrays, self.arrays.hours
        shape = hours, len(arrays.store_zone)
        stairs = self.staircase, self.staircase
        if len(self.members):
            budgets = budgets_of(arrays, self.staircase, self.layout.loose)
            most = np.stack([arrays.width.full(member) for member in self.members], axis=1)
            stairs = fixed(budgets, most), fixed(budgets, np.zeros_like(most))
        given = np.broadcast_to(arrays.discharge_limit, shape), np.broadcast_to(-arrays.charge_limit, shape)
        low, high = (
            self._clear(with_injection(each, arrays, net), may_clash=True)
            for each, net in zip(stairs, given, strict=True)
        )
        return low.price_low, high.price_high


def _offset(system: System, bids: Sequence[Bid], arrays: Arrays) -> float:
    """Net cost where every plant gives its minimum and every bid is served. [USD]

    The kernel's objective is what comes on top of it.
    """
    total = 0.0
    for plant, least in zip(system.plants, arrays.least, strict=True):
        if least is not None:
            total += float(np.sum(plant.cost * least))
    for bid in bids:
        total -= float(np.sum(np.broadcast_to(bid.quantity * bid.value, (system.hour_count,))))
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


def _unpack(year: _Year, out: Hours, prices: Hours) -> Solution:
    system, bids, arrays, layout, columns = year.system, year.bids, year.arrays, year.layout, year.columns
    hours, plants, zones = arrays.hours, len(system.plants), arrays.zones
    nothing = np.zeros((hours, 0))
    used = out.used
    for place, segment in enumerate(layout.loose):
        used[:, columns[segment]] = out.loose[:, place]
        if segment >= len(arrays.groups):  # what a bid goes without -> what it is served
            bid = bids[segment - len(arrays.groups)]
            used[:, columns[segment]] = bid.quantity - used[:, columns[segment]]
    dispatch = used[:, :plants]
    _share(system, arrays, columns, used)
    for index, least in enumerate(arrays.least):
        if least is not None:
            dispatch[:, index] += least
    accepted = used[:, plants : plants + len(bids)]
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
        room = []
        for index in group:
            available, least = hour_series(system.plants[index].available, arrays.hours), arrays.least[index]
            room.append(available if least is None else available - least)
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
