"""What is to be paid to whom: a CSV of beneficiaries, every row checked before anybody is paid.

Columns: id, rail, amount, destination; currency and name where a bank needs them. Amounts are whole satoshi
on-chain and over Lightning, and currency units with their decimals for a bank. A destination is personal
data: no message repeats one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from penstock.country.faults import shown
from penstock.errors import Fault, PayoutError, ReserveError
from penstock.reserve.descriptors import Network
from penstock.reserve.payout import dust_limit
from penstock.reserve.scripts import script_of
from penstock.reserve.transaction import MOST_SATOSHI

from .bolt11 import InvoiceError, decode
from .pain001 import destination_problem, minor_digits, name_problem

__all__ = ["MOST_BYTES", "SATOSHI", "Order", "Orders", "Rail", "amount_text", "read_orders"]

Rail = Literal["onchain", "lightning", "bank"]
SATOSHI = "SAT"
MOST_BYTES = 20_000_000
MOST_ROWS = 100_000
_MOST_FIELD = 8_000  # characters; csv refuses longer ones
_LEAST_LIFE_S = 600  # of an invoice: it must still be good when its turn comes
_NEEDED = ("id", "rail", "amount", "destination")
_KNOWN = (*_NEEDED, "currency", "name")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WHOLE = re.compile(r"[0-9]{1,16}")
_DECIMAL = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,3}))?")
_LIGHTNING_ADDRESS = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Order:
    """One payment. row: line in the file. amount: in satoshi, or in the least unit of the currency.

    payment_hash: of an invoice, hexadecimal; None where the destination is none.
    """

    id: str
    row: int
    rail: Rail
    amount: int
    currency: str
    destination: str
    name: str
    payment_hash: str | None


@dataclass(frozen=True, slots=True)
class Orders:
    """A file that was read. bad: rows that may not be paid, by line. file_sha256: of its bytes."""

    good: tuple[Order, ...]
    faults: tuple[Fault, ...]
    bad: tuple[int, ...]
    file_sha256: str

    def totals(self) -> dict[str, int]:
        """Sum of the good rows by currency, in its least unit."""
        sums: dict[str, int] = defaultdict(int)
        for order in self.good:
            sums[order.currency] += order.amount
        return dict(sums)


def amount_text(amount: int, currency: str) -> str:
    """An amount in the least unit as it is written: satoshi whole, money with its decimals."""
    if currency == SATOSHI:
        return f"{amount} SAT"
    digits = minor_digits(currency)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}d} {currency}" if digits else f"{whole} {currency}"


def read_orders(
    data: bytes, place: str, *, network: Network, now_s: int, currency: str = "PKR", same: bool = False
) -> Orders:
    """The orders of a file, and every fault of every row.

    place: the file, for messages. network: chain of on-chain and Lightning payments. now_s: the time, in
    seconds since 1970. currency: of bank rows that name none. same: whether a destination may stand twice.

    Raises PayoutError for a file that cannot be read as such a table at all.
    """
    rows = _rows(data, place)
    checks = _Checks(place, network, now_s, currency)
    found = [checks.order(line, row) for line, row in rows]
    orders = [order for order in found if order is not None]
    checks.faults += _twice(place, [(line, row["id"]) for line, row in rows], "id", "pay each once")
    hashes = [(order.row, order.payment_hash) for order in orders if order.payment_hash]
    checks.faults += _twice(place, hashes, "destination", "ask for an invoice of its own", "invoice")
    if not same:
        mend = "pay it in one row, or say --same-destination"
        checks.faults += _twice(
            place, [(order.row, order.destination) for order in orders], "destination", mend
        )
    bad = {fault.row for fault in checks.faults if fault.row is not None}
    faults = sorted(checks.faults, key=lambda fault: (fault.row or 0, fault.column or ""))
    good = tuple(order for order in orders if order.row not in bad)
    return Orders(good, tuple(dict.fromkeys(faults)), tuple(sorted(bad)), hashlib.sha256(data).hexdigest())


def _rows(data: bytes, place: str) -> list[tuple[int, dict[str, str]]]:
    if len(data) > MOST_BYTES:
        problem = f"has {len(data)} bytes or more, over the limit of {MOST_BYTES}"
        raise PayoutError(Fault(place, problem, "split it into several runs"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PayoutError(Fault(place, "is not UTF-8", "save it as CSV in UTF-8", row=line)) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise PayoutError(Fault(place, "holds a zero byte", "save it as CSV in UTF-8", row=line))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for row in reader:
            if row:
                lines.append((start, row))
            start = reader.line_num + 1
    except csv.Error as error:
        raise PayoutError(Fault(place, f"is no CSV: {error}", "mend the quotes", row=start)) from None
    return _named(lines, place)


def _named(lines: Sequence[tuple[int, list[str]]], place: str) -> list[tuple[int, dict[str, str]]]:
    header = [name.strip().lower() for name in lines[0][1]] if lines else []
    faults = [
        Fault(place, "has no such column", "add it", row=1, column=n) for n in _NEEDED if n not in header
    ]
    for name in dict.fromkeys(header):
        if name not in _KNOWN:
            mend = f"known are {', '.join(_KNOWN)}"
            faults.append(Fault(place, "is no column of a payment run", mend, row=1, value=shown(name)))
        elif header.count(name) > 1:
            faults.append(Fault(place, "stands twice", "leave one out", row=1, column=name))
    if len(lines) < 2 and not faults:
        faults.append(Fault(place, "has no row", "give at least one beneficiary"))
    if len(lines) - 1 > MOST_ROWS:
        problem = f"has {len(lines) - 1} rows, over the limit of {MOST_ROWS}"
        faults.append(Fault(place, problem, "split it into several runs"))
    for line, row in lines[1:]:
        if len(row) != len(header):
            problem = f"has {len(row)} fields, the header {len(header)}"
            faults.append(Fault(place, problem, "put a field with a comma into quotes", row=line))
    if faults:
        raise PayoutError(faults)
    return [(line, dict(zip(header, map(str.strip, row), strict=True))) for line, row in lines[1:]]


def _twice(
    place: str, rows: Sequence[tuple[int, str | None]], column: str, mend: str, what: str = "value"
) -> Iterator[Fault]:
    count = Counter(value for _, value in rows)
    for line, value in rows:
        if value and count[value] > 1:
            told = value if column == "id" else None
            problem = f"the same {what} stands in {count[value]} rows"
            yield Fault(place, problem, mend, row=line, column=column, value=told and shown(told))


class _Checks:
    def __init__(self, place: str, network: Network, now_s: int, currency: str) -> None:
        self.place, self.network, self.now_s, self.currency = place, network, now_s, currency
        self.faults: list[Fault] = []
        self._rails: Mapping[str, Callable[[int, dict[str, str]], Order | None]] = {
            "onchain": self._onchain,
            "lightning": self._lightning,
            "bank": self._bank,
        }

    def order(self, line: int, row: dict[str, str]) -> Order | None:
        """The order of a row; None where it has a fault, which is kept."""
        before = len(self.faults)
        if not _ID.fullmatch(row["id"]):
            mend = "write 1 to 64 of A-Z a-z 0-9 . _ -, a letter or figure first; no name of a person"
            self._fault(line, "id", "cannot be an id", mend, row["id"])
        rail = self._rails.get(row["rail"].lower())
        if rail is None:
            self._fault(line, "rail", "is no rail", f"write one of {', '.join(get_args(Rail))}", row["rail"])
            return None
        found = rail(line, row)
        return found if len(self.faults) == before else None

    def _fault(self, line: int, column: str, problem: str, mend: str, value: str | None = None) -> None:
        told = None if value is None else shown(value)
        self.faults.append(Fault(self.place, problem, mend, row=line, column=column, value=told))

    def _satoshi(self, line: int, row: dict[str, str], least: int) -> int:
        given = row.get("currency", "")
        if given.upper() not in ("", SATOSHI):
            self._fault(line, "currency", "this rail pays satoshi", f"write {SATOSHI}, or nothing", given)
        text = row["amount"]
        amount = int(text) if _WHOLE.fullmatch(text) else 0
        if not amount:
            self._fault(line, "amount", "is no whole number of satoshi above 0", "write 25000, say", text)
        elif not least <= amount <= MOST_SATOSHI:
            problem = f"is outside {least} to {MOST_SATOSHI} satoshi; less than the first is dust"
            self._fault(line, "amount", problem, "pay more at once, or by another rail", text)
        return amount

    def _onchain(self, line: int, row: dict[str, str]) -> Order | None:
        least = 1
        try:
            least = dust_limit(script_of(row["destination"], self.network))
        except ReserveError as error:
            for fault in error.faults:
                self._fault(line, "destination", fault.problem, fault.mend)
        amount = self._satoshi(line, row, least)
        return self._made(line, row, "onchain", amount, SATOSHI)

    def _lightning(self, line: int, row: dict[str, str]) -> Order | None:
        amount, text = self._satoshi(line, row, 1), row["destination"]
        if "@" in text:
            if not _LIGHTNING_ADDRESS.fullmatch(text):
                self._fault(
                    line, "destination", "is no Lightning address", "write name@host in small letters"
                )
            return self._made(line, row, "lightning", amount, SATOSHI)
        try:
            invoice = decode(text, self.network)
        except InvoiceError as error:
            self._fault(line, "destination", error.problem, error.mend)
            return None
        mend = "ask the beneficiary for a new one"
        if invoice.msat is None:
            self._fault(
                line, "destination", "is an invoice without an amount", mend + " with the amount in it"
            )
        elif amount and invoice.msat != 1_000 * amount:
            problem = f"is not what the invoice asks for: {invoice.msat / 1000:g} satoshi"
            self._fault(line, "amount", problem, "write that, or ask for another invoice", row["amount"])
        left = invoice.expires - self.now_s
        if left < _LEAST_LIFE_S:
            problem = "is an invoice that expired" if left <= 0 else f"is an invoice that expires in {left} s"
            self._fault(line, "destination", f"{problem}; at least {_LEAST_LIFE_S} s must be left", mend)
        return self._made(line, row, "lightning", amount, SATOSHI, invoice.payment_hash)

    def _bank(self, line: int, row: dict[str, str]) -> Order | None:
        currency = row.get("currency", "").upper() or self.currency
        amount = self._money(line, row["amount"], currency)
        if problem := destination_problem(row["destination"]):
            self._fault(line, "destination", problem, "ask the beneficiary again")
        if problem := name_problem(row.get("name", "")):
            self._fault(line, "name", problem, "write the name of the account's holder")
        return self._made(line, row, "bank", amount, currency)

    def _money(self, line: int, text: str, currency: str) -> int:
        if not re.fullmatch(r"[A-Z]{3}", currency) or currency == SATOSHI:
            self._fault(line, "currency", "is no currency of ISO 4217", "write PKR, say", currency)
            return 0
        digits, found = minor_digits(currency), _DECIMAL.fullmatch(text)
        if found is None or len(found[2] or "") > digits:
            problem = f"is no amount with at most {digits} decimals [{currency}]"
            self._fault(line, "amount", problem, "write 2500.00, say: no sign, no space, no comma", text)
            return 0
        amount = int(found[1] + (found[2] or "").ljust(digits, "0"))
        if not amount:
            self._fault(line, "amount", "is 0", "leave the row out", text)
        return amount

    def _made(
        self, line: int, row: dict[str, str], rail: Rail, amount: int, currency: str, of: str | None = None
    ) -> Order:
        name = row.get("name", "")
        return Order(row["id"], line, rail, amount, currency, row["destination"], name, of)
