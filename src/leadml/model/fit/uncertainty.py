"""How far a score would be another one: estimated from the folds and the parts of a model, without any further fit.

Each lead of the training set has two log-odds, those of the model and those of the folds that did not learn from it.
Their difference, scaled from a fold to the whole training set, is the jackknife's estimate of how much the model varies
with the leads that it happened to learn from. Where the parts of a model say different things of a lead, at most one of
them is right, however many leads there are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leadml.model.fit.selection import FitData, Selection
    from leadml.model.predict.lead_model import LeadModel
    from leadml.types import Floats


# Decision 18: settled on truths of three kinds with 1,000 to 30,000 leads, shown on five others. The jackknife is too
# wide for trees, whose splits jump; the parts agree more with each other than with the truth, which is none of them.
OF_JACKKNIFE, OF_PARTS = 0.75, 1.7
FEW_ROWS = 2000  # tell a standard deviation to within 2%


def sampling_deviation(data: FitData, selection: Selection, margin: Floats) -> float:
    """Return the standard deviation of a lead's log-odds over trainings with other leads of the same number.

    Parameters
    ----------
    data
        The training set.
    selection
        Out-of-fold log-odds.
    margin
        Log-odds of the model, fitted on all rows, shape (n_rows,).

    Notes
    -----
    The grouped jackknife (Miller, "The jackknife: a review", Biometrika 61, 1974): where a model was fitted on the
    share f of the leads, the variance of its difference to the whole model is 1 / f - 1 times that of the whole model.
    A fold is evaluated on leads that it was not fitted on, so f is below 1.
    """
    variance = np.concatenate(
        [(selection.margin[rows] - margin[rows]) ** 2 / (1 / data.share_of_leads(fit) - 1) for fit, rows in data.folds]
    )
    return float(np.sqrt(OF_JACKKNIFE * variance.mean()))


def score_deviation(sampling: float, between_parts: float) -> float:
    """Return the standard deviation of the log-odds of a score, as far as the model and its leads can tell it.

    Parameters
    ----------
    sampling
        Of `sampling_deviation`.
    between_parts
        Mean variance of the out-of-fold log-odds of the parts of a model, by their weights.
    """
    return float(np.sqrt(sampling**2 + OF_PARTS * between_parts))


def importance_correlation(importance: Floats) -> float:
    """Return how far models of other leads agree which fields matter more: the mean rank correlation of two of them.

    Parameters
    ----------
    importance
        How much each field adds in each model, shape (n_models, n_fields).

    Returns
    -------
    float
        From -1 to 1, where the order is the same; 1 where there is one field or one model.

    Notes
    -----
    Spearman's correlation; equal values share the mean of their ranks.

    Examples
    --------
    >>> importance_correlation(np.array([[0.1, 0.2, 0.3], [0.2, 0.1, 0.3]])).__round__(2)
    0.5
    """
    ranks = []
    for values in importance:
        _, code, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[code])
    varied = np.array([each - each.mean() for each in ranks if np.ptp(each) > 0])
    if len(varied) <= 1:
        return 1.0
    varied /= np.sqrt((varied**2).sum(axis=1, keepdims=True))
    return float((varied @ varied.T)[np.triu_indices(len(varied), 1)].mean())


def with_deviations_of_new(model: LeadModel, fields: Floats) -> LeadModel:
    """Return a model with wider intervals for leads of which a value is new to it.

    A value that is new says nothing. What it will be found to say is taken to vary as what the values of its field say
    of the leads of the training set.

    Parameters
    ----------
    model
        The model.
    fields
        Of the training set, shape (n_rows, n_fields).
    """
    some = fields[:: -(-len(fields) // FEW_ROWS)]
    _, log_odds = model.contributions(some)
    has_new = np.array([bool(model.encoder.new_codes(index)) for index in range(fields.shape[1])])
    of_new = np.where(has_new, log_odds.std(axis=0), 0.0)
    return replace(model, intervals=replace(model.intervals, of_new=tuple(of_new.tolist())))
