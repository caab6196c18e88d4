"""Judging fails closed, and moves the right way with limits and readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PolicyError
from penstock.policy import Judgement, Reading, judge, only_subjects, read_policy, required_move, with_limit

TOY = read_policy(
    (Path(__file__).parent / "laws" / "toy.yaml").read_text("utf-8"), "toy.yaml", currency="TOY"
)
DAY = date(2025, 6, 30)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
ANY = st.floats(width=64)
READINGS = st.lists(st.builds(Reading, st.sampled_from("ABC"), ANY, st.none() | ANY), max_size=4)


def lights(readings: list[Reading], at_most: float = 3.0) -> Judgement:
    policy = with_limit(TOY, "lights-stay-on", at_most=at_most)
    alone = replace(policy, clauses=(policy.clause("lights-stay-on"),))
    return judge(alone, {"lole": readings}, as_of=DAY)


@given(READINGS, FINITE, FINITE)
def test_loosening_a_limit_never_turns_a_pass_into_a_failure(
    readings: list[Reading], one: float, other: float
) -> None:
    tight, loose = sorted((one, other))
    if lights(readings, tight).passed:
        assert lights(readings, loose).passed


@given(READINGS, READINGS)
def test_a_reading_more_never_turns_a_failure_into_a_pass(first: list[Reading], more: list[Reading]) -> None:
    if first and not lights(first).passed:
        assert not lights(first + more).passed


@given(READINGS)
def test_a_pass_has_a_number_within_the_limit_in_every_place(readings: list[Reading]) -> None:
    judged = lights(readings)
    assert judged.passed == (bool(readings) and all(map(sound, readings)))


def sound(reading: Reading) -> bool:
    error = reading.standard_error
    return -1e400 < reading.value <= 3.5 and (error is None or 0 <= error < 1e400)


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_the_move_that_is_required_is_enough(value: float, at_most: float) -> None:
    (finding,) = lights([Reading("A", value)], at_most).findings
    move = required_move(finding)
    assert move is not None
    assert lights([Reading("A", value)], move.limit).passed
    assert (move.amount == 0) == (finding.status == "passed")


@given(st.floats(-1e6, 1e6))
def test_a_range_is_missed_by_the_distance_to_its_nearer_end(value: float) -> None:
    alone = replace(TOY, clauses=(TOY.clause("use-in-range"),))
    (finding,) = judge(alone, {"package_consumption": [Reading("y", value)]}, as_of=DAY).findings
    assert finding.margin == min(50 - value, value - 40)
    move = required_move(finding)
    assert move is not None
    if value < 40:
        assert (move.side, move.limit, finding.limit) == ("at_least", value, 40)
    elif value > 50:
        assert (move.side, move.limit, finding.limit) == ("at_most", value, 50)
    else:
        assert move.amount == 0


def test_a_finding_names_clause_place_number_limit_and_margin() -> None:
    (finding,) = lights([Reading("NORTH", 5.25, 1.0), Reading("SOUTH", 0.5, 0.1)]).findings
    assert finding.sentence == (
        "Lights stay on (lights-stay-on) fails; worst in NORTH: 5.25 ± 1 h/year, at most 3 h/year allowed, "
        "tolerance 0.5 h/year: 1.75 h/year too much. The margin is below 2 standard errors: not significant."
    )
    (held,) = lights([Reading("NORTH", 0.25, 1.0)]).findings
    assert held.sentence == (
        "Lights stay on (lights-stay-on) holds; worst in NORTH: 0.25 ± 1 h/year, at most 3 h/year allowed, "
        "tolerance 0.5 h/year: 3.25 h/year room."
    )
    assert (finding.significant, held.significant) == (False, True)


def test_what_cannot_be_judged_says_so() -> None:
    (missing,) = lights([]).findings
    assert "there is no reading of lole, and no input is a failure" in missing.sentence
    (nothing,) = lights([Reading("NORTH", float("nan"))]).findings
    assert "fails in NORTH: lole is nan, which cannot be judged" in nothing.sentence
    assert required_move(missing) is None
    assert required_move(nothing) is None
    judged = judge(TOY, {}, as_of=date(2020, 1, 1))
    assert judged.reason == "No clause is in force on 2020-01-01; without a rule nothing passes."
    assert "it holds from 2025-01-01 until 2025-12-31" in judged.finding("lights-stay-on").sentence
    assert judged.binding_clause is None


def test_a_policy_whose_clauses_do_not_decide_lets_nothing_pass() -> None:
    alone = replace(TOY, clauses=(TOY.clause("use-at-least"),))
    judged = judge(alone, {"package_consumption": [Reading("y", 45.0)]}, as_of=DAY)
    assert not judged.passed
    assert judged.reason == "No binding clause is in force on 2025-06-30; without a rule nothing passes."
    assert not judge(only_subjects(TOY, ["acceptance"]), {}, as_of=DAY).passed


def test_a_misspelt_measure_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"is no metric \(value: 'loel'\). Mend: did you mean 'lole'\?"):
        judge(TOY, {"loel": [Reading("A", 0.0)]}, as_of=DAY)


def test_another_limit_is_another_policy() -> None:
    moved = with_limit(TOY, "no-hoard", at_most=25)
    assert moved.clause("no-hoard").at_most == 25
    assert (moved.clause("no-hoard").low, moved.clause("no-hoard").high) == (0, 25)
    assert TOY.clause("no-hoard").at_most == 0
    assert len({TOY.sha256, moved.sha256, with_limit(TOY, "no-hoard", at_most=24).sha256}) == 3
    assert with_limit(TOY, "no-hoard", at_most=25).sha256 == moved.sha256


@pytest.mark.parametrize(
    ("clause", "limits", "said"),
    [
        ("no-hord", {"at_most": 1}, "did you mean 'no-hoard'"),
        ("no-hoard", {}, "give at_most or at_least"),
        ("no-hoard", {"at_least": 1}, "no limit on this side"),
        ("no-hoard", {"at_most": float("inf")}, "must be finite"),
        ("use-in-range", {"at_least": 60}, "at_least is above at_most, which is 50"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(clause: str, limits: dict[str, float], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        with_limit(TOY, clause, **limits)


def test_only_some_subjects() -> None:
    kept = only_subjects(TOY, ["reserve"])
    assert [clause.id for clause in kept.clauses] == ["no-hoard"]
    assert kept.sha256 != TOY.sha256
