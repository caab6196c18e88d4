"""Reads the long daily series: checked like every table, and fast where nothing is wrong with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.country.faults import FaultList
from penstock.country.load import FAULT_CAP
from penstock.country.read import ReadTable, read_table
from penstock.country.schema import ColumnSchema, TableSchema, schemas_in
from penstock.errors import Fault, TableError

__all__ = ["NOT_KNOWN", "daily_schemas", "read_daily"]

#: What stands for a blank cell of a column that may be blank.
NOT_KNOWN = -1

_SCHEMAS = Path(__file__).parent / "tables" / "schema" / "daily"
_ONE_DAY = np.timedelta64(1, "D")
_NUMBERS = re.compile(r"[0-9.eE+-]*")
_DIGITS = re.compile(r"[0-9]{1,15}")

Columns = Mapping[str, NDArray[np.generic]]


@cache
def daily_schemas() -> Mapping[str, TableSchema]:
    """The daily tables by name, as declared in `tables/schema/daily`."""
    return schemas_in(_SCHEMAS)


def read_daily(folder: Path, schema: TableSchema) -> Columns:
    """Columns of the file `<schema.name>.csv` in a folder, read-only, each of shape (days,).

    `date` is datetime64[D], one day after the other without a gap; numbers are float64 and whole numbers
    int64, `NOT_KNOWN` where the cell is blank.

    Raises TableError with every fault: those of the schema, no row at all, dates that are no dates or not
    consecutive.
    """
    columns = _read_at_once(folder, schema)
    if columns is None:
        columns = _read_by_row(folder, schema)
    for column in columns.values():
        column.flags.writeable = False
    return columns


def _read_at_once(folder: Path, schema: TableSchema) -> Columns | None:
    """The columns, or None where anything at all is out of order."""
    try:
        with (folder / schema.file).open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream, strict=True)
        if tuple(header) != schema.names or not rows:
            return None
        cells = dict(zip(header, zip(*rows, strict=True), strict=True))
        columns = _typed(schema, cells)
    except (OSError, ValueError, csv.Error):
        return None
    if columns["date"].astype(str).tolist() != list(cells["date"]):
        return None
    if not all(_within(column, columns[column.name]) for column in schema.columns if column.type != "text"):
        return None
    return None if np.any(np.diff(columns["date"]) != _ONE_DAY) else columns


def _within(column: ColumnSchema, values: NDArray[np.generic]) -> bool:
    numbers: NDArray[np.float64] = values.astype(np.float64)
    if column.type == "integer":
        numbers = numbers[numbers != NOT_KNOWN]  # only blank cells are that: digits are never below 0
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    return bool(np.all(np.isfinite(numbers) & (numbers >= low) & (numbers <= high)))


def _typed(schema: TableSchema, cells: Mapping[str, Sequence[str]]) -> dict[str, NDArray[np.generic]]:
    """Columns from the cells of a file. Raises ValueError where one of them does not fit its type."""
    columns: dict[str, NDArray[np.generic]] = {}
    for column in schema.columns:
        texts = cells[column.name]
        if column.name == "date":
            columns["date"] = np.array(texts, dtype="datetime64[D]")
        elif column.type == "integer":
            blank = column.required == "no"
            if not all(_DIGITS.fullmatch(text) or (blank and not text) for text in texts):
                raise ValueError(column.name)
            columns[column.name] = np.array(
                [int(text) if text else NOT_KNOWN for text in texts], dtype=np.int64
            )
        elif not _NUMBERS.fullmatch("".join(texts)):
            raise ValueError(column.name)
        else:
            columns[column.name] = np.array(texts, dtype=np.float64)
    return columns


def _read_by_row(folder: Path, schema: TableSchema) -> Columns:
    faults = FaultList(FAULT_CAP)
    table = read_table(folder, schema, faults)
    if table.complete:
        _check_dates(table, faults)
    if faults:
        raise TableError(faults.all())
    cells = {
        name: ["" if (v := row.values[name]) is None else str(v) for row in table.rows]
        for name in schema.names
    }
    return _typed(schema, cells)


def _check_dates(table: ReadTable, faults: FaultList) -> None:
    def refuse(row: int, value: str | None, problem: str, mend: str) -> None:
        faults.add(problem, Fault(table.schema.file, problem, mend, row=row, column="date", value=value))

    if not table.rows:
        refuse(1, None, "the file has no row", f"add rows with the columns {', '.join(table.schema.names)}")
        return
    before: np.datetime64 | None = None
    for row in table.rows:
        text = row.cells["date"]
        try:
            day: np.datetime64 | None = np.datetime64(text, "D")
        except ValueError:
            day = None
        if day is None or np.isnat(day) or str(day) != text:
            refuse(row.line, text, "is no date", "write it like 2025-01-31")
            before = None
            continue
        if before is not None and day != before + _ONE_DAY:
            refuse(
                row.line,
                text,
                f"does not follow the day before it, {before}",
                "give every day once, in order",
            )
        before = day
