"""Reads a policy from YAML. Every fault is found at once, each with its line, its key and a mend."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import cast, get_args

from penstock.country.faults import choices_hint, shown
from penstock.errors import Fault, PolicyError

from .metrics import METRICS, Metric
from .nodes import ListNode, MapNode, Node, ScalarNode, nodes_of
from .policy import SUBJECTS, Basis, Clause, Policy, PolicySource, Subject

__all__ = ["read_policy"]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ID = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST_TEXT, _LONGEST_ID = 4000, 64  # characters
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_BASES = get_args(Basis)

_TOP = ("country", "title", "sources", "clauses")
_SOURCE_KEYS = ("title", "publisher", "url", "dated", "note")
_CLAUSE_KEYS = (
    *("id", "title", "clause", "metric", "at_most", "at_least", "unit", "tolerance", "low", "high"),
    *("basis", "source", "holds_from", "holds_until", "binding", "subject", "note"),
)


def read_policy(text: str, place: str, *, currency: str) -> Policy:
    """The policy in a text.

    place: name of the file, for messages. currency: the country's, e.g. "PKR", for units per kWh.

    Raises PolicyError with every fault: what is not YAML, or more than plain YAML (anchors, tags, several
    documents); unknown, repeated and missing keys; wrong types; metrics, units and sources that are not
    known; ids that two clauses share; limits, ranges and dates out of order; no clause at all.
    """
    faults: list[Fault] = []
    root = nodes_of(text, place, faults)
    policy = None if root is None else _Reader(place, currency, faults).policy(root, text)
    if faults or policy is None:
        raise PolicyError(sorted(faults, key=_line_of))
    return policy


def _line_of(fault: Fault) -> int:
    return int(fault.place.rpartition(" ")[2]) if ", line " in fault.place else 0


class _Fields:
    """The keys of one mapping, read by type; what is wrong goes to the faults."""

    def __init__(self, place: str, node: MapNode, known: Sequence[str], faults: list[Fault]) -> None:
        self.place, self.node, self.faults = place, node, faults
        self.nodes = {key: value for key, _, value in node.items}
        for key, line, _ in node.items:
            if key not in known:
                self.refuse(line, key, "there is no such key here", choices_hint(key, known, "key"))

    def refuse(self, line: int, key: str, problem: str, mend: str, value: str | None = None) -> None:
        """Adds a fault of a key."""
        said = None if value is None else shown(value)
        self.faults.append(Fault(f"{self.place}, line {line}", problem, mend, column=shown(key), value=said))

    def line(self, key: str) -> int:
        """Line of a key's value; of the mapping where it is missing."""
        return self.nodes[key].line if key in self.nodes else self.node.line

    def scalar(self, key: str, needed: bool, why: str = "is missing") -> ScalarNode | None:
        """The value of a key as text; None where it is missing, blank or no text."""
        node = self.nodes.get(key)
        if isinstance(node, ScalarNode) and (node.text.strip() and not _is_null(node)):
            return node
        if node is not None and not isinstance(node, ScalarNode):
            kind = "a list" if isinstance(node, ListNode) else "a mapping"
            self.refuse(node.line, key, f"is {kind}, and one value is wanted", "write one value")
        elif needed:
            self.refuse(self.line(key), key, why, "write it")
        return None

    def text(self, key: str, needed: bool = True) -> str:
        """A text, its white space made single blanks; "" where it is missing."""
        node = self.scalar(key, needed)
        if node is None:
            return ""
        said = " ".join(node.text.split())
        odd = next((sign for sign in said if unicodedata.category(sign) in ("Cc", "Cf", "Cs")), None)
        if odd is not None:
            self.refuse(node.line, key, "holds a sign that cannot be seen", "remove it", f"U+{ord(odd):04X}")
        if len(said) > _LONGEST_TEXT:
            problem = f"has {len(said)} characters, over the limit of {_LONGEST_TEXT}"
            self.refuse(node.line, key, problem, "shorten it")
        return said

    def number(self, key: str, unit: str, needed: bool = False, why: str = "is missing") -> float | None:
        """A finite number; None where it is missing or none."""
        node = self.scalar(key, needed, why)
        if node is None:
            return None
        said = node.text.strip()
        wanted = f"must be a finite number [{unit}]" if unit else "must be a finite number"
        if node.quoted or not _NUMBER.fullmatch(said):
            mend = "write it plainly, like 0.01, without unit, quotes or separators"
            self.refuse(node.line, key, wanted, mend, node.text)
            return None
        value = float(said)
        if not math.isfinite(value):
            self.refuse(node.line, key, wanted, "check its power of ten", said)
            return None
        return value + 0.0

    def day(self, key: str, needed: bool) -> date | None:
        """A date; None where it is missing or none."""
        node = self.scalar(key, needed)
        if node is None:
            return None
        try:
            if not _DATE.fullmatch(node.text.strip()):
                raise ValueError
            return date.fromisoformat(node.text.strip())
        except ValueError:
            self.refuse(node.line, key, "is no date", "write it as 2025-07-03", node.text)
            return None

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """One of the choices; "" where it is missing or none of them."""
        node = self.scalar(key, needed=True)
        if node is None:
            return ""
        if node.text not in choices:
            problem = f"must be one of {', '.join(choices)}"
            self.refuse(node.line, key, problem, choices_hint(node.text, choices, key), node.text)
            return ""
        return node.text

    def yes_no(self, key: str) -> bool:
        """yes or no; no where it is missing or neither."""
        node = self.scalar(key, needed=True)
        if node is None:
            return False
        if node.quoted or node.text not in _YES_NO:
            self.refuse(node.line, key, "must be yes or no", "write yes or no, without quotes", node.text)
            return False
        return _YES_NO[node.text]


