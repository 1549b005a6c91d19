"""What changes for people from one version to another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.dated import NOW
from tests.reviews import LATER, as_file, at, flat_project, review, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.act import act
from leadml.jobs.compare import WHY, Comparison, compare
from leadml.jobs.places import Places
from leadml.jobs.promote import Approval
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import train

pytestmark = pytest.mark.slow
SHARE = "stages.sql={rule: share, top: 0.1}"
MONEY = "stages.money={contact_cost: 5, won_value: 100}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project with three versions: one of a single field, one of all, and one of all with other cuts."""
    project = flat_project(tmp_path_factory.mktemp("compare") / "project")
    for changed in (
        "features.fit={field_1: number, channel: category}",
        "split.seed=0",
        "stages.mql={rule: share, top: 0.2}",
    ):
        opened = Places.open(project.root / "params.yaml", [SHARE, changed])
        train(opened, now=at(0), progress=silent, accept_weak="a test")
    as_file(stream().days(20, seed=5)).to_csv(project.root / "new.csv", index=False)
    return project


def _compared(project: Places, one: str, other: str, *overrides: str) -> Comparison:
    opened = Places.open(project.root / "params.yaml", [SHARE, *overrides])
    models = [load(opened.registry.path(version)) for version in (one, other)]
    file = project.root / "new.csv"
    return compare(*models, opened, file=file, as_of=None, now=LATER, progress=silent)


def test_a_version_and_itself_differ_in_nothing(project: Places) -> None:
    """No lead moves."""
    found = _compared(project, "2", "2")
    assert (found.leads, found.changed, len(found.moves), found.importance["moved"].any()) == (1000, 0.0, 0, False)
    assert (found.volume["conversions"] == 0).all()
    assert "0.0% of 1,000 leads change their stage; no field surely matters otherwise" in found.line


def test_other_fields_move_leads_and_importance(project: Places) -> None:
    """The share that changes is what a plain count gives, and the moves add up to the stages."""
    found = _compared(project, "1", "2", MONEY)
    leads = pd.read_csv(project.root / "new.csv", dtype={"lead_id": str})
    one, two = (load(project.registry.path(version)) for version in ("1", "2"))
    stages = [model.score(leads).set_index("lead_id")["stage"].sort_index() for model in (one, two)]
    assert found.changed == pytest.approx((stages[0] != stages[1]).mean())
    assert found.changed > 0.2
    assert set(found.importance.loc[found.importance["moved"], "field"]) >= {"field_2"}
    assert set(found.moves["why"]) <= {"model", "cut", "both"}
    assert found.moves["leads"].sum() == round(found.changed * found.leads)
    for stage in ("LEAD", "SQL"):
        came = found.moves.loc[found.moves["after"] == stage, "leads"].sum()
        went = found.moves.loc[found.moves["before"] == stage, "leads"].sum()
        assert came - went == (stages[1] == stage).sum() - (stages[0] == stage).sum()
    volume = found.volume.set_index("stage")
    assert volume.loc["SQL", "other"] == (stages[1] == "SQL").sum()
    expected = volume["conversions"] * 100 - (volume["other"] - volume["one"]) * 5
    assert np.allclose(volume["money"].astype(float), expected)


def test_other_cuts_alone_move_leads_by_the_cut(project: Places) -> None:
    """Money is not told where params do not tell it."""
    found = _compared(project, "2", "3")
    assert set(found.moves["why"]) == {"cut"}
    assert found.moves[["before", "after"]].to_numpy().tolist() == [["MQL", "IQL"]]
    titles = dict(found.tables("EUR"))
    assert {row[-1] for row in titles["leads at or above each cut"].rows} == {"not told"}
    assert titles["changes of stages from version 2 to 3"].rows[0][0] == WHY["cut"]
    assert json.loads(json.dumps(found.to_json()))["moves"][0]["leads"] == found.moves["leads"].iloc[0]


def test_leads_that_changed_since_the_last_batch_are_told_apart(project: Places, tmp_path: Path) -> None:
    """Where the store has their scores by the same version."""
    root = shutil.copytree(project.root, tmp_path / "project")
    opened = Places.open(root / "params.yaml", [SHARE])
    registry = opened.registry
    if registry.champion() != "1":
        registry.promote("1", instead_of=registry.champion())
    model = load(registry.path("1"))
    request = ScoreRequest(root / "new.csv", out=root / "scored.parquet")
    score(model, request, project=opened, now=LATER, progress=silent)
    leads = pd.read_csv(root / "new.csv")
    leads.loc[:49, "field_1"] += 3
    leads.to_csv(root / "new.csv", index=False)
    found = compare(model, model, opened, file=root / "new.csv", as_of=None, now=LATER, progress=silent)
    assert set(found.moves["why"]) == {"data"}
    assert 10 < found.moves["leads"].sum() <= 50
    assert found.changed == 0
    assert "changes since the last batch, by version 1" in dict(found.tables("EUR"))


def test_dated_leads_without_activity_decay(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """And others change by what is new of them."""
    project = make_dated_project(tmp_path / "p")
    train(project, now=NOW, progress=silent, accept_weak="a test")
    model = load(project.registry.champion_path())
    request = ScoreRequest(None, "2024-06-01", out=project.root / "scored.parquet")
    score(model, request, project=project, now=NOW, progress=silent)
    found = compare(model, model, project, file=None, as_of="2024-06-22", now=NOW, progress=silent)
    assert {"decay", "data"} == set(found.moves["why"])
    before = compare(model, model, project, file=None, as_of="2024-05-25", now=NOW, progress=silent)
    assert before.moves.empty  # of what was known before the batch nothing has changed since


def test_without_a_lead_for_both_there_is_nothing_to_compare(project: Places, tmp_path: Path) -> None:
    """The message says so."""
    model = load(project.registry.path("1"))
    file = tmp_path / "none.csv"
    pd.read_csv(project.root / "new.csv").head(0).to_csv(file, index=False)
    with pytest.raises(LeadmlError, match="there must be leads that both versions can score, got none"):
        compare(model, model, project, file=file, as_of=None, now=LATER, progress=silent)


def test_saved_cuts_count(make_scored: Callable[..., Places], tmp_path: Path) -> None:
    """A version with its saved cuts is what is in use."""
    project = make_scored(tmp_path, "stages.mql={rule: share, top: 0.15}", SHARE, days=40)
    before = load(project.registry.champion_path())
    act(project, review(project), Approval(), dry_run=False, now=LATER, progress=silent)
    after = load(project.registry.champion_path())
    found = compare(before, after, project, file=None, as_of=None, now=LATER, progress=silent)
    assert (found.one, found.other) == ("1", "1.1")
    assert set(found.moves["why"]) <= {"cut", "data"}
