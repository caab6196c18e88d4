"""The investor's return, against annuities worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.machines import Machine, load_machines
from penstock.errors import FleetError
from penstock.loads.fleet import Cohort, Fleet
from penstock.loads.investment import (
    InvestmentCase,
    internal_rate_of_return,
    investment_case,
    investment_range,
    investment_return,
    net_present_value,
    resale_usd_per_machine,
)
from penstock.loads.mining import default_fleet, mining_tables

# 10,000 machines of 3.5 kW: 35 MW at 17.5 J/TH, worth 100 USD/MWh at 42 USD/PH/day; 1,000 USD each.
FLEET = Fleet(
    cohorts=(
        Cohort(
            name="s21",
            machine=load_machines()["s21"],
            count=10_000.0,
            overhead_share=0.0,
            pool_fee_share=0.0,
            outage_share=0.0,
            capital_usd_per_machine=1000.0,
        ),
    ),
    notice_minutes=10.0,
    ramp_minutes=1.0,
    minimum_stop_hours=1.0,
    restart_minutes=10.0,
)
PLAIN = InvestmentCase(
    machine_life_years=3,
    site_life_years=3.0,
    discount_share_per_year=0.1,
    site_capex_usd_per_mw=0.0,
    opex_usd_per_mw_year=0.0,
    hashprice_decline_share_per_year=0.0,
    frontier_gain_share_per_year=0.0,
)


def test_return_is_that_of_the_annuity() -> None:
    # Half the hours at a margin of 60 USD/MWh: 35 MW x 4,380 h x 60 = 9.198 M USD a year for 10 M USD of
    # machines and 35 x 100,000 = 3.5 M USD of site. Over 3 years at 10 % an annuity of 1 is worth
    # (1 - 1.1^-3)/0.1 = 2.48685; the machines still fetch 1,070 USD each, their price, at the end.
    found = investment_return(
        FLEET,
        hashprice_usd_per_ph_day=42.0,
        tariff_usd_per_mwh=40.0,
        served_share=0.5,
        case=replace(PLAIN, site_capex_usd_per_mw=1e5),
    )
    assert found.capital_usd == pytest.approx(13.5e6)
    np.testing.assert_allclose(found.cash_usd, [9.198e6] * 3)
    assert found.resale_usd == pytest.approx(10.7e6)
    annuity = (1.0 - 1.1**-3) / 0.1
    assert found.net_present_usd == pytest.approx(-13.5e6 + 9.198e6 * annuity + 10.7e6 / 1.1**3)
    assert found.payback_years == pytest.approx(1.0 + 4.302 / 9.198)
    rate = found.internal_rate_share_per_year
    assert rate is not None
    assert net_present_value([-13.5e6, 9.198e6, 9.198e6, 19.898e6], rate) == pytest.approx(0.0, abs=1.0)


def test_costs_of_running_and_a_falling_hashprice() -> None:
    # Values 100, 50, 25 USD/MWh less 20: 80, 30, 5; times 35 x 8,760 MWh less 35 x 100,000 USD; the third
    # year, 1.533 M USD before costs, is closed.
    case = replace(PLAIN, hashprice_decline_share_per_year=0.5, opex_usd_per_mw_year=1e5)
    found = investment_return(FLEET, hashprice_usd_per_ph_day=42.0, tariff_usd_per_mwh=20.0, case=case)
    np.testing.assert_allclose(found.cash_usd, [24.528e6 - 3.5e6, 9.198e6 - 3.5e6, 0.0])
    by_year = investment_return(
        FLEET, hashprice_usd_per_ph_day=[42.0, 21.0, 10.5], tariff_usd_per_mwh=20.0, case=case
    )
    np.testing.assert_allclose(by_year.cash_usd, found.cash_usd)


def test_a_block_below_the_tariff_does_not_run() -> None:
    # Low power is worth 125 USD/MWh and takes 21 MW, the rest 62.5 and 14 MW: at 70 only the first runs.
    (group,) = FLEET.cohorts
    fleet = replace(FLEET, cohorts=(replace(group, low_power_share=0.6, low_hash_share=0.75),))
    found = investment_return(fleet, hashprice_usd_per_ph_day=42.0, tariff_usd_per_mwh=70.0, case=PLAIN)
    np.testing.assert_allclose(found.cash_usd, [21.0 * 8760.0 * 55.0] * 3)
    shared = investment_return(
        fleet, hashprice_usd_per_ph_day=42.0, tariff_usd_per_mwh=60.0, served_share=[0.5, 1.0], case=PLAIN
    )
    np.testing.assert_allclose(shared.cash_usd, [8760.0 * (0.5 * 21.0 * 65.0 + 14.0 * 2.5)] * 3)


def test_nothing_comes_back() -> None:
    free = replace(FLEET, cohorts=(replace(FLEET.cohorts[0], machine=worthless()),))
    found = investment_return(free, hashprice_usd_per_ph_day=42.0, tariff_usd_per_mwh=101.0, case=PLAIN)
    assert found.cash_usd.tolist() == [0.0, 0.0, 0.0]
    assert found.net_present_usd == -found.capital_usd
    assert found.internal_rate_share_per_year is None
    assert found.payback_years is None


def worthless() -> Machine:
    return replace(load_machines()["s21"], price_usd=0.0)


# 100 back after a year for 50 is 100 %; 60.5 after two years for 50 is 10 %; 25 for 50 is a loss of half.
@pytest.mark.parametrize(
    ("flows", "rate"),
    [
        ([-50.0, 100.0], 1.0),
        ([-50.0, 0.0, 60.5], 0.1),
        ([-50.0, 25.0], -0.5),
        ([-100.0, 60.0, 60.0], (0.6 + math.sqrt(0.36 + 2.4)) / 2.0 - 1.0),
    ],
)
def test_internal_rate(flows: list[float], rate: float) -> None:
    assert internal_rate_of_return(flows) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("flows", [[-50.0], [0.0, 1.0], [-50.0, 0.0, 0.0], [-1.0, 1e9]])
def test_there_may_be_no_internal_rate(flows: list[float]) -> None:
    assert internal_rate_of_return(flows) is None


@given(
    capital=st.floats(1.0, 1e9),
    back=st.lists(st.floats(0.0, 1e9), min_size=1, max_size=10).filter(lambda back: max(back) > 1.0),
)
def test_value_at_the_internal_rate_is_nothing(capital: float, back: list[float]) -> None:
    rate = internal_rate_of_return([-capital, *back])
    if rate is not None:
        assert rate > -1.0
        assert net_present_value([-capital, *back], rate) == pytest.approx(0.0, abs=1e-6 * capital)


@given(
    low=st.floats(0.0, 200.0),
    more=st.floats(0.0, 100.0),
    hashprice=st.floats(0.0, 200.0),
    richer=st.floats(0.0, 100.0),
)
def test_a_dearer_tariff_never_pays_more_and_a_higher_hashprice_never_less(
    low: float, more: float, hashprice: float, richer: float
) -> None:
    def value(hashprice: float, tariff: float) -> float:
        return investment_return(
            FLEET, hashprice_usd_per_ph_day=hashprice, tariff_usd_per_mwh=tariff, case=PLAIN
        ).net_present_usd

    assert value(hashprice, low + more) <= value(hashprice, low)
    assert value(hashprice + richer, low) >= value(hashprice, low)


def test_cases_are_in_order() -> None:
    fleet = default_fleet(100.0)
    cases = investment_range(fleet, hashprice_usd_per_ph_day=50.63, tariff_usd_per_mwh=40.0)
    assert list(cases) == ["low", "central", "high"]
    values = [found.net_present_usd for found in cases.values()]
    assert values == sorted(values)
    assert values[0] < values[1] < values[2]
    years = [len(found.cash_usd) for found in cases.values()]
    assert years == [3, 4, 5]
    by_year = investment_range(fleet, hashprice_usd_per_ph_day=[50.63] * 5, tariff_usd_per_mwh=40.0)
    assert by_year["low"].cash_usd[0] == pytest.approx(by_year["low"].cash_usd[2])


# 17.5 J/TH after n years of 15 % a year stands where 17.5 / 0.85^n does: 24.2 J/TH after two, 28.5 after
# three, 39.4 after five, 46.4 after six; 3.14, 1.18 and 0.80 USD/TH x 200 TH/s.
@pytest.mark.parametrize(
    ("years", "usd"), [(2.0, 628.0), (3.0, 236.0), (5.0, 160.0), (6.0, 160.0), (99.0, 160.0)]
)
def test_resale_follows_the_band_a_machine_has_aged_into(years: float, usd: float) -> None:
    found = resale_usd_per_machine(load_machines()["s21"], years, frontier_gain_share_per_year=0.15)
    assert found == pytest.approx(usd)


def test_resale_bands_are_those_of_the_catalogue() -> None:
    below = 0.0
    for row in mining_tables()["resale_bands"].rows[:5]:
        prices = [
            machine.price_usd / machine.hashrate_ths
            for machine in load_machines().values()
            if machine.price_usd is not None
            and machine.segment == "industrial"
            and machine.status != "announced"
            and below <= machine.efficiency_j_per_th
            and (machine.efficiency_j_per_th < row["up_to_j_per_th"] or row["up_to_j_per_th"] == 38.0)
            and machine.efficiency_j_per_th <= 38.0
        ]
        assert row["usd_per_ths"] == pytest.approx(np.median(prices), abs=0.005)
        assert row["low"] == pytest.approx(min(prices), abs=0.01)
        assert row["high"] == pytest.approx(max(prices), abs=0.01)
        below = row["up_to_j_per_th"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"machine_life_years": 2.5}, "whole number of years"),
        ({"machine_life_years": 0}, "machine_life_years"),
        ({"site_life_years": math.nan}, "site_life_years"),
        ({"discount_share_per_year": -0.1}, "discount_share_per_year"),
        ({"site_capex_usd_per_mw": -1.0}, "site_capex_usd_per_mw"),
        ({"opex_usd_per_mw_year": math.inf}, "opex_usd_per_mw_year"),
        ({"hashprice_decline_share_per_year": 1.1}, "hashprice_decline_share_per_year"),
        ({"frontier_gain_share_per_year": 0.95}, "frontier_gain_share_per_year"),
    ],
)
def test_bad_case_is_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(FleetError, match=message):
        replace(PLAIN, **changes)  # type: ignore[arg-type]


def test_faults_of_an_investment_come_together() -> None:
    with pytest.raises(FleetError) as caught:
        investment_return(
            FLEET,
            hashprice_usd_per_ph_day=[42.0, 42.0],
            tariff_usd_per_mwh=-1.0,
            served_share=[1.5],
            case=PLAIN,
        )
    assert [fault.column for fault in caught.value.faults] == [
        "hashprice_usd_per_ph_day",
        "served_share",
        "tariff_usd_per_mwh",
    ]


def test_low_case_takes_the_end_that_hurts() -> None:
    assert investment_case("low") == InvestmentCase(
        machine_life_years=3,
        site_life_years=8.0,
        discount_share_per_year=0.25,
        site_capex_usd_per_mw=832_500.0,
        opex_usd_per_mw_year=120_000.0,
        hashprice_decline_share_per_year=0.398,
        frontier_gain_share_per_year=0.2,
    )


def test_central_case_is_the_table() -> None:
    assert investment_case() == InvestmentCase(
        machine_life_years=4,
        site_life_years=15.0,
        discount_share_per_year=0.15,
        site_capex_usd_per_mw=444_500.0,
        opex_usd_per_mw_year=92_000.0,
        hashprice_decline_share_per_year=0.258,
        frontier_gain_share_per_year=0.152,
    )
