"""Read leads from a database, in chunks, at one instant.

What enters is an address and a table or a query; what leaves is chunks of raw columns like those of a file, all of
them as the database was when the reading began.
It refuses tables and columns that are not there, queries that are not one SELECT, and to write anything.
"""

from __future__ import annotations

import re
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadml.errors import DataError, Fault, inert, nearest, quoted
from leadml.leads.read.column_types import WRITTEN, ColumnType, declared_types, postgres_types, sqlite_types
from leadml.leads.read.connection import (
    attempt,
    close,
    declared_columns,
    masked,
    one_line,
    open_connection,
    reason,
    unreachable,
)
from leadml.leads.read.files import RawChunk, normal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import Connection, CursorResult, Executable, Inspector, TableClause

QUOTED = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$""",
    re.VERBOSE | re.DOTALL,
)
WRITES = re.compile(r"\b(insert|update|delete|merge|into)\b", re.IGNORECASE)
ISOLATION = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ"}


@dataclass(frozen=True)
class TableName:
    """A table or a view.

    Parameters
    ----------
    name
        To the letter, as the database has it.
    schema
        Where it is; None where the database looks by itself.
    """

    name: str
    schema: str | None = None

    @property
    def shown(self) -> str:
        """Its name in messages."""
        return f"{inert(self.schema)}.{inert(self.name)} table" if self.schema else f"{inert(self.name)} table"


@dataclass(frozen=True)
class Query:
    """One SELECT, or WITH ... SELECT, that writes nothing.

    Raises
    ------
    DataError
        Where the text is anything else.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse what would not be read-only; the transaction is, too."""
        bare = QUOTED.sub(" ", self.text).strip().rstrip("; \t\r\n")
        first = re.match(r"\(*\s*(\w*)", bare)
        word = first[1] if first else ""
        if word.lower() not in {"select", "with"}:
            raise DataError([Fault(self.shown, f"must begin with SELECT or WITH, got {quoted(word)}; correct it")])
        if ";" in bare:
            raise DataError([Fault(self.shown, "must be one SELECT, got more than one statement; keep one")])
        if writing := WRITES.search(bare):
            message = f"must write nothing, got {quoted(writing[0])}; take it out, or quote it where it is a name"
            raise DataError([Fault(self.shown, message)])

    @property
    def shown(self) -> str:
        """Its name in messages."""
        return "query"

    @property
    def plain(self) -> str:
        """The text for SQLAlchemy: without a last semicolon, and no colon marks a parameter."""
        return self.text.strip().rstrip("; \t\r\n").replace(":", "\\:") + "\n"


Place = TableName | Query


@dataclass(frozen=True)
class ReadTransaction:
    """A database at one instant; see `open_read_transaction`.

    Parameters
    ----------
    where
        The address as it may be shown.
    connection
        In a transaction that only reads.
    """

    where: str
    connection: Connection = field(repr=False)

    def column_names(self, source: Place) -> list[str]:
        """Return the names of the columns, trimmed and in Unicode's composed form.

        Raises
        ------
        DataError
            Where there is no such table, the query fails, or two names are the same or one is empty.
        """
        return [normal_name(column[0]) for column in self._described(source)]

    def chunks(self, source: Place, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield the rows of a table or a query, at most ``rows`` at a time, at least one chunk.

        Types are those that are declared: whole numbers, reals, truth values and text as they are; instants in UTC,
        times without a zone without one; exact numbers as Arrow decimals where their digits are declared, else as
        text; dates, UUIDs and enumerations as text. Without declared types (SQLite; queries elsewhere than in
        PostgreSQL) see `column_types`.

        Parameters
        ----------
        source
            What to read.
        columns
            Names of the columns to read; one that is not there is left out.
        rows
            Largest number of rows of a chunk.

        Raises
        ------
        DataError
            Where there is no such table, the query fails, a column holds bytes, JSON or arrays, or the connection is
            lost.
        """
        described = self._described(source)
        wanted = [at for at, column in enumerate(described) if normal_name(column[0]) in columns]
        picked = [described[at] for at in wanted]
        types = self._attempt(source, lambda: self._types(source, picked))
        names = [normal_name(column[0]) for column in picked]
        statement = _selected(source, [column[0] for column in picked])
        places = wanted if isinstance(source, Query) else range(len(wanted))
        first = 1
        with closing(self._attempt(source, lambda: self._stream(statement, rows))) as result:
            while True:
                records = self._attempt(source, lambda: result.fetchmany(rows))
                if not records and first > 1:
                    return
                values = list(zip(*records, strict=True))
                arrays = [
                    _array(values[at] if records else (), kind, name, source)
                    for at, kind, name in zip(places, types, names, strict=True)
                ]
                lines = np.arange(first, first + len(records), dtype=np.int64)
                yield RawChunk(pa.table(arrays, names=names), source.shown, lines, lines - 1, ordered=False)
                if not records:
                    return
                first += len(records)

    def _described(self, source: Place) -> list[Any]:
        """Return what the driver says of each column."""
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        if isinstance(source, TableName):
            self._check_table(source)
            statement: Executable = sa.select(sa.literal_column("*")).select_from(_relation(source)).where(sa.false())
        else:
            statement = _selected(source, [])

        def describe() -> list[Any]:
            with closing(self._stream(statement, 1)) as result:
                return list(result.cursor.description) if result.cursor else []

        described: list[Any] = self._attempt(source, describe)
        names = [normal_name(column[0]) for column in described]
        for position, name in enumerate(names, start=1):
            if not name or names.count(name) > 1:
                got = f"{quoted(name)} twice" if name else "none"
                message = f"every column must have a name of its own, got {got} for column {position}"
                raise DataError([Fault(source.shown, message)])
        return described

    def _check_table(self, table: TableName) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        names = self._attempt(table, lambda: _table_names(sa.inspect(self.connection), table.schema))
        if table.name not in names:
            inside = f" in schema {quoted(table.schema)}" if table.schema else ""
            hint = nearest(table.name, names) or f"; it has {len(names)} others"
            raise DataError([Fault(self.where, f"must have a table {quoted(table.name)}{inside}, got none{hint}")])

    def _types(self, source: Place, described: Sequence[Any]) -> list[ColumnType]:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        dialect, names = self.connection.dialect.name, [entry[0] for entry in described]
        if dialect == "postgresql":
            return postgres_types(self.connection, described, source=source.shown)
        if dialect == "sqlite" and isinstance(source, Query):
            relation = sa.text(source.plain).columns(*(sa.column(name) for name in names)).subquery()
            return sqlite_types(self.connection, relation, names, frozenset(), source=source.shown)
        if isinstance(source, Query):
            return [WRITTEN] * len(names)
        declared = declared_columns(self.connection, source.name, source.schema)
        if dialect == "sqlite":
            booleans = frozenset(name for name, kind in declared.items() if type(kind).__name__ == "BOOLEAN")
            return sqlite_types(self.connection, _relation(source), names, booleans, source=source.shown)
        return declared_types([(name, declared[name]) for name in names], source=source.shown)

    def _stream(self, statement: Executable, rows: int) -> CursorResult[Any]:
        return self.connection.execute(statement, execution_options={"yield_per": rows})

    def _attempt(self, source: Place, action: Callable[[], Any]) -> Any:
        def refusal(error: Exception) -> DataError:
            if getattr(error, "connection_invalidated", False):
                got = f"lost it: {reason(error, self.connection.engine.url)}; run again"
                return DataError([Fault(source.shown, f"must keep the connection to {self.where} to the end, {got}")])
            said = reason(error, self.connection.engine.url)
            return DataError([Fault(source.shown, f"must be readable in {self.where}, got: {said}")])

        return attempt(action, refusal)


