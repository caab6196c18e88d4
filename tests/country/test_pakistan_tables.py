"""Pakistan's tables: every fault and trap of the published figures, and how the tables deal with it."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from penstock.country import Country, Table, load_country
from penstock.country.calendar import HOURS_IN_MONTH, MONTHS
from penstock.country.country import FloatArray, Row
from penstock.country.demand import rooftop_level
from penstock.country.hours import Hours, build_hours
from penstock.market.from_country import build_system, marginal_costs

NEPRA_ROWS = 133
NEPRA_MW = 44_686.0
#: Of these less than NEPRA's installed capacity is taken. [MW]
REDUCED = {"kapco": (500.0, 1601.0), "guddu_747": (486.0, 747.0)}
ENDED = {"hub_power", "aes_lalpir_power", "aes_pakgen_power", "rousch", "saba_power_company", "atlas_power"}
DEAD_GENCOS = {13, 17, 20}
#: Read for cross-checks, quoted in no row.
BACKGROUND = {"energyupdate_com_pk_41158", "theindiansubcontinent_com_485350"}


@pytest.fixture(scope="module")
def pakistan() -> Country:
    return load_country("pakistan")


@pytest.fixture(scope="module")
def hours(pakistan: Country) -> Hours:
    return build_hours(pakistan)


@pytest.fixture(scope="module")
def load(pakistan: Country, hours: Hours) -> FloatArray:
    """CPPA-G's zones plus its mean supply to K-Electric in each month, shape (8760,). [MW]"""
    pools = pakistan.table("zones").column("pool")
    inside = [place for place, pool in enumerate(pools) if pool == "CPPA-G"]
    total: FloatArray = hours.demand[:, inside].sum(axis=1)
    for month in MONTHS:
        exports = pakistan.table("monthly_demand").one(pool="CPPA-G", month=month)["exports_gwh"]
        total[hours.month == month] += exports * 1000.0 / HOURS_IN_MONTH[month - 1]
    return total


def plant(country: Country, key: str) -> Row:
    return country.table("plants").one(plant=key)


def nepra_row(row: Row) -> int | None:
    found = re.findall(r"NEPRA row (\d+)", row["note"] or "")
    assert len(found) <= 1, row["note"]
    return int(found[0]) if found else None


# --- trap 1: published averages are not what the operator dispatches on ----------------------------------


def test_thar_plants_are_dispatched_at_the_merit_order_not_at_what_was_billed(pakistan: Country) -> None:
    thar = pakistan.table("plants").where(fuel="coal_local")
    assert len(thar) == 4
    billed = [
        row["billed_fuel_cost_per_kwh"]
        for row in pakistan.table("monthly_generation").where(fuel="coal_local")
        if row["billed_fuel_cost_per_kwh"] is not None
    ]
    assert billed
    for row in thar:
        assert 5.5 <= row["fuel_cost_per_kwh"] <= 6.6
        assert row["fuel_cost_per_kwh"] < min(billed)
    costs = dict(zip(pakistan.table("plants").column("plant"), marginal_costs(pakistan), strict=True))
    assert costs["thar_block_1"] == pytest.approx(5.5171 * 1000.0 / 281.2)


# --- trap 3: plants that the merit order lists more than once ---------------------------------------------


def test_guddu_747_stands_once_in_open_cycle(pakistan: Country) -> None:
    names = [row["plant"] for row in pakistan.table("plants") if "747" in row["name"]]
    assert names == ["guddu_747"]
    row = plant(pakistan, "guddu_747")
    assert (row["fuel_cost_per_kwh"], row["installed_mw"], row["technology"]) == (
        13.845,
        486.0,
        "gas_turbine",
    )
    assert row["installed_mw"] == 2 * 243.0 == 747.0 - 261.0


def test_engro_qadirpur_stands_once_on_its_first_fuel(pakistan: Country) -> None:
    names = [row["plant"] for row in pakistan.table("plants") if "Qadirpur" in row["name"]]
    assert names == ["engro_qadirpur"]
    row = plant(pakistan, "engro_qadirpur")
    assert row["fuel_cost_per_kwh"] == row["fuel_cost_low"] == 11.6533
    assert row["fuel_cost_high"] == 14.5812


def test_falling_price_blocks_of_uch_2_are_one_average(pakistan: Country) -> None:
    first, second, upper, output = 14.4844, 12.1679, 152_375.0, 285_000.0  # PKR/kWh, MWh a month
    row = plant(pakistan, "uch_2")
    average = (upper * first + (output - upper) * second) / output
    assert row["fuel_cost_per_kwh"] == pytest.approx(average, abs=0.005)
    assert (row["fuel_cost_low"], row["fuel_cost_high"]) == (second, first)
    assert row["installed_mw"] * (1.0 - 0.025) * 744.0 == pytest.approx(output, rel=0.001)


# --- trap 4: NEPRA's list and what of it runs -------------------------------------------------------------


