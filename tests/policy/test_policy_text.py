"""A policy written as text is read again as the same policy."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.country.load import shipped_countries
from penstock.policy import Clause, Policy, PolicySource, policy_text, read_policy
from penstock.study.policies import load_policy

CURRENCY = {"pakistan": "PKR", "el_salvador": "USD"}
WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs"), include_characters=" "),
    min_size=1,
    max_size=40,
).map(lambda text: " ".join(text.split()))
SAID = WORDS.filter(bool)
NUMBER = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: value + 0.0)
DAY = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))


def same(one: Policy, other: Policy) -> bool:
    """Whether two policies differ in nothing but lines and the hash of their text."""

    def bare(policy: Policy) -> Policy:
        clauses = tuple(replace(clause, line=0) for clause in policy.clauses)
        return replace(policy, clauses=clauses, sources=dict(policy.sources), sha256="")

    return bare(one) == bare(other)


@pytest.mark.parametrize("name", shipped_countries())
def test_the_policies_that_ship_survive(name: str) -> None:
    policy = load_policy(name)
    text = policy_text(policy, "One remark.\nAnd: another # one.")
    assert same(read_policy(text, "again", currency=CURRENCY[name]), policy)
    assert text.startswith("# One remark.\n# And: another # one.\ncountry: ")


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    limit = draw(NUMBER)
    first = draw(DAY)
    assumed = draw(st.booleans())
    return Clause(
        id=draw(st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)),
        title=draw(SAID),
        clause=draw(SAID),
        metric="unrecovered_cost_year",
        at_most=limit,
        at_least=None,
        unit="XTC/kWh",
        tolerance=abs(draw(NUMBER)),
        low=limit - 1 if assumed else None,
        high=limit + 1 if assumed else None,
        basis="assumption" if assumed else "published",
        source="gazette",
        holds_from=first,
        holds_until=draw(st.none() | st.dates(first, dt.date(2100, 1, 2))),
        binding=draw(st.booleans()),
        subject="programme",
        note=draw(WORDS),
        line=0,
    )


@given(
    st.lists(clauses(), min_size=1, max_size=4, unique_by=lambda clause: clause.id), SAID, SAID, WORDS, WORDS
)
def test_any_policy_survives(
    found: list[Clause], country: str, title: str, publisher: str, note: str
) -> None:
    source = PolicySource("gazette", title, publisher or "somebody", "", "2024", note)
    policy = Policy(country, title, tuple(found), {"gazette": source}, "")
    assert same(read_policy(policy_text(policy), "again", currency="XTC"), policy)
