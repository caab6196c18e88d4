"""What a programme brings the reserve's owner month by month, and what its energy costs."""

from __future__ import annotations

import numpy as np

from penstock.market.system import FloatArray
from penstock.programme import tariff_usd_per_mwh

from .run import Study

__all__ = ["monthly_income"]


def monthly_income(study: Study) -> tuple[FloatArray, FloatArray]:
    """What the programme pays, and what generating its energy costs, in each month. [USD/month]

    The cost is the year's change of the system's cost, shared over the months by the energy that is taken.
    """
    offset = np.timedelta64(study.country.utc_offset_hours, "h")
    hours = study.hourly["hour_utc"].to_numpy().astype("datetime64[h]") + offset
    month = hours.astype("datetime64[M]").astype(np.int64) % 12
    taken = study.operation.taken.sum(axis=1)
    energy: FloatArray = np.bincount(month, weights=taken, minlength=12).astype(np.float64)
    tariff = tariff_usd_per_mwh(study.country, study.programme)
    cost = max(float(study.summary["change"]["cost_usd"]), 0.0)
    whole = float(energy.sum())
    share: FloatArray = energy / whole if whole > 0.0 else np.zeros(12)
    income: FloatArray = energy * tariff
    return income, cost * share