def test_each_row_of_nepra_is_used_or_excluded_once(pakistan: Country) -> None:
    rows = [*pakistan.table("plants"), *pakistan.table("excluded_plants")]
    numbers = sorted(number for row in rows if (number := nepra_row(row)) is not None)
    assert numbers == list(range(1, NEPRA_ROWS + 1))
    keys = [row["plant"] for row in rows]
    assert len(keys) == len(set(keys))


def test_capacities_sum_to_nepras_total(pakistan: Country) -> None:
    rows = [*pakistan.table("plants"), *pakistan.table("excluded_plants")]
    total = math.fsum(row["installed_mw"] for row in rows if nepra_row(row) is not None)
    for key, (used, listed) in REDUCED.items():
        assert plant(pakistan, key)["installed_mw"] == used
        total += listed - used
    assert total == pytest.approx(NEPRA_MW)


def test_plants_whose_contracts_ended_and_dead_ones_do_not_run(pakistan: Country) -> None:
    excluded = {row["plant"]: row for row in pakistan.table("excluded_plants")}
    running = {row["plant"] for row in pakistan.table("plants")}
    assert ENDED | {"neelum_jhelum"} <= set(excluded)
    assert not running & set(excluded)
    for key in ENDED:
        assert "contract ended" in excluded[key]["reason"]
    numbers = {nepra_row(row) for row in excluded.values()}
    assert numbers >= DEAD_GENCOS
    assert not DEAD_GENCOS & {nepra_row(row) for row in pakistan.table("plants")}
    words = ("HUBCO", "Lalpir", "Pakgen", "ROUSCH", "Saba", "Atlas Power", "Neelum")
    for row in pakistan.table("plants"):
        assert not any(word.lower() in row["name"].lower() for word in words), row["name"]


# --- trap 5: the mix is made by contracts -----------------------------------------------------------------


def test_minimum_of_rlng_is_a_contract_with_a_low_end(pakistan: Country, hours: Hours) -> None:
    row = pakistan.table("contracts").one(contract="rlng_take_or_pay")
    assert (row["kind"], row["minimum_share"], row["low"], row["high"]) == ("take_or_pay", 0.66, 0.33, 0.66)
    members = row["plants"].split()
    assert {plant(pakistan, key)["fuel"] for key in members} == {"rlng"}
    budgets = {
        budget.name: budget
        for budget in build_system(pakistan, hours, minimum_shares={"rlng_take_or_pay": 0.33}).budgets
    }
    net = sum(plant(pakistan, key)["installed_mw"] for key in members) * (1.0 - 0.025)
    assert budgets["rlng_take_or_pay"].minimum == pytest.approx([0.33 * net * 8760.0])
    without = build_system(pakistan, hours, without_contracts=["rlng_take_or_pay"])
    assert "rlng_take_or_pay" not in {budget.name for budget in without.budgets}


# --- trap 6: rooftop solar and the level of demand --------------------------------------------------------


def test_rooftop_solar_is_a_level_between_its_two_dates(pakistan: Country) -> None:
    table = pakistan.table("rooftop_solar")
    assert [(row["as_of"], row["installed_mw"]) for row in table] == [
        ("2025-03", 2813.0),
        ("2025-11", 6035.0),
    ]
    instants = ["2025-01-15", "2025-04-01", "2025-08-01", "2025-12-01", "2025-12-31"]
    levels = rooftop_level(table, np.array(instants, dtype="datetime64[s]"))
    # 1 August is as far from 1 April as from 1 December: 122 days.
    assert levels == pytest.approx([2813.0, 2813.0, (2813.0 + 6035.0) / 2.0, 6035.0, 6035.0])


def test_january_mean_rules_out_the_higher_winter_low(
    pakistan: Country, hours: Hours, load: FloatArray
) -> None:
    published = pakistan.table("monthly_demand").one(pool="CPPA-G", month=1)["generation_gwh"]
    assert published / 744.0 * 1000.0 == pytest.approx(10_960.0, abs=5.0)
    # The same, less what the corridors lose.
    assert load[hours.month == 1].mean() == pytest.approx(10_960.0, rel=0.02)
    winter = load[np.isin(hours.month, (12, 1, 2))]
    assert 7_000.0 < winter.min() < 12_000.0


def test_september_has_its_day_and_evening_levels(hours: Hours, load: FloatArray) -> None:
    september = hours.month == 9
    day = load[september & (hours.local_hour >= 11) & (hours.local_hour < 15)].mean()
    evening = load[september & (hours.local_hour >= 19) & (hours.local_hour < 22)].mean()
    assert day == pytest.approx(15_000.0, rel=0.05)
    assert evening == pytest.approx(21_000.0, rel=0.05)


# --- trap 7: three bases for the use of one line ----------------------------------------------------------


