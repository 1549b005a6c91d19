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
from leadml.model.leaks.suspicion import STOP_ACTIVITIES, Suspicion
from leadml.model.leaks.univariate_auc import estimate_auc, out_of_fold_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import Clock
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats


ISO = r"\d{4}-\d{2}-\d{2}([T ].*)?"
MICROSECONDS_PER_UNIT = (1_000_000, 1_000, 1)
EARLIEST, LATEST = 631_152_000_000_000, 4_102_444_800_000_000  # 1990 and 2100
MIN_SHARE_OF_INSTANTS = 0.9
SAMPLED_VALUES = 20
MIN_ROWS, MIN_SHARE = 5, 0.01
STOP_AUC = 0.55
MIN_ACTIVITIES = 20
STOP_SHARE_RECORDED_BEFORE = 0.2
WARN_SHARE_AFTER_OUTCOME, STOP_SHARE_AFTER_OUTCOME = 0.5, 0.95
MIN_ODDS_RATIO = 5.0
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
        if rows_later < max(MIN_ROWS, MIN_SHARE * rows_filled):
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
        elif before >= max(MIN_ROWS, MIN_SHARE * rows):
            evidence = f"is recorded before it happens: {before:,} of {rows:,} activities of this kind are"
            found.append(_suspect_kind(kind, evidence, stop=before >= STOP_SHARE_RECORDED_BEFORE * rows))
    return found


def _suspect_kind(kind: str, evidence: str, *, stop: bool) -> Suspicion:
    return Suspicion(
        "LK7", "stop" if stop else "warn", evidence, kind, STOP_REMEDY_OF_KIND if stop else WARN_REMEDY_OF_KIND
    )
