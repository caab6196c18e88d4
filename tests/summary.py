"""A small summary of the shape that a study gives, and the check of any summary against its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "docs" / "summary.schema.json"


def summary_schema() -> dict[str, Any]:
    """The schema of summary.json, as parsed."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text("utf-8"))
    return schema


def summary_faults(summary: object) -> list[str]:
    """Everything in which a summary departs from its schema, each with its place.

    NaN and infinities, which JSON cannot hold, raise ValueError.
    """
    plain = json.loads(json.dumps(summary, allow_nan=False))
    errors = Draft202012Validator(summary_schema()).iter_errors(plain)
    return sorted(f"{error.json_path}: {error.message}" for error in errors)


def validate_summary(summary: object) -> None:
    """Raises AssertionError that lists every fault where the summary departs from its schema."""
    faults = summary_faults(summary)
    if faults:
        raise AssertionError("\n".join(faults))


def _side(factor: float) -> dict[str, Any]:
    months = [50.0 * factor] * 12
    return {
        "cost_usd": 250e6 * factor,
        "energy_served_gwh": 6000.0 * factor,
        "programme_energy_gwh": 6000.0 * (factor - 1),
        "unserved_gwh": 0.0,
        "curtailed_gwh": 12.0,
        "generation_gwh_by_fuel": {"coal": 600.0 * factor},
        "generation_gwh_by_fuel_month": {"coal": months},
        "price_usd_per_mwh_mean": 60.0,
        "price_usd_per_mwh_by_zone": {"NORTH": 60.0, "SOUTH": 60.0},
        "pooled_cost_usd_per_mwh": 72.5,
        "pooled_energy_cost_usd_per_mwh": 42.5,
        "capacity_payment_usd": 180e6,
        "capacity_payment_usd_per_mwh": 30.0,
        "capacity_payment_per_kwh": 3.0,
        "fuel_cost_usd": 200e6,
        "fuel_imports_usd": 150e6,
        "trade": {"imports_gwh": 0.0, "exports_gwh": 0.0, "import_cost_usd": 0.0, "export_income_usd": 0.0},
        "emissions_t": 3.5e6,
        "congestion_rent_usd": 1e6,
        "corridors": [
            {
                "corridor": "NS",
                "name": "North to South",
                "kind": "AC",
                "from_zone": "NORTH",
                "to_zone": "SOUTH",
                "limit_mw": 250.0,
                "mean_mw": 120.0,
                "use_share": 0.48,
                "congested_hours": 900,
                "congestion_rent_usd": 1e6,
            }
        ],
    }


def _change() -> dict[str, Any]:
    change: dict[str, Any] = {
        key: value for key, value in _side(0.1).items() if key not in {"corridors", "programme_energy_gwh"}
    }
    # 25 million USD over 600 GWh.
    return change | {"programme_energy_gwh": 600.0, "fuel_imports_usd": -15e6, "cost_per_programme_mwh": 41.7}


def _rule(consumers: float, plants: float, programme: float) -> dict[str, Any]:
    changes = {"consumers": consumers, "plants": plants, "programme": programme, "state": 0.0}
    names = {
        "consumers": "Homes",
        "plants": "Coal plants",
        "programme": "The programme",
        "state": "The state",
    }
    return {
        "parties": [
            {"party": f"{group}.one", "group": group, "name": names[group], "change_usd": change}
            for group, change in changes.items()
        ],
        "by_group": changes,
        "sum_usd": 25e6,
        "system_cost_change_usd": 25e6,
        "difference_usd": 0.0,
        "consumer_change_per_kwh": consumers / 6e9 * 100,
    }


def _surplus() -> dict[str, Any]:
    return {
        "reserve_margin_share": 0.1,
        "mean_mw": 400.0,
        "minimum_mw": -20.0,
        "by_zone": [{"zone": "NORTH", "mean_mw": 400.0, "hours_above_2000_mw": 0}],
        "by_month": [{"month": month, "mean_mw": 400.0, "minimum_mw": -20.0} for month in range(1, 13)],
        "duration_curve": [{"share_of_hours": 0.0, "mw": 800.0}, {"share_of_hours": 1.0, "mw": -20.0}],
        "price_usd_per_mwh": [40.0, 80.0],
        "share_of_hours": [0.5, 0.8, 0.9, 0.95, 0.99, 1.0],
        "supply_curve": [{"share_of_hours": 0.5, "price_usd_per_mwh": 40.0, "mw": 100.0}],
        "programme_mw": 100.0,
        "price_for_programme": [{"share_of_hours": 1.0, "price_usd_per_mwh": None}],
    }


