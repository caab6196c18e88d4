"""Who comes, and what the Bitcoin network makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.market.system import FloatArray
from penstock.programme.network import Answer, Network, answer, network_of
from penstock.programme.parts import Plan
from tests.programme.small import Case, cases, cohort, fleet, network, plan


def all_served(loads: Plan) -> FloatArray:
    return np.ones((len(loads.parts), 12))


def check_answer(loads: Plan, world: Network, served: FloatArray) -> Answer:
    """The conditions of an equilibrium, each against the plan and not against `settle`."""
    found = answer(loads, world, served)
    assert found.coming.shape == (len(loads.parts), 12)
    assert ((found.coming >= 0.0) & (found.coming <= 1.0)).all()
    hashrates = np.array([part.hashrate_ehs for part in loads.parts])
    own = hashrates @ (found.coming * served)
    assert found.own_ehs == pytest.approx(own, rel=1e-9, abs=1e-12)
    others = [
        float(supply.hashrate_ehs(price))
        for supply, price in zip(world.supplies, found.hashprice, strict=True)
    ]
    assert found.network_ehs == pytest.approx(own + others, rel=1e-9)
    assert 1000.0 * found.hashprice * found.network_ehs == pytest.approx(world.revenue_usd_per_day, rel=2e-6)
    for index, part in enumerate(loads.parts):
        value = part.value(found.hashprice)
        for share, worth, there in zip(found.coming[index], value, served[index], strict=True):
            if part.load == "ai":
                assert share == float(part.worth_usd_per_mwh >= loads.tariff)
            elif part.hashrate_ehs == 0.0:
                assert share == 0.0
            elif there > 0.0 and 0.0 < share < 1.0:
                assert worth == pytest.approx(loads.tariff, rel=1e-6), "neither better nor worse off"
            elif there > 0.0:
                assert worth >= loads.tariff * (1.0 - 1e-6) if share else worth <= loads.tariff * (1.0 + 1e-6)
    return found


def test_machines_come_in_part_until_the_last_one_earns_the_tariff() -> None:
    """Machines of 20 J/TH earn 60 USD/MWh at a hashprice of 28.8. At 30 all want to come, 2 EH/s to a network
    of 1; at 28.8 the network's income pays 30/28.8 EH/s in all, part of it for others, who stay."""
    loads = plan({"A": 40.0}, 24, mining_share=1.0, machines=fleet(cohort("m20", 1.0, 20.0)))
    world = network(1.0, 30.0)
    found = check_answer(loads, world, all_served(loads))
    others = float(world.supplies[0].hashrate_ehs(28.8))
    assert 0.9 < others < 1.0
    assert found.hashprice == pytest.approx([28.8] * 12, rel=1e-9)
    assert found.coming[0] == pytest.approx([(30.0 / 28.8 - others) / 2.0] * 12, rel=1e-6)
    # Served half of the time, twice as many come.
    half = check_answer(loads, world, np.full((len(loads.parts), 12), 0.5))
    assert half.coming[0] == pytest.approx(2.0 * found.coming[0], rel=1e-6)


def test_full_power_leaves_before_the_machine_and_months_are_on_their_own() -> None:
    """20 J/TH: low power earns 2000/15 and full power 2000/40 at 48, so 60 needs 21.6 and 57.6."""
    loads = plan({"A": 10.0}, 24, mining_share=1.0, machines=fleet(cohort("m20", 1.0, 20.0, low=True)))
    world = network(hashprice=[20.0, 22.0, 57.0, 58.0] * 3)
    found = check_answer(loads, world, all_served(loads))
    assert [part.mode for part in loads.parts[:2]] == ["low", "full"]
    assert found.coming[:2].tolist() == [[0.0, 1.0, 1.0, 1.0] * 3, [0.0, 0.0, 0.0, 1.0] * 3]
    assert found.hashprice == pytest.approx(world.hashprice, rel=1e-6)


