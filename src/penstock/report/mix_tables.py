"""The frontier's tables of all mixes: one of the power system and consumers, one of the loads themselves."""

from __future__ import annotations

from typing import Any

from .cells import Cell, Column, Row, Table, row_of, words
from .formats import millions, number, signed

__all__ = ["loads_table", "points_table"]

Point = dict[str, Any]


def _ordered(document: dict[str, Any]) -> list[Point]:
    """Efficient mixes first, each part by what consumers pay, least first."""
    return sorted(
        document["points"],
        key=lambda row: (not row["efficient"], row["consumer_change_pooled_usd"], row["mining_mw"]),
    )


def _cell(text: str) -> Cell:
    return Cell(text, text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def _change(row: Point, key: str, divisor: float = 1e6, decimals: int = 1) -> Cell:
    return _cell(signed(row[key] / divisor, decimals))


def _mix(row: Point) -> tuple[str | Cell, ...]:
    return number(row["mining_mw"]), _cell(number(row["ai_mw"])), "yes" if row["efficient"] else "no"


_MIX = (Column("Mining", "MW"), Column("AI", "MW"), words("Efficient"))


def points_table(document: dict[str, Any]) -> Table:
    """What every mix does to the power system and to consumers."""
    currency = document["country"]["currency"]
    columns = (
        *_MIX,
        Column("Energy", "GWh"),
        Column("Income", "M USD"),
        Column("Consumers, pooled", "M USD"),
        Column("Consumers, pooled", f"{currency}/kWh"),
        Column("Consumers, hourly", "M USD"),
        Column("Consumers, hourly", f"{currency}/kWh"),
        Column("System cost", "M USD"),
        Column("Not served", "GWh"),
        Column("Fuel imports", "M USD"),
        Column("CO₂", "Mt"),
    )
    note = (
        "Consumers, system cost, not served, fuel imports and CO₂: change against the year without a "
        "programme. A column's name sorts the table by it."
    )
    rows = tuple(_system_row(row) for row in _ordered(document))
    return Table("table-mix-points", "All mixes, efficient ones first", columns, rows, note, tools=True)


def _system_row(row: Point) -> Row:
    return row_of(
        *_mix(row),
        _cell(number(row["energy_gwh"])),
        _cell(millions(row["income_usd"])),
        _change(row, "consumer_change_pooled_usd"),
        _change(row, "consumer_change_pooled_per_kwh", 1.0, 3),
        _change(row, "consumer_change_marginal_usd"),
        _change(row, "consumer_change_marginal_per_kwh", 1.0, 3),
        _change(row, "cost_change_usd"),
        _change(row, "unserved_change_gwh", 1.0, 2),
        _change(row, "fuel_imports_change_usd"),
        _change(row, "emissions_change_t", 1e6, 2),
    )


def loads_table(document: dict[str, Any]) -> Table:
    """What every mix is for the loads: hours not run, jobs, margin; and what it is best in."""
    best: dict[tuple[float, float], list[str]] = {}
    for found, objective in zip(document["best"], document["objectives"], strict=True):
        best.setdefault((found["mining_mw"], found["ai_mw"]), []).append(objective["title"].lower())
    columns = (
        *_MIX,
        Column("Interrupted", "GWh"),
        Column("Left", "GWh"),
        Column("Jobs"),
        Column("low"),
        Column("high"),
        Column("Jobs", "per MW offered"),
        Column("Jobs", "per MW that ran"),
        Column("Hashprice", "USD/(PH/s·day)"),
        Column("Loads' margin", "M USD"),
        words("Settled"),
        words("Best in"),
    )
    rows = tuple(
        _loads_row(row, best.get((row["mining_mw"], row["ai_mw"]), [])) for row in _ordered(document)
    )
    note = (
        "Left: stays away by itself, as a MWh is worth less than the tariff. Loads' margin: worth of the "
        "energy less payment, before machines are paid."
    )
    return Table("table-mix-loads", "The loads in all mixes", columns, rows, note, tools=True)


def _loads_row(row: Point, best: list[str]) -> Row:
    return row_of(
        *_mix(row),
        _cell(number(row["interrupted_gwh"], 1)),
        _cell(number(row["left_gwh"])),
        _cell(number(row["jobs"])),
        _cell(number(row["jobs_low"])),
        _cell(number(row["jobs_high"])),
        _cell(number(row["jobs_per_offered_mw"], 2)),
        _cell(number(row["jobs_per_ran_mw"], 2)),
        _cell(number(row["hashprice_usd_per_ph_day"], 2)),
        _cell(millions(row["margin_usd"], 0)),
        "yes" if row["settled"] else "no",
        ", ".join(best),
    )
