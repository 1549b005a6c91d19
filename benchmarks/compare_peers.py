"""Fit FLAML or AutoGluon on one split; run by compare.py with the interpreter of an environment that has them.

They need other versions of pandas than leadml, so that they cannot live beside it. Run with:
PYTHON benchmarks/compare_peers.py NAME FOLDER, where the folder holds learn.parquet and judge.parquet; probabilities,
seconds and bytes are written beside them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import numpy as np

SECONDS = {"FLAML": 60, "AutoGluon": 180}
LABEL = "converted"


def main() -> None:
    """Fit, predict, write what came of it."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    learn, judge = (pd.read_parquet(folder / f"{part}.parquet") for part in ("learn", "judge"))
    begun = time.perf_counter()
    probability, size = {"FLAML": _flaml, "AutoGluon": _autogluon}[name](learn, judge)
    facts = {"seconds": time.perf_counter() - begun, "megabytes": size / 1e6, "probability": probability.tolist()}
    (folder / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")


def _flaml(learn: pd.DataFrame, judge: pd.DataFrame) -> tuple[np.ndarray, int]:
    import pickle

    from flaml import AutoML

    found = AutoML()
    budget = {"time_budget": SECONDS["FLAML"], "metric": "log_loss", "seed": 0, "verbose": 0, "n_jobs": 2}
    found.fit(learn.drop(columns=LABEL), learn[LABEL], task="classification", **budget)
    return found.predict_proba(judge.drop(columns=LABEL))[:, 1], len(pickle.dumps(found.model))


def _autogluon(learn: pd.DataFrame, judge: pd.DataFrame) -> tuple[np.ndarray, int]:
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as place:
        found = TabularPredictor(LABEL, eval_metric="log_loss", path=place, verbosity=0)
        found.fit(learn, presets="best_quality", time_limit=SECONDS["AutoGluon"], num_cpus=2, dynamic_stacking=False)
        probability = found.predict_proba(judge.drop(columns=LABEL))[1].to_numpy()
        return probability, sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
