"""A folder for what a job keeps while it runs.

What leaves is a folder that holds its lock alone; it is removed when the job ends, or when the next begins after one
that was killed.
A job holds a lock on a file in its folder while it lives; where the platform has no such locks nothing else is removed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX, LOCK = "leadml-", "lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder until the block ends."""
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415 - not on every platform

            _remove_abandoned(Path(folder).parent)
            unlocked = Path(folder) / "unlocked"
            fcntl.flock(stack.enter_context(unlocked.open("wb")), fcntl.LOCK_EX)
            unlocked.rename(unlocked.with_name(LOCK))  # not before it is held: who can take it removes the folder
        yield Path(folder)


def _remove_abandoned(place: Path) -> None:
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - not on every platform

        for lock in place.glob(f"{PREFIX}*/{LOCK}"):
            with suppress(OSError), lock.open("r+b") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not lock.parent.is_symlink():
                    shutil.rmtree(lock.parent)
