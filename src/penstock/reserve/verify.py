"""Checks a proof of reserve with nothing but its file and a node.

Each check that fails is named by a reason, so that a reader knows whether a file was changed, a signature is
missing, a coin was spent, or an old proof is shown again. Scripts are checked by Bitcoin Core's engine in
this process; the node is asked for its chain and its unspent outputs alone.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from penstock.errors import Fault, ReserveError

from .bip322 import Signed, check_signature, read_signature
from .proof import Proof, ReserveOutput, challenge_of, read_proof
from .statement import purpose_of
from .transaction import Outpoint, TxOutput

__all__ = [
    "MOST_AGE_BLOCKS",
    "CheckedOutput",
    "Failure",
    "Node",
    "Reason",
    "Verification",
    "verify_proof",
    "verify_statement",
]

#: Blocks by which a proof may be behind the node's chain where nothing else is asked: about 30 days.
MOST_AGE_BLOCKS = 4_320
_ROUNDS = 5  # times that all outputs are asked for again because a block came between
_DAYS_APART = 2  # between the date of the proof and the time of its block

Reason = Literal[
    "wrong network",
    "node is behind",
    "unknown block",
    "old proof",
    "other purpose",
    "wrong date",
    "message and outputs differ",
    "malformed signature",
    "missing signature",
    "wrong signature",
    "changed amount",
    "other script",
    "spent or never there",
    "younger than the proof",
    "output listed twice",
    "movement not on the chain",
    "movement differs",
]


class Node(Protocol):
    """What is asked of a node."""

    def call(self, method: str, *parameters: Any) -> Any:
        """The result of a JSON-RPC method."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that failed. place: the output, input or field."""

    reason: Reason
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CheckedOutput:
    """An output of the proof as the node knows it. height: of its block; None where it is not there."""

    outpoint: Outpoint
    satoshi: int
    height: int | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    satoshi: that the reserve controls: of the outputs that hold; what is claimed stands in the proof.
    tip: height of the node's chain when the outputs were looked up.
    """

    proof: Proof
    satoshi: int
    tip: int
    outputs: tuple[CheckedOutput, ...]
    failures: tuple[Failure, ...]

    @property
    def holds(self) -> bool:
        """Whether no check failed."""
        return not self.failures


def verify_proof(
    proof: Proof,
    node: Node,
    *,
    purpose: str | None = None,
    not_before: int | None = None,
    most_age: int = MOST_AGE_BLOCKS,
) -> Verification:
    """Every check of a proof; none stops the others.

    purpose: that the proof must be for; None for any. not_before: least height of its block.
    most_age: most blocks that the node's chain may be ahead of it.

    Raises ReserveError where the address of the proof is none, and whatever the node's client raises.
    """
    failures = [*_chain_failures(proof, node), *_claim_failures(proof)]
    if not failures:
        failures += _age_failures(proof, node, purpose, not_before, most_age)
    bad = list(_signature_failures(proof))
    tip, known = _look_up(proof.outputs, node)
    checked, lost = _output_failures(proof, known, tip)
    failures += [*bad, *lost]
    broken = {failure.place for failure in failures}
    whole = any(failure.place in ("proof", "signature") for failure in failures)
    holding = [
        row.satoshi
        for row in checked
        if row.height is not None and str(row.outpoint) not in broken and not whole
    ]
    return Verification(proof, sum(holding), tip, tuple(checked), tuple(failures))


def verify_statement(
    document: Mapping[str, Any],
    node: Node,
    *,
    place: str,
    not_before: int | None = None,
    most_age: int = MOST_AGE_BLOCKS,
) -> Verification:
    """Every check of a signed statement: its proof, that the proof signs it, and every movement on the chain.

    document: as `read_statement` gives it, its sums checked. place: of the document, for messages.

    A node that keeps no old blocks cannot show old movements; they fail then.

    Raises ReserveError where it is not signed, and what `verify_proof` raises.
    """
    if document["proof"] is None:
        mend = "penstock reserve prove --statement FILE, then penstock reserve statement --proof"
        raise ReserveError(Fault(place, "is not signed: it holds no proof", mend))
    proof = read_proof(json.dumps(document["proof"]).encode(), f"{place}, proof")
    found = verify_proof(proof, node, purpose=purpose_of(document), not_before=not_before, most_age=most_age)
    return replace(found, failures=(*found.failures, *_movement_failures(document["rows"], node)))


def _movement_failures(rows: Sequence[Mapping[str, Any]], node: Node) -> Iterator[Failure]:
    """Rows of a statement that the chain does not show, or shows otherwise."""
    by_transaction: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_transaction.setdefault((row["block_hash"], row["txid"]), []).append(row)
    for (block_hash, txid), mine in by_transaction.items():
        try:
            told = node.call("getrawtransaction", txid, 1, block_hash)
            there = node.call("getblockhash", mine[0]["height"]) == block_hash
        except ReserveError:
            there = False
        if not there:
            said = f"{txid} is not in block {mine[0]['height']} of the node's chain."
            yield Failure("movement not on the chain", txid, said)
            continue
        sums: dict[int, int] = {}
        for row in mine:
            if row["vout"] is not None:
                sums[row["vout"]] = sums.get(row["vout"], 0) + abs(row["satoshi"])
        outputs = {output["n"]: output for output in told["vout"]}
        for vout, satoshi in sums.items():
            value = round(outputs[vout]["value"] * 100_000_000) if vout in outputs else None
            if value != satoshi:
                said = f"{txid}:{vout} moves {value} satoshi on the chain, {satoshi} in the statement."
                yield Failure("movement differs", f"{txid}:{vout}", said)


def _chain_failures(proof: Proof, node: Node) -> Iterator[Failure]:
    message, chain = proof.message, node.call("getblockchaininfo")
    if chain["chain"] != message.network:
        said = f"The proof is of the network {message.network}, the node is of {chain['chain']}."
        yield Failure("wrong network", "proof", said)
        return
    if chain["initialblockdownload"] and message.network != "regtest":
        yield Failure("node is behind", "proof", "The node is still catching up; ask again when it is done.")
    if message.height > chain["blocks"]:
        said = f"The proof names block {message.height}, the node has {chain['blocks']}."
        yield Failure("unknown block", "proof", said)
    elif node.call("getblockhash", message.height) != message.block_hash:
        said = f"Block {message.height} of the node's chain is another than the proof names."
        yield Failure("unknown block", "proof", said)


def _age_failures(
    proof: Proof, node: Node, purpose: str | None, not_before: int | None, most_age: int
) -> Iterator[Failure]:
    message = proof.message
    tip = node.call("getblockcount")
    age = tip - message.height
    if age > most_age:
        said = f"The proof is of block {message.height}, {age} blocks ago; {most_age} are allowed."
        yield Failure("old proof", "proof", said)
    if not_before is not None and message.height < not_before:
        said = f"The proof is of block {message.height}; one of {not_before} or later was asked for."
        yield Failure("old proof", "proof", said)
    if purpose is not None and message.purpose != purpose:
        said = f"The proof is for {message.purpose!r}, not for {purpose!r}."
        yield Failure("other purpose", "proof", said)
    header = node.call("getblockheader", message.block_hash)
    day = dt.datetime.fromtimestamp(header["time"], dt.UTC).date()
    if abs((message.date - day).days) > _DAYS_APART:
        said = (
            f"The proof is dated {message.date}, its block is of {day}; {_DAYS_APART} days apart are allowed."
        )
        yield Failure("wrong date", "proof", said)


def _claim_failures(proof: Proof) -> Iterator[Failure]:
    message, outputs = proof.message, proof.outputs
    total = sum(row.satoshi for row in outputs)
    if (message.count, message.satoshi) != (len(outputs), total):
        said = (
            f"The message speaks of {message.count} outputs and {message.satoshi} satoshi; "
            f"{len(outputs)} and {total} are listed."
        )
        yield Failure("message and outputs differ", "proof", said)
    seen = set()
    for row in outputs:
        if row.outpoint in seen:
            yield Failure("output listed twice", str(row.outpoint), f"{row.outpoint} is listed twice.")
        seen.add(row.outpoint)


def _signature_failures(proof: Proof) -> Iterator[Failure]:
    """What BIP-322 asks for, input by input, and that the signature is of the listed outputs."""
    message = proof.message.text.encode()
    challenge = challenge_of(proof, "proof, address")
    try:
        signed = read_signature(proof.signature, message, challenge)
    except ReserveError as error:
        for fault in error.faults:
            yield Failure("malformed signature", "signature", f"{fault.place} {fault.problem}.")
        return
    listed = [row.outpoint for row in proof.outputs]
    if [row.outpoint for row in signed.transaction.inputs[1:]] != listed:
        said = "The signature is of other outputs than those listed."
        yield Failure("message and outputs differ", "signature", said)
        return
    lacking = [
        index for index, row in enumerate(signed.transaction.inputs) if not row.witness and not row.script
    ]
    for index in lacking:
        yield Failure("missing signature", _place(index, listed), f"{_what(index, listed)} is not signed.")
    if not lacking:
        yield from _rule_failures(proof, signed, message, challenge, listed)


def _rule_failures(
    proof: Proof, signed: Signed, message: bytes, challenge: bytes, listed: Sequence[Outpoint]
) -> Iterator[Failure]:
    try:
        spent = check_signature(signed, message, challenge)
    except ReserveError as error:
        for fault in error.faults:
            yield _rule_failure(fault, listed)
        return
    for row, output in zip(proof.outputs, spent[1:], strict=True):
        if TxOutput(row.satoshi, row.script) != output:
            said = f"{row.outpoint} is listed with another amount or script than is signed."
            yield Failure("changed amount", str(row.outpoint), said)


def _rule_failure(fault: Fault, listed: Sequence[Outpoint]) -> Failure:
    head, _, number = fault.place.rpartition("input ")
    if not head or not number.isdigit():
        return Failure("wrong signature", "signature", f"The signature {fault.problem}.")
    said = f"{_what(int(number), listed)} {fault.problem}."
    return Failure("wrong signature", _place(int(number), listed), said)


def _place(index: int, listed: Sequence[Outpoint]) -> str:
    return "signature" if index == 0 else str(listed[index - 1])


def _what(index: int, listed: Sequence[Outpoint]) -> str:
    return "The message" if index == 0 else f"Output {listed[index - 1]}"


def _look_up(outputs: Sequence[ReserveOutput], node: Node) -> tuple[int, list[dict[str, Any] | None]]:
    """Height of the chain, and every output as the node has it at that height; None where it is not unspent.

    Raises ReserveError where blocks come so fast that all cannot be looked up at one height.
    """
    for _ in range(_ROUNDS):
        best = node.call("getbestblockhash")
        found = [node.call("gettxout", row.outpoint.txid, row.outpoint.vout, False) for row in outputs]
        if node.call("getbestblockhash") == best:
            return int(node.call("getblockheader", best)["height"]), found
    problem = f"took in a block in each of {_ROUNDS} rounds while outputs were looked up"
    raise ReserveError(Fault("node", problem, "ask again when it is quiet"))


def _output_failures(
    proof: Proof, known: Sequence[dict[str, Any] | None], tip: int
) -> tuple[list[CheckedOutput], list[Failure]]:
    checked, failures = [], []
    for row, found in zip(proof.outputs, known, strict=True):
        if found is None:
            said = f"{row.outpoint} is spent, or was never there."
            failures.append(Failure("spent or never there", str(row.outpoint), said))
            checked.append(CheckedOutput(row.outpoint, row.satoshi, None))
            continue
        height = tip - int(found["confirmations"]) + 1
        checked.append(CheckedOutput(row.outpoint, row.satoshi, height))
        satoshi = round(found["value"] * 100_000_000)
        if satoshi != row.satoshi:
            said = f"{row.outpoint} holds {satoshi} satoshi on the chain, {row.satoshi} in the proof."
            failures.append(Failure("changed amount", str(row.outpoint), said))
        if bytes.fromhex(found["scriptPubKey"]["hex"]) != row.script:
            said = f"{row.outpoint} has another script on the chain than in the proof."
            failures.append(Failure("other script", str(row.outpoint), said))
        if height > proof.message.height:
            said = f"{row.outpoint} came in block {height}, after the proof's block {proof.message.height}."
            failures.append(Failure("younger than the proof", str(row.outpoint), said))
    return checked, failures
