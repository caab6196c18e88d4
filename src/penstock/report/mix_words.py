"""What the frontier of mixes says, in plain sentences; the unwelcome result is said as plainly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .formats import millions, number

__all__ = ["full_mixes", "mix_headline", "mix_name", "mix_remarks"]

Point = dict[str, Any]

# Below these the reader would see a zero.
NO_CHANGE_PER_KWH = 0.005
NO_CHANGE_GWH = 0.05
NO_CHANGE_USD = 50_000.0


def mix_name(point: Point) -> str:
    """A mix in words. [MW]"""
    mining, ai = point["mining_mw"], point["ai_mw"]
    if mining == 0.0 and ai == 0.0:
        return "nothing"
    if ai == 0.0:
        return f"{number(mining)} MW of mining"
    if mining == 0.0:
        return f"{number(ai)} MW of AI"
    return f"{number(mining)} MW of mining and {number(ai)} MW of AI"


def full_mixes(document: dict[str, Any]) -> list[Point]:
    """The mixes that use all the power, from all AI to all mining."""
    whole = document["programme"]["mw"]
    return [row for row in document["points"] if abs(row["mining_mw"] + row["ai_mw"] - whole) <= 1e-6 * whole]


def _range(values: Iterable[float], shown: Callable[[float], str]) -> str:
    """Least and greatest of some values, said once where they look the same."""
    found = sorted(values)
    low, high = shown(found[0]), shown(found[-1])
    return low if low == high else f"{low} to {high}"


def _consumers(points: list[Point], rule: str, currency: str) -> str:
    values = [row[f"consumer_change_{rule}_per_kwh"] for row in points]
    if max(abs(value) for value in values) < NO_CHANGE_PER_KWH:
        return "consumers' bills do not change"
    if max(values) <= 0.0 or min(values) >= 0.0:
        size = _range((abs(value) for value in values), lambda value: number(value, 2))
        return f"consumers pay {size} {currency}/kWh {'less' if max(values) <= 0.0 else 'more'}"
    return (
        f"consumers pay from {number(-min(values), 2)} {currency}/kWh less to {number(max(values), 2)} more"
    )


def mix_headline(document: dict[str, Any]) -> str:
    """The finding in one sentence: what all the power does to bills, whatever the split."""
    points, currency = full_mixes(document), document["country"]["currency"]
    pooled, marginal = (_consumers(points, rule, currency) for rule in ("pooled", "marginal"))
    size, tariff = document["programme"]["mw"], document["programme"]["tariff_per_kwh"]
    text = (
        f"With {number(size)} MW of mining and AI at {number(tariff, 2)} {currency}/kWh, "
        f"whatever the split, {pooled} under pooled billing"
    )
    if pooled == marginal:
        return f"{text} as under hourly prices."
    return f"{text}, but {marginal} if every hour were sold at its price."


def mix_remarks(document: dict[str, Any]) -> list[str]:
    """Short sentences under the headline: what is efficient, what is best by what, and what it rests on."""
    found = [_split(document), _efficient(document), _best(document), _interrupted(document)]
    found += [_jobs(document), _hashprice(document), _margin(document), _unsettled(document)]
    return [sentence for sentence in found if sentence]


def _split(document: dict[str, Any]) -> str:
    """The size against the split, by what consumers pay."""
    points = full_mixes(document)
    values = [row["consumer_change_pooled_usd"] for row in points]
    income = _range((row["income_usd"] for row in points), millions)
    imports = _range((row["fuel_imports_change_usd"] for row in points), millions)
    spread, size = max(values) - min(values), max(abs(value) for value in values)
    if size < NO_CHANGE_USD:
        return ""
    verdict = (
        "The size decides, hardly the split: "
        if spread < 0.1 * size
        else "The split matters beside the size: "
    )
    return (
        f"{verdict}from all AI to all mining the consumers' change moves by {millions(spread)} of up to "
        f"{millions(size)} million USD a year under pooled billing. The seller earns {income} million USD; "
        f"fuel imports change by {imports} million USD."
    )


def _efficient(document: dict[str, Any]) -> str:
    points = document["points"]
    count = sum(row["efficient"] for row in points)
    objectives = len(document["objectives"])
    if count == len(points):
        return (
            f"None of the {count} mixes is beaten by another in all {objectives} objectives, so the model "
            "does not choose one: the weights are yours."
        )
    return (
        f"{count} of the {len(points)} mixes are efficient; each of the others is in none of the "
        f"{objectives} objectives better than one of them, and in some worse."
    )


def _best(document: dict[str, Any]) -> str:
    verbs = {
        "consumer_change_pooled_usd": "Consumers gain most under pooled billing with",
        "income_usd": "the seller earns most with",
        "jobs": "there are most jobs with",
        "fuel_imports_usd": "fuel imports are least with",
        "unserved_gwh": "unserved demand is least with",
    }
    said = []
    for row in document["best"]:
        if row["equals"] == len(document["points"]) - 1:
            continue
        verb = verbs[row["objective"]]
        if row["objective"] == "consumer_change_pooled_usd" and row["value"] > 0.0:
            verb = "Consumers pay least under pooled billing with"
        said.append(f"{verb} {mix_name(row)}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _interrupted(document: dict[str, Any]) -> str:
    points = document["points"]
    most = max(points, key=lambda row: row["interrupted_gwh"])
    left = max(points, key=lambda row: row["left_gwh"])
    if most["interrupted_gwh"] < NO_CHANGE_GWH:
        text = "The operator interrupts nobody in any mix"
    else:
        text = (
            f"The operator interrupts up to {number(most['interrupted_gwh'], 1)} GWh a year "
            f"({mix_name(most)})"
        )
    if left["left_gwh"] < NO_CHANGE_GWH:
        return f"{text}; no load stays away at this tariff."
    return (
        f"{text}; loads stay away by themselves for up to {number(left['left_gwh'])} GWh ({mix_name(left)}), "
        "as a MWh is worth less to them than the tariff."
    )


def _jobs(document: dict[str, Any]) -> str:
    ai, mining = full_mixes(document)[0], full_mixes(document)[-1]
    said = [
        f"{number(row['jobs'])} ({number(row['jobs_low'])} to {number(row['jobs_high'])})"
        for row in (ai, mining)
    ]
    text = f"Permanent jobs: {said[0]} with all AI, {said[1]} with all mining"
    if ai["jobs_low"] <= mining["jobs_high"] and mining["jobs_low"] <= ai["jobs_high"]:
        text += ". The ranges overlap: which of the two employs more is not known"
    return f"{text}. Jobs are counted for the MW offered, whether or not they run."


def _hashprice(document: dict[str, Any]) -> str:
    before = document["base"]["hashprice_usd_per_ph_day"]
    after = full_mixes(document)[-1]["hashprice_usd_per_ph_day"]
    if after >= before:
        return ""
    return (
        f"All mining would lower the hashprice, the income of all miners, from {number(before, 1)} to "
        f"{number(after, 1)} USD/(PH/s·day), mean of {document['network_year']}."
    )


def _margin(document: dict[str, Any]) -> str:
    ai, mining = full_mixes(document)[0], full_mixes(document)[-1]
    return (
        f"Before machines and buildings are paid, the loads keep {millions(ai['margin_usd'], 0)} million USD "
        f"a year with all AI and {millions(mining['margin_usd'], 0)} with all mining; that does not say "
        "whether they come."
    )


def _unsettled(document: dict[str, Any]) -> str:
    count = sum(not row["settled"] for row in document["points"])
    return (
        f"In {count} mixes the market and the Bitcoin network did not settle; read them with care."
        if count
        else ""
    )
