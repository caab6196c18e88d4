"""The figures of the README's first screen are those of the study of Pakistan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.study import Study

pytestmark = pytest.mark.xdist_group("pakistan")

README = " ".join((Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8").split())
# Row, key of a side, divisor, decimals.
ROWS = (
    ("Energy that the loads take, TWh", "programme_energy_gwh", 1e3, 1),
    ("Cost of generation, million USD", "cost_usd", 1e6, 0),
    ("Mean marginal price, USD/MWh", "price_usd_per_mwh_mean", 1.0, 1),
    ("Pooled cost with capacity payments, USD/MWh", "pooled_cost_usd_per_mwh", 1.0, 1),
    ("Imported fuel, million USD", "fuel_imports_usd", 1e6, 0),
    ("Emissions, million t CO2", "emissions_t", 1e6, 1),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_row_of_the_table(pakistan_study: Study, row: tuple[str, str, float, int]) -> None:
    name, key, divisor, decimals = row
    sides: list[dict[str, Any]] = [
        pakistan_study.summary[side] for side in ("base", "with_programme", "change")
    ]
    without, together, change = (side[key] / divisor for side in sides)
    signed = f"{change:+,.{decimals}f}".replace("-", "−")
    assert f"| {name} | {without:,.{decimals}f} | {together:,.{decimals}f} | {signed} |" in README


def test_sentences_under_the_table(pakistan_study: Study) -> None:
    summary = pakistan_study.summary
    pooled, marginal = (
        summary["incidence"][rule]["consumer_change_per_kwh"] for rule in ("pooled", "marginal")
    )
    assert f"consumers pay {-pooled:.2f} PKR/kWh less at the busbars" in README
    assert f"they would pay {marginal:.2f} PKR/kWh *more*" in README
    change = summary["change"]
    assert f"energy costs {change['cost_per_programme_mwh']:.0f} USD/MWh of fuel" in README
    assert change["fuel_imports_usd"] / change["cost_usd"] == pytest.approx(0.8, abs=0.05)
    mining = [row for row in summary["programme"]["by_load"] if row["load"] == "mining"]
    assert f"{100.0 * (1.0 - mining[0]['came_share']):.0f} % of the energy kept for mining" in README
    assert sum(row["used_mwh"] for row in summary["loads"]["contracts"]) == 0.0
    effect = summary["loads"]["own_effect"]
    falls = [
        100.0 * effect[case]["fall"]
        for case in ("with_response", "with_most_response", "with_least_response", "without_response")
    ]
    assert (
        "lower the hashprice by {:.0f} % ({:.0f} to {:.0f}), by {:.0f} % if nobody".format(*falls) in README
    )
    assert all(case["net_present_usd"] < 0.0 for case in summary["loads"]["miners"]["investment"].values())


def test_ai_pays_about_ten_times_as_much_as_a_miner(pakistan_study: Study) -> None:
    summary = pakistan_study.summary["loads"]
    ai = summary["ai"]["value_usd_per_mwh"]
    hashprice = summary["miners"]["hashprice_mean_usd_per_ph_day"]
    best = min(row["meter_j_per_th"] for row in summary["miners"]["cohorts"])
    fleet = sum(row["share"] * row["meter_j_per_th"] for row in summary["miners"]["cohorts"])
    ratios = [ai / (1000.0 * 0.98 * hashprice / (24.0 * energy)) for energy in (best, fleet)]
    assert 9.0 < ratios[0] < ratios[1] < 16.0
