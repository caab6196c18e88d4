"""The rest of the world's hashrate: two machines by hand, the calibration, the catalogue, the record."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.history import load_history
from penstock.bitcoin.machines import load_machines
from penstock.bitcoin.world import (
    HashSupply,
    WorldAssumptions,
    efficiencies_released_by,
    network_energy_twh_per_year,
    supply_range,
    world_assumptions,
    world_supply,
)
from penstock.errors import BitcoinError

PHI = NormalDist().cdf
PLAIN = WorldAssumptions(20.0, 45.0, 0.5, 0.0, 0.0)
#: 144 subsidies of 3.125 BTC and 3.72922336 BTC of fees at 83,847 USD, over 929.6 EH/s: 2026-09-25.
REVENUE = (144 * 3.125 + 3.72922336) * 83_847.0
HASHRATE = 929.6
HASHPRICE = REVENUE / (1000.0 * HASHRATE)
HASHPRICES = st.floats(1.0, 1000.0)


def two_machines() -> HashSupply:
    return HashSupply(np.array([10.0, 20.0]), np.array([0.25, 0.75]), 400.0, PLAIN)


def snapshot_supply() -> HashSupply:
    return world_supply(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)


@st.composite
def calibrations(draw: st.DrawFn) -> HashSupply:
    """Any world whose mean some mix of its models has."""
    halves = draw(st.lists(st.integers(16, 120), min_size=2, max_size=12, unique=True))
    models = [half / 2.0 for half in halves]
    best, worst = min(models), max(models)
    inside = draw(st.floats(0.05, 0.95))
    taken = WorldAssumptions(
        best + inside * (worst - best),
        draw(st.floats(20.0, 90.0)),
        draw(st.floats(0.2, 1.0)),
        draw(st.floats(0.0, 0.3)),
        draw(st.floats(0.0, 0.1)),
    )
    hashrate, hashprice = draw(st.floats(1.0, 2000.0)), draw(st.floats(30.0, 150.0))
    return HashSupply.calibrated(
        hashrate_ehs=hashrate,
        hashprice_usd_per_ph_day=hashprice,
        efficiency_j_per_th=models,
        assumptions=taken,
    )


# --- the curve -----------------------------------------------------------------------------------------


def test_two_machines_by_hand() -> None:
    # 21.6 USD/PH/day is 1000·21.6/(24·20) = 45 USD/MWh for the 20 J/TH, the median: half of them run;
    # 90 USD/MWh for the 10 J/TH, ln 2 / 0.5 spreads above the median.
    expected = 400.0 * (0.25 * PHI(math.log(2.0) / 0.5) + 0.75 * 0.5)
    assert float(two_machines().hashrate_ehs(21.6)) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(241.72, abs=0.01)


def test_overhead_and_fee_take_from_the_break_even() -> None:
    taken = replace(PLAIN, overhead_share=0.25, pool_fee_share=0.2)
    supply = replace(two_machines(), assumptions=taken)
    # Break-evens fall to 0.8/1.25 = 0.64 of those without.
    plain = two_machines().hashrate_ehs(0.64 * 30.0)
    assert float(supply.hashrate_ehs(30.0)) == pytest.approx(float(plain), rel=1e-12)


def test_published_break_even_splits_the_machines_in_half() -> None:
    # The break-even without cooling and fee on 2026-09-25 is 97 USD/MWh for a machine of 17.5 J/TH.
    median = 1000.0 * HASHPRICE / (24.0 * 17.5)
    assert round(median) == 97
    supply = HashSupply([17.5], [1.0], 10.0, WorldAssumptions(17.5, median, 0.4, 0.0, 0.0))  # type: ignore[arg-type]
    assert float(supply.hashrate_ehs(HASHPRICE)) == pytest.approx(5.0, rel=1e-12)


def test_nothing_runs_for_nothing_and_all_for_a_fortune() -> None:
    supply = two_machines()
    assert float(supply.hashrate_ehs(0.0)) == 0.0
    assert float(supply.slope(0.0)) == 0.0
    assert math.isnan(float(supply.elasticity(0.0)))
    assert float(supply.hashrate_ehs(1e6)) == pytest.approx(400.0, rel=1e-12)


@given(calibrations(), HASHPRICES, HASHPRICES)
def test_more_hashprice_never_runs_less(supply: HashSupply, one: float, other: float) -> None:
    low, high = supply.hashrate_ehs(np.array(sorted((one, other))))
    assert 0.0 <= low <= high <= supply.capacity_ehs * (1.0 + 1e-12)


@given(calibrations(), HASHPRICES)
def test_slope_is_the_difference_quotient(supply: HashSupply, hashprice: float) -> None:
    step = 1e-5 * hashprice
    below, above = supply.hashrate_ehs(np.array([hashprice - step, hashprice + step]))
    numeric = (above - below) / (2.0 * step)
    noise = 1e-9 * supply.capacity_ehs / step * 1e-5
    assert float(supply.slope(hashprice)) == pytest.approx(numeric, rel=1e-4, abs=noise)


@given(calibrations())
def test_elasticity_is_the_answer_to_everybodys_power_cost(supply: HashSupply) -> None:
    hashprice, change = 60.0, 1e-5
    dearer = replace(
        supply,
        assumptions=replace(
            supply.assumptions,
            power_cost_median_usd_per_mwh=supply.assumptions.power_cost_median_usd_per_mwh * math.exp(change),
        ),
    )
    before, after = (float(each.hashrate_ehs(hashprice)) for each in (supply, dearer))
    answer = math.log(after / before) / change
    assert float(supply.elasticity(hashprice)) == pytest.approx(-answer, rel=1e-3, abs=1e-6)


def test_twelve_months_at_once() -> None:
    months = np.linspace(30.0, 60.0, 12)
    supply = two_machines()
    for method in (supply.hashrate_ehs, supply.slope, supply.elasticity):
        together = method(months)
        assert together.shape == (12,)
        assert together.tolist() == pytest.approx([float(method(month)) for month in months], rel=1e-14)


@pytest.mark.parametrize("hashprice", [-1.0, math.nan, math.inf])
def test_hashprice_must_be_a_number(hashprice: float) -> None:
    for method in (two_machines().hashrate_ehs, two_machines().slope, two_machines().elasticity):
        with pytest.raises(BitcoinError, match="hashprice: must be a number of at least 0"):
            method(hashprice)


def test_no_mean_of_machines_that_do_not_run() -> None:
    with pytest.raises(BitcoinError, match="high enough that some machine runs"):
        two_machines().mean_efficiency_j_per_th(0.0)


def test_arrays_are_read_only_copies() -> None:
    efficiency, weight = np.array([10.0, 20.0]), np.array([0.5, 0.5])
    supply = HashSupply(efficiency, weight, 1.0, PLAIN)
    efficiency[0], weight[0] = 99.0, 99.0
    assert supply.efficiency_j_per_th.tolist() == [10.0, 20.0]
    assert supply.weight.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="read-only"):
        supply.weight[0] = 1.0


def test_at_least_half_runs_at_the_half_hashprice() -> None:
    supply = snapshot_supply()
    assert float(supply.hashrate_ehs(supply.half_hashprice_usd_per_ph_day())) >= 0.5 * supply.capacity_ehs


# --- the calibration -----------------------------------------------------------------------------------


@given(calibrations())
def test_weights_have_the_form_of_greatest_entropy(supply: HashSupply) -> None:
    order = np.argsort(supply.efficiency_j_per_th)
    efficiency = supply.efficiency_j_per_th[order]
    logarithm = np.log(np.maximum(supply.weight[order], 1e-300))
    line = logarithm[0] + (efficiency - efficiency[0]) * (
        (logarithm[-1] - logarithm[0]) / (efficiency[-1] - efficiency[0])
    )
    assert logarithm == pytest.approx(line, rel=1e-6, abs=1e-6)
    assert float(supply.weight.sum()) == pytest.approx(1.0, rel=1e-12)


@given(st.floats(10.5, 39.5), st.floats(0.2, 1.0), st.floats(30.0, 150.0))
def test_calibration_meets_hashrate_and_mean(mean: float, spread: float, hashprice: float) -> None:
    models = [10.0, 15.0, 22.0, 30.0, 40.0]
    supply = HashSupply.calibrated(
        hashrate_ehs=800.0,
        hashprice_usd_per_ph_day=hashprice,
        efficiency_j_per_th=models,
        assumptions=WorldAssumptions(mean, 45.0, spread, 0.1, 0.02),
    )
    assert float(supply.hashrate_ehs(hashprice)) == pytest.approx(800.0, rel=1e-12)
    assert supply.mean_efficiency_j_per_th(hashprice) == pytest.approx(mean, rel=1e-9)
    assert supply.capacity_ehs >= 800.0


def test_plain_mean_gives_equal_weights() -> None:
    # So dear a coin that all run: the mean of the running is that of the installed.
    supply = HashSupply.calibrated(
        hashrate_ehs=100.0,
        hashprice_usd_per_ph_day=1e5,
        efficiency_j_per_th=[10.0, 20.0, 60.0],
        assumptions=replace(PLAIN, fleet_efficiency_j_per_th=30.0),
    )
    assert supply.weight.tolist() == pytest.approx([1 / 3] * 3, rel=1e-9)
    assert supply.capacity_ehs == pytest.approx(100.0, rel=1e-12)


def test_mean_is_of_the_machines_that_run() -> None:
    # By hand: at 21.6 USD/PH/day all but Φ(−2·ln 2) of the 10 J/TH run and half of the 20 J/TH, so a mean of
    # 15 needs weights in the ratio 0.5 : Φ(2·ln 2).
    run = PHI(math.log(2.0) / 0.5)
    supply = HashSupply.calibrated(
        hashrate_ehs=1.0,
        hashprice_usd_per_ph_day=21.6,
        efficiency_j_per_th=[10.0, 20.0],
        assumptions=replace(PLAIN, fleet_efficiency_j_per_th=15.0),
    )
    assert supply.weight.tolist() == pytest.approx([0.5 / (0.5 + run), run / (0.5 + run)], rel=1e-9)


def test_idle_machines_come_back_when_the_hashprice_rises() -> None:
    supply = snapshot_supply()
    assert float(supply.hashrate_ehs(2.0 * HASHPRICE)) > 1.1 * HASHRATE
    assert float(supply.hashrate_ehs(1e5)) == pytest.approx(supply.capacity_ehs, rel=1e-6)


@pytest.mark.parametrize("mean", [9.0, 9.5, 98.0, 120.0])
def test_a_mean_outside_the_catalogue_is_refused(mean: float) -> None:
    taken = replace(world_assumptions(2026), fleet_efficiency_j_per_th=mean)
    with pytest.raises(BitcoinError, match=r"strictly between 9\.5 and 98 J/TH"):
        world_supply(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE, assumptions=taken)


def test_all_faults_at_once() -> None:
    with pytest.raises(BitcoinError) as caught:
        HashSupply.calibrated(
            hashrate_ehs=0.0,
            hashprice_usd_per_ph_day=math.nan,
            efficiency_j_per_th=[10.0, -1.0],
            assumptions=PLAIN,
        )
    assert [fault.column for fault in caught.value.faults] == [
        "hashrate_ehs",
        "hashprice_usd_per_ph_day",
        "efficiency_j_per_th",
    ]
    with pytest.raises(BitcoinError) as caught:
        WorldAssumptions(0.0, -1.0, math.inf, -0.1, 1.0)
    assert len(caught.value.faults) == 5
    with pytest.raises(BitcoinError) as caught:
        HashSupply(np.array([10.0]), np.array([0.5]), 0.0, PLAIN)
    assert {fault.column for fault in caught.value.faults} == {"capacity_ehs", "weight"}


def test_one_model_has_only_its_own_mean() -> None:
    supply = HashSupply.calibrated(
        hashrate_ehs=1.0, hashprice_usd_per_ph_day=50.0, efficiency_j_per_th=[20.0], assumptions=PLAIN
    )
    assert supply.weight.tolist() == [1.0]


def test_no_models_no_supply() -> None:
    with pytest.raises(BitcoinError, match="at least one efficiency"):
        world_supply(
            2026,
            hashrate_ehs=HASHRATE,
            hashprice_usd_per_ph_day=HASHPRICE,
            machines=iter(()),
            assumptions=PLAIN,
        )


# --- the catalogue and the assumptions -----------------------------------------------------------------


def test_models_released_by_a_year() -> None:
    machines = load_machines()
    taken = efficiencies_released_by(2024)
    s9, s23, bitaxe, announced = (
        machines[key].efficiency_j_per_th for key in ("s9", "s23-hyd", "bitaxe-gamma", "s23-xp-hyd")
    )
    assert s9 == 98.0
    assert taken.max() == s9
    assert taken.min() == 12.0  # S21 XP Hyd of 2024
    assert bitaxe not in taken
    assert efficiencies_released_by(2026).min() == s23 == 9.5
    assert announced == 8.9
    assert [efficiencies_released_by(year).size for year in (2016, 2024, 2025, 2026)] == [0, 56, 68, 76]


def test_other_machines_than_the_catalogue() -> None:
    chosen = iter([load_machines()["s21"], load_machines()["s19-pro"], load_machines()["bitaxe-gamma"]])
    assert efficiencies_released_by(2026, chosen).tolist() == [17.5, 29.5]


def test_assumptions_of_the_years() -> None:
    assert world_assumptions(2024) == WorldAssumptions(28.2, 45.0, 0.5, 0.1, 0.02)
    assert world_assumptions(2025).fleet_efficiency_j_per_th == 22.5
    assert world_assumptions(2026).fleet_efficiency_j_per_th == 19.5
    with pytest.raises(BitcoinError, match="there is one for 2024, 2025, 2026"):
        world_assumptions(2019)


def test_range_holds_the_value_and_meets_the_observation_at_every_end() -> None:
    found = supply_range(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)
    assert set(found.each) == set(WorldAssumptions.__slots__)
    supplies = [
        found.central,
        found.least,
        found.most,
        *(end for ends in found.each.values() for end in ends),
    ]
    elasticities = [float(supply.elasticity(HASHPRICE)) for supply in supplies]
    assert min(elasticities) == float(found.least.elasticity(HASHPRICE)) < elasticities[0]
    assert max(elasticities) == float(found.most.elasticity(HASHPRICE)) > elasticities[0]
    for supply in supplies:
        assert float(supply.hashrate_ehs(HASHPRICE)) == pytest.approx(HASHRATE, rel=1e-12)
    low, high = found.each["fleet_efficiency_j_per_th"]
    assert low.mean_efficiency_j_per_th(HASHPRICE) == pytest.approx(15.2, rel=1e-9)
    assert high.mean_efficiency_j_per_th(HASHPRICE) == pytest.approx(24.0, rel=1e-9)
    with pytest.raises(TypeError):
        found.each["pool_fee_share"] = (low, high)  # type: ignore[index]


def test_published_mean_without_a_range_is_left_out() -> None:
    found = supply_range(2024, hashrate_ehs=559.0, hashprice_usd_per_ph_day=50.0)
    assert "fleet_efficiency_j_per_th" not in found.each
    assert found.central.mean_efficiency_j_per_th(50.0) == pytest.approx(28.2, rel=1e-9)


# --- against what is published and on record ------------------------------------------------------------


def test_energy_of_the_network() -> None:
    # Cambridge: 138 TWh a year at 28.2 J/TH, the 559 EH/s of mid-2024.
    assert network_energy_twh_per_year(559.0, 28.2) == pytest.approx(559e6 * 28.2 * 8760.0 / 1e12, rel=1e-12)
    assert network_energy_twh_per_year(559.0, 28.2) == pytest.approx(138.1, abs=0.05)
    mean = float(np.mean(list(_hashrates_of(2025))))
    assert mean == pytest.approx(929.3, abs=0.1)
    assert network_energy_twh_per_year(mean, 28.2) == pytest.approx(230.0, abs=0.5)


def _hashrates_of(year: int) -> Iterator[float]:
    history = load_history()
    days = history.date.astype("datetime64[Y]") == np.datetime64(str(year))
    yield from history.hashrate_ehs[days].tolist()


def test_installed_machines_cover_the_record_hashrate() -> None:
    # The most that ever ran, 1,116 EH/s in October 2025, was a year before: most of it should still stand.
    record = float(load_history().hashrate_ehs.max())
    assert record == pytest.approx(1116.2, abs=0.1)
    assert 1.0 < snapshot_supply().capacity_ehs / record < 1.25
