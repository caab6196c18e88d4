"""A market to be cleared: zones, plants, corridors, stores and energy budgets, hour by hour.

The system is in MW and USD and knows nothing of what its plants burn or what its loads do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from penstock.errors import Fault, SystemFaultError

__all__ = [
    "BoolArray",
    "Corridor",
    "EnergyBudget",
    "FloatArray",
    "IntArray",
    "Plant",
    "Store",
    "System",
    "hour_series",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Hourly = float | FloatArray


def _frozen(values: Hourly) -> Hourly:
    array = np.array(values, dtype=np.float64)
    if array.ndim == 0:
        return float(array)
    array.setflags(write=False)
    return array


def hour_series(values: Hourly, hours: int) -> FloatArray:
    """`values` as an array of shape (hours,): a number holds in every hour."""
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (hours,))


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """What can feed energy into a zone at a cost.

    name, zone: labels; a plant's name is unique in its system.
    cost: marginal cost of its energy, a number or shape (hours,). [USD/MWh]
    available: most it can give, a number or shape (hours,). [MW]
    minimum: least it gives (must-run); what no one takes of it is curtailed. [MW]
    curtailable: energy available from it and not taken counts as curtailed (wind, sun, running water).
    """

    name: str
    zone: str
    cost: Hourly
    available: Hourly
    minimum: Hourly = 0.0
    curtailable: bool = False

    def __post_init__(self) -> None:
        for name in ("cost", "available", "minimum"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))


@dataclass(frozen=True, slots=True, eq=False)
class Corridor:
    """What carries energy between two zones.

    forward_limit, backward_limit: most that is sent from `from_zone` to `to_zone`, and back, at the
    sending end; a number or shape (hours,). [MW]
    loss: share of the sent energy that does not arrive, in [0, 1). [1]
    cost: what sending costs, either way, at least 0. [USD/MWh]
    reactance: where given, the flow also follows Kirchhoff's voltage law: around every cycle of such
        corridors the sum of reactance x flow is 0 (the DC power flow). Any one unit, above 0; such a
        corridor has no loss and no cost.
    """

    name: str
    from_zone: str
    to_zone: str
    forward_limit: Hourly
    backward_limit: Hourly
    loss: float = 0.0
    cost: float = 0.0
    reactance: float | None = None

    def __post_init__(self) -> None:
        for name in ("forward_limit", "backward_limit"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A reservoir or a battery.

    energy_limit: most it holds. [MWh]
    charge_limit, discharge_limit: most it takes from, and gives to, its zone. [MW]
    charge_efficiency, discharge_efficiency: stored per taken, given per drawn, in (0, 1]. [1]
    inflow: energy that comes by itself, a number or shape (hours,); up to all of it may be spilled. [MW]
    initial_level: level before the first hour; None makes the year a cycle (last level = first). [MWh]
    discharge_cost: what giving costs. [USD/MWh]
    """

    name: str
    zone: str
    energy_limit: float
    charge_limit: float
    discharge_limit: float
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    inflow: Hourly = 0.0
    initial_level: float | None = None
    discharge_cost: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "inflow", _frozen(self.inflow))


