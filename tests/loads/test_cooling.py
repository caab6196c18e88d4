"""The PUE by outside temperature, and the temperature by month and hour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from penstock.errors import CentreError
from penstock.loads.compute_tables import compute_parameters
from penstock.loads.cooling import (
    Cooling,
    cloud_cooling,
    hourly_temperature,
    hyperscale_cooling,
    pue,
    survey_cooling,
)

PLANT = Cooling(base=1.2, slope_per_c=0.01, free_cooling_c=15.0)
FLAT_YEAR = [10.0] * 12


def year(mean: float, season: float, day: float) -> NDArray[np.float64]:
    """Hours of the mean day of each month: mean °C, season either way, day either way."""
    middle = mean - season * np.cos(np.pi * np.arange(12) / 6.0)
    return hourly_temperature(
        list(middle - day), list(middle + day), np.repeat(np.arange(1, 13), 24), np.tile(np.arange(24), 12)
    )


def test_pue_rises_only_above_the_temperature_of_free_cooling() -> None:
    # 1.2 up to 15 °C; at 35 °C, 20 degrees more: 1.2 + 0.2.
    assert pue([-10.0, 15.0, 35.0], PLANT) == pytest.approx([1.2, 1.2, 1.4], rel=1e-12)


def test_survey_plant_gives_the_survey_mean_in_a_temperate_year() -> None:
    assert pue(year(15.0, 10.0, 5.0)).mean() == pytest.approx(1.58, abs=0.005)


def test_range_of_the_base_gives_the_survey_mean_with_the_range_of_the_slope() -> None:
    row = compute_parameters()
    base, slope = row["pue_base"], row["pue_slope_per_c"]
    for a, b in ((base.low, slope.high), (base.high, slope.low)):
        assert a is not None
        assert b is not None
        plant = Cooling(a, b, row["pue_free_cooling_c"].value)
        assert pue(year(15.0, 10.0, 5.0), plant).mean() == pytest.approx(1.58, abs=0.005)


@pytest.mark.parametrize("mean", [15.0, 20.0, 25.0])
def test_hyperscale_plant_stays_within_the_published_range(mean: float) -> None:
    assert 1.10 <= pue(year(mean, 8.0, 5.0), hyperscale_cooling()).mean() <= 1.15


def test_cloud_plant_lies_between_and_meets_the_regions_of_one_operator() -> None:
    cool, hot = year(8.0, 8.0, 4.0), year(26.5, 4.0, 5.0)
    assert pue(cool, cloud_cooling()).mean() == pytest.approx(1.12, abs=0.03)
    assert pue(hot, cloud_cooling()).mean() == pytest.approx(1.367, abs=0.01)
    assert (pue(hot, hyperscale_cooling()) < pue(hot, cloud_cooling())).all()
    assert (pue(hot, cloud_cooling()) < pue(hot, survey_cooling())).all()


def test_slope_and_base_follow_from_the_published_figures() -> None:
    hot = (1.42 + 1.46 + 1.27 + 1.33 + 1.40 + 1.32) / 6
    cool = (1.10 + 1.11 + 1.12 + 1.15) / 4
    row = compute_parameters()
    assert row["pue_slope_per_c"].value == pytest.approx((hot - cool) / 17.0, abs=0.001)
    assert row["pue_slope_per_c"].high == pytest.approx((1.79 - 1.46) / 11.0, abs=0.001)
    assert row["pue_cloud_base"].value == pytest.approx(cool, abs=0.005)


def test_day_has_its_minimum_at_five_and_its_maximum_at_fifteen() -> None:
    day = hourly_temperature(FLAT_YEAR, [30.0] * 12, np.full(24, 7), np.arange(24))
    assert day[5] == 10.0
    assert day[15] == 30.0
    assert day[10] == pytest.approx(20.0, abs=1e-12)  # half way up, 5 of 10 hours
    assert day[22] == pytest.approx(20.0, abs=1e-12)  # half way down, 7 of 14 hours
    assert (np.diff(day[5:16]) > 0).all()
    assert (np.diff(np.concatenate([day[15:], day[:6]])) < 0).all()


@given(
    low=st.floats(-30, 30),
    span=st.floats(0, 25),
    month=st.integers(1, 12),
)
def test_mean_of_a_day_is_the_mean_of_its_extremes(low: float, span: float, month: int) -> None:
    mean_min, mean_max = [0.0] * 12, [0.0] * 12
    mean_min[month - 1], mean_max[month - 1] = low, low + span
    day = hourly_temperature(mean_min, mean_max, np.full(24, month), np.arange(24))
    assert day.mean() == pytest.approx(low + span / 2.0, abs=1e-9)
    assert day.min() >= low - 1e-9
    assert day.max() <= low + span + 1e-9


@given(colder=st.floats(-40, 55), warmer=st.floats(0, 30))
def test_a_warmer_hour_never_has_a_lower_pue(colder: float, warmer: float) -> None:
    for plant in (survey_cooling(), cloud_cooling(), hyperscale_cooling()):
        assert pue(colder + warmer, plant) >= pue(colder, plant) >= 1.0


def test_every_fault_of_a_plant_is_told_at_once() -> None:
    with pytest.raises(CentreError) as caught:
        Cooling(base=0.9, slope_per_c=-0.1, free_cooling_c=float("nan"))
    assert [fault.column for fault in caught.value.faults] == ["base", "slope_per_c", "free_cooling_c"]


@pytest.mark.parametrize(
    ("low", "high", "month", "hour", "problem"),
    [
        ([10.0] * 11, [20.0] * 12, [1], [0], "one per month"),
        ([float("nan")] * 12, [20.0] * 12, [1], [0], "one per month"),
        ([10.0] * 11 + [21.0], [20.0] * 12, [1], [0], "of month 12 is above its maximum of 20"),
        (FLAT_YEAR, [20.0] * 12, [0], [0], "from 1 to 12"),
        (FLAT_YEAR, [20.0] * 12, [1], [24], "from 0 to 23"),
        (FLAT_YEAR, [20.0] * 12, [1], [0.5], "from 0 to 23"),
    ],
)
def test_faulty_normals_are_refused(
    low: list[float], high: list[float], month: list[int], hour: list[float], problem: str
) -> None:
    with pytest.raises(CentreError, match=problem):
        hourly_temperature(low, high, month, hour)


def test_temperature_that_is_no_number_is_refused() -> None:
    with pytest.raises(CentreError, match="not numbers"):
        pue([20.0, float("nan")])
