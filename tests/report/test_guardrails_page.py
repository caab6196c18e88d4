"""The study report's page of guardrails: what was kept and what was not, or that nothing was judged."""

from __future__ import annotations

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from penstock.report import render_report

from ..summary import summary_schema
from .example import example_hourly, example_summary
from .test_design_page import HOSTILE, judged_summary
from .test_report import Page


@pytest.fixture(scope="module")
def hourly() -> pd.DataFrame:
    return example_hourly()


def test_without_guardrails_nothing_passes(hourly: pd.DataFrame) -> None:
    page = Page(render_report(example_summary() | {"guardrails": None}, hourly))
    assert "No guardrails were given: nothing is judged, and nothing passes." in page.text
    assert "table-guardrails" not in page.tables


def test_guardrails_follow_who_gains_and_pays(hourly: pd.DataFrame) -> None:
    page = Page(render_report(example_summary() | judged_summary(), hourly))
    assert [head["id"] for head in page.all("h2")][:3] == ["gains", "guardrails", "surplus"]
    assert "2 Does it keep the lender's guardrails?" in page.text
    assert "Refused: 1 of 1 guardrails that decide is not kept: Hours short." in page.text
    assert "Rules of Toyland, judged as of 31 Dec 2025." in page.text
    assert "200 years of plant outages drawn by chance" in page.text
    (row,) = page.tables["table-guardrails"][1:]
    assert row[1] == "✗ Not keptbinds: first in the way"
    assert row[2:6] == ["0.4 ± 0.001 h/year", "at most 0.1 h/year", "0.3 h/year too much", "NORTH"]
    assert page.row("table-policy-sources", "decree")[1:] == ["A decree", "The ministry", "2024", "says so"]
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("key", ["title", "clause", "place", "source"])
def test_hostile_text_stays_text(hourly: pd.DataFrame, key: str) -> None:
    summary = example_summary() | judged_summary()
    summary["guardrails"]["findings"][0][key] = HOSTILE
    html = render_report(summary, hourly)
    assert HOSTILE not in html
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in html


def test_the_schema_of_a_summary_takes_guardrails_or_none() -> None:
    schema = Draft202012Validator(summary_schema()["properties"]["guardrails"])
    judged = judged_summary()["guardrails"]
    assert schema.is_valid(judged)
    assert schema.is_valid(None)
    assert not schema.is_valid({})
    assert not schema.is_valid(judged | {"surprise": 1})
    judged["findings"][0]["status"] = "maybe"
    assert not schema.is_valid(judged)
