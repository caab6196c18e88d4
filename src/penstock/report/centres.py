"""The AI centres: classes of work, PUE, what an interruption costs and the trials that bound it."""

from __future__ import annotations

from typing import Any

from .cells import Cell, Column, Row, Table, cited, row_of, source_anchors, source_cell, source_of, words
from .formats import label, number, percent, plain, short_percent, size_text, value_text
from .plots import Chart, Key, frame, rounded

__all__ = ["centre_charts", "centre_sentences", "centre_tables"]

#: What a class of work is.
WORK = {
    "serving": "answers to people who wait for them",
    "fine_tuning": "fitting a finished model to a customer's data",
    "batch": "questions answered in bulk, by the next morning",
    "training": "making a new model: weeks of work by many machines in step",
}
COLOURS = ("#882255", "#e69f00", "#56b4e9", "#117733", "#332288", "#999933")
_WHOLE = "centre"


def centre_tables(summary: dict[str, Any]) -> dict[str, Table]:
    """The tables of the page by name."""
    return {
        "classes": _classes(summary),
        "pue": _pue(summary),
        "cuts": _cuts(summary),
        "trials": _trials(summary),
    }


def centre_charts(summary: dict[str, Any]) -> dict[str, Chart]:
    """The chart of the page by name; none for a programme without AI."""
    return {"centre_day": _day_chart(summary)} if summary["loads"]["ai"]["mw"] else {}


def centre_sentences(summary: dict[str, Any]) -> dict[str, str]:
    """What the page says between its figures."""
    ai = summary["loads"]["ai"]
    longest = number(summary["loads"]["longest_event_hours"])
    size = (
        f"{size_text(ai['mw'])} MW of AI computing; a MWh at the meter is worth "
        f"{number(ai['value_usd_per_mwh'])} USD "
        "to it, mean over its energy, gross rent."
        if ai["mw"]
        else "The programme has no AI computing. The figures below are those of a centre that it would take."
    )
    dearest = max(ai["classes"], key=lambda row: row["value_usd_per_mwh"], default=None)
    last = (
        ""
        if dearest is None
        else f"A MWh is worth most in {str(dearest['name']).lower()}, "
        f"{number(dearest['value_usd_per_mwh'])} USD. "
    )
    last += (
        "Serving comes last since people wait for its answers and go elsewhere when none come: no trial "
        "has cut it. "
        "Work that nobody waits for is put off first; training is paused next, which costs the work since "
        "its "
        "last checkpoint."
    )
    slowing = (
        "Slowing every machine instead of stopping some would cost "
        f"{number(ai['slowing_cost_usd_per_mwh'])} USD/MWh. "
        f"No contract takes more, or for longer than {longest} h, than a trial has shown."
    )
    return {"size": size, "last": last, "slowing": slowing}


def _names(summary: dict[str, Any]) -> dict[str, str]:
    return {row["work_class"]: str(row["name"]) for row in summary["loads"]["ai"]["classes"]}


def _terms(row: dict[str, Any], contract: dict[str, Any] | None) -> str:
    """What the operator may take, and under which terms."""
    most = short_percent(row["cuttable_share_of_centre"])
    if row["step"] == "deferrable":
        text = f"Up to {most} of the centre's power, done later within {number(row['window_hours'])} h"
    elif row["step"] == "interruptible":
        text = f"Up to {most} of the centre's power: whole runs paused, then restarted"
    else:
        text = "Nothing but in a shortage, after all else"
    if contract is not None:
        text += f"; at most {short_percent(contract['annual_share'])} of the year's energy"
    return text + "."


def _contract_of(summary: dict[str, Any], work: str) -> dict[str, Any] | None:
    """The contract that the class is interrupted under; None for a firm programme."""
    groups = summary["programme"]["bid_groups"]
    step = next((row["step"] for row in groups if (row["kind"], row["mode"]) == (work, "run")), None)
    key = next((row["contract"] for row in summary["loads"]["steps"] if row["key"] == step), None)
    return next((row for row in summary["loads"]["contracts"] if row["contract"] == key), None)


def _classes(summary: dict[str, Any]) -> Table:
    rows = tuple(
        row_of(
            str(row["name"]),
            number(row["value_usd_per_mwh"]),
            _terms(row, _contract_of(summary, row["work_class"])),
            percent(row["share"]),
            number(row["rent_usd_per_gpu_hour"], 2),
            number(row["node_power_kw"], 2),
            number(row["energy_gwh"], 1),
            WORK.get(row["work_class"], ""),
            source_of(summary, f"ai_share_{row['work_class']}"),
        )
        for row in summary["loads"]["ai"]["classes"]
    )
    columns = (
        words("Work"),
        Column("Worth", "USD/MWh"),
        words("What may be taken"),
        Column("Share", "% of IT power"),
        Column("Rent", "USD/GPU-hour"),
        Column("Power", "kW per 8 GPUs"),
        Column("Energy", "GWh a year"),
        words("What it is"),
        words("Source of share"),
    )
    return Table(
        "table-classes",
        "The work of an AI centre, and what may be taken of it",
        columns,
        rows,
        sources=cited(
            summary, "gpurentalprices", "h100_rent", "batch_discount", "h100_node", "ml_energy", "duke_2025"
        ),
    )


