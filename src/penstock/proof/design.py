"""The design: the programme of the largest public benefit that passes every guardrail.

Searched are size, share of mining, places, firmness and tariff. The benefit is what all others gain together:
what the programme pays less what the system's cost changes by, in USD a year. No load pays more than the
ordinary tariff of industry, at which anyone may connect: that is the highest tariff that is tried.

The search goes over a coarse grid of all shares and places, then climbs from the best design of each share of
mining, firm and interruptible, in steps that halve until they are fine. It is no proof of an optimum; the
points that were tried are counted. What passes is proved: every guardrail is judged on the cleared year.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from penstock.country import Country
from penstock.errors import Fault, ProgrammeError
from penstock.policy import Finding, Move, required_move
from penstock.programme import Programme

from .trials import Trial, Trials

__all__ = ["Design", "DesignSearch", "Obstacle", "check_bounds", "highest_tariff_of", "search_design"]

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Steps of size and tariff that the search starts and ends with, as a share of the largest. [1]
_FIRST, _LAST = 0.25, 1.0 / 256.0
#: The lowest tariff over what a kWh causes. [1]
_ABOVE = 1.05
#: Neighbours of a design: steps in size and in tariff.
_AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1))

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """One programme that was tried. place: name of its sites."""

    programme: Programme
    place: str
    trial: Trial

    @property
    def passed(self) -> bool:
        """Whether every binding guardrail in force passes."""
        return self.trial.judgement.passed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """Binding findings that do not pass."""
        return tuple(
            row
            for row in self.trial.judgement.findings
            if row.clause.binding and row.status in ("failed", "no input")
        )


@dataclass(frozen=True, slots=True, eq=False)
class Obstacle:
    """A guardrail that alone keeps a design from passing. move: of its limit, that would let the design pass;
    None where no limit would."""

    finding: Finding
    move: Move | None
    design: Design


@dataclass(frozen=True, slots=True, eq=False)
class DesignSearch:
    """What the search found.

    best: of all designs that pass, the one with the largest benefit; None where nothing passes.
    runner_up: the best among those of other places, firmness or mining share.
    by_share: the best that passes for each share of mining; None where nothing does.
    obstacles: where nothing passes, guardrails of which one would have to move, least relative move first.
    nearest: where nothing passes, the design that misses by least.
    tried: designs that were cleared. highest_tariff_per_kwh, most_mw: bounds of the search.
    """

    best: Design | None
    runner_up: Design | None
    by_share: Mapping[float, Design | None]
    obstacles: tuple[Obstacle, ...]
    nearest: Design | None
    tried: int
    highest_tariff_per_kwh: float
    most_mw: float


def highest_tariff_of(country: Country) -> float:
    """The highest tariff that is tried: the country's `programme_highest_tariff_per_kwh`. [currency/kWh]

    Raises ProgrammeError where the country does not give it.
    """
    name = "programme_highest_tariff_per_kwh"
    if name not in country.table("parameters").column("parameter"):
        raise ProgrammeError(
            Fault(
                "parameters.csv",
                f"the parameter {name} [{country.currency}/kWh] is missing: no design can be searched",
                f"add a row for {name}: what industry ordinarily pays, with its source",
                column="parameter",
            )
        )
    return country.parameter(name).value


def check_bounds(country: Country, *, most_mw: float, highest_tariff_per_kwh: float) -> None:
    """Raise ProgrammeError naming every bound within which there is nothing to search.

    most_mw: [MW]. highest_tariff_per_kwh: [the country's currency/kWh]
    """
    faults = [
        Fault(name, f"must be a finite number {what} [{unit}]", "give a greater one", value=f"{value:g}")
        for name, value, unit, what, sound in (
            ("most_mw", most_mw, "MW", "above 0", most_mw > 0.0),
            (
                "highest_tariff_per_kwh",
                highest_tariff_per_kwh,
                f"{country.currency}/kWh",
                "of at least 0",
                highest_tariff_per_kwh >= 0.0,
            ),
        )
        if not (sound and math.isfinite(value))
    ]
    if faults:
        raise ProgrammeError(faults)


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def search_design(
    trials: Trials,
    proposed: Programme,
    *,
    highest_tariff_per_kwh: float,
    lowest_tariff_per_kwh: float | None = None,
    most_mw: float | None = None,
    shares: Sequence[float] = SHARES,
    workers: int = 2,
    progress: Progress = _silent,
) -> DesignSearch:
    """Search size, mining share, places, firmness and tariff.

    proposed: where the search starts, and what is not searched: its machines and its AI work.
    highest_tariff_per_kwh, lowest_tariff_per_kwh: bounds of the tariff; None for a lowest one just above what
        a kWh of the proposed programme causes: below it others pay. [the country's currency/kWh]
    most_mw: largest size; None for the proposed one. [MW]
    shares: of mining. [1]

    Raises ProgrammeError as `check_bounds` does.
    """
    most = proposed.mw if most_mw is None else most_mw
    check_bounds(trials.country, most_mw=most, highest_tariff_per_kwh=highest_tariff_per_kwh)
    lowest = lowest_tariff_per_kwh
    if lowest is None:
        caused = trials.programme(proposed).needs.get("marginal", 0.0)
        lowest = min(_ABOVE * max(caused, 0.0), highest_tariff_per_kwh)
    box = _Box(most, lowest, highest_tariff_per_kwh)
    places = {"as proposed": dict(proposed.sites)} | {
        zone: {zone: 1.0} for zone in trials.country.home_zones if dict(proposed.sites) != {zone: 1.0}
    }
    kinds = [(share, place) for share in shares for place in places]
    found: list[Design] = []

    def look(kind: tuple[float, str]) -> list[Design]:
        share, place = kind
        return _look(trials, replace(proposed, mining_share=share, sites=places[place]), place, box)

    def climb(start: Design) -> list[Design]:
        return _climb(trials, start, box)

    with ThreadPoolExecutor(workers) as executor:
        for number, designs in enumerate(executor.map(look, kinds), start=1):
            found.extend(designs)
            progress(f"Looking over designs, {len(found)} tried", 0.4 * number / len(kinds))
        heads = [
            replace(head, programme=replace(head.programme, firm=firm))
            for share in shares
            for head in (max((row for row in found if row.programme.mining_share == share), key=_rank),)
            for firm in (False, True)
        ]
        for number, designs in enumerate(executor.map(climb, heads), start=1):
            found.extend(designs)
            progress(f"Refining designs, {len(found)} tried", 0.4 + 0.6 * number / len(heads))
    return _result(found, shares, box)


@dataclass(frozen=True, slots=True)
class _Box:
    """Bounds. [MW, the country's currency/kWh]"""

    most_mw: float
    lowest: float
    highest: float


def _design(trials: Trials, template: Programme, place: str, box: _Box, size: float, level: float) -> Design:
    """The programme at a size and a tariff, both as shares of their ranges."""
    programme = replace(
        template,
        mw=box.most_mw * size,
        tariff_per_kwh=box.lowest + level * (box.highest - box.lowest),
    )
    return Design(programme, place, trials.programme(programme))


def _look(trials: Trials, template: Programme, place: str, box: _Box) -> list[Design]:
    """A coarse grid over size and tariff."""
    sizes = [_FIRST * number for number in range(1, round(1.0 / _FIRST) + 1)]
    return [
        _design(trials, template, place, box, size, level)
        for size, level in itertools.product(sizes, (0.0, 0.5, 1.0))
    ]


def _climb(trials: Trials, start: Design, box: _Box) -> list[Design]:
    """Pattern search over size and tariff: the steps halve where nothing around is better."""
    tried: dict[tuple[float, float], Design] = {}

    def at(size: float, level: float) -> Design:
        key = (min(max(size, _LAST), 1.0), min(max(level, 0.0), 1.0))
        if key not in tried:
            tried[key] = _design(trials, start.programme, start.place, box, *key)
        return tried[key]

    size = start.programme.mw / box.most_mw
    span = box.highest - box.lowest
    level = (start.programme.tariff_per_kwh - box.lowest) / span if span > 0.0 else 0.0
    best, step = at(size, level), _FIRST / 2.0
    while step > _LAST:
        around = [(size + step * up, level + step * right) for up, right in _AROUND]
        place = max(around, key=lambda point: _rank(at(*point)))
        if _rank(at(*place)) > _rank(best):
            best = at(*place)
            size, level = (min(max(place[0], _LAST), 1.0), min(max(place[1], 0.0), 1.0))
        else:
            step /= 2.0
    return list(tried.values())


def _rank(design: Design) -> tuple[bool, float, bool]:
    """Those that pass first, by benefit; of those that do not, the one nearest to passing. Of equals, the
    interruptible one."""
    merit = design.trial.benefit_usd if design.passed else -_distance(design)
    return design.passed, merit, not design.programme.firm


def _distance(design: Design) -> float:
    """Sum over failing guardrails of how far each is beyond its limit, in shares of the limit or of 1."""
    return sum(
        1.0 if row.margin is None else -row.margin / max(abs(row.limit or 0.0), 1.0) for row in design.failed
    )


def _result(found: Sequence[Design], shares: Sequence[float], box: _Box) -> DesignSearch:
    passing = sorted((row for row in found if row.passed), key=_rank, reverse=True)
    best = passing[0] if passing else None
    runner_up = next((row for row in passing if best is not None and _kind(row) != _kind(best)), None)
    by_share = {
        share: next((row for row in passing if row.programme.mining_share == share), None) for share in shares
    }
    return DesignSearch(
        best,
        runner_up,
        by_share,
        () if passing else _obstacles(found),
        min(found, key=_distance, default=None) if not passing else None,
        len(found),
        box.highest,
        box.most_mw,
    )


def _kind(design: Design) -> tuple[float, str, bool]:
    return design.programme.mining_share, design.place, design.programme.firm


def _obstacles(found: Sequence[Design]) -> tuple[Obstacle, ...]:
    """For each guardrail that alone stops some design: the design that needs the least move of it."""
    least: dict[str, Obstacle] = {}
    for design in found:
        if len(design.failed) != 1:
            continue
        finding = design.failed[0]
        known, here = least.get(finding.clause.id), Obstacle(finding, required_move(finding), design)
        if known is None or _by(here) < _by(known):
            least[finding.clause.id] = here
    return tuple(sorted(least.values(), key=_by))


def _by(obstacle: Obstacle) -> float:
    """The move as a share of the limit, or of 1 where that is less."""
    if obstacle.move is None:
        return float("inf")
    return obstacle.move.amount / max(abs(obstacle.finding.limit or 0.0), 1.0)
