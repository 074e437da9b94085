"""Events, the datasets they speak of, runs, and how far each consumer is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "event",
        sa.Column("id", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("stored_at", sa.String(27), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("event_time", "event_type")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("run_id", "root_run_id", "parent_run_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("job_namespace", "job_name")),
        sa.Column("content_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("event_once", "event", ["run_id", "content_hash"], unique=True)
    op.create_index("event_root_run", "event", ["root_run_id", "id"])
    op.create_index("event_job", "event", ["job_name", "job_namespace", "id"])
    op.create_index("event_event_time", "event", ["event_time"])
    op.create_table(
        "event_dataset",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("namespace", sa.Text, primary_key=True),
        sa.Column("event_id", _POSITION, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("root_run_id", "parent_run_id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("job_namespace", "job_name", "state")),
        *(sa.Column(name, _POSITION, nullable=False) for name in ("first_event_id", "last_event_id")),
        sqlite_with_rowid=False,
    )
    op.create_index("run_root_run", "run", ["root_run_id"])
    op.create_table(
        "consumer",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", _POSITION, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("error_since", sa.String(27), nullable=False),
        sa.Column("progress_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "dead_letter",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", _POSITION, primary_key=True, autoincrement=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("dead_at", sa.String(27), nullable=False),
        sa.Column("replay", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
