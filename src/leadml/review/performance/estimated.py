"""Estimate how a model performs on leads whose outcomes are not known yet, from its calibrated probabilities alone.

If three of ten leads with a probability of 0.3 convert, then so many of the leads above a cut will convert as their
probabilities add up to. All this holds only as long as the probabilities are calibrated: if the relation of the fields
and the outcome has changed, the estimate is wrong and cannot tell. Outcomes alone show that, see
`leadml.review.performance.realised`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from leadml.model.judge.calibration_line import log_odds
from leadml.review.performance.draws import percentiles
from leadml.review.performance.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadml.model.judge.calibration_line import CalibrationLine
    from leadml.types import Floats

ASSUMPTION = (
    "the probabilities are still calibrated as on leads whose outcomes were known: fields and outcome are related as "
    "before"
)
OF_ALL = ("leads", "conversions", "rate", "roc_auc")
OF_CUT = (
    "leads",
    "true_positives",
    "false_positives",
    "true_negatives",
    "false_negatives",
    "precision",
    "recall",
)
SHARES = ("rate", "roc_auc", "precision", "recall")


@dataclass(frozen=True, eq=False)
class ScoredLeads:
    """Leads with a probability and without outcomes.

    Parameters
    ----------
    period
        The period of each lead, such as ``2026-01``, shape (n_leads,). Periods are shown in their sorted order.
    probability
        As it was said when the lead was scored, shape (n_leads,).
    """

    period: NDArray[Any]
    probability: Floats


def estimated_performance(
    leads: ScoredLeads,
    cuts: Mapping[str, float],
    lines: Mapping[Any, CalibrationLine],
    *,
    draws: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Return the expected performance in each period, with intervals of what will be realised.

    Parameters
    ----------
    leads
        One row per lead and period.
    cuts
        The probability from which a lead is in each stage.
    lines
        For each period how the probabilities were calibrated on leads whose outcomes were known when it ended, and on
        which the model was not fitted.
    draws, seed
        Number and seed of the draws. Each period begins with the same seed, so that its figures do not depend on which
        other periods there are.
    confidence
        Of the intervals, in (0, 1).

    Returns
    -------
    frame
        One row per period and figure: ``period, figure, stage, value, low, high, assumes``. ``stage`` is empty for
        figures of all leads. Figures of all leads: ``leads``, ``conversions``, ``rate``, ``roc_auc``; of each cut:
        ``leads``, the four counts of the confusion matrix, ``precision``, ``recall``. A figure that is not defined,
        such as the precision of a cut above all leads, is NaN. ``assumes`` says on what the estimates rest.

    Notes
    -----
    Confidence-based performance estimation, as NannyML's documentation has it ("How it works", "Performance
    Estimation"): sums over probabilities take the place of counts. The interval adds what these sums leave out. Each
    draw takes a level and slope of the calibration from the normal distribution of their estimates, and outcomes with
    the probabilities that these give. So the interval covers the chance of the outcomes and the error of the line.
    Where the accounts of its leads convert together, outcomes vary by the root of the design effect more.

    Examples
    --------
    >>> from leadml.model.judge.calibration_line import CalibrationLine
    >>> leads = ScoredLeads(np.repeat("2026-01", 4), np.array([0.1, 0.2, 0.4, 0.5]))
    >>> exact = CalibrationLine(0.0, 1.0, np.zeros((2, 2)), 1.0)
    >>> table = estimated_performance(leads, {"MQL": 0.4}, {"2026-01": exact}, draws=200, confidence=0.9, seed=0)
    >>> table[table["figure"].isin(["conversions", "precision"])][["figure", "value", "low", "high"]].round(2)
            figure  value  low  high
    1  conversions   1.20  0.0   3.0
    9    precision   0.45  0.0   1.0
    """
    names, chosen = _names(cuts), list(cuts.values())
    tables = []
    for period in np.unique(leads.period):
        ranking = Ranking.of(leads.probability[leads.period == period])
        value = _figures(ranking, chosen, lines[period].recalibrated(ranking.probability))
        drawn = _drawn(ranking, chosen, lines[period].drawn(draws, seed=seed), seed=seed)
        low, high = percentiles(drawn, confidence=confidence)
        shares = names["figure"].isin(SHARES)
        low, high = np.maximum(low, 0.0), np.where(shares, np.minimum(high, 1.0), high)
        tables.append(names.assign(period=period, value=value, low=low, high=high))
    columns = ["period", "figure", "stage", "value", "low", "high"]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return table[columns].assign(assumes=ASSUMPTION)


def _names(cuts: Mapping[str, float]) -> pd.DataFrame:
    """Return figure and stage of each figure, in the order of `_figures`."""
    of_cuts = [(figure, stage) for stage in cuts for figure in OF_CUT]
    return pd.DataFrame([*((figure, "") for figure in OF_ALL), *of_cuts], columns=["figure", "stage"])


def _drawn(ranking: Ranking, cuts: Sequence[float], lines: Sequence[CalibrationLine], *, seed: int) -> Floats:
    """Return the figures of outcomes that are drawn once with each line, shape (n_lines, n_figures)."""
    random = np.random.default_rng(seed)
    margin = log_odds(ranking.probability)
    drawn = []
    for line in lines:
        conversion = expit(line.level + line.slope * margin)
        outcome = (random.random(len(margin)) < conversion).astype(np.float64)
        realised = _figures(ranking, cuts, outcome)
        if line.design_effect > 1:
            expected = _figures(ranking, cuts, conversion)
            realised = expected + np.sqrt(line.design_effect) * (realised - expected)
        drawn.append(realised)
    return np.array(drawn)


def _figures(ranking: Ranking, cuts: Sequence[float], conversion: Floats) -> Floats:
    """Return every figure of outcomes, or of the probabilities of conversions, in the order of the ranking."""
    leads, won = len(conversion), float(conversion.sum())
    figures = [leads, won, won / leads, ranking.roc_auc(conversion)]
    for cut in cuts:
        below = ranking.start_of(cut)
        hits, inside = float(conversion[below:].sum()), leads - below
        missed = won - hits
        counts = [inside, hits, inside - hits, below - missed, missed]
        figures += [*counts, _ratio(hits, inside), _ratio(hits, won)]
    return np.array(figures, dtype=np.float64)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
