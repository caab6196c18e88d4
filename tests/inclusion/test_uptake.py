"""Uptake with abandonment: the equations by hand, and how little three points say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.errors import InputError
from penstock.inclusion.uptake import PRIORS, START, Observation, observations, path, posterior


def draws(
    market: float, start: float, p: float, q: float, d: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[market, start, p, q, d]])


def test_without_newcomers_users_leave_exponentially() -> None:
    found = path(draws(0.1, 0.5, 0.0, 0.0, 0.7), [START, START + 1.0, START + 3.0])[0]
    assert found == pytest.approx([0.05 * math.exp(-0.7 * t) for t in (0.0, 1.0, 3.0)], rel=1e-3)


def test_without_leavers_it_is_the_curve_of_bass() -> None:
    """F(t) = (1 - exp(-(p+q) t)) / (1 + q/p exp(-(p+q) t)) from an empty start (Bass, 1969)."""
    p, q, market = 0.03, 0.4, 0.2
    times = [1.0, 4.0, 10.0]
    found = path(draws(market, 0.0, p, q, 0.0), [START + t for t in times])[0]
    grown = [math.exp(-(p + q) * t) for t in times]
    assert found == pytest.approx([market * (1 - e) / (1 + q / p * e) for e in grown], rel=1e-3)


def test_it_can_forecast_failure() -> None:
    found = posterior(observations(2024.0)).forecast([2024.0, 2026.0, 2030.0])
    assert found[0].median > found[1].median > found[2].median
    assert found[2].median < 0.002


def test_the_forecast_of_2023_beside_what_came() -> None:
    """1.02 % came in 2024, 0.58 % in 2025, 0.73 % in January 2026: within intervals that grow too wide."""
    later = [one for one in observations(9999.0) if one.year > 2024.0]
    assert [one.share for one in later] == [0.0102, 0.0058, 0.0073]
    told = posterior(observations(2024.0)).forecast(
        [one.year for one in later], [one.log_sd for one in later]
    )
    for one, came in zip(told, later, strict=True):
        assert one.low < one.median < one.high
        assert one.low < came.share < one.high
    assert [one.useful for one in told] == [True, True, False]


def test_three_points_are_known_at_the_end_of_2023() -> None:
    seen = observations(2024.0)
    assert [one.share for one in seen] == [0.0178, 0.016, 0.01]
    assert [one.year for one in seen] == pytest.approx([2021 + 10 / 12, 2022.5, 2023.5])
    assert observations(9999.0)[-1].year == pytest.approx(2026 + 0.5 / 12)


def test_the_error_of_a_figure_widens_its_forecast() -> None:
    found = posterior(observations(2024.0))
    truth, figure = found.forecast([2025.0])[0], found.forecast([2025.0], [0.3])[0]
    assert figure.high / figure.low > 1.2 * truth.high / truth.low
    assert figure.median == pytest.approx(truth.median, rel=0.03)
    with pytest.raises(InputError, match="one error for each time"):
        found.forecast([2025.0], [0.1, 0.1])


def test_what_is_known_shrinks_with_nothing_known() -> None:
    """One point leaves the intervals wide, and the far future is called too wide to be of use."""
    one = posterior([Observation(2022.5, 0.016, 0.1)]).forecast([2023.5, 2030.0])
    assert not one[1].useful
    more = posterior(observations(2026.0)).forecast([2026.5])
    assert more[0].high / more[0].low < one[0].high / one[0].low


def test_parameters_are_hardly_told_apart() -> None:
    """Half of the unknowns keep an interval of more than a factor of five: the data do not identify them."""
    found = posterior(observations(2024.0))
    wide = [name for name in PRIORS if found.interval(name)[2] > 5.0 * found.interval(name)[0]]
    assert len(wide) >= 3
    assert found.effective > 300


def test_the_same_seed_gives_the_same() -> None:
    first, again, other = (posterior(observations(2024.0), draws=5_000, seed=seed) for seed in (3, 3, 4))
    assert first.weights.tobytes() == again.weights.tobytes()
    assert first.weights.tobytes() != other.weights.tobytes()


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(InputError, match="there is none"):
        posterior([])
    with pytest.raises(InputError, match="must be at least"):
        posterior(observations(2024.0), draws=10)
    with pytest.raises(InputError, match="not before"):
        path(draws(0.1, 0.1, 0.1, 0.1, 0.1), [2020.0])
    with pytest.raises(InputError, match="must be finite"):
        path(draws(0.1, 0.1, 0.1, 0.1, 0.1), [math.nan])
