"""A named piece of one country in a copy of another: its numbers, its money, its size, its origin."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.borrow import SCALES, Borrowed, borrow, pieces_of
from penstock.cli import main
from penstock.country import load_country
from penstock.country.assumptions import list_assumptions
from penstock.errors import InputError, PenstockError
from penstock.policy import Clause, read_policy
from penstock.report import render_report
from penstock.study import run
from penstock.study.policies import load_policy, own_policy
from tests.country.toy import Tables, toy_tables, write_tables

Capture = pytest.CaptureFixture[str]

LAW = """
country: {name}
title: Rules of {name}
sources:
  gazette: {{title: Gazette of {name}, publisher: The state, dated: 2024-12-01}}
clauses:
  - {{id: no-hoard, title: No hoard, clause: The state buys at most so much., metric: public_bitcoin_change,
     at_most: {btc}, unit: BTC, tolerance: 1, basis: published, source: gazette, holds_from: 2025-01-01,
     binding: yes, subject: reserve}}
  - {{id: pays, title: Pays, clause: It pays its way., metric: unrecovered_cost_year, at_most: {money},
     unit: {currency}/kWh, low: 0, high: {money}, basis: assumption, source: gazette,
     holds_from: 2025-02-01, holds_until: 2025-11-30, binding: no, subject: programme}}
