"""The reserve from end to end on a real chain, by the commands alone: fund, move, pay, mine, sign, verify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import main
from penstock.reserve.descriptors import address_of, read_descriptor, scripts
from penstock.reserve.holdings import change_script, signable
from penstock.reserve.node_rpc import NodeRpc
from penstock.reserve.payout import Payee, plan_payouts
from penstock.reserve.psbt import Psbt, combine, finish, read_psbt
from penstock.reserve.signing import signing_fields
from penstock.reserve.verify import verify_statement
from penstock.reserve.wallet import WatchStore
from tests.real_node import RealNode, why_not

from .chain import OUTSIDE, outside
from .cosigners import Cosigner, multisig

pytestmark = [
    pytest.mark.xdist_group("reserve-node"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
Capture = pytest.CaptureFixture[str]
BTC = 100_000_000


class Reserve:
    """A ministry with a 2-of-3 treasury, a vault of one key and a mine; and the world outside."""

    def __init__(self, node: RealNode, folder: Path) -> None:
        self.node, self.folder = node, folder
        self.database = folder / "reserve.db"
        self.treasurers = [Cosigner(f"treasurer {number}") for number in range(3)]
        self.keeper, self.miner = Cosigner("keeper"), Cosigner("miner")
        self.descriptors = {
            "treasury": multisig(2, self.treasurers),
            "vault": f"wpkh({self.keeper.public}/<0;1>/*)",
            "mine": f"wpkh({self.miner.public}/<0;1>/*)",
        }
        self.payees = [
            Payee(f"b{number}", node.rpc("getnewaddress", wallet=OUTSIDE), 50_000 + number)
            for number in range(100)
        ]
        self.fees = 0

    def run(self, *words: object) -> int:
        return main(["reserve", *(str(word) for word in words)])

    @property
    def at(self) -> list[object]:
        return ["--node", self.node.url, "--cookie", self.node.cookie]

    def watch(self) -> None:
        for name, descriptor in self.descriptors.items():
            words = ["watch", "--database", self.database, "--descriptor", descriptor, "--name", name]
            assert self.run(*words, "--network", "regtest", *self.at) == 0

    def sync(self) -> None:
        assert self.run("watch", "--database", self.database, *self.at) == 0

    def address(self, wallet: str, place: int) -> str:
        source = read_descriptor(self.descriptors[wallet], "regtest", "test")
        return address_of(scripts(source, place, place + 1)[0][0], "regtest")

    def receive(self, wallet: str, place: int, satoshi: int) -> None:
        self.node.rpc("sendtoaddress", self.address(wallet, place), f"{satoshi / BTC:.8f}", wallet=OUTSIDE)

    def sign(self, psbt: Psbt) -> list[Psbt]:
        signed = [one.sign(psbt, self.descriptors["treasury"]) for one in self.treasurers[1:]]
        signed.append(self.keeper.sign(psbt, self.descriptors["vault"]))
        signed.append(self.miner.sign(psbt, self.descriptors["mine"]))
        return signed

    def pay(self, wallet: str, payees: list[Payee], rate: float) -> None:
        """Pays out of a wallet and mines it."""
        with WatchStore(self.database) as store:
            [watched] = [one for one in store.wallets() if one.name == wallet]
            coins = signable(store, store.transactions(), [wallet])
            script, path, place = change_script(store, watched)
        fields = signing_fields(watched.source, {script: (path, place)})[script]
        [batch] = plan_payouts(payees, coins, source=watched.source, change=(script, fields), fee_rate=rate)
        whole = finish(combine(self.sign(batch.psbt)))
        raw = self.node.rpc("finalizepsbt", whole.base64())["hex"]
        self.node.rpc("sendrawtransaction", raw)
        self.node.mine(1)
        self.fees += batch.fee_satoshi


@pytest.fixture(scope="module")
def reserve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reserve]:
    with RealNode(tmp_path_factory.mktemp("reserve-node")) as node:
        outside(node)
        found = Reserve(node, tmp_path_factory.mktemp("reserve"))
        found.watch()
        # From outside: 3 and 2 bitcoin to the treasury, half a one to the vault.
        found.receive("treasury", 0, 3 * BTC)
        found.receive("treasury", 1, 2 * BTC)
        found.receive("vault", 0, BTC // 2)
        node.mine(1)
        # Mined: a block's reward and, so that it may be spent, a hundred blocks on top.
        node.mine(1, found.address("mine", 0))
        node.mine(100)
        found.sync()
        # Between own wallets: 1 bitcoin from the treasury to the vault.
        found.pay("treasury", [Payee("vault", found.address("vault", 1), BTC)], 3.0)
        found.sync()
        # To a hundred payees outside.
        found.pay("treasury", found.payees, 7.0)
        found.sync()
        yield found


@pytest.fixture(scope="module")
def stated(reserve: Reserve, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The statement of today, not signed."""
    out = tmp_path_factory.mktemp("stated")
    words = [
        "statement",
        "--database",
        reserve.database,
        *reserve.at,
        "--from",
        "2020-01-01",
        "--to",
        "2100-01-01",
    ]
    extra = ["--name", "Reserve of the test", "--price", 100_000, "--price-source", "made up", "--out", out]
    assert reserve.run(*words, *extra) == 0
    return out / "statement.json"


