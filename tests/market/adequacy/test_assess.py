"""Estimates and their errors, paired changes, any number of threads, kept batches, and what is refused."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from penstock.errors import BidError, SystemFaultError
from penstock.market.adequacy import (
    BASE,
    BATCH,
    SEEDS,
    SYSTEM,
    ExtraLoad,
    Link,
    OutageModel,
    Unit,
    assess,
    assess_adequacy,
)
from penstock.market.adequacy.estimate import estimate_of
from penstock.market.adequacy.years import Arrays, run_years

from .models import extra, model_of, random_model

Batch = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def model() -> OutageModel:
    return random_model(np.random.default_rng(6))


class Memory:
    """Keeps batches, and counts the years that are drawn; `held` holds up those from its number on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: dict[int, Batch] = {}
        self.drawn: list[int] = []
        self.held: int | None = None
        self.stopping = threading.Event()

        def counted(arrays: Arrays, seed: int, years: npt.NDArray[np.int64]) -> Batch:
            if self.held is not None and years[0] >= self.held * BATCH:
                self.stopping.wait(10.0)
                time.sleep(0.1)  # the batches that nobody has begun are called off meanwhile
            self.drawn.extend(years.tolist())
            return run_years(arrays, seed, years)

        monkeypatch.setattr(assess, "run_years", counted)

    @property
    def kept(self) -> tuple[Callable[[int], Batch | None], Callable[[int, Batch], None]]:
        return self.batches.get, self.batches.__setitem__


def test_mean_and_its_error_by_hand() -> None:
    found = estimate_of(np.array([0.0, 2.0, 4.0, 6.0]))
    assert found.value == 3.0
    assert found.standard_error == pytest.approx(math.sqrt((9 + 1 + 1 + 9) / 3 / 4))
    assert found.samples == 4
    assert found.years_with_events_at_most is None


def test_one_year_has_no_error() -> None:
    found = estimate_of(np.array([5.0]))
    assert found.value == 5.0
    assert math.isnan(found.standard_error)
    assert found.years_with_events_at_most is None


@pytest.mark.parametrize("years", [100, 1000])
def test_rule_of_three(years: int) -> None:
    """With a share of 3/n of years, none in n years still has the probability of about 5 %."""
    bound = estimate_of(np.zeros(years)).years_with_events_at_most
    assert bound is not None
    assert bound == pytest.approx(3.0 / years)
    assert (1.0 - bound) ** years == pytest.approx(0.05, abs=0.003)
    assert estimate_of(np.zeros(2)).years_with_events_at_most == 1.0
    assert estimate_of(np.ones(years)).years_with_events_at_most is None


def test_error_of_a_change_is_that_of_the_differences(model: OutageModel) -> None:
    """Both see the same outages, so it is far smaller than that of two independent means."""
    found = assess_adequacy(model, {"load": extra(model, firm=1.0)}, years=400)
    base, load = (found.years[:, place, -1, 1] for place in range(2))
    change = found.change("load").eue_mwh[SYSTEM]
    assert change.value == pytest.approx((load - base).mean())
    assert change.standard_error == pytest.approx((load - base).std(ddof=1) / math.sqrt(400))
    parts = (found.case(name).eue_mwh[SYSTEM].standard_error for name in (BASE, "load"))
    assert change.standard_error < 0.2 * math.hypot(*parts)
    nothing = found.change(BASE)
    assert nothing.lole_h[SYSTEM].value == nothing.eue_mwh[SYSTEM].standard_error == 0.0


def test_system_is_short_when_any_zone_is(model: OutageModel) -> None:
    found = assess_adequacy(model, {}, years=50).years[:, 0]
    assert found[:, -1, 1] == pytest.approx(found[:, :-1, 1].sum(axis=1))
    assert np.all(found[:, -1, 0] >= found[:, :-1, 0].max(axis=1))
    assert np.all(found[:, -1, 0] <= found[:, :-1, 0].sum(axis=1))


@pytest.mark.parametrize("years", [1, BATCH, 4 * BATCH + 7])
def test_same_years_for_any_number_of_threads(model: OutageModel, years: int) -> None:
    one, two, four = (assess_adequacy(model, {}, years=years, workers=n).years for n in (1, 2, 4))
    assert len(one) == years
    assert np.array_equal(one, two)
    assert np.array_equal(one, four)


def test_a_base_that_is_known_is_not_served_again(model: OutageModel) -> None:
    base = assess_adequacy(model, {}, years=BATCH + 7, seed=3)
    load = {"load": extra(model, firm=5.0)}
    whole = assess_adequacy(model, load, years=BATCH + 7, seed=3)
    again = assess_adequacy(model, load, years=BATCH + 7, seed=3, base=base)
    assert again.names == whole.names == (BASE, "load")
    assert np.array_equal(again.years, whole.years)
    for years, seed in ((BATCH, 3), (BATCH + 7, 4)):
        with pytest.raises(BidError, match="base: is of 57 years from seed 3"):
            assess_adequacy(model, load, years=years, seed=seed, base=base)