def _programme() -> dict[str, Any]:
    bid = {"name": "new rigs", "zone": "NORTH", "load": "mining", "mw": 100.0, "value_usd_per_mwh": 90.0}
    bid |= {"kind": "s21", "mode": "full", "step": "low_power", "came_share": 0.9}
    assumed = {"parameter": "hashprice", "value": 50.0, "low": 40.0, "high": 60.0, "unit": "USD/PH/day"}
    return {
        "mw": 100.0,
        "mining_share": 1.0,
        "firm": False,
        "tariff_per_kwh": 8.0,
        "tariff_usd_per_mwh": 80.0,
        "energy_gwh": 600.0,
        "served_share": 0.685,
        "payment_usd": 48e6,
        "value_usd": 54e6,
        "sites": [{"zone": "NORTH", "share": 1.0, "mw": 100.0}],
        "bids": [bid | {"bid_usd_per_mwh": 80.0, "energy_gwh": 600.0, "served_share": 0.685}],
        "bid_groups": [
            {"load": "mining", "kind": "s21", "mode": "full", "step": "low_power", "mw": 100.0}
            | {"value_low_usd_per_mwh": 90.0, "value_high_usd_per_mwh": 90.0, "came_share": 0.9}
            | {"bid_low_usd_per_mwh": 80.0, "bid_high_usd_per_mwh": 80.0, "energy_gwh": 600.0}
            | {"served_share": 0.685}
        ],
        "by_load": [
            {"load": "mining", "mw": 100.0, "came_share": 0.9, "energy_gwh": 600.0, "served_share": 0.685},
            {"load": "ai", "mw": 0.0, "came_share": 0.0, "energy_gwh": 0.0, "served_share": 0.0},
        ],
        "jobs": {
            load: {"jobs": jobs, "low": 0.5 * jobs, "high": 2.0 * jobs}
            for load, jobs in (("mining", 70.0), ("ai", 0.0), ("total", 70.0))
        },
        "assumptions": [assumed | {"basis": "assumption", "source": "guess", "note": ""}],
    }


def _network() -> dict[str, Any]:
    return {
        "year": 2025,
        "rounds": 3,
        "settled": True,
        "moved": 1e-9,
        "months": [
            {
                "month": month,
                "hashprice_alone_usd_per_ph_day": 50.0,
                "hashprice_usd_per_ph_day": 49.0,
                "hashprice_without_response_usd_per_ph_day": 48.0,
                "own_ehs": 40.0,
                "others_left_ehs": 20.0,
                "network_ehs": 980.0,
                "share": 40.0 / 980.0,
                "fall": 0.02,
                "rounds": 3,
                "converged": True,
                "residual": 1e-9,
            }
            for month in range(1, 13)
        ],
    }


def _own_effect() -> dict[str, Any]:
    bare = {"hashprice_usd_per_ph_day": 36.0, "share": 0.1, "fall": 0.1, "income_lost_usd_per_day": 0.4e6}
    answer = {"others_left_ehs": 40.0, "converged": True, "residual": 1e-9}
    answered = {
        name: bare | answer | {"hashprice_usd_per_ph_day": hashprice, "fall": 1.0 - hashprice / 40.0}
        for name, hashprice in (
            ("with_response", 37.6),
            ("with_least_response", 37.0),
            ("with_most_response", 38.0),
        )
    }
    return {
        "date": "2026-09-25",
        "mw": 2000.0,
        "efficiency_j_per_th": 20.0,
        "own_ehs": 100.0,
        "network_ehs": 900.0,
        "price_usd": 80_000.0,
        "hashprice_usd_per_ph_day": 40.0,
        "without_response": bare,
        **answered,
    }


