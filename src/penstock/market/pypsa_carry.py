"""A PyPSA network as a `System` and `Bid`s, with the component that each part stands for.

PyPSA balances every bus exactly, so the value of lost load and the disposal cost are inf. A generator's
output p with limits low to high is a plant where it is above 0 and a bid where it is below: both at its
marginal cost, so that together they cost what PyPSA charges for p.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from penstock.errors import Fault, NetworkError, SystemFaultError

from .bid import Bid
from .pypsa_attributes import refusals
from .pypsa_sizes import Parts, give_sizes
from .system import Corridor, EnergyBudget, FloatArray, Hourly, Plant, Store, System

__all__ = ["FIRST_HOUR", "Carried", "Origin", "carry"]

#: First hour of a network whose snapshots are not consecutive whole hours.
FIRST_HOUR = np.datetime64("2000-01-01T00", "h")


@dataclass(frozen=True, slots=True)
class Origin:
    """Component and name of what a part stands for; PyPSA's p is `factor` x the part's energy."""

    component: str
    name: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Carried:
    """A network carried over. Each tuple of origins is in the order of the system's parts; None: a load."""

    system: System
    bids: tuple[Bid, ...]
    plants: tuple[Origin | None, ...]
    demands: tuple[Origin, ...]
    corridors: tuple[Origin, ...]
    stores: tuple[Origin, ...]


@dataclass(slots=True)
class _Draft:
    """What has been gathered so far; sizes may still be inf, and faults may have been found."""

    network: Any
    hours: int
    buses: frozenset[str]
    parts: Parts = field(default_factory=Parts)
    plants: list[Origin | None] = field(default_factory=list)
    demands: list[Origin] = field(default_factory=list)
    corridors: list[Origin] = field(default_factory=list)
    stores: list[Origin] = field(default_factory=list)
    budgets: list[EnergyBudget] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # of generators, and of plants and bids made up here

    def fault(self, place: str, problem: str, mend: str, column: str, value: object = None) -> None:
        """Add a fault."""
        text = None if value is None else str(value)
        self.faults.append(Fault(place, problem, mend, column=column, value=text))


@dataclass(frozen=True, slots=True)
class _Item:
    """One active component: reads its attributes and says what is wrong with them."""

    draft: _Draft
    component: Any
    name: str

    @property
    def place(self) -> str:
        return f"{self.component.name} {self.name}"

    def text(self, attribute: str) -> str:
        return str(self.component.static.at[self.name, attribute])

    def series(self, attribute: str) -> Hourly:
        """A number or an array of shape (hours,); NaN is a fault and becomes 0."""
        frame = self.component.dynamic.get(attribute)
        values: Hourly = 0.0
        if frame is not None and self.name in frame.columns:
            found = frame[self.name].to_numpy(dtype=float)
            values = float(found[0]) if np.all(found == found[0]) else found
        else:
            values = float(self.component.static.at[self.name, attribute])
        if np.isnan(values).any():
            self.wrong(attribute, "is not a number", "give a number for every snapshot", "nan")
            return 0.0
        return values

    def number(self, attribute: str) -> float:
        """A number; a fault where it changes from snapshot to snapshot."""
        values = self.series(attribute)
        if isinstance(values, np.ndarray):
            self.wrong(
                attribute,
                f"must be one number; it runs from {values.min():g} to {values.max():g} over the snapshots",
                "give one number",
            )
            return float(values[0])
        return values

    def wrong(self, attribute: str, problem: str, mend: str, value: object = None) -> None:
        self.draft.fault(self.place, problem, mend, attribute, value)

    def bus(self, attribute: str = "bus") -> str:
        name = self.text(attribute)
        if name not in self.draft.buses:
            self.wrong(attribute, "is not a bus of the network", "name one of its buses", name)
        return name


