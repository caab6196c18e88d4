"""The rules of the network, against Bitcoin Core's own vectors and the record of the chain."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from penstock.bitcoin import network
from penstock.bitcoin.epochs import Epoch, EpochTimes, epoch_times, epochs
from penstock.bitcoin.network import (
    BLOCKS_PER_EPOCH,
    PROOF_OF_WORK_LIMIT,
    SATOSHI_PER_BTC,
    bits_of,
    difficulty_of,
    expected_blocks,
    hashprice_from_difficulty,
    hashprice_usd_per_ph_day,
    hashrate_from_difficulty,
    next_bits,
    subsidy_satoshi,
    supply_satoshi,
    target_of,
    timespan_window,
)
from penstock.errors import BitcoinError

SHORTEST, LONGEST = 302_400, 4_838_400
MINED_BITS = st.integers(1 << 40, PROOF_OF_WORK_LIMIT).map(bits_of)

# --- compact bits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "target"),
    [  # bignum_SetCompact in Bitcoin Core's src/test/arith_uint256_tests.cpp
        (0x0000_0000, 0),
        (0x0012_3456, 0),
        (0x0100_3456, 0),
        (0x0112_3456, 0x12),
        (0x0212_3456, 0x1234),
        (0x0312_3456, 0x12_3456),
        (0x0412_3456, 0x1234_5600),
        (0x0500_9234, 0x9234_0000),
        (0x2012_3456, 0x12_3456 << 8 * 29),
        # the limit of the main network and the first block after the retarget at 689,472
        (0x1D00_FFFF, 0xFFFF << 208),
        (0x1713_97F4, 0x13_97F4 << 8 * 20),
        # largest shifts that still fit into 256 bits
        (0x2200_00FF, 0xFF << 248),
        (0x2100_FFFF, 0xFFFF << 240),
    ],
)
def test_target_of_compact_bits(bits: int, target: int) -> None:
    assert target_of(bits) == target


@pytest.mark.parametrize(
    ("target", "bits"),
    [
        (0, 0),
        (0x12, 0x0112_0000),
        (0x80, 0x0200_8000),  # the mantissa's first bit is its sign: one byte more
        (0x1234, 0x0212_3400),
        (0x12_3456, 0x0312_3456),
        (0x1234_5600, 0x0412_3456),
        (0x9234_0000, 0x0500_9234),
        (0x1234_56FF, 0x0412_3456),  # cut, not rounded
        (PROOF_OF_WORK_LIMIT, 0x1D00_FFFF),
        ((1 << 256) - 1, 0x2100_FFFF),
    ],
)
def test_compact_bits_of_target(target: int, bits: int) -> None:
    assert bits_of(target) == bits


@pytest.mark.parametrize("bits", [0x01FE_DCBA, 0x0492_3456, 0x1D80_FFFF])
def test_negative_bits_are_refused(bits: int) -> None:
    with pytest.raises(BitcoinError, match=rf"bits: is a negative target.*{bits:#010x}.*Mend"):
        target_of(bits)


@pytest.mark.parametrize("bits", [0xFF12_3456, 0x2300_0001, 0x2200_0100, 0x2101_0000])
def test_overflowing_bits_are_refused(bits: int) -> None:
    with pytest.raises(BitcoinError, match="more than 256 bits"):
        target_of(bits)


@pytest.mark.parametrize(
    "bits", [0x0092_3456, 0x0180_3456, 0x0280_0056, 0x0380_0000, 0x0480_0000, 0xFF00_0000, 0xFF80_0000]
)
def test_a_zero_mantissa_is_neither_negative_nor_too_long(bits: int) -> None:
    assert target_of(bits) == 0


@pytest.mark.parametrize("bits", [-1, 1 << 32, True, 486604799.0, np.int64(486604799)])
def test_bits_are_32_bit_whole_numbers(bits: int) -> None:
    with pytest.raises(BitcoinError, match="whole number of 32 bits"):
        target_of(bits)


@pytest.mark.parametrize("target", [-1, 1 << 256, 1.0, True])
def test_targets_are_whole_numbers_of_256_bits(target: int) -> None:
    with pytest.raises(BitcoinError, match="whole number of at most 256 bits"):
        bits_of(target)


@given(st.integers(0, (1 << 256) - 1))
def test_a_target_loses_only_what_does_not_fit(target: int) -> None:
    bits = bits_of(target)
    kept = target_of(bits)
    assert bits_of(kept) == bits
    assert kept <= target
    assert target == kept or (target - kept) * 0x8000 <= kept  # a mantissa has 16 bits at least
    assert not bits & 0x0080_0000


@given(st.integers(0, 0xFFFF_FFFF))
def test_normal_bits_are_their_own_form(bits: int) -> None:
    try:
        target = target_of(bits)
    except BitcoinError:
        return
    normal = bits_of(target)
    assert target_of(normal) == target  # no value that bits can hold is lost
    assert bits_of(target_of(normal)) == normal


# --- retargeting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "bits", "expected"),
    [  # Bitcoin Core, src/test/pow_tests.cpp
        (1261130161, 1262152739, 0x1D00FFFF, 0x1D00D86A),
        (1231006505, 1233061996, 0x1D00FFFF, 0x1D00FFFF),  # at the limit
        (1279008237, 1279297671, 0x1C05A3F4, 0x1C0168FD),  # too fast: a quarter
        (1263163443, 1269211443, 0x1C387F6F, 0x1D00E1FD),  # too slow: four times
    ],
)
def test_vectors_of_bitcoin_core(first: int, last: int, bits: int, expected: int) -> None:
    assert next_bits(bits, first, last) == expected


@pytest.mark.parametrize("times", epoch_times(), ids=lambda times: str(times.last_block_height))
def test_retargets_on_record_come_out_exactly(times: EpochTimes) -> None:
    epoch, following = (epochs()[(times.last_block_height + 1) // BLOCKS_PER_EPOCH - k] for k in (1, 0))
    assert epoch.start_height == times.last_block_height - 2015
    assert epoch.start_time_unix == times.first_block_time_unix
    assert next_bits(epoch.bits, times.first_block_time_unix, times.last_block_time_unix) == following.bits


def test_the_record_holds_what_these_tests_need() -> None:
    assert len(epochs()) == 474
    assert len(epoch_times()) == 17
    assert [epoch.epoch for epoch in epochs()] == list(range(474))
    assert all(epoch.start_height == BLOCKS_PER_EPOCH * epoch.epoch for epoch in epochs())


def test_difficulties_on_record_follow_from_the_bits() -> None:
    # below a million they are printed to four decimals
    assert all(
        math.isclose(difficulty_of(e.bits), e.difficulty, rel_tol=5e-16, abs_tol=5.01e-5) for e in epochs()
    )


@given(MINED_BITS)
def test_difficulty_is_the_nearest_float(bits: int) -> None:
    assert difficulty_of(bits) == float(Fraction(0xFFFF << 208, target_of(bits)))


def test_the_greatest_fall_on_record() -> None:
    before, after = (difficulty_of(epochs()[689_472 // 2016 - k].bits) for k in (1, 0))
    assert (int(before), int(after)) == (19_932_791_027_262, 14_363_025_673_659)
    assert f"{after / before - 1:.2%}" == "-27.94%"


def header_timed() -> list[tuple[Epoch, Epoch]]:
    """Each epoch with the next one, where both first blocks' times were read and no limit hides the time."""
    pairs = [pair for pair in pairwise(epochs()) if {epoch.time_basis for epoch in pair} == {"header"}]
    assert len(pairs) == 461
    return [(a, b) for a, b in pairs if not {SHORTEST, LONGEST} & set(timespan_window(a.bits, b.bits))]


