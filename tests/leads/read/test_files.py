from __future__ import annotations

import os
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadml.errors import DataError
from leadml.leads.check import convert
from leadml.leads.read.files import Dialect, column_names, read_chunks, source_files

ENDINGS = ".csv, .tsv, .txt, .jsonl, .ndjson (each also .gz), .zip, .xlsx, .xlsm, .xls, .ods, .parquet"
TEXT = "id,age,id2\n1,30,a\n2,31,b\n3,32,c\n"


def _parquet(folder, table, **options):
    path = folder / "leads.parquet"
    pq.write_table(table, path, **options)
    return path


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_the_chunks_of_a_file_hold_all_its_rows_in_order(write, tmp_path, rows):
    """No row is lost, repeated or moved, for any number of rows in a chunk, from CSV and from Parquet."""
    table = pa.table({"id": ["1", "2", "3"], "age": ["30", "31", "32"], "id2": ["a", "b", "c"]})
    for path, first in ((write(TEXT), 2), (_parquet(tmp_path, table, row_group_size=2), 1)):
        chunks = list(read_chunks(path, Dialect(), ["age", "id", "none"], rows=rows))
        assert all(chunk.table.num_rows <= rows for chunk in chunks)
        rows_read = pa.concat_tables(chunk.table for chunk in chunks)
        assert rows_read.to_pydict() == {"id": ["1", "2", "3"], "age": ["30", "31", "32"]}
        lines = np.concatenate([chunk.lines for chunk in chunks])
        assert lines.tolist() == [first, first + 1, first + 2]


@pytest.mark.parametrize("empty", [pa.table({"id": pa.array([], pa.string()), "x": pa.array([], pa.int8())})])
def test_a_parquet_file_without_rows_is_one_empty_chunk(tmp_path, empty):
    """The chunk has the columns and no row."""
    (chunk,) = read_chunks(_parquet(tmp_path, empty), Dialect(), ["id"], rows=5)
    assert (chunk.table.num_rows, chunk.table.column_names, len(chunk.lines)) == (0, ["id"], 0)


def test_a_column_is_selected_by_its_whole_name(tmp_path):
    """A name that is the beginning of another name, such as a of a.b, selects only its own column."""
    table = pa.table({"a": ["1"], "a.b": ["2"], " c ": ["3"]})
    (chunk,) = read_chunks(_parquet(tmp_path, table), Dialect(), ["a", "c"], rows=5)
    assert chunk.table.to_pydict() == {"a": ["1"], "c": ["3"]}


def test_the_files_of_a_folder_are_sorted_by_name(tmp_path):
    """Every file that is a person's is among them; what systems leave, temporary files and folders are not."""
    names = ["B.CSV", "a.csv", "c.csv.gz", "d.tsv", "e.JSONL", "f.xlsx", "g.parquet", "h.zip", "i.txt"]
    others = [
        ".hidden.csv",
        "~$f.xlsx",
        "Thumbs.db",
        "desktop.ini",
        "j.csv.tmp",
        "k.part",
        "l.csv.crdownload",
        "_SUCCESS",
    ]
    for name in names + others:
        (tmp_path / name).write_bytes(b"")
    for name in ("m.csv", "__MACOSX", "old"):
        (tmp_path / name).mkdir()
    assert [file.name for file in source_files(tmp_path)] == names


def test_a_folder_with_a_file_that_cannot_be_read_is_refused(tmp_path):
    """Leads in it would be left out without a word; the line names the file."""
    for name in ("a.csv", "b.docx", "c.pdf"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        DataError, match=r": must hold only files ending in \.csv, .*, got 'b\.docx' and 1 more; move it"
    ):
        source_files(tmp_path)
    for name in ("b.docx", "c.pdf"):
        (tmp_path / name).unlink()
    (tmp_path / "d.csv").symlink_to(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"got 'd\.csv', no such file; move it elsewhere$"):
        source_files(tmp_path)


