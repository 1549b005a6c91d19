"""The list of features gives fields in a fixed order, with words, and with names of their own inside the engine."""

from __future__ import annotations

import pytest
from tests.dated import crm, small

from leadml.errors import ParamsError
from leadml.leads.check.activity_features import FEATURES, activity_columns
from leadml.leads.check.activity_plan import ActivityPlan
from leadml.leads.check.contract import Contract
from leadml.leads.check.field import Field
from leadml.params import Params


def _params(**changed: object) -> Params:
    return Params.model_validate(small(**changed))


def _fields(plan: ActivityPlan) -> list[Field]:
    return [column.field for column in activity_columns(plan)]


def test_the_fields_of_a_plan_have_an_order_topics_and_words() -> None:
    """Lead age comes first, then each kind of activity, then all activities; all are engagement numbers."""
    fields = _fields(ActivityPlan.from_params(_params()))

    assert [field.name for field in fields] == [
        "lead_age",
        "visit_7d", "visit_30d", "visit_last", "visit_first", "visit_decayed",
        "demo_7d", "demo_30d", "demo_last", "demo_first", "demo_decayed",
        "active_days_7d", "active_days_30d", "activity_last", "activity_decayed", "activity_trend",
    ]  # fmt: skip
    assert {field.subject for field in fields} == {"lead_age", "visit", "demo", "activity"}
    assert {(field.kind, field.group, field.source) for field in fields} == {("number", "engagement", "activity")}
    assert all(field.words.count("{}") == 1 for field in fields)
    assert [field.name for field in fields if field.words_if_missing] == [
        "visit_last", "visit_first", "demo_last", "demo_first", "activity_last", "activity_trend",
    ]  # fmt: skip


def test_fields_that_say_an_age_are_known_by_their_words() -> None:
    """They are counted by weeks, since they depend on the day of the week; a number of days with activity is no age."""
    fields = _fields(ActivityPlan.from_params(_params()))

    assert [field.name for field in fields if field.is_age] == [
        "lead_age", "visit_last", "visit_first", "demo_last", "demo_first", "activity_last",
    ]  # fmt: skip


def test_channels_are_counted_where_activities_have_a_channel() -> None:
    """A channel column adds one field for each window."""
    with_channels = _fields(ActivityPlan.from_params(Params.model_validate(crm())))
    names = [field.name for field in with_channels if field.name.startswith("channels")]

    assert names == ["channels_7d", "channels_30d"]


def test_internal_names_are_unique_and_hold_no_untrusted_text() -> None:
    """Each field has one internal name of ASCII letters, digits and underscores, whatever the kinds are called."""
    kinds = {"a.b": "x", 'q"': "y", "A.B": "z", "lead": "w"}
    plan = ActivityPlan.from_params(_params(features={"activities": {"kinds": kinds}}))
    internal = [column.inner.lower() for column in activity_columns(plan)]

    assert len(set(internal)) == len(_fields(plan)) == len({field.name for field in _fields(plan)})
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in internal)


@pytest.mark.parametrize("kind", ["activity", "active_days"])
def test_a_kind_with_the_name_of_a_computed_field_is_refused(kind: str) -> None:
    """The message names features.activities.kinds, where the name must be changed."""
    params = _params(features={"activities": {"kinds": {kind: "things"}, "windows": [7]}})

    with pytest.raises(ParamsError, match=f"must have a name of its own, got '{kind}_.*kinds"):
        Contract.from_params(params)


def test_an_aggregate_of_one_name_is_one_computation() -> None:
    """Columns may share an aggregate only if they mean the same, which is seen by the columns that name it."""
    plan = ActivityPlan.from_params(Params.model_validate(crm()))
    users: dict[str, set[str]] = {}
    for column in activity_columns(plan):
        for name in column.aggregates:
            users.setdefault(name, set()).add(column.inner)

    assert all(len(columns) == 1 or name.startswith("k") for name, columns in users.items())
    assert len(FEATURES) == len({type(feature) for feature in FEATURES})
