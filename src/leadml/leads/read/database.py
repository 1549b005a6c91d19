"""Read tables and queries of a database in chunks, all in one read-only transaction.

Every chunk shows the database as it was when the transaction began. Tables and columns that do not exist, and queries
that are not one SELECT, are refused. Nothing is ever written.
"""

from __future__ import annotations

import re
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadml.errors import DataError, Fault, inert, nearest, quoted
from leadml.leads.read.column_types import CONVERTED_TEXT, ColumnType, declared_types, postgres_types, sqlite_types
from leadml.leads.read.connection import (
    address_error,
    attempt,
    close_connection,
    declared_columns,
    driver_message,
    first_line,
    mask_address,
    open_connection,
)
from leadml.leads.read.files import RawChunk
from leadml.leads.read.postgres_instants import read_any_instant
from leadml.params import normal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import Connection, CursorResult, Executable, Inspector, TableClause

QUOTES_AND_COMMENTS = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$""",
    re.VERBOSE | re.DOTALL,
)
WRITING_KEYWORDS = re.compile(r"\b(insert|update|delete|merge|into)\b", re.IGNORECASE)
ISOLATION_LEVELS = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ"}


@dataclass(frozen=True)
class TableName:
    """The name of a table or a view.

    Parameters
    ----------
    name
        The name exactly as the database has it.
    schema
        Schema of the table; None for the database's own search path.
    """

    name: str
    schema: str | None = None

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Return the table that a text names, with its schema where the text has one: ``sales.leads``."""
        schema, dot, name = text.partition(".")
        return cls(name, schema) if dot else cls(text)

    @property
    def display_name(self) -> str:
        """Name of the table in messages."""
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
        """Refuse text that does more than read; the transaction of the database refuses it as well."""
        code = QUOTES_AND_COMMENTS.sub(" ", self.text).strip().rstrip("; \t\r\n")
        first = re.match(r"\(*\s*(\w*)", code)
        keyword = first[1] if first else ""
        if keyword.lower() not in {"select", "with"}:
            message = f"must begin with SELECT or WITH, got {quoted(keyword)}; correct it"
            raise DataError([Fault(self.display_name, message)])
        if ";" in code:
            message = "must be one SELECT, got more than one statement; keep one"
            raise DataError([Fault(self.display_name, message)])
        if writing := WRITING_KEYWORDS.search(code):
            message = f"must write nothing, got {quoted(writing[0])}; remove it, or quote it where it is a name"
            raise DataError([Fault(self.display_name, message)])

    @property
    def display_name(self) -> str:
        """Name of the query in messages."""
        return "query"

    @property
    def statement(self) -> str:
        """The text for SQLAlchemy, without a last semicolon; colons are escaped, so that none marks a parameter."""
        return self.text.strip().rstrip("; \t\r\n").replace(":", "\\:") + "\n"


Relation = TableName | Query


