"""Whether the books of a run close: the file against the journal, the journal against the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.reserve.descriptors import NETWORKS, Network
from penstock.reserve.ledger import Transaction
from penstock.reserve.scripts import script_of

from .journal import Journal, Payment, Run
from .orders import amount_text

__all__ = ["STATES", "chain_faults", "reconcile"]

STATES = ("waiting", "planned", "sent", "paid", "failed")


def reconcile(
    journal: Journal, run: Run, transactions: Sequence[Transaction] | None = None
) -> dict[str, Any]:
    """Sums of a run by rail and currency, to the satoshi and the cent, and what does not agree.

    transactions: of the register of watched wallets; None where the chain is not asked.
    """
    counts = journal.counts(run.run)
    totals = []
    problems: list[str] = []
    for rail, currency in sorted({key[:2] for key in counts}):
        row: dict[str, Any] = {"rail": rail, "currency": currency}
        for state in STATES:
            number, amount = counts.get((rail, currency, state), (0, 0))
            row[state] = {"payments": number, "amount": amount}
        row["total"] = sum(row[state]["amount"] for state in STATES)
        asked = int(run.settings.get("totals", {}).get(f"{rail} {currency}", -1))
        if row["total"] != asked:
            told = f"{amount_text(row['total'], currency)} in the journal"
            problems.append(f"{rail}: {told}, {amount_text(asked, currency)} in the file")
        totals.append(row)
    payments = journal.payments(run.run)
    batches = journal.batches(run.run)
    if transactions is not None:
        problems += chain_faults(payments, transactions, run.network, purged=run.purged is not None)
    fees = sum(batch.fee_satoshi for batch in batches if batch.state != "failed")
    return {
        "schema_version": 1,
        "run": run.run,
        "begun": run.begun,
        "network": run.network,
        "file_sha256": run.file_sha256,
        "left_out": run.settings.get("left_out", []),
        "totals": totals,
        "fees": {
            "onchain_satoshi": fees,
            "lightning_msat": sum(one.fee_msat or 0 for one in payments),
        },
        "batches": [
            {"number": one.number, "rail": one.rail, "state": one.state, "reference": one.reference}
            for one in batches
        ],
        "settled": all(one.state in ("paid", "failed") for one in payments),
        "problems": problems,
        "chain_asked": transactions is not None,
    }


def chain_faults(
    payments: Sequence[Payment], transactions: Sequence[Transaction], network: str, *, purged: bool
) -> list[str]:
    """What the chain says otherwise: an output that is missing, of another amount, or to another script."""
    by_txid: Mapping[str, Transaction] = {each.txid: each for each in transactions}
    found = []
    for one in payments:
        if one.rail != "onchain" or one.state != "paid" or one.reference is None:
            continue
        txid, _, vout = one.reference.partition(":")
        seen = by_txid.get(txid)
        output = seen.outputs[int(vout)] if seen is not None and int(vout) < len(seen.outputs) else None
        if output is None:
            found.append(f"{one.id}: {one.reference} is not in the chain that the register has seen")
        elif output.satoshi != one.amount:
            found.append(f"{one.id}: the chain pays {output.satoshi} satoshi, the run {one.amount}")
        elif not purged and output.script != script_of(one.destination, _network(network)):
            found.append(f"{one.id}: the chain pays another address")
    return found


def _network(name: str) -> Network:
    return next(each for each in NETWORKS if each == name)
