"""The cut by expected value earns the most of all cuts, and equals the cut by value where all amounts are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ModelError, ParamsError
from leadml.params import Params
from leadml.params.cut_rule import Solution
from leadml.params.expected_value import ExpectedValueRule
from leadml.stages.candidates import Candidates
from leadml.stages.cuts import solve_cuts
from leadml.types import Floats, Labels

WORDS = "a contact costs 1, a conversion brings its deal"


def _leads(seed: int, rows: int = 400) -> tuple[Floats, Labels, Floats]:
    """Return probabilities, outcomes and amounts of leads whose large deals are less probable."""
    random = np.random.default_rng(seed)
    probability = random.beta(1, 6, rows).round(3).clip(0.001, 0.999)
    return probability, (random.random(rows) < probability).astype(np.int8), random.gamma(2, 500, rows)


def _cut(probability: Floats, label: Labels, amount: Any, cost: float) -> float:
    rule = {"rule": "expected_value", "amount": "deal", "contact_cost": cost}
    return solve_cuts(probability, label, {"sql": rule}, columns={"deal": amount})["SQL"]


def _solution(amount: list[float], cost: float) -> Solution:
    """Return the solution for leads at 0.5, 0.25 and 0.125."""
    candidates = Candidates.of(
        np.array([0.5, 0.25, 0.125]), np.array([1, 0, 0]), groups=None, columns={"deal": np.array(amount)}
    )
    return ExpectedValueRule(rule="expected_value", amount="deal", contact_cost=cost).solve(candidates)


def _profit(cut: float, probability: Floats, amount: Floats, cost: float) -> float:
    rows = probability >= cut
    return float((probability[rows] * amount[rows] - cost).sum())


@pytest.mark.parametrize(
    ("amount", "cost", "cuts"),
    [
        ([4.0, np.nan, 0.0], 1.5, [0.5]),  # 2, 2.5 and 2.5 of one, two and three leads, less 1.5 for each contact
        ([4.0, 2.0, 0.0], 0.5, [0.25]),  # one lead earns 1.5, two earn 1.5 too
        ([0.5, 0.5, np.nan], 0.125, [0.25]),  # one lead earns 0.125, two earn 0.125 too
        ([4.0, np.nan, 0.0], 2.0, []),  # one lead brings what it costs
    ],
)
def test_the_cut_earns_the_most_and_is_the_lowest_of_those_that_do(
    amount: list[float], cost: float, cuts: list[float]
) -> None:
    """Of leads at 0.5, 0.25 and 0.125; a missing amount is the average of the known ones, and 0 is known."""
    assert _solution(amount, cost).cuts.tolist() == cuts


@pytest.mark.parametrize(
    ("amount", "cost", "loss"),
    [
        ([4.0, np.nan, 0.0], 2.0, "0"),
        ([4.0, np.nan, 0.0], 2.5, "0.5"),
        ([0.0, 0.0, 0.0], 1234.0, "1,234"),
        ([0.0, 0.0, 0.0], 12340.0, "1.234e+04"),
    ],
)
def test_the_message_of_a_loss_says_how_much_the_best_cut_loses(amount: list[float], cost: float, loss: str) -> None:
    """To four digits, in the currency of the cost."""
    found = _solution(amount, cost)

    assert found.cuts.tolist() == []
    assert found.problem == (
        f"earns more than it costs where a contact costs {cost:g}, a conversion brings its deal: the best one loses "
        f"{loss}; lower contact_cost"
    )


@pytest.mark.slow
@given(st.integers(0, 2**31), st.floats(20, 150))
def test_no_other_cut_earns_more(seed: int, cost: float) -> None:
    """Neither a candidate nor a cut between two, by a sum over the leads above it."""
    probability, label, amount = _leads(seed)
    cut = _cut(probability, label, amount, cost)
    best = _profit(cut, probability, amount, cost)

    assert best > 0
    for other in np.linspace(0, 1, 101):
        assert _profit(other, probability, amount, cost) <= best + 1e-9


@pytest.mark.slow
@given(st.integers(0, 2**31), st.floats(100, 1000))
def test_with_one_amount_it_is_the_cut_by_value(seed: int, amount: float) -> None:
    """Both let in the same leads: those whose probability is at least the cost divided by the amount."""
    probability, label, _ = _leads(seed)
    by_amount = _cut(probability, label, np.full(len(label), amount), 30)

    np.testing.assert_array_equal(probability >= by_amount, probability * amount >= 30)


@pytest.mark.slow
@given(st.integers(0, 2**31), st.floats(1.1, 2))
def test_a_higher_cost_never_lets_in_more_leads(seed: int, factor: float) -> None:
    """The cut rises with the cost."""
    probability, label, amount = _leads(seed)

    assert _cut(probability, label, amount, 40) <= _cut(probability, label, amount, 40 * factor)


def test_the_rule_says_its_words_and_the_field_that_it_reads() -> None:
    """For the report, and for the training that must bring the column."""
    rule = ExpectedValueRule(rule="expected_value", amount="deal", contact_cost=50)

    assert rule.words == "a contact costs 50, a conversion brings its deal"
    assert rule.columns == ("deal",)


def test_a_missing_amount_counts_as_the_average() -> None:
    """Filling the average in by hand gives the same cut, and the rule in words."""
    probability, label, amount = _leads(0)
    missing = np.where(np.arange(len(amount)) % 3 == 0, np.nan, amount)
    filled = np.where(np.isnan(missing), np.nanmean(missing), missing)

    assert _cut(probability, label, missing, 50) == _cut(probability, label, filled, 50)


@pytest.mark.parametrize(
    ("amount", "cost", "expected"),
    [
        (100.0, 1000, "stages.sql: no cut earns more than it costs .*: the best one loses .*; lower contact_cost"),
        (-1.0, 1, f"^stages.sql: no cut can be solved where {WORDS}: amounts must be 0 or more, got a negative one$"),
        (np.nan, 1, f"^stages.sql: no cut can be solved where {WORDS}: amounts must be 0 or more, got none$"),
    ],
)
def test_a_rule_that_no_cut_meets_is_refused(amount: float, cost: float, expected: str) -> None:
    """The message names the stage, the amount and what to do."""
    probability, label, _ = _leads(1)

    with pytest.raises(ModelError, match=expected):
        _cut(probability, label, np.full(len(label), amount), cost)


def test_a_column_that_is_not_given_or_has_another_shape_is_refused() -> None:
    """The message names the column and the nearest one."""
    probability, label, amount = _leads(1)
    rules = {"sql": {"rule": "expected_value", "amount": "deal", "contact_cost": 1}}

    with pytest.raises(ParamsError, match=r"sql: columns must have 'deal', which the rule names, got none.*'deals'"):
        solve_cuts(probability, label, rules, columns={"deals": amount})
    with pytest.raises(ModelError, match=r"columns\['deal'\] must have the shape \(400,\), got \(3,\)"):
        solve_cuts(probability, label, rules, columns={"deal": [1, 2, 3]})


def test_the_amount_must_be_a_number_of_features(bank_params: Params) -> None:
    """The fault names the stage, the field and the nearest number."""
    choices = bank_params.as_written()
    choices["stages"]["sql"] = {"rule": "expected_value", "amount": "balanse", "contact_cost": 1}

    with pytest.raises(ValueError, match=r"stages\.sql must use numbers of features, got 'balanse'.*'balance'"):
        Params.model_validate(choices)
    choices["stages"]["sql"]["amount"] = "balance"
    assert Params.model_validate(choices).stages.sql.columns == ("balance",)
