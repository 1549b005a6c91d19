"""Read delimited text record by record, with the line number of each record.

A first line such as ``sep=;``, which tools write for Excel, declares the delimiter of the file. Quotes that never close
and files that are not CSV are refused. A record with too many or too few values is a fault with its line: values are
never added or shifted.
"""

from __future__ import annotations

import csv
import re
from contextlib import contextmanager
from itertools import chain
from typing import IO, TYPE_CHECKING

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.records import Records, divide
from leadml.leads.read.text_file import format_of, open_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIMITERS = {",": "','", ";": "';'", "\t": '"\\t"', "|": "'|'"}
SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\'\r\n\0])"?\r?\n?', re.IGNORECASE)
# Characters of a cell. A mail with pictures in it has some megabytes; the text behind a quote that does not close takes
# at most this much memory before it is refused, four bytes for a character.
MAX_CELL_LENGTH = 16 << 20
CELL_TOO_LONG = f"a cell of more than {MAX_CELL_LENGTH:,} characters"


def read_header(path: Path, *, delimiter: str, encoding: str) -> tuple[list[str], int]:
    """Return the column names of a file of delimited text, exactly as they are written, and their line.

    Raises
    ------
    DataError
        Where the file is empty, is not CSV, or has another delimiter.
    """
    with _open(path, delimiter, encoding) as table:
        return table.names, table.header_line


def read_records(path: Path, *, delimiter: str, encoding: str, rows: int) -> Iterator[Records]:
    """Yield the records of a file of delimited text below its header, at most ``rows`` at a time.

    Raises
    ------
    DataError
        Where the file cannot be read to its end.
    """
    with _open(path, delimiter, encoding) as table:
        yield from divide(table.entries(), width=len(table.names), name=path.name, rows=rows)


class _Table:
    """The records of an open text; the position of faults moves along."""

    def __init__(self, path: Path, text: IO[str], position: list[int], declared: str) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_LENGTH))  # of the process: never make it less
        first = text.readline()
        separator = SEPARATOR_LINE.fullmatch(first)
        is_tabbed = format_of(path) == ".tsv"
        delimiter = separator[1] if separator else "\t" if is_tabbed else declared
        lines = text if separator else chain([first] if first else [], text)
        self.header_line = 2 if separator else 1
        self.position = position
        self.position[0] = self.header_line
        self.reader = csv.reader(lines, delimiter=delimiter, strict=True)
        where = f"{path.name}:{self.header_line}"
        names = next(self.reader, None)
        if not names:
            raise DataError([Fault(where, "must begin with the names of the columns, got an empty line")])
        others = [shown for mark, shown in DELIMITERS.items() if mark != delimiter and mark in names[0]]
        if len(names) == 1 and others:
            remedy = f"set data.delimiter: {others[0]}"
            remedy = f"name the file .csv and {remedy}" if is_tabbed else remedy
            remedy = f"correct line 1, which declares {quoted(delimiter)}" if separator else remedy
            raise DataError([Fault(where, f"header has one column, {quoted(names[0])}; {remedy}")])
        self.names = names

    def entries(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each record begins, and its values."""
        reader, position, next_line = self.reader, self.position, self.header_line
        line = position[0] = reader.line_num + next_line
        for record in reader:
            yield line, record
            line = position[0] = reader.line_num + next_line


@contextmanager
def _open(path: Path, delimiter: str, encoding: str) -> Iterator[_Table]:
    with open_text(path, encoding, wanted="CSV") as (text, position):
        try:
            yield _Table(path, text, position, delimiter)
        except csv.Error as error:
            got = CELL_TOO_LONG if "field larger than" in str(error) else error
            message = f"is not CSV: {got}; look for a quote that does not close or stands inside a value"
            raise DataError([Fault(f"{path.name}:{position[0]}", message)]) from None
