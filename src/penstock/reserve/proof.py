"""The proof of a reserve: a message with date and block, signed with the keys of every output (BIP-322).

It is made in two steps. `prepare_proof` writes a PSBT that the cosigners sign offline, each with its own
keys; `finish_proof` puts their signatures together. The proof file holds all that a verifier needs beside a
node. Its JSON Schema is docs/reserve-proof.schema.json.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol, cast, get_args

from penstock.errors import Fault, ReserveError

from .bip322 import check_signature, read_signature, to_sign, to_spend
from .descriptors import Network, address_of
from .psbt import Field, Map, Psbt, combine, finish, spent_outputs
from .scripts import script_of
from .secrets import refuse_secrets
from .transaction import MOST_SATOSHI, Outpoint, TxOutput
from .wire import read_json

__all__ = [
    "FORMAT",
    "MOST_OUTPUTS",
    "Node",
    "Proof",
    "ProofMessage",
    "ReserveOutput",
    "finish_proof",
    "prepare_proof",
    "proof_document",
    "read_message",
    "read_proof",
    "with_transactions",
]

FORMAT = "penstock.reserve-proof/1"
#: Outputs of one proof. A signer has to hash and sign each; 10,000 make a PSBT of about 5 MB.
MOST_OUTPUTS = 10_000
_LONGEST_PURPOSE = 200  # characters
_MOST_BYTES = 64_000_000  # of a proof file
_P2PKH = b"\x76\xa9\x14"
#: How scripts of P2PKH, P2SH, P2WPKH, P2WSH and P2TR begin.
_KINDS = (_P2PKH, b"\xa9\x14", b"\x00\x14", b"\x00\x20", b"\x51\x20")
_HEX32 = re.compile(r"[0-9a-f]{64}")
_MESSAGE = re.compile(
    r"Proof of reserve\npurpose: (?P<purpose>[^\n]{1,200})\ndate: (?P<date>\d{4}-\d{2}-\d{2})\n"
    rf"network: (?P<network>{'|'.join(get_args(Network))})\n"
    r"block: (?P<height>\d{1,10}) (?P<block>[0-9a-f]{64})\n"
    r"outputs: (?P<count>\d{1,6})\nsatoshi: (?P<satoshi>\d{1,16})",
    re.ASCII,
)


class Node(Protocol):
    """What is asked of a node."""

    def call(self, method: str, *parameters: Any) -> Any:
        """The result of a JSON-RPC method."""


@dataclass(frozen=True, slots=True)
class ProofMessage:
    """What is signed. purpose: whom or what the proof is for, one line.

    date: of the proof. height, block_hash: of the last block that the signers had seen.
    count, satoshi: of the outputs.
    """

    purpose: str
    date: dt.date
    network: Network
    height: int
    block_hash: str
    count: int
    satoshi: int

    @property
    def text(self) -> str:
        """The message as it is signed; one form for one content."""
        return (
            "Proof of reserve\n"
            f"purpose: {self.purpose}\n"
            f"date: {self.date.isoformat()}\n"
            f"network: {self.network}\n"
            f"block: {self.height} {self.block_hash}\n"
            f"outputs: {self.count}\n"
            f"satoshi: {self.satoshi}"
        )


def read_message(text: bytes, place: str) -> ProofMessage:
    """The message in a text. Raises ReserveError where it is not exactly one that `ProofMessage` writes."""
    found = _MESSAGE.fullmatch(text.decode("utf-8", "replace"))
    problem = "does not sign the message of a proof of reserve"
    mend = "give the PSBT that `penstock reserve prove` wrote"
    if found is None:
        raise ReserveError(Fault(place, problem, mend))
    try:
        day = dt.date.fromisoformat(found["date"])
    except ValueError:
        raise ReserveError(Fault(place, problem, mend)) from None
    message = ProofMessage(
        found["purpose"],
        day,
        cast(Network, found["network"]),
        int(found["height"]),
        found["block"],
        int(found["count"]),
        int(found["satoshi"]),
    )
    if message.text.encode() != text:
        raise ReserveError(Fault(place, problem, mend))
    return message


@dataclass(frozen=True, slots=True)
class ReserveOutput:
    """An unspent output whose control is to be shown. fields: what its cosigners need in a PSBT to sign."""

    outpoint: Outpoint
    satoshi: int
    script: bytes
    fields: Map = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as its file says it, nothing of it checked. address: the one that the message is signed for."""

    message: ProofMessage
    address: str
    outputs: tuple[ReserveOutput, ...]
    signature: str


