"""A design under other assumptions: does it still pass, what binds, and what does the tariff have to be?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from penstock.bitcoin.history import YearOfNetwork, monthly
from penstock.country import Country, Table
from penstock.market.from_country import build_system
from penstock.programme import Programme, network_of
from penstock.study.prepared import Prepared, prepare
from penstock.study.stress import stressed

from .trials import Trial, Trials, make_trials

__all__ = ["Sensitivity", "sensitivities"]

#: How far each is moved. [1]
HASHPRICE, FUEL, CAPACITY = 0.3, 0.2, 0.1

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """The same programme under one other assumption. key: of the case."""

    key: str
    title: str
    trial: Trial


def _silent(step: str, fraction: float) -> None:
    """No progress shown."""


def sensitivities(
    trials: Trials, programme: Programme, *, progress: Progress = _silent
) -> tuple[Sensitivity, ...]:
    """The programme in every case, one assumption moved at a time.

    The hashprice by 30 % either way, the cost of imported fuel by 20 %, capacity payments by 10 %, every
    take-or-pay contract at the low end of its range, and the country's stress years.
    """
    cases = list(_cases(trials.prepared))
    rows = []
    for number, (key, title, make) in enumerate(cases):
        progress(f"Sensitivity: {title}", number / len(cases))
        there = make_trials(make(), trials.policy, trials.as_of, years=trials.years, seed=trials.seed)
        rows.append(Sensitivity(key, title, there.programme(programme)))
    progress("Sensitivity: done", 1.0)
    return tuple(rows)


def _cases(prepared: Prepared) -> Iterator[tuple[str, str, Callable[[], Prepared]]]:
    country = prepared.country
    for sign, word in ((-1.0, "lower"), (1.0, "higher")):
        name = "low" if sign < 0 else "high"
        yield (
            f"hashprice_{name}",
            f"Hashprice {HASHPRICE:.0%} {word}",
            partial(_with_hashprice, prepared, 1.0 + sign * HASHPRICE),
        )
        yield (
            f"fuel_{name}",
            f"Imported fuel {FUEL:.0%} {'cheaper' if sign < 0 else 'dearer'}",
            partial(_again, prepared, partial(_with_fuel, country, 1.0 + sign * FUEL)),
        )
        if len(country.table("capacity_payments")):
            yield (
                f"capacity_{name}",
                f"Capacity payments {CAPACITY:.0%} {word}",
                partial(_again, prepared, partial(_with_capacity, country, 1.0 + sign * CAPACITY)),
            )
    low = {
        row["contract"]: row["low"]
        for row in country.table("contracts")
        if row["kind"] == "take_or_pay" and None not in (row["minimum_share"], row["low"])
    }
    if low:
        yield (
            "low_take_or_pay",
            "Take-or-pay at the low end",
            lambda: replace(prepared, system=build_system(country, prepared.hours, minimum_shares=low)),
        )
    for name in dict.fromkeys(country.table("stress_years").column("stress")):
        title = next(row["name"] for row in country.table("stress_years").where(stress=name))
        yield f"stress_{name}", title, partial(stressed, prepared, name)


def _again(prepared: Prepared, change: Callable[[], Country]) -> Prepared:
    """The same year from other tables. The network stays."""
    return replace(prepare(change(), _months(prepared)), network=prepared.network)


def _months(prepared: Prepared) -> YearOfNetwork:
    return monthly(prepared.network.year)


def _with_hashprice(prepared: Prepared, factor: float) -> Prepared:
    months = _months(prepared)
    other = replace(
        months,
        revenue_usd_per_day=months.revenue_usd_per_day * factor,
        hashprice_usd_per_ph_day=months.hashprice_usd_per_ph_day * factor,
    )
    return replace(prepared, network=network_of(other))


def _with_fuel(country: Country, factor: float) -> Country:
    """The fuel cost of plants that burn imported fuel, by the imported share of it."""
    imported = {row["fuel"]: row["imported_share"] for row in country.table("fuels")}
    return _changed(
        country,
        "plants",
        lambda row: {
            "fuel_cost_per_kwh": row["fuel_cost_per_kwh"] * (1.0 + (factor - 1.0) * imported[row["fuel"]])
        },
    )


def _with_capacity(country: Country, factor: float) -> Country:
    return _changed(country, "capacity_payments", lambda row: {"amount_bn": row["amount_bn"] * factor})


def _changed(country: Country, name: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Country:
    table = country.table(name)
    rows = tuple(MappingProxyType({**row, **change(row)}) for row in table)
    tables = dict(country.tables) | {name: Table(table.name, table.columns, rows)}
    return replace(country, tables=MappingProxyType(tables))
