"""The figures of a replay: all its leads together, and each period by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.model import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.review.replay.policies import Policy, Replay
    from leadml.types import Floats, Labels, Rows

POOLED = ("log_loss", "roc_auc", "ece", "gain")
DRAWS = 1000  # of the intervals: their ends are known to a tenth of their width


def pooled_figures(replay: Replay) -> pd.DataFrame:
    """Return for each policy the figures of the leads of all periods together.

    Parameters
    ----------
    replay
        After its last period.

    Returns
    -------
    pandas.DataFrame
        By ``policy``: ``log_loss``, ``roc_auc``, ``ece``, ``gain``; ``roc_auc_within``, the mean of that of each
        period, by its leads, which no change of the level can raise; ``difference`` of the log loss to that of
        ``refit`` with ``difference_low`` and ``difference_high``, the interval at 90% over periods drawn again.
    """
    parts = [period.rows for period in replay.periods]
    rows = np.concatenate(parts)
    rows_of_table = []
    for policy, probability in replay.probability.items():
        label, weight = replay.history.label[rows], np.ones(len(rows))
        row = {name: getattr(metrics, name)(label, probability[rows], weight) for name in POOLED}
        row["roc_auc_within"] = _within(replay.history.label, probability, parts)
        losses = [_losses(replay, each, policy) - _losses(replay, each, "refit") for each in parts]
        row["difference"] = float(np.concatenate(losses).mean())
        row["difference_low"], row["difference_high"] = _interval(losses)
        rows_of_table.append({"policy": policy, **row})
    return pd.DataFrame(rows_of_table)


def period_figures(replay: Replay) -> pd.DataFrame:
    """Return for each period and policy ``leads``, ``converted``, ``expected``, ``log_loss`` and ``roc_auc``.

    ``promoted`` says whether the loop put its newest model in use, ``moves`` how likely it was at the beginning that
    the level is not that of the training, from 0 to 1.
    """
    table = []
    for period in replay.periods:
        label, weight = replay.history.label[period.rows], np.ones(len(period.rows))
        for policy, probability in replay.probability.items():
            of_period = probability[period.rows]
            table.append(
                {
                    "period": replay.history.name(period.month),
                    "policy": policy,
                    "leads": len(period.rows),
                    "converted": int(label.sum()),
                    "expected": float(of_period.sum()),
                    "log_loss": metrics.log_loss(label, of_period, weight),
                    "roc_auc": metrics.roc_auc(label, of_period, weight),
                    "promoted": period.promoted,
                    "moves": period.moves,
                }
            )
    return pd.DataFrame(table)


def _within(label: Labels, probability: Floats, parts: Sequence[Rows]) -> float:
    """Return the mean ROC AUC of the periods that have leads of both outcomes, by their leads."""
    found = [(len(rows), metrics.roc_auc(label[rows], probability[rows], np.ones(len(rows)))) for rows in parts]
    sizes, values = np.array([each for each in found if not np.isnan(each[1])]).reshape(-1, 2).T
    return float(np.average(values, weights=sizes)) if len(sizes) else np.nan


def _losses(replay: Replay, rows: Rows, policy: Policy) -> Floats:
    label, probability = replay.history.label[rows], replay.probability[policy][rows]
    return np.asarray(-np.log(np.where(label == 1, probability, 1 - probability)))


def _interval(losses: Sequence[Floats]) -> tuple[float, float]:
    """Return the interval at 90% of the mean, over periods that are drawn again."""
    sums, sizes = np.array([each.sum() for each in losses]), np.array([len(each) for each in losses])
    drawn = np.random.default_rng(0).integers(0, len(losses), (DRAWS, len(losses)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.05, 0.95])
    return float(low), float(high)
