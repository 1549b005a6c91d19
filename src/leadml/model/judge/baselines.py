"""What a model must beat: the base rate, the team's points, Odoo's lead scoring and plain logistic regression.

What enters is leads to learn from and leads to judge by; what leaves is a probability of each baseline for the latter.
A baseline sees what the model sees and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import LABEL
from leadml.leads.check.convert import plain_text
from leadml.model.judge.odoo import odoo_probabilities
from leadml.model.parts.calibration import fit_calibrator
from leadml.model.parts.encode import fit_encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.params import ModelParams, Params, PointsRule
    from leadml.types import Floats


BASE_RATE = "base rate"
POINTS = "points rule"
ODOO = "Odoo scoring"
LOGISTIC = "logistic regression"


def baseline_probabilities(
    learn: pd.DataFrame, judge: pd.DataFrame, fields: Sequence[Field], params: Params
) -> dict[str, Floats]:
    """Return for each baseline the probability of each lead to judge by, shape (n_judged,).

    Parameters
    ----------
    learn, judge
        Checked leads with labels.
    fields
        The fields of the model.
    params
        ``model`` for the encoding, ``baselines.points`` for the points rule; without points that one is left out, as
        Odoo's is where all fields are numbers.
    """
    label = learn[LABEL].to_numpy(dtype=np.int8)
    found = {BASE_RATE: np.full(len(judge), label.mean())}
    rules = params.baselines.points
    if rules:
        scale = fit_calibrator(lead_points(learn, rules), label, method="sigmoid")
        found[POINTS] = scale.probability(lead_points(judge, rules))
    if any(field.kind != "number" for field in fields):
        found[ODOO] = odoo_probabilities(learn, judge, fields)
    found[LOGISTIC] = _logistic(learn, judge, fields, params.model)
    return found


def lead_points(frame: pd.DataFrame, rules: Sequence[PointsRule]) -> Floats:
    """Return the points that the team's rules give each lead, shape (n_leads,).

    Examples
    --------
    >>> import pandas as pd
    >>> from leadml.params import PointsRule
    >>> rules = [PointsRule(field="job", points=10, any_of=("chef",)), PointsRule(field="age", points=5, at_least=40)]
    >>> lead_points(pd.DataFrame({"job": ["chef", "monk"], "age": [40.0, float("nan")]}), rules)
    array([15.,  0.])
    """
    points = np.zeros(len(frame))
    for rule in rules:
        column = frame[rule.field]
        if rule.any_of is not None:
            holds = column.isin([plain_text(word) for word in rule.any_of]).to_numpy()
        else:
            values = column.to_numpy(dtype=np.float64)
            lowest = -np.inf if rule.at_least is None else rule.at_least
            highest = np.inf if rule.at_most is None else rule.at_most
            holds = (values >= lowest) & (values <= highest)
        points += np.where(holds, rule.points, 0.0)
    return points


def _logistic(learn: pd.DataFrame, judge: pd.DataFrame, fields: Sequence[Field], choices: ModelParams) -> Floats:
    """Return scikit-learn's logistic regression at its default strength: flags, and numbers in standard units."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - the door opens without it
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    encoder = fit_encoder(learn, fields, choices)
    matrices = encoder.encode(learn), encoder.encode(judge)
    known = np.where(np.isnan(matrices[0]), 0.0, 1.0)
    mean = np.nansum(matrices[0], axis=0) / np.maximum(known.sum(axis=0), 1)
    spread = np.sqrt(np.nansum((matrices[0] - mean) ** 2, axis=0) / np.maximum(known.sum(axis=0), 1))
    scale = np.where(encoder.is_flag | (spread == 0), 1.0, spread)
    learned, judged = (np.nan_to_num((matrix - mean) / scale, nan=0.0) for matrix in matrices)
    with threadpool_limits(1):
        fitted = LogisticRegression(solver="newton-cholesky").fit(learned, learn[LABEL].to_numpy(dtype=np.int8))
        return np.asarray(fitted.predict_proba(judged)[:, 1])
