"""The register of watched wallets and what was seen of them: one SQLite file, public parts alone.

All of it can be made again from the chain. Blocks and the transactions in them are written together or not
at all, and only on top of the block that the writer started from: what is cut off is done again from there,
and nothing is counted twice. One process writes at a time.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from penstock.errors import Fault, ReserveError
from penstock.reserve.descriptors import NETWORKS, Network, Source, scripts
from penstock.reserve.ledger import Input, Mining, Output, Transaction
from penstock.reserve.secrets import refuse_secrets

__all__ = ["GAP", "Block", "WatchStore", "Watched"]

GAP = 200  # scripts watched past the last one used, on each path of a descriptor
LONGEST_NAME = 60
_APPLICATION = 0x50454E53  # marks the file as ours
_SCHEMA = 1
_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE wallets (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, text TEXT NOT NULL UNIQUE,
  ranged INTEGER NOT NULL, first_block INTEGER NOT NULL, mining INTEGER NOT NULL) STRICT;
CREATE TABLE scripts (
  script BLOB PRIMARY KEY, wallet INTEGER NOT NULL REFERENCES wallets, path INTEGER NOT NULL,
  place INTEGER NOT NULL) STRICT;
CREATE TABLE blocks (height INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;
CREATE TABLE transactions (
  txid TEXT PRIMARY KEY, height INTEGER NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
  coinbase INTEGER NOT NULL) STRICT;
CREATE INDEX by_height ON transactions (height, position);
CREATE TABLE inputs (
  txid TEXT NOT NULL REFERENCES transactions ON DELETE CASCADE, place INTEGER NOT NULL,
  from_txid TEXT NOT NULL, from_vout INTEGER NOT NULL, satoshi INTEGER, script BLOB,
  PRIMARY KEY (txid, place)) STRICT;
CREATE TABLE outputs (
  txid TEXT NOT NULL REFERENCES transactions ON DELETE CASCADE, vout INTEGER NOT NULL,
  satoshi INTEGER NOT NULL, script BLOB NOT NULL, PRIMARY KEY (txid, vout)) STRICT;
CREATE TABLE labels (what TEXT PRIMARY KEY, label TEXT NOT NULL) STRICT;
CREATE TABLE payers (script BLOB PRIMARY KEY) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the best chain: its height and its hash, hexadecimal as it is shown."""

    height: int
    hash: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A wallet of the register.

    first_block: height below which none of its coins moved. mining: whether a pool alone pays to it.
    """

    id: int
    name: str
    source: Source
    first_block: int
    mining: bool


class WatchStore:
    """The database. Use it in a `with`; it may be read while another process writes.

    path: file, made where it is missing, unless network is None.
    network: chain of all its wallets; None takes that of an existing file.

    Raises ReserveError where the file is none of Penstock's, of another network, or cannot be used.
    """

    def __init__(self, path: Path, network: Network | None = None, wait_s: float = 5.0) -> None:
        self.path, self._wait_s = path, wait_s
        if network is None and not path.is_file():
            raise self._refused(
                "does not exist", "register a wallet first: penstock reserve watch --descriptor"
            )
        try:
            self._data = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        except sqlite3.Error:
            raise self._refused(
                "cannot be opened or made", "name a file in a folder that can be written"
            ) from None
        try:
            self.network: Network = self._open(network)
        except sqlite3.Error as error:
            self._data.close()
            raise self._refused(f"cannot be used: {error}", "name another file") from None
        except BaseException:
            self._data.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._data.close()

    def _refused(self, problem: str, mend: str) -> ReserveError:
        return ReserveError(Fault(place=str(self.path), problem=problem, mend=mend))

    def _open(self, network: Network | None) -> Network:
        application = self._data.execute("PRAGMA application_id").fetchone()[0]
        count = self._data.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != _APPLICATION and count:
            raise self._refused("is a database of something else", "name another file")
        self._data.execute("PRAGMA journal_mode = WAL")
        self._data.execute("PRAGMA synchronous = FULL")
        self._data.execute("PRAGMA foreign_keys = ON")
        if not self._version():
            if network is None:
                raise self._refused("is empty", "name the network, and register a wallet")
            self._make(network)
        if self._version() != _SCHEMA:
            raise self._refused("was made by a later Penstock", "use that one, or name another file")
        found = self._data.execute("SELECT value FROM facts WHERE name = 'network'").fetchone()[0]
        if found not in NETWORKS or network not in (None, found):
            raise self._refused(
                f"is of network {found!r}, not {network!r}", "name that network, or another file"
            )
        return next(each for each in NETWORKS if each == found)

    def _version(self) -> int:
        return int(self._data.execute("PRAGMA user_version").fetchone()[0])

    def _make(self, network: Network) -> None:
        with self._writing():
            if self._version():  # another process was quicker
                return
            for statement in filter(str.strip, _TABLES.split(";")):
                self._data.execute(statement)
            self._data.execute("INSERT INTO facts VALUES ('network', ?)", (network,))
            self._data.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._data.execute(f"PRAGMA user_version = {_SCHEMA}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All that is written inside, or nothing. Raises ReserveError where the file cannot be written."""
        try:
            self._data.execute("BEGIN IMMEDIATE")
            yield
            self._data.execute("COMMIT")
        except BaseException as error:
            if self._data.in_transaction:
                self._data.execute("ROLLBACK")
            if not isinstance(error, sqlite3.OperationalError):
                raise
            busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            told = "is being written by another process" if busy else f"cannot be written: {error}"
            mend = "wait until that one has ended" if busy else "see to the disk and to who may write"
            raise self._refused(told, mend) from None

    @contextmanager
    def lock(self, wait_s: float | None = None) -> Iterator[None]:
        """One writer for longer than a transaction. The system frees it however the process ends.

        wait_s: how long to wait for the other one, s; None waits as long as the store was told to.

        Raises ReserveError where it is still at work after that.
        """
        guard: sqlite3.Connection | None = None
        wait = self._wait_s if wait_s is None else wait_s
        try:
            try:
                guard = sqlite3.connect(f"{self.path}.lock", timeout=wait, isolation_level=None)
                guard.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise self._refused(f"cannot be locked: {error}", "see to its folder") from None
                problem = "is being brought up to date by another process"
                raise self._refused(problem, "wait until that one has ended, and ask again") from None
            yield
        finally:
            if guard is not None:
                guard.close()

    # --- the register ---------------------------------------------------------------------------------

    def register(
        self, name: str | None, source: Source, first_block: int = 0, mining: bool = False
    ) -> Watched:
        """Adds a wallet; the same one again changes nothing.

        name: "wallet 1" and so on where None.

        What was seen from its first block on is forgotten, and read again when next brought up to date.

        Raises ReserveError where the name or the source is taken, or shares a script with another wallet.
        """
        name = self._name(source) if name is None else name
        refuse_secrets(name, "name of a wallet")
        if not re.fullmatch(r"[^\W_][\w .:()+-]*", name) or len(name) > LONGEST_NAME:
            problem = f"a name has 1 to {LONGEST_NAME} letters, figures, spaces and . : ( ) + - _"
            raise ReserveError(Fault("name of a wallet", problem, "choose another name"))
        if source.network != self.network:
            problem = f"holds wallets of {self.network!r}, not of {source.network!r}"
            raise self._refused(problem, "name another file")
        if first_block < 0:
            raise ReserveError(Fault("first block", f"{first_block} is below 0", "give 0 or a later height"))
        with self.lock():
            for each in self.wallets():
                if (each.name, each.source) == (name, source):
                    return each
                if each.name == name or each.source == source:
                    taken = "name" if each.name == name else "source"
                    problem = f"the {taken} is taken by the wallet {each.name!r}"
                    raise ReserveError(Fault("wallet", problem, f"give another {taken}"))
            derived = scripts(source, 0, GAP)
            self._refuse_shared(name, [script for row in derived for script in row])
            with self._writing():
                made = self._data.execute(
                    "INSERT INTO wallets (name, kind, text, ranged, first_block, mining)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (name, source.kind, source.text, source.ranged, first_block, mining),
                ).lastrowid
                self._add_scripts(int(made or 0), 0, derived)
                self._forget(first_block - 1)
        return Watched(int(made or 0), name, source, first_block, mining)

    def _name(self, source: Source) -> str:
        taken = {each.name: each.source for each in self.wallets()}
        free = next(name for number in range(1, len(taken) + 2) if (name := f"wallet {number}") not in taken)
        return next((name for name, each in taken.items() if each == source), free)

    def _refuse_shared(self, name: str, derived: Sequence[bytes]) -> None:
        owners = {
            row[0]
            for script in derived
            for row in self._data.execute(
                "SELECT name FROM scripts JOIN wallets ON wallets.id = scripts.wallet WHERE script = ?",
                (script,),
            )
        }
        if owners:
            problem = (
                f"{name!r} shares addresses with {', '.join(sorted(owners))}; coins would have two owners"
            )
            raise ReserveError(Fault("wallet", problem, "register each address once"))

    def _add_scripts(self, wallet: int, start: int, derived: Sequence[Sequence[bytes]]) -> int:
        added = 0
        for path, row in enumerate(derived):
            for place, script in enumerate(row, start):
                added += self._data.execute(
                    "INSERT OR IGNORE INTO scripts VALUES (?, ?, ?, ?)", (script, wallet, path, place)
                ).rowcount
        return added

    def wallets(self) -> tuple[Watched, ...]:
        """All wallets in the order in which they were registered."""
        rows = self._data.execute("SELECT * FROM wallets ORDER BY id")
        return tuple(
            Watched(
                row[0], row[1], Source(row[2], row[3], self.network, bool(row[4])), int(row[5]), bool(row[6])
            )
            for row in rows
        )

    def scripts(self) -> dict[bytes, str]:
        """Output scripts that are watched, with the name of their wallet."""
        return dict(
            self._data.execute("SELECT script, name FROM scripts JOIN wallets ON wallets.id = scripts.wallet")
        )

    def reach(self, used: Iterable[bytes]) -> bool:
        """Makes sure that GAP scripts past each used one are watched; whether any had to be added."""
        last: dict[int, int] = {}
        for script in used:
            row = self._data.execute(
                "SELECT wallet, place FROM scripts WHERE script = ?", (script,)
            ).fetchone()
            if row is not None:
                last[row[0]] = max(last.get(row[0], 0), row[1])
        added = 0
        for watched in self.wallets():
            if not watched.source.ranged or watched.id not in last:
                continue
            stop = last[watched.id] + 1 + GAP
            highest = "SELECT max(place) FROM scripts WHERE wallet = ?"
            top = self._data.execute(highest, (watched.id,)).fetchone()[0]
            if top + 1 < stop:
                derived = scripts(watched.source, top + 1, stop)
                with self._writing():
                    added += self._add_scripts(watched.id, top + 1, derived)
        return added > 0

    def label(self, what: str, label: str) -> None:
        """Names a counterparty by transaction id or by output script in hexadecimal. Raises ReserveError."""
        refuse_secrets(label, "label")
        if not re.fullmatch(r"(?:[0-9a-f]{2}){1,5000}", what) or not label.strip() or label == "unknown":
            problem = (
                "names a transaction id or an output script in hexadecimal, and a label that says something"
            )
            raise ReserveError(Fault("label", problem, "give both"))
        with self._writing():
            self._data.execute("INSERT OR REPLACE INTO labels VALUES (?, ?)", (what, label.strip()))

    def labels(self) -> dict[str, str]:
        """All labels, by transaction id or output script."""
        return dict(self._data.execute("SELECT what, label FROM labels"))

    def declare_payer(self, source: Source) -> None:
        """Declares an address or a descriptor that a mining pool pays from."""
        derived = scripts(source, 0, GAP)
        with self._writing():
            self._data.executemany(
                "INSERT OR IGNORE INTO payers VALUES (?)", [(script,) for row in derived for script in row]
            )

    def mining(self) -> Mining:
        """What was declared about mining."""
        payout = self._data.execute(
            "SELECT script FROM scripts JOIN wallets ON wallets.id = scripts.wallet WHERE mining"
        )
        payers = self._data.execute("SELECT script FROM payers")
        return Mining(frozenset(row[0] for row in payout), frozenset(row[0] for row in payers))

    # --- what was seen --------------------------------------------------------------------------------

    def tip(self) -> Block | None:
        """The last block seen; None before the first."""
        return next(self.blocks(), None)

    def blocks(self) -> Iterator[Block]:
        """Blocks seen, the last first. Heights may be missing: those in which nothing of ours moved."""
        rows = self._data.execute("SELECT height, hash FROM blocks ORDER BY height DESC")
        return (Block(*row) for row in rows)

    def pin(self, genesis: str) -> None:
        """Remembers the first block of the chain. Raises ReserveError where it was another one."""
        with self._writing():
            self._data.execute("INSERT OR IGNORE INTO facts VALUES ('genesis', ?)", (genesis,))
        found = self._data.execute("SELECT value FROM facts WHERE name = 'genesis'").fetchone()[0]
        if found != genesis:
            raise self._refused("was filled from a chain with another first block", "name another file")

    def append(self, after: Block | None, blocks: Sequence[Block], seen: Iterable[Transaction]) -> None:
        """Adds blocks, and the transactions in them that touch a watched wallet, on top of block `after`.

        Raises ReserveError where the last block is no longer `after`: another process was quicker.
        """
        with self._writing():
            if self.tip() != after:
                raise self._refused("was changed by another process meanwhile", "ask again")
            self._add(blocks, seen)

    def replace(self, blocks: Sequence[Block], seen: Iterable[Transaction]) -> None:
        """Puts a whole history in the place of the one before."""
        with self._writing():
            self._forget(-1)
            self._add(blocks, seen)

    def rewind(self, height: int) -> None:
        """Forgets all blocks above a height, with what moved in them."""
        with self._writing():
            self._forget(height)

    def _forget(self, height: int) -> None:
        self._data.execute("DELETE FROM blocks WHERE height > ?", (height,))
        # Heights may be missing: what is left must end with a block whose hash is known.
        last = self._data.execute("SELECT coalesce(max(height), -1) FROM blocks").fetchone()[0]
        self._data.execute("DELETE FROM transactions WHERE height > ?", (last,))

    def _add(self, blocks: Sequence[Block], seen: Iterable[Transaction]) -> None:
        self._data.executemany(
            "INSERT INTO blocks VALUES (?, ?)", [(each.height, each.hash) for each in blocks]
        )
        for each in seen:
            self._data.execute(
                "INSERT INTO transactions VALUES (?, ?, ?, ?, ?)",
                (each.txid, each.height, each.position, each.time, each.coinbase),
            )
            self._data.executemany(
                "INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (each.txid, place, coin.txid, coin.vout, coin.satoshi, coin.script)
                    for place, coin in enumerate(each.inputs)
                ],
            )
            self._data.executemany(
                "INSERT INTO outputs VALUES (?, ?, ?, ?)",
                [
                    (each.txid, vout, output.satoshi, output.script)
                    for vout, output in enumerate(each.outputs)
                ],
            )

    def transactions(self) -> tuple[Transaction, ...]:
        """All transactions seen, in the order of the chain, with the wallets that own what."""
        return self.snapshot()[1]

    def snapshot(self) -> tuple[Block | None, tuple[Transaction, ...]]:
        """The last block seen and all transactions up to it: one state, even while another process writes."""
        self._data.execute("BEGIN")
        try:
            tip = self.tip()
            owners: Mapping[bytes, str] = self.scripts()
            rows = self._data.execute("SELECT * FROM transactions ORDER BY height, position").fetchall()
            inputs: dict[str, list[Input]] = {}
            for row in self._data.execute("SELECT * FROM inputs ORDER BY txid, place"):
                coin = Input(row[2], row[3], row[4], row[5], owners.get(row[5]))
                inputs.setdefault(row[0], []).append(coin)
            outputs: dict[str, list[Output]] = {}
            for row in self._data.execute("SELECT * FROM outputs ORDER BY txid, vout"):
                outputs.setdefault(row[0], []).append(Output(row[2], row[3], owners.get(row[3])))
        finally:
            self._data.execute("COMMIT")
        seen = tuple(
            Transaction(
                txid=row[0],
                height=row[1],
                position=row[2],
                time=row[3],
                coinbase=bool(row[4]),
                inputs=tuple(inputs.get(row[0], ())),
                outputs=tuple(outputs[row[0]]),
            )
            for row in rows
        )
        return tip, seen
