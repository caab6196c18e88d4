"""PyPSA networks in and out: the same least cost, nothing dropped in silence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pypsa
import pytest

from penstock.errors import InfeasibleError, NetworkError
from penstock.market import (
    Bid,
    Corridor,
    EnergyBudget,
    Plant,
    Store,
    System,
    clear,
    from_pypsa,
    to_pypsa,
)
from penstock.market.pypsa_attributes import _CARRIED, _IRRELEVANT
from penstock.market.pypsa_bridge import quiet, write_result
from penstock.market.pypsa_files import clear_file, read_network, write_network

from .networks import HOURS, NETWORKS, empty, load, plant, scigrid, two_bus

HOUR = np.datetime64("2025-03-01T00") + np.arange(24)
#: Objective of SciGRID-DE as PyPSA 1.4 with HiGHS gives it (tests/data/SOURCES.md). [EUR]
SCIGRID_OBJECTIVE = 6_684_817.32


def made(name: str) -> Any:
    with quiet():
        return NETWORKS[name]()


def optimised(network: Any) -> Any:
    """The network as PyPSA's own optimiser leaves it."""
    with quiet():
        status = network.optimize(
            solver_name="highs",
            solver_options={"output_flag": False},
            progress=False,
            include_objective_constant=False,
        )
    assert status == ("ok", "optimal")
    return network


def places(error: NetworkError) -> set[tuple[str, str | None]]:
    return {(fault.place, fault.column) for fault in error.faults}


def refused(network: Any) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        from_pypsa(network)
    return caught.value


def imbalance(network: Any) -> float:
    """Largest sum of PyPSA's own result tables at a bus. [MW]"""
    total = pd.DataFrame(0.0, index=network.snapshots, columns=network.components["Bus"].static.index)
    for component, end, power, sign in (
        *((name, "bus", "p", 1.0) for name in ("Generator", "StorageUnit", "Store", "Load")),
        *((name, f"bus{end}", f"p{end}", -1.0) for name in ("Link", "Line", "Transformer") for end in "01"),
    ):
        found = network.components[component]
        table = found.dynamic[power]
        table = table * sign * (found.static["sign"][table.columns] if "sign" in found.static else 1.0)
        at_bus = table.T.groupby(found.static[end][table.columns].to_numpy()).sum().T
        total = total.add(at_bus, fill_value=0.0)
    return float(np.abs(total.to_numpy()).max())


# --- the same least cost ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_least_cost_is_that_of_pypsa(name: str) -> None:
    network = made(name)
    system, bids = from_pypsa(network)
    clearing = clear(system, bids)
    optimised(network)
    assert clearing.net_cost == pytest.approx(network.objective, rel=1e-6)
    assert imbalance(network) < 1e-5
    write_result(network, clearing)
    assert network.objective == clearing.net_cost
    assert imbalance(network) < 1e-5
    if name == "scigrid":
        assert clearing.net_cost == pytest.approx(SCIGRID_OBJECTIVE, abs=0.01)


@pytest.mark.parametrize("name", ["alternating_current", "mixed_current", "hydro", "lossy_links"])
def test_results_stand_where_pypsa_puts_them(name: str) -> None:
    """These optima are unique in what is compared."""
    network = made(name)
    system, bids = from_pypsa(network)
    with quiet():
        ours = network.copy()
    write_result(ours, clear(system, bids, engine="highs"))
    theirs = optimised(network)
    for component, attributes in (("Bus", ("marginal_price", "p")), ("Line", ("p0", "p1"))):
        for attribute in attributes:
            mine, expected = (n.components[component].dynamic[attribute] for n in (ours, theirs))
            np.testing.assert_allclose(mine[expected.columns], expected, atol=1e-5)
    cost = ours.components["Generator"].static["marginal_cost"]
    paid = float((ours.components["Generator"].dynamic["p"] * cost).sum().sum())
    assert paid == pytest.approx(
        float((theirs.components["Generator"].dynamic["p"] * cost).sum().sum()), rel=1e-9
    )


def test_the_network_is_not_changed() -> None:
    network = made("mixed_current")
    before = network.copy()
    from_pypsa(network)
    for component in network.components:
        pd.testing.assert_frame_equal(component.static, before.components[component.name].static)


