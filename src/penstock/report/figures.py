"""The report's charts as Plotly figures in plain data, and the hours that the week chart slices.

Nothing here is a result: hours are sorted, thinned and added over zones to be drawn, no more.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .formats import MONTHS, as_number, label, millions_decimals, number, percent
from .fuels import BASE, SECOND, THIRD, fuel_colour, fuel_name, fuel_order
from .plots import Chart, Key, frame, key_style, line_trace, rounded

__all__ = ["Chart", "Key", "dispatch_hours", "fuel_keys"]

SIDES = (("base", "Without"), ("with", "With"))
LINES = (BASE, SECOND, THIRD, "#aa4499", "#661100", "#56b4e9")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
# Points of a sorted curve that are drawn: a year's 8,760 hours are not to be told apart on a page.
CURVE_POINTS = 400
#: Longest name of a party beside its bars; the page breaks it into lines on a narrow screen.
WIDE_LABEL = 60
SHARES = {"ticksuffix": "%", "range": [0, 100], "dtick": 20}


# --- who gains ----------------------------------------------------------------------------------------


def incidence(summary: dict[str, Any]) -> Chart:
    """Bars of what each party gains or pays under both pricing rules. [million USD a year]"""
    rules = (("pooled", "Pooled billing", BASE), ("marginal", "Marginal pricing", SECOND))
    names: dict[str, str] = {}
    for rule, _, _ in rules:
        names |= {p["party"]: label(p["name"], WIDE_LABEL) for p in summary["incidence"][rule]["parties"]}
    decimals = millions_decimals(
        total for rule, *_ in rules for total in summary["incidence"][rule]["by_group"].values()
    )
    data = []
    for rule, title, colour in rules:
        changes = {p["party"]: p["change_usd"] for p in summary["incidence"][rule]["parties"]}
        millions = [None if as_number(changes.get(p)) is None else changes[p] / 1e6 for p in names]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": title,
                "y": list(range(len(names))),
                "x": [None if m is None else round(m, max(decimals, 3)) for m in millions],
                "marker": {"color": colour, "pattern": {"shape": "" if rule == "pooled" else "/"}},
                "hovertemplate": f"%{{x:+,.{decimals}f}} million USD",
            }
        )
    layout = frame(
        "← gains · million USD · pays →",
        "",
        barmode="group",
        hovermode="closest",
        xaxis={"tickformat": ",~r", "nticks": 7},
        yaxis={
            "autorange": "reversed",
            "tickvals": list(range(len(names))),
            "ticktext": list(names.values()),
            "showgrid": False,
            "zeroline": False,
        },
    )
    keys = tuple(
        Key(title, colour, "hatch" if rule == "marginal" else "area") for rule, title, colour in rules
    )
    return Chart(
        "chart-incidence",
        "Who gains and who pays",
        "million USD a year",
        "Bars by party for both pricing rules; the tables below hold the same numbers.",
        data,
        layout,
        keys,
        max(280, 46 * len(names) + 80),
    )


# --- surplus ------------------------------------------------------------------------------------------


def surplus_duration(summary: dict[str, Any]) -> Chart:
    """Surplus available for at least a share of the hours, with the programme's size. [MW]"""
    surplus = summary["surplus"]
    shares = [100 * p["share_of_hours"] for p in surplus["duration_curve"]]
    data = [
        line_trace(
            "Surplus", rounded(shares, 3), rounded([p["mw"] for p in surplus["duration_curve"]], 0), BASE
        )
    ]
    size = as_number(surplus["programme_mw"])
    keys = [Key("Surplus", BASE, "solid")]
    if size is not None and shares:
        data.append(line_trace("Programme", [min(shares), max(shares)], [size, size], SECOND, "dash"))
        keys.append(Key("Size of the programme", SECOND, "dash"))
    layout = frame("% of hours with at least this much", "MW", xaxis=SHARES)
    return Chart(
        "chart-surplus-duration",
        "How much is idle, and how often",
        "MW",
        f"Duration curve of the surplus: mean {number(surplus['mean_mw'])} MW, smallest "
        f"{number(surplus['minimum_mw'])} MW.",
        data,
        layout,
        tuple(keys),
    )


