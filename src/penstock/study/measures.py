"""What the guardrails are judged on: one year's clearings without and with a programme -> readings.

Every metric of `policy.METRICS` that the inputs allow is read here; a metric without its input has no
reading, and a clause that asks for it fails.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from penstock.accounts import Books, keep_books
from penstock.country import Country
from penstock.country.hours import Hours
from penstock.market import Clearing
from penstock.market.system import FloatArray
from penstock.policy import Measures, Reading
from penstock.programme.incidence import programme_payment_usd
from penstock.programme.recovery import Recovery, recovery

from .adequacy import LOAD, Adequacy
from .bills import class_changes, home_weight, incidence, served_mwh
from .public_reserve import reserve_readings

__all__ = ["MONTHS", "Outcome", "hour_text", "measures_of", "outcome_of"]

_KWH_PER_MWH = 1000.0
_MWH_PER_GWH = 1000.0
_MWH_PER_TWH = 1e6
_MILLION = 1e6
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A year without and with a load that pays a tariff.

    tariff: what it pays. [USD/MWh]
    books: without and with it.
    recovered: what it causes, per energy it takes; None where it takes none.
    interrupted: share of what came that was interrupted, by contract. [1]
    adequacy: years of outages, the load in the case `LOAD`; None where none were drawn.
    """

    country: Country
    hours: Hours
    base: Clearing
    changed: Clearing
    tariff: float
    books: tuple[Books, Books]
    recovered: Recovery | None
    interrupted: Mapping[str, float]
    adequacy: Adequacy | None

    @property
    def payment_usd(self) -> float:
        """What the load pays in the year. [USD]"""
        return programme_payment_usd(self.changed, self.tariff)

    @property
    def added_cost_usd(self) -> float:
        """What the system's cost changes by. [USD]"""
        return self.changed.cost - self.base.cost

    @property
    def benefit_usd(self) -> float:
        """What all others gain: payment less added cost. [USD]"""
        return self.payment_usd - self.added_cost_usd

    @property
    def energy_mwh(self) -> float:
        """What the load takes. [MWh]"""
        return float(self.changed.accepted.sum())

    def per_kwh(self, usd_per_mwh: float) -> float:
        """The country's currency per kWh. [currency/kWh]"""
        return usd_per_mwh * self.country.usd_rate / _KWH_PER_MWH


def outcome_of(
    country: Country,
    hours: Hours,
    base: Clearing,
    changed: Clearing,
    tariff: float,
    *,
    interrupted: Mapping[str, float],
    adequacy: Adequacy | None,
) -> Outcome:
    """Keep the books of both clearings. Parameters as in `Outcome`."""
    books = keep_books(country, base, hours.month), keep_books(country, changed, hours.month)
    recovered = None
    if float(changed.accepted.sum()) > 0.0:
        recovered = recovery(
            base,
            changed,
            hours.month,
            capacity_usd=books[1].capacity_payment_usd,
            pool_energy_mwh=books[1].pool_energy_gwh * _MWH_PER_GWH,
            peak_zones=home_weight(country),
        )
    return Outcome(country, hours, base, changed, tariff, books, recovered, interrupted, adequacy)


def measures_of(outcome: Outcome, as_of: dt.date) -> Measures:
    """Readings by metric; docs/guardrails.md says what each one is. as_of: day that they are judged on."""
    return {
        **_cost_readings(outcome),
        **_consumer_readings(outcome),
        **_system_readings(outcome),
        **_adequacy_readings(outcome),
        **reserve_readings(outcome.country, as_of),
    }


