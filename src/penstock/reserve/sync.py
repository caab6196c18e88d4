"""Brings the register of watched wallets up to date from a node's RPC.

The node is asked which blocks can touch a watched script (its block filters, BIP-157 and BIP-158); where it
keeps none, every block is read. Blocks are taken in batches, each written whole or not at all, and only if
the node's chain still holds the block that the batch stands on. After a reorganisation what was seen is
forgotten back to the last block that both have. Sources without a node: `penstock.reserve.light_sync`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import Fault, ReserveError
from penstock.reserve.ledger import Input, Output, Transaction
from penstock.reserve.node_rpc import NodeRefusalError, NodeRpc, check_node, satoshi
from penstock.reserve.wallet import Block, WatchStore

__all__ = ["Say", "Synced", "refuse_behind", "sync_node"]

Say = Callable[[str, float], None]  # what is done now, and how far it is, 0 to 1

FILTERED = 5_000  # blocks of a batch where the node has filters
READ = 50  # blocks of a batch where each is read whole
_DEEP = 100  # blocks below the end of a batch whose hashes are kept: deeper reorganisations read more again
_ATTEMPTS = 20  # times that the chain may change under a batch


@dataclass(frozen=True, slots=True)
class Synced:
    """What bringing up to date did.

    tip: last block. blocks: blocks gone through. read: of these, those read whole.
    transactions: found, that touch a wallet. rewound: height that was gone back to; None where it was not.
    source: "filters", "blocks", "electrum" or "peer".
    """

    tip: Block
    blocks: int
    read: int
    transactions: int
    rewound: int | None
    source: str


class _MovedError(Exception):
    """The node's chain changed while a batch was read."""


def sync_node(store: WatchStore, node: NodeRpc, say: Say | None = None, batch: int | None = None) -> Synced:
    """Reads what is new on a node's chain into the register.

    say: called with what is done and how far it is. batch: blocks of a batch, instead of the usual number.

    It may be stopped at any moment, and goes on from the last whole batch.

    Raises ReserveError where the node does not answer, is of another chain or another proof of work, has not
    caught up, or another process is at work on the file.
    """
    with store.lock():
        info = node.call("getblockchaininfo")
        chain = check_node(node.call("getnetworkinfo"), str(info["chain"]))
        if chain != store.network:
            problem = f"is on network {chain!r}, and the wallets are of {store.network!r}"
            raise ReserveError(Fault(node.url, problem, "name a node of that network"))
        if not store.wallets():
            raise ReserveError(Fault(str(store.path), "holds no wallet", "register one with --descriptor"))
        store.pin(str(node.call("getblockhash", 0)))
        return _follow(store, node, say or (lambda _step, _part: None), batch)


def _follow(store: WatchStore, node: NodeRpc, say: Say, batch: int | None) -> Synced:
    scan = _Scan(node, store)
    rewound: int | None = None
    blocks = found = attempts = 0
    while True:
        back = _go_back(store, node)
        rewound = back if rewound is None else min(rewound, rewound if back is None else back)
        top = int(node.call("getblockcount"))
        try:
            for done, count in scan.batches(top, batch):
                blocks += done.blocks
                found += count
                say(f"block {done.height:,} of {top:,}", done.height / max(top, 1))
        except _MovedError:
            attempts += 1
            if attempts > _ATTEMPTS:
                problem = f"changed its chain {attempts} times while it was read"
                raise ReserveError(Fault(node.url, problem, "ask again later")) from None
            continue
        tip = store.tip()
        if tip is not None and int(node.call("getblockcount")) <= tip.height:
            return Synced(tip, blocks, scan.read, found, rewound, "filters" if scan.filters else "blocks")


def _go_back(store: WatchStore, node: NodeRpc) -> int | None:
    """Forgets blocks that the node's chain does not hold; the height gone back to, None where none were.

    Raises ReserveError where the node merely has not caught up.
    """
    count = int(node.call("getblockcount"))
    above: Block | None = None
    foreign = False
    for block in store.blocks():
        if block.height > count:
            above = above or block
            continue
        if node.call("getblockhash", block.height) == block.hash:
            if above is not None and not foreign:
                raise refuse_behind(node.url, count, above)
            if above is None and not foreign:
                return None
            store.rewind(block.height)
            return block.height
        foreign = True
    if above is not None or foreign:
        store.rewind(-1)
        return -1
    return None


def refuse_behind(place: str, height: int, seen: Block) -> ReserveError:
    """What is refused where a source has fewer blocks than were seen, and none that differs."""
    problem = f"has {height:,} blocks, and {seen.height:,} were seen before: it has not caught up"
    return ReserveError(Fault(place, problem, "wait for it; what was seen is kept"))


@dataclass(frozen=True, slots=True)
class _Batch:
    height: int
    blocks: int


