"""Trials: one country's year, cleared once without a load and again for every load that is tried.

A trial is a programme at a tariff, or a flat load. Each is cleared once, however often it is asked for.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from penstock.country import Country
from penstock.market import Bid, Clearing, clear
from penstock.market.adequacy import OutageModel
from penstock.market.system import FloatArray
from penstock.policy import Judgement, Measures, Policy, judge
from penstock.programme import Programme
from penstock.programme.parts import worth_to_people
from penstock.programme.recovery import BASES, Recovery
from penstock.programme.terms import load_terms
from penstock.study.adequacy import LOAD, Adequacy, assess, load_of, outage_model, taken_by_zone
from penstock.study.guardrails import OUTAGE_YEARS, SEED, programme_outcome
from penstock.study.measures import Outcome, measures_of, outcome_of
from penstock.study.prepared import Prepared, add_programme

__all__ = ["BY_OUTAGES", "FLAT", "Trial", "Trials", "make_trials"]

#: Metrics that depend on years of outages, of a flat load.
BY_OUTAGES = frozenset({"lole_change", "eue_change", "lole", "interrupted_share"})
#: Name of the contract of a flat load.
FLAT = "flat load"
#: A firm flat load bids this multiple of the value of lost load, so that all that is short, losses on the way
#: to it included, is short of people. [1]
_FIRM_FACTOR = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One load, cleared and judged; the clearing itself is not kept.

    mw: power offered. [MW]
    tariff_per_kwh: what it pays. [the country's currency/kWh]
    energy_mwh: what it takes. [MWh]
    payment_usd, added_cost_usd: what it pays, and what the system's cost changes by. [USD]
    recovered: what it causes, per energy; None where it takes none.
    needs: lowest tariff that recovers the year's cost on each basis, from `recovered`; empty where it takes
        none. [the country's currency/kWh]
    settled: whether market, contracts and Bitcoin network agree.
    """

    mw: float
    tariff_per_kwh: float
    energy_mwh: float
    payment_usd: float
    added_cost_usd: float
    recovered: Recovery | None
    needs: Mapping[str, float]
    measures: Measures
    judgement: Judgement
    settled: bool = True

    @property
    def benefit_usd(self) -> float:
        """What all others gain together: payment less added cost. [USD]"""
        return self.payment_usd - self.added_cost_usd


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """What all trials share.

    base: the year without a load.
    policy, as_of: what they are judged by, and on which day.
    outages: plants that fail; years, seed: how many years of outages are drawn for each, from which seed.
    """

    prepared: Prepared
    base: Clearing
    policy: Policy
    as_of: dt.date
    outages: OutageModel
    years: int
    seed: int = SEED
    _kept: dict[Hashable, Future[Trial]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _drawn: list[Adequacy] = field(default_factory=list)
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def country(self) -> Country:
        """The country whose year it is."""
        return self.prepared.country

    def programme(self, programme: Programme) -> Trial:
        """A programme of loads at its tariff."""
        return self._once(_key_of(programme), lambda: self._try_programme(programme))

    def flat(
        self,
        mw: float,
        sites: Mapping[str, float],
        *,
        firm: bool,
        least_tariff: float,
        outages: bool = True,
    ) -> Trial:
        """A load that draws the same power in every hour.

        mw: [MW]. sites: share of it in each zone; sums to 1. [1]
        firm: it counts as demand; otherwise it is cut before people are.
        least_tariff: what it pays at least; it pays its full cost per kWh where that is more. [USD/MWh]
        outages: whether years of outages are drawn. Without them the trial costs about half, and the metrics
            `BY_OUTAGES` are not to be read.
        """
        key = ("flat", mw, tuple(sorted(sites.items())), firm, least_tariff)
        if not outages and key not in self._kept:
            return self._once((*key, "cleared"), lambda: self._try_flat(mw, sites, firm, least_tariff, False))
        return self._once(key, lambda: self._try_flat(mw, sites, firm, least_tariff, True))

    def _once(self, key: Hashable, make: Callable[[], Trial]) -> Trial:
        """The trial of a key; who asks for one that is being cleared waits for it."""
        with self._lock:
            mine = key not in self._kept
            found = self._kept.setdefault(key, Future())
        if mine:
            try:
                found.set_result(make())
            except BaseException as error:
                found.set_exception(error)  # whoever waits is told as well
        return found.result()

    def _try_programme(self, programme: Programme) -> Trial:
        operation = add_programme(self.prepared, programme)
        adequacy = self._adequacy(taken_by_zone(operation.clearing), programme.firm)
        outcome = programme_outcome(self.prepared, self.base, operation, programme, adequacy)
        return self._judged(programme.mw, outcome, operation.settled)

    def _try_flat(
        self, mw: float, sites: Mapping[str, float], firm: bool, least_tariff: float, outages: bool
    ) -> Trial:
        system = self.prepared.system
        share = load_terms().parameters["bid_ceiling_share"].value
        most = share * worth_to_people(system, sites)
        value = _FIRM_FACTOR * system.value_of_lost_load if firm else most
        bids = tuple(
            Bid(f"{FLAT} {zone}", zone, mw * part, value) for zone, part in sites.items() if part > 0
        )
        changed = clear(system, bids)
        taken = taken_by_zone(changed)
        adequacy = self._adequacy(taken, firm) if outages else None
        cut = 1.0 - float(changed.accepted.sum()) / (mw * system.hour_count) if mw > 0.0 else 0.0
        outcome = outcome_of(
            self.country,
            self.prepared.hours,
            self.base,
            changed,
            least_tariff,
            interrupted={FLAT: max(cut, 0.0) + (0.0 if adequacy is None else _outage_share(adequacy, taken))},
            adequacy=adequacy,
        )
        if outcome.recovered is not None and outcome.recovered.full_per_kwh > least_tariff:
            outcome = replace(outcome, tariff=outcome.recovered.full_per_kwh)
        return self._judged(mw, outcome, True)

    def _judged(self, mw: float, outcome: Outcome, settled: bool) -> Trial:
        found, measures = outcome.recovered, measures_of(outcome, self.as_of)
        bases = {} if found is None else {basis: getattr(found, basis) for basis in BASES}
        return Trial(
            mw=mw,
            tariff_per_kwh=outcome.per_kwh(outcome.tariff),
            energy_mwh=outcome.energy_mwh,
            payment_usd=outcome.payment_usd,
            added_cost_usd=outcome.added_cost_usd,
            recovered=found,
            needs={basis: outcome.per_kwh(usd) for basis, usd in bases.items()},
            measures=measures,
            judgement=judge(self.policy, measures, as_of=self.as_of),
            settled=settled,
        )

    def _adequacy(self, taken: FloatArray, firm: bool) -> Adequacy:
        cases = {LOAD: load_of(taken, firm=firm)}
        return assess(self.outages, cases, years=self.years, seed=self.seed, workers=1, base=self._without())

    def _without(self) -> Adequacy:
        """Years of outages without a load, the same for all trials."""
        with self._drawing:
            if not self._drawn:
                self._drawn.append(assess(self.outages, {}, years=self.years, seed=self.seed))
            return self._drawn[0]


def make_trials(
    prepared: Prepared,
    policy: Policy,
    as_of: dt.date,
    *,
    years: int = OUTAGE_YEARS,
    seed: int = SEED,
) -> Trials:
    """Clear the year without a load and be ready to try some. Parameters as in `Trials`."""
    return Trials(prepared, clear(prepared.system), policy, as_of, outage_model(prepared), years, seed)


def _key_of(programme: Programme) -> Hashable:
    sites = tuple(sorted(programme.sites.items()))
    loads = (id(programme.fleet), id(programme.centre))
    head = (programme.mw, programme.mining_share, programme.tariff_per_kwh)
    return (*head, sites, programme.firm, loads)


def _outage_share(adequacy: Adequacy, taken: FloatArray) -> float:
    """Part of an interruptible load's energy that outages of plants cut. [1]"""
    whole = float(taken.sum())
    return adequacy.case(LOAD).interrupted_mwh.value / whole if whole > 0.0 else 0.0
