"""The report's tables as data: cells of text, their alignment and sort keys. The template draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .cells import Cell, Column, Row, Table, row_of, source_anchors, source_cell, words
from .formats import (
    MONTHS,
    as_number,
    decimals_for,
    millions,
    millions_decimals,
    number,
    percent,
    plain,
    signed,
    size_text,
    value_text,
)
from .fuels import fuel_name, fuel_order

__all__ = ["Cell", "Column", "Row", "Table"]


def _sided(
    without: Any, with_programme: Any, change: Any, decimals: int, divisor: float = 1.0
) -> tuple[str, str, str]:
    """Texts of a value without, with, and its change, all shown in the same unit."""

    def shown(value: Any) -> float | None:
        found = as_number(value)
        return None if found is None else found / divisor

    return (
        number(shown(without), decimals),
        number(shown(with_programme), decimals),
        signed(shown(change), decimals),
    )


GROUP_NAMES = {"consumers": "Consumers", "plants": "Power plants", "programme": "Programme", "state": "State"}


def incidence(rule: str, title: str, summary: dict[str, Any]) -> Table:
    """Who gains and who pays under one pricing rule, by party with a total for each group."""
    found, currency = summary["incidence"][rule], summary["country"]["currency"]
    groups = [g for g in GROUP_NAMES if g in found["by_group"]]
    groups += sorted(g for g in found["by_group"] if g not in GROUP_NAMES)
    rows, decimals = [], millions_decimals(found["by_group"].values())
    for group in groups:
        total = found["by_group"][group]
        per_kwh = _change_per_kwh(found["consumer_change_per_kwh"]) if group == "consumers" else ""
        rows.append(
            row_of(
                GROUP_NAMES.get(group, plain(group).capitalize()),
                signed_millions(total, decimals),
                _effect(total, decimals),
                per_kwh,
                kind="group",
            )
        )
        rows += [
            row_of(
                str(party["name"]),
                signed_millions(party["change_usd"], decimals),
                _effect(party["change_usd"], decimals),
                "",
            )
            for party in found["parties"]
            if party["group"] == group
        ]
    rows.append(row_of("Sum of all parties", signed_millions(found["sum_usd"], 3), "", "", kind="total"))
    rows.append(
        row_of(
            "Change in system cost", signed_millions(found["system_cost_change_usd"], 3), "", "", kind="total"
        )
    )
    rows.append(row_of("Difference", signed_millions(found["difference_usd"], 3), "", "", kind="total"))
    columns = (
        words("Party"),
        Column("Change", "million USD a year"),
        words("Effect"),
        Column("Per unit", f"{currency}/kWh"),
    )
    note = (
        "Positive: pays more or earns less. Negative: gains. The parties add up to the change in system cost."
    )
    return Table(f"table-incidence-{rule}", title, columns, tuple(rows), note)


def signed_millions(usd: Any, decimals: int = 1) -> str:
    """USD in million USD with a plus sign where positive."""
    found = as_number(usd)
    return signed(None if found is None else found / 1e6, decimals)


def _change_per_kwh(change: Any) -> str:
    return signed(change, decimals_for([change], 3, 1))


def _effect(usd: Any, decimals: int) -> Cell:
    found = as_number(usd)
    if found is None or millions(abs(found), decimals) == millions(0, decimals):
        return Cell("no change")
    return Cell("gains", tone="good") if found < 0 else Cell("pays", tone="bad")


def surplus_zones(summary: dict[str, Any]) -> Table:
    """Idle capacity by zone; a column for each `hours_above_N_mw` the summary holds."""
    zones = {zone["zone"]: str(zone["name"]) for zone in summary["country"]["zones"]}
    rows = summary["surplus"]["by_zone"]
    above = [key for key in (rows[0] if rows else {}) if key.startswith("hours_above_")]
    columns = [words("Zone"), Column("Mean surplus", "MW")]
    columns += [Column(f"Above {size_text(_threshold(key))} MW", "hours a year") for key in above]
    return Table(
        "table-surplus-zones",
        "Surplus by zone",
        tuple(columns),
        tuple(
            row_of(
                zones.get(row["zone"], str(row["zone"])),
                number(row["mean_mw"]),
                *(number(row.get(key)) for key in above),
            )
            for row in rows
        ),
    )


def _threshold(key: str) -> float:
    return float(key.removeprefix("hours_above_").removesuffix("_mw"))


def surplus_months(summary: dict[str, Any]) -> Table:
    """Idle capacity by month."""
    rows = tuple(
        row_of(MONTHS[row["month"] - 1], number(row["mean_mw"]), number(row["minimum_mw"]))
        for row in summary["surplus"]["by_month"]
    )
    columns = (words("Month"), Column("Mean surplus", "MW"), Column("Smallest surplus", "MW"))
    return Table("table-surplus-months", "Surplus by month", columns, rows)


def surplus_prices(summary: dict[str, Any]) -> Table:
    """The price at which the programme's full size is on offer, by share of hours."""
    rows = tuple(
        row_of(
            percent(row["share_of_hours"], 0),
            number(row["price_usd_per_mwh"], 1)
            if as_number(row["price_usd_per_mwh"]) is not None
            else "not at any price considered",
        )
        for row in summary["surplus"]["price_for_programme"]
    )
    size = size_text(summary["surplus"]["programme_mw"])
    columns = (words("Share of hours"), Column("Price at or below", "USD/MWh"))
    return Table("table-surplus-prices", f"Price at which {size} MW of surplus is available", columns, rows)


