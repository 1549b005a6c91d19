"""Leads from a database: what is stored comes back, as it was at one instant, and nothing is written or told."""

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
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError, LeadmlError, MissingExtraError
from leadml.leads.check.rows import check_chunk
from leadml.leads.read.column_types import declared_types
from leadml.leads.read.connection import masked, open_connection, reason
from leadml.leads.read.database import Query, ReadTransaction, TableName, open_read_transaction
from leadml.leads.read.files import Dialect
from leadml.params.address import HIDDEN

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
    """Run statements in one transaction, each as it is."""
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
    snapshot: ReadTransaction, source: TableName | Query, columns: list[str] | None = None, *, rows: int = 1000
) -> pa.Table:
    """Return all rows, and hold that every chunk has the types of the first."""
    chunks = list(snapshot.chunks(source, columns or snapshot.column_names(source), rows=rows))
    assert all(chunk.table.schema == chunks[0].table.schema for chunk in chunks)
    assert all(chunk.table.num_rows <= rows for chunk in chunks)
    assert np.concatenate([chunk.lines for chunk in chunks]).tolist() == list(
        range(1, 1 + sum(len(chunk.lines) for chunk in chunks))
    )
    assert all((chunk.places == chunk.lines - 1).all() for chunk in chunks)
    return pa.concat_tables([chunk.table for chunk in chunks])


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the address of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'leads.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of a database of each kind, empty."""
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


@given(
    rows=st.lists(st.tuples(STORED, st.integers(-(2**63), 2**63 - 1), st.text("a\0b'\"é😀")), max_size=12),
    size=st.integers(1, 5),
)
def test_what_sqlite_holds_comes_back_whatever_the_chunks(tmp_path_factory, rows, size):
    """Types do not depend on how rows are cut; one kind comes back to the bit, a mixture as its text."""
    file = tmp_path_factory.mktemp("held") / "x.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE held (a, b INTEGER, c TEXT)")
        connection.executemany("INSERT INTO held VALUES (?, ?, ?)", rows)
    with open_read_transaction(f"sqlite:///{file}") as snapshot:
        for source in (TableName("held"), Query("SELECT * FROM held")):
            whole, cut = read(snapshot, source), read(snapshot, source, rows=size)
            assert cut.schema == whole.schema
            assert cut.to_pylist() == whole.to_pylist()
            got = [tuple(row.values()) for row in cut.to_pylist()]
            assert [row[1:] for row in got] == [row[1:] for row in rows]
            assert [value for value, *_ in got] == expected([value for value, *_ in rows])


def expected(values: list) -> list:
    """Return what a column of SQLite must give."""
    kinds = {type(value) for value in values} - {type(None)}
    exact = all(abs(value) <= 2**53 for value in values if isinstance(value, int))
    if str in kinds or (kinds == {int, float} and not exact):
        return [None if value is None else str(value) for value in values]
    return values


DAY = dt.date(2026, 2, 3)
NOON = dt.datetime(2026, 2, 3, 12, 0, 0, 123456)  # noqa: DTZ001 - a time without a zone is what is tried
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
def test_every_type_of_postgresql_comes_back_to_the_bit(postgres_url, size, zone):
    """Also where the first chunks are NULL, from the table and from a query, in whatever zone the session is."""
    import psycopg

    run(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('ok', 'it''s')",
        "CREATE DOMAIN positive AS int4 CHECK (VALUE > 0)",
        f"ALTER ROLE CURRENT_USER SET timezone = '{zone}'",
        f"CREATE TABLE held ({', '.join(f'{name} {kind}' for name, (kind, *_) in ROW.items())})",
    )
    values = [value for _, value, _ in ROW.values()]
    with psycopg.connect(postgres_url) as connection:
        insert = "INSERT INTO held VALUES (" + ", ".join(["%s"] * len(values)) + ")"  # noqa: S608 - made here
        connection.cursor().executemany(insert, [[None] * len(values)] * 2 + [values] + [[None] * len(values)])
    with open_read_transaction(postgres_url) as snapshot:
        for source in (TableName("held"), TableName("held", "public"), Query("SELECT * FROM held;")):
            table = read(snapshot, source, rows=size)
            for name, (_, value, kind) in ROW.items():
                as_text = isinstance(kind, str)
                assert table.schema.field(name).type == (pa.string() if as_text else kind), name
                assert table[name].to_pylist() == [None, None, kind if as_text else value, None], name


