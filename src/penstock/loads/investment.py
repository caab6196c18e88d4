"""The investor's return on a fleet of mining machines and their site.

In year t = 1 … L a block b of P MW, served the share σ of the year's 8,760 hours, pays

    margin(b, t) = 8760·σ(b)·P·max(0, value(b, h(t)) − tariff),        h(t) = h·(1 − d)^(t − 1)

with h the hashprice of the first year and d its yearly fall, or h(t) as given. A miner runs a block only
where its value covers the tariff. The year's cash flow is max(0, Σ_b margin(b, t) − c·P_fleet), c the cost of
staff and repair by MW and year: who cannot cover it closes for the year. With the price of the machines M, of
the site S by MW, and what both fetch at the end R,

    capital = M + S·P_fleet,    NPV = −capital + Σ_t cash(t)/(1 + r)^t + R/(1 + r)^L.

All in real USD, before tax. State takes nothing here: what it earns is in the tariff.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from penstock.errors import Fault, FleetError
from penstock.loads.fleet import Fleet, limit_faults
from penstock.loads.mining import Machine, mining_parameters, mining_tables

__all__ = [
    "HOURS_PER_YEAR",
    "Case",
    "Investment",
    "InvestmentCase",
    "internal_rate_of_return",
    "investment_case",
    "investment_range",
    "investment_return",
    "net_present_value",
    "resale_usd_per_machine",
]

FloatArray = npt.NDArray[np.float64]
Case = Literal["low", "central", "high"]

HOURS_PER_YEAR = 8760
#: Halvings of the interval in which the rate of return is sought: below 1e-15 of it.
_HALVINGS = 60
#: Rates of return above this are not told apart. [1/year]
_HIGHEST_RATE = 1e6

#: Field of a case, lowest and highest value, unit, and the end of its range that gives the low return.
_FIELDS: tuple[tuple[str, float, float, str, Literal["low", "high"]], ...] = (
    ("machine_life_years", 1.0, 100.0, "year", "low"),
    ("site_life_years", 1.0, 1000.0, "year", "low"),
    ("discount_share_per_year", 0.0, 10.0, "1/year", "high"),
    ("site_capex_usd_per_mw", 0.0, math.inf, "USD/MW", "high"),
    ("opex_usd_per_mw_year", 0.0, math.inf, "USD/(MW*year)", "high"),
    ("hashprice_decline_share_per_year", -1.0, 1.0, "1/year", "high"),
    ("frontier_gain_share_per_year", 0.0, 0.9, "1/year", "high"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestmentCase:
    """What the investor reckons with.

    machine_life_years: whole years that the machines are kept: the horizon. [year]
    site_life_years: after the horizon the site is worth its straight-line remainder. [year]
    discount_share_per_year: return that the investor asks. [1/year]
    site_capex_usd_per_mw: site without machines, by MW at the meter. [USD/MW]
    opex_usd_per_mw_year: staff, repair and rent. [USD/(MW·year)]
    hashprice_decline_share_per_year: yearly fall of hashprice where it is not given by year. [1/year]
    frontier_gain_share_per_year: yearly fall of the best machines' energy per hash: how fast the fleet ages
        against the market. [1/year]

    Raises FleetError with every fault.
    """

    machine_life_years: int
    site_life_years: float
    discount_share_per_year: float
    site_capex_usd_per_mw: float
    opex_usd_per_mw_year: float
    hashprice_decline_share_per_year: float
    frontier_gain_share_per_year: float

    def __post_init__(self) -> None:
        faults = [
            fault
            for name, low, high, unit, _ in _FIELDS
            for fault in limit_faults("investment", name, getattr(self, name), low, high, unit)
        ]
        if not faults and self.machine_life_years != int(self.machine_life_years):
            faults = [
                Fault(
                    "investment",
                    "must be a whole number of years",
                    "round it",
                    column="machine_life_years",
                    value=f"{self.machine_life_years:g}",
                )
            ]
        if faults:
            raise FleetError(faults)
        object.__setattr__(self, "machine_life_years", int(self.machine_life_years))


@dataclass(frozen=True, slots=True, eq=False)
class Investment:
    """What an investment returns.

    capital_usd: machines and site. [USD]
    cash_usd: of each year, without resale; shape (years,), read-only. [USD/year]
    resale_usd: machines and site at the end of the last year. [USD]
    net_present_usd: net present value. [USD]
    internal_rate_share_per_year: rate at which it would be 0; None where nothing comes back, or there is no
        capital. [1/year]
    payback_years: years until the cash flows, undiscounted and without resale, have paid the capital, even
        within a year; None where they never do. [year]
    """

    capital_usd: float
    cash_usd: FloatArray
    resale_usd: float
    net_present_usd: float
    internal_rate_share_per_year: float | None
    payback_years: float | None


def investment_case(case: Case = "central") -> InvestmentCase:
    """The values that ship with Penstock: "central", or every one at its end for a low or a high return.

    The ends are of each value alone; all at once they are an outer bound, not a likely outcome.
    """
    values: dict[str, float] = {}
    for name, _, _, _, low_return in _FIELDS:
        row = mining_parameters()[name]
        end = row.low if (case == "low") == (low_return == "low") else row.high
        values[name] = row.value if case == "central" or end is None else end
    return InvestmentCase(**values)  # type: ignore[arg-type]  # whole years are checked there


def resale_usd_per_machine(machine: Machine, years: float, *, frontier_gain_share_per_year: float) -> float:
    """What a machine fetches after some years. [USD]

    years: from now. frontier_gain_share_per_year: yearly fall of the best machines' energy per hash. [1/year]

    Buyers pay by energy per hash against what is on sale. After n years of gain g a machine of e J/TH stands
    where one of e / (1 − g)^n stands today: its price by TH/s is today's in that band (resale_bands.csv).
    No more than its price now, where it has one. Prices of machines also follow hashprice; this rule does
    not, so it is too high where hashprice falls: by at most the whole, some 7 % of the capital of the default
    fleet and its site.
    """
    equivalent = machine.power_w / machine.hashrate_ths / (1.0 - frontier_gain_share_per_year) ** years
    bands = mining_tables()["resale_bands"].rows
    band = next((row for row in bands if equivalent < row["up_to_j_per_th"]), bands[-1])
    price = float(band["usd_per_ths"]) * machine.hashrate_ths
    return price if machine.price_usd is None else min(price, machine.price_usd)


def investment_return(
    fleet: Fleet,
    *,
    hashprice_usd_per_ph_day: float | Sequence[float],
    tariff_usd_per_mwh: float,
    served_share: float | Sequence[float] = 1.0,
    case: InvestmentCase | None = None,
) -> Investment:
    """What the investor gets from buying a fleet and building its site.

    hashprice_usd_per_ph_day: of the first year, falling as the case says, or of each of its years.
        [USD/(PH/s·day)]
    tariff_usd_per_mwh: what the fleet pays. [USD/MWh]
    served_share: share of the year's hours in which power is there, a number or one of each of
        `fleet.blocks()`. [1]
    case: None for the central one.

    The equations are those of this file's head. Raises FleetError with every fault.
    """
    case = investment_case() if case is None else case
    years, blocks = case.machine_life_years, fleet.blocks()
    given = np.asarray(hashprice_usd_per_ph_day, dtype=np.float64)
    served = np.asarray(served_share, dtype=np.float64)
    faults = [
        *_series_faults("hashprice_usd_per_ph_day", given, years, math.inf, "USD/(PH/s*day)", "year"),
        *_series_faults("served_share", served, len(blocks), 1.0, "1", "block"),
        *limit_faults("investment", "tariff_usd_per_mwh", tariff_usd_per_mwh, 0.0, math.inf, "USD/MWh"),
    ]
    if faults:
        raise FleetError(faults)
    fall = (1.0 - case.hashprice_decline_share_per_year) ** np.arange(years)
    hashprice = given * fall if given.ndim == 0 else given
    energy = HOURS_PER_YEAR * np.broadcast_to(served, (len(blocks),)) * np.array([row.mw for row in blocks])
    value = np.array([block.break_even_usd_per_mwh(hashprice) for block in blocks])
    margin = energy @ np.maximum(0.0, value - tariff_usd_per_mwh)
    cash = np.maximum(0.0, margin - case.opex_usd_per_mw_year * fleet.mw)
    site = case.site_capex_usd_per_mw * fleet.mw
    resale = site * max(0.0, 1.0 - years / case.site_life_years) + math.fsum(
        cohort.count
        * resale_usd_per_machine(
            cohort.machine, years, frontier_gain_share_per_year=case.frontier_gain_share_per_year
        )
        for cohort in fleet.cohorts
    )
    return _investment(fleet.capital_usd + site, cash, resale, case.discount_share_per_year)


def investment_range(
    fleet: Fleet,
    *,
    hashprice_usd_per_ph_day: float | Sequence[float],
    tariff_usd_per_mwh: float,
    served_share: float | Sequence[float] = 1.0,
) -> Mapping[Case, Investment]:
    """`investment_return` in the three cases of `investment_case`, by name: low, central, high.

    As lives differ between the cases, a hashprice by year must cover the longest; the rest is cut off.
    """
    found: dict[Case, Investment] = {}
    cases: tuple[Case, ...] = ("low", "central", "high")
    for name in cases:
        case = investment_case(name)
        hashprice: float | Sequence[float] = hashprice_usd_per_ph_day
        if isinstance(hashprice, Sequence):
            hashprice = hashprice[: case.machine_life_years]
        found[name] = investment_return(
            fleet,
            hashprice_usd_per_ph_day=hashprice,
            tariff_usd_per_mwh=tariff_usd_per_mwh,
            served_share=served_share,
            case=case,
        )
    return MappingProxyType(found)


def net_present_value(flows_usd: Sequence[float] | FloatArray, rate_share_per_year: float) -> float:
    """Σ_t flow(t) / (1 + r)^t over t = 0, 1, …, in order. [USD]"""
    return math.fsum(flow / (1.0 + rate_share_per_year) ** year for year, flow in enumerate(flows_usd))


def internal_rate_of_return(flows_usd: Sequence[float] | FloatArray) -> float | None:
    """Rate at which the flows' present value is 0; None where there is none. [1/year]

    flows_usd: the capital as the first, below 0, then what comes back, none below 0. With these signs the
    value falls as the rate rises from −1, from above 0 where anything comes back, to the capital: one root,
    found by halving. None where there is no capital, nothing comes back, or the rate is above 10^6.
    """
    flows = [float(flow) for flow in flows_usd]
    if len(flows) < 2 or not flows[0] < 0.0 or min(flows[1:]) < 0.0 or not max(flows[1:]) > 0.0:
        return None
    # In x = 1 / (1 + r) the value is a polynomial that rises from the capital: safe at both ends.
    low, high = 1.0 / (1.0 + _HIGHEST_RATE), 1.0
    value = _polynomial(flows)
    if value(low) > 0.0:
        return None
    while value(high) < 0.0:
        low, high = high, 2.0 * high
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if value(middle) < 0.0 else (low, middle)
    return 2.0 / (low + high) - 1.0


def _polynomial(flows: Sequence[float]) -> Callable[[float], float]:
    return lambda x: math.fsum(flow * x**year for year, flow in enumerate(flows))


def _investment(capital: float, cash: FloatArray, resale: float, discount: float) -> Investment:
    flows = np.concatenate(([-capital], cash))
    flows[-1] += resale
    cash = cash.copy()
    cash.setflags(write=False)
    return Investment(
        capital_usd=capital,
        cash_usd=cash,
        resale_usd=resale,
        net_present_usd=net_present_value(flows, discount),
        internal_rate_share_per_year=internal_rate_of_return(flows),
        payback_years=_payback_years(capital, cash),
    )


def _payback_years(capital: float, cash: FloatArray) -> float | None:
    left = capital
    for year, paid in enumerate(cash):
        if paid > 0.0 and paid >= left:
            return year + float(left / paid)
        left -= float(paid)
    return None


def _series_faults(
    column: str, values: FloatArray, length: int, high: float, unit: str, each: str
) -> Iterable[Fault]:
    if values.shape not in ((), (length,)):
        yield Fault(
            "investment",
            f"must be a number or {length} of them, one for each {each}, not of shape {values.shape}",
            f"give one number, or one for each {each}",
            column=column,
        )
        return
    for value in values.ravel():
        yield from limit_faults("investment", column, float(value), 0.0, high, unit)
