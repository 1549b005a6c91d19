"""How well probabilities put leads in order: the ROC AUC of outcomes, of expected outcomes and its interval.

Leads are sorted once, so that hundreds of draws of their outcomes cost no further sort. Nothing here asks whether the
probabilities are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit, logit, ndtri

from leadml.params.cut_rule import MIN_ACCOUNTS

if TYPE_CHECKING:
    from leadml.types import Floats, Labels, Rows


@dataclass(frozen=True)
class Ranking:
    """Leads in the order of their probabilities.

    Parameters
    ----------
    probability
        Lowest first, shape (n_leads,).
    order
        The position that each lead had before it was sorted, shape (n_leads,).
    first
        Where each distinct probability begins, shape (n_levels,).
    """

    probability: Floats
    order: Rows
    first: Rows

    @classmethod
    def of(cls, probability: Floats) -> Self:
        """Return the order of probabilities of shape (n_leads,)."""
        order = np.argsort(probability, kind="stable")
        ranked = probability[order]
        return cls(ranked, order, np.flatnonzero(np.diff(ranked, prepend=-np.inf) > 0))

    def start_of(self, cut: float) -> int:
        """Return the position of the first lead at or above a cut; the number of leads if there is none.

        Examples
        --------
        >>> ranking = Ranking.of(np.array([0.4, 0.1, 0.2]))
        >>> ranking.start_of(0.2), ranking.start_of(0.5)
        (1, 3)
        """
        return int(np.searchsorted(self.probability, cut, side="left"))

    def by_level(self, values: Floats) -> Floats:
        """Return the sum of values, given in this order, at each distinct probability."""
        return np.asarray(np.add.reduceat(values, self.first), dtype=np.float64)

    def roc_auc(self, conversion: Floats) -> float:
        """Return the probability that a lead that converts ranks above one that does not; ties count half.

        Parameters
        ----------
        conversion
            In this order, shape (n_leads,): the outcomes 0 and 1, or the probability of each conversion. Of the latter
            the result is the expected number of pairs in the right order over the expected number of pairs. A pair is
            of two leads, so that no lead is compared with itself.

        Returns
        -------
        float
            In [0, 1], larger is better; NaN where no two leads can have different outcomes.

        Examples
        --------
        >>> Ranking.of(np.array([0.1, 0.1, 0.9])).roc_auc(np.array([0.0, 1.0, 1.0]))
        0.75
        """
        failure = 1.0 - conversion
        positive, negative = self.by_level(conversion), self.by_level(failure)
        itself = float((conversion * failure).sum())
        pairs = float(positive.sum() * negative.sum()) - itself
        right = float((positive * (np.cumsum(negative) - negative / 2)).sum()) - itself / 2
        return right / pairs if pairs > 0 else float("nan")


def roc_auc_interval(
    label: Labels, probability: Floats, cluster: Rows, *, confidence: float
) -> tuple[float, float, float]:
    """Return the ROC AUC with the ends of its interval, in [0, 1]; larger is better.

    Parameters
    ----------
    label, probability
        Arrays of shape (n_leads,).
    cluster
        The number of the account of each lead, from 0; leads of one account are not independent of each other.
    confidence
        Of the interval, in (0, 1).

    Returns
    -------
    tuple of float
        The AUC, NaN without two outcomes; and the interval, NaN with fewer than 20 conversions or 20 others, or where
        the AUC is 0 or 1.

    Notes
    -----
    The standard error is that of DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated
    receiver operating characteristic curves", Biometrics 44 (1988), with sums over clusters as in Obuchowski,
    "Nonparametric analysis of clustered ROC curve data", Biometrics 53 (1997). The interval is of the log-odds of the
    AUC, so that it stays between 0 and 1.

    Examples
    --------
    >>> label, probability = np.arange(80) % 2, np.arange(80) / 100 + 0.1
    >>> found = roc_auc_interval(label, probability, np.arange(80), confidence=0.9)
    >>> [round(number, 3) for number in found]
    [0.512, 0.407, 0.617]
    """
    ranking = Ranking.of(probability)
    conversion = label[ranking.order].astype(np.float64)
    auc = ranking.roc_auc(conversion)
    conversions = float(conversion.sum())
    others = len(conversion) - conversions
    if min(conversions, others) < MIN_ACCOUNTS or auc in {0.0, 1.0}:
        return auc, float("nan"), float("nan")
    positive, negative = ranking.by_level(conversion), ranking.by_level(1.0 - conversion)
    sizes = np.diff(np.append(ranking.first, len(conversion)))
    below = np.repeat(np.cumsum(negative) - negative / 2, sizes) / others
    above = np.repeat(conversions - np.cumsum(positive) + positive / 2, sizes) / conversions
    influence = np.where(conversion == 1, (below - auc) / conversions, (above - auc) / others)
    sums = np.bincount(cluster[ranking.order], weights=influence)
    clusters = len(np.unique(cluster))
    error = float(np.sqrt((sums @ sums) * clusters / max(clusters - 1, 1)))
    half = float(ndtri(0.5 + confidence / 2)) * error / (auc * (1 - auc))
    return auc, float(expit(logit(auc) - half)), float(expit(logit(auc) + half))
