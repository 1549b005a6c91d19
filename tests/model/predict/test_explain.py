from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.contract import Field
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.trees import Trees
from leadml.model.predict.explain import (
    FAR,
    NEW,
    Explanation,
    explain_leads,
    reason_text,
    strongest_reasons,
    value_text,
)
from leadml.model.predict.lead_model import LeadModel

CALIBRATORS = [
    Calibrator(),
    Calibrator(1.3, -0.2),
    Calibrator(0.001, 2.0),
]
NUMBER, BOOLEAN, CATEGORY = (
    Field("balance", "number", "fit"),
    Field("loan", "boolean", "fit"),
    Field("job", "category", "fit"),
)


@pytest.fixture(scope="module", params=CALIBRATORS, ids=lambda each: f"slope {each.slope}")
def explained(request, bank_fitted, bank_rows):
    """Return a model with both parts and some calibrator, and its explanation of each bundled lead."""
    fitted = bank_fitted.model
    model = LeadModel.of(
        fitted.encoder, fitted.linear, fitted.trees, calibrator=request.param, intervals=fitted.intervals
    )
    return model, explain_leads(model, bank_rows)


def test_points_and_starting_point_add_up_to_the_probability(explained):
    """For every bundled lead, to a billionth of a point."""
    _, explanation = explained
    total = explanation.start_points + explanation.points.sum(axis=1)
    assert np.abs(total - 100 * explanation.probability).max() < 1e-9


def test_log_odds_add_up_to_the_margin(explained, bank_matrix, bank_rows):
    """For every bundled lead, and the margin is the sum of the two parts."""
    model, explanation = explained
    assert np.abs(explanation.start_margin + explanation.log_odds.sum(axis=1) - explanation.margin).max() < 1e-9
    both = model.linear.margin(bank_matrix) + model.trees.margin(bank_rows)
    assert np.abs(explanation.margin - both).max() < 1e-12
    assert np.array_equal(explanation.probability, model.calibrator.probability(explanation.margin))


def test_points_have_the_signs_of_their_log_odds(explained):
    """A field that raises the log-odds raises the probability."""
    _, explanation = explained
    assert np.array_equal(np.sign(explanation.points), np.sign(explanation.log_odds))


def test_points_of_the_groups_are_the_points_of_their_fields(explained):
    """The points of fit and engagement add up to all points."""
    _, explanation = explained
    both = explanation.group_points("fit") + explanation.group_points("engagement")
    assert np.abs(both - explanation.points.sum(axis=1)).max() < 1e-9


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize(
    "figure", ["log_odds", "points", "probability", "start_points", "fit", "engagement"], ids=lambda name: name
)
def test_chunks_give_the_bits_of_all_rows(bank_fitted, bank_rows, bank_explanation, rows, figure):
    """No figure of a lead depends on the other rows, nor do the points of a group."""

    def take(explanation):
        is_group = figure in {"fit", "engagement"}
        values = explanation.group_points(figure) if is_group else getattr(explanation, figure)
        return np.broadcast_to(values, len(explanation.margin)) if np.ndim(values) == 0 else values

    chunks = [take(explain_leads(bank_fitted.model, bank_rows[first : first + rows])) for first in range(0, 210, rows)]
    assert np.array_equal(np.concatenate(chunks), take(bank_explanation)[:210])


def test_the_starting_point_does_not_depend_on_the_leads(bank_fitted, bank_rows, bank_explanation):
    """It is the same where no lead is explained."""
    explanation = explain_leads(bank_fitted.model, bank_rows[:0])
    assert explanation.points.shape == (0, 15)
    assert explanation.start_points == bank_explanation.start_points


def test_the_mean_lead_has_no_points(bank_fitted, bank_rows):
    """Where the margin is that of the mean lead the derivative replaces the secant."""
    model = bank_fitted.model
    linear, trees = replace(model.linear, terms=()), Trees.of([(model.trees.text, [0.0])])
    constant = LeadModel.of(model.encoder, linear, trees, calibrator=model.calibrator, intervals=model.intervals)
    explanation = explain_leads(constant, bank_rows[:5])
    assert (explanation.points == 0).all()
    assert explanation.probability * 100 == pytest.approx(explanation.start_points, abs=1e-12)


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier with TreeExplainer:UserWarning")
@pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")  # of matplotlib, which shap imports
def test_the_shap_package_agrees_on_every_bundled_lead(bank_fitted, bank_rows):
    """TreeExplainer gives the same log-odds of each field and the same expected value."""
    import shap

    explainer = shap.TreeExplainer(bank_fitted.model.trees.booster)
    expected = np.asarray(explainer.shap_values(bank_rows))
    log_odds, base = bank_fitted.model.trees.contributions(bank_rows)
    assert np.abs(log_odds - expected.reshape(log_odds.shape)).max() < 1e-9
    assert base == pytest.approx(float(np.ravel(explainer.expected_value)[-1]), abs=1e-9)


