"""The temporary folder of a job: empty, not shared, and removed after the job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadml.leads.sources.temporary import LOCK, MARK

JOB = """
from leadml.leads.sources.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "block.parquet").touch()
    print(folder, flush=True)
    if input() == "fail":
        raise ValueError
"""


def _job(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a job that waits for input, and return it with its folder."""
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
def test_the_folder_is_removed_when_the_job_ends(tmp_path: Path, ends: str, code: int) -> None:
    """Also if the job fails."""
    job, folder = _job(tmp_path)
    assert list(tmp_path.iterdir()) == [folder]
    job.communicate(f"{ends}\n")

    assert job.returncode == code
    assert not list(tmp_path.iterdir())


def test_the_next_job_removes_the_folder_of_a_killed_job_only(tmp_path: Path) -> None:
    """A running job keeps its folder, and no folder of another program or user is removed, whatever its name.

    Windows has no such locks.
    """
    other = tmp_path / "leadml-job-other"
    other.mkdir(mode=0o700)
    (other / LOCK).write_text("the lock of another program", encoding="utf-8")
    readable = tmp_path / "leadml-job-readable"
    readable.mkdir(mode=0o755)
    (readable / LOCK).write_bytes(MARK)
    (killed, abandoned), (running, in_use) = _job(tmp_path), _job(tmp_path)
    killed.kill()
    killed.communicate()
    assert abandoned.is_dir()
    following, folder = _job(tmp_path)
    remaining = {abandoned.name} if sys.platform == "win32" else set()

    kept = {other.name, readable.name, *remaining}
    assert {path.name for path in tmp_path.iterdir()} == {in_use.name, folder.name, *kept}
    assert (in_use / "block.parquet").is_file()
    for job in (running, following):
        job.communicate("well\n")
    assert {path.name for path in tmp_path.iterdir()} == kept
