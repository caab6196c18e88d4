"""Writes the tables of figures in docs/validation.md from a summary, and those on Bitcoin from the tables.

PYTHONPATH=src python -m tests.validation_doc SUMMARY.json

Without a file, only those on Bitcoin and flexible loads, which need no study.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"
START, STOP = "<!-- figures -->", "<!-- /figures -->"
LOADS_START, LOADS_STOP = "<!-- loads -->", "<!-- /loads -->"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def figures(summary: Mapping[str, Any]) -> str:
    """Markdown tables of a summary's `validation` and `variants`. Energies in GWh, differences in percent."""
    validation = summary["validation"]
    parts = [
        "### Energy of a fuel in the year",
        table(
            ("fuel", "model, GWh", "published, GWh", "difference, %", "limit", "within", "input"),
            [
                (
                    row["name"],
                    number(row["model_gwh"], 0),
                    number(row["published_gwh"], 0),
                    signed(row["difference_pct"]),
                    row["limit"],
                    yes(row["within"]),
                    yes(row["input"]),
                )
                for row in validation["fuels"]
            ],
        ),
        "### Energy of a fuel in a month",
        "Model / published, GWh, for the fuels whose hours the market decides.",
        table(("fuel", *MONTHS), dispatched_months(validation)),
        "### Energy of a month, all fuels",
        table(
            ("month", "model, GWh", "published, GWh", "difference, %", "within 1 %"),
            [
                (
                    MONTHS[row["month"] - 1],
                    number(row["model_gwh"], 0),
                    number(row["published_gwh"], 0),
                    signed(row["difference_pct"]),
                    yes(row["within"]),
                )
                for row in validation["energy"]
            ],
        ),
        "### Other published figures",
        table(
            ("figure", "model", "published", "published range", "unit", "note"),
            [
                (
                    f"`{row['figure']}`",
                    number(row["model"], 2),
                    number(row["published"], 2),
                    span(row),
                    row["unit"],
                    row["note"],
                )
                for row in validation["figures"]
            ],
        ),
        "### Variants of the contracts",
        "Energy of all zones in GWh, K-Electric's own plants included, without the programme.",
        variants(summary),
    ]
    return "\n\n".join(parts)


def dispatched_months(validation: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each fuel that is no input: its name, then "model / published" for 12 months. [GWh]"""
    rows = []
    for fuel in (row for row in validation["fuels"] if not row["input"]):
        months = {row["month"]: row for row in validation["months"] if row["fuel"] == fuel["fuel"]}
        cells = [
            f"{number(months[month]['model_gwh'], 0)} / {number(months[month]['published_gwh'], 0)}"
            for month in range(1, 13)
        ]
        rows.append((fuel["name"], *cells))
    return rows


def variants(summary: Mapping[str, Any]) -> str:
    """The study's own year and each variant: energy of the dispatched fuels [GWh] and cost [million USD]."""
    fuels = [row for row in summary["validation"]["fuels"] if not row["input"]]
    sides = [("As in the study", summary["base"]), *((row["title"], row) for row in summary["variants"])]
    return table(
        ("case", *(row["name"] for row in fuels), "cost, million USD"),
        [
            (
                title,
                *(number(side["generation_gwh_by_fuel"][row["fuel"]], 0) for row in fuels),
                number(side["cost_usd"] / 1e6, 0),
            )
            for title, side in sides
        ],
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, decimals: int) -> str:
    """With thousands separators; a figure that the model does not give is "-"."""
    return "-" if value is None else f"{value:,.{decimals}f}"


def signed(value: float | None) -> str:
    """A difference with its sign; one that rounds to nothing has none."""
    return "-" if value is None else "0.0" if abs(value) < 0.05 else f"{value:+.1f}"


def span(row: Mapping[str, Any]) -> str:
    """Low and high of a published figure, or nothing where it has one value."""
    if row["low"] is None:
        return ""
    return f"{number(row['low'], 0)} to {number(row['high'], 0)}"


def yes(value: bool) -> str:
    return "yes" if value else "no"


def rewritten(page: str, summary: Mapping[str, Any]) -> str:
    """The page with the figures of a summary renewed. ValueError where a mark is missing."""
    return between(page, START, STOP, figures(summary))


def between(page: str, start_mark: str, stop_mark: str, text: str) -> str:
    """The page with a text in place of what stands between two marks. ValueError where one is missing."""
    before, start, rest = page.partition(start_mark)
    _, stop, after = rest.partition(stop_mark)
    if not (start and stop):
        raise ValueError(f"{PAGE.name} lacks {start_mark if not start else stop_mark!r}")
    return f"{before}{start_mark}\n\n{text}\n\n{stop_mark}{after}"


if __name__ == "__main__":
    from tests.validation_loads import loads_figures

    if len(sys.argv) > 2:
        sys.exit("usage: python -m tests.validation_doc [SUMMARY.json]")
    text = between(PAGE.read_text("utf-8"), LOADS_START, LOADS_STOP, loads_figures())
    if len(sys.argv) == 2:
        text = rewritten(text, json.loads(Path(sys.argv[1]).read_text("utf-8")))
    PAGE.write_text(text, "utf-8")