def totals(summary: dict[str, Any]) -> Table:
    """Every total of the system without and with the programme."""
    base, other, change = summary["base"], summary["with_programme"], summary["change"]
    currency = summary["country"]["currency"]
    lines = (
        ("Energy served to consumers and programme", "energy_served_gwh", "GWh", 1.0, 1),
        ("Of which the programme", "programme_energy_gwh", "GWh", 1.0, 1),
        ("Demand not served", "unserved_gwh", "GWh", 1.0, 2),
        ("Curtailed wind, sun and water", "curtailed_gwh", "GWh", 1.0, 1),
        ("System cost", "cost_usd", "million USD", 1e6, 1),
        ("Fuel cost", "fuel_cost_usd", "million USD", 1e6, 1),
        ("Of which imported fuel", "fuel_imports_usd", "million USD", 1e6, 1),
        ("Capacity payments", "capacity_payment_usd", "million USD", 1e6, 1),
        ("Congestion rent", "congestion_rent_usd", "million USD", 1e6, 2),
        ("Emissions", "emissions_t", "million t CO₂", 1e6, 3),
        ("Mean marginal price", "price_usd_per_mwh_mean", "USD/MWh", 1.0, 2),
        ("Pooled cost of energy", "pooled_energy_cost_usd_per_mwh", "USD/MWh", 1.0, 2),
        ("Capacity payments per unit sold", "capacity_payment_usd_per_mwh", "USD/MWh", 1.0, 2),
        ("The same in the country's currency", "capacity_payment_per_kwh", f"{currency}/kWh", 1.0, 3),
        ("Pooled cost of supply (energy and capacity)", "pooled_cost_usd_per_mwh", "USD/MWh", 1.0, 2),
    )
    rows = tuple(
        row_of(name, *_sided(base.get(key), other.get(key), change.get(key), decimals, divisor), unit)
        for name, key, unit, divisor, decimals in lines
    )
    columns = (
        words("Total of the year"),
        Column("Without"),
        Column("With"),
        Column("Change"),
        words("Unit"),
    )
    return Table("table-totals", "The system's year without and with the programme", columns, rows)


def generation(summary: dict[str, Any]) -> Table:
    """Generation of the year by fuel, without and with the programme."""
    base = summary["base"]["generation_gwh_by_fuel"]
    other = summary["with_programme"]["generation_gwh_by_fuel"]
    change = summary["change"]["generation_gwh_by_fuel"]
    rows = tuple(
        row_of(fuel_name(fuel, summary), *_sided(base.get(fuel), other.get(fuel), change.get(fuel), 1))
        for fuel in fuel_order(list({**base, **other}))
    )
    columns = (words("Fuel"), Column("Without", "GWh"), Column("With", "GWh"), Column("Change", "GWh"))
    return Table(
        "table-generation", "What generates, and what generates the programme's energy", columns, rows
    )


