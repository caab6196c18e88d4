"""Units fail and are repaired: how often, for how long, and each year and unit by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from penstock.market.adequacy.sampling import draw_outages, start_of_stream
from penstock.market.adequacy.years import arrays_of, run_years

from .models import extra, random_model

HOURS, YEARS = 2000, 3000
RATES = ((0.06, 50.0), (0.12, 100.0), (0.1, 1.0 / 0.9), (0.5, 2.0), (0.5, 1.0))
Flags = npt.NDArray[np.bool_]
_njit: Any = numba.njit


@_njit
def _spells(seed, years, unit, rate, repair, hours, starts, ends, counts):  # type: ignore[no-untyped-def]
    repaired = 1.0 / repair
    stay_up, stay_down = np.log1p(-repaired * rate / (1.0 - rate)), np.log1p(-repaired)
    for year in range(years):
        state = start_of_stream(seed, year, unit)
        counts[year] = draw_outages(state, rate, stay_up, stay_down, hours, starts[year], ends[year])


def spells(
    rate: float, repair: float, *, unit: int = 0, seed: int = 1, years: int = YEARS
) -> list[npt.NDArray[np.int64]]:
    """Of each year the hours in which the unit went down and was back, shape (spells, 2)."""
    starts, ends = np.zeros((2, years, HOURS // 2 + 2), dtype=np.int64)
    counts = np.zeros(years, dtype=np.int64)
    _spells(seed, years, unit, rate, repair, HOURS, starts, ends, counts)
    return [np.stack([s[:n], e[:n]], axis=1) for s, e, n in zip(starts, ends, counts, strict=True)]


def down(rate: float, repair: float, **given: int) -> Flags:
    """Whether the unit is down, shape (years, hours)."""
    found = spells(rate, repair, **given)
    flags = np.zeros((len(found), HOURS), dtype=bool)
    for year, rows in enumerate(found):
        for start, end in rows:
            flags[year, start:end] = True
    return flags


@pytest.mark.parametrize(("rate", "repair"), RATES)
def test_long_run_share_and_its_memory(rate: float, repair: float) -> None:
    """Down for the share q in every hour, the first included; and k hours after being down with the chance
    q + (1 - q)(1 - λ - μ)^k, as a chain of two states."""
    flags = down(rate, repair)
    by_year = flags.mean(axis=1)
    assert abs(by_year.mean() - rate) <= 3.0 * by_year.std(ddof=1) / np.sqrt(YEARS)
    for hour in (0, 1, HOURS - 1):
        assert abs(flags[:, hour].mean() - rate) < 3.0 * np.sqrt(rate * (1.0 - rate) / YEARS)
    stays = 1.0 - 1.0 / repair - rate / (1.0 - rate) / repair
    for gap in (1, 5, 50):
        chance = rate + (1.0 - rate) * stays**gap
        by_year = (flags[:, gap::50] & flags[:, :-gap:50]).mean(axis=1)
        error = by_year.std(ddof=1) / np.sqrt(YEARS)
        assert abs(by_year.mean() - rate * chance) <= 3.0 * error + 1e-12


@pytest.mark.parametrize(("rate", "repair"), RATES)
def test_outages_last_as_long_as_a_repair_takes(rate: float, repair: float) -> None:
    """Lengths are geometric: their mean, and the share that lasts beyond k hours.

    Only spells that begin after hour 0 and before the last 1000 are counted, so that none is cut off."""
    found = np.concatenate(spells(rate, repair))
    found = found[(found[:, 0] > 0) & (found[:, 0] < HOURS - 1000)]
    length = found[:, 1] - found[:, 0]
    assert length.min() >= 1
    assert abs(length.mean() - repair) <= 3.0 * np.sqrt(repair * (repair - 1.0) / len(length)) + 1e-12
    for hours in (1, 10, 100):
        chance = (1.0 - 1.0 / repair) ** hours
        error = np.sqrt(chance * (1.0 - chance) / len(length))
        assert abs((length > hours).mean() - chance) <= 3.0 * error + 1e-12


def test_time_up_is_as_long_as_the_rate_says() -> None:
    """Mean time to failure = mean time to repair x (1 - q) / q."""
    rows = [
        after[0] - before[1]
        for year in spells(0.2, 10.0)
        for before, after in pairwise(year)
        if before[1] < HOURS / 2
    ]
    mean, error = np.mean(rows), np.std(rows, ddof=1) / np.sqrt(len(rows))
    assert abs(mean - 40.0) < 3.0 * error


def test_units_and_years_and_seeds_are_independent() -> None:
    """Correlation over the years of being down in an hour, of ten pairs: n times its square is chi-square.

    Of ten, 99.9 % lie below 29.6. The last stream is the first, a year later."""
    streams = [
        down(0.3, 20.0, unit=unit, seed=seed)[:, 700] for unit, seed in ((0, 1), (1, 1), (2, 1), (0, 2))
    ]
    streams.append(np.roll(streams[0], 1))
    pairs = [(a, b) for index, a in enumerate(streams) for b in streams[index + 1 :]]
    assert len(pairs) == 10
    assert sum(YEARS * np.corrcoef(a, b)[0, 1] ** 2 for a, b in pairs) < 29.6


def test_same_draws_from_same_numbers_and_others_from_others() -> None:
    first = down(0.1, 20.0, years=50)
    assert np.array_equal(first, down(0.1, 20.0, years=50))
    for other in ({"seed": 2}, {"unit": 1}):
        assert not np.array_equal(first, down(0.1, 20.0, years=50, **other))
    assert len({row.tobytes() for row in first}) == 50


def test_a_year_is_the_same_in_any_company() -> None:
    model = random_model(np.random.default_rng(6))
    arrays = arrays_of(model, [extra(model), extra(model, firm=2.0)])
    numbers = np.arange(40, dtype=np.int64)
    whole = run_years(arrays, 5, numbers)
    assert whole.any()
    order = np.random.default_rng(1).permutation(numbers)
    assert np.array_equal(run_years(arrays, 5, order), whole[order])
    assert np.array_equal(run_years(arrays, 5, numbers[7:8]), whole[7:8])
    assert not np.array_equal(run_years(arrays, 6, numbers), whole)
