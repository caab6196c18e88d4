"""Tables of a journal of payment runs, for SQLite and PostgreSQL alike. Made by `migrations/`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

__all__ = ["BATCHES", "EVENTS", "METADATA", "PAYMENTS", "RUNS"]

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("file_sha256", String(64), nullable=False),
    Column("network", String(16), nullable=False),
    Column("key_mark", String(16), nullable=False),
    Column("begun", String(32), nullable=False),
    Column("settings", Text, nullable=False),
    Column("purged", String(32)),
)

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("row", Integer, nullable=False),
    Column("rail", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("destination", LargeBinary),  # encrypted; gone after a purge
    Column("destination_hash", String(64), nullable=False),
    Column("instruction", LargeBinary),  # encrypted: the invoice that is paid
    Column("batch", Integer),
    Column("reference", String(100)),
    Column("proof", String(200)),
    Column("fee_msat", BigInteger),
    Column("reason", Text),
    Column("settled", String(32)),
    ForeignKeyConstraint(["run"], ["runs.run"]),
)

BATCHES = Table(
    "batches",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rail", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("content", LargeBinary),  # encrypted: PSBT, signed transaction or message to a bank
    Column("coins", Text, nullable=False),  # outpoints that it spends, one on a line
    Column("reference", String(100), nullable=False),
    Column("fee_satoshi", BigInteger, nullable=False),
    ForeignKeyConstraint(["run"], ["runs.run"]),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("run", String(64), nullable=False, index=True),
    Column("id", String(64)),
    Column("batch", Integer),
    Column("before", String(16)),
    Column("after", String(16), nullable=False),
    Column("reason", Text),
)
