"""The second schema of the store: what people record and set by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add the tables and the column."""
    op.add_column("leadml_stage_changes", sa.Column("recorded", sa.Text, nullable=False, server_default=""))
    op.add_column("leadml_stage_changes", sa.Column("rejected_at", sa.Text))
    op.create_table(
        "leadml_outcomes",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("occurred_at", "recorded_at", "outcome")),
        *(sa.Column(name, sa.Text) for name in ("reason", "owner", "origin")),
        sa.Column("hours_to_contact", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leadml_manual_stages",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("until", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
