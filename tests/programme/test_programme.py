"""A programme's limits, its defaults from a country, and the plan of its parts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.country import Country, load_country
from penstock.errors import FleetError, ProgrammeError, TableError
from penstock.loads.compute import default_centre
from penstock.loads.mining import default_fleet, fleet_of
from penstock.programme import (
    Plan,
    Programme,
    check_programme,
    default_programme,
    plan_for,
    tariff_usd_per_mwh,
)
from tests.country.changes import changed_folder
from tests.country.toy import Tables, write_toy_country
from tests.programme.small import BATCH, SERVING, TRAINING, centre, cohort, fleet

HOURS = 48
MONTH = np.repeat(np.array([1, 7], dtype=np.int64), 24)
LOCAL = np.tile(np.arange(24, dtype=np.int64), 2)

GOOD: dict[str, Any] = {
    "mw": 100.0,
    "mining_share": 0.25,
    "tariff_per_kwh": 6.0,
    "sites": {"NORTH": 0.6, "SOUTH": 0.4},
}


@pytest.fixture
def toyland(tmp_path: Path) -> Country:
    write_toy_country(tmp_path / "toyland")
    return load_country(tmp_path / "toyland")


def planned(country: Country, programme: Programme) -> Plan:
    return plan_for(country, programme, MONTH, LOCAL)


def test_programme_is_frozen_and_keeps_its_own_sites() -> None:
    sites = {"NORTH": 0.6, "SOUTH": 0.4}
    programme = Programme(tariff_per_kwh=6, sites=sites)
    sites["NORTH"] = 5.0
    assert (programme.mw, programme.mining_share, programme.firm) == (2000.0, 0.5, False)
    assert dict(programme.sites) == {"NORTH": 0.6, "SOUTH": 0.4}
    assert type(programme.tariff_per_kwh) is float
    assert programme == Programme(tariff_per_kwh=6.0, sites=dict(programme.sites))
    assert hash(programme) == hash(Programme(tariff_per_kwh=6.0, sites=dict(programme.sites)))
    frozen: Any = programme.sites
    with pytest.raises(TypeError, match="does not support item assignment"):
        frozen["NORTH"] = 1.0


@pytest.mark.parametrize(
    ("change", "column", "problem"),
    [
        ({"mw": -1.0}, "mw", "from 0 to 50000 [MW]"),
        ({"mw": math.nan}, "mw", "from 0 to 50000 [MW]"),
        ({"mw": 50_000.1}, "mw", "from 0 to 50000 [MW]"),
        ({"mw": "100"}, "mw", "from 0 to 50000 [MW]"),
        ({"mw": True}, "mw", "from 0 to 50000 [MW]"),
        ({"mining_share": 1.01}, "mining_share", "from 0 to 1 [1]"),
        ({"mining_share": -0.01}, "mining_share", "from 0 to 1 [1]"),
        ({"mining_share": math.nan}, "mining_share", "from 0 to 1 [1]"),
        ({"tariff_per_kwh": -0.5}, "tariff_per_kwh", "of at least 0 [currency/kWh]"),
        ({"tariff_per_kwh": math.nan}, "tariff_per_kwh", "of at least 0 [currency/kWh]"),
        ({"tariff_per_kwh": math.inf}, "tariff_per_kwh", "of at least 0 [currency/kWh]"),
        ({"sites": {"NORTH": 0.6, "SOUTH": 0.4 - 2e-6}}, "sites", "sum to 0.999998, not to 1 within 1e-06"),
        ({"sites": {}}, "sites", "sum to 0, not to 1"),
        ({"sites": {"NORTH": 1.0, "SOUTH": -0.1}}, "sites, SOUTH", "from 0 to 1 [1]"),
        ({"sites": {"NORTH": math.nan, "SOUTH": 0.4}}, "sites, NORTH", "from 0 to 1 [1]"),
    ],
)
def test_a_value_outside_its_limits_is_refused(change: dict[str, Any], column: str, problem: str) -> None:
    with pytest.raises(ProgrammeError) as caught:
        Programme(**(GOOD | change))
    (fault,) = caught.value.faults
    assert fault.column == column
    assert problem in fault.problem


def test_limits_themselves_are_allowed() -> None:
    for change in (
        {"mw": 0.0, "mining_share": 0.0, "tariff_per_kwh": 0.0},
        {"mw": 50_000, "mining_share": 1, "sites": {"NORTH": 1.0 + 9e-7}},
    ):
        programme = Programme(**(GOOD | change))
        assert programme.mw == change["mw"]


def test_every_fault_is_listed() -> None:
    with pytest.raises(ProgrammeError) as caught:
        Programme(mw=-1.0, mining_share=2.0, tariff_per_kwh=math.nan, sites={"NORTH": 0.5, "SOUTH": 0.4})
    columns = [fault.column for fault in caught.value.faults]
    assert columns == ["mw", "mining_share", "tariff_per_kwh", "sites"]


def test_default_programme_is_the_countrys(toyland: Country) -> None:
    programme = default_programme(toyland)
    assert (programme.mw, programme.mining_share, programme.tariff_per_kwh) == (100.0, 0.5, 6.0)
    assert (dict(programme.sites), programme.firm) == ({"NORTH": 0.5, "SOUTH": 0.5}, False)


def test_what_is_given_replaces_the_default_even_where_it_is_zero(toyland: Country) -> None:
    programme = default_programme(toyland, mw=0.0, mining_share=0.0, tariff_per_kwh=0.0, firm=True)
    assert (programme.mw, programme.mining_share, programme.tariff_per_kwh) == (0.0, 0.0, 0.0)
    assert programme.firm


@pytest.mark.parametrize(("value", "firm"), [("0", False), ("1", True)])
def test_country_may_say_that_its_programme_is_firm(tmp_path: Path, value: str, firm: bool) -> None:
    country = load_country(changed_folder(tmp_path, firm_parameter(value)))
    assert default_programme(country).firm is firm
    assert default_programme(country, firm=not firm).firm is not firm


def test_half_firm_is_refused(tmp_path: Path) -> None:
    country = load_country(changed_folder(tmp_path, firm_parameter("0.5")))
    with pytest.raises(ProgrammeError, match=r"must be 0 \(interruptible\) or 1 \(firm\) \(value: '0.5'\)"):
        default_programme(country)


def firm_parameter(value: str) -> Any:
    def change(tables: Tables) -> None:
        cells = {"parameter": "programme_firm", "value": value, "unit": "1", "source": "toy"}
        tables["parameters"].append(cells | {"basis": "published"})

    return change


def test_unknown_sites_are_all_named(toyland: Country) -> None:
    programme = Programme(tariff_per_kwh=6.0, sites={"NORTH": 0.5, "EAST": 0.25, "WEST": 0.25})
    with pytest.raises(ProgrammeError) as caught:
        check_programme(toyland, programme)
    assert [fault.value for fault in caught.value.faults] == ["EAST", "WEST"]
    assert "Toyland; its zones are NORTH, SOUTH" in caught.value.faults[0].problem
    with pytest.raises(ProgrammeError, match="EAST"):
        planned(toyland, programme)


def test_tariff_in_dollars(toyland: Country) -> None:
    # 6 XTC/kWh = 6,000 XTC/MWh, at 100 XTC/USD.
    assert tariff_usd_per_mwh(toyland, Programme(**GOOD)) == pytest.approx(60.0, rel=1e-12)


def test_plan_has_the_programmes_power_at_its_sites(toyland: Country) -> None:
    """100 MW, a quarter of it mining, 60 % in the north."""
    plan = planned(toyland, Programme(**GOOD))
    assert plan.tariff == pytest.approx(60.0, rel=1e-12)
    assert (plan.value_of_lost_load, plan.firm, plan.hours) == (3000.0, False, HOURS)
    power: dict[tuple[str, str], float] = {}
    for load in ("mining", "ai"):
        for zone in ("NORTH", "SOUTH"):
            rows = [part for part in plan.parts if (part.load, part.zone) == (load, zone) and not part.late]
            power[load, zone] = float(np.sum([part.offered for part in rows], axis=0).max())
    assert power == pytest.approx(
        {
            ("mining", "NORTH"): 15.0,
            ("mining", "SOUTH"): 10.0,
            ("ai", "NORTH"): 45.0,
            ("ai", "SOUTH"): 30.0,
        },
        rel=1e-9,
    )
    assert planned(toyland, Programme(**GOOD, firm=True)).firm


def test_plan_takes_the_tables_loads_where_the_programme_has_none(toyland: Country) -> None:
    """Their own tests tell what they are worth."""
    plan = planned(toyland, Programme(**GOOD))
    blocks = default_fleet(15.0).blocks()
    parts = [part for part in plan.parts if (part.load, part.zone) == ("mining", "NORTH")]
    assert [(part.kind, part.mode) for part in parts] == [(block.cohort, block.mode) for block in blocks]
    for part, block in zip(parts, blocks, strict=True):
        assert part.offered == pytest.approx([block.mw] * HOURS, rel=1e-9)
        assert part.hashrate_ehs == pytest.approx(block.hashrate_ehs, rel=1e-9)
        assert part.worth_usd_per_mwh * 50.0 == pytest.approx(block.break_even_usd_per_mwh(50.0), rel=1e-12)
    (serving,) = (part for part in plan.parts if part.name == "ai NORTH serving")
    assert serving.worth_usd_per_mwh == pytest.approx(
        default_centre().work_class("serving").value_usd_per_mwh(float(plan.where.pue["NORTH"].mean())),
        rel=1e-12,
    )


def test_plan_takes_the_programmes_own_loads(toyland: Country) -> None:
    """A fleet of any size stands for its mix: 3 MW of it are scaled to the sites' 15 and 10."""
    machines = fleet(cohort("old", 2.0, 30.0), cohort("new", 1.0, 15.0))
    programme = Programme(**GOOD, fleet=machines, centre=centre(BATCH, TRAINING, SERVING))
    assert hash(programme) == hash(Programme(**GOOD, fleet=machines, centre=centre()))
    plan = planned(toyland, programme)
    assert plan.fleet is machines
    found = {part.name: float(part.offered[0]) for part in plan.parts if part.load == "mining"}
    assert found == pytest.approx(
        {
            "mining NORTH old full": 10.0,
            "mining NORTH new full": 5.0,
            "mining SOUTH old full": 20.0 / 3.0,
            "mining SOUTH new full": 10.0 / 3.0,
        }
    )
    assert {part.kind for part in plan.parts if part.load == "ai"} == {"batch", "training", "serving"}


