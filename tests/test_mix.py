"""The frontier of mixes: what it adds up to, what it calls efficient, and what it refuses."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from penstock.cli import main
from penstock.country import Country, load_country
from penstock.errors import ProgrammeError
from penstock.mix import (
    MOST_POINTS,
    OBJECTIVES,
    STEP_MW,
    Mix,
    MixPoint,
    check_grid,
    efficient,
    grid,
    mix,
)
from penstock.programme import Programme, default_programme
from penstock.study import run
from tests.country.toy import toy_tables, write_tables

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "mix.schema.json").read_text("utf-8"))
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def toyland(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy without contracts: a point is one clearing."""
    folder = tmp_path_factory.mktemp("mix") / "toyland"
    write_tables(folder, toy_tables() | {"contracts": []})
    return folder


@pytest.fixture(scope="module")
def country(toyland: Path) -> Country:
    return load_country(toyland)


@pytest.fixture(scope="module")
def programme(country: Country) -> Programme:
    """Larger than the toy's own, so that its 90 USD/MWh plant is needed and miners are stopped."""
    return default_programme(country, mw=200.0, tariff_per_kwh=6.0)


@pytest.fixture(scope="module")
def toy_mix(country: Country, programme: Programme) -> Mix:
    return mix(country, programme, step_mw=50.0)


def at(found: Mix, mining_mw: float, ai_mw: float) -> MixPoint:
    return next(point for point in found.points if (point.mining_mw, point.ai_mw) == (mining_mw, ai_mw))


# --- the points ------------------------------------------------------------------------------------------


def test_nothing_changes_nothing_exactly(toy_mix: Mix) -> None:
    none = at(toy_mix, 0.0, 0.0)
    fields = asdict(none)
    changes = [name for name in fields if "_change_" in name]
    assert len(changes) == 8
    zero = [*changes, "offered_gwh", "energy_gwh", "left_gwh", "interrupted_gwh", "lost_gwh"]
    zero += ["income_usd", "margin_usd", "jobs", "jobs_low", "jobs_high"]
    assert {name: fields[name] for name in zero} == dict.fromkeys(zero, 0.0)
    assert none.jobs_per_offered_mw is None
    assert none.jobs_per_ran_mw is None
    alone = toy_mix.document["base"]["hashprice_usd_per_ph_day"]
    assert none.hashprice_usd_per_ph_day == pytest.approx(alone, rel=1e-6)  # of `settle`
    assert none.fuel_imports_usd == toy_mix.document["base"]["fuel_imports_usd"] > 0.0


def test_energy_adds_up_and_somebody_is_stopped(toy_mix: Mix) -> None:
    for point in toy_mix.points:
        assert point.energy_gwh == pytest.approx(point.mining_energy_gwh + point.ai_energy_gwh, rel=1e-12)
        whole = point.energy_gwh + point.left_gwh + point.lost_gwh
        assert point.offered_gwh == pytest.approx(whole, rel=1e-9, abs=1e-9)
        assert 0.0 <= point.lost_gwh <= point.interrupted_gwh + 1e-9
        # 60 USD/MWh: 6 of the toy's currency per kWh, 100 of it per USD.
        assert point.income_usd == pytest.approx(point.energy_gwh * 60_000.0, rel=1e-12)
        if point.ai_mw == 0.0:
            assert point.offered_gwh == pytest.approx(point.mining_mw * 8.76, rel=1e-9)
            assert point.ai_energy_gwh == 0.0
        if point.mining_mw == 0.0:
            assert point.mining_energy_gwh == 0.0
    assert max(point.interrupted_gwh for point in toy_mix.points) > 1.0
    assert max(point.left_gwh for point in toy_mix.points) > 1.0


def test_who_pays_adds_up_under_pooled_billing(toy_mix: Mix) -> None:
    for point in toy_mix.points:
        expected = point.cost_change_usd - point.income_usd
        assert point.consumer_change_pooled_usd == pytest.approx(expected, abs=0.01)


