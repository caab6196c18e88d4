"""What every engine hands back: raw arrays of an optimum and the prices that prove it."""

from __future__ import annotations

from dataclasses import dataclass

from .system import FloatArray

__all__ = ["Solution"]


@dataclass(frozen=True, slots=True)
class Solution:
    """Raw arrays of an optimum, in the order of the system's labels; see `Clearing` for shapes and units."""

    dispatch: FloatArray
    accepted: FloatArray
    forward: FloatArray
    backward: FloatArray
    unserved: FloatArray
    dumped: FloatArray
    charge: FloatArray
    discharge: FloatArray
    level: FloatArray
    spill: FloatArray
    price: FloatArray
    price_low: FloatArray
    price_high: FloatArray
    water_value: FloatArray
    budget_price: tuple[FloatArray, ...]
    line_price: FloatArray | None
