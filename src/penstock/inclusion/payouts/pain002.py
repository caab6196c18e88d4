"""What a bank says of a message: a payment status report (pain.002) or a CSV of end-to-end id and status."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from penstock.errors import Fault, PayoutError

__all__ = ["MOST_BYTES", "Told", "read_status"]

MOST_BYTES = 50_000_000
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001."
#: Codes of ISO 20022's external code set of payment transaction statuses.
_PAID = {"ACSC", "ACCC"}
_FAILED = {"RJCT", "CANC"}
_PENDING = {"ACCP", "ACSP", "ACTC", "ACWC", "PDNG", "RCVD", "PART", "ACFC", "PATC", "ACWP"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a bank says of one payment. reason: its code, or ""."""

    state: Literal["paid", "failed", "pending"]
    reason: str


def read_status(data: bytes, place: str) -> Mapping[str, Told]:
    """What a bank says, by end-to-end id.

    Raises PayoutError for what is no such report, a status that is not known, or one id with two statuses.
    """
    if len(data) > MOST_BYTES:
        raise PayoutError(Fault(place, f"has over {MOST_BYTES} bytes", "ask for it in parts"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PayoutError(Fault(place, "is not UTF-8", "ask the bank for UTF-8")) from None
    xml = text.lstrip().startswith("<")
    rows = list(_of_xml(text, place) if xml else _of_csv(text, place))
    found: dict[str, Told] = {}
    faults = []
    for row, key, code, reason in rows:
        state = _state(code)
        if state is None:
            mend = f"known are {', '.join(sorted(_PAID | _FAILED | _PENDING))}"
            faults.append(Fault(place, "is no status", mend, row=row, column="status", value=code[:40]))
            continue
        told = Told(state, reason)
        if found.setdefault(key, told) != told:
            problem = f"end-to-end id {key[:40]} stands twice with different statuses"
            faults.append(Fault(place, problem, "ask the bank which holds", row=row))
    if not rows:
        faults.append(Fault(place, "says nothing of any payment", "ask the bank for a report by transaction"))
    if faults:
        raise PayoutError(faults)
    return found


def _state(code: str) -> Literal["paid", "failed", "pending"] | None:
    if code in _PAID:
        return "paid"
    if code in _FAILED:
        return "failed"
    return "pending" if code in _PENDING else None


def _of_xml(text: str, place: str) -> Iterator[tuple[int | None, str, str, str]]:
    if "<!" in text.replace("<!--", ""):  # neither entities nor a DTD belong into it
        raise PayoutError(Fault(place, "holds a DTD or entities", "do not use it: ask who made it"))
    try:
        root = ET.fromstring(text.encode())
    except ET.ParseError as error:
        raise PayoutError(Fault(place, f"is no XML: {error}", "fetch it again")) from None
    space = root.tag.partition("}")[0].lstrip("{")
    if not space.startswith(_NAMESPACE):
        problem = "is no payment status report (pain.002.001)"
        raise PayoutError(Fault(place, problem, "give the bank's answer to the message"))
    name = f"{{{space}}}"
    for each in root.iter(f"{name}TxInfAndSts"):
        key, code = each.findtext(f"{name}OrgnlEndToEndId") or "", each.findtext(f"{name}TxSts") or ""
        yield None, key, code, each.findtext(f"{name}StsRsnInf/{name}Rsn/{name}Cd") or ""


def _of_csv(text: str, place: str) -> Iterator[tuple[int | None, str, str, str]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise PayoutError(Fault(place, f"is no CSV: {error}", "mend the quotes")) from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if header[:2] != ["end_to_end_id", "status"]:
        mend = "the first line is end_to_end_id,status or end_to_end_id,status,reason"
        raise PayoutError(Fault(place, "is neither XML nor a CSV of statuses", mend))
    for line, row in enumerate(rows[1:], 2):
        if row:
            cells = [*map(str.strip, row), "", ""]
            yield line, cells[0], cells[1], cells[2]