def test_hvdc_is_compared_in_megawatts(pakistan: Country) -> None:
    line = pakistan.table("corridors").one(corridor="hvdc_south_north")
    assert line["forward_mw"] == pytest.approx(4000.0 * 0.985)
    assert line["backward_mw"] == 0.0
    use = pakistan.table("published").one(figure="hvdc_mean_use")
    assert use["unit"] == "MW"
    assert use["value"] == pytest.approx(0.35 * 4000.0)
    assert use["high"] == pytest.approx(0.4755 * 3152.0, abs=0.5)
    assert use["low"] < use["value"] < use["high"]


# --- trap 8: capacity payments ----------------------------------------------------------------------------


def test_capacity_payments_sum_to_the_published_total(pakistan: Country) -> None:
    total = math.fsum(row["amount_bn"] for row in pakistan.table("capacity_payments"))
    assert total == pytest.approx(1806.18, abs=0.01)
    per_kwh = total / 126.705  # bn PKR per TWh is PKR per kWh
    row = pakistan.table("published").one(figure="capacity_payment_per_kwh")
    assert per_kwh == pytest.approx(14.3, abs=0.1)
    assert row["value"] == pytest.approx(per_kwh, abs=0.1)
    fuels = [fuel for row in pakistan.table("capacity_payments") for fuel in row["fuels"].split()]
    assert len(fuels) == len(set(fuels))
    assert set(fuels) <= set(pakistan.table("fuels").column("fuel"))


# --- trap 9: one rate, one year, and a source for everything ----------------------------------------------


def test_exchange_rate_has_its_dates_and_range(pakistan: Country) -> None:
    rate = pakistan.parameter("currency_per_usd")
    assert pakistan.usd_rate == 281.2
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < rate.value < rate.high
    assert "2025" in rate.note
    assert rate.unit == "PKR/USD"


def test_monthly_generation_sums_to_the_year(pakistan: Country) -> None:
    rows = pakistan.table("monthly_generation")
    assert set(rows.column("pool")) == {"CPPA-G"}
    assert math.fsum(rows.column("generation_gwh")) == pytest.approx(127_875.0, abs=1.001)
    for month in MONTHS:
        total = pakistan.table("monthly_demand").one(pool="CPPA-G", month=month)["generation_gwh"]
        parts = math.fsum(row["generation_gwh"] for row in rows.where(month=month))
        assert parts == pytest.approx(total, abs=1.001), month  # printed in whole GWh
    year = math.fsum(pakistan.table("monthly_demand").where(pool="CPPA-G").column("generation_gwh"))
    assert year == pytest.approx(127_875.0, abs=1.001)


def test_what_one_pool_sends_the_other_receives(pakistan: Country) -> None:
    demand = pakistan.table("monthly_demand")
    loss = pakistan.table("corridors").one(corridor="ke_interconnection")["loss_share"]
    for month in MONTHS:
        sent = demand.one(pool="CPPA-G", month=month)["exports_gwh"]
        received = -demand.one(pool="K-ELECTRIC", month=month)["exports_gwh"]
        assert received == pytest.approx(sent * (1.0 - loss), abs=0.02), month


def test_shares_of_zones_and_classes_sum_to_1(pakistan: Country) -> None:
    zones = pakistan.table("zones")
    for pool in ("CPPA-G", "K-ELECTRIC"):
        assert math.fsum(zones.where(pool=pool).column("demand_share")) == pytest.approx(1.0, abs=1e-9)
    shares = {row["zone"]: row["demand_share"] for row in zones.where(pool="CPPA-G")}
    assert shares == {"NORTH": 0.6971, "MID": 0.2555, "SOUTH": 0.0474}
    for name, column in (("consumer_classes", "sales_share"), ("programme_sites", "share")):
        assert math.fsum(pakistan.table(name).column(column)) == pytest.approx(1.0, abs=1e-6)


def cited(table: Table) -> set[str]:
    columns = [name for name in table.columns if name == "source" or name.endswith("_source")]
    return {row[name] for row in table for name in columns if row[name]}


def test_every_row_has_a_known_source_and_every_source_its_use(pakistan: Country) -> None:
    known = set(pakistan.table("sources").column("source"))
    used: set[str] = set()
    for name, table in pakistan.tables.items():
        if name == "sources":
            continue
        assert all(row["source"] for row in table), name
        assert cited(table) <= known, name
        used |= cited(table)
    assert known - used == BACKGROUND


def test_every_assumption_has_a_range(pakistan: Country) -> None:
    count = 0
    for name, table in pakistan.tables.items():
        for row in table:
            for prefix in ("", "tariff_", "fuel_cost_", "loss_"):
                if row.get(f"{prefix}basis") != "assumption":
                    continue
                low, high = row[f"{prefix}low"], row[f"{prefix}high"]
                assert low is not None, (name, dict(row))
                assert high is not None, (name, dict(row))
                assert low <= high, (name, dict(row))
                count += 1
    assert count > 300
