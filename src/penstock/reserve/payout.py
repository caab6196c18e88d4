"""Payments out of the reserve as PSBTs for its cosigners: exact to the satoshi, the change comes back.

Coins are chosen the largest first, so that a batch has few inputs. The fee is the rate that the user gives
times the size of the signed transaction, counted with signatures of the greatest length. What would come back
as dust is left to the miners instead.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from penstock.errors import Fault, ReserveError

from .descriptors import Network, Source, _singles
from .proof import ReserveOutput
from .psbt import Field, Map, Psbt
from .scripts import script_of
from .transaction import MOST_SATOSHI, Transaction, TxInput, TxOutput

__all__ = ["MOST_FEE_RATE", "Batch", "Payee", "dust_limit", "plan_payouts"]

#: Satoshi per virtual byte above which a fee is taken for a slip of the finger.
MOST_FEE_RATE = 1_000.0
_MOST_WEIGHT = 400_000  # of a transaction that nodes pass on (policy of Bitcoin Core)
_DUST_RATE = 3  # satoshi per virtual byte at which an output is worth spending (policy of Bitcoin Core)
_REPLACEABLE = 0xFFFFFFFD  # BIP-125


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid. id: of the beneficiary, once in a run. row: line of the file it is from; None for none."""

    id: str
    address: str
    satoshi: int
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction to be signed.

    payees: those it pays, in the order of its outputs; change_satoshi: what comes back, the last output.
    fee_satoshi: inputs less outputs. weight: of the signed transaction at most. [weight units]
    """

    psbt: Psbt
    payees: tuple[Payee, ...]
    input_satoshi: int
    paid_satoshi: int
    change_satoshi: int
    fee_satoshi: int
    weight: int


def dust_limit(script: bytes) -> int:
    """Fewest satoshi that an output to this script may hold, by the policy of Bitcoin Core.

    What it takes to spend it at 3 satoshi per virtual byte: 294 for P2WPKH, 330 for P2WSH and P2TR, 546 for
    P2PKH.
    """
    witness = 4 <= len(script) <= 42 and (script[0] == 0 or 0x51 <= script[0] <= 0x60)
    witness = witness and script[1] == len(script) - 2
    spending = 32 + 4 + 1 + 107 // 4 + 4 if witness else 32 + 4 + 1 + 107 + 4
    return _DUST_RATE * (8 + _size_of_size(len(script)) + len(script) + spending)


def _size_of_size(count: int) -> int:
    return 1 if count < 0xFD else 3 if count < 0x10000 else 5


def plan_payouts(
    payees: Sequence[Payee],
    coins: Sequence[ReserveOutput],
    *,
    source: Source,
    change: tuple[bytes, Map],
    fee_rate: float,
    most_payees: int = 1_000,
    same_address: bool = False,
) -> tuple[Batch, ...]:
    """The batches that pay everybody once, each with coins of its own, so that any may be sent first.

    coins: unspent outputs of the wallet, with what its cosigners need to sign. source: its descriptor.
    change: script of the wallet that takes what is left, and what cosigners need to know it as theirs.
    fee_rate: [satoshi per virtual byte]. most_payees: of one batch.
    same_address: whether one address may be paid twice.

    Raises ReserveError with every fault: no payees, an id or an address twice, an address of another network,
    an amount below dust or above all there can be, a rate out of range, coins that do not suffice.
    """
    scripts, faults = _scripts_of(payees, source.network)
    faults += [*_payee_faults(payees, scripts, same_address), *_rate_faults(fee_rate, most_payees)]
    if faults:
        raise ReserveError(faults)
    left = sorted(coins, key=lambda coin: (-coin.satoshi, coin.outpoint))
    satisfied = max(single.max_weight_to_satisfy() for single in _singles(source))
    batches = []
    for start in range(0, len(payees), most_payees):
        part = payees[start : start + most_payees]
        outputs = [TxOutput(row.satoshi, scripts[row.id]) for row in part]
        batch = _batch(part, outputs, left, change, fee_rate, satisfied)
        batches.append(batch)
        spent = {row.outpoint for row in batch.psbt.transaction.inputs}
        left = [coin for coin in left if coin.outpoint not in spent]
    return tuple(batches)


def _batch(
    payees: Sequence[Payee],
    outputs: Sequence[TxOutput],
    coins: Sequence[ReserveOutput],
    change: tuple[bytes, Map],
    fee_rate: float,
    satisfied: int,
) -> Batch:
    paid = sum(output.satoshi for output in outputs)
    back = TxOutput(0, change[0])
    chosen: list[ReserveOutput] = []
    waiting = list(coins)
    while True:
        held = sum(found.satoshi for found in chosen)
        weight = _weight(len(chosen), [*outputs, back], satisfied)
        fee = math.ceil(fee_rate * math.ceil(weight / 4))
        rest = held - paid - fee
        if rest >= dust_limit(change[0]):
            return _made(payees, [*outputs, TxOutput(rest, change[0])], chosen, change[1], weight)
        bare = _weight(len(chosen), outputs, satisfied)
        least = math.ceil(fee_rate * math.ceil(bare / 4))
        if chosen and held - paid >= least and held - paid - least < dust_limit(change[0]):
            return _made(payees, list(outputs), chosen, None, bare)
        if not waiting:
            problem = f"hold {held} satoshi; {paid} are to be paid and {fee} are the fee"
            mend = "wait for coins to be confirmed, pay fewer, or make one batch of it"
            raise ReserveError(Fault("coins of the reserve", problem, mend))
        chosen.append(waiting.pop(0))


def _made(
    payees: Sequence[Payee],
    outputs: list[TxOutput],
    coins: Sequence[ReserveOutput],
    change: Map | None,
    weight: int,
) -> Batch:
    if weight > _MOST_WEIGHT:
        problem = f"weighs {weight} units, over the limit of {_MOST_WEIGHT} that nodes pass on"
        raise ReserveError(Fault("batch", problem, "pay fewer in one batch: give a smaller --batch"))
    inputs = tuple(TxInput(coin.outpoint, sequence=_REPLACEABLE) for coin in coins)
    spent = [
        MappingProxyType(
            {**coin.fields, bytes([Field.WITNESS_UTXO]): TxOutput(coin.satoshi, coin.script).raw}
        )
        for coin in coins
    ]
    plain: list[Map] = [MappingProxyType({}) for _ in payees]
    held = sum(coin.satoshi for coin in coins)
    back = 0 if change is None else outputs[-1].satoshi
    paid = sum(payee.satoshi for payee in payees)
    maps = (*plain, *([] if change is None else [_as_output(change)]))
    psbt = Psbt(Transaction(2, inputs, tuple(outputs)), tuple(spent), maps)
    return Batch(psbt, tuple(payees), held, paid, back, held - paid - back, weight)


#: Types of the fields of an input, and what the same is called in an output (BIP-174, BIP-371).
_OUTPUT_FIELD = {
    Field.REDEEM_SCRIPT: 0x00,
    Field.WITNESS_SCRIPT: 0x01,
    Field.BIP32_DERIVATION: 0x02,
    Field.TAP_INTERNAL_KEY: 0x05,
    Field.TAP_BIP32_DERIVATION: 0x07,
}


def _as_output(fields: Map) -> Map:
    return MappingProxyType(
        {
            bytes([_OUTPUT_FIELD[key[0]]]) + key[1:]: value
            for key, value in fields.items()
            if key[0] in _OUTPUT_FIELD
        }
    )


def _weight(inputs: int, outputs: Sequence[TxOutput], satisfied: int) -> int:
    """Weight of the signed transaction at most: 41 bytes of each input and its longest witness."""
    sizes = 8 + _size_of_size(inputs) + _size_of_size(len(outputs))
    plain = sizes + 41 * inputs + sum(len(output.raw) for output in outputs)
    return 4 * plain + 2 + satisfied * inputs


def _scripts_of(payees: Sequence[Payee], network: Network) -> tuple[dict[str, bytes], list[Fault]]:
    found: dict[str, bytes] = {}
    faults: list[Fault] = []
    for payee in payees:
        try:
            found[payee.id] = script_of(payee.address, network, "address")
        except ReserveError as error:
            faults += [
                Fault("payees", fault.problem, fault.mend, row=payee.row, column="address")
                for fault in error.faults
            ]
    return found, faults


def _payee_faults(payees: Sequence[Payee], scripts: dict[str, bytes], same_address: bool) -> Iterator[Fault]:
    if not payees:
        yield Fault("payees", "there is none", "give at least one")
    ids = Counter(payee.id for payee in payees)
    places = Counter(scripts[key] for key in scripts)
    for payee in payees:
        if ids[payee.id] > 1:
            problem = f"is there {ids[payee.id]} times"
            yield Fault("payees", problem, "pay each once", row=payee.row, column="id", value=payee.id)
        script = scripts.get(payee.id)
        if script is None:
            continue
        if places[script] > 1 and not same_address:
            mend = "pay it once, or say that the same address may be paid twice"
            yield Fault(
                "payees", "is the address of another payee too", mend, row=payee.row, column="address"
            )
        least = dust_limit(script)
        if not least <= payee.satoshi <= MOST_SATOSHI:
            problem = f"is outside {least} to {MOST_SATOSHI} satoshi; less than the first is dust"
            mend = "pay more at once, or by another rail"
            value = str(payee.satoshi)
            yield Fault("payees", problem, mend, row=payee.row, column="satoshi", value=value)


def _rate_faults(fee_rate: float, most_payees: int) -> Iterable[Fault]:
    if not 1.0 <= fee_rate <= MOST_FEE_RATE:
        problem = f"must be 1 to {MOST_FEE_RATE:g} [satoshi per virtual byte]"
        yield Fault("--fee-rate", problem, "ask your node: estimatesmartfee", value=f"{fee_rate:g}")
    if most_payees < 1:
        yield Fault("--batch", "must be 1 or more", "give the payees of one batch", value=str(most_payees))
