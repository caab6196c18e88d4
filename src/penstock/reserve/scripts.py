"""Scripts and addresses: read by bdk, checked by Bitcoin Core's engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from penstock.errors import Fault, ReserveError

from .descriptors import Network, read_address, read_descriptor, scripts
from .transaction import Outpoint, Transaction, TxInput, TxOutput

__all__ = [
    "Checker",
    "hashing_bytes",
    "kernel",
    "script_of",
    "shows_another_key",
    "unbound",
    "unsafe_signature",
]

_HALF_ORDER = 0x7FFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_5D576E73_57A4501D_DFE92F46_681B20A0
_SIGHASH_ALL = 0x01
_ANNEX = 0x50  # first byte of the last witness item of taproot that no script sees
_SEPARATOR = 0xAB  # OP_CODESEPARATOR
_RESERVED = frozenset((0xB0, *range(0xB3, 0xBA)))  # OP_NOP1, OP_NOP4 to OP_NOP10
_KEYS_AT_MOST = 20  # of OP_CHECKMULTISIG


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


class Checker:
    """Checks the inputs of one transaction by Bitcoin Core's engine; its hashes are computed once.

    spent: what every input of the transaction spends.
    """

    def __init__(self, transaction: Transaction, spent: Sequence[TxOutput]) -> None:
        pbk = kernel()
        self._pbk, self._spent = pbk, tuple(spent)
        self._transaction = pbk.Transaction(transaction.raw())
        outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(row.script), row.satoshi) for row in spent]
        self._data = pbk.script.PrecomputedTransactionData(self._transaction, outputs)

    def problem(self, index: int) -> str:
        """Why an input does not satisfy the script that it spends; "" where it does."""
        flags, row = self._pbk.ScriptVerificationFlags.ALL, self._spent[index]
        try:
            good = self._pbk.ScriptPubkey(row.script).verify(
                row.satoshi, self._transaction, self._data, index, flags
            )
        except self._pbk.KernelException as error:
            return f"cannot be checked: {error}"
        return "" if good else "is not signed by the keys that the output asks for"


def unbound(transaction: Transaction, spent: Sequence[TxOutput]) -> Checker:
    """A checker of the same witnesses under another message: what still holds there is bound to none.

    A script that asks for no signature, or for one that leaves other inputs out, is satisfied by anybody who
    saw it satisfied once.
    """
    first = transaction.inputs[0]
    other = hashlib.sha256(first.outpoint.raw).hexdigest()
    moved = replace(first, outpoint=Outpoint(other, first.outpoint.vout))
    return Checker(replace(transaction, inputs=(moved, *transaction.inputs[1:])), spent)


def hashing_bytes(transaction: Transaction, spent: Sequence[TxOutput]) -> int:
    """Bytes that are hashed at most to check inputs without segwit: each signature hashes the whole."""
    size, checks = len(transaction.raw(witness=False)), 0
    for row, output in zip(transaction.inputs, spent, strict=True):
        if _program(output.script):
            continue
        last = _last_push(row.script)
        if _is_p2sh(output.script) and _program(last):
            continue
        found = [*_opcodes(output.script), *_opcodes(row.script), *_opcodes(last)]
        checks += sum(_KEYS_AT_MOST if code in (0xAE, 0xAF) else code in (0xAC, 0xAD) for code in found)
    return size * checks


def unsafe_signature(row: TxInput, spent: TxOutput) -> str:
    """What the stricter rules of BIP-322 forbid in an input; "" where they are kept.

    Signatures must commit to everything (SIGHASH_ALL, or the default of taproot) and be low in S. Code
    separators are forbidden. Scripts of segwit versions above 1 and operations kept for upgrades may mean
    anything one day, and so prove nothing.
    """
    version = spent.script[0] if _program(spent.script) else 0
    if version > 0x51:
        return "spends a segwit version above 1, whose rules are not known yet"
    stack, script = _executed(row, spent.script)
    for code in _opcodes(script):
        if code == _SEPARATOR:
            return "spends a script with a code separator"
        if code in _RESERVED:
            return "spends a script with an operation that is kept for upgrades"
    for item in (*stack, *_pushes(row.script)):
        if version == 0x51 and len(item) == 65 and item[-1] != _SIGHASH_ALL:
            return "is signed with another sighash than ALL"
        s = _s_of(item)
        if s is not None and item[-1] != _SIGHASH_ALL:
            return "is signed with another sighash than ALL"
        if s is not None and s > _HALF_ORDER:
            return "has a signature with a high S"
    return ""


def shows_another_key(row: TxInput, script: bytes, network: Network) -> bool:
    """Whether an input brings a key, or a script of keys, that is not the output's.

    False where that cannot be told: of taproot, whose keys are not shown, and of unknown scripts.
    """
    if _is_p2sh(script):
        if not _is_hashed(row, script):
            return True
        script = _last_push(row.script)
    if script[:2] == b"\x00\x20" and len(script) == 34 and row.witness:
        return hashlib.sha256(row.witness[-1]).digest() != script[2:]
    if script[:2] == b"\x00\x14" and len(script) == 22 and row.witness:
        return _script_of_key("wpkh({})", row.witness[-1], network) != script
    if script[:3] == b"\x76\xa9\x14" and len(script) == 25 and row.script:
        return _script_of_key("pkh({})", _last_push(row.script), network) != script
    return False


def _is_hashed(row: TxInput, script: bytes) -> bool:
    """Whether what an input pushes last has the hash that a P2SH output asks for: its rule before BIP-16."""
    pbk = kernel()
    alone = Transaction(1, (replace(row, witness=()),), (TxOutput(0, b""),))
    try:
        return bool(
            pbk.ScriptPubkey(script).verify(
                0, pbk.Transaction(alone.raw()), None, 0, pbk.ScriptVerificationFlags.NONE
            )
        )
    except pbk.KernelException:
        return False


def _script_of_key(form: str, key: bytes, network: Network) -> bytes:
    """The script that a descriptor makes of a public key; b"" for what is no key."""
    try:
        return scripts(read_descriptor(form.format(key.hex()), network, "key"), 0, 1)[0][0]
    except ReserveError:
        return b""


def _program(script: bytes) -> bool:
    """Whether a script is a witness program, of any version."""
    return 4 <= len(script) <= 42 and script[0] in (0, *range(0x51, 0x61)) and script[1] == len(script) - 2


def _is_p2sh(script: bytes) -> bool:
    return len(script) == 23 and script[:2] == b"\xa9\x14" and script[-1] == 0x87


def _executed(row: TxInput, script: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Witness items that a script sees, and the script behind a hash that is run; b"" where there is none."""
    stack = row.witness
    if _is_p2sh(script):
        redeem = _last_push(row.script)
        if not _program(redeem):
            return stack, redeem
        script = redeem
    if script[:2] == b"\x00\x20" and stack:
        return stack[:-1], stack[-1]
    if script[:2] == b"\x51\x20":
        if len(stack) > 1 and stack[-1][:1] == bytes([_ANNEX]):
            stack = stack[:-1]
        if len(stack) > 1:
            return stack[:-2], stack[-2]
    return stack, b"" if _program(script) else script


def _opcodes(script: bytes) -> Iterator[int]:
    """Operations of a script, pushes aside; ends where a push runs over the end."""
    at = 0
    while at < len(script):
        code, at = script[at], at + 1
        if 76 <= code <= 78:
            width = 1 << code - 76
            at += width + int.from_bytes(script[at : at + width], "little")
        elif code <= 75:
            at += code
        else:
            yield code


def _last_push(script: bytes) -> bytes:
    """The last of what a scriptSig pushes; b"" where it pushes nothing."""
    found = b""
    for item in _pushes(script):
        found = item
    return found


def _pushes(script: bytes) -> Iterator[bytes]:
    """What a scriptSig pushes, b"" for a small number; stops at what is no push."""
    at = 0
    while at < len(script):
        size, at = script[at], at + 1
        if 76 <= size <= 78:
            width = 1 << size - 76
            size, at = int.from_bytes(script[at : at + width], "little"), at + width
        elif size == 0x4F or 0x51 <= size <= 0x60:
            size = 0
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
