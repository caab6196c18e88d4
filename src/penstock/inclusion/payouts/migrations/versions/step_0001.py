"""Runs, payments, batches and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables. They stand here as they were, for `tables.py` will move on."""
    op.create_table(
        "runs",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("file_sha256", sa.String(64), nullable=False),
        sa.Column("network", sa.String(16), nullable=False),
        sa.Column("key_mark", sa.String(16), nullable=False),
        sa.Column("begun", sa.String(32), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("purged", sa.String(32)),
    )
    op.create_table(
        "payments",
        sa.Column("run", sa.String(64), sa.ForeignKey("runs.run"), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("rail", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("destination", sa.LargeBinary),
        sa.Column("destination_hash", sa.String(64), nullable=False),
        sa.Column("instruction", sa.LargeBinary),
        sa.Column("batch", sa.Integer),
        sa.Column("reference", sa.String(100)),
        sa.Column("proof", sa.String(200)),
        sa.Column("fee_msat", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("settled", sa.String(32)),
    )
    op.create_table(
        "batches",
        sa.Column("run", sa.String(64), sa.ForeignKey("runs.run"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rail", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("coins", sa.Text, nullable=False),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("fee_satoshi", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("run", sa.String(64), nullable=False, index=True),
        sa.Column("id", sa.String(64)),
        sa.Column("batch", sa.Integer),
        sa.Column("before", sa.String(16)),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
    )
