"""The command line: what goes where, exit codes, and files that are written all or none."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from penstock import __version__
from penstock.cli import main
from penstock.cli.files import publish, staging
from penstock.errors import Fault, InfeasibleError

from .country.toy import toy_tables, write_tables, write_toy_country
from .summary import sample_summary

FILES = ("hourly.parquet", "report.html", "summary.json")
Capture = pytest.CaptureFixture[str]


class FakeStudy:
    """Stands for the study: gives the sample summary, records what it was asked, raises what it is told."""

    def __init__(self) -> None:
        self.summary = sample_summary()
        self.hourly = pd.DataFrame({"month": [1, 1], "base.demand_mw.NORTH": [280.0, 281.5]})
        self.asked: dict[str, Any] = {}
        self.before: Callable[[], None] = lambda: None
        self.renders: Callable[[], str] = lambda: "<!doctype html><p>Nörth</p>"

    def default_programme(self, country: Any, **given: Any) -> str:
        self.asked = {"country": country.id, **given}
        return "the programme"

    def run(
        self, country: Any, programme: Any, *, policy: Any, progress: Callable[[str, float], None]
    ) -> SimpleNamespace:
        assert programme == "the programme"
        progress("Clearing without", 0.25)
        progress("Clearing without", 0.30)
        progress("Clearing with", 0.75)
        self.before()
        return SimpleNamespace(summary=self.summary, hourly=self.hourly)

    def render_report(self, summary: Any, hourly: Any) -> str:
        assert summary is self.summary
        assert hourly is self.hourly
        return self.renders()


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> FakeStudy:
    fake = FakeStudy()
    monkeypatch.setattr("penstock.study.run", fake.run)
    monkeypatch.setattr("penstock.programme.default_programme", fake.default_programme)
    monkeypatch.setattr("penstock.report.render_report", fake.render_report)
    return fake


@pytest.fixture
def toyland(tmp_path: Path) -> Path:
    folder = tmp_path / "toyland"
    write_toy_country(folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def error_of(capture: Capture) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(capture.readouterr().out)["error"]
    assert list(error) == ["type", "message", "faults"]
    for fault in error["faults"]:
        assert list(fault) == ["place", "row", "column", "value", "problem", "mend"]
    return error


# --- run -------------------------------------------------------------------------------------------------


def test_run_shows_the_result_and_writes_three_files(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["run", str(toyland), "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert tuple(content(out)) == FILES
    assert json.loads((out / "summary.json").read_text("utf-8")) == study.summary
    assert "Nörth" in (out / "summary.json").read_text("utf-8")
    assert (out / "report.html").read_text("utf-8") == "<!doctype html><p>Nörth</p>"
    pd.testing.assert_frame_equal(pd.read_parquet(out / "hourly.parquet"), study.hourly)
    assert shown.err.splitlines() == [
        "  0% Reading the tables",
        " 25% Clearing without",
        " 75% Clearing with",
        "100% Writing the report",
    ]
    lines = [re.sub(" +", " ", line).strip() for line in shown.out.splitlines()]
    assert "System cost M USD 250.0 275.0 +25.0" in lines
    assert "Energy of the programme TWh 0.00 0.60 +0.60" in lines
    assert "Fuel imports M USD 150.0 150.0 \N{MINUS SIGN}15.0" in lines
    assert "Homes gains 23.0 pays 7.0" in lines
    assert "Coal plants 0.0 gains 30.0" in lines
    assert "The programme pays 48.0 pays 48.0" in lines
    assert "all together pays 25.0 pays 25.0" in lines
    assert any(line.startswith("100 MW of Bitcoin mining would draw 0.60 TWh a year") for line in lines)
    assert f"report {out / 'report.html'}" in lines
    assert "\x1b" not in shown.out + shown.err


def test_a_number_that_a_side_lacks_is_shown_as_a_dash(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture
) -> None:
    study.summary["base"]["emissions_t"] = None
    assert main(["run", str(toyland), "--out", str(tmp_path / "out")]) == 0
    assert re.search(r"Emissions +Mt CO2 +– +3\.50", capsys.readouterr().out)


def test_json_is_one_document_and_the_only_thing_on_standard_output(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(toyland), "--json", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    files = {"summary": "summary.json", "hourly": "hourly.parquet", "report": "report.html"}
    assert json.loads(shown.out) == {
        **study.summary,
        "files": {name: str(out / file) for name, file in files.items()},
    }
    assert "Clearing with" in shown.err


def test_options_reach_the_programme(study: FakeStudy, toyland: Path, tmp_path: Path) -> None:
    command = ["run", str(toyland), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    unset = {"mw": None, "mining_share": None, "tariff_per_kwh": None, "firm": None}
    assert study.asked == {"country": "toyland", **unset}
    assert main([*command, "--mw", "120.5", "--mining-share", "0.25", "--tariff", "7", "--firm"]) == 0
    given = {"mw": 120.5, "mining_share": 0.25, "tariff_per_kwh": 7.0, "firm": True}
    assert study.asked == {"country": "toyland", **given}
    assert main([*command, "--interruptible"]) == 0
    assert study.asked["firm"] is False


def test_files_go_to_out_and_the_country_unless_told(
    study: FakeStudy, toyland: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "./toyland"]) == 0
    assert tuple(content(tmp_path / "out" / "toyland")) == FILES


def test_a_second_run_replaces_its_three_files_and_no_others(
    study: FakeStudy, toyland: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["run", str(toyland), "--out", str(out)]
    assert main(command) == 0
    before = content(out)
    (out / "notes.txt").write_text("mine")
    study.summary["year"] = 2026
    assert main(command) == 0
    after = content(out)
    assert after.pop("notes.txt") == b"mine"
    assert [name for name in FILES if after[name] != before[name]] == ["summary.json"]


def test_progress_bar_stays_on_standard_error(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["run", str(toyland), "--json", "--out", str(tmp_path / "out")]) == 0
    assert "Writing the report" in terminal.getvalue()
    assert json.loads(capsys.readouterr().out)["year"] == 2025


# --- failures of run -------------------------------------------------------------------------------------


def crash(error: BaseException) -> Callable[[], Any]:
    def raises() -> None:
        raise error

    return raises


def break_study(study: FakeStudy, how: str) -> None:
    if how == "study":
        study.before = crash(InfeasibleError(Fault("limits", "they clash by 5 MW", "raise one")))
    elif how == "interrupt":
        study.before = crash(KeyboardInterrupt())
    elif how == "render":
        study.renders = crash(RuntimeError("no report"))
    elif how == "render interrupt":
        study.renders = crash(KeyboardInterrupt())
    elif how == "nan":
        study.summary["base"]["cost_usd"] = float("nan")


BREAKS = [
    ("study", 2, None),
    ("interrupt", 130, None),
    ("render", None, RuntimeError),
    ("render interrupt", 130, None),
    ("nan", None, ValueError),
]


@pytest.mark.parametrize(("how", "code", "raised"), BREAKS)
@pytest.mark.parametrize("earlier", [True, False], ids=["earlier files", "new folder"])
def test_failure_leaves_nothing_behind_and_earlier_files_alone(
    study: FakeStudy,
    toyland: Path,
    tmp_path: Path,
    how: str,
    code: int | None,
    raised: type[Exception] | None,
    earlier: bool,
) -> None:
    out = tmp_path / "deep" / "out"
    command = ["run", str(toyland), "--out", str(out)]
    if earlier:
        assert main(command) == 0
        study.summary["year"] = 2026
    before = content(out) if earlier else {}
    break_study(study, how)
    if raised is None:
        assert main(command) == code
    else:
        with pytest.raises(raised):
            main(command)
    if earlier:
        assert content(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == (
        ["deep", "toyland"] if earlier else ["toyland"]
    )


def test_interrupt_is_said_on_standard_error(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture
) -> None:
    break_study(study, "interrupt")
    assert main(["run", str(toyland), "--json", "--out", str(tmp_path / "out")]) == 130
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith("penstock: interrupted\n")


@pytest.mark.parametrize("blocked", FILES)
@pytest.mark.parametrize("earlier", [True, False], ids=["earlier files", "new files"])
def test_a_file_that_cannot_be_moved_takes_the_others_back(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture, blocked: str, earlier: bool
) -> None:
    out = tmp_path / "out"
    command = ["run", str(toyland), "--json", "--out", str(out)]
    if earlier:
        assert main(command) == 0
        (out / blocked).unlink()
    (out / blocked).mkdir(parents=True)
    (out / blocked / "kept.txt").write_text("mine")
    kept = [path for path in out.iterdir() if path.is_file()]
    before = {path: path.read_bytes() for path in kept}
    study.summary["year"] = 2026
    capsys.readouterr()
    assert main(command) == 2
    (fault,) = error_of(capsys)["faults"]
    assert (fault["place"], fault["value"]) == ("--out", str(out / blocked))
    assert (out / blocked / "kept.txt").read_text() == "mine"
    assert sorted(out.iterdir()) == sorted([*kept, out / blocked])
    assert {path: path.read_bytes() for path in kept} == before


def test_a_disk_that_is_full_is_refused_input(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    assert main(["run", str(toyland), "--json", "--out", str(tmp_path / "out")]) == 2
    (fault,) = error_of(capsys)["faults"]
    assert fault["place"] == "--out"
    assert "No space left on device" in fault["problem"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("below", ["", "deeper"])
def test_out_that_is_a_file_is_refused_before_the_study_runs(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture, below: str
) -> None:
    study.before = crash(RuntimeError("the study ran"))
    (tmp_path / "out").write_text("mine")
    out = tmp_path / "out" / below
    assert main(["run", str(toyland), "--json", "--out", str(out)]) == 2
    error = error_of(capsys)
    assert error["type"] == "InputError"
    assert [(fault["place"], fault["value"]) for fault in error["faults"]] == [("--out", str(out))]
    assert (tmp_path / "out").read_text() == "mine"


def test_out_that_cannot_be_written_is_refused_before_the_study_runs(
    study: FakeStudy, toyland: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> str:  # the tests may run as a user whom no folder refuses
        raise PermissionError(13, "Permission denied")

    study.before = crash(RuntimeError("the study ran"))
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert main(["run", str(toyland), "--out", str(tmp_path / "new" / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "--out: cannot be written: [Errno 13] Permission denied" in shown.err
    assert not (tmp_path / "new").exists()


# --- files of any command --------------------------------------------------------------------------------


def test_files_of_any_name_are_published_together(tmp_path: Path) -> None:
    names = {"mix": "mix.json", "page": "mix.html"}
    out = tmp_path / "out"
    with staging(out) as staged:
        for file in names.values():
            (staged / file).write_text(f"new {file}")
        assert publish(staged, out, names) == {"mix": out / "mix.json", "page": out / "mix.html"}
    assert content(out) == {"mix.html": b"new mix.html", "mix.json": b"new mix.json"}


def test_a_file_that_was_never_made_leaves_the_earlier_ones(tmp_path: Path) -> None:
    for file in ("mix.json", "mix.html"):
        (tmp_path / file).write_text(f"earlier {file}")
    before = content(tmp_path)
    with staging(tmp_path) as staged:
        (staged / "mix.json").write_text("new")
        with pytest.raises(ValueError, match=r"never made in .*: mix\.html"):
            publish(staged, tmp_path, {"mix": "mix.json", "page": "mix.html"})
    assert content(tmp_path) == before


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "check"])
def test_unknown_country_is_refused(command: str, capsys: Capture) -> None:
    assert main([command, "atlantis"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no country of this name ships with Penstock" in shown.err
    assert main([command, "atlantis", "--json"]) == 2
    error = error_of(capsys)
    assert error["type"] == "UnknownCountryError"
    assert [(fault["place"], fault["value"]) for fault in error["faults"]] == [("country", "atlantis")]


@pytest.mark.parametrize("command", ["run", "check"])
def test_every_fault_of_the_tables_is_listed(command: str, tmp_path: Path, capsys: Capture) -> None:
    tables = toy_tables()
    tables["plants"][2]["installed_mw"] = "-5"
    tables["plants"][4]["zone"] = "WEST"
    tables["fuels"][1]["imported_share"] = "most"
    tables["zones"][0]["latitude"] = "nan"
    write_tables(tmp_path, tables)
    assert main([command, str(tmp_path), "--json"]) == 2
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert error["type"] == "TableError"
    found = {(fault["place"], fault["row"], fault["column"], fault["value"]) for fault in error["faults"]}
    assert {
        ("plants.csv", 4, "installed_mw", "-5"),
        ("plants.csv", 6, "zone", "WEST"),
        ("fuels.csv", 3, "imported_share", "most"),
        ("zones.csv", 2, "latitude", "nan"),
    } <= found
    for place, row, column, _ in found:
        assert f"{place}, row {row}, column {column}" in shown.err


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["run", "x", "--mw", "abc"], "--mw"),
        (["run", "x", "--tariff", "nan"], "--tariff"),
        (["run", "x", "--mw", "inf"], "--mw"),
        (["run", "x", "--sise", "3"], "--sise"),
        (["run"], "country"),
        (["chek", "x"], "command line"),
    ],
)
def test_wrong_options_are_refused(words: list[str], place: str, capsys: Capture) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("penstock: ")
    assert "--help" in shown.err
    assert main([*words, "--json"]) == 2
    assert [fault["place"] for fault in error_of(capsys)["faults"]] == [place]


@pytest.mark.parametrize(
    ("words", "places", "problem"),
    [
        (["run", "--mw", "-5"], ["--mw"], "must be a finite number from 0 to 50000 [MW]"),
        (["run", "--mining-share", "2"], ["--mining-share"], "must be a finite number from 0 to 1 (a share)"),
        (["run", "--tariff", "-1", "--mw", "60000"], ["--mw", "--tariff"], "of at least 0 [currency/kWh]"),
        (["mix", "--mw", "-5"], ["--mw"], "must be a finite number from 0 to 50000 [MW]"),
        (["mix", "--mw", "0"], ["--mw"], "must be above 0 [MW] for a frontier"),
        (["mix", "--tariff", "-1"], ["--tariff"], "of at least 0 [currency/kWh]"),
        (["mix", "--step", "30"], ["--step"], "does not divide 100 MW into whole steps"),
    ],
)
def test_a_refused_programme_is_named_by_its_options(
    words: list[str], places: list[str], problem: str, toyland: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = [words[0], str(toyland), *words[1:], "--out", str(tmp_path / "out")]
    assert main(words) == 2
    shown = capsys.readouterr()
    assert all(f"{place}: " in shown.err for place in places)
    assert main([*words, "--json"]) == 2
    error = error_of(capsys)
    assert error["type"] == "ProgrammeError"
    assert [(fault["place"], fault["column"]) for fault in error["faults"]] == [(at, None) for at in places]
    assert problem in error["faults"][-1]["problem"]


def test_a_programme_of_the_tables_is_not_named_by_an_option(tmp_path: Path, capsys: Capture) -> None:
    tables = toy_tables()
    (row,) = (row for row in tables["parameters"] if row["parameter"] == "programme_mw")
    row["value"] = "0"
    write_tables(tmp_path / "toyland", tables)
    assert main(["mix", str(tmp_path / "toyland"), "--json"]) == 2
    (fault,) = error_of(capsys)["faults"]
    assert (fault["place"], fault["column"]) == ("mix", "mw")


def test_no_words_at_all_show_the_help(capsys: Capture) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("Usage: penstock") == 1


# --- the other commands ----------------------------------------------------------------------------------


def test_check_counts_tables_and_rows(toyland: Path, capsys: Capture) -> None:
    tables = {name: rows for name, rows in toy_tables().items() if rows}
    count = sum(len(rows) for rows in tables.values())
    assert main(["check", str(toyland)]) == 0
    text = capsys.readouterr().out
    assert re.fullmatch(rf"Toyland: {len(tables)} tables, {count} rows, hash [0-9a-f]{{64}}\n", text)
    assert main(["check", str(toyland), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["country"]
    assert (found["id"], found["tables"], found["rows"]) == ("toyland", len(tables), count)
    assert found["content_hash"] == text.split()[-1]


def test_countries_lists_what_ships(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.country.load._shipped_folder", lambda: tmp_path)
    assert main(["countries", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"countries": []}
    assert main(["countries"]) == 0
    assert "No country ships" in capsys.readouterr().out
    write_toy_country(tmp_path / "toyland")
    assert main(["countries", "--json"]) == 0
    row = {"id": "toyland", "name": "Toyland", "iso3": "XTY", "currency": "XTC", "year": 2025}
    assert json.loads(capsys.readouterr().out) == {"countries": [row]}
    assert main(["countries"]) == 0
    assert re.search(r"toyland +Toyland +XTY +XTC +2025", capsys.readouterr().out)


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"penstock {__version__}\n"


# --- clear -----------------------------------------------------------------------------------------------


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network of two buses in a file of the working directory."""
    from penstock.market.pypsa_bridge import quiet
    from penstock.market.pypsa_files import write_network

    with quiet():
        from .market.networks import two_bus

        pair = two_bus()
    monkeypatch.chdir(tmp_path)
    write_network(pair, Path("pair.nc"))
    return tmp_path / "pair.nc"


