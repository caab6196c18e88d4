"""A table as data: cells of text, their alignment and sort keys, and links to the table of sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .formats import shortened

__all__ = [
    "Cell",
    "Column",
    "Row",
    "Table",
    "cited",
    "row_of",
    "source_anchors",
    "source_cell",
    "source_of",
    "words",
]

#: Longest title of a source under a figure; the table of sources has the whole.
SHORT_TITLE = 48


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. sort: what a sortable table orders it by; tone: "good", "bad" or ""; href: a safe link."""

    text: str
    sort: str = ""
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column; `unit` stands under the name."""

    name: str
    unit: str = ""
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its first cell the row's head. kind: "", "group" or "total". anchor: its id in the page."""

    cells: tuple[Cell, ...]
    kind: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption.

    tools: it scrolls in its own box and can be filtered and sorted. sources: links to where it comes from.
    """

    ident: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    tools: bool = False
    sources: tuple[Cell, ...] = ()


def words(name: str, unit: str = "") -> Column:
    """Head of a column of text."""
    return Column(name, unit, False)


def row_of(*texts: str | Cell, kind: str = "", anchor: str = "") -> Row:
    """A row of texts and cells."""
    return Row(tuple(t if isinstance(t, Cell) else Cell(t) for t in texts), kind, anchor)


def source_anchors(summary: dict[str, Any]) -> dict[str, str]:
    """Id in the page of each source by its key."""
    return {str(found["source"]): f"source-{n}" for n, found in enumerate(summary["sources"], start=1)}


def source_cell(source: str, anchors: dict[str, str]) -> Cell:
    """A source's key, as a link to its row where it has one."""
    anchor = anchors.get(source)
    return Cell(source, href=f"#{anchor}" if anchor else "")


def cited(summary: dict[str, Any], *keys: str) -> tuple[Cell, ...]:
    """Titles of the sources with these keys, linked to their rows; those not in the summary left out."""
    anchors = source_anchors(summary)
    titles = {str(found["source"]): str(found["title"]) for found in summary["sources"]}
    return tuple(
        Cell(shortened(titles[key], SHORT_TITLE), href=f"#{anchors[key]}")
        for key in dict.fromkeys(keys)
        if key in anchors
    )


def source_of(summary: dict[str, Any], parameter: str) -> Cell:
    """The source of one of the programme's assumptions, linked; an empty cell where it is not listed."""
    rows = summary["programme"]["assumptions"]
    key = next((str(row["source"] or "") for row in rows if row["parameter"] == parameter), "")
    return source_cell(key, source_anchors(summary))
