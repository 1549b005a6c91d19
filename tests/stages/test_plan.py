"""A stage plan is plain data in a version."""

from __future__ import annotations

import json

import numpy as np

from leadml.stages.cuts import Cut
from leadml.stages.grades import GradeBands
from leadml.stages.plan import StagePlan


def test_a_stage_plan_is_restored_from_json() -> None:
    """The restored plan is equal."""
    cuts = tuple(Cut(stage, at, "a rule") for stage, at in (("IQL", 0.1), ("MQL", 0.2), ("SQL", 0.3)))
    for drop in (None, Cut("DROP", 0.05, "another", "a remark")):
        plan = StagePlan(cuts, GradeBands((0.1, 0.2, 1 / 3), ()), drop)
        assert StagePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_lead_at_a_cut_is_in_the_stage() -> None:
    """And below all cuts it is a lead; without cuts every lead is."""
    cuts = (Cut("IQL", 0.1, "fixed"), Cut("MQL", 0.3, "fixed"))
    bands = GradeBands((), ())
    said = np.array([0.05, 0.1, 0.2, 0.3, 0.9])
    assert StagePlan(cuts, bands).advised(said).tolist() == ["LEAD", "IQL", "IQL", "MQL", "MQL"]
    assert set(StagePlan((), bands).advised(said)) == {"LEAD"}
