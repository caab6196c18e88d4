"""Checks of rows on their own: months, dates, hours, charges, and zones of neighbouring markets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from penstock.country.faults import FaultList, shown
from penstock.country.read import ReadRow, ReadTable
from penstock.errors import Fault

__all__ = ["add_fault", "check_rows"]

Tables = Mapping[str, ReadTable]

_MONTH = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")
_DAY = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


def add_fault(
    faults: FaultList,
    table: ReadTable,
    kind: str,
    row: ReadRow | None,
    column: str | None,
    problem: str,
    mend: str,
) -> None:
    """Adds a fault of a table: of one cell, of a column, or of the whole."""
    faults.add(
        kind,
        Fault(
            place=table.schema.file,
            row=None if row is None else row.line,
            column=column,
            value=None if row is None or column is None else shown(row.cells[column]),
            problem=problem,
            mend=mend,
        ),
    )


def check_rows(tables: Tables, faults: FaultList) -> None:
    """Adds every fault of single rows that their columns' types and limits cannot tell."""
    _rooftop(tables["rooftop_solar"], faults)
    _public_bitcoin(tables["public_bitcoin"], faults)
    _corridors(tables["corridors"], faults)
    _external_zones(tables, faults)
    _published(tables["published"], faults)


def _rooftop(rooftop: ReadTable, faults: FaultList) -> None:
    for row in rooftop.rows_with("as_of"):
        if not _MONTH.fullmatch(str(row.values["as_of"])):
            problem = "must be a month written YYYY-MM"
            add_fault(faults, rooftop, "not a month", row, "as_of", problem, "write it like 2024-12")


def _public_bitcoin(holdings: ReadTable, faults: FaultList) -> None:
    for row in holdings.rows_with("date"):
        text = str(row.values["date"])
        if not (_DAY.fullmatch(text) or _MONTH.fullmatch(text)):
            problem = "must be a day written YYYY-MM-DD, or a month written YYYY-MM"
            mend = "write it like 2024-03-14 or 2024-03"
            add_fault(faults, holdings, "not a date", row, "date", problem, mend)


def _corridors(corridors: ReadTable, faults: FaultList) -> None:
    for row in corridors.rows_with("from_zone", "to_zone"):
        if row.values["from_zone"] == row.values["to_zone"]:
            problem = "the corridor ends in the zone in which it starts"
            add_fault(faults, corridors, "corridor", row, "to_zone", problem, "name two different zones")
    needed = {"cost_basis": None, "cost_source": None, "cost_low": "assumption", "cost_high": "assumption"}
    for row in corridors.rows_with("cost_per_kwh", *needed):
        for column, basis in needed.items():
            asked = row.values["cost_per_kwh"] is not None and basis in (None, row.values["cost_basis"])
            if asked and row.values[column] is None:
                problem = "is blank, but the row has a cost_per_kwh that needs it"
                mend = "say where the charge comes from, and how unsure it is where it is an assumption"
                add_fault(faults, corridors, "blank", row, column, problem, mend)


def _external_zones(tables: Tables, faults: FaultList) -> None:
    zones, sites = tables["zones"], tables["programme_sites"]
    if not zones.sound("zone", "external"):
        return
    external = [row.values["zone"] for row in zones.rows if row.values["external"]]
    if zones.rows and len(external) == len(zones.rows):
        problem = "every zone is external, so the country has none of its own"
        add_fault(faults, zones, "no home zone", None, "external", problem, "write no, or leave it blank")
    for zone in external:
        at = [row for row in tables["plants"].rows_with("zone") if row.values["zone"] == zone]
        if tables["plants"].sound("zone") and len(at) != 1:
            problem = f"external zone {zone} has {len(at)} plants, not one: its price is that plant's cost"
            add_fault(faults, zones, "external zone", None, "external", problem, "give it one plant")
    for row in sites.rows_with("zone"):
        if row.values["zone"] in external:
            problem = "the zone is external: a programme is placed in the country's own zones"
            add_fault(faults, sites, "external zone", row, "zone", problem, "name a zone of the country")


def _published(published: ReadTable, faults: FaultList) -> None:
    for row in published.rows_with("months"):
        months = str(row.values["months"] or "").split()
        wrong = [text for text in months if text not in map(str, range(1, 13))]
        if wrong or len(set(months)) < len(months):
            problem = "must be months from 1 to 12 separated by spaces, each once"
            add_fault(faults, published, "not months", row, "months", problem, "write it like 12 1 2")
    for row in published.rows_with("hour_from", "hour_to"):
        first, end = row.values["hour_from"], row.values["hour_to"]
        if (first is None) != (end is None):
            problem = "hour_from and hour_to must be given together"
            add_fault(faults, published, "hours", row, "hour_from", problem, "give both, or leave both blank")
        elif isinstance(first, int) and isinstance(end, int) and first >= end:
            problem = f"is not before hour_to, which is {end} [local hour]"
            add_fault(faults, published, "hours", row, "hour_from", problem, "give hour_from < hour_to")
