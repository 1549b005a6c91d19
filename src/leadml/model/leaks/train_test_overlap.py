"""LK9: leads of the holdout that are copies of training leads (train-test overlap).

Different leads can have equal values where fields are few or coarse. How many such leads to expect is estimated from
the pairs of leads that differ in one field or in two.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL
from leadml.leads.judge.findings import FindingKind
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import Z_95, correlation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import LeakEvidence
    from leadml.model.leaks.check import JudgedRows
    from leadml.params import LeakParams
    from leadml.types import Hashes, Integers


MAX_HELD_OUT = 10_000  # rows: a share of 2% is then known to 0.3% (two errors)
MIN_MATCHED = 5  # leads: fewer are single duplicates, which change no figure
MIN_DISTINCT_SHARE = 0.5  # of the training rows: with fewer, fields are so coarse that equal leads are no copies
MAX_VARIED_FIELDS = 8  # 28 pairs of fields, for time; what is expected by chance changes little with more
MAX_MATCHES = 3  # a copy has one original, rarely two; more matches are a common combination of values
EXPECTED_FACTOR = 2.0  # the estimate of chance may be wrong by half: it takes fields as independent; see leak_limits.py
MIN_LABEL_Z = 1.5  # errors: with the other conditions, labels need not be surer than 93% to agree
NAME = "split"
STOP_REMEDY = (
    "it is a suspected leak: remove the duplicates, or declare what such leads share in split.same_person (of dated "
    "leads, or in sources.leads.account); or name split in leaks.accept with the reason why they are no copies"
)
WARN_REMEDY = "check whether they are the same leads, and remove the duplicates"


def suspect_overlap(
    learn: pd.DataFrame, held_out: pd.DataFrame, fields: Sequence[Field], leaks: LeakParams
) -> Suspicion | None:
    """Return a suspicion where leads of the holdout are copies of training leads, else None.

    Parameters
    ----------
    learn, held_out
        Labelled rows of the training set and of the holdout; at most 10,000 of the holdout are used, evenly spaced.
    fields
        The fields of the model; a copy has the same value in all of them.
    leaks
        ``overlap``: the share of the holdout that may be copies.

    Notes
    -----
    Pairs of a training lead and a lead of the holdout are counted that agree in all fields, in all but one and in all
    but two. Of leads that agree by chance, the expected number of pairs that agree in all fields is the sum of (pairs
    that differ in a only) x (pairs that differ in b only) over the sum of (pairs that differ in a and b only), for all
    pairs a, b of the most varied fields. Copies add to the pairs that agree in all fields and to none of the others. A
    lead of the holdout counts at most three matches, because leads with more are no copies.
    """
    held_out = held_out.iloc[:: -(-len(held_out) // MAX_HELD_OUT)]
    field_hashes = _field_hashes(learn, held_out, fields)
    size = len(learn)
    row_hashes = field_hashes.sum(axis=1, dtype=np.uint64)
    matches = _count_matches(row_hashes, size)
    matched = matches > 0
    number = int(matched.sum())
    if number < MIN_MATCHED or len(np.unique(row_hashes[:size])) < MIN_DISTINCT_SHARE * size:
        return None
    pairs, expected = int(np.minimum(matches, MAX_MATCHES).sum()), _expected_pairs(field_hashes, row_hashes, size)
    lower_bound = pairs - Z_95 * np.sqrt(pairs)
    if lower_bound - expected < leaks.overlap * len(held_out):
        return None
    label_correlation = _label_correlation(learn, held_out[matched], row_hashes[:size], row_hashes[size:][matched])
    converted = int(held_out.loc[matched, LABEL].sum())
    # where all have one label, that the labels agree is no evidence
    labels_agree = label_correlation * np.sqrt(min(converted, number - converted)) >= MIN_LABEL_Z
    evidence = (
        f"has train-test overlap: {number:,} of {len(held_out):,} leads of the holdout have the same values as "
        f"training leads, in {pairs:,} pairs where {expected:,.0f} are expected by chance; the correlation of their "
        f"labels is {label_correlation:.2f}"
    )
    if lower_bound - EXPECTED_FACTOR * expected >= leaks.overlap * len(held_out) and labels_agree:
        return Suspicion("LK9", "stop", evidence, NAME, STOP_REMEDY)
    return Suspicion("LK9", "warn", evidence, NAME, WARN_REMEDY)


def _expected_pairs(field_hashes: Hashes, row_hashes: Hashes, size: int) -> float:
    """Return how many pairs are expected by chance to agree in all fields; see the notes of `suspect_overlap`."""
    equal = int(_count_matches(row_hashes, size).sum())
    fields = range(field_hashes.shape[1])
    differ = [int(_count_matches(row_hashes - field_hashes[:, at], size).sum()) - equal for at in fields]
    varied = np.argsort(differ)[::-1][:MAX_VARIED_FIELDS]
    products, differ_in_both = 0, 0
    for first, second in combinations(varied, 2):
        products += differ[first] * differ[second]
        other_fields = row_hashes - field_hashes[:, first] - field_hashes[:, second]
        differ_in_both += int(_count_matches(other_fields, size).sum()) - equal - differ[first] - differ[second]
    return products / max(differ_in_both, 1)


def _field_hashes(learn: pd.DataFrame, held_out: pd.DataFrame, fields: Sequence[Field]) -> Hashes:
    """Return a hash of each field of each row, shape (n_rows, n_fields); their sum is a hash of the row."""
    columns = []
    for at, field in enumerate(fields):
        codes = pd.factorize(pd.concat([learn[field.name], held_out[field.name]]), use_na_sentinel=False)[0]
        marked = (codes.astype(np.uint64) << np.uint64(16)) + np.uint64(at)
        columns.append(pd.util.hash_array(marked, categorize=False).astype(np.uint64))
    return np.column_stack(columns)


def _count_matches(hashes: Hashes, size: int) -> Integers:
    """Return for each row of the holdout how many training rows, the first ``size``, have the same hash."""
    values, counts = np.unique(hashes[:size], return_counts=True)
    held_out = hashes[size:]
    position = np.minimum(np.searchsorted(values, held_out), len(values) - 1)
    return np.where(values[position] == held_out, counts[position], 0).astype(np.int64)


def _label_correlation(learn: pd.DataFrame, matched: pd.DataFrame, learn_hashes: Hashes, hashes: Hashes) -> float:
    """Return the correlation of the labels of matched rows with the conversion rates of the rows that they match."""
    rates = pd.Series(learn[LABEL].to_numpy(dtype=np.float64)).groupby(learn_hashes).mean()
    return correlation(rates.reindex(hashes).to_numpy(), matched[LABEL].to_numpy(dtype=np.float64))


def _find(rows: JudgedRows) -> list[Suspicion]:
    held_out = rows.evidence.held_out
    if held_out is None or held_out.empty:
        return []
    overlap = suspect_overlap(rows.frame, held_out, rows.model_fields, rows.leaks)
    return [overlap] if overlap else []


def _missing(evidence: LeakEvidence) -> str:
    has_holdout = evidence.held_out is not None and not evidence.held_out.empty
    return "" if has_holdout else "no holdout was given, so copies of its leads cannot be found"


CHECK = LeakCheck(
    {
        "LK9": FindingKind(
            "leaks",
            "Leads of the holdout are copies of leads that are fitted on",
            "Remove the duplicates, or declare what such leads share in split.same_person (of dated leads, or in "
            "sources.leads.account).",
        )
    },
    _find,
    _missing,
)
