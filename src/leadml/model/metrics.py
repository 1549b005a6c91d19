"""How good probabilities are, each metric defined once.

What enters is labels and probabilities, and weights where rows count more than once; what leaves is numbers.
Every function takes arrays of shape (n_leads,): ``label`` of 0 and 1, ``probability`` in [0, 1], ``weight`` of 0 or
more (a bootstrap draw is a weight).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit, ndtri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.types import Floats, Labels


BINS = 15
SMALLEST = 1e-15
CHANCE_DRAWS = 200
MOST_STEPS = 60
CONVERGED = 1e-10


def roc_auc(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the chance that a converter is ranked above another lead, ties counting half; larger is better.

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
    """Return the precision averaged over the converters reached; larger is better, the base rate is chance."""
    positive, negative = (levels[::-1] for levels in _by_level(label, probability, weight))
    reached = np.cumsum(positive)
    precision = reached / np.maximum(reached + np.cumsum(negative), SMALLEST)
    return float((positive * precision).sum() / reached[-1]) if reached[-1] > 0 else float("nan")


def log_loss(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the mean of ``-log`` of the probability given to what happened; smaller is better, 0 is perfect."""
    given = np.clip(np.where(label == 1, probability, 1.0 - probability), SMALLEST, 1.0)
    return float(np.average(-np.log(given), weights=weight))


