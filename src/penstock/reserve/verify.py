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
from typing import Any, Literal

from penstock.errors import Fault, ReserveError

from .bip322 import Signed, check_form, input_problems, read_signature, to_sign
from .node_rpc import satoshi
from .proof import Node, Proof, ReserveOutput, challenge_of, read_proof
from .scripts import shows_another_key, unbound
from .statement import purpose_of
from .transaction import Outpoint, TxOutput

__all__ = [
    "MOST_AGE_BLOCKS",
    "CheckedOutput",
    "Failure",
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
    "wrong address",
    "malformed signature",
    "other message",
    "missing signature",
    "foreign key",
    "wrong signature",
    "bound to no message",
    "changed amount",
    "other script",
    "spent or never there",
    "younger than the proof",
    "output listed twice",
    "movement not on the chain",
    "movement differs",
]


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
    """Every check of a proof; one that fails stops only those that would say nothing without it.

    purpose: that the proof must be for; None for any. not_before: least height of its block.
    most_age: most blocks that the node's chain may be ahead of it.

    Raises whatever the node's client raises.
    """
    failures = list(_chain_failures(proof, node))
    if not failures:
        failures += _time_failures(proof, node, most_age)
    failures += [*_asked_failures(proof, purpose, not_before), *_claim_failures(proof)]
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
            told = node.call("getrawtransaction", txid, 2, block_hash)
            there = node.call("getblockhash", mine[0]["height"]) == block_hash
        except ReserveError:
            there = False
        if not there:
            said = f"{txid} is not in block {mine[0]['height']} of the node's chain."
            yield Failure("movement not on the chain", txid, said)
            continue
        yield from _odd_rows(txid, mine, told)
        sums: dict[int, int] = {}
        for row in mine:
            if row["vout"] is not None:
                sums[row["vout"]] = sums.get(row["vout"], 0) + abs(row["satoshi"])
        outputs = {output["n"]: output for output in told["vout"]}
        for vout, stated in sums.items():
            value = satoshi(outputs[vout]["value"]) if vout in outputs else None
            if value != stated:
                said = f"{txid}:{vout} moves {value} satoshi on the chain, {stated} in the statement."
                yield Failure("movement differs", f"{txid}:{vout}", said)


def _odd_rows(txid: str, rows: Sequence[Mapping[str, Any]], told: Mapping[str, Any]) -> Iterator[Failure]:
    """Rows whose class the chain itself contradicts: what was mined, and the fee."""
    mined = "coinbase" in told["vin"][0]
    if mined != any(row["rule"] == "coinbase" for row in rows):
        said = f"{txid} is {'a' if mined else 'no'} coinbase, the statement says otherwise."
        yield Failure("movement differs", txid, said)
    fees = [row["satoshi"] for row in rows if row["rule"] == "own-fee"]
    if fees and "fee" in told and -sum(fees) != round(told["fee"] * 100_000_000):
        fee = round(told["fee"] * 100_000_000)
        said = f"{txid} paid {fee} satoshi in fees on the chain, {-sum(fees)} in the statement."
        yield Failure("movement differs", txid, said)


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


def _time_failures(proof: Proof, node: Node, most_age: int) -> Iterator[Failure]:
    """Against the chain, of which the proof's block is one."""
    message = proof.message
    age = node.call("getblockcount") - message.height
    if age > most_age:
        said = f"The proof is of block {message.height}, {age} blocks ago; {most_age} are allowed."
        yield Failure("old proof", "proof", said)
    header = node.call("getblockheader", message.block_hash)
    day = dt.datetime.fromtimestamp(header["time"], dt.UTC).date()
    if abs((message.date - day).days) > _DAYS_APART:
        said = (
            f"The proof is dated {message.date}, its block is of {day}; {_DAYS_APART} days apart are allowed."
        )
        yield Failure("wrong date", "proof", said)


