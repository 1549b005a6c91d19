"""How much the counts of some leads differ from others: sizes of effects, without what chance adds.

A size does not grow with the number of leads, as the certainty of a test would, so that a limit means the same for a
batch of 200 leads and for one of a million.
"""

from __future__ import annotations

from math import asin, sqrt
from typing import TYPE_CHECKING

import numpy as np

from leadml.bundle.profile import ChangeSizes, FieldSizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.bundle.profile import FieldCounts, LeadCounts
    from leadml.model.predict.reference import FieldBins
    from leadml.types import Floats

MIN_EXPECTED = 5.0  # leads of a bin: with fewer, the series behind the part of chance does not hold (Cochran 1954)
CLEAR = 4.0  # where five or fewer are expected, four times as many come by chance once in ten million draws (Poisson)
HALF = 0.5  # is added to each count, so that a bin without leads has a logarithm; the custom for log ratios of counts
ERRORS = 2.0  # standard errors that a change of a share is reduced by: the lower end of its 95% interval


def change_sizes(bins: Mapping[str, FieldBins], reference: LeadCounts, current: LeadCounts) -> ChangeSizes:
    """Return how much some leads differ from the reference.

    Parameters
    ----------
    bins
        The bins of each field.
    reference, current
        Counts by the same bins.
    """
    return ChangeSizes(
        fields={
            name: field_sizes(bins[name], counts, current.fields[name]) for name, counts in reference.fields.items()
        },
        score=mean_change(reference, current),
        stages=stage_size(reference.stages, current.stages),
    )


def field_sizes(bins: FieldBins, reference: FieldCounts, current: FieldCounts) -> FieldSizes:
    """Return how much a field differs from the reference.

    Shares out of the range and of other levels are those of the leads that have a value. Numbers of days since
    something have no range: they rise as records reach further back, and have no unit that could change.

    Parameters
    ----------
    bins
        The bins of the field.
    reference, current
        Its counts.

    Examples
    --------
    >>> from leadml.bundle.profile import FieldCounts
    >>> from leadml.model.predict.reference import FieldBins
    >>> sizes = field_sizes(FieldBins("boolean"), FieldCounts(0, (500, 500)), FieldCounts(400, (300, 300)))
    >>> round(sizes.missing, 2), round(sizes.distribution, 2)
    (0.36, -0.0)
    """
    rows = [counts.missing + counts.present for counts in (reference, current)]
    outside = [(counts.bins[0] + counts.bins[-1]) if len(bins.edges) else 0 for counts in (reference, current)]
    others = [counts.bins[-1] for counts in (reference, current)]
    present = [counts.present for counts in (reference, current)]
    return FieldSizes(
        missing=abs(certain_change((reference.missing, rows[0]), (current.missing, rows[1]))),
        out_of_range=_rise(outside, present) if bins.kind == "number" and not bins.step else 0.0,
        new_levels=_rise(others, present) if bins.kind == "category" else 0.0,
        distribution=stability_index(reference.bins, current.bins),
    )


def certain_change(reference: tuple[int, int], current: tuple[int, int]) -> float:
    """Return the change of a share as far as it is certain, from -1 to 1: nearer to 0 by two standard errors.

    Parameters
    ----------
    reference, current
        Leads that have something, and all leads; 0 leads show no change.

    Examples
    --------
    >>> round(certain_change((100, 1000), (100, 200)), 3), certain_change((100, 1000), (22, 200))
    (0.342, 0.0)
    """
    (first, leads), (second, others) = reference, current
    if not leads or not others:
        return 0.0
    share = (first + second) / (leads + others)
    change = second / others - first / leads
    error = sqrt(share * (1 - share) * (1 / leads + 1 / others))
    return float(np.sign(change)) * max(abs(change) - ERRORS * error, 0.0)


