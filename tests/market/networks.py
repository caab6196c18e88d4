"""Small PyPSA networks, one for each shape that is carried over, built in code.

Every number is chosen so that the limits named in the function's first line bind in some snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pypsa

HOURS = pd.date_range("2025-01-01", periods=24, freq="h")
DAY = np.sin(np.arange(24) * np.pi / 12.0)
SCIGRID = Path(__file__).resolve().parent.parent / "data" / "scigrid_de.nc"


def empty(buses: str, **attributes: Any) -> Any:
    """A network of 24 hours with a bus for each letter."""
    network = pypsa.Network(snapshots=HOURS)
    for bus in buses:
        network.add("Bus", bus, **attributes)
    return network


def load(network: Any, bus: str, mean: float, swing: float) -> None:
    """A load that swings around its mean. [MW]"""
    network.add("Load", f"load {bus}", bus=bus, p_set=pd.Series(mean + swing * DAY, index=HOURS))


def plant(network: Any, name: str, bus: str, size: float, cost: Any, **more: Any) -> None:
    """A generator. [MW, USD/MWh]"""
    network.add("Generator", name, bus=bus, p_nom=size, marginal_cost=cost, **more)


def two_bus() -> Any:
    """Two buses and a link that runs both ways and is congested by day; one inactive plant."""
    network = empty("NS")
    load(network, "N", 100.0, 60.0)
    load(network, "S", 80.0, -50.0)
    plant(network, "coal", "N", 140.0, 20.0, p_min_pu=0.3)
    plant(network, "gas", "S", 200.0, 60.0)
    plant(network, "closed", "S", 500.0, 1.0, active=False)
    network.add("Link", "tie", bus0="N", bus1="S", p_nom=40.0, p_min_pu=-0.75)
    return network


def radial() -> Any:
    """A tree of four buses and three lines; a load that feeds in; a plant without a size."""
    network = empty("ABCD", v_nom=220.0)
    for bus, mean in zip("ABC", (40.0, 20.0, 30.0), strict=True):
        load(network, bus, mean, 8.0)
    load(network, "D", 5.0, 14.0)  # below 0 by night
    plant(network, "hydro", "A", 90.0, 5.0)
    plant(network, "oil", "C", np.inf, 120.0)
    for pair, size in (("AB", 50.0), ("BC", 25.0), ("BD", 20.0)):
        network.add("Line", pair, bus0=pair[0], bus1=pair[1], x=10.0, s_nom=size)
    return network


def meshed_links() -> Any:
    """A ring of four links that run both ways, each of another size, one of them by the hour."""
    network = empty("ABCD")
    for index, bus in enumerate("ABCD"):
        load(network, bus, 60.0 + 10.0 * index, 30.0 - 20.0 * index)
        plant(network, f"plant {bus}", bus, 80.0 + 25.0 * index, 15.0 + 12.0 * index)
    for pair, size in (("AB", 15.0), ("BC", 20.0), ("CD", 12.0), ("DA", 30.0)):
        network.add("Link", pair, bus0=pair[0], bus1=pair[1], p_nom=size, p_min_pu=-1.0)
    network.links_t.p_max_pu["AB"] = pd.Series(0.6 + 0.4 * DAY, index=HOURS)
    return network


def lossy_links() -> Any:
    """A pair of links that lose 3 % and 5 %, one for each way, at a cost; a third without limit."""
    network = empty("ABC")
    load(network, "A", 70.0, 50.0)
    load(network, "B", 70.0, -50.0)
    load(network, "C", 10.0, 5.0)
    plant(network, "a", "A", 90.0, 30.0)
    plant(network, "b", "B", 110.0, 32.0)
    plant(network, "peak", "A", 60.0, 200.0)
    network.add("Link", "there", bus0="A", bus1="B", p_nom=35.0, efficiency=0.97, marginal_cost=0.5)
    network.add("Link", "back", bus0="B", bus1="A", p_nom=25.0, efficiency=0.95, marginal_cost=0.5)
    network.add("Link", "on", bus0="B", bus1="C", p_nom=np.inf, efficiency=0.9)
    return network


def alternating_current() -> Any:
    """Five buses and seven lines, two of them parallel: Kirchhoff's law binds."""
    network = empty("ABCDE", v_nom=380.0)
    for bus, mean in zip("ABCDE", (20.0, 90.0, 60.0, 110.0, 40.0), strict=True):
        load(network, bus, mean, 0.3 * mean)
    plant(network, "cheap", "A", 400.0, 10.0)
    plant(network, "middle", "C", 200.0, 35.0)
    plant(network, "dear", "E", 300.0, 80.0)
    for name, start, end, x, size in (
        ("AB", "A", "B", 20.0, 90.0),
        ("AB2", "B", "A", 35.0, 60.0),  # parallel, and turned
        ("BC", "B", "C", 15.0, 70.0),
        ("CD", "C", "D", 25.0, 80.0),
        ("DE", "D", "E", 10.0, 60.0),
        ("EA", "E", "A", 30.0, 75.0),
        ("BD", "B", "D", 40.0, 50.0),
    ):
        network.add("Line", name, bus0=start, bus1=end, x=x, r=0.1 * x, s_nom=size, s_max_pu=0.9)
    return network