def _asked_failures(proof: Proof, purpose: str | None, not_before: int | None) -> Iterator[Failure]:
    """Against what the verifier asks for."""
    message = proof.message
    if not_before is not None and message.height < not_before:
        said = f"The proof is of block {message.height}; one of {not_before} or later was asked for."
        yield Failure("old proof", "proof", said)
    if purpose is not None and message.purpose != purpose:
        said = f"The proof is for {message.purpose!r}, not for {purpose!r}."
        yield Failure("other purpose", "proof", said)


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
    message, listed = proof.message.text.encode(), [row.outpoint for row in proof.outputs]
    try:
        challenge = challenge_of(proof, "address")
    except ReserveError as error:
        yield from _of_faults("wrong address", "proof", error)
        return
    if challenge != proof.outputs[0].script:
        said = "The message is signed for another address than that of the first output."
        yield Failure("wrong address", "proof", said)
    try:
        signed = read_signature(proof.signature, message, challenge)
    except ReserveError as error:
        yield from _of_faults("malformed signature", "signature", error)
        return
    expected = to_sign(message, challenge, listed)
    found = signed.transaction.unsigned
    if found.inputs[0].outpoint != expected.inputs[0].outpoint:
        said = "The signature is of another message than the proof's, or for another address."
        yield Failure("other message", "signature", said)
    elif [row.outpoint for row in found.inputs] != [row.outpoint for row in expected.inputs]:
        said = "The signature is of other outputs than those listed."
        yield Failure("message and outputs differ", "signature", said)
    elif found != expected:
        said = "The signed transaction is not the one of a proof: version, locks or outputs differ."
        yield Failure("malformed signature", "signature", said)
    else:
        yield from _input_failures(proof, signed, message, challenge, listed)


def _of_faults(reason: Reason, place: str, error: ReserveError) -> Iterator[Failure]:
    for fault in error.faults:
        yield Failure(reason, place, f"The {fault.place} {fault.problem}.")


def _input_failures(
    proof: Proof, signed: Signed, message: bytes, challenge: bytes, listed: Sequence[Outpoint]
) -> Iterator[Failure]:
    """Each input by itself: one that is not signed leaves the others to be checked."""
    try:
        spent = check_form(signed, message, challenge, "signature")
    except ReserveError as error:
        yield from _of_faults("malformed signature", "signature", error)
        return
    problems = input_problems(signed.transaction, spent)
    elsewhere = unbound(signed.transaction, spent)
    for index, (row, output) in enumerate(zip(signed.transaction.inputs, spent, strict=True)):
        what, place = _what(index, listed), _place(index, listed)
        if not row.witness and not row.script:
            yield Failure("missing signature", place, f"{what} is not signed.")
        elif index not in problems:
            if not elsewhere.problem(index):
                said = f"{what} is satisfied under any message, so that nobody signed this one."
                yield Failure("bound to no message", place, said)
        elif shows_another_key(row, output.script, proof.message.network):
            said = f"{what} is signed with a key that is not one of its own."
            yield Failure("foreign key", place, said)
        else:
            yield Failure("wrong signature", place, f"{what} {problems[index]}.")
        if index and output != TxOutput(proof.outputs[index - 1].satoshi, proof.outputs[index - 1].script):
            said = f"{place} is listed with another amount or script than is signed."
            yield Failure("changed amount", place, said)


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
        held = satoshi(found["value"])
        if held != row.satoshi:
            said = f"{row.outpoint} holds {held} satoshi on the chain, {row.satoshi} in the proof."
            failures.append(Failure("changed amount", str(row.outpoint), said))
        if bytes.fromhex(found["scriptPubKey"]["hex"]) != row.script:
            said = f"{row.outpoint} has another script on the chain than in the proof."
            failures.append(Failure("other script", str(row.outpoint), said))
        if height > proof.message.height:
            said = f"{row.outpoint} came in block {height}, after the proof's block {proof.message.height}."
            failures.append(Failure("younger than the proof", str(row.outpoint), said))
    return checked, failures
