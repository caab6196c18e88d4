"""What cannot be cleared is refused, with every fault in one error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from penstock.errors import BidError, InfeasibleError, SystemFaultError
from penstock.market import Bid, Corridor, EnergyBudget, Plant, Store, System, clear

HOURS = np.datetime64("2025-03-01T00") + np.arange(4)
HALVES = np.array([0, 0, 1, 1])


def system(**changes: Any) -> System:
    parts: dict[str, Any] = {
        "hours": HOURS,
        "zones": ("N", "S"),
        "demand": np.full((4, 2), 50.0),
        "value_of_lost_load": 1000.0,
        "plants": (Plant("a", "N", 10.0, 100.0), Plant("b", "S", 20.0, 100.0)),
    }
    return System(**(parts | changes))


def budget(*members: str, least: Any = (0.0, 0.0), most: Any = (np.inf, np.inf)) -> EnergyBudget:
    return EnergyBudget("contract", members, HALVES, np.array(least), np.array(most))


def lone_fault(changes: dict[str, Any]) -> tuple[str, str | None, str | None, str]:
    with pytest.raises(SystemFaultError) as caught:
        system(**changes)
    (fault,) = caught.value.faults
    return fault.place, fault.column, fault.value, fault.problem


@pytest.mark.parametrize(
    ("plant", "column", "value"),
    [
        (Plant("p", "X", 10.0, 1.0), "zone", "X"),
        (Plant("p", "N", float("nan"), 1.0), "cost", "nan"),
        (Plant("p", "N", float("inf"), 1.0), "cost", "inf"),
        (Plant("p", "N", 10.0, -5.0), "available", "-5.0"),
        (Plant("p", "N", 10.0, np.array([1.0, 2.0, np.nan, 4.0])), "available", "nan"),
        (Plant("p", "N", 10.0, np.ones(3)), "available", None),
        (Plant("p", "N", 10.0, 5.0, minimum=-1.0), "minimum", "-1.0"),
        (Plant("p", "N", 10.0, 5.0, minimum=np.array([5.0, 6.0, 0.0, 7.0])), "minimum", "6"),
    ],
)
def test_a_plant_that_cannot_be(plant: Plant, column: str, value: str | None) -> None:
    assert lone_fault({"plants": (plant,)})[:3] == ("plant p", column, value)


def test_minimum_above_available_names_the_hour_and_the_limit() -> None:
    plant = Plant("p", "N", 10.0, 5.0, minimum=np.array([5.0, 5.0, 6.0, 7.0]))
    assert "above the 5 MW that are available in hour 2" in lone_fault({"plants": (plant,)})[3]


@pytest.mark.parametrize(
    ("corridor", "column", "value"),
    [
        (Corridor("l", "N", "X", 1.0, 1.0), "to_zone", "X"),
        (Corridor("l", "X", "S", 1.0, 1.0), "from_zone", "X"),
        (Corridor("l", "N", "N", 1.0, 1.0), "to_zone", "N"),
        (Corridor("l", "N", "S", -1.0, 1.0), "forward_limit", "-1.0"),
        (Corridor("l", "N", "S", 1.0, np.ones(5)), "backward_limit", None),
        (Corridor("l", "N", "S", 1.0, 1.0, loss=1.0), "loss", "1.0"),
        (Corridor("l", "N", "S", 1.0, 1.0, loss=-0.1), "loss", "-0.1"),
        (Corridor("l", "N", "S", 1.0, 1.0, loss=float("nan")), "loss", "nan"),
    ],
)
def test_a_corridor_that_cannot_be(corridor: Corridor, column: str, value: str | None) -> None:
    assert lone_fault({"corridors": (corridor,)})[:3] == ("corridor l", column, value)


@pytest.mark.parametrize(
    ("store", "column"),
    [
        (Store("s", "X", 1.0, 1.0, 1.0), "zone"),
        (Store("s", "N", -1.0, 1.0, 1.0), "energy_limit"),
        (Store("s", "N", 1.0, 1.0, 1.0, charge_efficiency=0.0), "charge_efficiency"),
        (Store("s", "N", 1.0, 1.0, 1.0, discharge_efficiency=1.1), "discharge_efficiency"),
        (Store("s", "N", 1.0, 1.0, 1.0, inflow=-1.0), "inflow"),
        (Store("s", "N", 1.0, 1.0, 1.0, initial_level=2.0), "initial_level"),
    ],
)
def test_a_store_that_cannot_be(store: Store, column: str) -> None:
    assert lone_fault({"stores": (store,)})[:2] == ("store s", column)


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (EnergyBudget("contract", ("a",), np.array([0, 0, 1]), np.zeros(2), np.ones(2)), "period"),
        (EnergyBudget("contract", ("a",), np.array([0, 0, 2, 2]), np.zeros(3), np.ones(3)), "period"),
        (EnergyBudget("contract", ("a",), np.array([1, 1, 2, 2]), np.zeros(2), np.ones(2)), "period"),
        (EnergyBudget("contract", ("a",), HALVES, np.zeros(1), np.ones(2)), "minimum"),
        (budget("a", least=(0.0, 5.0), most=(9.0, 4.0)), "minimum"),
        (budget("a", least=(0.0, np.nan)), "minimum"),
        (budget("a", "a"), "members"),
    ],
)
def test_a_budget_that_cannot_be(wrong: EnergyBudget, column: str) -> None:
    assert lone_fault({"budgets": (wrong,)})[:2] == ("energy budget contract", column)


@pytest.mark.parametrize(
    ("changes", "place", "column"),
    [
        ({"hours": HOURS[[0, 1, 3, 2]]}, "System", "hours"),
        ({"demand": np.ones((3, 2))}, "System", "demand"),
        ({"demand": np.array([[1.0, 1.0]] * 3 + [[1.0, np.nan]])}, "System, zone S", "demand"),
        ({"value_of_lost_load": float("nan")}, "System", "value_of_lost_load"),
        ({"plants": (Plant("a", "N", 1.0, 1.0), Plant("a", "S", 1.0, 1.0))}, "System.plants", None),
        ({"zones": ()}, "System", None),
    ],
)
def test_a_system_that_cannot_be(changes: dict[str, Any], place: str, column: str | None) -> None:
    assert lone_fault(changes)[:2] == (place, column)


def test_every_fault_is_listed_at_once() -> None:
    with pytest.raises(SystemFaultError) as caught:
        system(
            plants=(
                Plant("a", "X", 10.0, 100.0),
                Plant("b", "N", float("nan"), -1.0),
                Plant("b", "S", 10.0, np.ones(3)),
                Plant("c", "S", 10.0, 5.0, minimum=9.0),
            ),
            corridors=(Corridor("l", "N", "S", 1.0, 1.0, loss=1.0),),
        )
    found = {(fault.place, fault.column) for fault in caught.value.faults}
    assert found == {
        ("System.plants", None),
        ("plant a", "zone"),
        ("plant b", "cost"),
        ("plant b", "available"),
        ("plant c", "minimum"),
        ("corridor l", "loss"),
    }
    for place in ("plant a", "plant b", "plant c", "corridor l"):
        assert place in str(caught.value)


def test_every_fault_of_the_bids_is_listed_at_once() -> None:
    bids = [
        Bid("m", "X", 1.0, 1.0),
        Bid("m", "N", -1.0, 1.0),
        Bid("a", "N", 1.0, float("nan")),
        Bid("k", "N", np.ones(3), 1.0),
    ]
    with pytest.raises(BidError) as caught:
        clear(system(budgets=(budget("a", "nobody"),)), bids)
    assert [(fault.place, fault.column, fault.value) for fault in caught.value.faults] == [
        ("bid m", "zone", "X"),
        ("bid m", None, None),
        ("bid m", "quantity", "-1.0"),
        ("bid a", None, None),
        ("bid a", "value", "nan"),
        ("bid k", "quantity", None),
        ("energy budget contract", "members", "nobody"),
    ]


def test_unknown_engine() -> None:
    with pytest.raises(BidError) as caught:
        clear(system(), engine="abacus")
    (fault,) = caught.value.faults
    assert (fault.column, fault.value) == ("engine", "abacus")
    assert "highs" in fault.problem


def test_a_minimum_that_the_members_cannot_give() -> None:
    with pytest.raises(InfeasibleError) as caught:
        clear(system(budgets=(budget("a", least=(0.0, 250.0)),)))
    (fault,) = caught.value.faults
    # Plant a gives at most 100 MW in each of the two hours of the second half.
    assert fault.place == "energy budget contract, hours 2025-03-01T02Z to 2025-03-01T03Z"
    assert "at least 250 MWh" in fault.problem
    assert "at most 200 MWh" in fault.problem


def test_a_maximum_below_what_must_run() -> None:
    plants = (Plant("a", "N", 10.0, 100.0, minimum=30.0), Plant("b", "S", 10.0, 100.0, minimum=40.0))
    with pytest.raises(InfeasibleError) as caught:
        clear(system(plants=plants, budgets=(budget("a", "b", most=(139.0, 140.0)),)))
    (fault,) = caught.value.faults
    # 2 x (30 + 40) = 140 MWh must run: one too many in the first half, just right in the second.
    assert fault.place == "energy budget contract, hours 2025-03-01T00Z to 2025-03-01T01Z"
    assert "at most 139 MWh" in fault.problem
    assert "at least 140 MWh" in fault.problem


def test_budgets_that_clash_only_together_name_the_hours() -> None:
    pair = (
        EnergyBudget("both", ("a", "b"), HALVES, np.array([0.0, 90.0]), np.array([np.inf, np.inf])),
        EnergyBudget("a only", ("a",), HALVES, np.zeros(2), np.full(2, 40.0)),
        EnergyBudget("b only", ("b",), HALVES, np.zeros(2), np.full(2, 40.0)),
    )
    # Each can be met; 40 + 40 < 90 cannot.
    with pytest.raises(InfeasibleError, match="hours 2025-03-01T02Z to 2025-03-01T03Z"):
        clear(system(budgets=pair))
