"""How consumption answers prices, by rule and beside published elasticities."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import FleetError
from penstock.loads.elasticity import (
    demand_mw,
    lognormal_prices,
    mean_demand_mw,
    price_elasticity,
    texas_check,
)
from penstock.loads.mining import default_fleet, fleet_of, mining_parameters, mining_tables

FREE = {"overhead_air_share": 0.0, "pool_fee_share": 0.0}
NEW_SITE = default_fleet(100.0)


def test_demand_steps_down_at_each_break_even() -> None:
    # An S21 at 42 USD/PH/day: 100 USD/MWh as a whole; 67.3 % of the power for 80 % of the hashrate makes
    # 100 x 0.8 / 0.673 = 118.9 and 100 x 0.2 / 0.327 = 61.2 USD/MWh.
    fleet = fleet_of({"s21": 1.0}, 100.0, values=FREE)
    prices = [-20.0, 61.1, 61.2, 118.8, 118.9, 5000.0]
    np.testing.assert_allclose(demand_mw(fleet, prices, 42.0), [100.0, 100.0, 67.3, 67.3, 0.0, 0.0])
    assert mean_demand_mw(fleet, prices, 42.0) == pytest.approx((200.0 + 2 * 67.3) / 6.0)


def test_price_at_the_break_even_is_still_paid() -> None:
    fleet = fleet_of({"s21": 1.0}, 100.0, values=FREE)
    low, _ = fleet.blocks()
    assert demand_mw(fleet, low.break_even_usd_per_mwh(42.0), 42.0) == pytest.approx(67.3)


@given(
    prices=st.lists(st.floats(0.0, 500.0), min_size=1, max_size=30),
    dearer=st.floats(0.0, 100.0),
    hashprice=st.floats(0.0, 300.0),
    richer=st.floats(0.0, 100.0),
)
def test_dearer_power_never_raises_demand_and_a_higher_hashprice_never_lowers_it(
    prices: list[float], dearer: float, hashprice: float, richer: float
) -> None:
    now = demand_mw(NEW_SITE, prices, hashprice)
    assert (demand_mw(NEW_SITE, np.add(prices, dearer), hashprice) <= now).all()
    assert (demand_mw(NEW_SITE, prices, hashprice + richer) >= now).all()


def test_elasticity_is_that_of_the_lognormal_density() -> None:
    # One block, break-even v: D = F(v), so the elasticity is -phi(z)/(s F(v)), z = (ln v - m)/s.
    fleet = fleet_of({"s23": 1.0}, 100.0, values=FREE)  # 11 J/TH, no low-power mode: 1000 x 26.4 / 264 = 100
    (block,) = fleet.blocks()
    assert block.break_even_usd_per_mwh(26.4) == pytest.approx(100.0)
    mean, spread = 66.7, 1.1
    z = (math.log(100.0) - math.log(mean) + spread**2 / 2.0) / spread
    normal = NormalDist()
    expected = -normal.pdf(z) / (spread * normal.cdf(z))
    prices = lognormal_prices(mean, spread, quantiles=200_000)
    assert price_elasticity(fleet, prices, 26.4, step_share=0.01) == pytest.approx(expected, rel=2e-3)


def test_elasticity_where_nothing_changes_or_nothing_is_left() -> None:
    fleet = fleet_of({"s23": 1.0}, 100.0, values=FREE)
    assert price_elasticity(fleet, [10.0, 20.0], 26.4) == 0.0
    assert price_elasticity(fleet, [100.0], 26.4) == -math.inf
    assert math.isnan(price_elasticity(fleet, [500.0], 26.4))


@given(hashprice=st.floats(20.0, 400.0), mean=st.floats(20.0, 100.0), spread=st.floats(0.3, 1.5))
def test_elasticity_is_never_above_nothing(hashprice: float, mean: float, spread: float) -> None:
    prices = lognormal_prices(mean, spread, quantiles=500)
    assert price_elasticity(NEW_SITE, prices, hashprice) <= 0.0


def test_lognormal_prices_have_their_mean_and_spread() -> None:
    prices = lognormal_prices(66.7, 1.0, quantiles=100_000)
    assert prices.mean() == pytest.approx(66.7, rel=2e-3)
    assert np.log(prices).std() == pytest.approx(1.0, rel=1e-3)
    assert (np.diff(prices) > 0.0).all()
    assert not prices.flags.writeable


def test_lognormal_prices_are_quantiles_in_the_middle_of_equal_parts() -> None:
    # Two parts: the quartiles, exp(m -/+ 0.67449 s) with m = ln 66.7 - s^2/2.
    middle = math.log(66.7) - 0.5
    expected = [math.exp(middle - 0.6744898), math.exp(middle + 0.6744898)]
    np.testing.assert_allclose(lognormal_prices(66.7, 1.0, quantiles=2), expected, rtol=1e-6)


def test_spread_puts_half_of_the_cost_into_1200_hours() -> None:
    spread = mining_parameters()["texas_price_log_spread"].value
    prices = lognormal_prices(66.7, spread)
    assert prices[-1200:].sum() / prices.sum() == pytest.approx(0.5, abs=0.01)


def test_hashprices_of_the_check_give_the_published_elasticities() -> None:
    # Columns 3 (matched hours) and 2 (all hours) of table 1 of the study; hashprice over 150 USD/PH/day.
    for row in mining_tables()["texas_check"]:
        log = math.log(row["hashprice_usd_per_ph_day"] / 150.0)
        assert -0.3050 + 0.5311 * log == pytest.approx(row["elasticity"], abs=1e-3)
        assert -0.1154 + 0.2359 * log == pytest.approx(row["elasticity_all_hours"], abs=1e-3)
    assert mining_parameters()["texas_responding_price_usd_per_mwh"].value == pytest.approx(
        75.0 * math.exp(-0.3030 / 0.5311), abs=0.05
    )


def test_model_has_the_sign_the_order_and_the_size_of_the_study() -> None:
    rows = texas_check()
    assert [(row.percentile, row.published) for row in rows] == [(25, -0.5), (50, -0.3), (75, 0.0)]
    for found in ([row.responding for row in rows], [row.all_hours for row in rows]):
        assert found[0] < found[1] < found[2] < 0.0
    for row in rows:
        assert row.low <= row.responding <= row.high
        # Within the study's steps of 0.2 between percentiles; over all hours within half of one.
        assert abs(row.responding - row.published) < 0.2
        assert abs(row.all_hours - row.published_all_hours) < 0.1
    # The published figure lies in the model's range at the lower two; the model never reaches 0.
    assert [row.low <= row.published <= row.high for row in rows] == [True, True, False]


@pytest.mark.parametrize(
    ("prices", "hashprice", "message"),
    [
        ([], 40.0, "has no prices"),
        ([10.0, math.nan, math.inf], 40.0, "has 2 prices that are no finite numbers"),
        ([10.0], -1.0, "hashprice_usd_per_ph_day"),
        ([10.0], math.nan, "hashprice_usd_per_ph_day"),
    ],
)
def test_bad_prices_are_refused(prices: list[float], hashprice: float, message: str) -> None:
    with pytest.raises(FleetError, match=message):
        demand_mw(NEW_SITE, prices, hashprice)


def test_bad_distribution_or_step_is_refused() -> None:
    with pytest.raises(FleetError) as caught:
        lognormal_prices(-1.0, math.nan, quantiles=0)
    assert [f.column for f in caught.value.faults] == ["mean_usd_per_mwh", "log_spread", "quantiles"]
    with pytest.raises(FleetError, match="step_share"):
        price_elasticity(NEW_SITE, [10.0], 40.0, step_share=1.0)
