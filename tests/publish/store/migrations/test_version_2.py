"""The second step of the schema keeps what the first one holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from leadml.publish.store.migrations import version_1, version_2

CHANGE = ("x", 1, 0, "2026-01-01", "MQL", "advised", "MQL")


def test_a_store_of_the_first_schema_keeps_its_rows() -> None:
    """Nothing was recorded at its changes; in PostgreSQL the same statements run."""
    with sa.create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            version_1.upgrade()
            connection.exec_driver_sql("INSERT INTO leadml_stage_changes VALUES (?, ?, ?, ?, ?, ?, ?)", CHANGE)
            version_2.upgrade()
        found = connection.exec_driver_sql("SELECT * FROM leadml_stage_changes").all()

    assert (version_2.revision, version_2.down_revision) == ("2", version_1.revision)
    assert [tuple(row) for row in found] == [(*CHANGE, "", None)]
