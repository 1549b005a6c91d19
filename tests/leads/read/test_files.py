from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadml.errors import DataError
from leadml.leads.read.files import Dialect, column_names, read_chunks, source_files

TEXT = "id,age,id2\n1,30,a\n2,31,b\n3,32,c\n"


def _parquet(folder, table, **options):
    path = folder / "leads.parquet"
    pq.write_table(table, path, **options)
    return path


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_chunks_in_sequence_are_the_file(write, tmp_path, rows):
    """No row is lost, doubled or moved, however many are read at a time, from CSV and from Parquet."""
    table = pa.table({"id": ["1", "2", "3"], "age": ["30", "31", "32"], "id2": ["a", "b", "c"]})
    for path, first in ((write(TEXT), 2), (_parquet(tmp_path, table, row_group_size=2), 1)):
        chunks = list(read_chunks(path, Dialect(), ["age", "id", "none"], rows=rows))
        assert all(chunk.table.num_rows <= rows for chunk in chunks)
        together = pa.concat_tables(chunk.table for chunk in chunks)
        assert together.to_pydict() == {"id": ["1", "2", "3"], "age": ["30", "31", "32"]}
        lines = np.concatenate([chunk.lines for chunk in chunks])
        assert lines.tolist() == [first, first + 1, first + 2]


@pytest.mark.parametrize("empty", [pa.table({"id": pa.array([], pa.string()), "x": pa.array([], pa.int8())})])
def test_a_parquet_file_without_rows_is_one_empty_chunk(tmp_path, empty):
    """The columns are there, and no row."""
    (chunk,) = read_chunks(_parquet(tmp_path, empty), Dialect(), ["id"], rows=5)
    assert (chunk.table.num_rows, chunk.table.column_names, len(chunk.lines)) == (0, ["id"], 0)


def test_a_column_is_chosen_by_its_whole_name(tmp_path):
    """A name that begins another, with a point or a blank, brings that one alone."""
    table = pa.table({"a": ["1"], "a.b": ["2"], " c ": ["3"]})
    (chunk,) = read_chunks(_parquet(tmp_path, table), Dialect(), ["a", "c"], rows=5)
    assert chunk.table.to_pydict() == {"a": ["1"], "c": ["3"]}


def test_a_folder_is_its_files_in_the_order_of_their_names(tmp_path):
    """Files of other kinds, empty leftovers and folders are passed over."""
    for name in ("b.csv", "a.csv", "c.csv.gz", "d.csv.tmp", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "e.csv").mkdir()
    assert [file.name for file in source_files(tmp_path)] == ["a.csv", "b.csv", "c.csv.gz"]


@pytest.mark.parametrize("header", ["\ufeffcafe\u0301, b ", "café\u00a0,\u200bb", "\u200b café \u200b, \u200b b"])
def test_names_are_trimmed_and_composed(write, header):
    """Marks, blanks and decomposed letters of a header do not hide a column."""
    assert column_names(write(f"{header}\n1,2\n"), Dialect()) == ["café", "b"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,age,id", "^leads.csv:1: every column must have a name of its own, got 'id' twice for column 1$"),
        ("age, id,id ", "got 'id' twice for column 2$"),
        ("café,cafe\u0301", "got 'café' twice for column 1$"),
        ("id,,age", "^leads.csv:1: every column must have a name of its own, got none for column 2$"),
        ("  ", "got none for column 1$"),
    ],
)
def test_names_that_are_not_unique_are_refused(write, header, message):
    """Two columns that look the same cannot be told apart."""
    with pytest.raises(DataError, match=message):
        column_names(write(f"{header}\n"), Dialect())


def test_a_path_that_holds_no_leads_is_refused(tmp_path):
    """Absent and empty folders, links in a circle, pipes, long names and other kinds of file are named."""
    (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "leads.xlsx").write_bytes(b"PK")
    (tmp_path / "folder").mkdir()
    for name, message in {
        "none.csv": "none.csv: must be a file or a folder, got no such file",
        "round.csv": "round.csv: must be a file or a folder, got no such file",
        "pipe.csv": "pipe.csv: must be a file or a folder, got something that is no file",
        "leads.xlsx": "must end in .csv, .csv.gz, .parquet, got 'leads.xlsx'",
        "folder": "folder: must hold files ending in .csv, .csv.gz, .parquet, got none",
    }.items():
        with pytest.raises(DataError, match=message):
            source_files(tmp_path / name)