def test_progress_is_told_in_order(model: OutageModel) -> None:
    told: list[tuple[int, int]] = []
    assess_adequacy(model, {}, years=2 * BATCH + 5, progress=lambda done, years: told.append((done, years)))
    assert told == [(BATCH, 2 * BATCH + 5), (2 * BATCH, 2 * BATCH + 5), (2 * BATCH + 5, 2 * BATCH + 5)]


@pytest.mark.parametrize("workers", [1, 2])
def test_stopped_and_taken_up_again(
    model: OutageModel, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """What was done is not drawn again, and nothing of the result differs by a bit."""
    years = 30 * BATCH
    whole = assess_adequacy(model, {}, years=years).years
    memory = Memory(monkeypatch)
    memory.held = 6

    def stop(done: int, _: int) -> None:
        if done == 3 * BATCH:
            memory.stopping.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assess_adequacy(model, {}, years=years, workers=workers, progress=stop, kept=memory.kept)
    before, memory.drawn, memory.held = list(memory.drawn), [], None
    assert 3 <= len(memory.batches) < 30
    again = assess_adequacy(model, {}, years=years, workers=workers, kept=memory.kept)
    assert np.array_equal(again.years, whole)
    assert sorted(before + memory.drawn) == list(range(years)), "each year is drawn once"


def test_a_shorter_or_alien_batch_is_drawn_again(model: OutageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(monkeypatch)
    assess_adequacy(model, {}, years=BATCH + 5, kept=memory.kept)
    assert len(memory.batches[1]) == 5
    memory.batches[0] = memory.batches[0][:, :, :-1]
    memory.drawn.clear()
    found = assess_adequacy(model, {}, years=2 * BATCH, workers=1, kept=memory.kept)
    assert memory.drawn == list(range(2 * BATCH))
    memory.drawn.clear()
    fewer = assess_adequacy(model, {}, years=7, kept=memory.kept)
    assert memory.drawn == []
    assert np.array_equal(fewer.years, found.years[:7])


def test_all_that_is_out_of_range_is_named_at_once(model: OutageModel) -> None:
    shape = model.demand.shape
    bad = {
        "flat": ExtraLoad(np.zeros(3), np.zeros(shape)),
        "negative": ExtraLoad(np.zeros(shape), np.full(shape, -1.0)),
        "empty": ExtraLoad(np.full(shape, np.nan), np.zeros(shape)),
    }
    with pytest.raises(BidError) as caught:
        assess_adequacy(model, bad, years=0, seed=-1, workers=0)
    assert [(fault.place, fault.column) for fault in caught.value.faults] == [
        ("adequacy", "years"),
        ("adequacy", "seed"),
        ("adequacy", "workers"),
        ("load flat", "firm"),
        ("load negative", "interruptible"),
        ("load empty", "firm"),
    ]
    with pytest.raises(BidError, match="below 2\\^63"):
        assess_adequacy(model, {}, years=1, seed=SEEDS)
    assert assess_adequacy(model, {}, years=1, seed=SEEDS - 1).samples == 1


def test_an_unknown_case_is_named(model: OutageModel) -> None:
    with pytest.raises(KeyError, match="no case 'other'; there are base"):
        assess_adequacy(model, {}, years=1).case("other")


def test_all_faults_of_a_model_are_named_at_once() -> None:
    with pytest.raises(SystemFaultError) as caught:
        model_of(
            ("A",),
            [[1.0], [2.0]],
            [
                Unit("elsewhere", "B", 1.0, 0.1, 10.0),
                Unit("never up", "A", 1.0, 1.0, 10.0),
                Unit("quick", "A", 1.0, 0.1, 0.5),
                Unit("too often", "A", 1.0, 0.9, 2.0),
                Unit("negative", "A", -1.0, 0.1, 10.0),
                Unit("short", "A", np.ones(3), 0.1, 10.0),
            ],
            [Link("lossy", "A", "C", 1.0, 1.0, 1.0)],
        )
    assert [(fault.place, fault.column) for fault in caught.value.faults] == [
        ("unit elsewhere", "zone"),
        ("unit never up", "outage_rate"),
        ("unit quick", "repair_hours"),
        ("unit too often", "outage_rate"),
        ("unit negative", "capacity"),
        ("unit short", "capacity"),
        ("link lossy", "to_zone"),
        ("link lossy", "loss"),
    ]


def test_digest_tells_models_apart() -> None:
    unit, link = Unit("u", "A", 5.0, 0.1, 10.0), Link("k", "A", "B", 5.0, 5.0)
    base = model_of(("A", "B"), np.ones((4, 2)), [unit], [link])
    others = [
        replace(base, demand=2.0 * base.demand),
        replace(base, steady=base.steady + 1.0),
        replace(base, zones=("A", "C"), links=()),
        *(
            replace(base, units=(other,))
            for other in (
                replace(unit, capacity=6.0),
                replace(unit, outage_rate=0.2),
                replace(unit, repair_hours=11.0),
                replace(unit, zone="B"),
            )
        ),
        *(
            replace(base, links=(way,))
            for way in (
                replace(link, forward_limit=6.0),
                replace(link, backward_limit=6.0),
                replace(link, loss=0.1),
                replace(link, outage_rate=0.1),
            )
        ),
    ]
    assert replace(base).digest() == base.digest()
    assert len({model.digest() for model in (base, *others)}) == len(others) + 1