def test_what_the_parts_become() -> None:
    system, bids = from_pypsa(made("flexible_demand"))
    plants = {part.name: part for part in system.plants}
    taking = {bid.name: bid for bid in bids}
    assert set(taking) == {"smelter", "mine", "abroad (taking)", "boiler"}
    assert (taking["smelter"].quantity, taking["smelter"].value) == (30.0, 45.0)
    assert (taking["mine"].quantity, taking["mine"].value) == (25.0, 38.0)
    assert (taking["abroad (taking)"].quantity, plants["abroad"].available) == (15.0, 15.0)
    budgets = {budget.members: (budget.minimum[0], budget.maximum[0]) for budget in system.budgets}
    assert budgets == {("boiler",): (-np.inf, 200.0), ("contract",): (48.0, np.inf)}
    assert np.isinf(system.value_of_lost_load)
    assert np.isinf(system.disposal_cost)


def test_a_load_that_feeds_in_is_a_plant_that_must_run() -> None:
    network = made("radial")
    system, _ = from_pypsa(network)
    fed = next(part for part in system.plants if part.name == "negative load at D")
    at_bus = network.loads_t.p_set["load D"].to_numpy()
    np.testing.assert_allclose(fed.minimum, np.maximum(-at_bus, 0.0))
    np.testing.assert_allclose(system.demand[:, 3], np.maximum(at_bus, 0.0))


def test_a_plant_without_size_gets_the_most_that_can_be_taken() -> None:
    # At C: demand of at most 38 MW, and a line of 25 MW that leads away.
    system, _ = from_pypsa(made("radial"))
    oil = next(part for part in system.plants if part.name == "oil")
    assert oil.available == pytest.approx(38.0 + 25.0)


def test_sizes_that_nothing_bounds_are_refused() -> None:
    network = empty("AB")
    load(network, "A", 50.0, 0.0)
    plant(network, "p", "A", np.inf, 20.0)
    network.add("Link", "there", bus0="A", bus1="B", p_nom=np.inf, efficiency=0.9)
    network.add("Link", "back", bus0="B", bus1="A", p_nom=np.inf)
    assert {place for place, _ in places(refused(network))} == {
        "plant p",
        "corridor there",
        "corridor back",
    }


def test_a_grid_of_lines_without_size_is_bounded_by_all_that_is_taken() -> None:
    network = empty("ABC")
    for bus in "ABC":
        load(network, bus, 50.0, 20.0)
    plant(network, "p", "A", np.inf, 20.0)
    plant(network, "q", "B", 60.0, 10.0)
    for pair in ("AB", "BC", "CA"):
        network.add("Line", pair, bus0=pair[0], bus1=pair[1], x=0.1, s_nom=np.inf)
    system, bids = from_pypsa(network)
    assert clear(system, bids).net_cost == pytest.approx(optimised(network).objective, rel=1e-9)


def test_snapshots_that_are_no_hours_are_numbered() -> None:
    system, _ = from_pypsa(made("odd_snapshots"))
    assert [str(system.hours[0]), str(system.hours[-1])] == ["2000-01-01T00", "2000-01-01T09"]
    system, _ = from_pypsa(made("two_bus"))
    assert str(system.hours[0]) == "2025-01-01T00"


def test_scarcity_without_shedding_is_infeasible_and_says_where() -> None:
    network = made("scarcity")
    with quiet():
        network.remove("Generator", ["shed N", "shed S"])
    system, bids = from_pypsa(network)
    with pytest.raises(InfeasibleError, match=r"zone N, hour 2025-01-01T0.Z: demand of .* MW are missing"):
        clear(system, bids)


# --- refusals --------------------------------------------------------------------------------------------


