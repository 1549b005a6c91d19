"""The first step of the schema."""

from __future__ import annotations

import sqlalchemy as sa

from leadml.publish.store.migrations.version_1 import down_revision, revision
from leadml.publish.store.opening import Store

pytest_plugins = ["tests.postgres"]


def test_it_is_the_first_and_makes_the_tables_of_batches(store: Store) -> None:
    """Beside the table that names the step."""
    names = store.read(lambda connection: sa.inspect(connection).get_table_names())

    assert (revision, down_revision) == ("1", None)
    assert {"leadml_batches", "leadml_decisions", "leadml_schema", "leadml_scores", "leadml_stage_changes"} <= {*names}
