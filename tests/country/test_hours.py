"""A year's hours from monthly facts: energies exact, limits kept, the sun where it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.country import Country, Table, load_country
from penstock.country.calendar import DAYS_IN_MONTH, FIRST_DAY, HOURS_IN_MONTH, MONTHS, build_calendar, middle
from penstock.country.country import FloatArray
from penstock.country.demand import daily_level, rooftop_level
from penstock.country.fill import reachable, water_fill
from penstock.country.hours import Hours, build_hours, net_capacity
from penstock.country.solar import clear_sky_pu, sun_position
from penstock.errors import Fault, InputError
from tests.country.changes import append, drop, set_cell, set_cells
from tests.country.toy import (
    UTC_OFFSET_HOURS,
    YEAR,
    Tables,
    toy_hours,
    toy_tables,
    write_hourly,
    write_tables,
)

COAL, GAS, HYDRO, WIND, SOLAR = range(5)
Change = Callable[[Tables], object]


def toy_country(tmp_path: Path, *changes: Change) -> Country:
    tables = toy_tables()
    for change in changes:
        change(tables)
    write_tables(tmp_path / "toyland", tables)
    return load_country(tmp_path / "toyland")


def refused(country: Country) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        build_hours(country)
    return caught.value.faults


def set_generation(fuel: str, month: int, gigawatt_hours: str) -> Change:
    def change(tables: Tables) -> None:
        rows = [
            row for row in tables["monthly_generation"] if row["fuel"] == fuel and row["month"] == str(month)
        ]
        assert len(rows) == 1
        rows[0]["generation_gwh"] = gigawatt_hours

    return change


def even_demand(tables: Tables) -> None:
    """700 MW sent out in every hour, nothing lost, no rooftop solar, no day shape."""
    del tables["rooftop_solar"][:]
    for row, hours in zip(tables["monthly_demand"], HOURS_IN_MONTH, strict=True):
        row |= {"generation_gwh": f"{0.7 * hours:.4f}", "losses_gwh": "0"}
    for row in tables["demand_shapes"]:
        row["gross_demand_pu"] = "1"


def add_parameter(name: str, value: str) -> Change:
    return append("parameters", 0, parameter=name, value=value, unit="1")


def add_nuclear(generation: str, must_run: str = "yes") -> Change:
    """Two plants of 92 and 46 MW net, of a fuel that is spread evenly over the month."""

    def change(tables: Tables) -> None:
        append("fuels", 0, fuel="nuclear", name="Nuclear", profile="flat", must_run=must_run)(tables)
        append("plants", COAL, plant="NUC1", fuel="nuclear", installed_mw="100")(tables)
        append("plants", COAL, plant="NUC2", fuel="nuclear", installed_mw="50")(tables)
        for month in MONTHS:
            append("monthly_generation", 0, month=str(month), fuel="nuclear", generation_gwh=generation)(
                tables
            )

    return change


def monthly(series: FloatArray) -> FloatArray:
    """Sum of each local month along the first axis."""
    starts = [24 * day for day in FIRST_DAY]
    return np.add.reduceat(series, starts, axis=0)


def published(country: Country, fuel: str) -> FloatArray:
    """[MWh]"""
    rows = country.table("monthly_generation").where(fuel=fuel)
    return 1000.0 * np.array([row["generation_gwh"] for row in rows])


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


# --- plants ----------------------------------------------------------------------------------------------


@given(st.data())
@settings(deadline=None)
def test_water_fill_is_proportional_up_to_the_limit(data: st.DataObject) -> None:
    pairs = data.draw(
        st.lists(st.tuples(st.just(0.0) | st.floats(1e-3, 1e3), st.floats(0.0, 1e3)), min_size=1, max_size=8)
    )
    weight, limit = np.array(pairs).T
    most = reachable(weight, limit)
    total = data.draw(st.floats(0.0, 1.0)) * most
    filled = water_fill(weight, limit, total)
    assert filled.sum() == pytest.approx(total, rel=1e-9, abs=1e-9)
    assert np.all((filled >= 0.0) & (filled <= limit))
    assert np.all(filled[weight == 0.0] == 0.0)
    below = (weight > 0.0) & (filled < limit * (1.0 - 1e-9))
    if total < most and np.any(below):
        factors = filled[below] / weight[below]
        np.testing.assert_allclose(factors, factors[0], rtol=1e-6, atol=1e-12)
        at_limit = (weight > 0.0) & ~below
        assert np.all(limit[at_limit] <= factors[0] * weight[at_limit] * (1.0 + 1e-6) + 1e-9)


def test_water_fill_by_hand() -> None:
    weight, limit = np.array([1.0, 2.0, 0.0, 1.0]), np.array([10.0, 4.0, 9.0, 10.0])
    np.testing.assert_allclose(water_fill(weight, limit, 4.0), [1.0, 2.0, 0.0, 1.0])
    np.testing.assert_allclose(water_fill(weight, limit, 10.0), [3.0, 4.0, 0.0, 3.0])
    np.testing.assert_allclose(water_fill(weight, limit, 24.0), [10.0, 4.0, 0.0, 10.0])
    for total in (24.1, -1.0):
        with pytest.raises(ValueError, match="limits allow from 0 to 24"):
            water_fill(weight, limit, total)


def test_capped_solar_keeps_the_energy(tmp_path: Path) -> None:
    # 45 GWh in July are a utilisation of 0.40: the noon hours bind at 148.5 MW.
    country = toy_country(tmp_path, set_generation("solar", 7, "45"))
    july = build_hours(country).available[:, SOLAR][24 * FIRST_DAY[6] : 24 * FIRST_DAY[7]]
    assert july.sum() == pytest.approx(45_000.0, rel=1e-9)
    assert july.max() == pytest.approx(148.5, rel=1e-12)
    assert np.count_nonzero(july == 148.5) > 5 * 31


@pytest.mark.parametrize("fuel", ["solar", "wind", "hydro"])
def test_energy_beyond_the_capacity_is_refused_with_month_and_both_energies(
    tmp_path: Path, fuel: str
) -> None:
    (fault,) = refused(toy_country(tmp_path, set_generation(fuel, 7, "500")))
    daylight = clear_sky_pu(build_calendar(YEAR, UTC_OFFSET_HOURS), 25.1, 67.1)[24 * 181 : 24 * 212] > 0.0
    # Net capacity, less outages for hydro, in every hour that counts.
    most = {
        "solar": 148.5 * np.count_nonzero(daylight),
        "wind": 99.0 * 744,
        "hydro": 297.0 * 0.95 * 744,
    }[fuel]
    assert fault.place == "monthly_generation.csv"
    assert fault.value == "500"
    assert f"fuel {fuel}, month 7: 500.000 GWh are published" in fault.problem
    assert f"at most {most / 1000.0:.3f} GWh" in fault.problem


def test_wind_follows_its_shape_by_local_hour(tmp_path: Path) -> None:
    country = toy_country(tmp_path)
    day = build_hours(country).available[:24, WIND]
    shape = np.array(country.table("wind_shapes").where(month=1).column("output_pu"))
    # The toy's January: 22 MW on average, spread as the shape is.
    np.testing.assert_allclose(day, 22.0 * shape / shape.mean(), rtol=1e-9)


def test_flat_fuel_is_shared_by_net_capacity(tmp_path: Path) -> None:
    hours = build_hours(toy_country(tmp_path, add_nuclear("74.4")))
    # 74.4 GWh over the 744 h of January are 100 MW; net capacities 92 and 46.
    np.testing.assert_allclose(hours.available[:744, 5], 200.0 / 3.0, rtol=1e-12)
    np.testing.assert_allclose(hours.available[:744, 6], 100.0 / 3.0, rtol=1e-12)
    np.testing.assert_array_equal(hours.minimum[:, 5:], hours.available[:, 5:])
    np.testing.assert_allclose(monthly(hours.available)[:, 5:].sum(axis=1), 74_400.0, rtol=1e-9)


def test_flat_fuel_that_need_not_run_has_no_minimum(tmp_path: Path) -> None:
    hours = build_hours(toy_country(tmp_path, add_nuclear("74.4", must_run="no")))
    assert hours.available[:, 5].min() > 0.0
    assert np.count_nonzero(hours.minimum[:, 5:]) == 0


def test_flat_fuel_above_its_capacity_is_refused_in_the_short_month_alone(tmp_path: Path) -> None:
    # 138 MW net give 102.672 GWh in 31 days, 99.36 in 30 and 92.736 in 28.
    (fault,) = refused(toy_country(tmp_path, add_nuclear("95")))
    assert "month 2: 95.000 GWh are published" in fault.problem
    assert "at most 92.736 GWh" in fault.problem


def two_rivers(tables: Tables) -> None:
    """HYDRO1: 297 MW, storage; HYDRO2: 100 MW, none, with a full river; minimum output 0.2."""
    append("plants", HYDRO, plant="HYDRO2", dependable_mw="100", storage="no", hydro_shape="full")(tables)
    for month in MONTHS:
        append("hydro_shapes", 0, shape="full", month=str(month), utilisation_pu="1")(tables)
    (row,) = (
        row
        for row in tables["technologies"]
        if (row["technology"], row["attribute"]) == ("river", "minimum_output_pu")
    )
    row["value"] = "0.2"


def test_hydro_is_split_by_hand(tmp_path: Path) -> None:
    country = toy_country(tmp_path, two_rivers, set_generation("hydro", 1, "150"))
    hours = build_hours(country)
    # January: weights 297 x 0.3 and 100 x 1 would give HYDRO2 79.3 GWh; it can do 100 x 0.95 x 744 h.
    assert hours.hydro_energy[0, 5] == pytest.approx(70_680.0, rel=1e-9)
    assert hours.hydro_energy[0, HYDRO] == pytest.approx(79_320.0, rel=1e-9)
    np.testing.assert_allclose(hours.available[:744, 5], 95.0, rtol=1e-12)
    assert np.count_nonzero(hours.minimum[:, 5]) == 0
    np.testing.assert_allclose(hours.minimum[:744, HYDRO], 0.2 * 79_320.0 / 744.0, rtol=1e-9)
    np.testing.assert_allclose(hours.available[:744, HYDRO], 282.15, rtol=1e-12)
    # June: no limit binds; 300 x 0.75 x 720 h by 297 x 0.75 and 100.
    assert hours.hydro_energy[5, 5] == pytest.approx(162_000.0 * 100.0 / 322.75, rel=1e-9)
    np.testing.assert_allclose(monthly(hours.available)[:, 5], hours.hydro_energy[:, 5], rtol=1e-9)


def test_plant_runs_in_its_months_alone(tmp_path: Path) -> None:
    months = set_cells("plants", COAL, first_month="3", last_month="6")
    available = build_hours(toy_country(tmp_path, months)).available[:, COAL]
    running = (available.reshape(365, 24) > 0.0).all(axis=1)
    assert running.tolist() == [59 <= day < 181 for day in range(365)]
    assert np.count_nonzero(available) == 24 * np.count_nonzero(running)


def test_hydro_with_storage_runs_in_its_months_alone(tmp_path: Path) -> None:
    def late(tables: Tables) -> None:
        two_rivers(tables)
        set_cell("plants", HYDRO, "first_month", "7")(tables)
        for month in MONTHS:
            set_generation("hydro", month, "50")(tables)

    hours = build_hours(toy_country(tmp_path, late))
    july = 24 * FIRST_DAY[6]
    assert np.count_nonzero(hours.available[:july, HYDRO]) == 0
    np.testing.assert_allclose(hours.available[july:, HYDRO], 282.15, rtol=1e-12)
    np.testing.assert_allclose(hours.hydro_energy[:6, 5], 50_000.0, rtol=1e-9)
    assert hours.hydro_energy[6:, HYDRO].min() > 0.0


def test_published_energy_without_a_plant_in_service_is_refused(tmp_path: Path) -> None:
    faults = refused(toy_country(tmp_path, set_cell("plants", WIND, "first_month", "3")))
    assert [fault.problem.split(":")[0] for fault in faults] == [
        "pool GRID, fuel wind, month 1",
        "pool GRID, fuel wind, month 2",
    ]
    assert all("at most 0.000 GWh" in fault.problem for fault in faults)


@pytest.mark.parametrize("attribute", ["forced_outage_rate", "planned_outage_rate", "auxiliary_share"])
def test_missing_rate_is_refused(tmp_path: Path, attribute: str) -> None:
    country = toy_country(tmp_path, drop("technologies", technology="steam", attribute=attribute))
    (fault,) = refused(country)
    assert fault.place == "technologies.csv"
    assert fault.problem == f"technology steam has no {attribute} [1]"
    assert "COAL1" in fault.mend


def test_net_capacity_needs_no_auxiliary_share_where_it_is_published(tmp_path: Path) -> None:
    lacking = drop("technologies", technology="steam", attribute="auxiliary_share")
    with pytest.raises(InputError, match="technology steam has no auxiliary_share"):
        net_capacity(toy_country(tmp_path / "without", lacking))
    given_mw = set_cell("plants", COAL, "dependable_mw", "560")
    assert net_capacity(toy_country(tmp_path / "with", lacking, given_mw))[COAL] == 560.0


def test_outages_above_1_and_storage_of_coal_are_refused_together(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        for row in tables["technologies"]:
            if row["technology"] == "steam" and row["attribute"].endswith("outage_rate"):
                row["value"] = "0.6"
        set_cell("plants", COAL, "storage", "yes")(tables)

    faults = refused(toy_country(tmp_path, change))
    assert [fault.problem for fault in faults] == [
        "forced and planned outages of technology steam sum to more than 1 [1]",
        "plant COAL1: only hydro has storage; its fuel has the profile dispatched",
    ]


# --- series that are given -------------------------------------------------------------------------------


def with_series(tmp_path: Path, *changes: Change, **series: float) -> Country:
    toy_country(tmp_path, *changes)
    columns = {name.replace("__", "."): [f"{value}"] * 8760 for name, value in series.items()}
    write_hourly(tmp_path / "toyland", toy_hours(), columns)
    return load_country(tmp_path / "toyland")


def test_given_series_replace_what_is_built(tmp_path: Path) -> None:
    built = build_hours(toy_country(tmp_path))
    country = with_series(tmp_path, demand_mw__NORTH=321.5, available_mw__WIND1=20.0, available_mw__COAL1=500)
    hours = build_hours(country)
    np.testing.assert_array_equal(hours.demand[:, 0], 321.5)
    np.testing.assert_array_equal(hours.demand[:, 1], built.demand[:, 1])
    np.testing.assert_array_equal(hours.available[:, WIND], 20.0)
    np.testing.assert_array_equal(hours.minimum[:, WIND], np.minimum(built.minimum[:, WIND], 20.0))
    np.testing.assert_array_equal(hours.available[:, COAL], 500.0)
    np.testing.assert_array_equal(hours.available[:, SOLAR], built.available[:, SOLAR])


def test_demand_that_is_given_for_a_whole_pool_is_not_built(tmp_path: Path) -> None:
    lacking = drop("parameters", parameter="rooftop_performance_ratio")
    hours = build_hours(with_series(tmp_path, lacking, demand_mw__NORTH=300.0, demand_mw__SOUTH=400.0))
    np.testing.assert_array_equal(hours.demand, np.tile([300.0, 400.0], (8760, 1)))


def test_given_run_of_river_brings_its_own_energy(tmp_path: Path) -> None:
    country = with_series(tmp_path, set_cell("plants", HYDRO, "storage", "no"), available_mw__HYDRO1=50.0)
    hours = build_hours(country)
    np.testing.assert_allclose(hours.hydro_energy[:, HYDRO], 50.0 * np.array(HOURS_IN_MONTH), rtol=1e-12)


def test_given_limit_below_the_energy_of_a_reservoir_is_refused(tmp_path: Path) -> None:
    faults = refused(with_series(tmp_path, available_mw__HYDRO1=200.0))
    # 300 MW x utilisation exceeds 200 MW from 0.67 on: June to August.
    assert [fault.problem.split(":")[0] for fault in faults] == ["month 6", "month 7", "month 8"]
    assert "allows 144.000 GWh" in faults[0].problem  # 200 MW x 720 h
    assert "is 162.000 GWh" in faults[0].problem
    assert {(fault.place, fault.column) for fault in faults} == {("hourly.csv", "available_mw.HYDRO1")}
