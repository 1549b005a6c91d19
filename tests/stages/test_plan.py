"""A stage plan is plain data in a version."""

from __future__ import annotations

import json

from leadml.stages.cuts import Cut
from leadml.stages.grades import GradeBands
from leadml.stages.plan import StagePlan


def test_a_stage_plan_is_restored_from_json() -> None:
    """The restored plan is equal."""
    cuts = tuple(Cut(stage, at, "a rule") for stage, at in (("IQL", 0.1), ("MQL", 0.2), ("SQL", 0.3)))
    for drop in (None, Cut("DROP", 0.05, "another", "a remark")):
        plan = StagePlan(cuts, GradeBands((0.1, 0.2, 1 / 3), ()), drop)
        assert StagePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
