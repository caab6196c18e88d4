"""The proof of a reserve, from coins on a real chain to a stranger's check, and every way it can fail."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from penstock.errors import ReserveError
from penstock.reserve.bip322 import check_signature, read_signature, to_sign, to_spend
from penstock.reserve.descriptors import address_of, read_descriptor, scripts
from penstock.reserve.proof import (
    Proof,
    ReserveOutput,
    finish_proof,
    prepare_proof,
    proof_document,
    read_message,
    read_proof,
)
from penstock.reserve.psbt import Field, Psbt, combine, finish, read_psbt
from penstock.reserve.scripts import script_of
from penstock.reserve.signing import signing_fields
from penstock.reserve.transaction import Outpoint, Transaction, TxInput, TxOutput, read_transaction
from penstock.reserve.verify import Reason, Verification, verify_proof
from tests.real_node import RealNode, why_not

from .chain import OUTSIDE, PURPOSE, Asked, Held, fund, outside, prepared, proved
from .cosigners import Cosigner, multisig

pytestmark = [
    pytest.mark.xdist_group("proof-node"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
EACH = [50_000_000, 1_234_567, 700_000_001, 10_000]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reserve-proof.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    with RealNode(tmp_path_factory.mktemp("node")) as found:
        outside(found)
        yield found


@pytest.fixture(scope="module")
def held(node: RealNode) -> Held:
    return fund(node, EACH)


@pytest.fixture(scope="module")
def proof(node: RealNode, held: Held) -> Proof:
    return proved(node, held)


def check(proof: Proof, node: RealNode, **asked: Any) -> Verification:
    """The proof as a stranger reads it from its file."""
    return verify_proof(read_proof(json.dumps(proof_document(proof)).encode(), "file"), Asked(node), **asked)


def reasons(found: Verification) -> set[Reason]:
    return {failure.reason for failure in found.failures}


def signature(psbt: Psbt) -> str:
    return "pof" + psbt.base64()


def unpacked(proof: Proof) -> Psbt:
    return read_psbt(proof.signature.removeprefix("pof"), "proof")


def test_a_stranger_learns_the_satoshi_that_the_reserve_controls(proof: Proof, node: RealNode) -> None:
    found = check(proof, node, purpose=PURPOSE)
    assert found.failures == ()
    assert found.satoshi == sum(EACH) == proof.message.satoshi
    assert {row.satoshi for row in found.outputs} == set(EACH)
    assert all(row.height is not None and row.height <= proof.message.height for row in found.outputs)


def test_the_file_is_as_the_schema_says_and_is_read_as_it_was(proof: Proof) -> None:
    document = proof_document(proof)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    again = read_proof(json.dumps(document).encode(), "file")
    assert proof_document(again) == document
    assert "prv" not in json.dumps(document)


def test_one_signature_of_two_makes_no_proof(node: RealNode, held: Held) -> None:
    message, psbt = prepared(node, held)
    alone = held.cosigners[1].sign(psbt, held.descriptor)
    with pytest.raises(ReserveError) as caught:
        finish_proof(message, psbt, [alone])
    assert len(caught.value.faults) == len(EACH) + 1
    assert all("has 1 of 2 signatures" in str(fault) for fault in caught.value.faults)


@pytest.mark.parametrize("who", [(0, 1), (1, 2), (0, 2)])
def test_any_two_of_three_make_it(node: RealNode, held: Held, who: tuple[int, int]) -> None:
    message, psbt = prepared(node, held)
    signed = [held.cosigners[place].sign(psbt, held.descriptor) for place in who]
    assert check(finish_proof(message, psbt, signed), node).holds


def test_a_changed_amount_is_named(proof: Proof, node: RealNode) -> None:
    first = proof.outputs[0]
    more = replace(first, satoshi=first.satoshi + 1)
    message = replace(proof.message, satoshi=proof.message.satoshi + 1)
    # In the list alone; then everywhere that the forger can reach.
    assert "changed amount" in reasons(check(replace(proof, outputs=(more, *proof.outputs[1:])), node))
    psbt = unpacked(proof)
    fields = dict(psbt.inputs[1]) | {bytes([Field.WITNESS_UTXO]): TxOutput(more.satoshi, more.script).raw}
    forged = replace(psbt, inputs=(psbt.inputs[0], fields, *psbt.inputs[2:]))
    found = check(
        replace(proof, message=message, outputs=(more, *proof.outputs[1:]), signature=signature(forged)),
        node,
    )
    assert {"changed amount", "other message"} <= reasons(found)
    assert found.satoshi == 0
    # The message left as it was signed.
    assert {"changed amount", "wrong signature"} <= reasons(
        check(replace(proof, signature=signature(forged)), node)
    )


def test_a_missing_signature_is_named(proof: Proof, node: RealNode) -> None:
    psbt = unpacked(proof)
    bare = {key: value for key, value in psbt.inputs[2].items() if key[0] != Field.FINAL_WITNESS}
    forged = replace(psbt, inputs=(*psbt.inputs[:2], bare, *psbt.inputs[3:]))
    found = check(replace(proof, signature=signature(forged)), node)
    assert [(one.reason, one.place) for one in found.failures] == [
        ("missing signature", str(proof.outputs[1].outpoint))
    ]
    assert found.satoshi == sum(EACH) - proof.outputs[1].satoshi


def test_a_foreign_key_is_named(proof: Proof, held: Held, node: RealNode) -> None:
    """The coins of the ministry, signed by others in their own wallet of the same form."""
    others = fund(node, EACH, name="impostor")
    stolen = unpacked(proved(node, others))
    mine = unpacked(proof)
    inputs = (mine.inputs[0], {**mine.inputs[1], bytes([8]): stolen.inputs[1][bytes([8])]}, *mine.inputs[2:])
    found = check(replace(proof, signature=signature(replace(mine, inputs=inputs))), node)
    assert [(one.reason, one.place) for one in found.failures] == [
        ("foreign key", str(proof.outputs[0].outpoint))
    ]
    assert found.satoshi == sum(EACH) - proof.outputs[0].satoshi
    assert stolen.transaction != mine.transaction


def test_somebody_elses_output_cannot_be_slipped_in(proof: Proof, node: RealNode) -> None:
    others = fund(node, [999_999_999], name="rich stranger")
    outpoint, satoshi, script = others.outputs[0]
    slipped = replace(proof, outputs=(*proof.outputs, ReserveOutput(outpoint, satoshi, script)))
    assert "message and outputs differ" in reasons(check(slipped, node))
    assert check(slipped, node).satoshi == 0


def test_a_spent_output_is_named(node: RealNode) -> None:
    held = fund(node, [20_000_000, 30_000_000], name="spender")
    before = proved(node, held)
    assert check(before, node).holds
    spend(node, held, 0)
    found = check(before, node)
    assert [(one.reason, one.place) for one in found.failures] == [
        ("spent or never there", str(held.outputs[0][0]))
    ]
    assert found.satoshi == 30_000_000


def spend(node: RealNode, held: Held, place: int) -> None:
    """Sends one output of a wallet to somebody else, signed by two, and mines it."""
    outpoint, satoshi, script = held.outputs[place]
    to = bytes.fromhex(
        node.rpc("getaddressinfo", node.rpc("getnewaddress", wallet=OUTSIDE), wallet=OUTSIDE)["scriptPubKey"]
    )
    unsigned = Transaction(2, (TxInput(outpoint, sequence=0xFFFFFFFD),), (TxOutput(satoshi - 1_000, to),))
    fields = signing_fields(held.source, {script: held.places[script]})[script]
    psbt = Psbt(unsigned, ({bytes([Field.WITNESS_UTXO]): TxOutput(satoshi, script).raw, **fields},), ({},))
    whole = finish(combine([held.cosigners[who].sign(psbt, held.descriptor) for who in (0, 1)]))
    raw = node.rpc("finalizepsbt", whole.base64())
    node.rpc("sendrawtransaction", raw["hex"])
    node.mine(1)


def test_an_old_proof_shown_again_is_named(node: RealNode) -> None:
    held = fund(node, [40_000_000], name="old")
    old = proved(node, held)
    node.mine(20)
    assert check(old, node).holds
    assert reasons(check(old, node, most_age=10)) == {"old proof"}
    assert reasons(check(old, node, not_before=old.message.height + 1)) == {"old proof"}
    assert reasons(check(old, node, purpose="another review")) == {"other purpose"}
    assert check(old, node, most_age=20, not_before=old.message.height, purpose=PURPOSE).holds
    # Dressed up as a new one: the signatures are of the old message.
    tip = node.rpc("getbestblockhash")
    fresh = replace(old, message=replace(old.message, height=node.rpc("getblockcount"), block_hash=tip))
    assert reasons(check(fresh, node)) == {"other message"}
    assert check(fresh, node).satoshi == 0


def test_a_chain_that_the_proof_is_not_of_is_named(proof: Proof, node: RealNode) -> None:
    message = proof.message
    far = replace(proof, message=replace(message, height=message.height + 1_000))
    assert "unknown block" in reasons(check(far, node))
    other = replace(proof, message=replace(message, block_hash="ab" * 32))
    assert "unknown block" in reasons(check(other, node))
    wrong = replace(proof, message=replace(message, network="signet"))
    assert {"wrong network", "wrong address"} == reasons(check(wrong, node))
    earlier = message.date.replace(year=message.date.year - 1)
    assert "wrong date" in reasons(check(replace(proof, message=replace(message, date=earlier)), node))


def test_an_output_listed_twice_counts_for_nothing(proof: Proof, node: RealNode) -> None:
    twice = replace(proof, outputs=(*proof.outputs, proof.outputs[0]))
    found = check(twice, node)
    assert {"output listed twice", "message and outputs differ"} <= reasons(found)
    assert found.satoshi == 0


def test_an_output_younger_than_the_proof_is_named(node: RealNode) -> None:
    held = fund(node, [15_000_000], name="young")
    message, psbt = prepared(node, held)
    earlier = message.height - 1
    header = node.rpc("getblockhash", earlier)
    older = replace(message, height=earlier, block_hash=header)
    rows = [ReserveOutput(out, satoshi, script, psbt.inputs[1]) for out, satoshi, script in held.outputs]
    again, unsigned = prepare_proof(
        rows, purpose=PURPOSE, date=older.date, network="regtest", height=earlier, block_hash=header
    )
    signed = [held.cosigners[who].sign(unsigned, held.descriptor) for who in (0, 1)]
    assert reasons(check(finish_proof(again, unsigned, signed), node)) == {"younger than the proof"}


def test_what_somebody_signed_of_another_message_is_not_put_in(node: RealNode, held: Held) -> None:
    message, psbt = prepared(node, held)
    _, other = prepared(node, held, purpose="something else")
    signed = [held.cosigners[0].sign(psbt, held.descriptor), held.cosigners[1].sign(other, held.descriptor)]
    with pytest.raises(ReserveError, match="is of another transaction"):
        finish_proof(message, psbt, signed)


def test_a_cosigner_of_another_wallet_adds_nothing(node: RealNode, held: Held) -> None:
    message, psbt = prepared(node, held)
    stranger = Cosigner("stranger")
    assert stranger.sign(psbt, held.descriptor.replace(held.cosigners[0].public, stranger.public)) == psbt
    with pytest.raises(ReserveError, match="has 0 of 2 signatures"):
        finish_proof(message, psbt, [])


def test_a_thousand_outputs_are_proved_at_once(node: RealNode) -> None:
    held = fund(node, [60_000_000, 50_000, 40_000], name="many")
    kinds = [script for _, _, script in held.outputs]
    rows = [TxOutput(1_000 + number, kinds[number % 3]) for number in range(997)]
    funded = node.rpc("fundrawtransaction", Transaction(2, (), tuple(rows)).raw().hex(), wallet=OUTSIDE)
    whole = node.rpc("signrawtransactionwithwallet", funded["hex"], wallet=OUTSIDE)["hex"]
    sent = read_transaction(bytes.fromhex(whole), "funding")
    assert node.rpc("sendrawtransaction", whole) == sent.txid
    node.mine(1)
    mine = [
        (Outpoint(sent.txid, vout), row.satoshi, row.script)
        for vout, row in enumerate(sent.outputs)
        if row.script in kinds
    ]
    many = replace(held, outputs=[*held.outputs, *mine])
    found = check(proved(node, many), node)
    assert found.failures == ()
    assert len(found.outputs) == 1_000
    assert found.satoshi == 60_090_000 + sum(row.satoshi for row in rows)


@pytest.mark.parametrize(
    ("purpose", "outputs", "said"),
    [
        ("two\nlines", 1, "one line"),
        ("", 1, "one line"),
        (" x", 1, "one line"),
        ("x" * 201, 1, "one line"),
        ("fine", 0, "are 0"),
        ("fine", 2, "listed twice"),
    ],
)
def test_what_cannot_be_proved_is_refused(held: Held, purpose: str, outputs: int, said: str) -> None:
    out, satoshi, script = held.outputs[0]
    rows = [ReserveOutput(out, satoshi, script)] * outputs
    with pytest.raises(ReserveError, match=said):
        prepare_proof(
            rows, purpose=purpose, date=prepared_day(), network="regtest", height=1, block_hash="00" * 32
        )


def prepared_day() -> dt.date:
    return dt.date(2026, 11, 24)


def test_the_node_signs_as_we_read(node: RealNode) -> None:
    """Bitcoin Knots signs messages by BIP-322 as well: what it signs we read, in its older form."""
    address = node.rpc("getnewaddress", "", "bech32", wallet=OUTSIDE)
    signed = node.rpc("signmessage", address, "hello", wallet=OUTSIDE)
    assert node.rpc("verifymessage", address, signed, "hello") is True
    assert len(base64.b64decode(signed)) != 65, "signed the legacy way: the comparison says nothing"
    challenge = script_of(address, "regtest")
    assert check_signature(read_signature(signed, b"hello", challenge), b"hello", challenge)
    with pytest.raises(ReserveError, match="is not signed by"):
        check_signature(read_signature(signed, b"other", challenge), b"other", challenge)


@pytest.mark.parametrize("form", ["wsh", "wpkh", "tr"])
def test_the_node_reads_as_we_sign(node: RealNode, form: str) -> None:
    """Our transactions and witnesses, signed by bdk, as Bitcoin Knots judges them."""
    owners = [Cosigner(f"simple {number}") for number in range(3)]
    single = f"{form}({owners[0].public}/<0;1>/*)"
    descriptor = multisig(2, owners) if form == "wsh" else single
    source = read_descriptor(descriptor, "regtest", "test")
    challenge, message = scripts(source, 0, 1)[0][0], b"the reserve is ours"
    fields = signing_fields(source, {challenge: (0, 0)})[challenge]
    spent = {bytes([Field.WITNESS_UTXO]): TxOutput(0, challenge).raw}
    spent[bytes([Field.NON_WITNESS_UTXO])] = to_spend(message, challenge).raw()
    psbt = Psbt(to_sign(message, challenge), ({**fields, **spent},), ({},))
    signers = owners[:2] if form == "wsh" else owners[:1]
    whole = finish(combine([one.sign(psbt, descriptor) for one in signers]))
    witness = base64.b64encode(whole.inputs[0][bytes([Field.FINAL_WITNESS])]).decode()
    assert check_signature(read_signature("smp" + witness, message, challenge), message, challenge)
    address = address_of(challenge, "regtest")
    assert node.rpc("verifymessage", address, witness, message.decode()) is True
    assert node.rpc("verifymessage", address, witness, "the reserve is yours") is False


def test_coins_of_the_oldest_kind_are_proved(node: RealNode) -> None:
    """P2PKH: the node gives the transactions that its signers ask for."""
    owner = Cosigner("old kind")
    descriptor = f"pkh({owner.public}/<0;1>/*)"
    source = read_descriptor(descriptor, "regtest", "test")
    script = scripts(source, 0, 1)[0][0]
    address = address_of(script, "regtest")
    sent = [node.rpc("sendtoaddress", address, f"0.{number}", wallet=OUTSIDE) for number in (1, 2)]
    node.mine(2)
    outputs = []
    for txid in sent:
        made = read_transaction(bytes.fromhex(node.rpc("getrawtransaction", txid)), "funding")
        outputs += [
            (Outpoint(txid, vout), row.satoshi, script)
            for vout, row in enumerate(made.outputs)
            if row.script == script
        ]
    held = Held([owner], descriptor, source, outputs, {script: (0, 0)})
    message, psbt = prepared(node, held)
    found = check(finish_proof(message, psbt, [owner.sign(psbt, descriptor)]), node)
    assert (found.failures, found.satoshi) == ((), 30_000_000)


def test_a_node_signs_as_a_cosigner(node: RealNode) -> None:
    """Bitcoin Knots holds one key of three and signs the PSBT, of version 0, beside bdk."""
    held = fund(node, [3_000_000, 4_000_000], name="mixed")
    message, psbt = prepared(node, held)
    mine = held.descriptor.replace(held.cosigners[1].public, held.cosigners[1].private)
    keys = [node.rpc("getdescriptorinfo", mine.replace("<0;1>", path)) for path in ("0", "1")]
    texts = [
        f"{mine.replace('<0;1>', path)}#{told['checksum']}"
        for path, told in zip(("0", "1"), keys, strict=True)
    ]
    told = node.rpc("descriptorprocesspsbt", psbt.base64(), texts, "ALL", True, False)
    by_node = read_psbt(told["psbt"], "signed by the node")
    assert by_node.transaction == psbt.transaction
    assert by_node.transaction.version == 0
    by_bdk = held.cosigners[2].sign(psbt, held.descriptor)
    assert check(finish_proof(message, psbt, [by_node, by_bdk]), node).holds


def test_the_message_is_read_back_from_the_psbt_and_nothing_else_is(node: RealNode, held: Held) -> None:
    message, psbt = prepared(node, held)
    assert psbt.message == message.text.encode()
    assert read_message(message.text.encode(), "psbt") == message
    for bent in ("Proof of reserve", message.text + "\n", message.text.replace("satoshi: ", "satoshi: 0")):
        with pytest.raises(ReserveError, match="does not sign the message of a proof"):
            read_message(bent.encode(), "psbt")
