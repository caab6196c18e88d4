"""What the proof of a tariff says, in plain sentences; the unwelcome comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .formats import number
from .proof_names import (
    Document,
    and_list,
    clause_name,
    clause_names,
    counted,
    long_day,
    price,
    price_key,
    priced,
    whole_share,
)

__all__ = ["consumer_sentence", "tariff_sentences", "unsettled_sentence"]

#: Tariffs nearer than this, as a share, are the same.
_SAME = 1e-9


def tariff_sentences(document: Document, names: Mapping[str, str] | None = None) -> list[str]:
    """What is proved of the programme's tariff and of those proposed. names: titles of guardrails by id."""
    own = _own(document)
    titles = clause_names(document) | dict(names or {})
    found = [
        *_own_verdict(document, own, titles),
        *_others(document, own),
        *_proposals(document),
        *_windows(document),
        *_investor(document),
        *_finer(document),
        *consumer_sentence(document, own),
        *_forms(document),
        *unsettled_sentence(document["judged"]),
    ]
    return [sentence for sentence in found if sentence]


def _own(document: Document) -> Document | None:
    """The judged row of the programme's own tariff."""
    tariff, key = document["programme"]["tariff_per_kwh"], f"tariff_{price_key(document)}"
    return next(
        (row for row in document["judged"] if abs(row[key] - tariff) <= _SAME * max(tariff, 1.0)), None
    )


def _own_verdict(document: Document, own: Document | None, names: Mapping[str, str]) -> list[str]:
    if own is None:
        return []
    tariff = priced(document, document["programme"]["tariff_per_kwh"])
    if own["verdict"] == "passes":
        said = f"The tariff of {tariff} passes every guardrail that decides."
    elif own["failed"]:
        which = and_list(clause_name(ident, names) for ident in own["failed"])
        said = f"The tariff of {tariff} is refused; it fails: {which}."
    else:
        said = f"The tariff of {tariff} is refused: {own['reason']}"
    return [said, _pays(document, own)]


def _pays(document: Document, own: Document) -> str:
    """What the tariff pays for, with the floors; what it pays for is read at the tariff itself."""
    tariff, needs = document["programme"]["tariff_per_kwh"], own[f"needs_{price_key(document)}"]
    floors = document[f"floor_{price_key(document)}"]
    if not needs:
        return f"At {priced(document, tariff)} no load comes, so nothing is paid and nothing is recovered."
    marginal = _floor(document, floors["marginal"])
    by_energy, by_peak = (_floor(document, floors[basis]) for basis in ("full_per_kwh", "full_per_kw"))
    full = f"({by_energy} per kWh, {by_peak} per kW at the peak)"
    head = f"The tariff of {priced(document, tariff)}"
    if tariff < needs["marginal"]:
        return f"{head} does not even pay for what the programme causes ({marginal}): it is a subsidy."
    if marginal == by_energy == by_peak:
        return (
            f"{head} pays for what the programme causes ({marginal}); capacity payments add nothing to that."
        )
    energy, peak = (tariff >= needs[basis] for basis in ("full_per_kwh", "full_per_kw"))
    caused = f"pays for what the programme causes ({marginal})"
    if energy and peak:
        return f"{head} {caused} and for its part of the capacity payments {full}."
    if energy or peak:
        paid, unpaid = ("by energy", "at the peak") if energy else ("at the peak", "by energy")
        return (
            f"{head} {caused}, and for its part of the capacity payments where they are shared {paid}, not "
            f"where they are shared {unpaid} {full}."
        )
    return f"{head} {caused} but not for its part of the capacity payments {full}."


def _floor(document: Document, floor: Any) -> str:
    return "no tariff does" if floor is None else price(document, floor)


def _others(document: Document, own: Document | None) -> list[str]:
    """The other tariffs that were judged."""
    rows = [row for row in document["judged"] if row is not own]
    if not rows:
        return []
    key = f"tariff_{price_key(document)}"
    named = [
        price(document, row[key]) + (f" ({row['name']})" if row["name"] else "")
        for row in rows
        if row["verdict"] == "passes"
    ]
    others = f"Of the {counted(len(rows), 'other tariff')} that were judged"
    return [f"{others}, none passes." if not named else f"{others}, these pass: {and_list(named)}."]


def _proposals(document: Document) -> list[str]:
    """Said where the tables hold no proposal, so that the programme's own tariff is not taken for one."""
    if any(row["source"] for row in document["judged"]):
        return []
    own = priced(document, document["programme"]["tariff_per_kwh"])
    return [
        f"No tariff that somebody proposed is in the tables: {own} is what the programme is taken to pay."
    ]


def _windows(document: Document) -> list[str]:
    """From the full cost by energy to what each load can pay."""
    unit = price_key(document)
    found = []
    for row in document["windows"]:
        if row["basis"] != "full_per_kwh":
            continue
        floor = row[f"floor_{unit}"]
        low, middle, high = (row[f"{key}_{unit}"] for key in ("ceiling_low", "ceiling", "ceiling_high"))
        if row["load"] == "ai":
            found.append(_ai_window(document, floor, low, high))
        else:
            found.append(_mining_window(document, floor, low, middle))
    return found


