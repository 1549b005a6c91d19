"""Replace files atomically.

A reader finds the old file or the new one, never a part of one. A file is on the disk before it replaces another.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from leadml.errors import LeadmlError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SQLITE = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; move it to ``path`` when the block ends without an error.

    Raises
    ------
    LeadmlError
        If the file cannot be written; the temporary file is removed.
    """
    temporary = path.with_name(f".{path.name}.tmp-{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        bring_to_disk(temporary)
        temporary.replace(path)
        bring_to_disk(path.parent)
    except OSError as error:
        msg = f"{path}: must be writable, got {error.strerror or error}"
        raise LeadmlError(msg) from None
    finally:
        with suppress(OSError):  # the block made no file, or the folder is gone
            temporary.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into the block, by a lock on a folder; on Windows every process is let in."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 - not on every platform

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def require_writable(folder: Path, *, key: str) -> None:
    """Refuse a folder that files cannot be written to, before the work that they would record.

    Parameters
    ----------
    folder
        The folder, which need not exist.
    key
        The key of params that names it, for the message.

    Raises
    ------
    LeadmlError
        If the folder, or the nearest one above it that exists, is no folder or may not be written to.
    """
    nearest = next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        got = "one that may not be written to" if nearest.is_dir() else f"{quoted(nearest.name)}, which is a file"
        msg = f"{key} must be in a folder that leadml can write to, got {got}; change the key or the permissions"
        raise LeadmlError(msg)


def is_sqlite(file: Path) -> bool:
    """Return whether a path is a database of SQLite, or an empty file, which may become one."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.read(len(SQLITE)) in {SQLITE, b""}


def bring_to_disk(path: Path) -> None:
    """Wait until the content of a file, or the list of files in a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(file: Path) -> str:
    """Return the SHA-256 of the content of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with published(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
