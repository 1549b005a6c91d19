"""Whether the leads of today can be told from those of an earlier time, whose outcomes are known.

A classifier that tells them apart knows a change of any kind, also one that shows in no field alone. It says that the
leads have moved, not that the model is wrong about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.review.performance.ranking import roc_auc_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats

MOST_LEADS = 2_000  # of each time: the AUC is then known to about 0.01, and a nightly review does not wait for it
MIN_LEADS = 200  # of each time: below, the interval of the AUC is wider than 0.1
CONFIDENCE = 0.9  # of the interval, as of those of the cuts
STRONGEST = 3  # parts that are named
# Small trees with many leads in a leaf: what tells times apart is a few large moves, and a deep fit finds noise first.
CHOICES = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.1,
    "min_data_in_leaf": 40,
    "verbosity": -1,
    "deterministic": True,
    "num_threads": 1,
    "seed": 0,
}
ROUNDS = 60  # of 7 leaves at a rate of 0.1: enough for a few large moves, and short for a nightly review


@dataclass(frozen=True)
class DomainResult:
    """How well two times can be told apart.

    Parameters
    ----------
    roc_auc, low, high
        Chance that a lead of the later time looks later than one of the earlier time, on leads that the classifier was
        not fitted on; 0.5 if the times do not differ. The mean of two halves, each judged by a classifier of the other.
        The ends are the means of DeLong's at 90%: what both halves have in common by chance shows in both, so that
        their mean is no surer than one.
    strongest
        The parts of the score by which they are told apart, strongest first.
    """

    roc_auc: float
    low: float
    high: float
    strongest: tuple[str, ...]


def domain_result(before: Floats, after: Floats, names: Sequence[str]) -> DomainResult | None:
    """Return how well the leads of two times can be told apart; None where one has fewer than 200 leads.

    Parameters
    ----------
    before, after
        Parts of the scores of the leads of both times, shape (n_leads, n_parts).
    names
        Names of the parts.
    """
    if min(len(before), len(after)) < MIN_LEADS or not names:
        return None
    import lightgbm  # noqa: PLC0415 - only a review needs it

    values = np.vstack([_sample(before), _sample(after)])
    is_later = np.repeat(np.array([0, 1], dtype=np.int8), [min(len(each), MOST_LEADS) for each in (before, after)])
    half, gain, intervals = np.arange(len(values)) % 2, np.zeros(len(names)), []
    for side in (0, 1):
        fitted: Any = lightgbm.train(CHOICES, lightgbm.Dataset(values[half != side], is_later[half != side]), ROUNDS)
        judged, said = is_later[half == side], fitted.predict(values[half == side])
        auc, low, high = roc_auc_interval(judged, said, np.arange(len(said)), confidence=CONFIDENCE)
        intervals.append((auc, *((auc, auc) if np.isnan(low) else (low, high))))  # no pair in the wrong order: no error
        gain += fitted.feature_importance("gain")
    strongest = [names[at] for at in np.argsort(-gain, kind="stable")[:STRONGEST] if gain[at] > 0]
    auc, low, high = np.mean(intervals, axis=0).tolist()
    return DomainResult(auc, low, high, tuple(strongest))


def _sample(values: Floats) -> Floats:
    """Return at most 2,000 rows, evenly spaced."""
    rows = np.linspace(0, len(values) - 1, min(len(values), MOST_LEADS)).astype(np.intp)
    return values[rows]
