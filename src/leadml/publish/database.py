"""Write tables of leads into a database, chunk by chunk, all or nothing.

What enters is frames with the same columns; what leaves is their rows in one table, each key once, however often the
same batch is written.
It refuses a table that lacks a column or a key, and values that the database would not hold as they are.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from leadml.errors import LeadmlError, nearest, quoted
from leadml.leads.read.connection import (
    attempt,
    close_connection,
    declared_columns,
    driver_message,
    mask_address,
    open_connection,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    import sqlalchemy as sa
    from sqlalchemy import Connection

    from leadml.leads.read.database import TableName

KEY = ("lead_id", "target", "batch_id")
STAGED = "leadml_staged"
LONGEST_NAME = 63  # bytes in PostgreSQL, which would cut the rest off
PLACEHOLDER = "%("  # SQLAlchemy takes it for one of its own, also between quotes
LONGEST_KEY = 255  # letters, where a key cannot be text of any length


class TableWriter:
    """A table that is being written; see `table_writer`.

    Parameters
    ----------
    connection
        To write with.
    table
        Where the rows go.
    key
        Columns that tell rows apart.
    where
        The address as it may be shown.
    """

    harmless = 0  # a database runs no formula: text stays as it came

    def __init__(self, connection: Connection, table: TableName, *, key: Sequence[str], where: str) -> None:
        """Keep the choices; the first frame gives the columns."""
        self._connection, self._table, self._key, self._where = connection, table, tuple(key), where
        self._dialect = connection.dialect.name
        self._schema: pa.Schema | None = None
        self._empty: dict[str, pa.Array] = {}

    def write(self, frame: pd.DataFrame) -> None:
        """Add rows; where a key is written twice the later row stays.

        Raises
        ------
        LeadmlError
            Where columns, types or values do not fit, or the database refuses.
        """
        columns = {str(name): _arrow(frame.iloc[:, at], str(name)) for at, name in enumerate(frame.columns)}
        if self._schema is None:
            self._empty = columns
            if frame.empty:  # a column without values has no type that could be trusted
                return
            self._begin(columns, width=frame.shape[1])
        names = [field.name for field in self._schema or ()]
        if list(columns) != names:
            self._refuse(f"every chunk must have the columns {', '.join(names)}, got others")
        if frame.empty:
            return
        fitted = [self._fit(columns[field.name], field) for field in self._schema or ()]
        values = [_plain(array, dialect=self._dialect) for array in fitted]
        rows = [dict(zip(_binds(len(values)), row, strict=True)) for row in zip(*values, strict=True)]
        self._attempt(lambda: self._insert(rows))

    def finish(self) -> None:
        """Make all that was written visible at once."""
        if self._schema is None and self._empty:
            self._begin(self._empty, width=len(self._empty))
        if self._schema is None:
            return
        if self._dialect == "sqlite":
            self._attempt(self._publish_staged)
        else:
            self._attempt(self._connection.commit)

    def _begin(self, columns: dict[str, pa.Array], *, width: int) -> None:
        if len(columns) != width:
            self._refuse("every column must have a name of its own, got one twice")
        lacking = [name for name in self._key if name not in columns]
        if lacking:
            self._refuse(f"the rows must have the key column {quoted(lacking[0])}, got none")
        for name in (*columns, self._table.name, *([self._table.schema] if self._table.schema else [])):
            self._check_name(name)
        self._schema = pa.schema([(name, _kind(array.type, name)) for name, array in columns.items()])
        self._attempt(self._prepare)

    def _check_name(self, name: str) -> None:
        whole = name.isprintable() and name.strip() and PLACEHOLDER not in name
        if not whole or (self._dialect == "postgresql" and len(name.encode()) > LONGEST_NAME):
            must = f"have printable names of at most {LONGEST_NAME} bytes without '{PLACEHOLDER}'"
            self._refuse(f"tables and columns must {must}, got {quoted(name)}; rename it")

    def _prepare(self) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        target = self._target()
        exists = sa.inspect(self._connection).has_table(self._table.name, schema=self._table.schema)
        if exists:
            self._check_table()
        if self._dialect == "sqlite":
            # A file has one writer, which waits for readers: it is locked at the end alone, for as long as a copy takes
            self._target(staged=True).create(self._connection)
            self._connection.commit()
        elif not exists:
            target.create(self._connection)

    def _check_table(self) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        declared = declared_columns(self._connection, self._table.name, self._table.schema)
        for field in self._schema or ():
            if field.name not in declared:
                hint = nearest(field.name, declared) or f"; it has {len(declared)} others"
                self._refuse(f"must have a column {quoted(field.name)}, got none{hint}; add it")
            if pa.types.is_floating(field.type) and isinstance(declared[field.name], sa.Integer):
                got = f"whole numbers in {quoted(field.name)}"
                self._refuse(f"must hold fractions as they are, got {got}; make it double precision")
        if self._dialect in {"postgresql", "sqlite"} and frozenset(self._key) not in self._unique():
            key = ", ".join(quoted(name) for name in self._key)
            self._refuse(f"must have a primary key or a unique index on {key}, got none; add it")

    def _unique(self) -> set[frozenset[str]]:
        """Return which columns together tell rows apart, as the database knows it."""
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        inspector, place = sa.inspect(self._connection), (self._table.name, self._table.schema)
        found: list[Any] = [inspector.get_pk_constraint(*place)["constrained_columns"]]
        found += [entry["column_names"] for entry in inspector.get_unique_constraints(*place)]
        for index in inspector.get_indexes(*place):
            options: Any = index.get("dialect_options", {})
            if index["unique"] and not any(name.endswith("_where") for name in options):
                found.append(index["column_names"])
        return {frozenset(names) for names in found}

    def _target(self, *, staged: bool = False) -> sa.Table:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        columns = [
            sa.Column(
                sa.quoted_name(field.name, quote=True),
                _sql_type(field.type, dialect=self._dialect, key=field.name in self._key),
                primary_key=field.name in self._key,
                autoincrement=False,
            )
            for field in self._schema or ()
        ]
        key = {column.name: column for column in columns}
        ordered = [*(key[name] for name in self._key), *(key[name] for name in key if name not in self._key)]
        if staged:
            return sa.Table(STAGED, sa.MetaData(), *ordered, schema="temp")
        schema = self._table.schema and sa.quoted_name(self._table.schema, quote=True)
        return sa.Table(sa.quoted_name(self._table.name, quote=True), sa.MetaData(), *ordered, schema=schema)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        binds = dict(zip((field.name for field in self._schema or ()), _binds(len(rows[0])), strict=True))
        if self._dialect == "sqlite":
            self._connection.exec_driver_sql("BEGIN")
        target = self._target(staged=self._dialect == "sqlite")
        values: dict[Any, Any] = {target.c[name]: sa.bindparam(bind) for name, bind in binds.items()}
        if self._dialect in {"postgresql", "sqlite"}:
            self._connection.execute(_or_update(self._new(target).values(values), target), rows)
        else:
            last = {tuple(row[binds[name]] for name in self._key): row for row in rows}
            matching = [target.c[name] == sa.bindparam(binds[name]) for name in self._key]
            self._connection.execute(sa.delete(target).where(*matching), list(last.values()))
            self._connection.execute(sa.insert(target).values(values), list(last.values()))
        if self._dialect == "sqlite":
            self._connection.commit()

    def _publish_staged(self) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

        self._connection.commit()
        self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        target, staged = self._target(), self._target(staged=True)
        if sa.inspect(self._connection).has_table(self._table.name, schema=self._table.schema):
            self._check_table()
        else:
            target.create(self._connection)
        names = [column.name for column in target.c]
        rows = sa.select(*(staged.c[name] for name in names)).where(sa.true())
        self._connection.execute(_or_update(self._new(target).from_select(names, rows), target))
        self._connection.commit()

    def _new(self, target: sa.Table) -> Any:
        from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415 - the door opens without it

        return (sqlite if self._dialect == "sqlite" else postgresql).insert(target)

    def _fit(self, array: pa.Array, field: pa.Field) -> pa.Array:
        numbers, found = {pa.int64(), pa.float64()}, _kind(array.type, field.name)
        refused = "" if found == field.type or {found, field.type} <= numbers else str(found)
        if not refused or array.null_count == len(array):
            try:
                array, refused = array.cast(field.type), ""
            except pa.ArrowException as error:
                refused = str(error).splitlines()[0]
        if refused:
            self._refuse(f"{quoted(field.name)} must be {field.type} in every chunk, got {quoted(refused)}")
        if field.name in self._key and array.null_count:
            self._refuse(f"the key column {quoted(field.name)} must have a value in every row, got none")
        text = pa.types.is_string(array.type)
        if text and self._dialect == "postgresql" and pc.any(pc.match_substring(array, "\0")).as_py():
            self._refuse(f"{quoted(field.name)} must be text that PostgreSQL can hold, got the letter NUL in it")
        return array

    def _attempt(self, action: Callable[[], Any]) -> Any:
        def refusal(error: Exception) -> LeadmlError:
            said = driver_message(error, self._connection.engine.url)
            hint = "; close what holds it and run again" if "locked" in said else ""
            return self._error(f"must take the rows, got: {said}{hint}; nothing was written")

        return attempt(action, refusal)

    def _refuse(self, message: str) -> NoReturn:
        raise self._error(message)

    def _error(self, message: str) -> LeadmlError:
        return LeadmlError(f"{self._where}: {self._table.display_name}: {message}")


@contextmanager
def table_writer(url: str, table: TableName, *, key: Sequence[str] = KEY) -> Iterator[TableWriter]:
    """Give a sink for a table whose rows are all there when the block ends well, and else as they were.

    A row whose key is there replaces it. The table is made where it is absent, with the key as its primary key.
    PostgreSQL is written in one transaction. An SQLite file is written at the end, in one transaction: it waits for
    those who read it, so that a snapshot of the same file must end before the block does. Other dialects delete and
    insert, in one transaction where their tables are there already.

    Parameters
    ----------
    url
        An address with its password in it.
    table
        Where the rows go.
    key
        Columns that tell rows apart.

    Raises
    ------
    MissingExtraError
        Where SQLAlchemy or the database's driver is not installed.
    LeadmlError
        Where the database cannot be reached, the table does not fit, or the rows are not taken.
    """
    connection = open_connection(url, writing=True)
    try:
        writer = TableWriter(connection, table, key=key, where=mask_address(url))
        yield writer
        writer.finish()
    finally:
        close_connection(connection)


def _arrow(column: pd.Series[Any], name: str) -> pa.Array:
    """Return a column in Arrow; NaN is missing."""
    got = ""
    zoned = getattr(column.dtype, "tz", None) is not None
    try:
        array = pa.array(column.dt.tz_convert(None) if zoned else column, from_pandas=True)
        array = array.cast(pa.timestamp(array.type.unit, "UTC")) if zoned else array
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    except (pa.ArrowException, UnicodeError, TypeError, OverflowError) as error:
        got = str(error).splitlines()[0]
    msg = f"{quoted(name)} must hold values of one kind that a table can hold, got {quoted(got)}"
    raise LeadmlError(msg)


def _kind(found: pa.DataType, name: str) -> pa.DataType:
    """Return which of the six types of a written column a type is."""
    if pa.types.is_null(found) or pa.types.is_string(found) or pa.types.is_large_string(found):
        return pa.string()
    if pa.types.is_boolean(found):
        return pa.bool_()
    if pa.types.is_integer(found):
        return pa.int64()
    if pa.types.is_floating(found):
        return pa.float64()
    if pa.types.is_timestamp(found):
        return pa.timestamp("us", "UTC" if found.tz else None)
    msg = f"{quoted(name)} must hold text, numbers, true and false or instants, got {quoted(found)}"
    raise LeadmlError(msg)


def _sql_type(kind: pa.DataType, *, dialect: str, key: bool) -> Any:
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    if pa.types.is_boolean(kind):
        return sa.Boolean()
    if pa.types.is_integer(kind):
        return sa.BigInteger()
    if pa.types.is_floating(kind):
        return sa.Double()
    if pa.types.is_timestamp(kind) and dialect != "sqlite":
        return sa.DateTime(timezone=kind.tz is not None)
    return sa.String(LONGEST_KEY) if key and dialect not in {"postgresql", "sqlite"} else sa.Text()


def _plain(array: pa.Array, *, dialect: str) -> list[Any]:
    """Return values as the driver takes them; SQLite has no instants, and gets them in ISO 8601."""
    values: list[Any] = array.to_pylist()
    if dialect == "sqlite" and pa.types.is_timestamp(array.type):
        return [value and value.isoformat() for value in values]
    return values


def _or_update(statement: Any, target: sa.Table) -> Any:
    """Return an insert that replaces the row with the same key."""
    key = list(target.primary_key)
    others = {column.name: statement.excluded[column.name] for column in target.c if not column.primary_key}
    if not others:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def _binds(number: int) -> list[str]:
    return [f"v{at}" for at in range(number)]
