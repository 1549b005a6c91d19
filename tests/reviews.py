"""What tests of reviews share: scores as arrays, and a project of flat leads of a plain stream with its reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from leadml.bundle.model import load
from leadml.bundle.profile import NO_PROFILE
from leadml.jobs.places import Places
from leadml.jobs.review import Review, review_version
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.model.judge.calibration_line import CalibrationLine
from leadml.model.judge.null_interval import NullInterval, Reference
from leadml.model.predict.parts import to_bytes
from leadml.params.review import ReviewParams
from leadml.review.assess import ReviewedScores, ReviewedVersion
from leadml.review.promises import NewestScores, Promise
from leadml.simulator.stream import Stream
from tests.dated import write_params
from tests.stores import silent

FIRST = pd.Timestamp("2025-01-01", tz="UTC")  # the first day of the stream; the leads of the training are older
LATER = "2026-06-01T00:00:00+00:00"
BEFORE, BEFORE_DAYS = 4000, 80  # leads of the training, and the days over which they were created
FLAT: dict[str, Any] = {
    "data": {"path": "leads.csv", "lead_id": "lead_id", "created_at": "created_at", "timezone": "UTC"},
    "target": {"name": "won", "column": "converted", "positive": ["1"], "negative": ["0"]},
    "features": {"fit": {**{f"field_{number}": "number" for number in range(1, 5)}, "channel": "category"}},
    "stages": {
        "iql": {"rule": "share", "top": 0.5},
        "mql": {"rule": "share", "top": 0.3},
        "sql": {"rule": "precision", "at_least": 0.4, "confidence": 0.8},
    },
    "split": {"folds": 3},
    "review": {"min_conversions": 100, "slices": ["channel"]},
    "model": {"max_rounds": 40, "threads": 1},
    "evaluation": {"draws": 50},
    "tracking": {"enabled": False},
}


def stream(**changed: Any) -> Stream:
    """Return a stream of leads of which a fifth convert."""
    return Stream(**{"rate": 0.2, "fields": 4, "leads_a_day": 50, "drift_day": 0, **changed})


def before() -> pd.DataFrame:
    """Return the leads of the training as a file has them, the same number on each of the days before the first."""
    leads = stream().before(BEFORE, seed=1)
    return as_file(leads.assign(day=np.arange(BEFORE) * BEFORE_DAYS // BEFORE - BEFORE_DAYS))


def as_file(leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads of a stream as a file has them: with the date of their creation and a channel, without the truth."""
    created = FIRST + pd.to_timedelta(leads["day"], unit="D")
    channel = np.array(["web", "fair", "web"], dtype=object)[np.arange(len(leads)) % 3]
    frame = leads.drop(columns=["day", "probability"])
    return frame.assign(created_at=created.dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"), channel=channel)


def at(day: float) -> str:
    """Return an instant some days after the first one, in ISO 8601."""
    return (FIRST + pd.Timedelta(days=day)).isoformat()


def flat_project(folder: Path, *overrides: str) -> Places:
    """Write a project of flat leads without a version."""
    path = write_params(folder, FLAT)
    before().to_csv(folder / "leads.csv", index=False)
    return Places.open(path, overrides)


def score_days(project: Places, leads: pd.DataFrame, *, every: int = 10) -> None:
    """Score the leads of a stream, those of some days together on the last of them, with the version in use."""
    model = load(project.registry.champion_path())
    for number, some in leads.groupby(leads["day"] // every):
        file = project.root / "incoming.csv"
        as_file(some).drop(columns="converted").to_csv(file, index=False)
        request = ScoreRequest(file, out=project.root / "scored" / f"{number}.parquet")
        score(model, request, project=project, now=at((int(str(number)) + 1) * every - 0.5), progress=silent)


def let_outcomes_in(project: Places, *leads: pd.DataFrame) -> None:
    """Write the outcomes of leads of a stream into the file of the project, beside those of the training."""
    pd.concat([before(), *map(as_file, leads)]).to_csv(project.root / "leads.csv", index=False)


def review(project: Places, as_of: str | None = None, *, now: str = LATER) -> Review:
    """Review the version in use."""
    model = load(project.registry.champion_path())
    return review_version(model, project, until=as_of or now, now=now, progress=silent)


SINCE, MATURITY = 20_000, 30  # the first day of the scores as arrays, and the days until their outcomes are known
PROMISES = (Promise("MQL", 0.15, None, 0.4), Promise("SQL", 0.3, 0.3, None))
CHOICES = ReviewParams(min_conversions=100)
PERIOD = CHOICES.period_days


def reference(**changed: Any) -> Reference:
    """Return what the evaluation of a version says that has one part and is well calibrated."""
    known: dict[str, Any] = {
        "rows": 5000, "conversions": 900, "center": -2.0, "level": NullInterval(-0.1, 0.1),
        "slope": NullInterval(-0.05, 0.05), "parts": ("a",), "score": np.zeros(1),
        "information": np.array([[500.0]]), "variance": np.array([[500.0]]),
        "line": CalibrationLine(0.0, 1.0, np.diag([0.001, 0.001]), 1.0),
    }  # fmt: skip
    return Reference(**{**known, **changed})


def version(today: int, **changed: Any) -> ReviewedVersion:
    """Return what a version is held to, some days after the first score."""
    known: dict[str, Any] = {
        "reference": reference(),
        "profile": NO_PROFILE,
        "promises": PROMISES,
        "maturity": MATURITY,
    }
    return ReviewedVersion(**{**known, **changed, "today": SINCE + today})


def array_scores(days: int, seed: int, *, leads: int = 40, shift: float = 0.0, today: int = 10_000) -> ReviewedScores:
    """Return scores of new leads on each day; the log-odds of all are off by a shift, and outcomes are known if due."""
    random = np.random.default_rng(seed)
    size, day = days * leads, np.repeat(np.arange(days), leads)
    field, rest = random.normal(0, 1, (2, size))
    log_odds = -2 + field + 0.5 * rest
    ids = np.array([f"L{number:06}" for number in range(size)], dtype=object)
    probability, every = expit(log_odds), np.ones(size, dtype=bool)
    newest = probability[day // PERIOD == (days - 1) // PERIOD]
    return ReviewedScores(
        lead_id=ids,
        account=ids,
        day=SINCE + day,
        probability=probability,
        parts=to_bytes(np.clip(field, -3.9, 3.9)[:, None]),
        label=(random.random(size) < expit(log_odds + shift)).astype(np.int8),
        known=day + MATURITY <= today,
        is_look=every,
        is_in_period=every,
        attributes=pd.DataFrame({"country": np.where(np.arange(size) % 3, "FI", "SE")}),
        newest=NewestScores(newest, len(newest)),
        since=SINCE,
        last=SINCE + days - 1,
    )


def rows_of(scores: ReviewedScores, rows: Any) -> ReviewedScores:
    """Return some of the scores, in their order or another."""
    names = ("lead_id", "account", "day", "probability", "parts", "label", "known", "is_look", "is_in_period")
    some: dict[str, Any] = {name: getattr(scores, name)[rows] for name in names}
    last = int(some["day"].max())
    inside = (some["day"] - SINCE) // PERIOD == (last - SINCE) // PERIOD
    newest = NewestScores(some["probability"][inside], int(inside.sum()))
    attributes = scores.attributes.iloc[rows].reset_index(drop=True)
    return ReviewedScores(**some, attributes=attributes, newest=newest, since=SINCE, last=last)
