"""What a fleet does to the hashprice it earns: the difficulty makes 144 blocks a day, whoever mines.

The network's income of a day, R, does not depend on how much is mined. So the hashprice h solves

    1000 · h · (own(h) + others(h)) = R,

with hashrates in EH/s (1000 PH/s each). The left side rises in h, so there is one root; where the own fleet
comes in steps, the root may lie on a step: then the step runs in part, since with all of it the hashprice
would fall below its break-even and with none of it rise above.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from penstock.country.country import FloatArray
from penstock.errors import BitcoinError, Fault

from .world import HashSupply

__all__ = ["Equilibrium", "Own", "OwnEffect", "own_effect", "settle", "settle_months"]

#: A fleet: its hashrate [EH/s], or steps of (break-even hashprice [USD/(PH/s·day)], hashrate [EH/s]).
Own = float | Sequence[tuple[float, float]]

#: Points of a round, ends included: each round narrows the bracket at least ninefold, twenty 10^19-fold.
_POINTS = 10


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Where hashprice and hashrate settle.

    hashprice_usd_per_ph_day: [USD/(PH/s·day)]
    own_ehs, others_ehs, network_ehs: hashrate that runs: the fleet's, the rest of the world's, both. [EH/s]
    rounds: rounds of the search, of the longer of the two (with and without the fleet); a root on a step
        takes none.
    converged: whether `residual` is within the tolerance; if not, the figures are the best ones found.
    residual: relative difference between `network_ehs` and the hashrate that R would pay at this hashprice,
        the larger of the two searches. The left side rises at least in proportion to h, so hashprice and
        network hashrate are off by no more than this. [1]
    marginal_step: index, in `own`, of the step that runs in part; None where there is none.
    marginal_share: share of that step that runs, in (0, 1]; None where there is none. [1]
    others_left_ehs: hashrate of the rest of the world that the fleet displaces. [EH/s]
    """

    hashprice_usd_per_ph_day: float
    own_ehs: float
    others_ehs: float
    network_ehs: float
    rounds: int
    converged: bool
    residual: float
    marginal_step: int | None
    marginal_share: float | None
    others_left_ehs: float


@dataclass(frozen=True, slots=True)
class OwnEffect:
    """How much a fleet lowers the hashprice, with and without the answer of the rest of the world.

    own_ehs: the fleet. [EH/s]
    hashprice_before, hashprice_after, hashprice_without_response: without the fleet, with it, and with it if
        nobody left. [USD/(PH/s·day)]
    share, share_without_response: the fleet's share of the network's hashrate. [1]
    others_left_ehs: hashrate of the rest of the world that leaves. [EH/s]
    income_lost_usd_per_day, income_lost_without_response_usd_per_day: the fleet's income at the hashprice
        before, less its income at the one after. [USD/day]
    converged, residual: as of `Equilibrium`.
    """

    own_ehs: float
    hashprice_before: float
    hashprice_after: float
    hashprice_without_response: float
    share: float
    share_without_response: float
    others_left_ehs: float
    income_lost_usd_per_day: float
    income_lost_without_response_usd_per_day: float
    converged: bool
    residual: float

    @property
    def fall(self) -> float:
        """Share of the hashprice, so of the fleet's income, that is lost; the others answer. [1]"""
        return 1.0 - self.hashprice_after / self.hashprice_before

    @property
    def fall_without_response(self) -> float:
        """The same if nobody left: the fleet's share of the hashrate. [1]"""
        return 1.0 - self.hashprice_without_response / self.hashprice_before


