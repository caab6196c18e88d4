"""Two countries side by side: the same study of each, and where two figures do not mean the same.

Every figure is taken from the two studies, money in USD at each country's own rate. A figure that one
country does not have is None, never 0; a guardrail that one country does not have is absent, never passed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from penstock import __version__
from penstock.accounts.trade import home_plants
from penstock.country import load_country
from penstock.programme.incidence import RULES
from penstock.study import Study, run

from .lines import Facts, Line, facts_of, lines, over

__all__ = ["ABSENT", "Comparison", "compare", "compare_studies"]

#: Status of a guardrail that a country's policy does not have.
ABSENT = "absent"

Pair = list[Any]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two studies, and what `compare.json` holds of them; its JSON Schema is docs/compare.schema.json."""

    studies: tuple[Study, Study]
    document: dict[str, Any]


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def compare(
    first: str | os.PathLike[str], second: str | os.PathLike[str], *, progress: Progress = _silent
) -> Comparison:
    """The default programme of two countries, each studied on its own, side by side.

    first, second: countries that ship, or folders of tables; the same twice gives equal columns.
    progress: called with the step's name and the share of the work done, 0 to 1.

    Raises whatever `study.run` raises. The tables of both are read before either is cleared.
    """
    names = [load_country(given).name for given in (first, second)]

    def half(place: int) -> Progress:
        return lambda step, share: progress(f"{names[place]}: {step}", (place + share) / 2)

    return compare_studies(run(first, progress=half(0)), run(second, progress=half(1)))


def compare_studies(first: Study, second: Study) -> Comparison:
    """Two studies side by side."""
    pair = (first, second)
    facts = [facts_of(study) for study in pair]
    summaries = [study.summary for study in pair]
    document = {
        "schema_version": 1,
        "penstock_version": __version__,
        "countries": [_country(summary) for summary in summaries],
        "rows": [_row(line, facts) for line in lines()],
        "by_fuel": list(_by_fuel(pair)),
        "by_month": [_month(month, facts) for month in range(1, 13)],
        "gains": list(_gains(facts)),
        "guardrails": list(_guardrails(summaries)),
        "verdicts": [(summary["guardrails"] or {}).get("verdict") for summary in summaries],
        "validation": [_validation(summary) for summary in summaries],
        "not_comparable": list(_not_comparable(facts)),
        "sources": [
            {"country": summary["country"]["id"]} | source
            for summary in summaries
            for source in summary["sources"]
        ],
    }
    return Comparison(pair, document)


def _country(summary: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "name", "iso3", "currency", "currency_per_usd", "content_hash")
    return {key: summary["country"][key] for key in keys} | {
        "year": summary["year"],
        "network_year": summary["loads"]["network"]["year"],
        "borrowed": [row["item"] for row in summary["borrowed"]],
    }


def _row(line: Line, facts: Sequence[Facts]) -> dict[str, Any]:
    values = [line.read(found) for found in facts]
    return {
        "key": line.key,
        "group": line.group,
        "title": line.title,
        "unit": line.unit,
        "values": values,
        "ratio": _ratio(values),
    }


def _ratio(values: Sequence[float | None]) -> float | None:
    """The second over the first; None where either is missing, or they are not both above 0."""
    first, second = values
    if first is None or second is None or first <= 0.0 or second <= 0.0:
        return None
    return second / first


def _by_fuel(pair: Sequence[Study]) -> Iterator[dict[str, Any]]:
    """Generation by fuel as a share of each country's whole, and what the programme adds to it."""
    sides = [study.summary["base"]["generation_gwh_by_fuel"] for study in pair]
    changes = [study.summary["change"]["generation_gwh_by_fuel"] for study in pair]
    names = {row["fuel"]: row["name"] for study in pair for row in study.country.table("fuels")}
    abroad = [_fuels_abroad(study) for study in pair]
    whole = [
        sum(gwh for fuel, gwh in side.items() if fuel not in out)
        for side, out in zip(sides, abroad, strict=True)
    ]
    for fuel in dict.fromkeys(fuel for side in sides for fuel in side):
        own = [fuel in side and fuel not in out for side, out in zip(sides, abroad, strict=True)]
        if any(own):
            yield {
                "fuel": fuel,
                "name": names[fuel],
                "gwh": [side[fuel] if there else None for side, there in zip(sides, own, strict=True)],
                "shares": [
                    over(side[fuel], total) if there else None
                    for side, total, there in zip(sides, whole, own, strict=True)
                ],
                "change_gwh": [
                    change[fuel] if there else None for change, there in zip(changes, own, strict=True)
                ],
            }


def _fuels_abroad(study: Study) -> set[str]:
    """Fuels that no plant of the country's own zones burns: what stands for neighbours."""
    home = home_plants(study.country)
    plants = study.country.table("plants").column("fuel")
    return set(plants) - {fuel for fuel, own in zip(plants, home, strict=True) if own}


