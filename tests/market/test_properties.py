"""Laws that hold for every market, on markets drawn at random, ties and empty limits included."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog  # type: ignore[import-untyped]

from penstock.market import (
    Bid,
    Clearing,
    Corridor,
    EnergyBudget,
    Plant,
    Store,
    System,
    clear,
    energy_residual,
)
from penstock.market.system import FloatArray, hour_series

ZONES = ("A", "B", "C")
LOST_LOAD = 500.0
Market = tuple[System, list[Bid]]
# The same examples on every run: a failure is a fault of the code, never of the day.
law = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def numbers(low: int, high: int, hours: int) -> st.SearchStrategy[FloatArray]:
    """Whole numbers by the hour: they tie often, which is where engines differ."""
    values = st.lists(st.integers(low, high), min_size=hours, max_size=hours)
    return values.map(lambda drawn: np.array(drawn, dtype=np.float64))


@st.composite
def markets(draw: st.DrawFn, *, coupled: bool = False) -> Market:
    """A system of up to 3 zones, 6 plants and 6 hours with bids; `coupled` adds stores and budgets."""
    hours, zones = draw(st.integers(1, 6)), ZONES[: draw(st.integers(1, 3))]
    zone = st.sampled_from(zones)
    plants = []
    for index in range(draw(st.integers(1, 6))):
        available = draw(numbers(0, 60, hours))
        plants.append(
            Plant(
                name=f"p{index}",
                zone=draw(zone),
                cost=float(draw(st.sampled_from([0, 10, 10, 25, 40, 90]))),
                available=available,
                minimum=available * draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
                curtailable=draw(st.booleans()),
            )
        )
    lines = []
    for index in range(draw(st.integers(0, 3)) if len(zones) > 1 else 0):
        start, end = draw(st.permutations(zones))[:2]
        loss = draw(st.sampled_from([0.0, 0.03, 0.1]))
        forward, backward = draw(numbers(0, 40, hours)), float(draw(st.integers(0, 40)))
        lines.append(Corridor(f"l{index}", start, end, forward, backward, loss))
    bids = [
        Bid(f"b{index}", draw(zone), draw(numbers(0, 40, hours)), draw(numbers(-5, 120, hours)))
        for index in range(draw(st.integers(0, 2)))
    ]
    system = System(
        hours=np.datetime64("2025-01-01T00") + np.arange(hours),
        zones=zones,
        demand=np.stack([draw(numbers(0, 80, hours)) for _ in zones], axis=1),
        value_of_lost_load=LOST_LOAD,
        plants=tuple(plants),
        corridors=tuple(lines),
    )
    return (draw(couplings(system)) if coupled else system), bids


@st.composite
def couplings(draw: st.DrawFn, system: System) -> System:
    """The system with a store and a budget that can be met."""
    hours = system.hour_count
    store = Store(
        name="s",
        zone=draw(st.sampled_from(system.zones)),
        energy_limit=float(draw(st.integers(0, 50))),
        charge_limit=float(draw(st.integers(0, 30))),
        discharge_limit=float(draw(st.integers(0, 30))),
        charge_efficiency=draw(st.sampled_from([1.0, 0.9])),
        discharge_efficiency=draw(st.sampled_from([1.0, 0.8])),
        inflow=draw(numbers(0, 20, hours)),
        initial_level=draw(st.sampled_from([None, 0.0])),
    )
    members = system.plants[:2]
    most = sum(hour_series(plant.available, hours).sum() for plant in members)
    least = sum(hour_series(plant.minimum, hours).sum() for plant in members)
    low, high = sorted(draw(st.tuples(*[st.sampled_from([0.0, 0.3, 0.6, 1.0])] * 2)))
    budget = EnergyBudget(
        "e",
        tuple(plant.name for plant in members),
        np.zeros(hours, dtype=np.int64),
        np.array([least + low * (most - least)]),
        np.array([least + high * (most - least)]),
    )
    return replace(system, stores=(store,), budgets=(budget,))


def dual_bound(got: Clearing, price: FloatArray) -> float:
    """Least cost when energy may be had and given at `price` in every zone and hour. [USD]

    By weak duality no clearing is cheaper, whatever the prices (Boyd and Vandenberghe, Convex Optimization,
    section 5.1.3); free dumping keeps the prices at zero or above. Only without stores and budgets.
    """
    system, hours = got.system, got.system.hour_count
    assert price.min() >= -1e-9
    column = {zone: price[:, index] for index, zone in enumerate(system.zones)}
    demand = np.asarray(system.demand)
    bound = float(
        (price * demand).sum() + (np.minimum(system.value_of_lost_load - price, 0.0) * demand).sum()
    )
    for plant in system.plants:
        margin = hour_series(plant.cost, hours) - column[plant.zone]
        output = np.where(margin > 0, plant.minimum, plant.available)
        bound += float(margin @ output)
    for bid in got.bids:
        bound += float(np.minimum(column[bid.zone] - bid.value, 0.0) @ hour_series(bid.quantity, hours))
    for line in system.corridors:
        start, end, kept = column[line.from_zone], column[line.to_zone], 1.0 - line.loss
        bound += float(np.minimum(start - kept * end, 0.0) @ hour_series(line.forward_limit, hours))
        bound += float(np.minimum(end - kept * start, 0.0) @ hour_series(line.backward_limit, hours))
    return bound


class Programme:
    """The market as a dense programme in inequalities: no dumping and no levels, only running sums."""

    def __init__(self, system: System, bids: list[Bid]) -> None:
        self.hours, self.zones = system.hour_count, system.zones
        self.columns: list[tuple[float, float, float]] = []
        # Supply of each hour and zone by column; the demand has to be met or exceeded.
        self.supply: list[dict[tuple[int, str], float]] = []
        self.rows: list[tuple[dict[int, float], float]] = []
        self.plants = {
            plant.name: self.add(plant.cost, plant.minimum, plant.available, {plant.zone: 1.0})
            for plant in system.plants
        }
        for bid in bids:
            self.add(-np.asarray(bid.value), 0.0, bid.quantity, {bid.zone: -1.0})
        for line in system.corridors:
            kept = 1.0 - line.loss
            self.add(0.0, 0.0, line.forward_limit, {line.from_zone: -1.0, line.to_zone: kept})
            self.add(0.0, 0.0, line.backward_limit, {line.to_zone: -1.0, line.from_zone: kept})
        for index, zone in enumerate(system.zones):
            self.add(system.value_of_lost_load, 0.0, system.demand[:, index], {zone: 1.0})
        for store in system.stores:
            self.store(store)
        for budget in system.budgets:
            energy = {column: 1.0 for name in budget.members for column in self.plants[name]}
            self.rows.append((energy, float(budget.maximum[0])))
            self.rows.append((dict.fromkeys(energy, -1.0), -float(budget.minimum[0])))
        for hour in range(self.hours):
            for index, zone in enumerate(system.zones):
                given = {
                    column: -supply[hour, zone]
                    for column, supply in enumerate(self.supply)
                    if (hour, zone) in supply
                }
                self.rows.append((given, -float(system.demand[hour, index])))

    def add(self, cost: Any, low: Any, high: Any, supply: dict[str, float]) -> list[int]:
        """One column per hour."""
        first = len(self.columns)
        series = (np.broadcast_to(np.asarray(values, float), (self.hours,)) for values in (cost, low, high))
        for hour, column in enumerate(zip(*series, strict=True)):
            self.columns.append(column)
            self.supply.append({(hour, zone): share for zone, share in supply.items()})
        return list(range(first, len(self.columns)))

    def store(self, store: Store) -> None:
        charge = self.add(0.0, 0.0, store.charge_limit, {store.zone: -1.0})
        discharge = self.add(0.0, 0.0, store.discharge_limit, {store.zone: 1.0})
        spill = self.add(0.0, 0.0, np.inf, {})
        first = len(self.columns)
        limit = store.energy_limit if store.initial_level is None else store.initial_level
        self.columns.append((0.0, 0.0 if store.initial_level is None else limit, limit))
        self.supply.append({})
        level, known = {first: 1.0}, 0.0
        for hour, inflow in enumerate(hour_series(store.inflow, self.hours)):
            level = level | {charge[hour]: store.charge_efficiency, spill[hour]: -1.0}
            level[discharge[hour]] = -1.0 / store.discharge_efficiency
            known += float(inflow)
            self.rows.append((level, store.energy_limit - known))
            self.rows.append(({column: -value for column, value in level.items()}, known))
        if store.initial_level is None:
            change = {column: value for column, value in level.items() if column != first}
            self.rows.append((change, -known))
            self.rows.append(({column: -value for column, value in change.items()}, known))

    def least_cost(self) -> float:
        matrix = np.zeros((len(self.rows), len(self.columns)))
        for row, (entries, _) in enumerate(self.rows):
            for column, value in entries.items():
                matrix[row, column] = value
        cost, low, high = zip(*self.columns, strict=True)
        answer = linprog(
            cost,
            matrix,
            [most for _, most in self.rows],
            bounds=list(zip(low, high, strict=True)),
            method="highs-ipm",
        )
        assert answer.success, answer.message
        return float(answer.fun)


@law
@given(markets())
def test_an_independent_programme_costs_the_same(market: Market) -> None:
    assert clear(*market).net_cost == pytest.approx(Programme(*market).least_cost(), rel=1e-6, abs=1e-6)


@law
@given(markets(coupled=True))
def test_an_independent_programme_with_store_and_budget_costs_the_same(market: Market) -> None:
    assert clear(*market).net_cost == pytest.approx(Programme(*market).least_cost(), rel=1e-6, abs=1e-6)


@law
@given(markets())
def test_the_prices_prove_the_cost(market: Market) -> None:
    got = clear(*market)
    assert dual_bound(got, got.price) == pytest.approx(got.net_cost, rel=1e-6, abs=1e-6)


@law
@given(markets(coupled=True))
def test_energy_balances_and_limits_hold(market: Market) -> None:
    system, bids = market
    got = clear(system, bids)
    assert np.abs(energy_residual(got)).max() < 1e-6
    for index, plant in enumerate(system.plants):
        assert np.all(got.dispatch[:, index] >= plant.minimum - 1e-7)
        assert np.all(got.dispatch[:, index] <= plant.available + 1e-7)
    for index, bid in enumerate(bids):
        assert np.all(got.accepted[:, index] <= bid.quantity + 1e-7)
    for index, line in enumerate(system.corridors):
        assert np.all(got.flow[:, index] <= line.forward_limit + 1e-7)
        assert np.all(-got.flow[:, index] <= line.backward_limit + 1e-7)
    for values in (got.dumped, got.unserved, got.curtailed, got.accepted, got.charge, got.spill, got.level):
        assert values.min(initial=0.0) >= -1e-7
    (budget,) = system.budgets
    energy = sum(got.dispatch[:, index].sum() for index in range(len(budget.members)))
    assert budget.minimum[0] - 1e-6 <= energy <= budget.maximum[0] + 1e-6


@law
@given(markets(coupled=True), st.integers(0, 100), st.integers(0, 60))
def test_more_supply_never_raises_the_cost(market: Market, cost: int, size: int) -> None:
    system, bids = market
    more = replace(system, plants=(*system.plants, Plant("new", system.zones[0], float(cost), float(size))))
    before = clear(system, bids).net_cost
    assert clear(more, bids).net_cost <= before + 1e-6 * max(1.0, abs(before))


@law
@given(markets(coupled=True), st.integers(1, 50))
def test_a_bid_below_the_price_is_never_accepted(market: Market, quantity: int) -> None:
    system, bids = market
    price = clear(system, bids).price[:, -1]
    # Any price is a subgradient of the cost: serving q costs at least price x q, more than it is worth.
    low = Bid("low", system.zones[-1], float(quantity), price - 0.5)
    got = clear(system, [*bids, low])
    assert got.accepted[:, -1].max() <= 1e-7


@law
@given(markets(coupled=True), st.integers(1, 50), st.integers(0, 30))
def test_a_bid_above_the_value_of_lost_load_is_accepted_in_full(
    market: Market, quantity: int, more: int
) -> None:
    system, bids = market
    zone, demand = system.zones[0], np.array(system.demand)
    demand[:, 0] = quantity + more
    # Firm demand is at least the bid and so is the local supply: at worst firm demand gives way to it.
    supply = Plant("ample", zone, 60.0, float(quantity))
    system = replace(system, demand=demand, plants=(*system.plants, supply))
    got = clear(system, [*bids, Bid("high", zone, float(quantity), LOST_LOAD + 1.0)])
    np.testing.assert_allclose(got.accepted[:, -1], quantity, rtol=0, atol=1e-6)


@law
@given(markets(), st.sampled_from([0.5, 2.0, 7.3, 100.0]))
def test_all_money_scales(market: Market, factor: float) -> None:
    system, bids = market
    plants = tuple(replace(plant, cost=plant.cost * factor) for plant in system.plants)
    scaled = replace(system, plants=plants, value_of_lost_load=LOST_LOAD * factor)
    plain, other = (
        clear(system, bids),
        clear(scaled, [replace(bid, value=bid.value * factor) for bid in bids]),
    )
    assert other.net_cost == pytest.approx(plain.net_cost * factor, rel=1e-7, abs=1e-6)
    # Where prices are not unique they may differ, but the scaled ones prove the scaled cost.
    assert dual_bound(other, plain.price * factor) == pytest.approx(other.net_cost, rel=1e-6, abs=1e-5)
