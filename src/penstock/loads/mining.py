"""Bitcoin mining: what a MWh earns, the fleet of a programme, and the bids of a fleet.

The tables of `tables/mining/` have the form of a country's tables; `schema/` there declares them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from penstock.bitcoin.machines import Machine, load_machines
from penstock.country import Parameter, Table
from penstock.country.packaged import parameters_of, read_packaged
from penstock.errors import Fault, FleetError
from penstock.loads.fleet import Block, Cohort, Fleet, limit_faults

__all__ = [
    "SHARE_TOLERANCE",
    "Block",
    "Cohort",
    "Fleet",
    "Machine",
    "Part",
    "break_even_usd_per_mwh",
    "cohort_of",
    "default_fleet",
    "fleet_of",
    "load_machines",
    "low_power_mode",
    "mining_parameters",
    "mining_tables",
    "packaged_fleet",
]

_FOLDER = Path(__file__).parent / "tables" / "mining"

#: Shares of a fleet may miss 1 by this much. [1]
SHARE_TOLERANCE = 1e-6


def break_even_usd_per_mwh(
    hashprice_usd_per_ph_day: float,
    efficiency_j_per_th: float,
    *,
    overhead_share: float,
    pool_fee_share: float,
) -> float:
    """Price of energy at which mining earns nothing. [USD/MWh]

    hashprice_usd_per_ph_day: income of 1 PH/s in a day, subsidy and fees. [USD/(PH/s·day)]
    efficiency_j_per_th: energy of the machines per hash. [J/TH]
    overhead_share: cooling and auxiliaries as a share of the machines' power. [1]
    pool_fee_share: share of the income that the pool keeps. [1]

    1 PH/s is 1,000 TH/s; at e J/TH it draws 1,000·e W = e kW, and with its overhead o it takes
    24·e·(1 + o) kWh a day. The income left after the fee f, h·(1 − f), over that energy in MWh gives

        value = 1000·h·(1 − f) / (24·e·(1 + o)).

    The machines are taken as bought: their price is no part of the value.
    """
    income = hashprice_usd_per_ph_day * (1.0 - pool_fee_share)
    energy_kwh = 24.0 * efficiency_j_per_th * (1.0 + overhead_share)
    return 1000.0 * income / energy_kwh


@cache
def mining_tables() -> Mapping[str, Table]:
    """The tables of `tables/mining/`, by name."""
    return read_packaged(_FOLDER)


@cache
def mining_parameters() -> Mapping[str, Parameter]:
    """The parameters of mining that ship with Penstock, by name, each with its range and source."""
    return parameters_of(mining_tables()["parameters"])


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a fleet: its share of the power at the meter [1], age [year], and whether its firmware has a
    low-power mode."""

    share: float
    age_years: float = 0.0
    low_power: bool = True


def low_power_mode(machine: Machine) -> tuple[float, float] | None:
    """Shares of power and of hashrate that a machine keeps in low-power mode; None where none is known. [1]

    From the row of power_modes.csv whose model is the longest start of the machine's.
    """
    rows = [row for row in mining_tables()["power_modes"] if machine.model.startswith(row["model"])]
    if not rows:
        return None
    row = max(rows, key=lambda row: len(row["model"]))
    return row["low_power_share"], row["low_hash_share"]


def cohort_of(
    machine: Machine,
    mw: float,
    *,
    age_years: float = 0.0,
    low_power: bool = True,
    values: Mapping[str, float] | None = None,
) -> Cohort:
    """A cohort of one machine, named by its id, with the parameters that ship with Penstock.

    mw: power at the meter of the machines that are in order, cooling included. [MW]
    age_years: [year]. low_power: whether the firmware has a low-power mode, where one is known.
    values: values in place of those of `mining_parameters`, by name, in their units.

    Machines are bought for those out of order as well, so that the rest draw `mw`. Raises FleetError with
    every fault: a machine without a price, an unknown name in `values`, a value out of range.
    """
    known = _values(values)
    mode = low_power_mode(machine) if low_power else None
    faults = [*_name_faults(values), *limit_faults("fleet", "mw", mw, 0.0, math.inf, "MW")]
    if machine.price_usd is None:
        faults.append(
            Fault(
                f"machine {machine.id}",
                "has no price [USD]",
                "give one, or choose another",
                column="price_usd",
            )
        )
    if faults:
        raise FleetError(faults)
    one = Cohort(
        name=machine.id,
        machine=machine,
        count=1.0,
        age_years=age_years,
        low_power_share=None if mode is None else mode[0],
        low_hash_share=None if mode is None else mode[1],
        overhead_share=known[f"overhead_{machine.cooling}_share"],
        pool_fee_share=known["pool_fee_share"],
        outage_share=known["outage_share"],
        efficiency_loss_share_per_year=known["efficiency_loss_share_per_year"],
        capital_usd_per_machine=machine.price_usd or 0.0,
    )
    return one.counted(mw / one.mw)


