"""Reads and writes the bytes of the Bitcoin protocol, strictly: nothing is guessed, left over or repaired."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from penstock.errors import Fault, ReserveError

__all__ = ["Reader", "read_json", "refuse", "size_bytes", "sized"]

_LARGEST = 32_000_000  # bytes of one text, witness item or script that are read at most


def refuse(place: str, problem: str, mend: str = "give the bytes as the signer wrote them") -> ReserveError:
    """What is raised where bytes cannot be read."""
    return ReserveError(Fault(place, problem, mend))


def read_json(data: bytes, place: str, most_bytes: int) -> Any:
    """The document in the bytes of a file; a key that stands twice in one object would be read in two ways.

    Raises ReserveError for too many bytes, what is no JSON, a key twice, NaN and infinities.
    """
    mend = "give the file as it was written"
    if len(data) > most_bytes:
        raise refuse(place, f"has {len(data)} bytes, over the limit of {most_bytes}", mend)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError
        return found

    def refuse_number(text: str) -> NoReturn:
        raise ValueError

    try:
        return json.loads(data, object_pairs_hook=once, parse_constant=refuse_number)
    except (ValueError, RecursionError):
        raise refuse(place, "is no JSON, or holds a key twice or a number that is none", mend) from None


class Reader:
    """Bytes with a position. place: what they are, for messages.

    Every method raises ReserveError where there are too few bytes left.
    """

    def __init__(self, data: bytes, place: str) -> None:
        self.data, self.place, self.at = data, place, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count > _LARGEST or count > len(self.data) - self.at:
            problem = f"ends after {len(self.data)} bytes, {count} more are announced at byte {self.at}"
            raise refuse(self.place, problem)
        found = self.data[self.at : self.at + count]
        self.at += count
        return found

    def number(self, count: int) -> int:
        """A little-endian number of so many bytes."""
        return int.from_bytes(self.take(count), "little")

    def size(self) -> int:
        """A compact size; one that is not written in the fewest bytes is refused."""
        first = self.number(1)
        if first < 0xFD:
            return first
        width = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
        found = self.number(width)
        if found < {2: 0xFD, 4: 0x1_0000, 8: 0x1_0000_0000}[width]:
            raise refuse(self.place, f"a size at byte {self.at} is not written in the fewest bytes")
        return found

    def text(self) -> bytes:
        """Bytes with their size before them."""
        return self.take(self.size())

    def count(self, least_bytes: int) -> int:
        """A number of things that take at least so many bytes each; more than can be there are refused."""
        found = self.size()
        if found * least_bytes > len(self.data) - self.at:
            raise refuse(self.place, f"announces {found} parts at byte {self.at}, which cannot be there")
        return found

    def end(self) -> None:
        """Raises ReserveError where bytes are left."""
        if self.at != len(self.data):
            raise refuse(self.place, f"has {len(self.data) - self.at} bytes too many at its end")


def size_bytes(number: int) -> bytes:
    """A compact size."""
    if number < 0xFD:
        return number.to_bytes(1, "little")
    for mark, width in ((0xFD, 2), (0xFE, 4), (0xFF, 8)):
        if number < 1 << 8 * width:
            return bytes([mark]) + number.to_bytes(width, "little")
    raise ValueError(f"{number} is no compact size")


def sized(data: bytes) -> bytes:
    """Bytes with their size before them."""
    return size_bytes(len(data)) + data
