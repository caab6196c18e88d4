"""Brings the register of watched wallets up to date without a node of one's own, through `bdkpython`.

A peer that serves compact block filters (BIP-157) learns which blocks are read, not which addresses; headers
are checked against the proof of work. An Electrum server learns every address and can leave
transactions out: take your own.

The whole history is read anew each time, and put in the place of the one before in one step, so a
reorganisation or an interruption leaves nothing half done. Descriptors alone: the library watches no single
address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from penstock.errors import Fault, ReserveError
from penstock.reserve.descriptors import library
from penstock.reserve.ledger import Input, Output, Transaction
from penstock.reserve.secrets import refuse_secrets
from penstock.reserve.sync import Say, Synced, refuse_behind
from penstock.reserve.wallet import GAP, Block, Watched, WatchStore

if TYPE_CHECKING:
    import bdkpython

__all__ = ["sync_electrum", "sync_peer"]

Found = TypeVar("Found")

_ATTEMPTS = 5  # times that blocks may come in between the wallets
_BATCH = 25  # scripts asked for together


def sync_electrum(store: WatchStore, url: str, say: Say | None = None, timeout_s: int = 30) -> Synced:
    """Reads the history of all wallets from an Electrum server.

    url: tcp://host:port on loopback, ssl://host:port anywhere.

    Raises ReserveError where the server does not answer, is of another chain or has not caught up, or where a
    single address is registered.
    """
    refuse_secrets(url, "--electrum")
    found = re.fullmatch(r"(tcp|ssl)://([\w.\-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", url)
    if found is None:
        raise ReserveError(
            Fault("--electrum", "is no address", "give ssl://host:50002 or tcp://127.0.0.1:50001")
        )
    if found[1] == "tcp" and found[2] not in ("127.0.0.1", "localhost", "[::1]"):
        problem = "tcp would tell the addresses of the reserve to everybody on the way"
        raise ReserveError(Fault("--electrum", problem, "use ssl://", value=url))
    with store.lock():
        wallets = _wallets(store)
        client = _or_refuse(lambda: library().ElectrumClient(url, None, timeout_s, 1, True), url)
        genesis = _or_refuse(lambda: str(client.server_features().genesis_hash), url)
        store.pin(genesis)

        def read(wallet: bdkpython.Wallet) -> None:
            request = wallet.start_full_scan().build()
            wallet.apply_update(client.full_scan(request, GAP, _BATCH, False))

        return _read_all(store, wallets, read, url, say, "electrum")


def sync_peer(store: WatchStore, peer: str, say: Say | None = None, timeout_s: float = 3_600.0) -> Synced:
    """Reads the history of all wallets from one peer of the network that serves compact block filters.

    peer: address:port; a literal address of IPv4 or IPv6, for a name would be told to a resolver.
    timeout_s: longest wait for a wallet, s.

    Raises ReserveError where the peer does not answer, serves no filters or has not caught up, or where a
    single address is registered.
    """
    refuse_secrets(peer, "--peer")
    host, _, port = peer.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        number = int(port)
    except ValueError:
        address, number = None, 0
    if address is None or not 0 < number < 65_536:
        raise ReserveError(Fault("--peer", "is no address with a port", "give 192.0.2.1:8333, say"))
    bdk = library()
    if address.version == 4:
        told = bdk.IpAddress.from_ipv4(*address.packed)
    else:
        told = bdk.IpAddress.from_ipv6(*(int(part, 16) for part in address.exploded.split(":")))
    with store.lock():
        wallets = _wallets(store)

        def read(wallet: bdkpython.Wallet) -> None:
            one = bdk.Peer(address=told, port=number, v2_transport=False)
            _filters(wallet, one, store, peer, say, timeout_s)

        return _read_all(store, wallets, read, peer, say, "peer")


def _filters(
    wallet: bdkpython.Wallet,
    peer: bdkpython.Peer,
    store: WatchStore,
    place: str,
    say: Say | None,
    timeout_s: float,
) -> None:
    """Reads the history of one wallet. Raises ReserveError where the peer gives none."""
    bdk = library()
    first = min(each.first_block for each in store.wallets())
    start = bdk.RecoveryPoint.GENESIS_BLOCK()
    if store.network == "main" and first >= 709_632:
        start = bdk.RecoveryPoint.TAPROOT_ACTIVATION()
    elif store.network == "main" and first >= 481_824:
        start = bdk.RecoveryPoint.SEGWIT_ACTIVATION()
    scan = bdk.ScanType.RECOVERY(used_script_index=GAP, checkpoint=start)
    builder = bdk.CbfBuilder().connections(1).peers([peer]).only_configured_peers().scan_type(scan)
    parts = builder.configure_timeout_millis(5_000, 30_000).build(wallet)
    waiting = _Waiting(parts.client, say)
    parts.node.run()
    threading.Thread(target=waiting.run, daemon=True).start()
    try:
        waiting.done.wait(timeout_s)
    finally:
        with suppress(bdk.CbfError):  # it has stopped by itself
            parts.client.shutdown()
    if waiting.update is None:
        problem = waiting.problem or f"gave no block filters in {timeout_s:g} s"
        raise ReserveError(Fault(place, problem, "name a peer that serves them (-peerblockfilters=1)"))
    wallet.apply_update(waiting.update)


class _Waiting:
    """Waits for a peer: for its update, or for a warning after which none can come."""

    def __init__(self, client: bdkpython.CbfClient, say: Say | None) -> None:
        self.client, self.say = client, say
        self.done = threading.Event()
        self.update: bdkpython.Update | None = None
        self.problem = ""

    def run(self) -> None:
        """The work of a thread of its own."""
        try:
            asyncio.run(self._all())
        finally:
            self.done.set()

    async def _all(self) -> None:
        update = asyncio.ensure_future(self.client.update())
        others = [asyncio.ensure_future(each) for each in (self._warnings(), self._progress())]
        await asyncio.wait([update, others[0]], return_when=asyncio.FIRST_COMPLETED)
        if update.done() and update.exception() is None:
            self.update = update.result()
        self.done.set()
        for each in (update, *others):
            each.cancel()
        # Errors of a node that has stopped by now: the missing update tells of them.
        await asyncio.gather(update, *others, return_exceptions=True)

    async def _warnings(self) -> None:
        while True:
            warning = await self.client.next_warning()
            if warning.is_could_not_connect():
                self.problem = "does not answer"
            elif warning.is_no_compact_filters():
                self.problem = "serves no block filters"
            if self.problem:
                return

    async def _progress(self) -> None:
        while True:
            told = await self.client.next_info()
            if self.say is not None and told.is_progress():
                self.say(f"block filters to {told.chain_height:,}", told.filters_downloaded_percent / 100)


def _wallets(store: WatchStore) -> dict[str, bdkpython.Wallet]:
    """The library's wallets, in memory, by name. Raises ReserveError where it cannot watch one."""
    bdk = library()
    watched = store.wallets()
    if not watched:
        raise ReserveError(Fault(str(store.path), "holds no wallet", "register one with --descriptor"))
    faults = [
        Fault(each.name, "is a single address, which is watched through a node alone", "use --node")
        for each in watched
        if each.source.kind == "address"
    ]
    if faults:
        raise ReserveError(faults)
    names = {
        "main": "BITCOIN",
        "test": "TESTNET",
        "testnet4": "TESTNET4",
        "signet": "SIGNET",
        "regtest": "REGTEST",
    }
    network = getattr(bdk.Network, names[store.network])
    return {each.name: _wallet(each, network) for each in watched}


