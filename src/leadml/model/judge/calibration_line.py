"""How well probabilities are calibrated on leads with known outcomes, and how surely this is known.

Two numbers say it: the level and the slope of the log-odds of the outcome on those of the probability. Both are
estimated from a limited number of leads, and what is computed from them is as uncertain as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from leadml.errors import ModelError
from leadml.model.metrics import SMALLEST_PROBABILITY, calibration_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadml.types import Floats, Labels, Rows


LEAST_LINES = 3  # two have one difference, from which no spread can be told


@dataclass(frozen=True, eq=False)
class CalibrationLine:
    """The line of the log-odds of outcomes on those of probabilities, with the uncertainty of both its numbers.

    Parameters
    ----------
    level, slope
        0 and 1 for probabilities that are perfectly calibrated. With a level below 0 the probabilities are too high,
        with a slope below 1 too far apart.
    covariance
        Of level and slope, shape (2, 2).
    design_effect
        How many times as much the number of conversions varies as that of independent leads would, at least 1: leads
        of one account convert together.
    """

    level: float
    slope: float
    covariance: Floats
    design_effect: float

    @classmethod
    def of(cls, label: Labels, probability: Floats, *, cluster: NDArray[Any] | None = None) -> Self:
        """Return the line of some leads, such as those on which the calibration of a version was judged.

        Parameters
        ----------
        label, probability
            Arrays of shape (n_leads,).
        cluster
            The account of each lead, shape (n_leads,); None if all leads are independent.

        Raises
        ------
        ModelError
            Where all outcomes or all probabilities are equal.

        Notes
        -----
        Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958). The covariance is that
        of Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73 (1986): it needs
        neither independent leads nor a true line.

        Examples
        --------
        >>> label, probability = np.array([0, 0, 0, 1, 0, 1, 1, 1]), np.repeat([0.25, 0.75], 4)
        >>> line = CalibrationLine.of(label, probability)
        >>> round(line.slope, 6), line.covariance.shape
        (1.0, (2, 2))
        """
        level, slope = calibration_line(label, probability, np.ones(len(label)))
        if np.isnan(slope):
            msg = (
                f"the reference must have leads that converted, leads that did not, and different probabilities, got "
                f"{len(label):,} leads with {int(label.sum()):,} conversions and {len(np.unique(probability)):,} "
                f"different probabilities; take more leads with known outcomes"
            )
            raise ModelError(msg)
        codes = cluster_codes(cluster, len(label))
        design = np.column_stack([np.ones(len(label)), log_odds(probability)])
        fitted = expit(design @ np.array([level, slope]))
        variance, residual = fitted * (1 - fitted), label - fitted
        inverse = np.linalg.pinv((design * variance[:, None]).T @ design, hermitian=True)
        sums = np.column_stack([np.bincount(codes, weights=column * residual) for column in design.T])
        clusters = len(sums)
        covariance = inverse @ (sums.T @ sums) @ inverse * (clusters / max(clusters - 1, 1))
        effect = 1.0 if cluster is None else float(sums[:, 0] @ sums[:, 0] / max(variance.sum(), SMALLEST_PROBABILITY))
        return cls(level, slope, covariance, max(effect, 1.0))

    def recalibrated(self, probability: Floats) -> Floats:
        """Return the probabilities that the line gives, shape (n_leads,).

        Examples
        --------
        >>> CalibrationLine(0.0, 1.0, np.zeros((2, 2)), 1.0).recalibrated(np.array([0.25, 0.5])).round(6).tolist()
        [0.25, 0.5]
        """
        return np.asarray(expit(self.level + self.slope * log_odds(probability)))

    def combined(self, others: Sequence[Self]) -> Self:
        """Return the line of further leads, by this line and others, each of another time.

        Its covariance also holds by how much times differ, as far as three lines or more show it. The design effect is
        that of this line.

        Notes
        -----
        A meta-analysis with random effects: what the lines vary by beyond their own covariances is taken for the
        differences of times, by the method of moments of DerSimonian and Laird, "Meta-analysis in clinical trials",
        Controlled Clinical Trials 7 (1986), in two dimensions and with equal weights.

        Examples
        --------
        >>> one, other = (CalibrationLine(level, 1.0, np.diag([0.04, 0.01]), 1.0) for level in (0.0, 0.4))
        >>> both = one.combined([other])
        >>> round(both.level, 3), np.diag(both.covariance).round(3).tolist()
        (0.2, [0.02, 0.005])
        """
        lines = [self, *others]
        numbers = np.array([[line.level, line.slope] for line in lines])
        covariances = np.array([line.covariance for line in lines])
        between = np.zeros((2, 2))
        if len(lines) >= LEAST_LINES:
            between = _positive(np.cov(numbers, rowvar=False) - covariances.mean(axis=0))
        weights = np.linalg.pinv(covariances + between, hermitian=True)
        covariance = np.linalg.pinv(weights.sum(axis=0), hermitian=True)
        level, slope = covariance @ np.einsum("kij,kj->i", weights, numbers)
        return type(self)(float(level), float(slope), covariance + between, self.design_effect)

    def drawn(self, draws: int, *, seed: int) -> tuple[Self, ...]:
        """Return lines that the leads could have had, from the normal distribution of level and slope.

        Examples
        --------
        >>> line = CalibrationLine(0.1, 1.0, np.diag([0.04, 0.0]), 1.0)
        >>> {round(each.slope, 6) for each in line.drawn(50, seed=0)}
        {1.0}
        """
        random = np.random.default_rng(seed)
        lines = random.multivariate_normal([self.level, self.slope], self.covariance, size=draws)
        return tuple(
            type(self)(float(level), float(slope), self.covariance, self.design_effect) for level, slope in lines
        )


def _positive(matrix: Floats) -> Floats:
    """Return the nearest matrix without a negative variance, in any direction."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def log_odds(probability: Floats) -> Floats:
    """Return the log-odds of probabilities in [0, 1]; those of 0 and 1 are finite.

    Examples
    --------
    >>> log_odds(np.array([0.0, 0.5, 0.75])).round(2).tolist()
    [-34.54, 0.0, 1.1]
    """
    return np.asarray(logit(np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)))


def cluster_codes(cluster: NDArray[Any] | None, leads: int) -> Rows:
    """Return the number of each lead's cluster, from 0; without clusters each lead is one.

    Examples
    --------
    >>> cluster_codes(np.array(["b", "a", "b"]), 3).tolist()
    [0, 1, 0]
    """
    if cluster is None:
        return np.arange(leads)
    return np.asarray(pd.factorize(cluster)[0], dtype=np.intp)
