from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from leadml.model import metrics

LARGER_IS_BETTER = ("roc_auc", "average_precision", "gain", "brier_discrimination")
SMALLER_IS_BETTER = ("log_loss", "brier", "ece", "brier_miscalibration")
RANKING = ("roc_auc", "average_precision", "gain")
LEADS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.02, 0.1, 0.25, 0.3, 0.5, 0.75, 0.9]), st.integers(0, 3)),
    min_size=6,
    max_size=40,
).filter(lambda rows: len({row[0] for row in rows if row[2]}) == 2)


def _arrays(rows):
    label, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    return label.astype(np.int8), probability.astype(float), weight.astype(float)


def _leads(size=4000, seed=0, *, slope=1.0, shift=0.0):
    random = np.random.default_rng(seed)
    logit = random.normal(-2, 1, size)
    label = (random.random(size) < expit(logit)).astype(np.int8)
    return label, expit(slope * logit + shift), random.integers(0, 4, size).astype(float)


def _same(values, expected):
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        if not name.startswith("calibration"):  # few rows are often separable, and then have no unique line
            assert values[name] == pytest.approx(value, abs=1e-9, nan_ok=True), name


@pytest.mark.slow
@given(LEADS)
def test_whole_weights_equal_repeated_rows(rows):
    """A row with weight 3 counts as three rows, and one with weight 0 as none."""
    label, probability, weight = _arrays(rows)
    times = weight.astype(int)
    repeated = np.repeat(label, times), np.repeat(probability, times)
    _same(metrics.summary(label, probability, weight), metrics.summary(*repeated, np.ones(times.sum())))


@pytest.mark.slow
@given(LEADS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_metric(rows, random):
    """Rows with equal probabilities may be in any order."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    _same(metrics.summary(*_arrays(shuffled)), metrics.summary(*_arrays(rows)))


@pytest.mark.slow
@given(LEADS)
def test_every_metric_is_best_where_the_label_is_the_probability(rows):
    """No other probabilities have a better value of any metric."""
    label, probability, weight = _arrays(rows)
    best, other = metrics.summary(label, label.astype(float), weight), metrics.summary(label, probability, weight)
    assert [name for name in LARGER_IS_BETTER if best[name] < other[name] - 1e-12] == []
    assert [name for name in SMALLER_IS_BETTER if best[name] > max(other[name], 0) + 1e-12] == []
    assert (best["roc_auc"], best["average_precision"], best["brier"], best["ece"]) == (1, 1, 0, 0)
    assert best["log_loss"] == 0


@given(LEADS)
def test_the_parts_of_the_brier_score_add_up(rows):
    """Miscalibration less discrimination plus uncertainty is the score, and none is below 0."""
    label, probability, weight = _arrays(rows)
    parts = metrics.brier_decomposition(label, probability, weight)
    assert parts[0] - parts[1] + parts[2] == pytest.approx(metrics.brier(label, probability, weight), abs=1e-12)
    assert min(parts) > -1e-12


@pytest.mark.slow
@given(LEADS)
def test_ranking_metrics_depend_on_the_order_alone(rows):
    """Squaring the probabilities changes none of them, and reversing the order gives one minus the ROC AUC."""
    label, probability, weight = _arrays(rows)
    for name in RANKING:
        metric = getattr(metrics, name)
        assert metric(label, probability**2, weight) == pytest.approx(metric(label, probability, weight), abs=1e-12)
    reversed_auc = metrics.roc_auc(label, 1 - probability, weight)
    assert reversed_auc == pytest.approx(1 - metrics.roc_auc(label, probability, weight), abs=1e-12)


@pytest.mark.slow
@given(LEADS)
def test_scikit_learn_agrees_with_weights_and_ties(rows):
    """The four metrics that it also has are the same."""
    from sklearn import metrics as oracle

    label, probability, weight = _arrays(rows)
    pairs = {
        "roc_auc": oracle.roc_auc_score,
        "average_precision": oracle.average_precision_score,
        "log_loss": oracle.log_loss,
        "brier": oracle.brier_score_loss,
    }
    for name, expected in pairs.items():
        values = getattr(metrics, name)(label, probability, weight)
        assert values == pytest.approx(expected(label, probability, sample_weight=weight), abs=1e-9), name


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("slope", "shift"), [(1, 0), (0.4, 0), (1.5, 0), (2, 0), (3, 0), (5, 0), (1, -6), (1, 4), (-1, 0), (3, 5)]
)
def test_the_calibration_line_is_logistic_regression_without_penalty(slope, shift, weighted):
    """However wrong the probabilities are, intercept and slope are scikit-learn's."""
    from sklearn.linear_model import LogisticRegression

    label, probability, weight = _leads(slope=slope, shift=shift)
    weight = weight if weighted else np.ones(len(label))
    logit = np.log(probability) - np.log1p(-probability)
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12)
    fitted.fit(logit[:, None], label, sample_weight=weight)
    expected = fitted.intercept_[0], fitted.coef_[0, 0]
    assert metrics.calibration_line(label, probability, weight) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("label", "probability", "weight"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3], [1, 1, 1]),
        ([0, 1, 1], [0.1, 0.2, 0.3], [1, 0, 0]),
        ([0, 1, 0], [0.2, 0.2, 0.2], [1, 1, 1]),
        ([0, 1, 0], [0.2, 0.2, 0.7], [1, 1, 0]),
    ],
)
def test_a_calibration_line_needs_both_outcomes_and_two_probabilities(label, probability, weight):
    """Without them both numbers are NaN; rows of weight 0 do not count."""
    line = metrics.calibration_line(np.array(label, np.int8), np.array(probability), np.array(weight, float))
    assert np.isnan(line).all()


