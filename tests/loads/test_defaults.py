"""Every default has a source, and an assumption has a range; a country's own values take their place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.country import load_country
from penstock.errors import TableError
from penstock.loads.compute_tables import compute_parameters, compute_tables
from penstock.loads.defaults import load_defaults, parameters_for, sources, values_for
from penstock.loads.mining import mining_parameters, mining_tables
from tests.country.changes import changed_folder
from tests.country.toy import Tables, write_toy_country

# Values that results hang on most: low, value, high. A change of them is a change of every study.
KNOWN = {
    "mining_pool_fee_share": (0.0, 0.02, 0.04),
    "mining_overhead_air_share": (0.01, 0.1, 0.2),
    "mining_outage_share": (0.02, 0.05, 0.14),
    "mining_discount_share_per_year": (0.1, 0.15, 0.25),
    "mining_jobs_per_mw": (0.25, 0.675, 1.1),
    "ai_on_demand_usd_per_gpu_hour": (2.2, 2.3, 2.4),
    "ai_gpus_per_node": (None, 8.0, None),
    "ai_pue_survey_mean": (1.46, 1.58, 1.79),
    "ai_jobs_per_mw": (0.3, 1.0, 3.0),
}


def with_parameter(parameter: str, value: str, unit: str) -> Callable[[Tables], None]:
    """Adds one published parameter to a country's own."""

    def change(tables: Tables) -> None:
        tables["parameters"].append(
            {"parameter": parameter, "value": value, "unit": unit, "source": "toy", "basis": "published"}
        )

    return change


def test_defaults_are_those_of_both_tables_under_their_loads_name() -> None:
    names = [f"mining_{name}" for name in mining_parameters()] + [
        f"ai_{name}" for name in compute_parameters()
    ]
    assert list(load_defaults()) == names
    for name, row in load_defaults().items():
        load, inner = name.split("_", 1)
        original = (mining_parameters() if load == "mining" else compute_parameters())[inner]
        assert row.name == name
        assert (row.value, row.low, row.high) == (original.value, original.low, original.high)
        assert (row.unit, row.source) == (original.unit, original.source)


def test_what_results_hang_on_most_is_this() -> None:
    defaults = load_defaults()
    found = {name: (defaults[name].low, defaults[name].value, defaults[name].high) for name in KNOWN}
    assert found == KNOWN


@pytest.mark.parametrize("name", load_defaults())
def test_default_has_a_unit_a_source_and_an_assumption_has_a_range(name: str) -> None:
    row = load_defaults()[name]
    source = sources().one(source=row.source)
    assert row.unit
    if source["source"] != "assumption":
        assert source["url"].startswith("https://")
    if row.low is not None and row.high is not None:
        assert row.low <= row.value <= row.high
    if row.basis == "assumption":
        assert row.low is not None
        assert row.high is not None
        assert row.low < row.high
    if row.source == "assumption":
        assert row.basis == "assumption"


def test_every_source_is_named_by_a_row_or_a_note_of_the_tables() -> None:
    for tables in (mining_tables(), compute_tables()):
        words: set[str] = set()
        for name, table in tables.items():
            if name == "sources":
                continue
            for row in table:
                # One source may explain a value that another gave, so notes count as well.
                words |= {
                    word
                    for column in row
                    if column == "note" or column.endswith("source")
                    for word in re.findall(r"\w+", str(row[column] or ""))
                }
        assert set(tables["sources"].column("source")) <= words


def test_sources_of_both_loads_are_listed_once() -> None:
    keys = sources().column("source")
    assert len(keys) == len(set(keys))
    both = mining_tables()["sources"].column("source") + compute_tables()["sources"].column("source")
    assert set(keys) == set(both)


def test_country_replaces_a_default(tmp_path: Path) -> None:
    change = with_parameter("mining_overhead_air_share", "0.12", "1")
    country = load_country(changed_folder(tmp_path, change))
    parameters = parameters_for(country)
    assert list(parameters) == list(load_defaults())
    row = parameters["mining_overhead_air_share"]
    assert (row.value, row.source) == (0.12, "toy")
    assert parameters["ai_pue_base"] == load_defaults()["ai_pue_base"]
    mining, compute = values_for(country)
    assert mining["overhead_air_share"] == 0.12
    assert set(mining) == set(mining_parameters())
    assert dict(compute) == {name: row.value for name, row in compute_parameters().items()}


def test_country_without_its_own_values_has_the_defaults(tmp_path: Path) -> None:
    write_toy_country(tmp_path / "toyland")
    assert dict(parameters_for(load_country(tmp_path / "toyland"))) == dict(load_defaults())


def test_replacement_in_another_unit_is_refused(tmp_path: Path) -> None:
    country = load_country(changed_folder(tmp_path, with_parameter("ai_coldest_hour", "300", "min")))
    with pytest.raises(
        TableError, match=r"ai_coldest_hour replaces a default in local hour \(value: 'min'\)"
    ):
        parameters_for(country)


@pytest.mark.parametrize("name", ["mining_hashprice_usd_per_ph_day", "ai_pue", "mining_"])
def test_name_that_starts_like_a_default_and_is_none_is_refused(tmp_path: Path, name: str) -> None:
    country = load_country(changed_folder(tmp_path, with_parameter(name, "1", "1")))
    with pytest.raises(TableError, match=rf"is no parameter of the loads \(value: '{name}'\)"):
        values_for(country)


def test_faults_of_several_replacements_are_listed_together(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        with_parameter("mining_wrong", "1", "1")(tables)
        with_parameter("mining_jobs_per_mw", "1", "1/GW")(tables)

    with pytest.raises(TableError) as caught:
        parameters_for(load_country(changed_folder(tmp_path, change)))
    assert [(fault.column, fault.value) for fault in caught.value.faults] == [
        ("parameter", "mining_wrong"),
        ("unit", "1/GW"),
    ]


def test_every_default_is_within_the_limits_of_its_kind(tmp_path: Path) -> None:
    """A country that repeats each default is not refused."""

    def change(tables: Tables) -> None:
        for name, row in load_defaults().items():
            cells = {"parameter": name, "value": repr(row.value), "unit": row.unit, "source": "toy"}
            tables["parameters"].append(cells | {"basis": "published"})

    parameters = parameters_for(load_country(changed_folder(tmp_path, change)))
    assert {name: row.value for name, row in parameters.items()} == {
        name: row.value for name, row in load_defaults().items()
    }


def test_all_values_out_of_range_are_named_at_once(tmp_path: Path) -> None:
    wrong = {
        "mining_outage_share": ("1.5", "1"),
        "mining_pool_fee_share": ("-1", "1"),
        "ai_pue_base": ("0.5", "1"),
        "ai_on_demand_usd_per_gpu_hour": ("-5", "USD/(GPU*h)"),
    }

    def change(tables: Tables) -> None:
        for name, (value, unit) in wrong.items():
            cells = {"parameter": name, "value": value, "unit": unit, "source": "toy"}
            tables["parameters"].append(cells | {"basis": "published"})

    with pytest.raises(TableError) as caught:
        parameters_for(load_country(changed_folder(tmp_path, change)))
    assert [(fault.place, fault.column, fault.value) for fault in caught.value.faults] == [
        ("parameters.csv", "value", value) for value, _ in wrong.values()
    ]
    assert "mining_outage_share must be from 0 to 1 [1]" in str(caught.value)
    assert "ai_pue_base must be at least 1 [1]" in str(caught.value)
