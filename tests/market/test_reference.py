"""The reference engine: what it solves together, and that a model updated in place is a fresh one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System, clear
from penstock.market.reference import blocks
from penstock.market.system import Hourly

JANUARY, FEBRUARY, MARCH = 31 * 24, 28 * 24, 31 * 24
FREE = np.array([-np.inf]), np.array([np.inf])


def random_system(hours: int, seed: int = 7) -> tuple[System, list[Bid]]:
    """Three zones whose plants, limits, demand and bids all change with the hour."""
    random = np.random.default_rng(seed)
    zones = ("A", "B", "C")
    plants = [
        Plant(
            name=f"p{index}",
            zone=zones[index % 3],
            cost=random.uniform(5, 90, hours) if index == 0 else float(random.uniform(5, 90)),
            available=(available := random.uniform(20, 80, hours)),
            minimum=available * 0.2 if index % 2 else 0.0,
            curtailable=index == 4,
        )
        for index in range(6)
    ]
    corridors = [
        Corridor("ab", "A", "B", random.uniform(0, 30, hours), 10.0, 0.03),
        Corridor("bc", "B", "C", 20.0, random.uniform(0, 30, hours), 0.0),
    ]
    bids = [Bid("m", "B", random.uniform(0, 40, hours), random.uniform(0, 100, hours))]
    return System(
        hours=np.datetime64("2025-01-01T00") + np.arange(hours),
        zones=zones,
        demand=random.uniform(10, 110, (hours, 3)),
        value_of_lost_load=1500.0,
        plants=tuple(plants),
        corridors=tuple(corridors),
    ), bids


def cut(values: Hourly, start: int, stop: int) -> Hourly:
    return values[start:stop] if isinstance(values, np.ndarray) else values


def part(system: System, bids: list[Bid], start: int, stop: int) -> tuple[System, list[Bid]]:
    """Hours [start, stop) as a system of their own; its clearing starts from a fresh model."""
    span = start, stop
    plants = tuple(
        replace(
            plant,
            cost=cut(plant.cost, *span),
            available=cut(plant.available, *span),
            minimum=cut(plant.minimum, *span),
        )
        for plant in system.plants
    )
    corridors = tuple(
        replace(
            line,
            forward_limit=cut(line.forward_limit, *span),
            backward_limit=cut(line.backward_limit, *span),
        )
        for line in system.corridors
    )
    budgets = []
    for budget in system.budgets:
        first, last = int(budget.period[start]), int(budget.period[stop - 1])
        budgets.append(
            replace(
                budget,
                period=budget.period[start:stop] - first,
                minimum=budget.minimum[first : last + 1],
                maximum=budget.maximum[first : last + 1],
            )
        )
    return replace(
        system,
        hours=system.hours[start:stop],
        demand=system.demand[start:stop],
        plants=plants,
        corridors=corridors,
        budgets=tuple(budgets),
    ), [replace(bid, quantity=cut(bid.quantity, *span), value=cut(bid.value, *span)) for bid in bids]


def block_costs(system: System, bids: list[Bid]) -> list[float]:
    """Net cost of each block within the clearing of the whole, added up from its arrays."""
    got = clear(system, bids)
    hourly = got.unserved.sum(axis=1) * system.value_of_lost_load
    for index, plant in enumerate(system.plants):
        hourly = hourly + plant.cost * got.dispatch[:, index]
    for index, bid in enumerate(bids):
        hourly = hourly - bid.value * got.accepted[:, index]
    assert got.net_cost == pytest.approx(float(hourly.sum()), rel=1e-9)
    return [float(hourly[start:stop].sum()) for start, stop in blocks(system)]


def months(*lengths: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.repeat(np.arange(len(lengths)), lengths)


def test_days_where_nothing_binds_hours_together() -> None:
    system, _ = random_system(60)
    assert blocks(system) == [(0, 24), (24, 48), (48, 60)]
    assert blocks(random_system(1)[0]) == [(0, 1)]


def test_months_where_budgets_run_by_the_month() -> None:
    system, _ = random_system(JANUARY + FEBRUARY + MARCH)
    no_limit = np.full(3, np.inf)
    monthly = EnergyBudget("month", ("p1",), months(JANUARY, FEBRUARY, MARCH), -no_limit, no_limit)
    ends = [0, JANUARY, JANUARY + FEBRUARY, JANUARY + FEBRUARY + MARCH]
    assert blocks(replace(system, budgets=(monthly,))) == list(pairwise(ends))


def test_a_longer_budget_joins_the_shorter_ones() -> None:
    system, _ = random_system(6)
    pairs = EnergyBudget("pairs", ("p1",), np.array([0, 0, 1, 1, 2, 2]), np.zeros(3), np.full(3, np.inf))
    four = EnergyBudget("four", ("p2",), np.array([0, 0, 0, 0, 1, 1]), np.zeros(2), np.full(2, np.inf))
    assert blocks(replace(system, budgets=(pairs, four))) == [(0, 4), (4, 6)]


def test_the_whole_where_there_is_a_store() -> None:
    system, _ = random_system(60)
    assert blocks(replace(system, stores=(Store("s", "A", 10.0, 1.0, 1.0),))) == [(0, 60)]


def test_days_updated_in_place_equal_fresh_models() -> None:
    system, bids = random_system(4 * 24 + 7)
    fresh = [clear(*part(system, bids, start, stop)).net_cost for start, stop in blocks(system)]
    assert len(fresh) == 5
    assert block_costs(system, bids) == pytest.approx(fresh, rel=1e-9)


def test_days_one_by_one_equal_all_hours_at_once() -> None:
    system, bids = random_system(72)
    # A budget without limits over all hours changes nothing but that they are solved together.
    joined = replace(system, budgets=(EnergyBudget("none", ("p1",), np.zeros(72, int), *FREE),))
    assert blocks(joined) == [(0, 72)]
    assert clear(joined, bids).net_cost == pytest.approx(clear(system, bids).net_cost, rel=1e-9)


@pytest.mark.parametrize("lengths", [(20, 20, 20), (20, 30, 20), (20, 20, 31)])
def test_budget_periods_updated_in_place_equal_fresh_models(lengths: tuple[int, int, int]) -> None:
    system, bids = random_system(sum(lengths))
    period = months(*lengths)
    most = EnergyBudget("most", ("p2", "p3"), period, np.full(3, -np.inf), np.array([900.0, 800.0, 1000.0]))
    bid = EnergyBudget("least", ("m",), period, np.array([150.0, 100.0, 200.0]), np.full(3, np.inf))
    system = replace(system, budgets=(most, bid))
    spans = blocks(system)
    assert [stop - start for start, stop in spans] == list(lengths)
    fresh = [clear(*part(system, bids, start, stop)).net_cost for start, stop in spans]
    assert block_costs(system, bids) == pytest.approx(fresh, rel=1e-9)
    # The limits bind: without them it is cheaper.
    assert clear(replace(system, budgets=()), bids).net_cost < sum(fresh) - 1.0


def test_the_same_market_twice_gives_the_same_arrays() -> None:
    system, bids = random_system(48)
    one, two = clear(system, bids), clear(system, bids)
    for name in ("price", "dispatch", "accepted", "flow", "unserved", "dumped"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
