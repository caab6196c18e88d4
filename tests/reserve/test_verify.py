"""What a verifier says of proofs on a made-up chain: every kind of output, and forgeries that nearly hold."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import bdkpython as bdk
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
    read_proof,
    with_transactions,
)
from penstock.reserve.psbt import Field, Psbt, finish, read_psbt
from penstock.reserve.scripts import hashing_bytes, unsafe_signature
from penstock.reserve.signing import signing_fields
from penstock.reserve.transaction import Outpoint, Transaction, TxInput, TxOutput
from penstock.reserve.verify import Reason, Verification, verify_proof
from penstock.reserve.wire import size_bytes, sized

from .cosigners import Cosigner, multisig

DAY = dt.date(2026, 11, 24)
HEIGHT, TIP = 900, 910
OWNERS = [Cosigner(f"verified {number}") for number in range(10)]
_KEYS = [f"{one.public}/<0;1>/*" for one in OWNERS]
FORMS = {
    "pkh": f"pkh({_KEYS[0]})",
    "wpkh": f"wpkh({_KEYS[1]})",
    "sh-wpkh": f"sh(wpkh({_KEYS[2]}))",
    "tr": f"tr({_KEYS[3]})",
    "wsh": multisig(2, OWNERS[4:7]),
    "sh-wsh": f"sh({multisig(2, OWNERS[7:10])})",
}


def block_hash(height: int) -> str:
    return hashlib.sha256(f"block {height}".encode()).hexdigest()


class Chain:
    """A node of a made-up chain with some unspent outputs. asked: methods that were called."""

    def __init__(self, made: Sequence[tuple[Transaction, int]]) -> None:
        self.unspent = {
            Outpoint(each.txid, vout): (output, height)
            for each, height in made
            for vout, output in enumerate(each.outputs)
        }
        self.raw = {(each.txid, block_hash(height)): each.raw().hex() for each, height in made}
        self.chain, self.syncing, self.seconds = "regtest", False, 0

    def call(self, method: str, *parameters: Any) -> Any:
        return getattr(self, method)(*parameters)

    def getblockchaininfo(self) -> Any:
        return {"chain": self.chain, "blocks": TIP, "initialblockdownload": self.syncing}

    def getblockcount(self) -> int:
        return TIP

    def getbestblockhash(self) -> str:
        return block_hash(TIP)

    def getblockhash(self, height: int) -> str:
        return block_hash(height)

    def getblockheader(self, asked: str) -> Any:
        [height] = [height for height in range(TIP + 1) if block_hash(height) == asked]
        noon = dt.datetime.combine(DAY, dt.time(12), dt.UTC).timestamp()
        return {"height": height, "time": int(noon) + self.seconds}

    def gettxout(self, txid: str, vout: int, _: bool) -> Any:
        found = self.unspent.get(Outpoint(txid, vout))
        if found is None:
            return None
        output, height = found
        value = Decimal(output.satoshi) / 10**8
        confirmations = TIP - height + 1
        told = {"value": value, "confirmations": confirmations, "bestblock": block_hash(TIP)}
        return told | {"scriptPubKey": {"hex": output.script.hex()}}

    def getrawtransaction(self, txid: str, _: bool, block: str) -> str:
        return self.raw[txid, block]


def paying(outputs: Iterable[TxOutput], number: int = 1) -> Transaction:
    """A transaction of somebody that makes these outputs."""
    return Transaction(2, (TxInput(Outpoint(f"{number:064x}", 0)),), tuple(outputs))


def rows_of(form: str, made: Transaction) -> list[ReserveOutput]:
    """Outputs of a transaction that all belong to a wallet, its first addresses in their order."""
    source = read_descriptor(FORMS[form], "regtest", "test")
    places = {script: (0, place) for place, script in enumerate(scripts(source, 0, len(made.outputs))[0])}
    fields = signing_fields(source, places)
    return [
        ReserveOutput(Outpoint(made.txid, vout), row.satoshi, row.script, fields[row.script])
        for vout, row in enumerate(made.outputs)
    ]


def own(form: str, amounts: Sequence[int], number: int = 1) -> Transaction:
    found = scripts(read_descriptor(FORMS[form], "regtest", "test"), 0, len(amounts))[0]
    return paying(map(TxOutput, amounts, found), number)


def prepared(rows: Sequence[ReserveOutput], height: int = HEIGHT) -> tuple[Any, Psbt]:
    block = block_hash(height)
    return prepare_proof(rows, purpose="test", date=DAY, network="regtest", height=height, block_hash=block)


def signed_by_all(psbt: Psbt, forms: Iterable[str]) -> list[Psbt]:
    """Of each form's owners the first two, or the one."""
    owners = [(form, [who for who in OWNERS if who.public in FORMS[form]][:2]) for form in forms]
    return [who.sign(psbt, FORMS[form]) for form, found in owners for who in found]


