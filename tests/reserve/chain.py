"""A little chain for the tests of proofs: a 2-of-3 wallet funded from outside, on a real node."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from penstock.reserve.descriptors import Source, address_of, read_descriptor, scripts
from penstock.reserve.proof import (
    Proof,
    ProofMessage,
    ReserveOutput,
    finish_proof,
    prepare_proof,
    with_transactions,
)
from penstock.reserve.psbt import Psbt
from penstock.reserve.signing import signing_fields
from penstock.reserve.transaction import Outpoint, read_transaction
from tests.real_node import RealNode

from .cosigners import Cosigner, multisig

PURPOSE = "the lender's review of 2026"
OUTSIDE = "outside"  # wallet of the node that stands for the rest of the world


@dataclass(frozen=True)
class Asked:
    """A node as `verify_proof` asks it."""

    node: RealNode

    def call(self, method: str, *parameters: Any) -> Any:
        return self.node.rpc(method, *parameters)


@dataclass(frozen=True)
class Held:
    """A 2-of-3 wallet and what it holds. places: (path, index) of each script."""

    cosigners: list[Cosigner]
    descriptor: str
    source: Source
    outputs: list[tuple[Outpoint, int, bytes]]
    places: dict[bytes, tuple[int, int]]


def outside(node: RealNode) -> None:
    """A wallet of somebody else with coins to spend."""
    node.rpc("createwallet", OUTSIDE)
    node.mine(101, node.rpc("getnewaddress", wallet=OUTSIDE))


def fund(node: RealNode, each: list[int], name: str = "ministry") -> Held:
    """A new 2-of-3 wallet, one output of so many satoshi after the other on both paths; mines a block."""
    cosigners = [Cosigner(f"{name} {number}") for number in range(3)]
    descriptor = multisig(2, cosigners)
    source = read_descriptor(descriptor, "regtest", "test")
    found = scripts(source, 0, len(each))
    outputs, places = [], {}
    for number, satoshi in enumerate(each):
        path, index = number % 2, number // 2
        script = found[path][index]
        places[script] = (path, index)
        txid = node.rpc(
            "sendtoaddress", address_of(script, "regtest"), f"{satoshi / 1e8:.8f}", wallet=OUTSIDE
        )
        raw = node.rpc("gettransaction", txid, wallet=OUTSIDE)["hex"]
        if txid not in node.rpc("getrawmempool"):  # made and not taken: once more, and with the reason
            node.rpc("sendrawtransaction", raw)
        sent = read_transaction(bytes.fromhex(raw), "funding")
        [vout] = [place for place, row in enumerate(sent.outputs) if row.script == script]
        outputs.append((Outpoint(txid, vout), satoshi, script))
    node.mine(1)
    return Held(cosigners, descriptor, source, outputs, places)


def prepared(node: RealNode, held: Held, purpose: str = PURPOSE) -> tuple[ProofMessage, Psbt]:
    """The message of today's chain and the PSBT to be signed."""
    fields = signing_fields(held.source, held.places)
    rows = [ReserveOutput(out, satoshi, script, fields[script]) for out, satoshi, script in held.outputs]
    tip = node.rpc("getbestblockhash")
    header = node.rpc("getblockheader", tip)
    day = dt.datetime.fromtimestamp(header["time"], dt.UTC).date()
    return prepare_proof(
        with_transactions(rows, Asked(node)),
        purpose=purpose,
        date=day,
        network="regtest",
        height=header["height"],
        block_hash=tip,
    )


def proved(node: RealNode, held: Held, purpose: str = PURPOSE) -> Proof:
    """The finished proof, signed by the first and the third."""
    message, psbt = prepared(node, held, purpose)
    signed = [held.cosigners[who].sign(psbt, held.descriptor) for who in (0, 2)]
    return finish_proof(message, psbt, signed)
