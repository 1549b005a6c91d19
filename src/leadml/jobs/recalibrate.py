"""Correct the level of a version whose probabilities have been too high or too low for two periods."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from leadml.errors import ModelError
from leadml.jobs.learn import cuts_on
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import LABEL, MATURE_AT, SPLIT_KEY
from leadml.leads.check.instants import shown_day
from leadml.model.judge.calibration_line import log_odds
from leadml.review.gate.judge import Contest
from leadml.review.gate.recalibration import PERIODS, PeriodOutcomes

if TYPE_CHECKING:
    from leadml.bundle.contents import Bundle
    from leadml.bundle.model import Model
    from leadml.params import Params


def newest_periods(model: Model, leads: pd.DataFrame, *, days: int) -> list[pd.DataFrame]:
    """Return the leads of the newest two periods, by when their outcomes became known; none if they do not reach back.

    Parameters
    ----------
    model
        The version, whose fields the leads have.
    leads
        Labelled leads whose outcomes became known after its training.
    days
        Of a period.
    """
    if leads.empty:
        return []
    known_at, last = leads[MATURE_AT], int(leads[MATURE_AT].max())
    bounds = [last - number * days * DAY for number in range(PERIODS, -1, -1)]
    if int(known_at.min()) > bounds[0] + DAY:
        return []
    leads = leads.assign(probability=model.bundle.model.predict(leads))
    return [leads[(known_at > one) & (known_at <= two)].reset_index(drop=True) for one, two in pairwise(bounds)]


def outcomes_of(leads: pd.DataFrame) -> PeriodOutcomes:
    """Return the outcomes of the leads of a period beside what was said of them."""
    said = log_odds(leads["probability"].to_numpy())
    return PeriodOutcomes(said, leads[LABEL].to_numpy(dtype=np.int8), pd.factorize(leads[SPLIT_KEY])[0])


def with_and_without(period: PeriodOutcomes, shift: float) -> Contest:
    """Return the probabilities of a period as they are, and with a shift."""
    return Contest(period.label, expit(period.log_odds), expit(period.log_odds + shift), period.groups)


def recalibrated(
    bundle: Bundle, shift: float, leads: pd.DataFrame, params: Params, *, at: str, used_until: int
) -> Bundle:
    """Return a bundle whose log-odds are all higher by a shift, with cuts that were solved on newer leads.

    Where the rules have no solution there, the cuts stay.

    Parameters
    ----------
    bundle
        The bundle of the version in use.
    shift
        Log-odds to add.
    leads
        The leads whose outcomes asked for it, with ``probability`` without the shift.
    params
        The choices, of which the rules of the cuts are read.
    at
        The instant in ISO 8601, for the record.
    used_until
        The instant until which outcomes were used, microseconds.
    """
    calibrator = bundle.model.calibrator
    moved = replace(calibrator, intercept=calibrator.intercept + shift)
    probability = expit(log_odds(leads["probability"].to_numpy()) + shift)
    counts = bundle.profile.counts
    edges = tuple(expit(log_odds(np.array(bundle.profile.edges)) + shift).tolist())
    millionths = round(float(probability.mean()) * counts.scored * 1_000_000)
    profile = replace(bundle.profile, edges=edges, counts=replace(counts, millionths=millionths))
    said = log_odds(bundle.candidates["cut"].to_numpy()) + shift
    stages, candidates = bundle.stages, bundle.candidates.assign(cut=expit(said))
    profile = profile.with_cuts(stages.cuts, candidates)
    with suppress(ModelError):  # the cuts stay where the rules have no solution on these leads
        cuts = cuts_on(leads, probability, params, target=bundle.target, groups=leads[SPLIT_KEY].to_numpy())
        stages, candidates = replace(stages, cuts=cuts.cuts, drop=cuts.drop), cuts.sample_candidates()
        profile = profile.with_cuts(stages.cuts, candidates)
    first, last = (shown_day(int(each)) for each in (leads[MATURE_AT].min(), leads[MATURE_AT].max()))
    words = f"{shift:+.2f} log-odds at {at[:10]}, by {len(leads):,} leads whose outcomes came from {first} to {last}"
    return replace(
        bundle,
        model=replace(bundle.model, calibrator=moved),
        profile=profile,
        reference=replace(bundle.reference, center=bundle.reference.center + shift),
        stages=stages,
        candidates=candidates,
        record=replace(bundle.record, recalibrated=words, used_until=used_until),
    )
