"""The command line: parses, calls, shows. Numbers are scaled for reading (USD to million USD), no more.

Standard output carries the result (tables, or with --json exactly one JSON document); progress and errors
go to standard error. Exit codes: 0 done, 1 a fault in Penstock (with traceback), 2 refused input or
options, 130 interrupted.

Everything heavy is imported inside the functions that need it, so that `penstock --help` is quick.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from penstock import __version__
from penstock.errors import Fault, InputError, PenstockError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from penstock.study import Study

__all__ = ["app", "main"]

SUMMARY, HOURLY, REPORT = "summary.json", "hourly.parquet", "report.html"
INTERRUPTED = 130
PIPED_WIDTH = 100  # columns of a table that goes to a file or a pipe

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
RULES = (("pooled", "pooled billing"), ("marginal", "marginal pricing"))

app = typer.Typer(
    name="penstock",
    help="Clears a country's electricity market with and without Bitcoin mining and AI loads.",
    epilog="Example: penstock run pakistan --mw 2000 --out out/pakistan",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: it does not wait for Rich
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives its exit code: 0, 2 for refused input or options, 130 interrupted.

    arguments: words after `penstock`; those of the process where None.

    What is neither a PenstockError nor a wrong option is a fault in Penstock and is raised as it is.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in (words[: words.index("--")] if "--" in words else words)
    _survive_narrow_encodings()
    try:
        # Outside standalone mode wrong options are raised here, and an interrupt comes back as 130.
        code = typer.main.get_command(app).main(words, prog_name="penstock", standalone_mode=False)
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        if as_json:
            _print_json(_error_document(error, str(error), error.faults))
        return 2
    except TyperException as error:
        message = error.format_message()
        context = getattr(error, "ctx", None)
        hint = f"{getattr(context, 'command_path', 'penstock')} --help"
        no_words = bool(message) and len(words) == 0  # then the message is the help text
        print(message if no_words else f"penstock: {message}\nTry: {hint}", file=sys.stderr)
        if as_json:
            fault = Fault(place=_option_of(error), problem=message, mend=f"see {hint}")
            _print_json(_error_document(error, message, (fault,)))
        return 2
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("penstock: interrupted", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _survive_narrow_encodings() -> None:
    # A terminal that cannot show a sign gets "?" instead of a traceback. JSON is pure ASCII anyway.
    with suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


def _option_of(error: TyperException) -> str:
    """The option or argument that a wrong use is about."""
    parameter = getattr(error, "param", None)
    named = getattr(parameter, "opts", None) or [getattr(error, "option_name", None)]
    return str(named[0] or "command line")


def _error_document(error: Exception, message: str, faults: Sequence[Fault]) -> dict[str, Any]:
    fields = ("place", "row", "column", "value", "problem", "mend")
    listed = [{name: getattr(fault, name) for name in fields} for fault in faults]
    return {"error": {"type": type(error).__name__, "message": message, "faults": listed}}


def _print_json(document: Mapping[str, Any]) -> None:
    print(json.dumps(document, indent=2, allow_nan=False))


# --- commands --------------------------------------------------------------------------------------------

CountryArgument = Annotated[
    str, typer.Argument(metavar="COUNTRY_OR_FOLDER", help="A country that ships, or a folder of tables.")
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document; all else goes to standard error."),
]


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def penstock(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Clears a country's electricity market with and without Bitcoin mining and AI loads."""


@app.command()
def run(
    country: CountryArgument,
    mw: Annotated[
        float | None,
        typer.Option(metavar="MW", callback=_finite, help="Size of the programme. [MW]"),
    ] = None,
    mining_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            callback=_finite,
            help="Part of the programme that mines; the rest computes. [0 to 1]",
        ),
    ] = None,
    tariff: Annotated[
        float | None,
        typer.Option(
            metavar="PRICE",
            callback=_finite,
            help="Tariff of the programme. [the country's currency per kWh]",
        ),
    ] = None,
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
    with _progress() as report_step:
        report_step("Reading the tables", 0.0)
        from penstock.country import load_country

        facts = load_country(country)  # before the slower imports: a wrong name is refused at once
        from penstock.programme import default_programme
        from penstock.study import run as run_study

        programme = default_programme(
            facts, mw=mw, mining_share=mining_share, tariff_per_kwh=tariff, firm=firm
        )
        folder = Path("out") / facts.id if out is None else out
        with _staging(folder) as staged:
            study = run_study(facts, programme, progress=report_step)
            report_step("Writing the report", 1.0)
            _write(study, staged)
            files = _publish(staged, folder)
    if as_json:
        _print_json({**study.summary, "files": {name: str(path) for name, path in files.items()}})
    else:
        _show_study(study.summary, files)


