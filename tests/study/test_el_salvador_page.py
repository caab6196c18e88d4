"""What docs/el-salvador.md says is what the study says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.study import Study, run
from tests.validation_loads import volcano_btc, volcano_needs_j_per_th

pytestmark = pytest.mark.xdist_group("el-salvador")

PAGE = " ".join((Path(__file__).resolve().parents[2] / "docs" / "el-salvador.md").read_text("utf-8").split())


@pytest.fixture(scope="module")
def study() -> Study:
    return run("el_salvador")


@pytest.fixture(scope="module")
def figures(study: Study) -> dict[str, Any]:
    return {row["figure"]: row for row in study.summary["validation"]["figures"]}


def signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def test_the_programme(study: Study) -> None:
    programme, base = study.summary["programme"], study.summary["base"]
    assert f"{programme['mw']:g} MW take {programme['energy_gwh']:.0f} GWh" in PAGE
    assert f"{100 * programme['energy_gwh'] / base['energy_served_gwh']:.2f} % of the energy" in PAGE
    assert f"costs the market {study.summary['change']['cost_per_programme_mwh']:.1f} USD/MWh" in PAGE
    assert f"transfer price, {programme['tariff_usd_per_mwh']:.0f} USD/MWh" in PAGE


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        ("demand", "Demand, GWh"),
        ("peak_demand", "Peak, MW"),
        ("generation_geothermal", "Geothermal, GWh"),
        ("generation_hydro", "Hydro, GWh"),
        ("generation_lng", "Gas (LNG), GWh"),
        ("generation_oil", "Bunker and diesel, GWh"),
        ("imports", "Imports, GWh"),
        ("exports", "Exports, GWh"),
    ],
)
def test_the_years_figures(figures: dict[str, Any], figure: str, name: str) -> None:
    row = figures[figure]
    share = row["model"] / row["published"] - 1.0
    start = f"| {name} | {row['model']:,.0f} | {row['published']:,.0f} | "
    assert PAGE.split(start)[1].lstrip("*").startswith(f"{signed(share)} %"), start


def test_the_months_price(figures: dict[str, Any]) -> None:
    months = ("january", "february", "march", "april", "may", "june", "november", "december")
    rows = [figures[f"price_{month}"] for month in months]
    assert {key for key in figures if key.startswith("price_")} == {f"price_{month}" for month in months}
    for name, values in (
        ("model", [f"{row['model']:.1f}" for row in rows]),
        ("published", [f"{row['published'] + 1e-9:.1f}" for row in rows]),
        ("difference, %", [signed(row["model"] / row["published"] - 1.0) for row in rows]),
    ):
        assert f"| {name} | {' | '.join(values)} |" in PAGE
    assert all(row["within"] for row in rows)


def test_the_guardrails(study: Study) -> None:
    findings = {row["id"]: row for row in study.summary["guardrails"]["findings"]}
    deciding = [row for row in findings.values() if row["binding"] and row["status"] != "not in force"]
    assert len(deciding) == 3
    assert all(row["passed"] for row in deciding)
    assert f"worth {100 * findings['reserve-exposure']['value']:.0f} % of the foreign exchange" in PAGE
    assert findings["no-accumulation"]["status"] == findings["no-subsidy"]["status"] == "not in force"


def test_the_volcano() -> None:
    told = f"find **{volcano_btc():.0f} BTC**, {volcano_btc(with_fees=False):.0f} without fees"
    assert told in PAGE
    assert f"would have to need {volcano_needs_j_per_th():.1f} J/TH" in PAGE
