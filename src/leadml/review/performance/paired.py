"""Compare two models on the same leads: the gain of one over the other, how sure it is, and how many leads it takes.

A gain is how much lower the log loss is, in nats per lead. Leads of one group (a lead that is scored again, an account)
are not independent, so what varies is the sum of a group. Leads of one day are not either: what moves the level of a
day moves the losses of all its leads.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leadml.types import Floats, Labels, Rows

NORMAL = NormalDist()
LEAST_PROBABILITY = 1e-6  # so that no single lead decides: it counts at most 13.8 nats
BOUND = -np.log(LEAST_PROBABILITY)  # of a difference of two losses
DRAWS = 999  # the 5% quantile of 999 is a draw itself, the fiftieth
LARGEST_BET = 0.5  # of the capital that may be lost on one lead
PRIOR = 1e-4  # squared outcome of a bet that is taken for seen: of models whose losses differ by 0.1 nats per lead
LEAST_DAYS = 5  # from fewer nobody can tell how much days vary


def losses(label: Labels, probability: Floats) -> Floats:
    """Return the log loss of each lead, shape (n_leads,), with probabilities of at least 1e-6 and at most 1 - 1e-6."""
    inside = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-np.log(np.where(label == 1, inside, 1 - inside)))


@dataclass(frozen=True)
class Gain:
    """The mean gain of a challenger over a champion on the same leads.

    Parameters
    ----------
    value
        Nats per lead; above 0 the challenger is better.
    error
        Its standard error: by groups, and by days where that is larger.
    leads
        Number of leads.
    sums, sizes
        Gain and number of leads of each group, shape (n_groups,).
    """

    value: float
    error: float
    leads: int
    sums: Floats
    sizes: Floats

    @classmethod
    def of(cls, differences: Floats, groups: Rows | None = None, days: Rows | None = None) -> Gain:
        """Return the gain of leads.

        Parameters
        ----------
        differences
            Loss of the champion less that of the challenger, shape (n_leads,).
        groups
            Number of the group of each lead, shape (n_leads,); None for independent leads.
        days
            Number of the day of each lead, shape (n_leads,); None where days do not count.
        """
        sums, sizes = _sums(differences, groups)
        value, errors = float(differences.mean()), [_error(sums, sizes)]
        if days is not None and len(np.unique(days)) >= LEAST_DAYS:
            errors.append(_error(*_sums(differences, days)))
        return cls(value, max(errors), len(differences), sums, sizes)

    def low(self, confidence: float, *, seed: int = 0) -> float:
        """Return the lower end of the one-sided interval, by the bootstrap over groups.

        Parameters
        ----------
        confidence
            Of the interval, in (0.5, 1).
        seed
            Of the draws.
        """
        if len(self.sums) < 2:  # noqa: PLR2004 - one group has no spread
            return -np.inf
        random, count = np.random.default_rng(seed), len(self.sums)
        means = np.empty(DRAWS)
        for draw in range(DRAWS):
            weight = np.bincount(random.integers(0, count, count), minlength=count)
            means[draw] = weight @ self.sums / (weight @ self.sizes)
        return float(np.quantile(means, 1 - confidence))

    def is_surely_below(self, margin: float, *, confidence: float) -> bool:
        """Return whether the challenger loses more than a margin of 0 or more, and surely loses anything at all."""
        return self.value < -margin and self.value + NORMAL.inv_cdf(confidence) * self.error < 0

    def needed(self, least: float, *, confidence: float, power: float) -> int:
        """Return with how many leads a true gain would be found.

        Parameters
        ----------
        least
            The true gain in nats per lead, above 0.
        confidence
            Of the one-sided test.
        power
            Probability with which it is found, in (0, 1).

        Notes
        -----
        ``n = ((z_confidence + z_power) * sd / least)^2`` with the standard deviation per lead that the groups show.
        """
        deviation = self.error * np.sqrt(self.leads)
        return int(np.ceil(((NORMAL.inv_cdf(confidence) + NORMAL.inv_cdf(power)) * deviation / least) ** 2))

    def e_value(self) -> float:
        """Return the evidence that there is a gain, as the capital of bets that would not grow if there were none.

        If there is no gain, the probability that it ever reaches 20 is at most 1 in 20, whenever one looks, and the
        product of the values of other leads may be taken.

        Notes
        -----
        A bet on each group, of the share of the capital that its predecessors suggest: Waudby-Smith and Ramdas,
        "Estimating means of bounded random variables by betting", Journal of the Royal Statistical Society B 86 (2024).
        """
        outcomes = self.sums / (BOUND * np.maximum.accumulate(self.sizes))  # in [-1, 1], whatever comes later
        count = np.arange(1, len(outcomes) + 1)
        mean = np.cumsum(outcomes) / (count + 1)  # shrunk by one group without a gain
        square = (np.cumsum(outcomes**2) + PRIOR) / (count + 1)
        bets = np.clip(np.append(0.0, (mean / square)[:-1]), 0.0, LARGEST_BET)
        return float(np.exp(np.log1p(bets * outcomes).sum()))


def _sums(differences: Floats, groups: Rows | None) -> tuple[Floats, Floats]:
    """Return sum and number of leads of each group, shape (n_groups,)."""
    numbers = np.arange(len(differences)) if groups is None else np.unique(groups, return_inverse=True)[1]
    return np.bincount(numbers, weights=differences).astype(np.float64), np.bincount(numbers).astype(np.float64)


def _error(sums: Floats, sizes: Floats) -> float:
    """Return the standard error of the mean of leads, by groups; infinite of one group, which has no spread."""
    count, leads = len(sums), sizes.sum()
    if count < 2:  # noqa: PLR2004 - one group
        return np.inf
    rest = sums - sums.sum() / leads * sizes
    return float(np.sqrt((rest**2).sum() * count / (count - 1)) / leads)
