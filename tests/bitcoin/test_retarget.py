"""One retarget with its faults; the rule itself is tested with the network's rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin.network import difficulty_of, next_bits, target_of
from penstock.bitcoin.retarget import retarget
from penstock.errors import BitcoinError


@pytest.mark.parametrize(
    ("timespan", "counted"),
    [(0, 302_400), (302_399, 302_400), (302_400, 302_400), (4_838_400, 4_838_400), (4_838_401, 4_838_400)],
)
def test_timespan_is_counted_between_a_quarter_and_four_times_two_weeks(timespan: int, counted: int) -> None:
    found = retarget(0x1C05A3F4, 1_279_008_237, 1_279_008_237 + timespan)
    assert (found.timespan_seconds, found.counted_seconds) == (timespan, counted)
    assert found.clamped == (timespan != counted)


@given(st.integers(0, 2**32 - 1), st.integers(0, 6_000_000))
def test_what_is_given_agrees_with_itself(first: int, timespan: int) -> None:
    last = min(first + timespan, 2**32 - 1)
    found = retarget(0x1C05A3F4, first, last)
    assert found.next_bits == next_bits(0x1C05A3F4, first, last)
    assert (found.target, found.next_target) == (target_of(0x1C05A3F4), target_of(found.next_bits))
    assert found.next_difficulty == difficulty_of(found.next_bits)
    # The compact form cuts at most 2^-15 off the target; below that the change is the timespan's alone.
    change = 1_209_600 / found.counted_seconds
    assert 1.0 + found.change_share == pytest.approx(change, rel=2.0**-15)


def test_every_fault_is_named() -> None:
    with pytest.raises(BitcoinError) as caught:
        retarget(0x1D010000, -1, 2**32)
    assert [fault.place for fault in caught.value.faults] == ["bits", "first_block_time", "last_block_time"]
    with pytest.raises(BitcoinError, match=r"last_block_time: lies before the first block's time, 10"):
        retarget(0x1D00FFFF, 10, 9)
