"""The one file that chains the steps: clear the year without the loads, then with them; keep the books."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from penstock import __version__
from penstock.accounts import (
    Books,
    Surplus,
    compare_energy,
    compare_figures,
    compare_fuels,
    compare_months,
    find_surplus,
    keep_books,
)
from penstock.accounts.books import corridor_rows, generation_by_fuel
from penstock.accounts.surplus import SHARES
from penstock.accounts.validation import pool_generation
from penstock.country import Country, load_country
from penstock.country.assumptions import list_assumptions
from penstock.country.hours import Hours, build_hours
from penstock.loads.defaults import parameters_for
from penstock.loads.defaults import sources as load_sources
from penstock.market import Bid, Clearing, System, clear
from penstock.market.from_country import build_system
from penstock.programme import (
    ConsumerClass,
    Incidence,
    Programme,
    ProgrammeBid,
    check_programme,
    default_programme,
    programme_bids,
    who_pays,
)
from penstock.programme.incidence import RULES, corridor_surplus_usd, programme_payment_usd
from penstock.programme.programme import tariff_usd_per_mwh

__all__ = ["Study", "run"]

Progress = Callable[[str, float], None]
_MWH_PER_GWH = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A year without and with a programme.

    base, with_programme: the two clearings, on the same hours.
    summary: what `summary.json` holds; its JSON Schema is docs/summary.schema.json.
    hourly: 8,760 rows; columns such as `base.price_usd_per_mwh.<ZONE>`.
    """

    country: Country
    programme: Programme
    base: Clearing
    with_programme: Clearing
    summary: dict[str, Any]
    hourly: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class _Results:
    """Everything the summary is written from."""

    country: Country
    hours: Hours
    programme: Programme
    bids: tuple[ProgrammeBid, ...]
    tariff: float
    base: Clearing
    changed: Clearing
    surplus: Surplus
    variants: tuple[dict[str, Any], ...]


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def run(
    country: str | os.PathLike[str] | Country,
    programme: Programme | None = None,
    *,
    progress: Progress = _silent,
) -> Study:
    """Clear a country's year without and with a programme of loads, and say what changes for whom.

    country: a country that ships, a folder of tables, or one already loaded.
    programme: what comes; None takes the country's default programme.
    progress: called with the step's name and the share of the work done, 0 to 1.

    Raises InputError (tables, programme), InfeasibleError or SolverError.
    """
    progress("Reading the tables", 0.0)
    facts = country if isinstance(country, Country) else load_country(country)
    plan = default_programme(facts) if programme is None else programme
    check_programme(facts, plan)
    progress("Building the hours", 0.02)
    hours = build_hours(facts)
    bids = programme_bids(facts, plan)
    system = build_system(facts, hours)
    progress("Clearing without the programme", 0.08)
    absent = tuple(replace(row.bid, quantity=0.0) for row in bids)
    base = clear(system, absent)
    progress("Clearing with the programme", 0.3)
    changed = clear(system, tuple(row.bid for row in bids))
    progress("Clearing the variants", 0.52)
    variants = _variants(facts, hours, absent, progress)
    progress("Keeping the books", 0.93)
    margin = facts.parameter("reserve_margin_share").value
    results = _Results(
        country=facts,
        hours=hours,
        programme=plan,
        bids=bids,
        tariff=tariff_usd_per_mwh(facts, plan),
        base=base,
        changed=changed,
        surplus=find_surplus(facts, base, margin),
        variants=tuple(variants),
    )
    summary = _summary(results)
    hourly = _hourly(results)
    progress("Done", 1.0)
    return Study(facts, plan, base, changed, summary, hourly)


