"""Make the profile of a training: what later leads are compared with."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from leadml.bundle.profile import NO_PROFILE, ChangeSizes, FieldSizes, LeadCounts, Profile, SliceCounts
from leadml.leads.check.contract import LABEL
from leadml.leads.split import column_of
from leadml.model.predict.reference import field_bins
from leadml.review.drift.counts import count_leads
from leadml.review.drift.sizes import change_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from leadml.model.fit.estimator import FitResult
    from leadml.model.predict.reference import FieldBins
    from leadml.stages.cuts import Cut
    from leadml.types import Floats, Integers, Labels, Mask

DECILES = np.arange(1, 10) / 10  # ten bins are the custom for a population stability index
# A fifth of a year is a season and more; more blocks would each be a shorter time than a model is used without review.
BLOCKS = 5
# Of snapshots each date is a block, as a batch is of one date too; 52 are the weeks of a year.
MOST_DATES = 52
MIN_BLOCK = 200  # leads, as review.changes.min_leads: the share of fewer is not known well enough to raise a limit
SIZE_UNITS = 1e6  # sizes are stored in millionths: other processors give other last digits of a logarithm


def training_profile(
    fitted: FitResult,
    learn: pd.DataFrame,
    holdout: pd.DataFrame,
    *,
    cuts: Sequence[Cut],
    clock: str | None,
    slices: Sequence[str] = (),
) -> Profile:
    """Return the profile of a training; the order of its rows changes nothing.

    Later leads are compared with the out-of-fold probabilities, from which the cuts were solved: the model knows the
    outcomes of the rows that it was fitted on. The holdout counts as the newest part of the time, so that a change on
    which the model was evaluated is no news.

    Parameters
    ----------
    fitted
        The model with its out-of-fold probabilities.
    learn, holdout
        The rows that the model was fitted on, and those that it was evaluated on.
    cuts
        The cuts of the stages, rising.
    clock
        The column of the instant of each row; None where rows have none.
    slices
        Fields by whose values leads and conversions are counted.
    """
    encoder, probability = fitted.model.encoder, fitted.probability
    names = [field.name for field in encoder.fields]
    fields = encoder.fields_of(learn)
    bins = field_bins(fields, encoder)
    edges = tuple(np.unique(np.quantile(probability, DECILES)).tolist())
    empty = replace(NO_PROFILE, bins=bins, edges=edges)  # until its leads are counted

    def count(some_fields: Floats, some_probability: Floats) -> LeadCounts:
        return count_leads(empty, some_fields, some_probability, names=names, cuts=cuts)

    everything = count(fields, probability)
    blocks, scored_blocks = (time_blocks(column_of(frame, clock)) for frame in (learn, fitted.rows))
    parts = [
        count(fields[slice(0) if one is None else one], probability[slice(0) if two is None else two])
        for one, two in zip_longest(blocks, scored_blocks)
    ]
    sizes = [change_sizes(bins, everything - part, part) for part in parts]
    if len(holdout) >= MIN_BLOCK:
        newest = count(encoder.fields_of(holdout), fitted.model.predict(holdout))
        sizes.append(change_sizes(bins, everything, newest))
    label = learn[LABEL].to_numpy()
    counted = {name: slice_counts(bins[name], fields[:, names.index(name)], label) for name in slices}
    return Profile(bins, edges, everything, largest_sizes(names, sizes), counted)


def time_blocks(clock: Integers | None) -> list[Mask]:
    """Return which rows are in each block of consecutive time, up to five blocks with about as many rows.

    Where instants have 200 rows or more each, as the dates of snapshots have, each is a block, up to 52 blocks. Rows of
    one instant are in one block. There are no blocks without instants, or with rows for fewer than two.

    Parameters
    ----------
    clock
        Instants of the rows, shape (n_rows,); None where rows have none.

    Examples
    --------
    >>> [int(block.sum()) for block in time_blocks(np.arange(500))], time_blocks(np.arange(399))
    ([250, 250], [])
    """
    count = 0 if clock is None else min(BLOCKS, len(clock) // MIN_BLOCK)
    if clock is None or count <= 1:
        return []
    instants, number = np.unique(clock, return_inverse=True)
    if 1 < len(instants) <= len(clock) // MIN_BLOCK:
        dates = min(len(instants), MOST_DATES)
        block = number * dates // len(instants)
        return [block == date for date in range(dates)]
    edges = np.unique(np.quantile(clock, np.linspace(0, 1, count + 1)[1:-1]))
    block = np.searchsorted(edges, clock, side="left")
    return [block == number for number in range(len(edges) + 1)]


def largest_sizes(names: Sequence[str], sizes: Sequence[ChangeSizes]) -> ChangeSizes:
    """Return the largest of each size, and at least 0.

    Parameters
    ----------
    names
        The fields.
    sizes
        Sizes of several parts.

    Examples
    --------
    >>> parts = [ChangeSizes({"age": FieldSizes(missing=share)}, score=-share) for share in (0.1, 0.3)]
    >>> largest_sizes(["age"], parts).fields["age"].missing, largest_sizes(["age"], parts).score
    (0.3, 0.0)
    """

    def largest(values: Iterable[float]) -> float:
        return ceil(max([0.0, *values]) * SIZE_UNITS) / SIZE_UNITS  # up, so that none is above its own limit

    fields = {}
    for name in names:
        of_field = [each.fields[name] for each in sizes]
        kinds = [entry.name for entry in dataclass_fields(FieldSizes)]
        fields[name] = FieldSizes(**{kind: largest(getattr(each, kind) for each in of_field) for kind in kinds})
    return ChangeSizes(fields, largest(each.score for each in sizes), largest(each.stages for each in sizes))


def slice_counts(bins: FieldBins, values: Floats, label: Labels) -> SliceCounts:
    """Return leads and conversions by the values of a field.

    Parameters
    ----------
    bins
        The bins of the field.
    values
        A column of `Encoder.fields_of`, shape (n_rows,).
    label
        Outcomes of the leads, 0 or 1, shape (n_rows,).

    Examples
    --------
    >>> from leadml.model.predict.reference import FieldBins
    >>> slice_counts(FieldBins("boolean"), np.array([0.0, 1.0, 1.0]), np.array([0, 1, 0], dtype=np.int8))
    SliceCounts(rows=(1, 2, 0), conversions=(0, 1, 0))
    """
    positions, size = bins.positions(values), bins.size + 1
    rows = np.bincount(positions, minlength=size).tolist()
    return SliceCounts(tuple(rows), tuple(np.bincount(positions[label > 0], minlength=size).tolist()))
