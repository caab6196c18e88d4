"""One tree of errors. Every message gives the value, the limit, the unit, the place and the mend.

PenstockError                 anything Penstock refuses; the command line exits with code 2
├── InputError                what the user gave cannot be used
│   ├── TableError            one or more faults in a country's tables, all listed at once
│   ├── UnknownCountryError   no such country and no such folder
│   ├── SystemFaultError          a `System` whose parts contradict each other
│   ├── BidError              a bid that cannot be cleared
│   ├── BitcoinError          numbers that the Bitcoin network or its record cannot have
│   ├── FleetError            machines, cohorts or a fleet that cannot be
│   ├── NetworkError          a PyPSA network that cannot be read, carried over or written
│   ├── CentreError           a centre of AI compute whose parts contradict each other, or asked for too much
│   ├── PayoutError           a payment run that cannot be read, begun or gone on with; nobody was paid by it
│   ├── PolicyError           a policy that cannot be read, or a question to it that has no answer
│   ├── ProgrammeError        a programme outside its limits
│   └── ReserveError          a treasury policy, wallet, proof or payment that cannot be used, or fails
├── InfeasibleError           limits that clash: no dispatch satisfies them all
├── SolverError               the optimiser stopped without an optimum
└── BalanceError              an identity that must hold does not (a fault of ours)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "BalanceError",
    "BidError",
    "BitcoinError",
    "CentreError",
    "Fault",
    "FleetError",
    "InfeasibleError",
    "InputError",
    "NetworkError",
    "PayoutError",
    "PenstockError",
    "PolicyError",
    "ProgrammeError",
    "ReserveError",
    "SolverError",
    "SystemFaultError",
    "TableError",
    "UnknownCountryError",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input, and how to mend it.

    place: file, command-line option or argument that holds the value.
    row: line in the file, counted from 1 with the header as line 1; None where it has no row.
    column: column or field; None where it has none.
    value: the value as it was read, as text; None where it is absent.
    problem: what is wrong, with the limit and its unit.
    mend: what to do about it.
    """

    place: str
    problem: str
    mend: str
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        where = self.place
        if self.row is not None:
            where += f", row {self.row}"
        if self.column is not None:
            where += f", column {self.column}"
        found = "" if self.value is None else f" (value: {self.value!r})"
        return f"{where}: {self.problem}{found}. Mend: {self.mend}"


class PenstockError(Exception):
    """Anything Penstock refuses, with every fault it found."""

    def __init__(self, faults: Fault | Iterable[Fault] | str) -> None:
        if isinstance(faults, str):
            self.faults: tuple[Fault, ...] = ()
            super().__init__(faults)
            return
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        if len(self.faults) == 1:
            super().__init__(str(self.faults[0]))
        else:
            lines = "\n".join(f"  {fault}" for fault in self.faults)
            super().__init__(f"{len(self.faults)} faults:\n{lines}")


class InputError(PenstockError):
    """What the user gave cannot be used."""


class TableError(InputError):
    """Faults in a country's tables, all of them at once."""


class UnknownCountryError(InputError):
    """Neither a country that ships with Penstock nor a folder of tables."""


class SystemFaultError(InputError):
    """A `System` whose parts contradict each other."""


class BidError(InputError):
    """A bid that cannot be cleared."""


class BitcoinError(InputError):
    """Numbers that the Bitcoin network or a machine cannot have, or that are not on record."""


class FleetError(InputError):
    """Machines, cohorts or a fleet of miners that cannot be, or an investment in them."""


class NetworkError(InputError):
    """A PyPSA network that cannot be read, carried over or written, and all that stands in the way."""


class CentreError(InputError):
    """A centre of AI compute whose parts contradict each other, or from which too much is asked."""


class PayoutError(InputError):
    """A payment run cannot be read, begun or gone on with."""


class PolicyError(InputError):
    """A policy that cannot be read, with every fault and its line, or a question to it without an answer."""


class ProgrammeError(InputError):
    """A programme outside its limits."""


class ReserveError(InputError):
    """A policy, wallet, proof or payment of a reserve that cannot be used, or fails. No secret is in it."""


class InfeasibleError(PenstockError):
    """Limits that clash: no dispatch satisfies them all."""


class SolverError(PenstockError):
    """The optimiser stopped without an optimum."""


class BalanceError(PenstockError):
    """An identity that must hold does not: a fault in Penstock, not in the input."""
