"""The page of the frontier of mixes: one HTML file that needs no network, drawn from `mix.json`.

Nothing here is a result: points are sorted, scaled to be read, and put on axes, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.offline
from markupsafe import Markup

from penstock.errors import Fault, InputError

from .cells import Cell, Column, Table, row_of, source_anchors, source_cell, words
from .formats import millions, number, value_text
from .mix_tables import loads_table, points_table
from .mix_words import full_mixes, mix_headline, mix_name, mix_remarks
from .plots import Chart, Key, frame, rounded
from .render import _environment, _json, _part, _script

__all__ = ["render_mix"]

DOCUMENT_KEYS = (
    *("schema_version", "penstock_version", "country", "year", "network_year", "programme", "base"),
    *("objectives", "points", "best", "assumptions", "sources"),
)
SCHEMA_VERSION = 1
# All AI, half and half, all mining: apart in lightness, so also for colour-blind readers and in print.
AI, HALF, MINING = "#00306f", "#7f9f7a", "#f5c518"
# A map with one sign runs from pale (0) to dark; one with both signs has white at 0.
PALE, DARK, GAIN, PAY = "#f3f6f9", "#00558c", "#0b6b3a", "#a23b00"
RING = "#1c2733"
# What is green below 0 and orange above it, also where all values have one sign.
GAINS = ("consumer_change_pooled_usd", "consumer_change_marginal_usd")
NAMED_APART = 0.06  # share of the axes between points that both bear a number
ROOM_TO_THE_RIGHT = 0.6  # share of the axis beyond which a number stands left of its point

# Field, title, unit, divisor for display, decimals.
MAPS = (
    ("consumer_change_pooled_usd", "What consumers pay more, pooled billing", "million USD a year", 1e6, 1),
    ("consumer_change_marginal_usd", "What consumers pay more, hourly prices", "million USD a year", 1e6, 1),
    ("income_usd", "Income of the seller", "million USD a year", 1e6, 1),
    ("fuel_imports_change_usd", "Fuel imports, change", "million USD a year", 1e6, 1),
    ("emissions_change_t", "Emissions, change", "million t CO₂ a year", 1e6, 2),
    ("unserved_change_gwh", "Demand not served, change", "GWh a year", 1.0, 2),
    ("jobs", "Permanent jobs", "", 1.0, 0),
    ("interrupted_gwh", "Interrupted by the operator", "GWh a year", 1.0, 1),
    ("left_gwh", "Stays away by itself", "GWh a year", 1.0, 0),
    ("margin_usd", "Loads' worth less payment", "million USD a year", 1e6, 0),
)


def render_mix(document: dict[str, Any]) -> str:
    """The frontier as one HTML page that loads nothing from anywhere. Same input, same bytes.

    document: of a frontier, as in its `mix.json`; money in USD, energy in GWh, power in MW.

    Raises InputError that lists every missing part of the document.
    """
    faults = list(_faults(document))
    if faults:
        raise InputError(faults)
    maps, constant = _maps(document)
    frontier = _frontier(document)
    page = (
        _environment()
        .get_template("mix.html.j2")
        .render(
            document=document,
            country=document["country"],
            size=number(document["programme"]["mw"]),
            step=value_text(document["programme"]["step_mw"]),
            headline=mix_headline(document),
            remarks=mix_remarks(document),
            frontier=frontier,
            maps=maps,
            constant=constant,
            tables={
                "best": _best(document),
                "points": points_table(document),
                "loads": loads_table(document),
                "assumptions": _assumptions(document),
                "sources": _sources(document),
            },
            figures_json=_json({chart.ident: chart.spec() for chart in (*frontier, *maps)}),
            plotly_js=_script(plotly.offline.get_plotlyjs()),
            style=Markup(_part("style.css")),
            script=_script(_part("mix.js") + _part("tables.js")),
        )
    )
    return page if page.endswith("\n") else page + "\n"


def _faults(document: dict[str, Any]) -> list[Fault]:
    mend = "pass the document of a frontier made by this version of Penstock"
    found = [Fault("mix", f"{key!r} is missing", mend) for key in DOCUMENT_KEYS if key not in document]
    version = document.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        problem = f"the page reads schema version {SCHEMA_VERSION}"
        found.append(Fault("mix", problem, mend, column="schema_version", value=str(version)))
    if not document.get("points", True):
        found.append(Fault("mix", "holds no points", mend, column="points"))
    return found


# --- charts -------------------------------------------------------------------------------------------


def _share(point: dict[str, Any]) -> float | None:
    whole = point["mining_mw"] + point["ai_mw"]
    return point["mining_mw"] / whole if whole > 0.0 else None


def _outer(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Points that no other beats on the two axes alone: more income for no more consumer cost."""
    kept: list[dict[str, Any]] = []
    for row in sorted(points, key=lambda row: (row["consumer_change_pooled_usd"], -row["income_usd"])):
        if not kept or row["income_usd"] > kept[-1]["income_usd"]:
            kept.append(row)
    return kept


