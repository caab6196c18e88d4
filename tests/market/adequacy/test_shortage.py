"""Who is short: help between zones against a linear programme, cases by hand, people before programmes."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog  # type: ignore[import-untyped]

from penstock.market.adequacy import BASE, SYSTEM, Link, OutageModel, Unit, assess_adequacy
from penstock.market.adequacy.shortage import settle

from .models import extra, model_of, random_model

_njit: Any = numba.njit
SEEDS = st.integers(0, 2**32 - 1)
TINY = 1e-6


@_njit
def _settle(margin, tail, head, gain, room, sent, kept, via):  # type: ignore[no-untyped-def]
    settle(margin, tail, head, gain, room, sent, kept, via)


class Network:
    """Zones that have too much or too little, and links: from, to, most each way, share that is lost."""

    def __init__(self, margin: Any, links: list[tuple[int, int, float, float, float]]) -> None:
        self.margin = np.array(margin, dtype=float)
        self.tail = np.array([end for a, b, *_ in links for end in (a, b)], dtype=np.int64)
        self.head = np.array([end for a, b, *_ in links for end in (b, a)], dtype=np.int64)
        self.room = np.array([most for link in links for most in link[2:4]], dtype=float)
        self.gain = np.repeat([1.0 - link[4] for link in links], 2).astype(float)

    def settled(self) -> tuple[Any, Any]:
        """Margins afterwards and what every arc sends. [MW]"""
        margin, sent = self.margin.copy(), np.zeros(len(self.tail))
        kept, via = np.zeros(len(margin)), np.zeros(len(margin), dtype=np.int64)
        _settle(margin, self.tail, self.head, self.gain, self.room.copy(), sent, kept, via)
        return margin, sent

    def least_shortage(self) -> float:
        """The least that all zones together can be short of, by a linear programme. [MW]

        Variables: what each arc sends, what each zone goes short of. A zone sends no more than what it has,
        what arrives and its shortage.
        """
        zones, arcs = len(self.margin), len(self.tail)
        rows = np.zeros((zones, arcs + zones))
        for arc in range(arcs):
            rows[self.tail[arc], arc] += 1.0
            rows[self.head[arc], arc] -= self.gain[arc]
        rows[:, arcs:] = -np.eye(zones)
        most = [*self.room, *np.maximum(-self.margin, 0.0)]
        cost = np.concatenate([np.zeros(arcs), np.ones(zones)])
        found = linprog(cost, A_ub=rows, b_ub=self.margin, bounds=[(0.0, limit) for limit in most])
        assert found.status == 0
        return float(found.fun)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    zones = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(SEEDS))
    whole = draw(st.booleans())  # whole numbers bring ties
    losses = draw(st.sampled_from([(0.0,), (0.02,), (0.0, 0.02, 0.05, 0.3)]))
    links = []
    for _ in range(draw(st.integers(0, 9)) if zones > 1 else 0):
        a, b = rng.choice(zones, 2, replace=False)
        limits = rng.integers(0, 12, 2) if whole else rng.uniform(0.0, 12.0, 2)
        links.append((int(a), int(b), float(limits[0]), float(limits[1]), float(rng.choice(losses))))
    margin = rng.integers(-20, 21, zones) if whole else rng.uniform(-20.0, 20.0, zones)
    return Network(margin, links)


@settings(max_examples=250, deadline=None)
@given(networks())
def test_least_shortage_is_that_of_a_linear_programme(network: Network) -> None:
    margin, sent = network.settled()
    assert -np.minimum(margin, 0.0).sum() == pytest.approx(network.least_shortage(), abs=TINY)
    assert np.all(sent >= 0.0)
    assert np.all(sent <= network.room + TINY)
    assert not np.any((sent[::2] > TINY) & (sent[1::2] > TINY)), "a link sends both ways"
    balance = network.margin.copy()
    np.subtract.at(balance, network.tail, sent)
    np.add.at(balance, network.head, sent * network.gain)
    assert margin == pytest.approx(balance, abs=TINY)
    assert np.all(margin[network.margin >= 0.0] >= -TINY), "a zone with a surplus became short"
    assert np.all(margin[network.margin < 0.0] <= TINY), "a short zone got more than it lacks"


def test_help_takes_the_way_with_the_least_loss_and_gives_way() -> None:
    """Two ways from 0 to 2: direct at 10 %, over 1 at 2 % + 2 %. Where 1 is short too, 0 alone helps it."""
    links = [(0, 2, 100.0, 100.0, 0.1), (0, 1, 10.0, 10.0, 0.02), (1, 2, 100.0, 100.0, 0.02)]
    margin, sent = Network([100.0, 0.0, -5.0], links).settled()
    assert margin == pytest.approx([100.0 - 5.0 / 0.98**2, 0.0, 0.0])
    assert sent[[0, 2, 4]] == pytest.approx([0.0, 5.0 / 0.98**2, 5.0 / 0.98])
    margin, sent = Network([100.0, -9.0, -5.0], links).settled()
    assert margin[1:] == pytest.approx([0.0, 0.0])
    assert sent[2] == pytest.approx(10.0), "the short way carries what it can"


def test_losses_decide_what_arrives() -> None:
    """10 MW to spare, 5 % lost, 8 MW of room: 7.6 arrive."""
    margin, sent = Network([10.0, -20.0], [(0, 1, 8.0, 3.0, 0.05)]).settled()
    assert margin == pytest.approx([2.0, -12.4])
    assert sent == pytest.approx([8.0, 0.0])


def years_of(model: OutageModel, years: int = 6, **cases: Any) -> dict[str, Any]:
    found = assess_adequacy(model, cases, years=years, seed=3, workers=1)
    return {name: found.years[:, place] for place, name in enumerate(found.names)}


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_an_interruptible_load_takes_nothing_from_people(seed: int) -> None:
    """Not in any year, in any zone, to the bit; and what it is cut of is at most what it takes."""
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    takes = rng.uniform(0.0, 30.0, model.demand.shape) * (rng.random(model.demand.shape) < 0.7)
    found = years_of(model, load=extra(model, interruptible=takes))
    assert np.array_equal(found["load"][..., :2], found[BASE][..., :2])
    assert not found[BASE][..., 2:].any()
    assert np.all(found["load"][:, :-1, 3] <= takes.sum(axis=0) + TINY)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_firm_load_never_lowers_what_people_miss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    found = years_of(model, load=extra(model, firm=rng.uniform(0.0, 20.0, model.demand.shape)))
    assert np.all(found["load"][:, -1, :2] >= found[BASE][:, -1, :2] - TINY)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_one_unit_or_link_more_never_raises_what_people_miss(seed: int) -> None:
    """The new one is last, so that the others fail as before; links draw from streams of their own."""
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    more = Unit("new", model.zones[0], 10.0, 0.2, 8.0)
    parts = (model.zones, model.demand, model.steady)
    before = years_of(model)[BASE][:, -1, :2]
    after = years_of(OutageModel(*parts, (*model.units, more), model.links))[BASE][:, -1, :2]
    assert np.all(after <= before + TINY)
    if len(model.zones) > 1:
        link = Link("new", model.zones[1], model.zones[0], 6.0, 6.0, 0.01, 0.3, 4.0)
        after = years_of(OutageModel(*parts, model.units, (*model.links, link)))[BASE][:, -1, :2]
        assert np.all(after <= before + TINY)


def test_people_first_by_hand() -> None:
    """A has 10 MW for 8 of people, B 2 for 6; the link brings 1. B misses 3, A's load of 4 finds 1 left."""
    model = OutageModel(
        ("A", "B"),
        np.array([[8.0, 6.0]]),
        np.array([[10.0, 2.0]]),
        (),
        (Link("AB", "A", "B", 1.0, 1.0),),
    )
    found = assess_adequacy(model, {"load": extra(model, interruptible=[4.0, 0.0])}, years=2)
    load, base = found.case("load"), found.case(BASE)
    for case in (load, base):
        assert (case.lole_h["A"].value, case.eue_mwh["A"].value) == (0.0, 0.0)
        assert (case.lole_h["B"].value, case.eue_mwh["B"].value) == (1.0, 3.0)
        assert (case.lole_h[SYSTEM].value, case.eue_mwh[SYSTEM].value) == (1.0, 3.0)
    assert (load.cut_h["A"].value, load.cut_mwh["A"].value, load.interrupted_mwh.value) == (1.0, 3.0, 3.0)
    assert base.interrupted_mwh.value == 0.0


def test_a_failing_unit_alone_is_short_while_it_is_down() -> None:
    """EUE of one unit of 10 MW under 10 MW of demand is rate x hours x 10."""
    model = model_of(("A",), np.full((500, 1), 10.0), [Unit("u", "A", 10.0, 0.1, 20.0)])
    found = assess_adequacy(model, {}, years=4000).case(BASE)
    assert abs(found.lole_h["A"].value - 50.0) < 3.0 * found.lole_h["A"].standard_error
    assert found.eue_mwh["A"].value == pytest.approx(10.0 * found.lole_h["A"].value)
