"""The wheel alone, without the checkout, does what the README promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which the wheel was unpacked, as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("leadml-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    return folder / "installed"


def _run(installed: Path, folder: Path, *words: str) -> str:
    """Run Python with the leadml of the wheel, which coverage does not count, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    environment["PYTHONPATH"] = str(installed)
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_trains_scores_and_reports_from_an_empty_folder(
    installed: Path, tmp_path: Path, bank_file: Path
) -> None:
    """Every file that leadml needs, such as the template of the report, is in the wheel."""
    shutil.copy(bank_file, tmp_path / "leads.csv")
    assert _run(installed, tmp_path, "-c", "import leadml; print(leadml.__file__)").startswith(str(installed))

    small = ["--set", "model.max_rounds=20", "--set", "evaluation.draws=50", "--set", "tracking.enabled=false"]
    leadml = ["-m", "leadml"]
    assert "wrote params.yaml" in _run(installed, tmp_path, *leadml, "init", "leads.csv")
    assert "version 1" in _run(installed, tmp_path, *leadml, "train", *small)
    assert "4521 scored" in _run(installed, tmp_path, *leadml, "score", "leads.csv", "-o", "s.csv").replace(",", "")
    assert "report: reports/converted.html" in _run(installed, tmp_path, *leadml, "report")
    assert (tmp_path / "reports" / "converted.html").stat().st_size > 10_000


def test_the_wheel_holds_the_package_and_its_licence_only(installed: Path) -> None:
    """Neither tests nor data nor benchmarks."""
    assert {path.name.split("-")[0] for path in installed.iterdir()} == {"leadml"}
    (metadata,) = installed.glob("leadml-*.dist-info")
    assert (metadata / "licenses" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "License-Expression: Apache-2.0" in (metadata / "METADATA").read_text(encoding="utf-8")