def _cost_readings(outcome: Outcome) -> dict[str, Sequence[Reading]]:
    """What it causes less what it pays, per kWh that it takes: by year, month and hour. [currency/kWh]

    A load that takes nothing causes nothing: the readings are 0.
    """
    found = outcome.recovered
    if found is None:
        nothing = [Reading("year", 0.0)]
        keys = ("unrecovered_cost_year", "unrecovered_cost_month", "unrecovered_cost_hour")
        return dict.fromkeys((*keys, "full_cost_shortfall_per_kwh", "full_cost_shortfall_per_kw"), nothing)
    tariff = outcome.tariff
    hourly = [(hour, price) for hour, price in enumerate(found.price_usd_per_mwh) if price > 0.0]
    worst = max(hourly, key=lambda row: row[1]) if hourly else (0, 0.0)
    return {
        "unrecovered_cost_year": [Reading("year", outcome.per_kwh(found.marginal - tariff))],
        "unrecovered_cost_month": [
            Reading(MONTHS[index], outcome.per_kwh(float(cost) - tariff))
            for index, cost in enumerate(found.by_month)
            if np.isfinite(cost)
        ],
        "unrecovered_cost_hour": [
            Reading(hour_text(outcome.hours, outcome.country, worst[0]), outcome.per_kwh(worst[1] - tariff))
        ],
        "full_cost_shortfall_per_kwh": [Reading("year", outcome.per_kwh(found.full_per_kwh - tariff))],
        "full_cost_shortfall_per_kw": [Reading("year", outcome.per_kwh(found.full_per_kw - tariff))],
    }


def hour_text(hours: Hours, country: Country, hour: int) -> str:
    """An hour by its local start, like "2025-07-14 19:00"."""
    local = hours.hours[hour] + np.timedelta64(country.utc_offset_hours, "h")
    return str(local.astype("datetime64[m]")).replace("T", " ")


def _consumer_readings(outcome: Outcome) -> dict[str, Sequence[Reading]]:
    energy = served_mwh(outcome.country, outcome.changed)
    return {
        f"consumer_change_{rule}": [
            Reading(name, change)
            for name, change in class_changes(
                outcome.country,
                incidence(outcome.country, rule, outcome.base, outcome.changed, outcome.tariff),
                energy,
            )
        ]
        for rule in ("pooled", "marginal")
    }


def _system_readings(outcome: Outcome) -> dict[str, Sequence[Reading]]:
    before, after = outcome.books
    fuel = after.fuel_imports_usd - before.fuel_imports_usd
    payment = outcome.payment_usd
    readings = {
        "price_change": [
            Reading(zone, after.price_by_zone[zone] - before.price_by_zone[zone])
            for zone in outcome.country.home_zones
        ],
        "unserved_change": _by_zone(
            outcome, (outcome.changed.unserved - outcome.base.unserved).sum(axis=0) / _MWH_PER_GWH
        ),
        "fuel_imports_change": [Reading("year", fuel / _MILLION)],
        "emissions_change": [Reading("year", (after.emissions_t - before.emissions_t) / _MILLION)],
        "interrupted_share": [Reading(name, share) for name, share in outcome.interrupted.items()],
    }
    if before.fuel_imports_usd > 0.0:
        readings["fuel_imports_change_share"] = [Reading("year", fuel / before.fuel_imports_usd)]
    if payment > 0.0 or outcome.energy_mwh == 0.0:
        readings["fuel_imports_per_payment"] = [Reading("year", fuel / payment if payment > 0.0 else 0.0)]
    known = outcome.country.table("parameters").column("parameter")
    if "package_baseline_twh" in known:
        baseline = outcome.country.parameter("package_baseline_twh").value
        readings["package_consumption"] = [Reading("year", baseline + outcome.energy_mwh / _MWH_PER_TWH)]
    return {key: rows for key, rows in readings.items() if rows}


def _by_zone(outcome: Outcome, values: FloatArray) -> list[Reading]:
    home = set(outcome.country.home_zones)
    return [
        Reading(zone, float(value))
        for zone, value in zip(outcome.country.zones, values, strict=True)
        if zone in home
    ]


def _adequacy_readings(outcome: Outcome) -> dict[str, Sequence[Reading]]:
    if outcome.adequacy is None:
        return {}
    change, case = outcome.adequacy.change(LOAD), outcome.adequacy.case(LOAD)
    return {
        key: [
            Reading(zone, values[zone].value, values[zone].standard_error)
            for zone in (*outcome.country.home_zones, "system")
        ]
        for key, values in (
            ("lole_change", change.lole_h),
            ("eue_change", change.eue_mwh),
            ("lole", case.lole_h),
        )
    }