def test_country_may_have_its_own_parameters_of_the_loads(tmp_path: Path) -> None:
    """Half of the income for the pool halves what a MWh is worth; rents twice as high double it, but for
    training, which is let by the year."""

    def change(tables: Tables) -> None:
        for name, value, unit in (
            ("mining_pool_fee_share", "0.51", "1"),
            ("ai_on_demand_usd_per_gpu_hour", "4.6", "USD/(GPU*h)"),
        ):
            cells = {"parameter": name, "value": value, "unit": unit, "source": "toy", "basis": "published"}
            tables["parameters"].append(cells)

    write_toy_country(tmp_path / "toyland")
    before = planned(load_country(tmp_path / "toyland"), Programme(**GOOD))
    after = planned(load_country(changed_folder(tmp_path, change)), Programme(**GOOD))
    for one, other in zip(before.parts, after.parts, strict=True):
        factor = 0.5 if one.load == "mining" else 1.0 if one.kind == "training" else 2.0
        assert other.worth_usd_per_mwh == pytest.approx(one.worth_usd_per_mwh * factor, rel=1e-12)


def test_pue_follows_the_countrys_temperatures(tmp_path: Path) -> None:
    """January is cold in both zones, July hot: the same work draws more at the meter."""

    def change(tables: Tables) -> None:
        tables["temperatures"] = [
            {
                "zone": zone,
                "month": str(month),
                "mean_minimum_c": "0" if month == 1 else "28",
                "mean_maximum_c": "8" if month == 1 else "40",
                "basis": "published",
                "source": "toy",
            }
            for zone in ("NORTH", "SOUTH")
            for month in range(1, 13)
        ]

    plan = planned(load_country(changed_folder(tmp_path, change)), Programme(**GOOD))
    pue = plan.where.pue["NORTH"]
    # Of a large cloud: 1.12 below 10 degrees, and 0.015 more for each degree above, 1.57 at 40.
    assert pue[:24] == pytest.approx([1.12] * 24, rel=1e-9)
    assert float(pue[24:].max()) == pytest.approx(1.57, rel=1e-6)
    (training,) = (part for part in plan.parts if part.name == "ai NORTH training kept")
    assert float(training.offered[24:].min()) > float(training.offered[:24].max())