def _mining_window(document: Document, floor: float | None, low: float, middle: float) -> str:
    hashprice = document["hashprice_usd_per_ph_day"]
    lowest = (
        f"the hashprice of {long_day(hashprice['low_place'])} ({number(hashprice['low'], 1)} USD/(PH/s·day))"
    )
    mean = f"the year's mean ({number(hashprice['central'], 1)})"
    paid = (price(document, low), price(document, middle))
    can = f"half of the miners' power can pay {paid[0]} at {lowest} and {paid[1]} at {mean}"
    if floor is None:
        return f"No tariff recovers the full cost, so there is no window; {can}."
    text = f"the window between the full cost ({price(document, floor)}) and what miners can pay"
    if middle < floor:
        return f"In {document['country']['currency']}/kWh, {can}: {text} is closed at both."
    if low < floor:
        return (
            f"At {lowest} half of the miners' power can pay {priced(document, low)}: {text} is closed. "
            f"At {mean} they can pay {price(document, middle)} and it is open."
        )
    return f"In {document['country']['currency']}/kWh, {can}: {text} is open at both."


def _ai_window(document: Document, floor: float | None, low: float, high: float) -> str:
    most = f"{price(document, low)} to {priced(document, high)}"
    rent = "that is the gross rent of their machines, not a price that anybody would sign"
    if floor is None:
        return f"AI centres could pay {most} ({rent}), but no tariff recovers the full cost."
    reach = "above" if low >= floor else "not always above" if high >= floor else "below"
    return f"AI centres could pay {most}, {reach} the full cost ({price(document, floor)}); {rent}."


def _investor(document: Document) -> list[str]:
    """What a new mining site can pay, against the floors."""
    if not document["programme"]["mining_share"] > 0.0:
        return []
    unit = price_key(document)
    case, floor = document[f"investor_ceiling_{unit}"], document[f"floor_{unit}"]["marginal"]
    full = document[f"floor_{unit}"]["full_per_kwh"]
    central, best = case["central"], case["high"]
    if central is None:
        more = (
            ""
            if best is None
            else f" At best, with every assumption at its good end, it could pay {priced(document, best)}."
        )
        return [f"Nobody who buys mining machines today earns them back, even with free power.{more}"]
    low = "nothing" if case["low"] is None else price(document, case["low"])
    pays = f"a new site can pay {priced(document, central)} ({low} to {price(document, best)})"
    if floor is not None and central < floor:
        text = f"Nobody who buys machines today can pay even the marginal floor ({price(document, floor)}): "
        text += f"{pays}."
        if best is not None and best >= floor:
            text += " Only with every assumption at its good end could they."
        return [text]
    if full is not None and central < full:
        return [
            "Who buys machines today can pay the marginal floor but not the full cost "
            f"({price(document, full)}): {pays}."
        ]
    return [f"Who buys machines today: {pays}."]


def _finer(document: Document) -> list[str]:
    """The floor where each month or hour has to pay for itself."""
    unit = price_key(document)
    floor, said, shares = document[f"floor_{unit}"]["marginal"], [], []
    for row in document["finer"]:
        each = "month by month" if row["over"] == "month" else "hour by hour"
        worst = row["binding"][0]["place"] if row["binding"] else ""
        said.append(f"{price(document, row[f'tariff_{unit}'])} {each}{f' ({worst})' if worst else ''}")
        share = whole_share(row["share_of_energy_above_floor"])
        shares.append(f"{share} is taken in {'months' if row['over'] == 'month' else 'hours'}")
    if not said:
        return []
    return [
        f"The marginal floor of {priced(document, floor)} hides the seasons: it would be {and_list(said)}. "
        f"Of the energy, {and_list(shares)} that cost more than the year's floor."
    ]


def _bill(document: Document, change: float, verb: str) -> str:
    """What the class that fares worst pays more; all others then pay no more than that."""
    text = price(document, abs(change))
    if text == price(document, 0.0):
        return f"no class of consumers {verb} more"
    if change < 0.0:
        return f"every class of consumers {verb} less, at least {priced(document, -change)}"
    return f"the class of consumers that fares worst {verb} {priced(document, change)} more"


def consumer_sentence(document: Document, row: Document | None) -> list[str]:
    """What consumers pay more or less under both rules; nothing where no energy is taken."""
    if row is None or not row["energy_gwh"] > 0.0:
        return []
    change = row["consumer_change_per_kwh"]
    return [
        f"Under pooled billing {_bill(document, change['pooled'], 'pays')}; if everybody were billed at the "
        f"zone's price, {_bill(document, change['marginal'], 'would pay')}."
    ]


def _forms(document: Document) -> list[str]:
    """Which forms of tariff pay the full cost, and which make a load lose."""
    if not document["forms"]:
        return ["The forms of tariff are not compared: no flat tariff recovers the cost."]
    # At the floor itself the shortfall is the tolerance of the search, and reads as zero.
    nothing = price(document, 0.0)
    short = [
        f"{row['title']} ({price(document, row['full_shortfall_per_kwh'])})"
        for row in document["forms"]
        if row["full_shortfall_per_kwh"] > 0.0 and price(document, row["full_shortfall_per_kwh"]) != nothing
    ]
    currency = document["country"]["currency"]
    found = [
        f"Of the forms of tariff, short of the full cost, in {currency}/kWh: {'; '.join(short)}."
        if short
        else "Every form of tariff that was compared pays the full cost."
    ]
    for key, load in (("mining_margin_usd", "miners"), ("ai_margin_usd", "AI centres")):
        losers = [row["title"] for row in document["forms"] if row[key] < 0.0]
        if losers:
            found.append(
                f"{load[0].upper()}{load[1:]} lose money, and would not sign, under: {'; '.join(losers)}."
            )
    return found


def unsettled_sentence(rows: Sequence[Document]) -> list[str]:
    """A warning where market, contracts and network did not come to rest."""
    count = sum(not row["settled"] for row in rows)
    return (
        [
            f"In {number(count)} of these years market, contracts and Bitcoin network did not settle; read "
            "them with care."
        ]
        if count
        else []
    )
