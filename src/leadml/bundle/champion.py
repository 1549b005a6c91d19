"""Read the file that names the version in use, as leadml writes it and as people edit it.

Its first line has the number of the version in use and the SHA-256 of its manifest; the lines below are the versions
that were in use before, the last one first. A person may leave out the hash.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from leadml.bundle.storage import MANIFEST
from leadml.errors import BundleError, quoted

if TYPE_CHECKING:
    from pathlib import Path

CHAMPION = "champion"
SHADOWS = "shadows"  # names in the same form the versions that score beside the one in use
MAX_BYTES = 10_000  # of the file: a hundred lines
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
COMMANDS = {CHAMPION: "promote", SHADOWS: "shadow"}  # that write them
LINE = re.compile(r"(?P<version>[0-9]{1,9})(?:\s+(?P<digest>[0-9a-fA-F]{64}))?")


class Champion(NamedTuple):
    """A version that is or was in use.

    Parameters
    ----------
    version
        Its number.
    digest
        SHA-256 of its manifest; empty where the file has none.
    """

    version: str
    digest: str = ""

    @classmethod
    def of(cls, folder: Path) -> Champion:
        """Return the version of a folder."""
        return cls(folder.name, hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest())


def read_champions(folder: Path, name: str = CHAMPION) -> list[Champion]:
    """Return the version in use and those before it, the newest first; none if the folder has no such file.

    Parameters
    ----------
    folder
        The folder of a target.
    name
        Of the file.

    Raises
    ------
    BundleError
        If the file cannot be read as such lines.
    """
    file = folder / name
    remedy = f"correct it, or remove it and name a version anew (leadml {COMMANDS[name]} VERSION)"
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        msg = f"{file}: must name the version in use, got {error.strerror or error}; {remedy}"
        raise BundleError(msg) from None
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    lines = [line.strip() for line in content.decode(encoding, errors="replace").splitlines()]
    found = []
    for line in filter(None, lines):
        match = LINE.fullmatch(line)
        if match is None:
            msg = f"{file}: must name a version by its number, got {quoted(line)}; {remedy}"
            raise BundleError(msg)
        found.append(Champion(str(int(match["version"])), (match["digest"] or "").lower()))
    if not found:
        msg = f"{file}: must name a version by its number, got nothing; {remedy}"
        raise BundleError(msg)
    return found


def champion_text(champions: list[Champion]) -> str:
    r"""Return the content of the file.

    Examples
    --------
    >>> champion_text([Champion("2"), Champion("1")])
    '2\n1\n'
    """
    return "".join(f"{' '.join(filter(None, champion))}\n" for champion in champions)


def champion_folder(folder: Path) -> Path | None:
    """Return the folder of the version in use; None if there is no file that names one.

    Raises
    ------
    BundleError
        If the version does not exist, or is not the one that was put in use.
    """
    champions = read_champions(folder)
    return verified(folder, champions[0]) if champions else None


def verified(folder: Path, champion: Champion) -> Path:
    """Return the folder of a version that the file names.

    Raises
    ------
    BundleError
        If the version does not exist, or is not the one that was put in use.
    """
    version, digest = champion
    path = folder / version
    if not (path / MANIFEST).is_file():
        msg = (
            f"{folder / CHAMPION}: must name versions that exist, got {quoted(version)}, which does not exist; correct "
            "it, or put another in use (leadml promote VERSION --ungated --reason REASON)"
        )
        raise BundleError(msg)
    if digest and Champion.of(path).digest != digest:
        msg = f"{path}: must be the version that was put in use, got one whose {MANIFEST} was changed since"
        raise BundleError(msg)
    return path
