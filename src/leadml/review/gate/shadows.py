"""Show shadows beside the version in use, on the leads that both scored and whose outcomes are known."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.model import metrics
from leadml.review.performance.paired import Gain, losses

if TYPE_CHECKING:
    from leadml.types import Floats, Integers, Labels, Objects

COLUMNS = (
    "version", "leads", "conversions", "expected", "expected_by_champion", "log_loss", "champion_log_loss", "gain",
    "gain_low", "gain_high", "roc_auc", "champion_roc_auc",
)  # fmt: skip


def shadow_table(
    shadows: pd.DataFrame, lead_id: Objects, day: Integers, probability: Floats, label: Labels, *, confidence: float
) -> pd.DataFrame:
    """Return the figures of each shadow beside those of the version in use.

    Parameters
    ----------
    shadows
        ``version, lead_id, day, probability`` of each score of a shadow; of two of a day the later one counts.
    lead_id, day, probability, label
        Of the scores of the version in use whose outcomes are known, shape (n_scores,).
    confidence
        Of the interval of the gain, in (0, 1).

    Returns
    -------
    DataFrame
        A row for each version: ``version, leads, conversions``; ``expected`` and ``expected_by_champion`` conversions;
        ``log_loss`` and ``champion_log_loss``; ``gain``, by how much the shadow's is lower, in nats per lead, with
        ``gain_low`` and ``gain_high``, by leads; ``roc_auc`` and ``champion_roc_auc``.
    """
    key = ["lead_id", "day"]
    judged = pd.DataFrame({"lead_id": lead_id, "day": day, "champion": probability, "label": label})
    judged = judged.drop_duplicates(key, keep="last")
    rows: list[dict[str, Any]] = []
    for version, said in shadows.groupby("version", sort=False):
        both = judged.merge(said[[*key, "probability"]].drop_duplicates(key, keep="last"), on=key)
        if both.empty:
            continue
        known, ones = both["label"].to_numpy(dtype=np.int8), np.ones(len(both))
        shadow, champion = both["probability"].to_numpy(dtype=np.float64), both["champion"].to_numpy()
        gain = Gain.of(losses(known, champion) - losses(known, shadow), pd.factorize(both["lead_id"])[0])
        half = NormalDist().inv_cdf(0.5 + confidence / 2) * gain.error
        figures = (
            version, len(both), int(known.sum()), float(shadow.sum()), float(champion.sum()),
            float(losses(known, shadow).mean()), float(losses(known, champion).mean()), gain.value, gain.value - half,
            gain.value + half, metrics.roc_auc(known, shadow, ones), metrics.roc_auc(known, champion, ones),
        )  # fmt: skip
        rows.append(dict(zip(COLUMNS, figures, strict=True)))
    return pd.DataFrame(rows, columns=list(COLUMNS))
