"""Names and numbers of the proofs as they are read: guardrails, metrics, bases, places, money, power."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from penstock.policy import METRICS

from .formats import ABSENT, MONTHS, as_number, millions, number, signed, size_text, value_text

__all__ = [
    "BASES",
    "BUDGET",
    "LOADS",
    "METRIC_NAMES",
    "TOGETHER",
    "amount_text",
    "and_list",
    "clause_name",
    "clause_names",
    "counted",
    "date_text",
    "deciding",
    "design_name",
    "failing",
    "limit_side",
    "long_day",
    "millions_text",
    "place_name",
    "price",
    "price_key",
    "priced",
    "sites_text",
    "size_text",
    "split_name",
    "usd_text",
    "whole_share",
]

Document = Mapping[str, Any]

#: What a tariff may be asked to recover.
BASES = {
    "marginal": "what the programme causes",
    "full_per_kwh": "full cost, capacity by energy",
    "full_per_kw": "full cost, capacity by peak power",
}
LOADS = {"mining": "miners", "ai": "AI centres"}
TOGETHER = "together"
#: Key of a load's own limit of interruption, which is no clause of a policy.
BUDGET = "interruption"
METRIC_NAMES = {
    "unrecovered_cost_year": "cost caused less payment, over the year, per kWh taken",
    "unrecovered_cost_month": "cost caused less payment, in a month, per kWh taken",
    "unrecovered_cost_hour": "cost caused less payment, in an hour, per kWh taken",
    "full_cost_shortfall_per_kwh": "full cost (capacity payments by energy) less payment, per kWh taken",
    "full_cost_shortfall_per_kw": "full cost (capacity payments by peak power) less payment, per kWh taken",
    "consumer_change_pooled": "what a class of consumers pays more under pooled billing",
    "consumer_change_marginal": "what a class of consumers pays more if billed at the zone's price",
    "price_change": "change of a zone's mean price",
    "unserved_change": "change of a zone's demand not served",
    "lole_change": "change of the hours a year in which a zone is expected to be short",
    "eue_change": "change of the energy a year of which a zone is expected to be short",
    "lole": "hours a year in which a zone is expected to be short",
    "fuel_imports_change": "change of fuel imports",
    "fuel_imports_change_share": "change of fuel imports, as a share of those without the programme",
    "fuel_imports_per_payment": "foreign currency for added fuel, over what the programme pays",
    "package_consumption": "yearly energy of the consumers whom the tariff package is for",
    "interrupted_share": "energy interrupted, as a share of what came under a contract",
    "emissions_change": "change of CO₂ emissions",
    "public_bitcoin_change": "change of the public sector's bitcoin over the year",
    "acceptance_mandatory": "whether somebody must accept bitcoin by law (1: yes, 0: no)",
    "reserve_exposure_share": "public bitcoin, as a share of foreign exchange reserves",
}
#: Currencies of which fewer than this make a dollar are shown with four decimals. [currency/USD]
_SMALL_UNITS = 10.0
#: Below this a price is the noise of the arithmetic. [currency/kWh]
_NOISE = 1e-6


# --- numbers --------------------------------------------------------------------------------------------


def price_key(document: Document) -> str:
    """End of the keys that hold a price, like `pkr_per_kwh`."""
    return f"{document['country']['currency'].lower()}_per_kwh"


def price(document: Document, value: Any, *, sign: bool = False) -> str:
    """A price or its change in the country's currency per kWh, without the unit.

    Two decimals, four where the currency's unit is about a dollar; more where it would look like zero.
    """
    found = as_number(value)
    if found is None:
        return ABSENT
    decimals = 2 if document["country"]["currency_per_usd"] >= _SMALL_UNITS else 4
    shown = signed if sign else number
    while shown(found, decimals) == number(0, decimals) and abs(found) >= _NOISE and decimals < 6:
        decimals += 1
    return shown(found, decimals)


def priced(document: Document, value: Any) -> str:
    """The same with the unit."""
    return f"{price(document, value)} {document['country']['currency']}/kWh"


def usd_text(usd: Any) -> str:
    """Money in million USD, or in USD where that is less than a tenth of a million, with the unit."""
    found = as_number(usd)
    if found is None:
        return ABSENT
    if abs(found) < 1e5:
        return f"{number(found)} USD"
    return f"{millions(found, 1 if abs(found) >= 1e7 else 2)} million USD"


def millions_text(usd: Any) -> str:
    """Money in million USD without the unit: one decimal, more where it is below ten million."""
    found = as_number(usd)
    if found is None:
        return ABSENT
    return millions(found, 1 if abs(found) >= 1e7 else 2 if abs(found) >= 1e6 else 3)


def amount_text(value: Any, unit: str) -> str:
    """A reading, limit or margin with its unit; "1" is not written."""
    found = as_number(value)
    if found is None:
        return ABSENT
    text = value_text(round(found, 6))
    return text if unit == "1" else f"{text} {unit}"


def whole_share(share: Any) -> str:
    """A share as a percentage that never says 0% or 100% of what is not quite."""
    found = as_number(share)
    if found is None:
        return ABSENT
    if 0.0 < found < 0.005:
        return "less than 1%"
    if 0.995 <= found < 1.0:
        return "more than 99%"
    return number(found * 100) + "%"


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things, e.g. "1 guardrail", "3 guardrails"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def date_text(text: str | None) -> str:
    """An ISO date as "1 Nov 2025"; a dash where there is none."""
    if not text:
        return ABSENT
    day = date.fromisoformat(text)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def long_day(text: str) -> str:
    """A day or a month of the network, "2025-12-31" or "2025-12", as words."""
    if len(text) == len("2025-12"):
        return f"{MONTHS[int(text[5:]) - 1]} {text[:4]}"
    return date_text(text)


def and_list(names: Iterable[str]) -> str:
    """Names joined by commas and a last "and"."""
    found = list(names)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1] if found else ""


# --- guardrails -----------------------------------------------------------------------------------------


def clause_names(*documents: Document | None) -> dict[str, str]:
    """Titles of guardrails by id, from the clauses and every list of findings in the documents."""
    found: dict[str, str] = {}
    for document in documents:
        if document is not None:
            found |= document.get("clauses", {})
            for rows in (document.get("guardrails", ()), document.get("proposed", {}).get("guardrails", ())):
                found |= {row["id"]: row["title"] for row in rows}
    return found


def clause_name(ident: str | None, names: Mapping[str, str]) -> str:
    """A guardrail as it is called; its id in words where its title is not known."""
    if ident is None:
        return "nothing"
    if ident == BUDGET and ident not in names:
        return "the limit on cuts"
    words = ident.replace("-", " ").replace("_", " ").strip()
    return names.get(ident) or words[:1].upper() + words[1:]


def deciding(findings: Sequence[Document]) -> list[Document]:
    """Findings on which the verdict hangs: binding and in force."""
    return [row for row in findings if row["binding"] and row["status"] != "not in force"]


def failing(findings: Sequence[Document]) -> list[Document]:
    """Those of them that do not pass."""
    return [row for row in deciding(findings) if row["status"] != "passed"]


def limit_side(row: Document) -> str:
    """Whether a finding's limit is "at most" or "at least"."""
    better = METRICS[row["metric"]].better if row["metric"] in METRICS else "lower"
    if better == "range":  # the one limit of two that was judged
        return "at most" if row["passed"] == (row["value"] <= row["limit"]) else "at least"
    return "at least" if better == "higher" else "at most"


# --- programmes -----------------------------------------------------------------------------------------


def split_name(mining_share: Any) -> str:
    """What a share of mining makes of a programme."""
    found = as_number(mining_share)
    if found is None:
        return "Bitcoin mining and AI"
    if found <= 0.0:
        return "AI"
    if found >= 1.0:
        return "Bitcoin mining"
    return f"Bitcoin mining ({value_text(round(found * 100, 1))}%) and AI"


def place_name(place: str) -> str:
    """A place of a load; all sites together have no name of their own."""
    return "all sites together" if place == TOGETHER else place


def sites_text(sites: Sequence[Document]) -> str:
    """Zones with their shares; one zone alone without."""
    used = [row for row in sites if row["share"] > 0.0]
    if len(used) == 1:
        return str(used[0]["zone"])
    return and_list(f"{row['zone']} ({number(row['share'] * 100)}%)" for row in used)


def design_name(document: Document, design: Document) -> str:
    """A design in words: size, split, places, firmness and tariff."""
    firm = "firm" if design["firm"] else "interruptible"
    return (
        f"{size_text(design['mw'])} MW of {split_name(design['mining_share'])} in "
        f"{sites_text(design['sites'])}, {firm}, at {priced(document, design['tariff_per_kwh'])}"
    )