class _Scan:
    """Reads blocks from a node. read: blocks read whole. filters: whether the node has them."""

    def __init__(self, node: NodeRpc, store: WatchStore) -> None:
        self.node, self.store = node, store
        self.filters = _has_filters(node)
        self.read = 0

    def batches(self, top: int, size: int | None) -> Iterable[tuple[_Batch, int]]:
        """Goes up to height `top`; what was done and how many transactions were found, batch by batch."""
        first = min(each.first_block for each in self.store.wallets())
        while True:
            after = self.store.tip()
            start = max(first, 0) if after is None else after.height + 1
            if start > top:
                if after is None:  # nothing to read yet: the wallets begin above the tip
                    raise ReserveError(
                        Fault(
                            self.node.url, f"ends at block {top:,}, below the wallets' first", "wait for it"
                        )
                    )
                return
            stop = min(top, start + (size or (FILTERED if self.filters else READ)) - 1)
            yield self._batch(after, start, stop)

    def _batch(self, after: Block | None, start: int, stop: int) -> tuple[_Batch, int]:
        end = self._hash(stop)
        while True:
            watched = set(self.store.scripts())
            heights = self._heights(watched, start, stop, end)
            hashes = self._hashes([*heights, *range(max(start, stop - _DEEP), stop + 1)])
            seen = [each for height in heights for each in self._read(hashes[height], height, watched)]
            # An address near the end of what is watched was used: watch more, and look again.
            if not self.store.reach(_used(seen, watched)):
                break
        # One chain held all of it: its end is still there, and so is what it stands on.
        if self._hash(stop) != end or hashes[stop] != end:
            raise _MovedError
        if after is not None and self._hash(after.height) != after.hash:
            raise _MovedError
        blocks = [Block(height, hashes[height]) for height in sorted(hashes)]
        self.store.append(after, blocks, seen)
        return _Batch(stop, stop - start + 1), len(seen)

    def _hash(self, height: int) -> str:
        return self._hashes([height])[height]

    def _hashes(self, heights: Iterable[int]) -> dict[int, str]:
        wanted = sorted(set(heights))
        try:
            told = self.node.calls("getblockhash", [[height] for height in wanted])
        except NodeRefusalError as error:
            if error.code in _NO_SUCH_BLOCK:
                raise _MovedError from None
            raise
        return {height: str(each) for height, each in zip(wanted, told, strict=True)}

    def _heights(self, watched: set[bytes], start: int, stop: int, end: str) -> Sequence[int]:
        """Heights of blocks that may touch a watched script. end: hash of block `stop`."""
        if not self.filters:
            return range(start, stop + 1)
        wanted = [f"raw({script.hex()})" for script in sorted(watched)]
        try:
            # Filters are made behind the chain, and a search passes over blocks that have none yet without a
            # word. This call waits for them, and fails where the last block has none.
            self.node.call("getblockfilter", end)
            answer = self.node.call("scanblocks", "start", wanted, start, stop, "basic")
        except NodeRefusalError as error:
            if error.code in _NO_SUCH_BLOCK and error.code not in _NO_FILTERS:
                raise _MovedError from None
            if error.code not in _NO_FILTERS:
                raise
            self.filters = False  # from now on by whole blocks, in smaller batches
            raise _MovedError from None
        if not answer.get("completed", True):
            raise ReserveError(Fault(self.node.url, "broke off the search of its filters", "ask again"))
        try:
            headers = self.node.calls("getblockheader", [[each] for each in answer["relevant_blocks"]])
        except NodeRefusalError:
            raise _MovedError from None
        return sorted(int(each["height"]) for each in headers)

    def _read(self, block_hash: str, height: int, watched: set[bytes]) -> list[Transaction]:
        """Transactions of a block that touch a watched script."""
        try:
            block = self.node.call("getblock", block_hash, 3)
        except NodeRefusalError as error:
            if error.code in _NO_SUCH_BLOCK:
                raise _MovedError from None
            raise
        self.read += 1
        if int(block["height"]) != height:
            raise _MovedError
        return [
            _transaction(each, height, position, int(block["time"]), self.node.url)
            for position, each in enumerate(block["tx"])
            # The coins of the first block of all cannot be spent, and are in nobody's balance.
            if height > 0 and _touches(each, watched)
        ]


def _has_filters(node: NodeRpc) -> bool:
    try:
        told = node.call("getindexinfo", "basic block filter index")
    except NodeRefusalError:
        return False
    return any(bool(each.get("synced")) for each in told.values())


_NO_SUCH_BLOCK = {-5, -8}  # no such hash; no such height
_NO_FILTERS = {-1, -8, -32601}  # no such index; a search of somebody else is under way; no such method


def _touches(told: dict[str, Any], watched: set[bytes]) -> bool:
    if any(bytes.fromhex(each["scriptPubKey"]["hex"]) in watched for each in told["vout"]):
        return True
    return any(
        "coinbase" not in each and ("prevout" not in each or _script(each["prevout"]) in watched)
        for each in told["vin"]
    )


def _script(output: dict[str, Any]) -> bytes:
    return bytes.fromhex(output["scriptPubKey"]["hex"])


def _transaction(told: dict[str, Any], height: int, position: int, time: int, place: str) -> Transaction:
    coinbase = position == 0
    inputs = []
    for each in () if coinbase else told["vin"]:
        if "prevout" not in each:
            problem = (
                f"does not tell what block {height:,} spends: it is older than Bitcoin Core 25, or pruned"
            )
            raise ReserveError(Fault(place, problem, "use a node that keeps its blocks"))
        spent = each["prevout"]
        coin = Input(str(each["txid"]), int(each["vout"]), satoshi(spent["value"]), _script(spent), None)
        inputs.append(coin)
    outputs = tuple(Output(satoshi(each["value"]), _script(each), None) for each in told["vout"])
    return Transaction(str(told["txid"]), height, position, time, coinbase, tuple(inputs), outputs)


def _used(seen: Iterable[Transaction], watched: set[bytes]) -> set[bytes]:
    return {output.script for each in seen for output in each.outputs if output.script in watched}
