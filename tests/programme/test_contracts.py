"""What the contracts promise: the order of interruption, annual budgets, and the length of events."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

from penstock.market import Plant, System, clear
from penstock.market.system import Corridor, FloatArray
from penstock.programme.breaches import interrupted, runs
from penstock.programme.decision import came
from penstock.programme.months import contract_use, stopped_by_step
from penstock.programme.operate import ROUNDS, Operation, absent_bids, operate
from tests.programme.small import (
    BATCH,
    LOST_LOAD,
    SERVING,
    TRAINING,
    Case,
    cases,
    centre,
    cohort,
    fleet,
    network,
    one_zone,
    plan,
    terms,
)

TINY = 1e-5
EVERY = terms(mining=1.0, deferrable=1.0, training=1.0, serving=1.0)
PLAIN = fleet(cohort("m20", 1.0, 20.0))


def missing_of(operation: Operation) -> FloatArray:
    return interrupted(operation.plan, operation.decision, operation.clearing)


def named(operation: Operation, name: str) -> int:
    return [part.name for part in operation.plan.parts].index(name)


def stopped_hours(operation: Operation, name: str) -> list[int]:
    """Hours in which a part is interrupted, wholly or in part."""
    return np.flatnonzero(missing_of(operation)[:, named(operation, name)] > TINY).tolist()


# --- order of interruption ------------------------------------------------------------------------------


@settings(max_examples=70, deadline=None)
@given(cases())
def test_every_step_is_used_up_before_the_next_and_people_come_first(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    loads, decision, missing = case.plan, operation.decision, missing_of(operation)
    free = [
        index
        for index, part in enumerate(loads.parts)
        if not part.late and loads.contract(part) not in decision.limited
    ]
    order = [loads.terms.steps[part.step].order for part in loads.parts]
    for first, then in permutations(range(len(loads.parts)), 2):
        same_zone = loads.parts[first].zone == loads.parts[then].zone
        if first not in free or loads.parts[then].late or not same_zone or order[first] >= order[then]:
            continue
        served = came(loads, decision, first) - missing[:, first] > TINY
        wrong = served & (missing[:, then] > TINY) & ~decision.ended[:, first] & ~decision.held[:, then]
        assert not wrong.any(), (loads.parts[first].name, loads.parts[then].name, np.flatnonzero(wrong))
    for index, part in enumerate(loads.parts):
        dark = operation.clearing.unserved[:, case.system.zones.index(part.zone)] > TINY
        assert part.late or (operation.taken[dark, index] <= TINY).all(), part.name


def test_order_of_interruption_as_power_gets_scarcer() -> None:
    """Every hour has 2 MW less than the one before; the steps are used up in turn, then people.

    20 MW of mining: 8 for full power, 12 low. 20 MW of AI in even hours, 14 in odd ones, as serving draws
    less: batch may give 0.4 and training 0.2 of it, and the rest is cut last. Demand is 10 MW; there is power
    for 50 in hour 0 and for 8 in hour 21. Nothing can be deferred, as no machine waits.
    """
    hours = 22
    available = 50.0 - 2.0 * np.arange(hours)
    loads = plan(
        {"A": 40.0},
        hours,
        machines=fleet(cohort("m12", 1.0, 12.0, low=True)),
        work=centre(replace(BATCH, used_share=1.0), TRAINING, SERVING, hours=100.0),
        contracts=EVERY,
    )
    operation = operate(one_zone(np.full(hours, 10.0), [(20.0, available)]), loads, network())
    compute = np.where(np.arange(hours) % 2, 14.0, 20.0)
    sizes = [np.full(hours, 8.0), np.full(hours, 12.0), 0.4 * compute, 0.2 * compute, 0.4 * compute]
    short = np.maximum(10.0 + 20.0 + compute - available, 0.0)
    stopped, before = stopped_by_step(operation), np.zeros(hours)
    assert list(stopped) == ["low_power", "mining_stopped", "work_deferred", "training_paused", "serving_cut"]
    for key, size in zip(stopped, sizes, strict=True):
        assert stopped[key] == pytest.approx(np.clip(short - before, 0.0, size), abs=1e-6), key
        before = before + size
    assert operation.clearing.unserved[:, 0] == pytest.approx(np.maximum(10.0 - available, 0.0), abs=1e-6)


# --- annual budgets -------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(cases())
def test_no_budget_is_exceeded(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    for use in contract_use(operation):
        assert use.allowed_mwh == pytest.approx(
            case.plan.terms.contracts[use.contract].annual_share * use.came_mwh, rel=1e-12
        )
        assert use.used_mwh <= use.allowed_mwh + 1e-9 * use.came_mwh + 1e-7, use
    # None that needs no limit has one that matters.
    for use in contract_use(operation):
        if use.price_usd_per_mwh > 1e-3:
            assert use.used_mwh >= use.allowed_mwh - 1e-6, use


def test_a_budget_is_spent_where_power_is_dearest() -> None:
    """10 MW of mining over 20 hours is 200 MWh; 1/8 of it is 25 MWh, two and a half hours of four.

    The bid is the tariff of 60. Power costs 70, 80, 90 and 100 in the four hours: the last two are stopped
    and half of the one at 80, so that a MWh more of the budget saves 80 − 60.
    """
    hours = 20
    cheap, dear = np.full(hours, 300.0), np.full(hours, 20.0)
    cheap[[3, 7, 11, 15]] = 100.0
    system = one_zone(np.full(hours, 100.0), [(20.0, cheap)])
    dear[[3, 7, 11, 15]] = [70.0, 80.0, 90.0, 100.0]
    system = replace(system, plants=(*system.plants, Plant("dear", "A", dear, 50.0)))
    loads = plan({"A": 10.0}, hours, mining_share=1.0, machines=PLAIN, contracts=terms(mining=0.125))
    operation = operate(system, loads, network())
    taken = operation.taken[[3, 7, 11, 15], 0]
    assert taken == pytest.approx([10.0, 5.0, 0.0, 0.0], abs=1e-6)
    mining, *others = contract_use(operation)
    assert (mining.contract, mining.binds) == ("mining", True)
    assert mining.came_mwh == pytest.approx(200.0, rel=1e-9)
    assert mining.used_mwh == pytest.approx(25.0, abs=1e-6)
    assert mining.price_usd_per_mwh == pytest.approx(20.0, abs=0.01)  # bids differ a little by month
    assert not any(use.binds or use.used_mwh for use in others)
    roomy = plan({"A": 10.0}, hours, mining_share=1.0, machines=PLAIN, contracts=terms(mining=0.2))
    operation = operate(system, roomy, network())
    assert operation.taken[[3, 7, 11, 15], 0] == pytest.approx([0.0] * 4, abs=1e-9)
    assert not contract_use(operation)[0].binds
    assert contract_use(operation)[0].used_mwh == pytest.approx(40.0, abs=1e-6)


def test_a_budget_of_nothing_is_kept_at_any_price() -> None:
    """With no energy that may be interrupted, all of mining is served, at 450 USD/MWh too."""
    system = one_zone([20.0] * 12, [(20.0, 15.0), (450.0, 100.0)])
    loads = plan({"A": 10.0}, 12, mining_share=1.0, machines=PLAIN, contracts=terms(mining=0.0))
    operation = operate(system, loads, network())
    assert operation.taken[:, 0] == pytest.approx([10.0] * 12, abs=1e-6)
    assert contract_use(operation)[0].emergency_mwh == 0.0


def test_no_budget_is_kept_while_people_go_without() -> None:
    """15 MW for people who want 20: the machines stand still, beyond a contract that allows nothing."""
    system = one_zone([20.0] * 12, [(20.0, 15.0)])
    loads = plan({"A": 10.0}, 12, mining_share=1.0, machines=PLAIN, contracts=terms(mining=0.0))
    operation = operate(system, loads, network())
    assert operation.settled
    assert not operation.taken.any()
    assert operation.clearing.unserved[:, 0] == pytest.approx([5.0] * 12, abs=1e-6)
    (use,) = (row for row in contract_use(operation) if row.contract == "mining")
    assert (use.used_mwh, use.emergency_mwh) == pytest.approx((0.0, 120.0), abs=1e-6)


def test_shortage_counts_for_the_budget_first() -> None:
    """10 MW of mining over 24 hours may be stopped for 48 MWh. In 3 hours there is nothing for it, and in 10
    more power costs 70 against a tariff of 60: of those, 18 MWh are left for the operator."""
    available, cost = np.full(24, 30.0), np.full(24, 20.0)
    available[[4, 5, 6]] = 20.0
    cost[10:20] = 70.0
    system = one_zone([20.0] * 24, [(cost, available)])
    loads = plan({"A": 10.0}, 24, mining_share=1.0, machines=PLAIN, contracts=terms(mining=0.2))
    operation = operate(system, loads, network())
    stopped = 10.0 - operation.taken[:, 0]
    assert stopped[[4, 5, 6]] == pytest.approx([10.0] * 3, abs=1e-6)
    assert stopped[10:20].sum() == pytest.approx(18.0, abs=1e-5)
    assert operation.clearing.unserved.sum() == pytest.approx(0.0, abs=1e-6)
    (use,) = (row for row in contract_use(operation) if row.contract == "mining")
    assert (use.used_mwh, use.emergency_mwh) == pytest.approx((48.0, 0.0), abs=1e-5)


def test_shortage_beyond_the_budget_is_an_emergency() -> None:
    """The same with 20 MWh: all of them go to the shortage of 30, and none is left for dear hours."""
    available, cost = np.full(24, 30.0), np.full(24, 20.0)
    available[[4, 5, 6]] = 20.0
    cost[10:20] = 70.0
    system = one_zone([20.0] * 24, [(cost, available)])
    loads = plan({"A": 10.0}, 24, mining_share=1.0, machines=PLAIN, contracts=terms(mining=20.0 / 240.0))
    operation = operate(system, loads, network())
    stopped = 10.0 - operation.taken[:, 0]
    assert stopped[10:20].sum() == pytest.approx(0.0, abs=1e-5)
    assert operation.clearing.unserved.sum() == pytest.approx(0.0, abs=1e-6)
    (use,) = (row for row in contract_use(operation) if row.contract == "mining")
    assert (use.used_mwh, use.emergency_mwh) == pytest.approx((20.0, 10.0), abs=1e-5)


def test_a_budget_is_kept_while_a_plant_stands_idle() -> None:
    """In 6 hours the cheap plant serves people alone, and one at 100 stands idle: nobody is short, so the
    miners' 5 % hold. 12 MWh are stopped, the rest is served at 100 against a tariff of 60."""
    available = np.full(24, 40.0)
    available[6:12] = 20.0
    system = one_zone([20.0] * 24, [(20.0, available), (100.0, 15.0)])
    loads = plan({"A": 10.0}, 24, mining_share=1.0, machines=PLAIN, contracts=terms(mining=0.05))
    operation = operate(system, loads, network())
    assert operation.settled
    assert operation.taken[:, 0].sum() == pytest.approx(240.0 - 12.0, abs=1e-5)
    (use,) = (row for row in contract_use(operation) if row.contract == "mining")
    assert (use.used_mwh, use.emergency_mwh) == pytest.approx((12.0, 0.0), abs=1e-5)
    assert use.price_usd_per_mwh == pytest.approx(40.0, abs=0.02)


