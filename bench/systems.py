"""Synthetic systems, the same for the same seed, and the country that ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System
from penstock.market.system import FloatArray, Hourly, IntArray

from .cases import HOURS

__all__ = ["Market", "congested_share", "cut", "fresh", "make"]

PEAK_MW = 25_000.0
INSTALLED_MW = 32_000.0
BIDS_MW = 2_400.0
VALUE_OF_LOST_LOAD = 3_000.0
_DAYS_PER_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MESH = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (0, 3), (1, 4))


@dataclass(frozen=True)
class Market:
    """What is cleared."""

    system: System
    bids: tuple[Bid, ...]


def make(
    *,
    shape: str = "line",
    hours: int = HOURS,
    zones: int = 6,
    plants: int = 110,
    limit_mw: float = 700.0,
    loss: float = 0.0,
    stores: int = 0,
    budgets: int = 0,
    seed: int = 1,
) -> Market:
    """A synthetic market, or the shipped country.

    shape: "line" of zones, "mesh" (6 zones, 8 corridors, so 3 cycles), or "pakistan" as shipped.
    hours: from the start of 2025; beyond 8,760 the year repeats with other noise.
    limit_mw: of every corridor, either way. [MW]
    stores: the first so many of 4 reservoirs (two of them pump) and 2 batteries, at most 6.
    budgets: plants with monthly energy limits, at most 12; every third has a minimum too.
    """
    if hours < HOURS:
        return cut(
            make(
                shape=shape,
                zones=zones,
                plants=plants,
                limit_mw=limit_mw,
                loss=loss,
                stores=stores,
                budgets=budgets,
                seed=seed,
            ),
            hours,
        )
    if shape == "pakistan":
        return _shipped()
    rng = np.random.default_rng(seed)
    names = tuple(f"Z{zone}" for zone in range(zones))
    edges = _MESH if shape == "mesh" else tuple((zone, zone + 1) for zone in range(zones - 1))
    fleet = _plants(rng, names, plants, hours)
    system = System(
        hours=np.datetime64("2025-01-01T00", "h") + np.arange(hours),
        zones=names,
        demand=_demand(rng, zones, hours),
        value_of_lost_load=VALUE_OF_LOST_LOAD,
        plants=fleet,
        corridors=tuple(
            Corridor(f"{names[start]}-{names[end]}", names[start], names[end], limit_mw, limit_mw, loss)
            for start, end in edges
        ),
        stores=_stores(rng, names, hours)[:stores],
        budgets=_budgets(fleet, budgets, hours),
    )
    return Market(system, _bids(rng, names))


def _noise(rng: np.random.Generator, hours: int, memory: float) -> FloatArray:
    """Autoregressive noise with mean 0 and standard deviation near 1, shape (hours,)."""
    steps = rng.standard_normal(hours) * np.sqrt(1 - memory**2)
    weights = memory ** np.arange(min(hours, 400))
    return np.convolve(steps, weights)[:hours]


def _calendar(hours: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hour of the day, day of the week and angle of the year of every hour."""
    hour = np.arange(hours, dtype=np.float64)
    return hour % 24, hour // 24 % 7, 2 * np.pi * hour / HOURS


def _demand(rng: np.random.Generator, zones: int, hours: int) -> FloatArray:
    """Hourly demand with a peak of 25 GW, shape (hours, zones). [MW]"""
    clock, day, season = _calendar(hours)
    daily = 1 + 0.13 * np.sin((clock - 8) * np.pi / 12) + 0.08 * np.exp(-(((clock - 19) / 2.5) ** 2))
    common = daily * np.where(day >= 5, 0.94, 1.0) * (1 - 0.22 * np.cos(season))
    share = rng.uniform(0.6, 1.4, zones)
    local = np.stack([1 + 0.04 * _noise(rng, len(common), 0.9) for _ in range(zones)], axis=1)
    demand = common[:, None] * local * share
    demand *= PEAK_MW / demand[:HOURS].sum(axis=1).max()
    return np.maximum(demand, 0.0)


