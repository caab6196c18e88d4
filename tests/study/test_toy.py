"""Studies of the toy: what any country's study must do, whatever its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.country import Country
from penstock.errors import InputError
from penstock.market.system import FloatArray
from penstock.programme import default_programme
from penstock.programme.breaches import interrupted
from penstock.study import Study, prepare, run
from tests.country.toy import write_toy_country
from tests.study.conftest import ToyRun, dearer_network
from tests.summary import validate_summary

pytestmark = pytest.mark.xdist_group("toy")

# 50 MW of mining all year; AI centres whose draw follows the day of their users.
FULL_GWH = 769.510896
CASES: list[dict[str, Any]] = [
    {},
    {"tariff_per_kwh": 4.0},
    {"tariff_per_kwh": 12.0},
    {"mw": 300.0, "mining_share": 0.0},
]


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in nested dicts and lists, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{index}]")
    elif isinstance(value, int | float):
        yield path, value


def same_clearings(first: Study, second: Study) -> bool:
    return all(
        np.array_equal(getattr(first.with_programme, name), getattr(second.with_programme, name))
        for name in ("dispatch", "accepted", "flow", "unserved", "price")
    )


def interrupted_mw(study: Study) -> FloatArray:
    """What came and was not taken, shape (hours, parts). [MW]"""
    return interrupted(study.operation.plan, study.operation.decision, study.with_programme)


def test_no_megawatts_change_nothing(toy_run: ToyRun) -> None:
    summary = toy_run(mw=0.0).summary
    change = dict(summary["change"])
    assert change.pop("cost_per_programme_mwh") is None
    found = list(numbers(change))
    assert len(found) > 30
    assert [place for place, value in found if value != 0.0] == []
    for rule in ("pooled", "marginal"):
        changes = [party["change_usd"] for party in summary["incidence"][rule]["parties"]]
        assert not any(changes)
    assert summary["programme"]["energy_gwh"] == 0.0
    assert {row["own_ehs"] for row in summary["loads"]["network"]["months"]} == {0.0}
    assert not any(value for _, value in numbers(summary["programme"]["jobs"]))
    validate_summary(summary)


@pytest.mark.parametrize("firm", [False, True])
def test_bigger_programme_never_costs_less(toy_run: ToyRun, firm: bool) -> None:
    """AI alone: it is interrupted only far above the cost of any plant, so what it takes grows with it."""
    studies = [toy_run(mw=mw, mining_share=0.0, firm=firm) for mw in (0.0, 50.0, 100.0)]
    costs = [study.summary["with_programme"]["cost_usd"] for study in studies]
    taken = [study.summary["programme"]["energy_gwh"] for study in studies]
    assert taken[0] < taken[1] < taken[2]
    assert costs[0] < costs[1] < costs[2]
    assert len({study.summary["base"]["cost_usd"] for study in studies}) == 1


def test_same_inputs_give_the_same_summary(tmp_path: Path) -> None:
    """With contracts, so that the variants are in it."""
    folder = tmp_path / "toyland"
    write_toy_country(folder)
    first, second = run(folder), run(folder)
    assert first.summary == second.summary
    assert first.hourly.equals(second.hourly)
    assert [row["variant"] for row in first.summary["variants"]] == ["merit_order", "low_take_or_pay"]
    validate_summary(first.summary)


def test_country_without_contracts_has_no_variants(toy_run: ToyRun) -> None:
    summary = toy_run().summary
    assert summary["variants"] == []
    validate_summary(summary)


def test_tariff_of_a_firm_programme_moves_money_alone(toy_run: ToyRun) -> None:
    """Both tariffs lie below what the least of the miners earns, so nobody leaves at either."""
    low, high = (toy_run(firm=True, tariff_per_kwh=tariff, hashprice_factor=3.0) for tariff in (6.0, 8.0))
    assert same_clearings(low, high)
    for key in ("base", "with_programme", "change", "surplus"):
        assert low.summary[key] == high.summary[key]
    energy = low.summary["programme"]["energy_gwh"]
    assert energy == pytest.approx(FULL_GWH, rel=1e-9)
    programme = high.summary["programme"]["payment_usd"] - low.summary["programme"]["payment_usd"]
    assert programme == pytest.approx(20.0 * energy * 1000.0)
    gaining = {"pooled": "consumers", "marginal": "state"}  # whoever is behind the contract
    for rule, group in gaining.items():
        before, after = (study.summary["incidence"][rule]["by_group"] for study in (low, high))
        moved = {key: after[key] - before[key] for key in before}
        assert moved.pop("programme") == pytest.approx(programme)
        assert moved.pop(group) == pytest.approx(-programme)
        assert all(abs(rest) < 0.01 for rest in moved.values()), rule


def test_interruptible_mining_stops_where_power_costs_more_than_its_tariff(toy_run: ToyRun) -> None:
    """At 9.1 per kWh, 91 USD/MWh: above the cost of gas in the north, below what it costs in the south."""
    study = toy_run(tariff_per_kwh=9.1, hashprice_factor=2.0)
    stopped = interrupted_mw(study)
    zones = list(study.country.zones)
    assert not any(row["binds"] for row in study.summary["loads"]["contracts"])
    for index, part in enumerate(study.operation.plan.parts):
        price = study.with_programme.price[:, zones.index(part.zone)]
        if part.load == "ai":
            assert stopped[:, index].max() <= 1e-6
            continue
        bid = np.broadcast_to(study.operation.bids[index].bid.value, price.shape)
        assert bid.min() > 90.8
        assert bid.max() <= 91.0 + 1e-9
        assert stopped[price < bid - 1e-6, index].max(initial=0.0) <= 1e-6
        assert study.operation.taken[price > bid + 1e-6, index].max(initial=0.0) <= 1e-6
    rows = [row for row in study.summary["loads"]["months"] if row["interrupted_mwh"] > 0.0]
    assert {row["step"] for row in rows} == {"low_power", "mining_stopped"}
    for row in rows:
        assert row["hours"] > 0
        assert row["price_usd_per_mwh"] > 90.8
        # What a machine loses is what it would have earned less the tariff; a stop costs its restart as well.
        assert row["cost_usd"] >= row["interrupted_mwh"] * (row["worth_usd_per_mwh"] - 91.0) * 0.5
    hourly = study.hourly
    for step in ("low_power", "mining_stopped"):
        found = [row["interrupted_mwh"] for row in study.summary["loads"]["months"] if row["step"] == step]
        hours = hourly.groupby("month")[f"with.interrupted_mw.{step}"].sum()
        assert list(hours) == pytest.approx(found)


def test_full_power_is_interrupted_before_any_machine_stops(toy_run: ToyRun) -> None:
    study = toy_run(tariff_per_kwh=9.1, hashprice_factor=2.0)
    stopped, parts = interrupted_mw(study), study.operation.plan.parts
    for zone in study.country.zones:
        steps = {
            step: [i for i, part in enumerate(parts) if (part.zone, part.step) == (zone, step)]
            for step in ("low_power", "mining_stopped")
        }
        any_stopped = stopped[:, steps["mining_stopped"]].max(axis=1) > 1e-6
        running = study.operation.taken[:, steps["low_power"]].sum(axis=1)
        assert zone == "NORTH" or any_stopped.any()
        assert running[any_stopped].max(initial=0.0) <= 1e-6


def test_no_machine_runs_at_full_power_while_it_is_stopped(toy_run: ToyRun) -> None:
    """Also where the annual budget binds and so the order of whole steps is no longer that of one hour."""
    study = toy_run()
    parts, taken = study.operation.plan.parts, study.operation.taken
    assert study.summary["loads"]["contracts"][0]["binds"]
    for index, part in enumerate(parts):
        if part.mode != "full":
            continue
        low = next(
            i
            for i, other in enumerate(parts)
            if (other.zone, other.kind, other.mode) == (part.zone, part.kind, "low")
        )
        full_share, low_share = taken[:, index] / part.offered, taken[:, low] / parts[low].offered
        assert (full_share - low_share).max() <= 1e-6


def test_bids_rise_in_the_order_of_interruption(toy_run: ToyRun) -> None:
    summary = toy_run().summary
    order = {row["key"]: row["order"] for row in summary["loads"]["steps"]}
    bids = [row for row in summary["programme"]["bids"] if row["mode"] != "late"]
    highest = {step: max(row["bid_usd_per_mwh"] for row in bids if row["step"] == step) for step in order}
    lowest = {step: min(row["bid_usd_per_mwh"] for row in bids if row["step"] == step) for step in order}
    steps = sorted(order, key=lambda step: order[step])
    for first, second in pairwise(steps):
        assert highest[first] < lowest[second]
    mining = [row["bid_usd_per_mwh"] for row in bids if row["load"] == "mining"]
    assert max(mining) == pytest.approx(60.0, abs=0.2)
    assert min(mining) == pytest.approx(60.0, abs=0.2)
    # People come first: the value of lost load of the toy is 3,000 USD/MWh.
    assert max(row["bid_usd_per_mwh"] for row in bids) < 3000.0


def test_mining_leaves_in_months_in_which_it_does_not_pay(toy_run: ToyRun) -> None:
    """12 per kWh is 120 USD/MWh: full power of no machine is worth it, low power of the best is."""
    study = toy_run(tariff_per_kwh=12.0)
    coming, hashprice = study.operation.answer.coming, study.operation.answer.hashprice
    for index, part in enumerate(study.operation.plan.parts):
        if part.load == "ai":
            assert (coming[index] == 1.0).all()
            continue
        value = part.worth_usd_per_mwh * hashprice
        assert (coming[index][value > 120.0 * (1 + 1e-6)] == 1.0).all()
        assert (coming[index][value < 120.0 * (1 - 1e-6)] == 0.0).all()
    bids = {row["name"]: row for row in study.summary["programme"]["bids"]}
    for row in bids.values():
        if row["load"] == "mining" and row["mode"] == "full":
            assert (row["came_share"], row["energy_gwh"]) == (0.0, 0.0)
    assert bids["mining NORTH s21-xp low"]["came_share"] == 1.0
    assert 0.0 < bids["mining NORTH s21 low"]["came_share"] < 1.0
    left = [row["left_mwh"] for row in study.summary["loads"]["months"] if row["step"] == "mining_stopped"]
    # Hashprice of 2025 was highest in July and lowest in December.
    assert left[11] == max(left)
    assert left[11] > left[6]


def test_dearer_network_brings_more_machines(toy_run: ToyRun) -> None:
    usual, dear = (toy_run(tariff_per_kwh=12.0, hashprice_factor=factor) for factor in (1.0, 2.0))
    before, after = (
        [row["hashprice_alone_usd_per_ph_day"] for row in study.summary["loads"]["network"]["months"]]
        for study in (usual, dear)
    )
    assert after == pytest.approx([2.0 * price for price in before])
    for one, two in zip(usual.summary["programme"]["bids"], dear.summary["programme"]["bids"], strict=True):
        assert one["name"] == two["name"]
        assert one["came_share"] <= two["came_share"]
    assert usual.summary["programme"]["energy_gwh"] < dear.summary["programme"]["energy_gwh"]


@pytest.mark.parametrize("tariff", [4.0, 6.0, 12.0])
def test_every_megawatt_hour_is_in_one_place(toy_run: ToyRun, tariff: float) -> None:
    """offered = left + came, came = ran + interrupted, interrupted = late + lost; and the year's energy."""
    summary = toy_run(tariff_per_kwh=tariff).summary
    rows = summary["loads"]["months"]
    assert [row["month"] for row in rows] == [*range(1, 13)] * 5
    for row in rows:
        total = row["left_mwh"] + row["ran_mwh"] + row["interrupted_mwh"]
        assert total == pytest.approx(row["offered_mwh"], abs=1e-6)
        assert row["late_mwh"] + row["lost_mwh"] == pytest.approx(row["interrupted_mwh"], abs=1e-6)
        assert (row["price_usd_per_mwh"] is None) == (row["interrupted_mwh"] <= 1e-6)
    taken = sum(row["ran_mwh"] + row["late_mwh"] for row in rows) / 1000.0
    assert taken == pytest.approx(summary["programme"]["energy_gwh"], rel=1e-9)
    mining = sum(row["offered_mwh"] for row in rows if row["step"] in ("low_power", "mining_stopped"))
    assert mining == pytest.approx(50.0 * 8760)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_contract_is_interrupted_beyond_its_budget(toy_run: ToyRun, case: dict[str, Any]) -> None:
    contracts = toy_run(**case).summary["loads"]["contracts"]
    assert [row["contract"] for row in contracts] == ["mining", "deferrable", "training", "serving"]
    for row in contracts:
        assert row["allowed_mwh"] == pytest.approx(row["annual_share"] * row["came_mwh"])
        assert row["used_mwh"] <= row["allowed_mwh"] * (1 + 1e-6)
        assert row["price_usd_per_mwh"] == 0.0 or row["binds"]
        if row["binds"]:
            assert row["used_mwh"] == pytest.approx(row["allowed_mwh"], rel=1e-6)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_network_settles_in_every_month(toy_run: ToyRun, case: dict[str, Any]) -> None:
    network = toy_run(**case).summary["loads"]["network"]
    assert network["settled"]
    assert 1 <= network["rounds"] <= 20
    assert network["moved"] <= 1e-6
    assert [row["month"] for row in network["months"]] == list(range(1, 13))
    for row in network["months"]:
        assert row["converged"]
        assert row["rounds"] <= 20
        assert row["residual"] <= 1e-6
        assert row["share"] == pytest.approx(row["own_ehs"] / row["network_ehs"])
        # More machines, less for each; others who stop soften it.
        floor, price = row["hashprice_without_response_usd_per_ph_day"], row["hashprice_usd_per_ph_day"]
        assert floor * (1 - 1e-6) <= price <= row["hashprice_alone_usd_per_ph_day"] * (1 + 1e-6)


