"""Who ran, who was stopped and why: the programme's bids, its steps of interruption and their contracts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .cells import Cell, Column, Table, cited, row_of, source_of, words
from .formats import (
    MONTHS,
    as_number,
    decimals_for,
    millions,
    number,
    percent,
    plain,
    short_percent,
    size_text,
)
from .plots import Chart, Key, frame, rounded

__all__ = ["left_sentence", "programme_bids", "running_charts", "running_sentences", "running_tables"]

LOADS = {"mining": "Mining", "ai": "AI centres"}
MODES = {
    "low": "low-power mode",
    "full": "what full power adds",
    "late": "done later",
    "kept": "not open to interruption (no trial has shown it)",
}
#: The load that each step stops: what runs until then.
WHOSE = {
    "low_power": "Mining, what full power adds",
    "mining_stopped": "Mining, low-power mode",
    "work_deferred": "Batch work and fine-tuning",
    "training_paused": "Training",
    "serving_cut": "Serving, and AI work that no trial has cut",
}
_LOW_POWER = "low_power"
#: Sources of what a MWh is worth to the loads, and of the terms that interrupt them.
_WORTH = ("btc_network", "btc_price", "asic_catalogue", "gpurentalprices", "h100_rent", "duke_2025")
# What is stacked in a month, bottom first.
STACK = (
    ("Mining, low-power mode", "mining_low_mw", "#0072b2", "area"),
    ("Mining, what full power adds", "mining_full_mw", "#56b4e9", "area"),
    ("AI centres", "ai_mw", "#117733", "area"),
    ("Interrupted, done late", "late_mw", "#e69f00", "hatch"),
    ("Interrupted, lost", "lost_mw", "#d55e00", "hatch"),
    ("Left by itself", "left_mw", "#b8c4d0", "area"),
)


def running_tables(summary: dict[str, Any]) -> dict[str, Table]:
    """The tables of the page by name."""
    return {
        "steps": _steps(summary),
        "step_months": _step_months(summary),
        "contracts": _contracts(summary),
    }


def running_charts(summary: dict[str, Any]) -> dict[str, Chart]:
    """The chart of the page by name; none for a programme without power."""
    return {"running": _chart(summary)} if as_number(summary["loads"]["year"]["offered_mwh"]) else {}


def _chart(summary: dict[str, Any]) -> Chart:
    """What the sites keep ready by month: what ran, was interrupted, or left by itself. [MW, mean]"""
    rows = summary["loads"]["by_month"]
    decimals = decimals_for((row[key] for row in rows for _, key, _, _ in STACK), 0)
    data = [
        {
            "type": "bar",
            "name": name,
            "x": [MONTHS[row["month"] - 1] for row in rows],
            "y": rounded([row[key] for row in rows], max(decimals, 1)),
            "marker": {
                "color": colour,
                "line": {"color": "#fff", "width": 0.5},
                "pattern": {"shape": "/" if style == "hatch" else ""},
            },
            "hovertemplate": f"%{{y:,.{decimals}f}} MW",
        }
        for name, key, colour, style in STACK
    ]
    return Chart(
        "chart-running",
        "What the sites keep ready, and what became of it",
        "MW, mean of the month",
        "Stacked by month: mining in low-power mode, what full power adds, AI centres, interrupted, and "
        "left by "
        "itself; the table below holds the same by step.",
        data,
        frame("", "MW", barmode="stack", hoverlabel={"font": {"size": 11}}),
        tuple(Key(name, colour, style) for name, _, colour, style in STACK),
        360,
        sources=cited(summary, *_WORTH),
    )


def _kind_names(summary: dict[str, Any]) -> dict[str, str]:
    """Names of machines and of classes of work by their key."""
    loads = summary["loads"]
    names = {row["cohort"]: str(row["model"]).removeprefix("Antminer ") for row in loads["miners"]["cohorts"]}
    return names | {row["work_class"]: str(row["name"]) for row in loads["ai"]["classes"]}


def _and_list(names: list[str]) -> str:
    """Names as "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _energy(mwh: Any, decimals: int | None = None) -> str:
    """Energy in GWh; without decimals given as many as show it, one at least."""
    found = as_number(mwh)
    gwh = None if found is None else found / 1000
    return number(gwh, decimals_for([gwh], 1, 1) if decimals is None else decimals)


