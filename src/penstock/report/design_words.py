"""What the search of a design says, in plain sentences; the unwelcome comes first."""

from __future__ import annotations

from collections.abc import Mapping

from .formats import number
from .proof_names import (
    Document,
    amount_text,
    and_list,
    clause_name,
    clause_names,
    counted,
    date_text,
    deciding,
    design_name,
    failing,
    price_key,
    priced,
    size_text,
    split_name,
    usd_text,
)
from .tariff_words import consumer_sentence, unsettled_sentence

__all__ = ["design_sentences", "proposed_sentence", "verdict_sentence"]

#: Sizes and tariffs nearer than this, as a share, are the same.
_SAME = 1e-9


def design_sentences(document: Document) -> list[str]:
    """The verdict and what it rests on, the unwelcome first."""
    names = clause_names(document)
    design = document["design"]
    found = [verdict_sentence(document)]
    if design is None:
        found += _nothing_passes(document, names)
    else:
        found += _edges(document, design)
        found += _shares(document, design)
    found.append(proposed_sentence(document))
    shown = design or document["nearest"]
    if shown is not None:
        found += consumer_sentence(document, shown)
        found += _abroad(shown)
    found += _findings(document)
    found += _sensitivity(document, names)
    found += _runner_up(document)
    found += unsettled_sentence([row for row in (shown, *document["sensitivity"]) if row is not None])
    found.append(_search(document))
    return [sentence for sentence in found if sentence]


def verdict_sentence(document: Document) -> str:
    """The verdict in one sentence."""
    design, day = document["design"], date_text(document["policy"]["as_of"])
    tried = counted(document["search"]["designs_tried"], "design")
    if design is None:
        if not deciding(document["guardrails"]):
            return (
                f"Refused: no guardrail that decides is in force on {day}, and without a rule nothing passes."
            )
        return f"Refused: of the {tried} that were tried, none keeps every guardrail in force on {day}."
    count = len(deciding(document["guardrails"]))
    benefit = design["benefit_usd"]
    gain = (
        f"all others together gain {usd_text(benefit)} a year"
        if benefit >= 0.0
        else f"all others together lose {usd_text(-benefit)} a year"
    )
    every = "the one guardrail that decides" if count == 1 else f"all {number(count)} guardrails that decide"
    return f"Passes: {design_name(document, design)} keeps {every} on {day}; {gain}."


def proposed_sentence(document: Document) -> str:
    """What becomes of the programme as it was proposed."""
    row = document["proposed"]
    size = f"{size_text(row['mw'])} MW at {priced(document, row[f'tariff_{price_key(document)}'])}"
    head = f"The programme as it was proposed, {size},"
    if row["verdict"] == "passes":
        return f"{head} passes too."
    failed = failing(row["guardrails"])
    if not failed:
        return f"{head} is refused: {row['reason']}"
    return f"{head} is refused; it fails: {and_list(finding['title'] for finding in failed)}."


def _nothing_passes(document: Document, names: Mapping[str, str]) -> list[str]:
    found = []
    if document["nearest"] is not None:
        failed = failing(document["guardrails"])
        which = and_list(row["title"] for row in failed) or "no guardrail that could be judged"
        found.append(f"The nearest is {design_name(document, document['nearest'])}; it fails: {which}.")
    rows = document["must_move"]
    if not rows:
        if deciding(document["guardrails"]):
            found.append("No single guardrail stands in the way alone: every design fails more than one.")
        return found
    row = rows[0]
    name = clause_name(row["id"], names)
    if row["move"] is None:
        found.append(f"{name} alone stands in the way, and no limit would help: it could not be judged.")
    else:
        now, then = (amount_text(limit, row["unit"]) for limit in (row["limit"], row["move"]["limit"]))
        found.append(
            f"The least move that would let one pass: {name}, from {now} to {then}. The design would then be "
            f"{design_name(document, row['design'])}. Whether it may move is for those who set it."
        )
    return found


def _edges(document: Document, design: Document) -> list[str]:
    """Where the design lies at the edge of what was searched."""
    search, unit = document["search"], price_key(document)
    highest = search[f"highest_tariff_{unit}"]
    found = []
    if design["tariff_per_kwh"] >= highest * (1.0 - _SAME):
        found.append(
            f"It pays {priced(document, highest)}, the highest tariff that was tried, which is what "
            "industry ordinarily pays unless another was asked for: no special tariff is needed, or shown to "
            "be."
        )
    else:
        found.append(
            f"Its tariff is below the highest that was tried ({priced(document, highest)}); no dearer one "
            "that was tried passes and brings others more."
        )
    if design["mw"] >= search["most_mw"] * (1.0 - _SAME):
        found.append(f"Its size is the largest that was tried, {size_text(search['most_mw'])} MW.")
    if not design["energy_gwh"] > 0.0:
        found.append("It takes no energy: at that tariff no load comes.")
    return found


