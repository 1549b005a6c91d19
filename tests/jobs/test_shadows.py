"""Versions that score beside the one in use: what is kept of them, and what is not."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from tests.reviews import as_file, at, let_outcomes_in, review, score_days, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import BundleError, LeadmlError
from leadml.jobs.handoff import hand_off
from leadml.jobs.places import Places
from leadml.jobs.promote import Approval, promote
from leadml.jobs.remember import forget
from leadml.jobs.review_page import build_review_page
from leadml.jobs.score import ScoreSummary, score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.shadows import MOST, choose_shadow
from leadml.jobs.train import train
from leadml.publish.page import render

pytestmark = pytest.mark.slow
SHARE = "stages.sql={rule: share, top: 0.1}"


@pytest.fixture(scope="module")
def versions(flat_version: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project with five versions; the second reads one field, the others differ in a seed."""
    root = shutil.copytree(flat_version, tmp_path_factory.mktemp("shadows") / "project", symlinks=True)
    few = "features.fit={field_4: number, channel: category}"
    for changed in (few, "split.seed=1", "split.seed=2", "split.seed=3"):
        opened = Places.open(root / "params.yaml", [SHARE, changed, "model.max_rounds=10"])
        train(opened, now=at(0), progress=silent, accept_weak="a test")
    return root


@pytest.fixture
def project(versions: Path, tmp_path: Path) -> Places:
    """Return a copy of it."""
    return Places.open(shutil.copytree(versions, tmp_path / "project", symlinks=True) / "params.yaml")


def _score(project: Places, day: int = 1) -> ScoreSummary:
    file = project.root / "new.csv"
    as_file(stream().days(day, seed=5)).drop(columns="converted").to_csv(file, index=False)
    request = ScoreRequest(file, out=project.root / f"scored_{day}.parquet")
    return score(load(project.registry.champion_path()), request, project=project, now=at(day), progress=silent)


def _rows(project: Places, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(project.root / "leadml.db")) as connection:
        return connection.execute(query).fetchall()


def test_a_shadow_scores_the_same_leads_and_changes_nothing_else(project: Places) -> None:
    """The file, the stages and the hand-off are the same with it and without."""
    alone = Places.open(shutil.copytree(project.root, project.root.parent / "alone") / "params.yaml")
    assert choose_shadow(project, "2", stop=False) == ["2"]
    for each in (project, alone):
        assert _score(each).doubts == ()
        hand_off(each, each.root / "sales.csv", now=at(2), progress=silent)
    said = pd.DataFrame(
        _rows(project, "select lead_id, probability, stage, version from leadml_shadow_scores order by lead_id"),
        columns=["lead_id", "probability", "stage", "version"],
    )
    own = load(project.registry.path("2")).score(pd.read_csv(project.root / "new.csv", dtype={"lead_id": str}))
    own = own.sort_values("lead_id", ignore_index=True)
    assert said["probability"].tolist() == own["probability"].tolist()
    assert said["stage"].tolist() == own["stage"].tolist()
    assert set(said["version"]) == {"2"}
    for name in ("scored_1.parquet", "sales.csv"):
        assert (project.root / name).read_bytes() == (alone.root / name).read_bytes()
    changes = "select lead_id, stage, advised from leadml_stage_changes order by lead_id"
    assert _rows(project, changes) == _rows(alone, changes)
    assert _rows(alone, "select count(*) from leadml_shadow_scores") == [(0,)]


def test_a_batch_that_is_scored_again_has_each_score_once(project: Places) -> None:
    """And a lead that is forgotten has none."""
    choose_shadow(project, "3", stop=False)
    _score(project)
    before = _rows(project, "select * from leadml_shadow_scores order by lead_id")
    _score(project)
    assert _rows(project, "select * from leadml_shadow_scores order by lead_id") == before
    lead_id = str(before[0][2])
    assert forget(project, lead_id, now=at(3), progress=silent).scores == 2
    assert len(_rows(project, "select * from leadml_shadow_scores")) == len(before) - 1


def test_a_shadow_that_cannot_score_is_a_doubt(project: Places) -> None:
    """The batch of the version in use is whole."""
    choose_shadow(project, "2", stop=False)
    choose_shadow(project, "3", stop=False)
    with (project.registry.path("3") / "model.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    found = _score(project)
    assert len(found.doubts) == 1
    assert "version 3 did not score as a shadow" in found.doubts[0]
    assert (found.scored, _rows(project, "select distinct version from leadml_shadow_scores")) == (50, [("2",)])
    (project.registry.folder / "shadows").write_text("nonsense", encoding="utf-8")
    doubt = _score(project, 2).doubts[0]
    assert doubt.startswith("no shadow scored: ")
    assert "(leadml shadow VERSION)" in doubt


def test_who_may_be_a_shadow(project: Places) -> None:
    """Three versions at most, and not the one in use; a promotion ends it."""
    for version in ("1", "9"):
        with pytest.raises(LeadmlError, match="there are 2, 3, 4, 5"):
            choose_shadow(project, version, stop=False)
    with pytest.raises(LeadmlError, match="version must be a shadow to end it, and there is none"):
        choose_shadow(project, "2", stop=True)
    for version in ("2", "3", "4"):
        choose_shadow(project, version, stop=False)
    with pytest.raises(LeadmlError, match=f"at most {MOST} shadows, got 2, 3, 4 and 5"):
        choose_shadow(project, "5", stop=False)
    assert choose_shadow(project, "3", stop=True) == ["2", "4"]
    promote(project, "4", Approval(reason="a test", ungated=True), now=at(1), progress=silent)
    assert project.registry.shadows() == ["2"]
    assert choose_shadow(project, "2", stop=True) == []
    assert not (project.registry.folder / "shadows").exists()
    with (project.registry.path("2") / "model.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(BundleError):
        choose_shadow(project, "2", stop=False)


def test_a_review_shows_shadows_beside_the_version_in_use(project: Places) -> None:
    """On the same leads; the one that reads a single field is worse."""
    choose_shadow(project, "2", stop=False)
    choose_shadow(project, "3", stop=False)
    leads = stream().days(40, seed=5)
    score_days(project, leads)
    let_outcomes_in(project, leads)
    found = review(project)
    assert found.shadows is not None
    table = found.shadows.set_index("version")
    assert set(table.index) == {"2", "3"}
    assert (table["leads"] == 2000).all()
    assert (table["conversions"] == leads["converted"].sum()).all()
    assert table.loc["2", "gain_high"] < 0 < table.loc["2", "log_loss"]
    assert abs(table.loc["3", "gain"]) < abs(table.loc["2", "gain"])
    assert len(found.to_json()["shadows"]) == 2
    assert "Versions that score beside the one in use" in render(build_review_page(found, []))
