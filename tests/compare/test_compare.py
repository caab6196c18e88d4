"""Two countries side by side: the same figures twice, in one unit, with what keeps them apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from markupsafe import escape

from penstock.cli import main
from penstock.compare import Comparison, compare, compare_studies
from penstock.compare.lines import over
from penstock.country import load_country
from penstock.errors import InputError
from penstock.report.compare import compare_sentences, render_compare
from penstock.study import run
from tests.borrow.test_borrow import country

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "compare.schema.json").read_text("utf-8"))
DOCS = Path(__file__).parents[2] / "docs" / "what-can-we-learn-from-another-country.md"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two toys that differ in money, people and guardrails, and in nothing else."""
    folder = tmp_path_factory.mktemp("compare")
    one = country(folder / "one", rate="100", currency="XTC", population="4000000 persons", gdp_usd="8e9 USD")
    two = country(
        folder / "two", rate="20", currency="YTC", population="1000000 persons", fx_reserves_usd="3 USD"
    )
    law = (two / "policy.yaml").read_text("utf-8").replace("id: no-hoard", "id: no-stock")
    (two / "policy.yaml").write_text(law, "utf-8")
    # The same plants in the other money: every price per kWh by a fifth, so that nothing differs in USD.
    for name in ("plants", "consumer_classes", "capacity_payments", "parameters"):
        _in_other_money(two / f"{name}.csv", 0.2)
    return one, two


def _in_other_money(path: Path, factor: float) -> None:
    import csv

    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    for row in rows:
        for column in row:
            own = column.endswith("_per_kwh") or column in ("fuel_cost_low", "fuel_cost_high", "amount_bn")
            own = own or column in ("tariff_low", "tariff_high")
            if row.get("unit", "").endswith("YTC/kWh") and column in ("value", "low", "high"):
                own = True
            if own and row[column]:
                row[column] = f"{float(row[column]) * factor:.12g}"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def found(folders: tuple[Path, Path]) -> Comparison:
    return compare(*folders)


@pytest.fixture(scope="module")
def countries() -> Comparison:
    return compare("pakistan", "el-salvador")