def zone_prices(summary: dict[str, Any]) -> Table:
    """Mean price by zone without and with the programme."""
    key = "price_usd_per_mwh_by_zone"
    base, other, change = (summary[side][key] for side in ("base", "with_programme", "change"))
    sites = {site["zone"]: site["mw"] for site in summary["programme"]["sites"]}
    rows = tuple(
        row_of(
            str(zone["name"]),
            *_sided(base.get(zone["zone"]), other.get(zone["zone"]), change.get(zone["zone"]), 2),
            size_text(sites.get(zone["zone"], 0)),
        )
        for zone in summary["country"]["zones"]
    )
    columns = (
        words("Zone"),
        *(Column(name, "USD/MWh") for name in ("Without", "With", "Change")),
        Column("Programme here", "MW"),
    )
    return Table("table-zone-prices", "Mean marginal price by zone", columns, rows)


def corridors(summary: dict[str, Any]) -> Table:
    """Flows, use and congestion of each corridor, without and with the programme."""
    zones = {zone["zone"]: str(zone["name"]) for zone in summary["country"]["zones"]}
    after = {row["corridor"]: row for row in summary["with_programme"]["corridors"]}
    rows = []
    for row in summary["base"]["corridors"]:
        later = after.get(row["corridor"], {})
        ends = " → ".join(zones.get(row[end], str(row[end])) for end in ("from_zone", "to_zone"))
        cells: list[str] = [f"{row['name']} ({row['kind']})", ends, number(row["limit_mw"])]
        for side in (row, later):
            cells += [
                number(side.get("mean_mw")),
                percent(side.get("use_share"), 1),
                number(side.get("congested_hours")),
                millions(side.get("congestion_rent_usd"), 2),
            ]
        rows.append(row_of(*cells))
    columns = [words("Corridor"), words("From → to"), Column("Limit", "MW")]
    for side in ("without", "with"):
        columns += [
            Column(f"Mean flow {side}", "MW"),
            Column(f"Use {side}", "% of limit"),
            Column(f"Congested {side}", "hours a year"),
            Column(f"Rent {side}", "million USD"),
        ]
    note = "A negative flow runs against the corridor's direction."
    return Table("table-corridors", "Corridors between zones", tuple(columns), tuple(rows), note)


def validation_fuels(summary: dict[str, Any]) -> Table:
    """The model's year by fuel beside the published one. Inputs are marked: they test nothing."""
    rows = []
    for row in summary["validation"]["fuels"]:
        if row["input"]:
            verdict = Cell("input, not a test", "1")
        elif row["within"] is None:
            verdict = Cell("no limit set", "2")
        else:
            verdict = Cell("within", "3", "good") if row["within"] else Cell("outside", "4", "bad")
        rows.append(
            row_of(
                str(row["name"]),
                number(row["published_gwh"]),
                number(row["model_gwh"]),
                verdict,
                signed(row["difference_pct"], 1),
                signed(row["difference_gwh"]),
                value_text(row["limit"]),
                str(row["pool"]),
            )
        )
    columns = (
        words("Fuel"),
        Column("Published", "GWh"),
        Column("Model", "GWh"),
        words("Verdict"),
        Column("Difference", "%"),
        Column("Difference", "GWh"),
        Column("Limit"),
        words("Pool"),
    )
    note = "Rows marked “input, not a test” were given to the model and agree for that reason alone."
    return Table(
        "table-validation", "Generation by fuel, model against published", columns, tuple(rows), note
    )


def validation_energy(summary: dict[str, Any]) -> Table:
    """Energy by month beside the published one."""
    rows = tuple(
        row_of(
            MONTHS[row["month"] - 1],
            number(row["published_gwh"]),
            number(row["model_gwh"]),
            signed(row["difference_pct"], 2),
            _verdict(row["within"]),
        )
        for row in summary["validation"]["energy"]
    )
    columns = (
        words("Month"),
        Column("Published", "GWh"),
        Column("Model", "GWh"),
        Column("Difference", "%"),
        words("Verdict"),
    )
    return Table("table-energy", "Energy by month, model against published", columns, rows)


