"""Wallets for the tests of watching: keys from fixed seeds, on test networks, of no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from penstock.reserve.descriptors import Source, address_of, checksum, read_descriptor, scripts
from penstock.reserve.ledger import Entry, classify
from penstock.reserve.node_rpc import NodeRpc
from penstock.reserve.wallet import WatchStore
from tests.real_node import RealNode

from .cosigners import Cosigner, multisig


@cache
def account_key(seed: int) -> str:
    """An extended public key from a fixed seed, at m/48h/1h/0h/2h."""
    import bdkpython as bdk

    words = bdk.Mnemonic.from_entropy(seed.to_bytes(16, "big"))
    secret = bdk.DescriptorSecretKey(bdk.NetworkKind.TEST, words, None)
    public = str(secret.derive(bdk.DerivationPath("m/48h/1h/0h/2h")).as_public())
    return public.partition("]")[2].removesuffix("/*")


@cache
def multisig_of(seed: int) -> str:
    """A 2-of-3 of three keys from fixed seeds, with receiving and change addresses."""
    keys = ",".join(f"{account_key(10 * seed + number)}/<0;1>/*" for number in range(3))
    return f"wsh(sortedmulti(2,{keys}))"


OUTSIDE = "outside"  # wallet of the node that stands for the rest of the world


def outside(node: RealNode) -> str:
    """An address of somebody else, who has coins of 101 blocks once this was called first.

    100 blocks of nobody follow, so that a coin of theirs stays spendable when some blocks are taken back.
    """
    if OUTSIDE not in node.rpc("listwallets"):
        node.rpc("createwallet", OUTSIDE)
        node.mine(101, node.rpc("getnewaddress", wallet=OUTSIDE))
        node.mine(100)
    address: str = node.rpc("getnewaddress", wallet=OUTSIDE)
    return address


class Treasury:
    """A 2-of-3 whose cosigners sign one after the other, each with a private key of its own."""

    def __init__(self, name: str) -> None:
        self.cosigners = [Cosigner(f"{name} {number}") for number in range(3)]
        self.descriptor = multisig(2, self.cosigners)
        self.source: Source = read_descriptor(self.descriptor, "regtest", "test")

    def address(self, place: int, change: bool = False) -> str:
        return address_of(scripts(self.source, place, place + 1)[change][0], "regtest")

    def sign(self, node: RealNode, psbt: str, who: Sequence[int] = (0, 2)) -> str:
        for number in who:
            one = self.cosigners[number]
            mine = self.descriptor.replace(one.public, one.private)
            whole = f"{mine}#{checksum(mine)}"
            psbt = node.rpc(
                "descriptorprocesspsbt", psbt, [{"desc": whole, "range": 50}], "ALL", True, False
            )["psbt"]
        return psbt


def send(node: RealNode, psbt: str) -> str:
    done = node.rpc("finalizepsbt", psbt)
    assert done["complete"]
    txid: str = node.rpc("sendrawtransaction", done["hex"])
    return txid


def coins(amount: int) -> str:
    """Satoshi as the node takes them."""
    return f"{amount // 10**8}.{amount % 10**8:08d}"


def fund(node: RealNode, pays: Mapping[str, int]) -> str:
    """The rest of the world pays satoshi to addresses, in one transaction."""
    amounts = {address: coins(amount) for address, amount in pays.items()}
    txid: str = node.rpc("sendmany", "", amounts, wallet=OUTSIDE)
    return txid


def place_of(node: RealNode, txid: str, address: str) -> dict[str, Any]:
    """The output of a transaction that pays to an address, as `createpsbt` takes it."""
    told = node.rpc("getrawtransaction", txid, True)
    (vout,) = [each["n"] for each in told["vout"] if each["scriptPubKey"].get("address") == address]
    return {"txid": txid, "vout": vout}


def draft(node: RealNode, spends: list[dict[str, Any]], pays: Mapping[str, int]) -> str:
    """A transaction of these coins to these addresses, to be signed."""
    amounts = [{address: coins(amount)} for address, amount in pays.items()]
    psbt: str = node.rpc("utxoupdatepsbt", node.rpc("createpsbt", spends, amounts))
    return psbt


def rpc(node: RealNode) -> NodeRpc:
    return NodeRpc(node.url, node.cookie)


def ledger_of(path: Path) -> tuple[Entry, ...]:
    with WatchStore(path) as store:
        return classify(store.transactions(), store.mining(), store.labels())


def sums(entries: tuple[Entry, ...]) -> dict[tuple[str, str], int]:
    """Satoshi by wallet and class."""
    found: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry.wallet, entry.kind)
        found[key] = found.get(key, 0) + entry.satoshi
    return found
