"""Collects the faults of a folder of tables, so that all of them are reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache

from penstock.errors import Fault

__all__ = ["FaultList", "choices_hint", "shown"]

FEW = 12  # choices up to this many are listed in full
LONGEST_SHOWN = 120  # characters of a cell that a message repeats


class FaultList:
    """Faults in the order in which they were found.

    Of the same kind in the same column of the same file at most `cap` are kept; the rest is counted and
    reported as one further fault, so that a wholly garbled file cannot flood the report.
    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._faults: list[Fault] = []
        self._seen: dict[tuple[str, str | None, str], int] = {}
        self._last: dict[tuple[str, str | None, str], Fault] = {}

    def add(self, kind: str, fault: Fault) -> None:
        """Adds one fault. kind: short name of what is wrong, e.g. "blank"."""
        key = (fault.place, fault.column, kind)
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] <= self.cap:
            self._faults.append(fault)
        else:
            self._last[key] = fault

    def extend(self, other: FaultList) -> None:
        """Adds the faults of another list, already capped."""
        self._faults.extend(other.all())

    def all(self) -> tuple[Fault, ...]:
        """Every fault kept, then one for each kind that has more."""
        more = tuple(
            Fault(
                place=place,
                column=column,
                problem=f"{self._seen[place, column, kind] - self.cap} more of the same kind ({kind}), "
                f"the last in row {fault.row}",
                mend=fault.mend,
            )
            for (place, column, kind), fault in self._last.items()
        )
        return (*self._faults, *more)

    def __bool__(self) -> bool:
        return bool(self._faults)


def shown(text: str) -> str:
    """The text of a cell, cut where it is too long to print."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def choices_hint(value: str, choices: Iterable[str], what: str) -> str:
    """A mend: the closest choice, and all choices where there are few. what: e.g. "zone"."""
    return _choices_hint(value, tuple(dict.fromkeys(choices)), what)


@lru_cache(maxsize=4096)
def _choices_hint(value: str, choices: tuple[str, ...], what: str) -> str:
    if not choices:
        return f"there is no {what} to choose from yet; add one"
    close = difflib.get_close_matches(value, choices, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    if len(choices) <= FEW:
        return f"{hint}each {what} there is: {', '.join(choices)}"
    return hint + f"use one of the {len(choices)} there are"
