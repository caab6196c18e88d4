"""The same market as a PyPSA network, built as its users would build it, and cleared by `optimize`.

Nothing of Penstock's own model is used: zones are buses; firm demand is a load beside a generator that sheds
it; bids are generators that take; a lossy corridor is two one-way links; stores are storage units.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from penstock.market import System, hour_series
from penstock.market.system import FloatArray, Hourly

from .systems import Market

__all__ = ["available", "build", "optimise"]

_Row = dict[str, Any]


def available() -> str:
    """PyPSA's version, or nothing where it is not installed."""
    with _quiet():
        try:
            return str(importlib.import_module("pypsa").__version__)
        except ImportError:
            return ""


@contextmanager
def _quiet() -> Iterator[None]:
    """PyPSA's and linopy's warnings and progress are not ours to pass on."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def build(market: Market) -> Any:
    """The network, with everything in it but the energy budgets, which `optimise` adds as constraints."""
    system = market.system
    if any(line.reactance is not None or line.cost for line in system.corridors):
        raise NotImplementedError("corridors with a reactance or a cost")
    with _quiet():
        network = importlib.import_module("pypsa").Network()
        network.set_snapshots(pd.DatetimeIndex(system.hours))
        network.add("Bus", list(system.zones))
        demand = pd.DataFrame(system.demand, network.snapshots, list(system.zones))
        network.add("Load", list(system.zones), bus=list(system.zones), p_set=demand)
        _add_generators(network, _generators(market))
        _add_links(network, system)
        _add_stores(network, system)
    return network


def _scaled(values: Hourly, hours: int) -> tuple[float, Any]:
    """Largest value, and the hourly values as shares of it."""
    series = hour_series(values, hours)
    most = max(float(series.max()), 1e-3)
    return most, series / most if np.ptp(series) else float(series[0]) / most


def _generators(market: Market) -> list[_Row]:
    """Plants; bids as generators that take; unserved demand and energy left over of every zone."""
    system, hours = market.system, market.system.hour_count
    rows: list[_Row] = []
    for plant in system.plants:
        most, share = _scaled(plant.available, hours)
        least: Any = np.minimum(hour_series(plant.minimum, hours) / most, share)
        least = least if np.ptp(least) else float(least[0])
        rows.append(_row(plant.name, plant.zone, most, least, share, plant.cost))
    for bid in market.bids:
        most, share = _scaled(bid.quantity, hours)
        rows.append(_row(bid.name, bid.zone, most, -share, 0.0, bid.value))
    dumped = _most_dumped(system)
    for index, zone in enumerate(system.zones):
        most, share = _scaled(system.demand[:, index], hours)
        rows.append(_row(f"shed {zone}", zone, most, 0.0, share, system.value_of_lost_load))
        rows.append(_row(f"dump {zone}", zone, dumped, -1.0, 0.0, -system.disposal_cost))
    return rows


def _row(name: str, zone: str, most: float, low: Hourly, high: Hourly, cost: Hourly) -> _Row:
    return {
        "name": name,
        "bus": zone,
        "p_nom": most,
        "p_min_pu": low,
        "p_max_pu": high,
        "marginal_cost": cost,
    }


def _add_generators(network: Any, rows: list[_Row]) -> None:
    """All that vary in the same quantities with one call, which is many times faster than one call each."""
    kinds: dict[tuple[str, ...], list[_Row]] = {}
    for row in rows:
        kinds.setdefault(tuple(key for key in row if isinstance(row[key], np.ndarray)), []).append(row)
    for varying, alike in kinds.items():
        names = [row["name"] for row in alike]
        columns: dict[str, Any] = {}
        for key in ("bus", "p_nom", "p_min_pu", "p_max_pu", "marginal_cost"):
            values = [row[key] for row in alike]
            columns[key] = (
                pd.DataFrame(np.stack(values, axis=1), network.snapshots, names) if key in varying else values
            )
        network.add("Generator", names, **columns)


def _most_dumped(system: System) -> float:
    """All must-run output at its highest: more is never left over."""
    total = np.zeros(system.hour_count)
    for plant in system.plants:
        total += hour_series(plant.minimum, system.hour_count)
    return max(float(total.max()), 1.0)


def _add_links(network: Any, system: System) -> None:
    hours = system.hour_count
    for line in system.corridors:
        forward, backward = hour_series(line.forward_limit, hours), hour_series(line.backward_limit, hours)
        ends = {"bus0": line.from_zone, "bus1": line.to_zone}
        if line.loss == 0.0:
            most = max(float(forward.max()), float(backward.max()), 1e-3)
            limits = {"p_max_pu": forward / most, "p_min_pu": -backward / most}
            network.add("Link", line.name, **ends, p_nom=most, **limits)
            continue
        kept = 1.0 - line.loss
        most, share = _scaled(line.forward_limit, hours)
        network.add("Link", f"{line.name} forth", **ends, p_nom=most, p_max_pu=share, efficiency=kept)
        most, share = _scaled(line.backward_limit, hours)
        ends = {"bus0": line.to_zone, "bus1": line.from_zone}
        network.add("Link", f"{line.name} back", **ends, p_nom=most, p_max_pu=share, efficiency=kept)


def _add_stores(network: Any, system: System) -> None:
    for store in system.stores:
        power = max(store.discharge_limit, 1e-3)
        network.add(
            "StorageUnit",
            store.name,
            bus=store.zone,
            p_nom=power,
            p_min_pu=-store.charge_limit / power,
            p_max_pu=store.discharge_limit / power,
            max_hours=store.energy_limit / power,
            efficiency_store=store.charge_efficiency,
            efficiency_dispatch=store.discharge_efficiency,
            inflow=hour_series(store.inflow, system.hour_count),
            cyclic_state_of_charge=store.initial_level is None,
            state_of_charge_initial=store.initial_level or 0.0,
            marginal_cost=store.discharge_cost,
        )


def optimise(market: Market, network: Any) -> float:
    """Clear the network with HiGHS on one thread and give its objective. [USD]"""
    bids = {bid.name for bid in market.bids}

    def budgets(network: Any, snapshots: Any) -> None:
        output = network.model["Generator-p"]
        for budget in market.system.budgets:
            period = pd.Series(budget.period, pd.Index(snapshots, name="snapshot"), name="period").to_xarray()
            sign = [-1.0 if name in bids else 1.0 for name in budget.members]
            energy = sum(
                output.sel(name=name, drop=True) * weight
                for name, weight in zip(budget.members, sign, strict=True)
            )
            energy = energy.groupby(period).sum()
            for kind, limit in (("least", budget.minimum), ("most", budget.maximum)):
                _limit(network.model, energy, np.asarray(limit), f"{kind} {budget.name}")

    with _quiet():
        status = network.optimize(
            solver_name="highs",
            solver_options={"threads": 1, "output_flag": False, "log_to_console": False},
            extra_functionality=budgets if market.system.budgets else None,
            progress=False,
        )
    if tuple(status) != ("ok", "optimal"):
        raise RuntimeError(f"PyPSA ended with {status}")
    return float(network.objective)


def _limit(model: Any, energy: Any, limit: FloatArray, name: str) -> None:
    given = np.flatnonzero(np.isfinite(limit))
    if len(given) == 0:
        return
    part = energy.sel(period=given)
    bound = pd.Series(limit[given], pd.Index(given, name="period")).to_xarray()
    model.add_constraints(part >= bound if name.startswith("least") else part <= bound, name=name)
