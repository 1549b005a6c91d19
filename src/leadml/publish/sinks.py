"""The kinds of files that tables of leads are written to, by the suffix of their names."""

from __future__ import annotations

import csv
import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from leadml.arguments import require_suffix
from leadml.publish.csv_file import CsvFile
from leadml.publish.delta_table import DeltaTable
from leadml.publish.excel_file import Excel
from leadml.publish.sink import BATCH, READ_ROWS, FileChoices
from leadml.publish.table_file import TableFile, open_table_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from leadml.publish.sink import Sink, SinkFormat


class Parquet:
    """Parquet files."""

    suffix = ".parquet"

    def open(self, path: Path, choices: FileChoices) -> AbstractContextManager[TableFile]:  # noqa: ARG002 - unchanged
        """Give a sink of a file."""
        return open_table_file(path)

    def holds(self, path: Path, batch_id: str) -> bool:
        """Return whether the rows of a file are those of a batch."""
        if not path.is_file():
            return False
        with pq.ParquetFile(path) as file:
            first = next(file.iter_batches(batch_size=1), None)
        return first is None or first.to_pylist()[0].get(BATCH) == batch_id

    def rows(self, path: Path, batch_id: str) -> Iterator[pd.DataFrame]:  # noqa: ARG002 - a file has one batch
        """Yield the rows of a file."""
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches():
                yield part.to_pandas()


class Csv:
    """CSV files, for people unless they are raw."""

    suffix = ".csv"

    def open(self, path: Path, choices: FileChoices) -> AbstractContextManager[TableFile]:
        """Give a sink of a file."""
        return open_table_file(path, partial(CsvFile, choices=choices))

    def holds(self, path: Path, batch_id: str) -> bool:
        """Return whether the rows of a file are those of a batch."""
        if not path.is_file():
            return False
        with path.open(encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file, delimiter=_delimiter(path)), None)
        return row is None or row.get(BATCH) == batch_id

    def rows(self, path: Path, batch_id: str) -> Iterator[pd.DataFrame]:  # noqa: ARG002 - a file has one batch
        """Yield the rows of a file, as texts."""
        choices: dict[str, Any] = {"dtype": str, "keep_default_na": False, "sep": _delimiter(path)}
        with pd.read_csv(path, **choices, chunksize=READ_ROWS) as parts:
            yield from parts


def _delimiter(path: Path) -> str:
    """Return what stands between the names of the first two columns of a file that leadml wrote; names are quoted."""
    with path.open(encoding="utf-8", newline="") as file:
        begin = re.match('"(?:[^"]|"")*"(.)', file.readline())
    return begin[1] if begin else ","


FORMATS: tuple[SinkFormat, ...] = (Parquet(), Csv(), Excel(), DeltaTable())


@contextmanager
def table_sink(path: Path, choices: FileChoices = FileChoices()) -> Iterator[Sink]:  # noqa: B008 - never changed
    """Give a sink of a file; its rows are published when the block ends without an error.

    Parameters
    ----------
    path
        File with the suffix of one of the formats.
    choices
        Whether people or machines read the file, and its marks.

    Raises
    ------
    LeadmlError
        If the path has another suffix or the rows cannot be written.
    """
    check_suffix(path)
    with _format_of(path).open(path, choices) as sink:
        yield sink


def holds_batch(path: Path, batch_id: str) -> bool:
    """Return whether a file is there and its rows, if it has any, are those of a batch."""
    return _format_of(path).holds(path, batch_id)


def batch_rows(path: Path, batch_id: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of a batch that a file holds; from CSV, all values are texts."""
    return _format_of(path).rows(path, batch_id)


def check_suffix(path: Path) -> None:
    """Refuse a path that no format writes, with a `LeadmlError`."""
    require_suffix(path, *(kind.suffix for kind in FORMATS))


def _format_of(path: Path) -> SinkFormat:
    (kind,) = (kind for kind in FORMATS if kind.suffix == path.suffix)
    return kind
