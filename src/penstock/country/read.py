"""Reads one CSV file of a country into typed rows, and collects what is wrong with it.

A cell that cannot be used is a fault and has no entry in its row's values, so later checks know that it is
unknown rather than blank.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from penstock.country.faults import FaultList, choices_hint, shown
from penstock.country.schema import ColumnSchema, TableSchema
from penstock.errors import Fault

__all__ = [
    "MAXIMUM_MEGABYTES",
    "Line",
    "ReadRow",
    "ReadTable",
    "Value",
    "read_lines",
    "read_table",
    "unit_text",
]

Value = str | float | int | bool | None

MAXIMUM_MEGABYTES = 50
_MAXIMUM_BYTES = MAXIMUM_MEGABYTES * 1_000_000
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NOT_FINITE = {"nan", "inf", "infinity", "na", "n/a", "#n/a", "null", "none"}
_SAVE_AS_TEXT = "save the file as plain CSV text in UTF-8"


class Line(NamedTuple):
    """The cells of one record and the line of the file on which it starts; the header is line 1."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row. values: typed, without the cells that are faulty; cells: as text in the file."""

    line: int
    values: Mapping[str, Value]
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReadTable:
    """What could be read of one table.

    complete: every record of the file is in `rows` (repeated keys apart), though cells may be faulty.
    """

    schema: TableSchema
    rows: tuple[ReadRow, ...]
    complete: bool

    def sound(self, *columns: str) -> bool:
        """Whether every value of these columns is known, so that a check over all rows may be trusted."""
        return self.complete and all(column in row.values for row in self.rows for column in columns)

    def rows_with(self, *columns: str) -> Iterator[ReadRow]:
        """The rows in which these columns are known."""
        return (row for row in self.rows if all(column in row.values for column in columns))

    def column(self, name: str) -> tuple[Value, ...]:
        """The known values of one column, in row order."""
        return tuple(row.values[name] for row in self.rows_with(name))


class _Refused(NamedTuple):
    kind: str
    problem: str
    mend: str


