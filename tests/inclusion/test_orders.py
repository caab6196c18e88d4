"""A file of beneficiaries: every fault of every row, none of them with a destination in it, and quickly."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cli import main
from penstock.errors import InputError, PayoutError
from penstock.inclusion.payouts.bolt11 import InvoiceError, decode
from penstock.inclusion.payouts.orders import MOST_BYTES, Orders, amount_text, read_orders

Capture = pytest.CaptureFixture[str]
HEADER = "id,rail,amount,destination,currency,name\n"
# Example addresses of BIP-173 and BIP-350, and the first address of bitcoin's regtest that is all zeros.
MAIN, TEST = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
P2PKH = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"
IBAN = "PK36SCBL0000001123456702"
# Example of BOLT 11: 2,500 µBTC for a cup of coffee, within 60 s of 2017-06-01 10:57:38 UTC.
COFFEE = (
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzq"
    "fqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27ky"
    "ke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"
)
ISSUED = 1_496_314_658


def read(text: str, now_s: int = ISSUED - 10_000, **given: object) -> Orders:
    return read_orders((HEADER + text).encode(), "people.csv", network="main", now_s=now_s, **given)  # type: ignore[arg-type]


def faults(text: str, **given: object) -> list[tuple[int | None, str | None, str]]:
    found = read(text, **given)  # type: ignore[arg-type]
    assert found.good == ()
    for fault in found.faults:
        for destination in (MAIN, TEST, P2PKH, IBAN, COFFEE):
            assert destination not in str(fault)
    return [(fault.row, fault.column, fault.problem) for fault in found.faults]


def test_good_rows() -> None:
    found = read(
        f"a,onchain,50000,{MAIN},,\nb,lightning,250000,{COFFEE.upper()},SAT,\n"
        f'c,bank,2500.5,{IBAN},PKR,"Khan, Ayesha"\nd,lightning,1,ayesha@example.org,,\n'
    )
    assert found.faults == ()
    assert [(one.id, one.row, one.amount, one.currency) for one in found.good] == [
        ("a", 2, 50_000, "SAT"),
        ("b", 3, 250_000, "SAT"),
        ("c", 4, 250_050, "PKR"),
        ("d", 5, 1, "SAT"),
    ]
    assert found.totals() == {"SAT": 300_001, "PKR": 250_050}
    assert found.good[1].payment_hash == "0001020304050607080900010203040506070809000102030405060708090102"


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        (f"a,onchain,50000,{TEST},,", "destination", "network"),
        (f"a,onchain,293,{MAIN},,", "amount", "dust"),
        (f"a,onchain,545,{P2PKH},,", "amount", "546"),
        (f"a,onchain,-5,{MAIN},,", "amount", "whole number"),
        (f"a,onchain,0,{MAIN},,", "amount", "whole number"),
        (f"a,onchain,1e6,{MAIN},,", "amount", "whole number"),
        (f"a,onchain,\u0665\u0660\u0660,{MAIN},,", "amount", "whole number"),
        (f"a,onchain,50000,{MAIN},PKR,", "currency", "satoshi"),
        (f"a,onchain,50000,{MAIN[:-1]}q,,", "destination", ""),
        (f",onchain,50000,{MAIN},,", "id", "cannot be an id"),
        (f"=cmd(),onchain,50000,{MAIN},,", "id", "cannot be an id"),
        (f"a,cheque,50000,{MAIN},,", "rail", "no rail"),
        (f"a,lightning,250001,{COFFEE},,", "amount", "250000 satoshi"),
        (f"a,lightning,250000,{COFFEE[:-1]}q,,", "destination", "checksum"),
        ("a,lightning,250000,somebody,,", "destination", "neither"),
        ("a,lightning,250000,A@b,,", "destination", "Lightning address"),
        (f"a,bank,10.001,{IBAN},PKR,N", "amount", "at most 2 decimals"),
        (f'a,bank,"1,000.00",{IBAN},PKR,N', "amount", "at most 2 decimals"),
        (f"a,bank,10,{IBAN},rupees,N", "currency", "ISO 4217"),
        (f"a,bank,10,{IBAN},,", "name", "missing"),
        (f"a,bank,10,{IBAN[:-1]}9,,N", "destination", "check digits"),
    ],
)
def test_a_bad_row_names_its_column(row: str, column: str, told: str) -> None:
    [(line, where, problem)] = faults(row)
    assert (line, where) == (2, column)
    assert told in problem


def test_expired_and_soon_to_expire() -> None:
    row = f"a,lightning,250000,{COFFEE},,"
    assert "expired" in faults(row, now_s=ISSUED + 61)[0][2]
    assert "expires in 60 s" in faults(row, now_s=ISSUED)[0][2]


def test_twice() -> None:
    assert [
        (row, column) for row, column, _ in faults(f"a,onchain,500,{MAIN},,\na,onchain,600,{P2PKH},,")
    ] == [
        (2, "id"),
        (3, "id"),
    ]
    same = f"a,onchain,500,{MAIN},,\nb,onchain,600,{MAIN},,"
    assert {column for _, column, _ in faults(same)} == {"destination"}
    assert read(same, same=True).faults == ()
    both = f"a,lightning,250000,{COFFEE},,\nb,lightning,250000,{COFFEE.upper()},,"
    assert {row for row, _, _ in faults(both, same=True)} == {2, 3}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no such column"),
        (b"id,rail,amount\na,onchain,1\n", "no such column"),
        (HEADER.encode(), "no row"),
        (b"id,id,rail,amount,destination\n", "stands twice"),
        (HEADER.encode() + b"a,onchain,1\n", "has 3 fields, the header 6"),
        (HEADER.encode() + b'"a,onchain,1\n', "no CSV"),
        (HEADER.encode() + b"\xff\xfe", "not UTF-8"),
        (HEADER.encode("utf-16"), "not UTF-8"),
        (HEADER.encode() + b"a\0,onchain,1,x,,\n", "zero byte"),
        (b"x" * (MOST_BYTES + 1), "over the limit"),
        (HEADER.encode() + b"a,onchain,1,x,,\n" * 100_001, "over the limit of 100000"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(PayoutError, match=told):
        read_orders(data, "people.csv", network="main", now_s=0)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for text in (data, HEADER.encode() + data):
        with suppress(InputError):
            read_orders(text, "people.csv", network="main", now_s=0)


def test_ten_thousand_rows_and_all_their_faults() -> None:
    found = read("".join(f"a{n},onchain,{n},{MAIN},,\n" for n in range(10_000)), same=True)
    assert found.bad == tuple(range(2, 296))  # 0 to 293 satoshi
    assert len(found.good) == 10_000 - 294


def test_the_command_pays_nobody_and_names_every_fault(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "people.csv"
    file.write_text(HEADER + f"a,onchain,1,{MAIN},,\nb,onchain,70000,{TEST},,\nc,onchain,70000,{P2PKH},,\n")
    assert main(["payout", "check", str(file), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)["error"]["faults"]
    assert [(one["row"], one["column"]) for one in told] == [(2, "amount"), (3, "destination")]
    words = ["payout", "run", str(file), "--run", "r", "--journal", str(tmp_path / "j"), "--key", "none"]
    assert main([*words, "--budget", "100000SAT"]) == 2
    assert not (tmp_path / "j").exists()
    file.write_text(HEADER + f"c,onchain,70000,{P2PKH},,\n")
    assert main([*words, "--budget", "69999SAT"]) == 2
    assert "overdrawn by 1 SAT" in capsys.readouterr().err
    assert main(words) == 2
    assert "no budget is given for SAT" in capsys.readouterr().err


def test_amounts_are_written_with_their_unit() -> None:
    assert amount_text(5, "SAT") == "5 SAT"
    assert amount_text(12_345, "PKR") == "123.45 PKR"


def test_the_invoice_of_the_specification() -> None:
    found = decode(COFFEE, "main")
    assert (found.msat, found.timestamp, found.expires) == (250_000_000, ISSUED, ISSUED + 60)
    assert found.description == "1 cup coffee"
    with pytest.raises(InvoiceError, match="another network"):
        decode(COFFEE, "regtest")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(COFFEE) - 1), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_letter_is_found(place: int, letter: str) -> None:
    changed = COFFEE[:place] + letter + COFFEE[place + 1 :]
    if changed != COFFEE:
        with pytest.raises(InvoiceError):
            decode(changed, "main")
