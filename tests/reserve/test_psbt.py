"""PSBTs and transactions: what is read is written again, and what is not exactly one is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.reserve.psbt as psbt_module
from penstock.errors import ReserveError
from penstock.reserve.psbt import Field, Psbt, combine, finish, read_psbt, spent_outputs
from penstock.reserve.transaction import (
    MOST_SATOSHI,
    Outpoint,
    Transaction,
    TxInput,
    TxOutput,
    read_transaction,
)
from penstock.reserve.wire import Reader, size_bytes, sized

BYTES = st.binary(max_size=80)
OUTPOINTS = st.builds(Outpoint, st.binary(min_size=32, max_size=32).map(bytes.hex), st.integers(0, 2**32 - 1))
INPUTS = st.builds(
    TxInput, OUTPOINTS, BYTES, st.integers(0, 2**32 - 1), st.lists(BYTES, max_size=3).map(tuple)
)
OUTPUTS = st.builds(TxOutput, st.integers(0, MOST_SATOSHI), BYTES)
TRANSACTIONS = st.builds(
    Transaction,
    st.integers(0, 2**32 - 1),
    st.lists(INPUTS, min_size=1, max_size=4).map(tuple),
    st.lists(OUTPUTS, max_size=4).map(tuple),
    st.integers(0, 2**32 - 1),
)
# The first transaction of the chain with somebody's words in it.
GENESIS = (
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104"
    "455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365"
    "636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967"
    "f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c"
    "702b6bf11d5fac00000000"
)


def psbt_of(transaction: Transaction, **fields: bytes) -> Psbt:
    plain = transaction.unsigned
    return Psbt(plain, tuple({} for _ in plain.inputs), tuple({} for _ in plain.outputs))


def test_the_first_transaction_has_its_hash() -> None:
    found = read_transaction(bytes.fromhex(GENESIS), "genesis")
    assert found.txid == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert found.outputs[0].satoshi == 50 * 100_000_000
    assert found.raw().hex() == GENESIS


@given(TRANSACTIONS)
def test_a_transaction_is_read_as_it_was_written(found: Transaction) -> None:
    assert read_transaction(found.raw(), "x") == found
    assert found.unsigned.raw() == found.unsigned.raw(witness=False)


@given(TRANSACTIONS, st.data())
def test_cut_or_lengthened_bytes_are_refused(found: Transaction, data: st.DataObject) -> None:
    raw = found.raw()
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(ReserveError):
        read_transaction(raw[:cut], "x")
    with pytest.raises(ReserveError):
        read_transaction(raw + b"\0", "x")


@given(st.integers(0, 2**64 - 1))
def test_sizes_are_written_in_the_fewest_bytes_and_read_so(number: int) -> None:
    reader = Reader(size_bytes(number), "x")
    assert reader.size() == number
    reader.end()


@pytest.mark.parametrize("raw", ["fd0100", "fdfc00", "fe00010000", "ff0000010000000000"])
def test_sizes_in_more_bytes_are_refused(raw: str) -> None:
    with pytest.raises(ReserveError, match="fewest bytes"):
        Reader(bytes.fromhex(raw), "x").size()


def test_more_coins_than_there_can_be_are_refused() -> None:
    found = Transaction(2, (TxInput(Outpoint("11" * 32, 0)),), (TxOutput(MOST_SATOSHI + 1, b""),))
    with pytest.raises(ReserveError, match=f"above the limit of {MOST_SATOSHI}"):
        read_transaction(found.raw(), "x")


@given(TRANSACTIONS, st.dictionaries(st.binary(min_size=1, max_size=8), BYTES, max_size=4))
def test_a_psbt_is_read_as_it_was_written(transaction: Transaction, fields: dict[bytes, bytes]) -> None:
    plain = psbt_of(transaction)
    inputs = (fields, *plain.inputs[1:])
    top = {key: value for key, value in fields.items() if key != b"\0"}
    found = Psbt(plain.transaction, inputs, plain.outputs, top)
    again = read_psbt(found.base64(), "x")
    assert again == found
    assert read_psbt(found.raw(), "x") == found


def test_a_key_twice_in_one_map_is_refused() -> None:
    raw = psbt_of(Transaction(2, (TxInput(Outpoint("11" * 32, 0)),), ())).raw()
    twice = raw[:-1] + sized(b"\x03") + sized(b"\1\0\0\0") + sized(b"\x03") + sized(b"\1\0\0\0") + b"\0"
    with pytest.raises(ReserveError, match="twice in one map"):
        read_psbt(twice, "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no PSBT"),
        ("cHNidP8=", "ends after"),
        ("not base64!", "no base64"),
        (base64.b64encode(b"psbt\xff\x00").decode(), "version 2"),
        ("AAAA", "no PSBT"),
    ],
)
def test_what_is_no_psbt_is_refused(text: str, said: str) -> None:
    with pytest.raises(ReserveError, match=said):
        read_psbt(text, "x")


def test_a_signed_transaction_inside_is_refused() -> None:
    signed = Transaction(2, (TxInput(Outpoint("11" * 32, 0), script=b"\1"),), ())
    raw = b"psbt\xff" + sized(b"\0") + sized(signed.raw()) + b"\0" + b"\0"
    with pytest.raises(ReserveError, match="signed already"):
        read_psbt(raw, "x")


def spending(previous: Transaction, vout: int, output: TxOutput | None) -> Psbt:
    transaction = Transaction(2, (TxInput(Outpoint(previous.txid, vout)),), ())
    fields = {bytes([Field.NON_WITNESS_UTXO]): previous.raw()}
    if output is not None:
        fields[bytes([Field.WITNESS_UTXO])] = output.raw
    return Psbt(transaction, (fields,), ())


def test_what_an_input_spends_must_be_said_once_and_truly() -> None:
    good = TxOutput(5, b"\x51")
    previous = Transaction(2, (TxInput(Outpoint("22" * 32, 0)),), (good, TxOutput(7, b"\x52")))
    assert spent_outputs(spending(previous, 0, None))[0] == good
    assert spent_outputs(spending(previous, 0, good))[0] == good
    with pytest.raises(ReserveError, match="two different outputs"):
        spent_outputs(spending(previous, 0, TxOutput(6, b"\x51")))
    with pytest.raises(ReserveError, match="which there is not"):
        spent_outputs(spending(previous, 2, None))
    other = Transaction(2, (TxInput(Outpoint("33" * 32, 0)),), (good,))
    lying = Psbt(
        spending(previous, 0, None).transaction, ({bytes([Field.NON_WITNESS_UTXO]): other.raw()},), ()
    )
    with pytest.raises(ReserveError, match="and gives the transaction"):
        spent_outputs(lying)
    with pytest.raises(ReserveError, match="does not say what it spends"):
        spent_outputs(psbt_of(previous))


def test_the_transaction_of_an_earlier_input_serves_a_later_one() -> None:
    previous = Transaction(
        2, (TxInput(Outpoint("22" * 32, 0)),), (TxOutput(5, b"\x51"), TxOutput(7, b"\x52"))
    )
    both = Transaction(2, tuple(TxInput(Outpoint(previous.txid, vout)) for vout in (0, 1)), ())
    psbt = Psbt(both, ({bytes([Field.NON_WITNESS_UTXO]): previous.raw()}, {}), ())
    assert spent_outputs(psbt)[1].satoshi == 7


def test_two_signers_who_contradict_each_other_are_refused() -> None:
    transaction = Transaction(2, (TxInput(Outpoint("22" * 32, 0)),), ())
    one, other = (Psbt(transaction, ({b"\x03": value},), ()) for value in (b"\1\0\0\0", b"\2\0\0\0"))
    with pytest.raises(ReserveError, match="different values"):
        combine([one, other])
    with pytest.raises(ReserveError, match="there is none"):
        combine([])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_multisignature_takes_as_many_as_it_needs_in_the_order_of_its_keys(count: int) -> None:
    keys = [bytes([2]) + bytes([number]) * 32 for number in range(3)]
    script = b"\x52" + b"".join(b"\x21" + key for key in keys) + b"\x53\xae"
    output = TxOutput(9, b"\x00\x20" + bytes(32))
    signatures = {bytes([Field.PARTIAL_SIG]) + key: b"signed by " + key for key in reversed(keys[:count])}
    fields = {b"\1": output.raw, bytes([Field.WITNESS_SCRIPT]): script, **signatures}
    psbt = Psbt(Transaction(2, (TxInput(Outpoint("22" * 32, 0)),), ()), (fields,), ())
    if count < 2:
        with pytest.raises(ReserveError, match=f"input 0: has {count} of 2 signatures"):
            finish(psbt)
        return
    done = finish(psbt).inputs[0]
    stack = [b"", b"signed by " + keys[0], b"signed by " + keys[1], script]
    assert done == {b"\1": output.raw, b"\x08": size_bytes(4) + b"".join(sized(item) for item in stack)}
    assert finish(finish(psbt)) == finish(psbt)


def test_a_transaction_is_read_once_however_many_inputs_spend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a small file could keep a reader busy for hours."""
    previous = Transaction(
        2, (TxInput(Outpoint("22" * 32, 0)),), tuple(TxOutput(n, b"\x51") for n in range(500))
    )
    spending_all = Transaction(2, tuple(TxInput(Outpoint(previous.txid, n)) for n in range(500)), ())
    first = {bytes([Field.NON_WITNESS_UTXO]): previous.raw()}
    read = []

    def counted(data: bytes, place: str) -> Transaction:
        read.append(place)
        return read_transaction(data, place)

    monkeypatch.setattr(psbt_module, "read_transaction", counted)
    found = spent_outputs(Psbt(spending_all, (first, *({} for _ in range(499))), ()))
    assert [row.satoshi for row in found] == list(range(500))
    assert len(read) == 1


def test_a_map_without_end_is_refused() -> None:
    raw = psbt_of(Transaction(2, (TxInput(Outpoint("11" * 32, 0)),), ())).raw()
    many = b"".join(sized(b"\xf0" + n.to_bytes(2, "big")) + sized(b"") for n in range(1_001))
    with pytest.raises(ReserveError, match="more than 1000 fields"):
        read_psbt(raw[:-1] + many + b"\0", "x")


def test_a_transaction_that_no_block_could_hold_is_refused() -> None:
    with pytest.raises(ReserveError, match="over the limit of 4000000"):
        read_transaction(bytes(4_000_001), "x")
