"""Markets drawn at random for Hypothesis, with the corners where engines differ.

Costs come from a few values so that they tie; limits are small whole numbers, zero among them, so that
quantities meet them exactly; hourly quantities are short patterns repeated over the hours.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System
from penstock.market.system import FloatArray, Hourly, hour_series

ZONES = ("A", "B", "C", "D", "E")
COSTS = (0.0, 10.0, 10.0, 25.0, 40.0, 90.0, -5.0, 33.3)
VALUES = (-5.0, 0.0, 10.0, 25.0, 40.0, 60.0, 60.0, 120.0, 600.0)
LOST_LOAD = 500.0
Market = tuple[System, list[Bid]]


@st.composite
def patterns(draw: st.DrawFn, values: st.SearchStrategy[float], hours: int) -> FloatArray:
    """One to four values over and over, shape (hours,)."""
    drawn = draw(st.lists(values, min_size=1, max_size=min(4, hours)))
    return np.resize(np.array(drawn, dtype=np.float64), hours)


def whole(most: int) -> st.SearchStrategy[float]:
    """Whole numbers up to `most`, nothing at all more often than by chance."""
    return st.one_of(st.just(0.0), st.integers(0, most).map(float), st.integers(0, most // 10).map(float))


@st.composite
def series(draw: st.DrawFn, values: st.SearchStrategy[float], hours: int) -> Hourly:
    """A number, or an hourly pattern."""
    return draw(patterns(values, hours)) if draw(st.booleans()) else draw(values)


@st.composite
def plants_of(draw: st.DrawFn, zones: tuple[str, ...], hours: int) -> list[Plant]:
    """None to eight plants; some must run, some are worth less than nothing."""
    plants = []
    for index in range(draw(st.integers(0, 8))):
        available = draw(series(whole(60), hours))
        share = draw(st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0]))
        cost: Hourly = draw(st.sampled_from(COSTS))
        if draw(st.integers(0, 3)) == 0:
            cost = draw(patterns(st.sampled_from(COSTS), hours))
        zone, wind = draw(st.sampled_from(zones)), draw(st.booleans())
        plants.append(Plant(f"p{index}", zone, cost, available, available * share, wind))
    return plants


@st.composite
def corridors_of(draw: st.DrawFn, zones: tuple[str, ...], hours: int, *, one_way: bool) -> list[Corridor]:
    """Islands, a tree or a mesh. `one_way`: where there are losses, only one direction is open."""
    shape = draw(st.sampled_from(["tree", "islands", "mesh"]))
    pairs = []
    for index in range(1, len(zones)):
        if shape != "islands" or draw(st.booleans()):
            pairs.append((draw(st.integers(0, index - 1)), index))
    if shape == "mesh" and len(zones) > 1:
        for _ in range(draw(st.integers(1, 3))):
            start = draw(st.integers(0, len(zones) - 1))
            pairs.append((start, (start + draw(st.integers(1, len(zones) - 1))) % len(zones)))
    lines = []
    for index, (start, end) in enumerate(pairs):
        loss = draw(st.sampled_from([0.0, 0.0, 0.03, 0.1]))
        cost = draw(st.sampled_from([0.0, 0.0, 1.0, 15.0]))
        limits = [draw(series(whole(40), hours)), draw(series(whole(40), hours))]
        if one_way and loss > 0.0:
            limits[draw(st.integers(0, 1))] = 0.0
        lines.append(Corridor(f"l{index}", zones[start], zones[end], limits[0], limits[1], loss, cost))
    return lines


@st.composite
def stores_of(draw: st.DrawFn, zones: tuple[str, ...], hours: int) -> list[Store]:
    """One or two stores that are soon full and soon empty."""
    stores = []
    for index in range(draw(st.integers(1, 2))):
        limit = float(draw(st.sampled_from([0, 1, 5, 12, 30])))
        first = draw(st.sampled_from([None, None, 0.0, 0.5, 1.0]))
        stores.append(
            Store(
                name=f"s{index}",
                zone=draw(st.sampled_from(zones)),
                energy_limit=limit,
                charge_limit=float(draw(st.sampled_from([0, 3, 5, 20]))),
                discharge_limit=float(draw(st.sampled_from([0, 4, 5, 20]))),
                charge_efficiency=draw(st.sampled_from([1.0, 0.9, 0.5])),
                discharge_efficiency=draw(st.sampled_from([1.0, 1.0, 0.8])),
                inflow=draw(st.one_of(st.just(0.0), series(whole(10), hours))),
                initial_level=None if first is None else first * limit,
                discharge_cost=draw(st.sampled_from([0.0, 0.0, 1.0, 10.0, -2.0])),
            )
        )
    return stores


@st.composite
def budgets_of(draw: st.DrawFn, plants: list[Plant], bids: list[Bid], hours: int) -> list[EnergyBudget]:
    """One to three budgets on plants and bids, by periods of any length, that their members can meet."""
    most = {plant.name: hour_series(plant.available, hours) for plant in plants}
    least = {plant.name: hour_series(plant.minimum, hours) for plant in plants}
    for bid in bids:
        most[bid.name], least[bid.name] = hour_series(bid.quantity, hours), np.zeros(hours)
    budgets = []
    for index in range(draw(st.integers(1, 3)) if most else 0):
        members = draw(st.lists(st.sampled_from(sorted(most)), min_size=1, max_size=4, unique=True))
        lengths = draw(patterns(st.integers(1, hours).map(float), hours)).astype(np.int64)
        period = np.repeat(np.arange(hours), lengths)[:hours]
        count = int(period[-1]) + 1
        low = np.bincount(period, sum(least[name] for name in members), count) + 0.0
        room = np.bincount(period, sum(most[name] for name in members), count) - low
        share = draw(patterns(st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]), count))
        kind = draw(st.sampled_from(["maximum", "minimum", "both", "equal"]))
        top = low + room * share
        bottom = {"maximum": np.full(count, -np.inf), "both": low + room * share * 0.5}.get(kind, top)
        budgets.append(
            EnergyBudget(
                name=f"e{index}",
                members=tuple(members),
                period=period,
                minimum=bottom,
                maximum=top + np.inf if kind == "minimum" else top,
            )
        )
    return budgets


@st.composite
def markets(
    draw: st.DrawFn,
    *,
    stores: bool = False,
    budgets: bool = False,
    strict: bool = False,
    hours: int = 30,
    zones: int = 5,
) -> Market:
    """A system of up to `zones` zones and `hours` hours, and its bids.

    strict: demand may have to be served and energy may have to be taken, or the system is infeasible.
    """
    count, names = draw(st.integers(1, hours)), ZONES[: draw(st.integers(1, zones))]
    plants = draw(plants_of(names, count))
    disposal = draw(st.sampled_from([0.0, 5.0, np.inf])) if strict else 0.0
    lost = draw(st.sampled_from([0.0, 40.0, LOST_LOAD, np.inf, np.inf])) if strict else LOST_LOAD
    if (strict or budgets) and draw(st.booleans()):  # else few could be cleared
        plants += [Plant(f"ample {name}", name, 300.0, 200.0) for name in names]
    bids = []
    for index in range(draw(st.integers(0, 4))):
        value: Hourly = draw(series(st.sampled_from(VALUES), count))
        bids.append(Bid(f"b{index}", draw(st.sampled_from(names)), draw(series(whole(40), count)), value))
    return System(
        hours=np.datetime64("2025-01-01T00") + np.arange(count),
        zones=names,
        demand=np.stack([np.broadcast_to(draw(series(whole(80), count)), count) for _ in names], axis=1),
        value_of_lost_load=lost,
        plants=tuple(plants),
        corridors=tuple(draw(corridors_of(names, count, one_way=disposal > 0.0))),
        stores=tuple(draw(stores_of(names, count))) if stores else (),
        budgets=tuple(draw(budgets_of(plants, bids, count))) if budgets else (),
        disposal_cost=disposal,
    ), bids
