"""The fifth schema of the store: which leads below the cut were marked to be worked anyway."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the column."""
    op.add_column("leadml_scores", sa.Column("explored", sa.Integer))
