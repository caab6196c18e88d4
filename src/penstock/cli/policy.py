"""`penstock policy`: the guardrails of a country, or of a file, checked and listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import CountryArgument, JsonOption
from penstock.cli.tables import console, show_titled, table

if TYPE_CHECKING:
    from penstock.policy import Clause, Policy

__all__ = ["policy"]

FileOption = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Check this policy in place of the country's own."),
]


def policy(country: CountryArgument, file: FileOption = None, as_json: JsonOption = False) -> None:
    """List a country's guardrails, or check a policy of your own; name every fault with its line."""
    from penstock.study.policies import load_policy

    found = load_policy(country, file)
    if as_json:
        print_json({"policy": _document(found)})
        return
    _show(found)


def _document(found: Policy) -> dict[str, Any]:
    from dataclasses import asdict

    clauses = []
    for clause in found.clauses:
        fields = asdict(clause)
        fields["holds_from"] = clause.holds_from.isoformat()
        fields["holds_until"] = None if clause.holds_until is None else clause.holds_until.isoformat()
        clauses.append(fields)
    return {
        "country": found.country,
        "title": found.title,
        "sha256": found.sha256,
        "clauses": clauses,
        "sources": [asdict(source) for source in found.sources.values()],
    }


def _show(found: Policy) -> None:
    from rich.text import Text

    from penstock.policy import limit_text

    numbers = {key: str(place) for place, key in enumerate(found.sources, start=1)}
    shown = table("", ("id", "clause", "limit", "decides", "from", "source"), numbers=False)
    shown.columns[0].no_wrap = True
    for clause in found.clauses:
        cells = (
            clause.id,
            clause.title,
            limit_text(clause) + _range(clause),
            "yes" if clause.binding else "no",
            clause.holds_from.isoformat(),
            numbers[clause.source],
        )
        shown.add_row(*(Text(cell) for cell in cells))
    show_titled(found.title, shown)
    screen = console()
    for key, source in found.sources.items():
        told = ", ".join(part for part in (source.publisher, source.dated, source.url) if part)
        screen.print(Text(f"{numbers[key]:>2}  {source.title}. {told}"), soft_wrap=True)
    binding = sum(clause.binding for clause in found.clauses)
    count = f"{len(found.clauses)} clauses, of which {binding} decide; sha256 {found.sha256}"
    screen.print(Text(count), soft_wrap=True)


def _range(clause: Clause) -> str:
    if clause.basis != "assumption" or clause.low is None or clause.high is None:
        return ""
    return f" (ours: {clause.low:g} to {clause.high:g})"
