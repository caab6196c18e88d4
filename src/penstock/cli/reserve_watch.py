"""`penstock reserve watch` and `penstock reserve ledger`: watched wallets, and what moved in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import JsonOption
from penstock.cli.progress import progress
from penstock.cli.tables import show_rows, show_titled, table
from penstock.errors import Fault, ReserveError

if TYPE_CHECKING:
    from penstock.reserve.descriptors import Network, ScriptType, Source
    from penstock.reserve.ledger import Entry, Exposure
    from penstock.reserve.sync import Say, Synced
    from penstock.reserve.wallet import Block, Watched, WatchStore

__all__ = ["DatabaseOption", "ledger", "watch"]

DatabaseOption = Annotated[
    Path, typer.Option("--database", metavar="FILE", help="The register of watched wallets.")
]
DescriptorOption = Annotated[
    str | None,
    typer.Option("--descriptor", metavar="TEXT", help="Watch this output descriptor, public keys alone."),
]
KeyOption = Annotated[
    str | None, typer.Option("--xpub", metavar="KEY", help="Watch an account's extended public key.")
]
ScriptOption = Annotated[
    str | None,
    typer.Option("--script", metavar="KIND", help="Its kind of address. [pkh, sh-wpkh, wpkh or tr]"),
]
AddressOption = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="ADDRESS", help="Watch this address; may be repeated."),
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the wallet.")]
FirstOption = Annotated[
    int, typer.Option("--first-block", metavar="HEIGHT", min=0, help="No coin of it moved before this block.")
]
MiningOption = Annotated[
    bool, typer.Option("--mining", help="A mining pool pays to this wallet, and nobody else does.")
]
PayerOption = Annotated[
    list[str] | None,
    typer.Option("--pool", metavar="ADDRESS", help="A mining pool pays from here; may be repeated."),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="WHAT=NAME", help="Name who is behind a transaction id or an address."),
]
NetworkOption = Annotated[
    str | None,
    typer.Option("--network", help="Chain of a new register. [main, test, testnet4, signet or regtest]"),
]
NodeOption = Annotated[
    str | None, typer.Option("--node", metavar="URL", help="Read from this node's JSON-RPC.")
]
CookieOption = Annotated[
    Path | None, typer.Option("--cookie", metavar="FILE", help="Holds its user:password; the node's .cookie.")
]
ElectrumOption = Annotated[
    str | None, typer.Option("--electrum", metavar="URL", help="Read from this Electrum server.")
]
PeerOption = Annotated[
    str | None, typer.Option("--peer", metavar="HOST:PORT", help="Read block filters from this peer.")
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="WHEN", help="First day (YYYY-MM-DD, UTC) or block.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="WHEN", help="Last day (YYYY-MM-DD, UTC) or block, inclusive.")
]


def watch(
    database: DatabaseOption,
    descriptor: DescriptorOption = None,
    xpub: KeyOption = None,
    script: ScriptOption = None,
    address: AddressOption = None,
    name: NameOption = None,
    first_block: FirstOption = 0,
    mining: MiningOption = False,
    pool: PayerOption = None,
    label: LabelOption = None,
    network: NetworkOption = None,
    node: NodeOption = None,
    cookie: CookieOption = None,
    electrum: ElectrumOption = None,
    peer: PeerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register wallets by their public parts, read what moved in them, and show what they hold."""
    from penstock.reserve.ledger import balances
    from penstock.reserve.wallet import WatchStore

    _refuse_unclear(database, descriptor, xpub, script, address, name, node, cookie, electrum, peer)
    chain = _network(network, database)
    sources = _sources(chain, database, descriptor, xpub, script, address or ())
    with WatchStore(database, chain) as store:
        for number, source in enumerate(sources, start=1):
            called = name if name is None or len(sources) == 1 else f"{name} {number}"
            store.register(called, source, first_block, mining)
        _declare(store, pool or (), label or ())
        with progress() as say:
            synced = _sync(store, node, cookie, electrum, peer, say)
        tip, seen = store.snapshot()
        held = balances(seen)
        wallets = store.wallets()
    if as_json:
        print_json(_watch_document(chain or store.network, wallets, held, tip, synced))
        return
    rows = [(each.name, _kind(each), f"{held.get(each.name, 0):,}") for each in wallets]
    rows.append(("all", "", f"{sum(held.values()):,}"))
    shown = table("", ("wallet", "watched by", "satoshi"))
    for row in rows:
        shown.add_row(*row)
    show_titled(f"Watched on {store.network}, {_as_of(tip)}", shown)


