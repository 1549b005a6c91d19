"""How a file of text is written is found out from its bytes."""

from __future__ import annotations

import gzip

import pytest

from leadml.errors import DataError
from leadml.leads.read.detect import SAMPLE_BYTES, detect_dialect
from leadml.leads.read.files import Dialect, column_names, read_chunks

ROWS = [["Nr", "Größe", "note"], ["1", "1,5", "a;b"], ["2", "2,25", "c|d"], ["3", "3", "e"]]


def _text(delimiter: str) -> str:
    return "".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) + "\n" for row in ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_text_is_read_back_by_what_was_found(write, delimiter, encoding):
    """Whatever delimiter and encoding wrote it, and where other delimiters stand in values."""
    path = write(_text(delimiter).encode(encoding))
    dialect = detect_dialect(path)
    assert dialect == Dialect(delimiter, {"utf-8-sig": "utf-8"}.get(encoding, encoding))
    assert column_names(path, dialect) == ROWS[0]
    (chunk,) = read_chunks(path, dialect, ROWS[0], rows=10)
    assert [list(row) for row in zip(*chunk.table.to_pydict().values(), strict=True)] == ROWS[1:]


def test_a_compressed_file_and_one_that_declares_its_delimiter_are_found_out(write):
    """The first line sep=; is followed, and gzip makes no difference."""
    assert detect_dialect(write(gzip.compress(_text(";").encode()), "leads.csv.gz")).delimiter == ";"
    path = write("sep=|\n" + _text("|"))
    assert detect_dialect(path).delimiter == "|"
    assert column_names(path, detect_dialect(path)) == ROWS[0]


def test_one_column_keeps_the_comma(write):
    """Nothing divides a header of one name."""
    assert detect_dialect(write("id\n1\n2\n")) == Dialect()


def test_a_character_on_the_border_of_the_sample_is_no_fault(write):
    """A letter of two bytes that is cut in half is still UTF-8."""
    start = "a,b\n"
    path = write((start + "x" * (SAMPLE_BYTES - len(start) - 1) + "é,1\n").encode())
    assert detect_dialect(path).encoding == "utf-8"


@pytest.mark.parametrize(
    ("content", "choices", "message"),
    [
        (b"", {}, "got an empty file"),
        (b"<html>", {}, "got a web page"),
        (b"a,b\n1,2\n", {"encoding": "nope"}, "data.encoding: must be a text encoding, got 'nope'"),
        (b"a,a\n1,2\n", {}, "every column must have a name of its own, got 'a' twice"),
    ],
)
def test_what_is_no_table_is_refused(write, content, choices, message):
    """With the reason, before anything is proposed."""
    with pytest.raises(DataError, match=message):
        detect_dialect(write(content), **choices)
