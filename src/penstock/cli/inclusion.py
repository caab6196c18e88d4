"""`penstock inclusion`: where a Bitcoin rail saves people money, and whether they would take it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import CountryArgument, JsonOption
from penstock.cli.tables import console, table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["inclusion"]

OBSERVED_IN = "SLV"
FORECAST_FROM = 2024.0  # the uptake is estimated from what was known before, and held against what came


def inclusion(
    country: CountryArgument,
    period: Annotated[
        str | None,
        typer.Option(metavar="QUARTER", help="Quarter of the costs, e.g. 2025-Q1. Default: the last."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what sending money home costs by corridor, what a Bitcoin rail would save, and who would use it.

    The uptake is estimated from what was known of El Salvador's wallets at the end of 2023; its forecast
    stands beside what came.
    """
    from penstock.country import load_country

    document = _document(load_country(country), period)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _document(facts: Any, period: str | None) -> dict[str, Any]:
    from penstock.inclusion.corridors import corridors, inclusion_tables, rail_cost

    found = corridors(facts.iso3, period)
    rail = rail_cost(200.0)
    return {
        "schema_version": 1,
        "country": {"id": facts.id, "name": facts.name, "iso3": facts.iso3},
        "period": found[0].period,
        "amount_usd": 200.0,
        "rail": {
            "cost_pct": rail.central,
            "low_pct": rail.low,
            "high_pct": rail.high,
            "parts_pct": dict(rail.parts),
        },
        "corridors": [_corridor(one) for one in found],
        "saves_nothing": [one.sender for one in found if one.helps == "no"],
        "uptake": _uptake(),
        "accounts": _accounts(facts.iso3),
        "rail_costs": [dict(row) for row in inclusion_tables()["rail_costs"]],
        "sources": [dict(row) for row in inclusion_tables()["sources"]],
    }


def _corridor(one: Any) -> dict[str, Any]:
    saving, gain = one.saving(200.0), one.gain_usd_million()
    return {
        "from": one.sender,
        "name": one.sender_name,
        "cost_pct": one.cost_pct[200.0],
        "cost_500_pct": one.cost_pct[500.0],
        "quotes": one.quotes,
        "rail_cost_pct": one.rail[200.0].central,
        "saving_pct": None if saving is None else saving[1],
        "saving_low_pct": None if saving is None else saving[0],
        "saving_high_pct": None if saving is None else saving[2],
        "helps": one.helps,
        "sent_usd_million": None if one.flow is None else one.flow.usd_million,
        "sent_basis": None if one.flow is None else one.flow.basis,
        "gain_usd_million": None if gain is None else {"low": gain[0], "central": gain[1], "high": gain[2]},
    }


def _accounts(iso3: str) -> list[dict[str, Any]]:
    """The last survey of accounts, here and where the uptake was observed."""
    from penstock.inclusion.corridors import inclusion_tables

    found = []
    for one in dict.fromkeys((iso3, OBSERVED_IN)):
        rows = [row for row in inclusion_tables()["accounts"] if row["iso3"] == one]
        found += [dict(max(rows, key=lambda row: row["year"]))] if rows else []
    return found


def _uptake() -> dict[str, Any]:
    from dataclasses import asdict

    from penstock.inclusion.uptake import LEVEL, PRIORS, observations, posterior

    seen = observations(FORECAST_FROM)
    later = [one for one in observations(9999.0) if one.year > FORECAST_FROM]
    found = posterior(seen)
    forecasts = found.forecast([one.year for one in later], [one.log_sd for one in later])
    return {
        "estimated_from": [asdict(one) for one in seen],
        "level": LEVEL,
        "effective_draws": found.effective,
        "priors": {name: asdict(prior) for name, prior in PRIORS.items()},
        "parameters": {
            name: dict(zip(("low", "median", "high"), found.interval(name), strict=True)) for name in PRIORS
        },
        "forecast": [
            asdict(told) | {"observed": came.share, "within": told.low <= came.share <= told.high}
            for told, came in zip(forecasts, later, strict=True)
        ],
    }


def _show(document: Mapping[str, Any]) -> None:
    from rich.text import Text

    from penstock.report.formats import number

    rail, name = document["rail"], document["country"]["name"]
    title = f"Sending 200 USD to {name}, {document['period']}: per cent of the sum"
    shown = table(title, ("from", "today", "rail", "saves", "low", "high", "sent M USD", "gain M USD a year"))
    for row in document["corridors"]:
        gain = row["gain_usd_million"]
        cells = (
            row["name"],
            number(row["cost_pct"], 1),
            number(row["rail_cost_pct"], 1),
            number(row["saving_pct"], 1),
            number(row["saving_low_pct"], 1),
            number(row["saving_high_pct"], 1),
            number(row["sent_usd_million"]),
            ""
            if gain is None
            else f"{number(gain['central'])} ({number(gain['low'])} to {number(gain['high'])})",
        )
        shown.add_row(*(Text(cell) for cell in cells))
    screen = console()
    screen.print(shown)
    nothing = [row["name"] for row in document["corridors"] if row["helps"] == "no"]
    sure = [row["name"] for row in document["corridors"] if row["helps"] == "yes"]
    screen.print(
        Text(
            f"A rail costs {number(rail['cost_pct'], 1)} % ({number(rail['low_pct'], 1)} to "
            f"{number(rail['high_pct'], 1)}). It saves nothing, not even at its cheapest, from: "
            f"{', '.join(nothing) or 'no country'}. "
            f"It saves for sure from: {', '.join(sure) or 'no country'}."
        )
    )
    _show_uptake(screen, document)


def _show_uptake(screen: Console, document: Mapping[str, Any]) -> None:
    from rich.text import Text

    from penstock.report.formats import number, percent

    surveyed = table(
        "Adults with an account, per cent",
        ("country", "year", "all", "women", "men", "poorest 40 %", "mobile"),
    )
    for row in document["accounts"]:
        keys = ("account_pct", "account_female_pct", "account_male_pct", "account_poorest40_pct")
        values = [number(row[key], 1) for key in (*keys, "mobile_account_pct")]
        surveyed.add_row(*(Text(cell) for cell in (row["iso3"], str(row["year"]), *values)))
    screen.print(surveyed)
    screen.print(
        Text(
            "The uptake was observed in El Salvador alone, where a bonus was paid and no currency is "
            "changed; here it is shown, not carried over."
        )
    )
    for told in document["uptake"]["forecast"]:
        use = "" if told["useful"] else "; too wide to be of use"
        hit = "within it" if told["within"] else "outside it"
        screen.print(
            Text(
                f"Uptake, as forecast at the end of 2023 for {told['year']:.1f}: "
                f"{percent(told['median'], 2)} of remittances ({percent(told['low'], 2)} to "
                f"{percent(told['high'], 2)}{use}); "
                f"{percent(told['observed'], 2)} came, {hit}."
            )
        )
