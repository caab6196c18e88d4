"""The on-chain rail: batches as PSBTs out of a watched wallet, signed by its cosigners, sent through a node.

A batch's coins stand in the journal before anybody signs. Whatever is signed or sent later spends those same
coins, so of one batch the chain can hold one transaction at most: to send it again is harmless, and nobody is
paid twice. A batch is given up only where another transaction that spends its coins is deep in the chain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from penstock.errors import Fault, PayoutError, ReserveError
from penstock.reserve import payout
from penstock.reserve.holdings import change_script, signable
from penstock.reserve.node_rpc import NodeRefusalError, NodeRpc
from penstock.reserve.psbt import Psbt, combine, finish, read_psbt
from penstock.reserve.signing import signing_fields
from penstock.reserve.sync import Say, sync_node
from penstock.reserve.transaction import Outpoint, Transaction, read_transaction
from penstock.reserve.wallet import Watched, WatchStore

from .journal import Batch, Journal

__all__ = ["OnChain", "Signer", "Step", "node_wallet", "psbt_files"]

#: Signs a PSBT as far as it can, or gives None where it cannot do so now.
Signer = Callable[[Psbt], Psbt | None]
_KNOWN = re.compile(r"already|txn-already", re.I)


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with a batch, for people: its number, state and a sentence."""

    number: int
    state: str
    told: str


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the rail works with.

    wallet: name of a watched wallet. confirmations: depth at which a payment counts as made.
    """

    store: WatchStore
    node: NodeRpc
    wallet: str
    confirmations: int = 6

    def watched(self) -> Watched:
        """The wallet that pays. Raises PayoutError where it is not registered."""
        known = {one.name: one for one in self.store.wallets()}
        if self.wallet not in known:
            problem = f"is not registered; there are {', '.join(sorted(known)) or 'none'}"
            mend = "register it: penstock reserve watch"
            raise PayoutError(Fault("--wallet", problem, mend, value=self.wallet))
        return known[self.wallet]

    def batches(
        self, payees: Sequence[payout.Payee], in_use: frozenset[str], fee_rate: float, most: int
    ) -> tuple[payout.Batch, ...]:
        """The batches that would pay these, out of coins that no other batch is to spend.

        Raises ReserveError where they cannot be paid, naming rows.
        """
        watched = self.watched()
        coins = [
            coin
            for coin in signable(self.store, self.store.transactions(), [self.wallet])
            if _text(coin.outpoint) not in in_use
        ]
        script, path, place = change_script(self.store, watched)
        fields = signing_fields(watched.source, {script: (path, place)})[script]
        return payout.plan_payouts(
            payees,
            coins,
            source=watched.source,
            change=(script, fields),
            fee_rate=fee_rate,
            most_payees=most,
            same_address=True,  # judged when the file was read
        )

    def plan(self, journal: Journal, run: str, fee_rate: float, most: int) -> list[Step]:
        """Writes batches for all that wait. What waits has no coins promised to it yet."""
        waiting = journal.payments(run, state="waiting", rail="onchain")
        if not waiting:
            return []
        first = max((batch.number for batch in journal.batches(run)), default=0) + 1
        payees = [payout.Payee(one.id, one.destination, one.amount, one.row) for one in waiting]
        made = self.batches(payees, journal.coins_in_use(), fee_rate, most)
        for number, batch in enumerate(made, first):
            transaction = batch.psbt.transaction
            coins = tuple(_text(row.outpoint) for row in transaction.inputs)
            members = {payee.id: f"{transaction.txid}:{vout}" for vout, payee in enumerate(batch.payees)}
            written = Batch(
                *(number, "onchain", "planned", batch.psbt.base64(), coins),
                *(transaction.txid, batch.fee_satoshi),
            )
            journal.plan(run, written, members)
        return [Step(number, "planned", "") for number in range(first, first + len(made))]

    def advance(self, journal: Journal, run: str, signer: Signer, say: Say | None = None) -> list[Step]:
        """Takes every batch as far as it goes: signed, sent, seen on the chain.

        Raises ReserveError where the node does not answer or refuses a transaction.
        """
        sync_node(self.store, self.node, say)
        seen = {each.txid: each.height for each in self.store.transactions()}
        spends = {
            f"{coin.txid}:{coin.vout}": each.txid
            for each in self.store.transactions()
            for coin in each.inputs
        }
        tip = self.store.tip()
        top = 0 if tip is None else tip.height
        deep = frozenset(txid for txid, height in seen.items() if top - height + 1 >= self.confirmations)
        steps = []
        for batch in journal.batches(run, "onchain"):
            if batch.state in ("confirmed", "failed"):
                continue
            steps.append(self._step(journal, run, batch, signer, seen, spends, deep))
        return steps

    def _step(
        self,
        journal: Journal,
        run: str,
        batch: Batch,
        signer: Signer,
        seen: Mapping[str, int],
        spends: Mapping[str, str],
        deep: frozenset[str],
    ) -> Step:
        number = batch.number
        rivals = {spends[coin] for coin in batch.coins if coin in spends} - {batch.reference}
        if rivals & deep and batch.reference not in seen:
            reason = f"its coins were spent by {min(rivals & deep)}"
            state = "sent" if batch.state == "sent" else "planned"
            journal.move_batch(run, number, batch.state, "failed", (state, "waiting"), reason=reason)
            return Step(number, "failed", f"{reason}; its payments wait for another batch")
        if batch.state == "planned":
            signed = self._signed(journal, run, batch, signer)
            if signed is None:
                return Step(number, "planned", "waits for signatures")
            batch = signed
        if batch.state == "signed":
            self._send(batch)
            journal.move_batch(run, number, "signed", "sent", ("planned", "sent"))
            batch = replace(batch, state="sent")
        if batch.reference in deep:
            journal.move_batch(run, number, "sent", "confirmed", ("sent", "paid"))
            return Step(number, "confirmed", f"in the chain: {batch.reference}")
        if batch.reference not in seen:
            self._send(batch)  # a node forgets what nobody mines
            return Step(number, "sent", f"waits for a block: {batch.reference}")
        return Step(number, "sent", f"waits for {self.confirmations} confirmations: {batch.reference}")

    def _signed(self, journal: Journal, run: str, batch: Batch, signer: Signer) -> Batch | None:
        """The batch with its signed transaction written down; None where signatures are lacking."""
        planned = read_psbt(batch.content, f"batch {batch.number}")
        back = signer(planned)
        if back is None:
            return None
        if back.transaction.unsigned != planned.transaction.unsigned:
            problem = "was signed as another transaction than the one that was planned"
            raise PayoutError(Fault(f"batch {batch.number}", problem, "sign the PSBT of this run unchanged"))
        try:
            whole = finish(combine([planned, back]))
        except ReserveError:
            return None
        raw = str(self.node.call("finalizepsbt", whole.base64()).get("hex", ""))
        made = read_transaction(bytes.fromhex(raw), f"batch {batch.number}")
        self._refuse_other(batch, planned, made)
        [judged] = self.node.call("testmempoolaccept", [raw])
        told = str(judged.get("reject-reason", ""))
        if not judged.get("allowed") and not _KNOWN.search(told):
            problem = f"the node would refuse it: {told[:200]}"
            raise PayoutError(
                Fault(f"batch {batch.number}", problem, "see what it says; nobody was paid by it")
            )
        references = None
        if made.txid != batch.reference:  # inputs that carry a script: their hash is known only now
            mine = [one for one in journal.payments(run) if one.batch == batch.number]
            references = {one.id: f"{made.txid}:{(one.reference or '').partition(':')[2]}" for one in mine}
        journal.move_batch(
            *(run, batch.number, "planned", "signed", ("planned", "planned")),
            content=raw,
            references=references,
            reference=made.txid,
        )
        return replace(batch, state="signed", content=raw, reference=made.txid)

    def _refuse_other(self, batch: Batch, planned: Psbt, made: Transaction) -> None:
        same = [row.outpoint for row in made.inputs] == [row.outpoint for row in planned.transaction.inputs]
        if not same or made.outputs != planned.transaction.outputs:
            problem = "came back from the node as another transaction"
            raise PayoutError(Fault(f"batch {batch.number}", problem, "use another node"))

    def _send(self, batch: Batch) -> None:
        """Hands the transaction to the node; that it has it already is as good.

        Raises NodeRefusalError for any other refusal: the batch stays signed, and can be sent again.
        """
        try:
            self.node.call("sendrawtransaction", batch.content, 0)
        except NodeRefusalError as error:
            if not any(_KNOWN.search(fault.problem) for fault in error.faults):
                raise


def _text(outpoint: Outpoint) -> str:
    """An outpoint as it stands in the journal."""
    return f"{outpoint.txid}:{outpoint.vout}"


def psbt_files(texts: Iterable[bytes], place: str) -> Signer:
    """A signer of PSBTs that cosigners sent back, each matched by its transaction.

    Raises ReserveError for a text that is no PSBT.
    """
    found = [read_psbt(text.strip(), place) for text in texts]

    def sign(planned: Psbt) -> Psbt | None:
        mine = [one for one in found if one.transaction.unsigned == planned.transaction.unsigned]
        return combine(mine) if mine else None

    return sign


def node_wallet(node: NodeRpc) -> Signer:
    """A signer that is a wallet of the node, which keeps its keys to itself. node: at .../wallet/NAME."""

    def sign(planned: Psbt) -> Psbt | None:
        answer = node.call("walletprocesspsbt", planned.base64(), True, "ALL", False, False)
        return read_psbt(str(answer["psbt"]), "signed by the node's wallet")

    return sign
