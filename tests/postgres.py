"""A PostgreSQL server of the tests' own: made in a folder, reached by loopback alone, gone when the tests end."""

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
from dataclasses import dataclass, field
from pathlib import Path

import pytest

OWNER, PASSWORD = "leadml_tests", "s3cr3t-canary"  # the tests' own server; the tests look for the password everywhere
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=20", "shared_buffers=16MB")


@dataclass(frozen=True)
class Server:
    """Where the tests' PostgreSQL listens, and the names of its databases."""

    port: int
    made: list[str] = field(default_factory=list)

    def url(self, database: str, *, password: str = PASSWORD, port: int | None = None) -> str:
        """Return the address of a database."""
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{port or self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        import sqlalchemy as sa

        name = f"leads_{secrets.token_hex(4)}"
        engine = sa.create_engine(
            self.url("postgres").replace("postgresql://", "postgresql+psycopg://"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        self.made.append(name)
        return self.url(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Give a running PostgreSQL; skip, with the reason, where its programs are not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if not initdb or not postgres:
        pytest.skip("PostgreSQL is not installed: neither on PATH nor in /usr/lib/postgresql/*/bin")
    become = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="leadml-pg-"))  # short: a socket's path has at most 107 bytes
    process = None
    try:
        password_file = folder / "password"
        password_file.write_text(PASSWORD, encoding="utf-8")
        if become:
            _give(folder, become[0])
        prefix = become[1] if become else []
        made = [initdb, "-D", str(folder / "data"), "-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]
        _run([*prefix, *made, "--no-sync", f"--pwfile={password_file}"], folder)
        port = _free_port()
        options = [word for setting in FAST for word in ("-c", setting)]
        command = [postgres, "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*prefix, *command, *options], stdout=log, stderr=log, cwd="/")
        server = Server(port)
        _wait(server, process, folder / "log")
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # SIGTERM would wait for whoever is connected still
            process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """Return the address of a new and empty database."""
    return postgres_server.new_database()


def _program(name: str) -> str | None:
    """Return where a program of PostgreSQL is; a wrapper on PATH would not pass a signal on."""
    in_places = next((str(folder / name) for folder in INSTALLED if (folder / name).is_file()), None)
    return in_places or shutil.which(name)


def _unprivileged() -> tuple[str, list[str]] | None:
    """Return whom to become and how, for PostgreSQL does not run as root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in known), None)
    setpriv = shutil.which("setpriv")
    if user is None or setpriv is None:
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv or no user postgres or nobody")
    group = str(pwd.getpwnam(user).pw_gid)
    return user, [setpriv, f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def _give(folder: Path, user: str) -> None:
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, user)


def _run(command: list[str], folder: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=False, text=True, cwd="/", env=environment)
    if done.returncode:
        pytest.skip(f"PostgreSQL could not be set up here: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    import time

    import psycopg

    for _ in range(300):
        if process.poll() is not None:
            pytest.skip(f"PostgreSQL did not start here: {log.read_text(encoding='utf-8')}")
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.skip(f"PostgreSQL did not answer within 30 seconds: {log.read_text(encoding='utf-8')}")
