"""Everything that the summary and the hourly table are written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock.accounts import Surplus
from penstock.country import Country
from penstock.country.hours import Hours
from penstock.market import Clearing
from penstock.programme import Operation, Programme

__all__ = ["Results"]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """One study.

    tariff: of the programme. [USD/MWh]
    guardrails: what the country's policy says of the programme, as plain data; None where it has none.
    """

    country: Country
    hours: Hours
    programme: Programme
    operation: Operation
    tariff: float
    base: Clearing
    surplus: Surplus
    variants: tuple[dict[str, Any], ...]
    guardrails: dict[str, Any] | None

    @property
    def changed(self) -> Clearing:
        """The market with the programme."""
        return self.operation.clearing
