"""Cooling: the PUE of a centre by the temperature outside, and that temperature by month and hour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import CentreError, Fault

from .compute_tables import compute_values

__all__ = ["Cooling", "cloud_cooling", "hourly_temperature", "hyperscale_cooling", "pue", "survey_cooling"]

FloatArray = NDArray[np.float64]

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Cooling:
    """A cooling plant: PUE = base + slope·max(0, T − free).

    base: PUE while the outside air cools by itself, 1 or more. [1]
    slope_per_c: rise of the PUE per degree above that, 0 or more. [1/°C]
    free_cooling_c: outside temperature below which the PUE no longer falls. [°C]

    PUE (power usage effectiveness) is the energy at the meter per energy of the computers. Raises CentreError
    with every value that is not a number or outside its limit.
    """

    base: float
    slope_per_c: float
    free_cooling_c: float

    def __post_init__(self) -> None:
        limits = (("base", 1.0), ("slope_per_c", 0.0), ("free_cooling_c", -math.inf))
        faults = [
            Fault(
                "cooling",
                f"must be a finite number of at least {low:g}",
                "give such a number",
                column=name,
                value=str(getattr(self, name)),
            )
            for name, low in limits
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= low)
        ]
        if faults:
            raise CentreError(faults)


def survey_cooling(*, values: Mapping[str, float] | None = None) -> Cooling:
    """The plant of a mean respondent of the industry's survey: PUE 1.58 over a year with a mean of 15 °C.

    values: values in place of those of the parameters, by name.
    """
    return _plant("pue_base", "pue_slope_per_c", values)


def cloud_cooling(*, values: Mapping[str, float] | None = None) -> Cooling:
    """The plant of a large cloud: PUE 1.12 in cool regions, 1.37 in hot ones. Between the other two.

    values: as in `survey_cooling`.
    """
    return _plant("pue_cloud_base", "pue_slope_per_c", values)


def hyperscale_cooling(*, values: Mapping[str, float] | None = None) -> Cooling:
    """The plant of the largest operators: PUE 1.10 to 1.15. The low end of what a new centre may reach.

    values: as in `survey_cooling`.
    """
    return _plant("pue_hyperscale_base", "pue_hyperscale_slope_per_c", values)


def _plant(base: str, slope: str, values: Mapping[str, float] | None) -> Cooling:
    known = compute_values(values)
    return Cooling(known[base], known[slope], known["pue_free_cooling_c"])


def pue(temperature_c: ArrayLike, cooling: Cooling | None = None) -> FloatArray:
    """PUE at each outside temperature, in the shape of `temperature_c`. [1]

    temperature_c: dry-bulb temperature outside. [°C]
    cooling: the plant; that of the survey where None.

    Humidity is left out: where water is evaporated, a humid hour is dearer than this says, and a dry one
    cheaper. Raises CentreError for temperatures that are not numbers.
    """
    plant = survey_cooling() if cooling is None else cooling
    outside = np.asarray(temperature_c, dtype=np.float64)
    if not np.isfinite(outside).all():
        raise CentreError(
            Fault("temperature_c", "holds values that are not numbers", "give a temperature for every hour")
        )
    return np.asarray(plant.base + plant.slope_per_c * np.maximum(0.0, outside - plant.free_cooling_c))


def hourly_temperature(
    mean_min: Sequence[float], mean_max: Sequence[float], month: ArrayLike, local_hour: ArrayLike
) -> FloatArray:
    """Outside temperature of the mean day of each hour's month, in the shape of `local_hour`. [°C]

    mean_min, mean_max: mean daily minimum and maximum, one of each per month, January first. [°C]
    month: month of each hour, 1 to 12. local_hour: start of each hour in local time, 0 to 23.

    Two half waves of a cosine: from the minimum at 05:00 up to the maximum at 15:00, and back in the 14 hours
    after. The two hours are ours (one hour either way). The mean of a day is the mean of its two extremes.

    Raises CentreError with every fault: not 12 months, values that are not numbers, a minimum above its
    maximum, months or hours outside their range.
    """
    low, high = np.asarray(mean_min, dtype=np.float64), np.asarray(mean_max, dtype=np.float64)
    months, hours = np.asarray(month), np.asarray(local_hour)
    _check_normals(low, high, months, hours)
    at = months.astype(np.int64) - 1
    known = compute_values()
    coldest, warmest = known["coldest_hour"], known["warmest_hour"]
    rise = warmest - coldest
    since = np.mod(hours.astype(np.float64) - coldest, 24.0)
    wave = np.where(
        since <= rise, -np.cos(np.pi * since / rise), np.cos(np.pi * (since - rise) / (24.0 - rise))
    )
    return np.asarray((low[at] + high[at]) / 2.0 + (high[at] - low[at]) / 2.0 * wave, dtype=np.float64)


def _check_normals(
    low: FloatArray, high: FloatArray, month: NDArray[np.generic], hour: NDArray[np.generic]
) -> None:
    faults = [
        Fault(name, f"must be {_MONTHS} finite numbers, one per month", "give one per month, in °C")
        for name, values in (("mean_min", low), ("mean_max", high))
        if values.shape != (_MONTHS,) or not np.isfinite(values).all()
    ]
    if not faults:
        faults = [
            Fault(
                "mean_min",
                f"of month {at + 1} is above its maximum of {high[at]:g} °C",
                "exchange them",
                value=f"{low[at]:g}",
            )
            for at in np.flatnonzero(low > high)
        ]
    for name, values, first, last in (("month", month, 1, _MONTHS), ("local_hour", hour, 0, 23)):
        if not np.isin(values, np.arange(first, last + 1)).all():
            faults.append(
                Fault(name, f"holds values that are no whole number from {first} to {last}", "correct them")
            )
    if faults:
        raise CentreError(faults)