def two_zones(loss: float) -> System:
    """15 MW of plant in A, 20 MW of people in B behind a corridor that loses a share."""
    here = one_zone([0.0] * 12, [(20.0, 15.0)])
    return replace(
        here,
        zones=("A", "B"),
        demand=np.column_stack([np.zeros(12), np.full(12, 20.0)]),
        corridors=(Corridor("AB", "A", "B", 100.0, 0.0, loss=loss),),
    )


@pytest.mark.parametrize("loss", [0.0, 0.03, 0.2])
@pytest.mark.parametrize("mining_share", [0.0, 1.0])
def test_people_behind_a_lossy_line_come_before_loads_at_its_other_end(
    loss: float, mining_share: float
) -> None:
    """A MWh in A is worth 1 − loss of the value of lost load in B, and no load bids as much."""
    loads = plan({"A": 10.0}, 12, mining_share=mining_share, contracts=EVERY)
    operation = operate(two_zones(loss), loads, network())
    assert operation.plan.people_usd_per_mwh == pytest.approx((1.0 - loss) * LOST_LOAD, rel=1e-12)
    assert operation.taken.max() <= 1e-6
    assert operation.clearing.unserved.sum() == pytest.approx(12 * (20.0 - 15.0 * (1.0 - loss)), abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_programme_leaves_more_people_without_power(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    alone = clear(case.system, absent_bids(operation))
    assert operation.clearing.unserved.sum() <= alone.unserved.sum() + 1e-5


# --- events ---------------------------------------------------------------------------------------------


def test_an_event_of_ai_ends_after_the_longest_trial() -> None:
    """14 hours at 450, dearer than any AI work (serving is worth 400): after 10 hours AI is served again.

    Deferred work apart: in hour 18 the window goes on into cheap hours, so batch is still moved there.
    """
    hours = 24
    cheap = np.full(hours, 300.0)
    cheap[5:19] = 100.0
    system = one_zone(np.full(hours, 100.0), [(20.0, cheap), (450.0, 100.0)])
    loads = plan({"A": 10.0}, hours, mining_share=0.0, contracts=EVERY)
    operation = operate(system, loads, network())
    assert operation.settled
    for name in ("ai A training", "ai A serving"):
        assert stopped_hours(operation, name) == list(range(5, 15))
    assert not {15, 16, 17} & set(stopped_hours(operation, "ai A batch"))
    shorter = plan(
        {"A": 10.0},
        hours,
        mining_share=0.0,
        contracts=EVERY,
        work=centre(BATCH, TRAINING, SERVING, hours=3.0),
    )
    assert stopped_hours(operate(system, shorter, network()), "ai A serving") == [5, 6, 7]


def test_in_a_shortage_people_come_before_the_end_of_an_event() -> None:
    hours = 24
    available = np.full(hours, 300.0)
    available[5:19] = 90.0
    system = one_zone(np.full(hours, 100.0), [(20.0, available)])
    operation = operate(system, plan({"A": 10.0}, hours, mining_share=0.0, contracts=EVERY), network())
    assert operation.settled
    assert stopped_hours(operation, "ai A serving") == list(range(5, 19))
    assert operation.clearing.unserved[5:19, 0] == pytest.approx([10.0] * 14, abs=1e-6)


@pytest.mark.parametrize("low", [False, True])
@pytest.mark.parametrize(("share", "hours_stopped"), [(1.0, [5, 6, 7]), (0.125, [5, 6, 7]), (0.12, [])])
def test_a_stop_of_machines_lasts_its_least_or_does_not_begin(
    low: bool, share: float, hours_stopped: list[int]
) -> None:
    """One hour at 70 against a tariff of 60, and a shortest stop of 3 hours: 3/24 of the year's energy.

    The machines stop whole: nobody runs the second half of a machine whose first half stands still.
    """
    hours = 24
    cheap = np.full(hours, 300.0)
    cheap[5] = 100.0
    system = one_zone(np.full(hours, 100.0), [(20.0, cheap), (70.0, 100.0)])
    # Full power of a machine of 12 J/TH is worth 2000/24, so it comes too.
    machines = fleet(cohort("m12", 1.0, 12.0, low=low), minimum_stop=3.0)
    loads = plan({"A": 10.0}, hours, mining_share=1.0, machines=machines, contracts=terms(mining=share))
    operation = operate(system, loads, network())
    assert operation.settled
    for part in loads.parts:
        if part.load == "mining":
            assert stopped_hours(operation, part.name) == hours_stopped
    taken = operation.taken.sum(axis=1)
    assert taken == pytest.approx(np.where(np.isin(np.arange(hours), hours_stopped), 0.0, 10.0), abs=1e-6)


def test_of_two_stops_the_contract_has_energy_for_one() -> None:
    """The same with hours 5 and 15: the first is made 3 hours long, which takes it all."""
    hours = 24
    cheap = np.full(hours, 300.0)
    cheap[[5, 15]] = 100.0
    system = one_zone(np.full(hours, 100.0), [(20.0, cheap), (70.0, 100.0)])
    machines = fleet(cohort("m12", 1.0, 12.0, low=True), minimum_stop=3.0)
    loads = plan({"A": 10.0}, hours, mining_share=1.0, machines=machines, contracts=terms(mining=0.125))
    operation = operate(system, loads, network())
    assert operation.settled
    assert stopped_hours(operation, "mining A m12 low") == [5, 6, 7]
    assert contract_use(operation)[0].used_mwh == pytest.approx(30.0, abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(cases())
def test_events_keep_their_lengths_unless_people_or_a_budget_stand_against_it(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    assert operation.rounds <= ROUNDS
    if not operation.settled:
        return
    loads, decision, missing = case.plan, operation.decision, missing_of(operation)
    trial = int(loads.centre.trials[0].hours)
    for index, part in enumerate(loads.parts):
        price = operation.clearing.price_high[:, case.system.zones.index(part.zone)]
        if loads.contract(part) in decision.capped:
            continue  # cut in shortages alone, as long as they last
        for start, stop in runs(missing[:, index] > TINY):
            if part.load == "ai" and part.mode != "late" and not part.window_hours:
                # Past the trial's length only what is worth more to others than the ceiling takes it.
                over = np.arange(start + trial, stop)
                assert decision.ended[over, index].all(), part.name
                most = operation.plan.people_usd_per_mwh
                assert (price[over] >= 0.99 * most - 1e-3).all(), part.name
            if part.step == "mining_stopped":
                short = stop - start < loads.fleet.minimum_stop_hours and stop < loads.hours
                assert not short or decision.ended[start:stop, index].all(), part.name
    for index, part in enumerate(loads.parts):
        if part.step == "low_power":
            low = named(operation, part.name.replace(" full", " low"))
            runs_full = operation.taken[:, index] > TINY
            assert not (runs_full & decision.held[:, low]).any()
