"""A tiny, complete country for tests: two zones, one pool, one corridor, five plants, twelve months.

Mean demand is 700 MW. Hydro (300 MW), wind (100 MW) and solar (150 MW) give published monthly energy; coal
(600 MW) takes 70 % of the rest and gas (400 MW) 30 %, both below what they can generate. One USD is 100 of
the country's currency, so that 5 per kWh is 50 USD/MWh.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from penstock.country.schema import table_schemas

Rows = list[dict[str, str]]
Tables = dict[str, Rows]

YEAR = 2025
UTC_OFFSET_HOURS = 5
MEAN_DEMAND_MW = 700.0
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
HYDRO_UTILISATION = (0.30, 0.32, 0.38, 0.45, 0.60, 0.75, 0.80, 0.78, 0.65, 0.45, 0.35, 0.30)
SOLAR_UTILISATION = (0.14, 0.16, 0.19, 0.22, 0.24, 0.24, 0.22, 0.22, 0.21, 0.19, 0.16, 0.14)
WIND_UTILISATION = (0.22, 0.24, 0.28, 0.34, 0.42, 0.46, 0.46, 0.42, 0.34, 0.24, 0.20, 0.20)
WINTER_SHARE = (1.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0)
SUMMER_DAY = (85, 82, 80, 79, 79, 81, 85, 90, 95, 100, 104, 107)
SUMMER_NIGHT = (109, 111, 112, 112, 111, 110, 114, 120, 122, 116, 105, 93)
WINTER_DAY = (75, 72, 70, 70, 73, 82, 98, 110, 112, 108, 104, 101)
WINTER_NIGHT = (99, 98, 98, 101, 110, 122, 126, 124, 117, 107, 95, 84)


def write_toy_country(folder: Path) -> None:
    """Writes every table of the toy country into the folder, which is made if it is not there."""
    write_tables(folder, toy_tables())


def write_tables(folder: Path, tables: Tables) -> None:
    """Writes tables as CSV, with the columns that the schema declares and any others that the rows have."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        columns = list(
            dict.fromkeys([*table_schemas()[name].names, *(column for row in rows for column in row)])
        )
        write_csv(
            folder / f"{name}.csv", columns, ([row.get(column, "") for column in columns] for row in rows)
        )


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Writes one CSV file with Unix line endings."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def toy_tables() -> Tables:
    """Every table of the toy country by name, each a list of rows of text, free to be changed."""
    return {
        "sources": [
            _row(source="toy", title="A toy country", publisher="The tests", licence="CC0-1.0", dated="2025"),
            _row(source="guess", title="Assumptions of the toy", publisher="The tests", licence="CC0-1.0"),
        ],
        "country": [
            _row(field="name", value="Toyland"),
            _row(field="iso3", value="XTY"),
            _row(field="currency", value="XTC"),
            _row(field="year", value=str(YEAR)),
            _row(field="utc_offset_hours", value=str(UTC_OFFSET_HOURS)),
        ],
        "parameters": [
            _published(parameter="currency_per_usd", value="100", unit="XTC/USD"),
            _assumed(parameter="value_of_lost_load_usd_per_mwh", value="3000", low="1000", high="10000")
            | {"unit": "USD/MWh"},
            _assumed(parameter="reserve_margin_share", value="0.1", low="0.05", high="0.15", unit="1"),
            _published(parameter="programme_mw", value="100", unit="MW"),
            _assumed(parameter="programme_mining_share", value="0.5", low="0", high="1", unit="1"),
            _published(parameter="programme_tariff_per_kwh", value="6", unit="XTC/kWh"),
            _published(parameter="rooftop_performance_ratio", value="0.6", unit="1"),
        ],
        "zones": [
            _published(
                zone="NORTH", name="North", latitude="34", longitude="73", pool="GRID", demand_share="0.4"
            ),
            _published(
                zone="SOUTH", name="South", latitude="25", longitude="67", pool="GRID", demand_share="0.6"
            ),
        ],
        "technologies": _technologies(),
        "fuels": _fuels(),
        "plants": _plants(),
        "excluded_plants": [
            _row(plant="OLD1", name="Old One", fuel="gas", installed_mw="50", reason="retired in 2020"),
        ],
        "contracts": [
            _assumed(contract="gas", kind="take_or_pay", plants="GAS1", period="year", minimum_share="0.2")
            | {"low": "0.1", "high": "0.3"},
            _published(
                contract="coal", kind="fuel_supply", plants="COAL1", period="year", maximum_gwh="5000"
            ),
        ],
        "programme_sites": [_published(zone="NORTH", share="0.5"), _published(zone="SOUTH", share="0.5")],
        "corridors": [
            _published(
                corridor="NS",
                name="North to South",
                kind="AC",
                from_zone="NORTH",
                to_zone="SOUTH",
                forward_mw="250",
                backward_mw="200",
                loss_share="0.02",
                loss_basis="published",
                loss_source="toy",
            ),
        ],
        "corridor_months": [_published(corridor="NS", month="7", forward_mw="200")],
        "rooftop_solar": [
            _published(as_of="2024-12", pool="GRID", installed_mw="40"),
            _published(as_of="2025-12", pool="GRID", installed_mw="60"),
        ],
        "hydro_shapes": [
            _published(shape="river", month=str(month + 1), utilisation_pu=f"{share}")
            for month, share in enumerate(HYDRO_UTILISATION)
        ],
        "wind_shapes": [
            # Strongest in the late afternoon.
            _published(month=str(month), hour=str(hour))
            | {"output_pu": f"{1 + 0.3 * math.cos(2 * math.pi * (hour - 17) / 24):.3f}"}
            for month in range(1, 13)
            for hour in range(24)
        ],
        "temperatures": [
            _published(zone=zone, month=str(month), mean_minimum_c="15", mean_maximum_c="35")
            for zone in ("NORTH", "SOUTH")
            for month in range(1, 13)
        ],
        "demand_shapes": [
            _published(pool="GRID", season=season, hour=str(hour), gross_demand_pu=f"{percent / 100}")
            for season, day in (("summer", SUMMER_DAY + SUMMER_NIGHT), ("winter", WINTER_DAY + WINTER_NIGHT))
            for hour, percent in enumerate(day)
        ],
        **_months(),
        "consumer_classes": [
            _class("home", "Homes", "0.5", "20"),
            _class("industry", "Industry", "0.3", "15"),
            _class("other", "All others", "0.2", "18"),
        ],
        "capacity_payments": [
            _published(item="thermal", fuels="coal gas", amount_bn="12"),
            _published(item="renewable", fuels="hydro wind solar", amount_bn="6"),
        ],
        "published": [_published(figure="peak_mw", value="880", unit="MW", months="6")],
    }


