"""The rules of the Bitcoin network, in whole numbers where the network counts in whole numbers.

Targets, compact bits, times and coins are exact `int`s: a block is valid where its hash, read as a number, is
at most the target; 256-bit targets and 64-bit coins leave no room for floating point. Difficulty and
hashrate are floats, as in Bitcoin Core's own reports.

Source of the rules: Bitcoin Core (MIT), `src/arith_uint256.cpp`, `src/pow.cpp`, `src/rpc/blockchain.cpp`,
`src/validation.cpp` and `src/kernel/chainparams.cpp`.
"""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BitcoinError, Fault

__all__ = [
    "BLOCKS_PER_DAY",
    "BLOCKS_PER_EPOCH",
    "BLOCK_SECONDS",
    "EPOCH_SECONDS",
    "HALVING_BLOCKS",
    "PROOF_OF_WORK_LIMIT",
    "SATOSHI_PER_BTC",
    "SUPPLY_LIMIT_SATOSHI",
    "bits_of",
    "difficulty_of",
    "expected_blocks",
    "halvings",
    "hashprice_from_difficulty",
    "hashprice_usd_per_ph_day",
    "hashrate_from_difficulty",
    "next_bits",
    "subsidy_satoshi",
    "supply_satoshi",
    "target_of",
    "timespan_window",
]

FloatArray = NDArray[np.float64]

SATOSHI_PER_BTC = 100_000_000
#: Wanted time between blocks. [s]
BLOCK_SECONDS = 600
#: Blocks of a day at the wanted pace.
BLOCKS_PER_DAY = 144
#: Blocks with one target.
BLOCKS_PER_EPOCH = 2016
#: Wanted time of an epoch: two weeks. [s]
EPOCH_SECONDS = 1_209_600
#: Least and greatest time of an epoch that the rule counts: a quarter of two weeks and four times them. [s]
SHORTEST_EPOCH_SECONDS = EPOCH_SECONDS // 4
LONGEST_EPOCH_SECONDS = EPOCH_SECONDS * 4
#: Greatest target of the main network, 2²²⁴ − 1; its compact form is 0x1d00ffff, difficulty 1.
PROOF_OF_WORK_LIMIT = (1 << 224) - 1
#: Blocks between halvings.
HALVING_BLOCKS = 210_000
#: All coins that the subsidies ever add up to: a little under 21 million BTC.
SUPPLY_LIMIT_SATOSHI = 2_099_999_997_690_000

#: Hashes that a block takes on average at difficulty 1: about 2³².
_HASHES_PER_DIFFICULTY = 2.0**32
_FIRST_SUBSIDY_SATOSHI = 50 * SATOSHI_PER_BTC
_DAY_SECONDS = 86_400
_EXA, _PETA = 1e18, 1e15
_SIGN, _MANTISSA = 0x0080_0000, 0x007F_FFFF


# --- targets -------------------------------------------------------------------------------------------


def target_of(bits: int) -> int:
    """The target that compact bits stand for; 0 and forms that are not normal included.

    bits: 32-bit whole number. Its first byte is the size s in bytes, its lower 23 bits the mantissa m:

        target = m · 256^(s − 3), cut to a whole number.

    Raises BitcoinError for bits that are no 32-bit whole number, for a negative target (its sign bit,
    0x00800000, is set) and for one of more than 256 bits. Source: `arith_uint256::SetCompact`.
    """
    if type(bits) is not int or not 0 <= bits <= 0xFFFF_FFFF:
        raise _refused("bits", bits, "must be a whole number of 32 bits", "give 0 to 0xffffffff")
    size, mantissa = bits >> 24, bits & _MANTISSA
    mantissa = mantissa >> 8 * (3 - size) if size < 3 else mantissa
    if mantissa and bits & _SIGN:
        raise _refused(
            "bits",
            f"{bits:#010x}",
            "is a negative target: its sign bit 0x00800000 is set",
            "give bits of a block's header",
        )
    target = mantissa << 8 * (size - 3) if size > 3 else mantissa
    if target >> 256:
        raise _refused(
            "bits", f"{bits:#010x}", "is a target of more than 256 bits", "give bits of a block's header"
        )
    return target


def bits_of(target: int) -> int:
    """Compact bits of a target, in normal form: the fewest bytes, the mantissa's sign bit clear.

    target: whole number of at most 256 bits. What does not fit in the mantissa's 15 to 23 bits is cut off,
    so `target_of(bits_of(target)) <= target`.

    Raises BitcoinError for a target that is negative or longer. Source: `arith_uint256::GetCompact`.
    """
    if type(target) is not int or target < 0 or target >> 256:
        raise _refused("target", target, "must be a whole number of at most 256 bits", "give 0 to 2^256 - 1")
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & _SIGN:  # the sign's place is taken: one byte more
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def difficulty_of(bits: int) -> float:
    """Difficulty of compact bits: how many times harder than the easiest target's compact form. [1]

        difficulty = 0xffff / m · 256^(29 − s)

    Raises BitcoinError as `next_bits` does for its `bits`. Source: `GetDifficulty`.
    """
    _mined_target("bits", bits)
    # Powers of 256 are exact in binary, so this rounds once, as the loop in the source does.
    return 0xFFFF / (bits & 0x00FF_FFFF) * 256.0 ** (29 - (bits >> 24))