def _whose(step: dict[str, Any]) -> str:
    return WHOSE.get(step["key"], str(step["title"]))


def _range(low: Any, high: Any, decimals: int = 1) -> str:
    """Both ends, or one where they read the same."""
    ends = number(low, decimals), number(high, decimals)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def programme_bids(summary: dict[str, Any]) -> Table:
    """What the programme asks for and what it is served, all zones together, by load and kind."""
    programme, names = summary["programme"], _kind_names(summary)
    titles = {step["key"]: str(step["title"]) for step in summary["loads"]["steps"]}
    cohorts = summary["loads"]["miners"]["cohorts"]
    whole = {row["cohort"] for row in cohorts if row["low_power_share"] is None}
    rows = []
    for load in programme["by_load"]:
        rows.append(
            row_of(
                LOADS.get(load["load"], plain(load["load"]).capitalize()),
                size_text(load["mw"]),
                percent(load["came_share"], 1),
                percent(load["served_share"], 1),
                number(load["energy_gwh"], 1),
                "",
                "",
                "",
                kind="group",
            )
        )
        for bid in (found for found in programme["bid_groups"] if found["load"] == load["load"]):
            name = names.get(bid["kind"], plain(bid["kind"]))
            mode = "full power" if bid["kind"] in whole else MODES.get(bid["mode"], "")
            late = bid["mode"] == "late"
            rows.append(
                row_of(
                    f"{name}, {mode}" if mode else name,
                    size_text(bid["mw"]),
                    "" if late else percent(bid["came_share"], 1),
                    "" if late else percent(bid["served_share"], 1),
                    number(bid["energy_gwh"], 1),
                    _range(bid["value_low_usd_per_mwh"], bid["value_high_usd_per_mwh"]),
                    _range(bid["bid_low_usd_per_mwh"], bid["bid_high_usd_per_mwh"]),
                    titles.get(bid["step"], plain(bid["step"])),
                )
            )
    columns = (
        words("Load, all zones"),
        Column("Most power", "MW"),
        Column("Comes", "% of energy"),
        Column("Served", "% of energy"),
        Column("Energy", "GWh a year"),
        Column("Worth to buyer", "USD/MWh"),
        Column("Bid", "USD/MWh"),
        words("Step that stops it"),
    )
    note = (
        "Worth is the mean of the year; two figures are the lowest and highest of the zones. A load comes "
        "only "
        "in months in which a MWh is worth the tariff. Mining bids the tariff, AI work what going without "
        "costs it. Most power is each part's own peak: AI work's peaks do not fall in one hour."
    )
    return Table(
        "table-bids",
        "The programme's loads, what they bid and what they get",
        columns,
        tuple(rows),
        note,
        sources=cited(summary, *_WORTH),
    )


ENERGIES = (
    Column("Offered", "GWh"),
    Column("Left by itself", "GWh"),
    Column("Ran", "GWh"),
    Column("Interrupted", "GWh"),
    Column("Of it done late", "GWh"),
    Column("Of it lost", "GWh"),
    Column("Interrupted in", "hours"),
    Column("Cost to them", "million USD"),
    Column("Avoided by leaving", "million USD"),
)
_KEYS = ("offered_mwh", "left_mwh", "ran_mwh", "interrupted_mwh", "late_mwh", "lost_mwh")


