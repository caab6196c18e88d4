"""A programme under its country's guardrails: years of outages, readings, findings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from penstock.market import Clearing
from penstock.policy import Finding, Judgement, Policy, judge
from penstock.programme import Operation, Programme, tariff_usd_per_mwh
from penstock.programme.months import contract_use

from .adequacy import Adequacy
from .measures import Outcome, measures_of, outcome_of
from .prepared import Prepared

__all__ = [
    "OUTAGE_YEARS",
    "SEED",
    "describe_judgement",
    "finding_rows",
    "judge_programme",
    "last_day",
    "programme_outcome",
]

#: Years of outages that are drawn where nobody asks for more.
OUTAGE_YEARS = 200
#: Seed of the outages where no other is asked for.
SEED = 1


def last_day(year: int) -> dt.date:
    """The day on which guardrails are judged where no other is asked for."""
    return dt.date(year, 12, 31)


def programme_outcome(
    prepared: Prepared,
    base: Clearing,
    operation: Operation,
    programme: Programme,
    adequacy: Adequacy | None,
) -> Outcome:
    """A programme's year with its books. base: the year without it."""
    return outcome_of(
        prepared.country,
        prepared.hours,
        base,
        operation.clearing,
        tariff_usd_per_mwh(prepared.country, programme),
        interrupted={
            use.contract: (use.used_mwh + use.emergency_mwh) / use.came_mwh
            for use in contract_use(operation)
            if use.came_mwh > 0.0
        },
        adequacy=adequacy,
    )


def judge_programme(outcome: Outcome, policy: Policy, as_of: dt.date) -> Judgement:
    """The findings of every clause on an outcome."""
    return judge(policy, measures_of(outcome, as_of), as_of=as_of)


def describe_judgement(judgement: Judgement, *, years: int, seed: int) -> dict[str, Any]:
    """A judgement as plain data. years, seed: of the outages that were drawn."""
    policy, binding = judgement.policy, judgement.binding_clause
    return {
        "verdict": "passes" if judgement.passed else "refused",
        "reason": judgement.reason,
        "binding": None if binding is None else binding.clause.id,
        "policy": {"title": policy.title, "sha256": policy.sha256, "as_of": judgement.as_of.isoformat()},
        "outage_years": years,
        "seed": seed,
        "findings": finding_rows(judgement),
        "sources": [
            {
                "key": row.key,
                "title": row.title,
                "publisher": row.publisher,
                "url": row.url,
                "dated": row.dated,
                "note": row.note,
            }
            for row in policy.sources.values()
        ],
    }


def finding_rows(judgement: Judgement) -> list[dict[str, Any]]:
    """Every finding of a judgement, with its clause."""
    return [_finding(row) for row in judgement.findings]


def _finding(row: Finding) -> dict[str, Any]:
    clause, worst = row.clause, row.worst
    return {
        "id": clause.id,
        "title": clause.title,
        "clause": clause.clause,
        "metric": clause.metric,
        "status": row.status,
        "passed": row.status == "passed",
        "binding": clause.binding,
        "place": None if worst is None else worst.place,
        "value": None if worst is None else worst.value,
        "standard_error": None if worst is None else worst.standard_error,
        "limit": row.limit,
        "margin": row.margin,
        "unit": row.unit,
        "significant": row.significant,
        "sentence": row.sentence,
        "basis": clause.basis,
        "source": clause.source,
        "holds_from": clause.holds_from.isoformat(),
        "holds_until": None if clause.holds_until is None else clause.holds_until.isoformat(),
    }
