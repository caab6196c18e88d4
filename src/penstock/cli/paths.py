"""`penstock bitcoin paths`: where the price of bitcoin may go, and what miners would earn on the way."""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.files import disk_refusals, staging
from penstock.cli.options import JsonOption
from penstock.cli.progress import progress
from penstock.cli.refusals import check_number, gather, read_choice, refused
from penstock.cli.tables import console, table
from penstock.errors import Fault

if TYPE_CHECKING:
    from penstock.bitcoin.history import Snapshot
    from penstock.bitcoin.path_summary import Figure, Outcome, PathSource, PathSummary

__all__ = ["paths"]

KINDS = ("bootstrap", "jumps", "replay")
DAYS, SAMPLES, SEED = 365, 1000, 1
#: The past from here on holds a rise, a fall and a rise; before, the market was far smaller.
SINCE = "2021-01-01"
COUNT_LIMITS = {  # option: unit ("" for none), least, most
    "--days": ("days", 1, 3650),
    "--samples": ("samples", 1, 100_000),
    "--seed": ("", 0, 2**63 - 1),
    "--height": ("blocks", 0, 10_000_000),
}
PRICE_LIMITS = (0.01, 1e7)
OLDEST_PRICE_DAYS = 366  # a path that begins later asks for a price of its own
MOST_ROWS = 20_000_000  # of the file of samples: 0.9 gigabytes
ROWS_A_STEP = 1_000_000  # at most so often, and ten times in all, the progress says how far it is
OF_FILE = "it belongs to drawn paths, and --file gives one"
OF_REPLAY = "the past is as it was: --kind replay draws nothing"
PLACES = {"height": "--height", "history": "--first", "since": "--since"}
# Key in the document, its figure, label, unit, factor for display, decimals.
FIGURES = (
    ("price_at_end_usd", "Price, last day", "1000 USD", 1e-3, 1),
    ("mean_reward_usd_per_day", "Miners' reward", "M USD/day", 1e-6, 1),
    ("mean_fees_satoshi_per_day", "Fees in it", "BTC/day", 1e-8, 2),
)
MODEL = (
    ("drift_per_year", "Drift", "1/year"),
    ("volatility_per_root_year", "Volatility between jumps", "1/√year"),
    ("jumps_per_year", "Jumps", "1/year"),
    ("jump_mean", "Mean jump of the log price", "1"),
    ("jump_sd", "Standard deviation of a jump", "1"),
    ("fee_share", "Fees over new coins", "1"),
)
UNITS = {"jump_mean": "jump_mean_log", "jump_sd": "jump_sd_log", "fee_share": "fees_over_new_coins_share"}

KindOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="bootstrap (default: days of the past in new order), jumps (diffusion with them), or replay.",
    ),
]
DaysOption = Annotated[int | None, typer.Option(metavar="DAYS", help="Length, 1 to 3650. Default: 365.")]
SamplesOption = Annotated[
    int | None, typer.Option(metavar="COUNT", help="Paths to draw, 1 to 100000. Default: 1000.")
]
SeedOption = Annotated[int | None, typer.Option(metavar="SEED", help="Seed of all chance. Default: 1.")]
SinceOption = Annotated[
    str | None,
    typer.Option(metavar="DAY", help=f"Draw from the past from this day on. Default: {SINCE}."),
]
FirstOption = Annotated[
    str | None,
    typer.Option(metavar="DAY", help="First day of the path. Default: that of the latest snapshot."),
]
PriceOption = Annotated[
    float | None,
    typer.Option(
        metavar="USD",
        help="Price on the first day. Default: of the latest snapshot, up to 366 days before it. [USD]",
    ),
]
HeightOption = Annotated[
    int | None,
    typer.Option(
        metavar="BLOCK",
        help="Height of the first day's first block. Default: 144 a day from the latest snapshot.",
    ),
]
FileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV", help="A path of your own instead: columns date, price_usd and, if known, fees_btc."
    ),
]
OutOption = Annotated[
    Path | None, typer.Option(metavar="CSV", help="Write every day of every sample, replacing a file.")
]


