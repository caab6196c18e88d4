"""What docs/what-can-we-learn-from-another-country.md says of three loans is what the studies say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.borrow import borrow
from penstock.study import run

PAGE = Path(__file__).parents[2] / "docs" / "what-can-we-learn-from-another-country.md"


@pytest.fixture(scope="module")
def told() -> str:
    return " ".join(PAGE.read_text("utf-8").split())


def study(folder: Path, origin: str, piece: str, into: str, scale: str = "none") -> dict[str, Any]:
    """The summary of a country with a piece of another."""
    found = borrow(origin, piece, into, folder_name="mixed", scale=scale)
    whole = folder / found.id
    whole.mkdir()
    for name, data in found.files.items():
        (whole / name).write_bytes(data)
    return run(whole).summary


def finding(summary: dict[str, Any], clause: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in summary["guardrails"]["findings"] if row["id"] == clause)
    return found


def test_the_clause_on_accumulation_fails_in_pakistan_for_want_of_a_reading(tmp_path: Path) -> None:
    summary = study(tmp_path, "el-salvador", "policy.reserve", "pakistan")
    clause = finding(summary, "no-accumulation")
    assert (clause["status"], clause["passed"], clause["value"]) == ("no input", False, None)
    assert "no-accumulation" in summary["guardrails"]["reason"]


def test_the_volcanos_tariff_in_pakistan(tmp_path: Path, told: str) -> None:
    summary = study(tmp_path, "el-salvador", "tariff", "pakistan")
    assert f"{summary['programme']['tariff_per_kwh']:.2f} PKR/kWh, a hair above" in told
    assert finding(summary, "no-subsidy")["passed"]
    july = finding(summary, "no-subsidy-month")
    assert (july["passed"], july["place"]) == (False, "July")
    assert f"fail it in July by {july['value']:.2f} PKR/kWh" in told
    assert f"fall {finding(summary, 'full-cost-recovery')['value']:.2f} PKR/kWh short" in told


def test_pakistans_programme_in_el_salvador(tmp_path: Path, told: str) -> None:
    summary = study(tmp_path, "pakistan", "programme", "el-salvador", "gdp")
    consumers = summary["incidence"]["marginal"]
    assert f"scaled by GDP to {summary['programme']['mw']:.0f} MW" in told
    assert f"{consumers['consumer_change_per_kwh'] * 1e3:.1f} USD/MWh more" in told
    assert f"{consumers['by_group']['consumers'] / 1e6:.0f} million USD a year" in told
    assert f"{finding(summary, 'fuel-imports-covered')['value']:.2f} times what" in told
