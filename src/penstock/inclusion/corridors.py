"""What sending money home costs by corridor, and what a Bitcoin rail would cost, part by part.

The cost of today is the mean of quotes (World Bank, Remittance Prices Worldwide): over providers and
channels, not over what people choose, so that a sender may already do better. The rail's parts are
assumptions with ranges; all of them are taken at their low ends together, and at their high ends together,
which is wider than they will be. So "saves nothing" means: not even at the cheapest rail.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from penstock.country import Parameter, Table
from penstock.country.faults import choices_hint, shown
from penstock.country.packaged import parameters_of, read_packaged
from penstock.errors import Fault, InputError

__all__ = [
    "AMOUNTS_USD",
    "Corridor",
    "Flow",
    "RailCost",
    "corridors",
    "flows",
    "inclusion_parameter",
    "inclusion_tables",
    "latest_period",
    "rail_cost",
]

#: Sums that the World Bank asks prices for. [USD]
AMOUNTS_USD = (200.0, 500.0)
End = Literal["low", "central", "high"]
_SERIES = "mean_of_quotes"
_MINUTES_PER_YEAR = 365.0 * 24.0 * 60.0
_WORLD = "WLD"
_FOLDER = Path(__file__).parent / "tables"


@cache
def inclusion_tables() -> Mapping[str, Table]:
    """The tables of this room by name, read once."""
    return read_packaged(_FOLDER)


def inclusion_parameter(name: str) -> Parameter:
    """A single value of this room's tables."""
    return parameters_of(inclusion_tables()["parameters"])[name]


@dataclass(frozen=True, slots=True)
class RailCost:
    """Cost of sending a sum over a Bitcoin rail, as a share of it in per cent. parts: central, by key. [%]"""

    amount_usd: float
    low: float
    central: float
    high: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Flow:
    """What is sent home from a country in a year. basis: what the figure is. [million USD/year]"""

    usd_million: float
    basis: str
    source: str


@dataclass(frozen=True, slots=True)
class Corridor:
    """One corridor. cost_pct: of today by sum; None of a sum that was not asked. [%]

    flow: what is sent in a year; None where it is not known.
    """

    sender: str
    sender_name: str
    receiver: str
    period: str
    cost_pct: Mapping[float, float | None]
    quotes: int | None
    rail: Mapping[float, RailCost]
    flow: Flow | None

    def saving(self, amount_usd: float) -> tuple[float, float, float] | None:
        """Today less the rail: at its dearest, central, at its cheapest; below 0 the rail costs more. [%]"""
        today, rail = self.cost_pct[amount_usd], self.rail[amount_usd]
        return None if today is None else (today - rail.high, today - rail.central, today - rail.low)

    @property
    def helps(self) -> Literal["yes", "unsure", "no"]:
        """Whether the rail saves on 200 USD: over its whole range, in part of it, or nowhere."""
        found = self.saving(AMOUNTS_USD[0])
        if found is None or found[2] <= 0.0:
            return "no"
        return "yes" if found[0] > 0.0 else "unsure"

    def gain_usd_million(self) -> tuple[float, float, float] | None:
        """What all senders would save in a year on sums of 200 USD: low, central, high. [million USD]

        As if everybody changed to the rail, and nobody who pays less today: where it saves nothing, 0.
        """
        found = self.saving(AMOUNTS_USD[0])
        if found is None or self.flow is None:
            return None
        low, central, high = (max(share, 0.0) / 100.0 * self.flow.usd_million for share in found)
        return low, central, high


@cache
def rail_cost(amount_usd: float) -> RailCost:
    """What sending a sum over the rail costs. [%]

    Each part is a share of the sum and a sum; the price risk in transit is so many standard deviations of the
    price over the time that coins are held: k · sigma · sqrt(t).
    """
    rows = inclusion_tables()["rail_costs"]

    def part(end: str) -> dict[str, float]:
        return {row["part"]: row[f"per_cent{end}"] + 100.0 * row[f"usd{end}"] / amount_usd for row in rows}

    central = part("")
    central["price_risk"] = _price_risk("central")
    low, high = (sum(part(f"_{end}").values()) + _price_risk(end) for end in ("low", "high"))
    return RailCost(amount_usd, low, sum(central.values()), high, central)


def _price_risk(end: str) -> float:
    """Price risk in transit at an end of the assumptions. [%]"""

    def value(name: str) -> float:
        found = inclusion_parameter(name)
        chosen = {"low": found.low, "central": found.value, "high": found.high}[end]
        return found.value if chosen is None else chosen

    years = value("transit_minutes") / _MINUTES_PER_YEAR
    return 100.0 * value("risk_price") * value("volatility_per_root_year") * math.sqrt(years)


def latest_period(receiver: str) -> str:
    """The last quarter with costs to a country. Raises InputError where there is none."""
    periods = [
        row["period"]
        for row in inclusion_tables()["corridor_costs"]
        if row["destination_iso3"] == receiver and row["series"] == _SERIES
    ]
    if not periods:
        known = dict.fromkeys(inclusion_tables()["corridor_costs"].column("destination_iso3"))
        hint = choices_hint(receiver, known, "receiver")
        raise InputError(Fault("country", "has no corridor on record", hint, value=shown(receiver)))
    return str(max(periods))


def corridors(receiver: str, period: str | None = None) -> tuple[Corridor, ...]:
    """Every corridor to a country in a quarter, the cheapest first.

    receiver: ISO 3166 alpha-3. period: such as "2025-Q1"; None for the last on record.

    Raises InputError for a country or a quarter without costs.
    """
    last = latest_period(receiver)
    quarter = last if period is None else period
    rows = [
        row
        for row in inclusion_tables()["corridor_costs"]
        if (row["destination_iso3"], row["series"], row["period"]) == (receiver, _SERIES, quarter)
    ]
    if not rows:
        mend = f"give a quarter on record; the last is {last}"
        raise InputError(Fault("--period", "has no costs on record", mend, value=shown(quarter)))
    yearly = flows(receiver)
    rail = {amount: rail_cost(amount) for amount in AMOUNTS_USD}
    found = [
        Corridor(
            sender=row["source_iso3"],
            sender_name=row["source_name"],
            receiver=receiver,
            period=quarter,
            cost_pct={200.0: row["cost_pct_200"], 500.0: row["cost_pct_500"]},
            quotes=row["quotes"],
            rail=rail,
            flow=yearly.get(row["source_iso3"]) or _modelled(receiver, row["source_name"]),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.cost_pct[200.0] or 0.0, one.sender)))


@cache
def flows(receiver: str) -> Mapping[str, Flow]:
    """What is sent in a year, as the central bank stated it for the last period, by sender's ISO code."""
    rows = [row for row in inclusion_tables()["stated_flows"] if row["receiver_iso3"] == receiver]
    last = max((row["period"] for row in rows), default="")
    return {
        row["sender_iso3"]: Flow(
            row["usd_million"] * 12.0 / row["months"], f"stated for {row['period']}, as a year", row["source"]
        )
        for row in rows
        if row["period"] == last
    }


def _modelled(receiver: str, sender_name: str) -> Flow | None:
    """A sender's share of the World Bank's estimates of 2017, of what is received now."""
    rows = {
        row["sender"]: row["usd_million"]
        for row in inclusion_tables()["bilateral_flows"]
        if row["receiver_iso3"] == receiver
    }
    now = flows(receiver).get(_WORLD)
    if now is None or sender_name not in rows or not rows.get("WORLD"):
        return None
    share = rows[sender_name] / rows["WORLD"]
    return Flow(share * now.usd_million, "share of 2017 in today's total", "bilateral_2017")
