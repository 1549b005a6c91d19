"""A temporary folder for the files of a job.

The folder is removed when the job ends. If the job was killed, the next job removes it. To tell abandoned folders from
those of running jobs, a job locks a file in its folder; on platforms without such locks, abandoned folders remain. Only
folders that leadml made are removed: the lock file says so, and no one else may read them.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX, LOCK = "leadml-job-", "leadml-job.lock"
MARK = b"A temporary folder of leadml. leadml removes it when no job uses it.\n"
PRIVATE = 0o700  # permissions of a folder that tempfile makes


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder, apart from its lock file, until the block ends."""
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415 - not on every platform

            _remove_abandoned(Path(folder).parent)
            unlocked = Path(folder) / "unlocked"
            unlocked.write_bytes(MARK)
            fcntl.flock(stack.enter_context(unlocked.open("r+b")), fcntl.LOCK_EX)
            unlocked.rename(unlocked.with_name(LOCK))  # only now: an unlocked file means an abandoned folder
        yield Path(folder)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of jobs that were killed: those whose lock file can be locked."""
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - not on every platform

        for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
            with suppress(OSError), lock.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if file.read(len(MARK) + 1) == MARK and _is_private(lock.parent):
                    shutil.rmtree(lock.parent)


def _is_private(folder: Path) -> bool:
    """Return whether a path is a folder, no link, that belongs to this user and that nobody else may read."""
    status = folder.lstat()
    is_own = sys.platform == "win32" or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == PRIVATE and is_own
