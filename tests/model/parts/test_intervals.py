"""Intervals of true probabilities: normal log-odds around what a model says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from leadml.model.parts.intervals import Intervals

PROBABILITIES = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20).map(np.array)
DEVIATIONS, LEVELS = st.floats(0.01, 3.0), st.floats(0.05, 0.99)


@given(PROBABILITIES, st.floats(0.0, 3.0), LEVELS)
def test_an_interval_holds_its_probability_and_rises_with_it(probability, deviation, level):
    """Both ends lie in [0, 1], on both sides of the probability, and are higher for a higher one."""
    probability = np.sort(probability)
    low, high = Intervals(deviation, level).interval(probability)
    assert ((low >= 0) & (low <= probability * (1 + 1e-9))).all()
    assert ((high <= 1) & (high >= probability * (1 - 1e-9))).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()


@given(PROBABILITIES, LEVELS)
def test_without_a_deviation_both_ends_are_the_probability(probability, level):
    """Nothing is in doubt."""
    ends = np.concatenate(Intervals(0.0, level).interval(probability))
    assert ends == pytest.approx(np.tile(probability, 2), rel=1e-9)


@given(PROBABILITIES, DEVIATIONS, LEVELS, st.floats(1.01, 3.0))
def test_an_interval_is_wider_for_a_larger_deviation_or_level(probability, deviation, level, factor):
    """The narrower one lies within the wider ones."""
    low, high = Intervals(deviation, level).interval(probability)
    for wider in (Intervals(deviation * factor, level), Intervals(deviation, 1 - (1 - level) / factor)):
        lower, higher = wider.interval(probability)
        assert (lower < low).all()
        assert (higher > high).all()


@pytest.mark.parametrize("probability", [0.001, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("deviation", [0.3, 2.0])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_level_is_the_share_of_normal_log_odds_in_the_interval(probability, deviation, level):
    """Of simulated true probabilities that many are in it, and as many above it as below it."""
    true = expit(logit(probability) + deviation * np.random.default_rng(0).normal(size=200_000))
    low, high = Intervals(deviation, level).interval(np.array([probability]))
    assert (true < low).mean() == pytest.approx((1 - level) / 2, abs=0.005)
    assert (true > high).mean() == pytest.approx((1 - level) / 2, abs=0.005)


@given(PROBABILITIES, DEVIATIONS, LEVELS, st.data())
def test_each_new_value_adds_its_variance_to_the_log_odds(probability, deviation, level, data):
    """A row is as wide as one of an interval whose squared deviation has those of its new values added."""
    of_new = (0.5, 0.0, 1.2)
    row = st.lists(st.booleans(), min_size=3, max_size=3)
    is_new = np.array(data.draw(st.lists(row, min_size=len(probability), max_size=len(probability))))
    ends = np.column_stack(Intervals(deviation, level, of_new).interval(probability, is_new))
    for each, new, found in zip(probability, is_new, ends, strict=True):
        total = (deviation**2 + sum(value**2 for value, is_it in zip(of_new, new, strict=True) if is_it)) ** 0.5
        expected = np.ravel(Intervals(total, level).interval(np.array([each])))
        assert found == pytest.approx(expected, rel=1e-9)


def test_intervals_without_new_values_are_those_of_no_mask():
    """To the bit, whatever a new value would add, and also where it is not known what one would."""
    probability = np.linspace(0.01, 0.99, 50)
    for of_new in ((0.5, 1.0), ()):
        intervals = Intervals(0.7, 0.9, of_new)
        masked = intervals.interval(probability, np.zeros((50, 2), dtype=bool))
        assert np.array_equal(masked, intervals.interval(probability))


@given(DEVIATIONS, LEVELS, st.lists(DEVIATIONS, max_size=4).map(tuple))
def test_intervals_are_the_same_after_json(deviation, level, of_new):
    """What is written is what is read."""
    intervals = Intervals(deviation, level, of_new)
    assert Intervals.from_json(json.loads(json.dumps(intervals.to_json()))) == intervals
