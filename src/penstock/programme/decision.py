r"""From the parts of the programme to bids and energy budgets.

A `Decision` says which machines come in which month, which windows of deferred work are in use, which annual
budgets bind, and where a contract lets nobody interrupt or restart. Everything in it only ever grows while
the market is cleared again (`operate.py`), but for `coming`, which follows the Bitcoin network.

**Order of interruption.** Bids rise in the order of the steps: full power of the worst machine first. Mining
bids the tariff: the contract lets the operator stop it where serving it costs more than it pays. AI bids what
a MWh not delivered costs it, and no load bids above `bid_ceiling_share` x value of lost load: people come
first.

**Deferred work.** Over a window of hours with arrivals a (power that the work takes when it is not deferred),
work on time x, late work y and spare power s,

    0 ≤ x ≤ a,   0 ≤ y ≤ s,   Σ x + Σ y ≤ Σ a   over the hours of the window,

with values v for x and v − d for y: no work counts twice, and what is neither on time nor late is lost. The
jobs of a window are those collected in the window before (see `loads.compute.settle_jobs`), so late work may
be done in any hour of its window. With the price p, deferring from hour t to hour s pays only where
p_t − p_s > d. The cost d is never below the tariff, so p_t > tariff wherever work is deferred and p_s ≥ 0:
mining, which bids the tariff, is stopped before.

**Shortage.** A budget that binds would oblige the system to serve a load even where people go short. No
contract of this programme does: in hours of shortage a part bids apart from its budget. What it is not served
there counts for the budget first; what exceeds the budget is an emergency, beyond the contract.

A window in which no such pair of hours exists needs no rows: x = a and y = 0 are optimal in it. So only the
windows in which one was seen become rows of the market, and likewise the annual budgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from penstock.market.bid import Bid
from penstock.market.clearing import Clearing
from penstock.market.system import EnergyBudget, FloatArray

from .parts import Part, Plan
from .terms import Load

__all__ = ["Decision", "ProgrammeBid", "bids_of", "budgets_of", "first_decision", "taken_by", "window_of"]

BoolArray = npt.NDArray[np.bool_]

#: Ends the name of the bid that a part makes in hours of shortage.
IN_SHORTAGE = ", in shortage"


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What has been decided about the parts, in their order.

    coming: share of each part that comes in each month, shape (parts, 12). [1]
    windows: of every late part by name: windows in which work may be done late, shape (windows,).
    limited: contracts whose annual budget binds.
    short: hours of shortage, in which the annual budget of a part does not hold, same shape as held.
    spent: by contract whose budget binds, energy interrupted in hours of shortage; it counts first. [MWh]
    held: hours in which a part stays stopped because its stop is too short, shape (hours, parts).
    ended: hours in which a part may not be interrupted because the event is too long, or would be too short
        and its contract has no energy left to make it longer, same shape.
    """

    coming: FloatArray
    windows: Mapping[str, BoolArray]
    held: BoolArray
    ended: BoolArray
    short: BoolArray
    limited: frozenset[str] = field(default_factory=frozenset)
    spent: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, eq=False)
class ProgrammeBid:
    """A part's bid.

    value_usd_per_mwh: what a MWh is worth to the load in each month, also where that is below the tariff, so
        that it does not come and its bid has quantity 0, shape (12,). [USD/MWh]
    """

    bid: Bid
    part: Part
    value_usd_per_mwh: FloatArray

    @property
    def load(self) -> Load:
        """Mining or AI."""
        return self.part.load


def first_decision(plan: Plan) -> Decision:
    """Everybody comes, nothing binds."""
    shape = (plan.hours, len(plan.parts))
    return Decision(
        coming=np.ones((len(plan.parts), 12)),
        windows=MappingProxyType(
            {
                part.name: np.zeros(int(window_of(part, plan.hours)[-1]) + 1, dtype=np.bool_)
                for part in plan.parts
                if part.late
            }
        ),
        held=np.zeros(shape, dtype=np.bool_),
        ended=np.zeros(shape, dtype=np.bool_),
        short=np.zeros(shape, dtype=np.bool_),
    )


def window_of(part: Part, hours: int) -> npt.NDArray[np.int64]:
    """Window of every hour, shape (hours,): whole windows from the first hour on, the last may be shorter."""
    return np.arange(hours, dtype=np.int64) // part.window_hours


def quantities(plan: Plan, decision: Decision) -> FloatArray:
    """Most that every part takes, shape (hours, parts). [MW]"""
    month = plan.where.month - 1
    taken = np.zeros((plan.hours, len(plan.parts)))
    for index, part in enumerate(plan.parts):
        if plan.firm and part.late:
            continue
        quantity = part.offered * decision.coming[index, month]
        if part.late:
            quantity = np.where(decision.windows[part.name][window_of(part, plan.hours)], quantity, 0.0)
        taken[:, index] = np.where(decision.held[:, index], 0.0, quantity)
    return taken


def strikes(plan: Plan) -> FloatArray:
    """Bid of every part before its contract ends an event, shape (parts,). [USD/MWh]

    Rungs rise by at least `bid_spacing_usd_per_mwh` in the order of the steps, within a step from the part
    to which a MWh is worth least; the top one is at most the ceiling.
    """
    if plan.firm:
        return np.full(len(plan.parts), plan.value_of_lost_load)
    spacing = plan.terms.parameters["bid_spacing_usd_per_mwh"].value
    rung_of = [
        (
            plan.terms.steps[part.step].order,
            part.worth_usd_per_mwh if part.load == "mining" else part.cut_cost_usd_per_mwh,
        )
        for part in plan.parts
    ]
    rungs = sorted(set(rung_of))
    mining = {rung for rung, part in zip(rung_of, plan.parts, strict=True) if part.load == "mining"}
    below_tariff = sum(rung in mining for rung in rungs)
    bids: dict[tuple[int, float], float] = {}
    last = -np.inf
    for place, rung in enumerate(rungs):
        wish = rung[1]
        if rung in mining:
            below_tariff -= 1
            wish = plan.tariff - spacing * below_tariff
        limit = highest_bid(plan) - spacing * (len(rungs) - 1 - place)
        last = bids[rung] = max(min(wish, limit), last + spacing)
    deferred = [defer_cost(plan, part) if part.late else 0.0 for part in plan.parts]
    return np.array([bids[rung] for rung in rung_of]) - deferred


