"""Columns of frames as a database stores them: six types, and the values that its driver takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadml.errors import LeadmlError, quoted

if TYPE_CHECKING:
    import pandas as pd

MAX_KEY_LENGTH = 255  # characters, for dialects whose keys cannot be text of any length


def arrow_column(column: pd.Series[Any], name: str) -> pa.Array:
    """Return a column as an Arrow array; NaN becomes null."""
    has_zone = getattr(column.dtype, "tz", None) is not None
    try:
        array = pa.array(column.dt.tz_convert(None) if has_zone else column, from_pandas=True)
        array = array.cast(pa.timestamp(array.type.unit, "UTC")) if has_zone else array
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    except (pa.ArrowException, UnicodeError, TypeError, OverflowError) as error:
        problem = str(error).splitlines()[0]
    msg = f"{quoted(name)} must hold values of one type that a database can store, got {quoted(problem)}"
    raise LeadmlError(msg)


def column_type(arrow_type: pa.DataType, name: str) -> pa.DataType:
    """Return the type in which a column is written: one of six."""
    if pa.types.is_null(arrow_type) or pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type):
        return pa.string()
    if pa.types.is_boolean(arrow_type):
        return pa.bool_()
    if pa.types.is_integer(arrow_type):
        return pa.int64()
    if pa.types.is_floating(arrow_type):
        return pa.float64()
    if pa.types.is_timestamp(arrow_type):
        return pa.timestamp("us", "UTC" if arrow_type.tz else None)
    msg = f"{quoted(name)} must hold text, numbers, booleans or instants, got {quoted(arrow_type)}"
    raise LeadmlError(msg)


def sql_type(column_type: pa.DataType, *, dialect: str, key: bool) -> Any:
    """Return the SQL type of a column; a key has a length in dialects that need one."""
    import sqlalchemy as sa  # noqa: PLC0415 - SQLAlchemy is an extra

    if pa.types.is_boolean(column_type):
        return sa.Boolean()
    if pa.types.is_integer(column_type):
        return sa.BigInteger()
    if pa.types.is_floating(column_type):
        return sa.Double()
    if pa.types.is_timestamp(column_type) and dialect != "sqlite":
        return sa.DateTime(timezone=column_type.tz is not None)
    return sa.String(MAX_KEY_LENGTH) if key and dialect not in {"postgresql", "sqlite"} else sa.Text()


def driver_values(array: pa.Array, *, dialect: str) -> list[Any]:
    """Return values for the driver; SQLite has no type for instants and gets text in ISO 8601."""
    values: list[Any] = array.to_pylist()
    if dialect == "sqlite" and pa.types.is_timestamp(array.type):
        return [value and value.isoformat() for value in values]
    return values
