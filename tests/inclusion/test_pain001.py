"""Messages to a bank: parsed again by hand, held to ISO's schema, the same bytes each time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import PayoutError
from penstock.inclusion.payouts.pain001 import (
    NAMESPACE,
    Party,
    Transfer,
    check,
    destination_problem,
    message,
    minor_digits,
    money_text,
    name_problem,
)

# Examples of the IBAN registry of SWIFT.
PAKISTAN, SALVADOR = "PK36SCBL0000001123456702", "SV62CENR00000000000000700025"
DEBTOR = Party("Ministry of Finance", PAKISTAN)
WORDS = {
    "message_id": "run-1.1",
    "created": "2026-11-24T09:30:00Z",
    "execution_date": "2026-11-25",
    "debtor": DEBTOR,
}
PEOPLE = [
    Transfer("a1", 250_000, SALVADOR, "María López"),
    Transfer("a2", 1, "+923001234567", "عائشہ"),
    Transfer("a3", 99_999, "0012-345/6@SCBLPKKX", "B & C <Sons>"),
]


def texts(xml: bytes, path: str) -> list[str | None]:
    steps = "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))
    return [found.text for found in ET.fromstring(xml).findall(f".//{steps}")]


def test_what_a_bank_reads() -> None:
    xml = message(PEOPLE, currency="PKR", **WORDS)  # type: ignore[arg-type]
    assert texts(xml, "GrpHdr/MsgId") == ["run-1.1"]
    assert texts(xml, "GrpHdr/NbOfTxs") == texts(xml, "PmtInf/NbOfTxs") == ["3"]
    assert texts(xml, "GrpHdr/CtrlSum") == texts(xml, "PmtInf/CtrlSum") == ["3500.00"]
    assert texts(xml, "CdtTrfTxInf/Amt/InstdAmt") == ["2500.00", "0.01", "999.99"]
    assert texts(xml, "PmtId/EndToEndId") == ["a1", "a2", "a3"]
    assert texts(xml, "Cdtr/Nm") == ["María López", "عائشہ", "B & C <Sons>"]
    assert texts(xml, "CdtrAcct/Id/IBAN") == [SALVADOR]
    assert texts(xml, "CdtrAcct/Id/Othr/Id") == ["+923001234567", "0012-345/6"]
    assert texts(xml, "CdtrAgt/FinInstnId/BICFI") == ["SCBLPKKX"]
    assert texts(xml, "DbtrAcct/Id/IBAN") == [PAKISTAN]


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, again = (message(PEOPLE, currency="PKR", **WORDS) for _ in range(2))  # type: ignore[arg-type]
    assert first == again


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**11),
            st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=140),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["PKR", "USD", "JPY", "KWD"]),
)
def test_any_amounts_and_names_fit_the_schema_and_add_up(
    people: list[tuple[int, str]], currency: str
) -> None:
    made = [Transfer(f"e{place}", amount, SALVADOR, name) for place, (amount, name) in enumerate(people)]
    xml = message(made, currency=currency, **WORDS)  # type: ignore[arg-type]
    told = [Decimal(text or "") for text in texts(xml, "CdtTrfTxInf/Amt/InstdAmt")]
    scale = Decimal(10) ** minor_digits(currency)
    assert [amount * scale for amount in told] == [amount for amount, _ in people]
    assert Decimal(texts(xml, "GrpHdr/CtrlSum")[0] or "") == sum(told)
    assert texts(xml, "Cdtr/Nm") == [name for _, name in people]


def test_ten_thousand_transfers_add_up_to_the_cent() -> None:
    many = [Transfer(f"e{number}", number, PAKISTAN, "N") for number in range(1, 10_001)]
    xml = message(many, currency="PKR", **WORDS)  # type: ignore[arg-type]
    assert texts(xml, "GrpHdr/CtrlSum") == ["500050.00"]  # 10,000 · 10,001 / 2 paisa


@pytest.mark.parametrize(
    "text",
    [PAKISTAN, SALVADOR, "GB29NWBK60161331926819", "+923001234567", "123@SCBLPKKX", "1/2-3@CENRSVSSXXX"],
)
def test_destinations_that_can_be(text: str) -> None:
    assert destination_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PK36SCBL0000001123456703", "check digits"),
        ("PK36SCBL000000112345670", "23 characters; an IBAN of PK has 24"),
        ("pk36scbl0000001123456702", "is no IBAN"),
        ("+0300123456", "mobile number"),
        ("+92 300 1234567", "mobile number"),
        ("123@SCBL", "BIC"),
        ("@SCBLPKKX", "account"),
        ("", "is no IBAN"),
        ("PK36SCBL0000001123456702\n", "is no IBAN"),
    ],
)
def test_destinations_that_cannot_be(text: str, told: str) -> None:
    assert told in destination_problem(text)
    assert not text or text not in destination_problem(text)


def test_names() -> None:
    assert name_problem("A") == ""
    assert "missing" in name_problem("")
    assert "over the limit of 140" in name_problem("a" * 141)
    assert "printed" in name_problem("a\u0000b")


def test_decimals_of_currencies() -> None:
    assert [money_text(12_345, code) for code in ("PKR", "JPY", "KWD")] == ["123.45", "12345", "12.345"]


def test_what_the_schema_refuses_is_refused() -> None:
    with pytest.raises(PayoutError, match="bank message"):
        message([Transfer("e" * 36, 1, PAKISTAN, "N")], currency="PKR", **WORDS)  # type: ignore[arg-type]
    with pytest.raises(PayoutError, match="at least one"):
        message([], currency="PKR", **WORDS)  # type: ignore[arg-type]
    good = message(PEOPLE, currency="PKR", **WORDS)  # type: ignore[arg-type]
    check(good)
    for before, after in ((b"<NbOfTxs>3<", b"<NbOfTxs>x<"), (b"PmtMtd", b"Method"), (b"2500.00", b"-1.00")):
        with pytest.raises(PayoutError):
            check(good.replace(before, after))