@cache
def whole(*forms: str) -> tuple[Proof, Chain]:
    """A proof of two outputs of each form, and the chain that has them."""
    made = [(own(form, [70_000 + n, 123], n + 1), 100 + n) for n, form in enumerate(forms)]
    chain = Chain(made)
    rows = [row for (each, _), form in zip(made, forms, strict=True) for row in rows_of(form, each)]
    message, psbt = prepared(with_transactions(rows, chain))
    return finish_proof(message, psbt, signed_by_all(psbt, forms)), chain


def check(proof: Proof, chain: Chain, **asked: Any) -> Verification:
    return verify_proof(read_proof(json.dumps(proof_document(proof)).encode(), "file"), chain, **asked)


def reasons(found: Verification) -> dict[str, Reason]:
    return {failure.place: failure.reason for failure in found.failures}


def with_inputs(proof: Proof, changes: dict[int, dict[bytes, bytes]], drop: bytes = b"") -> Proof:
    """The proof with other fields in some inputs of its signature. drop: types that go from them first."""
    psbt = read_psbt(proof.signature[3:], "x")
    inputs = [
        ({key: value for key, value in row.items() if key[0] not in drop} | changes[place])
        if place in changes
        else row
        for place, row in enumerate(psbt.inputs)
    ]
    return replace(proof, signature="pof" + replace(psbt, inputs=tuple(inputs)).base64())


def stack(*items: bytes) -> dict[bytes, bytes]:
    return {bytes([Field.FINAL_WITNESS]): size_bytes(len(items)) + b"".join(map(sized, items))}


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_output_is_proved(form: str) -> None:
    proof, chain = whole(form)
    found = check(proof, chain)
    assert found.failures == ()
    assert found.satoshi == 70_000 + 123


def test_all_kinds_at_once() -> None:
    proof, chain = whole(*FORMS)
    found = check(proof, chain, purpose="test", not_before=HEIGHT)
    assert (found.failures, found.satoshi) == ((), sum(70_123 + n for n in range(len(FORMS))))
    assert [row.height for row in found.outputs] == [chain.unspent[row.outpoint][1] for row in proof.outputs]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "tr"])
def test_a_key_that_is_not_the_outputs_is_named_for_every_kind(form: str) -> None:
    """Of taproot alone the key is not shown, so that it cannot be told from another fault."""
    proof, chain = whole(form)
    psbt = read_psbt(proof.signature[3:], "x")
    # The second output's witness stands where the first one's should: a key of the same form, not its own.
    types = (Field.FINAL_SCRIPTSIG, Field.FINAL_WITNESS)
    others = {key: value for key, value in psbt.inputs[2].items() if key[0] in types}
    assert reasons(check(with_inputs(proof, {1: others}), chain)) == {
        str(proof.outputs[0].outpoint): "foreign key"
    }


def test_of_taproot_a_foreign_key_is_a_wrong_signature() -> None:
    proof, chain = whole("tr")
    psbt = read_psbt(proof.signature[3:], "x")
    swapped = with_inputs(proof, {1: {b"\x08": psbt.inputs[2][b"\x08"]}})
    assert reasons(check(swapped, chain)) == {str(proof.outputs[0].outpoint): "wrong signature"}


def test_a_missing_signature_does_not_hide_that_the_others_are_none() -> None:
    proof, chain = whole("wpkh")
    forged = with_inputs(proof, {0: stack(b"x"), 1: stack(b"\x01" * 71, b"\x02" * 33)}, b"\x08")
    forged = with_inputs(forged, {2: {}}, b"\x08")
    found = check(forged, chain)
    assert list(reasons(found).values()) == ["foreign key", "foreign key", "missing signature"]
    assert found.satoshi == 0


