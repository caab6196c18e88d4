"""What happens to a number that moves to another country: its money, and its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from penstock.country import Country
from penstock.country.faults import choices_hint, shown
from penstock.errors import Fault, InputError

__all__ = ["SCALES", "Scaling", "carried_unit", "is_size", "money_rate", "scaling_between"]

#: Parameter of both countries by whose ratio a size is scaled; None: it is taken as it stands.
SCALES: Mapping[str, str | None] = MappingProxyType(
    {"none": None, "gdp": "gdp_usd", "population": "population", "fx_reserves": "fx_reserves_usd"}
)
# What grows with a country. A price, a share or an hour does not.
_SIZES = frozenset(("MW", "GW", "kW", "MWh", "GWh", "TWh", "kWh", "Mt", "t", "BTC", "persons"))
_PERIODS = ("/year", "/month", "/day")
_MULTIPLES = ("M ", "bn ")


@dataclass(frozen=True, slots=True)
class Scaling:
    """By which ratio sizes are scaled. factor: the borrower's value over the lender's. [1]"""

    name: str
    factor: float
    words: str


def scaling_between(origin: Country, target: Country, name: str) -> Scaling:
    """The scaling of a name in `SCALES`.

    Raises InputError where there is no such scaling, or a country lacks the parameter or has zero for it.
    """
    if name not in SCALES:
        problem = "there is no such scaling"
        raise InputError(Fault("--scale", problem, choices_hint(name, SCALES, "scaling"), value=shown(name)))
    parameter = SCALES[name]
    if parameter is None:
        return Scaling(name, 1.0, "Not scaled.")
    values, faults = [], []
    for country in (origin, target):
        value = country.parameter_or(parameter, 0.0)
        if value <= 0.0:
            problem = f"{country.name} has no {parameter} above 0 to scale by"
            mend = f"add the row {parameter} to its parameters.csv, or take --scale none"
            faults.append(Fault("--scale", problem, mend, value=name))
        values.append(value)
    if faults:
        raise InputError(faults)
    factor = values[1] / values[0]
    return Scaling(
        name, factor, f"Sizes times {factor:.6g}: {parameter} of {target.name} over that of {origin.name}."
    )


def is_size(unit: str, *currencies: str) -> bool:
    """Whether a number in this unit grows with a country: power, energy, coins, people, sums of money."""
    plain = unit
    for period in _PERIODS:
        plain = plain.removesuffix(period)
    for multiple in _MULTIPLES:
        plain = plain.removeprefix(multiple)
    return plain in _SIZES or plain in {"USD", *currencies}


def money_rate(name: str, unit: str, origin: Country, target: Country) -> float:
    """By what a number is multiplied so that its money is the other country's. [1]

    A parameter whose name holds "usd" is in USD in every country and stays so.
    """
    if "usd" in name.split("_") or origin.currency not in _words(unit):
        return 1.0
    rate = target.usd_rate / origin.usd_rate
    return rate if origin.currency in _words(unit.partition("/")[0]) else 1.0 / rate


def carried_unit(name: str, unit: str, origin: Country, target: Country) -> str:
    """The unit with the other country's money in it, where `money_rate` converts."""
    if "usd" in name.split("_"):
        return unit
    return "/".join(
        " ".join(target.currency if word == origin.currency else word for word in part.split(" "))
        for part in unit.split("/")
    )


def _words(unit: str) -> list[str]:
    return unit.replace("/", " ").split()
