"""A programme of mining and AI loads: its size, sites and tariff, and its bids."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from types import MappingProxyType
from typing import Literal

from penstock.country import Country, Parameter
from penstock.errors import Fault, ProgrammeError
from penstock.loads.compute import compute_bids, value_usd_per_mwh
from penstock.loads.defaults import parameters_for
from penstock.loads.mining import break_even_usd_per_mwh, mining_bids
from penstock.market.bid import Bid

__all__ = [
    "MAXIMUM_MW",
    "SHARE_TOLERANCE",
    "Load",
    "Programme",
    "ProgrammeBid",
    "check_programme",
    "default_programme",
    "load_values",
    "programme_bids",
    "tariff_usd_per_mwh",
]

#: Largest programme that is taken for one: above it, a unit is wrong. [MW]
MAXIMUM_MW = 50_000.0
SHARE_TOLERANCE = 1e-6

Load = Literal["mining", "ai"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is offered to mining and AI loads.

    mw: power offered. [MW]
    mining_share: share of it for mining; the rest is for AI compute. [1]
    tariff_per_kwh: what they pay. [the country's currency/kWh]
    sites: share of the power in each zone; sums to 1 within 1e-6. [1]
    firm: bid at the value of lost load, so in a shortage it ties with firm demand; otherwise interrupted
        where the price exceeds the bid.

    Raises ProgrammeError with every fault.
    """

    mw: float = 2000.0
    mining_share: float = 0.5
    tariff_per_kwh: float
    sites: Mapping[str, float] = field(hash=False)
    firm: bool = False

    def __post_init__(self) -> None:
        faults = list(_programme_faults(self))
        if faults:
            raise ProgrammeError(faults)
        for name in ("mw", "mining_share", "tariff_per_kwh"):
            object.__setattr__(self, name, float(getattr(self, name)))
        sites = {zone: float(share) for zone, share in self.sites.items()}
        object.__setattr__(self, "sites", MappingProxyType(sites))


@dataclass(frozen=True, slots=True)
class ProgrammeBid:
    """A bid of the programme.

    load: "mining" or "ai".
    value_usd_per_mwh: what a MWh is worth to the load itself, also where that is below the tariff, so that
        it does not come and its bid has quantity 0. [USD/MWh]
    """

    bid: Bid
    load: Load
    value_usd_per_mwh: float


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


def load_values(parameters: Mapping[str, Parameter]) -> dict[Load, float]:
    """What a MWh is worth to each load. [USD/MWh]

    parameters: those of `loads.defaults`, by name.
    """
    value = {name: parameter.value for name, parameter in parameters.items()}
    return {
        "mining": break_even_usd_per_mwh(
            value["mining_hashprice_usd_per_ph_day"],
            value["mining_efficiency_j_per_th"],
            overhead_share=value["mining_overhead_share"],
            pool_fee_share=value["mining_pool_fee_share"],
        ),
        "ai": value_usd_per_mwh(
            value["ai_rent_usd_per_gpu_hour"],
            gpus_per_node=value["ai_gpus_per_node"],
            node_power_kw=value["ai_node_power_kw"],
            pue=value["ai_pue"],
            rented_share=value["ai_rented_share"],
            value_share=value["ai_value_share"],
        ),
    }


def programme_bids(country: Country, programme: Programme) -> tuple[ProgrammeBid, ...]:
    """The programme's bids: "mining <zone>" of every site in their order, then "ai <zone>".

    A bid's quantity is mw x share of the site x share of the load [MW]. With the tariff in USD/MWh,
    tariff_per_kwh x 1000 / currency_per_usd:

    - A load whose own value is below the tariff does not come: quantity 0, and its value says why.
    - Interruptible: mining bids the lesser of its value and the tariff, as the contract lets the operator
      stop it where serving it costs more than it pays; AI bids its own value, as its contract interrupts it
      only where a MWh costs more than it is worth there. Both pay the tariff for what they take.
    - Firm: both bid the country's value of lost load; in a shortage they tie with firm demand.

    The bids are the same in number and name for any size, 0 MW included.

    Raises ProgrammeError for a site that is no zone of the country, TableError for a parameter in the wrong
    unit.
    """
    check_programme(country, programme)
    values = load_values(parameters_for(country))
    tariff = tariff_usd_per_mwh(country, programme)
    firm_price = country.parameter("value_of_lost_load_usd_per_mwh").value if programme.firm else None

    def placed(share: float) -> dict[str, float]:
        return {zone: programme.mw * site * share for zone, site in programme.sites.items()}

    mining = mining_bids(
        placed(programme.mining_share),
        value_usd_per_mwh=values["mining"],
        tariff_usd_per_mwh=tariff,
        firm_price_usd_per_mwh=firm_price,
    )
    compute = compute_bids(
        placed(1.0 - programme.mining_share),
        value_usd_per_mwh=values["ai"],
        tariff_usd_per_mwh=tariff,
        firm_price_usd_per_mwh=firm_price,
    )
    return (
        *(ProgrammeBid(bid, "mining", values["mining"]) for bid in mining),
        *(ProgrammeBid(bid, "ai", values["ai"]) for bid in compute),
    )


def _programme_faults(programme: Programme) -> Iterable[Fault]:
    yield from _limit_faults("mw", programme.mw, MAXIMUM_MW, "MW")
    yield from _limit_faults("mining_share", programme.mining_share, 1.0, "1")
    yield from _limit_faults("tariff_per_kwh", programme.tariff_per_kwh, math.inf, "currency/kWh")
    sound = True
    for zone, share in programme.sites.items():
        faults = list(_limit_faults(f"sites, {zone}", share, 1.0 + SHARE_TOLERANCE, "1"))
        sound = sound and not faults
        yield from faults
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
