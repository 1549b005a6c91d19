"""By how much the level of probabilities is wrong: the log-odds that all of them lack, and how surely that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

if TYPE_CHECKING:
    from leadml.types import Floats, Labels, Rows

MAX_SHIFT = 30.0  # log-odds


def shift_of(log_odds: Floats, label: Labels) -> float:
    """Return the log-odds with which the probabilities of leads add up to their conversions.

    Where none or all of them convert it is the largest that is tried.

    Parameters
    ----------
    log_odds
        Of the leads, shape (n_leads,).
    label
        Whether they converted, shape (n_leads,).

    Examples
    --------
    >>> round(shift_of(np.zeros(4), np.array([1, 0, 0, 0], dtype=np.int8)), 3)
    -1.099
    """
    if not 0 < label.sum() < len(label):
        return MAX_SHIFT if label.any() else -MAX_SHIFT
    return float(brentq(lambda shift: expit(log_odds + shift).sum() - label.sum(), -MAX_SHIFT, MAX_SHIFT))


def shift_error(log_odds: Floats, label: Labels, shift: float, groups: Rows) -> float:
    """Return the standard error of a shift, by groups: leads of one account convert together.

    Parameters
    ----------
    log_odds, label
        As for `shift_of`.
    shift
        What it returned.
    groups
        Number of the group of each lead from 0, shape (n_leads,).

    Notes
    -----
    The sandwich of the likelihood in one dimension: the root of the summed squares of what each group has more than was
    said of it, over the sum of ``p (1 - p)``.
    """
    if not 0 < label.sum() < len(label):  # how far off the level is nobody can say
        return float("inf")
    probability = expit(log_odds + shift)
    sums = np.bincount(groups, weights=label - probability)
    information = float((probability * (1 - probability)).sum())
    return float(np.sqrt((sums**2).sum())) / information if information else float("inf")