def _precision(rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Decimals of the energies and of the money of a table's rows."""
    energies = (as_number(row[key]) for row in rows for key in _KEYS)
    money = (as_number(row[key]) for row in rows for key in ("cost_usd", "avoided_usd"))
    return (
        decimals_for((mwh / 1e3 for mwh in energies if mwh is not None), 1),
        decimals_for((usd / 1e6 for usd in money if usd is not None), 2, 1),
    )


def _energies(found: dict[str, Any], hours: str, precision: tuple[int, int]) -> tuple[str, ...]:
    energy, money = precision
    return (
        *(_energy(found[key], energy) for key in _KEYS),
        number(found[hours]),
        millions(found["cost_usd"], money),
        millions(found["avoided_usd"], money),
    )


def _steps(summary: dict[str, Any]) -> Table:
    """The year of each step of interruption, in the order in which they are stopped."""
    loads = summary["loads"]
    shown = _precision([loads["year"]])
    rows = [
        row_of(
            f"{step['order']} {_whose(step)}", *_energies(step["year"], "hours", shown), str(step["title"])
        )
        for step in loads["steps"]
    ]
    rows.append(row_of("All", *_energies(loads["year"], "interrupted_hours", shown), "", kind="total"))
    note = (
        "Steps are stopped from the first to the last. Offered is left, ran and interrupted together; "
        "interrupted is done late and lost together. The cost is the income lost less the tariff saved."
    )
    columns = (words("Load, in the order of interruption"), *ENERGIES, words("Its step"))
    caption = "The year of each step of interruption"
    sources = cited(summary, *_WORTH)
    return Table("table-steps", caption, columns, tuple(rows), note, sources=sources)


def _step_months(summary: dict[str, Any]) -> Table:
    """Every month and step, with the reason in words."""
    loads = summary["loads"]
    titles = {step["key"]: f"{step['order']} {_whose(step)}" for step in loads["steps"]}
    order = {key: n for n, key in enumerate(titles)}
    shown = _precision(loads["months"])
    rows = tuple(
        row_of(
            Cell(MONTHS[row["month"] - 1], str(row["month"])),
            titles.get(row["step"], plain(row["step"])),
            _reason(row, summary),
            *_energies(row, "hours", shown),
        )
        for row in sorted(loads["months"], key=lambda row: (row["month"], order.get(row["step"], 0)))
    )
    columns = (words("Month"), words("Load"), words("Why"), *ENERGIES)
    return Table("table-step-months", "Month by month, and why", columns, rows, tools=True)


def _reason(row: dict[str, Any], summary: dict[str, Any]) -> str:
    """Why a step ran, left or was stopped in a month, in words."""
    if not as_number(row["offered_mwh"]):
        return "Nothing of this kind in the programme."
    told = [text for text in (_why_left(row, summary), _why_stopped(row)) if text]
    if told:
        return " ".join(told)
    if summary["programme"]["firm"]:
        return "Served like any demand."
    tariff = number(summary["programme"]["tariff_usd_per_mwh"], 1)
    return (
        f"Worth {number(row['worth_usd_per_mwh'], 1)} USD/MWh, above the tariff of {tariff}: all of it ran."
    )


def _why_left(row: dict[str, Any], summary: dict[str, Any]) -> str:
    if not row["left_kinds"]:
        return ""
    names = _kind_names(summary)
    who = _and_list([names.get(kind, plain(kind)) for kind in row["left_kinds"]])
    worth = number(row["left_worth_usd_per_mwh"], 1)
    tariff = number(summary["programme"]["tariff_usd_per_mwh"], 1)
    # Machines that leave in part stand at the tariff itself.
    less = f"no more than the tariff of {tariff}" if worth == tariff else f"less than the tariff of {tariff}"
    several = "are" if len(row["left_kinds"]) > 1 else "is"
    if row["step"] != _LOW_POWER:
        if row["step"] == "mining_stopped":
            return (
                f"Even in low-power mode a MWh in {who} is worth {worth} USD, {less}: they are switched off."
            )
        return f"{who} {several} worth {worth} USD/MWh, {less}: they do not come."
    off = {
        kind
        for other in summary["loads"]["months"]
        if other["month"] == row["month"] and other["step"] == "mining_stopped"
        for kind in other["left_kinds"]
    }
    cohorts = summary["loads"]["miners"]["cohorts"]
    off |= {row["cohort"] for row in cohorts if row["low_power_share"] is None}
    low = [names.get(kind, plain(kind)) for kind in row["left_kinds"] if kind not in off]
    if not low:
        then = "they are switched off"
    elif len(low) == len(row["left_kinds"]):
        then = "they run in low-power mode"
    else:
        run = "run" if len(low) > 1 else "runs"
        then = f"{_and_list(low)} {run} in low-power mode, the rest is switched off"
    return f"Full power of {who} is worth {worth} USD/MWh, {less}: {then}."


def _why_stopped(row: dict[str, Any]) -> str:
    if as_number(row["price_usd_per_mwh"]) is None:
        return ""
    hours = number(row["hours"])
    text = (
        f"Price above its bid in {hours} {'hour' if row['hours'] == 1 else 'hours'}, "
        f"mean {number(row['price_usd_per_mwh'], 1)} USD/MWh: stopped by the operator"
    )
    late, lost = as_number(row["late_mwh"]) or 0.0, as_number(row["lost_mwh"]) or 0.0
    beyond = as_number(row["emergency_mwh"]) or 0.0
    if _energy(beyond) != _energy(0.0):
        text += f"; {_energy(beyond)} GWh beyond the contract, in a shortage"
    if late > 0.0:
        text += f"; {_energy(late)} GWh done later"
        text += f", {_energy(lost)} GWh never" if lost > 0.0 else ""
    return text + "."


def _contracts(summary: dict[str, Any]) -> Table:
    """The annual budget of each contract: what may be, and what was, interrupted."""
    rows = tuple(
        row_of(
            str(row["title"]),
            _energy(row["used_mwh"]),
            _energy(row["allowed_mwh"]),
            Cell("yes", tone="bad") if row["binds"] else "no",
            number(row["price_usd_per_mwh"], 2),
            _energy(row["emergency_mwh"]),
            _energy(row["came_mwh"]),
            short_percent(row["annual_share"]),
            source_of(summary, f"interruption_{row['contract']}_annual_share"),
        )
        for row in summary["loads"]["contracts"]
    )
    columns = (
        words("Contract"),
        Column("Used", "GWh"),
        Column("Allowed", "GWh"),
        words("Binds"),
        Column("Worth of one MWh more", "USD/MWh"),
        Column("Cut beyond it", "GWh"),
        Column("Comes", "GWh"),
        Column("May be interrupted", "% of what comes"),
        words("Source"),
    )
    note = (
        "Binds: yes where the budget is used up while the operator would interrupt more. Worth of one MWh "
        "more: what the power system would save were the budget one MWh larger; nothing where it does not "
        "bind. A shortage uses the budget first; what is cut beyond it, since people come first, is outside "
        "the contract."
    )
    return Table("table-contracts", "Annual budgets of interruption, by contract", columns, rows, note)


def left_sentence(summary: dict[str, Any]) -> str:
    """Why the programme takes less than it is offered; empty where it takes all."""
    year, tariff = summary["loads"]["year"], number(summary["programme"]["tariff_usd_per_mwh"], 1)
    left, stopped = as_number(year["left_mwh"]) or 0.0, as_number(year["interrupted_mwh"]) or 0.0
    told = []
    if _energy(left) != _energy(0.0):
        told.append(
            f"Of the {_energy(year['offered_mwh'])} GWh that the sites keep ready, the loads leave "
            f"{_energy(left)} by themselves, as a MWh is then worth less to them than the tariff "
            f"({tariff} USD/MWh)"
        )
    if _energy(stopped) != _energy(0.0):
        told.append(
            f"the operator interrupts {_energy(stopped)} GWh in {number(year['interrupted_hours'])} hours, "
            "at a cost "
            f"of {millions(year['cost_usd'])} million USD to the loads"
        )
        beyond = as_number(year["emergency_mwh"]) or 0.0
        if _energy(beyond) != _energy(0.0):
            told.append(
                f"{_energy(beyond)} GWh of it go beyond the contracts, in a shortage: people come first"
            )
    elif told:
        told.append("the operator interrupts nobody in any hour")
    text = "; ".join(told)
    return text[:1].upper() + text[1:] + "." if text else ""


def running_sentences(summary: dict[str, Any]) -> list[str]:
    """What the page of who ran says before its figures."""
    if not as_number(summary["loads"]["year"]["offered_mwh"]):
        return ["The programme has no power: nothing runs and nothing is stopped."]
    found = [left_sentence(summary) or "All that the sites keep ready runs in every hour."]
    if summary["programme"]["firm"]:
        found.append(
            "The programme is firm: it is served like any demand, and no contract lets the operator stop it."
        )
    return found
