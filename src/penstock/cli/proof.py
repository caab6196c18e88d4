"""`penstock tariff`, `hosting` and `design`: which tariff is safe, how much fits, what passes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import (
    CountryArgument,
    JsonOption,
    MwOption,
    ShareOption,
    TariffOption,
    finite,
)
from penstock.cli.progress import progress
from penstock.cli.refusals import option_places, refused
from penstock.errors import Fault

if TYPE_CHECKING:
    from penstock.country import Country
    from penstock.programme import Programme
    from penstock.proof.trials import Trials

__all__ = ["design", "hosting", "tariff"]

WORKERS = 2
OUTAGE_YEARS = 200
MOST_OUTAGE_YEARS = 100_000

PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="Guardrails. Default: those of the country."),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Day on which the guardrails are judged, YYYY-MM-DD. Default: the last of the study year.",
    ),
]
YearsOption = Annotated[
    int, typer.Option("--years", metavar="N", help="Years of outages drawn for each case.")
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the outages.")]
OutOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder for the files. Default: out/<country id>.")
]


def tariff(
    country: CountryArgument,
    judge: Annotated[
        list[float] | None,
        typer.Option(
            "--judge", metavar="PRICE", help="Judge this tariff as well; may be repeated. [currency/kWh]"
        ),
    ] = None,
    mw: MwOption = None,
    mining_share: ShareOption = None,
    tariff: TariffOption = None,
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    years: YearsOption = OUTAGE_YEARS,
    seed: SeedOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove or refuse a tariff: its floor, its ceiling, the window between, a verdict on each.

    One file is written: tariff.json.
    """
    with progress() as report_step:
        from penstock.proof.documents import tariff_document
        from penstock.proof.tariff import prove_tariff
        from penstock.report.proof_words import tariff_sentences

        facts, programme = _programme(report_step, country, mw, mining_share, tariff)
        folder = Path("out") / facts.id if out is None else out
        with staging(folder) as staged:
            trials = _trials(report_step, facts, country, policy, as_of, years, seed)
            with option_places(tariff="--judge"):
                found = prove_tariff(
                    trials, programme, tariffs=judge or (), workers=WORKERS, progress=report_step
                )
            document = tariff_document(trials, found)
            files = _publish(staged, folder, {"tariff": "tariff.json"}, {"tariff": json_text(document)})
    _say(document, files, as_json, tariff_sentences)


