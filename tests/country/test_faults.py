"""Every fault in a cell, across rows and across tables is named with file, row, column and value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from penstock.country import load_country
from penstock.country.faults import FaultList, choices_hint, shown
from penstock.country.schema import REQUIRED_FIELDS, REQUIRED_PARAMETERS
from penstock.errors import Fault
from tests.country.changes import (
    Change,
    Place,
    append,
    changed_folder,
    drop,
    faults_of,
    only_fault,
    place,
    set_cell,
    set_cells,
)
from tests.country.toy import Tables

# Faults in one cell. Rows of the toy are counted from 0, lines of a file from 1 with the header.

ARABIC_HUNDRED = "\u0661\u0660\u0660"

CELLS = [
    ("zones", 0, "zone", "", "is blank and required", "fill it in: zone of the market"),
    ("zones", 0, "name", "North ", "has spaces around it", "write 'North'"),
    ("zones", 0, "latitude", "95", r"is above the maximum of 90 \[degrees\]", "at most 90"),
    ("zones", 1, "longitude", "-181.5", r"is below the minimum of -180 \[degrees\]", "at least -180"),
    ("zones", 1, "demand_share", "nan", r"must be a finite number \[1\]", "write the number"),
    ("plants", 3, "installed_mw", "-inf", r"must be a finite number \[MW\]", "write the number"),
    ("plants", 3, "installed_mw", "1e999", r"is too large for a finite number \[MW\]", "power of ten"),
    ("plants", 3, "installed_mw", "1,000", r"must be a number \[MW\]", "without unit or thousands"),
    ("plants", 3, "installed_mw", "100 MW", r"must be a number \[MW\]", "without unit or thousands"),
    ("plants", 3, "installed_mw", "1_000", r"must be a number \[MW\]", "without unit or thousands"),
    ("plants", 3, "installed_mw", ARABIC_HUNDRED, r"must be a number \[MW\]", "without unit or thousands"),
    ("plants", 3, "installed_mw", "10001", r"is above the maximum of 10000 \[MW\]", "at most 10000"),
    ("plants", 3, "first_month", "1.0", r"must be a whole number \[month\]", "digits only"),
    ("plants", 3, "first_month", "nan", r"must be a finite whole number \[month\]", "write the number"),
    ("plants", 3, "first_month", "9" * 5000, r"must be a whole number \[month\]", "digits only"),
    ("plants", 3, "last_month", "13", r"is above the maximum of 12 \[month\]", "at most 12"),
    ("plants", 3, "last_month", "0", r"is below the minimum of 1 \[month\]", "at least 1"),
    ("plants", 3, "storage", "true", "must be yes or no", "write yes or no"),
    ("fuels", 0, "profile", "dispatchd", "must be one of dispatched, flat", "did you mean 'dispatched'"),
    ("technologies", 0, "value", "-0.1", r"is below the minimum of 0 \[1\]", "at least 0"),
    ("parameters", 0, "value", "x", r"must be a number \[XTC/USD\]", "write it like"),
    ("parameters", 1, "low", "", "basis is an assumption, which needs low and high", "low end"),
    ("parameters", 1, "high", "", "basis is an assumption, which needs low and high", "high end"),
]


@pytest.mark.parametrize(("table", "index", "column", "value", "problem", "mend"), CELLS)
def test_fault_in_a_cell(
    tmp_path: Path, table: str, index: int, column: str, value: str, problem: str, mend: str
) -> None:
    fault = only_fault(changed_folder(tmp_path, set_cell(table, index, column, value)))
    assert place(fault) == (f"{table}.csv", index + 2, column, shown(value))
    assert re.search(problem, fault.problem)
    assert mend in fault.mend


def test_long_values_are_cut_in_messages() -> None:
    assert shown("9" * 5000) == "9" * 120 + "…"


@pytest.mark.parametrize(
    ("low", "value", "high", "column", "problem"),
    [
        ("3001", "3000", "10000", "value", "value is below low, which is 3001 [USD/MWh]"),
        ("1000", "3000", "2999", "value", "value is above high, which is 2999 [USD/MWh]"),
        ("5000", "3000", "4000", "low", "low is above high, which is 4000 [USD/MWh]"),
    ],
)
def test_low_value_high_out_of_order(
    tmp_path: Path, low: str, value: str, high: str, column: str, problem: str
) -> None:
    def change(tables: Tables) -> None:
        tables["parameters"][1] |= {"low": low, "value": value, "high": high}

    fault = only_fault(changed_folder(tmp_path, change))
    assert place(fault) == ("parameters.csv", 3, column, {"low": low, "value": value}[column])
    assert (fault.problem, fault.mend) == (problem, "order them: low <= value <= high")


def test_second_range_of_a_row_out_of_order(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        tables["corridors"][0] |= {"loss_low": "0.03", "loss_high": "0.01"}

    fault = only_fault(changed_folder(tmp_path, change))
    assert place(fault) == ("corridors.csv", 2, "loss_low", "0.03")
    assert fault.problem == "loss_low is above loss_high, which is 0.01 [1]"


# Faults across rows and tables


ACROSS: dict[str, tuple[Change, Place, str, str]] = {
    "repeated key": (
        append("plants", 3, name="Wind Two"),
        ("plants.csv", 7, "plant", "WIND1"),
        "row 5 has the same key already",
        "another key",
    ),
    "repeated key of several columns": (
        append("monthly_generation", 4),
        ("monthly_generation.csv", 62, "pool, month, fuel", "GRID, 1, gas"),
        "row 6 has the same key already",
        "another key",
    ),
    "unknown zone": (
        set_cell("plants", 0, "zone", "SOUHT"),
        ("plants.csv", 2, "zone", "SOUHT"),
        "no such row in zones.csv, column zone",
        "did you mean 'SOUTH'? each zone there is: NORTH, SOUTH",
    ),
    "unknown source": (
        set_cell("fuels", 1, "source", "toys"),
        ("fuels.csv", 3, "source", "toys"),
        "no such row in sources.csv, column source",
        "did you mean 'toy'? each source there is: toy, guess",
    ),
    "unknown technology": (
        set_cell("plants", 0, "technology", "steem"),
        ("plants.csv", 2, "technology", "steem"),
        "no such row in technologies.csv, column technology",
        "did you mean 'steam'? each technology there is: steam, combined_cycle, river, turbine, photovoltaic",
    ),
    "unknown pool of a plant": (
        set_cell("plants", 0, "pool", "GRIT"),
        ("plants.csv", 2, "pool", "GRIT"),
        "no zone has this pool",
        "did you mean 'GRID'? each pool there is: GRID",
    ),
    "demand shares": (
        set_cell("zones", 0, "demand_share", "0.400002"),
        ("zones.csv", None, "demand_share", None),
        r"demand_share of pool GRID sums to 1.000002, not to 1 within 1e-06 \[1\]",
        "correct the shares (rows 2, 3)",
    ),
    "sales shares": (
        set_cell("consumer_classes", 2, "sales_share", "0.1"),
        ("consumer_classes.csv", None, "sales_share", None),
        r"sales_share of all rows sums to 0.9, not to 1 within 1e-06 \[1\]",
        "correct the shares (rows 2, 3, 4)",
    ),
    "programme shares": (
        drop("programme_sites", zone="SOUTH"),
        ("programme_sites.csv", None, "share", None),
        r"share of all rows sums to 0.5, not to 1 within 1e-06 \[1\]",
        "correct the shares (rows 2)",
    ),
    "months of a plant": (
        set_cells("plants", 1, first_month="7", last_month="6"),
        ("plants.csv", 3, "first_month", "7"),
        r"is after last_month, which is 6 \[month\]",
        "first_month <= last_month",
    ),
    "excluded plant": (
        set_cell("excluded_plants", 0, "plant", "GAS1"),
        ("plants.csv", 3, "plant", "GAS1"),
        "the plant is also in excluded_plants.csv, row 2",
        "one of the two tables",
    ),
    "contract with an unknown plant": (
        set_cell("contracts", 0, "plants", "GAS1 GAS2"),
        ("contracts.csv", 2, "plants", "GAS1 GAS2"),
        "there is no plant 'GAS2' in plants.csv",
        "did you mean 'GAS1'? each plant there is: COAL1, GAS1, HYDRO1, WIND1, SOLAR1",
    ),
    "contract that names a plant twice": (
        set_cell("contracts", 0, "plants", "GAS1 GAS1"),
        ("contracts.csv", 2, "plants", "GAS1 GAS1"),
        "GAS1 stands 2 times in the list",
        "name each once",
    ),
    "contract without a limit": (
        set_cell("contracts", 0, "minimum_share", ""),
        ("contracts.csv", 2, "minimum_share", ""),
        "minimum_share, minimum_gwh and maximum_gwh are all blank",
        "at least one",
    ),
    "contract with two minima": (
        set_cell("contracts", 0, "minimum_gwh", "700"),
        ("contracts.csv", 2, "minimum_gwh", "700"),
        r"both minimum_share \(0.2\) and minimum_gwh are given",
        "leave one of the two blank",
    ),
    "contract with its minimum above its maximum": (
        set_cell("contracts", 1, "minimum_gwh", "5001"),
        ("contracts.csv", 3, "minimum_gwh", "5001"),
        r"is above maximum_gwh, which is 5000 \[GWh\]",
        "minimum_gwh <= maximum_gwh",
    ),
    "capacity payment to an unknown fuel": (
        set_cell("capacity_payments", 0, "fuels", "coal gaz"),
        ("capacity_payments.csv", 2, "fuels", "coal gaz"),
        "there is no fuel 'gaz' in fuels.csv",
        "did you mean 'gas'? each fuel there is: coal, gas, hydro, wind, solar",
    ),
    "corridor to its own zone": (
        set_cell("corridors", 0, "to_zone", "NORTH"),
        ("corridors.csv", 2, "to_zone", "NORTH"),
        "ends in the zone in which it starts",
        "two different zones",
    ),
    "month of rooftop solar": (
        set_cell("rooftop_solar", 0, "as_of", "2024-13"),
        ("rooftop_solar.csv", 2, "as_of", "2024-13"),
        "must be a month written YYYY-MM",
        "2024-12",
    ),
    "share of a technology": (
        set_cell("technologies", 1, "value", "6"),
        ("technologies.csv", 3, "value", "6"),
        r"forced_outage_rate is above the maximum of 1 \[1\]",
        "0.05 for 5 %",
    ),
    "hydro plant without a shape": (
        set_cell("plants", 2, "hydro_shape", ""),
        ("plants.csv", 4, "hydro_shape", ""),
        "is blank, but the plant's fuel has the profile hydro",
        "name a shape of hydro_shapes.csv",
    ),
    "hydro plant with an unknown shape": (
        set_cell("plants", 2, "hydro_shape", "rivers"),
        ("plants.csv", 4, "hydro_shape", "rivers"),
        "no such shape in hydro_shapes.csv",
        "did you mean 'river'? each shape there is: river",
    ),
    "another plant with a shape": (
        set_cell("plants", 0, "hydro_shape", "river"),
        ("plants.csv", 2, "hydro_shape", "river"),
        "only hydro plants have a shape; the plant's fuel has the profile dispatched",
        "leave it blank",
    ),
    "month of a hydro shape": (
        drop("hydro_shapes", month="6"),
        ("hydro_shapes.csv", None, "month", None),
        "shape river lacks the months 6$",
        "add a row",
    ),
    "hour of wind": (
        drop("wind_shapes", month="2", hour="23"),
        ("wind_shapes.csv", None, "hour", None),
        "there are wind plants, and 1 hours are missing, in months 2$",
        "24 hours of each month",
    ),
    "month of temperature": (
        drop("temperatures", zone="SOUTH", month="7"),
        ("temperatures.csv", None, "month", None),
        "zone SOUTH lacks the months 7$",
        "add a row",
    ),
    "nights warmer than days": (
        set_cell("temperatures", 0, "mean_minimum_c", "36"),
        ("temperatures.csv", 2, "mean_minimum_c", "36"),
        "is above mean_maximum_c, which is 35 ",
        "correct one of the two",
    ),
    "month of demand": (
        drop("monthly_demand", month="12"),
        ("monthly_demand.csv", None, "month", None),
        "pool GRID lacks the months 12$",
        "add a row",
    ),
    "hour of a season": (
        drop("demand_shapes", season="winter", hour="0"),
        ("demand_shapes.csv", None, "hour", None),
        "pool GRID, season winter lacks the hours 0$",
        "add a row",
    ),
    "season that the months need": (
        drop("demand_shapes", season="winter"),
        ("demand_shapes.csv", None, "hour", None),
        "pool GRID, season winter lacks the hours 0, 1, .*, 23$",
        "add a row",
    ),
    "published energy of wind": (
        drop("monthly_generation", fuel="wind", month="3"),
        ("monthly_generation.csv", None, "month", None),
        "fuel wind of pool GRID lacks the months 3$",
        "the profile wind spreads it",
    ),
    "year": (
        set_cell("country", 3, "value", "1989"),
        ("country.csv", 5, "value", "1989"),
        r"year must be a whole number from 1990 to 2100 \[year\]",
        "within the limits",
    ),
    "offset from UTC": (
        set_cell("country", 4, "value", "5.5"),
        ("country.csv", 6, "value", "5.5"),
        r"utc_offset_hours must be a whole number from -12 to 14 \[h\]",
        "within the limits",
    ),
    "code of the country": (
        set_cell("country", 1, "value", "xty"),
        ("country.csv", 3, "value", "xty"),
        "iso3 must be three capital letters",
        "three letters",
    ),
    "pool of the generation": (
        append("country", 0, field="generation_pool", value="GIRD"),
        ("country.csv", 7, "value", "GIRD"),
        "no zone has this pool",
        "did you mean 'GRID'?",
    ),
    "exchange rate": (
        set_cell("parameters", 0, "value", "0"),
        ("parameters.csv", 2, "value", "0"),
        r"currency_per_usd must be greater than 0 \[currency/USD\]",
        "check its unit",
    ),
    "reserve margin in per cent": (
        set_cells("parameters", 2, value="10", low="5", high="15"),
        ("parameters.csv", 4, "value", "10"),
        r"reserve_margin_share must be at most 1 \[1\]",
        "check its unit",
    ),
    "negative reserve margin": (
        set_cells("parameters", 2, value="-0.1", low="-0.2"),
        ("parameters.csv", 4, "value", "-0.1"),
        r"reserve_margin_share must be at least 0 \[1\]",
        "check its unit",
    ),
    "unknown column": (
        set_cell("zones", 0, "lattitude", "34"),
        ("zones.csv", 1, "lattitude", "lattitude"),
        "there is no such column",
        "did you mean 'latitude'?",
    ),
}


@pytest.mark.parametrize(("change", "where", "problem", "mend"), ACROSS.values(), ids=ACROSS.keys())
def test_fault_across_rows_and_tables(
    tmp_path: Path,
    change: Change,
    where: Place,
    problem: str,
    mend: str,
) -> None:
    fault = only_fault(changed_folder(tmp_path, change))
    assert place(fault) == where
    assert re.search(problem, fault.problem), fault.problem
    assert mend in fault.mend


@pytest.mark.parametrize("field", REQUIRED_FIELDS)
def test_field_of_the_country_is_missing(tmp_path: Path, field: str) -> None:
    fault = only_fault(changed_folder(tmp_path, drop("country", field=field)))
    assert place(fault) == ("country.csv", None, "field", None)
    assert fault.problem == f"the row {field} is missing"


@pytest.mark.parametrize("needed", REQUIRED_PARAMETERS, ids=lambda needed: needed.name)
def test_required_parameter_is_missing(tmp_path: Path, needed: Any) -> None:
    fault = only_fault(changed_folder(tmp_path, drop("parameters", parameter=needed.name)))
    assert place(fault) == ("parameters.csv", None, "parameter", None)
    assert fault.problem.startswith(f"the parameter {needed.name} [{needed.unit}] is missing")


def test_season_without_weight_is_not_needed(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        drop("demand_shapes", season="winter")(tables)
        for row in tables["monthly_demand"]:
            row["winter_share"] = "0"

    country = load_country(changed_folder(tmp_path, change))
    assert len(country.table("demand_shapes")) == 24


def test_shares_within_the_tolerance(tmp_path: Path) -> None:
    folder = changed_folder(tmp_path, set_cell("zones", 0, "demand_share", "0.4000009"))
    assert load_country(folder).table("zones").rows[0]["demand_share"] == 0.4000009


def test_no_zones_at_all(tmp_path: Path) -> None:
    faults = faults_of(changed_folder(tmp_path, lambda tables: tables["zones"].clear()))
    assert place(faults[0]) == ("zones.csv", None, None, None)
    assert faults[0].problem == "the table has no rows; it holds: zones of the market"
    lost = next(fault for fault in faults if fault.place == "plants.csv" and fault.column == "zone")
    assert lost.mend == "there is no zone to choose from yet; add one"


# All faults at once


def test_several_faults_come_in_one_error_file_by_file(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        tables["plants"][4]["fuel"] = "solr"
        tables["plants"][0]["installed_mw"] = "-600"
        tables["zones"][1]["latitude"] = "south"
        tables["corridors"][0]["to_zone"] = "NORTH"
        tables["parameters"][0]["unit"] = ""

    faults = faults_of(changed_folder(tmp_path, change))
    assert [place(fault) for fault in faults] == [
        ("parameters.csv", 2, "unit", ""),
        ("zones.csv", 3, "latitude", "south"),
        ("plants.csv", 2, "installed_mw", "-600"),
        ("plants.csv", 6, "fuel", "solr"),
        ("corridors.csv", 2, "to_zone", "NORTH"),
    ]


def test_faulty_cell_hides_what_hangs_on_it(tmp_path: Path) -> None:
    """With an unreadable zone, neither the plants that name it nor the sum of shares can be judged."""
    faults = faults_of(changed_folder(tmp_path, set_cells("zones", 0, zone="", demand_share="4O %")))
    assert [place(fault) for fault in faults] == [
        ("zones.csv", 2, "zone", ""),
        ("zones.csv", 2, "demand_share", "4O %"),
    ]


def test_repeated_faults_are_counted_beyond_the_cap() -> None:
    faults = FaultList(2)
    for row in range(2, 7):
        faults.add("blank", Fault("zones.csv", "is blank", "fill it in", row=row, column="zone"))
    faults.add("blank", Fault("zones.csv", "is blank", "fill it in", row=9, column="name"))
    assert [(fault.row, fault.column) for fault in faults.all()] == [
        (2, "zone"),
        (3, "zone"),
        (9, "name"),
        (None, "zone"),
    ]
    assert faults.all()[-1].problem == "3 more of the same kind (blank), the last in row 6"


def test_hint_lists_few_choices_and_counts_many() -> None:
    assert choices_hint("c", ["a", "b"], "key") == "each key there is: a, b"
    many = [f"plant{number}" for number in range(13)]
    assert choices_hint("plant_3", many, "plant") == "did you mean 'plant3'? use one of the 13 there are"
