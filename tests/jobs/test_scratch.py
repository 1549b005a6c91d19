"""The folder of a job: empty, its own, and gone when the job is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from leadml.jobs.scratch import scratch_folder

JOB = """
from leadml.jobs.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "block.parquet").touch()
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _job(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """Begin a job that waits, and return it with its folder."""
    environment = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen(
        [sys.executable, "-c", JOB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    return process, Path(str(process.stdout and process.stdout.readline()).strip())


def test_a_folder_is_gone_with_its_job(place: Path) -> None:
    """Also where the job ends badly."""
    with pytest.raises(IsADirectoryError, match=str(place)), scratch_folder() as folder:
        folder.write_text("a job that ends badly")
    assert not list(place.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_the_next_job_removes_what_a_killed_one_left_and_nothing_else(place: Path) -> None:
    """A job that lives keeps its folder, and so does whoever took a name like it."""
    (place / "leadml-other").mkdir()
    (killed, left), (living, kept) = _job(place), _job(place)
    with killed, living:
        killed.kill()
        killed.wait()
        assert left.is_dir()
        with scratch_folder() as folder:
            assert {path.name for path in place.iterdir()} == {"leadml-other", kept.name, folder.name}
            assert (kept / "block.parquet").is_file()
        living.communicate("\n")
    assert [path.name for path in place.iterdir()] == ["leadml-other"]
