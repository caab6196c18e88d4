"""`penstock tariff`, `hosting` and `design`: which tariff is safe, how much fits, what passes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from penstock.cli.refusals import check_number, gather, option_places, refused
from penstock.errors import Fault

if TYPE_CHECKING:
    from penstock.country import Country
    from penstock.policy import Policy
    from penstock.programme import Programme
    from penstock.proof.trials import Trials

__all__ = ["design", "hosting", "tariff"]

WORKERS = 2
OUTAGE_YEARS = 200
MOST_OUTAGE_YEARS = 100_000
MOST_SEED = 2**63 - 1
#: Options of what the proofs call by another name.
OPTIONS = {"tariffs": "--judge", "most_mw": "--mw", "highest_tariff_per_kwh": "--highest-tariff"}

ReportStep = Callable[[str, float], None]

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
    asked = _Asked(country, policy, as_of, years, seed)
    with progress() as report_step:
        facts = _facts(report_step, country)
        from penstock.proof.documents import tariff_document
        from penstock.proof.tariff import check_tariffs, prove_tariff
        from penstock.report.proof_words import tariff_sentences

        programme, rules = _read(
            facts,
            asked,
            lambda _: check_tariffs(facts, judge or ()),
            mw=mw,
            mining_share=mining_share,
            tariff_per_kwh=tariff,
        )
        folder = _folder(out, facts)
        with staging(folder) as staged:
            trials = _trials(report_step, facts, rules, asked)
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
    asked = _Asked(country, policy, as_of, years, seed)
    with progress() as report_step:
        facts = _facts(report_step, country)
        from penstock.report.proof_words import hosting_sentences

        programme, rules = _read(facts, asked, tariff_per_kwh=tariff)
        folder = _folder(out, facts)
        with staging(folder) as staged:
            trials = _trials(report_step, facts, rules, asked)
            document = _hosting_document(trials, programme, report_step)
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
    with_hosting: Annotated[
        bool,
        typer.Option(
            "--with-hosting", help="Find the hosting capacity as well: a section of the page, hosting.json."
        ),
    ] = False,
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    years: YearsOption = OUTAGE_YEARS,
    seed: SeedOption = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search the programme of the largest public benefit that passes every guardrail.

    Size, mining share, places, firmness and tariff are searched. If nothing passes, it says which guardrail
    must move and by how much. Three files are written: design.json, design.html and the tariff.json of the
    programme as it was proposed.
    """
    asked = _Asked(country, policy, as_of, years, seed)
    with progress() as report_step:
        facts = _facts(report_step, country)
        from penstock.proof.design import check_bounds, highest_tariff_of
        from penstock.report.design import render_design
        from penstock.report.proof_words import design_sentences

        def highest() -> float:
            return highest_tariff_of(facts) if highest_tariff is None else highest_tariff

        programme, rules = _read(
            facts,
            asked,
            lambda made: check_bounds(facts, most_mw=made.mw, highest_tariff_per_kwh=highest()),
            mw=mw,
        )
        folder = _folder(out, facts)
        end = 0.6 if with_hosting else 1.0
        with staging(folder) as staged:
            trials = _trials(report_step, facts, rules, asked)
            document, window = _design_documents(trials, programme, highest(), _part(report_step, 0.05, end))
            made = {"design": document, "tariff": window}
            if with_hosting:
                made["hosting"] = _hosting_document(trials, programme, _part(report_step, end, 1.0))
            names = {name: f"{name}.json" for name in made} | {"page": "design.html"}
            texts = {name: json_text(found) for name, found in made.items()}
            texts["page"] = render_design(document, window, made.get("hosting"))
            files = _publish(staged, folder, names, texts)
    _say(document, files, as_json, design_sentences)


