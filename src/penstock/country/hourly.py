"""The optional hourly.csv: 8,760 hours of demand by zone or availability by plant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np

from penstock.country.country import FloatArray
from penstock.country.faults import FaultList, choices_hint, shown
from penstock.country.read import Line, read_lines
from penstock.errors import Fault

__all__ = ["FAULT_CAP", "HOURLY_FILE", "HOURS_IN_YEAR", "expected_hours", "read_hourly"]

HOURLY_FILE = "hourly.csv"
HOURS_IN_YEAR = 8760
FAULT_CAP = 20  # faults of one kind in one column that are listed; the rest is counted
_HOUR_COLUMN = "hour_utc"
_SUFFIXES = (":00Z", ":00:00Z", ":00+00:00", ":00:00+00:00")
_HOUR_FORMAT = "%Y-%m-%dT%H"
_LIKE = "write the start of the hour in UTC, like 2024-12-31T19:00Z"
_CHARACTERS = frozenset("0123456789.+-eE")
_FIRST_NAMED = 20  # missing hours that a message names


def expected_hours(year: int, utc_offset_hours: int) -> list[datetime]:
    """The hours of a local calendar year in UTC, without 29 February. Length 8,760.

    utc_offset_hours: local time less UTC. [h]
    """
    offset = timedelta(hours=utc_offset_hours)
    local = datetime(year, 1, 1, tzinfo=UTC)
    hours = []
    while local.year == year:
        if (local.month, local.day) != (2, 29):
            hours.append(local - offset)
        local += timedelta(hours=1)
    return hours


def read_hourly(
    folder: Path,
    clock: tuple[int, int] | None,
    keys: Mapping[str, Sequence[str] | None],
    faults: FaultList,
) -> Mapping[str, FloatArray]:
    """The series of hourly.csv by column name, each read-only, shape (8760,). [MW] Empty without the file.

    clock: year and offset from UTC [h]; None where country.csv is faulty, then hours are not checked.
    keys: for each kind of series ("demand_mw", "available_mw") the zones or plants it may name; None where
        their table is faulty, then names are not checked.
    """
    path = folder / HOURLY_FILE
    if not path.exists() and not path.is_symlink():
        return MappingProxyType({})
    found = FaultList(FAULT_CAP)
    lines, complete = read_lines(folder, HOURLY_FILE, found)
    series: dict[str, FloatArray] = {}
    if lines:
        header = lines[0].cells
        rows = _full_rows(lines, found)
        names = _series_names(header, keys, found)
        cells = list(zip(*(row.cells for row in rows), strict=True))
        if header and header[0] == _HOUR_COLUMN and clock is not None and complete:
            _check_hours([line for line in lines[1:] if line.cells], len(lines) - 1, *clock, found)
        for name, place in names.items():
            series[name] = _series(name, cells[place] if cells else (), [row.number for row in rows], found)
    faults.extend(found)
    return MappingProxyType({} if found else series)


def _full_rows(lines: list[Line], faults: FaultList) -> list[Line]:
    width = len(lines[0].cells)
    rows = []
    for line in lines[1:]:
        if len(line.cells) == width:
            rows.append(line)
            continue
        faults.add(
            "ragged row",
            Fault(
                place=HOURLY_FILE,
                row=line.number,
                value=shown(",".join(line.cells)),
                problem=f"the row has {len(line.cells)} cells where the header has {width}",
                mend="give each row a cell for each column" if line.cells else "remove the blank line",
            ),
        )
    return rows


def _series_names(
    header: list[str], keys: Mapping[str, Sequence[str] | None], faults: FaultList
) -> dict[str, int]:
    """Where each well-named series stands."""

    def refuse(kind: str, name: str, problem: str, mend: str) -> None:
        value = shown(name)
        faults.add(
            kind, Fault(place=HOURLY_FILE, row=1, column=value, value=value, problem=problem, mend=mend)
        )

    if not header or header[0] != _HOUR_COLUMN:
        first = header[0] if header else ""
        refuse("hour column", first, f"the first column must be {_HOUR_COLUMN}", f"put {_HOUR_COLUMN} first")
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        if place == 0 and name == _HOUR_COLUMN:
            continue
        if name in header[:place]:
            refuse("repeated column", name, "the column stands more than once", "keep one of them")
            continue
        kind, dot, key = name.partition(".")
        if kind not in keys or not dot:
            hint = choices_hint(kind, [f"{known}.<{_what(known)}>" for known in keys], "kind of column")
            refuse("unknown column", name, "there is no such column in this file", hint)
            continue
        known = keys[kind]
        if known is not None and key not in known:
            hint = choices_hint(key, known, _what(kind))
            refuse(f"unknown {_what(kind)}", name, f"there is no {_what(kind)} {shown(key)!r}", hint)
            continue
        places[name] = place
    return places


def _what(kind: str) -> str:
    return "zone" if kind == "demand_mw" else "plant"


def _check_hours(rows: list[Line], count: int, year: int, offset: int, faults: FaultList) -> None:
    """Whether the hours are the expected ones, each once and in order. count: rows in the file."""

    def refuse(kind: str, row: Line | None, problem: str, mend: str) -> None:
        faults.add(
            kind,
            Fault(
                place=HOURLY_FILE,
                row=None if row is None else row.number,
                column=_HOUR_COLUMN,
                value=None if row is None else shown(row.cells[0]),
                problem=problem,
                mend=mend,
            ),
        )

    expected = expected_hours(year, offset)
    position = {hour.strftime(_HOUR_FORMAT): place for place, hour in enumerate(expected)}
    first_row: dict[int, int] = {}
    latest = -1
    for row in rows:
        text = row.cells[0]
        place = position.get(text[:13]) if text[13:] in _SUFFIXES else None
        if place is None:
            refuse(*_unexpected(row, year, offset), _LIKE)
        elif place in first_row:
            problem = f"the hour stands in row {first_row[place]} already"
            refuse("repeated hour", row, problem, "keep each hour once")
        else:
            if place < latest:
                problem = f"is out of order: row {first_row[latest]} holds a later hour"
                refuse("hours out of order", row, problem, "sort the rows by hour")
            first_row[place] = row.number
            latest = max(latest, place)
    if rows and rows[0].cells[0][:13] != expected[0].strftime(_HOUR_FORMAT):
        start = f"{_stamp(expected[0])}, 00:00 local time on 1 January {year} (UTC{offset:+d} h)"
        refuse("wrong start", rows[0], f"the first hour must be {start}", "start the file at that hour")
    missing = [expected[place] for place in range(len(expected)) if place not in first_row]
    lost = _missing_text(missing)
    if count != HOURS_IN_YEAR:
        problem = f"expected {HOURS_IN_YEAR:,} rows, one for each hour, and found {count:,}"
        problem += f"; {lost}" if lost else ""
        refuse("wrong count", None, problem, "give every hour of the local year but 29 February, once")
    elif missing:
        refuse("missing hours", None, lost, "add a row for each of them")


def _stamp(hour: datetime) -> str:
    return hour.strftime(_HOUR_FORMAT) + ":00Z"


def _missing_text(missing: list[datetime]) -> str:
    if not missing:
        return ""
    if len(missing) == 1:
        return f"the hour {_stamp(missing[0])} is missing"
    named = ", ".join(_stamp(hour) for hour in missing[:_FIRST_NAMED])
    more = f" and {len(missing) - _FIRST_NAMED:,} more" if len(missing) > _FIRST_NAMED else ""
    return f"{len(missing):,} hours are missing: {named}{more}"


def _unexpected(row: Line, year: int, offset: int) -> tuple[str, Line, str]:
    """Why an hour is none of the year's: kind, row, problem."""
    text = row.cells[0]
    try:
        hour = datetime.fromisoformat(text) if text.isascii() else None
    except ValueError:
        hour = None
    if hour is None or "T" not in text:
        return "unreadable hour", row, "is not an hour in ISO 8601"
    if hour.utcoffset() != timedelta(0):
        return "not UTC", row, "must say that it is in UTC"
    if (hour.minute, hour.second, hour.microsecond) != (0, 0, 0):
        return "not a whole hour", row, "must be the start of a whole hour"
    if text[:13] != hour.strftime(_HOUR_FORMAT) or text[13:] not in _SUFFIXES:
        return "unreadable hour", row, "is not written as an hour should be"
    try:
        local = hour + timedelta(hours=offset)
    except OverflowError:
        local = hour
    if (local.year, local.month, local.day) == (year, 2, 29):
        return "29 February", row, "falls on 29 February, local time, which every study leaves out"
    return "other year", row, f"lies outside the local year {year} (UTC{offset:+d} h)"


