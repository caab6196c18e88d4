"""Trials in which a centre of AI compute cut its power: how deep, for how long, with how many GPUs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from penstock.errors import CentreError, Fault

from .compute_tables import compute_tables

__all__ = ["Trial", "deepest_trial", "demonstrated_depth", "load_trials"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    depth_share: cut as a share of the power of the cluster. [1] hours: for how long. [h]
    gpus: GPUs of the cluster. notice_minutes: from the signal to the cut, None where not known. [min]
    """

    key: str
    place: str
    date: str
    depth_share: float
    hours: float
    gpus: int
    notice_minutes: float | None

    def __str__(self) -> str:
        return (
            f"the trial in {self.place} ({self.date}): "
            f"{100 * self.depth_share:g} % for {self.hours:g} h on {self.gpus} GPUs"
        )


@cache
def load_trials() -> tuple[Trial, ...]:
    """The trials of the table, in its order."""
    return tuple(
        Trial(
            row["trial"],
            row["place"],
            row["date"],
            row["depth_share"],
            row["hours"],
            row["gpus"],
            row["notice_minutes"],
        )
        for row in compute_tables()["trials"]
    )


def deepest_trial(hours: float, trials: Sequence[Trial] | None = None) -> Trial:
    """The trial with the deepest cut among those that lasted `hours` or longer. [h]

    Raises CentreError, with the longest trial, where none lasted so long, and for hours that are not above 0.
    """
    known = load_trials() if trials is None else tuple(trials)
    if not (math.isfinite(hours) and hours > 0.0):
        raise CentreError(Fault("hours", "must be above 0 h", "give a length", value=f"{hours:g}"))
    if not known:
        raise CentreError(Fault("trials", "are none: no cut has been demonstrated", "name a trial"))
    long_enough = [trial for trial in known if trial.hours >= hours]
    if not long_enough:
        longest = max(known, key=lambda trial: trial.hours)
        raise CentreError(
            Fault(
                "hours",
                f"are longer than any event that was demonstrated; the longest is {longest}",
                f"ask for {longest.hours:g} h or less",
                value=f"{hours:g}",
            )
        )
    return max(long_enough, key=lambda trial: trial.depth_share)


def demonstrated_depth(hours: float, trials: Sequence[Trial] | None = None) -> float:
    """Deepest cut demonstrated for an event of `hours`, as a share of the centre's power. [1]

    A trial that held a cut for 10 h shows that it can be held for 3 h. Raises CentreError as `deepest_trial`.
    """
    return deepest_trial(hours, trials).depth_share
