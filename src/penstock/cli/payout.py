"""`penstock payout`: pays a list of people, each once, and goes on after any break."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import JsonOption
from penstock.cli.payout_options import (
    Chain,
    JournalOption,
    KeyOption,
    PasswordOption,
    RunOption,
    bank_of,
    budget_faults,
    chain_of,
    journal_of,
    orders_of,
    signer_of,
    utc_now,
)
from penstock.cli.reserve_options import read_file
from penstock.cli.reserve_words import RefusingGroup
from penstock.cli.tables import console, table
from penstock.errors import Fault, InputError

if TYPE_CHECKING:
    from penstock.inclusion.payouts.journal import Journal
    from penstock.inclusion.payouts.orders import Orders

__all__ = ["payout"]

payout = typer.Typer(
    name="payout",
    help="Pay a list of people, each exactly once: on-chain, or by a file for a bank or operator.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=RefusingGroup,
)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV of beneficiaries: id, rail, amount, destination.")
]
NetworkOption = Annotated[
    str, typer.Option(metavar="NAME", help="Bitcoin network: main, test, signet, regtest.")
]
CurrencyOption = Annotated[str, typer.Option(metavar="CODE", help="Currency of bank rows that name none.")]
SameOption = Annotated[
    bool, typer.Option("--same-destination", help="One destination may stand in several rows.")
]
LeaveOption = Annotated[
    bool, typer.Option("--leave-out-bad", help="Pay the good rows although others are bad; those are listed.")
]
BudgetOption = Annotated[
    list[str] | None,
    typer.Option(metavar="SUM", help="Most that may be paid, e.g. 500000SAT; once for each currency."),
]
DatabaseOption = Annotated[
    Path | None, typer.Option("--database", metavar="FILE", help="On-chain: database of watched wallets.")
]
WalletOption = Annotated[
    str, typer.Option("--wallet", metavar="NAME", help="On-chain: watched wallet that pays.")
]
NodeOption = Annotated[
    str | None, typer.Option("--node", metavar="URL", help="On-chain: JSON-RPC of a node.")
]
CookieOption = Annotated[
    Path | None, typer.Option("--cookie", metavar="FILE", help="On-chain: the node's cookie file.")
]
FeeOption = Annotated[float, typer.Option(metavar="RATE", help="On-chain: fee. [satoshi per virtual byte]")]
BatchOption = Annotated[
    int, typer.Option("--batch", metavar="N", help="On-chain: payees of one transaction.")
]
DepthOption = Annotated[
    int, typer.Option("--confirmations", metavar="N", help="On-chain: blocks after which it is paid.")
]
NodeWalletOption = Annotated[
    str | None, typer.Option("--node-wallet", metavar="NAME", help="On-chain: wallet of the node that signs.")
]
SignedOption = Annotated[
    list[Path] | None,
    typer.Option("--signed", metavar="FILE", help="On-chain: a signed PSBT; may be repeated."),
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for PSBTs and messages to a bank.")
]
DebtorOption = Annotated[str, typer.Option(metavar="NAME", help="Bank: holder of the account that pays.")]
AccountOption = Annotated[str, typer.Option(metavar="IBAN", help="Bank: account that pays.")]
DayOption = Annotated[str | None, typer.Option(metavar="DAY", help="Bank: day of payment. Default: today.")]


@payout.command()
def key(path: Annotated[Path, typer.Argument(metavar="FILE", help="File that is made.")]) -> None:
    """Make the key that encrypts a journal's personal data. It moves no money. Keep it."""
    from penstock.inclusion.payouts.cipher import make_key

    make_key(path)
    console().print(f"Wrote {path}. Without it nobody can go on with a run of its journal.", soft_wrap=True)


