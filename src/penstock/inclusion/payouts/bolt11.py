"""Lightning invoices (BOLT 11): what they ask for, read in some tens of microseconds.

Checksum, network, amount, times and hashes are judged here. The signature is not: the node that pays checks
it before it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Invoice", "InvoiceError", "decode"]

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP-173
#: What each value of the five bits that leave the register adds to it.
_FEEDBACK = tuple(
    (value & 1 and _GENERATOR[0])
    ^ (value & 2 and _GENERATOR[1])
    ^ (value & 4 and _GENERATOR[2])
    ^ (value & 8 and _GENERATOR[3])
    ^ (value & 16 and _GENERATOR[4])
    for value in range(32)
)
_PREFIXES = {"main": "lnbc", "test": "lntb", "testnet4": "lntb", "signet": "lntbs", "regtest": "lnbcrt"}
#: Millisatoshi of one unit by multiplier, as numerator and denominator.
_UNITS = {"": (10**11, 1), "m": (10**8, 1), "u": (10**5, 1), "n": (10**2, 1), "p": (1, 10)}
_LONGEST = 4_000
_MOST_MSAT = 21_000_000 * 10**11
_SIGNATURE = 104  # values of five bits
_NEW = "ask the beneficiary for a new invoice"


class InvoiceError(ValueError):
    """An invoice that cannot be paid. problem, mend: as in a `Fault`; neither repeats the invoice."""

    def __init__(self, problem: str, mend: str = _NEW) -> None:
        super().__init__(problem)
        self.problem, self.mend = problem, mend


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. msat: what it asks for, in thousandths of a satoshi; None where it leaves that open.

    payment_hash, description_hash: hexadecimal. timestamp, expires: seconds since 1970.
    """

    network: str
    msat: int | None
    payment_hash: str
    timestamp: int
    expires: int
    description: str | None
    description_hash: str | None


def decode(text: str, network: str) -> Invoice:
    """The invoice in a text. network: chain it must be of.

    Raises InvoiceError.
    """
    if len(text) > _LONGEST:
        raise InvoiceError(f"has {len(text)} characters, over the limit of {_LONGEST} of an invoice")
    if text not in (text.lower(), text.upper()) or not text.isascii():
        raise InvoiceError("is no Lightning invoice: capitals and small letters are mixed")
    human, one, data = text.lower().rpartition("1")
    if not one or not human.startswith("ln"):
        raise InvoiceError("is neither a Lightning invoice (lnbc...) nor an address (name@host)")
    try:
        values = [_VALUES[letter] for letter in data]
    except KeyError:
        raise InvoiceError("holds a letter that no invoice has") from None
    if _checksum(human, values) != 1:
        raise InvoiceError("has a checksum that does not fit: a letter is wrong or missing")
    msat = _amount(human, network)
    body = values[: -6 - _SIGNATURE]
    if len(body) < 7:
        raise InvoiceError("is too short for an invoice")
    fields = dict(_fields(body[7:]))
    for tag, name in (("p", "payment hash"), ("s", "payment secret")):
        if tag not in fields:
            raise InvoiceError(f"has no {name}")
    if ("d" in fields) == ("h" in fields):
        raise InvoiceError("has not one description, in words or as a hash")
    timestamp = _number(body[:7])
    expiry = _number(fields["x"]) if "x" in fields else 3_600
    return Invoice(
        network=network,
        msat=msat,
        payment_hash=_bytes(fields["p"]).hex(),
        timestamp=timestamp,
        expires=timestamp + expiry,
        description=_bytes(fields["d"]).decode("utf-8", "replace") if "d" in fields else None,
        description_hash=_bytes(fields["h"]).hex() if "h" in fields else None,
    )


def _checksum(human: str, values: Sequence[int]) -> int:
    state = 1
    for value in (
        *(ord(letter) >> 5 for letter in human),
        0,
        *(ord(letter) & 31 for letter in human),
        *values,
    ):
        state = ((state & 0x1FFFFFF) << 5) ^ value ^ _FEEDBACK[state >> 25]
    return state


def _amount(human: str, network: str) -> int | None:
    wanted = _PREFIXES[network]
    prefix, rest = human[:8], ""
    for known in sorted(set(_PREFIXES.values()), key=len, reverse=True):
        if human.startswith(known) and human[len(known) : len(known) + 1] in ("", *"0123456789"):
            prefix, rest = known, human[len(known) :]
            break
    if prefix != wanted:
        raise InvoiceError(f"is of another network: it begins with {prefix}, not {wanted}")
    if not rest:
        return None
    unit = rest[-1] if rest[-1] in "munp" else ""
    figures = rest.removesuffix(unit)
    if not figures.isdigit() or figures[0] == "0" or len(figures) > 20:
        raise InvoiceError("asks for an amount that cannot be read")
    up, down = _UNITS[unit]
    msat, part = divmod(int(figures) * up, down)
    if part or not 0 < msat <= _MOST_MSAT:
        raise InvoiceError("asks for a part of a thousandth of a satoshi, or for more than there can be")
    return msat


#: Values of five bits that a field must have; others are to be skipped (BOLT 11).
_SIZES = {"p": 52, "s": 52, "h": 52}


def _fields(values: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """Tagged fields, the first of each kind; one of another length than its own is skipped."""
    place, seen = 0, set()
    while place < len(values):
        if place + 3 > len(values):
            raise InvoiceError("is cut off in a field")
        tag, size = _LETTERS[values[place]], values[place + 1] * 32 + values[place + 2]
        field = list(values[place + 3 : place + 3 + size])
        if len(field) != size:
            raise InvoiceError("is cut off in a field")
        place += 3 + size
        if tag not in seen and _SIZES.get(tag, size) == size:
            seen.add(tag)
            yield tag, field


def _number(values: Sequence[int]) -> int:
    found = 0
    for value in values:
        found = found << 5 | value
    return found


def _bytes(values: Sequence[int]) -> bytes:
    """Whole bytes; what is left of the last value is padding."""
    size = len(values) * 5
    return (_number(values) >> size % 8).to_bytes(size // 8, "big")
