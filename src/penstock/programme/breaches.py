"""What a clearing does that a contract forbids, or that a row was left out for: the next decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    highest_lift,
    window_of,
)
from .parts import Plan, longest_event

__all__ = ["BREACH_MW", "next_decision", "runs"]

BoolArray = npt.NDArray[np.bool_]

#: Less than this is rounding: of power in an hour [MW], and of a year's energy as a share [1].
BREACH_MW = 1e-6
BREACH_SHARE = 1e-9
#: Prices nearer to each other than this are equal. [USD/MWh]
PRICE_TOLERANCE = 1e-3


def next_decision(plan: Plan, decision: Decision, clearing: Clearing) -> Decision:
    """The decision with every breach of the clearing mended; the same object where there is none.

    clearing: its bids are those of `bids_of`, in their order.
    """
    if plan.firm:
        return decision
    taken = clearing.accepted
    held, ended = decision.held.copy(), decision.ended.copy()
    _hold_short_stops(plan, decision, taken, held, ended)
    for index in range(len(plan.parts)):
        _end_long_events(plan, decision, taken, index, ended[:, index])
    limited = decision.limited | set(_overdrawn(plan, decision, taken))
    released = set(_no_longer_short(plan, decision, taken))
    capped = (decision.capped - released) | set(_giving_way(plan, limited, clearing, taken))
    freed = decision.freed | released
    ordered = decision.ordered | set(_interrupted_miners(plan, decision, taken))
    windows = {
        name: used | _worth_deferring(plan, decision, clearing, name)
        for name, used in decision.windows.items()
    }
    same = (
        limited == decision.limited
        and np.array_equal(held, decision.held)
        and np.array_equal(ended, decision.ended)
        and capped == decision.capped
        and ordered == decision.ordered
        and all(np.array_equal(windows[name], decision.windows[name]) for name in windows)
    )
    if same:
        return decision
    return replace(
        decision,
        held=held,
        ended=ended,
        limited=frozenset(limited),
        capped=frozenset(capped),
        ordered=frozenset(ordered),
        freed=frozenset(freed),
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


def _no_longer_short(plan: Plan, decision: Decision, taken: FloatArray) -> Iterator[str]:
    """Capped contracts that leave some of their budget: others come by now. Once for each."""
    for key in decision.capped - decision.freed:
        members = contract_members(plan, key)
        comes = all_that_comes(plan, decision, members)
        left = plan.terms.contracts[key].annual_share * comes - (comes - float(taken[:, members].sum()))
        if highest_lift(plan, key) > 0.0 and left > 1e-6 * comes:
            yield key


def _interrupted_miners(plan: Plan, decision: Decision, taken: FloatArray) -> Iterator[str]:
    """Contracts under which a miner is stopped at all."""
    for index, part in enumerate(plan.parts):
        if part.load == "mining" and _stopped(came(plan, decision, index), taken[:, index]).any():
            yield plan.contract(part)


def _giving_way(plan: Plan, limited: Iterable[str], clearing: Clearing, taken: FloatArray) -> Iterator[str]:
    """Contracts that are to give way: bid the highest already, or are served above the highest bid.

    The second happens where the price of a budget's row is above P of the docstring of `decision`, and it is
    there that people go without.
    """
    zone = clearing.system.zone_index(part.zone for part in plan.parts)
    above = clearing.price[:, zone] > highest_bid(plan) + PRICE_TOLERANCE
    for key in limited:
        members = contract_members(plan, key)
        if highest_lift(plan, key) == 0.0 or (above[:, members] & (taken[:, members] > BREACH_MW)).any():
            yield key


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
    if part.late or part.load == "mining" or plan.contract(part) in decision.capped:
        return  # a capped contract is cut in shortages alone
    longest = int(longest_event(plan.centre))
    for start, stop in runs(_stopped(came(plan, decision, index), taken[:, index])):
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
    for index, part in enumerate(plan.parts):
        if not part.late:
            missing[:, index] = came(plan, decision, index) - clearing.accepted[:, index]
    missing[missing < BREACH_MW] = 0.0
    return missing
