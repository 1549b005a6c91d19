from __future__ import annotations

import csv
import gzip
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.read.csv_text import DELIMITERS, MAX_CELL_LENGTH, read_header, read_records
from leadml.params.strict_yaml import read_yaml

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


def _records(path, *, rows=100, delimiter=",", encoding="utf-8"):
    records, lines, faults = [], [], []
    for part in read_records(path, delimiter=delimiter, encoding=encoding, rows=rows):
        assert len(part.records) + len(part.faults) <= rows
        records, lines, faults = records + part.records, lines + part.lines, faults + part.faults
    return records, lines, [str(fault) for fault in faults]


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6), st.sampled_from([*DELIMITERS]), st.sampled_from(["\n", "\r\n"]))
def test_any_text_is_read_from_a_csv_exactly_as_it_was_written(write, rows, delimiter, end):
    """Quotes, delimiters and line breaks inside values are read, and each record has the line on which it begins."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b"])
    starts = []
    for row in rows:
        starts.append(1 + len(re.findall(r"\r\n|\r|\n", buffer.getvalue())))
        writer.writerow(row)
    records, lines, faults = _records(write(buffer.getvalue()), rows=2, delimiter=delimiter)
    assert [tuple(record) for record in records] == rows
    assert lines == starts
    assert not faults


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_with_too_many_or_too_few_values_are_faults_with_their_line(write, rows, end):
    """After a quoted line break and a blank line the line numbers are still those of the file."""
    text = 'a,b\n1,"x\ny"\n2\n3,x,z\n\n4,x\n'.replace("\n", end)
    records, lines, faults = _records(write(text), rows=rows)
    assert records == [["1", f"x{end}y"], ["4", "x"]]
    assert lines == [2, 7]
    message = "must have 2 values as the header has"
    assert faults == [f"leads.csv:{line}: {message}, got {got}; correct the row" for line, got in ((4, 1), (5, 3))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_a_declared_encoding_is_read(write, encoding):
    """A file in the declared encoding is read, with or without a byte order mark."""
    records, lines, _ = _records(write("a,b\n1,é\n".encode(encoding)), encoding=encoding)
    assert (records, lines) == ([["1", "é"]], [2])


def test_a_byte_order_mark_is_not_part_of_the_first_name(write):
    """A byte order mark before the header is dropped."""
    assert read_header(write("\ufeffid,b\n"), delimiter=",", encoding="utf-8")[0] == ["id", "b"]


def test_all_members_of_a_gzip_file_are_read(write):
    """Two gzip files that were concatenated are one file."""
    path = write(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"), "leads.csv.gz")
    assert _records(path)[0] == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
def test_the_delimiter_of_the_message_reads_the_file(write, mark):
    """With the setting of the message in params.yaml, all columns are read."""
    path = write(f"id{mark}age\n1{mark}2\n")
    with pytest.raises(
        DataError, match=r"leads.csv:1: header has one column, 'id.*age'; set data.delimiter: "
    ) as caught:
        read_header(path, delimiter="," if mark != "," else ";", encoding="utf-8")
    advice = str(caught.value).partition("; set data.")[2]
    advised = read_yaml(advice, name="advice").data["delimiter"]
    assert read_header(path, delimiter=advised, encoding="utf-8")[0] == ["id", "age"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=\t", "\ufeffsep=|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_first_line_of_excel_declares_the_delimiter(write, line, end):
    """Whatever params declare; lines are counted with it, and faults of the header are on the second line."""
    mark = line.strip('"')[-1]
    path = write(end.join([line, f"id{mark}a", f"1{mark}x", "2", f"3{mark}y", ""]))
    assert read_header(path, delimiter=",", encoding="utf-8") == (["id", "a"], 2)
    records, lines, (fault,) = _records(path)
    assert (records, lines) == ([["1", "x"], ["3", "y"]], [3, 5])
    assert fault.startswith("leads.csv:4: must have 2 values as the header has, got 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sep=;\nid,a\n", "^leads.csv:2: header has one column, 'id,a'; correct line 1, which declares ';'$"),
        ("sep=;\n", "^leads.csv:2: must begin with the names of the columns, got an empty line$"),
        ("sep=;", "^leads.csv:2: must begin with the names of the columns, got an empty line$"),
        ('sep=;\nid;a\n1;"x\n', "^leads.csv:3: is not CSV: unexpected end of data"),
    ],
)
def test_a_fault_below_the_line_of_excel_has_its_own_line(write, text, message):
    """The remedy is the first line, which goes before params."""
    with pytest.raises(DataError, match=message):
        _records(write(text))


def test_a_header_that_begins_like_the_line_of_excel_is_a_header(write):
    """Only a line of one mark that is no letter, digit or quote declares one."""
    for header in ("sep=a", "sep=1", "sep=", "sep"):
        assert read_header(write(f"{header}\n1\n"), delimiter=",", encoding="utf-8") == ([header], 1)


def test_a_tsv_file_has_tabs_whatever_params_declare(write):
    """Another delimiter in it is refused with the name that it should have."""
    for name in ("leads.tsv", "LEADS.TSV", "leads.tsv.gz"):
        content = b"id\ta\n1\tx,y\n"
        path = write(gzip.compress(content) if name.endswith(".gz") else content, name)
        assert _records(path, delimiter=";")[0] == [["1", "x,y"]]
    with pytest.raises(DataError, match=r"'id;a'; name the file \.csv and set data\.delimiter: ';'$"):
        _records(write("id;a\n", "leads.tsv"))


@pytest.mark.slow
def test_an_unclosed_quote_is_refused_before_it_takes_all_memory(write):
    """The line is that on which the record begins."""
    with pytest.raises(
        DataError, match=r"^leads.csv:4: is not CSV: a cell of more than 16,777,216 characters; look for"
    ):
        _records(write(b'a,b\n1,"x\ny"\n2,"x\n' + b"3,x\n" * 4_200_000))


@pytest.mark.slow
def test_a_cell_of_16_megabytes_is_read(write):
    """Mails with pictures are that long; one character more is refused with the line where the cell begins."""
    longest = "x" * MAX_CELL_LENGTH
    assert _records(write(f"a,b\n1,{longest}\n"))[0] == [["1", longest]]
    with pytest.raises(
        DataError, match=r"^leads\.csv:2: is not CSV: a cell of more than 16,777,216 characters; look for"
    ):
        _records(write(f"a,b\n1,{longest}x\n"))


def test_the_limit_of_the_process_is_never_made_less(write):
    """What another part of the program allows stays allowed."""
    before = csv.field_size_limit(2 * MAX_CELL_LENGTH)
    try:
        _records(write("a,b\n1,2\n"))
        assert csv.field_size_limit() == 2 * MAX_CELL_LENGTH
    finally:
        csv.field_size_limit(before)


GZIP = gzip.compress(b"a,b\n" + b"1,2\n" * 50, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^leads.csv: must hold a header and leads, got an empty file$"),
        (b"\na,b\n", "^leads.csv:1: must begin with the names of the columns, got an empty line$"),
        ("a,b\n".encode("utf-16"), "^leads.csv: must be CSV, got UTF-16; set data.encoding: utf-16$"),
        (b"\xfe\xff" + "a,b\n".encode("utf-16-be"), "must be CSV, got UTF-16; set data.encoding: utf-16"),
        (b"PK\x03\x04rest", "must be CSV, got a spreadsheet or zip archive; name it .xlsx or .zip, or save it as CSV"),
        (b"PAR1rest", "must be CSV, got a Parquet file; name it .parquet"),
        (b"%PDF-1.7", "must be CSV, got a PDF"),
        (b"<!DOCTYPE html>", "must be CSV, got a web page or XML"),
        (b"\n\n <html>", "must be CSV, got a web page or XML"),
        (b"\xef\xbb\xbf<html>", "must be CSV, got a web page or XML"),
        (b'a,b\n1,x\n2,"x\n3,x\n', "^leads.csv:3: is not CSV: unexpected end of data; look for a quote that does not"),
        (b'a,b\n1,x\n2,"x"y\n3,x\n', "^leads.csv:3: is not CSV: ',' expected after '\"'; look for a quote"),
        (b'a,"b\n', "^leads.csv:1: is not CSV: unexpected end of data"),
        (GZIP, "must be CSV, got a gzip"),
    ],
)
def test_a_file_that_is_not_csv_is_refused_with_its_format(write, content, message):
    """The message names empty files, spreadsheets and web pages, and the line where an unclosed quote opens."""
    with pytest.raises(DataError, match=message):
        _records(write(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "got one that is damaged: Not a gzipped file"),
        (GZIP[:-6], "got one that is damaged: Compressed file ended before the end-of-stream marker"),
        (GZIP[:12] + b"\xff\xff\xff" + GZIP[15:], "got one that is damaged: "),
        (gzip.compress(b"", mtime=0), "must begin with the names of the columns, got an empty line"),
    ],
)
def test_a_damaged_gzip_is_refused(write, content, message):
    """Truncated and altered gzip files, and files that only have the name of one, are refused."""
    with pytest.raises(DataError, match=f"^leads.csv.gz:?1?: .*{message}"):
        _records(write(content, "leads.csv.gz"))


MEGABYTE = 1 << 20
LONG = b"a,b\n" + b"1,xx\n" * 300_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"a,b\n1,caf\xe9\n", "utf-8", ":2: must be utf-8, got byte 0xe9 at offset 9; set data.encoding"),
        (
            b"a,b\n1,\x81\n",
            "cp1252",
            ":2: must be cp1252, .* data.encoding, for example mac_roman, or leadml init FILE",
        ),
        (b"a,b\r1,x\r2,\xe9\r", "utf-8", ":3: must be utf-8, got byte 0xe9 at offset 10; set"),
        (b"\xef\xbb\xbfa,b\n\xe9,x\n", "utf-8", ":2: must be utf-8, got byte 0xe9 at offset 7; set"),
        (LONG + b"1,\xe9\n", "utf-8", ":300002: must be utf-8, got byte 0xe9 at offset 1,500,006; set"),
        (LONG[: MEGABYTE - 1] + b"\xe9\n", "utf-8", "must be utf-8, got byte 0xe9 at offset 1,048,575; set"),
        (b"a,b\n1,\xc3", "utf-8", ":2: must be utf-8, got a file that ends inside a character; set"),
        (b"a,b\n1,\xe9\n", "ascii", ":2: must be ascii, got byte 0xe9 at offset 6; set"),
        (b"a,b\n1,x\n", "utf-16", "^leads.csv:?1?: must be utf-16, got "),
        ("a,b\n1,x\n".encode("utf-16") + b"\0", "utf-16", "must be utf-16, got a file that ends inside a character"),
    ],
)
def test_a_byte_that_does_not_decode_is_refused_with_its_line_and_offset(write, content, encoding, message):
    """The message names the line, the offset and the declared encoding, wherever the byte is."""
    with pytest.raises(DataError, match=message):
        _records(write(content), rows=100_000, encoding=encoding)


def test_a_path_that_cannot_be_opened_is_refused(tmp_path):
    """The message has the path and the error of the operating system."""
    for path, got in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError, match=f"{re.escape(str(path))}: must be readable, got {got}"):
            read_header(path, delimiter=",", encoding="utf-8")


@pytest.mark.parametrize("encoding", ["nope", "rot13", "base64", "undefined", "a\0b"])
def test_an_unknown_encoding_is_refused(write, encoding):
    """Unknown names, and codecs that do not decode to text, are refused by name."""
    with pytest.raises(DataError, match=r"^data.encoding: must be a text encoding, got ") as caught:
        _records(write("a,b\n1,2\n"), encoding=encoding)
    assert repr(encoding) in str(caught.value)
