"""The books of deferred work: every job is run within its window or counted as lost, and none twice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import CentreError, Fault

__all__ = ["JobBook", "settle_jobs"]

FloatArray = NDArray[np.float64]

#: Rounding may make it seem that more is served than arrived, by this share of it or this many MWh.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class JobBook:
    """Energy of the jobs of each window, shape (windows,) each. [MWh, or the unit of the arrivals]

    arrivals: planned in the window. on_time: served in its planned hour or before. late: served after its
    planned hour, within the window. lost: not served within the window.

    In every window arrivals = on_time + late + lost.
    """

    window_hours: int
    arrivals: FloatArray
    on_time: FloatArray
    late: FloatArray
    lost: FloatArray

    @property
    def lost_share(self) -> float:
        """Lost energy per energy that arrived; 0 where none arrived. [1]"""
        arrived = float(self.arrivals.sum())
        return float(self.lost.sum()) / arrived if arrived > 0.0 else 0.0


def settle_jobs(arrivals: ArrayLike, served: ArrayLike, window_hours: float) -> JobBook:
    """Settle what was served against what was planned, first in, first out, window by window.

    arrivals: energy of the jobs by the hour in which they would run if nothing were deferred, shape (hours,).
    served: energy that the jobs were given in each hour, shape (hours,), in the same unit.
    window_hours: length of a window. [h]

    Windows are consecutive blocks of hours; the last may be shorter. The jobs collected in one window are run
    in the next, so all jobs of a window are at hand when it begins: they may run before their planned hour as
    well as after it, but not outside their window. A job that is handed in at the beginning of one window is
    done at the end of the next at the latest, within twice the window's length: for a promise of 24 hours the
    window is 12.

    With S(t) and A(t) the energy served and planned in the window up to the end of hour t, the energy served
    in hour t or planned for it is numbered from S(t − 1) to S(t) and from A(t − 1) to A(t), and what is
    served in hour t on time is max(0, S(t) − max(S(t − 1), A(t − 1))). The rest that is served is late.

    Raises CentreError where more is served in a window than arrived in it, beyond rounding (1e-9 of it, and
    1e-9 where that is less), and for series of unequal length, of no hours, with values that are negative or
    not numbers, and for a window that is no whole number of hours above 0.
    """
    planned = np.asarray(arrivals, dtype=np.float64)
    given = np.asarray(served, dtype=np.float64)
    _check_series(planned, given, window_hours)
    window = int(window_hours)
    rows = [
        _settle_window(planned[at : at + window], given[at : at + window], at)
        for at in range(0, len(planned), window)
    ]
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    for column in columns:
        column.flags.writeable = False
    return JobBook(window, *columns)


def _settle_window(planned: FloatArray, given: FloatArray, start: int) -> tuple[float, float, float, float]:
    arrived, total = float(planned.sum()), float(given.sum())
    if total > arrived + _ROUNDING * max(1.0, arrived):
        raise CentreError(
            Fault(
                "served",
                f"is more than the {arrived:g} that arrived in the window from hour {start} "
                f"to hour {start + len(planned) - 1}",
                "serve no job twice and none outside its window",
                value=f"{total:g}",
            )
        )
    total = min(total, arrived)
    until_served, until_planned = np.cumsum(given), np.cumsum(planned)
    before = np.maximum(until_served - given, until_planned - planned)
    on_time = min(float(np.maximum(0.0, until_served - before).sum()), total)
    return arrived, on_time, total - on_time, arrived - total


def _check_series(planned: FloatArray, given: FloatArray, window_hours: float) -> None:
    faults = [
        Fault(name, "holds values that are negative or not numbers", "give energy of 0 or more")
        for name, values in (("arrivals", planned), ("served", given))
        if not (np.isfinite(values).all() and (values >= 0.0).all())
    ]
    if planned.ndim != 1 or planned.shape != given.shape or not planned.size:
        faults.append(
            Fault(
                "served",
                f"must have one value per hour, as arrivals: {given.shape} against {planned.shape}",
                "give two series of one length, of an hour at least",
            )
        )
    if not (math.isfinite(window_hours) and window_hours >= 1 and int(window_hours) == window_hours):
        faults.append(
            Fault(
                "window_hours",
                "must be a whole number of hours, 1 or more",
                "give such a number",
                value=str(window_hours),
            )
        )
    if faults:
        raise CentreError(faults)
