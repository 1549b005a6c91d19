"""Select the linear part and the trees of a model by cross-validation.

Candidates and their stacking weights are compared by the out-of-fold log loss of the model that they would be part of.
Rows of the holdout are never used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing import cpu_count
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from leadml.errors import ModelError, nearest
from leadml.model.fit.weights import period_of, predictive_weights, prior_weights
from leadml.model.parts.calibration import log_losses
from leadml.model.parts.linear import REACHES, LinearPart, centered, fit_linear_parts, make_terms
from leadml.model.parts.trees import BoosterData, TreeSettings, cross_validate, some_rows
from leadml.model.predict.lead_model import sum_by_owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.check.field import Field
    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.linear import Term
    from leadml.model.parts.trees import CvResult
    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Integers, Labels, Progress, Rows


POINTS_ALONE = 1e-5  # strength: terms add next to nothing to the points, which have the penalty of a strength of 10
LEAST_WEIGHT = 0.002  # parts with less change no probability by a hundredth, and each costs a fit
MAX_SHIFT = 100.0  # brackets the root: a probability of 100 log-odds is 1 in doubles
SMALLEST_DIFFERENCE = 1e-12  # of mean probability and rate; a smaller one is rounding, brentq's own tolerance is 2e-12


@dataclass(frozen=True)
class FitData:
    """An encoded training set, in the order of its split.

    Parameters
    ----------
    encoder
        From fields to columns.
    fields
        Of the encoder's `fields_of`, shape (n_rows, n_fields).
    label
        Array of shape (n_rows,) of 0 and 1.
    clock
        Instants of shape (n_rows,); None where rows have none.
    directions
        For each field, from `directions_of`.
    folds
        Rows to fit on and to evaluate on.
    cluster
        The number of the group of each row, from 0, shape (n_rows,); None where rows are independent.
    points
        The points of the team, of `points_terms`; empty where there are none.
    """

    encoder: Encoder
    fields: Floats
    label: Labels
    clock: Integers | None
    directions: tuple[int, ...]
    folds: Sequence[Fold]
    cluster: Rows | None = None
    points: tuple[Term, ...] = ()

    @cached_property
    def matrix(self) -> Floats:
        """The encoder's columns, shape (n_rows, n_columns)."""
        return self.encoder.columns_of(self.fields)

    @property
    def evaluation_rows(self) -> Rows:
        """Rows that some fold is evaluated on, each once, ascending."""
        return np.unique(np.concatenate([evaluate for _, evaluate in self.folds]))

    @property
    def refit_factor(self) -> float:
        """How many times the rounds of a fold the trees of all rows have.

        They grow with the rows, but not where leads have many rows: those of the same lead teach little (decision 1).
        """
        if self.cluster is not None:
            return 1.0
        sizes = [len(evaluate) for _, evaluate in self.folds]
        return len(self.label) / float(np.average([len(fit) for fit, _ in self.folds], weights=sizes))

    def share_of_leads(self, rows: Rows) -> float:
        """Return the share of the leads, or of their groups, that some rows are of."""
        if self.cluster is None:
            return len(rows) / len(self.label)
        return len(np.unique(self.cluster[rows])) / (int(self.cluster.max()) + 1)

    def weight(self, half_life: float, rows: Rows | slice = slice(None)) -> Floats | None:
        """Return the weight of some rows by their age; None for equal weights."""
        return recency_weight(self.clock[rows], half_life) if half_life and self.clock is not None else None


@dataclass(frozen=True)
class LinearSettings:
    """A candidate for the linear part.

    Parameters
    ----------
    strength
        Inverse penalty.
    half_life
        Share of the rows, the newest, after which the weight of a row is one half; 0 for equal weights.
    reach
        Standard deviations beyond which numbers are clipped.
    is_points
        Whether it is the points of the team and next to nothing else.
    """

    strength: float
    half_life: float
    reach: float
    is_points: bool = False

    def __str__(self) -> str:
        """Return the settings in words."""
        half_life = f", half-life {self.half_life:g}" if self.half_life else ""
        if self.is_points:
            return f"points{half_life}"
        return f"linear, strength {self.strength:g}, reach {self.reach:g}{half_life}"


@dataclass(frozen=True)
class LinearResult:
    """The cross-validation of a linear part.

    Parameters
    ----------
    settings
        Of the part.
    margin
        Out-of-fold log-odds, shape (n_rows,); NaN for rows that no fold is evaluated on.
    importance
        As that of `leadml.model.parts.trees.CvResult`, shape (n_folds, n_fields).
    """

    settings: LinearSettings
    margin: Floats
    importance: Floats


