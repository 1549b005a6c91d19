"""A line through log-odds: rising, and the one with the least log loss."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.model.parts.calibration import Calibrator, fit_calibrator, log_losses

MARGINS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
CALIBRATORS = st.builds(Calibrator, st.floats(1e-3, 20), st.floats(-10, 10))


def _leads(size=2000, seed=0, *, slope=0.5, shift=-0.5):
    random = np.random.default_rng(seed)
    margin = random.normal(-1, 2, size)
    return margin, (random.random(size) < expit(slope * margin + shift)).astype(np.int8)


@given(CALIBRATORS, MARGINS)
def test_probabilities_rise_with_the_margin_and_lie_between_0_and_1(calibrator, margins):
    """Even log-odds of a million give neither 0 nor 1, and a higher margin never a lower probability."""
    probability = calibrator.probability(np.sort(np.array([*margins, -1e6, 1e6])))
    assert (np.diff(probability) >= 0).all()
    assert probability.min() > 0
    assert probability.max() < 1


@given(CALIBRATORS)
def test_calibrated_log_odds_strictly_increase(calibrator):
    """Margins a hundredth apart have different log-odds."""
    assert (np.diff(calibrator.logit(np.arange(-40, 40, 0.01))) > 0).all()


@given(MARGINS)
def test_without_numbers_log_odds_stay_as_they_are(margins):
    """The calibrator of a fit changes no bit."""
    assert Calibrator().logit(np.array(margins)).tolist() == margins


@given(CALIBRATORS, st.floats(-20, 20))
def test_the_steepness_is_the_derivative_of_the_probability(calibrator, margin):
    """It equals a numeric difference, away from clipped ends."""
    step = 1e-5
    here = np.array([margin])
    assume(abs(calibrator.logit(here)[0]) < 29)
    numeric = (calibrator.probability(here + step) - calibrator.probability(here - step)) / (2 * step)
    assert calibrator.steepness(here) == pytest.approx(numeric, rel=1e-4, abs=1e-8)


@given(CALIBRATORS, st.lists(st.floats(-30, 30), min_size=8, max_size=40), st.sampled_from([1, 7]))
def test_chunks_give_the_bits_of_all_rows(calibrator, margins, rows):
    """The probability and the steepness of a row do not depend on the other rows."""
    whole = np.array(margins)
    for function in (calibrator.probability, calibrator.steepness):
        chunks = [function(whole[first : first + rows]) for first in range(0, len(whole), rows)]
        assert np.array_equal(np.concatenate(chunks), function(whole))


@given(CALIBRATORS)
def test_a_calibrator_is_the_same_after_json(calibrator):
    """What is written is what is read."""
    assert Calibrator(**json.loads(json.dumps(calibrator.to_json()))) == calibrator


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(0, 1)), min_size=2, max_size=60))
def test_every_fit_strictly_increases(pairs):
    """Distinct margins keep their order, even where all labels are equal or rise against the margins."""
    margin, label = np.array([pair[0] / 100 for pair in pairs]), np.array([pair[1] for pair in pairs], dtype=np.int8)
    calibrator = fit_calibrator(margin, label)
    assert np.isfinite([calibrator.slope, calibrator.intercept]).all()
    assert (np.diff(calibrator.logit(np.unique(margin))) > 0).all()


def test_a_fit_brings_the_mean_probability_to_the_rate():
    """The sum of the probabilities is about the number of conversions."""
    margin, label = _leads()
    assert fit_calibrator(margin, label).probability(margin).mean() == pytest.approx(label.mean(), abs=1e-5)


def test_a_fit_has_less_training_loss_than_no_calibration():
    """On the rows it was fitted on the line is better than the identity."""
    margin, label = _leads()
    assert log_losses(fit_calibrator(margin, label).logit(margin), label).mean() < log_losses(margin, label).mean()


@pytest.mark.parametrize(("slope", "shift"), [(0.5, -0.5), (1.0, 0.0), (3.0, 2.0), (0.1, -2.0)])
def test_a_fit_is_logistic_regression_without_penalty(slope, shift):
    """Slope and intercept are those of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    margin, label = _leads(slope=slope, shift=shift)
    oracle = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(margin[:, None], label)
    result = fit_calibrator(margin, label)
    assert (result.slope, result.intercept) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), abs=2e-4)


def test_a_falling_relation_gives_an_almost_flat_line():
    """The order of the leads is never reversed."""
    assert 0 < fit_calibrator(*_leads(slope=-1.0)).slope < 0.01


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_a_fit_does_not_depend_on_the_unit_of_its_input(scale):
    """Ten thousand times the margins give the same probabilities."""
    margin, label = _leads()
    expected = fit_calibrator(margin, label).probability(margin)
    result = fit_calibrator(margin * scale, label).probability(margin * scale)
    assert np.abs(result - expected).max() < 1e-3


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=20))
def test_the_log_loss_of_a_row_is_that_of_its_probability(logits):
    """It is less the logarithm of the probability of what happened."""
    logit = np.array(logits)
    for outcome in (0, 1):
        probability = expit(logit if outcome else -logit)
        assert log_losses(logit, np.full(len(logit), outcome, np.int8)) == pytest.approx(-np.log(probability))
