"""What checks that run regularly found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "report",
        sa.Column("id", _POSITION, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject")),
        sa.Column("made_at", sa.String(27), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("report_made", "report", ["kind", "subject", "made_at"])
