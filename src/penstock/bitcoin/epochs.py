"""The record of the Bitcoin network by epoch of 2,016 blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from penstock.country.packaged import read_packaged
from penstock.errors import Fault, TableError

__all__ = ["Epoch", "EpochTimes", "epoch_times", "epochs", "read_epochs"]

_FOLDER = Path(__file__).parent / "tables"
_BITS = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of 2,016 blocks.

    start_time_unix: time of its first block. [s since 1970]
    time_basis: "header" (read from the block) or "reconstructed" (good to about ten minutes; the last one to
        about half an hour).
    bits: compact target. difficulty: as published. [1]
    """

    epoch: int
    start_height: int
    start_time_unix: int
    time_basis: str
    bits: int
    difficulty: float


@dataclass(frozen=True, slots=True)
class EpochTimes:
    """Times in the headers of the first and the last block of an epoch, as the retarget needs. [s]"""

    last_block_height: int
    first_block_time_unix: int
    last_block_time_unix: int


@cache
def epochs() -> tuple[Epoch, ...]:
    """Every epoch on record, from the first, as it ships with Penstock."""
    return read_epochs(_FOLDER)


def read_epochs(folder: Path) -> tuple[Epoch, ...]:
    """Epochs from a folder with this room's tables.

    Raises TableError for faults of the tables, and for bits that are not 8 hexadecimal digits.
    """
    table = read_packaged(folder)["difficulty_epochs"]
    faults = [
        Fault(
            "difficulty_epochs.csv",
            "must be 8 hexadecimal digits in lower case",
            "write it like 1d00ffff",
            row=line,
            column="bits_hex",
            value=row["bits_hex"],
        )
        for line, row in enumerate(table, start=2)
        if not _BITS.fullmatch(row["bits_hex"])
    ]
    if faults:
        raise TableError(faults)
    return tuple(
        Epoch(
            epoch=row["epoch"],
            start_height=row["start_height"],
            start_time_unix=row["start_time_unix"],
            time_basis=row["time_basis"],
            bits=int(row["bits_hex"], 16),
            difficulty=row["difficulty"],
        )
        for row in table
    )


@cache
def epoch_times() -> tuple[EpochTimes, ...]:
    """The epochs whose last block's time is on record."""
    return tuple(
        EpochTimes(row["last_block_height"], row["first_block_time_unix"], row["last_block_time_unix"])
        for row in read_packaged(_FOLDER)["epoch_last_blocks"]
    )
