"""The rules of the cuts: which numbers each takes, and which cuts meet it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from leadml.params.cut_rule import CutRule
from leadml.params.expected_value import ExpectedValueRule
from leadml.params.rules import (
    RULES,
    CapacityRule,
    DropRule,
    FixedRule,
    PrecisionRule,
    RecallRule,
    Rule,
    ShareRule,
    ValueRule,
)
from leadml.types import Floats

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
LIMIT = "the highest lower bound is 50.0%; ask for less or bring more leads"
WITHIN = "gives {}: ; ask for less or bring more leads"
LOST = "the smallest upper bound of what is lost is {}; ask for less or bring more leads"
DROPPED = f"gives at most {{}} of the converters are dropped, with {{}} confidence: {LOST}"


@dataclass(frozen=True)
class _Candidates:
    """Five cuts of ten leads, with the bounds of two confidences."""

    cut: Floats
    leads: Floats
    conversions: Floats

    units: int = 40

    @property
    def share(self) -> Floats:
        return self.leads / 10

    def precision_bound(self, confidence: float) -> Floats:
        return np.array({0.9: [0.125, 0.25, 0.5, 0.375, 0.0], 0.5: [0.25, 0.375, 0.75, 0.5, 0.125]}[confidence])

    def recall_bound(self, confidence: float) -> Floats:
        return np.array({0.9: [0.5, 0.5, 0.25, 0.125, 0.0], 0.5: [0.75, 0.5, 0.5, 0.25, 0.125]}[confidence])


CANDIDATES = _Candidates(
    cut=np.array([0.1, 0.2, 0.4, 0.5, 0.8]),
    leads=np.array([10.0, 8.0, 4.0, 2.0, 1.0]),
    conversions=np.array([2.0, 2.0, 0.0, 0.0, 0.0]),
)


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


@pytest.mark.parametrize(
    ("rule", "cuts", "problem"),
    [
        (
            PrecisionRule(rule="precision", at_least=0.25),
            [0.2, 0.4, 0.5],
            f"gives at least 25% convert, with 90% confidence: {LIMIT}",
        ),
        (
            PrecisionRule(rule="precision", at_least=0.75, confidence=0.5),
            [0.4],
            f"gives at least 75% convert, with 50% confidence: {LIMIT.replace('50', '75')}",
        ),
        (
            PrecisionRule(rule="precision", at_least=0.51),
            [],
            f"gives at least 51% convert, with 90% confidence: {LIMIT}",
        ),
        (
            RecallRule(rule="recall", at_least=0.25),
            [0.4, 0.2, 0.1],
            f"gives at least 25% of the converters, with 90% confidence: {LIMIT}",
        ),
        (
            RecallRule(rule="recall", at_least=0.5, confidence=0.5),
            [0.4, 0.2, 0.1],
            f"gives at least 50% of the converters, with 50% confidence: {LIMIT.replace('50', '75')}",
        ),
        (
            RecallRule(rule="recall", at_least=0.51),
            [],
            f"gives at least 51% of the converters, with 90% confidence: {LIMIT}",
        ),
        (
            CapacityRule(rule="capacity", leads_per_week=40, incoming_per_week=100),
            [0.4, 0.5, 0.8],
            WITHIN.format("at most 40 of 100 leads a week"),
        ),
        (ShareRule(rule="share", top=0.2), [0.5, 0.8], WITHIN.format("the best 20% of leads")),
        (ShareRule(rule="share", top=0.09), [0.8], ""),
        (DropRule(lose_at_most=0.5), [0.2], DROPPED.format("50%", "90%", "50.0%")),
        (DropRule(lose_at_most=0.5, confidence=0.5), [0.4, 0.2], DROPPED.format("50%", "50%", "25.0%")),
        (DropRule(lose_at_most=0.4), [], DROPPED.format("40%", "90%", "50.0%")),
        (FixedRule(rule="fixed", probability=0.3), [0.3], ""),
    ],
)
def test_a_rule_gives_all_cuts_that_meet_it_and_the_preferred_one_first(
    rule: CutRule, cuts: list[float], problem: str
) -> None:
    """A cut that just reaches the number of the rule meets it; the problem says how close the best cut comes."""
    found = rule.solve(CANDIDATES)

    assert found.cuts.tolist() == cuts
    assert found.problem == problem


def test_a_share_that_ties_exceed_is_let_in_as_a_whole_and_said() -> None:
    """The cut is the highest probability; nobody could be left out of those who share it."""
    found = ShareRule(rule="share", top=0.05).solve(CANDIDATES)
    assert found.remark == "10% of the leads have the highest probability, so it lets in that many"
    assert ShareRule(rule="share", top=0.2).solve(CANDIDATES).remark == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"units": 19}, "there must be at least 20 leads or accounts, got 19"),
        ({name: getattr(CANDIDATES, name)[:1] for name in ("cut", "leads", "conversions")}, "all leads have the same"),
    ],
)
def test_a_share_that_the_leads_cannot_tell_is_refused(change: dict[str, Any], problem: str) -> None:
    """Too few leads, or no order among them."""
    found = CapacityRule(rule="capacity", leads_per_week=1, incoming_per_week=9).solve(replace(CANDIDATES, **change))
    assert (len(found.cuts), problem in found.problem) == (0, True)


@pytest.mark.parametrize(
    ("cost", "value", "conversions", "cuts"),
    [
        (0.2, 1, [2, 2, 0, 0, 0], [0.2]),  # at the cut itself, 2 conversions bring 2 and 8 contacts cost 1.6
        (0.2, 1, [2, 1, 0, 0, 0], []),  # below the cut alone, where contacts do not pay
        (0.5, 2, [2, 2, 1, 0, 0], []),  # 1 conversion brings 2, and 4 contacts cost 2
        (9, 10, [2, 2, 1, 1, 1], []),  # the best lead is below the cut
        (0.5, 2, [2, 2, 1, 0, 1], [0.25]),  # the best lead alone brings 2 and costs 0.5
    ],
)
def test_a_value_rule_gives_the_cost_divided_by_the_value_if_a_cut_from_there_on_earns(
    cost: float, value: float, conversions: list[float], cuts: list[float]
) -> None:
    """However little it earns; a cut that only covers its costs earns nothing."""
    rule = ValueRule(rule="value", contact_cost=cost, won_value=value)
    found = rule.solve(replace(CANDIDATES, conversions=np.array(conversions)))

    assert found.cuts.tolist() == cuts
    assert found.problem == (
        f"earns more than it costs where a contact costs {cost:g}, a conversion brings {value:g}: contacts pay from a "
        f"probability of {cost / value:.3f} on, and the highest is 0.800; lower contact_cost or raise won_value"
    )
