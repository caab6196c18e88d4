"""Options read by hand, so that all their faults are named at once.

Each adds what is wrong to a list; the command raises `refused` when all of them have looked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TypeVar

from penstock.errors import Fault, InputError

__all__ = [
    "check_number",
    "exactly_one",
    "gather",
    "read_bits",
    "read_choice",
    "read_time",
    "refused",
]

Found = TypeVar("Found")
FEW_CHOICES = 8  # more are not all listed


def refused(faults: Sequence[Fault]) -> InputError:
    """The faults as one error, to be raised where there are any."""
    return InputError(faults)


def gather(faults: list[Fault], places: Mapping[str, str], call: Callable[[], Found]) -> Found | None:
    """What `call` gives; None where it refuses its input, whose faults are added to the list.

    places: option that holds what a fault calls by another name, e.g. {"bits": "--bits"}.
    """
    try:
        return call()
    except InputError as error:
        faults.extend(replace(fault, place=places.get(fault.place, fault.place)) for fault in error.faults)
        return None


def exactly_one(faults: list[Fault], given: Mapping[str, object]) -> None:
    """Adds a fault unless one of the options, and one only, is given (is not None)."""
    named = [option for option, value in given.items() if value is not None]
    if not named:
        faults.append(Fault(" or ".join(given), "is missing", "give one of them"))
    elif len(named) > 1:
        faults.append(Fault(" and ".join(named), "are given together", "give one of them"))


def check_number(
    faults: list[Fault], option: str, value: float | None, unit: str, least: float, most: float
) -> None:
    """Adds a fault where a number is not from `least` to `most`; None is no number and passes."""
    if value is None or least <= value <= most:
        return
    problem = f"must be from {least:g} to {most:g} [{unit}]"
    faults.append(Fault(option, problem, "give a number within the limits", value=f"{value:g}"))


def read_choice(faults: list[Fault], option: str, value: str, choices: Sequence[str]) -> str:
    """One of the choices: the value, or the first of them as a stand-in.

    The fault names all choices if they are few, else those that are spelled like the value.
    """
    if value in choices:
        return value
    offered = choices if len(choices) <= FEW_CHOICES else get_close_matches(value, choices, n=5, cutoff=0.4)
    mend = (
        f"give one of {', '.join(offered)}" if offered else f"give one of {len(choices)}, like {choices[0]}"
    )
    faults.append(Fault(option, "is not known", mend, value=value))
    return choices[0]


def read_time(faults: list[Fault], option: str, text: str) -> int | None:
    """A time in whole seconds since 1970, written so or as ISO 8601; in UTC where it names no zone. [s]"""
    if re.fullmatch(r"[+-]?\d{1,20}", text, re.ASCII):
        return int(text)
    try:
        time = datetime.fromisoformat(text)
        seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        mend = "write seconds since 1970, or as 2021-07-03T05:42:10Z"
        faults.append(Fault(option, "is no time", mend, value=text))
        return None
    if not seconds.is_integer():
        faults.append(Fault(option, "must be whole seconds [s]", "leave out the fraction", value=text))
        return None
    return int(seconds)


def read_bits(faults: list[Fault], option: str, text: str) -> int | None:
    """Compact bits, written as 0x1d00ffff or as the same number in tens."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,64}", text, re.ASCII):
        return int(text, 16)
    if re.fullmatch(r"\d{1,64}", text, re.ASCII):
        return int(text)
    faults.append(Fault(option, "is no whole number", "write it as 0x1d00ffff", value=text))
    return None
