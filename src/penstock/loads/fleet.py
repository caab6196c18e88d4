"""A fleet of mining machines: cohorts, the blocks of demand they make, and what each block is worth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt

from penstock.bitcoin.machines import Machine
from penstock.errors import Fault, FleetError

__all__ = ["Block", "Cohort", "Fleet", "Mode", "limit_faults"]

FloatArray = npt.NDArray[np.float64]
Hashprice = TypeVar("Hashprice", float, FloatArray)
Mode = Literal["low", "full"]


@dataclass(frozen=True, slots=True)
class Block:
    """Demand of one cohort with one value: its machines in low-power mode, or what full power adds.

    cohort: name of the cohort.
    mode: "low" is the machines in low-power mode; "full" is what full power adds to it, or the whole where
        the cohort has no low-power mode.
    mw: power at the meter, cooling included, of the machines that are not out of order. [MW]
    energy_j_per_th: energy at the meter per hash of this block. [J/TH]
    pool_fee_share: share of the income that the pool keeps. [1]
    """

    cohort: str
    mode: Mode
    mw: float
    energy_j_per_th: float
    pool_fee_share: float

    @property
    def hashrate_ehs(self) -> float:
        """Hashrate of this block: 1 MW is 10^6 J/s, and 1 EH is 10^6 TH. [EH/s]"""
        return self.mw / self.energy_j_per_th

    def break_even_usd_per_mwh(self, hashprice_usd_per_ph_day: Hashprice) -> Hashprice:
        """Price of energy at which this block earns nothing; as `hashprice`, a number or array. [USD/MWh]

        hashprice_usd_per_ph_day: income of 1 PH/s in a day, subsidy and fees. [USD/(PH/s·day)]

        A block of P MW and H EH/s earns 1000·H·h·(1 − f) USD a day after the pool's fee f and takes 24·P
        MWh, so it breaks even at

            value = 1000·H·h·(1 − f) / (24·P) = 1000·h·(1 − f) / (24·e),    e = P / H in J/TH.

        A block "full" has P and H as differences: power added and hashrate added. The machines are taken as
        bought: their price is no part of the value.
        """
        usd_per_mwh = 1000.0 * (1.0 - self.pool_fee_share) / (24.0 * self.energy_j_per_th)
        return hashprice_usd_per_ph_day * usd_per_mwh


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Machines of one model and age, run alike.

    name: unique in the fleet. machine: their model, as rated.
    count: machines bought; a fraction of a machine is allowed, as fleets are scaled. [1]
    age_years: [year]
    low_power_share, low_hash_share: power and hashrate in low-power mode over those at full power; None for
        machines without such a mode. The hashrate's share must exceed the power's. [1]
    overhead_share: cooling and losses outside the machine over the machine's power, in either mode. [1]
    pool_fee_share: share of the income that the pool keeps. [1]
    outage_share: machines that are out of order, on average; they draw nothing. [1]
    efficiency_loss_share_per_year: hashrate lost with each year of age at the same power. [1/year]
    capital_usd_per_machine: price of one machine. [USD]

    Raises FleetError with every fault.
    """

    name: str
    machine: Machine
    count: float
    overhead_share: float
    pool_fee_share: float
    outage_share: float
    age_years: float = 0.0
    low_power_share: float | None = None
    low_hash_share: float | None = None
    efficiency_loss_share_per_year: float = 0.0
    capital_usd_per_machine: float = 0.0

    def __post_init__(self) -> None:
        faults = [*_range_faults(self), *_mode_faults(self)]
        if faults:
            raise FleetError(faults)

    @property
    def mw(self) -> float:
        """Power at the meter with every machine that is in order at full power. [MW]"""
        running = self.count * (1.0 - self.outage_share)
        return running * self.machine.power_w * (1.0 + self.overhead_share) / 1e6

    @property
    def hashrate_ehs(self) -> float:
        """Hashrate of the same machines. [EH/s]"""
        running = self.count * (1.0 - self.outage_share)
        return running * self.machine.hashrate_ths * self._kept / 1e6

    @property
    def energy_j_per_th(self) -> float:
        """Energy at the meter per hash at full power: rated W over TH/s, overhead and age added. [J/TH]"""
        rated = self.machine.power_w / self.machine.hashrate_ths
        return rated * (1.0 + self.overhead_share) / self._kept

    @property
    def capital_usd(self) -> float:
        """Price of all machines, those out of order included. [USD]"""
        return self.count * self.capital_usd_per_machine

    @property
    def _kept(self) -> float:
        return float((1.0 - self.efficiency_loss_share_per_year) ** self.age_years)

    def counted(self, count: float) -> Cohort:
        """The same cohort with another number of machines. Raises FleetError where it cannot be one."""
        return replace(self, count=count)

    def blocks(self) -> tuple[Block, ...]:
        """Its blocks: "low" and "full", or "full" alone; MW and hashrate sum to the cohort's.

        With p and s the shares of power and hashrate in low-power mode and e the cohort's energy per hash,
        the block "low" takes e·p / s per hash and the block "full" e·(1 − p) / (1 − s). As s > p, the second
        is the larger, so full power is worth less per MWh than low power.
        """
        mw, energy, fee = self.mw, self.energy_j_per_th, self.pool_fee_share
        power, hashes = self.low_power_share, self.low_hash_share
        if power is None or hashes is None:
            return (Block(self.name, "full", mw, energy, fee),)
        return (
            Block(self.name, "low", mw * power, energy * power / hashes, fee),
            Block(self.name, "full", mw * (1.0 - power), energy * (1.0 - power) / (1.0 - hashes), fee),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Cohorts of one site or programme, and how fast they can be stopped.

    notice_minutes: from the operator's call to the first step. [min]
    ramp_minutes: from full power to none. [min]
    minimum_stop_hours: shortest stop. [h]
    restart_minutes: from the order to full hashrate. [min]

    Raises FleetError with every fault: no cohort, a name twice, a time below 0 or not a number.
    """

    cohorts: tuple[Cohort, ...]
    notice_minutes: float
    ramp_minutes: float
    minimum_stop_hours: float
    restart_minutes: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "cohorts", tuple(self.cohorts))
        faults = list(_fleet_faults(self))
        if faults:
            raise FleetError(faults)

    @property
    def mw(self) -> float:
        """Power at the meter of all cohorts at full power. [MW]"""
        return math.fsum(cohort.mw for cohort in self.cohorts)

    @property
    def hashrate_ehs(self) -> float:
        """Hashrate of all cohorts at full power. [EH/s]"""
        return math.fsum(cohort.hashrate_ehs for cohort in self.cohorts)

    @property
    def capital_usd(self) -> float:
        """Price of all machines. [USD]"""
        return math.fsum(cohort.capital_usd for cohort in self.cohorts)

    @property
    def energy_j_per_th(self) -> float:
        """Energy at the meter per hash at full power, fleet-wide: 1 / Σ w/e, w the shares of MW. [J/TH]

        The fleet must draw some power.
        """
        return self.mw / self.hashrate_ehs

    def blocks(self) -> tuple[Block, ...]:
        """Blocks of every cohort, in their order, "low" before "full"."""
        return tuple(block for cohort in self.cohorts for block in cohort.blocks())

    def scaled_to(self, mw: float) -> Fleet:
        """The same mix at another size: every count times the same factor.

        mw: power at the meter, at full power. [MW]

        Raises FleetError where mw is no finite number of at least 0, or the fleet has no power to scale.
        """
        faults = list(limit_faults("fleet", "mw", mw, 0.0, math.inf, "MW"))
        if not faults and mw > 0.0 and not self.mw > 0.0:
            faults = [
                Fault("fleet", "has no machines to scale up from 0 MW", "give its cohorts a count above 0")
            ]
        if faults:
            raise FleetError(faults)
        factor = mw / self.mw if mw > 0.0 else 0.0
        return replace(self, cohorts=tuple(row.counted(row.count * factor) for row in self.cohorts))


def limit_faults(
    place: str, column: str, value: object, low: float, high: float, unit: str, *, open_high: bool = False
) -> Iterable[Fault]:
    """A fault where a value is no finite number from low to high, high itself refused where `open_high`."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    found = float(cast(Any, value)) if number else math.nan
    inside = math.isfinite(found) and low <= found <= high and not (open_high and found == high)
    if inside:
        return
    limit = f"of at least {low:g}"
    if math.isfinite(high):
        limit = f"from {low:g} to {'below ' if open_high else ''}{high:g}"
    yield Fault(
        place,
        f"must be a finite number {limit} [{unit}]",
        "correct the value; check its unit",
        column=column,
        value=str(value),
    )


#: Field of a cohort, lowest and highest value, unit, whether the highest itself is refused.
_RANGES: tuple[tuple[str, float, float, str, bool], ...] = (
    ("count", 0.0, math.inf, "1", False),
    ("age_years", 0.0, math.inf, "year", False),
    ("overhead_share", 0.0, math.inf, "1", False),
    ("pool_fee_share", 0.0, 1.0, "1", False),
    ("outage_share", 0.0, 1.0, "1", True),
    ("efficiency_loss_share_per_year", 0.0, 1.0, "1/year", True),
    ("capital_usd_per_machine", 0.0, math.inf, "USD", False),
)


def _range_faults(cohort: Cohort) -> Iterable[Fault]:
    place = f"cohort {cohort.name}"
    if not cohort.name:
        yield Fault("cohort", "has no name", "give it one", column="name", value="")
    for name, low, high, unit, open_high in _RANGES:
        yield from limit_faults(place, name, getattr(cohort, name), low, high, unit, open_high=open_high)


def _mode_faults(cohort: Cohort) -> Iterable[Fault]:
    place, power, hashes = f"cohort {cohort.name}", cohort.low_power_share, cohort.low_hash_share
    if power is None and hashes is None:
        return
    if power is None or hashes is None:
        missing = "low_power_share" if power is None else "low_hash_share"
        yield Fault(place, "has one half of a low-power mode", "give both shares or neither", column=missing)
        return
    faults = [
        fault
        for name, value in (("low_power_share", power), ("low_hash_share", hashes))
        for fault in limit_faults(place, name, value, 0.0, 1.0, "1", open_high=True)
    ]
    if not faults and power == 0.0:
        faults = [
            Fault(place, "must be above 0 [1]", "give None for no mode", column="low_power_share", value="0")
        ]
    if not faults and not hashes > power:
        faults = [
            Fault(
                place,
                f"low-power mode keeps {hashes:g} of the hashrate for {power:g} of the power; its share of "
                "the hashrate must exceed its share of the power, or nobody would use it",
                "correct the shares, or give None for machines without the mode",
                column="low_hash_share",
                value=f"{hashes:g}",
            )
        ]
    yield from faults


def _fleet_faults(fleet: Fleet) -> Iterable[Fault]:
    if not fleet.cohorts:
        yield Fault("fleet", "has no cohorts", "give it at least one", column="cohorts")
    names = [cohort.name for cohort in fleet.cohorts]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault("fleet", "two cohorts have this name", "give each its own", column="cohorts", value=name)
    for name, unit in (
        ("notice_minutes", "min"),
        ("ramp_minutes", "min"),
        ("minimum_stop_hours", "h"),
        ("restart_minutes", "min"),
    ):
        yield from limit_faults("fleet", name, getattr(fleet, name), 0.0, math.inf, unit)
