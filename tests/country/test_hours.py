"""A year's hours from monthly facts: energies exact, limits kept, the sun where it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.country import Table
from penstock.country.calendar import DAYS_IN_MONTH, FIRST_DAY, HOURS_IN_MONTH, build_calendar, middle
from penstock.country.demand import daily_level, rooftop_level
from penstock.country.hours import Hours, build_hours, net_capacity
from penstock.country.solar import clear_sky_pu, sun_position
from tests.country.built import (
    COAL,
    GAS,
    HYDRO,
    SOLAR,
    WIND,
    add_parameter,
    even_demand,
    monthly,
    published,
    refused,
    toy_country,
)
from tests.country.changes import drop, set_cell
from tests.country.toy import (
    UTC_OFFSET_HOURS,
    YEAR,
    Tables,
    toy_hours,
)

# --- the whole year --------------------------------------------------------------------------------------


def test_arrays_have_their_shapes_and_cannot_be_changed(tmp_path: Path) -> None:
    hours = build_hours(toy_country(tmp_path))
    shapes = {
        "hours": (8760,),
        "month": (8760,),
        "local_hour": (8760,),
        "demand": (8760, 2),
        "available": (8760, 5),
        "minimum": (8760, 5),
        "hydro_energy": (12, 5),
    }
    assert {field.name for field in dataclasses.fields(Hours)} == set(shapes)
    for name, shape in shapes.items():
        array = getattr(hours, name)
        assert array.shape == shape
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]


def test_every_month_has_its_published_energy(tmp_path: Path) -> None:
    country = toy_country(tmp_path)
    hours = build_hours(country)
    table = country.table("monthly_demand")
    busbar = 1000.0 * np.array(
        [row["generation_gwh"] - row["exports_gwh"] - row["losses_gwh"] for row in table]
    )
    np.testing.assert_allclose(monthly(hours.demand).sum(axis=1), busbar, rtol=1e-9)
    np.testing.assert_allclose(hours.demand[:, 1], 1.5 * hours.demand[:, 0], rtol=1e-12)  # shares 0.4, 0.6
    assert hours.demand.min() > 0.0
    energy = monthly(hours.available)
    np.testing.assert_allclose(energy[:, WIND], published(country, "wind"), rtol=1e-9)
    np.testing.assert_allclose(energy[:, SOLAR], published(country, "solar"), rtol=1e-9)
    np.testing.assert_allclose(hours.hydro_energy.sum(axis=1), published(country, "hydro"), rtol=1e-9)
    assert np.count_nonzero(hours.hydro_energy[:, [COAL, GAS, WIND, SOLAR]]) == 0


def test_limits_lie_between_0_and_net_capacity(tmp_path: Path) -> None:
    country = toy_country(tmp_path)
    hours = build_hours(country)
    # Installed less auxiliaries: 600 x 0.92, 400 x 0.97, and 0.99 x 300, 100, 150.
    assert net_capacity(country) == pytest.approx([552.0, 388.0, 297.0, 99.0, 148.5], rel=1e-12)
    assert np.all(hours.available <= net_capacity(country))
    assert np.all((hours.minimum >= 0.0) & (hours.minimum <= hours.available))
    # 552 x (1 - 0.06 - 0.08), 388 x (1 - 0.04 - 0.05), 297 x (1 - 0.02 - 0.03) in every hour.
    for plant, expected in ((COAL, 474.72), (GAS, 353.08), (HYDRO, 282.15)):
        np.testing.assert_allclose(hours.available[:, plant], expected, rtol=1e-12)
    assert np.count_nonzero(hours.minimum[:, [COAL, GAS, HYDRO]]) == 0
    np.testing.assert_array_equal(hours.minimum[:, [WIND, SOLAR]], hours.available[:, [WIND, SOLAR]])


def test_clock_is_local_and_in_utc(tmp_path: Path) -> None:
    hours = build_hours(toy_country(tmp_path))
    assert [f"{hour}:00Z" for hour in hours.hours] == toy_hours()
    np.testing.assert_array_equal(hours.local_hour, np.tile(np.arange(24), 365))
    assert np.bincount(hours.month).tolist() == [0, *HOURS_IN_MONTH]


def test_calendar_leaves_out_29_february_and_knows_the_weekday() -> None:
    calendar = build_calendar(2024, UTC_OFFSET_HOURS)
    before = calendar.month_slice(2).stop - 1
    assert str(calendar.local[before]) == "2024-02-28T23"
    assert str(calendar.local[before + 1]) == "2024-03-01T00"
    assert np.bincount(calendar.month).tolist() == [0, *HOURS_IN_MONTH]
    # 28 February 2024 was a Wednesday, 1 March a Friday.
    assert calendar.weekday[[before, before + 1]].tolist() == [2, 4]
    assert calendar.day[[before, before + 1, -1]].tolist() == [58, 59, 364]


# --- demand ----------------------------------------------------------------------------------------------


def test_even_demand_is_the_same_in_every_hour(tmp_path: Path) -> None:
    hours = build_hours(toy_country(tmp_path, even_demand))
    np.testing.assert_allclose(hours.demand[:, 0], 0.4 * 700.0, rtol=1e-9)
    np.testing.assert_allclose(hours.demand[:, 1], 0.6 * 700.0, rtol=1e-9)


def test_weekend_factors_scale_their_days_and_keep_the_month(tmp_path: Path) -> None:
    factors = add_parameter("sunday_demand_factor", "0.8"), add_parameter("saturday_demand_factor", "0.9")
    demand = build_hours(toy_country(tmp_path, even_demand, *factors)).demand.sum(axis=1)
    january = demand[:744].reshape(31, 24)[:, 0]
    # 1 January 2025 was a Wednesday; 4 Saturdays and 4 Sundays: working days are 700 x 31 / (23 + 3.6 + 3.2).
    working = 700.0 * 31 / 29.8
    expected = np.full(31, working)
    expected[[3, 10, 17, 24]] *= 0.9
    expected[[4, 11, 18, 25]] *= 0.8
    np.testing.assert_allclose(january, expected, rtol=1e-9)
    np.testing.assert_allclose(monthly(demand), 700.0 * np.array(HOURS_IN_MONTH), rtol=1e-9)


def test_weekend_factor_of_0_is_refused(tmp_path: Path) -> None:
    (fault,) = refused(toy_country(tmp_path, add_parameter("sunday_demand_factor", "0")))
    assert fault.place == "parameters.csv"
    assert "sunday_demand_factor must be greater than 0" in fault.problem


def test_day_shape_mixes_the_seasons(tmp_path: Path) -> None:
    def no_rooftop(tables: Tables) -> None:
        even_demand(tables)
        for row in tables["demand_shapes"]:
            late = int(row["hour"]) >= 12
            row["gross_demand_pu"] = "3" if late and row["season"] == "winter" else "1"

    demand = build_hours(toy_country(tmp_path, no_rooftop)).demand.sum(axis=1).reshape(365, 24)
    # March (winter_share 0.5) has 1 and (1 + 3) / 2; January (1) has 1 and 3; July (0) is even.
    for day, ratio in ((0, 3.0), (FIRST_DAY[2], 2.0), (FIRST_DAY[6], 1.0)):
        np.testing.assert_allclose(demand[day, 12:] / demand[day, :12], ratio, rtol=1e-9)


def test_day_level_of_equal_months_is_constant() -> None:
    np.testing.assert_allclose(daily_level(np.full(12, 7.0)), 7.0, rtol=1e-12)


@given(st.lists(st.floats(0.0, 1e6), min_size=12, max_size=12))
def test_day_level_keeps_each_month(means: list[float]) -> None:
    level = daily_level(np.array(means))
    got = [level[first : first + n].mean() for first, n in zip(FIRST_DAY, DAYS_IN_MONTH, strict=True)]
    np.testing.assert_allclose(got, means, rtol=1e-9, atol=1e-9 * max(means))
    assert level.min() >= 0.0


def test_day_level_has_no_step_between_months() -> None:
    means = 100.0 + 20.0 * np.sin(2.0 * np.pi * np.arange(12) / 12.0)
    level = daily_level(means)
    # The sine rises by at most 2 pi / 12 x 20 = 10.5 a month, 28 days or more; flat months would step by 10.
    assert np.abs(np.diff(np.append(level, level[0]))).max() < 0.5
    assert np.count_nonzero(np.diff(level)) > 350


def test_month_whose_days_would_not_be_positive_is_flat() -> None:
    means = np.full(12, 100.0)
    means[1] = 1.0
    level = daily_level(means)
    np.testing.assert_array_equal(level[31:59], 1.0)
    assert level[:31].mean() == pytest.approx(100.0, rel=1e-12)
    assert np.ptp(level[:31]) > 1.0  # its neighbours keep their lines


def levels(*rows: tuple[str, float]) -> Table:
    columns = ("as_of", "installed_mw")
    return Table("rooftop_solar", columns, tuple(dict(zip(columns, row, strict=True)) for row in rows))


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2025-01-01T00:00", 10.0),
        ("2025-03-31T23:59", 10.0),
        ("2025-04-01T00:00", 10.0),  # end of March
        ("2025-05-16T12:00", 15.0),  # 45.5 of the 91 days to the end of June
        ("2025-07-01T00:00", 20.0),
        ("2025-08-16T00:00", 26.0),  # 46 of the 92 days to the end of September, from 20 to 32
        ("2025-12-31T23:00", 32.0),
    ],
)
def test_rooftop_level_at_an_instant(instant: str, expected: float) -> None:
    rows = levels(("2025-06", 20.0), ("2025-03", 10.0), ("2025-09", 32.0))
    assert rooftop_level(rows, np.array([instant], dtype="datetime64[m]")) == pytest.approx(
        expected, abs=1e-3
    )


def test_rooftop_solar_lowers_demand_by_day_alone(tmp_path: Path) -> None:
    with_rooftop = toy_country(tmp_path / "with")
    without = toy_country(tmp_path / "without", drop("rooftop_solar", pool="GRID"))
    ratio = build_hours(with_rooftop).demand[:, 0] / build_hours(without).demand[:, 0]
    day = ratio[24 * FIRST_DAY[6] :][:24]
    calendar = build_calendar(YEAR, UTC_OFFSET_HOURS)
    clear = 0.4 * clear_sky_pu(calendar, 34.0, 73.0) + 0.6 * clear_sky_pu(calendar, 25.0, 67.0)
    july = slice(24 * FIRST_DAY[6], 24 * FIRST_DAY[6] + 24)
    # Gross demand before rooftop solar is in one proportion to net demand without it, which the night shows.
    assert day[0] == pytest.approx(day[23], rel=1e-3)
    taken = (day[0] - day) * build_hours(without).demand[july].sum(axis=1)
    # 40 MW at the end of 2024, 60 at the end of 2025: 40 + 20 x 181.5 / 365 at noon on 1 July, x 0.6.
    expected = 0.6 * (40.0 + 20.0 * 181.52 / 365.0) * clear[july]
    np.testing.assert_allclose(taken[9:16], expected[9:16], rtol=0.02)
    assert taken[12] > 20.0


def test_rooftop_solar_needs_its_performance_ratio(tmp_path: Path) -> None:
    lacking = drop("parameters", parameter="rooftop_performance_ratio")
    (fault,) = refused(toy_country(tmp_path, lacking))
    assert fault.place == "parameters.csv"
    assert "rooftop_performance_ratio [1] is missing" in fault.problem
    build_hours(toy_country(tmp_path / "bare", lacking, drop("rooftop_solar", pool="GRID")))


def test_demand_below_0_is_refused_with_zone_and_hour(tmp_path: Path) -> None:
    faults = refused(toy_country(tmp_path, set_cell("rooftop_solar", 1, "installed_mw", "5000")))
    assert [fault.problem.split(":")[0] for fault in faults] == ["zone NORTH", "zone SOUTH"]
    for fault in faults:
        assert fault.place == "rooftop_solar.csv"
        assert fault.value is not None
        assert float(fault.value) < 0.0
        assert "2025-" in fault.problem
        assert "rooftop_performance_ratio" in fault.mend


def test_exports_above_generation_are_refused_with_the_month(tmp_path: Path) -> None:
    (fault,) = refused(toy_country(tmp_path, set_cell("monthly_demand", 4, "exports_gwh", "900")))
    assert fault.place == "monthly_demand.csv"
    assert "month 5" in fault.problem


# --- the sun ---------------------------------------------------------------------------------------------


def test_sun_of_the_published_example() -> None:
    """Reda and Andreas (2008), NREL/TP-560-34302, table A5.1: zenith 50.11162, azimuth 194.34024 degrees.

    Their site is at 1,830 m and 820 mbar, ours at sea level: refraction moves the zenith by 0.003 degrees.
    """
    time = np.array(["2003-10-17T19:30:30"], dtype="datetime64[s]")
    zenith, azimuth = sun_position(time, 39.742476, -105.1786)
    assert zenith[0] == pytest.approx(50.11162, abs=0.01)
    assert azimuth[0] == pytest.approx(194.34024, abs=0.001)


@pytest.mark.parametrize(("date", "equation_of_time"), [("2025-02-11", -14.2), ("2025-11-03", 16.4)])
def test_solar_noon_at_islamabad(date: str, equation_of_time: float) -> None:
    """Solar noon is 12:00 + 4 min a degree west of the clock's meridian (75 E) - the equation of time."""
    minutes = np.datetime64(f"{date}T05:00", "m") + np.arange(240)
    _, azimuth = sun_position(minutes, 33.68, 73.05)
    noon = 10 * 60 + int(np.argmax(azimuth >= 180.0))  # local time, UTC + 5 h
    assert noon == pytest.approx(12 * 60 + 4 * (75 - 73.05) - equation_of_time, abs=1.5)


