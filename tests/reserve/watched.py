"""Wallets for the tests of watching: keys from fixed seeds, on test networks, of no value."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from penstock.reserve.ledger import Entry, classify
from penstock.reserve.node_rpc import NodeRpc
from penstock.reserve.wallet import WatchStore
from tests.real_node import RealNode


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