"""


def country(folder: Path, *, rate: str, currency: str, btc: str = "4", money: str = "8", **rows: str) -> Path:
    """A toy country with a currency, a policy and further parameters, each "value unit"."""
    tables = toy_tables()
    for row in tables["country"]:
        if row["field"] == "currency":
            row["value"] = currency
        if row["field"] == "name":
            row["value"] = folder.name.title()
    for row in tables["parameters"]:
        row["unit"] = row["unit"].replace("XTC", currency)
        if row["parameter"] == "currency_per_usd":
            row["value"] = rate
    add_parameters(tables, rows)
    write_tables(folder, tables)
    law = LAW.format(name=folder.name, btc=btc, money=money, currency=currency)
    (folder / "policy.yaml").write_text(law, "utf-8")
    return folder


def add_parameters(tables: Tables, rows: dict[str, str]) -> None:
    for name, said in rows.items():
        value, unit = said.split()
        tables["parameters"].append(
            {"parameter": name, "value": value, "unit": unit, "basis": "published", "source": "toy"}
        )


@pytest.fixture
def lender(tmp_path: Path) -> Path:
    return country(
        tmp_path / "lender",
        rate="100",
        currency="XTC",
        gdp_usd="50 USD",
        uptake_share_2024="0.01 1",
        uptake_users="300 persons",
        fee_usd_per_mwh="7 USD/MWh",
    )


@pytest.fixture
def borrower(tmp_path: Path) -> Path:
    return country(
        tmp_path / "borrower", rate="20", currency="YTC", btc="9", money="1", gdp_usd="150 USD", extra="3 1"
    )


def written(found: Borrowed, folder: Path) -> Path:
    """The folder of a result, on disk."""
    whole = folder / found.id
    whole.mkdir()
    for name, data in found.files.items():
        (whole / name).write_bytes(data)
    return whole


def numbers(clause: Clause) -> tuple[float | None, ...]:
    return clause.at_most, clause.at_least, clause.tolerance, clause.low, clause.high


def table(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / f"{name}.csv").read_text("utf-8").splitlines()))


def test_a_subject_brings_its_clauses_and_their_sources_and_leaves_the_rest(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    found = borrow(lender, "policy.reserve", borrower, folder_name="mixed")
    new = load_policy(written(found, tmp_path))
    lent, held = load_policy(lender), load_policy(borrower)
    assert [clause.id for clause in new.clauses] == [clause.id for clause in held.clauses]
    taken, kept = new.clause("no-hoard"), new.clause("pays")
    assert numbers(taken) == numbers(lent.clause("no-hoard")) != numbers(held.clause("no-hoard"))
    assert replace(kept, line=0) == replace(held.clause("pays"), line=0)
    assert taken.note == "Borrowed from Lender 2025."
    assert new.sources[taken.source].title == "Gazette of lender"
    assert new.sources[kept.source].title == "Gazette of borrower"
    (item,) = found.items
    assert (item.item, item.action, item.before, item.after) == (
        *("policy.no-hoard", "replaced"),
        *("at most 9 BTC", "at most 4 BTC"),
    )
    assert item.from_policy_sha256 == lent.sha256
    assert item.from_content_hash == load_country(lender).content_hash


def test_what_is_not_borrowed_stays_byte_for_byte(lender: Path, borrower: Path) -> None:
    before = {path.name: path.read_bytes() for path in borrower.iterdir()}
    found = borrow(lender, "tariff", borrower, folder_name="mixed")
    changed = {name for name, data in found.files.items() if before.get(name) != data}
    assert changed == {"parameters.csv", "sources.csv", "borrowed.csv", "policy.yaml"} - (
        {"sources.csv"} if found.files["sources.csv"] == before["sources.csv"] else set()
    )
    assert before == {path.name: path.read_bytes() for path in borrower.iterdir()}


def test_money_becomes_that_of_the_borrower_and_returns(lender: Path, borrower: Path, tmp_path: Path) -> None:
    # 6 XTC at 100 XTC per USD are 0.06 USD, so 1.2 YTC at 20 YTC per USD.
    there = written(borrow(lender, "tariff", borrower, folder_name="there"), tmp_path)
    taken = load_country(there).parameter("programme_tariff_per_kwh")
    assert taken.value == pytest.approx(1.2)
    assert taken.unit == "YTC/kWh"
    # The borrower paid 6 YTC: the range spans what it had.
    assert taken.basis == "assumption"
    assert [taken.low, taken.high] == pytest.approx([1.2, 6.0])
    back = written(borrow(there, "tariff", lender, folder_name="back"), tmp_path)
    again = load_country(back).parameter("programme_tariff_per_kwh")
    assert again.value == pytest.approx(6.0)
    assert again.unit == "XTC/kWh"
    assert table(back, "borrowed")[0]["note"] == "Borrower had borrowed it from Lender 2025"


def test_a_limit_in_money_is_converted_and_one_in_usd_is_not(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    folder = written(borrow(lender, "policy.pays", borrower, folder_name="mixed"), tmp_path)
    clause = load_policy(folder).clause("pays")
    assert clause.unit == "YTC/kWh"
    assert [clause.at_most, clause.high] == pytest.approx([8 / 5, 8 / 5])
    assert (clause.holds_from, clause.holds_until) == (
        load_policy(lender).clause("pays").holds_from,
        load_policy(lender).clause("pays").holds_until,
    )
    found = borrow(lender, "parameters.fee_usd_per_mwh", borrower, folder_name="fee")
    assert (found.items[0].rate, found.items[0].after) == (1.0, "7 USD/MWh")


def test_usd_that_is_nobodys_currency_stays_usd_where_the_lender_counts_in_usd(tmp_path: Path) -> None:
    """A lender whose own currency is USD: its price per kWh moves, a limit in USD/MWh does not."""
    usd = country(tmp_path / "usd", rate="1", currency="USD")
    text = (usd / "policy.yaml").read_text("utf-8")
    text += (
        "  - {id: price, title: Price, clause: Prices stay., metric: price_change, at_most: 3,\n"
        "     unit: USD/MWh, basis: published, source: gazette, holds_from: 2025-01-01,\n"
        "     binding: no, subject: programme}\n"
    )
    (usd / "policy.yaml").write_text(text, "utf-8")
    other = country(tmp_path / "other", rate="20", currency="YTC")
    assert borrow(usd, "policy.price", other, folder_name="a").items[0].after == "at most 3 USD/MWh"
    assert borrow(usd, "policy.pays", other, folder_name="b").items[0].after == "at most 160 YTC/kWh"


def test_sizes_are_scaled_by_the_ratio_that_is_named_and_shares_are_not(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    found = borrow(lender, "uptake", borrower, folder_name="mixed", scale="gdp")
    share, users = found.items
    assert (share.after, share.scaling, share.factor) == ("0.01", "none", 1.0)
    assert (users.after, users.scaling) == ("900 persons", "gdp")
    assert users.factor == pytest.approx(3.0)
    assert found.scaling == "Sizes times 3: gdp_usd of Borrower over that of Lender."
    taken = load_country(written(found, tmp_path)).parameter("uptake_users")
    assert (taken.value, taken.low, taken.high) == (900.0, 900.0, 900.0)
    coins = borrow(lender, "policy.reserve", borrower, folder_name="coins", scale="gdp")
    limits = read_policy(coins.files["policy.yaml"].decode(), "p", currency="YTC").clause("no-hoard")
    assert [limits.at_most, limits.tolerance] == pytest.approx([12.0, 3.0])
    plain = borrow(lender, "parameters.uptake_users", borrower, folder_name="plain")
    assert (plain.items[0].after, plain.items[0].scaling) == ("300 persons", "none")


def test_a_source_of_the_same_name_and_another_content_gets_a_key_of_its_own(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    path = lender / "sources.csv"
    path.write_text(path.read_text("utf-8").replace("A toy country", "Another toy"), "utf-8")
    folder = written(borrow(lender, "tariff", borrower, folder_name="mixed"), tmp_path)
    mixed = load_country(folder)
    key = mixed.parameter("programme_tariff_per_kwh").source
    assert key == "lender_toy"
    titles = {row["source"]: row["title"] for row in mixed.table("sources")}
    assert (titles["toy"], titles[key]) == ("A toy country", "Another toy")


def test_a_second_piece_joins_the_first_and_the_same_piece_replaces_its_row(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    one = written(borrow(lender, "tariff", borrower, folder_name="one"), tmp_path)
    two = written(borrow(lender, "policy.reserve", one, folder_name="two"), tmp_path)
    three = written(borrow(lender, "tariff", two, folder_name="three"), tmp_path)
    assert {row["item"] for row in table(two, "borrowed")} == {
        "parameters.programme_tariff_per_kwh",
        "policy.no-hoard",
    }
    assert len(table(three, "borrowed")) == 2


def test_a_country_without_a_policy_gets_one_of_what_it_borrows(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    (borrower / "policy.yaml").unlink()
    folder = written(borrow(lender, "policy.reserve", borrower, folder_name="mixed"), tmp_path)
    policy = load_policy(folder)
    assert (policy.title, [clause.id for clause in policy.clauses]) == ("Borrowed from Lender", ["no-hoard"])
    plain = borrow(lender, "tariff", borrower, folder_name="plain")
    assert "policy.yaml" not in plain.files


def test_a_borrowed_value_is_listed_among_the_assumptions(
    lender: Path, borrower: Path, tmp_path: Path
) -> None:
    folder = written(borrow(lender, "uptake", borrower, folder_name="mixed"), tmp_path)
    keys = [row["key"] for row in list_assumptions(load_country(folder)) if row["table"] == "parameters"]
    assert any("uptake_users" in key for key in keys)


@pytest.mark.parametrize(
    ("piece", "scale", "problem", "mend"),
    [
        ("policy.reserv", "none", "has no such piece", "did you mean 'policy.reserve'?"),
        ("parameters.programme_mv", "none", "has no such piece", "did you mean 'parameters.programme_mw'?"),
        ("", "none", "has no such piece", "policy.no-hoard"),
        ("parameters.currency_per_usd", "none", "is the rate", "borrow what is priced"),
        ("tariff", "gdp", "nothing in tariff is a size", "leave --scale out"),
        ("policy.reserve", "gnp", "there is no such scaling", "did you mean 'gdp'?"),
        ("policy.reserve", "population", "has no population above 0", "--scale none"),
    ],
)
def test_what_cannot_be_borrowed_is_refused_with_the_mend(
    lender: Path, borrower: Path, piece: str, scale: str, problem: str, mend: str
) -> None:
    with pytest.raises(InputError) as caught:
        borrow(lender, piece, borrower, folder_name="mixed", scale=scale)
    assert problem in caught.value.faults[0].problem
    assert mend in caught.value.faults[0].mend


def test_the_lack_of_a_scale_is_named_for_both_countries(lender: Path, borrower: Path) -> None:
    with pytest.raises(InputError) as caught:
        borrow(lender, "policy.reserve", borrower, folder_name="mixed", scale="fx_reserves")
    assert ["Lender" in str(fault) for fault in caught.value.faults] == [True, False]


def test_every_piece_of_the_countries_that_ship_can_be_borrowed(tmp_path: Path) -> None:
    for origin, into in (("el_salvador", "pakistan"), ("pakistan", "el_salvador")):
        pieces = pieces_of(load_country(origin), own_policy(origin))
        assert {"policy.reserve", "policy.programme", "tariff", "programme"} <= set(pieces)
        for number, piece in enumerate(pieces):
            found = borrow(origin, piece, into, folder_name=f"{into}{number}")
            folder = written(found, tmp_path)
            mixed, policy = load_country(folder), load_policy(folder)
            assert len(mixed.table("borrowed")) == len(found.items) > 0
            assert policy.country == mixed.id


def test_the_volcanos_tariff_in_pakistan_to_the_digit() -> None:
    found = borrow("el-salvador", "parameters.programme_tariff_per_kwh", "pakistan", folder_name="x")
    rate = load_country("pakistan").usd_rate
    told = load_country("el-salvador").parameter("programme_tariff_per_kwh").value * rate
    assert found.items[0].after == f"{told:.6g} PKR/kWh"


def test_no_name_of_a_scale_is_without_a_parameter() -> None:
    for name, parameter in SCALES.items():
        assert (parameter is None) == (name == "none")
        if parameter is not None:
            for shipped in ("pakistan", "el_salvador"):
                assert load_country(shipped).parameter(parameter).value > 0


class TestCommand:
    def borrow(self, *words: object) -> int:
        return main(["borrow", *(str(word) for word in words)])

    def test_writes_a_country_that_runs_and_says_what_it_borrowed(
        self, lender: Path, borrower: Path, tmp_path: Path, capsys: Capture
    ) -> None:
        out = tmp_path / "out" / "mixed"
        assert self.borrow(lender, "tariff", "--into", borrower, "--out", out, "--json") == 0
        document = json.loads(capsys.readouterr().out)
        assert document["content_hash"] == load_country(out).content_hash
        assert document["items"][0]["after"] == "1.2 YTC/kWh"
        study = run(out)
        assert study.summary["programme"]["tariff_per_kwh"] == pytest.approx(1.2)
        assert [row["item"] for row in study.summary["borrowed"]] == ["parameters.programme_tariff_per_kwh"]
        page = render_report(study.summary, study.hourly)
        line = (
            "Borrowed from Lender 2025: parameters.programme_tariff_per_kwh "
            "(1.2 YTC/kWh in place of 6 YTC/kWh)."
        )
        assert line in page
        assert 'id="table-borrowed"' in page

    def test_a_study_of_its_own_says_nothing_of_borrowing(self, borrower: Path) -> None:
        study = run(borrower)
        assert study.summary["borrowed"] == []
        page = render_report(study.summary, study.hourly)
        assert "Borrowed from" not in page
        assert 'id="table-borrowed"' not in page

    def test_twice_gives_the_same_bytes(self, lender: Path, borrower: Path, tmp_path: Path) -> None:
        out, prints = tmp_path / "mixed", []
        for _ in range(2):
            assert self.borrow(lender, "policy.reserve", "--into", borrower, "--out", out) == 0
            data = b"".join(path.read_bytes() for path in sorted(out.iterdir()))
            prints.append(hashlib.sha256(data).hexdigest())
        assert prints[0] == prints[1]

    @pytest.mark.parametrize("wrong", ["piece", "into", "own folder", "a file", "something else"])
    def test_a_refusal_writes_nothing(
        self, lender: Path, borrower: Path, tmp_path: Path, capsys: Capture, wrong: str
    ) -> None:
        out, into, piece = tmp_path / "mixed", borrower, "tariff"
        if wrong == "piece":
            piece = "tarif"
        elif wrong == "into":
            into = tmp_path / "nowhere"
        elif wrong == "own folder":
            out = borrower
        elif wrong == "a file":
            out.write_text("mine")
        else:
            out.mkdir()
            (out / "letter.txt").write_text("mine")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert self.borrow(lender, piece, "--into", into, "--out", out, "--json") == 2
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        assert json.loads(capsys.readouterr().out)["error"]["faults"][0]["mend"]

    def test_broken_tables_of_either_country_are_named(
        self, lender: Path, borrower: Path, tmp_path: Path
    ) -> None:
        (lender / "parameters.csv").write_text("parameter\n", "utf-8")
        with pytest.raises(PenstockError, match=r"parameters\.csv"):
            borrow(lender, "tariff", borrower, folder_name="mixed")
