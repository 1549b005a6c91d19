"""The points of a team as terms, and models that start from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.frames import rows, split_of

from leadml.leads.check.field import Field
from leadml.model.fit.estimator import fit_model
from leadml.model.fit.points import named_levels, points_terms, useful_rules
from leadml.model.judge.baselines import lead_points
from leadml.model.parts.encode import Encoder, fit_encoder
from leadml.model.parts.linear import centered, fit_linear_parts, make_terms
from leadml.model.predict.lead_model import sum_contributions
from leadml.params import ModelParams, PointsRule

FIELDS = (
    Field("age", "number", "fit"),
    Field("job", "category", "fit"),
    Field("asked", "boolean", "engagement"),
)
ENCODER = Encoder(FIELDS, ((), ("chef", "monk", "smith"), ()))
NUMBER = st.none() | st.sampled_from([-1.0, 0.0, 1.0, 29.5, 30.0, 30.5]) | st.floats(-50, 90)
BOUNDS = st.one_of(
    st.builds(lambda low: {"at_least": low}, st.sampled_from([0.0, 30.0, 30.5])),
    st.builds(lambda high: {"at_most": high}, st.sampled_from([0.0, 29.5, 30.0])),
    st.builds(lambda low, width: {"at_least": low, "at_most": low + width}, st.integers(-5, 30), st.integers(0, 9)),
)
RULE = st.one_of(
    st.builds(lambda bounds, points: PointsRule(field="age", points=points, **bounds), BOUNDS, st.integers(-9, 9)),
    st.builds(lambda points: PointsRule(field="asked", points=points, at_least=1), st.integers(-9, 9)),
    st.builds(
        lambda words, points: PointsRule(field="job", points=points, any_of=tuple(words)),
        st.sets(st.sampled_from(["chef", "monk", "smith"]), min_size=1),
        st.integers(-9, 9),
    ),
)
ROW = st.tuples(NUMBER, st.sampled_from(["chef", "monk", "smith", None]), st.sampled_from([0.0, 1.0, None]))


def _sum_of(terms, matrix):
    return sum((term.coefficient * term.values(matrix[:, term.column]) for term in terms), np.zeros(len(matrix)))


@given(st.lists(RULE, max_size=6), st.lists(ROW, min_size=2, max_size=20))
def test_terms_are_the_points_of_leads_but_for_a_constant(rules, leads):
    """Of numbers at and beside the bounds, of levels, and of missing values, which no rule holds of."""
    frame = pd.DataFrame(leads, columns=["age", "job", "asked"])
    frame = frame.astype({"age": float, "asked": float, "job": object})
    difference = _sum_of(points_terms(ENCODER, rules, (0, 0, 0)), ENCODER.encode(frame)) - lead_points(frame, rules)
    assert difference == pytest.approx(np.full(len(frame), difference[0]))


@pytest.mark.parametrize(("points", "direction", "count"), [(5, 1, 2), (-5, 1, 0), (5, -1, 0), (-5, -1, 2), (5, 0, 2)])
def test_a_rule_against_a_declared_direction_is_left_out(points, direction, count):
    """So a field that may only raise the probability never lowers it. A rule with both bounds does both."""
    rules = [PointsRule(field="age", points=points, at_least=bound) for bound in (20, 30)]
    assert len(points_terms(ENCODER, rules, (direction, 0, 0))) == count
    both = [PointsRule(field="age", points=points, at_least=20, at_most=30)]
    assert len(points_terms(ENCODER, both, (direction, 0, 0))) == (0 if direction else 2)


def test_levels_that_rules_name_have_a_column_however_rare_they_are():
    """A level that no lead has, and a rare one that no rule names, have none. The most frequent come first."""
    frame = pd.DataFrame({"job": ["chef"] * 40 + ["monk"] * 2 + ["smith"] * 3})
    rules = [PointsRule(field="job", points=5, any_of=("monk", "nurse"))]
    named = named_levels(rules)
    assert named == {"job": {"monk", "nurse"}}
    assert fit_encoder(frame, FIELDS[1:2], ModelParams(), named=named).levels == (("chef", "monk"),)
    assert fit_encoder(frame, FIELDS[1:2], ModelParams()).levels == (("chef",),)
    few = ModelParams(max_levels=1)
    assert fit_encoder(frame, FIELDS[1:2], few, named=named).levels == (("monk",),)


@pytest.mark.parametrize("points", [1, 1000])
def test_a_strong_penalty_leaves_the_points_and_their_factor(points):
    """The factor is that of a logistic regression of the outcome on the points alone, whatever their unit."""
    random = np.random.default_rng(5)
    matrix = np.column_stack([random.normal(size=4000), random.integers(0, 2, 4000)])
    encoder = Encoder((Field("x", "number", "fit"), Field("asked", "boolean", "fit")), ((), ()))
    terms = points_terms(encoder, [PointsRule(field="asked", points=points, at_least=1)], (0, 0))
    label = (random.random(4000) < np.where(matrix[:, 1] == 1, 0.4, 0.1)).astype(np.int8)
    [part] = fit_linear_parts(matrix, label, (), [(1e-5, None)], points=terms)
    margin = part.margin(matrix)
    rates = [np.log(rate / (1 - rate)) for rate in (label[matrix[:, 1] == side].mean() for side in (0, 1))]
    assert [margin[matrix[:, 1] == side][0] for side in (0, 1)] == pytest.approx(rates, abs=0.01)


def test_points_that_all_leads_share_change_nothing():
    """A rule that holds of all leads, or of none, adds no column to the fit."""
    random = np.random.default_rng(5)
    matrix, label = random.normal(50, 1, (400, 1)), random.integers(0, 2, 400)
    encoder = Encoder((Field("age", "number", "fit"),), ((),))
    rules = [PointsRule(field="age", points=7, at_least=bound) for bound in (0, 1000)]
    with_points = fit_linear_parts(matrix, label, (), [(1.0, None)], points=points_terms(encoder, rules, (0,)))
    assert with_points == fit_linear_parts(matrix, label, (), [(1.0, None)])


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_lead_of_a_rule_decides_no_probability(quick_params, outcome):
    """However rare what the rule names is: the lead is scored as one of its level, and not by its own outcome."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"age": random.normal(40, 10, 600), "job": "chef", "asked": 0.0})
    frame["converted"] = (random.random(600) < 0.15).astype(np.int8)
    frame.loc[7, ["job", "converted"]] = ["ceo", outcome]
    frame = rows(frame.assign(lead_id=[f"L{number}" for number in range(600)]))
    rules = [PointsRule(field="job", points=10, any_of=("ceo",))]
    fitted = fit_model(frame, FIELDS, quick_params, split=split_of(frame, quick_params.split), rules=rules)
    [probability] = fitted.model.predict(frame[frame["job"] == "ceo"])
    assert 0.05 < probability < 0.5


