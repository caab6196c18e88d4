"""What a MWh of mining is worth, and the fleets of the tables."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from penstock.bitcoin.machines import load_machines
from penstock.errors import FleetError
from penstock.loads.mining import (
    Part,
    break_even_usd_per_mwh,
    cohort_of,
    default_fleet,
    fleet_of,
    low_power_mode,
    mining_parameters,
    mining_tables,
    packaged_fleet,
)

# On 2026-09-25 a PH/s earned 40.9 USD a day. At 17.5 J/TH it took 24 x 17.5 = 420 kWh for that: 97.4 USD/MWh.
PUBLISHED = [(13.5, 126.0), (17.5, 97.0), (29.5, 58.0)]


@pytest.mark.parametrize(("efficiency", "expected"), PUBLISHED)
def test_break_even_at_the_published_snapshot(efficiency: float, expected: float) -> None:
    value = break_even_usd_per_mwh(40.9, efficiency, overhead_share=0.0, pool_fee_share=0.0)
    assert value == pytest.approx(expected, rel=0.01)


def test_overhead_takes_energy_and_the_fee_takes_income() -> None:
    # 42 x 0.98 = 41.16 USD a day for 24 x 17.5 x 1.05 = 441 kWh.
    value = break_even_usd_per_mwh(42.0, 17.5, overhead_share=0.05, pool_fee_share=0.02)
    assert value == pytest.approx(41.16 / 0.441, rel=1e-12)


# --- the tables and the fleets ---------------------------------------------------------------------------


def test_default_fleet_has_its_size_and_its_shares() -> None:
    fleet = default_fleet(1000.0)
    assert fleet.mw == pytest.approx(1000.0, rel=1e-12)
    rows = mining_tables()["cohorts"].where(fleet="new_site")
    assert {cohort.name: cohort.mw / 1000.0 for cohort in fleet.cohorts} == pytest.approx(
        dict(zip(rows.column("machine"), rows.column("share"), strict=True))
    )
    assert len(fleet.blocks()) == 8
    assert (fleet.notice_minutes, fleet.minimum_stop_hours) == (10.0, 1.0)


def test_default_fleet_of_nothing_has_the_same_blocks() -> None:
    nothing, some = default_fleet(0.0), default_fleet(10.0)
    assert [block.mw for block in nothing.blocks()] == [0.0] * 8
    assert [b.break_even_usd_per_mwh(40.9) for b in nothing.blocks()] == pytest.approx(
        [b.break_even_usd_per_mwh(40.9) for b in some.blocks()]
    )


def test_energy_per_hash_of_the_default_fleet() -> None:
    # Shares of MW over J/TH at the meter add up to TH/J: 1.1 / (0.25/13.5 + 0.3/15 + 0.3/17.5 + 0.15/21.5).
    expected = 1.1 / (0.25 / 13.5 + 0.3 / 15.0 + 0.3 / 17.5 + 0.15 / 21.5)
    assert default_fleet(1000.0).energy_j_per_th == pytest.approx(expected, rel=1e-9)


def test_machines_are_bought_for_those_out_of_order() -> None:
    # 3.85 kW at the meter, one in twenty out of order: 1 MW takes 1000 / (3.85 x 0.95) machines.
    cohort = cohort_of(load_machines()["s21"], 1.0)
    assert cohort.count == pytest.approx(1000.0 / (3.85 * 0.95))
    assert cohort.capital_usd == pytest.approx(cohort.count * 1070.0)


def test_overhead_goes_by_cooling() -> None:
    shares = {
        cooling: cohort_of(load_machines()[machine], 1.0).overhead_share
        for cooling, machine in (("air", "s21"), ("hydro", "s21-hyd"), ("immersion", "s21-imm"))
    }
    assert shares == {"air": 0.1, "hydro": 0.06, "immersion": 0.06}


def test_values_replace_parameters() -> None:
    fleet = default_fleet(10.0, values={"pool_fee_share": 0.04, "notice_minutes": 5.0})
    assert {cohort.pool_fee_share for cohort in fleet.cohorts} == {0.04}
    assert fleet.notice_minutes == 5.0


def test_low_power_mode_goes_by_family_and_firmware() -> None:
    assert low_power_mode(load_machines()["s19j-pro"]) == (0.673, 0.8)
    assert low_power_mode(load_machines()["m70s"]) is None
    assert len(cohort_of(load_machines()["s21"], 1.0).blocks()) == 2
    assert len(cohort_of(load_machines()["s21"], 1.0, low_power=False).blocks()) == 1
    assert len(packaged_fleet("texas", 1.0).blocks()) == 4


def test_longest_start_of_a_model_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(iter(mining_tables()["power_modes"]))
    longer = dict(row) | {"model": "Antminer S19 XP", "low_hash_share": 0.7}
    table = replace(mining_tables()["power_modes"], rows=(row, longer, row))
    monkeypatch.setattr("penstock.loads.mining.mining_tables", lambda: {"power_modes": table})
    assert low_power_mode(load_machines()["s19-xp"]) == (0.673, 0.7)


@pytest.mark.parametrize("name", ["new_site", "texas"])
def test_shares_of_a_packaged_fleet_sum_to_one(name: str) -> None:
    shares = mining_tables()["cohorts"].where(fleet=name).column("share")
    assert math.fsum(shares) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("name", mining_parameters())
def test_parameter_lies_in_its_range_and_has_a_source(name: str) -> None:
    row = mining_parameters()[name]
    assert row.note
    assert row.low is not None
    assert row.high is not None
    assert row.low <= row.value <= row.high
    assert row.low < row.high
    assert mining_tables()["sources"].one(source=row.source)["publisher"]


def test_rows_of_the_tables_lie_in_their_ranges() -> None:
    for table, column in (
        ("cohorts", "share"),
        ("power_modes", "low_hash_share"),
        ("resale_bands", "usd_per_ths"),
        ("texas_check", "hashprice_usd_per_ph_day"),
    ):
        for row in mining_tables()[table]:
            assert row["low"] <= row[column] <= row["high"]
    for row in mining_tables()["power_modes"]:
        assert row["low"] > row["low_power_share"]


def test_every_source_is_used_and_has_an_address() -> None:
    tables = mining_tables()
    text = " ".join(
        f"{row['source']} {row['note']}"
        for name, table in tables.items()
        if name != "sources"
        for row in table
    )
    for row in tables["sources"]:
        assert re.search(rf"\b{row['source']}\b", text)
        assert row["source"] == "assumption" or row["url"].startswith("https://")


def test_derived_parameters_follow_from_their_notes() -> None:
    value = {name: row.value for name, row in mining_parameters().items()}
    assert value["hashprice_decline_share_per_year"] == pytest.approx(1 - (50.6 / 124.1) ** (1 / 3), abs=5e-4)
    machines = load_machines()
    gain = 1 - (machines["s23"].efficiency_j_per_th / machines["s19-pro"].efficiency_j_per_th) ** (1 / 6)
    assert value["frontier_gain_share_per_year"] == pytest.approx(gain, abs=5e-4)
    assert value["site_capex_usd_per_mw"] == (430_000 + 459_000) / 2
    assert value["opex_usd_per_mw_year"] == pytest.approx((55.5 - 45.0) * 8760, rel=1e-3)
    assert value["jobs_per_mw"] == 270 / 400
    assert value["texas_price_mean_usd_per_mwh"] == pytest.approx(32 / 0.48, abs=0.05)


BAD_FLEETS: list[tuple[dict[str, Part | float], float, str]] = [
    ({}, 1.0, "has no machines"),
    ({"s21": 0.5, "s21-xp": 0.4}, 1.0, "the shares sum to 0.9"),
    ({"s21": 1.2}, 1.0, "must be a finite number from 0 to 1"),
    ({"s21": -0.2, "s21-xp": 1.2}, 1.0, "2 faults"),
    ({"s21": math.nan}, 1.0, "share of s21"),
    ({"s21000": 1.0}, 1.0, "no machine of the catalogue"),
    ({"s21": 1.0}, -1.0, "mw"),
    ({"s21": 1.0}, math.nan, "mw"),
    ({"s21": Part(1.0, age_years=-1.0)}, 1.0, "age_years"),
]


@pytest.mark.parametrize(("parts", "mw", "message"), BAD_FLEETS)
def test_bad_fleet_is_refused(parts: dict[str, Part | float], mw: float, message: str) -> None:
    with pytest.raises(FleetError, match=message):
        fleet_of(parts, mw)


def test_faults_of_a_fleet_come_together() -> None:
    with pytest.raises(FleetError) as caught:
        fleet_of({"s21000": 0.5, "s21": 0.4}, math.nan, values={"pool_fee": 0.02})
    assert [fault.value for fault in caught.value.faults] == ["s21000", None, "nan", "pool_fee"]
    with pytest.raises(FleetError) as caught:
        fleet_of({"s21": 0.5, "s21-xp": 0.5}, 1.0, values={"pool_fee_share": 2.0})
    assert [fault.place for fault in caught.value.faults] == ["cohort s21", "cohort s21-xp"]


def test_unknown_fleet_and_unpriced_machine_are_refused() -> None:
    with pytest.raises(FleetError, match="it has new_site, texas"):
        packaged_fleet("kansas", 1.0)
    with pytest.raises(FleetError, match="has no price"):
        cohort_of(replace(load_machines()["s21"], price_usd=None), 1.0)
