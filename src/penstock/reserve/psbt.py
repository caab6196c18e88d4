"""Partially signed transactions, version 0 (BIP-174): read, written, combined and finished.

Fields that are not known here are kept as they are, byte for byte. A private key has no place in a PSBT, and
none is looked for.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from penstock.errors import Fault, ReserveError

from .transaction import Transaction, TxOutput, read_output, read_transaction
from .wire import Reader, refuse, size_bytes, sized

__all__ = ["Field", "Psbt", "combine", "finish", "read_psbt", "spent_outputs"]

_MAGIC = b"psbt\xff"
_MOST_TEXT = 48_000_000  # characters of a PSBT in base64 that are read at most
_MOST_FIELDS = 1_000  # of one map; an input of 20 keys that all signed has about 60

#: A map of a PSBT: values by key, a key's first byte being its type.
Map = Mapping[bytes, bytes]


class Field:
    """Types of fields, of BIP-174, BIP-322 and BIP-371."""

    UNSIGNED_TX = 0x00
    GENERIC_SIGNED_MESSAGE = 0x09
    NON_WITNESS_UTXO = 0x00
    WITNESS_UTXO = 0x01
    PARTIAL_SIG = 0x02
    SIGHASH = 0x03
    REDEEM_SCRIPT = 0x04
    WITNESS_SCRIPT = 0x05
    BIP32_DERIVATION = 0x06
    FINAL_SCRIPTSIG = 0x07
    FINAL_WITNESS = 0x08
    TAP_KEY_SIG = 0x13
    TAP_LEAF_SCRIPT = 0x15
    TAP_BIP32_DERIVATION = 0x16
    TAP_INTERNAL_KEY = 0x17


@dataclass(frozen=True, slots=True)
class Psbt:
    """A PSBT. transaction: without signatures. inputs, outputs: one map each, in its order.

    globals: other global fields.
    """

    transaction: Transaction
    inputs: tuple[Map, ...]
    outputs: tuple[Map, ...]
    globals: Map = field(default_factory=lambda: MappingProxyType({}))

    def raw(self) -> bytes:
        """Its bytes; keys of a map in ascending order."""
        first = {bytes([Field.UNSIGNED_TX]): self.transaction.unsigned.raw(witness=False)}
        maps = [{**first, **self.globals}, *self.inputs, *self.outputs]
        return _MAGIC + b"".join(_map_bytes(found) for found in maps)

    def base64(self) -> str:
        """As it is passed around."""
        return base64.b64encode(self.raw()).decode()

    @property
    def message(self) -> bytes | None:
        """The message that it signs (BIP-322); None where it signs none."""
        return self.globals.get(bytes([Field.GENERIC_SIGNED_MESSAGE]))


def _map_bytes(found: Map) -> bytes:
    return b"".join(sized(key) + sized(found[key]) for key in sorted(found)) + b"\x00"


def read_psbt(text: str | bytes, place: str) -> Psbt:
    """The PSBT in a text (base64) or in bytes.

    Raises ReserveError where it is none: another version, a repeated key, a map too few or too many, a
    transaction that is signed already.
    """
    data = _decoded(text, place)
    if not data.startswith(_MAGIC):
        raise refuse(place, "is no PSBT: it does not begin with its mark")
    reader = Reader(data, place)
    reader.take(len(_MAGIC))
    top = _map(reader)
    raw = top.pop(bytes([Field.UNSIGNED_TX]), None)
    if raw is None:
        problem = "has no unsigned transaction: PSBTs of version 2 are not read"
        raise refuse(place, problem, "export it as version 0")
    transaction = read_transaction(raw, f"{place}, transaction")
    if transaction != transaction.unsigned:
        raise refuse(place, "holds a transaction that is signed already")
    inputs = tuple(MappingProxyType(_map(reader)) for _ in transaction.inputs)
    outputs = tuple(MappingProxyType(_map(reader)) for _ in transaction.outputs)
    reader.end()
    return Psbt(transaction, inputs, outputs, MappingProxyType(top))


def _decoded(text: str | bytes, place: str) -> bytes:
    if isinstance(text, bytes) and text.startswith(_MAGIC):
        return text
    if len(text) > _MOST_TEXT:
        raise refuse(place, f"has {len(text)} characters, over the limit of {_MOST_TEXT}")
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise refuse(place, "is no base64", "give the PSBT as base64, or its file") from None


def _map(reader: Reader) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while key := reader.text():
        if key in found:
            raise refuse(reader.place, f"has the key {key[:1].hex()} twice in one map")
        if len(found) == _MOST_FIELDS:
            raise refuse(reader.place, f"has more than {_MOST_FIELDS} fields in one map")
        found[key] = reader.text()
    return found


def spent_outputs(psbt: Psbt, place: str = "PSBT") -> tuple[TxOutput, ...]:
    """What each input spends, from its own fields or those of an earlier input of the same transaction.

    Where both forms are there they must agree. Raises ReserveError where neither is, or they do not.
    """
    known: dict[str, Transaction] = {}
    return tuple(_spent(psbt, index, known, place) for index in range(len(psbt.inputs)))


def _spent(psbt: Psbt, index: int, known: dict[str, Transaction], place: str) -> TxOutput:
    """known: transactions that inputs so far gave in whole, by txid; a new one is added."""
    outpoint, fields = psbt.transaction.inputs[index].outpoint, psbt.inputs[index]
    if raw := fields.get(bytes([Field.NON_WITNESS_UTXO])):
        given = read_transaction(raw, f"{place}, input {index}, transaction that it spends")
        if given.txid != outpoint.txid:
            raise refuse(
                place, f"input {index} spends {outpoint.txid}, and gives the transaction {given.txid}"
            )
        known.setdefault(outpoint.txid, given)
    whole = known.get(outpoint.txid)
    raw = fields.get(bytes([Field.WITNESS_UTXO]))
    found = None
    if raw is not None:
        reader = Reader(raw, f"{place}, input {index}")
        found = read_output(reader)
        reader.end()
    if whole is not None:
        if outpoint.vout >= len(whole.outputs):
            raise refuse(place, f"input {index} spends output {outpoint.vout}, which there is not")
        if found not in (None, whole.outputs[outpoint.vout]):
            raise refuse(place, f"input {index} gives two different outputs for the one it spends")
        found = whole.outputs[outpoint.vout]
    if found is None:
        raise refuse(place, f"input {index} does not say what it spends", "add witness_utxo to it")
    return found


def combine(psbts: Sequence[Psbt]) -> Psbt:
    """What several signers made of one PSBT, put together.

    Raises ReserveError where there is none, or they are not of one transaction. A field that two give with
    different values is refused as well.
    """
    if not psbts:
        raise refuse("signed PSBTs", "there is none", "give at least one")
    first = psbts[0]
    faults = [
        Fault(
            f"signed PSBT {number}",
            f"is of another transaction, {other.transaction.txid}",
            f"sign the one that was made, {first.transaction.txid}",
        )
        for number, other in enumerate(psbts[1:], start=2)
        if other.transaction != first.transaction
    ]
    if faults:
        raise ReserveError(faults)
    merged = [
        tuple(_merged([getattr(psbt, side)[n] for psbt in psbts], f"{side} {n}") for n in range(count))
        for side, count in (("inputs", len(first.inputs)), ("outputs", len(first.outputs)))
    ]
    return Psbt(first.transaction, merged[0], merged[1], _merged([psbt.globals for psbt in psbts], "globals"))


def _merged(maps: Sequence[Map], place: str) -> Map:
    found: dict[bytes, bytes] = {}
    for one in maps:
        for key, value in one.items():
            if found.setdefault(key, value) != value:
                problem = f"two signers give different values for a field of type {key[:1].hex()}"
                raise refuse(f"signed PSBTs, {place}", problem)
    return MappingProxyType(found)


_KEPT = (Field.NON_WITNESS_UTXO, Field.WITNESS_UTXO, Field.FINAL_SCRIPTSIG, Field.FINAL_WITNESS)


def finish(psbt: Psbt) -> Psbt:
    """The PSBT with the witness of every input made of its signatures, and the rest of each input cleared.

    Single keys (P2PKH, P2WPKH, P2SH-P2WPKH, P2TR by key) and multisignature P2WSH, alone or in P2SH. An input
    that is finished already stays so.

    Raises ReserveError naming every input that lacks signatures or that is of another kind.
    """
    faults: list[Fault] = []
    made = []
    for index, spent in enumerate(spent_outputs(psbt)):
        try:
            made.append(_finished(psbt.inputs[index], spent.script, f"input {index}"))
        except ReserveError as error:
            faults += error.faults
    if faults:
        raise ReserveError(faults)
    return replace(psbt, inputs=tuple(made))


def _finished(fields: Map, script: bytes, place: str) -> Map:
    kept = {key: value for key, value in fields.items() if key[0] in _KEPT and len(key) == 1}
    if {bytes([Field.FINAL_SCRIPTSIG]), bytes([Field.FINAL_WITNESS])} & fields.keys():
        return MappingProxyType(kept)
    redeem = fields.get(bytes([Field.REDEEM_SCRIPT]))
    if redeem is not None:
        kept[bytes([Field.FINAL_SCRIPTSIG])] = sized(redeem)
        script = redeem
    signatures = {key[1:]: value for key, value in fields.items() if key[0] == Field.PARTIAL_SIG}
    if script[:2] == b"\x51\x20" and len(script) == 34:
        stack = [fields.get(bytes([Field.TAP_KEY_SIG]), b"")]
        if not stack[0]:
            raise _lacking(place, 0, 1)
    elif script[:2] == b"\x00\x14" and len(script) == 22:
        stack = _single(signatures, place)
    elif script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac" and redeem is None:
        pushes = b"".join(sized(item) for item in _single(signatures, place))
        return MappingProxyType(kept | {bytes([Field.FINAL_SCRIPTSIG]): pushes})
    elif script[:2] == b"\x00\x20" and len(script) == 34:
        stack = _multisignature(fields, signatures, place)
    else:
        problem = f"is of a kind that is not finished here: script {script.hex()[:80]}"
        raise refuse(place, problem, "finish the PSBT with the wallet that signed it")
    witness = size_bytes(len(stack)) + b"".join(sized(item) for item in stack)
    return MappingProxyType(kept | {bytes([Field.FINAL_WITNESS]): witness})


def _single(signatures: Map, place: str) -> list[bytes]:
    """Signature and key of an output of one key."""
    if len(signatures) != 1:
        raise _lacking(place, len(signatures), 1)
    [(key, signature)] = signatures.items()
    return [signature, key]


def _lacking(place: str, found: int, wanted: int) -> ReserveError:
    problem = f"has {found} of {wanted} signatures"
    return refuse(place, problem, "let the other cosigners sign, and give all signed PSBTs")


def _multisignature(fields: Map, signatures: Map, place: str) -> list[bytes]:
    """The stack for a witness script of m keys of n, signatures in the order of the keys."""
    witness_script = fields.get(bytes([Field.WITNESS_SCRIPT]), b"")
    needed, keys = _multisig_keys(witness_script, place)
    given = [signatures[key] for key in keys if key in signatures]
    if len(given) < needed:
        raise _lacking(place, len(given), needed)
    return [b"", *given[:needed], witness_script]


def _multisig_keys(script: bytes, place: str) -> tuple[int, list[bytes]]:
    """m and the keys of OP_m <key>... OP_n OP_CHECKMULTISIG."""
    problem = "has a witness script that is no plain multisignature"
    mend = "finish the PSBT with the wallet that signed it"
    if len(script) < 3 or script[-1] != 0xAE or not 0x51 <= script[0] <= 0x60:
        raise refuse(place, problem, mend)
    body, keys = script[1:-2], []
    while body:
        if body[0] != 33 or len(body) < 34:
            raise refuse(place, problem, mend)
        keys.append(body[1:34])
        body = body[34:]
    if script[-2] - 0x50 != len(keys) or script[0] - 0x50 > len(keys):
        raise refuse(place, problem, mend)
    return script[0] - 0x50, keys
