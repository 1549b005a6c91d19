"""Two versions score the same later leads: which leads, in which order, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.dated import NOW
from tests.reviews import at, let_outcomes_in, stream
from tests.stores import silent

from leadml.bundle.model import Model, load
from leadml.errors import LeadmlError
from leadml.jobs.contest import FAST, LaterLeads, labelled_leads, scored_by_both, training_end
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import from_shown
from leadml.leads.sources.settings import AsOfSettings


@pytest.fixture(scope="module")
def flat(flat_version: Path) -> Model:
    """Return a version on flat leads with dates."""
    return load(Places.open(flat_version / "params.yaml").registry.path("1"))


@pytest.fixture(scope="module")
def dated_leads(trained_dated: tuple[Places, Trained]) -> pd.DataFrame:
    """Return the dated leads whose outcomes became known in the last 60 days, as the version reads them."""
    project, trained = trained_dated
    since = training_end(trained.model) - 60 * DAY
    return labelled_leads(trained.model, project, since=since, now=NOW, progress=silent)


def test_a_version_knows_when_its_training_ended(
    flat: Model, trained_dated: tuple[Places, Trained], trained_project: tuple[Places, Trained]
) -> None:
    """Of dated leads the end of what was observed, of flat ones right after the newest; without dates nobody knows."""
    assert from_shown(at(-1)) < training_end(flat) <= from_shown(at(0))
    maturity = trained_dated[1].model.bundle.record.data.maturity
    assert maturity is not None
    assert training_end(trained_dated[1].model) == from_shown(maturity.observed_until)
    with pytest.raises(LeadmlError, match=r"leads must have dates \(data.created_at\)"):
        training_end(trained_project[1].model)


def test_later_leads_of_a_file_are_those_created_later(flat_version: Path, flat: Model, tmp_path: Path) -> None:
    """Those of the training are not among them."""
    project = Places.open(flat_version / "params.yaml")
    moved = replace(project, root=tmp_path)
    let_outcomes_in(moved, stream().days(3, seed=5))
    found = labelled_leads(flat, moved, since=training_end(flat), now=at(3), progress=silent)
    assert len(found) == 3 * 50
    assert found["as_of"].min() >= from_shown(at(0))


def test_dated_leads_are_judged_whose_group_was_new(
    dated_leads: pd.DataFrame, trained_dated: tuple[Places, Trained]
) -> None:
    """A version and itself have the same probabilities, in the order in which outcomes became known."""
    model = trained_dated[1].model
    shuffled = dated_leads.sample(frac=1, random_state=0)
    found = scored_by_both(model, model, leads=shuffled, other=dated_leads)
    assert len(found.frame) == len(dated_leads) > 50
    assert np.array_equal(found.champion, found.challenger)
    assert found.frame["mature_at"].is_monotonic_increasing
    assert found.until == dated_leads["mature_at"].max()
    contest = found.contest(model, ("industry", "no_field"))
    assert contest.groups is not None
    assert list(contest.slices) == ["industry"]
    assert len(contest.slices["industry"]) == len(found.frame)
    assert contest.label.sum() == dated_leads["converted"].sum()


def test_only_leads_that_both_read_are_judged(dated_leads: pd.DataFrame, trained_dated: tuple[Places, Trained]) -> None:
    """Whichever of them lacks some."""
    model = trained_dated[1].model
    for leads, other in ((dated_leads[10:], dated_leads), (dated_leads, dated_leads[:-10])):
        found = scored_by_both(model, model, leads=leads, other=other)
        assert len(found.frame) == len(dated_leads) - 10
        assert np.array_equal(found.champion, found.challenger)
    nothing = scored_by_both(model, model, leads=dated_leads[:0], other=dated_leads)
    assert (len(nothing.champion), nothing.until, nothing.times_as_slow) == (0, None, 1.0)


def test_versions_that_predict_different_things_are_not_compared(
    dated_leads: pd.DataFrame, trained_dated: tuple[Places, Trained]
) -> None:
    """Another horizon is another label."""
    model = trained_dated[1].model
    leads = model.bundle.leads
    assert isinstance(leads.settings, AsOfSettings)
    longer = replace(leads.settings, target=replace(leads.settings.target, horizon=60))
    other = replace(model, bundle=replace(model.bundle, leads=replace(leads, settings=longer)))
    with pytest.raises(LeadmlError, match="both versions must predict the same, got other choices of the target"):
        scored_by_both(model, other, leads=dated_leads, other=dated_leads)


@pytest.mark.parametrize(("seconds", "times"), [((FAST, 4 * FAST), 4.0), ((FAST / 40, FAST / 4), 1.0)])
def test_a_fast_version_is_never_too_slow(seconds: tuple[float, float], times: float) -> None:
    """However much faster the other one is."""
    later = LaterLeads(pd.DataFrame(), np.empty(0), np.empty(0), seconds)
    assert later.times_as_slow == times
