"""Calibrate log-odds: of rows that are given 20%, about one in five should convert.

The curve is fitted on out-of-fold log-odds and strictly increases, so that it never changes the order of leads. The
simplest method is taken unless another one clearly lowers the log loss of rows that it was not fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, stdtrit

if TYPE_CHECKING:
    from leadml.params import CalibrationParams
    from leadml.types import Floats, Fold, Integers, Labels


Method = Literal["none", "sigmoid", "beta", "isotonic"]
METHODS: tuple[Method, ...] = ("none", "sigmoid", "beta", "isotonic")  # the simplest first
FOLDS = 5  # as split.folds by default; they only choose the method, whose curve is fitted on all rows
CONFIDENCE = 0.975  # one side of a 95% interval: where two methods are equal, the plainer one goes 1 time in 40
MAX_LOGIT = 30.0  # keeps probabilities below 1, which doubles reach at 37; 30 is a probability of 1e-13
MIN_SLOPE = 1e-3  # above 0, so that no leads tie or change places; over ten log-odds, 0.001 adds 0.01


@dataclass(frozen=True)
class Calibrator:
    """A strictly increasing curve from log-odds to calibrated log-odds.

    Parameters
    ----------
    method
        ``none`` (the identity), ``sigmoid`` (a line), ``beta`` (a curve of two slopes) or ``isotonic`` (linear
        between knots, slope 1 beyond them).
    numbers
        ``sigmoid``: slope, intercept. ``beta``: slope for low and for high log-odds, intercept. ``isotonic``: the
        log-odds of all knots, then their calibrated log-odds.

    Notes
    -----
    ``sigmoid`` is Platt (1999); ``beta`` is Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017;
    ``isotonic`` is Zadrozny and Elkan (2002), made strictly increasing by interpolation.
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
            knots, heights = self._knots()
            beyond = np.minimum(margin - knots[0], 0.0) + np.maximum(margin - knots[-1], 0.0)
            return np.asarray(np.interp(margin, knots, heights) + beyond)
        return np.asarray(margin, dtype=np.float64)

    def probability(self, margin: Floats) -> Floats:
        """Return probabilities in (0, 1) of the shape of ``margin``."""
        return np.asarray(expit(np.clip(self.logit(margin), -MAX_LOGIT, MAX_LOGIT)))

    def slope(self, margin: Floats) -> Floats:
        """Return the derivative of the probability by the margin, 0 or more, of the shape of ``margin``."""
        probability = self.probability(margin)
        if self.method == "sigmoid":
            steepness = np.full_like(probability, self.numbers[0])
        elif self.method == "beta":
            low, high, _ = self.numbers
            steepness = high * expit(margin) + low * expit(-margin)
        elif self.method == "isotonic":
            knots, heights = self._knots()
            slopes = np.concatenate([[1.0], np.diff(heights) / np.diff(knots), [1.0]])
            steepness = slopes[np.searchsorted(knots, margin, side="right")]
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
    margin: Floats, label: Labels, params: CalibrationParams, *, clock: Integers | None = None
) -> tuple[Calibrator, dict[Method, float]]:
    """Return the chosen calibrator, and the cross-validated log loss of each method.

    A method replaces a simpler one only where its log loss is lower with 97.5% confidence (Student's t of the
    differences). The differences are those of rows or, with a clock, of blocks of time: a method is then evaluated on
    later rows than those it was fitted on, so that a curve which fits one period only is not chosen.

    Parameters
    ----------
    margin
        Out-of-fold log-odds of shape (n_rows,).
    label
        Array of shape (n_rows,) of 0 and 1.
    params
        The methods to try, and how many conversions isotonic calibration needs.
    clock
        Instants of shape (n_rows,); None where rows have none.
    """
    too_few = label.sum() < params.isotonic_min_conversions
    methods = [name for name in METHODS if name in params.methods and not (name == "isotonic" and too_few)]
    methods = methods or list(METHODS[:1])
    folds = _interleaved_folds(len(label)) if clock is None else _forward_folds(clock, label)
    fold_losses: dict[Method, list[Floats]] = {}
    for method in methods:
        fitted = [(fit_calibrator(margin[fit], label[fit], method=method), evaluate) for fit, evaluate in folds]
        fold_losses[method] = [
            log_losses(calibrator.logit(margin[evaluate]), label[evaluate]) for calibrator, evaluate in fitted
        ]
    best = methods[0]
    for method in methods[1:]:
        differences = [old - new for old, new in zip(fold_losses[best], fold_losses[method], strict=True)]
        units = np.concatenate(differences) if clock is None else np.array([each.mean() for each in differences])
        has_error = len(units) > 1  # one difference has no standard error and is no evidence
        if has_error and units.mean() > stdtrit(len(units) - 1, CONFIDENCE) * units.std(ddof=1) / np.sqrt(len(units)):
            best = method
    mean = {method: float(np.concatenate(losses).mean()) for method, losses in fold_losses.items()}
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
        return Calibrator(method, _fit_isotonic(margin, label))
    if method == "sigmoid":
        mean, deviation = float(margin.mean()), float(margin.std()) or 1.0
        slope, intercept = _fit_slopes([(margin - mean) / deviation], label)
        return Calibrator(method, (slope / deviation, intercept - slope * mean / deviation))
    return Calibrator(method, _fit_slopes([-np.logaddexp(0.0, -margin), np.logaddexp(0.0, margin)], label))


def log_losses(logit: Floats, label: Labels) -> Floats:
    """Return the log loss of each row, shape (n_rows,), 0 or more."""
    return np.asarray(np.logaddexp(0.0, np.where(label == 1, -logit, logit)))


def _interleaved_folds(count: int) -> list[Fold]:
    fold = np.arange(count) % FOLDS
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(FOLDS)]


def _forward_folds(clock: Integers, label: Labels) -> list[Fold]:
    """Return each block of time with all rows before it, where both outcomes occur before it."""
    edges = np.quantile(clock, np.linspace(0, 1, FOLDS + 2)[1:-1])
    block = np.searchsorted(edges, clock, side="right")
    folds = [(np.flatnonzero(block < number), np.flatnonzero(block == number)) for number in range(1, FOLDS + 1)]
    usable = [(fit, evaluate) for fit, evaluate in folds if len(evaluate) and 0 < label[fit].sum() < len(fit)]
    return usable or _interleaved_folds(len(clock))


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
    bounds = [(MIN_SLOPE, None)] * len(columns) + [(None, None)]
    optimum = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-9})
    return tuple(float(number) for number in optimum.x)


def _fit_isotonic(margin: Floats, label: Labels) -> tuple[float, ...]:
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - slow to import and not always needed

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(margin, label)
    rates, block = np.unique(fitted, return_inverse=True)
    sizes = np.bincount(block)
    knots = np.bincount(block, weights=margin) / sizes
    shrunk = (rates * sizes + 0.5) / (sizes + 1.0)  # half a row of each outcome: no rate is 0 or 1
    heights = np.maximum.accumulate(np.log(shrunk) - np.log1p(-shrunk))
    is_distinct = np.append(True, np.diff(knots) > 0)
    knots, heights = knots[is_distinct], heights[is_distinct]
    increasing = heights + MIN_SLOPE * (knots - knots[0])
    return (*knots.tolist(), *increasing.tolist())
