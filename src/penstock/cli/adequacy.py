"""`penstock adequacy`: is there enough power when plants fail, without and with the programme?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import CountryArgument, JsonOption, MwOption, ShareOption, TariffOption
from penstock.cli.progress import progress
from penstock.cli.refusals import option_places, refused
from penstock.cli.tables import console, table
from penstock.errors import Fault

__all__ = ["adequacy"]

YEARS, MOST_YEARS, MOST_SEED = 1000, 1_000_000, 2**63 - 1


def adequacy(
    country: CountryArgument,
    years: Annotated[int, typer.Option("--years", metavar="N", help="Years of outages to draw.")] = YEARS,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the outages, at least 0.")] = 1,
    stress: Annotated[
        str | None,
        typer.Option("--stress", metavar="NAME", help="A stress year of the country, like hydro_dry."),
    ] = None,
    mw: MwOption = None,
    mining_share: ShareOption = None,
    tariff: TariffOption = None,
    firm: Annotated[
        bool | None,
        typer.Option("--firm/--interruptible", help="Counts as demand, or is cut before people are."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", metavar="N", help="Threads.")] = 2,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the years that are done here; the same command goes on where it stopped.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw years of plant outages; loss of load and unserved energy by zone, with standard errors.

    The same outages are served without and with the programme. Writes nothing but the checkpoint.
    """
    _check(years, seed, workers)
    with progress() as report_step:
        report_step("Reading the tables", 0.0)
        from penstock.country import load_country

        facts = load_country(country)
        from penstock.programme import default_programme
        from penstock.study.adequacy import describe_adequacy, year_of_outages
        from penstock.study.prepared import prepare
        from penstock.study.stress import stressed

        with option_places(mw=mw, mining_share=mining_share, tariff_per_kwh=tariff):
            programme = default_programme(
                facts, mw=mw, mining_share=mining_share, tariff_per_kwh=tariff, firm=firm
            )
        report_step("Building the hours", 0.02)
        prepared = prepare(facts)
        if stress is not None:
            prepared = stressed(prepared, stress)
        report_step("Clearing with the programme", 0.05)
        found = year_of_outages(
            prepared,
            programme,
            years=years,
            seed=seed,
            workers=workers,
            checkpoint=checkpoint,
            progress=_with_rate(report_step),
        )
    document = describe_adequacy(prepared, programme, found, stress)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _check(years: int, seed: int, workers: int) -> None:
    faults = []
    if not 1 <= years <= MOST_YEARS:
        problem = f"must be from 1 to {MOST_YEARS:,} years"
        faults.append(Fault("--years", problem, "give a whole number in that range", value=str(years)))
    if seed > MOST_SEED:
        faults.append(Fault("--seed", f"must be at most {MOST_SEED}", "give a smaller one", value=str(seed)))
    for name, value, least in (("--seed", seed, 0), ("--workers", workers, 1)):
        if value < least:
            faults.append(Fault(name, f"must be at least {least}", "give a whole number", value=str(value)))
    if faults:
        raise refused(faults)


def _with_rate(report_step: Callable[[str, float], None]) -> Callable[[int, int], None]:
    """Progress with the years a second and the time left, told in tenths."""
    began, told = time.monotonic(), -1

    def tell(done: int, years: int) -> None:
        nonlocal told
        tenth = 10 * done // years
        if tenth == told:
            return
        told, rate = tenth, done / max(time.monotonic() - began, 1e-9)
        report_step(
            f"Outages: {10 * tenth} % of {years:,} years, {rate:,.0f} a second, "
            f"{(years - done) / rate:,.0f} s left",
            0.1 + 0.9 * done / years,
        )

    return tell


def _show(document: Mapping[str, Any]) -> None:
    from rich.text import Text

    from penstock.report.formats import number

    name = document["stress"]["name"] if document["stress"] else "study year"
    years = number(document["years"])
    title = f"{document['country']['name']} {document['year']}, {name}: {years} years of outages"
    shown = table(title, ("", "LOLE h/year", "± s.e.", "EUE MWh/year", "± s.e."))
    for case, label in (("base", "without"), ("programme", "with"), ("change", "change")):
        for zone, row in document[case].items():
            cells = [f"{label}, {zone}"]
            for key in ("lole_h", "eue_mwh"):
                cells += [_number(row[key]["value"]), _number(row[key]["standard_error"])]
            shown.add_row(*(Text(cell) for cell in cells))
    screen = console()
    screen.print(shown)
    cut = document["programme"]["system"]
    screen.print(
        Text(
            f"The programme ({'firm' if document['firm'] else 'interruptible'}) is cut in "
            f"{_number(cut['cut_h']['value'])} hours a year by {_number(cut['cut_mwh']['value'])} MWh."
        )
    )
    if document["never_seen"]:
        bound = f"{document['never_seen']:.2%}"
        screen.print(Text(f"Where nothing was seen, it happens in less than {bound} of years (95 %)."))


def _number(value: float | None) -> str:
    from penstock.report.formats import number

    if value is None:
        return "–"
    return number(value, 3 if abs(value) < 10 else 0)
