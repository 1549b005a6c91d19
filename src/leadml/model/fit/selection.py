"""Select the linear part and the trees of a model by cross-validation.

Candidates and their stacking weights are compared by the out-of-fold log loss of the model that they would be part of.
Rows of the holdout are never used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import cpu_count
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from leadml.errors import ModelError, nearest
from leadml.model.parts.calibration import log_losses
from leadml.model.parts.linear import fit_linear_parts, make_terms, margins
from leadml.model.parts.trees import BoosterData, CvResult, TreeSettings, cross_validate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.check.field import Field
    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.linear import Term
    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Integers, Labels, Mask, Progress, Rows


WEIGHT_STEPS = 20  # decision 1: tenths and fortieths give the same log loss to 0.0001
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
    halves
        Which rows are in some random halves of the groups, shape (n_halves, n_rows).
    """

    encoder: Encoder
    fields: Floats
    label: Labels
    clock: Integers | None
    directions: tuple[int, ...]
    folds: Sequence[Fold]
    halves: Mask

    @property
    def evaluation_rows(self) -> Rows:
        """Rows that some fold is evaluated on, each once, ascending."""
        return np.unique(np.concatenate([evaluate for _, evaluate in self.folds]))

    @property
    def refit_factor(self) -> float:
        """How many times the rows that a fold is fitted on the training set has: the rounds of trees grow by it."""
        sizes = [len(evaluate) for _, evaluate in self.folds]
        return len(self.label) / float(np.average([len(fit) for fit, _ in self.folds], weights=sizes))

    def weight(self, half_life: float, rows: Rows | slice = slice(None)) -> Floats | None:
        """Return the weight of some rows by their age; None for equal weights."""
        return recency_weight(self.clock[rows], half_life) if half_life and self.clock is not None else None

    def terms(self, matrix: Floats) -> tuple[Term, ...]:
        """Return the linear terms of the columns of some rows."""
        return make_terms(matrix, self.encoder.is_flag, np.array(self.directions, dtype=np.intp)[self.encoder.owners])


@dataclass(frozen=True)
class LinearCandidate:
    """The cross-validation of a linear part.

    Parameters
    ----------
    strength
        Inverse penalty.
    half_life
        Share of the rows, the newest, after which the weight of a row is one half; 0 for equal weights.
    bases
        For each fold the log-odds of the rows it is fitted on and of those it is evaluated on.
    margin
        Out-of-fold log-odds of shape (n_rows,); NaN for rows that no fold is evaluated on.
    loss
        Out-of-fold log loss.
    """

    strength: float
    half_life: float
    bases: list[tuple[Floats, Floats]]
    margin: Floats
    loss: float


@dataclass(frozen=True)
class Selection:
    """The selected parts with their stacking weights, which add up to 1.

    Parameters
    ----------
    linear_parts
        Two linear parts and their weights: one without trees, and the one that trees are fitted on.
    tree_parts
        Trees and their weights: those that are fitted on nothing, and those that are fitted on the linear part.
    intercept_shift
        Log-odds that are added to the sum of the parts, so that out-of-fold probabilities add up to the conversions.
        0 where rows have instants: there the difference may be a change over time, which must not be fitted.
    margin
        Out-of-fold log-odds of the whole model, shape (n_rows,); NaN for rows that no fold is evaluated on.
    loss
        Out-of-fold log loss of the whole model.
    tree_candidates
        The cross-validation of all trees that were tried.
    """

    linear_parts: tuple[tuple[LinearCandidate, float], ...]
    tree_parts: tuple[tuple[CvResult, float], ...]
    intercept_shift: float
    margin: Floats
    loss: float
    tree_candidates: list[CvResult]


def select_parts(data: FitData, params: ModelParams, progress: Progress) -> Selection:
    """Return the linear part, the trees and the stacking weights with the least out-of-fold log loss.

    Parameters
    ----------
    data
        The training set.
    params
        The candidates, and the budget for trying them.
    progress
        Called with the name of each step as it begins.
    """
    progress("choosing the linear part")
    linear = _linear_candidates(data, params)
    base = min(linear, key=lambda candidate: candidate.loss)
    booster_data = BoosterData(data.fields, data.label, data.directions)
    trees: list[CvResult] = []
    remaining = params.budget
    for settings in _tree_settings(params):
        if trees and remaining <= 0:
            break
        progress(f"choosing trees: {settings}")
        bases = base.bases if settings.on_linear else None
        trees.append(cross_validate(booster_data, data.folds, bases, settings, params, max_work=remaining))
        remaining -= trees[-1].work
    return _choose_weights(data, linear, base, trees)


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


def mean_log_loss(margin: Floats, label: Labels) -> float:
    """Return the mean log loss of log-odds, 0 or more."""
    return float(log_losses(margin, label).mean())


def _tree_settings(params: ModelParams) -> list[TreeSettings]:
    """Return the candidates for trees, the simplest first: few leaves, strong penalties."""
    sizes, penalties = sorted(set(params.leaves)), sorted(set(params.leaf_penalties), reverse=True)
    return [
        TreeSettings(leaves, penalty, base == "linear")
        for leaves, penalty, base in product(sizes, penalties, params.bases)
    ]


