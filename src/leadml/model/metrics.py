"""Metrics of probabilities, each defined once.

Every function takes arrays of shape (n_rows,): ``label`` of 0 and 1, ``probability`` in [0, 1], ``weight`` of 0 or
more. A bootstrap draw is a weight: how often each row is drawn. The order of the rows changes no metric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit, ndtri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.types import Floats, Labels, Rows


ECE_BINS = 15  # as many as Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017
SMALLEST_PROBABILITY = 1e-15  # a wrong certainty costs 34.5 and not infinity; 1 - 1e-15 is below 1 in doubles
CHANCE_DRAWS = 200  # the standard error of the mean is the spread of one draw over sqrt(200), 7% of it
MAX_STEPS = 60  # Newton's method needs about ten; a step that is halved 60 times is below the precision of doubles
SMALLEST_STEP = 1e-10  # far below the digits that are shown; Newton's method squares the error in each step
CLASSES = 2  # converted or not


def roc_auc(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the probability that a row that converted ranks above one that did not, ties count half; larger is better.

    Examples
    --------
    >>> roc_auc(np.array([0, 1, 1]), np.array([0.1, 0.1, 0.9]), np.ones(3))
    0.75
    """
    positive, negative = _by_level(label, probability, weight)
    below = np.cumsum(negative) - negative
    pairs = positive.sum() * negative.sum()
    return float((positive * (below + negative / 2)).sum() / pairs) if pairs > 0 else float("nan")


