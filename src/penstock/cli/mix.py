"""`penstock mix`: the frontier of shares of mining and AI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import CountryArgument, JsonOption, TariffOption, finite
from penstock.cli.progress import progress
from penstock.cli.refusals import option_places
from penstock.cli.tables import console, table

__all__ = ["mix"]

FILES = {"mix": "mix.json", "page": "mix.html"}
WORKERS = 2
STEP_MW = 250.0


def mix(
    country: CountryArgument,
    mw: Annotated[
        float | None,
        typer.Option(metavar="MW", callback=finite, help="Most power of mining and AI together. [MW]"),
    ] = None,
    step: Annotated[
        float,
        typer.Option(metavar="MW", callback=finite, help="Step from one mix to the next; divides --mw. [MW]"),
    ] = STEP_MW,
    tariff: TariffOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the two files. Default: out/<country id>."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Clear a country's year with every mix of mining and AI.

    Every pair of megawatts on a grid, together at most --mw, is cleared and held against the year without a
    programme. Two files are written, all or none: mix.json and mix.html.
    """
    with progress() as report_step:
        report_step("Reading the tables", 0.0)
        from penstock.country import load_country

        facts = load_country(country)  # before the slower imports: a wrong name is refused at once
        from penstock.mix import check_grid
        from penstock.mix import mix as find_mix
        from penstock.programme import default_programme
        from penstock.report.mix import render_mix

        with option_places(mw=mw, tariff_per_kwh=tariff, step_mw=step):
            programme = default_programme(facts, mw=mw, tariff_per_kwh=tariff)
            check_grid(programme.mw, step)
        folder = Path("out") / facts.id if out is None else out
        with staging(folder) as staged:
            found = find_mix(facts, programme, step_mw=step, workers=WORKERS, progress=report_step)
            report_step("Writing the page", 1.0)
            text, page = json_text(found.document), render_mix(found.document)
            with disk_refusals(folder):
                (staged / FILES["mix"]).write_text(text, "utf-8", newline="\n")
                (staged / FILES["page"]).write_text(page, "utf-8", newline="\n")
            files = publish(staged, folder, FILES)
    if as_json:
        print_json({**found.document, "files": {name: str(path) for name, path in files.items()}})
    else:
        _show(found.document, files)


def _show(document: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Prints the mixes that use all the power, the finding, and the files."""
    from rich.text import Text

    from penstock.report.formats import millions, number, signed
    from penstock.report.mix_words import mix_headline, mix_remarks

    currency, whole = document["country"]["currency"], document["programme"]["mw"]
    columns = (
        *("mining MW", "AI MW", "TWh", "income M USD", f"consumers {currency}/kWh, pooled", "hourly"),
        *("imports M USD", "jobs"),
    )
    title = f"{document['country']['name']} {document['year']}: all {number(whole)} MW, change against none"
    shown = table(title, columns)
    for row in document["points"]:
        if abs(row["mining_mw"] + row["ai_mw"] - whole) <= 1e-6 * whole:
            cells = (
                number(row["mining_mw"]),
                number(row["ai_mw"]),
                number(row["energy_gwh"] / 1e3, 2),
                millions(row["income_usd"]),
                signed(row["consumer_change_pooled_per_kwh"], 2),
                signed(row["consumer_change_marginal_per_kwh"], 2),
                signed(row["fuel_imports_change_usd"] / 1e6, 1),
                number(row["jobs"]),
            )
            shown.add_row(*(Text(cell) for cell in cells))
    screen = console()
    screen.print(shown)
    for sentence in [mix_headline(dict(document)), *mix_remarks(dict(document))]:
        screen.print(Text(sentence))
    screen.print()
    for name, path in files.items():
        screen.print(Text(f"{name:8} {path}"), soft_wrap=True)