def _variants(
    country: Country, hours: Hours, bids: tuple[Bid, ...], progress: Progress
) -> list[dict[str, Any]]:
    """The base year under other contracts: none at all, and each take-or-pay at the low end of its range."""
    contracts = country.table("contracts")
    if not len(contracts):
        return []
    bound = [row for row in contracts if row["kind"] != "fuel_supply"]
    low = {
        row["contract"]: row["low"]
        for row in contracts
        if row["kind"] == "take_or_pay" and None not in (row["minimum_share"], row["low"])
    }
    cases: list[tuple[str, str, str, System]] = []
    if bound:
        cases.append(
            (
                "merit_order",
                "Pure merit order",
                "No contract minima: "
                + ", ".join(row["contract"] for row in bound)
                + " are left out; fuel supply limits stay.",
                build_system(country, hours, without_contracts=[row["contract"] for row in bound]),
            )
        )
    if low:
        cases.append(
            (
                "low_take_or_pay",
                "Take-or-pay at the low end",
                ", ".join(f"{name} at {share:.0%}" for name, share in low.items()) + ".",
                build_system(country, hours, minimum_shares=low),
            )
        )
    rows = []
    for index, (key, title, note, system) in enumerate(cases):
        clearing = clear(system, bids)
        generation = keep_books(country, clearing, hours.month).generation_gwh
        rows.append(
            {
                "variant": key,
                "title": title,
                "note": note,
                "cost_usd": clearing.cost,
                "generation_gwh_by_fuel": {fuel: float(months.sum()) for fuel, months in generation.items()},
            }
        )
        progress("Clearing the variants", 0.52 + 0.4 * (index + 1) / len(cases))
    return rows


def _summary(results: _Results) -> dict[str, Any]:
    country, month = results.country, results.hours.month
    books = keep_books(country, results.base, month), keep_books(country, results.changed, month)
    sides = _side(results, results.base, books[0]), _side(results, results.changed, books[1])
    return {
        "schema_version": 1,
        "penstock_version": __version__,
        "country": _country(country),
        "year": country.year,
        "programme": _programme(results),
        "base": sides[0],
        "with_programme": sides[1],
        "change": _change(*sides),
        "clearing": {"base": _proof(results.base), "with_programme": _proof(results.changed)},
        "surplus": _surplus(results),
        "incidence": _incidence(results),
        "validation": _validation(results),
        "variants": list(results.variants),
        "assumptions": list_assumptions(country),
        "sources": [
            {
                key: row[key] or ""
                for key in ("source", "title", "publisher", "url", "licence", "dated", "note")
            }
            for table in (country.table("sources"), load_sources())
            for row in table
        ],
    }


def _country(country: Country) -> dict[str, Any]:
    return {
        "id": country.id,
        "name": country.name,
        "iso3": country.iso3,
        "currency": country.currency,
        "currency_per_usd": country.usd_rate,
        "utc_offset_hours": country.utc_offset_hours,
        "content_hash": country.content_hash,
        "zones": [
            {key: row[key] for key in ("zone", "name", "latitude", "longitude")}
            for row in country.table("zones")
        ],
    }


def _programme(results: _Results) -> dict[str, Any]:
    plan, taken = results.programme, results.changed.accepted
    energy = float(taken.sum()) / _MWH_PER_GWH
    hours = results.changed.system.hour_count
    most = plan.mw * hours / _MWH_PER_GWH
    bids = []
    for index, row in enumerate(results.bids):
        megawatts = float(np.max(row.bid.quantity))
        used = float(taken[:, index].sum()) / _MWH_PER_GWH
        whole = megawatts * hours / _MWH_PER_GWH
        bids.append(
            {
                "name": row.bid.name,
                "zone": row.bid.zone,
                "load": row.load,
                "mw": megawatts,
                "value_usd_per_mwh": row.value_usd_per_mwh,
                "bid_usd_per_mwh": float(np.max(row.bid.value)),
                "energy_gwh": used,
                "served_share": used / whole if whole else 0.0,
            }
        )
    return {
        "mw": plan.mw,
        "mining_share": plan.mining_share,
        "firm": plan.firm,
        "tariff_per_kwh": plan.tariff_per_kwh,
        "tariff_usd_per_mwh": results.tariff,
        "energy_gwh": energy,
        "served_share": energy / most if most else 0.0,
        "payment_usd": programme_payment_usd(results.changed, results.tariff),
        "value_usd": float(
            sum(row.value_usd_per_mwh * taken[:, index].sum() for index, row in enumerate(results.bids))
        ),
        "sites": [
            {"zone": zone, "share": share, "mw": plan.mw * share} for zone, share in plan.sites.items()
        ],
        "bids": bids,
        "assumptions": [
            {
                "parameter": row.name,
                "value": row.value,
                "low": row.low,
                "high": row.high,
                "unit": row.unit,
                "basis": row.basis,
                "source": row.source,
                "note": row.note,
            }
            for row in parameters_for(results.country).values()
        ],
    }