def _row(**cells: str) -> dict[str, str]:
    return {"source": "toy", **cells}


def _published(**cells: str) -> dict[str, str]:
    return {"basis": "published", "source": "toy", **cells}


def _assumed(**cells: str) -> dict[str, str]:
    return {"basis": "assumption", "source": "guess", **cells}


def _class(key: str, name: str, share: str, tariff: str) -> dict[str, str]:
    cells = {"tariff_per_kwh": tariff, "tariff_basis": "published", "tariff_source": "toy"}
    return _published(consumer_class=key, name=name, sales_share=share) | cells


def _technologies() -> Rows:
    shares = (
        "auxiliary_share",
        "forced_outage_rate",
        "planned_outage_rate",
        "minimum_output_pu",
        "efficiency",
    )
    values = {
        "steam": ("0.08", "0.06", "0.08", "0.4", "0.38"),
        "combined_cycle": ("0.03", "0.04", "0.05", "0.3", "0.55"),
        "river": ("0.01", "0.02", "0.03", "0", "0.9"),
        "turbine": ("0.01", "0.02", "0.02", "0", "1"),
        "photovoltaic": ("0.01", "0.01", "0.01", "0", "1"),
    }
    # What fails one by one: two units of coal, four of gas, three of the reservoir.
    failing = {"steam": ("100", "300"), "combined_cycle": ("50", "100"), "river": ("20", "100")}
    return [
        _published(technology=technology, attribute=attribute, value=value, unit="1")
        for technology, row in values.items()
        for attribute, value in zip(shares, row, strict=True)
    ] + [
        _published(technology=technology, attribute=attribute, value=value, unit=unit)
        for technology, row in failing.items()
        for attribute, unit, value in zip(("mean_time_to_repair_h", "unit_mw"), ("h", "MW"), row, strict=True)
    ]