def test_a_column_without_a_name_is_there_and_never_read(write):
    """Pandas writes its index so; two of them are not two columns of one name."""
    path = write(",id, ,a\n0,7,8,9\n")
    assert column_names(path, Dialect()) == ["", "id", "", "a"]
    (chunk,) = read_chunks(path, Dialect(), ["", "id", "a"], rows=5)
    assert chunk.table.to_pydict() == {"id": ["7"], "a": ["9"]}


@pytest.mark.parametrize("header", ["\ufeffcafe\u0301, b ", "café\u00a0,\u200bb", "\u200b café \u200b, \u200b b"])
def test_names_are_trimmed_and_composed(write, header):
    """Byte order marks, spaces and decomposed letters in a header do not hide a column."""
    assert column_names(write(f"{header}\n1,2\n"), Dialect()) == ["café", "b"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,age,id", "^leads.csv:1: every column must have a name of its own, got 'id' twice for column 1$"),
        ("age, id,id ", "got 'id' twice for column 2$"),
        ("café,cafe\u0301", "got 'café' twice for column 1$"),
        ("sep=;\nid;id", "^leads.csv:2: every column must have a name of its own, got 'id' twice for column 1$"),
        ("  ", "^leads.csv:1: must begin with the names of the columns, got none$"),
        (",,", "^leads.csv:1: must begin with the names of the columns, got none$"),
    ],
)
def test_names_that_are_not_unique_are_refused(write, header, message):
    """Names that are the same after trimming are refused, and a header without any."""
    with pytest.raises(DataError, match=message):
        column_names(write(f"{header}\n"), Dialect())


def test_a_path_that_holds_no_leads_is_refused(tmp_path):
    """Paths that do not exist, empty folders, circular links, pipes and files with other endings are refused."""
    (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "leads.docx").write_bytes(b"PK")
    (tmp_path / "folder").mkdir()
    for name, message in {
        "none.csv": "none.csv: must be a file or a folder, got no such file",
        "round.csv": "round.csv: must be a file or a folder, got no such file",
        "pipe.csv": "pipe.csv: must be a file or a folder, got neither a file nor a folder",
        "leads.docx": f"leads.docx: must end in {ENDINGS}, got 'leads.docx'",
        "folder": f"folder: must hold files ending in {ENDINGS}, got none",
    }.items():
        with pytest.raises(DataError, match=re.escape(message)):
            source_files(tmp_path / name)


def test_a_name_too_long_for_the_disk_is_refused(tmp_path):
    """A path that the file system does not allow is refused in one line."""
    with pytest.raises(DataError, match=r"x{50}.*\.csv: must be a file or a folder, got "):
        source_files(tmp_path / ("x" * 300 + ".csv"))


def test_a_folder_with_the_name_of_a_file_is_read_as_a_folder(tmp_path):
    """A folder named like a Parquet file is searched for files."""
    (tmp_path / "leads.parquet").mkdir()
    with pytest.raises(DataError, match=r"leads.parquet: must hold files ending in .csv"):
        column_names(tmp_path / "leads.parquet", Dialect())


@pytest.mark.parametrize("change", ["grows", "disappears"])
def test_a_file_that_changes_while_it_is_read_is_refused(write, change):
    """The rows of two versions of a file are never mixed."""
    path = write(TEXT)
    chunks = read_chunks(path, Dialect(), ["id"], rows=1)
    next(chunks)
    if change == "grows":
        path.write_text(TEXT + "4,33,d\n", encoding="utf-8")
    else:
        path.unlink()
    with pytest.raises(DataError, match=r"^leads.csv: must not change while it is read; run again"):
        list(chunks)


LEADS = [
    {"id": 1, "n": 0.25, "k": "a", "b": True, "t": "2026-01-02"},
    {"id": 2, "n": None, "k": "Ü, x", "b": False, "t": "2026-01-03"},
    {"id": 3, "n": 1e-7, "k": None, "b": None, "t": None},
    {"id": 4, "n": -3, "k": "7", "b": True, "t": "2026-01-02"},
]


