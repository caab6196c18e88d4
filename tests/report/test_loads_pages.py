"""The pages of the loads: who ran and why, the miners and the AI centres."""

from __future__ import annotations

import copy
from html import unescape
from typing import Any

import pandas as pd
import pytest

from penstock.report import render_report
from penstock.report.formats import MONTHS
from penstock.report.headline import headline, remarks
from penstock.report.running import running_sentences

from .example import example_hourly, example_summary
from .test_report import Page

STEP = "1 Mining, what full power adds"
LOW = "2 Mining, low-power mode"
BATCH = "3 Batch work and fine-tuning"


@pytest.fixture(scope="module")
def hourly() -> pd.DataFrame:
    return example_hourly()


@pytest.fixture(scope="module")
def page(hourly: pd.DataFrame) -> Page:
    return Page(render_report(example_summary(), hourly))


def month_row(page: Page, month: str, load: str) -> list[str]:
    return next(row for row in page.tables["table-step-months"] if row[:2] == [month, load])


def words(page: Page) -> str:
    return " ".join(page.text.split())


def trace(page: Page, chart: str, name: str) -> dict[str, Any]:
    return next(found for found in page.json("data-figures")[chart]["data"] if found["name"] == name)


# --- who ran ------------------------------------------------------------------------------------------


def test_what_the_sites_keep_ready_is_told(page: Page) -> None:
    # 12 months of 1,400 GWh; 6 x 120 + 70 + 30 left; 6 + 4 interrupted.
    told = running_sentences(example_summary())
    assert len(told) == 1
    assert told[0].startswith(
        "Of the 16,800.0 GWh that the sites keep ready, the loads leave 820.0 by themselves"
    )
    assert "tariff (80.2 USD/MWh)" in told[0]
    assert "the operator interrupts 10.0 GWh in 12 hours, at a cost of 1.1 million USD" in told[0]
    assert told[0] in words(page)


def test_every_step_has_its_year_and_they_add_up(page: Page) -> None:
    # Left 6 x 120 + 30; avoided 720 x 14.2 + 30 x 0 thousand USD.
    assert page.row("table-steps", STEP) == [
        *(STEP, "3,600.0", "750.0", "2,844.0", "6.0", "0.0", "6.0"),
        *("12", "0.25", "10.22", "Mining in low-power mode"),
    ]
    assert page.row("table-steps", BATCH)[1:-1] == [
        *("1,080.0", "0.0", "1,076.0", "4.0", "3.0", "1.0", "1", "0.90", "0.00"),
    ]
    assert page.row("table-steps", "All")[1:] == [
        *("16,800.0", "820.0", "15,970.0", "10.0", "3.0", "7.0", "12", "1.15", "10.59", ""),
    ]


def test_every_month_and_step_has_a_row_in_order(page: Page) -> None:
    rows = page.tables["table-step-months"][1:]
    assert len(rows) == 60
    assert [row[0] for row in rows[::5]] == list(MONTHS)
    assert [row[1][:1] for row in rows[:5]] == list("12345")
    assert month_row(page, "Jan", STEP)[3:6] == ["300.0", "120.0", "180.0"]


