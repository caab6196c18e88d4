"""Bitcoin mining: what a MWh earns, and the bids of a fleet."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.market.bid import Bid

__all__ = ["break_even_usd_per_mwh", "mining_bids"]


def break_even_usd_per_mwh(
    hashprice_usd_per_ph_day: float,
    efficiency_j_per_th: float,
    *,
    overhead_share: float,
    pool_fee_share: float,
) -> float:
    """Price of energy at which mining earns nothing. [USD/MWh]

    hashprice_usd_per_ph_day: income of 1 PH/s in a day, subsidy and fees. [USD/(PH/s·day)]
    efficiency_j_per_th: energy of the machines per hash. [J/TH]
    overhead_share: cooling and auxiliaries as a share of the machines' power. [1]
    pool_fee_share: share of the income that the pool keeps. [1]

    1 PH/s is 1,000 TH/s; at e J/TH it draws 1,000·e W = e kW, and with its overhead o it takes
    24·e·(1 + o) kWh a day. The income left after the fee f, h·(1 − f), over that energy in MWh gives

        value = 1000·h·(1 − f) / (24·e·(1 + o)).

    The machines are taken as bought: their price is no part of the value.
    """
    income = hashprice_usd_per_ph_day * (1.0 - pool_fee_share)
    energy_kwh = 24.0 * efficiency_j_per_th * (1.0 + overhead_share)
    return 1000.0 * income / energy_kwh


def mining_bids(
    mw_by_zone: Mapping[str, float],
    *,
    value_usd_per_mwh: float,
    tariff_usd_per_mwh: float,
    firm_price_usd_per_mwh: float | None = None,
) -> tuple[Bid, ...]:
    """One bid per zone, named "mining <zone>", in the order of `mw_by_zone`.

    mw_by_zone: power contracted in each zone, its overhead included. [MW]
    value_usd_per_mwh: what a MWh earns the miner, see `break_even_usd_per_mwh`. [USD/MWh]
    tariff_usd_per_mwh: what the miner pays. [USD/MWh]
    firm_price_usd_per_mwh: price at which a firm contract is served; None for an interruptible one. [USD/MWh]

    A miner whose value is below the tariff does not come: quantity 0. One that comes bids the tariff: the
    contract lets the operator stop it where serving it costs more than it pays. (Its value is no less than
    the tariff, so this is the lesser of the two.) A firm contract bids the firm price.
    """
    comes = value_usd_per_mwh >= tariff_usd_per_mwh
    price = min(value_usd_per_mwh, tariff_usd_per_mwh)
    if firm_price_usd_per_mwh is not None:
        price = firm_price_usd_per_mwh
    return tuple(Bid(f"mining {zone}", zone, mw if comes else 0.0, price) for zone, mw in mw_by_zone.items())
