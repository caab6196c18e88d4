"""The page of the mixes: whole, offline, deterministic, escaped, and honest about what it cannot tell."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from penstock.errors import InputError
from penstock.report.mix import render_mix
from penstock.report.mix_words import full_mixes, mix_headline, mix_name, mix_remarks

from .test_report import Page

DOCS = Path(__file__).resolve().parents[2] / "docs"
MINUS = "\N{MINUS SIGN}"
HOSTILE = "<script>alert(1)</script>"
SIZES = (0.0, 100.0, 200.0)


def point(mining: float, ai: float) -> dict[str, Any]:
    """Made up: AI takes 8 GWh a MW and mining 4, the rest of its 8 leaves; income 80 USD a MWh."""
    energy = 4.0 * mining + 8.0 * ai
    cost = 50_000.0 * energy
    income = 80_000.0 * energy
    whole = mining + ai
    return {
        "mining_mw": mining,
        "ai_mw": ai,
        "offered_gwh": 8.0 * whole,
        "energy_gwh": energy,
        "mining_energy_gwh": 4.0 * mining,
        "ai_energy_gwh": 8.0 * ai,
        "left_gwh": 4.0 * mining,
        "interrupted_gwh": 0.0,
        "lost_gwh": 0.0,
        "income_usd": income,
        "margin_usd": 2.0 * income,
        "consumer_change_pooled_usd": cost - income,
        "consumer_change_pooled_per_kwh": -0.001 * energy,
        "consumer_change_marginal_usd": cost,
        "consumer_change_marginal_per_kwh": 0.002 * energy,
        "cost_change_usd": cost,
        "unserved_gwh": 1.0,
        "unserved_change_gwh": 0.0,
        "fuel_imports_usd": 100e6 + cost,
        "fuel_imports_change_usd": cost,
        "emissions_t": 1e6 + 1000.0 * energy,
        "emissions_change_t": 1000.0 * energy,
        "jobs": 0.5 * mining + ai,
        "jobs_low": 0.25 * mining + 0.5 * ai,
        "jobs_high": mining + 2.0 * ai,
        "jobs_per_offered_mw": (0.5 * mining + ai) / whole if whole else None,
        "jobs_per_ran_mw": (0.5 * mining + ai) / (energy / 8.76) if energy else None,
        "hashprice_usd_per_ph_day": 50.0 - 0.01 * mining,
        "rounds": 1,
        "settled": True,
        "moved": 0.0,
        "gap": 1e-12,
        "efficient": mining == 0.0,
    }


def example_mix() -> dict[str, Any]:
    """A frontier of 200 MW in steps of 100 MW."""
    points = [point(mining, ai) for mining in SIZES for ai in SIZES if mining + ai <= 200.0]
    objectives = (
        ("consumer_change_pooled_usd", "What consumers pay, pooled billing", "USD", "min", 0.0, 200.0),
        ("unserved_gwh", "Demand not served", "GWh", "min", 0.0, 200.0),
        ("fuel_imports_usd", "Fuel imports", "USD", "min", 0.0, 0.0),
        ("income_usd", "Income of the seller", "USD", "max", 0.0, 200.0),
        ("jobs", "Permanent jobs", "1", "max", 0.0, 200.0),
    )
    return {
        "schema_version": 1,
        "penstock_version": "0.1.0",
        "country": {
            "id": "toyland",
            "name": "Toyland",
            "currency": "XTC",
            "currency_per_usd": 100.0,
            "content_hash": "0" * 64,
        },
        "year": 2025,
        "network_year": 2025,
        "programme": {
            "mw": 200.0,
            "step_mw": 100.0,
            "tariff_per_kwh": 8.0,
            "tariff_usd_per_mwh": 80.0,
            "firm": False,
            "sites": [{"zone": "NORTH", "share": 1.0}],
        },
        "base": {
            "cost_usd": 300e6,
            "unserved_gwh": 1.0,
            "fuel_imports_usd": 100e6,
            "emissions_t": 1e6,
            "hashprice_usd_per_ph_day": 50.0,
        },
        "objectives": [
            {"key": key, "title": title, "unit": unit, "sense": sense, "tolerance": 1.0}
            for key, title, unit, sense, _, _ in objectives
        ],
        "points": points,
        "best": [
            {
                "objective": key,
                "mining_mw": mining,
                "ai_mw": ai,
                "value": point(mining, ai)[key],
                "equals": 5 if key == "unserved_gwh" else 0,
            }
            for key, _, _, _, mining, ai in objectives
        ],
        "assumptions": [
            {
                "parameter": "ai_jobs_per_mw",
                "value": 1.0,
                "low": 0.5,
                "high": None,
                "unit": "1/MW",
                "basis": "assumption",
                "source": "toy",
                "note": "a guess",
            }
        ],
        "sources": [
            {
                "source": "toy",
                "title": "A toy",
                "publisher": "The tests",
                "url": "https://www.example.org/toy",
                "licence": "CC0-1.0",
                "dated": "2025",
            }
        ],
    }


@pytest.fixture(scope="module")
def html() -> str:
    return render_mix(example_mix())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


# --- one file, offline, the same each time --------------------------------------------------------------


def test_same_input_same_bytes_and_the_input_is_left_alone(html: str) -> None:
    document = example_mix()
    assert render_mix(document) == html
    assert document == example_mix()


def test_nothing_is_loaded(html: str, page: Page) -> None:
    for tag, attrs in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}, tag
        assert not {"src", "srcset", "data", "action"} & set(attrs), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs), (tag, attrs)
        if "href" in attrs:
            assert attrs["href"].startswith(("#", "https://www.example.org/")), attrs
    assert "default-src 'none'" in html[: html.index("<style>")]
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in style
    assert "width=device-width" in html


def test_links_inside_lead_somewhere(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    inside = [attrs["href"][1:] for attrs in page.all("a") if attrs.get("href", "").startswith("#")]
    assert set(inside) <= set(ids)
    assert {"frontier", "maps", "mixes", "basis"} <= set(inside)


@pytest.mark.parametrize("place", [("country", "name"), ("country", "currency"), ("sources", "title")])
def test_hostile_text_stays_text(place: tuple[str, str]) -> None:
    document = example_mix()
    part = document[place[0]]
    (part[0] if isinstance(part, list) else part)[place[1]] = HOSTILE
    text = render_mix(document)
    assert HOSTILE not in text
    assert len(Page(text).all("script")) == 3


def test_a_link_that_is_no_web_address_is_not_made() -> None:
    document = example_mix()
    document["sources"][0]["url"] = "javascript:alert(1)"
    assert "javascript:" not in "".join(
        attrs.get("href", "") for attrs in Page(render_mix(document)).all("a")
    )


# --- charts and tables -----------------------------------------------------------------------------------


def test_every_chart_has_its_place_and_its_data(page: Page) -> None:
    figures = page.json("data-figures")
    plots = {attrs["id"]: attrs for attrs in page.all("div") if attrs.get("class") == "plot"}
    assert set(plots) == set(figures)
    assert all(attrs["aria-label"] for attrs in plots.values())
    assert {"chart-mix-frontier", "chart-mix-split", "map-jobs", "map-income-usd"} <= set(plots)


def test_frontier_shows_each_mix_once_and_marks_the_efficient(page: Page) -> None:
    efficient, others, nothing = page.json("data-figures")["chart-mix-frontier"]["data"]
    # AI of 100 and 200 MW is efficient; the crosses are the three mixes with mining.
    assert efficient["hovertext"] == ["100 MW of AI", "200 MW of AI"]
    assert efficient["marker"]["color"] == [0.0, 0.0]
    assert (efficient["marker"]["symbol"], others["marker"]["symbol"]) == ("circle", "x")
    assert others["hovertext"] == [
        "100 MW of mining",
        "100 MW of mining and 100 MW of AI",
        "200 MW of mining",
    ]
    assert others["marker"]["color"] == [100.0, 50.0, 100.0]
    assert nothing["hovertext"] == ["nothing"]
    # 200 MW of AI: 1,600 GWh, 80 USD a MWh, cost 50: income 128, consumers 48 less. Best on both axes.
    assert (efficient["x"][1], efficient["y"][1]) == (-48.0, 128.0)
    # Best on both axes, alone: no line is drawn, and none is in the key.
    assert "best of these two alone" not in page.text
    assert "crosses are not. The diamond is the year without a programme." in " ".join(page.text.split())


def test_the_line_of_the_best_is_drawn_where_it_can_be_seen() -> None:
    document = example_mix()
    mining = full_mixes(document)[-1]
    mining |= {"income_usd": 200e6, "consumer_change_pooled_usd": -24e6}
    shown = Page(render_mix(document))
    line = shown.json("data-figures")["chart-mix-frontier"]["data"][0]
    assert (line["mode"], line["x"], line["y"]) == ("lines", [-48.0, -24.0], [128.0, 200.0])
    assert shown.text.count("best of these two alone") == 2
    # A millionth of the axes apart, the points hide it.
    mining |= {"income_usd": 128.0001e6, "consumer_change_pooled_usd": -47.9999e6}
    assert "best of these two alone" not in Page(render_mix(document)).text


def test_no_cross_is_told_of_where_all_mixes_are_efficient() -> None:
    document = example_mix()
    document["points"] = [row | {"efficient": True} for row in document["points"][1:]]
    text = Page(render_mix(document)).text
    assert "Each point is a mix; all are efficient. Better is up and to the left." in text
    assert "crosses" not in text
    assert "diamond" not in text


def test_the_close_view_holds_the_mixes_of_all_the_power(page: Page) -> None:
    data = page.json("data-figures")["chart-mix-split"]["data"]
    assert [text for trace in data for text in trace["text"]] == ["0", "100", "200"]
    # 200 MW of mining lies at the right end: its number stands left of it, inside the axes.
    sides = [side for trace in data for side in trace["textposition"]]
    assert sides == ["middle right", "middle right", "middle left"]


def test_points_too_close_to_tell_apart_bear_their_numbers_together() -> None:
    document = example_mix()
    for row in full_mixes(document)[:2]:
        row |= {"income_usd": 128e6 + row["mining_mw"], "consumer_change_pooled_usd": -48e6}
    data = Page(render_mix(document)).json("data-figures")["chart-mix-split"]["data"]
    assert sorted(text for trace in data for text in trace["text"]) == ["", "0 · 100", "200"]


@pytest.mark.parametrize(
    ("key", "sign", "colours", "ends"),
    [
        ("consumer-change-pooled-usd", -1.0, ["#0b6b3a", "#ffffff"], (-48.0, 0.0)),
        ("consumer-change-marginal-usd", 1.0, ["#ffffff", "#a23b00"], (0.0, 80.0)),
        ("income-usd", 1.0, ["#f3f6f9", "#00558c"], (0.0, 128.0)),
    ],
)
def test_what_consumers_gain_is_green_and_what_they_pay_is_orange(
    page: Page, key: str, sign: float, colours: list[str], ends: tuple[float, float]
) -> None:
    (trace,) = page.json("data-figures")[f"map-{key}"]["data"]
    assert all(value * sign >= 0.0 for row in trace["z"] for value in row if value is not None)
    assert [colour for _, colour in trace["colorscale"]] == colours
    assert (trace["zmin"], trace["zmax"]) == ends


def test_sections_bear_the_names_of_the_navigation(html: str) -> None:
    named = dict(re.findall(r'<li><a href="#([a-z]+)">([^<]+)</a></li>', html))
    assert named == dict(re.findall(r'<h2 id="([a-z]+)">([^<]+)</h2>', html))
    assert len(named) == 4


def test_maps_put_mining_right_and_ai_up(page: Page) -> None:
    (trace,) = page.json("data-figures")["map-jobs"]["data"]
    assert trace["x"] == trace["y"] == [0.0, 100.0, 200.0]
    # Row: MW of AI; 0.5 jobs a MW of mining, 1 a MW of AI.
    assert trace["z"] == [[0.0, 50.0, 100.0], [100.0, 150.0, None], [200.0, None, None]]


def test_what_is_the_same_in_every_mix_is_said_instead_of_drawn(page: Page) -> None:
    assert not {"map-interrupted-gwh", "map-unserved-change-gwh"} & set(page.json("data-figures"))
    assert "Interrupted by the operator: 0.0 GWh a year" in page.text
    assert "Demand not served, change: 0.00 GWh a year" in page.text


def test_table_of_mixes_has_efficient_ones_first(page: Page) -> None:
    head, *rows = page.tables["table-mix-points"]
    assert len(rows) == 6
    assert len(head) == len(rows[0]) == 13
    assert [row[2] for row in rows] == ["yes"] * 3 + ["no"] * 3
    # Within each by what consumers pay, least first.
    assert [(row[0], row[1]) for row in rows] == [
        ("0", "200"),
        ("0", "100"),
        ("0", "0"),
        ("100", "100"),
        ("200", "0"),
        ("100", "0"),
    ]
    assert rows[0][3:7] == ["1,600", "128.0", f"{MINUS}48.0", f"{MINUS}1.600"]
    assert rows[0][7:10] == ["+80.0", "+3.200", "+80.0"]
    loads = page.tables["table-mix-loads"][1:]
    assert [row[:3] for row in loads] == [row[:3] for row in rows]
    assert loads[0][5:8] == ["200", "100", "400"]
    assert loads[2][8:10] == ["–", "–"]
    assert "income of the seller" in loads[0][-1]


def test_best_by_one_objective(page: Page) -> None:
    row = page.row("table-mix-best", "Fuel imports: least")
    assert row[1:] == ["nothing", "100.0 million USD"]
    row = page.row("table-mix-best", "Demand not served: least")
    assert row[1:] == ["200 MW of AI (5 others are as good)", "1.00 GWh"]


# --- words -----------------------------------------------------------------------------------------------


def test_names_of_mixes() -> None:
    cases = {
        (0.0, 0.0): "nothing",
        (1500.0, 0.0): "1,500 MW of mining",
        (0.0, 500.0): "500 MW of AI",
        (250.0, 1750.0): "250 MW of mining and 1,750 MW of AI",
    }
    for (mining, ai), name in cases.items():
        assert mix_name({"mining_mw": mining, "ai_mw": ai}) == name


def test_headline_gives_both_rules_and_the_range_over_the_split() -> None:
    # 200 MW: 800 to 1,600 GWh.
    assert mix_headline(example_mix()) == (
        "With 200 MW of mining and AI at 8.00 XTC/kWh, whatever the split, consumers pay 0.80 to 1.60 "
        "XTC/kWh less under pooled billing, but consumers pay 1.60 to 3.20 XTC/kWh more if every hour were "
        "sold at its price."
    )


def test_headline_says_where_the_split_turns_a_gain_into_a_loss() -> None:
    document = example_mix()
    full_mixes(document)[-1]["consumer_change_pooled_per_kwh"] = 0.5
    assert "consumers pay from 1.60 XTC/kWh less to 0.50 more under pooled billing" in mix_headline(document)


def test_remarks() -> None:
    remarks = mix_remarks(example_mix())
    assert any(text.startswith("The split matters beside the size") for text in remarks)
    assert any(text.startswith("3 of the 6 mixes are efficient") for text in remarks)
    assert any("The operator interrupts nobody in any mix; loads stay away" in text for text in remarks)
    assert any("The ranges overlap: which of the two employs more is not known" in text for text in remarks)
    assert any("from 50.0 to 48.0 USD/(PH/s·day)" in text for text in remarks)
    assert not any("did not settle" in text for text in remarks)
    document = example_mix()
    for row in document["points"]:
        row.update(efficient=True, settled=row["ai_mw"] > 0.0, interrupted_gwh=row["mining_mw"])
        row["jobs_high"] = row["jobs_low"] = row["jobs"]
    remarks = mix_remarks(document)
    assert any(text.startswith("None of the 6 mixes is beaten by another") for text in remarks)
    assert any("interrupts up to 200.0 GWh a year (200 MW of mining)" in text for text in remarks)
    assert any(text.startswith("In 3 mixes the market and the Bitcoin network did not") for text in remarks)
    assert not any("overlap" in text for text in remarks)


def test_the_size_decides_where_the_split_hardly_moves_bills() -> None:
    document = example_mix()
    for row in full_mixes(document):
        row["consumer_change_pooled_usd"] = -48e6 + 1e3 * row["mining_mw"]
    assert any(text.startswith("The size decides, hardly the split") for text in mix_remarks(document))


# --- refusals --------------------------------------------------------------------------------------------


def test_what_is_missing_is_named_all_at_once() -> None:
    document = copy.deepcopy(example_mix())
    del document["best"], document["points"]
    document["schema_version"] = 2
    with pytest.raises(InputError) as caught:
        render_mix(document)
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "'best' is missing" in text
    assert "'points' is missing" in text
    assert "reads schema version 1" in text
    with pytest.raises(InputError, match="holds no points"):
        render_mix(example_mix() | {"points": []})


def test_the_example_follows_the_schema() -> None:
    schema = json.loads((DOCS / "mix.schema.json").read_text("utf-8"))
    plain = json.loads(json.dumps(example_mix()))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(plain)] == []
