"""Intervals from draws: of figures that were drawn, and of figures that are computed anew from redrawn leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leadml.types import Floats


def percentiles(drawn: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """Return the ends of the interval that holds the middle draws of each figure.

    Parameters
    ----------
    drawn
        Shape (n_draws, n_figures). Draws in which a figure is not defined are NaN, and are left out.
    confidence
        Share of the draws that lie within, in (0, 1).

    Returns
    -------
    tuple of array
        Lower and upper ends, shape (n_figures,); NaN for a figure that no draw defines.

    Examples
    --------
    >>> [ends.round(6).tolist() for ends in percentiles(np.arange(101.0)[:, None], confidence=0.9)]
    [[5.0], [95.0]]
    """
    tail = (1 - confidence) / 2
    undefined = np.isnan(drawn).all(axis=0)
    low, high = np.nanquantile(np.where(undefined, 0.0, drawn), [tail, 1 - tail], axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def debiased(value: Floats, drawn: Floats, excess: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """Return the ends of the bootstrap interval of figures that are too large on few leads, and never below 0.

    A figure such as the miscalibration is larger on a sample than it is of all leads, and larger still on leads that
    are redrawn from the sample. So the draws are moved until their mean is the figure without its excess.

    Parameters
    ----------
    value
        The figures of the sample, 0 or more, shape (n_figures,).
    drawn
        Those of redrawn leads, shape (n_draws, n_figures).
    excess
        By how much the figures of the sample are too large on average, shape (n_figures,).
    confidence
        Share of the draws that lie within, in (0, 1).

    Returns
    -------
    tuple of array
        Lower ends, not below 0, and upper ends. The interval always holds the figure of the sample.

    Examples
    --------
    >>> drawn = np.linspace(0.3, 0.5, 101)[:, None]
    >>> [ends.round(2).tolist() for ends in debiased(np.array([0.3]), drawn, np.array([0.05]), confidence=0.9)]
    [[0.16], [0.34]]
    """
    low, high = percentiles(drawn, confidence=confidence)
    moved = value - excess - drawn.mean(axis=0)
    return np.clip(low + moved, 0.0, value), np.maximum(high + moved, value)
