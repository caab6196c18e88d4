"""The result in plain sentences, and the key figures beside it. The unwelcome result is said as plainly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .formats import as_number, decimals_for, millions, number, percent, signed, size_text
from .miners import own_effect_sentence
from .running import left_sentence

__all__ = ["KeyFigure", "headline", "key_figures", "programme_name", "proof", "remarks"]

RULES = {"pooled": "pooled billing", "marginal": "marginal pricing"}
GROUPS = {
    "consumers": "consumers",
    "plants": "power plants",
    "programme": "the programme",
    "state": "the state",
}
# Gaps at or below each are called so; what is above all is shown in whole percent.
NEAR = (
    (1e-9, "a billionth"),
    (1e-6, "a millionth"),
    (1e-5, "0.001%"),
    (1e-4, "0.01%"),
    (1e-3, "0.1%"),
    (1e-2, "1%"),
)
# Below these the reader would see a zero.
NO_CHANGE_PER_KWH = 0.0005
NO_CHANGE_USD = 50_000.0
NO_CHANGE_GWH = 0.05


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure of the first screen, each text with its sign and separators, `unit` for all three."""

    name: str
    unit: str
    without: str
    with_programme: str
    change: str


def programme_name(programme: dict[str, Any]) -> str:
    """What the megawatts are used for, from the share of mining. [share of 1]"""
    share = as_number(programme.get("mining_share"))
    if share is None or 0.0 < share < 1.0:
        return "Bitcoin mining and AI computing"
    return "Bitcoin mining" if share >= 1.0 else "AI computing"


def _consumers(change: Any, currency: str) -> str:
    found = as_number(change)
    if found is None or abs(found) < NO_CHANGE_PER_KWH:
        return f"consumers' bills change by less than 0.001 {currency}/kWh"
    way = "less" if found < 0 else "more"
    return f"consumers pay {number(abs(found), 3 if abs(found) < 0.1 else 2)} {currency}/kWh {way}"


def headline(summary: dict[str, Any]) -> str:
    """The result in one sentence: energy, tariff, what generating it costs, and what consumers then pay."""
    programme, currency = summary["programme"], summary["country"]["currency"]
    size = f"{size_text(programme['mw'])} MW of {programme_name(programme)}"
    energy = as_number(programme["energy_gwh"])
    if not as_number(programme["mw"]):
        return f"{size} would draw no energy in {summary['year']}: the programme has no power."
    if not energy or energy <= 0:
        return f"{size} would draw no energy in {summary['year']}: no hour is worth its price to the buyers."
    text = (
        f"{size} would draw {_energy(energy)} a year "
        f"at {number(programme['tariff_per_kwh'], 2)} {currency}/kWh "
        f"({number(programme['tariff_usd_per_mwh'], 1)} USD/MWh)"
    )
    cost = as_number(summary["change"].get("cost_per_programme_mwh"))
    if cost is not None:
        # A cost above what is paid for it must not read like the ordinary case.
        paid = as_number(programme["tariff_usd_per_mwh"])
        more = ", more than it pays" if paid is not None and cost > paid else ""
        text += f"; generating it costs {number(cost, 1)} USD/MWh{more}"
    incidence = summary["incidence"]
    pooled = _consumers(incidence["pooled"]["consumer_change_per_kwh"], currency)
    marginal = _consumers(incidence["marginal"]["consumer_change_per_kwh"], currency)
    # The two rules can point in opposite ways: neither may stand alone.
    if pooled == marginal:
        return f"{text}; {pooled} under pooled billing as under hourly prices."
    return f"{text}; {pooled} under pooled billing, but {marginal} if every hour were sold at its price."


def _energy(gwh: float) -> str:
    return f"{size_text(gwh)} GWh" if gwh < 100.0 else f"{number(gwh / 1000, 2)} TWh"


def _groups(by_group: dict[str, Any], gaining: bool) -> str:
    found = [
        (value, GROUPS.get(group, group))
        for group, value in ((group, as_number(usd)) for group, usd in by_group.items())
        if value is not None and abs(value) >= NO_CHANGE_USD and (value < 0) == gaining
    ]
    named = [
        f"{name} ({millions(abs(value))} million USD)"
        for value, name in sorted(found, key=lambda f: -abs(f[0]))
    ]
    return ", ".join(named) if named else "nobody"


def _full_cost(summary: dict[str, Any]) -> list[str]:
    """The tariff beside the full cost of supply, as the model bills it and as the regulator published it."""
    rows = [row for row in summary["validation"]["figures"] if row["figure"] == "purchase_price"]
    tariff, currency = as_number(summary["programme"].get("tariff_per_kwh")), summary["country"]["currency"]
    model = as_number(rows[0].get("model")) if rows else None
    published = as_number(rows[0].get("published")) if rows else None
    if tariff is None or model is None or published is None:
        return []
    place = (
        "covers neither"
        if tariff < min(model, published)
        else "covers both"
        if tariff >= max(model, published)
        else "lies between the two"
    )
    own = number(summary["base"].get("pooled_cost_usd_per_mwh"), 2)
    return [
        f"With capacity payments and at the billed costs of fuel, supply costs {number(model, 1)} "
        f"{currency}/kWh in the model and {number(published, 1)} {currency}/kWh as published; the tariff of "
        f"{number(tariff, 2)} {place}. The pooled cost of supply below, {own} USD/MWh without the programme, "
        "takes the generating costs of the model's plants instead."
    ]


