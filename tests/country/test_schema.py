"""The declarations in country/schema are consistent, and docs/tables.md shows them as they are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from penstock.country.schema import REQUIRED_PARAMETERS, TableSchema, table_schemas, tables_markdown

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
TABLES = [pytest.param(table, id=table.name) for table in table_schemas().values()]


def test_page_is_up_to_date() -> None:
    command = (
        "python -c \"from penstock.country.schema import tables_markdown; print(tables_markdown(), end='')\""
    )
    assert PAGE.read_text(encoding="utf-8") == tables_markdown(), (
        f"write it again: {command} > docs/tables.md"
    )


def test_page_shows_every_column_and_parameter() -> None:
    page = tables_markdown()
    for table in table_schemas().values():
        section = page.split(f"\n## `{table.file}`\n")[1].split("\n## ")[0]
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(
            table.names
        )
    for needed in REQUIRED_PARAMETERS:
        assert f"| `{needed.name}` | {needed.unit} |" in page


def test_every_declaration_file_is_a_table() -> None:
    declared = {path.name for path in (files("penstock.country") / "schema").iterdir()}
    assert declared == {table.file for table in table_schemas().values()} | {"tables.csv"}


def test_zones_as_declared() -> None:
    zones = table_schemas()["zones"]
    assert zones.required
    assert zones.key == ("zone",)
    latitude = zones.columns[zones.names.index("latitude")]
    assert (latitude.type, latitude.unit, latitude.required) == ("number", "degrees", "yes")
    assert (latitude.minimum, latitude.maximum, latitude.references) == (-90.0, 90.0, None)
    basis = zones.columns[zones.names.index("basis")]
    assert (basis.type, basis.choices) == ("enum", ("published", "derived", "assumption"))
    assert zones.columns[zones.names.index("source")].references == ("sources", "source")
    assert not table_schemas()["wind_shapes"].required


@pytest.mark.parametrize("table", TABLES)
def test_declarations_are_consistent(table: TableSchema) -> None:
    assert len(set(table.names)) == len(table.names)
    assert table.key
    assert table.name == "sources" or any(
        column.references == ("sources", "source") for column in table.columns
    )
    for column in table.columns:
        assert column.type in ("text", "number", "integer", "boolean", "enum"), column.name
        assert (column.type == "enum") == bool(column.choices), column.name
        assert column.required in ("yes", "no", "assumption"), column.name
        assert column.description, column.name
        if column.type in ("number", "integer"):
            assert column.unit, column.name
        else:
            assert (column.minimum, column.maximum) == (None, None), column.name
        if column.key:
            assert column.required == "yes", column.name
        if column.required == "assumption":
            assert "basis" in table.names, column.name
        if column.unit == "see unit":
            assert "unit" in table.names, column.name
        if column.references is not None:
            target, key = column.references
            assert key in table_schemas()[target].key, column.name
