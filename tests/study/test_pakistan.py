"""Pakistan's year: the shape of what comes out, its books, and how near it is to what was published."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.market import Clearing
from penstock.market.certificate import lower_bound
from penstock.market.clearing import energy_residual
from penstock.market.system import hour_series
from penstock.study import Study
from tests.summary import validate_summary

pytestmark = pytest.mark.xdist_group("pakistan")

SECTIONS = {
    *("schema_version", "penstock_version", "country", "year", "programme", "loads", "base"),
    *(
        "with_programme",
        "change",
        "clearing",
        "surplus",
        "guardrails",
        "borrowed",
        "incidence",
        "validation",
        "variants",
        "assumptions",
        "sources",
    ),
}
SIDE = {
    *("cost_usd", "energy_served_gwh", "programme_energy_gwh", "unserved_gwh", "curtailed_gwh"),
    *("generation_gwh_by_fuel", "generation_gwh_by_fuel_month", "price_usd_per_mwh_mean"),
    *("price_usd_per_mwh_by_zone", "pooled_cost_usd_per_mwh", "pooled_energy_cost_usd_per_mwh"),
    *("capacity_payment_usd", "capacity_payment_usd_per_mwh", "capacity_payment_per_kwh"),
    *("fuel_cost_usd", "fuel_imports_usd", "emissions_t", "congestion_rent_usd", "corridors"),
    "trade",
}
SURPLUS = {
    *("reserve_margin_share", "mean_mw", "minimum_mw", "by_zone", "by_month", "duration_curve"),
    *("price_usd_per_mwh", "share_of_hours", "supply_curve", "programme_mw", "price_for_programme"),
}
FUELS = {
    *("hydro", "nuclear", "rlng", "coal_local", "coal_imported", "gas", "rfo", "wind", "solar", "bagasse"),
    "import_iran",
}
SIDES = ("base", "with_programme")
RULES = ("pooled", "marginal")


def figure(study: Study, name: str) -> dict[str, float]:
    rows = [row for row in study.summary["validation"]["figures"] if row["figure"] == name]
    assert len(rows) == 1
    row: dict[str, float] = rows[0]
    return row


def cost_usd(clearing: Clearing) -> float:
    """Generation at marginal cost plus unserved energy at the value of lost load, from the arrays."""
    system = clearing.system
    parts = [
        float((hour_series(plant.cost, system.hour_count) * clearing.dispatch[:, index]).sum())
        for index, plant in enumerate(system.plants)
    ]
    return math.fsum([*parts, system.value_of_lost_load * float(clearing.unserved.sum())])


# --- the summary -----------------------------------------------------------------------------------------


def test_summary_follows_its_schema(pakistan_study: Study) -> None:
    validate_summary(pakistan_study.summary)


def test_summary_has_its_keys(pakistan_study: Study) -> None:
    summary = pakistan_study.summary
    assert set(summary) == SECTIONS
    for side in SIDES:
        assert set(summary[side]) == SIDE
        assert set(summary[side]["generation_gwh_by_fuel"]) == FUELS
    assert set(summary["change"]) == SIDE - {"corridors"} | {"cost_per_programme_mwh"}
    assert set(summary["surplus"]) == SURPLUS
    assert set(summary["incidence"]) == {*RULES, "consumer_energy_gwh"}
    assert set(summary["validation"]) == {"fuels", "months", "energy", "figures"}
    assert [row["variant"] for row in summary["variants"]] == ["merit_order", "low_take_or_pay"]


def test_both_clearings_are_by_the_kernel_and_proved_near_the_best(pakistan_study: Study) -> None:
    for side in SIDES:
        clearing = getattr(pakistan_study, side)
        found = pakistan_study.summary["clearing"][side]
        assert found["engine"] == "kernel"
        assert 0.0 <= found["gap"] <= 1e-6
        assert found["reason"] == clearing.reason
        # From the parts, not from the clearing's own properties.
        net_cost, bound = found["net_cost_usd"], found["lower_bound_usd"]
        assert net_cost == clearing.cost - clearing.bid_value
        assert bound == lower_bound(
            clearing.system, clearing.bids, clearing.price, budget_price=clearing.budget_price
        )
        assert net_cost - bound <= 1e-6 * abs(net_cost)


def test_change_is_the_difference_of_the_sides(pakistan_study: Study) -> None:
    base, changed, change = (pakistan_study.summary[key] for key in (*SIDES, "change"))
    for key in ("cost_usd", "emissions_t", "fuel_imports_usd", "curtailed_gwh", "energy_served_gwh"):
        assert change[key] == changed[key] - base[key]
    energy = change["programme_energy_gwh"] * 1000.0
    assert change["cost_per_programme_mwh"] == pytest.approx(change["cost_usd"] / energy, rel=1e-12)
    assert change["capacity_payment_usd"] == 0.0


# --- against what was published --------------------------------------------------------------------------


def test_every_fuel_is_within_its_limit(pakistan_study: Study) -> None:
    rows = pakistan_study.summary["validation"]["fuels"]
    assert {row["fuel"] for row in rows} == FUELS
    for row in rows:
        published = row["published_gwh"]
        limit = 0.10 * published if published > 5000.0 else 500.0
        assert abs(row["model_gwh"] - published) <= limit, row
        assert row["within"]


def test_every_month_has_its_published_energy(pakistan_study: Study) -> None:
    rows = pakistan_study.summary["validation"]["energy"]
    assert [row["month"] for row in rows] == list(range(1, 13))
    for row in rows:
        assert row["model_gwh"] == pytest.approx(row["published_gwh"], rel=0.01), row
        assert row["within"]


def test_hvdc_use_in_megawatts_is_within_the_published_range(pakistan_study: Study) -> None:
    row = figure(pakistan_study, "hvdc_mean_use")
    assert row["low"] <= row["model"] <= row["high"]
    assert row["model"] == pytest.approx(1400.0, rel=0.1)


@pytest.mark.parametrize("name", ["day_level_september", "evening_level_september"])
def test_levels_of_september_are_within_5_percent(pakistan_study: Study, name: str) -> None:
    row = figure(pakistan_study, name)
    assert row["model"] == pytest.approx(row["published"], rel=0.05)


def test_merit_order_alone_burns_coal_in_the_place_of_rlng(pakistan_study: Study) -> None:
    """Without the take-or-pay minima the published mix cannot come out."""
    base = pakistan_study.summary["base"]
    variants = {row["variant"]: row for row in pakistan_study.summary["variants"]}
    mixes = [
        row["generation_gwh_by_fuel"] for row in (base, variants["low_take_or_pay"], variants["merit_order"])
    ]
    rlng = [mix["rlng"] for mix in mixes]
    coal = [mix["coal_imported"] for mix in mixes]
    assert rlng[0] > rlng[1] > rlng[2]
    assert coal[0] < coal[1] < coal[2]
    assert rlng[2] < 0.6 * rlng[0]
    assert coal[2] > 1.5 * coal[0]
    assert variants["merit_order"]["cost_usd"] < variants["low_take_or_pay"]["cost_usd"] < base["cost_usd"]


# --- the books -------------------------------------------------------------------------------------------


def test_energy_balances_in_every_hour_and_zone(pakistan_study: Study) -> None:
    for clearing in (pakistan_study.base, pakistan_study.with_programme):
        assert np.abs(energy_residual(clearing)).max() < 1e-6


@pytest.mark.parametrize("rule", RULES)
def test_changes_of_all_parties_sum_to_the_change_in_cost(pakistan_study: Study, rule: str) -> None:
    row = pakistan_study.summary["incidence"][rule]
    change = pakistan_study.summary["change"]["cost_usd"]
    assert abs(math.fsum(party["change_usd"] for party in row["parties"]) - change) <= 0.01
    assert abs(math.fsum(row["by_group"].values()) - change) <= 0.01
    assert row["system_cost_change_usd"] == change


def test_pooled_rule_from_the_arrays(pakistan_study: Study) -> None:
    """The programme pays its tariff, consumers the rest, by their shares in sales; nobody else changes."""
    change = cost_usd(pakistan_study.with_programme) - cost_usd(pakistan_study.base)
    tariff = 23.5 * 1000.0 / 281.2
    paid = tariff * float(pakistan_study.with_programme.accepted.sum())
    want = {
        ("consumers", row["consumer_class"]): (change - paid) * row["sales_share"]
        for row in pakistan_study.country.table("consumer_classes")
    }
    want["programme", "programme"] = paid
    parties = pakistan_study.summary["incidence"]["pooled"]["parties"]
    have = {(row["group"], row["party"]): row["change_usd"] for row in parties}
    assert set(want) < set(have)
    for key, value in have.items():
        assert abs(value - want.get(key, 0.0)) <= 0.01, key


# --- the hours -------------------------------------------------------------------------------------------


def test_hourly_agrees_with_the_summary(pakistan_study: Study) -> None:
    hourly, summary = pakistan_study.hourly, pakistan_study.summary
    assert len(hourly) == 8760
    assert hourly["hour_utc"].iloc[0].isoformat() == "2024-12-31T19:00:00"
    assert list(hourly["hour_local"][:25]) == [*range(24), 0]
    assert not hourly.isna().any().any()
    for prefix, side in zip(("base", "with"), SIDES, strict=True):
        for fuel, energy in summary[side]["generation_gwh_by_fuel"].items():
            output = hourly[f"{prefix}.generation_mw.{fuel}"]
            assert output.sum() / 1000.0 == pytest.approx(energy, rel=1e-9), fuel
            months = output.groupby(hourly["month"]).sum() / 1000.0
            assert list(months) == pytest.approx(summary[side]["generation_gwh_by_fuel_month"][fuel])
        for row in summary[side]["corridors"]:
            assert hourly[f"{prefix}.flow_mw.{row['corridor']}"].mean() == pytest.approx(row["mean_mw"])
    programme = hourly["with.programme_mw.mining"] + hourly["with.programme_mw.ai"]
    assert programme.sum() / 1000.0 == pytest.approx(summary["programme"]["energy_gwh"])
    assert hourly["surplus_mw.total"].mean() == pytest.approx(summary["surplus"]["mean_mw"])


def test_prices_are_finite_and_at_most_the_value_of_lost_load(pakistan_study: Study) -> None:
    lost_load = pakistan_study.base.system.value_of_lost_load
    for clearing in (pakistan_study.base, pakistan_study.with_programme):
        assert np.isfinite(clearing.price).all()
        assert clearing.price.max() <= lost_load + 1e-6


def test_surplus_falls_with_the_share_of_hours(pakistan_study: Study) -> None:
    surplus = pakistan_study.summary["surplus"]
    curve = surplus["duration_curve"]
    shares = [row["share_of_hours"] for row in curve]
    megawatts = np.array([row["mw"] for row in curve])
    assert shares == sorted(shares)
    assert (np.diff(megawatts) <= 0.0).all()
    assert megawatts[0] > megawatts[-1]
    assert megawatts[-1] == pytest.approx(surplus["minimum_mw"])
    for share in surplus["share_of_hours"]:
        supply = [row["mw"] for row in surplus["supply_curve"] if row["share_of_hours"] == share]
        assert (np.diff(supply) >= -1e-9).all()
