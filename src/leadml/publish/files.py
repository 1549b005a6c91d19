"""Give files their place in one step.

What enters is a path and something that writes; what leaves is the whole file or none.
A reader sees the old file or the new one, never a part; what is published has reached the disk.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from leadml.errors import LeadmlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; put it in place when the block ends well.

    Raises
    ------
    LeadmlError
        Where the file cannot be written; nothing is left behind.
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
        with suppress(OSError):  # it was never made, or the place is gone
            temporary.unlink(missing_ok=True)


def bring_to_disk(path: Path) -> None:
    """Wait until a file or the entries of a folder have reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with published(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
