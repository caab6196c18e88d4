"""The linear programme of a block of hours: where its variables stand, their limits, its coefficients.

Columns run hour by hour; within an hour they stand as `Columns` says. Rows are the balances of every hour
and zone, the levels of each store, Kirchhoff's law around each cycle, then the energy budgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import highspy
import numpy as np
import numpy.typing as npt

from .arrays import least_output
from .bid import Bid
from .kirchhoff import cycles
from .system import FloatArray, IntArray, System, hour_series

__all__ = [
    "Columns",
    "Entries",
    "blocks",
    "column_bounds",
    "columns_of",
    "matrix",
    "row_bounds",
    "signature_of",
]

_DAY = 24
_INFINITY = highspy.kHighsInf


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each kind of variable stands within an hour's columns, and the plants behind each group."""

    groups: tuple[tuple[int, ...], ...]
    group_of: dict[str, int]
    plants: int
    bids: int
    corridors: int
    zones: int
    stores: int

    @property
    def first_bid(self) -> int:
        """Where the bids start."""
        return self.plants

    @property
    def first_forward(self) -> int:
        """Where the corridors' forward flows start."""
        return self.first_bid + self.bids

    @property
    def first_backward(self) -> int:
        """Where the corridors' backward flows start."""
        return self.first_forward + self.corridors

    @property
    def first_unserved(self) -> int:
        """Where the zones' unserved energy start."""
        return self.first_backward + self.corridors

    @property
    def first_dumped(self) -> int:
        """Where the zones' dumped energy start."""
        return self.first_unserved + self.zones

    @property
    def first_charge(self) -> int:
        """Where the stores' charge start."""
        return self.first_dumped + self.zones

    @property
    def first_discharge(self) -> int:
        """Where the stores' discharge start."""
        return self.first_charge + self.stores

    @property
    def first_level(self) -> int:
        """Where the stores' levels start."""
        return self.first_discharge + self.stores

    @property
    def first_spill(self) -> int:
        """Where the stores' spill start."""
        return self.first_level + self.stores

    @property
    def per_hour(self) -> int:
        """Columns of an hour."""
        return self.first_spill + self.stores


def blocks(system: System) -> list[tuple[int, int]]:
    """Spans of hours [start, stop) that nothing binds together.

    A day where there are no stores and no budgets; else the shortest spans that cut no budget's period;
    the whole horizon where there are stores.
    """
    hours = system.hour_count
    if system.stores:
        return [(0, hours)]
    if not system.budgets:
        return [(start, min(start + _DAY, hours)) for start in range(0, hours, _DAY)]
    joined = np.zeros(hours - 1, dtype=bool)
    for budget in system.budgets:
        joined |= np.diff(budget.period) == 0
    cuts = [0, *(int(cut) + 1 for cut in np.flatnonzero(~joined)), hours]
    return [(start, stop) for start, stop in pairwise(cuts) if stop > start]


def columns_of(system: System, bids: Sequence[Bid]) -> Columns:
    """Where each variable stands; plants of one zone and one cost that no budget names share a column."""
    bound = {member for budget in system.budgets for member in budget.members}
    groups: list[list[int]] = []
    found: dict[tuple[str, float], int] = {}
    for index, plant in enumerate(system.plants):
        if plant.name in bound or isinstance(plant.cost, np.ndarray):
            groups.append([index])
            continue
        key = (plant.zone, float(plant.cost))
        if key in found:
            groups[found[key]].append(index)
        else:
            found[key] = len(groups)
            groups.append([index])
    group_of = {system.plants[index].name: group for group, members in enumerate(groups) for index in members}
    return Columns(
        groups=tuple(tuple(members) for members in groups),
        group_of=group_of,
        plants=len(groups),
        bids=len(bids),
        corridors=len(system.corridors),
        zones=len(system.zones),
        stores=len(system.stores),
    )


