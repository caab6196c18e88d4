"""The clock of a study year: 8,760 hours in UTC, and what each of them is in local time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.country.hourly import expected_hours

__all__ = [
    "DAYS_IN_MONTH",
    "FIRST_DAY",
    "HOURS_IN_MONTH",
    "MONTHS",
    "Calendar",
    "IntArray",
    "TimeArray",
    "build_calendar",
    "middle",
]

IntArray = npt.NDArray[np.int64]
TimeArray = npt.NDArray[np.datetime64]

MONTHS = range(1, 13)
DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # every study leaves out 29 February
HOURS_IN_MONTH = tuple(24 * days for days in DAYS_IN_MONTH)
FIRST_DAY = tuple(sum(DAYS_IN_MONTH[:month]) for month in range(12))  # of each month, counted from 0
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The hours of a local calendar year without 29 February; each array is read-only, of shape (8760,).

    hours: start of the hour in UTC, datetime64[h].
    local: the same in local time, datetime64[h].
    month: local month, 1 to 12.
    local_hour: local hour of the day, 0 to 23.
    day: day of the year, 0 to 364, 29 February not counted.
    weekday: 0 for Monday to 6 for Sunday, local.
    """

    year: int
    utc_offset_hours: int
    hours: TimeArray
    local: TimeArray
    month: IntArray
    local_hour: IntArray
    day: IntArray
    weekday: IntArray

    def month_slice(self, month: int) -> slice:
        """Where the hours of a local month (1 to 12) stand."""
        first = 24 * FIRST_DAY[month - 1]
        return slice(first, first + HOURS_IN_MONTH[month - 1])


def build_calendar(year: int, utc_offset_hours: int) -> Calendar:
    """The clock of a local calendar year.

    utc_offset_hours: local time less UTC. [h]
    """
    stamps = [hour.replace(tzinfo=None) for hour in expected_hours(year, utc_offset_hours)]
    hours = np.array(stamps, dtype="datetime64[h]")
    local = hours + np.timedelta64(utc_offset_hours, "h")
    days_since_epoch = local.astype("datetime64[D]").astype(np.int64)
    arrays = {
        "hours": hours,
        "local": local,
        "month": local.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "local_hour": local.astype(np.int64) % 24,
        "day": np.repeat(np.arange(sum(DAYS_IN_MONTH)), 24),
        "weekday": (days_since_epoch + _EPOCH_WEEKDAY) % 7,
    }
    for array in arrays.values():
        array.setflags(write=False)
    return Calendar(year=year, utc_offset_hours=utc_offset_hours, **arrays)


def middle(hours: TimeArray) -> TimeArray:
    """The middle of each hour, to the minute: where the sun and levels in time are taken."""
    minutes: TimeArray = (hours.astype("datetime64[m]").astype(np.int64) + 30).astype("datetime64[m]")
    return minutes
