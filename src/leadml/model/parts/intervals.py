"""Intervals of the probability that leads with the same fields convert.

The log-odds of a score are taken to be normal around what the model says. Their deviation is how far the model would
say something else if it had learnt from other leads, or by its other parts. Causes that no field records are not in it:
labels cannot tell them from chance.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit, ndtri

if TYPE_CHECKING:
    from leadml.types import Floats, Mask


@dataclass(frozen=True)
class Intervals:
    """Intervals from normal log-odds.

    Parameters
    ----------
    deviation
        Standard deviation of the log-odds of a score, 0 or more.
    level
        Share of leads whose true probability the interval should contain, in (0, 1).
    of_new
        For each field the standard deviation of what it adds to the log-odds of leads, which is not known of a lead
        whose value is new to the model; empty where no value is.

    Examples
    --------
    >>> low, high = Intervals(1.0, 0.9).interval(np.array([0.1]))
    >>> low.round(3), high.round(3)
    (array([0.021]), array([0.365]))
    """

    deviation: float
    level: float
    of_new: tuple[float, ...] = ()

    def interval(self, probability: Floats, is_new: Mask | None = None) -> tuple[Floats, Floats]:
        """Return lower and upper ends, each of shape (n_rows,).

        Parameters
        ----------
        probability
            Calibrated probabilities in (0, 1), shape (n_rows,).
        is_new
            Which values are new to the model, shape (n_rows, n_fields); None for none.
        """
        variance = np.full(len(probability), self.deviation**2)
        if is_new is not None and self.of_new:
            for column, deviation in zip(is_new.T, self.of_new, strict=True):
                variance[column] += deviation**2
        half_width = float(ndtri(0.5 + self.level / 2)) * np.sqrt(variance)
        middle = logit(probability)
        return np.asarray(expit(middle - half_width)), np.asarray(expit(middle + half_width))

    def to_json(self) -> dict[str, Any]:
        """Return the intervals as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Intervals:
        """Return the intervals that `to_json` wrote."""
        return cls(stored["deviation"], stored["level"], tuple(stored["of_new"]))
