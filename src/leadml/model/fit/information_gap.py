"""How much more leads and fields like these would tell.

What enters is leads and the trees that were chosen; what leaves is an estimate of the information that a model lacks.
Leads are divided in two, each half judged by trees grown on the other, and trees are grown again on half of those leads
and on half of the topics: all leads judge, and no single division decides.
From what halves cost follows what all leads and topics still lack, if that falls with a power of their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.parts.trees import BoosterData, CvResult, TreeSettings, grow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.model.fit.selection import FitData
    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Mask


STRIDE = 8
DIVISIONS = 4
HALF = 2.0**0.35  # so many times as much is lacking with half of the leads, or of the topics


def information_gap(leads: FitData, best: CvResult, choices: ModelParams) -> float:
    """Return by how much the log loss would fall with leads and topics without end, above 0.

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
    "The shape of learning curves: a review", IEEE TPAMI 45, 2023); 0.35, and that fields follow the same law as leads,
    are assumptions. `benchmarks/intervals.py` shows how they fare where the truth is known. What a single number costs
    that is learned from the leads, one half divided by how many they are, is lacking in any case (Akaike, "A new look
    at the statistical model identification", IEEE Transactions on Automatic Control 19, 1974).
    """
    kind = TreeSettings(best.kind.leaves, max(choices.leaf_penalties), on_linear=False)
    soil = BoosterData(leads.fields, leads.label, leads.directions)
    random, telling = np.random.default_rng(0), best.gains > 0
    of_leads: list[float] = []
    of_topics: list[float] = []

    def loss(folds: Sequence[Fold], shown: Sequence[Mask] | None = None) -> float:
        return grow(soil, folds, None, kind, choices, budget=choices.budget, stride=STRIDE, shown=shown).loss

    for half, quarter in zip(leads.halves[::2], leads.halves[1::2], strict=True):
        one, other = np.flatnonzero(half), np.flatnonzero(~half)
        divided: Sequence[Fold] = [(one, other), (other, one)]
        folds = divided if _both_kinds(leads, divided) else leads.folds  # too few accounts to divide
        known = loss(folds)
        fewer = [[(fit[side[fit]], judge) for fit, judge in folds] for side in (quarter, ~quarter)]
        if all(_both_kinds(leads, some) for some in fewer):
            of_leads += [loss(some) - known for some in fewer]
        topics = [halve_topics(leads.encoder.fields, best.gains, random) for _ in folds]
        if all(0 < some[telling].sum() < telling.sum() for some in topics):  # else a single topic
            of_topics += [loss(folds, some) - known for some in (topics, [~some for some in topics])]
    costs = [float(np.mean(of_leads)) / HALF if of_leads else 0.0, float(np.mean(of_topics)) if of_topics else 0.0]
    return max(sum(max(cost, 0.0) for cost in costs) / (HALF - 1), 0.5 / len(leads.label))


def halve_topics(fields: tuple[Field, ...], gains: Floats, random: np.random.Generator) -> Mask:
    """Return which fields are of one of two halves that tell about as much; the fields of a topic are in one.

    Topics that brought nothing are in none.

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
    >>> from leadml.leads.check.field import Field
    >>> fields = tuple(Field(name, "number", "fit") for name in "abcd")
    >>> halve_topics(fields, np.array([4.0, 3.0, 2.0, 1.0]), np.random.default_rng(0)).tolist()
    [False, True, False, True]
    """
    total: dict[str, float] = {}
    for field, gain in zip(fields, gains.tolist(), strict=True):
        total[field.subject] = total.get(field.subject, 0.0) + gain
    ranked = sorted((name for name in total if total[name] > 0), key=lambda name: (-total[name], name))
    pairs = (ranked[at : at + 2] for at in range(0, len(ranked), 2))
    chosen = {pair[random.integers(len(pair))] for pair in pairs}
    return np.array([field.subject in chosen for field in fields], dtype=bool)


def _both_kinds(leads: FitData, folds: Sequence[Fold]) -> bool:
    """Return whether the leads that each fold is fitted on hold some that converted and some that did not."""
    return all(0 < leads.label[fit].sum() < len(fit) for fit, _ in folds)
