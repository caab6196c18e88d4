"""Plants' hours from monthly facts: energies exact, limits kept, given series taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.country import Country, load_country
from penstock.country.calendar import FIRST_DAY, HOURS_IN_MONTH, MONTHS, build_calendar
from penstock.country.fill import reachable, water_fill
from penstock.country.hours import build_hours, net_capacity
from penstock.country.solar import clear_sky_pu
from penstock.errors import InputError
from tests.country.built import (
    COAL,
    HYDRO,
    SOLAR,
    WIND,
    Change,
    add_nuclear,
    monthly,
    refused,
    set_generation,
    toy_country,
)
from tests.country.changes import append, drop, set_cell, set_cells
from tests.country.toy import (
    UTC_OFFSET_HOURS,
    YEAR,
    Tables,
    toy_hours,
    write_hourly,
)

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
