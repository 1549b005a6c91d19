"""Say what a column of a database is in Arrow, before its first row is read.

What enters is what the database declares, or what an SQLite file holds; what leaves is one Arrow type a column and a
way to read its values.
It refuses columns that are no number, text, truth value, date or instant, and never decides from the rows at hand: a
type is the same however the rows are cut into chunks.
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

MOST_DIGITS = 38
EXACT = 2**53
SCANNED = 100  # columns at a time: SQLite has at most 2,000 results


@dataclass(frozen=True)
class ColumnType:
    """What a column becomes.

    Parameters
    ----------
    arrow
        Its type.
    read
        What turns a value that is not NULL into one of the type; None where the driver gives it already.
    """

    arrow: pa.DataType
    read: Callable[[Any], Any] | None = None

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Return values as an array."""
        if self.read is not None:
            read = self.read
            values = [None if value is None else read(value) for value in values]
        return pa.array(values, self.arrow)


def as_text(value: Any) -> str:
    """Return a value in its one text form: dates in ISO 8601, numbers with all their digits.

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


def _without_zone(value: Any) -> Any:
    if value.tzinfo is not None:
        msg = "an instant with a zone"
        raise ValueError(msg)
    return value


def _with_zone(value: Any) -> Any:
    if value.tzinfo is None:
        msg = "a time without a zone"
        raise ValueError(msg)
    return value


INTEGER = ColumnType(pa.int64())
UNSIGNED = ColumnType(pa.uint64())
REAL = ColumnType(pa.float64())
BOOLEAN = ColumnType(pa.bool_(), bool)
TEXT = ColumnType(pa.string())
WRITTEN = ColumnType(pa.string(), as_text)
NAIVE = ColumnType(pa.timestamp("us"), _without_zone)
AWARE = ColumnType(pa.timestamp("us", "UTC"), _with_zone)
POSTGRES = {
    "bool": BOOLEAN,
    **dict.fromkeys(("int2", "int4", "int8", "oid"), INTEGER),
    **dict.fromkeys(("float4", "float8"), REAL),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "char"), TEXT),
    **dict.fromkeys(("date", "uuid"), WRITTEN),
    "timestamp": NAIVE,
    "timestamptz": AWARE,
}
SQLITE = {"integer": INTEGER, "real": REAL, "boolean": BOOLEAN, "text": TEXT, "mixed": WRITTEN}


def decimal_type(precision: int | None, scale: int | None) -> ColumnType:
    """Return the type of exact numbers: Arrow's decimal where the digits are declared, else text.

    Examples
    --------
    >>> decimal_type(12, 2).arrow, decimal_type(None, None).arrow
    (Decimal128Type(decimal128(12, 2)), DataType(string))
    """
    if precision is None or scale is None or not 0 <= scale <= precision <= MOST_DIGITS:
        return WRITTEN
    return ColumnType(pa.decimal128(precision, scale), _finite)


def postgres_types(connection: Connection, described: Sequence[Any], *, source: str) -> list[ColumnType]:
    """Return the types of a PostgreSQL result; enumerations and text types of extensions are text.

    Parameters
    ----------
    connection
        To ask for the names of types.
    described
        What the driver says of each column: name, type, precision and scale.
    source
        Name of what is read, for messages.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    asked = sa.text("SELECT oid, typname, typcategory FROM pg_catalog.pg_type WHERE oid = ANY(:oids)")
    known = connection.execute(asked, {"oids": [column.type_code for column in described]})
    names = {oid: (str(name), str(category)) for oid, name, category in known}
    types = []
    for column in described:
        name, category = names.get(column.type_code, ("a type without name", ""))
        if name == "numeric":
            types.append(decimal_type(column.precision, column.scale))
        elif name in POSTGRES or category in {"E", "S"}:
            types.append(POSTGRES.get(name, TEXT))
        else:
            raise _refused(source, column.name, name)
    return types


def declared_types(declared: Sequence[tuple[str, TypeEngine[Any]]], *, source: str) -> list[ColumnType]:
    """Return the types of columns by what a dialect of SQLAlchemy says of them.

    Examples
    --------
    >>> from sqlalchemy import Float, Numeric
    >>> [str(kind.arrow) for kind in declared_types([("a", Float()), ("b", Numeric(9, 2))], source="t")]
    ['double', 'decimal128(9, 2)']
    """
    return [_declared(name, kind, source) for name, kind in declared]


def _declared(name: str, kind: TypeEngine[Any], source: str) -> ColumnType:
    from sqlalchemy import types  # noqa: PLC0415 - the door opens without it

    if isinstance(kind, types.Integer):
        return UNSIGNED if getattr(kind, "unsigned", False) else INTEGER
    if isinstance(kind, types.Float):
        return REAL
    if isinstance(kind, types.Numeric):
        return decimal_type(kind.precision, kind.scale)
    if isinstance(kind, types.DateTime):
        return AWARE if kind.timezone else NAIVE
    by_kind = ((types.Boolean, BOOLEAN), (types.String, TEXT), ((types.Date, types.Uuid), WRITTEN))
    for kinds, column_type in by_kind:
        if isinstance(kind, kinds):
            return column_type
    raise _refused(source, name, type(kind).__name__)


def sqlite_types(
    connection: Connection, relation: FromClause, names: Sequence[str], booleans: frozenset[str], *, source: str
) -> list[ColumnType]:
    """Return the types of columns by what they hold, over all rows: SQLite keeps any value in any column.

    Integers are integers, reals and integers are reals, and any other mixture is text. A date is what was stored: text
    or a number.

    Parameters
    ----------
    connection, relation
        Where to look.
    names
        Of the columns.
    booleans
        Columns that are declared to be truth values, and are where they hold nothing but 0 and 1.
    source
        Name of what is read, for messages.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    types = []
    for first in range(0, len(names), SCANNED):
        here = names[first : first + SCANNED]
        columns: list[sa.ColumnClause[Any]] = [sa.column(sa.quoted_name(name, quote=True)) for name in here]
        asked: list[Any] = [sa.func.group_concat(sa.func.typeof(value).distinct()) for value in columns]
        kinds = connection.execute(sa.select(*asked).select_from(relation)).one()
        for name, value, held in zip(here, columns, kinds, strict=True):
            whole, beyond = sa.func.typeof(value) == "integer", sa.or_(value > EXACT, value < -EXACT)
            found = frozenset(str(held).split(",")) - {"None", "null"}
            if found == {"integer"} and name in booleans:
                others = sa.select(sa.literal(1)).select_from(relation).where(value.not_in([0, 1])).limit(1)
                found = found if connection.execute(others).first() else frozenset({"boolean"})
            elif found == {"integer", "real"}:
                inexact = sa.select(sa.literal(1)).select_from(relation).where(whole, beyond).limit(1)
                found = frozenset({"mixed"}) if connection.execute(inexact).first() else frozenset({"real"})
            types.append(_held(found, name, source))
    return types


def _held(kinds: frozenset[str], name: str, source: str) -> ColumnType:
    if "blob" in kinds:
        raise _refused(source, name, "bytes")
    return WRITTEN if len(kinds) > 1 else SQLITE[next(iter(kinds), "text")]


def _finite(value: Any) -> Decimal | None:
    number = Decimal(value)
    return number if number.is_finite() else None


def _refused(source: str, column: str, got: str) -> DataError:
    message = (
        f"must be a number, text, true or false, a date or an instant, got {quoted(got)}; leave it out or turn it to "
        "text in a query"
    )
    return DataError([Fault(source, message, column)])
