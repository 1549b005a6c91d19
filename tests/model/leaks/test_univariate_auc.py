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
from leadml.model.leaks.univariate_auc import (
    CrossFittedTrees,
    bins_of,
    correlation,
    estimate_auc,
    field_scores,
    incremental_auc,
    out_of_fold_rates,
)

NUMBER = Field("x", "number", "fit")


def outcome_of(label):
    """Return the outcome of leads with one row each."""
    label = np.asarray(label, dtype=np.int8)
    return Outcome(label, np.arange(len(label)))


@pytest.mark.slow
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_auc_is_the_mean_of_both_halves(seed, levels):
    """It is the mean of scikit-learn's AUC of both halves, also with ties."""
    random = np.random.default_rng(seed)
    outcome = outcome_of(np.r_[0, 0, 1, 1, random.integers(0, 2, 40)])
    scores = random.integers(0, levels, 44).astype(float)
    halves = [roc_auc_score(outcome.labels[rows], scores[rows]) for rows in outcome.halves]

    assert estimate_auc(outcome, scores).value == pytest.approx(np.mean(halves), abs=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_only_the_order_of_the_scores_matters(seed):
    """The reverse order has an AUC of one minus the AUC, with the same standard error."""
    random = np.random.default_rng(seed)
    outcome = outcome_of(np.r_[0, 0, 1, 1, random.integers(0, 2, 60)])
    scores = random.normal(size=64)
    found, monotone, reverse = (estimate_auc(outcome, values) for values in (scores, np.exp(scores), -scores))

    assert found == monotone
    assert reverse.value == pytest.approx(1 - found.value, abs=1e-12)
    assert reverse.standard_error == pytest.approx(found.standard_error, abs=1e-12)


def test_the_standard_error_is_the_deviation_over_many_samples():
    """The lower bound is above the true AUC in about 5% of the samples."""
    random, found = np.random.default_rng(1), []
    for _ in range(400):
        label = (random.random(600) < 0.2).astype(np.int8)
        found.append(estimate_auc(outcome_of(label), label + random.normal(size=600)))

    errors, values = [one.standard_error for one in found], [one.value for one in found]
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.1)
    assert 0.02 < np.mean([one.lower_bound > 0.7602 for one in found]) < 0.1


def test_rows_of_one_lead_count_once():
    """Ten rows of each lead make the standard error no smaller, and a lead is not scored by its own label."""
    random = np.random.default_rng(2)
    label = (random.random(400) < 0.3).astype(np.int8)
    scores = label + random.normal(size=400)
    once = estimate_auc(outcome_of(label), scores)
    often = estimate_auc(Outcome(np.repeat(label, 10), np.repeat(np.arange(400), 10)), np.repeat(scores, 10))
    rows = Outcome(np.repeat(label, 10), np.repeat(np.arange(400), 10))

    assert (often.value, often.standard_error) == pytest.approx((once.value, once.standard_error), abs=1e-12)
    assert estimate_auc(rows, out_of_fold_rates(rows.groups, rows)).value == pytest.approx(0.5, abs=1e-12)


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
def test_the_auc_of_a_field_is_out_of_fold(values, kind, least, most):
    """A copy of the label is perfect, also reversed or as missing values; noise, constants and ids are at chance."""
    random = np.random.default_rng(3)
    outcome = outcome_of(random.random(2000) < 0.3)
    column = pd.Series(values(outcome.labels, random))
    found = estimate_auc(outcome, field_scores(column, Field("x", kind, "fit"), outcome))

    assert least - 1e-12 <= found.value <= most + 1e-12


@given(st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_squares_of_d_prime_add_up(without_field, with_field):
    """Those of the other fields and of the incremental AUC add up to that of all; it is never below chance."""
    incremental = incremental_auc(without_field, with_field)

    assert incremental >= 0.5
    if with_field >= without_field:
        total = 2 * ndtri(incremental) ** 2 + 2 * ndtri(without_field) ** 2
        assert total == pytest.approx(2 * ndtri(with_field) ** 2, abs=1e-6)
    else:
        assert incremental == 0.5


def test_the_correlation_with_a_constant_is_0():
    """It is -1 with a falling linear function."""
    assert correlation(np.ones(5), np.arange(5.0)) == 0.0
    assert correlation(np.arange(5.0), 3 - 2 * np.arange(5.0)) == pytest.approx(-1)


@pytest.mark.parametrize(("role", "low", "high"), [("effect of the outcome", 0.7, 1.3), ("cause", -0.3, 0.3)])
def test_the_dependence_is_1_for_an_effect_of_the_outcome_and_0_for_a_separate_cause(role, low, high):
    """Only the outcome links its effect to the other fields; a separate cause is independent of them."""
    random = np.random.default_rng(5)
    numbers = random.normal(size=(9000, 4))
    margin = numbers[:, :3] @ [0.8, 0.8, 0.8] - 1
    if role == "cause":
        label = (random.random(9000) < expit(margin + 1.5 * numbers[:, 3])).astype(np.int8)
    else:
        label = (random.random(9000) < expit(margin)).astype(np.int8)
        numbers[:, 3] = 1.5 * label + random.normal(size=9000)
    fields = [Field(name, "number", "fit") for name in "abcx"]
    frame, outcome = pd.DataFrame(numbers, columns=list("abcx")), outcome_of(label)
    scores = field_scores(frame["x"], NUMBER, outcome)
    gain = CrossFittedTrees(frame, fields, outcome).auc_gain(fields[3], fields[:3], scores)

    assert low < gain.dependence < high
    assert gain.dependence_error < 0.15
    assert gain.incremental_lower_bound < gain.incremental
    assert gain.without_field < gain.with_field


def test_trees_are_deterministic_and_noise_has_a_small_gain():
    """Two runs are equal to the bit, and the field that causes the label has the larger gain."""
    random = np.random.default_rng(6)
    frame = pd.DataFrame({"x": random.normal(size=800), "noise": random.normal(size=800)})
    outcome = outcome_of(random.random(800) < expit(2 * frame["x"]))
    fields = [NUMBER, Field("noise", "number", "fit")]
    first, second = (CrossFittedTrees(frame, fields, outcome).cross_fit(fields) for _ in range(2))

    assert first[0].tobytes() == second[0].tobytes()
    assert first[1] == second[1]
    assert first[1][NUMBER] > 3 * first[1][fields[1]]


@pytest.mark.parametrize("share", [0.2, 0.05, 0.03, 0.01])
@pytest.mark.parametrize("others", [0.0, -1.0, 999.0])
def test_a_number_that_few_leads_have_is_not_in_the_bin_of_the_commonest(share, others):
    """A number of few converters is perfect, however few they are and whatever number all other leads have."""
    label = np.zeros(4000, dtype=np.int8)
    label[:: round(1 / share)] = 1
    outcome = Outcome(np.random.default_rng(0).permutation(label), np.arange(4000))
    values = pd.Series(np.where(outcome.labels == 1, 7.0, others))

    assert estimate_auc(outcome, field_scores(values, NUMBER, outcome)).value == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_bins_are_in_the_order_of_numbers(seed):
    """A greater number is never in a lower bin, equal numbers share a bin, and the commonest has a bin of its own."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(2000) < 0.9, 3.0, np.round(random.normal(3, 4, 2000), 1))
    bins = bins_of(pd.Series(values), NUMBER)

    assert (np.diff(bins[np.argsort(values, kind="stable")]) >= 0).all()
    assert set(values[bins == bins[values == 3.0][0]]) == {3.0}
    assert len(np.unique(bins)) <= 42