def prepare_proof(
    outputs: Sequence[ReserveOutput],
    *,
    purpose: str,
    date: dt.date,
    network: Network,
    height: int,
    block_hash: str,
) -> tuple[ProofMessage, Psbt]:
    """The message, and the PSBT that shows control of every output once it is signed.

    The message is signed for the address of the first output. Nothing in it is secret, and it can be sent to
    no network: its first input does not exist.

    Raises ReserveError for no outputs or too many, one twice, an amount out of range, a purpose that is no
    line.
    """
    ordered = sorted(outputs, key=lambda row: row.outpoint)
    faults = [*_output_faults(ordered), *_purpose_faults(purpose)]
    if faults:
        raise ReserveError(faults)
    total = sum(row.satoshi for row in ordered)
    message = ProofMessage(purpose, date, network, height, block_hash, len(ordered), total)
    challenge, data = ordered[0].script, message.text.encode()
    transaction = to_sign(data, challenge, [row.outpoint for row in ordered])
    asked = ReserveOutput(transaction.inputs[0].outpoint, 0, challenge, ordered[0].fields)
    inputs = [_input_fields(asked, to_spend(data, challenge).raw())]
    inputs += [_input_fields(row, row.fields.get(bytes([Field.NON_WITNESS_UTXO]))) for row in ordered]
    top = MappingProxyType({bytes([Field.GENERIC_SIGNED_MESSAGE]): data})
    return message, Psbt(transaction, tuple(inputs), (MappingProxyType({}),), top)


def _input_fields(row: ReserveOutput, whole: bytes | None) -> Map:
    """What an input says. whole: the transaction that made its output, where it is known."""
    found = dict(row.fields)
    if whole is not None:
        found[bytes([Field.NON_WITNESS_UTXO])] = whole
    if not is_legacy(row.script):
        found[bytes([Field.WITNESS_UTXO])] = TxOutput(row.satoshi, row.script).raw
    return MappingProxyType(found)


def is_legacy(script: bytes) -> bool:
    """Whether a script is P2PKH, whose signatures do not commit to the amount."""
    return script.startswith(_P2PKH)


def with_transactions(outputs: Sequence[ReserveOutput], node: Node) -> tuple[ReserveOutput, ...]:
    """The outputs, those of P2PKH with the whole transaction that made them: their signers need it.

    Raises ReserveError where the node has an output not, or no longer the block that it is in.
    """
    return tuple(_with_transaction(row, node) if is_legacy(row.script) else row for row in outputs)


def _with_transaction(row: ReserveOutput, node: Node) -> ReserveOutput:
    found = node.call("gettxout", row.outpoint.txid, row.outpoint.vout, False)
    if found is None:
        mend = "run penstock reserve watch first"
        raise ReserveError(Fault(f"output {row.outpoint}", "is spent, or was never there", mend))
    height = node.call("getblockheader", found["bestblock"])["height"] - found["confirmations"] + 1
    raw = node.call("getrawtransaction", row.outpoint.txid, False, node.call("getblockhash", height))
    return replace(row, fields={**row.fields, bytes([Field.NON_WITNESS_UTXO]): bytes.fromhex(raw)})


