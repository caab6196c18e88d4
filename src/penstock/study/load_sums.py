"""Sums over the loads that the report and the terminal show: by month, step, kind and hour of day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from penstock.market.system import FloatArray
from penstock.programme import Operation
from penstock.programme.decision import came
from penstock.programme.months import StepMonth, stopped_by_step
from penstock.programme.parts import Part

from .results import Results

__all__ = ["bid_groups", "by_load", "by_month", "by_step", "month_rows", "of_year", "power_by_hour"]

_MWH_PER_GWH = 1000.0
#: Less than this left in a month is rounding.
_TINY_MWH = 1e-3
#: Sums of `StepMonth`, in MWh.
_ENERGIES = (
    *("offered_mwh", "left_mwh", "ran_mwh", "late_mwh"),
    *("interrupted_mwh", "lost_mwh", "emergency_mwh"),
)


def month_rows(operation: Operation, rows: Iterable[StepMonth]) -> list[dict[str, Any]]:
    """Every step and month, with who left and what a MWh was worth to them.

    left_kinds: cohorts or classes of work of which some stay away, in the order of the plan.
    left_worth_usd_per_mwh: mean over the MWh that stay away; None where none do. Whoever stays away avoids
        the tariff less the worth. [USD/MWh]
    """
    found = []
    for row in rows:
        left = row.left_mwh > _TINY_MWH
        worth = operation.plan.tariff - row.avoided_usd / row.left_mwh if left else None
        kinds = _left_kinds(operation, row.step, row.month) if left else []
        found.append(asdict(row) | {"left_kinds": kinds, "left_worth_usd_per_mwh": worth})
    return found


def _left_kinds(operation: Operation, step: str, month: int) -> list[str]:
    coming = operation.decision.coming[:, month - 1]
    parts = operation.plan.parts
    return list(
        dict.fromkeys(
            part.kind
            for part, share in zip(parts, coming, strict=True)
            if part.step == step and not part.late and share < 1.0 and part.offered.max() > 0.0
        )
    )


def by_step(rows: Iterable[StepMonth]) -> dict[str, dict[str, float]]:
    """The year of every step: energies, cost and what was avoided, and hours with an interruption."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        total = found.setdefault(row.step, dict.fromkeys((*_ENERGIES, "cost_usd", "avoided_usd", "hours"), 0))
        for key in total:
            total[key] += getattr(row, key)
    return found


def of_year(operation: Operation, rows: Sequence[StepMonth]) -> dict[str, float]:
    """All steps together: energies, cost, what was avoided, and hours with any interruption."""
    keys = (*_ENERGIES, "cost_usd", "avoided_usd")
    total = {key: float(sum(getattr(row, key) for row in rows)) for key in keys}
    return total | {"interrupted_hours": int(_any_stopped(operation).sum())}


