"""The proof of a tariff: its floor on three bases, its ceiling, the window between, and a verdict on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from penstock.country import Country
from penstock.errors import Fault, ProgrammeError
from penstock.loads.defaults import values_for
from penstock.loads.mining import default_fleet
from penstock.policy import Judgement
from penstock.programme import Programme, plan_for
from penstock.programme.recovery import BASES
from penstock.study.measures import MONTHS, hour_text

from .ceiling import (
    Ceiling,
    HashpriceRange,
    ai_ceiling,
    hashprice_range,
    investor_ceiling,
    mining_ceiling,
)
from .floor import Floor, find_floor
from .forms import TariffForm, compare_forms
from .trials import Trial, Trials

__all__ = ["FinerFloor", "Judged", "TariffProof", "Window", "check_tariffs", "prove_tariff"]

#: A floor is sought up to this multiple of the dearest tariff that is judged.
_REACH = 4.0
#: Binding months and hours that are named.
_NAMED = 5
CASES = ("low", "central", "high")

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class FinerFloor:
    """The marginal floor where every month, or every hour, must pay for itself.

    tariff_per_kwh: at the programme's answer to the year's floor. [the country's currency/kWh]
    binding: the month or hour that asks for most, by name, with what each asks for: the dearest first.
    share_above: of its energy, what is taken in months or hours that cost more than the year's floor. [1]
    """

    over: str
    tariff_per_kwh: float
    binding: tuple[tuple[str, float], ...]
    share_above: float


@dataclass(frozen=True, slots=True)
class Window:
    """From a floor to what half of a load's power can pay. [the country's currency/kWh]

    floor: None where no tariff recovers the cost. ceiling_low, ceiling, ceiling_high: over the range.
    """

    basis: str
    load: str
    floor: float | None
    ceiling_low: float
    ceiling: float
    ceiling_high: float

    @property
    def open(self) -> bool:
        """Whether there is a tariff between them at the central ceiling."""
        return self.floor is not None and self.floor <= self.ceiling


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One tariff under the guardrails. name, source: of who proposed it, empty for the programme's own."""

    tariff_per_kwh: float
    name: str
    source: str
    trial: Trial

    @property
    def judgement(self) -> Judgement:
        """Its findings."""
        return self.trial.judgement


@dataclass(frozen=True, slots=True, eq=False)
class TariffProof:
    """What is proved of the programme's tariff.

    floors: by basis, None where no tariff recovers the cost.
    finer: the marginal floor by month and by hour.
    ceilings: of mining and of AI, those that the programme has. [USD/MWh]
    investor: tariff at which a mining site bought today earns its capital back, by case. [USD/MWh]
    judged: in the order of their tariffs.
    forms: empty where no floor was found.
    """

    programme: Programme
    floors: dict[str, Floor | None]
    finer: tuple[FinerFloor, ...]
    hashprice: HashpriceRange
    ceilings: tuple[Ceiling, ...]
    investor: dict[str, float | None]
    windows: tuple[Window, ...]
    judged: tuple[Judged, ...]
    forms: tuple[TariffForm, ...]


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def prove_tariff(
    trials: Trials,
    programme: Programme,
    *,
    tariffs: Sequence[float] = (),
    workers: int = 2,
    progress: Progress = _silent,
) -> TariffProof:
    """Floors, ceilings, windows and a verdict on each tariff.

    tariffs: judged beside the programme's own and those of the table `tariff_proposals`.
        [the country's currency/kWh]
    workers: tariffs that are cleared at a time. The result does not depend on it.
    progress: called with the step's name and the share of the work done, 0 to 1.

    Raises ProgrammeError for a tariff that is no finite number of at least 0.
    """
    check_tariffs(trials.country, tariffs)
    wanted = _wanted(trials, programme, tariffs)

    def at(tariff: float) -> Trial:
        return trials.programme(replace(programme, tariff_per_kwh=tariff))

    highest = _REACH * max(tariff for tariff, *_ in wanted)
    progress("Judging the tariffs", 0.05)
    with ThreadPoolExecutor(workers) as executor:
        tried = list(executor.map(lambda row: at(row[0]), wanted))
    judged = tuple(Judged(*row, trial) for row, trial in zip(wanted, tried, strict=True))
    floors: dict[str, Floor | None] = {}
    for number, basis in enumerate(BASES):
        progress(f"Seeking the floor, {basis.replace('_', ' ')}", 0.2 + 0.2 * number)
        floors[basis] = find_floor(basis, programme.tariff_per_kwh, at, highest)
    progress("Ceilings and forms", 0.8)
    hours, country = trials.prepared.hours, trials.country
    hashprice = hashprice_range(trials.prepared.network)
    plan = plan_for(country, programme, hours.month, hours.local_hour)
    ceilings = tuple(row for row in (mining_ceiling(plan, hashprice), ai_ceiling(plan)) if row is not None)
    fleet = default_fleet(1.0, values=values_for(country)[0]) if programme.fleet is None else programme.fleet
    marginal, full = floors["marginal"], floors["full_per_kwh"]
    forms: tuple[TariffForm, ...] = ()
    if marginal is not None and full is not None:
        forms = compare_forms(
            trials,
            programme,
            floor_per_kwh=marginal.tariff_per_kwh,
            full_floor_per_kwh=full.tariff_per_kwh,
        )
    progress("Done", 1.0)
    return TariffProof(
        programme=programme,
        floors=floors,
        finer=() if marginal is None else tuple(_finer(trials, marginal)),
        hashprice=hashprice,
        ceilings=ceilings,
        investor={
            case: investor_ceiling(fleet, hashprice.central, case)  # type: ignore[arg-type]
            for case in CASES
        },
        windows=tuple(_windows(trials, floors, ceilings)),
        judged=judged,
        forms=forms,
    )


