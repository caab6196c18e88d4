"""The result tables of a PyPSA network, filled from a `Clearing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from penstock.errors import Fault, NetworkError

from .bid import Bid
from .clearing import Clearing
from .pypsa_carry import Carried
from .system import FloatArray, System

__all__ = ["differences", "fill", "set_objective", "write_carried"]

#: Nominal size of each component with one.
_SIZES = {
    **dict.fromkeys(("Generator", "Link", "StorageUnit"), "p_nom"),
    **dict.fromkeys(("Line", "Transformer"), "s_nom"),
    "Store": "e_nom",
}

Table = dict[str, FloatArray]


def fill(network: Any, component: str, attribute: str, columns: Mapping[str, FloatArray]) -> None:
    """Replace a table of results: one column per component, 0 where `columns` has none.

    columns: values by name of component, each of shape (hours,).
    """
    found = network.components[component]
    zero = np.zeros(len(network.snapshots))
    frame = pd.DataFrame(
        {name: columns.get(name, zero) for name in found.static.index}, index=network.snapshots, dtype=float
    )
    frame.index.name, frame.columns.name = "snapshot", "name"
    found.dynamic[attribute] = frame


def set_objective(network: Any, objective: float) -> None:
    """Make `network.objective` the least cost, and the sizes that were given the optimal ones. [USD]"""
    # PyPSA offers no other way to set it; it is written to files and read back.
    network._objective, network._objective_constant = float(objective), 0.0
    for component, size in _SIZES.items():
        static = network.components[component].static
        if not static.empty:
            static[f"{size}_opt"] = static[size]


def write_carried(network: Any, carried: Carried, clearing: Clearing) -> None:
    """Fill the tables of the network that `carried` was made of. NetworkError where it is another one."""
    mend = "clear what from_pypsa made of this very network"
    if faults := [*differences(carried.system, carried.bids, clearing, "network", mend)]:
        raise NetworkError(faults)
    system = clearing.system
    power: dict[str, Table] = {"Generator": {}, "Link": {}, "Line": {}, "Transformer": {}}
    for origins, values, sign in (
        (carried.plants, clearing.dispatch, 1.0),
        (carried.demands, clearing.accepted, 1.0),
        (carried.corridors, clearing.flow, 1.0),
    ):
        for index, origin in enumerate(origins):
            if origin is not None:
                table = power[origin.component]
                table[origin.name] = table.get(origin.name, 0.0) + sign * origin.factor * values[:, index]
    fill(network, "Generator", "p", power["Generator"])
    injection = -clearing.net_import()
    zones = {zone: index for index, zone in enumerate(system.zones)}
    for index, (origin, corridor) in enumerate(zip(carried.corridors, system.corridors, strict=True)):
        if origin.component == "Link":  # what links move is injected too, as PyPSA counts it
            forward, backward = (part[:, index] for part in clearing.sent())
            kept = 1.0 - corridor.loss
            injection[:, zones[corridor.from_zone]] += backward * kept - forward
            injection[:, zones[corridor.to_zone]] += forward * kept - backward
    kept_share = {
        origin.name: 1.0 - corridor.loss
        for origin, corridor in zip(carried.corridors, system.corridors, strict=True)
        if origin.component == "Link"
    }
    fill(network, "Link", "p0", power["Link"])
    fill(network, "Link", "p1", {name: -flow * kept_share[name] for name, flow in power["Link"].items()})
    if "p" in network.components["Link"].dynamic:
        fill(network, "Link", "p", power["Link"])
    for component in ("Line", "Transformer"):
        fill(network, component, "p0", power[component])
        fill(network, component, "p1", {name: -flow for name, flow in power[component].items()})
    _write_stores(network, carried, clearing)
    _write_loads(network)
    fill(network, "Bus", "marginal_price", dict(zip(system.zones, clearing.price.T, strict=True)))
    fill(network, "Bus", "p", dict(zip(system.zones, injection.T, strict=True)))
    set_objective(network, clearing.net_cost)


def differences(
    system: System, bids: tuple[Bid, ...], clearing: Clearing, whole: str, mend: str
) -> Iterator[Fault]:
    """What of a clearing is not that of a system and its bids: names, hours or demand.

    whole: what the system stands for, in the messages.
    """
    ours, theirs = _labels(system, bids), _labels(clearing.system, clearing.bids)
    for kind, names in ours.items():
        if names != theirs[kind]:
            problem = f"has {len(theirs[kind])} {kind} and the {whole} {len(names)}, or they have other names"
            yield Fault("clearing", problem, mend, column=kind)
    demand, cleared = system.demand, clearing.system.demand
    if demand.shape == cleared.shape and not np.array_equal(demand, cleared):  # else named above
        off = float(np.abs(demand - cleared).max())
        problem = f"has demand that differs from the {whole}'s by up to {off:g} MW"
        yield Fault("clearing", problem, mend, column="demand")


def _labels(system: System, bids: tuple[Bid, ...]) -> dict[str, tuple[str, ...]]:
    return {
        "buses": tuple(system.zones),
        "plants": tuple(plant.name for plant in system.plants),
        "corridors": tuple(corridor.name for corridor in system.corridors),
        "stores": tuple(store.name for store in system.stores),
        "bids": tuple(bid.name for bid in bids),
        "snapshots": tuple(map(str, system.hours)),
    }


def _write_stores(network: Any, carried: Carried, clearing: Clearing) -> None:
    columns: dict[tuple[str, str], Table] = {}
    for index, origin in enumerate(carried.stores):
        charge, discharge = clearing.charge[:, index], clearing.discharge[:, index]
        values = {"p": discharge - charge}
        if origin.component == "StorageUnit":
            values |= {"p_dispatch": discharge, "p_store": charge}
            values |= {"state_of_charge": clearing.level[:, index], "spill": clearing.spill[:, index]}
        else:
            values["e"] = clearing.level[:, index]
        for attribute, series in values.items():
            columns.setdefault((origin.component, attribute), {})[origin.name] = series
    for (component, attribute), table in columns.items():
        fill(network, component, attribute, table)


def _write_loads(network: Any) -> None:
    loads = network.components["Load"]
    series, static = loads.dynamic["p_set"], loads.static
    table = {
        name: series[name].to_numpy(dtype=float)
        if name in series.columns
        else np.full(len(network.snapshots), float(static.at[name, "p_set"]))
        for name in static.index[static["active"].astype(bool)]
    }
    fill(network, "Load", "p", table)