@pytest.fixture(scope="module")
def signed(reserve: Reserve, stated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its proof."""
    out = tmp_path_factory.mktemp("signed")
    assert (
        reserve.run("prove", "--database", reserve.database, *reserve.at, "--statement", stated, "--out", out)
        == 0
    )
    psbt = read_psbt((out / "reserve-proof.psbt").read_bytes().strip(), "psbt")
    files: list[object] = []
    for number, one in enumerate(reserve.sign(psbt)):
        path = out / f"signed-{number}.psbt"
        path.write_text(one.base64(), "utf-8")
        files += ["--signed", path]
    assert reserve.run("prove", "--unsigned", out / "reserve-proof.psbt", *files, "--out", out) == 0
    words = [
        "statement",
        "--statement",
        stated,
        "--proof",
        out / "reserve-proof.json",
        "--out",
        out / "whole",
    ]
    assert reserve.run(*words) == 0
    return out / "whole" / "statement.json"


def test_the_ledger_classes_every_movement(reserve: Reserve, capsys: Capture) -> None:
    assert reserve.run("ledger", "--database", reserve.database, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    kinds: dict[str, list[int]] = {}
    for entry in document["entries"]:
        kinds.setdefault(entry["kind"], []).append(entry["satoshi"])
    assert sorted(kinds["external inflow"]) == [BTC // 2, 2 * BTC, 3 * BTC]
    assert sorted(kinds["internal transfer"]) == [-BTC, BTC]
    assert sorted(kinds["external outflow"]) == sorted(-payee.satoshi for payee in reserve.payees)
    assert sum(kinds["fee"]) == -reserve.fees
    [reward] = kinds["mining income"]
    assert reward >= 25 * BTC


def test_the_statement_adds_up_and_purchases_exclude_the_transfers(reserve: Reserve, stated: Path) -> None:
    document = json.loads(stated.read_text("utf-8"))
    sums = document["sums"]
    paid = sum(payee.satoshi for payee in reserve.payees)
    assert sums["opening_satoshi"] == sums["internal_satoshi"] == 0
    assert sums["net_purchases_satoshi"] == 5 * BTC + BTC // 2 - paid
    assert sums["accumulation_satoshi"] == sums["net_purchases_satoshi"] + sums["mining_satoshi"]
    expected = 5 * BTC + BTC // 2 + sums["mining_satoshi"] - paid - reserve.fees
    assert sums["closing_satoshi"] == sum(document["wallets"].values()) == expected
    assert document["valuation"]["value_usd"] == pytest.approx(expected / BTC * 100_000, abs=0.01)


def test_a_stranger_checks_all_of_it_in_one_command(reserve: Reserve, signed: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert reserve.run("verify", signed, *reserve.at, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    sums = json.loads(signed.read_text("utf-8"))["sums"]
    assert document["holds"] is True
    assert document["satoshi"] == sums["closing_satoshi"]
    assert document["sums"]["net_purchases_satoshi"] == sums["net_purchases_satoshi"]
    assert reserve.run("verify", signed, *reserve.at) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"{sums['closing_satoshi']:,} of {sums['closing_satoshi']:,} satoshi are controlled" in told
    assert f"{sums['net_purchases_satoshi']:,} satoshi net from outside" in told


def as_a_transfer(document: dict[str, Any]) -> None:
    """What came from outside is called a transfer, and the sums are made to fit."""
    row = next(row for row in document["rows"] if row["kind"] == "external inflow")
    row["kind"] = "internal transfer"
    sums = document["sums"]
    for name in ("inflow_satoshi", "net_purchases_satoshi", "accumulation_satoshi"):
        sums[name] -= row["satoshi"]
    sums["internal_satoshi"] += row["satoshi"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["sums"].update(inflow_satoshi=d["sums"]["inflow_satoshi"] - 1), "the rows make"),
        (lambda d: d["rows"][0].update(satoshi=1), "the rows make"),
        (lambda d: d["rows"].pop(), "the rows make"),
        (lambda d: d["rows"][0].update(kind="internal transfer"), "the rows make"),
        (lambda d: d.update(reserve="Somebody else"), "is not signed: the proof is for something else"),
        (lambda d: d["period"].update(to="2030-01-01"), "is not signed"),
        (lambda d: d["proof"]["message"].update(satoshi=1), "the closing balance is"),
        (lambda d: d["valuation"].update(value_usd=1.0), "is not the closing balance at the price"),
        (lambda d: d["valuation"].update(price_usd_per_btc="1"), "null, or a price"),
        (lambda d: d["rows"][0].update(wallet=None), "must be a list of objects"),
        (lambda d: d["period"].update(to="tomorrow"), "days such as"),
        (lambda d: d["block"].update(height="7"), "a height and a hash"),
        (as_a_transfer, "what one wallet lost another must have gained"),
        (lambda d: d.pop("rows"), "is no statement of the form"),
        (lambda d: d.update(extra=1), "is no statement of the form"),
        (lambda d: d.update(proof=None), "is not signed: it holds no proof"),
    ],
)
def test_a_changed_statement_is_refused(
    reserve: Reserve, signed: Path, tmp_path: Path, capsys: Capture, change: Any, said: str
) -> None:
    document = json.loads(signed.read_text("utf-8"))
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    assert reserve.run("verify", path, *reserve.at) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_row_that_the_chain_contradicts_is_named(reserve: Reserve, signed: Path) -> None:
    """Signed or not: what was mined is called bought, and a fee is made smaller."""
    document = json.loads(signed.read_text("utf-8"))
    mined = next(row for row in document["rows"] if row["rule"] == "coinbase")
    mined["rule"] = "received"
    fee = next(row for row in document["rows"] if row["rule"] == "own-fee")
    fee["satoshi"] += 7
    inflow = next(row for row in document["rows"] if row["rule"] == "received" and row is not mined)
    inflow["satoshi"] -= 7
    gone = next(row for row in document["rows"] if row["kind"] == "external outflow")
    gone["block_hash"] = reserve.node.rpc("getblockhash", 1)
    node = NodeRpc(reserve.node.url, reserve.node.cookie)
    found = verify_statement(document, node, place="changed")
    places = {one.place for one in found.failures if one.reason.startswith("movement")}
    assert {mined["txid"], fee["txid"], f"{inflow['txid']}:{inflow['vout']}", gone["txid"]} <= places


def test_a_key_that_stands_twice_is_refused(
    reserve: Reserve, signed: Path, tmp_path: Path, capsys: Capture
) -> None:
    text = signed.read_text("utf-8")
    path = tmp_path / "twice.json"
    path.write_text(text.rstrip().rstrip("}") + ', "rows": []}', "utf-8")
    assert reserve.run("verify", path, *reserve.at) == 2
    assert "holds a key twice" in " ".join(capsys.readouterr().err.split())


def test_coins_spent_after_the_statement_are_named(reserve: Reserve, signed: Path, capsys: Capture) -> None:
    """Last in the module: it spends a coin of the closing balance, and the chain goes on."""
    reserve.pay("vault", [Payee("x", reserve.node.rpc("getnewaddress", wallet=OUTSIDE), 10_000)], 2.0)
    capsys.readouterr()
    assert reserve.run("verify", signed, *reserve.at, "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert {failure["reason"] for failure in document["failures"]} == {"spent or never there"}
    assert document["satoshi"] < document["claimed_satoshi"]


def test_the_register_must_be_as_far_as_the_node(reserve: Reserve, tmp_path: Path, capsys: Capture) -> None:
    reserve.node.mine(1)
    words = ["prove", "--database", reserve.database, *reserve.at, "--purpose", "x", "--out", tmp_path / "no"]
    assert reserve.run(*words) == 2
    assert "run penstock reserve watch first" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_options_of_two_steps_do_not_mix(tmp_path: Path, capsys: Capture) -> None:
    assert main(["reserve", "prove", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert {fault["place"] for fault in error["faults"]} == {"--database", "--node", "--cookie", "--purpose"}
    assert main(["reserve", "prove", "--unsigned", "a", "--purpose", "x"]) == 2
    assert main(["reserve", "statement", "--proof", "a"]) == 2
    assert main(["reserve", "statement"]) == 2
    assert (
        main(["reserve", "verify", str(tmp_path / "none"), "--node", "http://127.0.0.1:1", "--cookie", "c"])
        == 2
    )
