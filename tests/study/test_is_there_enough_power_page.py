"""The tables of docs/is-there-enough-power.md, drawn again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from penstock.country import load_country
from penstock.market.adequacy import BASE, SYSTEM, Estimate, ExtraLoad, OutageModel
from penstock.programme import default_programme
from penstock.study.adequacy import assess, load_of, outage_model, taken_by_zone
from penstock.study.prepared import Prepared, add_programme, prepare
from penstock.study.stress import stressed

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("pakistan")]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "is-there-enough-power.md").read_text("utf-8")
YEARS = 10_000


@cache
def year(stress: str | None) -> Prepared:
    prepared = prepare(load_country("pakistan"))
    return prepared if stress is None else stressed(prepared, stress)


@cache
def load(stress: str | None, firm: bool) -> ExtraLoad:
    programme = default_programme(year(stress).country, mw=2000.0, firm=firm)
    return load_of(taken_by_zone(add_programme(year(stress), programme).clearing), firm=firm)


def told(estimate: Estimate, digits: int) -> str:
    return f"{estimate.value:,.{digits}f} ± {estimate.standard_error:,.{digits}f}"


@pytest.mark.parametrize("stress", [None, "hydro_dry", "hot", "dry_and_hot"])
def test_years_without_and_with_the_programme(stress: str | None) -> None:
    cases = {"firm": load(stress, True), "soft": load(stress, False)}
    found = assess(outage_model(year(stress)), cases, years=YEARS)
    base, firm, soft = found.case(BASE), found.change("firm"), found.case("soft")
    cells = [
        "study year" if stress is None else f"`{stress}`",
        told(base.lole_h[SYSTEM], 3),
        told(base.eue_mwh[SYSTEM], 1),
        told(firm.lole_h[SYSTEM], 3),
        told(firm.eue_mwh[SYSTEM], 1),
        "0",
        told(soft.cut_h[SYSTEM], 3),
        told(soft.cut_mwh[SYSTEM], 1),
    ]
    assert f"| {' | '.join(cells)} |" in PAGE
    assert np.array_equal(found.years[:, 2, :, :2], found.years[:, 0, :, :2])


def with_rates(model: OutageModel, factor: float) -> OutageModel:
    return replace(
        model,
        units=tuple(replace(unit, outage_rate=factor * unit.outage_rate) for unit in model.units),
    )


def with_limits(model: OutageModel, south_mid: float, mid_north: float) -> OutageModel:
    limits = {"ac_south_mid": south_mid, "ac_mid_north": mid_north}
    return replace(
        model,
        links=tuple(
            replace(link, forward_limit=limits[link.name], backward_limit=limits[link.name])
            if link.name in limits
            else link
            for link in model.links
        ),
    )


@pytest.mark.parametrize(
    ("row", "factor", "limits", "digits"),
    [
        ("nothing", 1.0, None, 1),
        ("every unit is down 1.6 times", 1.6, None, 0),
        ("0.6 times", 0.6, None, 1),
        ("AC corridors at their low end", 1.0, (1200.0, 3000.0), 1),
        ("AC corridors at their high end", 1.0, (3000.0, 6000.0), 1),
    ],
)
def test_what_it_hangs_on(row: str, factor: float, limits: tuple[float, float] | None, digits: int) -> None:
    model = with_rates(outage_model(year(None)), factor)
    if limits is not None:
        model = with_limits(model, *limits)
    found = assess(model, {"firm": load(None, True)}, years=YEARS)
    base, firm = found.case(BASE), found.change("firm")
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    cells = (
        told(base.lole_h[SYSTEM], 3),
        told(firm.lole_h[SYSTEM], 3),
        told(firm.eue_mwh[SYSTEM], digits),
    )
    assert line.endswith(f" | {' | '.join(cells)} |")
