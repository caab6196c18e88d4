"""Hosting capacity: the most flat load that passes every guardrail, by place, firm and interruptible.

The load draws the same power in every hour. It pays the tariff that is asked for, or its full cost per kWh
where that is more, so that no clause on money fails only since the tariff is low: another question. Firm, it
counts as demand. Interruptible at a share x, people and plants come first: it is cut where the
system is short, in the market year and in years of outages, and what is cut may be x of its energy.

A clause holds up to some size and fails above it. Its own limit is found by halving, clause by clause, which
shows what would bind next if the first one moved; the hosting capacity is the least of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from penstock.study.bills import home_weight

from .headroom import Headroom, headroom
from .trials import BY_OUTAGES, FLAT, Trial, Trials

__all__ = [
    "INTERRUPTION",
    "LEVELS",
    "TOLERANCE",
    "Hosting",
    "HostingRow",
    "fails_at",
    "find_hosting",
    "size_load",
]

#: Shares of an interruptible load's energy that may be cut, as Norris et al. and beyond. [1]
LEVELS = (0.0025, 0.005, 0.01, 0.05)
#: How near the size that fails lies above the one that passes. [1]
TOLERANCE = 0.002
#: Smallest load that is tried, and the largest, as a multiple of the peak of demand. [MW, 1]
_LEAST_MW, _MOST_PEAKS = 1.0, 1.0
#: Stands among the clauses: the load is cut beyond the share that may be cut.
INTERRUPTION = "interruption"

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class HostingRow:
    """The hosting capacity of one place.

    place: zone, or "together" for the shares of the programme's sites.
    share: of its energy that may be cut; None for a firm load. [1]
    mw: up to which every binding clause holds. [MW]
    binding: id of the clause that fails above it; None where none fails up to `most_mw`. [MW]
    by_clause: the size up to which each binding clause holds by itself, for those that fail somewhere. [MW]
    reported: the same of clauses that do not decide, for those that hold at 1 MW. [MW]
    headroom: the simple method on the same hours; that of a share of 0 for a firm load.
    """

    place: str
    share: float | None
    mw: float
    binding: str | None
    most_mw: float
    by_clause: Mapping[str, float]
    reported: Mapping[str, float]
    headroom: Headroom


@dataclass(frozen=True, slots=True)
class Hosting:
    """Every place and level. tariff_per_kwh: least tariff. [the country's currency/kWh]"""

    tariff_per_kwh: float
    sites: Mapping[str, float]
    rows: tuple[HostingRow, ...]

    def row(self, place: str, share: float | None) -> HostingRow:
        """The row of a place and level. Raises KeyError where there is none."""
        for row in self.rows:
            if row.place == place and row.share == share:
                return row
        raise KeyError(f"no hosting capacity of {place} at {share}")


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def find_hosting(
    trials: Trials,
    sites: Mapping[str, float],
    *,
    tariff_per_kwh: float,
    levels: Sequence[float] = LEVELS,
    workers: int = 2,
    progress: Progress = _silent,
) -> Hosting:
    """The hosting capacity of every home zone alone and of the sites together.

    sites: share of a load in each zone when it is placed together; sums to 1. [1]
    tariff_per_kwh: least tariff. [the country's currency/kWh]
    levels: shares of energy that may be cut. [1]
    """
    country = trials.country
    places: dict[str, Mapping[str, float]] = {"together": dict(sites)}
    places |= {zone: {zone: 1.0} for zone in country.home_zones}
    # Levels of a place ask for many of the same trials: side by side are different places.
    asked = [(place, share) for share in (None, *levels) for place in places]

    def find(case: tuple[str, float | None]) -> HostingRow:
        place, share = case
        return size_load(trials, place, places[place], share, tariff_per_kwh)

    found: dict[tuple[str, float | None], HostingRow] = {}
    with ThreadPoolExecutor(workers) as executor:
        for case, row in zip(asked, executor.map(find, asked), strict=True):
            found[case] = row
            progress(f"Sizing loads, {len(found)} of {len(asked)} done", len(found) / len(asked))
    rows = tuple(found[place, share] for place in places for share in (None, *levels))
    return Hosting(tariff_per_kwh, dict(sites), rows)


def fails_at(trial: Trial, share: float | None) -> dict[str, bool]:
    """Clauses on the programme that a load fails, by id, and whether each decides.

    `interruption` is among them where it is cut beyond its share.
    """
    failed = {
        row.clause.id: row.decides
        for row in trial.judgement.findings
        if row.clause.subject == "programme" and row.status in ("failed", "no input")
    }
    if share is not None and _cut_share(trial) > share:
        failed[INTERRUPTION] = True
    return failed


def _cut_share(trial: Trial) -> float:
    return max((row.value for row in trial.measures["interrupted_share"] if row.place == FLAT), default=0.0)


def size_load(
    trials: Trials, place: str, sites: Mapping[str, float], share: float | None, tariff_per_kwh: float
) -> HostingRow:
    """The hosting capacity of one place at one level.

    place: its name; "together" for sites whose headroom is that of all demand. sites: share of the load in
        each zone; sums to 1. [1] share: as in `HostingRow`. tariff_per_kwh: least tariff. [currency/kWh]
    """
    country = trials.country
    zones = [country.zones.index(zone) for zone, part in sites.items() if part > 0.0]
    demand = np.asarray(trials.prepared.system.demand)
    whole = demand @ home_weight(country)
    local = whole if place == "together" else demand[:, zones].sum(axis=1)
    most = _MOST_PEAKS * float(whole.max())
    least_tariff = tariff_per_kwh * 1000.0 / country.usd_rate

    def failed(mw: float, outages: bool = True) -> dict[str, bool]:
        trial = trials.flat(mw, sites, firm=share is None, least_tariff=least_tariff, outages=outages)
        return fails_at(trial, share)

    def largest(clause: str, most: float) -> float:
        outages = clause in by_outages
        return _largest(lambda mw: clause not in failed(mw, outages), most)

    by_outages = {INTERRUPTION} | {row.id for row in trials.policy.clauses if row.metric in BY_OUTAGES}
    by_clause: dict[str, float] = {}
    reported: dict[str, float] = {}
    mw, new = most, failed(most)
    while new:  # a clause that holds at the most may still fail below it
        # Those that need outages first: the others use their trials where they are the same.
        sizes = {clause: largest(clause, mw) for clause in sorted(new, key=lambda row: row not in by_outages)}
        for clause, decides in new.items():
            (by_clause if decides else reported)[clause] = sizes[clause]
        mw = min(by_clause.values(), default=most)
        there = failed(mw) if mw > 0.0 else {}
        new = {key: decides for key, decides in there.items() if key not in {**by_clause, **reported}}
    return HostingRow(
        place=place,
        share=share,
        mw=mw,
        binding=min(by_clause, key=lambda key: by_clause[key]) if by_clause else None,
        most_mw=most,
        by_clause=by_clause,
        reported={key: size for key, size in reported.items() if size > 0.0},
        headroom=headroom(local, trials.prepared.hours.month, share or 0.0),
    )


def _largest(holds: Callable[[float], bool], most: float) -> float:
    """The largest size that holds, to `TOLERANCE`; 0 where the least does not. It fails at the most. [MW]"""
    low, high = _LEAST_MW, most
    if not holds(low):
        return 0.0
    while high > low * (1.0 + TOLERANCE):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
