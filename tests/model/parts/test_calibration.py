from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.model.parts.calibration import Calibrator, choose_calibrator, fit_calibrator
from leadml.params import CalibrationParams

FITTED = ("sigmoid", "beta", "isotonic")
MARGINS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@st.composite
def calibrators(draw):
    """Draw a calibrator of any method."""
    slope, intercept = st.floats(1e-3, 20), st.floats(-10, 10)
    method = draw(st.sampled_from(["none", *FITTED]))
    if method == "isotonic":
        count = draw(st.integers(1, 6))
        steps = st.lists(st.floats(0.01, 3), min_size=count, max_size=count)
        knots, heights = (np.cumsum(draw(steps)) + draw(intercept) for _ in range(2))
        return Calibrator(method, (*knots.tolist(), *heights.tolist()))
    shape = {"none": (), "sigmoid": (slope, intercept), "beta": (slope, slope, intercept)}[method]
    return Calibrator(method, tuple(draw(part) for part in shape))


def _leads(size=2000, seed=0, *, slope=0.5, shift=-0.5):
    random = np.random.default_rng(seed)
    margin = random.normal(-1, 2, size)
    return margin, (random.random(size) < expit(slope * margin + shift)).astype(np.int8)


def _loss(logit, label):
    return np.logaddexp(0, np.where(label == 1, -logit, logit)).mean()


@given(calibrators(), MARGINS)
def test_probabilities_rise_with_the_margin_and_lie_between_0_and_1(calibrator, margins):
    """Even log-odds of a million give neither 0 nor 1, and a higher margin never a lower probability."""
    probability = calibrator.probability(np.sort(np.array([*margins, -1e6, 1e6])))
    assert (np.diff(probability) >= 0).all()
    assert probability.min() > 0
    assert probability.max() < 1


@given(calibrators())
def test_calibrated_log_odds_strictly_increase(calibrator):
    """Margins a hundredth apart have different log-odds."""
    assert (np.diff(calibrator.logit(np.arange(-40, 40, 0.01))) > 0).all()


@given(calibrators(), st.floats(-20, 20))
def test_the_slope_is_the_derivative_of_the_probability(calibrator, margin):
    """The slope equals a numeric difference, away from knots and from clipped ends."""
    step = 1e-5
    here = np.array([margin])
    knots = calibrator.numbers[: len(calibrator.numbers) // 2] if calibrator.method == "isotonic" else ()
    assume(abs(calibrator.logit(here)[0]) < 29)
    assume(all(abs(knot - margin) > 2 * step for knot in knots))
    numeric = (calibrator.probability(here + step) - calibrator.probability(here - step)) / (2 * step)
    assert calibrator.slope(here) == pytest.approx(numeric, rel=1e-4, abs=1e-8)


@given(calibrators(), st.lists(st.floats(-30, 30), min_size=8, max_size=40), st.sampled_from([1, 7]))
def test_chunks_give_the_bits_of_all_rows(calibrator, margins, rows):
    """The probability and the slope of a row do not depend on the other rows."""
    whole = np.array(margins)
    for function in (calibrator.probability, calibrator.slope):
        chunks = [function(whole[first : first + rows]) for first in range(0, len(whole), rows)]
        assert np.array_equal(np.concatenate(chunks), function(whole))


@given(calibrators())
def test_a_calibrator_is_the_same_after_json(calibrator):
    """What is written is what is read."""
    assert Calibrator.from_json(json.loads(json.dumps(calibrator.to_json()))) == calibrator


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(0, 1)), min_size=2, max_size=60), st.sampled_from(FITTED))
def test_every_fit_strictly_increases(pairs, method):
    """Distinct margins keep their order, even where all labels are equal or rise against the margins."""
    margin, label = np.array([pair[0] / 100 for pair in pairs]), np.array([pair[1] for pair in pairs], dtype=np.int8)
    calibrator = fit_calibrator(margin, label, method=method)
    assert np.isfinite(calibrator.numbers).all()
    assert (np.diff(calibrator.logit(np.unique(margin))) > 0).all()


@pytest.mark.parametrize("method", FITTED)
def test_a_fit_brings_the_mean_probability_to_the_rate(method):
    """The sum of the probabilities is about the number of conversions."""
    margin, label = _leads()
    probability = fit_calibrator(margin, label, method=method).probability(margin)
    assert probability.mean() == pytest.approx(label.mean(), abs=1e-2)


@pytest.mark.parametrize("method", FITTED)
def test_a_fit_has_less_training_loss_than_no_calibration(method):
    """On the rows it was fitted on every method is better than the identity."""
    margin, label = _leads()
    assert _loss(fit_calibrator(margin, label, method=method).logit(margin), label) < _loss(margin, label)


