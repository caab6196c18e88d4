"""The search for a floor: on answers whose floor is known."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.proof.floor import TOLERANCE, Floor, find_floor

Needs = Callable[[float], float | None]


def search(needs: Needs, start: float, highest: float = 100.0) -> tuple[Floor | None, list[float]]:
    tried: list[float] = []

    def try_tariff(tariff: float) -> Any:
        tried.append(tariff)
        needed = needs(tariff)
        return SimpleNamespace(needs={} if needed is None else {"marginal": needed}, tariff=tariff)

    return find_floor("marginal", start, try_tariff, highest), tried


@given(
    base=st.floats(1.0, 60.0),
    slope=st.floats(-0.4, 0.4),
    step_at=st.floats(1.0, 60.0),
    step=st.floats(0.0, 0.1),
    start=st.floats(0.5, 99.0),
)
@example(base=14.0, slope=0.0, step_at=14.0, step=0.1, start=23.5)
def test_the_floor_holds_and_what_lies_below_it_does_not(
    base: float, slope: float, step_at: float, step: float, start: float
) -> None:
    """The cost falls or rises gently with the tariff and drops once, as where a block of machines leaves."""

    def needs(tariff: float) -> float:
        return base + slope * (tariff - base) + (step if tariff < step_at else 0.0)

    found, _ = search(needs, start)
    assert found is not None
    assert found.tariff_per_kwh >= needs(found.tariff_per_kwh)
    assert found.below_per_kwh is not None
    assert found.below_per_kwh < needs(found.below_per_kwh)
    assert found.tariff_per_kwh * (1.0 - 1.01 * TOLERANCE) <= found.below_per_kwh < found.tariff_per_kwh
    assert found.trial.tariff == found.tariff_per_kwh  # type: ignore[attr-defined]


def test_few_tariffs_are_cleared() -> None:
    _, tried = search(lambda tariff: 14.0 + 0.001 * tariff, 23.5)
    assert len(set(tried)) <= 6


def test_a_cost_of_nothing_has_its_floor_at_0() -> None:
    found, _ = search(lambda tariff: -1.0, 5.0)
    assert found is not None
    assert (found.tariff_per_kwh, found.below_per_kwh) == (0.0, None)


def test_no_floor_where_the_loads_leave_before_they_pay() -> None:
    assert search(lambda tariff: 30.0 if tariff < 20.0 else None, 10.0)[0] is None


def test_no_floor_above_the_highest_tariff() -> None:
    assert search(lambda tariff: 150.0, 10.0)[0] is None


def test_it_begins_within_the_bounds() -> None:
    found, tried = search(lambda tariff: 50.0, 500.0)
    assert found is not None
    assert max(tried) <= 100.0
    assert found.tariff_per_kwh == pytest.approx(50.0, rel=TOLERANCE)
