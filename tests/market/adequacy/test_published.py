"""Systems whose loss of load is published: the toys of PRAS, and the IEEE Reliability Test System of 1979.

The toys: NREL/PRAS, PRASCore.jl/src/Systems/TestData.jl, commit 2676531afb08209d6641a7b06a808be3fa5b19b9, MIT
licence. A unit fails with 0.1 and is repaired with 0.9 in an hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from penstock.market.adequacy import BASE, SYSTEM, Link, Unit, assess_adequacy

from .models import errors_away, model_of
from .rts79 import ENERGY_MWH, EUE_MWH, LOLE_H, PEAK_MW, capacity_lost, load_mw, units

YEARS = 100_000
WITHIN = 3.0


@dataclass(frozen=True)
class Toy:
    """zones: demand by zone. units: zone, capacity, fails or not. lolp, eue: of the system, hour by hour."""

    zones: Mapping[str, Sequence[float]]
    units: Sequence[tuple[str, Sequence[float], bool]]
    lolp: Sequence[float]
    eue: Sequence[float]
    line_mw: float = 0.0
    lines: Sequence[tuple[str, str]] = ()


THREE_ZONES = {"A": (19, 20, 21, 20), "B": (20, 21, 21, 22), "C": (22, 21, 23, 22)}
THREE_UNITS = (
    ("A", (10, 10, 10, 10), True),
    ("A", (4, 3, 2, 3), False),
    ("B", (10, 10, 10, 10), True),
    ("B", (10, 10, 10, 10), True),
    ("B", (6, 5, 3, 4), False),
    ("C", (10, 10, 15, 10), True),
    ("C", (20, 20, 25, 20), True),
    ("C", (2, 1, 2, 1), False),
)
THREE_LINES = (("A", "B"), ("A", "C"), ("B", "C"))
TOYS = {
    "singlenode_a": Toy(
        {"A": (25, 28, 27, 24)},
        (*(("A", (10, 10, 10, 10), True) for _ in range(3)), ("A", (5, 6, 7, 8), False)),
        (0.028, 0.271, 0.028, 0.028),
        (0.29, 0.832, 0.29, 0.178),
    ),
    "singlenode_b": Toy(
        {"A": (28, 29, 30, 31, 32, 33)},
        (
            ("A", (10, 10, 10, 15, 15, 15), True),
            ("A", (20, 20, 20, 25, 25, 25), True),
            ("A", (7, 8, 9, 9, 8, 7), False),
        ),
        (0.19, 0.19, 0.19, 0.1, 0.1, 0.19),
        (1.29, 1.29, 1.29, 0.85, 1.05, 1.34),
    ),
    "threenode": Toy(
        THREE_ZONES,
        THREE_UNITS,
        (0.14707, 0.40951, 0.40951, 0.40951),
        (1.75783, 3.13343, 2.87563, 4.36196),
        8.0,
        THREE_LINES,
    ),
    "threenode_copperplate": Toy(
        THREE_ZONES,
        THREE_UNITS,
        (0.14707, 0.40951, 0.21268, 0.40951),
        (1.75783, 3.13343, 2.47954, 4.36196),
        1000.0,
        THREE_LINES,
    ),
}
#: (LOLE, EUE) as the file prints them.
PRINTED = {
    "singlenode_a": (0.355, 1.59),
    "singlenode_b": (0.96, 7.11),
    "threenode": (1.3756, 12.12885),
    "threenode_copperplate": (1.17877, 11.73276),
}


def pras_unit(name: str, zone: str, capacity: Sequence[float], fails: bool) -> Unit:
    given = np.array(capacity, dtype=float)
    return Unit(name, zone, given, 0.1, 1.0 / 0.9) if fails else Unit(name, zone, given, 0.0, 1.0)


def z_of(toy: Toy, hours: slice, lole: float, eue: float, seed: int = 1) -> tuple[float, float]:
    model = model_of(
        tuple(toy.zones),
        np.array([demand[hours] for demand in toy.zones.values()]).T,
        [pras_unit(f"{n}", zone, mw[hours], fails) for n, (zone, mw, fails) in enumerate(toy.units)],
        [Link(a + b, a, b, toy.line_mw, toy.line_mw) for a, b in toy.lines],
    )
    found = assess_adequacy(model, {}, years=YEARS, seed=seed).case(BASE)
    return errors_away(found.lole_h[SYSTEM], lole), errors_away(found.eue_mwh[SYSTEM], eue)


@pytest.mark.parametrize("name", list(TOYS))
def test_toys_of_pras(name: str) -> None:
    toy = TOYS[name]
    lole, eue = PRINTED[name]
    assert lole == pytest.approx(sum(toy.lolp))
    assert eue == pytest.approx(sum(toy.eue))
    assert max(map(abs, z_of(toy, slice(None), lole, eue))) < WITHIN


@pytest.mark.parametrize(
    ("name", "hour"), [(name, hour) for name, toy in TOYS.items() for hour in range(len(toy.lolp))]
)
def test_toys_of_pras_hour_by_hour(name: str, hour: int) -> None:
    """A model of that hour alone: a unit starts it with its long-run share."""
    toy = TOYS[name]
    z = z_of(toy, slice(hour, hour + 1), toy.lolp[hour], toy.eue[hour], seed=2 + hour)
    assert max(map(abs, z)) < WITHIN


def test_toy_of_pras_whose_line_fails() -> None:
    model = model_of(
        ("A", "B"),
        [[8, 9]],
        [pras_unit("1", "A", [15], True), pras_unit("2", "B", [15], True)],
        [Link("1", "A", "B", 8.0, 8.0, 0.0, 0.1, 1.0 / 0.9)],
    )
    found = assess_adequacy(model, {}, years=YEARS, seed=1).case(BASE)
    for zone, lole, eue in ((SYSTEM, 0.19, 0.647), ("A", 0.1, 0.314), ("B", 0.1, 0.333)):
        assert abs(errors_away(found.lole_h[zone], lole)) < WITHIN
        assert abs(errors_away(found.eue_mwh[zone], eue)) < WITHIN


def test_load_of_the_reliability_test_system_is_the_published_one() -> None:
    """Its peak and energy; and the exact loss of load of its units under it."""
    load, chance = load_mw(), capacity_lost()
    assert len(load) == 8736
    assert load.max() == pytest.approx(PEAK_MW)
    assert load.sum() == pytest.approx(ENERGY_MWH, abs=1.0)
    missing = np.maximum(load[:, np.newaxis] - (len(chance) - 1 - np.arange(len(chance))), 0.0)
    assert ((missing > 1e-9) @ chance).sum() == pytest.approx(LOLE_H, abs=0.0005)
    assert (missing @ chance).sum() == pytest.approx(EUE_MWH, abs=0.5)


def test_reliability_test_system() -> None:
    model = model_of(("RTS",), load_mw()[:, np.newaxis], units())
    found = assess_adequacy(model, {}, years=5000, seed=1).case(BASE)
    assert abs(errors_away(found.lole_h[SYSTEM], LOLE_H)) < WITHIN
    assert abs(errors_away(found.eue_mwh[SYSTEM], EUE_MWH)) < WITHIN
    assert found.lole_h[SYSTEM].standard_error < 0.03 * LOLE_H