def implied_gaps(pairs: list[tuple[Epoch, Epoch]]) -> NDArray[np.float64]:
    """From each epoch's last block to the next one's first: time between starts less the timespan. [s]"""
    return np.array(
        [b.start_time_unix - a.start_time_unix - sum(timespan_window(a.bits, b.bits)) / 2 for a, b in pairs]
    )


def test_every_epoch_on_record_has_a_timespan() -> None:
    for epoch, following in pairwise(epochs()):
        low, high = timespan_window(epoch.bits, following.bits)
        assert SHORTEST <= low <= high <= LONGEST


def test_implied_gaps_are_one_block_long() -> None:
    pairs = header_timed()
    gaps = implied_gaps(pairs)
    assert gaps.size == 445  # 15 epochs lie at the limit of the target, one ended in under a quarter
    assert np.abs(gaps).max() < 7200
    error = gaps.std(ddof=1) / math.sqrt(gaps.size)
    assert 25 < error < 35
    assert abs(gaps.mean() - 600) < 3 * error


def test_a_rule_over_2016_intervals_would_leave_no_gap() -> None:
    pairs = header_timed()
    wrong = [
        (a, Epoch(b.epoch, b.start_height, b.start_time_unix, b.time_basis,
                  next_bits(a.bits, a.start_time_unix, b.start_time_unix), b.difficulty))
        for a, b in pairs
    ]  # fmt: skip
    assert abs(implied_gaps(wrong).mean()) < 20
    assert sum(b.bits != c.bits for (_, b), (_, c) in zip(pairs, wrong, strict=True)) > 400