def _linear_candidates(data: FitData, params: ModelParams) -> list[LinearCandidate]:
    """Return a linear part of each strength, and of each half-life with the best strength."""
    half_lives = params.half_lives if data.clock is not None else (0.0,)
    candidates = _cross_validate_linear(
        data, [(strength, half_lives[0]) for strength in params.linear_strengths], params
    )
    best = min(candidates, key=lambda candidate: candidate.loss)
    more = [(best.strength, half_life) for half_life in half_lives[1:]]
    return candidates + _cross_validate_linear(data, more, params)


def _cross_validate_linear(
    data: FitData, settings: list[tuple[float, float]], params: ModelParams
) -> list[LinearCandidate]:
    """Return the linear parts of some strengths and half-lives; all folds are fitted in parallel."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - slow to import and not always needed

    matrix = data.encoder.columns_of(data.fields)

    def fit(fold: Fold) -> list[tuple[Floats, Floats]]:
        rows, evaluate = fold
        fit_columns, evaluation_columns = matrix[rows], matrix[evaluate]
        weighted = [(strength, data.weight(half_life, rows)) for strength, half_life in settings]
        parts = fit_linear_parts(fit_columns, data.label[rows], data.terms(fit_columns), weighted)
        return list(zip(margins(parts, fit_columns), margins(parts, evaluation_columns), strict=True))

    with threadpool_limits(1), ThreadPoolExecutor(params.threads or cpu_count()) as pool:
        by_fold = list(pool.map(fit, data.folds))
    candidates = []
    for number, (strength, half_life) in enumerate(settings):
        bases = [pairs[number] for pairs in by_fold]
        margin = np.full(len(data.label), np.nan)
        for (_, evaluate), (_, out_of_fold) in zip(data.folds, bases, strict=True):
            margin[evaluate] = out_of_fold
        rows = data.evaluation_rows
        loss = mean_log_loss(margin[rows], data.label[rows])
        candidates.append(LinearCandidate(strength, half_life, bases, margin, loss))
    return candidates


def _choose_weights(
    data: FitData, linear: list[LinearCandidate], base: LinearCandidate, trees: list[CvResult]
) -> Selection:
    """Return a linear part, trees on nothing and trees on the linear part, with their stacking weights.

    Every linear part is tried with weights in steps of a twentieth; of equal losses the first is taken.
    """
    rows, label = data.evaluation_rows, data.label[data.evaluation_rows]
    whole = [
        (result, result.margin[rows] + (base.margin[rows] if result.settings.on_linear else 0.0)) for result in trees
    ]
    by_base = ([pair for pair in whole if pair[0].settings.on_linear == on_linear] for on_linear in (False, True))
    best = [_simplest(pairs, label) for pairs in by_base if pairs]
    tree_margins = [margin for _, margin in best]
    steps = [parts for parts in product(range(WEIGHT_STEPS + 1), repeat=len(best)) if sum(parts) <= WEIGHT_STEPS]
    options = [
        (candidate, np.array((WEIGHT_STEPS - sum(parts), *parts)) / WEIGHT_STEPS)
        for candidate in linear
        for parts in steps
    ]

    def mix(candidate: LinearCandidate, weights: Floats) -> Floats:
        total = weights[0] * candidate.margin[rows]
        for weight, margin in zip(weights[1:], tree_margins, strict=True):
            total += weight * margin
        return np.asarray(total)

    losses = [round(mean_log_loss(mix(*option), label), 9) for option in options]
    candidate, weights = options[int(np.argmin(losses))]
    mixed = mix(candidate, weights)
    shift = _intercept_shift(mixed, label) if data.clock is None else 0.0
    margin = np.full(len(data.label), np.nan)
    margin[rows] = mixed + shift
    tree_parts = [(result, float(weight)) for (result, _), weight in zip(best, weights[1:], strict=True)]
    base_weight = sum(weight for result, weight in tree_parts if result.settings.on_linear)
    return Selection(
        linear_parts=((candidate, float(weights[0])), (base, base_weight)),
        tree_parts=tuple(tree_parts),
        intercept_shift=shift,
        margin=margin,
        loss=mean_log_loss(margin[rows], label),
        tree_candidates=trees,
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


def _simplest(candidates: list[tuple[CvResult, Floats]], label: Labels) -> tuple[CvResult, Floats]:
    """Return the first candidate, with its log-odds, whose loss is within one standard error of the least.

    Notes
    -----
    The rule of one standard error of Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees" (1984),
    with the error of the difference on the same rows.
    """
    losses = [log_losses(margin, label) for _, margin in candidates]
    best = min(losses, key=lambda loss: round(float(loss.mean()), 9))
    gaps = [loss - best for loss in losses]
    return next(
        candidate
        for candidate, gap in zip(candidates, gaps, strict=True)
        if gap.mean() <= gap.std() / np.sqrt(len(label))
    )