@contextmanager
def open_read_transaction(url: str) -> Iterator[ReadTransaction]:
    """Give a database as it is now; what others commit meanwhile is not seen, in any table.

    PostgreSQL: one transaction, REPEATABLE READ and READ ONLY. SQLite: the file is opened read-only, in one read
    transaction. MySQL and MariaDB: REPEATABLE READ, at one instant from the first table that is read. Other dialects:
    SERIALIZABLE where they have it, else what they do by themselves; what a query would write there is undone.

    Parameters
    ----------
    url
        An address with its password in it.

    Raises
    ------
    MissingExtraError
        Where SQLAlchemy or the database's driver is not installed.
    DataError
        Where the database cannot be reached.
    """
    connection = open_connection(url, writing=False)
    try:
        attempt(
            lambda: _begin(connection),
            lambda error: unreachable(url, f"must be readable, got: {reason(error, connection.engine.url)}"),
        )
        yield ReadTransaction(masked(url), connection)
    finally:
        close(connection)


def _begin(connection: Connection) -> None:
    """Begin the transaction, and read, for that is when its instant is."""
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - the door opens without it

    dialect = connection.dialect
    if dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").all()
        return
    level: Any = ISOLATION.get(dialect.name, "SERIALIZABLE")
    if dialect.name == "postgresql":
        connection.execution_options(isolation_level=level, postgresql_readonly=True)
        # Undone with the transaction, so that a pooled server connection is handed on as it was
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.exec_driver_sql("SELECT 1").all()
        return
    with suppress(AttributeError, NotImplementedError, ArgumentError):  # a dialect that has no such level
        connection.execution_options(isolation_level=level)


def _table_names(inspector: Inspector, schema: str | None) -> list[str]:
    if schema is not None and schema not in inspector.get_schema_names():
        return []
    names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if inspector.dialect.name == "postgresql":
        names += inspector.get_materialized_view_names(schema)
        names += inspector.get_foreign_table_names(schema)  # type: ignore[attr-defined]
    return names


def _relation(table: TableName) -> TableClause:
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    schema = table.schema and sa.quoted_name(table.schema, quote=True)
    return sa.table(sa.quoted_name(table.name, quote=True), schema=schema)


def _selected(source: Place, names: Sequence[str]) -> Executable:
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    if isinstance(source, Query):
        return sa.text(source.plain)
    columns: list[Any] = [sa.column(sa.quoted_name(name, quote=True)) for name in names] or [sa.literal_column("1")]
    return sa.select(*columns).select_from(_relation(source))


def _array(values: Sequence[Any], kind: ColumnType, name: str, source: Place) -> pa.Array:
    try:
        return kind.array(values)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
        got = one_line(str(error))
    raise DataError([Fault(source.shown, f"must hold what is declared ({kind.arrow}), got: {got}", name)])
