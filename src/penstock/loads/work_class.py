"""Classes of AI work: what a MWh earns in each, and what it costs not to have it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import CentreError, Fault

from .trials import Trial, deepest_trial

__all__ = ["STEPS", "WorkClass", "check_pue", "interruption_cost_usd_per_mwh", "too_deep"]

FloatArray = NDArray[np.float64]
#: A number, or one per hour.
Number = TypeVar("Number", float, FloatArray)

STEPS = ("firm", "deferrable", "interruptible")
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class WorkClass:
    """One class of AI work.

    key: "serving", "fine_tuning", "batch" or "training"; other keys are allowed.
    share: share of the centre's IT power at its peak. [1]
    step: "firm", never cut; "deferrable", done later within its window; "interruptible", stopped at the price
        of the work since the last checkpoint and of the restart.
    window_hours: block of hours in which all its work is done, see `settle_jobs`; deferrable only. [h]
    rent_usd_per_gpu_hour: what a GPU at work earns. [USD/(GPU·h)]
    gpus_per_node: GPUs of one node. [1] node_power_kw: power of one node at work. [kW]
    idle_power_share: power of a stopped node per power of one at work. [1]
    used_share: share of the hours in which a GPU works; in the rest it can make up deferred work. [1]
    checkpoint_hours: time between two checkpoints, 0 where a stop loses no work. [h]
    restart_hours: from the return of power to work. [h]

    Raises CentreError with every value that is not a number or outside its limits.
    """

    key: str
    share: float
    step: str
    rent_usd_per_gpu_hour: float
    node_power_kw: float
    window_hours: float | None = None
    gpus_per_node: float = 8.0
    idle_power_share: float = 0.3
    used_share: float = 1.0
    checkpoint_hours: float = 0.0
    restart_hours: float = 0.0

    def __post_init__(self) -> None:
        if faults := _class_faults(self):
            raise CentreError(faults)

    def value_usd_per_mwh(self, pue: Number) -> Number:
        """Gross rent per MWh at the meter of machines at full use. [USD/MWh]

        pue: energy at the meter per energy of the computers, 1 or more, a number or one per hour. [1]

        A node earns rent·gpus in an hour and takes node_power·pue kWh at the meter. No cost is taken off: not
        the machines, not the energy, not the idle hours. Raises CentreError for a PUE below 1.
        """
        check_pue(pue)
        return 1000.0 * self.rent_usd_per_gpu_hour * self.gpus_per_node / (self.node_power_kw * pue)

    @property
    def cuttable_share(self) -> float:
        """Most that can be cut, as a share of the centre's power: all its nodes stopped, which still draw
        their idle power. 0 for a firm class. [1]
        """
        return 0.0 if self.step == "firm" else self.share * (1.0 - self.idle_power_share)

    def stop_hours(self) -> float:
        """Work lost by one stop: half a checkpoint's interval on average, and the restart. [h]"""
        return self.checkpoint_hours / 2.0 + self.restart_hours

    def lost_share(self, stopped_share: float, hours: float) -> float:
        """Share of the work of an event that is lost for good. [1]

        stopped_share: share of the class's nodes that are stopped. [1] hours: length of the event. [h]

        Firm and interruptible work is lost: its GPUs earn nothing for so long. Deferred work is made up in
        the idle time of the class's GPUs that is left in the window: with u the share of hours in use, φ
        stopped and W the window, φ·u·h is deferred and (1 − u)·(W − φ·h) can be made up.
        """
        if self.step != "deferrable" or self.window_hours is None:
            return 1.0
        event = min(hours, self.window_hours)
        deferred = stopped_share * self.used_share * event
        room = (1.0 - self.used_share) * (self.window_hours - stopped_share * event)
        return max(0.0, 1.0 - room / deferred) if deferred > 0.0 else 0.0

    def defer_cost_usd_per_mwh(self, pue: Number, hours: float = 1.0) -> Number:
        """Cost per MWh not delivered in an event of `hours` where all work is made up: that of the stop.
        [USD/MWh]
        """
        _check_hours(hours)
        return self.value_usd_per_mwh(pue) * (self.stop_hours() / hours / (1.0 - self.idle_power_share))

    def pause_cost_usd_per_mwh(self, hours: float, pue: Number) -> Number:
        """Cost per MWh not delivered in an event of `hours` where no work is made up. [USD/MWh]

        A stopped node saves only what it draws above idling, i of its power: with v the value of a MWh, c the
        interval of checkpoints and r the restart, cost = v·(h + c/2 + r) / (h·(1 − i)). It falls with the
        length of the event.
        """
        _check_hours(hours)
        work = 1.0 + self.stop_hours() / hours
        return self.value_usd_per_mwh(pue) * (work / (1.0 - self.idle_power_share))


