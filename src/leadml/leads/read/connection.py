"""Connect to a database by its address, such as ``postgresql://user:password@host/name``.

Where there is no connection, one line says why. The password is never shown: not in a message, not in the cause of an
error, not in a traceback.
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

SQLITE_URL = re.compile(r"sqlite(?:\+pysqlite)?:///(?P<path>[^?]*)")
SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key|connect$|conninfo", re.IGNORECASE)
DRIVER_PACKAGES = {
    "psycopg": "'leadml[databases]'",
    "MySQLdb": "mysqlclient",
    **{name: name for name in ("psycopg2", "asyncpg", "pymysql", "mariadb", "pyodbc", "pymssql", "oracledb")},
}
LOGGER_NAME = "leadml"
MAX_MESSAGE_LENGTH = 300  # a few lines of a terminal; drivers put the cause first
# SQLite waits 5 seconds for a lock, which a nightly export outlasts; psycopg waits 130 for a server that is down.
WAIT_SECONDS = 30


def mask_address(url: str) -> str:
    """Return an address as one line without its password and options, or a placeholder where it cannot be read.

    Examples
    --------
    >>> mask_address("postgresql://ada:s3cr3t@localhost:5432/crm?sslmode=require")
    'postgresql://ada:***@localhost:5432/crm?***'
    """
    return first_line(shown_address(url))


def first_line(text: str) -> str:
    r"""Return the first line of a text, of at most 300 characters, without control characters.

    Examples
    --------
    >>> first_line("no \x1b[31mtable\nLINE 1: select")
    'no ?[31mtable'
    """
    line = next(iter(text.strip().splitlines()), "")
    return "".join(character if character.isprintable() else "?" for character in line)[:MAX_MESSAGE_LENGTH]


def open_connection(url: str, *, writing: bool, wait_seconds: float = WAIT_SECONDS) -> Connection:
    """Return a new connection that is in no pool: closing it ends the session.

    Parameters
    ----------
    url
        An address. ``postgresql://`` uses psycopg; in ``sqlite:///FILE`` the path is used exactly as it is written.
    writing
        Whether the connection is used to write; only then a missing SQLite file is created.
    wait_seconds
        How long a server may take to answer, or a lock of SQLite to be released.

    Raises
    ------
    MissingExtraError
        Where SQLAlchemy or the database's driver is not installed.
    DataError
        Where the address cannot be read, or the database cannot be reached.
    """
    engine = _create_engine(url, writing=writing, wait_seconds=wait_seconds)
    return attempt(
        engine.connect,
        lambda error: address_error(
            url, f"must be a database that can be reached, got: {driver_message(error, engine.url)}"
        ),
    )


def attempt(action: Callable[[], Result], refusal: Callable[[Exception], LeadmlError]) -> Result:
    """Return the result of an action on a database; where it fails, raise an error without the driver's error in it.

    ``raise ... from None`` is not enough: it hides the driver's error but keeps it as the context, with the password.

    Parameters
    ----------
    action
        The action.
    refusal
        Function that returns the error to raise from the error of the driver.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - only databases need it

    try:
        return action()
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, OverflowError) as error:
        replacement = refusal(error)
    raise replacement


def driver_message(error: Exception, url: URL) -> str:
    """Return the message of a driver's error as one line, or a placeholder where it holds a secret of the address."""
    message = str(getattr(error, "orig", None) or error)
    options = [part for name, parts in url.normalized_query.items() if SECRET_OPTION.search(name) for part in parts]
    secrets = [str(url.password or ""), *options]
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    if any(form in message for form in forms):
        return "a message with the password in it, so it is not shown"
    return first_line(message) or type(error).__name__


def declared_columns(connection: Connection, name: str, schema: str | None) -> dict[str, TypeEngine[Any]]:
    """Return the columns of a table with the types that the database declares, as SQLAlchemy reports them."""
    import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # leadml refuses the types that SQLAlchemy warns of
        return {entry["name"]: entry["type"] for entry in sa.inspect(connection).get_columns(name, schema)}


