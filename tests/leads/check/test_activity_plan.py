"""Weights are integers that halve with the half-life, fields have a fixed order, and plans survive JSON."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.dated import crm, small

from leadml.leads.asof.features import weight_columns
from leadml.leads.check.activity_features import activity_columns
from leadml.leads.check.activity_plan import DAY, WEIGHT_ONE, ActivityPlan, Target, decay_weights
from leadml.leads.check.field import Field
from leadml.params import Params


def _params(**changed: object) -> Params:
    return Params.model_validate(small(**changed))


def _fields(plan: ActivityPlan) -> list[Field]:
    return [column.field for column in activity_columns(plan)]


@given(st.integers(1, 365))
def test_weights_are_integers_that_fall_and_halve(half_life: int) -> None:
    """Weights fall from 2^20 to 1 and are halved, up to rounding, after each half-life."""
    weights = decay_weights(half_life)

    assert weights[0] == WEIGHT_ONE
    assert weights[-1] == 1
    assert all(isinstance(weight, int) for weight in weights)
    assert all(weight >= following >= 1 for weight, following in pairwise(weights))
    for times in range(1, 20):
        assert abs(weights[half_life * times] - WEIGHT_ONE / 2**times) <= 0.5
    assert 20 * half_life < len(weights) <= 21 * half_life + 1


def test_a_plan_survives_json() -> None:
    """A plan that is stored as JSON and read again is equal, with all weights and words."""
    plan = ActivityPlan.from_params(Params.model_validate(crm()))
    again = ActivityPlan.from_json(json.loads(json.dumps(plan.to_json())))

    assert again == plan
    assert _fields(again) == _fields(plan)


def test_a_target_survives_json() -> None:
    """A target that is stored as JSON and read again is equal, with the largest age of its leads."""
    target = Target.from_params(_params(snapshots={"oldest": 90}), "won")

    assert Target(**json.loads(json.dumps(target.to_json()))) == target
    assert (target.oldest, target.maturity) == (90, 30 * DAY)


def test_a_label_is_mature_after_horizon_and_settling() -> None:
    """The maturity of a target is the sum of its horizon and its settling days."""
    target = Target.from_params(_params(targets={"won": {"outcome": "customer", "horizon": 10, "settling": 3}}), "won")

    assert target.maturity == 13 * DAY


def test_without_a_source_of_activities_the_only_field_is_lead_age() -> None:
    """The plan has neither kinds nor windows nor weights."""
    choices = small(features={"fit": {"size": "number"}})
    sources = {name: some for name, some in choices["sources"].items() if name != "activities"}
    plan = ActivityPlan.from_params(Params.model_validate({**choices, "sources": sources}))

    assert plan == ActivityPlan((), (), (), 30, channels=False)
    assert [field.name for field in _fields(plan)] == ["lead_age"]
    assert weight_columns(plan) == {"age": [], "weight": []}


def test_a_field_survives_json_and_has_a_subject() -> None:
    """The subject is the topic, or the name of a field without a topic."""
    field = Field("demo_7d", "number", "engagement", "activity", "demo", "{} demos", "no demos")

    assert Field(*json.loads(json.dumps(field.to_json()))) == field
    assert (field.subject, Field("age", "number", "fit").subject) == ("demo", "age")