def test_ten_things_that_cannot_be_carried_are_named_at_once() -> None:
    network = made("mixed_current")
    plant(network, "unit", "A", 50.0, 10.0, committable=True, start_up_cost=100.0, min_up_time=3)
    plant(network, "new", "A", 50.0, 10.0, p_nom_extendable=True, p_nom_max=90.0)
    plant(network, "slow", "A", 50.0, 10.0, ramp_limit_up=0.1, marginal_cost_quadratic=0.01)
    plant(network, "fixed", "A", 50.0, 10.0, p_set=pd.Series(5.0, index=HOURS))
    network.add("Link", "heat pump", bus0="A", bus1="B", p_nom=5.0, efficiency=3.0)
    network.add("Link", "gainer", bus0="A", bus1="B", p_nom=5.0, efficiency=0.9, p_min_pu=-1.0)
    network.add("Link", "earner", bus0="A", bus1="B", p_nom=5.0, marginal_cost=1.0, p_min_pu=-1.0)
    network.add("Link", "three", bus0="A", bus1="B", bus2="C", p_nom=5.0)
    network.add("Link", "late", bus0="A", bus1="B", p_nom=5.0, delay=1)
    network.add("Store", "leaky", bus="A", e_nom=5.0, standing_loss=0.01, marginal_cost=1.0)
    network.add("StorageUnit", "held", bus="A", p_nom=5.0, state_of_charge_set=pd.Series(1.0, index=HOURS))
    network.add("GlobalConstraint", "cap", sense="<=", constant=10.0)
    network.add("Carrier", "wind", max_growth=5.0)
    network.transformers.loc["DA", "phase_shift"] = 30.0
    network.lines.loc["AB", "v_ang_max"] = 20.0
    assert places(refused(network)) == {
        ("Generator unit", "committable"),
        ("Generator unit", "start_up_cost"),
        ("Generator unit", "min_up_time"),
        ("Generator new", "p_nom_extendable"),
        ("Generator new", "p_nom_max"),
        ("Generator slow", "ramp_limit_up"),
        ("Generator slow", "marginal_cost_quadratic"),
        ("Generator fixed", "p_set"),
        ("Link heat pump", "efficiency"),
        ("Link gainer", "efficiency"),
        ("Link earner", "marginal_cost"),
        ("Link three", "bus2"),
        ("Link late", "delay"),
        ("Store leaky", "standing_loss"),
        ("Store leaky", "marginal_cost"),
        ("StorageUnit held", "state_of_charge_set"),
        ("GlobalConstraint cap", None),
        ("Carrier wind", "max_growth"),
        ("Transformer DA", "phase_shift"),
        ("Line AB", "v_ang_max"),
    }


def one_of_each() -> Any:
    network = empty("AB")
    load(network, "A", 50.0, 0.0)
    plant(network, "g", "A", 100.0, 10.0)
    ends = {"bus0": "A", "bus1": "B"}
    network.add("Link", "l", **ends, p_nom=1.0)
    network.add("Line", "l", **ends, s_nom=1.0, x=1.0)
    network.add("Transformer", "l", **ends, s_nom=1.0, x=1.0)
    network.add("StorageUnit", "s", bus="A", p_nom=1.0)
    network.add("Store", "s", bus="A", e_nom=1.0)
    return network


def other_value(defaults: pd.Series) -> Any:
    kind = str(defaults["type"])
    if kind == "boolean":
        return not defaults["default"]
    return "other" if kind == "string" else 7 if kind == "int" else 0.125


@pytest.mark.parametrize("component", _CARRIED)
def test_every_input_attribute_of_pypsa_is_carried_irrelevant_or_refused(component: str) -> None:
    network = one_of_each()
    defaults = network.components[component].defaults
    inputs = set(defaults.index[defaults["status"].str.contains("Input")])
    known = {*_CARRIED[component], *_IRRELEVANT[component]}
    assert known - inputs <= {*("type", "carrier", "control", "q_set", "weight")}
    static = network.components[component].static
    name = static.index[0]
    refusable = sorted(inputs - known)
    for attribute in refusable:
        static[attribute] = static[attribute].astype(object)
        static.at[name, attribute] = other_value(defaults.loc[attribute])
    if refusable:
        named = {column for place, column in places(refused(network)) if place == f"{component} {name}"}
        assert named >= set(refusable)
    assert refusable or component == "Load"


def test_switched_off_attributes_and_inactive_components_do_no_harm() -> None:
    network = made("two_bus")
    network.generators.loc["coal", ["start_up_cost", "min_up_time", "p_nom_max", "capital_cost"]] = 5
    network.generators.loc["closed", "committable"] = True
    system, bids = from_pypsa(network)
    assert clear(system, bids).net_cost == pytest.approx(optimised(two_bus()).objective, rel=1e-9)


def test_a_network_that_is_no_dispatch_of_hours_is_refused_as_a_whole() -> None:
    network = made("two_bus")
    network.snapshot_weightings.loc[:, "objective"] = 3.0
    assert places(refused(network)) == {("Network", "snapshot_weightings.objective")}
    assert places(refused(pypsa.Network())) == {("Network", "buses")}
    network = made("two_bus")
    with quiet():
        network.set_scenarios({"low": 0.5, "high": 0.5})
    assert places(refused(network)) == {("Network", "scenarios")}
    with quiet():
        periods = pypsa.Network(snapshots=HOURS[:2])
        periods.investment_periods = [2025, 2030]
    assert places(refused(periods)) == {("Network", "investment_periods")}


