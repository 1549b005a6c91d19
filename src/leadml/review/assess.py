"""Judge the scores of a version by the outcomes that are known: evidence, figures by period, cuts, slices, changes.

The module reads nothing: scores and outcomes are given as arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_day
from leadml.model.judge.calibration_line import log_odds
from leadml.model.predict.parts import from_bytes
from leadml.review.drift.domain import domain_result
from leadml.review.evidence.alike import alike_outcomes
from leadml.review.evidence.e_detectors import JudgedScores, level_evidence, ranking_evidence
from leadml.review.evidence.looks import account_hashes, are_apart
from leadml.review.performance.beside import estimated_beside_realised
from leadml.review.performance.estimated import ScoredLeads, estimated_performance
from leadml.review.performance.lines import lines_as_known, period_lag
from leadml.review.performance.realised import JudgedLeads, realised_performance
from leadml.review.performance.slices import slice_table
from leadml.review.promises import CutOutcomes, promise_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.bundle.profile import Profile
    from leadml.model.judge.null_interval import Reference
    from leadml.params.review import ReviewParams
    from leadml.review.drift.domain import DomainResult
    from leadml.review.evidence.alike import AlikeOutcomes
    from leadml.review.evidence.e_detectors import Evidence
    from leadml.review.promises import NewestScores, Promise
    from leadml.types import Floats, Integers, Labels, Mask, Objects, Rows

# Leads of a period that figures with intervals are computed from, drawn by their ids; rates are then known to 0.2
# points, and a review of a million scores does not take minutes.
MOST_LEADS = 50_000
DRAWS = 200  # of the intervals by period: their ends are known to a tenth of their width
CONFIDENCE = 0.9  # of all intervals, as of those of the cuts


@dataclass(frozen=True, eq=False)
class ReviewedScores:
    """Scores of one version that are judged, in the order of time, with what is known of their outcomes.

    Parameters
    ----------
    lead_id, account
        Id of each lead, and its account (its id where it has none or it is not known), shape (n_scores,).
    day
        The day on which each lead was scored, counted from 1970, shape (n_scores,).
    probability
        As it was said, shape (n_scores,).
    parts
        Bytes of the parts of each score, None where none are kept, shape (n_scores,).
    label
        Outcome, shape (n_scores,); 0 where it is not known.
    known
        Whether the outcome is known and the version was not fitted on the lead, shape (n_scores,).
    is_look, is_in_period
        Which of them are evidence, an interval apart for each lead, and which are counted by period, shape (n_scores,).
    attributes
        The fields of ``review.slices`` of these leads.
    newest
        All scores of the last days, as many days as a period has.
    since, last
        The day of the first score of the version, and of the last.
    """

    lead_id: Objects
    account: Objects
    day: Integers
    probability: Floats
    parts: Objects
    label: Labels
    known: Mask
    is_look: Mask
    is_in_period: Mask
    attributes: pd.DataFrame
    newest: NewestScores
    since: int
    last: int


@dataclass(frozen=True, eq=False)
class ReviewedVersion:
    """What a version is held to.

    Parameters
    ----------
    reference
        What its evaluation says of the errors of its probabilities.
    profile
        Counts of the leads of its training.
    promises
        What its cuts promised.
    maturity
        Days after which the outcome of a score is known: horizon and settling.
    today
        The day of the review, counted from 1970.
    """

    reference: Reference
    profile: Profile
    promises: Sequence[Promise]
    maturity: int
    today: int

    @property
    def cuts(self) -> Mapping[str, float]:
        """The probability from which a lead is in each stage."""
        return {promise.stage: promise.cut for promise in self.promises}


@dataclass(frozen=True, eq=False)
class Assessment:
    """What scores and outcomes say of a version.

    Parameters
    ----------
    level, ranking
        The evidence about both.
    alike
        The newest days, if all their outcomes are alike though they should not be.
    estimated, realised, beside
        The tables of `estimated_performance` (all periods), `realised_performance` (periods whose outcomes are all
        known) and `estimated_beside_realised`.
    promises
        The table of `promise_table`.
    slices
        The table of `slice_table`, of all scores with outcomes.
    domain
        Whether the newest period can be told from the last one whose outcomes are known, or from the first; None where
        there are not two with enough leads.
    conversions, expected_a_day, first_known
        Conversions among the judged scores of the newest two periods of outcomes; how many a day are expected of the
        scores of the last days; the day on which the first outcomes are known.
    idle, idle_limit
        Days since the last score, and how many are usual: twice the most between two days with scores, and at least
        those of a period.
    """

    level: Evidence
    ranking: Evidence
    alike: AlikeOutcomes | None
    estimated: pd.DataFrame
    realised: pd.DataFrame
    beside: pd.DataFrame
    promises: pd.DataFrame
    slices: pd.DataFrame
    domain: DomainResult | None
    conversions: int
    expected_a_day: float
    first_known: int
    idle: int
    idle_limit: int

    @property
    def is_idle(self) -> bool:
        """Whether the job that scores seems to have ended."""
        return self.idle > self.idle_limit

    def days_until(self, needed: int, *, today: int, period_days: int) -> int | None:
        """Return the days until there are enough conversions in two periods; None if there never are at this rate."""
        if self.expected_a_day * 2 * period_days < needed:
            return None
        more = (needed - self.conversions) / self.expected_a_day
        return max(int(np.ceil(more)), 0) + max(self.first_known - today, 0)


def assess(scores: ReviewedScores, version: ReviewedVersion, choices: ReviewParams, *, seed: int) -> Assessment:
    """Return what scores and outcomes say of a version.

    Parameters
    ----------
    scores
        The scores, of which there is one or more.
    version
        What it is held to.
    choices
        The section ``review`` of the params.
    seed
        Seed of the draws of the intervals.
    """
    since, interval = scores.since, evidence_interval(choices, version.maturity)
    known = np.flatnonzero(scores.known & scores.is_look)
    looks = known[are_apart(scores.day[known], scores.account[known], interval=interval)]
    level = level_evidence(_judged(scores, looks, since, names=()), version.reference)
    with_parts = looks[[each is not None for each in scores.parts[looks]]]
    ranking = ranking_evidence(_judged(scores, with_parts, since, names=version.reference.parts), version.reference)
    period = (scores.day - since) // choices.period_days
    once = np.flatnonzero(scores.is_in_period)
    estimated, realised = _performance(scores, version, period, once, period_days=choices.period_days, seed=seed)
    outcomes = CutOutcomes(scores.day[looks], scores.probability[looks], scores.label[looks], since)
    last = scores.day[looks].max(initial=since)
    recent = looks[scores.day[looks] > last - 2 * choices.period_days]
    return Assessment(
        level=level,
        ranking=ranking,
        alike=alike_outcomes(scores.day[looks], scores.probability[looks], scores.label[looks]),
        estimated=estimated,
        realised=realised,
        beside=estimated_beside_realised(estimated, realised) if len(estimated) and len(realised) else pd.DataFrame(),
        promises=promise_table(version.promises, outcomes, scores.newest, choices),
        slices=_slices(scores, looks, version.profile, choices),
        domain=_domain(scores, period, once, version, choices.period_days),
        conversions=int(scores.label[recent].sum()),
        expected_a_day=_expected_a_day(scores, interval),
        first_known=since + version.maturity,
        idle=version.today - scores.last,
        idle_limit=max(choices.period_days, 2 * int(np.diff(np.unique(scores.day)).max(initial=0))),
    )


def evidence_interval(choices: ReviewParams, maturity: int) -> int:
    """Return the days between two scores of a lead that are evidence: their outcomes must not overlap."""
    return max(choices.period_days, maturity)


def _expected_a_day(scores: ReviewedScores, interval: int) -> float:
    """Return the conversions that are expected of the evidence of a day, by that of the last interval.

    The leads of the first batch, all of which are evidence, come again once an interval.
    """
    inside = scores.is_look & (scores.day > scores.last - interval)
    is_first = inside & (scores.day == scores.since)
    days = min(scores.last - scores.since, interval)
    first, later = (float(scores.probability[rows].sum()) for rows in (is_first, inside & ~is_first))
    return first / interval + (later / days if days else 0.0)


def period_name(number: int, since: int, period_days: int) -> str:
    """Return the first day of a period in ISO 8601.

    Examples
    --------
    >>> period_name(1, since=0, period_days=30)
    '1970-01-31'
    """
    return shown_day((since + number * period_days) * DAY)


def _judged(scores: ReviewedScores, rows: Rows, since: int, *, names: Sequence[str]) -> JudgedScores:
    parts = from_bytes(scores.parts[rows].tolist(), len(names)) if names else np.empty((len(rows), 0))
    ranks = account_hashes(scores.lead_id[rows]).view(np.int64)
    return JudgedScores(scores.day[rows], log_odds(scores.probability[rows]), parts, scores.label[rows], ranks, since)


def _performance(
    scores: ReviewedScores, version: ReviewedVersion, period: Integers, once: Rows, *, period_days: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the estimated performance of all periods, and the realised one of those whose outcomes are all known."""
    rows = np.concatenate([_sample(scores, once[period[once] == number]) for number in np.unique(period[once])])
    is_over = scores.since + (period[rows] + 1) * period_days + version.maturity <= version.today + 1
    judged = rows[is_over & scores.known[rows]]
    realised = JudgedLeads(period[judged], scores.probability[judged], scores.label[judged], scores.account[judged])
    numbers = np.unique(period[rows]).tolist()
    choices: dict[str, Any] = {"draws": DRAWS, "confidence": CONFIDENCE, "seed": seed}
    tables = [realised_performance(realised, version.cuts, **choices), pd.DataFrame(columns=["period"])]
    if version.reference.line is not None:
        lag = period_lag(version.maturity, period_days)
        lines = lines_as_known(version.reference.line, realised, numbers, lag=lag)
        leads = ScoredLeads(period[rows], scores.probability[rows])
        tables[1] = estimated_performance(leads, version.cuts, lines, **choices)
    names = {number: period_name(number, scores.since, period_days) for number in numbers}
    realised_by_name, estimated_by_name = (table.assign(period=table["period"].map(names)) for table in tables)
    return estimated_by_name, realised_by_name


