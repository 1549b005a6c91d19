"""Divide the log loss into uncertainty, discrimination and miscalibration, the latter by its level and by the rest.

The log loss is chosen, not the Brier score: the shift of the log-odds that makes the mean probability equal the rate is
the shift with the lowest log loss, so that the part of the level is never below 0. With the Brier score it can be. The
log loss of the recalibrated probabilities is finite: one that is 0 or 1 belongs to leads of one outcome.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import entr, xlogy

from leadml.model.judge.calibration_line import log_odds
from leadml.review.performance.ranking import Ranking

if TYPE_CHECKING:
    from leadml.types import Floats, Labels, Rows

MAX_STEPS = 60  # Newton's method needs about five; a step that is halved 60 times is below the precision of doubles
SMALLEST_STEP = 1e-3  # what is left after such a step is its square, and the error of the log loss the square of this
LARGEST_SHIFT = 50.0  # odds times 5e21; a longer way would be one to a level that no probability has


@dataclass(frozen=True)
class ScoreParts:
    """The parts of the log loss: ``log_loss = uncertainty - discrimination + miscalibration``.

    Parameters
    ----------
    log_loss
        Mean of ``-log`` of the probability of the outcome; smaller is better.
    uncertainty
        The log loss of the rate, the same for all leads.
    discrimination
        By how much recalibrated probabilities are better than the rate; larger is better.
    global_miscalibration
        What a shift of all log-odds would gain that makes the mean probability equal the rate; smaller is better.
    local_miscalibration
        What isotonic recalibration would gain beyond that; smaller is better.
    """

    log_loss: float
    uncertainty: float
    discrimination: float
    global_miscalibration: float
    local_miscalibration: float

    @property
    def miscalibration(self) -> float:
        """What isotonic recalibration would gain; smaller is better."""
        return self.global_miscalibration + self.local_miscalibration

    def as_array(self) -> Floats:
        """Return the parts in their order, shape (5,)."""
        return np.array(astuple(self))


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Outcomes in the order of their probabilities, ready to be weighted.

    Parameters
    ----------
    order
        The position of each lead before it was sorted, shape (n_leads,).
    first
        Where each distinct probability begins, shape (n_levels,).
    label
        In this order, shape (n_leads,).
    log_odds
        Of each distinct probability, rising, shape (n_levels,).
    """

    order: Rows
    first: Rows
    label: Labels
    log_odds: Floats

    @classmethod
    def of(cls, label: Labels, probability: Floats) -> Self:
        """Return the outcomes of leads with probabilities, arrays of shape (n_leads,)."""
        ranking = Ranking.of(probability)
        return cls(ranking.order, ranking.first, label[ranking.order], log_odds(ranking.probability[ranking.first]))

    @cached_property
    def odds(self) -> Floats:
        """The odds at each distinct probability."""
        return np.exp(self.log_odds)

    @cached_property
    def log_partition(self) -> Floats:
        """``log(1 + odds)``, which is the log loss of a lead that does not convert."""
        return np.log1p(self.odds)

    def parts(self, weight: Floats, *, shift: float) -> tuple[ScoreParts, float]:
        """Return the parts of the log loss, and the shift of the log-odds that makes the mean right.

        Parameters
        ----------
        weight
            How often each lead counts, in its first order, shape (n_leads,); not all 0.
        shift
            Where the search for the shift begins.
        """
        ranked = weight[self.order]
        total = np.add.reduceat(ranked, self.first)
        positive = np.add.reduceat(ranked * self.label, self.first)
        leads, conversions = float(total.sum()), float(positive.sum())
        rate = conversions / leads
        uncertainty = float(entr(rate) + entr(1 - rate))
        best, at_odds = _recalibrated_loss(positive, total), float((positive * self.log_odds).sum())
        said = (float((total * self.log_partition).sum()) - at_odds) / leads
        balanced = 0.0  # with one outcome, the log-odds are shifted without end
        if 0 < conversions < leads:
            shift = _balancing_shift(self.odds, total, conversions, shift)
            partition = float((total * np.log1p(self.odds * np.exp(shift))).sum())
            balanced = (partition - at_odds - conversions * shift) / leads
        return ScoreParts(said, uncertainty, uncertainty - best, said - balanced, balanced - best), shift


def score_parts(label: Labels, probability: Floats) -> ScoreParts:
    """Return the parts of the log loss of some leads.

    Parameters
    ----------
    label, probability
        Arrays of shape (n_leads,), of at least one lead.

    Notes
    -----
    Uncertainty, discrimination and miscalibration are those of CORP: Dimitriadis, Gneiting and Jordan, "Stable
    reliability diagrams for probabilistic classifiers", PNAS 118 (2021), with recalibration by isotonic regression.
    That the miscalibration has a global part, which a correction of the balance removes, and a local one is from
    Brauer, Menzel and Wüthrich, arXiv:2510.04556 (2025). Here the balance is corrected by one shift of all log-odds, as
    a recalibration of the level would do.

    Sums of products are taken without BLAS, whose threads would make them slower here, and depend on their number.

    Examples
    --------
    >>> label, said_too_high = np.array([0, 0, 0, 1, 0, 1, 1, 1]), np.repeat([0.4, 0.9], 4)
    >>> parts = score_parts(label, said_too_high)
    >>> round(parts.global_miscalibration, 3), round(parts.local_miscalibration, 3)
    (0.067, 0.004)
    >>> abs(parts.uncertainty - parts.discrimination + parts.miscalibration - parts.log_loss) < 1e-12
    True
    """
    return Outcomes.of(label, probability).parts(np.ones(len(label)), shift=0.0)[0]


def _recalibrated_loss(positive: Floats, total: Floats) -> float:
    """Return the log loss of the rates of the blocks that isotonic regression makes."""
    counted = total > 0
    weights = total[counted]
    blocks = isotonic_regression(positive[counted] / weights, weights=weights).blocks[:-1]
    won, size = np.add.reduceat(positive[counted], blocks), np.add.reduceat(weights, blocks)
    return -float((xlogy(won, won / size) + xlogy(size - won, 1 - won / size)).sum()) / float(size.sum())


def _balancing_shift(odds: Floats, total: Floats, conversions: float, shift: float) -> float:
    """Return the shift of the log-odds that makes the mean probability equal the rate, by Newton's method.

    The odds are at most 1e15 and the shift 50, so their product is finite.
    """
    for _ in range(MAX_STEPS):
        shifted = odds * np.exp(shift)
        failing = 1 / (1 + shifted)
        expected = total * (1 - failing)
        excess = float(expected.sum()) - conversions
        slope = float((expected * failing).sum())
        step = float(np.clip(excess / slope, -1.0, 1.0)) if slope > 0 else float(np.sign(excess))
        shift = float(np.clip(shift - step, -LARGEST_SHIFT, LARGEST_SHIFT))
        if abs(step) < SMALLEST_STEP:
            break
    return shift
