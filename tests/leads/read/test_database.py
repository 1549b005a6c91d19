"""Leads are read from a database unchanged, in one transaction, without writing and without showing the password."""

from __future__ import annotations

import datetime as dt
import logging
import re
import sqlite3
import subprocess
import sys
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.frames import rows

from leadml.errors import DataError, LeadmlError
from leadml.leads.check.rows import check_chunk
from leadml.leads.read.connection import mask_address
from leadml.leads.read.database import Query, ReadTransaction, TableName, open_read_transaction
from leadml.leads.read.files import Dialect

pytest_plugins = ["tests.postgres"]

CANARY = "s3cr3t-canary"
NAMES = [
    "users; DROP TABLE canary",
    "users'; DROP TABLE canary; --",
    'users"; DROP TABLE canary; --',
    '"',
    '""',
    "'",
    "`",
    "[x]",
    "x]",
    "Mixed Case",
    "UPPER",
    "select",
    "order",
    "null",
    "a.b",
    "a:b",
    ":x",
    "a::int",
    "50%",
    "%s",
    "%(x)s",
    "a%%b",
    "a(b)",
    "a,b",
    "back\\slash",
    "\\:x",
    "--",
    "/* x */",
    "x -- y",
    "$1",
    "?",
    "a=b",
    "ünï",
    "数",
    "😀",
    "1",
    "*",
    "{x}",
    "a/b",
    "a|b",
    "x" * 63,
]
WRITING = [
    "INSERT INTO leads VALUES ('z', 9)",
    "UPDATE leads SET n = 0",
    "DELETE FROM leads",
    "DROP TABLE leads",
    "CREATE TABLE other (x int)",
    "SELECT 1; DELETE FROM leads",
    "SELECT 1; COMMIT; DELETE FROM leads",
    "WITH gone AS (DELETE FROM leads RETURNING id) SELECT id FROM gone",
    "WITH x AS (SELECT 1) INSERT INTO leads SELECT 'z', 9",
    "SELECT * INTO other FROM leads",
    "ATTACH 'other.db' AS other",
    "PRAGMA journal_mode = DELETE",
    "COMMIT",
    "SELECT 1 AS x /* ; */ ; DELETE FROM leads -- '",
    "SELECT id FROM leads FOR UPDATE",
    "",
    "-- SELECT",
]


def quote(name: str) -> str:
    """Return a name as SQL's standard quotes it."""
    return '"' + name.replace('"', '""') + '"'


