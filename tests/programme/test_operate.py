"""The market and the Bitcoin network together: convergence, firm programmes, and what dear power does."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.market import Plant, System, clear
from penstock.market.system import hour_series
from penstock.programme.decision import bids_of, first_decision
from penstock.programme.months import contract_use
from penstock.programme.network import Network
from penstock.programme.operate import ROUNDS, TOLERANCE, Operation, absent_bids, operate
from penstock.programme.parts import Plan
from tests.programme.small import (
    HASHPRICE,
    Case,
    cases,
    cohort,
    fleet,
    network,
    one_zone,
    own_hashrate_ehs,
    plan,
    terms,
)

EVERY = terms(mining=1.0, deferrable=1.0, training=1.0, serving=1.0)


def dearer(system: System, more: float = 0.0, factor: float = 1.0) -> System:
    """The same with every plant's cost times `factor`, plus `more`. [USD/MWh]"""
    plants = tuple(
        replace(plant, cost=hour_series(plant.cost, system.hour_count) * factor + more)
        for plant in system.plants
    )
    return replace(system, plants=plants)


def taken(operation: Operation, load: str) -> float:
    """Energy that a load takes. [MWh]"""
    members = [index for index, part in enumerate(operation.plan.parts) if part.load == load]
    return float(operation.taken[:, members].sum())


# --- convergence ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(cases())
def test_what_ran_is_what_the_network_settled_with(case: Case) -> None:
    operation = operate(case.system, case.plan, case.network)
    assert 1 <= operation.rounds <= ROUNDS
    assert operation.settled or operation.rounds == ROUNDS
    if operation.settled:
        assert operation.moved <= TOLERANCE
        ran = own_hashrate_ehs(operation)
        there = np.isin(np.arange(1, 13), case.plan.where.month)
        apart = np.abs(ran - operation.answer.own_ehs)[there]
        assert (apart <= 2.0 * TOLERANCE * operation.answer.network_ehs[there]).all()


def test_others_take_the_place_of_machines_that_are_stopped() -> None:
    """Half of the hours are dearer than the tariff, so who comes is served half of the time.

    2 EH/s in a network of 1: at the hashprice of 28.8, at which 20 J/TH earn the tariff of 60, there is room
    for 30/28.8 EH/s less the others. As machines run half of the time, twice as many come as otherwise.
    """
    machines = fleet(cohort("m20", 1.0, 20.0))
    loads = plan({"A": 40.0}, 24, mining_share=1.0, machines=machines, contracts=EVERY)
    dear = np.where(np.arange(24) % 2, 70.0, 20.0)
    system = replace(one_zone(np.full(24, 100.0), []), plants=(Plant("p", "A", dear, 300.0),))
    world = network(1.0, 30.0)
    room = 30.0 / 28.8 - float(world.supplies[0].hashrate_ehs(28.8))
    operation = operate(system, loads, world)
    assert operation.settled
    assert operation.decision.coming[0] == pytest.approx([room] * 12, rel=1e-5), "2·room of 2 EH/s"
    assert own_hashrate_ehs(operation) == pytest.approx([room] * 12, rel=1e-5)
    assert operation.answer.hashprice == pytest.approx([28.8] * 12, rel=1e-9)


