from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtri
from sklearn.metrics import roc_auc_score

from leadml.leads.check.field import Field
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.univariate_auc import Together, alike, field_scores, own_power, power, step_scores, steps_of

NUMBER = Field("x", "number", "fit")


def outcome_of(label):
    """Return labels of leads of one row each."""
    label = np.asarray(label, dtype=np.int8)
    return Outcome(label, np.arange(len(label)))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_auc_is_the_mean_of_both_halves(seed, levels):
    """The oracle is scikit-learn, half by half, ties and all."""
    random = np.random.default_rng(seed)
    outcome = outcome_of(np.r_[0, 0, 1, 1, random.integers(0, 2, 40)])
    scores = random.integers(0, levels, 44).astype(float)
    halves = [roc_auc_score(outcome.label[rows], scores[rows]) for rows in outcome.sides]

    assert power(outcome, scores).auc == pytest.approx(np.mean(halves), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_any_rising_change_of_the_scores_changes_nothing(seed):
    """Order alone counts; the other way round it is one less the AUC, with the same error."""
    random = np.random.default_rng(seed)
    outcome = outcome_of(np.r_[0, 0, 1, 1, random.integers(0, 2, 60)])
    scores = random.normal(size=64)
    found, other, turned = (power(outcome, values) for values in (scores, np.exp(scores), -scores))

    assert found == other
    assert turned.auc == pytest.approx(1 - found.auc, abs=1e-12)
    assert turned.error == pytest.approx(found.error, abs=1e-12)


def test_the_error_is_that_of_many_draws():
    """The standard error is the spread of the AUC over samples of the same kind."""
    random, found = np.random.default_rng(1), []
    for _ in range(400):
        label = (random.random(600) < 0.2).astype(np.int8)
        found.append(power(outcome_of(label), label + random.normal(size=600)))

    assert np.mean([one.error for one in found]) == pytest.approx(np.std([one.auc for one in found]), rel=0.1)
    assert 0.02 < np.mean([one.low > 0.7602 for one in found]) < 0.1


def test_rows_of_one_lead_are_one_witness():
    """A lead that is there ten times over makes the error no smaller, and never judges itself."""
    random = np.random.default_rng(2)
    label = (random.random(400) < 0.3).astype(np.int8)
    scores = label + random.normal(size=400)
    once = power(outcome_of(label), scores)
    often = power(Outcome(np.repeat(label, 10), np.repeat(np.arange(400), 10)), np.repeat(scores, 10))
    rows = Outcome(np.repeat(label, 10), np.repeat(np.arange(400), 10))

    assert (often.auc, often.error) == pytest.approx((once.auc, once.error), abs=1e-12)
    assert power(rows, step_scores(rows.group, rows)).auc == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "kind", "least", "most"),
    [
        (lambda label, _: label + 0.0, "number", 1, 1),
        (lambda label, _: -label + 0.0, "number", 1, 1),
        (lambda label, _: np.where(label == 1, np.nan, 3.0), "number", 1, 1),
        (lambda label, _: np.full(len(label), np.nan), "number", 0.5, 0.5),
        (lambda label, _: np.full(len(label), 4.0), "number", 0.5, 0.5),
        (lambda label, random: random.random(len(label)), "number", 0.45, 0.55),
        (lambda label, _: np.arange(len(label)).astype(str), "category", 0.5, 0.5),
        (lambda label, random: label + random.normal(0, 1, len(label)), "number", 0.7, 0.8),
    ],
)
def test_the_power_of_a_field_is_that_on_leads_it_did_not_see(values, kind, least, most):
    """A copy is perfect, also turned round or hidden in what is missing; noise, constants and ids are worth nothing."""
    random = np.random.default_rng(3)
    outcome = outcome_of(random.random(2000) < 0.3)
    column = pd.Series(values(outcome.label, random))
    found = power(outcome, field_scores(column, Field("x", kind, "fit"), outcome))

    assert least - 1e-12 <= found.auc <= most + 1e-12