def run(url: str, *statements: str) -> None:
    """Run statements in one transaction."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return
    import psycopg

    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def read(
    transaction: ReadTransaction, relation: TableName | Query, columns: list[str] | None = None, *, rows: int = 1000
) -> pa.Table:
    """Return all rows; assert that all chunks have the same types and at most ``rows`` rows."""
    chunks = list(transaction.chunks(relation, columns or transaction.column_names(relation), rows=rows))
    assert all(chunk.table.schema == chunks[0].table.schema for chunk in chunks)
    assert all(chunk.table.num_rows <= rows for chunk in chunks)
    assert np.concatenate([chunk.lines for chunk in chunks]).tolist() == list(
        range(1, 1 + sum(len(chunk.lines) for chunk in chunks))
    )
    assert all((chunk.places == chunk.lines - 1).all() for chunk in chunks)
    return pa.concat_tables([chunk.table for chunk in chunks])


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the address of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'leads.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of an empty SQLite and of an empty PostgreSQL database."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def leads_url(url: str) -> str:
    """Return the address of a database with three leads."""
    run(url, "CREATE TABLE leads (id text, n int)", "INSERT INTO leads VALUES ('a', 1), ('b', NULL), ('c', 3)")
    return url


# ---- laws


STORED = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 1),
    st.floats(allow_nan=False, width=64),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@pytest.mark.slow
@given(
    rows=st.lists(st.tuples(STORED, st.integers(-(2**63), 2**63 - 1), st.text("a\0b'\"é😀")), max_size=12),
    size=st.integers(1, 5),
)
def test_values_of_sqlite_are_read_unchanged_for_any_size_of_chunks(tmp_path_factory, rows, size):
    """Types do not depend on the chunks; a column of one storage class is read exactly, a mixture as text."""
    file = tmp_path_factory.mktemp("sample") / "x.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE sample (a, b INTEGER, c TEXT)")
        connection.executemany("INSERT INTO sample VALUES (?, ?, ?)", rows)
    with open_read_transaction(f"sqlite:///{file}") as transaction:
        for source in (TableName("sample"), Query("SELECT * FROM sample")):
            whole, chunked = read(transaction, source), read(transaction, source, rows=size)
            assert chunked.schema == whole.schema
            assert chunked.to_pylist() == whole.to_pylist()
            got = [tuple(row.values()) for row in chunked.to_pylist()]
            assert [row[1:] for row in got] == [row[1:] for row in rows]
            assert [value for value, *_ in got] == expected_values([value for value, *_ in rows])


def expected_values(values: list) -> list:
    """Return the values that a column of SQLite must be read as."""
    classes = {type(value) for value in values} - {type(None)}
    is_exact = all(abs(value) <= 2**53 for value in values if isinstance(value, int))
    if str in classes or (classes == {int, float} and not is_exact):
        return [None if value is None else str(value) for value in values]
    return values


DAY = dt.date(2026, 2, 3)
NOON = dt.datetime(2026, 2, 3, 12, 0, 0, 123456)  # noqa: DTZ001 - the test needs a time without a zone
ROW = {
    "i2": ("int2", -(2**15), pa.int64()),
    "i4": ("int4", 2**31 - 1, pa.int64()),
    "i8": ("int8", -(2**63), pa.int64()),
    "f4": ("float4", 0.5, pa.float64()),
    "f8": ("float8", 0.1 + 0.2, pa.float64()),
    "yes": ("bool", True, pa.bool_()),
    "txt": ("text", "ünï\t'\"\n😀", pa.string()),
    "vc": ("varchar(9)", "x", pa.string()),
    "bp": ("char(3)", "x  ", pa.string()),
    "ch": ('"char"', "x", pa.string()),
    "nm": ("name", "x", pa.string()),
    "money": ("numeric(20, 2)", Decimal("123456789012345678.91"), pa.decimal128(20, 2)),
    "key": ("numeric(30)", Decimal(123456789012345678901234567890), pa.decimal128(30, 0)),
    "num": ("numeric", Decimal("0.1000"), "0.1000"),
    "neg": ("numeric(3, -2)", Decimal(1200), "1200"),
    "day": ("date", DAY, "2026-02-03"),
    "ts": ("timestamp", NOON, pa.timestamp("us")),
    "tz": ("timestamptz", NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=5))), pa.timestamp("us", "UTC")),
    "id": ("uuid", uuid.UUID(int=5), str(uuid.UUID(int=5))),
    "en": ("mood", "it's", pa.string()),
    "dom": ("positive", 5, pa.int64()),
}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_every_type_of_postgresql_is_read_exactly(postgres_url, size, zone):
    """A table and a query give the same values, in any zone of the session, even where the first rows are all NULL."""
    import psycopg

    run(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('ok', 'it''s')",
        "CREATE DOMAIN positive AS int4 CHECK (VALUE > 0)",
        f"ALTER ROLE CURRENT_USER SET timezone = '{zone}'",
        f"CREATE TABLE sample ({', '.join(f'{name} {sql_type}' for name, (sql_type, *_) in ROW.items())})",
    )
    values = [value for _, value, _ in ROW.values()]
    with psycopg.connect(postgres_url) as connection:
        insert = "INSERT INTO sample VALUES (" + ", ".join(["%s"] * len(values)) + ")"  # noqa: S608 - a text of this test
        connection.cursor().executemany(insert, [[None] * len(values)] * 2 + [values] + [[None] * len(values)])
    with open_read_transaction(postgres_url) as transaction:
        for source in (TableName("sample"), TableName("sample", "public"), Query("SELECT * FROM sample;")):
            table = read(transaction, source, rows=size)
            for name, (_, value, result) in ROW.items():
                is_text = isinstance(result, str)
                assert table.schema.field(name).type == (pa.string() if is_text else result), name
                assert table[name].to_pylist() == [None, None, result if is_text else value, None], name


def test_nan_and_infinity_are_read(postgres_url):
    """Doubles keep NaN and infinity; in exact numbers they are missing, or text where no digits are declared."""
    run(
        postgres_url,
        "CREATE TABLE sample (f float8, d numeric(9, 2), n numeric)",
        "INSERT INTO sample VALUES ('NaN', 'NaN', 'NaN'), ('-Infinity', NULL, 'Infinity')",
    )
    with open_read_transaction(postgres_url) as transaction:
        table = read(transaction, TableName("sample"))
    assert np.isnan(table["f"][0].as_py())
    assert table["f"][1].as_py() == -np.inf
    assert table["d"].to_pylist() == [None, None]
    assert table["n"].to_pylist() == ["NaN", "Infinity"]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_transaction_on_sqlite_shows_one_instant(sqlite_url, journal):
    """Rows committed meanwhile do not appear, whether a table was read before or not."""
    run(sqlite_url, f"PRAGMA journal_mode = {journal}", "CREATE TABLE one (x)", "CREATE TABLE two (x)")
    run(sqlite_url, "INSERT INTO one VALUES (1)", "INSERT INTO two VALUES (1)")
    with open_read_transaction(sqlite_url) as transaction:
        adding = ("INSERT INTO one VALUES (2)", "INSERT INTO two VALUES (2)", "CREATE TABLE three (x)")
        if journal == "wal":
            run(sqlite_url, *adding)
        assert read(transaction, TableName("one"))["x"].to_pylist() == [1]
        assert read(transaction, TableName("two"))["x"].to_pylist() == [1]
        assert read(
            transaction, Query("SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM two) AS n")
        ).to_pylist()
        with pytest.raises(DataError, match=r"must have a table 'three', got none"):
            transaction.column_names(TableName("three"))
    if journal == "delete":
        run(sqlite_url, *adding)
    with open_read_transaction(sqlite_url) as transaction:
        assert read(transaction, TableName("two"))["x"].to_pylist() == [1, 2]


def test_a_transaction_on_postgresql_shows_one_instant(postgres_url):
    """Rows added, changed or deleted meanwhile do not appear in any table, even half-way through a table."""
    run(postgres_url, "CREATE TABLE one AS SELECT g AS x FROM generate_series(1, 5) g", "CREATE TABLE two (x int)")
    run(postgres_url, "INSERT INTO two VALUES (1)")
    with open_read_transaction(postgres_url) as transaction:
        run(postgres_url, "INSERT INTO one VALUES (6)", "INSERT INTO two VALUES (2)", "UPDATE one SET x = -x")
        chunks = transaction.chunks(TableName("one"), ["x"], rows=2)
        values = next(chunks).table["x"].to_pylist()
        run(postgres_url, "DELETE FROM one", "DELETE FROM two")
        values += [x for chunk in chunks for x in chunk.table["x"].to_pylist()]
        assert values == [1, 2, 3, 4, 5]
        assert read(transaction, TableName("two"))["x"].to_pylist() == [1]
    with open_read_transaction(postgres_url) as transaction:
        assert read(transaction, TableName("two")).num_rows == 0


@pytest.mark.parametrize("text", WRITING)
def test_a_query_that_is_not_one_select_is_refused(text):
    """Statements that write, several statements and empty texts are refused by their text."""
    with pytest.raises(DataError, match=r"^query: must (begin with SELECT or WITH|be one SELECT|write nothing), got "):
        Query(text)


def test_a_query_cannot_end_the_read_only_mode(leads_url):
    """Even where the check of the text is bypassed, no sequence of settings lets a query write."""
    query = object.__new__(Query)
    settings = ["PRAGMA query_only = OFF", "SET default_transaction_read_only = off", "COMMIT", "ROLLBACK", "BEGIN"]
    with open_read_transaction(leads_url) as transaction:
        for text in [*settings[:-1], *WRITING, *settings, "INSERT INTO leads VALUES ('z', 9)", "COMMIT"]:
            object.__setattr__(query, "text", text)
            with suppress(DataError):
                read(transaction, query, ["id"])
    with open_read_transaction(leads_url) as transaction:
        assert read(transaction, TableName("leads"))["n"].to_pylist() == [1, None, 3]


@pytest.mark.slow
def test_a_query_cannot_write(leads_url, tmp_path, monkeypatch):
    """Even where the check of the text is bypassed, the database refuses to write, and no file is created."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    query = object.__new__(Query)
    for text in WRITING:
        with open_read_transaction(leads_url) as transaction:
            for statement in (text, "SELECT count(*) AS id FROM leads"):
                object.__setattr__(query, "text", statement)
                with suppress(DataError):
                    read(transaction, query, ["id"])
        with open_read_transaction(leads_url) as transaction:
            assert read(transaction, TableName("leads"))["n"].to_pylist() == [1, None, 3], text
            with pytest.raises(DataError, match=r"must have a table 'other', got none"):
                transaction.column_names(TableName("other"))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'a; b' AS id FROM leads",
        "SELECT 'it''s; DELETE' AS id FROM leads",
        'SELECT id AS "delete; x" FROM leads',
        "SELECT id FROM leads -- ; DELETE",
        "SELECT id /* ; insert */ FROM leads;\n",
        "with a as (select id from leads) select id from a",
        "SELECT id FROM leads WHERE id LIKE '%' AND ':x' <> '\\:x' AND '%s' <> '%(x)s'",
        "SELECT id, n AS last_update FROM leads",
    ],
)
def test_one_select_is_run_unchanged(leads_url, text):
    """Semicolons and keywords inside quotes and comments, colons and percent signs do not matter."""
    with open_read_transaction(leads_url) as transaction:
        assert read(transaction, Query(text)).num_rows == 3


