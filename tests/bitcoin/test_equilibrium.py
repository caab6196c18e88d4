"""Where hashprice and hashrate settle: by hand, from any start, on a step; and the page's figures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.equilibrium import Equilibrium, OwnEffect, own_effect, settle, settle_months
from penstock.bitcoin.history import load_history
from penstock.bitcoin.world import (
    HashSupply,
    WorldAssumptions,
    network_energy_twh_per_year,
    supply_range,
    world_supply,
)
from penstock.errors import BitcoinError

PAGE = Path(__file__).parents[2] / "docs" / "how-much-does-our-mining-lower-its-own-income.md"
#: 144 subsidies of 3.125 BTC and 3.72922336 BTC of fees at 83,847 USD: 2026-09-25.
REVENUE = (144 * 3.125 + 3.72922336) * 83_847.0
HASHRATE = 929.6
HASHPRICE = REVENUE / (1000.0 * HASHRATE)
#: 2,000 MW of machines of 17.5 J/TH. [EH/s]
OWN = 2000.0 / 17.5

STARTS = st.floats(-6.0, 6.0).map(lambda power: 10.0**power)
HASHRATES = st.floats(0.001, 1e5)


@st.composite
def supplies(draw: st.DrawFn) -> HashSupply:
    count = draw(st.integers(1, 6))
    efficiency = np.array(draw(st.lists(st.floats(5.0, 120.0), min_size=count, max_size=count)))
    raw = np.array(draw(st.lists(st.floats(0.01, 1.0), min_size=count, max_size=count)))
    taken = WorldAssumptions(
        20.0, draw(st.floats(5.0, 300.0)), draw(st.floats(0.005, 3.0)), draw(st.floats(0.0, 0.5)), 0.02
    )
    return HashSupply(efficiency, raw / raw.sum(), draw(HASHRATES), taken)


def snapshot_supply() -> HashSupply:
    return world_supply(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)


def staircase() -> HashSupply:
    """100 EH/s that break even at 45 USD/MWh: from 21.6 USD/PH/day on, as good as all at once."""
    return HashSupply(np.array([20.0]), np.array([1.0]), 100.0, WorldAssumptions(20.0, 45.0, 1e-3, 0.0, 0.0))


def truth(revenue: float, supply: HashSupply, own: float) -> float:
    """The network's hashrate, by 300 halvings of a wide bracket of the hashprice."""
    low, high = -200.0, 200.0
    for _ in range(300):
        middle = 0.5 * (low + high)
        hashprice = math.exp(middle)
        if 1000.0 * hashprice * (own + float(supply.hashrate_ehs(hashprice))) < revenue:
            low = middle
        else:
            high = middle
    return revenue / (1000.0 * math.exp(0.5 * (low + high)))


# --- the root ------------------------------------------------------------------------------------------


def test_calibrated_supply_settles_where_it_was_calibrated() -> None:
    found = settle(REVENUE, snapshot_supply(), 0.0, tolerance=1e-12)
    assert found.hashprice_usd_per_ph_day == pytest.approx(HASHPRICE, rel=1e-11)
    assert found.network_ehs == found.others_ehs == pytest.approx(HASHRATE, rel=1e-11)
    assert found.others_left_ehs == 0.0


def test_where_all_machines_run_the_income_is_shared() -> None:
    # 10^9 USD a day over 100 + 25 EH/s: 8,000 USD/PH/day; without the 25, 10,000; nobody leaves.
    found = settle(1e9, staircase(), 25.0)
    assert found.hashprice_usd_per_ph_day == pytest.approx(8000.0, rel=1e-6)
    assert found.others_left_ehs == pytest.approx(0.0, abs=1e-9)


def test_on_the_margin_of_the_others_every_exahash_displaces_one() -> None:
    # At 21.6 USD/PH/day the others are elastic without bound: 50 EH/s earn the revenue, 20 of them ours.
    revenue = 1000.0 * 21.6 * 50.0
    found = settle(revenue, staircase(), 20.0)
    assert found.converged
    assert found.hashprice_usd_per_ph_day == pytest.approx(21.6, rel=1e-3)
    assert found.network_ehs == pytest.approx(50.0, rel=1e-3)
    assert found.others_left_ehs == pytest.approx(20.0, rel=1e-2)