def fleet_of(
    parts: Mapping[str, Part | float], mw: float, *, values: Mapping[str, float] | None = None
) -> Fleet:
    """A fleet of machines of the catalogue by their shares of its power.

    parts: by id of the machine, its `Part` or its share alone; the shares sum to 1 within 1e-6. [1]
    mw: power at the meter of the whole, cooling included. [MW]
    values: values in place of those of `mining_parameters`, by name, in their units.

    Raises FleetError with every fault: no parts, an unknown machine or one without a price, a share out of
    0 to 1, shares that do not sum to 1, a value out of range or with an unknown name.
    """
    given = {name: part if isinstance(part, Part) else Part(part) for name, part in parts.items()}
    faults = list(_part_faults(given))
    faults.extend(limit_faults("fleet", "mw", mw, 0.0, math.inf, "MW"))
    faults.extend(_name_faults(values))
    if faults:
        raise FleetError(faults)
    machines = load_machines()
    cohorts: list[Cohort] = []
    for name, part in given.items():
        try:
            cohorts.append(
                cohort_of(
                    machines[name],
                    mw * part.share,
                    age_years=part.age_years,
                    low_power=part.low_power,
                    values=values,
                )
            )
        except FleetError as error:
            faults.extend(error.faults)
    if faults:
        raise FleetError(faults)
    known = _values(values)
    return Fleet(
        cohorts=tuple(cohorts),
        notice_minutes=known["notice_minutes"],
        ramp_minutes=known["ramp_minutes"],
        minimum_stop_hours=known["minimum_stop_hours"],
        restart_minutes=known["restart_minutes"],
    )


def packaged_fleet(name: str, mw: float, *, values: Mapping[str, float] | None = None) -> Fleet:
    """A fleet of cohorts.csv: "new_site", what a new site would get, or "texas", that of the ERCOT check.

    mw, values: as in `fleet_of`. Raises FleetError for another name, and as `fleet_of` does.
    """
    rows = mining_tables()["cohorts"].where(fleet=name)
    if not len(rows):
        known = sorted(set(mining_tables()["cohorts"].column("fleet")))
        raise FleetError(
            Fault(
                "cohorts.csv", f"has no such fleet; it has {', '.join(known)}", "use one of them", value=name
            )
        )
    parts = {row["machine"]: Part(row["share"], row["age_years"], row["low_power"]) for row in rows}
    return fleet_of(parts, mw, values=values)


def default_fleet(mw: float, *, values: Mapping[str, float] | None = None) -> Fleet:
    """The fleet that a new site is taken to get. mw, values: as in `fleet_of`. Raises FleetError.

    Air-cooled machines of the present generation over three steps of price and efficiency, and used ones:
    which machines come is an assumption, its range in cohorts.csv.
    """
    return packaged_fleet("new_site", mw, values=values)


def _values(values: Mapping[str, float] | None) -> Mapping[str, float]:
    defaults = {name: row.value for name, row in mining_parameters().items()}
    return MappingProxyType(defaults | dict(values or {}))


def _name_faults(values: Mapping[str, float] | None) -> Iterable[Fault]:
    for name in values or {}:
        if name not in mining_parameters():
            yield Fault(
                "values",
                f"is no parameter of mining; they are {', '.join(mining_parameters())}",
                "use one of them",
                value=name,
            )


def _part_faults(parts: Mapping[str, Part]) -> Iterable[Fault]:
    if not parts:
        yield Fault("fleet", "has no machines", "name at least one machine and its share", column="parts")
        return
    sound = True
    for name, part in parts.items():
        if name not in load_machines():
            yield Fault(
                "fleet",
                "is no machine of the catalogue",
                "use an id of machines.csv",
                column="parts",
                value=name,
            )
        column = f"share of {name}"
        faults = list(limit_faults("fleet", column, part.share, 0.0, 1.0 + SHARE_TOLERANCE, "1"))
        sound = sound and not faults
        yield from faults
    total = math.fsum(part.share for part in parts.values()) if sound else 1.0
    if abs(total - 1.0) > SHARE_TOLERANCE:
        yield Fault(
            "fleet",
            f"the shares sum to {total:.9g}, not to 1 within {SHARE_TOLERANCE:g} [1]",
            "correct the shares so that they sum to 1",
            column="parts",
        )
