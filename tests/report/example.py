"""A made-up study of a made-up country: a summary and its hours, whole and plausible, made by rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from .example_loads import example_bids, example_loads

ZONES = (
    ("north", "Northern Hills", 34.0, 72.4),
    ("capital", "Capital Region", 33.6, 73.1),
    ("centre", "Central Plain", 31.5, 73.9),
    ("south", "Southern Plain", 27.9, 68.9),
    ("port", "Port City", 24.9, 67.1),
)
CORRIDORS = (
    ("n_cap", "North line", "ac", "north", "capital", 5200),
    ("cap_cen", "Capital line", "ac", "capital", "centre", 7800),
    ("cen_sou", "Plain line", "ac", "centre", "south", 4200),
    ("hvdc", "HVDC link", "dc", "south", "centre", 4000),
    ("sou_port", "Coast line", "ac", "south", "port", 1500),
)
# Fuel, share of generation, fixed by the facts (an input).
FUELS = (
    ("hydro", "Hydro", 0.29, True),
    ("nuclear", "Nuclear", 0.17, False),
    ("coal_local", "Local coal", 0.11, False),
    ("coal_imported", "Imported coal", 0.05, False),
    ("gas", "Domestic gas", 0.08, False),
    ("rlng", "Imported LNG", 0.19, False),
    ("rfo", "Furnace oil", 0.01, False),
    ("hsd", "Diesel", 0.002, False),
    ("wind", "Wind", 0.035, True),
    ("solar", "Solar", 0.01, True),
    ("bagasse", "Bagasse", 0.008, True),
    ("import_iran", "Cross-border import", 0.004, True),
    ("tidal", "Tidal (a fuel without a colour of its own)", 0.031, False),
)
EXTRA = {"coal_local": 4100.0, "coal_imported": 7300.0, "rlng": 3900.0, "rfo": 120.0}
MONTHLY = [6.9, 6.2, 7.4, 8.3, 9.4, 9.6, 10.0, 9.8, 9.0, 8.2, 7.2, 8.0]
TOTAL_GWH = 131_250.0
ENERGY_GWH = 15_420.0


def _corridors(extra: float) -> list[dict[str, Any]]:
    return [
        {
            "corridor": ident,
            "name": name,
            "kind": kind,
            "from_zone": start,
            "to_zone": end,
            "limit_mw": limit,
            "mean_mw": round((0.32 + 0.11 * n) * limit * (-1 if n == 4 else 1) + extra, 1),
            "use_share": round(0.32 + 0.11 * n, 3),
            "congested_hours": (0, 12, 0, 812, 240)[n],
            "congestion_rent_usd": (0.0, 120_500.0, 0.0, 8_450_000.0, 990_000.0)[n],
        }
        for n, (ident, name, kind, start, end, limit) in enumerate(CORRIDORS)
    ]


def _side(programme: bool) -> dict[str, Any]:
    by_fuel = {f: TOTAL_GWH * share + (EXTRA.get(f, 0.0) if programme else 0.0) for f, _, share, _ in FUELS}
    by_month = {f: [gwh * part / 100 for part in MONTHLY] for f, gwh in by_fuel.items()}
    more = 1.0 if programme else 0.0
    return {
        "cost_usd": 4_312_400_000.0 + more * 948_700_000.0,
        "energy_served_gwh": TOTAL_GWH + more * ENERGY_GWH,
        "programme_energy_gwh": more * ENERGY_GWH,
        "unserved_gwh": 0.4 + more * 1.9,
        "curtailed_gwh": 210.3 - more * 44.1,
        "generation_gwh_by_fuel": by_fuel,
        "generation_gwh_by_fuel_month": by_month,
        "price_usd_per_mwh_mean": 61.37 + more * 6.21,
        "price_usd_per_mwh_by_zone": {z[0]: 58.0 + 1.5 * n + more * 6.0 for n, z in enumerate(ZONES)},
        "pooled_cost_usd_per_mwh": 101.2 - more * 4.4,
        "pooled_energy_cost_usd_per_mwh": 32.86 + more * 3.1,
        "capacity_payment_usd": 8_970_000_000.0,
        "capacity_payment_usd_per_mwh": 68.34 - more * 7.5,
        "capacity_payment_per_kwh": 19.14 - more * 2.01,
        "fuel_cost_usd": 3_612_000_000.0 + more * 901_000_000.0,
        "fuel_imports_usd": 2_205_000_000.0 + more * 741_000_000.0,
        "emissions_t": 48_310_000.0 + more * 13_220_000.0,
        "congestion_rent_usd": 9_560_500.0 + more * 2_400_000.0,
        "corridors": _corridors(110.0 * more),
    }


def _difference(base: Any, other: Any) -> Any:
    if isinstance(base, dict):
        return {key: _difference(base[key], other[key]) for key in base if key != "corridors"}
    if isinstance(base, list):
        return [_difference(a, b) for a, b in zip(base, other, strict=True)]
    return other - base


def _rule(consumers: float, per_kwh: float) -> dict[str, Any]:
    parties = [
        ("households", "consumers", "Households", consumers * 0.6),
        ("industry", "consumers", "Industry", consumers * 0.4),
        ("hydro", "plants", "Hydro plants", -21_000_000.0),
        ("thermal", "plants", "Thermal plants", 9_000_000.0),
        ("miners", "programme", "Miners", 830_000_000.0),
        ("ai", "programme", "AI centres", 380_000_000.0),
        ("treasury", "state", "Treasury", 948_700_000.0 - consumers - 1_198_000_000.0),
    ]
    groups = {
        g: sum(p[3] for p in parties if p[1] == g) for g in ("consumers", "plants", "programme", "state")
    }
    return {
        "parties": [
            {"party": ident, "group": group, "name": name, "change_usd": usd}
            for ident, group, name, usd in parties
        ],
        "by_group": groups,
        "sum_usd": 948_700_000.0,
        "system_cost_change_usd": 948_700_000.0,
        "difference_usd": 0.0,
        "consumer_change_per_kwh": per_kwh,
    }


def _programme() -> dict[str, Any]:
    return {
        "mw": 2000.0,
        "mining_share": 0.7,
        "firm": False,
        "tariff_per_kwh": 22.5,
        "tariff_usd_per_mwh": 80.2,
        "energy_gwh": ENERGY_GWH,
        "served_share": 0.88,
        "payment_usd": 1_236_684_000.0,
        "value_usd": 1_511_000_000.0,
        "sites": [
            {"zone": "south", "share": 0.6, "mw": 1200.0},
            {"zone": "centre", "share": 0.4, "mw": 800.0},
        ],
        "bids": [
            {
                "name": f"{load} in {zone}",
                "zone": zone,
                "load": load,
                "mw": mw,
                "value_usd_per_mwh": value,
                "bid_usd_per_mwh": value - 3,
                "energy_gwh": mw * 7.71,
                "served_share": 0.88,
            }
            for load, zone, mw, value in (
                ("mining", "south", 840.0, 71.25),
                ("mining", "centre", 560.0, 71.25),
                ("ai", "south", 360.0, 412.0),
                ("ai", "centre", 240.0, 412.0),
            )
        ],
        "assumptions": [
            {
                "parameter": "hashprice_usd_per_ph_day",
                "value": 48.25,
                "low": 35.0,
                "high": 70.0,
                "unit": "USD/PH/day",
                "basis": "assumption",
                "source": "network_2025",
                "note": "Mean of the year.",
            }
        ],
    }


def _surplus() -> dict[str, Any]:
    shares = [0.5, 0.8, 0.9, 0.95, 0.99, 1.0]
    prices = [float(p) for p in range(20, 141, 10)]
    return {
        "reserve_margin_share": 0.1,
        "mean_mw": 9120.0,
        "minimum_mw": 1240.0,
        "by_zone": [
            {
                "zone": z[0],
                "mean_mw": 2600.0 - 380 * n,
                "hours_above_500_mw": 8760 - 900 * n,
                "hours_above_2000_mw": 6100 - 1200 * n,
            }
            for n, z in enumerate(ZONES)
        ],
        "by_month": [
            {
                "month": m,
                "mean_mw": 9120.0 - 3100 * math.cos((m - 1) / 6 * math.pi + 2.6),
                "minimum_mw": 1240.0 + 200 * abs(m - 7),
            }
            for m in range(1, 13)
        ],
        "duration_curve": [
            {"share_of_hours": s / 100, "mw": 16500 - 150 * s - 0.026 * s**2} for s in range(101)
        ],
        "price_usd_per_mwh": prices,
        "share_of_hours": shares,
        "supply_curve": [
            {"share_of_hours": s, "price_usd_per_mwh": p, "mw": max(0.0, (p - 20) * 95 * (1.25 - s))}
            for s in shares
            for p in prices
        ],
        "programme_mw": 2000.0,
        "price_for_programme": [
            {"share_of_hours": s, "price_usd_per_mwh": 40 + 60 * s if s < 1 else None} for s in shares
        ],
    }


def _validation() -> dict[str, Any]:
    fuels = []
    for n, (fuel, name, share, given) in enumerate(FUELS):
        published = TOTAL_GWH * share * (1.0 if given else 1.0 + 0.02 * (n - 4))
        model = TOTAL_GWH * share
        difference = model - published
        fuels.append(
            {
                "fuel": fuel,
                "name": name,
                "pool": "national",
                "model_gwh": model,
                "published_gwh": published,
                "difference_gwh": difference,
                "difference_pct": 100 * difference / published,
                "limit": None if given else "5% or 500 GWh",
                "within": None if given else abs(difference / published) < 0.05,
                "input": given,
            }
        )
    months = [
        {
            "month": m + 1,
            "fuel": f,
            "model_gwh": TOTAL_GWH * s * MONTHLY[m] / 100,
            "published_gwh": TOTAL_GWH * s * MONTHLY[(m + 1) % 12] / 100,
        }
        for f, _, s, _ in FUELS
        for m in range(12)
    ]
    energy = [
        {
            "month": m + 1,
            "model_gwh": TOTAL_GWH * part / 100,
            "published_gwh": TOTAL_GWH * part / 99.4,
            "difference_pct": -0.6,
            "within": True,
        }
        for m, part in enumerate(MONTHLY)
    ]
    figures = [
        {
            "figure": "Peak demand",
            "model": 26_118.4,
            "published": 25_516.0,
            "low": 24_800.0,
            "high": 26_400.0,
            "unit": "MW",
            "note": "July evening.",
        },
        {
            "figure": "Energy charge",
            "model": 9.2,
            "published": 8.94,
            "low": None,
            "high": None,
            "unit": "PKR/kWh",
            "note": "",
        },
    ]
    return {"fuels": fuels, "months": months, "energy": energy, "figures": figures}


def _proof(side: dict[str, Any], gap: float) -> dict[str, Any]:
    cost = side["cost_usd"]
    found = {"engine": "kernel", "reason": "exact by the hour, certified", "gap": gap}
    return found | {"net_cost_usd": cost, "lower_bound_usd": cost * (1 - gap)}


def example_summary() -> dict[str, Any]:
    """A whole summary in which the programme gains consumers money and pays less than it costs."""
    base, other = _side(False), _side(True)
    change = {**_difference(base, other), "cost_per_programme_mwh": 948_700_000.0 / (ENERGY_GWH * 1000)}
    return {
        "schema_version": 1,
        "penstock_version": "0.1.0",
        "country": {
            "id": "exampleland",
            "name": "Exampleland",
            "iso3": "EXL",
            "currency": "PKR",
            "currency_per_usd": 280.5,
            "utc_offset_hours": 5,
            "content_hash": "sha256:" + "0f" * 32,
            "zones": [{"zone": i, "name": n, "latitude": la, "longitude": lo} for i, n, la, lo in ZONES],
        },
        "year": 2025,
        "programme": _programme() | example_bids(),
        "loads": example_loads(),
        "base": base,
        "with_programme": other,
        "change": change,
        "clearing": {"base": _proof(base, 3e-14), "with_programme": _proof(other, 0.0)},
        "surplus": _surplus(),
        "incidence": {
            "pooled": _rule(-214_000_000.0, -0.46),
            "marginal": _rule(655_000_000.0, 1.4),
            "consumer_energy_gwh": TOTAL_GWH,
        },
        "guardrails": None,
        "borrowed": [],
        "validation": _validation(),
        "variants": [
            {
                "variant": v,
                "title": t,
                "note": note,
                "cost_usd": cost,
                "generation_gwh_by_fuel": base["generation_gwh_by_fuel"],
            }
            for v, t, note, cost in (
                ("base", "As contracted", "Contracts and must-run as published.", 4_312_400_000.0),
                ("merit", "Pure merit order", "No contract binds.", 3_987_000_000.0),
            )
        ],
        "assumptions": [
            {
                "table": "technologies",
                "key": f"plant_{n} heat rate",
                "value": 7000.0 + n * 13.25,
                "low": 6800.0,
                "high": None,
                "unit": "kJ/kWh",
                "source": "report_2025",
                "note": "Net, lower heating value." if n % 3 else "",
            }
            for n in range(120)
        ],
        "sources": [
            {
                "source": "report_2025",
                "title": "State of the industry report",
                "publisher": "The regulator",
                "url": "https://www.example.org/report.pdf",
                "licence": "public",
                "dated": "2025-10-01",
                "note": "",
            },
            {
                "source": "network_2025",
                "title": "Network data",
                "publisher": "",
                "url": "javascript:alert(1)",
                "licence": "CC BY 4.0",
                "dated": "2025-12-31",
                "note": "Own reading.",
            },
        ],
    }


def example_hourly() -> pd.DataFrame:
    """The hours that go with it: 8,760 rows by rule, without chance."""
    hour = np.arange(8760)
    local, day = hour % 24, hour // 24
    season = 1 - 0.28 * np.cos((day - 15) / 365 * 2 * np.pi)
    shape = 1 + 0.14 * np.sin((local - 12) / 24 * 2 * np.pi) + 0.06 * np.sin(day * 1.7)
    demand = 14_600 * season * shape
    month = pd.date_range("2025-01-01", periods=8760, freq="h").month
    columns: dict[str, Any] = {
        "hour_utc": pd.date_range("2024-12-31T19:00", periods=8760, freq="h"),
        "month": month,
        "hour_local": local,
    }
    for side, more in (("base", 0.0), ("with", 1.0)):
        draw = more * 2000 * (demand < 20_500)
        solar = 900 * np.clip(np.sin((local - 6) / 12 * np.pi), 0, None)
        rest = demand + draw - solar
        for n, (zone, *_) in enumerate(ZONES):
            columns[f"{side}.demand_mw.{zone}"] = demand / len(ZONES)
            columns[f"{side}.unserved_mw.{zone}"] = np.where((day == 190) & (local == 21), 120.0, 0.0)
            columns[f"{side}.curtailed_mw.{zone}"] = np.zeros(8760)
            price = 22 + demand / 420 + 3 * n + 6 * more
            columns[f"{side}.price_usd_per_mwh.{zone}"] = np.where(
                (day == 190) & (local == 21), 3000.0, price
            )
            if more:
                columns[f"with.programme_mw.{zone}"] = draw * {"south": 0.6, "centre": 0.4}.get(zone, 0.0)
        total = sum(s for f, _, s, _ in FUELS if f != "solar")
        for fuel, _, share, _ in FUELS:
            columns[f"{side}.generation_mw.{fuel}"] = solar if fuel == "solar" else rest * share / total
        for corridor, *_, limit in CORRIDORS:
            columns[f"{side}.flow_mw.{corridor}"] = np.full(8760, 0.4 * limit)
    columns["with.programme_mw.mining"], columns["with.programme_mw.ai"] = draw * 0.7, draw * 0.3
    for zone, *_ in ZONES:
        columns[f"surplus_mw.{zone}"] = (27_000 - demand) / len(ZONES)
    columns["surplus_mw.total"] = 27_000 - demand
    return pd.DataFrame(columns)
