"""`penstock adequacy`: what it prints, refuses and keeps; and a run that is killed and taken up again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.cli import main
from penstock.market.adequacy import BATCH

from .country.toy import toy_tables, write_tables

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def toyland(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without contracts, so that it clears fast; with a stress year."""
    folder = tmp_path_factory.mktemp("cli") / "toyland"
    stress = {"stress": "hot", "name": "Hot summer", "what": "demand", "first_month": "5", "last_month": "8"}
    stress |= {"factor": "1.2", "low": "1", "high": "1.3", "basis": "assumption", "source": "guess"}
    write_tables(folder, toy_tables() | {"contracts": [], "stress_years": [stress]})
    return folder


def test_json_is_one_document_and_progress_tells_rate_and_time_left(toyland: Path, capsys: Capture) -> None:
    words = ["adequacy", str(toyland), "--years", f"{4 * BATCH}", "--firm", "--stress", "hot", "--json"]
    assert main(words) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert (document["years"], document["firm"], document["stress"]["name"]) == (
        4 * BATCH,
        True,
        "Hot summer",
    )
    lines = shown.err.splitlines()
    told = [line for line in lines if "Outages" in line]
    assert len(told) == 4
    for line in told:
        assert re.fullmatch(r" *\d+% Outages: \d+ % of 200 years, [\d,]+ a second, [\d,]+ s left", line)
    assert lines[-1].startswith("100% Outages: 100 % of 200 years")
    assert main([*words[:-1], "--seed", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["base"] != document["base"]


def test_table_of_the_years(toyland: Path, capsys: Capture) -> None:
    assert main(["adequacy", str(toyland), "--years", "20", "--interruptible", "--mw", "300"]) == 0
    out = capsys.readouterr().out
    assert "Toyland 2025, study year: 20 years of outages" in out
    for case in ("without", "with", "change"):
        for zone in ("NORTH", "SOUTH", "system"):
            assert f"{case}, {zone}" in out
    assert "The programme (interruptible) is cut in" in out
    assert main(["adequacy", str(toyland), "--years", "1"]) == 0
    assert "–" in capsys.readouterr().out


def test_options_out_of_range_are_refused_at_once(toyland: Path, tmp_path: Path, capsys: Capture) -> None:
    kept = tmp_path / "kept"
    words = ["adequacy", str(toyland), "--years", "0", "--seed", "-1", "--workers", "0"]
    assert main([*words, "--checkpoint", str(kept), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert [fault["place"] for fault in error["faults"]] == ["--years", "--seed", "--workers"]
    assert not kept.exists()
    assert main(["adequacy", str(toyland), "--years", "1000001", "--seed", str(2**63)]) == 2
    refused = capsys.readouterr().err
    assert "from 1 to 1,000,000 years" in refused
    assert f"at most {2**63 - 1}" in refused


def test_an_unknown_stress_year_or_a_checkpoint_that_is_a_file(
    toyland: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["adequacy", str(toyland), "--years", "1", "--stress", "wet"]) == 2
    assert "there are: hot" in capsys.readouterr().err
    (tmp_path / "file").write_text("x")
    assert main(["adequacy", str(toyland), "--years", "1", "--checkpoint", str(tmp_path / "file")]) == 2
    assert "checkpoint: cannot be made" in capsys.readouterr().err
    words = ["adequacy", str(toyland), "--years", "1", "--checkpoint", str(tmp_path / "kept")]
    assert main(words) == 0
    capsys.readouterr()
    for other in (["--seed", "2"], ["--stress", "hot"], ["--firm", "--mw", "10"]):
        assert main([*words, *other]) == 2
        assert "holds the years of another study" in capsys.readouterr().err


def test_a_killed_run_goes_on_where_it_was(toyland: Path, tmp_path: Path, capsys: Capture) -> None:
    """Killed after its first kept years; run again it ends with the very figures of a run in one go."""
    kept = tmp_path / "kept"
    words = ["adequacy", str(toyland), "--years", "6000", "--firm", "--mw", "300", "--json"]
    script = "import sys; from penstock.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words, "--workers", "1", "--checkpoint", str(kept)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    try:
        until = time.monotonic() + 120.0
        while process.poll() is None and time.monotonic() < until and not list(kept.rglob("*.years")):
            time.sleep(0.005)
        process.kill()
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert out == b""
    before = {file: file.stat().st_mtime_ns for file in kept.rglob("*.years")}
    assert 1 <= len(before) < 6000 // BATCH
    assert main([*words, "--checkpoint", str(kept)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert {file: file.stat().st_mtime_ns for file in before} == before, "none is written twice"
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == again
