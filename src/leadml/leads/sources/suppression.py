"""Read the lists of people who must not be scored, and take their rows out of every table before it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import ParamsError
from leadml.leads.check.convert import arrow_ids
from leadml.leads.check.load import CHUNK_ROWS
from leadml.leads.read.files import Dialect
from leadml.leads.read.suppressed import WithoutPeople
from leadml.leads.read.table_source import open_table_sources
from leadml.params import normal_name

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from leadml.leads.read.table_source import TableSource
    from leadml.params import Params


def read_suppressed(root: Path, params: Params) -> frozenset[str]:
    """Return the ids of the leads of all lists that params name.

    Parameters
    ----------
    root
        The folder that paths are relative to.
    params
        The choices.

    Raises
    ------
    DataError
        If a list cannot be read, or has no column of the id: whoever is on it would be scored.
    """
    found: set[str] = set()
    if not params.suppression:
        return frozenset()
    with open_table_sources(params.suppression, root, Dialect.from_params(params.data)) as lists:
        for name, source in lists.items():
            column = normal_name(params.suppression[name].lead_id)
            source.require([column])
            for chunk in source.chunks([column], rows=CHUNK_ROWS):
                found.update(_ids(chunk.table[column]).drop_null().to_pylist())
    return frozenset(found)


def without_suppressed(source: TableSource, column: str | None, ids: frozenset[str]) -> TableSource:
    """Return a table without the rows of some leads; as it is if there are none.

    Parameters
    ----------
    source
        The table.
    column
        Its column of the id.
    ids
        The ids of the leads.

    Raises
    ------
    ParamsError
        If leads have no column of the id, so that nobody can be recognised.
    """
    if not ids:
        return source
    if column is None:
        msg = "suppression must have a column of the id to know people by, got none; set data.lead_id"
        raise ParamsError(msg)
    return WithoutPeople(source, normal_name(column), ids, _ids)


def _ids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return arrow_ids(column)[0]