def _pue(summary: dict[str, Any]) -> Table:
    zones = {zone["zone"]: str(zone["name"]) for zone in summary["country"]["zones"]}
    rows = tuple(
        row_of(
            zones.get(row["zone"], str(row["zone"])),
            *(number(row[key], 2) for key in ("mean", "low", "high")),
        )
        for row in summary["loads"]["ai"]["pue"]
    )
    columns = (
        words("Zone"),
        Column("Mean of the year"),
        Column("Coolest hour"),
        Column("Hottest hour"),
    )
    return Table(
        "table-pue",
        "PUE by zone: energy at the meter per energy of the machines",
        columns,
        rows,
        sources=cited(summary, "pue_survey", "pue_cloud", "pue_hyperscale"),
    )


def _day_chart(summary: dict[str, Any]) -> Chart:
    ai = summary["loads"]["ai"]
    hours = [row["local_hour"] for row in ai["power_by_hour"]]
    data, keys = [], []
    for n, (work, name) in enumerate(_names(summary).items()):
        colour = COLOURS[n % len(COLOURS)]
        data.append(
            {
                "type": "bar",
                "name": label(name),
                "x": hours,
                "y": rounded([row["mw"].get(work, 0.0) for row in ai["power_by_hour"]], 1),
                "marker": {"color": colour, "line": {"color": "#fff", "width": 0.5}},
                "hovertemplate": "%{y:,.0f} MW",
            }
        )
        keys.append(Key(name, colour))
    layout = frame(
        "Local hour",
        "MW",
        barmode="stack",
        xaxis={"dtick": 4, "zeroline": False, "showgrid": False},
        bargap=0.08,
    )
    return Chart(
        "chart-centre-day",
        "The AI centres through the day",
        "MW, mean of the year",
        "Stacked power of each class of AI work by hour of the day, before anybody is interrupted.",
        data,
        layout,
        tuple(keys),
        sources=cited(summary, "azure_2024", "acme"),
    )


def _cuts(summary: dict[str, Any]) -> Table:
    cuts = summary["loads"]["ai"]["cuts"]
    names = {**_names(summary), _WHOLE: "The whole centre"}
    lengths = sorted({row["hours"] for row in cuts})
    found = {(row["depth"], row["key"], row["hours"]): row for row in cuts}
    rows: list[Row] = []
    for depth in sorted({row["depth"] for row in cuts}):
        rows.append(
            row_of(
                f"{percent(depth)} of the centre's power",
                *("" for _ in lengths for _ in "ab"),
                kind="group",
            )
        )
        for key in dict.fromkeys(row["key"] for row in cuts):
            cells = []
            for hours in lengths:
                row = found.get((depth, key, hours))
                cells += [
                    percent(row["taken"] if row else None),
                    number(row["usd_per_mwh"] if row else None),
                ]
            rows.append(row_of(names.get(key, plain(key)), *cells))
    columns = [words("Cut, and whose power is taken")]
    for hours in lengths:
        columns += [
            Column(f"Taken in {value_text(hours)} h", "% of the centre"),
            Column(f"Cost in {value_text(hours)} h", "USD/MWh"),
        ]
    note = (
        "Cost to whoever wants the work of a MWh not delivered, the tariff not taken off. A short stop can "
        "cost more per MWh, as the work since the last checkpoint is done again however short it is; a long "
        "one, as work that can wait then no longer fits into its window. A dash: not cut."
    )
    return Table(
        "table-cuts",
        "What an interruption costs, by depth, length and class of work",
        tuple(columns),
        tuple(rows),
        note,
        sources=cited(summary, "phoenix", "london", "checkpoint", "restart", "gpurentalprices", "h100_rent"),
    )


def _trials(summary: dict[str, Any]) -> Table:
    anchors = source_anchors(summary)
    rows = tuple(
        row_of(
            str(row["place"]),
            str(row["date"]),
            percent(row["depth_share"]),
            number(row["hours"], 1),
            number(row["gpus"]),
            value_text(row["notice_minutes"]),
            source_cell(str(row["key"]), anchors) if row["key"] in anchors else Cell(""),
        )
        for row in summary["loads"]["ai"]["trials"]
    )
    columns = (
        words("Trial"),
        words("Date"),
        Column("Depth", "% of power"),
        Column("Length", "h"),
        Column("GPUs"),
        Column("Notice", "minutes"),
        words("Source"),
    )
    return Table("table-trials", "The trials that bound what may be taken", columns, rows)