@pytest.mark.parametrize("points", [1e308, 1e-300, -5.0])
def test_points_of_any_size_are_scaled_and_wrong_ones_count_for_nothing(points):
    """No number overflows; a rule whose leads convert less has a factor of 0 where it gives points for it."""
    random = np.random.default_rng(2)
    matrix = random.integers(0, 2, (2000, 1)).astype(float)
    encoder = Encoder((Field("asked", "boolean", "fit"),), ((),))
    terms = points_terms(encoder, [PointsRule(field="asked", points=points, at_least=1)], (0,))
    label = (random.random(2000) < np.where(matrix[:, 0] == 1, 0.4, 0.1)).astype(np.int8)
    [part] = fit_linear_parts(matrix, label, (), [(1.0, None)], points=terms)
    low, high = part.margin(np.array([[0.0], [1.0]]))
    assert high - low == pytest.approx(0.0 if points < 0 else np.log(0.4 / 0.6) - np.log(0.1 / 0.9), abs=0.3)


@pytest.mark.parametrize("strength", [1e-5, 0.1, 1.0])
def test_with_points_a_linear_part_is_as_exact_as_without(strength):
    """The gradient of the penalised log loss is 0 in each term, in the factor of the points and in the base."""
    random = np.random.default_rng(4)
    matrix = np.column_stack([random.normal(size=(3000, 3)), random.integers(0, 2, 3000)])
    fields = (*(Field(name, "number", "fit") for name in "abc"), Field("asked", "boolean", "fit"))
    encoder = Encoder(fields, ((),) * 4)
    label = (random.random(3000) < 1 / (1 + np.exp(1.5 - matrix[:, 0] - matrix[:, 3]))).astype(np.int8)
    rules = [PointsRule(field="asked", points=10, at_least=1), PointsRule(field="b", points=5, at_least=0.5)]
    points = centered(points_terms(encoder, rules, (0,) * 4), matrix)
    terms = make_terms(matrix, encoder.is_flag)
    [part] = fit_linear_parts(matrix, label, terms, [(strength, None)], points=points)

    score = _sum_of(points, matrix)
    ends, rate = np.array([score.max(), score.min()]), label.mean()
    factor = part.terms[-1].coefficient / points[-1].coefficient
    error = 1 / (1 + np.exp(-part.margin(matrix))) - label
    error_of_ends = 1 / (1 + np.exp(-(part.base + factor * ends))) - rate
    for term in part.terms[: len(terms)]:
        gradient = error @ term.values(matrix[:, term.column]) + term.coefficient / strength
        assert abs(gradient) / len(label) < 1e-6
    assert abs(error.sum() + error_of_ends.sum()) / len(label) < 1e-6
    free = factor * score.std() ** 2 / 1e6 / strength
    assert abs(error @ score + error_of_ends @ ends + free) / len(label) / score.std() < 1e-6


