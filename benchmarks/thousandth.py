"""How much probabilities change if one lead in a thousand is left out of the training.

The bank's campaigns, a shop's sessions and the bundled leads, divided at random; 20 draws of the leads left out.

- `median_change`: the median change of the probability of a lead of the holdout, as a share of it; mean of draws;
- `lowest`, `highest`: that of the draws with the smallest and the largest change.

Run with: python benchmarks/thousandth.py [--json] [--keep] [--recorded] [--data DIR] [--draws N]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from checkouts_fit import Sections
from compare_data import READ, divided_data
from measure import ROOT, data_folder, finish, options

from leadml.model.fit.estimator import fit_model
from leadml.params import SplitParams

if TYPE_CHECKING:
    from compare_data import DividedData

    from leadml.types import Floats

SETS = ("bank_random", "shoppers", "bank_small")
SHARE = 0.001


def main() -> None:
    """Fit all draws, print a table."""
    chosen = options(__doc__ or "", "thousandth", (ROOT / "params.yaml", *READ), data=data_folder(), draws=20)
    figures: dict[str, Any] = {}
    for data in divided_data(chosen.data):
        if data.name in SETS:
            whole = probabilities(data, data.learn)
            changes = [float(np.median(np.abs(one / whole - 1))) for one in drawn(data, chosen.draws)]
            figures[data.name] = {
                "leads": len(data.learn),
                "median_change": float(np.mean(changes)),
                "lowest": min(changes),
                "highest": max(changes),
            }
    print(pd.DataFrame(figures).T.round(4).to_string())
    finish("thousandth", figures, chosen)


def drawn(data: DividedData, draws: int) -> list[Floats]:
    """Return the probabilities of the holdout by the model of each draw."""
    size, found = len(data.learn), []
    for draw in range(draws):
        left_out = np.random.default_rng(draw).permutation(size)[: max(1, round(SHARE * size))]
        found.append(probabilities(data, data.learn.drop(index=left_out).reset_index(drop=True)))
    return found


def probabilities(data: DividedData, learn: pd.DataFrame) -> Floats:
    """Return the probabilities of the holdout by a model of some leads."""
    fitted = fit_model(learn, data.fields, Sections(), split=data.split(SplitParams()))
    return fitted.model.predict(data.holdout)


if __name__ == "__main__":
    main()
