"""Messages signed with any script (BIP-322, version 2.0.0 of 2026), and proofs of funds.

A signature is a text with a prefix: `smp` (a witness), `ful` (a transaction), `pof` (a finished PSBT, which
shows control of further outputs). A text without a prefix is read as a witness, else as a transaction, as it
was before the prefixes. Scripts are checked by Bitcoin Core's own engine (libbitcoinkernel).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from penstock.errors import ReserveError

from .psbt import Field, Psbt, read_psbt, spent_outputs
from .scripts import Checker, hashing_bytes, unsafe_signature
from .transaction import Outpoint, Transaction, TxInput, TxOutput, read_transaction, tagged_hash
from .wire import Reader, refuse, sized

__all__ = [
    "Signed",
    "check_form",
    "check_signature",
    "input_problems",
    "message_hash",
    "read_signature",
    "to_sign",
    "to_spend",
]

TAG = "BIP0322-signed-message"
OP_RETURN = b"\x6a"
_NOTHING = Outpoint("00" * 32, 0xFFFFFFFF)
_MOST_TEXT = 48_000_000  # characters of a signature
_MOST_ITEMS = 1_003  # of a witness: 1,000 for the script (BIP-342), script, control block and annex
_MOST_HASHED = 4_000_000_000  # bytes, for inputs without segwit; about ten seconds
Kind = Literal["simple", "full", "proof of funds"]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as it was read, not checked.

    transaction: `to_sign` with its witnesses; of a simple signature only the witness is from the text.
    psbt: of a proof of funds; None otherwise.
    """

    kind: Kind
    transaction: Transaction
    psbt: Psbt | None = None


def message_hash(message: bytes) -> bytes:
    """The tagged hash of a message, 32 bytes."""
    return tagged_hash(TAG, message)


def to_spend(message: bytes, challenge: bytes) -> Transaction:
    """The transaction that is never sent, whose one output the signer spends. challenge: its script."""
    script = b"\x00" + sized(message_hash(message))
    return Transaction(0, (TxInput(_NOTHING, script),), (TxOutput(0, challenge),))


def to_sign(message: bytes, challenge: bytes, more: Sequence[Outpoint] = ()) -> Transaction:
    """The transaction that is signed. more: outputs whose control is shown besides."""
    first = Outpoint(to_spend(message, challenge).txid, 0)
    inputs = tuple(TxInput(outpoint) for outpoint in (first, *more))
    return Transaction(0, inputs, (TxOutput(0, OP_RETURN),))


def read_signature(text: str, message: bytes, challenge: bytes, place: str = "signature") -> Signed:
    """The signature in a text. Raises ReserveError where it is none."""
    if len(text) > _MOST_TEXT:
        raise refuse(place, f"has {len(text)} characters, over the limit of {_MOST_TEXT}")
    prefix, body = text[:3], text[3:]
    if prefix == "pof":
        return _proof_of_funds(body, place)
    if prefix == "ful":
        return Signed("full", read_transaction(_base64(body, place), place))
    if prefix == "smp":
        return _simple(_base64(body, place), message, challenge, place)
    data = _base64(text, place)
    try:
        return _simple(data, message, challenge, place)
    except ReserveError:
        return Signed("full", read_transaction(data, place))


