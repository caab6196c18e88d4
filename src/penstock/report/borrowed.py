"""What a study took over from another country: a line at the top, and a table with every origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .cells import Column, Table, row_of, source_anchors, source_cell, words
from .formats import value_text
from .proof_names import and_list

__all__ = ["borrowed_sentences", "borrowed_table"]

_BY = {"gdp": "GDP", "population": "population", "fx_reserves": "foreign exchange reserves"}


def borrowed_sentences(rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """One sentence for every country and study year from which something is borrowed."""
    origins = dict.fromkeys((row["from_name"], row["from_year"]) for row in rows)
    return tuple(
        f"Borrowed from {name} {year}: "
        + and_list([_told(row) for row in rows if (row["from_name"], row["from_year"]) == (name, year)])
        + "."
        for name, year in origins
    )


def _told(row: dict[str, Any]) -> str:
    instead = f" in place of {row['before']}" if row["before"] else ""
    scaled = f", scaled by {_BY[row['scaling']]}" if row["scaling"] in _BY else ""
    return f"{row['item']} ({row['after']}{instead}{scaled})"


def borrowed_table(summary: dict[str, Any]) -> Table:
    """Every piece with what it replaced, its factors and where it is from."""
    anchors = source_anchors(summary)
    rows = tuple(
        row_of(
            row["item"],
            row["before"] or "nothing",
            row["after"],
            value_text(row["factor"]),
            value_text(row["rate"]),
            f"{row['from_name']} {row['from_year']}, tables {row['from_content_hash'][:12]}",
            source_cell(row["source"], anchors),
            row["note"] or "",
        )
        for row in summary["borrowed"]
    )
    columns = (
        words("Piece"),
        words("Before"),
        words("Now"),
        Column("Scaled by", "times"),
        Column("Money by", "times"),
        words("From"),
        words("Source"),
        words("Note"),
    )
    return Table("table-borrowed", "Borrowed from another country", columns, rows)