def ledger(
    database: DatabaseOption, from_: FromOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """Class every movement of the watched wallets, and say what was bought net of transfers."""
    from penstock.reserve.ledger import classify, net_exposure, split_period
    from penstock.reserve.wallet import WatchStore

    period = _period(from_, to)
    with WatchStore(database) as store:
        tip, seen = store.snapshot()
        entries = classify(seen, store.mining(), store.labels())
        network = store.network
    _, within = split_period(entries, **period)
    exposure = net_exposure(entries, **period)
    if as_json:
        print_json(
            {
                "network": network,
                "tip": _block(tip),
                "period": {"from": from_, "to": to},
                "exposure": _exposure(exposure),
                "entries": [_entry(each, network) for each in within],
            }
        )
        return
    _show(within, exposure, network, tip)


# --- what is asked for --------------------------------------------------------------------------------


def _refuse_unclear(
    database: Path,
    descriptor: str | None,
    xpub: str | None,
    script: str | None,
    address: Sequence[str] | None,
    name: str | None,
    node: str | None,
    cookie: Path | None,
    electrum: str | None,
    peer: str | None,
) -> None:
    from penstock.reserve.secrets import refuse_secrets

    texts = [("--descriptor", descriptor), ("--xpub", xpub), ("--name", name), ("--script", script)]
    texts += [("--node", node), ("--electrum", electrum), ("--peer", peer)]
    texts += [("--address", each) for each in address or ()]
    for place, text in texts:
        if text is not None:
            refuse_secrets(text, place)
    faults = []
    if sum(each is not None for each in (descriptor, xpub)) + bool(address) > 1:
        problem = "of --descriptor, --xpub and --address one at a time can be given"
        faults.append(Fault("command line", problem, "ask once for each"))
    if script is not None and xpub is None:
        faults.append(Fault("--script", "belongs to --xpub", "leave it out, or give --xpub"))
    if name is not None and descriptor is None and xpub is None and not address:
        faults.append(Fault("--name", "names nothing", "give --descriptor, --xpub or --address"))
    if not database.is_file() and descriptor is None and xpub is None and not address:
        problem = f"{database} does not exist, and nothing is to be watched"
        faults.append(Fault("--database", problem, "give --descriptor, --xpub or --address"))
    if sum(each is not None for each in (node, electrum, peer)) > 1:
        problem = "of --node, --electrum and --peer one can be given"
        faults.append(Fault("command line", problem, "choose one"))
    if (node is None) != (cookie is None):
        faults.append(Fault("--cookie", "goes with --node", "give both or neither"))
    if faults:
        raise ReserveError(faults)


def _network(told: str | None, database: Path) -> Network | None:
    """The network that was told; the main one for a new register; None where an old one knows its own."""
    from penstock.reserve.descriptors import NETWORKS

    if told is None:
        return None if database.is_file() else "main"
    found = next((each for each in NETWORKS if each == told), None)
    if found is None:
        raise ReserveError(
            Fault("--network", "is not known", f"use one of {', '.join(NETWORKS)}", value=told)
        )
    return found


def _sources(
    network: Network | None,
    database: Path,
    descriptor: str | None,
    xpub: str | None,
    script: str | None,
    addresses: Sequence[str],
) -> list[Source]:
    """What is to be watched. All of it is checked before a register is made."""
    from penstock.reserve.descriptors import read_address, read_descriptor, read_extended_key
    from penstock.reserve.wallet import WatchStore

    if network is None:
        with WatchStore(database) as store:
            network = store.network
    if descriptor is not None:
        return [read_descriptor(descriptor, network, "--descriptor")]
    if xpub is not None:
        return [read_extended_key(xpub, _script(script), network, "--xpub")]
    return [read_address(each, network, "--address") for each in addresses]


def _script(told: str | None) -> ScriptType | None:
    from penstock.reserve.descriptors import SCRIPT_TYPES

    if told is None:
        return None
    found = next((each for each in SCRIPT_TYPES if each == told), None)
    if found is None:
        mend = f"use one of {', '.join(SCRIPT_TYPES)}"
        raise ReserveError(Fault("--script", "is not known", mend, value=told))
    return found


def _declare(store: WatchStore, pools: Sequence[str], labels: Sequence[str]) -> None:
    from penstock.reserve.descriptors import read_address, scripts
    from penstock.reserve.secrets import refuse_secrets

    for pool in pools:
        store.declare_payer(read_address(pool, store.network, "--pool"))
    for told in labels:
        what, _, label = told.partition("=")
        refuse_secrets(label, "--label")
        if not re.fullmatch(r"[0-9a-f]{64}", what):
            what = scripts(read_address(what, store.network, "--label"), 0, 1)[0][0].hex()
        store.label(what, label)


def _sync(
    store: WatchStore,
    node: str | None,
    cookie: Path | None,
    electrum: str | None,
    peer: str | None,
    say: Say,
) -> Synced | None:
    if node is not None and cookie is not None:
        from penstock.reserve.node_rpc import NodeRpc
        from penstock.reserve.sync import sync_node

        return sync_node(store, NodeRpc(node, cookie), say)
    from penstock.reserve.light_sync import sync_electrum, sync_peer

    if electrum is not None:
        return sync_electrum(store, electrum, say)
    return None if peer is None else sync_peer(store, peer, say)


def _period(start: str | None, end: str | None) -> dict[str, Any]:
    """The period as `split_period` takes it. Raises ReserveError for what is neither a day nor a block."""
    found: dict[str, Any] = {}
    for option, edge, told in (("--from", "from", start), ("--to", "to", end)):
        if told is None:
            continue
        if re.fullmatch(r"\d{1,8}", told):
            found[f"{edge}_height"] = int(told)
            continue
        try:
            found[f"{edge}_date"] = date.fromisoformat(told)
        except ValueError:
            problem = "is neither a day nor the height of a block"
            raise ReserveError(Fault(option, problem, "give YYYY-MM-DD or a height", value=told)) from None
    return found


# --- what is shown ------------------------------------------------------------------------------------


def _kind(watched: Watched) -> str:
    return watched.source.text.partition("(")[0] if watched.source.kind == "descriptor" else "address"


def _as_of(tip: Block | None) -> str:
    return "not yet read" if tip is None else f"as of block {tip.height:,}"


def _block(block: Block | None) -> dict[str, Any] | None:
    return None if block is None else {"height": block.height, "hash": block.hash}


def _watch_document(
    network: str,
    wallets: Sequence[Watched],
    held: dict[str, int],
    tip: Block | None,
    synced: Synced | None,
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "network": network,
        "tip": _block(tip),
        "wallets": [
            {
                "name": each.name,
                "kind": each.source.kind,
                "text": each.source.text,
                "first_block": each.first_block,
                "mining": each.mining,
                "satoshi": held.get(each.name, 0),
            }
            for each in wallets
        ],
        "satoshi": sum(held.values()),
        "read": None if synced is None else asdict(synced),
    }


def _exposure(exposure: Exposure) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(exposure), "purchases": exposure.purchases}