@given(supplies(), st.floats(1e-2, 1e10), st.one_of(st.just(0.0), HASHRATES), STARTS)
def test_converges_from_any_start(supply: HashSupply, revenue: float, own: float, start: float) -> None:
    found = settle(revenue, supply, own, start=start)
    assert found.converged
    assert found.residual <= 1e-6
    assert found.rounds <= 20
    assert found.own_ehs == own
    assert found.network_ehs == pytest.approx(truth(revenue, supply, own), rel=3e-6)


@given(supplies(), st.floats(-2.0, 4.0), st.floats(0.0, 500.0), STARTS)
def test_finds_a_root_that_is_known(supply: HashSupply, power: float, own: float, start: float) -> None:
    hashprice = 10.0**power
    others = float(supply.hashrate_ehs(hashprice))
    if others + own < 1e-9:
        return
    found = settle(1000.0 * hashprice * (own + others), supply, own, start=start, tolerance=1e-9)
    assert found.converged
    assert found.hashprice_usd_per_ph_day == pytest.approx(hashprice, rel=2e-9)


@given(supplies(), st.floats(1e3, 1e9), STARTS, STARTS)
def test_the_start_does_not_matter(supply: HashSupply, revenue: float, one: float, other: float) -> None:
    first, second = (settle(revenue, supply, 7.0, start=start) for start in (one, other))
    assert first.network_ehs == pytest.approx(second.network_ehs, rel=3e-6)


@given(supplies(), st.floats(1e4, 1e9), st.floats(0.1, 1000.0))
def test_a_fleet_lowers_the_hashprice_and_displaces_less_than_itself(
    supply: HashSupply, revenue: float, own: float
) -> None:
    without, found = (settle(revenue, supply, size, tolerance=1e-11) for size in (0.0, own))
    assert found.hashprice_usd_per_ph_day <= without.hashprice_usd_per_ph_day * (1.0 + 1e-10)
    assert -1e-6 * own <= found.others_left_ehs <= own * (1.0 + 1e-6) + 1e-8 * without.others_ehs
    assert found.others_left_ehs == pytest.approx(without.others_ehs - found.others_ehs, abs=1e-9)


def test_says_so_when_it_has_not_converged() -> None:
    found = settle(REVENUE, snapshot_supply(), OWN, rounds=1, start=1e-6)
    gap = 1000.0 * found.hashprice_usd_per_ph_day * found.network_ehs / REVENUE - 1.0
    assert not found.converged
    assert found.rounds == 1
    assert found.residual >= abs(gap) > 1e-6
    assert settle(REVENUE, snapshot_supply(), OWN, rounds=8, start=1e-6).converged


def test_a_cliff_that_newton_and_halving_miss_in_twenty_rounds() -> None:
    taken = WorldAssumptions(20.0, 45.0, 1e-5, 0.0, 0.0)
    supply = HashSupply(np.array([83.0, 103.0]), np.array([0.5, 0.5]), 100.0, taken)
    found = settle(1e4, supply, 0.0, start=100.0)
    assert found.converged
    # 10^4 USD a day pay 0.11 EH/s at 89.64 USD/PH/day, where the better machine breaks even at 45 USD/MWh.
    assert found.hashprice_usd_per_ph_day == pytest.approx(45.0 * 24.0 * 83.0 / 1000.0, rel=1e-4)
    assert found.rounds <= 12


def test_without_the_fleet_it_must_converge_as_well() -> None:
    steps = [(39.0, 500.0)]
    found = settle(REVENUE, snapshot_supply(), steps, rounds=1, start=1e-6)
    assert (found.hashprice_usd_per_ph_day, found.marginal_step) == (39.0, 0)
    assert not found.converged
    assert found.residual > 1e-6
    assert settle(REVENUE, snapshot_supply(), steps).converged


def test_a_tolerance_below_rounding_is_not_claimed() -> None:
    found = settle(REVENUE, snapshot_supply(), OWN, tolerance=1e-300)
    assert found.converged == (found.residual <= 1e-300)
    assert found.residual < 1e-12


# --- steps ---------------------------------------------------------------------------------------------


