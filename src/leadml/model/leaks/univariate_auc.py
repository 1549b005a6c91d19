"""How well fields tell converters from other leads, alone and together.

What enters is leads with labels; what leaves is areas under the ROC curve with their errors, on leads that the rates
or trees did not see.
It never judges a lead by itself: what is learned from one half of the leads is judged on the other.
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


STEPS = 20
PRIOR = 20.0
SURE = 1.645
ROUNDS = 60
FEW = 20
NEARLY_ONE = 0.9999
SMALLEST = 1e-9


@dataclass(frozen=True)
class Power:
    """An area under the ROC curve and its standard error.

    Parameters
    ----------
    auc
        Chance that a converter is ranked above another lead; 0.5 is chance, 1 is perfect.
    error
        Standard error, 0 or more.
    """

    auc: float
    error: float

    @property
    def low(self) -> float:
        """The one-sided lower bound at 95%."""
        return self.auc - SURE * self.error


@dataclass(frozen=True)
class Lift:
    """What one field adds to others.

    Parameters
    ----------
    without, beside
        AUC of the others, and of the others with the field.
    error
        Standard error of ``beside - without``, as both are judged on the same leads.
    tie
        How far field and others go together, in units of what the outcome alone would explain: 0 where they know
        nothing of each other, 1 where they meet in the outcome only, more where they share other causes.
    tie_error
        Standard error of the tie.
    """

    without: float
    beside: float
    error: float
    tie: float
    tie_error: float

    @property
    def own(self) -> float:
        """AUC of what the field knows and the others do not."""
        return own_power(self.without, self.beside)

    @property
    def own_low(self) -> float:
        """The one-sided lower bound of `own` at 95%."""
        return own_power(self.without, self.beside - SURE * self.error)


def separation(auc: float) -> float:
    """Return how many standard deviations lie between normal scores of converters and of other leads.

    Examples
    --------
    >>> round(separation(0.5), 3), round(separation(0.76), 3)
    (0.0, 0.999)
    """
    return float(np.sqrt(2) * ndtri(np.clip(auc, 0.5, NEARLY_ONE)))


def own_power(without: float, beside: float) -> float:
    """Return the AUC of a field that would lift others from one AUC to another if it knew nothing that they know.

    Notes
    -----
    For normal scores of independent parts the squared separations add up, and AUC = Phi(separation / sqrt(2)).

    Examples
    --------
    >>> round(own_power(0.5, 0.8), 3), round(own_power(0.8, 0.8), 3), round(own_power(0.8, 0.9), 3)
    (0.8, 0.5, 0.833)
    """
    gained = separation(beside) ** 2 - separation(without) ** 2
    return float(ndtr(np.sqrt(max(gained, 0.0) / 2)))


def field_scores(column: pd.Series, field: Field, outcome: Outcome) -> Floats:
    """Return what one field says of each lead by rates that did not see it, shape (n_rows,).

    A number is cut into 20 steps of equal mass, "missing" is a step of its own, and each lead gets the rate of its
    step among the other half of the leads.
    """
    return step_scores(steps_of(column, field), outcome)


def step_scores(steps: Rows, outcome: Outcome) -> Floats:
    """Return for each lead the rate of its step among the other half of the leads, shape (n_rows,)."""
    scores = np.empty(len(steps))
    for judged in outcome.sides:
        scores[judged] = _rates(steps[~judged], outcome.label[~judged], int(steps.max()) + 1)[steps[judged]]
    return scores


def steps_of(column: pd.Series, field: Field) -> Rows:
    """Return the step of each lead: its level, or one of 20 steps of equal mass, "missing" the last.

    A number that more than a step of the leads have is a step of its own, and the others are cut into 20 steps too:
    what is 0 for nearly all says something where it is not.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> steps_of(pd.Series([0.0] * 97 + [1.0, 2.0, np.nan]), Field("calls", "number", "fit"))[-4:].tolist()
    [1, 3, 3, 4]
    """
    if field.kind == "category":
        return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], dtype=np.intp)
    values = column.to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    edges = _edges(known) if len(known) else np.empty(0)
    steps = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, steps).astype(np.intp)


def _edges(known: Floats) -> Floats:
    """Return where the steps of numbers begin."""
    shares = np.linspace(0, 1, STEPS + 1)
    edges = np.quantile(known, shares[1:-1])
    distinct, sizes = np.unique(known, return_counts=True)
    commonest = distinct[np.argmax(sizes)]
    others = known[known != commonest]
    if sizes.max() * STEPS > len(known) and len(others):
        beside = np.quantile(others, shares[:-1], method="lower")
        edges = np.concatenate([edges, beside, [commonest, np.nextafter(commonest, np.inf)]])
    return np.unique(edges)


def power(outcome: Outcome, scores: Floats) -> Power:
    """Return the AUC of scores, the mean of the two halves: scores of different halves are not compared.

    Examples
    --------
    >>> from leadml.model.leaks.outcome import Outcome
    >>> power(Outcome(np.array([0, 0, 1, 1], dtype=np.int8), np.arange(4)), np.array([0.1, 0.2, 0.3, 0.4]))
    Power(auc=1.0, error=0.0)
    """
    halves = [_influence(outcome.label[rows], scores[rows]) for rows in outcome.sides]
    return Power(float(np.mean([auc for auc, _ in halves])), _error(outcome, [parts for _, parts in halves]))


def alike(one: Floats, other: Floats) -> float:
    """Return the correlation of two scores, 0 where one of them is the same for all."""
    spread = one.std() * other.std()
    return float(np.mean((one - one.mean()) * (other - other.mean())) / spread) if spread > SMALLEST else 0.0


@dataclass(frozen=True)
class Together:
    """Small trees on several fields of leads, each half judged by trees of the other.

    Parameters
    ----------
    frame
        Leads in the order of their ids.
    fields
        The fields that may be asked for.
    outcome
        What became of them.
    """

    frame: pd.DataFrame
    fields: Sequence[Field]
    outcome: Outcome

    @cached_property
    def matrices(self) -> tuple[Floats, Floats]:
        """For each half that is judged: numbers as they are, levels as the rate among the other half."""
        first, second = (
            np.column_stack([self._column(f, ~judged) for f in self.fields]) for judged in self.outcome.sides
        )
        return first, second

    @cached_property
    def _fitted(self) -> dict[tuple[int, ...], tuple[Floats, dict[Field, float]]]:
        return {}

    def margins(self, fields: Sequence[Field]) -> tuple[Floats, dict[Field, float]]:
        """Return log-odds of shape (n_leads,) by trees on some of the fields, and what each field gained for them.

        The order of the fields is nothing, and the same fields are fitted once.
        """
        columns = tuple(at for at, field in enumerate(self.fields) if field in fields)
        if columns not in self._fitted:
            self._fitted[columns] = self._fit(list(columns))
        return self._fitted[columns]

    def _fit(self, columns: list[int]) -> tuple[Floats, dict[Field, float]]:
        import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

        label = self.outcome.label
        margins, gains = np.empty(len(label)), np.zeros(len(columns))
        for judged, matrix in zip(self.outcome.sides, self.matrices, strict=True):
            known = lgb.Dataset(matrix[~judged][:, columns], label[~judged], params=_settings())
            trees = lgb.train(_settings(), known, ROUNDS)
            margins[judged] = trees.predict(matrix[judged][:, columns], raw_score=True, num_threads=1)
            gains += trees.feature_importance("gain")
        return margins, {self.fields[at]: float(gain) for at, gain in zip(columns, gains, strict=True)}

    def lift(self, field: Field, others: Sequence[Field], score: Floats) -> Lift:
        """Return what a field, whose own score is given, adds to others."""
        outcome = self.outcome
        without, beside = (self.margins(chosen)[0] for chosen in (others, [*others, field]))
        halves = [
            tuple(_influence(outcome.label[rows], margin[rows])[1] for margin in (without, beside))
            for rows in outcome.sides
        ]
        error = _error(outcome, [after - before for before, after in halves])
        return Lift(power(outcome, without).auc, power(outcome, beside).auc, error, *_tie(outcome, without, score))

    def _column(self, field: Field, known: Mask) -> Floats:
        if field.kind != "category":
            return self.frame[field.name].to_numpy(dtype=np.float64)
        steps, label = steps_of(self.frame[field.name], field), self.outcome.label
        size = np.bincount(steps[known], minlength=int(steps.max()) + 1)
        rates = _rates(steps[known], label[known], int(steps.max()) + 1)
        return np.where(size < FEW, label[known].mean(), rates)[steps]


def _settings() -> dict[str, Any]:
    return {
        "objective": "binary",
        "num_leaves": 4,
        "min_data_in_leaf": FEW,
        "lambda_l2": 5.0,
        "max_bin": 63,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def _rates(steps: Rows, label: Labels, number: int) -> Floats:
    size = np.bincount(steps, minlength=number)
    won = np.bincount(steps, weights=label, minlength=number)
    return np.asarray((won + PRIOR * label.mean()) / (size + PRIOR), dtype=np.float64)


def _influence(label: Labels, scores: Floats) -> tuple[float, Floats]:
    """Return the AUC, and how far each lead moves it, shape (n_rows,)."""
    _, level = np.unique(scores, return_inverse=True)
    number = int(level.max()) + 1
    won = np.bincount(level[label == 1], minlength=number)
    lost = np.bincount(level[label == 0], minlength=number)
    below = (np.cumsum(lost) - lost / 2) / lost.sum()
    above = 1 - (np.cumsum(won) - won / 2) / won.sum()
    auc = float((below * won).sum() / won.sum())
    return auc, np.where(label == 1, (below[level] - auc) / won.sum(), (above[level] - auc) / lost.sum())


def _error(outcome: Outcome, halves: Sequence[Floats]) -> float:
    """Return the standard error of the mean of the AUC, or differences of AUC, of both halves.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44 (1988); rows of one group are summed first, as in Obuchowski, "Nonparametric
    analysis of clustered ROC curve data", Biometrics 53 (1997).
    """
    summed = (np.bincount(outcome.group[rows], weights=part) for rows, part in zip(outcome.sides, halves, strict=True))
    return float(np.sqrt(sum(float((groups**2).sum()) for groups in summed)) / len(halves))


def _tie(outcome: Outcome, others: Floats, score: Floats) -> tuple[float, float]:
    """Return how far others and a field go together beyond chance, in units of what the outcome explains.

    Where a field is written by the outcome and by nothing else, it is independent of the others given the outcome, so
    that its correlation with them is the product of both correlations with the outcome.
    """
    seen, expected = [], []
    for rows in outcome.sides:
        converted, chance = outcome.label[rows].astype(np.float64), expit(others[rows])
        seen.append(alike(chance, score[rows]))
        expected.append(alike(converted, chance) * alike(converted, score[rows]))
    unit = max(float(np.mean(expected)), SMALLEST)
    groups = int(outcome.group.max()) + 1
    return float(np.mean(seen)) / unit, float(1 / np.sqrt(groups) / unit)
