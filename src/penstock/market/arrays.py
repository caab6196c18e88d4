"""A system and its bids as plain arrays: what the compiled engines read.

Every hour is one small linear programme. A zone's supply is made of *segments*, each an amount x between
0 and its width at one cost: what a plant gives above its minimum, what a bid goes without, what firm
demand goes without. In zone z and hour h

    sum of x over the zone's segments - dumped + arriving - sent + discharge - charge = need[h, z]
    need = demand + quantity of the bids - minima of the plants.

Plants of one zone with the same constant cost and the same budgets are one segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .bid import Bid
from .system import FloatArray, Hourly, IntArray, Plant, System, hour_series

__all__ = ["Arrays", "Table", "least_output", "to_arrays"]


def least_output(plant: Plant, hours: int) -> FloatArray:
    """Least output, never above what is available (rounding apart they agree by construction). [MW]"""
    if not isinstance(plant.minimum, np.ndarray) and plant.minimum == 0.0:
        return np.broadcast_to(np.float64(0.0), (hours,))
    return np.minimum(hour_series(plant.minimum, hours), hour_series(plant.available, hours))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Hourly quantities of n things, most of them constant.

    constant: value where the quantity does not change, shape (n,).
    row: row of `series` for those that do, -1 for the others, shape (n,).
    series: shape (rows, hours).
    """

    constant: FloatArray
    row: IntArray
    series: FloatArray

    def full(self, index: int) -> FloatArray:
        """Hourly values of one thing, shape (hours,)."""
        row = self.row[index]
        return self.series[row] if row >= 0 else np.full(self.series.shape[1], self.constant[index])


def _table(values: Sequence[Hourly], hours: int) -> Table:
    constant = np.zeros(len(values))
    row = np.full(len(values), -1, dtype=np.int64)
    series: list[FloatArray] = []
    for index, value in enumerate(values):
        if isinstance(value, np.ndarray) and value.ndim:
            row[index] = len(series)
            series.append(value)
        else:
            constant[index] = float(value)
    return Table(constant, row, np.array(series) if series else np.zeros((0, hours)))


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """n segments, A arcs, S stores, B budgets over H hours and Z zones; the order is the system's.

    need: shape (H, Z). [MW]
    unserved_cost, unserved_limit: value of lost load (inf: none allowed) and firm demand, shape (H, Z).
    disposal_cost: what a dumped MWh costs (inf: none allowed). [USD/MWh]
    zone, cost, width: of each segment; plant groups come first, then bids. [-, USD/MWh, MW]
    groups: the plants behind each plant segment.
    least: least output of each plant, shape (H,); None where it is 0. [MW]
    tail, head, keep, arc_cost, low, high: of each arc: zone it leaves, zone it reaches, share that
        arrives, cost and limits of what is sent. A lossless corridor without a cost is one arc with
        low = -backward_limit; any other is two arcs with low = 0. [-, -, 1, USD/MWh, MW, MW]
    corridor, direction: corridor of each arc, and +1 or -1 for forward and backward.
    store_zone, energy_limit, charge_limit, discharge_limit, charge_efficiency, discharge_efficiency,
        initial_level (NaN: cyclic), discharge_cost: of each store, shape (S,); inflow: shape (S, H).
    member_start, member, member_sign: segments of budget b are member[member_start[b]:member_start[b+1]];
        their energy is sign * x plus a constant that the limits already exclude.
    period: period of each budget and hour, shape (B, H).
    period_start: budget b's limits are minimum[period_start[b]:period_start[b+1]].
    minimum, maximum: of sum of sign * x, by budget and period. [MWh]
    """

    hours: int
    zones: int
    need: FloatArray
    unserved_cost: float
    unserved_limit: FloatArray
    disposal_cost: float
    zone: IntArray
    cost: Table
    width: Table
    groups: tuple[tuple[int, ...], ...]
    least: tuple[FloatArray | None, ...]
    tail: IntArray
    head: IntArray
    keep: FloatArray
    arc_cost: FloatArray
    low: Table
    high: Table
    corridor: IntArray
    direction: FloatArray
    store_zone: IntArray
    energy_limit: FloatArray
    charge_limit: FloatArray
    discharge_limit: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    initial_level: FloatArray
    discharge_cost: FloatArray
    inflow: FloatArray
    member_start: IntArray
    member: IntArray
    member_sign: FloatArray
    period: IntArray
    period_start: IntArray
    minimum: FloatArray
    maximum: FloatArray


def plant_groups(system: System) -> tuple[tuple[int, ...], ...]:
    """Plants that are one segment: same zone, same constant cost, in the same budgets."""
    bound: dict[str, tuple[str, ...]] = {}
    for budget in system.budgets:
        for member in budget.members:
            bound[member] = (*bound.get(member, ()), budget.name)
    groups: list[list[int]] = []
    found: dict[tuple[str, float, tuple[str, ...]], int] = {}
    for index, plant in enumerate(system.plants):
        if isinstance(plant.cost, np.ndarray):
            groups.append([index])
            continue
        key = plant.zone, float(plant.cost), bound.get(plant.name, ())
        group = found.setdefault(key, len(groups))
        if group == len(groups):
            groups.append([index])
        else:
            groups[group].append(index)
    return tuple(tuple(members) for members in groups)


def _room(plants: Sequence[tuple[Plant, FloatArray | None]]) -> Hourly:
    """What the plants can give above their minima together."""
    total: Hourly = 0.0
    for plant, least in plants:
        total = total + (plant.available if least is None else plant.available - least)
    return total


