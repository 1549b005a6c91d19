"""Scored leads in a database table: every row is written unchanged, each key once, all rows or none."""

from __future__ import annotations

import sqlite3
import traceback
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError, LeadmlError
from leadml.leads.read.connection import open_connection
from leadml.leads.read.database import Query, TableName, open_read_transaction
from leadml.publish.database import TableWriter, table_writer
from leadml.publish.database_rows import table_holds_batch

pytest_plugins = ["tests.postgres"]

CANARY = "s3cr3t-canary"
SCORED = TableName("scored")
HOSTILE = [
    "scored; DROP TABLE canary",
    "x'; DROP TABLE canary; --",
    'x"; DROP TABLE canary; --',
    '"',
    '""',
    "'",
    "`",
    "[x]",
    "x]",
    "Mixed Case",
    "select",
    "a.b",
    "a:b",
    ":v0",
    "v0",
    "a::int",
    "50%",
    "%s",
    "a%%b",
    "a(b)",
    "a,b",
    "back\\slash",
    "\\:x",
    "--",
    "/* x */",
    "$1",
    "?",
    "ünï",
    "数",
    "😀",
    "1",
    "*",
    "{x}",
    "x" * 63,
]
REFUSED = ["%(v0)s", "", " ", "a\0b", "\n", "\x1b[31m", "\ud800"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty SQLite file or PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'scored.db'}"
    return str(request.getfixturevalue("postgres_url"))


def scored(ids: list[str], *, batch: str = "b1", seed: int = 0) -> pd.DataFrame:
    """Return scored leads with values of every type, also extreme values."""
    random = np.random.default_rng(seed)
    size = len(ids)
    extreme = np.array([0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, np.inf, -np.inf, np.nan, 1 / 3])
    return pd.DataFrame(
        {
            "lead_id": np.array(ids, dtype=object),
            "as_of": pd.to_datetime(random.integers(0, 2**50, size), unit="us", utc=True).as_unit("us"),
            "target": pd.Series(["sql"] * size, dtype="str"),
            "probability": random.choice(extreme, size),
            "points": random.integers(-(2**63), 2**63 - 1, size),
            "advised": random.integers(0, 2, size).astype(bool),
            "reason_1": random.choice(
                np.array(["ünï 😀", "", " =1+1 ", 'a "b"\n\t\\', "it's", None], dtype=object), size
            ),
            "previous_stage": pd.Series([None] * size, dtype=object),
            "batch_id": [batch] * size,
        }
    )


def write(url: str, frame: pd.DataFrame, *, rows: int = 1000, table: TableName = SCORED, wait: float = 30) -> None:
    """Write a frame in chunks of some rows."""
    with table_writer(url, table, wait_seconds=wait) as writer:
        for first in range(0, max(len(frame), 1), rows):
            writer.write(frame.iloc[first : first + rows])


def write_chunks(url: str, chunks: list[pd.DataFrame]) -> None:
    """Write each frame as a chunk."""
    with table_writer(url, SCORED) as writer:
        for chunk in chunks:
            writer.write(chunk)


def written(url: str, table: TableName = SCORED) -> pd.DataFrame:
    """Return the rows of a table, sorted by key."""
    with open_read_transaction(url) as snapshot:
        names = snapshot.column_names(table)
        chunks = list(snapshot.chunks(table, names, rows=7))
    frame = pd.concat([chunk.table.to_pandas() for chunk in chunks], ignore_index=True)
    return frame.sort_values(["lead_id", "batch_id"], kind="stable", ignore_index=True)


def assert_same(got: pd.DataFrame, frame: pd.DataFrame, *, sqlite: bool) -> None:
    """Assert that every value equals the written value to the bit; SQLite stores instants as text."""
    frame = frame.sort_values(["lead_id", "batch_id"], kind="stable", ignore_index=True)
    assert sorted(got.columns) == sorted(frame.columns)
    for name in frame.columns:
        left, right = got[name], frame[name]
        if name == "probability":
            zero = 0.0 if sqlite else -0.0  # SQLite stores no sign of a zero
            bits = [column.to_numpy(np.float64, na_value=np.nan) + zero for column in (left, right)]
            bits = [column.view(np.int64) for column in bits]
            assert (bits[0] == bits[1]).all()
            continue
        if name == "as_of":
            left = pd.to_datetime(left, format="ISO8601", utc=True).dt.as_unit("us") if sqlite else left
            right = right.dt.as_unit("us")
        left, right = (column.astype(object).where(column.notna(), None).tolist() for column in (left, right))
        assert left == right, name


