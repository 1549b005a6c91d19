"""A PostgreSQL server for the tests: in a temporary folder, on the loopback address, stopped after the tests."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

OWNER, PASSWORD = "leadml_tests", "s3cr3t-canary"  # tests search output, logs and messages for the password
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=20", "shared_buffers=16MB")


@dataclass(frozen=True)
class Server:
    """The port of the server and the names of its databases."""

    port: int
    databases: list[str] = field(default_factory=list)

    def url(self, database: str, *, password: str = PASSWORD, port: int | None = None) -> str:
        """Return the address of a database."""
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{port or self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database and return its address."""
        import sqlalchemy as sa

        name = f"leads_{secrets.token_hex(4)}"
        engine = sa.create_engine(
            self.url("postgres").replace("postgresql://", "postgresql+psycopg://"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        self.databases.append(name)
        return self.url(name)


class NoServerError(Exception):
    """Why there is no server here."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Give a running server; skip the test with a reason if PostgreSQL is not installed."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except NoServerError as error:
            pytest.skip(str(error))
        yield server


@contextmanager
def running_server() -> Iterator[Server]:
    """Give a running server until the block ends.

    Raises
    ------
    NoServerError
        If PostgreSQL is not installed or does not start.
    """
    initdb, postgres = _program("initdb"), _program("postgres")
    if not initdb or not postgres:
        msg = "PostgreSQL is not installed: neither on PATH nor in /usr/lib/postgresql/*/bin"
        raise NoServerError(msg)
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="leadml-pg-"))  # short: a socket's path has at most 107 bytes
    process = None
    try:
        password_file = folder / "password"
        password_file.write_text(PASSWORD, encoding="utf-8")
        if user:
            _change_owner(folder, user[0])
        prefix = user[1] if user else []
        options = [initdb, "-D", str(folder / "data"), "-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]
        _run([*prefix, *options, "--no-sync", f"--pwfile={password_file}"], folder)
        port = _free_port()
        settings = [word for setting in FAST for word in ("-c", setting)]
        command = [postgres, "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*prefix, *command, *settings], stdout=log, stderr=log, cwd="/")
        server = Server(port)
        _wait_until_ready(server, process, folder / "log")
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # SIGTERM would wait for open connections
            process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """Return the address of a new and empty database."""
    return postgres_server.new_database()


def _program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL; a wrapper on PATH would not forward signals, so it comes last."""
    installed = next((str(folder / name) for folder in INSTALLED if (folder / name).is_file()), None)
    return installed or shutil.which(name)


def _unprivileged() -> tuple[str, list[str]] | None:
    """Return a user and the command to run as that user, because PostgreSQL does not run as root; None if not root."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in users), None)
    setpriv = shutil.which("setpriv")
    if user is None or setpriv is None:
        msg = "PostgreSQL does not run as root, and there is no setpriv or no user postgres or nobody"
        raise NoServerError(msg)
    group = str(pwd.getpwnam(user).pw_gid)
    return user, [setpriv, f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def _change_owner(folder: Path, user: str) -> None:
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, user)


def _run(command: list[str], folder: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=False, text=True, cwd="/", env=environment)
    if done.returncode:
        msg = f"PostgreSQL could not be set up here: {done.stderr.strip()}"
        raise NoServerError(msg)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    import time

    import psycopg

    for _ in range(300):
        if process.poll() is not None:
            msg = f"PostgreSQL did not start here: {log.read_text(encoding='utf-8')}"
            raise NoServerError(msg)
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    msg = f"PostgreSQL did not answer within 30 seconds: {log.read_text(encoding='utf-8')}"
    raise NoServerError(msg)
