"""A policy: dated, cited clauses, each with a metric and a limit."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from penstock.errors import Fault, PolicyError

__all__ = ["SUBJECTS", "Basis", "Clause", "Policy", "PolicySource", "Subject", "only_subjects", "with_limit"]

Basis = Literal["published", "derived", "assumption"]
Subject = Literal["programme", "reserve", "acceptance"]
SUBJECTS: tuple[Subject, ...] = ("programme", "reserve", "acceptance")


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Where a clause comes from. dated: date or period of the source, as text; url blank for our own."""

    key: str
    title: str
    publisher: str
    url: str
    dated: str
    note: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One guardrail.

    clause: what it demands, in words.
    at_most, at_least: the limits, of which one may be None. [unit]
    tolerance: how far beyond a limit a reading may lie and still pass. [unit]
    low, high: range of the limit where it is an assumption. [unit]
    source: key in the policy's sources.
    holds_from, holds_until: first and last day on which it is in force; None: no last day is known.
    binding: whether it decides the verdict; other clauses are judged and shown.
    subject: what it is about; a hosting capacity looks at "programme" alone.
    note: what to know about it.
    line: of the file, counted from 1.
    """

    id: str
    title: str
    clause: str
    metric: str
    at_most: float | None
    at_least: float | None
    unit: str
    tolerance: float
    low: float | None
    high: float | None
    basis: Basis
    source: str
    holds_from: date
    holds_until: date | None
    binding: bool
    subject: Subject
    note: str
    line: int

    def in_force(self, day: date) -> bool:
        """Whether it holds on a day; the first and the last day count."""
        return self.holds_from <= day and (self.holds_until is None or day <= self.holds_until)


@dataclass(frozen=True, slots=True)
class Policy:
    """The guardrails of a country, in the order of the file.

    sha256: of the text, line endings made "\\n"; of a policy changed by `with_limit` or `only_subjects`, of
        the one before and the change.
    """

    country: str
    title: str
    clauses: tuple[Clause, ...]
    sources: Mapping[str, PolicySource]
    sha256: str

    def clause(self, clause_id: str) -> Clause:
        """The clause of an id. Raises PolicyError where there is none."""
        for found in self.clauses:
            if found.id == clause_id:
                return found
        ids = [found.id for found in self.clauses]
        near = difflib.get_close_matches(clause_id, ids, n=1)
        mend = f"did you mean {near[0]!r}? " if near else ""
        raise PolicyError(
            Fault(
                "clause",
                "there is no clause of this id",
                f"{mend}use one of {', '.join(ids)}",
                value=clause_id,
            )
        )


def with_limit(
    policy: Policy, clause_id: str, *, at_most: float | None = None, at_least: float | None = None
) -> Policy:
    """The policy with another limit in one clause, for sensitivities.

    A side that is None stays as it is. The range of an assumption is widened to hold the new limit.

    Raises PolicyError where there is no such clause, no limit is given, the clause has no limit on that side,
    a limit is not finite, or the limits cross.
    """
    old = policy.clause(clause_id)
    given = {"at_most": at_most, "at_least": at_least}
    faults = []
    if at_most is None and at_least is None:
        faults.append(Fault("limit", "is missing", "give at_most or at_least"))
    for side, value in given.items():
        if value is None:
            continue
        if getattr(old, side) is None:
            problem = f"clause {clause_id} has no limit on this side"
            faults.append(Fault(side, problem, "move the limit that it has", value=f"{value:g}"))
        if not math.isfinite(value):
            faults.append(Fault(side, f"must be finite [{old.unit}]", "give a number", value=f"{value}"))
    new_most = old.at_most if at_most is None else at_most
    new_least = old.at_least if at_least is None else at_least
    if new_most is not None and new_least is not None and new_least > new_most:
        problem = f"at_least is above at_most, which is {new_most:g} [{old.unit}]"
        faults.append(Fault("at_least", problem, "let at_least be the lower", value=f"{new_least:g}"))
    if faults:
        raise PolicyError(faults)
    moved = [value for value in given.values() if value is not None]
    new = replace(
        old,
        at_most=new_most,
        at_least=new_least,
        low=None if old.low is None else min(old.low, *moved),
        high=None if old.high is None else max(old.high, *moved),
    )
    clauses = tuple(new if clause.id == clause_id else clause for clause in policy.clauses)
    return replace(
        policy, clauses=clauses, sha256=_changed(policy, f"{clause_id} {new_most!r} {new_least!r}")
    )


def only_subjects(policy: Policy, subjects: Collection[Subject]) -> Policy:
    """The policy with the clauses about some subjects alone; it may be left with none, and then fails."""
    clauses = tuple(clause for clause in policy.clauses if clause.subject in subjects)
    return replace(policy, clauses=clauses, sha256=_changed(policy, f"subjects {sorted(subjects)}"))


def _changed(policy: Policy, change: str) -> str:
    return hashlib.sha256(f"{policy.sha256}\n{change}".encode()).hexdigest()