# ---- reading back


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_written_values_are_read_back_to_the_bit(url, rows):
    """The size of chunks does not matter; missing values are NULL."""
    frame = scored([f"lead {at}" for at in range(40)], seed=rows)
    write(url, frame, rows=rows)
    assert_same(written(url), frame, sqlite=url.startswith("sqlite"))
    with open_read_transaction(url) as snapshot:
        query = Query("SELECT count(*) - count(probability) AS n, count(previous_stage) AS m FROM scored")
        [chunk] = snapshot.chunks(query, ["n", "m"], rows=5)
    assert chunk.table.to_pylist() == [{"n": int(frame["probability"].isna().sum()), "m": 0}]


def test_writing_a_batch_twice_adds_no_row(url):
    """Neither in other chunks and another order, nor twice in one writer."""
    frame = scored([f"{at}" for at in range(20)])
    write(url, frame)
    once = written(url)
    write(url, frame.iloc[::-1], rows=3)
    pd.testing.assert_frame_equal(written(url), once)
    with table_writer(url, SCORED) as writer:
        writer.write(frame)
        writer.write(frame)
    pd.testing.assert_frame_equal(written(url), once)


def test_a_later_row_replaces_only_the_row_with_its_key(url):
    """Other batches stay, and so do rows of the batch that are not written again."""
    first, other = scored(["a", "b", "c"]), scored(["a", "b"], batch="b2", seed=5)
    write(url, pd.concat([first, other]))
    changed = first.iloc[1:].assign(points=[7, 8], reason_1=[None, "new"])
    with table_writer(url, SCORED) as writer:
        writer.write(changed.assign(points=0))
        writer.write(changed)
    assert_same(written(url), pd.concat([first.iloc[:1], changed, other]), sqlite=url.startswith("sqlite"))


class StoppedError(Exception):
    """The error that a test interrupts a writer with."""


@pytest.mark.slow
@pytest.mark.parametrize("stopped_by", ["an error outside", "a row that is refused", "another column"])
@pytest.mark.parametrize("exists", [True, False], ids=["old rows", "no table"])
def test_an_error_leaves_the_table_unchanged(url, exists, stopped_by):
    """No new row is visible, and no table is created."""
    old, new = scored(["a", "b"]), scored([f"{at}" for at in range(30)], seed=1)
    if exists:
        write(url, old)
    wrong = {
        "an error outside": new,
        "a row that is refused": new.assign(lead_id=None),
        "another column": new[["target"]],
    }
    with pytest.raises((StoppedError, LeadmlError), match=r"stopped|must have a value|must have the columns"):
        _write_until_error(url, new, wrong[stopped_by])
    if exists:
        assert_same(written(url), old, sqlite=url.startswith("sqlite"))
    else:
        with (
            open_read_transaction(url) as snapshot,
            pytest.raises(DataError, match=r"must have a table 'scored', got none"),
        ):
            snapshot.column_names(SCORED)


def _write_until_error(url: str, valid: pd.DataFrame, wrong: pd.DataFrame) -> None:
    with table_writer(url, SCORED) as writer:
        writer.write(valid.iloc[:10])
        writer.write(valid.iloc[10:])
        writer.write(wrong)
        msg = "stopped"
        raise StoppedError(msg)


