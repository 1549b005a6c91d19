"""Write tables of leads, chunk by chunk, as Parquet or CSV.

What enters is frames with the same columns; what leaves is one file in its place, whole.
Parquet and raw CSV hold what came; CSV for people holds no text that a spreadsheet would run as a formula, and how
many were made harmless is counted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pandas.api.types import is_numeric_dtype

from leadml.errors import LeadmlError, quoted
from leadml.publish.files import published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
SUFFIXES = (".parquet", ".csv")


class TableSink:
    """A file that is being written.

    Parameters
    ----------
    path
        Where to write; its suffix decides between CSV and Parquet.
    csv
        Whether to write CSV.
    raw
        Whether CSV keeps text that begins like a formula as it is.
    """

    def __init__(self, path: Path, *, csv: bool, raw: bool) -> None:
        """Keep the choices; the file is opened by the first frame, which gives the columns."""
        self._path, self._csv, self._raw = path, csv, raw
        self._writer: pq.ParquetWriter | pa_csv.CSVWriter | None = None
        self.harmless = 0

    def write(self, frame: pd.DataFrame) -> None:
        """Add rows."""
        if self._csv and not self._raw:
            frame = self._made_harmless(frame)
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        if self._writer is None:
            table = table.cast(_without_null_types(table.schema))
            self._writer = (
                pa_csv.CSVWriter(self._path, table.schema)
                if self._csv
                else pq.ParquetWriter(self._path, table.schema, compression="zstd", write_page_checksum=True)
            )
        self._writer.write_table(table.cast(self._writer.schema) if not self._csv else table)

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()

    def _made_harmless(self, frame: pd.DataFrame) -> pd.DataFrame:
        columns = {}
        for name in frame.columns:
            column = frame[name]
            if not is_numeric_dtype(column):
                risky = column.map(_is_risky)
                self.harmless += int(risky.sum())
                columns[name] = column.where(~risky, "'" + column.astype(str))
        return frame.assign(**columns)


@contextmanager
def table_sink(path: Path, *, raw: bool = False) -> Iterator[TableSink]:
    """Give a sink for a file that is put in place when the block ends well.

    Parameters
    ----------
    path
        Ending in ``.parquet`` or ``.csv``.
    raw
        Write CSV as it came, for machines.

    Raises
    ------
    LeadmlError
        Where the suffix is another one or the file cannot be written.
    """
    check_suffix(path)
    with published(path) as temporary:
        sink = TableSink(temporary, csv=path.suffix == ".csv", raw=raw)
        try:
            yield sink
        finally:
            sink.close()


def check_suffix(path: Path) -> None:
    """Refuse a path that is neither CSV nor Parquet."""
    if path.suffix not in SUFFIXES:
        msg = f"{path}: must end in {' or '.join(SUFFIXES)}, got {quoted(path.name)}"
        raise LeadmlError(msg)


def _is_risky(value: object) -> bool:
    return isinstance(value, str) and value.lstrip(" \u00a0\ufeff").startswith(FORMULA_STARTS)


def _without_null_types(schema: pa.Schema) -> pa.Schema:
    fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema]
    return pa.schema(fields)
