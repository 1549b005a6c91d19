"""Columns as a database stores them: six types, and no value changed on the way."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import LeadmlError
from leadml.publish.column_values import MAX_KEY_LENGTH, arrow_column, column_type, driver_values, sql_type

NOON = pd.Timestamp("2026-02-03T12:00:00.123456Z")
DIALECTS = ("sqlite", "postgresql", "mysql")


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_are_not_rounded(values: list[int | None]) -> None:
    """Nullable integers keep all digits, and what is missing is null."""
    assert arrow_column(pd.Series(values, dtype="Int64"), "n").to_pylist() == values


@given(st.lists(st.floats()))
def test_nan_is_null_and_every_other_number_is_as_it_was(values: list[float]) -> None:
    """Infinity stays."""
    expected = [None if np.isnan(value) else value for value in values]

    assert arrow_column(pd.Series(values, dtype="float64"), "x").to_pylist() == expected


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series(["a", None, "ü"]), ["a", None, "ü"]),
        (pd.Series(["a", None, "a"], dtype="category"), ["a", None, "a"]),
        (pd.Series([True, False]), [True, False]),
        (pd.Series([True, None], dtype="boolean"), [True, None]),
        (pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string())), ["a", None]),
        (pd.concat([pd.Series([text], dtype=pd.ArrowDtype(pa.string())) for text in ("a", "b")]), ["a", "b"]),
        (pd.Series([None, None], dtype=object), [None, None]),
        (pd.Series([], dtype="float64"), []),
    ],
)
def test_a_column_of_any_library_is_one_array(column: pd.Series, values: list[Any]) -> None:
    """Categories are the values that they stand for, and chunks are joined."""
    array = arrow_column(column, "x")

    assert isinstance(array, pa.Array)
    assert not pa.types.is_dictionary(array.type)
    assert array.to_pylist() == values


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_instants_are_of_utc_and_times_without_a_zone_get_none(zone: str) -> None:
    """The instant is the same whatever its zone."""
    array = arrow_column(pd.Series([NOON.tz_convert(zone), pd.NaT]), "at")

    assert array.type.tz == "UTC"
    assert array.to_pylist() == [NOON, None]
    assert arrow_column(pd.Series([NOON.tz_localize(None)]), "at").type.tz is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1, "a"], "Could not convert 'a' with type str"),
        ([[1], "a"], "cannot mix list and non-list"),
        (["\ud800"], r"'utf-8' codec can't encode character '\ud800' in position 0"),
        ([10**30, 1], "Python int too large to convert to C long"),
    ],
)
def test_values_of_several_types_are_refused(values: list[Any], reason: str) -> None:
    """The message is one line, names the column and says why."""
    message = rf"^'x' must hold values of one type that a database can store, got '{re.escape(reason)}[^\n]*'$"
    with pytest.raises(LeadmlError, match=message) as caught:
        arrow_column(pd.Series(values, dtype=object), "x")
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("arrow_type", "written"),
    [
        (pa.null(), pa.string()),
        (pa.large_string(), pa.string()),
        (pa.bool_(), pa.bool_()),
        (pa.int8(), pa.int64()),
        (pa.uint64(), pa.int64()),
        (pa.float32(), pa.float64()),
        (pa.timestamp("ns"), pa.timestamp("us")),
        (pa.timestamp("s", "Europe/Berlin"), pa.timestamp("us", "UTC")),
    ],
)
def test_every_type_is_written_as_one_of_six(arrow_type: pa.DataType, written: pa.DataType) -> None:
    """Which is written as itself, and has a type in every dialect."""
    assert column_type(arrow_type, "x") == written
    assert column_type(written, "x") == written
    for dialect in DIALECTS:
        assert sql_type(written, dialect=dialect, key=False) is not None


@pytest.mark.parametrize("arrow_type", [pa.binary(), pa.list_(pa.int64()), pa.date32(), pa.decimal128(9, 2)])
def test_a_type_that_no_column_has_is_refused(arrow_type: pa.DataType) -> None:
    """The message has the type."""
    message = rf"^'x' must hold text, numbers, booleans or instants, got '{re.escape(str(arrow_type))}'$"
    with pytest.raises(LeadmlError, match=message):
        column_type(arrow_type, "x")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_types_are_those_of_the_dialect(dialect: str) -> None:
    """SQLite has none for instants, and a text that is a key has a length where the dialect needs one."""
    types = {
        str(each): type(sql_type(each, dialect=dialect, key=False)) for each in (pa.bool_(), pa.int64(), pa.float64())
    }
    key = sql_type(pa.string(), dialect=dialect, key=True)

    assert types == {"bool": sa.Boolean, "int64": sa.BigInteger, "double": sa.Double}
    assert type(sql_type(pa.string(), dialect=dialect, key=False)) is sa.Text
    assert key.length == (MAX_KEY_LENGTH if dialect == "mysql" else None)
    for zone in (None, "UTC"):
        at = sql_type(pa.timestamp("us", zone), dialect=dialect, key=False)
        assert isinstance(at, sa.Text) if dialect == "sqlite" else at.timezone == (zone is not None)


def test_sqlite_gets_instants_as_text() -> None:
    """In ISO 8601, to the microsecond; other dialects and other values are left as they are."""
    array = pa.array([NOON.to_pydatetime(), None], pa.timestamp("us", "UTC"))

    assert driver_values(array, dialect="sqlite") == ["2026-02-03T12:00:00.123456+00:00", None]
    assert driver_values(array, dialect="postgresql") == [NOON.to_pydatetime(), None]
    assert driver_values(pa.array(["a", None]), dialect="sqlite") == ["a", None]
    assert isinstance(driver_values(array, dialect="mysql")[0], dt.datetime)
