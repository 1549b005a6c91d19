"""The third step of the schema adds a table and keeps the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from leadml.publish.store.migrations import version_1, version_2, version_3


def test_a_store_of_the_second_schema_gets_the_table_of_hand_offs() -> None:
    """Nothing was handed over."""
    with sa.create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            for step in (version_1, version_2, version_3):
                step.upgrade()
        found = connection.exec_driver_sql("SELECT lead_id, handoff, at, target, stage, batch FROM leadml_handoffs")

    assert (version_3.revision, version_3.down_revision) == ("3", version_2.revision)
    assert found.all() == []
