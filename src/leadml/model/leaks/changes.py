"""LK6: fields that are changed when the outcome comes.

Changes per day around the outcome are compared with changes per day in the earlier open time of the same leads, so
leads that are changed often are no reason for a suspicion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import CREATED_AT, LEAD_ID
from leadml.leads.judge.findings import FindingKind
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import Z_95
from leadml.model.metrics import rate_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import LeakEvidence
    from leadml.model.leaks.check import JudgedRows

WINDOW = 2 * DAY  # sales systems fill fields in when a deal is closed, or in the clean-up of the next day
MIN_CHANGES = 10  # fewer give a lower bound of the rate that is below half of it, so nothing could be said
# times as often per day as earlier: work on a lead before its deal doubles honest changes; see leak_limits.py
STOP_RATE_RATIO, WARN_RATE_RATIO = 5.0, 2.0
STOP_SHARE = 0.2  # of the converters: a field that is changed for fewer cannot rank leads well; see leak_limits.py


def suspect_changes(
    frame: pd.DataFrame, fields: Sequence[Field], changes: pd.DataFrame, outcomes: pd.DataFrame
) -> list[Suspicion]:
    """Return a suspicion of each field that is changed much more often within two days of the outcome.

    Parameters
    ----------
    frame
        Rows with ``lead_id`` and ``created_at``.
    fields
        The fields of the model.
    changes, outcomes
        See `leadml.leads.judge.evidence.LeakEvidence`.
    """
    open_times = outcomes.groupby(LEAD_ID)["occurred_at"].min().rename("outcome").to_frame()
    open_times = open_times.join(frame.groupby(LEAD_ID)[CREATED_AT].min().rename("start"), how="inner")
    open_times = open_times[open_times["start"] < open_times["outcome"]]
    near = np.minimum(open_times["outcome"] - open_times["start"], WINDOW) + WINDOW
    earlier = np.maximum(open_times["outcome"] - WINDOW - open_times["start"], 0)
    if not earlier.sum():
        return []
    exposure_ratio = float(near.sum() / earlier.sum())
    dated = changes.merge(open_times, left_on=LEAD_ID, right_index=True)
    dated = dated.assign(day=(dated["changed_at"] - dated["outcome"]) // DAY)
    dated = dated.drop_duplicates([LEAD_ID, "field", "day"])
    found = (
        _suspect_field(field.name, dated[dated["field"] == field.name], len(open_times), exposure_ratio)
        for field in fields
    )
    return [suspicion for suspicion in found if suspicion]


def _suspect_field(name: str, dated: pd.DataFrame, leads: int, exposure_ratio: float) -> Suspicion | None:
    near = (dated["changed_at"] - dated["outcome"]).abs() <= WINDOW
    earlier = (dated["changed_at"] >= dated["start"]) & (dated["changed_at"] < dated["outcome"] - WINDOW)
    changes_near, changes_earlier = int(near.sum()), int(earlier.sum())
    if changes_near < MIN_CHANGES:
        return None
    trials = float(changes_near + changes_earlier)
    lower_bound = float(rate_bound(np.array([float(changes_near)]), np.array([trials]), z=Z_95)[0])
    rate_ratio = lower_bound / (1 - lower_bound) / exposure_ratio
    share = dated.loc[near, LEAD_ID].nunique() / leads
    if rate_ratio < WARN_RATE_RATIO:
        return None
    evidence = (
        f"is changed when the outcome comes: {changes_near:,} changes within two days of the outcome and "
        f"{changes_earlier:,} earlier in the same leads, at least {rate_ratio:.0f} times as often per day, for "
        f"{share:.0%} of the leads that converted"
    )
    stop = rate_ratio >= STOP_RATE_RATIO and share >= STOP_SHARE
    return Suspicion("LK6", "stop" if stop else "warn", evidence, name)


def _find(rows: JudgedRows) -> list[Suspicion]:
    changes, outcomes = rows.evidence.changes, rows.evidence.outcomes
    if changes is None or outcomes is None:
        return []
    return suspect_changes(rows.sample, rows.model_fields, changes, outcomes)


def _missing(evidence: LeakEvidence) -> str:
    if evidence.changes is None or evidence.outcomes is None:
        return "there are no dates of changes and outcomes, so when fields are changed is not known"
    return ""


CHECK = LeakCheck(
    {
        "LK6": FindingKind(
            "leaks",
            "A field is changed when the outcome comes",
            "Exclude the field, or see that its history has the date at which each value was known.",
        )
    },
    _find,
    _missing,
)