@payout.command()
def check(
    file: FileArgument,
    network: NetworkOption = "main",
    currency: CurrencyOption = "PKR",
    budget: BudgetOption = None,
    same_destination: SameOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check every row of a file, pay nobody."""
    orders = orders_of(file, network, currency, same_destination)
    faults = [*orders.faults, *(budget_faults(orders.totals(), budget) if budget else [])]
    if faults:
        raise InputError(faults)
    _show_orders(orders, as_json)


def _show_orders(orders: Orders, as_json: bool) -> None:
    from rich.text import Text

    from penstock.inclusion.payouts.orders import amount_text

    sums: dict[tuple[str, str], list[int]] = {}
    for order in orders.good:
        row = sums.setdefault((order.rail, order.currency), [0, 0])
        row[0] += 1
        row[1] += order.amount
    if as_json:
        totals = [
            {"rail": rail, "currency": unit, "payments": number, "amount": amount}
            for (rail, unit), (number, amount) in sorted(sums.items())
        ]
        print_json({"schema_version": 1, "file_sha256": orders.file_sha256, "good": totals})
        return
    shown = table("To be paid", ("rail", "payments", "sum"))
    for (rail, unit), (number, amount) in sorted(sums.items()):
        shown.add_row(Text(rail), str(number), Text(amount_text(amount, unit)))
    console().print(shown)


@payout.command()
def run(
    file: FileArgument,
    run: RunOption,
    journal: JournalOption,
    key: KeyOption,
    journal_password: PasswordOption = None,
    network: NetworkOption = "main",
    currency: CurrencyOption = "PKR",
    budget: BudgetOption = None,
    same_destination: SameOption = False,
    leave_out_bad: LeaveOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show payments and fees, pay nobody.")] = False,
    database: DatabaseOption = None,
    wallet: WalletOption = "wallet 1",
    node: NodeOption = None,
    cookie: CookieOption = None,
    fee_rate: FeeOption = 2.0,
    batch: BatchOption = 1_000,
    confirmations: DepthOption = 6,
    node_wallet: NodeWalletOption = None,
    debtor_name: DebtorOption = "",
    debtor_account: AccountOption = "",
    execution_date: DayOption = None,
    out: OutOption = Path("out/payout"),
    as_json: JsonOption = False,
) -> None:
    """Pay a file of beneficiaries. With the same --run and file it goes on where it was."""
    orders = orders_of(file, network, currency, same_destination)
    faults = [] if leave_out_bad else list(orders.faults)
    faults += budget_faults(orders.totals(), budget or [])
    if not orders.good:
        faults.append(Fault(str(file), "has no row that can be paid", "mend the rows"))
    if faults:
        raise InputError(faults)
    chain = Chain(database, wallet, node, cookie, confirmations)
    settings = {
        "left_out": list(orders.bad),
        "totals": _totals(orders),
        "currency": currency,
        **{"fee_rate": fee_rate, "batch": batch, "confirmations": confirmations, "wallet": wallet},
        **{"debtor_name": debtor_name, "debtor_account": debtor_account},
        "execution_date": execution_date or utc_now()[:10],
    }
    if any(order.rail == "lightning" for order in orders.good):
        problem = "pays over Lightning, which this version checks and does not pay yet"
        raise InputError(Fault(str(file), problem, "pay those rows on-chain, or leave them out"))
    if any(order.rail == "bank" for order in orders.good):
        bank_of(debtor_name, debtor_account, str(settings["execution_date"]), out)
    if dry_run:
        _show_fees(orders, chain, network, fee_rate, batch, as_json)
        return
    with journal_of(journal, key, journal_password) as (book, _), book.hold(run):
        book.begin(run, orders.file_sha256, network, settings, orders.good)
        _advance(book, run, chain, node_wallet, [], out)
        _show_run(book, run, None, as_json)


def _totals(orders: Orders) -> dict[str, int]:
    sums: dict[str, int] = {}
    for order in orders.good:
        name = f"{order.rail} {order.currency}"
        sums[name] = sums.get(name, 0) + order.amount
    return sums


@payout.command()
def resume(
    run: RunOption,
    journal: JournalOption,
    key: KeyOption,
    journal_password: PasswordOption = None,
    database: DatabaseOption = None,
    node: NodeOption = None,
    cookie: CookieOption = None,
    node_wallet: NodeWalletOption = None,
    signed: SignedOption = None,
    out: OutOption = Path("out/payout"),
    as_json: JsonOption = False,
) -> None:
    """Go on with a run: sign, send, look for blocks. Whatever was done is not done again."""
    with journal_of(journal, key, journal_password) as (book, _):
        known = book.run(run)
        if known is None:
            return
        told = known.settings
        chain = Chain(database, told["wallet"], node, cookie, told["confirmations"])
        with book.hold(run):
            _advance(book, run, chain, node_wallet, signed or [], out)
            _show_run(book, run, None, as_json)


def _advance(
    book: Journal, run: str, chain: Chain, node_wallet: str | None, signed: Sequence[Path], out: Path
) -> None:
    known = book.run(run)
    if known is None:
        return
    told = known.settings
    rails = {
        key[0] for key, (number, _) in book.counts(run).items() if number and key[2] not in ("paid", "failed")
    }
    with ExitStack() as stack:
        if "onchain" in rails:
            rail = stack.enter_context(chain_of(chain, known.network))
            from penstock.reserve.sync import sync_node

            sync_node(rail.store, rail.node)
            rail.plan(book, run, told["fee_rate"], told["batch"])
            rail.advance(book, run, signer_of(chain, node_wallet, signed, out))
        if "bank" in rails:
            bank = bank_of(told["debtor_name"], told["debtor_account"], told["execution_date"], out)
            bank.plan(book, run, utc_now())
            bank.advance(book, run)


def _show_fees(orders: Orders, chain: Chain, network: str, fee_rate: float, most: int, as_json: bool) -> None:
    from penstock.reserve.payout import Payee

    waiting = [
        Payee(order.id, order.destination, order.amount, order.row)
        for order in orders.good
        if order.rail == "onchain"
    ]
    fees: list[dict[str, Any]] = []
    if waiting:
        with chain_of(chain, network) as rail:
            from penstock.reserve.sync import sync_node

            sync_node(rail.store, rail.node)
            for made in rail.batches(waiting, frozenset(), fee_rate, most):
                payees = len(made.payees)
                fees.append({"payees": payees, "paid": made.paid_satoshi, "fee": made.fee_satoshi})
    if as_json:
        print_json({"schema_version": 1, "dry_run": True, "totals": _totals(orders), "batches_satoshi": fees})
        return
    _show_orders(orders, as_json=False)
    shown = table("On-chain: one transaction each [satoshi]", ("payees", "paid", "fee"))
    for row in fees:
        shown.add_row(*(f"{value:,}" for value in row.values()))
    console().print(shown)


@payout.command()
def reconcile(
    run: RunOption,
    journal: JournalOption,
    key: KeyOption,
    journal_password: PasswordOption = None,
    database: DatabaseOption = None,
    status: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The bank's answer: pain.002, or a CSV of statuses.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the file, the journal, the chain and the bank's answer against each other. 2 where they differ."""
    with journal_of(journal, key, journal_password) as (book, _):
        book.run(run)
        if status is not None:
            from penstock.inclusion.payouts.bank import settle
            from penstock.inclusion.payouts.pain002 import read_status

            told = read_status(read_file(status, "--status"), str(status))
            with book.hold(run):
                settle(book, run, told)
        problems = _show_run(book, run, database, as_json)
    if problems:
        raise typer.Exit(2)


def _show_run(book: Journal, run: str, database: Path | None, as_json: bool) -> list[str]:
    from rich.text import Text

    from penstock.inclusion.payouts.orders import amount_text
    from penstock.inclusion.payouts.reconcile import STATES
    from penstock.inclusion.payouts.reconcile import reconcile as reconciled
    from penstock.reserve.wallet import WatchStore

    known = book.run(run)
    if known is None:
        return []
    seen = None
    if database is not None:
        with WatchStore(database) as store:
            seen = store.transactions()
    document = reconciled(book, known, seen)
    if as_json:
        print_json(document)
        return list(document["problems"])
    shown = table(f"Run {run}: payments and sums", ("rail", *STATES, "total"))
    for row in document["totals"]:
        cells = [
            f"{row[state]['payments']}: {amount_text(row[state]['amount'], row['currency'])}"
            for state in STATES
        ]
        shown.add_row(
            *(Text(cell) for cell in (row["rail"], *cells, amount_text(row["total"], row["currency"])))
        )
    screen = console()
    screen.print(shown)
    for one in document["batches"]:
        told = f"batch {one['number']} ({one['rail']}): {one['state']}, {one['reference']}"
        screen.print(Text(told), soft_wrap=True)
    for problem in document["problems"]:
        screen.print(Text(f"Does not agree: {problem}"), soft_wrap=True)
    return list(document["problems"])


@payout.command()
def receipts(
    run: Annotated[str | None, typer.Option("--run", metavar="NAME", help="Name of the run.")] = None,
    journal: Annotated[str | None, typer.Option(metavar="FILE_OR_URL", help="Journal of the run.")] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Key of the journal.")] = None,
    journal_password: PasswordOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the receipts.")] = Path("out/receipts"),
    verify: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="A receipt to be checked instead.")
    ] = None,
    destination: Annotated[
        str | None, typer.Option(metavar="TEXT", help="With --check: the own destination.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a receipt for everybody who was paid and the list of their hashes; or check one receipt."""
    import json

    from penstock.inclusion.payouts.receipts import check_receipt
    from penstock.inclusion.payouts.receipts import receipts as made

    if verify is not None:
        told = check_receipt(read_file(verify, "--check"), str(verify), destination)
        print_json({"schema_version": 1, "valid": True, "told": told}) if as_json else print(told)
        return
    if run is None or journal is None or key is None:
        raise InputError(Fault("--run", "--journal and --key belong together", "give the three, or --check"))
    with journal_of(journal, key, journal_password) as (book, cipher):
        book.run(run)
        found = made(book, run, cipher)
    out.mkdir(parents=True, exist_ok=True)
    for one in found:
        path = out / f"{one['id']}.json"
        path.write_text(json.dumps(one, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (out / "hashes.txt").write_text("".join(f"{one['hash']}\n" for one in found), "ascii")
    if as_json:
        print_json({"schema_version": 1, "receipts": len(found), "folder": str(out)})
        return
    console().print(f"Wrote {len(found)} receipts and hashes.txt to {out}", soft_wrap=True)


@payout.command()
def purge(
    run: RunOption, journal: JournalOption, key: KeyOption, journal_password: PasswordOption = None
) -> None:
    """Delete destinations, names and invoices of a settled run. Amounts, references and hashes stay."""
    with journal_of(journal, key, journal_password) as (book, _):
        book.run(run)
        with book.hold(run):
            gone = book.purge(run)
    console().print(f"Deleted the destinations of {gone} payments of run {run}.", soft_wrap=True)