def remarks(summary: dict[str, Any]) -> list[str]:
    """Short sentences under the headline: who gains, who pays, what else changes."""
    change, incidence = summary["change"], summary["incidence"]
    currency = summary["country"]["currency"]
    found = [
        f"Under {name}, {_consumers(incidence[rule]['consumer_change_per_kwh'], currency)}. "
        f"Those who gain: {_groups(incidence[rule]['by_group'], True)}. "
        f"Those who pay: {_groups(incidence[rule]['by_group'], False)}."
        for rule, name in RULES.items()
    ]
    found += _full_cost(summary)
    cost = as_number(change.get("cost_usd"))
    if cost is not None:
        way = "more" if cost >= 0 else "less"
        text = f"The power system spends {millions(abs(cost))} million USD {way} a year"
        imports = as_number(change.get("fuel_imports_usd"))
        if imports is not None:
            text += f"; imported fuel changes by {_signed_millions(imports)} million USD"
        emissions = as_number(change.get("emissions_t"))
        if emissions is not None:
            decimals = decimals_for([emissions / 1e6], 2, 2)
            text += f" and emissions by {signed(emissions / 1e6, decimals)} million t CO₂"
        found.append(text + ".")
    unserved = as_number(change.get("unserved_gwh"))
    if unserved is not None and unserved > NO_CHANGE_GWH:
        found.append(f"It leaves {number(unserved, 1)} GWh more of other demand unserved.")
    programme = summary["programme"]
    served = as_number(programme.get("served_share"))
    if served is not None and served < 0.995 and as_number(programme["mw"]):
        why = left_sentence(summary)
        found.append(
            f"The programme runs at {percent(served)} of its full load." + (f" {why}" if why else "")
        )
    if as_number(programme["mw"]) and as_number(programme.get("mining_share")):
        found.append(own_effect_sentence(summary))
    return [*_unsettled(summary), *found]


def _unsettled(summary: dict[str, Any]) -> list[str]:
    """Said before all else where market, contracts and Bitcoin network did not come to rest."""
    network = summary["loads"]["network"]
    if network["settled"]:
        return []
    return [
        f"Not settled: after {network['rounds']} rounds the miners that ran are still "
        f"{percent(network['moved'], 4)} of the network away from those that would come, or a contract is "
        "not kept. Read all figures as approximate."
    ]


def _near(gap: Any) -> str:
    """A gap in words, never less than it is."""
    found = float(gap)
    return next((words for limit, words in NEAR if found <= limit), f"{number(math.ceil(found * 100))}%")


def proof(summary: dict[str, Any]) -> str:
    """How near the best the two clearings are proved to be, in one sentence."""
    gaps = [summary["clearing"][side]["gap"] for side in ("base", "with_programme")]
    if any(as_number(gap) is None for gap in gaps):
        return "How near the cost of these years is to the least that is possible is not known."
    base, other = (_near(gap) for gap in gaps)
    least = "above the least that is possible"
    if base == other:
        return f"An independent check proves that the cost of neither year is more than {base} {least}."
    return (
        f"An independent check proves that the cost of the year without the programme is at most {base} "
        f"{least}, that of the year with it at most {other}."
    )


def _signed_millions(usd: float) -> str:
    return signed(usd / 1e6, 1)


# Name, unit, key in a side of the summary, unit divisor for display, decimals.
FIGURES: Sequence[tuple[str, str, str, float, int]] = (
    ("System cost", "million USD", "cost_usd", 1e6, 1),
    ("Pooled cost of supply", "USD/MWh", "pooled_cost_usd_per_mwh", 1.0, 2),
    ("Mean marginal price", "USD/MWh", "price_usd_per_mwh_mean", 1.0, 2),
    ("Imported fuel", "million USD", "fuel_imports_usd", 1e6, 1),
    ("Emissions", "million t CO₂", "emissions_t", 1e6, 2),
    ("Demand not served", "GWh", "unserved_gwh", 1.0, 1),
)


def key_figures(summary: dict[str, Any]) -> list[KeyFigure]:
    """The figures of the first screen: without the programme, with it, and the change."""
    base, with_programme, change = summary["base"], summary["with_programme"], summary["change"]

    def shown(side: dict[str, Any], key: str, divisor: float) -> float | None:
        value = as_number(side.get(key))
        return None if value is None else value / divisor

    found = [
        KeyFigure(
            name,
            unit,
            number(shown(base, key, divisor), decimals),
            number(shown(with_programme, key, divisor), decimals),
            signed(shown(change, key, divisor), decimals),
        )
        for name, unit, key, divisor, decimals in FIGURES
    ]
    currency = f"{summary['country']['currency']}/kWh"
    found.insert(
        2,
        KeyFigure(
            "Capacity payment per unit",
            currency,
            number(base.get("capacity_payment_per_kwh"), 2),
            number(with_programme.get("capacity_payment_per_kwh"), 2),
            signed(change.get("capacity_payment_per_kwh"), 2),
        ),
    )
    return found