def test_rules_that_divide_no_leads_are_left_out():
    """Without points, or of no lead, or of all: nothing can be learnt of what they are worth."""
    frame = pd.DataFrame({"age": [20.0, 30.0], "job": ["chef", None]})
    tests = [{"at_least": 25}, {"at_least": 0}, {"at_least": 50}]
    rules = [PointsRule(field="age", points=5, **test) for test in tests] + [
        PointsRule(field="age", points=0, at_least=25),
        PointsRule(field="job", points=5, any_of=("chef",)),
        PointsRule(field="job", points=5, any_of=("monk",)),
    ]
    assert useful_rules(frame, rules) == [rules[0], rules[4]]


def _few_leads(size, seed):
    """Return leads whose outcome hangs on the points of a team, and on nothing else in twelve other fields."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{index}": random.normal(size=size) for index in range(12)})
    frame["age"], frame["asked"] = random.normal(40, 10, size), (random.random(size) < 0.4).astype(float)
    margin = -2 + 0.1 * lead_points(frame, POINTS)
    frame["converted"] = (random.random(size) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    return rows(frame.assign(lead_id=[f"L{number:05d}" for number in range(size)])), margin


POINTS = [
    PointsRule(field="age", points=20, at_least=40, at_most=50),
    PointsRule(field="asked", points=15, at_least=1),
]
MANY_FIELDS = (*(Field(f"x{index}", "number", "fit") for index in range(12)), FIELDS[0], FIELDS[2])


@pytest.mark.slow
def test_few_leads_score_better_with_the_points_of_a_team(quick_params):
    """Where the team is right, log-odds are nearer to the truth in each of three draws of 300 leads, and exact."""
    judged, truth = _few_leads(2000, 99)
    for seed in range(3):
        frame = _few_leads(300, seed)[0]
        split = split_of(frame, quick_params.split)
        said = {}
        for name, rules in (("with", POINTS), ("without", ())):
            model = fit_model(frame, MANY_FIELDS, quick_params, split=split, rules=rules).model
            fields = model.encoder.fields_of(judged)
            said[name] = sum_contributions(*model.contributions(fields))
            plain = model.linear.margin(model.encoder.columns_of(fields)) + model.trees.margin(fields)
            assert said[name] == pytest.approx(plain, abs=1e-9)
        assert np.mean((said["with"] - truth) ** 2) < 0.8 * np.mean((said["without"] - truth) ** 2)
