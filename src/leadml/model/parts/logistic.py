"""Penalised logistic regressions on the same rows, for many penalties and row weights.

They are fitted by Newton's method, and by L-BFGS-B where coefficients have declared signs. The Hessian takes nearly all
of the time on wide tables, and regressions that differ only by penalty or weights have about the same one: it is kept
while steps with it work, from one fit to the next too. That changes the steps, and not where they end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadml.types import Floats, Labels

TOLERANCE = 1e-9  # root mean square change of log-odds by the next step, where a row counts p (1 - p)
KEPT = 0.3  # a Hessian is kept while each step leaves at most so much of that change
ENOUGH = 1e-4  # of the fall of the loss that the gradient promises (Armijo's rule)
ROUNDING = 1e-13  # by so much the mean log loss may rise near the optimum
RIDGE = 1e-12  # of the diagonal, so that a Hessian can be factored where all probabilities are nearly 0 or 1
SHORTEST = 2.0**-30  # share of a step
MOST_STEPS = 200  # a first fit takes about 10, later ones fewer; of nine thousand hard fits none took more than 30
SMALLEST = 1e-30  # of the largest number of a diagonal
RAREST = 1e-9  # rate of the weighted rows from which a fit may start


class Point(NamedTuple):
    """Coefficients with the intercept last, and the penalised log loss, its gradient and the probabilities there."""

    solution: Floats
    loss: float
    gradient: Floats
    probability: Floats


@dataclass(frozen=True)
class Objective:
    """The penalised log loss of coefficients and, last, an intercept.

    Parameters
    ----------
    design
        Array of shape (n_rows, n_terms + 1), the last column 1.
    label
        Array of shape (n_rows,) of 0 and 1.
    weight
        Of each row, shape (n_rows,), sum 1.
    penalty
        On half the square of each coefficient, shape (n_terms + 1,).
    """

    design: Floats
    label: Floats
    weight: Floats
    penalty: Floats

    def at(self, solution: Floats) -> Point:
        """Return what the loss is at some coefficients."""
        from scipy.special import expit  # noqa: PLC0415 - slow to import and not always needed

        margin = self.design @ solution
        probability = expit(margin)
        loss = self.weight @ (np.logaddexp(0.0, margin) - self.label * margin) + self.penalty @ solution**2 / 2
        gradient = (self.weight * (probability - self.label)) @ self.design + self.penalty * solution
        return Point(solution, float(loss), gradient, probability)

    def lower(self, point: Point, step: Floats, shortest: float) -> Point | None:
        """Return the point at the end of a step, or of its half, its quarter ..., where the loss is low enough.

        A loss that is only not higher is not enough: on a saturated plateau such a step leads nowhere.
        """
        share, promised = 1.0, float(-point.gradient @ step)
        while share >= shortest:
            tried = self.at(point.solution + share * step)
            if tried.loss <= point.loss - ENOUGH * share * promised + ROUNDING:
                return tried
            share /= 2
        return None

    def hessian(self, point: Point) -> Floats:
        """Return the Hessian without the penalty, shape (n_terms + 1, n_terms + 1)."""
        variance = point.probability * (1 - point.probability)
        scaled = self.design * np.sqrt(self.weight * variance)[:, None]
        return np.asarray(scaled.T @ scaled)

    def inverse(self, hessian: Floats) -> Callable[[Floats], Floats]:
        """Return the function that multiplies by the inverse of a Hessian with the penalty."""
        from scipy.linalg import LinAlgError, cho_factor, cho_solve  # noqa: PLC0415 - slow to import

        full = hessian + np.diag(self.penalty)
        diagonal = np.diag(full)
        scale = 1 / np.sqrt(np.maximum(diagonal, SMALLEST * diagonal.max()))
        scaled, ridge = full * scale[:, None] * scale, RIDGE
        while True:
            try:
                factor = cho_factor(scaled + ridge * np.eye(len(scaled)))
            except LinAlgError:
                ridge *= 1000
            else:
                return lambda vector: np.asarray(scale * cho_solve(factor, scale * vector))


class LogisticRegressions:
    """Logistic regressions on the same rows, fitted one after the other; each starts from the one before.

    Parameters
    ----------
    design
        Array of shape (n_rows, n_terms).
    label
        Array of shape (n_rows,) of 0 and 1, with both.
    signs
        For each term 1 where its coefficient may not be negative, -1 where it may not be positive, else 0.

    Attributes
    ----------
    hessian
        The one that was computed last, without the penalty; None before the first fit.
    """

    def __init__(self, design: Floats, label: Labels, signs: Sequence[int]) -> None:
        self._terms, self._signs, self._label = design, (*signs, 0), label.astype(np.float64)
        self._solution: Floats | None = None
        self.hessian: Floats | None = None

    @cached_property
    def _design(self) -> Floats:
        """The terms and a column of 1; a copy, which only a first fit needs."""
        return np.column_stack([self._terms, np.ones(len(self._terms))])

    def fit(self, strength: float, weight: Floats | None = None) -> Floats:
        """Return the coefficients and, last, the intercept of the least penalised log loss, shape (n_terms + 1,).

        Parameters
        ----------
        strength
            Inverse of the penalty on squared coefficients, above 0 (scikit-learn's ``C``); the intercept has none.
        weight
            Of each row, shape (n_rows,), mean 1; None for equal weights.
        """
        rows, columns = self._design.shape
        penalty = np.append(np.full(columns - 1, 1 / (strength * rows)), 0.0)
        objective = Objective(self._design, self._label, (np.ones(rows) if weight is None else weight) / rows, penalty)
        self._solution = self._bounded(objective) if any(self._signs) else self._newton(objective)
        return self._solution

    def _newton(self, objective: Objective) -> Floats:
        """Return the optimum."""
        here = objective.at(self._rate_alone(objective.weight))
        before = None if self._solution is None else objective.at(self._solution)
        if before is not None and before.loss <= here.loss:
            here = before
        else:  # the fit before was of quite other rows
            self.hessian = None
        inverse = None if self.hessian is None else objective.inverse(self.hessian)
        last = np.inf
        for _ in range(MOST_STEPS):
            is_new = inverse is None
            if inverse is None:
                self.hessian = objective.hessian(here)
                inverse = objective.inverse(self.hessian)
            step = inverse(-here.gradient)
            error = math.sqrt(max(float(-here.gradient @ step), 0.0))
            if error <= TOLERANCE:
                break
            is_good = is_new or error <= KEPT * last
            lower = objective.lower(here, step, SHORTEST if is_new else 1.0) if is_good else None
            if lower is not None:
                here, last = lower, error
            elif is_new:
                break  # no point is lower: what is left is rounding
            else:
                inverse = None
        return here.solution

    def _bounded(self, objective: Objective) -> Floats:
        """Return the optimum of coefficients with signs; it does not depend on fits before."""
        from scipy.optimize import minimize  # noqa: PLC0415 - slow to import and not always needed

        def loss(solution: Floats) -> tuple[float, Floats]:
            point, rows = objective.at(solution), len(self._label)
            return rows * point.loss, rows * point.gradient

        bounds = [{0: (None, None), 1: (0.0, None), -1: (None, 0.0)}[sign] for sign in self._signs]
        options = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-7}
        start = self._rate_alone(objective.weight)
        optimum = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        return np.asarray(optimum.x)

    def _rate_alone(self, weight: Floats) -> Floats:
        """Return the solution without terms: the log-odds of the weighted rate."""
        rate = float(np.clip(weight @ self._label, RAREST, 1 - RAREST))
        return np.append(np.zeros(self._design.shape[1] - 1), np.log(rate) - np.log1p(-rate))
