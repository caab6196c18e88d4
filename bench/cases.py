"""What is measured: the rows of the table and the points of the curves.

Standard library only: the process that starts the measurements must stay small, because a child's peak
memory is read from a counter that begins at the size of its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CASES", "CURVES", "HOURS", "MEMORY_CASES", "THREADED_YEARS", "YEARS", "Case", "Curve", "Options"]

HOURS = 8760
LOOSE_MW, TIGHT_MW, MESH_MW = 2500.0, 700.0, 450.0
Options = Mapping[str, int | float | str]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    options: keyword arguments of `bench.systems.make`.
    gap: relative gap that the kernel certifies. [1]
    over_highs, over_pypsa: smallest ratio of their time to the kernel's that is expected. [1]
    variants: ways to call HiGHS directly, keys of `bench.direct.VARIANTS`, that came close to the fastest in
        `python -m bench --variants`; each run takes the fastest of them.
    """

    name: str
    title: str
    options: Options = field(default_factory=dict)
    gap: float = 1e-6
    over_highs: float = 50.0
    over_pypsa: float = 2000.0
    variants: tuple[str, ...] = ("hot-24", "default-24")


@dataclass(frozen=True)
class Curve:
    """How the time grows with one quantity.

    values: of the quantity at each point; points: keyword arguments of `bench.systems.make` there.
    peer: numbers of the points at which direct HiGHS is timed too.
    """

    name: str
    unit: str
    values: tuple[int, ...]
    points: tuple[Options, ...]
    peer: tuple[int, ...]


_STORED: Options = {"limit_mw": TIGHT_MW, "stores": 6}
_BOUND: Options = {"limit_mw": TIGHT_MW, "budgets": 12}
_MESHED: Options = {"shape": "mesh", "limit_mw": MESH_MW}

_FREE = ("span-free",)
_SPANS = ("span-hot", "span-free", "span")

CASES = (
    Case("radial-loose", "line of 6 zones, loose", {"limit_mw": LOOSE_MW}),
    Case("radial-tight", "line of 6 zones, tight", {"limit_mw": TIGHT_MW}),
    Case("meshed", "3 cycles, tight", _MESHED),
    Case("meshed-losses", "3 cycles, tight, 2 % losses", {**_MESHED, "loss": 0.02}),
    Case("stores", "tight line, 4 reservoirs, 2 batteries, gap 1e-6", _STORED, 1e-6, 30.0, 60.0, _FREE),
    Case("stores-1e-4", "the same, gap 1e-4", _STORED, 1e-4, 60.0, 60.0, _FREE),
    Case("budgets", "tight line, 12 monthly budgets", _BOUND, 1e-6, 30.0, 150.0, _SPANS),
    Case("pakistan", "Pakistan, default programme", {"shape": "pakistan"}, 1e-6, 30.0, 300.0, _SPANS),
)
MEMORY_CASES = ("radial-tight", "meshed-losses", "stores", "pakistan")


def _along(name: str, unit: str, key: str, values: tuple[int, ...], peer: tuple[int, ...]) -> Curve:
    points = tuple({"limit_mw": TIGHT_MW, key: value} for value in values)
    return Curve(name, unit, values, points, peer)


CURVES = (
    _along("hours", "hours", "hours", (730, 1460, 2920, 5840, 8760, 26280), (0, 2, 4, 5)),
    _along("plants", "plants", "plants", (28, 55, 110, 220, 440), (0, 2, 4)),
    _along("zones", "zones", "zones", (3, 6, 12, 30), (0, 1, 2, 3)),
    _along("stores", "stores", "stores", (0, 1, 2, 4, 6), (0, 1)),
)
YEARS = (1, 2, 5, 10)
THREADED_YEARS = 100
