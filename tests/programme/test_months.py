"""The books by step and month: every MWh in one place, and what interruption costs by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from penstock.market import Plant
from penstock.programme.breaches import interrupted
from penstock.programme.decision import contract_members
from penstock.programme.months import (
    StepMonth,
    contract_use,
    step_months,
    stopped_by_step,
)
from penstock.programme.operate import Operation, operate
from tests.programme.small import Case, cases, cohort, fleet, network, one_zone, own_hashrate_ehs, plan, terms

EVERY = terms(mining=1.0, deferrable=1.0, training=1.0, serving=1.0)
JANUARY = np.ones(24, dtype=np.int64)


def row_of(operation: Operation, step: str, month: int = 1) -> StepMonth:
    (row,) = (row for row in step_months(operation) if (row.step, row.month) == (step, month))
    return row


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_mwh_is_in_one_place(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    loads = case.plan
    rows = step_months(operation)
    assert [(row.step, row.month) for row in rows] == [
        (step, month) for step in loads.terms.steps for month in range(1, 13)
    ]
    for row in rows:
        big = 1e-9 * row.offered_mwh + 1e-6
        assert row.offered_mwh == pytest.approx(row.left_mwh + row.ran_mwh + row.interrupted_mwh, abs=big)
        assert min(row.offered_mwh, row.left_mwh, row.ran_mwh, row.late_mwh, row.interrupted_mwh) >= -big
        assert row.lost_mwh >= -big
        assert row.interrupted_mwh == pytest.approx(row.late_mwh + row.lost_mwh, abs=big)
        assert row.step == "work_deferred" or row.late_mwh == pytest.approx(0.0, abs=big)
        assert (row.price_usd_per_mwh is None) == (row.interrupted_mwh <= 1e-6)
        assert row.avoided_usd >= 0.0
    # Against the market itself, by another way.
    run = [index for index, part in enumerate(loads.parts) if not part.late]
    late = [index for index, part in enumerate(loads.parts) if part.late]
    for month in range(1, 13):
        hours = loads.where.month == month
        one = [row for row in rows if row.month == month]
        offered = sum(float(loads.parts[index].offered[hours].sum()) for index in run)
        ran = float(operation.taken[np.ix_(hours, run)].sum())
        assert sum(row.offered_mwh for row in one) == pytest.approx(offered, rel=1e-9, abs=1e-9)
        assert sum(row.ran_mwh for row in one) == pytest.approx(ran, rel=1e-9, abs=1e-4)
    assert sum(row.late_mwh for row in rows) == pytest.approx(
        float(operation.taken[:, late].sum()), rel=1e-6, abs=1e-4
    )
    stopped = stopped_by_step(operation)
    for step, series in stopped.items():
        assert series.sum() == pytest.approx(
            sum(row.interrupted_mwh for row in rows if row.step == step), rel=1e-9, abs=1e-9
        )
        assert sum(row.hours for row in rows if row.step == step) == int((series > 0.0).sum())
    missing = interrupted(loads, operation.decision, operation.clearing)
    for use in contract_use(operation):
        members = contract_members(loads, use.contract)
        whole = float(missing[:, members].sum())
        assert use.used_mwh + use.emergency_mwh == pytest.approx(whole, rel=1e-9, abs=1e-9)
        assert use.used_mwh <= use.allowed_mwh + 1e-6 * (1.0 + use.allowed_mwh)
        steps = [key for key, step in loads.terms.steps.items() if step.contract == use.contract]
        assert sum(row.emergency_mwh for row in rows if row.step in steps) == pytest.approx(
            use.emergency_mwh, rel=1e-6, abs=1e-6
        )


def test_what_a_stop_costs_miners() -> None:
    """10 MW worth 100 stand still in hours 4, 5 and 9 of 24 at a tariff of 60: 3·10·(100 − 60) USD, and after
    each of the two stops 12 minutes of 10 MW at 100 to start again."""
    cost = np.full(24, 20.0)
    cost[[4, 5, 9]] = [70.0, 80.0, 90.0]
    system = replace(one_zone(np.full(24, 100.0), []), plants=(Plant("p", "A", cost, 300.0),))
    machines = fleet(cohort("m20", 1.0, 20.0), restart_minutes=12.0)
    loads = plan({"A": 10.0}, 24, mining_share=1.0, machines=machines, contracts=EVERY, month=JANUARY)
    row = row_of(operate(system, loads, network()), "mining_stopped")
    assert (row.offered_mwh, row.ran_mwh, row.hours) == pytest.approx((240.0, 210.0, 3), rel=1e-9)
    assert row.worth_usd_per_mwh == pytest.approx(100.0, rel=1e-6)
    assert row.price_usd_per_mwh == pytest.approx(80.0, rel=1e-9)
    assert row.cost_usd == pytest.approx(30.0 * 40.0 + 2 * 0.2 * 10.0 * 100.0, rel=1e-6)
    assert row.avoided_usd == 0.0


def test_what_a_pause_of_training_costs_depends_on_the_length_of_the_event() -> None:
    """Training of 2 MW in even hours is worth 200. It pauses where power costs 250: hours 4 to 6, so 0.21 h
    of restart weigh 0.21/3: 200·1.07, less the tariff of 60. 1.4 MW may be cut in odd hours."""
    cost = np.full(24, 20.0)
    cost[4:7] = 250.0
    system = replace(one_zone(np.full(24, 100.0), []), plants=(Plant("p", "A", cost, 300.0),))
    loads = plan({"A": 10.0}, 24, mining_share=0.0, contracts=EVERY, month=JANUARY)
    operation = operate(system, loads, network())
    row = row_of(operation, "training_paused")
    assert (row.interrupted_mwh, row.lost_mwh, row.hours) == pytest.approx((5.4, 5.4, 3), rel=1e-9)
    assert row.cost_usd == pytest.approx(5.4 * (200.0 * 1.07 - 60.0), rel=1e-9)


def test_who_stays_away_avoids_a_loss() -> None:
    """Full power of 20 J/TH is worth 50 and does not come at 60: 0.4 of 10 MW for 24 hours at 10 USD."""
    machines = fleet(cohort("m20", 1.0, 20.0, low=True))
    loads = plan({"A": 10.0}, 24, mining_share=1.0, machines=machines, month=JANUARY)
    operation = operate(one_zone(np.full(24, 100.0), [(20.0, 300.0)]), loads, network())
    row = row_of(operation, "low_power")
    assert (row.offered_mwh, row.left_mwh, row.ran_mwh) == pytest.approx((96.0, 96.0, 0.0), abs=1e-9)
    assert row.avoided_usd == pytest.approx(96.0 * 10.0, rel=1e-5)
    assert row.worth_usd_per_mwh == pytest.approx(50.0, rel=1e-6)
    low = row_of(operation, "mining_stopped")
    assert (low.left_mwh, low.ran_mwh) == pytest.approx((0.0, 144.0), abs=1e-9)
    # 6 MW of machines at 15 J/TH are 0.4 EH/s.
    assert own_hashrate_ehs(operation)[0] == pytest.approx(0.4, rel=1e-9)
    assert own_hashrate_ehs(operation)[1:].tolist() == [0.0] * 11