def test_a_select_in_parentheses_is_run_where_the_database_allows_it(leads_url):
    """PostgreSQL runs it; SQLite refuses it with a syntax error in one line."""
    query = Query("(SELECT id FROM leads)")
    with open_read_transaction(leads_url) as transaction:
        if leads_url.startswith("sqlite"):
            with pytest.raises(DataError, match="syntax error"):
                read(transaction, query)
        else:
            assert read(transaction, query).num_rows == 3


def test_casts_and_dollar_quotes_of_postgresql_are_run(postgres_url):
    """Syntax that only PostgreSQL has reaches the database unchanged."""
    with open_read_transaction(postgres_url) as transaction:
        table = read(transaction, Query("SELECT '7'::int AS x, $a$;DELETE$a$ AS y, 5 % 2 AS z, E'\\\\:b' AS w"))
    assert table.to_pylist() == [{"x": 7, "y": ";DELETE", "z": 1, "w": "\\:b"}]


@pytest.mark.slow
def test_any_name_of_a_table_or_column_is_read(url):
    """Names with quotes, keywords or SQL in them are only names, and another table stays as it was."""
    run(url, "CREATE TABLE canary (x int)", "INSERT INTO canary VALUES (7)")
    for name in NAMES:
        sql_name = quote(name)
        insert = f"INSERT INTO {sql_name} VALUES (1, 2)"  # noqa: S608 - the test needs this name
        run(url, f"CREATE TABLE {sql_name} ({sql_name} int, b int)", insert)
    with open_read_transaction(url) as transaction:
        for name in NAMES:
            assert transaction.column_names(TableName(name)) == [name, "b"]
            assert read(transaction, TableName(name), [name]).to_pylist() == [{name: 1}]
            query = Query(f"SELECT * FROM {quote(name)}")  # noqa: S608 - the test needs this name
            assert read(transaction, query, [name]).to_pylist() == [{name: 1}]
        assert read(transaction, TableName("canary"))["x"].to_pylist() == [7]


