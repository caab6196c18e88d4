"""The one HTML file: a summary and its hours put into the template, with everything it needs inside."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pandas as pd
import plotly.offline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from penstock.errors import Fault, InputError

from . import figures, tables
from .borrowed import borrowed_sentences, borrowed_table
from .cells import Table
from .centres import centre_charts, centre_sentences, centre_tables
from .formats import number, percent
from .guardrails import guardrail_page, verdict_sentences
from .headline import headline, key_figures, programme_name, proof, remarks
from .miners import miner_charts, miner_sentences, miner_tables
from .plots import Chart
from .running import programme_bids, running_charts, running_sentences, running_tables
from .zone_map import zone_map

__all__ = ["render_report"]

SUMMARY_KEYS = (
    "schema_version",
    "penstock_version",
    "country",
    "year",
    "programme",
    "loads",
    "base",
    "with_programme",
    "change",
    "clearing",
    "surplus",
    "incidence",
    "validation",
    "variants",
    "borrowed",
    "assumptions",
    "sources",
)
SCHEMA_VERSION = 1


def render_report(summary: dict[str, Any], hourly: pd.DataFrame) -> str:
    """The report as one HTML page that loads nothing from anywhere. Same input, same bytes.

    summary: a study's summary, as in its `summary.json`; money in USD, energy in GWh, power in MW.
    hourly: a study's hours, 8,760 rows: `hour_utc`, `base.…` and `with.…` columns in MW and USD/MWh.

    Raises InputError that lists every missing part of the summary and every missing column of the hours.
    """
    faults = [*_summary_faults(summary), *_hourly_faults(summary, hourly)]
    if faults:
        raise InputError(faults)
    charts = _charts(summary, hourly)
    small = figures.validation_months(summary)
    shown = [*charts.values(), *small]
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            summary=summary,
            country=summary["country"],
            programme_name=programme_name(summary["programme"]),
            headline=headline(summary),
            remarks=[
                *verdict_sentences(summary),
                *borrowed_sentences(summary["borrowed"]),
                *remarks(summary),
            ],
            key_figures=key_figures(summary),
            proof=proof(summary),
            guardrails=guardrail_page(summary),
            surplus={
                "margin": percent(summary["surplus"]["reserve_margin_share"], 1),
                "mean": number(summary["surplus"]["mean_mw"]),
                "minimum": number(summary["surplus"]["minimum_mw"]),
            },
            running=running_sentences(summary),
            miners=miner_sentences(summary),
            centres=centre_sentences(summary),
            tables=_tables(summary),
            charts=charts,
            small_charts=small,
            maps=_maps(summary),
            weeks=_weeks(hourly, summary),
            fuel_keys=figures.fuel_keys(summary, figures.hourly_fuels(hourly)),
            figures_json=_json({chart.ident: chart.spec() for chart in shown}),
            dispatch_json=_json(figures.dispatch_hours(summary, hourly)),
            plotly_js=_script(plotly.offline.get_plotlyjs()),
            style=Markup(_part("style.css")),
            script=_script(_part("page.js") + _part("tables.js")),
        )
    )
    return page if page.endswith("\n") else page + "\n"


def _environment() -> Environment:
    """Templates that escape what is put into them, and refuse what is missing."""
    return Environment(
        loader=PackageLoader("penstock", "report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _summary_faults(summary: dict[str, Any]) -> list[Fault]:
    mend = "pass the summary of a study made by this version of Penstock"
    found = [Fault("summary", f"{key!r} is missing", mend) for key in SUMMARY_KEYS if key not in summary]
    version = summary.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        problem = f"the report reads schema version {SCHEMA_VERSION}"
        found.append(Fault("summary", problem, mend, column="schema_version", value=str(version)))
    return found


def _hourly_faults(summary: dict[str, Any], hourly: pd.DataFrame) -> list[Fault]:
    mend = "pass the hours of the same study as the summary"
    zones = [zone["zone"] for zone in summary.get("country", {}).get("zones", [])]
    wanted = ["hour_utc"]
    for side in ("base", "with"):
        wanted += [f"{side}.{name}.{zone}" for name in ("demand_mw", "price_usd_per_mwh") for zone in zones]
    found = [
        Fault("hourly", "the column is missing", mend, column=name)
        for name in wanted
        if name not in hourly.columns
    ]
    if len(hourly) == 0 or len(hourly) % 24:
        problem = "the hours must be whole days, a multiple of 24 and at least 24"
        found.append(Fault("hourly", problem, mend, value=f"{len(hourly)} rows"))
    return found


def _charts(summary: dict[str, Any], hourly: pd.DataFrame) -> dict[str, Chart]:
    without, with_programme = figures.generation_months(summary)
    return {
        "incidence": figures.incidence(summary),
        "surplus_duration": figures.surplus_duration(summary),
        "surplus_supply": figures.surplus_supply(summary),
        "surplus_months": figures.surplus_months(summary),
        "dispatch": figures.dispatch(summary, hourly),
        **running_charts(summary),
        **miner_charts(summary),
        **centre_charts(summary),
        "months_without": without,
        "months_with": with_programme,
        "price_duration": figures.price_duration(summary, hourly),
        "load_duration": figures.load_duration(summary, hourly),
    }


def _tables(summary: dict[str, Any]) -> dict[str, Table]:
    return {
        "pooled": tables.incidence("pooled", "Pooled billing: everybody pays the mean cost", summary),
        "marginal": tables.incidence("marginal", "Marginal pricing: every hour at its own price", summary),
        "bids": programme_bids(summary),
        "surplus_zones": tables.surplus_zones(summary),
        "surplus_months": tables.surplus_months(summary),
        "surplus_prices": tables.surplus_prices(summary),
        "totals": tables.totals(summary),
        "generation": tables.generation(summary),
        **running_tables(summary),
        **miner_tables(summary),
        **centre_tables(summary),
        "zone_prices": tables.zone_prices(summary),
        "corridors": tables.corridors(summary),
        "validation": tables.validation_fuels(summary),
        "energy": tables.validation_energy(summary),
        "figures": tables.validation_figures(summary),
        "variants": tables.variants(summary),
        "borrowed": borrowed_table(summary),
        "assumptions": tables.assumptions(summary),
        "programme_assumptions": tables.programme_assumptions(summary),
        "sources": tables.sources(summary),
    }


def _maps(summary: dict[str, Any]) -> list[Any]:
    made = (
        zone_map("base", "map-base", "Without the programme", summary),
        zone_map("with_programme", "map-with", "With the programme", summary),
    )
    return [found for found in made if found is not None]


def _weeks(hourly: pd.DataFrame, summary: dict[str, Any]) -> list[str]:
    """Names of the 52 weeks from 1 January, local time; the last one takes the days that are left."""
    offset = pd.Timedelta(hours=float(summary["country"]["utc_offset_hours"]))
    days = (pd.to_datetime(hourly["hour_utc"]) + offset).iloc[12::24].reset_index(drop=True)
    weeks = max(1, len(days) // 7)
    names = []
    for week in range(weeks):
        first = days.iloc[week * 7]
        last = days.iloc[len(days) - 1 if week == weeks - 1 else week * 7 + 6]
        # %-d is not known everywhere.
        names.append(f"Week {week + 1}: {first.day} {first:%b} – {last.day} {last:%b}")
    return names


def _json(value: Any) -> Markup:
    """JSON that cannot end the script element that holds it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _script(text: str) -> Markup:
    """JavaScript of ours or of Plotly's, safe inside a script element."""
    return Markup(text.replace("</script", "<\\/script").replace("<!--", "<\\!--"))


def _part(name: str) -> str:
    return (files("penstock.report") / name).read_text(encoding="utf-8")
