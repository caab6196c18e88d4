"""Payments out of a 2-of-3 wallet: exact to the satoshi, on a real chain, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import ReserveError
from penstock.reserve.descriptors import read_descriptor, scripts
from penstock.reserve.payout import Batch, Payee, dust_limit, plan_payouts
from penstock.reserve.proof import ReserveOutput
from penstock.reserve.psbt import Map, combine, finish, read_psbt
from penstock.reserve.scripts import script_of
from penstock.reserve.signing import signing_fields
from penstock.reserve.transaction import Outpoint, read_transaction
from tests.real_node import RealNode, why_not

from .chain import OUTSIDE, Held, fund, outside
from .cosigners import Cosigner, multisig

DESCRIPTOR = multisig(2, [Cosigner(f"payer {number}") for number in range(3)])
SOURCE = read_descriptor(DESCRIPTOR, "regtest", "test")
SCRIPTS = scripts(SOURCE, 0, 60)
CHANGE: tuple[bytes, Map] = (SCRIPTS[1][0], {})
PLACES = {SCRIPTS[0][place]: (0, place) for place in range(60)}
FIELDS = signing_fields(SOURCE, PLACES)


def address(number: int) -> str:
    from penstock.reserve.descriptors import address_of

    return address_of(b"\x00\x14" + number.to_bytes(20, "big"), "regtest")


def payees(*satoshi: int) -> list[Payee]:
    return [Payee(f"b{number}", address(number), each, number + 2) for number, each in enumerate(satoshi)]


def coins(*satoshi: int) -> list[ReserveOutput]:
    return [
        ReserveOutput(Outpoint(f"{number + 1:064x}", 0), each, SCRIPTS[0][number], FIELDS[SCRIPTS[0][number]])
        for number, each in enumerate(satoshi)
    ]


def plan(people: Sequence[Payee], held: Sequence[ReserveOutput], **given: Any) -> tuple[Batch, ...]:
    return plan_payouts(people, held, source=SOURCE, change=CHANGE, **({"fee_rate": 2.0} | given))


@pytest.mark.parametrize(
    ("text", "satoshi"),
    [
        # Bitcoin Core, policy.cpp: outputs of 31 (P2WPKH), 43 (P2WSH, P2TR), 34 (P2PKH) and 32 (P2SH) bytes.
        ("0014" + "00" * 20, 294),
        ("0020" + "00" * 32, 330),
        ("5120" + "00" * 32, 330),
        ("76a914" + "00" * 20 + "88ac", 546),
        ("a914" + "00" * 20 + "87", 540),
    ],
)
def test_dust_is_what_the_nodes_say(text: str, satoshi: int) -> None:
    assert dust_limit(bytes.fromhex(text)) == satoshi


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(294, 10**8), min_size=1, max_size=40),
    st.lists(st.integers(10_000, 10**9), min_size=1, max_size=60),
    st.floats(1.0, 200.0),
    st.integers(1, 50),
)
def test_every_satoshi_is_accounted_for(paid: list[int], held: list[int], rate: float, each: int) -> None:
    try:
        batches = plan(payees(*paid), coins(*held), fee_rate=rate, most_payees=each)
    except ReserveError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert "are to be paid" in refused
        return
    assert [payee for batch in batches for payee in batch.payees] == payees(*paid)
    spent = [row.outpoint for batch in batches for row in batch.psbt.transaction.inputs]
    assert len(set(spent)) == len(spent)
    for batch in batches:
        outputs = batch.psbt.transaction.outputs
        assert sum(row.satoshi for row in outputs) + batch.fee_satoshi == batch.input_satoshi
        assert [row.satoshi for row in outputs][: len(batch.payees)] == [row.satoshi for row in batch.payees]
        assert batch.fee_satoshi >= rate * batch.weight / 4 - 1
        assert batch.change_satoshi == 0 or batch.change_satoshi >= dust_limit(CHANGE[0])
        if batch.change_satoshi:
            assert outputs[-1].script == CHANGE[0]
            assert batch.fee_satoshi <= rate * (batch.weight / 4 + 1) + 1
        else:
            assert batch.fee_satoshi <= rate * (batch.weight / 4 + 50) + dust_limit(CHANGE[0]) + 1


def test_change_that_would_be_dust_goes_to_the_miners() -> None:
    [whole] = plan(payees(100_000), coins(200_000))
    less = whole.input_satoshi - whole.change_satoshi + 200
    [bare] = plan(payees(100_000), coins(less))
    assert bare.change_satoshi == 0
    assert len(bare.psbt.transaction.outputs) == 1
    assert bare.fee_satoshi == less - 100_000


@pytest.mark.parametrize(
    ("people", "given", "said", "column"),
    [
        ([], {}, "there is none", None),
        ([Payee("a", address(1), 293, 2)], {}, "outside 294", "satoshi"),
        ([Payee("a", address(1), -5, 2)], {}, "outside 294", "satoshi"),
        ([Payee("a", address(1), 21 * 10**14 + 1, 2)], {}, "outside 294", "satoshi"),
        ([Payee("a", address(1), 500, 2), Payee("a", address(2), 500, 3)], {}, "is there 2 times", "id"),
        (
            [Payee("a", address(1), 500, 2), Payee("b", address(1), 500, 3)],
            {},
            "another payee too",
            "address",
        ),
        (
            [Payee("a", "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l", 500, 2)],
            {},
            "no address of network",
            "address",
        ),
        ([Payee("a", "hello", 500, 2)], {}, "no address of network", "address"),
        (payees(500), {"fee_rate": 0.5}, "must be 1 to 1000", None),
        (payees(500), {"fee_rate": float("nan")}, "must be 1 to 1000", None),
        (payees(500), {"fee_rate": 100_000.0}, "must be 1 to 1000", None),
        (payees(500), {"most_payees": 0}, "must be 1 or more", None),
        (payees(10**9), {}, "hold", None),
    ],
)
def test_what_cannot_be_paid_is_refused(
    people: list[Payee], given: dict[str, Any], said: str, column: str | None
) -> None:
    with pytest.raises(ReserveError) as caught:
        plan(people, coins(1_000_000), **given)
    assert any(said in fault.problem and fault.column == column for fault in caught.value.faults)


def test_all_faults_come_at_once_with_their_rows() -> None:
    people = [Payee("a", "x", 500, 2), Payee("b", address(1), 1, 3), Payee("b", address(2), 500, 4)]
    with pytest.raises(ReserveError) as caught:
        plan(people, coins(1), fee_rate=0.0)
    assert {(fault.row, fault.column) for fault in caught.value.faults} == {
        (2, "address"),
        (3, "satoshi"),
        (3, "id"),
        (4, "id"),
        (None, None),
    }


def test_an_address_may_be_paid_twice_where_that_is_meant() -> None:
    people = [Payee("a", address(1), 500, 2), Payee("b", address(1), 700, 3)]
    [batch] = plan(people, coins(100_000), same_address=True)
    assert [row.satoshi for row in batch.psbt.transaction.outputs][:2] == [500, 700]


def test_a_batch_that_nodes_would_not_pass_on_is_refused() -> None:
    people = [Payee(f"b{number}", address(number), 1_000, number) for number in range(1, 3_301)]
    with pytest.raises(ReserveError, match="over the limit of 400000"):
        plan(people, coins(10**10), most_payees=5_000)
    assert len(plan(people, coins(10**9, 10**9), most_payees=3_000)) == 2


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    with RealNode(tmp_path_factory.mktemp("payout")) as found:
        outside(found)
        yield found


@pytest.mark.xdist_group("payout-node")
@pytest.mark.skipif(bool(why_not()), reason=why_not())
class TestOnAChain:
    def pay(self, node: RealNode, held: Held, people: list[Payee], rate: float) -> tuple[Batch, str]:
        fields = signing_fields(held.source, held.places)
        own = [ReserveOutput(out, satoshi, script, fields[script]) for out, satoshi, script in held.outputs]
        back = scripts(held.source, 20, 21)[1][0]
        change = signing_fields(held.source, {back: (1, 20)})[back]
        [batch] = plan_payouts(people, own, source=held.source, change=(back, change), fee_rate=rate)
        signed = [held.cosigners[who].sign(batch.psbt, held.descriptor) for who in (0, 2)]
        return batch, node.rpc("finalizepsbt", finish(combine(signed)).base64())["hex"]

    def test_a_hundred_payees_get_what_they_are_due_to_the_satoshi(self, node: RealNode) -> None:
        held = fund(node, [30_000_000, 40_000_000, 10_000_000], name="treasury")
        people = [
            Payee(f"b{number}", node.rpc("getnewaddress", wallet=OUTSIDE), 100_000 + number, number)
            for number in range(100)
        ]
        batch, raw = self.pay(node, held, people, 5.0)
        sent = read_transaction(bytes.fromhex(raw), "sent")
        # The real transaction is a little lighter than promised: signatures are 71 or 72 bytes.
        size = node.rpc("decoderawtransaction", raw)["vsize"]
        assert batch.weight / 4 - 10 <= size <= batch.weight / 4 + 1
        assert batch.fee_satoshi / size == pytest.approx(5.0, rel=0.01)
        txid = node.rpc("sendrawtransaction", raw)
        node.mine(1)
        for payee in people:
            assert (
                round(node.rpc("getreceivedbyaddress", payee.address, wallet=OUTSIDE) * 10**8)
                == payee.satoshi
            )
        change = node.rpc("gettxout", txid, 100)
        assert round(change["value"] * 10**8) == batch.change_satoshi
        assert change["scriptPubKey"]["hex"] == scripts(held.source, 20, 21)[1][0].hex()
        total = sum(payee.satoshi for payee in people)
        assert batch.input_satoshi == total + batch.change_satoshi + batch.fee_satoshi
        assert sum(row.satoshi for row in sent.outputs) == batch.input_satoshi - batch.fee_satoshi

    def test_one_signature_of_two_is_not_enough(self, node: RealNode) -> None:
        held = fund(node, [5_000_000], name="lonely")
        fields = signing_fields(held.source, held.places)
        own = [ReserveOutput(out, satoshi, script, fields[script]) for out, satoshi, script in held.outputs]
        [batch] = plan_payouts(
            [Payee("a", node.rpc("getnewaddress", wallet=OUTSIDE), 50_000)],
            own,
            source=held.source,
            change=(scripts(held.source, 0, 1)[1][0], {}),
            fee_rate=2.0,
        )
        with pytest.raises(ReserveError, match="has 1 of 2 signatures"):
            finish(held.cosigners[0].sign(batch.psbt, held.descriptor))

    def test_a_cosigner_sees_the_change_as_their_own(self, node: RealNode) -> None:
        held = fund(node, [9_000_000], name="seeing")
        people = [Payee("a", node.rpc("getnewaddress", wallet=OUTSIDE), 50_000)]
        batch, _ = self.pay(node, held, people, 3.0)
        told = node.rpc("decodepsbt", batch.psbt.base64())["outputs"]
        assert "bip32_derivs" not in told[0]
        assert len(told[1]["bip32_derivs"]) == 3
        assert "witness_script" in told[1]
        assert script_of(people[0].address, "regtest") == batch.psbt.transaction.outputs[0].script
        assert read_psbt(batch.psbt.base64(), "again") == batch.psbt
