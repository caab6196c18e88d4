"""A policy is read whole or refused whole, with the line of every fault."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PolicyError
from penstock.policy import METRICS, Policy, judge, limit_text, read_policy
from penstock.policy.judge import Reading

TOY = (Path(__file__).parent / "laws" / "toy.yaml").read_text("utf-8")


def read(text: str) -> Policy:
    return read_policy(text, "policy.yaml", currency="TOY")


def line_of(text: str, part: str) -> int:
    """Line of the first place where a text stands."""
    return text[: text.index(part)].count("\n") + 1


def faults_of(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(text)
    return [str(fault) for fault in caught.value.faults]


def test_a_policy_holds_what_its_file_says() -> None:
    policy = read(TOY)
    assert (policy.country, policy.title) == ("toy", "Rules of a country that does not exist")
    assert policy.sources["gazette"].publisher == "The toy state"
    lights = policy.clause("lights-stay-on")
    assert (lights.metric, lights.at_most, lights.at_least, lights.unit) == ("lole", 3.0, None, "h/year")
    assert (lights.tolerance, lights.basis, lights.source) == (0.5, "published", "gazette")
    assert (lights.holds_from, lights.holds_until) == (date(2025, 1, 1), date(2025, 12, 31))
    assert (lights.binding, lights.subject) == (True, "programme")
    assert lights.line == line_of(TOY, "id: lights-stay-on")
    assert limit_text(policy.clause("use-in-range")) == "40 to 50 TWh"
    assert policy.clause("use-at-least").binding is False


def test_changing_a_limit_in_the_text_changes_the_verdict() -> None:
    measures = {"lole": [Reading("A", 3.6)], "unrecovered_cost_year": [Reading("y", 0.0)]}
    measures["package_consumption"] = [Reading("y", 45.0)]
    looser = TOY.replace("at_most: 3\n", "at_most: 4\n")
    day = date(2025, 6, 30)
    assert not judge(read(TOY), measures, as_of=day).passed
    assert judge(read(looser), measures, as_of=day).passed
    assert read(TOY).sha256 != read(looser).sha256


def test_line_endings_are_no_content() -> None:
    assert read(TOY).sha256 == read(TOY.replace("\n", "\r\n")).sha256
    assert read(TOY) == read(TOY.replace("\n", "\r\n"))


# Each: text to find in the toy policy, what is put there, where the fault is, what it says.
ONE_FAULT = [
    ("metric: lole", "metric: loel", "metric: loel", "column metric: there is no such metric (value: 'loel'"),
    ("metric: lole", "metric: loel", "metric: loel", "did you mean 'lole'?"),
    ("    unit: h/year\n", "", "id: lights-stay-on", "column unit: is missing: a limit needs its unit"),
    ("unit: h/year", "unit: ", "unit: \n", "column unit: is missing: a limit needs its unit"),
    ("unit: h/year", "unit: h", "unit: h\n", "is not the unit of lole, which is h/year"),
    ("unit: TOY/kWh", "unit: USD/kWh", "unit: USD/kWh", "which is TOY/kWh"),
    ("source: gazette", "source: gazete", "source: gazete", "did you mean 'gazette'?"),
    ("    source: gazette\n", "", "id: pays-its-way", "column source: is missing: a limit needs its source"),
    ("id: lights-stay-on", "id: pays-its-way", "line-of-second", "has a clause of this id already"),
    ("id: lights-stay-on", "id: Lights On", "id: Lights On", "is no id"),
    (
        "at_most: 3\n",
        "at_most: three\n",
        "at_most: three",
        "must be a finite number [h/year] (value: 'three')",
    ),
    ("at_most: 3\n", 'at_most: "3"\n', 'at_most: "3"', "must be a finite number [h/year]"),
    ("at_most: 3\n", "at_most: .inf\n", "at_most: .inf", "must be a finite number [h/year]"),
    ("at_most: 3\n", "at_most: nan\n", "at_most: nan", "must be a finite number [h/year]"),
    ("at_most: 3\n", "at_most: 1e999\n", "at_most: 1e999", "must be a finite number [h/year]"),
    ("at_most: 3\n", "at_most: 3 h\n", "at_most: 3 h", "must be a finite number [h/year]"),
    ("at_most: 3\n", "at_most: [3]\n", "at_most: [3]", "is a list, and one value is wanted"),
    ("at_most: 3\n", "at_most: ~\n", "at_most: ~", "is blank"),
    ("    at_most: 3\n", "", "id: lights-stay-on", "the clause has no limit"),
    ("at_most: 3\n", "at_least: 3\n", "at_least: 3", "lower is better"),
    (
        "at_least: 40\n    at_most",
        "at_least: 60\n    at_most",
        "at_least: 60",
        "is above at_most, which is 50",
    ),
    ("tolerance: 0.5", "tolerance: -0.5", "tolerance: -0.5", "is below the minimum of 0 [h/year]"),
    ("holds_from: 2026-01-01", "holds_from: 2026-02-30", "2026-02-30", "is no date"),
    ("holds_from: 2026-01-01", "holds_from: soon", "holds_from: soon", "is no date"),
    (
        "holds_until: 2025-12-31",
        "holds_until: 2024-12-31",
        "2024-12-31",
        "is before holds_from, which is 2025",
    ),
    ("binding: yes", "binding: perhaps", "binding: perhaps", "must be yes or no"),
    ("subject: reserve", "subject: reserves", "subject: reserves", "did you mean 'reserve'?"),
    ("basis: published", "basis: hearsay", "basis: hearsay", "must be one of published, derived, assumption"),
    ("    low: 0\n", "", "id: no-hoard", "column low: is missing, and an assumption needs low and high"),
    ("    high: 10\n", "", "id: no-hoard", "column high: is missing, and an assumption needs low and high"),
    ("low: 0\n", "low: 11\n", "low: 11", "is above high, which is 10 [BTC]"),
    ("low: 0\n", "low: 1\n", "at_most: 0\n    unit: BTC", "lies outside low to high, 1 to 10 [BTC]"),
    ("title: No hoard", "titel: No hoard", "titel", "there is no such key here"),
    ("title: No hoard\n", "title: No hoard\n    title: Hoard\n", "title: Hoard", "the key stands in line"),
    ("    title: No hoard\n", "", "id: no-hoard", "column title: is missing"),
    ("title: No hoard", 'title: "No\\u202Ehoard"', "u202Ehoard", "holds a sign that cannot be seen"),
    (
        "title: No hoard",
        'title: "\\e[31mNo"',
        "e[31mNo",
        "holds a sign that cannot be seen (value: 'U+001B')",
    ),
    ("country: toy", "land: toy", "land: toy", "there is no such key here"),
    ("title: Gazette", "titel: Gazette", "titel: Gazette", "there is no such key here"),
]


@pytest.mark.parametrize(("old", "new", "where", "said"), ONE_FAULT)
def test_a_slip_is_refused_with_its_line(old: str, new: str, where: str, said: str) -> None:
    assert old in TOY
    text = TOY.replace(old, new, 1)
    faults = faults_of(text)
    line = line_of(TOY, "id: lights-stay-on") if where == "line-of-second" else line_of(text, where)
    assert any(said in fault and f"policy.yaml, line {line}" in fault for fault in faults), faults


def test_every_fault_is_named_at_once_in_the_order_of_the_lines() -> None:
    text = TOY.replace("metric: lole", "metric: loel").replace("    unit: TOY/kWh\n", "")
    text = text.replace("id: no-hoard", "id: pays-its-way").replace("source: gazette", "source: gazete", 1)
    with pytest.raises(PolicyError) as caught:
        read(text)
    places = [fault.place for fault in caught.value.faults]
    assert [fault.column for fault in caught.value.faults] == ["unit", "source", "metric", "id"]
    lines = [int(place.rpartition(" ")[2]) for place in places]
    assert lines == sorted(lines)


WHOLE_FILES = [
    ("", "the file is empty"),
    ("# nothing but a remark\n", "the file is empty"),
    ("~\n", "the file is empty"),
    ("- a\n- b\n", "no mapping of keys to values"),
    ("just words\n", "no mapping of keys to values"),
    ("country: toy\ntitle: t\nsources: {}\nclauses: []\n", "there is no clause"),
    ("country: toy\ntitle: t\nsources: {}\n", "there is no clause"),
    ("country: toy\ntitle: t\nclauses: [{}]\n", "no sources are listed"),
    ("country: toy\nsources: {a: b}\nclauses: [x]\n", "a clause is a mapping"),
    ("country: [toy\n", "is not YAML"),
    ("a: b\n\tc: d\n", "is not YAML"),
    ("a: 'b\n", "is not YAML"),
    ("a: b\x07\n", "a character that YAML does not allow (value: 'U+0007')"),
    (TOY + "---\n" + TOY, "begins a second document"),
    ("country: &a toy\n", "has an anchor (value: '&a')"),
    ("country: *a\n", "is an alias (value: '*a')"),
    ("country: !!python/object/apply:os.system ['exit 1']\n", "has a tag"),
    ("!!python/object:builtins.list []\n", "has a tag"),
    ("country: !land toy\n", "has a tag"),
    ("%TAG ! tag:example.org,2000:\n---\ncountry: toy\n", "declares tags"),
    ("? {a: b}\n: c\n", "a key is a list or a mapping"),
    ("[" * 100_000, "lies deeper than 8 levels"),
    ("- " * 50_000, "lies deeper than 8 levels"),
    ("x" * 10_000_000, "holds 10000000 characters, over the limit of 262144"),
]


@pytest.mark.parametrize(("text", "said"), WHOLE_FILES, ids=[said for _, said in WHOLE_FILES])
def test_a_file_that_is_no_policy_is_refused(text: str, said: str) -> None:
    began = time.perf_counter()
    assert any(said in fault for fault in faults_of(text))
    assert time.perf_counter() - began < 5.0


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    rows = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 9)}]" for k in range(9)]
    assert faults_of("\n".join(rows)) == [
        "policy.yaml, line 1: has an anchor (value: '&a'). Mend: remove it",
    ]


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        read(text)


@given(st.data())
def test_a_mangled_policy_is_read_or_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(TOY)))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.text(max_size=20))
    text = TOY[:start] + put + TOY[start + length :]
    try:
        policy = read(text)
    except PolicyError:
        return  # no other error may come out
    assert policy.clauses


def test_a_metric_has_a_unit_a_place_and_a_meaning() -> None:
    assert {"unrecovered_cost_year", "consumer_change_pooled", "lole_change"} <= METRICS.keys()
    for key, metric in METRICS.items():
        assert re.fullmatch(r"[a-z][a-z_]*", key)
        assert metric.unit
        assert metric.description
    assert METRICS["unrecovered_cost_hour"].unit_in("PKR") == "PKR/kWh"
    assert METRICS["lole"].unit_in("PKR") == "h/year"
