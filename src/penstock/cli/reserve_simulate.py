"""`penstock reserve simulate` and `replay`: treasury policies on paths to come, and on the past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import CountryArgument, JsonOption, finite
from penstock.cli.progress import progress
from penstock.cli.tables import console, table
from penstock.errors import Fault, InputError

if TYPE_CHECKING:
    from penstock.bitcoin.paths import DailyReturns, JumpDiffusion
    from penstock.country import Country
    from penstock.reserve.simulate import Treasury

__all__ = ["replay", "simulate"]

FILES = {"simulation": "reserve.json", "page": "reserve.html"}
SINCE = "2018-01-01"
KINDS = ("jumps", "bootstrap")


def simulate(
    country: CountryArgument,
    years: Annotated[int, typer.Option(metavar="N", help="Years of 365 days. [years]")] = 10,
    paths: Annotated[int, typer.Option(metavar="N", help="Paths of the price.")] = 10_000,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the chance; the same gives the same.")] = 1,
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="jumps (a diffusion with jumps) or bootstrap (days of the past)."),
    ] = "jumps",
    since: Annotated[
        str, typer.Option(metavar="DATE", help="First day of the record that the price is fitted to.")
    ] = SINCE,
    price: Annotated[
        float | None,
        typer.Option(
            metavar="USD", callback=finite, help="Price on the first day. Default: the record's last."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the two files. Default: out/<country id>.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate every treasury policy on the same paths of the price.

    They are joined with the income of the country's programme, month by month. Two cases are shown: with the
    trend of the record, and without any. Two files are written, all or none: reserve.json and reserve.html.
    """
    with progress() as report_step:
        report_step("Reading the tables", 0.0)
        from penstock.country import load_country

        facts = load_country(country)
        if kind not in KINDS:
            raise InputError(Fault("--kind", "is not drawn", f"use one of {', '.join(KINDS)}", value=kind))
        from penstock.report.reserve import render_reserve

        folder = Path("out") / facts.id if out is None else out
        with staging(folder) as staged:
            document = _simulated(country, facts, (years, paths, seed), kind, since, price, report_step)
            report_step("Writing the page", 1.0)
            text, page = json_text(document), render_reserve(document)
            with disk_refusals(folder):
                (staged / FILES["simulation"]).write_text(text, "utf-8", newline="\n")
                (staged / FILES["page"]).write_text(page, "utf-8", newline="\n")
            files = publish(staged, folder, FILES)
    if as_json:
        print_json({**document, "files": {name: str(path) for name, path in files.items()}})
    else:
        _show(document, files)


def _simulated(
    country: str,
    facts: Country,
    size: tuple[int, int, int],
    kind: str,
    since: str,
    price: float | None,
    report_step: Any,
) -> dict[str, Any]:
    from penstock.bitcoin.history import load_history, load_prices
    from penstock.bitcoin.path_summary import past_days
    from penstock.bitcoin.paths import calibrate, returns_of
    from penstock.reserve.outcomes import quantile_levels
    from penstock.reserve.treasury import reserve_tables
    from penstock.study import run
    from penstock.study.reserve_income import monthly_income

    years, paths, seed = size
    _day(since, "--since")
    past, history, record = past_days(since), load_history(), load_prices()
    study = run(country, progress=lambda step, share: report_step(step, 0.4 * share))
    report_step("Fitting the price", 0.42)
    fitted: JumpDiffusion | DailyReturns = (
        calibrate(history, past.since, past.until)
        if kind == "jumps"
        else returns_of(history, since=past.since, until=past.until)
    )
    income, cost = monthly_income(study)
    treasury = _treasury(facts, income, cost, float(record.price_usd[-1]) if price is None else price)
    cases = _cases(facts, treasury, fitted, size, report_step)
    return {
        "schema_version": 1,
        "country": {
            "id": facts.id,
            "name": facts.name,
            "year": facts.year,
            "content_hash": facts.content_hash,
        },
        "years": years,
        "paths": paths,
        "seed": seed,
        "kind": kind,
        "fitted_to": {"since": past.since.isoformat(), "until": past.until.isoformat()},
        "start_price_usd": treasury.price_usd,
        "start_price_date": str(record.date[-1]) if price is None else None,
        "fx_reserves_usd": treasury.fx_reserves_usd,
        "imports_usd": facts.parameter("imports_usd").value,
        "watched_cap": treasury.watched_cap,
        "income_usd": income.tolist(),
        "cost_usd": cost.tolist(),
        "quantiles": list(quantile_levels()),
        "cases": cases,
        "policies": [dict(row) for row in reserve_tables()["policies"]],
        "sources": [dict(row) for row in reserve_tables()["sources"]],
    }