def _written(folder, name):
    """Write the leads as a file of a format, with a decimal comma where the text of CSV has one."""
    path, frame = folder / name, pd.DataFrame(LEADS).astype({"b": "boolean"})
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist([{**lead, "n": lead["n"] and float(lead["n"])} for lead in LEADS]), path)
    elif name.endswith(".xlsx"):
        frame.to_excel(path, index=False)
    elif "jsonl" in name:
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    elif name.endswith(".tsv"):
        frame.to_csv(path, index=False, sep="\t", decimal=",")
    else:
        frame.to_csv(path, index=False, sep=";", decimal=",")
    return path


NAMES = ["a.CSV", "b.tsv", "c.jsonl", "d.jsonl.gz", "e.xlsx", "f.csv.zip", "g.parquet", "h.txt.gz"]


def test_the_same_leads_have_the_same_values_in_every_format(tmp_path):
    """And a folder may hold all formats, whatever the decimal mark of its text is."""
    dialect = Dialect(";", decimal=",")
    for name in NAMES:
        _written(tmp_path, name)
    numbers_read = []
    for chunk in read_chunks(tmp_path, dialect, ["id", "n", "k", "b", "t"], rows=10):
        ids, bad_ids = convert.ids(chunk.table["id"])
        values, bad = convert.numbers(chunk.table["n"], dialect)
        flags, bad_flags = convert.booleans(chunk.table["b"], dialect)
        words, bad_words = convert.texts(chunk.table["k"], dialect)
        assert not any(each.any() for each in (bad_ids, bad, bad_flags, bad_words))
        assert list(ids) == ["1", "2", "3", "4"]
        assert [None if value is None else value for value in words] == ["a", "Ü, x", None, "7"]
        assert np.array_equal(np.asarray(flags, float), [1, 0, np.nan, 1], equal_nan=True)
        assert [value or None for value in chunk.table["t"].to_pylist()] == [
            "2026-01-02",
            "2026-01-03",
            None,
            "2026-01-02",
        ]
        numbers_read.append(list(values))
        np.testing.assert_array_equal(values, [0.25, np.nan, 1e-7, -3])
    assert len(numbers_read) == len(NAMES)


def test_the_lines_below_the_leads_of_each_file_are_told(tmp_path):
    """With the chunk that ends the file."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,x,y,z\n1,2,3,4\n\nTotal,,3,\n", encoding="utf-8")
    chunks = list(read_chunks(tmp_path, Dialect(), ["id"], rows=1))
    told = [chunk.passed_over for chunk in chunks]
    assert told == [("a.csv:4: 'Total', 3",), ("b.csv:4: 'Total', 3",)]
    assert [chunk.table.to_pydict() for chunk in chunks] == [{"id": ["1"]}, {"id": ["1"]}]


def test_the_sheet_of_the_dialect_is_read(tmp_path):
    """Where a workbook has several."""
    with pd.ExcelWriter(tmp_path / "leads.xlsx") as book:
        for sheet in ("A", "B"):
            pd.DataFrame({"id": [sheet]}).to_excel(book, sheet_name=sheet, index=False)
    (chunk,) = read_chunks(tmp_path, Dialect(sheet="B"), ["id"], rows=5)
    assert (chunk.table.to_pydict(), chunk.lines.tolist()) == ({"id": ["B"]}, [2])


def test_a_fault_of_names_is_where_the_names_are(tmp_path):
    """In a sheet in its row, in a file without lines in the file."""
    for name, header in (("a.xlsx", "a.xlsx:1"), ("b.parquet", "b.parquet"), ("c.jsonl", "c.jsonl")):
        frame = pd.DataFrame({"id": ["1"], " id": ["2"]})
        path = tmp_path / name
        if name.endswith("xlsx"):
            frame.to_excel(path, index=False)
        elif name.endswith("parquet"):
            frame.to_parquet(path)
        else:
            frame.to_json(path, orient="records", lines=True)
        with pytest.raises(DataError, match=f"^{header}: every column must have a name of its own, got 'id' twice"):
            column_names(path, Dialect())


def test_the_dialect_comes_from_the_params(bank_params):
    """Delimiter, encoding, decimal mark and missing words are those of params."""
    assert Dialect.from_params(bank_params.data) == Dialect(",", "utf-8", ".", (), None)