def _design_documents(
    trials: Trials, programme: Programme, highest_tariff: float, report_step: ReportStep
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The design, and the tariff of the programme as it was proposed."""
    from penstock.proof.design import search_design
    from penstock.proof.documents import design_document, tariff_document
    from penstock.proof.sensitivity import sensitivities
    from penstock.proof.tariff import prove_tariff

    found = search_design(
        trials,
        programme,
        highest_tariff_per_kwh=highest_tariff,
        workers=WORKERS,
        progress=_part(report_step, 0.0, 0.8),
    )
    chosen = found.best or found.nearest
    cases = (
        ()
        if chosen is None
        else sensitivities(trials, chosen.programme, progress=_part(report_step, 0.8, 0.9))
    )
    document = design_document(trials, found, trials.programme(programme), cases)
    proof = prove_tariff(trials, programme, workers=WORKERS, progress=_part(report_step, 0.9, 1.0))
    return document, tariff_document(trials, proof)


def _hosting_document(trials: Trials, programme: Programme, report_step: ReportStep) -> dict[str, Any]:
    from penstock.proof.documents import hosting_document
    from penstock.proof.hosting import find_hosting

    found = find_hosting(
        trials,
        programme.sites,
        tariff_per_kwh=programme.tariff_per_kwh,
        workers=WORKERS,
        progress=report_step,
    )
    return hosting_document(trials, found)


def _part(report_step: ReportStep, low: float, high: float) -> ReportStep:
    """Progress of one part of the work. low, high: where it begins and ends, of the whole. [1]"""
    return lambda step, share: report_step(step, low + (high - low) * share)


def _folder(out: Path | None, facts: Country) -> Path:
    return Path("out") / facts.id if out is None else out


def _facts(report_step: ReportStep, country: str) -> Country:
    """The tables, before the slower imports: a wrong name is refused at once."""
    report_step("Reading the tables", 0.0)
    from penstock.country import load_country

    return load_country(country)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Arguments of all three commands, as they were given."""

    country: str
    policy: Path | None
    as_of: str | None
    years: int
    seed: int


def _read(
    facts: Country,
    asked: _Asked,
    check: Callable[[Programme], None] = lambda _: None,
    **given: float | None,
) -> tuple[Programme, tuple[Policy, dt.date]]:
    """The programme, the guardrails and the day on which they are judged.

    check: of what else was given, on the programme as it was asked for. given: parts of the programme.

    Raises InputError with all faults, before anything long is done.
    """
    from penstock.programme import default_programme
    from penstock.study.policies import load_policy

    faults: list[Fault] = []

    def made(**parts: float | None) -> Programme:
        with option_places(**parts):
            return default_programme(
                facts,
                mw=parts.get("mw"),
                mining_share=parts.get("mining_share"),
                tariff_per_kwh=parts.get("tariff_per_kwh"),
            )

    programme = gather(faults, {}, lambda: made(**given))
    stand_in = programme or gather([], {}, made)
    if stand_in is not None:
        gather(faults, OPTIONS, lambda: check(stand_in))
    day = _day(asked.as_of, facts.year, faults)
    check_number(faults, "--years", asked.years, "years", 1, MOST_OUTAGE_YEARS)
    if not 0 <= asked.seed <= MOST_SEED:
        problem = f"must be from 0 to {MOST_SEED}"
        faults.append(Fault("--seed", problem, "give a whole number in that range", value=str(asked.seed)))
    rules = gather(faults, {}, lambda: load_policy(asked.country, asked.policy))
    if faults or programme is None or rules is None:
        raise refused(faults)
    return programme, (rules, day)


def _trials(report_step: ReportStep, facts: Country, rules: tuple[Policy, dt.date], asked: _Asked) -> Trials:
    """The year without a load, and what it is judged by."""
    from penstock.proof.trials import make_trials
    from penstock.study.prepared import prepare

    report_step("Building the hours", 0.01)
    prepared = prepare(facts)
    report_step("Clearing without the programme", 0.03)
    return make_trials(prepared, *rules, years=asked.years, seed=asked.seed)


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
