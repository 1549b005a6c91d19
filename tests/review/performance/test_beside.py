from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.errors import MergeError
from scipy.special import expit

from leadml.model.judge.calibration_line import CalibrationLine
from leadml.review.performance.beside import estimated_beside_realised, estimates_held
from leadml.review.performance.estimated import ScoredLeads, estimated_performance
from leadml.review.performance.realised import JudgedLeads, realised_performance

CUTS = {"MQL": 0.2}
CHOICES = {"draws": 100, "confidence": 0.9, "seed": 0}
EXACT = CalibrationLine(0.0, 1.0, np.zeros((2, 2)), 1.0)
COLUMNS = ["period", "figure", "stage", "value", "low", "high"]


def _both(periods: int, *, shift: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was estimated and what was realised, where the log-odds of later outcomes are shifted."""
    random = np.random.default_rng(0)
    period, margin = np.repeat(np.arange(periods), 500), random.normal(-2, 1, 500 * periods)
    label = (random.random(len(margin)) < expit(margin + shift)).astype(np.int8)
    estimated = estimated_performance(
        ScoredLeads(period, expit(margin)), CUTS, dict.fromkeys(range(periods), EXACT), **CHOICES
    )
    return estimated, realised_performance(JudgedLeads(period, expit(margin), label), CUTS, **CHOICES)


@pytest.mark.slow
def test_every_estimate_whose_outcomes_are_known_is_compared_once() -> None:
    """Periods without outcomes are left out; the error is what was realised less what was estimated."""
    estimated, realised = _both(3)
    beside = estimated_beside_realised(estimated, realised[realised["period"] < 2])

    assert beside["period"].unique().tolist() == [0, 1]
    assert beside["figure"].unique().tolist() == ["rate", "roc_auc", "precision", "recall"]
    assert len(beside) == 8
    np.testing.assert_allclose(beside["error"], beside["realised"] - beside["estimated"])
    inside = (beside["realised"] >= beside["estimated_low"]) & (beside["realised"] <= beside["estimated_high"])
    assert beside["held"].tolist() == inside.tolist()


@pytest.mark.slow
def test_estimates_hold_while_the_probabilities_are_calibrated_and_fail_when_the_level_moves() -> None:
    """Nine of ten hold; with odds of 2.7 times none of the rate does, and the ranking still does."""
    held, moved = (
        estimates_held(estimated_beside_realised(*_both(20, shift=shift))).set_index("figure") for shift in (0.0, 1.0)
    )

    assert (held["periods"] == 20).all()
    assert (held["held"] >= 14).all()
    assert moved["held"]["rate"] == 0
    assert moved["mean_error"]["rate"] == moved["mean_absolute_error"]["rate"] > 0.05
    assert moved["held"]["roc_auc"] >= 14


def test_figures_that_one_side_does_not_define_are_left_out() -> None:
    """A period without conversions has no ROC AUC; an estimate without its period is not compared."""
    then = pd.DataFrame([(1, "roc_auc", "", 0.7, 0.6, 0.8), (1, "rate", "", 0.1, 0.05, 0.2)], columns=COLUMNS)
    now = pd.DataFrame([(1, "roc_auc", "", np.nan, np.nan, np.nan), (1, "rate", "", 0.2, 0.1, 0.3)], columns=COLUMNS)
    beside = estimated_beside_realised(then, now)

    assert beside[["figure", "error", "held"]].to_numpy().tolist() == [["rate", pytest.approx(0.1), True]]


def test_an_estimate_that_is_there_twice_is_a_defect() -> None:
    """Which of the two was said at the time cannot be known."""
    then = pd.DataFrame([(1, "rate", "", 0.1, 0.05, 0.2)] * 2, columns=COLUMNS)
    with pytest.raises(MergeError, match="Merge keys are not unique in left dataset"):
        estimated_beside_realised(then, then[:1])
