"""The loads of the made-up study: what they are, and who ran, left or was stopped in each month."""

from __future__ import annotations

from typing import Any

TARIFF = 80.2
HOURS = [744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744]
STEPS = (
    ("low_power", "mining", "mining", "Mining in low-power mode", 300_000.0, 70.0),
    ("mining_stopped", "mining", "mining", "Mining stopped", 700_000.0, 130.0),
    ("work_deferred", "deferrable", "ai", "Batch work deferred", 90_000.0, 720.0),
    ("training_paused", "training", "ai", "Training paused", 60_000.0, 930.0),
    ("serving_cut", "serving", "ai", "Serving cut", 250_000.0, 1500.0),
)
#: By step and month: left, who, worth of what left.
LEFT: dict[tuple[str, int], tuple[float, list[str], float]] = {
    **{("low_power", month): (120_000.0, ["s21", "s19"], 66.0) for month in range(1, 7)},
    ("mining_stopped", 1): (70_000.0, ["s19"], 75.0),
    ("low_power", 12): (30_000.0, ["s21"], 80.2),
}
#: By step and month: interrupted, of it done late, hours, mean price, cost.
STOPPED = {
    ("low_power", 7): (6_000.0, 0.0, 12, 95.0, 250_000.0),
    ("work_deferred", 7): (4_000.0, 3_000.0, 1, 990.0, 900_000.0),
}
ENERGIES = (
    *("offered_mwh", "left_mwh", "ran_mwh", "late_mwh"),
    *("interrupted_mwh", "lost_mwh", "emergency_mwh"),
)


def _step_month(step: str, month: int, offered: float, worth: float) -> dict[str, Any]:
    left, kinds, left_worth = LEFT.get((step, month), (0.0, [], None))
    stopped, late, hours, price, cost = STOPPED.get((step, month), (0.0, 0.0, 0, None, 0.0))
    return {
        "step": step,
        "month": month,
        "offered_mwh": offered,
        "left_mwh": left,
        "ran_mwh": offered - left - stopped,
        "late_mwh": late,
        "interrupted_mwh": stopped,
        "lost_mwh": stopped - late,
        "emergency_mwh": 0.0,
        "hours": hours,
        "worth_usd_per_mwh": worth,
        "price_usd_per_mwh": price,
        "cost_usd": cost,
        "avoided_usd": 0.0 if left_worth is None else left * (TARIFF - left_worth),
        "left_kinds": kinds,
        "left_worth_usd_per_mwh": left_worth,
    }


def _sum(rows: list[dict[str, Any]], *keys: str) -> dict[str, Any]:
    return {key: sum(row[key] for row in rows) for key in keys}


