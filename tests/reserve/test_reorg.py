"""What may go wrong while reading: nothing is lost, and nothing is counted twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import Fault, ReserveError
from penstock.reserve.ledger import balances, net_exposure
from penstock.reserve.light_sync import sync_peer
from penstock.reserve.node_rpc import NodeRefusalError, NodeRpc
from penstock.reserve.sync import sync_node
from penstock.reserve.wallet import Block, WatchStore
from tests.real_node import RealNode, free_port

from .watched import OUTSIDE, Treasury, draft, fund, ledger_of, outside, place_of, rpc, send

pytestmark = pytest.mark.xdist_group("node")
pytest.importorskip("bdkpython")

SOURCE = Path(__file__).resolve().parents[2] / "src"
# Reads a chain in small batches, and says so after each; the second word of "wait" holds on to the lock.
READER = """
import sys
from pathlib import Path
from penstock.reserve.node_rpc import NodeRpc
from penstock.reserve.sync import sync_node
from penstock.reserve.wallet import WatchStore

def say(step, part):
    print(step, flush=True)
    if sys.argv[5] == "hold":
        sys.stdin.readline()

with WatchStore(Path(sys.argv[1]), wait_s=60.0) as store:
    sync_node(store, NodeRpc(sys.argv[2], Path(sys.argv[3])), say, batch=int(sys.argv[4]))
