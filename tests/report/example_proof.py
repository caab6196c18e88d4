"""Proofs of a toy country, made up by hand: a tariff, hosting capacity, designs that pass and that do not."""

from __future__ import annotations

import copy
from typing import Any

DAY = "2025-12-31"
CLAUSES = {"hours-short": "Hours short", "full-cost": "Full cost"}
# 1,000 MW that pay 8 XTC/kWh (80 USD/MWh) for 8,000 GWh and add 50 USD/MWh to the cost.
TRIAL: dict[str, Any] = {
    "energy_gwh": 8_000.0,
    "payment_usd": 640e6,
    "added_cost_usd": 400e6,
    "benefit_usd": 240e6,
    "settled": True,
    "needs_xtc_per_kwh": {"marginal": 5.0, "full_per_kwh": 9.0, "full_per_kw": 7.0},
    "fuel_imports_change_usd": 100e6,
    "emissions_change_mt": 2.5,
    "consumer_change_per_kwh": {"pooled": -0.5, "marginal": 1.25},
}


def finding(ident: str, status: str = "passed", **changes: Any) -> dict[str, Any]:
    """A guardrail on the hours short: 0.02 ± 0.001 of at most 0.1 h/year, in NORTH."""
    known = status in ("passed", "failed")
    value, limit = (0.02 if status == "passed" else 0.4), 0.1
    return {
        "id": ident,
        "title": ident.replace("-", " ").capitalize(),
        "clause": f"The text of {ident}.",
        "metric": "lole_change",
        "status": status,
        "passed": status == "passed",
        "binding": True,
        "place": "NORTH" if known else None,
        "value": value if known else None,
        "standard_error": 0.001 if known else None,
        "limit": limit if known else None,
        "margin": limit - value if known else None,
        "unit": "h/year",
        "significant": True if known else None,
        "sentence": f"{ident}: {status}",
        "basis": "assumption",
        "source": "decree",
        "holds_from": "2024-01-01",
        "holds_until": None,
        **changes,
    }


def full_cost(status: str, value: float) -> dict[str, Any]:
    """A guardrail on the shortfall of the full cost, with a limit of 0. value: [XTC/kWh]"""
    return finding(
        "full-cost",
        status,
        metric="full_cost_shortfall_per_kwh",
        unit="XTC/kWh",
        place="year",
        value=value,
        limit=0.0,
        margin=-value,
        standard_error=None,
        significant=None,
    )


def _head() -> dict[str, Any]:
    return {
        "schema_version": 1,
        "penstock_version": "0.1.0",
        "country": {
            "id": "toyland",
            "name": "Toyland",
            "currency": "XTC",
            "currency_per_usd": 100.0,
            "content_hash": "0" * 64,
        },
        "year": 2025,
        "policy": {"title": "Rules of Toyland", "sha256": "a" * 64, "as_of": DAY},
    }


def policy_sources() -> list[dict[str, Any]]:
    """The one source of the guardrails."""
    return [
        {
            "key": "decree",
            "title": "A decree",
            "publisher": "The ministry",
            "url": "https://www.example.org/decree",
            "dated": "2024",
            "note": "says so",
        }
    ]


def _rests_on() -> dict[str, Any]:
    return {
        "assumptions": [
            {
                "parameter": "mining_pool_fee_share",
                "value": 0.02,
                "low": 0.0,
                "high": None,
                "unit": "1",
                "basis": "published",
                "source": "toy",
                "note": "a fee",
            }
        ],
        "sources": [
            {
                "source": "toy",
                "title": "A toy",
                "publisher": "The tests",
                "url": "https://www.example.org/toy",
                "licence": "CC0-1.0",
                "dated": "2025",
            }
        ],
        "policy_sources": policy_sources(),
    }


def programme(**changes: Any) -> dict[str, Any]:
    """1,000 MW, half of it mining, in two zones."""
    return {
        "mw": 1_000.0,
        "mining_share": 0.5,
        "tariff_per_kwh": 8.0,
        "firm": False,
        "sites": [{"zone": "NORTH", "share": 0.75}, {"zone": "SOUTH", "share": 0.25}],
        **changes,
    }


def a_design(**changes: Any) -> dict[str, Any]:
    """The programme as a design that passes, in SOUTH."""
    sites = [{"zone": "SOUTH", "share": 1.0}]
    return {
        **programme(sites=sites),
        "place": "SOUTH",
        "verdict": "passes",
        **copy.deepcopy(TRIAL),
        **changes,
    }


# --- the tariff -------------------------------------------------------------------------------------------


def _floor(tariff: float) -> dict[str, Any]:
    return {"tariff_per_kwh": tariff, "highest_seen_to_fail_per_kwh": tariff - 0.01, "energy_gwh": 8_100.0}


