"""AI compute: what a MWh earns by class of work, what a cut costs, and the power of a centre by hour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import CentreError, Fault

from .compute_tables import compute_tables, compute_values
from .cooling import pue
from .jobs import JobBook, settle_jobs
from .serving import serving_power
from .trials import Trial, deepest_trial, demonstrated_depth, load_trials
from .work_class import WorkClass, check_pue, interruption_cost_usd_per_mwh, too_deep

__all__ = [
    "Centre",
    "Cut",
    "JobBook",
    "Trial",
    "WorkClass",
    "default_centre",
    "demonstrated_depth",
    "interruption_cost_usd_per_mwh",
    "interruption_table",
    "load_trials",
    "pue",
    "settle_jobs",
]

FloatArray = NDArray[np.float64]
#: A number, or one per hour.
Number = TypeVar("Number", float, FloatArray)

#: In this order work is taken when power is cut: what can be done later before what is lost.
TAKEN_FIRST = ("batch", "fine_tuning", "training")
_SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre: its classes of work, the day of its serving, and the trials that bound its response.

    classes: their shares sum to 1.
    serving_power: IT power of the class "serving" by local hour, 24 numbers relative to the highest.
    trials: cuts that have been demonstrated; deeper ones are refused.

    Raises CentreError with every fault.
    """

    classes: tuple[WorkClass, ...]
    serving_power: tuple[float, ...]
    trials: tuple[Trial, ...]

    def __post_init__(self) -> None:
        if faults := _centre_faults(self):
            raise CentreError(faults)

    def work_class(self, key: str) -> WorkClass:
        """The class of that key. Raises CentreError where there is none."""
        for work in self.classes:
            if work.key == key:
                return work
        raise CentreError(Fault("class", "is not in the centre", f"it has {', '.join(self.keys)}", value=key))

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the classes, in their order."""
        return tuple(work.key for work in self.classes)

    def value_usd_per_mwh(self, pue: Number) -> Number:
        """Gross rent per MWh at the meter over all classes at full use, weighted by their power. [USD/MWh]"""
        per_pue_1 = sum(work.share * work.value_usd_per_mwh(1.0) for work in self.classes)
        check_pue(pue)
        return per_pue_1 / pue

    def slowing_cost_usd_per_mwh(self, pue: Number) -> Number:
        """Cost per MWh not delivered where machines are slowed and not stopped. [USD/MWh]

        In the trial in Phoenix machines were slowed for 3 of 6.5 hours and 9 % of the work was lost: 0.63 of
        the work of a MWh per MWh, for its mix of work. Shown beside the cost of stopping, to which it is
        the alternative where nothing can be made up later; nothing else uses it.
        """
        lost = compute_values()["slowing_work_lost_per_power_cut"]
        return self.value_usd_per_mwh(pue) * lost

    def response(self, hours: float) -> Mapping[str, float]:
        """Share of the centre's power in that hour that may be cut, by class, for events of `hours`. [1]

        The sum is bounded by the deepest cut demonstrated at that length. Deferrable work is taken first,
        batch before fine-tuning, then training, and others in their order; each at most with all its nodes
        stopped (`cuttable_share`). Firm classes give 0. The shares hold when serving is at its peak; at other
        hours the centre draws less and each class can give at least as much.

        Raises CentreError for a length that no trial has demonstrated.
        """
        return self._split(demonstrated_depth(hours, self.trials))

    def cut(self, depth: float, hours: float) -> Mapping[str, float]:
        """How a cut of `depth` of the centre's power is shared among the classes, in the order of `response`.

        Raises CentreError, with the trial's name, for a depth that has not been demonstrated at that length,
        and for one that the classes together do not have.
        """
        trial = deepest_trial(hours, self.trials)
        if not (math.isfinite(depth) and depth >= 0.0):
            raise CentreError(Fault("depth", "must be 0 or more", "give a share", value=f"{depth:g}"))
        if depth > trial.depth_share + _SUM_TOLERANCE:
            raise CentreError(too_deep(depth, hours, trial))
        taken = self._split(depth)
        if sum(taken.values()) < depth - _SUM_TOLERANCE:
            raise CentreError(
                Fault(
                    "depth",
                    f"is more than the {sum(taken.values()):.4g} that the classes can cut together",
                    "ask for less, or give the classes that are not firm a larger share",
                    value=f"{depth:g}",
                )
            )
        return taken

    def _split(self, depth: float) -> Mapping[str, float]:
        order = sorted(
            self.classes,
            key=lambda work: TAKEN_FIRST.index(work.key) if work.key in TAKEN_FIRST else len(TAKEN_FIRST),
        )
        taken, left = dict.fromkeys(self.keys, 0.0), depth
        for work in order:
            taken[work.key] = min(work.cuttable_share, left)
            left -= taken[work.key]
        return MappingProxyType(taken)

    def power(
        self, contract_mw: float, pue_by_hour: ArrayLike, local_hour: ArrayLike
    ) -> Mapping[str, FloatArray]:
        """Power at the meter by class, cooling included, shape (hours,) each. [MW]

        contract_mw: contracted power, which the sum of the classes reaches in its highest hour and never
            exceeds. [MW]
        pue_by_hour: shape (hours,) or one number. [1] local_hour: start of each hour in local time, 0 to 23.

        Class "serving" follows its day, users living in the centre's own time zone unless the centre was made
        with another day; all other classes draw the same IT power in every hour. PUE multiplies both: a
        contract is sized for the hottest hour in which users are awake, and the rest of the year draws less.

        Raises CentreError with every fault.
        """
        hour, efficiency = np.asarray(local_hour), np.asarray(pue_by_hour, dtype=np.float64)
        _check_power(contract_mw, efficiency, hour)
        serving = np.asarray(self.serving_power, dtype=np.float64)[hour.astype(np.int64)]
        flat = np.ones(hour.shape)
        meter = {
            work.key: work.share * (serving if work.key == "serving" else flat) * efficiency
            for work in self.classes
        }
        peak = float(np.sum(list(meter.values()), axis=0).max())
        for key, series in meter.items():
            meter[key] = contract_mw * (series / peak)
            meter[key].flags.writeable = False
        return MappingProxyType(meter)


@dataclass(frozen=True, slots=True)
class Cut:
    """One class's part of one event.

    depth: cut of the whole centre, as a share of its power. [1] hours: length of the event. [h]
    taken: part of it that this class gives. [1] usd_per_mwh: what its MWh costs; None where it gives none.
    """

    key: str
    depth: float
    hours: float
    taken: float
    usd_per_mwh: float | None


def interruption_table(
    centre: Centre,
    pue: float,
    depths: Sequence[float] = (0.10, 0.25, 0.30),
    hours: Sequence[float] = (1.0, 3.0, 10.0),
) -> tuple[Cut, ...]:
    """What a MWh not delivered costs, by depth and length of the event and by class; last the key "centre".

    Each depth is shared among the classes as in `Centre.cut`; "centre" is the mean of the MWh of all classes.
    Raises CentreError for a depth or length that has not been demonstrated.
    """
    rows = []
    for depth in depths:
        for length in hours:
            taken = centre.cut(depth, length)
            costs = {
                key: interruption_cost_usd_per_mwh(centre.work_class(key), part, length, pue, centre.trials)
                for key, part in taken.items()
                if part > 0.0
            }
            rows += [Cut(key, depth, length, part, costs.get(key)) for key, part in taken.items()]
            total = sum(taken[key] * cost for key, cost in costs.items())
            rows.append(Cut("centre", depth, length, depth, total / depth if depth > 0.0 else None))
    return tuple(rows)


def default_centre(*, values: Mapping[str, float] | None = None) -> Centre:
    """The centre of the tables, with users of its own time zone.

    values: values in place of those of the parameters of `tables/compute`, by name, in their units.

    Raises CentreError for an unknown name and for values outside their limits.
    """
    known = compute_values(values)
    on_demand = known["on_demand_usd_per_gpu_hour"]
    rents = {
        "on_demand": on_demand,
        "spot": on_demand * known["spot_per_on_demand"],
        "batch": on_demand * known["batch_price_share"],
        "reserved": known["reserved_usd_per_gpu_hour"],
    }
    classes = tuple(
        WorkClass(
            key=work["work_class"],
            share=work["share"],
            step=work["step"],
            rent_usd_per_gpu_hour=rents[work["rent"]],
            node_power_kw=work["node_power_kw"],
            window_hours=work["window_hours"],
            gpus_per_node=known["gpus_per_node"],
            idle_power_share=known["idle_power_share"],
            used_share=work["used_share"],
            checkpoint_hours=work["checkpoint_hours"],
            restart_hours=work["restart_hours"],
        )
        for work in compute_tables()["work_classes"]
    )
    return Centre(classes, serving_power(values=values), load_trials())


def _centre_faults(centre: Centre) -> list[Fault]:
    if not centre.classes:
        return [Fault("centre", "has no classes of work", "give it one at least", column="classes")]
    faults = []
    if len(set(centre.keys)) < len(centre.keys):
        faults.append(Fault("centre", "has a class twice", "name each once", value=", ".join(centre.keys)))
    total = math.fsum(work.share for work in centre.classes)
    if abs(total - 1.0) > _SUM_TOLERANCE:
        faults.append(
            Fault(
                "centre",
                "the shares of its classes must sum to 1",
                "correct them",
                value=f"{total:.10g}",
            )
        )
    day = centre.serving_power
    if len(day) != 24 or not all(math.isfinite(one) and 0.0 <= one <= 1.0 for one in day) or max(day) != 1.0:
        faults.append(
            Fault(
                "centre",
                "must be 24 numbers from 0 to 1, the highest of them 1",
                "give the power of each hour relative to the highest",
                column="serving_power",
            )
        )
    return faults


def _check_power(contract_mw: float, efficiency: FloatArray, hour: NDArray[np.generic]) -> None:
    faults = []
    if not (math.isfinite(contract_mw) and contract_mw >= 0.0):
        faults.append(
            Fault(
                "contract_mw",
                "must be a number of MW, 0 or more",
                "correct it",
                value=f"{contract_mw:g}",
            )
        )
    if hour.ndim != 1 or not hour.size or not np.isin(hour, np.arange(24)).all():
        faults.append(Fault("local_hour", "must be whole numbers from 0 to 23, one per hour", "correct them"))
    if efficiency.shape not in ((), hour.shape):
        faults.append(
            Fault(
                "pue_by_hour",
                f"must be one number or one per hour: {efficiency.shape} against {hour.shape}",
                "give a PUE for every hour",
            )
        )
    if not (np.isfinite(efficiency).all() and (efficiency >= 1.0).all()):
        faults.append(Fault("pue_by_hour", "must be 1 or more in every hour", "correct it"))
    if faults:
        raise CentreError(faults)
