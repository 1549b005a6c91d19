"""Trainings as if sales had worked all leads, by those that were explored."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from tests.frames import evidence_of
from tests.reviews import LATER, as_file, at, score_days, stream
from tests.stores import silent

from leadml.bundle.model import Model, load
from leadml.errors import ModelError, ParamsError
from leadml.jobs.contest import labelled_leads, training_end
from leadml.jobs.learn import recipe_hash
from leadml.jobs.places import Places
from leadml.jobs.refit import judge_recipe
from leadml.jobs.report import model_card
from leadml.jobs.review_data import read_review_data
from leadml.jobs.train import train
from leadml.jobs.weighed import EACH_ONCE, Weighing, weighing_of
from leadml.leads.check.contract import AS_OF, LEAD_ID
from leadml.leads.check.instants import from_shown
from leadml.leads.sources.settings import SingleSnapshot, settings_from_params
from leadml.leads.sources.training_set import TrainingParts
from leadml.leads.split import RandomSplit
from leadml.params import SplitParams, load_params

ROOT = Path(__file__).parents[2]
SHARE, WORK, DAYS = 0.25, np.log(3.0), 80
FIRST_DAY = 10  # of leads that were created after leads were first explored
CHOICES = [f"score.explore={SHARE}", "score.weigh_explored=true", "stages.sql={rule: share, top: 0.1}"]
DRAWN = pd.DataFrame(
    {
        LEAD_ID: ["marked", "not", "risen"],
        "at": [10.0, 10.0, 10.0],
        "ended": [np.nan, np.nan, 15.0],
        "propensity": [0.25, 0.25, 0.25],
        "explored": [1, 0, 0],
    }
)
ROWS = pd.DataFrame(
    [("marked", 5), ("not", 5), ("marked", 10), ("not", 15), ("risen", 14), ("risen", 15), ("other", 15)],
    columns=[LEAD_ID, AS_OF],
)


@pytest.fixture(scope="module")
def dated() -> Weighing:
    """Return how leads with snapshots count."""
    params = load_params(ROOT / "examples" / "cdnow" / "params.yaml")
    return Weighing(DRAWN, settings_from_params(params, "purchase"))


def test_marked_leads_stand_for_all_that_were_drawn_from(dated: Weighing) -> None:
    """From the draw on, until the lead is at or above the cut; of a file those created since the first draw."""
    assert dated.copies(ROWS).tolist() == [0, 1, 2, 2, 2, 2, 5, 6]
    assert Weighing(DRAWN, SingleSnapshot()).copies(ROWS).tolist() == [0, 1, 2, 2, 2, 2, 6]
    assert dated.rows(ROWS)[LEAD_ID].tolist() == ROWS[LEAD_ID].iloc[[0, 1, 2, 2, 2, 2, 5, 6]].tolist()
    assert dated.worked(ROWS)[AS_OF].tolist() == [5, 5, 10, 15, 15]
    assert dated.counts(ROWS) == {"weighed_rows": 1, "left_out_rows": 2}


def test_without_drawn_leads_nothing_changes() -> None:
    """The rows are the same object, and leads are independent."""
    assert EACH_ONCE.rows(ROWS) is ROWS
    assert EACH_ONCE.worked(ROWS) is ROWS
    assert EACH_ONCE.copies(ROWS).tolist() == list(range(len(ROWS)))
    assert EACH_ONCE.counts(ROWS) == {}
    split = RandomSplit(SplitParams())
    assert EACH_ONCE.split(split) == split
    assert Weighing(DRAWN, SingleSnapshot()).split(split) == replace(split, is_weighed=True)


def test_a_part_that_is_left_without_an_outcome_is_refused(dated: Weighing) -> None:
    """Before anything is fitted, with the key to change."""
    learn = ROWS.assign(converted=[1, 0, 1, 0, 0, 1, 0])
    holdout = learn[learn[LEAD_ID] == "not"].assign(as_of=20)
    with pytest.raises(ModelError, match=r"the holdout must have worked leads of both outcomes, got 0 rows.*weigh_exp"):
        dated.parts(TrainingParts(learn, holdout, evidence_of(learn)))


@pytest.fixture(scope="module")
def worked(flat_version: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, pd.DataFrame]:
    """Return a project whose sales raise the odds of leads that they work threefold, and its leads."""
    root = shutil.copytree(flat_version, tmp_path_factory.mktemp("weighed") / "project", symlinks=True)
    project = Places.open(root / "params.yaml", CHOICES)
    leads = stream().days(DAYS, seed=5)
    score_days(project, leads)
    scored = pd.concat([pd.read_parquet(file) for file in sorted((root / "scored").glob("*.parquet"))])
    by_lead = scored.set_index(scored["lead_id"].astype(str)).loc[leads["lead_id"].astype(str)]
    below = by_lead["advised_stage"].isin(["LEAD", "IQL"]).to_numpy()
    marked = by_lead["explore"].to_numpy(dtype=bool)
    if_worked = expit(logit(leads["probability"]) + WORK)
    chance = np.where(below & ~marked, leads["probability"], if_worked)
    converted = (np.random.default_rng(2).random(len(leads)) < chance).astype(int)
    leads = leads.assign(converted=converted)
    as_file(leads).to_csv(root / "leads.csv", index=False)
    return project, leads.assign(below=below, marked=marked, if_worked=if_worked)


def _trained(project: Places) -> Model:
    return train(project, now=LATER, progress=silent).model


@pytest.mark.slow
def test_a_training_learns_what_leads_would_do_if_worked(worked: tuple[Places, pd.DataFrame]) -> None:
    """Below the cut, where the others' outcomes are those of leads that nobody worked."""
    project, leads = worked
    plain = Places.open(project.root / "params.yaml", [*CHOICES, "score.weigh_explored=false"])
    fresh = stream().before(4000, seed=9).assign(channel="web")
    true = expit(logit(fresh["probability"]) + WORK).to_numpy()
    below = fresh["probability"] < leads.loc[leads["below"], "probability"].quantile(0.9)
    errors = {}
    for name, places in (("weighed", project), ("plain", plain)):
        model = _trained(places)
        said = model.bundle.model.predict(fresh)
        errors[name] = abs(said[below].mean() - true[below].mean()) / true[below].mean()
        choices = model.bundle.record.choices
        if name == "weighed":
            since = leads["day"] >= FIRST_DAY
            assert choices["weighed_rows"] == (leads["marked"] & since).sum()
            assert choices["left_out_rows"] == (leads["below"] & ~leads["marked"] & since).sum()
            assert "others are left out" in dict(model_card(model).rows)["below the cut"]
        else:
            assert "weighed_rows" not in choices
            assert "below the cut" not in dict(model_card(model).rows)
    assert errors["weighed"] < 0.15  # 1,000 marked leads tell their rate to within 5%
    assert errors["plain"] > 0.25