def test_jobs_add_up(toy_mix: Mix) -> None:
    for point in toy_mix.points:
        # loads/tables: 0.675 (0.25 to 1.1) a MW of mining, 1 (0.3 to 3) a MW of AI.
        assert point.jobs == pytest.approx(0.675 * point.mining_mw + 1.0 * point.ai_mw, rel=1e-12)
        assert point.jobs_low == pytest.approx(0.25 * point.mining_mw + 0.3 * point.ai_mw, rel=1e-12)
        assert point.jobs_high == pytest.approx(1.1 * point.mining_mw + 3.0 * point.ai_mw, rel=1e-12)
        if point.jobs > 0.0:
            offered = point.mining_mw + point.ai_mw
            assert point.jobs_per_offered_mw == pytest.approx(point.jobs / offered, rel=1e-12)
            assert point.jobs_per_ran_mw == pytest.approx(point.jobs / (point.energy_gwh / 8.76), rel=1e-12)


def test_more_mining_lowers_the_hashprice(toy_mix: Mix) -> None:
    prices = [
        at(toy_mix, mining, 0.0).hashprice_usd_per_ph_day for mining in (0.0, 50.0, 100.0, 150.0, 200.0)
    ]
    assert all(later < earlier for earlier, later in pairwise(prices))
    assert at(toy_mix, 0.0, 200.0).hashprice_usd_per_ph_day == prices[0]


@pytest.mark.parametrize(("mining_mw", "ai_mw"), [(150.0, 50.0), (0.0, 100.0), (200.0, 0.0)])
def test_a_point_is_a_run_of_the_same_programme(
    country: Country, programme: Programme, toy_mix: Mix, mining_mw: float, ai_mw: float
) -> None:
    whole = mining_mw + ai_mw
    summary = run(country, replace(programme, mw=whole, mining_share=mining_mw / whole)).summary
    point, loads = at(toy_mix, mining_mw, ai_mw), summary["programme"]
    months = summary["loads"]["months"]
    expected = {
        "energy_gwh": loads["energy_gwh"],
        "income_usd": loads["payment_usd"],
        "margin_usd": loads["value_usd"] - loads["payment_usd"],
        "jobs": loads["jobs"]["total"]["jobs"],
        "jobs_low": loads["jobs"]["total"]["low"],
        "jobs_high": loads["jobs"]["total"]["high"],
        "consumer_change_pooled_usd": summary["incidence"]["pooled"]["by_group"]["consumers"],
        "consumer_change_pooled_per_kwh": summary["incidence"]["pooled"]["consumer_change_per_kwh"],
        "consumer_change_marginal_usd": summary["incidence"]["marginal"]["by_group"]["consumers"],
        "consumer_change_marginal_per_kwh": summary["incidence"]["marginal"]["consumer_change_per_kwh"],
        "cost_change_usd": summary["change"]["cost_usd"],
        "unserved_gwh": summary["with_programme"]["unserved_gwh"],
        "unserved_change_gwh": summary["change"]["unserved_gwh"],
        "fuel_imports_usd": summary["with_programme"]["fuel_imports_usd"],
        "fuel_imports_change_usd": summary["change"]["fuel_imports_usd"],
        "emissions_t": summary["with_programme"]["emissions_t"],
        "emissions_change_t": summary["change"]["emissions_t"],
        "interrupted_gwh": math.fsum(row["interrupted_mwh"] for row in months) / 1000.0,
        "left_gwh": math.fsum(row["left_mwh"] for row in months) / 1000.0,
        "hashprice_usd_per_ph_day": summary["loads"]["miners"]["hashprice_mean_usd_per_ph_day"],
        "gap": summary["clearing"]["with_programme"]["gap"],
    }
    found = asdict(point)
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert point.settled == summary["loads"]["network"]["settled"]


