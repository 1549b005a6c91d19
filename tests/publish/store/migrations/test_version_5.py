"""The fifth step of the schema adds which leads are explored and keeps the rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from leadml.publish.store.migrations import version_1, version_2, version_3, version_4, version_5


def test_scores_of_the_fourth_schema_stay_and_were_not_explored() -> None:
    """Nobody drew any of them."""
    with sa.create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            for step in (version_1, version_2, version_3, version_4):
                step.upgrade()
            connection.exec_driver_sql("INSERT INTO leadml_scores VALUES (1, 'a', 0.5, 0.4, 0.6, 'MQL', NULL, NULL)")
            version_5.upgrade()
        scores = connection.exec_driver_sql("SELECT lead_id, probability, explored FROM leadml_scores").all()

    assert (version_5.revision, version_5.down_revision) == ("5", version_4.revision)
    assert scores == [("a", 0.5, None)]


def test_shadows_have_a_table_of_their_own() -> None:
    """Without rows."""
    with sa.create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            for step in (version_1, version_2, version_3, version_4, version_5):
                step.upgrade()
        names = "batch, model_hash, lead_id, version, probability, stage"
        assert connection.exec_driver_sql(f"SELECT {names} FROM leadml_shadow_scores").all() == []  # noqa: S608