@app.command()
def countries(as_json: JsonOption = False) -> None:
    """List the countries that ship with Penstock."""
    from penstock.country import load_country
    from penstock.country.load import shipped_countries

    found = [load_country(name) for name in shipped_countries()]
    fields = ("id", "name", "iso3", "currency", "year")
    rows = [{field: getattr(country, field) for field in fields} for country in found]
    if as_json:
        _print_json({"countries": rows})
        return
    if not rows:
        print("No country ships with this installation; give the path of a folder of tables.")
        return
    table = _table("", ("id", "name", "code", "currency", "year"), numbers=False)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    _console().print(table)


@app.command()
def check(country: CountryArgument, as_json: JsonOption = False) -> None:
    """Check a country's tables; list every fault."""
    from penstock.country import load_country

    facts = load_country(country)
    filled = [table for table in facts.tables.values() if len(table)]
    found = {
        "id": facts.id,
        "name": facts.name,
        "tables": len(filled),
        "rows": sum(len(table) for table in filled),
        "hourly_series": len(facts.hourly),
        "content_hash": facts.content_hash,
    }
    if as_json:
        _print_json({"country": found})
        return
    series = f", {len(facts.hourly)} hourly series" if facts.hourly else ""
    print(f"{facts.name}: {found['tables']} tables, {found['rows']} rows{series}, hash {facts.content_hash}")