def _month(month: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    own = {row["step"]: row for row in rows if row["month"] == month}
    hours = HOURS[month - 1]

    def mean(key: str, *steps: str) -> float:
        return float(sum(own[step][key] for step in steps or own)) / hours

    return {
        "month": month,
        "offered_mw": mean("offered_mwh"),
        "mining_low_mw": mean("ran_mwh", "mining_stopped"),
        "mining_full_mw": mean("ran_mwh", "low_power"),
        "mining_mw": mean("ran_mwh", "low_power", "mining_stopped"),
        "ai_mw": mean("ran_mwh", "work_deferred", "training_paused", "serving_cut"),
        "left_mw": mean("left_mwh"),
        "interrupted_mw": mean("interrupted_mwh"),
        "late_mw": mean("late_mwh"),
        "lost_mw": mean("lost_mwh"),
        "interrupted_hours": max(row["hours"] for row in own.values()),
        "cost_usd": float(sum(row["cost_usd"] for row in own.values())),
        "avoided_usd": float(sum(row["avoided_usd"] for row in own.values())),
    }


def _network() -> dict[str, Any]:
    months = [
        {
            "month": month,
            "hashprice_alone_usd_per_ph_day": 50.0 + month,
            "hashprice_usd_per_ph_day": 48.5 + month,
            "hashprice_without_response_usd_per_ph_day": 47.25 + month,
            "own_ehs": 45.0,
            "others_left_ehs": 14.0,
            "network_ehs": 900.0,
            "share": 0.05,
            "fall": 1.5 / (50.0 + month),
            "rounds": 3,
            "converged": True,
            "residual": 1e-9,
        }
        for month in range(1, 13)
    ]
    return {"year": 2025, "rounds": 2, "settled": True, "moved": 0.0, "months": months}


def _own_effect() -> dict[str, Any]:
    def case(hashprice: float, share: float, left: float, lost: float) -> dict[str, Any]:
        return {
            "hashprice_usd_per_ph_day": hashprice,
            "share": share,
            "others_left_ehs": left,
            "income_lost_usd_per_day": lost,
        }

    return {
        "date": "2026-09-25",
        "mw": 2000.0,
        "efficiency_j_per_th": 17.5,
        "own_ehs": 114.3,
        "network_ehs": 930.0,
        "price_usd": 80_000.0,
        "hashprice_usd_per_ph_day": 41.0,
        "without_response": {
            "hashprice_usd_per_ph_day": 36.5,
            "share": 0.109,
            "income_lost_usd_per_day": 510_000.0,
        },
        "with_response": case(38.0, 0.114, 41.0, 340_000.0),
        "with_least_response": case(37.2, 0.112, 21.0, 430_000.0),
        "with_most_response": case(38.4, 0.115, 52.0, 290_000.0),
    }


def _miners() -> dict[str, Any]:
    cohorts = [
        {
            "cohort": key,
            "model": model,
            "share": share,
            "machines": machines,
            "age_years": 0.0,
            "efficiency_j_per_th": efficiency,
            "meter_j_per_th": efficiency * 1.1,
            "price_usd": 1000.0,
            "low_power_share": 0.673 if low is not None else None,
            "low_hash_share": 0.8 if low is not None else None,
            "break_even_low_usd_per_mwh": low,
            "break_even_full_usd_per_mwh": full,
            "served_share_low": None if low is None else 0.95,
            "served_share_full": 0.4,
        }
        for key, model, share, machines, efficiency, low, full in (
            ("xp", "Antminer S21 XP", 0.25, 65_634.0, 13.5, 160.04, 82.34),
            ("s21", "Antminer S21", 0.6, 82_023.0, 17.5, 123.46, 63.52),
            ("s19", "Antminer S19 XP", 0.1, 47_688.0, 21.5, 100.49, 51.7),
            ("old", "Whatsminer M30S", 0.05, 9_000.0, 38.0, None, 47.11),
        )
    ]
    investment = {
        "low": (-883.2, [182.6, 0.0, 0.0], -0.189, None),
        "central": (-522.5, [210.6, 15.3, 0.0, 0.0], -0.128, None),
        "high": (41.0, [256.6, 118.7, 15.4, 0.0, 0.0], 0.171, 3.4),
    }
    return {
        "mw": 1400.0,
        "hashrate_ehs": 80.0,
        "hashprice_mean_usd_per_ph_day": 55.0,
        "notice_minutes": 10.0,
        "ramp_minutes": 1.0,
        "minimum_stop_hours": 1.0,
        "restart_minutes": 10.0,
        "cohorts": cohorts,
        "investment": {
            name: {
                "capital_usd": 900e6,
                "cash_usd": [million * 1e6 for million in cash],
                "resale_usd": 300e6,
                "net_present_usd": present * 1e6,
                "internal_rate_share_per_year": rate,
                "payback_years": payback,
            }
            for name, (present, cash, rate, payback) in investment.items()
        },
    }


def _ai() -> dict[str, Any]:
    classes = [
        {
            "work_class": key,
            "name": name,
            "share": share,
            "step": step,
            "window_hours": window,
            "rent_usd_per_gpu_hour": rent,
            "node_power_kw": 8.4,
            "value_usd_per_mwh": value,
            "cuttable_share_of_centre": cuttable,
            "energy_gwh": energy,
        }
        for key, name, share, step, window, rent, value, cuttable, energy in (
            ("serving", "Serving of users", 0.5, "firm", None, 2.3, 1500.0, 0.0, 2000.0),
            ("batch", "Batch inference", 0.3, "deferrable", 12.0, 1.15, 720.0, 0.14, 1076.0),
            ("training", "Training", 0.2, "interruptible", None, 1.7, 930.0, 0.09, 720.0),
        )
    ]
    cuts = [
        {"key": key, "depth": depth, "hours": hours, "taken": taken, "usd_per_mwh": cost}
        for depth in (0.1, 0.3)
        for hours in (1.0, 10.0)
        for key, taken, cost in (
            ("serving", 0.0, None),
            ("batch", min(depth, 0.14), 175.0 * hours),
            ("training", max(depth - 0.14, 0.0), 2226.5 if depth > 0.14 else None),
            ("centre", depth, 900.0 + hours),
        )
    ]
    return {
        "mw": 600.0,
        "pue": [
            {"zone": "south", "mean": 1.38, "low": 1.14, "high": 1.59},
            {"zone": "centre", "mean": 1.35, "low": 1.12, "high": 1.58},
        ],
        "value_usd_per_mwh": 1134.0,
        "slowing_cost_usd_per_mwh": 714.0,
        "classes": classes,
        "power_by_hour": [
            {"local_hour": hour, "mw": {"serving": 100.0 + hour, "batch": 90.0, "training": 110.0}}
            for hour in range(24)
        ],
        "trials": [
            {"key": "phoenix", "place": "Phoenix", "date": "2025-05-03", "depth_share": 0.25}
            | {"hours": 3.0, "gpus": 256, "notice_minutes": 15.0},
            {"key": "london", "place": "London", "date": "2025-12", "depth_share": 0.3}
            | {"hours": 10.0, "gpus": 96, "notice_minutes": 0.5},
        ],
        "cuts": cuts,
    }


def example_loads() -> dict[str, Any]:
    """The loads of the summary."""
    months = [
        _step_month(key, month, offered, worth)
        for key, _, _, _, offered, worth in STEPS
        for month in range(1, 13)
    ]
    summed = (*ENERGIES, "cost_usd", "avoided_usd")
    return {
        "network": _network(),
        "own_effect": _own_effect(),
        "miners": _miners(),
        "ai": _ai(),
        "steps": [
            {"key": key, "order": n, "contract": contract, "title": title, "load": load}
            | {"year": _sum([row for row in months if row["step"] == key], *summed, "hours")}
            for n, (key, contract, load, title, _, _) in enumerate(STEPS, start=1)
        ],
        "months": months,
        "by_month": [_month(month, months) for month in range(1, 13)],
        "year": _sum(months, *summed) | {"interrupted_hours": 12},
        "contracts": [
            {"contract": key, "title": title, "annual_share": share, "came_mwh": came}
            | {"allowed_mwh": came * share, "used_mwh": used, "emergency_mwh": 1500.0 * binds}
            | {"binds": binds, "price_usd_per_mwh": price}
            for key, title, share, came, used, binds, price in (
                ("mining", "Mining", 0.1, 11_000_000.0, 6_000.0, False, 0.0),
                ("deferrable", "Batch work", 0.01, 400_000.0, 4_000.0, True, 10.98),
                ("training", "Training", 0.005, 720_000.0, 0.0, False, 0.0),
                ("serving", "Serving", 0.0025, 3_000_000.0, 0.0, False, 0.0),
            )
        ],
        "windows_used": 1,
        "longest_event_hours": 10.0,
        "elasticity": [
            {"percentile": 25, "hashprice_usd_per_ph_day": 103.9, "responding": -0.63, "all_hours": -0.23}
            | {"low": -0.77, "high": -0.47, "published": -0.5, "published_all_hours": -0.2},
            {"percentile": 75, "hashprice_usd_per_ph_day": 266.4, "responding": -0.13, "all_hours": -0.05}
            | {"low": -0.16, "high": -0.08, "published": 0.0, "published_all_hours": 0.02},
        ],
    }


def example_bids() -> dict[str, Any]:
    """The bids of the programme, all zones together, and its two loads."""
    groups = (
        ("mining", "xp", "low", "mining_stopped", 235.0, 160.0, 160.0, 80.2, 80.2, 1.0, 2058.6, 1.0),
        ("mining", "xp", "full", "low_power", 115.0, 82.3, 82.3, 80.2, 80.2, 0.58, 585.1, 0.58),
        ("mining", "old", "full", "low_power", 70.0, 47.1, 47.1, 80.2, 80.2, 0.0, 0.0, 0.0),
        ("ai", "serving", "run", "serving_cut", 300.0, 1491.4, 1517.7, 990.0, 990.0, 1.0, 2000.0, 1.0),
        ("ai", "batch", "run", "work_deferred", 84.0, 713.3, 725.9, 989.9, 989.9, 1.0, 1076.0, 0.996),
        ("ai", "batch", "late", "work_deferred", 24.0, 713.3, 725.9, 906.0, 906.4, 1.0, 3.0, 0.01),
        ("ai", "training", "run", "training_paused", 54.0, 925.2, 941.5, 990.0, 990.0, 1.0, 720.0, 1.0),
    )
    keys = (
        *("load", "kind", "mode", "step", "mw", "value_low_usd_per_mwh", "value_high_usd_per_mwh"),
        *("bid_low_usd_per_mwh", "bid_high_usd_per_mwh", "came_share", "energy_gwh", "served_share"),
    )
    return {
        "bid_groups": [dict(zip(keys, group, strict=True)) for group in groups],
        "by_load": [
            {
                "load": "mining",
                "mw": 1400.0,
                "came_share": 0.92,
                "energy_gwh": 11_174.0,
                "served_share": 0.919,
            },
            {"load": "ai", "mw": 600.0, "came_share": 1.0, "energy_gwh": 4796.0, "served_share": 0.999},
        ],
    }
