from __future__ import annotations

import gzip
import zipfile
from contextlib import suppress

import pytest

from leadml.errors import DataError
from leadml.leads.read.text_file import format_of, open_text

CONTENT = b"id,a\n1,caf\xc3\xa9\n"


def _zip(folder, members, name="leads.zip"):
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def _read(path):
    with open_text(path, "utf-8", wanted="CSV") as (text, _):
        return text.read()


@pytest.mark.parametrize("name", ["LEADS.CSV", "leads.txt", "leads.Csv.GZ", "leads.zip", "LEADS.ZIP"])
def test_the_text_is_the_same_however_it_is_packed(tmp_path, name):
    """And the format is that of the text."""
    path = tmp_path / name
    if name.lower().endswith(".zip"):
        _zip(tmp_path, {"export/Leads.csv": CONTENT}, name)
    else:
        path.write_bytes(gzip.compress(CONTENT) if name.endswith("GZ") else CONTENT)
    assert _read(path) == CONTENT.decode()
    assert format_of(path) == (".txt" if name == "leads.txt" else ".csv")


def test_what_systems_add_to_an_archive_does_not_count(tmp_path):
    """MacOS adds a folder of its own, with a file for each file."""
    members = {"a/leads.tsv": CONTENT, "__MACOSX/a/._leads.tsv": b"x", ".DS_Store": b"x", "a/": b""}
    path = _zip(tmp_path, members)
    assert (format_of(path), _read(path)) == (".tsv", CONTENT.decode())


@pytest.mark.parametrize(
    ("members", "got"),
    [
        ({}, "got none; unpack it"),
        ({"a.csv": CONTENT, "b.csv": CONTENT}, "got 'a.csv', 'b.csv'; unpack it"),
        ({"a.xlsx": CONTENT}, "got 'a.xlsx'; unpack it"),
        ({"a.csv.gz": CONTENT}, "got 'a.csv.gz'; unpack it"),
        ({f"{n}.csv": CONTENT for n in range(5)}, "got '0.csv', '1.csv', '2.csv' and 2 more; unpack it"),
    ],
)
def test_an_archive_of_more_or_of_others_is_refused_with_what_is_in_it(tmp_path, members, got):
    """Nothing is guessed, and no file is left out."""
    path = _zip(tmp_path, members)
    for read in (format_of, _read):
        with pytest.raises(DataError, match=r"^leads\.zip: must hold one file ending in \.csv, \.tsv, .*") as caught:
            read(path)
        assert str(caught.value).endswith(got)


def test_a_damaged_archive_is_refused(tmp_path):
    """Cut anywhere, or with any byte changed, it reads the same or is refused in one line."""
    whole = _zip(tmp_path, {"a.csv": CONTENT * 20}).read_bytes()
    path = tmp_path / "cut.zip"
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"^cut\.zip: must be a whole zip archive"):
            _read(path)
    for offset in range(len(whole)):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 255]) + whole[offset + 1 :])
        with suppress(DataError):
            assert _read(path) == CONTENT.decode() * 20


def test_an_archive_with_a_password_is_refused(tmp_path):
    """The line says that it has one."""
    whole = bytearray(_zip(tmp_path, {"a.csv": CONTENT}).read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        whole[whole.find(mark) + (6 if mark.endswith(b"\x04") else 8)] |= 1
    path = tmp_path / "locked.zip"
    path.write_bytes(whole)
    with pytest.raises(
        DataError, match=r"^locked\.zip: must be a zip archive without .*, got one that has a password;"
    ):
        _read(path)


def test_an_error_of_the_block_is_not_one_of_the_archive(tmp_path):
    """A defect keeps its own error."""
    path = tmp_path / "leads.csv"
    path.write_bytes(CONTENT)

    def fail():
        with open_text(path, "utf-8", wanted="CSV"):
            msg = "mine"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match=r"^mine$"):
        fail()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^leads.csv: must hold a header and leads, got an empty file$"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "must be CSV, got a spreadsheet or another file of Office; name it .xls, or"),
        (b"PAR1rest", "must be CSV, got a Parquet file; name it .parquet"),
        (gzip.compress(CONTENT, mtime=0), "must be CSV, got a gzip file; add .gz to its name"),
    ],
)
def test_a_file_of_another_format_is_refused(write, content, message):
    """The message names the format and what to call the file."""
    with pytest.raises(DataError, match=message):
        _read(write(content))