def surplus_supply(summary: dict[str, Any]) -> Chart:
    """Surplus available at or below a price, for each share of the hours. [MW by USD/MWh]"""
    points = summary["surplus"]["supply_curve"]
    data, keys = [], []
    for n, share in enumerate(summary["surplus"]["share_of_hours"]):
        rows = sorted(
            (p for p in points if p["share_of_hours"] == share), key=lambda p: p["price_usd_per_mwh"]
        )
        colour, dash = LINES[n % len(LINES)], DASHES[n % len(DASHES)]
        name = f"{percent(share)} of hours"
        x = rounded([p["price_usd_per_mwh"] for p in rows], 2)
        data.append(line_trace(name, x, rounded([p["mw"] for p in rows], 0), colour, dash))
        keys.append(Key(name, colour, key_style(dash)))
    layout = frame("Price (USD/MWh)", "MW at or below the price")
    alt = "Supply curve of the surplus, one line for each share of hours."
    return Chart("chart-surplus-supply", "What the surplus costs", "MW", alt, data, layout, tuple(keys))


def surplus_months(summary: dict[str, Any]) -> Chart:
    """Mean and smallest surplus by month. [MW]"""
    rows = summary["surplus"]["by_month"]
    months = [MONTHS[row["month"] - 1] for row in rows]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": months,
            "y": rounded([row[key] for row in rows], 0),
            "marker": {"color": colour},
            "hovertemplate": "%{y:,.0f} MW",
        }
        for name, key, colour in (("Mean", "mean_mw", BASE), ("Smallest", "minimum_mw", "#56b4e9"))
    ]
    keys = (Key("Mean", BASE), Key("Smallest hour", "#56b4e9"))
    alt = "Mean and smallest surplus of each month; the table holds the same numbers."
    return Chart(
        "chart-surplus-months", "Surplus by month", "MW", alt, data, frame("", "MW", barmode="group"), keys
    )


# --- dispatch -----------------------------------------------------------------------------------------


def _total(hourly: pd.DataFrame, prefix: str) -> npt.NDArray[np.float64]:
    """Columns `prefix.<zone>` added over the zones; zeros where there are none."""
    columns = [c for c in hourly.columns if c.startswith(prefix + ".")]
    total: npt.NDArray[np.float64] = hourly[columns].to_numpy(dtype=float).sum(axis=1)
    return total


def _load(hourly: pd.DataFrame, side: str, zones: list[str]) -> npt.NDArray[np.float64]:
    """Consumers' demand and, on the side with it, the programme's draw in the zones. [MW]"""
    total = _total(hourly, f"{side}.demand_mw")
    wanted = [f"with.programme_mw.{zone}" for zone in zones]
    columns = [c for c in wanted if c in hourly.columns]
    if side == "with" and columns:
        total = total + hourly[columns].to_numpy(dtype=float).sum(axis=1)
    return total


def _zones(summary: dict[str, Any]) -> list[str]:
    return [zone["zone"] for zone in summary["country"]["zones"]]


def _encoded(values: npt.NDArray[np.float64]) -> str:
    """Whole MW as base64 of little-endian int32, a third of the bytes of the same numbers as text."""
    return base64.b64encode(np.rint(values).astype("<i4").tobytes()).decode("ascii")


def hourly_fuels(hourly: pd.DataFrame) -> list[str]:
    """Fuels that generate in some hour of either side, bottom of the stack first."""
    found = set()
    for side, _ in SIDES:
        prefix = f"{side}.generation_mw."
        found |= {
            c.removeprefix(prefix)
            for c in hourly.columns
            if c.startswith(prefix) and hourly[c].abs().max() >= 0.5
        }
    return fuel_order(sorted(found))


