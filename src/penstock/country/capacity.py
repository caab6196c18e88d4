"""What each plant can send out: net capacity, outages and the months in which it runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from penstock.country.calendar import MONTHS
from penstock.country.country import Country, FloatArray
from penstock.errors import Fault, InputError

__all__ = ["availability", "in_service", "minimum_share", "net_capacity", "net_capacity_or_faults"]


def net_capacity(country: Country) -> FloatArray:
    """Capacity that each plant sends out at most, shape (plants,), plants as in the table. [MW]

    dependable_mw where given, else installed_mw x (1 - auxiliary_share of its technology).

    Raises InputError naming each technology whose auxiliary_share is needed and missing.
    """
    faults: list[Fault] = []
    net = net_capacity_or_faults(country, faults)
    if faults:
        raise InputError(faults)
    return net


def net_capacity_or_faults(country: Country, faults: list[Fault]) -> FloatArray:
    """As `net_capacity`, but adds what is missing to `faults` and takes it as 0."""
    net = np.zeros(len(country.table("plants")))
    for place, plant in enumerate(country.table("plants")):
        if plant["dependable_mw"] is not None:
            net[place] = plant["dependable_mw"]
        else:
            share = _attribute(country, plant["technology"], "auxiliary_share", plant["plant"], faults)
            net[place] = plant["installed_mw"] * (1.0 - share)
    return net


def in_service(country: Country) -> npt.NDArray[np.bool_]:
    """Whether each plant runs in each month, first_month to last_month, shape (12, plants)."""
    plants = country.table("plants")
    months = np.array(MONTHS)[:, np.newaxis]
    first, last = (np.array(plants.column(name)) for name in ("first_month", "last_month"))
    running: npt.NDArray[np.bool_] = (months >= first) & (months <= last)
    return running


def availability(country: Country, faults: list[Fault]) -> FloatArray:
    """1 - forced_outage_rate - planned_outage_rate of each plant, shape (plants,). [1]

    It matters to plants that the market dispatches and to hydro: the published energy of others has their
    outages in it already, and they get 1.

    faults: technologies that lack a rate, or whose rates sum to more than 1, are added here.
    """
    profiles = {row["fuel"]: row["profile"] for row in country.table("fuels")}
    share = np.ones(len(country.table("plants")))
    for place, plant in enumerate(country.table("plants")):
        if profiles[plant["fuel"]] not in ("dispatched", "hydro"):
            continue
        technology = plant["technology"]
        forced, planned = (
            _attribute(country, technology, name, plant["plant"], faults)
            for name in ("forced_outage_rate", "planned_outage_rate")
        )
        if forced + planned > 1.0:
            problem = f"forced and planned outages of technology {technology} sum to more than 1 [1]"
            mend = "correct the two rates; each is a share of the year"
            _add_once(
                faults, Fault("technologies.csv", problem, mend, None, "value", f"{forced + planned:g}")
            )
        share[place] = max(1.0 - forced - planned, 0.0)
    return share


def minimum_share(country: Country, faults: list[Fault]) -> FloatArray:
    """minimum_output_pu of hydro plants with storage, 0 for all others, shape (plants,). [1]

    faults: technologies of such plants that lack it, and storage of plants that are not hydro.
    """
    profiles = {row["fuel"]: row["profile"] for row in country.table("fuels")}
    share = np.zeros(len(country.table("plants")))
    for place, plant in enumerate(country.table("plants")):
        if not plant["storage"]:
            continue
        profile = profiles[plant["fuel"]]
        if profile == "hydro":
            share[place] = _attribute(
                country, plant["technology"], "minimum_output_pu", plant["plant"], faults
            )
        else:
            problem = f"plant {plant['plant']}: only hydro has storage; its fuel has the profile {profile}"
            faults.append(Fault("plants.csv", problem, "write no", column="storage", value="yes"))
    return share


def _attribute(country: Country, technology: str, attribute: str, plant: str, faults: list[Fault]) -> float:
    rows = country.table("technologies").where(technology=technology, attribute=attribute).rows
    if rows:
        return float(rows[0]["value"])
    problem = f"technology {technology} has no {attribute} [1]"
    mend = f"add a row with its {attribute}, which plants like {plant} need"
    if not any(fault.problem == problem for fault in faults):
        faults.append(Fault("technologies.csv", problem, mend, column="attribute"))
    return 0.0


def _add_once(faults: list[Fault], fault: Fault) -> None:
    if fault not in faults:
        faults.append(fault)
