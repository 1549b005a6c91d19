"""LK7: dates in fields that are later than the snapshot, and activities with impossible or late dates.

A field is judged only where nearly all of its values are instants: ISO dates, or seconds, milliseconds or microseconds
since 1970. An activity is judged by its kind: recorded before it happens, or almost only after the outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.leads.check.convert import times
from leadml.leads.judge.findings import FindingKind
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.suspicion import STOP_ACTIVITIES, Suspicion
from leadml.model.leaks.univariate_auc import estimate_auc, out_of_fold_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import Clock, LeakEvidence
    from leadml.model.leaks.check import JudgedRows
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats


ISO = r"\d{4}-\d{2}-\d{2}([T ].*)?"
MICROSECONDS_PER_UNIT = (1_000_000, 1_000, 1)  # of seconds, milliseconds and microseconds
EARLIEST, LATEST = 631_152_000_000_000, 4_102_444_800_000_000  # 1990 and 2100
MIN_SHARE_OF_INSTANTS = 0.9  # of the values: a column of dates has some wrong ones, a column of numbers few such
SAMPLED_VALUES = 20  # are tried first, for speed: all values are parsed only where nearly all of these are dates
MIN_LATE_ROWS, MIN_LATE_SHARE = 5, 0.01  # fewer are slips of the pen: one date in a hundred typed wrong is usual
# of being later: chance is within 0.056 (two errors) in 1,000 leads with 120 conversions
STOP_AUC = 0.55
MIN_ACTIVITIES = 20  # all 20 after the outcome: at least 86% of the kind are, with 95% confidence (0.05 ** (1 / 20))
STOP_SHARE_RECORDED_BEFORE = 0.2  # planned meetings and wrong clocks give a few; see leak_limits.py
# of a kind: most, and nearly all of them; customers go on to visit pages, but onboarding begins after the deal
WARN_SHARE_AFTER_OUTCOME, STOP_SHARE_AFTER_OUTCOME = 0.5, 0.95
MIN_ODDS_RATIO = 5.0  # to the other kinds, which follow the outcome too where leads stay active; see leak_limits.py
STOP_REMEDY_OF_KIND = STOP_ACTIVITIES.replace("the activities that it counts", "these activities")
WARN_REMEDY_OF_KIND = "check when these activities are entered, and with which date"


def suspect_future_dates(
    frame: pd.DataFrame, fields: Sequence[Field], outcome: Outcome, clock: Clock
) -> list[Suspicion]:
    """Return a suspicion of each field with values later than the instants of the rows.

    Parameters
    ----------
    frame
        Rows with the fields.
    fields
        The fields of the model.
    outcome
        Labels and groups of the rows.
    clock
        The instant of each row. Where it is no limit, a later value may be honest, and stops only where being later
        predicts the outcome.
    """
    limit = clock.instants.astype(np.float64)
    found = []
    for field in fields:
        instants = instants_of(frame[field.name])
        if instants is None:
            continue
        later = np.nan_to_num(instants, nan=-np.inf) > limit
        rows_later, rows_filled = int(later.sum()), int((~np.isnan(instants)).sum())
        if rows_later < max(MIN_LATE_ROWS, MIN_LATE_SHARE * rows_filled):
            continue
        auc = estimate_auc(outcome, out_of_fold_rates(later.astype(np.intp), outcome))
        evidence = f"holds dates, and {rows_later:,} of {rows_filled:,} are later than {clock.name}"
        stop = clock.is_limit or auc.lower_bound >= STOP_AUC
        if stop and not clock.is_limit:
            evidence += f"; whether they are later has an AUC of {auc.value:.3f} by itself"
        found.append(Suspicion("LK7", "stop" if stop else "warn", evidence, field.name))
    return found


def instants_of(column: pd.Series) -> Floats | None:
    """Return values as microseconds since 1970, shape (n_rows,), or None where they are no instants.

    Missing values are NaN, and so are values that are no instants among many that are.

    Examples
    --------
    >>> instants_of(pd.Series(["2024-01-01", None])).tolist()
    [1704067200000000.0, nan]
    >>> instants_of(pd.Series([1704067200.0, 1704067201.0])).tolist()
    [1704067200000000.0, 1704067201000000.0]
    >>> instants_of(pd.Series([3.0, 4.0])) is None
    True
    """
    known = column.dropna()
    if known.empty:
        return None
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64)
        for factor in MICROSECONDS_PER_UNIT:
            plausible = (values * factor >= EARLIEST) & (values * factor <= LATEST)
            if plausible.sum() >= MIN_SHARE_OF_INSTANTS * len(known):
                return np.where(plausible, values * factor, np.nan)
        return None
    if known.head(SAMPLED_VALUES).astype(str).str.fullmatch(ISO).mean() < MIN_SHARE_OF_INSTANTS:
        return None
    micros, bad = times(pa.chunked_array([pa.array(column, pa.string(), from_pandas=True)]), timezone="UTC")
    if (~bad).sum() < MIN_SHARE_OF_INSTANTS * len(known):
        return None
    return np.where(bad, np.nan, micros)


def suspect_activity_dates(activities: pd.DataFrame) -> list[Suspicion]:
    """Return a suspicion of each kind of activity that is recorded before it happens, or happens after the outcome.

    Leads remain active after the outcome. So a kind that mostly follows the outcome is reported only where the other
    kinds follow it much less.
    """
    found = []
    counts = activities[["rows", "recorded_before", "after_outcome"]].to_numpy(dtype=np.int64)
    total = counts.sum(axis=0)
    for kind, row in zip(activities["kind"].astype(str), counts, strict=True):
        (rows, before, after), others = row.tolist(), (total - row).tolist()
        if rows < MIN_ACTIVITIES:
            continue
        odds_of_others = (others[2] + 1) / (others[0] - others[2] + 1) if others[0] else 0.0
        almost_all = after >= STOP_SHARE_AFTER_OUTCOME * rows
        mostly = after >= WARN_SHARE_AFTER_OUTCOME * rows
        if almost_all or (mostly and (after + 1) / (rows - after + 1) >= MIN_ODDS_RATIO * odds_of_others):
            evidence = f"happens after the outcome: {after:,} of {rows:,} activities of this kind do"
            found.append(_suspect_kind(kind, evidence, stop=almost_all))
        elif before >= max(MIN_LATE_ROWS, MIN_LATE_SHARE * rows):
            evidence = f"is recorded before it happens: {before:,} of {rows:,} activities of this kind are"
            found.append(_suspect_kind(kind, evidence, stop=before >= STOP_SHARE_RECORDED_BEFORE * rows))
    return found


def _suspect_kind(kind: str, evidence: str, *, stop: bool) -> Suspicion:
    return Suspicion(
        "LK7", "stop" if stop else "warn", evidence, kind, STOP_REMEDY_OF_KIND if stop else WARN_REMEDY_OF_KIND
    )


def _find(rows: JudgedRows) -> list[Suspicion]:
    clock = rows.evidence.clock
    return [] if clock is None else suspect_future_dates(rows.sample, rows.model_fields, rows.outcome, clock)


def _missing(evidence: LeakEvidence) -> str:
    if evidence.clock is None and evidence.activities is None:
        return "leads have no dates, so dates after the snapshot cannot be found"
    return ""


def _find_activities(rows: JudgedRows) -> list[Suspicion]:
    activities = rows.evidence.activities
    return [] if activities is None else suspect_activity_dates(activities)


CHECK = LeakCheck(
    {
        "LK7": FindingKind(
            "leaks",
            "A field or an activity knows what happened after the snapshot",
            "Exclude the field, or correct the dates of the activities.",
        )
    },
    _find,
    _missing,
    by_halves=True,
)
CHECK_OF_ACTIVITIES = LeakCheck({}, _find_activities)
