"""The tables of docs/who-is-stopped.md, made again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from penstock.bitcoin.history import hashprice_on, monthly
from penstock.bitcoin.year_mean import mean_hashprice
from penstock.country import load_country
from penstock.loads.mining import default_fleet
from penstock.market import Clearing, clear
from penstock.programme import ConsumerClass, Operation, default_programme, network_of, who_pays
from penstock.programme.incidence import RULES, Rule
from penstock.programme.months import StepMonth, contract_use, step_months
from penstock.programme.operate import absent_bids
from penstock.study import Prepared, add_programme, prepare

pytestmark = pytest.mark.xdist_group("pakistan")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "who-is-stopped.md").read_text("utf-8")
MINING = ("low_power", "mining_stopped")
MONTHS = {1: "January", 4: "April", 7: "July", 12: "December"}


@cache
def prepared() -> Prepared:
    return prepare(load_country("pakistan"))


@cache
def operation(tariff: float) -> Operation:
    return add_programme(prepared(), default_programme(prepared().country, tariff_per_kwh=tariff))


@cache
def base() -> Clearing:
    return clear(prepared().system, absent_bids(operation(23.5)))


def consumers_per_kwh(rule: Rule, found: Operation, tariff: float) -> float:
    country = prepared().country
    payers = who_pays(
        rule,
        base(),
        found.clearing,
        tariff_usd_per_mwh=tariff * 1000.0 / country.usd_rate,
        consumer_classes=[
            ConsumerClass(row["consumer_class"], row["name"], row["sales_share"])
            for row in country.table("consumer_classes")
        ],
        plant_groups=country.table("plants").column("fuel"),
    )
    energy_kwh = 1000.0 * float(np.asarray(base().system.demand).sum() - found.clearing.unserved.sum())
    return payers.by_group["consumers"] * country.usd_rate / energy_kwh


def rows_of(found: Operation, *steps: str) -> list[StepMonth]:
    return [row for row in step_months(found) if row.step in steps]


@pytest.mark.parametrize("tariff", [12.0, 15.0, 17.0, 20.0, 23.5, 30.0])
def test_row_of_a_tariff(tariff: float) -> None:
    found, country = operation(tariff), prepared().country
    mining = rows_of(found, *MINING)
    use = next(row for row in contract_use(found) if row.contract == "mining")
    cells = [
        f"{tariff:g}",
        f"{tariff * 1000.0 / country.usd_rate:.1f}",
        f"{sum(row.offered_mwh for row in mining) / 1e6:.2f}",
        f"{sum(row.left_mwh for row in mining) / 1e6:.2f}",
        f"{sum(row.interrupted_mwh for row in mining) / 1e3:.0f}",
        f"{100.0 * use.used_mwh / use.came_mwh:.1f}",
        f"{sum(row.ran_mwh for row in mining) / 1e6:.2f}",
        f"{sum(row.cost_usd for row in step_months(found)) / 1e6:.1f}",
        f"{consumers_per_kwh('pooled', found, tariff):+.2f}",
    ]
    assert f"| {' | '.join(cells)} |" in PAGE
    assert found.settled
    others = [row for row in step_months(found) if row.step not in MINING]
    assert sum(row.interrupted_mwh + row.left_mwh for row in others) == 0.0


@pytest.mark.parametrize("month", MONTHS)
def test_row_of_a_month(month: int) -> None:
    found = operation(23.5)
    full, low = (next(row for row in rows_of(found, step) if row.month == month) for step in MINING)
    cells = [
        MONTHS[month],
        f"{found.answer.hashprice[month - 1]:.1f}",
        f"{full.worth_usd_per_mwh:.1f}",
        f"{low.worth_usd_per_mwh:.1f}",
        *(f"{energy / 1e3:.0f}" for row in (full, low) for energy in (row.ran_mwh, row.left_mwh)),
    ]
    assert f"| {' | '.join(cells)} |" in PAGE


def test_what_the_page_says_of_the_year() -> None:
    found = operation(23.5)
    mining = rows_of(found, *MINING)
    left = sum(row.left_mwh for row in mining) / sum(row.offered_mwh for row in mining)
    assert f"{100.0 * left:.0f} % of the energy kept for mining" in PAGE
    avoided = sum(row.avoided_usd for row in mining) / 1e6
    assert f"avoid losing {avoided:.0f} million USD" in " ".join(PAGE.split())
    coming = {
        (row.part.kind, row.part.mode): int((found.decision.coming[index] > 0.0).sum())
        for index, row in enumerate(found.bids)
        if row.load == "mining" and row.part.zone == "SOUTH"
    }
    assert [coming[kind, "full"] for kind in ("s21-xp", "s21-pro", "s21", "s19-xp")] == [7, 2, 0, 0]
    assert [coming[kind, "low"] for kind in ("s21-xp", "s21-pro", "s21", "s19-xp")] == [12, 12, 12, 10]


CASES: dict[str, tuple[dict[str, float | None], float]] = {
    "as run": ({}, 1.0),
    "no low-power mode": ({"low_power_share": None, "low_hash_share": None}, 1.0),
    "low power keeps 75 % of the hash, not 80": ({"low_hash_share": 0.75}, 1.0),
    "low power keeps 83 %": ({"low_hash_share": 0.83}, 1.0),
    "hashprice 30 % lower": ({}, 0.7),
    "hashprice 10 % lower": ({}, 0.9),
    "hashprice 10 % higher": ({}, 1.1),
    "hashprice 30 % higher": ({}, 1.3),
}


@pytest.mark.parametrize("case", CASES)
def test_row_of_a_case(case: str) -> None:
    modes, factor = CASES[case]
    fleet, record = default_fleet(1000.0), monthly(2025)
    programme = replace(
        default_programme(prepared().country),
        fleet=replace(fleet, cohorts=tuple(replace(row, **modes) for row in fleet.cohorts)),  # type: ignore[arg-type]
    )
    revenue = record.revenue_usd_per_day * factor
    year = replace(prepared(), network=network_of(replace(record, revenue_usd_per_day=revenue)))
    found = add_programme(year, programme)
    mining = rows_of(found, *MINING)
    left = sum(row.left_mwh for row in mining) / sum(row.offered_mwh for row in mining)
    paid = float(found.taken.sum()) * 23.5 * 1000.0 / prepared().country.usd_rate
    cells = [
        case,
        f"{sum(row.ran_mwh for row in mining) / 1e6:.2f}",
        f"{100.0 * left:.0f}",
        f"{paid / 1e6:,.0f}",
        *(f"{consumers_per_kwh(rule, found, 23.5):+.2f}" for rule in RULES),
    ]
    assert f"| {' | '.join(cells)} |" in PAGE
    assert found.settled


def test_hashprice_of_the_last_day_against_the_mean_of_the_year() -> None:
    fall = 1.0 - hashprice_on("2026-09-25").usd_per_ph_day / mean_hashprice(2025).usd_per_ph_day
    assert f"the hashprice was {100.0 * fall:.0f} % below" in " ".join(PAGE.split())
