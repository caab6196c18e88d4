"""Who ran, who was stopped and what it cost them, month by month and step by step.

For every part and hour, with the power offered o, the share that comes k, what is taken a and, of deferred
work, what is done late y,

    o = left + came,   left = o·(1 − k),   came = a + interrupted,   interrupted (of work) = late + lost,

so every MWh that a contract keeps ready is in exactly one place. Late work is energy of its own hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from penstock.loads.jobs import settle_jobs
from penstock.market.system import FloatArray

from .breaches import BREACH_MW, interrupted, runs
from .decision import all_that_comes, budget_name, came, contract_members, highest_lift, window_of
from .operate import Operation
from .parts import Part

__all__ = [
    "ContractUse",
    "StepMonth",
    "contract_use",
    "step_months",
    "stopped_by_step",
]

_MINUTES = 60.0
_TINY_MWH = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMonth:
    """One step of the order of interruption in one month.

    offered_mwh: what the contracts keep ready. [MWh]
    left_mwh: of it, loads that stay away since a MWh is worth less to them than the tariff. [MWh]
    ran_mwh: taken on time. [MWh] late_mwh: deferred work, done later in its window. [MWh]
    interrupted_mwh: not taken when it came, as the operator stopped it; includes late and lost. [MWh]
    lost_mwh: interrupted work that was never done. [MWh]
    emergency_mwh: of interrupted, what was cut beyond a budget that gave way to people. [MWh]
    hours: hours in which something was interrupted. [h]
    worth_usd_per_mwh: what a MWh is worth, mean over what is offered. [USD/MWh]
    price_usd_per_mwh: mean price of the interrupted MWh; None where there are none. [USD/MWh]
    cost_usd: what interruption cost the loads, the tariff that they saved taken off. [USD]
    avoided_usd: loss that those who left avoided. [USD]
    """

    step: str
    month: int
    offered_mwh: float
    left_mwh: float
    ran_mwh: float
    late_mwh: float
    interrupted_mwh: float
    lost_mwh: float
    emergency_mwh: float
    hours: int
    worth_usd_per_mwh: float
    price_usd_per_mwh: float | None
    cost_usd: float
    avoided_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractUse:
    """How much of a contract's annual budget was used.

    came_mwh: energy that came under it. [MWh] allowed_mwh, used_mwh: that may be, and was, interrupted. [MWh]
    emergency_mwh: cut beyond it, as people come first, which it does not count. [MWh]
    binds: whether the budget kept the operator from interrupting more.
    price_usd_per_mwh: what one more MWh of the budget would save the market, at most what a budget may ask
        for; 0 where it does not bind. [USD/MWh]
    """

    contract: str
    came_mwh: float
    allowed_mwh: float
    used_mwh: float
    emergency_mwh: float
    binds: bool
    price_usd_per_mwh: float


@dataclass(slots=True)
class _Sums:
    """A part's twelve months; every field of shape (12,)."""

    offered: FloatArray
    left: FloatArray
    ran: FloatArray
    late: FloatArray
    interrupted: FloatArray
    lost: FloatArray
    emergency: FloatArray
    worth: FloatArray
    price: FloatArray
    cost: FloatArray
    avoided: FloatArray

    def add(self, other: _Sums) -> None:
        """Adds another part's months."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def step_months(operation: Operation) -> tuple[StepMonth, ...]:
    """Every step in its order, month by month."""
    plan, month = operation.plan, operation.plan.where.month - 1
    missing = interrupted(plan, operation.decision, operation.clearing)
    beyond = _beyond_budgets(operation, missing)
    rows: list[StepMonth] = []
    for key in plan.terms.steps:
        members = [index for index, part in enumerate(plan.parts) if part.step == key and not part.late]
        total = _Sums(*(np.zeros(12) for _ in fields(_Sums)))
        for index in members:
            total.add(_part_months(operation, index, missing[:, index], beyond))
        stopped = missing[:, members].any(axis=1) if members else np.zeros(plan.hours, dtype=bool)
        hours = np.bincount(month[stopped], minlength=12)
        rows.extend(_rows(key, total, hours))
    return tuple(rows)


def _rows(step: str, total: _Sums, hours: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[StepMonth]:
    for index in range(12):
        offered, stopped = float(total.offered[index]), float(total.interrupted[index])
        yield StepMonth(
            step=step,
            month=index + 1,
            offered_mwh=offered,
            left_mwh=float(total.left[index]),
            ran_mwh=float(total.ran[index]),
            late_mwh=float(total.late[index]),
            interrupted_mwh=stopped,
            lost_mwh=float(total.lost[index]),
            emergency_mwh=float(total.emergency[index]),
            hours=int(hours[index]),
            worth_usd_per_mwh=float(total.worth[index]) / offered if offered > 0.0 else 0.0,
            price_usd_per_mwh=float(total.price[index]) / stopped if stopped > _TINY_MWH else None,
            cost_usd=float(total.cost[index]),
            avoided_usd=float(total.avoided[index]),
        )


def _beyond_budgets(operation: Operation, missing: FloatArray) -> Mapping[str, float]:
    """Share of what each contract's parts were interrupted by that is beyond its budget. [1]"""
    plan, decision = operation.plan, operation.decision
    beyond = dict.fromkeys(plan.terms.contracts, 0.0)
    for key in decision.capped:
        members = contract_members(plan, key)
        stopped = float(missing[:, members].sum())
        allowed = plan.terms.contracts[key].annual_share * all_that_comes(plan, decision, members)
        if stopped > allowed:
            beyond[key] = 1.0 - allowed / stopped
    return beyond


