"""Least and greatest prices: cases that can be worked out by hand, and the dual's optimal face itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from scipy.optimize import linprog  # type: ignore[import-untyped]

from penstock.errors import InfeasibleError
from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System, clear
from penstock.market.assembly import column_bounds, columns_of, matrix, row_bounds
from penstock.market.ranges import price_range
from penstock.market.reference import solve
from penstock.market.system import FloatArray

from .strategies import Market, markets

VOLL = 3000.0
INF = np.inf
law = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def system_of(demand: list[list[float]], *plants: Plant, lost_load: float = VOLL, **parts: object) -> System:
    values = np.array(demand, dtype=np.float64)
    return System(
        hours=np.datetime64("2025-01-01T00") + np.arange(len(values)),
        zones=("A", "B", "C")[: values.shape[1]],
        demand=values,
        value_of_lost_load=lost_load,
        plants=plants,
        **parts,  # type: ignore[arg-type]
    )


def ranges(system: System, *bids: Bid) -> tuple[list[list[float]], list[list[float]]]:
    """Rounded ranges of the reference's solution, which must hold its price."""
    solution = solve(system, bids)
    low, high = price_range(system, bids, solution)
    assert low.shape == high.shape == solution.price.shape
    assert np.all(low <= solution.price)
    assert np.all(solution.price <= high)
    return low.round(6).tolist(), high.round(6).tolist()


def test_a_plant_in_part_sets_one_price() -> None:
    system = system_of([[15.0]], Plant("a", "A", 10.0, 10.0), Plant("b", "A", 40.0, 10.0))
    assert ranges(system) == ([[40.0]], [[40.0]])


def test_two_plants_that_just_meet_demand_leave_the_gap_between_their_costs() -> None:
    system = system_of([[10.0]], Plant("a", "A", 10.0, 10.0), Plant("b", "A", 40.0, 10.0))
    assert ranges(system) == ([[10.0]], [[40.0]])


def test_a_bid_served_in_full_and_one_not_at_all_bound_the_price() -> None:
    system = system_of([[10.0]], Plant("a", "A", 10.0, 15.0))
    assert ranges(system, Bid("x", "A", 5.0, 60.0), Bid("y", "A", 5.0, 35.0)) == ([[35.0]], [[60.0]])


def test_an_empty_zone_has_any_price_that_disposal_allows() -> None:
    assert ranges(system_of([[0.0]])) == ([[0.0]], [[INF]])
    assert ranges(system_of([[0.0]], disposal_cost=7.0)) == ([[-7.0]], [[INF]])
    assert ranges(system_of([[0.0]], disposal_cost=INF)) == ([[-INF]], [[INF]])


def test_what_is_dumped_has_the_price_of_disposal() -> None:
    plant = Plant("a", "A", 10.0, 10.0, 10.0)
    assert ranges(system_of([[4.0]], plant, disposal_cost=3.0)) == ([[-3.0]], [[-3.0]])


def test_scarcity() -> None:
    plant = Plant("a", "A", 10.0, 10.0)
    # Unserved in part: exactly the value of lost load. Just served: anything up to it.
    assert ranges(system_of([[12.0]], plant)) == ([[VOLL]], [[VOLL]])
    assert ranges(system_of([[10.0]], plant)) == ([[10.0]], [[VOLL]])
    # All of it unserved, or served though it must be: nothing limits the price.
    assert ranges(system_of([[12.0]])) == ([[VOLL]], [[INF]])
    assert ranges(system_of([[10.0]], plant, lost_load=INF)) == ([[10.0]], [[INF]])


def test_a_lossy_corridor_passes_bounds_on() -> None:
    lines = (Corridor("ab", "A", "B", 50.0, 50.0, loss=0.1, cost=2.0),)
    plants = Plant("a", "A", 10.0, 20.0), Plant("b", "A", 43.0, 20.0)
    # A gives 20 and B takes 18 of them; p[B] = (p[A] + 2) / 0.9.
    low, high = ranges(system_of([[0.0, 18.0]], *plants, corridors=lines))
    assert low == [[10.0, round(12 / 0.9, 6)]]
    assert high == [[43.0, 50.0]]


