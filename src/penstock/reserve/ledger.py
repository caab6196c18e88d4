"""Every movement of the watched wallets, classed: what came in, what went out, what only moved.

Pure: transactions and a registry in, entries out. A transaction falls under one of three heads.

Nothing of ours is spent:
- `coinbase`: an output of a block's first transaction is mining income;
- `declared-payout`: so is an output to a script, or from scripts, that the user declared as a pool's;
- `received`: any other output to us is an external inflow.
All inputs are ours:
- `paid`: an output that is not ours is an external outflow;
- `own-fee`: inputs less outputs is a fee;
- `own-move`: what one of our wallets lost and another gained is an internal transfer.
Some inputs are ours, some are not:
- `mixed-move`: what one of our wallets lost and another gained is an internal transfer;
- `mixed-gain`, `mixed-loss`: what all our wallets together gained or lost is an external inflow or outflow.

In a mixed transaction nobody can tell who paid which output and who paid the fee. So our loss is one sum
with the fee in it, and the entry carries the flag "mixed". Where several of our wallets pay together, each
bears outputs and fee in proportion to what it put in, to the satoshi (largest remainder, ties by name).

Entries of a wallet add up to the change of its balance. A counterparty is "unknown" unless the user declared
a label; a label names, it never changes a class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, Literal, get_args

from penstock.errors import BalanceError, Fault, ReserveError

__all__ = [
    "KINDS",
    "RULES",
    "UNKNOWN",
    "Entry",
    "Exposure",
    "Input",
    "Kind",
    "Mining",
    "Output",
    "Transaction",
    "balances",
    "classify",
    "day_of",
    "net_exposure",
    "split_period",
]

Kind = Literal["external inflow", "external outflow", "internal transfer", "fee", "mining income"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
UNKNOWN: Final = "unknown"
RULES: Final[Mapping[str, str]] = {
    "coinbase": "an output of a block's first transaction is ours",
    "declared-payout": "nothing of ours is spent; the receiving or all paying scripts are declared a pool's",
    "received": "nothing of ours is spent, and an output is ours",
    "paid": "all inputs are ours, and an output is not",
    "own-fee": "all inputs are ours: inputs less outputs",
    "own-move": "all inputs are ours: what one of our wallets lost, another gained",
    "mixed-move": "some inputs are ours: what one of our wallets lost, another gained",
    "mixed-gain": "some inputs are ours, and together our wallets gained",
    "mixed-loss": "some inputs are ours, and together our wallets lost; a fee may be in it",
}


@dataclass(frozen=True, slots=True)
class Input:
    """An output that is spent. satoshi and script are None where it is not ours and the source does not tell.

    wallet: name of our wallet that held it; None where it is not ours.
    """

    txid: str
    vout: int
    satoshi: int | None
    script: bytes | None
    wallet: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """An output. wallet: name of ours that holds it; None where it is not ours."""

    satoshi: int
    script: bytes
    wallet: str | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A confirmed transaction that touches a watched wallet.

    height, position: block and place in it. time: of the block, seconds since 1970.
    inputs: empty for a coinbase.
    """

    txid: str
    height: int
    position: int
    time: int
    coinbase: bool
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Mining:
    """What the user declared about mining besides coinbases, as output scripts.

    payout: scripts of ours that a pool pays to and nobody else.
    payers: scripts that a pool pays from.
    """

    payout: frozenset[bytes] = frozenset()
    payers: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: what a transaction changed in one wallet, for one reason.

    height, time: block and its time in seconds since 1970.
    wallet: whose balance changed. satoshi: by how much, negative where it fell.
    counterparty: our other wallet for a transfer; a declared label; "" for a fee; "unknown" otherwise.
    rule: key of RULES that decided. vout: the output in question; None where the entry is about a sum.
    script: of that output; empty where vout is None.
    flags: "mixed" where some inputs were not ours.
    """

    height: int
    position: int
    time: int
    txid: str
    wallet: str
    kind: Kind
    satoshi: int
    counterparty: str
    rule: str
    vout: int | None = None
    script: bytes = b""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a period changed, satoshi. Each sum is signed: what left is negative.

    purchases: net of what came from outside and what went there: inflow + outflow. Transfers between own
    wallets, mining and fees are not in it. Whether coins from outside were bought, given or lent is not on
    the chain: it is the most that can have been bought, less what was paid away.
    mixed: entries about transactions that others paid into as well.
    """

    opening: int
    inflow: int
    outflow: int
    internal: int
    fee: int
    mining: int
    closing: int
    mixed: int
    by_wallet: Mapping[str, int] = field(default_factory=dict)

    @property
    def purchases(self) -> int:
        """Net purchases, satoshi."""
        return self.inflow + self.outflow


