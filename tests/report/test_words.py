"""Names and titles: readable, and cut or broken between words alone."""

from __future__ import annotations

import pandas as pd
import pytest

from penstock.report import render_report
from penstock.report.formats import shortened
from penstock.report.headline import headline

from .example import example_hourly, example_summary
from .test_report import Page


@pytest.fixture(scope="module")
def hourly() -> pd.DataFrame:
    return example_hourly()


def test_keys_of_published_figures_are_shown_as_words(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["validation"]["figures"][0]["figure"] = "ke_mean_import"
    row = Page(render_report(summary, hourly)).row("table-figures", "ke mean import")
    assert row[1:] == ["26,118", "25,516", "24,800", "26,400", "MW", "July evening."]


def test_long_names_may_break_after_an_underscore_alone(hourly: pd.DataFrame) -> None:
    html = render_report(example_summary(), hourly)
    assert ">report_<wbr>2025<" in html
    style = html[html.index("<style>") : html.index("</style>")]
    assert ".sortable td, .sortable th { overflow-wrap: normal; }" in style


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("Bitcoin network", 15, "Bitcoin network"),
        ("Bitcoin network", 14, "Bitcoin…"),
        ("Bitcoin network", 8, "Bitcoin…"),
        ("Bulk supply, public services", 14, "Bulk supply…"),
        ("Antidisestablishment", 6, "Antid…"),
    ],
)
def test_texts_are_cut_between_words(text: str, limit: int, shown: str) -> None:
    assert shortened(text, limit) == shown
    assert len(shown) <= limit


def test_names_of_parties_are_whole_beside_their_bars(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    name = "Bulk supply, public services and others"
    summary["incidence"]["pooled"]["parties"][0]["name"] = name
    summary["incidence"]["marginal"]["parties"][0]["name"] = name
    figures = Page(render_report(summary, hourly)).json("data-figures")
    assert name in figures["chart-incidence"]["layout"]["yaxis"]["ticktext"]


@pytest.mark.parametrize(
    ("mw", "gwh", "shown"),
    [
        (1.5, 12.98, "1.5 MW of Bitcoin mining and AI computing would draw 13 GWh a year"),
        (0.04, 0.3, "0.04 MW of Bitcoin mining and AI computing would draw 0.3 GWh a year"),
        (2000.0, 12659.9, "2,000 MW of Bitcoin mining and AI computing would draw 12.66 TWh a year"),
    ],
)
def test_a_small_programme_is_not_rounded_away(mw: float, gwh: float, shown: str) -> None:
    summary = example_summary()
    summary["programme"] |= {"mw": mw, "energy_gwh": gwh}
    assert headline(summary).startswith(shown)
