"""Types of columns of a database: from declarations, or for SQLite from the values of all rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.read.column_types import (
    COLUMNS_PER_QUERY,
    ColumnType,
    as_text,
    decimal_type,
    declared_types,
    postgres_types,
    sqlite_types,
)
from leadml.leads.read.connection import open_connection

pytest_plugins = ["tests.postgres"]

NOON = dt.datetime(2026, 2, 3, 12, 0, 0, 123456)  # noqa: DTZ001 - the test needs a time without a zone


@pytest.fixture
def sqlite() -> Iterator[sa.Connection]:
    """Give a connection to an empty database of SQLite in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _stored(sqlite: sa.Connection, values: list[Any], booleans: frozenset[str] = frozenset()) -> str:
    """Return the type of a column of SQLite that stores some values."""
    sqlite.exec_driver_sql("DROP TABLE IF EXISTS sample")
    sqlite.exec_driver_sql("CREATE TABLE sample (x)")
    for value in values:
        sqlite.exec_driver_sql("INSERT INTO sample VALUES (?)", (value,))
    (found,) = sqlite_types(sqlite, sa.table("sample"), ["x"], booleans, source="sample")
    return str(found.arrow)


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False)))
def test_numbers_keep_all_their_digits_as_text(number: float | Decimal) -> None:
    """The text is read back as the same number."""
    assert type(number)(as_text(number)) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (1, "1"),
        ("  x\n", "  x\n"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(3, 4), "03:04:00"),
        (NOON, "2026-02-03T12:00:00.123456"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_each_value_has_one_text(value: Any, text: str) -> None:
    """Truth in lower case, dates and times in ISO 8601, texts unchanged."""
    assert as_text(value) == text


@pytest.mark.parametrize("value", [b"x", bytearray(b"x"), memoryview(b"x"), [1], (1,), {1: 2}, {1}])
def test_a_value_without_a_text_is_refused(value: Any) -> None:
    """The message has its type and not the value."""
    name = type(value).__name__
    with pytest.raises(TypeError, match=f"^must be a number, text, true or false, a date or an instant, got {name}$"):
        as_text(value)


@given(precision=st.none() | st.integers(-2, 60), scale=st.none() | st.integers(-5, 60))
def test_exact_numbers_are_decimals_where_arrow_has_such_decimals(precision: int | None, scale: int | None) -> None:
    """Any other declaration is text; infinity and NaN have no decimal and are missing."""
    column = decimal_type(precision, scale)
    fits = precision is not None and scale is not None and 0 <= scale <= precision <= 38

    assert column.arrow == (pa.decimal128(precision, scale) if fits else pa.string())
    if fits:
        assert column.array([Decimal("NaN"), Decimal(0), None, Decimal("-Infinity")]).to_pylist() == [
            None,
            0,
            None,
            None,
        ]


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_missing_values_are_never_converted(values: list[int | None]) -> None:
    """An array has a value for each value, and NULL stays missing."""
    assert ColumnType(pa.string(), as_text).array(values).to_pylist() == [
        None if value is None else str(value) for value in values
    ]
    assert ColumnType(pa.int64()).array(values).to_pylist() == values


@pytest.mark.parametrize(
    ("values", "arrow"),
    [
        ([], "string"),
        ([None, None], "string"),
        ([1, None, -(2**63)], "int64"),
        ([1.5, None], "double"),
        ([1, 2.5], "double"),
        ([2**53, -(2**53), 0.5], "double"),
        ([2**53 + 1, 0.5], "string"),
        ([-(2**53) - 1, 0.5], "string"),
        (["a", 1], "string"),
        (["a", 1, 2.5], "string"),
        (["a", None], "string"),
    ],
)
def test_the_values_of_sqlite_decide_the_type(sqlite: sa.Connection, values: list[Any], arrow: str) -> None:
    """Integers beside reals are reals only if a real has each of them exactly; the order of the rows says nothing."""
    assert _stored(sqlite, values) == _stored(sqlite, values[::-1]) == arrow


@pytest.mark.parametrize(
    ("values", "arrow"),
    [([0, 1, None], "bool"), ([0], "bool"), ([0, 2], "int64"), ([-1], "int64"), ([1, 0.5], "double"), ([], "string")],
)
def test_declared_booleans_of_sqlite_are_zeros_and_ones(sqlite: sa.Connection, values: list[Any], arrow: str) -> None:
    """A column with another value, or that is not declared as one, is no boolean."""
    assert _stored(sqlite, values, frozenset({"x"})) == arrow
    assert _stored(sqlite, values, frozenset({"y"})) == arrow.replace("bool", "int64")


def test_bytes_of_sqlite_are_refused(sqlite: sa.Connection) -> None:
    """Wherever they are stored; the message names table and column."""
    message = r"^sample: x must be a number, text, .*, got 'bytes'; leave it out or convert it to text in a query$"
    with pytest.raises(DataError, match=message):
        _stored(sqlite, ["a"] * 50 + [b"\0"])


def test_a_table_of_sqlite_may_have_very_many_columns(sqlite: sa.Connection) -> None:
    """More than fit into one query, each with its own type and in order."""
    number = 2 * COLUMNS_PER_QUERY + 1
    names = [f'c "{at}"' for at in range(number)]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    sqlite.exec_driver_sql(f"CREATE TABLE wide ({quoted})")
    values = [at if at % 2 else str(at) for at in range(number)]
    sqlite.exec_driver_sql(f"INSERT INTO wide VALUES ({', '.join('?' * number)})", tuple(values))  # noqa: S608
    found = sqlite_types(sqlite, sa.table("wide"), names, frozenset(), source="wide")

    assert [str(each.arrow) for each in found] == ["int64" if at % 2 else "string" for at in range(number)]


def test_types_of_postgresql_come_from_the_result(postgres_url: str) -> None:
    """A text is one whatever its length, and a column of another type is refused with its name."""
    with open_connection(postgres_url, writing=False) as connection:

        def types(select: str) -> list[str]:
            result = connection.exec_driver_sql(f"SELECT {select}")
            return [str(one.arrow) for one in postgres_types(connection, result.cursor.description, source="query")]

        assert types("1::int2, 1::int8, 0.5::float4, true, 'a'::varchar(3), date '2026-01-01'") == [
            "int64", "int64", "double", "bool", "string", "string",
        ]  # fmt: skip
        assert types("1::numeric(9, 2), 1::numeric, now(), now()::timestamp") == [
            "decimal128(9, 2)", "string", "timestamp[us, tz=UTC]", "timestamp[us]",
        ]  # fmt: skip
        with pytest.raises(DataError, match=r"^query: other must be a number, .* got 'json'; leave it out"):
            types("1 AS one, '{}'::json AS other")


def test_types_of_other_dialects_come_from_their_declarations() -> None:
    """Each type of SQLAlchemy has one Arrow type; unsupported types are refused with the name of the column."""
    from sqlalchemy.dialects import mysql

    arrow_types = {
        sa.Integer(): pa.int64(),
        sa.BigInteger(): pa.int64(),
        mysql.BIGINT(unsigned=True): pa.uint64(),
        sa.Float(): pa.float64(),
        sa.Double(): pa.float64(),
        sa.Numeric(9, 2): pa.decimal128(9, 2),
        sa.Numeric(): pa.string(),
        sa.Boolean(): pa.bool_(),
        sa.String(): pa.string(),
        sa.Enum("a"): pa.string(),
        sa.Date(): pa.string(),
        sa.Uuid(): pa.string(),
        sa.DateTime(): pa.timestamp("us"),
        sa.DateTime(timezone=True): pa.timestamp("us", "UTC"),
    }
    got = declared_types([(str(number), declared) for number, declared in enumerate(arrow_types)], source="t")
    assert [column_type.arrow for column_type in got] == list(arrow_types.values())
    for declared in (sa.LargeBinary(), sa.JSON(), sa.ARRAY(sa.Integer), sa.Interval(), sa.types.NullType()):
        with pytest.raises(
            DataError, match=r"^t: x must be a number, text, true or false, .*, got '\w+'; leave it out"
        ):
            declared_types([("x", declared)], source="t")


def test_a_zone_is_neither_dropped_nor_added() -> None:
    """Instants with a zone in a column declared without one, and the reverse, are refused."""
    naive, aware = declared_types([("a", sa.DateTime()), ("b", sa.DateTime(timezone=True))], source="t")
    zoned = NOON.replace(tzinfo=dt.UTC)
    assert naive.array([NOON, None]).to_pylist() == [NOON, None]
    assert aware.array([zoned, None]).to_pylist() == [zoned, None]
    with pytest.raises(ValueError, match=r"^an instant with a zone$"):
        naive.array([zoned])
    with pytest.raises(ValueError, match=r"^a time without a zone$"):
        aware.array([NOON])