def test_log_odds_of_a_field_are_those_of_its_terms_and_of_the_trees(bank_fitted, bank_matrix, bank_rows):
    """The flags of a category are summed in the linear part; trees use its codes."""
    model = bank_fitted.model
    linear, trees = model.linear.contributions(bank_matrix), model.trees.contributions(bank_rows)[0]
    log_odds = explain_leads(model, bank_rows).log_odds
    for index in range(len(model.encoder.fields)):
        expected = linear[:, model.encoder.owners == index].sum(axis=1) + trees[:, index]
        assert np.abs(expected - log_odds[:, index]).max() < 1e-12


@pytest.mark.parametrize("reasons", [1, 3, 15, 20])
def test_rounded_points_add_up_to_the_rounded_score(bank_explanation, bank_leads, reasons):
    """Starting point, reasons and everything else add up to the score, all in whole tenths of a point."""
    columns = strongest_reasons(bank_explanation, bank_leads.frame, reasons=reasons)
    points = [values for name, values in columns.items() if not name.removeprefix("reason_").isdigit()]
    tenths = [np.rint(10 * np.asarray(values)).astype(int) for values in points]
    assert len(points) == min(reasons, 15) + 2
    assert np.abs(10 * np.array(points) - np.array(tenths)).max() < 1e-9
    assert np.array_equal(sum(tenths), np.rint(1000 * bank_explanation.probability).astype(int))


def test_reasons_are_the_strongest_fields_with_the_value_of_the_lead(bank_explanation, bank_leads):
    """No other field has more points than a reason, and each text is that of its field."""
    columns = strongest_reasons(bank_explanation, bank_leads.frame, reasons=3)
    ranked = -np.sort(-np.abs(bank_explanation.points), axis=1)
    for index in (1, 2, 3):
        assert np.abs(np.abs(columns[f"reason_{index}_points"]) - ranked[:, index - 1]).max() <= 0.05 + 1e-9
    for row in range(0, 4521, 97):
        index = int(np.argmax(np.abs(bank_explanation.points[row])))
        field = bank_explanation.fields[index]
        assert columns["reason_1"][row] == reason_text(field, bank_leads.frame[field.name].iloc[row])


def test_an_empty_frame_has_columns_without_reasons(toy_fitted, toy_leads):
    """The columns are those of other frames."""
    empty = toy_leads.iloc[:0]
    explanation = explain_leads(toy_fitted.model, toy_fitted.model.encoder.fields_of(empty))
    assert {name: len(values) for name, values in strongest_reasons(explanation, empty, reasons=1).items()} == {
        "starting_point": 0, "reason_1": 0, "reason_1_points": 0, "everything_else": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (NUMBER, 1787.0, "balance is 1,787"),
        (NUMBER, 0.125, "balance is 0.125"),
        (NUMBER, -3313, "balance is -3,313"),
        (NUMBER, float("nan"), "balance is not known"),
        (NUMBER, 12_500_000.0, "balance is 12,500,000"),
        (NUMBER, 1_234_567.0, "balance is 1,234,567"),
        (BOOLEAN, 1.0, "loan is yes"),
        (BOOLEAN, 0.0, "loan is no"),
        (BOOLEAN, None, "loan is not known"),
        (CATEGORY, "self-employed", "job is self-employed"),
        (CATEGORY, None, "job is not known"),
        (CATEGORY, "a\x1b[31mb\nc", "job is a\\x1b[31mb\\nc"),
        (Field("jo\nb", "category", "fit"), "chef", "jo\\nb is chef"),
    ],
)
def test_a_reason_has_the_name_and_the_value_of_the_field(field, value, text):
    """Whole numbers have no decimals, and control characters are escaped."""
    assert reason_text(field, value) == text
    assert text.endswith(value_text(field, value))


