"""The reference engine: one linear programme in HiGHS, updated in place from block to block.

Minimise   sum of cost x dispatch + value of lost load x unserved + disposal cost x dumped
           + cost x sent + cost x discharge - value x accepted     [USD]
subject to, in every zone and hour,
    dispatch + discharge + unserved - dumped + arriving - sent - charge - accepted = demand   [MW]
the limits of every plant, corridor, store and energy budget, and around every cycle of corridors with a
reactance the sum of reactance x flow = 0 (Kirchhoff's voltage law, the DC power flow). The price is the dual
of the balance: the cost of one more MWh of demand there and then (Schweppe et al., Spot Pricing of
Electricity, 1988).

Plants of one zone with the same cost and no budget are one column; what they give together is shared in
proportion to the headroom of each, which is one of the equally cheap dispatches.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penstock.errors import SolverError

from .arrays import least_output
from .assembly import (
    Columns,
    blocks,
    column_bounds,
    columns_of,
    matrix,
    row_bounds,
    signature_of,
)
from .bid import Bid
from .kirchhoff import cycles
from .limits import check_budgets, diagnose
from .optimiser import Model
from .solution import Solution
from .system import FloatArray, System, hour_series

__all__ = ["Solution", "blocks", "diagnose", "solve"]


def solve(system: System, bids: Sequence[Bid]) -> Solution:
    """Least-cost clearing of every hour. Raises InfeasibleError or SolverError naming the hours."""
    check_budgets(system, bids)
    columns = columns_of(system, bids)
    hours = system.hour_count
    values = np.zeros((hours, columns.per_hour))
    duals = _Duals(system)
    model = Model()
    for start, stop in blocks(system):
        bounds = column_bounds(system, bids, columns, start, stop)
        rows = row_bounds(system, start, stop)
        signature = signature_of(system, start, stop)
        if signature == model.signature:
            model.update(bounds, rows)
        else:
            entries, count = matrix(system, bids, columns, start, stop - start)
            if count != len(rows[0]):
                raise SolverError(
                    f"the model has {count} rows but {len(rows[0])} limits: a fault of Penstock"
                )
            model.build(entries, bounds, rows)
            model.signature = signature
        where = f"hours {system.hours[start]}Z to {system.hours[stop - 1]}Z"
        optimum = model.run(where)
        if optimum is None:
            raise diagnose(system, bids)
        solved, dual = optimum
        values[start:stop] = solved.reshape(stop - start, columns.per_hour)
        duals.add(dual, start, stop)
    return _unpack(system, columns, values, duals)


class _Duals:
    """The rows' duals of each block, in the order of `matrix`, gathered for the whole horizon."""

    def __init__(self, system: System) -> None:
        hours = system.hour_count
        self._system = system
        self._cycles = cycles(system)
        self.price = np.zeros((hours, len(system.zones)))
        self.water_value = np.zeros((hours, len(system.stores)))
        self.budget_price = tuple(np.zeros(int(budget.period[-1]) + 1) for budget in system.budgets)
        self.line_price = np.zeros((hours, len(system.corridors))) if self._cycles else None

    def add(self, dual: FloatArray, start: int, stop: int) -> None:
        hours, zones = stop - start, self.price.shape[1]
        self.price[start:stop] = dual[: hours * zones].reshape(hours, zones)
        at = hours * zones
        for index in range(self.water_value.shape[1]):
            self.water_value[start:stop, index] = -dual[at : at + hours]
            at += hours
        for cycle in self._cycles:
            for index, coefficient in cycle:
                if self.line_price is not None:
                    self.line_price[start:stop, index] -= coefficient * dual[at : at + hours]
            at += hours
        for budget, price in zip(self._system.budgets, self.budget_price, strict=True):
            first, last = int(budget.period[start]), int(budget.period[stop - 1]) + 1
            price[first:last] = -dual[at : at + last - first]
            at += last - first


def _unpack(system: System, columns: Columns, values: FloatArray, duals: _Duals) -> Solution:
    dispatch = np.zeros((len(values), len(system.plants)))
    for group, members in enumerate(columns.groups):
        total = values[:, group]
        if len(members) == 1:
            dispatch[:, members[0]] = total
            continue
        plants = [system.plants[index] for index in members]
        low = np.stack([least_output(plant, len(values)) for plant in plants], axis=1)
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
        price=duals.price,
        price_low=duals.price,
        price_high=duals.price,
        water_value=duals.water_value,
        budget_price=duals.budget_price,
        line_price=duals.line_price,
    )
