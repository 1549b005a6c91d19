"""Files, folders and databases are opened, checked for columns and read in the same way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from leadml.errors import DataError, LeadmlError
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource, open_table_sources, resolve_address
from leadml.params import LeadsParams, SourceParams

TEXT = "lead_id,size\n1,2\n2,3\n3,4\n"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a folder with an SQLite database of one table."""
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        connection.execute("CREATE TABLE leads (lead_id TEXT, size INTEGER)")
        connection.executemany("INSERT INTO leads VALUES (?, ?)", [("1", 2), ("2", 3), ("3", 4)])
        connection.commit()
    return tmp_path


def _rows(source: object, rows: int = 2) -> list[list[tuple[str, int]]]:
    chunks = source.chunks(["lead_id", "size"], rows=rows)  # type: ignore[attr-defined]
    return [[(str(row["lead_id"]), int(row["size"])) for row in chunk.table.to_pylist()] for chunk in chunks]


def test_a_file_a_table_and_a_query_give_the_same_rows(database: Path) -> None:
    """All sources give the same rows in the same chunks and refuse the same missing column; each has its own name."""
    (database / "leads.csv").write_text(TEXT, encoding="utf-8")
    choices = {
        "file": SourceParams(path="leads.csv"),
        "table": SourceParams(url="sqlite:///crm.db", table="leads"),
        "schema": SourceParams(url="sqlite:///crm.db", table="main.leads"),
        "query": SourceParams(url="sqlite:///crm.db", query="SELECT * FROM leads"),
    }
    with open_table_sources(choices, database, Dialect(decimal=",")) as sources:
        assert [_rows(source) for source in sources.values()] == [[[("1", 2), ("2", 3)], [("3", 4)]]] * 4
        assert [source.name for source in sources.values()] == ["leads.csv", "leads table", "main.leads table", "query"]
        assert [source.dialect.decimal for source in sources.values()] == [",", ".", ".", "."]
        assert sources["table"].transaction is sources["query"].transaction
        for source in sources.values():
            source.require(["lead_id"])
            with pytest.raises(DataError, match="must have a column 'sise', got none; the nearest is 'size'"):
                source.require(["lead_id", "sise"])


def test_sources_of_one_database_share_one_transaction(database: Path) -> None:
    """Rows that are committed after the first table was read do not appear in the second."""
    choices = {name: SourceParams(url="sqlite:///crm.db", table="leads") for name in ("one", "other")}
    with closing(sqlite3.connect(database / "crm.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        with open_table_sources(choices, database, Dialect()) as sources:
            before = _rows(sources["one"])
            connection.execute("INSERT INTO leads VALUES ('4', 5)")
            connection.commit()
            assert _rows(sources["other"]) == before
        with open_table_sources(choices, database, Dialect()) as sources:
            assert _rows(sources["one"]) != before


def test_every_file_of_a_folder_must_have_the_columns(tmp_path: Path) -> None:
    """A missing column is refused even where the first file has it."""
    (tmp_path / "a.csv").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.csv").write_text("lead_id,sizes\n9,9\n", encoding="utf-8")
    source = FileSource(tmp_path, Dialect())

    assert source.name == tmp_path.name
    with pytest.raises(DataError, match=r"^b.csv: must have a column 'size', got none; the nearest is 'sizes'$"):
        source.require(["lead_id", "size"])


@pytest.mark.parametrize(
    ("url", "root", "expected"),
    [
        ("sqlite:///crm.db", "/data", "sqlite:////data/crm.db"),
        ("sqlite:///sub/crm.db", "/data", "sqlite:////data/sub/crm.db"),
        ("sqlite:////srv/crm.db", "/data", "sqlite:////srv/crm.db"),
        ("sqlite:///:memory:", "/data", "sqlite:///:memory:"),
        ("sqlite:///file:crm.db?mode=ro&uri=true", "/data", "sqlite:///file:crm.db?mode=ro&uri=true"),
        ("sqlite://", "/data", "sqlite://"),
        ("postgresql://u@h/db", "/data", "postgresql://u@h/db"),
        ("postgresql://u:${SECRET}@h/db", "/data", "postgresql://u:p%40ss%2Fw%25rd@h/db"),
        ("${WHOLE}", "/data", "postgresql://u:p%40ss@h/db"),
        ("${LITE}", "/data", "sqlite:////data/own.db"),
        ("postgresql://${USER_NAME}:${SECRET}@h/db", "/data", "postgresql://ann:p%40ss%2Fw%25rd@h/db"),
    ],
)
def test_an_address_is_resolved_with_its_secrets_and_its_folder(
    monkeypatch: pytest.MonkeyPatch, url: str, root: str, expected: str
) -> None:
    """A secret inside an address is percent-encoded, a whole address is not; paths are relative to params.yaml."""
    secrets = {
        "SECRET": "p@ss/w%rd",
        "WHOLE": "postgresql://u:p%40ss@h/db",
        "LITE": "sqlite:///own.db",
        "USER_NAME": "ann",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    assert resolve_address(url, Path(root)) == expected


def test_a_missing_secret_is_named_and_the_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and shows no other part of the address."""
    monkeypatch.delenv("LEADML_TEST_SECRET", raising=False)
    with pytest.raises(
        LeadmlError, match=r"^the environment must have a variable LEADML_TEST_SECRET, .*, got none; set it$"
    ):
        resolve_address("postgresql://canary:${LEADML_TEST_SECRET}@canary/db", Path())


@pytest.mark.parametrize("value", ["host=h password=canary", "postgresql://ada:canary", "Server=h;Pwd=canary;"])
def test_an_address_that_cannot_be_read_is_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The message names the environment variable instead."""
    monkeypatch.setenv("CRM_URL", value)
    with pytest.raises(
        LeadmlError,
        match=r"^CRM_URL of the environment: must be an address like postgresql://user:\$\{NAME\}@host/name or "
        r"sqlite:///leads.db, got none that can be read; correct it$",
    ):
        resolve_address("${CRM_URL}", Path())


def test_a_missing_column_is_shown_with_its_key_in_params(tmp_path: Path) -> None:
    """The file is named as in params; a column that no key names is shown without a key."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "leads.csv").write_text("lead_id,CreatedDate\n1,2\n", encoding="utf-8")
    for path in ("data/leads.csv", "data"):
        choices = LeadsParams(path=path, created_at=" CreateDate")
        with (
            open_table_sources({"leads": choices}, tmp_path, Dialect()) as sources,
            pytest.raises(DataError, match="must have a column") as caught,
        ):
            sources["leads"].require(["lead_id", "CreateDate", "size"])
        with_key, without_key = str(caught.value).splitlines()
        missing = "data/leads.csv: must have a column 'CreateDate', got none; the nearest is 'CreatedDate'; "
        assert with_key == f"{missing}set sources.leads.created_at"
        assert without_key == "data/leads.csv: must have a column 'size', got none; it has 2 others"


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path, write: Callable[..., Path]) -> None:
    """The message names the path."""
    with (
        open_table_sources({"leads": SourceParams(path="none.csv")}, tmp_path, Dialect()) as sources,
        pytest.raises(DataError, match=r"none.csv: must be a file or a folder, got no such file"),
    ):
        sources["leads"].require(["a"])
    assert FileSource(write(TEXT), Dialect()).name == "leads.csv"
