"""Store the versions of a target, and the champion.

A version is a folder that is never changed, and an equal bundle is not stored twice. The champion is the version in
use: a file names it and is replaced atomically.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.bundle.champion import CHAMPION, SHADOWS, Champion, champion_folder, champion_text, read_champions, verified
from leadml.bundle.contents import FILES
from leadml.bundle.storage import read_manifest, save_bundle, verify_files
from leadml.errors import BundleError, LeadmlError, quoted
from leadml.publish.files import TEMPORARY, bring_to_disk, locked, write_text, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from leadml.bundle.contents import Bundle

MAX_REMEMBERED = 100  # versions that were in use


@dataclass(frozen=True)
class Registry:
    """The stored versions of one target.

    Parameters
    ----------
    folder
        The folder of the target, ``models/<target>``.
    """

    folder: Path

    def versions(self) -> list[str]:
        """Return the names of the stored versions, oldest first."""
        if not self.folder.is_dir():
            return []
        names = [entry.name for entry in self.folder.iterdir() if entry.is_dir() and entry.name.isdigit()]
        return sorted(names, key=int)

    def add(self, bundle: Bundle) -> tuple[str, bool]:
        """Write a bundle as the next version.

        Returns
        -------
        tuple
            Name of the version, and whether it is new. A bundle with the model and the evaluation of a stored version
            is not new: the name is that of the stored version. Only a version that was refused for its weakness is
            stored again, with a person's reason to use it.

        Raises
        ------
        LeadmlError
            If it cannot be written.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder) as is_alone:
                if is_alone:
                    self._remove_abandoned()
                return self._add_once(bundle)

    def _remove_abandoned(self) -> None:
        """Remove what jobs left that were killed while they added a version, which one job does at a time."""
        for folder in self.folder.glob(f"{TEMPORARY}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _add_once(self, bundle: Bundle) -> tuple[str, bool]:
        texts = bundle.texts()
        for name in self.versions():
            if self._is_equal(name, texts, bundle.record.accepted_weak):
                return name, False
        temporary = self.folder / f"{TEMPORARY}{secrets.token_hex(6)}"
        temporary.mkdir()
        try:
            save_bundle(bundle, temporary)
            bring_to_disk(temporary)
            version = self._add_folder(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        bring_to_disk(self.folder)
        return version, True

    def path(self, version: str) -> Path:
        """Return the folder of a version."""
        return self.folder / version

    def rival(self, version: str) -> Path:
        """Return the folder of a version that is not in use.

        Raises
        ------
        BundleError
            If the file that names the version in use cannot be read.
        LeadmlError
            If there is no such version, or it is in use.
        """
        stored, in_use = self.versions(), self.champion()
        others = [each for each in stored if each != in_use]
        if version not in others:
            what = f"another than {in_use}, which is in use" if version == in_use else "a stored one"
            hint = (
                f"there are {', '.join(others)}"
                if others
                else "there is no other; train one on new leads or with other choices (leadml train)"
            )
            msg = f"version must be {what}, got {quoted(version)}; {hint}"
            raise LeadmlError(msg)
        return self.path(version)

    def champion(self) -> str | None:
        """Return the name of the version in use, or None; its files may be damaged.

        Raises
        ------
        BundleError
            If the file that names it cannot be read.
        """
        champions = read_champions(self.folder)
        return champions[0].version if champions else None

    def champion_path(self) -> Path:
        """Return the folder of the version in use.

        Raises
        ------
        BundleError
            If no version is in use, or it is not the one that was put in use.
        """
        found = champion_folder(self.folder)
        if found is None:
            msg = f"{self.folder}: must have a version in use, got none; {self._remedy()}"
            raise BundleError(msg)
        return found

    def _remedy(self) -> str:
        """Return how to get a version in use."""
        newest = self.versions()[-1:]
        if not newest:
            return "train one first (leadml train)"
        weakness = read_manifest(self.path(newest[0])).record.weakness
        if not weakness:
            return f"put one in use (leadml promote {newest[0]})"
        return f'version {newest[0]} is weak, {weakness}: to use it all the same, leadml train --accept-weak "REASON"'

    def usable_champion(self) -> str | None:
        """Return the version in use, or None if there is none or its files were changed.

        Raises
        ------
        BundleError
            If the file that names it cannot be read.
        """
        if self.champion() is None:
            return None
        try:
            folder = self.champion_path()
            verify_files(folder)
        except BundleError:
            return None
        return folder.name

    def promote(self, version: str, *, instead_of: str | None) -> None:
        """Put a version in use; of those that were in use before, remember the ones that exist.

        Parameters
        ----------
        version
            Its name.
        instead_of
            The version that is in use, as far as the caller knows, whether or not it is damaged; None if there is none.

        Raises
        ------
        LeadmlError
            If another one is in use by now.
        """
        with self._replacing(instead_of) as before:
            others = {*self.versions()} - {version}
            later = [Champion.of(self.path(version)), *(each for each in before if each.version in others)]
            write_text(self.folder / CHAMPION, champion_text(later[:MAX_REMEMBERED]))

    def before(self) -> str:
        """Return the name of the version that was in use before the one in use.

        Raises
        ------
        BundleError
            If there is none, or it is not the one that was in use.
        """
        champions = read_champions(self.folder)[1:]
        if not champions:
            msg = f"{self.folder / CHAMPION}: must name a version that was in use before, got none"
            raise BundleError(msg)
        return verified(self.folder, champions[0]).name

    def roll_back(self, *, instead_of: str) -> None:
        """Put the version in use that was in use before.

        Raises
        ------
        BundleError
            If there is none, or its files were changed.
        LeadmlError
            If another version than ``instead_of`` is in use by now.
        """
        with self._replacing(instead_of) as champions:
            verify_files(self.path(self.before()))
            write_text(self.folder / CHAMPION, champion_text(champions[1:]))

    def shadows(self) -> list[str]:
        """Return the names of the versions that score beside the one in use, oldest first.

        Raises
        ------
        BundleError
            If the file cannot be read.
        """
        return [each.version for each in read_champions(self.folder, SHADOWS)]

    def set_shadows(self, versions: Collection[str]) -> None:
        """Let some versions score beside the one in use, and no others."""
        with locked(self.folder):
            chosen = [Champion.of(self.path(version)) for version in sorted(versions, key=int)]
            if chosen:
                write_text(self.folder / SHADOWS, champion_text(chosen))
            else:
                with writing(self.folder / SHADOWS):
                    (self.folder / SHADOWS).unlink(missing_ok=True)

    @contextmanager
    def _replacing(self, instead_of: str | None) -> Iterator[list[Champion]]:
        """Give the version in use and those before it to one process at a time, if the first is the expected one."""
        with locked(self.folder):
            found = self.champion()
            if found != instead_of:
                msg = f"{self.folder}: must have version {instead_of} in use, got {found}: it was changed meanwhile"
                raise LeadmlError(msg)
            yield read_champions(self.folder)

    def _is_equal(self, version: str, texts: dict[str, str], accepted_weak: str) -> bool:
        try:
            record = read_manifest(self.path(version)).record
            stored = {name: (self.path(version) / name).read_bytes() for name in FILES}
        except (BundleError, OSError):
            return False
        is_accepted = not accepted_weak or record.accepted_weak == accepted_weak
        return is_accepted and all(stored[name] == texts[name].encode() for name in FILES)

    def _add_folder(self, temporary: Path) -> str:
        """Rename a folder to the next free version number; another process may take a number first."""
        while True:
            version = str(max((int(name) for name in self.versions()), default=0) + 1)
            try:
                temporary.rename(self.path(version))
            except OSError:
                if not self.path(version).exists():
                    raise
            else:
                return version