@app.command()
def clear(
    network: Annotated[
        Path,
        typer.Argument(metavar="NETWORK", help="A PyPSA network: netCDF, HDF5, or a folder of CSV tables."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where it goes, replacing a file. Default: a new <network>-cleared.nc."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="What solves it: auto, kernel or highs.")
    ] = "auto",
    gap: Annotated[
        float, typer.Option(metavar="SHARE", help="How far from the best it may be. [above 0, to 1]")
    ] = 1e-6,
    as_json: JsonOption = False,
) -> None:
    """Clear a PyPSA network and write it with its results; the file that is read stays as it is."""
    started = time.perf_counter()
    with _progress() as report_step:
        from penstock.market.pypsa_files import clear_file, figures

        clearing, target = clear_file(network, output, engine=engine, gap=gap, progress=report_step)
    found = figures(clearing) | {"seconds": time.perf_counter() - started, "file": str(target)}
    if as_json:
        _print_json(found)
        return
    from penstock.report.cleared import rows

    _show_rows(f"{network.name}, {found['hours']} hours", rows(found))
    print(f"network  {target}")


# --- progress --------------------------------------------------------------------------------------------


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error; plain lines, one for each step, where that is no terminal."""
    if not sys.stderr.isatty():
        last: list[str] = []

        def say(step: str, fraction: float) -> None:
            if last != [step]:
                last[:] = [step]
                print(f"{fraction:4.0%} {step}", file=sys.stderr, flush=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True, highlight=False), transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, fraction: bar.update(task, description=step, completed=fraction)


# --- files -----------------------------------------------------------------------------------------------


def _out_error(folder: Path, problem: str) -> InputError:
    mend = "name a folder that can be written, or one that can be made"
    return InputError(Fault(place="--out", value=str(folder), problem=problem, mend=mend))


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """An empty hidden folder inside `folder`; gone at the end, with the folders made for it if all failed.

    It lies inside, not beside, so that its files can be moved even where `folder` is a mount point.
    It is made before the study runs: a folder that cannot be written is refused at once.

    Raises InputError where `folder` is a file or cannot be made or written.
    """
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    staged = None
    try:
        try:
            if os.path.lexists(folder) and not folder.is_dir():
                raise _out_error(folder, "is a file, not a folder")
            folder.mkdir(parents=True, exist_ok=True)
            staged = Path(tempfile.mkdtemp(prefix=".penstock-", dir=folder))
        except OSError as error:
            raise _out_error(folder, f"cannot be written: {error}") from error
        yield staged
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        for path in missing:  # innermost first; a folder that now holds something stays
            with suppress(OSError):
                path.rmdir()


def _write(study: Study, staged: Path) -> None:
    """Makes the three files in `staged`, after everything that can fail for a fault of ours.

    Raises ValueError where the summary holds NaN or an infinity, InputError where the disk refuses.
    """
    from penstock.report import render_report

    summary = json.dumps(study.summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    page = render_report(study.summary, study.hourly)
    try:
        (staged / SUMMARY).write_text(summary, "utf-8", newline="\n")
        (staged / REPORT).write_text(page, "utf-8", newline="\n")
        study.hourly.to_parquet(staged / HOURLY, engine="pyarrow", index=False)
    except OSError as error:
        raise _out_error(staged.parent, f"cannot be written: {error}") from error


def _publish(staged: Path, folder: Path) -> dict[str, Path]:
    """Moves the three files from `staged` into `folder`, all or none, and says where they are.

    Files of an earlier run are put aside first and come back where one of the three cannot be moved.
    Raises InputError in that case.
    """
    files = {"summary": folder / SUMMARY, "hourly": folder / HOURLY, "report": folder / REPORT}
    aside = staged / "earlier"
    aside.mkdir()
    try:
        for path in files.values():
            if path.is_dir():
                raise _out_error(path, "is a folder, and a file of this name is to be written")
            if os.path.lexists(path):
                path.replace(aside / path.name)
            (staged / path.name).replace(path)
    except BaseException as error:
        for path in files.values():
            if os.path.lexists(aside / path.name):
                (aside / path.name).replace(path)
            elif not os.path.lexists(staged / path.name):  # moved, and there was none before
                path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _out_error(folder, f"cannot be written: {error}") from error
        raise
    return files


# --- tables ----------------------------------------------------------------------------------------------


def _console() -> Console:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        force_terminal=terminal,
        width=None if terminal else PIPED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _table(title: str, columns: Sequence[str], numbers: bool = True) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if numbers and place else "left")
    return table


def _show_rows(title: str, rows: Iterable[Sequence[str]]) -> None:
    from rich.text import Text

    table = _table(title, ("", "unit", ""))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _console().print(table)


def _show_study(summary: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Prints the figures, who gains and who pays, the result in two sentences, and the files."""
    from rich.text import Text

    from penstock.report.headline import headline, remarks

    console = _console()
    console.print(_figures(summary))
    console.print(_parties(summary))
    for sentence in [headline(dict(summary)), *remarks(dict(summary))][:4]:
        console.print(Text(sentence))
    console.print()
    for name, path in files.items():
        console.print(Text(f"{name:8} {path}"), soft_wrap=True)


def _figures(summary: Mapping[str, Any]) -> Table:
    from rich.text import Text

    from penstock.report.formats import number, signed

    currency = summary["country"]["currency"]
    title = f"{summary['country']['name']} {summary['year']}: the market without and with the programme"
    table = _table(title, ("", "unit", "without", "with", "change"))
    for label, unit, key, divisor, decimals in FIGURES:
        without, together, change = (
            None if summary[side][key] is None else summary[side][key] / divisor
            for side in ("base", "with_programme", "change")
        )
        cells = (number(without, decimals), number(together, decimals), signed(change, decimals))
        table.add_row(*(Text(cell) for cell in (label, unit.format(currency=currency), *cells)))
    return table


def _parties(summary: Mapping[str, Any]) -> Table:
    from rich.text import Text

    incidence = summary["incidence"]
    changes = [{row["party"]: row["change_usd"] for row in incidence[rule]["parties"]} for rule, _ in RULES]
    names = {row["party"]: row["name"] for rule, _ in RULES for row in incidence[rule]["parties"]}
    table = _table("Who gains and who pays, M USD a year", ("", *(name for _, name in RULES)))
    for party, name in names.items():
        table.add_row(Text(name), *(Text(_gain_or_pay(change.get(party))) for change in changes))
    total = [incidence[rule]["sum_usd"] for rule, _ in RULES]
    table.add_row(Text("all together"), *(Text(_gain_or_pay(change)) for change in total))
    return table


def _gain_or_pay(change_usd: float | None) -> str:
    """A change as words: positive pays more or earns less, negative gains; "0.0" where it rounds to that."""
    from penstock.report.formats import millions

    if change_usd is None or millions(change_usd) == millions(0.0):
        return millions(change_usd)
    return f"{'pays' if change_usd > 0 else 'gains'} {millions(abs(change_usd))}"
