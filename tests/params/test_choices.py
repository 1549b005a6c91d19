"""Choices about the data, the target and the use of a model: what each section refuses."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from leadml.params.choices import (
    MACHINE_ZONES,
    BaselineParams,
    DataParams,
    LeakParams,
    PointsRule,
    ScoreParams,
    StageParams,
    TargetParams,
    TrackingParams,
)

TARGET = {"name": "won", "column": "y", "positive": ["yes"], "negative": ["no"]}
RULE = {"rule": "share", "top": 0.5}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_a_time_zone_is_one_that_python_knows(zone: str) -> None:
    """On every machine the same."""
    assert ZoneInfo(DataParams(timezone=zone).timezone).key == zone


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "utc+1", *sorted(MACHINE_ZONES)])
def test_another_zone_is_refused(zone: str) -> None:
    """So are those that mean another zone on another machine."""
    with pytest.raises(ValidationError, match=f"must be a time zone, got '{zone.replace('+', '.')}'; write UTC or Eur"):
        DataParams(timezone=zone)


@pytest.mark.parametrize("written", [None, "day_first", "month_first", {"created": "day_first"}])
def test_the_order_of_dates_is_one_for_all_columns_or_one_by_column(written: Any) -> None:
    """Without it no date of three numbers is read."""
    assert DataParams(date_format=written).date_format == written


@pytest.mark.parametrize("written", ["dmy", "", 5, ["day_first"], {"created": "dmy"}, {"created": None}])
def test_another_order_of_dates_is_refused(written: Any) -> None:
    """The message is one line, and names both orders."""
    with pytest.raises(ValidationError, match=r"1 validation error") as caught:
        DataParams(date_format=written)
    assert "must be day_first or month_first, for all columns or by column, got " in str(caught.value)


@pytest.mark.parametrize("mark", ["", "::", '"', "'", "\n", "\r", "\0"])
def test_a_delimiter_is_one_character(mark: str) -> None:
    """A tab and a letter are; a quote and a line end cannot divide a row."""
    assert [DataParams(delimiter=good).delimiter for good in ("\t", ";", "|", "x")] == ["\t", ";", "|", "x"]
    with pytest.raises(ValidationError, match="must be one character and no quote or line end, got "):
        DataParams(delimiter=mark)


def test_words_for_missing_values_are_texts() -> None:
    """Numbers and booleans are what a file would hold; by default there are none."""
    assert DataParams(missing=["NA", 0, False]).missing == ("NA", "0", "false")
    assert DataParams().missing == ()
    with pytest.raises(ValidationError, match=r"decimal\n  Input should be '.' or ','"):
        DataParams(decimal=";")


@pytest.mark.parametrize("name", ["won", "w", "a1_b", "x" * 40])
def test_a_target_has_a_name_that_a_folder_can_have(name: str) -> None:
    """Lower-case letters, digits and underscores, a letter first."""
    assert TargetParams.model_validate({**TARGET, "name": name}).name == name
    for bad in (name.upper(), f"1{name}", f"{name}/", f"{name} ", "x" * 41, ""):
        with pytest.raises(ValidationError, match="name\n  String should match pattern"):
            TargetParams.model_validate({**TARGET, "name": bad})


def test_a_value_of_the_label_has_one_meaning() -> None:
    """The message names the first of those that have two, as text."""
    with pytest.raises(ValidationError, match="must be in one of positive, negative and open, got '1' twice"):
        TargetParams.model_validate({**TARGET, "positive": ["yes", 1, 2], "negative": [2, "1"]})
    with pytest.raises(ValidationError, match="must be in one of positive, negative and open, got 'won' twice"):
        TargetParams.model_validate({**TARGET, "positive": ["Won"], "open": [" won"]})
    assert TargetParams.model_validate({**TARGET, "positive": ["yes", "Yes"]}).positive == ("yes", "Yes")
    for side in ("positive", "negative"):
        with pytest.raises(ValidationError, match=f"{side}\n  Tuple should have at least 1 item"):
            TargetParams.model_validate({**TARGET, side: []})


@pytest.mark.parametrize("stage", ["iql", "mql", "sql"])
def test_every_stage_needs_a_rule(stage: str) -> None:
    """There is no default that would suit everyone."""
    rules = dict.fromkeys(("iql", "mql", "sql"), RULE)
    assert getattr(StageParams.model_validate(rules), stage).top == 0.5
    with pytest.raises(ValidationError, match=f"{stage}\n  Field required"):
        StageParams.model_validate({name: rule for name, rule in rules.items() if name != stage})


@pytest.mark.parametrize(
    ("test", "good"),
    [
        ({"any_of": ["a"]}, True),
        ({"at_least": 0}, True),
        ({"at_most": 3}, True),
        ({"at_least": 1, "at_most": 3}, True),
        ({}, False),
        ({"any_of": ["a"], "at_least": 1}, False),
        ({"any_of": [], "at_most": 1}, False),
    ],
)
def test_a_points_rule_tests_values_or_a_range(test: dict[str, Any], good: bool) -> None:  # noqa: FBT001
    """Not both, and not neither."""
    written = {"field": "age", "points": 5, **test}
    if good:
        assert BaselineParams.model_validate({"points": [written]}).points == (PointsRule.model_validate(written),)
        return
    message = "a rule must have either any_of, or at_least or at_most or both of these"
    with pytest.raises(ValidationError, match=message):
        PointsRule.model_validate(written)


@pytest.mark.parametrize(
    ("field", "test", "message"),
    [
        ("ag", {"at_least": 1}, r"^baselines\.points must use fields of features, got 'ag'; the nearest is 'age'$"),
        ("zzz", {"at_least": 1}, r"^baselines\.points must use fields of features, got 'zzz'$"),
        ("job", {"at_least": 1}, r"^baselines\.points: 'job' is a category, so its rule must have any_of$"),
        ("age", {"any_of": ["1"]}, r"'age' is a number, so its rule must have at_least or at_most \(false is 0, true"),
        ("ok", {"any_of": ["1"]}, r"^baselines\.points: 'ok' is a boolean, so its rule must have at_least or at_most"),
    ],
)
def test_a_points_rule_fits_the_kind_of_its_field(field: str, test: dict[str, Any], message: str) -> None:
    """A category has values, a number and a boolean a range."""
    kinds = {"age": "number", "job": "category", "ok": "boolean"}
    for name, good in (("age", {"at_most": 1}), ("ok", {"at_least": 1}), ("job", {"any_of": ["x"]})):
        PointsRule(field=name, points=1, **good).check_field(kinds)
    with pytest.raises(ValueError, match=message):
        PointsRule(field=field, points=1, **test).check_field(kinds)


@pytest.mark.parametrize("key", ["alone", "own", "together", "fill"])
@pytest.mark.parametrize("auc", [0.5, 0.3, 1.1])
def test_an_auc_lies_above_chance(key: str, auc: float) -> None:
    """At 1 no field is ever suspected."""
    assert getattr(LeakParams.model_validate({key: 1}), key) == 1
    with pytest.raises(ValidationError, match=f"{key}\n  Input should be (greater|less) than"):
        LeakParams.model_validate({key: auc})


def test_a_suspect_is_accepted_with_a_reason_only() -> None:
    """A word is no reason; the overlap of the split has a name of its own in params.yaml."""
    assert LeakParams(accept={"age": "it is asked first"}).accept == {"age": "it is asked first"}
    assert LeakParams.model_validate({"twins": 0.1}).overlap == 0.1
    with pytest.raises(ValidationError, match=r"accept\.age\n  String should have at least 10 characters"):
        LeakParams(accept={"age": "known"})


def test_the_other_sections_have_defaults_that_suit_a_first_run() -> None:
    """And bounds for what memory and a table can hold."""
    assert (ScoreParams().chunk_rows, ScoreParams().reasons) == (50_000, 3)
    assert (TrackingParams().enabled, TrackingParams().store) == (True, "mlflow.db")
    for wrong in ({"reasons": 0}, {"reasons": 21}, {"chunk_rows": 0}):
        with pytest.raises(ValidationError, match=r"Input should be (greater|less) than or equal to"):
            ScoreParams.model_validate(wrong)
