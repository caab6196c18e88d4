"""The ledger: each rule on a transaction of its own, then what must hold on any graph of transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import ReserveError
from penstock.reserve.ledger import (
    RULES,
    UNKNOWN,
    Entry,
    Input,
    Mining,
    Output,
    Transaction,
    balances,
    classify,
    net_exposure,
    split_period,
)

DAY = 86_400
OUTSIDE = b"\x6a"  # script of somebody else


def script(name: str | None) -> bytes:
    return OUTSIDE if name is None else name.encode()


def transaction(
    txid: str,
    spends: Sequence[tuple[str, int, int | None, str | None]],
    pays: Sequence[tuple[int, str | None]],
    height: int = 1,
    coinbase: bool = False,
) -> Transaction:
    """spends: (txid, vout, satoshi, wallet) each; pays: (satoshi, wallet) each."""
    inputs = tuple(
        Input(came, vout, satoshi, None if satoshi is None else script(wallet), wallet)
        for came, vout, satoshi, wallet in spends
    )
    outputs = tuple(Output(satoshi, script(wallet), wallet) for satoshi, wallet in pays)
    return Transaction(txid, height, 0 if coinbase else 1, height * DAY, coinbase, inputs, outputs)


BUY = transaction("buy", [("x", 0, 200, None)], [(100, "a"), (90, None)], 1)


def lines(entries: Sequence[Entry]) -> list[tuple[str, str, int, str, str]]:
    return [(each.wallet, each.kind, each.satoshi, each.counterparty, each.rule) for each in entries]


def test_a_purchase_is_an_external_inflow_from_an_unknown() -> None:
    assert lines(classify([BUY])) == [("a", "external inflow", 100, UNKNOWN, "received")]


def test_a_coinbase_is_mining_income() -> None:
    mined = transaction("m", [], [(50, "a"), (0, None)], coinbase=True)
    assert lines(classify([mined])) == [("a", "mining income", 50, "coinbase", "coinbase")]


@pytest.mark.parametrize("mining", [Mining(payout=frozenset({b"a"})), Mining(payers=frozenset({OUTSIDE}))])
def test_a_declared_pool_pays_mining_income(mining: Mining) -> None:
    assert lines(classify([BUY], mining)) == [("a", "mining income", 100, UNKNOWN, "declared-payout")]


def test_a_pool_that_is_one_of_several_payers_is_not_a_pool() -> None:
    joint = replace(BUY, inputs=(*BUY.inputs, Input("y", 0, 10, b"\x51", None)))
    (entry,) = classify([joint], Mining(payers=frozenset({OUTSIDE})))
    assert entry.rule == "received"


def test_a_payment_is_an_outflow_and_a_fee() -> None:
    pay = transaction("pay", [("buy", 0, 100, "a")], [(30, None), (60, "a"), (4, None)], 2)
    found = classify([BUY, pay])
    assert lines(found)[1:] == [
        ("a", "fee", -6, "", "own-fee"),
        ("a", "external outflow", -30, UNKNOWN, "paid"),
        ("a", "external outflow", -4, UNKNOWN, "paid"),
    ]
    assert [each.vout for each in found[1:]] == [None, 0, 2]


def test_a_move_between_own_wallets_is_a_transfer_and_no_purchase() -> None:
    move = transaction("move", [("buy", 0, 100, "a")], [(70, "b"), (25, "a")], 2)
    assert lines(classify([BUY, move]))[1:] == [
        ("a", "fee", -5, "", "own-fee"),
        ("a", "internal transfer", -70, "b", "own-move"),
        ("b", "internal transfer", 70, "a", "own-move"),
    ]
    exposure = net_exposure(classify([BUY, move]), from_height=2)
    assert (exposure.opening, exposure.purchases, exposure.internal, exposure.closing) == (100, 0, 0, 95)


def test_the_same_move_with_one_wallet_not_watched_is_an_outflow() -> None:
    move = transaction("move", [("buy", 0, 100, "a")], [(70, None), (25, "a")], 2)
    assert ("a", "external outflow", -70, UNKNOWN, "paid") in lines(classify([BUY, move]))


def test_two_wallets_that_pay_together_share_to_the_satoshi() -> None:
    funds = transaction("f", [("x", 0, 30, None)], [(20, "a"), (10, "b")])
    pay = transaction("p", [("f", 0, 20, "a"), ("f", 1, 10, "b")], [(20, None), (8, "b")], 2)
    found = lines(classify([funds, pay]))[2:]
    # 20 out and 2 of fee in the proportion 2 : 1; the odd satoshi goes where the remainder is larger.
    assert found == [
        ("a", "fee", -1, "", "own-fee"),
        ("a", "internal transfer", -6, "b", "own-move"),
        ("a", "external outflow", -13, UNKNOWN, "paid"),
        ("b", "fee", -1, "", "own-fee"),
        ("b", "internal transfer", 6, "a", "own-move"),
        ("b", "external outflow", -7, UNKNOWN, "paid"),
    ]


def test_coins_put_together_in_one_wallet_cost_a_fee_or_nothing() -> None:
    free = transaction("c", [("buy", 0, 100, "a")], [(100, "a")], 2)
    assert lines(classify([BUY, free]))[1:] == [("a", "internal transfer", 0, "a", "own-move")]
    paid = transaction("c", [("buy", 0, 100, "a")], [(99, "a")], 2)
    assert lines(classify([BUY, paid]))[1:] == [("a", "fee", -1, "", "own-fee")]


@pytest.mark.parametrize(
    ("ours", "kind", "rule"), [(40, "external outflow", "mixed-loss"), (140, "external inflow", "mixed-gain")]
)
def test_a_mixed_transaction_is_flagged_and_its_fee_not_guessed(ours: int, kind: str, rule: str) -> None:
    mix = transaction("mix", [("buy", 0, 100, "a"), ("y", 0, None, None)], [(ours, "a"), (50, None)], 2)
    (entry,) = classify([BUY, mix])[1:]
    assert (entry.kind, entry.satoshi, entry.rule, entry.flags) == (kind, ours - 100, rule, ("mixed",))
    assert net_exposure(classify([BUY, mix])).mixed == 1


def test_a_mixed_transaction_that_changes_nothing_still_has_its_line() -> None:
    mix = transaction("mix", [("buy", 0, 100, "a"), ("y", 0, None, None)], [(100, "a"), (50, None)], 2)
    (entry,) = classify([BUY, mix])[1:]
    assert (entry.kind, entry.satoshi, entry.rule, entry.flags) == (
        "internal transfer",
        0,
        "mixed-move",
        ("mixed",),
    )


def test_labels_name_and_do_not_class() -> None:
    by_script = classify([BUY], labels={OUTSIDE.hex(): "an exchange"})
    by_id = classify([BUY], labels={"buy": "an exchange"})
    assert [each.counterparty for each in (*by_script, *by_id)] == ["an exchange"] * 2
    assert {each.rule for each in (*by_script, *by_id)} == {"received"}
    two = replace(BUY, inputs=(*BUY.inputs, Input("y", 0, 10, b"\x51", None)))
    assert [each.counterparty for each in classify([two], labels={OUTSIDE.hex(): "an exchange"})] == [UNKNOWN]


def test_what_cannot_be_a_history_is_refused() -> None:
    spend = transaction("s", [("early", 3, 10, "a")], [(10, None)], 2)
    with pytest.raises(ReserveError, match="whose arrival was not seen"):
        classify([spend])
    with pytest.raises(ReserveError, match="is there 2 times"):
        classify([BUY, BUY])
    once = transaction("s1", [("buy", 0, 100, "a")], [(100, None)], 2)
    with pytest.raises(ReserveError, match="is spent 2 times"):
        classify([BUY, once, replace(once, txid="s2")])


def test_a_period_counts_in_the_order_of_the_chain() -> None:
    first = replace(BUY, txid="1", time=3 * DAY)
    later = replace(BUY, txid="2", height=2, time=3 * DAY - 60)  # its header runs back over midnight
    found = classify([first, later])
    day = date(1970, 1, 4)
    assert net_exposure(found, from_date=day).inflow == 200
    assert net_exposure(found, to_date=date(1970, 1, 3)).inflow == 0
    before, within = split_period(found, from_height=2, to_height=2)
    assert [each.txid for each in (*before, *within)] == ["1", "2"]
    with pytest.raises(ReserveError, match="ends before it starts"):
        net_exposure(found, from_height=2, to_height=1)
    with pytest.raises(ReserveError, match="heights and days"):
        net_exposure(found, from_height=2, to_date=day)


# --- what must hold on any graph ------------------------------------------------------------------------

WALLETS = ("a", "b", "c", None)


@st.composite
def histories(draw: st.DrawFn, joint: bool = True) -> list[Transaction]:
    """A random valid history: coinbases, and payments from coins that are there to anybody.

    joint: whether several may pay into one transaction.
    """
    coins: dict[tuple[str, int], tuple[int, str | None]] = {}
    made = []
    for number in range(draw(st.integers(1, 12))):
        txid = f"t{number}"
        keys = sorted(coins)
        chosen = draw(st.lists(st.sampled_from(keys), unique=True, max_size=4)) if keys else []
        if not joint:
            chosen = [key for key in chosen if coins[key][1] == coins[chosen[0]][1]]
        spends = [(*key, *coins.pop(key)) for key in chosen]
        total = sum(satoshi for _, _, satoshi, _ in spends)
        coinbase = not spends
        left = total - draw(st.integers(0, min(total, 20))) if spends else draw(st.integers(1, 5_000))
        pays = []
        for _ in range(draw(st.integers(1, 4))):
            part = draw(st.integers(0, left))
            left -= part
            pays.append((part, draw(st.sampled_from(WALLETS))))
        pays.append((left, draw(st.sampled_from(WALLETS))))
        # What the source cannot tell of foreign coins is left out now and then.
        hide = draw(st.booleans())
        shown = [
            (came, vout, None if hide and owner is None else satoshi, owner)
            for came, vout, satoshi, owner in spends
        ]
        each = transaction(txid, shown, pays, number // 2 + 1, coinbase)
        made.append(replace(each, position=number % 2, coinbase=coinbase))
        coins.update({(txid, vout): pay for vout, pay in enumerate(pays)})
    return [each for each in made if touches(each)]


def touches(each: Transaction) -> bool:
    owners = [coin.wallet for coin in each.inputs] + [output.wallet for output in each.outputs]
    return any(owners)


def under(history: list[Transaction], names: dict[str, str | None]) -> list[Transaction]:
    """The same history with wallets renamed, merged or not watched."""

    def owner(wallet: str | None) -> str | None:
        return None if wallet is None else names.get(wallet, wallet)

    renamed = [
        replace(
            each,
            inputs=tuple(replace(coin, wallet=owner(coin.wallet)) for coin in each.inputs),
            outputs=tuple(replace(output, wallet=owner(output.wallet)) for output in each.outputs),
        )
        for each in history
    ]
    return [each for each in renamed if touches(each)]


@settings(max_examples=100, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_entries_add_up_and_do_not_depend_on_the_order(history: list[Transaction], chance: object) -> None:
    found = classify(history)
    held = balances(history)
    for wallet in held:
        assert sum(each.satoshi for each in found if each.wallet == wallet) == held[wallet]
    assert {each.txid for each in found} >= {
        each.txid for each in history if any(output.wallet and output.satoshi for output in each.outputs)
    }
    for each in history:
        moved = [
            line.satoshi for line in found if line.txid == each.txid and line.kind == "internal transfer"
        ]
        assert sum(moved) == 0
    assert all(each.rule in RULES for each in found)
    shuffled = list(history)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert classify(shuffled) == found
    exposure = net_exposure(found)
    assert exposure.internal == 0
    assert exposure.closing == sum(held.values()) == exposure.opening + sum(exposure.by_wallet.values())


@settings(max_examples=100, deadline=None)
@given(histories(), st.integers(0, 8), st.integers(0, 8))
def test_periods_follow_on_each_other(history: list[Transaction], one: int, two: int) -> None:
    found = classify(history)
    low, high = sorted((one, two))
    parts = [
        net_exposure(found, to_height=low),
        net_exposure(found, from_height=low + 1, to_height=max(high, low + 1)),
        net_exposure(found, from_height=max(high, low + 1) + 1),
    ]
    for earlier, later in pairwise(parts):
        assert earlier.closing == later.opening
    assert sum(each.purchases for each in parts) == net_exposure(found).purchases
    assert parts[0].closing == sum(balances(history, low).values())


@settings(max_examples=100, deadline=None)
@given(histories())
def test_merging_wallets_leaves_what_met_the_outside(history: list[Transaction]) -> None:
    """Several wallets or one: what met the outside is the same, and no transfer is left."""
    apart = net_exposure(classify(history))
    merged = classify(under(history, {"b": "a", "c": "a"}))
    together = net_exposure(merged)
    for name in ("inflow", "outflow", "fee", "mining", "closing", "purchases"):
        assert getattr(apart, name) == getattr(together, name)
    assert not [each for each in merged if each.kind == "internal transfer" and each.satoshi]


@settings(max_examples=100, deadline=None)
@given(histories(joint=False))
def test_watching_one_wallet_more_turns_in_and_out_into_transfers(history: list[Transaction]) -> None:
    alone = classify(under(history, {"b": None, "c": None}))
    both = classify(under(history, {"c": None}))

    def gross(entries: Sequence[Entry], kind: str) -> int:
        return sum(abs(each.satoshi) for each in entries if each.wallet == "a" and each.kind.startswith(kind))

    assert gross(alone, "internal") == 0
    assert gross(alone, "external") == gross(both, "external") + gross(both, "internal")
    assert gross(alone, "fee") == gross(both, "fee")
