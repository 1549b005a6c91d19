"""LK7: values dated after the look, and activities recorded before they happened or seen only after the outcome.

What enters is leads with the instant at which they are looked at, and counts of activities; what leaves is suspicions.
A field is judged only where nearly all of its values are instants: ISO dates, or seconds, milliseconds or
microseconds since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.model.leaks.suspicion import STOP_ACTIVITIES, Suspicion
from leadml.model.leaks.univariate_auc import power, step_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import Clock
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats


ISO = r"\d{4}-\d{2}-\d{2}([T ].*)?"
UNITS = (1_000_000, 1_000, 1)
EARLIEST, LATEST = 631_152_000_000_000, 4_102_444_800_000_000  # 1990 and 2100
NEARLY_ALL = 0.9
FEWEST = 5
WORTH_A_WORD = 0.01
FOLLOWS = 0.55
MANY_EARLY = 0.2
ENOUGH, MOSTLY, ALMOST_ALL = 20, 0.5, 0.95
FAR = 5.0
WARN_KIND = "see when these activities are entered, and with which date"


def suspect_instants(frame: pd.DataFrame, fields: Sequence[Field], outcome: Outcome, clock: Clock) -> list[Suspicion]:
    """Return the fields that hold instants later than the snapshot.

    Parameters
    ----------
    frame
        Rows with the fields.
    fields
        The fields of the model.
    outcome
        What became of the leads.
    clock
        The instant of each row; where it is no limit, a later value may be honest and stops only where it follows the
        outcome.
    """
    limit = clock.instants.astype(np.float64)
    found = []
    for field in fields:
        dated = instants_of(frame[field.name])
        if dated is None:
            continue
        later = np.nan_to_num(dated, nan=-np.inf) > limit
        number, filled = int(later.sum()), int((~np.isnan(dated)).sum())
        if number < max(FEWEST, WORTH_A_WORD * filled):
            continue
        alone = power(outcome, step_scores(later.astype(np.intp), outcome))
        evidence = f"holds instants, and {number:,} of {filled:,} are later than {clock.name}"
        stop = clock.is_limit or alone.low >= FOLLOWS
        if stop and not clock.is_limit:
            evidence += f", which alone ranks leads with an AUC of {alone.auc:.3f}"
        found.append(Suspicion("LK7", "stop" if stop else "warn", evidence, field.name))
    return found


def instants_of(column: pd.Series) -> Floats | None:
    """Return values as microseconds since the epoch, NaN where missing or no instant; None where they are no instants.

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
        for unit in UNITS:
            fits = (values * unit >= EARLIEST) & (values * unit <= LATEST)
            if fits.sum() >= NEARLY_ALL * len(known):
                return np.where(fits, values * unit, np.nan)
        return None
    if known.head(ENOUGH).astype(str).str.fullmatch(ISO).mean() < NEARLY_ALL:
        return None
    times = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    if times.notna().sum() < NEARLY_ALL * len(known):
        return None
    whole = times.dt.as_unit("us").astype("int64").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(times.isna(), np.nan, whole)


def suspect_activities(activities: pd.DataFrame) -> list[Suspicion]:
    """Return the kinds of activities that were recorded too early, or that happen after the outcome only.

    Leads live on after the outcome, so that a kind which mostly follows it is noteworthy only where others do not.
    """
    found = []
    counts = activities[["rows", "recorded_before", "after_outcome"]].to_numpy(dtype=np.int64)
    everything = counts.sum(axis=0)
    for kind, row in zip(activities["kind"].astype(str), counts, strict=True):
        (rows, early, after), others = row.tolist(), (everything - row).tolist()
        if rows < ENOUGH:
            continue
        usual = (others[2] + 1) / (others[0] - others[2] + 1) if others[0] else 0.0
        only = after >= ALMOST_ALL * rows
        if only or (after >= MOSTLY * rows and (after + 1) / (rows - after + 1) >= FAR * usual):
            evidence = f"happens after the outcome: {after:,} of {rows:,} activities of this kind do"
            found.append(_of_kind(kind, evidence, stop=only))
        elif early >= max(FEWEST, WORTH_A_WORD * rows):
            evidence = f"is recorded before it happens: {early:,} of {rows:,} activities of this kind are"
            found.append(_of_kind(kind, evidence, stop=early >= MANY_EARLY * rows))
    return found


def _of_kind(kind: str, evidence: str, *, stop: bool) -> Suspicion:
    remedy = STOP_ACTIVITIES.replace("the activities that it counts", "these activities")
    return Suspicion("LK7", "stop" if stop else "warn", evidence, kind, remedy if stop else WARN_KIND)
