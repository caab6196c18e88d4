"""Treasury policies on prices that are known, and on many paths: money is neither made nor lost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.bitcoin.paths import DailyReturns, JumpDiffusion
from penstock.errors import ReserveError
from penstock.reserve.risk import mean_of, share_of, tail_risk
from penstock.reserve.simulate import Simulation, Treasury, replay, simulate, without_trend
from penstock.reserve.treasury import TreasuryPolicy, packaged_policies
from penstock.reserve.treasury_paths import FIGURES

MONTHS = np.round((np.arange(12) + 1) * 365.0 / 12).astype(int) - 1
PRICE = 50_000.0
WILD = JumpDiffusion(0.3, 0.6, 12.0, -0.05, 0.1, 0.02)


def treasury(income: float = 1e6, cost: float = 0.0, cap: float | None = None) -> Treasury:
    return Treasury(np.full(12, income), np.full(12, cost), 1e9, PRICE, cap)


def policy(rule: Any, amount: float, **given: Any) -> TreasuryPolicy:
    return TreasuryPolicy("it", "It", rule, amount, **given)


def one(found: Simulation, name: str) -> float:
    return float(found.figures[0, 0, FIGURES.index(name)])


def run(rule: Any, amount: float, prices: Any = None, years: int = 1, **given: Any) -> Simulation:
    flat = np.full(365 * years, PRICE) if prices is None else prices
    return replay([policy(rule, amount, **given)], treasury(), flat)


# --- prices that are known -------------------------------------------------------------------------------


def test_holding_at_a_constant_price_keeps_what_came_in() -> None:
    found = run("receive", 1.0)
    assert one(found, "coins") == 12 * math.floor(1e6 / PRICE * 1e8) == 24_000_000_000
    assert one(found, "cost_basis") == one(found, "value") == 12e6
    assert one(found, "gain") == one(found, "deepest_fall") == 0.0
    assert one(found, "budget") == -12e6


def test_one_coin_a_day_buys_as_many_as_there_are_days() -> None:
    found = run("coins_a_day", 1.0, years=2)
    assert one(found, "coins") == 730 * 100_000_000
    assert one(found, "bought") == 730 * PRICE


def test_half_of_the_income_takes_half_and_the_rest_stays_in_the_budget() -> None:
    assert one(run("receive", 0.5), "coins") == 12_000_000_000


def test_a_price_that_doubles_at_the_years_end() -> None:
    prices = np.full(365, PRICE)
    prices[-1] *= 2.0
    found = run("sum_a_month", 1e6, prices)
    # Eleven purchases at the old price, and one at the new on the last day.
    assert one(found, "coins") == 11 * 2_000_000_000 + 1_000_000_000
    assert one(found, "gain") == pytest.approx(11e6)
    assert one(found, "cost_basis") == pytest.approx(12e6)


def test_the_deepest_fall_is_from_the_peak_of_the_gain() -> None:
    prices = np.full(365, PRICE)
    prices[100:200] = 2.0 * PRICE  # a coin bought on day 0 gains 50,000, and loses it again
    prices[200:] = 0.5 * PRICE
    found = run("debt", PRICE, prices, maturity_years=50)
    assert one(found, "deepest_fall") == pytest.approx(1.5 * PRICE)


def test_selling_to_cover_costs_sells_what_the_costs_need() -> None:
    flat = np.full(365, PRICE)
    given = replace(treasury(), cost_usd=np.full(12, 4e5))
    found = replay([policy("receive_and_sell", 1.0)], given, flat)
    assert one(found, "sold") == pytest.approx(12 * 4e5)
    assert one(found, "coins") == 12 * (2_000_000_000 - 800_000_000)
    dear = replay([policy("receive_and_sell", 1.0)], replace(treasury(), cost_usd=np.full(12, 5e6)), flat)
    assert one(dear, "coins") == 0.0
    assert one(dear, "sold") == pytest.approx(12e6)


def test_debt_service_by_hand() -> None:
    """A million at 12 %, two years: a coupon of 10,000 a month, repaid from coins that kept their worth."""
    found = run("debt", 1e6, years=3, coupon=0.12, maturity_years=2)
    assert one(found, "interest") == pytest.approx(24 * 10_000.0)
    assert one(found, "principal") == pytest.approx(1e6)
    assert one(found, "unpaid") == one(found, "debt") == 0.0
    assert one(found, "coins") == 0.0
    assert one(found, "gain") == pytest.approx(-240_000.0)


def test_a_debt_that_the_coins_do_not_cover_is_paid_by_the_budget() -> None:
    prices = np.full(730, PRICE)
    prices[300:] *= 0.25
    found = run("debt", 1e6, prices, coupon=0.0, maturity_years=1)
    assert one(found, "unpaid") == pytest.approx(750_000.0)
    assert one(found, "budget") == pytest.approx(-750_000.0)
    assert one(found, "gain") == pytest.approx(-750_000.0)


def test_a_margin_call_sells_down_to_the_limit() -> None:
    prices = np.full(365, PRICE)
    prices[50:] *= 0.5
    found = run("debt", 1e6, prices, own_share=1.0, maturity_years=50, ltv_limit=0.75)
    # Two millions of coins fall to one: a debt of a million is above 0.75 of it; x = (1 - 0.75) / 0.25 = all.
    assert one(found, "forced_sale") == pytest.approx(1e6)
    assert one(found, "coins") == 0.0
    less = np.full(365, PRICE)
    less[50:] *= 0.6
    found = run("debt", 1e6, less, own_share=1.0, maturity_years=50, ltv_limit=0.75)
    # 1.2 millions of coins: x = (1 - 0.9) / 0.25 = 0.4 millions; then 0.6 over 0.8 is 0.75.
    assert one(found, "forced_sale") == pytest.approx(4e5, rel=1e-6)


def test_a_cap_stops_purchases_and_not_the_price() -> None:
    capped = replay([policy("receive", 1.0, cap_share=0.005)], treasury(cap=0.005), np.full(365, PRICE))
    assert one(capped, "value") == pytest.approx(5e6)
    assert one(capped, "above_cap_days") == 0.0
    prices = np.full(365, PRICE)
    prices[200:] *= 1.5
    grown = replay([policy("receive", 1.0, cap_share=0.005)], treasury(cap=0.005), prices)
    assert one(grown, "above_cap_days") == 165
    assert one(grown, "bought") == pytest.approx(5e6)


def test_a_payout_gives_away_half_of_the_gain_and_no_gain_twice() -> None:
    prices = np.full(730, PRICE)
    prices[300:] *= 2.0
    found = run("debt", 1e6, prices, own_share=0.0, maturity_years=50, payout_share=0.5)
    assert one(found, "paid_out") == pytest.approx(5e5)
    assert one(found, "gain") == pytest.approx(1e6)


def test_a_band_buys_low_and_sells_high() -> None:
    prices = np.full(365, PRICE)
    prices[100:] *= 4.0
    found = run("band", 0.01, prices)
    assert one(found, "bought") == pytest.approx(1e7)
    assert one(found, "sold") == pytest.approx(3e7)
    assert one(found, "value") == pytest.approx(1e7)


# --- many paths ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flat() -> Simulation:
    """All policies without a trend."""
    given = Treasury(np.full(12, 8e7), np.full(12, 5e7), 1.8e10, PRICE, 0.1)
    policies = list(packaged_policies().values())
    return simulate(policies, given, without_trend(WILD), years=3, paths=20_000, seed=5)


def test_without_a_trend_nobody_gains_on_average(flat: Simulation) -> None:
    """A fair price makes every rule fair: buying and selling at it gains 0, less the coupons."""
    for found in flat.policies:
        gain = mean_of(flat.figure(found.key, "gain") + flat.figure(found.key, "interest"))
        assert gain.standard_error is not None
        assert abs(gain.value) <= 4.0 * gain.standard_error + 1e-6, found.key


def test_money_is_neither_made_nor_lost(flat: Simulation) -> None:
    for found in flat.policies:
        bought, sold, interest = (flat.figure(found.key, name) for name in ("bought", "sold", "interest"))
        borrowed = found.amount if found.rule == "debt" else 0.0
        principal, paid = flat.figure(found.key, "principal"), flat.figure(found.key, "paid_out")
        budget = borrowed + sold - bought - interest - principal - paid
        assert flat.figure(found.key, "budget") == pytest.approx(budget, rel=1e-9, abs=1.0)
        value, debt = flat.figure(found.key, "value"), flat.figure(found.key, "debt")
        assert flat.figure(found.key, "gain") == pytest.approx(
            value + budget + paid - debt, rel=1e-9, abs=10.0
        )
        assert (flat.figure(found.key, "coins") >= 0.0).all()
        assert (flat.figure(found.key, "cost_basis") >= -1e-3).all()


def test_no_bitcoin_is_nothing(flat: Simulation) -> None:
    place = [found.key for found in flat.policies].index("none")
    assert not flat.figures[:, place].any()


def test_the_growth_of_the_price_has_the_moments_of_the_process() -> None:
    years, paths = 2, 40_000
    one_coin = policy("debt", PRICE, maturity_years=50)
    found = simulate([one_coin], treasury(), WILD, years=years, paths=paths, seed=3)
    ratio = (found.figure("it", "gain") + PRICE) / PRICE
    span = (365 * years - 1) / 365.0
    mean = mean_of(ratio)
    assert mean.standard_error is not None
    assert abs(mean.value - math.exp(WILD.drift_per_year * span)) <= 4.0 * mean.standard_error
    log = np.log(ratio)
    expected = WILD.log_variance_per_year * span
    assert log.var(ddof=1) == pytest.approx(expected, rel=4.0 * math.sqrt(2.0 / paths) + 0.01)


def test_the_same_seed_gives_the_same_bits_on_one_and_two_threads() -> None:
    policies = list(packaged_policies().values())
    returns = DailyReturns(np.linspace(-0.05, 0.05, 400), np.zeros(400), 20)
    for prices in (WILD, returns):
        found = [
            simulate(policies, treasury(), prices, years=1, paths=2_500, seed=9, workers=workers)
            for workers in (1, 2)
        ]
        assert found[0].figures.tobytes() == found[1].figures.tobytes()
        assert found[0].yearly.tobytes() == found[1].yearly.tobytes()
    other = simulate(policies, treasury(), WILD, years=1, paths=2_500, seed=10)
    assert other.figures.tobytes() != found[0].figures.tobytes()


def test_fewer_paths_are_the_first_of_more() -> None:
    few, more = (
        simulate([policy("receive", 1.0)], treasury(), WILD, years=1, paths=paths, seed=2)
        for paths in (7, 3_000)
    )
    assert few.figures.tobytes() == more.figures[:7].tobytes()


def test_a_bootstrap_without_a_trend_has_none() -> None:
    chance = np.random.default_rng(4)
    returns = DailyReturns(chance.normal(0.002, 0.03, 2_000), np.zeros(2_000), 15)
    plain = without_trend(returns)
    assert isinstance(plain, DailyReturns)
    assert float(np.exp(plain.log_return).mean()) == pytest.approx(1.0)
    found = simulate(
        [policy("debt", 1e6, maturity_years=50)], treasury(), plain, years=1, paths=20_000, seed=1
    )
    gain = mean_of(found.figure("it", "gain"))
    assert gain.standard_error is not None
    assert abs(gain.value) <= 5.0 * gain.standard_error


# --- risk ------------------------------------------------------------------------------------------------


def test_value_at_risk_of_a_normal_is_the_textbook_one() -> None:
    losses = np.random.default_rng(1).normal(0.0, 1.0, 200_000)
    found = tail_risk(losses, 0.05)
    assert found.value_at_risk.standard_error is not None
    assert found.beyond.standard_error is not None
    # 1.6449 and phi(1.6449) / 0.05 = 2.0627.
    assert abs(found.value_at_risk.value - 1.6449) <= 4.0 * found.value_at_risk.standard_error
    assert abs(found.beyond.value - 2.0627) <= 4.0 * found.beyond.standard_error
    assert found.value_at_risk.standard_error == pytest.approx(
        math.sqrt(0.05 * 0.95 / 200_000) / 0.10314, rel=0.15
    )


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.floats(0.01, 0.5))
def test_what_lies_beyond_is_no_less_than_the_value_at_risk(losses: list[float], level: float) -> None:
    found = tail_risk(np.array(losses), level)
    assert found.beyond.value >= found.value_at_risk.value - 1e-6
    assert found.value_at_risk.value in losses


def test_shares_and_their_errors() -> None:
    found = share_of(np.array([True] * 30 + [False] * 70))
    assert found.value == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(math.sqrt(0.21 / 99))
    assert mean_of(np.array([1.0])).standard_error is None
    with pytest.raises(ValueError, match="level"):
        tail_risk(np.array([1.0]), 0.0)


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"rule": "hope", "amount": 1.0}, 1),
        ({"rule": "receive", "amount": 1.5}, 1),
        ({"rule": "receive", "amount": -1.0, "cap_share": 2.0, "payout_share": math.nan}, 3),
        ({"rule": "debt", "amount": 1e6, "maturity_years": 0, "ltv_limit": 1.0, "coupon": -0.1}, 3),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_all_its_faults(given: dict[str, Any], count: int) -> None:
    with pytest.raises(ReserveError) as caught:
        TreasuryPolicy(key="x", name="X", **given)
    assert len(caught.value.faults) == count


def test_a_simulation_out_of_range_is_refused_with_all_its_faults() -> None:
    with pytest.raises(ReserveError) as caught:
        simulate([], treasury(), WILD, years=0, paths=0, seed=-1, workers=0)
    assert len(caught.value.faults) == 5
    with pytest.raises(ReserveError) as caught:
        Treasury(np.full(11, 1.0), np.full(12, -1.0), 0.0, math.inf, 2.0)
    assert len(caught.value.faults) == 5
    with pytest.raises(ReserveError, match="a year of finite prices"):
        replay([policy("receive", 1.0)], treasury(), np.full(364, PRICE))
    with pytest.raises(ReserveError, match="a year of finite prices"):
        replay([policy("receive", 1.0)], treasury(), np.full(400, np.nan))