def carry(network: Any) -> Carried:
    """The network as a system and bids. Raises NetworkError with every fault."""
    hours = _hours(network)
    faults = [*_frame_faults(network)]
    if faults:
        raise NetworkError(faults)  # the rest cannot be read by name alone
    buses = tuple(str(name) for name in network.components["Bus"].static.index)
    draft = _Draft(network, len(hours), frozenset(buses))
    draft.names.update(map(str, network.components["Generator"].static.index))
    draft.faults.extend(refusals(network))
    demand = _demand(draft, buses)
    for component, read in _READERS:
        for item in _active(draft, component):
            read(item)
    _branches(draft)
    _unique_names(draft)
    draft.faults.extend(
        give_sizes(draft.parts, dict(zip(buses, demand.max(axis=0), strict=True)), len(hours))
    )
    if draft.faults:
        raise NetworkError(draft.faults)
    try:
        system = System(
            hours=hours,
            zones=buses,
            demand=demand,
            value_of_lost_load=np.inf,
            disposal_cost=np.inf,
            plants=tuple(draft.parts.plants),
            corridors=tuple(draft.parts.corridors),
            stores=tuple(draft.parts.stores),
            budgets=tuple(draft.budgets),
        )
    except SystemFaultError as error:
        raise NetworkError(error.faults) from error
    return Carried(
        system,
        tuple(draft.parts.bids),
        tuple(draft.plants),
        tuple(draft.demands),
        tuple(draft.corridors),
        tuple(draft.stores),
    )


def _hours(network: Any) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """The snapshots where they are consecutive whole hours, else as many hours from FIRST_HOUR."""
    snapshots = network.snapshots
    if isinstance(snapshots, pd.DatetimeIndex) and snapshots.tz is None:
        exact = snapshots.to_numpy()
        hours = exact.astype("datetime64[h]")
        if np.all(exact == hours) and np.all(np.diff(hours) == np.timedelta64(1, "h")):
            return hours
    return FIRST_HOUR + np.arange(len(snapshots))


def _frame_faults(network: Any) -> Iterator[Fault]:
    """Faults of the network as a whole: scenarios, investment periods, weightings, nothing in it."""
    if getattr(network, "has_scenarios", False):
        yield Fault("Network", "has scenarios", "clear one scenario at a time", column="scenarios")
        return
    if len(network.investment_periods):
        yield Fault(
            "Network",
            "has investment periods",
            "clear one period at a time",
            column="investment_periods",
            value=", ".join(str(period) for period in network.investment_periods),
        )
        return
    if network.components["Bus"].static.empty:
        yield Fault("Network", "has no buses", "name a file or folder that holds a network", column="buses")
    for column in network.snapshot_weightings.columns:
        weights = network.snapshot_weightings[column]
        odd = weights.index[weights != 1.0]
        if len(odd):
            yield Fault(
                "Network",
                f"must be 1 h in every snapshot; {len(odd)} of {len(weights)} are not, the first at {odd[0]}",
                "use hourly snapshots without weightings",
                column=f"snapshot_weightings.{column}",
                value=f"{weights[odd[0]]:g}",
            )


def _active(draft: _Draft, component: str) -> Iterator[_Item]:
    found = draft.network.components[component]
    if not found.static.empty:
        for name in found.static.index[found.static["active"].astype(bool)]:
            yield _Item(draft, found, name)


def _times(size: float, per_unit: Hourly) -> Hourly:
    """size x per_unit, where 0 of an infinite size is 0."""
    if np.isfinite(size):
        return size * per_unit
    array = np.asarray(per_unit, dtype=float)
    product = np.where(array == 0.0, 0.0, np.copysign(np.inf, array))
    return float(product) if product.ndim == 0 else product


def _above(values: Hourly) -> Hourly:
    part = np.maximum(values, 0.0)
    return part if isinstance(part, np.ndarray) and part.ndim else float(part)


def _demand(draft: _Draft, buses: tuple[str, ...]) -> FloatArray:
    """Firm demand, shape (hours, buses); where loads of a bus together feed in, a plant that must run."""
    position = {bus: index for index, bus in enumerate(buses)}
    demand = np.zeros((draft.hours, len(buses)))
    for item in _active(draft, "Load"):
        bus = item.bus()
        if bus in position:
            demand[:, position[bus]] -= item.number("sign") * np.asarray(item.series("p_set"))
    for bus, index in position.items():
        fed = np.maximum(-demand[:, index], 0.0)
        if fed.any():
            name = _free(f"negative load at {bus}", draft.names)
            draft.parts.plants.append(Plant(name, bus, 0.0, fed, fed))
            draft.plants.append(None)
    return np.maximum(demand, 0.0)


