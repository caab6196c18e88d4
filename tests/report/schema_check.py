"""What a document's schema in `docs` says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DOCS = Path(__file__).resolve().parents[2] / "docs"


def schema_errors(name: str, document: dict[str, Any]) -> list[str]:
    """What `NAME.schema.json` refuses in a document, after a round trip through JSON."""
    schema = json.loads((DOCS / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    plain = json.loads(json.dumps(document))
    return [error.message for error in Draft202012Validator(schema).iter_errors(plain)]
