"""What a MWh of AI compute is worth, and the bids that follow."""

from __future__ import annotations

import pytest

from penstock.loads.compute import compute_bids, value_usd_per_mwh


def test_value_of_a_node_rented_all_the_time() -> None:
    # 8 GPUs x 2.50 USD = 20 USD in an hour in which the node takes 8 kW x 1.25 = 10 kWh: 2 USD/kWh.
    value = value_usd_per_mwh(
        2.5, gpus_per_node=8, node_power_kw=8.0, pue=1.25, rented_share=1.0, value_share=1.0
    )
    assert value == pytest.approx(2000.0, rel=1e-12)


def test_rented_hours_and_the_share_that_is_lost_scale_it() -> None:
    # 60 % of the 20 USD, a quarter of which is lost with the power: 3 USD for 10 kWh.
    value = value_usd_per_mwh(
        2.5, gpus_per_node=8, node_power_kw=8.0, pue=1.25, rented_share=0.6, value_share=0.25
    )
    assert value == pytest.approx(300.0, rel=1e-12)


def test_interruptible_compute_bids_its_own_value() -> None:
    bids = compute_bids({"NORTH": 30.0, "SOUTH": 70.0}, value_usd_per_mwh=415.0, tariff_usd_per_mwh=80.0)
    assert [(bid.name, bid.zone, bid.quantity, bid.value) for bid in bids] == [
        ("ai NORTH", "NORTH", 30.0, 415.0),
        ("ai SOUTH", "SOUTH", 70.0, 415.0),
    ]


def test_compute_below_the_tariff_does_not_come() -> None:
    (bid,) = compute_bids({"NORTH": 30.0}, value_usd_per_mwh=79.0, tariff_usd_per_mwh=80.0)
    assert (bid.name, bid.quantity, bid.value) == ("ai NORTH", 0.0, 79.0)


def test_firm_compute_bids_the_firm_price() -> None:
    (bid,) = compute_bids(
        {"NORTH": 30.0}, value_usd_per_mwh=415.0, tariff_usd_per_mwh=80.0, firm_price_usd_per_mwh=3000.0
    )
    assert (bid.quantity, bid.value) == (30.0, 3000.0)
