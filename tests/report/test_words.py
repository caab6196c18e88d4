"""Names and titles: readable, and cut or broken between words alone."""

from __future__ import annotations

import pandas as pd
import pytest

from penstock.report import render_report
from penstock.report.formats import decimals_for, shortened
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


@pytest.mark.parametrize(
    ("values", "least", "digits", "decimals"),
    [
        ([638.2, -0.4], 1, 3, 1),
        ([0.638, -0.03, None], 1, 3, 3),
        ([0.0000869], 3, 1, 5),
        ([1e-9], 1, 3, 1),
        ([0.0, None], 2, 3, 2),
        ([], 1, 3, 1),
        ([2e-6], 1, 3, 6),
    ],
)
def test_the_largest_of_a_column_keeps_its_digits(
    values: list[float | None], least: int, digits: int, decimals: int
) -> None:
    assert decimals_for(values, least, digits) == decimals


def test_the_effects_of_a_small_programme_are_not_all_zero(hourly: pd.DataFrame) -> None:
    """Every amount of money is a thousandth of the example's; who gained still gains."""
    summary = example_summary()
    ordinary = Page(render_report(summary, hourly)).tables["table-incidence-pooled"][1:]
    for rule in ("pooled", "marginal"):
        found = summary["incidence"][rule]
        for key in ("sum_usd", "system_cost_change_usd", "difference_usd", "consumer_change_per_kwh"):
            found[key] = found[key] / 1e3
        found["by_group"] = {group: usd / 1e3 for group, usd in found["by_group"].items()}
        for party in found["parties"]:
            party["change_usd"] /= 1e3
    small = Page(render_report(summary, hourly)).tables["table-incidence-pooled"][1:]
    effects = {row[0]: row[2] for row in ordinary}
    assert {"pays", "gains"} <= set(effects.values())
    assert {row[0]: row[2] for row in small} == effects
    for row in small:
        assert row[2] not in ("pays", "gains") or any(digit in row[1] for digit in "123456789"), row


def test_a_small_programme_is_named_by_its_size_everywhere(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["surplus"]["programme_mw"] = 1.5
    summary["loads"]["miners"] |= {"mw": 1.5, "hashrate_ehs": 0.0863}
    for row in summary["loads"]["network"]["months"]:
        row |= {"own_ehs": 0.0863, "share": 0.000123}
    html = render_report(summary, hourly)
    assert "Price at which 1.5 MW of surplus is available" in html
    assert "1.5 MW of mining, 0.086 EH/s at full power." in html
    row = Page(html).row("table-hashprice", "Jan")
    assert (row[4], row[7]) == ("0.086", "0.012%")
