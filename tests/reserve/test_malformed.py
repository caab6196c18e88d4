"""A thousand broken descriptors, PSBTs and proofs: an error each, no crash, no hang, no key in a message."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.errors import ReserveError
from penstock.reserve.bip322 import check_signature, read_signature
from penstock.reserve.descriptors import read_descriptor
from penstock.reserve.proof import ProofMessage, read_message, read_proof
from penstock.reserve.psbt import read_psbt
from penstock.reserve.scripts import script_of
from penstock.reserve.transaction import read_transaction

from .cosigners import Cosigner, multisig, test_key

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "bip322_generated.json").read_text("utf-8"))
FUNDS = VECTORS["proof_of_funds"][0]
SECRET = test_key("never to be shown")
MANY = settings(max_examples=1_000, deadline=2_000, suppress_health_check=list(HealthCheck))


def read_whole_signature(text: str) -> None:
    message, challenge = FUNDS["message"].encode(), script_of(FUNDS["address"], "main")
    check_signature(read_signature(text, message, challenge), message, challenge)


def silent_or_refused(read: Callable[[], object], *secrets: str) -> None:
    """Reads what may be broken: it is taken or refused, and a refusal repeats no part of a secret."""
    error = None
    try:
        read()
    except ReserveError as refusal:
        error = refusal
    if error is None:
        return
    told = str(error) + "".join(map(str, (error.__cause__, error.__context__)))
    for secret in secrets:
        pieces = (secret[place : place + 8] for place in range(len(secret) - 8))
        assert not any(piece in told for piece in pieces)
    assert all(fault.mend for fault in error.faults)


@MANY
@given(st.binary(max_size=400))
def test_any_bytes_as_a_psbt(data: bytes) -> None:
    with pytest.raises(ReserveError):
        read_psbt(b"psbt\xff" + data, "x")
    with pytest.raises(ReserveError):
        read_psbt(base64.b64encode(data).decode(), "x")
    silent_or_refused(lambda: read_transaction(data, "x"))


def test_a_thousand_psbts_with_flipped_bits() -> None:
    chance = random.Random(7)
    whole = base64.b64decode(FUNDS["bip322_signatures"][0].removeprefix("pof"))
    for _ in range(1_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        text = "pof" + base64.b64encode(bytes(data)).decode()
        if bytes(data) != whole:
            silent_or_refused(lambda text=text: read_whole_signature(text))  # type: ignore[misc]


def test_no_flipped_bit_of_a_signature_or_an_amount_is_taken() -> None:
    """Every single bit of the finished PSBT: what is still taken says the very same of the same outputs."""
    message, challenge = FUNDS["message"].encode(), script_of(FUNDS["address"], "main")
    whole = base64.b64decode(FUNDS["bip322_signatures"][0].removeprefix("pof"))
    signed = read_signature(FUNDS["bip322_signatures"][0], message, challenge)
    truth = check_signature(signed, message, challenge)
    taken = 0
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        try:
            again = read_signature("pof" + base64.b64encode(bytes(data)).decode(), message, challenge)
            found = check_signature(again, message, challenge)
        except ReserveError:
            continue
        taken += 1
        assert found == truth
        assert [row.outpoint for row in again.transaction.inputs] == [
            row.outpoint for row in signed.transaction.inputs
        ]
    assert taken < len(whole) / 50


@MANY
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_json_as_a_proof(document: object) -> None:
    with pytest.raises(ReserveError):
        read_proof(json.dumps(document).encode(), "x")


@MANY
@given(st.binary(max_size=300))
def test_any_bytes_as_a_proof_or_its_message(data: bytes) -> None:
    with pytest.raises(ReserveError):
        read_proof(data, "x")
    silent_or_refused(lambda: read_message(data, "x"))


def test_a_thousand_proofs_with_changed_fields() -> None:
    chance = random.Random(11)
    message = ProofMessage("p", date(2026, 1, 1), "regtest", 1, "00" * 32, 1, 5)
    whole = {
        "format": "penstock.reserve-proof/1",
        "message": {
            "purpose": "p",
            "date": "2026-01-01",
            "network": "regtest",
            "height": 1,
            "block_hash": "00" * 32,
            "outputs": 1,
            "satoshi": 5,
        },
        "address": "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202",
        "outputs": [{"txid": "11" * 32, "vout": 0, "satoshi": 5, "script": "0014" + "00" * 20}],
        "signature": "pofAAAA",
    }
    assert read_proof(json.dumps(whole).encode(), "x").message == message
    odd: tuple[object, ...] = (
        None,
        -1,
        1.5,
        True,
        "",
        "\u202e",
        "x" * 100_000,
        [],
        {},
        10**30,
        "nan",
        SECRET,
        "\n",
        "🟠",
    )
    for _ in range(1_000):
        document = json.loads(json.dumps(whole))
        for _ in range(chance.randint(1, 3)):
            outputs = document.get("outputs")
            inner = outputs[0] if isinstance(outputs, list) and outputs else None
            spot = chance.choice([document, document.get("message"), inner])
            if not isinstance(spot, dict) or not spot:
                continue
            key = chance.choice(list(spot))
            if chance.random() < 0.3:
                del spot[key]
            else:
                spot[key] = chance.choice(odd)
        silent_or_refused(lambda document=document: read_proof(json.dumps(document).encode(), "x"), SECRET)  # type: ignore[misc]


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ReserveError):
        read_proof(b"[" * 200_000, "x")


@MANY
@given(st.text(max_size=200))
def test_any_text_as_a_descriptor(text: str) -> None:
    with pytest.raises(ReserveError):
        read_descriptor(text, "regtest", "x")


def test_a_thousand_descriptors_with_changed_letters() -> None:
    chance = random.Random(13)
    whole = multisig(2, [Cosigner("a"), Cosigner("b"), Cosigner("c")])
    letters = "0123456789abcdefghijklmnopqrstuvwxyz()[]{},'/*<>;#hH \t\n\0é"
    for _ in range(1_000):
        text = list(whole)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text))
            text[place : place + chance.randint(0, 2)] = chance.choice(letters)
        silent_or_refused(lambda text=text: read_descriptor("".join(text), "regtest", "x"))  # type: ignore[misc]


def test_a_private_key_in_a_descriptor_is_refused_and_not_repeated() -> None:
    for text in (f"wpkh({SECRET}/0/*)", f"wsh(sortedmulti(1,{SECRET}/0/*))", SECRET):
        with pytest.raises(ReserveError) as caught:
            read_descriptor(text, "regtest", "x")
        told = str(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__)
        assert not any(SECRET[place : place + 8] in told for place in range(len(SECRET) - 8))