def _output_faults(outputs: Sequence[ReserveOutput]) -> list[Fault]:
    if not 1 <= len(outputs) <= MOST_OUTPUTS:
        problem = f"are {len(outputs)}; 1 to {MOST_OUTPUTS} can be proved at once"
        return [Fault("outputs", problem, "prove what there is, in several proofs where it is more")]
    faults, seen = [], set()
    for row in outputs:
        if row.outpoint in seen:
            problem, mend = "is listed twice", "list every output once"
            faults.append(Fault("outputs", problem, mend, value=str(row.outpoint)))
        seen.add(row.outpoint)
        if not row.script.startswith(_KINDS):
            problem, mend = "has a script without an address", "move the coins to an address of the reserve"
            faults.append(Fault(f"output {row.outpoint}", problem, mend, value=row.script.hex()[:80]))
        if is_legacy(row.script) and bytes([Field.NON_WITNESS_UTXO]) not in row.fields:
            problem, mend = "is of P2PKH and comes without its transaction", "give that as non_witness_utxo"
            faults.append(Fault(f"output {row.outpoint}", problem, mend))
        if not 0 < row.satoshi <= MOST_SATOSHI:
            problem = f"is outside 1 to {MOST_SATOSHI} satoshi"
            faults.append(Fault(f"output {row.outpoint}", problem, "give its amount", value=str(row.satoshi)))
    return faults


def _purpose_faults(purpose: str) -> list[Fault]:
    refuse_secrets(purpose, "purpose")
    if 1 <= len(purpose) <= _LONGEST_PURPOSE and purpose.isprintable() and purpose == purpose.strip():
        return []
    problem = f"must be one line of 1 to {_LONGEST_PURPOSE} characters without blanks around it"
    return [Fault("purpose", problem, "say in a line whom the proof is for", value=purpose[:100])]


def finish_proof(message: ProofMessage, unsigned: Psbt, signed: Sequence[Psbt]) -> Proof:
    """The proof from what the cosigners signed, its signatures checked.

    What signers wrote into their PSBTs beside signatures, such as keys of the whole wallet, is left out.

    Raises ReserveError where they signed something else, signatures are missing, or one does not hold.
    """
    whole = finish(combine([unsigned, *signed]))
    data, nothing = message.text.encode(), MappingProxyType[bytes, bytes]({})
    top = MappingProxyType({bytes([Field.GENERIC_SIGNED_MESSAGE]): data})
    bare = Psbt(whole.transaction, _each_once(whole), tuple(nothing for _ in whole.outputs), top)
    challenge = spent_outputs(unsigned)[0].script
    text = "pof" + bare.base64()
    spent = check_signature(read_signature(text, data, challenge), data, challenge, "signed PSBTs")
    outputs = tuple(
        ReserveOutput(row.outpoint, output.satoshi, output.script)
        for row, output in zip(whole.transaction.inputs[1:], spent[1:], strict=True)
    )
    return Proof(message, address_of(challenge, message.network), outputs, text)


def _each_once(psbt: Psbt) -> tuple[Map, ...]:
    """The inputs, each transaction that they spend given once, with the first: BIP-322 allows it."""
    key, seen, found = bytes([Field.NON_WITNESS_UTXO]), set[str](), []
    for row, fields in zip(psbt.transaction.inputs, psbt.inputs, strict=True):
        again = row.outpoint.txid in seen
        found.append(MappingProxyType({name: fields[name] for name in fields if not (again and name == key)}))
        if key in fields:
            seen.add(row.outpoint.txid)
    return tuple(found)


def proof_document(proof: Proof) -> dict[str, Any]:
    """What the proof file holds."""
    message = proof.message
    return {
        "format": FORMAT,
        "message": {
            "purpose": message.purpose,
            "date": message.date.isoformat(),
            "network": message.network,
            "height": message.height,
            "block_hash": message.block_hash,
            "outputs": message.count,
            "satoshi": message.satoshi,
        },
        "address": proof.address,
        "outputs": [
            {
                "txid": row.outpoint.txid,
                "vout": row.outpoint.vout,
                "satoshi": row.satoshi,
                "script": row.script.hex(),
            }
            for row in proof.outputs
        ],
        "signature": proof.signature,
    }


def read_proof(data: bytes, place: str) -> Proof:
    """The proof in the bytes of a file. Raises ReserveError with every fault of its form."""
    document = read_json(data, place, _MOST_BYTES)
    fields = _Fields(place)
    proof = fields.proof(document)
    if fields.faults:
        raise ReserveError(fields.faults)
    return proof


