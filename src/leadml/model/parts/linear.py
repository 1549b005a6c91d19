"""The linear part of the model: straight lines with knees.

What enters is the encoder's columns and labels; what leaves is terms whose contributions add up to the log-odds.
Each number is a straight line with a knee at each fifth of the leads, its ends held at five standard deviations, so
that one far value cannot carry a lead away. A number that may only rise, or only fall, is a chain of knees whose
coefficients have that sign.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats, Labels, Mask, Rows


FARTHEST = 5.0
LARGEST = 1e100
KNEES = (0.2, 0.4, 0.6, 0.8)
EXACT, NEAR = 1e-8, 1e-6  # of the mean gradient


@dataclass(frozen=True)
class Term:
    """One term: ``coefficient * (value - center)``.

    Parameters
    ----------
    column
        Position of the encoder's column.
    shape
        ``flag`` (the column itself), ``line``, ``knee`` (zero below its origin) or ``missing`` (1 where it is NaN).
    origin, scale, reach
        A line or knee is ``(x - origin) / scale``, held where that is farther than ``reach``.
    center
        Mean of the term over the leads it was fitted on; a missing number stands there.
    coefficient
        Log-odds per unit.
    direction
        1 where the coefficient may not be negative, -1 where it may not be positive, else 0.
    """

    column: int
    shape: Literal["flag", "line", "knee", "missing"]
    origin: float = 0.0
    scale: float = 1.0
    reach: float = FARTHEST
    center: float = 0.0
    coefficient: float = 0.0
    direction: int = 0

    @property
    def bends(self) -> tuple[float, float]:
        """Where a line or knee begins and ends to rise."""
        reach = self.reach * self.scale
        return (self.origin - reach if self.shape == "line" else self.origin), self.origin + reach

    @property
    def is_straight(self) -> bool:
        """Whether it is a line or a knee."""
        return self.shape in {"line", "knee"}

    def values(self, column: Floats) -> Floats:
        """Return the term less its center for each lead, an array of shape (n_leads,)."""
        if self.shape == "flag":
            return column - self.center
        if self.shape == "missing":
            return np.isnan(column) - self.center
        lowest, highest = self.bends
        straight = (np.clip(column, lowest, highest) - self.origin) / self.scale - self.center
        return np.where(np.isnan(column), 0.0, straight)


@dataclass(frozen=True)
class LinearPart:
    """A sum of terms and the log-odds of the mean lead."""

    base: float
    terms: tuple[Term, ...]

    def contributions(self, matrix: Floats) -> Floats:
        """Return log-odds of shape (n_leads, n_columns): what each of the encoder's columns adds to ``base``."""
        added = np.zeros(matrix.shape)
        for term in self.terms:
            added[:, term.column] += term.coefficient * term.values(matrix[:, term.column])
        return added

    def margin(self, matrix: Floats) -> Floats:
        """Return log-odds of shape (n_leads,)."""
        return margins([self], matrix)[0]

    def to_json(self) -> dict[str, Any]:
        """Return the linear part as plain data."""
        return {"base": self.base, "terms": [asdict(term) for term in self.terms]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LinearPart:
        """Return the linear part that `to_json` wrote."""
        return cls(stored["base"], tuple(Term(**term) for term in stored["terms"]))


def margins(parts: Sequence[LinearPart], matrix: Floats) -> list[Floats]:
    """Return the log-odds of linear parts that differ only by their numbers, each of shape (n_leads,).

    A sum is taken term by term, so that a lead's number does not depend on the leads beside it.
    """
    found = [np.full(len(matrix), part.base) for part in parts]
    for same in zip(*(part.terms for part in parts), strict=True):
        values = same[0].values(matrix[:, same[0].column])
        for at, term in enumerate(same):
            found[at] += term.coefficient * values
    return found


def weighted_sum(parts: Sequence[tuple[LinearPart, float]]) -> LinearPart:
    """Return the sum of linear parts of the same terms, each times its weight."""
    base = sum(weight * part.base for part, weight in parts)
    coefficients = np.sum([[weight * term.coefficient for term in part.terms] for part, weight in parts], axis=0)
    terms = zip(parts[0][0].terms, coefficients.tolist(), strict=True)
    return LinearPart(base, tuple(replace(term, coefficient=one) for term, one in terms))


def plan_terms(matrix: Floats, is_flag: Mask, directions: Rows | None = None) -> tuple[Term, ...]:
    """Return the terms that columns call for, with their centers and without coefficients.

    Parameters
    ----------
    matrix
        Columns of the leads to learn from, shape (n_leads, n_columns).
    is_flag
        Which columns hold only 0 and 1, shape (n_columns,).
    directions
        Of each column 1 where the log-odds may only rise with it, -1 where they may only fall, else 0; None for 0.
    """
    terms: list[Term] = []
    for at, flag in enumerate(is_flag):
        direction = 0 if directions is None else int(directions[at])
        terms += [Term(at, "flag")] if flag else _number_terms(at, matrix[:, at], direction)
    centered = []
    for term in terms:
        center = float(term.values(matrix[:, term.column]).mean())
        if term.shape in {"line", "knee"}:
            known = matrix[~np.isnan(matrix[:, term.column]), term.column]
            center = float(term.values(known).mean())
        centered.append(replace(term, center=center))
    return tuple(centered)


def fit_linear(
    matrix: Floats, label: Labels, terms: tuple[Term, ...], *, strength: float, weight: Floats | None = None
) -> LinearPart:
    """Return the linear part with the least penalised log loss.

    Parameters
    ----------
    matrix
        Columns of shape (n_leads, n_columns).
    label
        Array of shape (n_leads,) of 0 and 1.
    terms
        From `plan_terms`.
    strength
        Inverse of the penalty on squared coefficients (scikit-learn's ``C``), above 0; larger trusts the data more.
    weight
        What each lead counts, shape (n_leads,), mean 1; None where all count alike.
    """
    return fit_lines(matrix, label, terms, [(strength, weight)], tolerance=EXACT)[0]


def fit_lines(
    matrix: Floats,
    label: Labels,
    terms: tuple[Term, ...],
    kinds: Sequence[tuple[float, Floats | None]],
    *,
    tolerance: float = NEAR,
) -> list[LinearPart]:
    """Return a linear part for each of some strengths and weights, by default near enough to choose among them.

    Each is sought from where the one before was found.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - the door opens without it
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    design = np.column_stack([term.values(matrix[:, term.column]) for term in terms]) if terms else matrix[:, :0]
    parts = []
    solver = LogisticRegression(solver="newton-cholesky", max_iter=100, tol=tolerance, warm_start=True)
    for strength, weight in kinds:
        with threadpool_limits(1):  # sums in one order: the same bits for any number of threads
            if not design.any():
                rate = float(np.average(label, weights=weight))
                coefficients, base = [0.0] * len(terms), float(np.log(rate) - np.log1p(-rate))
            elif any(term.direction for term in terms):
                *coefficients, base = _fit_directed(design, label, terms, strength, weight).tolist()
            else:
                fitted = solver.set_params(C=strength).fit(design, label, sample_weight=weight)
                coefficients, base = fitted.coef_[0].tolist(), float(fitted.intercept_[0])
        found = tuple(replace(term, coefficient=one) for term, one in zip(terms, coefficients, strict=True))
        parts.append(LinearPart(base, found))
    return parts


def _fit_directed(
    design: Floats, label: Labels, terms: tuple[Term, ...], strength: float, weight: Floats | None
) -> Floats:
    """Return coefficients and intercept of the least penalised log loss, each coefficient on its side of 0."""
    from scipy.optimize import minimize  # noqa: PLC0415 - the door opens without it
    from scipy.special import expit  # noqa: PLC0415

    counts = np.ones(len(label)) if weight is None else weight

    def loss(numbers: Floats) -> tuple[float, Floats]:
        margin = design @ numbers[:-1] + numbers[-1]
        error = counts * (expit(margin) - label)
        value = counts @ np.logaddexp(0.0, np.where(label == 1, -margin, margin))
        penalty = numbers[:-1] / strength
        return float(value + penalty @ numbers[:-1] / 2), np.append(design.T @ error + penalty, error.sum())

    bounds = [{0: (None, None), 1: (0.0, None), -1: (None, 0.0)}[term.direction] for term in terms] + [(None, None)]
    options = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-7}
    found = minimize(loss, np.zeros(len(terms) + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)


def _number_terms(at: int, column: Floats, direction: int) -> list[Term]:
    missing = np.isnan(column)
    flag = [Term(at, "missing")] if missing.any() else []
    known = np.clip(column[~missing], -LARGEST, LARGEST)
    spread = float(known.std()) if len(known) else 0.0
    if spread <= 0:
        return flag
    inside = np.unique(np.quantile(known, KNEES))
    knees = inside[(inside > known.min()) & (inside < known.max())]
    line = Term(at, "line", float(known.mean()), spread)
    if direction:
        places = [line.bends[0], *inside[(inside > line.bends[0]) & (inside < line.bends[1])].tolist(), line.bends[1]]
        chain = (
            Term(at, "knee", begin, spread, (end - begin) / spread, direction=direction)
            for begin, end in pairwise(places)
        )
        return [*chain, *flag]
    return [line, *(Term(at, "knee", float(knee), spread) for knee in knees), *flag]