def _side(results: _Results, clearing: Clearing, books: Books) -> dict[str, Any]:
    rent = corridor_surplus_usd(clearing)
    corridors = [
        {key: row[key] for key in ("corridor", "name", "kind", "from_zone", "to_zone")} | figures
        for row, figures in zip(
            results.country.table("corridors"), corridor_rows(clearing, rent), strict=True
        )
    ]
    return {
        "cost_usd": books.cost_usd,
        "energy_served_gwh": books.energy_served_gwh,
        "programme_energy_gwh": books.programme_energy_gwh,
        "unserved_gwh": books.unserved_gwh,
        "curtailed_gwh": books.curtailed_gwh,
        "generation_gwh_by_fuel": {fuel: float(row.sum()) for fuel, row in books.generation_gwh.items()},
        "generation_gwh_by_fuel_month": {fuel: row.tolist() for fuel, row in books.generation_gwh.items()},
        "price_usd_per_mwh_mean": books.price_mean,
        "price_usd_per_mwh_by_zone": dict(books.price_by_zone),
        "pooled_cost_usd_per_mwh": books.pooled_cost_usd_per_mwh,
        "pooled_energy_cost_usd_per_mwh": books.pooled_energy_cost_usd_per_mwh,
        "capacity_payment_usd": books.capacity_payment_usd,
        "capacity_payment_usd_per_mwh": books.capacity_payment_usd_per_mwh,
        "capacity_payment_per_kwh": books.capacity_payment_usd_per_mwh * results.country.usd_rate / 1000.0,
        "fuel_cost_usd": books.fuel_cost_usd,
        "fuel_imports_usd": books.fuel_imports_usd,
        "emissions_t": books.emissions_t,
        "congestion_rent_usd": float(rent.sum()),
        "corridors": corridors,
    }


def _proof(clearing: Clearing) -> dict[str, Any]:
    """What solved a clearing, and how near the best its prices prove it to be."""
    return {
        "engine": clearing.engine,
        "reason": clearing.reason,
        "net_cost_usd": clearing.net_cost,
        "lower_bound_usd": clearing.lower_bound,
        "gap": clearing.gap,
    }