def _part_months(operation: Operation, index: int, missing: FloatArray, beyond: Mapping[str, float]) -> _Sums:
    plan, clearing = operation.plan, operation.clearing
    part, month = plan.parts[index], plan.where.month - 1
    comes = came(plan, operation.decision, index)
    price = clearing.price[:, clearing.system.zones.index(part.zone)]
    late, lost = _late_and_lost(operation, index, comes, missing)

    def by_month(hourly: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(month, hourly, 12), dtype=np.float64)

    value = part.value(operation.answer.hashprice)
    offered = by_month(part.offered)
    left = by_month(part.offered - comes)
    return _Sums(
        offered=offered,
        left=left,
        ran=by_month(comes - missing),
        late=late,
        interrupted=by_month(missing),
        lost=lost,
        emergency=beyond[plan.contract(part)] * by_month(missing),
        worth=offered * value,
        price=by_month(missing * price),
        cost=_cost(operation, part, missing, value, late, lost),
        avoided=np.maximum(left * (plan.tariff - value), 0.0),
    )


def _late_and_lost(
    operation: Operation, index: int, comes: FloatArray, missing: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Of interrupted energy by month, shape (12,) each: what was done late, and what never. [MWh]"""
    plan, part = operation.plan, operation.plan.parts[index]
    month = plan.where.month - 1
    whole = np.asarray(np.bincount(month, missing, 12), dtype=np.float64)
    twin = next((i for i, other in enumerate(plan.parts) if other.late and plan.on_time(other) is part), None)
    if twin is None or plan.firm:
        return np.zeros(12), whole
    window = window_of(part, plan.hours)
    late = np.maximum(operation.taken[:, twin], 0.0)
    stopped, done = np.bincount(window, missing), np.bincount(window, late)
    # An engine may serve more than was deferred, by its tolerance: that is no work.
    over = (done > stopped) & (done <= stopped + part.window_hours * BREACH_MW)
    kept = np.divide(stopped, done, out=np.ones(len(done)), where=over)
    served = np.maximum(comes - missing, 0.0) + late * kept[window]
    book = settle_jobs(comes, served, part.window_hours)
    # A window may end in the next month: its lost work is spread over what was interrupted in it.
    share = np.minimum(np.divide(book.lost, stopped, out=np.zeros(len(stopped)), where=stopped > 0.0), 1.0)
    lost = np.asarray(np.bincount(month, missing * share[window], 12), dtype=np.float64)
    return whole - lost, lost


def _cost(
    operation: Operation,
    part: Part,
    missing: FloatArray,
    value: FloatArray,
    late: FloatArray,
    lost: FloatArray,
) -> FloatArray:
    """What a part loses by being interrupted, by month, shape (12,). [USD]

    Mining: the income of the energy, and of the minutes in which machines start again after a stop. Deferred
    work: the cost of deferring; lost work and training: a pause of the event's own length. The tariff that is
    not paid is taken off, but for late work, which pays it later.
    """
    plan, month = operation.plan, operation.plan.where.month - 1
    whole = np.bincount(month, missing, 12)
    if part.load == "mining":
        restart = np.zeros(12)
        if part.step == "mining_stopped":
            for start, stop in runs(missing > 0.0):
                restart[month[stop - 1]] += float(missing[start:stop].max()) * plan.fleet.restart_minutes
        return np.asarray(whole * (value - plan.tariff) + restart / _MINUTES * value, dtype=np.float64)
    if part.window_hours:
        return np.asarray(
            late * part.defer_cost_usd_per_mwh + lost * (part.cut_cost_usd_per_mwh - plan.tariff),
            dtype=np.float64,
        )
    if part.mode == "run" and part.step == "training_paused":
        work, pue = plan.centre.work_class(part.kind), float(plan.where.pue[part.zone].mean())
        cost = np.zeros(12)
        for start, stop in runs(missing > 0.0):
            pause = work.pause_cost_usd_per_mwh(float(stop - start), pue) - plan.tariff
            np.add.at(cost, month[start:stop], missing[start:stop] * pause)
        return cost
    work, pue = plan.centre.work_class(part.kind), float(plan.where.pue[part.zone].mean())
    lost_work = work.value_usd_per_mwh(pue) / (1.0 - work.idle_power_share)
    return np.asarray(whole * (lost_work - plan.tariff), dtype=np.float64)


def contract_use(operation: Operation) -> tuple[ContractUse, ...]:
    """Every contract's budget, in their order; none for a firm programme."""
    plan, clearing = operation.plan, operation.clearing
    if plan.firm:
        return ()
    names = [budget.name for budget in clearing.system.budgets]
    missing = interrupted(plan, operation.decision, clearing)
    beyond = _beyond_budgets(operation, missing)
    rows = []
    for key, contract in plan.terms.contracts.items():
        members = contract_members(plan, key)
        comes = _total(came(plan, operation.decision, index) for index in members)
        stopped = float(missing[:, members].sum())
        emergency = beyond[key] * stopped
        price, name = 0.0, budget_name(key)
        if key in operation.decision.capped:
            price = highest_lift(plan, key)
        elif name in names:
            price = abs(float(clearing.budget_price[names.index(name)][0]))
        rows.append(
            ContractUse(
                contract=key,
                came_mwh=comes,
                allowed_mwh=comes * contract.annual_share,
                used_mwh=stopped - emergency,
                emergency_mwh=emergency,
                binds=key in operation.decision.limited,
                price_usd_per_mwh=price,
            )
        )
    return tuple(rows)


def _total(series: Iterator[FloatArray] | Sequence[FloatArray]) -> float:
    return float(sum(float(values.sum()) for values in series))


def stopped_by_step(operation: Operation) -> dict[str, FloatArray]:
    """Interrupted power of every step by hour, shape (hours,) each. [MW]"""
    plan = operation.plan
    missing = interrupted(plan, operation.decision, operation.clearing)
    return {
        key: missing[:, [index for index, part in enumerate(plan.parts) if part.step == key]].sum(axis=1)
        for key in plan.terms.steps
    }
