"""Where bundles live, which one is in use, and what was scored with it.

What enters is bundles and batches; what leaves is folders that never change, one pointer and one list.
The pointer is replaced in one step; a version that is the same as an earlier one is not written again.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from leadml.bundle.contents import FILES
from leadml.bundle.model import CHAMPION
from leadml.bundle.storage import read_manifest, save_bundle, verify_files
from leadml.errors import BundleError
from leadml.publish.files import bring_to_disk, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.bundle.contents import Bundle

BATCHES = "batches.jsonl"


@dataclass(frozen=True)
class BatchEntry:
    """What one scoring did."""

    batch_id: str
    scored_at: str
    version: str
    rows: int
    scored: int
    not_scored: int
    out: str


@dataclass(frozen=True)
class Registry:
    """The versions of one target.

    Parameters
    ----------
    folder
        ``models/<target>``.
    """

    folder: Path

    def versions(self) -> list[str]:
        """Return the versions there are, oldest first."""
        if not self.folder.is_dir():
            return []
        names = [entry.name for entry in self.folder.iterdir() if entry.is_dir() and entry.name.isdigit()]
        return sorted(names, key=int)

    def add(self, bundle: Bundle) -> tuple[str, bool]:
        """Write a bundle as the next version.

        Returns
        -------
        tuple
            The version, and whether it is new: the same model with the same evaluation is the version it was before.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        texts = bundle.texts()
        for name in self.versions():
            if self._is_same(name, texts):
                return name, False
        temporary = self.folder / f".tmp-{secrets.token_hex(6)}"
        temporary.mkdir()
        try:
            save_bundle(bundle, temporary)
            bring_to_disk(temporary)
            version = self._place(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        bring_to_disk(self.folder)
        return version, True

    def path(self, version: str) -> Path:
        """Return the folder of a version."""
        return self.folder / version

    def champion(self) -> str | None:
        """Return the version in use, or None where none is."""
        pointer = self.folder / CHAMPION
        return pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else None

    def champion_path(self) -> Path:
        """Return the folder of the version in use.

        Raises
        ------
        BundleError
            Where no version is in use.
        """
        version = self.champion()
        if version is None or version not in self.versions():
            got = "none" if version is None else f"{version!r}, which is not there"
            msg = f"{self.folder / CHAMPION}: must name a version, got {got}; run leadml train"
            raise BundleError(msg)
        return self.path(version)

    def usable_champion(self) -> str | None:
        """Return the version in use, or None where there is none or its files are not as they were written."""
        try:
            folder = self.champion_path()
            verify_files(folder)
        except BundleError:
            return None
        return folder.name

    def promote(self, version: str) -> None:
        """Put a version in use, in one step."""
        write_text(self.folder / CHAMPION, f"{version}\n")

    def record(self, batch: BatchEntry) -> None:
        """Add a batch to the list of what was scored."""
        with (self.folder / BATCHES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(batch), sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def last_batch(self) -> BatchEntry | None:
        """Return what was scored last, or None where nothing was; a line that a crash cut off is passed over."""
        path = self.folder / BATCHES
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for line in reversed(lines):
            try:
                return BatchEntry(**json.loads(line))
            except (ValueError, TypeError):
                continue
        return None

    def _is_same(self, version: str, texts: dict[str, str]) -> bool:
        try:
            read_manifest(self.path(version))
            stored = {name: (self.path(version) / name).read_bytes() for name in FILES}
        except (BundleError, OSError):
            return False
        return all(stored[name] == texts[name].encode() for name in FILES)

    def _place(self, temporary: Path) -> str:
        while True:
            version = str(max((int(name) for name in self.versions()), default=0) + 1)
            try:
                temporary.rename(self.path(version))
            except OSError:
                if not self.path(version).exists():
                    raise
            else:
                return version