def read_lines(folder: Path, name: str, faults: FaultList) -> tuple[list[Line], bool]:
    """The records of a file, the header first, and whether all of them could be read."""
    data = _read_bytes(folder, name, faults)
    if data is None:
        return [], False
    text = _decode(data, name, faults)
    if text is None:
        return [], False
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline="\n"), strict=True)
    start = 1
    try:
        for cells in reader:
            lines.append(Line(start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        faults.add(
            "broken CSV",
            Fault(
                place=name,
                row=start,
                problem=f"cannot be read as comma-separated values: {error}",
                mend="put cells that hold a comma, a quote or a line break in double quotes, quotes doubled",
            ),
        )
        return lines, False
    if not lines:
        faults.add(
            "empty file",
            Fault(place=name, row=1, problem="the file is empty", mend="give it a header and rows"),
        )
        return [], False
    return lines, True


def _read_bytes(folder: Path, name: str, faults: FaultList) -> bytes | None:
    def refuse(problem: str, mend: str) -> None:
        faults.add("unreadable file", Fault(place=name, problem=problem, mend=mend))

    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            refuse("is a link to a file outside the country's folder", "copy the file into the folder")
            return None
        if not path.is_file():
            refuse("is not a regular file", f"replace it by a CSV file named {name}")
            return None
        with path.open("rb") as stream:
            data = stream.read(_MAXIMUM_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, up to Python 3.12
        refuse(f"cannot be read: {error}", "make it a readable file in the folder")
        return None
    if len(data) > _MAXIMUM_BYTES:
        refuse(f"is larger than the limit of {MAXIMUM_MEGABYTES} MB", "leave out rows that are not needed")
        return None
    return data


def _decode(data: bytes, name: str, faults: FaultList) -> str | None:
    # Line endings first: content and line numbers must not depend on them.
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        faults.add(
            "not UTF-8",
            Fault(
                place=name,
                row=data.count(b"\n", 0, error.start) + 1,
                value=shown(repr(data[error.start : error.start + 8])),
                problem="holds bytes that are not UTF-8",
                mend=_SAVE_AS_TEXT,
            ),
        )
        return None
    nul = text.find("\0")
    if nul >= 0:
        faults.add(
            "NUL byte",
            Fault(
                place=name,
                row=text.count("\n", 0, nul) + 1,
                value="\\x00",
                problem="the file holds a NUL byte, so it is not text",
                mend=_SAVE_AS_TEXT,
            ),
        )
        return None
    return text


def read_table(folder: Path, schema: TableSchema, faults: FaultList) -> ReadTable:
    """Reads `<table>.csv` by its schema. An optional file that is absent makes an empty table."""
    path = folder / schema.file
    if not path.exists() and not path.is_symlink():
        if schema.required:
            faults.add(
                "missing table",
                Fault(
                    place=schema.file,
                    problem=f"the file is missing; it holds: {schema.description}",
                    mend=f"add {schema.file} with the columns {', '.join(schema.names)}",
                ),
            )
        return ReadTable(schema, (), complete=not schema.required)
    lines, complete = read_lines(folder, schema.file, faults)
    if not lines:
        return ReadTable(schema, (), complete=False)
    header = lines[0].cells
    columns = _header(header, schema, faults)
    rows: list[ReadRow] = []
    first: dict[tuple[Value, ...], int] = {}
    for line in lines[1:]:
        if len(line.cells) != len(header):
            complete = False
            _ragged(schema.file, line, len(header), faults)
            continue
        row = _row(line, columns, schema, faults)
        if not _repeats(row, schema, first, faults):
            rows.append(row)
    return ReadTable(schema, tuple(rows), complete)


def _ragged(file: str, line: Line, width: int, faults: FaultList) -> None:
    mend = "put cells that hold a comma in double quotes, or add the missing commas"
    problem = f"the row has {len(line.cells)} cells where the header has {width}"
    if not line.cells:
        problem, mend = f"the line is blank; the header has {width} columns", "remove the blank line"
    value = shown(",".join(line.cells))
    faults.add("ragged row", Fault(place=file, row=line.number, value=value, problem=problem, mend=mend))


def _header(header: list[str], schema: TableSchema, faults: FaultList) -> dict[str, int | None]:
    """Where each declared column stands; None for an optional one that the file leaves out."""

    def refuse(kind: str, column: str, problem: str, mend: str) -> None:
        faults.add(
            kind,
            Fault(place=schema.file, row=1, column=shown(column), value=value, problem=problem, mend=mend),
        )

    positions: dict[str, int | None] = {}
    value: str | None
    for name in dict.fromkeys(header):
        value = shown(name)
        if name not in schema.names:
            hint = choices_hint(name, schema.names, "column")
            refuse("unknown column", name, "there is no such column in this table", hint)
        elif header.count(name) > 1:
            refuse(
                "repeated column",
                name,
                f"stands {header.count(name)} times in the header",
                "keep one of them",
            )
        else:
            positions[name] = header.index(name)
    value = None
    for column in schema.columns:
        if column.name in header:
            continue
        if column.required == "no":
            positions[column.name] = None
        else:
            refuse("missing column", column.name, "the column is missing", f"add it: {column.description}")
    return positions


def _row(line: Line, columns: Mapping[str, int | None], schema: TableSchema, faults: FaultList) -> ReadRow:
    cells = {name: "" if place is None else line.cells[place] for name, place in columns.items()}
    values: dict[str, Value] = {}
    for column in schema.columns:
        if column.name not in cells:
            continue
        text = cells[column.name]
        needed = column.required == "yes" or (
            column.required == "assumption" and cells.get("basis") == "assumption"
        )
        result = _parse(column, text, needed, unit_text(column, cells))
        if isinstance(result, _Refused):
            faults.add(
                result.kind,
                Fault(
                    place=schema.file,
                    row=line.number,
                    column=column.name,
                    value=shown(text),
                    problem=result.problem,
                    mend=result.mend,
                ),
            )
        else:
            values[column.name] = result
    row = ReadRow(line.number, values, cells)
    for low, middle, high in _ranges(schema):
        _check_range(row, schema, low, middle, high, faults)
    return row


def _parse(column: ColumnSchema, text: str, needed: bool, unit: str) -> Value | _Refused:
    if text == "":
        if not needed:
            return None
        why = "is blank and required"
        if column.required == "assumption":
            why = "is blank, but the row's basis is an assumption, which needs low and high"
        return _Refused("blank", why, f"fill it in: {column.description}")
    if text != text.strip():
        return _Refused("spaces", "has spaces around it", f"write {text.strip()!r}")
    if column.type == "text":
        return text
    if column.type == "boolean":
        if text in ("yes", "no"):
            return text == "yes"
        return _Refused("not a boolean", "must be yes or no", "write yes or no")
    if column.type == "enum":
        if text in column.choices:
            return text
        problem = f"must be one of {', '.join(column.choices)}"
        return _Refused("not a choice", problem, choices_hint(text, column.choices, "choice"))
    number = _integer(text, unit) if column.type == "integer" else _number(text, unit)
    return number if isinstance(number, _Refused) else _within(column, number, unit)


def _number(text: str, unit: str) -> float | _Refused:
    if text.lower().lstrip("+-") in _NOT_FINITE:
        return _Refused("not finite", f"must be a finite number [{unit}]", "write the number")
    if not _NUMBER.fullmatch(text):
        mend = "write it like 1234.5, without unit or thousands separators"
        return _Refused("not a number", f"must be a number [{unit}]", mend)
    value = float(text)
    if not math.isfinite(value):
        return _Refused("not finite", f"is too large for a finite number [{unit}]", "check its power of ten")
    return value + 0.0  # makes -0.0 the same content as 0.0


def _integer(text: str, unit: str) -> int | _Refused:
    if _INTEGER.fullmatch(text):
        return int(text)
    if text.lower().lstrip("+-") in _NOT_FINITE:
        return _Refused("not finite", f"must be a finite whole number [{unit}]", "write the number")
    return _Refused("not an integer", f"must be a whole number [{unit}]", "write it in digits only, like 7")


def _within(column: ColumnSchema, value: float | int, unit: str) -> float | int | _Refused:
    if column.minimum is not None and value < column.minimum:
        problem = f"is below the minimum of {column.minimum:g} [{unit}]"
        return _Refused("below minimum", problem, f"give at least {column.minimum:g}; check the unit")
    if column.maximum is not None and value > column.maximum:
        problem = f"is above the maximum of {column.maximum:g} [{unit}]"
        return _Refused("above maximum", problem, f"give at most {column.maximum:g}; check the unit")
    return value


def unit_text(column: ColumnSchema, cells: Mapping[str, str]) -> str:
    """The unit of a cell: the column's, or the one that the row itself states."""
    return shown(cells.get("unit", "")) if column.unit == "see unit" else column.unit


def _ranges(schema: TableSchema) -> Iterator[tuple[str, str | None, str]]:
    """Each pair of low and high; with the value between them where the table names it plainly."""
    for name in schema.names:
        if name == "low" or name.endswith("_low"):
            high = name[: -len("low")] + "high"
            if high in schema.names:
                yield name, "value" if name == "low" and "value" in schema.names else None, high


def _check_range(
    row: ReadRow, schema: TableSchema, low: str, middle: str | None, high: str, faults: FaultList
) -> None:
    unit = unit_text(next(column for column in schema.columns if column.name == low), row.cells)

    def above(smaller: str, larger: str) -> bool:
        left, right = row.values.get(smaller), row.values.get(larger)
        return isinstance(left, (int, float)) and isinstance(right, (int, float)) and left > right

    def refuse(column: str, problem: str) -> None:
        faults.add(
            "low, value, high",
            Fault(
                place=schema.file,
                row=row.line,
                column=column,
                value=row.cells[column],
                problem=problem,
                mend=f"order them: {low} <= {f'{middle} <= ' if middle else ''}{high}",
            ),
        )

    if above(low, high):
        refuse(low, f"{low} is above {high}, which is {row.cells[high]} [{unit}]")
    elif middle is not None and above(low, middle):
        refuse(middle, f"{middle} is below {low}, which is {row.cells[low]} [{unit}]")
    elif middle is not None and above(middle, high):
        refuse(middle, f"{middle} is above {high}, which is {row.cells[high]} [{unit}]")


def _repeats(
    row: ReadRow, schema: TableSchema, first: dict[tuple[Value, ...], int], faults: FaultList
) -> bool:
    if not schema.key or any(name not in row.values for name in schema.key):
        return False
    key = tuple(row.values[name] for name in schema.key)
    if key not in first:
        first[key] = row.line
        return False
    faults.add(
        "repeated key",
        Fault(
            place=schema.file,
            row=row.line,
            column=", ".join(schema.key),
            value=shown(", ".join(row.cells[name] for name in schema.key)),
            problem=f"row {first[key]} has the same key already",
            mend="keep one of the two rows, or give this one another key",
        ),
    )
    return True