def settle(
    revenue_usd_per_day: float,
    supply: HashSupply,
    own: Own,
    *,
    start: float | None = None,
    tolerance: float = 1e-6,
    rounds: int = 20,
) -> Equilibrium:
    """Hashprice and hashrate once the difficulty has adjusted; see the module's docstring.

    revenue_usd_per_day: R, what the network earns in a day of 144 blocks, subsidy and fees. [USD/day]
    own: the fleet: a hashrate that runs at any hashprice [EH/s], or steps of a break-even hashprice
        [USD/(PH/s·day)] and the hashrate [EH/s] that runs from it on; those of one break-even come in their
        order. An empty sequence is no fleet.
    start: first guess of the hashprice, any number above 0; None for the middle of the bracket.
        [USD/(PH/s·day)]
    tolerance: largest residual of a converged result. [1]
    rounds: most rounds of each search.

    The root lies between R/(1000·(own + K)), as no more than all of it can run, and the lower of R/(1000·own)
    and of the hashprice at which at least K/2 runs and earns R. Every round tries the Newton step in the
    logarithm of the hashprice and ten points of the bracket, so a bad step or start costs only its point.

    Raises BitcoinError with every argument outside its limits.
    """
    _check(revenue_usd_per_day, own, start, tolerance, rounds)
    steps = _steps(own)
    base = 0.0 if isinstance(own, Sequence) else float(own)
    problem = _Problem(revenue_usd_per_day, supply, start, tolerance, rounds)
    found = problem.with_steps(base, steps)
    total = found.own_ehs
    if total > 0.0:
        before = problem.continuous(0.0)
        left = before.others_ehs - found.others_ehs
    else:
        before, left = found, 0.0
    residual = max(found.residual, before.residual)
    return Equilibrium(
        hashprice_usd_per_ph_day=found.hashprice,
        own_ehs=total,
        others_ehs=found.others_ehs,
        network_ehs=total + found.others_ehs,
        rounds=max(found.rounds, before.rounds),
        converged=residual <= tolerance,
        residual=residual,
        marginal_step=found.step,
        marginal_share=found.share,
        others_left_ehs=left,
    )


def settle_months(
    revenue_usd_per_day: FloatArray, supplies: Sequence[HashSupply], own: Sequence[Own]
) -> tuple[Equilibrium, ...]:
    """`settle` month by month; revenue of shape (months,), one supply and one fleet for each.

    Raises BitcoinError where the three differ in length, and as `settle` does.
    """
    counts = (len(revenue_usd_per_day), len(supplies), len(own))
    if len(set(counts)) != 1:
        problem = "revenue, supplies and own must have one entry for each month; they have {}, {} and {}"
        raise BitcoinError(Fault("months", problem.format(*counts), "give as many of each"))
    return tuple(
        settle(float(revenue), supply, fleet)
        for revenue, supply, fleet in zip(revenue_usd_per_day, supplies, own, strict=True)
    )


def own_effect(revenue_usd_per_day: float, supply: HashSupply, own_ehs: float) -> OwnEffect:
    """What a fleet that always runs does to the hashprice and to its own income.

    revenue_usd_per_day: what the network earns in a day. [USD/day]; own_ehs: the fleet. [EH/s]

    Raises BitcoinError as `settle` does.
    """
    before = settle(revenue_usd_per_day, supply, 0.0)
    after = settle(revenue_usd_per_day, supply, own_ehs)
    hashprice = before.hashprice_usd_per_ph_day
    crowded = own_ehs + before.others_ehs
    alone = revenue_usd_per_day / (1000.0 * crowded)
    return OwnEffect(
        own_ehs=own_ehs,
        hashprice_before=hashprice,
        hashprice_after=after.hashprice_usd_per_ph_day,
        hashprice_without_response=alone,
        share=own_ehs / after.network_ehs,
        share_without_response=own_ehs / crowded,
        others_left_ehs=after.others_left_ehs,
        income_lost_usd_per_day=1000.0 * own_ehs * (hashprice - after.hashprice_usd_per_ph_day),
        income_lost_without_response_usd_per_day=1000.0 * own_ehs * (hashprice - alone),
        converged=before.converged and after.converged,
        residual=max(before.residual, after.residual),
    )