def test_a_firm_programme_is_never_interrupted(country: Country, programme: Programme) -> None:
    for point in mix(country, replace(programme, firm=True), step_mw=200.0).points:
        assert point.interrupted_gwh == pytest.approx(0.0, abs=1e-6)
        assert point.offered_gwh == pytest.approx(point.energy_gwh + point.left_gwh, rel=1e-9, abs=1e-9)


def test_threads_do_not_change_a_byte(country: Country, programme: Programme, toy_mix: Mix) -> None:
    alone = mix(country, programme, step_mw=50.0, workers=1)
    assert json.dumps(alone.document) == json.dumps(toy_mix.document)
    assert alone.points == toy_mix.points


def test_progress_only_goes_forward(country: Country, programme: Programme) -> None:
    told: list[tuple[str, float]] = []
    mix(country, programme, step_mw=100.0, progress=lambda step, done: told.append((step, done)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert sum(step.startswith("Clearing mixes, ") for step, _ in told) == 6


# --- efficient -------------------------------------------------------------------------------------------


def beats(one: MixPoint, other: MixPoint) -> bool:
    """As the docstring says, without arrays."""
    steps: list[int] = []
    for row in OBJECTIVES:
        first, second = (round(getattr(point, row.key) / row.tolerance) for point in (one, other))
        steps.append(second - first if row.sense == "min" else first - second)
    return min(steps) >= 0 and max(steps) > 0


def test_efficient_points_are_not_beaten_and_all_others_are_by_one_of_them(toy_mix: Mix) -> None:
    best = [point for point in toy_mix.points if point.efficient]
    for point in toy_mix.points:
        assert point.efficient == (not any(beats(other, point) for other in toy_mix.points))
        assert point.efficient != any(beats(other, point) for other in best)


@given(
    st.lists(
        st.tuples(*[st.integers(0, 3)] * 3).map(lambda row: [float(value) for value in row]),
        min_size=1,
        max_size=30,
    )
)
def test_what_is_dominated_is_dominated_by_something_efficient(rows: list[list[float]]) -> None:
    def dominates(one: list[float], other: list[float]) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and one != other

    kept = efficient(np.array(rows)).tolist()
    chosen = [row for row, good in zip(rows, kept, strict=True) if good]
    for row, good in zip(rows, kept, strict=True):
        assert good == (not any(dominates(other, row) for other in rows))
        assert good or any(dominates(other, row) for other in chosen)
    assert chosen


def test_two_objectives_by_hand() -> None:
    # (1, 3), (2, 2), (3, 1) trade off; (2, 3) loses to (2, 2), (4, 4) to all; equals both stay.
    rows = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 3.0], [4.0, 4.0], [2.0, 2.0]]
    assert efficient(np.array(rows)).tolist() == [True, True, True, False, False, True]


def test_best_of_each_objective(toy_mix: Mix) -> None:
    for row, best in zip(OBJECTIVES, toy_mix.document["best"], strict=True):
        values = [getattr(point, row.key) for point in toy_mix.points]
        extreme = min(values) if row.sense == "min" else max(values)
        assert best["objective"] == row.key
        assert best["value"] == pytest.approx(extreme, abs=row.tolerance)
        chosen = at(toy_mix, best["mining_mw"], best["ai_mw"])
        assert getattr(chosen, row.key) == best["value"]
        assert chosen.efficient
        near = sum(round(value / row.tolerance) == round(extreme / row.tolerance) for value in values)
        assert best["equals"] == near - 1


# --- the grid --------------------------------------------------------------------------------------------


