"""Follow the level of probabilities while outcomes become known, between two trainings.

All log-odds of a model may be too low or too high by a shift that moves like a random walk, with a part that is of one
step alone (a local level model). What outcomes say of it is kept as a normal distribution, and a probability is the
mean over it. How far the shift moves is not known beforehand: many sizes are followed side by side, and each counts as
much as its probabilities have made the known outcomes likely. Where the level does not move, probabilities are soon
those of the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from leadml.model.metrics import SMALLEST_PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats, Labels, Mask

    Outcomes = tuple[Floats, Labels]
    """Log-odds of leads by the model alone, and whether they converted."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)  # exact for polynomials up to degree 61
WEIGHTS = WEIGHTS / WEIGHTS.sum()
STARTS = (0.0, 0.25, 0.5, 1.0)  # standard deviations of log-odds: from no shift to odds that are 2.7 times as high
STEPS = (0.0, 0.1, 0.2, 0.4)  # each twice the one before: likelihoods of closer ones hardly differ
NOISES = (0.0, 0.25, 0.5)  # of larger ones the steps above say as much
NONE = 0.5  # the chance that each of the three sizes is 0, before any outcome is known
ITERATIONS = 50  # of Newton's method in one dimension, which takes about five
CLOSE = 1e-10  # log-odds


@dataclass(frozen=True)
class Sizes:
    """How far a level moves, as standard deviations of log-odds.

    Parameters
    ----------
    start
        Of the shift right after a training.
    step
        Of its change from one step to the next.
    noise
        Of what each step has for itself.
    """

    start: float
    step: float
    noise: float

    @property
    def log_prior(self) -> float:
        """The logarithm of the chance of these sizes before any outcome is known."""
        of_three = zip((self.start, self.step, self.noise), (STARTS, STEPS, NOISES), strict=True)
        return float(sum(np.log(1 - NONE) - np.log(len(of) - 1) if size else np.log(NONE) for size, of in of_three))


SIZES = tuple(Sizes(*each) for each in product(STARTS, STEPS, NOISES))
STILL = SIZES[:1]  # a level that does not move


@dataclass(frozen=True)
class Level:
    """What is known of the shift of all log-odds.

    Parameters
    ----------
    mean, variance
        Of the normal distribution of the shift, without what each step has for itself.
    sizes
        How far it moves.
    """

    mean: float
    variance: float
    sizes: Sizes

    @classmethod
    def after_training(cls, sizes: Sizes) -> Level:
        """Return what is known right after a training."""
        return cls(0.0, sizes.start**2, sizes)

    def probability(self, log_odds: Floats) -> Floats:
        """Return the probabilities of leads, shape (n_leads,): the means over the shift.

        Examples
        --------
        >>> Level.after_training(Sizes(0.0, 0.0, 0.0)).probability(np.array([0.0])).tolist()
        [0.5]
        """
        variance = self.variance + self.sizes.noise**2
        if not variance:
            return np.asarray(expit(log_odds + self.mean))
        shifts = self.mean + np.sqrt(variance) * NODES
        return np.asarray(expit(log_odds[:, None] + shifts) @ WEIGHTS)

    def next_step(self) -> Level:
        """Return what is known a step later, before any outcome of it is known."""
        return replace(self, variance=self.variance + self.sizes.step**2)

    def after(self, log_odds: Floats, label: Labels) -> Level:
        """Return what is known once the outcomes of a step are known, by Laplace's approximation.

        Outcomes that become known together are taken for those of leads of one step.

        Parameters
        ----------
        log_odds
            Of the leads, by the model alone, shape (n_leads,).
        label
            Whether they converted, shape (n_leads,).
        """
        if not self.variance or not len(label):
            return self
        of_step = self.variance + self.sizes.noise**2
        shift, precision = self.mean, 1.0
        for _ in range(ITERATIONS):
            probability = expit(log_odds + shift)
            precision = 1 / of_step + float(np.sum(probability * (1 - probability)))
            change = (float(np.sum(label - probability)) - (shift - self.mean) / of_step) / precision
            shift += float(np.clip(change, -1.0, 1.0))
            if abs(change) < CLOSE:
                break
        share = self.variance / of_step  # of what the step tells that is of the level, and not of this step alone
        mean = self.mean + share * (shift - self.mean)
        return replace(self, mean=mean, variance=self.variance * (1 - share) + share**2 / precision)


@dataclass(frozen=True)
class Step:
    """A step between two trainings.

    Parameters
    ----------
    learnt
        Log-odds and outcomes of the leads whose outcomes became known since the step before.
    said
        Log-odds of the leads that are scored in this step.
    """

    learnt: Outcomes
    said: Floats


def follow(sizes: Sizes, steps: Sequence[Step]) -> Floats:
    """Return the probabilities of the leads that are scored in all steps, one step after the other.

    Parameters
    ----------
    sizes
        How far the level moves.
    steps
        In the order of time, the first right after a training.
    """
    level, found = Level.after_training(sizes), [np.empty(0)]
    for number, step in enumerate(steps):
        level = (level.next_step() if number else level).after(*step.learnt)
        found.append(level.probability(step.said))
    return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class Followed:
    """The leads of a period, with their probabilities for each of some sizes.

    Parameters
    ----------
    probability
        Shape (n_sizes, n_leads).
    label
        Whether they converted, shape (n_leads,).
    """

    probability: Floats
    label: Labels

    @classmethod
    def of(cls, steps: Sequence[Step], label: Labels, sizes: Sequence[Sizes] = SIZES) -> Followed:
        """Return the leads that are scored in some steps."""
        return cls(np.array([follow(each, steps) for each in sizes]), label)

    def evidence(self, known: Mask) -> Floats:
        """Return the log-likelihood of the outcomes that are known, of shape (n_leads,), by each of the sizes."""
        said = np.clip(self.probability[:, known], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        return np.asarray(np.log(np.where(self.label[known] == 1, said, 1 - said)).sum(axis=1))

    def mixed(self, evidence: Floats, leads: Mask) -> Floats:
        """Return the probabilities of some leads, with each of the sizes as likely as evidence makes it."""
        return np.asarray(chances(evidence) @ self.probability[:, leads])


def chances(evidence: Floats) -> Floats:
    """Return how likely sizes are, by their log prior and what was found since, up to a constant; shape (n_sizes,).

    Examples
    --------
    >>> chances(np.log([1.0, 3.0])).round(2).tolist()
    [0.25, 0.75]
    """
    weight = np.exp(evidence - evidence.max())
    return np.asarray(weight / weight.sum())
