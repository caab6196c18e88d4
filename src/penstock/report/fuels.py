"""A fixed colour, order and name for each fuel and each party, the same in every chart of the report.

Hues are those of Okabe and Ito (2008) and of P. Tol's "muted" scheme (SRON/EPS/TN/09-002), which stay apart
for colour-blind readers; neighbours in a stack differ in lightness as well, and a white line parts them.
"""

from __future__ import annotations

from typing import Any

from .formats import plain

__all__ = ["BASE", "SECOND", "THIRD", "fuel_colour", "fuel_name", "fuel_order"]

# Bottom of a stack first.
FUELS: dict[str, tuple[str, str]] = {
    "nuclear": ("#882255", "Nuclear"),
    "geothermal": ("#44aa99", "Geothermal"),
    "hydro": ("#0072b2", "Hydro"),
    "coal_local": ("#3d3d3d", "Local coal"),
    "coal_imported": ("#a3a3a3", "Imported coal"),
    "gas": ("#e69f00", "Gas"),
    "rlng": ("#d55e00", "Imported LNG"),
    "rfo": ("#661100", "Fuel oil"),
    "hsd": ("#aa4499", "Diesel"),
    "bagasse": ("#117733", "Bagasse"),
    "biomass": ("#999933", "Biomass"),
    "import_iran": ("#cc79a7", "Import"),
    "wind": ("#56b4e9", "Wind"),
    "solar": ("#f0e442", "Solar"),
}
FALLBACK = ("#332288", "#ddcc77", "#88ccee", "#6b4c9a", "#bbbbbb", "#b15928")

# Without the programme, with it, and a third line.
BASE, SECOND, THIRD = "#0072b2", "#d55e00", "#117733"


def fuel_order(fuels: list[str]) -> list[str]:
    """Fuels in the order of a stack, bottom first; those unknown here last, by name."""
    known = list(FUELS)
    return sorted(fuels, key=lambda fuel: (known.index(fuel) if fuel in FUELS else len(known), fuel))


def fuel_colour(fuel: str, fuels: list[str]) -> str:
    """Colour of a fuel as #rrggbb. Fuels unknown here share a short list, in order of name."""
    if fuel in FUELS:
        return FUELS[fuel][0]
    others = sorted(name for name in fuels if name not in FUELS)
    return FALLBACK[others.index(fuel) % len(FALLBACK)] if fuel in others else FALLBACK[-2]


def fuel_name(fuel: str, summary: dict[str, Any]) -> str:
    """The country's own name for a fuel, or the one known here, or its identifier as words."""
    for row in summary["validation"]["fuels"]:
        if row["fuel"] == fuel and row.get("name"):
            return str(row["name"])
    return FUELS[fuel][1] if fuel in FUELS else plain(fuel).capitalize()
