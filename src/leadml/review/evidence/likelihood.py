"""Likelihood ratios of a day's outcomes: how much likelier they are with an error of the score than without one.

The level is judged by the outcomes themselves. The ranking is judged by which of the leads converted, given how many
did: a shift of the log-odds that is common to all leads of a block cancels, even one that changes daily.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leadml.model.judge.null_interval import NullInterval, Reference
    from leadml.types import Floats, Integers, Labels

# Errors beyond the null interval that are tested, in log-odds: .15 to .8 are odds of 1.16 to 2.2 times.
LEVEL_STEPS = (0.15, 0.3, 0.5, 0.8, -0.15, -0.3, -0.5, -0.8)
# Of the slope: scores that tell 15, 30 and 50% less than they say, or 20% more. Models wear off more often than not.
SLOPE_STEPS = (-0.15, -0.3, -0.5, 0.2)
BLOCK_LEADS = 200  # elementary symmetric polynomials of 200 weights stay below 1e60; a larger day is several blocks


def level_ratios(log_odds: Floats, label: Labels, reference: Reference) -> Floats:
    """Return the logarithms of the likelihood ratios of the level, shape (n_steps,).

    Each compares an error beyond an edge of the null interval with the edge. Its expectation is at most 1 for every
    error inside the interval, since the ratio rises (or falls) with the number of conversions.

    Parameters
    ----------
    log_odds, label
        Log-odds and outcomes of the leads of some days, shape (n_leads,).
    reference
        The null intervals.
    """
    signs = np.where(label == 1, 1.0, -1.0)

    def loss(shift: float) -> float:
        return float(np.logaddexp(0.0, -signs * (log_odds + shift)).sum())

    bets = _beyond(reference.level, LEVEL_STEPS)
    return np.array([loss(edge) - loss(edge + step) for edge, step in bets])


def slope_ratios(log_odds: Floats, label: Labels, reference: Reference) -> Floats:
    """Return the logarithms of the likelihood ratios of the slope, shape (n_steps,), given the number of conversions.

    Parameters
    ----------
    log_odds, label
        Log-odds and outcomes of the leads of a block, shape (n_leads,), at most 200 of them.
    reference
        The null intervals.
    """
    direction, bets = log_odds - reference.center, _beyond(reference.slope, SLOPE_STEPS)
    shifts = np.array([shift for edge, step in bets for shift in (edge, edge + step)])
    chance = log_chance(log_odds[:, None] + direction[:, None] * shifts, label)
    return np.asarray(chance[1::2] - chance[::2])


def part_ratios(log_odds: Floats, parts: Floats, label: Labels, errors: Floats, edges: Floats) -> Floats:
    """Return the logarithms of the likelihood ratios of some errors of the parts, given the number of conversions.

    Parameters
    ----------
    log_odds, label
        Log-odds and outcomes of the leads of a block, shape (n_leads,), at most 200 of them.
    parts
        Log-odds that fields contribute, shape (n_leads, n_parts).
    errors, edges
        The errors, shape (n_errors, n_parts), and the multiple of each that counts as none; see `Reference.edges`.

    Returns
    -------
    ratios
        Shape (n_errors,). An error that counts as none as a whole is no bet: its ratio is 1.
    """
    found, bets = np.zeros(len(errors)), np.flatnonzero(edges < 1)
    if len(bets):
        shifts = parts @ errors[bets].T
        matrix = np.hstack([log_odds[:, None] + edges[bets] * shifts, log_odds[:, None] + shifts])
        chance = log_chance(matrix, label)
        found[bets] = chance[len(bets) :] - chance[: len(bets)]
    return found


def log_chance(log_odds: Floats, label: Labels) -> Floats:
    """Return the logarithm of the chance of some outcomes given their number, for each column of log-odds.

    Given that ``k`` leads converted, the chance of just those that did is ``exp(sum of their log-odds) / e_k(odds)``,
    with the elementary symmetric polynomial ``e_k`` (Cox, *Journal of the Royal Statistical Society B* 34, 1972, for
    matched sets). A constant in all log-odds cancels.

    Parameters
    ----------
    log_odds
        Shape (n_leads, n_columns), of at most 200 leads.
    label
        Shape (n_leads,).

    Examples
    --------
    >>> import numpy as np
    >>> log_chance(np.zeros((4, 1)), np.array([1, 0, 0, 1], np.int8)).round(4) == np.log(1 / 6).round(4)
    array([ True])
    """
    converted = int(label.sum())
    if converted in {0, len(label)}:
        return np.zeros(log_odds.shape[1])
    if 2 * converted > len(label):  # the chance of those that did not convert is the same, and takes fewer steps
        log_odds, label, converted = -log_odds, 1 - label, len(label) - converted
    centered = log_odds - log_odds.mean(axis=0)  # a constant cancels, and weights near 1 keep the sums in range
    sums = np.zeros((converted + 1, log_odds.shape[1]))
    sums[0] = 1.0
    for weight in np.exp(centered):
        sums[1:] += weight * sums[:-1]
    return np.asarray(label @ centered - np.log(sums[-1]))


def blocks(rows: Integers, ranks: Integers) -> list[Integers]:
    """Return some rows in blocks of at most 200, in the order of their ranks.

    Parameters
    ----------
    rows
        Positions of rows, shape (n_rows,).
    ranks
        A number of each of these rows that does not depend on its outcome, shape (n_rows,).
    """
    ordered = rows[np.argsort(ranks, kind="stable")]
    return np.array_split(ordered, max(-(-len(rows) // BLOCK_LEADS), 1))


def _beyond(interval: NullInterval, steps: tuple[float, ...]) -> list[tuple[float, float]]:
    """Return the edge of an interval and the step beyond it, for each step; no bet (0, 0) where there is no edge."""
    if not np.isfinite(interval.high):
        return [(0.0, 0.0) for _ in steps]
    return [(interval.high if step > 0 else interval.low, step) for step in steps]