def _miners() -> dict[str, Any]:
    def case(present: float) -> dict[str, Any]:
        return {
            "capital_usd": 80e6,
            "cash_usd": [20e6, 15e6],
            "resale_usd": 30e6,
            "net_present_usd": present,
            "internal_rate_share_per_year": -0.1,
            "payback_years": None,
        }

    return {
        "mw": 100.0,
        "hashrate_ehs": 5.0,
        "hashprice_mean_usd_per_ph_day": 49.0,
        "notice_minutes": 10.0,
        "ramp_minutes": 1.0,
        "minimum_stop_hours": 1.0,
        "restart_minutes": 10.0,
        "cohorts": [
            {
                "cohort": "s21",
                "model": "Antminer S21",
                "share": 1.0,
                "machines": 26_000.0,
                "age_years": 0.0,
                "efficiency_j_per_th": 17.5,
                "meter_j_per_th": 19.25,
                "price_usd": 2000.0,
                "low_power_share": None,
                "low_hash_share": None,
                "break_even_low_usd_per_mwh": None,
                "break_even_full_usd_per_mwh": 104.0,
                "served_share_low": None,
                "served_share_full": 0.685,
            }
        ],
        "investment": {"low": case(-30e6), "central": case(-20e6), "high": case(5e6)},
    }


def _ai() -> dict[str, Any]:
    return {
        "mw": 0.0,
        "pue": [{"zone": "NORTH", "mean": 1.4, "low": 1.1, "high": 1.6}],
        "value_usd_per_mwh": 1400.0,
        "slowing_cost_usd_per_mwh": 900.0,
        "classes": [
            {
                "work_class": "batch",
                "name": "Batch inference",
                "share": 1.0,
                "step": "deferrable",
                "window_hours": 12.0,
                "rent_usd_per_gpu_hour": 1.1,
                "node_power_kw": 7.4,
                "value_usd_per_mwh": 900.0,
                "cuttable_share_of_centre": 0.3,
                "energy_gwh": 0.0,
            }
        ],
        "power_by_hour": [{"local_hour": hour, "mw": {"batch": 0.0}} for hour in range(24)],
        "trials": [
            {"key": "phoenix", "place": "Phoenix", "date": "2025-05-03", "depth_share": 0.25, "hours": 3.0}
            | {"gpus": 256, "notice_minutes": None}
        ],
        "cuts": [{"key": "batch", "depth": 0.1, "hours": 1.0, "taken": 0.1, "usd_per_mwh": None}],
    }


def _step_month(month: int) -> dict[str, Any]:
    """80 GWh offered: 8 stay away, 2 are interrupted, 70 run."""
    return {
        "step": "low_power",
        "month": month,
        "offered_mwh": 80_000.0,
        "left_mwh": 8_000.0,
        "ran_mwh": 70_000.0,
        "late_mwh": 0.0,
        "interrupted_mwh": 2_000.0,
        "lost_mwh": 2_000.0,
        "emergency_mwh": 0.0,
        "hours": 40,
        "worth_usd_per_mwh": 90.0,
        "price_usd_per_mwh": 120.0 if month == 1 else None,
        "cost_usd": 20_000.0,
        "avoided_usd": 0.0,
        "left_kinds": ["s21"],
        "left_worth_usd_per_mwh": 80.0,
    }


def _year(hours: str) -> dict[str, Any]:
    """Twelve times a month's step."""
    month = _step_month(1)
    keys = (
        "offered_mwh",
        "left_mwh",
        "ran_mwh",
        "late_mwh",
        "interrupted_mwh",
        "lost_mwh",
        "emergency_mwh",
        "cost_usd",
    )
    return {key: 12 * month[key] for key in (*keys, "avoided_usd")} | {hours: 12 * month["hours"]}


def _mean_month(month: int) -> dict[str, Any]:
    ran = {"mining_low_mw": 70.0, "mining_full_mw": 26.0, "mining_mw": 96.0, "ai_mw": 0.0}
    rest = {"left_mw": 11.0, "interrupted_mw": 3.0, "late_mw": 0.0, "lost_mw": 3.0, "interrupted_hours": 40}
    return {"month": month, "offered_mw": 110.0, "cost_usd": 20_000.0, "avoided_usd": 0.0, **ran, **rest}


