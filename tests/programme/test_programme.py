"""A programme's limits, its defaults from a country, and its bids."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from penstock.country import Country, load_country
from penstock.errors import ProgrammeError, TableError
from penstock.programme import (
    Programme,
    ProgrammeBid,
    check_programme,
    default_programme,
    programme_bids,
)
from penstock.programme.programme import tariff_usd_per_mwh
from tests.country.changes import changed_folder
from tests.country.toy import Tables, write_toy_country

# 50.63 USD x 0.98 for 24 x 17.5 x 1.05 = 441 kWh, and 2.3 USD x 8 x 0.6 x 0.5 for 8.4 x 1.58 = 13.272 kWh.
MINING_VALUE = 49.6174 / 0.441
AI_VALUE = 5.52 / 0.013272

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


def described(bids: tuple[ProgrammeBid, ...]) -> list[tuple[object, ...]]:
    return [(row.bid.name, row.bid.zone, row.load, row.bid.quantity) for row in bids]


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
        programme_bids(toyland, programme)


def test_tariff_in_dollars(toyland: Country) -> None:
    # 6 XTC/kWh = 6,000 XTC/MWh, at 100 XTC/USD.
    assert tariff_usd_per_mwh(toyland, Programme(**GOOD)) == pytest.approx(60.0, rel=1e-12)


def test_interruptible_bids(toyland: Country) -> None:
    bids = programme_bids(toyland, Programme(**GOOD))
    assert described(bids) == [
        ("mining NORTH", "NORTH", "mining", 15.0),
        ("mining SOUTH", "SOUTH", "mining", 10.0),
        ("ai NORTH", "NORTH", "ai", 45.0),
        ("ai SOUTH", "SOUTH", "ai", 30.0),
    ]
    assert [row.bid.value for row in bids] == pytest.approx([60.0, 60.0, AI_VALUE, AI_VALUE], rel=1e-9)
    assert [row.value_usd_per_mwh for row in bids] == pytest.approx(
        [MINING_VALUE, MINING_VALUE, AI_VALUE, AI_VALUE], rel=1e-9
    )


def test_firm_bids_are_served_like_firm_demand(toyland: Country) -> None:
    bids = programme_bids(toyland, Programme(**GOOD, firm=True))
    assert [row.bid.value for row in bids] == [3000.0] * 4
    assert [row.bid.quantity for row in bids] == [15.0, 10.0, 45.0, 30.0]


@pytest.mark.parametrize("firm", [False, True])
@pytest.mark.parametrize(
    ("tariff", "quantities"),
    [
        (11.2, [15.0, 10.0, 45.0, 30.0]),  # 112 USD/MWh, mining is worth 112.5
        (11.3, [0.0, 0.0, 45.0, 30.0]),
        (41.5, [0.0, 0.0, 45.0, 30.0]),  # AI is worth 415.9
        (41.6, [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_a_load_worth_less_than_the_tariff_does_not_come(
    toyland: Country, tariff: float, quantities: list[float], firm: bool
) -> None:
    bids = programme_bids(toyland, Programme(**(GOOD | {"tariff_per_kwh": tariff, "firm": firm})))
    assert [row.bid.quantity for row in bids] == quantities
    assert bids[0].value_usd_per_mwh == pytest.approx(MINING_VALUE, rel=1e-9)


def test_nothing_offered_keeps_the_labels(toyland: Country) -> None:
    bids = programme_bids(toyland, Programme(**(GOOD | {"mw": 0.0})))
    assert [row.bid.name for row in bids] == ["mining NORTH", "mining SOUTH", "ai NORTH", "ai SOUTH"]
    assert [row.bid.quantity for row in bids] == [0.0] * 4


def test_country_tables_refuse_a_share_above_one(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        (row,) = (row for row in tables["parameters"] if row["parameter"] == "programme_mining_share")
        row.update(value="2", high="2")

    with pytest.raises(TableError, match=r"programme_mining_share must be at most 1 \[1\]"):
        load_country(changed_folder(tmp_path, change))