def test_not_finite_numbers_come_back(postgres_url):
    """NaN and infinity of doubles are themselves; exact numbers that are none are missing or their words."""
    run(
        postgres_url,
        "CREATE TABLE held (f float8, d numeric(9, 2), n numeric)",
        "INSERT INTO held VALUES ('NaN', 'NaN', 'NaN'), ('-Infinity', NULL, 'Infinity')",
    )
    with open_read_transaction(postgres_url) as snapshot:
        table = read(snapshot, TableName("held"))
    assert np.isnan(table["f"][0].as_py())
    assert table["f"][1].as_py() == -np.inf
    assert table["d"].to_pylist() == [None, None]
    assert table["n"].to_pylist() == ["NaN", "Infinity"]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_snapshot_of_sqlite_is_one_instant(sqlite_url, journal):
    """Whatever is committed while it is read is not seen, in tables read before and in tables not read yet."""
    run(sqlite_url, f"PRAGMA journal_mode = {journal}", "CREATE TABLE one (x)", "CREATE TABLE two (x)")
    run(sqlite_url, "INSERT INTO one VALUES (1)", "INSERT INTO two VALUES (1)")
    with open_read_transaction(sqlite_url) as snapshot:
        adding = ("INSERT INTO one VALUES (2)", "INSERT INTO two VALUES (2)", "CREATE TABLE three (x)")
        if journal == "wal":
            run(sqlite_url, *adding)
        assert read(snapshot, TableName("one"))["x"].to_pylist() == [1]
        assert read(snapshot, TableName("two"))["x"].to_pylist() == [1]
        assert read(snapshot, Query("SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM two) AS n")).to_pylist()
        with pytest.raises(DataError, match=r"must have a table 'three', got none"):
            snapshot.column_names(TableName("three"))
    if journal == "delete":
        run(sqlite_url, *adding)
    with open_read_transaction(sqlite_url) as snapshot:
        assert read(snapshot, TableName("two"))["x"].to_pylist() == [1, 2]


def test_a_snapshot_of_postgresql_is_one_instant(postgres_url):
    """Rows that are committed, changed or deleted meanwhile are not seen, in any table, also half-way."""
    run(postgres_url, "CREATE TABLE one AS SELECT g AS x FROM generate_series(1, 5) g", "CREATE TABLE two (x int)")
    run(postgres_url, "INSERT INTO two VALUES (1)")
    with open_read_transaction(postgres_url) as snapshot:
        run(postgres_url, "INSERT INTO one VALUES (6)", "INSERT INTO two VALUES (2)", "UPDATE one SET x = -x")
        reading = snapshot.chunks(TableName("one"), ["x"], rows=2)
        seen = next(reading).table["x"].to_pylist()
        run(postgres_url, "DELETE FROM one", "DELETE FROM two")
        seen += [x for chunk in reading for x in chunk.table["x"].to_pylist()]
        assert seen == [1, 2, 3, 4, 5]
        assert read(snapshot, TableName("two"))["x"].to_pylist() == [1]
    with open_read_transaction(postgres_url) as snapshot:
        assert read(snapshot, TableName("two")).num_rows == 0


@pytest.mark.parametrize("text", WRITING)
def test_what_is_no_reading_is_refused(text):
    """Only one SELECT passes, whatever it looks like."""
    with pytest.raises(DataError, match=r"^query: must (begin with SELECT or WITH|be one SELECT|write nothing), got "):
        Query(text)


def test_what_passed_for_reading_could_not_undo_that(leads_url):
    """Not even settings that are changed one after the other open the way."""
    query = object.__new__(Query)
    undoing = ["PRAGMA query_only = OFF", "SET default_transaction_read_only = off", "COMMIT", "ROLLBACK", "BEGIN"]
    with open_read_transaction(leads_url) as snapshot:
        for text in [*undoing[:-1], *WRITING, *undoing, "INSERT INTO leads VALUES ('z', 9)", "COMMIT"]:
            object.__setattr__(query, "text", text)
            with suppress(DataError):
                read(snapshot, query, ["id"])
    with open_read_transaction(leads_url) as snapshot:
        assert read(snapshot, TableName("leads"))["n"].to_pylist() == [1, None, 3]


