"""Files are replaced atomically."""

from __future__ import annotations

import locale
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadml.errors import LeadmlError
from leadml.publish.files import (
    TEMPORARY,
    is_sqlite,
    published,
    require_room,
    require_writable,
    sha256,
    share_equal_files,
    write_text,
    writing,
)

JOB = """
import pathlib, sys
from leadml.publish.files import published
with published(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print(temporary, flush=True)
    input()
"""


def test_equal_files_of_a_copy_take_no_room(tmp_path: Path) -> None:
    """They are the same file on the disk; others stay, and nothing else is left in the folder."""
    folder, copy = tmp_path / "1", tmp_path / "copy"
    for place, texts in ((folder, {"a": "same", "b": "one", "c": "alone"}), (copy, {"a": "same", "b": "two"})):
        place.mkdir()
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
    for _ in range(2):
        share_equal_files(folder, copy)

    assert (copy / "a").samefile(folder / "a")
    assert not (copy / "b").samefile(folder / "b")
    assert {path.name: path.read_text(encoding="utf-8") for path in copy.iterdir()} == {"a": "same", "b": "two"}


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


@pytest.mark.parametrize("chain", [1, 2])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_is_written_through_a_link(tmp_path: Path, chain: int, *, is_there: bool) -> None:
    """Whoever reads the file by its own name finds the new text; each link stays one, also where the file was gone."""
    (tmp_path / "share").mkdir()
    file = tmp_path / "share" / "today.csv"
    if is_there:
        write_text(file, "earlier")
    for at, place in enumerate([Path("share/today.csv"), Path("link-0")][:chain]):
        (tmp_path / f"link-{at}").symlink_to(place)
    write_text(tmp_path / f"link-{chain - 1}", "later")

    assert file.read_text(encoding="utf-8") == "later"
    assert not file.is_symlink()
    assert all((tmp_path / f"link-{at}").is_symlink() for at in range(chain))
    assert [path.name for path in file.parent.iterdir()] == ["today.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    """Who may read the earlier file may read the later one, and nobody else."""
    for mode in (0o600, 0o660, 0o644):
        write_text(tmp_path / "scores.csv", "earlier")
        (tmp_path / "scores.csv").chmod(mode)
        write_text(tmp_path / "scores.csv", "later")

        assert stat.S_IMODE((tmp_path / "scores.csv").stat().st_mode) == mode


def test_what_is_no_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A folder and a device stay what they are."""
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(LeadmlError, match=r"scores\.csv: must be a file, got a folder; name another"):
        write_text(tmp_path / "scores.csv", "text")
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.csv")
        (tmp_path / "link.csv").symlink_to("pipe.csv")
        with pytest.raises(LeadmlError, match=r"link\.csv: must be a file, got a device; name another"):
            write_text(tmp_path / "link.csv", "text")
        assert (tmp_path / "pipe.csv").is_fifo()


def _job(file: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a job that writes a file until it gets a line, and return it with its temporary file."""
    job = subprocess.Popen(
        [sys.executable, "-c", JOB, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return job, Path(str(job.stdout and job.stdout.readline()).strip())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_the_next_job_removes_the_temporary_files_of_killed_jobs_only(tmp_path: Path) -> None:
    """Whatever they wrote in the folder; a running job keeps its own, and no file of another program is removed."""
    other = tmp_path / ".a.csv.tmp-0123456789ab"
    other.write_bytes(b"")
    killed = [_job(tmp_path / name) for name in ("a.csv", "b.csv")]
    running, in_use = _job(tmp_path / "a.csv")
    for job, _ in killed:
        job.terminate()
        job.communicate()
    assert all(left.is_file() for _, left in killed)
    write_text(tmp_path / "a.csv", "text")

    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", in_use.name, other.name}
    running.communicate("\n")
    assert running.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", other.name}
    assert (tmp_path / "a.csv").read_bytes() == b"half"
    assert TEMPORARY in in_use.name


def test_an_error_of_the_file_system_is_one_line(tmp_path: Path) -> None:
    """The disk of the device that is always full, where there is one, is full; every other error passes unchanged."""
    with (
        pytest.raises(LeadmlError, match=r"models: must be writable, got No such file or directory$"),
        writing(Path("models")),
    ):
        (tmp_path / "none" / "file").touch()
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        raise ZeroDivisionError
    if Path("/dev/full").exists():
        with (
            pytest.raises(LeadmlError, match=r"models: must be writable, got No space left on device$"),
            writing(Path("models")),
        ):
            Path("/dev/full").write_bytes(b"text")


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


def test_a_disk_with_too_little_room_is_refused(tmp_path: Path) -> None:
    """That of the nearest folder that exists; the message says how much there must be."""
    require_room(tmp_path / "models" / "new", megabytes=0, key="output.models")

    must = r"^output\.models must be on a disk with 1e\+12 megabytes free, got [\d,]+\.\d; free some or change the key$"
    with pytest.raises(LeadmlError, match=must):
        require_room(tmp_path / "models" / "new", megabytes=1e12, key="output.models")


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
