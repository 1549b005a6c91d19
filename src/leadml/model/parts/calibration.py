"""Calibrate log-odds by a line: of rows that are given 20%, about one in five should convert.

A fit needs no calibration of its own: its parts are weighed by their log loss, and on leads that it was not fitted on
a line through its log-odds has a slope of about 1 (decision 1). Points of rules are no log-odds and need the line.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

if TYPE_CHECKING:
    from leadml.types import Floats, Labels


MAX_LOGIT = 30.0  # keeps probabilities below 1, which doubles reach at 37; 30 is a probability of 1e-13
MIN_SLOPE = 1e-3  # above 0, so that no leads tie or change places; over ten log-odds, 0.001 adds 0.01


@dataclass(frozen=True)
class Calibrator:
    """A rising line from log-odds to calibrated log-odds.

    Parameters
    ----------
    slope
        Calibrated log-odds per log-odds, above 0.
    intercept
        Calibrated log-odds at log-odds of 0.

    Notes
    -----
    Platt, "Probabilistic outputs for support vector machines" (1999).
    """

    slope: float = 1.0
    intercept: float = 0.0

    def logit(self, margin: Floats) -> Floats:
        """Return calibrated log-odds of the shape of ``margin``."""
        return np.asarray(self.slope * margin + self.intercept, dtype=np.float64)

    def probability(self, margin: Floats) -> Floats:
        """Return probabilities in (0, 1) of the shape of ``margin``."""
        return np.asarray(expit(np.clip(self.logit(margin), -MAX_LOGIT, MAX_LOGIT)))

    def steepness(self, margin: Floats) -> Floats:
        """Return the derivative of the probability by the margin, 0 or more, of the shape of ``margin``."""
        probability = self.probability(margin)
        return np.asarray(self.slope * probability * (1.0 - probability))

    def to_json(self) -> dict[str, float]:
        """Return the calibrator as plain data."""
        return asdict(self)


def fit_calibrator(margin: Floats, label: Labels) -> Calibrator:
    """Return the calibrator with the least log loss.

    Parameters
    ----------
    margin
        Log-odds or points, shape (n_rows,).
    label
        Array of shape (n_rows,) of 0 and 1.

    Examples
    --------
    >>> margin = np.array([-1.0, 1.0] * 100)
    >>> label = np.array(([0, 1] * 3 + [1, 0]) * 25)  # of those with -1 one in four converted, with 1 three in four
    >>> round(fit_calibrator(margin, label).slope, 3)  # the logarithm of 3
    1.099
    """
    mean, deviation = float(margin.mean()), float(margin.std()) or 1.0
    design = np.column_stack([(margin - mean) / deviation, np.ones(len(label))])
    signs = np.where(label == 1, -1.0, 1.0)

    def loss(numbers: Floats) -> tuple[float, Floats]:
        logit = (design * numbers).sum(axis=1)
        error = expit(logit) - label
        value = float(np.logaddexp(0.0, signs * logit).mean())
        return value, (design * error[:, None]).mean(axis=0)

    bounds = [(MIN_SLOPE, None), (None, None)]
    options = {"ftol": 1e-12, "gtol": 1e-9}
    optimum = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    slope, intercept = (float(number) for number in optimum.x)
    return Calibrator(slope / deviation, intercept - slope * mean / deviation)


def log_losses(logit: Floats, label: Labels) -> Floats:
    """Return the log loss of each row, shape (n_rows,), 0 or more."""
    return np.asarray(np.logaddexp(0.0, np.where(label == 1, -logit, logit)))
