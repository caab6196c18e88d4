"""Clears a country's electricity market with and without Bitcoin mining and AI loads, and says who pays.

    country = penstock.load_country("name of a country, or a folder of tables")
    result = penstock.run(country, programme)

Names are looked up on first use, so `import penstock` alone loads no numerical package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .country import load_country
    from .market import Bid, Clearing, System, clear
    from .programme import Programme
    from .study import run

__all__ = [
    "Bid",
    "Clearing",
    "Programme",
    "System",
    "__version__",
    "clear",
    "load_country",
    "run",
]

__version__ = "0.1.0"

_ROOM_OF = {
    "Bid": "market",
    "Clearing": "market",
    "Programme": "programme",
    "System": "market",
    "clear": "market",
    "load_country": "country",
    "run": "study",
}

# Hidden from the type checker, which then still refuses a name that does not exist.
if not TYPE_CHECKING:

    def __getattr__(name):
        room = _ROOM_OF.get(name)
        if room is None:
            offered = ", ".join(__all__)
            raise AttributeError(f"module 'penstock' has no attribute {name!r}; it offers {offered}")
        value = getattr(import_module(f"penstock.{room}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return list(__all__)