WINDOWS = (
    Field("age", "number", "fit"),
    Field("demo_7d", "number", "engagement", "activity", "demo", "{} demos in the last 7 days"),
    Field("demo_last", "number", "engagement", "activity", "demo", "the last demo {} days ago", "no demo so far"),
    Field("visit_7d", "number", "engagement", "activity", "visit", "{} visits in the last 7 days"),
)


def _explanation(points):
    points = np.array(points, dtype=float)
    probability = (30 + points.sum(axis=1)) / 100
    return Explanation(
        WINDOWS,
        points / 10,
        -1.0,
        points.sum(axis=1),
        probability,
        points,
        30.0,
        points,
        np.zeros(points.shape, dtype=bool),
        np.zeros(points.shape, dtype=bool),
    )


def _window_frame(size):
    names = {field.name: np.arange(size, dtype=float) for field in WINDOWS}
    return pd.DataFrame({"lead_id": [f"L{index}" for index in range(size)], **names})


@given(st.lists(st.lists(st.floats(-7, 7), min_size=4, max_size=4), min_size=1, max_size=6))
def test_the_points_of_topics_are_the_points_of_their_fields(points):
    """Topics are unique and in order; their points add up to those of all fields and to the score."""
    explanation = _explanation(points)
    assert [(topic.name, topic.group) for topic in explanation.topics] == [
        ("age", "fit"), ("demo", "engagement"), ("visit", "engagement"),
    ]  # fmt: skip
    assert np.abs(explanation.topic_points.sum(axis=1) - explanation.points.sum(axis=1)).max() < 1e-9
    assert np.array_equal(explanation.topic_points[:, 1], explanation.points[:, 1] + explanation.points[:, 2])
    total = explanation.start_points + explanation.topic_points.sum(axis=1)
    assert np.abs(total - 100 * explanation.probability).max() < 1e-9


@given(st.lists(st.lists(st.floats(-7, 7), min_size=4, max_size=4), max_size=6))
def test_the_log_odds_of_topics_are_the_sums_of_those_of_their_fields(points):
    """Exactly, whatever the other fields are; those of all topics add up to those of all fields."""
    explanation = _explanation(np.reshape(points, (-1, 4)))
    log_odds, topics = explanation.log_odds, explanation.topic_log_odds()
    assert topics.shape == (len(points), 3)
    by_hand = [log_odds[:, 0], log_odds[:, 1] + log_odds[:, 2], log_odds[:, 3]]
    assert np.array_equal(topics, np.stack(by_hand, axis=1))
    assert np.abs(topics.sum(axis=1) - log_odds.sum(axis=1)).max(initial=0) < 1e-9
    apart = replace(explanation, fields=tuple(replace(field, topic="") for field in WINDOWS))
    assert np.array_equal(apart.topic_log_odds(), log_odds)


def test_each_lead_of_the_bank_has_the_log_odds_of_its_topics(bank_explanation):
    """The fields of the bundled leads are their own topics, so that the margin is the start and the topics."""
    total = bank_explanation.start_margin + bank_explanation.topic_log_odds().sum(axis=1)
    assert np.abs(total - bank_explanation.margin).max() < 1e-9
    assert np.array_equal(bank_explanation.topic_log_odds(), bank_explanation.log_odds)


@given(st.lists(st.lists(st.floats(-7, 7), min_size=4, max_size=4), min_size=1, max_size=6))
def test_the_strongest_member_of_a_topic_has_the_most_points_of_the_same_sign(points):
    """No other field of the topic has more points with the sign of the topic."""
    explanation = _explanation(points)
    member = explanation.strongest_member(1)
    sign = np.where(explanation.topic_points[:, 1] < 0, -1, 1)
    rows = np.arange(len(points))
    assert set(member) <= {1, 2}
    assert (sign * explanation.points[rows, member] >= sign * explanation.points[rows, 3 - member]).all()


