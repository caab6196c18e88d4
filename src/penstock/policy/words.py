"""Findings and limits in words."""

from __future__ import annotations

from .metrics import significant_standard_errors
from .policy import Clause

__all__ = ["amount", "finding_sentence", "limit_text"]


def amount(value: float, unit: str) -> str:
    """A number with its unit; "1" is not written."""
    return f"{value:.6g}" if unit == "1" else f"{value:.6g} {unit}"


def limit_text(clause: Clause) -> str:
    """The limit or limits of a clause with their unit, e.g. "at most 0 PKR/kWh"."""
    if clause.at_most is not None and clause.at_least is not None:
        return f"{amount(clause.at_least, '1')} to {amount(clause.at_most, clause.unit)}"
    if clause.at_most is not None:
        return f"at most {amount(clause.at_most, clause.unit)}"
    return f"at least {amount(clause.at_least or 0.0, clause.unit)}"


def finding_sentence(
    clause: Clause,
    *,
    place: str,
    value: float,
    standard_error: float | None,
    limit: float,
    upper: bool,
    margin: float,
    significant: bool | None,
) -> str:
    """The finding of a clause whose worst reading is a number.

    upper: whether the limit is the greatest value allowed. margin: negative beyond the limit. [unit]
    """
    verb = "holds" if margin >= 0 else "fails"
    error = "" if standard_error is None else f" ± {amount(standard_error, '1')}"
    side = "at most" if upper else "at least"
    spare = f", tolerance {amount(clause.tolerance, clause.unit)}" if clause.tolerance else ""
    room = "room" if margin >= 0 else ("too much" if upper else "too little")
    errors = f"{significant_standard_errors():g} standard errors"
    doubt = f" The margin is below {errors}: not significant." if significant is False else ""
    if clause.unit == "1":
        found = f"{amount(value, '1')}{error}"
    else:
        found = f"{amount(value, '1')}{error} {clause.unit}"
    return (
        f"{clause.title} ({clause.id}) {verb}; worst in {place}: {found}, {side} "
        f"{amount(limit, clause.unit)} allowed{spare}: {amount(abs(margin), clause.unit)} {room}.{doubt}"
    )
