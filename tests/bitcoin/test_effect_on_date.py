"""The effect of a fleet on a date's hashprice."""

from __future__ import annotations

import math

import pytest

from penstock.bitcoin.effect_on_date import own_effect_on
from penstock.errors import BitcoinError


def test_the_range_holds_the_value_and_grows_with_the_fleet() -> None:
    small = own_effect_on("2026-09-25", 200.0, 20.0).ranged(lambda effect: effect.fall)
    large = own_effect_on("2026-09-25", 2000.0, 20.0).ranged(lambda effect: effect.fall)
    # Without an answer of the others: 10 and 100 EH/s more on 929.6.
    assert 0.0 < small.low < small.value < small.high < 10.0 / 939.6
    assert 0.0 < large.low < large.value < large.high < 100.0 / 1029.6
    assert small.high < large.low


def test_hashrate_follows_from_power_efficiency_and_overhead() -> None:
    effect = own_effect_on("2026-09-25", 126.0, 20.0, overhead_share=0.05, basis="difficulty")
    assert effect.own_ehs == pytest.approx(6.0, rel=1e-12)
    assert effect.hashprice.basis == "difficulty"
    assert effect.central.hashprice_before == pytest.approx(effect.hashprice.usd_per_ph_day, rel=1e-6)


def test_every_number_outside_its_limits_is_named() -> None:
    with pytest.raises(BitcoinError) as caught:
        own_effect_on("2026-09-25", 0.0, math.nan, overhead_share=-0.1)
    assert [(fault.place, fault.value) for fault in caught.value.faults] == [
        ("mw", "0"),
        ("efficiency_j_per_th", "nan"),
        ("overhead_share", "-0.1"),
    ]
