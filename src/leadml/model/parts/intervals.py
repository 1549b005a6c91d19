"""How far apart the true probabilities of leads that look alike may lie.

What enters is a calibrated probability; what leaves is an interval that is meant to hold the true one.
A label is 0 or 1, so labels alone do not tell how far leads with one probability differ. What is taken instead is how
much information a model lacks: true log-odds are spread about those that the model knows by as much as makes up for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit, ndtri

if TYPE_CHECKING:
    from leadml.types import Floats


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
SHARES = WEIGHTS / WEIGHTS.sum()
GRID = np.linspace(-30.0, 30.0, 601)
WIDEST = 3.0
FEW = 1000
TINY = 1e-300


@dataclass(frozen=True)
class Intervals:
    """A normal distribution of true log-odds whose mean probability is the one that was said.

    Parameters
    ----------
    deviation
        Standard deviation of the log-odds, 0 to 3.
    level
        Share of leads whose true probability the interval is meant to hold, in (0, 1).

    Notes
    -----
    The logit-normal distribution of Atchison and Shen, "Logistic-normal distributions", Biometrika 67 (1980).

    Examples
    --------
    >>> low, high = Spread(1.0, 0.9).interval(np.array([0.1]))
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
        center = centers(expit(GRID), self.deviation)
        reach = float(ndtri(0.5 + self.level / 2)) * self.deviation
        return center - reach, center + reach

    def to_json(self) -> dict[str, Any]:
        """Return the spread as plain data."""
        return asdict(self)


def centers(probability: Floats, deviation: float) -> Floats:
    """Return where normal log-odds of a deviation must be centered to have mean probabilities, of their shape."""
    low, high = logit(probability) - 2 * deviation**2 - 1, logit(probability) + 2 * deviation**2 + 1
    for _ in range(60):  # halving: the mean rises with the center
        middle = (low + high) / 2
        above = expit(middle[:, None] + deviation * NODES) @ SHARES > probability
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2)


def information(probability: Floats, deviation: float) -> float:
    """Return by how much the log loss would fall if each true probability were known, 0 or more."""
    true = expit(centers(probability, deviation)[:, None] + deviation * NODES)
    return float((_entropy(probability) - _entropy(true) @ SHARES).mean())


def deviation_of(probability: Floats, lacking: float) -> float:
    """Return the deviation of true log-odds at which so much information is lacking, 0 to 3.

    Parameters
    ----------
    probability
        Calibrated probabilities of leads that the model did not see, shape (n_leads,).
    lacking
        By how much the log loss would fall if each true probability were known, 0 or more.

    Examples
    --------
    >>> said = np.full(10, 0.1)
    >>> round(deviation_of(said, information(said, 0.8)), 6)
    0.8
    """
    typical = np.quantile(probability, (np.arange(FEW) + 0.5) / FEW) if len(probability) > FEW else probability
    low, high = 0.0, WIDEST
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if information(typical, middle) > lacking else (middle, high)
    return (low + high) / 2 if lacking > 0 else 0.0


def _entropy(probability: Floats) -> Floats:
    other = 1.0 - probability
    return np.asarray(-probability * np.log(np.maximum(probability, TINY)) - other * np.log(np.maximum(other, TINY)))
