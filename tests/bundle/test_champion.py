from __future__ import annotations

import hashlib

import pytest

from leadml.bundle.champion import CHAMPION, Champion, champion_folder, champion_text, read_champions
from leadml.bundle.storage import MANIFEST
from leadml.errors import BundleError

DIGEST = hashlib.sha256(b"{}").hexdigest()


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a target with the version 3, whose manifest is empty."""
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / MANIFEST).write_bytes(b"{}")
    return tmp_path


def test_what_is_written_is_read(folder):
    """The version in use first, then those before it."""
    champions = [Champion.of(folder / "3"), Champion("2", "0" * 64), Champion("1")]
    (folder / CHAMPION).write_text(champion_text(champions), encoding="utf-8")
    assert champions[0] == ("3", DIGEST)
    assert read_champions(folder) == champions
    assert champion_folder(folder) == folder / "3"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "", "  \n\n"])
@pytest.mark.parametrize("line", ["3", " 3 ", "03", f"3 {DIGEST}", f"3\t{DIGEST.upper()}"])
def test_a_file_is_read_as_editors_write_it(folder, encoding, end, line):
    """With a mark at the beginning, in UTF-16, with blanks, with other ends of lines, with or without the hash."""
    (folder / CHAMPION).write_bytes(f"{line}{end}".encode(encoding))
    assert champion_folder(folder) == folder / "3"


WRONG = [
    b"",
    b"\n \n",
    b"three",
    b"3 4",
    b"-3",
    b"3/../3",
    b"\xff\xfe3",
    b"3\x00",
    "٣".encode(),
    b"3\n../4",
    b"1" * 9_999,
]


@pytest.mark.parametrize("content", WRONG)
def test_anything_else_is_refused_in_one_line(folder, content):
    """With what to do."""
    (folder / CHAMPION).write_bytes(content)
    with pytest.raises(
        BundleError, match=r"must name a version by its number, got .*leadml promote VERSION"
    ) as refused:
        champion_folder(folder)
    assert "\n" not in str(refused.value)


def test_a_folder_in_its_place_is_refused(folder):
    """With the reason of the system."""
    (folder / CHAMPION).mkdir()
    with pytest.raises(BundleError, match="must name the version in use, got Is a directory"):
        read_champions(folder)


def test_no_file_is_no_champion(folder):
    """Nothing is in use then."""
    assert read_champions(folder) == []
    assert champion_folder(folder) is None


def test_a_version_that_is_not_there_is_refused(folder):
    """Its folder may have been removed."""
    (folder / CHAMPION).write_text("4\n", encoding="utf-8")
    with pytest.raises(BundleError, match="got '4', which does not exist"):
        champion_folder(folder)


def test_a_version_that_was_changed_since_is_refused(folder):
    """The hash is that of its manifest, which has the hashes of all other files."""
    (folder / CHAMPION).write_text(f"3 {DIGEST}\n", encoding="utf-8")
    (folder / "3" / MANIFEST).write_bytes(b"{ }")
    with pytest.raises(BundleError, match="must be the version that was put in use"):
        champion_folder(folder)
