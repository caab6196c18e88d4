"""What the hosting capacity says, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .formats import short_percent
from .proof_names import (
    BUDGET,
    TOGETHER,
    Document,
    and_list,
    clause_name,
    clause_names,
    counted,
    price_key,
    priced,
    sites_text,
    size_text,
)

__all__ = ["hosting_sentences", "why_headroom_differs"]


def hosting_sentences(document: Document, names: Mapping[str, str] | None = None) -> list[str]:
    """How much fits, what binds, and the simple method beside it. names: titles of guardrails by id."""
    titles = clause_names(document) | dict(names or {})
    together = [row for row in document["rows"] if row["place"] == TOGETHER]
    firm = next(row for row in together if row["interruptible_share"] is None)
    loose = [row for row in together if row["interruptible_share"] is not None]
    found = [
        _firm(document, firm, titles),
        _next(firm, titles),
        *_interruptible(loose, firm, titles),
        _shown(firm, titles),
        *why_headroom_differs(document),
        *_places(document),
        _terms(document),
    ]
    return [sentence for sentence in found if sentence]


def _firm(document: Document, row: Document, titles: Mapping[str, str]) -> str:
    where = sites_text([{"zone": zone, "share": share} for zone, share in document["sites"].items()])
    if row["binding"] is None:
        return (
            f"In {where}, no guardrail fails up to {size_text(row['most_mw'])} MW of firm flat load, the "
            "peak of demand and the largest that was tried."
        )
    name = clause_name(row["binding"], titles)
    if row["mw"] <= 0.0:
        return f"In {where} no firm flat load fits: the smallest that was tried already fails: {name}."
    size = size_text(row["mw"])
    return f"In {where}, {size} MW of firm flat load fits; above that one guardrail fails: {name}."


def _next(row: Document, titles: Mapping[str, str]) -> str:
    """What would bind next if the first guardrail moved."""
    others = sorted((size, ident) for ident, size in row["by_clause_mw"].items() if ident != row["binding"])
    if not others:
        return ""
    size, ident = others[0]
    name = clause_name(ident, titles)
    return f"Without that guardrail the next to fail, above {size_text(size)} MW, would be: {name}."


def _shown(row: Document, titles: Mapping[str, str]) -> str:
    """How far guardrails hold that are shown and do not decide, the first to fail first."""
    sizes = sorted((size, ident) for ident, size in row["reported_mw"].items())
    if not sizes:
        return ""
    told = and_list(f"{clause_name(ident, titles)} (up to {size_text(size)} MW)" for size, ident in sizes)
    verb = "holds" if len(sizes) == 1 else "hold"
    return f"Shown beside them and not decisive, firm: {told} {verb} no further."


def _interruptible(rows: Sequence[Document], firm: Document, titles: Mapping[str, str]) -> list[str]:
    if not rows:
        return []
    shares = and_list(short_percent(row["interruptible_share"]) for row in rows)
    sizes = and_list(size_text(row["mw"]) for row in rows)
    found = [f"If {shares} of its energy may be cut, {sizes} MW {'fits' if len(rows) == 1 else 'fit'}."]
    less = [row for row in rows if row["mw"] < firm["mw"]]
    if less:
        names = and_list(dict.fromkeys(clause_name(row["binding"], titles) for row in less))
        at = and_list(short_percent(row["interruptible_share"]) for row in less)
        found.append(f"At {at} that is less than firm: what binds there is {names}.")
    bound = [row for row in rows if row["binding"] not in (None, BUDGET)]
    if bound and not less:
        named = and_list(dict.fromkeys(clause_name(row["binding"], titles) for row in bound))
        at = and_list(short_percent(row["interruptible_share"]) for row in bound)
        found.append(f"At {at} it is not the cut that binds but {named}.")
    return found


def why_headroom_differs(document: Document) -> list[str]:
    """The simple headroom beside the hosting capacity of all sites together, and why they differ."""
    rows = [row for row in document["rows"] if row["place"] == TOGETHER]
    loose = [row for row in rows if row["interruptible_share"] is not None]
    if not loose:
        return []
    shares = and_list(short_percent(row["interruptible_share"]) for row in loose)
    sizes = and_list(size_text(row["headroom"]["mw"]) for row in loose)
    firm = next(row for row in rows if row["interruptible_share"] is None)
    found = [
        f"The simple headroom method finds {sizes} MW at {shares} of energy cut, and "
        f"{size_text(firm['headroom']['mw'])} MW firm."
    ]
    more = [row for row in loose if row["mw"] > row["headroom"]["mw"]]
    less = [row for row in loose if row["mw"] < row["headroom"]["mw"]]
    above = (
        "it lets a load only up to the old peak of demand, while here a load may use plants that are idle at "
        "the peak as well"
    )
    below = (
        "it looks at demand alone, while here plants that fail, wires, fuel and prices stop the load before "
        "the old peak does"
    )
    if len(more) == len(loose):
        found.append(f"It finds less, since {above}.")
    elif len(less) == len(loose):
        found.append(f"It finds more, since {below}.")
    else:
        parts = []
        for kind, said, reason in ((more, "less", above), (less, "more", below)):
            if kind:
                at = and_list(short_percent(row["interruptible_share"]) for row in kind)
                parts.append(f"At {at} it finds {said}, since {reason}.")
        found.append(" ".join(parts))
    return found


def _places(document: Document) -> list[str]:
    firm = [
        row for row in document["rows"] if row["place"] != TOGETHER and row["interruptible_share"] is None
    ]
    if len(firm) < 2:
        return []
    least, most = min(firm, key=lambda row: row["mw"]), max(firm, key=lambda row: row["mw"])
    if size_text(least["mw"]) == size_text(most["mw"]):
        return [f"In each zone alone {size_text(least['mw'])} MW fits firm; the zones do not add up."]
    return [
        f"Alone in one zone, from {size_text(least['mw'])} MW ({least['place']}) to {size_text(most['mw'])} "
        f"MW ({most['place']}) fits firm; the zones do not add up, as each is filled alone."
    ]


def _terms(document: Document) -> str:
    tariff = priced(document, document[f"least_tariff_{price_key(document)}"])
    return (
        f"The load pays {tariff}, or its full cost where that is more, so that a low tariff alone does not "
        f"limit its size; shortage is judged on {counted(document['outage_years'], 'year')} of plant outages "
        "drawn by chance. Wires inside a zone are not in the model."
    )
