"""The linear part of the model: logistic regression on piecewise linear terms.

Each number is a line with a knee (a hinge function) at each fifth of the rows. Values beyond some standard deviations
are clipped, so that one extreme value cannot decide a probability. A number with a declared direction is a sum of
knees whose coefficients all have that sign.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leadml.model.parts.logistic import LogisticRegressions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats, Labels, Mask, Rows


# Standard deviations from the mean beyond which a number says no more: at most 1 in 9 rows is farther than the first,
# 1 in 64 than the second, whatever the distribution (Chebyshev). Folds tell how far newer numbers can be believed.
REACHES = (3.0, 8.0)
LARGEST = 1e100  # so that the squares in a standard deviation, 1e200 each, add up to less than 1.8e308
KNEE_QUANTILES = (0.2, 0.4, 0.6, 0.8)  # decision 1: a single knee loses on three of three divisions, nine on one
FREE = 1e3  # deviations of the points in the design: their penalty is a millionth of that of a term
SMALLEST_DEVIATION = 1e-9  # of points, as a share of the largest that are given; a smaller one is rounding


@dataclass(frozen=True)
class Term:
    """One term: ``coefficient * (value - center)``.

    Parameters
    ----------
    column
        Position of the encoder's column.
    shape
        ``flag`` (the column itself), ``line``, ``knee`` (0 below its origin), ``step`` (1 above its origin, 0 where it
        is NaN) or ``missing`` (1 where it is NaN).
    origin, scale, reach
        The value of a line or knee is ``(x - origin) / scale``, clipped to at most ``reach``.
    center
        Mean of the term over the rows it was fitted on, which is also its value where a number is missing.
    coefficient
        Log-odds per unit.
    direction
        1 where the coefficient may not be negative, -1 where it may not be positive, else 0.
    """

    column: int
    shape: Literal["flag", "line", "knee", "step", "missing"]
    origin: float = 0.0
    scale: float = 1.0
    reach: float = REACHES[0]
    center: float = 0.0
    coefficient: float = 0.0
    direction: int = 0

    @property
    def bounds(self) -> tuple[float, float]:
        """The values between which a line or knee has a slope; it is constant outside."""
        reach = self.reach * self.scale
        return (self.origin - reach if self.shape == "line" else self.origin), self.origin + reach

    @property
    def has_slope(self) -> bool:
        """Whether it is a line or a knee."""
        return self.shape in {"line", "knee"}

    @property
    def edges(self) -> tuple[float, ...]:
        """The values at which it changes its slope or steps."""
        return (self.origin,) if self.shape == "step" else self.bounds if self.has_slope else ()

    def values(self, column: Floats) -> Floats:
        """Return the term less its center for each row, an array of shape (n_rows,)."""
        if self.shape == "flag":
            return column - self.center
        if self.shape == "missing":
            return np.isnan(column) - self.center
        if self.shape == "step":
            return np.asarray((column > self.origin) - self.center, dtype=np.float64)
        lowest, highest = self.bounds
        centered = (np.clip(column, lowest, highest) - self.origin) / self.scale - self.center
        return np.where(np.isnan(column), 0.0, centered)


POINTS = Term(-1, "line")  # stands for the column of points among the terms


@dataclass(frozen=True)
class LinearPart:
    """A sum of terms and the log-odds of the mean row."""

    base: float
    terms: tuple[Term, ...]

    def contributions(self, matrix: Floats) -> Floats:
        """Return log-odds of shape (n_rows, n_columns): what each of the encoder's columns adds to ``base``."""
        log_odds = np.zeros(matrix.shape)
        for term in self.terms:
            log_odds[:, term.column] += term.coefficient * term.values(matrix[:, term.column])
        return log_odds

    def margin(self, matrix: Floats) -> Floats:
        """Return log-odds of shape (n_rows,).

        The sum is taken term by term, so that the log-odds of a row do not depend on the other rows.
        """
        log_odds = np.full(len(matrix), self.base)
        for term in self.terms:
            log_odds += term.coefficient * term.values(matrix[:, term.column])
        return log_odds

    def to_json(self) -> dict[str, Any]:
        """Return the linear part as plain data."""
        return {"base": self.base, "terms": [asdict(term) for term in self.terms]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LinearPart:
        """Return the linear part that `to_json` wrote."""
        return cls(stored["base"], tuple(Term(**term) for term in stored["terms"]))


def weighted_sum(parts: Sequence[tuple[LinearPart, float]]) -> LinearPart:
    """Return the sum of linear parts, each times its weight; equal terms are added up."""
    base = float(sum(weight * part.base for part, weight in parts))
    coefficients: dict[Term, float] = {}
    for part, weight in parts:
        for term in part.terms:
            plain = replace(term, coefficient=0.0)
            coefficients[plain] = coefficients.get(plain, 0.0) + weight * term.coefficient
    return LinearPart(base, tuple(replace(term, coefficient=value) for term, value in coefficients.items()))


def make_terms(
    matrix: Floats, is_flag: Mask, directions: Rows | None = None, *, reach: float = REACHES[0]
) -> tuple[Term, ...]:
    """Return the terms of columns, with their centers and without coefficients.

    Parameters
    ----------
    matrix
        Columns of the training set, shape (n_rows, n_columns).
    is_flag
        Which columns hold only 0 and 1, shape (n_columns,).
    directions
        For each column 1 where the log-odds may only rise with it, -1 where they may only fall, else 0; None for 0.
    reach
        Standard deviations from the mean, or above a knee, beyond which a number is clipped, above 0.
    """
    terms: list[Term] = []
    for column, flag in enumerate(is_flag):
        direction = 0 if directions is None else int(directions[column])
        terms += [Term(column, "flag")] if flag else _number_terms(column, matrix[:, column], direction, reach)
    return centered(terms, matrix)


def centered(terms: Sequence[Term], matrix: Floats) -> tuple[Term, ...]:
    """Return terms that have no center yet with their means over rows, of shape (n_rows, n_columns)."""
    found = []
    for term in terms:
        center = float(term.values(matrix[:, term.column]).mean())
        if term.has_slope:
            present = matrix[~np.isnan(matrix[:, term.column]), term.column]
            center = float(term.values(present).mean())
        found.append(replace(term, center=center))
    return tuple(found)


def fit_linear_parts(
    matrix: Floats,
    label: Labels,
    terms: tuple[Term, ...],
    settings: Sequence[tuple[float, Floats | None]],
    *,
    points: tuple[Term, ...] = (),
) -> list[LinearPart]:
    """Return for each strength and weight the linear part with the least penalised log loss.

    Each fit starts from the result of the one before. With points, a linear part is a factor times them and what the
    terms add to that: the penalty holds it back to the points.

    Parameters
    ----------
    matrix
        Columns of shape (n_rows, n_columns).
    label
        Array of shape (n_rows,) of 0 and 1.
    terms
        From `make_terms`.
    settings
        For each linear part the inverse of the penalty on squared coefficients (scikit-learn's ``C``), above 0, and the
        weight of each row, shape (n_rows,), mean 1; None for equal weights.
    points
        Terms whose coefficients are known but for one factor, 0 or more, which has hardly a penalty: the points of a
        team.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - slow to import and not always needed

    design = np.column_stack([term.values(matrix[:, term.column]) for term in terms]) if terms else matrix[:, :0]
    score, points = _points_of(matrix, points)
    padded, labels, padding = _with_points(design, label, score) if points else (design, label, score)
    with_points, without = _regressions(padded, labels, (*terms, POINTS)), _regressions(design, label, terms)
    parts = []
    for strength, weight in settings:
        with threadpool_limits(1):  # one order of summation: the same bits for any number of threads
            factor, fitted = 0.0, None
            if points:
                weights = np.concatenate([np.ones(len(label)) if weight is None else weight, padding])
                fitted = with_points.fit(strength, weights)
                factor, fitted = float(fitted[-2]), np.delete(fitted, -2)
            if fitted is None or factor < 0:  # more points are meant to be better: else they count for nothing
                factor, fitted = 0.0, without.fit(strength, weight)
        *coefficients, base = fitted.tolist()
        found = [replace(term, coefficient=each) for term, each in zip(terms, coefficients, strict=True)]
        found += [replace(term, coefficient=factor * term.coefficient) for term in points]
        parts.append(LinearPart(base, tuple(found)))
    return parts


def _points_of(matrix: Floats, points: tuple[Term, ...]) -> tuple[Floats, tuple[Term, ...]]:
    """Return the points of rows as a column of a design, shape (n_rows,), and its terms; none if all are the same."""
    largest, score = max((abs(term.coefficient) for term in points), default=0.0), np.zeros(len(matrix))
    scaled = [replace(term, coefficient=term.coefficient / largest) for term in points] if largest else []
    for term in scaled:
        score += term.coefficient * term.values(matrix[:, term.column])
    deviation = float(score.std())
    if deviation <= SMALLEST_DEVIATION:
        return score, ()
    scale = FREE / deviation
    return score * scale, tuple(replace(term, coefficient=term.coefficient * scale) for term in scaled)


def _with_points(design: Floats, label: Labels, score: Floats) -> tuple[Floats, Labels, Floats]:
    """Return a design with a column of points, its labels, and the weights of the rows that are added.

    At the most and at the fewest points one lead is added that converts as all do: in part, so it is two rows. Without
    them a single lead with more points than all others would decide what points are worth.
    """
    ends, rate = np.zeros((4, design.shape[1] + 1)), float(label.mean())
    ends[:, -1] = np.repeat([score.max(initial=0.0), score.min(initial=0.0)], 2)
    rows = np.vstack([np.column_stack([design, score]), ends])
    return rows, np.concatenate([label, [1, 0, 1, 0]]), np.array([rate, 1 - rate, rate, 1 - rate])


def _regressions(design: Floats, label: Labels, terms: Sequence[Term]) -> LogisticRegressions:
    return LogisticRegressions(design, label, [term.direction for term in terms])


def _number_terms(column: int, values: Floats, direction: int, reach: float) -> list[Term]:
    """Return the terms of a number: none for a constant, but always one for missing values where there are any."""
    is_missing = np.isnan(values)
    missing = [Term(column, "missing")] if is_missing.any() else []
    present = np.clip(values[~is_missing], -LARGEST, LARGEST)
    deviation = float(present.std()) if len(present) else 0.0
    if deviation <= 0:
        return missing
    quantiles = np.unique(np.quantile(present, KNEE_QUANTILES))
    knees = quantiles[(quantiles > present.min()) & (quantiles < present.max())]
    line = Term(column, "line", float(present.mean()), deviation, reach)
    if direction:
        low, high = line.bounds
        knots = [low, *quantiles[(quantiles > low) & (quantiles < high)].tolist(), high]
        chain = (
            Term(column, "knee", begin, deviation, (end - begin) / deviation, direction=direction)
            for begin, end in pairwise(knots)
        )
        return [*chain, *missing]
    return [line, *(Term(column, "knee", float(knee), deviation, reach) for knee in knees), *missing]
