"""A `System` and its bids as a PyPSA network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from penstock.errors import Fault, NetworkError

from .bid import Bid
from .clearing import Clearing
from .pypsa_results import differences, fill, set_objective
from .system import Corridor, FloatArray, Hourly, Store, System, hour_series

__all__ = ["build"]


def build(pypsa: Any, system: System, bids: tuple[Bid, ...], clearing: Clearing | None) -> Any:
    """The network, with the clearing's results where one is given. Raises NetworkError with every fault."""
    faults = [*_faults(system, bids)]
    if clearing is not None:
        mend = "give the system and the bids that were cleared"
        faults += differences(system, bids, clearing, "system", mend)
    if faults:
        raise NetworkError(faults)
    network = pypsa.Network(
        snapshots=pd.DatetimeIndex(system.hours.astype("datetime64[ns]"), name="snapshot")
    )
    builder = _Builder(network, system, clearing)
    builder.zones()
    builder.plants_and_bids(bids)
    for index, corridor in enumerate(system.corridors):
        builder.corridor(index, corridor)
    for index, store in enumerate(system.stores):
        builder.store(index, store)
    if clearing is not None:
        builder.results(clearing)
    return network


def _faults(system: System, bids: tuple[Bid, ...]) -> Iterator[Fault]:
    known = {plant.name for plant in system.plants} | {bid.name for bid in bids}
    for budget in system.budgets:
        if len(budget.members) != 1 or int(budget.period[-1]) != 0 or not set(budget.members) <= known:
            yield Fault(
                f"energy budget {budget.name}",
                f"binds {len(budget.members)} members over {int(budget.period[-1]) + 1} periods; PyPSA's "
                "e_sum_min and e_sum_max bind one generator over all snapshots",
                "leave it out, or split it by member and period",
            )
    for name in sorted({n for b in system.budgets for n in b.members}):
        if sum(name in budget.members for budget in system.budgets) > 1:
            yield Fault(
                f"plant or bid {name}", "has several energy budgets; PyPSA has room for one", "join them"
            )
    for corridor in system.corridors:
        limits = (hour_series(corridor.forward_limit, system.hour_count), corridor.backward_limit)
        if corridor.reactance is not None and not np.all(limits[0] == limits[1]):
            yield Fault(
                f"corridor {corridor.name}",
                "has a reactance and two different limits; a line of PyPSA has one",
                "give both ways the same limit",
                column="backward_limit",
            )
    for store in system.stores:
        if store.energy_limit > 0.0 and max(store.charge_limit, store.discharge_limit) == 0.0:
            yield Fault(
                f"store {store.name}",
                "neither charges nor discharges; PyPSA counts what a store holds in hours of its power",
                "leave it out",
                column="discharge_limit",
                value="0",
            )
    corridors = {corridor.name for corridor in system.corridors}
    for name in sorted(corridors):
        if f"{name} back" in corridors:
            yield Fault(f"corridor {name} back", "has a name that the way back of another needs", "rename it")
    for zone in system.zones:
        for word in ("unserved", "dumped"):
            if f"{word} {zone}" in known:
                yield Fault(
                    f"plant or bid {word} {zone}", "has a name that is needed for the zone's own", "rename it"
                )


