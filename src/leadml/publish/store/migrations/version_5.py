"""The fifth schema of the store: which leads are explored, and the scores of shadows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("leadml_scores", sa.Column("explored", sa.Integer))
    op.create_table(
        "leadml_shadow_scores",
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("model_hash", sa.Text, primary_key=True),
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
