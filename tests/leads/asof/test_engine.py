"""Engines: the same features to the bit from DuckDB and Polars, from one thread and from two."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import crm, day, open_view

from leadml.errors import MissingExtraError
from leadml.leads.asof.engine import open_engine
from leadml.leads.asof.snapshots import scoring_snapshots, training_snapshots
from leadml.params import ComputeParams, SplitParams

DIGEST = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from tests.leads.asof.test_engine import digest
import polars as pl
print(pl.thread_pool_size(), digest(Path(sys.argv[1]), "polars"))
"""


def digest(folder: Path, engine: str, threads: int = 0) -> str:
    """Return the hash of all bits of the frames that an engine computes of the simulated leads."""
    sources = {name: {**some, "path": str(folder / "crm" / some["path"])} for name, some in crm()["sources"].items()}
    choices: dict[str, Any] = crm(sources=sources, compute={"engine": engine, "memory_gb": 0.5})
    choices["model"] = {**choices["model"], "threads": threads}
    own = folder / f"{engine}{threads}-{os.getpid()}"
    dates = np.array([day(number) for number in range(21, 150, 21)])
    found = hashlib.sha256()
    with open_view(own, choices, target="mql") as view:
        split = SplitParams(folds=3)
        frames = [training_snapshots(view, dates, observed_until=day(240), most=10**6, split=split).frame]
        frames += scoring_snapshots(view, day(201))
    for frame in frames:
        for name in frame.columns:
            column = frame[name].to_numpy()
            text = column.dtype == object or pd.api.types.is_string_dtype(frame[name])
            found.update(
                repr([None if pd.isna(value) else value for value in column]).encode() if text else column.tobytes()
            )
    assert sum(map(len, frames)) > 1500
    return found.hexdigest()


@pytest.fixture(scope="module")
def place(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the simulated leads in it."""
    folder = tmp_path_factory.mktemp("engines")
    (folder / "crm").symlink_to(simulated_crm)
    return folder


@pytest.fixture(scope="module")
def expected(place: Path) -> str:
    """Return the hash that DuckDB gives with one thread."""
    return digest(place, "duckdb", 1)


@pytest.mark.slow
def test_duckdb_gives_the_same_bits_with_two_threads(place: Path, expected: str) -> None:
    """Sums are of whole numbers, so the order in which threads add changes nothing."""
    assert digest(place, "duckdb", 2) == expected


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_polars_gives_the_same_bits_with_one_thread_and_two(place: Path, expected: str, threads: int) -> None:
    """In a process of its own, for Polars takes its number of threads from the environment."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, str(place), str(root)],
        env={**os.environ, "POLARS_MAX_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(threads), expected]


def test_polars_is_refused_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it or do without."""
    monkeypatch.setitem(sys.modules, "polars", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'leadml\[polars\]', or set compute.engine: duckdb"):
        open_engine(ComputeParams(engine="polars")).__enter__()


def test_duckdb_keeps_to_its_memory_and_threads() -> None:
    """The database gets the settings of params."""
    import pyarrow as pa

    with open_engine(ComputeParams(memory_gb=0.25), threads=1) as engine:
        settings = engine.scan(pa.table({"a": [1]})).project(
            "current_setting('threads') AS threads, current_setting('memory_limit') AS memory"
        )
        assert settings.fetchall() == [(1, "238.4 MiB")]
