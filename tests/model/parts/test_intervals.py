"""Intervals of true probabilities, and the information gap that they are derived from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.model.parts.intervals import Intervals, deviation_of, gap_of, mean_log_odds
from leadml.params import ModelParams

PARAMS = ModelParams(max_rounds=400, patience=40, leaf_penalties=(5.0,), threads=1)
PROBABILITIES = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20).map(np.array)


@pytest.mark.slow
@given(PROBABILITIES, st.floats(0.0, 3.0), st.floats(0.05, 0.99))
def test_the_ends_of_an_interval_rise_with_the_probability(probability, deviation, level):
    """They lie in [0, 1], and both are the probability where the deviation is 0."""
    low, high = Intervals(deviation, level).interval(np.sort(probability))
    assert ((low >= 0) & (low <= high) & (high <= 1)).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    exact = np.concatenate(Intervals(0.0, level).interval(probability))
    assert exact == pytest.approx(np.tile(probability, 2), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("probability", [0.001, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("deviation", [0.3, 1.0, 2.0])
def test_simulated_true_probabilities_have_the_given_mean_and_coverage(probability, deviation):
    """Of a million normal log-odds the mean probability is the given one, and the level's share is in the interval."""
    mean = mean_log_odds(np.array([probability]), deviation)[0]
    true = expit(mean + deviation * np.random.default_rng(0).normal(size=1_000_000))
    assert true.mean() == pytest.approx(probability, rel=0.01)
    low, high = Intervals(deviation, 0.9).interval(np.array([probability]))
    assert ((true >= low) & (true <= high)).mean() == pytest.approx(0.9, abs=0.005)


def test_the_gap_is_the_log_loss_that_knowing_the_truth_would_save():
    """It is the loss of the probabilities less that of the true ones, on simulated true probabilities."""
    probability = np.array([0.02, 0.1, 0.3])
    normal = np.random.default_rng(1).normal(size=(1_000_000, 1))
    true = expit(mean_log_odds(probability, 0.9) + 0.9 * normal)

    def loss(predicted):
        return -(true * np.log(predicted) + (1 - true) * np.log1p(-predicted)).mean()

    assert gap_of(probability, 0.9) == pytest.approx(loss(probability) - loss(true), rel=0.01)


@pytest.mark.slow
@settings(max_examples=20)
@given(PROBABILITIES, st.floats(0.1, 2.5))
def test_the_deviation_is_the_inverse_of_the_gap(probability, deviation):
    """A gap that is computed from a deviation gives that deviation."""
    assert deviation_of(probability, gap_of(probability, deviation)) == pytest.approx(deviation, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("gap", "deviation"), [(0.0, 0.0), (-1.0, 0.0), (5.0, 3.0)])
def test_deviations_lie_from_0_to_3(gap, deviation):
    """Without a gap the deviation is 0, and of a gap that is too large it is 3."""
    assert deviation_of(np.full(5000, 0.1), gap) == pytest.approx(deviation)
