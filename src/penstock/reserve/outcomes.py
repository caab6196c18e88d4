"""What a simulation came to, policy by policy, as plain rows with their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .risk import QUANTILES, mean_of, quantiles_of, share_of, tail_risk
from .simulate import Simulation
from .treasury import reserve_parameter

__all__ = ["describe_simulation"]

_SATOSHI_PER_BTC = 1e8
MONTHS = 12


def describe_simulation(found: Simulation, imports_usd: float) -> list[dict[str, Any]]:
    """One row for each policy; money in USD unless a key says otherwise.

    imports_usd: of goods and services in a year, for months of imports. [USD/year]
    """
    return [_row(found, place, imports_usd) for place in range(len(found.policies))]


def _row(found: Simulation, place: int, imports_usd: float) -> dict[str, Any]:
    policy, treasury = found.policies[place], found.treasury

    def figure(name: str) -> Any:
        return found.figure(policy.key, name)

    gain, value, cost = figure("gain"), figure("value"), figure("cost_basis")
    monthly = imports_usd / MONTHS
    months = (treasury.fx_reserves_usd + value - figure("debt")) / monthly
    level = reserve_parameter("risk_level_share").value
    tail = tail_risk(-figure("gain_first_year"), level)
    service = figure("interest") + figure("principal")
    return {
        "policy": policy.key,
        "name": policy.name,
        "rule": policy.rule,
        "coins_btc": asdict(mean_of(figure("coins") / _SATOSHI_PER_BTC)),
        "value_usd": asdict(mean_of(value)),
        "cost_basis_usd": asdict(mean_of(cost)),
        "gain_usd": asdict(mean_of(gain)),
        "gain_quantiles_usd": list(quantiles_of(gain)),
        "loses": asdict(share_of(gain < 0.0)),
        "deepest_fall_usd": asdict(mean_of(figure("deepest_fall"))),
        "value_at_risk_usd": asdict(tail.value_at_risk),
        "expected_shortfall_usd": asdict(tail.beyond),
        "above_cap": None
        if treasury.watched_cap is None
        else asdict(share_of(figure("above_cap_days") > 0.0)),
        "budget_usd_per_year": asdict(mean_of(figure("budget") / found.years)),
        "paid_out_usd_per_year": asdict(mean_of(figure("paid_out") / found.years)),
        "debt_service_usd": asdict(mean_of(service)),
        "debt_not_covered": asdict(share_of(figure("unpaid") > 0.0)),
        "debt_not_covered_usd": asdict(mean_of(figure("unpaid"))),
        "forced_sale": asdict(share_of(figure("forced_sale") > 0.0)),
        "months_of_imports": asdict(mean_of(months)),
        "months_of_imports_quantiles": list(quantiles_of(months)),
        "less_hold_usd": _less_hold(found, gain),
        "yearly_value_quantiles_usd": _yearly(found, place, 0),
        "yearly_gain_quantiles_usd": _yearly(found, place, 1),
    }


def _less_hold(found: Simulation, gain: Any) -> dict[str, Any] | None:
    """Gain less that of holding on the same paths; None where holding is not among the policies."""
    if all(policy.key != "hold" for policy in found.policies):
        return None
    return asdict(mean_of(gain - found.figure("hold", "gain")))


def _yearly(found: Simulation, place: int, what: int) -> list[list[float]]:
    """Quantiles at the end of each year, those of `quantile_levels`."""
    rows: list[list[float]] = np.quantile(found.yearly[:, place, :, what], QUANTILES, axis=0).T.tolist()
    return rows


def quantile_levels() -> Sequence[float]:
    """Shares that the quantiles of a row stand for. [1]"""
    return QUANTILES
