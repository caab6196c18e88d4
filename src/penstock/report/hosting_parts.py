"""The hosting capacity's part of a page: the matrix of places and levels, a chart, and a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .cells import Column, Table, row_of, words
from .formats import ABSENT, label, number, short_percent
from .plots import Chart, Key, frame, rounded
from .proof_names import TOGETHER, Document, clause_name, place_name, size_text

__all__ = ["HostingCell", "hosting_charts", "hosting_matrix", "hosting_table"]

_OURS, _SIMPLE = "#00558c", "#e69f00"


@dataclass(frozen=True, slots=True)
class HostingCell:
    """What fits in one place at one level, what binds, and the simple headroom. [MW]"""

    mw: str
    binding: str
    headroom: str


def level_name(share: float | None) -> str:
    """A level of interruption in words."""
    return "Firm" if share is None else f"{short_percent(share)} cut"


def _binding(row: Document, names: Mapping[str, str]) -> str:
    if row["binding"] is None:
        return "nothing fails up to the largest that was tried"
    return clause_name(row["binding"], names)


def hosting_matrix(document: Document, names: Mapping[str, str]) -> dict[str, Any]:
    """Heads of the levels, and for each place its cells in their order."""
    levels = list(dict.fromkeys(row["interruptible_share"] for row in document["rows"]))
    places = list(dict.fromkeys(row["place"] for row in document["rows"]))
    found = {(row["place"], row["interruptible_share"]): row for row in document["rows"]}
    return {
        "heads": [level_name(share) for share in levels],
        "rows": [
            (place_name(place), [_cell(found.get((place, share)), names) for share in levels])
            for place in places
        ],
    }


def _cell(row: Document | None, names: Mapping[str, str]) -> HostingCell:
    if row is None:
        return HostingCell(ABSENT, "", "")
    text = f"{size_text(row['mw'])} MW" if row["mw"] > 0.0 else "none fits"
    return HostingCell(text, _binding(row, names), f"{size_text(row['headroom']['mw'])} MW")


def hosting_charts(document: Document) -> list[Chart]:
    """All sites together: what fits at each level, and the simple headroom beside it."""
    rows = [row for row in document["rows"] if row["place"] == TOGETHER]
    levels = [
        "firm" if row["interruptible_share"] is None else short_percent(row["interruptible_share"])
        for row in rows
    ]
    data = [
        {
            "type": "bar",
            "x": levels,
            "y": rounded(values, 3),
            "marker": {"color": colour, "pattern": {"shape": shape}},
            "hovertemplate": "%{x}: %{y:,.4~r} MW<extra>" + label(name) + "</extra>",
        }
        for name, colour, shape, values in (
            ("within the guardrails", _OURS, "", [row["mw"] for row in rows]),
            ("simple headroom", _SIMPLE, "/", [row["headroom"]["mw"] for row in rows]),
        )
    ]
    return [
        Chart(
            "chart-hosting",
            "How much flat load fits at all sites together",
            "MW",
            "Bars by level of interruption; the matrix of places holds the same numbers.",
            data,
            frame(
                "share of its energy that may be cut",
                "MW",
                barmode="group",
                hovermode="closest",
                xaxis={"type": "category"},
            ),
            (Key("within the guardrails", _OURS), Key("simple headroom", _SIMPLE, "hatch")),
            300,
        )
    ]


def hosting_table(document: Document, names: Mapping[str, str]) -> Table:
    """Every place and level: what binds, how far each guardrail that fails somewhere holds, the headroom."""
    rows = tuple(
        row_of(
            place_name(row["place"]),
            level_name(row["interruptible_share"]),
            size_text(row["mw"]),
            _binding(row, names),
            "; ".join(
                f"{clause_name(ident, names)}: {size_text(size)}"
                for ident, size in sorted(row["by_clause_mw"].items(), key=lambda pair: (pair[1], pair[0]))
            )
            or ABSENT,
            size_text(row["headroom"]["mw"]),
            number(row["headroom"]["hours"]),
            number(row["headroom"]["mean_event_hours"], 1),
        )
        for row in document["rows"]
    )
    columns = (
        words("Place"),
        words("Level"),
        Column("Fits", "MW"),
        words("What fails above it"),
        words("How far each that fails somewhere holds", "MW"),
        Column("Simple headroom", "MW"),
        Column("its hours cut", "h/year"),
        Column("mean length", "h"),
    )
    return Table("table-hosting", "Every place and level", columns, rows, tools=True)
