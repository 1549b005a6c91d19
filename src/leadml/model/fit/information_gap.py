"""Estimate how much lower the log loss would be with unlimited rows and fields like those of the training set.

Learning curves are extrapolated: trees are fitted on one half of the rows and evaluated on the other, and fitted again
on half of those rows and on half of the topics. How much these losses are higher shows how much the model still lacks,
if the loss falls by a power of the number of rows and topics. All rows are evaluated, in several random divisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.parts.trees import BoosterData, CvResult, TreeSettings, cross_validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.model.fit.selection import FitData
    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Mask


GAP_RATE_FACTOR = 8  # decision 18: four times that of the search that chooses, because there are twenty more searches
DIVISIONS = 4  # decision 18: each costs five searches; with fewer, the estimate varies more with the draw of halves
HALF_FACTOR = 2.0**0.35  # with half of the rows, or of the topics, the gap is so many times as large


def information_gap(data: FitData, best: CvResult, params: ModelParams) -> float:
    """Return the estimated difference of the log loss to that of the true probabilities, above 0.

    Parameters
    ----------
    data
        The training set.
    best
        The cross-validation of the chosen trees. They are fitted again at a higher learning rate, with the strongest
        penalty.
    params
        Size, learning rate and penalties of the trees.

    Notes
    -----
    That losses fall by a power of the number of examples is what studies of learning curves find (Viering and Loog,
    "The shape of learning curves: a review", IEEE TPAMI 45, 2023); the exponent 0.35, and that topics follow the same
    law as rows, are assumptions. `benchmarks/intervals.py` shows how well they hold against a known truth. The gap is
    at least what the estimation of a single number from the rows costs, one half divided by the number of rows (Akaike,
    "A new look at the statistical model identification", IEEE Transactions on Automatic Control 19, 1974).
    """
    settings = TreeSettings(best.settings.leaves, max(params.leaf_penalties), on_linear=False)
    booster_data = BoosterData(data.fields, data.label, data.directions)
    random, is_used = np.random.default_rng(0), best.gains > 0
    row_costs: list[float] = []
    topic_costs: list[float] = []

    def loss(folds: Sequence[Fold], allowed_fields: Sequence[Mask] | None = None) -> float:
        return cross_validate(
            booster_data,
            folds,
            None,
            settings,
            params,
            max_work=params.budget,
            rate_factor=GAP_RATE_FACTOR,
            allowed_fields=allowed_fields,
        ).loss

    for half, quarter in zip(data.halves[::2], data.halves[1::2], strict=True):
        first, second = np.flatnonzero(half), np.flatnonzero(~half)
        divided: Sequence[Fold] = [(first, second), (second, first)]
        folds = divided if _have_both_outcomes(data, divided) else data.folds  # too few groups to divide
        whole = loss(folds)
        reduced = [[(fit[side[fit]], evaluate) for fit, evaluate in folds] for side in (quarter, ~quarter)]
        if all(_have_both_outcomes(data, fewer) for fewer in reduced):
            row_costs += [loss(fewer) - whole for fewer in reduced]
        topics = [halve_topics(data.encoder.fields, best.gains, random) for _ in folds]
        if all(0 < allowed[is_used].sum() < is_used.sum() for allowed in topics):  # at least two topics are used
            topic_costs += [loss(folds, allowed) - whole for allowed in (topics, [~allowed for allowed in topics])]
    costs = [
        float(np.mean(row_costs)) / HALF_FACTOR if row_costs else 0.0,
        float(np.mean(topic_costs)) if topic_costs else 0.0,
    ]
    return max(sum(max(cost, 0.0) for cost in costs) / (HALF_FACTOR - 1), 0.5 / len(data.label))


def halve_topics(fields: tuple[Field, ...], gains: Floats, random: np.random.Generator) -> Mask:
    """Return which fields are in one of two random halves with about the same gain, shape (n_fields,).

    All fields of a topic are in the same half. Topics without a gain are in neither.

    Parameters
    ----------
    fields
        The fields, in order.
    gains
        What splits by each field gained, shape (n_fields,).
    random
        Decides which topic of each pair is in the half; a pair is two topics whose gains are next to each other.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> fields = tuple(Field(name, "number", "fit") for name in "abcd")
    >>> halve_topics(fields, np.array([4.0, 3.0, 2.0, 1.0]), np.random.default_rng(0)).tolist()
    [False, True, False, True]
    """
    totals: dict[str, float] = {}
    for field, gain in zip(fields, gains.tolist(), strict=True):
        totals[field.subject] = totals.get(field.subject, 0.0) + gain
    ranked = sorted((name for name in totals if totals[name] > 0), key=lambda name: (-totals[name], name))
    pairs = (ranked[first : first + 2] for first in range(0, len(ranked), 2))
    chosen = {pair[random.integers(len(pair))] for pair in pairs}
    return np.array([field.subject in chosen for field in fields], dtype=bool)


def _have_both_outcomes(data: FitData, folds: Sequence[Fold]) -> bool:
    """Return whether each fold is fitted on rows that converted and on rows that did not."""
    return all(0 < data.label[fit].sum() < len(fit) for fit, _ in folds)
