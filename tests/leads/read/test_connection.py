"""Connections: how an address is shown, what a failure says, and what a connection may do."""

from __future__ import annotations

import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError, LeadmlError, MissingExtraError
from leadml.leads.read.connection import (
    MAX_MESSAGE_LENGTH,
    address_error,
    attempt,
    close_connection,
    declared_columns,
    driver_message,
    first_line,
    mask_address,
    open_connection,
)
from leadml.params.address import HIDDEN

LIKE = r"must be an address like postgresql://user:\$\{NAME\}@host/name or sqlite:///leads.db"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of an SQLite file with one table."""
    with closing(sqlite3.connect(tmp_path / "leads.db")) as connection, connection:
        connection.execute("CREATE TABLE leads (id TEXT, n INTEGER, ok BOOLEAN, odd STRANGE)")
    return f"sqlite:///{tmp_path / 'leads.db'}"


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with all its causes and contexts."""
    yield error
    for linked in (error.__cause__, error.__context__):
        if linked is not None:
            yield from chain(linked)


@given(st.text(max_size=400))
def test_the_first_line_is_one_short_printable_line(text: str) -> None:
    """Whatever the text; a line that is so already is not changed."""
    line = first_line(text)

    assert line == "" or line.isprintable()
    assert len(line) <= MAX_MESSAGE_LENGTH
    assert first_line(line.strip()) == line.strip()
    assert bool(line) == bool(text.strip())


def test_the_first_line_has_no_space_before_it() -> None:
    """Empty lines before it are left out."""
    assert first_line("\n \t no table\r\nLINE 1") == "no table"
    assert first_line(" \n") == ""


@pytest.mark.parametrize("kind", [sa.exc.SQLAlchemyError, sqlite3.Error, OSError, ValueError, OverflowError])
def test_a_failed_action_keeps_no_error_of_the_driver(kind: type[Exception]) -> None:
    """Neither as the cause nor as the context, because it may hold the password."""

    def fail() -> None:
        msg = "s3cr3t"
        raise kind(msg)

    with pytest.raises(LeadmlError, match=r"^refused: s3$") as caught:
        attempt(fail, lambda error: LeadmlError(f"refused: {str(error)[:2]}"))
    assert list(chain(caught.value)) == [caught.value]


def test_an_action_that_succeeds_gives_its_result_and_a_defect_stays_one() -> None:
    """Only errors of a database are refusals."""
    assert attempt(lambda: 7, lambda _: LeadmlError("never")) == 7
    with pytest.raises(ZeroDivisionError, match="by zero"):
        attempt(lambda: 1 % 0, lambda _: LeadmlError("never"))


def test_a_driver_without_a_message_is_named_by_its_error() -> None:
    """And of an error of SQLAlchemy the driver's own message is shown, of which one line."""
    url = sa.make_url("postgresql://u@h/db")

    assert driver_message(OSError(), url) == "OSError"
    wrapped = sa.exc.DBAPIError("SELECT secret", {}, sqlite3.OperationalError("no such table\nmore"))
    assert driver_message(wrapped, url) == "no such table"


def test_an_error_of_an_address_shows_it_without_its_password() -> None:
    """It is one fault, whose place is the address."""
    error = address_error("postgresql://u:s3cr3t@h/db", "must be there")

    assert str(error) == "postgresql://u:***@h/db: must be there"
    assert isinstance(error, DataError)


def test_reading_cannot_write_and_writing_creates_the_file(url: str, tmp_path: Path) -> None:
    """A connection to read sees what one to write has committed."""
    with open_connection(url, writing=True) as connection:
        connection.exec_driver_sql("INSERT INTO leads VALUES ('a', 1, 1, 2)")
    with (
        open_connection(url, writing=False) as connection,
        pytest.raises(sa.exc.OperationalError, match="attempt to write a readonly database"),
    ):
        connection.exec_driver_sql("DELETE FROM leads")
    new = f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(DataError, match=r"new\.db: must be a file, got no such file; correct the path$"):
        open_connection(new, writing=False)
    open_connection(new, writing=True).close()
    assert (tmp_path / "new.db").is_file()


@pytest.mark.parametrize("writing", [True, False])
def test_a_connection_attaches_no_other_file(url: str, tmp_path: Path, writing: bool) -> None:  # noqa: FBT001
    """It could create that file."""
    with (
        open_connection(url, writing=writing) as connection,
        pytest.raises(sa.exc.OperationalError, match="too many attached databases"),
    ):
        connection.exec_driver_sql(f"ATTACH '{tmp_path / 'other.db'}' AS other")
    assert not (tmp_path / "other.db").exists()


