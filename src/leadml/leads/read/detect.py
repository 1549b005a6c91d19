"""Find out how an unknown file of delimited text is written: its encoding and its delimiter.

What is found is a proposal that a person sees; nothing that reads leads guesses.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from leadml.leads.read.csv_text import DELIMITERS, SEPARATOR_LINE
from leadml.leads.read.file_names import DELIMITED, TEXT
from leadml.leads.read.files import Dialect, column_names, source_files
from leadml.leads.read.text_file import WINDOWS, codec_name, first_bytes, format_of

if TYPE_CHECKING:
    from pathlib import Path

# Every line of it is read with each delimiter; a header of 5,000 columns has 100 KB.
SAMPLE_BYTES = 1 << 18
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
MOST_LINES = 50  # a wrong delimiter divides a few lines alike by chance, never as many


def detect_dialect(source: Path, *, encoding: str | None = None, sheet: str | None = None) -> Dialect:
    """Return how the files of a source are written.

    The encoding is UTF-8 where the bytes are, UTF-16 where they begin with its mark, and else that of Windows. The
    delimiter is the one that divides most lines into as many values as the header, and the header into most names.

    Parameters
    ----------
    source
        A file or a folder of files; the first of them decides.
    encoding
        The encoding, where it is known.
    sheet
        The sheet of a workbook, where it is known.

    Raises
    ------
    DataError
        Where the source cannot be read.
    """
    file = source_files(source)[0]
    form, dialect = format_of(file), Dialect(sheet=sheet)
    if form in TEXT:
        start = first_bytes(file, SAMPLE_BYTES)
        dialect = replace(dialect, encoding=encoding or _encoding(start))
        if form in DELIMITED:
            dialect = replace(
                dialect, delimiter=_delimiter(start.decode(codec_name(dialect.encoding), errors="replace"))
            )
    column_names(file, dialect)  # refuses what is no table, with the reason
    return dialect


def _encoding(start: bytes) -> str:
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # may end inside a character
    except UnicodeDecodeError:
        return WINDOWS
    return "utf-8"


def _delimiter(text: str) -> str:
    """Return the delimiter of a text: the one that it declares, or the one that divides it best."""
    text = text.removeprefix("\ufeff")
    if declared := SEPARATOR_LINE.match(text):
        return declared[1]
    widths = {mark: _width(text, mark) for mark in DELIMITERS}
    return max(widths, key=lambda mark: widths[mark])


def _width(text: str, delimiter: str) -> tuple[int, int]:
    """Return how many lines a delimiter divides as it divides the first, and into how many values."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    widths: Counter[int] = Counter()
    first = 0
    try:
        for record, _ in zip(lines, range(MOST_LINES), strict=False):
            first = first or len(record)
            widths[len(record)] += bool(record)
    except csv.Error:
        return 0, 0
    return (widths[first], first) if first > 1 else (0, first)
