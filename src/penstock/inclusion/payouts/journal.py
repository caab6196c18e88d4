"""The journal of payment runs: what is meant before each payment, what came of it after, and nothing lost.

A database that SQLAlchemy can reach: SQLite by default, PostgreSQL by URL. Every step is one transaction that
changes a state and writes an event; a state changes only from the one that was expected, so that two writers
can never both believe they made a step. One operator works on a run at a time; the lock goes with the
connection, so that a killed process frees it.

    waiting ──> planned ──> sent ──> paid
                   │          └────> failed
                   └──> waiting (its batch can no longer be paid)
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from penstock.errors import Fault, PayoutError

from .cipher import Cipher
from .orders import Order
from .tables import BATCHES, EVENTS, PAYMENTS, RUNS

__all__ = ["Batch", "Journal", "Payment", "Run"]

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_SPACE = 0x50454E53  # of PostgreSQL's advisory locks


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was begun. settings: what it was begun with. purged: when destinations were deleted."""

    run: str
    file_sha256: str
    network: str
    begun: str
    settings: Mapping[str, Any]
    purged: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """One beneficiary of a run. destination, name, instruction: "" after a purge, or where there is none.

    instruction: invoice that is paid. reference: txid:output, payment hash or end-to-end id. proof: preimage.
    fee_msat: of this payment alone; fees of a batch stand with the batch. [thousandths of a satoshi]
    """

    id: str
    row: int
    rail: str
    currency: str
    amount: int
    state: str
    destination: str
    name: str
    destination_hash: str
    instruction: str
    batch: int | None
    reference: str | None
    proof: str | None
    fee_msat: int | None
    reason: str | None
    settled: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Payments that are made together: a transaction, or a message to a bank. content: "" after a purge.

    state: planned, signed, sent, confirmed or failed. coins: outpoints that it spends, as txid:output.
    """

    number: int
    rail: str
    state: str
    content: str
    coins: tuple[str, ...]
    reference: str
    fee_satoshi: int


class Journal:
    """Opens a journal, made or brought to the present form where needed. Use it in a `with`.

    url: file of SQLite, or postgresql://user@host/database without a password. password: of PostgreSQL.
    now: gives the time as ISO 8601 in UTC.

    Raises PayoutError where it cannot be opened.
    """

    def __init__(self, url: str, cipher: Cipher, now: Callable[[], str], password: str | None = None) -> None:
        self.place, self._cipher, self._now = url, cipher, now
        self._file: Path | None = None
        self._guard: sqlite3.Connection | None = None
        try:
            self._engine = self._made(url, password)
            self._data = self._engine.connect()
            with self._data.begin():
                config = Config()
                config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
                config.attributes["connection"] = self._data
                command.upgrade(config, "head")
        except (sa.exc.SQLAlchemyError, OSError) as error:
            problem = f"cannot be opened: {_first_line(error)}"
            raise self._refused(problem, "name a file in a folder, or a database that runs") from None

    def _made(self, url: str, password: str | None) -> sa.Engine:
        if "://" not in url:
            self._file = Path(url)
            engine = sa.create_engine(sa.URL.create("sqlite", database=url), connect_args={"timeout": 5.0})
            sa.event.listen(engine, "connect", _safe_sqlite)
            return engine
        parts = sa.make_url(url)
        if parts.get_backend_name() != "postgresql":
            raise self._refused("is neither a file nor a postgresql:// address", "name one of the two")
        if parts.password is not None:
            self.place = parts.render_as_string(hide_password=True)
            problem = "holds a password, which would stand in lists of processes and in logs"
            raise self._refused(problem, "put it into a file and name that with --journal-password")
        near = parts.host in (None, "127.0.0.1", "::1", "localhost")
        secure = {} if near else {"ssl_context": True}
        parts = parts.set(drivername="postgresql+pg8000", password=password)
        return sa.create_engine(
            parts, connect_args={"timeout": 30, **secure}, isolation_level="READ COMMITTED"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._data.close()
        self._engine.dispose()

    def _refused(self, problem: str, mend: str) -> PayoutError:
        return PayoutError(Fault(f"journal {self.place}", problem, mend))

    # --- one operator at a time -------------------------------------------------------------------------

    @contextmanager
    def hold(self, run: str) -> Iterator[None]:
        """This process alone works on the run. However it ends, the database frees it.

        Raises PayoutError where somebody else is at it.
        """
        problem = f"run {run} is being worked on by another process"
        busy = self._refused(problem, "wait until that one has ended, then penstock payout resume")
        if self._file is None:
            key = int.from_bytes(hashlib.sha256(run.encode()).digest()[:4], "big", signed=True)
            with self._data.begin():
                got = self._data.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK_SPACE, key)))
            if not got:
                raise busy
            try:
                yield
            finally:
                if not self._data.closed and not self._data.invalidated:
                    with self._data.begin():
                        self._data.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK_SPACE, key)))
            return
        guard = sqlite3.connect(f"{self._file}.lock", timeout=0.2, isolation_level=None)
        try:
            try:
                guard.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise busy from None
            yield
        finally:
            guard.close()

    # --- runs -------------------------------------------------------------------------------------------

    def begin(
        self, run: str, file_sha256: str, network: str, settings: Mapping[str, Any], orders: Sequence[Order]
    ) -> bool:
        """Writes a run with all its orders, waiting; False where it is there already, with the same file.

        Raises PayoutError where the run's name cannot be, or it was begun with another file or network.
        """
        if not _RUN.fullmatch(run):
            mend = "write 1 to 64 of A-Z a-z 0-9 . _ -, a letter or figure first"
            raise PayoutError(Fault("--run", "cannot be a name", mend, value=run[:80]))
        known = self.run(run, missing=None)
        if known is not None:
            if (known.file_sha256, known.network) != (file_sha256, network):
                problem = f"was begun with another file or network on {known.begun}"
                raise PayoutError(Fault(f"run {run}", problem, "give the same file, or another --run"))
            return False
        now = self._now()
        with self._data.begin():
            self._data.execute(
                RUNS.insert().values(
                    run=run,
                    file_sha256=file_sha256,
                    network=network,
                    key_mark=self._cipher.mark(),
                    begun=now,
                    settings=json.dumps(dict(settings)),
                )
            )
            self._data.execute(PAYMENTS.insert(), [self._row(run, order) for order in orders])
            self._data.execute(EVENTS.insert().values(at=now, run=run, after="begun"))
        return True

    def _row(self, run: str, order: Order) -> dict[str, Any]:
        closed = self._cipher.closed(json.dumps([order.destination, order.name]), run, order.id)
        salted = self._cipher.salt(run, order.id) + order.destination
        return {
            **{"run": run, "id": order.id, "row": order.row, "rail": order.rail, "amount": order.amount},
            **{"currency": order.currency, "state": "waiting", "destination": closed},
            "destination_hash": hashlib.sha256(salted.encode()).hexdigest(),
        }

    def runs(self) -> tuple[str, ...]:
        """Names of all runs, oldest first."""
        with self._data.begin():
            return tuple(self._data.scalars(sa.select(RUNS.c.run).order_by(RUNS.c.begun, RUNS.c.run)))

    def run(self, run: str, missing: str | None = "refuse") -> Run | None:
        """A run; None where it is not there and `missing` is None.

        Raises PayoutError where it is not there, or was begun with another key.
        """
        with self._data.begin():
            row = self._data.execute(sa.select(RUNS).where(RUNS.c.run == run)).one_or_none()
        if row is None:
            if missing is None:
                return None
            known = ", ".join(self.runs()[-8:]) or "none"
            raise PayoutError(
                Fault("--run", f"is not in the journal; there are {known}", "name one", value=run)
            )
        if row.key_mark != self._cipher.mark():
            raise PayoutError(
                Fault("--key", f"is not the key of run {run}", "name the one it was begun with")
            )
        settings = json.loads(row.settings)
        return Run(row.run, row.file_sha256, row.network, row.begun, settings, row.purged)

    def payments(self, run: str, *, state: str | None = None, rail: str | None = None) -> tuple[Payment, ...]:
        """Payments of a run in the order of the file."""
        asked = sa.select(PAYMENTS).where(PAYMENTS.c.run == run).order_by(PAYMENTS.c.row, PAYMENTS.c.id)
        if state is not None:
            asked = asked.where(PAYMENTS.c.state == state)
        if rail is not None:
            asked = asked.where(PAYMENTS.c.rail == rail)
        with self._data.begin():
            rows = self._data.execute(asked).all()
        return tuple(self._payment(run, row) for row in rows)

    def _payment(self, run: str, row: Any) -> Payment:
        destination, name = "", ""
        if row.destination is not None:
            destination, name = json.loads(self._cipher.opened(row.destination, run, row.id))
        invoice = "" if row.instruction is None else self._cipher.opened(row.instruction, run, row.id)
        rest = {
            key: getattr(row, key) for key in ("batch", "reference", "proof", "fee_msat", "reason", "settled")
        }
        told = {key: getattr(row, key) for key in ("id", "row", "rail", "currency", "amount", "state")}
        return Payment(
            **told,
            destination=destination,
            name=name,
            destination_hash=row.destination_hash,
            instruction=invoice,
            **rest,
        )

    def counts(self, run: str) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Number and sum of payments by rail, currency and state."""
        columns = (PAYMENTS.c.rail, PAYMENTS.c.currency, PAYMENTS.c.state)
        asked = sa.select(*columns, sa.func.count(), sa.func.sum(PAYMENTS.c.amount)).group_by(*columns)
        with self._data.begin():
            rows = self._data.execute(asked.where(PAYMENTS.c.run == run)).all()
        return {(row[0], row[1], row[2]): (int(row[3]), int(row[4])) for row in rows}

    def batches(self, run: str, rail: str | None = None) -> tuple[Batch, ...]:
        """Batches of a run by number."""
        asked = sa.select(BATCHES).where(BATCHES.c.run == run).order_by(BATCHES.c.number)
        if rail is not None:
            asked = asked.where(BATCHES.c.rail == rail)
        with self._data.begin():
            rows = self._data.execute(asked).all()
        return tuple(
            Batch(
                row.number,
                row.rail,
                row.state,
                "" if row.content is None else self._cipher.opened(row.content, run, f"batch {row.number}"),
                tuple(row.coins.split()),
                row.reference,
                row.fee_satoshi,
            )
            for row in rows
        )

    def coins_in_use(self) -> frozenset[str]:
        """Outpoints that batches of any run are to spend and that are not seen to be settled."""
        open_states = ("planned", "signed", "sent")
        with self._data.begin():
            texts = self._data.scalars(
                sa.select(BATCHES.c.coins).where(BATCHES.c.state.in_(open_states))
            ).all()
        return frozenset(coin for text in texts for coin in text.split())

    def events(self, run: str) -> tuple[Mapping[str, Any], ...]:
        """All that happened, oldest first."""
        asked = sa.select(EVENTS).where(EVENTS.c.run == run).order_by(EVENTS.c.number)
        with self._data.begin():
            return tuple(dict(row._mapping) for row in self._data.execute(asked))

    # --- steps ------------------------------------------------------------------------------------------

    def plan(self, run: str, batch: Batch, members: Mapping[str, str]) -> None:
        """Writes a batch and gives it its payments. members: reference of each, by id; all are waiting."""
        with self._data.begin():
            self._data.execute(
                BATCHES.insert().values(
                    run=run,
                    number=batch.number,
                    rail=batch.rail,
                    state=batch.state,
                    content=self._cipher.closed(batch.content, run, f"batch {batch.number}"),
                    coins="\n".join(batch.coins),
                    reference=batch.reference,
                    fee_satoshi=batch.fee_satoshi,
                )
            )
            for beneficiary, reference in members.items():
                self._move(run, beneficiary, "waiting", "planned", batch=batch.number, reference=reference)
            self._event(run, None, batch.number, None, batch.state)

    def move_batch(
        self,
        run: str,
        number: int,
        before: str,
        after: str,
        members: tuple[str, str] | None = None,
        *,
        content: str | None = None,
        reference: str | None = None,
        references: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        """Moves a batch to another state, and with it its payments. members: their state before and after."""
        values: dict[str, Any] = {"state": after}
        if reference is not None:
            values["reference"] = reference
        if content is not None:
            values["content"] = self._cipher.closed(content, run, f"batch {number}")
        with self._data.begin():
            where = (BATCHES.c.run == run, BATCHES.c.number == number, BATCHES.c.state == before)
            done = self._data.execute(BATCHES.update().where(*where).values(**values))
            self._expect(done.rowcount, f"batch {number}", before)
            if members is not None:
                mine = (PAYMENTS.c.run == run, PAYMENTS.c.batch == number, PAYMENTS.c.state == members[0])
                asked = sa.select(PAYMENTS.c.id).where(*mine).order_by(PAYMENTS.c.row)
                for beneficiary in self._data.scalars(asked).all():
                    extra: dict[str, Any] = {}
                    if references is not None:
                        extra["reference"] = references[beneficiary]
                    if members[1] == "waiting":
                        extra |= {"batch": None, "reference": None}
                    self._move(run, beneficiary, *members, reason=reason, **extra)
            self._event(run, None, number, before, after, reason)

    def move(self, run: str, beneficiary: str, before: str, after: str, **values: Any) -> None:
        """Moves one payment. values: reference, instruction (text), proof, fee_msat, reason."""
        if values.get("instruction") is not None:
            values["instruction"] = self._cipher.closed(values["instruction"], run, beneficiary)
        with self._data.begin():
            self._move(run, beneficiary, before, after, **values)

    def _move(self, run: str, beneficiary: str, before: str, after: str, **values: Any) -> None:
        if after in ("paid", "failed"):
            values["settled"] = self._now()
        where = (PAYMENTS.c.run == run, PAYMENTS.c.id == beneficiary, PAYMENTS.c.state == before)
        done = self._data.execute(PAYMENTS.update().where(*where).values(state=after, **values))
        self._expect(done.rowcount, f"payment {beneficiary}", before)
        self._event(run, beneficiary, values.get("batch"), before, after, values.get("reason"))

    def _event(
        self,
        run: str,
        beneficiary: str | None,
        batch: int | None,
        before: str | None,
        after: str,
        reason: str | None = None,
    ) -> None:
        told = {"before": before, "after": after, "reason": reason}
        values = {"at": self._now(), "run": run, "id": beneficiary, "batch": batch, **told}
        self._data.execute(EVENTS.insert().values(**values))

    def _expect(self, count: int, what: str, before: str) -> None:
        if count != 1:
            problem = f"{what} is no longer {before}: somebody else changed it"
            raise self._refused(problem, "see who works on this run, then penstock payout resume")

    def purge(self, run: str) -> int:
        """Deletes all personal data of a run; amounts, states, references and hashes stay. How many rows.

        Raises PayoutError where a payment is not settled: it could not be gone on with.
        """
        open_states = ("waiting", "planned", "sent")
        left = sum(count for key, (count, _) in self.counts(run).items() if key[2] in open_states)
        if left:
            problem = f"{left} payments are not settled"
            raise PayoutError(Fault(f"run {run}", problem, "penstock payout resume first, or close them"))
        with self._data.begin():
            gone = self._data.execute(
                PAYMENTS.update().where(PAYMENTS.c.run == run).values(destination=None, instruction=None)
            )
            self._data.execute(BATCHES.update().where(BATCHES.c.run == run).values(content=None))
            self._data.execute(RUNS.update().where(RUNS.c.run == run).values(purged=self._now()))
            self._event(run, None, None, None, "purged")
        if self._file is not None:  # so that nothing is left in free pages or beside the file
            raw = self._data.connection.driver_connection
            self._data.rollback()
            if isinstance(raw, sqlite3.Connection):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                raw.execute("VACUUM")
        return gone.rowcount


def _safe_sqlite(raw: Any, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        raw.execute(f"PRAGMA {pragma}")


def _first_line(error: Exception) -> str:
    told = getattr(error, "orig", None) or error
    return str(told).splitlines()[0][:200] if str(told) else type(told).__name__
