"""The policies that ship, files of one's own, and `penstock policy`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import penstock
from penstock.cli import main
from penstock.country import load_country
from penstock.country.load import shipped_countries
from penstock.errors import PolicyError, UnknownCountryError
from penstock.policy import METRICS, Reading, judge, read_policy
from penstock.study.policies import load_policy

from ..country.toy import write_toy_country

TOY = (Path(__file__).parent / "laws" / "toy.yaml").read_text("utf-8")
ROOT = Path(__file__).resolve().parents[2]
COUNTRIES = Path(penstock.__file__).parent / "countries"
CURRENCY = {"pakistan": "PKR", "el_salvador": "USD"}
Capture = pytest.CaptureFixture[str]


def text_of(name: str) -> str:
    """The policy that ships with a country."""
    return (COUNTRIES / name / "policy.yaml").read_text("utf-8")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A country of one's own with a policy beside its tables."""
    folder = tmp_path / "toy"
    write_toy_country(folder)
    currency = load_country(folder).currency
    (folder / "policy.yaml").write_text(TOY.replace("TOY/kWh", f"{currency}/kWh"), "utf-8")
    return folder


@pytest.mark.parametrize("name", shipped_countries())
def test_every_country_that_ships_has_a_policy(name: str) -> None:
    policy = load_policy(name)
    assert policy.country == name
    assert policy == load_policy(load_country(name))
    assert any(clause.binding and clause.subject == "programme" for clause in policy.clauses)
    for source in policy.sources.values():
        assert source.url or source.key == "penstock_assumption"


CLAUSES = [
    (name, clause.id)
    for name in ("pakistan", "el_salvador")
    for clause in read_policy(text_of(name), name, currency=CURRENCY[name]).clauses
]


@pytest.mark.parametrize(("name", "clause_id"), CLAUSES)
def test_a_limit_changed_in_the_text_alone_changes_what_is_found(name: str, clause_id: str) -> None:
    text = text_of(name)
    before = read_policy(text, "policy.yaml", currency=CURRENCY[name])
    clause = before.clause(clause_id)
    assert clause.at_most is not None
    beyond = clause.at_most + clause.tolerance + 1.0
    start = text.index(f"- id: {clause_id}\n")
    block = re.sub(r"at_most: .*", f"at_most: {beyond}", text[start:], count=1)
    block = re.sub(r"high: .*", f"high: {beyond}", block, count=1) if clause.high is not None else block
    after = read_policy(text[:start] + block, "policy.yaml", currency=CURRENCY[name])
    measures = {clause.metric: [Reading("there", beyond)]}
    assert judge(before, measures, as_of=clause.holds_from).finding(clause_id).status == "failed"
    assert judge(after, measures, as_of=clause.holds_from).finding(clause_id).status == "passed"


@pytest.mark.parametrize(("name", "clause_id"), CLAUSES)
def test_the_page_shows_every_clause_as_it_ships(name: str, clause_id: str) -> None:
    clause = read_policy(text_of(name), name, currency=CURRENCY[name]).clause(clause_id)
    page = (ROOT / "docs" / "guardrails.md").read_text("utf-8")
    section = page.partition("## Pakistan" if name == "pakistan" else "## El Salvador")[2].partition("\n## ")[
        0
    ]
    (row,) = [line for line in section.splitlines() if line.startswith(f"| `{clause_id}`")]
    _, limit, decides, basis, force, _ = (cell.strip() for cell in row.strip("|").split(" | "))
    number = limit.split(" to ")[-1].partition(" ")
    assert float(number[0]) == clause.at_most
    assert (number[2] or "1") == clause.unit
    assert decides == ("yes" if clause.binding else "shown")
    assert basis.startswith(clause.basis)
    if clause.basis == "assumption" and clause.low != clause.high:
        assert [float(end) for end in basis.partition(", ")[2].split(" to ")] == [clause.low, clause.high]
    until = "" if clause.holds_until is None else f" to {clause.holds_until}"
    assert force.removeprefix("from ") == f"{clause.holds_from}{until}"


def test_the_page_shows_every_metric() -> None:
    page = (ROOT / "docs" / "guardrails.md").read_text("utf-8")
    for metric in METRICS.values():
        assert f"| `{metric.key}` | {metric.unit} | {metric.places} | {metric.description} |" in page


def test_a_folder_has_its_own_policy(own: Path) -> None:
    assert load_policy(own).country == "toy"


def test_a_folder_without_a_policy_is_refused(own: Path) -> None:
    (own / "policy.yaml").unlink()
    with pytest.raises(PolicyError, match="without a policy nothing passes"):
        load_policy(own)


def test_a_policy_of_another_country_is_refused(own: Path) -> None:
    text = (own / "policy.yaml").read_text("utf-8").replace("country: toy", "country: elsewhere")
    (own / "policy.yaml").write_text(text, "utf-8")
    with pytest.raises(PolicyError, match="is a policy of another country than toy"):
        load_policy(own)


def test_a_file_that_is_named_comes_before_the_own_one(own: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    text = (own / "policy.yaml").read_text("utf-8").replace("at_most: 3\n", "at_most: 4\n")
    other.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_policy(own, other).clause("lights-stay-on").at_most == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"country: toy\ntitle: \xff\xfe\n", r"bad.yaml, line 2: holds bytes that are not UTF-8"),
        (b"#" * 2_000_000, "is longer than 1048576 bytes"),
        (b"#" * 500_000, "over the limit of 262144"),
        (b"", "the file is empty"),
    ],
)
def test_a_hostile_file_is_refused(own: Path, tmp_path: Path, content: bytes, said: str) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(content)
    with pytest.raises(PolicyError, match=said):
        load_policy(own, bad)


def test_what_is_no_file_is_refused(own: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="is no file"):
        load_policy(own, tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(PolicyError, match="is no file"):
        load_policy(own, pipe)
    with pytest.raises(UnknownCountryError):
        load_policy("nowhere")


def test_the_command_lists_every_clause(own: Path, capsys: Capture) -> None:
    assert main(["policy", str(own)]) == 0
    out = capsys.readouterr().out
    for part in ("pays-its-way", "Lights stay on", "40 to 50 TWh", "at most 0 BTC", "2026-01-01", "Gazette"):
        assert part in out
    assert "5 clauses, of which 4 decide" in out


def test_the_command_gives_one_document(own: Path, capsys: Capture) -> None:
    assert main(["policy", str(own), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["policy"]
    assert found["country"] == "toy"
    assert found["sha256"] == load_policy(own).sha256
    first = found["clauses"][0]
    assert (first["id"], first["at_most"], first["at_least"]) == ("pays-its-way", 0.0, None)
    assert (first["holds_from"], first["holds_until"]) == ("2025-01-01", None)
    assert [source["key"] for source in found["sources"]] == ["gazette"]


def test_the_command_names_every_fault_with_its_line(own: Path, tmp_path: Path, capsys: Capture) -> None:
    bad = tmp_path / "bad.yaml"
    text = (own / "policy.yaml").read_text("utf-8")
    bad.write_text(text.replace("metric: lole", "metric: loel").replace("unit: BTC", "unit: kg"), "utf-8")
    assert main(["policy", str(own), "--file", str(bad), "--json"]) == 2
    captured = capsys.readouterr()
    faults = json.loads(captured.out)["error"]["faults"]
    assert [fault["column"] for fault in faults] == ["metric", "unit"]
    line = text[: text.index("metric: lole")].count("\n") + 1
    assert f"bad.yaml, line {line}, column metric" in captured.err
