"""The simple headroom method: how much flat load fits under the old seasonal peak.

After Norris, Profeta, Patino-Echeverri and Cowie-Haskell (Duke University, 2025): a new load of M MW is
curtailed in an hour by what total demand would exceed the peak of the season without it. The most M whose
curtailed energy is a share x of M in all hours is the headroom at x. It looks at demand alone: plants that
fail, fuel, wires and prices are not in it. Seasons here are April to September and October to March.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penstock.market.system import FloatArray, IntArray

__all__ = ["Headroom", "headroom"]

_SUMMER = (4, 5, 6, 7, 8, 9)
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Headroom:
    """Headroom at one share of curtailment.

    share: of the load's energy that is curtailed. [1] mw: the load. [MW]
    hours: in which something is curtailed. [h] mean_event_hours: mean length of a spell of them. [h]
    """

    share: float
    mw: float
    hours: int
    mean_event_hours: float


def headroom(demand: FloatArray, month: IntArray, share: float) -> Headroom:
    """The most flat load at a share of curtailment, to 1e-6 MW.

    demand: of the zones together, shape (hours,). [MW] month: local month of each hour, 1 to 12.
    share: from 0 up to but not 1. [1]
    """
    summer = np.isin(month, _SUMMER)
    peak = np.where(summer, *(np.max(demand[side], initial=0.0) for side in (summer, ~summer)))

    def cut(megawatts: float) -> FloatArray:
        return np.asarray(np.clip(demand + megawatts - peak, 0.0, megawatts), dtype=np.float64)

    low, high = 0.0, float(peak.max()) / (1.0 - share)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        enough = float(cut(middle).sum()) <= share * middle * len(demand)
        low, high = (middle, high) if enough else (low, middle)
    stopped = cut(low) > 1e-9
    starts = int(np.count_nonzero(np.diff(stopped.astype(np.int8), prepend=0) == 1))
    hours = int(np.count_nonzero(stopped))
    return Headroom(share, low, hours, hours / starts if starts else 0.0)