"""


def reader(node: RealNode, path: Path, batch: int, hold: bool = False) -> subprocess.Popen[str]:
    words = [str(path), node.url, str(node.cookie), str(batch), "hold" if hold else "run"]
    return subprocess.Popen(
        [sys.executable, "-c", READER, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )


def fresh(node: RealNode, path: Path, treasury: Treasury) -> Path:
    """A register that has read the whole chain at once."""
    made = path.with_name("fresh.sqlite")
    made.unlink(missing_ok=True)
    with WatchStore(made, "regtest") as store:
        store.register("ministry", treasury.source)
        sync_node(store, rpc(node))
    return made


def busy(node: RealNode, name: str, blocks: int = 30) -> Treasury:
    """A treasury with a coin in each of many blocks."""
    outside(node)
    treasury = Treasury(name)
    for number in range(blocks):
        fund(node, {treasury.address(number): 10_000 + number})
        node.mine(1)
    return treasury


_NUMBERS = count(1)  # no two of these blocks are the same


def fork(node: RealNode, depth: int, longer: int = 1) -> None:
    """Takes back the last blocks and mines others, without the payments that were in them."""
    top = node.rpc("getblockcount")
    taken = node.rpc("getblockhash", top - depth + 1)
    node.rpc("invalidateblock", taken)
    # Blocks that hold the coinbase alone: what was paid waits in the memory pool.
    for _ in range(depth + longer):
        node.rpc("generateblock", f"raw(03{next(_NUMBERS):06x}75)", [])
    assert node.rpc("getblockcount") == top + longer


@pytest.mark.parametrize("by", ["node", "peer"])
def test_a_reorganisation_of_six_blocks(node: RealNode, database: Path, by: str) -> None:
    treasury = busy(node, f"fork {by}", 8)

    def read(store: WatchStore) -> int | None:
        if by == "node":
            return sync_node(store, rpc(node)).rewound
        return sync_peer(store, f"127.0.0.1:{node.p2p_port}", timeout_s=60.0).rewound

    with WatchStore(database, "regtest") as store:
        store.register("ministry", treasury.source)
        assert read(store) is None
        before = ledger_of(database)
        assert len(before) == 8
        top = node.rpc("getblockcount")
        fork(node, 6)
        assert read(store) == top - 6
        assert len(ledger_of(database)) == 2
        tip = store.tip()
        assert tip is not None
        assert tip.hash == node.rpc("getbestblockhash")
        # What was taken back is confirmed again, elsewhere: each coin counts once. The payers send it once
        # more, for a wallet dates its transactions by height and the memory pool dropped what came too early.
        for each in before[2:]:
            node.rpc("sendrawtransaction", node.rpc("gettransaction", each.txid, wallet=OUTSIDE)["hex"])
        node.mine(1)
        read(store)
    after = ledger_of(database)
    assert {each.txid for each in after} == {each.txid for each in before}
    assert net_exposure(after).closing == net_exposure(before).closing
    if by == "node":
        assert after == ledger_of(fresh(node, database, treasury))


def test_a_spend_that_is_taken_back_gives_the_coin_back(node: RealNode, database: Path) -> None:
    treasury = busy(node, "spend", 1)
    with WatchStore(database, "regtest") as store:
        store.register("ministry", treasury.source)
        sync_node(store, rpc(node))
        (entry,) = ledger_of(database)
        coin = place_of(node, entry.txid, treasury.address(0))
        send(node, treasury.sign(node, draft(node, [coin], {outside(node): 9_000})))
        node.mine(1)
        sync_node(store, rpc(node))
        assert balances(store.transactions()) == {"ministry": 0}
        fork(node, 1)
        sync_node(store, rpc(node))
        assert ledger_of(database) == (entry,)
        node.mine(1)
        sync_node(store, rpc(node))
        assert balances(store.transactions()) == {"ministry": 0}


class Shifting(NodeRpc):
    """A node whose chain changes after it has answered a method, so many times."""

    def __init__(self, node: RealNode, method: str, shift: Callable[[], None], times: int) -> None:
        super().__init__(node.url, node.cookie)
        self.method, self.shift, self.left = method, shift, times

    def call(self, method: str, *parameters: Any) -> Any:
        answer = super().call(method, *parameters)
        if method == self.method and self.left:
            self.left -= 1
            self.shift()
        return answer


def test_a_chain_that_forks_while_it_is_read(node: RealNode, database: Path) -> None:
    treasury = busy(node, "shifting", 6)
    shifting = Shifting(node, "getblock", lambda: fork(node, 2), 3)
    with WatchStore(database, "regtest") as store:
        store.register("ministry", treasury.source)
        sync_node(store, shifting, batch=4)
        tip = store.tip()
    assert shifting.left == 0
    assert tip is not None
    assert tip.hash == node.rpc("getbestblockhash")
    assert ledger_of(database) == ledger_of(fresh(node, database, treasury))


def test_a_payment_that_moves_to_another_block_of_the_batch_is_not_missed(
    node: RealNode, database: Path
) -> None:
    """The filters were searched on one chain, the blocks are of another: the batch must not count."""
    treasury = busy(node, "moving", 1)
    with WatchStore(database, "regtest") as store:
        store.register("ministry", treasury.source)
        sync_node(store, rpc(node))
    (entry,) = ledger_of(database)
    coin = place_of(node, entry.txid, treasury.address(0))
    node.mine(3)
    paid = send(node, treasury.sign(node, draft(node, [coin], {outside(node): 9_000})))
    node.mine(1)
    first = node.rpc("getblockhash", node.rpc("getblockcount") - 3)

    def shift() -> None:
        node.rpc("invalidateblock", first)
        for txids in ([paid], [], [], [], []):
            node.rpc("generateblock", f"raw(03{next(_NUMBERS):06x}75)", txids)

    with WatchStore(database) as store:
        sync_node(store, Shifting(node, "scanblocks", shift, 1))
        assert balances(store.transactions()) == {"ministry": 0}
    assert ledger_of(database) == ledger_of(fresh(node, database, treasury))


class Lagging(NodeRpc):
    """A node that is behind with its filters; it writes down what it is asked."""

    def __init__(self, node: RealNode, ready: bool) -> None:
        super().__init__(node.url, node.cookie)
        self.ready = ready
        self.asked: list[tuple[Any, ...]] = []

    def call(self, method: str, *parameters: Any) -> Any:
        self.asked.append((method, *parameters))
        if method == "getblockfilter" and not self.ready:
            raise NodeRefusalError(Fault("node", "filters are still being made", "wait"), -1)
        return super().call(method, *parameters)


def test_filters_that_are_not_yet_made_are_waited_for(node: RealNode, database: Path) -> None:
    """A node makes its filters behind the chain, and its search passes over blocks that have none yet."""
    treasury = busy(node, "hurried", 1)
    with WatchStore(database, "regtest") as store:
        store.register("ministry", treasury.source)
        for number in range(1, 6):
            fund(node, {treasury.address(0): 1_000})
            node.mine(1)
            told = Lagging(node, ready=True)
            sync_node(store, told)
            searches = [place for place, each in enumerate(told.asked) if each[0] == "scanblocks"]
            best = node.rpc("getbestblockhash")
            assert searches
            assert all(told.asked[place - 1] == ("getblockfilter", best) for place in searches)
            assert balances(store.transactions()) == {"ministry": 10_000 + 1_000 * number}
        # Where they do not come in time, blocks are read whole.
        fund(node, {treasury.address(0): 1_000})
        node.mine(1)
        assert sync_node(store, Lagging(node, ready=False)).source == "blocks"
        assert balances(store.transactions()) == {"ministry": 16_000}


def test_a_node_that_goes_away_and_comes_back(tmp_path: Path, database: Path, node: RealNode) -> None:
    with RealNode(tmp_path / "other") as other:
        treasury = busy(other, "away", 12)
        steps = []

        def say(step: str, _part: float) -> None:
            steps.append(step)
            if len(steps) == 3:
                other.stop()

        with WatchStore(database, "regtest") as store:
            store.register("ministry", treasury.source)
            with pytest.raises(ReserveError, match=r"does not answer|is there while the node runs"):
                sync_node(store, rpc(other), say, batch=36)
            kept = store.tip()
            assert kept is not None
            assert kept.height == 3 * 36 - 1
            other.start()
            done = sync_node(store, rpc(other), batch=36)
            assert done.rewound is None
            assert done.blocks == other.rpc("getblockcount") - kept.height
        assert ledger_of(database) == ledger_of(fresh(other, database, treasury))
        # A node that has not caught up takes nothing away.
        other.rpc("invalidateblock", other.rpc("getblockhash", 110))
        with WatchStore(database) as store:
            with pytest.raises(ReserveError, match="has not caught up"):
                sync_node(store, rpc(other))
            with pytest.raises(ReserveError, match="has not caught up"):
                sync_peer(store, f"127.0.0.1:{other.p2p_port}", timeout_s=60.0)
        assert len(ledger_of(database)) == 12


def test_a_killed_process_loses_nothing(node: RealNode, database: Path) -> None:
    treasury = busy(node, "killed", 30)
    expected = ledger_of(fresh(node, database, treasury))
    with WatchStore(database, "regtest") as store:
        store.register("ministry", treasury.source)
    heights = [-1]
    for lines in (1, 3, 2, 5):
        process = reader(node, database, batch=9)
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        process.communicate()
        with WatchStore(database) as store:
            tip = store.tip()
            assert tip is not None
            heights.append(tip.height)
            seen = {each.height for each in store.transactions()}
        # What is there is the chain up to a height, whole.
        assert seen == {each.height for each in expected if each.height <= tip.height}
    assert heights == sorted(heights)
    with WatchStore(database) as store:
        sync_node(store, rpc(node))
    assert ledger_of(database) == expected


HALF = """
import os, signal, sys
from pathlib import Path
from penstock.reserve.ledger import Output, Transaction
from penstock.reserve.wallet import Block, WatchStore

