"""What each param of the fit is worth: the default params with one of them changed, on real leads.

Data: the bundled leads, the bank's campaigns and a shop's sessions, divided at random 70/30 by other seeds than in
compare.py, and the first 70% of the campaigns with the last 30% as the holdout. A difference is that of the mean log
loss on the holdout, changed less default (above 0: the default is better), with its standard error over the leads.
Run with: python benchmarks/ablations.py [--json] [--keep] [--recorded] [--data DIR] [--seeds N]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from compare_data import READ, DividedData, divided_data
from measure import data_folder, finish, options
from scipy.special import logit

from leadml.leads.check.contract import LABEL
from leadml.leads.split import RandomSplit, TimeSplit
from leadml.model.fit.estimator import fit_model
from leadml.model.parts.calibration import fit_calibrator, log_losses
from leadml.params import ModelParams, Params, SplitParams, load_params

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.types import Fold

ROOT = Path(__file__).parents[1]
RANDOM = "folds drawn at random where leads have dates"
CALIBRATED = "a line through the out-of-fold log-odds"
CHANGED: dict[str, dict[str, Any]] = {
    "2 leaves": {"model": ModelParams(leaves=(2,))},
    "4 leaves": {"model": ModelParams(leaves=(4,))},
    "16 leaves": {"model": ModelParams(leaves=(16,))},
    "8 leaves": {"model": ModelParams(leaves=(8,))},
    "another draw of fields, penalty 21": {"model": ModelParams(leaf_penalties=(21.0,))},
    "penalty 50": {"model": ModelParams(leaf_penalties=(50.0,))},
    "penalty 5": {"model": ModelParams(leaf_penalties=(5.0,))},
    "one strength of the linear part": {"model": ModelParams(linear_strengths=(1.0,))},
    "no half-lives": {"model": ModelParams(half_lives=(0.0,))},
    "all fields for each tree": {"model": ModelParams(field_share=1.0)},
    "63 bins": {"model": ModelParams(bins=63)},
    "255 bins": {"model": ModelParams(bins=255)},
    "steps twice as long": {"model": ModelParams(learning_rate=0.2)},
    "steps half as long": {"model": ModelParams(learning_rate=0.05, max_rounds=2000)},
    "10 folds": {"split": SplitParams(folds=10)},
    RANDOM: {},
    CALIBRATED: {},
}


class FoldsAtRandom(TimeSplit):
    """Folds of any leads, where others are evaluated on newer ones."""

    def folds(self, frame: pd.DataFrame) -> list[Fold]:
        """Return the folds that leads without dates have."""
        return RandomSplit(self.choices).folds(frame)


def main() -> None:
    """Fit every variant on every data set, print the differences."""
    files = (ROOT / "params.yaml", *READ)
    arguments = options(__doc__ or "", "ablations", files, data=data_folder(), seeds=2)
    differences: dict[str, dict[str, Any]] = {name: {} for name in CHANGED}
    default: dict[str, float] = {}
    for data in divided_data(arguments.data, seeds=range(arguments.seeds)):
        default_losses = _losses(data, "")
        default[data.name] = float(default_losses.mean())
        for name in CHANGED:
            gap = _losses(data, name) - default_losses
            error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
            differences[name][data.name] = {"difference": float(gap.mean()), "standard_error": error}
    texts = {
        name: {
            data: f"{1e4 * row['difference']:+.1f} ± {1e4 * row['standard_error']:.1f}" for data, row in rows.items()
        }
        for name, rows in differences.items()
    }
    print("differences of log loss times 10,000, changed less default")
    print(pd.DataFrame(texts).T.to_string())
    print(pd.Series(default, name="log loss of the default").round(4).to_string())
    finish("ablations", {"default": default, "changed": differences}, arguments)


def _losses(data: DividedData, name: str) -> NDArray[np.float64]:
    """Return the log loss of each lead of the holdout by a variant, or by the default where it has no name."""
    declared = load_params(ROOT / "params.yaml")
    required = {section: getattr(declared, section) for section in ("data", "target", "features", "stages")}
    params = Params(**required, **CHANGED.get(name, {}))
    split = data.split(params.split)
    if name == RANDOM and split.clock is not None:
        split = FoldsAtRandom(params.split)
    fitted = fit_model(data.learn, data.fields, params, split=split)
    margin = logit(fitted.model.predict(data.holdout))
    if name == CALIBRATED:
        margin = fit_calibrator(logit(fitted.probability), fitted.label).logit(margin)
    return log_losses(margin, data.holdout[LABEL].to_numpy(dtype=np.int8))


if __name__ == "__main__":
    main()
