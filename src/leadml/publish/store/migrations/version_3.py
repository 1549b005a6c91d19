"""The third schema of the store: which leads were handed over to sales."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "leadml_handoffs",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("handoff", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "target", "stage")),
        sa.Column("batch", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
