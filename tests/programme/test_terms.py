"""The contracts and the order of interruption that ship with Penstock."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from penstock.programme.terms import load_terms, terms_sources


def test_steps_are_in_the_order_in_which_they_are_interrupted() -> None:
    steps = load_terms().steps
    assert [(step.order, step.key, step.contract) for step in steps.values()] == [
        (1, "low_power", "mining"),
        (2, "mining_stopped", "mining"),
        (3, "work_deferred", "deferrable"),
        (4, "training_paused", "training"),
        (5, "serving_cut", "serving"),
    ]
    assert all(key == step.key for key, step in steps.items())


def test_shares_of_ai_are_those_that_were_studied() -> None:
    """Norris et al. 2025 curtail 0.25, 0.5 and 1 % of a new load's energy."""
    contracts = load_terms().contracts
    shares = {key: contracts[key].annual_share for key in ("serving", "training", "deferrable")}
    assert shares == {"serving": 0.0025, "training": 0.005, "deferrable": 0.01}
    assert contracts["mining"].annual_share == 10 * shares["deferrable"]
    assert load_terms().parameters["typical_event_hours"].value == 2.1


def test_every_figure_has_a_range_a_source_and_a_contract() -> None:
    terms, known = load_terms(), set(terms_sources().column("source"))
    for contract in terms.contracts.values():
        assert contract.low is not None
        assert contract.high is not None
        assert 0.0 <= contract.low <= contract.annual_share <= contract.high <= 1.0
        assert contract.source in known
        assert contract.note
    for row in terms.parameters.values():
        assert row.low is not None
        assert row.high is not None
        assert row.low <= row.value <= row.high
        assert row.source in known
    assert {step.contract for step in terms.steps.values()} == set(terms.contracts)
    assert {terms.contracts[step.contract].load for step in terms.steps.values()} == {"mining", "ai"}
    highest = terms.parameters["bid_ceiling_share"].high
    assert highest is not None
    assert highest < 1.0, "people come first at every value of the range"


def test_terms_cannot_be_changed() -> None:
    terms: Any = load_terms()
    with pytest.raises(TypeError, match="does not support item assignment"):
        terms.contracts["mining"] = None
    with pytest.raises(FrozenInstanceError):
        terms.steps["low_power"].order = 9
