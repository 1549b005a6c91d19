"""LK6: fields that are changed when the outcome comes.

What enters is the dates of changes and of outcomes; what leaves is a suspicion for each field whose changes crowd
around them.
It compares the days around the outcome with the rest of the same leads' open life, so busy leads are no reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import CREATED_AT, LEAD_ID
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import SURE
from leadml.model.metrics import rate_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.leads.check.field import Field

DAY = 86_400_000_000
AROUND = 2 * DAY
FEWEST = 10
CROWDED, BUSY = 5.0, 2.0
TOUCHED = 0.2


def suspect_changes(
    frame: pd.DataFrame, fields: Sequence[Field], changes: pd.DataFrame, outcomes: pd.DataFrame
) -> list[Suspicion]:
    """Return the fields whose changes crowd within two days of the outcome.

    Parameters
    ----------
    frame
        Leads with ``created_at``.
    fields
        The fields of the model.
    changes, outcomes
        As `leadml.model.leaks.Evidence` has them.
    """
    lives = outcomes.groupby(LEAD_ID)["occurred_at"].min().rename("outcome").to_frame()
    lives = lives.join(frame.groupby(LEAD_ID)[CREATED_AT].min().rename("start"), how="inner")
    lives = lives[lives["start"] < lives["outcome"]]
    around = np.minimum(lives["outcome"] - lives["start"], AROUND) + AROUND
    elsewhere = np.maximum(lives["outcome"] - AROUND - lives["start"], 0)
    if not elsewhere.sum():
        return []
    exposure = float(around.sum() / elsewhere.sum())
    dated = changes.merge(lives, left_on=LEAD_ID, right_index=True)
    dated = dated.assign(day=(dated["changed_at"] - dated["outcome"]) // DAY)
    dated = dated.drop_duplicates([LEAD_ID, "field", "day"])
    found = (_suspicion(field.name, dated[dated["field"] == field.name], len(lives), exposure) for field in fields)
    return [suspicion for suspicion in found if suspicion]


def _suspicion(name: str, dated: pd.DataFrame, leads: int, exposure: float) -> Suspicion | None:
    near = (dated["changed_at"] - dated["outcome"]).abs() <= AROUND
    before = (dated["changed_at"] >= dated["start"]) & (dated["changed_at"] < dated["outcome"] - AROUND)
    crowd, rest = int(near.sum()), int(before.sum())
    if crowd < FEWEST:
        return None
    low = float(rate_bound(np.array([float(crowd)]), np.array([float(crowd + rest)]), z=SURE)[0])
    times = low / (1 - low) / exposure
    touched = dated.loc[near, LEAD_ID].nunique() / leads
    if times < BUSY:
        return None
    evidence = (
        f"is changed when the outcome comes: {crowd:,} changes within two days of it and {rest:,} in the rest of the "
        f"open life of the same leads, at least {times:.0f} times as often a day, for {touched:.0%} of those who "
        f"converted"
    )
    stop = times >= CROWDED and touched >= TOUCHED
    return Suspicion("LK6", "stop" if stop else "warn", evidence, name)
