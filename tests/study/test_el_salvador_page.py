"""What docs/el-salvador.md says is what the study says."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.country import load_country
from penstock.programme import Programme, default_programme
from penstock.proof.design import highest_tariff_of
from penstock.proof.documents import tariff_document
from penstock.proof.hosting import size_load
from penstock.proof.tariff import prove_tariff
from penstock.proof.trials import Trials, make_trials
from penstock.report.proof_words import tariff_sentences
from penstock.study import Study, run
from penstock.study.policies import load_policy
from penstock.study.prepared import prepare
from tests.validation_loads import VOLCANO_J_PER_TH, volcano_btc, volcano_needs_j_per_th

pytestmark = pytest.mark.xdist_group("el-salvador")

PAGE = " ".join((Path(__file__).resolve().parents[2] / "docs" / "el-salvador.md").read_text("utf-8").split())


@pytest.fixture(scope="module")
def study() -> Study:
    return run("el_salvador")


@pytest.fixture(scope="module")
def figures(study: Study) -> dict[str, Any]:
    return {row["figure"]: row for row in study.summary["validation"]["figures"]}


@pytest.fixture(scope="module")
def trials() -> Trials:
    country = load_country("el_salvador")
    return make_trials(prepare(country, None), load_policy("el_salvador"), dt.date(2024, 12, 31))


@pytest.fixture(scope="module")
def volcano(trials: Trials) -> Programme:
    return default_programme(trials.country)


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


def test_what_the_volcano_earns(study: Study) -> None:
    """The hashprice is the mean of the year's months; a PH/s of these machines takes 29.5 kW."""
    programme, months = study.summary["programme"], study.summary["loads"]["network"]["months"]
    hashprice = sum(row["hashprice_alone_usd_per_ph_day"] for row in months) / 12
    found = hashprice / (24.0 * VOLCANO_J_PER_TH / 1000.0)
    assert f"Machines of {VOLCANO_J_PER_TH} J/TH found {found:.0f} USD of bitcoin a MWh in 2024" in PAGE
    assert found < study.summary["change"]["cost_per_programme_mwh"]
    worth = programme["value_usd"] / programme["energy_gwh"] / 1e3
    assert f"they find {worth:.0f} USD a MWh, {programme['value_usd'] / 1e6:.1f} million USD a year" in PAGE


def test_by_the_lenders_clauses_it_is_refused() -> None:
    judged = run("el_salvador", as_of=dt.date(2025, 12, 31)).summary["guardrails"]["findings"]
    failed = {row["id"]: row["value"] for row in judged if row["binding"] and row["status"] != "passed"}
    assert set(failed) == {"no-accumulation", "voluntary-acceptance", "no-subsidy"}
    assert f"grew by {failed['no-accumulation']:,.0f} BTC in twelve months" in PAGE
    assert f"covers {failed['no-subsidy']:.4f} USD/kWh less than the cost" in PAGE
    assert failed["voluntary-acceptance"] == 1.0


def test_no_tariff_was_proposed(trials: Trials, volcano: Programme) -> None:
    proof = prove_tariff(trials, volcano)
    assert len(trials.country.table("tariff_proposals")) == 0
    assert any(
        "somebody proposed" in sentence for sentence in tariff_sentences(tariff_document(trials, proof))
    )
    floors = {f"{floor.tariff_per_kwh:.4f}" for floor in proof.floors.values() if floor is not None}
    assert len(floors) == 1
    assert f"would cost {floors.pop()} USD/kWh, the marginal floor" in PAGE


def test_what_would_fit(trials: Trials, volcano: Programme) -> None:
    (zone,) = trials.country.home_zones
    firm, soft = (
        size_load(trials, zone, {zone: 1.0}, share, volcano.tariff_per_kwh) for share in (None, 0.05)
    )
    assert firm.binding == soft.binding == "price-neutrality"
    assert firm.mw == soft.mw
    assert f"{firm.mw:.1f} MW of flat firm load" in PAGE
    others = min(mw for clause, mw in firm.by_clause.items() if clause != "price-neutrality")
    assert f"Without that guardrail {others:.0f} MW would fit" in PAGE


def test_the_best_of_what_was_tried(trials: Trials, volcano: Programme) -> None:
    """The search ends at these; here they are judged again."""
    highest = highest_tariff_of(trials.country)
    best = trials.programme(replace(volcano, mining_share=0.0, tariff_per_kwh=highest, firm=False))
    assert best.judgement.passed
    assert best.benefit_usd > trials.programme(replace(volcano, tariff_per_kwh=highest)).benefit_usd
    told = f"{volcano.mw:g} MW of AI at what large services pay, {highest:.3f} USD/kWh; others gain "
    assert told + f"{best.benefit_usd / 1e6:.1f} million USD a year" in PAGE
