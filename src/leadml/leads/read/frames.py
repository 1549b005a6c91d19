"""Read data frames in memory: those of pandas, Polars, PyArrow and other libraries that Narwhals supports."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.bytes_as_text import bytes_as_text
from leadml.leads.read.columns import require_columns
from leadml.leads.read.files import Dialect, RawChunk
from leadml.params import normal_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

NAME = "frame"


@dataclass(frozen=True)
class FrameSource:
    """A data frame that is read like a file.

    Parameters
    ----------
    table
        The columns that are needed, as an Arrow table.
    names
        The names of all columns of the frame.
    dialect
        Decimal mark and words that mean a missing value.
    keys
        Key of params that names each column, for messages.
    """

    table: pa.Table
    names: Sequence[str]
    dialect: Dialect
    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: Any, dialect: Dialect, columns: Collection[str]) -> FrameSource:
        """Return the source of a frame; columns other than the named ones are never converted.

        Raises
        ------
        DataError
            Where the object is not a frame, two of its columns have the same name, or a column that is needed has bytes
            that are not UTF-8.
        """
        try:
            data = nw.from_native(frame, eager_only=True)
        except TypeError:
            message = f"must be a frame of pandas, Polars or PyArrow, got {type(frame).__name__}"
            raise DataError([Fault(NAME, message)]) from None
        except nw.exceptions.DuplicateError:
            names = frame.column_names if isinstance(frame, pa.Table) else [str(name) for name in frame.columns]
            raise DataError([_duplicate(names)]) from None
        names = [normal_name(str(name)) for name in data.columns]
        named = [name for name in names if name]
        if len(set(named)) < len(named):
            raise DataError([_duplicate(named)])
        needed = {
            name: _to_arrow(column, name)
            for name, column in zip(names, data.iter_columns(), strict=True)
            if name and name in columns
        }
        return cls(pa.table(needed), names, dialect)

    @property
    def name(self) -> str:
        """Name of the source in messages."""
        return NAME

    def distinct(self, column: str) -> list[object]:
        """Return the distinct values of a column, in the order of rows; empty if there is no such column."""
        return self.table.column(column).unique().to_pylist() if column in self.table.column_names else []

    def require(self, columns: Collection[str], keys: Mapping[str, str] | None = None) -> None:
        """Raise a DataError where the frame has not all of some columns."""
        require_columns(columns, self.names, source=NAME, keys={**self.keys, **(keys or {})})

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most ``rows`` rows; a frame without rows gives one empty chunk."""
        table = self.table.select([name for name in self.table.column_names if name in columns])
        for first in range(0, max(table.num_rows, 1), rows):
            part = table.slice(first, rows)
            places = np.arange(first, first + part.num_rows, dtype=np.int64)
            yield RawChunk(part, NAME, places + 1, places)


def like(frame: Any, table: pd.DataFrame) -> Any:
    """Return a table as a frame of the library of another frame.

    Parameters
    ----------
    frame
        A frame of a library that Narwhals supports.
    table
        The table to return.
    """
    library = nw.get_native_namespace(frame)
    if library is pd:
        return table
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    types = [pa.string() if pa.types.is_null(each.type) else each.type for each in arrow.schema]  # no value, no type
    arrow = arrow.cast(pa.schema(list(zip(arrow.column_names, types, strict=True))))
    return nw.from_arrow(arrow, backend=library).to_native()


def _duplicate(names: list[str]) -> Fault:
    """Return the fault of two columns of one name."""
    name = next(name for name in names if names.count(name) > 1)
    return Fault(NAME, f"every column must have a name of its own, got {quoted(name)} twice")


def _to_arrow(values: nw.Series[Any], name: str) -> pa.Array | pa.ChunkedArray:
    """Return a column as an Arrow array; a column of other values than numbers, texts and dates is text."""
    column = None
    with suppress(pa.ArrowException, TypeError, ValueError, OverflowError):
        column = cast("pa.ChunkedArray", values.to_arrow())
    if column is not None and _is_plain(column.type):
        column = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        return bytes_as_text(column, name=name, source=NAME)
    texts = [None if _is_missing(value) else _as_text(value) for value in values.to_list()]
    is_bytes = any(isinstance(text, bytes) for text in texts)
    written = [text.encode() if isinstance(text, str) else text for text in texts] if is_bytes else texts
    return bytes_as_text(pa.array(written, pa.binary() if is_bytes else pa.string()), name=name, source=NAME)


def _is_plain(arrow_type: pa.DataType) -> bool:
    """Return whether the values of an Arrow type are numbers, texts, dates or bytes."""
    if pa.types.is_dictionary(arrow_type):
        return _is_plain(arrow_type.value_type) and arrow_type.value_type != pa.string_view()
    return not pa.types.is_nested(arrow_type) and not isinstance(arrow_type, pa.BaseExtensionType)


def _as_text(value: Any) -> str | bytes:
    """Return the text of a value, or its bytes; what is no Unicode, as half of a surrogate pair, is a question mark."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace").decode()


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or str(value) in {"<NA>", "NaT"}
