"""The tables of the store, as the newest schema has them.

An instant is text in ISO 8601, in UTC. A batch is a set of rows that were written together; readers see a batch only
once it is complete.
"""

from __future__ import annotations

import sqlalchemy as sa

PREFIX = "leadml_"  # the database may hold tables of others
SCHEMA_TABLE = f"{PREFIX}schema"

METADATA = sa.MetaData()

BATCHES = sa.Table(
    f"{PREFIX}batches",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, ...: the order of batches
    sa.Column("batch_id", sa.Text, nullable=False),  # hash of the leads, the version and as_of
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("as_of", sa.Text),  # of dated leads
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("model_hash", sa.Text, nullable=False),
    sa.Column("matures_at", sa.Text),  # when the outcomes are known; empty for flat leads
    sa.Column("scored_at", sa.Text, nullable=False),  # instant of the first run
    sa.Column("scored", sa.Integer),  # number of leads
    sa.Column("not_scored", sa.Integer),  # number of refused rows
    sa.Column("file", sa.Text),  # the file of the scores; relative to params.yaml if it is in that folder
    sa.Column("output_table", sa.Text),  # the table of the scores, of output.database
    sa.Column("sha256", sa.Text),  # of the file; empty for a table or a folder
    sa.Column("state", sa.Text, nullable=False),  # begun, filled or complete
    sa.Column("counts", sa.Text),  # JSON: how many leads have which values, for the changes since the training
    sa.UniqueConstraint("target", "batch_id"),
)

SCORES = sa.Table(
    f"{PREFIX}scores",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lead_id", sa.Text, primary_key=True),
    sa.Column("probability", sa.Double, nullable=False),
    sa.Column("probability_low", sa.Double, nullable=False),
    sa.Column("probability_high", sa.Double, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),  # empty if the target drives no stage
    sa.Column("propensity", sa.Double),  # the chance with which a lead below the cut was to be marked
    sa.Column("parts", sa.LargeBinary),  # log-odds of the strongest fields, a byte each; empty for some of many leads
    sa.Column("explored", sa.Integer),  # 1 if it was marked to be worked anyway, 0 if not; empty where none was drawn
    sqlite_with_rowid=False,  # one tree in place of two, in which the rows of a batch lie together
)

SHADOW_SCORES = sa.Table(  # of versions that are not in use: no stage of a lead and no hand-off depends on them
    f"{PREFIX}shadow_scores",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),  # of the version in use
    sa.Column("model_hash", sa.Text, primary_key=True),
    sa.Column("lead_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("probability", sa.Double, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),  # that its cuts would advise
    sqlite_with_rowid=False,
)

STAGE_CHANGES = sa.Table(
    f"{PREFIX}stage_changes",
    METADATA,
    sa.Column("lead_id", sa.Text, primary_key=True),
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 0, 1, ... within the batch
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("stage_source", sa.Text, nullable=False),
    sa.Column("advised", sa.Text, nullable=False),  # by the target of the batch; empty if the advice of all ends
    sa.Column("recorded", sa.Text, nullable=False, server_default=""),  # the stage that people have recorded
    sa.Column("rejected_at", sa.Text),  # of a lead that was rejected and has no stage recorded since
    sqlite_with_rowid=False,
)

OUTCOMES = sa.Table(
    f"{PREFIX}outcomes",
    METADATA,
    sa.Column("lead_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, ... of the lead
    sa.Column("occurred_at", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.Text, nullable=False),  # when leadml learned it
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("origin", sa.Text),  # the source of the lead
    sa.Column("hours_to_contact", sa.Double),
    sqlite_with_rowid=False,
)

MANUAL_STAGES = sa.Table(
    f"{PREFIX}manual_stages",
    METADATA,
    sa.Column("lead_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, ... of the lead
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),  # empty where a stage that was set is ended
    sa.Column("until", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

HANDOFFS = sa.Table(
    f"{PREFIX}handoffs",
    METADATA,
    sa.Column("lead_id", sa.Text, primary_key=True),
    sa.Column("handoff", sa.Integer, primary_key=True, autoincrement=False),  # the decision with this number
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),  # the newest batch at that time
    sqlite_with_rowid=False,
)

DECISIONS = sa.Table(
    f"{PREFIX}decisions",
    METADATA,
    sa.Column("decision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # JSON
)

REVIEWS = sa.Table(
    f"{PREFIX}reviews",
    METADATA,
    sa.Column("review", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, ...
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("as_of", sa.Text, nullable=False),  # what was known until then was judged
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("model_hash", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # JSON
)
