"""Read files of delimited text, JSON lines, Excel and Parquet, or folders of them, in chunks of raw columns.

Each row keeps its file and line, for messages. Files that do not exist, are damaged or have another format are refused.
No value is interpreted here.
"""

from __future__ import annotations

import stat
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.bytes_as_text import bytes_as_text
from leadml.leads.read.csv_text import read_header, read_records
from leadml.leads.read.file_names import JSON_LINES, PARQUET, SHOWN_SUFFIXES, WORKBOOKS, is_passed_over, suffix_of
from leadml.leads.read.json_lines import read_keys, read_objects
from leadml.leads.read.parquet import read_schema_names, read_tables
from leadml.leads.read.text_file import format_of
from leadml.leads.read.workbook import read_sheet, read_sheet_header
from leadml.params import normal_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from leadml.leads.read.records import Records
    from leadml.params import DataParams
    from leadml.types import Integers


@dataclass(frozen=True)
class Dialect:
    """The format of a project's files: how text is written, and which words mean a missing value.

    Parameters
    ----------
    delimiter
        Delimiter of CSV files that do not declare one; that of TSV files is the tab.
    encoding
        Encoding of files of text.
    decimal
        Decimal mark of numbers in text.
    missing
        Words that mean a missing value, in addition to the empty text.
    sheet
        Sheet of a workbook that holds the leads; None for the only visible one that holds cells.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    missing: tuple[str, ...] = ()
    sheet: str | None = None

    @classmethod
    def from_params(cls, data: DataParams) -> Dialect:
        """Return the dialect that ``params.yaml`` declares."""
        return cls(data.delimiter, data.encoding, data.decimal, data.missing, data.sheet)


@dataclass(frozen=True)
class RawChunk:
    """A chunk of rows with values as they were read.

    Parameters
    ----------
    table
        The requested columns that exist: the file's own types from Parquet, text from other files.
    source
        Name of the file, table or query, for messages.
    lines
        Array of shape (n_rows,): line of each row in a file of text, or its row in a sheet; elsewhere the number of the
        row, from 1.
    places
        Array of shape (n_rows,): number of records of the source before each row, records with faults included.
    faults
        Faults of the rows that could not be read.
    ordered
        Whether the line identifies the row; rows of a database have no order and are identified by the id of the lead.
    passed_over
        One line of text for each record at the end of a file that is no lead, such as a total.
    """

    table: pa.Table
    source: str
    lines: Integers
    places: Integers
    faults: tuple[Fault, ...] = field(default=())
    ordered: bool = True
    passed_over: tuple[str, ...] = ()

    def location(self, row: int, lead_id: str | None) -> str:
        """Return source and line of a row for messages, and the id of its lead where the line does not identify it."""
        location = f"{self.source}:{self.lines[row]}"
        return location if self.ordered or not lead_id else f"{location} (lead {quoted(lead_id)})"


def source_files(path: Path) -> list[Path]:
    """Return the lead files of a folder, sorted by name, or the file itself where the path is a file.

    Folders, hidden files and temporary files of a folder are passed over.

    Raises
    ------
    DataError
        Where the path does not exist, a folder holds no lead file, or a file cannot be read by its name.
    """
    kind = _path_type(path)
    if kind == "a folder":
        return _folder_files(path)
    if suffix_of(path.name) is None and kind == "a file":
        raise DataError([Fault(str(path), f"must end in {SHOWN_SUFFIXES}, got {quoted(path.name)}")])
    if kind != "a file":
        raise DataError([Fault(str(path), f"must be a file or a folder, got {kind}")])
    return [path]


def _folder_files(folder: Path) -> list[Path]:
    entries = sorted(each for each in folder.iterdir() if not is_passed_over(each.name))
    files = [each for each in entries if _path_type(each) != "a folder"]
    others = [each for each in files if suffix_of(each.name) is None or _path_type(each) != "a file"]
    if others:
        kind = _path_type(others[0])
        got = quoted(others[0].name) if kind == "a file" else f"{quoted(others[0].name)}, {kind}"
        more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
        message = f"must hold only files ending in {SHOWN_SUFFIXES}, got {got}{more}; move it elsewhere"
        raise DataError([Fault(str(folder), message)])
    if not files:
        raise DataError([Fault(str(folder), f"must hold files ending in {SHOWN_SUFFIXES}, got none")])
    return files


def _path_type(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return "no such file"
    return "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "neither a file nor a folder"


def column_names(path: Path, dialect: Dialect) -> list[str]:
    """Return the column names of a file, trimmed and in Unicode's composed form; a column without a name has ''.

    Raises
    ------
    DataError
        Where two columns have one name, or none has a name.
    """
    return _names(source_files(path)[0], dialect)[1]


def _names(file: Path, dialect: Dialect) -> tuple[list[str], list[str]]:
    """Return the column names of a file as they are written, and as they are compared."""
    header, location = _header(file, dialect)
    names = [normal_name(name) for name in header]
    counts = Counter(names)  # a file may have 100,000 columns
    for position, name in enumerate(names, start=1):
        if name and counts[name] > 1:
            message = f"every column must have a name of its own, got {quoted(name)} twice for column {position}"
            raise DataError([Fault(location, message)])
    if not any(names):
        raise DataError([Fault(location, "must begin with the names of the columns, got none")])
    return header, names


def _header(file: Path, dialect: Dialect) -> tuple[list[str], str]:
    """Return the column names of a file as they are written, and where they are."""
    form = format_of(file)
    if form == PARQUET:
        return read_schema_names(file), file.name
    if form in JSON_LINES:
        return read_keys(file, encoding=dialect.encoding), file.name
    if form in WORKBOOKS:
        names, line = read_sheet_header(file, sheet=dialect.sheet)
    else:
        names, line = read_header(file, delimiter=dialect.delimiter, encoding=dialect.encoding)
    return names, f"{file.name}:{line}"


def read_chunks(path: Path, dialect: Dialect, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
    """Yield the rows of a file or of all files of a folder, at most ``rows`` at a time.

    Parameters
    ----------
    path
        A file, or a folder of files of one or several formats.
    dialect
        Format of files.
    columns
        Names of the columns to read; names that do not exist are ignored.
    rows
        Largest number of rows of a chunk.

    Raises
    ------
    DataError
        Where a file cannot be read to its end, or changes while it is read.
    MissingExtraError
        Where a workbook is to be read and python-calamine is not installed.
    """
    for file in source_files(path):
        before = _file_state(file)
        header, names = _names(file, dialect)
        selection = [(index, name) for index, name in enumerate(names) if name and name in columns]
        if format_of(file) == PARQUET:
            yield from _parquet_chunks(file, selection, rows)
        else:
            yield from _text_chunks(file, selection, _records(file, dialect, header, rows))
        if _file_state(file) != before:
            raise DataError([Fault(file.name, "must not change while it is read; run again when it is complete")])


def _file_state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _text_chunks(file: Path, selection: list[tuple[int, str]], parts: Iterator[Records]) -> Iterator[RawChunk]:
    for part in parts:
        columns = list(zip(*part.records, strict=True)) if part.records else []
        arrays = [pa.array(columns[index] if columns else [], pa.string()) for index, _ in selection]
        table = pa.table(arrays, names=[name for _, name in selection])
        lines, places = (np.asarray(column, dtype=np.int64) for column in (part.lines, part.places))
        yield RawChunk(table, file.name, lines, places, tuple(part.faults), passed_over=part.passed_over)


def _records(file: Path, dialect: Dialect, header: list[str], rows: int) -> Iterator[Records]:
    form = format_of(file)
    if form in WORKBOOKS:
        return read_sheet(file, sheet=dialect.sheet, decimal=dialect.decimal, rows=rows)
    if form in JSON_LINES:
        return read_objects(file, header, encoding=dialect.encoding, decimal=dialect.decimal, rows=rows)
    return read_records(file, delimiter=dialect.delimiter, encoding=dialect.encoding, rows=rows)


def _parquet_chunks(file: Path, selection: list[tuple[int, str]], rows: int) -> Iterator[RawChunk]:
    first = 1
    for table in read_tables(file, [index for index, _ in selection], rows=rows):
        columns = [
            bytes_as_text(column, name=name, source=file.name)
            for (_, name), column in zip(selection, table.columns, strict=True)
        ]
        lines = np.arange(first, first + table.num_rows, dtype=np.int64)
        yield RawChunk(pa.table(columns, names=[name for _, name in selection]), file.name, lines, lines - 1)
        first += table.num_rows
