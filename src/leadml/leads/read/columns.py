"""Refuse a table that has not all required columns, and name the most similar columns that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import DataError, Fault, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def require_columns(
    columns: Collection[str], names: Collection[str], *, source: str, keys: Mapping[str, str] | None = None
) -> None:
    """Raise a DataError where a table has not all of some columns, with one line for each missing column.

    Parameters
    ----------
    columns
        Columns that the table must have.
    names
        Columns that the table has; the message names the most similar of them.
    source
        Name of the table in messages.
    keys
        Key of params that names a column, where there is one.

    Raises
    ------
    DataError
        Where a column is missing.
    """
    faults = []
    for column in columns:
        if column not in names:
            hint = nearest(column, names) or f"; it has {len(names)} others"
            remedy = f"; set {keys[column]}" if keys and column in keys else ""
            faults.append(Fault(source, f"must have a column {quoted(column)}, got none{hint}{remedy}"))
    if faults:
        raise DataError(faults)