def paths(
    kind: KindOption = None,
    days: DaysOption = None,
    samples: SamplesOption = None,
    seed: SeedOption = None,
    since: SinceOption = None,
    first: FirstOption = None,
    price: PriceOption = None,
    height: HeightOption = None,
    file: FileOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw paths of the bitcoin price and the fees, and say how far apart they end.

    No forecast: what follows if the years ahead resemble those that the paths are drawn from.
    """
    faults: list[Fault] = []
    drawing: dict[str, object] = {"--samples": samples, "--seed": seed, "--since": since, "--price": price}
    chosen = KINDS[0] if kind is None else read_choice(faults, "--kind", kind, KINDS)
    if file is not None:
        _meaningless(faults, drawing | {"--kind": kind, "--days": days, "--first": first}, OF_FILE)
        chosen = "file"
    elif chosen == "replay":
        _meaningless(faults, drawing | {"--height": height}, OF_REPLAY)
        if first is None:
            faults.append(Fault("--first", "is missing", "give the first day to replay, as 2022-01-01"))
    for option, count in (("--days", days), ("--samples", samples), ("--seed", seed), ("--height", height)):
        _check_count(faults, option, count)
    check_number(faults, "--price", price, "USD", *PRICE_LIMITS)
    days, samples = days or DAYS, samples or SAMPLES
    _check_out(faults, out, file, days * samples if chosen in KINDS[:2] else days)
    first_day = _read_day(faults, "--first", first)
    since_day = _read_day(faults, "--since", SINCE if since is None else since)
    with progress() as report_step:
        report_step("Reading the record" if file is None else f"Reading {file.name}", 0.0)
        settings = {"days": days, "samples": samples, "seed": SEED if seed is None else seed}
        source = _source(
            faults, chosen, file, since=since_day, first=first_day, price=price, height=height, **settings
        )
        if faults or source is None:
            raise refused(faults)
        with _sheet(out) as sheet:
            outcomes = list(_outcomes(source, sheet, report_step))
    from penstock.bitcoin.path_summary import summarise

    document = _document(chosen, settings["seed"], source, outcomes, summarise(outcomes))
    if out is not None:
        document["file"] = str(out)
    if as_json:
        print_json(document)
    else:
        _show(document, price_given=price is not None)


# --- options ---------------------------------------------------------------------------------------------


def _meaningless(faults: list[Fault], given: Mapping[str, object], why: str) -> None:
    faults.extend(
        Fault(option, f"has no meaning here: {why}", "leave it out", value=str(value))
        for option, value in given.items()
        if value is not None
    )


def _check_count(faults: list[Fault], option: str, count: int | None) -> None:
    unit, least, most = COUNT_LIMITS[option]
    if count is not None and not least <= count <= most:
        problem = f"must be a whole number from {least} to {most}" + (f" [{unit}]" if unit else "")
        faults.append(Fault(option, problem, "give a number within the limits", value=str(count)))


def _read_day(faults: list[Fault], option: str, text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    faults.append(Fault(option, "is not a day of the calendar", "write it as 2026-09-25", value=text))
    return None


def _check_first(faults: list[Fault], first: dt.date, known: Snapshot) -> None:
    """Adds a fault where the price on record is too old for paths that begin on that day."""
    away, latest = (first - known.date).days, known.date + dt.timedelta(OLDEST_PRICE_DAYS)
    if away > OLDEST_PRICE_DAYS:
        problem = (
            f"lies {away} days after {known.date}, whose price of {known.price_usd:g} USD the paths would "
            f"start from; limit: {OLDEST_PRICE_DAYS} [days]"
        )
        mend = f"give the price on that day with --price, or a day up to {latest}"
        faults.append(Fault("--first", problem, mend, value=str(first)))


def _check_out(faults: list[Fault], out: Path | None, file: Path | None, rows: int) -> None:
    if out is None:
        return

    def refuse(problem: str, mend: str) -> None:
        faults.append(Fault("--out", problem, mend, value=str(out)))

    try:
        if out.is_dir() or (out.exists() and not out.is_file()):
            refuse("is a folder or a device, not a file", "name a file, such as paths.csv")
        elif file is not None and out.resolve() == file.resolve():
            refuse("is the file to read", "name another file")
    except OSError as error:
        refuse(f"cannot be written: {error}", "name a file in a folder that can be written")
    if rows > MOST_ROWS:
        refuse(f"would have {rows} rows; limit: {MOST_ROWS} [rows]", "draw fewer samples or days")


# --- paths -----------------------------------------------------------------------------------------------


def _source(
    faults: list[Fault], kind: str, file: Path | None, *, since: dt.date | None, first: dt.date | None,
    price: float | None, height: int | None, days: int, samples: int, seed: int,
) -> PathSource | None:  # fmt: skip
    """Where the paths come from; None, with all faults in the list, where something is refused."""
    from penstock.bitcoin import path_summary as rule
    from penstock.bitcoin.price import read_path

    if file is not None:
        own = gather(faults, {}, lambda: read_path(file))
        if not os.path.lexists(file):
            faults[:] = [
                replace(fault, mend="check the path", value=str(file)) if fault.place == file.name else fault
                for fault in faults
            ]
        return None if faults or own is None else gather(faults, PLACES, lambda: rule.given_path(own, height))
    if kind == "replay":
        if faults or first is None:
            return None
        found = gather(faults, PLACES, lambda: rule.replayed_path(first, days))
        # The room below knows of an argument that the command line has not.
        faults[:] = [
            replace(fault, mend="choose other days") if fault.column == "fees_satoshi" else fault
            for fault in faults
        ]
        return found
    known = rule.latest_snapshot()
    past = None if since is None else gather(faults, PLACES, lambda: rule.past_days(since))
    begin = known.date if first is None else first
    if price is None:
        _check_first(faults, begin, known)
    if height is None:
        height = gather(faults, PLACES, lambda: rule.height_on(begin))
    if faults or past is None or height is None:
        return None
    begins = height
    return gather(
        faults,
        PLACES,
        lambda: rule.drawn_paths(
            kind,
            past,
            days,
            samples,
            seed=seed,
            first=begin,
            price_usd=known.price_usd if price is None else price,
            price_date=known.date if price is None else begin,
            height=begins,
        ),
    )


def _outcomes(source: PathSource, sheet: Any, report_step: Any) -> Iterator[Outcome]:
    """Outcome of each sample in turn, its days written to the sheet where there is one."""
    from penstock.bitcoin.path_summary import outcome_of

    each = max(1, ROWS_A_STEP // source.days, -(-source.samples // 10))
    for sample in range(source.samples):
        if sample % each == 0 and source.samples > 1:
            step = f"Drawing paths: {sample} of {source.samples}"
            report_step(step, sample / source.samples)
        path = source.draw(sample)
        if sheet is not None:
            columns = (path.dates.astype(str), path.price_usd, path.fees_satoshi_per_day)
            rows = zip(*(column.tolist() for column in columns), strict=True)
            sheet.writerows((sample, *row) for row in rows)
        yield outcome_of(path, source.issuance_satoshi, sample)


@contextmanager
def _sheet(out: Path | None) -> Iterator[Any]:
    """A CSV writer whose file is moved to `out` at the end; nothing is left there where anything fails."""
    if out is None:
        yield None
        return
    with staging(out.parent) as staged, disk_refusals(out.parent):
        made = staged / "paths.csv"
        stream: IO[str]
        with made.open("w", encoding="utf-8", newline="") as stream:
            sheet = csv.writer(stream, lineterminator="\n")
            sheet.writerow(("sample", "date", "price_usd", "fees_satoshi"))
            yield sheet
        made.replace(out)


# --- shown -----------------------------------------------------------------------------------------------


def _document(
    kind: str, seed: int, source: PathSource, outcomes: list[Outcome], found: PathSummary
) -> dict[str, Any]:
    drawn = source.past is not None
    path = source.draw(0)
    document: dict[str, Any] = {
        "kind": kind,
        "first_date": source.first.isoformat(),
        "last_date": str(path.dates[-1]),
        "days": source.days,
        "samples": source.samples,
        "seed": seed if drawn else None,
        "start_price_usd": outcomes[0].start_price_usd,
        "start_price_date": source.start_price_date.isoformat(),
        "first_height_blocks": source.first_height,
        "new_coins": "on record" if source.first_height is None else "144 blocks a day",
        "price_at_end_usd": _figure(found.price_at_end_usd),
        "mean_reward_usd_per_day": _figure(found.reward_usd_per_day),
        "mean_fees_satoshi_per_day": _figure(found.fees_satoshi_per_day),
        "below_start_share": _figure(found.below_start_share),
        "fees_filled_days": path.fees_filled_days,
    }
    if source.past is not None:
        document["past"] = {
            "since_date": source.past.since.isoformat(),
            "until_date": source.past.until.isoformat(),
            "used_days": source.past.returns_days,
            "left_out_days": source.past.left_out_days,
        }
    if source.block_days is not None:
        document["block_length_days"] = source.block_days
    if source.model is not None:
        document["calibration"] = {
            UNITS.get(name, name): {
                "value": getattr(source.model, name),
                "standard_error": source.model.standard_error[name],
            }
            for name, _, _ in MODEL
        }
    return document


def _figure(figure: Figure) -> dict[str, Any]:
    from penstock.bitcoin.path_summary import QUANTILES_PERCENT

    shown: dict[str, Any] = {
        "mean": figure.mean,
        "standard_error": figure.standard_error,
        "samples": figure.samples,
    }
    if figure.quantiles:
        named = zip(QUANTILES_PERCENT, figure.quantiles, strict=True)
        shown["quantiles"] = {f"{percent}_percent": value for percent, value in named}
    return shown


def _show(document: Mapping[str, Any], price_given: bool) -> None:
    from rich.text import Text

    from penstock.report.formats import number

    one = document["samples"] == 1
    count = "one path" if one else f"{number(document['samples'])} paths"
    title = f"{document['kind']}: {count} from {number(document['start_price_usd'])} USD"
    shown = table(
        title, ("", "unit", "mean", "± error", *([] if one else ("5 %", "25 %", "50 %", "75 %", "95 %")))
    )
    for key, label, unit, factor, decimals in FIGURES:
        found = document[key]
        values = [found["mean"], found["standard_error"], *([] if one else found["quantiles"].values())]
        cells = (number(None if value is None else value * factor, decimals) for value in values)
        shown.add_row(*(Text(cell) for cell in (label, unit, *cells)))
    console().print(shown)
    for line in _remarks(document, price_given):
        console().print(Text(line), soft_wrap=True)
    if "calibration" in document:
        from penstock.report.formats import value_text

        rows = (
            (label, unit, *(value_text(found[end]) for end in ("value", "standard_error")))
            for name, label, unit in MODEL
            for found in (document["calibration"][UNITS.get(name, name)],)
        )
        _show_model(rows)
    if "file" in document:
        console().print(Text(f"paths  {document['file']}"), soft_wrap=True)


def _show_model(rows: Iterator[tuple[str, ...]]) -> None:
    from rich.text import Text

    shown = table("Diffusion with jumps, as estimated", ("", "unit", "value", "± error"))
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console().print(shown)


def _start(document: Mapping[str, Any], price_given: bool) -> str:
    """Whose price the path or paths start from."""
    from penstock.report.formats import number

    starts = "The path starts" if document["samples"] == 1 else "The paths start"
    usd, day = number(document["start_price_usd"]), document["start_price_date"]
    said = f"{starts} from {usd} USD, the price of {day}"
    if price_given:
        return f"{said} as given with --price."
    if document["kind"] == "file":
        return f"{said} in the file."
    if document["kind"] == "replay":
        return f"{said} on record."
    away = (dt.date.fromisoformat(document["first_date"]) - dt.date.fromisoformat(day)).days
    count = f"{number(abs(away))} day{'' if abs(away) == 1 else 's'}"
    side = f", {count} {'before' if away > 0 else 'after'} the first day" if away else ""
    return f"{said} (the latest snapshot){side}."


def _remarks(document: Mapping[str, Any], price_given: bool) -> Iterator[str]:
    from penstock.report.formats import number, percent

    span = f"{document['first_date']} to {document['last_date']}"
    yield f"{number(document['days'])} days, {span}; a price is that of the start of its day."
    yield _start(document, price_given)
    below = document["below_start_share"]
    if document["samples"] == 1:
        yield f"It ends {'below' if below['mean'] else 'not below'} the start."
    else:
        error = percent(below["standard_error"], 1)
        yield f"Below the start at the end: {percent(below['mean'], 1)} of the paths (± {error})."
    if "past" in document:
        past = document["past"]
        left = "prices alone" if "calibration" in document else "nothing"
        yield (
            f"Drawn from {past['since_date']} to {past['until_date']}: {number(past['used_days'])} days; "
            f"{number(past['left_out_days'])} more, whose fees are not known, give {left}."
        )
    if "block_length_days" in document:
        yield f"Mean length of a block of days: {number(document['block_length_days'])} days."
    if "calibration" in document:
        yield "The fees are the same share of the new coins on every day."
    if document["fees_filled_days"]:
        filled = document["fees_filled_days"]
        days = "1 day are" if filled == 1 else f"{number(filled)} days are"
        yield f"Fees of {days} not known and were filled in."
    height = document["first_height_blocks"]
    counted = "" if height is None else f" from block {number(height)} on"
    yield f"New coins: {document['new_coins']}{counted}."
