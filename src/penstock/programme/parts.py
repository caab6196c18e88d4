"""The programme's loads, part by part: what each site keeps for it, and what a MWh is worth to it.

A part is a block of a cohort of miners, or a class of AI work, in one zone. It becomes one bid. What a part
takes in the end is decided in `decision.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from penstock.loads.compute import Centre
from penstock.loads.fleet import Fleet
from penstock.market.system import FloatArray, IntArray, System

from .terms import Load, Terms

__all__ = ["Part", "Plan", "Where", "longest_event", "make_plan", "worth_to_people"]

#: low, full: a machine in low-power mode, and what full power adds, or all of one without that mode. late:
#: deferred work, done later in its window. kept: power of AI work that no contract may take beyond what
#: trials have shown. run: all else.
Mode = Literal["low", "full", "run", "late", "kept"]


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """The sites, hour by hour.

    mw: power contracted in each zone. [MW]
    pue: energy of an AI facility per energy of its machines in each zone, shape (hours,). [1]
    month, local_hour: of every hour, 1 to 12 and 0 to 23, shape (hours,).
    """

    mw: Mapping[str, float]
    pue: Mapping[str, FloatArray]
    month: IntArray
    local_hour: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One kind of load in one zone.

    name: of its bid.
    kind: cohort of machines or class of work.
    step: key of the step that interrupts it.
    offered: power that the site keeps for it, shape (hours,); of late work, what it may add. [MW]
    worth_usd_per_mwh: of AI work; of mining, per USD/(PH/s·day) of hashprice. [USD/MWh, PH/s·day/MWh]
    cut_cost_usd_per_mwh: of AI work: what a MWh not delivered costs in an event of typical length. [USD/MWh]
    hashrate_ehs: of the whole part; 0 for AI. [EH/s]
    window_hours: hours in which deferred work is done; 0 where it cannot be deferred. [h]
    defer_cost_usd_per_mwh: what deferring costs whoever wants the work. [USD/MWh]
    """

    name: str
    zone: str
    load: Load
    kind: str
    mode: Mode
    step: str
    offered: FloatArray
    worth_usd_per_mwh: float
    cut_cost_usd_per_mwh: float = 0.0
    hashrate_ehs: float = 0.0
    window_hours: int = 0
    defer_cost_usd_per_mwh: float = 0.0

    @property
    def late(self) -> bool:
        """True for work that was deferred: its energy is no new work."""
        return self.mode == "late"

    def value(self, hashprice: FloatArray) -> FloatArray:
        """What a MWh is worth in each month, shape (12,). [USD/MWh]

        hashprice: of each month, shape (12,). [USD/(PH/s·day)]
        """
        if self.load == "mining":
            return np.asarray(self.worth_usd_per_mwh * hashprice, dtype=np.float64)
        return np.full(len(hashprice), self.worth_usd_per_mwh)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All that is known before the market clears.

    value_of_lost_load: of the market. [USD/MWh]
    people_usd_per_mwh: least that a MWh at a site is worth to people who go without somewhere. [USD/MWh]
    tariff: what the programme pays. [USD/MWh]
    firm: served like firm demand: nobody is interrupted, nothing deferred.
    """

    parts: tuple[Part, ...]
    terms: Terms
    fleet: Fleet
    centre: Centre
    where: Where
    tariff: float
    value_of_lost_load: float
    people_usd_per_mwh: float
    firm: bool

    @property
    def hours(self) -> int:
        """Number of hours."""
        return len(self.where.month)

    def on_time(self, part: Part) -> Part:
        """The work that a late part is deferred from."""
        return next(
            other
            for other in self.parts
            if (other.zone, other.kind, other.mode) == (part.zone, part.kind, "run")
        )

    def contract(self, part: Part) -> str:
        """Key of the contract that the part is under."""
        return self.terms.steps[part.step].contract


def make_plan(
    where: Where,
    terms: Terms,
    *,
    fleet: Fleet,
    centre: Centre,
    mining_share: float,
    tariff: float,
    value_of_lost_load: float,
    firm: bool,
) -> Plan:
    """The parts of a programme: mining first, then AI, each zone by zone.

    mining_share: share of each site's power that mines. [1]
    """
    mining = [
        part
        for zone, megawatts in where.mw.items()
        for part in _mining_parts(zone, megawatts * mining_share, fleet, len(where.month))
    ]
    compute = [
        part
        for zone, megawatts in where.mw.items()
        for part in _compute_parts(
            zone,
            megawatts * (1.0 - mining_share),
            centre,
            where,
            terms.parameters["typical_event_hours"].value,
        )
    ]
    return Plan(
        parts=(*mining, *compute),
        terms=terms,
        fleet=fleet,
        centre=centre,
        where=where,
        tariff=tariff,
        value_of_lost_load=value_of_lost_load,
        people_usd_per_mwh=value_of_lost_load,
        firm=firm,
    )


def worth_to_people(system: System, zones: Iterable[str]) -> float:
    """Least that a MWh in one of the zones is worth to people who go without anywhere. [USD/MWh]

    A MWh sent from a to b is worth there what arrives, less what sending costs: w(a) = (1 − loss)·w(b) − cost
    along the best way, with the value of lost load at the end. Zones that it cannot reach do not count.
    """
    links = [
        (start, end, corridor)
        for corridor in system.corridors
        for start, end, limit in (
            (corridor.from_zone, corridor.to_zone, corridor.forward_limit),
            (corridor.to_zone, corridor.from_zone, corridor.backward_limit),
        )
        if np.max(limit) > 0.0
    ]
    least = system.value_of_lost_load
    sources = set(zones)
    for target in system.zones:
        worth = {target: system.value_of_lost_load}
        for _ in system.zones:
            for start, end, corridor in links:
                if end in worth:
                    sent = (1.0 - corridor.loss) * worth[end] - corridor.cost
                    worth[start] = max(worth.get(start, -np.inf), sent)
        least = min(least, *(worth[zone] for zone in sources if zone in worth), system.value_of_lost_load)
    return float(least)


def _mining_parts(zone: str, megawatts: float, fleet: Fleet, hours: int) -> Iterator[Part]:
    """What full power adds is interrupted in step low_power, the rest in step mining_stopped."""
    scale = megawatts / fleet.mw
    lows = {block.cohort for block in fleet.blocks() if block.mode == "low"}
    for block in fleet.blocks():
        yield Part(
            name=f"mining {zone} {block.cohort} {block.mode}",
            zone=zone,
            load="mining",
            kind=block.cohort,
            mode=block.mode,
            step="low_power" if block.mode == "full" and block.cohort in lows else "mining_stopped",
            offered=np.full(hours, block.mw * scale),
            worth_usd_per_mwh=float(block.break_even_usd_per_mwh(1.0)),
            hashrate_ehs=block.hashrate_ehs * scale,
        )


_STEP_OF = {"deferrable": "work_deferred", "interruptible": "training_paused", "firm": "serving_cut"}


def _compute_parts(
    zone: str, megawatts: float, centre: Centre, where: Where, event_hours: float
) -> Iterator[Part]:
    """Every class; of those that may be cut, the power beyond what trials have shown is kept."""
    pue = where.pue[zone]
    mean_pue = float(pue.mean())
    power = centre.power(megawatts, pue, where.local_hour)
    total = np.sum(list(power.values()), axis=0)
    spare = np.maximum(megawatts - total, 0.0)
    cuttable = centre.response(longest_event(centre))
    # A stopped machine still waits, so cutting a MWh stops more than a MWh of work.
    cuts = {
        kind.key: kind.value_usd_per_mwh(mean_pue) / (1.0 - kind.idle_power_share) for kind in centre.classes
    }
    for kind in centre.classes:
        series = power[kind.key]
        part = Part(
            name=f"ai {zone} {kind.key}",
            zone=zone,
            load="ai",
            kind=kind.key,
            mode="run",
            step=_STEP_OF[kind.step],
            offered=series,
            worth_usd_per_mwh=kind.value_usd_per_mwh(mean_pue),
            cut_cost_usd_per_mwh=cuts[kind.key],
        )
        if kind.step == "firm":
            yield part
            continue
        reach = np.minimum(series, cuttable[kind.key] * total)
        cut_cost = kind.pause_cost_usd_per_mwh(event_hours, mean_pue)
        kept = replace(
            part,
            name=f"{part.name} kept",
            mode="kept",
            step="serving_cut",
            offered=series - reach,
            cut_cost_usd_per_mwh=max(cuts.values()),
        )
        if kind.step == "interruptible" or kind.window_hours is None:
            yield replace(part, offered=reach, cut_cost_usd_per_mwh=cut_cost)
        else:
            run = replace(
                part,
                offered=reach,
                cut_cost_usd_per_mwh=cut_cost,
                window_hours=int(kind.window_hours),
                defer_cost_usd_per_mwh=kind.defer_cost_usd_per_mwh(mean_pue, event_hours),
            )
            yield run
            # Machines that wait, as far as the site's contract has power for them.
            idle = np.minimum(spare, (1.0 - kind.used_share) * series)
            spare = spare - idle
            yield replace(run, name=f"{run.name} late", mode="late", offered=idle)
        yield kept


def longest_event(centre: Centre) -> float:
    """Longest event that a trial has shown. [h]"""
    return max(trial.hours for trial in centre.trials)
