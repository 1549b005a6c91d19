"""LK9: leads kept aside that are there a second time among the leads to learn from.

What enters is both frames; what leaves is a suspicion where leads were copied rather than alike.
Few coarse fields make honest twins: how many is known from the leads that differ in one field or in two.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import SURE, alike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.params import LeakParams
    from leadml.types import Hashes, Integers


MOST_ASIDE = 10_000
FEWEST = 5
VARIED = 0.5
MOST_VARIED = 8
MOST_TWINS = 3
DOUBT = 2.0
AGREE = 1.5
NAME = "split"
REMEDY = (
    "is a suspected leak: give leads that belong together one side by an account or group, or remove the duplicates; "
    "or name split in leaks.accept with the reason why they are none"
)


def suspect_overlap(
    learn: pd.DataFrame, aside: pd.DataFrame, fields: Sequence[Field], leaks: LeakParams
) -> Suspicion | None:
    """Return what twins across the split tell.

    Parameters
    ----------
    learn, aside
        Leads with labels; at most 10,000 of those kept aside, evenly taken, are looked for.
    fields
        The fields of the model; twins have the same value in all of them.
    leaks
        ``overlap``: the share of held-out leads that may be copies of leads of the training set.

    Notes
    -----
    Pairs of leads, one of each side, are counted that agree in all fields, in all but one, and in all but two. Where
    leads are alike by chance, the pairs that differ in one field, those that differ in another, and those that differ
    in both say how many differ in none: (one x other) / both, summed over the most varied fields. Copies come on top
    of that and make none of the others; a lead counts three twins at most, as many are no copies.
    """
    aside = aside.iloc[:: -(-len(aside) // MOST_ASIDE)]
    hashes = _column_hashes(learn, aside, fields)
    size = len(learn)
    whole = hashes.sum(axis=1, dtype=np.uint64)
    twins = _twins(whole, size)
    number = int((twins > 0).sum())
    if number < FEWEST or len(np.unique(whole[:size])) < VARIED * size:
        return None
    pairs, expected = int(np.minimum(twins, MOST_TWINS).sum()), _expected(hashes, whole, size)
    surely = pairs - SURE * np.sqrt(pairs)
    if surely - expected < leaks.overlap * len(aside):
        return None
    agreement = _agreement(learn, aside[twins > 0], whole[:size], whole[size:][twins > 0])
    converted = int(aside.loc[twins > 0, LABEL].sum())
    agree = agreement * np.sqrt(min(converted, number - converted)) >= AGREE  # where all have one label, none disagree
    evidence = (
        f"is not clean: {number:,} of {len(aside):,} leads kept aside have the same values as leads to learn from, in "
        f"{pairs:,} pairs where {expected:,.0f} are expected of leads that are merely alike; their labels agree with a "
        f"correlation of {agreement:.2f}"
    )
    if surely - DOUBT * expected >= leaks.overlap * len(aside) and agree:
        return Suspicion("LK9", "stop", evidence, NAME, REMEDY)
    return Suspicion("LK9", "warn", evidence, NAME, "see whether they are the same leads, and remove the duplicates")


def _expected(hashes: Hashes, whole: Hashes, size: int) -> float:
    """Return how many pairs of leads that are merely alike agree in all fields."""
    equal = int(_twins(whole, size).sum())
    differ = [int(_twins(whole - hashes[:, at], size).sum()) - equal for at in range(hashes.shape[1])]
    varied = np.argsort(differ)[::-1][:MOST_VARIED]
    products, both = 0, 0
    for one, other in combinations(varied, 2):
        products += differ[one] * differ[other]
        rest = whole - hashes[:, one] - hashes[:, other]
        both += int(_twins(rest, size).sum()) - equal - differ[one] - differ[other]
    return products / max(both, 1)


def _column_hashes(learn: pd.DataFrame, aside: pd.DataFrame, fields: Sequence[Field]) -> Hashes:
    """Return a hash of each field of each lead, shape (n_leads, n_fields), whose sum is one of the whole lead."""
    columns = []
    for at, field in enumerate(fields):
        codes = pd.factorize(pd.concat([learn[field.name], aside[field.name]]), use_na_sentinel=False)[0]
        marked = (codes.astype(np.uint64) << np.uint64(16)) + np.uint64(at)
        columns.append(pd.util.hash_array(marked, categorize=False).astype(np.uint64))
    return np.column_stack(columns)


def _twins(hashes: Hashes, size: int) -> Integers:
    """Return for each lead after the first so many how many of those have the same hash."""
    values, counts = np.unique(hashes[:size], return_counts=True)
    sought = hashes[size:]
    place = np.minimum(np.searchsorted(values, sought), len(values) - 1)
    return np.where(values[place] == sought, counts[place], 0).astype(np.int64)


def _agreement(learn: pd.DataFrame, twins: pd.DataFrame, known: Hashes, sought: Hashes) -> float:
    """Return the correlation of the labels of twins kept aside with the rates of their twins to learn from."""
    rates = pd.Series(learn[LABEL].to_numpy(dtype=np.float64)).groupby(known).mean()
    return alike(rates.reindex(sought).to_numpy(), twins[LABEL].to_numpy(dtype=np.float64))
