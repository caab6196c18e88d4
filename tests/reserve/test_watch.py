"""Watching on a real chain: every movement classed rightly, by three ways of reading the chain."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.errors import ReserveError
from penstock.reserve.descriptors import read_address, read_descriptor, read_extended_key, scripts
from penstock.reserve.ledger import Entry, balances, net_exposure
from penstock.reserve.light_sync import sync_electrum, sync_peer
from penstock.reserve.node_rpc import FOREIGN_SERVICE, NodeRpc, check_node, satoshi
from penstock.reserve.sync import sync_node
from penstock.reserve.wallet import GAP, WatchStore
from tests.real_node import RealNode

from .electrum_server import ElectrumServer, why_no_server
from .watched import (
    OUTSIDE,
    Treasury,
    account_key,
    draft,
    fund,
    ledger_of,
    outside,
    place_of,
    rpc,
    send,
    sums,
)

pytestmark = pytest.mark.xdist_group("node")
bdk = pytest.importorskip("bdkpython")

PAYEES = 100
MOVED, TO_DESK, FEE = 30_000_001, 7_000_003, 1_511
PAID = 12_345


@dataclass(frozen=True)
class Story:
    """What was done on the chain, and what it should be called."""

    ministry: Treasury
    bank: Treasury
    desk: str
    subsidy: int
    joint: int
    txids: dict[str, str]


@pytest.fixture(scope="module")
def story(node: RealNode) -> Story:
    """Fund a 2-of-3 from outside, move coins between own wallets, pay 100 payees, mine, pay jointly."""
    outside(node)
    ministry, bank = Treasury("ministry"), Treasury("bank")
    node.rpc("createwallet", "desk")
    desk: str = node.rpc("getnewaddress", wallet="desk")
    told = {}
    told["fund"] = fund(node, {ministry.address(0): 100_000_000, ministry.address(1): 50_000_000})
    node.mine(1)

    coin = place_of(node, told["fund"], ministry.address(0))
    left = 100_000_000 - MOVED - TO_DESK - FEE
    pays = {bank.address(0): MOVED, desk: TO_DESK, ministry.address(0, change=True): left}
    told["move"] = send(node, ministry.sign(node, draft(node, [coin], pays)))
    node.mine(1)

    coin = place_of(node, told["move"], ministry.address(0, change=True))
    payees = {outside(node): PAID + number for number in range(PAYEES)}
    change = left - sum(payees.values()) - 5 * FEE
    psbt = draft(node, [coin], {**payees, ministry.address(1, change=True): change})
    told["pay"] = send(node, ministry.sign(node, psbt))
    (block,) = node.mine(1, bank.address(1))
    subsidy = satoshi_of(node, block)

    theirs = node.rpc("listunspent", 1, 999, wallet=OUTSIDE)[0]
    ours = place_of(node, told["fund"], ministry.address(1))
    joint = 20_000_000
    back = satoshi(theirs["amount"]) + 50_000_000 - joint - FEE
    spends = [{"txid": theirs["txid"], "vout": theirs["vout"]}, ours]
    psbt = draft(node, spends, {ministry.address(2): joint, outside(node): back})
    psbt = node.rpc("walletprocesspsbt", ministry.sign(node, psbt), wallet=OUTSIDE)["psbt"]
    told["joint"] = send(node, psbt)
    node.mine(3)
    return Story(ministry, bank, desk, subsidy, joint, told)


def satoshi_of(node: RealNode, block: str) -> int:
    """What the first transaction of a block pays out."""
    first = node.rpc("getblock", block, 2)["tx"][0]
    return sum(satoshi(each["value"]) for each in first["vout"])


def register(store: WatchStore, story: Story, desk: bool = True) -> None:
    store.register("ministry", story.ministry.source)
    store.register("bank", story.bank.source)
    if desk:
        store.register("desk", read_address(story.desk, "regtest", "test"))


def lines(entries: tuple[Entry, ...]) -> Counter[tuple[str, ...]]:
    return Counter(
        (each.txid, each.wallet, each.kind, str(each.satoshi), each.counterparty, each.rule, str(each.vout))
        for each in entries
    )


def test_every_movement_is_classed_rightly(node: RealNode, story: Story, database: Path) -> None:
    with WatchStore(database, "regtest") as store:
        register(store, story)
        done = sync_node(store, rpc(node))
        assert done.source == "filters"
        assert done.tip.height == node.rpc("getblockcount")
        held = balances(store.transactions())
    entries = ledger_of(database)
    paid = sum(PAID + number for number in range(PAYEES))
    assert sums(entries) == {
        ("ministry", "external inflow"): 150_000_000,
        ("ministry", "internal transfer"): -MOVED - TO_DESK,
        ("ministry", "fee"): -6 * FEE,
        ("ministry", "external outflow"): -paid - (50_000_000 - story.joint),
        ("bank", "internal transfer"): MOVED,
        ("bank", "mining income"): story.subsidy,
        ("desk", "internal transfer"): TO_DESK,
    }
    by_rule = Counter((each.rule, each.txid) for each in entries)
    assert by_rule["paid", story.txids["pay"]] == PAYEES
    assert by_rule["own-move", story.txids["move"]] == 3
    assert by_rule["mixed-loss", story.txids["joint"]] == 1
    assert {each.counterparty for each in entries if each.kind.startswith("external")} == {"unknown"}
    exposure = net_exposure(entries)
    assert exposure.purchases == 150_000_000 - paid - (50_000_000 - story.joint)
    assert exposure.internal == 0
    assert exposure.closing == sum(held.values())
    # The node's own count of what is unspent, to the satoshi.
    for name, descriptor in (("ministry", story.ministry.source.text), ("bank", story.bank.source.text)):
        forms = [descriptor.partition("#")[0].replace("<0;1>", path) for path in "01"]
        wanted = [{"desc": form, "range": 20} for form in forms]
        assert satoshi(f"{node.rpc('scantxoutset', 'start', wanted)['total_amount']:.8f}") == held[name]


def test_a_wallet_registered_later_turns_outflows_into_transfers(
    node: RealNode, story: Story, database: Path
) -> None:
    with WatchStore(database, "regtest") as store:
        store.register("ministry", story.ministry.source)
        sync_node(store, rpc(node))
    before = net_exposure(ledger_of(database))
    with WatchStore(database) as store:
        store.register("bank", story.bank.source)
        assert store.tip() is None  # nothing is shown that does not know of both
        sync_node(store, rpc(node))
    after = net_exposure(ledger_of(database))
    assert before.outflow == after.outflow - MOVED
    assert after.mining == story.subsidy


def test_whole_blocks_filters_and_small_batches_agree(
    node: RealNode, story: Story, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WatchStore(database, "regtest") as store:
        register(store, story)
        sync_node(store, rpc(node))
    expected = ledger_of(database)
    other = database.with_name("other.sqlite")
    monkeypatch.setattr("penstock.reserve.sync._has_filters", lambda _node: False)
    steps: list[float] = []
    with WatchStore(other, "regtest") as store:
        register(store, story)
        done = sync_node(store, rpc(node), lambda _step, part: steps.append(part), batch=7)
    assert done.source == "blocks"
    assert done.read > node.rpc("getblockcount")  # a batch in which the watch grew is read again
    assert steps == sorted(steps)
    assert len(steps) > 10
    assert steps[-1] == 1.0
    assert ledger_of(other) == expected


def test_a_peers_block_filters_give_the_same_ledger(node: RealNode, story: Story, database: Path) -> None:
    with WatchStore(database, "regtest") as store:
        register(store, story, desk=False)
        sync_node(store, rpc(node))
    expected = lines(ledger_of(database))
    with WatchStore(database) as store:
        done = sync_peer(store, f"127.0.0.1:{node.p2p_port}", timeout_s=60.0)
    assert done.tip.height == node.rpc("getblockcount")
    assert lines(ledger_of(database)) == expected
    with WatchStore(database) as store:  # and the node goes on from there
        assert sync_node(store, rpc(node)).rewound is None


def test_an_electrum_server_gives_the_same_ledger(
    node: RealNode, story: Story, database: Path, tmp_path: Path
) -> None:
    if missing := why_no_server():
        pytest.skip(missing)
    with WatchStore(database, "regtest") as store:
        register(store, story, desk=False)
        sync_node(store, rpc(node))
        expected = lines(ledger_of(database))
        with ElectrumServer(tmp_path / "electrum", node) as server:
            server.wait_for(node.rpc("getblockcount"))
            done = sync_electrum(store, server.url)
    assert done.tip.hash == node.rpc("getbestblockhash")
    assert lines(ledger_of(database)) == expected


def test_a_single_address_needs_a_node(story: Story, database: Path) -> None:
    with WatchStore(database, "regtest") as store:
        register(store, story)
        for sync, place in ((sync_peer, "127.0.0.1:1"), (sync_electrum, "tcp://127.0.0.1:1")):
            with pytest.raises(ReserveError, match="watched through a node alone"):
                sync(store, place)


def test_addresses_far_apart_are_found(node: RealNode, database: Path) -> None:
    """Each used address carries the watch GAP places further, in one and the same batch."""
    outside(node)
    treasury = Treasury("far")
    for place in (GAP - 1, 2 * GAP - 1):
        fund(node, {treasury.address(place): 1_000})
    node.mine(1)
    with WatchStore(database, "regtest") as store:
        store.register("far", treasury.source)
        sync_node(store, rpc(node))
        assert balances(store.transactions()) == {"far": 2_000}
        assert len(store.scripts()) == 2 * 3 * GAP


def test_declared_pools_and_labels(node: RealNode, database: Path) -> None:
    outside(node)
    pool, account = Treasury("pool"), Treasury("account")
    txid = fund(node, {pool.address(0): 100_000})
    coin = place_of(node, txid, pool.address(0))
    paid = send(node, pool.sign(node, draft(node, [coin], {account.address(0): 99_000})))
    seller = fund(node, {account.address(1): 5_000})
    node.mine(1)
    with WatchStore(database, "regtest") as store:
        store.register("account", account.source)
        store.declare_payer(read_address(pool.address(0), "regtest", "test"))
        store.label(seller, "an exchange")
        sync_node(store, rpc(node))
    by_id = {each.txid: each for each in ledger_of(database)}
    assert (by_id[paid].kind, by_id[paid].rule) == ("mining income", "declared-payout")
    assert (by_id[seller].kind, by_id[seller].counterparty) == ("external inflow", "an exchange")
    with WatchStore(database.with_name("own.sqlite"), "regtest") as store:
        store.register("account", account.source, mining=True)
        sync_node(store, rpc(node))
    assert {each.kind for each in ledger_of(database.with_name("own.sqlite"))} == {"mining income"}


def test_a_first_block_that_is_too_late_is_refused_by_the_ledger(
    node: RealNode, story: Story, database: Path
) -> None:
    height = node.rpc("getblock", node.rpc("getrawtransaction", story.txids["move"], True)["blockhash"])[
        "height"
    ]
    with WatchStore(database, "regtest") as store:
        store.register("ministry", story.ministry.source, first_block=height)
        sync_node(store, rpc(node))
    with pytest.raises(ReserveError, match="register the wallet with an earlier first block"):
        ledger_of(database)


# --- the register ---------------------------------------------------------------------------------------


def test_a_script_has_one_owner(database: Path) -> None:
    treasury = Treasury("owner")
    with WatchStore(database, "regtest") as store:
        assert store.register(None, treasury.source).name == "wallet 1"
        assert store.register(None, treasury.source).name == "wallet 1"
        with pytest.raises(ReserveError, match="the source is taken by the wallet 'wallet 1'"):
            store.register("again", treasury.source)
        with pytest.raises(ReserveError, match="shares addresses with wallet 1"):
            store.register("part", read_address(treasury.address(3), "regtest", "test"))
        other = read_extended_key(account_key(1), "tr", "regtest", "test")
        with pytest.raises(ReserveError, match="the name is taken"):
            store.register("wallet 1", other)
        with pytest.raises(ReserveError, match="a name has 1 to 60 letters"):
            store.register("\n", other)
        assert [each.name for each in store.wallets()] == ["wallet 1"]
        assert set(store.scripts()) == {each for row in scripts(treasury.source, 0, GAP) for each in row}


def test_a_file_of_another_kind_or_network_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(ReserveError, match="does not exist"):
        WatchStore(database)
    WatchStore(database, "regtest").close()
    with pytest.raises(ReserveError, match="is of network 'regtest', not 'main'"):
        WatchStore(database, "main")
    text = tmp_path / "text"
    text.write_text("no database at all, but a text of some length\n" * 100, "utf-8")
    with pytest.raises(ReserveError, match="cannot be used"):
        WatchStore(text, "regtest")
    with pytest.raises(ReserveError, match="cannot be opened"):
        WatchStore(tmp_path / "no" / "folder", "regtest")


def test_no_private_key_reaches_the_file(node: RealNode, story: Story, database: Path) -> None:
    with WatchStore(database, "regtest") as store:
        register(store, story)
        secret = story.ministry.cosigners[0].private
        with pytest.raises(ReserveError) as caught:
            store.register(secret[:60], story.bank.source)
        assert secret[4:12] not in str(caught.value)
        sync_node(store, rpc(node))
    raw = b"".join(path.read_bytes() for path in database.parent.glob("reserve.sqlite*"))
    assert b"prv" not in raw


# --- the node -------------------------------------------------------------------------------------------

KNOTS = {"version": 290403, "localservicesnames": ["NETWORK", "WITNESS", "P2P_V2", FOREIGN_SERVICE]}
CORE = {"version": 300000, "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"]}


def test_a_node_that_left_bitcoins_proof_of_work_is_refused_on_the_main_network() -> None:
    assert check_node(CORE, "main") == "main"
    assert check_node(KNOTS, "regtest") == "regtest"
    with pytest.raises(ReserveError, match="has left Bitcoin's proof of work"):
        check_node(KNOTS, "main")
    with pytest.raises(ReserveError, match="does not tell its services"):
        check_node({"version": 1}, "main")
    with pytest.raises(ReserveError, match="chain that is not known"):
        check_node(CORE, "liquid")


def test_the_recorded_answer_is_that_of_the_node(node: RealNode) -> None:
    told = node.rpc("getnetworkinfo")
    with pytest.raises(ReserveError, match="BLAKE2B"):
        check_node(told, "main")


def test_amounts_are_exact() -> None:
    assert satoshi("0.00000001") == 1
    assert satoshi("20999999.97690000") == 2_099_999_997_690_000
    for wrong in ("0.000000001", "-1", "21000001", "many", None):
        with pytest.raises(ReserveError):
            satoshi(wrong)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://user:hunter2hunter2@127.0.0.1:1", "credentials in it"),
        ("http://192.0.2.1:8332", "in the clear"),
        ("ftp://127.0.0.1", "is no address"),
        ("http://127.0.0.1:99999", "is no address"),
        ("hunter2hunter2", "is no address"),
    ],
)
def test_addresses_of_nodes_that_are_refused(url: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ReserveError, match=problem) as caught:
        NodeRpc(url, tmp_path / "none")
    assert "hunter2" not in str(caught.value)


def test_credentials_are_in_no_message(node: RealNode, tmp_path: Path) -> None:
    wrong = tmp_path / "cookie"
    wrong.write_text("user:hunter2hunter2", "utf-8")
    with pytest.raises(ReserveError, match="refused the credentials") as caught:
        NodeRpc(node.url, wrong).call("getblockcount")
    assert "hunter2" not in str(caught.value)
    wrong.write_text("hunter2hunter2", "utf-8")
    with pytest.raises(ReserveError, match="does not hold user:password") as caught:
        NodeRpc(node.url, wrong).call("getblockcount")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ReserveError, match="does not answer"):
        NodeRpc("http://127.0.0.1:1", node.cookie).call("getblockcount")
    with pytest.raises(ReserveError, match=r"refused getblockhash: .* \(-8\)"):
        rpc(node).call("getblockhash", 10**7)


def test_a_node_of_another_network_is_refused(node: RealNode, database: Path) -> None:
    source = read_descriptor(Treasury("signet").descriptor, "signet", "test")
    with WatchStore(database, "signet") as store:
        store.register("a", source)
        with pytest.raises(ReserveError, match="is on network 'regtest', and the wallets are of 'signet'"):
            sync_node(store, rpc(node))


# --- the commands ---------------------------------------------------------------------------------------


def test_the_commands_watch_and_ledger(
    node: RealNode, story: Story, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from penstock.cli import main

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["reserve", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    place = ("--database", str(database), "--node", node.url, "--cookie", str(node.cookie))
    first = ("--network", "regtest", "--descriptor", story.ministry.source.text, "--name", "ministry")
    code, out, _ = run("watch", *place, *first, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["tip"]["height"] == node.rpc("getblockcount")
    assert told["satoshi"] == told["wallets"][0]["satoshi"] > 0
    code, out, _ = run("watch", *place, "--address", story.desk, "--name", "desk")
    assert code == 0
    assert f"{TO_DESK:,}" in out
    code, out, _ = run("ledger", "--database", str(database), "--json")
    document = json.loads(out)
    assert code == 0
    assert document["exposure"]["closing"] == sum(each["satoshi"] for each in document["entries"])
    assert {each["counterparty"] for each in document["entries"]} >= {"unknown", "desk", "ministry"}
    code, out, _ = run("ledger", "--database", str(database), "--from", "1", "--to", "2")
    assert code == 0
    assert "net purchases" in out
    secret = story.ministry.cosigners[0].private
    code, out, err = run("watch", *place, "--descriptor", f"wpkh({secret}/0/*)", "--json")
    assert code == 2
    assert not [secret[at : at + 8] for at in range(len(secret) - 7) if secret[at : at + 8] in out + err]
    code, out, err = run("watch", *place, "--xpub", "x", "--descriptor", "y", "--electrum", "z")
    assert code == 2
    assert "one at a time" in err
    assert run("ledger", "--database", str(database), "--from", "soon")[0] == 2
