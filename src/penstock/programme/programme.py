"""A programme of mining and AI loads: its size, sites and tariff, and the plan of its parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from types import MappingProxyType

import numpy as np

from penstock.country import Country
from penstock.errors import Fault, ProgrammeError
from penstock.loads.compute import Centre, default_centre
from penstock.loads.cooling import cloud_cooling, hourly_temperature, pue
from penstock.loads.defaults import values_for
from penstock.loads.fleet import Fleet
from penstock.loads.mining import default_fleet
from penstock.market.system import FloatArray, IntArray

from .parts import Plan, Where, make_plan
from .terms import load_terms

__all__ = [
    "MAXIMUM_MW",
    "SHARE_TOLERANCE",
    "Programme",
    "check_programme",
    "default_programme",
    "plan_for",
    "tariff_usd_per_mwh",
]

#: Largest programme that is taken for one: above it, a unit is wrong. [MW]
MAXIMUM_MW = 50_000.0
#: Outside temperature where a country gives none: mean of a temperate year. [°C]
TEMPERATE_C = 15.0
SHARE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is offered to mining and AI loads.

    mw: power offered. [MW]
    mining_share: share of it for mining; the rest is for AI compute. [1]
    tariff_per_kwh: what they pay. [the country's currency/kWh]
    sites: share of the power in each zone; sums to 1 within 1e-6. [1]
    firm: bid at the value of lost load, so in a shortage it ties with firm demand; otherwise interrupted
        where the price exceeds the bid, within the contracts' budgets.
    fleet: the machines that mine, any size, scaled to the share; None for those of the tables of `loads`.
    centre: the AI centres' classes of work; None for those of the tables.

    Raises ProgrammeError with every fault.
    """

    mw: float = 2000.0
    mining_share: float = 0.5
    tariff_per_kwh: float
    sites: Mapping[str, float] = field(hash=False)
    firm: bool = False
    fleet: Fleet | None = None
    centre: Centre | None = None

    def __post_init__(self) -> None:
        faults = list(_programme_faults(self))
        if faults:
            raise ProgrammeError(faults)
        for name in ("mw", "mining_share", "tariff_per_kwh"):
            object.__setattr__(self, name, float(getattr(self, name)))
        sites = {zone: float(share) for zone, share in self.sites.items()}
        object.__setattr__(self, "sites", MappingProxyType(sites))


def default_programme(
    country: Country,
    *,
    mw: float | None = None,
    mining_share: float | None = None,
    tariff_per_kwh: float | None = None,
    firm: bool | None = None,
) -> Programme:
    """The country's own programme, with what is given in place of its parameters.

    mw, mining_share, tariff_per_kwh: as in `Programme`; None for the country's `programme_mw`,
    `programme_mining_share` and `programme_tariff_per_kwh`.
    firm: None for the country's `programme_firm` (0 or 1; without it, 0).
    The sites are those of the table `programme_sites`.

    Raises ProgrammeError with every fault.
    """

    def chosen(given: float | None, name: str) -> float:
        return country.parameter(name).value if given is None else given

    return Programme(
        mw=chosen(mw, "programme_mw"),
        mining_share=chosen(mining_share, "programme_mining_share"),
        tariff_per_kwh=chosen(tariff_per_kwh, "programme_tariff_per_kwh"),
        sites={row["zone"]: row["share"] for row in country.table("programme_sites")},
        firm=_firm(country) if firm is None else firm,
    )


def _firm(country: Country) -> bool:
    if "programme_firm" not in country.table("parameters").column("parameter"):
        return False
    value = country.parameter("programme_firm").value
    if value not in (0.0, 1.0):
        raise ProgrammeError(
            Fault(
                "parameters.csv",
                "programme_firm must be 0 (interruptible) or 1 (firm)",
                "write 0 or 1",
                column="value",
                value=f"{value:g}",
            )
        )
    return value == 1.0


def check_programme(country: Country, programme: Programme) -> None:
    """Raise ProgrammeError naming every site that is no zone of the country."""
    faults = [
        Fault(
            "programme",
            f"is not a zone of {country.name}; its zones are {', '.join(country.zones)}",
            "use one of them",
            column="sites",
            value=zone,
        )
        for zone in programme.sites
        if zone not in country.zones
    ]
    if faults:
        raise ProgrammeError(faults)


