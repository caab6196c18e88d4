"""Trials: each is cleared once, whoever asks; and what years of outages have a say in."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from penstock.proof import trials as room
from penstock.proof.hosting import fails_at, find_hosting
from penstock.proof.trials import BY_OUTAGES, FLAT, Trial, Trials
from penstock.study.adequacy import assess, load_of

TARIFF = 60.0  # USD/MWh
LEVELS = (0.005, 0.05)

pytestmark = pytest.mark.xdist_group("toy-proof")


@pytest.fixture
def fresh(toy: Trials) -> Trials:
    return replace(toy, _kept={})


def flat(trials: Trials, mw: float, *, firm: bool = True, outages: bool = True) -> Trial:
    sites = {"NORTH": 0.5, "SOUTH": 0.5}
    return trials.flat(mw, sites, firm=firm, least_tariff=TARIFF, outages=outages)


def test_who_asks_while_a_trial_is_cleared_waits_for_it(
    fresh: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[float] = []
    begun = threading.Event()

    def slow(self: Trials, mw: float, *rest: object) -> object:
        made.append(mw)
        begun.set()
        time.sleep(0.2)
        return object()

    monkeypatch.setattr(Trials, "_try_flat", slow)
    with ThreadPoolExecutor(2) as executor:
        first = executor.submit(flat, fresh, 10.0)
        begun.wait(5.0)
        assert flat(fresh, 10.0) is first.result()
    assert made == [10.0]


def test_a_trial_that_fails_fails_for_all_who_asked(fresh: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Trials, *rest: object) -> object:
        raise ValueError("no year")

    monkeypatch.setattr(Trials, "_try_flat", broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="no year"):
            flat(fresh, 10.0)


@pytest.mark.parametrize("firm", [True, False])
def test_outages_have_no_say_in_the_other_metrics(fresh: Trials, firm: bool) -> None:
    cleared, drawn = flat(fresh, 400.0, firm=firm, outages=False), flat(fresh, 400.0, firm=firm)
    others = set(drawn.measures) - BY_OUTAGES
    assert {"unrecovered_cost_year", "consumer_change_pooled", "price_change"} <= others
    for metric in others:
        assert cleared.measures[metric] == drawn.measures[metric]
    assert "lole_change" not in cleared.measures
    assert (cleared.tariff_per_kwh, cleared.benefit_usd) == (drawn.tariff_per_kwh, drawn.benefit_usd)
    if not firm:
        (less,), (more,) = (row.measures["interrupted_share"] for row in (cleared, drawn))
        assert less.value < more.value
    # Once it is known with outages, it is not cleared again without.
    assert flat(fresh, 400.0, firm=firm, outages=False) is drawn


def test_the_years_without_a_load_are_drawn_once(fresh: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def counted(model: object, cases: dict[str, object], **rest: object) -> object:
        asked.append(tuple(cases))
        return assess(model, cases, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "assess", counted)
    own = replace(fresh, _drawn=[])
    trial = flat(own, 100.0)
    flat(own, 200.0)
    assert asked == [(), ("programme",), ("programme",)]
    # The same readings as those of years that are drawn anew.
    taken = np.full_like(own.outages.demand, 50.0)
    alone = assess(own.outages, {"programme": load_of(taken, firm=True)}, years=own.years).change("programme")
    for reading in trial.measures["lole_change"]:
        assert reading.value == alone.lole_h[reading.place].value


def test_hosting_is_the_same_for_any_number_of_workers_and_by_hand(fresh: Trials) -> None:
    sites = {"NORTH": 0.5, "SOUTH": 0.5}
    one = find_hosting(fresh, sites, tariff_per_kwh=6.0, levels=LEVELS, workers=1)
    two = find_hosting(replace(fresh, _kept={}), sites, tariff_per_kwh=6.0, levels=LEVELS, workers=2)
    assert one.rows == two.rows
    assert [(row.place, row.share) for row in one.rows] == [
        (place, share) for place in ("together", "NORTH", "SOUTH") for share in (None, *LEVELS)
    ]
    for row in one.rows:
        where = sites if row.place == "together" else {row.place: 1.0}

        def failed(mw: float, where: dict[str, float] = where, share: float | None = row.share) -> set[str]:
            trial = fresh.flat(mw, where, firm=share is None, least_tariff=TARIFF)
            return {clause for clause, decides in fails_at(trial, share).items() if decides}

        if row.mw > 0.0:
            assert failed(row.mw) == set()
        if row.binding is not None and row.mw > 0.0:
            assert row.binding in failed(1.01 * row.mw)
    soft = [one.row("together", share).mw for share in LEVELS]
    assert soft == sorted(soft)
    assert all(reading.place == FLAT for reading in flat(fresh, 400.0).measures["interrupted_share"])
