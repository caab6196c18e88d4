"""DATA_LICENSES.md names every source of every country that ships, with its licence and tables.

The section of a country is written by `python -m tests.country.test_data_licences COUNTRY`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from penstock.country import Country, Table, load_country
from penstock.country.load import shipped_countries
from penstock.inclusion.corridors import inclusion_tables
from penstock.reserve.treasury import reserve_tables

FILE = Path(__file__).parents[2] / "DATA_LICENSES.md"


def tables_of(country: Country, source: str) -> list[str]:
    """Tables whose rows name a source, in any column that does, sorted."""
    return sorted(
        name
        for name, table in country.tables.items()
        if name != "sources"
        for column in table.columns
        if column == "source" or column.endswith("_source")
        if source in table.column(column)
    )


def lines(country: Country) -> Iterator[str]:
    """One line of the section for every source."""
    for row in country.table("sources"):
        title = f"[{row['title']}]({row['url']})" if row["url"] else row["title"]
        tables = ", ".join(f"`{name}`" for name in dict.fromkeys(tables_of(country, row["source"])))
        cells = (f"`{row['source']}`: {title}", row["publisher"], row["licence"], row["dated"] or "", tables)
        yield "| " + " | ".join(cells) + " |"


def section(country: str) -> str:
    """The text of a country's section."""
    text = FILE.read_text("utf-8")
    found = re.search(rf"^## .*`src/penstock/countries/{country}/`$(.*?)(?=^## )", text, re.M | re.S)
    assert found, f"DATA_LICENSES.md has no section of {country}"
    return found[1]


@pytest.mark.parametrize("name", shipped_countries())
def test_every_source_stands_in_its_countrys_section(name: str) -> None:
    listed = re.findall(r"^\| `([^`]+)`: .*?\| ([^|]+) \| [^|]* \| ([^|]*) \|$", section(name), re.M)
    country = load_country(name)
    assert {key for key, _, _ in listed} == set(country.table("sources").column("source"))
    for key, licence, tables in listed:
        row = country.table("sources").one(source=key)
        assert licence.rpartition("| ")[2] == row["licence"], key
        assert set(re.findall(r"`(\w+)`", tables)) == set(tables_of(country, key)), key


@pytest.mark.parametrize("name", shipped_countries())
def test_what_asks_for_attribution_has_a_line(name: str) -> None:
    text = FILE.read_text("utf-8")
    attribution = text.partition("## Attribution lines")[2].partition("\n## ")[0]
    for row in load_country(name).table("sources"):
        if row["licence"].startswith("CC BY"):
            words = re.findall(r"[A-Z][A-Za-z]+", row["publisher"])
            assert any(word in attribution for word in words), (row["source"], words)


@pytest.mark.parametrize(("room", "tables"), [("reserve", reserve_tables), ("inclusion", inclusion_tables)])
def test_every_source_of_a_room_stands_in_its_section(
    room: str, tables: Callable[[], Mapping[str, Table]]
) -> None:
    text = FILE.read_text("utf-8").partition(f"`src/penstock/{room}/tables/`")[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| `([^`]+)`: .* \| ([^|]+) \| [^|]* \|$", text, re.M))
    assert listed == {row["source"]: row["licence"] for row in tables()["sources"]}


if __name__ == "__main__":
    print("\n".join(lines(load_country(sys.argv[1]))))
