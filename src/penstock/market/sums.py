"""Sums over the columns of an hourly table, by zone and by cost, in one pass over its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .compiled import entry_summing
from .system import FloatArray, Hourly, IntArray

__all__ = ["Sums", "add_up"]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """by_zone: of all columns, shape (hours, zones); flagged: of the flagged ones, same shape, or (0, zones)
    where none is; worth: of column x its price, over all."""

    by_zone: FloatArray
    flagged: FloatArray
    worth: float


@entry_summing
def _add_up(values, order, first, split, price, by_zone, flagged):
    worth = 0.0
    some = flagged.shape[0] > 0
    for h in range(np.uint64(values.shape[0])):
        for z in range(np.uint64(by_zone.shape[1])):
            total, cost = 0.0, 0.0
            for i in range(first[z], split[z]):
                x = values[h, order[i]]
                total += x
                cost += price[i] * x
            if some:
                flagged[h, z] = total
            for i in range(split[z], first[z + np.uint64(1)]):
                x = values[h, order[i]]
                total += x
                cost += price[i] * x
            by_zone[h, z] = total
            worth += cost
    return worth


def add_up(
    values: FloatArray,
    zone: IntArray,
    zones: int,
    prices: Sequence[Hourly] | None = None,
    flags: Sequence[bool] | None = None,
) -> Sums:
    """Sums of a table of shape (hours, columns) whose columns lie in `zone` and have `prices`."""
    hours, columns = values.shape
    flagged = np.zeros(columns, dtype=bool) if flags is None else np.array(flags, dtype=bool)
    order = np.lexsort((~flagged, zone))
    first = np.searchsorted(zone[order], np.arange(zones + 1))
    split = first[:-1] + np.bincount(zone[flagged], minlength=zones) if columns else first[:-1]
    given = [0.0] * columns if prices is None else prices
    # Unsigned, so that no index is looked at for counting from the end.
    places = [part.astype(np.uint64) for part in (order, first, split)]
    varies = [index for index, price in enumerate(given) if isinstance(price, np.ndarray)]
    constant = np.array([0.0 if isinstance(price, np.ndarray) else price for price in given])
    by_zone = np.empty((hours, zones))
    chosen = np.empty((hours if flagged.any() else 0, zones))
    worth = float(_add_up(values, *places, constant[order], by_zone, chosen))
    for index in varies:
        worth += float(np.dot(given[index], values[:, index]))
    return Sums(by_zone, chosen, worth)
