"""The compiled engine and HiGHS agree on every market: cost, feasibility, bounds and ranges of prices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from penstock.errors import InfeasibleError, SolverError
from penstock.market import Clearing, clear
from penstock.market.certificate import lower_bound
from penstock.market.engine import refusal
from penstock.market.ranges import price_range
from penstock.market.solution import Solution
from penstock.market.system import FloatArray, hour_series

from .strategies import Market, markets

GAP = 1e-6
# The same examples on every run, as for the other laws of the market.
law = settings(max_examples=500, deadline=None, derandomize=True, database=None)
short = settings(law, max_examples=300)
thorough = settings(law, max_examples=5000)


def solution_of(got: Clearing) -> Solution:
    """What the engine handed over, from what was published."""
    forward, backward = got.sent()
    same = {
        name: np.array(getattr(got, name))
        for name in Solution.__slots__
        if name not in ("forward", "backward", "budget_price", "line_price")
    }
    return Solution(
        forward=forward,
        backward=backward,
        budget_price=got.budget_price,
        line_price=got.line_price,
        **same,
    )


def violations(got: Clearing) -> Iterator[tuple[str, float]]:
    """How far each kind of limit is exceeded at most, from the published arrays alone. [MW, MWh]"""
    system, hours = got.system, got.system.hour_count

    def beyond(amount: FloatArray, low: object, high: object) -> float:
        return float(np.max(np.maximum(low - amount, amount - high), initial=0.0))  # type: ignore[operator]

    left = np.array(got.unserved) - system.demand - got.dumped
    zone = {name: left[:, index] for index, name in enumerate(system.zones)}
    yield "unserved", beyond(got.unserved, 0.0, system.demand)
    yield "dumped", beyond(got.dumped, 0.0, np.inf)
    if np.isinf(system.value_of_lost_load):
        yield "no lost load", beyond(got.unserved, 0.0, 0.0)
    if np.isinf(system.disposal_cost):
        yield "no disposal", beyond(got.dumped, 0.0, 0.0)
    energy: dict[str, FloatArray] = {}
    for index, plant in enumerate(system.plants):
        energy[plant.name] = amount = got.dispatch[:, index]
        zone[plant.zone] += amount
        yield plant.name, beyond(amount, np.asarray(plant.minimum), np.asarray(plant.available))
    for index, bid in enumerate(got.bids):
        energy[bid.name] = amount = got.accepted[:, index]
        zone[bid.zone] -= amount
        yield bid.name, beyond(amount, 0.0, np.asarray(bid.quantity))
    for index, line in enumerate(system.corridors):
        amount, kept = got.flow[:, index], 1.0 - line.loss
        zone[line.from_zone] += np.where(amount > 0.0, -amount, -kept * amount)
        zone[line.to_zone] += np.where(amount > 0.0, kept * amount, amount)
        yield line.name, beyond(amount, -np.asarray(line.backward_limit), np.asarray(line.forward_limit))
    for index, store in enumerate(system.stores):
        charge, discharge = got.charge[:, index], got.discharge[:, index]
        level, spill, inflow = got.level[:, index], got.spill[:, index], hour_series(store.inflow, hours)
        zone[store.zone] += discharge - charge
        yield store.name, beyond(charge, 0.0, store.charge_limit)
        yield store.name, beyond(discharge, 0.0, store.discharge_limit)
        yield store.name, beyond(level, 0.0, store.energy_limit)
        yield store.name, beyond(spill, 0.0, inflow)
        before = np.roll(level, 1)
        if store.initial_level is not None:
            before[0] = store.initial_level
        change = inflow - spill + store.charge_efficiency * charge - discharge / store.discharge_efficiency
        yield f"{store.name} level", float(np.abs(before + change - level).max())
    for budget in system.budgets:
        total = sum(energy[name] for name in budget.members)
        for period, (low, high) in enumerate(zip(budget.minimum, budget.maximum, strict=True)):
            used = float(np.sum(total[budget.period == period]))  # type: ignore[index]
            yield budget.name, max(low - used, used - high, 0.0)
    yield "balance", max(float(np.abs(values).max()) for values in zone.values())


def check(got: Clearing, gap: float) -> None:
    """A feasible dispatch, and prices that prove its cost."""
    for name, amount in violations(got):
        assert amount <= 1e-6, (name, amount)
    size = max(1.0, abs(got.net_cost))
    assert got.lower_bound <= got.net_cost + 1e-9 * size
    assert got.gap <= gap
    bound = lower_bound(got.system, got.bids, got.price, got.water_value, got.budget_price, got.line_price)
    assert bound == pytest.approx(got.net_cost, rel=gap, abs=1e-6)


def cleared(market: Market, engine: str) -> Clearing | InfeasibleError:
    try:
        return clear(*market, engine=engine, gap=GAP)
    except InfeasibleError as error:
        return error


def compiled_or_not(market: Market) -> Clearing | InfeasibleError:
    """What the compiled engine says; where it declines, "auto" must clear the market all the same."""
    if refusal(market[0]) is None:
        try:
            return cleared(market, "kernel")
        except SolverError:
            # Nothing binds the hours of these, so there is nothing to decline.
            assert market[0].stores or market[0].budgets
    return cleared(market, "auto")


def agree(market: Market) -> None:
    """Both engines clear the market at the same cost, or both name the same clash."""
    system, bids = market
    compiled = compiled_or_not(market)
    reference = cleared(market, "highs")
    if isinstance(compiled, InfeasibleError) or isinstance(reference, InfeasibleError):
        assert str(compiled) == str(reference)
        assert any(word in str(compiled) for word in ("zone ", "energy budget "))
        assert "hour" in str(compiled)
        return
    # The kernel may miss the best by the gap that it was allowed.
    allowed = 1e-7 if not (system.stores or system.budgets) else GAP
    assert compiled.net_cost == pytest.approx(reference.net_cost, rel=allowed, abs=1e-6)
    check(compiled, GAP)
    check(reference, GAP)
    ranges = [price_range(system, bids, solution_of(got)) for got in (compiled, reference)]
    if not (system.stores or system.budgets):
        ranges.append((compiled.price_low, compiled.price_high))
    for low, high in ranges:
        for got in (compiled, reference):
            # Prices around stores and budgets are as good as the gap that they prove.
            slack = (1e-4 if system.stores or system.budgets else 1e-6) * (1.0 + np.abs(got.price))
            assert np.all(got.price >= low - slack)
            assert np.all(got.price <= high + slack)
    if not (system.stores or system.budgets):
        for one, other in zip(ranges[0] + ranges[1], ranges[2] * 2, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-6)


@law
@given(markets())
def test_hours_on_their_own(market: Market) -> None:
    agree(market)


@law
@given(markets(strict=True))
def test_hours_that_may_be_infeasible(market: Market) -> None:
    agree(market)


@law
@given(markets(budgets=True))
def test_budgets(market: Market) -> None:
    agree(market)


@law
@given(markets(stores=True))
def test_stores(market: Market) -> None:
    agree(market)


@short
@given(markets(stores=True, budgets=True))
def test_stores_and_budgets(market: Market) -> None:
    agree(market)


@short
@given(markets(stores=True, budgets=True, strict=True))
def test_everything_that_may_be_infeasible(market: Market) -> None:
    agree(market)


@pytest.mark.long
@thorough
@given(markets())
def test_many_hours_on_their_own(market: Market) -> None:
    agree(market)


@pytest.mark.long
@thorough
@given(markets(stores=True, budgets=True, strict=True))
def test_many_of_everything(market: Market) -> None:
    agree(market)