def average_precision(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the precision averaged over the ranks of conversions; larger is better, the base rate is chance."""
    positive, negative = (levels[::-1] for levels in _by_level(label, probability, weight))
    conversions = np.cumsum(positive)
    precision = conversions / np.maximum(conversions + np.cumsum(negative), SMALLEST_PROBABILITY)
    return float((positive * precision).sum() / conversions[-1]) if conversions[-1] > 0 else float("nan")


def log_loss(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the mean of ``-log`` of the probability of the outcome; smaller is better, 0 is perfect."""
    of_outcome = np.clip(np.where(label == 1, probability, 1.0 - probability), SMALLEST_PROBABILITY, 1.0)
    return float(np.average(-np.log(of_outcome), weights=weight))


def brier(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the mean squared difference of probability and label; smaller is better, 0 is perfect."""
    return float(np.average((probability - label) ** 2, weights=weight))


def brier_decomposition(label: Labels, probability: Floats, weight: Floats) -> tuple[float, float, float]:
    """Return miscalibration, discrimination and uncertainty, with ``brier = first - second + third``.

    Notes
    -----
    The CORP decomposition: Dimitriadis, Gneiting and Jordan, "Stable reliability diagrams for probabilistic
    classifiers", PNAS 118 (2021). Miscalibration (smaller is better) is what recalibration by isotonic regression
    would gain, discrimination (larger is better) what the recalibrated probabilities gain over the base rate.
    """
    positive, negative = _by_level(label, probability, weight)
    total = positive + negative
    has_weight = total > 0
    rate = np.zeros(len(total))
    recalibrated = isotonic_regression(positive[has_weight] / total[has_weight], weights=total[has_weight]).x
    rate[has_weight] = recalibrated
    best = (positive * (1 - rate) ** 2 + negative * rate**2).sum() / total.sum()
    base = positive.sum() / total.sum()
    uncertainty = base * (1 - base)
    return float(brier(label, probability, weight) - best), float(uncertainty - best), float(uncertainty)


def ece(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the expected calibration error over 15 bins of equal mass; smaller is better.

    It is the mean over rows of the absolute difference, in each bin, of mean probability and rate. It is above 0 even
    where the probabilities are perfect: see `ece_by_chance`. Rows of one probability that fall into two bins are shared
    out between them.
    """
    mass, expected, conversions = parts_of_equal_mass(label, probability, weight, parts=ECE_BINS)
    return float(np.abs(expected - conversions).sum() / mass.sum())


def parts_of_equal_mass(
    label: Labels, probability: Floats, weight: Floats, *, parts: int
) -> tuple[Floats, Floats, Floats]:
    """Return mass, sum of probabilities and conversions of parts of equal mass, lowest probability first.

    Rows of one probability that fall into two parts are shared out between them, so that the order of the rows changes
    nothing.

    Parameters
    ----------
    label, probability, weight
        Arrays of shape (n_rows,).
    parts
        How many parts, at least 1.
    """
    positive, negative = _by_level(label, probability, weight)
    mass = positive + negative
    cumulated = (np.append(0.0, np.cumsum(values)) for values in (mass, mass * np.unique(probability), positive))
    total, expected, conversions = cumulated
    edges = np.linspace(0.0, total[-1], parts + 1)
    return tuple(np.diff(np.interp(edges, total, values)) for values in (total, expected, conversions))


def ece_by_chance(probability: Floats, *, seed: int, copies: Rows | None = None) -> float:
    """Return the mean `ece` of labels that are drawn with the probabilities, as if these were perfectly calibrated.

    Rows with the same number in ``copies``, from 0, of shape (n_rows,), have one label.
    """
    random, ones = np.random.default_rng(seed), np.ones(len(probability))
    copies = np.arange(len(probability)) if copies is None else copies
    number = int(copies.max(initial=-1)) + 1
    draws = ((random.random(number)[copies] < probability).astype(np.int8) for _ in range(CHANCE_DRAWS))
    return float(np.mean([ece(label, probability, ones) for label in draws]))


def calibration_line(label: Labels, probability: Floats, weight: Floats) -> tuple[float, float]:
    """Return intercept and slope of the log-odds of the label on those of the probability; 0 and 1 are perfect.

    A slope below 1 means that the probabilities are too far apart, an intercept below 0 that they are too high. Both
    are NaN where all labels or all probabilities are equal.

    Notes
    -----
    Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958).
    """
    is_drawn = weight > 0
    label, probability, weight = label[is_drawn], probability[is_drawn], weight[is_drawn]
    clipped = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    logit = np.log(clipped) - np.log1p(-clipped)
    if len(np.unique(label)) < CLASSES or np.ptp(logit) == 0:
        return float("nan"), float("nan")
    design = np.column_stack([np.ones(len(logit)), logit])
    signs = np.where(label == 1, -1.0, 1.0)
    line = np.array([0.0, 1.0])
    loss = float(weight @ np.logaddexp(0.0, signs * (design @ line)))
    for _ in range(MAX_STEPS):  # Newton's method
        fitted = expit(design @ line)
        hessian = (design * (weight * fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.lstsq(hessian, design.T @ (weight * (label - fitted)))[0]
        for _ in range(MAX_STEPS):
            new_loss = float(weight @ np.logaddexp(0.0, signs * (design @ (line + step))))
            if new_loss <= loss:
                break
            step = step / 2
        line, loss = line + step, min(new_loss, loss)
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return float(line[0]), float(line[1])


def gain(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the area under the cumulative gains curve; larger is better, 0.5 is chance."""
    positive, negative = (levels[::-1] for levels in _by_level(label, probability, weight))
    conversions, total = np.cumsum(positive), positive + negative
    if conversions[-1] == 0:
        return float("nan")
    gains = (conversions - positive / 2) / conversions[-1]
    return float((total * gains).sum() / total.sum())


def reliability(label: Labels, probability: Floats, weight: Floats) -> Iterator[tuple[float, float, float]]:
    """Yield mass, mean probability and rate of each of the 15 bins of equal mass."""
    for mass, expected, conversions in zip(
        *parts_of_equal_mass(label, probability, weight, parts=ECE_BINS), strict=True
    ):
        yield float(mass), float(expected / mass), float(conversions / mass)


def rate_bound(successes: Floats, trials: Floats, *, z: float) -> Floats:
    """Return the lower bound of rates, in [0, 1], that is ``z`` standard errors below them.

    Parameters
    ----------
    successes, trials
        Counts of one shape, the latter above 0.
    z
        Quantile of the normal distribution.

    Notes
    -----
    The score interval of Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927).

    Examples
    --------
    >>> rate_bound(np.array([50.0]), np.array([100.0]), z=1.96).round(3)
    array([0.404])
    """
    rate = successes / trials
    center = rate + z**2 / (2 * trials)
    half_width = z * np.sqrt(np.maximum(rate * (1 - rate), 0.0) / trials + z**2 / (4 * trials**2))
    return np.maximum((center - half_width) / (1 + z**2 / trials), 0.0)


def rate_interval(rate: float, trials: float, *, confidence: float) -> tuple[float, float]:
    """Return Wilson's two-sided interval of a rate, within [0, 1]: `rate_bound` from both sides.

    Parameters
    ----------
    rate
        In [0, 1].
    trials
        How many rows the rate is of, above 0.
    confidence
        Between 0 and 1.

    Examples
    --------
    >>> [round(bound, 3) for bound in rate_interval(0.0, 27, confidence=0.95)]
    [0.0, 0.125]
    """
    z = float(ndtri(0.5 + confidence / 2))
    low, low_of_failures = rate_bound(trials * np.array([rate, 1 - rate]), np.full(2, float(trials)), z=z)
    return float(low), float(1 - low_of_failures)


def summary(label: Labels, probability: Floats, weight: Floats) -> dict[str, float]:
    """Return all metrics by name."""
    miscalibration, discrimination, uncertainty = brier_decomposition(label, probability, weight)
    intercept, slope = calibration_line(label, probability, weight)
    return {
        "roc_auc": roc_auc(label, probability, weight),
        "average_precision": average_precision(label, probability, weight),
        "log_loss": log_loss(label, probability, weight),
        "brier": brier(label, probability, weight),
        "brier_miscalibration": miscalibration,
        "brier_discrimination": discrimination,
        "brier_uncertainty": uncertainty,
        "ece": ece(label, probability, weight),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
        "gain": gain(label, probability, weight),
        "mean_probability": float(np.average(probability, weights=weight)),
        "rate": float(np.average(label, weights=weight)),
    }


def _by_level(label: Labels, probability: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the weight of rows that converted and of the others at each distinct probability, lowest first."""
    levels, level = np.unique(probability, return_inverse=True)
    sides = (np.bincount(level, weights=weight * side, minlength=len(levels)) for side in (label, 1 - label))
    positive, negative = (side.astype(np.float64) for side in sides)
    return positive, negative