def mean_change(reference: LeadCounts, current: LeadCounts) -> float:
    """Return the change of the mean probability as far as it is certain, as Cohen's h, from 0.

    The spread of the probabilities would not do: leads with equal fields have equal probabilities, so that a small
    shift moves many of them from one bin to the next.

    Parameters
    ----------
    reference, current
        Counts of two sets of leads; no leads show no change.

    Examples
    --------
    >>> from leadml.bundle.profile import LeadCounts
    >>> before, after = (LeadCounts(10**6, {}, (10**6,), mean * 10**6, {}) for mean in (120_000, 190_000))
    >>> round(mean_change(before, after), 2)
    0.19
    """
    if not reference.scored or not current.scored:
        return 0.0
    angles = [2 * asin(sqrt(each.mean_probability)) for each in (reference, current)]
    error = sqrt(1 / reference.scored + 1 / current.scored)
    return max(abs(angles[1] - angles[0]) - ERRORS * error, 0.0)


def stability_index(reference: Sequence[int], current: Sequence[int]) -> float:
    """Return the population stability index of two sets of counts, without what chance adds to it.

    0 is expected where both are drawn from the same leads, so that values below 0 occur. Bins in which fewer than five
    leads are expected are taken together.

    Parameters
    ----------
    reference, current
        Counts of the same bins; 0 is returned where either has too few leads for two bins.

    Notes
    -----
    The index is the sum over bins of (p - q) log(p / q), with the shares p and q of both sets. Chance adds (B - 1)
    (1 / n + 1 / m) for B bins and n and m leads, because the index is then near a sum of squares that has B - 1 degrees
    of freedom (Yurdakul and Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
    Validation 14, 2020).

    Examples
    --------
    >>> round(stability_index([1000, 1000], [100, 100]), 3), round(stability_index([1000, 1000], [150, 50]), 2)
    (-0.005, 0.27)
    """
    pooled: Floats = pool_bins(np.array([reference, current], dtype=np.float64))
    bins = pooled.shape[1]
    if bins <= 1:
        return 0.0
    first, second = (pooled + HALF) / (pooled + HALF).sum(axis=1, keepdims=True)
    chance = (bins - 1) * (1 / sum(reference) + 1 / sum(current))
    return float(((first - second) * np.log(first / second)).sum() - chance)


def pool_bins(counts: Floats) -> Floats:
    """Return counts with bins taken together, until five leads or more are expected in each, in the smaller set.

    A bin in which one set has 20 leads or more, if both sets were of the smaller size, is never taken together.

    Parameters
    ----------
    counts
        Shape (2, n_bins). One bin is returned if the smaller set has fewer than ten leads.

    Examples
    --------
    >>> pool_bins(np.array([[50.0, 4.0, 2.0], [60.0, 2.0, 4.0]])).tolist()
    [[50.0, 6.0], [60.0, 6.0]]
    """
    totals = counts.sum(axis=1)
    if totals.min() < 2 * MIN_EXPECTED:
        everything: Floats = counts.sum(axis=1, keepdims=True)
        return everything
    by_both, by_one = counts.sum(axis=0) / totals.sum(), (counts / totals[:, None]).max(axis=0)
    expected = np.maximum(by_both, by_one / CLEAR) * totals.min()
    order = np.argsort(expected, kind="stable")
    first = int((expected < MIN_EXPECTED).sum())
    if first and expected[order[:first]].sum() < MIN_EXPECTED:
        first += 1
    kept = counts[:, np.sort(order[first:])]
    together: Floats = counts[:, order[:first]].sum(axis=1, keepdims=True)
    return np.hstack([kept, together]) if first else kept


def stage_size(reference: Mapping[str, int], current: Mapping[str, int]) -> float:
    """Return the largest change of the share of a stage as far as it is certain, from 0 to 1; 0 without stages.

    Parameters
    ----------
    reference, current
        Leads by stage.

    Examples
    --------
    >>> round(stage_size({"LEAD": 900, "SQL": 100}, {"LEAD": 0, "SQL": 300}), 2)
    0.84
    """
    leads, others = sum(reference.values()), sum(current.values())
    changes = [certain_change((count, leads), (current[stage], others)) for stage, count in reference.items()]
    return max((abs(change) for change in changes), default=0.0)


def _rise(counts: list[int], leads: list[int]) -> float:
    """Return by how much a share is larger than in the reference as far as it is certain; 0 if it is smaller."""
    return max(certain_change((counts[0], leads[0]), (counts[1], leads[1])), 0.0)
