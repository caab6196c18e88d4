"""Sums over the columns of an hourly table, one pass over its rows."""

from __future__ import annotations

import numpy as np

from .compiled import entry
from .system import FloatArray, IntArray

__all__ = ["add_up"]


@entry
def _add_up(values, zone, flagged, by_zone, flagged_by_zone, total):
    for h in range(values.shape[0]):
        for j in range(values.shape[1]):
            x = values[h, j]
            total[j] += x
            by_zone[h, zone[j]] += x
            if flagged[j]:
                flagged_by_zone[h, zone[j]] += x


def add_up(
    values: FloatArray, zone: IntArray, zones: int, flagged: IntArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of a table of shape (hours, columns) whose columns lie in `zone`.

    Returns the sums by zone, shape (hours, zones), those of the flagged columns alone, same shape, and
    the sums by column, shape (columns,).
    """
    hours, columns = values.shape
    by_zone, total = np.zeros((hours, zones)), np.zeros(columns)
    chosen = np.zeros((hours if flagged is not None else 0, zones))
    if columns:
        flags = np.zeros(columns, dtype=np.int64) if flagged is None else flagged
        _add_up(values, zone, flags, by_zone, chosen, total)
    return by_zone, chosen, total
