"""ROC AUC of single fields and of several fields, with standard errors, estimated out of fold.

Rates and trees are fitted on one half of the leads and evaluated on the other, so no lead is scored by its own outcome.
Nothing here decides what a leak is: the rules of the leak gate compare these figures with their limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats, Labels, Mask, Rows


BINS = 20  # of 50 leads in 1,000: coarser ones hide a special number, finer ones have too few leads; see leak_limits.py
PRIOR_ROWS = 20.0  # a bin of 20 rows counts half: the size from which a rate says more than the base rate
Z_95 = 1.645  # one-sided 95% of a normal distribution
ROUNDS = 60  # of small trees at LightGBM's rate of 0.1, for time; see leak_limits.py
MIN_ROWS_OF_LEVEL = 20  # of a leaf and of a level, as LightGBM's min_data_in_leaf
MAX_AUC = 0.9999  # keeps d-prime finite (5.3) where a field is perfect
MIN_SPREAD = 1e-9  # a spread that is only rounding


@dataclass(frozen=True)
class AucEstimate:
    """ROC AUC and its standard error.

    Parameters
    ----------
    value
        Probability that a converter has a higher score than another lead; 0.5 is chance, 1 is perfect.
    standard_error
        Standard error of the value, 0 or more.
    """

    value: float
    standard_error: float

    @property
    def lower_bound(self) -> float:
        """The one-sided lower bound at 95%."""
        return self.value - Z_95 * self.standard_error


@dataclass(frozen=True)
class AucGain:
    """How much AUC a field adds to other fields.

    Parameters
    ----------
    without_field, with_field
        AUC of the other fields, and of the other fields and the field.
    standard_error
        Standard error of ``with_field - without_field``; both are evaluated on the same leads.
    dependence
        Correlation of the field with the prediction of the other fields, divided by the correlation that they would
        have if they were independent given the outcome: 0 where they are independent, 1 where only the outcome links
        them, more where they have other causes in common.
    dependence_error
        Standard error of the dependence.
    """

    without_field: float
    with_field: float
    standard_error: float
    dependence: float
    dependence_error: float

    @property
    def incremental(self) -> float:
        """AUC of the information of the field that the other fields do not have."""
        return incremental_auc(self.without_field, self.with_field)

    @property
    def incremental_lower_bound(self) -> float:
        """The one-sided lower bound of `incremental` at 95%."""
        return incremental_auc(self.without_field, self.with_field - Z_95 * self.standard_error)


def d_prime(auc: float) -> float:
    """Return d-prime: how many standard deviations lie between normal scores of converters and of other leads.

    Examples
    --------
    >>> round(d_prime(0.5), 3), round(d_prime(0.76), 3)
    (0.0, 0.999)
    """
    return float(np.sqrt(2) * ndtri(np.clip(auc, 0.5, MAX_AUC)))


def incremental_auc(without_field: float, with_field: float) -> float:
    """Return the AUC of an independent field that would raise the AUC of other fields from one value to the other.

    Notes
    -----
    For normal scores of independent fields the squares of d-prime add up, and AUC = Phi(d-prime / sqrt(2)).

    Examples
    --------
    >>> round(incremental_auc(0.5, 0.8), 3), round(incremental_auc(0.8, 0.8), 3), round(incremental_auc(0.8, 0.9), 3)
    (0.8, 0.5, 0.833)
    """
    gained = d_prime(with_field) ** 2 - d_prime(without_field) ** 2
    return float(ndtr(np.sqrt(max(gained, 0.0) / 2)))


def field_scores(column: pd.Series, field: Field, outcome: Outcome) -> Floats:
    """Return the out-of-fold conversion rate of each row's value of one field, shape (n_rows,).

    A number is cut into 20 bins of equal size, missing values are a bin of their own, and each row has the rate of its
    bin in the other half.
    """
    return out_of_fold_rates(bins_of(column, field), outcome)


def out_of_fold_rates(bins: Rows, outcome: Outcome) -> Floats:
    """Return for each row the conversion rate of its bin in the other half, shape (n_rows,)."""
    rates = np.empty(len(bins))
    for evaluated in outcome.halves:
        fitted = _smoothed_rates(bins[~evaluated], outcome.labels[~evaluated], int(bins.max()) + 1)
        rates[evaluated] = fitted[bins[evaluated]]
    return rates


def bins_of(column: pd.Series, field: Field) -> Rows:
    """Return the bin of each row: the level of a category, or one of 20 bins of equal size, missing values the last.

    Where one number fills more than a bin of equal size, it is a bin of its own and the other numbers are cut into 20
    bins too: a number that is 0 for nearly all leads may tell much where it is not.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> bins_of(pd.Series([0.0] * 97 + [1.0, 2.0, np.nan]), Field("calls", "number", "fit"))[-4:].tolist()
    [1, 3, 3, 4]
    """
    if field.kind == "category":
        return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], dtype=np.intp)
    values = column.to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    edges = _edges(known) if len(known) else np.empty(0)
    bins = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, bins).astype(np.intp)


def _edges(known: Floats) -> Floats:
    """Return where the bins of numbers begin."""
    shares = np.linspace(0, 1, BINS + 1)
    edges = np.quantile(known, shares[1:-1])
    distinct, sizes = np.unique(known, return_counts=True)
    commonest = distinct[np.argmax(sizes)]
    others = known[known != commonest]
    if sizes.max() * BINS > len(known) and len(others):
        edges_of_others = np.quantile(others, shares[:-1], method="lower")
        edges = np.concatenate([edges, edges_of_others, [commonest, np.nextafter(commonest, np.inf)]])
    return np.unique(edges)


def estimate_auc(outcome: Outcome, scores: Floats) -> AucEstimate:
    """Return the AUC of scores: the mean of both halves, because scores of different halves are not comparable.

    Examples
    --------
    >>> from leadml.model.leaks.outcome import Outcome
    >>> estimate_auc(Outcome(np.array([0, 0, 1, 1], dtype=np.int8), np.arange(4)), np.array([0.1, 0.2, 0.3, 0.4]))
    AucEstimate(value=1.0, standard_error=0.0)
    """
    halves = [_auc_and_influence(outcome.labels[rows], scores[rows]) for rows in outcome.halves]
    standard_error = _standard_error(outcome, [influence for _, influence in halves])
    return AucEstimate(float(np.mean([auc for auc, _ in halves])), standard_error)


def correlation(first: Floats, second: Floats) -> float:
    """Return the correlation of two scores, 0 where one of them is constant."""
    spread = first.std() * second.std()
    return float(np.mean((first - first.mean()) * (second - second.mean())) / spread) if spread > MIN_SPREAD else 0.0


@dataclass(frozen=True)
class CrossFittedTrees:
    """Gradient boosting of small trees, fitted on each half of the rows and evaluated on the other.

    Parameters
    ----------
    frame
        Rows in the order of their ids.
    fields
        All fields that a model may use.
    outcome
        Labels and groups of the rows.
    """

    frame: pd.DataFrame
    fields: Sequence[Field]
    outcome: Outcome

    @cached_property
    def matrices(self) -> tuple[Floats, Floats]:
        """For each half that is evaluated: numbers as they are, levels as their rate in the other half."""
        first, second = (
            np.column_stack([self._column(field, ~evaluated) for field in self.fields])
            for evaluated in self.outcome.halves
        )
        return first, second

    @cached_property
    def _cache(self) -> dict[tuple[int, ...], tuple[Floats, dict[Field, float]]]:
        return {}

    def cross_fit(self, fields: Sequence[Field]) -> tuple[Floats, dict[Field, float]]:
        """Return out-of-fold log-odds of shape (n_rows,) of a model of some fields, and the gain of each field.

        The order of the fields does not matter, and the same fields are fitted once.
        """
        columns = tuple(at for at, field in enumerate(self.fields) if field in fields)
        if columns not in self._cache:
            self._cache[columns] = self._fit(list(columns))
        return self._cache[columns]

    def _fit(self, columns: list[int]) -> tuple[Floats, dict[Field, float]]:
        import lightgbm as lgb  # noqa: PLC0415 - commands that fit nothing start without it

        labels = self.outcome.labels
        log_odds, gains = np.empty(len(labels)), np.zeros(len(columns))
        for evaluated, matrix in zip(self.outcome.halves, self.matrices, strict=True):
            fitted_on = lgb.Dataset(matrix[~evaluated][:, columns], labels[~evaluated], params=_boosting_params())
            trees = lgb.train(_boosting_params(), fitted_on, ROUNDS)
            log_odds[evaluated] = trees.predict(matrix[evaluated][:, columns], raw_score=True, num_threads=1)
            gains += trees.feature_importance("gain")
        return log_odds, {self.fields[at]: float(gain) for at, gain in zip(columns, gains, strict=True)}

    def auc_gain(self, field: Field, others: Sequence[Field], scores: Floats) -> AucGain:
        """Return how much AUC a field adds to other fields, given its own scores, shape (n_rows,)."""
        outcome = self.outcome
        without_field, with_field = (self.cross_fit(chosen)[0] for chosen in (others, [*others, field]))
        halves = [
            tuple(
                _auc_and_influence(outcome.labels[rows], log_odds[rows])[1] for log_odds in (without_field, with_field)
            )
            for rows in outcome.halves
        ]
        standard_error = _standard_error(outcome, [after - before for before, after in halves])
        return AucGain(
            estimate_auc(outcome, without_field).value,
            estimate_auc(outcome, with_field).value,
            standard_error,
            *_dependence(outcome, without_field, scores),
        )

    def _column(self, field: Field, fitted_on: Mask) -> Floats:
        """Return a field as numbers: a level is encoded as its rate among the rows that are fitted on."""
        if field.kind != "category":
            return self.frame[field.name].to_numpy(dtype=np.float64)
        bins, labels = bins_of(self.frame[field.name], field), self.outcome.labels
        sizes = np.bincount(bins[fitted_on], minlength=int(bins.max()) + 1)
        rates = _smoothed_rates(bins[fitted_on], labels[fitted_on], int(bins.max()) + 1)
        return np.where(sizes < MIN_ROWS_OF_LEVEL, labels[fitted_on].mean(), rates)[bins]


def _boosting_params() -> dict[str, Any]:
    return {
        "objective": "binary",
        "num_leaves": 4,
        "min_data_in_leaf": MIN_ROWS_OF_LEVEL,
        "lambda_l2": 5.0,
        "max_bin": 63,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def _smoothed_rates(bins: Rows, labels: Labels, number: int) -> Floats:
    """Return the conversion rate of each bin, shrunk to the base rate, shape (number,)."""
    sizes = np.bincount(bins, minlength=number)
    converted = np.bincount(bins, weights=labels, minlength=number)
    return np.asarray((converted + PRIOR_ROWS * labels.mean()) / (sizes + PRIOR_ROWS), dtype=np.float64)


def _auc_and_influence(labels: Labels, scores: Floats) -> tuple[float, Floats]:
    """Return the AUC, and the influence of each row on it, shape (n_rows,)."""
    _, rank = np.unique(scores, return_inverse=True)
    number = int(rank.max()) + 1
    positives = np.bincount(rank[labels == 1], minlength=number)
    negatives = np.bincount(rank[labels == 0], minlength=number)
    below = (np.cumsum(negatives) - negatives / 2) / negatives.sum()
    above = 1 - (np.cumsum(positives) - positives / 2) / positives.sum()
    auc = float((below * positives).sum() / positives.sum())
    influence = np.where(labels == 1, (below[rank] - auc) / positives.sum(), (above[rank] - auc) / negatives.sum())
    return auc, influence


def _standard_error(outcome: Outcome, halves: Sequence[Floats]) -> float:
    """Return the standard error of the mean AUC, or mean difference of AUC, of both halves from the rows' influences.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44 (1988); rows of one group are summed first, as in Obuchowski, "Nonparametric
    analysis of clustered ROC curve data", Biometrics 53 (1997).
    """
    sums = (
        np.bincount(outcome.groups[rows], weights=influence)
        for rows, influence in zip(outcome.halves, halves, strict=True)
    )
    return float(np.sqrt(sum(float((by_group**2).sum()) for by_group in sums)) / len(halves))


def _dependence(outcome: Outcome, others: Floats, scores: Floats) -> tuple[float, float]:
    """Return the dependence of a field and the prediction of other fields, and its standard error.

    Notes
    -----
    A field that only the outcome determines is independent of the other fields given the outcome. Its correlation with
    them is then the product of both correlations with the outcome. The dependence is the observed correlation divided
    by that product.
    """
    observed, expected = [], []
    for rows in outcome.halves:
        converted, predicted = outcome.labels[rows].astype(np.float64), expit(others[rows])
        observed.append(correlation(predicted, scores[rows]))
        expected.append(correlation(converted, predicted) * correlation(converted, scores[rows]))
    unit = max(float(np.mean(expected)), MIN_SPREAD)
    number_of_groups = int(outcome.groups.max()) + 1
    return float(np.mean(observed)) / unit, float(1 / np.sqrt(number_of_groups) / unit)
