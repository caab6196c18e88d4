"""The bank rail: ISO 20022 credit transfers (pain.001.001.09) for a bank or a mobile-money operator.

The same arguments give the same bytes. So a message that is written again after a crash is the same message,
with the same MsgId, which a bank takes once. A destination is an IBAN, a mobile number as +923001234567, or
an account and its bank as ACCOUNT@BIC.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import Fault, PayoutError

if TYPE_CHECKING:
    import xmlschema

__all__ = [
    "NAMESPACE",
    "Party",
    "Transfer",
    "check",
    "destination_problem",
    "message",
    "minor_digits",
    "money_text",
    "name_problem",
]

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_SCHEMA = Path(__file__).parent / "schemas" / "pain.001.001.09.xsd"
_MOBILE = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_ACCOUNT = re.compile(r"[A-Za-z0-9/-]{1,34}")
#: Characters of an IBAN by country, of the SWIFT registry; other countries are judged by their check digits.
_IBAN_LENGTH = {
    **{"PK": 24, "SV": 28, "AE": 23, "SA": 24, "BH": 22, "KW": 30, "QA": 29, "GB": 22, "NO": 15, "DE": 22},
    **{"FR": 27, "ES": 24, "IT": 27, "CH": 21, "TR": 26, "GT": 28, "CR": 22, "NL": 18, "BE": 16, "SE": 24},
}
#: Decimals of currencies that have not two (ISO 4217).
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_LONGEST_NAME = 140


@dataclass(frozen=True, slots=True)
class Party:
    """Who pays. account: as a destination is written."""

    name: str
    account: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment. end_to_end_id: at most 35 characters. amount: in the least unit of the currency."""

    end_to_end_id: str
    amount: int
    destination: str
    name: str


def minor_digits(currency: str) -> int:
    """Decimals of a currency: 2 but for those that have others."""
    return _DIGITS.get(currency, 2)


def money_text(amount: int, currency: str) -> str:
    """An amount in the least unit, written with its decimals."""
    digits = minor_digits(currency)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def destination_problem(text: str) -> str:
    """What is wrong with a destination; "" where nothing is. The text is never repeated."""
    if text.startswith("+"):
        return "" if _MOBILE.fullmatch(text) else "is no mobile number: a plus and 8 to 15 figures"
    account, at, bank = text.partition("@")
    if at:
        if not _ACCOUNT.fullmatch(account):
            return "has no account before the @: 1 to 34 letters, figures, / or -"
        return "" if _BIC.fullmatch(bank) else "has no BIC after the @: 8 or 11 capital letters and figures"
    if not _IBAN.fullmatch(text):
        return "is no IBAN (capitals, no spaces), mobile number (+...) or ACCOUNT@BIC"
    length = _IBAN_LENGTH.get(text[:2], len(text))
    if len(text) != length:
        return f"has {len(text)} characters; an IBAN of {text[:2]} has {length}"
    number = int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4]))
    return "" if number % 97 == 1 else "has check digits that do not fit: a letter or figure is wrong"


def name_problem(text: str) -> str:
    """What is wrong with the name of an account's holder; "" where nothing is."""
    if not text:
        return "is missing: a bank needs the holder's name"
    if len(text) > _LONGEST_NAME:
        return f"has {len(text)} characters, over the limit of {_LONGEST_NAME}"
    if any(not letter.isprintable() for letter in text):
        return "holds a character that cannot be printed"
    return ""


def message(
    transfers: Sequence[Transfer],
    *,
    message_id: str,
    created: str,
    execution_date: str,
    debtor: Party,
    currency: str,
) -> bytes:
    """A customer credit transfer with one payment instruction, checked against ISO's schema.

    created: time as 2026-11-24T09:30:00Z. execution_date: day as 2026-11-24.

    Raises PayoutError where there is no transfer, or the message does not fit the schema.
    """
    if not transfers:
        raise PayoutError(Fault("bank", "there is no transfer", "give at least one"))
    total = money_text(sum(one.amount for one in transfers), currency)
    root = ET.Element("Document", xmlns=NAMESPACE)
    body = ET.SubElement(root, "CstmrCdtTrfInitn")
    header = ET.SubElement(body, "GrpHdr")
    counted = (("NbOfTxs", str(len(transfers))), ("CtrlSum", total))
    _texts(header, ("MsgId", message_id), ("CreDtTm", created), *counted)
    _texts(ET.SubElement(header, "InitgPty"), ("Nm", debtor.name))
    payment = ET.SubElement(body, "PmtInf")
    _texts(payment, ("PmtInfId", message_id), ("PmtMtd", "TRF"), ("BtchBookg", "true"), *counted)
    _texts(ET.SubElement(payment, "ReqdExctnDt"), ("Dt", execution_date))
    _texts(ET.SubElement(payment, "Dbtr"), ("Nm", debtor.name))
    _account(payment, "Dbtr", debtor.account)
    _texts(payment, ("ChrgBr", "SLEV"))
    for one in transfers:
        each = ET.SubElement(payment, "CdtTrfTxInf")
        _texts(ET.SubElement(each, "PmtId"), ("EndToEndId", one.end_to_end_id))
        amount = ET.SubElement(ET.SubElement(each, "Amt"), "InstdAmt", Ccy=currency)
        amount.text = money_text(one.amount, currency)
        _account(each, "Cdtr", one.destination, one.name)
    ET.indent(root)
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
    check(found)
    return found


def _account(parent: ET.Element, who: str, destination: str, name: str | None = None) -> None:
    """Bank, party and account in the order of the schema: of a debtor the party stands there already."""
    account, at, bank = destination.partition("@")
    agent = ET.Element(f"{who}Agt")
    institution = ET.SubElement(agent, "FinInstnId")
    if at:
        _texts(institution, ("BICFI", bank))
    else:
        _texts(ET.SubElement(institution, "Othr"), ("Id", "NOTPROVIDED"))
    holder = ET.Element(f"{who}Acct")
    number = ET.SubElement(holder, "Id")
    if destination.startswith("+"):
        other = ET.SubElement(number, "Othr")
        _texts(other, ("Id", destination))
        _texts(ET.SubElement(other, "SchmeNm"), ("Prtry", "MSISDN"))
    elif at:
        _texts(ET.SubElement(number, "Othr"), ("Id", account))
    else:
        _texts(number, ("IBAN", destination))
    if who == "Dbtr":
        parent.extend((holder, agent))
        return
    if at:
        parent.append(agent)
    party = ET.SubElement(parent, who)
    _texts(party, ("Nm", name or ""))
    parent.append(holder)


def _texts(parent: ET.Element, *pairs: tuple[str, str]) -> None:
    for tag, text in pairs:
        ET.SubElement(parent, tag).text = text


@cache
def _schema() -> xmlschema.XMLSchema:
    import xmlschema

    return xmlschema.XMLSchema(_SCHEMA, allow="local", defuse="always")


def check(xml: bytes) -> None:
    """Raises PayoutError naming everything that ISO's schema refuses; no text of the message is repeated."""
    faults = []
    for error in _schema().iter_errors(io.BytesIO(xml)):
        reason = re.sub(r"'[^']*'", "a value", str(error.reason or "does not fit"))
        faults.append(Fault("bank message", f"{reason[:200]} at {error.path}", "mend the row it is from"))
    if faults:
        raise PayoutError(faults)