def _generator(item: _Item) -> None:
    draft, bus, sign = item.draft, item.bus(), item.number("sign")
    if sign not in (1.0, -1.0):
        item.wrong("sign", "must be 1 or -1", "put the factor into p_nom and the costs", sign)
        return
    size, cost = item.number("p_nom"), item.series("marginal_cost")
    low, high = _times(size, item.series("p_min_pu")), _times(size, item.series("p_max_pu"))
    if sign < 0:
        low, high, cost = -high, -low, -cost
    if np.any(np.asarray(low) > np.asarray(high)):
        item.wrong("p_min_pu", "lies above p_max_pu in some snapshot", "correct one of them")
        return
    if np.any(np.asarray(high) < 0.0):
        item.wrong(
            "p_max_pu" if sign > 0 else "p_min_pu",
            "makes it take energy in some snapshot at any price",
            "give what it must take as a load",
        )
        return
    gives, takes = bool(np.any(np.asarray(high) > 0.0)), bool(np.any(np.asarray(low) < 0.0))
    if gives or not takes:
        draft.parts.plants.append(Plant(item.name, bus, cost, high, _above(low)))
        draft.plants.append(Origin("Generator", item.name, sign))
    if takes:
        name = _free(f"{item.name} (taking)", draft.names) if gives else item.name
        draft.parts.bids.append(Bid(name, bus, _above(-low), cost))
        draft.demands.append(Origin("Generator", item.name, -sign))
    least, most = item.number("e_sum_min"), item.number("e_sum_max")
    if least > -np.inf or most < np.inf:
        if gives and takes:
            item.wrong(
                "e_sum_max", "binds a generator that both gives and takes", "split the generator in two"
            )
            return
        if (sign < 0) == gives:  # p is the negative of what the plant gives or the bid takes
            least, most = -most, -least
        period = np.zeros(draft.hours, dtype=np.int64)
        draft.budgets.append(
            EnergyBudget(f"energy of {item.name}", (item.name,), period, np.array([least]), np.array([most]))
        )


def _link(item: _Item) -> None:
    draft, start, end = item.draft, item.bus("bus0"), item.bus("bus1")
    size, efficiency, cost = item.number("p_nom"), item.number("efficiency"), item.number("marginal_cost")
    low, high = _times(size, item.series("p_min_pu")), _times(size, item.series("p_max_pu"))
    two_way = bool(np.any(np.asarray(low) < 0.0))
    if np.any(np.asarray(low) > 0.0):
        item.wrong("p_min_pu", "makes it send energy at any price", "set it to 0 or below")
    if np.any(np.asarray(high) < 0.0):
        item.wrong("p_max_pu", "makes it send energy backward at any price", "set it to 0 or above")
    if not 0.0 < efficiency <= 1.0:
        item.wrong(
            "efficiency",
            "must lie in (0, 1]: a corridor cannot give more than is sent",
            "count the energy of its other bus in other units, or clear the network with PyPSA itself",
            efficiency,
        )
    elif two_way and efficiency < 1.0:
        item.wrong(
            "efficiency",
            "would create energy on the way back, where PyPSA divides by it",
            "split it into two links, one for each way",
            efficiency,
        )
    if cost < 0.0:
        item.wrong("marginal_cost", "must be at least 0 for a link", "move it to its generators", cost)
    elif two_way and cost != 0.0:
        item.wrong(
            "marginal_cost",
            "would be earned on the way back",
            "split it into two links, one for each way",
            cost,
        )
    _ends_apart(item, start, end)
    back = _above(-np.asarray(low)) if two_way else 0.0
    loss = 1.0 - efficiency
    draft.parts.corridors.append(Corridor(item.name, start, end, _above(high), back, loss, cost))
    draft.corridors.append(Origin("Link", item.name))


def _ends_apart(item: _Item, start: str, end: str) -> None:
    if start == end:
        item.wrong("bus1", "is the bus that it starts from", "name another bus, or remove it", end)


def _storage_unit(item: _Item) -> None:
    draft, bus, size = item.draft, item.bus(), item.number("p_nom")
    charge, discharge = -size * item.number("p_min_pu"), size * item.number("p_max_pu")
    if np.isinf(size) or not (charge >= 0.0 and discharge >= 0.0):
        item.wrong(
            "p_nom", "must be finite, with p_min_pu at most and p_max_pu at least 0", "correct it", size
        )
        return
    cyclic = bool(item.component.static.at[item.name, "cyclic_state_of_charge"])
    store = Store(
        name=item.name,
        zone=bus,
        energy_limit=size * item.number("max_hours"),
        charge_limit=charge,
        discharge_limit=discharge,
        charge_efficiency=item.number("efficiency_store"),
        discharge_efficiency=item.number("efficiency_dispatch"),
        inflow=item.series("inflow"),
        initial_level=None if cyclic else item.number("state_of_charge_initial"),
        discharge_cost=item.number("marginal_cost"),
    )
    draft.parts.stores.append(store)
    draft.stores.append(Origin("StorageUnit", item.name))


