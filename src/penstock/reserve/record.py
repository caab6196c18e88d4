"""What was bought, as filed or announced, beside what was said to be held."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from .treasury import reserve_parameter, reserve_tables

__all__ = [
    "DAILY_FROM",
    "StatedHolding",
    "StrategyRecord",
    "announced_until",
    "stated_holdings",
    "strategy_record",
]

#: First day of the one bitcoin a day that El Salvador announced.
DAILY_FROM = dt.date(2022, 11, 18)


@dataclass(frozen=True, slots=True)
class StrategyRecord:
    """Purchases of a company, summed, beside what it filed. average_price_usd: [USD/BTC]"""

    btc: float
    cost_usd: float
    published_btc: float
    published_average_usd: float
    first: dt.date
    last: dt.date
    purchases: int

    @property
    def average_price_usd(self) -> float:
        """Mean price of all coins. [USD/BTC]"""
        return self.cost_usd / self.btc


def strategy_record() -> StrategyRecord:
    """Strategy's purchases from its filings; cost is price times coins, since the filed costs are rounded."""
    table = reserve_tables()["strategy_purchases"]
    days = [dt.date.fromisoformat(day) for day in table.column("date")]
    return StrategyRecord(
        btc=sum(row["btc"] for row in table),
        cost_usd=sum(row["btc"] * row["usd_per_btc"] for row in table),
        published_btc=reserve_parameter("strategy_published_btc").value,
        published_average_usd=reserve_parameter("strategy_published_average_usd").value,
        first=min(days),
        last=max(days),
        purchases=len(days),
    )


@dataclass(frozen=True, slots=True)
class StatedHolding:
    """A holding that was stated, beside what announcements and one bitcoin a day make. [BTC]

    unexplained: stated less both; what came or went without an announced purchase.
    """

    day: dt.date
    stated: str
    btc: float
    announced: float
    one_a_day: float
    kind: str
    source: str
    note: str

    @property
    def unexplained(self) -> float:
        """Stated less announced less one a day. [BTC]"""
        return self.btc - self.announced - self.one_a_day


def announced_until(day: dt.date) -> float:
    """Announced purchases up to a day, the one bitcoin a day not among them. [BTC]"""
    rows = reserve_tables()["announced_purchases"]
    return float(sum(row["btc"] for row in rows if dt.date.fromisoformat(row["date"]) <= day))


def stated_holdings() -> tuple[StatedHolding, ...]:
    """Every stated holding of El Salvador; a month without a day stands for its last one."""
    found = []
    for row in reserve_tables()["stated_holdings"]:
        day = _day(row["date"])
        found.append(
            StatedHolding(
                day=day,
                stated=row["date"],
                btc=row["btc"],
                announced=announced_until(day),
                one_a_day=float(max((day - DAILY_FROM).days + 1, 0)),
                kind=row["kind"],
                source=row["source"],
                note=row["note"] or "",
            )
        )
    return tuple(found)


def _day(text: str) -> dt.date:
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return dt.date(*parts)
    year, month = parts
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
