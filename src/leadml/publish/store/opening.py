"""Open the store of a project: SQLite or PostgreSQL, its schema brought to the newest version.

One job at a time writes to a store, so that the stage of a lead follows from what was written before. The lock is that
of a database session, so it ends with the process, however that ends.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from leadml.errors import LeadmlError
from leadml.leads.read.connection import (
    SQLITE_URL,
    attempt,
    close_connection,
    driver_message,
    mask_address,
    open_connection,
)
from leadml.publish.store.schema import NEWEST, schema_version, upgrade
from leadml.publish.store.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from leadml.types import Progress

Result = TypeVar("Result")

DIALECTS = ("sqlite", "postgresql")
MUST_BE = "must be a store that can be read and written"
LOCK_SECONDS = 600  # a million leads are scored in about a minute; a job that waits for several of them ends this way
LOCK_NUMBER = 0x6C656164  # "lead": PostgreSQL's advisory locks are numbers, and other programs choose others
CACHE_KILOBYTES = 65_536  # SQLite's own 2 MB spill to the disk while a chunk is written, which locks readers out


@dataclass(frozen=True)
class Store:
    """An open store; `writing_alone` and `reading` open and close it.

    Parameters
    ----------
    connection
        The connection to the database.
    address
        The address without its password, for messages.
    """

    connection: Connection
    address: str

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is a file of SQLite."""
        return self.connection.dialect.name == "sqlite"

    def write(self, action: Callable[[Connection], Result]) -> Result:
        """Return the result of an action in a transaction that is then committed, or rolled back where it fails.

        Raises
        ------
        LeadmlError
            If the database refuses.
        """
        return self._transaction("BEGIN IMMEDIATE", action, self.connection.commit)

    def read(self, action: Callable[[Connection], Result]) -> Result:
        """Return the result of an action that only reads.

        Raises
        ------
        LeadmlError
            If the database refuses.
        """
        return self._transaction("BEGIN", action, self.connection.rollback)

    def _transaction(self, begin: str, action: Callable[[Connection], Result], end: Callable[[], None]) -> Result:
        def transaction() -> Result:
            if self.is_sqlite:
                self.connection.exec_driver_sql(begin)
            try:
                result = action(self.connection)
            except BaseException:
                self.connection.rollback()
                raise
            end()
            return result

        return attempt(transaction, self._refusal)

    def _refusal(self, error: Exception) -> LeadmlError:
        return LeadmlError(f"{self.address}: {MUST_BE}, got: {driver_message(error, self.connection.engine.url)}")


@contextmanager
def writing_alone(url: str, progress: Progress) -> Iterator[Store]:
    """Give the store at an address until the block ends; meanwhile no other job can take it to write.

    It is made, or its schema brought to the newest version, where that is needed.

    Parameters
    ----------
    url
        Address of an SQLite file or of a PostgreSQL database, with its password.
    progress
        Called while another job has the store.

    Raises
    ------
    LeadmlError
        If the database cannot be reached or written, is of another kind, holds a store of a newer leadml, or is written
        to by other jobs for more than ten minutes.
    """
    path, address = sqlite_file(url), mask_address(url)
    with ExitStack() as stack:
        if path is not None:
            stack.callback(_lock_sqlite(path, address, progress).close)
        connection = open_connection(url, writing=True)
        stack.callback(close_connection, connection)
        store = Store(connection, address)
        if connection.dialect.name not in DIALECTS:
            msg = f"{address}: the store must be SQLite or PostgreSQL, got {connection.dialect.name}"
            raise LeadmlError(msg)
        if not store.is_sqlite:
            _lock_postgresql(store, progress)
        _prepare(store)
        yield store


@contextmanager
def reading(url: str) -> Iterator[Store | None]:
    """Give the store at an address until the block ends, or None where nothing was ever kept.

    Raises
    ------
    LeadmlError
        As `writing_alone`.
    """
    path = sqlite_file(url)
    if path is not None and not path.exists():
        yield None
        return
    connection = open_connection(url, writing=path is None)
    try:
        store = Store(connection, mask_address(url))
        version = store.read(schema_version)
        if version not in {0, NEWEST}:
            with writing_alone(url, lambda _: None):  # which brings it to the newest version, or refuses it
                pass
        yield store if version else None
    finally:
        close_connection(connection)


def sqlite_file(url: str) -> Path | None:
    """Return the file of a store in SQLite, None for another database."""
    match = SQLITE_URL.fullmatch(url)
    return None if match is None else Path(match["path"])


def _prepare(store: Store) -> None:
    """Bring the schema to the newest version, and see that every table can be written."""

    def bring_up_to_date(connection: Connection) -> None:
        if store.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
            connection.exec_driver_sql("PRAGMA secure_delete = on")  # what is forgotten is overwritten
        version = schema_version(connection)
        if version > NEWEST:
            msg = f"{store.address}: the store is of schema {version}, this leadml knows {NEWEST}; update leadml"
            raise LeadmlError(msg)
        if version < NEWEST:
            upgrade(connection)
        for table in METADATA.sorted_tables:  # writes nothing, but asks for the right to
            connection.execute(sa.delete(table).where(sa.false()))
            connection.execute(sa.update(table).values({column: column for column in table.c}).where(sa.false()))
            connection.execute(sa.insert(table).from_select(list(table.c), sa.select(table).where(sa.false())))

    store.write(bring_up_to_date)


def _lock_sqlite(path: Path, address: str, progress: Progress) -> sqlite3.Connection:
    """Return a connection that holds the lock of a store: an empty database beside its file."""

    def lock() -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            connection = sqlite3.connect(path.with_name(f".{path.name}.lock"), timeout=0, isolation_level=None)
            stack.callback(connection.close)
            _wait(lambda: _begins_exclusive(connection), address, progress)
            stack.pop_all()
        return connection

    return attempt(lock, lambda error: LeadmlError(f"{address}: {MUST_BE}, got: {error}"))


def _begins_exclusive(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _lock_postgresql(store: Store, progress: Progress) -> None:
    """Take the lock of a store for the session."""

    def is_mine() -> bool:
        return bool(
            store.read(lambda connection: connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK_NUMBER))))
        )

    _wait(is_mine, store.address, progress)


def _wait(take: Callable[[], bool], address: str, progress: Progress) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while not take():
        if time.monotonic() > until:
            msg = f"{address}: other jobs have been writing to the store for {LOCK_SECONDS:,} seconds; run again later"
            raise LeadmlError(msg)
        progress("waiting for another job that writes to the store")
        time.sleep(0.5)