def close_connection(connection: Connection) -> None:
    """Roll back what is not committed and close the connection; errors of a lost connection are ignored."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - only databases need it

    with suppress(SQLAlchemyError):
        if connection.in_transaction() and not connection.invalidated:
            connection.rollback()
    with suppress(SQLAlchemyError):
        connection.close()


def address_error(url: str, message: str) -> DataError:
    """Return the error of an address, which is shown without its password."""
    return DataError([Fault(mask_address(url), message)])


def _create_engine(url: str, *, writing: bool, wait_seconds: float) -> Engine:
    try:
        from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - only databases need it
    except ImportError:
        msg = "a database needs SQLAlchemy, got none; install it with pip install 'leadml[databases]'"
        raise MissingExtraError(msg) from None
    address = _parse_address(url)
    _silence_loggers(f"{NullPool.__module__}.{NullPool.__name__}.{LOGGER_NAME}")
    options: dict[str, Any] = {"poolclass": NullPool, "pool_logging_name": LOGGER_NAME, "hide_parameters": True}
    if address.get_backend_name() == "sqlite":
        path = _sqlite_path(url, writing=writing)
        return create_engine("sqlite://", creator=lambda: _open_sqlite(path, wait_seconds, writing=writing), **options)
    is_psycopg = address.drivername == "postgresql+psycopg"
    arguments = {"connect_timeout": int(wait_seconds), "client_encoding": "utf8"} if is_psycopg else {}
    for option in address.query:
        arguments.pop(option, None)
    missing = ""
    try:
        return create_engine(address, connect_args=arguments, **options)
    except ImportError as error:
        missing = error.name or "its driver"
    except Exception:  # noqa: BLE001, S110  # a dialect's message may hold the address
        pass
    if missing:
        how = (
            f"it with pip install {DRIVER_PACKAGES[missing]}" if missing in DRIVER_PACKAGES else f"the driver {missing}"
        )
        msg = f"{mask_address(url)}: needs the driver {missing}, got none; install {how}"
        raise MissingExtraError(msg)
    raise address_error(url, f"{LIKE}, got one that no dialect of SQLAlchemy understands; correct it")


def _silence_loggers(pool: str) -> None:
    """Keep log lines about lost connections off standard error; leadml's own error reports them."""
    logging.getLogger(pool).disabled = True
    driver = logging.getLogger("psycopg")
    if not driver.handlers:
        driver.addHandler(logging.NullHandler())  # a handler of the user still gets the records


def _parse_address(url: str) -> URL:
    import sqlalchemy as sa  # noqa: PLC0415 - only databases need it

    address = None
    with suppress(sa.exc.ArgumentError, ValueError, TypeError):  # their messages may hold the address
        address = sa.make_url(url) if ADDRESS.fullmatch(url) else None
    if address is None:
        raise address_error(url, f"{LIKE}, got none that can be read; correct it, an @ of the password as %40")
    if address.drivername in {"postgresql", "postgres"}:
        return address.set(drivername="postgresql+psycopg")
    return address


def _sqlite_path(url: str, *, writing: bool) -> Path:
    """Return the file of an address; the path is used exactly as it is written."""
    match = SQLITE_URL.fullmatch(url)
    if match is None:
        raise address_error(url, "must be sqlite:///FILE and nothing else, got another; correct it")
    if match["path"] in {"", ":memory:"}:
        raise address_error(
            url, "must name a file as in sqlite:///leads.db, got none; a database in memory has no rows"
        )
    path = Path(match["path"]).absolute()
    if not (writing or attempt(path.is_file, lambda _: address_error(url, "must name a file, got no valid file name"))):
        raise address_error(url, "must be a file, got no such file; correct the path")
    return path


def _open_sqlite(path: Path, wait_seconds: float, *, writing: bool) -> sqlite3.Connection:
    mode = "rwc" if writing else "ro"
    # isolation_level=None: otherwise sqlite3 begins transactions by itself, and none for a SELECT
    uri = f"{path.as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=wait_seconds, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # ATTACH could create files even on a read-only connection
    return connection
