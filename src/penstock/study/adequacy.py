"""Is there enough power when plants fail: a country's year -> the model whose outages are sampled.

Plants that the market dispatches, and reservoirs, stand in the market year at net capacity × (1 − forced −
planned outages), both shares of the year. Here the planned part p stays and the forced part f is drawn, unit
by unit: capacity while up is net × (1 − p) and the unit is down f / (1 − p) of the time, so that the mean
stays. Units are equal parts of a plant, of at most `unit_mw`.

Fuels whose published energy carries its outages keep their hours. Where the technology gives a
`sampled_outage_rate` q, its units fail as well, and are up at the published hour over (1 − q), at most at net
capacity, so that the mean stays. Wind, sun and running water are taken as they come.

Limits of energy do not bind in a shortage: a reservoir can give its capacity in the few hours that are short,
and a plant with a yearly allocation of gas may burn it then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penstock.country import Country
from penstock.country.capacity import in_service, net_capacity
from penstock.errors import Fault, InputError
from penstock.market import Clearing
from penstock.market.adequacy import (
    BASE,
    NOTHING_KEPT,
    SYSTEM,
    Adequacy,
    CaseAdequacy,
    ExtraLoad,
    Link,
    OutageModel,
    Unit,
    assess_adequacy,
)
from penstock.market.system import FloatArray
from penstock.programme import Programme

from .outage_store import kept_in
from .prepared import Prepared, add_programme

__all__ = [
    "LOAD",
    "Adequacy",
    "assess",
    "describe_adequacy",
    "load_of",
    "outage_model",
    "taken_by_zone",
    "year_of_outages",
]

#: Name of the programme's case.
LOAD = "programme"

Progress = Callable[[int, int], None]


def outage_model(prepared: Prepared) -> OutageModel:
    """The year's demand, what is there in any case, the units that fail, and the corridors.

    Raises InputError where a technology gives a rate without its time to repair or the size of its units.
    """
    country, hours = prepared.country, prepared.hours
    facts = _technologies(country)
    faults = list(_missing(country, facts))
    if faults:
        raise InputError(faults)
    fuels = {row["fuel"]: row["profile"] for row in country.table("fuels")}
    net, runs = net_capacity(country), in_service(country)
    steady = np.zeros_like(hours.demand)
    units: list[Unit] = []
    for index, plant in enumerate(country.table("plants")):
        rates = facts.get(plant["technology"], {})
        profile = fuels[plant["fuel"]]
        if profile == "dispatched" or plant["storage"]:
            there = 1.0 - rates.get("planned_outage_rate", 0.0)
            rate = rates["forced_outage_rate"] / there if rates.get("forced_outage_rate") else 0.0
            up = net[index] * there * runs[hours.month - 1, index]
        else:
            rate = rates.get("sampled_outage_rate", 0.0)
            up = np.minimum(hours.available[:, index] / (1.0 - rate), net[index])
        if rate == 0.0 or not up.any():
            steady[:, country.zones.index(plant["zone"])] += up
        else:
            units.extend(_units(plant["plant"], plant["zone"], plant["installed_mw"], up, rate, rates))
    return OutageModel(
        zones=country.zones,
        demand=hours.demand,
        steady=steady,
        units=tuple(units),
        links=tuple(
            Link(row.name, row.from_zone, row.to_zone, row.forward_limit, row.backward_limit, row.loss)
            for row in prepared.system.corridors
        ),
    )


def assess(
    model: OutageModel,
    cases: Mapping[str, ExtraLoad],
    *,
    years: int,
    seed: int = 1,
    workers: int = 2,
    progress: Progress = lambda done, years: None,
    checkpoint: Path | None = None,
    base: Adequacy | None = None,
) -> Adequacy:
    """Sampled years, as `assess_adequacy`; with a checkpoint, years that are there are not drawn again.

    checkpoint: a folder of its own: one of another model, cases, seed or version is refused.
    base: of the same model, years and seed; see `assess_adequacy`.

    Raises BidError as `assess_adequacy` does, InputError where the folder cannot be used.
    """
    kept = NOTHING_KEPT if checkpoint is None else kept_in(checkpoint, model, cases, seed)
    return assess_adequacy(
        model, cases, years=years, seed=seed, workers=workers, progress=progress, kept=kept, base=base
    )


def load_of(taken: FloatArray, *, firm: bool) -> ExtraLoad:
    """A load as adequacy sees it: demand where it is firm, else cut before people are.

    taken: what it takes, shape (hours, zones). [MW]
    """
    nothing = np.zeros_like(taken)
    return ExtraLoad(firm=taken if firm else nothing, interruptible=nothing if firm else taken)


def taken_by_zone(clearing: Clearing) -> FloatArray:
    """What the bids take, shape (hours, zones). [MW]"""
    taken = clearing.by_zone(clearing.accepted, [bid.zone for bid in clearing.bids])
    return np.maximum(taken, 0.0)  # an engine keeps a limit of 0 to its tolerance


def year_of_outages(
    prepared: Prepared,
    programme: Programme,
    *,
    years: int,
    seed: int = 1,
    workers: int = 2,
    progress: Progress = lambda done, years: None,
    checkpoint: Path | None = None,
) -> Adequacy:
    """Sampled years without and with what a programme takes in the cleared year; its case is `LOAD`."""
    taken = taken_by_zone(add_programme(prepared, programme).clearing)
    return assess(
        outage_model(prepared),
        {LOAD: load_of(taken, firm=programme.firm)},
        years=years,
        seed=seed,
        workers=workers,
        progress=progress,
        checkpoint=checkpoint,
    )


def describe_adequacy(
    prepared: Prepared, programme: Programme, found: Adequacy, stress: str | None
) -> dict[str, Any]:
    """Sampled years as plain data: without, with, and the change, by zone and for the system."""
    country = prepared.country
    zones = (*country.home_zones, SYSTEM)
    cases = {"base": found.case(BASE), "programme": found.case(LOAD), "change": found.change(LOAD)}
    rows = country.table("stress_years").where(stress=stress) if stress is not None else ()
    unseen = [
        bound
        for zone in zones
        if (bound := cases["programme"].lole_h[zone].years_with_events_at_most) is not None
    ]
    return {
        "schema_version": 1,
        "country": {"id": country.id, "name": country.name, "content_hash": country.content_hash},
        "year": country.year,
        "stress": None if stress is None else {"key": stress, "name": next(iter(rows))["name"]},
        "mw": programme.mw,
        "firm": programme.firm,
        "years": found.samples,
        "seed": found.seed,
        "never_seen": max(unseen, default=None),
        **{name: _case_rows(case, zones) for name, case in cases.items()},
    }


def _case_rows(case: CaseAdequacy, zones: Sequence[str]) -> dict[str, Any]:
    figures = ("lole_h", "eue_mwh", "cut_h", "cut_mwh")
    return {
        zone: {
            key: {
                "value": getattr(case, key)[zone].value,
                "standard_error": None if found_once(case, zone) else getattr(case, key)[zone].standard_error,
            }
            for key in figures
        }
        for zone in zones
    }


def found_once(case: CaseAdequacy, zone: str) -> bool:
    """Whether there is one year only, which has no standard error."""
    return case.lole_h[zone].samples == 1


def _units(
    plant: str, zone: str, installed: float, up: FloatArray, rate: float, rates: Mapping[str, float]
) -> list[Unit]:
    count = max(math.ceil(installed / rates["unit_mw"] - 1e-9), 1)
    return [
        Unit(f"{plant} {number}", zone, up / count, rate, rates["mean_time_to_repair_h"])
        for number in range(1, count + 1)
    ]


def _technologies(country: Country) -> dict[str, dict[str, float]]:
    facts: dict[str, dict[str, float]] = {}
    for row in country.table("technologies"):
        facts.setdefault(row["technology"], {})[row["attribute"]] = row["value"]
    return facts


def _missing(country: Country, facts: Mapping[str, Mapping[str, float]]) -> list[Fault]:
    """Technologies that fail and lack what sampling needs, each attribute once, and wrong values."""
    fuels = {row["fuel"]: row["profile"] for row in country.table("fuels")}
    faults: list[Fault] = []
    for plant in country.table("plants"):
        name, rates = plant["technology"], facts.get(plant["technology"], {})
        dispatched = fuels[plant["fuel"]] == "dispatched" or plant["storage"]
        rate = rates.get("forced_outage_rate" if dispatched else "sampled_outage_rate", 0.0)
        if rate == 0.0:
            continue
        if rate >= 1.0 and not dispatched:
            problem = f"technology {name}: sampled_outage_rate must be below 1 [1]"
            mend = "write the share of time that a unit is down: 0.05 for 5 %"
            _add_once(faults, Fault("technologies.csv", problem, mend, column="value", value=f"{rate:g}"))
        for attribute, unit, least in (("mean_time_to_repair_h", "h", 1.0), ("unit_mw", "MW", 1.0)):
            problem = f"technology {name} fails ({rate:g} of the time) and has no {attribute} [{unit}]"
            if attribute in rates:
                if rates[attribute] >= least:
                    continue
                problem = f"technology {name}: {attribute} must be at least {least:g} {unit}"
            fault = Fault(
                "technologies.csv",
                problem,
                f"give its {attribute}, which sampled outages need",
                column="value" if attribute in rates else "attribute",
                value=f"{rates[attribute]:g}" if attribute in rates else None,
            )
            _add_once(faults, fault)
    return faults


def _add_once(faults: list[Fault], fault: Fault) -> None:
    if fault not in faults:
        faults.append(fault)
