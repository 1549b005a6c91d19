"""Read dates and timestamps of PostgreSQL that Python's types cannot hold, such as infinity, as the nearest they can.

Such a value is then out of the calendar of leads, so that its row is set aside like any other with a date that cannot
be, instead of ending the whole read.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The first and the last year that Python knows, away from their ends, so that every time zone can show them.
LIMITS = dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)  # noqa: DTZ001 - the zone is that of the type
TYPES = ("date", "timestamp", "timestamptz")


def read_any_instant(connection: Connection) -> None:
    """Let a connection to PostgreSQL by psycopg read every date and timestamp; see the module.

    Parameters
    ----------
    connection
        A connection of SQLAlchemy.
    """
    import psycopg  # noqa: PLC0415 - an extra

    driver: Any = connection.connection.dbapi_connection
    if not isinstance(driver, psycopg.Connection):
        return
    for name in TYPES:
        oid = driver.adapters.types[name].oid
        for format_ in (psycopg.pq.Format.TEXT, psycopg.pq.Format.BINARY):
            loader = driver.adapters.get_loader(oid, format_)
            if loader is not None:
                driver.adapters.register_loader(oid, _bounded(loader, name, format_))


def _bounded(loader: Any, name: str, format_: Any) -> type:
    """Return a loader of psycopg that gives a limit where another one cannot load a value."""
    import psycopg  # noqa: PLC0415 - an extra

    class BoundedLoader(psycopg.adapt.Loader):
        format = format_

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load = loader(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except psycopg.DataError as error:
                limit = LIMITS["too small" not in str(error)]
            if name == "date":
                return limit.date()
            return limit.replace(tzinfo=dt.UTC) if name == "timestamptz" else limit

    return BoundedLoader
