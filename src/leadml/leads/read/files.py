"""Read CSV and Parquet files, or folders of them, in chunks of raw columns.

Each row keeps its file and line, for messages. Files that do not exist, are damaged or have another format are refused.
No value is interpreted here.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.csv_text import read_header, read_records
from leadml.params import normal_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from leadml.params import DataParams
    from leadml.types import Integers

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Dialect:
    """The format of a project's files: how CSV is written, and which words mean a missing value.

    Parameters
    ----------
    delimiter, encoding
        Delimiter and text encoding of CSV files.
    decimal
        Decimal mark of numbers in CSV files.
    missing
        Words that mean a missing value, in addition to the empty text.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    missing: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, data: DataParams) -> Dialect:
        """Return the dialect that ``params.yaml`` declares."""
        return cls(data.delimiter, data.encoding, data.decimal, data.missing)


@dataclass(frozen=True)
class RawChunk:
    """A chunk of rows with values as they were read.

    Parameters
    ----------
    table
        The requested columns that exist: text from CSV, the file's own types from Parquet.
    source
        Name of the file, table or query, for messages.
    lines
        Array of shape (n_rows,): line of each row in a CSV file; elsewhere the number of the row, from 1.
    places
        Array of shape (n_rows,): number of records of the source before each row, records with faults included.
    faults
        Faults of the rows that could not be read.
    ordered
        Whether the line identifies the row; rows of a database have no order and are identified by the id of the lead.
    """

    table: pa.Table
    source: str
    lines: Integers
    places: Integers
    faults: tuple[Fault, ...] = field(default=())
    ordered: bool = True

    def location(self, row: int, lead_id: str | None) -> str:
        """Return source and line of a row for messages, and the id of its lead where the line does not identify it."""
        location = f"{self.source}:{self.lines[row]}"
        return location if self.ordered or not lead_id else f"{location} (lead {quoted(lead_id)})"


def source_files(path: Path) -> list[Path]:
    """Return the lead files of a folder, sorted by name, or the file itself where the path is a file.

    Raises
    ------
    DataError
        Where the path does not exist, or a folder holds no CSV or Parquet file.
    """
    if _path_type(path) == "a folder":
        files = sorted(file for file in path.iterdir() if file.is_file() and file.name.endswith(SUFFIXES))
        if not files:
            raise DataError([Fault(str(path), f"must hold files ending in {', '.join(SUFFIXES)}, got none")])
        return files
    if not path.name.endswith(SUFFIXES) and _path_type(path) == "a file":
        raise DataError([Fault(str(path), f"must end in {', '.join(SUFFIXES)}, got {quoted(path.name)}")])
    if _path_type(path) != "a file":
        raise DataError([Fault(str(path), f"must be a file or a folder, got {_path_type(path)}")])
    return [path]


def _path_type(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return "no such file"
    return "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "neither a file nor a folder"


def column_names(path: Path, dialect: Dialect) -> list[str]:
    """Return the column names of a file, trimmed and in Unicode's composed form.

    Raises
    ------
    DataError
        Where two names are the same or one is empty.
    """
    file = source_files(path)[0]
    if file.suffix == ".parquet":
        with _open_parquet(file) as parquet:
            header = parquet.schema_arrow.names
    else:
        header = read_header(file, delimiter=dialect.delimiter, encoding=dialect.encoding)
    names = [normal_name(name) for name in header]
    for position, name in enumerate(names, start=1):
        if not name or names.count(name) > 1:
            got = f"{quoted(name)} twice" if name else "none"
            message = f"every column must have a name of its own, got {got} for column {position}"
            raise DataError([Fault(f"{file.name}:1", message)])
    return names


def read_chunks(path: Path, dialect: Dialect, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
    """Yield the rows of a file or of all files of a folder, at most ``rows`` at a time.

    Parameters
    ----------
    path
        A CSV or Parquet file, or a folder of them.
    dialect
        Format of CSV files.
    columns
        Names of the columns to read; names that do not exist are ignored.
    rows
        Largest number of rows of a chunk.

    Raises
    ------
    DataError
        Where a file cannot be read to its end, or changes while it is read.
    """
    for file in source_files(path):
        before = _file_state(file)
        names = column_names(file, dialect)
        selection = [(index, name) for index, name in enumerate(names) if name in columns]
        chunks = _parquet_chunks if file.suffix == ".parquet" else _csv_chunks
        yield from chunks(file, dialect, selection, rows)
        if _file_state(file) != before:
            raise DataError([Fault(file.name, "must not change while it is read; run again when it is complete")])


def _file_state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _csv_chunks(file: Path, dialect: Dialect, selection: list[tuple[int, str]], rows: int) -> Iterator[RawChunk]:
    parts = read_records(file, delimiter=dialect.delimiter, encoding=dialect.encoding, rows=rows)
    for records, lines, places, faults in parts:
        columns = list(zip(*records, strict=True)) if records else []
        arrays = [pa.array(columns[index] if columns else [], pa.string()) for index, _ in selection]
        table = pa.table(arrays, names=[name for _, name in selection])
        row_lines, row_places = (np.asarray(column, dtype=np.int64) for column in (lines, places))
        yield RawChunk(table, file.name, row_lines, row_places, tuple(faults))


def _parquet_chunks(file: Path, _: Dialect, selection: list[tuple[int, str]], rows: int) -> Iterator[RawChunk]:
    first = 1
    with _open_parquet(file) as parquet:
        header = parquet.schema_arrow.names
        columns = [header[index] for index, _ in selection]
        names = [name for _, name in selection]
        if not parquet.metadata.num_rows:
            empty = parquet.schema_arrow.empty_table().select(columns).rename_columns(names)
            yield RawChunk(empty, file.name, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        try:
            for batch in parquet.iter_batches(batch_size=rows, columns=columns):
                batch.validate(full=True)  # invalid UTF-8 would otherwise fail later, without the name of the file
                table = pa.Table.from_batches([batch]).select(columns)
                lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
                yield RawChunk(table.rename_columns(names), file.name, lines, lines - 1)
                first += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise DataError([_parquet_fault(file, error)]) from None
        if first - 1 != parquet.metadata.num_rows:
            got = ValueError(f"{first - 1:,} rows where {parquet.metadata.num_rows:,} are announced")
            raise DataError([_parquet_fault(file, got)])


def _open_parquet(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError([_parquet_fault(file, error)]) from None


def _parquet_fault(file: Path, error: Exception) -> Fault:
    reason = quoted(str(error).splitlines()[0])
    return Fault(file.name, f"must be a whole Parquet file, got one that cannot be read: {reason}; fetch it again")