def _wallet(watched: Watched, network: bdkpython.Network) -> bdkpython.Wallet:
    bdk = library()
    kind = bdk.NetworkKind.MAIN if watched.source.network == "main" else bdk.NetworkKind.TEST
    parsed = bdk.Descriptor(watched.source.text, kind)
    singles = parsed.to_single_descriptors() if parsed.is_multipath() else [parsed]
    memory = bdk.Persister.new_in_memory()
    if len(singles) > 2:
        problem = "has more than two paths, which are watched through a node alone"
        raise ReserveError(Fault(watched.name, problem, "use --node"))
    if len(singles) == 2:
        made: bdkpython.Wallet = bdk.Wallet(singles[0], singles[1], network, memory, GAP)
        return made
    single: bdkpython.Wallet = bdk.Wallet.create_single(singles[0], network, memory, GAP)
    return single


def _or_refuse(ask: Callable[[], Found], place: str) -> Found:
    """What the library gives; its errors as ours, without its words."""
    kind = ""
    try:
        return ask()
    except ReserveError:
        raise
    except Exception as error:  # of the library: a class for each call
        kind = type(error).__name__
    problem = f"did not answer as it should ({kind})"
    raise ReserveError(Fault(place, problem, "see that it runs, and ask again; what was seen is kept"))