@pytest.mark.slow
def test_only_outcomes_of_leads_that_were_worked_are_reviewed(worked: tuple[Places, pd.DataFrame]) -> None:
    """What became of the others does not tell what would have; their scores are still counted."""
    project, leads = worked
    model, choices = load(project.registry.champion_path()), {"until": from_shown(LATER), "now": LATER}
    found = read_review_data(model, project, **choices, progress=silent).scores
    assert len(found.lead_id) == len(leads)
    assert set(found.lead_id[found.known]) == set(leads.loc[~leads["below"] | leads["marked"], "lead_id"].astype(str))
    plain = Places.open(project.root / "params.yaml")
    assert read_review_data(model, plain, **choices, progress=silent).scores.known.all()


@pytest.mark.slow
def test_the_gate_of_a_refresh_counts_leads_in_the_same_way(worked: tuple[Places, pd.DataFrame]) -> None:
    """A recipe that learns what leads would do if worked is judged on leads that were."""
    project, leads = worked
    file = project.root / "leads.csv"
    as_file(leads[leads["day"] < 50][list(stream().days(1, seed=5))]).to_csv(file, index=False)
    first = _trained(project)
    as_file(leads[list(stream().days(1, seed=5))]).to_csv(file, index=False)
    refresh = judge_recipe(first, project, now=LATER, progress=silent)
    later = leads[leads["day"] >= 50]
    were_worked = later.loc[~later["below"] | later["marked"], "lead_id"].astype(str)
    assert refresh.judged.figures["leads"] == len(were_worked)
    of_gate = labelled_leads(first, project, since=training_end(first), now=LATER, progress=silent)
    assert set(of_gate["lead_id"]) == set(were_worked)


def test_weighing_is_part_of_the_recipe(worked: tuple[Places, pd.DataFrame]) -> None:
    """Only where it is asked for, and with the draws of the store."""
    project, leads = worked
    plain = Places.open(project.root / "params.yaml")
    assert recipe_hash(plain.params) != recipe_hash(project.params)
    assert weighing_of(plain, now=LATER) is EACH_ONCE
    assert len(weighing_of(project, now=LATER).drawn) == leads["below"].sum()
    assert weighing_of(project, now=at(0)).drawn.empty
    empty = Places.open(project.root / "params.yaml", [*CHOICES, "store.url=sqlite:///other.db"])
    assert weighing_of(empty, now=LATER) is EACH_ONCE


@pytest.mark.parametrize("missing", ["lead_id", "created_at"])
def test_weighing_needs_ids_and_dates(worked: tuple[Places, pd.DataFrame], missing: str) -> None:
    """Else explored leads would be taken for others."""
    with pytest.raises(ParamsError, match=r"score.weigh_explored needs data.lead_id and data.created_at"):
        Places.open(worked[0].root / "params.yaml", [*CHOICES, f"data.{missing}=null"])