def tariff_usd_per_mwh(country: Country, programme: Programme) -> float:
    """The programme's tariff at the country's exchange rate. [USD/MWh]"""
    return programme.tariff_per_kwh * 1000.0 / country.usd_rate


def plan_for(country: Country, programme: Programme, month: IntArray, local_hour: IntArray) -> Plan:
    """The programme's parts at their sites, hour by hour.

    month, local_hour: of every hour, 1 to 12 and 0 to 23, shape (hours,).

    The fleet of miners and the AI centre are the programme's own, or those of the tables of `loads`, with the
    country's parameters `mining_<name>` and `ai_<name>` in place of theirs. The PUE of AI follows the
    country's temperatures with the cooling of a modern cloud centre; without them it is that of a temperate
    year's mean, `TEMPERATE_C`, in every hour.

    Raises ProgrammeError for a site that is no zone of the country, TableError for a parameter in the wrong
    unit.
    """
    check_programme(country, programme)
    mining, compute = values_for(country)
    fleet = default_fleet(1.0, values=mining) if programme.fleet is None else programme.fleet
    centre = default_centre(values=compute) if programme.centre is None else programme.centre
    where = Where(
        mw={zone: programme.mw * share for zone, share in programme.sites.items()},
        pue={zone: _pue(country, zone, month, local_hour, compute) for zone in programme.sites},
        month=month,
        local_hour=local_hour,
    )
    return make_plan(
        where,
        load_terms(),
        fleet=fleet,
        centre=centre,
        mining_share=programme.mining_share,
        tariff=tariff_usd_per_mwh(country, programme),
        value_of_lost_load=country.parameter("value_of_lost_load_usd_per_mwh").value,
        firm=programme.firm,
    )


def _pue(
    country: Country, zone: str, month: IntArray, local_hour: IntArray, values: Mapping[str, float]
) -> FloatArray:
    rows = sorted(country.table("temperatures").where(zone=zone), key=lambda row: row["month"])
    if not rows:
        return pue(np.full(len(month), TEMPERATE_C), cloud_cooling(values=values))
    outside = hourly_temperature(
        [row["mean_minimum_c"] for row in rows], [row["mean_maximum_c"] for row in rows], month, local_hour
    )
    return pue(outside, cloud_cooling(values=values))


def _programme_faults(programme: Programme) -> Iterable[Fault]:
    yield from _limit_faults("mw", programme.mw, MAXIMUM_MW, "MW")
    yield from _limit_faults("mining_share", programme.mining_share, 1.0, "1")
    yield from _limit_faults("tariff_per_kwh", programme.tariff_per_kwh, math.inf, "currency/kWh")
    sound = True
    for zone, share in programme.sites.items():
        faults = list(_limit_faults(f"sites, {zone}", share, 1.0 + SHARE_TOLERANCE, "1"))
        sound = sound and not faults
        yield from faults
    if programme.fleet is not None and not programme.fleet.mw > 0.0:
        yield Fault(
            "programme",
            "is empty: its machines draw 0 MW",
            "give at least one cohort a count above 0, or leave the fleet out",
            column="fleet",
        )
    total = math.fsum(programme.sites.values()) if sound else 1.0
    if abs(total - 1.0) > SHARE_TOLERANCE:
        yield Fault(
            "programme",
            f"the shares sum to {total:.9g}, not to 1 within {SHARE_TOLERANCE:g} [1]",
            "correct the shares so that they sum to 1",
            column="sites",
        )


def _limit_faults(column: str, value: object, high: float, unit: str) -> Iterable[Fault]:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not math.isfinite(float(value)) or not 0.0 <= float(value) <= high:  # type: ignore[arg-type]
        limit = f"from 0 to {high:g}" if math.isfinite(high) else "of at least 0"
        yield Fault(
            "programme",
            f"must be a finite number {limit} [{unit}]",
            "correct the value; check its unit",
            column=column,
            value=str(value),
        )
