"""The first schema of the store: batches, scores, stage changes and decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "leadml_batches",
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("batch_id", "target")),
        sa.Column("as_of", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("version", "model_hash")),
        sa.Column("matures_at", sa.Text),
        sa.Column("scored_at", sa.Text, nullable=False),
        *(sa.Column(name, sa.Integer) for name in ("scored", "not_scored")),
        *(sa.Column(name, sa.Text) for name in ("file", "output_table", "sha256")),
        sa.Column("state", sa.Text, nullable=False),
        sa.UniqueConstraint("target", "batch_id"),
    )
    op.create_table(
        "leadml_scores",
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("lead_id", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Double, nullable=False)
            for name in ("probability", "probability_low", "probability_high")
        ),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("propensity", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leadml_stage_changes",
        sa.Column("lead_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in ("batch", "number")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "stage", "stage_source", "advised")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leadml_decisions",
        sa.Column("decision", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "kind", "details")),
    )
