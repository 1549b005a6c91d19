"""Read what a review judges: the kept scores of the version in use, and what became of the leads by now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.bundle.profile import LeadCounts
from leadml.errors import LeadmlError
from leadml.jobs.learn import rules_of
from leadml.jobs.store import open_store, store_url
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID, SPLIT_KEY
from leadml.leads.check.instants import from_shown, shown_instant
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.sources.source import training_source
from leadml.params import normal_name
from leadml.review.assess import ReviewedScores, ReviewedVersion, evidence_interval
from leadml.review.evidence.looks import first_looks, spread_looks
from leadml.review.promises import NewestScores, Promise
from leadml.stages.acceptance import acceptance_table, followed_up

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.params.review import ReviewParams
    from leadml.publish.store.handoffs import HandoffRecords
    from leadml.publish.store.reviews import KeptScores
    from leadml.types import Integers, Objects, Progress

# Share of the leads of a batch of flat leads whose outcome must be known: outcomes that are known early are mostly
# conversions, and a file says nothing of when the others are due.
FLAT_KNOWN = 0.95


@dataclass(frozen=True, eq=False)
class ReviewData:
    """What a review judges.

    Parameters
    ----------
    scores
        The scores, with what is known of their outcomes.
    version
        What the version is held to.
    counts
        The counts of the newest batch by the bins of the training; None if no batch has any.
    judged
        Those of the newest batch whose outcomes are known; None if there is none.
    acceptance
        What sales did with the leads that they were given, before the last days (as many as a period has) and in them:
        tables of `acceptance_table`, empty where none was handed over.
    drawn, shadows
        The leads that were explored (of `explored_scores`), and what shadows said (of `shadow_scores`).
    """

    scores: ReviewedScores
    version: ReviewedVersion
    counts: LeadCounts | None
    judged: LeadCounts | None
    acceptance: tuple[pd.DataFrame, pd.DataFrame]
    drawn: pd.DataFrame
    shadows: pd.DataFrame


def read_review_data(model: Model, project: Places, *, until: int, now: str, progress: Progress) -> ReviewData:
    """Return what a review judges.

    Parameters
    ----------
    model
        The version in use.
    project
        The project, which has a store.
    until
        What is known by this instant is judged, microseconds.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the outcomes cannot be read.
    LeadmlError
        If the store has no score of the version up to the instant.
    """
    from leadml.publish.store.handoffs import handoff_records  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import reading  # noqa: PLC0415
    from leadml.publish.store.reviews import explored_scores, kept_scores  # noqa: PLC0415
    from leadml.publish.store.shadows import shadow_scores  # noqa: PLC0415

    progress("reading kept scores")
    with reading(store_url(project)) as found:
        if found is None:
            raise LeadmlError(_no_scores(model))
    with open_store(project, now=now, progress=progress) as (store, _):  # without people who are suppressed
        of_version, shown = (store, model.target, model.manifest.model_hash), shown_instant(until)
        kept = kept_scores(*of_version, until=shown, marks=project.params.score.weigh_explored)
        drawn, shadows = explored_scores(*of_version, until=shown), shadow_scores(*of_version, until=shown)
        handed = handoff_records(store)
    if kept.rows.empty:
        raise LeadmlError(_no_scores(model))
    scores = _with_outcomes(model, project, kept, until=until, now=now, progress=progress)
    newest = shown_instant((int(scores.day[-1]) - project.params.review.period_days) * DAY)
    acceptance = _acceptance(handed, model.target, newest=newest, until=shown_instant(until))
    last = int(scores.day[scores.known].max(initial=-1))
    counts = _counts(kept, int(scores.last)), _counts(kept, last)
    return ReviewData(scores, _version(model, project, until), *counts, acceptance, drawn, shadows)


def _with_outcomes(
    model: Model, project: Places, kept: KeptScores, *, until: int, now: str, progress: Progress
) -> ReviewedScores:
    """Return the kept scores in the order of time, with the outcomes that are known."""
    rows = kept.rows.sort_values(["at", LEAD_ID], kind="stable", ignore_index=True)
    choices, settings = project.params.review, model.bundle.leads.settings
    chosen = _chosen(rows, choices, settings)
    at, lead_id = (chosen[name].to_numpy() for name in ("at", LEAD_ID))
    names = tuple(dict.fromkeys(normal_name(name) for name in choices.slices))
    pairs = ScoredPairs(lead_id, at, model.bundle.leads.holdout, until, names)
    labels = training_source(project, model.target, now=now).labels(pairs, progress=progress)
    progress("judging scores")
    place = _places(labels, lead_id, at)
    known, found = place >= 0, labels.reindex(place)
    judged = known & (found["fitted"].to_numpy() == 0)
    if "explored" in chosen:  # a model of leads that are worked is not judged by those that nobody worked
        judged &= chosen["explored"].to_numpy() != 0
    if not settings.is_repeated:
        judged &= (pd.Series(known).groupby(at).transform("mean") >= FLAT_KNOWN).to_numpy()
    day = rows["at"].to_numpy() // DAY
    since = min(from_shown(batch.at) for batch in kept.batches) // DAY  # also of batches whose scores were removed
    newest = rows[day > day[-1] - choices.period_days]  # not since a period began: one night would be too few
    return ReviewedScores(
        lead_id=lead_id,
        account=np.where(known, found[SPLIT_KEY].to_numpy(), lead_id),
        day=at // DAY,
        probability=chosen["probability"].to_numpy(),
        parts=chosen["parts"].to_numpy(),
        label=np.where(known, found[LABEL].to_numpy(), 0).astype(np.int8),
        known=judged,
        is_look=chosen["is_look"].to_numpy(),
        is_in_period=chosen["is_in_period"].to_numpy(),
        attributes=found[list(pairs.columns.values())].set_axis(names, axis="columns").reset_index(drop=True),
        newest=NewestScores(newest["probability"].to_numpy(), int(newest[LEAD_ID].nunique())),
        since=since,
        last=int(day[-1]),
    )


def _chosen(rows: pd.DataFrame, choices: ReviewParams, settings: SnapshotSettings) -> pd.DataFrame:
    """Return the scores that are judged: evidence, or counted by period."""
    choose, maturity = spread_looks if settings.is_repeated else first_looks, settings.maturity_days
    day, lead_id, marks = rows["at"].to_numpy() // DAY, rows[LEAD_ID].to_numpy(), {}
    for name, interval in (("is_look", evidence_interval(choices, maturity)), ("is_in_period", choices.period_days)):
        marks[name] = np.zeros(len(rows), dtype=bool)
        marks[name][choose(day, lead_id, interval=interval)] = True
    return rows.assign(**marks)[marks["is_look"] | marks["is_in_period"]].reset_index(drop=True)


def _places(labels: pd.DataFrame, lead_id: Objects, at: Integers) -> Integers:
    """Return the row of the label of each score, -1 where there is none."""
    numbers, names = pd.factorize(lead_id)
    instants, position = np.unique(at, return_inverse=True)
    keys = numbers * np.int64(len(instants)) + position
    lead = pd.Index(names).get_indexer(pd.Index(labels[LEAD_ID]))
    instant = np.searchsorted(instants, labels[AS_OF].to_numpy())
    return np.asarray(pd.Index(lead * np.int64(len(instants)) + instant).get_indexer(pd.Index(keys)), dtype=np.int64)


def _version(model: Model, project: Places, until: int) -> ReviewedVersion:
    """Return what the version is held to; what its cuts promised is what the rules of params ask for."""
    bundle, rules = model.bundle, rules_of(project.params, model.target)
    promises = []
    for cut in bundle.stages.cuts:
        rule = rules.get(cut.stage.lower())
        precision, share = (rule.promised_precision, rule.promised_share) if rule else (None, None)
        promises.append(Promise(cut.stage, cut.probability, precision, share, bundle.profile.varied.stages))
    maturity, today = bundle.leads.settings.maturity_days, int(until // DAY)
    return ReviewedVersion(bundle.reference, bundle.profile, promises, maturity, today)


def _counts(kept: KeptScores, last: int) -> LeadCounts | None:
    """Return the counts of the newest batch up to a day that has some, of equal ones of the one written last."""
    counted = [
        (from_shown(each.at), each.batch, text)
        for each, text in zip(kept.batches, kept.counts, strict=True)
        if text and from_shown(each.at) // DAY <= last
    ]
    return LeadCounts.from_json(json.loads(max(counted)[-1])) if counted else None


def _acceptance(handed: HandoffRecords, target: str, *, newest: str, until: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what sales did, as far as it was known, with the leads of a target before an instant, and since."""
    handoffs = handed.handoffs[(handed.handoffs["target"] == target) & (handed.handoffs["at"] <= until)]
    if handoffs.empty:
        return pd.DataFrame(), pd.DataFrame()
    changes = handed.changes[handed.changes["known_at"] <= until]
    outcomes = handed.outcomes[handed.outcomes["recorded_at"] <= until]
    followed = followed_up(handoffs, changes, outcomes)
    is_new = followed["at"] >= newest
    return acceptance_table(followed[~is_new]), acceptance_table(followed[is_new])


def _no_scores(model: Model) -> str:
    return (
        f"the store must have scores of version {model.version} of {model.target}, got none up to this day; score "
        "leads with leadml score"
    )
