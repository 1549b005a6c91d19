"""Choose the Arrow type of each column of a database before its first row is read.

The types come from what the database declares, or for SQLite from the values of all rows. They never come from the rows
of one chunk, so every chunk has the same types. A column that holds neither numbers, text, booleans, dates nor instants
is refused.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadml.errors import DataError, Fault, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, FromClause
    from sqlalchemy.types import TypeEngine

MAX_DECIMAL_DIGITS = 38  # of Arrow's decimal128
MAX_EXACT_INTEGER = 2**53  # a double has 53 bits of precision (IEEE 754)
COLUMNS_PER_QUERY = 100  # SQLite allows at most 2,000 columns in a result


@dataclass(frozen=True)
class ColumnType:
    """The Arrow type of a column, and how to convert its values.

    Parameters
    ----------
    arrow
        The Arrow type.
    convert
        Function that converts a value other than NULL to the Arrow type; None where the driver returns that type.
    """

    arrow: pa.DataType
    convert: Callable[[Any], Any] | None = None

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Return values as an Arrow array of this type."""
        if self.convert is not None:
            convert = self.convert
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, self.arrow)


def as_text(value: Any) -> str:
    """Return a value as text: dates in ISO 8601, numbers with all their digits.

    Raises
    ------
    TypeError
        Where the value has no text form: bytes, lists and mappings.

    Examples
    --------
    >>> [as_text(value) for value in (True, 7, 0.1, Decimal("1.50"), dt.date(2026, 1, 2))]
    ['true', '7', '0.1', '1.50', '2026-01-02']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview | list | tuple | dict | set):
        msg = f"must be a number, text, true or false, a date or an instant, got {type(value).__name__}"
        raise TypeError(msg)
    return str(value)


def _require_no_zone(value: Any) -> Any:
    if value.tzinfo is not None:
        msg = "an instant with a zone"
        raise ValueError(msg)
    return value


def _require_zone(value: Any) -> Any:
    if value.tzinfo is None:
        msg = "a time without a zone"
        raise ValueError(msg)
    return value


INTEGER = ColumnType(pa.int64())
UNSIGNED_INTEGER = ColumnType(pa.uint64())
REAL = ColumnType(pa.float64())
BOOLEAN = ColumnType(pa.bool_(), bool)
TEXT = ColumnType(pa.string())
CONVERTED_TEXT = ColumnType(pa.string(), as_text)
TIMESTAMP = ColumnType(pa.timestamp("us"), _require_no_zone)
TIMESTAMP_UTC = ColumnType(pa.timestamp("us", "UTC"), _require_zone)
POSTGRES_TYPES = {
    "bool": BOOLEAN,
    **dict.fromkeys(("int2", "int4", "int8", "oid"), INTEGER),
    **dict.fromkeys(("float4", "float8"), REAL),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "char"), TEXT),
    **dict.fromkeys(("date", "uuid"), CONVERTED_TEXT),
    "timestamp": TIMESTAMP,
    "timestamptz": TIMESTAMP_UTC,
}
SQLITE_TYPES = {"integer": INTEGER, "real": REAL, "boolean": BOOLEAN, "text": TEXT, "mixed": CONVERTED_TEXT}


def decimal_type(precision: int | None, scale: int | None) -> ColumnType:
    """Return the type of exact numbers: an Arrow decimal where precision and scale are declared, else text.

    Examples
    --------
    >>> decimal_type(12, 2).arrow, decimal_type(None, None).arrow
    (Decimal128Type(decimal128(12, 2)), DataType(string))
    """
    if precision is None or scale is None or not 0 <= scale <= precision <= MAX_DECIMAL_DIGITS:
        return CONVERTED_TEXT
    return ColumnType(pa.decimal128(precision, scale), _finite_decimal)


def postgres_types(connection: Connection, description: Sequence[Any], *, source: str) -> list[ColumnType]:
    """Return the types of the columns of a PostgreSQL result.

    Enumerations, and types of extensions in PostgreSQL's category of strings, are text.

    Parameters
    ----------
    connection
        Connection that reads the names of the types.
    description
        The driver's description of each column: name, type, precision and scale.
    source
        Name of the table or query, for messages.

    Raises
    ------
    DataError
        Where a column has another type.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

    query = sa.text("SELECT oid, typname, typcategory FROM pg_catalog.pg_type WHERE oid = ANY(:oids)")
    rows = connection.execute(query, {"oids": [column.type_code for column in description]})
    names = {oid: (str(name), str(category)) for oid, name, category in rows}
    types = []
    for column in description:
        name, category = names.get(column.type_code, ("a type without name", ""))
        if name == "numeric":
            types.append(decimal_type(column.precision, column.scale))
        elif name in POSTGRES_TYPES or category in {"E", "S"}:
            types.append(POSTGRES_TYPES.get(name, TEXT))
        else:
            raise _unsupported_type(source, column.name, name)
    return types