def dispatch_hours(summary: dict[str, Any], hourly: pd.DataFrame) -> dict[str, Any]:
    """Generation by fuel, demand and unserved demand of every hour, both sides, in whole MW."""
    fuels, zones = hourly_fuels(hourly), _zones(summary)
    offset = pd.Timedelta(hours=float(summary["country"]["utc_offset_hours"]))
    # Midday is the same date however the offset falls against whole hours.
    days = (pd.to_datetime(hourly["hour_utc"]) + offset).dt.strftime("%Y-%m-%d").iloc[12::24]
    sides, top = {}, 0.0
    for side, _ in SIDES:
        generation = {}
        stack = np.zeros(len(hourly))
        for fuel in fuels:
            column = f"{side}.generation_mw.{fuel}"
            if column in hourly.columns:
                values = hourly[column].to_numpy(dtype=float)
                generation[fuel], stack = _encoded(values), stack + values
        unserved = _total(hourly, f"{side}.unserved_mw")
        consumers, load = _total(hourly, f"{side}.demand_mw"), _load(hourly, side, zones)
        sides[side] = {
            "generation": generation,
            "unserved": _encoded(unserved) if unserved.max() >= 0.5 else "",
            "demand": _encoded(consumers),
            "load": _encoded(load) if side == "with" else "",
        }
        top = max(top, float((stack + unserved).max()), float(load.max()))
    names = {fuel: label(fuel_name(fuel, summary)) for fuel in fuels}
    colours = {fuel: fuel_colour(fuel, fuels) for fuel in fuels}
    return {
        "fuels": fuels,
        "names": names,
        "colours": colours,
        "days": list(days),
        "sides": sides,
        "top_mw": round(top * 1.04),
    }


def fuel_keys(summary: dict[str, Any], fuels: list[str]) -> tuple[Key, ...]:
    """The key that all charts by fuel share."""
    return tuple(Key(fuel_name(f, summary), fuel_colour(f, fuels)) for f in fuels)


def dispatch(summary: dict[str, Any], hourly: pd.DataFrame) -> Chart:
    """The frame of the week chart; the page fills it from `dispatch_hours`. [MW]"""
    fuels = hourly_fuels(hourly)
    keys = [*fuel_keys(summary, fuels), Key("Consumers' demand", "#000000", "solid")]
    keys.append(Key("Consumers and programme", "#000000", "dot"))
    if any(_total(hourly, f"{side}.unserved_mw").max() >= 0.5 for side, _ in SIDES):
        keys.append(Key("Not served", "#ff6f61", "hatch"))
    offset = float(summary["country"]["utc_offset_hours"])
    layout = frame(
        f"Local time (UTC{offset:+g})",
        "MW",
        xaxis={"type": "date", "tickformat": "%a\n%-d %b", "dtick": 86_400_000},
        yaxis={"nticks": 8},
        hoverlabel={"font": {"size": 11}},
    )
    alt = "Stacked generation by fuel for each hour of the chosen week, with the line of demand."
    return Chart("chart-dispatch", "Generation in one week", "MW", alt, [], layout, tuple(keys), 430)


def generation_months(summary: dict[str, Any]) -> tuple[Chart, Chart]:
    """Generation by month and fuel, without and with the programme, on one scale. [GWh]"""
    sides = (("base", "without", "Without"), ("with_programme", "with", "With"))
    found = {side: summary[side]["generation_gwh_by_fuel_month"] for side, _, _ in sides}
    fuels = fuel_order(sorted({f for by_fuel in found.values() for f in by_fuel}))
    top = max(
        (sum(by_fuel[f][m] or 0.0 for f in by_fuel) for by_fuel in found.values() for m in range(12)),
        default=0.0,
    )
    charts = []
    for side, ident, title in sides:
        data = [
            {
                "type": "bar",
                "name": label(fuel_name(f, summary)),
                "x": list(MONTHS),
                "y": rounded(found[side][f], 1),
                "marker": {"color": fuel_colour(f, fuels), "line": {"color": "#fff", "width": 0.5}},
                "hovertemplate": "%{y:,.0f} GWh",
            }
            for f in fuels
            if f in found[side]
        ]
        layout = frame(
            "", "GWh", barmode="stack", yaxis={"range": [0, top * 1.05]}, hoverlabel={"font": {"size": 11}}
        )
        alt = f"Stacked generation by fuel for each month {ident} the programme."
        name = f"{title} the programme"
        charts.append(Chart(f"chart-months-{ident}", name, "GWh a month", alt, data, layout))
    return charts[0], charts[1]


# --- prices and loads -----------------------------------------------------------------------------------


