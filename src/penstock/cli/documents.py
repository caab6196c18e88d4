"""JSON documents: results and refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.errors import Fault

__all__ = ["error_document", "json_text", "print_json"]


def error_document(error: Exception, message: str, faults: Sequence[Fault]) -> dict[str, Any]:
    """A refusal as a document: its type, its message and every fault."""
    fields = ("place", "row", "column", "value", "problem", "mend")
    listed = [{name: getattr(fault, name) for name in fields} for fault in faults]
    return {"error": {"type": type(error).__name__, "message": message, "faults": listed}}


def json_text(document: Mapping[str, Any]) -> str:
    """A document as the text of a file. Raises ValueError where it holds NaN or an infinity."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def print_json(document: Mapping[str, Any]) -> None:
    """Prints the one document of a command run with --json, in pure ASCII.

    Raises ValueError where it holds NaN or an infinity.
    """
    print(json.dumps(document, indent=2, allow_nan=False))
