"""The floor: the lowest tariff that recovers what the programme causes, given its answer to that tariff.

At a tariff t the programme takes what it takes, and causes a cost of R(t) per kWh. The floor is the lowest t
with t ≥ R(t). R hardly moves with t, so t − R(t) rises nearly as t does and the secant finds its zero; the
bracket that is left is judged at both ends, so that the floor passes and what lies below it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .trials import Trial

__all__ = ["TOLERANCE", "Floor", "find_floor"]

#: How far the tariff that fails may lie below the floor. [1]
TOLERANCE = 5e-4
_STEP, _TRIES, _SECANTS = 1.04, 60, 3


@dataclass(frozen=True, slots=True)
class Floor:
    """The lowest tariff on one basis.

    tariff_per_kwh: [the country's currency/kWh]. below_per_kwh: the highest that was seen to fail, at most
        `TOLERANCE` below it; None where the lowest tariff there is, 0, recovers the cost.
    trial: at the floor.
    """

    basis: str
    tariff_per_kwh: float
    below_per_kwh: float | None
    trial: Trial


def find_floor(
    basis: str, start: float, try_tariff: Callable[[float], Trial], highest: float
) -> Floor | None:
    """The lowest tariff that recovers the cost; None where there is none up to the highest.

    basis: one of `BASES`, or any key of `Trial.needs`.
    start: tariff to begin at. highest: tariff above which it is not sought. [the country's currency/kWh]
    try_tariff: the programme at a tariff.
    """

    def room(tariff: float) -> float | None:
        """t − R(t); None where the programme takes nothing."""
        needs = try_tariff(tariff).needs
        return tariff - needs[basis] if basis in needs else None

    bracket = _bracket(room, start, highest)
    if bracket is None:
        return None
    low, high = bracket
    number = 0
    while low is not None and high - low > TOLERANCE * high:
        guesses = _near_zero(room, low, high) if number < _SECANTS else (0.5 * (low + high),)
        number += 1
        for guess in guesses:
            there = room(guess)
            if there is not None and there >= 0.0:
                high = min(high, guess)
            else:
                low = max(low, guess)
    return Floor(basis, high, low, try_tariff(high))


def _near_zero(room: Callable[[float], float | None], low: float, high: float) -> tuple[float, ...]:
    """Two tariffs around the one where the secant through both ends is zero, within the bracket."""
    below, above = room(low), room(high)
    if below is None or above is None or above <= below:
        return (0.5 * (low + high),)
    middle = low - below * (high - low) / (above - below)
    width = 0.45 * TOLERANCE * high
    return tuple(guess for guess in (middle + width, middle - width) if low < guess < high)


def _bracket(
    room: Callable[[float], float | None], start: float, highest: float
) -> tuple[float | None, float] | None:
    """A tariff that fails and a higher one that holds; None for the first where 0 holds."""
    tariff = min(start, highest)
    here = room(tariff)
    if here is not None and here >= 0.0:
        high = tariff
        for _ in range(_TRIES):
            tariff = max((high - here) / _STEP, 0.0)
            below = room(tariff)
            if below is None or below < 0.0:
                return tariff, high
            if tariff == 0.0:
                return None, 0.0
            high, here = tariff, below
        return None
    for _ in range(_TRIES):
        low = tariff
        if here is None or low >= highest:
            return None
        tariff = min((low - here) * _STEP, highest)
        here = room(tariff)
        if here is not None and here >= 0.0:
            return low, tariff
    return None
