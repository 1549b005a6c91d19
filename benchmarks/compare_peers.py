"""Fit FLAML or AutoGluon on one data set; compare.py runs it with the interpreter of an environment that has them.

They need other versions of pandas than leadml, so that they cannot be installed in its environment.
Run with: PYTHON benchmarks/compare_peers.py NAME FOLDER. The folder has learn.parquet and holdout.parquet;
probabilities, seconds and megabytes are written into it.
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
    """Fit, predict, write the result."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    learn, holdout = (pd.read_parquet(folder / f"{part}.parquet") for part in ("learn", "holdout"))
    start = time.perf_counter()
    probability, size = {"FLAML": _flaml, "AutoGluon": _autogluon}[name](learn, holdout)
    facts = {"seconds": time.perf_counter() - start, "megabytes": size / 1e6, "probability": probability.tolist()}
    (folder / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")


def _flaml(learn: pd.DataFrame, holdout: pd.DataFrame) -> tuple[np.ndarray, int]:
    import pickle

    from flaml import AutoML

    model = AutoML()
    settings = {"time_budget": SECONDS["FLAML"], "metric": "log_loss", "seed": 0, "verbose": 0, "n_jobs": 2}
    model.fit(learn.drop(columns=LABEL), learn[LABEL], task="classification", **settings)
    return model.predict_proba(holdout.drop(columns=LABEL))[:, 1], len(pickle.dumps(model.model))


def _autogluon(learn: pd.DataFrame, holdout: pd.DataFrame) -> tuple[np.ndarray, int]:
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor(LABEL, eval_metric="log_loss", path=folder, verbosity=0)
        model.fit(learn, presets="best_quality", time_limit=SECONDS["AutoGluon"], num_cpus=2, dynamic_stacking=False)
        probability = model.predict_proba(holdout.drop(columns=LABEL))[1].to_numpy()
        return probability, sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