def _cases(
    facts: Country,
    treasury: Treasury,
    fitted: JumpDiffusion | DailyReturns,
    size: tuple[int, int, int],
    report_step: Any,
) -> list[dict[str, Any]]:
    """All policies without a trend of the price, then with that of the record."""
    from penstock.reserve.outcomes import describe_simulation
    from penstock.reserve.simulate import simulate as run_policies
    from penstock.reserve.simulate import without_trend
    from penstock.reserve.treasury import packaged_policies

    years, paths, seed = size
    policies = list(packaged_policies().values())
    cases = []
    for number, (case, prices) in enumerate((("no trend", without_trend(fitted)), ("record", fitted))):

        def told(done: int, whole: int, at: int = number) -> None:
            report_step(f"Paths, {done} of {whole}", 0.45 + 0.27 * (at + done / whole))

        found = run_policies(policies, treasury, prices, years=years, paths=paths, seed=seed, progress=told)
        rows = describe_simulation(found, facts.parameter("imports_usd").value)
        cases.append({"case": case, "price": _process_of(prices), "policies": rows})
    return cases


def _treasury(facts: Country, income: Any, cost: Any, price: float) -> Treasury:
    """The cap that is watched is that of the country's guardrail on reserve exposure, where it has one."""
    from penstock.reserve.simulate import Treasury
    from penstock.study.policies import own_policy

    policy = own_policy(facts)
    clauses = () if policy is None else policy.clauses
    caps = [
        one.at_most for one in clauses if one.metric == "reserve_exposure_share" and one.at_most is not None
    ]
    return Treasury(income, cost, facts.parameter("fx_reserves_usd").value, price, min(caps, default=None))


def _process_of(prices: Any) -> dict[str, Any]:
    from penstock.bitcoin.paths import JumpDiffusion

    if isinstance(prices, JumpDiffusion):
        names = ("drift_per_year", "volatility_per_root_year", "jumps_per_year", "jump_mean", "jump_sd")
        found = {name: getattr(prices, name) for name in names}
        return found | {"drift_standard_error": prices.standard_error.get("drift_per_year")}
    return {"days": len(prices.log_return), "block_days": prices.block_days}


