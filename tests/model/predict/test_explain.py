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
from leadml.model.predict.explain import Explanation, explain_leads, reason_text, strongest_reasons, value_text
from leadml.model.predict.lead_model import LeadModel

CALIBRATORS = [
    Calibrator(),
    Calibrator("sigmoid", (1.3, -0.2)),
    Calibrator("sigmoid", (0.001, 2.0)),
    Calibrator("beta", (0.7, 1.4, 0.1)),
    Calibrator("isotonic", (-3.0, -2.0, 0.5, -4.0, -1.5, -1.0)),
]
NUMBER, FLAG, WORD = Field("balance", "number", "fit"), Field("loan", "boolean", "fit"), Field("job", "category", "fit")


@pytest.fixture(scope="module", params=CALIBRATORS, ids=lambda some: f"{some.method}{some.numbers[:1]}")
def explained(request, bank_fitted, bank_rows):
    """Return a model with a calibrator and both parts, and why each bundled lead has its number."""
    fitted = bank_fitted.model
    model = LeadModel.of(fitted.encoder, fitted.linear, fitted.trees, calibrator=request.param, spread=fitted.spread)
    return model, explain_leads(model, bank_rows)


def test_points_and_starting_point_add_up_to_the_probability(explained):
    """For every bundled lead, to a billionth of a point."""
    _, found = explained
    total = found.start_points + found.points.sum(axis=1)
    assert np.abs(total - 100 * found.probability).max() < 1e-9


def test_log_odds_add_up_to_the_margin(explained, bank_matrix, bank_rows):
    """For every bundled lead, and the margin is that of the two parts."""
    model, found = explained
    assert np.abs(found.start_margin + found.log_odds.sum(axis=1) - found.margin).max() < 1e-9
    both = model.linear.margin(bank_matrix) + model.trees.margin(bank_rows)
    assert np.abs(found.margin - both).max() < 1e-12
    assert np.array_equal(found.probability, model.calibrator.probability(found.margin))


def test_points_have_the_signs_of_their_log_odds(explained):
    """What raises the log-odds raises the probability."""
    _, found = explained
    assert np.array_equal(np.sign(found.points), np.sign(found.log_odds))


def test_points_of_the_groups_are_the_points_of_their_fields(explained):
    """Fit and engagement together are all points."""
    _, found = explained
    both = found.group_points("fit") + found.group_points("engagement")
    assert np.abs(both - found.points.sum(axis=1)).max() < 1e-9


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize(
    "figure", ["log_odds", "points", "probability", "start_points", "fit", "engagement"], ids=lambda name: name
)
def test_a_lead_has_the_same_bits_in_any_company(bank_fitted, bank_rows, bank_explanation, rows, figure):
    """Every figure in chunks is that of the whole, the points of the groups too."""

    def take(some):
        whole = some.group_points(figure) if figure in {"fit", "engagement"} else getattr(some, figure)
        return np.broadcast_to(whole, len(some.margin)) if np.ndim(whole) == 0 else whole

    chunks = [take(explain_leads(bank_fitted.model, bank_rows[first : first + rows])) for first in range(0, 210, rows)]
    assert np.array_equal(np.concatenate(chunks), take(bank_explanation)[:210])


def test_the_starting_point_is_there_even_for_no_leads(bank_fitted, bank_rows, bank_explanation):
    """The mean lead does not depend on the leads explained."""
    found = explain_leads(bank_fitted.model, bank_rows[:0])
    assert found.points.shape == (0, 15)
    assert found.start_points == bank_explanation.start_points


def test_the_mean_lead_has_no_points(bank_fitted, bank_rows):
    """Where margin and mean coincide the derivative stands in for the secant."""
    model = bank_fitted.model
    linear, trees = replace(model.linear, terms=()), Trees.of([(model.trees.text, 0.0)])
    bare = LeadModel.of(model.encoder, linear, trees, calibrator=model.calibrator, spread=model.intervals)
    found = explain_leads(bare, bank_rows[:5])
    assert (found.points == 0).all()
    assert found.probability * 100 == pytest.approx(found.start_points, abs=1e-12)


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier with TreeExplainer:UserWarning")
@pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")  # of matplotlib, which shap imports
def test_the_shap_package_agrees_on_every_bundled_lead(bank_fitted, bank_rows):
    """TreeExplainer gives the same log-odds for each field and the same mean."""
    import shap

    explainer = shap.TreeExplainer(bank_fitted.model.trees.booster)
    expected = np.asarray(explainer.shap_values(bank_rows))
    found, base = bank_fitted.model.trees.contributions(bank_rows)
    assert np.abs(found - expected.reshape(found.shape)).max() < 1e-9
    assert base == pytest.approx(float(np.ravel(explainer.expected_value)[-1]), abs=1e-9)


def test_log_odds_of_a_field_are_those_of_its_terms_and_of_the_trees(bank_fitted, bank_matrix, bank_rows):
    """A category's flags are summed, the trees know its codes."""
    model = bank_fitted.model
    columns, trees = model.linear.contributions(bank_matrix), model.trees.contributions(bank_rows)[0]
    found = explain_leads(model, bank_rows).log_odds
    for at in range(len(model.encoder.fields)):
        summed = columns[:, model.encoder.owners == at].sum(axis=1) + trees[:, at]
        assert np.abs(summed - found[:, at]).max() < 1e-12