def brier(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the mean squared difference of probability and label; smaller is better, 0 is perfect."""
    return float(np.average((probability - label) ** 2, weights=weight))


def brier_parts(label: Labels, probability: Floats, weight: Floats) -> tuple[float, float, float]:
    """Return miscalibration, discrimination and uncertainty, with ``brier = first - second + third``.

    Notes
    -----
    The CORP decomposition: Dimitriadis, Gneiting and Jordan, "Stable reliability diagrams for probabilistic
    classifiers", PNAS 118 (2021). Miscalibration (smaller is better) is what recalibration by isotonic regression
    would gain, discrimination (larger is better) what the recalibrated probabilities gain over the base rate.
    """
    positive, negative = _by_level(label, probability, weight)
    total = positive + negative
    held = total > 0
    rate = np.zeros(len(total))
    recalibrated = isotonic_regression(positive[held] / total[held], weights=total[held]).x
    rate[held] = recalibrated
    best = (positive * (1 - rate) ** 2 + negative * rate**2).sum() / total.sum()
    base = positive.sum() / total.sum()
    uncertainty = base * (1 - base)
    return float(brier(label, probability, weight) - best), float(uncertainty - best), float(uncertainty)


def ece(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the expected calibration error over 15 bins of equal mass; smaller is better.

    The mean over leads of the difference, in each bin, of mean probability and rate. It is above 0 even where the
    probabilities are perfect: see `ece_by_chance`. Leads of one probability that fall in two bins are in both by share.
    """
    mass, said, converted = parts_of_equal_mass(label, probability, weight, parts=BINS)
    return float(np.abs(said - converted).sum() / mass.sum())


def parts_of_equal_mass(
    label: Labels, probability: Floats, weight: Floats, *, parts: int
) -> tuple[Floats, Floats, Floats]:
    """Return mass, summed probability and converters of each of some parts of equal mass, lowest probability first.

    Leads of one probability that fall in two parts are in both by share, so that the order of the leads is nothing.
    """
    positive, negative = _by_level(label, probability, weight)
    mass = positive + negative
    cumulated = (np.append(0.0, np.cumsum(values)) for values in (mass, mass * np.unique(probability), positive))
    total, said, converted = cumulated
    edges = np.linspace(0.0, total[-1], parts + 1)
    return tuple(np.diff(np.interp(edges, total, values)) for values in (total, said, converted))


def ece_by_chance(probability: Floats, *, seed: int) -> float:
    """Return the mean `ece` of labels drawn by the probabilities themselves, so of a perfectly calibrated model."""
    random = np.random.default_rng(seed)
    ones = np.ones(len(probability))
    draws = ((random.random(len(probability)) < probability).astype(np.int8) for _ in range(CHANCE_DRAWS))
    return float(np.mean([ece(label, probability, ones) for label in draws]))


def calibration_line(label: Labels, probability: Floats, weight: Floats) -> tuple[float, float]:
    """Return intercept and slope of the log-odds of the label on those of the probability; 0 and 1 are perfect.

    A slope below 1 says that the probabilities are too far apart, an intercept below 0 that they are too high. Both
    are NaN where one kind of lead only was drawn or every probability is the same.

    Notes
    -----
    Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958).
    """
    held = weight > 0
    label, probability, weight = label[held], probability[held], weight[held]
    clipped = np.clip(probability, SMALLEST, 1 - SMALLEST)
    logit = np.log(clipped) - np.log1p(-clipped)
    kinds = len(np.unique(label))
    if kinds < 2 or np.ptp(logit) == 0:  # noqa: PLR2004 - converted and not
        return float("nan"), float("nan")
    design = np.column_stack([np.ones(len(logit)), logit])
    signs = np.where(label == 1, -1.0, 1.0)
    found = np.array([0.0, 1.0])
    loss = float(weight @ np.logaddexp(0.0, signs * (design @ found)))
    for _ in range(MOST_STEPS):
        fitted = expit(design @ found)
        curve = (design * (weight * fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.lstsq(curve, design.T @ (weight * (label - fitted)))[0]
        for _ in range(MOST_STEPS):
            reached = float(weight @ np.logaddexp(0.0, signs * (design @ (found + step))))
            if reached <= loss:
                break
            step = step / 2
        found, loss = found + step, min(reached, loss)
        if np.abs(step).max() < CONVERGED:
            break
    return float(found[0]), float(found[1])


def gain(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the mean over leads, best first, of the share of converters reached; larger is better, 0.5 is chance."""
    positive, negative = (levels[::-1] for levels in _by_level(label, probability, weight))
    reached, total = np.cumsum(positive), positive + negative
    if reached[-1] == 0:
        return float("nan")
    halfway = (reached - positive / 2) / reached[-1]
    return float((total * halfway).sum() / total.sum())


def reliability(label: Labels, probability: Floats, weight: Floats) -> Iterator[tuple[float, float, float]]:
    """Yield mass, mean probability and rate of each of the 15 bins of equal mass."""
    for mass, said, converted in zip(*parts_of_equal_mass(label, probability, weight, parts=BINS), strict=True):
        yield float(mass), float(said / mass), float(converted / mass)


def rate_bound(successes: Floats, trials: Floats, *, z: float) -> Floats:
    """Return the lower bound of a rate, in [0, 1], that lies ``z`` standard errors below it.

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
    middle = rate + z**2 / (2 * trials)
    spread = z * np.sqrt(np.maximum(rate * (1 - rate), 0.0) / trials + z**2 / (4 * trials**2))
    return np.maximum((middle - spread) / (1 + z**2 / trials), 0.0)


def rate_interval(rate: float, leads: float, *, confidence: float) -> tuple[float, float]:
    """Return the two-sided interval of a rate, within [0, 1], by `rate_bound` from either side.

    Examples
    --------
    >>> [round(bound, 3) for bound in rate_interval(0.0, 27, confidence=0.95)]
    [0.0, 0.125]
    """
    z = float(ndtri(0.5 + confidence / 2))
    low, failing = rate_bound(leads * np.array([rate, 1 - rate]), np.full(2, float(leads)), z=z)
    return float(low), float(1 - failing)


def summary(label: Labels, probability: Floats, weight: Floats) -> dict[str, float]:
    """Return all metrics by name."""
    miscalibration, discrimination, uncertainty = brier_parts(label, probability, weight)
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
    """Return the weight of converters and of the others at each distinct probability, lowest first."""
    levels, level = np.unique(probability, return_inverse=True)
    sides = (np.bincount(level, weights=weight * side, minlength=len(levels)) for side in (label, 1 - label))
    positive, negative = (side.astype(np.float64) for side in sides)
    return positive, negative
