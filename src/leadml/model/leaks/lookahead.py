"""LK7: fields that know the activities after the snapshot (look-ahead).

A field is correlated with counts of activities after the snapshot, given the same counts before it. Leads that
converted and leads that did not are judged separately, because the outcome itself changes how active leads are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import AS_OF, LEAD_ID
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import Z_95

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.model.leaks.check import JudgedRows
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats


MIN_COUNTED_LEADS = 50  # leads: a correlation of 0.81 stops then; of fewer, only what a copy alone has
STOP_CORRELATION, WARN_CORRELATION = 0.71, 0.5  # see the notes: no habit reaches the square root of a half
MIN_VARIANCE = 1e-6  # variance that is only rounding: columns are scaled to variance 1


def suspect_lookahead(
    frame: pd.DataFrame, fields: Sequence[Field], outcome: Outcome, future_counts: pd.DataFrame
) -> list[Suspicion]:
    """Return a suspicion of each field that is correlated with the activities after the snapshot.

    Parameters
    ----------
    frame
        Rows with ``lead_id``, ``as_of`` and the fields.
    fields
        The fields of the model; numbers and booleans are judged.
    outcome
        Labels and groups of the rows.
    future_counts
        See `leadml.leads.judge.evidence.LeakEvidence`.

    Notes
    -----
    The partial correlation of a field with a count after the snapshot, given the same count before the snapshot, is 1
    for the sum of both counts. It is near 0 for what is known at the snapshot, except for lasting habits. Given an
    exactly known habit, both counts have the same random part, so its partial correlation is at most the square root
    of a half.
    """
    after = frame[[LEAD_ID, AS_OF]].merge(future_counts, on=[LEAD_ID, AS_OF], how="left", validate="many_to_one")
    counts = [name for name in future_counts.columns if name not in {LEAD_ID, AS_OF}]
    numbers = [field for field in fields if field.kind != "category"]
    if not numbers:
        return []
    known = after[counts].notna().all(axis=1).to_numpy()
    found: dict[str, Suspicion] = {}
    for label, leads in enumerate(("leads that did not convert", "leads that converted")):
        rows = known & (outcome.labels == label)
        size = outcome.count_groups(rows)
        if size < MIN_COUNTED_LEADS:
            continue
        for suspicion in _suspect_within(frame[rows], after[rows], numbers, counts, (size, leads)):
            stronger = suspicion.field not in found or suspicion.severity == "stop"
            found |= {suspicion.field: suspicion} if stronger else {}
    return list(found.values())


def _suspect_within(
    frame: pd.DataFrame, after: pd.DataFrame, numbers: Sequence[Field], counts: Sequence[str], sample: tuple[int, str]
) -> Iterator[Suspicion]:
    """Yield the suspicions among leads of one outcome; the sample is their number and their name."""
    size, leads = sample
    values = _standardised(frame[[field.name for field in numbers]].to_numpy(dtype=np.float64))
    strongest, strongest_count = np.zeros(len(numbers)), np.zeros(len(numbers), dtype=np.intp)
    for position, name in enumerate(counts):
        count_after = after[[name]].to_numpy(dtype=np.float64)
        if (count_after > 0).sum() < MIN_COUNTED_LEADS:
            continue
        count_before = frame[[name]].to_numpy(dtype=np.float64) if name in frame else np.zeros_like(count_after)
        correlations = np.abs(_partial_correlations(values, _standardised(count_after), _standardised(count_before)))
        strongest_count = np.where(correlations > strongest, position, strongest_count)
        strongest = np.maximum(strongest, correlations)
    # Fisher's z-transformation gives the lower bound of a correlation
    lower_bounds = np.tanh(np.arctanh(np.minimum(strongest, 1 - MIN_VARIANCE)) - Z_95 / np.sqrt(size))
    for at in np.flatnonzero(lower_bounds >= WARN_CORRELATION).tolist():
        evidence = (
            f"knows what happens after the snapshot: among {leads}, its partial correlation with "
            f"{counts[strongest_count[at]]} counted after the snapshot is {strongest[at]:.2f}, given the same count "
            "before the snapshot"
        )
        stop = lower_bounds[at] >= STOP_CORRELATION
        yield Suspicion("LK7", "stop" if stop else "warn", evidence, numbers[at].name)


def _partial_correlations(values: Floats, after: Floats, before: Floats) -> Floats:
    """Return the correlation of each column with the count after, given the count before; 0 where it is undefined."""
    rows = len(after)
    with_after, with_before = values.T @ after[:, 0] / rows, values.T @ before[:, 0] / rows
    after_with_before = float(after[:, 0] @ before[:, 0] / rows)
    unexplained = (1 - with_before**2) * (1 - after_with_before**2)
    correlations = (with_after - with_before * after_with_before) / np.sqrt(np.maximum(unexplained, MIN_VARIANCE))
    return np.where(unexplained > MIN_VARIANCE, correlations, 0.0)


def _standardised(columns: Floats) -> Floats:
    """Return the signed logarithms of columns with mean 0 and variance 1; a missing value is the mean."""
    scaled = np.sign(columns) * np.log1p(np.abs(columns))
    known = ~np.isnan(scaled)
    size = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, scaled, np.nansum(scaled, axis=0) / size)
    spread = filled.std(axis=0)
    centred = filled - filled.mean(axis=0)
    standardised: Floats = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > MIN_VARIANCE)
    return standardised


def _find(rows: JudgedRows) -> list[Suspicion]:
    counts = rows.evidence.future_counts
    return [] if counts is None else suspect_lookahead(rows.sample, rows.model_fields, rows.outcome, counts)


CHECK = LeakCheck({}, _find)
