"""What adequacy is asked of: demand, plants that fail and are repaired, and corridors that carry help."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from penstock.errors import Fault, SystemFaultError
from penstock.market.system import FloatArray, Hourly, hour_series, series_faults

__all__ = ["ExtraLoad", "Link", "OutageModel", "Unit"]


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """What is either up or down.

    capacity: what it gives while up, a number or shape (hours,). [MW]
    outage_rate: share of time that it is down, from 0 up to but not 1. [1]
    repair_hours: mean time to repair, at least 1. [h]
    """

    name: str
    zone: str
    capacity: Hourly
    outage_rate: float
    repair_hours: float


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """What carries help from one zone to another; as a `Corridor`, and it may fail as a `Unit` does."""

    name: str
    from_zone: str
    to_zone: str
    forward_limit: Hourly
    backward_limit: Hourly
    loss: float = 0.0
    outage_rate: float = 0.0
    repair_hours: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ExtraLoad:
    """A load on top of demand.

    firm: counts as demand, shape (hours, zones). [MW]
    interruptible: is cut before any firm demand is, same shape. [MW]
    """

    firm: FloatArray
    interruptible: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OutageModel:
    """A year of hours that is met by what happens to be up.

    zones: labels, in the order of every (hours, zones) array.
    demand: firm, shape (hours, zones). [MW]
    steady: what is there in any case, same shape. [MW]
    units: what fails. links: what carries help.

    Raises SystemFaultError with every fault.
    """

    zones: tuple[str, ...]
    demand: FloatArray
    steady: FloatArray
    units: tuple[Unit, ...]
    links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        if faults:
            raise SystemFaultError(faults)

    @property
    def hours(self) -> int:
        """Number of hours of a year."""
        return len(self.demand)

    def digest(self) -> str:
        """SHA-256 of all that the sampled years follow from, so that a kept result finds its model again."""
        sha = hashlib.sha256()
        sha.update(repr((self.zones, self.demand.shape)).encode())
        for array in (self.demand, self.steady):
            sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        for unit in self.units:
            sha.update(repr((unit.name, unit.zone, unit.outage_rate, unit.repair_hours)).encode())
            sha.update(np.asarray(unit.capacity, dtype="<f8").tobytes())
        for link in self.links:
            head = (link.name, link.from_zone, link.to_zone, link.loss, link.outage_rate, link.repair_hours)
            sha.update(repr(head).encode())
            for limit in (link.forward_limit, link.backward_limit):
                sha.update(np.asarray(limit, dtype="<f8").tobytes())
        return sha.hexdigest()


def _faults(model: OutageModel) -> Iterable[Fault]:
    shape = (len(model.demand), len(model.zones))
    for name in ("demand", "steady"):
        values = np.asarray(getattr(model, name))
        if values.shape != shape or not len(values):
            yield Fault(
                "outage model", f"has shape {values.shape}, expected {shape}", "one row per hour", column=name
            )
            return
        for index, zone in enumerate(model.zones):
            yield from series_faults(
                f"outage model, zone {zone}", name, values[:, index], len(values), low=0.0, unit="MW"
            )
    for unit in model.units:
        place = f"unit {unit.name}"
        yield from _known(model, place, "zone", unit.zone)
        yield from series_faults(place, "capacity", unit.capacity, model.hours, low=0.0, unit="MW")
        yield from _outage_faults(place, unit.outage_rate, unit.repair_hours)
    for link in model.links:
        place = f"link {link.name}"
        yield from _known(model, place, "from_zone", link.from_zone)
        yield from _known(model, place, "to_zone", link.to_zone)
        for column in ("forward_limit", "backward_limit"):
            yield from series_faults(place, column, getattr(link, column), model.hours, low=0.0, unit="MW")
        if not 0.0 <= link.loss < 1.0:
            yield Fault(place, "must lie in [0, 1) [1]", "give a share", column="loss", value=repr(link.loss))
        yield from _outage_faults(place, link.outage_rate, link.repair_hours)


def _known(model: OutageModel, place: str, column: str, zone: str) -> Iterable[Fault]:
    if zone not in model.zones:
        yield Fault(
            place, f"is none of the zones {', '.join(model.zones)}", "use one", column=column, value=zone
        )


def _outage_faults(place: str, rate: float, repair: float) -> Iterable[Fault]:
    if not 0.0 <= rate < 1.0:
        yield Fault(
            place, "must lie in [0, 1) [1]", "give a share of time", column="outage_rate", value=repr(rate)
        )
        return
    if not 1.0 <= repair < np.inf:
        yield Fault(
            place,
            "must be a finite number of at least 1 h",
            "correct it; hours are the step of the model",
            column="repair_hours",
            value=repr(repair),
        )
        return
    if rate > 0.0 and rate / (1.0 - rate) > repair:
        yield Fault(
            place,
            f"is too high for a repair of {repair:g} h: it would fail more than once an hour",
            "lower the rate or give a longer repair",
            column="outage_rate",
            value=repr(rate),
        )


def limits(link: Link, hours: int) -> tuple[FloatArray, FloatArray]:
    """Forward and backward limit of every hour, each of shape (hours,). [MW]"""
    return hour_series(link.forward_limit, hours), hour_series(link.backward_limit, hours)
