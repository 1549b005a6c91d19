"""Rows that wait in memory until they are inserted together, in the order of a table's tree.

Leads come in any order. If each chunk went to its places in the tree of all scores, every chunk would write most of the
tree again. In Arrow's columns a score takes 24 bytes for its numbers, and for the id and the stage their texts and four
bytes each.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

SLICE_ROWS = 50_000  # the rows that are Python objects at a time: as many as score.chunk_rows by default
ARROW_TYPES = {
    sa.Text: pa.string(),
    sa.Double: pa.float64(),
    sa.Integer: pa.int64(),
    sa.LargeBinary: pa.binary(),
}


class WaitingRows:
    """Rows of one table that wait.

    Parameters
    ----------
    table
        The table.
    names
        The columns that rows bring; the rows are inserted in the order of these columns' keys.
    """

    def __init__(self, table: sa.Table, names: Iterable[str]) -> None:
        """Begin without rows."""
        self._table, self._names = table, list(names)
        self._keys = [name for name in self._names if table.c[name].primary_key]
        types = {name: next(at for kind, at in ARROW_TYPES.items() if isinstance(table.c[name].type, kind))
                 for name in self._names}  # fmt: skip
        self._schema = pa.schema(list(types.items()))
        self._parts: list[pa.Table] = []

    def add(self, columns: Mapping[str, Any]) -> None:
        """Add rows: arrays of one length by column."""
        part = pa.table({name: columns[name] for name in self._names}, schema=self._schema)
        self._parts.append(part)

    def insert(self, connection: Connection, constants: Mapping[str, Any]) -> None:
        """Insert all rows, with some columns that are the same in each, and keep none."""
        rows = pa.concat_tables([self._schema.empty_table(), *self._parts])
        self._parts = []
        rows = rows.sort_by([(name, "ascending") for name in self._keys])
        for first in range(0, len(rows), SLICE_ROWS):
            part = rows.slice(first, SLICE_ROWS)
            insert_rows(connection, self._table, {name: part[name].to_pylist() for name in self._names}, constants)


def insert_rows(
    connection: Connection, table: sa.Table, columns: Mapping[str, list[Any]], constants: Mapping[str, Any]
) -> None:
    """Insert rows that are given as columns, and as values that are the same in each row."""
    names = [*constants, *columns]
    if connection.dialect.name == "sqlite":  # SQLAlchemy's own way would make a dict of each row
        places = ", ".join("?" for _ in names)
        text = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - names of our own
        # Lists of one length, beside values without an end.
        rows = list(zip(*(repeat(value) for value in constants.values()), *columns.values(), strict=False))
        if rows:
            connection.exec_driver_sql(text, rows)
        return
    arrays = [sa.bindparam(name, values, type_=ARRAY(table.c[name].type)) for name, values in columns.items()]
    rows_of = sa.func.unnest(*arrays).table_valued(*columns).render_derived()
    fixed = [sa.literal(value, table.c[name].type) for name, value in constants.items()]
    connection.execute(sa.insert(table).from_select(names, sa.select(*fixed, rows_of)))
