"""Cases that read like law: what each clause says of given readings on a given day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import penstock
from penstock.policy import Measures, Policy, Reading, judge, read_policy, required_move, with_limit

FOLDER = Path(__file__).parent
COUNTRIES = Path(penstock.__file__).parent / "countries"
CURRENCY = {"toy": "TOY", "pakistan": "PKR", "el_salvador": "USD"}
FAILING = ("failed", "no input")


def cases() -> Iterator[dict[str, Any]]:
    for path in sorted((FOLDER / "cases").glob("*.yaml")):
        yield from yaml.safe_load(path.read_text("utf-8"))


CASES = list(cases())


@cache
def law(name: str) -> Policy:
    path = FOLDER / "laws" / "toy.yaml" if name == "toy" else COUNTRIES / name / "policy.yaml"
    return read_policy(path.read_text("utf-8"), path.name, currency=CURRENCY[name])


def measures(given: dict[str, dict[Any, Any]]) -> Measures:
    def reading(place: object, value: object) -> Reading:
        number, error = value if isinstance(value, list) else (value, None)
        assert isinstance(number, int | float)
        return Reading(str(place), float(number), error)

    return {
        metric: [reading(place, value) for place, value in places.items()] for metric, places in given.items()
    }


def only(policy: Policy, case: dict[str, Any]) -> Policy:
    changed = with_limit(policy, case["clause"], **case["limit"]) if "limit" in case else policy
    return replace(changed, clauses=(changed.clause(case["clause"]),))


@pytest.mark.parametrize("case", [case for case in CASES if "clause" in case], ids=lambda case: case["case"])
def test_clause_says_what_the_case_expects(case: dict[str, Any]) -> None:
    assert set(case) <= {
        *("case", "law", "clause", "limit", "day", "given"),
        *("finding", "worst", "limit_met", "margin", "significant", "move", "verdict"),
    }
    judged = judge(
        only(law(case["law"]), case), measures(case["given"]), as_of=date.fromisoformat(str(case["day"]))
    )
    (finding,) = judged.findings
    assert finding.status == case["finding"]
    assert judged.passed == (case["verdict"] == "passes")
    if "worst" in case:
        assert finding.worst is not None
        assert finding.worst.place == case["worst"]
        assert finding.worst.place in finding.sentence
    if "limit_met" in case:
        assert finding.limit == case["limit_met"]
    if "margin" in case:
        assert finding.margin == pytest.approx(case["margin"], abs=1e-12)
    if "significant" in case:
        assert finding.significant is case["significant"]
        assert ("not significant" in finding.sentence) is not case["significant"]
    if "move" in case:
        move = required_move(finding)
        assert move is not None
        assert move.amount == pytest.approx(case["move"], abs=1e-12)
        assert move.unit == finding.clause.unit


@pytest.mark.parametrize(
    "case", [case for case in CASES if "clause" not in case], ids=lambda case: case["case"]
)
def test_law_says_what_the_case_expects(case: dict[str, Any]) -> None:
    assert set(case) == {"case", "law", "day", "given", "failing", "binding", "verdict"}
    judged = judge(law(case["law"]), measures(case["given"]), as_of=date.fromisoformat(str(case["day"])))
    failing = [found.clause.id for found in judged.findings if found.decides and found.status in FAILING]
    assert failing == case["failing"]
    assert judged.passed == (case["verdict"] == "passes")
    named = judged.binding_clause
    assert (None if named is None else named.clause.id) == case["binding"]


def test_there_are_at_least_sixty_cases_and_half_of_them_fail() -> None:
    failing = [case for case in CASES if case.get("finding") in FAILING or case.get("failing")]
    assert len(CASES) >= 60
    assert len(failing) * 2 >= len(CASES)
    assert len({case["case"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", ["pakistan", "el_salvador"])
def test_every_clause_that_decides_has_a_case_that_fails_it(name: str) -> None:
    broken = {case["clause"] for case in CASES if case["law"] == name and case.get("finding") == "failed"}
    assert {clause.id for clause in law(name).clauses if clause.binding} <= broken
