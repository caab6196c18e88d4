"""The figures that are set side by side: each read from one study, in one unit for all countries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.accounts.trade import home_plants
from penstock.market.system import FloatArray
from penstock.study import Study

__all__ = ["Facts", "Line", "facts_of", "lines"]

_MWH_PER_GWH = 1000.0
_MILLION = 1e6
_BILLION = 1e9
Reader = Callable[["Facts"], float | None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the lines read. load: of the country's own zones, shape (hours,). [MW]"""

    study: Study
    summary: Mapping[str, Any]
    base: Mapping[str, Any]
    programme: Mapping[str, Any]
    change: Mapping[str, Any]
    load: FloatArray

    def value(self, name: str) -> float | None:
        """A parameter in its unit; None where the country has none of the name."""
        country = self.study.country
        there = name in country.table("parameters").column("parameter")
        return country.parameter(name).value if there else None


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. read: None where the country does not have it. [unit]"""

    key: str
    group: str
    title: str
    unit: str
    read: Reader


def facts_of(study: Study) -> Facts:
    """What the lines read of a study."""
    summary = study.summary
    columns = [f"base.demand_mw.{zone}" for zone in study.country.home_zones]
    load: FloatArray = study.hourly[columns].to_numpy(dtype=float).sum(axis=1)
    return Facts(study, summary, summary["base"], summary["programme"], summary["change"], load)


def lines() -> Iterator[Line]:
    """All lines, group by group, in the order in which they are shown."""
    for group, rows in (
        ("The country", _country()),
        ("The market without the programme", _market()),
        ("The programme", _programme()),
        ("What it does", _effects()),
    ):
        for key, title, unit, read in rows:
            yield Line(key, group, title, unit, read)


_Row = tuple[str, str, str, Reader]


def _country() -> Iterator[_Row]:
    yield "population", "People", "millions", lambda f: over(f.value("population"), _MILLION)
    yield "gdp", "GDP", "bn USD", lambda f: over(f.value("gdp_usd"), _BILLION)
    yield "gdp_per_person", "GDP per person", "USD", lambda f: over(f.value("gdp_usd"), f.value("population"))
    yield (
        "fx_reserves",
        "Foreign exchange reserves",
        "bn USD",
        lambda f: over(f.value("fx_reserves_usd"), _BILLION),
    )
    yield (
        "acceptance_mandatory",
        "Somebody had to accept bitcoin",
        "1 = yes",
        lambda f: f.value("bitcoin_acceptance_mandatory"),
    )


def _market() -> Iterator[_Row]:
    yield "energy", "Energy served", "TWh", lambda f: _served(f) / 1e6
    yield (
        "energy_per_person",
        "Energy served per person",
        "kWh",
        lambda f: over(_served(f) * 1e3, f.value("population")),
    )
    yield "peak", "Peak load", "MW", lambda f: float(f.load.max())
    yield "load_factor", "Mean load over peak load", "1", lambda f: float(f.load.mean() / f.load.max())
    yield "installed", "Installed plant", "MW", _installed
    yield "surplus_mean", "Surplus, mean", "MW", lambda f: f.summary["surplus"]["mean_mw"]
    yield "surplus_minimum", "Surplus, least hour", "MW", lambda f: f.summary["surplus"]["minimum_mw"]
    yield (
        "surplus_share",
        "Mean surplus over mean load",
        "1",
        lambda f: over(f.summary["surplus"]["mean_mw"], float(f.load.mean())),
    )
    yield "price", "Mean marginal price", "USD/MWh", lambda f: f.base["price_usd_per_mwh_mean"]
    yield "pooled_cost", "Mean cost of supply", "USD/MWh", lambda f: f.base["pooled_cost_usd_per_mwh"]
    yield "capacity_payments", "Capacity payments in it", "USD/MWh", _capacity_payments
    yield "fuel_imports", "Imported fuel", "M USD", lambda f: f.base["fuel_imports_usd"] / _MILLION
    yield (
        "fuel_imports_of_gdp",
        "Imported fuel over GDP",
        "1",
        lambda f: over(f.base["fuel_imports_usd"], f.value("gdp_usd")),
    )
    yield "emissions", "CO2 of the plants", "t/MWh", lambda f: over(f.base["emissions_t"], _served(f))


def _programme() -> Iterator[_Row]:
    yield "mw", "Size", "MW", lambda f: f.programme["mw"]
    yield (
        "mw_per_million",
        "Size per million people",
        "MW",
        lambda f: over(f.programme["mw"], over(f.value("population"), _MILLION)),
    )
    yield "mw_of_peak", "Size over peak load", "1", lambda f: f.programme["mw"] / float(f.load.max())
    yield (
        "mw_of_surplus",
        "Size over mean surplus",
        "1",
        lambda f: over(f.programme["mw"], f.summary["surplus"]["mean_mw"]),
    )
    yield "mining_share", "Share of mining", "1", lambda f: f.programme["mining_share"]
    yield "tariff", "Tariff", "USD/MWh", lambda f: f.programme["tariff_usd_per_mwh"]
    yield "programme_energy", "Energy taken", "GWh", lambda f: f.programme["energy_gwh"]
    yield "energy_share", "Energy taken over energy served", "1", lambda f: over(_taken(f), _served(f))


def _effects() -> Iterator[_Row]:
    yield "payment", "Pays", "M USD", lambda f: f.programme["payment_usd"] / _MILLION
    yield (
        "payment_per_person",
        "Pays per person",
        "USD",
        lambda f: over(f.programme["payment_usd"], f.value("population")),
    )
    yield (
        "payment_of_gdp",
        "Pays over GDP",
        "1",
        lambda f: over(f.programme["payment_usd"], f.value("gdp_usd")),
    )
    yield (
        "cost_per_mwh",
        "Generating its energy costs",
        "USD/MWh",
        lambda f: f.change["cost_per_programme_mwh"],
    )
    yield (
        "price_change",
        "Mean marginal price, change",
        "USD/MWh",
        lambda f: f.change["price_usd_per_mwh_mean"],
    )
    yield "consumers_pooled", "Consumers pay more, pooled billing", "USD/MWh", lambda f: _paid(f, "pooled")
    yield "consumers_marginal", "Consumers pay more, hourly prices", "USD/MWh", lambda f: _paid(f, "marginal")
    yield (
        "fuel_imports_change",
        "Imported fuel, change",
        "M USD",
        lambda f: f.change["fuel_imports_usd"] / _MILLION,
    )
    yield (
        "fuel_imports_of_payment",
        "More imported fuel over what it pays",
        "1",
        lambda f: over(f.change["fuel_imports_usd"], f.programme["payment_usd"]),
    )
    yield (
        "emissions_change",
        "CO2, change, over its energy",
        "t/MWh",
        lambda f: over(f.change["emissions_t"], _taken(f)),
    )
    yield "lole_change", "Hours with a shortage, change in the worst zone", "h/year", _loss_of_load


def over(amount: float | None, whole: float | None) -> float | None:
    """An amount over a whole; None where either is missing or the whole is 0."""
    return None if amount is None or not whole else amount / whole


def _served(facts: Facts) -> float:
    return float(facts.base["energy_served_gwh"]) * _MWH_PER_GWH


def _taken(facts: Facts) -> float:
    return float(facts.programme["energy_gwh"]) * _MWH_PER_GWH


def _paid(facts: Facts, rule: str) -> float:
    """What consumers pay more. [USD/MWh]"""
    change = float(facts.summary["incidence"][rule]["consumer_change_per_kwh"])
    return change * 1000.0 / facts.study.country.usd_rate


def _capacity_payments(facts: Facts) -> float | None:
    """None, not 0, where the country's tables have none."""
    there = len(facts.study.country.table("capacity_payments"))
    return float(facts.base["capacity_payment_usd_per_mwh"]) if there else None


def _installed(facts: Facts) -> float:
    country = facts.study.country
    plants = zip(country.table("plants"), home_plants(country), strict=True)
    return float(sum(row["installed_mw"] for row, own in plants if own))


def _loss_of_load(facts: Facts) -> float | None:
    """The worst zone's reading of the guardrails; None where no guardrail asks for it."""
    findings = (facts.summary["guardrails"] or {}).get("findings", ())
    read = [row["value"] for row in findings if row["metric"] == "lole_change" and row["value"] is not None]
    return max(read) if read else None
