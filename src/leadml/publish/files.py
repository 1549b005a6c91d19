"""Replace files atomically.

A reader finds the old file or the new one, never a part of one. A file is on the disk before it replaces another. Where
the name is that of a link, the file that it leads to is replaced, and the link stays.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import secrets
import shutil
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from leadml.errors import LeadmlError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

SQLITE = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html
TEMPORARY = ".tmp-leadml-"  # in the names of temporary files, so that no file of another program is removed
MEGABYTE = 1_000_000  # bytes, as gate.megabytes has them


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; move it to ``path`` when the block ends without an error.

    Whoever could read the earlier file, and nobody else, can read the new one.

    Raises
    ------
    LeadmlError
        If the file cannot be written; the temporary file is removed.
    """
    file = Path(os.path.realpath(path))
    with writing(path):
        if file.exists() and not file.is_file():
            msg = f"{path}: must be a file, got {'a folder' if file.is_dir() else 'a device'}; name another"
            raise LeadmlError(msg)
        file.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(file) as temporary:
            yield temporary
            if file.exists():
                temporary.chmod(stat.S_IMODE(file.stat().st_mode))
            bring_to_disk(temporary)
            temporary.replace(file)
            bring_to_disk(file.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Refuse in one line, with a `LeadmlError`, what cannot be written in the block: the disk is full, for example."""
    try:
        yield
    except OSError as error:
        msg = f"{path}: must be writable, got {error.strerror or error}"
        raise LeadmlError(msg) from None


@contextmanager
def temporary_beside(file: Path) -> Iterator[Path]:
    """Give an empty file in the folder of another one, and remove it when the block ends.

    Those that killed jobs left in the folder are removed first. To tell them from those of running jobs, a job locks
    its file. Where there are no such locks, as on Windows, they remain.
    """
    _remove_abandoned(file.parent)
    temporary, handle = _locked_file(file)
    try:
        yield temporary
    finally:
        with suppress(OSError):  # it was moved, or the folder is gone
            temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def _locked_file(file: Path) -> tuple[Path, int | None]:
    """Make a temporary file beside another one; return its path, and the handle that has its lock."""
    while True:
        temporary = file.with_name(f".{file.name}{TEMPORARY}{secrets.token_hex(6)}")
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if sys.platform == "win32":  # which moves no file that is open
            os.close(handle)
            return temporary, None
        import fcntl  # noqa: PLC0415 - not on every platform

        with suppress(OSError):  # a disk without locks: no job can remove the file of another there
            fcntl.flock(handle, fcntl.LOCK_EX)
        if temporary.exists():
            return temporary, handle
        os.close(handle)  # another job has taken it for abandoned before it was locked


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files of jobs that were killed: those that can be locked."""
    if sys.platform == "win32":
        return
    import fcntl  # noqa: PLC0415 - not on every platform

    for file in folder.glob(f".*{TEMPORARY}*"):
        with suppress(OSError):
            if file.is_file():
                with file.open("r+b") as opened:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    file.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Let one process at a time into the block, by a lock on a folder; give whether it does, which not on Windows."""
    if sys.platform == "win32":
        yield False
        return
    import fcntl  # noqa: PLC0415 - not on every platform

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield True
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
    nearest = _nearest(folder)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        got = "one that may not be written to" if nearest.is_dir() else f"{quoted(nearest.name)}, which is a file"
        msg = f"{key} must be in a folder that leadml can write to, got {got}; change the key or the permissions"
        raise LeadmlError(msg)


def require_room(folder: Path, *, megabytes: float, key: str) -> None:
    """Refuse a folder on a disk that has too little room, before the work.

    Parameters
    ----------
    folder
        The folder, which need not exist.
    megabytes
        How much is to be free, in millions of bytes.
    key
        The key of params that names the folder, for the message.

    Raises
    ------
    LeadmlError
        If less is free.
    """
    free = shutil.disk_usage(_nearest(folder)).free / MEGABYTE
    if free < megabytes:
        msg = f"{key} must be on a disk with {megabytes:g} megabytes free, got {free:,.1f}; free some or change the key"
        raise LeadmlError(msg)


def _nearest(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)


def share_equal_files(folder: Path, copy: Path) -> None:
    """Let the files of a copy be those of a folder on the disk (hard links), where their contents are the same.

    Nothing is changed where the disk has no such links, or the two are on different disks.

    Parameters
    ----------
    folder, copy
        Folders whose files are replaced as a whole, and never changed in place.
    """
    for file in sorted(folder.iterdir()):
        twin = copy / file.name
        with suppress(OSError):
            if file.is_file() and not twin.samefile(file) and filecmp.cmp(file, twin, shallow=False):
                linked = twin.with_name(f".{twin.name}{TEMPORARY}{secrets.token_hex(6)}")
                linked.hardlink_to(file)
                linked.replace(twin)


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
