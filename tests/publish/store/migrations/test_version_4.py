"""The fourth step of the schema adds what reviews need and keeps the rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from leadml.publish.store.migrations import version_1, version_2, version_3, version_4


def test_scores_of_the_third_schema_stay_and_have_no_parts() -> None:
    """A table of reviews is there, and is empty."""
    with sa.create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            for step in (version_1, version_2, version_3):
                step.upgrade()
            connection.exec_driver_sql("INSERT INTO leadml_scores VALUES (1, 'a', 0.5, 0.4, 0.6, 'MQL', NULL)")
            version_4.upgrade()
        scores = connection.exec_driver_sql("SELECT lead_id, probability, parts FROM leadml_scores").all()
        reviews = connection.exec_driver_sql("SELECT review, at, target, as_of, verdict FROM leadml_reviews").all()

    assert (version_4.revision, version_4.down_revision) == ("4", version_3.revision)
    assert (scores, reviews) == ([("a", 0.5, None)], [])