@dataclass(frozen=True)
class Selection:
    """The parts of a model with their weights, which add up to 1.

    Parameters
    ----------
    linear
        Linear parts and their weights.
    trees
        Boosters; for each the weights of its first so many rounds.
    intercept_shift
        Log-odds that are added to the sum of the parts, so that out-of-fold probabilities add up to the conversions.
        0 where rows have instants: there the difference may be a change over time, which must not be fitted.
    margin
        Out-of-fold log-odds of the whole model, shape (n_rows,); NaN for rows that no fold is evaluated on.
    loss
        Out-of-fold log loss of the whole model.
    losses
        That of every candidate, by name; of trees after the best number of rounds.
    between
        Variance of the out-of-fold log-odds of the parts, by their weights, on average over the rows. 0 where rows have
        instants: there weights are even where periods differ, so it would say how different parts are, not how wrong.
    importance
        How much each field adds in the model of each fold, shape (n_folds, n_fields).
    """

    linear: tuple[tuple[LinearSettings, float], ...]
    trees: tuple[tuple[TreeSettings, Mapping[int, float]], ...]
    intercept_shift: float
    margin: Floats
    loss: float
    losses: Mapping[str, float]
    between: float
    importance: Floats


def select_parts(data: FitData, params: ModelParams, progress: Progress) -> Selection:
    """Return the parts of a model and their weights, by cross-validation.

    Parameters
    ----------
    data
        The training set.
    params
        The candidates.
    progress
        Called with the name of each step as it begins.
    """
    half_lives = params.half_lives if data.clock is not None else (0.0,)
    choices = product(half_lives, REACHES, params.linear_strengths)
    lines = [LinearSettings(strength, half_life, reach) for half_life, reach, strength in choices]
    if data.points:
        lines += [LinearSettings(POINTS_ALONE, half_life, REACHES[0], is_points=True) for half_life in half_lives]
    progress("cross-validating the linear part")
    linear = _cross_validate_linear(data, lines, params)
    booster_data = BoosterData(data.fields, data.label, data.directions)
    trees = []
    for each in product(sorted(set(params.leaves)), sorted(set(params.leaf_penalties)), half_lives):
        settings = TreeSettings(*each)
        progress(f"cross-validating trees: {settings}")
        weights = [data.weight(settings.half_life, rows) for rows, _ in data.folds]
        trees.append(cross_validate(booster_data, data.folds, settings, params, weights=weights))
    return _weighted(data, linear, trees)


def directions_of(fields: Sequence[Field], declared: Mapping[str, str]) -> tuple[int, ...]:
    """Return for each field 1 where the log-odds may only rise with it, -1 where they may only fall, else 0.

    Raises
    ------
    ModelError
        Where a direction is declared for a category, or for a name that is no field.
    """
    kinds = {field.name: field.kind for field in fields}
    for name in declared:
        if kinds.get(name, "category") == "category":
            what = "a category" if name in kinds else f"no field{nearest(name, kinds)}"
            msg = f"model.directions must name numbers and booleans, got {name!r}, which is {what}"
            raise ModelError(msg)
    return tuple({"rises": 1, "falls": -1}.get(declared.get(field.name, ""), 0) for field in fields)


def recency_weight(clock: Integers, half_life: float) -> Floats:
    """Return the weight of rows by their age, shape (n_rows,), mean 1.

    Parameters
    ----------
    clock
        Instants of shape (n_rows,).
    half_life
        Share of the rows, the newest, after which the weight of a row is one half, in (0, 1].

    Examples
    --------
    >>> recency_weight(np.array([1, 2, 3, 4]), 0.5).round(2).tolist()
    [0.55, 0.78, 1.1, 1.56]
    """
    ordered = np.sort(clock)
    share_newer = 1.0 - np.searchsorted(ordered, clock, side="right") / len(clock)
    weight = np.exp2(-share_newer / half_life)
    return np.asarray(weight / weight.mean())


