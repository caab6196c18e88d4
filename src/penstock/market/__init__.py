"""Clearing a market: `System` + `Bid`s -> `Clearing`. Knows nothing of mining, AI or policy."""

from .bid import Bid
from .clear import clear
from .clearing import Clearing, energy_residual
from .system import Corridor, EnergyBudget, Plant, Store, System, hour_series

__all__ = [
    "Bid",
    "Clearing",
    "Corridor",
    "EnergyBudget",
    "Plant",
    "Store",
    "System",
    "clear",
    "energy_residual",
    "hour_series",
]
