"""How much more leads and fields like these would tell.

What enters is leads and trees as the folds saw them; what leaves is an estimate of the information that a model lacks.
Trees are grown again on half of the leads and, twice, on half of the topics; from what each half costs follows what
all leads and all topics still lack, if the loss falls as one over the root of their number.
"""

from __future__ import annotations

from math import sqrt
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

STRIDE = 8
HALVINGS = (3, 2)
HALF_COSTS = sqrt(2.0) - 1.0  # the cost of a half, over what the whole lacks


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
    "The shape of learning curves: a review", IEEE TPAMI 45, 2023); the root, and that fields follow the same law as
    leads, is an assumption. `benchmarks/intervals.py` shows how it fares where the truth is known.
    """
    every = np.arange(leads.fields.shape[1])
    kind = Kind(best.kind.leaves, max(choices.leaf_penalties), on_line=False)
    quick = choices.model_copy(update={"max_rounds": best.rounds})

    def loss(chosen: NDArray[np.intp], folds: Sequence[Fold]) -> float:
        soil = Soil(leads.fields[:, chosen], leads.label, tuple(leads.directions[at] for at in chosen))
        return grow(soil, folds, None, kind, quick, budget=quick.budget, stride=STRIDE).loss

    known = loss(every, leads.folds)
    halves = [half for at in HALVINGS for half in halve_topics(leads.encoder.fields, best.gains, at)]
    parts = [[(fit[half[fit]], judge) for fit, judge in leads.folds] for half in (leads.half, ~leads.half)]
    costs: list[float] = []
    if all(len(np.unique(leads.label[fit])) > 1 for folds in parts for fit, _ in folds):  # else too few to halve
        costs.append(float(np.mean([loss(every, folds) for folds in parts])) - known)
    if all(len(half) for half in halves):
        costs.append(float(np.mean([loss(half, leads.folds) for half in halves])) - known)
    return sum(max(cost, 0.0) for cost in costs) / HALF_COSTS


def halve_topics(
    fields: tuple[Field, ...], gains: NDArray[np.float64], together: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of two halves of the fields that tell about as much; the fields of a topic are in one.

    Parameters
    ----------
    fields
        The fields, in order.
    gains
        What each brought to the trees, shape (n_fields,).
    together
        Of each four topics in order of what they brought, the one (1 to 3) that joins the first.

    Examples
    --------
    >>> from leadml.leads.field import Field
    >>> fields = tuple(Field(name, "number", "fit") for name in "abcd")
    >>> [half.tolist() for half in halve_topics(fields, np.array([4.0, 3.0, 2.0, 1.0]), 3)]
    [[0, 3], [1, 2]]
    """
    total: dict[str, float] = {}
    for field, gain in zip(fields, gains.tolist(), strict=True):
        total[field.subject] = total.get(field.subject, 0.0) + gain
    ranked = sorted(total, key=lambda name: (-total[name], name))
    first = {name for at, name in enumerate(ranked) if at % 4 in {0, together}}
    inside = np.array([field.subject in first for field in fields], dtype=bool)
    return np.flatnonzero(inside), np.flatnonzero(~inside)
