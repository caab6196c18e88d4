"""The clear-sky output of a fixed panel, hour by hour, at a place. The sun itself is pvlib's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from penstock.country.calendar import Calendar, TimeArray, build_calendar, middle
from penstock.country.country import FloatArray

__all__ = ["ALBEDO", "LOCATION_DECIMALS", "clear_sky_pu", "sun_position"]

ALBEDO = 0.25  # of the ground before the panel; pvlib's default for an unknown surface [1]
LOCATION_DECIMALS = 1  # places are rounded to this many decimals of a degree: at most 12 s of solar time
_REFERENCE_IRRADIANCE = 1000.0  # W/m2, at which a panel's capacity is rated (IEC 61215)


def clear_sky_pu(calendar: Calendar, latitude: float, longitude: float) -> FloatArray:
    """Output of a fixed panel under a clear sky over its rated capacity, 0 to 1, shape (8760,). [1]

    latitude, longitude: place, rounded to 0.1. [degrees north, degrees east]

    The panel faces the equator and is tilted at |latitude|. Sun at the middle of each hour: NREL SPA (Reda
    and Andreas 2004, Solar Energy 76(5), 577-589). Clear sky: simplified Solis (Ineichen 2008, Solar Energy
    82(8), 758-762) with pvlib's standard turbidity, water vapour and sea-level pressure, below the
    extraterrestrial irradiance of the day (Spencer 1971). Plane of array: beam, isotropic sky diffuse (Hottel
    and Woertz 1942; Liu and Jordan 1963) and ground reflection. Output = irradiance / 1000 W/m2, at most 1,
    and 0 while the sun is below the horizon. The array is read-only and kept for the next call.
    """
    return _clear_sky_pu(
        calendar.year,
        calendar.utc_offset_hours,
        round(latitude, LOCATION_DECIMALS),
        round(longitude, LOCATION_DECIMALS),
    )


def sun_position(times: TimeArray, latitude: float, longitude: float) -> tuple[FloatArray, FloatArray]:
    """Zenith as seen through a standard atmosphere, and azimuth clockwise from north. [degrees]

    times: instants in UTC, datetime64 of any unit, shape (n,); both results have that shape.
    latitude, longitude: place. [degrees north, degrees east]

    NREL SPA as in pvlib (Reda and Andreas 2004).
    """
    position = _position(times, latitude, longitude)
    return position["apparent_zenith"].to_numpy(np.float64), position["azimuth"].to_numpy(np.float64)


# pvlib takes most of a second to import, so it comes in only where the sun is needed.
def _position(times: TimeArray, latitude: float, longitude: float) -> Any:
    import pandas as pd
    from pvlib.solarposition import get_solarposition

    index = pd.DatetimeIndex(times.astype("datetime64[ns]"), tz="UTC")
    return get_solarposition(index, latitude, longitude)


@lru_cache(maxsize=256)
def _clear_sky_pu(year: int, utc_offset_hours: int, latitude: float, longitude: float) -> FloatArray:
    from pvlib.clearsky import simplified_solis
    from pvlib.irradiance import get_extra_radiation, get_total_irradiance

    hours = build_calendar(year, utc_offset_hours).hours
    sun = _position(middle(hours), latitude, longitude)
    day_of_year = (hours.astype("datetime64[D]") - hours.astype("datetime64[Y]")).astype(np.int64) + 1
    sky = simplified_solis(sun["apparent_elevation"], dni_extra=get_extra_radiation(day_of_year))
    plane = get_total_irradiance(
        surface_tilt=abs(latitude),
        surface_azimuth=180.0 if latitude >= 0.0 else 0.0,
        solar_zenith=sun["apparent_zenith"],
        solar_azimuth=sun["azimuth"],
        dni=sky["dni"],
        ghi=sky["ghi"],
        dhi=sky["dhi"],
        albedo=ALBEDO,
        model="isotropic",
    )
    irradiance = plane["poa_global"].to_numpy(np.float64)
    risen = sun["apparent_elevation"].to_numpy(np.float64) > 0.0
    output: FloatArray = np.where(risen, np.minimum(irradiance / _REFERENCE_IRRADIANCE, 1.0), 0.0)
    output.setflags(write=False)
    return output