def test_without_temperatures_every_hour_is_one_temperate_one(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        del tables["temperatures"]

    plan = planned(load_country(changed_folder(tmp_path, change)), Programme(**GOOD))
    pue = plan.where.pue["SOUTH"]
    assert set(pue.tolist()) == {float(pue[0])}
    assert 1.12 <= float(pue[0]) <= 1.37, "between a cool and a hot region"


def test_nothing_offered_keeps_the_labels(toyland: Country) -> None:
    some, none = (planned(toyland, Programme(**(GOOD | {"mw": megawatts}))) for megawatts in (100.0, 0.0))
    assert [part.name for part in none.parts] == [part.name for part in some.parts]
    assert not any(part.offered.any() for part in none.parts)


def test_a_fleet_without_machines_is_refused() -> None:
    with pytest.raises(ProgrammeError) as caught:
        Programme(**GOOD, fleet=fleet(cohort("m20", 0.0, 20.0)))
    (fault,) = caught.value.faults
    assert (fault.column, fault.problem) == ("fleet", "is empty: its machines draw 0 MW")
    with pytest.raises(FleetError, match="has no cohorts"):
        replace(fleet(), cohorts=())


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ({"s21": 1.2}, "from 0 to 1"),
        ({"s21": 0.7, "s21-pro": 0.4}, "sum to 1.1, not to 1"),
        ({"s21": math.nan}, "from 0 to 1"),
        ({"s21": 0.5, "abacus": 0.5}, "is no machine of the catalogue"),
    ],
)
def test_a_fleet_of_wrong_shares_is_refused(shares: dict[str, float], problem: str) -> None:
    with pytest.raises(FleetError, match=problem):
        Programme(**GOOD, fleet=fleet_of(shares, 1.0))


def test_country_tables_refuse_a_share_above_one(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        (row,) = (row for row in tables["parameters"] if row["parameter"] == "programme_mining_share")
        row.update(value="2", high="2")

    with pytest.raises(TableError, match=r"programme_mining_share must be at most 1 \[1\]"):
        load_country(changed_folder(tmp_path, change))
