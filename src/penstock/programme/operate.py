"""The programme in the market and in the Bitcoin network at once: clear, settle, mend, until nothing moves.

A round clears the market with the programme's bids, then asks two questions. Does the clearing break a
contract, or call for a row that was left out (`breaches.py`)? Does the hashrate that ran change who comes
(`network.py`)? If either does, the next round clears again. Contracts only ever add limits, so they end; the
network ends when what ran is within a millionth of what it answers with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from penstock.market.bid import Bid
from penstock.market.clear import clear
from penstock.market.clearing import Clearing
from penstock.market.system import FloatArray, System

from .breaches import BREACH_MW, next_decision
from .decision import Decision, ProgrammeBid, bids_of, budgets_of, came, first_decision
from .network import Answer, Network, answer, coming_at
from .parts import Plan, worth_to_people

__all__ = ["ROUNDS", "TOLERANCE", "Operation", "absent_bids", "operate"]

#: Most rounds of clearing, and how far the network's hashrate may be from its answer. [1]
ROUNDS = 20
TOLERANCE = 1e-6
#: Gap of clearings with contracts' rows: bids lie close together, and their order must come out. [1]
GAP = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A programme's year.

    bids: of the parts, in their order.
    clearing: the market with it; its bids are those of `bids`, in their order.
    answer: the Bitcoin network with it.
    rounds: clearings that it took.
    settled: whether the last round left contracts kept and the network within `TOLERANCE`.
    moved: hashrate that the programme ran less what the network answers with, as a share of the network's;
        the largest of the months. [1]
    """

    plan: Plan
    network: Network
    decision: Decision
    bids: tuple[ProgrammeBid, ...]
    clearing: Clearing
    answer: Answer
    rounds: int
    settled: bool
    moved: float

    @property
    def taken(self) -> FloatArray:
        """What every part takes, shape (hours, parts). [MW]"""
        return self.clearing.accepted


def operate(
    system: System,
    plan: Plan,
    network: Network,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Operation:
    """Clear the market with the programme in it.

    system: the market without the programme's budgets.
    progress: called with the number of each round, from 1.

    Raises InfeasibleError or SolverError as `clear` does.
    """
    plan = replace(plan, people_usd_per_mwh=worth_to_people(system, plan.where.mw))
    settled = answer(plan, network, np.ones((len(plan.parts), 12)))
    search = _Search(settled.position)
    decision = replace(first_decision(plan), coming=coming_at(plan, search.position))
    number = 0
    while True:
        number += 1
        progress(number)
        bids = bids_of(plan, decision, settled.hashprice)
        budgets = budgets_of(plan, decision)
        full = replace(system, budgets=(*system.budgets, *budgets)) if budgets else system
        clearing = clear(full, tuple(row.bid for row in bids), gap=GAP if budgets else 1e-6)
        following = next_decision(plan, decision, clearing)
        served = _served(plan, decision, clearing)
        settled = answer(plan, network, served)
        # What ran against what would run if those came for whom this round pays.
        apart = np.abs(settled.own_ehs - _ran_ehs(plan, decision, served))
        moved = float(np.max(apart / settled.network_ehs))
        kept = following is decision
        if (kept and moved <= TOLERANCE) or number == ROUNDS:
            found = bids_of(plan, decision, settled.hashprice)
            return Operation(
                plan,
                network,
                decision,
                found,
                clearing,
                settled,
                number,
                kept and moved <= TOLERANCE,
                moved,
            )
        # Those who come change only once the contracts hold: their steps are taken at the same limits.
        if kept:
            search.step(settled.position)
        else:
            search.restart(settled.position)
        decision = replace(following, coming=coming_at(plan, search.position))


class _Search:
    """Where the last machine comes, month by month, so that the network answers with the same.

    The more machines come, the fewer the network answers with: G(z) falls in z, so z = G(z) lies between the
    two. The secant through the last two rounds finds it in one step where G is straight, which it is as long
    as no other block or hour becomes marginal.
    """

    def __init__(self, position: FloatArray) -> None:
        self.position = position
        self.before: tuple[FloatArray, FloatArray] | None = None

    def restart(self, answered: FloatArray) -> None:
        """Forget the rounds before, as other limits hold now. answered: as in `step`."""
        self.before = None
        self.position = answered

    def step(self, answered: FloatArray) -> None:
        """Take the next position. answered: G of this one, shape (12,). [1]"""
        gap = answered - self.position
        move = gap.copy()
        if self.before is not None:
            position, earlier = self.before
            run, rise = self.position - position, gap - earlier
            slope = np.divide(rise, run, out=np.full(12, np.nan), where=np.abs(run) > 1e-15)
            steep = slope < -0.999  # -1 or less, as G falls; else rounding, or another month's doing
            move = np.where(steep, np.divide(-gap, slope, out=gap.copy(), where=steep), 0.5 * gap)
        self.before = (self.position, gap)
        self.position = self.position + move


def _served(plan: Plan, decision: Decision, clearing: Clearing) -> FloatArray:
    """Share of what comes that the market serves, shape (parts, 12); 1 where nothing comes. [1]"""
    month = plan.where.month - 1
    share = np.ones((len(plan.parts), 12))
    for index in range(len(plan.parts)):
        comes = np.bincount(month, came(plan, decision, index), 12)
        ran = np.bincount(month, clearing.accepted[:, index], 12)
        there = comes > BREACH_MW
        share[index, there] = np.clip(ran[there] / comes[there], 0.0, 1.0)
    return share


def _ran_ehs(plan: Plan, decision: Decision, served: FloatArray) -> FloatArray:
    """Hashrate of the programme that ran, shape (12,). [EH/s]"""
    full = np.array([part.hashrate_ehs for part in plan.parts])
    return np.asarray(full @ (decision.coming * served), dtype=np.float64)


def absent_bids(operation: Operation) -> tuple[Bid, ...]:
    """The programme's bids with nothing behind them: the market without it, under the same labels."""
    return tuple(
        replace(bid, quantity=0.0, value=float(np.max(bid.value))) for bid in operation.clearing.bids
    )
