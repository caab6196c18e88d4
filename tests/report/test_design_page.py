"""The page of a design: whole, offline, deterministic, escaped; its numbers are those of the documents."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from penstock.errors import InputError
from penstock.report.design import render_design
from penstock.report.guardrails import NONE_GIVEN, finding_rows, guardrail_page, guardrail_sentences

from .example_proof import (
    example_design,
    example_hosting,
    example_tariff,
    finding,
    in_dollars,
    no_rule,
    nothing_passes,
    policy_sources,
)
from .schema_check import schema_errors
from .test_report import Page

MINUS = "\N{MINUS SIGN}"
HOSTILE = "<script>alert(1)</script>"
KINDS: dict[str, tuple[Callable[[], dict[str, Any]], ...]] = {
    "design": (example_design, nothing_passes, no_rule),
    "tariff": (example_tariff,),
    "hosting": (example_hosting,),
}


@pytest.fixture(scope="module")
def html() -> str:
    return render_design(example_design(), example_tariff(), example_hosting())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


# --- one file, offline, the same each time --------------------------------------------------------------


def test_same_input_same_bytes_and_the_input_is_left_alone(html: str) -> None:
    documents = example_design(), example_tariff(), example_hosting()
    assert render_design(*documents) == html
    assert documents == (example_design(), example_tariff(), example_hosting())


def test_nothing_is_loaded(html: str, page: Page) -> None:
    for tag, attrs in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}, tag
        assert not {"src", "srcset", "data", "action"} & set(attrs), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs), (tag, attrs)
        if "href" in attrs:
            assert attrs["href"].startswith(("#", "https://www.example.org/")), attrs
    assert "default-src 'none'" in html[: html.index("<style>")]
    assert "url(" not in "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "width=device-width" in html


def test_links_inside_lead_somewhere(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    inside = {attrs["href"][1:] for attrs in page.all("a") if attrs.get("href", "").startswith("#")}
    assert inside <= set(ids)
    assert {"proof", "tariff", "hosting", "limits", "policy-source-1"} <= inside


@pytest.mark.parametrize(
    "place",
    [
        ("design", "country", "name"),
        ("design", "country", "currency"),
        ("design", "policy", "title"),
        ("design", "guardrails", "title"),
        ("design", "guardrails", "clause"),
        ("design", "guardrails", "place"),
        ("design", "guardrails", "source"),
        ("design", "sensitivity", "title"),
        ("design", "policy_sources", "note"),
        ("tariff", "judged", "name"),
        ("tariff", "forms", "title"),
        ("hosting", "rows", "place"),
        ("hosting", "rows", "binding"),
    ],
)
def test_hostile_text_stays_text(place: tuple[str, str, str]) -> None:
    documents: dict[str, Any] = {
        "design": example_design(),
        "tariff": example_tariff(),
        "hosting": example_hosting(),
    }
    name, part, key = place
    found = documents[name][part]
    row = found[-1] if isinstance(found, list) else found
    old, row[key] = row[key], HOSTILE
    if key == "currency":  # the keys of prices have the currency in them
        text = json.dumps(documents["design"]).replace("_xtc_", f"_{HOSTILE.lower()}_")
        documents = {"design": json.loads(text), "tariff": None, "hosting": None}
    assert old != HOSTILE
    shown = render_design(documents["design"], documents["tariff"], documents["hosting"])
    assert HOSTILE not in shown
    assert len(Page(shown).all("script")) == 3


def test_a_link_that_is_no_web_address_is_not_made() -> None:
    document = example_design()
    document["sources"][0]["url"] = document["policy_sources"][0]["url"] = "javascript:alert(1)"
    assert "javascript:" not in "".join(
        attrs.get("href", "") for attrs in Page(render_design(document)).all("a")
    )


def test_no_key_is_shown_raw(page: Page) -> None:
    keys = (
        "full_per_kwh",
        "full_per_kw",
        "lole_change",
        "two_part",
        "fuel_high",
        "consumer_change",
        "None",
        "nan",
    )
    assert [key for key in keys if re.search(rf"\b{key}\b", page.text)] == []


# --- sections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", KINDS["design"])
def test_every_outcome_has_its_sections(make: Callable[[], dict[str, Any]]) -> None:
    for document in (make(), in_dollars(make())):
        text = render_design(document)
        named = dict(re.findall(r'<li><a href="#([a-z]+)">([^<]+)</a></li>', text))
        assert named == dict(re.findall(r'<h2 id="([a-z]+)">([^<]+)</h2>', text))
        assert [title.split()[0] for title in named.values()] == [str(n) for n in range(1, len(named) + 1)]
        assert ("moves" in named) == (document["design"] is None)
        assert not {"tariff", "hosting"} & set(named)


def test_the_verdict_is_a_sign_and_a_word(html: str) -> None:
    assert '<p class="verdict good">✓ Passes</p>' in html
    assert '<p class="verdict bad">✗ Refused</p>' in render_design(nothing_passes())
    assert '<p class="verdict bad">✗ Refused</p>' in render_design(no_rule())


def pressed(page: Page) -> str:
    """The text of a page without spaces."""
    return "".join(page.text.split())


def test_the_proposal_in_figures(page: Page) -> None:
    text = pressed(page)
    assert "ProposalRunsBitcoinmining(50%)andAIWhereSOUTHTermsinterruptiblecutbeforepeopleare" in text
    assert "Power800MWTariff10.00XTC/kWhFullcost,capacitybyenergy9.00XTC/kWh" in text
    assert "Allothersgain300.0millionUSDayear" in text
    refused = pressed(Page(render_design(nothing_passes())))
    assert "Nearesttopassing,andrefusedRuns" in refused
    assert "Proposal" not in refused


# --- guardrails -------------------------------------------------------------------------------------------


def test_guardrails_the_binding_one_first(page: Page, html: str) -> None:
    rows = page.tables["table-guardrails"][1:]
    assert [row[0].split("The text")[0] for row in rows] == [
        *("Hours short", "Full cost", "Co2 cap", "Reserve limit"),
    ]
    assert "change of the hours a year in which a zone is expected to be short" in rows[0][0]
    assert rows[0][1:7] == [
        "✓ Keptbinds: least room to its limit",
        "0.02 ± 0.001 h/year",
        "at most 0.1 h/year",
        "0.08 h/year room",
        "NORTH",
        "from 1 Jan 2024",
    ]
    assert rows[1][2:5] == [f"{MINUS}1 XTC/kWh", "at most 0 XTC/kWh", "1 XTC/kWh room"]
    assert rows[2][1] == "✗ Not keptreported, does not decide"
    assert rows[3][1:5] == ["– Not in force", "–", "–", "–"]
    table = html[html.index('id="table-guardrails"') :]
    assert re.findall(r'<tr class="(\w+)">', table[: table.index("</table>")]) == ["binds", "aside", "aside"]


def test_what_was_proposed_and_why_it_is_refused(page: Page) -> None:
    (row,) = page.tables["table-proposed"][1:]
    assert row[1:5] == ["✗ Not keptdecides", "1 XTC/kWh", "at most 0 XTC/kWh", "1 XTC/kWh too much"]


def test_findings_that_cannot_be_told_apart_or_were_not_read() -> None:
    rows = finding_rows(
        [
            finding("close", significant=False),
            finding("blind", "no input"),
            finding("soon", holds_from="2026-01-01", holds_until="2027-02-28"),
        ],
        "blind",
        {},
    )
    assert [row.title for row in rows] == ["Blind", "Close", "Soon"]
    assert rows[0].status == "No reading, so not kept"
    assert rows[0].role == "binds: first in the way"
    assert rows[1].status == "Kept, too close to call"
    assert rows[2].holds == "from 1 Jan 2026 until 28 Feb 2027"


def test_the_sentences_of_a_study() -> None:
    kept, lost = finding("a-rule"), finding("b-rule", "failed")
    assert guardrail_sentences("passes", "", [kept, kept]) == [
        "Passes: all 2 guardrails that decide are kept."
    ]
    assert guardrail_sentences("passes", "", [kept]) == ["Passes: the one guardrail that decides is kept."]
    assert guardrail_sentences("refused", "", [kept, lost]) == [
        "Refused: 1 of 2 guardrails that decide is not kept: B rule."
    ]
    assert guardrail_sentences("refused", "No clause.", [finding("x", "not in force")]) == [
        "Refused. No clause."
    ]


def judged_summary() -> dict[str, Any]:
    """The part of a summary that the page of guardrails reads."""
    return {
        "guardrails": {
            "verdict": "refused",
            "reason": "1 of 1 fails",
            "binding": "hours-short",
            "policy": {"title": "Rules of Toyland", "sha256": "a" * 64, "as_of": "2025-12-31"},
            "outage_years": 200,
            "seed": 1,
            "findings": [finding("hours-short", "failed")],
            "sources": policy_sources(),
        }
    }


def test_a_study_without_guardrails_says_so() -> None:
    for summary in ({}, {"guardrails": None}):
        found = guardrail_page(summary)
        assert found["sentences"] == [NONE_GIVEN]
        assert found["policy"] is None
    found = guardrail_page(judged_summary())
    assert found["policy"]["as_of"] == "31 Dec 2025"
    assert found["outages"] == "200 years"
    assert found["rows"][0].margin == "0.3 h/year too much"


# --- charts and tables ------------------------------------------------------------------------------------


def test_every_chart_has_its_place_and_its_data(page: Page) -> None:
    figures = page.json("data-figures")
    plots = {attrs["id"]: attrs for attrs in page.all("div") if attrs.get("class") == "plot"}
    assert set(plots) == set(figures) == {"chart-sensitivity", "chart-window", "chart-hosting"}
    assert all(attrs["aria-label"] for attrs in plots.values())


def test_cases_by_what_others_gain_and_verdict(page: Page) -> None:
    (bars,) = page.json("data-figures")["chart-sensitivity"]["data"]
    # From the bottom: dearer fuel, cheaper fuel, as designed.
    assert bars["x"] == [-10.0, 320.0, 300.0]
    assert bars["text"] == ["refused", "passes", "passes"]
    assert bars["marker"]["color"] == ["#a23b00", "#0b6b3a", "#0b6b3a"]
    row = page.row("table-sensitivity", "Imported fuel 20% dearer")
    assert row[1:6] == ["✗ refused", "Full cost", "5.00", "9.00", "7.00"]
    assert page.row("table-sensitivity", "As designed")[1:3] == ["✓ passes", "–"]


def test_the_window_as_a_chart(page: Page) -> None:
    figure = page.json("data-figures")["chart-window"]
    lines = [trace for trace in figure["data"] if trace["mode"] == "lines" and trace["x"][0] == trace["x"][1]]
    assert [trace["x"][0] for trace in lines] == [5.0, 9.0, 7.0]
    assert [trace["line"]["dash"] for trace in lines] == ["solid", "dash", "dot"]
    bars = [
        trace["x"] for trace in figure["data"] if trace["mode"] == "lines" and trace["x"][0] != trace["x"][1]
    ]
    assert bars == [[0.0, 6.5], [8.5, 15.0]]
    judged = {
        trace["marker"]["symbol"]: trace["x"]
        for trace in figure["data"]
        if "symbol" in trace.get("marker", {})
    }
    assert judged == {"circle": [10.0], "x": [6.5, 8.0]}
    # What AI can pay begins far above all else: it is told of.
    assert "Off the chart: AI centres, to run, 90.00 to 300.00." in page.text
    assert "full cost, capacity by energy: 9.00" in page.text


def test_no_floor_is_said_and_not_drawn() -> None:
    tariff = example_tariff()
    tariff["floor_xtc_per_kwh"]["full_per_kwh"] = tariff["floors"]["full_per_kwh"] = None
    for row in tariff["windows"]:
        if row["basis"] == "full_per_kwh":
            row |= {"floor_xtc_per_kwh": None, "open": False}
    found = Page(render_design(example_design(), tariff))
    assert "No line for full cost, capacity by energy: no tariff recovers it." in found.text
    assert found.row("table-floors", "full cost, capacity by energy")[1:] == ["no tariff does", "–", "–"]
    assert found.row("table-windows", "full cost, capacity by energy: miners")[-2:] == [
        "✗ closed",
        "✗ closed",
    ]


def test_tables_of_the_tariff(page: Page) -> None:
    assert page.row("table-floors", "what the programme causes")[1:] == ["5.00", "4.99", "8,100"]
    assert page.row("table-ceilings", "miners, to run")[1:] == ["8.50", "12.00", "15.00", "6.00", "20.00"]
    assert page.row("table-ceilings", "miners, to buy machines today")[1:4] == ["none", "4.00", "6.50"]
    row = page.row("table-windows", "full cost, capacity by energy: miners")
    assert row[1:] == ["9.00", "8.50", "12.00", "15.00", "✗ closed", "✓ open"]
    assert page.row("table-judged", "8.00")[1:4] == ["the programme's own", "✗ refused", "Full cost"]
    assert page.row("table-judged", "10.00")[1:4] == ["The ordinary tariff", "✓ passes", "–"]
    assert page.row("table-finer", "every month pays for itself")[1:] == ["6.00", "40%", "June: 6.00"]
    assert page.row("table-forms", "Two parts")[-2:] == [f"{MINUS}20.0", "700.0"]


def test_hosting_as_a_matrix_and_a_chart(page: Page) -> None:
    head, *rows = page.tables["table-matrix"]
    assert head == ["Place", "Firm", "0.25% cut", "5% cut"]
    assert rows[0] == [
        "all sites together",
        "3,000 MWHours shortheadroom 0 MW",
        "4,000 MWthe limit on cutsheadroom 400 MW",
        "6,000 MWthe limit on cutsheadroom 1,500 MW",
    ]
    assert rows[2][1].startswith("none fits")
    assert "nothing fails up to the largest that was tried" in rows[2][3]
    ours, simple = page.json("data-figures")["chart-hosting"]["data"]
    assert (ours["x"], ours["y"]) == (["firm", "0.25%", "5%"], [3000.0, 4000.0, 6000.0])
    assert simple["y"] == [0.0, 400.0, 1500.0]


def test_designs_by_share_of_mining(page: Page) -> None:
    row = page.row("table-designs", "best: Bitcoin mining (50%) and AI")
    assert row[1:6] == ["800", "SOUTH", "interruptible", "10.00", "8,000"]
    assert page.row("table-designs", "Bitcoin mining")[1:4] == ["–", "no design passes", "–"]
    assert page.row("table-designs", "Runner-up: Bitcoin mining (50%) and AI")[3] == "firm"


def test_which_guardrail_would_have_to_move() -> None:
    found = Page(render_design(nothing_passes()))
    row = found.row("table-moves", "Hours short")
    assert row[1:4] == ["0.1 h/year", "0.4 h/year", "0.3 h/year"]
    assert row[4].startswith("500 MW of Bitcoin mining (50%) and AI in SOUTH")
    assert found.row("table-moves", "Full cost")[2:4] == ["no limit would help", "–"]
    assert found.row("table-sensitivity", "Nearest design")[1:3] == ["✗ refused", "Hours short"]
    assert "No single guardrail would do" in Page(render_design(no_rule())).text


def test_a_small_country_in_dollars() -> None:
    found = Page(
        render_design(
            in_dollars(example_design()), in_dollars(example_tariff()), in_dollars(example_hosting())
        )
    )
    assert "Power1.5MWTariff0.1000USD/kWh" in pressed(found)
    assert found.row("table-floors", "what the programme causes")[1] == "0.0500"
    assert "0.052" in found.text


# --- refusals and schemas -----------------------------------------------------------------------------------


def test_what_is_missing_is_named_all_at_once() -> None:
    design, tariff = example_design(), example_tariff()
    del design["search"], tariff["windows"]
    design["schema_version"] = 2
    with pytest.raises(InputError) as caught:
        render_design(design, tariff)
    assert len(caught.value.faults) == 3
    text = str(caught.value)
    assert "'search' is missing" in text
    assert "'windows' is missing" in text
    assert "reads schema version 1" in text


@pytest.mark.parametrize(("name", "make"), [(name, make) for name, makes in KINDS.items() for make in makes])
def test_the_examples_follow_the_schemas(name: str, make: Callable[[], dict[str, Any]]) -> None:
    assert schema_errors(name, make()) == []
    assert schema_errors(name, in_dollars(make())) == []


@pytest.mark.parametrize("name", list(KINDS))
def test_the_schemas_refuse_what_is_missing_and_what_is_new(name: str) -> None:
    whole = KINDS[name][0]()
    for key in whole:
        assert schema_errors(name, {other: whole[other] for other in whole if other != key}), key
    assert schema_errors(name, {**whole, "surprise": 1})
    nested = {"design": "design", "tariff": "programme", "hosting": "country"}[name]
    for key in whole[nested]:
        less = copy.deepcopy(whole)
        del less[nested][key]
        assert schema_errors(name, less), key
