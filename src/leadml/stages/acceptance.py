"""What became of the leads that sales were given: accepted, rejected or open, and how soon they were contacted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadml.model.metrics import rate_interval
from leadml.stages.facts import RANK_OF
from leadml.stages.ladder import NONE, STAGES, ranks_of

ACCEPTED_FROM = STAGES.index("SAL")
CONFIDENCE = 0.9  # of the intervals, as of those of the cuts
ACCEPTED, REJECTED = "accepted", "rejected"
KEY = ["lead_id", "handoff"]
NOT_TOLD = "not told"  # the name of an owner or a source that nobody named


def followed_up(handoffs: pd.DataFrame, changes: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each hand-off.

    A lead that was handed over again before anything became of it counts once, with its last hand-off. What came of it
    is the first verdict after the hand-off: what sales said, or a change of what is recorded.

    Parameters
    ----------
    handoffs
        One row per lead and hand-off: ``lead_id, handoff, at, batch`` (the newest batch at that time), and others.
    changes
        The changes of the stages of these leads, oldest first: ``lead_id, batch``, ``known_at`` (when the batch was
        written), ``recorded`` (the stage that people have recorded, or empty) and ``rejected_at`` (None if the lead is
        not rejected).
    outcomes
        What sales gave back, oldest first: ``lead_id, recorded_at, outcome, reason, owner, origin,
        hours_to_contact``.

    Returns
    -------
    frame
        ``handoffs`` with ``verdict`` (``accepted``, ``rejected`` or ``open``), ``owner``, ``source``, ``reason`` (None
        where they are not told) and ``hours_to_contact`` (NaN where it is not).
    """
    found = handoffs.sort_values(KEY, ignore_index=True)
    given = outcomes.rename(columns={"origin": "source", "recorded_at": "at"})
    told = _of_handoff(_with_instants(found), _with_instants(given), on="at", exact=True)
    changed = _of_handoff(found, _verdicts(changes), on="batch")
    said = told.assign(verdict=_words(told["outcome"]))
    columns = [*KEY, "at", "verdict"]
    verdicts = pd.concat([_with_instants(changed)[columns], said[columns].dropna()]).sort_values("at", kind="stable")
    by_handoff, rejected = told.groupby(KEY), told[told["outcome"] == "rejected"].groupby(KEY)
    for known in (
        verdicts.groupby(KEY)["verdict"].first(),
        by_handoff[["owner", "source"]].last(),
        by_handoff["hours_to_contact"].first(),
        rejected["reason"].first(),
    ):
        found = found.join(known, on=KEY)
    found["verdict"] = found["verdict"].fillna("open")
    is_last = ~found.duplicated("lead_id", keep="last")
    return found[is_last | (found["verdict"] != "open")].reset_index(drop=True)


def acceptance_table(followed: pd.DataFrame) -> pd.DataFrame:
    """Return how many leads were accepted and how soon they were contacted: of all, by source and by owner.

    Parameters
    ----------
    followed
        The table of `followed_up`.

    Returns
    -------
    frame
        ``by`` (``all``, ``source`` or ``owner``), ``name``; the numbers ``handed_over, accepted, rejected, open``;
        ``acceptance`` (accepted of those that were accepted or rejected; NaN if there are none) with Wilson's 90%
        interval ``acceptance_low, acceptance_high``; ``contacted`` (how many hours are known) and their median,
        ``hours_to_contact``. A lead is one row of the group of each kind, so the groups of a kind add up to all.
    """
    groups = [("all", "", followed)]
    for by in ("source", "owner"):
        names = followed[by].fillna(NOT_TOLD)
        groups += [(by, str(name), part) for name, part in followed.groupby(names, sort=True)]
    return pd.DataFrame([{"by": by, "name": name, **_figures(part)} for by, name, part in groups])


def rejection_table(followed: pd.DataFrame) -> pd.DataFrame:
    """Return why leads were rejected, the most frequent reason first: ``reason, leads``."""
    reasons = followed.loc[followed["verdict"] == "rejected", "reason"].fillna(NOT_TOLD)
    counts = reasons.value_counts().rename_axis("reason").reset_index(name="leads")
    return counts.sort_values(["leads", "reason"], ascending=[False, True], ignore_index=True)


def _figures(part: pd.DataFrame) -> dict[str, float]:
    """Return the figures of a group of hand-offs."""
    counts = {name: int((part["verdict"] == name).sum()) for name in ("accepted", "rejected", "open")}
    decided = counts["accepted"] + counts["rejected"]
    rate, low, high = np.nan, np.nan, np.nan
    if decided:
        rate = counts["accepted"] / decided
        low, high = rate_interval(rate, decided, confidence=CONFIDENCE)
    hours = part["hours_to_contact"].dropna()
    figures = {"acceptance": rate, "acceptance_low": low, "acceptance_high": high, "contacted": len(hours)}
    return {"handed_over": len(part), **counts, **figures, "hours_to_contact": hours.median() if len(hours) else np.nan}


def _verdicts(changes: pd.DataFrame) -> pd.DataFrame:
    """Return what sales decided, with the batch of each: what is recorded has changed, to SAL or above, or rejected."""
    ranks = pd.Series(ranks_of(changes["recorded"].to_numpy()), index=changes.index, dtype="int64")
    before = ranks.groupby(changes["lead_id"]).shift(fill_value=NONE)
    rejected_before = changes.groupby("lead_id")["rejected_at"].shift()
    is_accepted = (ranks >= ACCEPTED_FROM) & (ranks > before)
    is_rejected = changes["rejected_at"].notna() & (changes["rejected_at"] != rejected_before)
    verdicts = changes[["lead_id", "batch", "known_at"]].rename(columns={"known_at": "at"})
    return verdicts.assign(verdict=np.where(is_accepted, ACCEPTED, REJECTED))[is_accepted | is_rejected]


def _words(outcomes: pd.Series) -> pd.Series:
    """Return the verdict that each outcome says; None where it says none."""
    said = {name: ACCEPTED for name, rank in RANK_OF.items() if rank >= ACCEPTED_FROM} | {"rejected": REJECTED}
    return outcomes.map(said).astype(object)


def _of_handoff(handoffs: pd.DataFrame, rows: pd.DataFrame, *, on: str, exact: bool = False) -> pd.DataFrame:
    """Return rows with the last hand-off of their lead before them; rows without one are left out."""
    left, right = (
        frame.astype({"lead_id": object}).sort_values(on, kind="stable") for frame in (rows, handoffs[[*KEY, on]])
    )
    joined = pd.merge_asof(left, right, on=on, by="lead_id", allow_exact_matches=exact)
    return joined.dropna(subset=["handoff"])


def _with_instants(frame: pd.DataFrame) -> pd.DataFrame:
    instants = pd.to_datetime(frame["at"], utc=True, format="ISO8601")
    return frame.assign(
        at=instants.astype("datetime64[us, UTC]")
    )  # of no rows or whole seconds, pandas has other units
