"""The page of two countries side by side: one HTML file that needs no network, drawn from `compare.json`.

Nothing here is a result: numbers of the document are scaled to be read and put on axes, no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import plotly.offline
from markupsafe import Markup

from penstock.errors import Fault, InputError

from .cells import Cell, Column, Row, Table, row_of, words
from .formats import MONTHS, value_text
from .headline import GROUPS, RULES
from .plots import Chart, Key, frame, rounded
from .proof_names import METRIC_NAMES, amount_text, and_list, counted
from .render import _environment, _json, _part, _script

__all__ = ["compare_sentences", "render_compare", "short_value"]

Document = dict[str, Any]

DOCUMENT_KEYS = (
    *("schema_version", "penstock_version", "countries", "rows", "by_fuel", "by_month", "gains"),
    *("guardrails", "verdicts", "validation", "not_comparable", "sources"),
)
SCHEMA_VERSION = 1
# Apart in lightness, so also for colour-blind readers and in print.
COLOURS = ("#00306f", "#d98200")
DASHES = ("solid", "dash")
_STATUS = {
    "passed": ("kept", "good"),
    "failed": ("not kept", "bad"),
    "no input": ("no reading, so not kept", "bad"),
    "not in force": ("not in force", ""),
    "absent": ("no such guardrail", ""),
}
_TOPICS = {
    "year": "Study year",
    "network_year": "Year of the Bitcoin network",
    "currency": "Currency",
    "service": "Service",
    "mining_share": "Share of mining",
    "capacity_payments": "Capacity payments",
    "neighbours": "Neighbours in the market",
    "contracts": "Contracts on energy",
    "guardrails": "Guardrails",
}


def render_compare(document: Document) -> str:
    """The comparison as one HTML page that loads nothing from anywhere. Same input, same bytes.

    document: as in `compare.json`.

    Raises InputError that lists every missing part of the document.
    """
    faults = list(_faults(document))
    if faults:
        raise InputError(faults)
    names = _names(document)
    charts = [_prices(document, names), _fuels(document, names)]
    page = (
        _environment()
        .get_template("compare.html.j2")
        .render(
            document=document,
            names=names,
            sentences=compare_sentences(document),
            charts=charts,
            tables={
                "differs": _differs(document, names),
                "figures": _figures(document, names),
                "gains": _gains(document, names),
                "guardrails": _guardrails(document, names),
                "validation": _validation(document),
                "missed": _missed(document),
                "months": _months(document, names),
                "fuels": _fuel_table(document, names),
                "sources": _sources(document),
            },
            figures_json=_json({chart.ident: chart.spec() for chart in charts}),
            plotly_js=_script(plotly.offline.get_plotlyjs()),
            style=Markup(_part("style.css")),
            script=_script(_part("mix.js") + _part("tables.js")),
        )
    )
    return page if page.endswith("\n") else page + "\n"


def _faults(document: Document) -> Iterator[Fault]:
    mend = "pass the document of a comparison made by this version of Penstock"
    for key in DOCUMENT_KEYS:
        if key not in document:
            yield Fault("compare", f"{key!r} is missing", mend)
    version = document.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        problem = f"the page reads schema version {SCHEMA_VERSION}"
        yield Fault("compare", problem, mend, column="schema_version", value=str(version))


def _names(document: Document) -> tuple[str, str]:
    """Names of the two, with year, or with id where name and year are the same."""
    names = [f"{found['name']} {found['year']}" for found in document["countries"]]
    if names[0] == names[1]:
        names = [f"{name} ({found['id']})" for name, found in zip(names, document["countries"], strict=True)]
    return names[0], names[1]


def _value(document: Document, key: str) -> list[Any]:
    values: list[Any] = next(row["values"] for row in document["rows"] if row["key"] == key)
    return values


def compare_sentences(document: Document) -> tuple[str, ...]:
    """What the two have in common and what not, in plain sentences; the first is the headline."""
    names = [found["name"] for found in document["countries"]]
    if document["countries"][0]["name"] == document["countries"][1]["name"]:
        names = list(_names(document))
    told = []
    size, share = _value(document, "mw"), _value(document, "energy_share")
    told.append(
        "; ".join(
            f"{name}: {short_value(mw)} MW, {short_value(100 * part)} % of the energy served"
            if part is not None
            else f"{name}: {short_value(mw)} MW"
            for name, mw, part in zip(names, size, share, strict=True)
        )
        + "."
    )
    for title, key, unit in (
        ("It pays", "tariff", "USD/MWh"),
        ("Generating its energy costs", "cost_per_mwh", "USD/MWh"),
        ("More imported fuel takes", "fuel_imports_of_payment", "of what it pays"),
    ):
        values = _value(document, key)
        if None not in values:
            parts = (
                f"{short_value(value)} {unit} in {name}" for name, value in zip(names, values, strict=True)
            )
            told.append(f"{title} {and_list(list(parts))}.")
    told += [_verdicts(document, names), *_shared(document)]
    return tuple(sentence for sentence in told if sentence)


def _verdicts(document: Document, names: list[str]) -> str:
    said = {None: "is not judged", "passes": "passes", "refused": "is refused"}
    parts = (f"{said[verdict]} in {name}" for name, verdict in zip(names, document["verdicts"], strict=True))
    return f"By its own guardrails the programme {and_list(list(parts))}."


def _shared(document: Document) -> Iterator[str]:
    rows = document["guardrails"]
    both = [row for row in rows if "absent" not in row["statuses"]]
    yield (
        f"{counted(len(both), 'guardrail')} of {len(rows)} stand in both policies; "
        "one that a country does not have is not passed there, it is absent."
    )
    if document["not_comparable"]:
        topics = [_TOPICS[row["topic"]].lower() for row in document["not_comparable"]]
        yield f"The two differ in {and_list(topics)}: section 1 says what that means for the figures."


def _columns(names: tuple[str, str], unit: str = "") -> tuple[Column, ...]:
    return tuple(Column(name, unit) for name in names)


def short_value(value: Any) -> str:
    """Four significant digits: what is set side by side is compared, not added."""
    return value_text(value if value is None else float(f"{value:.4g}"))


def _differs(document: Document, names: tuple[str, str]) -> Table:
    rows = tuple(
        row_of(_TOPICS[row["topic"]], *(_shown(value) for value in row["values"]), row["why"])
        for row in document["not_comparable"]
    )
    columns = (words("What differs"), *(words(name) for name in names), words("What it means"))
    return Table("table-differs", "Where the figures do not mean the same", columns, rows)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else short_value(value)


def _figures(document: Document, names: tuple[str, str]) -> Table:
    rows: list[Row] = []
    for group, lines in groupby(document["rows"], key=lambda row: row["group"]):
        rows.append(row_of(group, "", "", "", "", kind="group"))
        for line in lines:
            unit = "" if line["unit"] == "1" else line["unit"]
            values = (short_value(value) if value is not None else "not given" for value in line["values"])
            ratio = "" if line["ratio"] is None else short_value(line["ratio"])
            rows.append(row_of(line["title"], unit, *values, ratio))
    columns = (words("Figure"), words("Unit"), *_columns(names), Column("Second over first"))
    return Table("table-figures", "The two side by side", columns, tuple(rows))


def _gains(document: Document, names: tuple[str, str]) -> Table:
    rows: list[Row] = []
    for rule, lines in groupby(document["gains"], key=lambda row: row["rule"]):
        title = RULES[rule]
        rows.append(row_of(title[0].upper() + title[1:], *[""] * 4, kind="group"))
        for line in lines:
            cells = [short_value(None if v is None else v / 1e6) for v in line["change_usd"]]
            cells += [short_value(value) for value in line["per_person_usd"]]
            rows.append(row_of(GROUPS.get(line["group"], line["group"]), *cells))
    columns = (
        words("Who"),
        *_columns(names, "million USD"),
        *(Column(f"{name}, per person", "USD") for name in names),
    )
    note = "Above 0 pays more or earns less than without the programme, below 0 gains."
    return Table("table-gains", "Who gains and who pays", columns, tuple(rows), note)


def _guardrails(document: Document, names: tuple[str, str]) -> Table:
    rows = []
    for row in document["guardrails"]:
        cells: list[str | Cell] = [row["title"]]
        for side in range(2):
            text, tone = _STATUS[row["statuses"][side]]
            if row["binding"][side] is False:
                text += ", does not decide"
            cells.append(Cell(text, tone=tone if row["binding"][side] else ""))
            cells.append(_reading(row, side))
        rows.append(row_of(*cells))
    columns = [words("Guardrail")]
    for name in names:
        columns += [words(name), words("Reading and limit")]
    return Table("table-clauses", "Guardrails by their id", tuple(columns), tuple(rows))


def _reading(row: Document, side: int) -> str:
    if row["values"][side] is None or row["limits"][side] is None:
        return "" if row["metrics"][side] is None else METRIC_NAMES.get(row["metrics"][side], "")
    unit = row["units"][side]
    return f"{amount_text(row['values'][side], unit)}, limit {amount_text(row['limits'][side], unit)}"


def _validation(document: Document) -> Table:
    rows = tuple(
        row_of(
            next(found["name"] for found in document["countries"] if found["id"] == row["country"]),
            f"{row['figures_within']} of {row['figures']}",
            f"{row['fuels_within']} of {row['fuels']}",
        )
        for row in document["validation"]
    )
    columns = (
        words("Country"),
        Column("Published figures within their limit"),
        Column("Fuels within theirs"),
    )
    return Table("table-validation", "How near each model is to what was published", columns, rows)


def _missed(document: Document) -> Table:
    names = {found["id"]: found["name"] for found in document["countries"]}
    rows = tuple(
        row_of(
            names[side["country"]],
            row["name"],
            short_value(row["model"]),
            short_value(row["published"]),
            row["unit"],
            row["note"] or "",
        )
        for side in document["validation"]
        for row in side["missed"]
    )
    columns = (
        *(words("Country"), words("Figure"), Column("Model"), Column("Published")),
        *(words("Unit"), words("Note")),
    )
    return Table("table-missed", "Published figures that the models miss", columns, rows)


def _months(document: Document, names: tuple[str, str]) -> Table:
    rows = tuple(
        row_of(
            MONTHS[row["month"] - 1],
            *(short_value(value) for value in row["price_usd_per_mwh"]),
            *(short_value(value) for value in row["surplus_mean_mw"]),
        )
        for row in document["by_month"]
    )
    columns = (
        words("Month"),
        *(Column(f"{name}, price", "USD/MWh") for name in names),
        *(Column(f"{name}, surplus", "MW") for name in names),
    )
    return Table("table-months", "Mean price weighted by load, and mean surplus", columns, rows)


def _fuel_table(document: Document, names: tuple[str, str]) -> Table:
    rows = tuple(
        row_of(
            row["name"],
            *(short_value(None if share is None else 100 * share) for share in row["shares"]),
            *(short_value(value) for value in row["change_gwh"]),
        )
        for row in document["by_fuel"]
    )
    columns = (
        words("Fuel"),
        *_columns(names, "% of generation"),
        *(Column(f"{name}, with the programme", "GWh more") for name in names),
    )
    return Table("table-fuels", "What generates", columns, rows)


def _sources(document: Document) -> Table:
    names = {found["id"]: found["name"] for found in document["countries"]}
    rows = tuple(
        row_of(
            names[row["country"]],
            row["source"],
            Cell(row["title"], href=row["url"] if str(row["url"]).startswith("https://") else ""),
            row["publisher"],
            row["licence"] or "",
            row["dated"] or "",
        )
        for row in document["sources"]
    )
    columns = tuple(words(name) for name in ("Country", "Key", "Title", "Publisher", "Licence", "Dated"))
    return Table("table-sources", "Sources of both", columns, rows, tools=True)


def _prices(document: Document, names: tuple[str, str]) -> Chart:
    months = [name[:3] for name in MONTHS]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": names[side],
            "x": months,
            "y": rounded([row["price_usd_per_mwh"][side] for row in document["by_month"]], 2),
            "line": {"color": COLOURS[side], "width": 3, "dash": DASHES[side]},
        }
        for side in range(2)
    ]
    layout = frame("", "USD/MWh")
    keys = tuple(Key(names[side], COLOURS[side], DASHES[side]) for side in range(2))
    alt = f"Mean price of each month in {names[0]} and {names[1]}; the table below holds the numbers."
    return Chart("chart-prices", "Mean price by month", "USD/MWh", alt, traces, layout, keys, 320)


def _fuels(document: Document, names: tuple[str, str]) -> Chart:
    shown = list(reversed(document["by_fuel"]))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": names[side],
            "y": [row["name"] for row in shown],
            "x": rounded([100 * (row["shares"][side] or 0.0) for row in shown], 2),
            "marker": {"color": COLOURS[side]},
        }
        for side in range(2)
    ]
    layout = frame("% of generation", "", barmode="group", hovermode="y unified")
    keys = tuple(Key(names[side], COLOURS[side]) for side in range(2))
    alt = f"Share of each fuel in generation in {names[0]} and {names[1]}; the table below holds the numbers."
    height = 80 + 30 * len(shown)
    return Chart("chart-fuels", "What generates", "without the programme", alt, traces, layout, keys, height)
