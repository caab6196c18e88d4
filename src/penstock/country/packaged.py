"""Tables that ship inside a room: read and checked like a country's, with their own declarations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from penstock.errors import Fault, TableError

from .country import Parameter, Table
from .faults import FaultList
from .load import FAULT_CAP
from .read import ReadTable, read_table
from .schema import TableSchema, schemas_in, table_schemas

__all__ = ["parameters_of", "read_packaged"]

#: Every room's folder has these two, declared as a country's are.
_SHARED = ("sources", "parameters")


def read_packaged(folder: Path) -> Mapping[str, Table]:
    """The tables of a folder, by name: `sources`, `parameters`, and those that `folder/schema` declares.

    folder: holds `<table>.csv` files; `schema/` in it, where there are more tables than those two, has the
        form of a country's declarations.

    Raises TableError with every fault: those of the schemas, and sources that `sources.csv` does not have.
    """
    schemas: dict[str, TableSchema] = {name: table_schemas()[name] for name in _SHARED}
    if (folder / "schema").is_dir():
        schemas |= schemas_in(folder / "schema")
    faults = FaultList(FAULT_CAP)
    read = {name: read_table(folder, schema, faults) for name, schema in schemas.items()}
    if read["sources"].sound("source"):
        known = set(read["sources"].column("source"))
        for table in read.values():
            _check_sources(table, known, faults)
    if faults:
        raise TableError(faults.all())
    return MappingProxyType(
        {
            name: Table(
                name, table.schema.names, tuple(MappingProxyType(dict(row.values)) for row in table.rows)
            )
            for name, table in read.items()
        }
    )


def _check_sources(table: ReadTable, known: Collection[object], faults: FaultList) -> None:
    if table.schema.name == "sources" or "source" not in table.schema.names:
        return
    for row in table.rows_with("source"):
        if row.values["source"] not in known:
            faults.add(
                "unknown reference",
                Fault(
                    table.schema.file,
                    "there is no such row in sources.csv",
                    "name a source of sources.csv",
                    row=row.line,
                    column="source",
                    value=row.cells["source"],
                ),
            )


def parameters_of(table: Table) -> Mapping[str, Parameter]:
    """The rows of a table `parameters`, by name, in its order."""
    return MappingProxyType(
        {
            row["parameter"]: Parameter(
                name=row["parameter"],
                value=row["value"],
                low=row["low"],
                high=row["high"],
                unit=row["unit"],
                basis=row["basis"],
                source=row["source"],
                note=row["note"] or "",
            )
            for row in table
        }
    )