def classify(
    transactions: Iterable[Transaction], mining: Mining | None = None, labels: Mapping[str, str] | None = None
) -> tuple[Entry, ...]:
    """The ledger of all watched wallets, by height, place in the block, wallet and output.

    transactions: all that touch a watched wallet, each once, in any order.
    labels: names of counterparties by transaction id or by output script in hexadecimal.

    Raises ReserveError where a transaction is given twice or spends coins of ours whose arrival is missing,
    BalanceError where entries do not add up to the balances (a fault of ours).
    """
    ordered = sorted(transactions, key=lambda each: (each.height, each.position))
    _check(ordered)
    entries: list[Entry] = []
    for transaction in ordered:
        entries += _entries(transaction, mining or Mining(), labels or {})
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.wallet] += entry.satoshi
    held = balances(ordered)
    if any(sums[wallet] != held.get(wallet, 0) for wallet in {*sums, *held}):
        raise BalanceError("the entries of the ledger do not add up to the balances of the wallets")
    return tuple(entries)


def _check(ordered: list[Transaction]) -> None:
    counts = Counter(each.txid for each in ordered)
    faults = [
        Fault("ledger", f"transaction {txid} is there {count} times", "give each once")
        for txid, count in counts.items()
        if count > 1
    ]
    arrived = {(each.txid, place) for each in ordered for place, out in enumerate(each.outputs) if out.wallet}
    spent: Counter[tuple[str, int]] = Counter()
    for each in ordered:
        for coin in each.inputs:
            if coin.wallet is None:
                continue
            spent[coin.txid, coin.vout] += 1
            if (coin.txid, coin.vout) not in arrived:
                coin_name = f"{coin.txid}:{coin.vout} of {coin.wallet}"
                problem = f"{each.txid} spends {coin_name}, whose arrival was not seen"
                mend = "register the wallet with an earlier first block, and watch again"
                faults.append(Fault("ledger", problem, mend))
    faults += [
        Fault("ledger", f"{txid}:{vout} is spent {count} times", "delete the database, and watch again")
        for (txid, vout), count in spent.items()
        if count > 1
    ]
    if faults:
        raise ReserveError(faults)


def _entries(transaction: Transaction, mining: Mining, labels: Mapping[str, str]) -> list[Entry]:
    """The entries of one transaction."""
    ours = [coin for coin in transaction.inputs if coin.wallet is not None]
    if not ours:
        return _received(transaction, mining, labels)
    moved: Counter[str] = Counter()
    paid_in: Counter[str] = Counter()
    for coin in ours:
        if coin.satoshi is None:
            problem = f"{transaction.txid} spends {coin.txid}:{coin.vout} of ours, whose amount is not known"
            raise ReserveError(Fault("ledger", problem, "watch again"))
        moved[str(coin.wallet)] -= coin.satoshi
        paid_in[str(coin.wallet)] += coin.satoshi
    for output in transaction.outputs:
        if output.wallet is not None:
            moved[output.wallet] += output.satoshi
    if len(ours) == len(transaction.inputs):
        return _paid(transaction, moved, paid_in, labels)
    return _mixed(transaction, moved, labels)


def _received(transaction: Transaction, mining: Mining, labels: Mapping[str, str]) -> list[Entry]:
    payers = {coin.script for coin in transaction.inputs}
    from_pool = bool(payers) and payers <= mining.payers
    named = {labels.get(script.hex(), UNKNOWN) if script else UNKNOWN for script in payers}
    payer = labels.get(transaction.txid) or (named.pop() if len(named) == 1 else UNKNOWN)
    entries = []
    for place, output in enumerate(transaction.outputs):
        if output.wallet is None:
            continue
        kind: Kind = "mining income"
        if transaction.coinbase:
            rule, other = "coinbase", labels.get(transaction.txid, "coinbase")
        elif from_pool or output.script in mining.payout:
            rule, other = "declared-payout", payer
        else:
            kind, rule, other = "external inflow", "received", payer
        entries.append(_entry(transaction, output.wallet, kind, output.satoshi, other, rule, place))
    return entries


