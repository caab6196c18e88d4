"""Numbers as text: thousands separators, one minus sign, sensible precision, a dash for what is absent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

__all__ = [
    "MONTHS",
    "as_number",
    "decimals_for",
    "label",
    "millions",
    "millions_decimals",
    "number",
    "percent",
    "plain",
    "short_percent",
    "shortened",
    "signed",
    "size_text",
    "value_text",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ABSENT = "–"
MINUS = "\N{MINUS SIGN}"
NARROW_CHART_LABEL = 30
MOST_DECIMALS = 6


def as_number(value: Any) -> float | None:
    """The value as a finite number; None where it is absent, text, yes/no, infinite or not a number."""
    if value is None or isinstance(value, bool | str):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def decimals_for(values: Iterable[Any], least: int, digits: int = 3) -> int:
    """Decimals for a column of numbers: its largest keeps `digits` significant digits.

    At least `least`, and at most MOST_DECIMALS. A column of nothing but zeros and noise gets `least`.
    """
    largest = max((abs(found) for found in map(as_number, values) if found is not None), default=0.0)
    if largest < 0.5 * 10.0**-MOST_DECIMALS:
        return least
    return min(max(least, digits - 1 - math.floor(math.log10(largest))), MOST_DECIMALS)


def number(value: Any, decimals: int = 0) -> str:
    """A number such as 12,345.6 with `decimals` digits after the point; a dash where it is absent."""
    found = as_number(value)
    if found is None:
        return ABSENT
    text = f"{abs(found):,.{decimals}f}"
    # What rounds to zero has no sign.
    return MINUS + text if found < 0 and any(digit in text for digit in "123456789") else text


def signed(value: Any, decimals: int = 0) -> str:
    """The same with a plus sign where positive."""
    text = number(value, decimals)
    if text in (ABSENT, number(0, decimals)) or text.startswith(MINUS):
        return text
    return "+" + text


def millions(usd: Any, decimals: int = 1) -> str:
    """USD shown in million USD, without the unit."""
    found = as_number(usd)
    return number(None if found is None else found / 1e6, decimals)


def millions_decimals(usd: Iterable[Any]) -> int:
    """Decimals for amounts in million USD, so that those of a small programme are not all zero."""
    return decimals_for((found / 1e6 for found in map(as_number, usd) if found is not None), 1)


def percent(share: Any, decimals: int = 0) -> str:
    """A share of 1 shown as a percentage, with its sign."""
    found = as_number(share)
    return ABSENT if found is None else number(found * 100, decimals) + "%"


def short_percent(share: Any) -> str:
    """The same with up to two decimals, without zeros at the end."""
    text = percent(share, 2)
    return text if text == ABSENT else text.removesuffix("%").rstrip("0").rstrip(".") + "%"


def value_text(value: Any, unit: str = "") -> str:
    """A value of any size with up to five significant digits; a year without separators, text as it is."""
    found = as_number(value)
    if found is None:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value if isinstance(value, str) and value else ABSENT
    if unit == "year":
        return f"{found:.0f}"
    if found == round(found) or abs(found) >= 10_000:
        return number(found)
    decimals = max(0, 4 - math.floor(math.log10(abs(found))))
    text = number(found, min(decimals, 10))
    return text.rstrip("0").rstrip(".") if "." in text else text


def size_text(megawatts: Any) -> str:
    """Power in MW or energy in GWh, without the unit: whole from 100 on, two decimals below 10."""
    found = as_number(megawatts)
    if found is None:
        return ABSENT
    text = number(found, 0 if abs(found) >= 100 else 1 if abs(found) >= 10 else 2)
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of a text, cut between words where it has any."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    if not text[limit - 1].isspace():
        cut = cut.rpartition(" ")[0] or cut
    return cut.rstrip(" ,:;(") + "…"


def label(text: Any, limit: int = NARROW_CHART_LABEL) -> str:
    """A name for a chart: shortened, and with the marks escaped that Plotly would read as HTML."""
    words = shortened(str(text), limit)
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(identifier: Any) -> str:
    """An identifier such as `coal_local` as words."""
    return str(identifier).replace("_", " ").strip()
