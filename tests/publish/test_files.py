"""Files are replaced atomically."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadml.errors import LeadmlError
from leadml.publish.files import is_sqlite, published, require_writable, sha256, write_text


def test_the_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    """Until then the earlier file keeps its bytes."""
    target = tmp_path / "deep" / "report.html"
    write_text(target, "earlier")

    with published(target) as temporary:
        temporary.write_text("later", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "earlier"

    assert target.read_text(encoding="utf-8") == "later"
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_an_error_leaves_the_earlier_file(tmp_path: Path) -> None:
    """The temporary file is removed."""
    target = tmp_path / "report.html"
    write_text(target, "earlier")

    def write_half() -> None:
        with published(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert target.read_text(encoding="utf-8") == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """The message names the path, for example if a file stands where a folder should be."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(LeadmlError, match=r"file/report\.html: must be writable, got (Not a directory|File exists)"):
        write_text(tmp_path / "file" / "report.html", "text")


@pytest.fixture
def _plain_locale() -> Iterator[None]:
    """Let the locale be the one that knows only ASCII, until the test ends."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.mark.usefixtures("_plain_locale")
def test_a_text_is_in_utf_8_in_every_locale(tmp_path: Path) -> None:
    """The language of a machine changes no byte."""
    write_text(tmp_path / "report.html", "ünï 數 😀")

    assert (tmp_path / "report.html").read_bytes() == "ünï 數 😀".encode()


@pytest.fixture
def denied(tmp_path: Path) -> Path:
    """Return a folder that exists and may not be written to; root may write to most of them."""
    (tmp_path / "denied").mkdir(mode=0o500)
    for folder in (tmp_path / "denied", Path("/proc/self")):
        if folder.exists() and not os.access(folder, os.W_OK):
            return folder
    pytest.skip("this user may write to every folder")


MUST = r"^output\.models must be in a folder that leadml can write to, got {}; change the key or the permissions$"


def test_a_folder_that_may_not_be_written_to_is_refused(denied: Path) -> None:
    """A folder that could only be made inside it is refused too."""
    for folder in (denied, denied / "models"):
        with pytest.raises(LeadmlError, match=MUST.format("one that may not be written to")):
            require_writable(folder, key="output.models")


def test_a_folder_at_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """The message names the file, also where the folder would be below it; a program that can be run is a file too."""
    for name, mode in (("notes.txt", 0o644), ("run.sh", 0o755)):
        (tmp_path / name).write_text("", encoding="utf-8")
        (tmp_path / name).chmod(mode)
        for folder in (tmp_path / name, tmp_path / name / "models" / "new"):
            with pytest.raises(LeadmlError, match=MUST.format(f"'{re.escape(name)}', which is a file")):
                require_writable(folder, key="output.models")


def test_a_folder_that_can_be_made_is_accepted_and_not_made(tmp_path: Path) -> None:
    """The nearest folder that exists decides."""
    for folder in (tmp_path, tmp_path / "models", tmp_path / "models" / "new"):
        require_writable(folder, key="output.models")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"SQLite format 3\0", True),
        (b"SQLite format 3\0 and pages", True),
        (b"", True),
        (b"SQLite format 3", False),
        (b"SQLite format 4\0", False),
        (b"lead_id;age\n", False),
        (None, False),
    ],
)
def test_a_database_of_sqlite_is_known_by_its_first_bytes(
    content: bytes | None, *, expected: bool, tmp_path: Path
) -> None:
    """An empty file may become one; a file that does not exist, or is a folder, is none."""
    if content is not None:
        (tmp_path / "scores.db").write_bytes(content)

    assert is_sqlite(tmp_path / "scores.db") is expected
    assert not is_sqlite(tmp_path)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    """The number for "abc" is the example of FIPS 180-4."""
    (tmp_path / "a").write_bytes(b"abc")

    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
