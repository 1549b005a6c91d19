"""Refuse a table that lacks a column, with the nearest name that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import DataError, Fault, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def require_columns(
    columns: Collection[str], names: Collection[str], *, source: str, keys: Mapping[str, str] | None = None
) -> None:
    """Refuse a table that lacks a column.

    Parameters
    ----------
    columns, names
        Those that must be there, and those that are.
    source
        What messages call the table.
    keys
        The key of params that names a column, where one does.

    Raises
    ------
    DataError
        One line a missing column, with the nearest name that is there.
    """
    faults = []
    for column in columns:
        if column not in names:
            hint = nearest(column, names) or f"; it has {len(names)} others"
            remedy = f"; set {keys[column]}" if keys and column in keys else ""
            faults.append(Fault(source, f"must have a column {quoted(column)}, got none{hint}{remedy}"))
    if faults:
        raise DataError(faults)
