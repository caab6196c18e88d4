"""El Salvador's tables: totals, the currency, the neighbour, and what the tables assume."""

from __future__ import annotations

import re

import numpy as np
import pytest

from penstock.country import Country, load_country
from penstock.country.assumptions import list_assumptions
from penstock.country.hours import Hours, build_hours
from penstock.study.prepared import prepare
from penstock.study.stress import stressed

from .test_pakistan_tables import cited

#: Wholesale balance of 2024. [GWh]
DEMAND_GWH, NATIONAL_GWH = 7145.2, 7334.4
RENEWABLE = ("geothermal", "hydro", "bagasse", "solar", "wind")


@pytest.fixture(scope="module")
def country() -> Country:
    return load_country("el-salvador")


@pytest.fixture(scope="module")
def hours(country: Country) -> Hours:
    return build_hours(country)


def test_its_own_money_is_the_dollar(country: Country) -> None:
    rate = country.parameter("currency_per_usd")
    assert (country.currency, rate.value, rate.unit) == ("USD", 1.0, "USD/USD")


def test_the_neighbour_is_abroad_and_one_zone_is_home(country: Country) -> None:
    assert country.home_zones == ("EL_SALVADOR",)
    assert set(country.zones) - set(country.home_zones) == {"MER"}
    abroad = country.table("plants").where(zone="MER")
    assert [row["fuel"] for row in abroad] == ["regional"]


def test_published_generation_of_the_year_is_the_sum_of_its_fuels(country: Country) -> None:
    rows = {row["figure"]: row["value"] for row in country.table("published")}
    fuels = (*RENEWABLE, "lng", "oil")
    assert sum(rows[f"generation_{fuel}"] for fuel in fuels) == pytest.approx(NATIONAL_GWH, rel=1e-3)
    assert rows["generation_national"] == NATIONAL_GWH


def test_months_of_generation_come_near_the_published_years(country: Country) -> None:
    """The months are of one source and the years of another: within half a per cent."""
    rows = {row["figure"]: row["value"] for row in country.table("published")}
    months = country.table("monthly_generation")
    for fuel in ("geothermal", "hydro", "solar", "wind"):
        total = sum(row["generation_gwh"] for row in months.where(fuel=fuel))
        assert total == pytest.approx(rows[f"generation_{fuel}"], rel=5e-3), fuel


def test_demand_less_the_grids_losses_is_the_published_year_of_365_days(
    country: Country, hours: Hours
) -> None:
    sent_out = hours.demand[:, country.zones.index("EL_SALVADOR")].sum() / 1000.0
    loss = country.parameter("transmission_loss_share").value
    assert sent_out * (1.0 - loss) == pytest.approx(DEMAND_GWH, rel=0.01)


def test_no_month_of_corridors_or_prices_is_missing(country: Country) -> None:
    regional = country.table("plant_months").where(plant="regional_market")
    assert {row["month"] for row in regional} == set(range(1, 13))
    for corridor in country.table("corridors").column("corridor"):
        months = [row["month"] for row in country.table("corridor_months").where(corridor=corridor)]
        assert sorted(months) == list(range(1, 13))


def test_no_capacity_payment_and_no_contract_is_hidden_in_it(country: Country) -> None:
    assert len(country.table("capacity_payments")) == 0
    assert len(country.table("contracts")) == 0


def test_the_mine_is_firm_small_and_mines_alone(country: Country) -> None:
    values = {name: country.parameter(f"programme_{name}").value for name in ("mw", "mining_share", "firm")}
    assert values == {"mw": 1.5, "mining_share": 1.0, "firm": 1.0}
    tariff = country.parameter("programme_tariff_per_kwh")
    assert tariff.basis == "assumption"
    assert tariff.high is not None
    assert tariff.value < tariff.high < country.parameter("programme_highest_tariff_per_kwh").value


def test_uptake_fell_as_the_central_bank_says(country: Country) -> None:
    shares = [country.parameter(f"uptake_remittance_share_{year}") for year in (2022, 2024, 2025)]
    dollars = [
        tuple(map(float, re.findall(r"([\d.]+) of ([\d,.]+) million", one.note)[0][:1])) for one in shares
    ]
    whole = [float(re.findall(r"of ([\d,]+\.?\d*) million", one.note)[0].replace(",", "")) for one in shares]
    for share, (part,), total in zip(shares, dollars, whole, strict=True):
        assert share.value == pytest.approx(part / total, abs=6e-4)
    assert shares[0].value > shares[1].value > shares[2].value


def test_a_dry_year_takes_water_and_a_hot_season_adds_demand(country: Country, hours: Hours) -> None:
    home = country.zones.index("EL_SALVADOR")
    year = prepare(country, None)
    dry, hot = (stressed(year, name).hours for name in ("hydro_dry", "hot"))
    assert np.array_equal(dry.demand, hours.demand)
    summer = np.isin(hours.month, (3, 4, 5))
    ratio = hot.demand[:, home] / hours.demand[:, home]
    assert ratio[summer] == pytest.approx(1.05)
    assert ratio[~summer].mean() == pytest.approx(1.0, abs=0.01)
    factors = {row["factor"] for row in country.table("stress_years") if row["fuel"] == "hydro"}
    # 1.26 TWh of 2016 over the mean of 2008 to 2016, Ember.
    assert factors == {round(1.26 / (15.56 / 9), 2)}


def test_every_assumption_has_a_range_and_is_listed(country: Country) -> None:
    listed = list_assumptions(country)
    assert {"stress_years", "parameters", "consumer_classes", "plant_months"} <= {
        row["table"] for row in listed
    }
    for row in listed:
        assert None not in (row["low"], row["high"]), row
        assert row["low"] <= row["high"], row


def test_every_source_is_known_and_has_its_use(country: Country) -> None:
    known = set(country.table("sources").column("source"))
    used = set().union(*(cited(country.table(name)) for name in country.tables if name != "sources"))
    assert used == known
