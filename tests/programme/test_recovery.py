"""What a programme causes: a case solved by hand, and what holds of any."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import ProgrammeError
from penstock.market import Bid, Clearing, clear
from penstock.market.system import Corridor, Plant, System
from penstock.programme.recovery import added_cost_by_hour, peak_hours, recovery

# Two hours of January and one of February. Coal 20 USD/MWh up to 100 MW in A, gas 60 in B; A sends at most 50
# MW to B, without loss, at 1 USD/MWh.
MONTH = np.array([1, 1, 2])


def system() -> System:
    return System(
        hours=np.arange("2025-01-31T22", "2025-02-01T01", dtype="datetime64[h]"),
        zones=("A", "B"),
        demand=np.array([[40.0, 30.0], [40.0, 60.0], [90.0, 60.0]]),
        value_of_lost_load=1000.0,
        plants=(Plant("coal", "A", 20.0, 100.0), Plant("gas", "B", 60.0, 500.0)),
        corridors=(Corridor("AB", "A", "B", 50.0, 50.0, cost=1.0),),
    )


# The load: 20 MW in A. Hour 0: coal 70 -> 90. Hour 1: coal 40 + 50 sent = 90 -> 100, of which 40 are sent, so
# gas 10 -> 20. Hour 2: coal is at 100 (10 sent, gas 50), and 20 more are gas 60 -> 110 - 90 = 70 with nothing
# sent from A, and 10 sent back from B to A.
BID = (Bid("load", "A", 20.0, 500.0),)


@pytest.fixture(scope="module")
def pair() -> tuple[Clearing, Clearing]:
    return clear(system()), clear(system(), BID)


def test_added_cost_by_hour_is_that_of_the_dispatch(pair: tuple[Clearing, Clearing]) -> None:
    added = added_cost_by_hour(*pair)
    # Hour 0: 20 coal. Hour 1: 10 coal, 10 gas, 10 less sent. Hour 2: 20 gas; 10 sent, then 10 sent back.
    assert added == pytest.approx([400.0, 200.0 + 600.0 - 10.0, 1200.0])
    assert added.sum() == pytest.approx(pair[1].cost - pair[0].cost)


def test_every_basis_by_hand(pair: tuple[Clearing, Clearing]) -> None:
    found = recovery(*pair, MONTH, capacity_usd=9000.0, pool_energy_mwh=380.0)
    assert found.energy_mwh.tolist() == [40.0, 20.0] + [0.0] * 10
    assert found.added_cost_usd[:2] == pytest.approx([1190.0, 1200.0])
    assert found.marginal == pytest.approx(2390.0 / 60.0)
    assert found.by_month[0] == pytest.approx(1190.0 / 40.0)
    assert found.by_month[1] == pytest.approx(60.0)
    assert np.isnan(found.by_month[2:]).all()
    assert found.full_per_kwh == pytest.approx(2390.0 / 60.0 + 9000.0 / 380.0)
    # Peaks: 120 MW in January's second hour, 170 in February; the load is 20 of each.
    assert found.peak_share == pytest.approx(20.0 / 145.0)
    assert found.full_per_kw == pytest.approx(2390.0 / 60.0 + 9000.0 * 20.0 / 145.0 / 60.0)
    # Price in A: coal sets it in hour 0, gas less the sending charge in hour 1, gas and the charge in hour 2.
    assert found.price_usd_per_mwh == pytest.approx([20.0, 59.0, 61.0])


def test_only_the_zones_asked_for_make_the_peak(pair: tuple[Clearing, Clearing]) -> None:
    found = recovery(*pair, MONTH, capacity_usd=0.0, pool_energy_mwh=1.0, peak_zones=np.array([1.0, 0.0]))
    assert found.peak_share == pytest.approx(20.0 / ((60.0 + 110.0) / 2.0))


def test_a_load_that_is_absent_at_the_peak_pays_for_none_of_it() -> None:
    absent = (Bid("load", "A", np.array([20.0, 0.0, 0.0]), 500.0),)
    base = clear(system())
    found = recovery(base, clear(system(), absent), MONTH, capacity_usd=9000.0, pool_energy_mwh=380.0)
    assert found.peak_share == 0.0
    assert found.full_per_kw == pytest.approx(found.marginal)


def test_unserved_energy_counts_at_the_value_of_lost_load() -> None:
    tight = System(
        hours=np.arange("2025-01-01T00", "2025-01-01T01", dtype="datetime64[h]"),
        zones=("A",),
        demand=np.array([[90.0]]),
        value_of_lost_load=1000.0,
        plants=(Plant("coal", "A", 20.0, 100.0),),
    )
    before, after = clear(tight), clear(tight, (Bid("load", "A", 30.0, 2000.0),))
    assert added_cost_by_hour(before, after) == pytest.approx([10.0 * 20.0 + 20.0 * 1000.0])


def test_a_load_that_takes_nothing_is_refused() -> None:
    base = clear(system())
    with pytest.raises(ProgrammeError, match="takes no energy"):
        recovery(
            base,
            clear(system(), (Bid("load", "A", 20.0, 1.0),)),
            MONTH,
            capacity_usd=1.0,
            pool_energy_mwh=1.0,
        )


def test_peak_hours_are_the_first_of_equals() -> None:
    assert peak_hours(np.array([1.0, 3.0, 3.0, 2.0, 5.0]), np.array([1, 1, 1, 2, 2])).tolist() == [1, 4]
