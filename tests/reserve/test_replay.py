"""Purchases as filed and announced, beside what was published; and the commands that show them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from penstock.cli import main
from penstock.report.reserve import render_reserve, reserve_sentences
from penstock.reserve.record import stated_holdings, strategy_record
from penstock.reserve.treasury import packaged_policies, reserve_tables

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]


def test_strategys_filings_to_a_thousandth() -> None:
    found = strategy_record()
    assert found.btc == pytest.approx(712_647, rel=1e-3)
    assert found.average_price_usd == pytest.approx(76_037, rel=1e-3)
    assert found.purchases == 96


def test_the_command_gives_the_same(capsys: Capture) -> None:
    assert main(["reserve", "replay", "strategy", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["btc"] == 712_649
    assert document["average_price_usd"] == pytest.approx(76_087.55, abs=0.01)
    assert abs(document["price_difference_share"]) < 1e-3


def test_el_salvadors_difference_is_stated(capsys: Capture) -> None:
    """Announcements and one a day explain 4,607 of 7,513; 2,824 appear from November 2023 to March 2024."""
    rows = {row.stated: row for row in stated_holdings()}
    last = rows["2025-12-26"]
    assert last.announced + last.one_a_day == 4_607
    jump = rows["2024-03-14"].unexplained - rows["2023-11-14"].unexplained
    assert jump == 2_824
    assert main(["reserve", "replay", "el-salvador", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["unexplained_btc"] == 7_513 - 4_607
    assert main(["reserve", "replay", "el-salvador"]) == 0
    assert "2,906 BTC came without an announced purchase" in " ".join(capsys.readouterr().out.split())


def test_one_coin_a_day_on_the_prices_as_they_were(capsys: Capture) -> None:
    assert main(["reserve", "replay", "daily", "--from", "2022-11-18", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["btc"] == 3 * 365
    assert document["to"] == "2025-11-16"
    assert 16_000 < document["average_price_usd"] < 110_000
    assert document["bought_usd"] == pytest.approx(document["cost_basis_usd"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay", "stratgy"], "did you mean 'strategy'?"),
        (["replay", "hold", "--from", "yesterday"], "is no day"),
        (["replay", "hold", "--from", "1999-01-01"], "is before the record of prices"),
        (["replay", "hold", "--from", "2099-01-01"], "a year of finite prices"),
        (["simulate", "pakistan", "--kind", "hope"], "is not drawn"),
        (["simulate", "pakistan", "--since", "2099-01-01"], "choose a day from"),
        (["simulate", "pakistan", "--since", "x"], "is no day"),
        (["simulate", "pakistn"], "did you mean 'pakistan'?"),
        (["simulate", "pakistan", "--paths", "0"], "must be 1 to 1000000"),
        (["simulate", "pakistan", "--years", "51"], "must be 1 to 50"),
    ],
)
def test_what_cannot_be_replayed_or_simulated_is_refused(
    words: list[str], said: str, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    extra = ["--out", str(out)] if words[0] == "simulate" else []
    assert main(["reserve", *words, *extra]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_every_policy_names_a_source_that_is_there() -> None:
    known = set(reserve_tables()["sources"].column("source"))
    for row in reserve_tables()["policies"]:
        assert row["source"] in known
        assert row["amount_low"] <= row["amount"] <= row["amount_high"]
    assert list(packaged_policies()) == list(reserve_tables()["policies"].column("policy"))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("simulated")
    words = ["reserve", "simulate", "pakistan", "--paths", "500", "--years", "2", "--out", str(out)]
    assert main(words) == 0
    found: dict[str, Any] = json.loads((out / "reserve.json").read_text("utf-8"))
    assert (out / "reserve.html").read_text("utf-8") == render_reserve(found)
    return found


def test_the_document_is_as_the_schema_says(document: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "docs" / "reserve.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


def test_both_cases_are_on_the_page_and_the_trend_is_not_taken_for_granted(document: dict[str, Any]) -> None:
    assert [case["case"] for case in document["cases"]] == ["no trend", "record"]
    assert document["cases"][0]["price"]["drift_per_year"] == 0.0
    page = render_reserve(document)
    assert "Who takes that trend for granted has assumed the result." in page
    told = reserve_sentences(document)
    assert told[0].startswith("Without a trend of the price, holding what is received loses in ")
    for row in document["policies"]:
        assert row["name"] in page


def test_the_income_is_that_of_the_programme(document: dict[str, Any]) -> None:
    assert sum(document["income_usd"]) == pytest.approx(1.058e9, rel=0.01)
    assert sum(document["cost_usd"]) == pytest.approx(0.631e9, rel=0.01)
    assert document["watched_cap"] == 0.1