def next_bits(bits: int, first_block_time: int, last_block_time: int) -> int:
    """Compact bits of the epoch that follows.

    bits: compact bits of the epoch that ends.
    first_block_time, last_block_time: times in the headers of its first and its last block. [s since 1970]

    The two blocks lie 2,015 intervals apart, not 2,016; the rule divides by 2,016 intervals all the same:

        timespan = last − first, no less than 302,400 s and no more than 4,838,400 s
        target   = old target · timespan // 1,209,600, no more than the limit of 2²²⁴ − 1.

    Raises BitcoinError for bits whose target is 0 or above the limit, and for times that are not whole.
    Source: `CalculateNextWorkRequired`.
    """
    old = _mined_target("bits", bits)
    for name, time in (("first_block_time", first_block_time), ("last_block_time", last_block_time)):
        if type(time) is not int:
            raise _refused(name, time, "must be a whole number [s]", "give the time of the block's header")
    timespan = min(max(last_block_time - first_block_time, SHORTEST_EPOCH_SECONDS), LONGEST_EPOCH_SECONDS)
    return _retargeted(old, timespan)


def timespan_window(bits: int, following_bits: int) -> tuple[int, int]:
    """Shortest and longest timespan that lead from one epoch's bits to the next one's. [s]

    Both within the rule's limits of 302,400 s and 4,838,400 s; at a limit the true time may lie beyond it.
    `next_bits` gives `following_bits` for each timespan between the two, and for no other within the limits.

    Raises BitcoinError where no timespan leads there, and as `next_bits` does.
    """
    old, following = _mined_target("bits", bits), _mined_target("following_bits", following_bits)
    low, high = SHORTEST_EPOCH_SECONDS, LONGEST_EPOCH_SECONDS
    # New targets from `following` up to, not including, `above` have the compact form sought.
    above = following + (1 << 8 * max((following_bits >> 24) - 3, 0))
    low = max(low, -(-following * EPOCH_SECONDS // old))
    if above <= PROOF_OF_WORK_LIMIT:
        high = min(high, (above * EPOCH_SECONDS - 1) // old)
    if low > high or bits_of(following) != following_bits:
        least, most = _retargeted(old, SHORTEST_EPOCH_SECONDS), _retargeted(old, LONGEST_EPOCH_SECONDS)
        raise _refused(
            "following_bits",
            f"{following_bits:#010x}",
            f"no timespan of a whole number of seconds leads there from {bits:#010x}",
            f"give normal bits from {least:#010x} (in {SHORTEST_EPOCH_SECONDS} s) to {most:#010x} "
            f"(in {LONGEST_EPOCH_SECONDS} s)",
        )
    return low, high


def _retargeted(old: int, timespan: int) -> int:
    return bits_of(min(old * timespan // EPOCH_SECONDS, PROOF_OF_WORK_LIMIT))


def _mined_target(name: str, bits: int) -> int:
    target = target_of(bits)
    if not 0 < target <= PROOF_OF_WORK_LIMIT:
        problem = "is a target of 0" if target == 0 else "is a target above the main network's 2^224 - 1"
        raise _refused(name, f"{bits:#010x}", problem, "give bits of a block's header, up to 0x1d00ffff")
    return target


# --- coins ---------------------------------------------------------------------------------------------


def halvings(height: int) -> int:
    """Halvings of the subsidy up to the block of this height, the first at 210,000.

    Raises BitcoinError for a height that is negative or no whole number.
    """
    if type(height) is not int or height < 0:
        raise _refused("height", height, "must be a whole number of blocks, 0 or more", "count from block 0")
    return height // HALVING_BLOCKS


def subsidy_satoshi(height: int) -> int:
    """New coins that the block of this height may pay its miner. [satoshi]

    5,000,000,000 shifted right by the number of halvings; 0 from the 33rd halving on. Source:
    `GetBlockSubsidy`. Raises as `halvings` does.
    """
    return _FIRST_SUBSIDY_SATOSHI >> min(halvings(height), 64)


def supply_satoshi(height: int) -> int:
    """Sum of the subsidies of all blocks up to and with this height. [satoshi]

    What the rule allows: coins that miners did not claim, and the first block's 50 BTC, which cannot be
    spent, are counted. Raises as `halvings` does.
    """
    full = halvings(height)
    eras = sum(HALVING_BLOCKS * (_FIRST_SUBSIDY_SATOSHI >> era) for era in range(min(full, 64)))
    return eras + (height - full * HALVING_BLOCKS + 1) * subsidy_satoshi(height)


# --- work and what it earns ----------------------------------------------------------------------------


@overload
def expected_blocks(  # type: ignore[overload-overlap]
    hashrate_ehs: float, difficulty: float, seconds: float
) -> float: ...
@overload
def expected_blocks(
    hashrate_ehs: float | FloatArray, difficulty: float | FloatArray, seconds: float | FloatArray
) -> FloatArray: ...
def expected_blocks(
    hashrate_ehs: float | FloatArray, difficulty: float | FloatArray, seconds: float | FloatArray
) -> float | FloatArray:
    """Blocks that a hashrate finds on average in a time; numbers, or arrays that broadcast. [1]

    hashrate_ehs: [EH/s]. difficulty: [1], above 0. seconds: [s].

    A block takes difficulty · 2³² hashes on average, so

        blocks = hashrate · 10¹⁸ · seconds / (difficulty · 2³²).

    (Exactly it takes 2²⁵⁶ / (target + 1), which is 1.5e-5 more; the usual form is kept.)
    Raises BitcoinError for a difficulty that is not above 0.
    """
    _above_zero("difficulty", difficulty, "1")
    return hashrate_ehs * _EXA * seconds / (difficulty * _HASHES_PER_DIFFICULTY)


@overload
def hashrate_from_difficulty(  # type: ignore[overload-overlap]
    difficulty: float, mean_block_seconds: float = BLOCK_SECONDS
) -> float: ...
@overload
def hashrate_from_difficulty(
    difficulty: float | FloatArray, mean_block_seconds: float | FloatArray = BLOCK_SECONDS
) -> FloatArray: ...
def hashrate_from_difficulty(
    difficulty: float | FloatArray, mean_block_seconds: float | FloatArray = BLOCK_SECONDS
) -> float | FloatArray:
    """Hashrate that finds a block in this mean time; numbers, or arrays that broadcast. [EH/s]

    hashrate = difficulty · 2³² / (mean block time · 10¹⁸)

    difficulty: [1]. mean_block_seconds: [s], above 0. Raises BitcoinError for a time that is not above 0.
    """
    _above_zero("mean_block_seconds", mean_block_seconds, "s")
    return difficulty * _HASHES_PER_DIFFICULTY / (mean_block_seconds * _EXA)


@overload
def hashprice_usd_per_ph_day(  # type: ignore[overload-overlap]
    reward_satoshi_per_day: float, price_usd: float, hashrate_ehs: float
) -> float: ...
@overload
def hashprice_usd_per_ph_day(
    reward_satoshi_per_day: float | FloatArray,
    price_usd: float | FloatArray,
    hashrate_ehs: float | FloatArray,
) -> FloatArray: ...
def hashprice_usd_per_ph_day(
    reward_satoshi_per_day: float | FloatArray,
    price_usd: float | FloatArray,
    hashrate_ehs: float | FloatArray,
) -> float | FloatArray:
    """What a PH/s earns in a day, subsidy and fees; numbers, or arrays that broadcast. [USD/(PH/s·day)]

    reward_satoshi_per_day: subsidies and fees of the whole network. [satoshi/day]
    price_usd: price of a bitcoin. [USD]
    hashrate_ehs: hashrate of the whole network. [EH/s], above 0.

        hashprice = reward / 10⁸ · price / (1,000 · hashrate)

    Raises BitcoinError for a hashrate that is not above 0.
    """
    _above_zero("hashrate_ehs", hashrate_ehs, "EH/s")
    return reward_satoshi_per_day / SATOSHI_PER_BTC * price_usd / (1000.0 * hashrate_ehs)


@overload
def hashprice_from_difficulty(  # type: ignore[overload-overlap]
    reward_satoshi_per_block: float, price_usd: float, difficulty: float
) -> float: ...
@overload
def hashprice_from_difficulty(
    reward_satoshi_per_block: float | FloatArray,
    price_usd: float | FloatArray,
    difficulty: float | FloatArray,
) -> FloatArray: ...
def hashprice_from_difficulty(
    reward_satoshi_per_block: float | FloatArray,
    price_usd: float | FloatArray,
    difficulty: float | FloatArray,
) -> float | FloatArray:
    """What a PH/s earns in a day on average at a difficulty; arguments may be arrays. [USD/(PH/s·day)]

    reward_satoshi_per_block: subsidy and fees of a block. [satoshi]
    price_usd: [USD]. difficulty: [1], above 0.

        hashprice = 10¹⁵ · 86,400 / (difficulty · 2³²) · reward / 10⁸ · price

    Raises BitcoinError for a difficulty that is not above 0.
    """
    blocks = expected_blocks(_PETA / _EXA, difficulty, _DAY_SECONDS)
    return blocks * reward_satoshi_per_block / SATOSHI_PER_BTC * price_usd


def _above_zero(name: str, value: float | FloatArray, unit: str) -> None:
    if not np.all(np.greater(value, 0.0)):
        worst = np.min(value) if isinstance(value, np.ndarray) else value
        raise _refused(name, worst, f"must be above 0 [{unit}]", "give the network's own figure")


def _refused(name: str, value: object, problem: str, mend: str) -> BitcoinError:
    return BitcoinError(Fault(name, problem, mend, value=str(value)))