def _weather(rng: np.random.Generator, kind: int, hours: int) -> FloatArray:
    """Availability of a plant that runs on sun (0), wind (1) or a river (2). [1]"""
    clock, _, season = _calendar(hours)
    if kind == 0:
        clouds = np.repeat(rng.uniform(0.6, 1.0, hours // 24 + 1), 24)[:hours]
        return np.maximum(np.sin((clock - 6) * np.pi / 12), 0.0) * clouds * (0.85 - 0.15 * np.cos(season))
    if kind == 1:
        return np.asarray(1 / (1 + np.exp(0.6 - 1.2 * _noise(rng, hours, 0.97))))
    return np.clip(0.55 - 0.3 * np.cos(season - 0.5) + 0.05 * _noise(rng, hours, 0.99), 0.05, 1.0)


def _plants(rng: np.random.Generator, zones: Sequence[str], count: int, hours: int) -> tuple[Plant, ...]:
    """25 of every 110 run on the weather at the least costs; no two costs are the same."""
    varying = round(count * 25 / 110)
    size = rng.uniform(0.3, 1.7, count)
    size *= INSTALLED_MW / size.sum()
    cost = np.concatenate([np.linspace(0.0, 4.0, varying), np.linspace(8.0, 150.0, count - varying)])
    cost[1:-1] += rng.uniform(-0.3, 0.3, count - 2) * np.minimum(np.diff(cost)[1:], np.diff(cost)[:-1])
    place = np.concatenate([rng.permutation(len(zones)) for _ in range(count // len(zones) + 1)])
    return tuple(
        Plant(
            name=f"P{index}",
            zone=zones[place[index]],
            cost=float(cost[index]),
            available=size[index] * _weather(rng, index % 3, hours)
            if index < varying
            else float(size[index]),
            curtailable=index < varying,
        )
        for index in range(count)
    )


def _bids(rng: np.random.Generator, zones: Sequence[str]) -> tuple[Bid, ...]:
    size = rng.uniform(0.5, 1.5, 24)
    size *= BIDS_MW / size.sum()
    value = rng.permutation(np.linspace(20.0, 140.0, 24)) + rng.uniform(-2.0, 2.0, 24)
    return tuple(
        Bid(f"B{index}", zones[index % len(zones)], float(size[index]), float(value[index]))
        for index in range(24)
    )


def _stores(rng: np.random.Generator, zones: Sequence[str], hours: int) -> tuple[Store, ...]:
    """4 reservoirs that fill in the wet season, two of which pump, and 2 batteries; all cyclic."""
    _, _, season = _calendar(hours)
    found = []
    for index, (power, duration) in enumerate(
        ((900.0, 400.0), (600.0, 120.0), (700.0, 700.0), (500.0, 60.0))
    ):
        wet = 0.35 - 0.25 * np.cos(season - 0.4) + 0.04 * _noise(rng, hours, 0.98)
        found.append(
            Store(
                name=f"reservoir {index}",
                zone=zones[(index * 2) % len(zones)],
                energy_limit=power * duration,
                charge_limit=0.6 * power if index % 2 else 0.0,
                discharge_limit=power,
                charge_efficiency=0.88 if index % 2 else 1.0,
                discharge_efficiency=0.9,
                inflow=power / 0.9 * np.maximum(wet, 0.0),
            )
        )
    for index, power in enumerate((400.0, 250.0)):
        found.append(
            Store(
                name=f"battery {index}",
                zone=zones[(1 + 2 * index) % len(zones)],
                energy_limit=4 * power,
                charge_limit=power,
                discharge_limit=power,
                charge_efficiency=0.95,
                discharge_efficiency=0.94,
            )
        )
    return tuple(found)


def _months(hours: int) -> IntArray:
    """Number of each hour's month, from 0, over as many years as there are."""
    length = np.tile(_DAYS_PER_MONTH, hours // HOURS + 1) * 24
    return np.repeat(np.arange(len(length)), length)[:hours]


def _budgets(plants: Sequence[Plant], count: int, hours: int) -> tuple[EnergyBudget, ...]:
    """Monthly maxima on cheap plants that would give more; every third is a dear one that must give some."""
    months = _months(hours)
    length = np.bincount(months).astype(np.float64)
    steady = [plant for plant in plants if not plant.curtailable]
    found = []
    for index in range(count):
        dear = index % 3 == 2
        plant = steady[int(len(steady) * ((0.72 if dear else 0.05) + 0.25 * index / count))]
        full = float(np.max(plant.available)) * length
        least = 0.3 * full if dear else np.full(len(length), -np.inf)
        most = full * (0.35 + 0.03 * (index % 5))
        found.append(EnergyBudget(f"energy of {plant.name}", (plant.name,), months, least, most))
    return tuple(found)


def _shipped() -> Market:
    """The shipped country with every part of its default programme coming; prices decide who runs."""
    # Here, not above: a child that measures memory must not import what it does not use.
    from penstock.country import load_country
    from penstock.country.hours import build_hours
    from penstock.market.from_country import build_system
    from penstock.programme import default_programme, plan_for
    from penstock.programme.decision import bids_of, first_decision

    country = load_country("pakistan")
    hours = build_hours(country)
    plan = plan_for(country, default_programme(country), hours.month, hours.local_hour)
    # Bids do not depend on the hashprice; only what they are worth to the miners does.
    bids = bids_of(plan, first_decision(plan), np.zeros(12))
    return Market(build_system(country, hours), tuple(row.bid for row in bids))


def _first(values: Hourly, hours: int) -> Hourly:
    return values[:hours] if isinstance(values, np.ndarray) else values


def cut(market: Market, hours: int) -> Market:
    """The first hours of a market; an energy budget keeps the share of its limits that its hours are."""
    whole = market.system
    budgets = []
    for budget in whole.budgets:
        period = budget.period[:hours]
        kept = np.bincount(period) / np.bincount(budget.period)[: int(period[-1]) + 1]
        low, high = (np.asarray(limit)[: len(kept)] * kept for limit in (budget.minimum, budget.maximum))
        budgets.append(EnergyBudget(budget.name, budget.members, period, low, high))
    system = replace(
        whole,
        hours=whole.hours[:hours],
        demand=whole.demand[:hours],
        plants=tuple(
            replace(
                plant,
                cost=_first(plant.cost, hours),
                available=_first(plant.available, hours),
                minimum=_first(plant.minimum, hours),
            )
            for plant in whole.plants
        ),
        corridors=tuple(
            replace(
                line,
                forward_limit=_first(line.forward_limit, hours),
                backward_limit=_first(line.backward_limit, hours),
            )
            for line in whole.corridors
        ),
        stores=tuple(replace(store, inflow=_first(store.inflow, hours)) for store in whole.stores),
        budgets=tuple(budgets),
    )
    bids = tuple(
        replace(bid, quantity=_first(bid.quantity, hours), value=_first(bid.value, hours))
        for bid in market.bids
    )
    return Market(system, bids)


def fresh(market: Market) -> Market:
    """The same market made of new objects, so that nothing prepared for an earlier clearing is found."""
    system = market.system
    return Market(
        replace(
            system,
            plants=tuple(replace(plant) for plant in system.plants),
            corridors=tuple(replace(line) for line in system.corridors),
            stores=tuple(replace(store) for store in system.stores),
            budgets=tuple(replace(budget) for budget in system.budgets),
        ),
        tuple(replace(bid) for bid in market.bids),
    )


def congested_share(system: System, price: FloatArray) -> float:
    """Share of the hours in which a corridor's two prices differ by more than its loss explains. [1]"""
    apart = np.zeros(system.hour_count, dtype=bool)
    for line in system.corridors:
        start, end = system.zone_index([line.from_zone, line.to_zone])
        sent, got = np.sort(price[:, [start, end]], axis=1).T
        apart |= got * (1 - line.loss) > sent + 1e-6
    return float(apart.mean())