@given(st.integers(1, 61), st.floats(0.1, 1000.0))
def test_grid_holds_every_pair_once(steps: int, step_mw: float) -> None:
    mw = steps * step_mw
    check_grid(mw, step_mw)
    pairs = grid(mw, step_mw)
    assert len(set(pairs)) == len(pairs) == (steps + 1) * (steps + 2) // 2 <= MOST_POINTS
    assert {(0.0, 0.0), (mw, 0.0), (0.0, mw)} <= set(pairs)
    assert all(mining >= 0.0 and ai >= 0.0 for mining, ai in pairs)
    assert max(mining + ai for mining, ai in pairs) <= mw * (1.0 + 1e-12)
    assert pairs == sorted(pairs)


@pytest.mark.parametrize(
    ("mw", "step_mw", "problem", "mend"),
    [
        (100.0, 250.0, "is above the most power of a mix, 100 MW", "at most 100 MW"),
        (2000.0, 0.0, "must be a finite number above 0 [MW]", "in MW"),
        (2000.0, -250.0, "must be a finite number above 0 [MW]", "in MW"),
        (2000.0, math.nan, "must be a finite number above 0 [MW]", "in MW"),
        (2000.0, math.inf, "must be a finite number above 0 [MW]", "in MW"),
        (2000.0, True, "must be a finite number above 0 [MW]", "in MW"),
        (2000.0, 300.0, "does not divide 2000 MW into whole steps", "give 250 MW"),
        (2000.0, 249.9999, "does not divide 2000 MW into whole steps", "give 250 MW"),
        (2000.0, 10.0, "makes 20,301 points; at most 2,000 are cleared", "at least 40 MW"),
        (0.0, 250.0, "must be above 0 [MW] for a frontier", "give the most MW"),
    ],
)
def test_a_wrong_grid_is_refused_with_its_mend(mw: float, step_mw: float, problem: str, mend: str) -> None:
    with pytest.raises(ProgrammeError) as caught:
        check_grid(mw, step_mw)
    (fault,) = caught.value.faults
    assert fault.place == "mix"
    assert problem in fault.problem
    assert mend in fault.mend


def test_the_finest_grid_that_is_cleared() -> None:
    check_grid(61.0, 1.0)  # 62 x 63 / 2 = 1,953 points
    with pytest.raises(ProgrammeError, match="makes 2,016 points"):
        check_grid(62.0, 1.0)


def test_no_worker_is_refused(country: Country, programme: Programme) -> None:
    with pytest.raises(ProgrammeError, match="workers"):
        mix(country, programme, step_mw=100.0, workers=0)


# --- the document and the command ------------------------------------------------------------------------


def test_document_follows_its_schema(toy_mix: Mix) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    plain = json.loads(json.dumps(toy_mix.document, allow_nan=False))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(plain)] == []
    assert plain["points"] == [asdict(point) for point in toy_mix.points]
    del plain["points"][0]["jobs"]
    plain["extra"] = 1
    assert len(list(Draft202012Validator(SCHEMA).iter_errors(plain))) == 2


