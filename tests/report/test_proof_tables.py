"""What the terminal shows of the proofs: whole in 100 columns, with the document's numbers."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from penstock.cli.proof_tables import proof_tables

from .example_proof import (
    example_design,
    example_hosting,
    example_tariff,
    in_dollars,
    no_rule,
    nothing_passes,
)

MINUS = "\N{MINUS SIGN}"


def printed(document: dict[str, Any]) -> list[str]:
    """The lines of the tables in a terminal of 100 columns."""
    screen = Console(file=io.StringIO(), width=100, highlight=False, markup=False)
    for shown in proof_tables(document):
        screen.print(shown)
    found: io.StringIO = screen.file  # type: ignore[assignment]
    return found.getvalue().splitlines()


def line(lines: list[str], head: str) -> list[str]:
    """Words of the one line that begins so, after its beginning."""
    (found,) = [text for text in lines if text.strip().startswith(head)]
    return found.strip().removeprefix(head).split()


@pytest.mark.parametrize(
    "document",
    [example_design(), nothing_passes(), no_rule(), example_tariff(), example_hosting()],
    ids=["passes", "nothing passes", "no rule", "tariff", "hosting"],
)
def test_tables_fit_and_cut_nothing(document: dict[str, Any]) -> None:
    for shown in (document, in_dollars(document)):
        lines = printed(shown)
        assert max(len(text.rstrip()) for text in lines) <= 100
        assert not any("…" in text for text in lines)


def test_the_tariff() -> None:
    lines = printed(example_tariff())
    assert line(lines, "what the programme causes") == ["5.00"]
    assert line(lines, "miners, to run") == ["8.50", "12.00", "15.00"]
    assert line(lines, "miners, to buy machines today") == ["none", "4.00", "6.50"]
    assert line(lines, "8.00") == ["✗", "refused", "Full", "cost", f"{MINUS}0.50"]
    assert line(lines, "10.00") == ["The", "ordinary", "tariff", "✓", "passes", f"{MINUS}0.50"]
    assert line(lines, "Two parts")[-2:] == [f"{MINUS}20.0", "700.0"]


def test_a_tariff_without_floor_forms_or_mining() -> None:
    document = example_tariff()
    document["floor_xtc_per_kwh"] = dict.fromkeys(document["floor_xtc_per_kwh"])
    document["programme"]["mining_share"] = 0.0
    document["forms"] = []
    lines = printed(document)
    assert line(lines, "what the programme causes") == ["no", "tariff", "does"]
    assert not any("buy machines" in text or "Forms" in text for text in lines)


def test_hosting() -> None:
    lines = printed(example_hosting())
    assert line(lines, "all sites together   firm") == ["3,000", "Hours", "short", "0"]
    assert line(lines, "all sites together   5% cut") == ["6,000", "the", "limit", "on", "cuts", "1,500"]
    assert line(lines, "SOUTH                5% cut") == ["20,000", "no", "guardrail", "fails", "500"]


def test_a_design() -> None:
    lines = printed(example_design())
    assert line(lines, "Bitcoin mining (50%) and AI")[-4:] == ["interruptible", "800", "10.00", "300.0"]
    assert line(lines, "runner-up") == ["SOUTH", "firm", "750", "10.00", "290.0"]
    assert line(lines, "Hours short")[:2] == ["✓", "Kept"]
    assert line(lines, "Imported fuel 20% dearer") == ["✗", "refused", f"{MINUS}10.0", "Full", "cost"]


def test_nothing_passes() -> None:
    lines = printed(nothing_passes())
    assert line(lines, "nearest") == ["SOUTH", "interruptible", "500", "12.00", "240.0"]
    assert sum("no design passes" in text for text in lines) == 3
    assert not any("other assumptions" in text for text in printed(no_rule()))