def test_what_was_signed_must_be_what_is_listed_even_where_something_else_fails() -> None:
    """A thief lists a rich output as it is, signs for one of his own in its place, and breaks another."""
    rich = paying([TxOutput(10**12, b"\x00\x14" + b"\x07" * 20)], 77)
    made = own("wpkh", [600, 700])
    mine = rows_of("wpkh", made)
    rows = [*mine, replace(mine[0], outpoint=Outpoint(rich.txid, 0), satoshi=10**12)]
    message, psbt = prepared(rows)
    forged = finish_proof(message, psbt, signed_by_all(psbt, ["wpkh"]))
    honest = [
        replace(row, script=rich.outputs[0].script) if row.satoshi == 10**12 else row
        for row in forged.outputs
    ]
    place = next(n for n, row in enumerate(forged.outputs, 1) if row.satoshi == 600)
    broken = with_inputs(replace(forged, outputs=tuple(honest)), {place: {}}, b"\x08")
    found = check(broken, Chain([(rich, 1), (made, 2)]))
    assert found.satoshi <= 700
    assert reasons(found)[f"{rich.txid}:0"] == "changed amount"


def test_an_output_that_anybody_can_spend_proves_nothing() -> None:
    """True without a signature, and a hash whose preimage everybody has seen: bound to no message."""
    preimage = b"seen by all"
    locks = [b"\x51", b"\xa8\x20" + hashlib.sha256(preimage).digest() + b"\x87"]
    made = paying([TxOutput(500, b"\x00\x20" + hashlib.sha256(lock).digest()) for lock in locks], 5)
    mine = own("wpkh", [900])
    plain = [ReserveOutput(Outpoint(made.txid, n), 500, row.script) for n, row in enumerate(made.outputs)]
    message, psbt = prepared([*rows_of("wpkh", mine), *plain])
    # Signatures where they are asked for, and the open scripts beside.
    [signed] = signed_by_all(psbt, ["wpkh"])
    inputs = []
    for row, fields in zip(psbt.transaction.inputs, signed.inputs, strict=True):
        opened = {0: stack(locks[0]), 1: stack(preimage, locks[1])}
        inputs.append({**fields, **(opened[row.outpoint.vout] if row.outpoint.txid == made.txid else {})})
    if psbt.transaction.inputs[1].outpoint.txid == made.txid:  # the message is signed for the first of all
        inputs[0] = {**inputs[0], **stack(locks[0])}
    text = "pof" + finish(replace(signed, inputs=tuple(inputs))).base64()
    ordered = tuple(sorted([*rows_of("wpkh", mine), *plain], key=lambda row: row.outpoint))
    challenge = ordered[0].script
    proof = Proof(message, address_of(challenge, "regtest"), ordered, text)
    found = check(proof, Chain([(made, 1), (mine, 2)]))
    told = reasons(found)
    assert [told[f"{made.txid}:{n}"] for n in (0, 1)] == ["bound to no message"] * 2
    assert found.satoshi <= 900
    # By BIP-322 itself they are satisfied, and nothing more is said.
    data = message.text.encode()
    assert len(check_signature(read_signature(text, data, challenge), data, challenge)) == 4


def test_the_address_must_be_that_of_the_first_output() -> None:
    proof, chain = whole("wpkh")
    other = replace(proof, address=address_of(proof.outputs[1].script, "regtest"))
    assert reasons(check(other, chain)) == {"proof": "wrong address", "signature": "other message"}


def test_a_transaction_that_is_locked_is_no_proof() -> None:
    proof, chain = whole("wpkh")
    psbt = read_psbt(proof.signature[3:], "x")
    asked = psbt.transaction
    for locked in (replace(asked, lock_time=5), replace(asked, version=2)):
        changed = replace(proof, signature="pof" + replace(psbt, transaction=locked).base64())
        assert reasons(check(changed, chain)) == {"signature": "malformed signature"}
        assert check(changed, chain).satoshi == 0