def _day(text: str, option: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(Fault(option, "is no day", "write it as 2018-01-01", value=text)) from None


def _show(document: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    from rich.text import Text

    from penstock.report.formats import number, percent
    from penstock.report.reserve import CASES, reserve_sentences

    screen = console()
    columns = ("gain M USD", "± s.e.", "loses", "fall M USD", "VaR 1 year", "above cap", "debt not covered")
    for case in document["cases"]:
        shown = table(
            f"{CASES[case['case']]}: {document['paths']:,} paths of {document['years']} years", ("", *columns)
        )
        for row in case["policies"]:
            above = row["above_cap"]
            cells = (
                row["name"],
                number(row["gain_usd"]["value"] / 1e6),
                number((row["gain_usd"]["standard_error"] or 0.0) / 1e6),
                percent(row["loses"]["value"], 1),
                number(row["deepest_fall_usd"]["value"] / 1e6),
                number(row["value_at_risk_usd"]["value"] / 1e6),
                "" if above is None else percent(above["value"], 1),
                percent(row["debt_not_covered"]["value"], 1),
            )
            shown.add_row(*(Text(cell) for cell in cells))
        screen.print(shown)
    for sentence in reserve_sentences(dict(document)):
        screen.print(Text(sentence))
    screen.print()
    for name, path in files.items():
        screen.print(Text(f"{name:10} {path}"), soft_wrap=True)


def replay(
    what: Annotated[
        str, typer.Argument(metavar="RECORD_OR_POLICY", help="strategy, el-salvador, or the key of a policy.")
    ],
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Of a policy: first day on the record of prices.")
    ] = "2021-09-07",
    as_json: JsonOption = False,
) -> None:
    """Replay purchases that were filed or announced, or a policy on the prices as they were."""
    from penstock.country.faults import choices_hint
    from penstock.reserve.treasury import packaged_policies

    records = {"strategy": _strategy, "el-salvador": _announced}
    if what in records:
        document = records[what]()
    elif what in packaged_policies():
        document = _replayed(what, _day(since, "--from"))
    else:
        hint = choices_hint(what, [*records, *packaged_policies()], "record or policy")
        raise InputError(Fault("RECORD_OR_POLICY", "is neither", hint, value=what))
    if as_json:
        print_json(document)
    else:
        _show_replay(what, document)


def _strategy() -> dict[str, Any]:
    from penstock.reserve.record import strategy_record

    found = strategy_record()
    return {
        "btc": found.btc,
        "average_price_usd": found.average_price_usd,
        "cost_usd": found.cost_usd,
        "purchases": found.purchases,
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "published_btc": found.published_btc,
        "published_average_price_usd": found.published_average_usd,
        "btc_difference_share": found.btc / found.published_btc - 1.0,
        "price_difference_share": found.average_price_usd / found.published_average_usd - 1.0,
    }


def _announced() -> dict[str, Any]:
    from penstock.reserve.record import DAILY_FROM, stated_holdings

    rows: list[dict[str, Any]] = [
        {
            "stated": one.stated,
            "btc": one.btc,
            "announced_btc": one.announced,
            "one_a_day_btc": one.one_a_day,
            "unexplained_btc": round(one.unexplained, 8),
            "kind": one.kind,
            "source": one.source,
            "note": one.note,
        }
        for one in stated_holdings()
    ]
    last = rows[-1]
    return {
        "btc": last["announced_btc"] + last["one_a_day_btc"],
        "stated_btc": last["btc"],
        "unexplained_btc": last["unexplained_btc"],
        "one_a_day_from": DAILY_FROM.isoformat(),
        "rows": rows,
    }


def _replayed(key: str, first: dt.date) -> dict[str, Any]:
    import numpy as np

    from penstock.bitcoin.history import load_prices
    from penstock.reserve.simulate import Treasury
    from penstock.reserve.simulate import replay as replay_policies
    from penstock.reserve.treasury import packaged_policies

    record = load_prices()
    later = record.date >= np.datetime64(first, "D")
    prices = record.price_usd[later]
    if first < record.date[0].astype(dt.date):
        problem = f"is before the record of prices, which begins on {record.date[0]}"
        raise InputError(Fault("--from", problem, "choose a later day", value=first.isoformat()))
    # Of a policy that takes its income as coins nothing is known but its rule: a million USD a month.
    treasury = Treasury(np.full(12, 1e6), np.zeros(12), 1e15, float(prices[0]) if len(prices) else 1.0)
    found = replay_policies([packaged_policies()[key]], treasury, prices)
    names = ("coins", "value", "cost_basis", "gain", "deepest_fall", "bought", "sold", "interest", "unpaid")
    figures = {name: float(found.figure(key, name)[0]) for name in names}
    btc = figures.pop("coins") / 1e8
    days = found.years * 365
    return {
        "policy": key,
        "from": first.isoformat(),
        "to": str(record.date[later][days - 1]),
        "btc": btc,
        "average_price_usd": figures["cost_basis"] / btc if btc > 0.0 else None,
        "income_usd_per_month": 1e6,
        **{f"{name}_usd": value for name, value in figures.items()},
    }


def _show_replay(what: str, document: Mapping[str, Any]) -> None:
    from rich.text import Text

    from penstock.report.formats import number, percent, value_text

    screen = console()
    if "rows" in document:
        shown = table(what, ("stated", "BTC", "announced", "one a day", "unexplained", "what it is"))
        for row in document["rows"]:
            keys = ("btc", "announced_btc", "one_a_day_btc", "unexplained_btc")
            cells = (row["stated"], *(number(row[key], 0) for key in keys), row["kind"])
            shown.add_row(*(Text(cell) for cell in cells))
        screen.print(shown)
        screen.print(
            Text(
                f"Announced purchases and one bitcoin a day make {number(document['btc'])} BTC; "
                f"{number(document['stated_btc'])} were stated. {number(document['unexplained_btc'])} BTC "
                "came without an announced purchase."
            )
        )
        return
    for key, value in document.items():
        told = percent(value, 3) if key.endswith("_share") else value_text(value)
        screen.print(Text(f"{key.replace('_', ' '):32} {told}"))