def example_tariff() -> dict[str, Any]:
    """8 pays what is caused (5) and its part by peak power (7), not that by energy (9)."""
    floors = {"marginal": 5.0, "full_per_kwh": 9.0, "full_per_kw": 7.0}
    ceilings = {"mining": (8.5, 12.0, 15.0, 6.0, 20.0), "ai": (90.0, 150.0, 300.0, 90.0, 300.0)}
    keys = ("low", "central", "high", "first_leaves", "last_leaves")
    refused = {"verdict": "refused", "reason": "1 of 1 fails: full-cost", "failed": ["full-cost"]}
    passes = {"verdict": "passes", "reason": "All pass.", "failed": []}
    return {
        **_head(),
        "programme": programme(),
        "floor_xtc_per_kwh": floors,
        "floors": {basis: _floor(tariff) for basis, tariff in floors.items()},
        "finer": [
            {
                "over": "month",
                "tariff_xtc_per_kwh": 6.0,
                "share_of_energy_above_floor": 0.4,
                "binding": [{"place": "June", "cost_xtc_per_kwh": 6.0}],
            },
            {
                "over": "hour",
                "tariff_xtc_per_kwh": 7.5,
                "share_of_energy_above_floor": 0.999,
                "binding": [{"place": "2025-07-01 21:00", "cost_xtc_per_kwh": 7.5}],
            },
        ],
        "ceiling_xtc_per_kwh": {
            load: dict(zip(keys, values, strict=True)) for load, values in ceilings.items()
        },
        "investor_ceiling_xtc_per_kwh": {"low": None, "central": 4.0, "high": 6.5},
        "hashprice_usd_per_ph_day": {"low": 35.0, "central": 50.0, "high": 60.0, "low_place": "2025-11"},
        "windows": [
            {
                "basis": basis,
                "load": load,
                "floor_xtc_per_kwh": floor,
                "ceiling_low_xtc_per_kwh": low,
                "ceiling_xtc_per_kwh": middle,
                "ceiling_high_xtc_per_kwh": high,
                "open": floor <= middle,
            }
            for basis, floor in floors.items()
            for load, (low, middle, high, *_) in ceilings.items()
        ],
        "judged": [
            {
                "tariff_xtc_per_kwh": tariff,
                "name": name,
                "source": source,
                **verdict,
                **copy.deepcopy(TRIAL),
            }
            for tariff, name, source, verdict in (
                (6.5, "The package", "toy", refused),
                (8.0, "", "", refused),
                (10.0, "The ordinary tariff", "toy", passes),
            )
        ],
        "forms": [_form("flat", "Flat", 8.0, 1.0, 50e6), _form("two_part", "Two parts", 9.5, -0.5, -20e6)],
        "clauses": CLAUSES,
        **_rests_on(),
    }


def _form(form: str, title: str, paid: float, short: float, margin: float) -> dict[str, Any]:
    return {
        "form": form,
        "title": title,
        "energy_price_per_kwh": 5.0,
        "charge_per_kw_month": 2_900.0,
        "energy_gwh": 8_000.0,
        "payment_usd": paid * 80e6,
        "paid_per_kwh": paid,
        "added_cost_usd": 400e6,
        "consumer_change_per_kwh": -0.5,
        "full_shortfall_per_kwh": short,
        "mining_margin_usd": margin,
        "ai_margin_usd": 700e6,
    }


# --- hosting capacity ---------------------------------------------------------------------------------------


def hosting_row(
    place: str, share: float | None, mw: float, binding: str | None, headroom: float
) -> dict[str, Any]:
    """What fits in one place at one level. [MW]"""
    return {
        "place": place,
        "interruptible_share": share,
        "mw": mw,
        "binding": binding,
        "most_mw": 20_000.0,
        "by_clause_mw": {} if binding is None else {binding: mw, "full-cost": mw + 321.0},
        "reported_mw": {},
        "headroom": {"share": share or 0.0, "mw": headroom, "hours": 50, "mean_event_hours": 2.5},
    }


def example_hosting() -> dict[str, Any]:
    """3,000 MW firm; more where it may be cut, and more than the simple headroom."""
    return {
        **_head(),
        "outage_years": 200,
        "least_tariff_xtc_per_kwh": 8.0,
        "sites": {"NORTH": 0.75, "SOUTH": 0.25},
        "firm_mw": 3_000.0,
        "interruptible_mw": {"0.0025": 4_000.0, "0.05": 6_000.0},
        "rows": [
            hosting_row("together", None, 3_000.0, "hours-short", 0.0),
            hosting_row("together", 0.0025, 4_000.0, "interruption", 400.0),
            hosting_row("together", 0.05, 6_000.0, "interruption", 1_500.0),
            hosting_row("NORTH", None, 2_500.0, "hours-short", 0.0),
            hosting_row("NORTH", 0.0025, 2_600.0, "interruption", 300.0),
            hosting_row("NORTH", 0.05, 2_700.0, "interruption", 1_000.0),
            hosting_row("SOUTH", None, 0.0, "hours-short", 0.0),
            hosting_row("SOUTH", 0.0025, 700.0, "interruption", 100.0),
            hosting_row("SOUTH", 0.05, 20_000.0, None, 500.0),
        ],
        "clauses": CLAUSES,
        **_rests_on(),
    }


