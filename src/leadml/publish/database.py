"""Write scored leads into a database table, chunk by chunk, in one transaction.

A row replaces the row with the same key, so writing a batch again changes nothing. If writing fails, the table keeps
the rows that it had. The module refuses a table without a needed column or key, and values that the database would
change.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from leadml.errors import LeadmlError, nearest, quoted
from leadml.leads.read.connection import (
    WAIT_SECONDS,
    attempt,
    close_connection,
    declared_columns,
    driver_message,
    mask_address,
    open_connection,
)
from leadml.publish.column_values import arrow_column, column_type, driver_values, sql_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    import sqlalchemy as sa
    from sqlalchemy import Connection

    from leadml.leads.read.database import TableName

BATCH = "batch_id"
KEY = ("lead_id", "target", BATCH)
STAGING = "leadml_staged"
MAX_NAME_BYTES = 63  # PostgreSQL truncates longer names
PLACEHOLDER = "%("  # SQLAlchemy reads it as a parameter, even inside quotes


class TableWriter:
    """Write frames into one table; `table_writer` opens and closes it.

    Parameters
    ----------
    connection
        Open connection to the database.
    table
        Table to write to.
    key
        Columns that identify a row.
    address
        The address of the database without its password, for messages.
    """

    defused = 0  # texts that were escaped: none, because a database runs no spreadsheet formula

    def __init__(self, connection: Connection, table: TableName, *, key: Sequence[str], address: str) -> None:
        """Store the choices; the first frame determines the columns."""
        self._connection, self._table, self._key, self._address = connection, table, tuple(key), address
        self._dialect = connection.dialect.name
        self._schema: pa.Schema | None = None
        self._empty: dict[str, pa.Array] = {}

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame; of two rows with the same key the later one stays.

        Raises
        ------
        LeadmlError
            If columns, types or values do not fit the table, or the database rejects the rows.
        """
        columns = {str(name): arrow_column(frame.iloc[:, at], str(name)) for at, name in enumerate(frame.columns)}
        if self._schema is None:
            self._empty = columns
            if frame.empty:  # a column without values has no reliable type
                return
            self._begin(columns, width=frame.shape[1])
        names = [field.name for field in self._schema or ()]
        if list(columns) != names:
            self._refuse(f"every chunk must have the columns {', '.join(names)}, got others")
        if frame.empty:
            return
        arrays = [self._cast(columns[field.name], field) for field in self._schema or ()]
        values = [driver_values(array, dialect=self._dialect) for array in arrays]
        rows = [dict(zip(_bind_names(len(values)), row, strict=True)) for row in zip(*values, strict=True)]
        self._attempt(lambda: self._insert(rows))

    def finish(self) -> None:
        """Commit, so that all written rows become visible at once."""
        if self._schema is None and self._empty:
            self._begin(self._empty, width=len(self._empty))
        if self._schema is None:
            return
        if self._dialect == "sqlite":
            self._attempt(self._publish_staging)
        else:
            self._attempt(self._connection.commit)

    def _begin(self, columns: dict[str, pa.Array], *, width: int) -> None:
        if len(columns) != width:
            self._refuse("every column must have a different name, got one name twice")
        missing = [name for name in self._key if name not in columns]
        if missing:
            self._refuse(f"the rows must have the key column {quoted(missing[0])}, got none")
        for name in (*columns, self._table.name, *([self._table.schema] if self._table.schema else [])):
            self._check_name(name)
        self._schema = pa.schema([(name, column_type(array.type, name)) for name, array in columns.items()])
        self._attempt(self._prepare)

    def _check_name(self, name: str) -> None:
        is_valid = name.isprintable() and name.strip() and PLACEHOLDER not in name
        if not is_valid or (self._dialect == "postgresql" and len(name.encode()) > MAX_NAME_BYTES):
            must = f"have printable names of at most {MAX_NAME_BYTES} bytes without '{PLACEHOLDER}'"
            self._refuse(f"tables and columns must {must}, got {quoted(name)}; rename it")

    def _prepare(self) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

        target = self._target()
        exists = sa.inspect(self._connection).has_table(self._table.name, schema=self._table.schema)
        if exists:
            self._check_table()
        if self._dialect == "sqlite":
            # SQLite allows one writer, which waits for readers; a staging table keeps the lock as short as one copy
            self._target(staging=True).create(self._connection)
            self._connection.commit()
        elif not exists:
            target.create(self._connection)

    def _check_table(self) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

        declared = declared_columns(self._connection, self._table.name, self._table.schema)
        for field in self._schema or ():
            if field.name not in declared:
                hint = nearest(field.name, declared) or f"; it has {len(declared)} other columns"
                self._refuse(f"must have a column {quoted(field.name)}, got none{hint}; add it")
            if pa.types.is_floating(field.type) and isinstance(declared[field.name], sa.Integer):
                got = f"an integer column {quoted(field.name)}"
                self._refuse(f"must store fractions unchanged, got {got}; make it double precision")
        if self._dialect in {"postgresql", "sqlite"} and frozenset(self._key) not in self._unique_keys():
            key = ", ".join(quoted(name) for name in self._key)
            self._refuse(f"must have a primary key or a unique index on {key}, got none; add it")

    def _unique_keys(self) -> set[frozenset[str]]:
        """Return the sets of columns that the database declares unique."""
        import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

        inspector, table = sa.inspect(self._connection), (self._table.name, self._table.schema)
        keys: list[Any] = [inspector.get_pk_constraint(*table)["constrained_columns"]]
        keys += [entry["column_names"] for entry in inspector.get_unique_constraints(*table)]
        for index in inspector.get_indexes(*table):
            options: Any = index.get("dialect_options", {})
            if index["unique"] and not any(name.endswith("_where") for name in options):
                keys.append(index["column_names"])
        return {frozenset(names) for names in keys}

    def _target(self, *, staging: bool = False) -> sa.Table:
        import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

        columns = [
            sa.Column(
                sa.quoted_name(field.name, quote=True),
                sql_type(field.type, dialect=self._dialect, key=field.name in self._key),
                primary_key=field.name in self._key,
                autoincrement=False,
            )
            for field in self._schema or ()
        ]
        by_name = {column.name: column for column in columns}
        others = [column for name, column in by_name.items() if name not in self._key]
        ordered = [*(by_name[name] for name in self._key), *others]
        if staging:
            return sa.Table(STAGING, sa.MetaData(), *ordered, schema="temp")
        schema = self._table.schema and sa.quoted_name(self._table.schema, quote=True)
        return sa.Table(sa.quoted_name(self._table.name, quote=True), sa.MetaData(), *ordered, schema=schema)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

        binds = dict(zip((field.name for field in self._schema or ()), _bind_names(len(rows[0])), strict=True))
        if self._dialect == "sqlite":
            self._connection.exec_driver_sql("BEGIN")
        target = self._target(staging=self._dialect == "sqlite")
        values: dict[Any, Any] = {target.c[name]: sa.bindparam(bind) for name, bind in binds.items()}
        if self._dialect in {"postgresql", "sqlite"}:
            self._connection.execute(_upsert(self._insert_into(target).values(values), target), rows)
        else:
            by_key = {tuple(row[binds[name]] for name in self._key): row for row in rows}
            same_key = [target.c[name] == sa.bindparam(binds[name]) for name in self._key]
            self._connection.execute(sa.delete(target).where(*same_key), list(by_key.values()))
            self._connection.execute(sa.insert(target).values(values), list(by_key.values()))
        if self._dialect == "sqlite":
            self._connection.commit()

    def _publish_staging(self) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

        self._connection.commit()
        self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        target, staging = self._target(), self._target(staging=True)
        if sa.inspect(self._connection).has_table(self._table.name, schema=self._table.schema):
            self._check_table()
        else:
            target.create(self._connection)
        names = [column.name for column in target.c]
        rows = sa.select(*(staging.c[name] for name in names)).where(sa.true())
        self._connection.execute(_upsert(self._insert_into(target).from_select(names, rows), target))
        self._connection.commit()

    def _insert_into(self, target: sa.Table) -> Any:
        from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415 - SQLAlchemy is an extra

        return (sqlite if self._dialect == "sqlite" else postgresql).insert(target)

    def _cast(self, array: pa.Array, field: pa.Field) -> pa.Array:
        """Return a column with the type that it has in the first chunk."""
        numbers, found = {pa.int64(), pa.float64()}, column_type(array.type, field.name)
        problem = "" if found == field.type or {found, field.type} <= numbers else str(found)
        if not problem or array.null_count == len(array):
            try:
                array, problem = array.cast(field.type), ""
            except pa.ArrowException as error:
                problem = str(error).splitlines()[0]
        if problem:
            self._refuse(f"{quoted(field.name)} must be {field.type} in every chunk, got {quoted(problem)}")
        if field.name in self._key and array.null_count:
            self._refuse(f"the key column {quoted(field.name)} must have a value in every row, got none")
        is_text = pa.types.is_string(array.type)
        if is_text and self._dialect == "postgresql" and pc.any(pc.match_substring(array, "\0")).as_py():
            self._refuse(f"{quoted(field.name)} must be text that PostgreSQL can store, got text with a NUL character")
        return array

    def _attempt(self, action: Callable[[], Any]) -> Any:
        def refusal(error: Exception) -> LeadmlError:
            message = driver_message(error, self._connection.engine.url)
            hint = "; close the program that uses it and run again" if "locked" in message else ""
            return self._error(f"must accept the rows, got: {message}{hint}; nothing was written")

        return attempt(action, refusal)

    def _refuse(self, message: str) -> NoReturn:
        raise self._error(message)

    def _error(self, message: str) -> LeadmlError:
        return LeadmlError(f"{self._address}: {self._table.display_name}: {message}")