class _Fields:
    """Reads the fields of a document by type; what is wrong goes to `faults`, and a stand-in is returned."""

    def __init__(self, place: str) -> None:
        self.place, self.faults = place, list[Fault]()

    def refuse(self, column: str, wanted: str) -> None:
        mend = "give the proof file as it was written"
        self.faults.append(Fault(self.place, f"must be {wanted}", mend, column=column))

    def mapping(self, value: object, column: str, keys: Sequence[str]) -> Mapping[str, Any]:
        if isinstance(value, dict) and sorted(value) == sorted(keys):
            return value
        self.refuse(column, f"an object with {', '.join(keys)} and nothing else")
        return {}

    def text(self, found: Mapping[str, Any], key: str, pattern: str, wanted: str, stand_in: str) -> str:
        value = found.get(key)
        if isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL):
            return value
        if found:
            self.refuse(key, wanted)
        return stand_in

    def whole(self, found: Mapping[str, Any], key: str, most: int) -> int:
        value = found.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        if found:
            self.refuse(key, f"a whole number of 0 to {most}")
        return 0

    def proof(self, document: object) -> Proof:
        top = self.mapping(document, "", ("format", "message", "address", "outputs", "signature"))
        if top and top["format"] != FORMAT:
            self.refuse("format", FORMAT)
        keys = ("purpose", "date", "network", "height", "block_hash", "outputs", "satoshi")
        message = self.message(self.mapping(top.get("message"), "message", keys) if top else {})
        rows = top.get("outputs", [])
        if top and not (isinstance(rows, list) and 1 <= len(rows) <= MOST_OUTPUTS):
            self.refuse("outputs", f"a list of 1 to {MOST_OUTPUTS} outputs")
            rows = []
        outputs = tuple(self.output(row, number) for number, row in enumerate(rows))
        address = self.text(top, "address", r"[0-9A-Za-z]{14,100}", "an address", "")
        signature = self.text(
            top, "signature", r"pof[0-9A-Za-z+/]+={0,2}", "a text that begins with pof", "pof"
        )
        return Proof(message, address, outputs, signature)

    def message(self, found: Mapping[str, Any]) -> ProofMessage:
        purpose = self.text(found, "purpose", rf".{{1,{_LONGEST_PURPOSE}}}", "a line", "?")
        if found and isinstance(found["purpose"], str) and _purpose_faults(purpose):
            self.refuse("purpose", "a line without signs that cannot be seen")
        network = self.text(found, "network", "|".join(get_args(Network)), "a network", "regtest")
        return ProofMessage(
            purpose,
            self.day(found),
            cast(Network, network),
            self.whole(found, "height", 2**31),
            self.text(found, "block_hash", _HEX32.pattern, "64 hexadecimal digits", "00" * 32),
            self.whole(found, "outputs", MOST_OUTPUTS),
            self.whole(found, "satoshi", MOST_SATOSHI),
        )

    def day(self, found: Mapping[str, Any]) -> dt.date:
        text = self.text(found, "date", r"\d{4}-\d{2}-\d{2}", "a day such as 2026-11-24", "1970-01-01")
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            self.refuse("date", "a day such as 2026-11-24")
            return dt.date(1970, 1, 1)

    def output(self, row: object, number: int) -> ReserveOutput:
        found = self.mapping(row, f"outputs[{number}]", ("txid", "vout", "satoshi", "script"))
        return ReserveOutput(
            Outpoint(
                self.text(found, "txid", _HEX32.pattern, "64 hexadecimal digits", "00" * 32),
                self.whole(found, "vout", 2**32 - 1),
            ),
            self.whole(found, "satoshi", MOST_SATOSHI),
            bytes.fromhex(self.text(found, "script", r"([0-9a-f]{2}){1,10000}", "hexadecimal bytes", "")),
        )


def challenge_of(proof: Proof, place: str) -> bytes:
    """The script of the address that the message is signed for. Raises ReserveError for no such address."""
    return script_of(proof.address, proof.message.network, place)
