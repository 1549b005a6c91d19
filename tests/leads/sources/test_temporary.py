"""The folder of a job: empty, its own, and gone when the job is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JOB = """
from leadml.leads.sources.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "block.parquet").touch()
    print(folder, flush=True)
    if input() == "fail":
        raise ValueError
"""


def _job(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """Begin a job that waits, and return it with its folder."""
    environment = {**os.environ, "TMPDIR": str(place), "TEMP": str(place)}
    process = subprocess.Popen(
        [sys.executable, "-c", JOB],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    return process, Path(str(process.stdout and process.stdout.readline()).strip())


@pytest.mark.parametrize(("ends", "code"), [("well", 0), ("fail", 1)])
def test_a_folder_is_gone_with_its_job(tmp_path: Path, ends: str, code: int) -> None:
    """Also where the job ends badly."""
    job, folder = _job(tmp_path)
    assert list(tmp_path.iterdir()) == [folder]
    job.communicate(f"{ends}\n")

    assert job.returncode == code
    assert not list(tmp_path.iterdir())


def test_the_next_job_removes_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    """A job that lives keeps its folder, and so does whoever took a name like it; Windows has no such locks."""
    (tmp_path / "leadml-other").mkdir()
    (killed, left), (living, kept) = _job(tmp_path), _job(tmp_path)
    killed.kill()
    killed.communicate()
    assert left.is_dir()
    following, folder = _job(tmp_path)
    stale = {left.name} if sys.platform == "win32" else set()

    assert {path.name for path in tmp_path.iterdir()} == {"leadml-other", kept.name, folder.name, *stale}
    assert (kept / "block.parquet").is_file()
    for job in (living, following):
        job.communicate("well\n")
    assert {path.name for path in tmp_path.iterdir()} == {"leadml-other", *stale}