def _verdict(within: Any) -> Cell:
    if within is None:
        return Cell("no limit set")
    return Cell("within", tone="good") if within else Cell("outside", tone="bad")


def validation_figures(summary: dict[str, Any]) -> Table:
    """Other published figures beside the model's."""
    rows = tuple(
        row_of(
            plain(row["figure"]),
            value_text(row["model"]),
            value_text(row["published"]),
            value_text(row["low"]),
            value_text(row["high"]),
            str(row["unit"]),
            str(row["note"] or ""),
        )
        for row in summary["validation"]["figures"]
    )
    columns = (
        words("Figure"),
        *(Column(name) for name in ("Model", "Published", "Low", "High")),
        words("Unit"),
        words("Note"),
    )
    return Table("table-figures", "Other published figures", columns, rows)


def variants(summary: dict[str, Any]) -> Table:
    """Other ways to run the same year, such as without contracts, beside the base: a column for each."""
    found = summary["variants"]
    fuels = fuel_order(sorted({fuel for row in found for fuel in row["generation_gwh_by_fuel"]}))
    columns = (words("Result"), words("Unit"), *(Column(str(row["title"])) for row in found))
    rows = [row_of("System cost", "million USD", *(millions(row["cost_usd"]) for row in found), kind="group")]
    rows += [
        row_of(
            fuel_name(fuel, summary),
            "GWh",
            *(number(row["generation_gwh_by_fuel"].get(fuel)) for row in found),
        )
        for fuel in fuels
    ]
    note = " ".join(f"{row['title']}: {row['note']}" for row in found if row["note"])
    return Table(
        "table-variants", "The same year under other rules", columns, tuple(rows if found else ()), note
    )


def _value(value: Any, unit: str) -> Cell:
    found = as_number(value)
    return Cell(value_text(value, unit), "" if found is None else repr(found))


def _assumption_row(key: Iterable[str], row: dict[str, Any], anchors: dict[str, str]) -> Row:
    unit = str(row["unit"] or "")
    return row_of(
        *(str(row[name]) for name in key),
        *(_value(row[name], unit) for name in ("value", "low", "high")),
        unit,
        source_cell(str(row["source"] or ""), anchors),
        str(row["note"] or ""),
    )


ASSUMPTION_TAIL: Sequence[Column] = (
    Column("Value"),
    Column("Low"),
    Column("High"),
    words("Unit"),
    words("Source"),
    words("Note"),
)


def assumptions(summary: dict[str, Any]) -> Table:
    """Every assumption of the country's tables."""
    anchors = source_anchors(summary)
    rows = tuple(_assumption_row(("key", "table"), row, anchors) for row in summary["assumptions"])
    columns = (words("Assumption"), words("Table"), *ASSUMPTION_TAIL)
    return Table("table-assumptions", "Assumptions about the country", columns, rows, tools=True)


def programme_assumptions(summary: dict[str, Any]) -> Table:
    """Every assumption about the programme's buyers."""
    anchors = source_anchors(summary)
    rows = tuple(
        _assumption_row(("parameter", "basis"), row, anchors) for row in summary["programme"]["assumptions"]
    )
    columns = (words("Assumption"), words("Basis"), *ASSUMPTION_TAIL)
    return Table("table-programme-assumptions", "Assumptions about the programme", columns, rows, tools=True)


def sources(summary: dict[str, Any]) -> Table:
    """Every source with its licence; a link only where the address is a web address."""
    rows = tuple(
        row_of(
            str(row["source"]),
            Cell(str(row["title"]), href=url if url.startswith(("https://", "http://")) else ""),
            str(row["publisher"] or ""),
            str(row["licence"] or ""),
            str(row["dated"] or ""),
            str(row["note"] or ""),
            anchor=f"source-{n}",
        )
        for n, row in enumerate(summary["sources"], start=1)
        for url in (str(row["url"] or ""),)
    )
    columns = tuple(words(name) for name in ("Source", "Title", "Publisher", "Licence", "Dated", "Note"))
    return Table("table-sources", "Sources", columns, rows, tools=True)
