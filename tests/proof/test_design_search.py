"""The search for a design, on the toy: what passes, what must move where nothing does, other assumptions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.errors import ProgrammeError
from penstock.policy import with_limit
from penstock.programme import Programme, default_programme
from penstock.proof.design import DesignSearch, search_design
from penstock.proof.documents import design_document
from penstock.proof.sensitivity import Sensitivity, sensitivities
from penstock.proof.trials import Trial, Trials
from penstock.report.proof_words import design_sentences
from tests.report.schema_check import schema_errors

HIGHEST = 9.0
MINUS = "\N{MINUS SIGN}"

pytestmark = pytest.mark.xdist_group("toy-proof")


@pytest.fixture(scope="module")
def programme(toy: Trials) -> Programme:
    return default_programme(toy.country)


@pytest.fixture(scope="module")
def found(toy: Trials, programme: Programme) -> DesignSearch:
    return search_design(toy, programme, highest_tariff_per_kwh=HIGHEST, shares=(0.5,))


@pytest.fixture(scope="module")
def none_found(strict_toy: Trials, programme: Programme) -> DesignSearch:
    return search_design(strict_toy, programme, highest_tariff_per_kwh=HIGHEST, shares=(0.5,))


@pytest.fixture(scope="module")
def cases(toy: Trials, found: DesignSearch) -> dict[str, Sensitivity]:
    assert found.best is not None
    return {row.key: row for row in sensitivities(toy, found.best.programme)}


# --- something passes -------------------------------------------------------------------------------------


def test_the_best_passes_and_nothing_tried_by_hand_is_better(
    toy: Trials, programme: Programme, found: DesignSearch
) -> None:
    best = found.best
    assert best is not None
    assert best.passed
    assert found.obstacles == ()
    assert found.nearest is None
    assert found.by_share == {0.5: best}
    for place in ("NORTH", "SOUTH"):
        for size in (0.3, 0.6, 0.9):
            other = replace(
                programme, mw=size * programme.mw, tariff_per_kwh=0.97 * HIGHEST, sites={place: 1.0}
            )
            trial = toy.programme(other)
            if trial.judgement.passed:
                assert trial.benefit_usd <= best.trial.benefit_usd


def test_the_runner_up_passes_and_is_another_design(found: DesignSearch) -> None:
    best, second = found.best, found.runner_up
    assert best is not None
    assert second is not None
    assert second.passed
    assert second.trial.benefit_usd <= best.trial.benefit_usd
    assert (second.place, second.programme.firm) != (best.place, best.programme.firm)


def test_the_document_has_the_keys_that_were_promised(
    toy: Trials, programme: Programme, found: DesignSearch, cases: dict[str, Sensitivity]
) -> None:
    document = design_document(toy, found, toy.programme(programme), tuple(cases.values()))
    assert schema_errors("design", document) == []
    assert document["verdict"] == "passes"
    assert [row["id"] for row in document["guardrails"]] == ["no-subsidy", "nobody-pays-more"]
    for row in document["guardrails"]:
        assert {"id", "passed", "value", "limit", "margin"} <= row.keys()
        assert row["passed"]
        assert row["margin"] == pytest.approx(row["limit"] - row["value"])
    assert document["must_move"] == []
    assert document["search"]["designs_tried"] == found.tried


# --- nothing passes ---------------------------------------------------------------------------------------


def test_where_nothing_passes_the_document_says_which_limit_must_move_and_that_much_is_enough(
    strict_toy: Trials, programme: Programme, none_found: DesignSearch
) -> None:
    assert none_found.best is None
    document = design_document(strict_toy, none_found, strict_toy.programme(programme), ())
    assert schema_errors("design", document) == []
    assert (document["verdict"], document["design"]) == ("refused", None)
    (row,) = document["must_move"]
    assert (row["id"], row["limit"], row["move"]["side"]) == ("no-subsidy", -4.0, "at_most")
    move = row["move"]
    assert move["limit"] == pytest.approx(-4.0 + move["amount"])
    said = " ".join(design_sentences(document))
    assert f"No subsidy, from {MINUS}4 XTC/kWh to {MINUS}{-move['limit']:.4g} XTC/kWh" in said

    def passes(limit: float) -> bool:
        policy = with_limit(strict_toy.policy, "no-subsidy", at_most=limit)
        moved = replace(strict_toy, policy=policy, _kept={})
        (obstacle,) = none_found.obstacles
        return moved.programme(obstacle.design.programme).judgement.passed

    assert passes(move["limit"])
    assert not passes(-4.0 + 0.999 * move["amount"])


def failed(trial: Trial) -> list[str]:
    return [row.clause.id for row in trial.judgement.findings if row.status != "passed"]


def test_no_design_that_was_tried_needs_less(strict_toy: Trials, none_found: DesignSearch) -> None:
    (obstacle,) = none_found.obstacles
    assert obstacle.move is not None
    tried = [row.result() for row in strict_toy._kept.values()]
    alone = [row for row in tried if failed(row) == ["no-subsidy"]]
    assert len(alone) > 20
    short = min(row.measures["unrecovered_cost_year"][0].value for row in alone)
    assert obstacle.move.limit == pytest.approx(short)


# --- bounds -----------------------------------------------------------------------------------------------


def test_a_highest_tariff_below_the_cost_is_the_only_one_that_is_tried(
    toy: Trials, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = toy.programme(replace(programme, tariff_per_kwh=3.0))
    assert not refused.judgement.passed
    monkeypatch.setattr(
        Trials, "_try_programme", lambda self, programme: refused
    )  # the tariff is what counts
    own = replace(toy, _kept={})
    found = search_design(own, programme, highest_tariff_per_kwh=3.0, shares=(0.5,))
    assert found.best is None
    assert found.nearest is not None
    assert found.nearest.programme.tariff_per_kwh == 3.0


def test_bounds_with_nothing_between_are_refused_at_once(toy: Trials, programme: Programme) -> None:
    with pytest.raises(ProgrammeError) as refused:
        search_design(toy, programme, highest_tariff_per_kwh=-1.0, most_mw=0.0)
    assert [fault.place for fault in refused.value.faults] == ["most_mw", "highest_tariff_per_kwh"]
    assert "XTC/kWh" in str(refused.value)


# --- other assumptions ------------------------------------------------------------------------------------


def test_every_case_moves_what_it_says(
    toy: Trials, found: DesignSearch, cases: dict[str, Sensitivity]
) -> None:
    assert found.best is not None
    here = found.best.trial
    assert list(cases) == [
        *("hashprice_low", "fuel_low", "capacity_low", "hashprice_high", "fuel_high", "capacity_high"),
        "stress_hot",
    ]
    there = {key: row.trial for key, row in cases.items()}
    # Dearer hashprice: miners take as much or more. Dearer fuel: a kWh costs more.
    assert there["hashprice_low"].energy_mwh < here.energy_mwh <= there["hashprice_high"].energy_mwh
    assert there["fuel_low"].needs["marginal"] < here.needs["marginal"] < there["fuel_high"].needs["marginal"]
    # Capacity payments change the full cost by a tenth of their part, and nothing else.
    parts = {
        key: there[key].needs["full_per_kwh"] - there[key].needs["marginal"]
        for key in ("capacity_low", "capacity_high")
    }
    part = here.needs["full_per_kwh"] - here.needs["marginal"]
    assert parts["capacity_low"] == pytest.approx(0.9 * part)
    assert parts["capacity_high"] == pytest.approx(1.1 * part)
    for key in parts:
        assert there[key].needs["marginal"] == here.needs["marginal"]
        assert there[key].benefit_usd == here.benefit_usd
    assert cases["stress_hot"].title == "Hot summer"
    assert there["stress_hot"].added_cost_usd > here.added_cost_usd
