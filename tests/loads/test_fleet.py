"""Cohorts of machines, their blocks and what each is worth."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.machines import load_machines
from penstock.errors import FleetError, InputError
from penstock.loads.fleet import Block, Cohort, Fleet

S21 = load_machines()["s21"]  # 200 TH/s, 3,500 W


def cohort(name: str = "s21", machine: str = "s21", **changes: Any) -> Cohort:
    values: dict[str, Any] = {
        "name": name,
        "machine": load_machines()[machine],
        "count": 1000.0,
        "overhead_share": 0.0,
        "pool_fee_share": 0.0,
        "outage_share": 0.0,
    }
    return Cohort(**(values | changes))


def fleet(*cohorts: Cohort, **changes: float) -> Fleet:
    times = {"notice_minutes": 10.0, "ramp_minutes": 1.0, "minimum_stop_hours": 1.0, "restart_minutes": 10.0}
    return Fleet(cohorts=cohorts, **(times | changes))


# (machine, hashprice, USD/MWh): on 2026-09-25, 40.9 at 144 blocks a day and 40.0 from the difficulty.
PUBLISHED = [
    *(("s21-xp", 40.9, 126.0), ("s21", 40.9, 97.0), ("s19j-pro", 40.9, 58.0)),
    *(("s21-xp", 40.0, 124.0), ("s21", 40.0, 95.0), ("s19j-pro", 40.0, 57.0)),
]


@pytest.mark.parametrize(("machine", "hashprice", "expected"), PUBLISHED)
def test_break_even_at_the_published_snapshot(machine: str, hashprice: float, expected: float) -> None:
    (block,) = cohort(machine=machine).blocks()
    assert block.mode == "full"
    assert block.break_even_usd_per_mwh(hashprice) == pytest.approx(expected, rel=0.01)


def test_power_and_hashrate_at_the_meter() -> None:
    # 1,000 machines, 100 out of order: 900 x 3.5 kW x 1.1 = 3.465 MW; 900 x 200 TH/s = 0.18 EH/s.
    group = cohort(outage_share=0.1, overhead_share=0.1)
    assert group.mw == pytest.approx(3.465, rel=1e-12)
    assert group.hashrate_ehs == pytest.approx(0.18, rel=1e-12)
    assert group.energy_j_per_th == pytest.approx(19.25, rel=1e-12)


def test_every_machine_is_paid_for() -> None:
    assert cohort(outage_share=0.1, capital_usd_per_machine=1070.0).capital_usd == pytest.approx(1.07e6)


def test_age_takes_hashrate_and_no_power() -> None:
    # Two years at 10 % a year leave 81 % of the hashrate.
    old = cohort(age_years=2.0, efficiency_loss_share_per_year=0.1)
    assert old.mw == pytest.approx(3.5)
    assert old.hashrate_ehs == pytest.approx(0.2 * 0.81)
    (block,) = old.blocks()
    assert block.break_even_usd_per_mwh(42.0) == pytest.approx(0.81 * 100.0)


def test_blocks_of_a_low_power_mode() -> None:
    # 60 % of the power for 75 % of the hashrate: 17.5 x 0.8 = 14 J/TH, and 17.5 x 0.4 / 0.25 = 28 J/TH for
    # the rest. At 42 USD/PH/day, 1000 x 42 / (24 x 14) = 125 USD/MWh and half of it.
    low, full = cohort(low_power_share=0.6, low_hash_share=0.75).blocks()
    assert (low.mode, full.mode) == ("low", "full")
    assert [low.mw, full.mw] == pytest.approx([2.1, 1.4])
    assert [low.hashrate_ehs, full.hashrate_ehs] == pytest.approx([0.15, 0.05])
    assert low.break_even_usd_per_mwh(42.0) == pytest.approx(125.0)
    assert full.break_even_usd_per_mwh(42.0) == pytest.approx(62.5)


def test_fee_and_overhead_lower_the_value() -> None:
    # 42 x 0.98 = 41.16 USD for 24 x 17.5 x 1.05 = 441 kWh.
    (block,) = cohort(overhead_share=0.05, pool_fee_share=0.02).blocks()
    assert block.break_even_usd_per_mwh(42.0) == pytest.approx(41.16 / 0.441)


def test_break_even_of_an_array_of_hashprices() -> None:
    block = Block("a", "full", 1.0, 17.5, 0.0)
    hashprices = np.array([[0.0, 42.0], [21.0, 84.0]])
    np.testing.assert_allclose(block.break_even_usd_per_mwh(hashprices), [[0.0, 100.0], [50.0, 200.0]])


MODES = st.tuples(st.floats(0.01, 0.95), st.floats(0.01, 0.99)).map(
    lambda pair: (pair[0], pair[0] + (1.0 - pair[0]) * pair[1])
)


@given(
    mode=MODES,
    count=st.floats(0.1, 1e6),
    overhead=st.floats(0.0, 0.5),
    fee=st.floats(0.0, 0.2),
    outage=st.floats(0.0, 0.5),
)
def test_blocks_add_up_to_the_cohort_and_low_power_is_worth_more(
    mode: tuple[float, float], count: float, overhead: float, fee: float, outage: float
) -> None:
    group = cohort(
        low_power_share=mode[0],
        low_hash_share=mode[1],
        count=count,
        overhead_share=overhead,
        pool_fee_share=fee,
        outage_share=outage,
    )
    low, full = group.blocks()
    assert low.mw + full.mw == pytest.approx(group.mw, rel=1e-12)
    assert low.hashrate_ehs + full.hashrate_ehs == pytest.approx(group.hashrate_ehs, rel=1e-9)
    assert low.break_even_usd_per_mwh(40.9) > full.break_even_usd_per_mwh(40.9)
    # Both together earn what the cohort does.
    (whole,) = replace(group, low_power_share=None, low_hash_share=None).blocks()
    income = sum(block.mw * block.break_even_usd_per_mwh(40.9) for block in (low, full))
    assert income == pytest.approx(whole.mw * whole.break_even_usd_per_mwh(40.9), rel=1e-9)


@given(mw=st.floats(1e-3, 5e4))
def test_scaling_keeps_shares_and_values(mw: float) -> None:
    mix = fleet(cohort(low_power_share=0.6, low_hash_share=0.75), cohort("old", "s19-xp", count=300.0))
    scaled = mix.scaled_to(mw)
    assert scaled.mw == pytest.approx(mw, rel=1e-12)
    assert scaled.hashrate_ehs / scaled.mw == pytest.approx(mix.hashrate_ehs / mix.mw, rel=1e-12)
    for before, after in zip(mix.blocks(), scaled.blocks(), strict=True):
        assert (after.cohort, after.mode) == (before.cohort, before.mode)
        assert after.mw / mw == pytest.approx(before.mw / mix.mw, rel=1e-12)
        assert after.break_even_usd_per_mwh(50.0) == before.break_even_usd_per_mwh(50.0)


def test_scaled_to_nothing_keeps_its_blocks() -> None:
    mix = fleet(cohort(low_power_share=0.6, low_hash_share=0.75))
    nothing = mix.scaled_to(0.0)
    assert [block.mw for block in nothing.blocks()] == [0.0, 0.0]
    assert [b.break_even_usd_per_mwh(42.0) for b in nothing.blocks()] == pytest.approx([125.0, 62.5])
    with pytest.raises(FleetError, match="no machines to scale up from 0 MW"):
        nothing.scaled_to(1.0)


def test_energy_per_hash_of_a_mix_is_power_over_hashrate() -> None:
    # 3.5 MW and 0.2 EH/s with 3.01 MW and 0.14 EH/s: 6.51 / 0.34 J/TH.
    mix = fleet(cohort(), cohort("old", "s19-xp"))
    assert mix.energy_j_per_th == pytest.approx(6.51 / 0.34)


BAD_COHORTS = [
    ({"name": ""}, "has no name"),
    ({"count": -1.0}, "count"),
    ({"count": math.nan}, "count"),
    ({"count": True}, "count"),
    ({"age_years": -0.1}, "age_years"),
    ({"overhead_share": -0.1}, "overhead_share"),
    ({"pool_fee_share": 1.1}, "pool_fee_share"),
    ({"outage_share": 1.0}, "below 1"),
    ({"efficiency_loss_share_per_year": 1.0}, "below 1"),
    ({"capital_usd_per_machine": math.inf}, "capital_usd_per_machine"),
    ({"low_power_share": 0.6}, "one half of a low-power mode"),
    ({"low_hash_share": 0.6}, "one half of a low-power mode"),
    ({"low_power_share": 0.6, "low_hash_share": 1.0}, "low_hash_share"),
    ({"low_power_share": 0.0, "low_hash_share": 0.5}, "must be above 0"),
    ({"low_power_share": 0.6, "low_hash_share": 0.6}, "must exceed its share of the power"),
    ({"low_power_share": 0.6, "low_hash_share": math.nan}, "low_hash_share"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_COHORTS)
def test_bad_cohort_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FleetError, match=message) as caught:
        cohort(**changes)
    assert len(caught.value.faults) == 1


def test_faults_of_a_cohort_come_together() -> None:
    with pytest.raises(FleetError) as caught:
        cohort(count=math.nan, pool_fee_share=2.0, low_power_share=0.9, low_hash_share=0.5)
    assert [fault.column for fault in caught.value.faults] == ["count", "pool_fee_share", "low_hash_share"]


def test_machine_whose_ratings_disagree_cannot_be() -> None:
    # 3,500 W over 200 TH/s is 17.5 J/TH; 18.1 is 3.3 % off.
    with pytest.raises(InputError, match="limit is 3%"):
        replace(S21, efficiency_j_per_th=18.1)


def test_faults_of_a_fleet_come_together() -> None:
    with pytest.raises(FleetError) as caught:
        fleet(cohort(), cohort(), notice_minutes=-1.0, restart_minutes=math.nan)
    assert [fault.column for fault in caught.value.faults] == ["cohorts", "notice_minutes", "restart_minutes"]
    with pytest.raises(FleetError, match="has no cohorts"):
        fleet()


@pytest.mark.parametrize("mw", [-1.0, math.nan, math.inf])
def test_fleet_is_not_scaled_to_nonsense(mw: float) -> None:
    with pytest.raises(FleetError, match="mw"):
        fleet(cohort()).scaled_to(mw)
