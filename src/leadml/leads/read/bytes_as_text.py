"""Read columns of bytes as text: Impala, Hive and older Spark write text to Parquet without a mark that it is text."""

from __future__ import annotations

import pyarrow as pa

from leadml.errors import DataError, Fault


def bytes_as_text(column: pa.Array | pa.ChunkedArray, *, name: str, source: str) -> pa.Array | pa.ChunkedArray:
    r"""Return a column of bytes as one of text, and any other column as it is.

    Parameters
    ----------
    column
        The column.
    name
        Its name, for messages.
    source
        Name of the table, for messages.

    Raises
    ------
    DataError
        Where the bytes are not UTF-8.

    Examples
    --------
    >>> bytes_as_text(pa.array([b"caf\xc3\xa9", None]), name="x", source="leads.parquet").to_pylist()
    ['café', None]
    """
    held = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not _is_bytes(held):
        return column
    try:
        text = column.cast(held).cast(pa.binary()).cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        message = "must be text, got bytes that are not UTF-8; write the column as text, or leave it out"
        raise DataError([Fault(source, message, name)]) from None
    return text


def _is_bytes(held: pa.DataType) -> bool:
    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(is_kind(held) for is_kind in kinds)