def _curve(values: npt.NDArray[np.float64], decimals: int) -> tuple[list[float | None], list[float | None]]:
    """Hours sorted from the highest, thinned evenly; first and last always stay. [%, unit of values]"""
    ordered = np.sort(values)[::-1]
    picked = np.unique(np.linspace(0, len(ordered) - 1, CURVE_POINTS).round().astype(int))
    shares = 100 * picked / max(len(ordered) - 1, 1)
    return rounded(shares, 3), rounded(ordered[picked], decimals)


def price_duration(summary: dict[str, Any], hourly: pd.DataFrame) -> Chart:
    """Sorted prices of one zone at a time, without and with the programme. [USD/MWh]"""
    zones = [
        z for z in summary["country"]["zones"] if f"base.price_usd_per_mwh.{z['zone']}" in hourly.columns
    ]
    data: list[dict[str, Any]] = []
    peaks = []
    for n, zone in enumerate(zones):
        for (side, name), colour, dash in zip(SIDES, (BASE, SECOND), ("solid", "dash"), strict=True):
            values = hourly[f"{side}.price_usd_per_mwh.{zone['zone']}"].to_numpy(dtype=float)
            x, y = _curve(values, 2)
            line = line_trace(name, x, y, colour, dash, "USD/MWh", 1)
            data.append({**line, "visible": n == 0})
            peaks.append((float(np.nanmax(values)), float(np.nanquantile(values, 0.99))))
    layout = frame("% of hours with at least this price", "USD/MWh", xaxis=SHARES)
    note = ""
    highest, usual = max((p[0] for p in peaks), default=0.0), max((p[1] for p in peaks), default=0.0)
    if highest > 3 * usual > 0:
        # A few hours at the worth of lost load would flatten every other hour.
        layout["yaxis"] |= {"range": [0, usual * 1.25], "autorange": False}
        note = f"The chart is cut off at the top: the dearest hour is at {number(highest)} USD/MWh."
    keys = (Key("Without", BASE, "solid"), Key("With the programme", SECOND, "dash"))
    alt = "Sorted hourly prices of the chosen zone, without and with the programme."
    choices = tuple(str(zone["name"]) for zone in zones)
    title = "Price duration curve"
    return Chart("chart-price-duration", title, "USD/MWh", alt, data, layout, keys, 340, choices, note)


def load_duration(summary: dict[str, Any], hourly: pd.DataFrame) -> Chart:
    """Sorted load of all zones, without and with the programme. [MW]"""
    zones = _zones(summary)
    data = []
    for (side, name), colour, dash in zip(SIDES, (BASE, SECOND), ("solid", "dash"), strict=True):
        x, y = _curve(_load(hourly, side, zones), 0)
        data.append(line_trace(name, x, y, colour, dash))
    layout = frame("% of hours with at least this load", "MW", xaxis=SHARES)
    keys = (Key("Without", BASE, "solid"), Key("With the programme", SECOND, "dash"))
    alt = "Sorted hourly load of the whole country, without and with the programme."
    return Chart("chart-load-duration", "Load duration curve", "MW", alt, data, layout, keys)


# --- model against actual -------------------------------------------------------------------------------


def validation_months(summary: dict[str, Any]) -> list[Chart]:
    """One small chart for each fuel: its months in the model and as published. [GWh]"""
    rows = summary["validation"]["months"]
    charts = []
    for n, fuel in enumerate(fuel_order(sorted({row["fuel"] for row in rows})), start=1):
        months = sorted((row for row in rows if row["fuel"] == fuel), key=lambda row: row["month"])
        x = [MONTHS[row["month"] - 1] for row in months]
        name = fuel_name(fuel, summary)
        model = line_trace("Model", x, rounded([row["model_gwh"] for row in months], 1), SECOND, unit="GWh")
        published = {
            "type": "bar",
            "name": "Published",
            "x": x,
            "y": rounded([row["published_gwh"] for row in months], 1),
            "marker": {"color": "#b8c4d0"},
            "hovertemplate": "%{y:,.0f} GWh",
        }
        layout = frame(
            "", "", margin={"l": 46, "b": 28}, yaxis={"nticks": 5}, xaxis={"tickangle": 0, "nticks": 5}
        )
        layout["font"] = {**layout["font"], "size": 11}
        alt = f"Monthly generation from {name}, model and published."
        charts.append(Chart(f"chart-validation-{n}", name, "", alt, [published, model], layout, height=190))
    return charts