def _read_all(
    store: WatchStore,
    wallets: Mapping[str, bdkpython.Wallet],
    read: Callable[[bdkpython.Wallet], None],
    place: str,
    say: Say | None,
    source: str,
) -> Synced:
    tips: set[str] = set()
    for _ in range(_ATTEMPTS):
        for number, (name, wallet) in enumerate(wallets.items()):
            if say is not None:
                say(f"wallet {name}", number / len(wallets))
            _or_refuse(partial(read, wallet), place)
        tips = {str(wallet.latest_checkpoint().hash) for wallet in wallets.values()}
        if len(tips) == 1:
            break
    if len(tips) != 1:
        raise ReserveError(Fault(place, "gave each wallet another chain", "ask again later"))
    blocks = {point.height: str(point.hash) for wallet in wallets.values() for point in wallet.checkpoints()}
    before = store.tip()
    top = max(blocks)
    if before is not None and top < before.height:
        known = {each.height: each.hash for each in store.blocks()}
        if all(known.get(height, told) == told for height, told in blocks.items()):
            raise refuse_behind(place, top, before)
    seen = _transactions(wallets)
    rewound = _common_height(store, blocks)
    store.replace([Block(height, blocks[height]) for height in sorted(blocks)], seen)
    return Synced(Block(top, blocks[top]), top + 1, 0, len(seen), rewound, source)


def _common_height(store: WatchStore, blocks: Mapping[int, str]) -> int | None:
    """The last height of both chains, where the new one lacks a block that was seen; None otherwise."""
    pairs = [
        (each.height, each.hash == blocks[each.height]) for each in store.blocks() if each.height in blocks
    ]
    if all(same for _, same in pairs):
        return None
    return max((height for height, same in pairs if same), default=-1)


def _transactions(wallets: Mapping[str, bdkpython.Wallet]) -> list[Transaction]:
    """Confirmed transactions of all wallets, each once, those that pay before those that spend from them."""
    found: dict[str, tuple[bdkpython.Transaction, int, int]] = {}
    for wallet in wallets.values():
        for each in wallet.transactions():
            if each.chain_position.is_confirmed():
                at = each.chain_position.confirmation_block_time
                found[str(each.transaction.compute_txid())] = (
                    each.transaction,
                    int(at.block_id.height),
                    int(at.confirmation_time),
                )
    amounts = {
        (txid, vout): (int(output.value.to_sat()), bytes(output.script_pubkey.to_bytes()))
        for txid, (told, _, _) in found.items()
        for vout, output in enumerate(told.output())
    }
    made = []
    for position, txid in enumerate(_in_order(found)):
        told, height, time = found[txid]
        coinbase = bool(told.is_coinbase())
        inputs = []
        for each in () if coinbase else told.input():
            key = (str(each.previous_output.txid), int(each.previous_output.vout))
            satoshi, script = amounts.get(key, (None, None))
            inputs.append(Input(*key, satoshi, script, None))
        outputs = tuple(Output(*amounts[txid, vout], None) for vout in range(len(told.output())))
        made.append(Transaction(txid, height, position, time, coinbase, tuple(inputs), outputs))
    return made


def _in_order(found: Mapping[str, tuple[bdkpython.Transaction, int, int]]) -> Iterable[str]:
    """Transaction ids by height; in a block, a transaction after all that it spends from."""
    placed: dict[str, None] = {}
    for start in sorted(found, key=lambda txid: (found[txid][1], txid)):
        waiting = [start]
        while waiting:
            txid = waiting[-1]
            missing = [
                parent
                for each in found[txid][0].input()
                if (parent := str(each.previous_output.txid)) in found and parent not in placed
            ]
            if missing:
                waiting += missing
            else:
                placed.setdefault(waiting.pop())
    return placed
