"""Files that are missing, unknown, garbled, too large or elsewhere; and arbitrary bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.country import load_country
from penstock.country.read import MAXIMUM_MEGABYTES
from penstock.country.schema import table_schemas
from penstock.errors import Fault, TableError
from tests.country.changes import edit, faults_of, only_fault, place
from tests.country.toy import write_toy_country

# Faults of files


@pytest.mark.parametrize(
    "table", [table for table in table_schemas().values() if table.required], ids=lambda t: t.name
)
def test_required_table_is_missing(toy: Path, table: Any) -> None:
    (toy / table.file).unlink()
    fault = only_fault(toy)
    assert place(fault) == (table.file, None, None, None)
    assert fault.problem == f"the file is missing; it holds: {table.description}"


def test_missing_column(toy: Path) -> None:
    edit(toy / "zones.csv", "demand_share", "demand_shares")
    unknown, missing = faults_of(toy)
    assert place(unknown) == ("zones.csv", 1, "demand_shares", "demand_shares")
    assert place(missing) == ("zones.csv", 1, "demand_share", None)
    assert missing.problem == "the column is missing"


def test_repeated_column(toy: Path) -> None:
    edit(toy / "zones.csv", "longitude", "latitude")
    repeated, missing = faults_of(toy)
    assert place(repeated) == ("zones.csv", 1, "latitude", "latitude")
    assert repeated.problem == "stands 2 times in the header"
    assert place(missing) == ("zones.csv", 1, "longitude", None)


@pytest.mark.parametrize("name", ["zone.csv", "Zones.CSV"])
def test_unknown_file(toy: Path, name: str) -> None:
    (toy / name).write_text("zone\n")
    (toy / "README.md").write_text("not a table")
    fault = only_fault(toy)
    assert place(fault) == (name, None, None, None)
    assert "there is no table of this name" in fault.problem
    if name == "zone.csv":
        assert "did you mean 'zones.csv'?" in fault.mend


def test_ragged_row(toy: Path) -> None:
    edit(toy / "corridor_months.csv", "NS,7,200", "NS,7,200,,")
    fault = only_fault(toy)
    assert place(fault) == ("corridor_months.csv", 2, None, "NS,7,200,,,,,published,toy,")
    assert fault.problem == "the row has 10 cells where the header has 8"


def test_blank_line(toy: Path) -> None:
    with (toy / "sources.csv").open("a") as stream:
        stream.write("\n")
    fault = only_fault(toy)
    assert place(fault) == ("sources.csv", 4, None, "")
    assert fault.mend == "remove the blank line"


@pytest.mark.parametrize(
    ("data", "row", "value", "problem"),
    [
        (b"", 1, None, "the file is empty"),
        (b"source,title\r\ntoy,caf\xe9", 2, r"b'\xe9'", "holds bytes that are not UTF-8"),
        ("source".encode("utf-16"), 1, r"b'\xff\xfes\x00o\x00u\x00'", "holds bytes that are not UTF-8"),
        (b"source\ntoy\0\n", 2, r"\x00", "holds a NUL byte"),
        (
            b'source,title\ntoy,"a"b\n',
            2,
            None,
            "cannot be read as comma-separated values: ',' expected after",
        ),
        (
            b'source,title\ntoy,"a\n\n',
            2,
            None,
            "cannot be read as comma-separated values: unexpected end of data",
        ),
    ],
)
def test_file_that_is_not_a_table(toy: Path, data: bytes, row: int, value: str | None, problem: str) -> None:
    (toy / "sources.csv").write_bytes(data)
    faults = [fault for fault in faults_of(toy) if fault.column is None]
    assert [fault.place for fault in faults] == ["sources.csv"]
    assert (faults[0].row, faults[0].value) == (row, value)
    assert problem in faults[0].problem


def test_file_over_the_limit(toy: Path) -> None:
    with (toy / "wind_shapes.csv").open("ab") as stream:
        stream.truncate(50_000_001)
    fault = only_fault(toy)
    assert place(fault) == ("wind_shapes.csv", None, None, None)
    assert fault.problem == f"is larger than the limit of {MAXIMUM_MEGABYTES} MB"


def test_link_that_leaves_the_folder(toy: Path, tmp_path: Path) -> None:
    (toy / "zones.csv").rename(tmp_path / "zones.csv")
    (toy / "zones.csv").symlink_to(tmp_path / "zones.csv")
    fault = only_fault(toy)
    assert place(fault) == ("zones.csv", None, None, None)
    assert fault.problem == "is a link to a file outside the country's folder"


def test_link_within_the_folder_and_to_the_folder(toy: Path, tmp_path: Path) -> None:
    (toy / "zones.csv").rename(toy / "zones.txt")
    (toy / "zones.csv").symlink_to("zones.txt")
    (tmp_path / "link").symlink_to(toy)
    assert load_country(tmp_path / "link").zones == ("NORTH", "SOUTH")


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), os.mkfifo], ids=["folder", "pipe"])
def test_what_is_not_a_file(toy: Path, make: Callable[[Path], None]) -> None:
    (toy / "zones.csv").unlink()
    make(toy / "zones.csv")
    fault = only_fault(toy)
    assert place(fault) == ("zones.csv", None, None, None)
    assert fault.problem == "is not a regular file"


@pytest.mark.parametrize("target", ["zones.csv", "nowhere.txt"], ids=["to itself", "to nothing"])
def test_link_that_leads_nowhere(toy: Path, target: str) -> None:
    (toy / "zones.csv").unlink()
    (toy / "zones.csv").symlink_to(target)
    fault = only_fault(toy)
    assert place(fault) == ("zones.csv", None, None, None)
    assert fault.problem.startswith("cannot be read: ")


FILES = {table.file for table in table_schemas().values()} | {"hourly.csv"}


@pytest.fixture(scope="module")
def shared_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("countries") / "toy"
    write_toy_country(folder)
    return folder


# Bytes alone seldom get past the header, so half of the examples keep it.
@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(FILES)),
    keep_header=st.booleans(),
    data=st.binary(max_size=300)
    | st.text('0123456789,"\n.-eyesnotoyGRID\x00 é', max_size=300).map(str.encode),
)
def test_arbitrary_bytes_raise_nothing_but_table_error(
    shared_toy: Path, name: str, keep_header: bool, data: bytes
) -> None:
    path = shared_toy / name
    original = path.read_bytes() if path.exists() else None
    header = (original or b"hour_utc,demand_mw.NORTH\n").partition(b"\n")[0] + b"\n"
    path.write_bytes(header + data if keep_header else data)
    faults: tuple[Fault, ...] | None = None
    try:
        load_country(shared_toy)
    except TableError as error:
        faults = error.faults
    finally:
        if original is None:
            path.unlink()
        else:
            path.write_bytes(original)
    assert faults is None or {fault.place for fault in faults} <= FILES
    assert faults != ()
