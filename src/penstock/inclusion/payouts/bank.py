"""Files for a bank or a mobile-money operator, and what comes back: the outcome is theirs to say."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import Fault, PayoutError

from .journal import Batch, Journal, Payment
from .onchain import Step
from .pain001 import Party, Transfer, destination_problem, message, name_problem
from .pain002 import Told

__all__ = ["Bank", "end_to_end_id", "settle"]


@dataclass(frozen=True, slots=True)
class Bank:
    """Who pays, on which day (as 2026-11-24), and the folder for the files."""

    debtor: Party
    execution_date: str
    out: Path

    def refuse(self) -> None:
        """Raises PayoutError for a debtor that no bank would take."""
        faults = []
        if problem := name_problem(self.debtor.name):
            faults.append(Fault("--debtor-name", problem, "give the name of the account that pays"))
        if problem := destination_problem(self.debtor.account):
            faults.append(Fault("--debtor-account", problem, "give the account that pays"))
        if faults:
            raise PayoutError(faults)

    def plan(self, journal: Journal, run: str, created: str) -> list[Step]:
        """Writes one batch for each currency that waits; its bytes stand in the journal from then on."""
        self.refuse()
        waiting: dict[str, list[Payment]] = defaultdict(list)
        for one in journal.payments(run, state="waiting", rail="bank"):
            waiting[one.currency].append(one)
        steps = []
        for currency, payments in sorted(waiting.items()):
            number = max((batch.number for batch in journal.batches(run)), default=0) + 1
            name = _short(run, f"message {number}")
            ids = {one.id: end_to_end_id(run, one.id) for one in payments}
            xml = message(
                [Transfer(ids[one.id], one.amount, one.destination, one.name) for one in payments],
                message_id=name,
                created=created,
                execution_date=self.execution_date,
                debtor=self.debtor,
                currency=currency,
            )
            journal.plan(run, Batch(number, "bank", "planned", xml.decode(), (), name, 0), ids)
            steps.append(Step(number, "planned", ""))
        return steps

    def advance(self, journal: Journal, run: str) -> list[Step]:
        """Writes every message that is planned; written again, it is the same message."""
        steps = []
        for batch in journal.batches(run, "bank"):
            path = self.out / f"{batch.reference}.xml"
            if batch.state == "planned":
                self.out.mkdir(parents=True, exist_ok=True)
                part = path.with_suffix(".part")
                part.touch(mode=0o600)
                part.write_text(batch.content, "utf-8")
                part.replace(path)
                journal.move_batch(run, batch.number, "planned", "sent", ("planned", "sent"))
            if batch.state in ("planned", "sent"):
                told = (
                    f"hand {path} to the bank once; then penstock payout reconcile --status with its answer"
                )
                steps.append(Step(batch.number, "sent", told))
        return steps


def end_to_end_id(run: str, beneficiary: str) -> str:
    """Id of a payment in a message, 32 characters: it says nothing of who is paid."""
    return _short(run, beneficiary)


def _short(run: str, text: str) -> str:
    return hashlib.sha256(json.dumps([run, text]).encode()).hexdigest()[:32]


def settle(journal: Journal, run: str, told: Mapping[str, Told]) -> int:
    """Writes down what the bank says of payments that were sent; what is written already must agree.

    How many were settled. Raises PayoutError naming every id that is not of this run or contradicts it.
    """
    known = {one.reference: one for one in journal.payments(run, rail="bank") if one.reference}
    faults, steps = [], []
    for key, status in told.items():
        one = known.get(key)
        if one is None or one.state == "planned":
            faults.append(Fault("--status", f"names {key[:40]}, which this run has not sent", "see the run"))
        elif one.state in ("paid", "failed") and status.state not in (one.state, "pending"):
            problem = f"says {status.state} of {one.id}, which is {one.state} already"
            faults.append(Fault("--status", problem, "ask the bank which holds"))
        elif one.state == "sent" and status.state != "pending":
            steps.append((one.id, status))
    if faults:
        raise PayoutError(faults)
    for beneficiary, status in steps:
        journal.move(run, beneficiary, "sent", status.state, reason=status.reason or None)
    for batch in journal.batches(run, "bank"):
        mine = [one.state for one in journal.payments(run, rail="bank") if one.batch == batch.number]
        if batch.state == "sent" and all(state in ("paid", "failed") for state in mine):
            journal.move_batch(run, batch.number, "sent", "confirmed")
    return len(steps)
