"""Tables of a design: by share of mining, guardrails that would have to move, other assumptions, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .cells import Cell, Column, Table, row_of, source_anchors, source_cell, words
from .formats import ABSENT, signed, value_text
from .proof_names import (
    Document,
    amount_text,
    and_list,
    clause_name,
    design_name,
    millions_text,
    price,
    price_key,
    sites_text,
    size_text,
    split_name,
)

__all__ = [
    "assumptions_table",
    "designs_table",
    "moves_table",
    "own_case",
    "sensitivity_table",
    "sources_table",
    "verdict_cell",
    "year_cells",
    "year_columns",
]


def verdict_cell(verdict: str) -> Cell:
    """The verdict as a sign and a word."""
    return Cell("✓ passes", tone="good") if verdict == "passes" else Cell("✗ refused", tone="bad")


def year_columns(document: Document, *, abroad: bool = False) -> tuple[Column, ...]:
    """Heads of what a year gives, in money and energy. abroad: with fuel imports and CO₂."""
    currency = f"{document['country']['currency']}/kWh"
    fuel = (Column("Fuel imports", "M USD more"), Column("CO₂", "Mt more"))
    return (
        Column("Energy", "GWh"),
        Column("Pays", "M USD"),
        Column("Adds to cost", "M USD"),
        Column("Others gain", "M USD"),
        *(fuel if abroad else ()),
        Column("Consumers, pooled", currency),
        Column("Consumers, zone's price", currency),
    )


def year_cells(document: Document, row: Document, *, abroad: bool = False) -> tuple[str, ...]:
    """The same of one year."""
    change, emissions = row["consumer_change_per_kwh"], row["emissions_change_mt"]
    fuel = (
        millions_text(row["fuel_imports_change_usd"]),
        signed(emissions, 2 if abs(emissions) >= 0.1 else 4),
    )
    return (
        size_text(row["energy_gwh"]),
        millions_text(row["payment_usd"]),
        millions_text(row["added_cost_usd"]),
        millions_text(row["benefit_usd"]),
        *(fuel if abroad else ()),
        price(document, change["pooled"], sign=True),
        price(document, change["marginal"], sign=True),
    )


CONSUMERS_NOTE = "Consumers: what the class that fares worst pays more; minus is less."


def designs_table(document: Document) -> Table:
    """The best design that passes for each share of mining, and the runner-up."""
    named = [(split_name(row["mining_share"]), row["design"]) for row in document["by_mining_share"]]
    if document["runner_up"] is not None:
        named.append(
            (f"Runner-up: {split_name(document['runner_up']['mining_share'])}", document["runner_up"])
        )
    columns = (
        words("What it runs"),
        Column("Power", "MW"),
        words("Where"),
        words("Terms"),
        Column("Tariff", f"{document['country']['currency']}/kWh"),
        *year_columns(document, abroad=True),
    )
    rows = []
    for name, design in named:
        if design is None:
            rows.append(row_of(name, Cell(ABSENT), "no design passes", *[ABSENT] * (len(columns) - 3)))
            continue
        best = "best: " if design == document["design"] and not name.startswith("Runner-up") else ""
        rows.append(
            row_of(
                best + name,
                size_text(design["mw"]),
                sites_text(design["sites"]),
                "firm" if design["firm"] else "interruptible",
                price(document, design["tariff_per_kwh"]),
                *year_cells(document, design, abroad=True),
                kind="total" if best else "",
            )
        )
    note = f"Others gain: what the programme pays less what it adds to the system's cost. {CONSUMERS_NOTE}"
    return Table("table-designs", "Best design that passes, by what it runs", columns, tuple(rows), note)


def moves_table(document: Document, names: Mapping[str, str]) -> Table:
    """Where nothing passes: guardrails that alone stop some design, the least move first."""
    rows = []
    for row in document["must_move"]:
        move = row["move"]
        rows.append(
            row_of(
                clause_name(row["id"], names),
                amount_text(row["limit"], row["unit"]),
                "no limit would help" if move is None else amount_text(move["limit"], move["unit"]),
                ABSENT if move is None else amount_text(move["amount"], move["unit"]),
                design_name(document, row["design"]),
            )
        )
    columns = (
        words("Guardrail"),
        words("Limit now"),
        words("Limit that would do"),
        words("Move"),
        words("Design that it alone stops"),
    )
    note = "Whether a guardrail may move is for those who set it."
    return Table("table-moves", "Which guardrail would have to move", columns, tuple(rows), note)


def own_case(document: Document) -> str:
    """Name of the design itself among its cases."""
    return "As designed" if document["design"] is not None else "Nearest design"


def sensitivity_table(document: Document, names: Mapping[str, str]) -> Table:
    """The design under other assumptions, itself first."""
    shown = document["design"] or document["nearest"]
    unit = price_key(document)
    currency = f"{document['country']['currency']}/kWh"
    columns = (
        words("Case"),
        words("Verdict"),
        words("Fails"),
        Column("Needs, marginal", currency),
        Column("Needs, full by energy", currency),
        Column("Needs, full by peak", currency),
        *year_columns(document),
    )
    cases: list[tuple[str, Document, Sequence[str]]] = []
    if shown is not None:
        failed = [
            row["id"]
            for row in document["guardrails"]
            if row["binding"] and row["status"] in ("failed", "no input")
        ]
        cases.append((own_case(document), shown, failed))
    cases += [(row["title"], row, row["failed"]) for row in document["sensitivity"]]
    rows = tuple(
        row_of(
            title,
            verdict_cell(row["verdict"]),
            and_list(clause_name(ident, names) for ident in failed) or ABSENT,
            *(
                price(document, row[f"needs_{unit}"].get(basis))
                for basis in ("marginal", "full_per_kwh", "full_per_kw")
            ),
            *year_cells(document, row),
            kind="total" if place == 0 and shown is not None else "",
        )
        for place, (title, row, failed) in enumerate(cases)
    )
    note = (
        "One assumption is moved at a time. Needs: the lowest tariff that recovers that year's cost. "
        + CONSUMERS_NOTE
    )
    return Table("table-sensitivity", "The same design with other assumptions", columns, rows, note)


def assumptions_table(document: Document) -> Table:
    """What the loads rest on."""
    anchors = source_anchors(dict(document))
    rows = tuple(
        row_of(
            row["parameter"],
            value_text(row["value"]),
            value_text(row["low"]),
            value_text(row["high"]),
            row["unit"],
            row["basis"],
            source_cell(row["source"] or "", anchors),
            row["note"],
        )
        for row in document["assumptions"]
    )
    columns = (
        words("Parameter"),
        *(Column(name) for name in ("Value", "Low", "High")),
        *(words(name) for name in ("Unit", "Basis", "Source", "Note")),
    )
    return Table("table-assumptions", "What the loads rest on", columns, rows, tools=True)


def sources_table(document: Document) -> Table:
    """Where the assumptions come from."""
    anchors = source_anchors(dict(document))
    rows = tuple(
        row_of(
            row["source"],
            Cell(row["title"], href=row["url"] if row["url"].startswith(("https://", "http://")) else ""),
            row["publisher"],
            row["licence"],
            row["dated"],
            anchor=anchors[row["source"]],
        )
        for row in document["sources"]
    )
    columns = tuple(words(name) for name in ("Source", "Title", "Publisher", "Licence", "Dated"))
    return Table("table-sources", "Sources of the assumptions", columns, rows)
