"""Bring the schema of a store to the newest version, by the steps of the folder migrations.

A store of a newer leadml is refused: this one does not know what its columns mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from leadml.publish.store.tables import SCHEMA_TABLE

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST = 5  # the number of the last module of migrations; decision 25
MIGRATIONS = Path(__file__).with_name("migrations")


def schema_version(connection: Connection) -> int:
    """Return the version of the schema of a store, 0 for a database without a store."""
    if not sa.inspect(connection).has_table(SCHEMA_TABLE):
        return 0
    found = connection.execute(sa.text(f"SELECT version_num FROM {SCHEMA_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant
    return int(found or 0)


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest version, within the transaction of the connection."""
    from alembic.config import Config  # noqa: PLC0415 - only a new or an older store needs it
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])

    def steps(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs(str(NEWEST), revision)  # noqa: SLF001 - as Alembic's documentation does it

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table=SCHEMA_TABLE)
        environment.run_migrations()
