"""Read frames that are in memory already: pandas, Polars, PyArrow and what else Narwhals knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.columns import require_columns
from leadml.leads.read.files import Dialect, RawChunk, normal_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

NAME = "frame"


@dataclass(frozen=True)
class FrameSource:
    """A frame, read as if it were a file.

    Parameters
    ----------
    table
        Its columns, as an Arrow table.
    dialect
        Which words mean "not known".
    keys
        The key of params that names each column of a role.
    """

    table: pa.Table
    dialect: Dialect
    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: Any, dialect: Dialect) -> FrameSource:
        """Return the source of a frame.

        Raises
        ------
        DataError
            Where it is no frame, or two of its columns have the same name.
        """
        try:
            known = nw.from_native(frame, eager_only=True)
        except TypeError:
            got = f"must be a frame of pandas, Polars or PyArrow, got {type(frame).__name__}"
            raise DataError([Fault(NAME, got)]) from None
        names = [normal_name(str(name)) for name in known.columns]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise DataError([Fault(NAME, f"every column must have a name of its own, got {quoted(twice)} twice")])
        columns = [_column(known[name]) for name in known.columns]
        return cls(pa.table(columns, names=names), dialect)

    @property
    def name(self) -> str:
        """How messages call it."""
        return NAME

    def require(self, columns: Collection[str]) -> None:
        """Refuse a frame that lacks a column."""
        require_columns(columns, self.table.column_names, source=NAME, keys=self.keys)

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most so many rows; an empty frame is one empty chunk."""
        table = self.table.select([name for name in self.table.column_names if name in columns])
        for first in range(0, max(table.num_rows, 1), rows):
            part = table.slice(first, rows)
            places = np.arange(first, first + part.num_rows, dtype=np.int64)
            yield RawChunk(part, NAME, places + 1, places)


def like(frame: Any, table: pd.DataFrame) -> Any:
    """Return a table as a frame of the library that another frame is of.

    Parameters
    ----------
    frame
        A frame that Narwhals reads.
    table
        What to return.
    """
    library = nw.get_native_namespace(frame)
    if library is pd:
        return table
    return nw.from_arrow(pa.Table.from_pandas(table, preserve_index=False), backend=library).to_native()


def _column(values: nw.Series[Any]) -> pa.Array | pa.ChunkedArray:
    """Return a column as Arrow has it; of mixed values their texts, as a file would have them."""
    try:
        return cast("pa.ChunkedArray", values.to_arrow())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if _is_missing(value) else str(value) for value in values.to_list()], pa.string())


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or str(value) in {"<NA>", "NaT"}
