"""Messages signed with any script: the published vectors of BIP-322, and what they leave open."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ReserveError
from penstock.reserve.bip322 import check_signature, message_hash, read_signature, to_sign, to_spend
from penstock.reserve.psbt import read_psbt
from penstock.reserve.scripts import script_of
from penstock.reserve.transaction import Outpoint, TxInput, TxOutput, tagged_hash

DATA = Path(__file__).parents[1] / "data"
VECTORS: dict[str, dict[str, list[dict[str, Any]]]] = {
    name: json.loads((DATA / f"bip322_{name}.json").read_text("utf-8")) for name in ("basic", "generated")
}
SIGNED = [
    pytest.param(row, text, id=f"{name} {kind} {row['type']} {number}")
    for name, found in VECTORS.items()
    for kind in ("simple", "full", "proof_of_funds")
    for number, row in enumerate(found.get(kind, []))
    for text in row["bip322_signatures"]
]
REFUSED = [
    pytest.param(row, id=f"{name} {row['description']}")
    for name, found in VECTORS.items()
    for row in found["error"]
]


def check(row: dict[str, Any], text: str) -> tuple[TxOutput, ...]:
    message, challenge = row["message"].encode(), script_of(row["address"], "main")
    return check_signature(read_signature(text, message, challenge), message, challenge)


def test_there_are_as_many_vectors_as_published() -> None:
    assert (len(SIGNED), len(REFUSED)) == (23, 36)


@pytest.mark.parametrize("row", VECTORS["basic"]["tx_hashes"], ids=lambda row: repr(row["message"][:12]))
def test_hashes(row: dict[str, Any]) -> None:
    message, challenge = row["message"].encode(), script_of(row["address"], "main")
    assert message_hash(message).hex() == row["message_hash"]
    assert to_spend(message, challenge).txid == row["to_spend_tx_hash"]
    assert to_sign(message, challenge).txid == row["to_sign_tx_hash"]


@pytest.mark.parametrize(("row", "text"), SIGNED)
def test_what_the_vectors_sign_holds(row: dict[str, Any], text: str) -> None:
    more = [output for group in row.get("additional_inputs") or [] for output in group]
    shown = [(output.satoshi, output.script.hex()) for output in check(row, text)[1:]]
    assert shown == [(output["value"], output["pk_script"]) for output in more]


@pytest.mark.parametrize(("row", "text"), SIGNED)
def test_another_message_or_a_changed_letter_does_not(row: dict[str, Any], text: str) -> None:
    with pytest.raises(ReserveError):
        check(row | {"message": row["message"] + "!"}, text)
    place = len(text) // 2
    other = "A" if text[place] != "A" else "B"
    with pytest.raises(ReserveError):
        check(row, text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("row", REFUSED)
def test_what_the_vectors_refuse_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ReserveError) as caught:
        check(row, row["signature"])
    assert all(fault.mend for fault in caught.value.faults)


@pytest.mark.parametrize(("row", "text"), [found for found in SIGNED if "simple" in str(found.id)])
def test_without_a_prefix_it_is_read_as_before(row: dict[str, Any], text: str) -> None:
    assert check(row, text.removeprefix("smp")) == check(row, text)


def test_a_full_signature_without_a_prefix_is_read_as_well() -> None:
    row = next(row for row in VECTORS["generated"]["full"] if row["type"] == "p2wpkh")
    text = row["bip322_signatures"][0]
    assert check(row, text.removeprefix("ful")) == check(row, text)


def proof_of_funds() -> tuple[bytes, bytes, str]:
    row = next(row for row in VECTORS["generated"]["proof_of_funds"] if row["type"] == "p2tr")
    return row["message"].encode(), script_of(row["address"], "main"), row["bip322_signatures"][0]


def test_an_output_listed_twice_is_refused() -> None:
    message, challenge, text = proof_of_funds()
    signed = read_signature(text, message, challenge)
    inputs = (*signed.transaction.inputs, signed.transaction.inputs[1])
    twice = replace(signed, transaction=replace(signed.transaction, inputs=inputs))
    with pytest.raises(ReserveError, match="twice"):
        check_signature(twice, message, challenge)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 1}, "has version 1"),
        ({"outputs": (TxOutput(1, b"\x6a"),)}, "other outputs"),
        ({"outputs": ()}, "other outputs"),
        ({"inputs": (TxInput(Outpoint("00" * 32, 0)),)}, "does not commit"),
    ],
)
def test_fields_that_are_fixed_may_not_differ(change: dict[str, Any], said: str) -> None:
    message, challenge, text = proof_of_funds()
    signed = read_signature(text, message, challenge)
    with pytest.raises(ReserveError, match=said):
        check_signature(
            replace(signed, transaction=replace(signed.transaction, **change)), message, challenge
        )


def test_a_full_signature_may_not_bring_outputs_without_saying_what_they_hold() -> None:
    message, challenge, text = proof_of_funds()
    signed = read_signature(text, message, challenge)
    full = "ful" + base64.b64encode(signed.transaction.raw()).decode()
    with pytest.raises(ReserveError, match="give a proof of funds"):
        check_signature(read_signature(full, message, challenge), message, challenge)


def test_a_signature_with_another_sighash_is_refused() -> None:
    row = next(row for row in VECTORS["generated"]["simple"] if row["type"] == "p2wpkh")
    message, challenge = row["message"].encode(), script_of(row["address"], "main")
    signed = read_signature(row["bip322_signatures"][0], message, challenge)
    first = signed.transaction.inputs[0]
    bent = replace(first, witness=(first.witness[0][:-1] + b"\x02", first.witness[1]))
    with pytest.raises(ReserveError, match="sighash"):
        check_signature(
            replace(signed, transaction=replace(signed.transaction, inputs=(bent,))), message, challenge
        )


def test_a_high_s_is_refused() -> None:
    row = next(row for row in VECTORS["generated"]["simple"] if row["type"] == "p2wpkh")
    message, challenge = row["message"].encode(), script_of(row["address"], "main")
    signed = read_signature(row["bip322_signatures"][0], message, challenge)
    first = signed.transaction.inputs[0]
    der = first.witness[0]
    start = 4 + der[3]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(der[start + 2 : -1], "big")).to_bytes(33, "big")
    body = der[2:start] + b"\x02\x21" + high
    bent = replace(first, witness=(b"\x30" + bytes([len(body)]) + body + b"\x01", first.witness[1]))
    with pytest.raises(ReserveError, match="high S"):
        check_signature(
            replace(signed, transaction=replace(signed.transaction, inputs=(bent,))), message, challenge
        )


def test_a_segwit_version_of_the_future_proves_nothing() -> None:
    challenge = bytes.fromhex("5220") + bytes(32)
    signed = read_signature("smpAQA=", b"x", challenge)
    with pytest.raises(ReserveError, match="segwit version above 1"):
        check_signature(signed, b"x", challenge)


def test_the_tag_of_bip340() -> None:
    # BIP-322: the hash of the empty message.
    assert tagged_hash("BIP0322-signed-message", b"").hex() == (
        "c90c269c4f8fcbe6880f72a721ddfbf1914268a794cbb21cfafee13770ae19f1"
    )


def test_a_proof_of_funds_is_a_finished_psbt() -> None:
    message, challenge, text = proof_of_funds()
    signed = read_signature(text, message, challenge)
    assert signed.psbt is not None
    assert read_psbt(signed.psbt.raw(), "again") == signed.psbt
    assert signed.kind == "proof of funds"


def test_a_witness_without_end_is_refused() -> None:
    text = base64.b64encode(b"\xfd\xec\x03" + bytes(1_004)).decode()
    with pytest.raises(ReserveError, match="1004 items, over the limit of 1003"):
        read_signature("smp" + text, b"x", bytes.fromhex("0014") + bytes(20))
