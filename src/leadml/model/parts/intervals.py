"""Intervals of true probabilities around a calibrated probability.

A label is 0 or 1, so labels alone do not tell how much leads with one probability differ. The interval is derived from
the estimated information gap of the model instead: the true log-odds of these leads are taken to be normal, with the
deviation that accounts for the gap.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit, ndtri

if TYPE_CHECKING:
    from leadml.types import Floats


# The mean probability is exact to 1e-8 at a deviation of 2 and 4e-6 at 3, compared with 199 nodes; 21 give 2e-4 at 3.
NODES, QUADRATURE_WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
SHARES = QUADRATURE_WEIGHTS / QUADRATURE_WEIGHTS.sum()
GRID = np.linspace(-30.0, 30.0, 601)  # as far as calibrated log-odds go; steps of 0.1 move no end by over 0.00003
MAX_DEVIATION = 3.0  # nine tenths of the leads with an even chance are then between 0.7% and 99.3%: nothing is known
MAX_QUANTILES = 1000  # for speed: of 50,000 probabilities, the deviation is within 0.0002 of that of all
SMALLEST_PROBABILITY = 1e-300  # so that 0 * log(0) is 0; doubles go down to 2e-308


@dataclass(frozen=True)
class Intervals:
    """Intervals from normal log-odds whose mean probability is the calibrated one.

    Parameters
    ----------
    deviation
        Standard deviation of the log-odds, 0 to 3.
    level
        Share of leads whose true probability the interval should contain, in (0, 1).

    Notes
    -----
    The logit-normal distribution of Atchison and Shen, "Logistic-normal distributions", Biometrika 67 (1980).

    Examples
    --------
    >>> low, high = Intervals(1.0, 0.9).interval(np.array([0.1]))
    >>> low.round(3), high.round(3)
    (array([0.015]), array([0.285]))
    """

    deviation: float
    level: float

    def interval(self, probability: Floats) -> tuple[Floats, Floats]:
        """Return lower and upper ends for probabilities in (0, 1), each of their shape."""
        place = np.clip(logit(probability), GRID[0], GRID[-1])
        low, high = (np.interp(place, GRID, ends) for ends in self._ends)
        return np.asarray(expit(low)), np.asarray(expit(high))

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        """Log-odds of both ends at the log-odds of the grid."""
        mean = mean_log_odds(expit(GRID), self.deviation)
        half_width = float(ndtri(0.5 + self.level / 2)) * self.deviation
        return mean - half_width, mean + half_width

    def to_json(self) -> dict[str, Any]:
        """Return the intervals as plain data."""
        return asdict(self)


def mean_log_odds(probability: Floats, deviation: float) -> Floats:
    """Return the means of normal log-odds whose mean probabilities are given, of the shape of ``probability``.

    Parameters
    ----------
    probability
        Mean probabilities in (0, 1), shape (n_rows,).
    deviation
        Standard deviation of the log-odds, 0 or more.
    """
    low, high = logit(probability) - 2 * deviation**2 - 1, logit(probability) + 2 * deviation**2 + 1
    for _ in range(60):  # bisection: the mean probability rises with the mean of the log-odds
        middle = (low + high) / 2
        is_above = expit(middle[:, None] + deviation * NODES) @ SHARES > probability
        low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
    return np.asarray((low + high) / 2)


def gap_of(probability: Floats, deviation: float) -> float:
    """Return by how much the log loss would fall if each true probability were known, 0 or more.

    Parameters
    ----------
    probability
        Calibrated probabilities in (0, 1), shape (n_rows,).
    deviation
        Standard deviation of the true log-odds, 0 or more.
    """
    true = expit(mean_log_odds(probability, deviation)[:, None] + deviation * NODES)
    return float((_entropy(probability) - _entropy(true) @ SHARES).mean())


def deviation_of(probability: Floats, gap: float) -> float:
    """Return the deviation of the true log-odds that accounts for an information gap, 0 to 3: the inverse of `gap_of`.

    Parameters
    ----------
    probability
        Out-of-fold calibrated probabilities, shape (n_rows,).
    gap
        By how much the log loss would fall if each true probability were known, 0 or more.

    Examples
    --------
    >>> probability = np.full(10, 0.1)
    >>> round(deviation_of(probability, gap_of(probability, 0.8)), 6)
    0.8
    """
    is_many = len(probability) > MAX_QUANTILES
    typical = np.quantile(probability, (np.arange(MAX_QUANTILES) + 0.5) / MAX_QUANTILES) if is_many else probability
    low, high = 0.0, MAX_DEVIATION
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if gap_of(typical, middle) > gap else (middle, high)
    return (low + high) / 2 if gap > 0 else 0.0


def _entropy(probability: Floats) -> Floats:
    other = 1.0 - probability
    return np.asarray(
        -probability * np.log(np.maximum(probability, SMALLEST_PROBABILITY))
        - other * np.log(np.maximum(other, SMALLEST_PROBABILITY))
    )