class _Reader:
    def __init__(self, place: str, currency: str, faults: list[Fault]) -> None:
        self.place, self.currency, self.faults = place, currency, faults

    def policy(self, root: Node, text: str) -> Policy | None:
        """The policy; None where the root is no mapping. What is wrong is in the faults."""
        if isinstance(root, ScalarNode) and (_is_null(root) or not root.text.strip()):
            self._refuse(1, None, "the file is empty", "write the policy's clauses")
            return None
        if not isinstance(root, MapNode):
            mend = f"begin with {', '.join(f'{key}:' for key in _TOP)}"
            self._refuse(root.line, None, "the file is no mapping of keys to values", mend)
            return None
        top = _Fields(self.place, root, _TOP, self.faults)
        sources = self._sources(top)
        clauses = self._clauses(top, sources)
        return Policy(
            country=top.text("country"),
            title=top.text("title"),
            clauses=tuple(clauses),
            sources=MappingProxyType(sources),
            sha256=hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).hexdigest(),
        )

    def _refuse(self, line: int, key: str | None, problem: str, mend: str, value: str | None = None) -> None:
        self.faults.append(
            Fault(
                f"{self.place}, line {line}",
                problem,
                mend,
                column=key,
                value=None if value is None else shown(value),
            )
        )

    def _sources(self, top: _Fields) -> dict[str, PolicySource]:
        node = top.nodes.get("sources")
        if not isinstance(node, MapNode):
            self._refuse(top.line("sources"), "sources", "no sources are listed", "list them by key")
            return {}
        found = {}
        for key, line, value in node.items:
            if not isinstance(value, MapNode):
                self._refuse(line, key, "a source is a mapping", f"give it {', '.join(_SOURCE_KEYS)}")
                continue
            if not _ID.fullmatch(key) or len(key) > _LONGEST_ID:
                self._refuse(line, key, "is no key of a source", "use small letters, digits, - and _")
            fields = _Fields(self.place, value, _SOURCE_KEYS, self.faults)
            found[key] = PolicySource(
                key=key,
                title=fields.text("title"),
                publisher=fields.text("publisher"),
                url=fields.text("url", needed=False),
                dated=fields.text("dated", needed=False),
                note=fields.text("note", needed=False),
            )
        return found

    def _clauses(self, top: _Fields, sources: Mapping[str, PolicySource]) -> list[Clause]:
        node = top.nodes.get("clauses")
        if not isinstance(node, ListNode) or not node.items:
            mend = "list at least one clause; a policy without any would let nothing pass"
            self._refuse(top.line("clauses"), "clauses", "there is no clause", mend)
            return []
        found: list[Clause] = []
        first: dict[str, int] = {}
        for item in node.items:
            if not isinstance(item, MapNode):
                self._refuse(item.line, "clauses", "a clause is a mapping", "begin it with - id: ...")
                continue
            clause = self._clause(_Fields(self.place, item, _CLAUSE_KEYS, self.faults), sources)
            if clause.id and clause.id in first:
                problem = f"line {first[clause.id]} has a clause of this id already"
                self._refuse(clause.line, "id", problem, "give each clause its own id", clause.id)
            first.setdefault(clause.id, clause.line)
            found.append(clause)
        return found

    def _clause(self, fields: _Fields, sources: Mapping[str, PolicySource]) -> Clause:
        metric = self._metric(fields)
        unit = self._unit(fields, metric)
        basis = fields.choice("basis", _BASES)
        needed = basis == "assumption"
        why = "is missing, and an assumption needs low and high"
        clause_id = fields.text("id")
        if clause_id and (not _ID.fullmatch(clause_id) or len(clause_id) > _LONGEST_ID):
            mend = f"use small letters, digits, - and _, at most {_LONGEST_ID}"
            fields.refuse(fields.line("id"), "id", "is no id", mend, clause_id)
        clause = Clause(
            id=clause_id,
            title=fields.text("title"),
            clause=fields.text("clause"),
            metric="" if metric is None else metric.key,
            at_most=fields.number("at_most", unit),
            at_least=fields.number("at_least", unit),
            unit=unit,
            tolerance=fields.number("tolerance", unit) or 0.0,
            low=fields.number("low", unit, needed, why),
            high=fields.number("high", unit, needed, why),
            basis=cast(Basis, basis),
            source=self._source(fields, sources),
            holds_from=fields.day("holds_from", needed=True) or date.min,
            holds_until=fields.day("holds_until", needed=False),
            binding=fields.yes_no("binding"),
            subject=cast(Subject, fields.choice("subject", SUBJECTS)),
            note=fields.text("note", needed=False),
            line=fields.line("id"),
        )
        _check_limits(fields, clause, metric)
        _check_range(fields, clause)
        return clause

    def _metric(self, fields: _Fields) -> Metric | None:
        node = fields.scalar("metric", needed=True)
        if node is None:
            return None
        if node.text not in METRICS:
            hint = choices_hint(node.text, METRICS, "metric")
            fields.refuse(node.line, "metric", "there is no such metric", hint, node.text)
            return None
        return METRICS[node.text]

    def _unit(self, fields: _Fields, metric: Metric | None) -> str:
        node = fields.scalar("unit", needed=True, why="is missing: a limit needs its unit")
        if node is None:
            return ""
        wanted = node.text if metric is None else metric.unit_in(self.currency)
        if node.text != wanted:
            problem = f"is not the unit of {metric.key if metric else ''}, which is {wanted}"
            fields.refuse(node.line, "unit", problem, f"give the limit in {wanted}", node.text)
        return node.text

    def _source(self, fields: _Fields, sources: Mapping[str, PolicySource]) -> str:
        node = fields.scalar("source", needed=True, why="is missing: a limit needs its source")
        if node is None:
            return ""
        if node.text not in sources:
            hint = choices_hint(node.text, sources, "source")
            fields.refuse(node.line, "source", "is not in the list of sources", hint, node.text)
        return node.text