# --- designs ----------------------------------------------------------------------------------------------


def case(key: str, title: str, failed: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    """The design under another assumption."""
    verdict = "refused" if failed else "passes"
    return {"case": key, "title": title, "verdict": verdict, "failed": list(failed), **TRIAL, **changes}


def example_design() -> dict[str, Any]:
    """800 MW at 10 XTC/kWh pass, the highest tariff tried being 12; what was proposed fails the full cost."""
    best = a_design(mw=800.0, tariff_per_kwh=10.0, benefit_usd=300e6)
    runner = a_design(mw=750.0, tariff_per_kwh=10.0, firm=True, benefit_usd=290e6)
    return {
        **_head(),
        "verdict": "passes",
        "reason": f"All 2 binding clauses in force on {DAY} pass.",
        "guardrails": [
            finding("hours-short"),
            full_cost("passed", -1.0),
            finding("co2-cap", "failed", binding=False, metric="emissions_change", source="unknown"),
            finding("reserve-limit", "not in force", metric="reserve_exposure_share", unit="1"),
        ],
        "binding": "hours-short",
        "design": best,
        "nearest": None,
        "runner_up": runner,
        "by_mining_share": [
            {"mining_share": 0.0, "design": a_design(mining_share=0.0, benefit_usd=280e6)},
            {"mining_share": 0.5, "design": best},
            {"mining_share": 1.0, "design": None},
        ],
        "must_move": [],
        "proposed": {
            "verdict": "refused",
            "reason": f"1 of 2 binding clauses in force on {DAY} fails: full-cost",
            "guardrails": [
                finding("hours-short"),
                full_cost("failed", 1.0),
            ],
            "tariff_xtc_per_kwh": 8.0,
            "mw": 1_000.0,
            **copy.deepcopy(TRIAL),
        },
        "sensitivity": [
            case("fuel_low", "Imported fuel 20% cheaper", benefit_usd=320e6),
            case("fuel_high", "Imported fuel 20% dearer", ("full-cost",), benefit_usd=-10e6),
        ],
        "search": {
            "designs_tried": 1_234,
            "most_mw": 1_000.0,
            "highest_tariff_xtc_per_kwh": 12.0,
            "outage_years": 200,
            "seed": 1,
        },
        **_rests_on(),
    }


def nothing_passes() -> dict[str, Any]:
    """Hours short stand in the way of every design; 0.4 of at most 0.1."""
    document = example_design()
    failed = finding("hours-short", "failed")
    nearest = a_design(verdict="refused", mw=500.0, tariff_per_kwh=12.0)
    document |= {
        "verdict": "refused",
        "reason": f"1 of 2 binding clauses in force on {DAY} fails: hours-short",
        "guardrails": [failed, *document["guardrails"][1:]],
        "binding": "hours-short",
        "design": None,
        "nearest": nearest,
        "runner_up": None,
        "by_mining_share": [{"mining_share": share, "design": None} for share in (0.0, 0.5, 1.0)],
        "must_move": [
            {
                "id": "hours-short",
                "limit": 0.1,
                "unit": "h/year",
                "move": {"side": "at_most", "amount": 0.3, "unit": "h/year", "limit": 0.4},
                "design": nearest,
            },
            {"id": "full-cost", "limit": None, "unit": "XTC/kWh", "move": None, "design": nearest},
        ],
        "sensitivity": [case("fuel_low", "Imported fuel 20% cheaper", ("hours-short",))],
    }
    return document


def no_rule() -> dict[str, Any]:
    """No guardrail is in force: nothing passes, and there is no nearest design."""
    document = nothing_passes()
    reason = f"No clause is in force on {DAY}; without a rule nothing passes."
    rows = [finding("hours-short", "not in force")]
    document |= {
        "reason": reason,
        "guardrails": rows,
        "binding": None,
        "nearest": None,
        "must_move": [],
        "sensitivity": [],
        "proposed": {**document["proposed"], "reason": reason, "guardrails": rows},
    }
    return document


def in_dollars(document: dict[str, Any]) -> dict[str, Any]:
    """The same in a country that pays in USD, a hundredth of every price: 1.5 MW where a design has 800."""

    def changed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {
                name.replace("_xtc_", "_usd_"): changed(
                    inner,
                    name if name.endswith(("_per_kwh", "_gwh")) or not key.endswith("_per_kwh") else key,
                )
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [changed(inner, key) for inner in value]
        if isinstance(value, float) and key.endswith("_per_kwh"):
            return value / 100.0
        return "USD/kWh" if value == "XTC/kWh" else value

    found: dict[str, Any] = changed(copy.deepcopy(document))
    found["country"] |= {"currency": "USD", "currency_per_usd": 1.0}
    if found.get("design"):
        found["design"] |= {
            "mw": 1.5,
            "benefit_usd": 52_000.0,
            "payment_usd": 1.2e6,
            "added_cost_usd": 1.148e6,
        }
    return found