def _change(base: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Every number of a side, with less without; corridors stay with the sides."""

    def less(new: Any, old: Any) -> Any:
        if isinstance(new, Mapping):
            return {key: less(new[key], old[key]) for key in new}
        if isinstance(new, list):
            return [less(*pair) for pair in zip(new, old, strict=True)]
        return new - old

    result = {key: less(changed[key], base[key]) for key in base if key != "corridors"}
    energy = result["programme_energy_gwh"] * _MWH_PER_GWH
    result["cost_per_programme_mwh"] = result["cost_usd"] / energy if energy > 0 else None
    return result


def _surplus(results: _Results) -> dict[str, Any]:
    surplus, month = results.surplus, results.hours.month
    total, wanted = surplus.total, results.programme.mw
    return {
        "reserve_margin_share": results.country.parameter("reserve_margin_share").value,
        "mean_mw": float(total.mean()),
        "minimum_mw": float(total.min()),
        "by_zone": [
            {
                "zone": zone,
                "mean_mw": float(surplus.by_zone[:, index].mean()),
                "minimum_mw": float(surplus.by_zone[:, index].min()),
                f"hours_above_{round(wanted)}_mw": int((surplus.by_zone[:, index] >= round(wanted)).sum()),
            }
            for index, zone in enumerate(results.country.zones)
        ],
        "by_month": [
            {
                "month": number,
                "mean_mw": float(total[month == number].mean()),
                "minimum_mw": float(total[month == number].min()),
            }
            for number in range(1, 13)
        ],
        "duration_curve": [
            {"share_of_hours": share, "mw": megawatts} for share, megawatts in surplus.duration()
        ],
        "price_usd_per_mwh": surplus.price.tolist(),
        "share_of_hours": list(SHARES),
        "supply_curve": [
            {"share_of_hours": share, "price_usd_per_mwh": float(price), "mw": float(megawatts)}
            for share in SHARES
            for price, megawatts in zip(surplus.price, surplus.supply(share), strict=True)
        ],
        "programme_mw": wanted,
        "price_for_programme": [
            {"share_of_hours": share, "price_usd_per_mwh": surplus.price_for(wanted, share)}
            for share in SHARES
        ],
    }


def _incidence(results: _Results) -> dict[str, Any]:
    country, base = results.country, results.base
    names = {row["fuel"]: row["name"] for row in country.table("fuels")}
    classes = [
        ConsumerClass(row["consumer_class"], row["name"], row["sales_share"])
        for row in country.table("consumer_classes")
    ]
    energy = float(np.asarray(base.system.demand).sum() - results.changed.unserved.sum())

    def rule(incidence: Incidence) -> dict[str, Any]:
        groups = dict(incidence.by_group)
        return {
            "parties": [
                {"party": row.party, "group": row.group, "name": row.name, "change_usd": row.change_usd}
                for row in incidence.parties
            ],
            "by_group": groups,
            "sum_usd": incidence.sum_usd,
            "system_cost_change_usd": incidence.system_cost_change_usd,
            "difference_usd": incidence.difference_usd,
            "consumer_change_per_kwh": groups["consumers"] * country.usd_rate / (energy * 1000.0),
        }

    result: dict[str, Any] = {
        name: rule(
            who_pays(
                name,
                base,
                results.changed,
                tariff_usd_per_mwh=results.tariff,
                consumer_classes=classes,
                plant_groups=country.table("plants").column("fuel"),
                group_names=names,
            )
        )
        for name in RULES
    }
    return result | {"consumer_energy_gwh": energy / _MWH_PER_GWH}


def _validation(results: _Results) -> dict[str, Any]:
    country, month = results.country, results.hours.month
    modelled = pool_generation(country, results.base, month)
    return {
        "fuels": compare_fuels(country, modelled),
        "months": compare_months(country, modelled),
        "energy": compare_energy(country, modelled),
        "figures": compare_figures(country, results.base, month, results.hours.local_hour),
    }


def _hourly(results: _Results) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "hour_utc": results.hours.hours.astype("datetime64[s]"),
        "month": results.hours.month,
        "hour_local": results.hours.local_hour,
    }
    for side, clearing in (("base", results.base), ("with", results.changed)):
        for index, zone in enumerate(clearing.system.zones):
            columns[f"{side}.demand_mw.{zone}"] = np.asarray(clearing.system.demand)[:, index]
            columns[f"{side}.price_usd_per_mwh.{zone}"] = clearing.price[:, index]
            columns[f"{side}.unserved_mw.{zone}"] = clearing.unserved[:, index]
            columns[f"{side}.curtailed_mw.{zone}"] = clearing.curtailed[:, index]
        for fuel, output in generation_by_fuel(results.country, clearing).items():
            columns[f"{side}.generation_mw.{fuel}"] = output
        for index, corridor in enumerate(clearing.system.corridors):
            columns[f"{side}.flow_mw.{corridor.name}"] = clearing.flow[:, index]
    taken = results.changed.by_zone(results.changed.accepted, [row.bid.zone for row in results.bids])
    for index, zone in enumerate(results.country.zones):
        columns[f"with.programme_mw.{zone}"] = taken[:, index]
        columns[f"surplus_mw.{zone}"] = results.surplus.by_zone[:, index]
    for load in ("mining", "ai"):
        chosen = [index for index, row in enumerate(results.bids) if row.load == load]
        columns[f"with.programme_mw.{load}"] = results.changed.accepted[:, chosen].sum(axis=1)
    columns["surplus_mw.total"] = results.surplus.total
    return pd.DataFrame(columns)