def defer_cost(plan: Plan, part: Part) -> float:
    """What deferring a MWh costs, at least the tariff: mining stops before. [USD/MWh]"""
    return max(part.defer_cost_usd_per_mwh, plan.tariff)


def highest_bid(plan: Plan) -> float:
    """No load of an interruptible programme bids above this. [USD/MWh]"""
    return plan.terms.parameters["bid_ceiling_share"].value * plan.value_of_lost_load


def bids_of(plan: Plan, decision: Decision, hashprice: FloatArray) -> tuple[ProgrammeBid, ...]:
    """One bid per part, in their order; then one per part with hours of shortage, for those hours.

    hashprice: of each month, shape (12,). [USD/(PH/s·day)]
    """
    taken, strike, ceiling = quantities(plan, decision), strikes(plan), highest_bid(plan)
    rows, apart = [], []
    for index, part in enumerate(plan.parts):
        value: float | FloatArray = float(strike[index])
        if not plan.firm and decision.ended[:, index].any():
            value = np.where(decision.ended[:, index], ceiling, strike[index])
        worth, short = part.value(hashprice), decision.short[:, index]
        quantity = taken[:, index]
        if short.any():
            beside = Bid(part.name + IN_SHORTAGE, part.zone, np.where(short, quantity, 0.0), value)
            apart.append(ProgrammeBid(beside, part, worth))
            quantity = np.where(short, 0.0, quantity)
        constant = float(quantity[0])
        same = bool(np.all(quantity == constant))
        rows.append(
            ProgrammeBid(Bid(part.name, part.zone, constant if same else quantity, value), part, worth)
        )
    return (*rows, *apart)


def taken_by(plan: Plan, clearing: Clearing) -> FloatArray:
    """What every part takes, in hours of shortage as well, shape (hours, parts). [MW]

    clearing: its bids are those of `bids_of`.
    """
    order = {part.name: index for index, part in enumerate(plan.parts)}
    taken = np.array(clearing.accepted[:, : len(plan.parts)])
    for column in range(len(plan.parts), len(clearing.bids)):
        taken[:, order[clearing.bids[column].name.removesuffix(IN_SHORTAGE)]] += clearing.accepted[:, column]
    taken.setflags(write=False)
    return taken


def budgets_of(plan: Plan, decision: Decision) -> tuple[EnergyBudget, ...]:
    """The rows of the contracts and windows that bind, none for a firm programme."""
    if plan.firm:
        return ()
    taken = quantities(plan, decision)
    year = np.zeros(plan.hours, dtype=np.int64)
    rows = []
    for key in sorted(decision.limited):
        members = contract_members(plan, key)
        comes = under_budget(plan, decision, members)
        allowed = plan.terms.contracts[key].annual_share * all_that_comes(plan, decision, members)
        least = float(comes.sum()) - max(allowed - decision.spent.get(key, 0.0), 0.0)
        most = float(np.where(decision.short[:, members], 0.0, taken[:, members]).sum())
        names = tuple(plan.parts[index].name for index in members)
        rows.append(
            EnergyBudget(
                f"interruption of {key}",
                names,
                year,
                np.array([max(min(least, most), 0.0)]),
                np.array([np.inf]),
            )
        )
    for part in plan.parts:
        if not part.late or not decision.windows[part.name].any():
            continue
        window, used = window_of(part, plan.hours), decision.windows[part.name]
        origin = plan.on_time(part)
        arrivals = came(plan, decision, plan.parts.index(origin))
        energy = np.bincount(window, arrivals, len(used))
        beside = [
            row.name + IN_SHORTAGE for row in (origin, part) if decision.short[:, plan.parts.index(row)].any()
        ]
        rows.append(
            EnergyBudget(
                f"work of {origin.name}",
                (origin.name, part.name, *beside),
                window,
                np.full(len(used), -np.inf),
                np.where(used, energy, np.inf),
            )
        )
    return tuple(rows)


def contract_members(plan: Plan, key: str) -> list[int]:
    """Places of the parts under a contract; late work is not interrupted, it was."""
    return [index for index, part in enumerate(plan.parts) if plan.contract(part) == key and not part.late]


def under_budget(plan: Plan, decision: Decision, members: Sequence[int]) -> FloatArray:
    """Power of parts that comes in hours that count for an annual budget, shape (hours, members). [MW]"""
    comes = np.column_stack([came(plan, decision, index) for index in members])
    return np.where(decision.short[:, members], 0.0, comes)


def all_that_comes(plan: Plan, decision: Decision, members: Sequence[int]) -> float:
    """Energy of parts that comes in the year. [MWh]"""
    return float(sum(float(came(plan, decision, index).sum()) for index in members))


def came(plan: Plan, decision: Decision, index: int) -> FloatArray:
    """Power that comes and would run were nobody interrupted, shape (hours,). [MW]"""
    return np.asarray(
        plan.parts[index].offered * decision.coming[index, plan.where.month - 1], dtype=np.float64
    )