def _is_null(node: ScalarNode) -> bool:
    return not node.quoted and node.text in ("", "~", "null")


def _check_limits(fields: _Fields, clause: Clause, metric: Metric | None) -> None:
    written = {"at_most", "at_least"} & fields.nodes.keys()
    if not written:
        mend = "write at_most or at_least"
        fields.refuse(fields.node.line, "at_most", "the clause has no limit", mend)
    for side in sorted(written):
        if _is_blank(fields.nodes[side]):
            fields.refuse(fields.line(side), side, "is blank", "write the limit, or leave the key out")
    if clause.at_most is not None and clause.at_least is not None and clause.at_least > clause.at_most:
        problem = f"is above at_most, which is {clause.at_most:g} [{clause.unit}]"
        mend = "let at_least be the lower of the two"
        fields.refuse(fields.line("at_least"), "at_least", problem, mend, f"{clause.at_least:g}")
    if metric is not None and metric.better != "range":
        wrong = "at_least" if metric.better == "lower" else "at_most"
        if wrong in written:
            right = "at_most" if metric.better == "lower" else "at_least"
            problem = f"of {metric.key} {metric.better} is better: a limit on this side would let harm pass"
            fields.refuse(fields.line(wrong), wrong, problem, f"write {right}")
    if clause.tolerance < 0:
        problem = f"is below the minimum of 0 [{clause.unit}]"
        mend = "give 0 or more, or leave it out"
        fields.refuse(fields.line("tolerance"), "tolerance", problem, mend, f"{clause.tolerance:g}")


def _is_blank(node: Node) -> bool:
    return isinstance(node, ScalarNode) and (_is_null(node) or not node.text.strip())


def _check_range(fields: _Fields, clause: Clause) -> None:
    if clause.holds_until is not None and clause.holds_until < clause.holds_from:
        problem = f"is before holds_from, which is {clause.holds_from}"
        line = fields.line("holds_until")
        fields.refuse(line, "holds_until", problem, "order the dates", str(clause.holds_until))
    if clause.low is not None and clause.high is not None and clause.low > clause.high:
        problem = f"is above high, which is {clause.high:g} [{clause.unit}]"
        mend = "order them: low <= limit <= high"
        fields.refuse(fields.line("low"), "low", problem, mend, f"{clause.low:g}")
        return
    if clause.low is None and clause.high is None:
        return
    if (clause.low is None) != (clause.high is None):
        gone = "low" if clause.low is None else "high"
        if clause.basis != "assumption" and gone not in fields.nodes:
            fields.refuse(fields.node.line, gone, "is missing beside the other end", "give both ends")
        return
    if clause.at_most is not None and clause.at_least is not None:
        problem = "belongs to one limit, and the clause has two"
        fields.refuse(fields.line("low"), "low", problem, "make two clauses of it")
        return
    for side in ("at_most", "at_least"):
        limit = clause.at_most if side == "at_most" else clause.at_least
        if limit is None or clause.low is None or clause.high is None:
            continue
        if not clause.low <= limit <= clause.high:
            problem = f"lies outside low to high, {clause.low:g} to {clause.high:g} [{clause.unit}]"
            fields.refuse(fields.line(side), side, problem, "order them: low <= limit <= high", f"{limit:g}")