@pytest.mark.parametrize(("slope", "shift"), [(0.5, -0.5), (1.0, 0.0), (3.0, 2.0), (0.1, -2.0)])
def test_sigmoid_is_logistic_regression_without_penalty(slope, shift):
    """Slope and intercept are those of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    margin, label = _leads(slope=slope, shift=shift)
    oracle = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(margin[:, None], label)
    result = fit_calibrator(margin, label, method="sigmoid").numbers
    assert result == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), abs=2e-4)


@pytest.mark.slow
def test_beta_recovers_the_curve_that_labels_are_drawn_from():
    """Many labels from a beta curve give its three numbers."""
    truth = Calibrator("beta", (0.6, 1.4, -0.3))
    random = np.random.default_rng(3)
    margin = random.normal(0, 2, 200_000)
    label = (random.random(len(margin)) < truth.probability(margin)).astype(np.int8)
    assert fit_calibrator(margin, label, method="beta").numbers == pytest.approx(truth.numbers, abs=0.05)


def test_isotonic_follows_the_blocks_of_scikit_learn():
    """At the mean of each block the probability is scikit-learn's, shrunk by half a row of each outcome."""
    from sklearn.isotonic import IsotonicRegression

    margin, label = _leads()
    blocks = IsotonicRegression(y_min=0, y_max=1).fit_transform(margin, label)
    calibrator = fit_calibrator(margin, label, method="isotonic")
    for height in np.unique(blocks):
        inside = blocks == height
        expected = (height * inside.sum() + 0.5) / (inside.sum() + 1)
        assert calibrator.probability(margin[inside].mean(keepdims=True))[0] == pytest.approx(expected, abs=1e-2)


def test_a_falling_relation_gives_an_almost_flat_curve():
    """The order of the leads is never reversed."""
    margin, label = _leads(slope=-1.0)
    assert 0 < fit_calibrator(margin, label, method="sigmoid").numbers[0] < 0.01


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_sigmoid_does_not_depend_on_the_unit_of_its_input(scale):
    """Ten thousand times the margins give the same probabilities."""
    margin, label = _leads()
    expected = fit_calibrator(margin, label, method="sigmoid").probability(margin)
    result = fit_calibrator(margin * scale, label, method="sigmoid").probability(margin * scale)
    assert np.abs(result - expected).max() < 1e-3


def test_the_simplest_method_with_clearly_the_least_cross_validated_loss_is_chosen():
    """The losses name every tried method, the simplest first; a wrong slope and shift need no more than a sigmoid."""
    margin, label = _leads(8000)
    chosen, losses = choose_calibrator(margin, label, CalibrationParams())
    assert list(losses) == ["none", "sigmoid", "beta", "isotonic"]
    assert chosen.method == "sigmoid"
    assert losses["none"] == pytest.approx(_loss(margin, label), abs=1e-12)
    assert chosen == fit_calibrator(margin, label, method=chosen.method)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_calibrated_log_odds_are_not_calibrated_again(seed):
    """A method whose loss is lower only by chance is not chosen."""
    random = np.random.default_rng(seed)
    margin = random.normal(-1, 1, 6000)
    label = (random.random(6000) < expit(margin)).astype(np.int8)
    assert choose_calibrator(margin, label, CalibrationParams(isotonic_min_conversions=10))[0].method == "none"


@pytest.mark.slow
def test_with_a_clock_a_method_must_hold_for_later_rows():
    """A shift that comes and goes with time is corrected only where rows have no instants."""
    random = np.random.default_rng(3)
    time = np.arange(12_000)
    margin = random.normal(-1, 1, 12_000)
    label = (random.random(12_000) < expit(margin + np.where(time // 2000 % 2, 0.9, -0.3))).astype(np.int8)
    assert choose_calibrator(margin, label, CalibrationParams())[0].method == "sigmoid"
    assert choose_calibrator(margin, label, CalibrationParams(), clock=time)[0].method == "none"


@pytest.mark.filterwarnings("error")
def test_one_later_block_is_no_evidence_for_a_method():
    """A single difference has no standard error, so the simplest method is kept, without a warning."""
    time = np.array([0] * 10 + [1] * 10 + [2] * 5)
    label = np.array([0] * 18 + [1, 1] + [1] * 5, dtype=np.int8)
    chosen, losses = choose_calibrator(np.linspace(-3, 3, 25), label, CalibrationParams(), clock=time)
    assert chosen.method == "none"
    assert set(losses) > {"none"}


def test_a_constant_clock_gives_the_folds_of_rows_without_a_clock():
    """Rows of one instant are divided like rows without instants."""
    margin, label = _leads(2000)
    constant = choose_calibrator(margin, label, CalibrationParams(), clock=np.zeros(2000, dtype=np.int64))
    assert constant[1] == choose_calibrator(margin, label, CalibrationParams())[1]


@pytest.mark.parametrize(
    ("methods", "min_conversions", "tried"),
    [
        (("none", "isotonic"), 10, ["none", "isotonic"]),
        (("none", "isotonic"), 10_000, ["none"]),
        (("isotonic",), 10_000, ["none"]),
        (("beta",), 1, ["beta"]),
    ],
)
def test_isotonic_is_tried_only_with_enough_conversions(methods, min_conversions, tried):
    """Where no other method may be tried the log-odds stay as they are."""
    choices = CalibrationParams(methods=methods, isotonic_min_conversions=min_conversions)
    assert list(choose_calibrator(*_leads(500), choices)[1]) == tried


@pytest.mark.slow
def test_calibrating_true_log_odds_changes_no_probability_by_two_points():
    """Where the model is calibrated already, almost nothing changes."""
    margin, label = _leads(20_000, slope=1.0, shift=0.0)
    chosen, _ = choose_calibrator(margin, label, CalibrationParams(methods=("none", "sigmoid", "beta")))
    assert np.abs(chosen.probability(margin) - expit(margin)).max() < 0.02
