"""Frames in memory: every library gives the same columns, and results have the library of the question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.read.files import Dialect
from leadml.leads.read.frames import FrameSource, like

FRAME = pd.DataFrame({" id ": ["a", "b", "c"], "n": [1, 2, 3], "x": [0.5, None, 2.0], "ok": [True, False, True]})
LIBRARIES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "pandas with arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}


def _column(values: Any) -> list[Any]:
    source = FrameSource.of(pd.DataFrame({"x": values}), Dialect(), ["x"])
    column: list[Any] = source.table["x"].to_pylist()
    return column


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_gives_the_same_columns(library: str) -> None:
    """Names are trimmed, all names are known, and only the columns that are needed are read."""
    source = FrameSource.of(LIBRARIES[library](FRAME), Dialect(missing=("?",)), ["id", "x", "nothing"])

    assert (source.name, source.dialect.missing) == ("frame", ("?",))
    assert source.names == ["id", "n", "x", "ok"]
    assert source.table.to_pydict() == {"id": ["a", "b", "c"], "x": [0.5, None, 2.0]}


@given(size=st.integers(0, 12), rows=st.integers(1, 15))
def test_chunks_are_the_rows_in_order_each_once(size: int, rows: int) -> None:
    """Of at most so many rows, with numbers from 1; a frame without rows gives one empty chunk with its columns."""
    frame = pd.DataFrame({"a": np.arange(size), "b": np.arange(size)})
    chunks = list(FrameSource.of(frame, Dialect(), ["a", "b"]).chunks(["a", "z"], rows=rows))

    assert [chunk.table.num_rows for chunk in chunks[:-1]] == [rows] * (len(chunks) - 1)
    assert len(chunks) == max(-(-size // rows), 1)
    assert {tuple(chunk.table.column_names) for chunk in chunks} == {("a",)}
    assert [value for chunk in chunks for value in chunk.table["a"].to_pylist()] == list(range(size))
    assert [line for chunk in chunks for line in chunk.lines.tolist()] == list(range(1, size + 1))
    assert all((chunk.places == chunk.lines - 1).all() for chunk in chunks)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([[1], None, {"a": 1}], ["[1]", None, "{'a': 1}"]),
        ([1, "a", None, np.nan], ["1", "a", None, None]),
        ([10**30, 5, pd.NA], ["1" + "0" * 30, "5", None]),
        ([Decimal("Infinity"), pd.NaT], ["Infinity", None]),
        (pd.Series(["\ud800x", "b"], dtype=object), ["?x", "b"]),
        ([1j, 2j], ["1j", "2j"]),
        (pd.period_range("2024-01", periods=2, freq="M"), ["2024-01", "2024-02"]),
    ],
)
def test_other_values_are_texts(values: Any, texts: list[str | None]) -> None:
    """What Arrow cannot hold in one column is text; what is missing stays missing."""
    assert _column(values) == texts


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_whole_numbers_among_python_objects_are_numbers(gap: Any) -> None:
    """So are those of a row taken out of a frame of numbers and texts."""
    assert _column(pd.Series([3, gap, np.int64(5)], dtype=object)) == [3, None, 5]
    assert _column(pd.DataFrame({"a": [3], "b": ["x"]}).iloc[0].to_frame().T["a"]) == [3]


def test_numbers_texts_dates_and_instants_are_as_they_were() -> None:
    """Categories are the texts or numbers that they stand for."""
    noon = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
    for values in ([1, 2], [0.5, None], ["a", None], [True, False], [dt.date(2026, 1, 2), None], [noon, None]):
        assert _column(pd.Series(values, dtype=object)) == values
    assert _column(pd.Categorical(["b", None, "a"])) == ["b", None, "a"]
    assert _column(pd.Categorical([7, 5])) == [7, 5]


def test_bytes_are_the_text_that_they_encode() -> None:
    """Alone, as categories and beside texts; other bytes are a fault that names the column."""
    cafe = "café".encode()
    for values in ([cafe, None], pd.Categorical([cafe, None]), pd.Series([cafe, None], dtype="category")):
        assert _column(values) == ["café", None]
    assert _column(pd.Series([cafe, "a", None, 1], dtype=object)) == ["café", "a", None, "1"]
    for values in ([b"\xff", b"a"], [b"\xff", "a"]):
        with pytest.raises(
            DataError, match=r"^frame: x must be text, got bytes that are not UTF-8; write the column as"
        ):
            _column(pd.Series(values, dtype=object))


def test_columns_without_a_name_are_no_columns_of_one_name() -> None:
    """Nobody can use them, as the index that pandas writes."""
    source = FrameSource.of(pd.DataFrame([[1, 2, 3]], columns=["", " ", "a"]), Dialect(), ["a", ""])
    assert source.table.to_pydict() == {"a": [3]}


def test_distinct_values_are_in_the_order_of_rows() -> None:
    """A column that is not there has none."""
    source = FrameSource.of(pd.DataFrame({"a": ["y", "x", "y", None]}), Dialect(), ["a"])

    assert source.distinct("a") == ["y", "x", None]
    assert source.distinct("b") == []


def test_a_column_that_is_not_read_is_there_all_the_same() -> None:
    """Only a column that the frame does not have is missing; params name their keys."""
    source = FrameSource.of(FRAME, Dialect(), ["id"])
    source.require(["id", "n", "ok"])
    with pytest.raises(DataError, match=r"^frame: must have a column 'm', got none; it has 4 others$"):
        source.require(["m"])
    keyed = FrameSource(source.table, source.names, source.dialect, {"m": "data.lead_id"})
    with pytest.raises(DataError, match=r"got none; it has 4 others; set data\.lead_id$"):
        keyed.require(["m"])


@pytest.mark.parametrize("value", [[1, 2], {"a": [1]}, None, "x", np.zeros((2, 2)), pl.DataFrame({"a": [1]}).lazy()])
def test_a_value_that_is_no_frame_is_refused(value: Any) -> None:
    """So is a frame that has not been computed yet."""
    name = type(value).__name__
    with pytest.raises(DataError, match=f"^frame: must be a frame of pandas, Polars or PyArrow, got {name}$"):
        FrameSource.of(value, Dialect(), [])


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=["a", " a"]),
        pa.table([[1], [2]], names=["a", "a"]),
    ],
)
def test_two_columns_of_one_name_are_refused(frame: Any) -> None:
    """Names are compared as they are used: without space around them."""
    with pytest.raises(DataError, match=r"^frame: every column must have a name of its own, got 'a' twice$"):
        FrameSource.of(frame, Dialect(), [])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_result_has_the_library_of_the_question(library: str) -> None:
    """And the values of the table; a column without values is one of texts."""
    frame = LIBRARIES[library](FRAME)
    table = pd.DataFrame({"n": [1.5, 2.5], "t": ["a", None], "none": [None, None]})
    result = like(frame, table)

    assert type(result) is type(frame)
    back = result if isinstance(result, pd.DataFrame) else pa.table(result).to_pandas()
    assert back["n"].tolist() == [1.5, 2.5]
    assert back["t"].isna().tolist() == [False, True]
    if not isinstance(result, pd.DataFrame):
        assert pa.table(result).schema.field("none").type in {pa.string(), pa.large_string(), pa.string_view()}
