"""Figures over many paths: by hand, whatever the order, and where the paths come from."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.history import load_history
from penstock.bitcoin.path_summary import (
    Outcome,
    drawn_paths,
    given_path,
    height_on,
    latest_snapshot,
    outcome_of,
    past_days,
    replayed_path,
    summarise,
)
from penstock.bitcoin.price import PricePath
from penstock.errors import BitcoinError

BTC = 100_000_000
PAST = past_days("2021-01-01")


def path_from(first: str, price: list[float], fees_btc: list[int]) -> PricePath:
    dates = np.datetime64(first) + np.arange(len(price))
    return PricePath(dates, np.array(price), np.array(fees_btc) * BTC, "file")


def test_an_outcome_by_hand() -> None:
    # 450 and 225 BTC of new coins: (450 + 10) x 100 and (225 + 20) x 80 USD.
    path = path_from("2027-01-01", [100.0, 80.0], [10, 20])
    found = outcome_of(path, np.array([450 * BTC, 225 * BTC]), 7)
    assert found == Outcome(7, 100.0, 80.0, (46_000 + 19_600) / 2, 15.0 * BTC)


def test_the_figures_by_hand() -> None:
    ends = [90.0, 110.0, 100.0, 140.0, 60.0]
    found = summarise(
        Outcome(sample, 100.0, end, 2.0 * end, 5.0) for sample, end in zip((4, 0, 3, 1, 2), ends, strict=True)
    )
    price = found.price_at_end_usd
    # Squares about the mean of 100: 100 + 100 + 0 + 1600 + 1600 = 3400; over 4, and by the root of 5.
    assert price.mean == pytest.approx(100.0)
    assert price.samples == 5
    assert price.standard_error == pytest.approx(math.sqrt(3400 / 4 / 5))
    # Sorted 60, 90, 100, 110, 140: the quantiles stand at 0.2, 1, 2, 3 and 3.8 steps.
    assert price.quantiles == pytest.approx((66.0, 90.0, 100.0, 110.0, 134.0))
    assert found.reward_usd_per_day.mean == pytest.approx(200.0)
    fees = found.fees_satoshi_per_day
    assert (fees.mean, fees.standard_error, fees.quantiles) == (5.0, 0.0, (5.0,) * 5)
    below = found.below_start_share  # 90 and 60; 100 is not below: variance 5 x 0.4 x 0.6 / 4
    assert below.mean == pytest.approx(0.4)
    assert below.standard_error == pytest.approx(math.sqrt(0.3 / 5))


def test_one_sample_has_no_error() -> None:
    found = summarise([Outcome(0, 100.0, 100.0, 1.0, 0.0)])
    assert found.price_at_end_usd.standard_error is None
    assert found.price_at_end_usd.quantiles == (100.0,) * 5
    assert (found.below_start_share.mean, found.below_start_share.standard_error) == (0.0, None)


@given(st.permutations(range(12)), st.lists(st.floats(0.01, 1e6), min_size=12, max_size=12))
def test_the_order_of_the_samples_does_not_matter(order: list[int], ends: list[float]) -> None:
    outcomes = [Outcome(sample, 100.0, end, end / 3.0, end / 7.0) for sample, end in enumerate(ends)]
    assert summarise([outcomes[at] for at in order]) == summarise(outcomes)


@pytest.mark.parametrize("kind", ["bootstrap", "jumps"])
def test_each_sample_is_drawn_alike_in_any_order(kind: str) -> None:
    def source(samples: int, seed: int = 3) -> list[tuple[float, ...]]:
        made = drawn_paths(
            kind, PAST, 40, samples, seed=seed, first="2026-09-25", price_usd=1e5, height=968_566
        )
        order = range(samples) if samples < 6 else reversed(range(samples))
        found = {sample: made.draw(sample) for sample in order}
        return [tuple(found[sample].price_usd) for sample in range(samples)]

    assert source(6)[:5] == source(5)
    assert len(set(source(6))) == 6
    assert source(5, seed=4) != source(5)


def test_the_past_counts_what_it_leaves_out() -> None:
    history = load_history()
    steps = (history.date[-1] - np.datetime64("2021-01-01")).astype(int)
    unknown = (history.fees_satoshi[history.date >= np.datetime64("2021-01-01")][:-1] < 0).sum()
    assert (PAST.since, PAST.until) == (dt.date(2021, 1, 1), history.date[-1].item())
    assert PAST.left_out_days == unknown > 0
    assert PAST.returns_days + PAST.left_out_days == steps


def test_drawn_paths_say_what_they_are_drawn_from() -> None:
    start = {"first": "2027-01-01", "price_usd": 50_000.0, "height": 1_049_990}
    blocks = drawn_paths("bootstrap", PAST, 3, 2, seed=1, **start)  # type: ignore[arg-type]
    jumps = drawn_paths("jumps", PAST, 3, 2, seed=1, **start)  # type: ignore[arg-type]
    assert blocks.model is None
    assert blocks.block_days is not None
    assert jumps.block_days is None
    assert jumps.model is not None
    for source in (blocks, jumps):
        assert (source.first, source.days, source.samples) == (dt.date(2027, 1, 1), 3, 2)
        assert source.draw(1).price_usd[0] == 50_000.0
        # The halving at 1,050,000 comes after 10 blocks of 3.125 BTC; then 134 of 1.5625, then 144.
        assert source.issuance_satoshi.tolist() == [24_062_500_000, 22_500_000_000, 22_500_000_000]


def test_a_replay_has_the_coins_on_record() -> None:
    source = replayed_path("2022-03-01", 31)
    history = load_history()
    at = int((np.datetime64("2022-03-01") - history.date[0]).astype(int))
    assert source.first_height is None
    assert source.issuance_satoshi.tolist() == history.issuance_satoshi[at : at + 31].tolist()
    assert source.draw(0).price_usd.tolist() == history.price_usd[at : at + 31].tolist()


def test_a_path_of_ones_own_has_coins_on_record_or_counted() -> None:
    on_record = given_path(path_from("2022-03-01", [1.0, 2.0], [0, 0]))
    assert on_record.first_height is None
    assert on_record.issuance_satoshi[0] == load_history().issuance_satoshi[3712]  # days after 2012-01-01
    later = path_from("2026-09-27", [1.0, 2.0], [0, 0])
    assert given_path(later).first_height == 968_566 + 288
    counted = given_path(later, 0)
    assert (counted.first_height, counted.issuance_satoshi.tolist()) == (0, [7200 * BTC] * 2)


def test_height_is_counted_from_the_snapshot() -> None:
    known = latest_snapshot()
    assert (known.date, known.height, known.price_usd) == (dt.date(2026, 9, 25), 968_566, 83_847.0)
    assert height_on("2026-09-25") == 968_566
    assert height_on("2026-09-15") == 968_566 - 1440


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: past_days("2026-01-01"), "since: .*has not 365 days"),
        (lambda: past_days("2011-12-31"), "choose a day from 2012-01-01 to 2025-06-13"),
        (lambda: height_on("1990-01-01"), "lead below block 0"),
        (lambda: summarise([]), "0 outcomes"),
        (lambda: summarise([Outcome(1, 1.0, 1.0, 1.0, 1.0)] * 2), "2 outcomes do not have a number"),
        (
            lambda: outcome_of(path_from("2027-01-01", [1e308], [0]), np.array([450 * BTC]), 0),
            "beyond a floating-point number",
        ),
        (
            lambda: drawn_paths("x", PAST, 1, 1, seed=1, first="2027-01-01", price_usd=1.0, height=1),
            "choose one of bootstrap, jumps",
        ),
        (
            lambda: drawn_paths("jumps", PAST, 1, 0, seed=1, first="2027-01-01", price_usd=1.0, height=1),
            "limit of 1 sample",
        ),
        (
            lambda: drawn_paths("jumps", PAST, 0, 1, seed=1, first="2027-01-01", price_usd=1.0, height=1),
            "limit of 1 day",
        ),
        (lambda: replayed_path("2026-01-15", 60), "fees of 43 days are not known"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(BitcoinError, match=words):
        call()