@pytest.mark.parametrize("reasons", [1, 3, 15, 20])
def test_shown_tenths_add_up_to_the_rounded_score(bank_explanation, bank_leads, reasons):
    """Starting point, reasons and everything else are the score as it is shown, in whole tenths."""
    shown = strongest_reasons(bank_explanation, bank_leads.frame, reasons=reasons)
    points = [values for name, values in shown.items() if not name.removeprefix("reason_").isdigit()]
    tenths = [np.rint(10 * np.asarray(values)).astype(int) for values in points]
    assert len(points) == min(reasons, 15) + 2
    assert np.abs(10 * np.array(points) - np.array(tenths)).max() < 1e-9
    assert np.array_equal(sum(tenths), np.rint(1000 * bank_explanation.probability).astype(int))


def test_reasons_are_the_strongest_first_and_say_the_lead_s_own_value(bank_explanation, bank_leads):
    """No field left out is stronger than one that is shown, and each text is that of its field."""
    shown = strongest_reasons(bank_explanation, bank_leads.frame, reasons=3)
    ranked = -np.sort(-np.abs(bank_explanation.points), axis=1)
    for at in (1, 2, 3):
        assert np.abs(np.abs(shown[f"reason_{at}_points"]) - ranked[:, at - 1]).max() <= 0.05 + 1e-9
    for row in range(0, 4521, 97):
        at = int(np.argmax(np.abs(bank_explanation.points[row])))
        field = bank_explanation.fields[at]
        assert shown["reason_1"][row] == reason_text(field, bank_leads.frame[field.name].iloc[row])


def test_no_leads_have_no_reasons(toy_fitted, toy_leads):
    """An empty frame has the columns of a full one."""
    empty = toy_leads.iloc[:0]
    found = explain_leads(toy_fitted.model, toy_fitted.model.encoder.fields_of(empty))
    assert {name: len(values) for name, values in strongest_reasons(found, empty, reasons=1).items()} == {
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
        (FLAG, 1.0, "loan is yes"),
        (FLAG, 0.0, "loan is no"),
        (FLAG, None, "loan is not known"),
        (WORD, "self-employed", "job is self-employed"),
        (WORD, None, "job is not known"),
        (WORD, "a\x1b[31mb\nc", "job is a\\x1b[31mb\\nc"),
        (Field("jo\nb", "category", "fit"), "chef", "jo\\nb is chef"),
    ],
)
def test_a_reason_says_the_value_in_plain_words(field, value, text):
    """Numbers are whole where they are whole, and a stranger's text is inert."""
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
    return Explanation(WINDOWS, points / 10, -1.0, points.sum(axis=1), probability, points, 30.0)


def _looked(size):
    names = {field.name: np.arange(size, dtype=float) for field in WINDOWS}
    return pd.DataFrame({"lead_id": [f"L{at}" for at in range(size)], **names})


@given(st.lists(st.lists(st.floats(-7, 7), min_size=4, max_size=4), min_size=1, max_size=6))
def test_topics_hold_all_points_of_their_fields(points):
    """Each topic once, in order; their points add up to those of all fields and to the score."""
    found = _explanation(points)
    assert [(topic.name, topic.group) for topic in found.topics] == [
        ("age", "fit"), ("demo", "engagement"), ("visit", "engagement"),
    ]  # fmt: skip
    assert np.abs(found.topic_points.sum(axis=1) - found.points.sum(axis=1)).max() < 1e-9
    assert np.array_equal(found.topic_points[:, 1], found.points[:, 1] + found.points[:, 2])
    total = found.start_points + found.topic_points.sum(axis=1)
    assert np.abs(total - 100 * found.probability).max() < 1e-9


@given(st.lists(st.lists(st.floats(-7, 7), min_size=4, max_size=4), min_size=1, max_size=6))
def test_a_topic_speaks_by_the_member_that_moves_it_most_its_way(points):
    """No member of the topic moves the lead further in the topic's own direction."""
    found = _explanation(points)
    member = found.strongest_member(1)
    way = np.where(found.topic_points[:, 1] < 0, -1, 1)
    rows = np.arange(len(points))
    assert set(member) <= {1, 2}
    assert (way * found.points[rows, member] >= way * found.points[rows, 3 - member]).all()


@pytest.mark.parametrize(
    ("points", "texts"),
    [
        ([1, 5, -1, 3], ["0 demos in the last 7 days", "0 visits in the last 7 days", "age is 0"]),
        ([1, -1, 5, -3], ["the last demo 0 days ago", "0 visits in the last 7 days", "age is 0"]),
        ([2, -6, 1, 0], ["0 demos in the last 7 days", "age is 0", "0 visits in the last 7 days"]),
        ([9, 5, -5, 1], ["age is 0", "0 visits in the last 7 days", "0 demos in the last 7 days"]),
    ],
)
def test_reasons_are_of_topics_each_once(points, texts):
    """Windows of one activity are one reason, with the words of the member that says most."""
    found = _explanation([points])
    shown = strongest_reasons(found, _looked(1), reasons=9)
    assert [shown[f"reason_{at}"][0] for at in (1, 2, 3)] == texts
    assert "reason_4" not in shown
    tenths = [round(10 * float(np.ravel(values)[0])) for name, values in shown.items() if not name[-1].isdigit()]
    assert sum(tenths) == round(1000 * found.probability[0])


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
def test_words_of_a_field_say_its_value(field, value, text):
    """Own words where params or leadml give them, others for what is missing, all of them inert."""
    assert reason_text(field, value) == text