def _paid(
    transaction: Transaction, moved: Counter[str], paid_in: Counter[str], labels: Mapping[str, str]
) -> list[Entry]:
    entries = []
    outgoing: Counter[str] = Counter()
    for place, output in enumerate(transaction.outputs):
        if output.wallet is None and output.satoshi:
            other = labels.get(transaction.txid) or labels.get(output.script.hex(), UNKNOWN)
            for wallet, share in _shares(output.satoshi, paid_in).items():
                entries.append(_entry(transaction, wallet, "external outflow", -share, other, "paid", place))
                outgoing[wallet] += share
    fee = sum(paid_in.values()) - sum(output.satoshi for output in transaction.outputs)
    for wallet, share in _shares(fee, paid_in).items():
        entries.append(_entry(transaction, wallet, "fee", -share, "", "own-fee"))
        outgoing[wallet] += share
    left = {wallet: change + outgoing[wallet] for wallet, change in moved.items()}
    entries += _transfers(transaction, left, "own-move")
    if not entries:  # coins of one wallet moved within it for nothing
        wallet = min(moved)
        entries.append(_entry(transaction, wallet, "internal transfer", 0, wallet, "own-move"))
    return sorted(entries, key=_order)


def _mixed(transaction: Transaction, moved: Counter[str], labels: Mapping[str, str]) -> list[Entry]:
    """What crossed between our wallets is the lesser of gains and losses; the rest met the outside."""
    gains = Counter({wallet: change for wallet, change in moved.items() if change > 0})
    losses = Counter({wallet: -change for wallet, change in moved.items() if change < 0})
    crossed = min(sum(gains.values()), sum(losses.values()))
    came, went = _shares(crossed, gains), _shares(crossed, losses)
    left = {wallet: came.get(wallet, 0) - went.get(wallet, 0) for wallet in moved}
    entries = _transfers(transaction, left, "mixed-move")
    other = labels.get(transaction.txid, UNKNOWN)
    for wallet, change in moved.items():
        rest = change - left[wallet]
        if rest:
            kind: Kind = "external inflow" if rest > 0 else "external outflow"
            rule = "mixed-gain" if rest > 0 else "mixed-loss"
            entries.append(_entry(transaction, wallet, kind, rest, other, rule, flags=("mixed",)))
    if not entries:
        wallet = min(moved)
        entries.append(
            _entry(transaction, wallet, "internal transfer", 0, wallet, "mixed-move", flags=("mixed",))
        )
    return sorted(entries, key=_order)


def _transfers(transaction: Transaction, left: Mapping[str, int], rule: str) -> list[Entry]:
    """One entry for each wallet that lost to or gained from other wallets of ours; their sum is 0."""
    flags = ("mixed",) if rule == "mixed-move" else ()
    losers = sorted(wallet for wallet, change in left.items() if change < 0)
    winners = sorted(wallet for wallet, change in left.items() if change > 0)
    entries = []
    for wallet in (*losers, *winners):
        other = ", ".join(winners if left[wallet] < 0 else losers)
        kind: Kind = "internal transfer"
        entries.append(_entry(transaction, wallet, kind, left[wallet], other, rule, flags=flags))
    return entries


def _shares(satoshi: int, weights: Mapping[str, int]) -> dict[str, int]:
    """A sum in whole satoshi divided in proportion to weights; equally where they are all 0."""
    if satoshi == 0 or not weights:
        return {}
    total = sum(weights.values())
    scaled = dict(weights) if total else dict.fromkeys(weights, 1)
    total = total or len(scaled)
    parts = {wallet: divmod(satoshi * weight, total) for wallet, weight in scaled.items()}
    rest = satoshi - sum(whole for whole, _ in parts.values())
    by_remainder = sorted(parts, key=lambda wallet: (-parts[wallet][1], wallet))
    extra = set(by_remainder[:rest])
    shared = {wallet: whole + (wallet in extra) for wallet, (whole, _) in parts.items()}
    return {wallet: share for wallet, share in shared.items() if share}