@pytest.mark.slow
def test_a_table_that_does_not_exist_is_refused(leads_url):
    """The message is one line of printable characters, whatever the name."""
    with open_read_transaction(leads_url) as transaction:
        for name in [*NAMES, "\0", "a\0b", "\ud800", "", " ", "x" * 100_000, "\x1b[31m", "\n", "Leads", "leads "]:
            for source in (TableName(name), TableName("leads", name or "?"), TableName(name, name)):
                with pytest.raises(
                    DataError, match=r" must have a table '.*', got none; (the nearest is|it has \d)"
                ) as got:
                    list(transaction.chunks(source, ["id"], rows=5))
                assert str(got.value).isprintable()
                assert len(str(got.value)) < 500
        assert read(transaction, TableName("leads")).num_rows == 3


# ---- the password is never shown


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with all its causes and contexts."""
    pending: list[BaseException | None] = [error]
    while pending:
        if (linked := pending.pop()) is not None:
            yield linked
            pending += [linked.__cause__, linked.__context__]


def read_chunks_of(url: str, source: TableName | Query, secret: str) -> None:
    """Read all chunks of column x; assert that the transaction does not show the secret."""
    with open_read_transaction(url) as transaction:
        assert secret not in repr(transaction)
        list(transaction.chunks(source, ["x"], rows=5))


@pytest.fixture
def assert_password_hidden(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that expects a refusal and asserts that no message, log or traceback has the password."""
    for name in ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.dialects", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name or None)

    def check(url: str, source: TableName | Query, *, secret: str = CANARY) -> str:
        with pytest.raises(LeadmlError, match=r"^[^\n]+$") as got:
            read_chunks_of(url, source, secret)
        error = got.value
        assert list(chain(error)) == [error]
        out, err = capsys.readouterr()
        lines = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error), caplog.text, out, err]
        assert not any(secret in text for text in lines)
        return str(error)

    return check