def hosting(
    country: CountryArgument,
    tariff: TariffOption = None,
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    years: YearsOption = OUTAGE_YEARS,
    seed: SeedOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """The most flat load that passes every guardrail: by zone and together, firm and interruptible.

    One file is written: hosting.json.
    """
    with progress() as report_step:
        from penstock.proof.documents import hosting_document
        from penstock.proof.hosting import find_hosting
        from penstock.report.proof_words import hosting_sentences

        facts, programme = _programme(report_step, country, None, None, tariff)
        folder = Path("out") / facts.id if out is None else out
        with staging(folder) as staged:
            trials = _trials(report_step, facts, country, policy, as_of, years, seed)
            found = find_hosting(
                trials,
                programme.sites,
                tariff_per_kwh=programme.tariff_per_kwh,
                workers=WORKERS,
                progress=report_step,
            )
            document = hosting_document(trials, found)
            files = _publish(staged, folder, {"hosting": "hosting.json"}, {"hosting": json_text(document)})
    _say(document, files, as_json, hosting_sentences)


def design(
    country: CountryArgument,
    mw: Annotated[
        float | None,
        typer.Option(metavar="MW", callback=finite, help="Largest size. Default: the programme's. [MW]"),
    ] = None,
    highest_tariff: Annotated[
        float | None,
        typer.Option(
            "--highest-tariff",
            metavar="PRICE",
            callback=finite,
            help="Highest tariff that is tried. Default: what industry ordinarily pays. [currency/kWh]",
        ),
    ] = None,
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    years: YearsOption = OUTAGE_YEARS,
    seed: SeedOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search the programme of the largest public benefit that passes every guardrail.

    Size, mining share, places, firmness and tariff are searched. If nothing passes, it says which guardrail
    must move and by how much. Two files are written: design.json and design.html.
    """
    with progress() as report_step:
        from penstock.proof.design import highest_tariff_of, search_design
        from penstock.proof.documents import design_document, tariff_document
        from penstock.proof.sensitivity import sensitivities
        from penstock.proof.tariff import prove_tariff
        from penstock.report.design import render_design
        from penstock.report.proof_words import design_sentences

        facts, programme = _programme(report_step, country, mw, None, None)
        highest = highest_tariff_of(facts) if highest_tariff is None else highest_tariff
        folder = Path("out") / facts.id if out is None else out
        with staging(folder) as staged:
            trials = _trials(report_step, facts, country, policy, as_of, years, seed)
            found = search_design(
                trials,
                programme,
                highest_tariff_per_kwh=highest,
                workers=WORKERS,
                progress=lambda step, share: report_step(step, 0.05 + 0.75 * share),
            )
            chosen = found.best or found.nearest
            cases = (
                ()
                if chosen is None
                else sensitivities(
                    trials,
                    chosen.programme,
                    progress=lambda step, share: report_step(step, 0.8 + 0.18 * share),
                )
            )
            document = design_document(trials, found, trials.programme(programme), cases)
            window = tariff_document(trials, prove_tariff(trials, programme, workers=WORKERS))
            names = {"design": "design.json", "page": "design.html"}
            texts = {"design": json_text(document), "page": render_design(document, window)}
            files = _publish(staged, folder, names, texts)
    _say(document, files, as_json, design_sentences)


def _programme(
    report_step: Callable[[str, float], None],
    country: str,
    mw: float | None,
    mining_share: float | None,
    tariff: float | None,
) -> tuple[Country, Programme]:
    report_step("Reading the tables", 0.0)
    from penstock.country import load_country

    facts = load_country(country)  # before the slower imports: a wrong name is refused at once
    from penstock.programme import default_programme

    with option_places(mw=mw, mining_share=mining_share, tariff_per_kwh=tariff):
        return facts, default_programme(facts, mw=mw, mining_share=mining_share, tariff_per_kwh=tariff)


def _trials(
    report_step: Callable[[str, float], None],
    facts: Country,
    country: str,
    policy: Path | None,
    as_of: str | None,
    years: int,
    seed: int,
) -> Trials:
    """The year without a load, and what it is judged by. Raises InputError with all faults of the options."""
    from penstock.proof.trials import make_trials
    from penstock.study.policies import load_policy
    from penstock.study.prepared import prepare

    faults: list[Fault] = []
    day = _day(as_of, facts.year, faults)
    if not 1 <= years <= MOST_OUTAGE_YEARS:
        problem = f"must be from 1 to {MOST_OUTAGE_YEARS} years"
        faults.append(Fault("--years", problem, "give a whole number in that range", value=str(years)))
    if seed < 0:
        faults.append(Fault("--seed", "must be at least 0", "give a whole number", value=str(seed)))
    if faults:
        raise refused(faults)
    guardrails = load_policy(country, policy)
    report_step("Building the hours", 0.01)
    prepared = prepare(facts)
    report_step("Clearing without the programme", 0.03)
    return make_trials(prepared, guardrails, day, years=years, seed=seed)


def _day(text: str | None, year: int, faults: list[Fault]) -> dt.date:
    last = dt.date(year, 12, 31)
    if text is None:
        return last
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        faults.append(Fault("--as-of", "is no date", f"write YYYY-MM-DD, like {last}", value=text))
        return last


def _publish(
    staged: Path, folder: Path, names: Mapping[str, str], texts: Mapping[str, str]
) -> dict[str, Path]:
    with disk_refusals(folder):
        for key, text in texts.items():
            (staged / names[key]).write_text(text, "utf-8", newline="\n")
    return publish(staged, folder, names)


def _say(
    document: Mapping[str, Any],
    files: Mapping[str, Path],
    as_json: bool,
    show: Callable[[Mapping[str, Any]], list[str]],
) -> None:
    """One JSON document, or what it says in tables and sentences, and the files."""
    if as_json:
        print_json({**document, "files": {name: str(path) for name, path in files.items()}})
        return
    from rich.text import Text

    from penstock.cli.proof_tables import proof_tables
    from penstock.cli.tables import console

    screen = console()
    for shown in proof_tables(document):
        screen.print(shown)
    for sentence in show(document):
        screen.print(Text(sentence))
    screen.print()
    for name, path in files.items():
        screen.print(Text(f"{name:8} {path}"), soft_wrap=True)