def _fuels() -> Rows:
    names = ("fuel", "name", "profile", "must_run", "imported_share", "emission_factor_kg_per_gj")
    return [
        _published(**dict(zip(names, cells, strict=True)))
        for cells in (
            ("coal", "Coal", "dispatched", "no", "1", "94.6"),
            ("gas", "Natural gas", "dispatched", "no", "0.3", "56.1"),
            ("hydro", "Hydro", "hydro", "no", "0", "0"),
            ("wind", "Wind", "wind", "yes", "0", "0"),
            ("solar", "Solar", "solar", "yes", "0", "0"),
        )
    ]


def _plants() -> Rows:
    names = (
        "plant",
        "name",
        "zone",
        "fuel",
        "technology",
        "installed_mw",
        "fuel_cost_per_kwh",
        "hydro_shape",
    )
    shared = {
        "pool": "GRID",
        "first_month": "1",
        "last_month": "12",
        "fuel_cost_basis": "published",
        "fuel_cost_source": "toy",
    }
    sites = {
        "NORTH": {"latitude": "34.1", "longitude": "73.1"},
        "SOUTH": {"latitude": "25.1", "longitude": "67.1"},
    }
    rows = []
    for cells in (
        ("COAL1", "Coal One", "SOUTH", "coal", "steam", "600", "5", ""),
        ("GAS1", "Gas One", "NORTH", "gas", "combined_cycle", "400", "9", ""),
        ("HYDRO1", "Hydro One", "NORTH", "hydro", "river", "300", "0", "river"),
        ("WIND1", "Wind One", "SOUTH", "wind", "turbine", "100", "0", ""),
        ("SOLAR1", "Solar One", "SOUTH", "solar", "photovoltaic", "150", "0", ""),
    ):
        row = dict(zip(names, cells, strict=True))
        storage = "yes" if row["fuel"] == "hydro" else "no"
        rows.append(_row(**row, **shared, **sites[row["zone"]], storage=storage))
    return rows


def _months() -> Tables:
    demand: Rows = []
    generation: Rows = []
    for month, days in enumerate(DAYS):
        gigawatt_hours = days * 24 / 1000
        energy = {
            "hydro": 300 * HYDRO_UTILISATION[month] * gigawatt_hours,
            "wind": 100 * WIND_UTILISATION[month] * gigawatt_hours,
            "solar": 150 * SOLAR_UTILISATION[month] * gigawatt_hours,
        }
        rest = MEAN_DEMAND_MW * gigawatt_hours - sum(energy.values())
        energy |= {"coal": 0.7 * rest, "gas": 0.3 * rest}
        energy = {fuel: round(value, 3) for fuel, value in energy.items()}
        for fuel, value in energy.items():
            billed = {"coal": "5", "gas": "9"}.get(fuel, "0")
            row = _published(pool="GRID", month=str(month + 1), fuel=fuel, generation_gwh=f"{value}")
            generation.append(row | {"billed_fuel_cost_per_kwh": billed})
        total = round(sum(energy.values()), 3)
        demand.append(
            _published(pool="GRID", month=str(month + 1), generation_gwh=f"{total}", exports_gwh="0")
            | {"losses_gwh": f"{round(0.01 * total, 3)}", "winter_share": f"{WINTER_SHARE[month]}"}
        )
    return {"monthly_demand": demand, "monthly_generation": generation}


def toy_hours() -> list[str]:
    """The 8,760 hours of the toy's local year in UTC, from 2024-12-31T19:00Z on."""
    start = datetime(YEAR, 1, 1) - timedelta(hours=UTC_OFFSET_HOURS)
    return [(start + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:00Z") for hour in range(8760)]


def write_hourly(folder: Path, hours: Iterable[str], series: Mapping[str, Iterable[str]]) -> None:
    """Writes hourly.csv: series by the name of its column, e.g. "demand_mw.NORTH"."""
    write_csv(folder / "hourly.csv", ["hour_utc", *series], zip(hours, *series.values(), strict=True))
