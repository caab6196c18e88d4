"""Clearing a market: `System` + `Bid`s -> `Clearing`. Knows nothing of mining, AI or policy."""

from .bid import Bid
from .clear import clear
from .clearing import Clearing, energy_residual
from .pypsa_bridge import from_pypsa, to_pypsa
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
    "from_pypsa",
    "hour_series",
    "to_pypsa",
]