def test_a_step_runs_in_part_where_the_root_lies_on_it() -> None:
    # All 100 EH/s of the others run at 80 USD/PH/day. 10^7 USD a day pay 125 EH/s there, so of the 40 EH/s
    # that break even at 80 there run 25 − 10: the first step, at 30, runs whole.
    found = settle(1e7, staircase(), [(80.0, 40.0), (30.0, 10.0), (90.0, 5.0)])
    assert found.hashprice_usd_per_ph_day == 80.0
    assert found.own_ehs == pytest.approx(25.0, rel=1e-9)
    assert found.marginal_step == 0
    assert found.marginal_share == pytest.approx(15.0 / 40.0, rel=1e-9)
    assert found.network_ehs == pytest.approx(125.0, rel=1e-9)
    assert found.converged


def test_between_steps_none_is_marginal() -> None:
    # 10^7 / (100 + 10) is 90.9 USD/PH/day: above 30, below 95.
    found = settle(1e7, staircase(), [(30.0, 10.0), (95.0, 40.0)])
    assert found.hashprice_usd_per_ph_day == pytest.approx(1e4 / 110.0, rel=1e-6)
    assert (found.own_ehs, found.marginal_step, found.marginal_share) == (10.0, None, None)


def test_steps_of_one_break_even_start_in_their_order() -> None:
    found = settle(1e7, staircase(), [(80.0, 10.0), (80.0, 30.0), (80.0, 30.0)])
    assert found.marginal_step == 1
    assert found.own_ehs == pytest.approx(25.0, rel=1e-9)
    assert found.marginal_share == pytest.approx(0.5, rel=1e-9)


def test_no_steps_or_empty_ones_are_no_fleet() -> None:
    alone = settle(1e7, staircase(), 0.0)
    assert settle(1e7, staircase(), []) == settle(1e7, staircase(), [(50.0, 0.0)]) == alone


def test_a_step_that_always_runs_is_a_fixed_fleet() -> None:
    steps = settle(REVENUE, snapshot_supply(), [(1e-9, OWN)], tolerance=1e-12)
    fixed = settle(REVENUE, snapshot_supply(), OWN, tolerance=1e-12)
    assert steps.hashprice_usd_per_ph_day == pytest.approx(fixed.hashprice_usd_per_ph_day, rel=1e-11)


STEPS = st.lists(st.tuples(st.floats(0.01, 1000.0), st.floats(0.0, 300.0)), max_size=6)


@given(supplies(), st.floats(1e3, 1e9), STEPS, STARTS)
def test_every_step_runs_as_its_break_even_asks(
    supply: HashSupply, revenue: float, steps: list[tuple[float, float]], start: float
) -> None:
    found = settle(revenue, supply, steps, start=start)
    assert found.converged
    assert found.rounds <= 20
    hashprice = found.hashprice_usd_per_ph_day
    near = 1e-5 * hashprice
    runs = sum(size for threshold, size in steps if threshold < hashprice - near)
    may_run = sum(size for threshold, size in steps if threshold <= hashprice + near)
    assert runs * (1.0 - 1e-9) <= found.own_ehs <= may_run * (1.0 + 1e-9)
    assert found.network_ehs == pytest.approx(revenue / (1000.0 * hashprice), rel=1.1e-6)
    assert found.others_ehs == pytest.approx(float(supply.hashrate_ehs(hashprice)), rel=1e-9, abs=1e-12)
    if found.marginal_step is None:
        assert found.marginal_share is None
    else:
        assert hashprice == steps[found.marginal_step][0]
        assert found.marginal_share is not None
        assert 0.0 < found.marginal_share <= 1.0


# --- months and faults ---------------------------------------------------------------------------------


def test_months_of_a_year_settle_where_they_were() -> None:
    year = load_history().monthly(2025)
    worlds = [
        world_supply(2025, hashrate_ehs=hashrate, hashprice_usd_per_ph_day=revenue / (1000.0 * hashrate))
        for hashrate, revenue in zip(
            year.hashrate_ehs.tolist(), year.revenue_usd_per_day.tolist(), strict=True
        )
    ]
    without = settle_months(year.revenue_usd_per_day, worlds, [0.0] * 12)
    assert [month.network_ehs for month in without] == pytest.approx(year.hashrate_ehs.tolist(), rel=1e-6)
    fleets: list[float | list[tuple[float, float]]] = [OWN] * 11 + [[(1.0, OWN)]]
    found = settle_months(year.revenue_usd_per_day, worlds, fleets)
    assert all(month.converged and month.own_ehs == OWN for month in found)
    assert found[3] == settle(float(year.revenue_usd_per_day[3]), worlds[3], OWN)
    with pytest.raises(BitcoinError, match="they have 12, 12 and 1"):
        settle_months(year.revenue_usd_per_day, worlds, [OWN])


