"""hourly.csv: the clock of a local year, series of zones and plants, and every fault named."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from penstock.country import load_country
from penstock.country.hourly import HOURS_IN_YEAR, expected_hours
from penstock.errors import Fault, TableError
from tests.country.toy import toy_hours, toy_tables, write_hourly, write_tables


@pytest.fixture
def demand() -> list[str]:
    return [f"{280 + hour % 24}" for hour in range(HOURS_IN_YEAR)]


def faults_of(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(TableError) as caught:
        load_country(folder)
    assert all(fault.place == "hourly.csv" for fault in caught.value.faults)
    assert all(fault.mend for fault in caught.value.faults)
    return caught.value.faults


def only_fault(folder: Path) -> Fault:
    faults = faults_of(folder)
    assert len(faults) == 1, [str(fault) for fault in faults]
    return faults[0]


def place(fault: Fault) -> tuple[int | None, str | None, str | None]:
    return fault.row, fault.column, fault.value


# The clock


def test_hours_of_a_common_year() -> None:
    hours = expected_hours(2025, 5)
    assert hours[0] == datetime(2024, 12, 31, 19, tzinfo=UTC)
    assert hours[-1] == datetime(2025, 12, 31, 18, tzinfo=UTC)
    assert len(hours) == HOURS_IN_YEAR
    assert {later - earlier for earlier, later in pairwise(hours)} == {timedelta(hours=1)}


def test_leap_year_leaves_out_29_february_local() -> None:
    hours = expected_hours(2024, -6)
    assert len(hours) == HOURS_IN_YEAR
    assert hours[0] == datetime(2024, 1, 1, 6, tzinfo=UTC)
    # 31 + 28 days of 24 hours come before; local 1 March 00:00 is 06:00 in UTC.
    assert hours[59 * 24 - 1] == datetime(2024, 2, 29, 5, tzinfo=UTC)
    assert hours[59 * 24] == datetime(2024, 3, 1, 6, tzinfo=UTC)


# What a good file becomes


def test_series_as_loaded(toy: Path, demand: list[str]) -> None:
    available = ["0.5"] * HOURS_IN_YEAR
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand, "available_mw.WIND1": available})
    hourly = load_country(toy).hourly
    assert list(hourly) == ["demand_mw.NORTH", "available_mw.WIND1"]
    north = hourly["demand_mw.NORTH"]
    assert north.shape == (HOURS_IN_YEAR,)
    assert north.dtype == np.float64
    np.testing.assert_array_equal(north, 280.0 + np.arange(HOURS_IN_YEAR) % 24)
    np.testing.assert_array_equal(hourly["available_mw.WIND1"], np.full(HOURS_IN_YEAR, 0.5))


def test_series_cannot_be_changed(toy: Path, demand: list[str]) -> None:
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand})
    north = load_country(toy).hourly["demand_mw.NORTH"]
    with pytest.raises(ValueError, match="read-only"):
        north[0] = 0.0
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        north.flags.writeable = True


def test_hash_covers_the_series_and_not_their_spelling(toy: Path, demand: list[str]) -> None:
    without = load_country(toy).content_hash
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand})
    plain = load_country(toy).content_hash
    seconds = [hour.replace("Z", ":00+00:00") for hour in toy_hours()]
    write_hourly(toy, seconds, {"demand_mw.NORTH": [f"{value}.0" for value in demand]})
    path = toy / "hourly.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    spelled = load_country(toy).content_hash
    write_hourly(toy, toy_hours(), {"demand_mw.SOUTH": demand})
    other_name = load_country(toy).content_hash
    demand[-1] = "1"
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand})
    other_value = load_country(toy).content_hash
    assert spelled == plain
    assert len({without, plain, other_name, other_value}) == 4


def test_leap_year_as_loaded(toy: Path, demand: list[str]) -> None:
    tables = toy_tables()
    tables["country"][3]["value"] = "2024"
    write_tables(toy, tables)
    hours = [hour.strftime("%Y-%m-%dT%H:00Z") for hour in expected_hours(2024, 5)]
    write_hourly(toy, hours, {"demand_mw.NORTH": demand})
    assert load_country(toy).hourly["demand_mw.NORTH"][0] == 280.0


def test_leap_day_is_refused(toy: Path, demand: list[str]) -> None:
    tables = toy_tables()
    tables["country"][3]["value"] = "2024"
    write_tables(toy, tables)
    start = datetime(2023, 12, 31, 19)
    hours = [(start + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:00Z") for hour in range(8784)]
    write_hourly(toy, hours, {"demand_mw.NORTH": ["1"] * 8784})
    faults = faults_of(toy)
    # 59 days come first, the header is line 1: the local leap day fills the lines from 59 * 24 + 2.
    assert [place(fault)[:2] for fault in faults[:20]] == [(1418 + hour, "hour_utc") for hour in range(20)]
    assert faults[0].value == "2024-02-28T19:00Z"
    assert "29 February" in faults[0].problem
    count, more = faults[20:]
    assert count.problem == "expected 8,760 rows, one for each hour, and found 8,784"
    assert more.problem == "4 more of the same kind (29 February), the last in row 1441"


def test_wide_file_is_quick(toy: Path) -> None:
    tables = toy_tables()
    wind = tables["plants"][3]
    tables["plants"] += [wind | {"plant": f"W{number}"} for number in range(50)]
    write_tables(toy, tables)
    values = [f"{hour % 97 + 0.25}" for hour in range(HOURS_IN_YEAR)]
    write_hourly(toy, toy_hours(), {f"available_mw.W{number}": values for number in range(50)})
    start = time.process_time()
    country = load_country(toy)
    assert time.process_time() - start < 5  # about 0.3 s on an idle core
    assert len(country.hourly) == 50
    assert country.hourly["available_mw.W49"][96] == 96.25


# Faults of the hours


def test_one_hour_is_missing(toy: Path, demand: list[str]) -> None:
    hours = toy_hours()
    lost = hours.pop(4000)
    write_hourly(toy, hours, {"demand_mw.NORTH": demand[1:]})
    fault = only_fault(toy)
    assert place(fault) == (None, "hour_utc", None)
    assert fault.problem == (
        f"expected 8,760 rows, one for each hour, and found 8,759; the hour {lost} is missing"
    )


def test_repeated_hour(toy: Path, demand: list[str]) -> None:
    hours = toy_hours()
    lost, hours[10] = hours[10], hours[9]
    write_hourly(toy, hours, {"demand_mw.NORTH": demand})
    repeated, missing = faults_of(toy)
    assert place(repeated) == (12, "hour_utc", hours[9])
    assert repeated.problem == "the hour stands in row 11 already"
    assert (place(missing), missing.problem) == ((None, "hour_utc", None), f"the hour {lost} is missing")


def test_hours_out_of_order(toy: Path, demand: list[str]) -> None:
    hours = toy_hours()
    hours[10], hours[11] = hours[11], hours[10]
    write_hourly(toy, hours, {"demand_mw.NORTH": demand})
    fault = only_fault(toy)
    assert place(fault) == (13, "hour_utc", "2025-01-01T05:00Z")
    assert fault.problem == "is out of order: row 12 holds a later hour"


def test_local_time_marked_as_utc(toy: Path, demand: list[str]) -> None:
    start = datetime(2025, 1, 1)
    hours = [(start + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:00Z") for hour in range(HOURS_IN_YEAR)]
    write_hourly(toy, hours, {"demand_mw.NORTH": demand})
    *outside, first, missing = faults_of(toy)
    assert [place(fault) for fault in outside] == [
        (8757 + hour, "hour_utc", f"2025-12-31T{19 + hour}:00Z") for hour in range(5)
    ]
    assert outside[0].problem == "lies outside the local year 2025 (UTC+5 h)"
    assert place(first) == (2, "hour_utc", "2025-01-01T00:00Z")
    assert first.problem == (
        "the first hour must be 2024-12-31T19:00Z, 00:00 local time on 1 January 2025 (UTC+5 h)"
    )
    assert missing.problem == "5 hours are missing: " + ", ".join(
        f"2024-12-31T{hour}:00Z" for hour in range(19, 24)
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2025-01-01T05:30Z", "must be the start of a whole hour"),
        ("2025-01-01T05:00", "must say that it is in UTC"),
        ("2025-01-01T10:00+05:00", "must say that it is in UTC"),
        ("2025-01-01T25:00Z", "is not an hour in ISO 8601"),
        ("1/1/2025 5:00", "is not an hour in ISO 8601"),
        ("2025-01-01 05:00Z", "is not an hour in ISO 8601"),
        ("20250101T0500Z", "is not written as an hour should be"),
        ("", "is not an hour in ISO 8601"),
        ("9999-12-31T23:00Z", "lies outside the local year 2025 (UTC+5 h)"),
    ],
)
def test_hour_that_cannot_be_used(toy: Path, demand: list[str], text: str, problem: str) -> None:
    hours = toy_hours()
    lost, hours[10] = hours[10], text
    write_hourly(toy, hours, {"demand_mw.NORTH": demand})
    refused, missing = faults_of(toy)
    assert place(refused) == (12, "hour_utc", text)
    assert refused.problem == problem
    assert refused.mend == "write the start of the hour in UTC, like 2024-12-31T19:00Z"
    assert missing.problem == f"the hour {lost} is missing"


def test_header_alone(toy: Path) -> None:
    write_hourly(toy, [], {"demand_mw.NORTH": []})
    fault = only_fault(toy)
    assert "found 0; 8,760 hours are missing: 2024-12-31T19:00Z, " in fault.problem
    assert fault.problem.endswith("2025-01-01T14:00Z and 8,740 more")


def test_hours_are_not_judged_without_a_year(toy: Path, demand: list[str]) -> None:
    tables = toy_tables()
    tables["country"][3]["value"] = "next"
    write_tables(toy, tables)
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand})
    with pytest.raises(TableError) as caught:
        load_country(toy)
    assert [(fault.place, fault.value) for fault in caught.value.faults] == [("country.csv", "next")]


# Faults of columns and cells


@pytest.mark.parametrize(
    ("name", "problem", "mend"),
    [
        (
            "demand_mw.NROTH",
            "there is no zone 'NROTH'",
            "did you mean 'NORTH'? each zone there is: NORTH, SOUTH",
        ),
        ("available_mw.WIND2", "there is no plant 'WIND2'", "did you mean 'WIND1'?"),
        ("demand.NORTH", "there is no such column in this file", "demand_mw.<zone>, available_mw.<plant>"),
        ("demand_mw", "there is no such column in this file", "demand_mw.<zone>, available_mw.<plant>"),
    ],
)
def test_unknown_series(toy: Path, demand: list[str], name: str, problem: str, mend: str) -> None:
    write_hourly(toy, toy_hours(), {"demand_mw.SOUTH": demand, name: demand})
    fault = only_fault(toy)
    assert place(fault) == (1, name, name)
    assert fault.problem == problem
    assert mend in fault.mend


def test_repeated_series(toy: Path, demand: list[str]) -> None:
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand, "demand_mw.SOUTH": demand})
    path = toy / "hourly.csv"
    path.write_text(path.read_text().replace("SOUTH", "NORTH", 1))
    fault = only_fault(toy)
    assert place(fault) == (1, "demand_mw.NORTH", "demand_mw.NORTH")
    assert fault.problem == "the column stands more than once"


def test_first_column_must_be_the_hour(toy: Path, demand: list[str]) -> None:
    write_hourly(toy, demand, {"hour_utc": toy_hours()})
    path = toy / "hourly.csv"
    path.write_text(path.read_text().replace("hour_utc,hour_utc", "demand_mw.NORTH,hour_utc", 1))
    first, second = faults_of(toy)
    assert place(first) == (1, "demand_mw.NORTH", "demand_mw.NORTH")
    assert first.problem == "the first column must be hour_utc"
    assert place(second) == (1, "hour_utc", "hour_utc")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nan", "must be a finite number [MW]"),
        ("-Infinity", "must be a finite number [MW]"),
        ("1e400", "must be a finite number [MW]"),
        ("", "is blank"),
        ("-0.5", "is below the minimum of 0 [MW]"),
        ("1 000", "must be a number [MW]"),
        ("1_000", "must be a number [MW]"),
        ("12e", "must be a number [MW]"),
        (" 12", "must be a number [MW]"),
        ("\u0661\u0662", "must be a number [MW]"),
    ],
)
def test_cell_that_cannot_be_used(toy: Path, demand: list[str], text: str, problem: str) -> None:
    demand[7] = text
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand, "demand_mw.SOUTH": ["1"] * HOURS_IN_YEAR})
    fault = only_fault(toy)
    assert place(fault) == (9, "demand_mw.NORTH", text)
    assert fault.problem == problem


def test_repeated_faults_are_counted_beyond_twenty(toy: Path, demand: list[str]) -> None:
    demand[100:125] = ["nan"] * 25
    demand[200] = "-1"
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand})
    faults = faults_of(toy)
    assert [fault.row for fault in faults] == [*range(102, 122), 202, None]
    assert faults[-1].problem == "5 more of the same kind (not finite), the last in row 126"
    assert faults[-1].column == "demand_mw.NORTH"


def test_ragged_and_blank_rows(toy: Path, demand: list[str]) -> None:
    write_hourly(toy, toy_hours(), {"demand_mw.NORTH": demand})
    path = toy / "hourly.csv"
    lines = path.read_text().splitlines()
    lines[5] += ",1"
    path.write_text("\n".join([*lines, "", ""]))
    ragged, blank, count = faults_of(toy)
    assert place(ragged) == (6, None, lines[5])
    assert ragged.problem == "the row has 3 cells where the header has 2"
    assert (place(blank), blank.mend) == ((8762, None, ""), "remove the blank line")
    assert count.problem == "expected 8,760 rows, one for each hour, and found 8,761"


def test_file_that_is_not_text(toy: Path) -> None:
    (toy / "hourly.csv").write_bytes(b"hour_utc,demand_mw.NORTH\n\xff")
    fault = only_fault(toy)
    assert place(fault) == (2, None, r"b'\xff'")