def test_values_out_of_range_are_named_at_once() -> None:
    network = empty("AB")
    plant(network, "must take", "A", 10.0, 5.0, p_min_pu=-1.0, p_max_pu=-0.5)
    plant(network, "crossed", "A", 10.0, 5.0, p_min_pu=0.9, p_max_pu=0.5)
    plant(network, "half", "A", 10.0, 5.0, sign=0.5)
    plant(network, "none", "A", 10.0, 5.0)
    network.generators.loc["none", "p_nom"] = float("nan")
    plant(network, "lost", "C", 10.0, 5.0)
    plant(network, "both", "A", 10.0, 5.0, p_min_pu=-1.0, e_sum_max=10.0)
    network.add("Link", "must", bus0="A", bus1="B", p_nom=5.0, p_min_pu=0.5)
    network.add("Link", "ring", bus0="A", bus1="A", p_nom=5.0)
    network.add("Link", "changing", bus0="A", bus1="B", p_nom=5.0)
    network.links_t.efficiency["changing"] = pd.Series(np.linspace(0.5, 0.9, 24), index=HOURS)
    for name in ("one", "two"):
        network.add("Line", name, bus0="A", bus1="B", s_nom=5.0, x=0.0)
    assert places(refused(network)) >= {
        ("Generator must take", "p_max_pu"),
        ("Generator crossed", "p_min_pu"),
        ("Generator half", "sign"),
        ("Generator none", "p_nom"),
        ("Generator lost", "bus"),
        ("Generator both", "e_sum_max"),
        ("Link must", "p_min_pu"),
        ("Link ring", "bus1"),
        ("Link changing", "efficiency"),
        ("Line one", "x"),
        ("Line two", "x"),
    }


def test_a_line_that_closes_no_cycle_needs_no_impedance() -> None:
    network = empty("AB")
    load(network, "B", 50.0, 0.0)
    plant(network, "g", "A", 100.0, 10.0)
    network.add("Line", "l", bus0="A", bus1="B", s_nom=60.0)
    system, _ = from_pypsa(network)
    assert [corridor.reactance for corridor in system.corridors] == [None]


def test_a_clearing_of_another_system_is_not_written() -> None:
    system, bids = from_pypsa(made("two_bus"))
    with pytest.raises(NetworkError) as caught:
        write_result(made("battery"), clear(system, bids))
    assert {column for _, column in places(caught.value)} >= {"buses", "plants", "corridors", "stores"}


@pytest.mark.parametrize("what", [5, "network.nc", None])
def test_what_is_no_network_object_is_refused(what: object) -> None:
    with pytest.raises(NetworkError, match=f"is no pypsa.Network but a {type(what).__name__}"):
        from_pypsa(what)


def test_names_like_those_made_up_here_do_not_collide() -> None:
    network = empty("A")
    load(network, "A", -30.0, 0.0)
    network.add("Load", "town", bus="A", p_set=20.0)
    plant(network, "negative load at A", "A", 10.0, 5.0)
    plant(network, "abroad", "A", 40.0, 8.0, p_min_pu=-1.0)
    plant(network, "abroad (taking)", "A", 40.0, 9.0, p_min_pu=-1.0, p_max_pu=0.0)
    system, bids = from_pypsa(network)
    made_up = {"negative load at A 2", "abroad (taking) 2"}
    names = [plant.name for plant in system.plants] + [bid.name for bid in bids]
    assert len(set(names)) == len(names)
    assert made_up < set(names)
    clearing = clear(system, bids)
    write_result(network, clearing)
    assert imbalance(network) < 1e-5
    assert clearing.net_cost == pytest.approx(optimised(network).objective, rel=1e-9)


def test_a_level_to_begin_with_above_the_limit_is_refused() -> None:
    network = empty("A")
    load(network, "A", 50.0, 0.0)
    plant(network, "g", "A", 100.0, 10.0)
    network.add("Store", "tank", bus="A", e_nom=5.0, e_initial=6.0)
    network.add("StorageUnit", "dam", bus="A", p_nom=5.0, max_hours=2.0, state_of_charge_initial=11.0)
    message = str(refused(network))
    assert "tank" in message
    assert "dam" in message


# --- our systems as networks -----------------------------------------------------------------------------


