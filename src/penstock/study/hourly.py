"""The hours of a study as one table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from penstock.accounts.books import generation_by_fuel
from penstock.programme.months import stopped_by_step

from .results import Results

__all__ = ["hourly_table"]


def hourly_table(results: Results) -> pd.DataFrame:
    """One row per hour; columns such as `base.price_usd_per_mwh.<ZONE>`."""
    columns: dict[str, Any] = {
        "hour_utc": results.hours.hours.astype("datetime64[s]"),
        "month": results.hours.month,
        "hour_local": results.hours.local_hour,
    }
    for side, clearing in (("base", results.base), ("with", results.changed)):
        for index, zone in enumerate(clearing.system.zones):
            columns[f"{side}.demand_mw.{zone}"] = np.asarray(clearing.system.demand)[:, index]
            columns[f"{side}.price_usd_per_mwh.{zone}"] = clearing.price[:, index]
            columns[f"{side}.unserved_mw.{zone}"] = clearing.unserved[:, index]
            columns[f"{side}.curtailed_mw.{zone}"] = clearing.curtailed[:, index]
        for fuel, output in generation_by_fuel(results.country, clearing).items():
            columns[f"{side}.generation_mw.{fuel}"] = output
        for index, corridor in enumerate(clearing.system.corridors):
            columns[f"{side}.flow_mw.{corridor.name}"] = clearing.flow[:, index]
    bids = results.operation.bids
    taken = results.changed.by_zone(results.operation.taken, [row.bid.zone for row in bids])
    for index, zone in enumerate(results.country.zones):
        columns[f"with.programme_mw.{zone}"] = taken[:, index]
        columns[f"surplus_mw.{zone}"] = results.surplus.by_zone[:, index]
    for load in ("mining", "ai"):
        chosen = [index for index, row in enumerate(bids) if row.load == load]
        columns[f"with.programme_mw.{load}"] = results.operation.taken[:, chosen].sum(axis=1)
    for step, stopped in stopped_by_step(results.operation).items():
        columns[f"with.interrupted_mw.{step}"] = stopped
    columns["surplus_mw.total"] = results.surplus.total
    return pd.DataFrame(columns)