class _Builder:
    """Adds component by component; with a clearing, remembers what each of them does."""

    def __init__(self, network: Any, system: System, clearing: Clearing | None) -> None:
        self.network, self.system, self.clearing = network, system, clearing
        self.power: dict[str, dict[str, FloatArray]] = {"Generator": {}, "Link": {}, "Line": {}}
        self.arriving: dict[str, float] = {}
        self.sizes = dict.fromkeys(system.zones, 0.0)

    def zones(self) -> None:
        """Buses with their loads."""
        for index, zone in enumerate(self.system.zones):
            self.network.add("Bus", zone, v_nom=1.0)
            demand = self.system.demand[:, index]
            if demand.any():
                self.network.add("Load", f"demand {zone}", bus=zone, p_set=self._series(demand))

    def plants_and_bids(self, bids: tuple[Bid, ...]) -> None:
        """Generators: of plants, of bids (sign -1), of unserved and of dumped energy."""
        system, clearing = self.system, self.clearing
        sums = {budget.members[0]: budget for budget in system.budgets}
        for index, plant in enumerate(system.plants):
            done = None if clearing is None else clearing.dispatch[:, index]
            self._generator(
                plant.name,
                plant.zone,
                plant.available,
                plant.cost,
                done,
                plant.minimum,
                **_limits(sums, plant.name),
            )
        for index, bid in enumerate(bids):
            done = None if clearing is None else clearing.accepted[:, index]
            cost = -np.asarray(bid.value)
            self._generator(
                bid.name, bid.zone, bid.quantity, cost, done, sign=-1.0, **_limits(sums, bid.name)
            )
        everything = self._everything()
        for index, zone in enumerate(system.zones):
            demand = system.demand[:, index]
            if np.isfinite(system.value_of_lost_load) and demand.any():
                done = None if clearing is None else clearing.unserved[:, index]
                self._generator(f"unserved {zone}", zone, demand, system.value_of_lost_load, done)
            if np.isfinite(system.disposal_cost):
                done = None if clearing is None else clearing.dumped[:, index]
                self._generator(f"dumped {zone}", zone, everything, system.disposal_cost, done, sign=-1.0)

    def _everything(self) -> float:
        """All that could be given in an hour: no zone can dump more. [MW]"""
        system = self.system
        given = [np.max(plant.available) for plant in system.plants]
        given += [np.max(np.asarray(c.forward_limit) + c.backward_limit) for c in system.corridors]
        return float(sum(given) + sum(store.discharge_limit for store in system.stores))

    def _series(self, values: Hourly) -> float | pd.Series:
        if isinstance(values, np.ndarray) and values.ndim:
            return pd.Series(values, index=self.network.snapshots)
        return float(values)

    def _per_unit(self, values: Hourly, size: float) -> float | pd.Series:
        return self._series(np.asarray(values) / size if size else np.asarray(values) * 0.0 + 1.0)

    def _generator(
        self,
        name: str,
        zone: str,
        available: Hourly,
        cost: Hourly,
        done: FloatArray | None,
        minimum: Hourly = 0.0,
        **more: float,
    ) -> None:
        size = float(np.max(available))
        least = np.minimum(minimum, available)
        self.network.add(
            "Generator",
            name,
            bus=zone,
            p_nom=size,
            p_max_pu=self._per_unit(available, size),
            p_min_pu=self._per_unit(least, size) if size else 0.0,
            marginal_cost=self._series(cost),
            **more,
        )
        if done is not None:
            self.power["Generator"][name] = done

    def corridor(self, index: int, corridor: Corridor) -> None:
        """A line where it has a reactance, else a link, or two where each way needs its own."""
        forward, backward = corridor.forward_limit, corridor.backward_limit
        flow = None if self.clearing is None else self.clearing.flow[:, index]
        if corridor.reactance is not None:
            size = float(np.max(forward))
            ends = {"bus0": corridor.from_zone, "bus1": corridor.to_zone}
            limit = self._per_unit(forward, size)
            self.network.add("Line", corridor.name, **ends, x=corridor.reactance, s_nom=size, s_max_pu=limit)
            if flow is not None:
                self.power["Line"][corridor.name] = flow
            return
        if not np.any(backward) or (corridor.loss == 0.0 and corridor.cost == 0.0):
            self._link(corridor, corridor.name, forward, backward, flow)
            return
        self._link(corridor, corridor.name, forward, 0.0, None if flow is None else np.maximum(flow, 0.0))
        back = None if flow is None else np.maximum(-flow, 0.0)
        self._link(corridor, f"{corridor.name} back", backward, 0.0, back, turned=True)

    def _link(
        self,
        corridor: Corridor,
        name: str,
        forward: Hourly,
        backward: Hourly,
        flow: FloatArray | None,
        turned: bool = False,
    ) -> None:
        ends = (corridor.from_zone, corridor.to_zone)
        bus0, bus1 = ends[::-1] if turned else ends
        size = float(max(np.max(forward), np.max(backward)))
        self.network.add(
            "Link",
            name,
            bus0=bus0,
            bus1=bus1,
            p_nom=size,
            p_max_pu=self._per_unit(forward, size),
            p_min_pu=self._per_unit(-np.asarray(backward), size) if size else 0.0,
            efficiency=1.0 - corridor.loss,
            marginal_cost=corridor.cost,
        )
        if flow is not None:
            self.power["Link"][name], self.arriving[name] = flow, 1.0 - corridor.loss

    def store(self, index: int, store: Store) -> None:
        """A storage unit."""
        size = max(store.charge_limit, store.discharge_limit)
        self.network.add(
            "StorageUnit",
            store.name,
            bus=store.zone,
            p_nom=size,
            max_hours=store.energy_limit / size if size else 0.0,
            p_max_pu=store.discharge_limit / size if size else 0.0,
            p_min_pu=-store.charge_limit / size if size else 0.0,
            efficiency_store=store.charge_efficiency,
            efficiency_dispatch=store.discharge_efficiency,
            inflow=self._series(store.inflow),
            cyclic_state_of_charge=store.initial_level is None,
            state_of_charge_initial=store.initial_level or 0.0,
            marginal_cost=store.discharge_cost,
        )

    def results(self, clearing: Clearing) -> None:
        """Fill the tables."""
        network, system = self.network, self.system
        fill(network, "Generator", "p", self.power["Generator"])
        fill(network, "Link", "p0", self.power["Link"])
        arrived = {name: -flow * self.arriving[name] for name, flow in self.power["Link"].items()}
        fill(network, "Link", "p1", arrived)
        fill(network, "Line", "p0", self.power["Line"])
        fill(network, "Line", "p1", {name: -flow for name, flow in self.power["Line"].items()})
        names = [store.name for store in system.stores]
        for attribute, values in (
            ("p", clearing.discharge - clearing.charge),
            ("p_dispatch", clearing.discharge),
            ("p_store", clearing.charge),
            ("state_of_charge", clearing.level),
            ("spill", clearing.spill),
        ):
            fill(network, "StorageUnit", attribute, dict(zip(names, values.T, strict=True)))
        loads = {f"demand {zone}": system.demand[:, i] for i, zone in enumerate(system.zones)}
        fill(network, "Load", "p", loads)
        fill(network, "Bus", "marginal_price", dict(zip(system.zones, clearing.price.T, strict=True)))
        set_objective(network, clearing.net_cost)


def _limits(sums: dict[str, Any], name: str) -> dict[str, float]:
    if name not in sums:
        return {}
    budget = sums[name]
    return {"e_sum_min": float(budget.minimum[0]), "e_sum_max": float(budget.maximum[0])}
