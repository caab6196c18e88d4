"""The report: whole, offline, deterministic, escaped, and honest when the result is unwelcome."""

from __future__ import annotations

import base64
import copy
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from penstock.errors import InputError
from penstock.report import render_report

from .example import ENERGY_GWH, FUELS, ZONES, example_hourly, example_summary

HOSTILE = "<script>alert(1)</script>"
SECTIONS = (
    *("gains", "guardrails", "surplus", "dispatch", "running", "miners", "centres"),
    *("prices", "map", "actual", "assumptions", "limits"),
)
# Elements that hold no text of their own and no end tag.
VOID = {
    "meta",
    "br",
    "img",
    "input",
    "link",
    "hr",
    "source",
    "line",
    "rect",
    "circle",
    "polygon",
    "path",
    "wbr",
}


class Page(HTMLParser):
    """What the tests ask of a page: its elements in order, its text without scripts, its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.scripts: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.captions: dict[str, str] = {}
        self.open: list[str] = []
        self._table = self._script = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._table = found["id"]
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")
        elif tag == "script":
            self._script = found.get("id", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag, f"</{tag}> closes another element"
        if tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        elif inside != "style":
            self.text += data
            if self._table and "caption" in self.open:
                self.captions[self._table] = self.captions.get(self._table, "") + data
            elif self._table and ("td" in self.open or "th" in self.open):
                self.tables[self._table][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def row(self, table: str, head: str) -> list[str]:
        return next(row for row in self.tables[table] if row and row[0] == head)

    def json(self, ident: str) -> Any:
        return json.loads(self.scripts[ident])


@pytest.fixture(scope="module")
def hourly() -> pd.DataFrame:
    return example_hourly()


@pytest.fixture(scope="module")
def html(hourly: pd.DataFrame) -> str:
    return render_report(example_summary(), hourly)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def headline(text: str) -> str:
    found = re.search(r'<p class="headline">(.*?)</p>', text)
    assert found is not None
    return found[1]


# --- one file, offline, the same each time --------------------------------------------------------------


def test_same_input_same_bytes(html: str, hourly: pd.DataFrame) -> None:
    assert render_report(example_summary(), hourly).encode() == html.encode()


def test_the_input_is_left_as_it_was(hourly: pd.DataFrame) -> None:
    summary, before = example_summary(), hourly.copy()
    render_report(summary, hourly)
    assert summary == example_summary()
    pd.testing.assert_frame_equal(hourly, before)


def test_nothing_is_loaded(html: str, page: Page) -> None:
    for tag, attrs in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}, tag
        for name in ("src", "srcset", "data", "poster", "action", "xlink:href"):
            assert name not in attrs, (tag, attrs)
        if "href" in attrs:
            assert tag == "a", tag
            assert attrs["href"].startswith(("#", "https://www.example.org/")), attrs
        assert not any(name.startswith("on") for name in attrs), (tag, attrs)
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style


def test_content_security_policy_comes_before_anything_that_runs(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    policy = next(m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
    )
    assert tags.index("style") > page.elements.index(("meta", policy)) < tags.index("script")


def test_plotly_is_inside_and_the_file_is_small_enough(html: str) -> None:
    assert "plotly.js v" in html
    assert len(html.encode()) < 12_000_000


# --- whole and accessible -------------------------------------------------------------------------------


def test_every_section_is_there_and_in_the_navigation(page: Page) -> None:
    linked = [a["href"] for a in page.all("a")]
    assert [h["id"] for h in page.all("h2")] == list(SECTIONS)
    assert [f"#{name}" for name in SECTIONS] == [link for link in linked if link[1:] in SECTIONS]


def test_headings_descend_one_step_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= level + 1 for level, later in pairwise(levels))


def test_ids_are_unique_and_links_inside_arrive(page: Page) -> None:
    idents = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(idents) == len(set(idents))
    inside = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    wanted = [*inside, *(label["for"] for label in page.all("label") if "for" in label)]
    assert set(wanted) <= set(idents)


def test_tables_have_captions_and_scopes(page: Page) -> None:
    assert len(page.tables) == 29
    assert set(page.captions) == set(page.tables)
    assert all(th["scope"] in ("col", "row") for th in page.all("th"))
    for name, rows in page.tables.items():
        assert {len(row) for row in rows} == {len(rows[0])}, name


def test_every_chart_has_data_a_place_and_words_for_those_who_do_not_see_it(page: Page) -> None:
    plots = {attrs["id"]: attrs for attrs in page.all("div") if attrs.get("class") == "plot"}
    specs = page.json("data-figures")
    assert set(plots) == set(specs)
    assert all(plot["aria-label"] and plot["role"] == "img" for plot in plots.values())
    assert [name for name, spec in specs.items() if not spec["data"]] == ["chart-dispatch"]


def test_no_number_is_unformatted(page: Page) -> None:
    cells = [cell for name, rows in page.tables.items() for row in rows for cell in row]
    assert [c for c in cells if re.search(r"nan|inf\b|None|True|False|\d\.\d{6}|\de[+-]\d", c)] == []
    # Four digits or more have separators, except in dates and in the names of sources.
    assert [c for c in cells if re.fullmatch(r"[+−]?\d{4,}(\.\d+)?", c)] == []


# --- the numbers ----------------------------------------------------------------------------------------


def test_headline_tells_the_result(html: str) -> None:
    assert headline(html) == (
        "2,000 MW of Bitcoin mining and AI computing would draw 15.42 TWh a year at 22.50 PKR/kWh "
        "(80.2 USD/MWh); generating it costs 61.5 USD/MWh; consumers pay 0.46 PKR/kWh less "
        "under pooled billing, but consumers pay 1.40 PKR/kWh more if every hour were sold at its price."
    )


def test_headline_tells_the_unwelcome_result(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["change"]["cost_per_programme_mwh"] = 95.04
    summary["incidence"]["pooled"]["consumer_change_per_kwh"] = 0.31
    text = headline(render_report(summary, hourly))
    assert "generating it costs 95.0 USD/MWh, more than it pays; consumers pay 0.31 PKR/kWh more" in text


def test_headline_of_a_programme_that_draws_nothing(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["programme"] |= {"energy_gwh": 0.0, "mining_share": 1.0, "mw": 250.0}
    summary["change"]["cost_per_programme_mwh"] = None
    text = headline(render_report(summary, hourly))
    assert text == (
        "250 MW of Bitcoin mining would draw no energy in 2025: no hour is worth its price to the buyers."
    )


@pytest.mark.parametrize("change", [0.0, 0.0001, -0.0001, None])
def test_headline_where_bills_do_not_change(hourly: pd.DataFrame, change: float | None) -> None:
    summary = example_summary()
    summary["incidence"]["pooled"]["consumer_change_per_kwh"] = change
    assert "consumers' bills change by less than 0.001 PKR/kWh" in headline(
        render_report(summary, hourly)
    ).replace("&#39;", "'")


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (0.0, "a billionth"),
        (2.3e-7, "a millionth"),
        (3e-6, "0.001%"),
        (1e-4, "0.01%"),
        (0.0021, "1%"),
        (0.031, "4%"),
    ],
)
def test_the_gap_is_told_in_words_and_never_too_small(hourly: pd.DataFrame, gap: float, words: str) -> None:
    summary = example_summary()
    for side in ("base", "with_programme"):
        summary["clearing"][side]["gap"] = gap
    assert (
        f"An independent check proves that the cost of neither year is more than {words} above the least "
        "that is possible." in Page(render_report(summary, hourly)).text
    )


def test_a_gap_that_is_not_known_is_said_to_be(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["clearing"]["base"]["gap"] = None
    text = Page(render_report(summary, hourly)).text
    assert "How near the cost of these years is to the least that is possible is not known." in text
    assert "proves" not in text


def test_gaps_that_differ_are_told_apart(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["clearing"]["with_programme"]["gap"] = 5e-7
    assert (
        "the cost of the year without the programme is at most a billionth above the least that is possible, "
        "that of the year with it at most a millionth."
    ) in Page(render_report(summary, hourly)).text


def test_who_gains_and_who_pays_is_said_in_words(page: Page) -> None:
    assert (
        "Under pooled billing, consumers pay 0.46 PKR/kWh less. "
        "Those who gain: consumers (214.0 million USD), the state (35.3 million USD), "
        "power plants (12.0 million USD). "
        "Those who pay: the programme (1,210.0 million USD)."
    ) in page.text
    assert "The power system spends 948.7 million USD more a year" in page.text


@pytest.mark.parametrize(
    ("rule", "consumers", "per_kwh"), [("pooled", "−214.0", "−0.460"), ("marginal", "+655.0", "+1.400")]
)
def test_parties_groups_and_sums_are_printed(page: Page, rule: str, consumers: str, per_kwh: str) -> None:
    table = f"table-incidence-{rule}"
    effect = "gains" if consumers.startswith("−") else "pays"
    assert page.row(table, "Consumers") == ["Consumers", consumers, effect, per_kwh]
    assert page.row(table, "Miners") == ["Miners", "+830.0", "pays", ""]
    assert page.row(table, "Sum of all parties")[1] == "+948.700"
    assert page.row(table, "Change in system cost")[1] == "+948.700"
    assert page.row(table, "Difference")[1] == "0.000"
    heads = [row[0] for row in page.tables[table]]
    assert heads.index("Consumers") < heads.index("Households") < heads.index("Power plants")


def test_totals_show_both_sides_and_the_change(page: Page) -> None:
    assert page.row("table-totals", "System cost")[1:] == ["4,312.4", "5,261.1", "+948.7", "million USD"]
    assert page.row("table-totals", "Capacity payments")[1:4] == ["8,970.0", "8,970.0", "0.0"]
    assert page.row("table-totals", "Of which the programme")[1:4] == ["0.0", "15,420.0", "+15,420.0"]
    assert page.row("table-generation", "Imported coal")[1:] == ["6,562.5", "13,862.5", "+7,300.0"]


def test_inputs_are_marked_and_test_nothing(page: Page) -> None:
    for _, name, _, given in FUELS:
        verdict = page.row("table-validation", name)[3]
        assert (verdict == "input, not a test") == given, name
        assert given or verdict in ("within", "outside")
    # Published 1.06 times the model's: 5.7% below it, over the limit of 5%.
    assert page.row("table-validation", "Diesel")[3] == "outside"


def test_surplus_is_said_in_a_sentence(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "a reserve margin of 10.0%. Over the year it is 9,120 MW on average and 1,240 MW in its" in text


def test_price_that_no_hour_offers_is_said(page: Page) -> None:
    assert page.row("table-surplus-prices", "100%")[1] == "not at any price considered"
    assert page.row("table-surplus-prices", "50%")[1] == "70.0"


def test_assumptions_are_all_there_with_links_to_their_sources(page: Page) -> None:
    assert len(page.tables["table-assumptions"]) == 121
    assert page.row("table-assumptions", "plant_1 heat rate")[1:] == [
        *("technologies", "7,013.2", "6,800", "–", "kJ/kWh", "report_2025", "Net, lower heating value."),
    ]
    assert {"href": "#source-1"} in page.all("a")


def test_only_web_addresses_become_links(page: Page) -> None:
    assert not any("javascript:" in a["href"] for a in page.all("a"))
    assert page.row("table-sources", "network_2025")[1] == "Network data"
    assert "https://www.example.org/report.pdf" in [a["href"] for a in page.all("a")]


# --- what is drawn --------------------------------------------------------------------------------------


def decoded(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), "<i4")


def test_every_hour_of_the_dispatch_is_there_in_whole_mw(page: Page, hourly: pd.DataFrame) -> None:
    data = page.json("data-dispatch")
    for side in ("base", "with"):
        for fuel in data["fuels"]:
            drawn = decoded(data["sides"][side]["generation"][fuel])
            assert np.abs(drawn - hourly[f"{side}.generation_mw.{fuel}"].to_numpy()).max() <= 0.5
    demand = sum(hourly[f"with.demand_mw.{zone}"].to_numpy() for zone, *_ in ZONES)
    load = demand + hourly["with.programme_mw.mining"].to_numpy() + hourly["with.programme_mw.ai"].to_numpy()
    assert np.abs(decoded(data["sides"]["with"]["demand"]) - demand).max() <= 0.5
    assert np.abs(decoded(data["sides"]["with"]["load"]) - load).max() <= 0.5
    assert data["sides"]["base"]["load"] == ""


def test_weeks_and_days_are_local(page: Page, html: str) -> None:
    days = page.json("data-dispatch")["days"]
    assert (len(days), days[0], days[-1]) == (365, "2025-01-01", "2025-12-31")
    options = re.findall(r"<option>(Week .*?)</option>", html)
    assert len(options) == 52
    assert (options[0], options[-1]) == ("Week 1: 1 Jan – 7 Jan", "Week 52: 24 Dec – 31 Dec")
    assert "Local time (UTC+5)" in json.dumps(page.json("data-figures")["chart-dispatch"]["layout"])


def test_duration_curves_fall_from_the_highest_hour_to_the_lowest(page: Page, hourly: pd.DataFrame) -> None:
    specs = page.json("data-figures")
    curve = specs["chart-price-duration"]["data"][0]["y"]
    prices = hourly[f"base.price_usd_per_mwh.{ZONES[0][0]}"]
    assert curve == sorted(curve, reverse=True)
    assert (curve[0], curve[-1]) == (round(prices.max(), 2), round(prices.min(), 2))
    assert len(specs["chart-price-duration"]["data"]) == 2 * len(ZONES)
    without, with_programme = (trace["y"] for trace in specs["chart-load-duration"]["data"])
    assert with_programme[-1] == without[-1] + 2000


def test_fuels_keep_their_colours_and_strangers_get_one(page: Page) -> None:
    colours = page.json("data-dispatch")["colours"]
    assert colours["hydro"] == "#0072b2"
    assert len(set(colours.values())) == len(FUELS)


def test_the_map_names_each_zone_and_draws_each_corridor_on_both_sides(page: Page, html: str) -> None:
    maps = re.findall(r'<figure class="map.*?</figure>', html, re.DOTALL)
    assert len(maps) == 2
    for drawn in maps:
        assert all(f">{name}</text>" in drawn for _, name, *_ in ZONES)
        assert drawn.count("<polygon") == 5
        assert drawn.count("stroke-dasharray") == 2  # 812 and 240 hours
    assert ">1,140 MW · 76%</tspan>" in maps[0]
    assert ">full 812 h</tspan>" in maps[1]


# --- hostile and broken input ---------------------------------------------------------------------------


def poisoned(value: Any, key: str = "") -> Any:
    """Every text of the summary that people write, made hostile; identifiers that must match stay."""
    if isinstance(value, dict):
        return {k: poisoned(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v, key) for v in value]
    free = {
        "name",
        "note",
        "title",
        "publisher",
        "licence",
        "unit",
        "currency",
        "content_hash",
        "kind",
        "figure",
    }
    free |= {"dated", "pool", "limit", "key", "table", "parameter", "basis", "id", "url"}
    return HOSTILE if isinstance(value, str) and key in free else value


def test_hostile_names_stay_text(hourly: pd.DataFrame, page: Page) -> None:
    text = render_report(poisoned(example_summary()), hourly)
    hostile = Page(text)
    assert HOSTILE not in text
    assert hostile.text.count(HOSTILE) > 50
    assert len(hostile.all("script")) == len(page.all("script"))
    # Plotly reads a few marks in its texts; it is given none.
    charts = json.dumps(hostile.json("data-figures")) + json.dumps(hostile.json("data-dispatch")["names"])
    assert "&lt;script&gt;" in charts
    assert "<script" not in charts


def test_hostile_zone_and_fuel_identifiers_stay_text(hourly: pd.DataFrame) -> None:
    summary, zone = example_summary(), ZONES[0][0]
    text = (
        json.dumps(summary).replace(f'"{zone}"', json.dumps(HOSTILE)).replace('"tidal"', json.dumps(HOSTILE))
    )
    renamed = hourly.rename(
        columns=lambda c: c.replace(f".{zone}", f".{HOSTILE}").replace(".tidal", f".{HOSTILE}")
    )
    assert HOSTILE not in render_report(json.loads(text), renamed)


def test_absent_numbers_are_dashes(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["base"]["emissions_t"] = None
    summary["change"]["emissions_t"] = float("nan")
    summary["change"]["cost_per_programme_mwh"] = None
    page = Page(render_report(summary, hourly))
    assert page.row("table-totals", "Emissions")[1:] == ["–", "61.530", "–", "million t CO₂"]
    assert "generating it costs" not in page.text


def test_empty_lists_leave_a_sentence(hourly: pd.DataFrame) -> None:
    summary = example_summary()
    summary["variants"], summary["sources"], summary["assumptions"] = [], [], []
    summary["validation"] = {"fuels": [], "months": [], "energy": [], "figures": []}
    page = Page(render_report(summary, hourly))
    assert "The same year under other rules: nothing was given." in page.text
    assert [h["id"] for h in page.all("h2")] == list(SECTIONS)


def test_every_missing_part_is_named_at_once(hourly: pd.DataFrame) -> None:
    summary = copy.deepcopy(example_summary())
    del summary["surplus"], summary["variants"]
    summary["schema_version"] = 2
    broken = hourly.drop(columns=["hour_utc", "with.demand_mw.port"]).iloc[:-1]
    with pytest.raises(InputError) as raised:
        render_report(summary, broken)
    message = str(raised.value)
    assert len(raised.value.faults) == 6
    for part in ("'surplus'", "'variants'", "schema_version", "hour_utc", "with.demand_mw.port", "8759 rows"):
        assert part in message


def test_example_adds_up() -> None:
    summary = example_summary()
    for rule in ("pooled", "marginal"):
        found = summary["incidence"][rule]
        total = sum(party["change_usd"] for party in found["parties"])
        assert total == pytest.approx(found["system_cost_change_usd"])
        assert sum(found["by_group"].values()) == pytest.approx(total)
    assert summary["change"]["programme_energy_gwh"] == ENERGY_GWH
