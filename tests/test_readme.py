"""The README's example is run as printed, and the figures of its first screen are those of the study."""

import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def _example() -> str:
    found = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1, "the README has one Python example"
    return str(found[0])


def test_the_example_is_about_twelve_lines() -> None:
    lines = [line for line in _example().splitlines() if line.strip()]
    assert len(lines) <= 12


@pytest.mark.xdist_group("readme")
def test_the_example_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(_example(), "README.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4
    assert names["study"].summary["programme"]["mw"] == 1000
    assert all("million USD a year" in line for line in printed)


@pytest.mark.xdist_group("readme")
def test_the_example_of_a_fleet_of_ones_own_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "use-your-own-data.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, "use-your-own-data.md", "exec"), names)
    cohorts = names["study"].summary["loads"]["miners"]["cohorts"]
    assert {row["cohort"]: row["share"] for row in cohorts} == pytest.approx({"s21-xp": 0.6, "s19-xp": 0.4})
    assert "offered_mwh" in capsys.readouterr().out
