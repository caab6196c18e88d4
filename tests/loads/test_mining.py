"""What a MWh of mining is worth, and the bids that follow."""

from __future__ import annotations

import pytest

from penstock.loads.mining import break_even_usd_per_mwh, mining_bids

# On 2026-09-25 a PH/s earned 40.9 USD a day. At 17.5 J/TH it took 24 x 17.5 = 420 kWh for that: 97.4 USD/MWh.
PUBLISHED = [(13.5, 126.0), (17.5, 97.0), (29.5, 58.0)]


@pytest.mark.parametrize(("efficiency", "expected"), PUBLISHED)
def test_break_even_at_the_published_snapshot(efficiency: float, expected: float) -> None:
    value = break_even_usd_per_mwh(40.9, efficiency, overhead_share=0.0, pool_fee_share=0.0)
    assert value == pytest.approx(expected, rel=0.01)


def test_overhead_takes_energy_and_the_fee_takes_income() -> None:
    # 42 x 0.98 = 41.16 USD a day for 24 x 17.5 x 1.05 = 441 kWh.
    value = break_even_usd_per_mwh(42.0, 17.5, overhead_share=0.05, pool_fee_share=0.02)
    assert value == pytest.approx(41.16 / 0.441, rel=1e-12)


def test_interruptible_mining_bids_the_tariff() -> None:
    bids = mining_bids({"NORTH": 30.0, "SOUTH": 70.0}, value_usd_per_mwh=112.0, tariff_usd_per_mwh=80.0)
    assert [(bid.name, bid.zone, bid.quantity, bid.value) for bid in bids] == [
        ("mining NORTH", "NORTH", 30.0, 80.0),
        ("mining SOUTH", "SOUTH", 70.0, 80.0),
    ]


def test_mining_below_the_tariff_does_not_come() -> None:
    (bid,) = mining_bids({"NORTH": 30.0}, value_usd_per_mwh=79.99, tariff_usd_per_mwh=80.0)
    assert (bid.name, bid.quantity, bid.value) == ("mining NORTH", 0.0, 79.99)
    (bid,) = mining_bids({"NORTH": 30.0}, value_usd_per_mwh=80.0, tariff_usd_per_mwh=80.0)
    assert (bid.quantity, bid.value) == (30.0, 80.0)


def test_firm_mining_bids_the_firm_price_and_still_needs_its_value() -> None:
    (bid,) = mining_bids(
        {"NORTH": 30.0}, value_usd_per_mwh=112.0, tariff_usd_per_mwh=80.0, firm_price_usd_per_mwh=3000.0
    )
    assert (bid.quantity, bid.value) == (30.0, 3000.0)
    (bid,) = mining_bids(
        {"NORTH": 30.0}, value_usd_per_mwh=70.0, tariff_usd_per_mwh=80.0, firm_price_usd_per_mwh=3000.0
    )
    assert bid.quantity == 0.0