def test_the_password_is_not_shown_where_the_connection_fails(assert_password_hidden, postgres_server):
    """A wrong host, port, password or database is refused without the password."""
    good = postgres_server.url("postgres")
    table = TableName("leads")
    message = assert_password_hidden(good.replace("127.0.0.1", "no-such-host.invalid"), table)
    assert message.startswith("postgresql://leadml_tests:***@no-such-host.invalid:")
    assert "must be a database that can be reached, got: " in message
    assert "Connection refused" in assert_password_hidden(postgres_server.url("postgres", port=1), table)
    wrong = f"{CANARY}-2"
    assert "password authentication failed" in assert_password_hidden(good.replace(CANARY, wrong), table, secret=wrong)
    assert 'database "nothing" does not exist' in assert_password_hidden(postgres_server.url("nothing"), table)


def test_the_password_is_not_shown_where_reading_fails(assert_password_hidden, postgres_url):
    """A missing table, a wrong query, an unsupported type and an error in a row are refused without the password."""
    run(postgres_url, "CREATE TABLE sample (x json)")
    assert "must have a table 'leads', got none" in assert_password_hidden(postgres_url, TableName("leads"))
    assert 'got: relation "nothing" does not exist' in assert_password_hidden(
        postgres_url, Query("SELECT x FROM nothing")
    )
    assert "got: syntax error at or near" in assert_password_hidden(postgres_url, Query("SELECT FROM FROM"))
    assert "got 'json'" in assert_password_hidden(postgres_url, TableName("sample"))
    division = "SELECT 1 / (1 - g) AS x FROM sample, (SELECT 1 g) y UNION ALL SELECT 1 / 0"
    assert "got: division by zero" in assert_password_hidden(postgres_url, Query(division))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            f"postgresql://u:p@{CANARY}@localhost/db",
            r"^the address of the database: must be an address like .* an @ of the password as %40$",
        ),
        (f"postgresql://u:5432:{CANARY}@localhost:x/db", r"must be an address like .*, got none that can be read"),
        (f"u:{CANARY}@localhost", r"must be an address like .*, got none that can be read"),
        (f"postgresql://localhost/db?passwort={CANARY}", r"got: a message with the password in it|invalid connection"),
        (f"nothing://u:{CANARY}@localhost/db", r"must be an address like .*, got one that no dialect"),
        (f"mysql+nothing://u:{CANARY}@localhost/db", r"must be an address like .*, got one that no dialect"),
        (f"host=localhost user=ada password={CANARY} dbname=crm", r"^the address of the database: must be an address"),
        (f"postgresql://ada:{CANARY}", r"^the address of the database: must be an address"),
        (f"postgresql://ada:{CANARY}/crm", r"^the address of the database: must be an address"),
        (f"postgresql://ada:a@{CANARY}/b@localhost/crm", r"^the address of the database: must be an address"),
        (f"postgresql://localhost/crm;password={CANARY}", r"^the address of the database: must be an address"),
        (f"postgresql:///host%3Dh password%3D{CANARY}", r"^the address of the database: must be an address"),
        (f"Server=h;Database=crm;Uid=ada;Pwd={CANARY};", r"^the address of the database: must be an address"),
        (f"jdbc:postgresql://h/crm;password={CANARY}", r"^the address of the database: must be an address"),
        (f"mysql://ada@h:{CANARY}/crm", r"^the address of the database: must be an address"),
        (f"sqlite:///leads.db?key={CANARY}", r"must be sqlite:///FILE and nothing else"),
        (f"sqlite://u:{CANARY}@h/leads.db", r"must be sqlite:///FILE and nothing else"),
        (
            CANARY.join(["postgresql://u:", "@localhost/db?connect_timeout=x"]),
            r"must be a database that can be reached",
        ),
    ],
)
def test_the_password_is_not_shown_where_the_address_is_wrong(assert_password_hidden, url, message):
    """The messages of SQLAlchemy and of the driver, which may hold the address, are not shown."""
    assert re.search(message, assert_password_hidden(url, TableName("leads")))


