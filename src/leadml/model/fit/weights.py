"""Weigh the parts of a model by how surely each is behind the best, in a new period.

A part that has been worse in every period is worse, whether by as much in each or not. One that was better in some
periods and worse in others may be the best in the next one, and nobody knows beforehand. So each keeps a weight, which
falls with the square of how many standard errors it is behind. The standard error is that of a new period, by how much
better the part was in those in which it was better. Weights therefore change little if a few leads are left out, and
are even where the past tells nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats, Integers, Rows

PERIODS = 20  # of equal numbers of rows; with five or forty the log loss of disturbed trainings is about the same
CONVERSIONS_OF_TREES = 60  # with so many, trees begin with half the weight of other parts (decision 1)
SMALLEST_DIFFERENCE = 1e-12  # of mean log losses; a smaller one is rounding
# The log of the weight falls by half of this times the square of the standard errors. With 0.5 a few leads change
# probabilities more, with 0.125 log losses are higher (decision 1).
SHARPNESS = 0.25


def period_of(clock: Integers | None) -> Rows | None:
    """Return the period of each row, from 0, shape (n_rows,): twenty of about the same size; None without instants.

    Rows of one instant are in one period.

    Examples
    --------
    >>> period_of(np.arange(40)).tolist()[:5], period_of(np.zeros(3, int)).tolist()
    ([0, 0, 1, 1, 2], [0, 0, 0])
    """
    if clock is None:
        return None
    ordered = np.sort(clock)
    before = np.searchsorted(ordered, clock, side="left")
    return np.unique(before * PERIODS // len(clock), return_inverse=True)[1]


def prior_weights(families: Sequence[tuple[str, float]], conversions: int) -> Floats:
    """Return the weights of parts before any loss is known, shape (n_parts,), adding up to 1.

    Each family has the same weight, and each part of it the same share, but trees begin with less where few leads
    convert: the folds tell little then of how much worse trees are on other leads.

    Parameters
    ----------
    families
        The kind of each part, and its half-life.
    conversions
        Number of leads that converted.

    Examples
    --------
    >>> prior_weights([("linear", 0.0), ("linear", 0.0), ("trees", 0.0)], 60).round(3).tolist()
    [0.333, 0.333, 0.333]
    """
    counts, share = Counter(families), conversions / (conversions + CONVERSIONS_OF_TREES)
    prior = np.array([(share if family[0] == "trees" else 1.0) / counts[family] for family in families])
    return np.asarray(prior / prior.sum())


def predictive_weights(losses: Floats, prior: Floats, period: Rows | None, cluster: Rows | None = None) -> Floats:
    """Return the weights of parts, shape (n_parts,), adding up to 1.

    Parameters
    ----------
    losses
        Out-of-fold log loss of each row by each part, shape (n_rows, n_parts).
    prior
        Weights where nothing is known, shape (n_parts,), adding up to 1.
    period
        The period of each row, shape (n_rows,); None where rows have no instant.
    cluster
        The group of each row, shape (n_rows,); None where rows are independent.

    Notes
    -----
    The mean difference to the best part has a predictive variance of three terms: that of a new period, that of the
    mean of as many new periods as there were, and that of the mean of those that there were. Variances between periods
    are what is beyond chance by the method of moments (DerSimonian and Laird, "Meta-analysis in clinical trials",
    Controlled Clinical Trials 7, 1986). That of a new period is twice the lower partial moment: the mean square of the
    differences by which the part was better, and 0 for those by which it was worse. It is the variance itself where
    differences are even around 0; periods that were bad by various amounts say nothing of a good one.

    Examples
    --------
    >>> losses = np.random.default_rng(1).normal(0.3, 0.1, (1000, 3)) + [0.0, 0.0, 0.05]
    >>> predictive_weights(losses, np.full(3, 1 / 3), None).round(1).tolist()
    [0.5, 0.5, 0.0]
    """
    behind = losses - losses[:, [int(np.argmin(np.round(losses.mean(axis=0) / SMALLEST_DIFFERENCE)))]]
    numbers = np.zeros(len(losses), dtype=np.intp) if period is None else period
    codes = np.arange(len(losses)) if cluster is None else cluster
    means, chance = _by_period(behind, numbers, codes)
    periods = len(means)
    between, better = np.zeros((2, losses.shape[1]))
    if periods > 1:
        between = np.maximum(means.var(axis=0, ddof=1) - chance.mean(axis=0), 0.0)
        better = np.maximum(2.0 * (np.minimum(means, 0.0) ** 2).mean(axis=0) - chance.mean(axis=0), 0.0)
    mean, variance = means.mean(axis=0), better + (2.0 * between + chance.mean(axis=0)) / periods
    behind_for_sure = np.where(mean > SMALLEST_DIFFERENCE, np.inf, 0.0)  # where no row differs from the mean
    is_unsure = (mean > SMALLEST_DIFFERENCE) & (variance > 0)
    squares = np.divide(mean**2, variance, out=behind_for_sure, where=is_unsure)
    weights = prior * np.exp(-SHARPNESS * squares / 2)
    return np.asarray(weights / weights.sum())


def _by_period(values: Floats, period: Rows, cluster: Rows) -> tuple[Floats, Floats]:
    """Return the mean of values in each period, and its variance by chance, both of shape (n_periods, n_parts)."""
    counts = np.bincount(period)
    means = _sums(values, period) / counts[:, None]
    cells, cell = np.unique(period * (int(cluster.max()) + 1) + cluster, return_inverse=True)
    of_cell = cells // (int(cluster.max()) + 1)
    deviations = _sums(values - means[period], cell)
    clusters = np.bincount(of_cell)
    factor = clusters / np.maximum(clusters - 1, 1) / counts**2
    return means, _sums(deviations**2, of_cell) * factor[:, None]


def _sums(values: Floats, codes: Rows) -> Floats:
    """Return the sums of rows with the same code, shape (n_codes, n_columns)."""
    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[order], first, axis=0))