def _store(item: _Item) -> None:
    """A PyPSA store has no power limit; its level cannot move by more than its size in an hour."""
    draft, bus, size = item.draft, item.bus(), item.number("e_nom")
    limit = _times(size, item.number("e_max_pu"))
    cyclic = bool(item.component.static.at[item.name, "e_cyclic"])
    initial = None if cyclic else item.number("e_initial")
    number = float(np.asarray(limit))
    draft.parts.stores.append(Store(item.name, bus, number, number, number, initial_level=initial))
    draft.stores.append(Origin("Store", item.name))


_READERS = (
    ("Generator", _generator),
    ("Link", _link),
    ("StorageUnit", _storage_unit),
    ("Store", _store),
)


def _branches(draft: _Draft) -> None:
    """Lines and transformers as corridors with a reactance; PyPSA itself works the reactances out."""
    items = [item for component in ("Line", "Transformer") for item in _active(draft, component)]
    if not items:
        return
    worked_out = _impedances(draft.network)
    carrier = draft.network.components["Bus"].static["carrier"]
    ends = [(item.bus("bus0"), item.bus("bus1")) for item in items]
    for number, (item, (start, end)) in enumerate(zip(items, ends, strict=True)):
        _ends_apart(item, start, end)
        if not {start, end} <= draft.buses:
            continue
        if carrier[start] != carrier[end]:
            item.wrong("bus1", f"has carrier {carrier[end]}, the other end {carrier[start]}", "use a link")
        static = worked_out.components[item.component.name].static
        if item.component.name == "Transformer" and item.text("type") not in ("", "nan"):
            shift = float(static.at[item.name, "phase_shift"])
            if shift != 0.0:
                item.wrong(
                    "type",
                    f"shifts the phase by {shift:g} degrees, which is not modelled",
                    "use a type without",
                    item.text("type"),
                )
        attribute = "x_pu_eff" if carrier[start] == "AC" else "r_pu_eff"
        reactance: float | None = float(static.at[item.name, attribute])
        if reactance is None or not 0.0 < reactance < np.inf:
            others = ends[:number] + ends[number + 1 :]
            if _joined(others, start, end):
                item.wrong(
                    "x" if attribute == "x_pu_eff" else "r",
                    f"gives {attribute} of {reactance:g}; it stands in a cycle and must be above 0",
                    "give its impedance",
                )
            reactance = None
        limit = _times(item.number("s_nom"), item.series("s_max_pu"))
        draft.parts.corridors.append(Corridor(item.name, start, end, limit, limit, reactance=reactance))
        draft.corridors.append(Origin(item.component.name, item.name))


def _impedances(network: Any) -> Any:
    """A network of the same branches alone, with what PyPSA derives from their types and voltages.

    The network itself is not touched, and may hold a solved model, which PyPSA does not copy.
    """
    branches = type(network)()
    for component in ("Bus", "LineType", "TransformerType", "Line", "Transformer"):
        branches.components[component].static = network.components[component].static.copy()
    branches.calculate_dependent_values()
    return branches


def _joined(ends: list[tuple[str, str]], start: str, end: str) -> bool:
    """Whether the branches with these ends lead from one bus to another."""
    reached, grows = {start}, True
    while grows and end not in reached:
        more = {bus for pair in ends if reached & set(pair) for bus in pair}
        grows = not more <= reached
        reached |= more
    return end in reached


def _free(name: str, taken: set[str]) -> str:
    """The name, or with " 2", " 3" and so on where it is taken; it is taken from then on."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} {number}"
    taken.add(free)
    return free


def _unique_names(draft: _Draft) -> None:
    """Name a corridor or store by its component too where another component has one of the same name."""
    corridors, stores = draft.parts.corridors, draft.parts.stores
    for index, name in _doubtful(draft.corridors):
        corridors[index] = replace(corridors[index], name=name)
    for index, name in _doubtful(draft.stores):
        stores[index] = replace(stores[index], name=name)


def _doubtful(origins: list[Origin]) -> Iterator[tuple[int, str]]:
    """Position and longer name of each part whose name stands for several."""
    count = Counter(origin.name for origin in origins)
    taken = set(count)
    for index, origin in enumerate(origins):
        if count[origin.name] > 1:
            yield index, _free(f"{origin.component} {origin.name}", taken)
