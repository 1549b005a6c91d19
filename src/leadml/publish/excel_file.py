"""Write tables of leads into one Excel workbook, row by row, and read them back.

A text is written as a text, so that no spreadsheet runs it as a formula and an id keeps its zeros. Numbers for people
have 6 decimals. The same rows give the same bytes.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_float_dtype, is_numeric_dtype

from leadml.errors import LeadmlError, MissingExtraError
from leadml.leads.read.workbook import read_sheet, read_sheet_header
from leadml.publish.csv_file import for_people
from leadml.publish.files import published
from leadml.publish.sink import BATCH, READ_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leadml.publish.sink import FileChoices

MOST_ROWS = 1_048_575  # that a sheet holds below its header: https://support.microsoft.com, "Excel specifications"
WIDTHS = 12, 24  # characters of a column at least, of numbers and of texts: most reasons are readable as they stand
CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - in every workbook the same, and a workbook has no zones


class ExcelSink:
    """Writes frames into a sheet of a workbook.

    Parameters
    ----------
    path
        File to write; its name is shown in messages.
    book
        The workbook.
    choices
        Whether people or machines read it.
    """

    defused = 0  # texts that were escaped: none, because every text is written as one

    def __init__(self, path: Path, book: Any, choices: FileChoices) -> None:
        """Begin the sheet."""
        self._path, self._sheet, self._choices = path, book.add_worksheet("leads"), choices
        self._bold, self.rows = book.add_format({"bold": True}), -1

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame."""
        if self.rows < 0:
            self._begin(frame)
        if self.rows + len(frame) > MOST_ROWS:
            msg = (
                f"{self._path}: must have at most {MOST_ROWS:,} rows, as a sheet can, got more; write .csv or .parquet"
            )
            raise LeadmlError(msg)
        for values in zip(*(self._values(frame[name]) for name in frame.columns), strict=True):
            self.rows += 1
            for at, value in enumerate(values):
                if isinstance(value, str):
                    self._sheet.write_string(self.rows, at, value)
                elif not pd.isna(value):
                    self._sheet.write(self.rows, at, value)

    def _begin(self, frame: pd.DataFrame) -> None:
        """Write the names of the columns, which are as wide whatever the size of the first chunk."""
        self.rows = 0
        for at, name in enumerate(frame.columns):
            self._sheet.write_string(0, at, str(name), self._bold)
            self._sheet.set_column(at, at, max(len(str(name)) + 2, WIDTHS[not is_numeric_dtype(frame[name])]))
        self._sheet.freeze_panes(1, 1)

    def _values(self, column: pd.Series[Any]) -> list[Any]:
        if is_float_dtype(column) and not self._choices.raw:
            column = for_people(column)
        return column.tolist()


class Excel:
    """Excel workbooks of one sheet."""

    suffix = ".xlsx"

    @contextmanager
    def open(self, path: Path, choices: FileChoices) -> Iterator[ExcelSink]:
        """Give a sink of a file."""
        library = _xlsxwriter()
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with published(path) as temporary:
            book = library.Workbook(str(temporary), options)
            book.set_properties({"created": CREATED})
            sink = ExcelSink(path, book, choices)
            try:
                yield sink
            finally:
                book.close()

    def holds(self, path: Path, batch_id: str) -> bool:
        """Return whether the rows of a file are those of a batch."""
        if not path.is_file():
            return False
        first = next(self.rows(path, batch_id), None)
        return first is None or first.get(BATCH, pd.Series([""])).iloc[0] == batch_id

    def rows(self, path: Path, batch_id: str) -> Iterator[pd.DataFrame]:  # noqa: ARG002 - a file has one batch
        """Yield the rows of a file, as texts."""
        names, _ = read_sheet_header(path, sheet=None)
        for part in read_sheet(path, sheet=None, decimal=".", rows=READ_ROWS):
            if part.records:
                yield pd.DataFrame(part.records, columns=names, dtype=object).fillna("")


def _xlsxwriter() -> Any:
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra
    except ImportError:
        msg = "XlsxWriter is not installed: pip install 'leadml[excel]', or write .csv"
        raise MissingExtraError(msg) from None
    return xlsxwriter