def test_jobs_are_megawatts_times_jobs_per_megawatt(toy_run: ToyRun) -> None:
    """50 MW of mining at 0.675 (0.25 to 1.1) and 50 MW of AI at 1 (0.3 to 3)."""
    jobs = toy_run().summary["programme"]["jobs"]
    assert jobs["mining"] == pytest.approx({"jobs": 33.75, "low": 12.5, "high": 55.0})
    assert jobs["ai"] == pytest.approx({"jobs": 50.0, "low": 15.0, "high": 150.0})
    assert jobs["total"] == pytest.approx({"jobs": 83.75, "low": 27.5, "high": 205.0})


def test_year_without_a_network_on_record_is_refused_by_name(toy_country: Country) -> None:
    later = replace(toy_country, year=2026)
    with pytest.raises(InputError, match=r"2026-02.*\(value: '2026'\)"):
        prepare(later)
    given = prepare(later, dearer_network(1.0)).network
    assert given.hashprice == pytest.approx(prepare(toy_country).network.hashprice)


def test_firm_programme_is_served_in_every_hour(toy_run: ToyRun) -> None:
    study, other = (toy_run(firm=firm, hashprice_factor=2.0) for firm in (True, False))
    assert study.summary["programme"]["energy_gwh"] == pytest.approx(FULL_GWH, rel=1e-9)
    assert interrupted_mw(study).max() <= 1e-6
    assert study.summary["loads"]["contracts"] == []
    assert {row["bid_usd_per_mwh"] for row in study.summary["programme"]["bids"]} == {3000.0}
    assert study.summary["with_programme"]["cost_usd"] > other.summary["with_programme"]["cost_usd"]


def test_progress_rises_to_1(toy_country: Country) -> None:
    seen: list[tuple[str, float]] = []
    run(
        toy_country,
        default_programme(toy_country, mw=0.0),
        progress=lambda step, fraction: seen.append((step, fraction)),
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert seen[-1] == ("Done", 1.0)
