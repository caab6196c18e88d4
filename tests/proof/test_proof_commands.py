"""`penstock tariff`, `hosting` and `design`: what they write and print, and what they refuse at once."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import main
from penstock.country import load_country
from penstock.country.load import country_folder
from penstock.proof import design
from tests.report.schema_check import schema_errors

pytestmark = pytest.mark.xdist_group("toy-proof")

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def written(toyland: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a design with its hosting; one share of mining, so that it is found fast."""
    folder = tmp_path_factory.mktemp("design")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "search_design", partial(design.search_design, shares=(0.5,)))
        words = ["design", str(toyland), "--mw", "40", "--with-hosting", "--years", "5"]
        assert main([*words, "--out", str(folder)]) == 0
    return folder


def document(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", ["design", "tariff", "hosting"])
def test_what_is_written_follows_the_schema(written: Path, name: str) -> None:
    found = document(written, name)
    assert schema_errors(name, found) == []
    assert found["country"]["id"] == "toyland"
    assert found["policy"]["title"] == "Rules of Toyland"
    assert sorted(path.name for path in written.iterdir()) == [
        *("design.html", "design.json", "hosting.json", "tariff.json")
    ]


def test_keys_that_were_promised(written: Path) -> None:
    found = document(written, "design")
    assert found["verdict"] in ("passes", "refused")
    for row in found["guardrails"]:
        assert {"id", "passed", "value", "limit", "margin"} <= row.keys()
    found = document(written, "tariff")
    assert set(found["floor_xtc_per_kwh"]) == {"marginal", "full_per_kwh", "full_per_kw"}
    assert set(found["ceiling_xtc_per_kwh"]) == {"mining", "ai"}
    assert [row["tariff_xtc_per_kwh"] for row in found["judged"]] == [5.5, 6.0]
    assert {row["verdict"] for row in found["judged"]} == {"refused"}
    found = document(written, "hosting")
    assert found["firm_mw"] > 0.0
    assert set(found["interruptible_mw"]) == {"0.0025", "0.005", "0.01", "0.05"}


def test_a_judged_tariff_has_its_source_and_clauses_their_titles(written: Path) -> None:
    """5.5 was proposed in a source that no assumption of the loads cites."""
    found = document(written, "tariff")
    cited = {row["source"] for row in found["judged"]} - {""}
    assert cited == {"toy"}
    assert cited <= {row["source"] for row in found["sources"]}
    titles = {"no-subsidy": "No subsidy", "nobody-pays-more": "Nobody pays more"}
    assert found["clauses"] == document(written, "hosting")["clauses"] == titles


def test_the_page_shows_the_tariff_and_the_hosting(written: Path) -> None:
    page = (written / "design.html").read_text("utf-8")
    assert 'id="hosting"' in page
    assert 'id="tariff"' in page
    assert "Norris, Profeta, Patino-Echeverri and Cowie-Haskell" in page


def test_json_is_one_document_that_names_its_files(toyland: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["tariff", str(toyland), "--years", "5", "--judge", "8.5", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found.pop("files") == {"tariff": str(tmp_path / "tariff.json")}
    assert found == document(tmp_path, "tariff")
    assert [row["tariff_xtc_per_kwh"] for row in found["judged"]] == [5.5, 6.0, 8.5]
    assert shown.err.splitlines()[-1].startswith("100%")


FAULTY = [
    (
        "tariff",
        ["--mw", "-5", "--mining-share", "2", "--tariff", "-1", "--judge", "-1", "--judge", "7"],
        ["--mw", "--mining-share", "--tariff", "--judge"],
    ),
    ("hosting", ["--tariff", "-2"], ["--tariff"]),
    ("design", ["--mw", "0", "--highest-tariff", "-3"], ["--mw", "--highest-tariff"]),
    ("design", ["--mw", "-1"], ["--mw"]),
]


@pytest.mark.parametrize(("command", "words", "places"), FAULTY)
def test_all_faults_at_once_and_nothing_is_written(
    toyland: Path, tmp_path: Path, capsys: Capture, command: str, words: list[str], places: list[str]
) -> None:
    missing = str(tmp_path / "none.yaml")
    wrong = ["--years", "0", "--seed", "-1", "--as-of", "2025-13-01", "--policy", missing]
    out = tmp_path / "out"
    assert main([command, str(toyland), *words, *wrong, "--out", str(out), "--json"]) == 2
    faults = json.loads(capsys.readouterr().out)["error"]["faults"]
    assert [fault["place"] for fault in faults] == [*places, "--as-of", "--years", "--seed", missing]
    assert all(fault["mend"] for fault in faults)
    assert not out.exists()


@pytest.mark.parametrize("command", ["tariff", "hosting", "design"])
def test_a_policy_of_another_country_is_refused(
    toyland: Path, tmp_path: Path, capsys: Capture, command: str
) -> None:
    foreign = country_folder("pakistan") / "policy.yaml"
    out = tmp_path / "out"
    assert main([command, str(toyland), "--policy", str(foreign), "--out", str(out)]) == 2
    assert "policy.yaml" in capsys.readouterr().err
    assert not out.exists()
    of_another = (
        (toyland / "policy.yaml").read_text("utf-8").replace("country: toyland", "country: elsewhere")
    )
    (tmp_path / "other.yaml").write_text(of_another, "utf-8")
    words = [command, str(toyland), "--policy", str(tmp_path / "other.yaml"), "--out", str(out)]
    assert main(words) == 2
    assert f"is a policy of another country than {load_country(toyland).id}" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("command", ["tariff", "hosting", "design"])
def test_an_unknown_country_or_a_number_that_is_none(tmp_path: Path, capsys: Capture, command: str) -> None:
    out = tmp_path / "out"
    assert main([command, "nowhere", "--out", str(out)]) == 2
    assert "no country of this name" in capsys.readouterr().err
    for option, value in (("--years", "many"), ("--seed", "1.5"), ("--policy", "")):
        assert main([command, "pakistan", option, value, "--out", str(out)]) == 2
    assert not out.exists()


def test_years_and_seeds_have_an_upper_limit(toyland: Path, capsys: Capture) -> None:
    assert main(["hosting", str(toyland), "--years", "100001", "--seed", str(2**63)]) == 2
    told = capsys.readouterr().err
    assert "--years: must be from 1 to 100000 [years]" in told
    assert f"--seed: must be from 0 to {2**63 - 1}" in told
