"""Leads below the cut that are marked, handed over to sales, and judged once their outcomes are known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.reviews import LATER, as_file, at, let_outcomes_in, review, score_days, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.jobs.explored import exploration_of
from leadml.jobs.handoff import hand_off
from leadml.jobs.places import Places
from leadml.jobs.review_data import read_review_data
from leadml.jobs.review_page import build_review_page
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.leads.check.instants import from_shown
from leadml.publish.page import render
from leadml.publish.store.handoffs import EXPLORE
from leadml.review.exploration import Exploration

pytestmark = pytest.mark.slow
SHARE = 0.3


@pytest.fixture(scope="module")
def explored(flat_version: Path, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project of 40 days whose marked leads convert three times as often as others below the cut."""
    root = shutil.copytree(flat_version, tmp_path_factory.mktemp("explored") / "project", symlinks=True)
    project = Places.open(root / "params.yaml", [f"score.explore={SHARE}"])
    leads = stream().days(40, seed=5)
    score_days(project, leads)
    scored = pd.concat([pd.read_parquet(file) for file in sorted((root / "scored").glob("*.parquet"))])
    hand_off(project, root / "sales.csv", now=at(40), progress=silent)
    marked = leads["lead_id"].astype(str).isin(scored.loc[scored["explore"], "lead_id"])
    more = np.random.default_rng(0).random(len(leads)) < 0.2
    let_outcomes_in(project, leads.assign(converted=leads["converted"] | (marked & more).astype(int)))
    return project


def _scored(project: Places) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(file) for file in sorted((project.root / "scored").glob("*.parquet"))])


def _read(project: Places) -> tuple[Exploration, int] | None:
    model, choices = load(project.registry.champion_path()), {"until": from_shown(LATER), "now": LATER}
    data = read_review_data(model, project, **choices, progress=silent)
    return exploration_of(data.drawn, model, project, **choices, progress=silent)


def test_a_share_of_the_leads_below_mql_is_marked(explored: Places) -> None:
    """Beside their stage, which does not change; without the key there is no such column."""
    scored = _scored(explored)
    below = scored["advised_stage"].isin(["LEAD", "IQL"])
    assert abs(scored.loc[below, "explore"].mean() - SHARE) < 0.05
    assert not scored.loc[~below, "explore"].any()
    file, out = explored.root / "some.csv", explored.root / "plain.parquet"
    as_file(stream().days(1, seed=9)).to_csv(file, index=False)
    plain = Places.open(explored.root / "params.yaml", ["store=null"])
    score(load(plain.registry.champion_path()), ScoreRequest(file, out=out), project=plain, now=at(41), progress=silent)
    assert "explore" not in pd.read_parquet(out)


def test_sales_are_given_the_marked_leads_once(explored: Places) -> None:
    """As leads to explore, beside those that became MQL or SQL."""
    given = pd.read_csv(explored.root / "sales.csv", dtype={"lead_id": str})
    marked = _scored(explored).query("explore")["lead_id"]
    assert set(given.loc[given["stage"] == EXPLORE, "lead_id"]) == set(marked)
    assert set(given["stage"]) == {EXPLORE, "MQL", "SQL"}
    again = hand_off(explored, explored.root / "again.csv", now=at(41), progress=silent)
    assert again.leads.empty


def test_a_review_says_what_leads_below_the_cut_are_worth(explored: Places) -> None:
    """More than the others' outcomes say; all marked leads were given to sales."""
    found = _read(explored)
    assert found is not None
    estimate, handed = found
    scored = _scored(explored)
    assert (estimate.leads, estimate.marked) == (scored["advised_stage"].isin(["LEAD", "IQL"]).sum(), handed)
    assert estimate.low > estimate.naive
    reviewed = review(explored)
    [finding] = [each for each in reviewed.findings if each.code == "RV20"]
    assert finding.severity == "warn"
    assert f"by {estimate.marked:,} marked leads of {estimate.leads:,}" in finding.evidence
    stored = json.loads(json.dumps(reviewed.to_json()))["exploration"]
    assert stored["rate"] == estimate.rate
    page = render(build_review_page(reviewed, []))
    assert "Leads below the cut" in page
    assert "would convert if worked" in page


def test_without_exploration_nothing_is_said(scored_stream: Places) -> None:
    """Not applicable is not passed."""
    assert _read(scored_stream) is None
    reviewed = review(scored_stream)
    [finding] = [each for each in reviewed.findings if each.code == "RV20"]
    assert (finding.severity, reviewed.exploration) == ("not applicable", None)
    assert reviewed.to_json()["exploration"] is None
