"""What a clearing does that a contract forbids, or that a row was left out for: the next decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from penstock.market.clearing import Clearing
from penstock.market.system import FloatArray

from .decision import (
    Decision,
    all_that_comes,
    came,
    contract_members,
    defer_cost,
    highest_bid,
    taken_by,
    window_of,
)
from .parts import Plan, longest_event

__all__ = ["BREACH_MW", "count_shortage", "next_decision", "people_short", "runs"]

BoolArray = npt.NDArray[np.bool_]

#: Less than this is rounding: of power in an hour [MW], and of a year's energy as a share [1].
BREACH_MW = 1e-6
BREACH_SHARE = 1e-9


def next_decision(plan: Plan, decision: Decision, clearing: Clearing) -> Decision:
    """The decision with every breach of the clearing mended; the same object where there is none.

    clearing: its bids are those of `bids_of`, in their order.
    """
    if plan.firm:
        return decision
    taken = taken_by(plan, clearing)
    held, ended = decision.held.copy(), decision.ended.copy()
    _hold_short_stops(plan, decision, taken, held, ended)
    for index in range(len(plan.parts)):
        _end_long_events(plan, decision, taken, index, ended[:, index])
    limited = decision.limited | set(_overdrawn(plan, decision, taken))
    short = decision.short | _goes_short(plan, decision, clearing, taken)
    windows = {
        name: used | _worth_deferring(plan, decision, clearing, name)
        for name, used in decision.windows.items()
    }
    same = (
        limited == decision.limited
        and np.array_equal(held, decision.held)
        and np.array_equal(ended, decision.ended)
        and np.array_equal(short, decision.short)
        and all(np.array_equal(windows[name], decision.windows[name]) for name in windows)
    )
    if same:
        return decision
    return replace(
        decision,
        held=held,
        ended=ended,
        short=short,
        limited=frozenset(limited),
        windows=MappingProxyType(windows),
    )


def _overdrawn(plan: Plan, decision: Decision, taken: FloatArray) -> Iterator[str]:
    """Contracts that the clearing interrupts by more than their annual share."""
    for key, contract in plan.terms.contracts.items():
        members = contract_members(plan, key)
        if not members or key in decision.limited:
            continue
        comes = all_that_comes(plan, decision, members)
        if comes - float(taken[:, members].sum()) > (contract.annual_share + BREACH_SHARE) * comes:
            yield key


def count_shortage(plan: Plan, decision: Decision, clearing: Clearing) -> Decision:
    """The decision with what was interrupted in hours of shortage charged to the budgets that bind.

    It only rises; the same object where it need not.
    """
    missing, spent = interrupted(plan, decision, clearing), dict(decision.spent)
    for key in decision.limited:
        members = contract_members(plan, key)
        found = float(missing[:, members][decision.short[:, members]].sum())
        if found > spent.get(key, 0.0) + BREACH_SHARE * all_that_comes(plan, decision, members):
            spent[key] = found
    if spent == dict(decision.spent):
        return decision
    return replace(decision, spent=MappingProxyType(spent))


def _goes_short(plan: Plan, decision: Decision, clearing: Clearing, taken: FloatArray) -> BoolArray:
    """Hours in which a budget has a part served where people go short, shape (hours, parts).

    There the price is above every bid: no load would be served but for a budget that binds.
    """
    served = taken > BREACH_MW
    bound = [plan.contract(part) in decision.limited and not part.late for part in plan.parts]
    return np.asarray(people_short(plan, clearing) & served & bound, dtype=np.bool_)


def people_short(plan: Plan, clearing: Clearing) -> BoolArray:
    """Hours in which the price of a part's zone is above every bid, shape (hours, parts)."""
    zone = clearing.system.zone_index(part.zone for part in plan.parts)
    return np.asarray(clearing.price[:, zone] > highest_bid(plan), dtype=np.bool_)


