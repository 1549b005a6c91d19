"""Write tables of leads as CSV, for people or for machines.

In CSV for people, a text that a spreadsheet would run as a formula gets a ``'`` in front of it; such texts are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.csv as pa_csv
from pandas.api.types import is_numeric_dtype

from leadml.publish.table_file import TableFile

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class RawCsvFile(TableFile):
    """Write frames into one CSV file, every text unchanged."""

    def open_writer(self, path: Path, schema: pa.Schema) -> pa_csv.CSVWriter:
        """Return the writer of a new file."""
        return pa_csv.CSVWriter(path, schema)

    def fit(self, table: pa.Table, schema: pa.Schema) -> pa.Table:  # noqa: ARG002 - CSV has no types
        """Return the chunk as it is."""
        return table


class CsvFile(RawCsvFile):
    """Write frames into one CSV file that a spreadsheet can open safely."""

    def __init__(self, path: Path) -> None:
        """Store the path."""
        super().__init__(path)
        self.defused = 0

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame; texts that begin like a formula begin with a quote."""
        columns = {}
        for name in frame.columns:
            column = frame[name]
            if not is_numeric_dtype(column):
                is_formula = column.map(_is_formula).astype(bool)  # of no rows, pandas keeps the type of texts
                self.defused += int(is_formula.sum())
                columns[name] = column.where(~is_formula, "'" + column.astype(str))
        super().write(frame.assign(**columns))


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
