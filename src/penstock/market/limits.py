"""Limits that clash: energy budgets that cannot be met, and what is missing where nothing is feasible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import highspy
import numpy as np

from penstock.errors import Fault, InfeasibleError

from .arrays import least_output
from .assembly import blocks, column_bounds, columns_of, matrix, row_bounds
from .bid import Bid
from .optimiser import Model
from .system import EnergyBudget, FloatArray, System, hour_series

__all__ = ["check_budgets", "diagnose"]

#: Faults that one InfeasibleError lists; the rest are counted.
LISTED = 12
#: Less than this is rounding. [MW, MWh]
_SLACK = 1e-6


def check_budgets(system: System, bids: Sequence[Bid]) -> None:
    """Raise InfeasibleError naming every budget that its members cannot meet even at full or least output."""
    hours = system.hour_count
    bound = {member for budget in system.budgets for member in budget.members}
    plants = [plant for plant in system.plants if plant.name in bound]
    most = {plant.name: hour_series(plant.available, hours) for plant in plants}
    least = {plant.name: least_output(plant, hours) for plant in plants}
    for bid in bids:
        if bid.name in bound:
            most[bid.name], least[bid.name] = hour_series(bid.quantity, hours), np.zeros(hours)
    faults = []
    for budget in system.budgets:
        faults.extend(_budget_clashes(system, budget, most, least))
    if faults:
        raise InfeasibleError(_listed(faults))


def _listed(faults: list[Fault]) -> list[Fault]:
    """The first dozen faults, and how many there are more."""
    if len(faults) <= LISTED:
        return faults
    more = len(faults) - LISTED
    return [
        *faults[:LISTED],
        Fault("System", f"has {more} more zones, hours or budgets that clash", "mend those above first"),
    ]


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


def clashes(system: System, bids: Sequence[Bid]) -> list[Fault]:
    """The faults that `diagnose` finds; none where every hour can be met after all."""
    faults: list[Fault] = []
    for start, stop in blocks(system):
        faults.extend(_block_faults(system, bids, start, stop))
    return faults


def diagnose(system: System, bids: Sequence[Bid]) -> InfeasibleError:
    """Which limits clash, for a system that no dispatch satisfies.

    Every block of hours is solved for the least energy that has to be added or taken away where the system
    allows neither (value of lost load or disposal cost inf), and by which energy budgets have to give.
    Each such zone and hour, and each such budget, is a fault: at most a dozen are listed, then a count.
    """
    faults = clashes(system, bids)
    if not faults:
        faults.append(
            Fault(
                f"hours {system.hours[0]}Z to {system.hours[-1]}Z",
                f"no dispatch meets all limits to {_SLACK:g} MW, and none stands out",
                "check the system for limits of very different size",
            )
        )
    return InfeasibleError(_listed(faults))


def _block_faults(system: System, bids: Sequence[Bid], start: int, stop: int) -> Iterator[Fault]:
    """Faults of the hours [start, stop), from the least slack that makes them feasible."""
    hours, columns = stop - start, columns_of(system, bids)
    _, low, high = column_bounds(system, bids, columns, start, stop)
    cost = np.zeros_like(low)
    unserved = slice(columns.first_unserved, columns.first_dumped)
    dumped = slice(columns.first_dumped, columns.first_charge)
    for part, price in ((unserved, system.value_of_lost_load), (dumped, system.disposal_cost)):
        if not np.isfinite(price):
            cost[:, part], high[:, part] = 1.0, highspy.kHighsInf
    entries, count = matrix(system, bids, columns, start, hours)
    rows = row_bounds(system, start, stop)
    spans = [(budget, period) for budget in system.budgets for period in np.unique(budget.period[start:stop])]
    first, width = count - len(spans), hours * columns.per_hour
    for index in range(len(spans)):  # what is missing from a budget's minimum, what is over its maximum
        entries.add(np.array([first + index]), np.array([width + 2 * index]), 1.0)
        entries.add(np.array([first + index]), np.array([width + 2 * index + 1]), -1.0)
    extra = np.zeros(2 * len(spans))
    model = Model()
    model.build(
        entries,
        (
            np.concatenate([cost.ravel(), extra + 1.0]),
            np.concatenate([low.ravel(), extra]),
            np.concatenate([high.ravel(), extra + highspy.kHighsInf]),
        ),
        rows,
    )
    solved = model.run(f"hours {system.hours[start]}Z to {system.hours[stop - 1]}Z")
    if solved is None:
        return
    values = solved[0][:width].reshape(hours, columns.per_hour)
    level = values[:, columns.first_level : columns.first_spill]
    for price, part, describe in (
        (system.value_of_lost_load, unserved, _missing),
        (system.disposal_cost, dumped, _left_over),
    ):
        if not np.isfinite(price):
            for hour, zone in np.argwhere(values[:, part] > _SLACK):
                yield describe(
                    system, bids, start + int(hour), int(zone), values[hour, part][zone], level[hour]
                )
    yield from _budget_slack(system, spans, solved[0][width:])


def _budget_slack(
    system: System, spans: list[tuple[EnergyBudget, int]], slack: FloatArray
) -> Iterator[Fault]:
    for index, (budget, period) in enumerate(spans):
        span = np.flatnonzero(budget.period == period)
        place = f"energy budget {budget.name}, hours {system.hours[span[0]]}Z to {system.hours[span[-1]]}Z"
        for short, column, word in (
            (slack[2 * index], "minimum", "missing from"),
            (slack[2 * index + 1], "maximum", "above"),
        ):
            if short > _SLACK:
                limit = float(np.asarray(getattr(budget, column))[period])
                yield Fault(
                    place,
                    f"clashes with the other limits: {short:g} MWh are {word} its {column} of {limit:g} MWh",
                    f"{'lower' if column == 'minimum' else 'raise'} it, or loosen the limits of its members "
                    f"({', '.join(budget.members[:5])}{', …' if len(budget.members) > 5 else ''})",
                    column=column,
                    value=f"{limit:g}",
                )


def _sums(system: System, bids: Sequence[Bid], hour: int, zone: str) -> dict[str, float]:
    """What can be given to and taken from a zone in an hour. [MW]"""
    hours = system.hour_count

    def at(values: float | FloatArray) -> float:
        return float(hour_series(values, hours)[hour])

    plants = [plant for plant in system.plants if plant.zone == zone]
    stores = [store for store in system.stores if store.zone == zone]
    sums = {
        "plants": sum(at(plant.available) for plant in plants),
        "must_run": sum(float(least_output(plant, hours)[hour]) for plant in plants),
        "bids": sum(at(bid.quantity) for bid in bids if bid.zone == zone),
        "discharge": sum(store.discharge_limit for store in stores),
        "charge": sum(store.charge_limit for store in stores),
        "in": 0.0,
        "out": 0.0,
    }
    for corridor in system.corridors:
        forward, backward = at(corridor.forward_limit), at(corridor.backward_limit)
        if zone == corridor.from_zone:
            sums["in"] += backward * (1.0 - corridor.loss)
            sums["out"] += forward
        elif zone == corridor.to_zone:
            sums["in"] += forward * (1.0 - corridor.loss)
            sums["out"] += backward
    return sums


def _stored(system: System, zone: str, level: FloatArray) -> str:
    """The stores of a zone and what they hold, e.g. "; store dam holds 5 MWh of 60 MWh"."""
    return "".join(
        f"; store {store.name} holds {level[index]:g} MWh of {store.energy_limit:g} MWh"
        for index, store in enumerate(system.stores)
        if store.zone == zone
    )


def _missing(
    system: System, bids: Sequence[Bid], hour: int, zone: int, amount: float, level: FloatArray
) -> Fault:
    name = system.zones[zone]
    sums = _sums(system, bids, hour, name)
    stores = f", its stores at most {sums['discharge']:g} MW" if sums["discharge"] else ""
    most = sums["plants"] + sums["discharge"] + sums["in"]
    why = "" if most < system.demand[hour, zone] - _SLACK else " after what other zones and hours need"
    return Fault(
        f"zone {name}, hour {system.hours[hour]}Z",
        f"demand of {system.demand[hour, zone]:g} MW; its plants give at most {sums['plants']:g} MW{stores} "
        f"and its corridors bring at most {sums['in']:g} MW{_stored(system, name, level)}: "
        f"{amount:g} MW are missing{why}",
        "raise one of these limits, lower the demand, or give a finite value of lost load",
    )


def _left_over(
    system: System, bids: Sequence[Bid], hour: int, zone: int, amount: float, level: FloatArray
) -> Fault:
    name = system.zones[zone]
    sums = _sums(system, bids, hour, name)
    stores = f", its stores at most {sums['charge']:g} MW" if sums["charge"] else ""
    return Fault(
        f"zone {name}, hour {system.hours[hour]}Z",
        f"its plants give at least {sums['must_run']:g} MW; its demand takes {system.demand[hour, zone]:g} "
        f"MW, its bids at most {sums['bids']:g} MW{stores} and its corridors at most {sums['out']:g} MW"
        f"{_stored(system, name, level)}: {amount:g} MW are left over",
        "lower the minimum of its plants, raise one of the other limits, or give a finite disposal cost",
    )
