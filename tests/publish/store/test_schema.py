"""The steps of the schema lead to the tables that the code uses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from leadml.publish.store.migrations import version_5
from leadml.publish.store.opening import Store
from leadml.publish.store.schema import MIGRATIONS, NEWEST, schema_version, upgrade
from leadml.publish.store.tables import METADATA, SCHEMA_TABLE

pytest_plugins = ["tests.postgres"]


def test_the_migrations_make_the_tables_of_the_metadata(store: Store) -> None:
    """Column for column, in both databases; the table that names the version is Alembic's own."""

    def differences(connection: sa.Connection) -> list[object]:
        options = {"version_table": SCHEMA_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    assert store.read(differences) == []
    for table in METADATA.sorted_tables:
        found = store.read(lambda connection, name=table.name: sa.inspect(connection).get_columns(name))
        assert {column["name"]: column["nullable"] for column in found} == {
            column.name: column.nullable for column in table.c
        }
        key = store.read(lambda connection, name=table.name: sa.inspect(connection).get_pk_constraint(name))
        assert key["constrained_columns"] == [column.name for column in table.primary_key]


def test_the_newest_version_is_the_last_step(store: Store) -> None:
    """Each step is a module with its number; bringing a new store up to date again changes nothing."""
    steps = sorted(path.stem for path in MIGRATIONS.glob("version_*.py"))
    store.write(upgrade)

    assert steps == [f"version_{number}" for number in range(1, NEWEST + 1)]
    assert version_5.revision == str(NEWEST)
    assert store.read(schema_version) == NEWEST


def test_a_database_without_a_store_has_version_0() -> None:
    """Nothing is made."""
    with sa.create_engine("sqlite://").connect() as connection:
        assert schema_version(connection) == 0
        assert sa.inspect(connection).get_table_names() == []