def check_tariffs(country: Country, tariffs: Sequence[float]) -> None:
    """Raise ProgrammeError naming every tariff that is no finite number of at least 0."""
    bad = [tariff for tariff in tariffs if not np.isfinite(tariff) or tariff < 0.0]
    if bad:
        problem = f"must be a finite number of at least 0 [{country.currency}/kWh]"
        mend = "correct the value; check its unit"
        raise ProgrammeError([Fault("tariffs", problem, mend, value=f"{tariff:g}") for tariff in bad])


def _wanted(trials: Trials, programme: Programme, tariffs: Sequence[float]) -> list[tuple[float, str, str]]:
    """Tariff, name and source of each that is judged, every tariff once, the lowest first."""
    rows: dict[float, tuple[float, str, str]] = {}
    for row in trials.country.table("tariff_proposals"):
        rows[row["tariff_per_kwh"]] = (row["tariff_per_kwh"], row["name"], row["source"])
    for tariff in (*tariffs, programme.tariff_per_kwh):
        rows.setdefault(tariff, (float(tariff), "", ""))
    return [rows[tariff] for tariff in sorted(rows)]


def _finer(trials: Trials, floor: Floor) -> list[FinerFloor]:
    found = floor.trial.recovered
    if found is None:
        return []
    country = trials.country
    to_kwh = country.usd_rate / 1000.0
    by_month = found.by_month * to_kwh
    months = [(MONTHS[index], float(cost)) for index, cost in enumerate(by_month) if np.isfinite(cost)]
    hourly = found.price_usd_per_mwh * to_kwh
    dearest = np.argsort(-hourly, kind="stable")[:_NAMED]
    hours = [(hour_text(trials.prepared.hours, country, int(hour)), float(hourly[hour])) for hour in dearest]
    above = {
        "month": float(found.energy_mwh[np.nan_to_num(by_month) > floor.tariff_per_kwh].sum()),
        "hour": float(found.taken_mw[hourly > floor.tariff_per_kwh].sum()),
    }
    rows = []
    for over, named in (("month", months), ("hour", hours)):
        ordered = tuple(sorted(named, key=lambda row: -row[1])[:_NAMED])
        rows.append(FinerFloor(over, ordered[0][1], ordered, above[over] / found.total_mwh))
    return rows


def _windows(trials: Trials, floors: dict[str, Floor | None], ceilings: Sequence[Ceiling]) -> list[Window]:
    to_kwh = trials.country.usd_rate / 1000.0
    return [
        Window(
            basis,
            row.load,
            None if floor is None else floor.tariff_per_kwh,
            row.low * to_kwh,
            row.central * to_kwh,
            row.high * to_kwh,
        )
        for basis, floor in floors.items()
        for row in ceilings
    ]
