"""One retarget: what follows from the bits of an epoch and the times of its first and its last block."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bitcoin.network import (
    LONGEST_EPOCH_SECONDS,
    SHORTEST_EPOCH_SECONDS,
    difficulty_of,
    next_bits,
    target_of,
)
from penstock.errors import BitcoinError, Fault

__all__ = ["Retarget", "retarget"]

#: First time that the 32 bits of a block's header cannot hold. [s since 1970]
_TIMES_END = 1 << 32


@dataclass(frozen=True, slots=True)
class Retarget:
    """An epoch that ends, and the difficulty of the one that follows.

    bits, next_bits: compact bits, old and new. target, next_target: the targets they stand for.
    difficulty, next_difficulty: [1]. change_share: new difficulty over the old, less 1. [1]
    timespan_seconds: from the first block to the last. [s]
    counted_seconds: the part of it that the rule counts: 302,400 s to 4,838,400 s. [s]
    """

    bits: int
    next_bits: int
    target: int
    next_target: int
    difficulty: float
    next_difficulty: float
    change_share: float
    timespan_seconds: int
    counted_seconds: int

    @property
    def clamped(self) -> bool:
        """Whether the epoch was shorter or longer than the rule counts."""
        return self.timespan_seconds != self.counted_seconds


def retarget(bits: int, first_block_time: int, last_block_time: int) -> Retarget:
    """The retarget at the end of an epoch, by the rule of `penstock.bitcoin.network.next_bits`.

    bits: compact bits of the epoch.
    first_block_time, last_block_time: times in the headers of its first and its last block. [s since 1970]

    Raises BitcoinError with every fault: bits that no block can have, times that do not fit in the 32 bits of
    a header, a last block before the first.
    """
    faults: list[Fault] = []
    try:
        difficulty_of(bits)
    except BitcoinError as error:
        faults.extend(error.faults)
    faults.extend(_time_faults(first_block_time, last_block_time))
    if faults:
        raise BitcoinError(faults)
    following = next_bits(bits, first_block_time, last_block_time)
    old, new = difficulty_of(bits), difficulty_of(following)
    timespan = last_block_time - first_block_time
    return Retarget(
        bits=bits,
        next_bits=following,
        target=target_of(bits),
        next_target=target_of(following),
        difficulty=old,
        next_difficulty=new,
        change_share=new / old - 1.0,
        timespan_seconds=timespan,
        counted_seconds=min(max(timespan, SHORTEST_EPOCH_SECONDS), LONGEST_EPOCH_SECONDS),
    )


def _time_faults(first_block_time: int, last_block_time: int) -> list[Fault]:
    mend = "give the time of the block's header [s since 1970]"
    times = {"first_block_time": first_block_time, "last_block_time": last_block_time}
    faults = [
        Fault(
            name, f"must be a whole number from 0 to {_TIMES_END - 1} [s since 1970]", mend, value=str(time)
        )
        for name, time in times.items()
        if not 0 <= time < _TIMES_END
    ]
    if not faults and last_block_time < first_block_time:
        problem = f"lies before the first block's time, {first_block_time} [s since 1970]"
        faults.append(Fault("last_block_time", problem, mend, value=str(last_block_time)))
    return faults