@pytest.mark.parametrize(
    ("month", "load", "why"),
    [
        # The S19 XP leaves its low-power mode as well in January alone.
        (
            "Jan",
            STEP,
            "Full power of S21 and S19 XP is worth 66.0 USD/MWh, less than the tariff of 80.2: "
            "S21 runs in low-power mode, the rest is switched off.",
        ),
        (
            "Feb",
            STEP,
            "Full power of S21 and S19 XP is worth 66.0 USD/MWh, less than the tariff of 80.2: "
            "they run in low-power mode.",
        ),
        (
            "Jan",
            LOW,
            "Even in low-power mode a MWh in S19 XP is worth 75.0 USD, less than the tariff of 80.2: "
            "they are switched off.",
        ),
        (
            "Dec",
            STEP,
            "Full power of S21 is worth 80.2 USD/MWh, no more than the tariff of 80.2: "
            "they run in low-power mode.",
        ),
        ("Jul", STEP, "Price above its bid in 12 hours, mean 95.0 USD/MWh: stopped by the operator."),
        (
            "Jul",
            BATCH,
            "Price above its bid in 1 hour, mean 990.0 USD/MWh: stopped by the operator; "
            "3.0 GWh done later, 1.0 GWh never.",
        ),
        ("Mar", LOW, "Worth 130.0 USD/MWh, above the tariff of 80.2: all of it ran."),
    ],
)
def test_the_reason_is_said_in_words(page: Page, month: str, load: str, why: str) -> None:
    assert month_row(page, month, load)[2] == why