def interruption_cost_usd_per_mwh(
    work_class: WorkClass, depth: float, hours: float, pue: Number, trials: Sequence[Trial] | None = None
) -> Number:
    """What one MWh not delivered costs the centre, if it is taken from this class. [USD/MWh]

    depth: cut of this class, as a share of the centre's power; above 0. [1] hours: length of the event. [h]
    trials: those that bound the depth; those of the table where None.

        cost = v·(lost + (c/2 + r)/h) / (1 − i),

    see `WorkClass.pause_cost_usd_per_mwh` and `lost_share`. Gross: the centre saves the tariff of the MWh,
    which is not taken off, and pays it again for work that is repeated, which is not added. Machines can be
    slowed instead of stopped: see `Centre.slowing_cost_usd_per_mwh`. For a firm class it is the rent that
    would be lost; no centre offers it.

    Raises CentreError for a depth that no trial has demonstrated at that length, with the trial's name, or
    that the class does not have.
    """
    trial = deepest_trial(hours, trials)
    most = work_class.share * (1.0 - work_class.idle_power_share)
    faults = []
    if not (math.isfinite(depth) and depth > 0.0):
        faults.append(
            Fault("depth", "must be above 0, as a share of the centre's power", "give it", value=f"{depth:g}")
        )
    if depth > trial.depth_share + _ROUNDING:
        faults.append(too_deep(depth, hours, trial))
    if depth > most + _ROUNDING:
        faults.append(
            Fault(
                f"class {work_class.key}",
                f"can cut {most:.4g} of the centre's power at most: its share is {work_class.share:g}, and "
                f"stopped nodes still draw {work_class.idle_power_share:g} of their power",
                "take less from it, or give it a larger share",
                column="depth",
                value=f"{depth:g}",
            )
        )
    if faults:
        raise CentreError(faults)
    lost = work_class.lost_share(min(1.0, depth / most), hours)
    factor = (lost + work_class.stop_hours() / hours) / (1.0 - work_class.idle_power_share)
    return work_class.value_usd_per_mwh(pue) * factor


def too_deep(depth: float, hours: float, trial: Trial) -> Fault:
    """The fault of a cut that no trial has demonstrated for `hours`. [h]"""
    return Fault(
        "depth",
        f"is more than has been demonstrated for {hours:g} h; the deepest is {trial}",
        f"ask for {trial.depth_share:g} of the centre's power or less",
        value=f"{depth:g}",
    )


def check_pue(pue: Any) -> None:
    """Raise CentreError for a PUE that is below 1 or not a number. [1]"""
    values = np.asarray(pue, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 1.0).all()):
        raise CentreError(
            Fault("pue", "must be 1 or more", "give energy at the meter per energy of the computers")
        )


def _class_faults(work: WorkClass) -> list[Fault]:
    place = f"class {work.key or '(no key)'}"
    limits: tuple[tuple[str, float, float], ...] = (
        ("share", 0.0, 1.0),
        ("rent_usd_per_gpu_hour", 0.0, math.inf),
        ("node_power_kw", 1e-6, math.inf),
        ("gpus_per_node", 1.0, math.inf),
        ("idle_power_share", 0.0, 0.99),
        ("used_share", 0.0, 1.0),
        ("checkpoint_hours", 0.0, math.inf),
        ("restart_hours", 0.0, math.inf),
    )
    faults = [] if work.key else [Fault(place, "has no key", "give it one", column="key")]
    if work.step not in STEPS:
        faults.append(
            Fault(place, "is no step", f"use one of {', '.join(STEPS)}", column="step", value=str(work.step))
        )
    if work.step == "deferrable" and not (
        work.window_hours is not None and math.isfinite(work.window_hours) and work.window_hours >= 1.0
    ):
        faults.append(
            Fault(
                place,
                "must be 1 h or more where work is deferrable",
                "give the length of its window",
                column="window_hours",
                value=str(work.window_hours),
            )
        )
    for name, low, high in limits:
        value = getattr(work, name)
        if not (math.isfinite(value) and low <= value <= high):
            faults.append(
                Fault(place, f"must be from {low:g} to {high:g}", "correct it", column=name, value=str(value))
            )
    return faults


def _check_hours(hours: float) -> None:
    if not (math.isfinite(hours) and hours > 0.0):
        raise CentreError(Fault("hours", "must be above 0 h", "give a length", value=f"{hours:g}"))
