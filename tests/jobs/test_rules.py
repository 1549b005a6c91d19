"""The business's own rules are judged on the holdout of the version, with the rules that params have now."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.project import Project, open_project
from leadml.jobs.rules import RuleReview, moved_text, ways_text
from leadml.jobs.train import Trained

RULES = {
    "sql": {"overriding": [{"field": "poutcome", "any_of": ["success"]}]},
    "mql": {"excluded": [{"field": "job", "any_of": ["student"]}, {"field": "no_such_field", "at_least": 1}]},
}
TrainedProject = tuple[Places, Trained]


def _review(places: Places, rules: dict[str, Any]) -> RuleReview:
    override = f"stages.rules={json.dumps(rules)}"
    return open_project(places.root, overrides=["tracking.enabled=false", override]).rules()


def test_rules_are_judged_on_the_rows_that_the_version_holds_out(trained_project: TrainedProject) -> None:
    """The counts are those of the scored holdout, by hand; a rule without its field is named."""
    places, trained = trained_project
    review = _review(places, RULES)
    frame = pd.read_csv(places.root / "data" / "raw" / "bank.csv", dtype={"id": str}).set_index("id")
    places.root.joinpath("rules").mkdir(exist_ok=True)
    out = places.root / "rules" / "scored.parquet"
    open_project(places.root, overrides=["store=null"]).score(places.data, out=out, held_out=True)
    scored = pd.read_parquet(out).set_index("lead_id").join(frame[["poutcome", "job", "y"]])
    ranks = {"LEAD": 0, "IQL": 1, "MQL": 2, "SQL": 4}
    advice = scored["stage"].map(ranks)
    lifted = np.where(scored["poutcome"] == "success", 4, advice)
    with_all = np.where(scored["job"] == "student", np.minimum(lifted, 1), lifted)
    moved = {
        "poutcome is success": with_all != np.where(scored["job"] == "student", np.minimum(advice, 1), advice),
        "job is student": with_all != lifted,
    }

    assert (review.rows, review.conversions) == (len(scored), int((scored["y"] == "yes").sum()))
    assert review.not_applied == ("MQL excluded: no_such_field from 1",)
    for row in review.moved.to_dict("records"):
        rows = moved[str(row["rule"])]
        assert (row["leads"], row["conversions"]) == (rows.sum(), (scored["y"][rows] == "yes").sum())
    both = review.ways[review.ways["way"] == "both"].set_index("stage")["leads"]
    assert both.to_dict() == {stage: (with_all >= ranks[stage]).sum() for stage in ("IQL", "MQL", "SQL")}
    assert trained.model.cuts["SQL"] == pytest.approx(review.moved.set_index("stage").loc["SQL", "cut"])


def test_a_review_is_shown(trained_project: TrainedProject) -> None:
    """A figure that there is none of is empty; a notebook shows the rules."""
    review = _review(trained_project[0], RULES)
    empty = replace(review, moved=review.moved.assign(rate=np.nan))

    assert repr(review).startswith("<2 rules on 1,068 rows, ")
    assert {row[4] for row in moved_text(empty).rows} == {""}
    assert [row[1] for row in ways_text(review).rows] == [
        "model alone", "rules alone", "both", "model alone", "rules alone", "both", "model alone", "rules alone", "both"
    ]  # fmt: skip
    assert "poutcome is success" in review._repr_html_()


def test_without_a_rule_that_can_be_applied_nothing_is_judged(trained_project: TrainedProject) -> None:
    """The message names the rules that have no field."""
    absent = {"mql": {"excluded": [{"field": "no_such_field", "at_least": 1}]}}
    with pytest.raises(LeadmlError, match=r"^stages.rules must have a rule that can be applied, got none$"):
        _review(trained_project[0], {})
    with pytest.raises(LeadmlError, match=r"got none, and these have no field: MQL excluded: no_such_field from 1$"):
        _review(trained_project[0], absent)


def test_later_snapshots_of_dated_leads_are_judged(make_dated_project: Callable[..., Places], tmp_path: Any) -> None:
    """A target that drives no stage has no cut to judge by; leads must have the fields of the version."""
    rules = "stages.rules={mql: {overriding: [{field: demo_request_30d, at_least: 1}]}}"
    places = make_dated_project(tmp_path, rules, target="mql")
    project = Project(places)
    project.train(accept_weak="few leads of a test")
    review = project.rules()
    since = project.model().bundle.leads.holdout.since

    assert since is not None
    assert review.rows > 100
    assert review.moved["rule"].tolist() == ["demo_request_30d from 1"]
    changed = make_dated_project(tmp_path, rules, "features.fit={source: category}", target="mql")
    with pytest.raises(LeadmlError, match=r"^params must have the fields of version 1, got no industry, technology"):
        Project(changed).rules()
    other = Project(make_dated_project(tmp_path, rules, target="sql"))
    other.train(accept_weak="few leads of a test")
    with pytest.raises(LeadmlError, match=r"^the target sql must drive a stage for rules to be judged, got none"):
        other.rules()
