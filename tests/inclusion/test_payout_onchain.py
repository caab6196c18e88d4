"""Payment runs on a real chain: a thousand payees, pulled out of the wall again and again, paid once each."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cli import main
from tests import real_postgres
from tests.real_node import RealNode, why_not

from .paying import Payer, beneficiaries, payer, received, unsigned, write

pytestmark = [
    pytest.mark.xdist_group("payout-node"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    with RealNode(tmp_path_factory.mktemp("payout-node")) as found:
        yield found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def paying(
    request: pytest.FixtureRequest, node: RealNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Payer]:
    folder = tmp_path_factory.mktemp("payer")
    if request.param == "sqlite":
        yield payer(node, folder, coins=60)
        return
    if missing := real_postgres.why_not():
        pytest.skip(missing)
    with real_postgres.RealPostgres(folder / "postgres") as database:
        yield payer(node, folder, database.url, coins=60)


def test_ten_are_paid_and_the_books_close(
    paying: Payer, node: RealNode, tmp_path: Path, capsys: Capture
) -> None:
    rows = beneficiaries(node, 10)
    file = write(tmp_path / "ten.csv", rows)
    words = paying.run(file, "ten", "--budget", "300000SAT", "--batch", 4)
    assert main([*words, "--dry-run", "--json"]) == 0
    dry = json.loads(capsys.readouterr().out)
    assert [one["payees"] for one in dry["batches_satoshi"]] == [4, 4, 2]
    assert main(words) == 0
    assert received(node, rows) == {row["destination"]: [row["amount"]] for row in rows}
    resume = paying.words("resume", "--run", "ten", "--json")
    node.mine(1)
    capsys.readouterr()
    assert main(resume) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settled"]
    assert told["problems"] == []
    [row] = told["totals"]
    assert row["paid"] == {"payments": 10, "amount": sum(one["amount"] for one in rows)}
    assert main(words) == 0  # the same again: nobody is paid twice
    node.mine(1)
    assert received(node, rows) == {row["destination"]: [row["amount"]] for row in rows}
    asked = ["payout", "reconcile", *paying.book, "--run", "ten", "--database", paying.folder / "reserve.db"]
    assert main([str(word) for word in asked]) == 0
    _receipts(paying, rows, tmp_path, capsys)


def _receipts(paying: Payer, rows: list[dict[str, object]], tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "receipts"
    assert main(["payout", "receipts", "--run", "ten", *paying.book, "--out", str(out)]) == 0
    hashes = (out / "hashes.txt").read_text().split()
    mine = out / "b3.json"
    assert json.loads(mine.read_text())["hash"] in hashes
    check = ["payout", "receipts", "--check", str(mine), "--destination"]
    assert main([*check, str(rows[3]["destination"])]) == 0
    assert "20003 SAT to b3" in capsys.readouterr().out
    assert main([*check, str(rows[4]["destination"])]) == 2
    mine.write_text(mine.read_text().replace("20003", "20004"))
    assert main([*check, str(rows[3]["destination"])]) == 2
    address = str(rows[3]["destination"])
    files = [path for path in paying.folder.rglob("*") if path.is_file() and path.name != "reserve.db"]
    assert address.encode() not in b"".join(path.read_bytes() for path in files)
    assert main(["payout", "purge", "--run", "ten", *paying.book]) == 0
    assert main(["payout", "receipts", "--run", "ten", *paying.book, "--out", str(out)]) == 0
    assert main([*check, address]) == 0  # after the purge as well


def test_cosigners_sign_files(paying: Payer, node: RealNode, tmp_path: Path, capsys: Capture) -> None:
    rows = beneficiaries(node, 3)
    file = write(tmp_path / "three.csv", rows)
    words = paying.run(file, "signed", "--budget", "100000SAT", "--out", tmp_path)
    assert main([*unsigned(words), "--json"]) == 0
    [psbt] = tmp_path.glob("*.psbt")
    assert json.loads(capsys.readouterr().out)["batches"][0]["state"] == "planned"
    signed = node.rpc("walletprocesspsbt", psbt.read_text().strip(), wallet="hot")["psbt"]
    back = tmp_path / "back"
    back.write_text(signed)
    resume = paying.words("resume", "--run", "signed", "--signed", back)
    assert main(unsigned(resume)) == 0
    node.mine(1)
    assert received(node, rows) == {row["destination"]: [row["amount"]] for row in rows}


def test_another_file_under_the_same_name_is_refused(
    paying: Payer, node: RealNode, tmp_path: Path, capsys: Capture
) -> None:
    rows = beneficiaries(node, 2)
    assert main(paying.run(write(tmp_path / "a.csv", rows), "named", "--budget", "100000SAT")) == 0
    rows[1]["amount"] = 30_000
    assert main(paying.run(write(tmp_path / "b.csv", rows), "named", "--budget", "100000SAT")) == 2
    assert "another file" in capsys.readouterr().err
    node.mine(1)
    assert list(received(node, rows).values()) == [[20_000], [20_001]]


def test_of_two_operators_one_wins(paying: Payer, node: RealNode, tmp_path: Path) -> None:
    rows = beneficiaries(node, 300)
    file = write(tmp_path / "both.csv", rows)
    words = paying.run(file, "both", "--budget", "9000000SAT", "--batch", 100)
    both = [paying.process(words) for _ in range(2)]
    told = [one.communicate(timeout=120) for one in both]
    codes = sorted(one.returncode for one in both)
    assert codes[0] == 0, told
    if codes[1]:  # the other came while the first was at it
        assert any(b"is being worked on by another process" in error for _, error in told)
    node.mine(1)
    assert received(node, rows) == {row["destination"]: [row["amount"]] for row in rows}


def kills(paying: Payer, file: Path, name: str, rows: list[dict[str, object]], times: int, batch: int) -> int:
    """Starts the run, kills it at a random point, and goes on so; then lets it end. How often it was hit."""
    chance = random.Random(name)
    amount = sum(int(str(row["amount"])) for row in rows)
    words = paying.run(file, name, "--budget", f"{amount}SAT", "--batch", batch)
    points, hit = file.with_suffix(".points"), 0
    for _ in range(times):
        process = paying.process(words, at=chance.randint(1, 90))
        process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL)
        hit += process.returncode == -signal.SIGKILL
    whole = paying.process(words, points=points)
    whole.communicate(timeout=120)
    assert whole.returncode == 0
    assert int(points.read_text()) > 10
    paying.node.mine(1)
    assert main(paying.words("resume", "--run", name)) == 0
    return hit


def test_killed_at_random_points_everybody_is_paid_once(
    paying: Payer, node: RealNode, tmp_path: Path
) -> None:
    rows = beneficiaries(node, 120)
    hit = kills(paying, write(tmp_path / "few.csv", rows), "killed-120", rows, times=8, batch=6)
    assert hit >= 4
    assert received(node, rows) == {row["destination"]: [row["amount"]] for row in rows}


@pytest.mark.long
def test_a_thousand_payees_and_fifty_kills(paying: Payer, node: RealNode, tmp_path: Path) -> None:
    """A thousand payees in fifty batches; each restart gets a little further, or dies before it does."""
    rows = beneficiaries(node, 1_000)
    hit = kills(paying, write(tmp_path / "many.csv", rows), "killed-1000", rows, times=50, batch=20)
    assert hit >= 40
    assert received(node, rows) == {row["destination"]: [row["amount"]] for row in rows}