def _sample(scores: ReviewedScores, rows: Rows) -> Rows:
    """Return at most 50,000 rows, those with the smallest hashes of their leads, in their order."""
    if len(rows) <= MOST_LEADS:
        return rows
    chosen = np.argpartition(account_hashes(scores.lead_id[rows]), MOST_LEADS)[:MOST_LEADS]
    return rows[np.sort(chosen)]


def _slices(scores: ReviewedScores, looks: Rows, profile: Profile, choices: ReviewParams) -> pd.DataFrame:
    """Return the key figures by level of the attributes; an empty table where none are declared."""
    if scores.attributes.shape[1] == 0 or not len(looks):
        return pd.DataFrame()
    leads = JudgedLeads(np.zeros(len(looks)), scores.probability[looks], scores.label[looks], scores.account[looks])
    attributes = scores.attributes.iloc[looks].reset_index(drop=True)
    return slice_table(leads, attributes, profile, min_slice=choices.min_slice, confidence=CONFIDENCE)


def _domain(
    scores: ReviewedScores, period: Integers, once: Rows, version: ReviewedVersion, period_days: int
) -> DomainResult | None:
    """Return whether the newest period can be told from as many days of an earlier one.

    That is the last period whose outcomes are all known, or the first one while there is none.
    """
    if period.max() == period.min():
        return None
    known = (version.today + 1 - version.maturity - scores.since) // period_days - 1
    number = min(max(known, int(period.min())), int(period.max()) - 1)
    kept = once[[each is not None for each in scores.parts[once]]]
    before, newest = (kept[period[kept] == each] for each in (number, period.max()))
    days = scores.last - scores.day[newest].min() if len(newest) else 0
    before = before[scores.day[before] <= scores.since + number * period_days + days]
    names = version.reference.parts
    one, other = (from_bytes(scores.parts[rows].tolist(), len(names)) for rows in (before, newest))
    return domain_result(one, other, names)