@dataclass(frozen=True, slots=True, eq=False)
class EnergyBudget:
    """Least and most energy of some plants or bids over each of several periods.

    members: names of plants or of bids; their energy is added up.
    period: period of each hour, shape (hours,), whole numbers from 0 that never fall.
    minimum, maximum: energy per period, shape (periods,); -inf and inf where there is no limit. [MWh]
    """

    name: str
    members: tuple[str, ...]
    period: IntArray
    minimum: FloatArray
    maximum: FloatArray

    def __post_init__(self) -> None:
        period = np.array(self.period, dtype=np.int64)
        period.setflags(write=False)
        object.__setattr__(self, "period", period)
        object.__setattr__(self, "members", tuple(self.members))
        for name in ("minimum", "maximum"):
            object.__setattr__(self, name, _frozen(np.atleast_1d(np.asarray(getattr(self, name), float))))


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """All that is cleared together.

    hours: start of each hour, UTC, shape (hours,); consecutive, but for whole days that are left out, such
        as 29 February. What binds hours together takes the next one listed as the next in time.
    zones: labels, in the order of every (hours, zones) array.
    demand: firm demand, shape (hours, zones). [MW]
    value_of_lost_load: what a MWh of firm demand that is not served costs; inf: all of it must be
        served, or the system is infeasible. [USD/MWh]
    disposal_cost: what a MWh that nobody takes costs, at least 0; inf: none may be left over. [USD/MWh]
    """

    hours: npt.NDArray[np.datetime64]
    zones: tuple[str, ...]
    demand: FloatArray
    value_of_lost_load: float
    plants: tuple[Plant, ...]
    corridors: tuple[Corridor, ...] = ()
    stores: tuple[Store, ...] = ()
    budgets: tuple[EnergyBudget, ...] = field(default=())
    disposal_cost: float = 0.0

    def __post_init__(self) -> None:
        hours = np.array(self.hours, dtype="datetime64[h]")
        demand = np.array(self.demand, dtype=np.float64)
        hours.setflags(write=False)
        demand.setflags(write=False)
        object.__setattr__(self, "hours", hours)
        object.__setattr__(self, "demand", demand)
        for name in ("zones", "plants", "corridors", "stores", "budgets"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        faults = list(_system_faults(self))
        if faults:
            raise SystemFaultError(faults)

    @property
    def hour_count(self) -> int:
        """Number of hours."""
        return len(self.hours)

    def zone_index(self, zones: Iterable[str]) -> IntArray:
        """Position of each zone in `zones`."""
        order = {zone: index for index, zone in enumerate(self.zones)}
        return np.array([order[zone] for zone in zones], dtype=np.int64)


def series_faults(
    place: str, column: str, values: Hourly, hours: int, *, low: float, unit: str
) -> Iterable[Fault]:
    """Faults of one hourly quantity: its length, NaN or infinity, and values below `low`."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim and array.shape != (hours,):
        yield Fault(
            place,
            f"has shape {array.shape}, but the system has {hours} hours",
            f"give one number or {hours} values",
            column=column,
        )
        return
    flat = np.atleast_1d(array)
    bad = ~np.isfinite(flat) | (flat < low)
    if bad.any():
        hour = int(np.argmax(bad))
        yield Fault(
            place,
            f"must be a finite number of at least {low:g} {unit}; {int(bad.sum())} of {flat.size} are not, "
            f"the first in hour {hour}",
            "correct the value",
            column=column,
            value=repr(float(flat[hour])),
        )


def scalar_faults(place: str, column: str, value: object, *, low: float, unit: str) -> Iterable[Fault]:
    """Faults of one number: not a number, NaN or infinity, or below `low`."""
    if np.ndim(value) != 0:  # type: ignore[arg-type]
        yield Fault(place, "changes by the hour, but must be one number", "give one number", column=column)
        return
    yield from series_faults(place, column, value, 1, low=low, unit=unit)  # type: ignore[arg-type]


def _duplicates(place: str, names: Sequence[str], column: str | None = None) -> Iterable[Fault]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Fault(place, "stands twice", "give each its own name", column=column, value=name)
        seen.add(name)


def _unknown_zone(system: System, place: str, column: str, zone: str) -> Iterable[Fault]:
    if zone not in system.zones:
        yield Fault(
            place,
            f"is not a zone of the system; its zones are {', '.join(system.zones)}",
            "use one of them",
            column=column,
            value=zone,
        )


def _system_faults(system: System) -> Iterable[Fault]:
    hours, zones = len(system.hours), len(system.zones)
    if hours == 0 or zones == 0:
        yield Fault("System", f"has {hours} hours and {zones} zones", "give at least one of each")
        return
    steps = np.diff(system.hours).astype(np.int64)
    if np.any((steps < 1) | (steps % 24 != 1)):
        yield Fault(
            "System",
            "are not consecutive whole hours; only whole days may be left out, such as 29 February",
            "sort them and fill the gaps",
            column="hours",
        )
    if system.demand.shape != (hours, zones):
        yield Fault(
            "System",
            f"has shape {system.demand.shape}, expected ({hours}, {zones})",
            "give one column per zone and one row per hour",
            column="demand",
        )
        return
    for index, zone in enumerate(system.zones):
        yield from series_faults(
            f"System, zone {zone}", "demand", system.demand[:, index], hours, low=0.0, unit="MW"
        )
    for column in ("value_of_lost_load", "disposal_cost"):
        value = getattr(system, column)
        if not value >= 0.0:
            yield Fault(
                "System",
                "must be at least 0 USD/MWh, or inf",
                "correct the value",
                column=column,
                value=repr(value),
            )
    yield from _duplicates("System.zones", system.zones)
    yield from _duplicates("System.plants", [plant.name for plant in system.plants])
    yield from _duplicates("System.corridors", [corridor.name for corridor in system.corridors])
    yield from _duplicates("System.stores", [store.name for store in system.stores])
    yield from _duplicates("System.budgets", [budget.name for budget in system.budgets])
    for plant in system.plants:
        yield from _plant_faults(system, plant)
    for corridor in system.corridors:
        yield from _corridor_faults(system, corridor)
    for store in system.stores:
        yield from _store_faults(system, store)
    for budget in system.budgets:
        yield from _budget_faults(system, budget)


def _plant_faults(system: System, plant: Plant) -> Iterable[Fault]:
    place, hours = f"plant {plant.name}", system.hour_count
    yield from _unknown_zone(system, place, "zone", plant.zone)
    faults = [
        *series_faults(place, "cost", plant.cost, hours, low=-np.inf, unit="USD/MWh"),
        *series_faults(place, "available", plant.available, hours, low=0.0, unit="MW"),
        *series_faults(place, "minimum", plant.minimum, hours, low=0.0, unit="MW"),
    ]
    yield from faults
    if faults:
        return
    minimum, available = hour_series(plant.minimum, hours), hour_series(plant.available, hours)
    over = minimum > available * (1 + 1e-12) + 1e-9
    if over.any():
        hour = int(np.argmax(over))
        yield Fault(
            place,
            f"is above the {available[hour]:g} MW that are available in hour {hour}",
            "lower the minimum or raise the availability",
            column="minimum",
            value=f"{minimum[hour]:g}",
        )


def _corridor_faults(system: System, corridor: Corridor) -> Iterable[Fault]:
    place, hours = f"corridor {corridor.name}", system.hour_count
    yield from _unknown_zone(system, place, "from_zone", corridor.from_zone)
    yield from _unknown_zone(system, place, "to_zone", corridor.to_zone)
    if corridor.from_zone == corridor.to_zone:
        yield Fault(
            place, "leads back to its own zone", "name two zones", column="to_zone", value=corridor.to_zone
        )
    yield from series_faults(place, "forward_limit", corridor.forward_limit, hours, low=0.0, unit="MW")
    yield from series_faults(place, "backward_limit", corridor.backward_limit, hours, low=0.0, unit="MW")
    if not 0.0 <= corridor.loss < 1.0:
        yield Fault(
            place, "must lie in [0, 1)", "give a share of 1", column="loss", value=repr(corridor.loss)
        )
    faults = [*scalar_faults(place, "cost", corridor.cost, low=0.0, unit="USD/MWh")]
    yield from faults
    if faults:
        return
    if corridor.loss > 0.0 and system.disposal_cost > 0.0 and _both_ways(corridor):
        yield Fault(
            place,
            "could burn energy by sending it there and back, where disposing of it is not free",
            "give a lossy corridor one direction, or two corridors, or set disposal_cost to 0",
            column="loss",
            value=repr(corridor.loss),
        )
    if corridor.reactance is not None:
        if not 0.0 < corridor.reactance < np.inf:
            yield Fault(
                place, "must lie above 0", "correct it", column="reactance", value=repr(corridor.reactance)
            )
        if corridor.loss != 0.0 or corridor.cost != 0.0:
            yield Fault(
                place,
                f"cannot stand beside a loss of {corridor.loss:g} and a cost of {corridor.cost:g} USD/MWh",
                "leave out the reactance, or the loss and the cost",
                column="reactance",
                value=repr(corridor.reactance),
            )


def _both_ways(corridor: Corridor) -> bool:
    """True where energy can be sent both ways in one hour."""
    return bool(np.any(np.minimum(corridor.forward_limit, corridor.backward_limit) > 0.0))


def _store_faults(system: System, store: Store) -> Iterable[Fault]:
    place, hours = f"store {store.name}", system.hour_count
    yield from _unknown_zone(system, place, "zone", store.zone)
    for column, unit in (("energy_limit", "MWh"), ("charge_limit", "MW"), ("discharge_limit", "MW")):
        yield from scalar_faults(place, column, getattr(store, column), low=0.0, unit=unit)
    yield from series_faults(place, "inflow", store.inflow, hours, low=0.0, unit="MW")
    yield from scalar_faults(place, "discharge_cost", store.discharge_cost, low=-np.inf, unit="USD/MWh")
    for column in ("charge_efficiency", "discharge_efficiency"):
        value = getattr(store, column)
        if not 0.0 < value <= 1.0:
            yield Fault(place, "must lie in (0, 1]", "give a share of 1", column=column, value=repr(value))
    level = store.initial_level
    if level is not None and not 0.0 <= level <= store.energy_limit:
        yield Fault(
            place,
            f"must lie between 0 and the {store.energy_limit:g} MWh it holds",
            "correct the level, or leave it out for a cyclic year",
            column="initial_level",
            value=repr(level),
        )


def _budget_faults(system: System, budget: EnergyBudget) -> Iterable[Fault]:
    place, hours = f"energy budget {budget.name}", system.hour_count
    yield from _duplicates(place, budget.members, "members")
    if not budget.members:
        yield Fault(place, "has no members", "name a plant or a bid, or leave it out", column="members")
    if budget.period.shape != (hours,):
        yield Fault(
            place,
            f"has shape {budget.period.shape}, but the system has {hours} hours",
            "give the period of each hour",
            column="period",
        )
        return
    steps = np.diff(budget.period)
    if budget.period[0] != 0 or np.any((steps != 0) & (steps != 1)):
        yield Fault(
            place, "must start at 0 and rise by 1", "number the periods in order of time", column="period"
        )
        return
    periods = int(budget.period[-1]) + 1
    low, high = np.asarray(budget.minimum), np.asarray(budget.maximum)
    if low.shape != (periods,) or high.shape != (periods,):
        yield Fault(
            place,
            f"has {low.size} minima and {high.size} maxima for {periods} periods",
            "give one of each per period",
            column="minimum",
        )
        return
    wrong = np.isnan(low) | np.isnan(high) | (low > high)
    if wrong.any():
        period = int(np.argmax(wrong))
        yield Fault(
            place,
            f"lies above the maximum of {high[period]:g} MWh in period {period}, or is not a number",
            "correct the limits",
            column="minimum",
            value=f"{low[period]:g}",
        )
