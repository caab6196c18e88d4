"""Deferred work: hand-solved days, and that the rows left out would have changed nothing."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings

from penstock.loads.jobs import settle_jobs
from penstock.market import Plant, System, clear
from penstock.programme.breaches import interrupted
from penstock.programme.decision import (
    bids_of,
    budgets_of,
    came,
    contract_members,
    window_of,
)
from penstock.programme.months import step_months
from penstock.programme.operate import Operation, operate
from penstock.programme.parts import Plan
from tests.programme.small import Case, cases, network, one_zone, plan, terms

EVERY = terms(mining=1.0, deferrable=1.0, training=1.0, serving=1.0)
FIRST_MONTH = np.ones(12, dtype=np.int64)
# Of batch: 140 USD/MWh, 1.26 h lost by a stop over 2.1 h of an event.
DEFER = 140.0 * 1.26 / 2.1
LOSE = 140.0 + DEFER


def day(dear_hours: list[int], price: float) -> System:
    """Twelve hours at 20 USD/MWh but for some."""
    cost = np.full(12, 20.0)
    cost[dear_hours] = price
    system = one_zone(np.full(12, 100.0), [])
    return replace(system, plants=(Plant("p", "A", cost, 300.0),))


def centre_of_ten(share: float = 1.0) -> Plan:
    """10 MW of AI with batch in windows of 6 hours: 4 MW that may be cut in even hours and 2.8 in odd ones,
    0.4 of what the centre draws; in odd hours 2 MW of its machines wait."""
    contracts = replace(
        EVERY,
        contracts=MappingProxyType(
            dict(EVERY.contracts) | {"deferrable": replace(EVERY.contracts["deferrable"], annual_share=share)}
        ),
    )
    return plan({"A": 10.0}, 12, mining_share=0.0, contracts=contracts, month=FIRST_MONTH)


def books(operation: Operation) -> tuple[float, float, float, float]:
    """Interrupted, late and lost energy of the step of deferred work in month 1, and its cost."""
    (row,) = (one for one in step_months(operation) if (one.step, one.month) == ("work_deferred", 1))
    return row.interrupted_mwh, row.late_mwh, row.lost_mwh, row.cost_usd


def test_work_moves_to_where_power_is_cheaper_by_more_than_deferring_costs() -> None:
    """At 150 in hour 2 the 4 MWh of the hour move: 150 − 20 is more than the 84 that deferring costs."""
    system = day([2], 150.0)
    operation = operate(system, centre_of_ten(), network())
    assert books(operation) == pytest.approx((4.0, 4.0, 0.0, 4.0 * DEFER), abs=1e-6)
    late = operation.clearing.accepted[:, [part.late for part in operation.plan.parts]][:, 0]
    assert late.sum() == pytest.approx(4.0, abs=1e-6)
    assert set(np.flatnonzero(late > 1e-6).tolist()) <= {1, 3, 5}
    assert operation.decision.windows["ai A batch late"].tolist() == [True, False]


@pytest.mark.parametrize("price", [103.9, 104.1])
def test_work_stays_where_power_is_not_cheaper_by_what_deferring_costs(price: float) -> None:
    operation = operate(day([2], price), centre_of_ten(), network())
    moved = 4.0 if price > 20.0 + DEFER else 0.0
    assert books(operation) == pytest.approx((moved, moved, 0.0, moved * DEFER), abs=1e-6)


def test_work_that_finds_no_room_in_its_window_is_lost() -> None:
    """Power at 300 in hours 1 to 4 is dearer than the 224 that lost work costs: 13.6 MWh stop, hour 5 has
    room for 2 of them. The tariff of the 11.6 that are lost is saved."""
    operation = operate(day([1, 2, 3, 4], 300.0), centre_of_ten(), network())
    assert books(operation) == pytest.approx((13.6, 2.0, 11.6, 2.0 * DEFER + 11.6 * (LOSE - 60.0)), abs=1e-5)


def test_lost_work_of_a_window_over_a_month_end_is_in_no_month_twice() -> None:
    """The same with a month for every hour: of the 13.6 MWh of months 2 to 5, 2 are done late."""
    loads = centre_of_ten()
    by_hour = replace(loads, where=replace(loads.where, month=np.arange(1, 13)))
    operation = operate(day([1, 2, 3, 4], 300.0), by_hour, network())
    rows = [row for row in step_months(operation) if row.step == "work_deferred"]
    inside = [0.0, 2.8, 4.0, 2.8, 4.0] + [0.0] * 7
    assert [row.interrupted_mwh for row in rows] == pytest.approx(inside, abs=1e-6)
    assert [row.lost_mwh for row in rows] == pytest.approx([one * 11.6 / 13.6 for one in inside], abs=1e-6)
    assert [row.late_mwh for row in rows] == pytest.approx([one * 2.0 / 13.6 for one in inside], abs=1e-6)


def test_deferring_counts_against_the_annual_budget() -> None:
    """1/20 of the year's 40.8 MWh is 2.04 MWh, so 1.96 of 4 MWh run in the dear hour."""
    operation = operate(day([2], 150.0), centre_of_ten(0.05), network())
    assert books(operation) == pytest.approx((2.04, 2.04, 0.0, 2.04 * DEFER), abs=1e-6)


def test_work_of_one_window_does_not_move_to_the_next() -> None:
    """Hours 1 to 5 at 150: the window's one cheap hour, 0, has no spare power; the next window has, for its
    own work only."""
    operation = operate(day([1, 2, 3, 4, 5], 150.0), centre_of_ten(), network())
    assert books(operation) == pytest.approx((0.0, 0.0, 0.0, 0.0), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(cases(events=False))
def test_rows_that_were_left_out_would_change_nothing(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    loads, found = operation.plan, operation.decision
    contracts = frozenset(key for key in loads.terms.contracts if contract_members(loads, key))
    windows = {name: np.ones_like(used) for name, used in found.windows.items()}
    every = replace(found, windows=MappingProxyType(windows), limited=contracts)
    bids = [row.bid for row in bids_of(loads, every, operation.answer.hashprice)]
    full = clear(replace(case.system, budgets=budgets_of(loads, every)), bids, engine="highs")
    if operation.settled:
        least = max(1.0, abs(full.net_cost))
        assert abs(full.net_cost - operation.clearing.net_cost) <= 2e-6 * least


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_job_is_run_twice_or_outside_its_window(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    loads, clearing = case.plan, operation.clearing
    missing = interrupted(loads, operation.decision, clearing)
    for index, part in enumerate(loads.parts):
        if not part.late:
            continue
        run = loads.parts.index(loads.on_time(part))
        late = clearing.accepted[:, index]
        assert (late <= part.offered + 1e-6).all()
        window = window_of(part, loads.hours)
        moved = np.bincount(window, late) - np.bincount(window, missing[:, run])
        assert (moved <= 1e-6 * part.window_hours).all()
        comes = came(loads, operation.decision, run)
        scaled = late * (1.0 - 1e-9) - 1e-6
        settle_jobs(
            comes, np.maximum(comes - missing[:, run], 0.0) + np.maximum(scaled, 0.0), part.window_hours
        )
    step_months(operation)