def test_rounds_that_run_out_are_said_to_be_unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in one round: who comes does not yet know that half of it is stopped."""
    # The package has a function of the same name as the module.
    monkeypatch.setattr(import_module("penstock.programme.operate"), "ROUNDS", 1)
    loads = plan({"A": 40.0}, 24, mining_share=1.0, machines=fleet(cohort("m20", 1.0, 20.0)), contracts=EVERY)
    dear = np.where(np.arange(24) % 2, 70.0, 20.0)
    system = replace(one_zone(np.full(24, 100.0), []), plants=(Plant("p", "A", dear, 300.0),))
    seen: list[int] = []
    operation = operate(system, loads, network(1.0, 30.0), progress=seen.append)
    assert (operation.settled, operation.rounds, seen) == (False, 1, [1])
    assert operation.moved > TOLERANCE


# --- firm, and nothing at all ---------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(cases(firm=True))
def test_a_firm_programme_is_served_like_firm_demand(case: Case) -> None:
    """All that comes is more firm demand, and the clearing of that demand costs as much."""
    operation = operate(case.system, case.plan, case.network)
    assert contract_use(operation) == ()
    assert operation.clearing.system.budgets == case.system.budgets
    assert not any(used.any() for used in operation.decision.windows.values())
    demand = np.array(case.system.demand)
    for row in operation.bids:
        zone = case.system.zones.index(row.part.zone)
        demand[:, zone] += hour_series(row.bid.quantity, case.plan.hours)
        assert row.bid.value == case.plan.value_of_lost_load
        assert not row.part.late or not np.any(row.bid.quantity)
    as_demand = clear(replace(case.system, demand=demand))
    more = float((demand - case.system.demand).sum()) * case.plan.value_of_lost_load
    assert operation.clearing.net_cost + more == pytest.approx(as_demand.cost, rel=2e-6, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(cases(), st.booleans())
def test_no_power_changes_nothing_but_keeps_the_labels(case: Case, firm: bool) -> None:
    nothing = plan(
        dict.fromkeys(case.system.zones, 0.0),
        case.plan.hours,
        machines=case.plan.fleet,
        work=case.plan.centre,
        tariff=case.plan.tariff,
        firm=firm,
    )
    operation = operate(case.system, nothing, case.network)
    assert [row.bid.name for row in operation.bids] == [part.name for part in case.plan.parts]
    assert operation.clearing.system.budgets == case.system.budgets
    assert not operation.clearing.accepted.any()
    base = clear(case.system)
    for name in ("cost", "net_cost"):
        assert getattr(operation.clearing, name) == getattr(base, name)
    for name in ("price", "dispatch", "flow", "unserved"):
        assert np.array_equal(getattr(operation.clearing, name), getattr(base, name)), name
    assert (operation.settled, operation.rounds) == (True, 1)


def test_absent_bids_have_the_labels_and_no_power() -> None:
    loads = plan({"A": 10.0}, 24)
    operation = operate(one_zone(np.full(24, 100.0), [(20.0, 300.0)]), loads, network())
    rows = absent_bids(operation)
    assert [bid.name for bid in rows] == [row.bid.name for row in operation.bids]
    assert all(bid.quantity == 0.0 for bid in rows)
    assert all(bid.zone == row.bid.zone for bid, row in zip(rows, operation.bids, strict=True))


# --- dearer power, and a better hashprice ---------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(cases(events=False), st.sampled_from([1.0, 15.0, 100.0]))
def test_the_same_more_on_every_cost_never_raises_what_is_generated(case: Case, more: float) -> None:
    """Whatever the budgets and windows, as long as those who come are the same: the cost of a dispatch rises
    by `more` for each MWh of it, so the best one has no more of them."""
    # No fleet moves it, so the same machines come.
    world = network()
    before = operate(case.system, case.plan, world)
    after = operate(dearer(case.system, more), case.plan, world)
    energy = float(before.clearing.dispatch.sum())
    slack = 4e-6 * max(1.0, abs(before.clearing.net_cost), abs(after.clearing.net_cost)) / more
    assert float(after.clearing.dispatch.sum()) <= energy + slack + 1e-6


@settings(max_examples=60, deadline=None)
@given(
    cases(zones=1, events=False, free=True),
    st.sampled_from([(1.0, 1.0), (40.0, 1.0), (0.0, 1.3), (7.0, 4.0)]),
)
def test_dearer_plants_never_raise_what_mining_or_ai_take(case: Case, change: tuple[float, float]) -> None:
    """Without annual limits and deferral an hour is its own merit order: each load's share falls."""
    loads = case.plan
    parts = tuple(replace(part, offered=part.offered * 0.0) if part.late else part for part in loads.parts)
    loads, world = replace(loads, parts=parts), network()
    # Costs below 0 would fall where they are scaled.
    floor = dearer(case.system, 5.0)
    before, after = operate(floor, loads, world), operate(dearer(floor, *change), loads, world)
    for load in ("mining", "ai"):
        assert taken(after, load) <= taken(before, load) + 1e-5


@settings(max_examples=40, deadline=None)
@given(cases(zones=1, events=False), st.sampled_from([1.01, 1.5, 4.0]))
def test_a_higher_hashprice_never_lowers_mining(case: Case, factor: float) -> None:
    """More come, at the same bids: mining takes as much or more, whatever AI does."""
    before = operate(case.system, case.plan, network(hashprice=HASHPRICE / 2.0))
    after = operate(case.system, case.plan, network(hashprice=HASHPRICE / 2.0 * factor))
    assert taken(after, "mining") >= taken(before, "mining") - 1e-5


def test_a_higher_tariff_may_raise_what_is_taken() -> None:
    """It is also the price up to which miners are served: at 50 nobody runs at a cost of 55, at 60 all do,
    and at 110 nobody comes, since a MWh is worth 100."""
    system = one_zone(np.full(12, 100.0), [(55.0, 300.0)])
    machines = fleet(cohort("m20", 1.0, 20.0))
    energy = [
        taken(
            operate(
                system,
                plan({"A": 10.0}, 12, mining_share=1.0, tariff=tariff, machines=machines, contracts=EVERY),
                network(),
            ),
            "mining",
        )
        for tariff in (50.0, 60.0, 110.0)
    ]
    assert energy == pytest.approx([0.0, 120.0, 0.0], abs=1e-9)


def test_dearer_power_may_raise_the_energy_of_mining_through_the_hashprice() -> None:
    """Machines that are stopped make room for others that need more energy for a hash.

    3 MW of 12 J/TH and 50 MW of 20 J/TH in a small network, where the second come in part: with half of the
    hours dear, the hashrate is the same and more of it is made by the second.
    """
    machines = fleet(cohort("m12", 3.0, 12.0), cohort("m20", 50.0, 20.0))
    loads: Plan = plan({"A": 53.0}, 24, mining_share=1.0, machines=machines, contracts=EVERY)
    world: Network = network(2.0, 32.0)
    system = one_zone(np.full(24, 100.0), [(20.0, 300.0)])
    dear = replace(system, plants=(Plant("p", "A", np.where(np.arange(24) % 2, 70.0, 20.0), 300.0),))
    cheap, after = operate(system, loads, world), operate(dear, loads, world)
    assert cheap.settled
    assert after.settled
    assert 0.0 < cheap.decision.coming[1, 0] < after.decision.coming[1, 0] < 1.0
    assert own_hashrate_ehs(after) == pytest.approx(own_hashrate_ehs(cheap), rel=1e-4)
    assert taken(after, "mining") > 1.02 * taken(cheap, "mining")


def test_first_bids_carry_everybody() -> None:
    loads = plan({"A": 10.0}, 24)
    rows = bids_of(loads, first_decision(loads), np.full(12, HASHPRICE))
    power = sum(hour_series(row.bid.quantity, 24) for row in rows if not row.part.late)
    assert power == pytest.approx(np.where(np.arange(24) % 2, 5.0 + 3.5, 10.0), rel=1e-12)
