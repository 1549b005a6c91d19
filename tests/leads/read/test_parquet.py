from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadml.errors import DataError
from leadml.leads.read.parquet import read_schema_names, read_tables

TABLE = pa.table({"id": [str(number) for number in range(200)], "age": np.arange(200.0)})


def _parquet(folder, table, **options):
    path = folder / "leads.parquet"
    pq.write_table(table, path, **options)
    return path


@pytest.fixture
def parquet_bytes(tmp_path):
    """Return a Parquet file with checksums."""
    return _parquet(tmp_path, TABLE, write_page_checksum=True, row_group_size=100).read_bytes()


def test_a_truncated_parquet_file_is_refused(write, parquet_bytes):
    """A file that is cut at any byte is refused."""
    for length in range(0, len(parquet_bytes), 97):
        path = write(parquet_bytes[:length], "cut.parquet")
        with pytest.raises(
            DataError, match=r"^cut.parquet: must be a whole Parquet file, got one that cannot be read: '"
        ):
            list(read_tables(path, [0, 1], rows=50))


def _read_ids(path):
    try:
        tables = list(read_tables(path, range(len(read_schema_names(path)))[:2], rows=50))
    except DataError:
        return None
    return [text for table in tables if "id" in table.column_names for text in table["id"].to_pylist()]


@pytest.mark.slow
def test_a_parquet_file_with_a_flipped_bit_is_refused_or_reads_the_same(tmp_path, parquet_bytes):
    """With any bit flipped, the ids are the same or the file is refused with a DataError."""
    path = tmp_path / "flipped.parquet"
    expected = TABLE["id"].to_pylist()
    for offset in range(4, len(parquet_bytes), 7):
        flipped = bytearray(parquet_bytes)
        flipped[offset] ^= 1 << offset % 8
        path.write_bytes(flipped)
        assert _read_ids(path) in (None, [], expected), f"bit {offset % 8} of byte {offset}"


@pytest.mark.parametrize("content", [b"", b"id,age\n1,2\n", b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_a_file_that_only_has_the_name_of_a_parquet_file_is_refused(write, content):
    """Empty files and text files with the ending .parquet are refused."""
    with pytest.raises(DataError, match=r"^leads.parquet: must be a whole Parquet file, got one that cannot be read"):
        read_schema_names(write(content, "leads.parquet"))


def test_a_parquet_file_with_invalid_utf8_text_is_refused(tmp_path):
    """Bytes that are not UTF-8 in a column of text are a fault of the file."""
    wrong = pa.array([b"ok", b"\xff\xfe"]).view(pa.string())
    path = _parquet(tmp_path, pa.table({"id": wrong}))
    with pytest.raises(DataError, match=r"^leads.parquet.*UTF-?8"):
        list(read_tables(path, [0], rows=5))