def test_a_full_corridor_bounds_one_side_only() -> None:
    lines = (Corridor("ab", "A", "B", 5.0, 0.0),)
    plants = Plant("a", "A", 10.0, 20.0), Plant("b", "B", 60.0, 20.0)
    assert ranges(system_of([[0.0, 5.0]], *plants, corridors=lines)) == ([[10.0, 10.0]], [[10.0, 60.0]])


def test_a_battery_marginal_in_two_hours_ties_their_prices() -> None:
    # Charges 4 at 10 in the first hour; 4 x 0.9 x 0.9 meet the second hour's demand but for 1.76 MW.
    store = Store("s", "A", 10.0, 5.0, 5.0, 0.9, 0.9, initial_level=0.0)
    plants = (
        Plant("a", "A", 10.0, np.array([9.0, 0.0])),
        Plant("b", "A", np.array([50.0, 100.0]), np.array([0.0, 10.0])),
    )
    system = system_of([[5.0], [3.24]], *plants, stores=(store,))
    # All of a is used and the battery gives just what is needed: between charging at 10 and b at 100.
    low, high = ranges(system)
    assert low == [[10.0], [round(10 / 0.81, 6)]]
    assert high == [[81.0], [100.0]]


def test_a_full_store_lets_prices_differ() -> None:
    store = Store("s", "A", 3.0, 5.0, 5.0, initial_level=0.0)
    plants = (
        Plant("a", "A", 10.0, np.array([20.0, 0.0])),
        Plant("b", "A", 90.0, np.array([0.0, 10.0])),
    )
    assert ranges(system_of([[5.0], [5.0]], *plants, stores=(store,))) == ([[10.0], [90.0]], [[10.0], [90.0]])


def test_bounds_go_around_a_cycle() -> None:
    store = Store("s", "A", 100.0, 50.0, 50.0)
    plants = Plant("a", "A", 20.0, np.array([0.0, 0.0, 9.0])), Plant("b", "A", 70.0, 5.0)
    # The third hour's surplus serves the first two, over the turn of the year, to the last MWh.
    system = system_of([[3.0], [3.0], [3.0]], *plants, stores=(store,))
    assert ranges(system) == ([[20.0]] * 3, [[70.0]] * 3)


def test_a_budget_with_a_free_price() -> None:
    # Members must give exactly 8 MWh, all that is needed beyond them is b: the price is b's cost.
    equal = EnergyBudget("e", ("a",), np.zeros(2, int), np.array([8.0]), np.array([8.0]))
    plants = Plant("a", "A", 10.0, 8.0), Plant("b", "A", 40.0, 10.0)
    assert ranges(system_of([[8.0], [6.0]], *plants, budgets=(equal,))) == ([[40.0]] * 2, [[40.0]] * 2)
    # In two hours without b the budget's price is free, and both prices move with it alike.
    system = system_of([[4.0], [4.0]], plants[0], budgets=(equal,))
    assert ranges(system) == ([[0.0]] * 2, [[VOLL]] * 2)
    # A maximum that is just met adds nothing or more: from the plant's cost up.
    most = EnergyBudget("e", ("a",), np.zeros(2, int), np.array([-INF]), np.array([8.0]))
    system = system_of([[4.0], [4.0]], *plants, budgets=(most,))
    assert ranges(system) == ([[10.0]] * 2, [[40.0]] * 2)


def test_a_budget_of_bids_works_the_other_way() -> None:
    least = EnergyBudget("e", ("x",), np.zeros(2, int), np.array([4.0]), np.array([INF]))
    plants = Plant("a", "A", np.array([30.0, 50.0]), 9.0), Plant("b", "A", 80.0, 9.0)
    bid = Bid("x", "A", 5.0, 20.0)
    # 4 MWh are taken in the cheap hour, in part: its price is the plant's, the other hour's too.
    assert ranges(system_of([[1.0], [1.0]], *plants, budgets=(least,)), bid) == ([[30.0], [50.0]],) * 2