def test_solar_is_0_at_night_and_highest_at_solar_noon(tmp_path: Path) -> None:
    output = build_hours(toy_country(tmp_path)).available[:, SOLAR].reshape(365, 24)
    assert np.count_nonzero(output[:, [0, 1, 2, 3, 21, 22, 23]]) == 0
    # At 67.1 E solar noon is 12:31.6 less the equation of time (-14 to +16 min): in the hour from 12:00.
    # A clear sky gives more than 1000 W/m2 in spring, so that hours beside it can be at the rating as well.
    np.testing.assert_array_equal(output[:, 12], output.max(axis=1))
    assert np.all(output[:, 12] > output[:, [8, 9, 15, 16]].max(axis=1))
    assert np.count_nonzero(output.argmax(axis=1) == 12) > 200


def test_no_output_while_the_sun_is_below_the_horizon() -> None:
    calendar = build_calendar(YEAR, UTC_OFFSET_HOURS)
    zenith, _ = sun_position(middle(calendar.hours), 25.1, 67.1)
    np.testing.assert_array_equal(clear_sky_pu(calendar, 25.1, 67.1) > 0.0, zenith < 90.0)


def test_panel_faces_the_equator_on_either_side() -> None:
    """At the winter solstice the noon sun is 23.4 degrees off the normal of a panel tilted at latitude."""
    calendar = build_calendar(YEAR, 0)
    south, north = clear_sky_pu(calendar, -34.0, 0.0), clear_sky_pu(calendar, 34.0, 0.0)
    june, december = 24 * 171 + 12, 24 * 354 + 12
    assert 0.7 < south[june] < 1.0
    assert 0.7 < north[december] < 1.0
    assert south.max() <= 1.0