def seen():
    yield Transaction("a", 0, 1, 0, False, (), (Output(1, bytes(1), None),))
    os.kill(os.getpid(), signal.SIGKILL)

with WatchStore(Path(sys.argv[1])) as store:
    store.append(None, [Block(0, "hash")], seen())
"""


def test_a_process_killed_in_the_middle_of_a_batch_leaves_nothing_of_it(database: Path) -> None:
    WatchStore(database, "regtest").close()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", HALF, str(database)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    with WatchStore(database) as store:
        assert store.tip() is None
        assert store.transactions() == ()


def test_two_processes_do_not_count_twice(node: RealNode, database: Path) -> None:
    treasury = busy(node, "two", 12)
    expected = ledger_of(fresh(node, database, treasury))
    with WatchStore(database, "regtest", wait_s=0.2) as store:
        store.register("ministry", treasury.source)
        holder = reader(node, database, batch=9, hold=True)
        try:
            assert holder.stdout is not None
            holder.stdout.readline()  # it has the lock, and waits
            with pytest.raises(ReserveError, match="brought up to date by another process"):
                sync_node(store, rpc(node))
            with pytest.raises(ReserveError, match="brought up to date by another process"):
                store.register("late", Treasury("late").source)
            assert ledger_of(database) == ()  # it may be read meanwhile
        finally:
            holder.kill()
            holder.communicate()
    racers = [reader(node, database, batch=3) for _ in range(3)]
    for racer in racers:
        racer.communicate(timeout=60.0)
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert ledger_of(database) == expected


def test_a_batch_on_a_block_that_is_no_longer_the_last_is_refused(node: RealNode, database: Path) -> None:
    with WatchStore(database, "regtest") as store:
        store.append(None, [Block(0, "a")], [])
        with pytest.raises(ReserveError, match="changed by another process"):
            store.append(None, [Block(0, "a")], [])
        store.pin("one")
        with pytest.raises(ReserveError, match="another first block"):
            store.pin("two")
        assert store.tip() == Block(0, "a")


def test_a_node_without_filters_is_read_block_by_block(tmp_path: Path, database: Path) -> None:
    with RealNode(tmp_path / "plain", "-peerblockfilters=0", "-blockfilterindex=0") as plain:
        treasury = busy(plain, "plain", 3)
        with WatchStore(database, "regtest") as store:
            store.register("ministry", treasury.source)
            done = sync_node(store, rpc(plain))
            assert done.source == "blocks"
            assert balances(store.transactions()) == {"ministry": 30_003}
            with pytest.raises(ReserveError, match=r"(?:serves|gave) no block filters"):
                sync_peer(store, f"127.0.0.1:{plain.p2p_port}", timeout_s=20.0)
            with pytest.raises(ReserveError, match="does not answer"):
                sync_peer(store, f"127.0.0.1:{free_port()}", timeout_s=20.0)
            assert balances(store.transactions()) == {"ministry": 30_003}