@pytest.mark.slow
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_reader_finds_all_new_rows_or_none(url, journal):
    """During the writing a reader finds the old rows, and after it the new rows."""
    old, new = scored(["a", "b"]), scored([*"abcdefgh"], seed=1)
    write(url, old)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute(f"PRAGMA journal_mode = {journal}")
    with table_writer(url, SCORED) as writer:
        for at in range(len(new)):
            writer.write(new.iloc[at : at + 1])
            assert_same(written(url), old, sqlite=url.startswith("sqlite"))
    assert_same(written(url), new, sqlite=url.startswith("sqlite"))


@pytest.mark.slow
def test_no_name_is_executed_as_sql(url):
    """Tables and columns with hostile names are written, and another table stays intact."""
    write(url, scored(["a"]), table=TableName("canary"))
    for name in HOSTILE:
        frame = scored(["a", "b"])[["lead_id", "target", "batch_id"]].assign(**{name: [1, 2]})
        for _ in range(2):
            write(url, frame, table=TableName(name))
        got = written(url, TableName(name))
        assert got.columns.tolist() == ["lead_id", "target", "batch_id", name]
        assert got[name].tolist() == [1, 2]
        with table_writer(url, TableName(f"key of {HOSTILE.index(name)}"), key=[name]) as writer:
            writer.write(frame)
    assert len(written(url, TableName("canary"))) == 1


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_names_are_refused(url, name):
    """In one line, before anything is written."""
    frame = scored(["a"])
    columns = pd.Index([name if column == "points" else column for column in frame.columns], dtype=object)
    for table, renamed in ((TableName(name), frame), (SCORED, frame.set_axis(columns, axis=1))):
        with pytest.raises(LeadmlError, match=r"tables and columns must have printable names of at most 63") as got:
            write(url, renamed, table=table)
        assert str(got.value).isprintable()


def test_a_table_named_excluded_is_written_or_refused(url):
    """PostgreSQL uses this name for the new rows and cannot distinguish the two."""
    if url.startswith("sqlite"):
        write(url, scored(["a"]), table=TableName("excluded"))
        assert len(written(url, TableName("excluded"))) == 1
    else:
        with pytest.raises(LeadmlError, match=r'got: table reference "excluded" is ambiguous; nothing was written'):
            write(url, scored(["a"]), table=TableName("excluded"))


def test_a_name_that_postgresql_would_truncate_is_refused(postgres_url):
    """The limit is 63 bytes, not characters."""
    with pytest.raises(LeadmlError, match=r"must have printable names of at most 63 bytes .*, got 'ü{59}…'; rename"):
        write(postgres_url, scored(["a"]), table=TableName("ü" * 63))


# ---- the table


def test_a_new_table_has_types_and_a_primary_key(postgres_url):
    """Also if the first chunk has no rows; the columns of the key come first."""
    with table_writer(postgres_url, SCORED) as writer:
        writer.write(scored([]))
        writer.write(scored(["a"]))
        assert writer.defused == 0
    select = "SELECT column_name::text AS n, data_type::text AS t FROM information_schema.columns"
    with open_read_transaction(postgres_url) as snapshot:
        [chunk] = snapshot.chunks(Query(f"{select} WHERE table_name = 'scored'"), ["n", "t"], rows=50)
        [key] = snapshot.chunks(
            Query("SELECT pg_get_constraintdef(oid) AS k FROM pg_constraint WHERE conrelid = 'scored'::regclass"),
            ["k"],
            rows=5,
        )
    assert {row["n"]: row["t"] for row in chunk.table.to_pylist()} == {
        "lead_id": "text",
        "target": "text",
        "batch_id": "text",
        "as_of": "timestamp with time zone",
        "probability": "double precision",
        "points": "bigint",
        "advised": "boolean",
        "reason_1": "text",
        "previous_stage": "text",
    }
    assert key.table.to_pylist() == [{"k": "PRIMARY KEY (lead_id, target, batch_id)"}]


def test_a_table_can_be_in_a_schema(postgres_url):
    """It is created there, and found there again."""
    make(postgres_url, 'CREATE SCHEMA "Sales; x"')
    for _ in range(2):
        write(postgres_url, scored(["a"]), table=TableName("scored", "Sales; x"))
    assert len(written(postgres_url, TableName("scored", "Sales; x"))) == 1
    with pytest.raises(
        LeadmlError, match=r'must accept the rows, got: schema "no" does not exist; nothing was written'
    ):
        write(postgres_url, scored(["a"]), table=TableName("scored", "no"))


