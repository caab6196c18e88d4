"""Loss of load and unserved energy over many sampled years, without and with loads, on the same outages.

    LOLE   mean over the years of the hours in which some demand is not served     [h/year]
    EUE    mean over the years of the energy that is not served                    [MWh/year]

A case is a load on top of demand. All cases see the same outages, so a change is a mean of differences, year
by year, and its standard error is that of the differences. A year here is one run through the model's hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from penstock.errors import BidError, Fault
from penstock.market.system import FloatArray

from .estimate import Estimate, estimate_of
from .model import ExtraLoad, OutageModel
from .years import FIGURES, arrays_of, run_years

__all__ = [
    "BASE",
    "BATCH",
    "NOTHING_KEPT",
    "SEEDS",
    "SYSTEM",
    "Adequacy",
    "CaseAdequacy",
    "Kept",
    "assess_adequacy",
]

#: Name of the case without any load, and of all zones together.
BASE, SYSTEM = "base", "system"
#: Years that are computed, and kept, at a time; and seeds lie below this.
BATCH, SEEDS = 50, 2**63

#: Gives a kept batch by its number, or None; and keeps one.
Kept = tuple[Callable[[int], FloatArray | None], Callable[[int, FloatArray], None]]
NOTHING_KEPT: Kept = (lambda number: None, lambda number, batch: None)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CaseAdequacy:
    """One case, or its change against the base; maps by zone and `SYSTEM`.

    lole_h: [h/year]. eue_mwh: [MWh/year].
    cut_h, cut_mwh: hours in which, and energy by which, the interruptible load is cut. [h/year, MWh/year]
    """

    lole_h: Mapping[str, Estimate]
    eue_mwh: Mapping[str, Estimate]
    cut_h: Mapping[str, Estimate]
    cut_mwh: Mapping[str, Estimate]

    @property
    def interrupted_mwh(self) -> Estimate:
        """Energy cut of the interruptible load in all zones. [MWh/year]"""
        return self.cut_mwh[SYSTEM]


@dataclass(frozen=True, slots=True, eq=False)
class Adequacy:
    """Sampled years. names: of the cases; years: (years, cases, zones + 1, figures) as in `years.FIGURES`."""

    zones: tuple[str, ...]
    names: tuple[str, ...]
    seed: int
    years: FloatArray

    @property
    def samples(self) -> int:
        """How many years."""
        return len(self.years)

    def case(self, name: str) -> CaseAdequacy:
        """A case by itself. Raises KeyError for an unknown one."""
        return self._of(self.years[:, self._place(name)])

    def change(self, name: str) -> CaseAdequacy:
        """A case less the base, year by year."""
        return self._of(self.years[:, self._place(name)] - self.years[:, self._place(BASE)])

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(f"no case {name!r}; there are {', '.join(self.names)}")
        return self.names.index(name)

    def _of(self, samples: FloatArray) -> CaseAdequacy:
        maps = [
            MappingProxyType(
                {
                    zone: estimate_of(samples[:, place, figure])
                    for place, zone in enumerate((*self.zones, SYSTEM))
                }
            )
            for figure in range(len(FIGURES))
        ]
        return CaseAdequacy(*maps)


def assess_adequacy(
    model: OutageModel,
    cases: Mapping[str, ExtraLoad],
    *,
    years: int,
    seed: int = 1,
    workers: int = 2,
    progress: Progress = lambda done, years: None,
    kept: Kept = NOTHING_KEPT,
    base: Adequacy | None = None,
) -> Adequacy:
    """Sample years of outages and serve demand in each, without and with every case.

    cases: loads by name; `BASE` is added.
    years: at least 1. seed: at least 0, below 2^63. workers: threads; the result does not depend on it.
    progress: called with the years done and the years asked for, in order. What it raises stops the work.
    kept: where batches of `BATCH` years are found again and kept; see `study.adequacy`.
    base: of the same model, years and seed, where it was sampled before; `BASE` is then not served again.

    Raises BidError for a load of another shape, years or a seed out of range, a base of others.
    """
    faults = [*_range_faults(years, seed, workers), *_load_faults(model, cases)]
    if base is not None and (base.zones, base.samples, base.seed) != (model.zones, years, seed):
        problem = f"is of {base.samples} years from seed {base.seed}, expected {years} from {seed}"
        faults.append(Fault("base", problem, "give the base of the same model, years and seed"))
    if faults:
        raise BidError(faults)
    nothing = np.zeros_like(model.demand)
    everything = {**({BASE: ExtraLoad(nothing, nothing)} if base is None else {}), **cases}
    arrays = arrays_of(model, list(everything.values()))
    find, keep = kept
    shape = (len(everything), len(model.zones) + 1, len(FIGURES))

    def batch(number: int) -> FloatArray:
        numbers = np.arange(number * BATCH, min((number + 1) * BATCH, years), dtype=np.int64)
        found = find(number)
        if found is None or found.shape[1:] != shape or len(found) < len(numbers):
            found = run_years(arrays, seed, numbers)
            keep(number, found)
        return found[: len(numbers)]

    rows: list[FloatArray] = []
    executor = ThreadPoolExecutor(workers)
    try:
        for row in executor.map(batch, range(-(-years // BATCH))):
            rows.append(row)
            progress(min(len(rows) * BATCH, years), years)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    found = np.concatenate(rows)
    if base is not None:
        found = np.concatenate([base.years[:, [base.names.index(BASE)]], found], axis=1)
    return Adequacy(model.zones, tuple(dict.fromkeys((BASE, *everything))), seed, found)


def _range_faults(years: int, seed: int, workers: int) -> list[Fault]:
    faults = [
        Fault("adequacy", f"must be at least {least}", "give a whole number", column=name, value=str(value))
        for name, value, least in (("years", years, 1), ("seed", seed, 0), ("workers", workers, 1))
        if value < least
    ]
    if seed >= SEEDS:
        problem = f"must be below 2^63 = {SEEDS}"
        faults.append(Fault("adequacy", problem, "give a smaller number", column="seed", value=str(seed)))
    return faults


def _load_faults(model: OutageModel, cases: Mapping[str, ExtraLoad]) -> list[Fault]:
    faults = []
    for name, case in cases.items():
        for column in ("firm", "interruptible"):
            values = np.asarray(getattr(case, column))
            if values.shape != model.demand.shape:
                problem = f"has shape {values.shape}, expected {model.demand.shape} (hours, zones)"
                faults.append(Fault(f"load {name}", problem, "one column per zone", column=column))
            elif not np.all(np.isfinite(values)) or np.any(values < 0.0):
                problem = "must be finite and at least 0 MW in every hour"
                faults.append(Fault(f"load {name}", problem, "correct the load", column=column))
    return faults
