"""Studies of the toy: what any country's study must do, whatever its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.country import Country
from penstock.programme import default_programme
from penstock.study import Study, run
from tests.country.toy import write_toy_country
from tests.study.conftest import ToyRun
from tests.summary import validate_summary

pytestmark = pytest.mark.xdist_group("toy")


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in nested dicts and lists, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{index}]")
    elif isinstance(value, int | float):
        yield path, value


def same_clearings(first: Study, second: Study) -> bool:
    return all(
        np.array_equal(getattr(first.with_programme, name), getattr(second.with_programme, name))
        for name in ("dispatch", "accepted", "flow", "unserved", "price")
    )


def test_no_megawatts_change_nothing(toy_run: ToyRun) -> None:
    summary = toy_run(mw=0.0).summary
    change = dict(summary["change"])
    assert change.pop("cost_per_programme_mwh") is None
    found = list(numbers(change))
    assert len(found) > 30
    assert [place for place, value in found if value != 0.0] == []
    for rule in ("pooled", "marginal"):
        changes = [party["change_usd"] for party in summary["incidence"][rule]["parties"]]
        assert not any(changes)


@pytest.mark.parametrize("firm", [False, True])
def test_bigger_programme_never_costs_less(toy_run: ToyRun, firm: bool) -> None:
    """AI alone: it is interrupted only above 400 USD/MWh, so what it takes grows with it."""
    studies = [toy_run(mw=mw, mining_share=0.0, firm=firm) for mw in (0.0, 50.0, 100.0)]
    costs = [study.summary["with_programme"]["cost_usd"] for study in studies]
    taken = [study.summary["programme"]["energy_gwh"] for study in studies]
    assert taken[0] < taken[1] < taken[2]
    assert costs[0] < costs[1] < costs[2]
    assert len({study.summary["base"]["cost_usd"] for study in studies}) == 1


def test_same_inputs_give_the_same_summary(tmp_path: Path) -> None:
    """With contracts, so that the variants are in it."""
    folder = tmp_path / "toyland"
    write_toy_country(folder)
    first, second = run(folder), run(folder)
    assert first.summary == second.summary
    assert first.hourly.equals(second.hourly)
    assert [row["variant"] for row in first.summary["variants"]] == ["merit_order", "low_take_or_pay"]
    validate_summary(first.summary)


def test_country_without_contracts_has_no_variants(toy_run: ToyRun) -> None:
    summary = toy_run().summary
    assert summary["variants"] == []
    validate_summary(summary)


def test_tariff_of_a_firm_programme_moves_money_alone(toy_run: ToyRun) -> None:
    low, high = toy_run(firm=True), toy_run(firm=True, tariff_per_kwh=8.0)
    assert same_clearings(low, high)
    for key in ("base", "with_programme", "change", "surplus"):
        assert low.summary[key] == high.summary[key]
    energy = 100.0 * 8.760  # GWh
    programme = high.summary["programme"]["payment_usd"] - low.summary["programme"]["payment_usd"]
    assert programme == pytest.approx(20.0 * energy * 1000.0)
    gaining = {"pooled": "consumers", "marginal": "state"}  # whoever is behind the contract
    for rule, group in gaining.items():
        before, after = (study.summary["incidence"][rule]["by_group"] for study in (low, high))
        moved = {key: after[key] - before[key] for key in before}
        assert moved.pop("programme") == pytest.approx(programme)
        assert moved.pop(group) == pytest.approx(-programme)
        assert all(abs(rest) < 0.01 for rest in moved.values()), rule


def test_interruptible_mining_stops_where_power_costs_more_than_its_tariff(toy_run: ToyRun) -> None:
    study = toy_run()
    bids = {row["name"]: row for row in study.summary["programme"]["bids"]}
    zones = list(study.country.zones)
    names = [bid.name for bid in study.with_programme.bids]
    for zone in zones:
        taken = study.with_programme.accepted[:, names.index(f"mining {zone}")]
        price = study.with_programme.price[:, zones.index(zone)]
        assert bids[f"mining {zone}"]["bid_usd_per_mwh"] == pytest.approx(60.0)
        assert 0.0 < taken.sum() < 25.0 * 8760
        assert taken[price > 60.0 + 1e-6].max() <= 1e-6
        assert taken[price < 60.0 - 1e-6].min() >= 25.0 - 1e-6
        assert bids[f"ai {zone}"]["served_share"] == pytest.approx(1.0)


def test_mining_does_not_come_above_what_it_earns(toy_run: ToyRun) -> None:
    """Mining is worth about 112.5 USD/MWh; 12 per kWh is 120 USD/MWh."""
    bids = toy_run(tariff_per_kwh=12.0).summary["programme"]["bids"]
    for row in bids:
        came = row["load"] == "ai"
        assert (row["mw"] > 0.0) == came
        assert (row["energy_gwh"] > 0.0) == came
        assert (row["value_usd_per_mwh"] > 120.0) == came


def test_firm_programme_is_served_in_every_hour(toy_run: ToyRun) -> None:
    study = toy_run(firm=True)
    assert study.summary["programme"]["served_share"] == pytest.approx(1.0)
    assert study.with_programme.accepted.min() >= 25.0 - 1e-6
    assert study.summary["with_programme"]["cost_usd"] > toy_run().summary["with_programme"]["cost_usd"]


def test_progress_rises_to_1(toy_country: Country) -> None:
    seen: list[tuple[str, float]] = []
    run(
        toy_country,
        default_programme(toy_country, mw=0.0),
        progress=lambda step, fraction: seen.append((step, fraction)),
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert seen[-1] == ("Done", 1.0)
