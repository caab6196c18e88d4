"""YAML as plain nodes with their lines: mappings, lists and scalars, and nothing that can run or grow.

Anchors, aliases, tags, several documents and deep nesting are refused while the text is parsed, so that a
small file cannot become a large one in memory. Scalars stay text; what a text means, its field says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from penstock.country.faults import shown
from penstock.errors import Fault

__all__ = ["LARGEST", "ListNode", "MapNode", "Node", "ScalarNode", "nodes_of"]

LARGEST = 262_144  # characters of a policy; the ones that ship have fewer than 20,000
DEEPEST = 8  # mappings and lists inside each other; a policy needs four


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text. quoted: whether it stands in quotes, or is a block, and so is no number, date or yes."""

    text: str
    quoted: bool
    line: int


@dataclass(frozen=True, slots=True)
class MapNode:
    """Keys with their lines and values, in order; a repeated key keeps its first value."""

    items: tuple[tuple[str, int, Node], ...]
    line: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """Values in order."""

    items: tuple[Node, ...]
    line: int


Node = ScalarNode | MapNode | ListNode


class _RefusedError(Exception):
    """Ends the parsing at once."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def nodes_of(text: str, place: str, faults: list[Fault]) -> Node | None:
    """The one document of the text; None where it cannot be parsed or is empty, with the fault in `faults`.

    Repeated keys are added to the faults as well, each with its line.
    """
    if len(text) > LARGEST:
        problem = f"holds {len(text)} characters, over the limit of {LARGEST}"
        faults.append(Fault(place, problem, "a policy is a few pages; give the right file"))
        return None
    try:
        return _Builder(text, place, faults).document()
    except _RefusedError as error:
        faults.append(error.fault)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = ": ".join(part for part in (error.context, error.problem) if part)
        faults.append(Fault(f"{place}, line {line}", f"is not YAML: {said}", "mend the layout of this line"))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
        problem = "holds a character that YAML does not allow"
        faults.append(Fault(f"{place}, line {line}", problem, "remove it", value=f"U+{code:04X}"))
    return None


class _Builder:
    """Nodes from the events of the parser."""

    def __init__(self, text: str, place: str, faults: list[Fault]) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._place = place
        self._faults = faults

    def document(self) -> Node | None:
        """The one document; None where there is none or it is blank."""
        next(self._events)  # the start of the stream
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            self._faults.append(self._fault(1, "the file is empty", "write the policy's clauses"))
            return None
        if isinstance(event, yaml.DocumentStartEvent) and event.tags:
            raise _RefusedError(
                self._fault(_line(event), "declares tags, which a policy has none of", "remove it")
            )
        made = self._node(next(self._events), 1)
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _RefusedError(
                self._fault(_line(event), "begins a second document", "keep one document in the file")
            )
        return made

    def _node(self, event: yaml.Event, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(self._fault(line, "is an alias", "write it out", f"*{event.anchor}"))
        if not isinstance(event, yaml.NodeEvent):
            raise RuntimeError(f"line {line}: {event} where a node begins")
        if event.anchor is not None:
            raise _RefusedError(self._fault(line, "has an anchor", "remove it", f"&{event.anchor}"))
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            raise _RefusedError(
                self._fault(line, "has a tag", "remove it; a policy is plain text", event.tag)
            )
        if depth > DEEPEST:
            raise _RefusedError(
                self._fault(line, f"lies deeper than {DEEPEST} levels", "a policy needs four; flatten it")
            )
        if isinstance(event, yaml.ScalarEvent):
            return ScalarNode(event.value, event.style is not None, line)
        if isinstance(event, yaml.SequenceStartEvent):
            return ListNode(tuple(self._list(depth)), line)
        return MapNode(tuple(self._map(depth)), line)

    def _list(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _map(self, depth: int) -> Iterator[tuple[str, int, Node]]:
        first: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, ScalarNode):
                self._faults.append(self._fault(key.line, "a key is a list or a mapping", "write a word"))
            elif key.text in first:
                problem = f"the key stands in line {first[key.text]} already"
                self._faults.append(self._fault(key.line, problem, "keep one of them", key.text))
            else:
                first[key.text] = key.line
                yield key.text, key.line, value

    def _fault(self, line: int, problem: str, mend: str, value: str | None = None) -> Fault:
        place = f"{self._place}, line {line}"
        return Fault(place, problem, mend, value=None if value is None else shown(value))


def _line(event: yaml.Event) -> int:
    if event.start_mark is None:
        raise RuntimeError(f"{event} has no place in the text")
    return int(event.start_mark.line) + 1
