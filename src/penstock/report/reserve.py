"""The page of a simulated reserve: one HTML file that needs no network, drawn from `reserve.json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plotly.offline
from markupsafe import Markup

from penstock.errors import Fault, InputError

from .cells import Cell, Column, Table, row_of, words
from .formats import number, percent, value_text
from .plots import Chart, Key, frame, rounded
from .proof_names import and_list
from .render import _environment, _json, _part, _script

__all__ = ["CASES", "render_reserve", "reserve_sentences"]

Document = dict[str, Any]
DOCUMENT_KEYS = ("schema_version", "country", "years", "paths", "cases", "policies", "quantiles", "sources")
SCHEMA_VERSION = 1
CASES = {"record": "With the trend of the record", "no trend": "Without a trend"}
# Apart in lightness, so also for colour-blind readers and in print.
COLOURS = ("#00306f", "#d98200", "#0b6b3a", "#7a2f8f", "#4d5b6a", "#a23b00", "#0072b2", "#b58b00", "#555555")
_FAN = (0, 2, 4)  # places of 5, 50 and 95 % among the quantiles


def render_reserve(document: Document) -> str:
    """The simulation as one HTML page that loads nothing from anywhere. Same input, same bytes.

    Raises InputError that lists every missing part of the document.
    """
    faults = list(_faults(document))
    if faults:
        raise InputError(faults)
    charts = [_gains(document, case) for case in document["cases"]]
    page = (
        _environment()
        .get_template("reserve.html.j2")
        .render(
            document=document,
            sentences=reserve_sentences(document),
            cases=[
                {"title": CASES[case["case"]], "table": _table(case), "more": _more(case)}
                for case in document["cases"]
            ],
            charts=charts,
            policies=_policies(document),
            sources=_sources(document),
            figures_json=_json({chart.ident: chart.spec() for chart in charts}),
            plotly_js=_script(plotly.offline.get_plotlyjs()),
            style=Markup(_part("style.css")),
            script=_script(_part("mix.js") + _part("tables.js")),
        )
    )
    return page if page.endswith("\n") else page + "\n"


def _faults(document: Document) -> Iterator[Fault]:
    mend = "pass the document of a simulation made by this version of Penstock"
    for key in DOCUMENT_KEYS:
        if key not in document:
            yield Fault("reserve", f"{key!r} is missing", mend)
    version = document.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        problem = f"the page reads schema version {SCHEMA_VERSION}"
        yield Fault("reserve", problem, mend, column="schema_version", value=str(version))


def _rows(document: Document, case: str) -> dict[str, Document]:
    [found] = [one for one in document["cases"] if one["case"] == case]
    return {row["policy"]: row for row in found["policies"]}


def _bn(usd: float) -> str:
    return f"{value_text(float(f'{usd / 1e9:.3g}'))} bn USD"


def reserve_sentences(document: Document) -> tuple[str, ...]:
    """What a minister takes away, the headline first."""
    flat, trend = _rows(document, "no trend"), _rows(document, "record")
    hold, hold_trend = flat["hold"], trend["hold"]
    told = [
        "Without a trend of the price, holding what is received loses in "
        f"{percent(hold['loses']['value'])} of the futures and gains nothing on average: "
        f"{_bn(hold['gain_usd']['value'])} ± {_bn(hold['gain_usd']['standard_error'] or 0.0)} in "
        f"{document['years']} years.",
        f"With the trend of the record it would gain {_bn(hold_trend['gain_usd']['value'])} on average, half "
        f"of the futures less than {_bn(hold_trend['gain_quantiles_usd'][2])}, and lose in "
        f"{percent(hold_trend['loses']['value'])}. Who takes that trend for granted has assumed the result.",
        "In the worst twentieth of first years holding loses at least "
        f"{_bn(hold['value_at_risk_usd']['value'])}, {_bn(hold['expected_shortfall_usd']['value'])} on "
        "average there.",
    ]
    debts = [row for row in flat.values() if row["rule"] == "debt"]
    for row in debts:
        told.append(
            f"{row['name']}: at the end the coins do not cover the debt in "
            f"{percent(row['debt_not_covered']['value'])} of the futures without a trend "
            f"({percent(trend[row['policy']]['debt_not_covered']['value'])} with it), and lose in "
            f"{percent(row['loses']['value'])}."
        )
    if hold["above_cap"] is not None:
        over = [row["name"] for row in flat.values() if row["above_cap"]["value"] > 0.5]
        if over:
            told.append(
                f"More likely than not above the cap of {percent(document['watched_cap'])} of the reserves "
                f"at some time: {and_list(over)}."
            )
    return tuple(told)


def _figure(found: Document, scale: float, decimals: int = 0) -> str:
    error = found["standard_error"]
    text = number(found["value"] / scale, decimals)
    return text if error is None else f"{text} ± {number(error / scale, decimals)}"


def _table(case: Document) -> Table:
    rows = []
    for row in case["policies"]:
        low, middle, high = (row["gain_quantiles_usd"][place] / 1e6 for place in _FAN)
        tone = "bad" if row["loses"]["value"] > 0.5 else ""
        rows.append(
            row_of(
                row["name"],
                _figure(row["gain_usd"], 1e6),
                *(number(value) for value in (low, middle, high)),
                Cell(percent(row["loses"]["value"], 1), tone=tone),
                _figure(row["deepest_fall_usd"], 1e6),
                _figure(row["value_at_risk_usd"], 1e6),
                _figure(row["expected_shortfall_usd"], 1e6),
                "" if row["less_hold_usd"] is None else _figure(row["less_hold_usd"], 1e6),
            )
        )
    columns = (
        words("Policy"),
        *(Column(name, "million USD") for name in ("Gain, mean ± s.e.", "5 %", "Median", "95 %")),
        Column("Loses", "% of paths"),
        *(Column(name, "million USD") for name in ("Deepest fall", "VaR, 1 year", "Beyond it", "Less hold")),
    )
    note = (
        "Gain: worth of the coins at the end, what the budget has more, and what was paid out, less debt; "
        "against having no bitcoin. VaR: what is lost in the first year at least in the worst twentieth."
    )
    ident = "table-" + case["case"].replace(" ", "-")
    return Table(ident, "All policies on the same paths", columns, tuple(rows), note)


def _more(case: Document) -> Table:
    rows = tuple(
        row_of(
            row["name"],
            number(row["coins_btc"]["value"]),
            _figure(row["value_usd"], 1e6),
            _figure(row["cost_basis_usd"], 1e6),
            _figure(row["budget_usd_per_year"], 1e6),
            _figure(row["paid_out_usd_per_year"], 1e6),
            _figure(row["debt_service_usd"], 1e6),
            percent(row["debt_not_covered"]["value"], 1),
            "" if row["above_cap"] is None else percent(row["above_cap"]["value"], 1),
            _figure(row["months_of_imports"], 1.0, 2),
            number(row["months_of_imports_quantiles"][0], 2),
        )
        for row in case["policies"]
    )
    columns = (
        *(words("Policy"), Column("Coins at the end", "BTC")),
        *(Column(name, "million USD") for name in ("Worth", "Cost basis")),
        *(Column(name, "million USD a year") for name in ("Budget", "Paid out")),
        *(Column("Debt service", "million USD"), Column("Debt not covered", "% of paths")),
        *(Column("Above the cap", "% of paths"), Column("Months of imports"), Column("The same, 5 %")),
    )
    ident = "table-more-" + case["case"].replace(" ", "-")
    note = (
        "Budget: what the policy brings the budget or takes from it. Months of imports: reserves and coins "
        "less debt."
    )
    return Table(ident, "Coins, budget and debt", columns, rows, note)


def _gains(document: Document, case: Document) -> Chart:
    years = list(range(1, document["years"] + 1))
    shown = [row for row in case["policies"] if row["rule"] != "none"]
    traces, keys = [], []
    for place, row in enumerate(shown):
        colour = COLOURS[place % len(COLOURS)]
        middle = rounded([quantiles[2] / 1e9 for quantiles in row["yearly_gain_quantiles_usd"]], 3)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": row["name"],
                "x": years,
                "y": middle,
                "line": {"color": colour, "width": 2},
                "hovertemplate": "%{y:,.3f} bn USD",
            }
        )
        keys.append(Key(row["name"], colour, "solid"))
    ident = "chart-" + case["case"].replace(" ", "-")
    layout = frame("Years", "Median gain, bn USD")
    alt = "Median gain of every policy by year; the table below holds the end of it."
    return Chart(
        ident, f"{CASES[case['case']]}: median gain", "bn USD", alt, traces, layout, tuple(keys), 360
    )


def _policies(document: Document) -> Table:
    rows = tuple(
        row_of(
            row["name"],
            row["rule"].replace("_", " "),
            f"{value_text(row['amount'])} "
            f"({value_text(row['amount_low'])} to {value_text(row['amount_high'])})",
            row["unit"],
            row["basis"],
            row["source"],
            row["note"] or "",
        )
        for row in document["policies"]
    )
    columns = (
        *(words("Policy"), words("Rule"), Column("Amount (range)"), words("Unit"), words("Basis")),
        *(words("Source"), words("Note")),
    )
    return Table("table-policies", "The policies", columns, rows, tools=True)


def _sources(document: Document) -> Table:
    rows = tuple(
        row_of(
            row["source"],
            Cell(row["title"], href=row["url"] if str(row["url"]).startswith("https://") else ""),
            *(row["publisher"], row["licence"], row["dated"] or ""),
        )
        for row in document["sources"]
    )
    columns = tuple(words(name) for name in ("Key", "Title", "Publisher", "Licence", "Dated"))
    return Table("table-sources", "Sources", columns, rows, tools=True)
