"""Forms of a tariff: flat, two-part and hourly, for the same offer.

Two-part: energy at the marginal floor, and a charge for every kW offered, run or not, that brings in the
capacity payments which the flat tariff of the same recovery would spread over the energy taken. Hourly:
energy at the price of the zone in the hour, and the same charge. Each load takes a MWh where it is worth more
to it than the energy price; whether it signs shows in its margin after the charge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from penstock.accounts import keep_books
from penstock.market import Bid, Clearing, clear
from penstock.market.system import FloatArray, IntArray
from penstock.programme import Programme
from penstock.programme.decision import highest_bid
from penstock.programme.operate import Operation
from penstock.programme.parts import Part
from penstock.programme.recovery import recovery
from penstock.study.bills import change_per_kwh, home_weight, served_mwh
from penstock.study.prepared import add_programme

from .trials import Trials

__all__ = ["TariffForm", "compare_forms"]

_KW_PER_MW = 1000.0
_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffForm:
    """A year of the programme under one form of tariff.

    energy_price_per_kwh: what energy costs, mean over what is taken. [currency/kWh]
    charge_per_kw_month: for every kW offered. [currency/(kW·month)]
    energy_gwh: taken. [GWh] payment_usd, added_cost_usd: [USD]
    paid_per_kwh: all that it pays over all that it takes. [currency/kWh]
    consumer_change_per_kwh: of all others under pooled billing. [currency/kWh]
    full_shortfall_per_kwh: full cost with capacity by energy, less what it pays. [currency/kWh]
    mining_margin_usd, ai_margin_usd: worth of what each takes less what it pays; a load that loses does not
        sign. [USD]
    """

    form: str
    title: str
    energy_price_per_kwh: float
    charge_per_kw_month: float
    energy_gwh: float
    payment_usd: float
    paid_per_kwh: float
    added_cost_usd: float
    consumer_change_per_kwh: float
    full_shortfall_per_kwh: float
    mining_margin_usd: float
    ai_margin_usd: float


def compare_forms(
    trials: Trials, programme: Programme, *, floor_per_kwh: float, full_floor_per_kwh: float
) -> tuple[TariffForm, ...]:
    """The programme at its flat tariff, at the flat full floor, in two parts and by the hour.

    floor_per_kwh, full_floor_per_kwh: marginal, and full per kWh. [the country's currency/kWh]
    """
    charge = _charge(trials, full_floor_per_kwh - floor_per_kwh)
    flat = add_programme(trials.prepared, programme)
    rows = [
        _form(trials, programme, flat, "flat", "Flat, the programme's own", 0.0),
        _flat_at(trials, programme, full_floor_per_kwh, "flat_full", "Flat, at the full cost per kWh", 0.0),
        _flat_at(trials, programme, floor_per_kwh, "two_part", "Two parts: energy at the floor", charge),
        _form(trials, programme, _hourly(trials, flat), "hourly", "By the hour, and a charge", charge),
    ]
    return tuple(rows)


def _charge(trials: Trials, capacity_per_kwh: float) -> float:
    """What a kW pays a month, so that one that runs all year pays that much per kWh. [currency/(kW·month)]"""
    return capacity_per_kwh * len(trials.prepared.hours.month) / _MONTHS


def _flat_at(
    trials: Trials, programme: Programme, tariff_per_kwh: float, form: str, title: str, charge: float
) -> TariffForm:
    chosen = replace(programme, tariff_per_kwh=tariff_per_kwh)
    return _form(trials, chosen, add_programme(trials.prepared, chosen), form, title, charge)


@dataclass(frozen=True, slots=True, eq=False)
class _Hourly:
    """A clearing in which every part bids what a MWh is worth to it."""

    clearing: Clearing
    parts: tuple[Part, ...]
    hashprice: FloatArray


def _hourly(trials: Trials, flat: Operation) -> _Hourly:
    """Every part at its own worth, at the hashprice of the flat tariff; deferral is left to the loads."""
    plan, month = flat.plan, trials.prepared.hours.month - 1
    parts = tuple(part for part in plan.parts if not part.late)
    most = highest_bid(plan)
    bids = [
        Bid(
            part.name,
            part.zone,
            part.offered,
            np.minimum(part.value(flat.answer.hashprice)[month], most),
        )
        for part in parts
    ]
    return _Hourly(clear(trials.prepared.system, bids), parts, flat.answer.hashprice)


def _form(
    trials: Trials,
    programme: Programme,
    done: Operation | _Hourly,
    form: str,
    title: str,
    charge_per_kw_month: float,
) -> TariffForm:
    country, prepared = trials.country, trials.prepared
    clearing = done.clearing
    taken = clearing.accepted
    if isinstance(done, _Hourly):
        parts: Sequence[Part] = done.parts
        hashprice = done.hashprice
        zones = clearing.system.zone_index(part.zone for part in parts)
        price = clearing.price[:, zones]
    else:
        parts, hashprice = done.plan.parts, done.answer.hashprice
        price = np.full_like(taken, done.plan.tariff)
    energy_usd = (price * taken).sum(axis=0)
    to_usd = 1.0 / country.usd_rate
    offered = {"mining": programme.mw * programme.mining_share}
    offered["ai"] = programme.mw - offered["mining"]
    charges = {
        load: megawatts * _KW_PER_MW * charge_per_kw_month * _MONTHS * to_usd
        for load, megawatts in offered.items()
    }
    margins = _margins(prepared.hours.month, parts, hashprice, taken, energy_usd)
    total, energy = float(taken.sum()), float(energy_usd.sum())
    payment, added = energy + sum(charges.values()), clearing.cost - trials.base.cost
    books = keep_books(country, clearing, prepared.hours.month)
    found = recovery(
        trials.base,
        clearing,
        prepared.hours.month,
        capacity_usd=books.capacity_payment_usd,
        pool_energy_mwh=books.pool_energy_gwh * 1000.0,
        peak_zones=home_weight(country),
    )
    return TariffForm(
        form=form,
        title=title,
        energy_price_per_kwh=change_per_kwh(country, energy, total),
        charge_per_kw_month=charge_per_kw_month,
        energy_gwh=total / 1000.0,
        payment_usd=payment,
        paid_per_kwh=change_per_kwh(country, payment, total),
        added_cost_usd=added,
        consumer_change_per_kwh=change_per_kwh(country, added - payment, served_mwh(country, clearing)),
        full_shortfall_per_kwh=change_per_kwh(country, found.full_per_kwh * total - payment, total),
        mining_margin_usd=margins["mining"] - charges["mining"],
        ai_margin_usd=margins["ai"] - charges["ai"],
    )


def _margins(
    month: IntArray, parts: Sequence[Part], hashprice: FloatArray, taken: FloatArray, energy_usd: FloatArray
) -> dict[str, float]:
    """Worth of what each load takes less what it pays for the energy. [USD]"""
    margins = {"mining": 0.0, "ai": 0.0}
    for index, part in enumerate(parts):
        worth = float((part.value(hashprice)[month - 1] * taken[:, index]).sum())
        margins[part.load] += worth - float(energy_usd[index])
    return margins
