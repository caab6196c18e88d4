"""Sums over the loads: every MWh in one place, by month, step, kind and hour of the day."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.study import Study

from .conftest import ToyRun

HOURS = [24 * days for days in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)]
# Few leave and some are interrupted at 6.0; most leave at 12.0.
TARIFFS = (6.0, 9.1, 12.0)


@pytest.fixture(params=TARIFFS)
def study(request: pytest.FixtureRequest, toy_run: ToyRun) -> Study:
    return toy_run(tariff_per_kwh=request.param)


def of(rows: list[dict[str, Any]], key: str, **wanted: Any) -> float:
    return float(sum(row[key] for row in rows if all(row[name] == value for name, value in wanted.items())))


def test_every_mwh_of_a_month_is_in_one_place(study: Study) -> None:
    loads = study.summary["loads"]
    for row, hours in zip(loads["by_month"], HOURS, strict=True):
        parts = ("mining_low_mw", "mining_full_mw", "ai_mw", "late_mw", "lost_mw", "left_mw")
        assert sum(row[key] for key in parts) == pytest.approx(row["offered_mw"])
        assert row["mining_mw"] == pytest.approx(row["mining_low_mw"] + row["mining_full_mw"])
        month = row["month"]
        assert row["offered_mw"] * hours == pytest.approx(of(loads["months"], "offered_mwh", month=month))
        full = of(loads["months"], "ran_mwh", month=month, step="low_power")
        assert row["mining_full_mw"] * hours == pytest.approx(full)
        ai = [r for r in loads["months"] if r["step"] not in ("low_power", "mining_stopped")]
        assert row["ai_mw"] * hours == pytest.approx(of(ai, "ran_mwh", month=month))
        assert row["cost_usd"] == pytest.approx(of(loads["months"], "cost_usd", month=month))


def test_steps_and_year_are_the_sum_of_the_months(study: Study) -> None:
    loads = study.summary["loads"]
    for key in ("offered_mwh", "left_mwh", "ran_mwh", "late_mwh", "interrupted_mwh", "lost_mwh", "cost_usd"):
        assert loads["year"][key] == pytest.approx(of(loads["months"], key), abs=1e-6)
        for step in loads["steps"]:
            assert step["year"][key] == pytest.approx(of(loads["months"], key, step=step["key"]), abs=1e-6)
    steps = [step["year"]["hours"] for step in loads["steps"]]
    # Hours in which two steps are interrupted count once.
    assert max(steps) <= loads["year"]["interrupted_hours"] <= sum(steps)
    assert loads["year"]["interrupted_hours"] == of(loads["by_month"], "interrupted_hours")


def test_whoever_left_had_a_worth_below_the_tariff(study: Study) -> None:
    tariff = study.summary["programme"]["tariff_usd_per_mwh"]
    bids = study.summary["programme"]["bid_groups"]
    stayed = {(bid["kind"], bid["step"]) for bid in bids if bid["came_share"] == pytest.approx(1.0)}
    for row in study.summary["loads"]["months"]:
        if row["left_mwh"] < 1e-3:
            assert row["left_worth_usd_per_mwh"] is None
            assert row["left_kinds"] == []
            continue
        worth = row["left_worth_usd_per_mwh"]
        assert 0.0 < worth <= tariff + 1e-9
        assert row["left_mwh"] * (tariff - worth) == pytest.approx(row["avoided_usd"], abs=1e-6)
        assert row["left_kinds"]
        assert not {(kind, row["step"]) for kind in row["left_kinds"]} & stayed


def test_bids_together_are_the_programme(study: Study) -> None:
    programme = study.summary["programme"]
    groups, loads = programme["bid_groups"], programme["by_load"]
    assert of(groups, "energy_gwh") == pytest.approx(programme["energy_gwh"])
    assert of(loads, "energy_gwh") == pytest.approx(programme["energy_gwh"])
    assert of(groups, "mw", load="mining") == pytest.approx(programme["mw"] * programme["mining_share"])
    kinds = [(row["load"], row["kind"], row["mode"]) for row in groups]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == {(row["load"], row["kind"], row["mode"]) for row in programme["bids"]}
    for row in groups:
        own = [
            bid for bid in programme["bids"] if all(bid[key] == row[key] for key in ("load", "kind", "mode"))
        ]
        assert row["bid_low_usd_per_mwh"] == min(bid["bid_usd_per_mwh"] for bid in own)
        assert row["value_high_usd_per_mwh"] == max(bid["value_usd_per_mwh"] for bid in own)
        assert row["mw"] == pytest.approx(sum(bid["mw"] for bid in own))


def test_the_day_of_a_centre_is_its_offered_energy(study: Study) -> None:
    loads, programme = study.summary["loads"], study.summary["programme"]
    power = [sum(row["mw"].values()) for row in loads["ai"]["power_by_hour"]]
    offered = sum(step["year"]["offered_mwh"] for step in loads["steps"] if step["load"] == "ai")
    assert sum(power) * 365 == pytest.approx(offered)
    assert 0.0 < max(power) <= programme["mw"] * (1.0 - programme["mining_share"]) + 1e-9


def test_without_power_the_sums_are_zero(toy_run: ToyRun) -> None:
    loads = toy_run(mw=0.0).summary["loads"]
    assert set(loads["year"].values()) == {0.0}
    assert {value for row in loads["by_month"] for key, value in row.items() if key != "month"} == {0.0}
