"""Paths of price and fees: what is refused, what is drawn, and the moments of the draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.history import load_history
from penstock.bitcoin.paths import (
    DailyReturns,
    JumpDiffusion,
    block_indices,
    bootstrapped,
    calibrate,
    jump_diffusion,
    returns_of,
)
from penstock.bitcoin.price import (
    PricePath,
    day_of,
    issuance_satoshi_per_day,
    read_path,
    replayed,
    reward_usd_per_day,
)
from penstock.errors import BitcoinError

Floats = npt.NDArray[np.float64]
BTC = 100_000_000
START = 80_000.0
HEIGHT = 970_000
FIRST = "2027-01-01"


@dataclass
class Past:
    """A made-up history, as much of it as the paths need."""

    date: npt.NDArray[np.datetime64]
    price_usd: Floats
    issuance_satoshi: npt.NDArray[np.int64]
    fees_satoshi: npt.NDArray[np.int64]


def past(log_return: Floats, fees_btc: Sequence[float] | None = None) -> Past:
    """Prices from 1000 USD on and 450 BTC a day; one day more than returns."""
    days = len(log_return) + 1
    price = 1000.0 * np.exp(np.concatenate([[0.0], np.cumsum(log_return)]))
    fees = np.full(days, 9.0) if fees_btc is None else np.array(fees_btc)
    return Past(
        np.datetime64("2020-01-01") + np.arange(days),
        price,
        np.full(days, 450 * BTC),
        np.rint(fees * BTC).astype(np.int64),
    )


def noise(days: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0.001, 0.03, days)


def days_from(first: str, count: int) -> npt.NDArray[np.datetime64]:
    return np.datetime64(first) + np.arange(count)


def path_of(**changes: object) -> PricePath:
    parts: dict[str, object] = {
        "dates": days_from("2025-01-01", 4),
        "price_usd": np.array([1.0, 2.0, 3.0, 4.0]),
        "fees_satoshi_per_day": np.array([0, 1, 2, 3]),
        "kind": "file",
    }
    return PricePath(**{**parts, **changes})  # type: ignore[arg-type]


def boot(source: Past | DailyReturns, days: int, sample: int, seed: int = 7, **more: int) -> PricePath:
    return bootstrapped(
        source,
        days,
        seed=seed,
        sample=sample,
        start_price_usd=START,
        first=FIRST,
        first_height=HEIGHT,
        **more,
    )


MODEL = JumpDiffusion(
    drift_per_year=0.10,
    volatility_per_root_year=0.40,
    jumps_per_year=12.0,
    jump_mean=-0.06,
    jump_sd=0.10,
    fee_share=0.05,
)


def jumpy(model: JumpDiffusion, days: int, sample: int, seed: int = 7) -> PricePath:
    return jump_diffusion(
        model, days, seed=seed, sample=sample, start_price_usd=START, first=FIRST, first_height=HEIGHT
    )


def within(measured: Floats, expected: float, errors: float = 3.0) -> bool:
    """Whether the mean of independent draws is within so many standard errors of what it should be."""
    error = measured.std(ddof=1) / math.sqrt(len(measured))
    return bool(abs(measured.mean() - expected) <= errors * error)


# --- a path --------------------------------------------------------------------------------------------


def test_a_path_keeps_what_it_is_given_and_nobody_can_change_it() -> None:
    price = np.array([1.0, 2.0, 3.0, 4.0])
    path = path_of(price_usd=price)
    price[0] = 99.0
    assert path.price_usd.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert path.days == 4
    assert path.dates.dtype == np.dtype("datetime64[D]")
    assert path.fees_satoshi_per_day.dtype == np.int64
    for array in (path.dates, path.price_usd, path.fees_satoshi_per_day):
        assert not array.flags.writeable


D = days_from("2025-01-01", 10)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"dates": D[[0, 1, 4, 5]]},
            ["2 days are missing", "2025-01-03", "after 2025-01-02", "Mend: give every"],
        ),
        ({"dates": D[[0, 2, 4, 6]]}, ["3 days are missing, the first is 2025-01-02"]),
        ({"dates": D[[0, 1, 1, 2]]}, ["1 days repeat or go back, the first is 2025-01-02", "Mend: sort"]),
        ({"dates": D[[3, 2, 1, 0]]}, ["3 days repeat or go back, the first is 2025-01-03"]),
        (
            {"dates": np.array(["2025-01-01", "NaT", "2025-01-03", "NaT"], "M8[D]")},
            ["2 are no date", "index 1"],
        ),
        ({"dates": D[:1].astype("M8[h]") + 12 * np.arange(4)}, ["hold hours", "2025-01-01T12"]),
        ({"dates": ["a", "b", "c", "d"]}, ["dates: are not dates"]),
        ({"dates": D[:0]}, ["dates: have the shape (0,)"]),
        ({"price_usd": [1.0, math.nan, math.inf, 1.0]}, ["2 prices are NaN or infinite", "2025-01-02"]),
        ({"price_usd": [1.0, 1.0, 0.0, -5.0]}, ["2 prices are 0 or below", "2025-01-03", "'0.0'", "USD/BTC"]),
        ({"price_usd": [1.0, 1.0, 1.0]}, ["price_usd: have the shape (3,); limit: (4,)"]),
        ({"price_usd": ["x", "y", "z", "w"]}, ["price_usd: are not numbers"]),
        ({"fees_satoshi_per_day": [1.0, 2.0, 3.0, 4.0]}, ["are float64, not integers", "whole satoshi"]),
        (
            {"fees_satoshi_per_day": [0, -1, 0, -1]},
            ["2 days have fees outside", "2025-01-02", "'-1'", "not known"],
        ),
        ({"fees_satoshi_per_day": [0, 0, 0, 21 * 10**14 + 1]}, ["1 days have fees outside", "2025-01-04"]),
        ({"fees_satoshi_per_day": [[0, 0, 0, 0]]}, ["have the shape (1, 4); limit: (4,)"]),
        ({"kind": "replay"}, ["there is no such kind", "did you mean 'replayed'"]),
        ({"seed": 1}, ["a seed and a sample belong together"]),
        ({"seed": -1, "sample": 0}, ["column seed: is not a whole number of 0 or more (value: '-1')"]),
        ({"seed": 1, "sample": 0.5}, ["column sample: is not a whole number of 0 or more (value: '0.5')"]),
    ],
)
def test_a_bad_path_is_refused(changes: dict[str, object], expected: list[str]) -> None:
    with pytest.raises(BitcoinError) as refused:
        path_of(**changes)
    for text in expected:
        assert text in str(refused.value)
    assert len(refused.value.faults) == 1


def test_all_faults_of_a_path_come_at_once() -> None:
    with pytest.raises(BitcoinError) as refused:
        path_of(
            dates=D[[0, 3, 3, 4]],
            price_usd=[1.0, math.nan, -1.0, 1.0],
            fees_satoshi_per_day=[0, -1, 0, 0],
            kind="x",
            seed=2,
        )
    columns = [fault.column for fault in refused.value.faults]
    assert columns == ["dates", "dates", "price_usd", "price_usd", "fees_satoshi_per_day", "kind", "seed"]


@given(st.sets(st.integers(1, 28), max_size=20))
def test_every_missing_day_is_counted(missing: set[int]) -> None:
    kept = np.array([day for day in range(30) if day not in missing])
    dates = np.datetime64("2024-02-20") + kept  # over the leap day

    def build() -> PricePath:
        return path_of(
            dates=dates, price_usd=np.ones(len(kept)), fees_satoshi_per_day=np.zeros(len(kept), int)
        )

    if not missing:
        assert build().days == 30
        return
    first = np.datetime64("2024-02-20") + min(missing)
    with pytest.raises(BitcoinError, match=f"{len(missing)} days are missing, the first is {first}"):
        build()


# --- a user's file -------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.csv"
    file.write_text(text, "utf-8")
    return file


def test_a_file_is_read(tmp_path: Path) -> None:
    text = "price_usd,date,fees_btc\n100,2024-02-28,0.1\n101.5,2024-02-29,0.00000001\n1e2,2024-03-01,0\n"
    path = read_path(written(tmp_path, text))
    assert path.dates.astype(str).tolist() == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert path.price_usd.tolist() == [100.0, 101.5, 100.0]
    assert path.fees_satoshi_per_day.tolist() == [10_000_000, 1, 0]
    assert (path.kind, path.seed, path.sample) == ("file", None, None)


def test_a_file_without_fees_has_none(tmp_path: Path) -> None:
    path = read_path(written(tmp_path, "date,price_usd\n2025-01-01,5\n2025-01-02,6\n"))
    assert path.fees_satoshi_per_day.tolist() == [0, 0]


HEAD = "date,price_usd,fees_btc\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            HEAD + "2025-01-01,1,0\n2025-01-05,1,0\n",
            ["mine.csv, row 3, column date", "3 days are missing", "2025-01-02"],
        ),
        (
            HEAD + "2025-01-01,1,0\n2025-01-01,1,0\n",
            ["row 3, column date", "goes back before 2025-01-01 of row 2"],
        ),
        (HEAD + "2025-01-02,1,0\n2025-01-01,1,0\n", ["row 3, column date", "Mend: sort the rows"]),
        (
            HEAD + "2025-02-29,1,0\n",
            ["row 2, column date: is not a day of the calendar (value: '2025-02-29')"],
        ),
        (HEAD + "20250101,1,0\n", ["row 2, column date: is not a day", "YYYY-MM-DD"]),
        (
            HEAD + "2025-01-01,-3,0\n",
            ["row 2, column price_usd: is not a number above 0 USD/BTC (value: '-3')"],
        ),
        (HEAD + "2025-01-01,nan,0\n", ["column price_usd", "'nan'"]),
        (HEAD + "2025-01-01,1e999,0\n", ["column price_usd", "'1e999'"]),
        (HEAD + "2025-01-01,,0\n", ["column price_usd", "value: ''"]),
        (HEAD + "2025-01-01,1,\n", ["row 2, column fees_btc: is not a number from 0 to 21,000,000 BTC/day"]),
        (HEAD + "2025-01-01,1,-0.1\n", ["column fees_btc", "'-0.1'"]),
        (HEAD + "2025-01-01,1,0.000000001\n", ["column fees_btc: is finer than a satoshi", "8 decimals"]),
        (HEAD + "2025-01-01,1\n", ["row 2: the row has 2 cells where the header has 3"]),
        (HEAD, ["row 2: there are no days"]),
        ("", ["mine.csv, row 1: the file is empty"]),
        (
            "date,fees_btc\n2025-01-01,0\n",
            ["row 1, column price_usd: the column is missing. Mend: add price_usd"],
        ),
        ("date,price\n2025-01-01,0\n", ["column price: there is no such column", "did you mean 'price_usd'"]),
        ("date,date,price_usd\n", ["column date: stands 2 times in the header"]),
    ],
)
def test_a_bad_file_is_refused_by_place(tmp_path: Path, text: str, expected: list[str]) -> None:
    with pytest.raises(BitcoinError) as refused:
        read_path(written(tmp_path, text))
    for part in expected:
        assert part in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BitcoinError, match=r"mine\.csv: cannot be read"):
        read_path(tmp_path / "mine.csv")


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = HEAD + "2025-01-01,0,0\n2025-01-03,1,x\nnever,1,0\n2025-01-05,1,0\n"
    with pytest.raises(BitcoinError) as refused:
        read_path(written(tmp_path, text))
    found = [(fault.row, fault.column) for fault in refused.value.faults]
    assert found == [(2, "price_usd"), (3, "fees_btc"), (4, "date"), (3, "date")]


def test_many_faults_of_a_kind_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"{day},0,0\n" for day in days_from("2025-01-01", 300))
    with pytest.raises(BitcoinError, match="280 more of the same kind") as refused:
        read_path(written(tmp_path, HEAD + rows))
    assert len(refused.value.faults) == 21


# --- the past again, and what it earns -----------------------------------------------------------------


def test_a_replay_is_the_history() -> None:
    history = load_history()
    path = replayed(history, "2024-01-01", 300)
    at = int(np.flatnonzero(history.date == np.datetime64("2024-01-01"))[0])
    np.testing.assert_array_equal(path.dates, history.date[at : at + 300])
    np.testing.assert_array_equal(path.price_usd, history.price_usd[at : at + 300])
    np.testing.assert_array_equal(path.fees_satoshi_per_day, history.fees_satoshi[at : at + 300])
    assert (path.kind, path.fees_filled_days) == ("replayed", 0)


def test_a_replay_fills_short_gaps_of_the_fees_and_says_so() -> None:
    history = past(noise(9), [8, 4, -1e-8, -1e-8, 6, 1, 1, 1, 1, 1])
    path = replayed(history, "2020-01-02", 4)
    assert path.fees_satoshi_per_day.tolist() == [4 * BTC, 5 * BTC, 5 * BTC, 6 * BTC]
    assert path.fees_filled_days == 2
    given_fees = replayed(history, "2020-01-02", 4, unknown_fees_satoshi_per_day=7)
    assert given_fees.fees_satoshi_per_day.tolist() == [4 * BTC, 7, 7, 6 * BTC]
    # the neighbours may lie outside the window
    assert replayed(history, "2020-01-03", 1).fees_satoshi_per_day.tolist() == [5 * BTC]


def test_a_replay_refuses_longer_gaps_and_open_ends() -> None:
    unknown = -1e-8
    seven = past(noise(9), [1, *[unknown] * 7, 3, 1])
    assert replayed(seven, "2020-01-01", 9).fees_filled_days == 7
    eight = past(noise(9), [1, *[unknown] * 8, 3])
    with pytest.raises(BitcoinError, match="fees of 8 days are not known, the first is 2020-01-02"):
        replayed(eight, "2020-01-01", 10)
    end = past(noise(3), [1, 1, 1, unknown])
    with pytest.raises(BitcoinError, match="fees of 1 days are not known, the first is 2020-01-04"):
        replayed(end, "2020-01-01", 4)
    with pytest.raises(BitcoinError, match="outside the limits"):
        replayed(end, "2020-01-01", 4, unknown_fees_satoshi_per_day=-1)


@pytest.mark.parametrize(("first", "days"), [("2019-12-31", 2), ("2020-01-09", 3), ("2021-01-01", 1)])
def test_a_replay_stays_inside_the_history(first: str, days: int) -> None:
    with pytest.raises(BitcoinError, match="has the days 2020-01-01 to 2020-01-10"):
        replayed(past(noise(9)), first, days)


@pytest.mark.parametrize(("first", "days"), [("2020-01-01", 0), ("soon", 1), ("NaT", 1)])
def test_a_replay_needs_a_day_and_a_length(first: str, days: int) -> None:
    with pytest.raises(BitcoinError, match=r"limit of 1 day|not a day of the calendar"):
        replayed(past(noise(9)), first, days)


def test_issuance_halves_inside_a_day() -> None:
    # Block 840,000 is the first to pay 3.125 BTC: a day from 839,928 has 72 blocks of each.
    issued = issuance_satoshi_per_day(839_928 - 144, 3)
    assert issued.tolist() == [144 * 625_000_000, 72 * 625_000_000 + 72 * 312_500_000, 144 * 312_500_000]


def test_reward_by_hand() -> None:
    path = path_of(price_usd=[100.0, 200.0, 300.0, 400.0], fees_satoshi_per_day=[0, BTC, 2 * BTC, 3 * BTC])
    # 144 blocks x 3.125 BTC = 450 BTC a day
    assert reward_usd_per_day(path, 900_000).tolist() == [450e2, 451 * 200.0, 452 * 300.0, 453 * 400.0]


# --- blocks of real days -------------------------------------------------------------------------------


def test_the_bootstrap_uses_real_days_only_and_keeps_fees_with_their_returns() -> None:
    fees = np.random.default_rng(3).uniform(1, 100, 201)
    history = past(noise(200), fees.tolist())
    path = boot(history, 150, 0, block_days=5)
    real = np.diff(np.log(history.price_usd))
    drawn = np.diff(np.log(path.price_usd))
    nearest = np.abs(drawn[:, None] - real).argmin(axis=1)
    np.testing.assert_allclose(drawn, real[nearest], atol=1e-12)
    issued = 450 * BTC  # of each real day and of each day of the path
    share = history.fees_satoshi[nearest] / 450 / BTC
    np.testing.assert_allclose(path.fees_satoshi_per_day[:-1], share * issued, atol=1.0)
    assert len(set(nearest.tolist())) > 20
    assert path.price_usd[0] == START
    assert (path.kind, path.seed, path.sample) == ("bootstrapped", 7, 0)
    assert str(path.dates[0]) == FIRST


def test_fees_scale_with_the_new_coins() -> None:
    returns = DailyReturns(noise(100), np.full(100, 0.1), 5)
    path = bootstrapped(
        returns, 3, seed=1, sample=1, start_price_usd=1.0, first=FIRST, first_height=839_928 - 144
    )
    assert path.fees_satoshi_per_day.tolist() == [90 * BTC, 67.5 * BTC, 45 * BTC]


@pytest.mark.parametrize("block_days", [1, 4, 30])
def test_blocks_have_geometric_lengths(block_days: int) -> None:
    n = 2000
    returns = DailyReturns(noise(n), np.zeros(n), block_days)
    drawn = np.array([block_indices(returns, n, seed=5, sample=sample) for sample in range(100)])
    follows = (np.diff(drawn, axis=1) % n == 1).astype(float)
    go_on = 1 - 1 / block_days
    expected = go_on + (1 - go_on) / n  # a new block may start where the old one ended
    assert within(follows.mean(axis=1), expected)
    # lengths of the whole blocks between two breaks: P(longer than k) = go_on^k
    breaks = [np.flatnonzero(row == 0) for row in follows]
    lengths = np.concatenate([np.diff(at) for at in breaks])
    for k in (1, block_days, 2 * block_days):
        longer = (lengths > k).astype(float)
        assert abs(longer.mean() - expected**k) <= 4 * math.sqrt(0.25 / len(lengths)) + 2 * k / n
    # every day of the past is as likely as any other
    assert abs(drawn.mean() - (n - 1) / 2) < 3 * n / math.sqrt(12 * drawn.size / (2 * block_days))


def test_the_moments_of_the_bootstrap_are_those_of_the_history() -> None:
    returns = returns_of(load_history())
    real = returns.log_return
    samples = [boot(returns, 366, sample) for sample in range(2000)]
    drawn = np.array([np.diff(np.log(path.price_usd)) for path in samples])
    assert within(drawn.mean(axis=1), real.mean())
    assert within(((drawn - real.mean()) ** 2).mean(axis=1), real.var())
    issued = issuance_satoshi_per_day(HEIGHT, 366)
    share = np.array([(path.fees_satoshi_per_day / issued).mean() for path in samples])
    assert within(share, returns.fee_share.mean())


def test_the_block_length_is_that_of_the_most_persistent_series() -> None:
    rng = np.random.default_rng(8)
    slow = np.empty(1500)
    slow[0] = 0.0
    for day in range(1, 1500):
        slow[day] = 0.95 * slow[day - 1] + rng.normal()
    calm = returns_of(past(noise(1499)))
    steady_fees = returns_of(past(noise(1499), (20 + slow).tolist()))
    rough_spells = returns_of(past(noise(1499) * np.exp(slow[1:] / 2)))
    assert calm.block_days <= 12
    assert steady_fees.block_days > 2 * calm.block_days
    assert rough_spells.block_days > 2 * calm.block_days


def test_days_without_fees_or_outside_the_window_are_not_drawn() -> None:
    fees = np.full(201, 9.0)
    fees[50:60] = -1e-8
    history = past(noise(200), fees.tolist())
    returns = returns_of(history, since="2020-01-11", until="2020-06-30", block_days=3)
    real = np.diff(np.log(history.price_usd))
    inside = [day for day in range(10, 182) if not 50 <= day < 60]  # 30 June is day 181
    np.testing.assert_allclose(returns.log_return, real[inside], atol=1e-12)
    np.testing.assert_allclose(returns.fee_share, 9 / 450, rtol=1e-12)


def test_a_longer_path_goes_on_from_a_shorter_one_even_beyond_the_past() -> None:
    returns = DailyReturns(noise(100), np.zeros(100), 5)
    long = block_indices(returns, 350, seed=1, sample=0)
    assert long.shape == (350,)
    assert set(long.tolist()) <= set(range(100))
    np.testing.assert_array_equal(block_indices(returns, 70, seed=1, sample=0), long[:70])
    assert (long[100:200] != long[:100]).any()


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: returns_of(past(noise(50))), "daily returns, column log_return: has the shape (50,)"),
        (lambda: returns_of(past(noise(100)), since="2021-01-01"), "has the shape (0,)"),
        (lambda: returns_of(past(noise(100)), until="then"), "column until: is not a day of the calendar"),
        (lambda: returns_of(past(noise(100)), block_days=0), "block_days: is not a whole number of 1 day"),
        (
            lambda: DailyReturns(noise(99) * math.nan, np.zeros(99), 1),
            "log_return: has values that are not finite",
        ),
        (
            lambda: DailyReturns(noise(99), np.full(99, -0.1), 1),
            "fee_share: has values that are not finite or below 0",
        ),
        (lambda: DailyReturns(noise(99), np.zeros(98), 1), "fee_share: has the shape (98,)"),
        (lambda: boot(past(noise(99)), 0, 0), "column days: is below the limit of 1 day"),
        (
            lambda: boot(past(noise(99)), 5, -1),
            "column sample: is not a whole number of 0 or more (value: '-1')",
        ),
        (lambda: boot(past(noise(99)), 5, 0, seed=-3), "column seed: is not a whole number"),
        (lambda: boot(past(noise(99)), 5, 0, block_days=-2), "column block_days: is not a whole number"),
    ],
)
def test_a_bad_request_is_refused(build: Callable[[], object], expected: str) -> None:
    with pytest.raises(BitcoinError) as refused:
        build()
    assert expected in str(refused.value)


def test_a_bad_start_is_refused_with_all_its_faults() -> None:
    with pytest.raises(BitcoinError) as refused:
        jump_diffusion(MODEL, 0, seed=1, sample=1, start_price_usd=math.nan, first=FIRST, first_height=-1)
    assert [fault.column for fault in refused.value.faults] == ["days", "start_price_usd", "first_height"]


# --- diffusion with jumps ------------------------------------------------------------------------------


def test_the_moments_of_the_jump_diffusion_are_the_analytic_ones() -> None:
    days, n = 183, 20_000
    years = 182 / 365  # from the first day to the last
    end = np.array([jumpy(MODEL, days, sample).price_usd[-1] for sample in range(n)])
    assert within(end, START * math.exp(0.10 * years))
    growth = np.log(end / START)
    jump = math.exp(-0.06 + 0.10**2 / 2) - 1
    mean = (0.10 - 0.40**2 / 2 - 12 * jump + 12 * -0.06) * years
    variance = (0.40**2 + 12 * (0.06**2 + 0.10**2)) * years
    third = 12 * ((-0.06) ** 3 + 3 * -0.06 * 0.10**2) * years  # of the compound Poisson sum
    assert within(growth, mean)
    assert within((growth - mean) ** 2, variance)
    assert within((growth - mean) ** 3, third)
    assert MODEL.log_variance_per_year * years == pytest.approx(variance, rel=1e-12)


def test_fees_of_the_jump_diffusion_are_a_share_of_the_new_coins() -> None:
    path = jumpy(MODEL, 10, 0)
    assert path.fees_satoshi_per_day.tolist() == [round(0.05 * 450 * BTC)] * 10
    assert path.kind == "jump_diffusion"


def test_without_jumps_and_nearly_without_noise_the_price_grows_by_the_drift() -> None:
    still = replace(MODEL, volatility_per_root_year=1e-9, jumps_per_year=0.0)
    path = jumpy(still, 366, 0)
    assert path.price_usd[-1] == pytest.approx(START * math.exp(0.10), rel=1e-7)


def test_calibration_finds_the_parameters_and_knows_its_error() -> None:
    # 24 pasts of 1,500 days from a known model: estimates lie about the truth as far as their errors say.
    names = ("drift_per_year", "volatility_per_root_year", "jumps_per_year", "jump_mean", "jump_sd")
    truth = replace(MODEL, jumps_per_year=30.0, jump_mean=-0.02)
    away = []
    gap = []
    for sample in range(24):
        path = jumpy(truth, 1500, sample, seed=11)
        history = past(np.diff(np.log(path.price_usd)))
        found = calibrate(history, history.date[0], history.date[-1])
        away.append(
            [(getattr(found, name) - getattr(truth, name)) / found.standard_error[name] for name in names]
        )
        mean = found.log_drift_per_year + found.jumps_per_year * found.jump_mean
        gap.append(mean - 365 * np.diff(np.log(history.price_usd)).mean())
    # The drift's own error is too large to judge it by: the mean log growth it implies is that of the past.
    assert np.abs(gap).max() < 1e-4
    scores = np.array(away)
    assert (np.abs(scores.mean(axis=0)) < 3 / math.sqrt(24) + 0.15).all()
    assert ((scores.std(axis=0) > 0.65) & (scores.std(axis=0) < 1.45)).all()


def test_calibration_to_the_history() -> None:
    history = load_history()
    model = calibrate(history, "2022-01-01", "2025-12-31")
    inside = (history.date >= np.datetime64("2022-01-01")) & (history.date <= np.datetime64("2025-12-31"))
    real = np.diff(np.log(history.price_usd[inside]))
    # The mean is not free: drift and log drift differ by what the parameters say.
    mean = (model.log_drift_per_year + model.jumps_per_year * model.jump_mean) / 365
    assert mean == pytest.approx(real.mean(), abs=0.3 * real.std() / math.sqrt(len(real)))
    assert model.log_variance_per_year == pytest.approx(365 * real.var(), rel=0.12)
    share = history.fees_satoshi[inside] / history.issuance_satoshi[inside]
    assert model.fee_share == pytest.approx(share[history.fees_satoshi[inside] >= 0].mean(), rel=1e-3)
    assert set(model.standard_error) == set(MODEL.__dataclass_fields__) - {"standard_error"}
    # Fee shares depend on their own past: the error is well above that of independent days.
    independent = share.std() / math.sqrt(len(share))
    assert 2 * independent < model.standard_error["fee_share"] < 20 * independent
    assert calibrate(history, "2022-01-01", "2025-12-31") == model


@pytest.mark.parametrize(
    ("log_return", "expected"),
    [(noise(40), "has 40 daily returns"), (np.tile([0.01, -0.01], 100), "do not tell jumps from the motion")],
)
def test_calibration_refuses_what_says_nothing(log_return: Floats, expected: str) -> None:
    history = past(log_return)
    with pytest.raises(BitcoinError, match=expected):
        calibrate(history, history.date[0], history.date[-1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("drift_per_year", math.nan),
        ("volatility_per_root_year", 0.0),
        ("jumps_per_year", -1.0),
        ("jump_mean", math.inf),
        ("jump_sd", -0.1),
        ("fee_share", -0.1),
    ],
)
def test_a_bad_model_is_refused(name: str, value: float) -> None:
    with pytest.raises(BitcoinError, match=f"jump diffusion, column {name}: is not a finite number"):
        replace(MODEL, **{name: value})  # type: ignore[arg-type]


# --- chance --------------------------------------------------------------------------------------------

RETURNS = DailyReturns(noise(400), np.abs(noise(400)), 10)
GENERATORS: dict[str, Callable[[int, int], PricePath]] = {
    "bootstrapped": lambda sample, seed: boot(RETURNS, 60, sample, seed),
    "jump_diffusion": lambda sample, seed: jumpy(MODEL, 60, sample, seed),
}
generators = pytest.mark.parametrize("draw", GENERATORS.values(), ids=list(GENERATORS))


def content(path: PricePath) -> bytes:
    return path.price_usd.tobytes() + path.fees_satoshi_per_day.tobytes() + path.dates.tobytes()


@generators
def test_a_sample_is_the_same_in_any_order_and_on_any_worker(draw: Callable[[int, int], PricePath]) -> None:
    alone = {sample: content(draw(sample, 3)) for sample in range(50)}
    for sample in reversed(range(50)):
        assert content(draw(sample, 3)) == alone[sample]
    with ThreadPoolExecutor(4) as workers:
        together = list(workers.map(lambda sample: content(draw(sample, 3)), range(50)))
    assert together == list(alone.values())
    assert len(set(together)) == 50
    assert not set(together) & {content(draw(sample, 4)) for sample in range(50)}


@generators
def test_samples_do_not_depend_on_each_other(draw: Callable[[int, int], PricePath]) -> None:
    n = 3000
    growth = np.array([math.log(draw(sample, 3).price_usd[-1] / START) for sample in range(n)])
    other = np.array([math.log(draw(sample, 4).price_usd[-1] / START) for sample in range(n)])
    for lag in (1, 2, 7):
        assert abs(np.corrcoef(growth[:-lag], growth[lag:])[0, 1]) < 3 / math.sqrt(n)
    assert abs(np.corrcoef(growth, other)[0, 1]) < 3 / math.sqrt(n)


@generators
def test_the_global_state_of_chance_is_neither_read_nor_changed(
    draw: Callable[[int, int], PricePath],
) -> None:
    np.random.seed(1)
    before = content(draw(0, 3))
    left = np.random.random(3).tolist()
    np.random.seed(1)
    assert np.random.random(3).tolist() == left
    assert content(draw(0, 3)) == before


@pytest.mark.parametrize("text", ["today", "now", "2024", "2024-1-1", "2024-01-01T00"])
def test_a_day_is_written_out_and_never_read_from_the_clock(text: str) -> None:
    with pytest.raises(BitcoinError, match="is not a day of the calendar"):
        day_of(text, "first")