def test_two_connections_share_no_session(url: str) -> None:
    """None is in a pool: closing one ends it, and the other goes on."""
    one, other = open_connection(url, writing=True), open_connection(url, writing=True)
    one.exec_driver_sql("CREATE TEMP TABLE own (x)")
    close_connection(one)

    assert one.closed
    with pytest.raises(sa.exc.OperationalError, match="no such table: own"):
        other.exec_driver_sql("SELECT * FROM own")
    close_connection(other)


def test_closing_rolls_back_what_was_not_committed(url: str) -> None:
    """Closing twice is no error."""
    connection = open_connection(url, writing=True)
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql("INSERT INTO leads VALUES ('a', 1, 1, 2)")
    close_connection(connection)
    close_connection(connection)
    with open_connection(url, writing=False) as after:
        assert after.exec_driver_sql("SELECT count(*) FROM leads").scalar() == 0


def test_declared_columns_are_in_the_order_of_the_table(url: str) -> None:
    """A type that SQLAlchemy does not know gives no warning."""
    with warnings.catch_warnings(record=True) as warned, open_connection(url, writing=False) as connection:
        columns = declared_columns(connection, "leads", None)

    assert list(columns) == ["id", "n", "ok", "odd"]
    assert isinstance(columns["n"], sa.Integer)
    assert isinstance(columns["ok"], sa.Boolean)
    assert warned == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("leads.db", rf"^{HIDDEN}: {LIKE}, got none that can be read; correct it, an @ of the password as %40$"),
        ("nothing://h/db", rf"^nothing://h/db: {LIKE}, got one that no dialect of SQLAlchemy understands; correct it$"),
        ("sqlite:///x.db?mode=rw", r"^sqlite:///x.db\?\*\*\*: must be sqlite:///FILE and nothing else, got another"),
        ("sqlite:///", "must name a file as in sqlite:///leads.db, got none; a database in memory has no rows$"),
        ("sqlite:///a\0b", "must name a file, got no valid file name|must be a file, got no such file"),
    ],
)
def test_an_address_that_no_database_has_is_refused(address: str, message: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(DataError, match=message):
        open_connection(address, writing=False)


@given(
    user=st.text(st.characters(exclude_characters=":/@?", codec="utf-8"), max_size=5),
    password=st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    rest=st.sampled_from(["@host:5432/db", "@host/db?sslmode=require", "@/db"]),
)
def test_no_password_is_shown(user: str, password: str, rest: str) -> None:
    """No password appears in a masked address, even one with the special characters of addresses."""
    shown = mask_address(f"postgresql://{user}:ab{password}yz{rest}")
    assert f"ab{password}yz" not in shown
    assert shown in {mask_address(f"postgresql://{user}:other{rest}"), HIDDEN}
    assert shown.isprintable()


@pytest.mark.parametrize("options", ["password=s3cr3t-canary", "host=h&sslpassword=s3cr3t-canary", "x=s3cr3t-canary"])
def test_no_option_is_shown(options: str) -> None:
    """Options of an address are masked, because they may hold a password."""
    assert mask_address(f"postgresql://u@h/db?{options}") == "postgresql://u@h/db?***"


def test_a_message_of_the_driver_that_holds_the_password_is_not_shown() -> None:
    """The message is replaced whether the password in it is plain or percent-encoded."""
    url = sa.make_url("postgresql://u:a%2Fb%20c@h/db?sslpassword=other")
    for message in ("no a/b c", "no a%2Fb%20c", "no a%2Fb+c", "no other"):
        assert driver_message(ValueError(message), url) == "a message with the password in it, so it is not shown"
    assert driver_message(ValueError("no such host"), url) == "no such host"


def test_a_database_without_its_driver_is_refused() -> None:
    """The message names the package to install, where leadml knows it."""
    for url, install in {
        "mssql+pymssql://u:x@h/d": "pymssql, got none; install it with pip install pymssql",
        "mysql://u:x@h/d": "MySQLdb, got none; install it with pip install mysqlclient",
        "mysql+asyncmy://u:x@h/d": "asyncmy, got none; install the driver asyncmy",
    }.items():
        shown = re.escape(url.replace(":x@", ":***@"))
        with pytest.raises(MissingExtraError, match=f"^{shown}: needs the driver {install}$"):
            open_connection(url, writing=False)