def make(url: str, *statements: str) -> None:
    """Run statements."""
    with closing(open_connection(url, writing=True)) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()


KEYED = "CREATE TABLE scored (lead_id text, target text, batch_id text, probability {0}, {1})"


@pytest.mark.parametrize(
    ("probability", "key", "match"),
    [
        (
            "float",
            "UNIQUE (lead_id, target)",
            r"must have a primary key or a unique index on 'lead_id', 'target', 'batch",
        ),
        (
            "float",
            "more text",
            r"must have a primary key or a unique index on 'lead_id', 'target', 'batch_id', got none",
        ),
        (
            "int",
            "PRIMARY KEY (lead_id, target, batch_id)",
            r"must store fractions unchanged, got an integer column 'prob",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(url, probability, key, match):
    """The message names the table and what to do."""
    make(url, KEYED.format(probability, key))
    with pytest.raises(LeadmlError, match=rf"scored table: {match}"):
        write(url, scored(["a"])[["lead_id", "target", "batch_id", "probability"]])


def test_a_table_without_a_needed_column_is_refused(url):
    """The message names the nearest existing column."""
    make(url, KEYED.format("float", "point int, PRIMARY KEY (lead_id, target, batch_id)"))
    with pytest.raises(LeadmlError, match=r"must have a column 'points', got none; the nearest is 'point'; add it$"):
        write(url, scored(["a"])[["lead_id", "target", "batch_id", "probability", "points"]])


@pytest.mark.parametrize(
    "key", ["PRIMARY KEY (batch_id, lead_id, target)", "UNIQUE (target, batch_id, lead_id)", "index"]
)
def test_an_existing_table_keeps_its_other_columns(url, key):
    """Any unique key over the same columns is accepted, and columns that are not written stay unchanged."""
    make(url, KEYED.format("float", "note text DEFAULT 'none'" + ("" if key == "index" else f", {key}")))
    if key == "index":
        make(url, "CREATE UNIQUE INDEX by_key ON scored (lead_id, batch_id, target)")
    frame = scored(["a", "b"])[["lead_id", "target", "batch_id", "probability"]].assign(probability=[0.1, 0.2])
    write(url, frame)
    make(url, "UPDATE scored SET note = 'called' WHERE lead_id = 'a'")
    write(url, frame.assign(probability=[0.3, 0.4]))
    got = written(url)
    assert got["note"].tolist() == ["called", "none"]
    assert got["probability"].tolist() == [0.3, 0.4]


def test_a_partial_index_is_no_key(url):
    """It makes only some rows unique."""
    make(url, KEYED.format("float", "note text"))
    make(url, "CREATE UNIQUE INDEX by_key ON scored (lead_id, target, batch_id) WHERE note IS NULL")
    with pytest.raises(LeadmlError, match=r"must have a primary key or a unique index on"):
        write(url, scored(["a"])[["lead_id", "target", "batch_id", "probability"]])


def test_no_frame_creates_no_table(url):
    """A frame without rows creates a table without rows."""
    with table_writer(url, SCORED):
        pass
    with (
        open_read_transaction(url) as snapshot,
        pytest.raises(DataError, match=r"must have a table 'scored', got none"),
    ):
        snapshot.column_names(SCORED)
    write(url, scored([]))
    assert len(written(url)) == 0


def test_a_table_may_have_only_key_columns(url):
    """A row that exists stays."""
    for _ in range(2):
        write(url, scored(["a", "b"])[["lead_id", "target", "batch_id"]])
    assert written(url)["lead_id"].tolist() == ["a", "b"]


# ---- values


@pytest.mark.parametrize(
    ("column", "values", "match"),
    [
        ("reason_1", ["a", 1], r"'reason_1' must hold values of one type that a database can store, got '"),
        (
            "reason_1",
            pd.Series(["a", "\ud800"], dtype=object),
            r"'reason_1' must hold values of one type that a database can store, got '",
        ),
        ("reason_1", [["a"], ["b"]], r"'reason_1' must hold text, numbers, booleans or instants, got 'list<"),
        ("reason_1", [b"a", b"b"], r"'reason_1' must hold text, numbers, booleans or instants, got 'binary'"),
        ("points", np.array([1, 2**63], dtype=np.uint64), r"'points' must be int64 in every chunk, got 'Integer value"),
        (
            "as_of",
            pd.to_datetime([1, 2], unit="ns", utc=True),
            r"'as_of' must be timestamp\[us, tz=UTC\] in every chunk",
        ),
        ("lead_id", ["a", None], r"the key column 'lead_id' must have a value in every row, got none"),
    ],
)
def test_values_that_a_table_would_change_are_refused(url, column, values, match):
    """The message names the column, and nothing is written."""
    with pytest.raises(LeadmlError, match=match):
        write(url, scored(["a", "b"]).assign(**{column: values}))


@pytest.mark.parametrize(
    ("column", "values", "match"),
    [
        ("points", [0.5, 1.0], r"'points' must be int64 in every chunk, got 'Float value 0.500000 was truncated"),
        ("points", ["1", "2"], r"'points' must be int64 in every chunk, got 'string'"),
        ("reason_1", [1, 2], r"'reason_1' must be string in every chunk, got 'int64'"),
        (
            "probability",
            [2**53 + 1, 0],
            r"'probability' must be double in every chunk, got 'Integer value 9007199254740993",
        ),
        ("previous_stage", [0.5, 1.0], r"'previous_stage' must be string in every chunk, got 'double'"),
    ],
)
def test_every_chunk_has_the_types_of_the_first(url, column, values, match):
    """A value that would be rounded or converted to text is refused."""
    chunks = [scored(["a", "b"]), scored(["c", "d"]).assign(**{column: values})]
    with pytest.raises(LeadmlError, match=match):
        write_chunks(url, chunks)


def test_types_of_chunks_may_differ_if_no_value_changes(url):
    """Integers among numbers, columns without values, and categories are accepted."""
    frame = scored(["a", "b"]).assign(points=[1, 2], probability=[0.5, 1.5], reason_1="x")
    with table_writer(url, SCORED) as writer:
        writer.write(frame)
        writer.write(frame.assign(lead_id=["c", "d"], points=[3.0, np.nan], probability=[1, 2], as_of=None))
        writer.write(frame.assign(lead_id=["e", "f"], points=None, reason_1=pd.Categorical(["y", "z"])))
    got = written(url)
    assert got["points"].astype(object).where(got["points"].notna(), None).tolist() == [1, 2, 3, None, None, None]
    assert got["probability"].tolist() == [0.5, 1.5, 1.0, 2.0, 0.5, 1.5]
    assert got["reason_1"].tolist() == ["x"] * 4 + ["y", "z"]


def test_the_nul_character_is_written_or_refused(url):
    """SQLite stores it, PostgreSQL cannot."""
    frame = scored(["a", "b"]).assign(reason_1=["a\0b", None])
    if url.startswith("sqlite"):
        write(url, frame)
        assert_same(written(url), frame, sqlite=True)
    else:
        with pytest.raises(
            LeadmlError, match=r"'reason_1' must be text that PostgreSQL can store, got text with a NUL"
        ):
            write(url, frame)


def test_columns_need_different_names_and_the_key(url):
    """A repeated name and a missing key column are refused."""
    frame = scored(["a"])
    with pytest.raises(LeadmlError, match=r"every column must have a different name, got one name twice"):
        write(url, frame.rename(columns={"points": "target"}))
    with pytest.raises(LeadmlError, match=r"the rows must have the key column 'batch_id', got none"):
        write(url, frame.drop(columns="batch_id"))


# ---- errors


def test_the_password_is_never_shown(postgres_server, postgres_url, caplog, capsys):
    """Neither if the database cannot be reached nor if it rejects the rows."""
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="sqlalchemy.engine")
    make(postgres_url, "CREATE VIEW scored AS SELECT 1 AS lead_id, 1 AS target, 1 AS batch_id")
    for url in (postgres_server.url("postgres", port=1), postgres_server.url("nothing"), postgres_url):
        with pytest.raises(LeadmlError, match=r"^postgresql://leadml_tests:\*\*\*@127.0.0.1[^\n]*$") as got:
            write(url, scored(["a"]))
        assert got.value.__cause__ is None
        assert got.value.__context__ is None
        out, err = capsys.readouterr()
        shown = [repr(got.value), *traceback.format_exception(got.value), caplog.text, out, err]
        assert not any(CANARY in text for text in shown)


def test_a_file_that_cannot_be_created_is_refused(tmp_path):
    """For example in a folder that does not exist."""
    with pytest.raises(LeadmlError, match=r"must be a database that can be reached, got: unable to open database file"):
        write(f"sqlite:///{tmp_path}/no/x.db", scored(["a"]))


def test_writing_waits_for_readers_of_the_file(tmp_path):
    """If a read transaction lasts longer than the wait, the message says so and the rows stay unchanged."""
    url = f"sqlite:///{tmp_path / 'scored.db'}"
    old = scored(["a"])
    write(url, old)
    with (
        pytest.raises(
            LeadmlError, match=r"got: database is locked; close the program that uses it and run again; nothing was"
        ),
        open_read_transaction(url),
    ):
        write(url, scored(["a", "b"], seed=1), wait=0.1)
    assert_same(written(url), old, sqlite=True)
    with table_writer(url, SCORED) as writer, open_read_transaction(url) as snapshot:
        for chunk in snapshot.chunks(SCORED, ["lead_id", "target", "batch_id"], rows=1):
            assert chunk.table.num_rows == 1
        writer.write(old)


def test_a_lost_connection_leaves_the_table_unchanged(postgres_url):
    """The connection is ended between two chunks."""
    old = scored(["a"])
    write(postgres_url, old)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    with pytest.raises(LeadmlError, match=r"scored table: must accept the rows, got: .*nothing was written$"):
        _write_over_lost_connection(postgres_url, f"{end} pg_backend_pid()")
    assert_same(written(postgres_url), old, sqlite=False)


def _write_over_lost_connection(url: str, end: str) -> None:
    with table_writer(url, SCORED) as writer:
        writer.write(scored(["a", "b"], seed=1))
        make(url, end)
        writer.write(scored(["c", "d"], seed=1))


def test_without_on_conflict_rows_are_deleted_and_inserted(tmp_path):
    """The statements for other dialects, run on SQLite."""
    url = f"sqlite:///{tmp_path / 'scored.db'}"
    frame = scored([*"abcdef"])
    for part in (frame, frame.iloc[::-1], pd.concat([frame, frame])):
        with closing(open_connection(url, writing=True)) as connection:
            writer = TableWriter(connection, SCORED, key=("lead_id", "target", "batch_id"), address="here")
            writer._dialect = "other"  # noqa: SLF001 - no such server is at hand
            text = part.assign(as_of=part["as_of"].astype(str))
            with suppress(StopIteration):
                writer.write(text)
                writer.finish()
    got = written(url)
    assert got["lead_id"].tolist() == [*"abcdef"]
    assert got["points"].tolist() == frame["points"].tolist()


# ---- whole messages


PARTS = ["lead_id", "target", "batch_id", "probability"]
KEYS = "PRIMARY KEY (lead_id, target, batch_id)"


@pytest.mark.parametrize(
    ("created", "chunks", "expected"),
    [
        (
            None,
            [scored(["a"])[PARTS].set_axis(["lead_id", "target", "batch_id", "%(v0)s"], axis=1)],
            "tables and columns must have printable names of at most 63 bytes without '%(', got '%(v0)s'; rename it",
        ),
        (None, [scored(["a"])[PARTS[1:]]], "the rows must have the key column 'lead_id', got none"),
        (
            None,
            [scored(["a"])[[*PARTS, "target"]]],
            "every column must have a different name, got one name twice",
        ),
        (
            None,
            [scored(["a"])[PARTS], scored(["b"])[PARTS[:3]]],
            "every chunk must have the columns lead_id, target, batch_id, probability, got others",
        ),
        (
            None,
            [scored(["a"])[PARTS], scored(["b"])[[*PARTS[:2], "probability", "batch_id"]]],
            "every chunk must have the columns lead_id, target, batch_id, probability, got others",
        ),
        (
            None,
            [scored(["a"])[PARTS], scored(["b"])[PARTS].assign(probability="high")],
            "'probability' must be double in every chunk, got 'string'",
        ),
        (
            None,
            [scored(["a"])[PARTS].assign(target=None)],
            "the key column 'target' must have a value in every row, got none",
        ),
        (
            KEYED.format("float", KEYS),
            [scored(["a"])[[*PARTS, "advised"]]],
            "must have a column 'advised', got none; it has 4 other columns; add it",
        ),
        (
            KEYED.format("int", KEYS),
            [scored(["a"])[PARTS]],
            "must store fractions unchanged, got an integer column 'probability'; make it double precision",
        ),
        (
            KEYED.format("float", "more text"),
            [scored(["a"])[PARTS]],
            "must have a primary key or a unique index on 'lead_id', 'target', 'batch_id', got none; add it",
        ),
        (
            "CREATE VIEW scored AS SELECT 1 AS lead_id, 1 AS target, 1 AS batch_id, 0.5 AS probability",
            [scored(["a"])[PARTS]],
            "must have a primary key or a unique index on 'lead_id', 'target', 'batch_id', got none; add it",
        ),
        (
            KEYED.format("float", KEYS)
            + "; CREATE TRIGGER t BEFORE INSERT ON scored BEGIN SELECT RAISE(ABORT, 'no'); END",
            [scored(["a"])[PARTS]],
            "must accept the rows, got: no; nothing was written",
        ),
    ],
)
def test_a_refusal_names_database_table_and_reason(created, chunks, expected, tmp_path):
    """In one line; a database that the rows do not fit is left as it was."""
    url = f"sqlite:///{tmp_path / 'scored.db'}"
    if created:
        with closing(sqlite3.connect(tmp_path / "scored.db")) as connection:
            connection.executescript(created)
    with pytest.raises(LeadmlError) as caught:
        write_chunks(url, chunks)

    assert str(caught.value) == f"{url}: scored table: {expected}"
    with closing(sqlite3.connect(tmp_path / "scored.db")) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
    assert tables == (int(bool(created) and "TABLE" in created),)


def test_the_key_may_be_other_columns_and_comes_first(tmp_path):
    """A new table has the key as its primary key, in the order that is asked for, and then the other columns."""
    url = f"sqlite:///{tmp_path / 'scored.db'}"
    frame = pd.DataFrame({"score": [0.5, 0.25], "day": [1, 2], "lead_id": ["a", "a"], "at": [None, None]})
    with table_writer(url, TableName("by day"), key=["lead_id", "day"]) as writer:
        writer.write(frame)
        writer.write(frame.assign(score=[1.5, 2.5]).iloc[1:])
    with closing(sqlite3.connect(tmp_path / "scored.db")) as connection:
        columns = connection.execute("SELECT name, type, pk FROM pragma_table_info('by day')").fetchall()
        rows = connection.execute('SELECT * FROM "by day"').fetchall()

    assert columns == [("lead_id", "TEXT", 1), ("day", "BIGINT", 2), ("score", "DOUBLE", 0), ("at", "TEXT", 0)]
    assert rows == [("a", 1, 0.5, None), ("a", 2, 2.5, None)]
    assert writer.defused == 0


def test_a_table_holds_the_batches_that_were_written(url):
    """A table that is not there holds none, and none is made."""
    assert not table_holds_batch(url, SCORED, "b1")
    write(url, scored(["a", "b"]))
    (batch,) = set(scored(["a"])["batch_id"])

    assert table_holds_batch(url, SCORED, batch)
    assert not table_holds_batch(url, SCORED, "other")
