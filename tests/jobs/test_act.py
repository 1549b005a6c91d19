"""What is done after a review of a drifting stream, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.reviews import LATER, as_file, review, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.act import ACTION, Acted, act
from leadml.jobs.contest import training_end
from leadml.jobs.gate_records import judged_before
from leadml.jobs.places import Places
from leadml.jobs.promote import Approval
from leadml.jobs.report import model_card
from leadml.leads.check.instants import from_shown
from leadml.publish.store.decisions import decisions_of
from leadml.publish.store.opening import reading

pytestmark = pytest.mark.slow
Scored = Callable[..., Places]
SHARE = "stages.sql={rule: share, top: 0.1}"


def _acted(project: Places, approval: Approval | None = None, *, dry_run: bool = False) -> Acted:
    found = review(project)
    return act(project, found, approval or Approval(), dry_run=dry_run, now=LATER, progress=silent)


def _kept(project: Places) -> list[dict[str, Any]]:
    with reading(str(project.store_url)) as store:
        return [] if store is None else store.read(lambda connection: decisions_of(connection, ACTION))


def test_a_level_that_was_wrong_for_two_periods_is_corrected(make_scored: Scored, tmp_path: Path) -> None:
    """A dry run changes nothing. The new version has the same order of leads, higher probabilities and its own cuts."""
    project = make_scored(tmp_path, SHARE, days=100, drift="odds", drift_day=10)
    would = _acted(project, dry_run=True)
    assert (would.action, would.done, project.registry.versions()) == ("recalibrate", False, ["1"])
    assert "would be: +0." in would.reason
    assert _kept(project) == []

    done = _acted(project)
    assert (done.action, done.done, done.version) == ("recalibrate", True, "2")
    assert project.registry.champion() == "2"
    before, after = (load(project.registry.path(version)) for version in ("1", "2"))
    leads = as_file(stream(drift="odds", drift_day=0).days(40, seed=9))
    one, two = (model.score(leads)["probability"].to_numpy() for model in (before, after))
    assert np.array_equal(np.argsort(one, kind="stable"), np.argsort(two, kind="stable"))
    rate = leads["converted"].mean()
    assert abs(two.mean() - rate) < abs(one.mean() - rate) / 2
    assert all(after.cuts[stage] > before.cuts[stage] for stage in ("IQL", "MQL"))
    assert "log-odds at 2026-06-01" in dict(model_card(after).rows)["recalibrated"]
    assert training_end(after) > training_end(before)
    [gated] = judged_before(project, now=LATER, progress=silent)
    assert (gated.kind, gated.answer, gated.challenger_hash) == (
        "recalibration",
        "not worse",
        after.manifest.model_hash,
    )
    assert [(each["action"], each["done"]) for each in _kept(project)] == [("recalibrate", True)]


def test_a_level_that_was_wrong_once_stays(make_scored: Scored, tmp_path: Path) -> None:
    """What one period says may be gone in the next."""
    project = make_scored(tmp_path, days=85, drift="odds", drift_day=52)
    found = _acted(project)
    assert found.verdict == "RECALIBRATE"
    assert (found.done, project.registry.versions()) == (False, ["1"])
    assert "once two periods have one of the same sign" in found.line
    assert [each["done"] for each in _kept(project)] == [False]


def test_effects_that_changed_are_learnt_again(make_scored: Scored, tmp_path: Path) -> None:
    """The recipe as of a period ago is not surely worse, and what serves has learnt from all leads."""
    project = make_scored(tmp_path, SHARE, days=90, drift="effects", drift_day=20)
    would = _acted(project, dry_run=True)
    assert (would.action, would.done, project.registry.versions()) == ("refit", False, ["1"])
    done = _acted(project, Approval("Ann"))
    assert (done.action, done.done, done.version) == ("refit", True, "2")
    model = load(project.registry.champion_path())
    record, leads = model.bundle.record, pd.read_csv(project.root / "leads.csv")
    assert record.fitted_again == len(leads)
    assert "all 8,500 leads whose outcomes were known" in dict(model_card(model).rows)["fitted again on"]
    assert not model.bundle.leads.holdout.mask(pd.DataFrame({"split_key": ["a"], "as_of": [0]})).any()
    newer = as_file(stream(drift="effects", drift_day=0).days(60, seed=11))
    label = newer["converted"].to_numpy()
    losses = []
    for version in ("1", "2"):
        said = load(project.registry.path(version)).score(newer)["probability"].to_numpy()
        losses.append(-np.log(np.where(label == 1, said, 1 - said)).mean())
    assert losses[1] < losses[0]
    [gated] = judged_before(project, now=LATER, progress=silent)
    assert (gated.kind, gated.answer, gated.challenger_hash) == ("refresh", "not worse", model.manifest.model_hash)
    assert from_shown(gated.since) < from_shown(gated.until)


def test_a_cut_is_solved_again_on_newer_leads(make_scored: Scored, tmp_path: Path) -> None:
    """The version stays, with saved cuts."""
    project = make_scored(tmp_path, "stages.mql={rule: share, top: 0.15}", SHARE, days=40)
    before = load(project.registry.champion_path()).cuts
    would = _acted(project, dry_run=True)
    assert (would.action, would.done, load(project.registry.champion_path()).cuts) == ("recut", False, before)
    done = _acted(project)
    after = load(project.registry.champion_path())
    assert (done.action, done.done, done.version, after.scored_version) == ("recut", True, "1.1", "1.1")
    assert after.cuts["MQL"] > before["MQL"]
    assert "MQL from" in done.line


def test_cuts_without_a_solution_stay(make_scored: Scored, tmp_path: Path) -> None:
    """The line says why."""
    high = "stages.sql={rule: precision, at_least: 0.99, confidence: 0.99}"
    project = make_scored(tmp_path, high, days=40)
    found = _acted(project)
    assert (found.verdict, found.action, found.done) == ("RECUT", "recut", False)
    assert "the rules have no solution on 2,000 newer leads: stages.sql" in found.line


def test_another_recipe_is_no_refresh(make_scored: Scored, tmp_path: Path) -> None:
    """It is trained and promoted as a change."""
    project = make_scored(tmp_path, "model.max_rounds=30", days=90, drift="effects", drift_day=30)
    with pytest.raises(LeadmlError, match="must have the recipe of version 1 to fit it on newer leads, got another"):
        _acted(project)


def test_where_a_version_holds_nothing_is_done(scored_stream: Places) -> None:
    """And nothing is kept; a name is needed where params ask for one."""
    found = _acted(scored_stream)
    assert (found.action, found.done, found.version) == ("", False, "1")
    assert found.line == f"won: nothing to do: the verdict is {found.verdict}; version 1 is in use"
    assert _kept(scored_stream) == []
    strict = Places.open(scored_stream.root / "params.yaml", ["gate.approval=true"])
    with pytest.raises(LeadmlError, match=r"by \(--by\) must name who approves"):
        _acted(strict)
    assert not _acted(strict, dry_run=True).done


def test_a_review_of_another_version_is_not_acted_on(scored_stream: Places) -> None:
    """Its evidence is of that version."""
    found = replace(review(scored_stream), version="7")
    with pytest.raises(LeadmlError, match="version 7 must be in use to act on its review, got 1"):
        act(scored_stream, found, Approval(), dry_run=True, now=LATER, progress=silent)
