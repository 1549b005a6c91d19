"""A table is read as if the rows of listed people were not there."""

from __future__ import annotations

import pyarrow as pa
import pytest

from leadml.errors import DataError
from leadml.leads.check.convert import arrow_ids
from leadml.leads.read.files import Dialect
from leadml.leads.read.frames import FrameSource
from leadml.leads.read.suppressed import WithoutPeople

ROWS = pa.table({"id": ["a", "b", "a", None, "c"], "x": [1, 2, 3, 4, 5]})


def _without(*ids: str) -> WithoutPeople:
    source = FrameSource.of(ROWS, Dialect(), ("id", "x"))
    return WithoutPeople(source, "id", frozenset(ids), lambda column: arrow_ids(column)[0])


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_the_rows_of_listed_people_are_left_out_and_the_others_keep_their_places(rows: int) -> None:
    """Whatever the size of chunks; a row without an id is kept, so that it is refused as before."""
    source = _without("a", "z")
    chunks = list(source.chunks(["id", "x"], rows=rows))

    assert [value for chunk in chunks for value in chunk.table["x"].to_pylist()] == [2, 4, 5]
    assert [place for chunk in chunks for place in chunk.places.tolist()] == [1, 3, 4]
    assert [chunk.location(row, None) for chunk in chunks for row in range(chunk.table.num_rows)] == [
        "frame:2", "frame:4", "frame:5"
    ]  # fmt: skip


def test_a_table_is_otherwise_as_it_was() -> None:
    """Name, dialect and the columns that it must have."""
    source = _without("a")
    assert (source.name, source.dialect) == ("frame", Dialect())
    with pytest.raises(DataError, match=r"data\.lead_id"):
        source.require(["y"], {"y": "data.lead_id"})
