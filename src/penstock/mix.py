r"""The frontier of mixes: what every split of up to so many megawatts between mining and AI would do.

On a grid of steps s up to the most power M, every pair (m, a) of megawatts for mining and for AI with
m + a ≤ M is a programme of its own, cleared in the same market (`study.add_programme`) and held against the
same year without a programme; (0, 0) is that year.

**Efficient.** Five objectives: what consumers pay under pooled billing, unserved energy and fuel imports
should be low, income and jobs high. Values are first rounded to whole tolerances (`OBJECTIVES`). A point is
dominated where another is as good in all five and better in one; what nothing dominates is efficient
(Pareto). As whole numbers are compared, domination is transitive, so every dominated point is dominated by an
efficient one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from numbers import Real
from typing import Any, Literal

import numpy as np

from penstock import __version__
from penstock.accounts import Books, keep_books
from penstock.bitcoin.history import YearOfNetwork
from penstock.country import Country, load_country
from penstock.errors import Fault, ProgrammeError
from penstock.market import Clearing, clear
from penstock.market.system import FloatArray
from penstock.programme import (
    Operation,
    Programme,
    check_programme,
    default_programme,
    tariff_usd_per_mwh,
)
from penstock.programme.incidence import RULES, programme_payment_usd
from penstock.programme.months import step_months
from penstock.programme.operate import absent_bids
from penstock.study import Prepared, add_programme, prepare
from penstock.study.bills import change_per_kwh, incidence, served_mwh
from penstock.study.loads import all_sources, jobs, programme_assumptions

__all__ = [
    "MOST_POINTS",
    "OBJECTIVES",
    "STEP_MW",
    "Mix",
    "MixPoint",
    "Objective",
    "check_grid",
    "efficient",
    "grid",
    "mix",
]

#: Step of the grid where none is given. [MW]
STEP_MW = 250.0
#: Most points of a grid: each is a cleared year. [1]
MOST_POINTS = 2000
#: Most by which the number of steps may miss a whole number. [1]
_WHOLE = 1e-9
_MWH_PER_GWH = 1000.0
_TOLD = 10  # times that the number of mixes done is said


@dataclass(frozen=True, slots=True)
class Objective:
    """What a mix is judged by.

    key: field of `MixPoint`.
    sense: which end is better.
    tolerance: values are rounded to whole multiples of it before they are compared. [unit]
    """

    key: str
    title: str
    unit: str
    sense: Literal["min", "max"]
    tolerance: float


#: In the order that breaks ties of a best point. The tolerance of money is above what a clearing may miss its
#: least cost by, a millionth of some billions of USD.
OBJECTIVES: tuple[Objective, ...] = (
    Objective("consumer_change_pooled_usd", "What consumers pay, pooled billing", "USD", "min", 10_000.0),
    Objective("unserved_gwh", "Demand not served", "GWh", "min", 0.01),
    Objective("fuel_imports_usd", "Fuel imports", "USD", "min", 10_000.0),
    Objective("income_usd", "Income of the seller", "USD", "max", 10_000.0),
    Objective("jobs", "Permanent jobs", "1", "max", 0.1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPoint:
    """A year with so much mining and so much AI. A change is with the programme less without it.

    mining_mw, ai_mw: power offered to each. [MW]
    offered_gwh: what the sites keep ready for the loads' own course of the day. [GWh]
    energy_gwh, mining_energy_gwh, ai_energy_gwh: taken. [GWh]
    left_gwh: loads that stay away since a MWh is worth less to them than the tariff. [GWh]
    interrupted_gwh: not taken when it came, as the operator stopped it. [GWh]
    lost_gwh: of it, what was not done later either: offered = taken + left + lost. [GWh]
    income_usd: what the loads pay to the seller at the tariff. [USD]
    margin_usd: worth of what they took less that; machines and buildings are not paid from it yet. [USD]
    consumer_change_pooled_usd, consumer_change_marginal_usd: what all consumers pay more. [USD]
    consumer_change_pooled_per_kwh, consumer_change_marginal_per_kwh: the same over the energy that they are
        served. [the country's currency/kWh]
    cost_change_usd: of generation and unserved energy. [USD]
    unserved_gwh, unserved_change_gwh: firm demand not met. [GWh]
    fuel_imports_usd, fuel_imports_change_usd: fuel paid abroad. [USD]
    emissions_t, emissions_change_t: CO2. [t]
    jobs, jobs_low, jobs_high: permanent, for the MW offered. [1]
    jobs_per_offered_mw: None where nothing is offered. [1/MW]
    jobs_per_ran_mw: over the mean power that ran; None where nothing ran. [1/MW]
    hashprice_usd_per_ph_day: mean of the months. [USD/(PH/s·day)]
    rounds, settled, moved: of the market and the Bitcoin network; see `programme.Operation`.
    gap: of the clearing, as it proves itself. [1]
    efficient: no other point dominates it.
    """

    mining_mw: float
    ai_mw: float
    offered_gwh: float
    energy_gwh: float
    mining_energy_gwh: float
    ai_energy_gwh: float
    left_gwh: float
    interrupted_gwh: float
    lost_gwh: float
    income_usd: float
    margin_usd: float
    consumer_change_pooled_usd: float
    consumer_change_pooled_per_kwh: float
    consumer_change_marginal_usd: float
    consumer_change_marginal_per_kwh: float
    cost_change_usd: float
    unserved_gwh: float
    unserved_change_gwh: float
    fuel_imports_usd: float
    fuel_imports_change_usd: float
    emissions_t: float
    emissions_change_t: float
    jobs: float
    jobs_low: float
    jobs_high: float
    jobs_per_offered_mw: float | None
    jobs_per_ran_mw: float | None
    hashprice_usd_per_ph_day: float
    rounds: int
    settled: bool
    moved: float
    gap: float
    efficient: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """The frontier.

    programme: what all points share: most MW, tariff, sites, terms. Its mining_share is not used.
    tariff: of all points. [USD/MWh]
    base: the year without a programme.
    points: by MW of mining, then of AI.
    document: what `mix.json` holds; its JSON Schema is docs/mix.schema.json.
    """

    country: Country
    programme: Programme
    step_mw: float
    tariff: float
    base: Clearing
    points: tuple[MixPoint, ...]
    document: dict[str, Any]


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def mix(
    country: str | os.PathLike[str] | Country,
    programme: Programme | None = None,
    *,
    step_mw: float = STEP_MW,
    network: YearOfNetwork | None = None,
    workers: int = 2,
    progress: Callable[[str, float], None] = _silent,
) -> Mix:
    """Clear a country's year with every mix of mining and AI on a grid.

    country: a country that ships, a folder of tables, or one already loaded.
    programme: its MW are the most that is offered; None takes the country's default programme.
    step_mw: of the grid. [MW]
    network: the Bitcoin network month by month; None for that on record of the country's year.
    workers: points that are cleared at a time, in threads. The result does not depend on it.
    progress: called with the step's name and the share of the work done, 0 to 1.

    Raises InputError (tables, programme, grid, a year without a network on record), InfeasibleError or
    SolverError.
    """
    progress("Reading the tables", 0.0)
    facts = country if isinstance(country, Country) else load_country(country)
    shared = default_programme(facts) if programme is None else programme
    check_programme(facts, shared)
    check_grid(shared.mw, step_mw)
    if workers < 1:
        raise ProgrammeError(
            Fault("mix", "must be at least 1", "give 1 or more", column="workers", value=str(workers))
        )
    pairs = grid(shared.mw, step_mw)
    progress("Building the hours", 0.01)
    prepared = prepare(facts, network)
    progress("Clearing without a programme", 0.04)
    nothing = add_programme(prepared, _programme_at(shared, 0.0, 0.0))
    year = _Year.of(prepared, clear(prepared.system, absent_bids(nothing)), shared)

    def found(pair: tuple[float, float]) -> MixPoint:
        operation = nothing if pair == (0.0, 0.0) else add_programme(prepared, _programme_at(shared, *pair))
        return year.point(pair, operation)

    points = []
    executor = ThreadPoolExecutor(workers)
    try:
        for number, point in enumerate(executor.map(found, pairs), start=1):
            points.append(point)
            told = number - number % max(len(pairs) // _TOLD, 1)
            progress(f"Clearing mixes, {told} of {len(pairs)} done", 0.06 + 0.93 * number / len(pairs))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    marked = _marked(points)
    document = _document(year, shared, step_mw, marked)
    progress("Done", 1.0)
    return Mix(facts, shared, step_mw, year.tariff, year.base, marked, document)


def check_grid(mw: float, step_mw: float) -> None:
    """Raise ProgrammeError unless the step divides the power into a grid of a size that can be cleared.

    mw: most power of a mix. step_mw: step of the grid. [MW]
    """

    def refused(problem: str, mend: str) -> ProgrammeError:
        return ProgrammeError(Fault("mix", problem, mend, column="step_mw", value=f"{step_mw}"))

    number = isinstance(step_mw, Real) and not isinstance(step_mw, bool)
    if not number or not math.isfinite(step_mw) or step_mw <= 0.0:
        raise refused("must be a finite number above 0 [MW]", "give the step of the grid in MW")
    if mw <= 0.0:
        raise ProgrammeError(
            Fault(
                "mix",
                "must be above 0 [MW] for a frontier",
                "give the most MW of a mix",
                column="mw",
                value=f"{mw:g}",
            )
        )
    if step_mw > mw * (1.0 + _WHOLE):
        raise refused(f"is above the most power of a mix, {mw:g} MW", f"give a step of at most {mw:g} MW")
    most_steps = max(n for n in range(1, MOST_POINTS) if _point_count(n) <= MOST_POINTS)
    near = min(
        (mw / n for n in range(1, most_steps + 1)), key=lambda s: (not s.is_integer(), abs(s - step_mw))
    )
    steps = mw / step_mw
    if abs(steps - round(steps)) > _WHOLE * steps:
        raise refused(f"does not divide {mw:g} MW into whole steps", f"give {near:g} MW, for example")
    if round(steps) > most_steps:
        raise refused(
            f"makes {_point_count(round(steps)):,} points; at most {MOST_POINTS:,} are cleared",
            f"give a step of at least {near:g} MW",
        )


def _point_count(steps: int) -> int:
    return (steps + 1) * (steps + 2) // 2


def grid(mw: float, step_mw: float) -> list[tuple[float, float]]:
    """Every (mining, AI) with a sum of at most `mw`, by mining, then by AI. [MW]"""
    steps = round(mw / step_mw)
    size = [mw * (index / steps) for index in range(steps + 1)]
    return [(size[mining], size[ai]) for mining in range(steps + 1) for ai in range(steps + 1 - mining)]


def _programme_at(shared: Programme, mining_mw: float, ai_mw: float) -> Programme:
    whole = mining_mw + ai_mw
    return replace(shared, mw=whole, mining_share=mining_mw / whole if whole > 0.0 else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Year:
    """What all points are held against."""

    prepared: Prepared
    base: Clearing
    books: Books
    tariff: float

    @classmethod
    def of(cls, prepared: Prepared, base: Clearing, shared: Programme) -> _Year:
        country = prepared.country
        return cls(
            prepared,
            base,
            keep_books(country, base, prepared.hours.month),
            tariff_usd_per_mwh(country, shared),
        )

    def point(self, pair: tuple[float, float], operation: Operation) -> MixPoint:
        """The figures of one cleared mix, not yet held against the others."""
        country, clearing = self.prepared.country, operation.clearing
        books = keep_books(country, clearing, self.prepared.hours.month)
        staff = jobs(country, *pair)["total"]
        ran_mw = books.programme_energy_gwh * _MWH_PER_GWH / clearing.system.hour_count
        served = served_mwh(country, clearing)
        consumers = {
            rule: incidence(country, rule, self.base, clearing, self.tariff).by_group["consumers"]
            for rule in RULES
        }
        return MixPoint(
            mining_mw=pair[0],
            ai_mw=pair[1],
            **_energy(operation),
            income_usd=programme_payment_usd(clearing, self.tariff),
            margin_usd=self._worth_usd(operation) - programme_payment_usd(clearing, self.tariff),
            consumer_change_pooled_usd=consumers["pooled"],
            consumer_change_pooled_per_kwh=change_per_kwh(country, consumers["pooled"], served),
            consumer_change_marginal_usd=consumers["marginal"],
            consumer_change_marginal_per_kwh=change_per_kwh(country, consumers["marginal"], served),
            cost_change_usd=books.cost_usd - self.books.cost_usd,
            unserved_gwh=books.unserved_gwh,
            unserved_change_gwh=books.unserved_gwh - self.books.unserved_gwh,
            fuel_imports_usd=books.fuel_imports_usd,
            fuel_imports_change_usd=books.fuel_imports_usd - self.books.fuel_imports_usd,
            emissions_t=books.emissions_t,
            emissions_change_t=books.emissions_t - self.books.emissions_t,
            jobs=staff["jobs"],
            jobs_low=staff["low"],
            jobs_high=staff["high"],
            jobs_per_offered_mw=staff["jobs"] / sum(pair) if sum(pair) > 0.0 else None,
            jobs_per_ran_mw=staff["jobs"] / ran_mw if ran_mw > 0.0 else None,
            hashprice_usd_per_ph_day=float(operation.answer.hashprice.mean()),
            rounds=operation.rounds,
            settled=operation.settled,
            moved=operation.moved,
            gap=clearing.gap,
        )

    def _worth_usd(self, operation: Operation) -> float:
        month = self.prepared.hours.month - 1
        return math.fsum(
            float((row.part.value(operation.answer.hashprice)[month] * taken).sum())
            for row, taken in zip(operation.bids, operation.taken.T, strict=True)
        )


def _energy(operation: Operation) -> dict[str, Any]:
    """The fields of `MixPoint` that hold the loads' energy. [GWh]"""
    months, accepted = step_months(operation), operation.taken
    taken = {
        load: math.fsum(
            float(accepted[:, index].sum()) for index, row in enumerate(operation.bids) if row.load == load
        )
        for load in ("mining", "ai")
    }
    energy = {
        "offered_gwh": math.fsum(row.offered_mwh for row in months),
        "energy_gwh": math.fsum(taken.values()),
        "mining_energy_gwh": taken["mining"],
        "ai_energy_gwh": taken["ai"],
        "left_gwh": math.fsum(row.left_mwh for row in months),
        "interrupted_gwh": math.fsum(row.interrupted_mwh for row in months),
        "lost_gwh": math.fsum(row.lost_mwh for row in months),
    }
    return {key: value / _MWH_PER_GWH for key, value in energy.items()}


def _rounded(points: Sequence[MixPoint]) -> FloatArray:
    """Whole tolerances of every objective, less is better, shape (points, objectives)."""
    columns = [
        np.rint(np.array([getattr(point, row.key) for point in points]) / row.tolerance)
        * (1.0 if row.sense == "min" else -1.0)
        for row in OBJECTIVES
    ]
    return np.stack(columns, axis=1)


def efficient(values: FloatArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows that no other row dominates, shape (rows,); equal rows do not dominate each other.

    values: less is better, shape (rows, objectives). A row dominates another where it is nowhere above it
    and somewhere below it.
    """
    kept = np.ones(len(values), dtype=np.bool_)
    for index, row in enumerate(values):
        kept[index] = not ((values <= row).all(axis=1) & (values < row).any(axis=1)).any()
    return kept


def _marked(points: Sequence[MixPoint]) -> tuple[MixPoint, ...]:
    kept = efficient(_rounded(points))
    return tuple(replace(point, efficient=bool(good)) for point, good in zip(points, kept, strict=True))


def _best(points: Sequence[MixPoint]) -> Iterator[dict[str, Any]]:
    """The best point by each objective alone; of equals, the best by the others in their order."""
    values = _rounded(points)
    for place, row in enumerate(OBJECTIVES):
        order = [place, *(other for other in range(len(OBJECTIVES)) if other != place)]
        first = int(np.lexsort(values[:, order[::-1]].T)[0])
        yield {
            "objective": row.key,
            "mining_mw": points[first].mining_mw,
            "ai_mw": points[first].ai_mw,
            "value": getattr(points[first], row.key),
            "equals": int((values[:, place] == values[first, place]).sum()) - 1,
        }


def _document(year: _Year, shared: Programme, step_mw: float, points: Sequence[MixPoint]) -> dict[str, Any]:
    """The frontier as plain dicts, lists, numbers and texts."""
    country, books = year.prepared.country, year.books
    assumptions = programme_assumptions(country)
    cited = {row["source"] for row in assumptions}
    keys = ("source", "title", "publisher", "url", "licence", "dated")
    return {
        "schema_version": 1,
        "penstock_version": __version__,
        "country": {
            "id": country.id,
            "name": country.name,
            "currency": country.currency,
            "currency_per_usd": country.usd_rate,
            "content_hash": country.content_hash,
        },
        "year": country.year,
        "network_year": year.prepared.network.year,
        "programme": {
            "mw": shared.mw,
            "step_mw": step_mw,
            "tariff_per_kwh": shared.tariff_per_kwh,
            "tariff_usd_per_mwh": year.tariff,
            "firm": shared.firm,
            "sites": [{"zone": zone, "share": share} for zone, share in shared.sites.items()],
        },
        "base": {
            "cost_usd": books.cost_usd,
            "unserved_gwh": books.unserved_gwh,
            "fuel_imports_usd": books.fuel_imports_usd,
            "emissions_t": books.emissions_t,
            "hashprice_usd_per_ph_day": float(year.prepared.network.hashprice.mean()),
        },
        "objectives": [asdict(row) for row in OBJECTIVES],
        "points": [asdict(point) for point in points],
        "best": list(_best(points)),
        "assumptions": assumptions,
        "sources": [
            {key: row[key] for key in keys} for row in all_sources(country) if row["source"] in cited
        ],
    }
