"""The business's own rules: what each kind asks for, and which beats which is decided elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.errors import ParamsError
from leadml.leads.check.field import Field
from leadml.params import RuleParams
from leadml.stages.ladder import NONE
from leadml.stages.rules import HIGHEST, RuleBook, rule_limits

FIELDS = [
    Field("calls", "number", "engagement"),
    Field("job", "category", "fit"),
    Field("demo", "boolean", "engagement"),
]
LEADS = pd.DataFrame(
    {"calls": [0.0, 5.0, np.nan], "job": np.array(["chef", "student", None], dtype=object), "demo": [1.0, 0.0, np.nan]}
)
LADDER = (0, 1, 2, 4)


def book(**rules: Any) -> RuleBook:
    """Return the rules of params."""
    return RuleBook.of(RuleParams.model_validate(rules), FIELDS)


def test_without_rules_nothing_is_limited() -> None:
    """Every stage may be advised, none must be."""
    limits = rule_limits(book().applied, LEADS, LADDER)

    assert limits.required.tolist() == limits.excluded.tolist() == [HIGHEST] * 3
    assert limits.overriding.tolist() == [NONE] * 3


def test_a_required_test_must_hold_and_a_missing_value_does_not() -> None:
    """Where it does not, the stage below is the highest."""
    rules = book(sql={"required": [{"field": "calls", "at_least": 1}]}).applied
    assert rule_limits(rules, LEADS, LADDER).required.tolist() == [2, HIGHEST, 2]
    assert rule_limits(rules, LEADS, (0, 4)).required.tolist() == [0, HIGHEST, 0]


def test_all_required_tests_must_hold_and_one_overriding_test_is_enough() -> None:
    """The lowest limit counts of the first, the highest wish of the second."""
    both = [{"field": "calls", "at_least": 1}, {"field": "job", "any_of": ["chef"]}]
    required = rule_limits(book(mql={"required": both}).applied, LEADS, LADDER)
    overriding = rule_limits(book(mql={"overriding": both}, sql={"overriding": both[1:]}).applied, LEADS, LADDER)

    assert required.required.tolist() == [1, 1, 1]
    assert overriding.overriding.tolist() == [4, 2, NONE]


def test_an_excluded_test_takes_its_stage_and_higher_ones_away() -> None:
    """A missing value is not excluded."""
    rules = book(iql={"excluded": [{"field": "job", "any_of": ["student"]}]}).applied
    assert rule_limits(rules, LEADS, LADDER).excluded.tolist() == [HIGHEST, 0, HIGHEST]


def test_a_rule_of_a_field_that_the_model_does_not_have_is_not_applied() -> None:
    """It is listed with its words; names are compared as everywhere."""
    rules = book(sql={"required": [{"field": "budget", "at_least": 1}, {"field": " demo ", "at_least": 1}]})

    assert [rule.words for rule in rules.applied] == ["SQL required:  demo  from 1"]
    assert [rule.words for rule in rules.not_applicable] == ["SQL required: budget from 1"]


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"field": "job", "at_least": 1}, "'job' is a category, so its rule must have any_of"),
        ({"field": "calls", "any_of": ["1"]}, "'calls' is a number, so its rule must have at_least or at_most"),
    ],
)
def test_a_test_that_cannot_judge_its_field_is_refused(test: dict[str, Any], message: str) -> None:
    """The message names the key."""
    with pytest.raises(ParamsError, match=rf"^stages.rules.mql.excluded.0: {message}"):
        book(mql={"excluded": [test]})