def our_system(**changes: Any) -> tuple[System, list[Bid]]:
    day = np.sin(np.arange(24) * np.pi / 12.0)
    parts: dict[str, Any] = {
        "hours": HOUR,
        "zones": ("N", "S", "W"),
        "demand": np.stack([90.0 + 50.0 * day, 60.0 - 30.0 * day, 40.0 + 10.0 * day], axis=1),
        "value_of_lost_load": 2000.0,
        "plants": (
            Plant("hydro", "N", 2.0, 60.0 + 30.0 * day, minimum=70.0 * np.ones(24) - 45.0, curtailable=True),
            Plant("coal", "S", 30.0 + 5.0 * day, 80.0),
            Plant("oil", "W", 150.0, 45.0),
            Plant("fixed", "W", 9.0, 30.0, minimum=30.0),
        ),
        "corridors": (
            Corridor("ns", "N", "S", 30.0, 0.0, 0.04, 0.5),
            Corridor("sn", "N", "S", 4.0, 20.0, 0.0, 1.5),
            Corridor("sw", "S", "W", 25.0, 25.0 + 5.0 * day),
            Corridor("nw", "N", "W", 15.0, 15.0, reactance=0.2),
            Corridor("wn", "W", "N", 12.0, 12.0, reactance=0.3),
        ),
        "stores": (
            Store("dam", "N", 90.0, 0.0, 25.0, 1.0, 0.9, inflow=12.0 + 8.0 * day, discharge_cost=1.0),
            Store("battery", "S", 40.0, 10.0, 12.0, 0.95, 0.95, initial_level=20.0),
        ),
        "budgets": (
            EnergyBudget("contract", ("oil",), np.zeros(24, int), np.array([60.0]), np.array([400.0])),
        ),
    }
    system = System(**{**parts, **changes})
    return system, [Bid("mine", "S", 20.0 + 5.0 * day, 55.0), Bid("smelter", "N", 15.0, 28.0 + 9.0 * day)]


@pytest.mark.parametrize("disposal", [0.0, 3.0, np.inf])
def test_round_trip_keeps_the_least_cost(disposal: float) -> None:
    system, bids = our_system(disposal_cost=disposal)
    clearing = clear(system, bids)
    network = to_pypsa(system, bids, clearing)
    assert network.objective == clearing.net_cost
    assert imbalance(network) < 1e-5
    again, bids_again = from_pypsa(network)
    assert clear(again, bids_again).net_cost == pytest.approx(clearing.net_cost, rel=1e-9)
    assert optimised(network).objective == pytest.approx(clearing.net_cost, rel=1e-9)


def test_what_pypsa_has_no_place_for_is_named_at_once() -> None:
    half = np.repeat([0, 1], 12)
    system, bids = our_system(
        budgets=(
            EnergyBudget("halves", ("oil",), half, np.zeros(2), np.full(2, 500.0)),
            EnergyBudget("two", ("coal", "hydro"), np.zeros(24, int), np.zeros(1), np.full(1, 1e4)),
        ),
        corridors=(Corridor("nw", "N", "W", 15.0, 10.0, reactance=0.2),),
        stores=(Store("pond", "N", 5.0, 0.0, 0.0, inflow=1.0),),
    )
    with pytest.raises(NetworkError) as caught:
        to_pypsa(system, bids)
    assert places(caught.value) == {
        ("energy budget halves", None),
        ("energy budget two", None),
        ("corridor nw", "backward_limit"),
        ("store pond", "discharge_limit"),
    }


def test_a_clearing_is_given_with_the_system_and_bids_it_is_one_of() -> None:
    system, bids = our_system()
    clearing = clear(system, bids)
    equal, _ = our_system()
    assert to_pypsa(equal, bids, clearing).objective == clearing.net_cost
    more, _ = our_system(demand=system.demand + 1.0)
    fewer, _ = our_system(plants=system.plants[:3], budgets=())
    for other, with_bids, column in (
        (more, bids, "demand"),
        (fewer, bids, "plants"),
        (system, bids[:1], "bids"),
    ):
        with pytest.raises(NetworkError) as caught:
            to_pypsa(other, with_bids, clearing)
        assert places(caught.value) == {("clearing", column)}
    with pytest.raises(NetworkError) as caught:
        to_pypsa(*from_pypsa(made("two_bus")), clearing)
    assert places(caught.value) >= {("clearing", "buses"), ("clearing", "plants")}


# --- files, and PyPSA that is not there ------------------------------------------------------------------


