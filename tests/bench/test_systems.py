"""The benchmark's systems are what the page says, and its two peers solve the same problem as `clear`."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from bench import direct, pypsa_peer
from bench.cases import CASES, HOURS, Case
from bench.systems import Market, congested_share, cut, fresh, make
from penstock.market import clear

DISTINCT = [case for case in CASES if case.name != "stores-1e-4"]
SYNTHETIC = [case for case in DISTINCT if case.name != "pakistan"]


@cache
def market(name: str) -> Market:
    return make(**next(case.options for case in CASES if case.name == name))  # type: ignore[arg-type]


def loops(system: Market) -> int:
    """Independent cycles of the corridors; the zones hang together."""
    return len(system.system.corridors) - len(system.system.zones) + 1


@pytest.mark.parametrize("case", SYNTHETIC, ids=lambda case: case.name)
def test_sizes_are_as_told(case: Case) -> None:
    system = market(case.name).system
    assert (system.hour_count, len(system.zones), len(system.plants)) == (HOURS, 6, 110)
    assert len(market(case.name).bids) == 24
    assert sum(plant.curtailable for plant in system.plants) == 25
    assert all(isinstance(plant.available, np.ndarray) == plant.curtailable for plant in system.plants)
    costs = [float(plant.cost) for plant in system.plants]
    assert len(set(costs)) == 110
    assert min(costs) >= 0.0
    assert max(costs) <= 150.0
    assert loops(market(case.name)) == (3 if case.name.startswith("meshed") else 0)
    assert len(system.stores) == (6 if case.name == "stores" else 0)
    assert len(system.budgets) == (12 if case.name == "budgets" else 0)
    assert system.demand.sum(axis=1).max() == pytest.approx(25_000.0)


def test_energy_budgets_bind() -> None:
    whole = market("budgets")
    price = direct.solve(cut(whole, 744), "span").price
    loose = make(limit_mw=700.0, hours=744)
    assert not np.allclose(price, direct.solve(loose, "hot-24").price)
    assert sum(bool(np.isfinite(budget.minimum).all()) for budget in whole.system.budgets) == 4


def test_tight_systems_are_congested_and_loose_ones_are_not() -> None:
    def share(name: str) -> float:
        return congested_share(market(name).system, direct.solve(market(name), "hot-24").price)

    assert share("radial-loose") < 0.2
    assert share("radial-tight") >= 0.8
    assert share("meshed") >= 0.8
    assert share("meshed-losses") >= 0.8


def test_the_same_seed_gives_the_same_system_and_another_does_not() -> None:
    first, again, other = make(hours=48, seed=3), make(hours=48, seed=3), make(hours=48, seed=4)
    assert np.array_equal(first.system.demand, again.system.demand)
    assert not np.array_equal(first.system.demand, other.system.demand)


def test_more_than_a_year_can_be_made() -> None:
    long = make(hours=2 * HOURS, stores=6, budgets=12)
    assert long.system.hour_count == 2 * HOURS
    assert len(np.asarray(long.system.budgets[0].maximum)) == 24


def test_a_fresh_market_shares_no_part_with_the_first() -> None:
    first = make(hours=48, stores=6, budgets=12)
    second = fresh(first)
    assert second.system is not first.system
    for name in ("plants", "corridors", "stores", "budgets"):
        mine, theirs = getattr(first.system, name), getattr(second.system, name)
        assert all(one is not other for one, other in zip(mine, theirs, strict=True))
    assert clear(second.system, second.bids, engine="highs").net_cost == pytest.approx(
        clear(first.system, first.bids, engine="highs").net_cost, rel=1e-12
    )


@pytest.mark.parametrize("case", DISTINCT, ids=lambda case: case.name)
def test_direct_highs_finds_the_optimum(case: Case) -> None:
    part = cut(market(case.name), 72)
    cleared = clear(part.system, part.bids, engine="highs")
    for name in direct.variants_for(part):
        if "ipx" not in name:
            assert direct.solve(part, name).objective == pytest.approx(cleared.net_cost, rel=1e-9), name


# The loose line and the lossless mesh differ from these in numbers only.
@pytest.mark.parametrize(
    "case",
    [case for case in DISTINCT if case.name not in {"radial-loose", "meshed"}],
    ids=lambda case: case.name,
)
def test_pypsa_finds_the_optimum(case: Case) -> None:
    if not pypsa_peer.available():
        pytest.skip("PyPSA is not installed")
    part = cut(market(case.name), 48)
    cleared = clear(part.system, part.bids, engine="highs")
    objective = pypsa_peer.optimise(part, pypsa_peer.build(part))
    assert objective == pytest.approx(cleared.net_cost, rel=1e-9)
