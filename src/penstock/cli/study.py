"""`penstock run`: a country's year without and with a programme."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import CountryArgument, JsonOption, MwOption, ShareOption, TariffOption
from penstock.cli.progress import progress
from penstock.cli.refusals import option_places
from penstock.cli.tables import console, table

if TYPE_CHECKING:
    from rich.table import Table

    from penstock.study import Study

__all__ = ["run"]

FILES = {"summary": "summary.json", "hourly": "hourly.parquet", "report": "report.html"}

# Label, unit ("{currency}" is the country's), key in a side of the summary, divisor for display, decimals.
FIGURES = (
    ("System cost", "M USD", "cost_usd", 1e6, 1),
    ("Energy served", "TWh", "energy_served_gwh", 1e3, 2),
    ("Energy of the programme", "TWh", "programme_energy_gwh", 1e3, 2),
    ("Mean price", "USD/MWh", "price_usd_per_mwh_mean", 1.0, 2),
    ("Pooled cost", "USD/MWh", "pooled_cost_usd_per_mwh", 1.0, 2),
    ("Capacity payment", "{currency}/kWh", "capacity_payment_per_kwh", 1.0, 2),
    ("Unserved", "GWh", "unserved_gwh", 1.0, 1),
    ("Curtailed", "GWh", "curtailed_gwh", 1.0, 1),
    ("Fuel imports", "M USD", "fuel_imports_usd", 1e6, 1),
    ("Emissions", "Mt CO2", "emissions_t", 1e6, 2),
)
# Column, key of a month of the loads, divisor for display, decimals.
MONTH_FIGURES = (
    ("mining MW", "mining_mw", 1.0, 0),
    ("AI MW", "ai_mw", 1.0, 0),
    ("left MW", "left_mw", 1.0, 0),
    ("interrupted MW", "interrupted_mw", 1.0, 1),
    ("in hours", "interrupted_hours", 1.0, 0),
    ("cost M USD", "cost_usd", 1e6, 2),
)
RULES = (("pooled", "pooled billing"), ("marginal", "marginal pricing"))


def run(
    country: CountryArgument,
    mw: MwOption = None,
    mining_share: ShareOption = None,
    tariff: TariffOption = None,
    firm: Annotated[
        bool | None,
        typer.Option(
            "--firm/--interruptible", help="Served like any demand, or only where its bid covers the price."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the three files. Default: out/<country id>."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Clear a country's year and write its report.

    The market is cleared without and with the programme. Three files are written, all or none:
    summary.json, hourly.parquet and report.html.
    """
    with progress() as report_step:
        report_step("Reading the tables", 0.0)
        from penstock.country import load_country

        facts = load_country(country)  # before the slower imports: a wrong name is refused at once
        from penstock.programme import default_programme
        from penstock.study import run as run_study
        from penstock.study.policies import own_policy

        with option_places(mw=mw, mining_share=mining_share, tariff_per_kwh=tariff):
            programme = default_programme(
                facts, mw=mw, mining_share=mining_share, tariff_per_kwh=tariff, firm=firm
            )
        folder = Path("out") / facts.id if out is None else out
        with staging(folder) as staged:
            study = run_study(facts, programme, policy=own_policy(country), progress=report_step)
            report_step("Writing the report", 1.0)
            _write(study, staged, folder)
            files = publish(staged, folder, FILES)
    if as_json:
        print_json({**study.summary, "files": {name: str(path) for name, path in files.items()}})
    else:
        _show_study(study.summary, files)


def _write(study: Study, staged: Path, folder: Path) -> None:
    """Makes the three files in `staged`, after everything that can fail for a fault of ours.

    Raises ValueError where the summary holds NaN or an infinity, InputError where the disk refuses.
    """
    from penstock.report import render_report

    summary = json_text(study.summary)
    page = render_report(study.summary, study.hourly)
    with disk_refusals(folder):
        (staged / FILES["summary"]).write_text(summary, "utf-8", newline="\n")
        (staged / FILES["report"]).write_text(page, "utf-8", newline="\n")
        study.hourly.to_parquet(staged / FILES["hourly"], engine="pyarrow", index=False)


