"""The reference engine: one linear programme in HiGHS, updated in place from block to block.

Minimise   sum of cost x dispatch + value of lost load x unserved - value x accepted     [USD]
subject to, in every zone and hour,
    dispatch + discharge + unserved - dumped + arriving - sent - charge - accepted = demand   [MW]
and the limits of every plant, corridor, store and energy budget. The price is the dual of the balance:
the cost of one more MWh of demand there and then (Schweppe et al., Spot Pricing of Electricity, 1988).

Plants of one zone with the same cost and no budget are one column; what they give together is shared in
proportion to the headroom of each, which is one of the equally cheap dispatches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import highspy
import numpy as np
import numpy.typing as npt

from penstock.errors import Fault, InfeasibleError, SolverError

from .bid import Bid
from .system import EnergyBudget, FloatArray, IntArray, Plant, System, hour_series

__all__ = ["Solution", "blocks", "solve"]

_DAY = 24
_GAP_TOLERANCE = 1e-7
_INFINITY = highspy.kHighsInf


@dataclass(frozen=True, slots=True)
class Solution:
    """Raw arrays of an optimum, in the order of the system's labels; see `Clearing` for shapes and units."""

    dispatch: FloatArray
    accepted: FloatArray
    forward: FloatArray
    backward: FloatArray
    unserved: FloatArray
    dumped: FloatArray
    charge: FloatArray
    discharge: FloatArray
    level: FloatArray
    spill: FloatArray
    price: FloatArray


@dataclass(frozen=True, slots=True)
class _Columns:
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
        return self.plants

    @property
    def first_forward(self) -> int:
        return self.first_bid + self.bids

    @property
    def first_backward(self) -> int:
        return self.first_forward + self.corridors

    @property
    def first_unserved(self) -> int:
        return self.first_backward + self.corridors

    @property
    def first_dumped(self) -> int:
        return self.first_unserved + self.zones

    @property
    def first_charge(self) -> int:
        return self.first_dumped + self.zones

    @property
    def first_discharge(self) -> int:
        return self.first_charge + self.stores

    @property
    def first_level(self) -> int:
        return self.first_discharge + self.stores

    @property
    def first_spill(self) -> int:
        return self.first_level + self.stores

    @property
    def per_hour(self) -> int:
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


def _columns(system: System, bids: Sequence[Bid]) -> _Columns:
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
    return _Columns(
        groups=tuple(tuple(members) for members in groups),
        group_of=group_of,
        plants=len(groups),
        bids=len(bids),
        corridors=len(system.corridors),
        zones=len(system.zones),
        stores=len(system.stores),
    )