@dataclass(frozen=True)
class ReadTransaction:
    """A read-only transaction on a database; see `open_read_transaction`.

    Parameters
    ----------
    address
        The address without its password.
    connection
        Connection with an open transaction that only reads.
    """

    address: str
    connection: Connection = field(repr=False)

    def column_names(self, relation: Relation) -> list[str]:
        """Return the column names of a table or a query, trimmed and in Unicode's composed form.

        Raises
        ------
        DataError
            Where the table does not exist, the query fails, or two names are the same or one is empty.
        """
        return [normal_name(column[0]) for column in self._describe(relation)]

    def chunks(self, relation: Relation, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield the rows of a table or a query, at most ``rows`` at a time, at least one chunk.

        The Arrow types are those that the database declares. Integers, reals, booleans and text keep their types;
        instants are in UTC, times without a zone stay without one; exact numbers are Arrow decimals where precision and
        scale are declared, else text; dates, UUIDs and enumerations are text. For SQLite, and for queries in databases
        other than PostgreSQL, there are no declared types: see `column_types`.

        Parameters
        ----------
        relation
            The table or query to read.
        columns
            Names of the columns to read; names that do not exist are ignored.
        rows
            Largest number of rows of a chunk.

        Raises
        ------
        DataError
            Where the table does not exist, the query fails, a column holds bytes, JSON or arrays, or the connection is
            lost.
        """
        description = self._describe(relation)
        indices = [index for index, column in enumerate(description) if normal_name(column[0]) in columns]
        selection = [description[index] for index in indices]
        types = self._attempt(relation, lambda: self._column_types(relation, selection))
        names = [normal_name(column[0]) for column in selection]
        statement = _select(relation, [column[0] for column in selection])
        places = indices if isinstance(relation, Query) else range(len(indices))
        first = 1
        with closing(self._attempt(relation, lambda: self._stream(statement, rows))) as result:
            while True:
                records = self._attempt(relation, lambda: result.fetchmany(rows))
                if not records and first > 1:
                    return
                values = list(zip(*records, strict=True))
                arrays = [
                    _to_array(values[place] if records else (), column_type, name, relation)
                    for place, column_type, name in zip(places, types, names, strict=True)
                ]
                lines = np.arange(first, first + len(records), dtype=np.int64)
                table = pa.table(arrays, names=names)
                yield RawChunk(table, relation.display_name, lines, lines - 1, ordered=False)
                if not records:
                    return
                first += len(records)

    def _describe(self, relation: Relation) -> list[Any]:
        """Return the driver's description of each column."""
        import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

        if isinstance(relation, TableName):
            self._require_table(relation)
            columns: sa.ColumnClause[Any] = sa.literal_column("*")
            statement: Executable = sa.select(columns).select_from(_table_clause(relation)).where(sa.false())
        else:
            statement = _select(relation, [])

        def describe() -> list[Any]:
            with closing(self._stream(statement, 1)) as result:
                return list(result.cursor.description) if result.cursor else []

        description: list[Any] = self._attempt(relation, describe)
        names = [normal_name(column[0]) for column in description]
        for position, name in enumerate(names, start=1):
            if not name or names.count(name) > 1:
                got = f"{quoted(name)} twice" if name else "none"
                message = f"every column must have a name of its own, got {got} for column {position}"
                raise DataError([Fault(relation.display_name, message)])
        return description

    def _require_table(self, table: TableName) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

        names = self._attempt(table, lambda: _table_names(sa.inspect(self.connection), table.schema))
        if table.name not in names:
            inside = f" in schema {quoted(table.schema)}" if table.schema else ""
            hint = nearest(table.name, names) or f"; it has {len(names)} others"
            raise DataError([Fault(self.address, f"must have a table {quoted(table.name)}{inside}, got none{hint}")])

    def _column_types(self, relation: Relation, description: Sequence[Any]) -> list[ColumnType]:
        import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

        dialect, names = self.connection.dialect.name, [column[0] for column in description]
        source = relation.display_name
        if dialect == "postgresql":
            return postgres_types(self.connection, description, source=source)
        if dialect == "sqlite" and isinstance(relation, Query):
            subquery = sa.text(relation.statement).columns(*(sa.column(name) for name in names)).subquery()
            return sqlite_types(self.connection, subquery, names, frozenset(), source=source)
        if isinstance(relation, Query):
            return [CONVERTED_TEXT] * len(names)
        types = declared_columns(self.connection, relation.name, relation.schema)
        if dialect == "sqlite":
            booleans = frozenset(name for name, declared in types.items() if type(declared).__name__ == "BOOLEAN")
            return sqlite_types(self.connection, _table_clause(relation), names, booleans, source=source)
        return declared_types([(name, types[name]) for name in names], source=source)

    def _stream(self, statement: Executable, rows: int) -> CursorResult[Any]:
        return self.connection.execute(statement, execution_options={"yield_per": rows})

    def _attempt(self, relation: Relation, action: Callable[[], Any]) -> Any:
        def refusal(error: Exception) -> DataError:
            got = driver_message(error, self.connection.engine.url)
            message = f"must be readable in {self.address}, got: {got}"
            if getattr(error, "connection_invalidated", False):
                message = (
                    f"must keep the connection to {self.address} to the end, got a lost connection: {got}; run again"
                )
            return DataError([Fault(relation.display_name, message)])

        return attempt(action, refusal)


@contextmanager
def open_read_transaction(url: str) -> Iterator[ReadTransaction]:
    """Give a read-only transaction, in which all tables stay as they were when it began, until the block ends.

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

    Notes
    -----
    PostgreSQL: one transaction, REPEATABLE READ and READ ONLY. SQLite: the file is opened read-only, in one read
    transaction. MySQL and MariaDB: REPEATABLE READ, whose view of the data begins with the first table that is read.
    Other dialects: SERIALIZABLE where they have it, else their default; what a query would write there is rolled back.
    """
    connection = open_connection(url, writing=False)
    try:
        attempt(
            lambda: _begin(connection),
            lambda error: address_error(url, f"must be readable, got: {driver_message(error, connection.engine.url)}"),
        )
        yield ReadTransaction(mask_address(url), connection)
    finally:
        close_connection(connection)


def _begin(connection: Connection) -> None:
    """Begin the transaction and read once, because the first read fixes its view of the data."""
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - only databases need it

    dialect = connection.dialect
    if dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").all()
        return
    level: Any = ISOLATION_LEVELS.get(dialect.name, "SERIALIZABLE")
    if dialect.name == "postgresql":
        connection.execution_options(isolation_level=level, postgresql_readonly=True)
        # The rollback at the end resets it, so that a connection pooler gets its connection back unchanged
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        read_any_instant(connection)
        connection.exec_driver_sql("SELECT 1").all()
        return
    with suppress(AttributeError, NotImplementedError, ArgumentError):  # the dialect has no such level
        connection.execution_options(isolation_level=level)


def _table_names(inspector: Inspector, schema: str | None) -> list[str]:
    if schema is not None and schema not in inspector.get_schema_names():
        return []
    names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if inspector.dialect.name == "postgresql":
        names += inspector.get_materialized_view_names(schema)
        names += inspector.get_foreign_table_names(schema)  # type: ignore[attr-defined]
    return names


def _table_clause(table: TableName) -> TableClause:
    import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

    schema = table.schema and sa.quoted_name(table.schema, quote=True)
    return sa.table(sa.quoted_name(table.name, quote=True), schema=schema)


def _select(relation: Relation, names: Sequence[str]) -> Executable:
    import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

    if isinstance(relation, Query):
        return sa.text(relation.statement)
    columns: list[Any] = [sa.column(sa.quoted_name(name, quote=True)) for name in names] or [sa.literal_column("1")]
    return sa.select(*columns).select_from(_table_clause(relation))


def _to_array(values: Sequence[Any], column_type: ColumnType, name: str, relation: Relation) -> pa.Array:
    try:
        return column_type.array(values)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
        got = first_line(str(error))
    message = f"must hold values of the declared type ({column_type.arrow}), got: {got}"
    raise DataError([Fault(relation.display_name, message, name)])