# ---- what is refused, and what is not


def test_reading_never_creates_an_sqlite_file(tmp_path):
    """A path that does not exist, a folder, and an address without a path are refused."""
    with (
        pytest.raises(DataError, match=r"^sqlite:///.*no.db: must be a file, got no such file"),
        open_read_transaction(f"sqlite:///{tmp_path}/no.db"),
    ):
        pass
    assert not list(tmp_path.iterdir())
    with (
        pytest.raises(DataError, match=r"must be a file, got no such file"),
        open_read_transaction(f"sqlite:///{tmp_path}"),
    ):
        pass
    for url in ("sqlite:///", "sqlite:///:memory:"):
        with (
            pytest.raises(DataError, match=r"must name a file as in sqlite:///leads.db, got none"),
            open_read_transaction(url),
        ):
            pass
    with pytest.raises(DataError, match=r"must be sqlite:///FILE and nothing else"), open_read_transaction("sqlite://"):
        pass


@pytest.mark.parametrize("name", ["a b.db", "a?b.db", "a#b.db", "100%.db", "ünï.db", "a%20b.db", "a&mode=rwc.db"])
def test_an_sqlite_file_may_have_any_name(tmp_path, name):
    """Characters that are special in addresses are part of the path, except the question mark of options."""
    run(f"sqlite:///{tmp_path / name}", "CREATE TABLE leads (x int)")
    if "?" in name:
        with (
            pytest.raises(DataError, match=r"and nothing else, got another"),
            open_read_transaction(f"sqlite:///{tmp_path / name}"),
        ):
            pass
        return
    with open_read_transaction(f"sqlite:///{tmp_path / name}") as transaction:
        assert transaction.column_names(TableName("leads")) == ["x"]


