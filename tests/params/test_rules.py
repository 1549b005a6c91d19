"""The rules of the cuts: which numbers each takes."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from leadml.params.expected_value import ExpectedValueRule
from leadml.params.rules import RULES, CapacityRule, FixedRule, PrecisionRule, RecallRule, Rule, ShareRule, ValueRule

ADAPTER: TypeAdapter[Any] = TypeAdapter(Rule)
WRITTEN: dict[str, dict[str, Any]] = {
    "precision": {"at_least": 0.3},
    "recall": {"at_least": 0.8, "confidence": 0.5},
    "capacity": {"leads_per_week": 40, "incoming_per_week": 200},
    "share": {"top": 0.2},
    "value": {"contact_cost": 5, "won_value": 100},
    "expected_value": {"contact_cost": 5, "amount": "deal"},
    "fixed": {"probability": 0.4},
}
CLASSES = (PrecisionRule, RecallRule, CapacityRule, ShareRule, ValueRule, ExpectedValueRule, FixedRule)


@pytest.mark.parametrize(("name", "kind"), list(zip(RULES, CLASSES, strict=True)))
def test_the_name_of_a_rule_chooses_its_section(name: str, kind: type) -> None:
    """It is read with its numbers, and written again as it was."""
    rule = ADAPTER.validate_python({"rule": name, **WRITTEN[name]})

    assert type(rule) is kind
    assert {key: getattr(rule, key) for key in WRITTEN[name]} == WRITTEN[name]
    assert ADAPTER.validate_python(rule.model_dump()) == rule


def test_the_list_of_names_has_every_rule() -> None:
    """In the order of the union."""
    union, _ = get_args(Rule)

    assert list(RULES) == list(WRITTEN)
    assert tuple(RULES.values()) == get_args(union) == CLASSES


@pytest.mark.parametrize("name", ["precision", "recall"])
def test_a_promise_has_a_confidence_of_nine_in_ten_by_default(name: str) -> None:
    """No other rule has one."""
    assert ADAPTER.validate_python({"rule": name, "at_least": 0.3}).confidence == 0.9
    with pytest.raises(ValidationError, match="confidence\n  Extra inputs are not permitted"):
        ADAPTER.validate_python({"rule": "share", "top": 0.2, "confidence": 0.9})


@pytest.mark.parametrize("name", RULES)
def test_each_number_of_a_rule_must_be_given(name: str) -> None:
    """And another rule's numbers must not."""
    key = next(iter(WRITTEN[name]))
    with pytest.raises(ValidationError, match=rf"{name}\.{key}\n  Field required"):
        ADAPTER.validate_python({"rule": name})
    with pytest.raises(ValidationError, match="Input should be"):
        ADAPTER.validate_python({"rule": name, **WRITTEN[name], key: 0})


@pytest.mark.parametrize("rule", [{}, {"rule": "shar"}, {"rule": None}])
def test_a_rule_without_a_known_name_is_refused(rule: dict[str, Any]) -> None:
    """Whatever numbers it has."""
    with pytest.raises(ValidationError, match=r"Unable to extract tag|does not match any of the expected tags"):
        ADAPTER.validate_python({**rule, "top": 0.2})


@given(worked=st.floats(0.01, 1e6), incoming=st.floats(0.01, 1e6))
def test_a_capacity_must_be_less_than_what_comes_in(worked: float, incoming: float) -> None:
    """Otherwise no cut is needed."""
    if worked < incoming:
        assert CapacityRule(rule="capacity", leads_per_week=worked, incoming_per_week=incoming).leads_per_week == worked
        return
    message = r"leads_per_week must be below incoming_per_week, got \S+ of \S+; with so much capacity no cut is needed"
    with pytest.raises(ValidationError, match=message):
        CapacityRule(rule="capacity", leads_per_week=worked, incoming_per_week=incoming)


@pytest.mark.parametrize(("cost", "value"), [(5, 5), (10, 5)])
def test_a_contact_must_cost_less_than_a_conversion_is_worth(cost: float, value: float) -> None:
    """Otherwise no contact earns anything."""
    with pytest.raises(ValidationError, match=f"contact_cost must be below won_value, got {cost} and {value}"):
        ValueRule(rule="value", contact_cost=cost, won_value=value)
