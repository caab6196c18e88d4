"""`penstock compare`: two countries side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import JsonOption
from penstock.cli.progress import progress
from penstock.cli.tables import console, table

__all__ = ["compare"]

FILES = {"compare": "compare.json", "page": "compare.html"}

_Country = Annotated[
    str, typer.Argument(metavar="COUNTRY_OR_FOLDER", help="A country that ships, or a folder of tables.")
]


def compare(
    first: _Country,
    second: _Country,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the two files. Default: out/<first>-and-<second>."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set two countries side by side, each with its own programme.

    Both are studied, and their figures, gains, guardrails and sources set beside each other, with what keeps
    them from meaning the same. Two files are written, all or none: compare.json and compare.html.
    """
    with progress() as report_step:
        report_step("Reading the tables", 0.0)
        from penstock.compare import compare as set_side_by_side
        from penstock.country.load import country_folder
        from penstock.report.compare import render_compare

        names = [country_folder(given).name.replace("_", "-") for given in (first, second)]
        folder = Path("out") / "-and-".join(names) if out is None else out
        with staging(folder) as staged:
            found = set_side_by_side(first, second, progress=report_step)
            report_step("Writing the page", 1.0)
            text, page = json_text(found.document), render_compare(found.document)
            with disk_refusals(folder):
                (staged / FILES["compare"]).write_text(text, "utf-8", newline="\n")
                (staged / FILES["page"]).write_text(page, "utf-8", newline="\n")
            files = publish(staged, folder, FILES)
    if as_json:
        print_json({**found.document, "files": {name: str(path) for name, path in files.items()}})
    else:
        _show(found.document, files)


def _show(document: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Prints what differs, the figures, the sentences and the files."""
    from rich.text import Text

    from penstock.report.compare import compare_sentences, short_value

    names = [f"{found['name']} {found['year']}" for found in document["countries"]]
    screen = console()
    for group, rows in groupby(document["rows"], key=lambda row: row["group"]):
        shown = table(group, ("", "unit", *names, "second over first"))
        for row in rows:
            unit = "" if row["unit"] == "1" else row["unit"]
            values = ("not given" if value is None else short_value(value) for value in row["values"])
            ratio = "" if row["ratio"] is None else short_value(row["ratio"])
            shown.add_row(*(Text(cell) for cell in (row["title"], unit, *values, ratio)))
        screen.print(shown)
    for sentence in compare_sentences(dict(document)):
        screen.print(Text(sentence))
    for row in document["not_comparable"]:
        both = " | ".join(str(value) for value in row["values"])
        screen.print(Text(f"Differs: {row['topic'].replace('_', ' ')} ({both}). {row['why']}"))
    screen.print()
    for name, path in files.items():
        screen.print(Text(f"{name:8} {path}"), soft_wrap=True)
