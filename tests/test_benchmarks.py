"""Benchmarks that are too slow for every day still run: each on so few leads that only its figures mean nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def _last_line(*words: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, *words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_features_are_measured() -> None:
    """A tenth, a third and all of some thousand leads, each looked at once."""
    found = _last_line(str(FOLDER / "features.py"), "--leads", "3000")

    assert (found["leads"], found["sizes"][-1]["looked"]) == (3000, 3000)
    assert found["activities"] > 3000
    assert found["peak_memory_gb"] > 0


@pytest.mark.parametrize("name", sorted(path.stem for path in (FOLDER / "results").glob("*.json")))
def test_kept_figures_are_shown_as_kept(name: str) -> None:
    """Nothing is run, and the last line is what was kept."""
    kept = json.loads((FOLDER / "results" / f"{name}.json").read_text(encoding="utf-8"))["figures"]

    assert _last_line(str(FOLDER / f"{name}.py"), "--recorded") == kept
