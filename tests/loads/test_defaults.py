"""Every default has a source, and an assumption has a range."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from penstock.country import load_country
from penstock.country.schema import table_schemas
from penstock.errors import TableError
from penstock.loads.defaults import load_defaults, parameters_for, read_defaults, sources
from tests.country.changes import changed_folder
from tests.country.toy import Tables, write_csv, write_toy_country

# USD per PH/s and day, mean of each month of 2025, and the days whose fees are known (26 in August).
HASHPRICE_2025 = (
    *((57.432, 31), (55.370, 28), (47.834, 31), (45.384, 30), (55.057, 31), (53.268, 30)),
    *((58.701, 31), (57.533, 26), (51.905, 30), (48.515, 31), (40.174, 30), (37.548, 31)),
)


def test_defaults_are_these() -> None:
    assert {name: (row.low, row.value, row.high) for name, row in load_defaults().items()} == {
        "mining_hashprice_usd_per_ph_day": (37.55, 50.63, 58.7),
        "mining_efficiency_j_per_th": (13.5, 17.5, 29.5),
        "mining_overhead_share": (0.02, 0.05, 0.15),
        "mining_pool_fee_share": (0.0, 0.02, 0.04),
        "ai_rent_usd_per_gpu_hour": (2.2, 2.3, 2.4),
        "ai_gpus_per_node": (None, 8.0, None),
        "ai_node_power_kw": (6.5, 8.4, 8.5),
        "ai_pue": (1.1, 1.58, 1.58),
        "ai_rented_share": (0.3, 0.6, 0.9),
        "ai_value_share": (0.2, 0.5, 0.9),
    }


def test_hashprice_is_the_mean_of_its_year() -> None:
    days = sum(days for _, days in HASHPRICE_2025)
    mean = math.fsum(price * days for price, days in HASHPRICE_2025) / days
    hashprice = load_defaults()["mining_hashprice_usd_per_ph_day"]
    assert days == 360
    assert hashprice.value == pytest.approx(mean, abs=0.005)
    assert hashprice.low == pytest.approx(min(price for price, _ in HASHPRICE_2025), abs=0.005)
    assert hashprice.high == pytest.approx(max(price for price, _ in HASHPRICE_2025), abs=0.005)


@pytest.mark.parametrize("name", load_defaults())
def test_default_has_a_source_and_an_assumption_has_a_range(name: str) -> None:
    row = load_defaults()[name]
    source = sources().one(source=row.source)
    assert row.note
    if source["source"] != "assumption":
        assert source["url"].startswith("https://")
    if row.basis == "assumption":
        assert row.low is not None
        assert row.high is not None
        assert row.low <= row.value <= row.high
        assert row.low < row.high


def test_every_source_is_used() -> None:
    text = " ".join(f"{row.source} {row.note}" for row in load_defaults().values())
    assert set(sources().column("source")) <= set(re.findall(r"\w+", text))


def test_country_replaces_a_default(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        cells = {"parameter": "mining_overhead_share", "value": "0.12", "unit": "1", "source": "toy"}
        tables["parameters"].append(cells | {"basis": "published"})

    parameters = parameters_for(load_country(changed_folder(tmp_path, change)))
    assert list(parameters) == list(load_defaults())
    assert (parameters["mining_overhead_share"].value, parameters["mining_overhead_share"].source) == (
        0.12,
        "toy",
    )
    assert parameters["ai_pue"] == load_defaults()["ai_pue"]


def test_country_without_its_own_values_has_the_defaults(tmp_path: Path) -> None:
    write_toy_country(tmp_path / "toyland")
    assert dict(parameters_for(load_country(tmp_path / "toyland"))) == dict(load_defaults())


def test_replacement_in_another_unit_is_refused(tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        cells = {"parameter": "ai_node_power_kw", "value": "8400", "unit": "W", "source": "toy"}
        tables["parameters"].append(cells | {"basis": "published"})

    with pytest.raises(TableError, match=r"ai_node_power_kw replaces a default in kW \(value: 'W'\)"):
        parameters_for(load_country(changed_folder(tmp_path, change)))


def test_faults_of_the_tables_are_listed_together(tmp_path: Path) -> None:
    names = table_schemas()["parameters"].names
    write_csv(
        tmp_path / "parameters.csv",
        names,
        [
            ["a", "1", "", "", "1", "assumption", "known", ""],
            ["b", "x", "", "", "1", "published", "unknown", ""],
        ],
    )
    write_csv(
        tmp_path / "sources.csv",
        table_schemas()["sources"].names,
        [["known", "A title", "A publisher", "", "facts", "", ""]],
    )
    with pytest.raises(TableError) as caught:
        read_defaults(tmp_path)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (2, "low"),
        (2, "high"),
        (3, "value"),
        (3, "source"),
    ]