@pytest.mark.parametrize("target", ["cleared.nc", "folder"])
def test_a_cleared_network_opens_with_pypsa(target: str, tmp_path: Path) -> None:
    network = made("hydro")
    system, bids = from_pypsa(network)
    clearing = clear(system, bids)
    write_result(network, clearing)
    path = tmp_path / "new" / target
    write_network(network, path)
    with quiet():
        opened = pypsa.Network(path)
    assert opened.objective == pytest.approx(clearing.net_cost, rel=1e-12)
    assert opened.is_solved
    for component, attribute in (("Generator", "p"), ("Bus", "marginal_price"), ("StorageUnit", "p")):
        np.testing.assert_allclose(
            opened.components[component].dynamic[attribute],
            network.components[component].dynamic[attribute],
            atol=1e-12,
        )


def fails_half_way(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Every writer of PyPSA leaves something behind and stops."""

    def export(_: Any, path: Path) -> None:
        if path.suffix:
            path.write_text("half")
        else:
            path.mkdir()
            (path / "buses.csv").write_text("half")
        raise error

    for name in ("export_to_netcdf", "export_to_csv_folder"):
        monkeypatch.setattr(pypsa.Network, name, export)


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, TypeError, OSError, ImportError])
@pytest.mark.parametrize("target", ["there.nc", "new/er/cleared.nc", "new/folder", "empty"])
def test_a_write_that_fails_leaves_everything_as_it_was(
    kind: type[Exception], target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.nc").write_text("kept")
    (tmp_path / "empty").mkdir()
    network = made("two_bus")
    fails_half_way(monkeypatch, kind("no more"))
    path = tmp_path / target
    with pytest.raises(NetworkError, match=f"{re.escape(str(path))}: cannot be written: no more.*Mend: name"):
        write_network(network, path)
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "empty", tmp_path / "there.nc"]
    assert (tmp_path / "there.nc").read_text() == "kept"


def test_a_fault_of_ours_while_writing_is_raised_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = made("two_bus")
    fails_half_way(monkeypatch, KeyError("ours"))
    with pytest.raises(KeyError, match="ours"):
        write_network(network, tmp_path / "new" / "cleared.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_and_an_empty_folder_filled(tmp_path: Path) -> None:
    network = made("two_bus")
    (tmp_path / "there.nc").write_text("old")
    (tmp_path / "empty").mkdir()
    for name in ("there.nc", "empty"):
        write_network(network, tmp_path / name)
        assert set(read_network(tmp_path / name).buses.index) == {"N", "S"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "there.nc"]
    assert all(path.suffix in (".csv", ".json") for path in (tmp_path / "empty").iterdir())
    with pytest.raises(NetworkError, match=r"holds files already.*Mend: name a new or an empty folder"):
        write_network(network, tmp_path / "empty")


def test_where_it_cannot_be_written_is_said_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.nc"
    source.write_text("not read")

    def refusal(target: Path) -> str:
        with pytest.raises(NetworkError) as caught:
            clear_file(source, target, engine="auto", gap=1e-6, progress=lambda *_: pytest.fail("began"))
        return str(caught.value)

    assert "is a file, not a folder" in refusal(source / "cleared.nc")
    monkeypatch.setitem(sys.modules, "tables", None)
    assert "pip install tables" in refusal(tmp_path / "cleared.h5")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.F_OK and access(path, mode))
    assert "no right to write" in refusal(tmp_path / "cleared.nc")
    assert list(tmp_path.iterdir()) == [source]


def test_the_real_file_holds_what_its_source_says() -> None:
    with quiet():
        network = scigrid()
    assert {name: len(network.components[name].static) for name in ("Bus", "Line", "Transformer")} == {
        "Bus": 585,
        "Line": 852,
        "Transformer": 96,
    }


@pytest.mark.parametrize(
    ("name", "problem"), [("none.nc", "does not exist"), ("no.nc", "is no network"), ("dir", "without buses")]
)
def test_what_is_no_network_is_refused(name: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "no.nc").write_text("no network")
    (tmp_path / "dir").mkdir()
    with pytest.raises(NetworkError, match=problem):
        read_network(tmp_path / name)


def test_without_pypsa_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    network = made("two_bus")
    monkeypatch.setitem(sys.modules, "pypsa", None)
    with pytest.raises(NetworkError, match=r'pip install "penstock\[pypsa\]"'):
        from_pypsa(network)


def test_the_market_needs_no_pypsa() -> None:
    script = "import sys; sys.modules['pypsa'] = None; import penstock.market, penstock.market.pypsa_files"
    subprocess.run([sys.executable, "-c", script], check=True)
