"""The guardrails of a policy beside what was measured: rows for the table of findings, and its sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cells import Cell, Table, row_of, words
from .formats import number
from .proof_names import (
    METRIC_NAMES,
    Document,
    amount_text,
    and_list,
    counted,
    date_text,
    deciding,
    failing,
    limit_side,
)

__all__ = [
    "FindingRow",
    "finding_rows",
    "guardrail_page",
    "guardrail_sentences",
    "policy_anchors",
    "policy_sources_table",
    "verdict_sentences",
]

NONE_GIVEN = "No guardrails were given: nothing is judged, and nothing passes."
# Mark, word and tone of every status.
_STATUS = {
    "passed": ("✓", "Kept", "good"),
    "failed": ("✗", "Not kept", "bad"),
    "no input": ("✗", "No reading, so not kept", "bad"),
    "not in force": ("–", "Not in force", ""),
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One guardrail as it is shown. kind: "binds" for the one that binds, "aside" where it does not decide.

    mark, status, tone: the verdict as a sign, as words and as "good", "bad" or "". role: whether it decides.
    """

    mark: str
    status: str
    tone: str
    kind: str
    role: str
    title: str
    clause: str
    metric: str
    value: str
    limit: str
    margin: str
    place: str
    holds: str
    basis: str
    source: Cell


def finding_rows(
    findings: Sequence[Document], binding: str | None, anchors: Mapping[str, str]
) -> tuple[FindingRow, ...]:
    """Findings as rows: those that decide first, the one that binds before all. anchors: of their sources."""

    def rank(row: Document) -> tuple[bool, bool, bool, bool]:
        return (
            row["id"] != binding,
            row["status"] == "not in force",
            not row["binding"],
            row["status"] == "passed",
        )

    return tuple(_row(row, row["id"] == binding, anchors) for row in sorted(findings, key=rank))


def _row(row: Document, binds: bool, anchors: Mapping[str, str]) -> FindingRow:
    mark, status, tone = _STATUS[row["status"]]
    if row["significant"] is False:
        status += ", too close to call"
    in_force = row["status"] != "not in force"
    role = "decides" if row["binding"] and in_force else "reported, does not decide" if in_force else ""
    if binds:
        role = "binds: first in the way" if row["status"] != "passed" else "binds: least room to its limit"
    return FindingRow(
        mark=mark,
        status=status,
        tone=tone,
        kind="binds" if binds else "" if row["binding"] and in_force else "aside",
        role=role,
        title=row["title"],
        clause=row["clause"],
        metric=METRIC_NAMES.get(row["metric"], str(row["metric"])),
        value=_value(row),
        limit="–" if row["limit"] is None else f"{limit_side(row)} {amount_text(row['limit'], row['unit'])}",
        margin=_margin(row),
        place="" if row["place"] is None else row["place"],
        holds=_holds(row),
        basis=row["basis"],
        source=Cell(row["source"], href=f"#{anchors[row['source']]}" if row["source"] in anchors else ""),
    )


def _value(row: Document) -> str:
    if row["value"] is None:
        return "–"
    error = "" if row["standard_error"] is None else f" ± {amount_text(row['standard_error'], '1')}"
    return f"{amount_text(row['value'], '1')}{error}" + ("" if row["unit"] == "1" else f" {row['unit']}")


def _margin(row: Document) -> str:
    if row["margin"] is None:
        return "–"
    room = "room" if row["margin"] >= 0.0 else "too much" if limit_side(row) == "at most" else "too little"
    return f"{amount_text(abs(row['margin']), row['unit'])} {room}"


def _holds(row: Document) -> str:
    until = f" until {date_text(row['holds_until'])}" if row["holds_until"] else ""
    return f"from {date_text(row['holds_from'])}{until}"


def policy_anchors(sources: Sequence[Document]) -> dict[str, str]:
    """Id in the page of each source of a policy by its key."""
    return {row["key"]: f"policy-source-{place}" for place, row in enumerate(sources, start=1)}


def policy_sources_table(sources: Sequence[Document]) -> Table:
    """Where the guardrails come from."""
    anchors = policy_anchors(sources)
    rows = tuple(
        row_of(
            row["key"],
            Cell(row["title"], href=row["url"] if row["url"].startswith(("https://", "http://")) else ""),
            row["publisher"],
            row["dated"],
            row["note"],
            anchor=anchors[row["key"]],
        )
        for row in sources
    )
    columns = tuple(words(name) for name in ("Source", "Title", "Publisher", "Dated", "Note"))
    return Table("table-policy-sources", "Sources of the guardrails", columns, rows)


def guardrail_sentences(verdict: str, reason: str, findings: Sequence[Document]) -> list[str]:
    """The verdict and what it hangs on."""
    decisive, failed = deciding(findings), failing(findings)
    if not decisive:
        return [f"Refused. {reason}"]
    count = number(len(decisive))
    if failed:
        head = f"Refused: {number(len(failed))} of {count} guardrails that decide {_is(failed)} not kept: "
        found = [head + and_list(row["title"] for row in failed) + "."]
    elif verdict == "passes":
        all_of = (
            "the one guardrail that decides is"
            if len(decisive) == 1
            else f"all {count} guardrails that decide are"
        )
        found = [f"Passes: {all_of} kept."]
    else:
        found = [f"Refused. {reason}"]
    reported = [
        row["title"] for row in findings if not row["binding"] and row["status"] in ("failed", "no input")
    ]
    if reported:
        who = "it does" if len(reported) == 1 else "they do"
        found.append(f"Not kept, though {who} not decide: {and_list(reported)}.")
    close = [row["title"] for row in decisive if row["significant"] is False]
    if close:
        found.append(f"Too close to call, within two standard errors of the limit: {and_list(close)}.")
    return found


def verdict_sentences(summary: Mapping[str, Any]) -> list[str]:
    """The verdict of a study in one sentence; none where it has no guardrails."""
    found = summary.get("guardrails")
    if not found:
        return []
    first = guardrail_sentences(found["verdict"], found["reason"], found["findings"])[0]
    return [f"By the country's own guardrails on {date_text(found['policy']['as_of'])}: {first}"]


def _is(rows: Sequence[Document]) -> str:
    return "is" if len(rows) == 1 else "are"


def guardrail_page(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the study's page of guardrails shows; without a policy, that nothing is judged."""
    found = summary.get("guardrails")
    if not found:
        return {"sentences": [NONE_GIVEN], "rows": (), "policy": None, "outages": "", "sources": None}
    policy, sources = found["policy"], found["sources"]
    return {
        "sentences": guardrail_sentences(found["verdict"], found["reason"], found["findings"]),
        "rows": finding_rows(found["findings"], found["binding"], policy_anchors(sources)),
        "policy": {**policy, "as_of": date_text(policy["as_of"])},
        "outages": counted(found["outage_years"], "year"),
        "sources": policy_sources_table(sources),
    }