def _show_study(summary: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Prints the figures, who gains and pays, the loads by month, the result in sentences, and the files."""
    from rich.text import Text

    from penstock.report.borrowed import borrowed_sentences
    from penstock.report.guardrails import verdict_sentences
    from penstock.report.headline import headline, remarks
    from penstock.report.running import running_sentences

    screen = console()
    screen.print(_figures(summary))
    screen.print(_parties(summary))
    if summary["loads"]["year"]["offered_mwh"]:
        screen.print(_months(summary))
    sentences = [headline(dict(summary)), *verdict_sentences(summary)]
    sentences += borrowed_sentences(summary["borrowed"])
    sentences += [*remarks(dict(summary))[:3], *running_sentences(dict(summary))]
    for sentence in sentences:
        screen.print(Text(sentence))
    screen.print()
    for name, path in files.items():
        screen.print(Text(f"{name:8} {path}"), soft_wrap=True)


def _figures(summary: Mapping[str, Any]) -> Table:
    from rich.text import Text

    from penstock.report.formats import number, signed

    currency = summary["country"]["currency"]
    title = f"{summary['country']['name']} {summary['year']}: the market without and with the programme"
    shown = table(title, ("", "unit", "without", "with", "change"))
    for label, unit, key, divisor, decimals in FIGURES:
        without, together, change = (
            None if summary[side][key] is None else summary[side][key] / divisor
            for side in ("base", "with_programme", "change")
        )
        cells = (number(without, decimals), number(together, decimals), signed(change, decimals))
        shown.add_row(*(Text(cell) for cell in (label, unit.format(currency=currency), *cells)))
    return shown


def _months(summary: Mapping[str, Any]) -> Table:
    """The loads by month: what ran, left by itself and was interrupted, in mean MW."""
    from rich.text import Text

    from penstock.report.formats import MONTHS, number, size_text

    title = "Who ran, who left by itself, who was interrupted: mean MW by month"
    shown = table(title, ("", *(name for name, *_ in MONTH_FIGURES)))
    for row in summary["loads"]["by_month"]:
        cells = (
            size_text(row[key]) if key.endswith("_mw") else number(row[key] / divisor, decimals)
            for _, key, divisor, decimals in MONTH_FIGURES
        )
        shown.add_row(Text(MONTHS[row["month"] - 1]), *(Text(cell) for cell in cells))
    return shown


def _parties(summary: Mapping[str, Any]) -> Table:
    from rich.text import Text

    from penstock.report.formats import millions_decimals

    incidence = summary["incidence"]
    changes = [{row["party"]: row["change_usd"] for row in incidence[rule]["parties"]} for rule, _ in RULES]
    names = {row["party"]: row["name"] for rule, _ in RULES for row in incidence[rule]["parties"]}
    total = [incidence[rule]["sum_usd"] for rule, _ in RULES]
    decimals = millions_decimals(usd for change in changes for usd in change.values())
    shown = table("Who gains and who pays, M USD a year", ("", *(name for _, name in RULES)))
    for party, name in names.items():
        shown.add_row(Text(name), *(Text(_gain_or_pay(change.get(party), decimals)) for change in changes))
    shown.add_row(Text("all together"), *(Text(_gain_or_pay(change, decimals)) for change in total))
    return shown


def _gain_or_pay(change_usd: float | None, decimals: int) -> str:
    """A change as words: positive pays more or earns less, negative gains; "0.0" where it rounds to that."""
    from penstock.report.formats import millions

    if change_usd is None or millions(change_usd, decimals) == millions(0.0, decimals):
        return millions(change_usd, decimals)
    return f"{'pays' if change_usd > 0 else 'gains'} {millions(abs(change_usd), decimals)}"
