"""Loading a folder of tables: what comes out, where it is looked for, and its content hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.country import load, load_country
from penstock.country.faults import shown
from penstock.country.load import shipped_countries
from penstock.country.schema import table_schemas
from penstock.errors import UnknownCountryError
from tests.country.changes import Change, append, changed_folder, edit, only_fault, place, set_cell
from tests.country.toy import toy_tables, write_tables, write_toy_country


def write_lines(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


# What a good folder becomes


def test_toy_country_as_loaded(toy: Path) -> None:
    country = load_country(toy)
    assert (country.id, country.name, country.iso3, country.currency) == ("toyland", "Toyland", "XTY", "XTC")
    assert (country.year, country.utc_offset_hours) == (2025, 5)
    assert country.zones == ("NORTH", "SOUTH")
    assert country.usd_rate == 100.0
    assert country.parameter("reserve_margin_share").low == 0.05
    assert set(country.tables) == set(table_schemas())
    assert dict(country.hourly) == {}
    hydro = country.table("plants").one(plant="HYDRO1")
    assert hydro["installed_mw"] == 300.0
    assert type(hydro["installed_mw"]) is float
    assert hydro["first_month"] == 1
    assert type(hydro["first_month"]) is int
    assert hydro["storage"] is True
    assert hydro["dependable_mw"] is None
    assert hydro["hydro_shape"] == "river"
    # Five fuels, twelve months; each month's fuels add up to 700 MW all month (744 h in January).
    january = country.table("monthly_generation").where(month=1)
    assert len(january) == 5
    assert sum(january.column("generation_gwh")) == pytest.approx(700 * 744 / 1000, abs=0.003)


def test_rows_cannot_be_changed(toy: Path) -> None:
    country = load_country(toy)
    row: Any = country.table("zones").rows[0]
    with pytest.raises(TypeError, match="does not support item assignment"):
        row["zone"] = "EAST"
    tables: Any = country.tables
    with pytest.raises(TypeError, match="does not support item assignment"):
        tables["zones"] = country.table("plants")


def test_optional_tables_may_be_absent(toy: Path) -> None:
    optional = [table for table in table_schemas().values() if not table.required]
    needed_by_toy = {"hydro_shapes", "wind_shapes"}
    for table in optional:
        if table.name not in needed_by_toy:
            (toy / table.file).unlink(missing_ok=True)
    country = load_country(toy)
    assert len(country.table("contracts")) == 0
    assert country.table("contracts").columns == table_schemas()["contracts"].names


def test_optional_column_may_be_absent_and_columns_in_any_order(toy: Path) -> None:
    before = load_country(toy)
    write_lines(
        toy / "corridor_months.csv",
        "forward_mw,source,basis,month,low,high,corridor",
        "200,toy,published,7,,,NS",
    )
    after = load_country(toy)
    assert after.table("corridor_months").rows[0]["note"] is None
    assert after.content_hash == before.content_hash


def test_quoted_cell_with_comma_quote_and_line_break(toy: Path) -> None:
    edit(toy / "zones.csv", "NORTH,North,", 'NORTH,"North, ""upper""\nland",')
    edit(toy / "zones.csv", "SOUTH,South,25,", "SOUTH,South,99,")
    # The first row takes lines 2 and 3, so the second stands in line 4.
    assert place(only_fault(toy)) == ("zones.csv", 4, "latitude", "99")
    edit(toy / "zones.csv", "SOUTH,South,99,", "SOUTH,South,25,")
    assert load_country(toy).table("zones").rows[0]["name"] == 'North, "upper"\nland'


# Where a country is looked for


def test_countries_ship_inside_the_package() -> None:
    assert load._shipped_folder() == Path(penstock.__file__).parent / "countries"


def test_name_of_a_shipped_country(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "shipped"
    write_toy_country(shipped / "toy_land")
    (shipped / "unfinished").mkdir()
    monkeypatch.setattr("penstock.country.load._shipped_folder", lambda: shipped)
    assert shipped_countries() == ("toy_land",)
    assert load_country("toy_land").id == "toy_land"
    assert load_country("toy-land").content_hash == load_country(shipped / "toy_land").content_hash
    with pytest.raises(UnknownCountryError, match=r"did you mean 'toy_land'.*: toy_land") as caught:
        load_country("toylant")
    assert place(caught.value.faults[0]) == ("country", None, None, "toylant")


def test_shipped_country_comes_before_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, here = tmp_path / "shipped", tmp_path / "here"
    write_toy_country(shipped / "toy")
    tables = toy_tables()
    tables["country"][0]["value"] = "Another"
    write_tables(here / "toy", tables)
    monkeypatch.setattr("penstock.country.load._shipped_folder", lambda: shipped)
    monkeypatch.chdir(here)
    assert load_country("toy").name == "Toyland"
    assert load_country("./toy").name == "Another"
    assert load_country(Path("toy")).name == "Another"


def test_folder_as_text_path_and_relative(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy)
    assert load_country(str(toy)).id == load_country(toy).id == load_country(".").id == "toyland"


@pytest.mark.parametrize("name", ["", "atlantis", "no/such/folder", "a\0b", "x" * 5000])
def test_unknown_country(name: str) -> None:
    with pytest.raises(UnknownCountryError) as caught:
        load_country(name)
    fault = caught.value.faults[0]
    assert fault.value == shown(name)
    assert "path of a folder" in fault.mend


def test_a_file_is_not_a_country(toy: Path) -> None:
    with pytest.raises(UnknownCountryError, match="no folder of this name"):
        load_country(toy / "zones.csv")


# The content hash


def _carriage_returns(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _byte_order_mark(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def _other_spelling(folder: Path) -> None:
    edit(folder / "zones.csv", "NORTH,North,34,", "NORTH,North,3.40e1,")


def _no_empty_table(folder: Path) -> None:
    write_lines(folder / "published.csv", (folder / "published.csv").read_text().splitlines()[0])


@pytest.mark.parametrize("rewrite", [_carriage_returns, _byte_order_mark, _other_spelling])
def test_hash_is_of_the_content(toy: Path, tmp_path: Path, rewrite: Callable[[Path], None]) -> None:
    other = tmp_path / "elsewhere" / "another name"
    write_toy_country(other)
    rewrite(other)
    before, after = load_country(toy), load_country(other)
    assert after.content_hash == before.content_hash
    assert re.fullmatch("[0-9a-f]{64}", before.content_hash)
    assert after.tables == before.tables


def test_hash_of_quoted_line_break_ignores_line_endings(toy: Path) -> None:
    edit(toy / "zones.csv", "NORTH,North,", 'NORTH,"North\nland",')
    before = load_country(toy)
    _carriage_returns(toy)
    assert load_country(toy).content_hash == before.content_hash


def test_absent_optional_table_hashes_as_an_empty_one(toy: Path) -> None:
    _no_empty_table(toy)
    before = load_country(toy)
    (toy / "published.csv").unlink()
    assert load_country(toy).content_hash == before.content_hash


@pytest.mark.parametrize(
    "change",
    [
        set_cell("zones", 0, "latitude", "34.000001"),
        set_cell("zones", 0, "note", "measured anew"),
        set_cell("plants", 2, "storage", "no"),
        lambda tables: tables["zones"].reverse(),
        append("published", 0, figure="other"),
    ],
    ids=["number", "note", "boolean", "row order", "row"],
)
def test_hash_changes_with_the_content(toy: Path, tmp_path: Path, change: Change) -> None:
    folder = changed_folder(tmp_path, change)
    assert load_country(folder).content_hash != load_country(toy).content_hash
