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
