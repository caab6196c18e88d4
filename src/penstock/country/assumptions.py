"""Every assumption that a country's tables make, in one list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .country import Country, Table

__all__ = ["list_assumptions"]

#: Columns of a second value that has its own basis: value, low, high, basis, source and unit.
_SECOND_VALUES = (
    (
        "fuel_cost_per_kwh",
        "fuel_cost_low",
        "fuel_cost_high",
        "fuel_cost_basis",
        "fuel_cost_source",
        "currency/kWh",
    ),
    ("loss_share", "loss_low", "loss_high", "loss_basis", "loss_source", "1"),
    ("tariff_per_kwh", "tariff_low", "tariff_high", "tariff_basis", "tariff_source", "currency/kWh"),
)
#: Main value and unit of the tables whose rows have no `value`.
_MAIN_VALUES = {
    "zones": ("demand_share", "1"),
    "fuels": ("imported_share", "1"),
    "contracts": ("minimum_share", "1"),
    "corridors": ("forward_mw", "MW"),
    "corridor_months": ("forward_mw", "MW"),
    "monthly_demand": ("generation_gwh", "GWh"),
    "demand_shapes": ("gross_demand_pu", "1"),
    "rooftop_solar": ("installed_mw", "MW"),
    "wind_shapes": ("output_pu", "1"),
    "hydro_shapes": ("utilisation_pu", "1"),
    "monthly_generation": ("generation_gwh", "GWh"),
    "consumer_classes": ("sales_share", "1"),
    "capacity_payments": ("amount_bn", "bn currency"),
    "programme_sites": ("share", "1"),
    "stress_years": ("factor", "1"),
    "plant_months": ("fuel_cost_per_kwh", "currency/kWh"),
    "public_bitcoin": ("btc", "BTC"),
}


def list_assumptions(country: Country) -> list[dict[str, Any]]:
    """Every assumption of the tables: table, key, value, low, high, unit, source and note, in table order."""
    rows = []
    for table in country.tables.values():
        rows += [_assumption(table, row) for row in table if row.get("basis") == "assumption"]
        rows += [
            {
                "table": table.name,
                "key": f"{row[table.columns[0]]}: {what}",
                "value": row[what],
                "low": row[low],
                "high": row[high],
                "unit": unit,
                "source": row[source],
                "note": row["note"] or "",
            }
            for what, low, high, basis, source, unit in _SECOND_VALUES
            if basis in table.columns
            for row in table
            if row[basis] == "assumption"
        ]
    return rows


def _assumption(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    value, unit = _MAIN_VALUES.get(table.name, ("value", ""))
    parts = [
        str(row[name])
        for name in table.columns[:3]
        if isinstance(row[name], str | int) and name not in (value, "name", "value", "source")
    ]
    return {
        "table": table.name,
        "key": " ".join(parts),
        "value": row.get(value),
        "low": row.get("low"),
        "high": row.get("high"),
        "unit": row.get("unit") or unit,
        "source": row["source"],
        "note": row["note"] or "",
    }