def test_machines_without_a_low_power_mode_are_switched_off(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    row = next(found for found in summary["loads"]["months"] if found["left_kinds"] == ["s21"])
    row["left_kinds"] = ["old"]
    shown = month_row(Page(render_report(summary, hourly)), "Dec", STEP)[2]
    assert shown.startswith("Full power of Whatsminer M30S is worth 80.2")
    assert shown.endswith(": they are switched off.")


def test_ai_work_below_the_tariff_does_not_come(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    row = next(found for found in summary["loads"]["months"] if found["step"] == "work_deferred")
    row |= {"left_kinds": ["batch"], "left_worth_usd_per_mwh": 60.0, "left_mwh": 90_000.0, "ran_mwh": 0.0}
    assert month_row(Page(render_report(summary, hourly)), "Jan", BATCH)[2] == (
        "Batch inference is worth 60.0 USD/MWh, less than the tariff of 80.2: they do not come."
    )


def test_the_months_are_stacked_from_what_ran_to_what_left(page: Page) -> None:
    data = page.json("data-figures")["chart-running"]["data"]
    assert [found["name"] for found in data] == [
        "Mining, low-power mode",
        "Mining, what full power adds",
        "AI centres",
        "Interrupted, done late",
        "Interrupted, lost",
        "Left by itself",
    ]
    # July: 294 GWh of full power, 396 GWh of AI, 3 GWh late and 7 GWh lost in 744 hours.
    assert trace(page, "chart-running", "Mining, what full power adds")["y"][6] == 395.2
    assert trace(page, "chart-running", "AI centres")["y"][6] == 532.3
    assert trace(page, "chart-running", "Interrupted, done late")["y"][6] == 4.0
    assert trace(page, "chart-running", "Interrupted, lost")["y"][6] == 9.4
    for month, row in enumerate(example_summary()["loads"]["by_month"]):
        assert sum(found["y"][month] for found in data) == pytest.approx(row["offered_mw"], abs=0.4)


def test_budgets_say_whether_they_bind_and_whence_they_are(hourly: pd.DataFrame, page: Page) -> None:
    assert page.row("table-contracts", "Batch work")[1:] == [
        *("4.0", "4.0", "yes", "10.98", "1.5", "400.0", "1%", ""),
    ]
    assert page.row("table-contracts", "Serving")[1:] == [
        "0.0",
        "7.5",
        "no",
        "0.00",
        "0.0",
        "3,000.0",
        "0.25%",
        "",
    ]
    summary = example_summary()
    row = summary["programme"]["assumptions"][0]
    summary["programme"]["assumptions"].append(
        row | {"parameter": "interruption_mining_annual_share", "source": "network_2025"}
    )
    shown = Page(render_report(summary, hourly))
    assert shown.row("table-contracts", "Mining")[-1] == "network_2025"


def test_bids_are_grouped_by_load_and_kind(page: Page) -> None:
    rows = page.tables["table-bids"][1:]
    assert [row[0] for row in rows] == [
        "Mining",
        "S21 XP, low-power mode",
        "S21 XP, what full power adds",
        "Whatsminer M30S, full power",
        "AI centres",
        "Serving of users",
        "Batch inference",
        "Batch inference, done later",
        "Training",
    ]
    assert rows[0][1:] == ["1,400", "92.0%", "91.9%", "11,174.0", "", "", ""]
    assert rows[2][1:] == ["115", "58.0%", "58.0%", "585.1", "82.3", "80.2", "Mining in low-power mode"]
    # Late work is no new work: it has no share of its own.
    assert rows[7][1:-1] == ["24", "", "", "3.0", "713.3 to 725.9", "906.0 to 906.4"]


def test_work_that_no_trial_has_cut_is_said_not_to_be_open(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["programme"]["bid_groups"][6]["mode"] = "kept"
    rows = Page(render_report(summary, hourly)).tables["table-bids"]
    assert rows[-1][0] == "Training, not open to interruption (no trial has shown it)"


# --- the miners ---------------------------------------------------------------------------------------


def test_machines_have_both_efficiencies_and_both_break_evens(page: Page) -> None:
    assert page.row("table-machines", "Antminer S21 XP")[1:10] == [
        *("160.0", "82.3", "95%", "40%", "25%", "65,634", "13.5", "14.85", "1,000"),
    ]
    assert page.row("table-machines", "Whatsminer M30S")[1:5] == ["–", "47.1", "–", "40%"]


def test_break_evens_stand_beside_the_tariff(page: Page) -> None:
    assert trace(page, "chart-break-even", "Low-power mode")["x"] == [160.04, 123.46, 100.49, None]
    assert trace(page, "chart-break-even", "What full power adds")["x"] == [82.34, 63.52, 51.7, 47.11]
    assert trace(page, "chart-break-even", "Low-power mode")["y"] == [0, 1, 2, 3]
    tariff = trace(page, "chart-break-even", "Tariff")
    assert tariff["x"] == [80.2, 80.2]
    assert tariff["y"] == [-0.5, 3.5]
    layout = page.json("data-figures")["chart-break-even"]["layout"]
    assert layout["yaxis"]["ticktext"][0] == "Antminer S21 XP"
    assert layout["yaxis"]["autorange"] == "reversed"


def test_hashprice_has_three_lines_and_the_same_numbers_in_its_table(page: Page) -> None:
    names = [found["name"] for found in page.json("data-figures")["chart-hashprice"]["data"]]
    assert names == ["Without the programme", "With it", "With it, if nobody else left"]
    assert trace(page, "chart-hashprice", "Without the programme")["y"][0] == 51.0
    assert trace(page, "chart-hashprice", "With it")["y"][0] == 49.5
    assert trace(page, "chart-hashprice", "With it, if nobody else left")["y"][0] == 48.25
    assert page.row("table-hashprice", "Jan") == [
        *("Jan", "51.00", "49.50", "48.25", "45.0", "14.0", "900.0", "5.0%"),
    ]


def test_own_effect_has_its_range(page: Page) -> None:
    rows = page.tables["table-own-effect"][1:]
    assert [row[1] for row in rows] == ["41.00", "36.50", "38.00", "37.20", "38.40"]
    assert [row[3] for row in rows] == ["–", "0.0", "41.0", "21.0", "52.0"]
    assert page.row("table-own-effect", "As others leave, central")[2:] == ["11.4%", "41.0", "0.34"]
    assert "2,000 MW at 17.5 J/TH (114.3 EH/s beside 930.0), 2026-09-25" in page.captions["table-own-effect"]


def test_the_investor_is_told_what_is_lost(page: Page, hourly: pd.DataFrame) -> None:
    assert page.row("table-investment", "Net present value")[1:4] == ["−883.2", "−522.5", "+41.0"]
    assert page.row("table-investment", "Cash in year 4")[1:4] == ["–", "0.0", "0.0"]
    assert page.row("table-investment", "Return")[1:4] == ["−18.9%", "−12.8%", "17.1%"]
    assert page.row("table-investment", "Paid back after")[1:4] == ["never", "never", "3.4"]
    assert "the investor loses money in the low and central case, and gains in the others" in words(page)
    for high, said in ((-1.0, "loses money in every case"), (1.0, "gains in every case")):
        summary = example_summary()
        for case in summary["loads"]["miners"]["investment"].values():
            case["net_present_usd"] = high * 5e6
        assert said in words(Page(render_report(summary, hourly)))


def test_the_investor_is_told_what_was_reckoned_with(hourly: pd.DataFrame, page: Page) -> None:
    assert "Hashprice falls from year to year as assumed." in words(page)
    summary = example_summary()
    row = summary["programme"]["assumptions"][0]
    summary["programme"]["assumptions"] += [
        row | {"parameter": f"mining_{name}", "value": value, "low": low, "high": high}
        for name, value, low, high in (
            ("hashprice_decline_share_per_year", 0.258, 0.177, 0.398),
            ("discount_share_per_year", 0.15, 0.1, 0.25),
            ("site_capex_usd_per_mw", 444_500.0, 323_500.0, 832_500.0),
            ("machine_life_years", 4.0, 3.0, 5.0),
        )
    ]
    told = words(Page(render_report(summary, hourly)))
    assert "fall by 25.8% a year (17.7% to 39.8%); the return asked" in told
    assert "would be zero, is 15% a year (10% to 25%)." in told
    # The example resells for the same in every case: nothing to explain.
    assert "Resale is higher" not in told
    summary["loads"]["miners"]["investment"]["low"]["resale_usd"] = 588e6
    assert (
        "Resale is higher in the low case: it sells after 3 years, not 4, and from a dearer site "
        "(832,500, not 444,500 USD/MW), of whose cost more is then left."
    ) in words(Page(render_report(summary, hourly)))


def test_the_check_against_texas_says_where_it_fails(page: Page) -> None:
    # 0.63 against 0.50 inside its range, 0.13 against 0 outside.
    assert (
        "At 1 of 2 levels of hashprice the answer to prices published for Texas lies in the model's range; "
        "the model's miners answer more strongly than the real ones at 2 of 2."
    ) in words(page)
    assert page.row("table-elasticity", "25%")[1:] == [
        *("−0.63", "−0.50", "yes", "−0.77 to −0.47", "103.9", "−0.23", "−0.20"),
    ]
    assert page.row("table-elasticity", "75%")[3] == "no"


def test_words_of_both_worlds_are_explained(page: Page) -> None:
    for word in ("Hashprice", "J/TH", "Difficulty", "PUE", "Checkpoint", "From GPU rent to USD per MWh"):
        assert f"{word} " in words(page)
    assert len(page.all("dt")) == len(page.all("dd")) == 6


# --- the AI centres -----------------------------------------------------------------------------------


def test_classes_say_what_may_be_taken(page: Page) -> None:
    rows = {row[0]: row for row in page.tables["table-classes"][1:]}
    assert rows["Batch inference"][1:8] == [
        "720",
        "Up to 14% of the centre's power, done later within 12 h; at most 1% of the year's energy.",
        *("30%", "1.15", "8.40", "1,076.0"),
        "questions answered in bulk, by the next morning",
    ]
    assert rows["Training"][2] == (
        "Up to 9% of the centre's power: whole runs paused, then restarted; "
        "at most 0.5% of the year's energy."
    )
    assert rows["Serving of users"][2].startswith("Nothing but in a shortage, after all else; at most 0.25%")


def test_pue_and_trials_are_shown(page: Page) -> None:
    assert page.tables["table-pue"][1] == ["Southern Plain", "1.38", "1.14", "1.59"]
    assert page.row("table-trials", "London")[1:6] == ["2025-12", "30%", "10.0", "96", "0.5"]


def test_cost_of_interruption_has_depth_length_and_class(page: Page) -> None:
    rows = page.tables["table-cuts"]
    assert [row[0] for row in rows[1:6]] == [
        "10% of the centre's power",
        "Serving of users",
        "Batch inference",
        "Training",
        "The whole centre",
    ]
    assert rows[0][1:3] == ["Taken in 1 h% of the centre", "Cost in 1 hUSD/MWh"]
    assert rows[0][3:] == ["Taken in 10 h% of the centre", "Cost in 10 hUSD/MWh"]
    assert rows[3] == ["Batch inference", "10%", "175", "10%", "1,750"]
    assert rows[9][1:] == ["16%", "2,226", "16%", "2,226"]
    assert rows[10][1:] == ["30%", "901", "30%", "910"]


def test_the_day_of_a_centre(page: Page) -> None:
    assert trace(page, "chart-centre-day", "Serving of users")["y"][23] == 123.0
    assert trace(page, "chart-centre-day", "Training")["y"] == [110.0] * 24
    assert trace(page, "chart-centre-day", "Training")["x"] == list(range(24))


# --- what is said, and cases at the edge ----------------------------------------------------------------


def test_remarks_tell_why_less_is_taken_and_the_own_effect() -> None:
    told = remarks(example_summary())
    assert any(
        text.startswith("The programme runs at 88% of its full load. Of the 16,800.0 GWh") for text in told
    )
    # 1.5 of 51 in January, 1.5 of 62 in December.
    assert told[-1] == (
        "The programme's own 1,400 MW of mining lower the hashprice, the income of all miners, by 2.4% to "
        "2.9%, by month (network of 2025). To compare: 2,000 MW of mining at 17.5 J/TH would lower it on "
        "2026-09-25 from 41.00 to 38.00 USD per PH/s and day, as others leave (36.50 if nobody left)."
    )


def test_the_full_cost_says_on_which_fuel_costs_it_rests() -> None:
    summary = example_summary()
    row = {"figure": "purchase_price", "model": 21.2, "published": 26.0}
    summary["validation"]["figures"].append(row | {"low": None, "high": None, "unit": "", "note": ""})
    (told,) = (text for text in remarks(summary) if "capacity payments" in text)
    pooled = summary["base"]["pooled_cost_usd_per_mwh"]
    assert told == (
        "With capacity payments and at the billed costs of fuel, supply costs 21.2 PKR/kWh in the model and "
        "26.0 PKR/kWh as published; the tariff of 22.50 lies between the two. The pooled cost of supply "
        f"below, {pooled:.2f} USD/MWh without the programme, takes the generating costs of the model's "
        "plants instead."
    )


def without_mining(summary: dict[str, Any]) -> None:
    summary["programme"]["mining_share"] = 0.0
    summary["loads"]["miners"] |= {"mw": 0.0, "hashrate_ehs": 0.0, "investment": {}}


def without_power(summary: dict[str, Any]) -> None:
    without_mining(summary)
    summary["programme"] |= {"mw": 0.0, "energy_gwh": 0.0, "served_share": 0.0, "mining_share": 0.5}
    loads = summary["loads"]
    loads["ai"]["mw"] = 0.0
    for row in [*loads["months"], *loads["by_month"], loads["year"], *(s["year"] for s in loads["steps"])]:
        for key, value in row.items():
            if isinstance(value, float | int) and key != "month":
                row[key] = 0
        if "left_kinds" in row:
            row |= {"left_kinds": [], "left_worth_usd_per_mwh": None, "price_usd_per_mwh": None}


def firm(summary: dict[str, Any]) -> None:
    summary["programme"]["firm"] = True
    loads = summary["loads"]
    loads["contracts"] = []
    for row in loads["months"]:
        row |= {"interrupted_mwh": 0.0, "late_mwh": 0.0, "lost_mwh": 0.0, "hours": 0}
        row |= {"price_usd_per_mwh": None, "left_mwh": 0.0, "left_kinds": [], "left_worth_usd_per_mwh": None}
    loads["year"] |= {"interrupted_mwh": 0.0, "left_mwh": 0.0}


def test_a_programme_without_power(hourly: pd.DataFrame) -> None:
    summary = copy.deepcopy(example_summary())
    without_power(summary)
    text = render_report(summary, hourly)
    page = Page(text)
    assert "The programme has no power: nothing runs and nothing is stopped." in words(page)
    assert "the programme has no power." in headline(summary)
    charts = page.json("data-figures")
    assert "chart-running" not in charts
    assert "chart-centre-day" not in charts
    assert "table-step-months" not in page.tables
    assert not any("hashprice" in told for told in remarks(summary))


def test_a_programme_without_mining(hourly: pd.DataFrame) -> None:
    summary = copy.deepcopy(example_summary())
    without_mining(summary)
    page = Page(render_report(summary, hourly))
    assert (
        "The programme has no mining. The machines below are those that it would take. Nobody invests."
        in (words(page))
    )
    assert "table-investment" not in page.tables
    assert "table-machines" in page.tables
    assert "The programme's own" not in words(page)
    assert "The hashprice is the income of all miners. 2,000 MW of mining at 17.5 J/TH would" in words(page)


def test_a_firm_programme_has_no_contracts(hourly: pd.DataFrame) -> None:
    summary = copy.deepcopy(example_summary())
    firm(summary)
    page = Page(render_report(summary, hourly))
    assert "All that the sites keep ready runs in every hour. " in " ".join(running_sentences(summary))
    assert "no contract lets the operator stop it" in words(page)
    assert "table-contracts" not in page.tables
    assert month_row(page, "Mar", LOW)[2] == "Served like any demand."
    assert page.tables["table-classes"][1][2] == "Nothing but in a shortage, after all else."


def test_where_nobody_is_interrupted_it_is_said() -> None:
    summary = example_summary()
    summary["loads"]["year"]["interrupted_mwh"] = 0.0
    assert running_sentences(summary)[0].endswith("; the operator interrupts nobody in any hour.")


def test_figures_link_to_the_sources_they_rest_on(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    long = "Statistics of the chain, block by block and day by day, of all the years since 2009"
    summary["sources"] += [
        {"source": key, "title": title, "publisher": "", "url": "", "licence": "", "dated": "", "note": ""}
        for key, title in (("btc_network", long), ("phoenix", "Trial <b>"), ("duke_2025", "Load growth"))
    ]
    text = render_report(summary, hourly)
    anchor = len(summary["sources"]) - 2
    assert text.count(f'<a href="#source-{anchor}">Statistics of the chain, block by block and day…</a>') == 8
    assert f'<a href="#source-{anchor + 2}">Load growth</a>' in text
    assert Page(text).row("table-trials", "Phoenix")[-1] == "phoenix"
    assert "Trial <b>" not in text
    assert "Trial <b>" in unescape(text)


def test_a_study_that_did_not_settle_says_so_first(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    assert not any("Not settled" in sentence for sentence in remarks(summary))
    summary["loads"]["network"] |= {"settled": False, "rounds": 20, "moved": 0.00012}
    first = remarks(summary)[0]
    assert first.startswith("Not settled: after 20 rounds")
    assert "0.0120%" in first
    assert "Not settled" in render_report(summary, hourly)


def test_what_goes_beyond_the_contracts_is_said(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["loads"]["year"] |= {"interrupted_mwh": 5000.0, "emergency_mwh": 1234.0}
    row = next(row for row in summary["loads"]["months"] if row["price_usd_per_mwh"] is not None)
    row["emergency_mwh"] = 777.0
    shown = render_report(summary, hourly)
    assert "1.2 GWh of it go beyond the contracts, in a shortage: people come first" in shown
    assert "0.8 GWh beyond the contract, in a shortage" in shown