@given(st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_own_power_adds_up_to_what_both_have(without, beside):
    """The squared separations of the others and of what the field knows itself are that of both; never below chance."""
    own = own_power(without, beside)

    assert own >= 0.5
    if beside >= without:
        assert 2 * ndtri(own) ** 2 + 2 * ndtri(without) ** 2 == pytest.approx(2 * ndtri(beside) ** 2, abs=1e-6)
    else:
        assert own == 0.5


def test_a_constant_is_like_nothing():
    """Correlation with what does not vary is 0."""
    assert alike(np.ones(5), np.arange(5.0)) == 0.0
    assert alike(np.arange(5.0), 3 - 2 * np.arange(5.0)) == pytest.approx(-1)


@pytest.mark.parametrize(("kind", "low", "high"), [("written by the outcome", 0.7, 1.3), ("a cause", -0.3, 0.3)])
def test_the_tie_tells_what_the_outcome_wrote_from_what_made_it(kind, low, high):
    """Others and a field meet in the outcome alone where it wrote the field; causes of their own do not meet."""
    random = np.random.default_rng(5)
    numbers = random.normal(size=(9000, 4))
    margin = numbers[:, :3] @ [0.8, 0.8, 0.8] - 1
    if kind == "a cause":
        label = (random.random(9000) < expit(margin + 1.5 * numbers[:, 3])).astype(np.int8)
    else:
        label = (random.random(9000) < expit(margin)).astype(np.int8)
        numbers[:, 3] = 1.5 * label + random.normal(size=9000)
    fields = [Field(name, "number", "fit") for name in "abcx"]
    frame, outcome = pd.DataFrame(numbers, columns=list("abcx")), outcome_of(label)
    lift = Together(frame, fields, outcome).lift(fields[3], fields[:3], field_scores(frame["x"], NUMBER, outcome))

    assert low < lift.tie < high
    assert lift.tie_error < 0.15
    assert lift.own_low < lift.own
    assert lift.without < lift.beside


def test_trees_are_the_same_each_time_and_gain_by_what_is_there():
    """Two runs agree to the bit, and noise gains less than the field that counts."""
    random = np.random.default_rng(6)
    frame = pd.DataFrame({"x": random.normal(size=800), "noise": random.normal(size=800)})
    outcome = outcome_of(random.random(800) < expit(2 * frame["x"]))
    fields = [NUMBER, Field("noise", "number", "fit")]
    first, second = (Together(frame, fields, outcome).margins(fields) for _ in range(2))

    assert first[0].tobytes() == second[0].tobytes()
    assert first[1] == second[1]
    assert first[1][NUMBER] > 3 * first[1][fields[1]]


@pytest.mark.parametrize("share", [0.2, 0.05, 0.03, 0.01])
@pytest.mark.parametrize("others", [0.0, -1.0, 999.0])
def test_a_number_that_few_leads_have_is_a_step_of_its_own(share, others):
    """A mark of a few converters is perfect, however few they are and whatever all others have instead."""
    label = np.zeros(4000, dtype=np.int8)
    label[:: round(1 / share)] = 1
    outcome = Outcome(np.random.default_rng(0).permutation(label), np.arange(4000))
    values = pd.Series(np.where(outcome.label == 1, 7.0, others))

    assert power(outcome, field_scores(values, Field("x", "number", "fit"), outcome)).auc == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_steps_are_in_the_order_of_numbers(seed):
    """A greater number is never in a lower step, equal numbers share one, and the commonest is alone in its step."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(2000) < 0.9, 3.0, np.round(random.normal(3, 4, 2000), 1))
    steps = steps_of(pd.Series(values), Field("x", "number", "fit"))

    assert (np.diff(steps[np.argsort(values, kind="stable")]) >= 0).all()
    assert set(values[steps == steps[values == 3.0][0]]) == {3.0}
    assert len(np.unique(steps)) <= 42
