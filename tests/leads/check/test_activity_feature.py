"""A feature adds nothing unless it says so, and a column is an aggregate that is 0 or missing without activities."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest

from leadml.leads.asof.features import Aggregated, Known
from leadml.leads.check.activity_feature import ActivityColumn, ActivityFeature, ActivityKind, activity_field
from leadml.leads.check.activity_plan import ActivityPlan

FIELD = activity_field("calls", "call", "{} calls")


def test_a_feature_adds_no_columns_by_itself() -> None:
    """Neither of a kind nor of all activities."""
    plan = ActivityPlan((), (7,), (1,), 30, channels=False)

    assert list(ActivityFeature().of_kind(plan, ActivityKind(0, "call", "calls"))) == []
    assert list(ActivityFeature().of_all(plan)) == []


@pytest.mark.parametrize(("make", "nothing"), [(ActivityColumn.of_count, 0), (ActivityColumn.of_number, None)])
def test_a_column_is_its_aggregate(make, nothing: int | None) -> None:
    """Of a lead without activities a count is 0 and a number is missing."""
    column = make("k0", FIELD, lambda known: known.largest(known.age, known.of_kind(0)))
    rows = nw.from_native(pl.DataFrame({"lead": [0, 0, 1], "age": [4, 9, 7], "kind": [0, 0, 5]}))
    parts = [aggregate(Known()).alias(name) for name, aggregate in column.aggregates.items()]
    values = rows.group_by("lead").agg(*parts).sort("lead").select(column.value(Aggregated()).alias("value"))

    assert values["value"].to_list() == [9, nothing]
    assert (column.inner, column.field) == ("k0", FIELD)


def test_a_field_of_activities_is_a_number_of_engagement() -> None:
    """Its subject is the kind of activity."""
    assert (FIELD.kind, FIELD.group, FIELD.source, FIELD.subject) == ("number", "engagement", "activity", "call")
