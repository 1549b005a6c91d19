"""The recipe of a version as of a period ago, beside that version, and fitted on everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.dated import NOW
from tests.reviews import LATER
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.contest import training_end
from leadml.jobs.places import Places
from leadml.jobs.refit import judge_recipe, refitted
from leadml.jobs.train import train
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import MATURE_AT

pytestmark = pytest.mark.slow
SHARE = "stages.sql={rule: share, top: 0.1}"


def test_the_recipe_is_judged_on_the_newest_period(make_scored: Callable[..., Places], tmp_path: Path) -> None:
    """It has learnt from what was known before, and passes on a stream that holds."""
    project = make_scored(tmp_path, SHARE, days=70)
    model = load(project.registry.champion_path())
    found = judge_recipe(model, project, now=LATER, progress=silent)
    assert found.since == found.until - 30 * DAY > training_end(model)
    assert (found.judged.answer, found.judged.figures["leads"]) == ("not worse", 30 * 50)
    assert (found.rows[MATURE_AT] > training_end(model)).sum() == 70 * 50

    bundle = refitted(found, project, now=LATER, progress=silent)
    assert bundle.record.fitted_again == len(found.rows)
    assert bundle.leads.holdout.learnable(found.rows).all()
    assert bundle.evaluation.leads < len(found.rows)
    assert bundle.record.recipe_hash == model.bundle.record.recipe_hash


def test_a_recipe_that_is_worse_does_not_pass(make_scored: Callable[..., Places], tmp_path: Path) -> None:
    """Where the outcomes of the last but one period were drawn at random, it has learnt from them."""
    project = make_scored(tmp_path, SHARE, days=70)
    leads = pd.read_csv(project.root / "leads.csv")
    created = pd.to_datetime(leads["created_at"])
    bad = (created >= "2025-01-01") & (created < "2025-02-08")
    leads.loc[bad, "converted"] = 1 - leads.loc[bad, "converted"]
    leads.to_csv(project.root / "leads.csv", index=False)
    model = load(project.registry.champion_path())
    assert judge_recipe(model, project, now=LATER, progress=silent).judged.answer == "worse"


def test_a_recipe_of_dated_leads(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """Without a later outcome there is no evidence; another recipe is refused."""
    project = make_dated_project(tmp_path / "p")
    model = train(project, now=NOW, progress=silent, accept_weak="few leads of a test").model
    found = judge_recipe(model, project, now=NOW, progress=silent)
    assert (found.judged.answer, found.judged.figures["leads"]) == ("not enough evidence", 0)
    other = Places.open(project.root / "params.yaml", ["split.seed=5"], target="mql")
    with pytest.raises(LeadmlError, match="must have the recipe of version 1"):
        judge_recipe(model, other, now=NOW, progress=silent)
