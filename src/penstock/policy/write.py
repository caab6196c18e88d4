"""A policy as the YAML text that `read_policy` reads."""

from __future__ import annotations

import json

from .policy import Clause, Policy, PolicySource

__all__ = ["policy_text"]


def policy_text(policy: Policy, remark: str = "") -> str:
    """The text of a policy: what `read_policy` makes of it is the same policy, lines and SHA-256 apart.

    remark: stands at the top of the text as comments, one for each of its lines.
    """
    lines = [f"# {line}".rstrip() for line in remark.splitlines()]
    lines += [f"country: {_quoted(policy.country)}", f"title: {_quoted(policy.title)}", "", "sources:"]
    for source in policy.sources.values():
        lines += _source(source)
    lines += ["", "clauses:"]
    for clause in policy.clauses:
        lines += _clause(clause)
    return "\n".join(lines) + "\n"


def _source(source: PolicySource) -> list[str]:
    fields = ("title", "publisher", "url", "dated", "note")
    return [
        f"  {source.key}:",
        *(f"    {name}: {_quoted(text)}" for name in fields if (text := getattr(source, name))),
    ]


def _clause(clause: Clause) -> list[str]:
    numbers = {name: getattr(clause, name) for name in ("at_most", "at_least", "low", "high")}
    fields: list[tuple[str, str | None]] = [
        ("title", _quoted(clause.title)),
        ("clause", _quoted(clause.clause)),
        ("metric", clause.metric),
        *((name, _number(numbers[name])) for name in ("at_most", "at_least")),
        ("unit", _quoted(clause.unit)),
        ("tolerance", _number(clause.tolerance) if clause.tolerance else None),
        *((name, _number(numbers[name])) for name in ("low", "high")),
        ("basis", clause.basis),
        ("source", clause.source),
        ("holds_from", clause.holds_from.isoformat()),
        ("holds_until", None if clause.holds_until is None else clause.holds_until.isoformat()),
        ("binding", "yes" if clause.binding else "no"),
        ("subject", clause.subject),
        ("note", _quoted(clause.note) if clause.note else None),
    ]
    return [
        f"  - id: {clause.id}",
        *(f"    {name}: {text}" for name, text in fields if text is not None),
    ]


def _quoted(text: str) -> str:
    # A JSON string is a double-quoted YAML scalar.
    return json.dumps(text, ensure_ascii=False)


def _number(value: float | None) -> str | None:
    if value is None:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