def _shares(document: Document, design: Document) -> list[str]:
    """What passes with mining and without, by what others gain."""
    found = []
    if design["mining_share"] <= 0.0:
        found.append("The best design mines no bitcoin at all.")
    elif design["mining_share"] >= 1.0:
        found.append("The best design has no AI at all.")
    rows = document["by_mining_share"]
    none = [split_name(row["mining_share"]) for row in rows if row["design"] is None]
    if none:
        found.append(f"No design that was tried passes with: {'; '.join(none)}.")
    others = [
        f"{usd_text(row['design']['benefit_usd'])} with {split_name(row['mining_share'])}"
        for row in rows
        if row["design"] is not None and row["mining_share"] != design["mining_share"]
    ]
    if others:
        found.append(f"With other splits, others gain at most {'; '.join(others)}.")
    return found


def _abroad(design: Document) -> list[str]:
    imports, emissions = design["fuel_imports_change_usd"], design["emissions_change_mt"]
    way = "more" if imports >= 0.0 else "less"
    air = "more" if emissions >= 0.0 else "less"
    return [
        f"With it, the country pays {usd_text(abs(imports))} {way} a year for imported fuel and emits "
        f"{_tonnes(abs(emissions))} million t CO₂ {air}."
    ]


def _tonnes(millions_of_tonnes: float) -> str:
    """Emissions in million t: two decimals, four where small."""
    return number(millions_of_tonnes, 2 if millions_of_tonnes >= 0.1 else 4)


def _findings(document: Document) -> list[str]:
    """What binds, what is close, and what was not judged or does not decide."""
    rows, found = document["guardrails"], []
    binding = next((row for row in rows if row["id"] == document["binding"]), None)
    if binding is not None and binding["status"] == "passed":
        found.append(
            f"The guardrail with the least room is {binding['title']}: "
            f"{amount_text(binding['margin'], binding['unit'])} to its limit of "
            f"{amount_text(binding['limit'], binding['unit'])}."
        )
    doubtful = [row["title"] for row in deciding(rows) if row["significant"] is False]
    if doubtful:
        found.append(f"Too close to call, within two standard errors of the limit: {and_list(doubtful)}.")
    blind = [row["title"] for row in deciding(rows) if row["status"] == "no input"]
    if blind:
        found.append(f"Without a reading, and therefore failed: {and_list(blind)}.")
    reported = [
        row["title"] for row in rows if not row["binding"] and row["status"] in ("failed", "no input")
    ]
    if reported:
        found.append(f"Not kept, though it does not decide: {and_list(reported)}.")
    silent = [row["title"] for row in rows if row["status"] == "not in force"]
    if silent:
        day = date_text(document["policy"]["as_of"])
        found.append(f"Not in force on {day}, and not judged: {and_list(silent)}.")
    return found


def _sensitivity(document: Document, names: Mapping[str, str]) -> list[str]:
    rows = document["sensitivity"]
    if not rows:
        return ["No other assumptions were tried."]
    which = "The design" if document["design"] is not None else "The nearest design"
    failed = [row for row in rows if row["verdict"] != "passes"]
    every = "the one case" if len(rows) == 1 else f"all {len(rows)} cases"
    if not failed:
        return [f"{which} passes in {every} with other assumptions as well."]
    said = "; ".join(f"{row['title']} ({_failed(row, names)})" for row in failed)
    if document["design"] is None and len(failed) == len(rows):
        return [f"{which} is refused in {every} with other assumptions as well."]
    verb = "is refused" if document["design"] is None else "would be refused"
    return [
        f"{which} {verb} in {len(failed)} of {counted(len(rows), 'case')} with other assumptions: {said}."
    ]


def _failed(row: Document, names: Mapping[str, str]) -> str:
    return and_list(clause_name(ident, names) for ident in row["failed"]) or "nothing in force"


def _runner_up(document: Document) -> list[str]:
    best, second = document["design"], document["runner_up"]
    if best is None or second is None:
        return []
    name = design_name(document, second)
    if usd_text(second["benefit_usd"]) == usd_text(best["benefit_usd"]):
        return [f"As good, by what others gain: {name}."]
    return [f"Next best: {name}; others gain {usd_text(second['benefit_usd'])}."]


def _search(document: Document) -> str:
    search = document["search"]
    return (
        f"Designs tried: {number(search['designs_tried'])}, each judged with "
        f"{counted(search['outage_years'], 'year')} of plant outages drawn by chance. What passes is proved "
        "to pass on that year, but a better design may have been missed."
    )