def test_command_writes_both_files_and_prints_one_document(
    toyland: Path, tmp_path: Path, toy_mix: Mix, capsys: Capture
) -> None:
    out = tmp_path / "deep" / "out"
    words = ["mix", str(toyland), "--mw", "200", "--step", "50", "--tariff", "6", "--out", str(out)]
    assert main([*words, "--json"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    files = document.pop("files")
    assert files == {"mix": str(out / "mix.json"), "page": str(out / "mix.html")}
    assert sorted(path.name for path in out.iterdir()) == ["mix.html", "mix.json"]
    assert json.loads((out / "mix.json").read_text("utf-8")) == document
    assert document == json.loads(json.dumps(toy_mix.document))
    assert "15 of 15 done" in shown.err
    page = (out / "mix.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")


def test_command_shows_the_mixes_of_all_the_power(toyland: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["mix", str(toyland), "--step", "50", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    rows = [line.split()[:2] for line in shown.splitlines() if re.match(r" +\d+ +\d+ ", line)]
    assert rows == [["0", "100"], ["50", "50"], ["100", "0"]]
    assert "With 100 MW of mining and AI at 6.00 XTC/kWh, whatever the split" in shown
    assert f"page     {tmp_path / 'mix.html'}" in shown


def test_a_refused_grid_leaves_nothing_behind(toyland: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["mix", str(toyland), "--out", str(out), "--json"]) == 2
    (fault,) = json.loads(capsys.readouterr().out)["error"]["faults"]
    assert fault["value"] == "250.0"
    assert "at most 100 MW" in fault["mend"]
    assert not out.exists()
    assert main(["mix", str(toyland), "--step", "nan", "--out", str(out)]) == 2


def test_earlier_files_stay_where_the_page_cannot_be_made(
    toyland: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mix.json").write_text("earlier")

    def fails(document: dict[str, Any]) -> str:
        raise ValueError("no page")

    monkeypatch.setattr("penstock.report.mix.render_mix", fails)
    with pytest.raises(ValueError, match="no page"):
        main(["mix", str(toyland), "--step", "100", "--out", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["mix.json"]
    assert (tmp_path / "mix.json").read_text() == "earlier"


def test_the_command_takes_the_step_of_the_room() -> None:
    assert import_module("penstock.cli.mix").STEP_MW == STEP_MW


# --- the page for analysts -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_rows() -> list[list[str]]:
    """Rows of figures of the page's tables."""
    text = (DOCS / "what-mix-of-mining-and-ai.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\d,.]+ \|.*)\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


@pytest.mark.xdist_group("pakistan")
def test_the_page_for_analysts_has_the_figures_of_the_mixes(page_rows: list[list[str]]) -> None:
    found = mix("pakistan", step_mw=500.0)
    rows = [row for row in page_rows if len(row) == 12]
    assert len(rows) == len(found.points)
    for mining, ai, *figures in rows:
        point = at(found, float(mining.replace(",", "")), float(ai.replace(",", "")))
        assert figures == doc_cells(point)
    assert all(point.efficient and point.settled for point in found.points)
    assert max(point.interrupted_gwh for point in found.points) < 0.05
    assert max(abs(point.unserved_change_gwh) for point in found.points) < 0.005


@pytest.mark.xdist_group("pakistan")
@pytest.mark.parametrize(
    "tariff",
    [
        "12.0",
        "28.0",
        *(pytest.param(tariff, marks=pytest.mark.long) for tariff in ("16.0", "20.0", "23.5")),
    ],
)
def test_the_page_for_analysts_has_the_figures_of_other_tariffs(
    page_rows: list[list[str]], tariff: str
) -> None:
    country = load_country("pakistan")
    (figures,) = [row[1:] for row in page_rows if len(row) == 7 and row[0] == tariff]
    programme = default_programme(country, tariff_per_kwh=float(tariff))
    _, ai, mining = mix(country, programme, step_mw=programme.mw).points
    both = (ai, mining)
    assert figures == [
        *(f"{point.consumer_change_pooled_per_kwh:.2f}" for point in both),
        *(f"{point.energy_gwh / 1e3:.2f}" for point in both),
        f"{mining.interrupted_gwh:,.0f}",
        f"{mining.left_gwh:,.0f}",
    ]


def doc_cells(point: MixPoint) -> list[str]:
    """The figures of a row of the page's table, as it shows them."""
    return [
        f"{point.energy_gwh / 1e3:.2f}",
        f"{point.income_usd / 1e6:,.0f}",
        f"{point.consumer_change_pooled_usd / 1e6:,.0f}",
        f"{point.consumer_change_pooled_per_kwh:.2f}",
        f"{point.consumer_change_marginal_per_kwh:.2f}",
        f"{point.fuel_imports_change_usd / 1e6:,.0f}",
        f"{point.emissions_change_t / 1e6:.1f}",
        f"{point.left_gwh:,.0f}",
        f"{point.jobs:,.0f}",
        f"{point.hashprice_usd_per_ph_day:.1f}",
    ]
