"""Follow the level of probabilities while outcomes become known, between two trainings.

All log-odds of a model may be too low or too high by a shift that moves like a random walk. What outcomes say of it is
kept as a normal distribution, and a probability is the mean over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats, Labels

    Outcomes = tuple[Floats, Labels]
    """Log-odds of leads by the model alone, and whether they converted."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)  # exact for polynomials up to degree 61
WEIGHTS = WEIGHTS / WEIGHTS.sum()
STARTS = (0.0, 0.25, 0.5, 1.0)  # standard deviations of log-odds: from no shift to odds that are 2.7 times as high
STEPS = (0.0, 0.05, 0.1, 0.2, 0.4)  # each twice the one before: likelihoods of closer ones hardly differ
ITERATIONS = 50  # of Newton's method in one dimension, which takes about five
CLOSE = 1e-10  # log-odds
PRICE = 1.0  # log-likelihood that each of the two sizes must gain, if it is not 0 (Akaike's criterion)


@dataclass(frozen=True)
class Level:
    """What is known of the shift of all log-odds.

    Parameters
    ----------
    mean, variance
        Of the normal distribution of the shift.
    start, step
        Standard deviation of the shift right after a training, and of its change from one step to the next.
    """

    mean: float
    variance: float
    start: float
    step: float

    @classmethod
    def after_training(cls, start: float, step: float) -> Level:
        """Return what is known right after a training."""
        return cls(0.0, start**2, start, step)

    def probability(self, log_odds: Floats) -> Floats:
        """Return the probabilities of leads, shape (n_leads,): the means over the shift.

        Examples
        --------
        >>> Level.after_training(0.0, 0.0).probability(np.array([0.0])).tolist()
        [0.5]
        """
        if not self.variance:
            return np.asarray(expit(log_odds + self.mean))
        shifts = self.mean + np.sqrt(self.variance) * NODES
        return np.asarray(expit(log_odds[:, None] + shifts) @ WEIGHTS)

    def next_step(self) -> Level:
        """Return what is known a step later, before any outcome of it is known."""
        return replace(self, variance=self.variance + self.step**2)

    def after(self, log_odds: Floats, label: Labels) -> Level:
        """Return what is known once the outcomes of leads are known, by Laplace's approximation.

        Parameters
        ----------
        log_odds
            Of the leads, by the model alone, shape (n_leads,).
        label
            Whether they converted, shape (n_leads,).
        """
        if not self.variance or not len(label):
            return self
        shift = self.mean
        for _ in range(ITERATIONS):
            probability = expit(log_odds + shift)
            precision = 1 / self.variance + float(np.sum(probability * (1 - probability)))
            change = (float(np.sum(label - probability)) - (shift - self.mean) / self.variance) / precision
            shift += float(np.clip(change, -1.0, 1.0))
            if abs(change) < CLOSE:
                break
        return replace(self, mean=shift, variance=1 / precision)


@dataclass(frozen=True)
class Step:
    """A step between two trainings.

    Parameters
    ----------
    learnt
        Log-odds and outcomes of the leads whose outcomes became known since the step before.
    said
        Log-odds of the leads that are scored in this step, and their outcomes.
    """

    learnt: Outcomes
    said: Outcomes


def follow(level: Level, steps: Sequence[Step]) -> tuple[list[Floats], float]:
    """Return the probabilities of the leads that are scored in each step, and the log-likelihood of their outcomes.

    Parameters
    ----------
    level
        What is known right after a training, which is before the first step.
    steps
        In the order of time.
    """
    probabilities, likelihood = [], 0.0
    for number, step in enumerate(steps):
        level = (level.next_step() if number else level).after(*step.learnt)
        log_odds, label = step.said
        probability = level.probability(log_odds)
        probabilities.append(probability)
        likelihood += float(np.log(np.where(label == 1, probability, 1 - probability)).sum())
    return probabilities, likelihood


def fitted_level(periods: Sequence[Sequence[Step]]) -> Level:
    """Return the level after a training, with the sizes that fit past periods best: 0 where the level does not move.

    Where no outcome ever becomes known between two trainings there is nothing to follow, and both sizes are 0, too.

    Parameters
    ----------
    periods
        For each past period its steps, with the log-odds of the model that was in use.

    Examples
    --------
    >>> fitted_level([]).start, fitted_level([]).step
    (0.0, 0.0)
    """
    if not any(len(step.learnt[1]) for steps in periods for step in steps):
        return Level.after_training(0.0, 0.0)

    def worth(start: float, step: float) -> float:
        level = Level.after_training(start, step)
        likelihood = sum(follow(level, steps)[1] for steps in periods)
        return likelihood - PRICE * ((start > 0) + (step > 0))

    start, step = max(product(STARTS, STEPS), key=lambda sizes: worth(*sizes))
    return Level.after_training(start, step)