def test_a_reactance_returns_the_price() -> None:
    lines = tuple(
        Corridor(f"{start}{end}", start, end, 9.0, 9.0, reactance=1.0) for start, end in ("AB", "BC", "AC")
    )
    plants = Plant("a", "A", 10.0, 10.0), Plant("c", "C", 40.0, 10.0)
    system = system_of([[0.0, 0.0, 10.0]], *plants, corridors=lines)
    solution = solve(system, ())
    low, high = price_range(system, (), solution)
    np.testing.assert_array_equal(low, solution.price)
    np.testing.assert_array_equal(high, solution.price)


def test_the_compiled_engine_has_the_same_range_by_the_hour() -> None:
    system = system_of([[10.0], [15.0]], Plant("a", "A", 10.0, 10.0), Plant("b", "A", 40.0, 10.0))
    got = clear(system, engine="kernel")
    assert (got.price_low.tolist(), got.price_high.tolist()) == ranges(system)


def face(market: Market) -> tuple[FloatArray, FloatArray]:
    """Least and greatest prices over the optimal face of the dual programme, one programme per price.

    The dual of min c x, low <= A x <= high, l <= x <= u: rows y = a - b, columns c - A' y = e - f with
    a, b, e, f >= 0, maximise low a - high b + l e - u f.
    """
    system, bids = market
    hours, columns = system.hour_count, columns_of(system, bids)
    cost, least, most = (part.ravel() for part in column_bounds(system, bids, columns, 0, hours))
    entries, count = matrix(system, bids, columns, 0, hours)
    table = np.zeros((count, len(cost)))
    for row, column, value in zip(entries.rows, entries.columns, entries.values, strict=True):
        np.add.at(table, (row, column), value)
    low, high = row_bounds(system, 0, hours)
    price = [
        np.maximum(low, -1e30),
        -np.minimum(high, 1e30),
        np.maximum(least, -1e30),
        -np.minimum(most, 1e30),
    ]
    gain = np.concatenate(price)
    free = [(0.0, INF if abs(value) < 1e20 else 0.0) for value in gain]
    gain[np.abs(gain) >= 1e20] = 0.0
    sides = np.hstack([table.T, -table.T, np.eye(len(cost)), -np.eye(len(cost))])
    best = linprog(-gain, A_eq=sides, b_eq=cost, bounds=free, method="highs-ds")
    assert best.success, best.message
    ends = np.zeros((2, hours * len(system.zones)))
    for index in range(ends.shape[1]):
        for side, sign in enumerate((1.0, -1.0)):
            aim = np.zeros(len(gain))
            aim[index], aim[count + index] = sign, -sign
            got = linprog(
                aim,
                A_ub=-gain[None, :],
                b_ub=[best.fun + 1e-8],
                A_eq=sides,
                b_eq=cost,
                bounds=free,
                method="highs-ds",
            )
            assert got.status in (0, 3), got.message
            ends[side, index] = sign * (got.fun if got.status == 0 else -INF)
    shape = hours, len(system.zones)
    return ends[0].reshape(shape), ends[1].reshape(shape)


def exact(market: Market) -> bool:
    """True where every member has one budget, no budget has plants and bids, and no store is paid to give."""
    system, bids = market
    members = [name for budget in system.budgets for name in budget.members]
    names = {bid.name for bid in bids}
    for budget in system.budgets:
        if 0 < sum(name in names for name in budget.members) < len(budget.members):
            return False
    return len(set(members)) == len(members) and all(store.discharge_cost >= 0.0 for store in system.stores)


@law
@given(markets(stores=True, budgets=True, hours=4, zones=3))
def test_ranges_are_the_optimal_face_of_the_dual(market: Market) -> None:
    system, bids = market
    try:
        solution = solve(system, bids)
    except InfeasibleError:
        return
    low, high = price_range(system, bids, solution)
    least, greatest = face(market)
    slack = 1e-4
    assert np.all(low <= least + slack)
    assert np.all(high >= greatest - slack)
    if exact(market):
        np.testing.assert_allclose(low, least, rtol=1e-6, atol=slack)
        np.testing.assert_allclose(high, greatest, rtol=1e-6, atol=slack)
