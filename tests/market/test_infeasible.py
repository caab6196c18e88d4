"""DC power flow by hand, and what is said where limits clash."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from penstock.errors import InfeasibleError
from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System, clear
from penstock.market.kirchhoff import cycles


def system(demand: list[list[float]], zones: str = "NS", **parts: Any) -> System:
    """Zones of one letter; nothing may be unserved or left over."""
    return System(
        **{
            "hours": np.datetime64("2025-01-03T06") + np.arange(len(demand)),
            "zones": tuple(zones),
            "demand": np.array(demand),
            "value_of_lost_load": np.inf,
            "disposal_cost": np.inf,
            "plants": (),
            **parts,
        }
    )


def faults(market: System, bids: tuple[Bid, ...] = ()) -> dict[str, str]:
    with pytest.raises(InfeasibleError) as caught:
        clear(market, bids, engine="highs")
    return {fault.place: fault.problem for fault in caught.value.faults}


# --- Kirchhoff's voltage law -----------------------------------------------------------------------------


def test_flow_divides_by_reactance() -> None:
    # 90 MW from A to B: over AB (x 1) and over A-C-B (x 1 + 1), so 60 and 30 MW.
    lines = [Corridor(f"{a}{b}", a, b, 1e3, 1e3, reactance=1.0) for a, b in ("AB", "AC", "BC")]
    market = system([[0.0, 90.0, 0.0]], "ABC", plants=(Plant("p", "A", 10.0, 200.0),), corridors=lines)
    np.testing.assert_allclose(clear(market).flow, [[60.0, 30.0, -30.0]], atol=1e-9)


def test_a_congested_line_sets_three_prices() -> None:
    # AB carries 2/3 of A's output to B and 1/3 of C's; 50 MW is its limit. Of 90 MW, A gives 75 and B 15.
    # A MW more at C: 1/2 MW more from A and 1/2 from B keep AB as it is, so its price is their mean.
    lines = [
        Corridor(f"{a}{b}", a, b, 50.0 if a + b == "AB" else 1e3, 1e3, reactance=2.0)
        for a, b in ("AB", "AC", "BC")
    ]
    plants = (Plant("a", "A", 10.0, 200.0), Plant("b", "B", 50.0, 200.0))
    found = clear(system([[0.0, 90.0, 0.0]], "ABC", plants=plants, corridors=lines))
    np.testing.assert_allclose(found.dispatch, [[75.0, 15.0]], atol=1e-9)
    np.testing.assert_allclose(found.price, [[10.0, 50.0, 30.0]], atol=1e-9)
    assert found.net_cost == pytest.approx(75.0 * 10.0 + 15.0 * 50.0)
    assert found.gap < 1e-9


def test_parallel_lines_share_and_the_smaller_one_limits_both() -> None:
    # x of 1 and 3: the flow divides 3 to 1. The second takes 10 MW, so the first 30; the rest is made at B.
    lines = (
        Corridor("one", "A", "B", 100.0, 100.0, reactance=1.0),
        Corridor("two", "B", "A", 10.0, 10.0, reactance=3.0),
    )
    plants = (Plant("a", "A", 10.0, 200.0), Plant("b", "B", 50.0, 200.0))
    found = clear(system([[0.0, 60.0]], "AB", plants=plants, corridors=lines))
    np.testing.assert_allclose(found.flow, [[30.0, -10.0]], atol=1e-9)
    np.testing.assert_allclose(found.dispatch, [[40.0, 20.0]], atol=1e-9)


def test_a_corridor_without_reactance_is_outside_the_law() -> None:
    lines = (
        Corridor("line", "A", "B", 100.0, 100.0, reactance=1.0),
        Corridor("link", "A", "B", 15.0, 15.0, cost=1.0),
    )
    assert cycles(system([[0.0, 1.0]], "AB", corridors=lines)) == ()


@pytest.mark.parametrize("seed", range(5))
def test_cycles_are_a_basis_on_which_angles_vanish(seed: int) -> None:
    """Flows made of angles fulfil every cycle, and there are as many cycles as lines - zones + parts."""
    random = np.random.default_rng(seed)
    zones = "ABCDEFGH"
    pairs = [(a, b) for a in zones[:5] for b in zones[:5] if a != b and random.random() < 0.5]
    pairs += [("F", "G"), ("G", "F"), ("G", "H")]
    lines = tuple(
        Corridor(f"l{index}", a, b, 9.0, 9.0, reactance=float(random.uniform(0.1, 5.0)))
        for index, (a, b) in enumerate(pairs)
    )
    found = cycles(system([[0.0] * 8], zones, corridors=lines))
    angle = dict(zip(zones, random.normal(size=8), strict=True))
    flow = [(angle[line.from_zone] - angle[line.to_zone]) / (line.reactance or 1.0) for line in lines]
    for cycle in found:
        assert sum(weight * flow[index] for index, weight in cycle) == pytest.approx(0.0, abs=1e-9)
        assert max(abs(weight) for _, weight in cycle) == 1.0
    groups = {zone: zone for zone in zones}
    for line in lines:
        old, new = groups[line.from_zone], groups[line.to_zone]
        groups = {zone: new if group == old else group for zone, group in groups.items()}
    rank = np.zeros((len(found), len(lines)))
    for row, cycle in enumerate(found):
        for index, weight in cycle:
            rank[row, index] = weight
    expected = len(lines) - len(zones) + len(set(groups.values()))
    assert len(found) == expected
    assert np.linalg.matrix_rank(rank) == expected


# --- limits that clash -----------------------------------------------------------------------------------


def test_what_is_missing_names_zone_hour_and_limits() -> None:
    plants = (Plant("n", "N", 10.0, 80.0), Plant("s", "S", 20.0, 100.0))
    tie = (Corridor("sn", "S", "N", 20.0, 0.0),)
    found = faults(system([[90.0, 10.0], [120.0, 10.0], [80.0, 10.0]], plants=plants, corridors=tie))
    assert found == {
        "zone N, hour 2025-01-03T07Z": (
            "demand of 120 MW; its plants give at most 80 MW and its corridors bring at most 20 MW: "
            "20 MW are missing"
        )
    }


def test_what_is_left_over_names_zone_hour_and_limits() -> None:
    plants = (Plant("n", "N", 10.0, 80.0, minimum=70.0), Plant("s", "S", 20.0, 100.0))
    tie = (Corridor("ns", "N", "S", 15.0, 0.0),)
    bids = (Bid("mine", "N", 5.0, 40.0),)
    found = faults(system([[70.0, 20.0], [40.0, 20.0]], plants=plants, corridors=tie), bids)
    assert found == {
        "zone N, hour 2025-01-03T07Z": (
            "its plants give at least 70 MW; its demand takes 40 MW, its bids at most 5 MW and its corridors "
            "at most 15 MW: 10 MW are left over"
        )
    }


def test_a_store_that_runs_dry_is_named_with_its_level() -> None:
    # 15 MWh for two hours that lack 10 MW each.
    market = system(
        [[50.0, 0.0], [50.0, 0.0]],
        plants=(Plant("n", "N", 10.0, 40.0),),
        stores=(Store("dam", "N", 30.0, 0.0, 25.0, initial_level=15.0),),
    )
    found = faults(market)
    assert all(place.startswith("zone N, hour 2025-01-03T0") for place in found)
    amount = sum(float(problem.split(": ")[-1].split(" MW")[0]) for problem in found.values())
    assert amount == pytest.approx(5.0)
    assert all("its stores at most 25 MW" in problem for problem in found.values())
    assert any("store dam holds 0 MWh of 30 MWh" in problem for problem in found.values())


def test_a_budget_that_clashes_with_demand_is_named() -> None:
    # 3 x 50 MWh are asked for; the only plant may give 120 MWh: 30 MWh are missing, or over its maximum.
    market = system(
        [[50.0, 0.0]] * 3,
        plants=(Plant("n", "N", 10.0, 80.0),),
        budgets=(EnergyBudget("fuel", ("n",), np.zeros(3, int), np.zeros(1), np.full(1, 120.0)),),
    )
    found = faults(market)
    hours = "hours 2025-01-03T06Z to 2025-01-03T08Z"
    at_budget = "clashes with the other limits: 30 MWh are above its maximum of 120 MWh"
    missing = [problem for place, problem in found.items() if place.startswith("zone N, hour")]
    amount = sum(float(problem.split(": ")[-1].split(" MW")[0]) for problem in missing)
    assert found.get(f"energy budget fuel, {hours}") == at_budget or amount == pytest.approx(30.0)


def test_a_dozen_is_listed_and_the_rest_counted() -> None:
    market = system([[50.0, 0.0]] * 30, plants=(Plant("n", "N", 10.0, 40.0),))
    found = faults(market)
    assert len(found) == 13
    assert found["System"] == "has 18 more zones, hours or budgets that clash"


@pytest.mark.parametrize("engine", ["auto", "highs"])
def test_every_engine_says_the_same(engine: str) -> None:
    market = system([[50.0, 0.0]], plants=(Plant("n", "N", 10.0, 40.0),))
    with pytest.raises(InfeasibleError, match="zone N, hour 2025-01-03T06Z: demand of 50 MW"):
        clear(market, engine=engine)