def mixed_current() -> Any:
    """Two meshed AC areas of two voltages with transformers and line types, a link and a DC ring."""
    network = empty("ABC", v_nom=220.0)
    for bus in "DE":
        network.add("Bus", bus, v_nom=380.0)
    for bus in "XYZ":
        network.add("Bus", bus, v_nom=200.0, carrier="DC")
    for bus, mean in zip("ABCDEX", (40.0, 60.0, 30.0, 80.0, 50.0, 30.0), strict=True):
        load(network, bus, mean, 0.2 * mean)
    plant(network, "hydro", "D", 320.0, 4.0)
    plant(network, "gas", "B", 250.0, 55.0)
    plant(network, "wind", "Z", 60.0, 0.0, p_max_pu=pd.Series(0.5 + 0.4 * DAY, index=HOURS))
    kind = "Al/St 240/40 2-bundle 220.0"
    for pair in ("AB", "BC", "CA"):
        network.add("Line", pair, bus0=pair[0], bus1=pair[1], type=kind, length=60.0, s_nom=22.0)
    network.add("Line", "DE", bus0="D", bus1="E", x=12.0, s_nom=150.0)
    network.add("Transformer", "DA", bus0="D", bus1="A", x=0.1, s_nom=60.0)
    network.add("Transformer", "EB", bus0="E", bus1="B", x=0.12, s_nom=70.0, tap_ratio=1.02)
    for pair, resistance in (("XY", 1.0), ("YZ", 2.0), ("ZX", 1.5)):
        network.add("Line", pair, bus0=pair[0], bus1=pair[1], r=resistance, s_nom=35.0)
    network.add("Link", "converter", bus0="Y", bus1="C", p_nom=25.0, p_min_pu=-1.0)
    return network


def hydro() -> Any:
    """A reservoir with inflow that is a cycle and spills, and a pumped store that starts half full."""
    network = empty("AB")
    load(network, "A", 100.0, 40.0)
    load(network, "B", 50.0, 20.0)
    plant(network, "coal", "A", 110.0, 25.0)
    plant(network, "oil", "B", 100.0, 140.0)
    network.add("Link", "tie", bus0="A", bus1="B", p_nom=45.0, p_min_pu=-1.0)
    inflow = pd.Series(20.0 + 18.0 * np.roll(DAY, 6), index=HOURS)
    dam = {"p_min_pu": 0.0, "inflow": inflow, "cyclic_state_of_charge": True, "marginal_cost": 1.5}
    network.add("StorageUnit", "dam", bus="B", p_nom=30.0, max_hours=3.0, efficiency_dispatch=0.9, **dam)
    pump = {"efficiency_store": 0.87, "efficiency_dispatch": 0.93, "state_of_charge_initial": 60.0}
    network.add("StorageUnit", "pump", bus="A", p_nom=20.0, max_hours=6.0, **pump)
    return network


def battery() -> Any:
    """A battery of PyPSA's textbook form: a store on a bus of its own with a charger and a discharger."""
    network = empty("AB")
    load(network, "A", 80.0, 35.0)
    plant(network, "sun", "A", 150.0, 0.0, p_max_pu=pd.Series(np.maximum(DAY, 0.0), index=HOURS))
    plant(network, "gas", "A", 90.0, 70.0)
    network.add("Store", "cells", bus="B", e_nom=120.0, e_cyclic=True)
    network.add("Store", "tank", bus="A", e_nom=30.0, e_initial=10.0, e_max_pu=0.8)
    network.add("Link", "charger", bus0="A", bus1="B", p_nom=40.0, efficiency=0.95, marginal_cost=0.1)
    network.add("Link", "discharger", bus0="B", bus1="A", p_nom=40.0, efficiency=0.94)
    return network