def test_what_passed_for_reading_could_not_write(leads_url, tmp_path, monkeypatch):
    """The database itself refuses, where the text of a query were not looked at; no file is made either."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    query = object.__new__(Query)
    for text in WRITING:
        with open_read_transaction(leads_url) as snapshot:
            for there in (text, "SELECT count(*) AS id FROM leads"):
                object.__setattr__(query, "text", there)
                with suppress(DataError):
                    read(snapshot, query, ["id"])
        with open_read_transaction(leads_url) as snapshot:
            assert read(snapshot, TableName("leads"))["n"].to_pylist() == [1, None, 3], text
            with pytest.raises(DataError, match=r"must have a table 'other', got none"):
                snapshot.column_names(TableName("other"))
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
def test_one_select_passes_as_it_is(leads_url, text):
    """Semicolons and words in quotes and comments, colons and percent signs change nothing."""
    with open_read_transaction(leads_url) as snapshot:
        assert read(snapshot, Query(text)).num_rows == 3


def test_a_select_in_brackets_passes_where_the_database_knows_such(leads_url):
    """PostgreSQL reads it; SQLite has none, and says so in a line."""
    query = Query("(SELECT id FROM leads)")
    with open_read_transaction(leads_url) as snapshot:
        if leads_url.startswith("sqlite"):
            with pytest.raises(DataError, match="syntax error"):
                read(snapshot, query)
        else:
            assert read(snapshot, query).num_rows == 3


def test_casts_and_dollar_quotes_of_postgresql_pass(postgres_url):
    """What only PostgreSQL writes is handed on to the letter."""
    with open_read_transaction(postgres_url) as snapshot:
        table = read(snapshot, Query("SELECT '7'::int AS x, $a$;DELETE$a$ AS y, 5 % 2 AS z, E'\\\\:b' AS w"))
    assert table.to_pylist() == [{"x": 7, "y": ";DELETE", "z": 1, "w": "\\:b"}]


def test_names_are_names_and_nothing_else(url):
    """Whatever a table and a column are called, they are read, and the table beside them is there still."""
    run(url, "CREATE TABLE canary (x int)", "INSERT INTO canary VALUES (7)")
    for name in NAMES:
        said = quote(name)
        run(url, f"CREATE TABLE {said} ({said} int, b int)", f"INSERT INTO {said} VALUES (1, 2)")  # noqa: S608 - so named
    with open_read_transaction(url) as snapshot:
        for name in NAMES:
            assert snapshot.column_names(TableName(name)) == [name, "b"]
            assert read(snapshot, TableName(name), [name]).to_pylist() == [{name: 1}]
            query = Query(f"SELECT * FROM {quote(name)}")  # noqa: S608 - the name is what is tried
            assert read(snapshot, query, [name]).to_pylist() == [{name: 1}]
        assert read(snapshot, TableName("canary"))["x"].to_pylist() == [7]


def test_names_that_are_not_there_are_refused(leads_url):
    """In one line, with nothing in it that would drive a terminal."""
    with open_read_transaction(leads_url) as snapshot:
        for name in [*NAMES, "\0", "a\0b", "\ud800", "", " ", "x" * 100_000, "\x1b[31m", "\n", "Leads", "leads "]:
            for source in (TableName(name), TableName("leads", name or "?"), TableName(name, name)):
                with pytest.raises(
                    DataError, match=r" must have a table '.*', got none; (the nearest is|it has \d)"
                ) as got:
                    list(snapshot.chunks(source, ["id"], rows=5))
                assert str(got.value).isprintable()
                assert len(str(got.value)) < 500
        assert read(snapshot, TableName("leads")).num_rows == 3


@given(
    user=st.text(st.characters(exclude_characters=":/@?", codec="utf-8"), max_size=5),
    password=st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    rest=st.sampled_from(["@host:5432/db", "@host/db?sslmode=require", "@/db"]),
)
def test_no_password_is_shown(user, password, rest):
    """Whatever letters it has, the letters of an address itself too."""
    shown = masked(f"postgresql://{user}:ab{password}yz{rest}")
    assert f"ab{password}yz" not in shown
    assert shown in {masked(f"postgresql://{user}:other{rest}"), HIDDEN}
    assert shown.isprintable()


@pytest.mark.parametrize("options", ["password=s3cr3t-canary", "host=h&sslpassword=s3cr3t-canary", "x=s3cr3t-canary"])
def test_no_option_is_shown(options):
    """Options may hold a password as well."""
    assert masked(f"postgresql://u@h/db?{options}") == "postgresql://u@h/db?***"


# ---- the password is nowhere


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it keeps."""
    seen: list[BaseException | None] = [error]
    while seen:
        if (found := seen.pop()) is not None:
            yield found
            seen += [found.__cause__, found.__context__]


