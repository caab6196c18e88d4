"""The programme in the market and in the Bitcoin network at once: clear, settle, mend, until nothing moves.

A round clears the market with the programme's bids, then asks two questions. Does the clearing break a
contract, or call for a row that was left out (`breaches.py`)? Does the hashrate that ran change who comes
(`network.py`)? If either does, the next round clears again. Contracts only ever add limits, so they end; the
network ends when its hashrate moves by no more than a millionth.
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
from .decision import Decision, ProgrammeBid, absent, bids_of, budgets_of, came, first_decision
from .network import Answer, Network, answer
from .parts import Plan

__all__ = ["ROUNDS", "TOLERANCE", "Operation", "absent_bids", "operate"]

#: Most rounds of clearing, and largest move of the network's hashrate between the last two. [1]
ROUNDS = 20
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A programme's year.

    clearing: the market with it; its bids are those of `bids`, in their order.
    answer: the Bitcoin network with it.
    rounds: clearings that it took.
    settled: whether the last round left contracts kept and the network within `TOLERANCE`.
    moved: largest move of the network's hashrate in the last round, over the months; also between what the
        programme ran and what the network settled with. [1]
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
    decision = first_decision(plan)
    settled = answer(plan, network, np.ones((len(plan.parts), 12)))
    decision = replace(decision, coming=settled.coming)
    number, moved, kept = 0, np.inf, False
    while True:
        number += 1
        progress(number)
        bids = bids_of(plan, decision, settled.hashprice)
        budgets = budgets_of(plan, decision)
        full = replace(system, budgets=(*system.budgets, *budgets)) if budgets else system
        clearing = clear(full, tuple(row.bid for row in bids))
        following = next_decision(plan, decision, clearing)
        served = _served(plan, decision, clearing)
        after = answer(plan, network, served)
        # What ran against what the bids of this round took for granted; where machines come in part, others
        # would take the place of those that are stopped, and the network's hashrate alone does not show it.
        apart = np.maximum(
            np.abs(after.network_ehs - settled.network_ehs),
            np.abs(after.own_ehs - _ran_ehs(plan, decision, served)),
        )
        moved = float(np.max(apart / after.network_ehs))
        kept = following is decision
        if (kept and moved <= TOLERANCE) or number == ROUNDS:
            return Operation(
                plan, network, decision, bids, clearing, after, number, kept and moved <= TOLERANCE, moved
            )
        decision = replace(following, coming=after.coming)
        settled = after


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
    return absent(operation.bids)
