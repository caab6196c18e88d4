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

**Budgets give way to people.** A row that holds an annual budget adds its price μ to the bids of its
contract, and without a limit it would serve a load while people go without. No contract of this programme
does: μ is at most P, what lifts the contract's highest bid to the highest of all. Where the row asks for
more, it is left out and its bids are lifted by P instead, which is the same market with μ held at P. The
contract is `capped`: its loads are cut in shortages alone, and what exceeds the budget is an emergency.

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
from penstock.market.system import EnergyBudget, FloatArray

from .parts import Part, Plan
from .terms import Load

__all__ = ["Decision", "ProgrammeBid", "bids_of", "budgets_of", "first_decision", "window_of"]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What has been decided about the parts, in their order.

    coming: share of each part that comes in each month, shape (parts, 12). [1]
    windows: of every late part by name: windows in which work may be done late, shape (windows,).
    limited: contracts whose annual budget binds.
    capped: those of them that give way to people.
    freed: those that gave way and need not any more.
    ordered: contracts of miners that are stopped at all: their bids differ a little by month.
    held: hours in which a part stays stopped because its stop is too short, shape (hours, parts).
    ended: hours in which a part may not be interrupted because the event is too long, or would be too short
        and its contract has no energy left to make it longer, same shape.
    """

    coming: FloatArray
    windows: Mapping[str, BoolArray]
    held: BoolArray
    ended: BoolArray
    limited: frozenset[str] = field(default_factory=frozenset)
    capped: frozenset[str] = field(default_factory=frozenset)
    freed: frozenset[str] = field(default_factory=frozenset)
    ordered: frozenset[str] = field(default_factory=frozenset)


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
    """No load of an interruptible programme bids above this. [USD/MWh]

    A share of what its MWh is worth to people wherever it can be sent, losses on the way taken off.
    """
    return plan.terms.parameters["bid_ceiling_share"].value * plan.people_usd_per_mwh


def highest_lift(plan: Plan, key: str) -> float:
    """P of a contract: how far a budget may lift its bids, 0 where they are among the highest. [USD/MWh]

    Lifted bids stay below those that loads make at the highest bid by themselves.
    """
    members = contract_members(plan, key)
    if not members:
        return 0.0
    spacing = plan.terms.parameters["bid_spacing_usd_per_mwh"].value
    top = highest_bid(plan) - spacing * (len(plan.parts) + 1)
    return max(top - float(strikes(plan)[members].max()), 0.0)


def bids_of(plan: Plan, decision: Decision, hashprice: FloatArray) -> tuple[ProgrammeBid, ...]:
    """One bid per part, in their order: the same in number and name whatever is decided.

    hashprice: of each month, shape (12,). [USD/(PH/s·day)]
    """
    taken, strike, ceiling = quantities(plan, decision), strikes(plan), highest_bid(plan)
    lift = {key: highest_lift(plan, key) for key in decision.capped}
    rows = []
    for index, part in enumerate(plan.parts):
        key = plan.contract(part)
        value: float | FloatArray = float(strike[index]) + (0.0 if part.late else lift.get(key, 0.0))
        if part.load == "mining" and key in decision.ordered:
            value = value - _by_month(plan)
        if not plan.firm and decision.ended[:, index].any():
            value = np.where(decision.ended[:, index], ceiling, value)
        quantity = taken[:, index]
        constant = float(quantity[0])
        same = bool(np.all(quantity == constant))
        bid = Bid(part.name, part.zone, constant if same else quantity, value)
        rows.append(ProgrammeBid(bid, part, part.value(hashprice)))
    return tuple(rows)


def _by_month(plan: Plan) -> FloatArray:
    """Less than the step between two bids, more from month to month, shape (hours,). [USD/MWh]

    Many hours may be as good as each other to stop a miner in, and their month decides who comes in it:
    without an order among them, market and network would chase each other for ever.
    """
    spacing = plan.terms.parameters["bid_spacing_usd_per_mwh"].value
    return np.asarray(0.9 * spacing * (plan.where.month - 1) / 12.0, dtype=np.float64)


def budgets_of(plan: Plan, decision: Decision) -> tuple[EnergyBudget, ...]:
    """The rows of the contracts and windows that bind, none for a firm programme."""
    if plan.firm:
        return ()
    taken = quantities(plan, decision)
    year = np.zeros(plan.hours, dtype=np.int64)
    rows = []
    for key in sorted(decision.limited - decision.capped):
        members = contract_members(plan, key)
        least = (1.0 - plan.terms.contracts[key].annual_share) * all_that_comes(plan, decision, members)
        most = float(taken[:, members].sum())
        names = tuple(plan.parts[index].name for index in members)
        rows.append(
            EnergyBudget(
                budget_name(key),
                names,
                year,
                np.array([min(least, most)]),
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
        rows.append(
            EnergyBudget(
                f"work of {origin.name}",
                (origin.name, part.name),
                window,
                np.full(len(used), -np.inf),
                np.where(used, energy, np.inf),
            )
        )
    return tuple(rows)


def budget_name(key: str) -> str:
    """Name of the row that holds a contract's annual budget."""
    return f"interruption of {key}"


def contract_members(plan: Plan, key: str) -> list[int]:
    """Places of the parts under a contract; late work is not interrupted, it was."""
    return [index for index, part in enumerate(plan.parts) if plan.contract(part) == key and not part.late]


def all_that_comes(plan: Plan, decision: Decision, members: Sequence[int]) -> float:
    """Energy of parts that comes in the year. [MWh]"""
    return float(sum(float(came(plan, decision, index).sum()) for index in members))


def came(plan: Plan, decision: Decision, index: int) -> FloatArray:
    """Power that comes and would run were nobody interrupted, shape (hours,). [MW]"""
    return np.asarray(
        plan.parts[index].offered * decision.coming[index, plan.where.month - 1], dtype=np.float64
    )
