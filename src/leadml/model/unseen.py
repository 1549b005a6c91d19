"""How much more leads and fields like these would tell.

What enters is leads and trees as the folds saw them; what leaves is an estimate of the information that a model lacks.
Trees are grown again on half of the leads and on half of the topics, another half in each fold, so that none decides.
From what halves cost follows what all leads and topics still lack, if that falls with the power 0.4 of their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.trees import Growth, Kind, Soil, grow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadml.leads.field import Field
    from leadml.leads.split import Fold
    from leadml.model.choose import Leads
    from leadml.params import ModelParams

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

STRIDE = 8
TOPIC_HALVINGS = 4  # of each fold: which topics are in a half decides more than which leads
HALF_COSTS = 2.0**0.4 - 1.0  # the cost of a half, over what the whole lacks


def lacking_information(leads: Leads, best: Growth, choices: ModelParams) -> float:
    """Return by how much the log loss would fall with leads and topics without end, 0 or more.

    Parameters
    ----------
    leads
        To learn from.
    best
        Trees as the folds saw them. They are grown again in fewer and longer steps, with the strongest penalty.
    choices
        Size, speed and penalties of the trees.

    Notes
    -----
    That losses fall by a power of the number of examples is what studies of learning curves find (Viering and Loog,
    "The shape of learning curves: a review", IEEE TPAMI 45, 2023); 0.4, and that fields follow the same law as leads,
    are assumptions. `benchmarks/intervals.py` shows how they fare where the truth is known.
    """
    kind = Kind(best.kind.leaves, max(choices.leaf_penalties), on_line=False)
    soil = Soil(leads.fields, leads.label, leads.directions)

    def loss(folds: Sequence[Fold], shown: Sequence[Mask] | None = None) -> float:
        return grow(soil, folds, None, kind, choices, budget=choices.budget, stride=STRIDE, shown=shown).loss

    known = loss(leads.folds)
    costs: list[float] = []
    halved = _both(leads.folds, leads.halves)
    if all(len(np.unique(leads.label[fit])) > 1 for folds in halved for fit, _ in folds):  # else too few to halve
        costs.append(float(np.mean([loss(folds) for folds in halved])) - known)
    random = np.random.default_rng(0)
    topics = [halve_topics(leads.encoder.fields, best.gains, random) for _ in range(TOPIC_HALVINGS * len(leads.folds))]
    if all(half.any() and not half.all() for half in topics):
        sides = [side for half in np.split(np.array(topics), TOPIC_HALVINGS) for side in (list(half), list(~half))]
        costs.append(float(np.mean([loss(leads.folds, side) for side in sides])) - known)
    return sum(max(cost, 0.0) for cost in costs) / HALF_COSTS


def halve_topics(fields: tuple[Field, ...], gains: Floats, random: np.random.Generator) -> Mask:
    """Return which fields are of one of two halves that tell about as much; the fields of a topic are in one.

    Parameters
    ----------
    fields
        The fields, in order.
    gains
        What each brought to the trees, shape (n_fields,).
    random
        Decides, of the first two topics by what they brought, of the next two and so on, which is in the half.

    Examples
    --------
    >>> from leadml.leads.field import Field
    >>> fields = tuple(Field(name, "number", "fit") for name in "abcd")
    >>> halve_topics(fields, np.array([4.0, 3.0, 2.0, 1.0]), np.random.default_rng(0)).tolist()
    [False, True, False, True]
    """
    total: dict[str, float] = {}
    for field, gain in zip(fields, gains.tolist(), strict=True):
        total[field.subject] = total.get(field.subject, 0.0) + gain
    ranked = sorted(total, key=lambda name: (-total[name], name))
    pairs = (ranked[at : at + 2] for at in range(0, len(ranked), 2))
    chosen = {pair[random.integers(len(pair))] for pair in pairs}
    return np.array([field.subject in chosen for field in fields], dtype=bool)


def _both(folds: Sequence[Fold], halves: Mask) -> tuple[list[Fold], list[Fold]]:
    """Return the folds fitted on a half of their leads each, and on the other halves."""
    first = [(fit[half[fit]], judge) for half, (fit, judge) in zip(halves, folds, strict=True)]
    return first, [(fit[~half[fit]], judge) for half, (fit, judge) in zip(halves, folds, strict=True)]