def column_bounds(
    system: System, bids: Sequence[Bid], columns: Columns, start: int, stop: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cost, lower and upper bound of every column of a block, each of shape (hours, columns)."""
    span, all_hours = slice(start, stop), system.hour_count
    hours = stop - start
    cost, low, high = (np.zeros((hours, columns.per_hour)) for _ in range(3))
    for group, members in enumerate(columns.groups):
        plants = [system.plants[index] for index in members]
        cost[:, group] = hour_series(plants[0].cost, all_hours)[span]
        low[:, group] = sum(least_output(plant, all_hours)[span] for plant in plants)
        high[:, group] = sum(hour_series(plant.available, all_hours)[span] for plant in plants)
    for index, bid in enumerate(bids):
        column = columns.first_bid + index
        cost[:, column] = -hour_series(bid.value, all_hours)[span]
        high[:, column] = hour_series(bid.quantity, all_hours)[span]
    for index, corridor in enumerate(system.corridors):
        high[:, columns.first_forward + index] = hour_series(corridor.forward_limit, all_hours)[span]
        high[:, columns.first_backward + index] = hour_series(corridor.backward_limit, all_hours)[span]
        cost[:, [columns.first_forward + index, columns.first_backward + index]] = corridor.cost
    unserved = slice(columns.first_unserved, columns.first_dumped)
    if np.isfinite(system.value_of_lost_load):
        cost[:, unserved] = system.value_of_lost_load
        high[:, unserved] = system.demand[span]
    if np.isfinite(system.disposal_cost):
        cost[:, columns.first_dumped : columns.first_charge] = system.disposal_cost
        high[:, columns.first_dumped : columns.first_charge] = _INFINITY
    for index, store in enumerate(system.stores):
        high[:, columns.first_charge + index] = store.charge_limit
        high[:, columns.first_discharge + index] = store.discharge_limit
        cost[:, columns.first_discharge + index] = store.discharge_cost
        high[:, columns.first_level + index] = store.energy_limit
        high[:, columns.first_spill + index] = hour_series(store.inflow, all_hours)[span]
    return cost, low, high


class Entries:
    """Coefficients of the constraint matrix, gathered as triplets."""

    def __init__(self) -> None:
        self.rows: list[IntArray] = []
        self.columns: list[IntArray] = []
        self.values: list[FloatArray] = []

    def add(self, rows: IntArray, columns: IntArray, value: float) -> None:
        """The same `value` at each pair of row and column."""
        self.rows.append(np.asarray(rows, dtype=np.int64))
        self.columns.append(np.asarray(columns, dtype=np.int64))
        self.values.append(np.full(len(rows), value))

    def by_column(
        self, count: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Start of each of `count` columns, rows and values in that order."""
        rows, columns = np.concatenate(self.rows), np.concatenate(self.columns)
        order = np.lexsort((rows, columns))
        starts = np.zeros(count + 1, dtype=np.int32)
        starts[1:] = np.cumsum(np.bincount(columns, minlength=count))
        return starts, rows[order].astype(np.int32), np.concatenate(self.values)[order]


def matrix(
    system: System, bids: Sequence[Bid], columns: Columns, start: int, hours: int
) -> tuple[Entries, int]:
    """Coefficients of a block and its number of rows: balances, stores, cycles, then budgets."""
    entries, zones = Entries(), columns.zones
    base = np.arange(hours) * columns.per_hour
    row = np.arange(hours) * zones
    order = {zone: index for index, zone in enumerate(system.zones)}
    for group, members in enumerate(columns.groups):
        entries.add(row + order[system.plants[members[0]].zone], base + group, 1.0)
    for index, bid in enumerate(bids):
        entries.add(row + order[bid.zone], base + columns.first_bid + index, -1.0)
    for index, corridor in enumerate(system.corridors):
        ends = order[corridor.from_zone], order[corridor.to_zone]
        for first, (sender, receiver) in (
            (columns.first_forward, ends),
            (columns.first_backward, ends[::-1]),
        ):
            entries.add(row + sender, base + first + index, -1.0)
            entries.add(row + receiver, base + first + index, 1.0 - corridor.loss)
    for zone in range(zones):
        entries.add(row + zone, base + columns.first_unserved + zone, 1.0)
        entries.add(row + zone, base + columns.first_dumped + zone, -1.0)
    count = hours * zones
    for index, store in enumerate(system.stores):
        zone = order[store.zone]
        entries.add(row + zone, base + columns.first_charge + index, -1.0)
        entries.add(row + zone, base + columns.first_discharge + index, 1.0)
        rows = count + np.arange(hours)
        cyclic = store.initial_level is None
        if hours > 1 or not cyclic:  # else the level before and after are one and cancel
            entries.add(rows, base + columns.first_level + index, 1.0)
        entries.add(rows, base + columns.first_spill + index, 1.0)
        entries.add(rows, base + columns.first_charge + index, -store.charge_efficiency)
        entries.add(rows, base + columns.first_discharge + index, 1.0 / store.discharge_efficiency)
        before = base[:-1] + columns.first_level + index
        entries.add(rows[1:], before, -1.0)
        if cyclic and hours > 1:
            entries.add(rows[:1], base[-1:] + columns.first_level + index, -1.0)
        count += hours
    for cycle in cycles(system):
        for index, coefficient in cycle:
            entries.add(count + np.arange(hours), base + columns.first_forward + index, coefficient)
            entries.add(count + np.arange(hours), base + columns.first_backward + index, -coefficient)
        count += hours
    names = {bid.name: columns.first_bid + index for index, bid in enumerate(bids)} | columns.group_of
    for budget in system.budgets:
        period = budget.period[start : start + hours]
        rows = count + (period - period[0])
        for member in budget.members:
            entries.add(rows, base + names[member], 1.0)
        count += int(period[-1] - period[0]) + 1
    return entries, count


def row_bounds(system: System, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
    """Least and most of every row of a block, each of shape (rows,), in the order of `matrix`."""
    low, high = [system.demand[start:stop].ravel()], [system.demand[start:stop].ravel()]
    for store in system.stores:
        inflow = hour_series(store.inflow, system.hour_count)[start:stop].copy()
        inflow[0] += store.initial_level or 0.0
        low.append(inflow)
        high.append(inflow)
    around = np.zeros(len(cycles(system)) * (stop - start))
    low.append(around)
    high.append(around)
    for budget in system.budgets:
        first, last = int(budget.period[start]), int(budget.period[stop - 1])
        low.append(np.asarray(budget.minimum)[first : last + 1])
        high.append(np.asarray(budget.maximum)[first : last + 1])
    return np.concatenate(low), np.concatenate(high)


def signature_of(system: System, start: int, stop: int) -> tuple[int, ...]:
    """What must agree for two blocks to share one model: the length, and how the budgets divide it."""
    shape = [stop - start]
    for budget in system.budgets:
        period = budget.period[start:stop]
        shape.extend(int(cut) for cut in np.flatnonzero(np.diff(period)))
        shape.append(-1)
    return tuple(shape)
