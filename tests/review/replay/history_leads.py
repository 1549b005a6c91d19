"""Leads of eight months, and a replay of them by a simple model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from leadml.review.performance.level_shift import shift_of
from leadml.review.replay.history import History
from leadml.review.replay.policies import Replay

DAYS, A_DAY = 240, 20


def leads(seed=0, *, shift=0.0, moved_on=150):
    """Return leads of eight months whose level moves on some day."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(DAYS), A_DAY)
    at = pd.Timestamp("2026-01-01").as_unit("us").asm8.astype(np.int64) + day * 86_400_000_000
    field = random.normal(size=len(day))
    true = expit(-1 + field + shift * (day >= moved_on))
    label = (random.random(len(day)) < true).astype(np.int8)
    return pd.DataFrame({"as_of": at, "mature_at": at, "field": field, "converted": label})


def fit(known):
    """Return a model that knows the effect of the field, and learns the level from the newest 600 leads."""
    newest = known.tail(600)
    shift = shift_of(newest["field"].to_numpy(), newest["converted"].to_numpy())
    return lambda rows: rows["field"].to_numpy() + shift


def played(frame, labels="day", fit=fit):
    """Return the replay of all months from the third on."""
    replay = Replay.of(History.of(frame, labels), fit)
    for month in replay.history.months[2:]:
        replay.play(month)
    return replay
