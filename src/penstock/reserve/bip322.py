"""Messages signed with any script (BIP-322, version 2.0.0 of 2026), and proofs of funds.

A signature is a text with a prefix: `smp` (a witness), `ful` (a transaction), `pof` (a finished PSBT, which
shows control of further outputs). A text without a prefix is read as a witness, else as a transaction, as it
was before the prefixes. Scripts are checked by Bitcoin Core's own engine (libbitcoinkernel).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from penstock.errors import Fault, ReserveError

from .psbt import Field, Psbt, read_psbt, spent_output
from .scripts import check_input, unsafe_signature
from .transaction import Outpoint, Transaction, TxInput, TxOutput, read_transaction, tagged_hash
from .wire import Reader, refuse, sized

__all__ = ["Signed", "check_signature", "message_hash", "read_signature", "to_sign", "to_spend"]

TAG = "BIP0322-signed-message"
OP_RETURN = b"\x6a"
_NOTHING = Outpoint("00" * 32, 0xFFFFFFFF)
_MOST_TEXT = 48_000_000  # characters of a signature
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
    witness = tuple(reader.text() for _ in range(reader.count(1)))
    reader.end()
    if not witness:
        raise refuse(place, "holds no witness")
    unsigned = to_sign(message, challenge)
    return Signed("simple", replace(unsigned, inputs=(replace(unsigned.inputs[0], witness=witness),)))


def _proof_of_funds(text: str, place: str) -> Signed:
    psbt = read_psbt(text, place)
    inputs = []
    for index, (row, fields) in enumerate(zip(psbt.transaction.inputs, psbt.inputs, strict=True)):
        script = fields.get(bytes([Field.FINAL_SCRIPTSIG]), b"")
        stack: tuple[bytes, ...] = ()
        if raw := fields.get(bytes([Field.FINAL_WITNESS])):
            reader = Reader(raw, f"{place}, input {index}")
            stack = tuple(reader.text() for _ in range(reader.count(1)))
            reader.end()
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
    _check_form(signed, message, challenge, place)
    spent = [TxOutput(0, challenge)]
    spent += [
        spent_output(signed.psbt, index, place)
        for index in range(1, len(signed.transaction.inputs))
        if signed.psbt is not None
    ]
    faults: list[Fault] = []
    for index, (row, output) in enumerate(zip(signed.transaction.inputs, spent, strict=True)):
        for problem in (unsafe_signature(row, output), check_input(signed.transaction, index, spent)):
            if problem:
                mend = "let the holders of the keys sign this very message"
                faults += refuse(f"{place}, input {index}", problem, mend).faults
                break
    if faults:
        raise ReserveError(faults)
    return tuple(spent)


def _check_form(signed: Signed, message: bytes, challenge: bytes, place: str) -> None:
    """The fields of `to_sign` that BIP-322 fixes."""
    transaction, expected = signed.transaction, to_sign(message, challenge)
    first = transaction.inputs[0]
    mend = "sign the message and the address that are asked for"
    if first.outpoint != expected.inputs[0].outpoint:
        raise refuse(place, "does not commit to this message and address", mend)
    if transaction.outputs != expected.outputs:
        raise refuse(place, "has other outputs than the one of 0 satoshi to OP_RETURN", mend)
    if transaction.version not in (0, 2):
        raise refuse(place, f"has version {transaction.version}, expected 0 or 2", mend)
    if signed.kind == "full" and len(transaction.inputs) != 1:
        problem = f"has {len(transaction.inputs)} inputs without saying what they spend"
        raise refuse(place, problem, "give a proof of funds, with the prefix pof")
    outpoints = [row.outpoint for row in transaction.inputs]
    if twice := sorted({str(found) for found in outpoints if outpoints.count(found) > 1}):
        raise refuse(place, f"has the same output twice: {twice[0]}", "list every output once")
    if signed.psbt is not None:
        given = spent_output(signed.psbt, 0, place)
        if given != TxOutput(0, challenge):
            raise refuse(place, "says of its first input that it spends something else", mend)
        unknown: Mapping[bytes, bytes] = MappingProxyType(dict(signed.psbt.globals))
        if unknown.get(bytes([Field.GENERIC_SIGNED_MESSAGE]), message) != message:
            raise refuse(place, "carries another message than the one that is asked for", mend)
