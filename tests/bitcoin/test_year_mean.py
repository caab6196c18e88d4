"""The mean of a year counts the days whose fees are known, and no others."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from penstock.bitcoin.history import History, monthly
from penstock.bitcoin.year_mean import mean_hashprice
from penstock.errors import BitcoinError


def two_years() -> History:
    """The last day of 2020 and three days of 2021, the second of these without fees."""
    return History(
        date=np.array(["2020-12-31", "2021-01-01", "2021-01-02", "2021-01-03"], dtype="datetime64[D]"),
        price_usd=np.array([9.0, 20_000.0, 7.0, 40_000.0]),
        hashrate_ehs=np.array([1.0, 100.0, 5.0, 200.0]),
        difficulty=np.array([1.0, 10.0, 3.0, 30.0]),
        issuance_satoshi=np.array([1, 900, 5, 800]) * 100_000_000,
        fees_satoshi=np.array([1, 100 * 100_000_000, -1, 0]),
        subsidy_satoshi=np.full(4, 625_000_000),
        blocks=np.full(4, 144.0),
        snapshots=MappingProxyType({}),
    )


def test_days_without_fees_and_of_other_years_are_left_out() -> None:
    mean = mean_hashprice(2021, two_years())
    assert (mean.year, mean.days) == (2021, 2)
    # 1,000 BTC at 20,000 USD over 100,000 PH/s is 200; 800 BTC at 40,000 USD over 200,000 PH/s is 160.
    assert mean.usd_per_ph_day == pytest.approx(180.0, rel=1e-12)
    assert (mean.price_usd, mean.hashrate_ehs, mean.difficulty) == (30_000.0, 150.0, 20.0)
    assert mean.reward_satoshi_per_day == 900 * 100_000_000


def test_a_year_without_days_is_refused() -> None:
    with pytest.raises(BitcoinError, match=r"years on record: from 2020 to 2021 \(value: '2022'\)"):
        mean_hashprice(2022, two_years())


def test_it_is_the_mean_of_the_months_by_their_days() -> None:
    months = monthly(2025)
    mean = mean_hashprice(2025)
    assert mean.days == months.days.sum()
    expected = np.average(months.hashprice_usd_per_ph_day, weights=months.days)
    assert mean.usd_per_ph_day == pytest.approx(float(expected), rel=1e-12)
