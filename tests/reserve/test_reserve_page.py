"""What docs/what-does-a-reserve-cost.md says is what the simulation says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import main

PAGE = " ".join(
    (Path(__file__).parents[2] / "docs" / "what-does-a-reserve-cost.md").read_text("utf-8").split()
)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    out = tmp_path_factory.mktemp("page")
    assert main(["reserve", "simulate", "pakistan", "--out", str(out)]) == 0
    document = json.loads((out / "reserve.json").read_text("utf-8"))
    found = {case["case"]: {row["policy"]: row for row in case["policies"]} for case in document["cases"]}
    return found | {"document": document}


def millions(usd: float) -> str:
    return f"{usd / 1e6:,.0f}".replace("-", "−")


def test_the_table(cases: dict[str, dict[str, Any]]) -> None:
    for key, flat in cases["no trend"].items():
        if key == "none":
            continue
        trend = cases["record"][key]
        gain = f"{millions(flat['gain_usd']['value'])} ± {millions(flat['gain_usd']['standard_error'])}"
        cells = (
            flat["name"],
            gain,
            millions(flat["gain_quantiles_usd"][2]),
            f"{100 * flat['loses']['value']:.1f}%",
            millions(trend["gain_quantiles_usd"][2]),
            f"{100 * trend['loses']['value']:.1f}%",
        )
        assert f"| {' | '.join(cells)} |" in PAGE


def test_debt_caps_and_the_first_year(cases: dict[str, dict[str, Any]]) -> None:
    flat, trend = cases["no trend"], cases["record"]
    assert (
        f"does not repay it in {100 * flat['debt']['debt_not_covered']['value']:.1f} %".replace("does", "do")
        in PAGE
    )
    assert f"with the trend in {100 * trend['debt']['debt_not_covered']['value']:.1f} %" in PAGE
    assert flat["hold"]["above_cap"]["value"] > 0.9999
    assert f"{100 * trend['daily']['above_cap']['value']:.0f} % for one bitcoin a day" in PAGE
    risk = flat["hold"]["value_at_risk_usd"], flat["hold"]["expected_shortfall_usd"]
    told = [f"{millions(one['value'])} ± {millions(one['standard_error'])}" for one in risk]
    assert f"at least {told[0]} in the worst" in PAGE
    assert f"{told[1]} on average there" in PAGE


def test_the_trend_and_the_income(cases: dict[str, dict[str, Any]]) -> None:
    document = cases["document"]
    price = document["cases"][1]["price"]
    trend = f"{100 * price['drift_per_year']:.0f} ± {100 * price['drift_standard_error']:.0f} % a year"
    assert trend in PAGE
    assert f"{sum(document['income_usd']) / 1e6:,.0f} million USD a year, of which" in PAGE
    assert f"costs {sum(document['cost_usd']) / 1e6:,.0f}" in PAGE
    assert f"from {document['start_price_usd']:,.0f} USD" in PAGE
