"""Read the rows of a scored batch back from the table of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from leadml.leads.read.connection import close_connection, open_connection
from leadml.publish.database import BATCH
from leadml.publish.sink import READ_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.leads.read.database import TableName


def table_holds_batch(url: str, table: TableName, batch_id: str) -> bool:
    """Return whether a table has rows of a batch; no table is made.

    Raises
    ------
    LeadmlError
        If the database cannot be reached.
    """
    connection = open_connection(url, writing=True)
    try:
        if not sa.inspect(connection).has_table(table.name, schema=table.schema):
            return False
        target = sa.table(sa.quoted_name(table.name, quote=True), sa.column(BATCH), schema=table.schema)
        return connection.execute(sa.select(sa.true()).where(target.c[BATCH] == batch_id).limit(1)).first() is not None
    finally:
        close_connection(connection)


def table_batch_rows(url: str, table: TableName, batch_id: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of a batch that a table holds, in frames.

    Raises
    ------
    LeadmlError
        If the database cannot be reached.
    """
    connection = open_connection(url, writing=True)
    try:
        name = sa.quoted_name(table.name, quote=True)
        source = sa.Table(name, sa.MetaData(), schema=table.schema, autoload_with=connection)
        query = sa.select(source).where(source.c[BATCH] == batch_id)
        found = connection.execute(query, execution_options={"yield_per": READ_ROWS})
        for rows in found.partitions(READ_ROWS):
            yield pd.DataFrame([tuple(row) for row in rows], columns=list(found.keys()))
    finally:
        close_connection(connection)
