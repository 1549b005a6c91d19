"""LK7: activities that are recorded twice depending on the outcome.

Duplicates are suspected only where leads that converted have clearly more or fewer of them than other leads. A system
that records every activity twice does so for all leads, and that is no leak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import estimate_auc

if TYPE_CHECKING:
    import pandas as pd

    from leadml.model.leaks.check import JudgedRows

MIN_LEADS_OF_OUTCOME = 20  # of each outcome: the error of an AUC is then about 0.09 (Hanley and McNeil 1982)
MIN_ACTIVITIES = 2  # of one activity there is no copy
# a lower bound: of 20 leads of each outcome an AUC of 0.80 warns; a fifth of all activities more; see leak_limits.py
WARN_AUC, STOP_DIFFERENCE = 0.65, 0.2
NAME = "activities"
REMEDY = (
    "check whether the activities of leads that converted were copied, and leave the copies out; or name activities in "
    "leaks.accept with the reason why they were not"
)


def suspect_repeated_activities(repeated_activities: pd.DataFrame, *, draw: int = 0) -> list[Suspicion]:
    """Return a suspicion where the share of repeated activities predicts the outcome of leads.

    Parameters
    ----------
    repeated_activities
        See `leadml.leads.judge.evidence.LeakEvidence`; leads with one activity are left out.
    draw
        The draw of halves.
    """
    several = repeated_activities[repeated_activities["rows"] >= MIN_ACTIVITIES]
    labels = several["converted"].to_numpy(dtype=np.int8)
    outcome = Outcome(labels, np.arange(len(labels)), draw)
    if outcome.groups_of_rarer_class < MIN_LEADS_OF_OUTCOME or not outcome.has_both_classes:
        return []
    share = (several["repeated"] / several["rows"]).to_numpy(dtype=np.float64)
    auc = max(estimate_auc(outcome, share), estimate_auc(outcome, -share), key=lambda estimate: estimate.value)
    if auc.lower_bound < WARN_AUC:
        return []
    of_converters, of_others = (float(share[labels == label].mean()) for label in (1, 0))
    evidence = (
        f"are repeated depending on the outcome: {of_converters:.0%} of the activities of leads that converted are "
        f"exact copies of another, and {of_others:.0%} of those of other leads"
    )
    stop = abs(of_converters - of_others) >= STOP_DIFFERENCE
    return [Suspicion("LK7", "stop" if stop else "warn", evidence, NAME, REMEDY)]


def _find(rows: JudgedRows) -> list[Suspicion]:
    repeated_activities = rows.evidence.repeated_activities
    return (
        [] if repeated_activities is None else suspect_repeated_activities(repeated_activities, draw=rows.outcome.draw)
    )


CHECK = LeakCheck({}, _find, by_halves=True)