def test_all_faults_at_once() -> None:
    with pytest.raises(BitcoinError) as caught:
        settle(0.0, staircase(), [(0.0, 1.0), (1.0, -1.0)], start=-1.0, tolerance=math.nan, rounds=0)
    assert [fault.place for fault in caught.value.faults] == [
        "revenue_usd_per_day",
        "start",
        "tolerance",
        "rounds",
        "own, step 0, hashprice",
        "own, step 1, hashrate",
    ]
    with pytest.raises(BitcoinError, match=r"own: must be a number of at least 0 \[EH/s\]"):
        settle(1.0, staircase(), math.nan)


# --- the effect of 2,000 MW ----------------------------------------------------------------------------


def test_effect_on_2026_09_25() -> None:
    assert pytest.approx(40.9, abs=0.05) == HASHPRICE
    assert pytest.approx(114.29, abs=0.005) == OWN
    effect = own_effect(REVENUE, snapshot_supply(), OWN)
    assert effect.converged
    assert effect.hashprice_before == pytest.approx(HASHPRICE, rel=1e-6)
    # By arithmetic: 114.29 / (114.29 + 929.6).
    assert effect.share_without_response == pytest.approx(0.1095, abs=5e-5)
    assert effect.fall_without_response == pytest.approx(effect.share_without_response, rel=1e-5)
    assert effect.hashprice_without_response == pytest.approx(HASHPRICE * 929.6 / (929.6 + OWN), rel=1e-6)
    assert 0.0 < effect.fall < effect.fall_without_response
    assert effect.income_lost_usd_per_day == pytest.approx(1000.0 * OWN * HASHPRICE * effect.fall, rel=1e-5)
    assert effect.share > effect.share_without_response
    assert effect.share == pytest.approx(OWN / (OWN + HASHRATE - effect.others_left_ehs), rel=1e-5)
    # To first order the fall is share / (1 + elasticity), with share = own / others.
    elasticity = float(snapshot_supply().elasticity(HASHPRICE))
    assert effect.fall == pytest.approx(OWN / HASHRATE / (1.0 + elasticity), rel=0.1)


def test_no_fleet_no_effect() -> None:
    effect = own_effect(REVENUE, snapshot_supply(), 0.0)
    assert (effect.fall, effect.share, effect.income_lost_usd_per_day) == (0.0, 0.0, 0.0)


# --- the page ------------------------------------------------------------------------------------------

NAMES = {
    "fleet_efficiency_j_per_th": "mean of the world's machines, {:g} or {:g} J/TH",
    "power_cost_median_usd_per_mwh": "their median power cost, {:g} or {:g} USD/MWh",
    "power_cost_spread": "its spread, {:g} or {:g}",
    "overhead_share": "their overhead, {:g} or {:g}",
    "pool_fee_share": "their pool fee, {:g} or {:g}",
}


def effect_row(name: str, effect: OwnEffect) -> str:
    return row(
        name,
        f"{effect.hashprice_after:.1f}",
        f"{100.0 * effect.fall:.1f}",
        f"{100.0 * effect.share:.1f}",
        f"{effect.others_left_ehs:.0f}",
        f"{effect.income_lost_usd_per_day * 365.0 / 1e6:.0f}",
    )


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def effect_rows() -> list[str]:
    found = supply_range(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)
    central = own_effect(REVENUE, found.central, OWN)
    lost = central.income_lost_without_response_usd_per_day * 365.0 / 1e6
    rows = [
        row(
            "nobody leaves",
            f"{central.hashprice_without_response:.1f}",
            f"{100.0 * central.fall_without_response:.1f}",
            f"{100.0 * central.share_without_response:.1f}",
            "0",
            f"{lost:.0f}",
        ),
        effect_row("others answer, values used", central),
    ]
    for field, ends in found.each.items():
        values = [getattr(end.assumptions, field) for end in ends]
        effects = [own_effect(REVENUE, end, OWN) for end in ends]
        assert all(effect.converged for effect in effects)
        low, high = (effect_row("", effect).split("|")[2:-1] for effect in effects)
        cells = [f"{first.strip()} or {second.strip()}" for first, second in zip(low, high, strict=True)]
        rows.append(row(NAMES[field].format(*values), *cells))
    return rows