@pytest.mark.parametrize(
    ("points", "texts"),
    [
        ([1, 5, -1, 3], ["0 demos in the last 7 days", "0 visits in the last 7 days", "age is 0"]),
        ([1, -1, 5, -3], ["the last demo 0 days ago", "0 visits in the last 7 days", "age is 0"]),
        ([2, -6, 1, 0], ["0 demos in the last 7 days", "age is 0", "0 visits in the last 7 days"]),
        ([9, 5, -5, 1], ["age is 0", "0 visits in the last 7 days", "0 demos in the last 7 days"]),
    ],
)
def test_each_topic_is_one_reason(points, texts):
    """Windows of one activity are one reason, with the words of the strongest member."""
    explanation = _explanation([points])
    columns = strongest_reasons(explanation, _window_frame(1), reasons=9)
    assert [columns[f"reason_{index}"][0] for index in (1, 2, 3)] == texts
    assert "reason_4" not in columns
    tenths = [round(10 * float(np.ravel(values)[0])) for name, values in columns.items() if not name[-1].isdigit()]
    assert sum(tenths) == round(1000 * explanation.probability[0])


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (CATEGORY, "priest", "job is priest"),
        (CATEGORY, "a\nb", "job is a\\nb"),
        (CATEGORY, None, "job is not known"),
        (NUMBER, float("nan"), "balance is not known"),
        (WINDOWS[2], None, "demo_last is not known"),
    ],
)
def test_a_reason_says_that_a_value_is_new(field, value, text):
    """After the value, whatever words the field has for one that the model knows."""
    assert reason_text(field, value, NEW) == f"{text}, which is new to the model"


@pytest.mark.parametrize(("visits", "remark"), [(4.0, ""), (1e6, FAR), (-1e6, FAR), (None, "")])
def test_a_reason_says_that_a_number_is_far_beyond_the_training(toy_fitted, toy_leads, visits, remark):
    """Its points are bounded: they are those of the largest or the least number of the training, or nearly."""
    model, frame = toy_fitted.model, toy_leads.head(3).assign(visits=[1.0, np.nan if visits is None else visits, 2.0])
    explanation = explain_leads(model, model.encoder.fields_of(frame))
    place = [field.name for field in explanation.fields].index("visits")
    assert explanation.remarks(slice(None), place).tolist() == ["", remark, ""]
    ends = toy_leads.head(2).assign(visits=[toy_leads["visits"].min(), toy_leads["visits"].max()])
    least, most = explain_leads(model, model.encoder.fields_of(ends)).log_odds[:, place]
    assert least - 1.5 < explanation.log_odds[1, place] < most + 1.5
    columns = strongest_reasons(explanation, frame, reasons=4)
    texts = [text for rank in range(1, 5) for text in columns[f"reason_{rank}"]]
    assert any(text.endswith(f", which is {FAR}") for text in texts) == bool(remark)


def test_only_reasons_of_new_values_say_so(toy_fitted, toy_leads):
    """A job that the training set has not has no points; a known one of the same batch is told as ever."""
    model, frame = toy_fitted.model, toy_leads[toy_leads["job"].notna()].head(6).reset_index(drop=True)
    frame.loc[[1, 4], "job"] = "priest"
    explanation = explain_leads(model, model.encoder.fields_of(frame))
    job = [field.name for field in explanation.fields].index("job")
    assert np.argwhere(explanation.is_new).tolist() == [[1, job], [4, job]]
    assert (explanation.points[[1, 4], job] == 0).all()
    columns = strongest_reasons(explanation, frame, reasons=4)
    for row, value in enumerate(frame["job"]):
        reasons = [columns[f"reason_{rank}"][row] for rank in (1, 2, 3, 4)]
        end = ", which is new to the model" if row in {1, 4} else ""
        assert f"job is {value}{end}" in reasons
        assert sum("new to the model" in reason for reason in reasons) == len(end[:1])


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (WINDOWS[1], 3.0, "3 demos in the last 7 days"),
        (WINDOWS[1], 1234.5678, "1.23e+03 demos in the last 7 days"),
        (WINDOWS[2], 12.0, "the last demo 12 days ago"),
        (WINDOWS[2], float("nan"), "no demo so far"),
        (WINDOWS[2], None, "no demo so far"),
        (WINDOWS[1], float("nan"), "demo_7d is not known"),
        (Field("x", "number", "engagement", "activity", "t", "{} and {}"), 2.0, "2 and {}"),
        (Field("x", "number", "engagement", "activity", "t", "\x1b[31m{} red"), 2.0, "\\x1b[31m2 red"),
        (Field("x", "number", "engagement", "activity", "t", "w", "\x1b[31mnone"), None, "\\x1b[31mnone"),
        (Field("visit_decayed", "number", "engagement", "activity"), 2.1234567, "visit_decayed is 2.12"),
        (Field("rank", "category", "fit", "derived"), "director", "rank is director"),
    ],
)
def test_a_reason_uses_the_words_of_the_field(field, value, text):
    """A field may have words for its value and words for a missing value; control characters are escaped."""
    assert reason_text(field, value) == text