def test_what_the_node_says_of_its_chain_counts() -> None:
    proof, _ = whole("wpkh")
    for change, reason in (
        ({"chain": "signet"}, "wrong network"),
        ({"seconds": 4 * 86_400}, "wrong date"),
        ({"seconds": -4 * 86_400}, "wrong date"),
    ):
        chain = Chain([(own("wpkh", [70_000, 123]), 100)])
        for name, value in change.items():
            setattr(chain, name, value)
        assert reasons(check(proof, chain)) == {"proof": reason}
    main = Chain([])
    main.chain, main.syncing = "main", True
    far = replace(proof, message=replace(proof.message, network="main"))
    assert {one.reason for one in check(far, main).failures} >= {"node is behind", "wrong address"}


def test_purpose_and_height_are_checked_though_the_block_is_unknown() -> None:
    proof, chain = whole("wpkh")
    lost = replace(proof, message=replace(proof.message, block_hash="ab" * 32))
    found = check(lost, chain, purpose="other", not_before=HEIGHT + 1)
    assert [one.reason for one in found.failures if one.place == "proof"] == [
        *("unknown block", "old proof", "other purpose")
    ]


def test_outputs_of_p2pkh_need_their_transaction() -> None:
    rows = rows_of("pkh", own("pkh", [5]))
    with pytest.raises(ReserveError, match="comes without its transaction"):
        prepared(rows)
    with pytest.raises(ReserveError, match="is spent, or was never there"):
        with_transactions(rows, Chain([]))


def test_a_transaction_that_several_outputs_are_of_is_published_once() -> None:
    proof, chain = whole("pkh")
    psbt = read_psbt(proof.signature[3:], "x")
    assert [bytes([Field.NON_WITNESS_UTXO]) in row for row in psbt.inputs] == [True, True, False]
    assert check(proof, chain).holds


def test_scripts_without_an_address_are_refused() -> None:
    with pytest.raises(ReserveError, match="script without an address"):
        prepared([ReserveOutput(Outpoint("11" * 32, 0), 5, b"\x51")])


def test_what_signers_write_beside_signatures_is_not_published() -> None:
    message, psbt = prepared(rows_of("wpkh", own("wpkh", [5])))
    [signed] = signed_by_all(psbt, ["wpkh"])
    xpub = {b"\x01" + bytes(78): bytes(4), b"\xfcprivate": b"notes of the signer"}
    talkative = replace(
        signed,
        globals={**signed.globals, **xpub},
        inputs=tuple({**row, b"\xfcprivate": b"notes of the signer"} for row in signed.inputs),
        outputs=({b"\xfcprivate": b"notes of the signer"},),
    )
    published = read_psbt(finish_proof(message, psbt, [talkative]).signature[3:], "x")
    assert b"notes of the signer" not in published.raw()
    assert list(published.globals) == [bytes([Field.GENERIC_SIGNED_MESSAGE])]
    kinds = {key[0] for row in published.inputs for key in row}
    assert kinds == {Field.NON_WITNESS_UTXO, Field.WITNESS_UTXO, Field.FINAL_WITNESS}


def test_a_signature_that_does_not_hold_makes_no_proof() -> None:
    """The cosigner's PSBT comes with a finished input that is none."""
    message, psbt = prepared(rows_of("wpkh", own("wpkh", [5])))
    [signed] = signed_by_all(psbt, ["wpkh"])
    bent = replace(signed, inputs=(signed.inputs[0], {**signed.inputs[1], **stack(b"\x01", b"\x02")}))
    with pytest.raises(ReserveError, match="signed PSBTs, input 1"):
        finish_proof(message, psbt, [bent])


@pytest.mark.parametrize("change", ['"format": "penstock.reserve-proof/1", ', '"address": "x", '])
def test_a_key_that_is_there_twice_is_refused(change: str) -> None:
    proof, _ = whole("wpkh")
    text = json.dumps(proof_document(proof))
    with pytest.raises(ReserveError, match="is no JSON"):
        read_proof(("{" + change + text[1:]).encode(), "file")
    with pytest.raises(ReserveError, match="a list of 1 to 10000 outputs"):
        read_proof(json.dumps(proof_document(proof) | {"outputs": []}).encode(), "file")