def _series(name: str, cells: Sequence[str], lines: Sequence[int], faults: FaultList) -> FloatArray:
    """One column as a read-only array. [MW] The plain case is tested as a whole, for speed."""
    values = np.empty(0)
    if _CHARACTERS.issuperset("".join(cells)):
        try:
            values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
        except ValueError:
            values = np.empty(0)
    if len(values) != len(cells) or not np.all(np.isfinite(values) & (values >= 0.0)):
        for line, text in zip(lines, cells, strict=True):
            refused = _refused(text)
            if refused is not None:
                kind, problem, mend = refused
                fault = Fault(HOURLY_FILE, problem, mend, row=line, column=name, value=shown(text))
                faults.add(kind, fault)
    # An array over immutable bytes cannot be made writeable again; + 0.0 makes -0.0 the same content as 0.0.
    return np.frombuffer((values + 0.0).astype("<f8").tobytes(), dtype="<f8")


def _refused(text: str) -> tuple[str, str, str] | None:
    """What is wrong with a cell: kind, problem, mend."""
    if text == "":
        return "blank", "is blank", "fill in the MW of this hour; a series has no gaps"
    try:
        value = float(text) if text.isascii() and "_" not in text and text == text.strip() else None
    except ValueError:
        value = None
    if value is None:
        return "not a number", "must be a number [MW]", "write it like 1234.5, without unit or separators"
    if not math.isfinite(value):
        return "not finite", "must be a finite number [MW]", "fill in the MW of this hour"
    if value < 0:
        return "below minimum", "is below the minimum of 0 [MW]", "give at least 0 MW"
    return None
