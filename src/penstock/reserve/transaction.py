"""Transactions and outputs as the network writes them (BIP-144). Coins are whole satoshi."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from .wire import Reader, refuse, size_bytes, sized

__all__ = [
    "MOST_SATOSHI",
    "Outpoint",
    "Transaction",
    "TxInput",
    "TxOutput",
    "double_sha256",
    "read_transaction",
    "tagged_hash",
]

#: All bitcoin there can be. [satoshi]
MOST_SATOSHI = 21_000_000 * 100_000_000
_MOST_BYTES = 4_000_000  # the network's own limit; 10,000 inputs without signatures take a tenth of it


@dataclass(frozen=True, slots=True, order=True)
class Outpoint:
    """An output of a transaction. txid: as it is shown, in hexadecimal; vout: its place, from 0."""

    txid: str
    vout: int

    def __str__(self) -> str:
        return f"{self.txid}:{self.vout}"

    @property
    def raw(self) -> bytes:
        """As in a transaction: 36 bytes."""
        return bytes.fromhex(self.txid)[::-1] + self.vout.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class TxInput:
    """An input. witness: its stack, empty where it has none."""

    outpoint: Outpoint
    script: bytes = b""
    sequence: int = 0
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class TxOutput:
    """An output. script: what must be satisfied to spend it."""

    satoshi: int
    script: bytes

    @property
    def raw(self) -> bytes:
        """As in a transaction."""
        return self.satoshi.to_bytes(8, "little") + sized(self.script)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction. lock_time: height or time before which it is not final; 0 for none."""

    version: int
    inputs: tuple[TxInput, ...]
    outputs: tuple[TxOutput, ...]
    lock_time: int = 0

    def raw(self, *, witness: bool = True) -> bytes:
        """Its bytes; without the witnesses where there are none, or where they are not wanted."""
        segwit = witness and any(found.witness for found in self.inputs)
        parts = [self.version.to_bytes(4, "little"), b"\x00\x01" if segwit else b""]
        parts.append(size_bytes(len(self.inputs)))
        for found in self.inputs:
            parts += [found.outpoint.raw, sized(found.script), found.sequence.to_bytes(4, "little")]
        parts += [size_bytes(len(self.outputs)), *(found.raw for found in self.outputs)]
        if segwit:
            for found in self.inputs:
                parts += [size_bytes(len(found.witness)), *(sized(item) for item in found.witness)]
        return b"".join([*parts, self.lock_time.to_bytes(4, "little")])

    @property
    def txid(self) -> str:
        """Hash without the witnesses, as it is shown."""
        return double_sha256(self.raw(witness=False))[::-1].hex()

    @property
    def unsigned(self) -> Transaction:
        """The same without scripts and witnesses of its inputs."""
        return replace(self, inputs=tuple(replace(row, script=b"", witness=()) for row in self.inputs))


def double_sha256(data: bytes) -> bytes:
    """SHA-256 of the SHA-256, 32 bytes."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def tagged_hash(tag: str, data: bytes) -> bytes:
    """Hash of BIP-340: SHA-256(SHA-256(tag) || SHA-256(tag) || data), 32 bytes."""
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + data).digest()


def read_transaction(data: bytes, place: str) -> Transaction:
    """The transaction in some bytes, all of them.

    place: what the bytes are, for messages.

    Raises ReserveError where they are too many, too few, not in the one form that the network writes, or an
    amount is above all bitcoin there can be.
    """
    if len(data) > _MOST_BYTES:
        raise refuse(place, f"has {len(data)} bytes, over the limit of {_MOST_BYTES}")
    reader = Reader(data, place)
    version = reader.number(4)
    segwit = data[4:6] == b"\x00\x01"
    if segwit:
        reader.take(2)
    inputs = [_input(reader) for _ in range(reader.count(41))]
    outputs = tuple(read_output(reader) for _ in range(reader.count(9)))
    if not inputs:
        raise refuse(place, "has no input")
    if segwit:
        stacks = [tuple(reader.text() for _ in range(reader.count(1))) for _ in inputs]
        if not any(stacks):
            raise refuse(place, "is marked as having witnesses and has none")
        inputs = [replace(row, witness=stack) for row, stack in zip(inputs, stacks, strict=True)]
    found = Transaction(version, tuple(inputs), outputs, reader.number(4))
    reader.end()
    return found


def _input(reader: Reader) -> TxInput:
    txid = reader.take(32)[::-1].hex()
    outpoint = Outpoint(txid, reader.number(4))
    return TxInput(outpoint, reader.text(), reader.number(4))


def read_output(reader: Reader) -> TxOutput:
    """The output that comes next. Raises ReserveError for an amount above all bitcoin there can be."""
    satoshi = reader.number(8)
    if satoshi > MOST_SATOSHI:
        raise refuse(reader.place, f"an amount of {satoshi} satoshi is above the limit of {MOST_SATOSHI}")
    return TxOutput(satoshi, reader.text())
