"""What owners were told about findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "notice",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("sender", "owner", "finding")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("content", "message")),
        sa.Column("told_at", sa.String(27), nullable=False),
        sqlite_with_rowid=False,
    )