def told(url: str, source: TableName | Query, secret: str) -> None:
    """Read."""
    with open_read_transaction(url) as snapshot:
        assert secret not in repr(snapshot)
        list(snapshot.chunks(source, ["x"], rows=5))


@pytest.fixture
def told_nothing(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what runs a reading that is refused, and holds that the password is nowhere."""
    for name in ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.dialects", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name or None)

    def check(url: str, source: TableName | Query, *, secret: str = CANARY) -> str:
        with pytest.raises(LeadmlError, match=r"^[^\n]+$") as got:
            told(url, source, secret)
        error = got.value
        assert list(chain(error)) == [error]
        out, err = capsys.readouterr()
        lines = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error), caplog.text, out, err]
        assert not any(secret in text for text in lines)
        return str(error)

    return check


def test_the_password_is_nowhere_where_the_connection_fails(told_nothing, postgres_server):
    """Wrong host, port, password, database, or a server that is none."""
    good = postgres_server.url("postgres")
    table = TableName("leads")
    said = told_nothing(good.replace("127.0.0.1", "no-such-host.invalid"), table)
    assert said.startswith("postgresql://leadml_tests:***@no-such-host.invalid:")
    assert "must be a database that can be reached, got: failed to resolve host" in said
    assert "Connection refused" in told_nothing(postgres_server.url("postgres", port=1), table)
    wrong = f"{CANARY}-2"
    assert "password authentication failed" in told_nothing(good.replace(CANARY, wrong), table, secret=wrong)
    assert 'database "nothing" does not exist' in told_nothing(postgres_server.url("nothing"), table)


def test_the_password_is_nowhere_where_the_reading_fails(told_nothing, postgres_url):
    """A table that is missing, a query that is broken, a type that is refused, a query that says the password."""
    run(postgres_url, "CREATE TABLE held (x json)")
    assert "must have a table 'leads', got none" in told_nothing(postgres_url, TableName("leads"))
    assert 'got: relation "nothing" does not exist' in told_nothing(postgres_url, Query("SELECT x FROM nothing"))
    assert "got: syntax error at or near" in told_nothing(postgres_url, Query("SELECT FROM FROM"))
    assert "got 'json'" in told_nothing(postgres_url, TableName("held"))
    assert "got: division by zero" in told_nothing(postgres_url, Query("SELECT 1 / (1 - g) AS x FROM held, (SELECT 1 g)"
                                                                       " y UNION ALL SELECT 1 / 0"))  # fmt: skip


@pytest.mark.parametrize(
    ("url", "match"),
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
def test_the_password_is_nowhere_where_the_address_is_wrong(told_nothing, url, match):
    """Neither SQLAlchemy's words nor the driver's pass through."""
    assert re.search(match, told_nothing(url, TableName("leads")))


def test_a_message_with_the_password_in_it_is_not_shown():
    """However the password is written there."""
    url = sa.make_url("postgresql://u:a%2Fb%20c@h/db?sslpassword=other")
    for said in ("no a/b c", "no a%2Fb%20c", "no a%2Fb+c", "no other"):
        assert reason(ValueError(said), url) == "a message with the password in it, so it is not shown"
    assert reason(ValueError("no such host"), url) == "no such host"


# ---- what is refused, and what is not


def test_an_sqlite_file_is_never_made(tmp_path):
    """A path that names nothing, a folder or no path at all is refused."""
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
def test_an_sqlite_file_may_be_called_anything(tmp_path, name):
    """What means something in an address means nothing in a path, but for the question mark of options."""
    run(f"sqlite:///{tmp_path / name}", "CREATE TABLE leads (x int)")
    if "?" in name:
        with (
            pytest.raises(DataError, match=r"and nothing else, got another"),
            open_read_transaction(f"sqlite:///{tmp_path / name}"),
        ):
            pass
        return
    with open_read_transaction(f"sqlite:///{tmp_path / name}") as snapshot:
        assert snapshot.column_names(TableName("leads")) == ["x"]


@pytest.mark.parametrize("content", [b"id,age\n1,2\n" * 100, b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_sqlite_file_is_refused(tmp_path, content):
    """In one line."""
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(DataError, match=r"^sqlite:///\S+x.db: must be readable, got: file is not a database$"):
        open_read_transaction(f"sqlite:///{tmp_path / 'x.db'}").__enter__()


def test_text_of_sqlite_that_is_no_text_is_refused(sqlite_url):
    """Bytes that are not UTF-8 and are called text."""
    run(sqlite_url, "CREATE TABLE leads (x text)", "INSERT INTO leads VALUES (CAST(x'ff' AS text))")
    with (
        open_read_transaction(sqlite_url) as snapshot,
        pytest.raises(DataError, match=r"^leads table: must be readable in .*Could not decode to UTF-8"),
    ):
        read(snapshot, TableName("leads"))


@pytest.mark.parametrize(
    "kind", ["bytea", "json", "jsonb", "int[]", "text[]", "interval", "time", "point", "int4range"]
)
def test_columns_that_are_no_values_are_refused_where_they_are_asked_for(postgres_url, kind):
    """With their name; the columns beside them are read."""
    run(postgres_url, f"CREATE TABLE held (x {kind}, y int)", "INSERT INTO held VALUES (NULL, 1)")
    with open_read_transaction(postgres_url) as snapshot:
        assert read(snapshot, TableName("held"), ["y"]).to_pylist() == [{"y": 1}]
        assert read(snapshot, Query("SELECT * FROM held"), ["y"]).to_pylist() == [{"y": 1}]
        for source in (TableName("held"), Query("SELECT * FROM held")):
            with pytest.raises(
                DataError, match=rf"^{source.shown}: x must be a number, text, .*, got '_?\w+'; leave it"
            ):
                read(snapshot, source)


def test_bytes_of_sqlite_are_refused_where_they_are_asked_for(sqlite_url):
    """Whatever the column is declared to be, also in the last row."""
    run(sqlite_url, "CREATE TABLE held (x text, y int)", "INSERT INTO held VALUES ('a', 1), (x'00', 2)")
    with open_read_transaction(sqlite_url) as snapshot:
        assert read(snapshot, TableName("held"), ["y"])["y"].to_pylist() == [1, 2]
        with pytest.raises(DataError, match=r"^held table: x must be a number, .* got 'bytes'; leave it out"):
            next(snapshot.chunks(TableName("held"), ["x"], rows=1))


def test_truth_values_of_sqlite_are_those_that_are_declared(sqlite_url):
    """0 and 1 are numbers elsewhere, and a declared column that holds more is numbers."""
    run(sqlite_url, "CREATE TABLE held (a boolean, b int, c boolean)", "INSERT INTO held VALUES (1, 1, 2), (0, 0, 0)")
    with open_read_transaction(sqlite_url) as snapshot:
        assert [field.type for field in read(snapshot, TableName("held")).schema] == [
            pa.bool_(),
            pa.int64(),
            pa.int64(),
        ]


def test_an_instant_out_of_range_is_a_refusal(postgres_url):
    """PostgreSQL's infinity is no instant."""
    run(postgres_url, "CREATE TABLE held (x timestamptz)", "INSERT INTO held VALUES ('infinity')")
    with (
        open_read_transaction(postgres_url) as snapshot,
        pytest.raises(DataError, match=r"^held table: must be readable in .*, got: timestamp too large"),
    ):
        read(snapshot, TableName("held"))


def test_views_and_tables_without_rows_or_columns(leads_url):
    """A view is a table; no rows are one chunk with the types of the table; columns may all be left out."""
    run(leads_url, "CREATE VIEW seen AS SELECT id AS who FROM leads", "CREATE TABLE none (id text, b int)")
    with open_read_transaction(leads_url) as snapshot:
        assert read(snapshot, TableName("seen"))["who"].to_pylist() == ["a", "b", "c"]
        [chunk] = snapshot.chunks(TableName("none"), ["id", "b", "nothing"], rows=5)
        assert chunk.table.num_rows == len(chunk.lines) == 0
        assert chunk.table.schema.names == ["id", "b"]
        for source in (TableName("leads"), Query("SELECT * FROM leads")):
            chunks = list(snapshot.chunks(source, ["nothing"], rows=2))
            assert [chunk.lines.tolist() for chunk in chunks] == [[1, 2], [3]]
            assert all(chunk.table.num_columns == 0 for chunk in chunks)


def test_everything_of_postgresql_that_is_read_like_a_table(postgres_url):
    """Materialised views, partitions, tables of a schema, and a table without columns."""
    run(
        postgres_url,
        "CREATE TABLE empty ()",
        "INSERT INTO empty DEFAULT VALUES",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS x",
        "CREATE TABLE parts (x int) PARTITION BY RANGE (x)",
        "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9)",
        "INSERT INTO parts VALUES (1)",
        'CREATE SCHEMA "Other one"',
        'CREATE TABLE "Other one"."Leads" (x int)',
        'INSERT INTO "Other one"."Leads" VALUES (1)',
    )
    with open_read_transaction(postgres_url) as snapshot:
        assert snapshot.column_names(TableName("empty")) == []
        assert [chunk.lines.tolist() for chunk in snapshot.chunks(TableName("empty"), ["x"], rows=5)] == [[1]]
        for table in (TableName("kept"), TableName("parts"), TableName("part"), TableName("Leads", "Other one")):
            assert read(snapshot, table).to_pylist() == [{"x": 1}]
        with pytest.raises(DataError, match=r"must have a table 'leads' in schema 'Other one', got none; the nearest"):
            snapshot.column_names(TableName("leads", "Other one"))


def test_the_nearest_table_is_named(leads_url):
    """And the address is shown without its password."""
    with (
        open_read_transaction(leads_url) as snapshot,
        pytest.raises(DataError, match=r"must have a table 'leeds', got none; the nearest is 'leads'$") as got,
    ):
        snapshot.column_names(TableName("leeds"))
    assert str(got.value).startswith(masked(leads_url))


@pytest.mark.parametrize(
    ("names", "got"), [(("x", " x "), r"'x' twice for column 1"), (("a", "\u00a0"), r"none for column 2")]
)
def test_every_column_must_have_a_name_of_its_own(url, names, got):
    """Names are compared as those of files are."""
    run(url, f"CREATE TABLE held ({', '.join(f'{quote(name)} int' for name in names)})")
    with open_read_transaction(url) as snapshot:
        for source in (TableName("held"), Query("SELECT * FROM held")):
            with pytest.raises(
                DataError, match=rf"^{source.shown}: every column must have a name of its own, got {got}"
            ):
                snapshot.column_names(source)


def test_a_connection_that_is_lost_is_one_line(postgres_url):
    """Half-way through a table."""
    run(postgres_url, "CREATE TABLE held AS SELECT g AS x FROM generate_series(1, 100000) g")
    with open_read_transaction(postgres_url) as snapshot:
        reading = snapshot.chunks(TableName("held"), ["x"], rows=10)
        next(reading)
        run(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid()",
        )
        with pytest.raises(
            DataError, match=r"^held table: must keep the connection to .* to the end, lost it: "
        ) as got:
            list(reading)
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
        with open_read_transaction(sys.argv[1]) as snapshot:
            list(snapshot.chunks(Query(end), ["x"], rows=5))
    else:
        url = sys.argv[1]
        with table_writer(url, TableName("held"), key=["id"]) as sink, open_read_transaction(url) as snapshot:
            sink.write(frame)
            list(snapshot.chunks(Query(END + "pg_backend_pid()"), ["x"], rows=5))
            sink.write(frame)
except LeadmlError as error:
    print(error)
"""


@pytest.mark.parametrize("what", ["read", "written"])
def test_of_a_connection_that_is_lost_nothing_else_is_said(postgres_url, what):
    """Neither by the driver nor by what is closed then: no line on standard error."""
    done = subprocess.run([sys.executable, "-c", LOST, postgres_url, what], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert re.fullmatch(
        r"(query: must keep the connection|postgresql://\S+: held table: must take the rows)[^\n]+\n", done.stdout
    )


def test_a_reading_may_end_early(leads_url):
    """What is not read to its end leaves nothing open, and other tables can be read between its chunks."""
    with open_read_transaction(leads_url) as snapshot:
        for _ in range(3):
            reading = snapshot.chunks(TableName("leads"), ["id"], rows=1)
            assert next(reading).table["id"].to_pylist() == ["a"]
            assert read(snapshot, Query("SELECT n FROM leads"))["n"].to_pylist() == [1, None, 3]
            assert next(reading).table["id"].to_pylist() == ["b"]
    with pytest.raises(DataError, match=r"^leads table: must be readable in .*closed"):
        list(snapshot.chunks(TableName("leads"), ["id"], rows=1))


def test_the_transaction_says_what_it_is(postgres_url):
    """REPEATABLE READ and READ ONLY, and what would follow it is read-only too."""
    settings = "SELECT current_setting('transaction_isolation') a, current_setting('transaction_read_only') b"
    with open_read_transaction(postgres_url) as snapshot:
        row = read(snapshot, Query(f"{settings}, current_setting('default_transaction_read_only') c")).to_pylist()
    assert row == [{"a": "repeatable read", "b": "on", "c": "on"}]


def test_types_of_other_dialects_are_those_that_are_declared():
    """Each kind of SQLAlchemy has one type; what has none is refused with its column."""
    from sqlalchemy.dialects import mysql

    kinds = {
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
    got = declared_types([(str(at), kind) for at, kind in enumerate(kinds)], source="t")
    assert [kind.arrow for kind in got] == list(kinds.values())
    for kind in (sa.LargeBinary(), sa.JSON(), sa.ARRAY(sa.Integer), sa.Interval(), sa.types.NullType()):
        with pytest.raises(
            DataError, match=r"^t: x must be a number, text, true or false, .*, got '\w+'; leave it out"
        ):
            declared_types([("x", kind)], source="t")


def test_a_zone_is_neither_dropped_nor_made_up():
    """Where a driver gives another thing than its dialect declares."""
    naive, aware = declared_types([("a", sa.DateTime()), ("b", sa.DateTime(timezone=True))], source="t")
    zoned = NOON.replace(tzinfo=dt.UTC)
    assert naive.array([NOON, None]).to_pylist() == [NOON, None]
    assert aware.array([zoned, None]).to_pylist() == [zoned, None]
    with pytest.raises(ValueError, match=r"^an instant with a zone$"):
        naive.array([zoned])
    with pytest.raises(ValueError, match=r"^a time without a zone$"):
        aware.array([NOON])


def test_without_sqlalchemy_the_extra_is_named():
    """In a process that has none."""
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


def test_without_its_driver_a_database_is_refused():
    """With the name of the package, where that is known."""
    for url, install in {
        "mssql+pymssql://u:x@h/d": "pymssql, got none; install it with pip install pymssql",
        "mysql://u:x@h/d": "MySQLdb, got none; install it with pip install mysqlclient",
        "mysql+asyncmy://u:x@h/d": "asyncmy, got none; install the driver asyncmy",
    }.items():
        shown = re.escape(url.replace(":x@", ":***@"))
        with pytest.raises(MissingExtraError, match=f"^{shown}: needs the driver {install}$"):
            open_connection(url, writing=False)


# ---- a story


def test_leads_of_a_table_are_those_of_the_file(sqlite_url, bank_file, bank_leads, bank_contract):
    """The bundled leads, from a database, are checked to the same frame as from their file."""
    frame = pd.read_csv(bank_file)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        frame.to_sql("bank", connection, index=False)
    with open_read_transaction(sqlite_url) as snapshot:
        chunks = snapshot.chunks(TableName("bank"), bank_contract.columns, rows=700)
        checked = [check_chunk(chunk, bank_contract, Dialect(), before=0) for chunk in chunks]
    got = pd.concat([chunk.frame for chunk in checked]).sort_values("lead_id", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(got, bank_leads.frame)
    assert checked[1].where[0] == f"bank table:701 (lead '{checked[1].frame['lead_id'][0]}')"
