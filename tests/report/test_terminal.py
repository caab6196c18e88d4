"""What `penstock run` prints of the loads."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.cli.study import _show_study

from .example import example_summary
from .test_loads_pages import firm, without_power


def printed(summary: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[str]:
    _show_study(summary, {})
    return capsys.readouterr().out.splitlines()


def test_the_loads_by_month(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(example_summary(), capsys)
    assert max(len(line.rstrip()) for line in lines) <= 100
    rows = {words[0]: words[1:] for words in (line.split() for line in lines) if len(words) == 7}
    # January: 810 GWh of mining, 400 of AI and 190 that left, in 744 hours.
    assert rows["Jan"] == ["1,089", "538", "255", "0", "0", "0.00"]
    # July: 994 GWh of mining, 396 of AI; 10 interrupted at a cost of 1.15 million USD.
    assert rows["Jul"] == ["1,336", "532", "0", "13.4", "12", "1.15"]
    assert len([row for row in rows if row.title() == row and len(row) == 3]) == 12
    assert any("the loads leave 820.0 by themselves" in line for line in lines)


def test_no_months_without_power(capsys: pytest.CaptureFixture[str]) -> None:
    summary = example_summary()
    without_power(summary)
    lines = printed(summary, capsys)
    assert not any(line.split()[:1] == ["Jan"] for line in lines)
    assert "The programme has no power: nothing runs and nothing is stopped." in lines


def test_a_firm_programme_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    summary = example_summary()
    firm(summary)
    assert "The programme is firm" in " ".join(printed(summary, capsys))