def flexible_demand() -> Any:
    """Demand with a value, written in both of PyPSA's ways, and a market outside that buys and sells."""
    network = empty("A")
    load(network, "A", 50.0, 20.0)
    plant(network, "steam", "A", 100.0, pd.Series(30.0 + 20.0 * DAY, index=HOURS))
    plant(network, "gas", "A", 60.0, 65.0)
    plant(network, "smelter", "A", 30.0, 45.0, p_min_pu=-1.0, p_max_pu=0.0)
    plant(network, "mine", "A", 25.0, -38.0, sign=-1.0)
    plant(network, "abroad", "A", 15.0, 52.0, p_min_pu=-1.0)
    plant(network, "boiler", "A", 20.0, -60.0, sign=-1.0, e_sum_max=200.0)
    plant(network, "contract", "A", 10.0, 90.0, e_sum_min=48.0)
    return network


def gas_to_power() -> Any:
    """Gas and electricity: a well of no size, a gas store, a power plant as a link of 55 %."""
    network = empty("")
    network.add("Bus", "gas", carrier="gas")
    network.add("Bus", "power", carrier="AC")
    load(network, "power", 100.0, 40.0)
    network.add("Load", "heating", bus="gas", p_set=30.0)
    plant(network, "well", "gas", np.inf, 20.0)
    plant(network, "cheap cargo", "gas", 120.0, 8.0, e_sum_max=1500.0)
    plant(network, "wind", "power", 80.0, 0.0, p_max_pu=pd.Series(0.5 - 0.45 * DAY, index=HOURS))
    network.add("Store", "cavern", bus="gas", e_nom=400.0, e_initial=100.0)
    network.add("Link", "turbine", bus0="gas", bus1="power", p_nom=260.0, efficiency=0.55, marginal_cost=2.0)
    return network


def scarcity() -> Any:
    """Too little capacity: load is shed by generators at 3,000 and 1,000 USD/MWh."""
    network = empty("NS")
    load(network, "N", 120.0, 50.0)
    load(network, "S", 60.0, 30.0)
    plant(network, "coal", "N", 100.0, 22.0)
    plant(network, "gas", "S", 70.0, 58.0)
    plant(network, "shed N", "N", 1e4, 3000.0)
    plant(network, "shed S", "S", np.inf, 1000.0)
    network.add("Link", "tie", bus0="N", bus1="S", p_nom=20.0, p_min_pu=-1.0)
    return network


def odd_snapshots() -> Any:
    """Snapshots that are no hours of a calendar; costs and limits that change with each."""
    network = pypsa.Network(snapshots=[f"case {index}" for index in range(10)])
    random = np.random.default_rng(5)
    network.add("Bus", "A")
    network.add("Bus", "B")
    for bus in "AB":
        network.add("Load", bus, bus=bus, p_set=pd.Series(random.uniform(20, 80, 10), network.snapshots))
        for kind in ("one", "two"):
            cost = pd.Series(random.uniform(-5, 90, 10), network.snapshots)
            available = pd.Series(random.uniform(0.6, 1.0, 10), network.snapshots)
            plant(network, f"{kind} {bus}", bus, 90.0, 0.0, p_max_pu=available)
            network.generators_t.marginal_cost[f"{kind} {bus}"] = cost
    for _, name in enumerate(("A", "tie")):  # one link has the name of a load
        network.add("Link", name, bus0="A", bus1="B", p_nom=12.0, p_min_pu=-0.5)
    return network


def scigrid() -> Any:
    """The German transmission grid, 585 buses and 24 hours (tests/data/SOURCES.md)."""
    return pypsa.Network(SCIGRID)


NETWORKS: dict[str, Callable[[], Any]] = {
    make.__name__: make
    for make in (
        *(two_bus, radial, meshed_links, lossy_links, alternating_current, mixed_current, hydro),
        *(battery, flexible_demand, gas_to_power, scarcity, odd_snapshots, scigrid),
    )
}
