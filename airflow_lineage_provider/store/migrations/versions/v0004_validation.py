"""What validations compared and found, for the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "validation",
        sa.Column("id", _POSITION, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("dag_id", "run_id", "task_id")),
        sa.Column("made_at", sa.String(27), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("lineage_run_id", "outcome")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("errors", "warnings")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("title", "reads")),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("validation_run", "validation", ["dag_id", "run_id"])
    op.create_index("validation_made", "validation", ["made_at"])