def _entry(entry: Entry, network: Network) -> dict[str, Any]:
    from dataclasses import asdict

    from penstock.reserve.descriptors import address_of
    from penstock.reserve.ledger import day_of

    shown = asdict(entry)
    shown["script"] = entry.script.hex()
    shown["address"] = address_of(entry.script, network) if entry.script else ""
    shown["day"] = day_of(entry).isoformat()
    shown["flags"] = list(entry.flags)
    return shown


def _show(entries: Sequence[Entry], exposure: Exposure, network: Network, tip: Block | None) -> None:
    from penstock.reserve.ledger import day_of

    shown = table("", ("block", "day", "wallet", "class", "satoshi", "counterparty", "rule"), numbers=False)
    shown.columns[4].justify = "right"
    for each in entries:
        cells = (f"{each.height:,}", day_of(each).isoformat(), each.wallet, each.kind, f"{each.satoshi:+,}")
        shown.add_row(*cells, each.counterparty, " ".join((each.rule, *each.flags)))
    show_titled(f"Ledger on {network}, {_as_of(tip)}", shown)
    rows = [
        ("opening balance", exposure.opening),
        ("external inflow", exposure.inflow),
        ("external outflow", exposure.outflow),
        ("net purchases, at most: inflow and outflow", exposure.purchases),
        ("internal transfers", exposure.internal),
        ("mining income", exposure.mining),
        ("fees", exposure.fee),
        ("closing balance", exposure.closing),
    ]
    show_rows("Over the period", [(label, "satoshi", f"{value:,}") for label, value in rows])
