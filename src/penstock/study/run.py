"""The one file that chains the steps: clear the year without the loads, then with them; keep the books."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from penstock.accounts import find_surplus, keep_books
from penstock.bitcoin.history import YearOfNetwork
from penstock.country import Country, load_country
from penstock.country.hours import Hours
from penstock.loads.defaults import parameters_for
from penstock.market import Bid, Clearing, System, clear
from penstock.market.from_country import build_system
from penstock.policy import Policy
from penstock.programme import (
    Operation,
    Programme,
    check_programme,
    default_programme,
    tariff_usd_per_mwh,
)
from penstock.programme.operate import absent_bids

from .adequacy import LOAD, assess, load_of, outage_model, taken_by_zone
from .guardrails import (
    OUTAGE_YEARS,
    SEED,
    describe_judgement,
    judge_programme,
    last_day,
    programme_outcome,
)
from .hourly import hourly_table
from .policies import own_policy
from .prepared import Prepared, add_programme, prepare
from .results import Results
from .summary import summarise

__all__ = ["Prepared", "Progress", "Study", "add_programme", "prepare", "run"]

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A year without and with a programme.

    base, with_programme: the two clearings, on the same hours.
    operation: who came, who was interrupted, and what the Bitcoin network made of it.
    summary: what `summary.json` holds; its JSON Schema is docs/summary.schema.json.
    hourly: 8,760 rows; columns such as `base.price_usd_per_mwh.<ZONE>`.
    """

    country: Country
    programme: Programme
    base: Clearing
    with_programme: Clearing
    operation: Operation
    summary: dict[str, Any]
    hourly: pd.DataFrame


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def run(
    country: str | os.PathLike[str] | Country,
    programme: Programme | None = None,
    *,
    network: YearOfNetwork | None = None,
    policy: Policy | None = None,
    as_of: dt.date | None = None,
    progress: Progress = _silent,
) -> Study:
    """Clear a country's year without and with a programme of loads, and say what changes for whom.

    country: a country that ships, a folder of tables, or one already loaded.
    programme: what comes; None takes the country's default programme.
    network: the Bitcoin network month by month; None for that on record of the country's year.
    policy: guardrails that the programme is judged by; None for the country's own, if it has any.
    as_of: day on which they are judged; None for the last of the study year.
    progress: called with the step's name and the share of the work done, 0 to 1.

    Raises InputError (tables, programme, a year without a network on record), InfeasibleError or SolverError.
    """
    progress("Reading the tables", 0.0)
    guardrails = own_policy(country) if policy is None else policy
    facts = country if isinstance(country, Country) else load_country(country)
    plan = default_programme(facts) if programme is None else programme
    check_programme(facts, plan)
    parameters_for(facts)  # its faults before the hours are built
    progress("Building the hours", 0.02)
    prepared = prepare(facts, network)
    progress("Clearing with the programme", 0.08)
    operation = add_programme(
        prepared,
        plan,
        progress=lambda number: progress(
            f"Clearing with the programme, round {number}", min(0.08 + 0.02 * number, 0.3)
        ),
    )
    progress("Clearing without the programme", 0.4)
    absent = absent_bids(operation)
    base = clear(prepared.system, absent)
    progress("Clearing the variants", 0.52)
    variants = _variants(facts, prepared.hours, absent, progress)
    judged = None
    if guardrails is not None:
        progress("Judging by the guardrails", 0.9)
        judged = _judged(prepared, base, operation, plan, guardrails, as_of or last_day(facts.year))
    progress("Keeping the books", 0.93)
    results = Results(
        country=facts,
        hours=prepared.hours,
        programme=plan,
        operation=operation,
        tariff=tariff_usd_per_mwh(facts, plan),
        base=base,
        surplus=find_surplus(facts, base, facts.parameter("reserve_margin_share").value),
        variants=tuple(variants),
        guardrails=judged,
    )
    summary, hourly = summarise(results), hourly_table(results)
    progress("Done", 1.0)
    return Study(facts, plan, base, operation.clearing, operation, summary, hourly)


def _judged(
    prepared: Prepared,
    base: Clearing,
    operation: Operation,
    programme: Programme,
    policy: Policy,
    as_of: dt.date,
) -> dict[str, Any]:
    """The programme under the guardrails, with years of outages drawn for them."""
    load = load_of(taken_by_zone(operation.clearing), firm=programme.firm)
    adequacy = assess(outage_model(prepared), {LOAD: load}, years=OUTAGE_YEARS, seed=SEED)
    outcome = programme_outcome(prepared, base, operation, programme, adequacy)
    return describe_judgement(judge_programme(outcome, policy, as_of), years=OUTAGE_YEARS, seed=SEED)


def _variants(
    country: Country, hours: Hours, bids: tuple[Bid, ...], progress: Progress
) -> list[dict[str, Any]]:
    """The base year under other contracts: none at all, and each take-or-pay at the low end of its range."""
    contracts = country.table("contracts")
    if not len(contracts):
        return []
    bound = [row for row in contracts if row["kind"] != "fuel_supply"]
    low = {
        row["contract"]: row["low"]
        for row in contracts
        if row["kind"] == "take_or_pay" and None not in (row["minimum_share"], row["low"])
    }
    cases: list[tuple[str, str, str, System]] = []
    if bound:
        cases.append(
            (
                "merit_order",
                "Pure merit order",
                "No contract minima: "
                + ", ".join(row["contract"] for row in bound)
                + " are left out; fuel supply limits stay.",
                build_system(country, hours, without_contracts=[row["contract"] for row in bound]),
            )
        )
    if low:
        cases.append(
            (
                "low_take_or_pay",
                "Take-or-pay at the low end",
                ", ".join(f"{name} at {share:.0%}" for name, share in low.items()) + ".",
                build_system(country, hours, minimum_shares=low),
            )
        )
    rows = []
    for index, (key, title, note, system) in enumerate(cases):
        clearing = clear(system, bids)
        books = keep_books(country, clearing, hours.month)
        rows.append(
            {
                "variant": key,
                "title": title,
                "note": note,
                "cost_usd": books.cost_usd,
                "generation_gwh_by_fuel": {
                    fuel: float(months.sum()) for fuel, months in books.generation_gwh.items()
                },
            }
        )
        progress("Clearing the variants", 0.52 + 0.4 * (index + 1) / len(cases))
    return rows