def _base64(text: str, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refuse(place, "is no base64", "give the text as the signer wrote it") from None


def _simple(data: bytes, message: bytes, challenge: bytes, place: str) -> Signed:
    reader = Reader(data, place)
    witness = _stack(reader)
    if not witness:
        raise refuse(place, "holds no witness")
    unsigned = to_sign(message, challenge)
    return Signed("simple", replace(unsigned, inputs=(replace(unsigned.inputs[0], witness=witness),)))


def _stack(reader: Reader) -> tuple[bytes, ...]:
    """A witness, all that is there to read."""
    count = reader.count(1)
    if count > _MOST_ITEMS:
        raise refuse(reader.place, f"has a witness of {count} items, over the limit of {_MOST_ITEMS}")
    found = tuple(reader.text() for _ in range(count))
    reader.end()
    return found


def _proof_of_funds(text: str, place: str) -> Signed:
    psbt = read_psbt(text, place)
    inputs = []
    for index, (row, fields) in enumerate(zip(psbt.transaction.inputs, psbt.inputs, strict=True)):
        script = fields.get(bytes([Field.FINAL_SCRIPTSIG]), b"")
        stack: tuple[bytes, ...] = ()
        if raw := fields.get(bytes([Field.FINAL_WITNESS])):
            reader = Reader(raw, f"{place}, input {index}")
            stack = _stack(reader)
        inputs.append(replace(row, script=script, witness=stack))
    return Signed("proof of funds", replace(psbt.transaction, inputs=tuple(inputs)), psbt)


def check_signature(
    signed: Signed, message: bytes, challenge: bytes, place: str = "signature"
) -> tuple[TxOutput, ...]:
    """What each input spends, after every rule of BIP-322 was found kept.

    The first input is the message's; the others are the outputs whose control a proof of funds shows. That
    they are there and unspent only a node knows.

    Raises ReserveError naming every input that does not hold, or the field that is not as it must be.
    """
    spent = check_form(signed, message, challenge, place)
    mend = "let the holders of the keys sign this very message"
    faults = [
        fault
        for index, problem in sorted(input_problems(signed.transaction, spent).items())
        for fault in refuse(f"{place}, input {index}", problem, mend).faults
    ]
    if faults:
        raise ReserveError(faults)
    return spent


def input_problems(transaction: Transaction, spent: Sequence[TxOutput]) -> dict[int, str]:
    """What is wrong with each input that does not hold, by its index. spent: what the inputs spend."""
    checker = Checker(transaction, spent)
    found = {}
    for index, (row, output) in enumerate(zip(transaction.inputs, spent, strict=True)):
        if problem := unsafe_signature(row, output) or checker.problem(index):
            found[index] = problem
    return found


def check_form(signed: Signed, message: bytes, challenge: bytes, place: str) -> tuple[TxOutput, ...]:
    """What each input says that it spends, after all was found as BIP-322 fixes it but the signatures.

    Raises ReserveError for a field that is not as it must be, and for more hashing than can be waited for.
    """
    transaction, expected = signed.transaction, to_sign(message, challenge)
    mend = "sign the message and the address that are asked for"
    if transaction.inputs[0].outpoint != expected.inputs[0].outpoint:
        raise refuse(place, "does not commit to this message and address", mend)
    if transaction.outputs != expected.outputs:
        raise refuse(place, "has other outputs than the one of 0 satoshi to OP_RETURN", mend)
    if transaction.version not in (0, 2):
        raise refuse(place, f"has version {transaction.version}, expected 0 or 2", mend)
    if signed.kind == "full" and len(transaction.inputs) != 1:
        problem = f"has {len(transaction.inputs)} inputs without saying what they spend"
        raise refuse(place, problem, "give a proof of funds, with the prefix pof")
    seen = set[Outpoint]()
    for row in transaction.inputs:
        if row.outpoint in seen:
            raise refuse(place, f"has the same output twice: {row.outpoint}", "list every output once")
        seen.add(row.outpoint)
    spent: tuple[TxOutput, ...] = (TxOutput(0, challenge),)
    if signed.psbt is not None:
        spent = spent_outputs(signed.psbt, place)
        if spent[0] != TxOutput(0, challenge):
            raise refuse(place, "says of its first input that it spends something else", mend)
        if signed.psbt.message not in (None, message):
            raise refuse(place, "carries another message than the one that is asked for", mend)
    if (asked := hashing_bytes(transaction, spent)) > _MOST_HASHED:
        problem = f"asks for {asked} bytes to be hashed, over the limit of {_MOST_HASHED}"
        raise refuse(place, problem, "prove fewer outputs at once")
    return spent