# --- the search ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    hashprice: float
    own_ehs: float
    others_ehs: float
    rounds: int
    residual: float
    step: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class _Problem:
    """One search: revenue [USD/day], supply, first guess, tolerance and most rounds."""

    revenue: float
    supply: HashSupply
    start: float | None
    tolerance: float
    rounds: int

    def with_steps(self, base: float, steps: list[tuple[float, float, int]]) -> _Found:
        """Walk up the steps to the one that the root lies on or below."""
        if not steps:
            return self.continuous(base)
        thresholds = np.array([threshold for threshold, _, _ in steps])
        others = self.supply.hashrate_ehs(thresholds)
        below, floor = base, 0.0
        for (threshold, size, index), rest in zip(steps, others.tolist(), strict=True):
            room = self.revenue / (1000.0 * threshold) - rest
            if room <= below:
                return self.continuous(below, floor, threshold)
            if room <= below + size:
                share = (room - below) / size
                own = below + share * size
                residual = abs((own + rest) * 1000.0 * threshold / self.revenue - 1.0)
                return _Found(threshold, own, rest, 0, residual, index, share)
            below, floor = below + size, threshold
        return self.continuous(below, floor)

    def continuous(self, own: float, floor: float = 0.0, ceiling: float = math.inf) -> _Found:
        """The root for a fixed own hashrate, known to lie between two hashprices."""
        capacity = self.supply.capacity_ehs
        high = max(self.supply.half_hashprice_usd_per_ph_day(), self.revenue / (500.0 * capacity))
        if own > 0.0:
            high = min(high, self.revenue / (1000.0 * own))
        low = math.log(max(floor, self.revenue / (1000.0 * (own + capacity))))
        high = max(low, math.log(min(high, ceiling)))
        guess = 0.5 * (low + high) if self.start is None else min(max(math.log(self.start), low), high)
        best = _Found(math.exp(guess), own, math.nan, 0, math.inf)
        for count in range(1, self.rounds + 1):
            points = np.sort(np.append(np.linspace(low, high, _POINTS), guess))
            hashprice = np.exp(points)
            others = self.supply.hashrate_ehs(hashprice)
            ratio = 1000.0 * hashprice * (own + others) / self.revenue
            pick = int(np.argmin(np.abs(ratio - 1.0)))
            residual = abs(float(ratio[pick]) - 1.0)
            if residual <= best.residual:
                best = _Found(float(hashprice[pick]), own, float(others[pick]), count, residual)
            if best.residual <= self.tolerance:
                break
            above = int(np.searchsorted(ratio, 1.0))
            low, high = float(points[max(above - 1, 0)]), float(points[min(above, len(points) - 1)])
            guess = self._newton(float(points[pick]), float(ratio[pick]), own, low, high)
        return _Found(best.hashprice, own, best.others_ehs, count, best.residual)

    def _newton(self, point: float, ratio: float, own: float, low: float, high: float) -> float:
        """Newton's step on the logarithm of the left side over the right, or the middle of the bracket."""
        if ratio > 0.0:
            hashprice = math.exp(point)
            rise = float(self.supply.slope(hashprice)) * hashprice
            slope = 1.0 + rise * 1000.0 * hashprice / (ratio * self.revenue)
            step = point - math.log(ratio) / slope
            if low < step < high:
                return step
        return 0.5 * (low + high)


def _steps(own: Own) -> list[tuple[float, float, int]]:
    """Steps in the order in which they start: break-even hashprice, hashrate, index in `own`."""
    if not isinstance(own, Sequence):
        return []
    listed = [
        (float(threshold), float(size), index) for index, (threshold, size) in enumerate(own) if size > 0.0
    ]
    return sorted(listed, key=lambda step: step[0])


def _check(revenue: float, own: Own, start: float | None, tolerance: float, rounds: int) -> None:
    faults = [*_number_faults("revenue_usd_per_day", revenue, "USD/day")]
    if start is not None:
        faults += _number_faults("start", start, "USD/(PH/s·day)")
    faults += _number_faults("tolerance", tolerance, "1")
    if rounds < 1:
        faults.append(Fault("rounds", "must be at least 1", "give a whole number", value=repr(rounds)))
    if not isinstance(own, Sequence):
        faults += _number_faults("own", own, "EH/s", zero=True)
    else:
        for index, (threshold, size) in enumerate(own):
            faults += _number_faults(f"own, step {index}, hashprice", threshold, "USD/(PH/s·day)")
            faults += _number_faults(f"own, step {index}, hashrate", size, "EH/s", zero=True)
    if faults:
        raise BitcoinError(faults)


def _number_faults(place: str, value: float, unit: str, *, zero: bool = False) -> Iterable[Fault]:
    if not (0.0 < value < math.inf or (zero and value == 0.0)):
        limit = "of at least 0" if zero else "above 0"
        yield Fault(place, f"must be a number {limit} [{unit}]", "give one", value=repr(value))