@given(MINED_BITS, st.integers(0, 10_000_000))
def test_a_timespan_lies_in_the_window_it_leads_to(bits: int, timespan: int) -> None:
    following = next_bits(bits, 1_231_006_505, 1_231_006_505 + timespan)
    low, high = timespan_window(bits, following)
    assert low <= min(max(timespan, SHORTEST), LONGEST) <= high
    assert next_bits(bits, 0, low) == next_bits(bits, 0, high) == following
    assert low == SHORTEST or next_bits(bits, 0, low - 1) != following
    assert high == LONGEST or next_bits(bits, 0, high + 1) != following


def test_a_window_by_hand() -> None:
    # Old target 2^200, mantissa 65,536. The next mantissa is floor(65,536 t / 1,209,600): it is 65,536 + 255
    # from t = 1,214,306.5, and 65,536 + 256 from t = 1,209,600 + 4,725 on.
    assert timespan_window(0x1A01_0000, 0x1A01_00FF) == (1_214_307, 1_214_324)


@given(MINED_BITS, st.integers(-(2**31), 2**31))
def test_a_retarget_keeps_its_limits(bits: int, timespan: int) -> None:
    old, new = target_of(bits), target_of(next_bits(bits, 0, timespan))
    assert new <= min(4 * old, PROOF_OF_WORK_LIMIT)
    assert new > old // 4 * (1 - 2**-14)


def test_bits_out_of_reach_are_refused_with_the_reach() -> None:
    with pytest.raises(BitcoinError) as refused:
        timespan_window(0x1B0404CB, 0x1D00FFFF)
    assert "following_bits: no timespan" in str(refused.value)
    assert "0x1d00ffff" in str(refused.value)
    assert f"{next_bits(0x1B0404CB, 0, LONGEST):#010x} (in 4838400 s)" in str(refused.value)
    with pytest.raises(BitcoinError, match="no timespan"):  # the same target, not in normal form
        timespan_window(0x1D00FFFF, 0x1E0000FF)


@pytest.mark.parametrize("bits", [0, 0x1D01_0000, 0x1E00_FFFF, 0x2100_FFFF])
def test_bits_that_no_block_can_have_are_refused(bits: int) -> None:
    for use in (
        lambda: next_bits(bits, 0, 1_209_600),
        lambda: difficulty_of(bits),
        lambda: timespan_window(0x1D00FFFF, bits),
    ):
        with pytest.raises(BitcoinError, match=r"bits: is a target (of 0|above)"):
            use()


def test_times_are_whole_numbers() -> None:
    with pytest.raises(BitcoinError, match=r"last_block_time: must be a whole number \[s\].*1\.5"):
        next_bits(0x1D00FFFF, 0, 1.5)  # type: ignore[arg-type]


# --- coins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("height", "satoshi"),
    [
        (0, 5_000_000_000),
        (209_999, 5_000_000_000),
        (210_000, 2_500_000_000),
        (840_000, 312_500_000),
        (968_566, 312_500_000),
        (1_050_000, 156_250_000),
        (9 * 210_000, 9_765_625),
        (10 * 210_000, 4_882_812),  # the first half satoshi is cut off
        (32 * 210_000, 1),
        (33 * 210_000, 0),
        (64 * 210_000, 0),
        (10**9, 0),
    ],
)
def test_subsidy(height: int, satoshi: int) -> None:
    assert subsidy_satoshi(height) == satoshi