def size_rows() -> list[str]:
    found = supply_range(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)
    rows = []
    for megawatts in (100.0, 500.0, 1000.0, 2000.0):
        own = megawatts / 17.5
        central, least, most = (
            own_effect(REVENUE, supply, own) for supply in (found.central, found.least, found.most)
        )
        rows.append(
            row(
                f"{megawatts:,.0f}",
                f"{own:.1f}",
                f"{100.0 * central.fall_without_response:.1f}",
                f"{100.0 * central.fall:.1f}",
                f"{100.0 * most.fall:.1f} to {100.0 * least.fall:.1f}",
            )
        )
    return rows


def month_of(month: str) -> tuple[float, float]:
    """Mean hashrate [EH/s] of a month and its hashprice without fees [USD/(PH/s·day)]."""
    history = load_history()
    days = history.date.astype("datetime64[M]") == np.datetime64(month)
    usd = float((history.issuance_satoshi[days] / 1e8 * history.price_usd[days]).mean())
    hashrate = float(history.hashrate_ehs[days].mean())
    return hashrate, usd / (1000.0 * hashrate)


def record_row() -> str:
    (before, high), (after, low) = month_of("2025-10"), month_of("2026-03")
    found = supply_range(2025, hashrate_ehs=before, hashprice_usd_per_ph_day=high)
    central, least, most = (
        float(supply.hashrate_ehs(low)) for supply in (found.central, found.least, found.most)
    )
    return row(
        f"{high:.1f} to {low:.1f}",
        f"{before:,.0f}",
        f"{after:,.0f}",
        f"{central:,.0f}",
        f"{most:,.0f} to {least:,.0f}",
    )


def elasticity_sentence() -> str:
    found = supply_range(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)
    central, least, most = (
        float(supply.elasticity(HASHPRICE)) for supply in (found.central, found.least, found.most)
    )
    return (
        f"1 % more hashprice brings in {central:.2f} % more hashrate ({least:.2f} to {most:.2f}); "
        f"installed are {found.central.capacity_ehs:,.0f} EH/s ({found.least.capacity_ehs:,.0f} to "
        f"{found.most.capacity_ehs:,.0f})."
    )


def headline() -> list[str]:
    found = supply_range(2026, hashrate_ehs=HASHRATE, hashprice_usd_per_ph_day=HASHPRICE)
    central, least, most = (
        own_effect(REVENUE, supply, OWN) for supply in (found.central, found.least, found.most)
    )
    falls = [100.0 * effect.fall for effect in (central, most, least)]
    lost = [effect.income_lost_usd_per_day * 365.0 / 1e6 for effect in (central, most, least)]
    alone = central.income_lost_without_response_usd_per_day * 365.0 / 1e6
    return [
        f"about {falls[0]:.0f} %, with a range of {falls[1]:.0f} to {falls[2]:.0f} %; "
        f"by {100.0 * central.fall_without_response:.0f} % if nobody else stops",
        f"{lost[0]:.0f} M USD a year ({lost[1]:.0f} to {lost[2]:.0f}; {alone:.0f} if nobody stops)",
    ]


def test_page_has_the_figures() -> None:
    page = PAGE.read_text("utf-8")
    flat = " ".join(page.split())
    missing = [line for line in (*effect_rows(), *size_rows(), record_row()) if line not in page]
    assert missing == []
    assert [text for text in (elasticity_sentence(), *headline()) if text not in flat] == []
    energy = [network_energy_twh_per_year(559.0, 28.2), network_energy_twh_per_year(929.3, 28.2)]
    energy += [network_energy_twh_per_year(929.3, efficiency) for efficiency in (22.5, 19.0)]
    for value in energy:
        assert f"{value:.0f} TWh" in page
    assert len(page.splitlines()) < 120


def test_equilibrium_is_frozen() -> None:
    found = settle(1e7, staircase(), 0.0)
    assert isinstance(found, Equilibrium)
    with pytest.raises(AttributeError):
        found.rounds = 0  # type: ignore[misc]
