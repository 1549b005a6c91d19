"""Read lead files, CSV and Parquet, in chunks.

What enters is a file or a folder of files; what leaves is chunks of raw columns, each row with its file and line.
It refuses files that are missing, of another kind, or damaged, and never guesses: no value is interpreted here.
"""

from __future__ import annotations

import stat
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.csv_text import read_header, read_records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from leadml.params import DataParams

SUFFIXES = (".csv", ".csv.gz", ".parquet")
INVISIBLE = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True)
class Dialect:
    """How the files of a project are written.

    Parameters
    ----------
    delimiter, encoding
        Of CSV files.
    decimal
        The decimal mark of numbers in CSV files.
    missing
        Words that mean "not known", beside the empty one.
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
    """Rows as they were read.

    Parameters
    ----------
    table
        The columns that were asked for and are there: text from CSV, the file's own types from Parquet.
    source
        Name of the file, for messages.
    lines
        Array of shape (n_rows,): the line of each row in a CSV file, its number from 1 in a Parquet file.
    places
        Array of shape (n_rows,): how many records of the file come before each row, those at fault too.
    faults
        Rows that could not be read at all.
    ordered
        Whether a row can be found by its line; one of a database can by its id alone.
    """

    table: pa.Table
    source: str
    lines: NDArray[np.int64]
    places: NDArray[np.int64]
    faults: tuple[Fault, ...] = field(default=())
    ordered: bool = True

    def place(self, row: int, lead_id: str | None) -> str:
        """Return where messages say that a row is."""
        where = f"{self.source}:{self.lines[row]}"
        return where if self.ordered or not lead_id else f"{where} (lead {quoted(lead_id)})"


def source_files(path: Path) -> list[Path]:
    """Return the lead files of a path in the order of their names, or the path itself where it is one.

    Raises
    ------
    DataError
        Where there is no such file, or a folder holds none of a known kind.
    """
    if _kind(path) == "a folder":
        files = sorted(file for file in path.iterdir() if file.is_file() and file.name.endswith(SUFFIXES))
        if not files:
            raise DataError([Fault(str(path), f"must hold files ending in {', '.join(SUFFIXES)}, got none")])
        return files
    if not path.name.endswith(SUFFIXES) and _kind(path) == "a file":
        raise DataError([Fault(str(path), f"must end in {', '.join(SUFFIXES)}, got {quoted(path.name)}")])
    if _kind(path) != "a file":
        raise DataError([Fault(str(path), f"must be a file or a folder, got {_kind(path)}")])
    return [path]


def _kind(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return "no such file"
    return "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "something that is no file"


def column_names(path: Path, dialect: Dialect) -> list[str]:
    """Return the names of a file's columns, trimmed and in Unicode's composed form.

    Raises
    ------
    DataError
        Where two names are the same or one is empty.
    """
    file = source_files(path)[0]
    if file.suffix == ".parquet":
        with _parquet(file) as parquet:
            written = parquet.schema_arrow.names
    else:
        written = read_header(file, delimiter=dialect.delimiter, encoding=dialect.encoding)
    names = [normal_name(name) for name in written]
    for position, name in enumerate(names, start=1):
        if not name or names.count(name) > 1:
            got = f"{quoted(name)} twice" if name else "none"
            message = f"every column must have a name of its own, got {got} for column {position}"
            raise DataError([Fault(f"{file.name}:1", message)])
    return names


def read_chunks(path: Path, dialect: Dialect, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
    """Yield the rows of a file or a folder, at most ``rows`` at a time.

    Parameters
    ----------
    path
        A CSV or Parquet file, or a folder of them.
    dialect
        How CSV files are written.
    columns
        Names of the columns to read; one that is not there is left out.
    rows
        Largest number of rows of a chunk.

    Raises
    ------
    DataError
        Where a file cannot be read to its end, or changes while it is read.
    """
    for file in source_files(path):
        before = _state(file)
        names = column_names(file, dialect)
        wanted = [(at, name) for at, name in enumerate(names) if name in columns]
        chunks = _parquet_chunks if file.suffix == ".parquet" else _csv_chunks
        yield from chunks(file, dialect, wanted, rows)
        if _state(file) != before:
            raise DataError([Fault(file.name, "must not change while it is read; run again when it is complete")])


def normal_name(name: str) -> str:
    """Return a column's name trimmed and in Unicode's composed form, by which names are compared.

    Examples
    --------
    >>> normal_name(" cafe\u0301 ") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name).strip(INVISIBLE)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _csv_chunks(file: Path, dialect: Dialect, wanted: list[tuple[int, str]], rows: int) -> Iterator[RawChunk]:
    reading = read_records(file, delimiter=dialect.delimiter, encoding=dialect.encoding, rows=rows)
    for records, lines, places, faults in reading:
        columns = list(zip(*records, strict=True)) if records else []
        arrays = [pa.array(columns[at] if columns else [], pa.string()) for at, _ in wanted]
        table = pa.table(arrays, names=[name for _, name in wanted])
        where, order = (np.asarray(column, dtype=np.int64) for column in (lines, places))
        yield RawChunk(table, file.name, where, order, tuple(faults))


def _parquet_chunks(file: Path, _: Dialect, wanted: list[tuple[int, str]], rows: int) -> Iterator[RawChunk]:
    first = 1
    with _parquet(file) as parquet:
        written = parquet.schema_arrow.names
        columns = [written[at] for at, _ in wanted]
        if not parquet.metadata.num_rows:
            empty = parquet.schema_arrow.empty_table().select(columns).rename_columns([name for _, name in wanted])
            yield RawChunk(empty, file.name, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        try:
            for batch in parquet.iter_batches(batch_size=rows, columns=columns):
                batch.validate(full=True)  # text that is no text would fail far from here
                table = pa.Table.from_batches([batch]).select(columns)
                lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
                yield RawChunk(table.rename_columns([name for _, name in wanted]), file.name, lines, lines - 1)
                first += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise DataError([_damaged(file, error)]) from None
        if first - 1 != parquet.metadata.num_rows:
            got = ValueError(f"{first - 1:,} rows where {parquet.metadata.num_rows:,} are announced")
            raise DataError([_damaged(file, got)])


def _parquet(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError([_damaged(file, error)]) from None


def _damaged(file: Path, error: Exception) -> Fault:
    reason = quoted(str(error).splitlines()[0])
    return Fault(file.name, f"must be a whole Parquet file, got one that cannot be read: {reason}; fetch it again")