def test_separable_outcomes_have_a_finite_calibration_line():
    """Newton's method stops at a finite slope."""
    label = np.repeat([0, 1], 20).astype(np.int8)
    assert np.isfinite(metrics.calibration_line(label, np.linspace(0.1, 0.9, 40), np.ones(40))).all()


@pytest.mark.parametrize(("outcome", "undefined"), [(0, {"roc_auc", "average_precision", "gain"}), (1, {"roc_auc"})])
def test_metrics_that_need_both_outcomes_are_nan_without(outcome, undefined):
    """With one outcome the ranking metrics and the calibration line are NaN, and the others are numbers."""
    values = metrics.summary(np.full(5, outcome, np.int8), np.linspace(0.1, 0.5, 5), np.ones(5))
    lines = {"calibration_intercept", "calibration_slope"}
    assert {name for name, value in values.items() if np.isnan(value)} == undefined | lines


def test_gain_is_the_area_under_the_cumulative_gains_curve():
    """It is computed by hand for two conversions among four rows, ranked first and third."""
    label, probability = np.array([1, 0, 1, 0], np.int8), np.array([0.9, 0.8, 0.7, 0.6])
    assert metrics.gain(label, probability, np.ones(4)) == pytest.approx((0.25 + 0.5 + 0.75 + 1.0) / 4)
    assert metrics.gain(label, np.full(4, 0.3), np.ones(4)) == pytest.approx(0.5)


def test_the_calibration_error_is_the_mean_gap_over_bins():
    """With two rows in each bin the gap of a bin is the difference of two means."""
    label, probability, _ = _leads(30)
    order = np.argsort(probability)
    gaps = np.abs((probability - label)[order].reshape(15, 2).mean(axis=1))
    assert metrics.ece(label, probability, np.ones(30)) == pytest.approx(gaps.mean())


def test_a_constant_probability_that_is_the_rate_has_no_calibration_error():
    """Rows of one probability are shared out evenly between bins, in any order."""
    label = np.repeat([0, 1], [90, 10]).astype(np.int8)
    for order in (np.arange(100), np.arange(100)[::-1], np.random.default_rng(0).permutation(100)):
        assert metrics.ece(label[order], np.full(100, 0.1), np.ones(100)) == pytest.approx(0.0, abs=1e-12)


def test_the_calibration_error_by_chance_is_that_of_true_probabilities():
    """True probabilities have about this error, more rows have less, and a seed repeats it."""
    label, probability, _ = _leads()
    chance = metrics.ece_by_chance(probability, seed=1)
    assert metrics.ece(label, probability, np.ones(len(label))) == pytest.approx(chance, rel=0.6)
    assert chance < metrics.ece_by_chance(probability[:500], seed=1)
    assert chance == metrics.ece_by_chance(probability, seed=1)


@pytest.mark.parametrize("size", [6, 15, 1000])
def test_bins_of_reliability_have_all_rows(size):
    """Masses add up to the number of rows, and the means of the bins to the means of the rows."""
    label, probability, _ = _leads(size)
    bins = np.array(list(metrics.reliability(label, probability, np.ones(size))))
    assert bins[:, 0].sum() == pytest.approx(size)
    assert len(bins) <= 15
    assert np.average(bins[:, 1], weights=bins[:, 0]) == pytest.approx(probability.mean())
    assert np.average(bins[:, 2], weights=bins[:, 0]) == pytest.approx(label.mean())
    assert (np.diff(bins[:, 1]) > -1e-12).all()


def test_rows_of_weight_0_are_in_no_bin():
    """Of three rows with a single weight above 0, the bins have that one."""
    label, probability, weight = np.array([0, 1, 1], np.int8), np.array([0.1, 0.5, 0.9]), np.array([0.0, 1.0, 0.0])
    bins = np.array(list(metrics.reliability(label, probability, weight)))
    assert bins[:, 0].sum() == pytest.approx(1.0)
    assert bins[:, 1:] == pytest.approx(np.tile([0.5, 1.0], (len(bins), 1)))
