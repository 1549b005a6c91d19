"""What the store costs: the time of scoring a million leads with it and without it, and the size of its file.

The leads are drawn from data/raw/bank.csv with replacement, with ids in random order. Two batches are scored, each with
and without the store, by whole commands in turn: the first into an empty store; in the second, the next day, one lead
in twenty has other values, and the stage of each is looked up. A ratio is the seconds with the store divided by those
without it; the median of the pairs is kept.
Run with: python benchmarks/store.py [--rows N] [--pairs N] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from measure import ROOT, finish, options

from leadml.jobs.project import open_project

LEADS = ROOT / "data" / "raw" / "bank.csv"
STORE = "leadml.db"
CHANGED = 0.05  # share of the leads with other values on the second day


def main() -> None:
    """Time both batches in pairs, and print ratios and sizes."""
    chosen = options(__doc__ or "", "store", (LEADS, ROOT / "params.yaml"), rows=1_000_000, pairs=3)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data" / "raw").mkdir(parents=True)
        shutil.copy(LEADS, folder / "data" / "raw")
        shutil.copy(ROOT / "params.yaml", folder)
        open_project(folder, overrides=["tracking.enabled=false", "evaluation.draws=50"]).train()
        batches = write_leads(folder, rows=chosen.rows)
        pairs = [time_pair(folder, batches) for _ in range(chosen.pairs)]
        size = (folder / STORE).stat().st_size
    result = {"rows": chosen.rows, "batches": {}}
    for at, batch in enumerate(("first", "second")):
        ratios = [with_store[at] / without[at] for with_store, without, _ in pairs]
        result["batches"][batch] = {
            "ratio": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
            "seconds": statistics.median(with_store[at] for with_store, _, _ in pairs),
            "seconds_without": statistics.median(without[at] for _, without, _ in pairs),
        }
        print(f"{batch} batch: {ratios} times as long with the store")
    result["megabytes"] = statistics.median(first for _, _, first in pairs)
    result["megabytes_of_both"] = size / 1e6
    print(f"{result['megabytes']:.1f} MB after one batch, {size / 1e6:.1f} MB after both")
    finish("store", result, chosen)


def write_leads(folder: Path, *, rows: int) -> list[Path]:
    """Write the files of both days: draws of the bank's leads, with the ids 0 to ``rows`` - 1 in a random order."""
    leads = pd.read_csv(LEADS, dtype=str, keep_default_na=False)
    random = np.random.default_rng(0)
    drawn, ids = random.integers(0, len(leads), rows), random.permutation(rows)
    paths = [folder / name for name in ("first.csv", "second.csv")]
    for path in paths:
        leads.iloc[drawn].assign(id=ids).to_csv(path, index=False)
        changed = random.random(rows) < CHANGED
        drawn[changed] = random.integers(0, len(leads), int(changed.sum()))
    return paths


def time_pair(folder: Path, batches: list[Path]) -> tuple[list[float], list[float], float]:
    """Return the seconds of each batch with a new store and without one, and the megabytes after the first batch."""
    (folder / STORE).unlink(missing_ok=True)
    with_store, without, size = [], [], 0.0
    for path in batches:
        with_store.append(seconds(folder, path))
        size = size or (folder / STORE).stat().st_size / 1e6
        without.append(seconds(folder, path, "--set", "store=null"))
    return with_store, without, size


def seconds(folder: Path, path: Path, *more: str) -> float:
    """Return the seconds of one command that scores a file."""
    command = [sys.executable, "-m", "leadml", "score", str(path), "-o", str(folder / "scored.csv"), *more]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=os.environ)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
