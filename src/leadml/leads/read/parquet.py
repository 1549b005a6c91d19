"""Read the rows of a Parquet file; files that are damaged are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from leadml.errors import DataError, Fault, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def read_schema_names(path: Path) -> list[str]:
    """Return the column names of a Parquet file, exactly as they are written.

    Raises
    ------
    DataError
        Where the file is damaged or no Parquet file.
    """
    with _open(path) as parquet:
        names: list[str] = parquet.schema_arrow.names
    return names


def read_tables(path: Path, columns: Sequence[int], *, rows: int) -> Iterator[pa.Table]:
    """Yield some columns of a Parquet file, at most ``rows`` rows at a time; a file without rows gives one empty table.

    Parameters
    ----------
    path
        The file.
    columns
        Positions of the columns.
    rows
        Largest number of rows of a table.

    Raises
    ------
    DataError
        Where the file cannot be read to its end.
    """
    n_read = 0
    with _open(path) as parquet:
        header = parquet.schema_arrow.names
        names = [header[index] for index in columns]
        if not parquet.metadata.num_rows:
            yield parquet.schema_arrow.empty_table().select(names)
        try:
            for batch in parquet.iter_batches(batch_size=rows, columns=names):
                batch.validate(full=True)  # invalid UTF-8 would otherwise fail later, without the name of the file
                yield pa.Table.from_batches([batch]).select(names)
                n_read += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise DataError([_fault(path, error)]) from None
        if n_read != parquet.metadata.num_rows:
            got = ValueError(f"{n_read:,} rows where {parquet.metadata.num_rows:,} are announced")
            raise DataError([_fault(path, got)])


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError([_fault(path, error)]) from None


def _fault(path: Path, error: Exception) -> Fault:
    reason = quoted(str(error).splitlines()[0])
    return Fault(path.name, f"must be a whole Parquet file, got one that cannot be read: {reason}; fetch it again")
