"""The result tables of a PyPSA network, filled from a `Clearing`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from penstock.errors import Fault, NetworkError

from .clearing import Clearing
from .pypsa_carry import Carried
from .system import FloatArray

__all__ = ["fill", "set_objective", "write_carried"]

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
    _check(carried, clearing)
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


def _check(carried: Carried, clearing: Clearing) -> None:
    ours, theirs = carried.system, clearing.system
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("buses", ours.zones, theirs.zones),
        *(
            (kind, tuple(p.name for p in getattr(ours, kind)), tuple(p.name for p in getattr(theirs, kind)))
            for kind in ("plants", "corridors", "stores")
        ),
        ("bids", tuple(bid.name for bid in carried.bids), tuple(bid.name for bid in clearing.bids)),
        ("snapshots", tuple(map(str, ours.hours)), tuple(map(str, theirs.hours))),
    )
    faults = [
        Fault(
            "clearing",
            f"has {len(theirs_)} {kind} and the network {len(ours_)}, or they have other names",
            "clear what from_pypsa made of this very network",
            column=kind,
        )
        for kind, ours_, theirs_ in pairs
        if ours_ != theirs_
    ]
    if faults:
        raise NetworkError(faults)


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