def to_arrays(system: System, bids: Sequence[Bid]) -> Arrays:
    """The arrays of a system and the bids that are cleared with it."""
    hours = system.hour_count
    order = {zone: index for index, zone in enumerate(system.zones)}
    groups = plant_groups(system)
    need = np.array(system.demand)
    least = tuple(
        least_output(plant, hours) if isinstance(plant.minimum, np.ndarray) or plant.minimum != 0.0 else None
        for plant in system.plants
    )
    for plant, amount in zip(system.plants, least, strict=True):
        if amount is not None:
            need[:, order[plant.zone]] -= amount
    for bid in bids:
        need[:, order[bid.zone]] += bid.quantity
    first = [system.plants[members[0]] for members in groups]
    members = [[(system.plants[index], least[index]) for index in group] for group in groups]
    arcs = _arcs(system, order, hours)
    return Arrays(
        hours=hours,
        zones=len(system.zones),
        need=need,
        unserved_cost=system.value_of_lost_load,
        unserved_limit=system.demand,
        disposal_cost=system.disposal_cost,
        zone=np.array(
            [order[zone] for zone in (*(plant.zone for plant in first), *(bid.zone for bid in bids))],
            dtype=np.int64,
        ),
        cost=_table([*(plant.cost for plant in first), *(bid.value for bid in bids)], hours),
        width=_table([*(_room(each) for each in members), *(bid.quantity for bid in bids)], hours),
        groups=groups,
        least=least,
        **arcs,
        **_stores(system, order, hours),
        **_budgets(system, bids, groups, least),
    )


def _arcs(system: System, order: dict[str, int], hours: int) -> dict[str, Any]:
    rows: list[tuple[int, int, float, float, Hourly, Hourly, int, float]] = []
    for index, line in enumerate(system.corridors):
        start, end = order[line.from_zone], order[line.to_zone]
        if line.loss == 0.0 and line.cost == 0.0:
            rows.append((start, end, 1.0, 0.0, -line.backward_limit, line.forward_limit, index, 1.0))
            continue
        keep = 1.0 - line.loss
        rows.append((start, end, keep, line.cost, 0.0, line.forward_limit, index, 1.0))
        rows.append((end, start, keep, line.cost, 0.0, line.backward_limit, index, -1.0))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    return {
        "tail": np.array(columns[0], dtype=np.int64),
        "head": np.array(columns[1], dtype=np.int64),
        "keep": np.array(columns[2], dtype=np.float64),
        "arc_cost": np.array(columns[3], dtype=np.float64),
        "low": _table(columns[4], hours),
        "high": _table(columns[5], hours),
        "corridor": np.array(columns[6], dtype=np.int64),
        "direction": np.array(columns[7], dtype=np.float64),
    }


def _stores(system: System, order: dict[str, int], hours: int) -> dict[str, Any]:
    def each(name: str) -> FloatArray:
        return np.array([getattr(store, name) for store in system.stores], dtype=np.float64)

    names = (
        "energy_limit",
        "charge_limit",
        "discharge_limit",
        "charge_efficiency",
        "discharge_efficiency",
        "discharge_cost",
    )
    inflow = np.zeros((len(system.stores), hours))
    for index, store in enumerate(system.stores):
        inflow[index] = store.inflow
    return {name: each(name) for name in names} | {
        "store_zone": np.array([order[store.zone] for store in system.stores], dtype=np.int64),
        "initial_level": np.array(
            [np.nan if store.initial_level is None else store.initial_level for store in system.stores]
        ),
        "inflow": inflow,
    }


def _budgets(
    system: System,
    bids: Sequence[Bid],
    groups: Sequence[Sequence[int]],
    least: Sequence[FloatArray | None],
) -> dict[str, Any]:
    hours = system.hour_count
    segment = {system.plants[index].name: at for at, group in enumerate(groups) for index in group}
    plants = {plant.name: amount for plant, amount in zip(system.plants, least, strict=True)}
    segment |= {bid.name: len(groups) + index for index, bid in enumerate(bids)}
    quantity = {bid.name: bid.quantity for bid in bids}
    start, member, sign = [0], list[int](), list[float]()
    period = np.zeros((len(system.budgets), hours), dtype=np.int64)
    limits: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    period_start = [0]
    for index, budget in enumerate(system.budgets):
        period[index] = budget.period
        fixed = np.zeros(hours)
        for name in budget.members:
            is_plant = name in plants
            if segment[name] not in member[start[-1] :]:
                member.append(segment[name])
                sign.append(1.0 if is_plant else -1.0)
            amount = plants[name] if is_plant else quantity[name]
            if amount is not None:
                fixed += amount
        start.append(len(member))
        constant = np.bincount(budget.period, fixed, int(budget.period[-1]) + 1)
        limits[0].append(np.asarray(budget.minimum) - constant)
        limits[1].append(np.asarray(budget.maximum) - constant)
        period_start.append(period_start[-1] + len(constant))
    return {
        "member_start": np.array(start, dtype=np.int64),
        "member": np.array(member, dtype=np.int64),
        "member_sign": np.array(sign, dtype=np.float64),
        "period": period,
        "period_start": np.array(period_start, dtype=np.int64),
        "minimum": np.concatenate([np.zeros(0), *limits[0]]),
        "maximum": np.concatenate([np.zeros(0), *limits[1]]),
    }
