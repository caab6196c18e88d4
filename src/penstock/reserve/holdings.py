"""What the watched wallets hold now: unspent outputs, with what their cosigners need to sign."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from penstock.country.faults import choices_hint, shown
from penstock.errors import Fault, ReserveError

from .descriptors import scripts
from .ledger import Transaction
from .proof import ReserveOutput
from .signing import signing_fields
from .transaction import Outpoint
from .wallet import Watched, WatchStore

__all__ = ["Holding", "change_script", "holdings", "signable"]

_STEP = 1_000  # scripts of a path that are derived at once


@dataclass(frozen=True, slots=True)
class Holding:
    """An unspent output of a watched wallet. height: of its block."""

    wallet: str
    outpoint: Outpoint
    satoshi: int
    script: bytes
    height: int


def holdings(transactions: Iterable[Transaction], wallets: Collection[str] = ()) -> tuple[Holding, ...]:
    """Unspent outputs by outpoint. wallets: names of those asked for; all where there is none."""
    found: dict[Outpoint, Holding] = {}
    spent: set[Outpoint] = set()
    for each in transactions:
        for vout, output in enumerate(each.outputs):
            if output.wallet is not None and (not wallets or output.wallet in wallets):
                place = Outpoint(each.txid, vout)
                found[place] = Holding(output.wallet, place, output.satoshi, output.script, each.height)
        spent.update(Outpoint(coin.txid, coin.vout) for coin in each.inputs)
    return tuple(found[place] for place in sorted(found) if place not in spent)


def signable(
    store: WatchStore, transactions: Iterable[Transaction], wallets: Collection[str] = ()
) -> tuple[ReserveOutput, ...]:
    """Unspent outputs with what their cosigners need; of a single address nothing is known but the address.

    transactions: of the store, all of one state.

    Raises ReserveError for a wallet that is not registered.
    """
    known = {watched.name: watched for watched in store.wallets()}
    refuse_unknown(known, wallets)
    held = holdings(transactions, wallets)
    rows = []
    for name in dict.fromkeys(one.wallet for one in held):
        mine = [one for one in held if one.wallet == name]
        fields = signing_fields(known[name].source, places_of(known[name], {one.script for one in mine}))
        rows += [
            ReserveOutput(one.outpoint, one.satoshi, one.script, fields.get(one.script, {})) for one in mine
        ]
    return tuple(sorted(rows, key=lambda row: row.outpoint))


def refuse_unknown(known: Mapping[str, Watched], wallets: Collection[str]) -> None:
    """Raises ReserveError naming every wallet that is not registered."""
    faults = [
        Fault("--wallet", "is not registered", choices_hint(name, known, "wallet"), value=shown(name))
        for name in wallets
        if name not in known
    ]
    if faults:
        raise ReserveError(faults)


def places_of(watched: Watched, wanted: Collection[bytes]) -> dict[bytes, tuple[int, int]]:
    """Path and index from which a wallet makes each script; ReserveError where it makes one nowhere."""
    found: dict[bytes, tuple[int, int]] = {}
    start = 0
    while len(found) < len(set(wanted)):
        rows = scripts(watched.source, start, start + _STEP)
        if start >= 1_000_000 or not any(rows):
            lost = next(script for script in wanted if script not in found)
            problem = f"does not make the script {lost.hex()}"
            raise ReserveError(Fault(f"wallet {watched.name}", problem, "watch it again"))
        for path, row in enumerate(rows):
            found |= {script: (path, start + place) for place, script in enumerate(row) if script in wanted}
        start += _STEP
    return found


def change_script(store: WatchStore, watched: Watched) -> tuple[bytes, int, int]:
    """The next script of a wallet that takes change, never used on the chain so far, with its path and index.

    The path of change where the descriptor has one, else that of receiving.

    Raises ReserveError for a wallet of one address or one script.
    """
    if not watched.source.ranged:
        problem = "has one script alone, so that change would show where it came from"
        mend = "pay from a wallet with a ranged descriptor, ending in /*"
        raise ReserveError(Fault(f"wallet {watched.name}", problem, mend))
    used = {output.script for each in store.transactions() for output in each.outputs}
    start = 0
    while True:
        rows = scripts(watched.source, start, start + _STEP)
        path = len(rows) - 1
        for place, script in enumerate(rows[path]):
            if script not in used:
                return script, path, start + place
        start += _STEP
