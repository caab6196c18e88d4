"""A node's chain goes through Bitcoin Core's engine in this process, payments of the reserve among it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pbk
import pytest

from penstock.reserve.descriptors import scripts
from penstock.reserve.payout import Payee, plan_payouts
from penstock.reserve.proof import ReserveOutput
from penstock.reserve.psbt import combine, finish
from penstock.reserve.signing import signing_fields
from tests.real_node import RealNode, why_not

from .chain import OUTSIDE, fund, outside

pytestmark = [
    pytest.mark.xdist_group("kernel-node"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


def test_the_engine_takes_the_chain_with_a_payment_of_the_reserve_and_no_forged_one(tmp_path: Path) -> None:
    with RealNode(tmp_path / "node") as node:
        outside(node)
        held = fund(node, [5_000_000, 7_000_000], name="kernel")
        fields = signing_fields(held.source, held.places)
        coins = [ReserveOutput(out, satoshi, script, fields[script]) for out, satoshi, script in held.outputs]
        change = scripts(held.source, 30, 31)[1][0]
        payee = Payee("a", node.rpc("getnewaddress", wallet=OUTSIDE), 6_000_000)
        [batch] = plan_payouts([payee], coins, source=held.source, change=(change, {}), fee_rate=3.0)
        signed = [held.cosigners[who].sign(batch.psbt, held.descriptor) for who in (1, 2)]
        raw = node.rpc("finalizepsbt", finish(combine(signed)).base64())["hex"]
        txid = node.rpc("sendrawtransaction", raw)
        [last] = node.mine(1)
        top = node.rpc("getblockcount")
        blocks = [
            bytes.fromhex(node.rpc("getblock", node.rpc("getblockhash", height), 0))
            for height in range(1, top + 1)
        ]
        assert txid in node.rpc("getblock", last)["tx"]
    manager = pbk.load_chainman(tmp_path / "engine", pbk.ChainType.REGTEST)
    for block in blocks[:-1]:
        manager.process_block(pbk.Block(block))
    chain = manager.get_active_chain()
    assert chain.height == top - 1
    # One bit of the first cosigner's signature in the payment, everything else as it was.
    signature = bytes.fromhex(raw).index(b"\x30\x44") if b"\x30\x44" in bytes.fromhex(raw) else -1
    if signature < 0:
        signature = bytes.fromhex(raw).index(b"\x30\x45")
    place = blocks[-1].index(bytes.fromhex(raw)) + signature + 20
    forged = bytearray(blocks[-1])
    forged[place] ^= 1
    with contextlib.suppress(pbk.ProcessBlockException):
        manager.process_block(pbk.Block(bytes(forged)))
    assert manager.get_active_chain().height == top - 1
    manager.process_block(pbk.Block(blocks[-1]))
    assert manager.get_active_chain().height == top
