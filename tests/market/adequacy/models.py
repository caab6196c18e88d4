"""Small models of outages, and how far an estimate lies from what it should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.market.adequacy import Estimate, ExtraLoad, Link, OutageModel, Unit


def model_of(
    zones: Sequence[str], demand: Any, units: Sequence[Unit], links: Sequence[Link] = ()
) -> OutageModel:
    """Demand of shape (hours, zones) that is met by units alone."""
    load = np.array(demand, dtype=float)
    return OutageModel(tuple(zones), load, np.zeros_like(load), tuple(units), tuple(links))


def random_model(rng: np.random.Generator) -> OutageModel:
    """One to four zones, each with a few units that fail often, and links that fail, with losses."""
    zones = tuple("ABCD"[: rng.integers(1, 5)])
    units = [
        Unit(f"{zone}{n}", zone, float(rng.integers(5, 40)), float(rng.uniform(0.02, 0.4)), 5.0)
        for zone in zones
        for n in range(rng.integers(0, 4))
    ]
    links = [
        Link(
            f"{a}{b}",
            a,
            b,
            float(rng.integers(0, 20)),
            float(rng.integers(0, 20)),
            loss=float(rng.choice([0.0, 0.03, 0.1])),
            outage_rate=0.1,
            repair_hours=4.0,
        )
        for index, a in enumerate(zones)
        for b in zones[index + 1 :]
        if rng.random() < 0.7
    ]
    demand = rng.uniform(0.0, 45.0, (30, len(zones)))
    return OutageModel(zones, demand, rng.uniform(0.0, 10.0, demand.shape), tuple(units), tuple(links))


def extra(model: OutageModel, *, firm: Any = 0.0, interruptible: Any = 0.0) -> ExtraLoad:
    """A load of the shape of the demand."""
    shape = model.demand.shape
    return ExtraLoad(
        np.array(np.broadcast_to(np.asarray(firm, dtype=float), shape)),
        np.array(np.broadcast_to(np.asarray(interruptible, dtype=float), shape)),
    )


def errors_away(estimate: Estimate, expected: float) -> float:
    """How many standard errors an estimate lies above what is expected."""
    return (estimate.value - expected) / estimate.standard_error
