"""A country's year made ready to be cleared, and a programme cleared into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penstock.bitcoin.history import YearOfNetwork
from penstock.country import Country
from penstock.country.hours import Hours, build_hours
from penstock.market import System
from penstock.market.from_country import build_system
from penstock.programme import Network, Operation, Programme, network_of, operate, plan_for

__all__ = ["Prepared", "add_programme", "prepare"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A country's year before any programme. network: the Bitcoin network of the year."""

    country: Country
    hours: Hours
    system: System
    network: Network


def prepare(country: Country, network: YearOfNetwork | None = None) -> Prepared:
    """The hours, the system and the Bitcoin network of a country's year.

    network: its months; None for those on record of the country's year.

    Raises InputError where the tables cannot make the hours, or the network's year is not on record.
    """
    hours = build_hours(country)
    months = network_of(country.year if network is None else network)
    return Prepared(country, hours, build_system(country, hours), months)


def add_programme(
    prepared: Prepared, programme: Programme, *, progress: Callable[[int], None] = lambda _: None
) -> Operation:
    """The market with a programme. progress: called with the number of each round of clearing."""
    plan = plan_for(prepared.country, programme, prepared.hours.month, prepared.hours.local_hour)
    return operate(prepared.system, plan, prepared.network, progress=progress)
