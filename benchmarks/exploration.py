"""Estimate what leads below the cut would convert if sales worked them, in a loop in which work changes outcomes.

Each run has three rounds of 40,000 leads. A model (logistic regression) learns from the outcomes of all leads of the
round before, a fifth of the leads is above the cut and worked, and of the others one in twenty is drawn by chance and
worked too. Work multiplies the odds by 1.8. Of the last round about 6% of the leads below the cut would convert if
worked.

- `mean_bias`: mean error of the estimate, in percentage points; `sd` of one run.
- `covered`: runs of 100 whose 90% interval holds the truth.
- `naive_flagged`: runs in which the rate of unworked leads is said to be too low; `naive_off`: by how many points.
- `false_flags`: the same where work changes nothing.

Run with: python benchmarks/exploration.py [--json] [--keep] [--recorded] [--runs N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from measure import finish, options
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from leadml.review.exploration import Exploration, LeadsBelow, explored_rate

LEADS, FIELDS, ROUNDS = 40_000, 6, 3
ABOVE, SHARE, WORK = 0.2, 0.05, 1.8
INTERCEPT = -3.15  # so that about 6% of the leads below the cut would convert if worked


def main() -> None:
    """Run both worlds, print a table."""
    chosen = options(__doc__ or "", "exploration", runs=100)
    worlds = {}
    for name, factor in (("with feedback", WORK), ("without", 1.0)):
        runs = [last_round(seed, factor) for seed in range(chosen.runs)]
        found, truth = [each for each, _ in runs], np.array([rate for _, rate in runs])
        worlds[name] = found, truth
        print(f"{name}: truth {truth.mean():.4f}, marked {np.mean([each.marked for each in found]):,.0f}")
    found, truth = worlds["with feedback"]
    errors = 100 * (np.array([each.rate for each in found]) - truth)
    figures: dict[str, Any] = {
        "runs": chosen.runs,
        "marked": float(np.mean([each.marked for each in found])),
        "truth": float(truth.mean()),
        "mean_bias": float(errors.mean()),
        "sd": float(errors.std()),
        "covered": int(sum(each.low <= rate <= each.high for each, rate in zip(found, truth, strict=True))),
        "naive_off": float(100 * np.mean([each.naive - rate for each, rate in zip(found, truth, strict=True)])),
        "naive_flagged": sum(each.is_contradicted for each in found),
        "false_flags": sum(each.is_contradicted for each in worlds["without"][0]),
    }
    for name, value in figures.items():
        print(f"{name:16} {value:.3f}" if isinstance(value, float) else f"{name:16} {value}")
    finish("exploration", figures, chosen)


def last_round(seed: int, factor: float) -> tuple[Exploration, float]:
    """Return the estimate of the last round, and the truth."""
    random = np.random.default_rng(seed)
    size = np.array([0.8, 0.6, 0.4, 0.3, 0.2, 0.1])
    model: LogisticRegression | None = None
    for _ in range(ROUNDS):
        fields = random.normal(size=(LEADS, FIELDS))
        truth = INTERCEPT + fields @ size + 0.3 * fields[:, 0] * fields[:, 1]
        said = np.full(LEADS, 0.1) if model is None else model.predict_proba(fields)[:, 1]
        cut = np.quantile(said, 1 - ABOVE)
        is_above = said >= cut if model is not None else random.random(LEADS) < ABOVE
        is_marked = ~is_above & (random.random(LEADS) < SHARE)
        if_worked = expit(truth + np.log(factor))
        chance = np.where(is_above | is_marked, if_worked, expit(truth))
        label = (random.random(LEADS) < chance).astype(np.int8)
        model = LogisticRegression().fit(fields, label)
    below = ~is_above
    leads = LeadsBelow(logit(said[below]), label[below], np.full(below.sum(), SHARE), is_marked[below])
    return explored_rate(leads), float(if_worked[below].mean())


if __name__ == "__main__":
    main()
