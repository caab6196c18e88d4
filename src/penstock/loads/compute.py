"""AI compute: what a MWh earns, and the bids of a data centre."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.market.bid import Bid

__all__ = ["compute_bids", "value_usd_per_mwh"]


def value_usd_per_mwh(
    rent_usd_per_gpu_hour: float,
    *,
    gpus_per_node: float,
    node_power_kw: float,
    pue: float,
    rented_share: float,
    value_share: float,
) -> float:
    """What a MWh at the meter of a data centre is worth to it in the short run. [USD/MWh]

    rent_usd_per_gpu_hour: rent of one GPU. [USD/(GPU·h)]
    gpus_per_node: GPUs of one node. [1]
    node_power_kw: power of one node. [kW]
    pue: energy of the facility per energy of its nodes. [1]
    rented_share: share of the hours in which a GPU is rented out. [1]
    value_share: share of the rent that is lost when power is cut. [1]

    A node earns rent·gpus·rented_share in a mean hour and takes node_power·pue kWh at the meter, so

        value = 1000·rent·gpus·rented_share·value_share / (node_power·pue).

    The node is taken to draw its power in every hour, rented or not, which understates the value. The
    hardware is taken as bought: its price is no part of the value.
    """
    income = rent_usd_per_gpu_hour * gpus_per_node * rented_share * value_share
    return 1000.0 * income / (node_power_kw * pue)


def compute_bids(
    mw_by_zone: Mapping[str, float],
    *,
    value_usd_per_mwh: float,
    tariff_usd_per_mwh: float,
    firm_price_usd_per_mwh: float | None = None,
) -> tuple[Bid, ...]:
    """One bid per zone, named "ai <zone>", in the order of `mw_by_zone`.

    mw_by_zone: power contracted in each zone, cooling included. [MW]
    value_usd_per_mwh: what a MWh is worth to the data centre, see `value_usd_per_mwh` above. [USD/MWh]
    tariff_usd_per_mwh: what it pays. [USD/MWh]
    firm_price_usd_per_mwh: price at which a firm contract is served; None for an interruptible one. [USD/MWh]

    A data centre whose value is below the tariff does not come: quantity 0. One that comes pays the tariff
    for what it takes and bids its own value: the contract interrupts it only where a MWh costs more than it
    is worth there. A firm contract bids the firm price.
    """
    comes = value_usd_per_mwh >= tariff_usd_per_mwh
    price = value_usd_per_mwh if firm_price_usd_per_mwh is None else firm_price_usd_per_mwh
    return tuple(Bid(f"ai {zone}", zone, mw if comes else 0.0, price) for zone, mw in mw_by_zone.items())