def declared_types(declarations: Sequence[tuple[str, TypeEngine[Any]]], *, source: str) -> list[ColumnType]:
    """Return the types of columns from the types that SQLAlchemy reports for them.

    Parameters
    ----------
    declarations
        Name and SQLAlchemy type of each column.
    source
        Name of the table, for messages.

    Raises
    ------
    DataError
        Where a column has another type.

    Examples
    --------
    >>> from sqlalchemy import Float, Numeric
    >>> [str(column.arrow) for column in declared_types([("a", Float()), ("b", Numeric(9, 2))], source="t")]
    ['double', 'decimal128(9, 2)']
    """
    return [_declared_type(name, declaration, source) for name, declaration in declarations]


def _declared_type(name: str, declaration: TypeEngine[Any], source: str) -> ColumnType:
    from sqlalchemy import types  # noqa: PLC0415 - only databases need it

    if isinstance(declaration, types.Integer):
        return UNSIGNED_INTEGER if getattr(declaration, "unsigned", False) else INTEGER
    if isinstance(declaration, types.Float):
        return REAL
    if isinstance(declaration, types.Numeric):
        return decimal_type(declaration.precision, declaration.scale)
    if isinstance(declaration, types.DateTime):
        return TIMESTAMP_UTC if declaration.timezone else TIMESTAMP
    others = ((types.Boolean, BOOLEAN), (types.String, TEXT), ((types.Date, types.Uuid), CONVERTED_TEXT))
    for classes, column_type in others:
        if isinstance(declaration, classes):
            return column_type
    raise _unsupported_type(source, name, type(declaration).__name__)


def sqlite_types(
    connection: Connection, relation: FromClause, names: Sequence[str], booleans: frozenset[str], *, source: str
) -> list[ColumnType]:
    """Return the types of columns of SQLite from the values of all rows, because any column may hold any value.

    A column of integers is integer, a column of reals, or of reals and integers, is real, and any other mixture is
    text. A date is what was stored: text or a number.

    Parameters
    ----------
    connection
        Connection to the database.
    relation
        Table or query that has the columns.
    names
        Names of the columns.
    booleans
        Columns that are declared as booleans; they are booleans where all values are 0 or 1.
    source
        Name of the table or query, for messages.

    Raises
    ------
    DataError
        Where a column holds bytes.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

    types = []
    for first in range(0, len(names), COLUMNS_PER_QUERY):
        part = names[first : first + COLUMNS_PER_QUERY]
        columns: list[sa.ColumnClause[Any]] = [sa.column(sa.quoted_name(name, quote=True)) for name in part]
        queries: list[Any] = [sa.func.group_concat(sa.func.typeof(value).distinct()) for value in columns]
        results = connection.execute(sa.select(*queries).select_from(relation)).one()
        for name, value, result in zip(part, columns, results, strict=True):
            is_integer = sa.func.typeof(value) == "integer"
            is_inexact = sa.or_(value > MAX_EXACT_INTEGER, value < -MAX_EXACT_INTEGER)
            classes = frozenset(str(result).split(",")) - {"None", "null"}
            if classes == {"integer"} and name in booleans:
                others = sa.select(sa.literal(1)).select_from(relation).where(value.not_in([0, 1])).limit(1)
                classes = classes if connection.execute(others).first() else frozenset({"boolean"})
            elif classes == {"integer", "real"}:
                inexact = sa.select(sa.literal(1)).select_from(relation).where(is_integer, is_inexact).limit(1)
                classes = frozenset({"mixed"}) if connection.execute(inexact).first() else frozenset({"real"})
            types.append(_stored_type(classes, name, source))
    return types


def _stored_type(storage_classes: frozenset[str], name: str, source: str) -> ColumnType:
    if "blob" in storage_classes:
        raise _unsupported_type(source, name, "bytes")
    return CONVERTED_TEXT if len(storage_classes) > 1 else SQLITE_TYPES[next(iter(storage_classes), "text")]


def _finite_decimal(value: Any) -> Decimal | None:
    number = Decimal(value)
    return number if number.is_finite() else None


def _unsupported_type(source: str, column: str, got: str) -> DataError:
    message = (
        f"must be a number, text, true or false, a date or an instant, got {quoted(got)}; leave it out or convert it "
        "to text in a query"
    )
    return DataError([Fault(source, message, column)])
