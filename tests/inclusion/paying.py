"""A node with a wallet that pays, its register and people to be paid: for the tests of payment runs."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.cli import main
from tests.real_node import RealNode

HOT, PEOPLE = "hot", "people"
BTC = 100_000_000
KILL_AT = Path(__file__).with_name("kill_at.py")


@dataclass(frozen=True)
class Payer:
    """A folder with the register, the key and the journal of a payer whose node signs."""

    node: RealNode
    folder: Path
    journal: str

    @property
    def book(self) -> list[str]:
        return ["--journal", self.journal, "--key", str(self.folder / "key")]

    @property
    def chain(self) -> list[str]:
        found = [
            "--database",
            self.folder / "reserve.db",
            "--node",
            self.node.url,
            "--cookie",
            self.node.cookie,
        ]
        return [*map(str, found), "--node-wallet", HOT]

    def words(self, command: str, *extra: object) -> list[str]:
        return ["payout", command, *self.book, *self.chain, *map(str, extra)]

    def run(self, file: Path, name: str, *extra: object) -> list[str]:
        options = ["--run", name, "--network", "regtest", "--wallet", HOT, "--confirmations", 1]
        return self.words("run", file, *options, *extra)

    def process(self, words: list[str], at: int = 0, points: Path | None = None) -> subprocess.Popen[bytes]:
        """The same command in a process of its own, killed at a point where `at` is above 0."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        if points is not None:
            environment["PENSTOCK_TEST_POINTS"] = str(points)
        return subprocess.Popen(
            [sys.executable, str(KILL_AT), str(at), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )


def payer(node: RealNode, folder: Path, journal: str | None = None, coins: int = 12) -> Payer:
    """Makes the wallets, funds the one that pays with so many coins, and registers it."""
    for name in (HOT, PEOPLE):
        if name not in node.rpc("listwallets"):
            node.rpc("createwallet", name)
    folder.mkdir(parents=True, exist_ok=True)
    node.mine(coins, node.rpc("getnewaddress", "", "bech32", wallet=HOT))
    node.mine(100)
    told = node.rpc("listdescriptors", wallet=HOT)["descriptors"]
    [descriptor] = [one["desc"] for one in told if one["desc"].startswith("wpkh") and not one["internal"]]
    public = descriptor.partition("#")[0].replace("/0/*", "/<0;1>/*")
    words = ["reserve", "watch", "--database", folder / "reserve.db", "--descriptor", public, "--name", HOT]
    at = ["--network", "regtest", "--node", node.url, "--cookie", node.cookie]
    assert main([str(word) for word in (*words, *at)]) == 0
    assert main(["payout", "key", str(folder / "key")]) == 0
    return Payer(node, folder, journal or str(folder / "journal.sqlite"))


def beneficiaries(node: RealNode, count: int, satoshi: int = 20_000) -> list[dict[str, Any]]:
    """Rows of a file, each to an address of its own and of another amount."""
    made = [node.rpc("getnewaddress", wallet=PEOPLE) for _ in range(count)]
    return [
        {"id": f"b{place}", "rail": "onchain", "amount": satoshi + place, "destination": address}
        for place, address in enumerate(made)
    ]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def received(node: RealNode, rows: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Every amount that came to each address of the rows, in satoshi, from what the node's wallet saw."""
    found: dict[str, list[int]] = {row["destination"]: [] for row in rows}
    for one in node.rpc("listtransactions", "*", 1_000_000, wallet=PEOPLE):
        if one["category"] == "receive" and one["address"] in found:
            found[one["address"]].append(round(one["amount"] * BTC))
    return found


def unsigned(words: list[str]) -> list[str]:
    """The same command without the node's wallet: cosigners sign."""
    place = words.index("--node-wallet")
    return [*words[:place], *words[place + 2 :]]
