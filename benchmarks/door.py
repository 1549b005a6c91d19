"""What a start of leadml costs: processor seconds of ``leadml --help`` and of importing it, and 100 leads scored.

Processor seconds are medians of nine runs; those of the import are above those of an empty program. The leads are the
first 100 of data/raw/bank.csv, scored as a frame with a loaded model: the median of 21 calls, in seconds
of the clock. Run with: python benchmarks/door.py [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from measure import finish, options

import leadml

ROOT = Path(__file__).parents[1]
LEADS = ROOT / "data" / "raw" / "bank.csv"
RUNS = 9
CALLS = 21
ROWS = 100


def cpu_seconds(*arguments: str) -> float:
    """Return the processor seconds of one run of Python, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median_cpu_seconds(*arguments: str) -> float:
    """Return the median of nine runs, after one that fills the caches."""
    cpu_seconds(*arguments)
    return statistics.median(cpu_seconds(*arguments) for _ in range(RUNS))


def seconds_to_score() -> float:
    """Return the seconds in which a loaded model scores a frame of 100 leads."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "data" / "raw"
        folder.mkdir(parents=True)
        shutil.copy(LEADS, folder)
        shutil.copy(ROOT / "params.yaml", name)
        small = ["tracking.enabled=false", "evaluation.draws=50"]
        model = leadml.open_project(Path(name) / "params.yaml", overrides=small).train().model
    frame = pd.read_csv(LEADS).head(ROWS)
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        model.score(frame)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    """Measure and print."""
    arguments = options(__doc__ or "", "door", (LEADS, ROOT / "params.yaml"))
    figures = {
        "help_cpu_seconds": median_cpu_seconds("-m", "leadml", "--help"),
        "import_cpu_seconds": median_cpu_seconds("-c", "import leadml") - median_cpu_seconds("-c", "pass"),
        "score_100_seconds": seconds_to_score(),
    }
    for name, value in figures.items():
        print(f"{name.replace('_', ' ')}: {value:.3f}")
    finish("door", {name: round(value, 3) for name, value in figures.items()}, arguments)


if __name__ == "__main__":
    main()
