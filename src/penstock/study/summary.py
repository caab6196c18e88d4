"""What `summary.json` holds, from the results of a study. Its JSON Schema is docs/summary.schema.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock import __version__
from penstock.accounts import (
    Books,
    compare_energy,
    compare_figures,
    compare_fuels,
    compare_months,
    keep_books,
)
from penstock.accounts.books import corridor_rows
from penstock.accounts.surplus import SHARES
from penstock.accounts.trade import Trade
from penstock.accounts.validation import pool_generation
from penstock.country import Country
from penstock.country.assumptions import list_assumptions
from penstock.market import Clearing
from penstock.programme import Incidence
from penstock.programme.incidence import RULES, corridor_surplus_usd

from .bills import change_per_kwh, incidence, served_mwh
from .loads import all_sources, describe_loads, describe_programme
from .results import Results

__all__ = ["summarise"]

_MWH_PER_GWH = 1000.0


def summarise(results: Results) -> dict[str, Any]:
    """The summary: plain dicts, lists, numbers and texts."""
    country, month = results.country, results.hours.month
    books = keep_books(country, results.base, month), keep_books(country, results.changed, month)
    sides = _side(results, results.base, books[0]), _side(results, results.changed, books[1])
    return {
        "schema_version": 1,
        "penstock_version": __version__,
        "country": _country(country),
        "year": country.year,
        "programme": describe_programme(results),
        "loads": describe_loads(results),
        "base": sides[0],
        "with_programme": sides[1],
        "change": _change(*sides),
        "clearing": {"base": _proof(results.base), "with_programme": _proof(results.changed)},
        "surplus": _surplus(results),
        "incidence": _incidence(results),
        "guardrails": results.guardrails,
        "validation": _validation(results),
        "variants": list(results.variants),
        "borrowed": [dict(row) for row in country.table("borrowed")],
        "assumptions": list_assumptions(country),
        "sources": [
            {
                key: row[key] or ""
                for key in ("source", "title", "publisher", "url", "licence", "dated", "note")
            }
            for row in all_sources(country)
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
        "zones": _zones(country, external=False),
        "external_zones": _zones(country, external=True),
    }


def _zones(country: Country, *, external: bool) -> list[dict[str, Any]]:
    return [
        {key: row[key] for key in ("zone", "name", "latitude", "longitude")}
        for row in country.table("zones")
        if bool(row["external"]) == external
    ]


def _trade(trade: Trade) -> dict[str, float]:
    return {
        "imports_gwh": float(trade.imports.sum()) / _MWH_PER_GWH,
        "exports_gwh": float(trade.exports.sum()) / _MWH_PER_GWH,
        "import_cost_usd": float(trade.import_cost.sum()),
        "export_income_usd": float(trade.export_income.sum()),
    }


def _side(results: Results, clearing: Clearing, books: Books) -> dict[str, Any]:
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
        "trade": _trade(books.trade),
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


def _surplus(results: Results) -> dict[str, Any]:
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
                f"hours_above_{wanted:g}_mw": int((surplus.by_zone[:, index] >= wanted).sum()),
            }
            for index, zone in enumerate(results.country.zones)
            if zone in results.country.home_zones
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


def _incidence(results: Results) -> dict[str, Any]:
    country, base, changed = results.country, results.base, results.changed
    energy = served_mwh(country, changed)

    def rule(shares: Incidence) -> dict[str, Any]:
        groups = dict(shares.by_group)
        return {
            "parties": [
                {"party": row.party, "group": row.group, "name": row.name, "change_usd": row.change_usd}
                for row in shares.parties
            ],
            "by_group": groups,
            "sum_usd": shares.sum_usd,
            "system_cost_change_usd": shares.system_cost_change_usd,
            "difference_usd": shares.difference_usd,
            "consumer_change_per_kwh": change_per_kwh(country, groups["consumers"], energy),
        }

    result: dict[str, Any] = {
        name: rule(incidence(country, name, base, changed, results.tariff)) for name in RULES
    }
    return result | {"consumer_energy_gwh": energy / _MWH_PER_GWH}


def _validation(results: Results) -> dict[str, Any]:
    country, month = results.country, results.hours.month
    modelled = pool_generation(country, results.base, month)
    return {
        "fuels": compare_fuels(country, modelled),
        "months": compare_months(country, modelled),
        "energy": compare_energy(country, modelled),
        "figures": compare_figures(country, results.base, month, results.hours.local_hour),
    }