def row(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    return next(line for line in document["rows"] if line["key"] == key)


def test_a_figure_that_only_changes_its_money_is_the_same_in_usd(found: Comparison) -> None:
    for key in ("tariff", "price", "pooled_cost", "cost_per_mwh", "consumers_pooled", "payment", "energy"):
        first, second = row(found.document, key)["values"]
        assert first == pytest.approx(second, rel=1e-9), key
        assert first != 0.0


def test_per_person_divides_by_each_countrys_own_people(found: Comparison) -> None:
    first, second = row(found.document, "payment_per_person")["values"]
    assert second == pytest.approx(4 * first)
    paid = row(found.document, "payment")["values"][0]
    assert first == pytest.approx(paid * 1e6 / 4e6)
    assert row(found.document, "payment_per_person")["ratio"] == pytest.approx(4.0)


def test_what_a_country_does_not_give_is_none_and_not_zero(found: Comparison) -> None:
    assert row(found.document, "gdp")["values"] == [8.0, None]
    assert row(found.document, "gdp")["ratio"] is None
    assert row(found.document, "payment_of_gdp")["values"][1] is None
    assert row(found.document, "fx_reserves")["values"] == [None, 3e-9]
    assert "not given" in render_compare(found.document)


def test_a_guardrail_that_one_lacks_is_absent_there_and_never_passed(found: Comparison) -> None:
    rules = {rule["id"]: rule for rule in found.document["guardrails"]}
    assert rules["no-hoard"]["statuses"][1] == rules["no-stock"]["statuses"][0] == "absent"
    assert rules["no-stock"]["values"][0] is None
    assert "absent" not in rules["pays"]["statuses"]
    page = render_compare(found.document)
    assert page.count("no such guardrail") == 2


def test_the_other_order_gives_the_other_columns_and_the_inverse_ratio(found: Comparison) -> None:
    turned = compare_studies(*reversed(found.studies)).document
    for line, other in zip(found.document["rows"], turned["rows"], strict=True):
        assert line["values"] == other["values"][::-1]
        if line["ratio"] is not None:
            assert other["ratio"] == pytest.approx(1 / line["ratio"])
    assert {tuple(gain["change_usd"]) for gain in found.document["gains"]} == {
        tuple(gain["change_usd"][::-1]) for gain in turned["gains"]
    }


def test_a_country_beside_itself_differs_in_nothing(found: Comparison) -> None:
    same = compare_studies(found.studies[0], found.studies[0]).document
    assert same["not_comparable"] == []
    for line in same["rows"]:
        assert line["values"][0] == line["values"][1]
        assert line["ratio"] in (None, 1.0)
    assert all("absent" not in rule["statuses"] for rule in same["guardrails"])


def test_only_what_differs_is_said_to_differ(found: Comparison) -> None:
    assert [line["topic"] for line in found.document["not_comparable"]] == ["currency"]
    assert found.document["not_comparable"][0]["values"] == ["XTC", "YTC"]


def test_figures_are_those_of_the_study(countries: Comparison) -> None:
    for place, study in enumerate(countries.studies):
        summary = study.summary
        assert row(countries.document, "price")["values"][place] == summary["base"]["price_usd_per_mwh_mean"]
        assert row(countries.document, "mw")["values"][place] == summary["programme"]["mw"]
        consumers = next(
            gain
            for gain in countries.document["gains"]
            if (gain["rule"], gain["group"]) == ("pooled", "consumers")
        )
        assert consumers["change_usd"][place] == summary["incidence"]["pooled"]["by_group"]["consumers"]
        people = study.country.parameter("population").value
        assert consumers["per_person_usd"][place] == pytest.approx(consumers["change_usd"][place] / people)


def test_the_neighbours_of_a_country_are_no_fuel_of_its_own(countries: Comparison) -> None:
    shares = countries.document["by_fuel"]
    for place in (0, 1):
        assert sum(fuel["shares"][place] or 0.0 for fuel in shares) == pytest.approx(1.0)
    abroad = set(load_country("el-salvador").zones) - set(load_country("el-salvador").home_zones)
    fuels = {
        plant["fuel"] for plant in load_country("el-salvador").table("plants") if plant["zone"] in abroad
    }
    assert fuels
    assert not fuels & {fuel["fuel"] for fuel in shares}


def test_what_keeps_pakistan_and_el_salvador_apart_is_said(countries: Comparison) -> None:
    topics = {line["topic"] for line in countries.document["not_comparable"]}
    assert {"year", "currency", "service", "neighbours", "capacity_payments"} <= topics
    page = render_compare(countries.document)
    for line in countries.document["not_comparable"]:
        assert str(escape(line["why"])) in page
    assert row(countries.document, "capacity_payments")["values"][1] is None


def test_the_month_means_make_the_years(countries: Comparison) -> None:
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    for place, study in enumerate(countries.studies):
        mean = sum(
            line["mean_load_mw"][place] * day
            for line, day in zip(countries.document["by_month"], days, strict=True)
        )
        home = [f"base.demand_mw.{zone}" for zone in study.country.home_zones]
        assert mean / 365 == pytest.approx(float(study.hourly[home].to_numpy().sum(axis=1).mean()))


@pytest.mark.parametrize("which", ["found", "countries"])
def test_the_document_is_as_the_schema_says(which: str, request: pytest.FixtureRequest) -> None:
    document = json.loads(json.dumps(request.getfixturevalue(which).document))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_the_page_needs_nothing_from_outside_and_tells_the_verdicts(countries: Comparison) -> None:
    page = render_compare(countries.document)
    told = compare_sentences(countries.document)
    assert told[0] in page
    assert "By its own guardrails the programme is refused in Pakistan and passes in El Salvador." in told
    assert render_compare(countries.document) == page


def test_the_page_escapes_what_a_folder_says(found: Comparison) -> None:
    document = json.loads(json.dumps(found.document))
    document["countries"][0]["name"] = "<script>alert(1)</script>"
    document["sources"][0]["url"] = "javascript:alert(1)"
    page = render_compare(document)
    assert "<script>alert(1)" not in page
    assert "javascript:alert" not in page


def test_a_document_with_parts_missing_is_refused_with_all_of_them(found: Comparison) -> None:
    with pytest.raises(InputError) as caught:
        render_compare({"schema_version": 2})
    assert len(caught.value.faults) == 12
    assert "schema version 1" in str(caught.value)


def test_the_page_of_the_docs_says_what_the_comparison_says(countries: Comparison) -> None:
    told = " ".join(DOCS.read_text("utf-8").split())
    for key, decimals in (
        ("mw_per_million", 2),
        ("cost_per_mwh", 1),
        ("tariff", 1),
        ("price", 1),
        ("fuel_imports_of_payment", 2),
        ("surplus_share", 2),
        ("payment_per_person", 2),
    ):
        first, second = row(countries.document, key)["values"]
        assert f"| {first:,.{decimals}f} | {second:,.{decimals}f} |" in told, key
    shared = [rule for rule in countries.document["guardrails"] if "absent" not in rule["statuses"]]
    assert f"{len(shared)} of {len(countries.document['guardrails'])} guardrails" in told


def test_over_is_none_where_there_is_nothing_to_divide_by() -> None:
    assert (over(1.0, 4.0), over(None, 4.0), over(1.0, None), over(1.0, 0.0)) == (0.25, None, None, None)


class TestCommand:
    def test_writes_both_files_and_prints_one_document(
        self, folders: tuple[Path, Path], tmp_path: Path, capsys: Capture
    ) -> None:
        out = tmp_path / "out"
        assert main(["compare", *map(str, folders), "--out", str(out), "--json"]) == 0
        printed = json.loads(capsys.readouterr().out)
        written = json.loads((out / "compare.json").read_text("utf-8"))
        assert {key: printed[key] for key in written} == written
        assert sorted(path.name for path in out.iterdir()) == ["compare.html", "compare.json"]

    def test_a_country_that_is_not_there_writes_nothing(
        self, folders: tuple[Path, Path], tmp_path: Path, capsys: Capture
    ) -> None:
        out = tmp_path / "out"
        assert main(["compare", str(folders[0]), "pakistn", "--out", str(out)]) == 2
        assert not out.exists()
        assert "did you mean 'pakistan'?" in capsys.readouterr().err

    def test_broken_tables_of_the_second_are_named_before_the_first_is_cleared(
        self, folders: tuple[Path, Path], tmp_path: Path, capsys: Capture
    ) -> None:
        broken = country(tmp_path / "broken", rate="-1", currency="XTC")
        assert main(["compare", str(folders[0]), str(broken), "--out", str(tmp_path / "out")]) == 2
        assert "currency_per_usd must be greater than 0" in capsys.readouterr().err


def test_a_borrowed_piece_is_named_beside_its_country(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "mixed"
    assert main(["borrow", str(folders[0]), "tariff", "--into", str(folders[1]), "--out", str(out)]) == 0
    document = compare_studies(run(folders[0]), run(out)).document
    assert document["countries"][1]["borrowed"] == ["parameters.programme_tariff_per_kwh"]
