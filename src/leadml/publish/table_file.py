"""Write tables of leads into one Parquet file, chunk by chunk; `TableFile` also writes files of other kinds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from leadml.publish.files import published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd
    from pyarrow.csv import CSVWriter


class TableFile:
    """Write frames into one Parquet file.

    Parameters
    ----------
    path
        File to write.
    """

    defused = 0  # texts that were escaped: none, because no program runs the text of a Parquet file

    def __init__(self, path: Path) -> None:
        """Store the path; the first frame opens the file and determines the columns."""
        self._path = path
        self._writer: pq.ParquetWriter | CSVWriter | None = None
        self._schema = pa.schema([])

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame."""
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        if self._writer is None:
            self._schema = _without_null_types(table.schema)
            self._writer = self.open_writer(self._path, self._schema)
        self._writer.write_table(self.fit(table, self._schema))

    def open_writer(self, path: Path, schema: pa.Schema) -> pq.ParquetWriter | CSVWriter:
        """Return the writer of a new file."""
        return pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)

    def fit(self, table: pa.Table, schema: pa.Schema) -> pa.Table:
        """Return a chunk with the types of the first one."""
        return table.cast(schema)

    @property
    def is_begun(self) -> bool:
        """Whether a frame was written, which may have no rows."""
        return self._writer is not None

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def open_table_file(path: Path, make: Callable[[Path], TableFile] = TableFile) -> Iterator[TableFile]:
    """Give a writer of a file; the file replaces ``path`` when the block ends without an error."""
    with published(path) as temporary:
        file = make(temporary)
        try:
            yield file
        finally:
            file.close()
        if not file.is_begun:
            msg = f"{path}: must get at least one frame, got none: this is a bug of leadml"
            raise RuntimeError(msg)


def _without_null_types(schema: pa.Schema) -> pa.Schema:
    fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema]
    return pa.schema(fields)