def _cross_validate_linear(data: FitData, settings: list[LinearSettings], params: ModelParams) -> list[LinearResult]:
    """Return the out-of-fold log-odds of linear parts; all folds are fitted in parallel."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - slow to import and not always needed

    def fit(fold: Fold) -> list[tuple[Floats, Floats]]:
        rows, evaluate = fold
        matrix, some = data.matrix[evaluate], data.matrix[some_rows(evaluate)]
        parts = fit_pool(data, settings, rows)
        added = [sum_by_owner(part.contributions(some), data.encoder.owners) for part in parts]
        return [(part.margin(matrix), np.abs(each).mean(axis=0)) for part, each in zip(parts, added, strict=True)]

    with threadpool_limits(1), ThreadPoolExecutor(params.threads or cpu_count()) as pool:
        by_fold = list(pool.map(fit, data.folds))
    found = []
    for number, each in enumerate(settings):
        margin = np.full(len(data.label), np.nan)
        for (_, evaluate), of_fold in zip(data.folds, by_fold, strict=True):
            margin[evaluate] = of_fold[number][0]
        found.append(LinearResult(each, margin, np.array([of_fold[number][1] for of_fold in by_fold])))
    return found


def fit_pool(data: FitData, settings: Sequence[LinearSettings], rows: Rows | slice = slice(None)) -> list[LinearPart]:
    """Return the linear parts of some settings, fitted on some rows."""
    matrix, directions = data.matrix[rows], np.array(data.directions, dtype=np.intp)[data.encoder.owners]
    parts: dict[LinearSettings, LinearPart] = {}
    for reach in sorted({each.reach for each in settings}):
        some = [each for each in settings if each.reach == reach]
        weighted = [(each.strength, data.weight(each.half_life, rows)) for each in some]
        terms = make_terms(matrix, data.encoder.is_flag, directions, reach=reach)
        points = centered(data.points, matrix)
        fitted = fit_linear_parts(matrix, data.label[rows], terms, weighted, points=points)
        parts |= dict(zip(some, fitted, strict=True))
    return [parts[each] for each in settings]


def _weighted(data: FitData, linear: list[LinearResult], trees: list[CvResult]) -> Selection:
    """Return all parts with their weights."""
    rows, label = data.evaluation_rows, data.label[data.evaluation_rows]
    families = [("points" if each.settings.is_points else "linear", each.settings.half_life) for each in linear]
    families += [("trees", each.settings.half_life) for each in trees for _ in each.rounds]
    margin = np.column_stack(
        [*(each.margin[rows] for each in linear), *(each[rows] for tree in trees for each in tree.margins)]
    )
    losses = np.column_stack([log_losses(column, label) for column in margin.T])
    period = None if data.clock is None else period_of(data.clock[rows])
    cluster = None if data.cluster is None else data.cluster[rows]
    converted = np.flatnonzero(data.label) if data.cluster is None else np.unique(data.cluster[data.label == 1])
    weight = predictive_weights(losses, prior_weights(families, len(converted)), period, cluster)
    weight = np.where(weight < min(LEAST_WEIGHT, weight.max()), 0.0, weight)
    weight /= weight.sum()
    mixed = margin @ weight
    shift, between = 0.0, 0.0
    if data.clock is None:
        shift, between = _intercept_shift(mixed, label), float((((margin - mixed[:, None]) ** 2) @ weight).mean())
    whole = np.full(len(data.label), np.nan)
    whole[rows] = mixed + shift
    of_parts = [each.importance for each in linear] + [each.importance for each in trees for _ in each.rounds]
    of_trees = iter(weight[len(linear) :].tolist())
    by_rounds = [(each.settings, {count: next(of_trees) for count in each.rounds}) for each in trees]
    return Selection(
        linear=tuple((each.settings, share) for each, share in zip(linear, weight.tolist(), strict=False)),
        trees=tuple(by_rounds),
        intercept_shift=shift,
        margin=whole,
        loss=float(log_losses(whole[rows], label).mean()),
        losses=dict(zip([str(each.settings) for each in linear], losses.mean(axis=0).tolist(), strict=False))
        | {str(each.settings): each.loss for each in trees},
        between=between,
        importance=np.sum([share * each for share, each in zip(weight, of_parts, strict=True)], axis=0),
    )


def _intercept_shift(margin: Floats, label: Labels) -> float:
    """Return the log-odds with which probabilities add up to the conversions; 0 where all labels are equal.

    A mean of log-odds corresponds to less than the mean of their probabilities where most leads do not convert, and the
    penalty on leaves lowers the sum too.
    """
    rate = float(label.mean())
    if not 0 < rate < 1 or abs(expit(margin).mean() - rate) < SMALLEST_DIFFERENCE:
        return 0.0
    return float(brentq(lambda shift: expit(margin + shift).mean() - rate, -MAX_SHIFT, MAX_SHIFT))