def test_machines_that_need_less_come_first_whatever_their_place_in_the_fleet() -> None:
    """At 30 USD/(PH/s·day) and a tariff of 60: 30 J/TH need 43.2, 12 J/TH with low power 12.96 and 34.56."""
    machines = fleet(cohort("m30", 1.0, 30.0), cohort("m12", 1.0, 12.0, low=True), cohort("m16", 1.0, 16.0))
    loads = plan({"A": 3.0}, 24, mining_share=1.0, machines=machines)
    found = check_answer(loads, network(hashprice=30.0), all_served(loads))
    came = {part.name: share[0] for part, share in zip(loads.parts, found.coming, strict=True)}
    assert {name: share for name, share in came.items() if name.startswith("mining")} == {
        "mining A m30 full": 0.0,
        "mining A m12 low": 1.0,
        "mining A m12 full": 0.0,
        "mining A m16 full": 1.0,
    }


@pytest.mark.parametrize(("megawatts", "mining_share"), [(0.0, 0.5), (10.0, 0.0), (0.0, 0.0)])
def test_without_hashrate_the_network_stays_as_it_is(megawatts: float, mining_share: float) -> None:
    loads = plan({"A": megawatts}, 24, mining_share=mining_share)
    world = network(1.0, [20.0, 48.0] * 6)
    found = check_answer(loads, world, all_served(loads))
    assert found.hashprice == pytest.approx(world.hashprice, rel=1e-6)
    assert found.own_ehs.tolist() == [0.0] * 12


def test_free_power_brings_all_and_machines_that_earn_nothing_stay() -> None:
    machines = fleet(cohort("m20", 1.0, 20.0), cohort("fee", 1.0, 20.0, fee=1.0))
    free = plan({"A": 10.0}, 24, mining_share=1.0, tariff=0.0, machines=machines)
    found = answer(free, network(1.0), all_served(free))
    assert found.coming[:2].tolist() == [[1.0] * 12, [0.0] * 12]
    paid = plan({"A": 10.0}, 24, mining_share=1.0, tariff=1.0, machines=machines)
    assert answer(paid, network(1.0), all_served(paid)).coming[:2].tolist() == [[1.0] * 12, [0.0] * 12]


def test_ai_work_comes_where_it_is_worth_the_tariff() -> None:
    """Batch is worth 140, training 200, serving 400, whatever the hashprice."""
    loads = plan({"A": 10.0}, 24, mining_share=0.0, tariff=150.0)
    found = answer(loads, network(), all_served(loads))
    kinds = {part.kind for part, share in zip(loads.parts, found.coming, strict=True) if share.all()}
    assert kinds == {"training", "serving"}
    assert set(np.unique(found.coming)) == {0.0, 1.0}


SHARES = st.lists(st.sampled_from([0.0, 0.3, 0.9, 1.0]), min_size=12, max_size=12)


@settings(max_examples=60, deadline=None)
@given(case=cases(hours=24), shares=SHARES)
def test_answer_is_an_equilibrium_in_every_month(case: Case, shares: list[float]) -> None:
    check_answer(case.plan, case.network, np.tile(shares, (len(case.plan.parts), 1)))


@settings(max_examples=40, deadline=None)
@given(case=cases(hours=24), shares=SHARES, factor=st.sampled_from([1.001, 1.1, 3.0]))
def test_more_income_of_the_network_never_lowers_who_comes(
    case: Case, shares: list[float], factor: float
) -> None:
    served = np.tile(shares, (len(case.plan.parts), 1))
    richer = Network(
        2025,
        case.network.revenue_usd_per_day * factor,
        case.network.hashrate_ehs,
        case.network.supplies,
    )
    before, after = answer(case.plan, case.network, served), answer(case.plan, richer, served)
    assert (after.coming >= before.coming - 1e-9).all()
    assert (after.hashprice >= before.hashprice * (1.0 - 2e-6)).all()
    assert (after.own_ehs >= before.own_ehs - 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(case=cases(hours=24), factor=st.sampled_from([1.001, 1.1, 3.0]))
def test_a_higher_tariff_never_raises_who_comes(case: Case, factor: float) -> None:
    dearer = replace(case.plan, tariff=case.plan.tariff * factor)
    before = answer(case.plan, case.network, all_served(case.plan))
    after = answer(dearer, case.network, all_served(dearer))
    assert (after.coming <= before.coming + 1e-9).all()


def test_network_of_a_year_on_record_gives_back_its_own_hashrate() -> None:
    world = network_of(2025)
    assert world.year == 2025
    for supply, price, hashrate in zip(world.supplies, world.hashprice, world.hashrate_ehs, strict=True):
        assert float(supply.hashrate_ehs(price)) == pytest.approx(hashrate, rel=1e-9)
