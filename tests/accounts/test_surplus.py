"""Surplus by hand: two hours, two zones that are not joined, the toy's five plants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penstock.accounts import Surplus, find_surplus
from penstock.country import load_country
from penstock.market import Clearing, EnergyBudget, Plant, System, clear
from tests.country.toy import write_toy_country

HOURS = np.array(["2025-06-01T00", "2025-06-01T01"], dtype="datetime64[h]")


def cleared() -> Clearing:
    """In the North gas gives 150 and 250 MW of 400; in the South wind 300 of 350, then coal 500 of 600."""
    each_hour, whole = np.array([0, 1]), np.array([0, 0])
    none, unlimited = np.array([-np.inf]), np.array([np.inf])
    system = System(
        hours=HOURS,
        zones=("NORTH", "SOUTH"),
        demand=np.array([[200.0, 300.0], [300.0, 500.0]]),
        value_of_lost_load=3000.0,
        plants=(
            Plant("COAL1", "SOUTH", 50.0, 600.0),
            Plant("GAS1", "NORTH", 90.0, 400.0),
            Plant("HYDRO1", "NORTH", 0.0, 300.0),
            Plant("WIND1", "SOUTH", 0.0, np.array([350.0, 0.0]), curtailable=True),
            Plant("SOLAR1", "SOUTH", 0.0, 0.0),
        ),
        budgets=(
            EnergyBudget("release", ("HYDRO1",), each_hour, none.repeat(2), np.array([50.0, 50.0])),
            EnergyBudget("take or pay", ("GAS1",), whole, np.array([10.0]), unlimited),
        ),
    )
    return clear(system, ())


@pytest.fixture
def clearing() -> Clearing:
    return cleared()


def surplus(folder: Path, clearing: Clearing, margin: float) -> Surplus:
    write_toy_country(folder)
    return find_surplus(load_country(folder), clearing, margin)


def test_without_a_margin_all_that_is_left_counts_but_for_the_reservoir(
    tmp_path: Path, clearing: Clearing
) -> None:
    found = surplus(tmp_path / "toyland", clearing, 0.0)
    assert found.by_zone == pytest.approx(np.array([[250.0, 650.0], [150.0, 100.0]]))
    assert found.price.tolist() == [0.0, 50.0, 90.0]
    assert found.below == pytest.approx(np.array([[50.0, 650.0, 900.0], [0.0, 100.0, 250.0]]))


def test_margin_is_held_on_the_dearest_plants_first(tmp_path: Path, clearing: Clearing) -> None:
    """20 % of 500 and of 800 MW: gas holds 100 MW, then all its 150 MW, and coal the 10 MW that lack."""
    found = surplus(tmp_path / "toyland", clearing, 0.2)
    assert found.by_zone == pytest.approx(np.array([[150.0, 650.0], [0.0, 90.0]]))
    assert found.below == pytest.approx(np.array([[50.0, 650.0, 800.0], [0.0, 90.0, 90.0]]))
    assert found.total == pytest.approx([800.0, 90.0])


def test_duration_and_supply(tmp_path: Path, clearing: Clearing) -> None:
    found = surplus(tmp_path / "toyland", clearing, 0.2)
    curve = dict(found.duration())
    assert (curve[0.0], curve[0.5], curve[1.0]) == pytest.approx((800.0, 445.0, 90.0))
    assert found.supply(1.0) == pytest.approx([0.0, 90.0, 90.0])
    assert found.price_for(80.0, 1.0) == 50.0
    assert found.price_for(700.0, 0.0) == 90.0
    assert found.price_for(700.0, 1.0) is None
