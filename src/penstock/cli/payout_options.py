"""Options of `penstock payout`, and what is made of them: the journal, the orders, the rails."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.reserve_options import node_of, read_file
from penstock.errors import Fault, InputError

if TYPE_CHECKING:
    from penstock.inclusion.payouts.bank import Bank
    from penstock.inclusion.payouts.cipher import Cipher
    from penstock.inclusion.payouts.journal import Journal
    from penstock.inclusion.payouts.onchain import OnChain, Signer
    from penstock.inclusion.payouts.orders import Orders
    from penstock.reserve.psbt import Psbt

__all__ = [
    "Chain",
    "JournalOption",
    "KeyOption",
    "PasswordOption",
    "RunOption",
    "bank_of",
    "budget_faults",
    "chain_of",
    "journal_of",
    "money",
    "orders_of",
    "signer_of",
    "utc_now",
]

RunOption = Annotated[
    str, typer.Option("--run", metavar="NAME", help="Name of the run; nobody is paid twice in it.")
]
JournalOption = Annotated[
    str,
    typer.Option(
        "--journal", metavar="FILE_OR_URL", help="Journal: a file, or postgresql://user@host/database."
    ),
]
KeyOption = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="Key of the journal (penstock payout key).")
]
PasswordOption = Annotated[
    Path | None,
    typer.Option("--journal-password", metavar="FILE", help="File with the password of PostgreSQL."),
]


def utc_now() -> str:
    """The time as 2026-11-24T09:30:00Z."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def journal_of(url: str, key: Path, password: Path | None) -> Iterator[tuple[Journal, Cipher]]:
    """The journal, open, and what encrypts it."""
    _extra()
    from penstock.inclusion.payouts.cipher import read_key
    from penstock.inclusion.payouts.journal import Journal

    secret = None
    if password is not None:
        secret = read_file(password, "--journal-password").decode("utf-8", "replace").strip()
    cipher = read_key(key)
    with Journal(url, cipher, utc_now, secret) as journal:
        yield journal, cipher


def _extra() -> None:
    try:
        import alembic  # noqa: F401
        import cryptography  # noqa: F401
        import sqlalchemy  # noqa: F401
    except ImportError as error:
        mend = 'install them: pip install "penstock[payouts]"'
        raise InputError(
            Fault("penstock payout", f"needs a package that is missing: {error.name}", mend)
        ) from None


def orders_of(path: Path, network: str, currency: str, same: bool) -> Orders:
    """The file of a run, read and checked. Raises InputError where it cannot be read at all."""
    _extra()
    from penstock.inclusion.payouts.orders import MOST_BYTES, read_orders
    from penstock.reserve.descriptors import NETWORKS

    chosen = next((each for each in NETWORKS if each == network), None)
    if chosen is None:
        mend = f"give one of {', '.join(NETWORKS)}"
        raise InputError(Fault("--network", "is not known", mend, value=network))
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
        raise InputError(Fault(str(path), problem, "name a file that is there")) from None
    return read_orders(
        data, str(path), network=chosen, now_s=int(time.time()), currency=currency.upper(), same=same
    )


def money(text: str, option: str) -> tuple[str, int]:
    """A budget such as 500000SAT or 25000.00PKR: its currency, and the sum in its least unit.

    Raises InputError for another text.
    """
    import re

    from penstock.inclusion.payouts.pain001 import minor_digits

    found = re.fullmatch(r"([0-9]{1,16})(?:\.([0-9]{1,3}))? ?([A-Z]{3})", text.upper())
    digits = 0 if found is None or found[3] == "SAT" else minor_digits(found[3])
    if found is None or len(found[2] or "") > digits:
        raise InputError(Fault(option, "is no sum of money", "write 500000SAT or 25000.00PKR", value=text))
    return found[3], int(found[1] + (found[2] or "").ljust(digits, "0"))


def budget_faults(totals: Mapping[str, int], budgets: Sequence[str]) -> list[Fault]:
    """What is asked for beyond the budget, and currencies without one."""
    from penstock.inclusion.payouts.orders import amount_text

    given = dict(money(text, "--budget") for text in budgets)
    faults = []
    for currency, total in sorted(totals.items()):
        if currency not in given:
            problem = f"{amount_text(total, currency)} are to be paid, and no budget is given for {currency}"
            faults.append(Fault("--budget", problem, "say how much may be paid at most, e.g. 500000SAT"))
        elif total > given[currency]:
            over = amount_text(total - given[currency], currency)
            problem = f"is overdrawn by {over}: {amount_text(total, currency)} are to be paid"
            told = amount_text(given[currency], currency)
            faults.append(Fault("--budget", problem, "leave out rows, or raise the budget", value=told))
    return faults


@dataclass(frozen=True, slots=True)
class Chain:
    """Options of the on-chain rail, as they were given."""

    database: Path | None
    wallet: str
    node: str | None
    cookie: Path | None
    confirmations: int


@contextmanager
def chain_of(given: Chain, network: str) -> Iterator[OnChain]:
    """The on-chain rail, its register open. Raises InputError naming every option that is missing."""
    from penstock.inclusion.payouts.onchain import OnChain
    from penstock.reserve.wallet import WatchStore

    asked = {"--database": given.database, "--node": given.node, "--cookie": given.cookie}
    faults = [
        Fault(name, "is missing", "give it: the run pays on-chain")
        for name, value in asked.items()
        if not value
    ]
    if not 1 <= given.confirmations <= 1_000:
        problem = "must be 1 to 1000 [blocks]"
        faults.append(Fault("--confirmations", problem, "6 is common", value=str(given.confirmations)))
    if faults or given.database is None or given.node is None or given.cookie is None:
        raise InputError(faults)
    with WatchStore(given.database) as store:
        if store.network != network:
            problem = f"watches wallets of {store.network!r}, and the run is of {network!r}"
            raise InputError(Fault("--database", problem, "name another, or another --network"))
        yield OnChain(store, node_of(given.node, given.cookie), given.wallet, given.confirmations)


def signer_of(given: Chain, node_wallet: str | None, signed: Sequence[Path], unsigned: Path | None) -> Signer:
    """Who signs: a wallet of the node, files that cosigners sent back, or nobody yet.

    unsigned: folder into which what waits for signatures is written.
    """
    from penstock.inclusion.payouts import onchain

    if node_wallet is not None and given.node is not None and given.cookie is not None:
        from urllib.parse import quote

        from penstock.reserve.node_rpc import NodeRpc

        return onchain.node_wallet(
            NodeRpc(f"{given.node}/wallet/{quote(node_wallet, safe='')}", given.cookie)
        )
    from_files = onchain.psbt_files([read_file(path, "--signed") for path in signed], "--signed")

    def sign(planned: Psbt) -> Psbt | None:
        found = from_files(planned)
        if found is None and unsigned is not None:
            unsigned.mkdir(parents=True, exist_ok=True)
            path = unsigned / f"{planned.transaction.txid}.psbt"
            path.write_text(planned.base64() + "\n", "ascii")
            path.chmod(0o600)
        return found

    return sign


def bank_of(name: str, account: str, day: str, out: Path) -> Bank:
    """The bank rail, its debtor checked."""
    from penstock.inclusion.payouts.bank import Bank
    from penstock.inclusion.payouts.pain001 import Party

    try:
        dt.date.fromisoformat(day)
    except ValueError:
        raise InputError(Fault("--execution-date", "is no day", "write 2026-11-25", value=day)) from None
    found = Bank(Party(name, account), day, out)
    found.refuse()
    return found