def _places(points: Sequence[dict[str, Any]]) -> npt.NDArray[np.float64]:
    """Where the points lie between the ends of both axes; shape (points, 2). [share of 1]"""
    place = np.array([[row["consumer_change_pooled_usd"], row["income_usd"]] for row in points])
    found: npt.NDArray[np.float64] = (place - place.min(axis=0)) / np.maximum(np.ptp(place, axis=0), 1e-9)
    return found


def _names(points: Sequence[dict[str, Any]]) -> dict[tuple[float, float], tuple[str, str]]:
    """MW of mining beside a point, and on which side of it there is room, by MW of mining and of AI.

    Points too close to tell apart bear their names together, beside one of them.
    """
    place = _places(points)
    groups: list[list[int]] = []
    for index in reversed(range(len(points))):  # all mining first, as the points of all AI lie close
        near = (g for g in groups if np.abs(place[index] - place[g[0]]).max() <= NAMED_APART)
        group = next(near, None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    found = {}
    for group in groups:
        row = points[group[0]]
        name = " · ".join(number(points[index]["mining_mw"]) for index in sorted(group))
        side = "middle left" if place[group[0], 0] > ROOM_TO_THE_RIGHT else "middle right"
        found[row["mining_mw"], row["ai_mw"]] = (name, side)
    return found


def _line(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Points on the line of the best of the two axes; none where they hide it."""
    outer = _outer(points)
    keys = [(row["mining_mw"], row["ai_mw"]) for row in outer]
    members = [(row["mining_mw"], row["ai_mw"]) in keys for row in points]
    return outer if np.ptp(_places(points)[members], axis=0).max() > NAMED_APART else []


def _traces(points: Sequence[dict[str, Any]], named: bool) -> list[dict[str, Any]]:
    """The line of the best of the two axes, then the points. named: with the MW of mining beside each."""
    outer = _line(points)
    names = _names(points) if named else {}

    def label_of(row: dict[str, Any]) -> tuple[str, str]:
        return names.get((row["mining_mw"], row["ai_mw"]), ("", "middle right"))

    def axis(rows: Sequence[dict[str, Any]], key: str) -> list[float | None]:
        return rounded([row[key] / 1e6 for row in rows], 3)

    def markers(rows: Sequence[dict[str, Any]], **marker: Any) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "markers+text" if named else "markers",
            "x": axis(rows, "consumer_change_pooled_usd"),
            "y": axis(rows, "income_usd"),
            "hovertext": [mix_name(row) for row in rows],
            "text": [label_of(row)[0] for row in rows],
            "textposition": [label_of(row)[1] for row in rows],
            "cliponaxis": False,
            "marker": marker,
            "hovertemplate": "%{hovertext}<br>consumers %{x:+,.1f}<br>income %{y:,.1f} million USD"
            "<extra></extra>",
        }

    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": axis(outer, "consumer_change_pooled_usd"),
            "y": axis(outer, "income_usd"),
            "line": {"color": "#7b8794", "width": 2},
            "hoverinfo": "skip",
        }
        for _ in outer[:1]
    ]
    mixed = [row for row in points if _share(row) is not None]
    for efficient, shape, size in ((True, "circle", 12), (False, "x", 8)):
        rows = [row for row in mixed if row["efficient"] == efficient]
        if rows:
            data.append(
                markers(
                    rows,
                    symbol=shape,
                    size=size,
                    color=[round(100 * (_share(row) or 0.0), 1) for row in rows],
                    cmin=0,
                    cmax=100,
                    colorscale=[[0.0, AI], [0.5, HALF], [1.0, MINING]],
                    line={"color": RING, "width": 1.2 if efficient else 0},
                )
            )
    nothing = [row for row in points if _share(row) is None]
    if nothing:
        data.append(markers(nothing, symbol="diamond", size=12, color=RING))
    return data


def _frontier(document: dict[str, Any]) -> list[Chart]:
    """Income against what consumers pay, coloured by the share of mining: all mixes, then all the power."""
    points, full = document["points"], full_mixes(document)
    size = number(document["programme"]["mw"])
    x_title, y_title = "← less · consumers pay · more →", "Income of the seller"
    whole = frame(x_title, y_title, hovermode="closest", xaxis={"tickformat": ",~r", "nticks": 6})
    close = frame(
        x_title,
        y_title,
        hovermode="closest",
        xaxis={"tickformat": ",~r", "nticks": 6},
        yaxis={"rangemode": "normal", "nticks": 6},
        margin={"r": 48},
    )
    return [
        Chart(
            "chart-mix-frontier",
            "Income of the seller against what consumers pay",
            "all mixes, pooled billing, million USD a year",
            "Points by mix; the table of mixes holds the same numbers.",
            _traces(points, named=False),
            whole,
            _keys(points),
            400,
            note=_marks(points),
        ),
        Chart(
            "chart-mix-split",
            f"The same close by: the mixes of all {size} MW",
            "million USD a year",
            "Points by mix; the table of mixes holds the same numbers.",
            _traces(full, named=True),
            close,
            _keys(full),
            400,
            note="Numbers beside the points: MW of mining, the rest is AI; several numbers where points lie "
            "too close to tell apart. The axes do not start at 0.",
        ),
    ]


def _keys(points: Sequence[dict[str, Any]]) -> tuple[Key, ...]:
    keys = [Key("all AI", AI), Key("half and half", HALF), Key("all mining", MINING)]
    if _line(points):
        keys.append(Key("best of these two alone", "#7b8794", "solid"))
    return tuple(keys)


def _marks(points: Sequence[dict[str, Any]]) -> str:
    """What the marks of these points mean, no more than those that are drawn."""
    mixed = [row for row in points if _share(row) is not None]
    told = "Each point is a mix; all are efficient."
    if not all(row["efficient"] for row in mixed):
        told = "Ringed points are efficient in all objectives, crosses are not."
    if len(mixed) < len(points):
        told += " The diamond is the year without a programme."
    return told + " Better is up and to the left. Points may cover one another: the table of mixes has each."


def _maps(document: dict[str, Any]) -> tuple[list[Chart], list[str]]:
    """A map of every figure over MW of mining and of AI, and a phrase for each that is the same all over."""
    maps, constant = [], []
    for key, title, unit, divisor, decimals in MAPS:
        values = [row[key] / divisor for row in document["points"]]
        shown = {number(value, decimals) for value in values}
        if len(shown) == 1:
            constant.append(f"{title}: {shown.pop()} {unit}".strip())
        else:
            maps.append(_map(document, key, title, unit, values, decimals))
    return maps, constant


def _map(
    document: dict[str, Any], key: str, title: str, unit: str, values: list[float], decimals: int
) -> Chart:
    points = document["points"]
    sizes = sorted({row["mining_mw"] for row in points})
    place = {size: index for index, size in enumerate(sizes)}
    cells: list[list[float | None]] = [[None] * len(sizes) for _ in sizes]
    for row, value in zip(points, rounded(values, decimals), strict=True):
        cells[place[row["ai_mw"]]][place[row["mining_mw"]]] = value
    falls, both = max(values) <= 0.0, min(values) < 0.0 < max(values)
    low_colour, zero, high_colour = (GAIN, "#ffffff", PAY) if key in GAINS or both else (DARK, PALE, DARK)
    if both:
        scale = [[0.0, low_colour], [0.5, zero], [1.0, high_colour]]
        limit = max(abs(min(values)), abs(max(values)))
        span = {"zmin": -limit, "zmax": limit}
    else:
        scale = [[0.0, low_colour], [1.0, zero]] if falls else [[0.0, zero], [1.0, high_colour]]
        span = {"zmin": min(*values, 0.0), "zmax": max(*values, 0.0)}
    data = [
        {
            "type": "heatmap",
            "x": rounded(sizes, 3),
            "y": rounded(sizes, 3),
            "z": cells,
            "colorscale": scale,
            **span,
            "xgap": 1,
            "ygap": 1,
            "hoverongaps": False,
            "colorbar": {"thickness": 12, "len": 1, "outlinewidth": 0, "tickformat": ",~r", "nticks": 6},
            "hovertemplate": "%{x:,} MW mining, %{y:,} MW AI<br>"
            f"%{{z:,.{decimals}f}} {unit}<extra></extra>",
        }
    ]
    axis = {"tickformat": ",~r", "showgrid": False, "zeroline": False, "rangemode": "normal", "nticks": 6}
    layout = frame("MW of mining", "MW of AI", hovermode="closest", xaxis=axis, yaxis=axis)
    layout["margin"] = {"l": 52, "r": 8, "t": 8, "b": 44}
    low, high = (number(value, decimals) for value in (min(values), max(values)))
    alt = (
        f"Map over MW of mining and of AI: {low} to {high} {unit}; the table of mixes holds the same numbers."
    )
    return Chart(f"map-{key.replace('_', '-')}", title, unit, alt, data, layout, height=290)


# --- tables -------------------------------------------------------------------------------------------


def _best(document: dict[str, Any]) -> Table:
    rows = []
    for row, objective in zip(document["best"], document["objectives"], strict=True):
        if objective["unit"] == "USD":
            value = f"{millions(row['value'])} million USD"
        else:
            value = number(row["value"], 0 if objective["unit"] == "1" else 2)
            value += "" if objective["unit"] == "1" else f" {objective['unit']}"
        others = {0: "", 1: " (1 other is as good)"}.get(
            row["equals"], f" ({number(row['equals'])} others are as good)"
        )
        way = "least" if objective["sense"] == "min" else "most"
        rows.append(row_of(f"{objective['title']}: {way}", mix_name(row) + others, value))
    columns = (words("Objective"), words("Best mix"), Column("Value", "a year"))
    note = "Of equals, the one that is best by the other objectives, in the order of this table."
    return Table("table-mix-best", "Best by one objective alone", columns, tuple(rows), note)


def _assumptions(document: dict[str, Any]) -> Table:
    anchors = source_anchors(document)
    rows = tuple(
        row_of(
            row["parameter"],
            value_text(row["value"]),
            value_text(row["low"]),
            value_text(row["high"]),
            row["unit"],
            row["basis"],
            source_cell(row["source"], anchors),
            row["note"],
        )
        for row in document["assumptions"]
    )
    columns = (
        words("Parameter"),
        *(Column(name) for name in ("Value", "Low", "High")),
        *(words(name) for name in ("Unit", "Basis", "Source", "Note")),
    )
    return Table("table-mix-assumptions", "What the loads rest on", columns, rows)


def _sources(document: dict[str, Any]) -> Table:
    anchors = source_anchors(document)
    rows = []
    for row in document["sources"]:
        link = row["url"] if row["url"].startswith(("https://", "http://")) else ""
        title = Cell(row["title"], href=link)
        rows.append(
            row_of(
                row["source"],
                title,
                row["publisher"],
                row["licence"],
                row["dated"],
                anchor=anchors[row["source"]],
            )
        )
    columns = tuple(words(name) for name in ("Source", "Title", "Publisher", "Licence", "Dated"))
    return Table("table-mix-sources", "Sources of these", columns, tuple(rows))
