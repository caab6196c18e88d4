"""Markets solved by hand: every expected number is derived in a comment beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.testing import assert_allclose

from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System, clear, energy_residual
from penstock.market.system import FloatArray

NO_LIMIT = np.inf


def system(
    demand: Sequence[Sequence[float]] | Sequence[float],
    plants: Sequence[Plant],
    *,
    zones: Sequence[str] = ("Z",),
    lost_load: float = 1000.0,
    corridors: Sequence[Corridor] = (),
    stores: Sequence[Store] = (),
    budgets: Sequence[EnergyBudget] = (),
) -> System:
    """A system from its demand, shape (hours, zones), or (hours,) where there is one zone."""
    table: FloatArray = np.asarray(demand, dtype=np.float64).reshape(-1, len(zones))
    return System(
        hours=np.datetime64("2025-03-01T00") + np.arange(len(table)),
        zones=tuple(zones),
        demand=table,
        value_of_lost_load=lost_load,
        plants=tuple(plants),
        corridors=tuple(corridors),
        stores=tuple(stores),
        budgets=tuple(budgets),
    )


def test_merit_order() -> None:
    plants = [Plant("c", "Z", 80.0, 50.0), Plant("a", "Z", 10.0, 50.0), Plant("b", "Z", 30.0, 50.0)]
    got = clear(system([40.0, 70.0, 120.0], plants))
    # Hour 0: a 40. Hour 1: a 50, b 20. Hour 2: a 50, b 50, c 20. The dearest that runs sets the price.
    assert_allclose(got.dispatch, [[0, 40, 0], [0, 50, 20], [20, 50, 50]], atol=1e-9)
    assert_allclose(got.price[:, 0], [10, 30, 80])
    # 40x10 + (50x10 + 20x30) + (50x10 + 50x30 + 20x80) = 400 + 1100 + 3600
    assert got.cost == pytest.approx(5100.0)
    assert got.net_cost == pytest.approx(5100.0)
    assert not got.unserved.any()
    assert got.engine == "kernel"


def test_cost_that_changes_with_the_hour() -> None:
    plants = [Plant("a", "Z", np.array([10.0, 60.0]), 50.0), Plant("b", "Z", 30.0, 50.0)]
    got = clear(system([40.0, 40.0], plants))
    # Hour 0: a at 10. Hour 1: a asks 60, so b at 30 serves.
    assert_allclose(got.dispatch, [[40, 0], [0, 40]], atol=1e-9)
    assert got.cost == pytest.approx(400.0 + 1200.0)


NORTH_SOUTH = [Plant("north", "N", 10.0, 200.0), Plant("south", "S", 40.0, 100.0)]


@pytest.mark.parametrize("turned", [False, True])
def test_lossy_corridor_without_congestion(turned: bool) -> None:
    ends = ("S", "N") if turned else ("N", "S")
    line = Corridor("line", *ends, forward_limit=60.0, backward_limit=60.0, loss=0.1)
    got = clear(system([[0.0, 45.0]], NORTH_SOUTH, zones="NS", corridors=[line]))
    # 45 MW arrive if 45/0.9 = 50 MW are sent; a MWh in S costs 1/0.9 MWh of N.
    assert_allclose(got.flow, [[-50.0 if turned else 50.0]])
    assert_allclose(got.price, [[10.0, 10.0 / 0.9]])
    assert_allclose(got.net_import(), [[-50.0, 45.0]])
    assert got.cost == pytest.approx(500.0)


def test_lossy_corridor_congested() -> None:
    line = Corridor("line", "N", "S", forward_limit=60.0, backward_limit=0.0, loss=0.1)
    got = clear(system([[0.0, 80.0]], NORTH_SOUTH, zones="NS", corridors=[line]))
    # 60 sent, 54 arrive, 26 come from S: 60x10 + 26x40 = 1640; each zone has its own price.
    assert_allclose(got.flow, [[60.0]])
    assert_allclose(got.dispatch, [[60.0, 26.0]])
    assert_allclose(got.price, [[10.0, 40.0]])
    assert got.cost == pytest.approx(1640.0)


def test_mesh_of_three_zones() -> None:
    plants = [Plant("a", "A", 10.0, 100.0), Plant("b", "B", 30.0, 100.0), Plant("c", "C", 100.0, 100.0)]
    lines = [Corridor("ab", "A", "B", 40.0, 40.0), Corridor("ac", "A", "C", 50.0, 50.0)]
    lines.append(Corridor("bc", "B", "C", 30.0, 30.0))
    got = clear(system([[0, 0, 90], [0, 20, 90]], plants, zones="ABC", corridors=lines))
    # Hour 0: C takes 50 over ac and 30 over bc (from A over ab, not full), 10 at home.
    # Hour 1: B uses 20 more: 50 in all, 40 over the full ab, 10 at home at 30.
    assert_allclose(got.flow, [[30, 50, 30], [40, 50, 30]], atol=1e-9)
    assert_allclose(got.dispatch, [[80, 0, 10], [90, 10, 10]], atol=1e-9)
    assert_allclose(got.price, [[10, 10, 100], [10, 30, 100]])
    # (80x10 + 10x100) + (90x10 + 10x30 + 10x100) = 1800 + 2200
    assert got.cost == pytest.approx(4000.0)


def test_mesh_takes_the_way_with_the_least_loss() -> None:
    lines = [Corridor("ab", "A", "B", 99.0, 0.0, 0.05), Corridor("bc", "B", "C", 99.0, 0.0, 0.05)]
    lines.append(Corridor("ac", "A", "C", 99.0, 0.0, 0.2))
    plants = [Plant("a", "A", 10.0, 100.0)]
    got = clear(system([[0.0, 0.0, 36.1]], plants, zones="ABC", corridors=lines))
    # Two steps keep 0.95^2 = 0.9025, the straight way 0.8: 36.1/0.9025 = 40 sent by A, 38 on by B.
    assert_allclose(got.flow, [[40.0, 38.0, 0.0]], atol=1e-9)
    assert_allclose(got.price, [[10.0, 10.0 / 0.95, 10.0 / 0.9025]])


def test_must_run_output_is_dumped_at_a_price_of_zero() -> None:
    got = clear(system([40.0], [Plant("must", "Z", 10.0, 80.0, minimum=60.0)]))
    # 60 must run, 40 are used, 20 are dumped; all 60 are paid for; one more MWh of demand costs nothing.
    assert_allclose(got.dumped, [[20.0]])
    assert_allclose(got.curtailed, [[20.0]])
    assert_allclose(got.price, [[0.0]], atol=1e-9)
    assert got.cost == pytest.approx(600.0)


def test_unserved_demand_costs_the_value_of_lost_load() -> None:
    got = clear(system([100.0], [Plant("a", "Z", 20.0, 70.0)]))
    # 70x20 + 30x1000
    assert_allclose(got.unserved, [[30.0]])
    assert_allclose(got.price, [[1000.0]])
    assert got.cost == pytest.approx(31_400.0)


def battery(initial_level: float | None) -> Store:
    return Store("battery", "Z", 100.0, 40.0, 40.0, 0.9, 0.8, initial_level=initial_level)


@pytest.mark.parametrize("initial_level", [0.0, None])
def test_battery_moves_cheap_energy(initial_level: float | None) -> None:
    plants = [Plant("a", "Z", 10.0, 100.0), Plant("b", "Z", 90.0, 100.0)]
    got = clear(system([50.0, 120.0], plants, stores=[battery(initial_level)]))
    # Hour 1 lacks 20: 20/0.8 = 25 are drawn, 25/0.9 = 27.78 are charged in hour 0, where a has 50 to spare.
    assert_allclose(got.charge[:, 0], [25 / 0.9, 0.0], atol=1e-9)
    assert_allclose(got.discharge[:, 0], [0.0, 20.0], atol=1e-9)
    assert_allclose(got.level[0, 0] - got.level[1, 0], 25.0)
    # A MWh in hour 1 costs 1/(0.9x0.8) MWh of a.
    assert_allclose(got.price[:, 0], [10.0, 10.0 / 0.72])
    assert got.cost == pytest.approx((50.0 + 25 / 0.9 + 100.0) * 10.0)
    if initial_level == 0.0:
        assert_allclose(got.level[:, 0], [25.0, 0.0], atol=1e-9)


def test_battery_rests_where_its_losses_cost_more() -> None:
    plants = [Plant("a", "Z", 10.0, 100.0), Plant("b", "Z", 13.0, 100.0)]
    got = clear(system([50.0, 120.0], plants, stores=[battery(0.0)]))
    # 10/0.72 = 13.9 > 13: 50x10 + 100x10 + 20x13 = 1760
    assert_allclose(got.discharge, 0.0, atol=1e-9)
    assert got.cost == pytest.approx(1760.0)


def test_reservoir_spills_what_does_not_fit() -> None:
    lake = Store("lake", "Z", 40.0, 0.0, 25.0, inflow=np.array([30.0, 40.0, 0.0]), initial_level=0.0)
    got = clear(system([10.0, 10.0, 50.0], [Plant("oil", "Z", 20.0, 100.0)], stores=[lake]))
    # Hours 0 and 1: water serves 10 each. Hour 2: 25 of water (its limit), 25 of oil: 25x20 = 500.
    assert_allclose(got.discharge[:, 0], [10.0, 10.0, 25.0])
    assert_allclose(got.dispatch[:, 0], [0.0, 0.0, 25.0], atol=1e-9)
    assert got.cost == pytest.approx(500.0)
    # Water is in excess until its limit binds in hour 2.
    assert_allclose(got.price[:, 0], [0.0, 0.0, 20.0], atol=1e-9)
    # 70 flow in, 45 are used: 25 are spilled or left; 20 + 40 - 10 = 50 > 40, so 10 must go by hour 1.
    assert got.spill.sum() + got.level[-1, 0] == pytest.approx(25.0)
    assert got.spill[:2].sum() >= 10.0 - 1e-9


@pytest.mark.parametrize(("initial_level", "cost"), [(None, 900.0), (0.0, 1700.0)])
def test_cyclic_reservoir_borrows_from_the_end_of_the_year(initial_level: float | None, cost: float) -> None:
    lake = Store("lake", "Z", 100.0, 0.0, 100.0, inflow=np.array([0.0, 30.0]), initial_level=initial_level)
    plants = [Plant("a", "Z", 20.0, 10.0), Plant("b", "Z", 50.0, 100.0)]
    got = clear(system([40.0, 20.0], plants, stores=[lake]))
    # Cycle: 60 of demand - 30 of water = 30: a 10 in each hour, b 10: 20x20 + 10x50 = 900.
    # Empty at first: hour 0 is a 10 + b 30 = 200 + 1500; hour 1 is all water.
    assert got.cost == pytest.approx(cost)
    if initial_level is None:
        change = lake.inflow - got.spill[:, 0] - got.discharge[:, 0]
        assert_allclose(change.sum(), 0.0, atol=1e-9)
        assert_allclose(got.level[0, 0], got.level[1, 0] + change[0])
        assert_allclose(got.price[:, 0], [50.0, 50.0])


def test_cyclic_store_of_a_single_hour_returns_to_its_level() -> None:
    lake = Store("lake", "Z", 100.0, 40.0, 40.0, inflow=30.0)
    got = clear(system([50.0], [Plant("a", "Z", 20.0, 100.0)], stores=[lake]))
    # First level = last level, so exactly the inflow can be used: (50 - 30)x20 = 400.
    assert got.cost == pytest.approx(400.0)
    assert_allclose(got.price, [[20.0]])


MERIT = [Plant("a", "Z", 10.0, 100.0), Plant("b", "Z", 50.0, 100.0)]
HALVES = np.array([0, 0, 1, 1])


def limit(*members: str, least: Sequence[float], most: Sequence[float]) -> EnergyBudget:
    return EnergyBudget("limit", members, HALVES, np.array(least), np.array(most))


def test_least_energy_forces_a_plant_out_of_merit() -> None:
    budget = limit("b", least=[30.0, -NO_LIMIT], most=[NO_LIMIT, NO_LIMIT])
    got = clear(system([60.0] * 4, MERIT, budgets=[budget]))
    # 240 MWh at 10, of which 30 at 50 instead: 2400 + 30x40. One more MWh still comes from a.
    assert_allclose(got.dispatch[:2, 1].sum(), 30.0)
    assert_allclose(got.dispatch[2:, 1].sum(), 0.0, atol=1e-9)
    assert got.cost == pytest.approx(3600.0)
    assert_allclose(got.price[:, 0], 10.0)


def test_most_energy_makes_the_cheap_plant_scarce() -> None:
    plain, relaxed = (
        clear(system([60.0] * 4, MERIT, budgets=[limit("a", least=[0.0, 0.0], most=[most, 100.0])]))
        for most in (100.0, 101.0)
    )
    # Each half: a 100, b 20: 1000 + 1000. The price is b's; a MWh more of a is worth 50 - 10.
    assert plain.cost == pytest.approx(4000.0)
    assert_allclose(plain.price[:, 0], 50.0)
    assert plain.cost - relaxed.cost == pytest.approx(40.0)


def test_budget_over_two_plants() -> None:
    plants = [*MERIT, Plant("c", "Z", 70.0, 100.0)]
    budget = limit("a", "b", least=[0.0, 0.0], most=[110.0, NO_LIMIT])
    got = clear(system([60.0] * 4, plants, budgets=[budget]))
    # First half: 110 of a, 10 of c: 1100 + 700. Second: 120 of a: 1200.
    assert got.cost == pytest.approx(3000.0)
    assert_allclose(got.price[:, 0], [70.0, 70.0, 10.0, 10.0])


def test_bid_with_a_least_energy_buys_at_a_loss() -> None:
    bid = Bid("m", "Z", 20.0, 5.0)
    budget = limit("m", least=[15.0, 0.0], most=[NO_LIMIT, NO_LIMIT])
    got = clear(system([60.0] * 4, MERIT, budgets=[budget]), [bid])
    # 15 MWh bought at 10 that are worth 5: 2400 + 15x(10 - 5).
    assert_allclose(got.accepted.sum(), 15.0)
    assert got.net_cost == pytest.approx(2475.0)


def test_bid_is_accepted_in_part_and_sets_the_price() -> None:
    plants = [Plant("a", "Z", 10.0, 50.0), Plant("b", "Z", 40.0, 50.0)]
    got = clear(system([30.0], plants), [Bid("m", "Z", 40.0, 25.0)])
    # a has 20 to spare below 25; b asks 40. Cost 50x10, value 20x25.
    assert_allclose(got.accepted, [[20.0]])
    assert_allclose(got.price, [[25.0]])
    assert got.cost == pytest.approx(500.0)
    assert got.bid_value == pytest.approx(500.0)
    assert got.net_cost == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("engine", ["kernel", "highs"])
def test_a_bid_of_nothing_chooses_nothing(engine: str) -> None:
    """Two plants cost the same, so many dispatches are best: the one that is found does not hang on it."""
    plants = [Plant("a", "Z", 20.0, 50.0), Plant("b", "Z", 20.0, 70.0), Plant("c", "Z", 30.0, 50.0)]
    least = limit("a", least=[30.0, 30.0], most=[60.0, 60.0])
    market = system([40.0, 70.0, 40.0, 70.0], plants, budgets=[least])
    real, nothing = Bid("real", "Z", 5.0, 25.0), Bid("nothing", "Z", 0.0, 22.0)
    alone = clear(market, [real], engine=engine)
    beside = clear(market, [nothing, real, Bid("none", "Z", np.zeros(4), 900.0)], engine=engine)
    for name in ("dispatch", "price", "price_low", "price_high", "lower_bound", "cost"):
        assert np.array_equal(getattr(alone, name), getattr(beside, name)), name
    assert np.array_equal(beside.accepted[:, [1]], alone.accepted)
    assert not beside.accepted[:, [0, 2]].any()


def test_bid_by_the_hour() -> None:
    bid = Bid("m", "Z", np.array([5.0, 0.0, 5.0]), np.array([9.0, 99.0, 11.0]))
    got = clear(system([30.0] * 3, [Plant("a", "Z", 10.0, 50.0)]), [bid])
    # Worth less than 10 in hour 0, takes nothing in hour 1, all of 5 in hour 2.
    assert_allclose(got.accepted[:, 0], [0.0, 0.0, 5.0], atol=1e-9)
    assert got.net_cost == pytest.approx(900.0 + 5.0 * (10.0 - 11.0))


def test_identical_plants_share_in_proportion_to_headroom() -> None:
    plants = [Plant("a", "Z", 20.0, 100.0), Plant("x", "Z", 5.0, 10.0), Plant("b", "Z", 20.0, 50.0, 10.0)]
    got = clear(system([90.0], plants))
    # x 10; 80 are left, 10 must run at b; 70 over a headroom of 100 + 40: half of each.
    assert_allclose(got.dispatch, [[50.0, 10.0, 30.0]])


def test_curtailed_counts_curtailable_plants_only() -> None:
    plants = [
        Plant("wind", "Z", 0.0, 80.0, curtailable=True),
        Plant("nuclear", "Z", 5.0, 90.0, minimum=30.0),
    ]
    got = clear(system([70.0, 20.0, 110.0], plants))
    # 0: nuclear 30, wind 40 of 80. 1: 10 of nuclear dumped and all 80 of wind. 2: nuclear 30, wind 80.
    assert_allclose(got.curtailed[:, 0], [40.0, 90.0, 0.0], atol=1e-9)
    assert_allclose(got.dumped[:, 0], [0.0, 10.0, 0.0], atol=1e-9)


def test_arrays_are_read_only_and_balance() -> None:
    got = clear(system([30.0], MERIT))
    with pytest.raises(ValueError, match="read-only"):
        got.price[0, 0] = 1.0
    assert np.abs(energy_residual(got)).max() < 1e-9
