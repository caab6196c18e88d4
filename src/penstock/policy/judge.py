"""Judges measures by a policy. Fails closed: no rule, no input and no number are failures, never a pass."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from penstock.errors import Fault, PolicyError

from .metrics import METRICS, significant_standard_errors
from .policy import Clause, Policy
from .words import amount, finding_sentence

__all__ = ["Finding", "Judgement", "Measures", "Move", "Reading", "Status", "judge", "required_move"]

Status = Literal["passed", "failed", "no input", "not in force"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a metric in one place, in the metric's unit.

    place: hour, month, year, zone, class or contract, as it is to be read.
    standard_error: of the value, in its unit; None where it has none.
    """

    place: str
    value: float
    standard_error: float | None = None


#: Readings by key of METRICS.
Measures = Mapping[str, Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a clause says of the measures.

    worst: the reading with the least margin; one that is not a number comes before all.
    limit: the one that the worst reading is nearest to, or furthest beyond. [unit]
    margin: room up to the limit and its tolerance; negative beyond; None without a number. [unit]
    relative_margin: the margin over the greatest of |limit|, |value| and the tolerance, so that limits of 0
        have one too: -1 where a limit of 0 is not met. [1]
    significant: whether the margin, whatever its sign, is at least two standard errors; None without one.
    sentence: all of it in words.
    """

    clause: Clause
    status: Status
    worst: Reading | None
    limit: float | None
    unit: str
    margin: float | None
    relative_margin: float | None
    significant: bool | None
    sentence: str

    @property
    def decides(self) -> bool:
        """Whether the verdict hangs on it: its clause is binding and in force."""
        return self.clause.binding and self.status != "not in force"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings, one for each clause in the order of the policy.

    passed: at least one binding clause is in force, and every one that is has passed.
    reason: why, in one sentence.
    binding_clause: of the failing clauses the one with the worst relative margin, one without a number
        before all; where none fails, the one with the least; None where no binding clause is in force.
    """

    policy: Policy
    as_of: date
    findings: tuple[Finding, ...]
    passed: bool
    reason: str
    binding_clause: Finding | None

    def finding(self, clause_id: str) -> Finding:
        """The finding of a clause. Raises PolicyError where there is no such clause."""
        clause = self.policy.clause(clause_id)
        return next(found for found in self.findings if found.clause is clause)


@dataclass(frozen=True, slots=True)
class Move:
    """How far a limit would have to move for its clause to pass.

    side: "at_most" or "at_least". amount: 0 or above. [unit]
    limit: where it would then be, for `with_limit`; rounded so that the clause does pass there. [unit]
    """

    side: Literal["at_most", "at_least"]
    amount: float
    unit: str
    limit: float


def judge(policy: Policy, measures: Measures, *, as_of: date) -> Judgement:
    """Judges the measures by the clauses that are in force on a day.

    Raises PolicyError where the measures have a key that is no metric.
    """
    _check_keys(measures)
    findings = tuple(_finding(clause, measures.get(clause.metric, ()), as_of) for clause in policy.clauses)
    deciding = [found for found in findings if found.decides]
    failing = [found for found in deciding if found.status != "passed"]
    binding = min(failing or deciding, key=_order, default=None)
    if not any(found.status != "not in force" for found in findings):
        reason = f"No clause is in force on {as_of}; without a rule nothing passes."
    elif not deciding:
        reason = f"No binding clause is in force on {as_of}; without a rule nothing passes."
    elif failing:
        count = f"{len(failing)} of {len(deciding)} binding clauses in force on {as_of}"
        reason = f"{count} {'fail' if len(failing) > 1 else 'fails'}: " + ", ".join(
            found.clause.id for found in failing
        )
    else:
        reason = f"All {len(deciding)} binding clauses in force on {as_of} pass."
    return Judgement(policy, as_of, findings, bool(deciding) and not failing, reason, binding)


def required_move(finding: Finding) -> Move | None:
    """How far the clause's limit would have to move to pass: an amount of 0 where it passes.

    None where no limit helps: there is no input, no number, or the clause is not in force. Of a clause with
    both limits it is the one that the worst reading breaks.
    """
    if finding.margin is None or finding.worst is None or finding.limit is None:
        return None
    clause, value = finding.clause, finding.worst.value
    side = _side(clause, value)
    if finding.margin >= 0:
        return Move(side, 0.0, finding.unit, finding.limit)
    upper = side == "at_most"
    moved = value - clause.tolerance if upper else value + clause.tolerance
    # The subtraction may round to a limit that the reading misses by the last digit.
    while _room(side, moved, clause.tolerance, value) < 0:
        moved = math.nextafter(moved, math.inf if upper else -math.inf)
    return Move(side, abs(moved - finding.limit), finding.unit, moved)


def _check_keys(measures: Measures) -> None:
    faults = []
    for key in measures:
        if key not in METRICS:
            near = difflib.get_close_matches(key, METRICS, n=1)
            mend = f"did you mean {near[0]!r}?" if near else "use a key of METRICS"
            faults.append(Fault("measures", "is no metric", mend, value=str(key)))
    if faults:
        raise PolicyError(faults)


def _finding(clause: Clause, readings: Sequence[Reading], as_of: date) -> Finding:
    if not clause.in_force(as_of):
        return _without_margin(clause, "not in force", None, as_of)
    if not readings:
        return _without_margin(clause, "no input", None, as_of)
    for reading in readings:
        if not _is_sound(reading):
            return _without_margin(clause, "failed", reading, as_of)
    worst = min(readings, key=lambda reading: _margin(clause, reading.value))
    margin = _margin(clause, worst.value)
    limit = _limit(clause, worst.value)
    scale = max(abs(limit), abs(worst.value), clause.tolerance)
    significant = None
    if worst.standard_error is not None:
        significant = abs(margin) >= significant_standard_errors() * worst.standard_error
    passed = margin >= 0
    sentence = finding_sentence(
        clause,
        place=worst.place,
        value=worst.value,
        standard_error=worst.standard_error,
        limit=limit,
        upper=_side(clause, worst.value) == "at_most",
        margin=margin,
        significant=significant,
    )
    return Finding(
        clause=clause,
        status="passed" if passed else "failed",
        worst=worst,
        limit=limit,
        unit=clause.unit,
        margin=margin,
        relative_margin=margin / scale if scale else 0.0,
        significant=significant,
        sentence=sentence,
    )


def _without_margin(clause: Clause, status: Status, worst: Reading | None, as_of: date) -> Finding:
    if status == "not in force":
        until = "" if clause.holds_until is None else f" until {clause.holds_until}"
        said = f"is not in force on {as_of}: it holds from {clause.holds_from}{until}."
    elif worst is None:
        said = f"fails: there is no reading of {clause.metric}, and no input is a failure."
    else:
        error = "" if worst.standard_error is None else f" ± {amount(worst.standard_error, '1')}"
        found = f"{amount(worst.value, '1')}{error}"
        said = f"fails in {worst.place}: {clause.metric} is {found}, which cannot be judged."
    return Finding(
        clause=clause,
        status=status,
        worst=worst,
        limit=None,
        unit=clause.unit,
        margin=None,
        relative_margin=None,
        significant=None,
        sentence=f"{clause.title} ({clause.id}) {said}",
    )


def _is_sound(reading: Reading) -> bool:
    error = reading.standard_error
    return math.isfinite(reading.value) and (error is None or (math.isfinite(error) and error >= 0))


def _room(side: Literal["at_most", "at_least"], limit: float, tolerance: float, value: float) -> float:
    return (limit + tolerance) - value if side == "at_most" else value - (limit - tolerance)


def _side(clause: Clause, value: float) -> Literal["at_most", "at_least"]:
    """The limit that leaves a value the least room."""
    if clause.at_most is None:
        return "at_least"
    if clause.at_least is None:
        return "at_most"
    above = _room("at_most", clause.at_most, clause.tolerance, value)
    below = _room("at_least", clause.at_least, clause.tolerance, value)
    return "at_most" if above <= below else "at_least"


def _limit(clause: Clause, value: float) -> float:
    limit = clause.at_most if _side(clause, value) == "at_most" else clause.at_least
    if limit is None:
        raise RuntimeError(f"clause {clause.id} was accepted without a limit")
    return limit


def _margin(clause: Clause, value: float) -> float:
    return _room(_side(clause, value), _limit(clause, value), clause.tolerance, value)


def _order(finding: Finding) -> float:
    return -math.inf if finding.relative_margin is None else finding.relative_margin
