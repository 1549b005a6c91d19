from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.check.convert import ids, numbers
from leadml.leads.read.bytes_as_text import bytes_as_text
from leadml.leads.read.files import Dialect, read_chunks

KINDS = (pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.binary()))


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=5)), st.sampled_from(KINDS))
def test_bytes_are_the_text_that_they_encode(texts, kind):
    """Of any Arrow type of bytes, with its missing values."""
    column = pa.array([None if text is None else text.encode() for text in texts], pa.binary()).cast(
        kind if not pa.types.is_dictionary(kind) else pa.binary()
    )
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column
    read = bytes_as_text(pa.chunked_array([column]), name="x", source="s")
    assert (read.type, read.to_pylist()) == (pa.string(), texts)


def test_bytes_of_one_size_and_views_are_text():
    """They are how other writers store short codes."""
    for kind in (pa.binary(2), pa.binary_view()):
        assert bytes_as_text(pa.array([b"de", None], kind), name="x", source="s").to_pylist() == ["de", None]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)])
def test_a_code_in_bytes_is_an_id_and_a_number(kind):
    """A program that does not declare its text of Parquet files writes bytes."""
    column = bytes_as_text(pa.chunked_array([pa.array([b"007", None], kind)]), name="x", source="s")
    assert ids(column)[0].tolist() == ["007", None]
    assert numbers(column, Dialect())[0][0] == 7


def test_another_column_stays_as_it_is():
    """Texts and numbers are not copied."""
    for column in (pa.array(["a"]), pa.array([1]), pa.array(["a"]).dictionary_encode()):
        assert bytes_as_text(column, name="x", source="s") is column


def test_other_bytes_are_refused_with_the_name_of_the_column(tmp_path):
    """The line says that the column is bytes; a column that is not read may hold them."""
    path = tmp_path / "leads.parquet"
    pq.write_table(pa.table({"id": [b"1", b"2"], "hash": [b"\xff\xfe", b"b"]}), path)
    (chunk,) = read_chunks(path, Dialect(), ["id"], rows=5)
    assert chunk.table.to_pydict() == {"id": ["1", "2"]}
    with pytest.raises(DataError, match=r"^leads\.parquet: hash must be text, got bytes that are not UTF-8; write the"):
        list(read_chunks(path, Dialect(), ["id", "hash"], rows=5))
