"""Scripts and addresses: read by bdk, checked by Bitcoin Core's engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from penstock.errors import Fault, ReserveError

from .descriptors import Network, read_address, scripts
from .transaction import Transaction, TxInput, TxOutput

__all__ = ["check_input", "kernel", "script_of", "unsafe_signature"]

_HALF_ORDER = 0x7FFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_5D576E73_57A4501D_DFE92F46_681B20A0
_SIGHASH_ALL = 0x01


def script_of(address: str, network: Network, place: str = "address") -> bytes:
    """The script of an address. Raises ReserveError for one of another network, or none at all."""
    return scripts(read_address(address, network, place), 0, 1)[0][0]


def kernel() -> Any:
    """Bitcoin Core's engine. Raises ReserveError where the extra `bitcoin` is not installed."""
    try:
        import pbk
    except ImportError:
        problem = "checking scripts needs the package py-bitcoinkernel, which is not installed"
        fault = Fault("penstock reserve", problem, "pip install 'penstock[bitcoin]'")
        raise ReserveError(fault) from None
    return pbk


def check_input(transaction: Transaction, index: int, spent: Sequence[TxOutput]) -> str:
    """Why an input does not satisfy the script that it spends; "" where it does.

    spent: what every input of the transaction spends.
    """
    return _Checker.of(transaction, tuple(spent)).problem(index)


class _Checker:
    """Checks the inputs of one transaction; its hashes are computed once."""

    def __init__(self, transaction: Transaction, spent: tuple[TxOutput, ...]) -> None:
        pbk = kernel()
        self.pbk, self.spent = pbk, spent
        self.transaction = pbk.Transaction(transaction.raw())
        self.outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(row.script), row.satoshi) for row in spent]
        self.data = pbk.script.PrecomputedTransactionData(self.transaction, self.outputs)

    @staticmethod
    @cache
    def _last() -> list[tuple[Transaction, tuple[TxOutput, ...], _Checker]]:
        return []

    @classmethod
    def of(cls, transaction: Transaction, spent: tuple[TxOutput, ...]) -> _Checker:
        last = cls._last()
        if not last or last[0][0] is not transaction or last[0][1] != spent:
            last[:] = [(transaction, spent, cls(transaction, spent))]
        return last[0][2]

    def problem(self, index: int) -> str:
        flags = self.pbk.ScriptVerificationFlags.ALL
        row = self.spent[index]
        try:
            good = self.pbk.ScriptPubkey(row.script).verify(
                row.satoshi, self.transaction, self.data, index, flags
            )
        except self.pbk.KernelException as error:
            return f"cannot be checked: {error}"
        return "" if good else "is not signed by the keys that the output asks for"


def unsafe_signature(row: TxInput, spent: TxOutput) -> str:
    """What the stricter rules of BIP-322 forbid in an input; "" where they are kept.

    Signatures must commit to everything (SIGHASH_ALL, or the default of taproot) and be low in S. Scripts of
    segwit versions above 1 may mean anything one day, and so prove nothing.
    """
    script = spent.script
    if 4 <= len(script) <= 42 and 0x52 <= script[0] <= 0x60 and script[1] == len(script) - 2:
        return "spends a segwit version above 1, whose rules are not known yet"
    taproot = len(script) == 34 and script[:2] == b"\x51\x20"
    for item in (*row.witness, *_pushes(row.script)):
        if taproot and len(item) == 65 and item[-1] != _SIGHASH_ALL:
            return "is signed with another sighash than ALL"
        s = _s_of(item)
        if s is not None and item[-1] != _SIGHASH_ALL:
            return "is signed with another sighash than ALL"
        if s is not None and s > _HALF_ORDER:
            return "has a signature with a high S"
    return ""


def _pushes(script: bytes) -> Iterator[bytes]:
    """What a scriptSig pushes; stops at what is no plain push."""
    at = 0
    while at < len(script):
        size, at = script[at], at + 1
        if size == 76 and at < len(script):
            size, at = script[at], at + 1
        elif size > 75:
            return
        yield script[at : at + size]
        at += size


def _s_of(item: bytes) -> int | None:
    """S of an ECDSA signature in DER with its sighash behind it; None for bytes of another form."""
    if not 9 <= len(item) <= 73 or item[0] != 0x30 or item[1] != len(item) - 3 or item[2] != 0x02:
        return None
    at = 4 + item[3]
    if at + 2 > len(item) or item[at] != 0x02 or at + 2 + item[at + 1] != len(item) - 1:
        return None
    return int.from_bytes(item[at + 2 : -1], "big")
