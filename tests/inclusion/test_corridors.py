"""What sending money home costs, and what a rail would save: against published figures and by hand."""

from __future__ import annotations

import json
import math

import pytest

from penstock.cli import main
from penstock.errors import InputError
from penstock.inclusion.corridors import corridors, flows, inclusion_tables, rail_cost

Capture = pytest.CaptureFixture[str]
#: World Bank, Remittance Prices Worldwide, 2025-Q1, sending 200 USD. [%]
PUBLISHED = {
    "PAK": {
        **{"BHR": 0.4, "KWT": 0.5, "QAT": 0.7, "ARE": 1.4, "GBR": 1.5, "AUS": 1.5, "OMN": 1.9},
        **{"NOR": 2.8, "SGP": 2.9, "USA": 4.4, "SAU": 4.7, "CAN": 5.0},
    },
    "SLV": {"USA": 3.9},
}


@pytest.mark.parametrize("receiver", ["PAK", "SLV"])
def test_costs_of_the_first_quarter_of_2025(receiver: str) -> None:
    found = {one.sender: one.cost_pct[200.0] for one in corridors(receiver, "2025-Q1")}
    assert set(found) == set(PUBLISHED[receiver])
    for sender, cost in PUBLISHED[receiver].items():
        assert found[sender] == pytest.approx(cost, abs=0.1)


def test_from_three_countries_the_rail_saves_nothing_even_at_its_cheapest() -> None:
    nothing = [one for one in corridors("PAK") if one.helps == "no"]
    assert {one.sender for one in nothing} == {"BHR", "KWT", "QAT"}
    for one in nothing:
        saving = one.saving(200.0)
        assert saving is not None
        assert saving[2] <= 0.0
        assert one.gain_usd_million() in (None, (0.0, 0.0, 0.0))


def test_from_nowhere_does_it_save_for_sure() -> None:
    assert [one.sender for one in corridors("PAK") if one.helps == "yes"] == []


def test_the_rail_is_the_sum_of_its_parts() -> None:
    found = rail_cost(200.0)
    rows = inclusion_tables()["rail_costs"]
    for end, told in (("", found.central), ("_low", found.low), ("_high", found.high)):
        parts = sum(row[f"per_cent{end}"] + row[f"usd{end}"] / 2.0 for row in rows)
        assert told > parts or end == "_low"
    risk = 0.6 * math.sqrt(10.0 / 525_600.0) * 100.0
    assert found.parts["price_risk"] == pytest.approx(risk)
    assert found.central == pytest.approx(sum(found.parts.values()))
    assert found.low <= found.central <= found.high


def test_a_larger_sum_carries_its_fixed_fees_better() -> None:
    assert rail_cost(500.0).central < rail_cost(200.0).central
    fixed = sum(row["usd"] for row in inclusion_tables()["rail_costs"])
    assert rail_cost(200.0).central - rail_cost(500.0).central == pytest.approx(fixed * (0.5 - 0.2))


def test_flows_are_a_year_of_what_was_stated() -> None:
    assert flows("PAK")["SAU"].usd_million == pytest.approx(2_310 * 4)
    found = {one.sender: one for one in corridors("PAK")}
    bahrain = found["BHR"].flow
    assert bahrain is not None
    assert bahrain.source == "bilateral_2017"
    assert sum(one.flow.usd_million for one in found.values() if one.flow) < flows("PAK")["WLD"].usd_million


def test_a_gain_is_the_saving_times_what_is_sent() -> None:
    one = next(one for one in corridors("PAK") if one.sender == "USA")
    saving, gain = one.saving(200.0), one.gain_usd_million()
    assert saving is not None
    assert gain is not None
    assert one.flow is not None
    assert gain[1] == pytest.approx(saving[1] / 100.0 * one.flow.usd_million)
    assert gain[0] == 0.0


@pytest.mark.parametrize(("receiver", "period"), [("XXX", None), ("PAK", "2025-Q2"), ("PAK", "soon")])
def test_what_is_not_on_record_is_refused(receiver: str, period: str | None) -> None:
    with pytest.raises(InputError):
        corridors(receiver, period)


def test_the_command(capsys: Capture) -> None:
    assert main(["inclusion", "pakistan", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"from", "cost_pct", "rail_cost_pct", "saving_pct"} <= document["corridors"][0].keys()
    for row in document["corridors"]:
        assert row["saving_pct"] == pytest.approx(row["cost_pct"] - row["rail_cost_pct"])
    assert document["saves_nothing"] == ["BHR", "KWT", "QAT"]
    assert [(row["iso3"], row["year"], row["account_female_pct"]) for row in document["accounts"]] == [
        ("PAK", 2024, 11.91),
        ("SLV", 2024, 34.44),
    ]
    assert main(["inclusion", "el-salvador"]) == 0
    assert main(["inclusion", "pakistan"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "It saves nothing, not even at its cheapest, from: Bahrain, Kuwait, Qatar." in told
    assert main(["inclusion", "pakistan", "--period", "1999-Q1"]) == 2