@contextmanager
def table_writer(
    url: str, table: TableName, *, key: Sequence[str] = KEY, wait_seconds: float = WAIT_SECONDS
) -> Iterator[TableWriter]:
    """Give a writer of a table; the rows become visible together when the block ends without an error.

    A row replaces the row with the same key. If the table does not exist, it is created with the key as primary key.
    PostgreSQL is written in one transaction. An SQLite file is written when the block ends, in one transaction that
    waits for readers; close any read transaction on the same file before that. Other dialects delete and insert, in
    one transaction if their tables exist already.

    Parameters
    ----------
    url
        Address of the database, with its password.
    table
        Table to write to.
    key
        Columns that identify a row.
    wait_seconds
        How long a server may take to answer, or a lock of SQLite to be released.

    Raises
    ------
    MissingExtraError
        If SQLAlchemy or the driver of the database is not installed.
    LeadmlError
        If the database cannot be reached, the table does not fit, or the database rejects the rows.
    """
    connection = open_connection(url, writing=True, wait_seconds=wait_seconds)
    try:
        writer = TableWriter(connection, table, key=key, address=mask_address(url))
        yield writer
        writer.finish()
    finally:
        close_connection(connection)


def _upsert(statement: Any, target: sa.Table) -> Any:
    """Return an insert statement that updates the row with the same key."""
    key = list(target.primary_key)
    others = {column.name: statement.excluded[column.name] for column in target.c if not column.primary_key}
    if not others:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def _bind_names(count: int) -> list[str]:
    return [f"v{at}" for at in range(count)]
