"""Replace files atomically.

A reader finds the old file or the new one, never a part of one. A file is on the disk before it replaces another.
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


def bring_to_disk(path: Path) -> None:
    """Wait until the content of a file, or the list of files in a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with published(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