def _entry(
    transaction: Transaction,
    wallet: str,
    kind: Kind,
    satoshi: int,
    counterparty: str,
    rule: str,
    vout: int | None = None,
    flags: tuple[str, ...] = (),
) -> Entry:
    return Entry(
        height=transaction.height,
        position=transaction.position,
        time=transaction.time,
        txid=transaction.txid,
        wallet=wallet,
        kind=kind,
        satoshi=satoshi,
        counterparty=counterparty,
        rule=rule,
        vout=vout,
        script=b"" if vout is None else transaction.outputs[vout].script,
        flags=flags,
    )


def _order(entry: Entry) -> tuple[str, int, str, bool]:
    return (entry.wallet, -1 if entry.vout is None else entry.vout, entry.kind, entry.satoshi > 0)


def balances(transactions: Iterable[Transaction], height: int | None = None) -> dict[str, int]:
    """What each wallet holds, satoshi: its outputs that are not spent, after block `height` or all blocks.

    Counted from outputs alone, so that it checks the entries.
    """
    coins: dict[tuple[str, int], tuple[str, int]] = {}
    spent: set[tuple[str, int]] = set()
    names: set[str] = set()
    for each in transactions:
        if height is not None and each.height > height:
            continue
        for place, output in enumerate(each.outputs):
            if output.wallet is not None:
                coins[each.txid, place] = (output.wallet, output.satoshi)
                names.add(output.wallet)
        spent.update((coin.txid, coin.vout) for coin in each.inputs if coin.wallet is not None)
    held = dict.fromkeys(sorted(names), 0)
    for key, (wallet, satoshi) in coins.items():
        if key not in spent:
            held[wallet] += satoshi
    return held


def day_of(entry: Entry) -> date:
    """The day of an entry in UTC, by the time in its block's header."""
    return datetime.fromtimestamp(entry.time, UTC).date()


def split_period(
    entries: Iterable[Entry],
    from_height: int | None = None,
    to_height: int | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Entries before a period and entries in it. Heights, or days in UTC, are inclusive; None is open.

    A miner sets the time in a block's header, and it may run back by up to two hours. So an entry counts as
    of the latest day seen up to its block: no entry falls before one that it builds on.

    Raises ReserveError where both heights and days are given, or the period ends before it starts.
    """
    if (from_height, to_height) != (None, None) and (from_date, to_date) != (None, None):
        raise ReserveError(Fault("period", "has heights and days", "give heights or days"))
    ends_early = (from_height is not None and to_height is not None and to_height < from_height) or (
        from_date is not None and to_date is not None and to_date < from_date
    )
    if ends_early:
        raise ReserveError(Fault("period", "ends before it starts", "give the earlier one first"))
    before: list[Entry] = []
    within: list[Entry] = []
    day = date.min
    for entry in sorted(entries, key=lambda each: (each.height, each.position)):
        day = max(day, day_of(entry))
        if (to_height is not None and entry.height > to_height) or (to_date is not None and day > to_date):
            break
        early = (from_height is not None and entry.height < from_height) or (
            from_date is not None and day < from_date
        )
        (before if early else within).append(entry)
    return tuple(before), tuple(within)


def net_exposure(
    entries: Iterable[Entry],
    from_height: int | None = None,
    to_height: int | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
) -> Exposure:
    """What a period changed, over all wallets. The period is as in `split_period`."""
    before, within = split_period(entries, from_height, to_height, from_date, to_date)
    sums = dict.fromkeys(KINDS, 0)
    by_wallet: Counter[str] = Counter()
    for entry in within:
        sums[entry.kind] += entry.satoshi
        by_wallet[entry.wallet] += entry.satoshi
    opening = sum(entry.satoshi for entry in before)
    return Exposure(
        opening=opening,
        inflow=sums["external inflow"],
        outflow=sums["external outflow"],
        internal=sums["internal transfer"],
        fee=sums["fee"],
        mining=sums["mining income"],
        closing=opening + sum(sums.values()),
        mixed=sum("mixed" in entry.flags for entry in within),
        by_wallet=dict(sorted(by_wallet.items())),
    )
