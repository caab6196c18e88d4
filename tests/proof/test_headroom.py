"""The simple headroom method, on demand whose headroom is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.proof.headroom import headroom

YEAR_MONTH = np.repeat(np.arange(1, 13), 730)


def test_one_peak_hour_by_hand() -> None:
    """90 MW in all hours but one of 100 a season. M MW more exceed the peak by M − 10 in the others once M is
    above 10, and by M in the two peak hours."""
    demand = np.full(8760, 90.0)
    demand[[3000, 8000]] = 100.0
    found = headroom(demand, YEAR_MONTH, 0.01)
    # 2 M + 8758 (M − 10) = 0.01 · 8760 M
    assert found.mw == pytest.approx(87580.0 / (8760.0 - 87.6), abs=1e-5)
    assert found.hours == 8760
    # At a share of two peak hours M is 10: nothing else is stopped.
    few = headroom(demand, YEAR_MONTH, (2.0 + 1e-9) / 8760.0)
    assert few.mw == pytest.approx(10.0, abs=1e-5)
    assert few.hours == 2
    assert few.mean_event_hours == 1.0


def test_nothing_curtailed_has_no_headroom_at_a_peak() -> None:
    demand = np.linspace(50.0, 100.0, 8760)
    assert headroom(demand, YEAR_MONTH, 0.0).mw == pytest.approx(0.0, abs=1e-9)


def test_a_season_is_held_against_its_own_peak() -> None:
    """Winter at 50 MW flat has no headroom of its own, whatever the summer's peak."""
    demand = np.full(8760, 50.0)
    demand[4000] = 100.0
    found = headroom(demand, YEAR_MONTH, 0.01)
    winter = int(np.isin(YEAR_MONTH, (1, 2, 3, 10, 11, 12)).sum())
    # Every winter hour is cut by all of M, far more than 1 % of the energy: so next to nothing fits.
    assert winter / 8760 > 0.01
    assert found.mw == pytest.approx(0.0, abs=1e-5)


@given(
    st.lists(st.floats(10.0, 1000.0), min_size=24, max_size=24),
    st.floats(0.001, 0.2),
    st.floats(1.0, 3.0),
)
def test_more_may_be_cut_more_fits(day: list[float], share: float, factor: float) -> None:
    demand = np.tile(np.array(day), 365)
    less, more = headroom(demand, YEAR_MONTH, share), headroom(demand, YEAR_MONTH, min(share * factor, 0.9))
    assert more.mw >= less.mw - 1e-6
    season = np.max(demand)
    cut = np.clip(demand + less.mw - season, 0.0, less.mw).sum()
    assert cut <= share * less.mw * 8760 + 1e-6 * 8760
