"""Fit leadml of some checkout on a training set and write what it says of a holdout.

`checkouts.py` runs this with the Python path of a checkout, so that two versions of leadml fit the same leads.
Run with: python benchmarks/checkouts_fit.py TASK RESULT
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from leadml.model.fit.estimator import fit_model
from leadml.params import CalibrationParams, ModelParams

SHARES = {"IQL": 0.5, "MQL": 0.2, "SQL": 0.05}  # of the out-of-fold probabilities, at or above each cut


class Sections:
    """The sections of the params that a fit reads, at their defaults."""

    model = ModelParams()
    calibration = CalibrationParams()


def main() -> None:
    """Fit the training set of a task, and write what the model says of the holdout."""
    task, result = (Path(name) for name in sys.argv[1:])
    with task.open("rb") as file:
        holdout, fields, split, learn = pickle.load(file)  # noqa: S301 - checkouts.py wrote it
    fitted = fit_model(learn, fields, Sections(), split=split)
    probability = fitted.model.predict(holdout)
    cuts = np.quantile(fitted.probability, [1 - share for share in SHARES.values()])
    stage = np.searchsorted(cuts, probability, side="right")
    with result.open("wb") as file:
        pickle.dump((probability, stage, *interval_of(fitted.model, probability, holdout)), file)


def interval_of(model: Any, probability: Any, holdout: Any) -> tuple[Any, Any]:
    """Return the ends of the intervals, by the function that this version of leadml has."""
    if hasattr(model, "interval"):
        return model.interval(probability, model.encoder.fields_of(holdout))
    return model.intervals.interval(probability)


if __name__ == "__main__":
    main()
