"""Connect to a database that an address names.

What enters is an address such as ``postgresql://user:password@host/name``; what leaves is an open connection, or one
line that says why there is none.
It never shows a password: not in a message, not in a cause, not in a traceback.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, quote_plus

from leadml.errors import DataError, Fault, LeadmlError, MissingExtraError
from leadml.params.address import ADDRESS, LIKE, shown_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.types import TypeEngine

Result = TypeVar("Result")

SQLITE = re.compile(r"sqlite(?:\+pysqlite)?:///(?P<path>[^?]*)")
SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key|connect$|conninfo", re.IGNORECASE)
PACKAGES = {
    "psycopg": "'leadml[databases]'",
    "MySQLdb": "mysqlclient",
    **{name: name for name in ("psycopg2", "asyncpg", "pymysql", "mariadb", "pyodbc", "pymssql", "oracledb")},
}
LOG_NAME = "leadml"
LONGEST_REASON = 300
WAIT_SECONDS = 30


def masked(url: str) -> str:
    """Return an address as it may be shown, in one line: without its password and options, or not at all.

    Examples
    --------
    >>> masked("postgresql://ada:s3cr3t@localhost:5432/crm?sslmode=require")
    'postgresql://ada:***@localhost:5432/crm?***'
    """
    return one_line(shown_address(url))


def one_line(text: str) -> str:
    r"""Return the first line of a text, of at most 300 characters, without what could drive a terminal.

    Examples
    --------
    >>> one_line("no \x1b[31mtable\nLINE 1: select")
    'no ?[31mtable'
    """
    first = next(iter(text.strip().splitlines()), "")
    return "".join(character if character.isprintable() else "?" for character in first)[:LONGEST_REASON]


def open_connection(url: str, *, writing: bool) -> Connection:
    """Return a connection that is one's own and is closed for good when it is closed.

    Parameters
    ----------
    url
        An address; ``postgresql://`` means psycopg, ``sqlite:///FILE`` a file by its path to the letter.
    writing
        Whether the connection is to write; only then an SQLite file is made where it is not there.

    Raises
    ------
    MissingExtraError
        Where SQLAlchemy or the database's driver is not installed.
    DataError
        Where the address is none, or the database cannot be reached.
    """
    engine = _engine(url, writing=writing)
    return attempt(
        engine.connect,
        lambda error: unreachable(url, f"must be a database that can be reached, got: {reason(error, engine.url)}"),
    )


def attempt(action: Callable[[], Result], refusal: Callable[[Exception], LeadmlError]) -> Result:
    """Return what an action on a database returns, or raise a refusal that keeps nothing of the driver's error.

    ``raise ... from None`` would hide the driver's error and yet keep it, with all that it knows of the connection.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the door opens without it

    try:
        return action()
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, OverflowError) as error:
        refused = refusal(error)
    raise refused


def reason(error: Exception, url: URL) -> str:
    """Return what a driver says, in one line, unless that holds a secret of the address."""
    said = str(getattr(error, "orig", None) or error)
    options = [part for name, parts in url.normalized_query.items() if SECRET_OPTION.search(name) for part in parts]
    secrets = [str(url.password or ""), *options]
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    if any(form in said for form in forms):
        return "a message with the password in it, so it is not shown"
    return one_line(said) or type(error).__name__


def declared_columns(connection: Connection, name: str, schema: str | None) -> dict[str, TypeEngine[Any]]:
    """Return the columns of a table with the types that the database declares, as SQLAlchemy knows them."""
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # a type that it does not know is one that leadml refuses
        return {entry["name"]: entry["type"] for entry in sa.inspect(connection).get_columns(name, schema)}


def close(connection: Connection) -> None:
    """Undo what has not been committed, and close; a connection that is lost is closed already."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the door opens without it

    with suppress(SQLAlchemyError):
        if connection.in_transaction() and not connection.invalidated:
            connection.rollback()
    with suppress(SQLAlchemyError):
        connection.close()


def unreachable(url: str, message: str) -> DataError:
    """Return the fault of an address."""
    return DataError([Fault(masked(url), message)])


def _engine(url: str, *, writing: bool) -> Engine:
    try:
        from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - the door opens without it
    except ImportError:
        msg = "a database needs SQLAlchemy, got none; install it with pip install 'leadml[databases]'"
        raise MissingExtraError(msg) from None
    address = _parsed(url)
    _quieten(f"{NullPool.__module__}.{NullPool.__name__}.{LOG_NAME}")
    options: dict[str, Any] = {"poolclass": NullPool, "pool_logging_name": LOG_NAME, "hide_parameters": True}
    if address.get_backend_name() == "sqlite":
        path = _sqlite_file(url, writing=writing)
        return create_engine("sqlite://", creator=lambda: _open_sqlite(path, writing=writing), **options)
    postgres = address.drivername == "postgresql+psycopg"
    arguments = {"connect_timeout": WAIT_SECONDS, "client_encoding": "utf8"} if postgres else {}
    for option in address.query:
        arguments.pop(option, None)
    missing = ""
    try:
        return create_engine(address, connect_args=arguments, **options)
    except ImportError as error:
        missing = error.name or "its driver"
    except Exception:  # noqa: BLE001, S110  # a dialect's own words may hold the address
        pass
    if missing:
        how = f"it with pip install {PACKAGES[missing]}" if missing in PACKAGES else f"the driver {missing}"
        msg = f"{masked(url)}: needs the driver {missing}, got none; install {how}"
        raise MissingExtraError(msg)
    raise unreachable(url, f"{LIKE}, got one that no dialect of SQLAlchemy understands; correct it")


def _quieten(pool: str) -> None:
    """Keep from standard error what cannot be closed because it is lost: the refusal says so, in one line."""
    logging.getLogger(pool).disabled = True
    driver = logging.getLogger("psycopg")
    if not driver.handlers:
        driver.addHandler(logging.NullHandler())  # who listens to it still hears it


def _parsed(url: str) -> URL:
    import sqlalchemy as sa  # noqa: PLC0415 - the door opens without it

    address = None
    with suppress(sa.exc.ArgumentError, ValueError, TypeError):  # their words may hold the address
        address = sa.make_url(url) if ADDRESS.fullmatch(url) else None
    if address is None:
        raise unreachable(url, f"{LIKE}, got none that can be read; correct it, an @ of the password as %40")
    if address.drivername in {"postgresql", "postgres"}:
        return address.set(drivername="postgresql+psycopg")
    return address


def _sqlite_file(url: str, *, writing: bool) -> Path:
    """Return the file of an address; its path is taken to the letter."""
    found = SQLITE.fullmatch(url)
    if found is None:
        raise unreachable(url, "must be sqlite:///FILE and nothing else, got another; correct it")
    if found["path"] in {"", ":memory:"}:
        raise unreachable(url, "must name a file as in sqlite:///leads.db, got none; a database in memory has no rows")
    path = Path(found["path"]).absolute()
    if not (writing or attempt(path.is_file, lambda _: unreachable(url, "must name a file, got no name of one"))):
        raise unreachable(url, "must be a file, got no such file; correct the path")
    return path


def _open_sqlite(path: Path, *, writing: bool) -> sqlite3.Connection:
    mode = "rwc" if writing else "ro"
    # isolation_level=None: the module would else begin transactions of its own, and not for what is only read
    uri = f"{path.as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # ATTACH would make files, also where nothing may be written
    return connection
