"""Write tables of leads as CSV, for people or for machines.

In CSV for people, a text that a spreadsheet would run as a formula gets a ``'`` in front of it; such texts are counted.
Numbers have 6 decimals there. CSV for machines has every digit and every text unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.csv as pa_csv
from pandas.api.types import is_float_dtype, is_numeric_dtype

from leadml.publish.table_file import TableFile

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from leadml.publish.sink import FileChoices

PLACES = 6  # decimals of a number for people: a probability in millionths, far below what leads can tell
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class CsvFile(TableFile):
    """Write frames into one CSV file: unchanged for machines; for people, such that a spreadsheet can open it safely.

    Parameters
    ----------
    path
        File to write.
    choices
        Whether people or machines read it, and its marks.
    """

    def __init__(self, path: Path, choices: FileChoices) -> None:
        """Store the path and the choices."""
        super().__init__(path)
        self._choices = choices
        self.defused = 0

    def open_writer(self, path: Path, schema: pa.Schema) -> pa_csv.CSVWriter:
        """Return the writer of a new file."""
        delimiter = "," if self._choices.raw else self._choices.delimiter
        return pa_csv.CSVWriter(path, schema, write_options=pa_csv.WriteOptions(delimiter=delimiter))

    def fit(self, table: pa.Table, schema: pa.Schema) -> pa.Table:  # noqa: ARG002 - CSV has no types
        """Return the chunk as it is."""
        return table

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame; for people, numbers are rounded, and texts like a formula begin with a quote."""
        if self._choices.raw:
            super().write(frame)
            return
        columns = {}
        for name in frame.columns:
            column = frame[name]
            if is_float_dtype(column):
                columns[name] = self._written(for_people(column))
            elif not is_numeric_dtype(column):
                is_formula = column.map(_is_formula).astype(bool)  # of no rows, pandas keeps the type of texts
                self.defused += int(is_formula.sum())
                columns[name] = column.where(~is_formula, "'" + column.astype(str))
        super().write(frame.assign(**columns))

    def _written(self, numbers: pd.Series[float]) -> pd.Series[Any]:
        """Return numbers with the decimal mark of the file."""
        if self._choices.decimal == ".":
            return numbers
        texts = numbers.map("{:.6f}".format).str.rstrip("0").str.rstrip(".")
        return texts.str.replace(".", self._choices.decimal, regex=False).where(numbers.notna(), None)


def for_people(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers with 6 decimals; what is rounded to 0 has no sign.

    Examples
    --------
    >>> import pandas as pd
    >>> for_people(pd.Series([0.12345678, -1e-9])).tolist()
    [0.123457, 0.0]
    """
    return numbers.round(PLACES) + 0.0


def defused(text: str) -> str:
    """Return a text as CSV for people has it.

    Examples
    --------
    >>> defused("=1+1"), defused("7")
    ("'=1+1", '7')
    """
    return f"'{text}" if _is_formula(text) else text


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and value.lstrip(" \u00a0\ufeff").startswith(FORMULA_STARTS)