def _worth_deferring(plan: Plan, decision: Decision, clearing: Clearing, name: str) -> BoolArray:
    """Windows in which the price of an hour with work exceeds that of one with spare power by the cost."""
    index, part = next((i, part) for i, part in enumerate(plan.parts) if part.name == name)
    origin = plan.on_time(part)
    work = came(plan, decision, plan.parts.index(origin)) > BREACH_MW
    spare = came(plan, decision, index) > BREACH_MW
    price = clearing.price[:, clearing.system.zones.index(part.zone)]
    window = window_of(part, plan.hours)
    windows = len(decision.windows[name])
    dearest = np.full(windows, -np.inf)
    cheapest = np.full(windows, np.inf)
    np.maximum.at(dearest, window[work], price[work])
    np.minimum.at(cheapest, window[spare], price[spare])
    with np.errstate(invalid="ignore"):  # inf - inf where there is neither work nor spare power
        return np.asarray(dearest - cheapest > defer_cost(plan, part), dtype=np.bool_)


def _hold_short_stops(
    plan: Plan, decision: Decision, taken: FloatArray, held: BoolArray, ended: BoolArray
) -> None:
    """Makes stops of machines that are too short longer, as far as their contract has energy left for it;
    other stops may not begin. In place.

    Full power is held with the low-power mode that it adds to.
    """
    least = int(np.ceil(plan.fleet.minimum_stop_hours))
    for key, contract in plan.terms.contracts.items():
        members = [index for index in contract_members(plan, key) if plan.parts[index].load == "mining"]
        comes = {index: came(plan, decision, index) for index in members}
        whole = sum(float(comes[index].sum()) for index in members)
        left = (contract.annual_share + BREACH_SHARE) * whole
        left -= sum(float(comes[index][held[:, index]].sum()) for index in members)
        if left < 0.0:  # fewer come than when the stops were made longer
            ended[:, members] |= held[:, members]
            held[:, members] = False
            continue
        for index in (index for index in members if plan.parts[index].step == "mining_stopped"):
            machine = (plan.parts[index].zone, plan.parts[index].kind)
            both = [row for row in members if (plan.parts[row].zone, plan.parts[row].kind) == machine]
            for start, stop in runs(_stopped(comes[index], taken[:, index])):
                if stop - start >= least:
                    continue
                hours = slice(start, min(start + least, plan.hours))
                more = sum(float(comes[row][hours][~held[hours, row]].sum()) for row in both)
                if more <= left and not ended[hours, index].any():
                    held[hours, both] = True
                    left -= more
                else:
                    ended[start:stop, both] = True


def _end_long_events(plan: Plan, decision: Decision, taken: FloatArray, index: int, ended: BoolArray) -> None:
    """Adds the hours to `ended` by which an event of AI work is too long, in place."""
    part = plan.parts[index]
    if part.late or part.load == "mining":
        return
    longest = int(longest_event(plan.centre))
    stopped = _stopped(came(plan, decision, index), taken[:, index]) & ~decision.short[:, index]
    for start, stop in runs(stopped):
        if stop - start > longest:
            ended[start + longest : stop] = True


def _stopped(comes: FloatArray, accepted: FloatArray) -> BoolArray:
    """Hours in which some of what comes is not served."""
    return np.asarray(comes - accepted > np.maximum(BREACH_MW, BREACH_SHARE * comes), dtype=np.bool_)


def runs(mask: BoolArray) -> Iterator[tuple[int, int]]:
    """First hour and hour after the last of every unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def interrupted(plan: Plan, decision: Decision, clearing: Clearing) -> FloatArray:
    """Power that came and was not served, shape (hours, parts); 0 for late work. [MW]"""
    missing = np.zeros((plan.hours, len(plan.parts)))
    taken = taken_by(plan, clearing)
    for index, part in enumerate(plan.parts):
        if not part.late:
            missing[:, index] = came(plan, decision, index) - taken[:, index]
    missing[missing < BREACH_MW] = 0.0
    return missing
