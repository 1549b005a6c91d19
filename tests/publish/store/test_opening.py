"""One job at a time writes to a store; one that cannot be written is refused before anything is done."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.stores import rows, silent, write_batch

from leadml.errors import LeadmlError
from leadml.publish.store import opening
from leadml.publish.store.opening import Store, reading, sqlite_file, writing_alone
from leadml.publish.store.schema import NEWEST, schema_version
from leadml.publish.store.tables import BATCHES, SCHEMA_TABLE

SCHEMA = sa.table(SCHEMA_TABLE, sa.column("version_num"))


def test_nothing_is_made_by_reading(store_url: str) -> None:
    """There is no store until something is written."""
    with reading(store_url) as store:
        assert store is None
    path = sqlite_file(store_url)
    assert path is None or not path.exists()


def test_what_was_written_is_read(store_url: str, tmp_path: Path) -> None:
    """By another connection, after the first is closed."""
    with writing_alone(store_url, silent) as store:
        write_batch(store, tmp_path, "b1", {"x": "MQL"})
    with reading(store_url) as store:
        assert rows(store, BATCHES, "batch_id") == [("b1",)]


def test_an_action_that_fails_changes_nothing(store: Store) -> None:
    """The rows that it wrote before are rolled back."""

    def fail(connection: sa.Connection) -> None:
        connection.execute(sa.update(SCHEMA).values(version_num="7"))
        raise KeyError

    with pytest.raises(KeyError):
        store.write(fail)

    assert store.read(schema_version) == NEWEST


def test_an_error_of_the_database_is_one_line_without_the_password(store: Store) -> None:
    """It says which store."""
    with pytest.raises(
        LeadmlError, match=r"^(sqlite|postgresql)://.*: must be a store that can be read and written, "
    ) as found:
        store.write(lambda connection: connection.execute(sa.text("SELECT * FROM nowhere")))

    assert "s3cr3t" not in str(found.value)
    assert "\n" not in str(found.value)


HOLD = """
import sys
from leadml.publish.store.opening import writing_alone

pytest_plugins = ["tests.postgres"]

with writing_alone(sys.argv[1], lambda _: None):
    print("locked", flush=True)
    sys.stdin.readline()
"""


def test_a_second_job_waits_until_the_first_is_done_or_dead(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and a job that was killed holds no lock."""
    steps: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, store_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"

        def end_other(step: str) -> None:
            steps.append(step)
            other.kill()

        with writing_alone(store_url, end_other) as store:
            assert rows(store, BATCHES) == []

    assert set(steps) == {"waiting for another job that writes to the store"}


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """It is not touched."""
    path = tmp_path / "leadml.db"
    path.write_text("lead_id,score\n" * 100, encoding="utf-8")
    with pytest.raises(LeadmlError, match=r"leadml.db: must be a store that can be read and written, got: file is not"):
        write_once(f"sqlite:///{path}")

    assert path.read_text(encoding="utf-8") == "lead_id,score\n" * 100


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """At once: no lock is waited for."""
    (tmp_path / "file").touch()
    with pytest.raises(LeadmlError, match=r"must be a store that can be read and written, got: .*file"):
        write_once(f"sqlite:///{tmp_path / 'file' / 'leadml.db'}")


def test_a_store_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    """Before any row is written: here a setting of SQLite makes the store read-only."""
    with writing_alone(f"sqlite:///{tmp_path / 'leadml.db'}", silent) as store:
        store.connection.exec_driver_sql("PRAGMA query_only = on")
        with pytest.raises(LeadmlError, match="attempt to write a readonly database"):
            opening._prepare(store)  # noqa: SLF001 - a user's rights cannot be taken from root


@pytest.mark.slow
def test_a_user_without_the_right_to_write_is_refused(postgres_url: str) -> None:
    """PostgreSQL says which table."""
    write_once(postgres_url)
    with reading(postgres_url) as store:
        store.write(lambda connection: connection.execute(sa.text("CREATE ROLE reader LOGIN PASSWORD 's3cr3t-canary'")))
        grant = sa.text("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO reader")
        store.write(lambda connection: connection.execute(grant))
    with pytest.raises(LeadmlError, match="permission denied for table leadml_"):
        write_once(postgres_url.replace("leadml_tests:", "reader:"))


def test_a_store_of_a_newer_leadml_is_refused(store_url: str) -> None:
    """For writing and for reading."""
    with writing_alone(store_url, silent) as store:
        store.write(lambda connection: connection.execute(sa.update(SCHEMA).values(version_num="99")))
    for use in (write_once, read_once):
        with pytest.raises(LeadmlError, match="the store is of schema 99, this leadml knows 5; update leadml"):
            use(store_url)


def test_another_database_is_refused() -> None:
    """The dialects are two."""
    with pytest.raises(LeadmlError, match=r"mssql.*needs the driver|must be SQLite or PostgreSQL, got"):
        write_once("mssql+pyodbc://host/name")


def test_what_is_forgotten_is_overwritten_in_the_file(tmp_path: Path) -> None:
    """The bytes of a removed row are nowhere in the file."""
    path = tmp_path / "leadml.db"
    with writing_alone(f"sqlite:///{path}", silent) as store:
        write_batch(store, tmp_path, "b1", {"canary-lead": "LEAD", "y": "LEAD"})
        assert b"canary-lead" in path.read_bytes()
        store.connection.exec_driver_sql("DELETE FROM leadml_scores WHERE lead_id = 'canary-lead'")
        store.connection.commit()

    assert b"canary-lead" not in path.read_bytes()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def write_once(url: str) -> None:
    """Open a store to write."""
    with writing_alone(url, silent):
        pass


def read_once(url: str) -> None:
    """Open a store to read."""
    with reading(url):
        pass