def test_clear_writes_a_network_that_opens_and_leaves_the_input(network: Path, capsys: Capture) -> None:
    from penstock.market.pypsa_files import read_network

    before = network.read_bytes()
    assert main(["clear", "pair.nc"]) == 0
    shown = capsys.readouterr()
    cleared = read_network(network.parent / "pair-cleared.nc")
    assert cleared.is_solved
    assert network.read_bytes() == before
    assert re.search(rf"Objective +{cleared.objective:,.2f}", shown.out)
    assert re.search(r"Mean price, S +per MWh", shown.out)
    assert shown.out.endswith("network  pair-cleared.nc\n")
    assert shown.err.splitlines()[0] == "  0% Reading the network"


def test_clear_json_is_one_document(network: Path, capsys: Capture) -> None:
    assert (
        main(["clear", "pair.nc", "--engine", "highs", "--gap", "1e-4", "--output", "a/b.nc", "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["engine"], found["hours"], found["file"]) == ("highs", 24, "a/b.nc")
    assert (network.parent / "a" / "b.nc").is_file()
    assert found["gap"] <= 1e-4
    assert found["lower_bound"] == pytest.approx(found["objective"], rel=1e-4)
    assert found["unserved_mwh"] == 0.0
    assert set(found["mean_price_per_mwh"]) == {"N", "S"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["none.nc"], "does not exist"),
        (["text.nc"], "is no network"),
        (["pair.nc", "--output", "./pair.nc"], "never overwritten"),
        (["pair.nc", "--output", "pair.txt"], "no format that can be written"),
        (["pair.nc", "--engine", "abacus"], "is not one of auto, kernel, highs"),
        (["pair.nc", "--gap", "2"], r"must lie in \(0, 1\]"),
    ],
)
def test_clear_refuses_what_it_cannot_clear(
    words: list[str], problem: str, network: Path, capsys: Capture
) -> None:
    (network.parent / "text.nc").write_text("no network")
    before = content(network.parent)
    assert main(["clear", *words]) == 2
    assert re.search(problem, capsys.readouterr().err)
    assert content(network.parent) == before


def test_clear_lists_wrong_options_and_a_missing_file_at_once(network: Path, capsys: Capture) -> None:
    (network.parent / "full").mkdir()
    (network.parent / "full" / "notes.txt").write_text("kept")
    words = ["none.nc", "--engine", "abacus", "--gap", "0", "--output", "full", "--json"]
    assert main(["clear", *words]) == 2
    assert [fault["place"] for fault in error_of(capsys)["faults"]] == [
        "--engine",
        "--gap",
        "none.nc",
        "full",
    ]
    assert main(["clear", "pair.nc", "--gap", "nan", "--json"]) == 2
    assert [fault["place"] for fault in error_of(capsys)["faults"]] == ["--gap"]
    assert [path.name for path in network.parent.iterdir() if path.is_file()] == ["pair.nc"]
    assert [path.name for path in (network.parent / "full").iterdir()] == ["notes.txt"]


def test_clear_replaces_a_file_only_where_it_is_named(network: Path, capsys: Capture) -> None:
    target = network.parent / "pair-cleared.nc"
    target.write_text("earlier")
    assert main(["clear", "pair.nc"]) == 2
    assert "overwritten only where --output names it" in capsys.readouterr().err
    assert target.read_text() == "earlier"
    assert main(["clear", "pair.nc", "--output", "pair-cleared.nc"]) == 0
    assert target.read_bytes() != b"earlier"


def test_clear_names_every_component_that_cannot_be_carried_over(network: Path, capsys: Capture) -> None:
    from penstock.market.pypsa_bridge import quiet
    from penstock.market.pypsa_files import write_network

    from .market.networks import plant, two_bus

    with quiet():
        odd = two_bus()
        plant(odd, "unit", "N", 50.0, 10.0, committable=True, ramp_limit_up=0.5)
        odd.add("Link", "pump", bus0="N", bus1="S", p_nom=5.0, efficiency=3.0)
    write_network(odd, Path("odd.nc"))
    assert main(["clear", "odd.nc", "--json"]) == 2
    error = error_of(capsys)
    assert error["type"] == "NetworkError"
    assert {(fault["place"], fault["column"]) for fault in error["faults"]} == {
        ("Generator unit", "committable"),
        ("Generator unit", "ramp_limit_up"),
        ("Link pump", "efficiency"),
    }


# --- the process -----------------------------------------------------------------------------------------

RUN_MAIN = "import sys; from penstock.cli import main; code = main()"


def test_help_loads_nothing_heavy() -> None:
    heavy = "highspy numpy pandas plotly pvlib pyarrow pydantic rich"
    script = f"{RUN_MAIN}; print('loaded:', *(set({heavy!r}.split()) & sys.modules.keys())); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: penstock")
    assert done.stdout.splitlines()[-1] == "loaded:"
    assert done.stderr == ""


def test_a_stream_that_cannot_show_a_sign_does_not_break_the_run(toyland: Path) -> None:
    tables = toy_tables()
    next(row for row in tables["country"] if row["field"] == "name")["value"] = "Tøyland"
    write_tables(toyland, tables)
    done = subprocess.run(
        [sys.executable, "-c", f"{RUN_MAIN}; sys.exit(code)", "check", str(toyland)],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"T?yland: ")