def test_a_name_too_long_for_the_disk_is_refused(tmp_path):
    """A path that cannot be is a refusal and no bug."""
    with pytest.raises(DataError, match=r"x{50}.*\.csv: must be a file or a folder, got "):
        source_files(tmp_path / ("x" * 300 + ".csv"))


def test_a_folder_among_others_cannot_be_read_as_a_file(tmp_path):
    """A folder named like a Parquet file is searched, not opened."""
    (tmp_path / "leads.parquet").mkdir()
    with pytest.raises(DataError, match=r"leads.parquet: must hold files ending in .csv"):
        column_names(tmp_path / "leads.parquet", Dialect())


@pytest.mark.parametrize("change", ["grows", "goes"])
def test_a_file_that_changes_while_it_is_read_is_refused(write, change):
    """Rows of two states of a file are never mixed in silence."""
    path = write(TEXT)
    reading = read_chunks(path, Dialect(), ["id"], rows=1)
    next(reading)
    if change == "grows":
        path.write_text(TEXT + "4,33,d\n", encoding="utf-8")
    else:
        path.unlink()
    with pytest.raises(DataError, match=r"^leads.csv: must not change while it is read; run again"):
        list(reading)


TABLE = pa.table({"id": [str(number) for number in range(200)], "age": np.arange(200.0)})


@pytest.fixture
def parquet_bytes(tmp_path):
    """Return a Parquet file with checksums."""
    return _parquet(tmp_path, TABLE, write_page_checksum=True, row_group_size=100).read_bytes()


def test_a_parquet_file_cut_anywhere_is_refused(write, parquet_bytes):
    """No part of a file passes for the whole."""
    for length in range(0, len(parquet_bytes), 97):
        path = write(parquet_bytes[:length], "cut.parquet")
        with pytest.raises(
            DataError, match=r"^cut.parquet: must be a whole Parquet file, got one that cannot be read: '"
        ):
            list(read_chunks(path, Dialect(), ["id", "age"], rows=50))


def _ids_read(path):
    try:
        chunks = list(read_chunks(path, Dialect(), ["id", "age"], rows=50))
    except DataError:
        return None
    return [text for chunk in chunks if "id" in chunk.table.column_names for text in chunk.table["id"].to_pylist()]


def test_a_flipped_bit_is_refused_or_harmless(tmp_path, parquet_bytes):
    """Whichever bit is wrong, the rows are the same or the file is refused; it is never half a file, nor a bug."""
    path = tmp_path / "flipped.parquet"
    right = TABLE["id"].to_pylist()
    for at in range(4, len(parquet_bytes), 7):
        flipped = bytearray(parquet_bytes)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        assert _ids_read(path) in (None, [], right), f"bit {at % 8} of byte {at}"


@pytest.mark.parametrize("content", [b"", b"id,age\n1,2\n", b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_what_is_called_parquet_and_is_none_is_refused(write, content):
    """Empty files and text are named, not read."""
    with pytest.raises(DataError, match=r"^leads.parquet: must be a whole Parquet file, got one that cannot be read"):
        column_names(write(content, "leads.parquet"), Dialect())


def test_a_parquet_file_whose_text_is_no_text_is_refused(tmp_path):
    """Bytes that are not UTF-8 under the name of text are a fault of the file."""
    wrong = pa.array([b"ok", b"\xff\xfe"]).view(pa.string())
    path = _parquet(tmp_path, pa.table({"id": wrong}))
    with pytest.raises(DataError, match=r"^leads.parquet.*UTF-?8"):
        list(read_chunks(path, Dialect(), ["id"], rows=5))


def test_the_dialect_is_that_of_the_params(bank_params):
    """Delimiter, encoding, decimal mark and missing words are handed on."""
    assert Dialect.from_params(bank_params.data) == Dialect(",", "utf-8", ".", ())
