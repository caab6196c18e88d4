"""The day of serving."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.errors import CentreError
from penstock.loads.compute_tables import compute_parameters, compute_tables
from penstock.loads.serving import serving_demand, serving_power

# Share of the day's requests by UTC hour, %, read off the plot of the coding service in May 2024.
CODING_UTC = (
    *(3.25, 3.15, 2.92, 2.48, 1.99, 1.64, 1.39, 1.12, 1.02, 1.03, 1.09, 1.58),
    *(2.84, 4.75, 6.69, 7.26, 6.96, 7.94, 8.75, 8.95, 8.39, 6.35, 4.78, 3.68),
)


def test_demand_is_the_published_day_moved_by_five_hours() -> None:
    assert sum(CODING_UTC) == pytest.approx(100.0, abs=0.05)
    moved = [CODING_UTC[(hour + 5) % 24] / 8.95 for hour in range(24)]
    assert serving_demand() == pytest.approx(moved, abs=5e-5)
    assert serving_demand().index(1.0) == 14


def test_demand_lies_between_its_low_and_its_flat_high() -> None:
    assert serving_demand("high") == (1.0,) * 24
    for low, value in zip(serving_demand("low"), serving_demand(), strict=True):
        assert 0.0 < low <= value <= 1.0


def test_power_keeps_the_idle_floor_at_night() -> None:
    idle = compute_parameters()["idle_power_share"].value
    power = serving_power()
    assert max(power) == power[14] == 1.0
    assert power[3] == pytest.approx(0.3 + 0.7 * 1.02 / 8.95, abs=5e-5)
    assert min(power) >= idle
    assert serving_power("high") == pytest.approx((1.0,) * 24, rel=1e-15)


def test_idle_share_is_that_of_the_measured_nodes() -> None:
    watts = {row["item"]: row["power_w"] for row in compute_tables()["node_power"]}
    assert (watts["a100_node_p10"], watts["a100_node_p95"]) == (1512.0, 5040.0)
    assert compute_parameters()["idle_power_share"].value == pytest.approx(1512.0 / 5040.0, abs=1e-12)


def test_another_case_is_refused() -> None:
    case: Any = "middle"
    with pytest.raises(CentreError, match="must be value, low or high"):
        serving_demand(case)
