"""Whether intervals hold the true probability, judged by the truth of a simulated CRM that training never reads.

A CRM is simulated, models are trained on its tables with default params, and for each look kept aside (other leads,
later dates) the interval is held against the true probability: overall, and in each fifth of the probabilities that the
model says. Beside their width stands that of the constant model, which must hold as many truths with one interval.
Several CRMs may be simulated, from one seed on; what is said of all is that of the worst.
Run with: python benchmarks/intervals.py [--json] [--keep] [--recorded] [--leads N --months M --seed S --seeds N]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from measure import finish, options
from truth import EXAMPLE, TARGETS, prepare, simulated

from leadml.model.fit.estimator import fit_model

FIFTHS = 5


def main() -> None:
    """Simulate, train, hold the intervals against the truth."""
    chosen = options(__doc__ or "", "intervals", (EXAMPLE,), leads=40_000, months=24, seed=0, seeds=1)
    found = {}
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        with TemporaryDirectory() as name:
            truth = simulated(Path(name), leads=chosen.leads, months=chosen.months, seed=seed)
            found |= {f"{target} of seed {seed}": _judge(Path(name), target, truth) for target in TARGETS}
    for target, row in found.items():
        print(target)
        print(pd.DataFrame(row.pop("fifths")).round(4).to_string(index=False))
    print(pd.DataFrame(found).drop("coverage_by_fifth").T.astype(float).round(4).to_string())
    worst = max(found.values(), key=lambda row: abs(row["coverage"] - row["level"]))
    figures = {
        "coverage": worst["coverage"],
        "coverage_by_fifth": worst["coverage_by_fifth"],
        "lowest_of_all_fifths": min(min(row["coverage_by_fifth"]) for row in found.values()),
        "highest_of_all_fifths": max(max(row["coverage_by_fifth"]) for row in found.values()),
        "width": worst["width"],
        "width_of_the_constant_model": worst["width_of_the_constant_model"],
        "targets": found,
    }
    finish("intervals", figures, chosen)


def _judge(root: Path, target: str, truth: pd.DataFrame) -> dict:
    learn, judge, material, project = prepare(root, target, truth)
    fitted = fit_model(learn, material.contract.fields, project.params)
    said, true = fitted.model.predict(judge), judge["probability"].to_numpy()
    low, high = fitted.model.intervals.interval(said)
    level = fitted.model.intervals.level
    held = (low <= true) & (true <= high)
    fifth = np.argsort(np.argsort(said, kind="stable")) * FIFTHS // len(said)
    inside = [held[fifth == at] for at in range(FIFTHS)]
    rest = (1 - level) / 2
    return {
        "looks": len(said),
        "level": level,
        "coverage": float(held.mean()),
        "coverage_by_fifth": [float(some.mean()) for some in inside],
        "below": float((true < low).mean()),
        "above": float((true > high).mean()),
        "width": float((high - low).mean()),
        "width_of_the_constant_model": float(np.quantile(true, 1 - rest) - np.quantile(true, rest)),
        "deviation": fitted.model.intervals.deviation,
        "fifths": [
            {"said": said[fifth == at].mean(), "true": true[fifth == at].mean(), "held": some.mean()}
            for at, some in enumerate(inside)
        ],
    }


if __name__ == "__main__":
    main()
