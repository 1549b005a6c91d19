"""Tests of fields, and the choices of how stages change."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from leadml.params.criteria import FieldTest, LifecycleParams, RuleParams


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ({"any_of": ["chef", "cook"]}, "job is chef or cook"),
        ({"at_least": 2}, "job from 2"),
        ({"at_most": 0.5}, "job up to 0.5"),
        ({"at_least": 1, "at_most": 3}, "job from 1 up to 3"),
    ],
)
def test_a_test_is_put_into_words(test: dict[str, object], words: str) -> None:
    """For reports and messages."""
    assert FieldTest.model_validate({"field": "job", **test}).words == words


@pytest.mark.parametrize("test", [{}, {"any_of": ["x"], "at_least": 1}, {"any_of": ["x"], "at_most": 1}])
def test_a_test_is_of_one_kind(test: dict[str, object]) -> None:
    """Levels or a range."""
    with pytest.raises(ValidationError, match="a rule must have either any_of, or at_least or at_most or both"):
        FieldTest.model_validate({"field": "job", **test})


def test_a_range_that_holds_no_number_is_refused() -> None:
    """One number is a range."""
    with pytest.raises(ValidationError, match=r"at_least must not be above at_most, got 3 and 2\.5"):
        FieldTest(field="age", at_least=3, at_most=2.5)
    assert FieldTest(field="age", at_least=3, at_most=3).words == "age from 3 up to 3"


def test_by_default_there_are_no_rules_and_a_lead_keeps_its_stage_a_tenth_below_the_cut() -> None:
    """Silence lowers nothing."""
    choices = LifecycleParams()
    assert RuleParams().mql.required == RuleParams().sql.excluded == RuleParams().iql.overriding == ()
    assert (choices.hysteresis, choices.silence_days, choices.recycle_days) == (0.1, None, 90)