@pytest.mark.parametrize("content", [b"id,age\n1,2\n" * 100, b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_not_an_sqlite_database_is_refused(tmp_path, content):
    """The refusal is one line."""
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(DataError, match=r"^sqlite:///\S+x.db: must be readable, got: file is not a database$"):
        open_read_transaction(f"sqlite:///{tmp_path / 'x.db'}").__enter__()


def test_invalid_utf8_text_of_sqlite_is_refused(sqlite_url):
    """Bytes that are not UTF-8, stored as text, are refused."""
    run(sqlite_url, "CREATE TABLE leads (x text)", "INSERT INTO leads VALUES (CAST(x'ff' AS text))")
    with (
        open_read_transaction(sqlite_url) as transaction,
        pytest.raises(DataError, match=r"^leads table: must be readable in .*Could not decode to UTF-8"),
    ):
        read(transaction, TableName("leads"))


@pytest.mark.parametrize(
    "sql_type", ["bytea", "json", "jsonb", "int[]", "text[]", "interval", "time", "point", "int4range"]
)
def test_columns_of_unsupported_types_are_refused_only_where_they_are_read(postgres_url, sql_type):
    """The message names the column; other columns of the table are read."""
    run(postgres_url, f"CREATE TABLE sample (x {sql_type}, y int)", "INSERT INTO sample VALUES (NULL, 1)")
    with open_read_transaction(postgres_url) as transaction:
        assert read(transaction, TableName("sample"), ["y"]).to_pylist() == [{"y": 1}]
        assert read(transaction, Query("SELECT * FROM sample"), ["y"]).to_pylist() == [{"y": 1}]
        for source in (TableName("sample"), Query("SELECT * FROM sample")):
            with pytest.raises(
                DataError, match=rf"^{source.display_name}: x must be a number, text, .*, got '_?\w+'; leave it"
            ):
                read(transaction, source)


def test_bytes_of_sqlite_are_refused_only_where_they_are_read(sqlite_url):
    """Bytes are found in any row, whatever type the column declares."""
    run(sqlite_url, "CREATE TABLE sample (x text, y int)", "INSERT INTO sample VALUES ('a', 1), (x'00', 2)")
    with open_read_transaction(sqlite_url) as transaction:
        assert read(transaction, TableName("sample"), ["y"])["y"].to_pylist() == [1, 2]
        with pytest.raises(DataError, match=r"^sample table: x must be a number, .* got 'bytes'; leave it out"):
            next(transaction.chunks(TableName("sample"), ["x"], rows=1))


def test_views_and_empty_tables_are_read(leads_url):
    """A view is read like a table; a table without rows gives one chunk with its types; no column need be read."""
    run(leads_url, "CREATE VIEW leads_view AS SELECT id AS who FROM leads", "CREATE TABLE none (id text, b int)")
    with open_read_transaction(leads_url) as transaction:
        assert read(transaction, TableName("leads_view"))["who"].to_pylist() == ["a", "b", "c"]
        [chunk] = transaction.chunks(TableName("none"), ["id", "b", "nothing"], rows=5)
        assert chunk.table.num_rows == len(chunk.lines) == 0
        assert chunk.table.schema.names == ["id", "b"]
        for source in (TableName("leads"), Query("SELECT * FROM leads")):
            chunks = list(transaction.chunks(source, ["nothing"], rows=2))
            assert [chunk.lines.tolist() for chunk in chunks] == [[1, 2], [3]]
            assert all(chunk.table.num_columns == 0 for chunk in chunks)


def test_materialized_views_partitions_and_tables_of_a_schema_are_read(postgres_url):
    """They are read like any other table; a table without columns gives its rows without a value."""
    run(
        postgres_url,
        "CREATE TABLE empty ()",
        "INSERT INTO empty DEFAULT VALUES",
        "CREATE MATERIALIZED VIEW summary AS SELECT 1 AS x",
        "CREATE TABLE parts (x int) PARTITION BY RANGE (x)",
        "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9)",
        "INSERT INTO parts VALUES (1)",
        'CREATE SCHEMA "Other one"',
        'CREATE TABLE "Other one"."Leads" (x int)',
        'INSERT INTO "Other one"."Leads" VALUES (1)',
    )
    with open_read_transaction(postgres_url) as transaction:
        assert transaction.column_names(TableName("empty")) == []
        assert [chunk.lines.tolist() for chunk in transaction.chunks(TableName("empty"), ["x"], rows=5)] == [[1]]
        for table in (TableName("summary"), TableName("parts"), TableName("part"), TableName("Leads", "Other one")):
            assert read(transaction, table).to_pylist() == [{"x": 1}]
        with pytest.raises(DataError, match=r"must have a table 'leads' in schema 'Other one', got none; the nearest"):
            transaction.column_names(TableName("leads", "Other one"))


def test_a_missing_table_is_refused_with_the_most_similar_name(leads_url):
    """The message starts with the address without its password."""
    with (
        open_read_transaction(leads_url) as transaction,
        pytest.raises(DataError, match=r"must have a table 'leeds', got none; the nearest is 'leads'$") as got,
    ):
        transaction.column_names(TableName("leeds"))
    assert str(got.value).startswith(mask_address(leads_url))


@pytest.mark.parametrize(
    ("names", "got"), [(("x", " x "), r"'x' twice for column 1"), (("a", "\u00a0"), r"none for column 2")]
)
def test_every_column_must_have_a_name_of_its_own(url, names, got):
    """Names are compared after trimming, as for files."""
    run(url, f"CREATE TABLE sample ({', '.join(f'{quote(name)} int' for name in names)})")
    with open_read_transaction(url) as transaction:
        for source in (TableName("sample"), Query("SELECT * FROM sample")):
            with pytest.raises(
                DataError, match=rf"^{source.display_name}: every column must have a name of its own, got {got}"
            ):
                transaction.column_names(source)


def test_a_connection_that_is_lost_half_way_is_refused_in_one_line(postgres_url):
    """The refusal keeps no error of the driver and no password."""
    run(postgres_url, "CREATE TABLE sample AS SELECT g AS x FROM generate_series(1, 100000) g")
    with open_read_transaction(postgres_url) as transaction:
        chunks = transaction.chunks(TableName("sample"), ["x"], rows=10)
        next(chunks)
        run(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid()",
        )
        with pytest.raises(
            DataError, match=r"^sample table: must keep the connection to .* to the end, got a lost connection: "
        ) as got:
            list(chunks)
    assert list(chain(got.value)) == [got.value]
    assert CANARY not in str(got.value)


LOST = """
import sys
import pandas as pd
from leadml.errors import LeadmlError
from leadml.leads.read.database import Query, TableName, open_read_transaction
from leadml.publish.database import table_writer

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
frame = pd.DataFrame({"id": range(1000)})
try:
    if sys.argv[2] == "read":
        end = "SELECT pg_terminate_backend(pg_backend_pid()) AS x"
        with open_read_transaction(sys.argv[1]) as transaction:
            list(transaction.chunks(Query(end), ["x"], rows=5))
    else:
        url = sys.argv[1]
        with table_writer(url, TableName("sample"), key=["id"]) as sink, open_read_transaction(url) as transaction:
            sink.write(frame)
            list(transaction.chunks(Query(END + "pg_backend_pid()"), ["x"], rows=5))
            sink.write(frame)
except LeadmlError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("action", ["read", "write"])
def test_a_lost_connection_prints_nothing_on_standard_error(postgres_url, action):
    """Neither the driver nor the connection pool prints a line; leadml prints one on standard output."""
    done = subprocess.run(
        [sys.executable, "-c", LOST, postgres_url, action], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert re.fullmatch(
        r"(query: must keep the connection|postgresql://\S+: sample table: must accept the rows)[^\n]+\n", done.stdout
    )


def test_reading_may_stop_before_the_last_chunk(leads_url):
    """An unfinished read leaves nothing open, and other tables can be read between its chunks."""
    with open_read_transaction(leads_url) as transaction:
        for _ in range(3):
            chunks = transaction.chunks(TableName("leads"), ["id"], rows=1)
            assert next(chunks).table["id"].to_pylist() == ["a"]
            assert read(transaction, Query("SELECT n FROM leads"))["n"].to_pylist() == [1, None, 3]
            assert next(chunks).table["id"].to_pylist() == ["b"]
    with pytest.raises(DataError, match=r"^leads table: must be readable in .*closed"):
        list(transaction.chunks(TableName("leads"), ["id"], rows=1))


def test_the_transaction_is_repeatable_read_and_read_only(postgres_url):
    """PostgreSQL reports both settings, and read-only for transactions after it."""
    settings = "SELECT current_setting('transaction_isolation') a, current_setting('transaction_read_only') b"
    with open_read_transaction(postgres_url) as transaction:
        row = read(transaction, Query(f"{settings}, current_setting('default_transaction_read_only') c")).to_pylist()
    assert row == [{"a": "repeatable read", "b": "on", "c": "on"}]


@pytest.mark.slow
def test_without_sqlalchemy_the_message_names_the_extra():
    """The message says how to install it, in a process in which SQLAlchemy cannot be imported."""
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from leadml.leads.read.database import open_read_transaction\n"
        "with open_read_transaction('sqlite:///x.db'): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == (
        "leadml.errors.MissingExtraError: a database needs SQLAlchemy, got none; install it with pip install "
        "'leadml[databases]'"
    )


# ---- the bundled leads


def test_leads_from_a_table_are_the_same_as_from_the_file(sqlite_url, bank_file, bank_leads, bank_contract):
    """The bundled leads give the same checked frame from a database and from their file."""
    frame = pd.read_csv(bank_file)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        frame.to_sql("bank", connection, index=False)
    with open_read_transaction(sqlite_url) as transaction:
        chunks = transaction.chunks(TableName("bank"), bank_contract.columns, rows=700)
        checked = [check_chunk(chunk, bank_contract, Dialect(), before=0) for chunk in chunks]
    got = pd.concat([chunk.frame for chunk in checked]).sort_values("lead_id", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(rows(got), bank_leads.frame)
    assert checked[1].locations[0] == f"bank table:701 (lead '{checked[1].frame['lead_id'][0]}')"


def test_a_table_may_be_named_with_its_schema():
    """The first dot ends the schema."""
    assert TableName.parse("leads") == TableName("leads")
    assert TableName.parse("sales.leads.old") == TableName("leads.old", "sales")