def _any_stopped(operation: Operation) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Hours in which any step was interrupted, shape (hours,)."""
    return np.asarray(
        np.any([hourly > 0.0 for hourly in stopped_by_step(operation).values()], axis=0), dtype=np.bool_
    )


def by_month(operation: Operation, rows: Sequence[StepMonth]) -> list[dict[str, Any]]:
    """Mean power of the loads by month, their cost, and the hours in which any was interrupted.

    Of what is offered, ran (mining in low-power mode, what full power adds, AI), late, lost and left add up.
    """
    month = operation.plan.where.month - 1
    hours = np.bincount(month, minlength=12)
    cut = np.bincount(month[_any_stopped(operation)], minlength=12)
    terms = operation.plan.terms
    found = []
    for index in range(12):
        steps = [row for row in rows if row.month == index + 1]

        def mean(key: str, keys: Iterable[StepMonth], length: int = int(hours[index])) -> float:
            return float(sum(getattr(row, key) for row in keys)) / length if length else 0.0

        mining = [row for row in steps if terms.contracts[terms.steps[row.step].contract].load == "mining"]
        full = [row for row in mining if row.step == "low_power"]
        low = [row for row in mining if row.step != "low_power"]
        ai = [row for row in steps if row not in mining]
        found.append(
            {
                "month": index + 1,
                "offered_mw": mean("offered_mwh", steps),
                "mining_low_mw": mean("ran_mwh", low),
                "mining_full_mw": mean("ran_mwh", full),
                "mining_mw": mean("ran_mwh", mining),
                "ai_mw": mean("ran_mwh", ai),
                "left_mw": mean("left_mwh", steps),
                "interrupted_mw": mean("interrupted_mwh", steps),
                "late_mw": mean("late_mwh", steps),
                "lost_mw": mean("lost_mwh", steps),
                "interrupted_hours": int(cut[index]),
                "cost_usd": float(sum(row.cost_usd for row in steps)),
                "avoided_usd": float(sum(row.avoided_usd for row in steps)),
            }
        )
    return found


def power_by_hour(operation: Operation) -> list[dict[str, Any]]:
    """Mean power of each class of AI work by local hour of the day, before anybody is interrupted. [MW]"""
    hour = operation.plan.where.local_hour
    days = np.maximum(np.bincount(hour, minlength=24), 1)
    total: dict[str, FloatArray] = {}
    for part in operation.plan.parts:
        if part.load == "ai" and not part.late:
            mean = np.bincount(hour, part.offered, 24) / days
            total[part.kind] = total[part.kind] + mean if part.kind in total else mean
    return [
        {"local_hour": index, "mw": {kind: float(mean[index]) for kind, mean in total.items()}}
        for index in range(24)
    ]


def by_load(results: Results) -> list[dict[str, Any]]:
    """Mining and AI: size, share of their energy that comes, and that is served."""
    programme = results.programme
    sizes = {"mining": programme.mining_share, "ai": 1.0 - programme.mining_share}
    parts = results.operation.plan.parts
    found = []
    for load, share in sizes.items():
        members = [index for index, part in enumerate(parts) if part.load == load and not part.late]
        late = [index for index, part in enumerate(parts) if part.load == load and part.late]
        found.append({"load": load, "mw": programme.mw * share, **_energy(results, members, late)})
    return found


def bid_groups(results: Results) -> list[dict[str, Any]]:
    """The bids by load, kind and mode, all zones together: power and energy added, prices as ranges."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    operation = results.operation
    for index, row in enumerate(operation.bids):
        groups.setdefault((row.part.load, row.part.kind, row.part.mode), []).append(index)
    found = []
    for (load, kind, mode), members in groups.items():
        parts = [operation.bids[index].part for index in members]
        bids = [float(np.median(operation.bids[index].bid.value)) for index in members]
        worth = [float(part.value(operation.answer.hashprice).mean()) for part in parts]
        found.append(
            {
                "load": load,
                "kind": kind,
                "mode": mode,
                "step": parts[0].step,
                "mw": sum(_most(part) for part in parts),
                "value_low_usd_per_mwh": min(worth),
                "value_high_usd_per_mwh": max(worth),
                "bid_low_usd_per_mwh": min(bids),
                "bid_high_usd_per_mwh": max(bids),
                **_energy(results, members),
            }
        )
    return found


def _most(part: Part) -> float:
    return float(np.max(part.offered))


def _energy(results: Results, members: list[int], late: Iterable[int] = ()) -> dict[str, float]:
    """late: parts whose energy is work of the members, done later."""
    operation, accepted = results.operation, results.operation.taken
    whole = sum(float(operation.plan.parts[index].offered.sum()) for index in members)
    comes = sum(float(came(operation.plan, operation.decision, index).sum()) for index in members)
    used = float(accepted[:, [*members, *late]].sum())
    return {
        "came_share": comes / whole if whole else 0.0,
        "energy_gwh": used / _MWH_PER_GWH,
        "served_share": used / whole if whole else 0.0,
    }
