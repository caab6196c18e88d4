"""The schema of summary.json: sound, strict, and with a unit on every quantity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .summary import sample_summary, summary_faults, summary_schema, validate_summary

Summary = dict[str, Any]
# Ending of a key -> unit; the first that fits counts.
KEY_UNITS = {
    "_per_kwh": "the country's currency per kWh",
    "_per_programme_mwh": "USD/MWh",
    "usd_per_mwh": "USD/MWh",
    "_usd_per_ph_day": "USD/(PH/s*day)",
    "_usd_per_gpu_hour": "USD/(GPU*h)",
    "_usd_per_day": "USD/day",
    "_j_per_th": "J/TH",
    "_share_per_year": "1/year",
    "_per_usd": "currency/USD",
    "_usd": "USD",
    "_gwh": "GWh",
    "_mwh": "MWh",
    "_mw": "MW",
    "_ehs": "EH/s",
    "_kw": "kW",
    "window_hours": "h",
    "stop_hours": "h",
    "event_hours": "h",
    "_minutes": "min",
    "_years": "year",
    "_share": "1",
    "_t": "t",
}


def nodes(schema: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the schema, with its path."""
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            yield from nodes(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for place, value in enumerate(schema):
            yield from nodes(value, f"{path}[{place}]")


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(summary_schema())


def test_every_object_is_closed_or_a_map_by_fuel_zone_or_class_of_work() -> None:
    objects = [(path, node) for path, node in nodes(summary_schema()) if node.get("type") == "object"]
    assert len(objects) > 20
    for path, node in objects:
        if "properties" not in node:
            name = path.rsplit(".", 1)[1]
            by_class = path.endswith("power_by_hour.items.properties.mw")
            assert name.startswith("generation_gwh_by_fuel") or name.endswith("_by_zone") or by_class, path
            assert isinstance(node["additionalProperties"], dict), path
        else:
            assert node["additionalProperties"] is False, path
            assert set(node["required"]) <= set(node["properties"]), path


def test_every_property_is_described_and_every_quantity_has_its_unit() -> None:
    for path, node in nodes(summary_schema()):
        properties = node.get("properties")
        if not isinstance(properties, dict) or path.endswith(".properties"):
            continue
        for key, value in properties.items():
            text = value.get("description", "")
            assert text or "$ref" in value, f"{path}.{key}"
            unit = next((unit for end, unit in KEY_UNITS.items() if key.endswith(end)), None)
            if unit is not None and value.get("type") in ("number", ["number", "null"]):
                assert f"[{unit}]" in text, f"{path}.{key}: {text}"


def test_sample_passes() -> None:
    validate_summary(sample_summary())


def drop(*keys: str) -> Callable[[Summary], None]:
    def change(summary: Summary) -> None:
        for key in keys[:-1]:
            summary = summary[key]
        del summary[keys[-1]]

    return change


def put(value: Any, *keys: Any) -> Callable[[Summary], None]:
    def change(summary: Summary) -> None:
        place: Any = summary
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop("sources"), "$: 'sources' is a required property"),
        (drop("base", "cost_usd"), "$.base: 'cost_usd' is a required property"),
        (drop("change", "emissions_t"), "$.change: 'emissions_t' is a required property"),
        (drop("clearing", "base"), "$.clearing: 'base' is a required property"),
        (put("magic", "clearing", "base", "engine"), "'magic' is not one of"),
        (put(-1e-9, "clearing", "with_programme", "gap"), "is less than the minimum of 0"),
        (put([], "change", "corridors"), "$.change: Additional properties are not allowed"),
        (put(1, "extra"), "$: Additional properties are not allowed"),
        (put("60", "base", "price_usd_per_mwh_mean"), "'60' is not of type 'number'"),
        (put([1.0] * 11, "base", "generation_gwh_by_fuel_month", "coal"), "is too short"),
        (put(None, "with_programme", "cost_usd"), "None is not of type 'number'"),
        (put("nobody", "incidence", "pooled", "parties", 0, "group"), "'nobody' is not one of"),
        (put(2, "schema_version"), "1 was expected"),
        (put(13, "surplus", "by_month", 0, "month"), "13 is greater than the maximum"),
        (put(1.2, "programme", "mining_share"), "1.2 is greater than the maximum"),
        (put("half", "programme", "bids", 0, "mode"), "'half' is not one of"),
        (drop("loads", "network"), "$.loads: 'network' is a required property"),
        (put(1, "loads", "network", "months", 0, "year"), "Additional properties are not allowed"),
        (put(-1.0, "loads", "months", 0, "offered_mwh"), "-1.0 is less than the minimum of 0"),
        (put([], "loads", "miners", "investment", "best"), "Additional properties are not allowed"),
        (put("abc", "country", "content_hash"), "'abc' does not match"),
    ],
)
def test_a_departure_is_caught(change: Callable[[Summary], None], expected: str) -> None:
    summary = sample_summary()
    change(summary)
    faults = summary_faults(summary)
    assert len(faults) == 1
    assert expected in faults[0]
    with pytest.raises(AssertionError, match=re.escape(expected)):
        validate_summary(summary)


def test_nan_is_refused() -> None:
    summary = sample_summary()
    summary["base"]["cost_usd"] = float("nan")
    with pytest.raises(ValueError, match="Out of range float"):
        summary_faults(summary)
