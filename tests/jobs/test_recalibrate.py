"""A version whose level is corrected: which leads say it, and what changes with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.reviews import LATER, at
from tests.stores import silent

from leadml.bundle.model import Model, load
from leadml.jobs.contest import labelled_leads, training_end
from leadml.jobs.places import Places
from leadml.jobs.recalibrate import newest_periods, outcomes_of, recalibrated, with_and_without
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import MATURE_AT
from leadml.model.judge.calibration_line import log_odds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(make_scored: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project with 100 days of outcomes after its training."""
    return make_scored(tmp_path_factory.mktemp("recalibrate"), days=100)


@pytest.fixture(scope="module")
def model(project: Places) -> Model:
    """Return its version."""
    return load(project.registry.champion_path())


@pytest.fixture(scope="module")
def leads(project: Places, model: Model) -> pd.DataFrame:
    """Return its later leads."""
    return labelled_leads(model, project, since=training_end(model), now=LATER, progress=silent)


def test_the_newest_two_periods_follow_each_other(model: Model, leads: pd.DataFrame) -> None:
    """They end with the newest outcome, and have the probabilities of the version."""
    one, two = newest_periods(model, leads, days=30)
    assert two[MATURE_AT].max() == leads[MATURE_AT].max()
    assert one[MATURE_AT].max() < two[MATURE_AT].min()
    assert len(pd.concat([one, two])) == (leads[MATURE_AT] > leads[MATURE_AT].max() - 60 * DAY).sum()
    assert np.array_equal(two["probability"], model.bundle.model.predict(two))


def test_without_two_periods_there_is_none(model: Model, leads: pd.DataFrame) -> None:
    """Of no lead, or of a short time."""
    assert newest_periods(model, leads.head(0), days=30) == []
    recent = leads[leads[MATURE_AT] > leads[MATURE_AT].max() - 40 * DAY]
    assert newest_periods(model, recent, days=30) == []


def test_a_shift_moves_all_log_odds_and_nothing_else(project: Places, model: Model, leads: pd.DataFrame) -> None:
    """The profile and the reference of the version move with it, and the cuts are solved anew."""
    both = pd.concat(newest_periods(model, leads, days=30), ignore_index=True)
    moved = recalibrated(model.bundle, 0.5, both, project.params, at=at(100), used_until=123)
    said = log_odds(moved.model.predict(both))
    assert np.allclose(said, log_odds(both["probability"].to_numpy()) + 0.5)
    assert np.allclose(log_odds(np.array(moved.profile.edges)), log_odds(np.array(model.bundle.profile.edges)) + 0.5)
    assert moved.profile.counts.mean_probability == pytest.approx(moved.model.predict(both).mean(), abs=1e-6)
    assert moved.reference.center == model.bundle.reference.center + 0.5
    assert moved.record.used_until == 123
    assert "+0.50 log-odds at 2025-04-11" in moved.record.recalibrated
    assert moved.evaluation is model.bundle.evaluation
    share = (moved.model.predict(both) >= {cut.stage: cut.probability for cut in moved.stages.cuts}["MQL"]).mean()
    assert share == pytest.approx(0.3, abs=0.01)


def test_cuts_without_a_solution_stay(project: Places, model: Model, leads: pd.DataFrame) -> None:
    """The probabilities move all the same."""
    strict = Places.open(project.root / "params.yaml", ["stages.sql={rule: precision, at_least: 0.99}"])
    both = pd.concat(newest_periods(model, leads, days=30), ignore_index=True)
    moved = recalibrated(model.bundle, 0.5, both, strict.params, at=at(100), used_until=0)
    assert moved.stages == model.bundle.stages
    before, after = model.bundle.profile.counts.stages, moved.profile.counts.stages
    assert np.allclose(log_odds(moved.candidates["cut"]), log_odds(model.bundle.candidates["cut"]) + 0.5)
    assert after["LEAD"] < before["LEAD"]
    assert sum(after.values()) == sum(before.values())


def test_a_contest_has_both_probabilities(leads: pd.DataFrame, model: Model) -> None:
    """Of the same leads, by group."""
    period = outcomes_of(newest_periods(model, leads, days=30)[0])
    contest = with_and_without(period, 0.2)
    assert np.allclose(log_odds(contest.challenger) - log_odds(contest.champion), 0.2)
    assert contest.groups is period.groups
    assert np.array_equal(with_and_without(replace(period), 0.0).champion, contest.champion)
