"""Changes to the toy country, and the faults they lead to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.country import load_country
from penstock.errors import Fault, TableError
from tests.country.toy import Tables, toy_tables, write_tables

Change = Callable[[Tables], object]
Place = tuple[str, int | None, str | None, str | None]


def faults_of(folder: Path) -> tuple[Fault, ...]:
    """The faults for which the folder is refused; each says what is wrong and how to mend it."""
    with pytest.raises(TableError) as caught:
        load_country(folder)
    for fault in caught.value.faults:
        assert fault.problem
        assert fault.mend
        assert str(fault) in str(caught.value)
    return caught.value.faults


def only_fault(folder: Path) -> Fault:
    faults = faults_of(folder)
    assert len(faults) == 1, [str(fault) for fault in faults]
    return faults[0]


def place(fault: Fault) -> Place:
    """File, row, column and value."""
    return fault.place, fault.row, fault.column, fault.value


def changed_folder(tmp_path: Path, change: Change) -> Path:
    """The folder of a toy country with a change to its tables."""
    tables = toy_tables()
    change(tables)
    write_tables(tmp_path / "changed", tables)
    return tmp_path / "changed"


def edit(path: Path, old: str, new: str) -> None:
    """Replaces a text that stands once in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path.name, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def set_cell(table: str, index: int, column: str, value: str) -> Change:
    """Sets one cell. index: of the row, counted from 0; its line in the file is index + 2."""
    return set_cells(table, index, **{column: value})


def set_cells(table: str, index: int, **cells: str) -> Change:
    """Sets cells of one row."""
    return lambda tables: tables[table][index].update(cells)


def append(table: str, index: int, **cells: str) -> Change:
    """Repeats a row at the end of its table, with other cells."""
    return lambda tables: tables[table].append(tables[table][index] | cells)


def drop(table: str, **equal: str) -> Change:
    """Drops the rows whose cells are all equal to these; there must be some."""

    def change(tables: Tables) -> None:
        kept = [row for row in tables[table] if any(row[key] != value for key, value in equal.items())]
        assert len(kept) < len(tables[table])
        tables[table][:] = kept

    return change