def _loads() -> dict[str, Any]:
    return {
        "network": _network(),
        "own_effect": _own_effect(),
        "miners": _miners(),
        "ai": _ai(),
        "steps": [
            {"key": "low_power", "order": 1, "contract": "mining", "title": "Low power", "load": "mining"}
            | {"year": _year("hours")}
        ],
        "months": [_step_month(month) for month in range(1, 13)],
        "by_month": [_mean_month(month) for month in range(1, 13)],
        "year": _year("interrupted_hours"),
        "contracts": [
            {"contract": "mining", "title": "Mining", "annual_share": 0.1, "came_mwh": 864_000.0}
            | {"allowed_mwh": 86_400.0, "used_mwh": 24_000.0, "emergency_mwh": 0.0}
            | {"binds": False, "price_usd_per_mwh": 0.0}
        ],
        "windows_used": 0,
        "longest_event_hours": 10.0,
        "elasticity": [
            {"percentile": 25, "hashprice_usd_per_ph_day": 104.0, "responding": -0.6, "all_hours": -0.2}
            | {"low": -0.8, "high": -0.5, "published": -0.5, "published_all_hours": -0.2}
        ],
    }


def sample_summary() -> dict[str, Any]:
    """A summary of a country with one fuel and two zones, round in its numbers; free to be changed."""
    zones = (("NORTH", "Nörth", 34.0, 73.0), ("SOUTH", "South", 25.0, 67.0))
    month = {"month": 1, "model_gwh": 50.0, "published_gwh": 50.0}
    fuel = {"fuel": "coal", "name": "Coal", "pool": "GRID", "model_gwh": 600.0, "published_gwh": 600.0}
    assumed = {"table": "parameters", "key": "reserve_margin_share", "value": 0.1, "low": 0.05, "high": 0.15}
    source = {"source": "guess", "title": "Assumptions", "publisher": "The tests", "url": None}
    return {
        "schema_version": 1,
        "penstock_version": "0.1.0",
        "country": {
            "id": "toyland",
            "name": "Toyland",
            "iso3": "XTY",
            "currency": "XTC",
            "currency_per_usd": 100.0,
            "utc_offset_hours": 5,
            "content_hash": "0" * 64,
            "zones": [
                {"zone": zone, "name": name, "latitude": latitude, "longitude": longitude}
                for zone, name, latitude, longitude in zones
            ],
            "external_zones": [],
        },
        "year": 2025,
        "programme": _programme(),
        "loads": _loads(),
        "base": _side(1.0),
        "with_programme": _side(1.1) | {"programme_energy_gwh": 600.0},
        "change": _change(),
        "clearing": {
            side: {"engine": "kernel", "reason": "exact by the hour, certified", "gap": 0.0}
            | {"net_cost_usd": cost, "lower_bound_usd": cost}
            for side, cost in (("base", 250e6), ("with_programme", 221e6))
        },
        "surplus": _surplus(),
        "incidence": {
            "pooled": _rule(-23e6, 0.0, 48e6),
            "marginal": _rule(7e6, -30e6, 48e6),
            "consumer_energy_gwh": 6000.0,
        },
        "guardrails": None,
        "borrowed": [],
        "validation": {
            "fuels": [
                fuel
                | {"difference_gwh": 0.0, "difference_pct": 0.0, "limit": 5.0, "within": True, "input": False}
            ],
            "months": [month | {"fuel": "coal"}],
            "energy": [month | {"difference_pct": 0.0, "within": True}],
            "figures": [
                {"figure": "peak_mw", "name": "Peak", "metric": "peak_demand", "model": 880.0}
                | {"published": 880.0, "limit": 0.02, "within": True, "input": False}
                | {"low": None, "high": None, "unit": "MW", "note": ""}
            ],
        },
        "variants": [
            {"variant": "no_contracts", "title": "Without contracts", "note": "", "cost_usd": 240e6}
            | {"generation_gwh_by_fuel": {"coal": 600.0}}
        ],
        "assumptions": [assumed | {"unit": "1", "source": "guess", "note": None}],
        "sources": [source | {"licence": "CC0-1.0", "dated": None, "note": None}],
    }
