"""The proofs of a tariff, of hosting capacity and of a design as tables for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.cli.tables import table

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["proof_tables"]

Document = Mapping[str, Any]
CASES = ("low", "central", "high")


def proof_tables(document: Document) -> list[Table]:
    """Tables of a proof, by what the document holds: of a tariff, of hosting capacity or of a design."""
    if "judged" in document:
        return _tariff(document)
    if "firm_mw" in document:
        return _hosting(document)
    return _design(document)


def _filled(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], texts: Sequence[int]) -> Table:
    """A table of rows. texts: places of columns that hold words, and so stand to the left."""
    from rich.text import Text

    made = table(title, columns)
    for place in texts:
        made.columns[place].justify = "left"
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def _head(document: Document) -> str:
    return f"{document['country']['name']} {document['year']}"


def _verdict(verdict: str) -> str:
    return "✓ passes" if verdict == "passes" else "✗ refused"


def _fails(failed: Iterable[str], names: Mapping[str, str]) -> str:
    from penstock.report.proof_names import clause_name

    return ", ".join(clause_name(ident, names) for ident in failed)


def _tariff(document: Document) -> list[Table]:
    from penstock.report.proof_names import BASES, LOADS, clause_names, price, price_key

    unit, names = price_key(document), clause_names(document)
    currency = f"{document['country']['currency']}/kWh"
    floors = [
        (name, "no tariff does" if floor is None else price(document, floor))
        for name, floor in ((BASES[basis], document[f"floor_{unit}"][basis]) for basis in BASES)
    ]
    ceilings = [
        (
            f"{LOADS.get(load, load)}, to run",
            *(price(document, row[key]) for key in CASES),
        )
        for load, row in document[f"ceiling_{unit}"].items()
    ]
    if document["programme"]["mining_share"] > 0.0:
        case = document[f"investor_ceiling_{unit}"]
        shown = (
            "none" if case[key] is None else price(document, case[key]) for key in ("low", "central", "high")
        )
        ceilings.append(("miners, to buy machines today", *shown))
    judged = [
        (
            price(document, row[f"tariff_{unit}"]),
            row["name"],
            _verdict(row["verdict"]),
            _fails(row["failed"], names),
            price(document, row["consumer_change_per_kwh"]["pooled"], sign=True),
        )
        for row in document["judged"]
    ]
    made = [
        _filled(f"{_head(document)}: floors of the tariff", ("recovers", currency), floors, (0,)),
        _filled(f"What the loads can pay, {currency}", ("", *CASES), ceilings, (0,)),
        _filled(
            f"Tariffs judged, {currency}",
            ("tariff", "", "verdict", "fails", "consumers, pooled"),
            judged,
            (1, 2, 3),
        ),
    ]
    return made + ([_forms(document)] if document["forms"] else [])


def _forms(document: Document) -> Table:
    from penstock.report.proof_names import millions_text, price, size_text

    currency = f"{document['country']['currency']}/kWh"
    rows = [
        (
            row["title"],
            price(document, row["paid_per_kwh"]),
            size_text(row["energy_gwh"]),
            price(document, row["full_shortfall_per_kwh"], sign=True),
            price(document, row["consumer_change_per_kwh"], sign=True),
            millions_text(row["mining_margin_usd"]),
            millions_text(row["ai_margin_usd"]),
        )
        for row in document["forms"]
    ]
    columns = (
        "form",
        "paid in all",
        "GWh",
        "short of full",
        "consumers",
        "miners keep M USD",
        "AI keeps M USD",
    )
    return _filled(f"Forms of tariff, {currency}", columns, rows, (0,))


def _hosting(document: Document) -> list[Table]:
    from penstock.report.proof_names import clause_name, clause_names, place_name, size_text

    names = clause_names(document)
    rows = [
        (
            place_name(row["place"]),
            _level(row["interruptible_share"]),
            size_text(row["mw"]),
            "no guardrail fails" if row["binding"] is None else clause_name(row["binding"], names),
            size_text(row["headroom"]["mw"]),
        )
        for row in document["rows"]
    ]
    columns = ("place", "level", "MW", "what fails above", "simple headroom MW")
    return [_filled(f"{_head(document)}: how much flat load fits", columns, rows, (0, 1, 3))]


def _level(share: float | None) -> str:
    from penstock.report.formats import short_percent

    return "firm" if share is None else f"{short_percent(share)} cut"


def _design(document: Document) -> list[Table]:
    from penstock.report.proof_names import clause_names, millions_text

    names = clause_names(document)
    cases = [
        (
            row["title"],
            _verdict(row["verdict"]),
            millions_text(row["benefit_usd"]),
            _fails(row["failed"], names),
        )
        for row in document["sensitivity"]
    ]
    found = [_designs(document), _guardrails(document)]
    if cases:
        columns = ("other assumptions", "verdict", "others gain M USD", "fails")
        found.append(_filled("", columns, cases, (0, 1, 3)))
    return found


def _designs(document: Document) -> Table:
    from penstock.report.proof_names import millions_text, price, sites_text, size_text, split_name

    named = [(split_name(row["mining_share"]), row["design"]) for row in document["by_mining_share"]]
    named += [
        (name, document[key])
        for name, key in (("runner-up", "runner_up"), ("nearest", "nearest"))
        if document[key]
    ]
    rows = [
        (name, "no design passes", "", "", "", "")
        if design is None
        else (
            name,
            sites_text(design["sites"]),
            "firm" if design["firm"] else "interruptible",
            size_text(design["mw"]),
            price(document, design["tariff_per_kwh"]),
            millions_text(design["benefit_usd"]),
        )
        for name, design in named
    ]
    columns = (
        "best that passes",
        "where",
        "terms",
        "MW",
        f"{document['country']['currency']}/kWh",
        "others gain M USD",
    )
    shown = _filled(f"{_head(document)}: designs", columns, rows, (0, 1, 2))
    shown.columns[0].no_wrap = True
    return shown


def _guardrails(document: Document) -> Table:
    from penstock.report.guardrails import finding_rows

    rows = [
        (row.title, f"{row.mark} {row.status}", row.role, row.value, row.limit)
        for row in finding_rows(document["guardrails"], document["binding"], {})
    ]
    columns = ("guardrail", "verdict", "", "worst", "limit")
    return _filled("Guardrails, the one that binds first", columns, rows, (0, 1, 2))