def test_supply_ends_below_21_million() -> None:
    assert supply_satoshi(33 * 210_000 - 1) == supply_satoshi(10**8) == 2_099_999_997_690_000
    assert supply_satoshi(33 * 210_000 - 2) == 2_099_999_997_689_999
    assert network.SUPPLY_LIMIT_SATOSHI == 2_099_999_997_690_000
    # the sum of main_tests.cpp: one height in a thousand, a thousand times
    assert sum(1000 * subsidy_satoshi(h) for h in range(0, 14_000_000, 1000)) == 2_099_999_997_690_000


@given(st.integers(0, 7_100_000))
def test_supply_grows_by_the_subsidy(height: int) -> None:
    assert supply_satoshi(height + 1) - supply_satoshi(height) == subsidy_satoshi(height + 1)


def test_supply_starts_with_one_subsidy() -> None:
    assert supply_satoshi(0) == 50 * SATOSHI_PER_BTC
    assert supply_satoshi(839_999) == 19_687_500 * SATOSHI_PER_BTC


@pytest.mark.parametrize("height", [-1, 1.0, True])
def test_heights_are_whole_numbers(height: int) -> None:
    with pytest.raises(BitcoinError, match="height: must be a whole number of blocks"):
        supply_satoshi(height)


# --- work and what it earns ----------------------------------------------------------------------------


def test_work_at_difficulty_one() -> None:
    # 2^32 hashes in a second: 4.294967296e-9 EH/s finds one block a second
    assert expected_blocks(4.294967296e-9, 1.0, 1.0) == pytest.approx(1.0, rel=1e-15)
    assert hashrate_from_difficulty(1.0, 1.0) == pytest.approx(4.294967296e-9, rel=1e-15)


@given(st.floats(1e-9, 1e5), st.floats(1, 1e16))
def test_hashrate_and_blocks_are_each_others_inverse(hashrate: float, difficulty: float) -> None:
    blocks = expected_blocks(hashrate, difficulty, 86_400)
    assert hashrate_from_difficulty(difficulty, 86_400 / blocks) == pytest.approx(hashrate)


def test_hashprice_of_the_snapshot_both_ways() -> None:
    reward = 144 * 312_500_000 + 372_922_336
    assert hashprice_usd_per_ph_day(reward, 83_847, 929.6) == pytest.approx(40.9, abs=0.2)
    # 453.72922336 BTC x 83,847 USD / 929,600 PH/s, by hand
    assert hashprice_usd_per_ph_day(reward, 83_847, 929.6) == pytest.approx(40.92495, abs=1e-5)
    assert f"{hashprice_from_difficulty(reward / 144, 83_847, 132.76e12):.1f}" == "40.0"


def test_both_ways_agree_where_blocks_come_at_the_wanted_pace() -> None:
    difficulty = 132.76e12
    hashrate = hashrate_from_difficulty(difficulty)
    by_day = hashprice_usd_per_ph_day(144 * 315_000_000, 60_000, hashrate)
    assert by_day == pytest.approx(hashprice_from_difficulty(315_000_000, 60_000, difficulty), rel=1e-12)


def test_arrays_go_through() -> None:
    hashrate = np.array([500.0, 1000.0])
    assert hashprice_usd_per_ph_day(450e8, 50_000.0, hashrate) == pytest.approx([45.0, 22.5])
    assert expected_blocks(hashrate, 1e14, 86_400) == pytest.approx(
        [expected_blocks(500.0, 1e14, 86_400), expected_blocks(1000.0, 1e14, 86_400)]
    )


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_what_divides_must_be_above_zero(value: float) -> None:
    with pytest.raises(BitcoinError, match=r"hashrate_ehs: must be above 0 \[EH/s\]"):
        hashprice_usd_per_ph_day(1.0, 1.0, value)
    with pytest.raises(BitcoinError, match="difficulty: must be above 0"):
        expected_blocks(1.0, np.array([1.0, value]), 600)
    with pytest.raises(BitcoinError, match=r"mean_block_seconds: must be above 0 \[s\]"):
        hashrate_from_difficulty(1.0, value)
