"""Turn log-odds into probabilities that come true.

What enters is log-odds of leads that the model did not see, and their labels; what leaves is a strictly increasing
curve from log-odds to probability.
It never changes the order of leads, and takes the plainest method unless another is surely better on leads that the
curve did not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, stdtrit

if TYPE_CHECKING:
    from leadml.params import CalibrationParams
    from leadml.types import Floats, Integers, Labels, Rows


Method = Literal["none", "sigmoid", "beta", "isotonic"]
METHODS: tuple[Method, ...] = ("none", "sigmoid", "beta", "isotonic")  # the plainest first
FOLDS = 5
CERTAIN = 0.975
FARTHEST = 30.0
GENTLEST_SLOPE = 1e-3


@dataclass(frozen=True)
class Calibrator:
    """A strictly increasing curve from log-odds to calibrated log-odds.

    Parameters
    ----------
    method
        ``none`` (the identity), ``sigmoid`` (a line), ``beta`` (a curve of two slopes) or ``isotonic`` (straight
        between knots, slope 1 beyond them).
    numbers
        ``sigmoid``: slope, intercept. ``beta``: slope for low and for high log-odds, intercept. ``isotonic``: the
        knots' places, then their heights.

    Notes
    -----
    ``sigmoid`` is Platt (1999); ``beta`` is Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017;
    ``isotonic`` is Zadrozny and Elkan (2002), made strict by interpolation.
    """

    method: Method = "none"
    numbers: tuple[float, ...] = ()

    def logit(self, margin: Floats) -> Floats:
        """Return calibrated log-odds of the shape of ``margin``."""
        if self.method == "sigmoid":
            slope, intercept = self.numbers
            return slope * margin + intercept
        if self.method == "beta":
            low, high, intercept = self.numbers
            return high * np.logaddexp(0.0, margin) - low * np.logaddexp(0.0, -margin) + intercept
        if self.method == "isotonic":
            places, heights = self._knots()
            beyond = np.minimum(margin - places[0], 0.0) + np.maximum(margin - places[-1], 0.0)
            return np.asarray(np.interp(margin, places, heights) + beyond)
        return np.asarray(margin, dtype=np.float64)

    def probability(self, margin: Floats) -> Floats:
        """Return probabilities in (0, 1) of the shape of ``margin``."""
        return np.asarray(expit(np.clip(self.logit(margin), -FARTHEST, FARTHEST)))

    def slope(self, margin: Floats) -> Floats:
        """Return the derivative of the probability by the margin, 0 or more, of the shape of ``margin``."""
        probability = self.probability(margin)
        if self.method == "sigmoid":
            steepness = np.full_like(probability, self.numbers[0])
        elif self.method == "beta":
            low, high, _ = self.numbers
            steepness = high * expit(margin) + low * expit(-margin)
        elif self.method == "isotonic":
            places, heights = self._knots()
            slopes = np.concatenate([[1.0], np.diff(heights) / np.diff(places), [1.0]])
            steepness = slopes[np.searchsorted(places, margin, side="right")]
        else:
            steepness = np.ones_like(probability)
        return np.asarray(steepness * probability * (1.0 - probability))

    def _knots(self) -> tuple[Floats, Floats]:
        middle = len(self.numbers) // 2
        return np.array(self.numbers[:middle]), np.array(self.numbers[middle:])

    def to_json(self) -> dict[str, Any]:
        """Return the calibrator as plain data."""
        return {"method": self.method, "numbers": list(self.numbers)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Calibrator:
        """Return the calibrator that `to_json` wrote."""
        return cls(stored["method"], tuple(stored["numbers"]))


def choose_calibrator(
    margin: Floats, label: Labels, choices: CalibrationParams, *, clock: Integers | None = None
) -> tuple[Calibrator, dict[Method, float]]:
    """Return the calibrator to take, and the log loss of each method on leads that it did not see.

    A method takes the place of a plainer one only where it loses surely less (Student's t of the differences, 97.5%),
    by lead or, with a clock, by block of time: there a method is judged by later leads than those it was fitted on, so
    that a curve which fits one time only is not taken.

    Parameters
    ----------
    margin
        Log-odds of shape (n_leads,) from models that did not see these leads.
    label
        Array of shape (n_leads,) of 0 and 1.
    choices
        The methods to try; isotonic only where enough leads converted.
    clock
        Instants of shape (n_leads,); None where leads have none.
    """
    few = label.sum() < choices.isotonic_min_conversions
    methods = [one for one in METHODS if one in choices.methods and not (one == "isotonic" and few)] or METHODS[:1]
    folds = _blocks(len(label)) if clock is None else _later_blocks(clock, label)
    lost: dict[Method, list[Floats]] = {}
    for method in methods:
        fitted = [(fit_calibrator(margin[fit], label[fit], method=method), judge) for fit, judge in folds]
        lost[method] = [losses(calibrator.logit(margin[judge]), label[judge]) for calibrator, judge in fitted]
    best = methods[0]
    for method in methods[1:]:
        gains = [old - new for old, new in zip(lost[best], lost[method], strict=True)]
        units = np.concatenate(gains) if clock is None else np.array([gain.mean() for gain in gains])
        if units.mean() > stdtrit(len(units) - 1, CERTAIN) * units.std(ddof=1) / np.sqrt(len(units)):
            best = method
    mean = {method: float(np.concatenate(some).mean()) for method, some in lost.items()}
    return fit_calibrator(margin, label, method=best), mean


def fit_calibrator(margin: Floats, label: Labels, *, method: Method) -> Calibrator:
    """Return the calibrator of one method with the least log loss.

    Examples
    --------
    >>> margin = np.array([-2.0, -1.0, 0.0, 1.0, 2.0] * 20)
    >>> label = (np.arange(100) % 3 == 0).astype(np.int8)
    >>> fit_calibrator(margin, label, method="none").probability(np.array([0.0]))
    array([0.5])
    """
    if method == "none":
        return Calibrator()
    if method == "isotonic":
        return Calibrator(method, _isotonic(margin, label))
    if method == "sigmoid":
        center, spread = float(margin.mean()), float(margin.std()) or 1.0
        slope, intercept = _fit_slopes([(margin - center) / spread], label)
        return Calibrator(method, (slope / spread, intercept - slope * center / spread))
    return Calibrator(method, _fit_slopes([-np.logaddexp(0.0, -margin), np.logaddexp(0.0, margin)], label))


def _blocks(count: int) -> list[tuple[Rows, Rows]]:
    block = np.arange(count) % FOLDS
    return [(np.flatnonzero(block != at), np.flatnonzero(block == at)) for at in range(FOLDS)]


def _later_blocks(clock: Integers, label: Labels) -> list[tuple[Rows, Rows]]:
    """Return what came before each block of time and the block, where both kinds of leads came before."""
    edges = np.quantile(clock, np.linspace(0, 1, FOLDS + 2)[1:-1])
    block = np.searchsorted(edges, clock, side="right")
    folds = [(np.flatnonzero(block < at), np.flatnonzero(block == at)) for at in range(1, FOLDS + 1)]
    usable = [(fit, judge) for fit, judge in folds if len(judge) and 0 < label[fit].sum() < len(fit)]
    return usable or _blocks(len(clock))


def _fit_slopes(columns: list[Floats], label: Labels) -> tuple[float, ...]:
    """Return a positive slope of each column and an intercept, with the least log loss."""
    design = np.column_stack([*columns, np.ones(len(label))])
    signs = np.where(label == 1, -1.0, 1.0)

    def loss(numbers: Floats) -> tuple[float, Floats]:
        logit = (design * numbers).sum(axis=1)
        error = expit(logit) - label
        value = float(np.logaddexp(0.0, signs * logit).mean())
        return value, (design * error[:, None]).mean(axis=0)

    start = np.append(np.ones(len(columns)), 0.0)
    bounds = [(GENTLEST_SLOPE, None)] * len(columns) + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-9})
    return tuple(float(number) for number in found.x)


def _isotonic(margin: Floats, label: Labels) -> tuple[float, ...]:
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - the door opens without it

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(margin, label)
    steps, block = np.unique(fitted, return_inverse=True)
    sizes = np.bincount(block)
    places = np.bincount(block, weights=margin) / sizes
    shrunk = (steps * sizes + 0.5) / (sizes + 1.0)
    heights = np.maximum.accumulate(np.log(shrunk) - np.log1p(-shrunk))
    keep = np.append(True, np.diff(places) > 0)
    places, heights = places[keep], heights[keep]
    gentle = heights + GENTLEST_SLOPE * (places - places[0])
    return (*places.tolist(), *gentle.tolist())


def losses(logit: Floats, label: Labels) -> Floats:
    """Return the log loss of each lead, shape (n_leads,), 0 or more."""
    return np.asarray(np.logaddexp(0.0, np.where(label == 1, -logit, logit)))
