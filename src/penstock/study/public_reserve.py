"""What public bodies hold of Bitcoin, from the country's table, as readings for its guardrails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from penstock.bitcoin.history import load_prices
from penstock.country import Country
from penstock.policy import Reading

__all__ = ["reserve_readings"]


def reserve_readings(country: Country, as_of: dt.date) -> dict[str, Sequence[Reading]]:
    """Net change over the twelve months to a day, exposure on it, and whether acceptance is mandatory.

    as_of: day that the guardrails are judged on.

    A holding stated on a day, or for a month, stands until the next one. Without a holding stated before the
    twelve months, or without a price of bitcoin on the day, there is no reading.
    """
    readings: dict[str, Sequence[Reading]] = {}
    stated = sorted((_day(row["date"]), row["btc"]) for row in country.table("public_bitcoin"))
    now = _held(stated, as_of)
    before = _held(stated, _a_year_before(as_of))
    if now is not None and before is not None:
        place = f"twelve months to {as_of.isoformat()}"
        readings["public_bitcoin_change"] = [Reading(place, now - before)]
    known = country.table("parameters").column("parameter")
    price = _price_usd(as_of)
    if now is not None and "fx_reserves_usd" in known and (price is not None or now == 0.0):
        worth = now * (0.0 if price is None else price)
        share = worth / country.parameter("fx_reserves_usd").value
        readings["reserve_exposure_share"] = [Reading(as_of.isoformat(), share)]
    if "bitcoin_acceptance_mandatory" in known:
        value = country.parameter("bitcoin_acceptance_mandatory").value
        readings["acceptance_mandatory"] = [Reading(f"law of {country.year}", value)]
    return readings


def _day(text: str) -> dt.date:
    """The day that a date stands for; a month without a day stands for its last one."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return dt.date(*parts)
    year, month = parts
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return following - dt.timedelta(days=1)


def _a_year_before(day: dt.date) -> dt.date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def _held(stated: list[tuple[dt.date, float]], day: dt.date) -> float | None:
    """The last holding stated by a day; None where there is none. [BTC]"""
    found = [btc for date, btc in stated if date <= day]
    return found[-1] if found else None


def _price_usd(day: dt.date) -> float | None:
    """Price of a bitcoin on a day; None where it is not on record. [USD]"""
    prices = load_prices()
    place = np.flatnonzero(prices.date == np.datetime64(day, "D"))
    return float(prices.price_usd[place[0]]) if place.size else None
