"""Write tables of leads, chunk by chunk, as Parquet or CSV.

Parquet and raw CSV contain every text unchanged. In CSV for people, a text that a spreadsheet would run as a formula
gets a ``'`` in front of it; such texts are counted.
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
    """Write frames into one file; `table_sink` opens and closes it.

    Parameters
    ----------
    path
        File to write.
    csv
        Whether to write CSV instead of Parquet.
    raw
        Whether CSV contains text that begins like a formula unchanged.

    Attributes
    ----------
    defused
        How many texts were escaped because a spreadsheet would run them.
    """

    def __init__(self, path: Path, *, csv: bool, raw: bool) -> None:
        """Store the choices; the first frame opens the file and determines the columns."""
        self._path, self._csv, self._raw = path, csv, raw
        self._writer: pq.ParquetWriter | pa_csv.CSVWriter | None = None
        self.defused = 0

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame."""
        if self._csv and not self._raw:
            frame = self._defuse(frame)
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
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()

    def _defuse(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame in which texts that begin like a formula begin with a quote."""
        columns = {}
        for name in frame.columns:
            column = frame[name]
            if not is_numeric_dtype(column):
                is_formula = column.map(_is_formula)
                self.defused += int(is_formula.sum())
                columns[name] = column.where(~is_formula, "'" + column.astype(str))
        return frame.assign(**columns)


@contextmanager
def table_sink(path: Path, *, raw: bool = False) -> Iterator[TableSink]:
    """Give a writer of a file; the file replaces ``path`` when the block ends without an error.

    Parameters
    ----------
    path
        File that ends in ``.parquet`` or ``.csv``.
    raw
        Whether CSV contains text that begins like a formula unchanged, for machines.

    Raises
    ------
    LeadmlError
        If the path has another suffix or the file cannot be written.
    """
    check_suffix(path)
    with published(path) as temporary:
        sink = TableSink(temporary, csv=path.suffix == ".csv", raw=raw)
        try:
            yield sink
        finally:
            sink.close()


def check_suffix(path: Path) -> None:
    """Refuse a path that is neither CSV nor Parquet, with a `LeadmlError`."""
    if path.suffix not in SUFFIXES:
        msg = f"{path}: must end in {' or '.join(SUFFIXES)}, got {quoted(path.name)}"
        raise LeadmlError(msg)


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and value.lstrip(" \u00a0\ufeff").startswith(FORMULA_STARTS)


def _without_null_types(schema: pa.Schema) -> pa.Schema:
    fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema]
    return pa.schema(fields)
