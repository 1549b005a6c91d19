"""Features in params: each column in one group, and windows in rising order."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from leadml.params.features import ActivityParams, DerivedParams, FeatureParams


def test_columns_that_fields_are_derived_from_are_in_the_order_of_their_keys() -> None:
    """Evidence comes last, in its own order; without any there is none."""
    derived = DerivedParams(evidence=("need", "budget"), country="land", email="mail")

    assert derived.columns == ("mail", "land", "need", "budget")
    assert DerivedParams().columns == ()


@pytest.mark.parametrize(
    "features",
    [
        {"fit": {"age": "number"}},
        {"engagement": {"calls": "boolean"}},
        {"read_out": {"email": "mail"}},
        {"read_out": {"evidence": ["budget"]}},
        {"activities": {"kinds": {"visit": "visits"}}},
    ],
)
def test_one_field_of_any_kind_is_enough(features: dict[str, Any]) -> None:
    """The others are then empty."""
    assert FeatureParams.model_validate(features).excluded == {}


@pytest.mark.parametrize("features", [{}, {"fit": {}}, {"excluded": {"age": "old"}}, {"activities": {"windows": [7]}}])
def test_features_without_a_field_are_refused(features: dict[str, Any]) -> None:
    """What is excluded is none, and windows alone count nothing."""
    message = r"a field must be in fit, engagement, features.read_out or activities\.kinds, got none; add one"
    with pytest.raises(ValidationError, match=message):
        FeatureParams.model_validate(features)


@pytest.mark.parametrize(("one", "other"), [("fit", "engagement"), ("fit", "excluded"), ("engagement", "excluded")])
def test_a_column_is_in_one_group(one: str, other: str) -> None:
    """The message names the first by the alphabet."""
    columns = {"b": "number", "a": "number"}
    with pytest.raises(ValidationError, match="a field must be in one group, got 'a' in two"):
        FeatureParams.model_validate({one: columns, other: columns})


@pytest.mark.parametrize("kind", ["nubmer", "Number", "", None, 1])
def test_a_kind_is_one_of_three(kind: Any) -> None:
    """Spelled as they are."""
    with pytest.raises(ValidationError, match="Input should be 'number', 'category' or 'boolean'"):
        FeatureParams.model_validate({"fit": {"age": kind}})


@pytest.mark.parametrize("windows", [(30, 7), (7, 7), (), (7, 30, 14)])
def test_windows_are_one_or_more_in_rising_order(windows: tuple[int, ...]) -> None:
    """Each once; the message shows them as they are written."""
    assert ActivityParams(windows=(1, 3650)).windows == (1, 3650)
    message = rf"windows must be one or more days in rising order, each once, got \[{', '.join(map(str, windows))}\]"
    with pytest.raises(ValidationError, match=message):
        ActivityParams(windows=windows)


@pytest.mark.parametrize("key", ["windows", "half_life", "trend"])
@pytest.mark.parametrize("days", [0, 4000])
def test_days_are_from_one_day_to_ten_years(key: str, days: int) -> None:
    """A half-life is a year at most."""
    with pytest.raises(ValidationError, match=r"Input should be (greater|less) than or equal to"):
        ActivityParams.model_validate({key: (days,) if key == "windows" else days})


def test_kinds_are_texts_as_the_table_has_them() -> None:
    """A number or a boolean is the text that it is written as."""
    assert ActivityParams(kinds={True: "trues"}).kinds == {"true": "trues"}
    assert ActivityParams(kinds={2: "twos", "x y": "words"}).kinds == {"2": "twos", "x y": "words"}
