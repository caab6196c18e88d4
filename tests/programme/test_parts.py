"""The parts of a programme by hand: power, worth, and who interrupts them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from penstock.loads.compute import default_centre
from penstock.programme.parts import longest_event, make_plan
from tests.programme.small import HASHPRICE, Case, cases, centre, cohort, fleet, plan


def test_a_cohort_is_low_power_and_what_full_power_adds() -> None:
    """10 MW of 20 J/TH: 6 MW at 15 J/TH and 4 at 40 J/TH, worth 2000/15 and 2000/40 USD/MWh at 48."""
    loads = plan({"A": 10.0}, 3, mining_share=1.0, machines=fleet(cohort("m20", 7.0, 20.0, low=True)))
    low, full = loads.parts[:2]
    assert (low.name, low.mode, low.step, loads.contract(low)) == (
        "mining A m20 low",
        "low",
        "mining_stopped",
        "mining",
    )
    assert (full.name, full.mode, full.step) == ("mining A m20 full", "full", "low_power")
    assert low.offered == pytest.approx([6.0] * 3, rel=1e-12)
    assert full.offered == pytest.approx([4.0] * 3, rel=1e-12)
    assert (low.hashrate_ehs, full.hashrate_ehs) == pytest.approx((0.4, 0.1), rel=1e-12)
    price = np.array([HASHPRICE, 2 * HASHPRICE])
    assert low.value(price) == pytest.approx([2000.0 / 15.0, 4000.0 / 15.0], rel=1e-12)
    assert full.value(price) == pytest.approx([50.0, 100.0], rel=1e-12)


def test_a_machine_without_low_power_mode_is_stopped_whole() -> None:
    loads = plan({"A": 10.0}, 3, mining_share=1.0, machines=fleet(cohort("m20", 7.0, 20.0)))
    (part,) = (part for part in loads.parts if part.load == "mining")
    assert (part.mode, part.step) == ("full", "mining_stopped")
    assert part.offered == pytest.approx([10.0] * 3, rel=1e-12)


def test_ai_work_is_cut_within_what_trials_have_shown() -> None:
    """10 MW: batch 4, training 2, serving 4 and 1. Of a trial of half of the power, batch gives 0.4.

    In the odd hour the centre draws 7, so 2.8 of batch and 0.7 of training may be cut; 3 are spare, and half
    of the machines for batch wait.
    """
    loads = plan({"A": 10.0}, 2, mining_share=0.0, work=centre(depth=0.5))
    found = {part.name: part for part in loads.parts if part.load == "ai"}
    expected = {
        "ai A batch": ("run", "work_deferred", [4.0, 2.8]),
        "ai A batch late": ("late", "work_deferred", [0.0, 2.0]),
        "ai A batch kept": ("kept", "serving_cut", [0.0, 1.2]),
        "ai A training": ("run", "training_paused", [1.0, 0.7]),
        "ai A training kept": ("kept", "serving_cut", [1.0, 1.3]),
        "ai A serving": ("run", "serving_cut", [4.0, 1.0]),
    }
    assert list(found) == list(expected)
    for name, (mode, step, offered) in expected.items():
        assert (found[name].mode, found[name].step) == (mode, step), name
        assert found[name].offered == pytest.approx(offered, abs=1e-12), name
    batch, training = found["ai A batch"], found["ai A training"]
    # 140 USD/MWh; 1.26 h are lost by a stop, over an event of 2.1 h: 0.6 of a MWh for each one.
    assert batch.worth_usd_per_mwh == pytest.approx(140.0, rel=1e-12)
    assert batch.window_hours == 6
    assert batch.cut_cost_usd_per_mwh == pytest.approx(140.0 * 1.6, rel=1e-12)
    assert batch.defer_cost_usd_per_mwh == pytest.approx(140.0 * 0.6, rel=1e-12)
    assert training.cut_cost_usd_per_mwh == pytest.approx(200.0 * 1.1, rel=1e-12)
    assert found["ai A serving"].cut_cost_usd_per_mwh == pytest.approx(400.0, rel=1e-12)
    assert batch.value(np.array([1.0, 99.0])).tolist() == [batch.worth_usd_per_mwh] * 2
    late = found["ai A batch late"]
    assert late.late
    assert not batch.late
    assert loads.on_time(late) is batch


def test_pue_lowers_the_worth_of_a_mwh() -> None:
    one = plan({"A": 10.0}, 4, mining_share=0.0)
    warm = make_plan(
        replace(one.where, pue={"A": np.array([1.2, 1.3, 1.4, 1.5])}),
        one.terms,
        fleet=one.fleet,
        centre=one.centre,
        mining_share=0.0,
        tariff=60.0,
        value_of_lost_load=500.0,
        firm=False,
    )
    for cool, hot in zip(one.parts, warm.parts, strict=True):
        if cool.load == "ai":
            assert hot.worth_usd_per_mwh == pytest.approx(cool.worth_usd_per_mwh / 1.35, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_parts_share_out_the_contract(case: Case) -> None:
    loads = case.plan
    assert len({part.name for part in loads.parts}) == len(loads.parts)
    split = [part.load for part in loads.parts]
    assert split == sorted(split, key=("mining", "ai").index)
    for zone, megawatts in loads.where.mw.items():
        here = [part for part in loads.parts if part.zone == zone]
        mining = sum(part.offered for part in here if part.load == "mining")
        compute = sum(part.offered for part in here if part.load == "ai" and not part.late)
        late = sum(part.offered for part in here if part.late)
        share = megawatts - float(np.max(mining))
        assert float(np.ptp(mining)) <= 1e-9
        assert float(np.max(compute)) == pytest.approx(share, rel=1e-9, abs=1e-9)
        assert np.all(compute + late <= share + 1e-9), "late work finds room within the contract"
        hashrate = sum(part.hashrate_ehs for part in here)
        whole = loads.fleet.hashrate_ehs * float(np.max(mining)) / loads.fleet.mw
        assert hashrate == pytest.approx(whole, rel=1e-9, abs=1e-12)
    assert all((part.offered >= 0.0).all() for part in loads.parts)


def test_longest_event_of_the_trials_that_ship() -> None:
    assert longest_event(default_centre()) == 10.0