def _bounds(
    system: System, bids: Sequence[Bid], columns: _Columns, start: int, stop: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cost, lower and upper bound of every column of a block, each of shape (hours, columns)."""
    span, all_hours = slice(start, stop), system.hour_count
    hours = stop - start
    cost, low, high = (np.zeros((hours, columns.per_hour)) for _ in range(3))
    for group, members in enumerate(columns.groups):
        plants = [system.plants[index] for index in members]
        cost[:, group] = hour_series(plants[0].cost, all_hours)[span]
        low[:, group] = sum(_minimum(plant, all_hours)[span] for plant in plants)
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


def _minimum(plant: Plant, hours: int) -> FloatArray:
    """Least output, never above what is available (rounding apart they agree by construction)."""
    return np.minimum(hour_series(plant.minimum, hours), hour_series(plant.available, hours))


class _Entries:
    """Coefficients of the constraint matrix, gathered as triplets."""

    def __init__(self) -> None:
        self.rows: list[IntArray] = []
        self.columns: list[IntArray] = []
        self.values: list[FloatArray] = []

    def add(self, rows: IntArray, columns: IntArray, value: float) -> None:
        self.rows.append(np.asarray(rows, dtype=np.int64))
        self.columns.append(np.asarray(columns, dtype=np.int64))
        self.values.append(np.full(len(rows), value))

    def by_column(
        self, count: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        rows, columns = np.concatenate(self.rows), np.concatenate(self.columns)
        order = np.lexsort((rows, columns))
        starts = np.zeros(count + 1, dtype=np.int32)
        starts[1:] = np.cumsum(np.bincount(columns, minlength=count))
        return starts, rows[order].astype(np.int32), np.concatenate(self.values)[order]


def _matrix(
    system: System, bids: Sequence[Bid], columns: _Columns, start: int, hours: int
) -> tuple[_Entries, int]:
    """Coefficients of a block and its number of rows: balances, then stores, then budgets."""
    entries, zones = _Entries(), columns.zones
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
    names = {bid.name: columns.first_bid + index for index, bid in enumerate(bids)} | columns.group_of
    for budget in system.budgets:
        period = budget.period[start : start + hours]
        rows = count + (period - period[0])
        for member in budget.members:
            entries.add(rows, base + names[member], 1.0)
        count += int(period[-1] - period[0]) + 1
    return entries, count


def _row_bounds(system: System, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
    low, high = [system.demand[start:stop].ravel()], [system.demand[start:stop].ravel()]
    for store in system.stores:
        inflow = hour_series(store.inflow, system.hour_count)[start:stop].copy()
        inflow[0] += store.initial_level or 0.0
        low.append(inflow)
        high.append(inflow)
    for budget in system.budgets:
        first, last = int(budget.period[start]), int(budget.period[stop - 1])
        low.append(np.asarray(budget.minimum)[first : last + 1])
        high.append(np.asarray(budget.maximum)[first : last + 1])
    return np.concatenate(low), np.concatenate(high)


def _signature(system: System, start: int, stop: int) -> tuple[int, ...]:
    """What must agree for two blocks to share one model: the length, and how the budgets divide it."""
    shape = [stop - start]
    for budget in system.budgets:
        period = budget.period[start:stop]
        shape.extend(int(cut) for cut in np.flatnonzero(np.diff(period)))
        shape.append(-1)
    return tuple(shape)


def _check_budgets(system: System, bids: Sequence[Bid]) -> None:
    """Raise InfeasibleError naming every budget that its members cannot meet even at full or least output."""
    hours = system.hour_count
    most = {plant.name: hour_series(plant.available, hours) for plant in system.plants}
    least = {plant.name: _minimum(plant, hours) for plant in system.plants}
    for bid in bids:
        most[bid.name], least[bid.name] = hour_series(bid.quantity, hours), np.zeros(hours)
    faults = []
    for budget in system.budgets:
        faults.extend(_budget_clashes(system, budget, most, least))
    if faults:
        raise InfeasibleError(faults)


def _budget_clashes(
    system: System, budget: EnergyBudget, most: dict[str, FloatArray], least: dict[str, FloatArray]
) -> list[Fault]:
    faults = []
    count = int(budget.period[-1]) + 1
    highest = np.bincount(budget.period, sum(most[name] for name in budget.members), count)
    lowest = np.bincount(budget.period, sum(least[name] for name in budget.members), count)
    minimum, maximum = np.asarray(budget.minimum), np.asarray(budget.maximum)
    for period in range(count):
        span = np.flatnonzero(budget.period == period)
        where = f"hours {system.hours[span[0]]}Z to {system.hours[span[-1]]}Z"
        slack = 1e-6 * max(1.0, highest[period])
        if minimum[period] > highest[period] + slack:
            faults.append(
                Fault(
                    f"energy budget {budget.name}, {where}",
                    f"asks for at least {minimum[period]:g} MWh, but its members can give at most "
                    f"{highest[period]:g} MWh",
                    "lower the minimum or raise the availability of its members",
                    column="minimum",
                    value=f"{minimum[period]:g}",
                )
            )
        if maximum[period] < lowest[period] - slack:
            faults.append(
                Fault(
                    f"energy budget {budget.name}, {where}",
                    f"allows at most {maximum[period]:g} MWh, but its members must give at least "
                    f"{lowest[period]:g} MWh",
                    "raise the maximum or lower the minimum output of its members",
                    column="maximum",
                    value=f"{maximum[period]:g}",
                )
            )
    return faults


class _Model:
    """One HiGHS model that is built once per block shape and updated in place."""

    def __init__(self) -> None:
        # The compiled class itself: its Python wrapper prints a banner on standard output when it is made.
        self.highs = highspy._core._Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("primal_feasibility_tolerance", 1e-9)
        self.highs.setOptionValue("dual_feasibility_tolerance", 1e-9)
        self.signature: tuple[int, ...] | None = None
        nothing = np.zeros(0)
        self._bounds: tuple[FloatArray, FloatArray, FloatArray] = (nothing, nothing, nothing)
        self._rows: tuple[FloatArray, FloatArray] = (nothing, nothing)

    def build(
        self,
        entries: _Entries,
        bounds: tuple[FloatArray, FloatArray, FloatArray],
        rows: tuple[FloatArray, FloatArray],
    ) -> None:
        cost, low, high = (part.ravel() for part in bounds)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(cost), len(rows[0])
        model.col_cost_, model.col_lower_, model.col_upper_ = cost, low, high
        model.row_lower_, model.row_upper_ = rows
        starts, indices, values = entries.by_column(len(cost))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = starts
        model.a_matrix_.index_ = indices
        model.a_matrix_.value_ = values
        if self.highs.passModel(model) == highspy.HighsStatus.kError:
            raise SolverError("HiGHS refused the model: a fault of Penstock; report it with the system")
        self._bounds, self._rows = (cost, low, high), rows

    def update(
        self, bounds: tuple[FloatArray, FloatArray, FloatArray], rows: tuple[FloatArray, FloatArray]
    ) -> None:
        cost, low, high = (part.ravel() for part in bounds)
        columns = np.arange(len(cost), dtype=np.int32)
        self.highs.changeColsCost(len(cost), columns, cost)
        self.highs.changeColsBounds(len(cost), columns, low, high)
        for row, (least, most) in enumerate(zip(*rows, strict=True)):
            self.highs.changeRowBounds(row, least, most)
        self._bounds, self._rows = (cost, low, high), rows

    def run(self, where: str) -> tuple[FloatArray, FloatArray]:
        """Solve; a hot start whose primal and dual objectives disagree is solved again from cold."""
        self.highs.run()
        if self._doubtful():
            self.highs.clearSolver()
            self.highs.run()
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise InfeasibleError(
                Fault(
                    where,
                    "no dispatch meets all energy budgets and store levels together",
                    "loosen the budgets or the stores' levels; each alone can be met",
                )
            )
        if status != highspy.HighsModelStatus.kOptimal or self._doubtful():
            raise SolverError(
                Fault(
                    where,
                    f"HiGHS ended with {self.highs.modelStatusToString(status)!r}",
                    "check the system for costs or limits of very different size",
                )
            )
        solution = self.highs.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual)

    def _doubtful(self) -> bool:
        """True unless the status is proven: infeasible, or optimal with weak duality closing the gap."""
        status = self.highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            return bool(status != highspy.HighsModelStatus.kInfeasible)
        solution = self.highs.getSolution()
        cost, low, high = self._bounds
        objective = float(np.dot(cost, np.array(solution.col_value)))
        bound = _dual_part(np.array(solution.row_dual), *self._rows)
        bound += _dual_part(np.array(solution.col_dual), low, high)
        return abs(objective - bound) > _GAP_TOLERANCE * max(1.0, abs(objective))


def _dual_part(dual: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """What the limits contribute to the dual objective at these duals: the limit that each pushes against."""
    pushed = np.where(dual > 0, low, high)
    # A dual within HiGHS's tolerance of zero may stand at a limit that is infinite.
    pushed = np.where(np.abs(dual) < 1e-8, np.clip(pushed, -1e9, 1e9), pushed)
    return float(np.dot(dual, pushed))


def solve(system: System, bids: Sequence[Bid]) -> Solution:
    """Least-cost clearing of every hour. Raises InfeasibleError or SolverError naming the hours."""
    _check_budgets(system, bids)
    columns = _columns(system, bids)
    hours = system.hour_count
    values = np.zeros((hours, columns.per_hour))
    price = np.zeros((hours, columns.zones))
    model = _Model()
    for start, stop in blocks(system):
        bounds = _bounds(system, bids, columns, start, stop)
        rows = _row_bounds(system, start, stop)
        signature = _signature(system, start, stop)
        if signature == model.signature:
            model.update(bounds, rows)
        else:
            entries, count = _matrix(system, bids, columns, start, stop - start)
            if count != len(rows[0]):
                raise SolverError(
                    f"the model has {count} rows but {len(rows[0])} limits: a fault of Penstock"
                )
            model.build(entries, bounds, rows)
            model.signature = signature
        where = f"hours {system.hours[start]}Z to {system.hours[stop - 1]}Z"
        solved, duals = model.run(where)
        values[start:stop] = solved.reshape(stop - start, columns.per_hour)
        price[start:stop] = duals[: (stop - start) * columns.zones].reshape(stop - start, columns.zones)
    return _unpack(system, columns, values, price)


def _unpack(system: System, columns: _Columns, values: FloatArray, price: FloatArray) -> Solution:
    dispatch = np.zeros((len(values), len(system.plants)))
    for group, members in enumerate(columns.groups):
        total = values[:, group]
        if len(members) == 1:
            dispatch[:, members[0]] = total
            continue
        plants = [system.plants[index] for index in members]
        low = np.stack([_minimum(plant, len(values)) for plant in plants], axis=1)
        room = np.stack([hour_series(plant.available, len(values)) for plant in plants], axis=1) - low
        whole = room.sum(axis=1)
        used = np.divide(total - low.sum(axis=1), whole, out=np.zeros_like(whole), where=whole > 0)
        dispatch[:, list(members)] = low + room * used[:, None]

    def part(first: int, count: int) -> FloatArray:
        return values[:, first : first + count].copy()

    return Solution(
        dispatch=dispatch,
        accepted=part(columns.first_bid, columns.bids),
        forward=part(columns.first_forward, columns.corridors),
        backward=part(columns.first_backward, columns.corridors),
        unserved=part(columns.first_unserved, columns.zones),
        dumped=part(columns.first_dumped, columns.zones),
        charge=part(columns.first_charge, columns.stores),
        discharge=part(columns.first_discharge, columns.stores),
        level=part(columns.first_level, columns.stores),
        spill=part(columns.first_spill, columns.stores),
        price=price,
    )
