"""The fourth schema of the store: what reviews judge, and what they said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("leadml_batches", sa.Column("counts", sa.Text))
    op.add_column("leadml_scores", sa.Column("parts", sa.LargeBinary))
    op.create_table(
        "leadml_reviews",
        sa.Column("review", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("at", "target", "as_of", "version", "model_hash", "verdict", "details")
        ),
    )