def test_hashing_without_segwit_is_limited() -> None:
    """Ten thousand inputs whose script asks for 15 signatures: each would hash the whole transaction."""
    redeem = b"\x5f" + (b"\x21" + b"\x02" * 33) * 15 + b"\x5f\xae"
    output = TxOutput(5, b"\xa9\x14" + bytes(20) + b"\x87")
    message, challenge = b"m", b"\x00\x14" + bytes(20)
    outpoints = [Outpoint(f"{n:064x}", 0) for n in range(1, 10_001)]
    pushed = b"\x00\x4d" + len(redeem).to_bytes(2, "little") + redeem
    unsigned = to_sign(message, challenge, outpoints)
    fields: list[dict[bytes, bytes]] = [{b"\x01": TxOutput(0, challenge).raw, **stack(b"x")}]
    fields += [{b"\x01": output.raw, b"\x07": pushed} for _ in outpoints]
    text = "pof" + Psbt(unsigned, tuple(fields), ({},)).base64()
    with pytest.raises(ReserveError, match="bytes to be hashed, over the limit"):
        check_signature(read_signature(text, message, challenge), message, challenge)
    spent = [TxOutput(0, challenge), output]
    one = to_sign(message, challenge, outpoints[:1])
    row = replace(one.inputs[1], script=pushed)
    one = replace(one, inputs=(one.inputs[0], row))
    assert hashing_bytes(one, spent) == 20 * len(one.raw())


def test_a_taproot_script_of_one_leaf_is_not_taken_for_a_signature() -> None:
    """Its control block with one hash has 65 bytes, as a signature with its sighash has."""
    key = OWNERS[3]
    nothing = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"
    form = f"tr({nothing},{{pk({key.public}/0/*),pk({OWNERS[2].public}/0/*)}})"
    source = read_descriptor(form, "regtest", "test")
    script = scripts(source, 0, 1)[0][0]
    fields = signing_fields(source, {script: (0, 0)})[script]
    message = b"by script"
    spend = to_spend(message, script)
    unsigned = to_sign(message, script)
    psbt = Psbt(unsigned, ({b"\x01": TxOutput(0, script).raw, b"\0": spend.raw(), **fields},), ({},))
    done = bdk.Psbt(key.sign(psbt, form).base64()).finalize()
    assert done.could_finalize
    text = "pof" + done.psbt.serialize()
    signed = read_signature(text, message, script)
    witness = signed.transaction.inputs[0].witness
    assert [len(item) for item in witness[-1:]] == [65]
    assert check_signature(signed, message, script) == (TxOutput(0, script),)


@pytest.mark.parametrize(
    ("code", "said"), [(0xAB, "code separator"), (0xB0, "upgrades"), (0xB9, "upgrades"), (0xB1, "")]
)
def test_scripts_with_operations_that_prove_nothing(code: int, said: str) -> None:
    script = b"\x4c\x02\xab\xb0" + bytes([code])  # what is pushed is no operation
    spent = TxOutput(1, b"\x00\x20" + hashlib.sha256(script).digest())
    found = unsafe_signature(TxInput(Outpoint("11" * 32, 0), witness=(b"", script)), spent)
    assert said in found if said else found == ""


def test_a_thousand_changed_proofs_are_refused_or_say_what_is_true() -> None:
    """Letters of the file, fields, and bits of the signature: no crash, and never a satoshi too many."""
    proof, chain = whole("wpkh", "tr")
    chance = random.Random(23)
    text = json.dumps(proof_document(proof))
    raw = read_psbt(proof.signature[3:], "x").raw()
    taken = 0
    for number in range(1_000):
        if number % 2:
            data = bytearray(raw)
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            bent = replace(proof, signature="pof" + base64.b64encode(bytes(data)).decode())
            file = json.dumps(proof_document(bent))
        else:
            letters = list(text)
            for _ in range(chance.randint(1, 3)):
                letters[chance.randrange(len(letters))] = chance.choice('0123456789abcdef",:{}[]pofAZ+/=')
            file = "".join(letters)
        try:
            found = verify_proof(read_proof(file.encode(), "file"), chain)
        except ReserveError:
            continue
        if found.holds:
            taken += 1
            assert (found.proof.outputs, found.proof.message) == (proof.outputs, proof.message)
        assert found.satoshi <= proof.message.satoshi
    assert taken < 30
