"""Receipts: what was paid to whom by which means, with a hash that the beneficiary can work out again.

The list of all hashes of a run may be published: it tells nothing of anybody, for each receipt carries a salt
that only the payer and the beneficiary know. A beneficiary finds the hash of the own receipt in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from penstock.errors import Fault, PayoutError

from .cipher import Cipher
from .journal import Journal
from .orders import amount_text

__all__ = ["check_receipt", "receipts"]

_FIELDS = {
    *("schema", "run", "id", "rail", "amount", "currency", "paid", "reference", "proof"),
    *("salt", "destination_hash", "hash"),
}
_SCHEMA = "penstock-receipt-1"


def receipts(journal: Journal, run: str, cipher: Cipher) -> tuple[dict[str, Any], ...]:
    """A receipt for everybody who was paid, in the order of the file."""
    return tuple(
        _hashed(
            {
                "schema": _SCHEMA,
                "run": run,
                "id": one.id,
                "rail": one.rail,
                "amount": one.amount,
                "currency": one.currency,
                "paid": one.settled,
                "reference": one.reference,
                "proof": one.proof,
                "salt": cipher.salt(run, one.id),
                "destination_hash": one.destination_hash,
            }
        )
        for one in journal.payments(run, state="paid")
    )


def _hashed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return dict(fields) | {"hash": _digest(fields)}


def _digest(fields: Mapping[str, Any]) -> str:
    """SHA-256 of the fields but the hash, as JSON with sorted keys and without spaces."""
    text = json.dumps(
        {key: value for key, value in fields.items() if key != "hash"},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def check_receipt(text: bytes, place: str, destination: str | None = None) -> str:
    """What a receipt says, in a sentence, if its hash and the destination fit.

    Raises PayoutError for what is no receipt, was changed, or is of another destination.
    """
    mend = "ask the payer for it again"
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or set(found) != _FIELDS or found["schema"] != _SCHEMA:
        raise PayoutError(Fault(place, "is no receipt", mend))
    if _digest(found) != found["hash"]:
        raise PayoutError(Fault(place, "was changed: its hash does not fit", mend))
    if destination is not None:
        given = hashlib.sha256((str(found["salt"]) + destination).encode()).hexdigest()
        if given != found["destination_hash"]:
            raise PayoutError(
                Fault(place, "is of another destination", "see that you gave it as in the file")
            )
    paid = amount_text(int(found["amount"]), str(found["currency"]))
    return f"{paid} to {found['id']} on {found['paid']} by {found['rail']}: {found['reference']}"
