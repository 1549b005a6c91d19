"""Baselines for a model: the base rate, the team's points, Odoo's lead scoring and plain logistic regression.

Each baseline learns from the same rows and fields as the model, and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import LABEL
from leadml.leads.check.field_test import field_test_holds
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
    learn: pd.DataFrame, holdout: pd.DataFrame, fields: Sequence[Field], params: Params
) -> dict[str, Floats]:
    """Return the probabilities of each baseline for the holdout, shape (n_holdout,).

    Parameters
    ----------
    learn, holdout
        Checked rows, the former with labels.
    fields
        The fields of the model.
    params
        ``model`` for the encoding, ``baselines.points`` for the points rule. Without points there is no points rule,
        and without a category or boolean no Odoo scoring.
    """
    label = learn[LABEL].to_numpy(dtype=np.int8)
    probabilities = {BASE_RATE: np.full(len(holdout), label.mean())}
    rules = params.baselines.points
    if rules:
        calibrator = fit_calibrator(lead_points(learn, rules), label)
        probabilities[POINTS] = calibrator.probability(lead_points(holdout, rules))
    if any(field.kind != "number" for field in fields):
        probabilities[ODOO] = odoo_probabilities(learn, holdout, fields)
    probabilities[LOGISTIC] = _logistic(learn, holdout, fields, params.model)
    return probabilities


def lead_points(frame: pd.DataFrame, rules: Sequence[PointsRule]) -> Floats:
    """Return the points of each lead by the team's rules, shape (n_rows,).

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
        points += np.where(field_test_holds(frame[rule.field], rule), rule.points, 0.0)
    return points


def _logistic(learn: pd.DataFrame, holdout: pd.DataFrame, fields: Sequence[Field], params: ModelParams) -> Floats:
    """Return scikit-learn's logistic regression at its default strength: flags, and standardized numbers."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import and not always needed
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    encoder = fit_encoder(learn, fields, params)
    matrices = encoder.encode(learn), encoder.encode(holdout)
    is_present = np.where(np.isnan(matrices[0]), 0.0, 1.0)
    counts = np.maximum(is_present.sum(axis=0), 1)
    mean = np.nansum(matrices[0], axis=0) / counts
    deviation = np.sqrt(np.nansum((matrices[0] - mean) ** 2, axis=0) / counts)
    scale = np.where(encoder.is_flag | (deviation == 0), 1.0, deviation)
    design, holdout_design = (np.nan_to_num((matrix - mean) / scale, nan=0.0) for matrix in matrices)
    with threadpool_limits(1):
        fitted = LogisticRegression(solver="newton-cholesky").fit(design, learn[LABEL].to_numpy(dtype=np.int8))
        return np.asarray(fitted.predict_proba(holdout_design)[:, 1])
