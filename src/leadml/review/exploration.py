"""What leads below the cut would convert if sales worked them, by those that were worked although they are below it.

Work changes outcomes, and a model learns from outcomes: leads that nobody works convert less, look worse, and stay
unworked. So a share of them is drawn by chance and marked to be worked anyway. The estimate is of the marked leads as a
whole, whether or not each was really worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, expit

from leadml.model.metrics import rate_interval
from leadml.review.performance.level_shift import shift_of

if TYPE_CHECKING:
    from leadml.types import Floats, Labels, Mask

CONTRADICTED = 0.98  # of the one-sided test: of reviews without feedback one in fifty contradicts at most


@dataclass(frozen=True, eq=False)
class LeadsBelow:
    """Leads below the cut whose outcomes are known, each as it was first scored below it.

    Parameters
    ----------
    log_odds
        Of their probabilities, shape (n_leads,).
    label
        Whether they converted, shape (n_leads,).
    propensity
        The chance with which each was to be marked, in (0, 1), shape (n_leads,).
    is_marked
        Whether it was, shape (n_leads,).
    """

    log_odds: Floats
    label: Labels
    propensity: Floats
    is_marked: Mask


@dataclass(frozen=True)
class Exploration:
    """What leads below the cut would convert if worked.

    Parameters
    ----------
    leads, marked
        Number of leads below the cut, and of those that were marked.
    effective
        Number of independent leads that would tell the rate as surely.
    rate, low, high
        The rate if worked, with its interval; NaN without a marked lead.
    naive
        The rate of the leads that were not marked; NaN without one.
    is_contradicted
        Whether the naive rate is surely too low.
    """

    leads: int
    marked: int
    effective: float
    rate: float
    low: float
    high: float
    naive: float
    is_contradicted: bool


def explored_rate(below: LeadsBelow, *, confidence: float = 0.9) -> Exploration:
    """Return what leads below the cut would convert if worked.

    Parameters
    ----------
    below
        The leads.
    confidence
        Of the interval, in (0, 1).

    Notes
    -----
    Robins, Rotnitzky and Zhao, "Estimation of regression coefficients when some regressors are not always observed",
    Journal of the American Statistical Association 89 (1994), with normalised weights (Hajek): the mean of the
    probabilities, moved so that they fit the marked leads, plus the weighted mean of what the marked leads have more.
    The interval is Wilson's on the number of leads whose rate would be known as surely.
    """
    marked = np.flatnonzero(below.is_marked)
    rest = below.label[~below.is_marked]
    naive = float(rest.mean()) if len(rest) else np.nan
    if not len(marked):
        return Exploration(len(below.label), 0, 0.0, np.nan, np.nan, np.nan, naive, is_contradicted=False)
    weight = 1.0 / below.propensity[marked]
    shift = shift_of(below.log_odds[marked], below.label[marked])
    said = expit(below.log_odds + shift)
    rest_of = below.label[marked] - said[marked]
    more = float(np.average(rest_of, weights=weight))
    rate = float(np.clip(said.mean() + more, 0.0, 1.0))
    number = weight.sum() ** 2 / (weight**2).sum()
    spread = float(np.average((rest_of - more) ** 2, weights=weight))
    effective = float(number)
    if 0 < below.label[marked].sum() < len(marked):  # of one outcome alone nobody knows how it varies
        effective *= rate * (1 - rate) / spread
    low, high = rate_interval(rate, effective, confidence=confidence)
    is_contradicted = bool(below.label[marked].any()) and _is_above(rate, effective, naive, len(rest))
    return Exploration(len(below.label), len(marked), effective, rate, low, high, naive, is_contradicted)


def _is_above(rate: float, number: float, naive: float, others: int) -> bool:
    """Return whether a rate of so many leads is surely above that of others.

    By how probable it is that so many of all conversions, or more, are among the first, if both have one rate: a
    binomial, which holds where few convert and is wide where many do. The number may be a fraction.
    """
    if not others:
        return False
    among, elsewhere = number * rate, others * naive
    return bool(betainc(among, elsewhere + 1, number / (number + others)) < 1 - CONTRADICTED)
