"""How far a clearing can be from the best: a lower bound from its published prices alone.

Weak duality: for *any* prices of energy, stored water and budgets, what every plant, bid, corridor and
store would gain most at those prices bounds the least net cost from below (Bertsekas, Nonlinear
Programming, 2016, ch. 6). No step of an engine is used here: it reads the system, the bids and the
prices, and never asks where they came from, so a wrong engine cannot certify itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bid import Bid
from .compiled import entry_summing
from .system import Corridor, EnergyBudget, FloatArray, Hourly, Store, System

__all__ = ["lower_bound"]


def lower_bound(
    system: System,
    bids: Sequence[Bid],
    price: FloatArray,
    water_value: FloatArray | None = None,
    budget_price: Sequence[FloatArray] = (),
    line_price: FloatArray | None = None,
) -> float:
    """A net cost that no dispatch can beat. [USD]

    price: of each hour and zone, shape (hours, zones). [USD/MWh]
    water_value: of what each store holds, shape (hours, stores); None means 0. [USD/MWh]
    budget_price: of each budget, shape (periods,): added to the cost of its members' energy. [USD/MWh]
    line_price: what Kirchhoff's voltage law adds to the cost of each corridor's flow, shape
        (hours, corridors); None means 0. [USD/MWh]

    Prices outside what the dual allows (a negative price where energy may be thrown away, a budget price
    against a limit that is not there) are moved to the nearest that it does; any prices give a bound.
    """
    price = np.asfortranarray(price)
    if np.isfinite(system.disposal_cost):
        price = np.maximum(price, -system.disposal_cost)
    if line_price is not None:
        line_price = _around_cycles(system, line_price)
    zone = {name: price[:, index] for index, name in enumerate(system.zones)}
    added, total = _budget_terms(system.budgets, budget_price, system.hour_count)
    total += float(np.vdot(np.asarray(system.demand), price))
    if np.isfinite(system.value_of_lost_load):
        worth = np.minimum(system.value_of_lost_load - price, 0.0)
        if worth.any():
            total += float(np.vdot(worth, np.asarray(system.demand)))
    for plant in system.plants:
        price_there = zone[plant.zone]
        simple = isinstance(plant.cost, float) and isinstance(plant.minimum, float)
        if simple and plant.minimum == 0.0 and plant.name not in added:
            total -= _most(price_there, plant.cost, 1.0, np.atleast_1d(plant.available))
            continue
        margin = plant.cost - price_there
        if plant.name in added:
            margin = margin + added[plant.name]
        total += _least(margin, plant.minimum, plant.available)
    for bid in bids:
        if isinstance(bid.value, float) and bid.name not in added:
            total -= _most(zone[bid.zone], bid.value, -1.0, np.atleast_1d(bid.quantity))
            continue
        margin = zone[bid.zone] - bid.value
        if bid.name in added:
            margin = margin + added[bid.name]
        total += _least(margin, 0.0, bid.quantity)
    for index, corridor in enumerate(system.corridors):
        total += _corridor_term(corridor, zone, None if line_price is None else line_price[:, index])
    for index, store in enumerate(system.stores):
        value = np.zeros(system.hour_count) if water_value is None else water_value[:, index]
        total += _store_term(store, zone[store.zone], value)
    return total


@entry_summing
def _most(price, cost, sign, high):
    """Most of sign (price - cost) x over 0 <= x <= high, summed over the hours. [USD]

    high: one value, or one by hour.
    """
    total = 0.0
    if high.size == 1:
        for h in range(price.size):
            total += max(sign * (price[h] - cost), 0.0)
        return total * high[0]
    for h in range(price.size):
        total += max(sign * (price[h] - cost), 0.0) * high[h]
    return total


def _least(margin: FloatArray, low: Hourly, high: Hourly) -> float:
    """Least of margin x over low <= x <= high, summed over the hours. [USD]"""
    gain = np.minimum(margin, 0.0)
    total = float(np.dot(gain, high)) if isinstance(high, np.ndarray) else float(gain.sum()) * high
    if isinstance(low, np.ndarray):
        total += float(np.dot(margin - gain, np.minimum(low, high)))
    elif low != 0.0:
        total += float(np.dot(margin - gain, np.minimum(low, np.broadcast_to(high, margin.shape))))
    return total


def _around_cycles(system: System, line_price: FloatArray) -> FloatArray:
    """The part of the line prices that Kirchhoff's voltage law allows: what every flow that follows the law
    earns 0 on in sum. Such flows are differences of angles over reactances, so line price / reactance must
    flow in circles; the rest is taken off, line by line, as the flow of a potential."""
    lines = [index for index, line in enumerate(system.corridors) if line.reactance is not None]
    ends = np.zeros((len(system.zones), len(lines)))
    place = np.arange(len(lines))
    ends[system.zone_index(system.corridors[index].from_zone for index in lines), place] = 1.0
    ends[system.zone_index(system.corridors[index].to_zone for index in lines), place] -= 1.0
    reactance = np.array([system.corridors[index].reactance for index in lines], dtype=np.float64)
    around = line_price[:, lines] / reactance
    potential = around @ ends.T @ np.linalg.pinv(ends @ ends.T, hermitian=True)
    result = np.zeros_like(line_price)
    result[:, lines] = (around - potential @ ends) * reactance
    return result


def _budget_terms(
    budgets: Sequence[EnergyBudget], prices: Sequence[FloatArray], hours: int
) -> tuple[dict[str, FloatArray], float]:
    """What budgets add to the cost of each member by hour, and what their limits are worth. [USD]"""
    added: dict[str, FloatArray] = {}
    total = 0.0
    for budget, given in zip(budgets, prices, strict=False):
        low, high = np.asarray(budget.minimum), np.asarray(budget.maximum)
        price = np.where(np.isinf(high), np.minimum(given, 0.0), given)
        price = np.where(np.isinf(low), np.maximum(price, 0.0), price)
        limit = np.where(price > 0.0, high, low)
        total -= float(np.dot(price, np.where(price == 0.0, 0.0, limit)))
        hourly = price[budget.period]
        for name in budget.members:
            added[name] = added[name] + hourly if name in added else hourly
    return added, total


def _corridor_term(corridor: Corridor, zone: dict[str, FloatArray], line: FloatArray | None) -> float:
    start, end = zone[corridor.from_zone], zone[corridor.to_zone]
    keep = 1.0 - corridor.loss
    forward, backward = start - keep * end, end - keep * start
    if corridor.cost != 0.0:
        forward += corridor.cost
        backward += corridor.cost
    if line is not None:
        forward += line
        backward -= line
    return _least(forward, 0.0, corridor.forward_limit) + _least(backward, 0.0, corridor.backward_limit)


def _store_term(store: Store, price: FloatArray, value: FloatArray) -> float:
    """Most a store can gain at these prices and water values, with a minus sign. [USD]"""
    total = _least(
        value / store.discharge_efficiency + store.discharge_cost - price, 0.0, store.discharge_limit
    )
    total += _least(price - value * store.charge_efficiency, 0.0, store.charge_limit)
    inflow = np.broadcast_to(store.inflow, value.shape)
    total += float(np.dot(np.minimum(value, 0.0) - value, inflow))  # spilled where it is worth less than 0
    after = np.empty_like(value)
    after[:-1] = value[1:]
    after[-1] = value[0] if store.initial_level is None else 0.0
    total += store.energy_limit * float(np.minimum(value - after, 0.0).sum())
    if store.initial_level is not None:
        total -= float(value[0]) * store.initial_level
    return total