def _month(month: int, facts: Sequence[Facts]) -> dict[str, Any]:
    prices, means = [], []
    for found in facts:
        hours = found.study
        chosen = _in_month(hours, month)
        zones = hours.country.home_zones
        price = hours.hourly[[f"base.price_usd_per_mwh.{zone}" for zone in zones]].to_numpy(dtype=float)
        load = hours.hourly[[f"base.demand_mw.{zone}" for zone in zones]].to_numpy(dtype=float)
        prices.append(float((price * load)[chosen].sum() / load[chosen].sum()))
        means.append(float(found.load[chosen].mean()))
    surplus = [found.summary["surplus"]["by_month"][month - 1] for found in facts]
    return {
        "month": month,
        "price_usd_per_mwh": prices,
        "mean_load_mw": means,
        "surplus_mean_mw": [row["mean_mw"] for row in surplus],
        "surplus_minimum_mw": [row["minimum_mw"] for row in surplus],
    }


def _in_month(study: Study, month: int) -> Any:
    local = pd.to_datetime(study.hourly["hour_utc"]) + pd.Timedelta(hours=study.country.utc_offset_hours)
    return (local.dt.month == month).to_numpy()


def _gains(facts: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    """What each group of parties pays more, in USD and per person; negative gains."""
    for rule in RULES:
        sides = [found.summary["incidence"][rule]["by_group"] for found in facts]
        for group in dict.fromkeys(group for side in sides for group in side):
            values = [side.get(group) for side in sides]
            yield {
                "rule": rule,
                "group": group,
                "change_usd": values,
                "per_person_usd": [
                    over(value, found.value("population")) for value, found in zip(values, facts, strict=True)
                ],
                "of_gdp": [
                    over(value, found.value("gdp_usd")) for value, found in zip(values, facts, strict=True)
                ],
            }


def _guardrails(summaries: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Clause beside clause by id, those of the first country in its order, then what the second adds."""
    found = [
        {row["id"]: row for row in (summary["guardrails"] or {}).get("findings", ())} for summary in summaries
    ]
    for clause in dict.fromkeys(clause for side in found for clause in side):
        sides = [side.get(clause) for side in found]
        first = next(side for side in sides if side is not None)

        def each(key: str, sides: Sequence[Mapping[str, Any] | None] = tuple(sides)) -> Pair:
            return [None if side is None else side[key] for side in sides]

        yield {
            "id": clause,
            "title": first["title"],
            "metrics": each("metric"),
            "statuses": [ABSENT if side is None else side["status"] for side in sides],
            "binding": each("binding"),
            "values": each("value"),
            "limits": each("limit"),
            "margins": each("margin"),
            "units": each("unit"),
            "places": each("place"),
        }


def _validation(summary: Mapping[str, Any]) -> dict[str, Any]:
    """How a country's year compares with what was published: counts, and every figure that misses."""
    figures = summary["validation"]["figures"]
    judged = [row for row in figures if row["within"] is not None]
    fuels = [row for row in summary["validation"]["fuels"] if row["within"] is not None]
    return {
        "country": summary["country"]["id"],
        "figures": len(judged),
        "figures_within": sum(row["within"] for row in judged),
        "fuels": len(fuels),
        "fuels_within": sum(row["within"] for row in fuels),
        "missed": [
            {key: row[key] for key in ("name", "model", "published", "unit", "note")}
            for row in judged
            if not row["within"]
        ]
        + [
            {
                "name": f"{row['name']} ({row['pool']})",
                "model": row["model_gwh"],
                "published": row["published_gwh"],
                "unit": "GWh",
                "note": None,
            }
            for row in fuels
            if not row["within"]
        ],
    }


def _not_comparable(facts: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    """Where two figures do not mean the same, each with what differs; nothing where nothing differs."""
    countries = [found.study.country for found in facts]
    summaries = [found.summary for found in facts]
    for topic, values, why in (
        (
            "year",
            [country.year for country in countries],
            "Fuel prices, hashprice and weather are those of different years.",
        ),
        (
            "network_year",
            [summary["loads"]["network"]["year"] for summary in summaries],
            "Miners earned another hashprice.",
        ),
        (
            "currency",
            [country.currency for country in countries],
            "Money is in USD at each country's own rate, not at what it buys there.",
        ),
        (
            "service",
            ["firm" if summary["programme"]["firm"] else "interruptible" for summary in summaries],
            "Firm: served like any demand. Interruptible: only where its bid covers the price.",
        ),
        (
            "mining_share",
            [summary["programme"]["mining_share"] for summary in summaries],
            "Mining and AI are worth different sums per MWh.",
        ),
        (
            "capacity_payments",
            ["yes" if len(country.table("capacity_payments")) else "no" for country in countries],
            "Where there are none in the tables, the mean cost of supply is that of energy alone.",
        ),
        (
            "neighbours",
            ["yes" if len(country.zones) > len(country.home_zones) else "no" for country in countries],
            "Where neighbours are part of the market, part of the programme's energy may come from abroad.",
        ),
        (
            "contracts",
            ["yes" if len(country.table("contracts")) else "no" for country in countries],
            "Energy that must be bought moves the price away from the merit order.",
        ),
        (
            "guardrails",
            ["none" if summary["guardrails"] is None else "judged" for summary in summaries],
            "Without a policy nothing is judged.",
        ),
    ):
        if values[0] != values[1]:
            yield {"topic": topic, "values": values, "why": why}
