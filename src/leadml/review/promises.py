"""Whether cuts still keep what they promised: the precision of the leads above them, and how many these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.model.metrics import rate_interval
from leadml.review.evidence.e_detectors import precision_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.params.review import ReviewParams
    from leadml.types import Floats, Integers, Labels

CONFIDENCE = 0.9  # of the intervals, as of those of the cuts
KEPT, BROKEN, UNKNOWN, NOT_PROMISED = "kept", "broken", "too few leads", "not promised"


@dataclass(frozen=True)
class Promise:
    """What the cut of a stage promised.

    Parameters
    ----------
    stage, cut
        The stage, and the probability at which it begins.
    precision
        Share of the leads at or above the cut that the rule wants to convert; None if it asks for none.
    share
        Share of the leads that the rule wants at or above the cut; None if it asks for none.
    varied
        By how much the share of a stage varied between the dates of the training, from 0 to 1.
    """

    stage: str
    cut: float
    precision: float | None
    share: float | None
    varied: float = 0.0


@dataclass(frozen=True, eq=False)
class CutOutcomes:
    """Scores whose outcomes are known, one of each account and interval.

    Parameters
    ----------
    day, probability, label
        Of each score, shape (n_scores,).
    since
        The day on which the version came into use.
    """

    day: Integers
    probability: Floats
    label: Labels
    since: int


@dataclass(frozen=True, eq=False)
class NewestScores:
    """The scores of the last days, as many days as a period has, a lead as often as it was scored.

    Parameters
    ----------
    probability
        Of each score, shape (n_scores,).
    accounts
        How many accounts or leads they are of, which are independent of each other.
    """

    probability: Floats
    accounts: int


def promise_table(
    promises: Sequence[Promise], outcomes: CutOutcomes, newest: NewestScores, choices: ReviewParams
) -> pd.DataFrame:
    """Return what became of each promise.

    Parameters
    ----------
    promises
        What the cuts promised.
    outcomes
        Scores with outcomes since the version came into use.
    newest
        The scores of the last days, from which volumes are counted: as a batch has them.
    choices
        The section ``review`` of the params: ``false_alarms`` is the chance that the precision of a cut is called
        broken in a year in which it holds, ``volume_tolerance`` how far shares may be off, and ``changes.min_leads``
        the leads of the last days under which no share is judged.

    Returns
    -------
    frame
        One row per stage: ``stage, cut``; ``promised_precision``, ``precision`` with Wilson's 90% interval
        ``precision_low, precision_high``, ``leads`` (above the cut, with outcomes), ``log_evidence`` against the
        precision, and ``precision_verdict``; ``promised_share``, ``share`` with ``share_low, share_high`` and
        ``share_verdict``.
    """
    rows = []
    for promise in promises:
        inside = outcomes.probability >= promise.cut
        leads = CutOutcomes(outcomes.day[inside], outcomes.probability[inside], outcomes.label[inside], outcomes.since)
        precision = _precision(promise, leads, false_alarms=choices.false_alarms)
        rows.append({"stage": promise.stage, "cut": promise.cut, **precision, **_volume(promise, newest, choices)})
    return pd.DataFrame(rows)


def _precision(promise: Promise, leads: CutOutcomes, *, false_alarms: float) -> dict[str, object]:
    """Return what became of the promised precision, by the leads above the cut."""
    rate, low, high = _share(int(leads.label.sum()), len(leads.label))
    log_value, verdict = -np.inf, NOT_PROMISED
    if promise.precision is not None:
        evidence = precision_evidence(leads.day, leads.label, floor=promise.precision, since=leads.since)
        log_value = float(evidence.log_value.max(initial=-np.inf))
        verdict = BROKEN if log_value >= np.log(1 / false_alarms) else KEPT if len(leads.label) else UNKNOWN
    return {
        "promised_precision": np.nan if promise.precision is None else promise.precision,
        "precision": rate,
        "precision_low": low,
        "precision_high": high,
        "leads": len(leads.label),
        "log_evidence": log_value,
        "precision_verdict": verdict,
    }


def _volume(promise: Promise, newest: NewestScores, choices: ReviewParams) -> dict[str, object]:
    """Return what became of the promised share.

    It is broken if the share is surely off by more than is allowed, and by more than it varied in the training.
    """
    share = float((newest.probability >= promise.cut).mean())
    low, high = rate_interval(share, newest.accounts, confidence=CONFIDENCE)
    verdict, promised = NOT_PROMISED, np.nan if promise.share is None else promise.share
    if promise.share is not None:
        reach = max(choices.volume_tolerance * promised, promise.varied)
        is_off = low > promised + reach or high < promised - reach
        verdict = UNKNOWN if newest.accounts < choices.changes.min_leads else BROKEN if is_off else KEPT
    return {
        "promised_share": promised,
        "share": share,
        "share_low": low,
        "share_high": high,
        "share_verdict": verdict,
    }


def _share(part: int, whole: int) -> tuple[float, float, float]:
    if not whole:
        return np.nan, np.nan, np.nan
    low, high = rate_interval(part / whole, whole, confidence=CONFIDENCE)
    return part / whole, float(low), float(high)
