"""The few numbers of a cleared network as rows of a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["rows"]

#: Zones whose price is shown; the rest are counted.
SHOWN = 8


def rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Label, unit and value of each row; the zones with the highest prices only.

    figures: as of `penstock.market.pypsa_files.figures`, with seconds. Money has the network's currency.
    """
    yield "Objective", "", f"{figures['objective']:,.2f}"
    yield "Gap, at most", "%", f"{100.0 * figures['gap']:.2g}"
    yield "Unserved", "MWh", f"{figures['unserved_mwh']:,.3f}"
    yield "Engine", "", str(figures["engine"])
    yield "Time", "s", f"{figures['seconds']:.1f}"
    prices = sorted(figures["mean_price_per_mwh"].items(), key=lambda item: -item[1])
    for zone, price in prices[:SHOWN]:
        yield f"Mean price, {zone}", "per MWh", f"{price:,.2f}"
    if len(prices) > SHOWN:
        yield f"{len(prices) - SHOWN:,} more zones", "per MWh", f"{prices[-1][1]:,.2f} at the lowest"
