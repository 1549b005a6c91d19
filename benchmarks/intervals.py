"""How often intervals contain the true probability of a simulated CRM, which training never reads.

A CRM is simulated, models are trained on its tables with default params, and for each snapshot of the holdout (other
accounts, later dates) the interval is compared with the true probability: overall, and in each fifth of the predicted
probabilities. The width of the intervals is compared with that of the single interval of a constant model that contains
the same share of the true probabilities. Several CRMs may be simulated, from one seed on; the summary is of the worst.
Run with: python benchmarks/intervals.py [--json] [--keep] [--recorded] [--leads N --months M --seed S --seeds N]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from measure import finish, options
from truth import EXAMPLE, TARGETS, prepare, simulated

from leadml.model.fit.estimator import fit_model

if TYPE_CHECKING:
    from truth import Prepared

FIFTHS = 5


def main() -> None:
    """Simulate, train, compare the intervals with the true probabilities."""
    arguments = options(__doc__ or "", "intervals", (EXAMPLE,), leads=40_000, months=24, seed=0, seeds=1)
    targets = {}
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        with TemporaryDirectory() as name:
            truth = simulated(Path(name), leads=arguments.leads, months=arguments.months, seed=seed)
            for target in TARGETS:
                targets[f"{target} of seed {seed}"] = _evaluate(prepare(Path(name), target, truth))
    for target, row in targets.items():
        print(target)
        print(pd.DataFrame(row.pop("fifths")).round(4).to_string(index=False))
    print(pd.DataFrame(targets).drop("coverage_by_fifth").T.astype(float).round(4).to_string())
    worst = max(targets.values(), key=lambda row: abs(row["coverage"] - row["level"]))
    figures = {
        "coverage": worst["coverage"],
        "coverage_by_fifth": worst["coverage_by_fifth"],
        "lowest_of_all_fifths": min(min(row["coverage_by_fifth"]) for row in targets.values()),
        "highest_of_all_fifths": max(max(row["coverage_by_fifth"]) for row in targets.values()),
        "width": worst["width"],
        "width_of_the_constant_model": worst["width_of_the_constant_model"],
        "targets": targets,
    }
    finish("intervals", figures, arguments)


def _evaluate(prepared: Prepared) -> dict[str, Any]:
    training, holdout = prepared.training, prepared.holdout
    model = fit_model(prepared.learn, training.contract.fields, prepared.params, split=training.split).model
    probability, true = model.predict(holdout), holdout["probability"].to_numpy()
    low, high = model.intervals.interval(probability)
    level = model.intervals.level
    is_covered = (low <= true) & (true <= high)
    fifth = np.argsort(np.argsort(probability, kind="stable")) * FIFTHS // len(probability)
    masks = [fifth == number for number in range(FIFTHS)]
    tail = (1 - level) / 2
    return {
        "looks": len(probability),
        "level": level,
        "coverage": float(is_covered.mean()),
        "coverage_by_fifth": [float(is_covered[mask].mean()) for mask in masks],
        "below": float((true < low).mean()),
        "above": float((true > high).mean()),
        "width": float((high - low).mean()),
        "width_of_the_constant_model": float(np.quantile(true, 1 - tail) - np.quantile(true, tail)),
        "deviation": model.intervals.deviation,
        "fifths": [
            {"said": probability[mask].mean(), "true": true[mask].mean(), "held": is_covered[mask].mean()}
            for mask in masks
        ],
    }


if __name__ == "__main__":
    main()
