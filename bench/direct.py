"""HiGHS called directly, as well as we can: one array-level model per shape of block, updated in place.

Written apart from the package's own reference engine, so that each checks the other. It keeps the objective
and the prices only. What makes it fast: plants that are alike are one column, a lossless corridor is one
column, energy that is left over and water that is spilled are ranges of a row and no columns, and from
block to block only the limits that change are passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import highspy
import numpy as np

from penstock.market import Plant, System, hour_series
from penstock.market.system import FloatArray, IntArray

from .systems import Market

_Basis = tuple[list[Any], list[Any]]
__all__ = ["VARIANTS", "Optimum", "Variant", "solve", "variants_for"]

_INFINITY = highspy.kHighsInf


@dataclass(frozen=True)
class Variant:
    """A way to call HiGHS.

    block: hours per model; 0 takes the shortest spans that nothing binds together.
    options: HiGHS options beside one thread and no output.
    from_free: begin at the optimal basis of every hour cleared without stores and budgets, which is feasible
        for the dual simplex.
    """

    title: str
    block: int
    options: Mapping[str, str | int | float]
    from_free: bool = False


# "off" for presolve: a model that is updated keeps its basis, and presolve would throw it away.
_HOT: dict[str, str | int | float] = {"solver": "simplex", "presolve": "off"}
VARIANTS = {
    "hot-1": Variant("1-hour blocks, dual simplex, hot", 1, _HOT),
    "hot-6": Variant("6-hour blocks, dual simplex, hot", 6, _HOT),
    "hot-24": Variant("24-hour blocks, dual simplex, hot", 24, _HOT),
    "hot-168": Variant("168-hour blocks, dual simplex, hot", 168, _HOT),
    "hot-24-primal": Variant("24-hour blocks, primal simplex, hot", 24, {**_HOT, "simplex_strategy": 4}),
    "default-24": Variant("24-hour blocks, HiGHS's defaults", 24, {}),
    "span-hot": Variant("shortest free spans, dual simplex, hot", 0, _HOT),
    "span-free": Variant("shortest free spans, dual simplex from the free optimum", 0, _HOT, from_free=True),
    "span": Variant("shortest free spans, HiGHS's defaults", 0, {}),
    "span-primal": Variant(
        "shortest free spans, primal simplex", 0, {"solver": "simplex", "simplex_strategy": 4}
    ),
    "span-ipx": Variant(
        "shortest free spans, interior point, no crossover", 0, {"solver": "ipx", "run_crossover": "off"}
    ),
    "span-ipx-1e-4": Variant(
        "shortest free spans, interior point to 1e-5, no crossover",
        0,
        {"solver": "ipx", "run_crossover": "off", "ipm_optimality_tolerance": 1e-5},
    ),
}


@dataclass(frozen=True)
class Optimum:
    """objective: what the clearing minimises. [USD]; price: shape (hours, zones). [USD/MWh]"""

    objective: float
    price: FloatArray


@dataclass(frozen=True)
class _Column:
    """One variable of every hour: its limits and its coefficients in the balances, {zone: coefficient}."""

    cost: FloatArray
    low: FloatArray
    high: FloatArray
    balance: Mapping[int, float]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """All columns side by side, each of shape (hours, columns), and which of them change over the hours."""

    columns: Sequence[_Column]
    cost: FloatArray
    low: FloatArray
    high: FloatArray
    moving: IntArray
    repriced: IntArray
    moving_low: FloatArray
    moving_high: FloatArray
    moving_cost: FloatArray


def variants_for(market: Market) -> list[str]:
    """Names of the variants that fit a market: blocks of a fixed length need hours that nothing binds."""
    free = not (market.system.stores or market.system.budgets)
    return [name for name, variant in VARIANTS.items() if free == (variant.block > 0)]


def _groups(system: System) -> list[list[Plant]]:
    bound = {member for budget in system.budgets for member in budget.members}
    found: dict[tuple[Any, ...], list[Plant]] = {}
    for plant in system.plants:
        alone = plant.name in bound or isinstance(plant.cost, np.ndarray)
        found.setdefault((plant.name,) if alone else (plant.zone, plant.cost), []).append(plant)
    return list(found.values())


def _columns(market: Market, grouped: System) -> list[_Column]:
    """Columns of a market; plants that a budget of `grouped` names stay columns of their own."""
    system, hours = market.system, market.system.hour_count
    order = {zone: index for index, zone in enumerate(system.zones)}
    nothing = np.broadcast_to(0.0, hours)

    def series(values: float | FloatArray) -> FloatArray:
        return hour_series(values, hours)

    found = []
    for group in _groups(grouped):
        low = np.add.reduce([np.minimum(series(plant.minimum), series(plant.available)) for plant in group])
        high = np.add.reduce([series(plant.available) for plant in group])
        names = tuple(plant.name for plant in group)
        found.append(_Column(series(group[0].cost), low, high, {order[group[0].zone]: 1.0}, names))
    for bid in market.bids:
        cost, high = -series(bid.value), series(bid.quantity)
        found.append(_Column(cost, nothing, high, {order[bid.zone]: -1.0}, (bid.name,)))
    for line in system.corridors:
        start, end = order[line.from_zone], order[line.to_zone]
        forward, backward, cost = (
            series(line.forward_limit),
            series(line.backward_limit),
            series(line.cost),
        )
        if line.loss == 0.0 and line.cost == 0.0:
            found.append(_Column(cost, -backward, forward, {start: -1.0, end: 1.0}))
            continue
        found.append(_Column(cost, nothing, forward, {start: -1.0, end: 1.0 - line.loss}))
        found.append(_Column(cost, nothing, backward, {end: -1.0, start: 1.0 - line.loss}))
    if np.isfinite(system.value_of_lost_load):
        for zone in range(len(system.zones)):
            cost = series(system.value_of_lost_load)
            found.append(_Column(cost, nothing, system.demand[:, zone], {zone: 1.0}))
    if 0.0 < system.disposal_cost < np.inf:
        most = np.broadcast_to(_INFINITY, hours)
        found.extend(
            _Column(series(system.disposal_cost), nothing, most, {zone: -1.0})
            for zone in range(len(system.zones))
        )
    return found


def _store_columns(system: System) -> list[_Column]:
    """Charge, discharge and level of each store, in that order."""
    hours = system.hour_count
    nothing = np.broadcast_to(0.0, hours)
    found = []
    for store in system.stores:
        zone = int(system.zone_index([store.zone])[0])
        charge, discharge, level = (
            hour_series(limit, hours)
            for limit in (store.charge_limit, store.discharge_limit, store.energy_limit)
        )
        found.append(_Column(nothing, nothing, charge, {zone: -1.0}))
        found.append(_Column(hour_series(store.discharge_cost, hours), nothing, discharge, {zone: 1.0}))
        found.append(_Column(nothing, nothing, level, {}))
    return found


def _table(columns: Sequence[_Column], hours: int) -> _Table:
    cost, low, high = (np.empty((hours, len(columns))) for _ in range(3))
    for index, column in enumerate(columns):
        cost[:, index], low[:, index], high[:, index] = column.cost, column.low, column.high
    moving = np.flatnonzero((low != low[0]).any(axis=0) | (high != high[0]).any(axis=0))
    repriced = np.flatnonzero((cost != cost[0]).any(axis=0))
    return _Table(
        columns, cost, low, high, moving, repriced, low[:, moving], high[:, moving], cost[:, repriced]
    )


def _spans(system: System, block: int) -> list[tuple[int, int]]:
    hours = system.hour_count
    if block and not system.stores and not system.budgets:
        return [(start, min(start + block, hours)) for start in range(0, hours, block)]
    joined = np.full(hours - 1, bool(system.stores))
    for budget in system.budgets:
        joined |= np.diff(budget.period) == 0
    return list(pairwise([0, *(int(cut) + 1 for cut in np.flatnonzero(~joined)), hours]))


class _Triplets:
    """Coefficients of one model, gathered column by column."""

    def __init__(self) -> None:
        self.parts: list[tuple[IntArray, IntArray, FloatArray]] = []

    def add(self, rows: IntArray, columns: IntArray, value: float) -> None:
        self.parts.append((rows, columns, np.full(len(rows), value)))

    def put(self, model: Any, count: int) -> None:
        rows, columns, values = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        order = np.argsort(columns, kind="stable")
        starts = np.zeros(count + 1, dtype=np.int32)
        np.cumsum(np.bincount(columns, minlength=count), out=starts[1:])
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = starts
        model.a_matrix_.index_ = rows[order].astype(np.int32)
        model.a_matrix_.value_ = values[order]


def _model(system: System, table: _Table, start: int, hours: int) -> Any:
    """The linear programme of a block, without its row limits."""
    width, zones = len(table.columns), len(system.zones)
    clock, entries = np.arange(hours), _Triplets()
    for index, column in enumerate(table.columns):
        for zone, value in column.balance.items():
            entries.add(clock * zones + zone, clock * width + index, value)
    count, first = hours * zones, width - 3 * len(system.stores)
    for index, store in enumerate(system.stores):
        rows, base = count + clock, clock * width + first + 3 * index
        entries.add(rows, base, -store.charge_efficiency)
        entries.add(rows, base + 1, 1.0 / store.discharge_efficiency)
        entries.add(rows, base + 2, 1.0)
        entries.add(rows[1:], base[:-1] + 2, -1.0)
        if store.initial_level is None:
            entries.add(rows[:1], base[-1:] + 2, -1.0)
        count += hours
    place = {name: index for index, column in enumerate(table.columns) for name in column.names}
    for budget in system.budgets:
        period = budget.period[start : start + hours] - budget.period[start]
        for member in budget.members:
            entries.add(count + period, clock * width + place[member], 1.0)
        count += int(period[-1]) + 1
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = hours * width, count
    entries.put(model, hours * width)
    return model


def _row_limits(system: System, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
    demand = system.demand[start:stop].ravel()
    low, high = [demand], [np.full(demand.shape, _INFINITY) if system.disposal_cost == 0.0 else demand]
    for store in system.stores:
        inflow = hour_series(store.inflow, system.hour_count)[start:stop]
        before = np.zeros(stop - start)
        before[0] = store.initial_level or 0.0
        low.append(before)
        high.append(before + inflow)
    for budget in system.budgets:
        span = slice(int(budget.period[start]), int(budget.period[stop - 1]) + 1)
        low.append(np.asarray(budget.minimum)[span])
        high.append(np.asarray(budget.maximum)[span])
    return np.concatenate(low), np.concatenate(high)


def _solver(options: Mapping[str, str | int | float]) -> Any:
    # The compiled class itself: its Python wrapper prints a banner on standard output when it is made.
    highs = highspy._core._Highs()
    highs.resetGlobalScheduler(True)  # an earlier model of this process may have run with more threads
    for name, value in {"output_flag": False, "threads": 1, **options}.items():
        if highs.setOptionValue(name, value) == highspy.HighsStatus.kError:
            raise ValueError(f"HiGHS refuses {name} = {value!r}")
    return highs


def _indices(which: IntArray, hours: int, width: int) -> Any:
    return (np.arange(hours)[:, None] * width + which).ravel().astype(np.int32)


class _Block:
    """A HiGHS model that serves every block of one shape, and which of its limits change."""

    def __init__(self, options: Mapping[str, str | int | float]) -> None:
        self.highs = _solver(options)
        nothing = np.zeros(0, dtype=np.int32)
        self.rows = self.moving = self.repriced = nothing

    def build(self, system: System, table: _Table, start: int, stop: int) -> None:
        model = _model(system, table, start, stop - start)
        model.col_cost_ = table.cost[start:stop].ravel()
        model.col_lower_, model.col_upper_ = table.low[start:stop].ravel(), table.high[start:stop].ravel()
        model.row_lower_, model.row_upper_ = _row_limits(system, start, stop)
        if self.highs.passModel(model) == highspy.HighsStatus.kError:
            raise RuntimeError("HiGHS refused the model")
        self.rows = np.arange(model.num_row_, dtype=np.int32)
        self.moving = _indices(table.moving, stop - start, len(table.columns))
        self.repriced = _indices(table.repriced, stop - start, len(table.columns))

    def update(self, system: System, table: _Table, start: int, stop: int) -> None:
        self.highs.changeRowsBounds(len(self.rows), self.rows, *_row_limits(system, start, stop))
        low, high = table.moving_low[start:stop].ravel(), table.moving_high[start:stop].ravel()
        self.highs.changeColsBounds(len(self.moving), self.moving, low, high)
        if len(self.repriced):
            cost = table.moving_cost[start:stop].ravel()
            self.highs.changeColsCost(len(self.repriced), self.repriced, cost)

    def run(self) -> float:
        self.highs.run()
        status = self.highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {self.highs.modelStatusToString(status)!r}")
        return float(self.highs.getObjectiveValue())


def _free_basis(market: Market) -> _Basis:
    """Optimal basis of every hour as if there were neither stores nor budgets: columns and balances."""
    free = Market(replace(market.system, stores=(), budgets=()), market.bids)
    table = _table(_columns(free, market.system), market.system.hour_count)
    width, zones, columns, rows = len(table.columns), len(free.system.zones), [], []
    block: _Block | None = None
    for start, stop in _spans(free.system, 24):
        if block is None or len(block.rows) != (stop - start) * zones:
            block = _Block(_HOT)
            block.build(free.system, table, start, stop)
        else:
            block.update(free.system, table, start, stop)
        block.run()
        basis = block.highs.getBasis()
        column_status, row_status = basis.col_status, basis.row_status
        for hour in range(stop - start):
            columns.append(column_status[hour * width : (hour + 1) * width])
            rows.append(row_status[hour * zones : (hour + 1) * zones])
    return columns, rows


def _start_from(block: _Block, free: _Basis, system: System, start: int, stop: int) -> None:
    """Begin at the optimum of each hour alone: stores at rest, no store and no budget binding."""
    status = highspy.HighsBasisStatus
    idle = [status.kLower] * (3 * len(system.stores))
    basis = highspy.HighsBasis()
    basis.col_status = [each for hour in free[0][start:stop] for each in (*hour, *idle)]
    balances = [each for hour in free[1][start:stop] for each in hour]
    basis.row_status = balances + [status.kBasic] * (len(block.rows) - len(balances))
    basis.valid = True
    if block.highs.setBasis(basis) == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS refused the basis")


def solve(market: Market, variant: str | Variant) -> Optimum:
    """Clear every hour at least cost. RuntimeError where HiGHS does not end at an optimum."""
    chosen = VARIANTS[variant] if isinstance(variant, str) else variant
    system = market.system
    zones = len(system.zones)
    table = _table([*_columns(market, system), *_store_columns(system)], system.hour_count)
    free = _free_basis(market) if chosen.from_free else None
    price, objective = np.empty(system.demand.shape), 0.0
    blocks: dict[tuple[int, bytes], _Block] = {}
    for start, stop in _spans(system, chosen.block):
        periods = np.array([budget.period[start:stop] - budget.period[start] for budget in system.budgets])
        shape = (stop - start, periods.tobytes())
        if shape in blocks:
            block = blocks[shape]
            block.update(system, table, start, stop)
        else:
            block = blocks[shape] = _Block(chosen.options)
            block.build(system, table, start, stop)
        if free is not None:
            _start_from(block, free, system, start, stop)
        objective += block.run()
        duals = np.asarray(block.highs.getSolution().row_dual[: (stop - start) * zones])
        price[start:stop] = duals.reshape(stop - start, zones)
    return Optimum(objective, price)
